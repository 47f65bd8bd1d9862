"""Checks of the components room; each one's name is the claim it makes."""

from collections.abc import Iterable

import dagster as dg
import sqlalchemy as sa

from forge_assets.components.assets import component_catalog, component_mentions
from forge_assets.corpus.checks import none_of
from forge_resources.for_dagster import DatabaseResource
from forge_resources.settings import settings

SAMPLE = 200
"""Documents looked at, others each time."""
READ_AGAIN = 40


@dg.asset_check(asset=component_mentions)
def every_mention_lies_on_its_text(database: DatabaseResource) -> dg.AssetCheckResult:
    """In a sample of documents, all that was found lies inside the text, begins with a letter or digit, and is what was quoted."""
    from forge_assets.components.repeat import misplaced

    found, rows = misplaced(database.connect(), SAMPLE)
    description = f"{len(found)} of {rows} do not lie on their text, such as {found[0]}" if found else None
    return dg.AssetCheckResult(passed=not found, description=description, metadata={"rows": rows, "misplaced": len(found)})


@dg.asset_check(asset=component_mentions)
def a_document_read_again_says_the_same(database: DatabaseResource) -> dg.AssetCheckResult:
    """In a sample of documents, reading them once more by the rules and the ontology of today gives the rows that are stored."""
    from forge_assets.components.ontology import load_ontology
    from forge_assets.components.repeat import differing

    found, number = differing(database.connect(), load_ontology(settings().overrides_file), READ_AGAIN)
    description = f"{len(found)} of {number} differ, such as {found[0]}" if found else None
    return dg.AssetCheckResult(passed=not found, description=description, metadata={"read_again": number, "differing": len(found)})


@dg.asset_check(asset=component_mentions)
def mentions_are_of_known_components(database: DatabaseResource) -> dg.AssetCheckResult:
    """What was read by an ontology names no component that this ontology lacks."""
    statement = """SELECT DISTINCT component FROM (
            SELECT e.ontology, m.component FROM mention m JOIN extraction e USING (document_id) GROUP BY e.ontology, m.component
            EXCEPT SELECT ontology, jsonb_object_keys(entries) FROM ontology_version) AS lacking ORDER BY component"""
    with database.connect().begin() as connection:
        unknown = connection.execute(sa.text(statement)).scalars().all()
    description = f"the ontology lacks {', '.join(unknown[:5])}" if unknown else None
    return dg.AssetCheckResult(passed=not unknown, description=description, metadata={"unknown": len(unknown)})


@dg.asset_check(asset=component_mentions)
def every_document_of_a_read_shard_has_a_reading(database: DatabaseResource) -> dg.AssetCheckResult:
    """Within shards that have been read at all, no document is left out."""
    statement = """SELECT count(*) FROM document d WHERE shard IN (SELECT DISTINCT shard FROM extraction)
        AND NOT EXISTS (SELECT FROM extraction e WHERE e.document_id = d.document_id)"""
    return none_of(database, statement, "not read", dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=component_mentions)
def the_rules_could_read_every_document(database: DatabaseResource) -> dg.AssetCheckResult:
    """Warns when the rules failed on documents; `forge components problems` tells which and why."""
    from forge_assets.components.store import problems

    found = problems(database.connect())
    lines = [f"| {problem['uri'].replace('|', '%7C')} | {problem['reason'].replace('|', '/')} |" for problem in found[:50]]
    documents = "1 document" if len(found) == 1 else f"{len(found)} documents"
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"the rules failed on {documents}; `forge components problems` tells which" if found else None,
        metadata={"failed": len(found), "first": dg.MetadataValue.md("\n".join(["| document | reason |", "|---|---|", *lines]))},
    )


@dg.asset_check(asset=component_catalog)
def every_catalogue_entry_has_a_source(database: DatabaseResource) -> dg.AssetCheckResult:
    """What the catalogue counts, quotes or puts forward stands in a document that is there."""
    from forge_assets.components.catalogue.sources import unsourced

    found, rows = unsourced(database.connect())
    description = f"{len(found)} of {rows} have none, such as {found[0]}" if found else None
    return dg.AssetCheckResult(passed=not found, description=description, metadata={"rows": rows, "without": len(found)})


@dg.asset_check(asset=component_catalog)
def the_catalogue_counts_works_and_not_copies(database: DatabaseResource) -> dg.AssetCheckResult:
    """No component has more works than documents, or more works that use it than works; no year has more than all of them."""
    statement = """SELECT count(*) FROM catalogue_entry WHERE works > documents OR used > works OR works < 1
        OR (SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(years)) > works"""
    return none_of(database, statement, "miscounted")


@dg.asset_check(asset=component_catalog)
def no_candidate_is_a_component(database: DatabaseResource) -> dg.AssetCheckResult:
    """What the ontology has, and what a person rejected, is not put forward."""
    from datetime import date

    from forge_assets.components.catalogue.build import rejected_ids
    from forge_assets.components.ontology import load_ontology

    log = settings().overrides_file
    closed = sorted({*load_ontology(log).components, *rejected_ids(log, date.today())})
    with database.connect().begin() as connection:
        statement = sa.text("SELECT candidate FROM candidate WHERE candidate = ANY(:closed) ORDER BY candidate")
        found = connection.execute(statement, {"closed": closed}).scalars().all()
    description = f"put forward though decided: {', '.join(found[:5])}" if found else None
    return dg.AssetCheckResult(
        passed=not found, severity=dg.AssetCheckSeverity.WARN, description=description, metadata={"decided": len(found)}
    )


CHECKS: Iterable[dg.AssetChecksDefinition] = [
    every_mention_lies_on_its_text,
    a_document_read_again_says_the_same,
    mentions_are_of_known_components,
    every_document_of_a_read_shard_has_a_reading,
    the_rules_could_read_every_document,
    every_catalogue_entry_has_a_source,
    the_catalogue_counts_works_and_not_copies,
    no_candidate_is_a_component,
]
