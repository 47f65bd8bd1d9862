"""Blueprints and their stacks in Postgres."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from forge_assets.compatibility.stack.evidence import Evidence
from forge_assets.compatibility.stack.request import Request, read_request
from forge_assets.compatibility.stack.result import Pins, Stack
from forge_resources.database import Database
from forge_resources.errors import BlueprintError
from forge_resources.strict_yaml import near

PINNED = ("request", "evidence", "catalogue", "graph", "ontology", "constraints", "profile")


def create(db: Database, request: Request) -> None:
    """Raises BlueprintError where the name is taken."""
    with db.begin() as connection:
        made = connection.execute(
            sa.text("""INSERT INTO blueprint (name, request, state) VALUES (:name, CAST(:request AS jsonb), :state)
                ON CONFLICT DO NOTHING RETURNING name"""),
            {"name": request.name, "request": request.model_dump_json(), "state": request.state},
        ).first()
    if made is None:
        raise BlueprintError(
            f"there is a blueprint {request.name!r} already; take another name, or `forge blueprint delete {request.name}`"
        )


def find(db: Database, name: str) -> Request:
    """Raises BlueprintError with the nearest name."""
    with db.begin() as connection:
        row = connection.execute(sa.text("SELECT request FROM blueprint WHERE name = :name"), {"name": name}).first()
        names = [] if row else list(connection.execute(sa.text("SELECT name FROM blueprint ORDER BY name")).scalars())
    if row is None:
        hint = near(name, names) or (f"; there are {', '.join(names[:10])}" if names else "; `forge blueprint create` makes one")
        raise BlueprintError(f"no blueprint is called {name!r}{hint}")
    return read_request(row.request)


def names(db: Database) -> list[str]:
    with db.begin() as connection:
        return list(connection.execute(sa.text("SELECT name FROM blueprint ORDER BY name")).scalars())


def listed(db: Database) -> list[dict[str, Any]]:
    """Every blueprint with its request and, where it is solved, what its stack is worth."""
    with db.begin() as connection:
        rows = connection.execute(
            sa.text("""SELECT b.name, b.request, b.created_at, s.objective, s.bound, s.optimal, s.solved_at
                FROM blueprint b LEFT JOIN technique_stack s USING (name) ORDER BY b.name""")
        )
        return [dict(row) for row in rows.mappings()]


def delete(db: Database, name: str) -> None:
    """With its stack, and evidence that no other stack was solved from."""
    find(db, name)
    with db.begin() as connection:
        connection.execute(sa.text("DELETE FROM blueprint WHERE name = :name"), {"name": name})
        _forget(connection)


def write(db: Database, stack: Stack, evidence: Evidence) -> None:
    """Keeps the stack in place of an earlier one, with the evidence it was solved from."""
    pins = asdict(stack.pins)
    content = {
        key: value for key, value in asdict(stack).items() if key not in ("pins", "objective", "bound", "optimal", "seconds", "name")
    }
    content["order"] = list(stack.slots)  # jsonb keeps none
    columns = ("name", *PINNED, "objective", "bound", "optimal", "seconds", "stack", "digest")
    values = pins | {"name": stack.name, "objective": stack.objective, "bound": stack.bound, "optimal": stack.optimal,
                     "seconds": stack.seconds, "stack": json.dumps(content), "digest": stack.digest}  # fmt: skip
    taken = ", ".join("CAST(:stack AS jsonb)" if one == "stack" else f":{one}" for one in columns)
    replaced = ", ".join(f"{one} = excluded.{one}" for one in columns[1:])
    with db.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO stack_evidence (evidence, content) VALUES (:evidence, :content) ON CONFLICT DO NOTHING"),
            {"evidence": pins["evidence"], "content": evidence.written()},
        )
        connection.execute(
            sa.text(f"""INSERT INTO technique_stack ({", ".join(columns)}) VALUES ({taken})
                ON CONFLICT (name) DO UPDATE SET {replaced}, solved_at = now()"""),
            values,
        )
        _forget(connection)


def stack(db: Database, name: str) -> Stack | None:
    """The stack that was solved, as it was."""
    with db.begin() as connection:
        row = connection.execute(sa.text("SELECT * FROM technique_stack WHERE name = :name"), {"name": name}).mappings().first()
    if row is None:
        return None
    content = dict(row["stack"])
    content["slots"] = {slot: content["slots"][slot] for slot in content.pop("order")}
    for key in ("violations", "warnings"):
        content[key] = tuple(content[key])
    return Stack(
        name=row["name"], pins=Pins(*(row[one] for one in PINNED)), objective=row["objective"], bound=row["bound"], optimal=row["optimal"],
        seconds=row["seconds"], **content,
    )  # fmt: skip


def evidence(db: Database, state: str) -> Evidence:
    """What a stack was solved from."""
    with db.begin() as connection:
        return Evidence.read(
            connection.execute(sa.text("SELECT content FROM stack_evidence WHERE evidence = :state"), {"state": state}).scalar_one()
        )


def _forget(connection: sa.Connection) -> None:
    connection.execute(
        sa.text("DELETE FROM stack_evidence e WHERE NOT EXISTS (SELECT FROM technique_stack s WHERE s.evidence = e.evidence)")
    )
