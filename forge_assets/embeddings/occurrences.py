"""Which documents may hold a name, told by the full-text index without reading a text: more than do hold it, never fewer.

A name is a row of places, each with the ways its word may be written. The index takes words apart, stems them, and knows passages; so a
document counts that holds, anywhere, the parts of some way for each place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from uuid import UUID

from forge_assets.embeddings.lexical import LexicalIndex, LexicalIndexMissing
from forge_assets.embeddings.lexical_documents import joined
from forge_assets.embeddings.lexical_manifest import Manifest
from forge_assets.embeddings.lexical_sync import shard_digests
from forge_assets.embeddings.lexical_text import analyser, prepared
from forge_resources.database import Database

Place = Collection[str]
Halves = frozenset[tuple[int, int]]


class Occurrences:
    """The index of a home as it is when this is made. Raises LexicalIndexMissing where there is none that can be read."""

    def __init__(self, index: LexicalIndex, db: Database, shards: Sequence[int]) -> None:
        if index.state() is None:
            raise LexicalIndexMissing("there is no full-text index yet; `forge run lexical_index` builds it")
        wanted = shard_digests(db)
        with closing(Manifest(index.folder / "manifest.sqlite", read_only=True)) as manifest:  # before the reader: it holds no less
            known, pending = manifest.digests(), {document[0] >> 2 for document in manifest.pending()}
            behind = [shard for shard in shards if shard in pending or known.get(shard) != wanted.get(shard)]
            self._behind = {shard: manifest.of_shard(shard) for shard in behind}
        self._reader = index.reader()
        self._analyse = analyser().analyze
        self._found: dict[str, Halves] = {}

    @property
    def behind(self) -> set[int]:
        """The shards of which the index may lack documents, or hold other versions."""
        return set(self._behind)

    def holds(self, shard: int, document: UUID, version: str) -> bool:
        """Whether the index holds this version (content hash;parser version) of a document."""
        return shard not in self._behind or self._behind[shard].get(document.bytes) == version

    def documents(self, names: Iterable[Sequence[Place]]) -> set[UUID]:
        """Those that may hold one of the names; a name without places stands nowhere."""
        found: set[tuple[int, int]] = set()
        for places in filter(None, names):
            first, *others = (self._with_any(place) for place in places)
            found |= first.intersection(*others)
        return {joined(high, low) for high, low in found}

    def _with_any(self, place: Place) -> Halves:
        return frozenset().union(*(self._with_parts(way) for way in place))

    def _with_parts(self, way: str) -> Halves:
        parts = [str(part) for part in self._analyse(prepared(way))]
        return frozenset.intersection(*map(self._with_part, parts)) if parts else frozenset()

    def _with_part(self, part: str) -> Halves:
        if part not in self._found:
            self._found[part] = self._reader.holders(part)
        return self._found[part]
