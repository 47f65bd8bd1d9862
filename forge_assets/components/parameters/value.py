"""What is extracted: a value of a parameter with the place it is written at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["prose", "table", "config", "front_matter"]


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """One stated value: text[start:end] is the value as written, `value` what it means in `unit` (a ratio for per cent, hours for times).

    `parameter` is an id of ontology/parameters.yaml. `subject` is the id of the component or the name of the model the value belongs to,
    None where the text names none; its span lies anywhere in the document.
    `condition` is a phrase ("fine-tuning", "7B model", "sweep") or None.
    """

    parameter: str
    start: int
    end: int
    value: float | str | bool
    unit: str | None
    source: Source
    subject: str | None = None
    subject_start: int | None = None
    subject_end: int | None = None
    condition: str | None = None
