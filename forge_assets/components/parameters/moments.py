"""Optimizers in configurations and running text: both moment decays, the epsilon, and the classes that Keras names them by."""

from __future__ import annotations

import re

from forge_assets.components.parameters import numbers
from forge_assets.components.parameters.literals import plausible
from forge_assets.components.parameters.value import ParameterValue, Source
from forge_assets.components.parameters.vocabulary import Vocabulary

_PAIR = re.compile(
    r"\bbetas?[\"']?\s*(?:[=:]|of|are|were)?\s*[\[({]\s*(?P<first>[\d.]+)\s*,\s*(?P<second>[\d.]+)\s*[\])}]|\(?\s*(?:\\?beta_?1|β_?1"
    r"|β₁)\s*,\s*(?:\\?beta_?2|β_?2|β₂)\s*\)?\s*=\s*\(?\s*(?P<third>[\d.]+\d)\s*,\s*(?P<fourth>[\d.]+\d)",
    re.IGNORECASE,
)
_MARKS = ("eta", "β", "eps", "ε", "ϵ", "Eps")
_EPSILON = re.compile(
    r"(?<![\w.])(?P<key>(?:adam_?)?eps(?:ilon)?|\\epsilon|ϵ|ε)[\"']?\s*(?:=|:|of|is)\s*\$?(?P<value>\d[\w.+−-]*(?:\s?(?:×|x"
    r"|\\times)\s?10\^?\{?[-−]?\d+\}?)?)",
    re.IGNORECASE,
)
_OPTIMIZER = re.compile(r"\b(?:adam|rmsprop|adafactor|lamb|optimi[sz]er|betas?)", re.IGNORECASE)
_CLASS = re.compile(r"""["'](?:class_)?name["']\s*:\s*["'](?P<value>[A-Z]\w+)["']""")


def betas(text: str, start: int, end: int, vocabulary: Vocabulary, source: Source) -> list[ParameterValue]:
    """Both moment decays of "betas=(0.9, 0.999)", and the epsilon of an optimizer that the same lines name."""
    out: list[ParameterValue] = []
    if not any(text.find(mark, start, end) >= 0 for mark in _MARKS):
        return out
    for match in _PAIR.finditer(text, start, end):
        groups = ("first", "second") if match["first"] else ("third", "fourth")
        for parameter, group in zip(("beta1", "beta2"), groups, strict=True):
            value = numbers.number(match[group])
            if value is not None and plausible(vocabulary, parameter, value):
                out.append(ParameterValue(parameter, match.start(group), match.end(group), value, None, source))
    for match in _EPSILON.finditer(text, start, end):
        near = text[max(start, match.start() - 120) : match.start()].rsplit("\n\n", 1)[-1]
        written = match["value"].rstrip(".,-")
        value = numbers.number(written)
        if value is not None and value < 0.01 and _OPTIMIZER.search(near) and plausible(vocabulary, "epsilon", value):
            out.append(ParameterValue("epsilon", match.start("value"), match.start("value") + len(written), value, None, source))
    return out


def classes(text: str, start: int, end: int, vocabulary: Vocabulary, source: Source) -> list[ParameterValue]:
    """Optimizers and schedules that Keras writes by their class: {'name': 'AdamWeightDecay', 'learning_rate': {'class_name': ...}}."""
    out = []
    for match in _CLASS.finditer(text, start, end):
        for parameter in ("optimizer", "schedule"):
            if value := vocabulary.choice(parameter, match["value"]):
                out.append(ParameterValue(parameter, match.start("value"), match.end("value"), value, None, source))
    return out
