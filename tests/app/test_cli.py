"""The command line as a person meets it: one sentence and exit code 2 for what is wrong, and nothing half done."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from forge_resources.settings import PROJECT
from tests.app.conftest import Forge


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["source", "add", "/no/such/folder"], {}, "does not exist"),
        (["source", "add", "ftp://host/x"], {}, "expected a folder or a file, s3://bucket/prefix"),
        (["source", "remove", "nobody"], {}, "no source is called 'nobody'"),
        (["run", "nonsense"], {}, "no asset is called nonsense"),
        (["run", "--shards", "zz"], {}, "expected hexadecimal keys such as 00..3f"),
        (["source", "list"], {"FORGE_DATABASE_URL": "postgresql://me:secret@127.0.0.1:9/none"}, "cannot reach"),
        (["source", "list"], {"FORGE_WORKERS": "many"}, "FORGE_WORKERS"),
        (["source", "add", "s3://no-such-bucket/x"], {"FORGE_S3_ENDPOINT": "http://127.0.0.1:9"}, "127.0.0.1:9"),
        (["search"], {}, "search needs either a query or --queries"),
        (["up"], {"FORGE_HOST": "192.0.2.1"}, "cannot listen on 192.0.2.1"),
        (["corpus", "show", "nothing"], {}, "no document has the address or id 'nothing'"),
        (["corpus", "show", "a\udcff"], {}, "no document has the address or id 'a\ufffd'"),
        (["corpus", "problems", "--code", "nosuchcode"], {}, "the codes are: empty, too_large"),
        (["run"], {"FORGE_HOME": "/proc/nope"}, "FORGE_HOME=/proc/nope cannot be used"),
        (["run"], {"FORGE_HOME": "/dev/null/x"}, "FORGE_HOME=/dev/null/x cannot be used"),
        (["source", "list"], {"FORGE_NIGHTLY_CRON": "foo"}, "FORGE_NIGHTLY_CRON='foo': expected a cron line of five fields"),
        (["source", "list"], {"FORGE_MAX_DOCUMENT_MB": "inf"}, "FORGE_MAX_DOCUMENT_MB='inf'"),
        (["source", "add", "s3://some-bucket/x"], {"FORGE_S3_ENDPOINT": "foo"}, "FORGE_S3_ENDPOINT='foo': expected http://host:port"),
        (["source", "add", "s3://Bad_Bucket!!/p"], {}, "source p (s3://Bad_Bucket!!/p): bucket Bad_Bucket!! cannot be asked for"),
        (["source", "add", ""], {}, "no place is given"),
        (["source", "add", "/dev/zero"], {}, "/dev/zero is neither a folder nor a file"),
        (["source", "add", "/nonexistent"], {}, "/nonexistent does not exist; expected a folder"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    database_url: str, forge: Forge, arguments: list[str], environment: dict[str, str], sentence: str
) -> None:
    done = forge(*arguments, AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="y", **environment)
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(r"forge: [^\n]+\n", done.stderr), done.stderr
    assert sentence in done.stderr
    assert "secret" not in done.stderr
    assert done.stdout == ""


def test_a_corpus_is_taken_in_searched_asked_and_shown(database_url: str, forge: Forge, articles: Path, tmp_path: Path) -> None:
    (articles / "empty.md").write_text("")
    assert "added source articles" in forge("source", "add", articles).stdout
    made = forge("run")
    assert made.returncode == 0, made.stderr
    assert "every_document_could_be_read: 1 document is quarantined" in made.stderr
    (problem,) = json.loads(forge("corpus", "problems", "--json").stdout)
    assert problem["code"] == "empty" and problem["uri"].endswith("empty.md")

    assert forge("corpus", "retry", "--code", "timeout").stdout.startswith("0 documents")
    assert forge("corpus", "retry").stdout.startswith("1 document will be tried again")

    hits = json.loads(forge("search", "rotary embedding of positions", "--json", "--k", "3").stdout)["hits"]
    assert hits[0]["title"] == "Rotary embeddings" and len(hits) == 3
    recent = json.loads(forge("search", "warm-up", "--filter", "year>=2022", "--json").stdout)["hits"]
    assert [hit["external_id"] for hit in recent] == ["arxiv:2101.00002"]
    answer = json.loads(forge("ask", "Who introduced RoPE?", "--json").stdout)
    assert "RoPE was introduced by Su et al. in 2021." in [sentence["text"] for sentence in answer["sentences"]]

    queries = [{"id": "q1", "text": "warm-up of the learning rate"}, {"id": "q2", "text": "keys and values"}]
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(query) + "\n" for query in queries))
    assert forge("search", "--queries", "queries.jsonl", "--run-file", "out.trec", "--k", "2").returncode == 0
    lines = [line.split() for line in (tmp_path / "out.trec").read_text().splitlines()]
    assert [line[0] for line in lines] == ["q1", "q1", "q2", "q2"]
    assert lines[0][2] == "arxiv:2101.00001" and all(len(line) == 6 and line[1] == "Q0" for line in lines)

    program = (
        "import sys; from forge_app.cli import main; main(['search', 'rotary embeddings', '--json']);"
        "print([m for m in ('haystack', 'sentence_transformers', 'transformers', 'dagster') if m in sys.modules], file=sys.stderr)"
    )
    light = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=PROJECT, timeout=60)
    assert light.stderr.strip() == "[]" and "Rotary embeddings" in light.stdout

    shown = forge("corpus", "show", "arxiv:2101.00001", "--passages").stdout
    assert "title: On learning rates" in shown and "characters 0-" in shown and "Warm-up helps." in shown


def test_doctor_names_a_wrong_variable_and_what_is_out_of_reach(database_url: str, forge: Forge) -> None:
    fine = forge("doctor", "--json")
    assert fine.returncode == 0, fine.stdout
    findings = {finding["name"]: finding for finding in json.loads(fine.stdout)}
    assert findings["FORGE_EMBEDDER"]["value"] == "minilm"
    wrong = forge("doctor", "--json", FORGE_DATABASE_URL="postgresql://127.0.0.1:9/none", FORGE_EMBEDER="x")
    assert wrong.returncode == 2
    reported = {finding["name"]: finding for finding in json.loads(wrong.stdout)}
    assert any(finding["status"] == "error" and "127.0.0.1" in finding["message"] for finding in reported.values())
    assert "FORGE_EMBEDDER" in reported["FORGE_EMBEDER"]["message"]


def test_doctor_shows_the_table_with_the_wrong_setting_marked(forge: Forge) -> None:
    done = forge("doctor", FORGE_WORKERS="many")
    assert (done.returncode, done.stderr) == (2, "")
    (row,) = [line for line in done.stdout.splitlines() if line.strip().startswith("FORGE_WORKERS")]
    assert re.search(r"many +environment +error +.*integer", row)
    assert "FORGE_PORT" in done.stdout and "embedded, not made yet" in done.stdout


def test_problems_of_a_code_that_does_not_occur(database_url: str, forge: Forge) -> None:
    assert forge("corpus", "problems", "--code", "encrypted").stdout == "no problems with code encrypted\n"
    assert forge("corpus", "problems").stdout == "no problems: every listed document could be read\n"


def test_an_address_that_is_percent_encoded_and_a_name_that_is_no_text_are_found(database_url: str, forge: Forge, tmp_path: Path) -> None:
    (tmp_path / "a b.md").write_text("# A")
    (tmp_path / "caf\udce9").mkdir()
    assert forge("source", "add", f"file://{tmp_path}/a%20b.md").stdout.startswith("added source a-20b-md;")
    assert forge("source", "add", tmp_path / "caf\udce9").returncode == 0
    addresses = [row["address"] for row in json.loads(forge("source", "list", "--json").stdout)]
    assert addresses == [f"file://{tmp_path}/a%20b.md", f"file://{tmp_path}/caf%E9"]


def test_a_missing_bucket_of_a_source_is_told_of_the_source(database_url: str, forge: Forge) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "FORGE_S3_ENDPOINT": f"http://{host}:{port}"}
        done = forge("source", "add", "s3://missing/papers", **keys)
    finally:
        server.stop()
    assert done.returncode == 2
    assert done.stderr.startswith("forge: source papers (s3://missing/papers): bucket missing does not exist at http://127")
    assert done.stderr.endswith("create it, or correct the address of the source\n")


def test_up_stops_everything_it_started(forge_home: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-c", "from forge_app.cli import main; main()", "up", "--port", port]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and f":{port}" in process.stdout.readline()
        group = next(int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split() if _is_dagster(pid))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    deadline = time.monotonic() + 5
    while _lives(group) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _lives(group)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _is_dagster(pid: str) -> bool:
    return b"dagster" in Path(f"/proc/{pid}/cmdline").read_bytes()
