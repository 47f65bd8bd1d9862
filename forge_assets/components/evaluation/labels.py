"""`forge eval mentions` and `forge eval parameters`: what the rules find in passages that two people labelled by reading.

A mention is right where it overlaps a label that is called what its component is called. A value is right where it overlaps a label of
the same parameter and value. Precision is over what was found inside the pieces, recall over the labels.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forge_assets.components.evaluation.pieces import CORPUS, LABELS, Half, Piece, labelled, rows_of
from forge_assets.components.extraction import Extractor
from forge_assets.components.lexicon import Lexicon, lexicon_of, words_of
from forge_assets.components.ontology.model import Ontology

Label = dict[str, Any]
_SIZE = re.compile(
    r"(?:[-_ ](?:\d+(?:\.\d+)?[BMbm]|[STBLHG](?:/\d+)?|base|small|large|medium|tiny|mini|xl|xxl|cased|uncased|instruct|chat))+\Z", re.I
)


@dataclass(slots=True)
class Score:
    """Counts over pieces; `errors` are (kind, piece, start, end, what), for a person to read."""

    name: str
    predicted: int = 0
    right: int = 0
    labels: int = 0
    found: int = 0
    errors: list[tuple[str, int, int, int, str]] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right / self.predicted if self.predicted else math.nan

    @property
    def recall(self) -> float:
        return self.found / self.labels if self.labels else math.nan

    def line(self) -> str:
        return (
            f"{self.name:<44} precision {self.precision:6.3f} ({self.right}/{self.predicted})"
            f"   recall {self.recall:6.3f} ({self.found}/{self.labels})"
        )


def evaluate_mentions(
    ontology: Ontology, half: Half | None, labels: Path = LABELS, corpus: Path = CORPUS, purpose: str = "components"
) -> list[Score]:
    """Scores over the passages labelled for components: of the rules, of new names beside them, and of a plain dictionary as baseline.

    `purpose`: the set that was drawn, `components` or a later `unseen-N`.
    """
    extractor, lexicon = Extractor(ontology), lexicon_of(ontology)
    known = Score("components of the ontology")
    also = Score("components and new names, all labels")
    plain = Score("baseline: every alias wherever it stands")
    gold = _by_piece(labels / f"{purpose}.jsonl")
    for piece in labelled(purpose, half, labels, corpus):
        wanted = gold.get(piece.number, [])
        reading = piece.reading()
        read = extractor.read(reading)
        mentions = [(m.start, m.end, m.component) for m in read.mentions if piece.holds(m.start, m.end)]
        _mentions(known, piece, mentions, wanted, lexicon, only_known=True)
        names = [(n.start, n.end, n.name) for n in read.names if piece.holds(n.start, n.end) and n.end > n.start]
        names = _everywhere(piece, names)
        _mentions(also, piece, mentions + names, wanted, lexicon, only_known=False)
        _mentions(plain, piece, list(_dictionary(piece, lexicon)), wanted, lexicon, only_known=True)
    return [known, also, plain]


def _by_piece(path: Path) -> dict[int, list[Label]]:
    grouped: dict[int, list[Label]] = {}
    for row in rows_of(path):
        grouped.setdefault(row["piece"], []).append(row)
    return grouped


def _mentions(
    score: Score, piece: Piece, found: Sequence[tuple[int, int, str]], wanted: Sequence[Label], lexicon: Lexicon, *, only_known: bool
) -> None:
    """Of a label that no expert's ontology would have, only_known asks nothing; who finds it and names it right is right all the same."""
    text = piece.document.text
    hits: set[int] = set()
    for start, end, what in found:
        score.predicted += 1
        over = [n for n, label in enumerate(wanted) if start < label["end"] and label["start"] < end]
        right = [n for n in over if _same(what, wanted[n], text, lexicon)]
        hits.update(right)
        if right:
            score.right += 1
        else:
            kind = "other" if over else "false"
            score.errors.append((kind, piece.number, start, end, f"{text[start:end]!r} as {what}" + _labels(over, wanted)))
    for n, label in enumerate(wanted):
        if label["known"] or not only_known:
            score.labels += 1
            if n in hits:
                score.found += 1
            else:
                surface = text[label["start"] : label["end"]]
                score.errors.append(("missed", piece.number, label["start"], label["end"], f"{surface!r} ({label['slot']})"))


