"""`forge review`: what waits for a person, one decision after the other, and the log of all that was decided."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import click

from forge_app.output import as_json, table

if TYPE_CHECKING:
    from forge_assets.compatibility.graph.model import Edge
    from forge_assets.compatibility.review import Kind, Proposal
    from forge_assets.components.ontology.model import Ontology
    from forge_resources.database import Database
    from forge_resources.decisions import Decision

KINDS = ("candidate", "edge", "page")
SHOWN, LINES = 3, 30
"""Passages of an edge, and lines of a page, that a walk shows."""
WALKED = 1_000
"""Proposals of each kind that one walk goes through at most."""
KIND = click.option("--kind", type=click.Choice(KINDS), help="only these")
SLOT = click.option("--slot", metavar="SLOT", help="only what touches this slot, e.g. attention")
JSON = click.option("--json", "json_", is_flag=True, help="print JSON")


@dataclass(slots=True)
class Queue:
    """What waits, in turn, how many of each kind there are, and the rows and edges behind them by the id of their proposal."""

    counts: dict[str, int]
    proposals: list[Proposal]
    rows: dict[str, dict[str, Any]]
    edges: dict[str, Edge]


@click.group(invoke_without_command=True)
@click.pass_context
def review(context: click.Context) -> None:
    """Proposals that a person decides on: candidates to become components, edges that only documents claim, pages of the documentation.

    Without a command: the ten that are best worth a look. Decisions are lines of the log FORGE_OVERRIDES, applied last of all.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_, kind=None, slot=None, top=10, json_=False)


@review.command("list")
@KIND
@SLOT
@click.option("--top", default=30, show_default=True, type=click.IntRange(1), help="how many, the best first")
@JSON
def list_(kind: Kind | None, slot: str | None, top: int, json_: bool) -> None:
    """What waits, the best of each kind in turn."""
    with _database() as db:
        queue = _waiting(db, kind, slot, top)
    waiting = queue.proposals[:top]
    if json_:
        as_json([asdict(one) for one in waiting])
        return
    if not waiting:
        click.echo("nothing waits for a decision" + _unmade())
        return
    table(["kind", "id", "would hold", "why it is shown"], [[one.kind, one.id, one.said, one.because] for one in waiting])
    counts = ", ".join(f"{count:,} {name}s" for name, count in queue.counts.items())
    click.echo(f"{len(waiting):,} of {counts}; `forge review walk` goes through them, `show ID` tells the sources")


@review.command("show")
@click.argument("identity", metavar="ID")
def show(identity: str) -> None:
    """A proposal with the passages that it rests on. ID as `list` shows it."""
    with _database() as db:
        queue, one = _one(db, identity)
        _tell(db, queue, one, most=None)


@review.command("accept")
@click.argument("identity", metavar="ID")
@click.option("--slot", metavar="SLOT", help="of a candidate, where the suggested one is wrong")
@click.option("--reason", help="why; an edge or a page needs one")
def accept(identity: str, slot: str | None, reason: str | None) -> None:
    """It holds: the candidate becomes a component, the edge is certain, both by the next night; the page is approved as it stands."""
    with _database() as db:
        queue, one = _one(db, identity)
    click.echo(_decide("accept", queue, one, reason, slot))


@review.command("reject")
@click.argument("identity", metavar="ID")
@click.option("--reason", required=True, help="why; kept in the log")
def reject(identity: str, reason: str) -> None:
    """It does not hold: the candidate leaves the queue for good, the edge counts as refuted, the page is wrong as it stands."""
    with _database() as db:
        queue, one = _one(db, identity)
    click.echo(_decide("reject", queue, one, reason, None))


@review.command("walk")
@KIND
@SLOT
def walk(kind: Kind | None, slot: str | None) -> None:
    """One proposal after the other with its sources: accept, reject, skip or quit. Each decision is in the log at once."""
    from forge_resources.errors import ForgeError

    decided = 0
    with _database() as db:
        queue = _waiting(db, kind, slot)
        for number, one in enumerate(queue.proposals, 1):
            click.echo(click.style(f"[{number:,} of {len(queue.proposals):,}]", dim=True))
            _tell(db, queue, one, SHOWN)
            answer = click.prompt("accept, reject, skip, quit", type=click.Choice(["a", "r", "s", "q"]), default="s")
            if answer == "q":
                break
            if answer == "s":
                continue
            reason = click.prompt("why", default="", show_default=False).strip() or None
            try:
                click.echo(_decide("accept" if answer == "a" else "reject", queue, one, reason, None))
                decided += 1
            except ForgeError as error:  # the next one is not lost for it
                click.echo(f"forge: {error}", err=True)
    click.echo(f"{decided:,} decided" + (f"; {len(queue.proposals) - decided:,} wait" if queue.proposals else _unmade()))


@review.command("log")
@click.option("--subject", help="only decisions on this")
@JSON
def log(subject: str | None, json_: bool) -> None:
    """All decisions in the order in which they were made, of every room: which are in force, and which no longer name anything."""
    from forge_assets.components.ontology import load_ontology
    from forge_resources.decisions import read_decisions, standing
    from forge_resources.settings import settings

    file, today = settings().overrides_file, datetime.date.today()
    made = read_decisions(file)
    in_force = {id(one) for one in standing(made, today).values()}
    components = load_ontology(file).components
    rows = [(one, _state(one, id(one) in in_force, today, components)) for one in made if subject in (None, one.subject)]
    if json_:
        as_json([asdict(one) | {"state": state} for one, state in rows])
    elif not rows:
        click.echo(f"no decision in {file}" + (f" is on {subject!r}" if subject else ""))
    else:
        head = ["date", "decision", "kind", "subject", "reason", "author", "state"]
        table(head, [[str(one.date), one.verdict, one.kind, one.subject, one.reason, one.author, state] for one, state in rows])


