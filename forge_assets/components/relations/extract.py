"""Document -> arguments -> skeletons of sentences with a cue -> patterns -> conditions -> claims."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from forge_assets.components.lexicon import Mention
from forge_assets.components.new_names import NewName
from forge_assets.components.relations.arguments import Argument, arguments, introduced
from forge_assets.components.relations.claim import SYMMETRIC, Relation
from forge_assets.components.relations.conditions import clause_start, denied_before, hedged, is_subject, of_a_kind
from forge_assets.components.relations.grammar import NAMES
from forge_assets.components.relations.measure import Measure, measure
from forge_assets.components.relations.patterns import PATTERNS, Pattern
from forge_assets.components.relations.skeleton import Skeleton, skeleton
from forge_assets.components.text import Reading

_SKIPPED = frozenset(("code", "formula", "table", "reference"))
LONGEST = 800
"""Characters of a sentence that is still read as one."""
_PREFIX = 3


def _by_prefix() -> dict[str, list[tuple[str, int]]]:
    """First letters of a cue -> (cue, number of the pattern): a text is gone through word by word, not pattern by pattern."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for number, pattern in enumerate(PATTERNS):
        for cue in pattern.cue:
            found[cue[:_PREFIX]].append((cue, number))
    return dict(found)


_CUES = _by_prefix()


def relations(reading: Reading, mentions: Sequence[Mention], names: Sequence[NewName]) -> list[Relation]:
    """The claims of a document in order of their sentences; one for each subject, relation, object and sentence.

    `mentions`: what `Lexicon.find` found, `names`: what `new_names` found in the same reading.
    """
    by_sentence: dict[int, list[Argument]] = defaultdict(list)
    for argument in arguments(reading, mentions, names):
        by_sentence[reading.sentence_at(argument.start)].append(argument)
    if not by_sentence:
        return []
    ours = introduced(mentions, names)
    skipped = [(block.start, block.end) for block in reading.blocks if block.kind in _SKIPPED]
    found: list[Relation] = []
    for index in sorted(by_sentence):
        start, end = reading.sentences[index]
        if end - start > LONGEST or reading.text[end - 1] == "?" or any(low <= start < high for low, high in skipped):
            continue
        own = by_sentence[index]
        if len(own) < 2 and ours is None:
            continue
        patterns = _patterns(reading, start, end)
        if patterns:
            form = skeleton(reading.text, start, end, _with_it(reading, index, by_sentence, ours), ours)
            if len(form.arguments) > 1:
                found.extend(_of_sentence(reading.text, start, end, form, patterns))
    return found


def _patterns(reading: Reading, start: int, end: int) -> list[Pattern]:
    """The patterns whose cue stands in the sentence."""
    numbers: set[int] = set()
    for index in reading.word_range(start, end):
        word = reading.lower[index]
        for cue, number in _CUES.get(word[:_PREFIX], ()):
            if word.startswith(cue):
                numbers.add(number)
    return [PATTERNS[number] for number in sorted(numbers)]


def _with_it(reading: Reading, index: int, by_sentence: dict[int, list[Argument]], ours: str | None) -> list[Argument]:
    """The arguments of a sentence; "It", which opens it, is what the sentence before speaks of and the document introduces."""
    own = by_sentence[index]
    start, _ = reading.sentences[index]
    if ours is None or index == 0 or not reading.text.startswith("It ", start):
        return own
    before = {argument.identity for argument in by_sentence.get(index - 1, ())}
    return [Argument(start, start + 2, ours), *own] if before == {ours} else own


def _of_sentence(text: str, start: int, end: int, form: Skeleton, patterns: Sequence[Pattern]) -> list[Relation]:
    found: dict[tuple[str, str, str], Relation] = {}
    quote_hash = hashlib.sha256(text[start:end].encode()).hexdigest()
    for pattern in patterns:
        for match in _matches(pattern, form.text):
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


def _matches(pattern: Pattern, text: str) -> Iterator[re.Match[str]]:
    """Where a pattern's template and its conditions hold."""
    at = said = 0
    while match := pattern.expression.search(text, at):
        if _holds(pattern, match, text, said):
            yield match
            at = said = match.end()
        else:
            at = match.start() + 1


def _holds(pattern: Pattern, match: re.Match[str], text: str, said: int) -> bool:
    """Whether the conditions hold; up to `said` the sentence has stated something already."""
    start = match.start("X") if pattern.clause else match.start()
    if pattern.clause and not is_subject(text[said:start], several=len(NAMES.findall(match["X"])) > 1):
        return False
    if pattern.relation == "improves_on" and (of_a_kind(match["lead"], match["Y"]) or of_a_kind("", match["X"])):
        return False
    lead = text[clause_start(text, start) : start]
    if denied_before(lead):
        return False
    return not hedged(lead, match[0], text[match.end() : match.end() + 80], may=pattern.may)


def _pairs(pattern: Pattern, form: Skeleton, match: re.Match[str]) -> Iterator[tuple[str, str]]:
    """(subject, object) of a match, other names left out."""
    first = [form.argument(sign) for sign in NAMES.findall(match["X"])]
    second = [form.argument(sign) for sign in NAMES.findall(match["Y"])] if not pattern.among else []
    pairs = combinations(first, 2) if pattern.among else ((one, other) for one in first for other in second)
    for one, other in pairs:
        if one is not None and other is not None and one.identity != other.identity and (one.known or other.known):
            yield (other.identity, one.identity) if pattern.reverse else (one.identity, other.identity)


def _measure(text: str, end: int, form: Skeleton, match: re.Match[str], *, results: bool) -> Measure:
    first, second = sorted((match.span("X"), match.span("Y")))
    inside = text[form.place(first[1]) : form.place(second[0] - 1) + 1]
    behind = match.end() if match.end() > second[1] else second[1]
    after = text[form.place(behind) : end]
    several = len(NAMES.findall(match["Y"])) > 1 and "respectively" in after
    return Measure(measure(inside, "", results=results).metric) if several else measure(inside, after, results=results)
