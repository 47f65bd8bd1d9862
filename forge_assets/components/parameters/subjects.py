"""What a value belongs to, and under which condition it holds.

The subject is, in this order: a component that has the parameter and is mentioned in the sentence (Adam for beta1); the nearest model
name or architecture in the sentence, before the value rather than after; the card's own model, where the text is a model card. Else None.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

from forge_assets.components.parameters.value import ParameterValue

if TYPE_CHECKING:
    from forge_assets.components.text import Reading


class Mentioned(Protocol):
    """What subjects need of a mention of a component: where it stands, and which component it is."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def component(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Belongings:
    """Which components own a parameter, and which are whole models; by component id."""

    owners: Mapping[str, frozenset[str]]
    models: frozenset[str]


_MODEL_NAME = re.compile(
    r"(?<![\w/.-])(?:[A-Za-z][\w.]*/)?[A-Z][A-Za-z]*[\w.]*(?:-[\w.]+)*-\d+(?:\.\d+)?[BMbm](?:-[\w.]+)*(?![\w-])"
    r"|(?<![\w/.-])(?!(?:Our|The|An?|With|For|Each|This|Both|Only|Using|From|In|On|All|Over|At|To|Of|By|And|Its|Their|Than"
    r"|These|Trained|Up|Between|About)\b)[A-Z][A-Za-z]+-?[\d.]*[\s-]\d+(?:\.\d+)?[BM](?![\w-])"
)
_CARD = re.compile(r"[\w.-]+/[\w.+-]+\Z")
_CONDITIONS = (
    re.compile(
        r"\b(?:[Ff]or|of|[Ii]n|[Ww]ith) (?:the |our |both )?(?P<phrase>(?:\d+(?:\.\d+)?[BMbm](?:[- ]parameters?)?|small|smaller|large"
        r"|larger|base|tiny|big|medium|huge|XL|XXL) (?:models?|variants?|versions?|configurations?|setting))\b"
    ),
    re.compile(
        r"\b(?:during|for|in|at|when|while) (?:the )?(?P<phrase>(?:(?:supervised|instruction|continued|main|second|first|final"
        r"|third|initial) )?"
        r"(?:pre-?training|fine-?tuning|post-?training|warm-?up|inference|evaluation|decoding|distillation|annealing|SFT|RLHF"
        r"|DPO|testing|generation))\b(?! (?:set|data|steps))",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:during|for|in) (?:the )?(?P<phrase>(?:first|second|third|final|last|initial) (?:stage|phase|\d[\d,.]*[kKMB]?"
        r" (?:steps|iterations|epochs|tokens)))\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"\bon (?:the )?(?P<phrase>(?:ImageNet(?:-\d+[kK]?)?|CIFAR-?\d*|MNIST|GLUE|SQuAD(?: ?[\d.]+)?|WMT[\w' -]{0,12}\d|COCO"
        r"|WikiText-?\d*|Wikitext-?\d*|LibriSpeech|SuperGLUE|C4|(?!(?:NVIDIA|TPU|GPU|CPU|FPGA|ARM|AWS|[AHVTP]\d+|RTX|GTX"
        r"|GeForce|AMD|HPC|SIMD|RAM|PC|TITAN)(?![a-z]))[A-Z][A-Za-z]*[A-Z\d][\w-]*))(?= |,|\.|\)|;)"
    ),
)
_NEAR = 90
_DATA_BEFORE = re.compile(r"\b(?:from|on|over|dataset|corpus) (?:the )?\Z", re.IGNORECASE)
_STAGE = re.compile(r"pre-?training|fine-?tuning|post-?training|inference|evaluation|generation|distillation|SFT|DPO|RLHF", re.IGNORECASE)


def belong(
    values: Sequence[ParameterValue],
    span: tuple[int, int],
    reading: Reading,
    mentions: Sequence[Mentioned],
    belongings: Belongings,
    heading: str,
) -> list[ParameterValue]:
    """The values of one sentence or block (`span`) with subject and condition; `mentions` in order of start."""
    if not values:
        return []
    first, behind = (bisect_left(mentions, place, key=attrgetter("start")) for place in span)
    near = [mention for mention in mentions[first:behind] if mention.end <= span[1]]
    names = [(m.start(), m.end()) for m in _MODEL_NAME.finditer(reading.text, *span)] if values[0].source == "prose" else []
    out = []
    for value in values:
        made = value
        if made.subject is None:
            made = _with_subject(made, near, names, reading, belongings)
        if made.condition is None and (condition := _condition(made, span, reading.text, heading)):
            made = replace(made, condition=condition)
        out.append(made)
    return out


def _with_subject(
    value: ParameterValue, near: Sequence[Mentioned], names: list[tuple[int, int]], reading: Reading, belongings: Belongings
) -> ParameterValue:
    text = reading.text
    owners = belongings.owners.get(value.parameter, frozenset())
    own = [(m.start, m.end, m.component) for m in near if m.component in owners and not _overlaps(m, value)]
    named = [(start, end, text[start:end]) for start, end in names if not (start < value.end and value.start < end)]
    models = [(m.start, m.end, m.component) for m in near if m.component in belongings.models and not _overlaps(m, value)]
    named = [name for name in named if not _DATA_BEFORE.search(text[max(0, name[0] - 24) : name[0]])]
    models = [m for m in models if not any(start <= m[0] < end for start, end, _ in named)]
    for group in (own, named + models):
        if group:
            start, end, subject = min(group, key=lambda item: _distance(item, value))
            return replace(value, subject=subject, subject_start=start, subject_end=end)
    return _card(value, reading) if value.source != "table" else value


def _distance(item: tuple[int, int, str], value: ParameterValue) -> int:
    return value.start - item[1] if item[1] <= value.start else 2 * (item[0] - value.end) + 20


def _overlaps(mention: Mentioned, value: ParameterValue) -> bool:
    return mention.start < value.end and value.start < mention.end


def _card(value: ParameterValue, reading: Reading) -> ParameterValue:
    span = reading.title_span
    title = reading.title
    if title is None or span is None or not _CARD.match(title) or reading.text[span[0] : span[1]].strip() != title:
        return replace(value, subject=title) if title and _CARD.match(title) and value.source in ("config", "front_matter") else value
    return replace(value, subject=title, subject_start=span[0], subject_end=span[1])


def _condition(value: ParameterValue, span: tuple[int, int], text: str, heading: str) -> str | None:
    if value.source == "prose":
        for pattern in _CONDITIONS:
            found = [m for m in pattern.finditer(text, *span) if not (m.start("phrase") < value.end and value.start < m.end("phrase"))]
            found = [m for m in found if -_NEAR <= m.start() - value.end <= _NEAR]
            if found:
                nearest = min(found, key=lambda m: abs(m.start() - value.end))
                return " ".join(nearest["phrase"].split())
        return None
    stage = _STAGE.search(heading)
    return stage[0].lower() if stage else None
