"""The shared article dumps as a corpus in a home of its own: made once by the real pipeline, then kept, and read by any ontology.

A second call finds everything done; another ontology reads again only what may hold a changed name.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import zstandard

from forge_assets.components.catalogue.build import CatalogueReport, build
from forge_assets.components.evaluation.pwc_methods import ARTICLES
from forge_assets.components.extract import extract_shards
from forge_assets.components.ontology.model import Ontology
from forge_assets.corpus.addresses import SHARD_COUNT
from forge_resources.database import Database
from forge_resources.errors import SettingError
from forge_resources.settings import Settings

Say = Callable[[str], None]
SHARDS = range(SHARD_COUNT)
SEED = 4


@dataclass(frozen=True, slots=True)
class Articles:
    """The corpus, parsed, joined into works and indexed."""

    db: Database
    settings: Settings
    say: Say

    def read(self, ontology: Ontology) -> CatalogueReport:
        """Brings the readings up to this ontology, and the catalogue up to them; nobody's decisions are looked at."""
        report = extract_shards(self.db, ontology, self.settings, SHARDS)
        self.say(f"{report.read} documents read, {report.moved} kept as they had been read, in {report.seconds:.0f} s")
        made = build(self.db, ontology, None, self.say)
        self.say(f"catalogue of {made.works} works: {made.components} components, {made.candidates} candidates, in {made.seconds:.0f} s")
        return made


@contextmanager
def articles(
    settings: Settings, folder: Path | None, dumps: Path | None, records: int | None, targets: set[str], say: Say
) -> Iterator[Articles]:
    """The corpus of all records of `dumps`, or of the `targets` and `records` others drawn by a seed.

    `folder`: where it is kept; by default under FORGE_HOME/eval. Raises SettingError where the dumps are not there.
    """
    dumps = dumps or ARTICLES
    if not sorted(dumps.glob("*.jsonl.zst")):
        raise SettingError(f"no article shards (*.jsonl.zst) in {dumps}; name their folder by --articles")
    home = folder or settings.home / "eval" / f"components-{records or 'all'}"
    own = settings.model_copy(update={"home": home.absolute(), "database_url": None, "object_store_url": None, "overrides": None})
    source = dumps if records is None else home / "source"
    if records is not None and not (source / "articles.jsonl").is_file():
        say(f"choosing {records} records of {dumps}")
        _write(source / "articles.jsonl", _chosen(dumps, targets, records))
    with Database.open(own) as db:
        _load(db, own, source, say)
        yield Articles(db, own, say)


def _load(db: Database, settings: Settings, source: Path, say: Say) -> None:
    from forge_assets.corpus.ingest import parse_shards
    from forge_assets.corpus.inventory import scan
    from forge_assets.corpus.sources import add_source, list_sources
    from forge_assets.corpus.works import join_works
    from forge_assets.embeddings.lexical import LexicalIndex
    from forge_resources.object_store import open_store

    store = open_store(None, settings)
    if not list_sources(db):
        add_source(db, settings, str(source))
    scan(db, store, settings, SHARDS)
    parsed = parse_shards(db, store, settings, SHARDS)
    index = LexicalIndex(settings.home / "lexical").sync(db)
    works = join_works(db)
    say(f"{index.documents} documents in the corpus, {parsed.parsed} parsed now; {works.works} works")


def _chosen(dumps: Path, targets: set[str], records: int) -> Iterator[str]:
    """Lines of the targets, and `records` others drawn evenly from all shards (reservoir sampling, seeded)."""
    draw = random.Random(SEED)  # noqa: S311
    drawn: list[str] = []
    seen = 0
    for line in (line for shard in sorted(dumps.glob("*.jsonl.zst")) for line in _lines(shard)):
        if json.loads(line)["doc_id"] in targets:
            yield line
            continue
        seen += 1
        if len(drawn) < records:
            drawn.append(line)
        elif (place := draw.randrange(seen)) < records:
            drawn[place] = line
    yield from drawn


def _lines(shard: Path) -> Iterator[str]:
    with shard.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        yield from io.TextIOWrapper(stream, encoding="utf-8")


def _write(path: Path, lines: Iterator[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name("articles.part")
    with temporary.open("w", encoding="utf-8") as file:
        file.writelines(line.rstrip("\n") + "\n" for line in lines)
    temporary.replace(path)
