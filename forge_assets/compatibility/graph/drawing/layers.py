"""Places for the boxes of a flow: rows downward in the order of the links, frames one below the other. The same picture gives the same places."""

from __future__ import annotations

from dataclasses import dataclass

from forge_assets.compatibility.graph.drawing.picture import Box, Picture

GAP, ROW_GAP, FRAME_PAD, FRAME_HEAD = 24, 44, 16, 30
LETTER, LINE, LEAST_WIDTH = 7, 17, 90  # pixels of draw.io's letters at 12 pt
SWEEPS = 4


@dataclass(frozen=True, slots=True)
class Spot:
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """`boxes` and `frames`: where each lies, by id, on one canvas."""

    boxes: dict[str, Spot]
    frames: dict[str, Spot]


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
    return Layout(
        boxes,
        {frame.id: _around([boxes[box.id] for box in picture.inside(frame.id)]) for frame in picture.frames if picture.inside(frame.id)},
    )


def _size(box: Box) -> tuple[int, int]:
    lines = box.label.split("\n")
    return max(LEAST_WIDTH, LETTER * max(map(len, lines)) + 20), LINE * len(lines) + 14


def _rows(picture: Picture) -> list[list[Box]]:
    """Boxes of a run with one frame stand in rows of their own; in a run each box is a row below what leads to it."""
    order = {box.id: number for number, box in enumerate(picture.boxes)}
    rows: list[list[Box]] = []
    run: dict[str, int] = {}
    start = 0
    for number, box in enumerate(picture.boxes):
        if number and box.frame != picture.boxes[number - 1].frame:
            start, run = len(rows), {}
        above = [run[link.source] for link in picture.links if link.target == box.id and link.source in run and order[link.source] < number]
        run[box.id] = max(above) + 1 if above else 0
        while len(rows) <= start + run[box.id]:
            rows.append([])
        rows[start + run[box.id]].append(box)
    return rows


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
