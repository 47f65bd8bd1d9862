"""`forge scaffold`: the project of a blueprint, ready to be worked on, and brought up to date where it stands already."""

from __future__ import annotations

from pathlib import Path

import click

from forge_app.output import as_json


@click.command()
@click.argument("name")
@click.option(
    "--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="a new folder, or the project to update"
)
@click.option("--title", metavar="NAME", help="what a new project is called; default: the blueprint's name")
@click.option("--package", metavar="NAME", help="name of a new project's Python package; default: from the title")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def scaffold(name: str, folder: Path, title: str | None, package: str | None, json_: bool) -> None:
    """Writes the project of blueprint NAME: model, tokenizer, data, training, tests, and what people and agents read.

    Where the folder holds the project already, the changes of blueprint and template are brought in, and your edits stay.
    """
    from forge_assets.blueprints.scaffold.build import write_project
    from forge_resources.database import Database
    from forge_resources.settings import settings

    with Database.open() as db:
        written = write_project(db, name, settings(), folder, {"project_name": title, "package": package})
    if json_:
        as_json({"folder": str(written.folder), "version": written.version, "change": written.change, "conflicts": list(written.conflicts)})
        return
    said = {
        "new": f"{folder} holds the project of {name}; begin with its AGENTS.md or specs/001-pretraining/quickstart.md",
        "updated": f"{folder} is the project of {name} as of {written.version} now; look at it with git diff, then commit",
        "none": f"{folder} is up to date",
    }
    click.echo(said[written.change])
    for file in written.conflicts:
        click.echo(f"{file}: your edit and the update meet; choose between <<<<<<< and >>>>>>>", err=True)
