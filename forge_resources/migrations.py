"""The schema's history: sql/NNN_name.sql, applied in order, once each, each in a transaction of its own.

In: an open Database. Out: the numbers applied now. A file that changed after it was applied, or a database that knows
more files than this code, is refused with DatabaseError.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import text

from forge_resources.errors import DatabaseError

if TYPE_CHECKING:
    from forge_resources.database import Database

NAME = re.compile(r"^(\d{3})_(\w+)\.sql$")
LOCK = "forge.migrations"


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def folder() -> Path:
    """Inside the package in an installed wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "sql"
    return inside if inside.is_dir() else package.parent / "sql"


def read(path: Path) -> list[Migration]:
    found = []
    for file in sorted(path.glob("*.sql")):
        match = NAME.match(file.name)
        if match is None:
            raise DatabaseError(f"{file} is not named NNN_name.sql")
        found.append(Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    numbers = [migration.number for migration in found]
    if not found or len(set(numbers)) < len(numbers):
        raise DatabaseError(f"{path} must hold 001_*.sql, 002_*.sql, ..., each number once; found {numbers}")
    return found


def migrate(database: Database, migrations: Sequence[Migration] | None = None) -> list[int]:
    """Applies what is missing. Concurrent openers wait for each other."""
    known = list(migrations) if migrations is not None else read(folder())
    if not _missing(known, _applied(database), database):
        return []
    with database.advisory_lock(LOCK):
        missing = _missing(known, _applied(database), database)
        for migration in missing:
            _apply(database, migration)
    return [migration.number for migration in missing]


def pending(database: Database) -> list[Migration]:
    """What `migrate` would apply."""
    return _missing(read(folder()), _applied(database), database)


def _applied(database: Database) -> dict[int, tuple[str, str]]:
    with database.begin() as connection:
        if connection.execute(text("SELECT to_regclass('schema_migration')")).scalar() is None:
            return {}
        rows = connection.execute(text("SELECT number, name, checksum FROM schema_migration")).all()
    return {row.number: (row.name, row.checksum) for row in rows}


def _missing(known: list[Migration], applied: dict[int, tuple[str, str]], database: Database) -> list[Migration]:
    newer = sorted(set(applied) - {migration.number for migration in known})
    if newer:
        number = newer[-1]
        raise DatabaseError(
            f"{database.description} is newer than this Forge: it has the schema change {number:03}_{applied[number][0]}, "
            f"this code ends at {known[-1].number:03}; use the newer Forge"
        )
    for migration in known:
        if migration.number in applied and applied[migration.number][1] != migration.checksum:
            raise DatabaseError(
                f"the schema file {migration.number:03}_{migration.name}.sql changed after it was applied to {database.description}; "
                f"restore it and put the change into a new file, or start from an empty database"
            )
    return [migration for migration in known if migration.number not in applied]


def _apply(database: Database, migration: Migration) -> None:
    with database.begin() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute(
            "CREATE TABLE IF NOT EXISTS schema_migration (number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT now())"
        )
        try:
            raw.execute(migration.sql)
        except psycopg.Error as error:
            raise DatabaseError(
                f"{migration.number:03}_{migration.name}.sql cannot be applied to {database.description}: {error}"
            ) from error
        raw.execute(
            "INSERT INTO schema_migration (number, name, checksum) VALUES (%s, %s, %s)",
            (migration.number, migration.name, migration.checksum),
        )
