"""The object store answers 503, breaks off, says nothing: the run survives or says why it does not, and the next one mends all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import botocore.config  # type: ignore[import-untyped]
import pytest
from moto.server import ThreadedMotoServer

from forge_assets.corpus.catalogue import problem_counts
from forge_assets.corpus.sources import add_source
from forge_resources.database import Database
from forge_resources.errors import ForgeError
from forge_resources.settings import Settings
from tests.faults.conftest import World
from tests.faults.faulty_s3 import FAULTS, Temper, faulty
from tests.faults.pipeline import SMALL, run_all
from tests.faults.small_world import note, write_yesterday
from tests.faults.state import digests, violations

BUCKET = "faults"


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The bucket as its owner sees it; small batches, short patience."""
    for name, value in {"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "word", "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setattr("forge_resources.object_store.s3_failures.FIRST_PAUSE", 0.001)
    impatient = botocore.config.Config
    monkeypatch.setattr("botocore.config.Config", lambda **options: impatient(**options | {"read_timeout": 0.5}))
    for module, name, value in SMALL:
        monkeypatch.setattr(module, name, value)
    resource = boto3.resource("s3", endpoint_url=moto, region_name="us-east-1")
    made = resource.create_bucket(Bucket=BUCKET)
    yield made
    made.objects.all().delete()
    made.delete()


def storm(db: Database, chosen: Settings, temper: Temper, runs: int) -> list[str]:
    """So many runs in bad weather, then one in good; returns what the failed ones said. Any other exception than a ForgeError is a bug."""
    said = []
    for _ in range(runs):
        try:
            run_all(db, chosen)
        except ForgeError as error:
            said.append(str(error))
        temper.quiet = True
        assert violations(db, chosen) == []
        temper.quiet = False
    temper.calm()
    run_all(db, chosen)
    return said


def tasks(seeds: range) -> list[Temper]:
    """Weather of all kinds: each fault alone at some request, and all by chance, mild and hard."""
    alone = [Temper(at=dict.fromkeys(range(5 + 7 * seed, 5 + 7 * seed + 6), FAULTS[seed % len(FAULTS)]), seed=seed) for seed in seeds]
    return alone + [Temper(chance=(0.05, 0.3, 0.6)[seed % 3], seed=seed) for seed in seeds]


def stored_in_s3(world: World, database_url: str, forge_home: Path, endpoint: str) -> Settings:
    return Settings(home=forge_home, database_url=database_url, object_store_url=f"s3://{BUCKET}/store", s3_endpoint=endpoint, workers=1)


def weathered(world: World, db: Database, url: str, home: Path, moto: str, temper: Temper, runs: int) -> list[str]:
    """The small corpus with its bytes in the bucket; its digests must be those of a clean rebuild."""
    with faulty(moto, temper):
        storing = stored_in_s3(world, url, home, temper.endpoint)
        world.name_sources(db, storing)
        said = storm(db, storing, temper, runs)
        assert sum(temper.happened.values()) > 0
        assert world.differences(digests(db, storing)) == []
        assert violations(db, storing, world.versions) == []
    return said


@pytest.mark.faults
@pytest.mark.timeout(0)
def test_a_store_in_bad_weather(world: World, database: Database, database_url: str, forge_home: Path, moto: str, bucket: Any) -> None:
    temper = Temper(chance=0.1, at=dict.fromkeys(range(60, 66), "reset_after"), faults=FAULTS[:-1])
    for sentence in weathered(world, database, database_url, forge_home, moto, temper, 1):
        assert "object store of bucket faults" in sentence or "cannot reach" in sentence or "damaged" in sentence


@pytest.mark.faults
@pytest.mark.timeout(0)
@pytest.mark.parametrize("number", range(20))
def test_a_store_in_any_weather(
    world: World, database: Database, database_url: str, forge_home: Path, moto: str, bucket: Any, number: int
) -> None:
    weathered(world, database, database_url, forge_home, moto, tasks(range(10))[number], 2)


# -- a bucket as a source ----------------------------------------------------------------------------------------------------


@pytest.fixture
def articles(bucket: Any, tmp_path: Path) -> None:
    write_yesterday(tmp_path)
    for path in sorted(tmp_path.rglob("*")):
        if path.is_file():
            bucket.put_object(Key=f"source/{path.relative_to(tmp_path)}", Body=path.read_bytes())
    bucket.put_object(Key="source/sniffed.json", Body=b'{"learning_rate": 0.1}')


def source_settings(database_url: str, forge_home: Path, endpoint: str) -> Settings:
    return Settings(home=forge_home, database_url=database_url, s3_endpoint=endpoint, workers=1)


@pytest.mark.faults
@pytest.mark.timeout(0)
def test_a_source_in_bad_weather_whose_listing_has_pages(
    database: Database, database_url: str, forge_home: Path, moto: str, articles: None
) -> None:
    temper = Temper(page=3)
    with faulty(moto, temper):
        chosen = source_settings(database_url, forge_home, temper.endpoint)
        add_source(database, chosen, f"s3://{BUCKET}/source", "bucket")
        clean = run_all(database, chosen)
        before = digests(database, chosen)
        assert clean["new"] > 60 and temper.count > 15
        for fault in FAULTS:
            temper.at = dict.fromkeys(range(temper.count + 2, temper.count + 9), fault)
            said = storm(database, chosen, temper, 1)
            assert all(sentence.startswith("source bucket (s3://faults/source): ") for sentence in said), said
            assert digests(database, chosen) == before, fault
        assert set(temper.happened) == set(FAULTS)


@pytest.mark.faults
@pytest.mark.timeout(0)
def test_an_object_that_vanishes_between_listing_and_reading(
    database: Database, database_url: str, forge_home: Path, moto: str, bucket: Any, articles: None
) -> None:
    temper, gone = Temper(), ("note3.md", "sniffed.json")

    def vanish(method: str, path: str) -> None:
        if method == "GET" and path.endswith(gone):
            bucket.Object(path.split("/", 2)[2]).delete()

    temper.before = vanish
    with faulty(moto, temper):
        chosen = source_settings(database_url, forge_home, temper.endpoint)
        add_source(database, chosen, f"s3://{BUCKET}/source", "bucket")
        assert run_all(database, chosen)["parsed"] > 60
        assert problem_counts(database)["missing"] == 1
        assert violations(database, chosen) == []
        temper.calm()
        assert run_all(database, chosen)["gone"] == 1
        assert "missing" not in problem_counts(database)
        bucket.put_object(Key="source/articles/note3.md", Body=note(3).encode())
        assert run_all(database, chosen)["parsed"] == 1
