"""Faithful rewrites of cited sentences and what goes wrong with them, out of verifier_cases.txt; see the head of that file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Kind = Literal["faithful", "number", "unit", "negation", "entity", "citation"]
Half = Literal["dev", "held back"]
KINDS: dict[str, Kind] = {"N": "number", "U": "unit", "X": "negation", "E": "entity"}
ELSEWHERE = 2
"""A rewrite's wrong citation is that of the next case but one: the same half of the set, and mostly the same subject."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    case: int
    kind: Kind
    text: str
    quotes: tuple[str, ...]

    @property
    def half(self) -> Half:
        return "dev" if self.case % 2 else "held back"


@cache
def rewrites(file: str = "verifier_cases.txt") -> tuple[Rewrite, ...]:
    cases = [_case(part) for part in re.split(r"\n(?=\d+\nS: )", (Path(__file__).parent / file).read_text("utf-8"))[1:]]
    found: list[Rewrite] = []
    for index, (number, quotes, faithful, edits) in enumerate(cases):
        wrong = cases[(index + ELSEWHERE) % len(cases)][1]
        found += [Rewrite(number, "faithful", text, quotes) for text in faithful]
        found += [Rewrite(number, "citation", text, wrong) for text in faithful]
        for kind, old, new in edits:
            found += [Rewrite(number, kind, text.replace(old, new, 1), quotes) for text in faithful if old in text]
    return tuple(found)


def _case(part: str) -> tuple[int, tuple[str, ...], list[str], list[tuple[Kind, str, str]]]:
    number, *lines = part.strip().splitlines()
    marked = [(line[0], line[3:]) for line in lines]
    edits = [(KINDS[mark], *text.split(" > ", 1)) for mark, text in marked if mark in KINDS]
    return (
        int(number),
        tuple(text for mark, text in marked if mark == "S"),
        [text for mark, text in marked if mark == "F"],
        [(kind, old, new) for kind, old, new in edits],
    )
