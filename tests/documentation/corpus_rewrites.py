"""Faithful rewrites of sentences of real articles and what corrupts them, by hand and by generator; see the head of verifier_corpus.txt.

Reads the articles in ../shared/corpus, where the sentences stand. What is rejected: `python -m tests.documentation.corpus_rewrites dev2`.
"""

from __future__ import annotations

import argparse
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import zstandard

from forge_assets.components.lexicon import Lexicon, lexicon_of
from forge_assets.components.ontology import load_ontology
from forge_assets.components.possible_names import possible_components
from forge_assets.documentation.verify.names import names_of
from forge_assets.documentation.verify.sentence import why_not

Part = Literal["dev2", "test2a", "test2b", "test3", "dev4", "test4"]
PARTS: tuple[Part, ...] = ("test2b", "dev2", "test2a", "test3", "dev4", "test4")
KINDS = {
    "N": "number",
    "U": "unit",
    "X": "negation",
    "E": "entity",
    "Q": "qualifier",
    "R": "relation",
    "P": "pronoun",
}
SURE = ("number", "unit", "citation")
UNITS = {
    "%": "x",
    "hours": "minutes",
    "minutes": "hours",
    "seconds": "hours",
    "million": "billion",
    "tokens": "images",
    "languages": "documents",
    "years": "days",
    "questions": "hours",
}
_BE = re.compile(r"\b(is|are|was|were|has|have|can|may|should|must)\b(?! not)")


def part_of(case: int) -> Part:
    """See the head of verifier_corpus.txt."""
    return PARTS[2 + case // 1000] if case >= 1000 else PARTS[case % 3]


@dataclass(frozen=True, slots=True)
class CorpusRewrite:
    case: int
    kind: str
    by_hand: bool
    text: str
    quotes: tuple[str, ...]

    @property
    def part(self) -> Part:
        return part_of(self.case)


@dataclass(frozen=True, slots=True)
class _Case:
    number: int
    spans: tuple[tuple[str, int, int, str], ...]
    faithful: tuple[str, ...]
    edits: tuple[tuple[str, str, str], ...]


def corpus_rewrites(corpus: Path, parts: Iterable[Part]) -> list[CorpusRewrite]:
    chosen = [case for case in _cases() if part_of(case.number) in set(parts)]
    abstracts = _abstracts(corpus, chosen)
    quotes = [tuple(abstracts[document][start:end] for document, start, end, _ in case.spans) for case in chosen]
    found: list[CorpusRewrite] = []
    for at, case in enumerate(chosen):
        elsewhere = quotes[_next_of_its_part(chosen, at)]
        for text in case.faithful:
            found.append(CorpusRewrite(case.number, "faithful", True, text, quotes[at]))
            found.append(CorpusRewrite(case.number, "citation", False, text, elsewhere))
            edited = [(kind, text.replace(old, new, 1)) for kind, old, new in case.edits if old in text]
            found += [CorpusRewrite(case.number, kind, True, _tidy(new), quotes[at]) for kind, new in edited]
            found += [CorpusRewrite(case.number, kind, False, new, quotes[at]) for kind, new in _generated(text)]
    return found


def _next_of_its_part(cases: Sequence[_Case], at: int) -> int:
    part = part_of(cases[at].number)
    return next(other for other in [*range(at + 1, len(cases)), *range(at)] if part_of(cases[other].number) == part)


def _cases() -> list[_Case]:
    text = (Path(__file__).parent / "verifier_corpus.txt").read_text("utf-8")
    cases = []
    for part in re.split(r"\n\n(?=\d+\nS: )", text)[1:]:
        number, *lines = part.strip().splitlines()
        marked = [(line[0], line[3:]) for line in lines]
        spans = tuple((s[0], int(s[1]), int(s[2]), s[3]) for s in (said.rsplit(" ", 3) for mark, said in marked if mark == "S"))
        edits = tuple((KINDS[mark], *said.split(" > ", 1)) for mark, said in marked if mark in KINDS)
        cases.append(_Case(int(number), spans, tuple(said for mark, said in marked if mark == "F"), edits))
    return cases


def _abstracts(corpus: Path, cases: Iterable[_Case]) -> dict[str, str]:
    wanted: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        for document, _, _, shard in case.spans:
            wanted[shard].add(document)
    found = {}
    for shard, documents in wanted.items():
        left = set(documents)
        with (corpus / f"articles/articles-{shard}.jsonl.zst").open("rb") as file:
            for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), "utf-8"):
                if str(line[11 : line.index('"', 11)]) in left:
                    record = json.loads(line)
                    found[record["doc_id"]] = record["abstract"]
                    left.discard(record["doc_id"])
                    if not left:
                        break
    return found


