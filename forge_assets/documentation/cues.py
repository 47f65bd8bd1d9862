"""What a sentence says about its subject, by cues: a definition, a mechanism, a parameter, a result, a comparison or a limitation.

A cue counts where it stands in relation to the subject: "LoRA is a ..." defines LoRA, "... is a variant of LoRA" does not. The words stand
in cues.yaml.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from forge_assets.documentation.role_model import role_model
from forge_assets.documentation.volume import Role
from forge_resources.strict_yaml import parse

FILE = Path(__file__).with_name("cues.yaml")
_LEAD = re.compile(r"(?:(?:The|A|An|Recently,|Typically,|Generally,|In practice,|Traditionally,|In [a-z][\w -]{2,40},)\s+){0,2}\Z")
_EARLY = re.compile(r"(?:[A-Z][a-z]+|[a-z]+-?[a-z]*)(?: [a-z]+(?:-[a-z]+)?){0,3} ?\Z")
_APPOSED = re.compile(r"(?:\s*\([^()]{1,60}\))?,\s+(?:an?|the|one of the|which (?:is|are))\s+[\w-]+")
_CLAUSE = re.compile(r"\b(?:that|which|where|by \w+ing|used to|to \w+|designed|for \w+ing|based on|in which|consisting|with)\b")
_BRACKET = r"(?:\s*\([^()]{1,60}\))?"
_FIGURE = re.compile(r"\d\s?(?:%|×|percent|points?\b)")
_DIGIT = re.compile(r"\d")
CURED = 80
"""Characters before a limit in which somebody may do away with it."""
NEAR = 0.6
"""A subject of such prominence is what the sentence speaks of."""
LEARNT = 0.45
"""Strength of a role that no cue tells."""
UNINFORMED = 0.7
"""Strength of a definition that only praises: "is a popular method"."""


class _Cues(NamedTuple):
    is_: re.Pattern[str]
    refers: re.Pattern[str]
    praise: re.Pattern[str]
    no_definition: re.Pattern[str]
    acts: re.Pattern[str]
    effects: re.Pattern[str]
    measured: re.Pattern[str]
    used: re.Pattern[str]
    how: re.Pattern[str]
    limits: re.Pattern[str]
    cured: re.Pattern[str]
    elsewhere: re.Pattern[str]
    result: re.Pattern[str]
    compares: re.Pattern[str]
    open: re.Pattern[str]
    advice: re.Pattern[str]


class Said(NamedTuple):
    """The role of a sentence for its subject, how strongly (0 to 1), and whether it names something unsolved, or something to do.

    `prominence`: 1 where the subject opens the sentence, less where it stands behind other words.
    """

    role: Role | None
    strength: float
    prominence: float
    open: bool
    advice: bool


def said(text: str, start: int, end: int, *, others: bool, rivals: bool, has_value: bool) -> Said:
    """`text[start:end]` is the subject's name in the sentence. `others`: further components are named; `rivals`: some of the same slot.

    `has_value`: the sentence gives a setting a number.
    """
    cues = _cues()
    lead = _LEAD.match(text[:start]) is not None
    prominence = 1.0 if lead else 0.8 if _EARLY.match(text[:start]) else max(0.0, 0.65 - 0.6 * start / len(text))
    asked = cues.open.search(text)
    unsolved = asked is not None and not cues.cured.search(text[max(0, asked.start() - CURED // 2) : asked.start()])
    advice = cues.advice.search(text) is not None
    role, strength = _role(cues, text, end, lead, rivals, has_value, near=prominence >= NEAR)
    if role is None and others and cues.compares.search(text):
        role, strength = "comparison", 0.4
    if role is None and prominence >= NEAR:
        role, strength = _learnt(text)
    if unsolved and role not in ("definition", "comparison"):
        role, strength = "limitation", max(strength, 0.7)
    return Said(role, strength, prominence, unsolved, advice)


def _role(cues: _Cues, text: str, end: int, lead: bool, rivals: bool, has_value: bool, near: bool) -> tuple[Role | None, float]:
    if lead and (strength := _defines(cues, text, end)):
        return "definition", strength
    if rivals and cues.compares.search(text):
        return "comparison", 0.95 if lead else 0.8
    limit = cues.limits.search(text, end)
    if limit and not _is_of_something_else(cues, text[end : limit.start()]):
        return "limitation", 0.95 if lead else 0.75 if near else 0.45
    told_how = cues.how.search(text, end) is not None
    if cues.measured.search(text) and not (lead and told_how and cues.acts.match(text, end) and not _FIGURE.search(text)):
        return "result", 0.85 if lead else 0.7 if near else 0.5
    if lead and cues.acts.match(text, end):
        if told_how or not cues.effects.match(text, end):
            return "mechanism", 1.0 if told_how else 0.9
        return "result", 0.7
    if lead and cues.used.match(text, end):
        return "mechanism", 0.6
    if has_value and near and _DIGIT.search(text):
        return "parameter", 0.75
    if cues.result.search(text):
        return "result", 0.85 if lead else 0.7 if near else 0.5
    if told_how and near:
        return "mechanism", 0.55
    return None, 0.0


def _is_of_something_else(cues: _Cues, between: str) -> bool:
    """Whether what stands between a subject and a limit takes the limit away from it."""
    return cues.cured.search(between[-CURED:]) is not None or cues.elsewhere.search(between) is not None


def _learnt(text: str) -> tuple[Role | None, float]:
    """What the classifier says where cues are silent; what something is, only its place in the sentence can tell."""
    role, _ = role_model().role(text)
    return (None, 0.0) if role in (None, "definition", "comparison") else (role, LEARNT)


def _defines(cues: _Cues, text: str, end: int) -> float:
    behind = text[end : end + 110]
    if cues.no_definition.search(behind):
        return 0.0
    informed = _CLAUSE.search(text, end) is not None and len(text) - end > 60
    if cues.is_.match(text, end) or cues.refers.match(text, end):
        strength = 0.9 + 0.1 * informed
        return strength - (0.1 if informed else 0.25) if cues.praise.search(behind[:60]) else strength
    return UNINFORMED if _APPOSED.match(text, end) else 0.0


@cache
def _cues() -> _Cues:
    given = parse(FILE.read_text(encoding="utf-8"))
    words = {name: "|".join(f"(?:{one})" for one in some) for name, some in given.items()}
    name = rf"{_BRACKET}(?:\s+(?:{words['after_name']})s?)?{_BRACKET}"
    adverbs = rf"(?:\s+(?:{words['adverbs']}))?"

    def inside(key: str) -> re.Pattern[str]:
        return re.compile(rf"\b(?:{words[key]})(?!\w)", re.I)

    return _Cues(
        is_=re.compile(
            rf"{name}{adverbs}\s+(?:is|are|was|were|(?:has|have){adverbs}\s+(?:become|emerged as|been)){adverbs}\s+(?:{words['is']})\b"
        ),
        refers=re.compile(rf"{name}{adverbs}\s+(?:{words['refers']})\b"),
        praise=inside("praise"),
        no_definition=re.compile(rf"\b(?:is|are|was|were)\s+(?:an?|the|one of the)\s+(?:[\w-]+\s+){{0,2}}(?:{words['no_definition']})\b"),
        acts=re.compile(rf"{name}(?:,[^,]{{1,80}},)?{adverbs}\s+(?:{words['acts']})\b"),
        effects=re.compile(rf"{name}(?:,[^,]{{1,80}},)?{adverbs}\s+(?:{words['effects']})\b"),
        used=re.compile(rf"{name}\s+(?:is|are|has been|have been)\s+(?:\w+ly\s+)?(?:{words['used']})\s+(?:to|for|in|as)\b"),
        **{key: inside(key) for key in ("how", "measured", "limits", "cured", "elsewhere", "result", "compares", "open", "advice")},
    )
