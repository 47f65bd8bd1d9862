"""A query -> the documents that answer it: by words (BM25), by meaning (vectors), or both fused; each with its best passage.

Search uses what is there, and `note` says what is not: it works minutes after a load, while vectors still fill in.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from forge_assets.embeddings.dense import DenseHit, nearest
from forge_assets.embeddings.filters import Filter, parse_filters
from forge_assets.embeddings.fusion import DEPTH, fuse
from forge_assets.embeddings.hits import Hit, Ranked, hydrate
from forge_assets.embeddings.hnsw import IndexState, index_state
from forge_assets.embeddings.lexical import LexicalHit, LexicalIndex, LexicalIndexMissing, LexicalReader
from forge_resources.database import Database
from forge_resources.embedder import QueryEncoder, load_embedder, load_query_encoder
from forge_resources.errors import EmbedderError, QueryError
from forge_resources.settings import Settings, settings

Mode = Literal["hybrid", "dense", "lexical"]
MODES = ("hybrid", "dense", "lexical")
MANY = 64
"""From so many queries on, loading the full embedder pays."""
EXACT_IS_FAST = 300_000
"""Vectors that are scanned exactly within a third of a second; beyond, search says that an index would help."""
LONGEST_QUERY = 20_000  # characters; the rest is not read
MANY_ROWS = 100_000
"""From so many passages on, counting them takes longer than a search by words."""
REMEMBERED = 5.0
"""Seconds for which the counts of a large corpus, which only `note` tells, may lag behind what a run is writing."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`note` is for people: what was missing, None where nothing was. `how` tells by which means each leg was searched."""

    query: str
    mode: str
    hits: list[Hit]
    note: str | None = None
    how: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def open_search(given: Settings | None = None) -> Iterator[Search]:
    """A Search for one command: the database starts, the model loads and the full-text index opens side by side."""
    chosen = given or settings()
    with ThreadPoolExecutor(2, thread_name_prefix="open-search") as pool:
        encoder = pool.submit(load_query_encoder, chosen)
        opening = pool.submit(Database.open, chosen)
        db = opening.result()
    with db:
        yield Search(db, chosen, encoder=encoder)


