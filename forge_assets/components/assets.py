"""The components room's door: component_mentions, per shard, straight after parsing; component_catalog, once per night over all of them."""

from typing import TYPE_CHECKING, Any

import dagster as dg

from forge_assets.automation import NIGHTLY, ON_CHANGE
from forge_assets.corpus.addresses import shard_numbers
from forge_assets.corpus.assets import DAILY, parsed_papers, works
from forge_assets.partitions import SHARDS
from forge_assets.reporting import OWNERS, begin, global_result, lineage, per_second, shard_result
from forge_resources.for_dagster import DatabaseResource, LanguageModelResource
from forge_resources.settings import settings

if TYPE_CHECKING:
    from forge_assets.components.proposals import ProposalReport


def told(report: "ProposalReport") -> dict[str, Any]:
    """What the language model was asked and what came of it, as metadata."""
    return {
        "proposals": report.new,
        "passages_asked": report.asked,
        "passages_unanswered": report.unanswered,
        "language_model_tokens": report.usage.tokens,
        **({"language_model_stopped": report.stopped} if report.stopped else {}),
    }


def reading_version() -> str:
    """Version of the rules and of the ontology's files; what people accept is looked for by the next night."""
    from forge_assets.components.extraction import RULES_VERSION
    from forge_assets.components.seen import files_version

    return f"{RULES_VERSION}.{files_version()}"


@dg.asset(
    partitions_def=SHARDS,
    deps=[parsed_papers],
    backfill_policy=dg.BackfillPolicy.single_run(),
    code_version=reading_version(),
    automation_condition=ON_CHANGE,
    group_name="components",
    owners=OWNERS,
    kinds={"python", "postgres"},
    freshness_policy=DAILY,
    metadata=lineage(document_id=[("parsed_papers", "document_id")], digest=[("parsed_papers", "text")]),
    tags={"forge/stage": "components"},
)
def component_mentions(
    context: dg.AssetExecutionContext, database: DatabaseResource, language_model: LanguageModelResource
) -> dg.MaterializeResult[Any]:
    """What each document says of components, parameters and their relations, and which names it brings up, each with its span.

    Only new and changed documents are read, and after a change of the ontology those that may hold a name of a changed entry. Where a
    language model is configured, it is asked about what the rules left open; what it says waits in `proposal` for a person.
    """
    from forge_assets.components import store
    from forge_assets.components.extract import extract_shards
    from forge_assets.components.extraction import RULES_VERSION
    from forge_assets.components.ontology import load_ontology
    from forge_assets.components.proposals import propose
    from forge_assets.components.seen import stamp_of
    from forge_assets.corpus.catalogue import shard_counts
    from forge_assets.progress import reporter

    meter = begin()
    chosen, db, shards = settings(), database.connect(), shard_numbers(context.partition_keys)
    model, ontology = language_model.load(db), load_ontology(chosen.overrides_file)
    report = extract_shards(db, ontology, chosen, shards, reporter("component_mentions", context.log.info))
    extra: dict[str, Any] = {"documents_per_second": per_second(report.read, report.seconds)}
    if model is not None:
        extra |= told(propose(db, model, shards, ontology=ontology))
    version = f"{RULES_VERSION}.{stamp_of(ontology)}:{store.digest(db, shards)}"
    counts = shard_counts(db, "extraction", shards)
    return shard_result(context, db, "extraction", counts, version, report, extra, meter=meter, done=report.read)


def catalogue_version() -> str:
    from forge_assets.components.catalogue.version import CATALOGUE_VERSION

    return CATALOGUE_VERSION


@dg.asset(
    deps=[works, component_mentions],
    code_version=catalogue_version(),
    automation_condition=NIGHTLY,
    group_name="components",
    owners=OWNERS,
    kinds={"python", "postgres"},
    freshness_policy=DAILY,
    metadata=lineage(works=[("works", "work_id"), ("component_mentions", "document_id")]),
    tags={"forge/stage": "components"},
)
def component_catalog(context: dg.AssetExecutionContext, database: DatabaseResource) -> dg.MaterializeResult[Any]:
    """What all works together say of each component: how many name it, since when, its usual settings, what stands beside it.

    With them the candidates: names that works bring up and the ontology lacks. Made anew when anything it is made of has changed; on a
    large corpus, where looking for candidates takes minutes, those every FORGE_CANDIDATES_DAYS.
    """
    from forge_assets.components.catalogue.build import build
    from forge_assets.components.ontology import load_ontology

    meter = begin()
    chosen, db = settings(), database.connect()
    ontology, log = load_ontology(chosen.overrides_file), chosen.overrides_file
    report = build(db, ontology, log, context.log.info, chosen.candidates_days)
    version, done = f"{catalogue_version()}:{report.state}", report.works if report.made else 0
    return global_result(context, db, "catalogue_entry", report.components, version, report, meter=meter, done=done)
