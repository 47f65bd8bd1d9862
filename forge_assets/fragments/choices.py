"""What people chose for the fragments of a blueprint beyond its spec, such as the preset of training: kept beside the fragments, so that
every later build stands by it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forge_resources.errors import FragmentError

FILE = "choices.json"
Choices = Mapping[str, Mapping[str, Any]]


def kept(root: Path, new: Choices) -> dict[str, dict[str, Any]]:
    """Fragment -> choices: those kept before, with the new ones in their place. A choice of None is taken back."""
    path = root / FILE
    try:
        found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        raise FragmentError(f"{path} is no JSON; mend it, or delete it and choose again") from None
    for name, chosen in new.items():
        held = {**found.get(name, {}), **chosen}
        found[name] = {key: value for key, value in held.items() if value is not None}
    if new:
        root.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".new")
        aside.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        aside.replace(path)
    return found
