"""Checks of the documentation room; each one's name is the claim it makes."""

from collections.abc import Iterable

import dagster as dg

from forge_assets.documentation.assets import doc_volumes
from forge_resources.for_dagster import DatabaseResource, ObjectStoreResource


@dg.asset_check(asset=doc_volumes)
def every_sentence_has_a_source(database: DatabaseResource, objects: ObjectStoreResource) -> dg.AssetCheckResult:
    """Each sentence carries a citation, each quote is what stands at its place in the document, and a verbatim sentence is its quote."""
    from forge_assets.documentation.audit import audit

    found = audit(database.connect(), objects.connect())
    description = f"{found.faults} faults, such as {found.first}" if found.faults else None
    metadata = {"sentences": found.sentences, "citations": found.citations, "faults": found.faults}
    return dg.AssetCheckResult(passed=not found.faults, description=description, metadata=metadata)


@dg.asset_check(asset=doc_volumes)
def no_sentence_stands_on_two_pages(database: DatabaseResource, objects: ObjectStoreResource) -> dg.AssetCheckResult:
    """Less than one sentence in a hundred is said twice, in all volumes together."""
    from forge_assets.documentation.audit import audit

    found = audit(database.connect(), objects.connect(), quotes=False)
    share = found.repeated / max(1, found.sentences)
    metadata = {"sentences": found.sentences, "repeated": found.repeated, "share": round(share, 5)}
    return dg.AssetCheckResult(passed=share < 0.01, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)


CHECKS: Iterable[dg.AssetChecksDefinition] = [every_sentence_has_a_source, no_sentence_stands_on_two_pages]
