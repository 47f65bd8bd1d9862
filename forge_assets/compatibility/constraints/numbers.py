"""The quantities common to all frameworks, from `numbers.yaml`: the variables `number:<id>` with unit and least value."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from forge_resources.errors import ConstraintError
from forge_resources.strict_yaml import Fields, parse

FILE = Path(__file__).resolve().parent / "numbers.yaml"


@dataclass(frozen=True, slots=True)
class Number:
    """`minimum`: the least that makes sense, in `unit`."""

    id: str
    unit: str
    minimum: float
    meaning: str


@functools.cache
def numbers() -> Mapping[str, Number]:
    """id -> number, in the order of the file. Raises ConstraintError."""
    faults: list[str] = []
    made: dict[str, Number] = {}
    for place, entry in enumerate(parse(FILE.read_text(encoding="utf-8")), 1):
        fields = Fields(f"{FILE.name}, entry {place}", entry, faults)
        number = Number(fields.text("id"), fields.text("unit"), fields.number("min") or 0, fields.text("meaning"))
        fields.done()
        made[number.id] = number
    if faults:
        raise ConstraintError(f"the numbers cannot be read: {'; '.join(faults[:3])}")
    return made
