"""The code location: merges the rooms' definitions; nothing else. Loading it needs no database."""

import dagster as dg

from forge_assets.automation import corpus_job, inbox, nightly_reindex, parse_job
from forge_assets.blueprints import assets as blueprints
from forge_assets.compatibility import assets as compatibility
from forge_assets.compatibility.checks import CHECKS as COMPATIBILITY_CHECKS
from forge_assets.components import assets as components
from forge_assets.components.checks import CHECKS as COMPONENTS_CHECKS
from forge_assets.corpus import assets as corpus
from forge_assets.corpus.checks import CHECKS as CORPUS_CHECKS
from forge_assets.documentation import assets as documentation
from forge_assets.documentation.checks import CHECKS as DOCUMENTATION_CHECKS
from forge_assets.embeddings import assets as embeddings
from forge_assets.embeddings.checks import CHECKS as EMBEDDINGS_CHECKS
from forge_assets.fragments.assets import FRAGMENTS
from forge_assets.nights import assets as nights
from forge_assets.topics import assets as topics
from forge_assets.topics.checks import CHECKS as TOPICS_CHECKS
from forge_resources.for_dagster import DatabaseResource, EmbedderResource, LanguageModelResource, ObjectStoreResource

ASSETS = [
    corpus.source_inventory,
    corpus.parsed_papers,
    corpus.works,
    embeddings.lexical_index,
    embeddings.passage_embeddings,
    embeddings.search_index,
    components.component_mentions,
    components.component_catalog,
    topics.topic_clusters,
    topics.topic_map,
    compatibility.compatibility_graph,
    compatibility.technique_stack,
    blueprints.tech_spec,
    blueprints.infrastructure_files,
    blueprints.architecture_diagrams,
    blueprints.pseudocode,
    blueprints.scaffold,
    *FRAGMENTS,
    documentation.doc_volumes,
    documentation.doc_site,
    nights.nightly_report,
]

defs = dg.Definitions(
    assets=dg.with_source_code_references(ASSETS),
    asset_checks=[*CORPUS_CHECKS, *EMBEDDINGS_CHECKS, *COMPONENTS_CHECKS, *TOPICS_CHECKS, *COMPATIBILITY_CHECKS, *DOCUMENTATION_CHECKS],
    jobs=[corpus_job, parse_job, documentation.docs_job],
    schedules=[nightly_reindex],
    sensors=[
        inbox,
        documentation.volumes,
        dg.AutomationConditionSensorDefinition(
            "on_change", target=dg.AssetSelection.all(), default_status=dg.DefaultSensorStatus.RUNNING, minimum_interval_seconds=30
        ),
    ],
    resources={
        "database": DatabaseResource(),
        "objects": ObjectStoreResource(),
        "embedder": EmbedderResource(),
        "language_model": LanguageModelResource(),
    },
    executor=dg.in_process_executor,  # stages parallelise inside; a process per step would load the models again
)
