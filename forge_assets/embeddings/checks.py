"""Checks of the embeddings room; each one's name is the claim it makes."""

from collections.abc import Iterable

import dagster as dg

from forge_assets.corpus.checks import count, none_of
from forge_assets.embeddings.assets import lexical_index, passage_embeddings, search_index
from forge_resources.for_dagster import DatabaseResource, EmbedderResource
from forge_resources.settings import settings

RECALL_FLOOR = 0.95
SAMPLE = 50
SCANNED = 5_000_000
"""Vectors that the exact scans may look at in all; of a large corpus fewer queries are asked, ten at least."""


@dg.asset_check(asset=lexical_index)
def every_document_can_be_found_by_its_words(database: DatabaseResource) -> dg.AssetCheckResult:
    """The lexical index holds every parsed document, and nothing else."""
    from forge_assets.embeddings.lexical import LexicalIndex

    held = LexicalIndex(settings().home / "lexical").reader().documents
    parsed = count(database, "SELECT count(*) FROM document")
    return dg.AssetCheckResult(passed=held == parsed, severity=dg.AssetCheckSeverity.WARN, metadata={"indexed": held, "parsed": parsed})


@dg.asset_check(asset=passage_embeddings)
def every_passage_of_an_embedded_shard_has_a_vector(database: DatabaseResource) -> dg.AssetCheckResult:
    """Within shards that have vectors at all, no passage lacks one."""
    statement = """SELECT count(*) FROM passage p WHERE shard IN (SELECT DISTINCT shard FROM passage_vector)
        AND NOT EXISTS (SELECT FROM passage_vector v WHERE v.passage_id = p.passage_id)"""
    return none_of(database, statement, "without a vector", dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=passage_embeddings)
def vectors_have_norm_one(database: DatabaseResource) -> dg.AssetCheckResult:
    """Cosine similarity is an inner product only of vectors of length one; halfvec keeps three digits."""
    return none_of(database, "SELECT count(*) FROM passage_vector WHERE abs(l2_norm(vector) - 1) > 0.01", "of another length")


@dg.asset_check(asset=search_index)
def the_index_finds_what_an_exact_scan_finds(database: DatabaseResource, embedder: EmbedderResource) -> dg.AssetCheckResult:
    """Recall at 10 of the HNSW index against an exact scan, over some of the corpus's own vectors as queries."""
    from forge_assets.embeddings.recall import measure_recall

    vectors = count(database, "SELECT count(*) FROM passage_vector")
    sample = min(SAMPLE, max(10, SCANNED // max(vectors, 1)))
    recall, queries = measure_recall(database.connect(), embedder.load().name, sample)
    passed = recall >= RECALL_FLOOR
    return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata={"recall_at_10": recall, "queries": queries})


CHECKS: Iterable[dg.AssetChecksDefinition] = [
    every_document_can_be_found_by_its_words,
    every_passage_of_an_embedded_shard_has_a_vector,
    vectors_have_norm_one,
    the_index_finds_what_an_exact_scan_finds,
]
