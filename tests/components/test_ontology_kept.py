"""An ontology that another process has checked is read from JSON, and is the same to the last type; anything else is made anew."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from forge_assets.components.ontology import kept, load
from forge_assets.components.ontology.load import FOLDER, load_ontology
from forge_resources.decisions import Decision


@pytest.fixture
def elsewhere(forge_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that processes share; this one begins as a new process does."""
    monkeypatch.setattr(load, "_KEPT", {})
    return forge_home / "cache" / "ontology.json"


def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_KEPT", {})


def test_the_next_process_reads_no_yaml_and_has_the_same(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = load_ontology()
    assert elsewhere.is_file()
    _forget(monkeypatch)
    monkeypatch.setattr(load, "check", lambda *_: pytest.fail("YAML was read again"))
    again = load_ontology()
    assert again is not made
    assert repr(again) == repr(made), "types too: 1 is not 1.0"
    stored = again.version
    del again.__dict__["version"]
    assert again.version == stored == made.version


def test_a_damaged_file_is_made_anew(elsewhere: Path) -> None:
    elsewhere.parent.mkdir(parents=True)
    for content in ("", "{", "[]", "null", '{"key": 1}', '{"key": "key"}'):
        elsewhere.write_text(content)
        assert kept.taken(elsewhere, "key") is None
    made = load_ontology()
    key = kept.key_of(FOLDER, [], None)
    assert repr(kept.taken(elsewhere, key)) == repr(made)


def test_half_an_ontology_under_the_right_key_is_no_answer(tmp_path: Path) -> None:
    kept.keep(tmp_path / "kept.json", "key", load_ontology())
    whole = (tmp_path / "kept.json").read_text()
    (tmp_path / "kept.json").write_text(whole.replace('"slot": ', '"slut": ', 1))
    assert kept.taken(tmp_path / "kept.json", "key") is None
    (tmp_path / "kept.json").write_text(whole[: len(whole) // 2])
    assert kept.taken(tmp_path / "kept.json", "key") is None
    assert kept.taken(tmp_path / "none.json", "key") is None


def test_files_code_decisions_and_the_day_are_in_the_key(tmp_path: Path) -> None:
    (tmp_path / "norm.yaml").write_text("a")
    keys = {kept.key_of(tmp_path), kept.key_of(tmp_path, [], date(2026, 1, 1)), kept.key_of(tmp_path, [], date(2026, 1, 2))}
    decision = Decision("accept", "component", "x", "new", "jo", date(2026, 1, 31), value={"name": "X", "slot": "norm"})
    keys.add(kept.key_of(tmp_path, [decision], date(2026, 1, 1)))
    (tmp_path / "norm.yaml").write_text("b")
    keys.add(kept.key_of(tmp_path))
    assert len(keys) == 5


def test_a_home_that_cannot_be_written_keeps_nothing_and_stops_nothing(elsewhere: Path) -> None:
    elsewhere.parent.write_text("a file where the folder should be")
    assert load_ontology().components