class Search:
    """Searches of one database and home; safe in threads. What changes in the corpus is seen by the next search."""

    def __init__(self, db: Database, given: Settings | None = None, *, encoder: Future[QueryEncoder] | QueryEncoder | None = None) -> None:
        self.db = db
        self.settings = given or settings()
        self._encoder: Future[QueryEncoder] | QueryEncoder | None = encoder
        self._lexical = LexicalIndex(self.settings.home / "lexical")
        self._opened: tuple[object, LexicalReader] | None = None
        self._sizes: _Sizes | None = None

    def search(self, query: str, k: int = 20, mode: str = "hybrid", filters: Sequence[str] = (), *, by_work: bool = True) -> SearchResult:
        """The k best works (documents with by_work=False). Raises QueryError for an empty query, a wrong mode, k or filter."""
        return self.search_many([query], k, mode, filters, by_work=by_work)[0]

    def search_many(
        self, queries: Sequence[str], k: int = 20, mode: str = "hybrid", filters: Sequence[str] = (), *, by_work: bool = True
    ) -> list[SearchResult]:
        """Many queries at the price of one look at the state of things; their vectors are made in batches."""
        chosen = parse_filters(filters)
        if mode not in MODES:
            raise QueryError(f"search mode {mode!r}: expected one of {', '.join(MODES)}")
        if k < 1:
            raise QueryError(f"search asks for k = {k} documents; k must be at least 1")
        texts = [readable(query) for query in queries]
        depth, legs = max(DEPTH, 2 * k), self._legs(mode)
        with ThreadPoolExecutor(1, thread_name_prefix="words") as beside:  # words are looked up while vectors are made
            if (reader := legs.lexical) is not None:
                legs.found = [beside.submit(reader.search, text, depth, chosen) for text in texts]
            self._encode(legs, texts, mode)
            return [self._one(text, number, k, mode, chosen, legs, by_work) for number, text in enumerate(texts)]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Query vectors, float32 [n, dims]. Raises EmbedderError."""
        if len(texts) >= MANY:
            return load_embedder(self.settings).encode_queries(texts)
        return self.encoder.encode_queries(texts)

    @property
    def encoder(self) -> QueryEncoder:
        """Loaded on first use. Raises EmbedderError."""
        if self._encoder is None:
            self._encoder = load_query_encoder(self.settings)
        elif isinstance(self._encoder, Future):
            self._encoder = self._encoder.result()
        return self._encoder

    def lexical_reader(self) -> LexicalReader | None:
        """None where there is no full-text index yet."""
        try:
            return self._reader()
        except LexicalIndexMissing:
            return None

    def _reader(self) -> LexicalReader:
        """Opened anew after each commit of the index. Raises LexicalIndexMissing."""
        state = self._lexical.state()
        if state is None or self._opened is None or self._opened[0] != state:
            self._opened = state, self._lexical.reader()
        return self._opened[1]

    def _count(self, connection: sa.Connection, embedder: str | None) -> _Sizes:
        """Counts again when a transaction has written since; while a run writes to a large corpus, every few seconds."""
        snapshot = str(connection.execute(sa.text("SELECT pg_current_snapshot()")).scalar_one())
        known = self._sizes
        if known is None or not known.hold(snapshot, embedder):
            self._sizes = known = _sizes(connection, snapshot, embedder)
        return known

    def _legs(self, mode: str) -> _Legs:
        """What there is to search with, and what is missing."""
        legs = _Legs()
        if mode != "dense":
            try:
                legs.lexical = self._reader()
            except LexicalIndexMissing as missing:
                legs.missing["lexical"] = str(missing)
        name = None
        if mode != "lexical":
            try:
                name = self.encoder.name
            except EmbedderError as error:
                legs.fails("dense", error, mode)
        with self.db.begin() as connection:
            legs.sizes = self._count(connection, name)
        if name is not None:
            legs.state = legs.sizes.state
        return legs

    def _encode(self, legs: _Legs, texts: Sequence[str], mode: str) -> None:
        if legs.state is not None and legs.state.vectors:
            try:
                legs.vectors = self.encode(texts)
            except EmbedderError as error:
                legs.fails("dense", error, mode)
        elif mode != "lexical" and "dense" not in legs.missing:
            legs.missing["dense"] = "there are no vectors of this embedder yet; `forge run passage_embeddings` makes them"

    def _one(self, text: str, number: int, k: int, mode: str, filters: Sequence[Filter], legs: _Legs, by_work: bool) -> SearchResult:
        depth = max(DEPTH, 2 * k)
        found: dict[str, Sequence[LexicalHit | DenseHit]] = {}
        how: dict[str, str] = {}
        with self.db.begin() as connection:
            if legs.vectors is not None and legs.state is not None:
                found["dense"], how["dense"] = nearest(connection, legs.state, legs.vectors[number], depth, filters)
            if legs.found:
                found, how = {"lexical": legs.found[number].result(), **found}, {"lexical": "BM25", **how}
            hits = hydrate(connection, rank(found, depth), k, by_work=by_work)
        notes = [legs.note(mode)]
        if mode == "hybrid" and hits and "lexical" in found and not found["lexical"]:
            notes.append("no document holds these words, or the quoted phrase; ranked by meaning only")
        return SearchResult(text, mode, hits, "; ".join(filter(None, notes)) or None, how)


def readable(query: str) -> str:
    """The query without what neither Postgres nor a tokenizer can read. Raises QueryError where nothing is left."""
    text = query[:LONGEST_QUERY].encode("utf-8", "replace").decode().replace("\0", " ").strip()
    if not text:
        raise QueryError("the query is empty; give at least one word")
    return text


def rank(found: Mapping[str, Sequence[LexicalHit | DenseHit]], depth: int) -> list[Ranked]:
    """One leg as it is, two fused. The passage shown is that of the leg in which the document stands higher."""
    places: dict[UUID, dict[str, int]] = {}
    shown: dict[UUID, tuple[int, int]] = {}
    for leg, hits in found.items():
        for place, hit in enumerate(hits, 1):
            places.setdefault(hit.document_id, {})[leg] = place
            shown[hit.document_id] = min(shown.get(hit.document_id, (place, hit.ordinal)), (place, hit.ordinal))
    if len(found) == 1:
        (hits,) = found.values()
        order = [(hit.document_id, hit.score) for hit in hits]
    else:
        order = fuse({leg: [hit.document_id for hit in hits] for leg, hits in found.items()}, depth=depth)
    return [Ranked(document, shown[document][1], score, places[document]) for document, score in order]


@dataclass(slots=True)
class _Legs:
    """The state of both legs for one round of searches."""

    lexical: LexicalReader | None = None
    found: list[Future[list[LexicalHit]]] = field(default_factory=list)
    state: IndexState | None = None
    vectors: NDArray[np.float32] | None = None
    missing: dict[str, str] = field(default_factory=dict)
    sizes: _Sizes | None = None

    def fails(self, leg: str, error: EmbedderError, mode: str) -> None:
        """The other leg answers alone; where none was asked for, the error is the answer."""
        if mode == leg:
            raise error
        self.missing[leg] = str(error)

    def note(self, mode: str) -> str | None:
        documents, passages = (self.sizes.documents, self.sizes.passages) if self.sizes else (0, 0)
        if not documents:
            return "the corpus is empty: `forge source add FOLDER`, then `forge run`"
        notes = list(self.missing.values())
        if mode == "hybrid" and len(self.missing) == 1:
            notes.append("ranked by words only" if "dense" in self.missing else "ranked by meaning only")
        if self.state is not None and 0 < self.state.vectors < passages:
            rest = "those are ranked by words only" if self.lexical is not None else "the others are not searched"
            notes.append(f"vectors cover {self.state.vectors:,} of {passages:,} passages; {rest}")
        if self.lexical is not None and (held := self.lexical.documents) < documents:
            notes.append(f"the full-text index holds {held:,} of {documents:,} documents; `forge run lexical_index` adds the others")
        if self.state is not None and self.state.vectors > EXACT_IS_FAST and not self.state.exists:
            notes.append("vectors are compared one by one until `forge run search_index` has built their index")
        return "; ".join(notes) or None


@dataclass(frozen=True, slots=True)
class _Sizes:
    """What the corpus held in a snapshot of Postgres; `state` of the embedder, None where none was asked for."""

    snapshot: str
    at: float
    documents: int
    passages: int
    embedder: str | None
    state: IndexState | None

    def hold(self, snapshot: str, embedder: str | None) -> bool:
        if embedder not in (None, self.embedder):
            return False
        return snapshot == self.snapshot or (self.passages > MANY_ROWS and time.monotonic() - self.at < REMEMBERED)


def _sizes(connection: sa.Connection, snapshot: str, embedder: str | None) -> _Sizes:
    row: Any = connection.execute(
        sa.text("SELECT (SELECT count(*) FROM document) AS documents, (SELECT count(*) FROM passage) AS passages")
    ).one()
    state = index_state(connection, embedder) if embedder else None
    return _Sizes(snapshot, time.monotonic(), int(row.documents), int(row.passages), embedder, state)
