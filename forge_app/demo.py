"""`forge demo`: the main job on the sample corpus (or a folder of yours), and a table of what was made and where it lies."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from forge_app.output import table
from forge_resources.errors import SourceError
from forge_resources.settings import PROJECT, Settings

SAMPLE = PROJECT / "examples" / "corpus"
QUESTION = "Who introduced rotary position embeddings, and what base do LLaMA models use?"


@click.command()
@click.option(
    "--corpus",
    "folder",
    type=click.Path(path_type=Path),
    default=SAMPLE,
    help="folder of articles; default: the sample corpus of the checkout",
)
def demo(folder: Path) -> None:
    """Take in a corpus, parse, embed and index it, and ask it a question."""
    from forge_app.run import materialize
    from forge_assets.corpus.sources import add_source, list_sources, normalise
    from forge_resources.database import Database
    from forge_resources.settings import settings

    started = time.monotonic()
    chosen = settings()
    if not folder.exists():
        raise SourceError(f"{folder} does not exist; the sample corpus comes with a checkout of Forge, or name a folder by --corpus")
    with Database.open(chosen) as db:
        if normalise(str(folder)) not in {row["address"] for row in list_sources(db)}:
            add_source(db, chosen, str(folder))
        made = materialize()
        _show(db, chosen, made, time.monotonic() - started)
        _answer(db, chosen)


def _show(db: Any, settings: Settings, made: dict[str, dict[str, Any]], seconds: float) -> None:
    from forge_assets.corpus.catalogue import problem_counts

    scan = made["source_inventory"]
    parsed = made["parsed_papers"]
    where = {
        "source_inventory": f"{settings.objects_url}/raw",
        "lexical_index": str(settings.home / "lexical"),
    }
    rows = [
        [name, m["dagster/row_count"], f"{m.get('seconds', 0):.1f} s", where.get(name, f"Postgres: {m.get('dagster/table_name')}")]
        for name, m in made.items()
        if "dagster/row_count" in m
    ]
    table(["asset", "rows", "time", "where it lies"], rows, title="What was made")
    changes = f"{scan['new']} new, {scan['changed']} changed, {scan['removed']} removed"
    outcome = f"{parsed['parsed']} parsed, {parsed['quarantined']} quarantined, in {seconds:.1f} s"
    click.echo(f"{scan['new'] + scan['changed']} documents changed ({changes}), {outcome}")
    if counts := problem_counts(db):
        click.echo(f"in quarantine: {', '.join(f'{number} {code}' for code, number in counts.items())}; see `forge corpus problems`")
    click.echo(f"all state lies in {settings.home}; delete that folder to forget everything")


def _answer(db: Any, settings: Settings) -> None:
    from forge_app.search import show_answer
    from forge_assets.embeddings.ask import ask

    click.echo(f"\n$ forge ask {QUESTION!r}")
    show_answer(ask(db, settings, QUESTION))
    click.echo("\nNext: `forge search QUERY`, `forge up` for the Dagster UI, docs/tutorial for the first hour.")
