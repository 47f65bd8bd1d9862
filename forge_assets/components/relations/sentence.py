"""What one sentence says: patterns on its skeleton, their conditions, the pairs of names they relate."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from forge_assets.components.relations.arguments import Argument
from forge_assets.components.relations.claim import SYMMETRIC, Relation
from forge_assets.components.relations.conditions import (
    clause_start,
    cut_short,
    denied_before,
    hedged,
    is_plural_kind,
    is_subject,
    newly_made,
    of_a_kind,
    presented,
    slight,
    uneasy,
    usual,
)
from forge_assets.components.relations.grammar import NAMES
from forge_assets.components.relations.measure import Measure, measure
from forge_assets.components.relations.patterns import Pattern
from forge_assets.components.relations.skeleton import NAME, OTHER, Skeleton

_NAME_IN_BRACKETS = re.compile(rf"{NAME} ?\( ?{NAME} ?\)")
_EXPLAINED = re.compile(r"\((?!e\.g|i\.e|such as|like|including)[^()]*\)")


def claims(text: str, start: int, end: int, form: Skeleton, patterns: Sequence[Pattern]) -> list[Relation]:
    """What the sentence text[start:end] says; each subject, relation and object once, by the first pattern that finds it."""
    found: dict[tuple[str, str, str], Relation] = {}
    quote_hash = hashlib.sha256(text[start:end].encode()).hexdigest()
    for pattern in patterns:
        for match in _matches(pattern, form, text):
            how = _measure(text, end, form, match, results=pattern.results) if pattern.relation == "improves_on" else Measure()
            polarity = not pattern.denies and not match.groupdict().get("not")
            for subject, other in _pairs(pattern, form, match):
                key = (
                    (min(subject, other), pattern.relation, max(subject, other))
                    if pattern.relation in SYMMETRIC
                    else (subject, pattern.relation, other)
                )
                if key not in found:
                    found[key] = Relation(
                        start, end, subject, pattern.relation, other, pattern.name, how.metric, how.delta, how.unit, polarity, quote_hash
                    )
    return list(found.values())


def _matches(pattern: Pattern, form: Skeleton, text: str) -> Iterator[re.Match[str]]:
    """Where a pattern's template and its conditions hold."""
    at = said = 0
    while match := pattern.expression.search(form.text, at):
        if _holds(pattern, match, form, text, said):
            yield match
            at = said = match.end()
        else:
            at = match.start() + 1


def _holds(pattern: Pattern, match: re.Match[str], form: Skeleton, text: str, said: int) -> bool:
    """Whether the conditions hold; up to `said` the sentence has stated something already."""
    start = match.start("X") if pattern.clause else match.start()
    before = form.text[said:start]
    if pattern.clause and not is_subject(before, several=len(NAMES.findall(match["X"])) > 1):
        return False
    if presented(before) and any(name is not None and not name.own for name in _named(form, match["X"][:1])):
        return False
    if pattern.clause and pattern.relation != "composes_with" and newly_made(before, form.text[match.end("X") :]):
        return False
    if pattern.relation == "improves_on" and (_of_a_kind(form, match["lead"], match["Y"], text) or of_a_kind("", match["X"])):
        return False
    lead = form.text[clause_start(form.text, start) : start]
    if denied_before(lead):
        return False
    tail = form.text[match.end() : match.end() + 80]
    if pattern.relation == "composes_with":
        weak = not pattern.clause and uneasy(tail)
    else:
        weak = pattern.relation in ("requires", "improves_on") and (usual(lead + match[0]) or slight(match[0]))
    return not weak and not cut_short(tail) and not hedged(lead, match[0], tail, may=pattern.may)


def _of_a_kind(form: Skeleton, lead: str, named: str, text: str) -> bool:
    if of_a_kind(lead, named):
        return True
    surfaces = (text[name.start : name.end] for name in _named(form, named) if name is not None)
    return any(is_plural_kind(surface, lead) for surface in surfaces)


def _pairs(pattern: Pattern, form: Skeleton, match: re.Match[str]) -> Iterator[tuple[str, str]]:
    """(subject, object) of a match, other names left out."""
    first = _named(form, match["X"])
    pairs = combinations(first, 2) if pattern.among else ((one, other) for one in first for other in _named(form, match["Y"]))
    for one, other in pairs:
        if one is not None and other is not None and one.identity != other.identity and (one.known or other.known):
            yield (other.identity, one.identity) if pattern.reverse else (one.identity, other.identity)


def _named(form: Skeleton, part: str) -> list[Argument | None]:
    """Whom a list names. "a training (CLIP)" names neither surely; what other brackets hold takes part only as an example."""
    part = _EXPLAINED.sub("", _NAME_IN_BRACKETS.sub(OTHER, part))
    return [form.argument(sign) for sign in NAMES.findall(part)]


def _measure(text: str, end: int, form: Skeleton, match: re.Match[str], *, results: bool) -> Measure:
    first, second = sorted((match.span("X"), match.span("Y")))
    inside = text[form.place(first[1]) : form.place(second[0] - 1) + 1]
    behind = match.end() if match.end() > second[1] else second[1]
    after = text[form.place(behind) : end]
    several = len(NAMES.findall(match["Y"])) > 1 and "respectively" in after
    return Measure(measure(inside, "", results=results).metric) if several else measure(inside, after, results=results)
