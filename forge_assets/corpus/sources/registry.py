"""The sources a person has named: rows of the table `source`, and the connector behind each."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import sqlalchemy as sa

from forge_assets.corpus.addresses import file_path, file_uri
from forge_assets.corpus.sources.bucket import BucketSource
from forge_assets.corpus.sources.folder import FolderSource
from forge_assets.corpus.sources.interface import Listing
from forge_resources.database import Database
from forge_resources.errors import SourceError
from forge_resources.settings import Settings


def make_source(name: str, address: str, settings: Settings) -> Listing:
    """The source behind a stored address. Raises SourceError for a kind that does not exist."""
    scheme = urlparse(address).scheme
    if scheme == "s3":
        return BucketSource(name, address, settings)
    if scheme == "file":
        return FolderSource(name, address, file_path(address), _own_folders(settings))
    raise SourceError(f"source {address!r}: expected a folder, a file or s3://bucket/prefix, found the scheme {scheme!r}")


def _own_folders(settings: Settings) -> frozenset[Path]:
    """Forge's state, which a source around it does not hold: the database's files and Forge's copies are no articles."""
    objects = Path(settings.objects_url) if "://" not in settings.objects_url else settings.home
    return frozenset({settings.home.resolve(), objects.resolve()})


def normalise(place: str) -> str:
    """What a person types -> the address that is stored: an absolute file:// or s3:// address without a trailing slash."""
    if not place.strip():
        raise SourceError("no place is given; expected a folder, a file or s3://bucket/prefix")
    if place.startswith("s3://"):
        if not urlparse(place).netloc:
            raise SourceError(f"source {place!r}: expected s3://bucket/prefix, found no bucket")
        return place.rstrip("/")
    if re.match(r"^[a-z][a-z0-9+.-]+:", place) and not place.startswith("file:"):
        raise SourceError(f"source {place!r}: expected a folder, a file or s3://bucket/prefix")
    path = file_path(place) if place.startswith("file://") else Path(place)
    return file_uri(path.expanduser().resolve())


def add_source(db: Database, settings: Settings, place: str, name: str | None = None) -> str:
    """Checks and stores a source; returns its name. Adding the same place twice is refused, as is one inside another."""
    address = normalise(place)
    if address.startswith("file://") and not os.path.exists(file_path(address)):  # noqa: PTH110 - as in FolderSource.check
        raise SourceError(f"{place} does not exist; expected a folder, a file or s3://bucket/prefix")
    with db.begin() as connection:
        known = {row.name: row.address for row in connection.execute(sa.text("SELECT name, address FROM source"))}
        for other, at in known.items():
            if at == address:
                raise SourceError(f"{place} is already listed, as source {other}")
            if address.startswith(at + "/") or at.startswith(address + "/"):
                raise SourceError(f"{place} overlaps with source {other} ({at}): a document would be listed twice; remove that one first")
        name = name or _free_name(address, set(known))
        if name in known:
            raise SourceError(f"the name {name} is taken by {known[name]}; choose another by --name")
        make_source(name, address, settings).check()
        connection.execute(sa.text("INSERT INTO source (name, address) VALUES (:name, :address)"), {"name": name, "address": address})
    return name


def remove_source(db: Database, name: str) -> None:
    """Forgets a source; its documents go at the next run, with everything derived from them."""
    with db.begin() as connection:
        if not connection.execute(sa.text("DELETE FROM source WHERE name = :name OR address = :name"), {"name": name}).rowcount:
            names = ", ".join(row.name for row in connection.execute(sa.text("SELECT name FROM source ORDER BY name"))) or "none"
            raise SourceError(f"no source is called {name!r}; the sources are: {names}")


def list_sources(db: Database) -> list[dict[str, Any]]:
    """Sources with the number of documents listed and quarantined."""
    statement = """
        SELECT s.name, s.address, s.added_at,
               (SELECT count(*) FROM inventory i WHERE i.source = s.name) AS listed,
               (SELECT count(*) FROM document d WHERE d.source = s.name) AS parsed,
               (SELECT count(*) FROM quarantine q WHERE q.source = s.name) AS quarantined
        FROM source s ORDER BY s.added_at, s.name"""
    with db.begin() as connection:
        return [dict(row._mapping) for row in connection.execute(sa.text(statement))]


def load_sources(db: Database, settings: Settings) -> list[Listing]:
    with db.begin() as connection:
        rows = connection.execute(sa.text("SELECT name, address FROM source ORDER BY added_at, name")).all()
    return [make_source(row.name, row.address, settings) for row in rows]


def _free_name(address: str, taken: set[str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", address.rstrip("/").rsplit("/", 1)[-1].lower()).strip("-") or "source"
    return next(name for n in range(1, len(taken) + 2) if (name := stem if n == 1 else f"{stem}-{n}") not in taken)
