"""Document -> arguments -> sentences with a cue -> skeletons -> claims of each sentence (`sentence.py`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from forge_assets.components.lexicon import Mention
from forge_assets.components.new_names import NewName
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.relations.arguments import Argument, arguments, introduced
from forge_assets.components.relations.claim import Relation
from forge_assets.components.relations.patterns import PATTERNS, Pattern
from forge_assets.components.relations.sentence import claims
from forge_assets.components.relations.skeleton import skeleton
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


def measures_of(ontology: Ontology) -> frozenset[str]:
    """The components that things are measured with, benchmarks and metrics: "outperforms on them" relates nothing to them."""
    return frozenset(component.id for component in ontology.in_slot("eval"))


def relations(
    reading: Reading, mentions: Sequence[Mention], names: Sequence[NewName], apart: Collection[str] = frozenset()
) -> list[Relation]:
    """The claims of a document in order of their sentences; one for each subject, relation, object and sentence.

    `mentions`: what `Lexicon.find` found, `names`: what `new_names` found in the same reading; components `apart` take no part.
    """
    taking_part = [mention for mention in mentions if mention.component not in apart]
    return claims_of(reading, arguments(reading, taking_part, names), introduced(reading, taking_part, names))


def claims_of(reading: Reading, found: Sequence[Argument], ours: str | None) -> list[Relation]:
    """The claims between what is `found` in a document, in order of place; `ours`: whom "our method" means."""
    by_sentence: dict[int, list[Argument]] = defaultdict(list)
    for argument in found:
        by_sentence[reading.sentence_at(argument.start)].append(argument)
    skipped = [(block.start, block.end) for block in reading.blocks if block.kind in _SKIPPED]
    said: list[Relation] = []
    for index in sorted(by_sentence):
        start, end = reading.sentences[index]
        if end - start > LONGEST or "?" in reading.text[start:end] or any(low <= start < high for low, high in skipped):
            continue
        own = by_sentence[index]
        if len(own) < 2 and ours is None:
            continue
        patterns = _patterns(reading, start, end)
        if patterns:
            form = skeleton(reading.text, start, end, _with_it(reading, index, by_sentence, ours), ours)
            if len(form.arguments) > 1:
                said.extend(claims(reading.text, start, end, form, patterns))
    return said


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
    return [Argument(start, start + 2, ours, own=True), *own] if before == {ours} else own