def _labels(over: Iterable[int], wanted: Sequence[Label]) -> str:
    names = [wanted[n]["name"] for n in over]
    return f", labelled {names}" if names else ""


def _same(what: str, label: Label, text: str, lexicon: Lexicon) -> bool:
    """Whether a component, or a new name, is what the label calls it or what stands there, sizes aside: Qwen3-8B is a Qwen3."""
    surface = text[label["start"] : label["end"]]
    written = {label["name"], surface, _SIZE.sub("", label["name"]), _SIZE.sub("", surface)}
    return any(what in lexicon.components_of(one) or words_of(what) == words_of(one) for one in written)


def _everywhere(piece: Piece, names: Sequence[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """A new name is noted once per document; for the measure it counts wherever the piece repeats it."""
    text = piece.document.text
    out: dict[tuple[int, int], str] = {}
    for _, _, name in names:
        at = text.find(name, piece.start, piece.end)
        while at >= 0:
            end = at + len(name)
            if not text[max(0, at - 1) : at].isalnum() and not text[end : end + 1].isalnum():
                out.setdefault((at, end), name)
            at = text.find(name, end, piece.end)
    return [(start, end, name) for (start, end), name in out.items()]


def _dictionary(piece: Piece, lexicon: Lexicon) -> Iterable[tuple[int, int, str]]:
    """What a plain dictionary finds: the longest run of words that is an alias in any case, no rule of case, border or context."""
    reading = piece.reading()
    words, text = reading.words, reading.text
    inside = reading.word_range(piece.start, piece.end)
    at = inside.start
    while at < inside.stop:
        for last in range(min(at + 7, inside.stop) - 1, at - 1, -1):
            start, end = words[at][0], words[last][1]
            components = lexicon.components_of(text[start:end])
            if components:
                yield start, end, min(components)
                at = last
                break
        at += 1


def evaluate_parameters(ontology: Ontology, half: Half | None, labels: Path = LABELS, corpus: Path = CORPUS) -> list[Score]:
    """Scores over the passages labelled for parameters: of all values, and of each parameter that has five labels or more."""
    extractor = Extractor(ontology)
    total, single = Score("all parameters"), dict[str, Score]()
    gold = _by_piece(labels / "parameters.jsonl")
    for piece in labelled("parameters", half, labels, corpus):
        wanted = gold.get(piece.number, [])
        values = [v for v in extractor.read(piece.reading()).values if piece.holds(v.start, v.end)]
        text, hits = piece.document.text, set()
        for value in values:
            scores = (total, single.setdefault(value.parameter, Score(value.parameter)))
            over = [n for n, label in enumerate(wanted) if value.start < label["end"] and label["start"] < value.end]
            right = [n for n in over if _means(wanted[n], value.parameter) and _equal(value.value, wanted[n]["value"])]
            hits.update(right)
            for score in scores:
                score.predicted += 1
                score.right += bool(right)
            if not right:
                said = f"{text[value.start : value.end]!r} as {value.parameter}={value.value}"
                said += "".join(f", labelled {wanted[n]['parameter']}={wanted[n]['value']}" for n in over)
                total.errors.append(("other" if over else "false", piece.number, value.start, value.end, said))
        for n, label in enumerate(wanted):
            for score in (total, single.setdefault(label["parameter"], Score(label["parameter"]))):
                score.labels += 1
                score.found += n in hits
            if n not in hits:
                surface = text[label["start"] : label["end"]]
                total.errors.append(("missed", piece.number, label["start"], label["end"], f"{surface!r} {label['parameter']}"))
    counted = Counter({name: score.labels for name, score in single.items()})
    return [total, *(single[name] for name, count in counted.most_common() if count >= 5)]


def _equal(found: object, wanted: object) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return str(found).lower() == str(wanted).lower()
    try:
        return math.isclose(float(str(found)), float(str(wanted)), rel_tol=1e-6)
    except ValueError:
        return str(found).casefold() == str(wanted).casefold()


def _means(label: Label, parameter: str) -> bool:
    """`or_parameter`: where the two readers read the same value as two parameters and the text bears both out."""
    return parameter in (label["parameter"], label.get("or_parameter"))
