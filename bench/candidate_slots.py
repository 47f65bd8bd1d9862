"""Whether how works speak of a candidate tells that its slot is right, on labels and on the ontology's own components.

    python bench/candidate_slots.py --home HOME

HOME has the volumes of the whole corpus built. tests/documentation/candidate_slots.tsv holds candidates that had no page when the rule was
made, with the slot that was suggested and whether it is theirs: labelled by one reader from the name, and a definition where there was
one, before any likeness was known. A component is judged by a model that heard neither of it nor of a twentieth of the others.
"""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
from common import machine, table

from forge_assets.components.ontology.load import load_ontology
from forge_assets.documentation.candidate_floor import LIKELIER, PLAINLY, QUOTED
from forge_assets.documentation.slot_speech import Likeness, SlotSpeech
from forge_assets.documentation.subjects import CANDIDATE
from forge_resources.database import Database
from forge_resources.settings import settings

LABELS = Path(__file__).resolve().parents[1] / "tests" / "documentation" / "candidate_slots.tsv"
FOLDS, FEWEST_WORKS = 20, 8
WAYS = "SELECT candidate, name, long_form, aliases FROM candidate WHERE candidate = ANY(:ids)"
Said = tuple[str, str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    os.environ |= {"FORGE_HOME": str(parser.parse_args().home.absolute())}
    print(machine())
    labels = [line.split("\t") for line in LABELS.read_text().splitlines()]
    with Database.open(settings(), migrate=False) as db, db.begin() as connection:
        rows = connection.execute(sa.text(QUOTED)).all()
        ways = {
            CANDIDATE + row.candidate: [row.name, *row.aliases, *([row.long_form] if row.long_form else [])]
            for row in connection.execute(sa.text(WAYS), {"ids": [one for one, _, _ in labels]})
        }
    components = [(row.subject, row.slot, row.text) for row in rows if not row.subject.startswith(CANDIDATE)]
    candidates = [(row.subject, row.slot, row.text) for row in rows if row.subject.startswith(CANDIDATE)]
    speech = SlotSpeech(components, candidates)
    found = [
        (right == "right", heard)
        for one, slot, right in labels
        if CANDIDATE + one in ways and (heard := speech.likeness(CANDIDATE + one, ways[CANDIDATE + one], slot)) is not None
    ]
    let = [right for right, heard in found if passes(heard)]
    every = sum(right for right, _ in found)
    print(f"{len(found)} of {len(labels)} labelled candidates are heard of; {every} have the right slot: {every / len(found):.2f}")
    print(f"let through: {len(let)}, right {sum(let) / len(let):.2f}; of the right ones {sum(let) / every:.2f}")
    works: dict[str, set[object]] = {}
    for row in rows:
        works.setdefault(row.subject, set()).add(row.work)
    print(table(["of the ontology's components", "share"], shares(components, candidates, works)))


def passes(heard: Likeness) -> bool:
    return heard.own >= 0 and len(heard.before) <= LIKELIER


def shares(components: Sequence[Said], candidates: Sequence[Said], works: dict[str, set[object]]) -> list[list[object]]:
    """Of components that enough works say something of, heard of as if they were candidates."""
    ontology = load_ontology().components
    able = sorted({one for one, _, _ in components if len(works[one]) >= FEWEST_WORKS and one in ontology})
    random.Random(0).shuffle(able)
    found: list[Likeness] = []
    for fold in range(FOLDS):
        out = set(able[fold::FOLDS])
        speech = SlotSpeech([one for one in components if one[0] not in out], [*candidates, *(one for one in components if one[0] in out)])
        for one in sorted(out):
            names = [ontology[one].name, *(alias.text for alias in ontology[one].aliases)]
            if (heard := speech.likeness(one, names, ontology[one].slot)) is not None:
                found.append(heard)
    plainly = [heard for heard in found if heard.own >= PLAINLY and not heard.before]
    return [
        [f"heard of, of {len(able)}", f"{len(found)}"],
        [f"likeness {PLAINLY} or more", f"{sum(heard.own >= PLAINLY for heard in found) / len(found):.2f}"],
        ["the same, and no slot likelier", f"{len(plainly) / len(found):.2f}"],
        [f"likeness 0 or more, at most {LIKELIER} slot likelier", f"{sum(map(passes, found)) / len(found):.2f}"],
    ]


if __name__ == "__main__":
    main()
