"""The disk is full: the run says so, nothing is lost, and it goes on when there is room. Real small file systems, mounted for the test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from forge_app.run import outage
from forge_assets.embeddings.lexical import LexicalIndex
from forge_resources.database import Database
from forge_resources.errors import ForgeError
from forge_resources.settings import Settings
from tests.faults.conftest import World
from tests.faults.pipeline import SMALL, run_all
from tests.faults.state import digests, violations


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A tmpfs of this size; `grow` makes it larger."""
    folder.mkdir(parents=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here ({done.stderr.strip()}); it takes root and CAP_SYS_ADMIN")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def grow(folder: Path, kilobytes: int = 300_000) -> None:
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(folder)], check=True)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in SMALL:
        monkeypatch.setattr(module, name, value)


def complaint(db: Database, chosen: Settings) -> str:
    """What a run that must fail tells its user."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, it has to become a sentence
        run_all(db, chosen)
    error = caught.value
    return str(error) if isinstance(error, ForgeError) else outage(type(error).__name__, str(error)) or repr(error)


def mended(world: World, db: Database, chosen: Settings, folder: Path) -> None:
    """Nothing is half visible on the full disk, and with room the run ends as a clean one."""
    assert violations(db, chosen, world.versions) == []
    grow(folder)
    run_all(db, chosen)
    assert world.differences(digests(db, chosen)) == []


def test_no_room_for_objects(world: World, database: Database, database_url: str, forge_home: Path) -> None:
    with small_disk(forge_home / "disk", 120) as disk:
        chosen = Settings(home=forge_home, database_url=database_url, object_store_url=str(disk / "objects"), workers=1)
        world.name_sources(database, chosen)
        said = complaint(database, chosen)
        assert said.startswith("the disk is full: the object store cannot write"), said
        mended(world, database, chosen, disk)


@pytest.mark.faults
@pytest.mark.timeout(0)
@pytest.mark.parametrize("kilobytes", [40, 84, 110])
def test_no_room_for_the_full_text_index(world: World, database: Database, database_url: str, forge_home: Path, kilobytes: int) -> None:
    with small_disk(forge_home / "lexical", kilobytes) as disk:
        chosen = Settings(home=forge_home, database_url=database_url, workers=1)
        world.name_sources(database, chosen)
        said = complaint(database, chosen)
        assert said.startswith("the disk is full"), said
        assert LexicalIndex(disk).folder == disk
        mended(world, database, chosen, disk)


@pytest.mark.faults
@pytest.mark.timeout(0)
@pytest.mark.parametrize("kilobytes", [100, 300])
def test_no_room_for_tables(world: World, postgres_server: sa.Engine, forge_home: Path, kilobytes: int) -> None:
    """A database in a tablespace of its own, with room for so much more than it has at the start."""
    with postgres_server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        owner = Path(str(connection.exec_driver_sql("SHOW data_directory").scalar_one())).stat()
        with small_disk(world.base / f"tables{kilobytes}", 300_000) as disk:
            os.chown(disk, owner.st_uid, owner.st_gid)
            world.base.chmod(0o755)
            connection.exec_driver_sql(f"CREATE TABLESPACE small LOCATION '{disk}'")
            connection.exec_driver_sql("CREATE DATABASE small TEMPLATE state_empty TABLESPACE small")
            url = postgres_server.url.set(database="small").render_as_string(hide_password=False)
            chosen = Settings(home=forge_home, database_url=url, workers=1)
            try:
                with Database.open(chosen) as db:
                    connection.exec_driver_sql("CHECKPOINT")
                    space = os.statvfs(disk)
                    grow(disk, (space.f_blocks - space.f_bfree) * space.f_frsize // 1024 + kilobytes)
                    said = complaint(db, chosen)
                    assert said.startswith("the disk is full"), said
                    mended(world, db, chosen, disk)
            finally:
                connection.exec_driver_sql("DROP DATABASE small WITH (FORCE)")
                connection.exec_driver_sql("DROP TABLESPACE small")
