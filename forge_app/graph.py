"""`forge graph`: which components go together, which do not, and the sentences that say so."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forge_app.output import as_json

if TYPE_CHECKING:
    from forge_assets.compatibility.graph.lookup import Passage, Place
    from forge_assets.compatibility.graph.model import Edge
    from forge_assets.compatibility.graph.view import Filter
    from forge_assets.components.ontology.model import Ontology
    from forge_resources.database import Database
    from forge_resources.decisions import Verdict

SHOWN = 3
SLOTS = click.option("--slot", "slots", metavar="SLOT", multiple=True, help="only edges that touch this slot, e.g. attention; repeatable")
RELATIONS = click.option("--relation", "relations", metavar="RELATION", multiple=True, help="only this relation, e.g. requires; repeatable")
AT_LEAST = click.option(
    "--min-confidence", "at_least", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="0.5 is no opinion"
)
OUTPUT = click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="a file instead of standard output")
JSON = click.option("--json", "json_", is_flag=True, help="print JSON")


@click.group()
def graph() -> None:
    """The compatibility graph: what requires, excludes, accompanies, replaces or beats what, each with its sources."""


@contextmanager
def _opened() -> Iterator[tuple[Database, Ontology]]:
    """The database, with a graph in it, and the ontology."""
    from forge_assets.compatibility.graph import store
    from forge_assets.components.ontology import load_ontology
    from forge_resources.database import Database
    from forge_resources.errors import QueryError
    from forge_resources.settings import settings

    chosen = settings()
    with Database.open(chosen) as db:
        if not store.is_made(db):
            raise QueryError("there is no compatibility graph yet; `forge run compatibility_graph` makes it")
        yield db, load_ontology(chosen.overrides_file)


def _filter(slots: Sequence[str], relations: Sequence[str], at_least: float) -> Filter:
    from forge_assets.compatibility.graph.view import Filter

    return Filter(tuple(slots), tuple(relations), at_least)


@graph.command("show")
@click.argument("component")
@RELATIONS
@AT_LEAST
@click.option("--all", "all_", is_flag=True, help=f"all evidence, not only the {SHOWN} strongest pieces of each edge")
@JSON
def show(component: str, relations: tuple[str, ...], at_least: float, all_: bool, json_: bool) -> None:
    """The edges of a COMPONENT, the surest first, each with the sentences it stands on. COMPONENT is its id, its name or an alias."""
    from forge_assets.compatibility.graph import lookup, store
    from forge_assets.compatibility.graph.view import check
    from forge_assets.components.ontology.naming import find_one

    with _opened() as (db, ontology):
        check(_filter((), relations, at_least), ontology)
        found = find_one(ontology, component)
        edges = store.edges(db, [found.id], relations or None, at_least, evidence=True)
        places = lookup.passages(db, edges)
    if json_:
        as_json({"component": asdict(found), "edges": [lookup.as_dict(edge, places) for edge in edges]})
        return
    click.echo(click.style(f"{found.name}  ({found.id})", bold=True))
    click.echo(f"{found.description}\n")
    for edge in edges:
        tell_edge(edge, places, None if all_ else SHOWN)
    click.echo(_counted(len(edges), "edge") if edges else "no work, rule or decision says anything of it that the filters leave")


@graph.command("path")
@click.argument("start")
@click.argument("end")
@RELATIONS
@JSON
def path(start: str, end: str, relations: tuple[str, ...], json_: bool) -> None:
    """How START leads to END: the chain of edges that is surest as a whole. Both are ids, names or aliases of components.

    Conflicts join nothing: they are walked only where --relation names them.
    """
    from forge_assets.compatibility.graph import lookup, store
    from forge_assets.compatibility.graph.model import RELATIONS as KNOWN
    from forge_assets.compatibility.graph.view import check
    from forge_assets.components.ontology.naming import find_one

    walked = relations or [one for one in KNOWN if one != "conflicts_with"]
    with _opened() as (db, ontology):
        check(_filter((), relations, 0), ontology)
        a, b = find_one(ontology, start), find_one(ontology, end)
        edges = lookup.path(store.edges(db, None, walked, evidence=True), a.id, b.id)
        places = lookup.passages(db, edges or [])
    if json_:
        as_json(None if edges is None else [lookup.as_dict(edge, places) for edge in edges])
    elif edges is None:
        click.echo(f"no chain of edges leads from {a.id} to {b.id}")
    else:
        for edge in edges:
            tell_edge(edge, places, 1)
        click.echo(f"{_counted(len(edges), 'edge')} from {a.id} to {b.id}")


@graph.command("export")
@click.option("--format", "format_", required=True, type=click.Choice(["graphml", "dot", "mermaid", "drawio", "jsonld", "uvl", "json"]))
@SLOTS
@RELATIONS
@AT_LEAST
@OUTPUT
def export(format_: str, slots: tuple[str, ...], relations: tuple[str, ...], at_least: float, output: Path | None) -> None:
    """The graph, or what the filters leave of it, in the format of another tool."""
    from forge_assets.compatibility.graph.exports import export
    from forge_assets.compatibility.graph.view import view

    with _opened() as (db, ontology):
        shown = view(db, ontology, _filter(slots, relations, at_least), evidence=format_ in ("json", "jsonld"))
    text, left_out = export(format_, shown, ontology)
    if left_out:
        click.echo(f"forge: {format_} draws no more: the {_counted(left_out, 'weakest edge')} of {len(shown.edges):,} left out", err=True)
    _write(text, output)


@graph.command("html")
@SLOTS
@RELATIONS
@AT_LEAST
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="the file to write")
def html(slots: tuple[str, ...], relations: tuple[str, ...], at_least: float, output: Path) -> None:
    """One self-contained page: search, filter, and click through to the sentences."""
    from forge_assets.compatibility.graph.page import page
    from forge_assets.compatibility.graph.view import view

    with _opened() as (db, ontology):
        shown = view(db, ontology, _filter(slots, relations, at_least))
    _write(page(shown), output)


@graph.command("table")
@click.argument("slot")
@click.option("--format", "format_", default="markdown", show_default=True, type=click.Choice(["markdown", "csv", "json", "html"]))
@OUTPUT
def table_(slot: str, format_: str, output: Path | None) -> None:
    """The components of a SLOT beside each other, property by property, each cell with its source."""
    from forge_assets.compatibility.graph.tables import compare
    from forge_assets.compatibility.graph.tables_written import FORMATS

    with _opened() as (db, ontology):
        text = FORMATS[format_](compare(db, ontology, slot))
    _write(text, output)


@graph.command("accept")
@click.argument("subject")
@click.argument("relation")
@click.argument("object_", metavar="OBJECT")
@click.option("--reason", required=True, help="why it holds")
def accept(subject: str, relation: str, object_: str, reason: str) -> None:
    """SUBJECT RELATION OBJECT holds, whatever works say, such as: adamw composes_with rope. The next night applies it."""
    click.echo(decide_edge("accept", subject, relation, object_, reason))


@graph.command("reject")
@click.argument("subject")
@click.argument("relation")
@click.argument("object_", metavar="OBJECT")
@click.option("--reason", required=True, help="why it does not hold")
def reject(subject: str, relation: str, object_: str, reason: str) -> None:
    """SUBJECT RELATION OBJECT does not hold, whatever works say. The next night applies it."""
    click.echo(decide_edge("reject", subject, relation, object_, reason))


def decide_edge(verdict: Verdict, subject: str, relation: str, object_: str, reason: str) -> str:
    """Appends to the log and says so; both components and the relation must be known."""
    import datetime

    from forge_app.candidates import author
    from forge_assets.compatibility.graph.rules import KIND, subject_of
    from forge_assets.compatibility.graph.view import check
    from forge_assets.components.ontology import load_ontology
    from forge_assets.components.ontology.naming import find_one
    from forge_resources.decisions import Decision, append_decision
    from forge_resources.settings import settings

    log = settings().overrides_file
    ontology = load_ontology(log)
    check(_filter((), (relation,), 0), ontology)
    decided = subject_of(find_one(ontology, subject).id, relation, find_one(ontology, object_).id)
    append_decision(log, Decision(verdict, KIND, decided, reason, author(), datetime.date.today()))
    return f"{decided}: {verdict}ed in {log}; `forge run compatibility_graph` or the next night applies it"


def tell_edge(edge: Edge, places: dict[Place, Passage], most: int | None) -> None:
    """An edge, and its strongest evidence below it."""
    from forge_assets.compatibility.graph.lookup import sentence_of, source_of
    from forge_assets.compatibility.graph.model import told

    click.echo(f"{click.style(edge.said, bold=True)}  {click.style(told(edge), dim=True)}")
    for one in edge.evidence[:most]:
        sign = click.style("+", fg="green") if one.supports else click.style("-", fg="red")
        said = sentence_of(one, places)
        click.echo(f"  {sign} {' '.join(said.split()) if said is not None else 'the passage is no longer what was read'}")
        click.echo(click.style(f"    {one.origin}: {source_of(one, places)}", dim=True))
    if most is not None and len(edge.evidence) > most:
        click.echo(click.style(f"    and {_counted(len(edge.evidence) - most, 'more piece')}: --all shows them", dim=True))
    click.echo()


def _write(text: str, output: Path | None) -> None:
    from forge_resources.errors import QueryError

    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise QueryError(f"--output {output} cannot be written: {error.strerror or error}") from None
    click.echo(f"wrote {output}", err=True)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