def _database() -> Any:
    from forge_resources.database import Database

    return Database.open()


def _waiting(db: Database, kind: Kind | None, slot: str | None, most: int = WALKED, only: str | None = None) -> Queue:
    """The best `most` of each kind; `only`: the proposals of this id."""
    from forge_assets.compatibility import review as proposals
    from forge_assets.compatibility.graph import store
    from forge_assets.compatibility.graph.rules import KIND as EDGE
    from forge_assets.components.catalogue import lookup
    from forge_assets.components.ontology import load_ontology
    from forge_assets.documentation.waiting import of_pages
    from forge_resources.decisions import read_decisions, standing
    from forge_resources.settings import settings

    file = settings().overrides_file
    ontology = load_ontology(file)
    _check(slot, ontology)
    in_force = standing(read_decisions(file), datetime.date.today())
    counts, rows, edges, waiting, pages = {}, [], [], [], []
    if kind in (None, "candidate"):
        hidden = {subject for name, subject in in_force if name == "component"}
        found = lookup.candidates(db, slot, hidden, most) if only is None else lookup.find_candidates(db, only)
        rows = [row for row in found if row["candidate"] not in hidden and only in (None, row["candidate"])]
        counts["candidate"] = lookup.waiting(db, slot, hidden)
    if kind in (None, "edge"):
        edges = store.edges(db, evidence=True)
        slot_of = {id_: one.slot for id_, one in ontology.components.items()}
        of_edges = proposals.of_edges(edges, slot_of, {subject for name, subject in in_force if name == EDGE})
        waiting = [one for one in of_edges if (slot is None or slot in one.slots) and only in (None, one.id)]
        counts["edge"] = len(waiting)
    if kind in (None, "page"):
        pages = of_pages(db, file, slot, only)
        counts["page"] = len(pages)
    return Queue(
        counts,
        proposals.in_turn(proposals.of_candidates(rows), waiting[:most], pages[:most]),
        {row["candidate"]: row for row in rows},
        {edge.key.id: edge for edge in edges},
    )


def _check(slot: str | None, ontology: Ontology) -> None:
    from forge_resources.errors import QueryError
    from forge_resources.strict_yaml import near

    if slot is not None and slot not in ontology.slots:
        raise QueryError(f"no slot is called {slot!r}{near(slot, ontology.slots)}")


def _one(db: Database, identity: str) -> tuple[Queue, Proposal]:
    from forge_resources.errors import QueryError

    queue = _waiting(db, None, None, only=identity)
    if not queue.proposals:
        raise QueryError(f"nothing with the id {identity!r} waits for a decision; `forge review list` shows what does, "
                         "`forge review log` what was decided")  # fmt: skip
    return queue, queue.proposals[0]


def _tell(db: Database, queue: Queue, one: Proposal, most: int | None) -> None:
    from forge_app.candidates import show_candidate
    from forge_app.graph import tell_edge
    from forge_assets.compatibility.graph import lookup as graph
    from forge_assets.components.catalogue import lookup as catalogue

    click.echo(f"{one.said}: {one.because}")
    if one.kind == "page":
        _tell_page(one, None if most is None else LINES)
        return
    if one.kind == "edge":
        edge = queue.edges[one.id]
        tell_edge(edge, graph.passages(db, [edge]), most)
        return
    row = queue.rows[one.id]
    show_candidate(row, catalogue.documents(db, [row["introducing_document"], *(place[0] for place in row["evidence"])]))


def _tell_page(one: Proposal, most: int | None) -> None:
    from forge_assets.documentation.build import read_volume
    from forge_assets.documentation.waiting import said
    from forge_resources.object_store import open_store

    volume = read_volume(open_store(), one.id.partition("/")[0])
    lines = [line for page in (volume.pages if volume else ()) if page.id == one.id for line in said(page)]
    for line in lines[:most]:
        click.echo(line)
    if most is not None and len(lines) > most:
        click.echo(f"... and {len(lines) - most:,} lines more")
    click.echo(f"with its sources: forge docs open {one.id}")


def _decide(verdict: Literal["accept", "reject"], queue: Queue, one: Proposal, reason: str | None, slot: str | None) -> str:
    from forge_app.candidates import accept_candidate, reject_candidate
    from forge_app.docs import decide_page
    from forge_app.graph import decide_edge
    from forge_resources.errors import QueryError

    if slot and (one.kind != "candidate" or verdict == "reject"):
        raise QueryError(f"--slot is for a candidate that is accepted; this is about the {one.kind} {one.id}")
    if not reason and (one.kind != "candidate" or verdict == "reject"):
        raise QueryError(f"the decision on {one.id} needs a reason; it stays in the log for whoever comes after you")
    if one.kind == "page":
        return decide_page("approve" if verdict == "accept" else "reject", one.id, str(reason))
    if one.kind == "edge":
        key = queue.edges[one.id].key
        return decide_edge(verdict, key.subject, key.relation, key.object, str(reason))
    return accept_candidate(one.id, slot, reason) if verdict == "accept" else reject_candidate(one.id, str(reason))


def _state(one: Decision, in_force: bool, today: datetime.date, components: Collection[str]) -> str:
    if one.expires and one.expires < today:
        return f"expired on {one.expires}"
    if not in_force:
        return "replaced by a later one"
    if one.kind == "edge" and not {*one.subject.split()[::2]} <= set(components):
        return "in force, but names a component that there is not"
    return "in force" + (f" through {one.expires}" if one.expires else "")


def _unmade() -> str:
    return "; `forge run component_catalog compatibility_graph` looks for more"
