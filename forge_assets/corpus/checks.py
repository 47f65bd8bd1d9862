"""Checks of the corpus room; each one's name is the claim it makes."""

from collections.abc import Iterable

import dagster as dg
import sqlalchemy as sa

from forge_assets.corpus.assets import parsed_papers, source_inventory, works
from forge_resources.for_dagster import DatabaseResource


def count(database: DatabaseResource, statement: str) -> int:
    with database.connect().begin() as connection:
        return int(connection.execute(sa.text(statement)).scalar_one())


def none_of(
    database: DatabaseResource, statement: str, what: str, severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
) -> dg.AssetCheckResult:
    """Passes when the statement counts nothing."""
    found = count(database, statement)
    description = f"{found} {what}" if found else None
    return dg.AssetCheckResult(passed=not found, severity=severity, description=description, metadata={what: found})


@dg.asset_check(asset=source_inventory)
def every_address_lies_in_its_shard(database: DatabaseResource) -> dg.AssetCheckResult:
    """The shard of a document is the first six bits of the hash of its address."""
    return none_of(database, "SELECT count(*) FROM inventory WHERE shard <> get_byte(uuid_send(document_id), 0) >> 2", "misplaced")


@dg.asset_check(asset=source_inventory)
def every_source_could_be_reached(database: DatabaseResource) -> dg.AssetCheckResult:
    """Warns when the last harvest of a feed broke off; what it had told before is kept, and the next run asks again."""
    with database.connect().begin() as connection:
        rows = connection.execute(sa.text("SELECT source, failure FROM harvest WHERE failure IS NOT NULL ORDER BY source")).all()
    sentences = [f"source {row.source}: {row.failure}" for row in rows]
    return dg.AssetCheckResult(
        passed=not rows,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(sentences) or None,
        metadata={"unreachable": len(rows), "sources": dg.MetadataValue.json(sentences)},
    )


@dg.asset_check(asset=parsed_papers)
def every_listed_document_is_parsed_or_quarantined(database: DatabaseResource) -> dg.AssetCheckResult:
    """Nothing is lost between the inventory and the corpus. Shards not yet parsed are not counted."""
    statement = """SELECT count(*) FROM inventory i WHERE shard IN (SELECT shard FROM document UNION SELECT shard FROM quarantine)
        AND NOT EXISTS (SELECT FROM document d WHERE d.document_id = i.document_id)
        AND NOT EXISTS (SELECT FROM quarantine q WHERE q.document_id = i.document_id)"""
    return none_of(database, statement, "lost", dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=parsed_papers)
def every_document_could_be_read(database: DatabaseResource) -> dg.AssetCheckResult:
    """Warns when documents are quarantined; `forge corpus problems` tells which and why."""
    from forge_assets.corpus.catalogue import problems

    found = problems(database.connect())
    lines = [f"| {p['code']} | {p['uri'].replace('|', '%7C')} | {p['reason'].replace('|', '/')} |" for p in found[:50]]
    table = "\n".join(["| code | document | reason |", "|---|---|---|", *lines])
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(found)} {'document is' if len(found) == 1 else 'documents are'} quarantined" if found else None,
        metadata={"quarantined": len(found), "first": dg.MetadataValue.md(table)},
    )


@dg.asset_check(asset=parsed_papers)
def passages_lie_inside_their_document(database: DatabaseResource) -> dg.AssetCheckResult:
    """Every offset points into the canonical text, in order, and no passage is longer than 256 word pieces."""
    statement = """SELECT count(*) FROM passage p JOIN document d USING (document_id)
        WHERE p.start < 0 OR p."end" <= p.start OR p."end" > length(d.text) OR p.tokens > 256"""
    return none_of(database, statement, "outside")


@dg.asset_check(asset=parsed_papers)
def every_document_has_a_passage(database: DatabaseResource) -> dg.AssetCheckResult:
    """A document without passages could never be found."""
    return none_of(
        database, "SELECT count(*) FROM document d WHERE NOT EXISTS (SELECT FROM passage p WHERE p.document_id = d.document_id)", "without"
    )


@dg.asset_check(asset=works)
def every_document_belongs_to_one_work(database: DatabaseResource) -> dg.AssetCheckResult:
    """Statistics count works, so a document outside of all works would count for nothing."""
    statement = "SELECT count(*) FROM document d WHERE NOT EXISTS (SELECT FROM work_document w WHERE w.document_id = d.document_id)"
    return none_of(database, statement, "without a work", dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=works)
def works_are_made_of_their_documents(database: DatabaseResource) -> dg.AssetCheckResult:
    """No work without documents, and the main document of each is one of its own."""
    statement = """SELECT count(*) FROM work w WHERE NOT EXISTS (
        SELECT FROM work_document m WHERE m.work_id = w.work_id AND m.document_id = w.main_document)"""
    return none_of(database, statement, "without its main document", dg.AssetCheckSeverity.WARN)


CHECKS: Iterable[dg.AssetChecksDefinition] = [
    every_address_lies_in_its_shard,
    every_source_could_be_reached,
    every_listed_document_is_parsed_or_quarantined,
    every_document_could_be_read,
    passages_lie_inside_their_document,
    every_document_has_a_passage,
    every_document_belongs_to_one_work,
    works_are_made_of_their_documents,
]
