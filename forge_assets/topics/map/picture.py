"""The map as a PNG: every work a dot in the shade of its topic, groups named where most of their works lie, a legend beside it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from forge_assets.topics.map.colours import NOTHING, srgb
from forge_assets.topics.map.shown import Entry, Shown
from forge_assets.topics.vectors import Floats

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

SIDE = 1900  # pixels of the map
LEGEND = 660
MARGIN = 40
INK, FAINT, PAPER = "#1c1c1a", "#6b6b66", (253, 253, 252)
COVERED = 0.45  # share of the map that all dots would cover side by side
DOTS = (1.15, 7.0)  # smallest and largest radius in pixels
OPACITY = 0.75
LABEL, LABEL_SMALL, TEXT, HEADING = 31, 17, 21, 30  # sizes of type in pixels
SHIFTS = (0.0, 0.8, -0.8, 1.6, -1.6, 2.4, -2.4)
"""Places tried for a label, in lines above or below the spot it names."""

APART = 7  # pixels around a label

Box = tuple[float, float, float, float]


def picture(shown: Shown) -> bytes:
    """PNG; the same works and topics give the same pixels."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (SIDE + LEGEND, SIDE), PAPER)
    low, scale = _frame(shown)
    image.paste(Image.fromarray(_dots(shown, low, scale)), (0, 0))
    draw = ImageDraw.Draw(image)
    for label in labels(draw, shown, low, scale):
        _write(draw, label)
    _legend(draw, shown)
    held = io.BytesIO()
    image.save(held, "PNG", optimize=True)
    return held.getvalue()


def _frame(shown: Shown) -> tuple[npt.NDArray[np.float64], float]:
    """(corner of the map in its own units, pixels to a unit)."""
    if not len(shown):
        return np.zeros(2), 1.0
    low, high = shown.positions.min(axis=0).astype(np.float64), shown.positions.max(axis=0).astype(np.float64)
    scale = (SIDE - 2 * MARGIN) / max(float((high - low).max()), 1e-6)
    return (low + high) / 2 - SIDE / 2 / scale, scale


def _dots(shown: Shown, low: npt.NDArray[np.float64], scale: float) -> npt.NDArray[np.uint8]:
    """Pixels uint8 [SIDE, SIDE, 3]: where dots lie on one another their colours are mixed, and the more there are the less paper shows."""
    at = np.floor((shown.positions - low) * scale).astype(np.int64)
    radius = float(np.clip(SIDE * np.sqrt(COVERED / np.pi / max(1, len(shown))), *DOTS))
    shifts, weights = _dot(radius)
    cells = ((at[:, 1] * SIDE + at[:, 0])[:, None] + shifts).ravel()
    laid = [np.bincount(cells, (weights * part[:, None]).ravel(), SIDE * SIDE) for part in (np.ones(len(shown)), *_colours(shown).T)]
    counts, sums = laid[0][:, None], np.stack(laid[1:], axis=1)
    cover = 1.0 - (1.0 - OPACITY) ** counts
    pixels = np.round(cover * sums / np.maximum(counts, 1e-6) + (1 - cover) * np.array(PAPER)).astype(np.uint8)
    made: npt.NDArray[np.uint8] = pixels.reshape(SIDE, SIDE, 3)
    return made


def _dot(radius: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """(distance in the image to each pixel of a dot around a pixel, how much of it the dot covers). MARGIN is wider than any dot."""
    reach = int(np.ceil(radius))
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    covered = np.clip(radius + 0.5 - np.hypot(down, right), 0.0, 1.0)
    return (down * SIDE + right)[covered > 0], covered[covered > 0]


def _colours(shown: Shown) -> Floats:
    """Red, green, blue of each work, float32 [n, 3]."""
    known = {0: srgb(*NOTHING)} | {topic.topic_id: _rgb(topic.colour.light) for topic in shown.topics}
    ids, of = np.unique(shown.topic_of, return_inverse=True)
    table = np.array([known.get(int(topic), known[0]) for topic in ids], np.float32).reshape(-1, 3)
    return table[of]


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@dataclass(frozen=True, slots=True)
class Label:
    text: str
    box: Box
    size: int


def labels(draw: ImageDraw, shown: Shown, low: npt.NDArray[np.float64], scale: float) -> list[Label]:
    """Groups first, then as many topics as find room; no label covers another."""
    made: list[Label] = []
    small = [topic for topic in shown.topics if topic.group is not None]
    for entries, size, lines in ((shown.heads, LABEL, 2), (small, LABEL_SMALL, 1)):
        for entry in entries:
            if entry.x is None or entry.y is None:
                continue
            text = "\n".join(entry.phrases[:lines])
            places = _places(draw, text, (entry.x - low[0]) * scale, (entry.y - low[1]) * scale, size)
            box = next((box for box in places if _free(box, made)), None)
            if box:
                made.append(Label(text, box, size))
    return made


def _write(draw: ImageDraw, label: Label) -> None:
    at = ((label.box[0] + label.box[2]) / 2, (label.box[1] + label.box[3]) / 2)
    draw.text(at, label.text, INK, _font(label.size), "mm", align="center", stroke_width=max(2, label.size // 7), stroke_fill=PAPER)


def _places(draw: ImageDraw, text: str, x: float, y: float, size: int) -> Iterator[Box]:
    left, top, right, bottom = draw.multiline_textbbox((0, 0), text, _font(size), "mm", align="center")
    width, height = (right - left) / 2 + APART, (bottom - top) / 2 + APART
    x = min(max(x, width), SIDE - width)
    for shift in SHIFTS:
        at = y + shift * size
        yield x - width, at - height, x + width, at + height


def _free(box: Box, taken: Sequence[Label]) -> bool:
    inside = box[1] >= 0 and box[3] <= SIDE
    others = (label.box for label in taken)
    return inside and not any(box[0] < other[2] and box[2] > other[0] and box[1] < other[3] and box[3] > other[1] for other in others)


def _legend(draw: ImageDraw, shown: Shown) -> None:
    """Heading, then a line for each group, or topic without one, the largest first, as many as there is room for."""
    left, y = SIDE + 20, float(MARGIN)
    draw.text((left, y), f"{len(shown):,} works, {len(shown.topics):,} topics", INK, _font(HEADING))
    y += 2 * HEADING
    heads: list[Entry] = shown.heads
    for place, head in enumerate(heads):
        lines = _wrapped(draw, head.label, LEGEND - 90)
        needed = (len(lines) + 1) * TEXT * 1.25 + 10
        if y + needed > SIDE - MARGIN:
            draw.text((left, y), f"and {len(heads) - place} more", FAINT, _font(TEXT))
            break
        draw.ellipse((left, y + 3, left + TEXT - 3, y + TEXT), fill=head.colour.light)
        draw.text((left + 34, y), "\n".join(lines), INK, _font(TEXT), spacing=TEXT * 0.25)
        draw.text((left + 34, y + len(lines) * TEXT * 1.25), f"{head.works:,} works", FAINT, _font(TEXT - 3))
        y += needed


def _wrapped(draw: ImageDraw, text: str, width: float, most: int = 2) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, _font(TEXT)) <= width or not lines[-1]:
            lines[-1] = longer
        elif len(lines) < most:
            lines.append(word)
        else:
            lines[-1] += " …"
            break
    return lines


def _font(size: int) -> Any:
    """Pillow's own type face: the same picture on every machine."""
    from PIL import ImageFont

    return ImageFont.load_default(size)
