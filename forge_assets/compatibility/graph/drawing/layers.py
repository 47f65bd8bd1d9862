"""Places for the boxes of a flow: rows downward in the order of the links, frames one below the other.

The same picture gives the same places.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from forge_assets.compatibility.graph.drawing.picture import Box, Picture

GAP, ROW_GAP, FRAME_PAD, FRAME_HEAD = 24, 44, 16, 30
LETTER, LINE, LEAST_WIDTH = 7, 17, 90  # pixels of draw.io's letters at 12 pt
SWEEPS = 4
LANE, LANE_GAP = 14, 20  # between links that pass rows by, and from them to the rows


@dataclass(frozen=True, slots=True)
class Spot:
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """`boxes` and `frames`: where each lies, by id, on one canvas; `bends`: points that a link goes by, by its number."""

    boxes: dict[str, Spot]
    frames: dict[str, Spot]
    bends: dict[int, list[tuple[int, int]]]


def layered(picture: Picture) -> Layout:
    """For pictures whose links go from boxes to later ones; a link back does not count."""
    rows = _rows(picture)
    for _ in range(SWEEPS):
        _untangle(rows, picture)
    sizes = {box.id: _size(box) for box in picture.boxes}
    widths = [sum(sizes[box.id][0] + GAP for box in row) - GAP for row in rows]
    middle = max(widths, default=0) // 2 + FRAME_PAD + GAP
    boxes: dict[str, Spot] = {}
    y, frame_before = GAP, None
    for row, width in zip(rows, widths, strict=True):
        if row[0].frame != frame_before:
            y += FRAME_PAD * (frame_before is not None) + (FRAME_HEAD if row[0].frame else 0)
        frame_before = row[0].frame
        x = middle - width // 2
        for box in row:
            boxes[box.id] = Spot(x, y, *sizes[box.id])
            x += sizes[box.id][0] + GAP
        y += max(sizes[box.id][1] for box in row) + ROW_GAP
    frames = {
        frame.id: _around([boxes[box.id] for box in picture.inside(frame.id)]) for frame in picture.frames if picture.inside(frame.id)
    }
    return _moved_inside(Layout(boxes, frames, _bends(rows, picture, boxes, frames)))


def _bends(rows: list[list[Box]], picture: Picture, boxes: dict[str, Spot], frames: dict[str, Spot]) -> dict[int, list[tuple[int, int]]]:
    """Links that pass rows by go beside them, each in a lane of its own: down from the box, out, down, and back in."""
    row_of = {box.id: number for number, row in enumerate(rows) for box in row}
    tops = [boxes[row[0].id].y for row in rows]
    bottoms = [max(boxes[box.id].y + boxes[box.id].height for box in row) for row in rows]
    middle = sum(one.x + one.width // 2 for one in boxes.values()) // max(1, len(boxes))
    taken: dict[tuple[bool, int], list[tuple[int, int]]] = {}
    found: dict[int, list[tuple[int, int]]] = {}
    far = [number for number, link in enumerate(picture.links) if row_of[link.target] > row_of[link.source] + 1]
    for number in sorted(far, key=lambda n: row_of[picture.links[n].target] - row_of[picture.links[n].source]):
        link = picture.links[number]
        first, last = row_of[link.source], row_of[link.target]
        source, target = (boxes[one].x + boxes[one].width // 2 for one in (link.source, link.target))
        right = source + target >= 2 * middle
        lane = next(n for n in range(len(far) + 1) if all(end <= first or last <= start for start, end in taken.get((right, n), [])))
        taken.setdefault((right, lane), []).append((first, last))
        passed = [boxes[box.id] for row in rows[first : last + 1] for box in row]
        passed += [frames[box.frame] for row in rows[first : last + 1] for box in row if box.frame]
        away = LANE_GAP + LANE * lane
        x = max(one.x + one.width for one in passed) + away if right else min(one.x for one in passed) - away
        down, up = bottoms[first] + 8 + 3 * (lane % 4), tops[last] - 8 - 3 * (lane % 4)
        found[number] = [(source, down), (x, down), (x, up), (target, up)]
    return found


def _moved_inside(layout: Layout) -> Layout:
    """Lanes on the left may lie beyond the edge of the canvas."""
    shift = max(0, GAP - min((x for points in layout.bends.values() for x, _ in points), default=GAP))

    def moved(spots: dict[str, Spot]) -> dict[str, Spot]:
        return {id_: Spot(one.x + shift, one.y, one.width, one.height) for id_, one in spots.items()}

    bends = {number: [(x + shift, y) for x, y in points] for number, points in layout.bends.items()}
    return Layout(moved(layout.boxes), moved(layout.frames), bends)


def _size(box: Box) -> tuple[int, int]:
    lines = box.label.split("\n")
    return max(LEAST_WIDTH, LETTER * max(map(len, lines)) + 20), LINE * len(lines) + 14


def _rows(picture: Picture) -> list[list[Box]]:
    """Boxes of a run with one frame stand in rows of their own; in a run each box is below what leads to it, and where nothing does,
    just above what it leads to."""
    rows: list[list[Box]] = []
    for _, members in groupby(picture.boxes, key=lambda box: box.frame):
        run = list(members)
        levels: dict[str, int] = {}
        links = [(link.source, link.target) for link in picture.links]
        for box in run:
            levels[box.id] = max(
                (levels[source] + 1 for source, target in links if target == box.id and levels.get(source) is not None), default=0
            )
        for box in run:
            below = [levels[target] for source, target in links if source == box.id and target in levels]
            if levels[box.id] == 0 and below:
                levels[box.id] = max(0, min(below) - 1)
        rows += [[box for box in run if levels[box.id] == level] for level in range(max(levels.values()) + 1)]
    return [row for row in rows if row]


def _untangle(rows: list[list[Box]], picture: Picture) -> None:
    """Each box moves to the mean place of the boxes that lead to it (K. Sugiyama and others, 1981)."""
    place = {box.id: (number + 0.5) / len(row) for row in rows for number, box in enumerate(row)}
    above: dict[str, list[str]] = {}
    for link in picture.links:
        above.setdefault(link.target, []).append(link.source)
        above.setdefault(link.source, []).append(link.target)
    for row in rows:
        row.sort(key=lambda box: sum(place[one] for one in above[box.id]) / len(above[box.id]) if box.id in above else place[box.id])
        place |= {box.id: (number + 0.5) / len(row) for number, box in enumerate(row)}


def _around(spots: list[Spot]) -> Spot:
    left, top = min(one.x for one in spots) - FRAME_PAD, min(one.y for one in spots) - FRAME_HEAD
    right = max(one.x + one.width for one in spots) + FRAME_PAD
    bottom = max(one.y + one.height for one in spots) + FRAME_PAD
    return Spot(left, top, right - left, bottom - top)
