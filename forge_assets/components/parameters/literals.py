"""A literal under a key -> the value of a parameter, where it is plausible."""

from __future__ import annotations

import re

from forge_assets.components.parameters import numbers
from forge_assets.components.parameters.value import ParameterValue, Source
from forge_assets.components.parameters.vocabulary import Vocabulary

TRUE = frozenset({"true", "True", "1", "yes", "on"})
FALSE = frozenset({"false", "False", "no", "off"})
_POINTED = re.compile(r"\d{1,3}\.000")
"""A whole number as much of Europe writes its thousands: "vocab_size = 52.000"."""


def literal(
    parameter: str, key: str, span: tuple[int, int], text: str, vocabulary: Vocabulary, source: Source = "config", key_at: int | None = None
) -> ParameterValue | None:
    """The value that the literal text[span] gives a parameter under a key, or None where it is none; `key_at` is where the key stands."""
    written = text[slice(*span)]
    quoted = written[0] in "\"'"
    at = span[0] + quoted
    bare = written[1:-1] if quoted else written.rstrip(".")
    kind = vocabulary.parameters[parameter].kind
    if kind == "bool":
        return ParameterValue(parameter, at, at + len(bare), bare in TRUE, None, source) if bare in TRUE | FALSE else None
    if kind == "text":
        return None
    if kind == "choice":
        return chosen(parameter, key, bare, at, key_at, vocabulary, source)
    value = numbers.number(bare)
    if value is not None and kind == "integer" and _POINTED.fullmatch(bare):
        value *= 1000
    if value is None or not plausible(vocabulary, parameter, value) or "%" in bare:
        return None
    return ParameterValue(parameter, at, at + len(bare), value, vocabulary.parameters[parameter].unit, source)


def chosen(
    parameter: str, key: str, bare: str, at: int, key_at: int | None, vocabulary: Vocabulary, source: Source
) -> ParameterValue | None:
    """A word of the vocabulary; of `fp16: True` the value is the key."""
    if parameter == "precision" and key_at is not None and bare in TRUE and (value := vocabulary.choice(parameter, key)):
        return ParameterValue(parameter, key_at, key_at + len(key), value, None, source)
    found = vocabulary.choice(parameter, bare)
    begin = at + bare.rfind(".") + 1
    return None if found is None else ParameterValue(parameter, begin, at + len(bare), found, None, source)


def plausible(vocabulary: Vocabulary, parameter: str, value: float) -> bool:
    """Whether a number is in the range of a parameter, and whole where it counts something."""
    known = vocabulary.parameters[parameter]
    if known.kind == "integer" and value != int(value):
        return False
    return (known.low is None or value >= known.low) and (known.high is None or value <= known.high)
