"""Draws claims for a person to check: from records that no pattern was made on, by a fixed seed, evenly over the patterns.

`python tests/components/labels/draw_claims.py CORPUS OUT --seed 1` reads CORPUS/articles and writes OUT/claims.jsonl, one row a claim with
`verdict` null, and OUT/claims.txt with the sentences, which stay outside the repository. The checked rows stand in claims.jsonl beside this
file. Records whose part is "dev" were read while patterns were made, those of "final" only as drawn here.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forge_assets.components.extraction import Extractor
from forge_assets.components.ontology import load_ontology
from forge_assets.components.relations import Relation
from forge_assets.components.text import Reading
from forge_assets.corpus.canonical import compose
from forge_assets.corpus.readers.records import read_record
from forge_resources.errors import DocumentProblem
from tests.components.labels.draw import records

SEED = "forge-claims-20261129"
FINAL = "66"
"""Ranks below it, two fifths of the records, are the final part."""
CLAIMS = 200


@dataclass(frozen=True, slots=True)
class Drawn:
    """A claim of the document `id`, and its sentence."""

    id: str
    claim: Relation
    sentence: str

    def key(self) -> str:
        return f"{self.id}:{self.claim.start}:{self.claim.subject}:{self.claim.object}"

    def row(self) -> dict[str, object]:
        one = self.claim
        return {
            "id": self.id,
            "start": one.start,
            "end": one.end,
            "subject": one.subject,
            "relation": one.relation,
            "object": one.object,
            "pattern": one.pattern,
            "metric": one.metric,
            "delta": one.delta,
            "unit": one.unit,
            "polarity": one.polarity,
            "quote_hash": one.quote_hash,
            "verdict": None,
        }


def rank(purpose: str, key: str) -> str:
    return hashlib.sha256(f"{SEED}:{purpose}:{key}".encode()).hexdigest()


def part_of(id_: str) -> str:
    return "final" if rank("part", id_) < FINAL else "dev"


def readings(corpus: Path, part: str, below: str = "g") -> Iterator[Reading]:
    """The records of a part as the product lays them out; `below`: only those of lesser rank, "01" for one in 256."""
    for record in records(corpus / "articles"):
        if part_of(record["doc_id"]) == part and rank("share", record["doc_id"]) < below:
            try:
                parsed = read_record(record, record["doc_id"])
            except DocumentProblem:
                continue
            text, blocks = compose(parsed)
            yield Reading(record["doc_id"], text, blocks, parsed.title, record.get("year"))


def found(corpus: Path, part: str) -> Iterator[Drawn]:
    extractor = Extractor(load_ontology())
    for reading in readings(corpus, part):
        for claim in extractor.read(reading).relations:
            yield Drawn(reading.document_id, claim, reading.text[claim.start : claim.end])


def draw(claims: list[Drawn], seed: str, count: int = CLAIMS) -> list[Drawn]:
    """One claim of each pattern in turn, by rank, until there are `count`; one of a sentence, so that a list counts once."""
    queues: dict[str, list[Drawn]] = defaultdict(list)
    for one in sorted(claims, key=lambda one: rank(seed, one.key())):
        queues[one.claim.pattern].append(one)
    taken: list[Drawn] = []
    sentences: set[tuple[str, int]] = set()
    while len(taken) < count and any(queues.values()):
        for name in sorted(queues):
            while queues[name] and len(taken) < count:
                one = queues[name].pop(0)
                if (one.id, one.claim.start) not in sentences:
                    sentences.add((one.id, one.claim.start))
                    taken.append(one)
                    break
    return sorted(taken, key=lambda one: (one.claim.pattern, rank(seed, one.key())))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("corpus", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--seed", required=True, help="another seed draws other claims of the same part")
    given = arguments.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    claims = list(found(given.corpus, "final"))
    drawn = draw(claims, given.seed)
    rows = [json.dumps(one.row(), ensure_ascii=False) + "\n" for one in drawn]
    (given.out / "claims.jsonl").write_text("".join(rows), encoding="utf-8")
    with (given.out / "claims.txt").open("w", encoding="utf-8") as texts:
        for number, one in enumerate(drawn):
            claim = one.claim
            said = f"[{claim.subject}] {claim.relation} [{claim.object}]" + ("" if claim.polarity else " NOT")
            texts.write(
                f"{number} {claim.pattern}: {said} <{claim.metric} {claim.delta} {claim.unit}>\n    {' '.join(one.sentence.split())}\n"
            )
    sys.stdout.write(f"{len(claims)} claims in the part, {dict(Counter(one.claim.pattern for one in claims))}\n")


if __name__ == "__main__":
    main()
