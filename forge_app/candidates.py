"""`forge components candidates`, `accept` and `reject`: names that the ontology lacks, and what a person decides on them."""

from __future__ import annotations

import datetime
import getpass
import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from forge_app.catalogue import by_year, document, growth
from forge_app.output import as_json, table

if TYPE_CHECKING:
    from forge_assets.components.ontology.model import Ontology
    from forge_resources.database import Database
    from forge_resources.decisions import Decision

SLOT = click.option("--slot", metavar="SLOT", help="e.g. attention")


@click.command("candidates")
@click.argument("name", required=False)
@SLOT
@click.option("--top", default=30, show_default=True, type=click.IntRange(1), help="how many, the best first")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def candidates(name: str | None, slot: str | None, top: int, json_: bool) -> None:
    """Names that works bring up and the ontology lacks, the best first; with NAME one of them and its evidence."""
    from forge_assets.components.catalogue import lookup
    from forge_resources.database import Database

    with Database.open() as db:
        if name:
            found = _one(db, name)
            named = lookup.documents(db, [found["introducing_document"], *(place[0] for place in found["evidence"])])
            if json_:
                as_json(found | {"documents_named": named})
            else:
                show_candidate(found, named)
            return
        hidden = decided_candidates()
        rows = lookup.candidates(db, slot, hidden, top)
        count = lookup.waiting(db, slot, hidden)
        if not rows and not lookup.is_made(db):
            click.echo("no candidates yet: `forge run component_catalog` looks for them")
            return
    if json_:
        as_json(rows)
        return
    head = ["candidate", "name", "slot", "share", "works", "first", "trend", "signs", "score"]
    table(head, [_row(row) for row in rows])
    click.echo(f"{len(rows):,} of {count:,} candidates")


@click.command("accept")
@click.argument("name")
@SLOT
@click.option("--reason", help="why; default: how many works name it")
def accept(name: str, slot: str | None, reason: str | None) -> None:
    """Make a candidate a component, in --slot or the one suggested. A NAME that is no candidate needs --slot.

    The decision goes to the log FORGE_OVERRIDES; the next night finds the new component in all texts.
    """
    click.echo(accept_candidate(name, slot, reason))


@click.command("reject")
@click.argument("name")
@click.option("--reason", required=True, help="why; kept in the log")
def reject(name: str, reason: str) -> None:
    """Take a candidate out of the queue for good, or take back what was accepted. The decision goes to the log FORGE_OVERRIDES."""
    click.echo(reject_candidate(name, reason))


def accept_candidate(name: str, slot: str | None, reason: str | None) -> str:
    """Appends the decision to the log; what is the case now, as a sentence."""
    from forge_assets.components.candidates.names import id_of
    from forge_assets.components.catalogue import lookup
    from forge_resources.database import Database
    from forge_resources.errors import QueryError

    with Database.open() as db:
        found = lookup.find_candidates(db, name)
        if len(found) > 1:
            raise _several(name, found)
        if found:
            one = found[0]
            subject, value = one["candidate"], _value(one, slot, lookup.documents(db, [one["introducing_document"]]))
        elif slot:
            _refuse_known(name)
            subject, value = id_of(name), {"name": name, "slot": slot}
        else:
            raise QueryError(f"no candidate is called {name!r}; to accept it all the same, give its --slot")
    if not value["slot"]:
        raise QueryError(f"nothing suggests a slot for {subject}; give its --slot")
    works = f"named by {found[0]['works']:,} works" if found else "added by hand"
    _decide("accept", subject, reason or works, value)
    return f"{subject} is a component of the slot {value['slot']} now"


def reject_candidate(name: str, reason: str) -> str:
    """Appends the decision to the log; what is the case now, as a sentence."""
    from forge_assets.components.catalogue import lookup
    from forge_resources.database import Database
    from forge_resources.errors import QueryError

    accepted = _accepted()
    if name in accepted:
        subject = name
    else:
        with Database.open() as db:
            found = lookup.find_candidates(db, name)
        if len(found) > 1:
            raise _several(name, found)
        if not found:
            raise QueryError(
                f"no candidate is called {name!r}, and no component of that id was accepted; `forge components candidates` lists them"
            )
        subject = found[0]["candidate"]
    _decide("reject", subject, reason, {})
    return f"{subject} is {'no component any more' if subject in accepted else 'no candidate any more'}"


def _refuse_known(name: str) -> None:
    """Raises QueryError where the shipped ontology knows the name: to accept it would not change its entry, nor its slot."""
    from forge_assets.components.ontology.load import load_ontology
    from forge_assets.components.ontology.naming import called
    from forge_resources.errors import QueryError

    for known in called(load_ontology(), name):
        raise QueryError(f"{known.id} is a component of the slot {known.slot} already; `forge components show {known.id}` shows it")


