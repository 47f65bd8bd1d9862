"""Questions about a blueprint's stack, answered from what it was solved with; claims of the graph are quoted from their documents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from forge_assets.compatibility.stack import store
from forge_assets.compatibility.stack.alternatives import Alternative
from forge_assets.compatibility.stack.alternatives import alternatives as next_best
from forge_assets.compatibility.stack.blueprints import inputs_then
from forge_assets.compatibility.stack.build import Inputs
from forge_assets.compatibility.stack.conflict import Because
from forge_assets.compatibility.stack.explain import Answer, restored, why, why_not
from forge_assets.compatibility.stack.request import Request
from forge_assets.compatibility.stack.result import Stack, outdated
from forge_resources.database import Database
from forge_resources.errors import BlueprintError

QUOTES = 3
QUOTED = """SELECT e.edge, d.title, d.uri, d.external_id, e.start, e."end", substr(d.text, e.start + 1, e."end" - e.start) AS text
    FROM graph_evidence e JOIN document d USING (document_id) WHERE e.edge = ANY(:edges) AND e.supports ORDER BY e.edge, e.place"""


def answer(db: Database, name: str, overrides: Path | None, of: str | None, not_of: str | None) -> tuple[list[Answer], list[str]]:
    """The answers, and what has changed since the stack was solved. Without a component: one answer for each filled slot.

    Raises BlueprintError for a blueprint that is not solved, and for a component that is (not) in the stack; QueryError for an unknown one.
    """
    request, solved, inputs = _solved(db, name, overrides)
    if not_of:
        answers = [why_not(request, solved, inputs, not_of)]
    elif of:
        answers = [why(request, solved, inputs, of)]
    else:
        answers = summary(request, solved, inputs)
    return [quoted(db, one) for one in answers], outdated(solved.pins, inputs)


def others(db: Database, name: str, overrides: Path | None, number: int, distance: int) -> list[Alternative]:
    """The next best stacks."""
    request, solved, inputs = _solved(db, name, overrides)
    built, chosen = restored(request, solved, inputs)
    return next_best(built, chosen, solved.objective, number, distance)


def summary(request: Request, solved: Stack, inputs: Inputs) -> list[Answer]:
    """What speaks most for each component of the stack."""
    from forge_assets.compatibility.stack.explain import reasons_of

    built, chosen = restored(request, solved, inputs)
    return [
        Answer(f"why {one}", f"{slot}: {one}", *reasons_of(built, chosen, slot, one))
        for slot, one in solved.slots.items()
        if one is not None
    ]


def quoted(db: Database, one: Answer) -> Answer:
    """With the sentences that its claims rest on."""
    if not one.edges:
        return one
    with db.begin() as connection:
        rows = connection.execute(sa.text(QUOTED), {"edges": list(one.edges)}).all()
    quotes = tuple(
        Because(f"“{row.text.strip()}”", f"{row.title or row.uri} ({row.external_id or row.uri}), {row.start}..{row.end}") for row in rows
    )
    return replace(one, reasons=(*one.reasons, *quotes[:QUOTES]))


def _solved(db: Database, name: str, overrides: Path | None) -> tuple[Request, Stack, Inputs]:
    request, solved = store.find(db, name), store.stack(db, name)
    if solved is None:
        raise BlueprintError(f"{name} is not solved yet; `forge stack solve {name}` solves it")
    return request, solved, inputs_then(db, solved, overrides)
