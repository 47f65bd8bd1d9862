"""The shared articles, cut to a number of records: from the head of each dump its share, as years and sources differ between dumps."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import zstandard


def heads(articles: Path, records: int) -> Iterator[tuple[str, list[str]]]:
    """(name of the dump, its first lines), in proportion to what each dump holds. Fewer records than asked for are an error."""
    dumps = {path: sum(1 for _ in lines(path)) for path in sorted(articles.glob("*.jsonl.zst"))}
    total = sum(dumps.values())
    if not dumps:
        raise SystemExit(f"no *.jsonl.zst in {articles}; name the folder by --articles")
    if records > total:
        raise SystemExit(f"{articles} holds {total} records, fewer than {records}")
    before = 0
    for path, count in dumps.items():
        share = records * (before + count) // total - records * before // total
        before += count
        yield path.name, list(islice(lines(path), share))


def lines(path: Path) -> Iterator[str]:
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        yield from io.TextIOWrapper(stream, encoding="utf-8")


def pack(path: Path, content: list[str]) -> None:
    path.write_bytes(zstandard.compress("".join(content).encode(), 3))
