"""Colours of slots and relations, the same in every picture of the graph."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence

from forge_assets.compatibility.graph.drawing import picture
from forge_assets.components.relations.claim import Kind

_TURN = 0.61803398875
"""The golden section of the circle: any number of hues in a row stay far apart."""
LINES: Mapping[Kind, tuple[str, str, picture.Line]] = {
    "requires": ("#0b57d0", "#8ab4f8", "solid"),
    "conflicts_with": ("#c5221f", "#f28b82", "solid"),
    "composes_with": ("#188038", "#81c995", "solid"),
    "alternative_to": ("#6b6b66", "#a2a29c", "dashed"),
    "supersedes": ("#8430ce", "#d7aefb", "solid"),
    "improves_on": ("#b06000", "#fdc069", "dashed"),
}
"""Relation -> its colour on light and on dark ground, and its line."""


def fill(slots: Sequence[str], slot: str) -> str:
    """A light colour for boxes with dark letters."""
    return _colour(slots, slot, 0.86, 0.55)


def pair(slots: Sequence[str], slot: str) -> tuple[str, str]:
    """A colour for light ground and one for dark ground."""
    return _colour(slots, slot, 0.45, 0.55), _colour(slots, slot, 0.66, 0.55)


def _colour(slots: Sequence[str], slot: str, lightness: float, saturation: float) -> str:
    place = slots.index(slot) if slot in slots else len(slots)
    parts = colorsys.hls_to_rgb((place * _TURN) % 1, lightness, saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
