"""The interactive map as one HTML file that asks nothing of any network: points, labels and titles stand in it deflated, as base64.

Titles come from anybody. They reach the page as data only (base64 in blocks that no browser runs) and the screen as text only; a policy in
the page allows its own script and style, by hash, and nothing else.
"""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt

from forge_assets.single_page import assemble, packed
from forge_assets.topics.map.colours import group_colour
from forge_assets.topics.map.shown import UNASSIGNED, Entry, Shown

SCRIPTS = ("data.js", "view.js", "labels.js", "panel.js", "main.js")
UNITS = 65_535  # of the map's longer side


def page(shown: Shown) -> bytes:
    """UTF-8 HTML; the same works and topics give the same bytes."""
    low, unit = _frame(shown)
    values = {
        "meta": packed(json.dumps(_meta(shown, low, unit), ensure_ascii=False, separators=(",", ":")).encode()),
        "places": packed(_places(shown, low, unit)),
        "titles": packed("".join(f"{title}\n" for title in shown.titles).encode()),
    }
    return assemble("forge_assets.topics.map", SCRIPTS, values).encode()


def _frame(shown: Shown) -> tuple[npt.NDArray[np.float64], float]:
    """(lowest corner of a square around all works, length of one unit of the page on the map)."""
    if not len(shown):
        return np.zeros(2), 1.0
    low, high = shown.positions.min(axis=0).astype(float), shown.positions.max(axis=0).astype(float)
    side = max(float((high - low).max()), 1e-6)
    return (low + high - side) / 2, side / UNITS


def _places(shown: Shown, low: npt.NDArray[np.float64], unit: float) -> bytes:
    """All x, all y, all years, each as little-endian uint16."""
    units = np.clip(np.round((shown.positions - low) / unit), 0, UNITS).astype("<u2")
    return b"".join(column.tobytes() for column in (units[:, 0], units[:, 1], shown.years.astype("<u2")))


def _meta(shown: Shown, low: npt.NDArray[np.float64], unit: float) -> dict[str, object]:
    """`runs`: [index of the topic, number of works] as the points follow one another; the last index stands for works without a topic."""
    group_at = {group.topic_id: place for place, group in enumerate(shown.groups)}
    topic_at = {topic.topic_id: place for place, topic in enumerate(shown.topics)}
    ids, counts = np.unique(np.where(shown.topic_of == 0, np.iinfo(np.int64).max, shown.topic_of), return_counts=True)
    unassigned, grey = int(np.count_nonzero(shown.topic_of == 0)), group_colour(None)

    def entry(one: Entry, phrases: int) -> list[object]:
        at = None if one.x is None or one.y is None else [round((one.x - low[0]) / unit), round((one.y - low[1]) / unit)]
        group = group_at.get(one.group, -1) if one.group is not None else -1
        return [one.label, list(one.phrases[:phrases]), one.works, one.colour.light, one.colour.dark, at, group]

    return {
        "works": len(shown),
        "topics": [entry(topic, 1) for topic in shown.topics],
        "groups": [entry(group, 2)[:-1] for group in shown.groups],
        "waiting": [UNASSIGNED, [], unassigned, grey.light, grey.dark, None],
        "runs": [[topic_at.get(int(topic), len(shown.topics)), int(count)] for topic, count in zip(ids, counts, strict=True)],
    }