def _tidy(text: str) -> str:
    text = " ".join(text.split())
    return text[:1].upper() + text[1:]


def _generated(text: str) -> Iterator[tuple[str, str]]:
    """One other number in the place of each, another unit, a `not` after the first auxiliary, another component of the same slot."""
    for found in re.finditer(r"\d[\d,.]*", text):
        number = found[0].rstrip(".,")
        at = found.start() + len(number) - 1
        yield "number", text[:at] + str((int(text[at]) + 3) % 10) + text[at + 1 :]
    for unit, other in UNITS.items():
        if found := re.search(rf"(?<=\d)\s?{re.escape(unit)}(?!\w)", text):
            yield "unit", text[: found.start()] + found[0].replace(unit, other) + text[found.end() :]
    if found := _BE.search(text):
        yield "negation", f"{text[: found.end()]} not{text[found.end() :]}"
    lexicon, names = _rivals()
    for named in possible_components(lexicon, text):
        rivals = sorted(other for other in names.get(named.id, ()) if other.lower() not in text.lower())
        if rivals:
            rival = rivals[named.start % len(rivals)]
            yield "entity", text.replace(text[named.start : named.end], rival)


@cache
def _rivals() -> tuple[Lexicon, dict[str, list[str]]]:
    """What names components, and the names of the others of its slot for each."""
    ontology = load_ontology()
    slots: dict[str, list[str]] = defaultdict(list)
    for one in ontology.components.values():
        if not one.broad:
            slots[one.slot].append(one.name)
    return lexicon_of(ontology), {one.id: [name for name in slots[one.slot] if name != one.name] for one in ontology.components.values()}


def judged_ones(rewrites: Iterable[CorpusRewrite]) -> list[tuple[CorpusRewrite, str]]:
    names = names_of(load_ontology())
    return [(one, why_not(one.text, one.quotes, names)) for one in rewrites]


def rejected(judged: Iterable[tuple[CorpusRewrite, str]]) -> dict[str, tuple[int, int]]:
    """How many were rejected of how many, by kind, of the sure kinds together, of what was corrupted by hand, and of all corruptions."""
    counts: Counter[tuple[str, bool]] = Counter()
    for one, why in judged:
        corrupt = one.kind != "faithful"
        groups = (one.kind, *(["corrupt"] * corrupt), *(["sure"] * (one.kind in SURE)), *(["by hand"] * (corrupt and one.by_hand)))
        counts.update((group, bool(why)) for group in groups)
    return {group: (counts[group, True], counts[group, True] + counts[group, False]) for group in {group for group, _ in counts}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=PARTS, nargs="+")
    parser.add_argument("--corpus", type=Path, default=Path("../shared/corpus"))
    parser.add_argument("--show", default=None, help="print what went wrong of this kind")
    options = parser.parse_args()
    found = judged_ones(corpus_rewrites(options.corpus, options.part))
    for kind, (out, of) in sorted(rejected(found).items()):
        print(f"{kind:10} {out:5} of {of:5} rejected: {out / of:.1%}")
    for one, why in found:
        if options.show and options.show in (one.kind, "all") and bool(why) == (one.kind == "faithful"):
            print(f"\n{one.case} {one.kind}{'' if one.by_hand else ' (generated)'} {why}\n  > {one.text}\n  < {' || '.join(one.quotes)}")


if __name__ == "__main__":
    main()
