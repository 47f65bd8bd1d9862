"""Lines "key: value", as lists of hyperparameters in cards and the output of programs have them."""

from __future__ import annotations

import re

from forge_assets.components.parameters import numbers
from forge_assets.components.parameters.literals import FALSE, TRUE, chosen, plausible
from forge_assets.components.parameters.rules import UNFIT_UNIT
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Vocabulary

_LINE = re.compile(
    r"\s*(?:[-*•+]\s*)?(?:\*\*|__|`)?(?P<key>[#A-Za-zβθαλη][^:=\n|]{0,90}?)(?:\*\*|__|`)?\s*(?:=|:|\s–\s)\s*(?:\*\*"
    r"|__)?\s*(?P<value>[^\n]{1,200})"
)
_FRACTION = re.compile(r"\d+\.\d")
"""Of a line "epoch: 3.0": a state of the training as its log has it, no setting."""
_LOOSE = frozenset(
    {
        "step",
        "iteration",
        "l",
        "model size",
        "size",
        "weights",
        "resolution",
        "context",
        "blocks",
        "classes",
        "categories",
        "hardware",
        "memory",
    }
)
_SHARES = frozenset({"dropout", "warmup_ratio", "mask_ratio", "label_smoothing", "rotary_fraction"})
_LINE_END = re.compile(
    r"\s*(?:\Z|\n|[.,;()*`$\]/\"'|–-]|\([^)]*\)|tokens?\b|steps?\b|sequences|samples|epochs?\b|layers?\b|heads?\b|hours?\b"
    r"|GPUs?\b|parameters|per\b|with\b|for\b|and\b|on\b|x\b|images|pixels|dim|experts|bits?\b|B\b)"
)
_UNIT = re.compile(r"\s*(tokens|sequences|samples|images)\b", re.IGNORECASE)
_ASIDE = re.compile(r"\([^()]*\)|[*`_]{2}")
_WORD = re.compile(r"[\s`*\"']*([\w./-]+(?:\s(?:AMP|precision)\b)?)")


def read(text: str, start: int, end: int, vocabulary: Vocabulary) -> list[ParameterValue]:
    """The value of the line text[start:end]; [] where it states none."""
    match = _LINE.match(text, start, end)
    if match is None:
        return []
    name = _ASIDE.sub(" ", match["key"]).strip()
    parameter = vocabulary.key(name) or vocabulary.header(name)
    if parameter is None or name.lower() in _LOOSE or (name.lower() == "epoch" and _FRACTION.match(match["value"])):
        return []
    known = vocabulary.parameters[parameter]
    at = match.start("value")
    if known.kind in ("choice", "bool", "text"):
        made = _worded(parameter, name, text, at, end, vocabulary)
        return [made] if made else []
    quantity = next(iter(numbers.find(text, at, min(end, at + 40))), None)
    if quantity is None or text[at : quantity.start].strip(" `$*~≈\"'") or quantity.small or UNFIT_UNIT.match(text, quantity.end, end):
        return []
    if not _LINE_END.match(text, quantity.end, end) or not plausible(vocabulary, parameter, quantity.value):
        return []
    if quantity.percent and parameter not in _SHARES:
        return []
    unit = _UNIT.match(text, quantity.end, end)
    said = unit[1].lower() if unit and parameter == "batch_size" else known.unit
    return [ParameterValue(parameter, quantity.start, quantity.end, quantity.value, said, "config")]


def _worded(parameter: str, name: str, text: str, at: int, end: int, vocabulary: Vocabulary) -> ParameterValue | None:
    stop = text.find("\n", at, end)
    word = _WORD.match(text, at, stop if stop >= 0 else end)
    if word is None:
        return None
    bare, begin = word[1].rstrip("."), word.start(1)
    kind = vocabulary.parameters[parameter].kind
    if kind == "bool":
        return ParameterValue(parameter, begin, begin + len(bare), bare in TRUE, None, "config") if bare in TRUE | FALSE else None
    key_at = text.rfind(name, max(0, at - len(name) - 40), at)
    if kind == "text" or key_at < 0:
        return None
    return chosen(parameter, name.lower().replace(" ", "_"), bare, begin, key_at, vocabulary, "config")
