"""docker-compose.yml, the image and the two dagster.yaml: what can be checked of them without an engine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import sqlalchemy
import yaml  # type: ignore[import-untyped]

from forge_resources.settings import Settings
from tests.setup.conftest import PROJECT

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (PROJECT / ".env.example").read_text()


def test_every_published_port_is_on_loopback() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_secrets_have_no_default_and_stand_in_the_example() -> None:
    text = (PROJECT / "docker-compose.yml").read_text()
    required = set(re.findall(r"\$\{(\w+):\?", text))
    assert required == {"POSTGRES_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY"}
    assert not re.findall(r"\$\{\w*(?:PASSWORD|SECRET|KEY)\w*(?::-|\})", text)
    assert required <= set(re.findall(r"^#(\w+)=$", EXAMPLE, re.MULTILINE))


def test_every_service_is_healthy_by_a_check_and_waits_for_healthy_ones() -> None:
    assert set(SERVICES) == {"postgres", "objects", "code", "webserver", "daemon"}
    for name, service in SERVICES.items():
        assert service["healthcheck"]["test"], name
        for other, state in service.get("depends_on", {}).items():
            assert state == {"condition": "service_healthy"}
            assert "healthcheck" in SERVICES[other]


def test_images_are_pinned_and_mounted_files_and_volumes_exist() -> None:
    for service in SERVICES.values():
        assert re.search(r":(local|\d[\w.-]+)$", service["image"])
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert (PROJECT / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"]


def test_forge_in_the_containers_reads_settings_that_exist() -> None:
    environment = SERVICES["code"]["environment"]
    names = {name.removeprefix("FORGE_").lower() for name in environment if name.startswith("FORGE_")}
    assert names <= set(Settings.model_fields)
    address = sqlalchemy.make_url(re.sub(r"\$\{.*?\}", "secret", environment["FORGE_DATABASE_URL"]))
    assert (address.host, address.database) == ("postgres", "forge")
    assert environment["FORGE_S3_ENDPOINT"] == "http://objects:8333"


def test_the_example_lists_every_setting() -> None:
    listed = set(re.findall(r"^#FORGE_(\w+)=", EXAMPLE, re.MULTILINE))
    assert listed == {name.upper() for name in Settings.model_fields}


def test_the_image_copies_what_the_context_lets_through() -> None:
    dockerfile = (PROJECT / "deploy" / "Dockerfile").read_text()
    allowed = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {source for line in re.findall(r"^COPY (.*)$", dockerfile, re.MULTILINE) for source in line.split()[:-1]}
    assert copied == allowed
    assert all((PROJECT / source).exists() for source in copied)
    assert re.search(r"^USER forge$", dockerfile, re.MULTILINE)


def _instance_info(home: Path, template: Path, **env: str) -> str:
    home.mkdir()
    (home / "dagster.yaml").write_text(template.read_text())
    command = [sys.executable, "-m", "dagster", "instance", "info"]
    done = subprocess.run(command, env=os.environ | {"DAGSTER_HOME": str(home)} | env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_dagster_keeps_its_events_in_the_home_by_default(tmp_path: Path) -> None:
    info = _instance_info(tmp_path / "home", PROJECT / "dagster_home" / "dagster.yaml")
    assert re.search(r"event_log_storage:\s+module: forge_app.event_log\s+class: KeptEventLogStorage", info)
    assert re.search(r"telemetry:\s+enabled: false", info)
    assert re.search(r"pools:\s+default_limit: 1", info)


def test_dagster_keeps_its_events_in_postgres_in_production(tmp_path: Path, database_url: str) -> None:
    address = sqlalchemy.make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    info = _instance_info(tmp_path / "home", PROJECT / "deploy" / "dagster.yaml", DAGSTER_POSTGRES_URL=address)
    assert "PostgresEventLogStorage" in info
    assert re.search(r"telemetry:\s+enabled: false", info)
    engine = sqlalchemy.create_engine(database_url)
    assert sqlalchemy.inspect(engine).has_table("event_logs")
    engine.dispose()


def test_both_instances_limit_and_forget_alike() -> None:
    default, production = (yaml.safe_load((PROJECT / name).read_text()) for name in ("dagster_home/dagster.yaml", "deploy/dagster.yaml"))
    assert default["concurrency"]["pools"] == production["concurrency"]["pools"]
    assert default["retention"] == production["retention"]
