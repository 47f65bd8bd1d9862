"""The fragments after 09-assembled, and the module that makes each: one line takes a new one into the chain."""

from __future__ import annotations

from collections.abc import Mapping

import forge_assets.fragments.export.fragment as exported
import forge_assets.fragments.lora.fragment as adapted
import forge_assets.fragments.train.fragment as trained
from forge_assets.fragments.chain import EXPORT, LORA, TRAINED
from forge_assets.fragments.making import Kind

KINDS: Mapping[str, Kind] = {TRAINED: trained, LORA: adapted, EXPORT: exported}
