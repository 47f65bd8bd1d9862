"""The sources a person has named: rows of the table `source`, and the connector behind each."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard
from urllib.parse import urlparse

import sqlalchemy as sa

from forge_assets.corpus.addresses import file_path
from forge_assets.corpus.garbage import writing_raw
from forge_assets.corpus.sources.bucket import BucketSource
from forge_assets.corpus.sources.folder import FolderSource
from forge_assets.corpus.sources.interface import Feed, Listing
from forge_assets.corpus.sources.jsonl import JsonLinesSource
from forge_assets.corpus.sources.places import EXPECTED, FORMS, overlap, parse_place
from forge_resources.database import Database
from forge_resources.errors import SourceError
from forge_resources.settings import Settings


def make_source(name: str, address: str, settings: Settings, options: Mapping[str, Any] | None = None) -> Listing | Feed:
    """The source behind a stored address. Raises SourceError for a kind that does not exist."""
    scheme, chosen = urlparse(address).scheme, dict(options or {})
    if scheme in ("s3", "file"):
        files = _files(name, address, settings)
        return JsonLinesSource(files, chosen.get("fields", {})) if chosen.get("format") == "jsonl" else files
    if scheme == "arxiv":
        from forge_assets.corpus.sources.arxiv import ArxivFeed

        return ArxivFeed(name, address, chosen, settings)
    if scheme == "hf":
        from forge_assets.corpus.sources.huggingface import HubFeed

        return HubFeed(name, address, chosen, settings)
    if scheme == "urls":
        from forge_assets.corpus.sources.urls import UrlFeed

        return UrlFeed(name, address, chosen, settings)
    raise SourceError(f"source {address!r}: there is no scheme {scheme!r}; {EXPECTED}")


def is_feed(source: Listing | Feed) -> TypeGuard[Feed]:
    return hasattr(source, "changes")


def _files(name: str, address: str, settings: Settings) -> Listing:
    if address.startswith("s3:"):
        return BucketSource(name, address, settings)
    return FolderSource(name, address, file_path(address), _own_folders(settings))


def _own_folders(settings: Settings) -> frozenset[Path]:
    """Forge's state, which a source around it does not hold: the database's files and Forge's copies are no articles."""
    objects = Path(settings.objects_url) if "://" not in settings.objects_url else settings.home
    return frozenset({settings.home.resolve(), objects.resolve()})


def add_source(db: Database, settings: Settings, place: str, name: str | None = None, options: Mapping[str, Any] | None = None) -> str:
    """Checks and stores a source; returns its name. Adding the same place twice is refused, as is one inside another."""
    chosen = parse_place(place, options)
    address = chosen.address
    if address.startswith(("file://", "urls://")) and not os.path.exists(file_path(f"file://{address[7:]}")):  # noqa: PTH110 - as in FolderSource
        raise SourceError(f"{place} does not exist; expected {FORMS[chosen.kind]}" + (" or s3://bucket/prefix" * (chosen.kind == "folder")))
    with db.begin() as connection:
        known = {row.name: row.address for row in connection.execute(sa.text("SELECT name, address FROM source"))}
        for other, at in known.items():
            if at == address:
                raise SourceError(f"{place} is already listed, as source {other}")
            if overlap(address, at):
                raise SourceError(f"{place} overlaps with source {other} ({at}): a document would be listed twice; remove that one first")
        name = name or _free_name(address, set(known))
        if name in known:
            raise SourceError(f"the name {name} is taken by {known[name]}; choose another by --name")
        source = make_source(name, address, settings, chosen.options)
        source.check()
        if isinstance(source, JsonLinesSource):
            source.check_fields()
        connection.execute(
            sa.text("INSERT INTO source (name, address, options) VALUES (:name, :address, CAST(:options AS jsonb))"),
            {"name": name, "address": address, "options": json.dumps(chosen.options)},
        )
    return name


def remove_source(db: Database, name: str) -> None:
    """Forgets a source; its documents go at the next run, with everything derived from them."""
    with writing_raw(db), db.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO raw_garbage SELECT DISTINCT raw_key FROM harvested JOIN source s ON s.name = source "
                    "WHERE raw_key IS NOT NULL AND (s.name = :name OR s.address = :name) ON CONFLICT DO NOTHING"), {"name": name},
        )  # fmt: skip
        if not connection.execute(sa.text("DELETE FROM source WHERE name = :name OR address = :name"), {"name": name}).rowcount:
            names = ", ".join(row.name for row in connection.execute(sa.text("SELECT name FROM source ORDER BY name"))) or "none"
            raise SourceError(f"no source is called {name!r}; the sources are: {names}")


def list_sources(db: Database) -> list[dict[str, Any]]:
    """Sources with the number of documents listed and quarantined; of feeds also how the last harvest went and what it has left."""
    statement = """
        SELECT s.name, s.address, s.options, s.added_at,
               (SELECT count(*) FROM inventory i WHERE i.source = s.name) AS listed,
               (SELECT count(*) FROM document d WHERE d.source = s.name) AS parsed,
               (SELECT count(*) FROM quarantine q WHERE q.source = s.name) AS quarantined,
               h.finished_at AS harvested_at, h.failed_at, h.failure,
               CASE WHEN h.source IS NOT NULL THEN (SELECT count(*) FROM harvested w WHERE w.source = s.name AND w.wanted) END AS pending
        FROM source s LEFT JOIN harvest h ON h.source = s.name ORDER BY s.added_at, s.name"""
    with db.begin() as connection:
        return [dict(row._mapping) for row in connection.execute(sa.text(statement))]


def load_sources(db: Database, settings: Settings) -> list[Listing | Feed]:
    with db.begin() as connection:
        rows = connection.execute(sa.text("SELECT name, address, options FROM source ORDER BY added_at, name")).all()
    return [make_source(row.name, row.address, settings, row.options) for row in rows]


def _free_name(address: str, taken: set[str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", address.rstrip("/").rsplit("/", 1)[-1].lower()).strip("-") or "source"
    return next(name for n in range(1, len(taken) + 2) if (name := stem if n == 1 else f"{stem}-{n}") not in taken)
