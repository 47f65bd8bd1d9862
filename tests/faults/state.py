"""What a home holds: digests to compare with a clean rebuild, what a reader may never see, and which rows were written anew."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import zstandard

from forge_assets.components.rows import TABLES
from forge_assets.corpus.addresses import SHARD_COUNT
from forge_assets.corpus.catalogue import STATE, digest_in
from forge_assets.embeddings.lexical import LexicalIndex, LexicalIndexMissing
from forge_assets.embeddings.lexical_manifest import Manifest
from forge_assets.embeddings.search import Search
from forge_resources.database import Database
from forge_resources.errors import ObjectMissing
from forge_resources.object_store import ObjectStore, open_store
from forge_resources.settings import Settings
from tests.faults.pipeline import HashEmbedder
from tests.faults.small_world import WORDS

CONTENT = {
    "inventory": """SELECT document_id, uri, shard, source, container, external_id, token, content_hash, size, raw_key IS NULL, raw_length,
        problem FROM inventory""",
    "container_scan": "SELECT * FROM container_scan",
    "document": "SELECT to_jsonb(t) - 'parsed_at' FROM document t",
    "passage": "SELECT to_jsonb(t) FROM passage t",
    "quarantine": "SELECT to_jsonb(t) - 'at' FROM quarantine t",
    "work": "SELECT to_jsonb(t) FROM work t",
    "work_document": "SELECT to_jsonb(t) FROM work_document t",
    "vector": "SELECT passage_id, name, shard, vector FROM passage_vector JOIN embedder USING (embedder_id)",
    "garbage": "SELECT * FROM raw_garbage",
    "extraction": "SELECT to_jsonb(t) FROM extraction t",
    "ontology_version": "SELECT ontology, entries FROM ontology_version",
    **{table: f"SELECT to_jsonb(t) FROM {table} t" for table in TABLES},
    "index": """SELECT indexrelid::regclass::text LIKE 'passage_vector_hnsw%', indisvalid FROM pg_index
        WHERE indrelid = 'passage_vector'::regclass""",
}
NEVER = {
    "a document without its passages": """SELECT d.uri FROM document d WHERE NOT EXISTS (SELECT FROM passage p
        WHERE p.document_id = d.document_id) OR (SELECT count(*) - 1 <> max(ordinal) FROM passage p WHERE p.document_id = d.document_id)""",
    "a passage without its document": """SELECT p.passage_id FROM passage p LEFT JOIN document d USING (document_id)
        WHERE d.document_id IS NULL OR d.shard <> p.shard OR p."end" > length(d.text) OR p.start >= p."end" """,
    "a document that is in quarantine too": "SELECT d.uri FROM document d JOIN quarantine q USING (document_id)",
    "a work without members": "SELECT work_id FROM work w WHERE NOT EXISTS (SELECT FROM work_document m WHERE m.work_id = w.work_id)",
    "a work whose main document is none of its members": """SELECT work_id FROM work w WHERE NOT EXISTS (SELECT FROM work_document m
        WHERE m.work_id = w.work_id AND m.document_id = w.main_document)""",
    "a vector without its passage": """SELECT v.passage_id FROM passage_vector v LEFT JOIN passage p USING (passage_id)
        WHERE p.passage_id IS NULL OR p.shard <> v.shard""",
    "a mention of a component that does not stand there": """SELECT m.document_id FROM mention m JOIN document d USING (document_id)
        WHERE m.component IN ('momentum', 'attention') AND lower(substr(d.text, m.start + 1, m."end" - m.start)) <> m.component""",
    "an invalid index": "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid",
}


def digests(db: Database, chosen: Settings) -> dict[str, str]:
    """One digest per table and for the full-text index, plus the catalogue's own."""
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        found = {name: _hash(connection.execute(sa.text(query)).all()) for name, query in CONTENT.items()}
        found |= {f"catalogue {table}": digest_in(connection, table, range(SHARD_COUNT)) for table in STATE}
        keys = {key for (key,) in connection.execute(sa.text("SELECT DISTINCT raw_key FROM inventory WHERE raw_key IS NOT NULL"))}
    stored = {info.key for info in open_store(chosen.objects_url, chosen).list("raw/")}
    found["raw objects"] = f"{len(stored - keys)} that nobody refers to, {len(keys - stored)} missing"
    return found | lexical_digests(chosen.home / "lexical")


