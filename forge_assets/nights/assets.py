"""The last door of a night: nightly_report, when every stage of it is through."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from forge_assets.compatibility.assets import compatibility_graph
from forge_assets.components.assets import component_catalog
from forge_assets.corpus.assets import works
from forge_assets.embeddings.assets import lexical_index, search_index
from forge_assets.reporting import OWNERS
from forge_assets.topics.assets import topic_map
from forge_resources.for_dagster import DatabaseResource
from forge_resources.settings import settings


@dg.asset(
    deps=[works, lexical_index, search_index, component_catalog, topic_map, compatibility_graph],
    code_version="1",
    group_name="nights",
    owners=OWNERS,
    kinds={"postgres"},
    op_tags={"dagster/priority": "-10"},
    tags={"forge/stage": "nights"},
)
def nightly_report(context: dg.AssetExecutionContext, database: DatabaseResource) -> dg.MaterializeResult[Any]:
    """What this run brought, took and cost, stage by stage, beside the median of the last nights; `forge corpus nights` prints it too.

    Blueprints for which a better stack exists by now are told, and left as they are.
    """
    from forge_assets.compatibility.stack.outlook import outlooks
    from forge_assets.nights.report import markdown, summary, tell

    chosen, db = settings(), database.connect()
    night = tell(db, chosen, context.run.run_id, datetime.now(UTC))
    context.log.info(summary(night))
    better = [one.told for one in outlooks(db, chosen.overrides_file) if one.better]
    for sentence in better:
        context.log.info(sentence)
    metadata: dict[str, Any] = {
        "report": dg.MetadataValue.md(markdown(night)),
        "summary": summary(night),
        "seconds": round(night.seconds, 3),
        "cpu_seconds": round(night.cpu_seconds, 3),
        "better_stacks": dg.MetadataValue.md("\n".join(f"- {sentence}" for sentence in better) or "none"),
    }
    return dg.MaterializeResult(data_version=dg.DataVersion(night.stages[0].run_id), metadata=metadata)
