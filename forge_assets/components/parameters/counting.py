"""What a rule of counts is: a parameter told by what follows a number ("32 attention heads"), and by what is before it where the noun is
loose."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    """number + `after` says the parameter; `before`, where given, must end right before the number (80 characters are seen).

    `words`: number words count too. `scale`: the least that a letter or word of the number must multiply by (1e6: 7B, 40 million).
    `least`: the least value.
    """

    parameter: str
    after: re.Pattern[str]
    before: re.Pattern[str] | None = None
    words: bool = False
    unit: str | None = None
    factor: float = 1.0
    scale: float = 1.0
    least: float = 0.0


def after(pattern: str) -> re.Pattern[str]:
    """`pattern` behind a number: white space, hyphen or the like between them, letters of any case."""
    return re.compile(rf"\+?\$?(?:[\s~‑-]|\\,){{1,2}}(?:{pattern})", re.IGNORECASE)


def before(pattern: str) -> re.Pattern[str]:
    """`pattern` right before a number, perhaps with "~" or "$" between them."""
    return re.compile(rf"(?:{pattern})[~≈∼$]?\Z", re.IGNORECASE)
