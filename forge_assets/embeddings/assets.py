"""The embeddings room's door: lexical_index straight after parsing, passage_embeddings per shard, search_index over all vectors."""

from typing import Any

import dagster as dg

from forge_assets.automation import AFTER_LOAD, ON_CHANGE
from forge_assets.corpus.addresses import shard_numbers
from forge_assets.corpus.assets import DAILY, parsed_papers
from forge_assets.partitions import SHARDS
from forge_assets.reporting import OWNERS, begin, global_result, lineage, per_second, shard_result
from forge_resources.for_dagster import DatabaseResource, EmbedderResource
from forge_resources.settings import settings

EMBEDDING_VERSION = "1"


@dg.asset(
    deps=[parsed_papers],
    code_version="1",
    automation_condition=AFTER_LOAD,
    group_name="embeddings",
    owners=OWNERS,
    kinds={"rust", "python"},
    freshness_policy=DAILY,
    op_tags={"dagster/priority": "2"},
    tags={"forge/stage": "embeddings"},
)
def lexical_index(context: dg.AssetExecutionContext, database: DatabaseResource) -> dg.MaterializeResult[Any]:
    """BM25 over all passages (tantivy), beside Postgres and derived from it: what is parsed can be searched at once.

    One writer; readers see the last commit. A lost or damaged index is rebuilt.
    """
    from forge_assets.embeddings.lexical import LexicalIndex
    from forge_assets.progress import reporter

    meter = begin()
    index = LexicalIndex(settings().home / "lexical")
    report = index.sync(database.connect(), reporter("lexical_index", context.log.info))
    extra = {"documents_per_second": per_second(report.added, report.seconds), "dagster/uri": str(index.folder)}
    db, done = database.connect(), report.added + report.removed
    return global_result(context, db, None, report.documents, report.digest, report, extra, meter=meter, done=done)


@dg.asset(
    partitions_def=SHARDS,
    deps=[parsed_papers],
    backfill_policy=dg.BackfillPolicy.single_run(),
    code_version=EMBEDDING_VERSION,
    automation_condition=ON_CHANGE,
    pool="gpu",
    group_name="embeddings",
    owners=OWNERS,
    kinds={"pytorch", "postgres"},
    freshness_policy=DAILY,
    metadata=lineage(vector=[("parsed_papers", "text")], passage_id=[("parsed_papers", "document_id")]),
    tags={"forge/stage": "embeddings"},
)
def passage_embeddings(
    context: dg.AssetExecutionContext, database: DatabaseResource, embedder: EmbedderResource
) -> dg.MaterializeResult[Any]:
    """One vector per passage, by the embedder of FORGE_EMBEDDER. Another embedder embeds anew; nothing is parsed again."""
    from forge_assets.corpus.catalogue import shard_counts
    from forge_assets.embeddings.vectors import embed_shards, vectors_digest
    from forge_assets.progress import reporter

    meter = begin()
    db, model, shards = database.connect(), embedder.load(), shard_numbers(context.partition_keys)
    report = embed_shards(db, model, shards, reporter("passage_embeddings", context.log.info))
    backend = model.backend or "none was needed"
    extra = {"passages_per_second": per_second(report.embedded, report.seconds), "embedder": model.name, "backend": backend}
    version = f"{EMBEDDING_VERSION}:{model.name}:{vectors_digest(db, shards)}"
    counts, gpu_seconds = shard_counts(db, "passage_vector", shards), report.seconds if "cuda" in model.backend else 0.0
    return shard_result(
        context, db, "passage_vector", counts, version, report, extra, meter=meter, done=report.embedded, gpu_seconds=gpu_seconds
    )


@dg.asset(
    deps=[passage_embeddings],
    code_version="1",
    automation_condition=AFTER_LOAD,
    group_name="embeddings",
    owners=OWNERS,
    kinds={"postgres"},
    freshness_policy=DAILY,
    op_tags={"dagster/priority": "-1"},
    tags={"forge/stage": "embeddings"},
)
def search_index(context: dg.AssetExecutionContext, database: DatabaseResource, embedder: EmbedderResource) -> dg.MaterializeResult[Any]:
    """The HNSW index (pgvector, halfvec, cosine) over all vectors of the embedder; until it stands, search scans exactly."""
    from forge_assets.embeddings.vectors import build_index

    meter = begin()
    report = build_index(database.connect(), embedder.load())
    context.log.info("index %s over %d vectors", "built" if report.built else "up to date", report.vectors)
    db, done = database.connect(), report.vectors if report.built else 0
    return global_result(context, db, "passage_vector", report.vectors, report.digest, report, meter=meter, done=done)