def lexical_digests(folder: Path) -> dict[str, str]:
    """What the full-text index finds for every word of the corpus, and what its manifest says that it holds."""
    import tantivy

    index = LexicalIndex(folder)._open()
    searcher = index.searcher()
    found = {}
    for word in ["", *WORDS, "experiment", "verfahren"]:
        query = tantivy.Query.term_query(index.schema, "body", word) if word else tantivy.Query.all_query()
        addresses = [address for _, address in searcher.search(query, 100_000).hits]
        columns = [searcher.fast_field_values(field, addresses) for field in ("high", "low", "ordinal")] if addresses else []
        found[word] = sorted(zip(*columns, strict=True))
    manifest = Manifest(folder / "manifest.sqlite", read_only=True)
    held = sorted(manifest._connection.execute("SELECT document_id, shard, version, passages FROM document").fetchall())
    states = sorted(row for row in manifest._connection.execute("SELECT * FROM shard_state").fetchall() if not row[1].startswith("0"))
    manifest.close()
    return {"full-text index": _hash(list(found.items())), "manifest": _hash([held, states])}


def violations(db: Database, chosen: Settings, known: dict[str, list[str]] | None = None) -> list[str]:
    """What no reader may ever see, whenever it looks. `known` holds for each version of a document the passages it may have."""
    wrong: list[str] = []
    store = open_store(chosen.objects_url, chosen)
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        for what, query in NEVER.items():
            wrong += [f"{what}: {row[0]}" for row in connection.execute(sa.text(query))]
        if known is not None:
            wrong += [f"half a document: {key}" for key, passages in versions(connection).items() if known.get(key) != passages]
        rows = connection.execute(sa.text("SELECT uri, container, content_hash, raw_key, raw_offset, raw_length FROM inventory")).all()
    return wrong + _raw_faults(store, rows) + _search_faults(db, chosen)


def versions(connection: sa.Connection) -> dict[str, list[str]]:
    """'<document> <content hash>' -> its passages and a hash of its text."""
    statement = """SELECT d.document_id || ' ' || d.content_hash, array_agg(p.passage_id::text ORDER BY ordinal), md5(d.text)
        FROM document d LEFT JOIN passage p USING (document_id) GROUP BY d.document_id"""
    return {key: [text, *map(str, passages)] for key, passages, text in connection.execute(sa.text(statement))}


def _raw_faults(store: ObjectStore, rows: list[Any]) -> list[str]:
    """Rows of the inventory whose bytes are not there or are others, objects whose name is not their hash."""
    wrong, packs = [], {}
    for row in rows:
        if row.raw_key is None:
            continue
        try:
            if row.raw_key not in packs:
                packs[row.raw_key] = store.get(row.raw_key)
            data = packs[row.raw_key]
        except ObjectMissing:
            wrong.append(f"an inventory row without its bytes: {row.uri}")
            continue
        if row.raw_offset is not None:
            data = zstandard.decompress(data)[row.raw_offset : row.raw_offset + row.raw_length]
        if hashlib.sha256(data).hexdigest() != row.content_hash:
            wrong.append(f"an inventory row with other bytes: {row.uri}")
    for info in store.list("raw/"):
        if hashlib.sha256(store.get(info.key)).hexdigest() != info.key.removeprefix("raw/"):
            wrong.append(f"a torn object: {info.key}")
    return wrong


def _search_faults(db: Database, chosen: Settings) -> list[str]:
    wrong = []
    search = Search(db, chosen, encoder=HashEmbedder())
    for mode in ("hybrid", "lexical"):
        for hit in search.search("the effect of rotary embeddings on the optimizer", 30, mode).hits:
            with db.begin() as connection:
                text = connection.execute(sa.text("SELECT text FROM document WHERE document_id = :id"), {"id": hit.document_id}).scalar()
            if text is None or text[hit.start : hit.end] != hit.text or not hit.text.strip():
                wrong.append(f"a search hit that is not there: {hit.uri}")
    try:
        LexicalIndex(chosen.home / "lexical").reader()
    except LexicalIndexMissing as missing:
        if "damaged" in str(missing):
            wrong.append(f"full-text index: {missing}")
    return wrong


def written(db: Database) -> dict[str, str]:
    """Row -> the transaction that wrote it, for documents, vectors and the inventory, each with the version it holds."""
    statement = """SELECT 'document ' || document_id || content_hash || stage_version, xmin::text FROM document
        UNION ALL SELECT 'vector ' || passage_id || embedder_id, xmin::text FROM passage_vector
        UNION ALL SELECT 'reading ' || document_id || digest, xmin::text FROM extraction
        UNION ALL SELECT 'quarantine ' || document_id || content_hash || stage_version || reason, xmin::text FROM quarantine"""
    with db.begin() as connection:
        return {row[0]: row[1] for row in connection.execute(sa.text(statement))}


def _hash(rows: list[Any]) -> str:
    return f"{len(rows)}-" + hashlib.sha256(json.dumps(sorted(repr(row) for row in rows)).encode()).hexdigest()[:16]
