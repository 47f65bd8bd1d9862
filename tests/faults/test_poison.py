"""Documents that kill their parser, hang, eat memory or carry what SQL cannot hold: quarantined, and their neighbours are committed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from forge_assets.corpus.catalogue import problems
from forge_assets.corpus.sources import add_source
from forge_resources.database import Database
from forge_resources.settings import PROJECT, Settings
from tests.faults.pipeline import SMALL, run_all
from tests.faults.small_world import note, record
from tests.faults.state import violations

POISON = """import sys
if '-m' in sys.orig_argv and 'forge_assets.corpus.worker' in sys.orig_argv:
    import forge_assets.corpus.parse as p
    def watched(whole):
        def read(*given):
            name = str(given[1])
            if 'segfault' in name:
                import ctypes; ctypes.string_at(0)
            if 'hangs' in name:
                import time; time.sleep(60)
            if 'hungry' in name:
                bytearray(3_000_000_000)
            if 'leaves' in name:
                import os; os._exit(7)
            return whole(*given)
        return read
    p.read, p.read_record = watched(p.read), watched(p.read_record)
"""
VERDICTS = {"segfault": "crashed", "hangs": "timeout", "hungry": "too_complex", "leaves": "crashed"}


@pytest.fixture
def chosen(database_url: str, forge_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / "poison").mkdir()
    (tmp_path / "poison" / "sitecustomize.py").write_text(POISON)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'poison'}{os.pathsep}{PROJECT}")
    monkeypatch.setattr("forge_assets.corpus.workers.GRACE_S", 0.2)
    for module, name, value in SMALL:
        monkeypatch.setattr(module, name, value)
    return Settings(home=forge_home, database_url=database_url, workers=2, document_timeout_s=20)


@pytest.mark.faults
@pytest.mark.timeout(0)
def test_poisoned_files_among_sound_ones(database: Database, chosen: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    for number in range(8):
        (folder / f"sound{number}.md").write_text(note(number % 4))
    for name in VERDICTS:
        (folder / f"{name}.md").write_text(note(1))
    (folder / "nul.txt").write_bytes(b"A text with \0 in the middle of its first and only sentence.\n" * 3)
    (folder / "surrogate.json").write_text('{"title": "Half a pair \\ud800", "abstract": "\\udfff and \\u0000."}')
    add_source(database, chosen, str(folder))
    done = run_all(database, chosen)
    codes = {problem["uri"].rsplit("/", 1)[1].split(".")[0]: problem["code"] for problem in problems(database)}
    assert {name: codes.get(name) for name in VERDICTS} == VERDICTS
    assert done["parsed"] + done["quarantined"] == 14 and not [name for name in codes if name.startswith("sound")]
    assert violations(database, chosen) == []
    assert run_all(database, chosen)["parsed"] == 0


def test_poisoned_records_among_sound_ones(database: Database, chosen: Settings, tmp_path: Path) -> None:
    bad = [record(n) | {"doc_id": f"x:{name}"} for n, name in enumerate(VERDICTS) if name != "hangs"]
    odd = [record(1) | {"doc_id": "nul:\0id", "title": "Nul \0 and half \ud800", "authors": ["\udfff"], "abstract": "\0\ud800 text."}]
    lines = [json.dumps(item) for item in [*(record(n) for n in range(12)), *bad, *odd, *(record(n) for n in range(12, 24))]]
    (tmp_path / "dump.jsonl").write_text("\n".join(lines) + "\n")
    add_source(database, chosen, str(tmp_path / "dump.jsonl"))
    done = run_all(database, chosen)
    codes = {problem["uri"].rsplit(":", 1)[1]: problem["code"] for problem in problems(database)}
    assert codes == {name: code for name, code in VERDICTS.items() if name != "hangs"}
    assert done["parsed"] == 25
    assert violations(database, chosen) == []
