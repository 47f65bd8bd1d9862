"""What can be drawn: boxes in frames, and links between boxes. Any text may be a name or a label; the writers escape it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Line = Literal["solid", "dashed", "dotted"]
Direction = Literal["LR", "TB"]
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Frame:
    """Boxes that belong together are drawn inside it."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Box:
    """`fill`: its colour as #rrggbb, light enough for dark letters."""

    id: str
    label: str
    frame: str | None = None
    fill: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """From one box to another, by their ids; without an arrow where it holds both ways. `colour` as #rrggbb."""

    source: str
    target: str
    label: str = ""
    arrow: bool = True
    line: Line = "solid"
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """Ids are unique among boxes and among frames; links and boxes name only what is there, else ValueError."""

    title: str
    boxes: tuple[Box, ...]
    links: tuple[Link, ...] = ()
    frames: tuple[Frame, ...] = ()
    direction: Direction = "LR"

    def __post_init__(self) -> None:
        boxes, frames = {box.id for box in self.boxes}, {frame.id for frame in self.frames}
        if len(boxes) < len(self.boxes) or len(frames) < len(self.frames):
            raise ValueError("two boxes or two frames have the same id")
        lost = [end for link in self.links for end in (link.source, link.target) if end not in boxes]
        lost += [box.frame for box in self.boxes if box.frame is not None and box.frame not in frames]
        if lost:
            raise ValueError(f"nothing has the id {lost[0]!r}")

    def inside(self, frame: str | None) -> list[Box]:
        """The boxes of a frame; of None those in no frame."""
        return [box for box in self.boxes if box.frame == frame]


def plain(text: str) -> str:
    """Text as XML and JSON can hold it: what is no character becomes U+FFFD, any line break a newline."""
    return _UNFIT.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
