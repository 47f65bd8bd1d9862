"""documents without an up-to-date reading -> reader processes -> mentions, new names, values and relations; a batch per transaction.

Up to date is what the rules of this version read by an ontology of which they see the same. Killed at any point, the next run redoes the
batches that were under way.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain

from forge_assets.components import store
from forge_assets.components.answer import Answer
from forge_assets.components.extraction import RULES_VERSION
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.readers import Task, read_all
from forge_assets.components.renewal import forget_unused, renew
from forge_assets.components.seen import stamp_of
from forge_assets.corpus.inventory_rows import Progress, bounded, chunks
from forge_assets.corpus.locks import shard_locks
from forge_resources.database import Database
from forge_resources.settings import Settings

FETCH = 256  # documents per query
FETCH_BYTES = 8_000_000  # of their texts, as the database keeps them
TASK = 64  # documents per task of a process
COMMIT = 256  # documents per transaction
WORTH = 500  # documents: as long as a process takes to make itself ready


@dataclass(slots=True)
class ExtractReport:
    """In documents: `read` now, of them `quarantined` because a rule failed; `moved` kept their reading under a changed ontology.

    In rows written: `mentions`, `names`, `values`, `relations`. `characters` of the texts read; `seconds` of wall time.
    """

    read: int = 0
    quarantined: int = 0
    moved: int = 0
    mentions: int = 0
    names: int = 0
    values: int = 0
    relations: int = 0
    characters: int = 0
    seconds: float = 0.0

    def count(self, answers: Sequence[Answer]) -> None:
        self.read += len(answers)
        self.quarantined += sum(answer.problem is not None for answer in answers)
        self.characters += sum(answer.characters for answer in answers)
        self.mentions += _rows(answers, "mention")
        self.names += _rows(answers, "new_name")
        self.values += _rows(answers, "parameter_value")
        self.relations += _rows(answers, "relation")


def extract_shards(
    db: Database, ontology: Ontology, settings: Settings, shards: Sequence[int], progress: Progress | None = None
) -> ExtractReport:
    """Brings the readings of these shards up to their documents, the rules and the ontology."""
    started = time.monotonic()
    report = ExtractReport()
    advance = progress or (lambda done, total: None)
    version, stamp = RULES_VERSION, stamp_of(ontology)
    with shard_locks(db, "extract", shards):
        waiting = store.lacking(db, shards, version, stamp)
        if waiting:
            report.moved = renew(db, ontology, stamp, version, sorted(waiting), settings.home / "lexical")
            waiting = store.lacking(db, shards, version, stamp)
        total = sum(waiting.values())
        workers = max(1, min(settings.workers, total // WORTH))
        tasks = _tasks(db, list(waiting), version, stamp)
        with closing(read_all(tasks, ontology, workers, settings.document_timeout_s)) as answers:
            for batch in chunks(chain.from_iterable(answers), COMMIT):
                report.count(store.write(db, batch, version, stamp))
                advance(len(batch), total)
        if total:
            forget_unused(db, stamp)
    report.seconds = time.monotonic() - started
    return report


def _tasks(db: Database, shards: Sequence[int], version: str, stamp: str) -> Iterator[Task]:
    """Shard by shard, so that no more than the ids of one are held; texts are fetched as late as possible."""
    for shard in shards:
        missing = store.stale(db, shard, version, stamp)
        for part in bounded(missing, lambda one: one[1], FETCH, FETCH_BYTES):
            yield from chunks(store.texts(db, [document for document, _ in part]), TASK)


def _rows(answers: Sequence[Answer], table: str) -> int:
    return sum(len(answer.rows.get(table, ())) for answer in answers)
