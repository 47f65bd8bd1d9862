"""`forge eval scierc`: methods and tasks found in the dev abstracts of SciERC beside a plain dictionary, and patterns of relations on it.

An entity is right where its span and kind are those of a label; Material, Metric, Generic and OtherScientificTerm are kinds that our
extraction does not tell apart: not scored. A claim is right where SciERC labels the pair, either way round, with a type that it maps to.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from forge_assets.components.evaluation.labels import Score
from forge_assets.components.lexicon import Mention, lexicon_of
from forge_assets.components.new_names import NewName, new_names
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.relations import relations
from forge_assets.components.relations.arguments import Argument, arguments
from forge_assets.components.relations.claim import Relation
from forge_assets.components.relations.extract import claims_of
from forge_assets.components.terms import technical_terms
from forge_assets.components.text import Reading, Span
from forge_resources.errors import SettingError
from forge_resources.settings import PROJECT

GOLD = PROJECT.parent / "shared" / "gold" / "scierc"
KINDS = ("Method", "Task")
MAPPED: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "comparison": (frozenset(("improves_on", "alternative_to", "supersedes")), frozenset(("COMPARE",))),
    "composition": (frozenset(("composes_with", "requires")), frozenset(("USED-FOR", "CONJUNCTION", "PART-OF"))),
}
"""Our relations and the types of SciERC that count as saying the same. conflicts_with has none."""
_NO_METHODS = frozenset(("eval", "data_pipeline", "hardware"))
"""Slots whose components SciERC calls Material, Metric or nothing."""
_BRACKETS = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}

Entity = tuple[int, int, str]
"""text[start:end] and its kind."""
Tokens = tuple[str, ...]


@dataclass(slots=True)
class F1(Score):
    """Precision, recall and their harmonic mean."""

    @property
    def f1(self) -> float:
        """0 where nothing is right."""
        return 2 * self.precision * self.recall / (self.precision + self.recall) if self.right and self.found else 0.0

    def line(self) -> str:
        return f"{Score.line(self)}   F1 {self.f1:.3f}"


@dataclass(slots=True)
class Abstract:
    """One labelled abstract: text, spans of the tokens of each sentence, entities, and the type of each labelled pair of spans."""

    text: str = ""
    sentences: list[list[Span]] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)
    pairs: dict[tuple[Span, Span], str] = field(default_factory=dict)


def evaluate_scierc(ontology: Ontology, gold: Path = GOLD) -> list[F1]:
    """Scores on dev; train is read only for the baseline's dictionary. Raises SettingError where the data is not there."""
    train, dev = (read_part(gold, part) for part in ("train", "dev"))
    lexicon, dictionary = lexicon_of(ontology), dictionary_of(train)
    ours = {kind: F1(f"{kind}: our extraction") for kind in (*KINDS, "Method and Task")}
    plain = {kind: F1(f"{kind}: longest match of train's entities") for kind in (*KINDS, "Method and Task")}
    piped = {group: F1(f"{group}: on the names we find") for group in MAPPED}
    given = {group: F1(f"{group}: patterns on the labelled entities") for group in MAPPED}
    for number, abstract in enumerate(dev):
        reading = Reading(f"scierc-{number}", abstract.text)
        mentions = lexicon.find(reading)
        names = new_names(reading, mentions)
        _entities(ours, number, abstract, set(found_entities(reading, mentions, names, ontology)))
        _entities(plain, number, abstract, set(looked_up(abstract, dictionary)))
        _claims(piped, number, abstract, arguments(reading, mentions, names), relations(reading, mentions, names))
        labelled = [Argument(start, end, f"{at}", own=True) for at, (start, end, _) in enumerate(sorted(abstract.entities))]
        _claims(given, number, abstract, labelled, claims_of(reading, labelled, None))
    return [*ours.values(), *plain.values(), *piped.values(), *given.values()]


def found_entities(reading: Reading, mentions: Sequence[Mention], names: Sequence[NewName], ontology: Ontology) -> Iterator[Entity]:
    """Components, new names and what the noun phrases offer, as SciERC would call them."""
    terms = technical_terms(reading, [one for one in mentions if ontology.components[one.component].slot not in _NO_METHODS])
    yield from ((term.start, term.end, term.kind.capitalize()) for term in terms)
    for name in names:
        if name.end > name.start and all(name.end <= term.start or term.end <= name.start for term in terms):
            yield name.start, name.end, "Method"


def dictionary_of(abstracts: Iterable[Abstract]) -> dict[Tokens, str]:
    """The baseline: each string that train labels as an entity, in small letters, with the kind it has most often there."""
    kinds: dict[Tokens, Counter[str]] = defaultdict(Counter)
    for abstract in abstracts:
        for start, end, kind in abstract.entities:
            kinds[tuple(abstract.text[start:end].lower().split())][kind] += 1
    return {words: max(sorted(counts), key=counts.__getitem__) for words, counts in kinds.items()}


def looked_up(abstract: Abstract, dictionary: Mapping[Tokens, str]) -> Iterator[Entity]:
    """From left to right the longest run of tokens that the dictionary has."""
    longest = max(map(len, dictionary), default=0)
    for spans in abstract.sentences:
        words = [abstract.text[start:end].lower() for start, end in spans]
        at = 0
        while at < len(words):
            run = next((n for n in range(min(longest, len(words) - at), 0, -1) if tuple(words[at : at + n]) in dictionary), 0)
            if run:
                yield spans[at][0], spans[at + run - 1][1], dictionary[tuple(words[at : at + run])]
            at += run or 1


