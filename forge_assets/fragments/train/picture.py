"""loss.png: training and validation loss over the steps, and a level to compare with as a line. The same run draws the same bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

WIDTH, HEIGHT, MARGIN, SCALE = 860, 440, 64, 2
INK, FAINT, LOSS, HELD, UNIGRAM = "#222222", "#d9d9d9", "#9fb8d8", "#c0392b", "#7f8c8d"
SMOOTH = 0.02
"""Share of the steps over which the curve of the training loss is a moving mean."""
Points = Sequence[tuple[float, float]]


def draw(path: Path, title: str, losses: Points, held: Points, line: tuple[str, float]) -> None:
    """`losses`, `held`: (step, nats a token). `line`: what the curves are to be seen beside, by its name."""
    name, level = line
    from PIL import Image, ImageDraw, ImageFont

    values = [value for _, value in (*losses, *held)] + [level]
    low, high = math.floor(min(values) * 2) / 2, math.ceil(max(values) * 2) / 2
    high = high if high > low else low + 0.5
    last = max((step for step, _ in (*losses, *held)), default=1) or 1
    image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(13 * SCALE)

    def at(step: float, value: float) -> tuple[float, float]:
        x = MARGIN + (WIDTH - 1.5 * MARGIN) * step / last
        y = MARGIN / 1.5 + (HEIGHT - 1.75 * MARGIN) * (high - value) / (high - low)
        return x * SCALE, y * SCALE

    for number in range(round((high - low) * 2) + 1):
        value = low + number / 2
        if (high - low) <= 4 or value == int(value):
            pen.line([at(0, value), at(last, value)], FAINT, SCALE)
            x, y = at(0, value)
            pen.text((x - 8 * SCALE, y), f"{value:g}", INK, font, anchor="rm")
    for step in sorted({round(last * number / 4) for number in range(5)}):
        x, y = at(step, low)
        pen.text((x, y + 8 * SCALE), f"{step:,}", INK, font, anchor="mt")
    pen.line([at(0, level), at(last, level)], UNIGRAM, SCALE)
    for points, colour, width in ((smoothed(losses), LOSS, 2), (held, HELD, 2)):
        if len(points) > 1:
            pen.line([at(*one) for one in points], colour, width * SCALE, joint="curve")
    for one in held:
        x, y = at(*one)
        pen.ellipse([x - 3 * SCALE, y - 3 * SCALE, x + 3 * SCALE, y + 3 * SCALE], HELD)
    x, y = at(last, level)
    pen.text((x, y - 3 * SCALE), f"{name} {level:.3f}", UNIGRAM, font, anchor="rb")
    if held:
        x, y = at(*held[-1])
        pen.text((x, y + 8 * SCALE), f"validation {held[-1][1]:.3f}", HELD, font, anchor="rt")
    pen.text((MARGIN * SCALE, 8 * SCALE), f"{title}: nats a token over steps; training loss pale, validation red", INK, font)
    image.save(path, "PNG")


def smoothed(points: Points) -> Points:
    """A moving mean over a share of the steps before each."""
    width, made, total = max(1, round(SMOOTH * len(points))), [], 0.0
    for number, (step, value) in enumerate(points):
        total += value - (points[number - width][1] if number >= width else 0.0)
        made.append((step, total / min(number + 1, width)))
    return made