def _decide(verdict: Any, subject: str, reason: str, value: Mapping[str, Any]) -> Ontology:
    from forge_assets.components.ontology.load import decide
    from forge_resources.decisions import Decision
    from forge_resources.settings import settings

    decision = Decision(verdict, "component", subject, reason, author(), datetime.date.today(), None, value)
    return decide(settings().overrides_file, decision)


def author() -> str:
    """Who decides: as the team's git knows the person, else by the name of the account."""
    from forge_resources.settings import settings

    folder = settings().overrides_file.parent
    try:
        asked = subprocess.run(
            ["git", "config", "user.name"], cwd=folder if folder.is_dir() else None, capture_output=True, text=True, check=False, timeout=10
        )
        said = asked.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        said = ""
    try:
        return said or getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return f"user {os.getuid()}"


def _standing() -> dict[str, Decision]:
    from forge_resources.decisions import read_decisions, standing
    from forge_resources.settings import settings

    decisions = standing(read_decisions(settings().overrides_file), datetime.date.today())
    return {subject: one for (kind, subject), one in decisions.items() if kind == "component"}


def decided_candidates() -> set[str]:
    """Ids that are no candidates any more, whatever the last night wrote."""
    return set(_standing())


def _accepted() -> set[str]:
    return {subject for subject, one in _standing().items() if one.verdict == "accept"}


def _one(db: Database, name: str) -> dict[str, Any]:
    from forge_assets.components.catalogue import lookup
    from forge_resources.errors import QueryError

    found = lookup.find_candidates(db, name)
    if len(found) > 1:
        raise _several(name, found)
    if not found:
        raise QueryError(f"no candidate is called {name!r}; `forge components candidates` lists them")
    return found[0]


def _several(name: str, found: Sequence[Mapping[str, Any]]) -> Exception:
    from forge_resources.errors import QueryError

    return QueryError(f"{name!r} means several candidates: {', '.join(one['candidate'] for one in found[:5])}; name one by its id")


def _value(found: Mapping[str, Any], slot: str | None, named: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the ontology has to know of it: as an entry of its files would say it."""
    aliases = list(dict.fromkeys([found["name"], *found["aliases"]]))
    value: dict[str, Any] = {"name": found["name"], "slot": slot or found["slot"], "aliases": aliases}
    document = named.get(str(found["introducing_document"]))
    if document and document["title"] and document["year"]:
        value["introduced"] = {"title": document["title"], "year": document["year"]}
        value["introduced"] |= {scheme: document["identifiers"][scheme] for scheme in ("arxiv", "doi") if scheme in document["identifiers"]}
    return value


def _row(row: Mapping[str, Any]) -> list[Any]:
    name = row["name"] if not row["long_form"] or row["long_form"].lower() == row["name"].lower() else f"{row['name']}: {row['long_form']}"
    share = "" if row["slot_share"] is None else f"{100 * row['slot_share']:.0f}%"
    signs = ", ".join(f"{sign} {count:,}" for sign, count in row["signs"].items())
    return [row["candidate"], name, row["slot"] or "", share, row["works"], str(row["first_year"] or ""), growth(row["trend"]), signs,
            f"{row['score']:.1f}"]  # fmt: skip


def show_candidate(row: Mapping[str, Any], named: Mapping[str, Mapping[str, Any]]) -> None:
    introducing = row["introducing_document"]
    click.echo(click.style(f"{row['name']}  ({row['candidate']})", bold=True))
    said = [
        ("long form", row["long_form"] or ""),
        ("also written", ", ".join(row["aliases"])),
        ("slot", ", ".join(f"{slot} {100 * share:.0f}%" for slot, share in row["slots"])),
        ("works", f"{row['works']:,}, {row['independent']:,} of them beside the one that introduced it; {row['documents']:,} documents"),
        ("by year", by_year(row["years"])),
        ("trend", growth(row["trend"])),
        ("signs", ", ".join(f"{sign} {count:,}" for sign, count in row["signs"].items())),
        ("introduced in", f"{document(named, introducing)}: {row['introducing_reason']}" if introducing else ""),
        ("score", f"{row['score']:.2f}"),
    ]
    for label, text in said:
        if text:
            click.echo(f"{label + ':':<15}{text}")
    for id_, start, end, sign in row["evidence"]:
        place = "title" if start == end else f"{start}..{end}"
        click.echo(f"  {sign:<13}{document(named, id_)}, {place}")