def _entities(scores: Mapping[str, F1], number: int, abstract: Abstract, found: set[Entity]) -> None:
    for name, score in scores.items():
        kinds = (name,) if name in KINDS else KINDS
        wanted = {entity for entity in abstract.entities if entity[2] in kinds}
        offered = {entity for entity in found if entity[2] in kinds}
        score.predicted += len(offered)
        score.right += len(offered & wanted)
        score.labels += len(wanted)
        score.found += len(offered & wanted)
        for kind, wrong in (("false", offered - wanted), ("missed", wanted - offered)):
            score.errors += [(kind, number, start, end, f"{abstract.text[start:end]!r} as {what}") for start, end, what in sorted(wrong)]


def _claims(scores: Mapping[str, F1], number: int, abstract: Abstract, known: Sequence[Argument], said: Sequence[Relation]) -> None:
    for group, (ours, types) in MAPPED.items():
        score = scores[group]
        labelled = {pair for pair, kind in abstract.pairs.items() if kind in types}
        score.labels += len(labelled)
        found: set[tuple[Span, Span]] = set()
        for claim in said:
            if claim.relation in ours:
                hits = {pair for pair in labelled if _means(claim, pair, known)}
                score.predicted += 1
                score.right += bool(hits)
                found |= hits
                if not hits:
                    told = f"{claim.pattern}: {_named(abstract, claim.subject, known)} / {_named(abstract, claim.object, known)}"
                    score.errors.append(("false", number, claim.start, claim.end, told))
        score.found += len(found)


def _named(abstract: Abstract, identity: str, known: Sequence[Argument]) -> str:
    return next((repr(abstract.text[one.start : one.end]) for one in known if one.identity == identity), identity)


def _means(claim: Relation, pair: tuple[Span, Span], known: Sequence[Argument]) -> bool:
    """Whether a claim is about a labelled pair, either way round: each of its two names overlaps one of the spans in its sentence."""
    first, second = (
        [one for one in known if claim.start <= one.start < claim.end and one.identity == who] for who in (claim.subject, claim.object)
    )
    return any(_over(first, one) and _over(second, other) for one, other in (pair, pair[::-1]))


def _over(names: Sequence[Argument], span: Span) -> bool:
    return any(name.start < span[1] and span[0] < name.end for name in names)


# -- data ------------------------------------------------------------------------------------------------------------------


def read_part(gold: Path, part: str) -> list[Abstract]:
    """The abstracts of "train" or "dev" with their entities and pairs."""
    file, pairs = gold / f"ner_sciie_{part}.txt", gold / f"text_classification_sciie-relation-extraction_{part}.txt"
    if not file.is_file() or not pairs.is_file():
        raise SettingError(f"SciERC's {part} part is not in {gold}; name the folder that holds {file.name} by --gold")
    abstracts = list(_abstracts(file.read_text(encoding="utf-8").splitlines()))
    _add_pairs(abstracts, pairs.read_text(encoding="utf-8").splitlines())
    return abstracts


def _abstracts(lines: Iterable[str]) -> Iterator[Abstract]:
    """Tokens are joined by spaces; one line of the file is a token and its tag (I-Method; B- begins an entity that follows another)."""
    abstract: Abstract | None = None
    spans: list[Span] = []
    for line in [*lines, "-DOCSTART-"]:
        if line.startswith("-DOCSTART-"):
            if abstract is not None:
                yield abstract
            abstract, spans = Abstract(), []
        elif not line.strip():
            spans = []
        elif abstract is not None:
            token, *_, tag = line.split()
            _add_token(abstract, spans, _BRACKETS.get(token, token), tag)


def _add_token(abstract: Abstract, spans: list[Span], token: str, tag: str) -> None:
    if not spans:
        abstract.sentences.append(spans)
    start = len(abstract.text) + 1 if abstract.text else 0
    abstract.text = f"{abstract.text} {token}" if abstract.text else token
    end = len(abstract.text)
    prefix, _, kind = tag.partition("-")
    before = abstract.entities[-1] if abstract.entities else None
    if kind and prefix == "I" and spans and before and before[1] == start - 1 and before[2] == kind:
        abstract.entities[-1] = (before[0], end, kind)
    elif kind:
        abstract.entities.append((start, end, kind))
    spans.append((start, end))


def _add_pairs(abstracts: Sequence[Abstract], lines: Iterable[str]) -> None:
    """A line of the file repeats its sentence with the pair marked; `metadata` counts the tokens of both."""
    places = {tuple(one.text[start:end] for start, end in spans): (one, spans) for one in abstracts for spans in one.sentences}
    for line in lines:
        row = json.loads(line)
        words = tuple(_BRACKETS.get(word, word) for word in row["text"].split() if word not in ("[[", "]]", "<<", ">>"))
        if words in places:
            abstract, spans = places[words]
            first, last, other_first, other_last = row["metadata"]
            pair = (spans[first][0], spans[last][1]), (spans[other_first][0], spans[other_last][1])
            abstract.pairs[pair] = row["label"]
