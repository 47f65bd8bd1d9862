"""`forge components`: what the ontology knows, what the corpus says of it, and what people added to it."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forge_app import catalogue
from forge_app.candidates import accept, candidates, reject
from forge_app.output import as_json, table

if TYPE_CHECKING:
    from forge_assets.components.ontology.model import Component, Ontology, ParameterUse, Slot


def _ontology() -> Ontology:
    from forge_assets.components.ontology import load_ontology
    from forge_resources.settings import settings

    return load_ontology(settings().overrides_file)


def _slot(ontology: Ontology, name: str | None) -> Slot | None:
    """Raises QueryError for a slot that nobody knows."""
    from forge_resources.errors import QueryError
    from forge_resources.strict_yaml import near

    if name is None or name in ontology.slots:
        return ontology.slots[name] if name else None
    raise QueryError(f"no slot is called {name!r}{near(name, ontology.slots) or '; the slots are: ' + ', '.join(ontology.slots)}")


@click.group()
def components() -> None:
    """The tree of components: what can fill which place of a training infrastructure."""


for command in (candidates, accept, reject):
    components.add_command(command)


@components.command("list")
@click.option("--slot", metavar="SLOT", help="only what fits this slot, e.g. attention")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def list_(slot: str | None, json_: bool) -> None:
    """The components with slot, year and aliases, and once there is a catalogue with the works that name them."""
    ontology = _ontology()
    one = _slot(ontology, slot)
    chosen = [each for each in ontology.components.values() if one is None or one.id in (each.slot, *each.also_slots)]
    entries = catalogue.entries()
    if json_:
        as_json([_as_dict(each) | ({} if entries is None else {"catalogue": entries.get(each.id)}) for each in chosen])
        return
    rows = [[c.id, c.name, c.slot, str(c.introduced.year) if c.introduced else ""] for c in chosen]
    head = ["component", "name", "slot", "year"]
    if entries is not None:
        head += ["works", "used", "trend"]
        for row in rows:
            found = entries.get(row[0], {"works": 0, "used": 0, "trend": None})
            row += [found["works"], found["used"], catalogue.growth(found["trend"])]
    table([*head, "aliases"], [[*row, ", ".join(a.text for a in c.aliases)] for row, c in zip(rows, chosen, strict=True)])
    click.echo("1 component" if len(rows) == 1 else f"{len(rows)} components")


@components.command("show")
@click.argument("name")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def show(name: str, json_: bool) -> None:
    """One component: what the ontology knows, and what the works say. NAME is its id, its name or one of its aliases."""
    from forge_assets.components.ontology.naming import find_one

    ontology = _ontology()
    found = find_one(ontology, name)
    entry = catalogue.entry(found.id)
    if json_:
        as_json(_as_dict(found) | ({} if entry is None else {"catalogue": entry}))
        return
    head = f"{found.name}  ({found.id})"
    click.echo(click.style(head, bold=True))
    click.echo(found.description)
    click.echo()
    told = [*_told(found, ontology), *([] if entry is None else catalogue.told(entry))]
    width = max(len(label) for label, _ in told)
    for label, said in told:
        click.echo(f"{label + ':' if label else '':<{width + 2}}{said}")


@components.command("tree")
@click.option("--slot", metavar="SLOT", help="only this slot, e.g. attention")
@click.option("--html", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="write one self-contained page that folds")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def tree(slot: str | None, html: Path | None, json_: bool) -> None:
    """All components as a tree: task, slot, component, variants below what they vary; with a catalogue the most named first."""
    from forge_assets.components.ontology.tree import grow, lines

    if html and json_:
        raise click.UsageError("--html and --json exclude each other")
    ontology = _ontology()
    _slot(ontology, slot)
    entries = catalogue.entries()
    counts: dict[str, Any] = {}
    if entries is not None:
        counts["works"] = {id_: entry["works"] for id_, entry in entries.items()}
        counts["trends"] = {id_: entry["trend"] for id_, entry in entries.items()}
    if html:
        _write_page(ontology, slot, html, counts)
        return
    branches = grow(ontology, slot=slot, **counts)
    if json_:
        as_json([_branch(branch) for branch in branches])
        return
    for before, branch, note in lines(branches):
        title = click.style(branch.title, bold=branch.component is None)
        click.echo(f"{click.style(before, dim=True)}{title}  {click.style(note, dim=True)}")


@components.command("export")
@click.argument("name", required=False)
@click.option("--kind", "kinds", multiple=True, type=click.Choice(["mention", "parameter", "relation"]), help="only these; default: all")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="a file instead of standard output")
def export(name: str | None, kinds: tuple[str, ...], output: Path | None) -> None:
    """What was read of a component NAME, or of all: JSON lines, each with address, span and the text that stands there."""
    from forge_assets.components.catalogue import lookup
    from forge_assets.components.ontology.naming import find_one
    from forge_resources.database import Database
    from forge_resources.errors import QueryError

    component = find_one(_ontology(), name).id if name else None
    try:
        with Database.open() as db, output.open("w", encoding="utf-8") if output else nullcontext(sys.stdout) as file:
            for row in lookup.export(db, component, kinds or lookup.KINDS):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise QueryError(f"--output {output} cannot be written: {error.strerror or error}") from None


@components.command("problems")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def problems(json_: bool) -> None:
    """Documents that the rules failed on, with the reason; nothing is known of what they say."""
    from forge_assets.components import store
    from forge_resources.database import Database

    with Database.open() as db:
        rows = store.problems(db)
    if json_:
        as_json(rows)
    elif not rows:
        click.echo("no problems: the rules could read every document they were given")
    else:
        table(["document", "reason"], [[row["uri"], row["reason"]] for row in rows])
        number = "1 document" if len(rows) == 1 else f"{len(rows)} documents"
        click.echo(f"{number}; each is tried again when it, the rules or the ontology change")


def _write_page(ontology: Ontology, slot: str | None, file: Path, counts: dict[str, Any]) -> None:
    from forge_assets.components.ontology.tree_picture import draw
    from forge_resources.errors import QueryError

    try:
        file.write_text(draw(ontology, slot=slot, **counts), encoding="utf-8")
    except OSError as error:
        raise QueryError(f"--html {file} cannot be written: {error.strerror or error}") from None
    click.echo(f"wrote {file}")


def _told(component: Component, ontology: Ontology) -> list[tuple[str, str]]:
    """What is known of a component, line by line; what it lacks is left out."""
    introduced = component.introduced
    children = [each.id for each in ontology.components.values() if each.parent == component.id]
    told = [
        ("slot", f"{component.slot} ({ontology.slots[component.slot].title})"),
        ("also fits", ", ".join(component.also_slots)),
        ("serves", ", ".join(component.tasks)),
        ("variant of", component.parent or ""),
        ("variants", ", ".join(children)),
        ("aliases", ", ".join(_alias(alias) for alias in component.aliases)),
        ("introduced", f"{introduced.title}, {introduced.year}" if introduced else ""),
        ("source", _source(component)),
        ("takes", ", ".join(_port(name, ontology) for name in component.inputs)),
        ("gives", ", ".join(_port(name, ontology) for name in component.outputs)),
        ("holds", ", ".join(_port(name, ontology) for name in component.inside)),
        ("build", component.build),
    ]
    told += [("parameter", _use(use, ontology)) for use in component.parameters]
    return [(label, said) for label, said in told if said]


def _alias(alias: Any) -> str:
    rules = [f"near {' | '.join(alias.context)}"] if alias.context else []
    rules += [f"not near {' | '.join(alias.unless)}"] if alias.unless else []
    return f"{alias.text} ({'; '.join(rules)})" if rules else str(alias.text)


def _source(component: Component) -> str:
    introduced = component.introduced
    if introduced is None:
        return ""
    if introduced.arxiv:
        return f"arxiv:{introduced.arxiv}"
    return f"doi:{introduced.doi}" if introduced.doi else introduced.url or ""


def _port(name: str, ontology: Ontology) -> str:
    shape = ontology.ports[name].shape
    return name if not shape else f"{name} [{', '.join(shape)}]"


def _use(use: ParameterUse, ontology: Ontology) -> str:
    unit = ontology.parameters[use.id].unit
    said = [f"default {json.dumps(use.default)}"] if use.default is not None else []
    if use.low is not None or use.high is not None:
        said.append(f"{'' if use.low is None else f'{use.low:g}'} to {'' if use.high is None else f'{use.high:g}'}")
    return f"{use.id}{f' ({unit})' if unit else ''}" + (f": {', '.join(said)}" if said else "") + (f"; {use.note}" if use.note else "")


def _as_dict(component: Component) -> dict[str, Any]:
    return asdict(component)


def _branch(branch: Any) -> dict[str, Any]:
    return {
        "kind": branch.kind,
        "id": branch.id,
        "title": branch.title,
        "components": branch.size,
        **({} if branch.works is None else {"works": branch.works, "trend": branch.trend}),
        "children": [_branch(child) for child in branch.children],
    }
