"""What the catalogue adds to `forge components`: counts, trends, typical values, neighbours, each with its sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from forge_resources.database import Database

YEARS_SHOWN = 8
SOURCES_SHOWN = 5


@contextmanager
def database() -> Iterator[Database | None]:
    """The database, where there is one; the ontology alone can be shown without, and nothing is made only to look."""
    from forge_resources.database import Database
    from forge_resources.errors import DatabaseError
    from forge_resources.settings import settings

    chosen = settings()
    if chosen.embedded and not (chosen.home / "postgres").is_dir():
        yield None
        return
    try:
        db = Database.open(chosen)
    except DatabaseError as error:
        click.echo(f"forge: shown without counts: {error}", err=True)
        yield None
        return
    with db:
        yield db


@contextmanager
def catalogue() -> Iterator[Database | None]:
    """The database, where it holds a catalogue."""
    from forge_assets.components.catalogue import lookup

    with database() as db:
        yield db if db is not None and lookup.is_made(db) else None


def entries() -> dict[str, dict[str, Any]] | None:
    """Component -> its entry; None where there is no catalogue."""
    from forge_assets.components.catalogue import lookup

    with catalogue() as db:
        return None if db is None else lookup.entries(db)


def entry(component: str) -> dict[str, Any] | None:
    """One entry with its typical values and the documents it speaks of; None where no work names it, or without a catalogue."""
    from forge_assets.components.catalogue import lookup

    with catalogue() as db:
        return None if db is None else lookup.entry(db, component)


def told(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """An entry, line by line."""
    named = found["documents_named"]
    years = f", {found['first_year']} to {found['latest_year']}" if found["first_year"] else ""
    lines = [
        ("works", f"{found['works']:,} name it, {found['used']:,} use or introduce it, in {found['documents']:,} documents{years}"),
        ("by year", by_year(found["years"])),
        ("trend", growth(found["trend"])),
        ("first said in", _origin(found, named)),
    ]
    for one in found["typical"]:
        lines.append(("typical", _typical(one)))
        lines += [("", f"  {source}") for source in _sources(one["sources"], named)]
    lines += [
        ("named beside", f"{component}: {works:,} works, {lift:.1f} times as many as by chance (q {q:.1g})")
        for component, works, lift, q in found["neighbours"]
    ]
    return [(label, said) for label, said in lines if said]


def growth(trend: float | None) -> str:
    return "" if trend is None else f"{100 * trend:+.0f}% a year"


def by_year(years: Mapping[str, int]) -> str:
    """The last years, the latest first."""
    latest = sorted(years, key=int, reverse=True)
    more = ", ..." if len(latest) > YEARS_SHOWN else ""
    return ", ".join(f"{year} {years[year]:,}" for year in latest[:YEARS_SHOWN]) + more


def document(named: Mapping[str, Mapping[str, Any]], id_: object) -> str:
    """`Attention Is All You Need (arxiv:1706.03762)`."""
    one = named.get(str(id_))
    if one is None:
        return str(id_)
    address = one["external_id"] or one["uri"]
    return f"{one['title']} ({address})" if one["title"] else str(address)


def _origin(found: Mapping[str, Any], named: Mapping[str, Any]) -> str:
    id_, reason = found["introducing_document"], found["introducing_reason"]
    if id_ is None:
        return ""
    how = "the earliest that introduces it" if reason == "earliest to introduce it" else f"known by its {reason}"
    return f"{document(named, id_)}, {how}"


def _typical(one: Mapping[str, Any]) -> str:
    unit = f" {one['unit']}" if one["unit"] else ""
    works = f"{one['works']:,} work{'' if one['works'] == 1 else 's'}"
    if one["quartiles"]:
        least, low, middle, high, greatest = (f"{value:g}" for value in one["quartiles"])
        return f"{one['parameter']} {middle}{unit} (quartiles {low} and {high}, from {least} to {greatest}; {works})"
    words = ", ".join(f"{word} {count:,}" for word, count in one["words"].items())
    return f"{one['parameter']} {words} ({works})"


def _sources(sources: Sequence[Sequence[Any]], named: Mapping[str, Any]) -> Iterator[str]:
    for id_, start, end, value in sources[:SOURCES_SHOWN]:
        shown = f"{value:g}" if isinstance(value, int | float) else value
        yield f"{shown}: {document(named, id_)}, {start}..{end}"
