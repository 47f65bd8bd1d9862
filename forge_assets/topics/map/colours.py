"""Colours of groups, which they keep for life, and the shades of their topics.

The palette stands in OKLCH (Ottosson 2020), where equal steps look equal. A group takes the colour that is least like those of the groups
around it on the map.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forge_assets.topics.map.store import Head

BOLD = [(0.62, 0.19, 25.0 + 36 * n) for n in range(10)]
DARK = [(0.47, 0.12, 7.0 + 45 * n) for n in range(8)]
PALE = [(0.74, 0.11, 43.0 + 60 * n) for n in range(6)]
PALETTE = (*BOLD, *DARK, *PALE)
"""(lightness, chroma, hue in degrees); a colour's number in `topic.colour` is its place here."""
FAR = 0.5  # on the map; a group there matters e times less
ALIKE = 0.1  # of OKLab; a colour as different is e times less alike
ON_DARK, ON_LIGHT = 0.07, -0.03  # what a background adds to the lightness
SHADES = (0.13, 16.0)  # from the darkest to the lightest topic of a group, and degrees of hue
NOTHING = (0.65, 0.0, 0.0)
"""Of works that wait."""


@dataclass(frozen=True, slots=True)
class Colour:
    """The same colour on a light and on a dark background, as #rrggbb."""

    light: str
    dark: str


def chosen(heads: Sequence[Head]) -> dict[int, int]:
    """The colour of each head that has none yet."""
    taken = [(head, head.colour) for head in heads if head.colour is not None]
    made: dict[int, int] = {}
    labs = np.array([oklab(*entry) for entry in PALETTE])
    for head in heads:
        if head.colour is None:
            cost = np.zeros(len(PALETTE))
            for other, colour in taken:
                near = math.exp(-math.hypot(head.x - other.x, head.y - other.y) / FAR)
                alike = np.exp(-np.linalg.norm(labs - labs[colour % len(PALETTE)], axis=1) / ALIKE)
                cost += (near + 0.05) * alike  # far off, too, two colours help more than one
            made[head.topic_id] = int(np.argmin(cost))
            taken.append((head, made[head.topic_id]))
    return made


def group_colour(number: int | None) -> Colour:
    return _colour(*(NOTHING if number is None else PALETTE[number % len(PALETTE)]))


def topic_colour(number: int | None, topic_id: int) -> Colour:
    """A shade of the group's colour that depends on the topic's id alone: by the golden ratio, so that neighbours in number differ."""
    if number is None:
        return group_colour(None)
    lightness, chroma, hue = PALETTE[number % len(PALETTE)]
    light, turn = (topic_id * 0.6180339887 % 1.0 - 0.5, topic_id * 0.7548776662 % 1.0 - 0.5)
    return _colour(lightness + SHADES[0] * light, chroma, hue + SHADES[1] * turn)


def oklab(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    return lightness, chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))


def srgb(lightness: float, chroma: float, hue: float) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255; what no screen can show loses chroma until one can."""
    while True:
        linear = _linear(*oklab(lightness, chroma, hue))
        if chroma < 1e-3 or all(-1e-4 <= part <= 1.0001 for part in linear):
            return tuple(round(255 * _gamma(min(1.0, max(0.0, part)))) for part in linear)  # type: ignore[return-value]
        chroma *= 0.95


def _colour(lightness: float, chroma: float, hue: float) -> Colour:
    return Colour(*("#{:02x}{:02x}{:02x}".format(*srgb(lightness + more, chroma, hue)) for more in (ON_LIGHT, ON_DARK)))


def _linear(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    """Linear sRGB of OKLab; the numbers are Ottosson's."""
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _gamma(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
