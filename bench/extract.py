"""What it costs to read articles by the rules: CPU per record, step by step, and documents per second through the database.

    python bench/extract.py [--records 20000] [--articles ../shared/corpus/articles] [--home FOLDER]

First the reading alone, in this process, on 2,000 of the records. Then the whole stage, `component_mentions` without Dagster: texts out of
Postgres, reader processes, rows back into it; the CPU seconds are those of this process, its readers and the database server. The corpus is
loaded before and not measured. Last: the stage once more, unchanged, and after an alias was added to the ontology. Without --home all of it
is thrown away.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from common import machine, table
from dumps import heads, pack
from ingest import folder

from forge_assets.components.extract import ExtractReport, extract_shards
from forge_assets.components.lexicon import Lexicon
from forge_assets.components.new_names import new_names
from forge_assets.components.ontology import Alias, Component, Ontology, load_ontology
from forge_assets.components.parameters.extract import belongings_of, values
from forge_assets.components.parameters.vocabulary import Vocabulary
from forge_assets.components.relations import relations
from forge_assets.components.text import Reading
from forge_assets.corpus.addresses import SHARD_COUNT
from forge_assets.corpus.ingest import parse_shards
from forge_assets.corpus.inventory import scan
from forge_assets.corpus.parse import parse_records
from forge_assets.corpus.sources import add_source
from forge_assets.embeddings.lexical import LexicalIndex
from forge_resources.database import Database
from forge_resources.meter import Meter
from forge_resources.object_store import open_store
from forge_resources.settings import PROJECT, Settings, settings

ALONE = 2_000
CORPUS = 317_380
LIMIT_S = 15 * 60.0
"""For all of CORPUS on two cores."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, default=PROJECT.parent / "shared" / "corpus" / "articles")
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    print(machine())
    ontology = load_ontology()
    names = sum(len(component.aliases) for component in ontology.components.values())
    print(f"{len(ontology.components)} components with {names} aliases, {len(ontology.parameters)} parameters\n")
    alone(options.articles, ontology)
    with folder(options.home) as home:
        chosen = settings().model_copy(update={"home": home, "database_url": None, "object_store_url": None})
        with Database.open(chosen) as db:
            load(db, chosen, options)
            stage(db, chosen, ontology)


def alone(articles: Path, ontology: Ontology) -> None:
    """CPU per record of each step; the first record of all compiles the expressions and is not counted."""
    readings = sample(articles)
    lexicon, vocabulary, belongings = Lexicon(ontology), Vocabulary(ontology.parameters), belongings_of(ontology)
    spent = dict.fromkeys(("words and sentences", "mentions", "new names", "values", "relations"), 0.0)

    def timed(step: str, work: Callable[[], Any]) -> Any:
        started = time.process_time()
        made = work()
        spent[step] += time.process_time() - started
        return made

    for number, reading in enumerate([readings[0], *readings]):
        if number == 1:
            spent = dict.fromkeys(spent, 0.0)
        timed("words and sentences", lambda reading=reading: (reading.lower, reading.sentences))
        mentions = timed("mentions", lambda reading=reading: lexicon.find(reading))
        names = timed("new names", lambda reading=reading, mentions=mentions: new_names(reading, mentions))
        timed("values", lambda reading=reading, mentions=mentions: values(reading, mentions, vocabulary, belongings))
        timed("relations", lambda reading=reading, mentions=mentions, names=names: relations(reading, mentions, names))
    rows = [(step, f"{1000 * seconds / len(readings):.3f}") for step, seconds in spent.items()]
    print(table(["reading alone", "CPU ms per record"], [*rows, ("all", f"{1000 * sum(spent.values()) / len(readings):.3f}")]))


def sample(articles: Path) -> list[Reading]:
    lines = [json.loads(line) for _, some in heads(articles, ALONE) for line in some]
    parsed = parse_records([(record, str(record.get("doc_id"))) for record in lines])
    return [
        Reading("", one.text, one.blocks, one.parsed.title, None, one.parsed.media_type) for one in parsed if not isinstance(one, Exception)
    ]


def load(db: Database, chosen: Settings, options: argparse.Namespace) -> None:
    with db.begin() as connection:
        if connection.execute(sa.text("SELECT EXISTS (SELECT FROM document)")).scalar_one():
            connection.exec_driver_sql("TRUNCATE extraction CASCADE")
            return
    source = chosen.home / "source"
    source.mkdir(exist_ok=True)
    for name, lines in heads(options.articles, options.records):
        pack(source / name, lines)
    store = open_store(None, chosen)
    add_source(db, chosen, str(source))
    scan(db, store, chosen, range(SHARD_COUNT))
    parse_shards(db, store, chosen, range(SHARD_COUNT))
    LexicalIndex(chosen.home / "lexical").sync(db)


def stage(db: Database, chosen: Settings, ontology: Ontology) -> None:
    rows = []
    for name, by in (("all documents", ontology), ("unchanged", ontology), ("an alias added", with_alias(ontology))):
        meter = Meter(chosen.home)
        report = extract_shards(db, by, chosen, range(SHARD_COUNT))
        cost = meter.read()
        cpu = cost.cpu_seconds + (cost.server_cpu_seconds or 0.0)
        rows.append((name, report.read, report.moved, f"{cost.seconds:.1f}", f"{cpu:.1f}", f"{report.read / cost.seconds:.0f}"))
        if name == "all documents":
            judge(report, cost.seconds, cpu)
    print(table(["the stage", "read", "moved", "seconds", "CPU s", "documents/s"], rows))


def judge(report: ExtractReport, seconds: float, cpu: float) -> None:
    counts = f"{report.mentions} mentions, {report.names} names, {report.values} values, {report.relations} relations"
    print(f"\n{report.read} documents, {report.quarantined} of them failed: {counts}")
    each = cpu / max(1, report.read)
    whole = each * CORPUS / 2
    print(
        f"{1000 * each:.2f} CPU ms per record; {CORPUS} records on two cores: {whole:.0f} s (limit {LIMIT_S:.0f} s), wall {seconds:.0f} s\n"
    )


def with_alias(ontology: Ontology) -> Ontology:
    """The ontology after somebody accepted a candidate whose name stands in a few articles."""
    slot = next(iter(ontology.slots))
    made = Component("bench-added", "zero-shot", slot, (Alias("zero-shot"),), None, (), (), (), (), "described", "For this bench.")
    return replace(ontology, components={**ontology.components, made.id: made})


if __name__ == "__main__":
    main()
