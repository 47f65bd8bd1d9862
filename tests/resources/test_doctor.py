"""`examine` names every setting with its origin, finds what is wrong, makes nothing, and gives no secret away."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from forge_resources import examinations
from forge_resources.database import Database
from forge_resources.doctor import as_json, as_text, examine, worst
from forge_resources.examinations import Finding
from forge_resources.settings import Settings

PASSWORD = "s3cr3t-word"


def by_name(findings: list[Finding], name: str) -> Finding:
    return next(finding for finding in findings if finding.name == name)


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / ".env"
    monkeypatch.setitem(Settings.model_config, "env_file", str(file))
    return file


def test_every_setting_is_listed_with_its_origin(forge_home: Path, dotenv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dotenv.write_text("FORGE_PORT=3100\nFORGE_WORKERS=3\n")
    monkeypatch.setenv("FORGE_WORKERS", "2")
    findings = examine()
    assert [finding.name for finding in findings][: len(Settings.model_fields)] == [
        f"FORGE_{name.upper()}" for name in Settings.model_fields
    ]
    assert (by_name(findings, "FORGE_PORT").value, by_name(findings, "FORGE_PORT").source) == ("3100", ".env")
    assert (by_name(findings, "FORGE_WORKERS").value, by_name(findings, "FORGE_WORKERS").source) == ("2", "environment")
    assert by_name(findings, "FORGE_HOST").source == "default"
    assert (by_name(findings, "FORGE_HOME").value, by_name(findings, "FORGE_HOME").source) == (str(forge_home), "environment")


def test_a_fresh_home_is_healthy_and_stays_fresh(forge_home: Path) -> None:
    findings = examine()
    assert [finding for finding in findings if finding.status == "error"] == []
    assert by_name(findings, "database").value == "embedded, not made yet"
    assert list(forge_home.iterdir()) == []


def test_a_database_in_use_is_named_with_its_versions(database: Database) -> None:
    finding = by_name(examine(), "database")
    assert finding.status == "ok"
    assert finding.value.startswith("Postgres 18.")
    assert "pgvector 0.8" in finding.value


def test_the_embedded_database_is_examined_where_it_exists(made_home: Path) -> None:
    finding = by_name(examine(), "database")
    assert finding.status == "ok"
    assert finding.message.startswith(f"the embedded database in {made_home}; ")
    assert finding.message.endswith("schema changes will be applied at the next use")


def test_what_cannot_be_reached_is_told_without_its_secrets(forge_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_DATABASE_URL", f"postgresql://alice:{PASSWORD}@127.0.0.1:1/forge")
    monkeypatch.setenv("FORGE_OBJECT_STORE_URL", str(forge_home / "file/objects"))
    monkeypatch.setenv("FORGE_S3_ENDPOINT", f"http://alice:{PASSWORD}@127.0.0.1:1")
    monkeypatch.setenv("FORGE_LLM_API_KEY", PASSWORD)
    monkeypatch.setenv("FORGE_DATABSE_PASSWORD", PASSWORD)
    monkeypatch.setenv("FORGE_EMBEDDER", "/no/such/folder")
    (forge_home / "file").write_text("")
    findings = examine()
    assert worst(findings) == "error"
    for name, sentence in [
        ("database", "cannot reach database forge on 127.0.0.1:1"),
        ("object store", "cannot use"),
        ("embedder", "/no/such/folder"),
    ]:
        assert by_name(findings, name).status == "error"
        assert sentence in by_name(findings, name).message
    assert "alice:***@127.0.0.1" in by_name(findings, "FORGE_DATABASE_URL").value
    assert PASSWORD not in as_text(findings) + as_json(findings)


def test_a_wrong_setting_is_an_error_with_what_is_expected(forge_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_PORT", "many")
    findings = examine()
    assert by_name(findings, "FORGE_PORT").status == "error"
    assert "integer" in by_name(findings, "FORGE_PORT").message
    assert by_name(findings, "FORGE_HOME").value == str(forge_home)
    assert by_name(findings, "database").value == "embedded, not made yet"


def test_what_depends_on_a_wrong_setting_is_not_examined(forge_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_S3_ENDPOINT", "foo")
    findings = examine()
    assert by_name(findings, "FORGE_S3_ENDPOINT").message.startswith("expected http://host:port")
    assert "object store" not in [finding.name for finding in findings]
    assert by_name(findings, "database").status == "ok"


def test_a_dotenv_that_is_not_utf_8_is_an_error_that_names_it(forge_home: Path, dotenv: Path) -> None:
    dotenv.write_bytes(b"FORGE_PORT=3100\n# caf\xe9\n")
    (finding,) = examine()
    assert (finding.name, finding.status) == (".env", "error")
    assert f"{dotenv} is not UTF-8" in finding.message


def test_an_empty_variable_is_shown_as_the_default(forge_home: Path, dotenv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_PORT", "")
    dotenv.write_text("FORGE_WORKERS=\n")
    findings = examine()
    assert (by_name(findings, "FORGE_PORT").value, by_name(findings, "FORGE_PORT").source) == ("3000", "default")
    assert by_name(findings, "FORGE_WORKERS").source == "default"


def test_an_unknown_setting_is_a_warning_with_a_suggestion(forge_home: Path, dotenv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_EMBEDER", "minilm")
    dotenv.write_text("FORGE_QQQ=1\nOTHER=2\nAWS_ACCESS_KEY_ID=x\n")
    findings = examine()
    assert by_name(findings, "FORGE_EMBEDER").message == "unknown setting: did you mean FORGE_EMBEDDER?"
    assert by_name(findings, "FORGE_EMBEDER").status == "warning"
    assert by_name(findings, "FORGE_QQQ").source == ".env"
    assert by_name(findings, "AWS_ACCESS_KEY_ID").status == "warning"
    assert "OTHER" not in [finding.name for finding in findings]


def test_the_probe_of_the_object_store_leaves_nothing(forge_home: Path) -> None:
    (forge_home / "objects").mkdir()
    assert by_name(examine(), "object store").message == "written, read and deleted a probe"
    assert [path for path in (forge_home / "objects").rglob("*") if path.is_file()] == []


def test_a_model_that_would_be_fetched_is_a_warning_and_is_not_fetched(forge_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_EMBEDDER", "no-such-organisation/no-such-model")
    finding = by_name(examine(), "embedder")
    assert (finding.status, finding.value) == ("warning", "no-such-organisation/no-such-model")
    assert "fetches it" in finding.message


def test_a_backend_that_is_not_here_is_a_warning(forge_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_EMBEDDER_BACKEND", "cuda")
    monkeypatch.setattr(examinations, "gpus", lambda: ())
    finding = by_name(examine(), "embedder")
    assert (finding.status, finding.value) == ("warning", "minilm on cuda")


def test_missing_programs_are_warnings_that_say_what_to_install(forge_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(forge_home))
    monkeypatch.setattr(examinations, "_pandoc", lambda: None)
    findings = examine()
    assert "tesseract-ocr" in by_name(findings, "ocr").message
    assert "pypandoc_binary" in by_name(findings, "pandoc").message
    assert by_name(findings, "ocr").status == by_name(findings, "pandoc").status == "warning"


def test_a_full_disk_is_an_error(forge_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(forge_home)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=100 << 20))
    assert by_name(examine(), "disk space").status == "error"


def test_a_home_that_cannot_be_written_is_an_error(forge_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (forge_home / "file").write_text("")
    monkeypatch.setenv("FORGE_HOME", str(forge_home / "file/home"))
    assert by_name(examine(), "home").status == "error"


@pytest.fixture
def language_model() -> Iterator[str]:
    """An endpoint that answers /v1/models to whoever has the key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("Authorization") == f"Bearer {PASSWORD}"
            self.send_response(200 if known and self.path == "/v1/models" else 401 if not known else 404)
            self.end_headers()
            self.wfile.write(b'{"object": "list", "data": [{"id": "small", "object": "model"}]}')

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_a_language_model_is_asked_whether_it_is_there(forge_home: Path, language_model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert by_name(examine(), "language model").value == "none"
    monkeypatch.setenv("FORGE_LLM_BASE_URL", language_model)
    assert by_name(examine(), "language model").message == "FORGE_LLM_BASE_URL is set; set FORGE_LLM_MODEL too"
    monkeypatch.setenv("FORGE_LLM_MODEL", "small")
    assert "check FORGE_LLM_API_KEY" in by_name(examine(), "language model").message
    monkeypatch.setenv("FORGE_LLM_API_KEY", PASSWORD)
    finding = by_name(examine(), "language model")
    assert (finding.status, finding.message) == ("ok", "answers (200) and offers this model")
    assert finding.value == f"small at {language_model.removeprefix('http://').removesuffix('/v1')}"
    monkeypatch.setenv("FORGE_LLM_MODEL", "large")
    finding = by_name(examine(), "language model")
    assert (finding.status, finding.message) == ("warning", "answers, but offers no large; it offers small; set FORGE_LLM_MODEL")
    monkeypatch.setenv("FORGE_LLM_BASE_URL", language_model.removesuffix("/v1"))
    assert "usually ends in /v1" in by_name(examine(), "language model").message
    monkeypatch.setenv("FORGE_LLM_BASE_URL", "http://127.0.0.1:1/v1")
    finding = by_name(examine(), "language model")
    assert finding.status == "warning"
    assert "does not answer" in finding.message
    monkeypatch.setenv("FORGE_LLM_BASE_URL", "localhost:8000")
    assert by_name(examine(), "FORGE_LLM_BASE_URL").status == "error"
    assert "language model" not in [finding.name for finding in examine()]


def test_findings_can_be_printed_and_read_back(forge_home: Path) -> None:
    findings = examine()
    assert [entry["name"] for entry in json.loads(as_json(findings))] == [finding.name for finding in findings]
    assert len(as_text(findings).splitlines()) == len(findings)
    broken = [Finding("x", "1", "machine", "error", "why"), Finding("y", "2", ".env", "ok", "about y")]
    assert as_text(broken) == "X x  1  - why\n  y  2 (.env)"


def test_nothing_heavy_is_imported(forge_home: Path) -> None:
    program = "import sys; from forge_resources.doctor import examine; examine(); "
    program += "print([m for m in ('torch', 'transformers', 'haystack') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
