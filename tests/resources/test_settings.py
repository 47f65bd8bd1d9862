"""Settings: what is empty counts as unset, and what is wrong is one sentence that names the variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from forge_resources.errors import SettingError
from forge_resources.settings import Settings, check_cron, default_home, settings


def test_an_empty_variable_means_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("FORGE_PORT=\nFORGE_INBOX=\n")
    monkeypatch.setitem(Settings.model_config, "env_file", str(tmp_path / ".env"))
    monkeypatch.setenv("FORGE_HOME", "")
    chosen = settings()
    assert (chosen.home, chosen.port, chosen.inbox) == (default_home(), 3000, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_DOCUMENT_MB", "inf"),
        ("DOCUMENT_TIMEOUT_S", "inf"),
        ("NIGHTLY_CRON", "foo"),
        ("S3_ENDPOINT", "localhost:9000"),
        ("S3_ENDPOINT", "http://"),
        ("PORT", "many"),
        ("LLM_BASE_URL", "localhost:8000"),
        ("LLM_PARALLEL", "0"),
    ],
)
def test_a_wrong_value_is_one_sentence_with_the_variable(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"FORGE_{name}", value)
    with pytest.raises(SettingError, match=f"^wrong setting: FORGE_{name}='{value}': [^\n]+$"):
        settings()


def test_a_dotenv_that_is_not_utf_8_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_bytes(b"FORGE_EMBEDDER=\xff\n")
    monkeypatch.setitem(Settings.model_config, "env_file", str(tmp_path / ".env"))
    with pytest.raises(SettingError, match=rf"{tmp_path}/\.env is not UTF-8 \(byte 15: [^\n]+save it as UTF-8$"):
        settings()


@pytest.mark.parametrize("line", ["0 3 * * *", "*/15 0-6 1,15 jan-mar mon-fri", "@daily", "0 0 * * SUN", "1/5 * * * 7"])
def test_a_cron_line_is_taken(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_NIGHTLY_CRON", line)
    assert settings().nightly_cron == line


@pytest.mark.parametrize(
    "line", ["", "3 *", "60 * * * *", "5-1 * * * *", "0 0 * * jan", "*/0 * * * *", ",* * * * *", "@reboot", "0 24 * * *", "0 0 0 * *"]
)
def test_what_is_no_cron_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="cron line"):
        check_cron(line)
