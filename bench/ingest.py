"""The main road under load: N records through inventory, parsing, full-text index and embedding, beside the bare embedder's own speed.

    taskset -c 0,1 python bench/ingest.py [--articles ../shared/corpus/articles] [--records 25000] [--home FOLDER]

Prints seconds until the records can be searched by words, and passages/s of the embeddings room against texts/s of the embedder alone on
passages of the same corpus, measured before and after in the same process. Without --home all of it is thrown away.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
import zstandard
from common import cpu_flags

from forge_assets.corpus.addresses import SHARD_COUNT
from forge_assets.corpus.ingest import parse_shards
from forge_assets.corpus.inventory import scan
from forge_assets.corpus.sources import add_source
from forge_assets.embeddings.lexical import LexicalIndex
from forge_assets.embeddings.vectors import embed_shards
from forge_resources.database import Database
from forge_resources.embedder import Embedder, load_embedder
from forge_resources.object_store import open_store
from forge_resources.settings import PROJECT, Settings, settings

BARE = 2048  # passages the bare embedder is measured on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, default=PROJECT.parent / "shared" / "corpus" / "articles")
    parser.add_argument("--records", type=int, default=25_000)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    with folder(options.home) as home:
        chosen = settings().model_copy(update={"home": home, "database_url": None, "object_store_url": None})
        sample = home / "source" / "articles.jsonl"
        if not sample.exists():
            write_sample(options.articles, options.records, sample)
        with Database.open(chosen) as db:
            load(db, chosen, sample.parent)
            embed(db, chosen)


@contextmanager
def folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.absolute()
    else:
        with tempfile.TemporaryDirectory(prefix="forge-bench-") as made:
            yield Path(made)


def write_sample(articles: Path, records: int, sample: Path) -> None:
    """The same number of records from the head of each shard, as years and sources differ between shards."""
    shards = sorted(articles.glob("*.jsonl.zst"))
    if not shards:
        raise SystemExit(f"no *.jsonl.zst in {articles}; name the folder by --articles")
    sample.parent.mkdir(parents=True)
    with sample.open("w", encoding="utf-8") as out:
        for number, shard in enumerate(shards):
            share = records * (number + 1) // len(shards) - records * number // len(shards)
            with shard.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
                lines = io.TextIOWrapper(stream, encoding="utf-8")
                out.writelines(line for line, _ in zip(lines, range(share), strict=False))


def load(db: Database, chosen: Settings, place: Path) -> None:
    started = time.monotonic()
    store = open_store(None, chosen)
    add_source(db, chosen, str(place))
    found = scan(db, store, chosen, range(SHARD_COUNT))
    parsed = parse_shards(db, store, chosen, range(SHARD_COUNT))
    lexical = LexicalIndex(chosen.home / "lexical").sync(db)
    total = time.monotonic() - started
    print(f"inventory       {found.new:7d} records     {found.seconds:7.1f} s {found.new / found.seconds:9.0f}/s")
    print(f"parsing         {parsed.parsed:7d} documents   {parsed.seconds:7.1f} s {parsed.parsed / parsed.seconds:9.0f}/s")
    print(f"full-text index {lexical.added:7d} documents   {lexical.seconds:7.1f} s {lexical.added / lexical.seconds:9.0f}/s")
    print(f"searchable by words after {total:.1f} s", flush=True)


def embed(db: Database, chosen: Settings) -> None:
    embedder = load_embedder(chosen)
    texts = passages(db)
    bare(embedder, texts[:256])  # compiles and warms up
    before = bare(embedder, texts)
    report = embed_shards(db, embedder, range(SHARD_COUNT))
    after = bare(embedder, texts)
    speed, own = report.embedded / report.seconds, (before + after) / 2
    print(f"embedder {embedder.name} by {embedder.backend}; CPU: {', '.join(cpu_flags()) or 'no bf16'}")
    print(f"bare embedder   {own:7.1f} texts/s (before {before:.1f}, after {after:.1f}, on {len(texts)} passages)")
    print(f"embeddings room {speed:7.1f} passages/s ({report.embedded} in {report.seconds:.0f} s)")
    print(f"ratio           {speed / own:7.3f}")


def passages(db: Database) -> list[str]:
    statement = """SELECT substr(d.text, p.start + 1, p."end" - p.start) FROM passage p JOIN document d USING (document_id)
        ORDER BY md5(p.passage_id::text) LIMIT :n"""
    with db.begin() as connection:
        return [str(row[0]) for row in connection.execute(sa.text(statement), {"n": BARE})]


def bare(embedder: Embedder, texts: list[str]) -> float:
    started = time.monotonic()
    embedder.encode(texts)
    return len(texts) / (time.monotonic() - started)


if __name__ == "__main__":
    main()
