"""`forge fragments` as a person uses it, on a real database and on folders alone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from forge_app.instance import instance
from forge_assets.definitions import defs
from forge_assets.fragments import corpus_text
from forge_assets.fragments.build import build_blueprint, root_of
from forge_assets.fragments.chain import CHAIN
from forge_resources.database import Database
from forge_resources.settings import settings
from tests.app.test_components import Forge

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def forge(forge_home: Path, capsys: pytest.CaptureFixture[str]) -> Forge:
    return Forge(capsys)


def _documents(db: Database, many: int) -> None:
    words = "Attention weighs values by keys and queries; a norm keeps the scale of layer {number}. "
    with db.begin() as connection:
        for number in range(many):
            connection.execute(
                sa.text("""INSERT INTO document (document_id, uri, shard, source, content_hash, stage_version, media_type, text, blocks)
                    VALUES (CAST(:id AS uuid), :uri, 0, 's', :hash, '1', 'text/plain', :text, '[]') ON CONFLICT DO NOTHING"""),
                {
                    "id": f"{number:02x}" + "0" * 30,
                    "uri": f"file:///{number}",
                    "hash": str(number),
                    "text": words.format(number=number) * 20,
                },
            )


def test_a_blueprint_is_built_from_the_database_and_pins_its_corpus(database: Database, forge: Forge) -> None:
    _documents(database, 8)
    create = ("blueprint", "create", "tiny", "--params", "3e6", "--context", "128", "--gpu-memory", "24GiB", "--goal", "simplicity")
    assert "tiny is a blueprint" in forge(*create, "--pin", "tokenizer=byte-level-bpe").out
    assert "is not solved yet" in forge("fragments", "build", "tiny").err
    assert forge("stack", "solve", "tiny").code == 0
    told = forge("fragments", "build", "tiny", "--until", "03-position").out.splitlines()
    assert told[:3] == ["01-tokenizer: built", "02-embedding: built", "03-position: built"]
    config = json.loads(forge("fragments", "show", "tiny", "01-tokenizer", "--json").out)
    assert config["documents"] == 8 and config["snapshot"] == corpus_text.state(database)[0] and len(config["spec"]) == 64
    _documents(database, 12)
    again = build_blueprint(database, settings(), "tiny", list(CHAIN)[:3])
    assert not any(one.made for one in again), "nights change no blueprint"
    shutil.rmtree(root_of(settings().home, "tiny") / "01-tokenizer")
    again = build_blueprint(database, settings(), "tiny", list(CHAIN)[:2])
    assert all(one.made for one in again), "with nothing standing on it the pin moves"
    with instance(settings()) as home:
        job = defs.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=home, partition_key="tiny", asset_selection=[dg.AssetKey("fragment_03_position")])
    (event,) = result.asset_materializations_for_node("fragment_03_position")
    assert len((event.tags or {})["dagster/data_version"]) == 64 and event.metadata["made"].value
    sums = settings().home / "objects" / "blueprints" / "tiny" / "fragments" / "03-position" / "SHA256SUMS"
    assert sums.read_bytes() == (root_of(settings().home, "tiny") / "03-position" / "SHA256SUMS").read_bytes()
    listed = json.loads(forge("fragments", "list", "tiny", "--json").out)
    assert listed["missing"] == list(CHAIN)[3:] and listed["fragments"][0]["blueprint"] == "tiny"


def test_pieces_in_a_folder_are_listed_shown_verified_assembled_and_pushed(forge: Forge, copied: Path, tmp_path: Path) -> None:
    pieces = str(copied)
    shutil.rmtree(copied / "09-assembled")
    assert "missing: 09-assembled" in forge("fragments", "list", pieces).out
    assert forge("fragments", "show", pieces, "ffn").out.startswith("---\nlicense: apache-2.0")
    assert "04-attention: holds" in forge("fragments", "verify", pieces).out
    assert "8 pieces hold" in forge("fragments", "assemble", pieces, "-o", str(tmp_path / "out")).out
    assert "08-head: pushed" in forge("fragments", "push", pieces, "--to", str(tmp_path / "given")).out
    (copied / "04-attention" / "model.pt").write_bytes(b"\x80\x02cos\nsystem\n.")
    assert forge("fragments", "verify", pieces).err.startswith(f"forge: {copied / '04-attention' / 'model.pt'} was changed or cut off")
    (copied / "04-attention" / "\x1b[2J").touch()
    assert "04-attention/\\x1b[2J is not named in SHA256SUMS" in forge("fragments", "verify", pieces).err
    (copied / "05-ffn" / "README.md").write_bytes(b"# \x1b]0;title\x07 \xff\n")
    assert forge("fragments", "show", pieces, "ffn").out == "# \\x1b]0;title\\x07 \ufffd\n"
    config = copied / "06-norm" / "config.json"
    config.write_text(config.read_text().replace('"blueprint": "', '"blueprint": "\\u001b[2J[/b]\\u202e', 1))
    assert "\\x1b[2J[/b]\\u202e" in forge("fragments", "list", pieces).out
    os.truncate(copied / "05-ffn" / "README.md", 3 << 30)
    assert "README.md has 3,221,225,472 bytes; expected at most" in forge("fragments", "show", pieces, "ffn").err
    assert "there is no folder nowhere" in forge("fragments", "list", "nowhere").err
    assert "there is no fragment 'attentio'" in forge("fragments", "show", pieces, "attentio").err


def test_a_remote_target_asks_first(forge: Forge, copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import click

    asked: list[str] = []

    def no(text: str, abort: bool) -> None:
        asked.append(text)
        raise click.Abort

    monkeypatch.setattr(click, "confirm", no)
    told = forge("fragments", "push", str(copied), "--to", "s3://bucket/pieces").err
    assert asked == [f"push 10 fragments of {copied} to s3://bucket/pieces?"] and "stopped" in told
