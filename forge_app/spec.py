"""`forge spec`: the technical spec of a blueprint, its files, and what differs between two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forge_app.output import as_json, table

if TYPE_CHECKING:
    from forge_assets.blueprints.spec.build import MadeSpec
    from forge_assets.blueprints.spec.model import Spec

FORMS = ("markdown", "yaml", "json", "config", "torchtitan", "nanotron", "card", "ml-bom", "schema")


@click.group()
def spec() -> None:
    """Every number of a training run, with where it comes from: asked, chosen, stated by works, computed, or a default."""


@spec.command("show")
@click.argument("name")
@click.option("--as", "form", type=click.Choice(FORMS), default="markdown", show_default=True, help="in which form")
def show(name: str, form: str) -> None:
    """The spec of blueprint NAME; made if it is not yet, and then kept until the blueprint is refreshed."""
    import json

    from forge_assets.blueprints.spec import files, hugging_face, ml_bom, trainers

    if form == "schema":
        click.echo(json.dumps(files.schema(), indent=2))
        return
    printers = {
        "markdown": files.as_markdown, "yaml": files.as_yaml, "json": files.as_json, "config": hugging_face.config_text,
        "torchtitan": trainers.torchtitan, "nanotron": trainers.nanotron, "card": hugging_face.card, "ml-bom": ml_bom.ml_bom,
    }  # fmt: skip
    click.echo(printers[form](made_spec(name).spec), nl=False)


@spec.command("validate")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
def validate(files: tuple[Path, ...]) -> None:
    """Whether each FILE is a spec in YAML or JSON whose numbers agree; the first fault is told in a sentence."""
    from forge_assets.blueprints.spec.files import leaves, read

    for file in files:
        found = list(leaves(read(file)))
        click.echo(f"{file}: valid, {len(found)} values")


@spec.command("diff")
@click.argument("before")
@click.argument("after")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def diff(before: str, after: str, json_: bool) -> None:
    """What differs between two specs; BEFORE and AFTER are files, or names of blueprints."""
    from forge_assets.blueprints.spec.files import differences

    changes = differences(_either(before), _either(after))
    if json_:
        as_json([{"path": path, "before": old, "after": new} for path, old, new in changes])
    elif changes:
        table(["value", before, after], [list(one) for one in changes])
    else:
        click.echo("no value differs")


@spec.command("files")
@click.argument("name")
@click.option("--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="folder to write into")
@click.option("--force", is_flag=True, help="write over files that stand there and differ")
def write(name: str, folder: Path, force: bool) -> None:
    """Writes the spec of NAME with its projections, and the hierarchy of files a team works from, into a folder."""
    from forge_assets.blueprints.hierarchy.layout import hierarchy_files, written
    from forge_assets.blueprints.spec.build import spec_files

    made = made_spec(name).spec
    count = written(folder, {**spec_files(made), **{f"hierarchy/{file}": text for file, text in hierarchy_files(made).items()}}, force)
    click.echo(f"{count} files in {folder}")


def _either(given: str) -> Spec:
    """A file where one of this name stands, or it looks like one; else a blueprint."""
    from forge_assets.blueprints.spec.files import read

    if Path(given).is_file() or given.endswith((".json", ".yaml", ".yml")) or "/" in given:
        return read(Path(given))
    return made_spec(given).spec


def made_spec(name: str) -> MadeSpec:
    from forge_assets.blueprints.spec.build import spec_of
    from forge_resources.database import Database
    from forge_resources.settings import settings

    chosen = settings()
    with Database.open() as db:
        return spec_of(db, name, chosen.overrides_file, chosen.gpu_price_per_hour)
