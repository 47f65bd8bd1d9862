"""`forge docs`: volumes of documentation, each sentence with its source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from forge_app.docs_site import COMMANDS, rewrite_volumes
from forge_app.output import as_json, table

SMALL = 10_000
"""Works of a corpus below which `build` says what pages need."""
JSON = click.option("--json", "json_", is_flag=True, help="print JSON")


@click.group()
def docs() -> None:
    """Volumes of documentation: a page per component, comparisons, surveys, guides, each sentence with its source."""


for command in COMMANDS:
    docs.add_command(command)


@docs.command("build")
@click.argument("volumes", nargs=-1)
@click.option("--rewrite", is_flag=True, help="let the language model write sections as prose afterwards, as `forge docs rewrite` does")
@JSON
def build(volumes: tuple[str, ...], rewrite: bool, json_: bool) -> None:
    """Brings VOLUMES, ids such as optimizer, up to what has been read; all by default.

    Pages whose evidence is the same stay as they are.
    """
    from dataclasses import asdict

    from forge_assets.documentation.build import build as build_volumes
    from forge_resources.database import Database
    from forge_resources.object_store import open_store
    from forge_resources.settings import settings

    chosen = settings()
    with Database.open(chosen) as db:
        report = build_volumes(
            db, open_store(), chosen.overrides_file, chosen.home / "lexical", volumes or None, lambda text: click.echo(text, err=True)
        )
    _tell_dagster(report)
    if rewrite:
        rewrite_volumes(volumes, False, True, False, aside=True)
    if json_:
        as_json(asdict(report))
    else:
        click.echo(
            f"{report.pages:,} pages in {report.volumes:,} volumes, {report.made:,} of them made anew, in {report.seconds:.0f} s; "
            f"{report.missing:,} things lack evidence for a page"
        )
        if report.works < SMALL:
            _tell_floor(report)


@docs.command("list")
@click.argument("volume", required=False)
@click.option("--missing", is_flag=True, help="what lacks evidence for a page, and why")
@JSON
def list_(volume: str | None, missing: bool, json_: bool) -> None:
    """The volumes, or the pages of one VOLUME."""
    from forge_assets.documentation import catalogue
    from forge_assets.documentation.build import read_volume
    from forge_resources.database import Database
    from forge_resources.errors import QueryError
    from forge_resources.object_store import open_store
    from forge_resources.settings import settings

    if missing:
        if volume is None:
            raise QueryError("--missing needs a volume; `forge docs list` names them")
        there = read_volume(open_store(), volume)
        if there is None:
            raise QueryError(f"there is no volume {volume!r}; `forge docs list` names those that are")
        rows = [one.model_dump() for one in there.missing]
    else:
        with Database.open() as db:
            rows = catalogue.pages(db, volume, settings().overrides_file) if volume else catalogue.volumes(db)
    if json_:
        as_json(rows)
    elif rows:
        table(list(rows[0]), [list(row.values()) for row in rows])
    else:
        click.echo("no volumes; `forge docs build` makes them")


@docs.command("hierarchy")
@click.option("--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="the folder to write into")
def hierarchy(folder: Path) -> None:
    """The hierarchy of the corpus as files: tokenizer.yaml, model.yaml, training_loop.md, data_pipeline.txt, ... and their JSON Schema."""
    from forge_assets.components.ontology import load_ontology
    from forge_assets.documentation.hierarchy import files, reading
    from forge_resources.database import Database
    from forge_resources.errors import QueryError
    from forge_resources.settings import settings

    with Database.open() as db:
        made = files.files(reading.known(db, load_ontology(settings().overrides_file)))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise QueryError(f"--to {folder} cannot be written: {error.strerror or error}") from None
    click.echo(f"{len(made)} files in {folder}")


@docs.command("approve")
@click.argument("page")
@click.option("--reason", required=True, help="what was looked at")
def approve(page: str, reason: str) -> None:
    """PAGE, such as optimizer/adamw, is right as it stands. An approval holds for this text; when the page changes, it lapses."""
    click.echo(decide_page("approve", page, reason))


@docs.command("reject")
@click.argument("page")
@click.option("--reason", required=True, help="what is wrong with it")
def reject(page: str, reason: str) -> None:
    """PAGE is wrong as it stands; the log keeps why. When the page changes, the rejection lapses."""
    click.echo(decide_page("reject", page, reason))


def decide_page(verdict: Any, page: str, reason: str) -> str:
    """Appends the decision on a page as it stands now to the log and says so."""
    import datetime

    from forge_app.candidates import author
    from forge_assets.documentation import catalogue
    from forge_resources.database import Database
    from forge_resources.decisions import Decision, append_decision
    from forge_resources.settings import settings

    log = settings().overrides_file
    with Database.open() as db:
        sha256 = catalogue.page_hash(db, page)
    append_decision(log, Decision(verdict, catalogue.KIND, page, reason, author(), datetime.date.today(), None, {"sha256": sha256}))
    return f"{page}: {verdict} of the text {sha256[:12]} stands in {log}"


def _tell_floor(report: Any) -> None:
    """Why there are few pages, in numbers, and what to do."""
    if not report.works:
        click.echo("there are no works yet: `forge source add PLACE`, then `forge run works component_mentions component_catalog "
                   "compatibility_graph`, and build again")  # fmt: skip
        return
    click.echo(f"{report.components:,} components have a page of their own. The corpus has {report.works:,} works; at this size a page "
               f"needs sentences of {report.floor} works that can be quoted, one of which says what it is or how it works.")  # fmt: skip
    if report.nearest:
        click.echo("Nearest to a page: " + "; ".join(f"{name} ({reason.split(';')[0]})" for name, reason in report.nearest))
    click.echo(
        "More articles on the same subjects bring pages (`forge source add`, `forge run`); `forge docs list VOLUME --missing` tells of each"
    )


def _tell_dagster(report: Any) -> None:
    """The partitions are there and fresh: what was made here is what their run would have made."""
    import dagster as dg

    from forge_app.instance import instance
    from forge_assets.documentation.assets import pages_version
    from forge_assets.partitions import VOLUMES_SET
    from forge_resources.settings import settings

    version = pages_version()
    with instance(settings()) as home:
        home.add_dynamic_partitions(VOLUMES_SET, list(report.counts))
        for volume, pages in report.counts.items():
            tags = {"dagster/data_version": f"{version}:{report.states[volume]}", "dagster/code_version": version}
            home.report_runless_asset_event(
                dg.AssetMaterialization("doc_volumes", partition=volume, metadata={"dagster/partition_row_count": pages}, tags=tags)
            )
