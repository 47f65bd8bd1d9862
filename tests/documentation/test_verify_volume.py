"""A volume against its documents, by Forge and by the script that knows nothing of Forge: what was edited by hand is found out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from forge_app.docs import docs
from forge_assets.documentation import shelf
from forge_assets.documentation.verify.volume_check import check_volume
from forge_resources.database import Database
from forge_resources.errors import QueryError
from tests.conftest import PROJECT
from tests.documentation.rewrites import rewrites
from tests.documentation.volumes import volume

SCRIPT = PROJECT / "tools" / "verify_volume.py"
Edit = Callable[[Any], None]


def first(content: Any) -> Any:
    """The first sentence of the volume."""
    return next(block for block in content["pages"][0]["blocks"] if block["kind"] == "paragraph")["sentences"][0]


def cell(content: Any) -> Any:
    return next(block for block in content["pages"][0]["blocks"] if block["kind"] == "table")["rows"][0][1]


def rewritten(content: Any, text: str) -> None:
    first(content).update(text=text, origin="rewritten")


EDITS: dict[str, Edit] = {
    "a changed word": lambda content: first(content).update(text=first(content)["text"].replace(" ", " really ", 1)),
    "no citation": lambda content: first(content).update(citations=[]),
    "a moved span": lambda content: first(content)["citations"][0].update(start=first(content)["citations"][0]["start"] + 1),
    "another quote": lambda content: first(content)["citations"][0].update(quote="Muon is fast."),
    "another hash": lambda content: first(content)["citations"][0].update(quote_sha256="0" * 64),
    "a document that is not there": lambda content: first(content)["citations"][0].update(
        document_id="00000000-0000-0000-0000-000000000000"
    ),
    "a cell's span": lambda content: cell(content)["citations"][0].update(end=cell(content)["citations"][0]["end"] - 1),
}


def checked(content: Any, texts: dict[str, str], tmp_path: Path) -> tuple[int, int]:
    """Faults that Forge finds, and the exit code of the script."""
    file = tmp_path / "volume.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    lines = tmp_path / "texts.jsonl"
    lines.write_text("".join(json.dumps({"document_id": id_, "text": text}) + "\n" for id_, text in texts.items()), encoding="utf-8")
    found = check_volume(shelf.read(file.read_bytes(), "volume.json"), lambda ids: {id_: texts[id_] for id_ in ids if id_ in texts})
    # -I: neither the folder of Forge nor its environment is seen
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(file), "--texts", str(lines)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return len(found.faults), done.returncode


def test_a_volume_as_it_was_bound_holds(tmp_path: Path) -> None:
    one, library = volume(pages=3)
    assert checked(json.loads(one.model_dump_json()), library.texts, tmp_path) == (0, 0)


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_by_hand_is_found_by_both(name: str, tmp_path: Path) -> None:
    one, library = volume(pages=3)
    content = json.loads(one.model_dump_json())
    EDITS[name](content)
    faults, code = checked(content, library.texts, tmp_path)
    assert faults >= 1 and code == 1


def test_a_rewritten_sentence_must_be_carried() -> None:
    one, library = volume(pages=1)
    content = json.loads(one.model_dump_json())
    quote = first(content)["citations"][0]["quote"]
    case = next(other for other in rewrites() if other.quotes == (quote,) and other.kind == "number")
    for text, faults in ((quote, 0), (case.text, 1), ("This is the best of all methods by far.", 1)):
        rewritten(content, text)
        made = shelf.read(json.dumps(content).encode(), "x")
        found = check_volume(made, lambda ids: {id_: library.texts[id_] for id_ in ids})
        assert len(found.faults) == faults and found.edited == [one.pages[0].id] and found.rewritten == 1


def test_the_script_imports_nothing_of_forge() -> None:
    assert "forge_" not in SCRIPT.read_text("utf-8")


def test_the_commands_tell_of_a_file_and_refuse_what_is_none(database: Database, tmp_path: Path) -> None:
    one, _ = volume(pages=1)
    file = tmp_path / "volume.json"
    file.write_text(one.model_dump_json(), encoding="utf-8")
    told = CliRunner().invoke(docs, ["verify", str(file)])
    assert told.exit_code == 1 and "which is not there" in told.output, "its documents are not in this database"
    book = tmp_path / "book.pdf"
    assert CliRunner().invoke(docs, ["pdf", str(file), "-o", str(book)]).exit_code == 0 and book.read_bytes().startswith(b"%PDF")
    for bad in ("{", "[]", '{"format": "forge-volume/1"}', "\x00"):
        file.write_text(bad, encoding="utf-8")
        result = CliRunner().invoke(docs, ["verify", str(file)])
        assert isinstance(result.exception, QueryError) and "is no volume" in str(result.exception)
    for arguments in (["verify", "nothing"], ["pdf", "nothing"], ["site"], ["rewrite", "nothing"]):
        assert isinstance(CliRunner().invoke(docs, arguments).exception, QueryError), arguments
