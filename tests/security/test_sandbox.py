"""What a parser process, and a program it starts, can no longer do; and what a parser that was taken over cannot send."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forge_assets.corpus import workers
from forge_assets.corpus.model import Document
from forge_assets.corpus.readers.limits import Limits
from forge_assets.corpus.worker import MAX_FRAME, read_answer
from forge_assets.corpus.workers import Job, parse_all
from forge_resources import examinations, sandbox
from forge_resources.errors import DocumentProblem
from forge_resources.settings import Settings
from tests.security.test_malformed import listening

PROBE = """
import ctypes, json, os, pathlib, resource, socket, subprocess, sys, tempfile
from forge_assets.corpus.worker import confine

folder, secret, outside, port = sys.argv[1:]
found = {"held": confine(pathlib.Path(folder))}

def tried(name, action):
    try:
        found[name] = action()
    except OSError as error:
        found[name] = f"refused: {error.errno}"

def raw():
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.socket(2, 1, 0)
    if handle < 0:
        raise OSError(ctypes.get_errno(), "socket")
    address = b"\\x02\\x00" + int(port).to_bytes(2, "big") + bytes((127, 0, 0, 1)) + bytes(8)
    if libc.connect(handle, address, 16):
        raise OSError(ctypes.get_errno(), "connect")
    return "connected"

def child(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode:
        raise OSError(done.returncode, done.stderr)
    return done.stdout

dial = f"import socket; socket.create_connection(('127.0.0.1', {port})); print('connected')"
tried("python", lambda: socket.create_connection(("127.0.0.1", int(port))) and "connected")
tried("raw", raw)
tried("child python", lambda: child(sys.executable, "-c", dial))
tried("child shell", lambda: child("bash", "-c", f"echo x > /dev/tcp/127.0.0.1/{port} && echo connected"))
tried("read", lambda: pathlib.Path(secret).read_text())
tried("child read", lambda: child("cat", secret))
tried("passwd", lambda: pathlib.Path("/etc/passwd").read_text())
tried("write", lambda: pathlib.Path(outside, "x").write_text("x"))
tried("child write", lambda: child("touch", f"{outside}/y"))
tried("list", lambda: os.listdir(outside))
tried("kill", lambda: os.kill(os.getppid(), 0))
tried("own file", lambda: pathlib.Path(folder, "own").write_text("x"))
tried("big file", lambda: pathlib.Path(folder, "big").write_bytes(bytes(500_000_000)))
tried("child program", lambda: child("tr", "a", "b") or "ran")
tried("child memory", lambda: child(sys.executable, "-c", "bytearray(3_000_000_000)"))
found["data"] = resource.getrlimit(resource.RLIMIT_DATA)[0]
print(json.dumps(found))
"""


def probed(tmp_path: Path, port: int) -> dict[str, object]:
    folder, outside, secret = tmp_path / "own", tmp_path / "outside", tmp_path / "secret"
    folder.mkdir()
    outside.mkdir()
    secret.write_text("secret")
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(folder), str(secret), str(outside), str(port)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert list(outside.iterdir()) == [] or sandbox.FILES not in sandbox.measures()
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_parser_and_its_children_reach_neither_network_nor_files(tmp_path: Path) -> None:
    with listening() as listener:
        found = probed(tmp_path, int(listener.url.rpartition(":")[2]))
        time.sleep(0.1)
        calls = list(listener.calls)
    assert str(found["python"]).startswith("refused")
    assert found["own file"] == 1 and found["child program"] == "ran"
    assert str(found["big file"]).startswith("refused") and str(found["child memory"]).startswith("refused")
    held = found["held"]
    assert isinstance(held, list) and held == list(sandbox.measures())
    if not held:
        pytest.skip("this kernel grants no sandbox at all; `forge doctor` says so")
    if sandbox.NAMESPACE in held or sandbox.SYSCALLS in held:
        assert calls == []
        assert all(str(found[name]).startswith("refused") for name in ("raw", "child python", "child shell")), found
    if sandbox.FILES in held:
        refused = ("read", "child read", "passwd", "write", "child write", "list")
        assert all(str(found[name]).startswith("refused") for name in refused), found


def test_the_doctor_says_what_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    (finding,) = examinations.parser_sandbox(Settings())
    held = sandbox.measures()
    assert finding.name == "parser sandbox" and all(measure in finding.value for measure in held)
    monkeypatch.setattr(sandbox, "measures", lambda: (sandbox.FILES,))
    (finding,) = examinations.parser_sandbox(Settings())
    assert finding.status == "warning" and finding.value == "sockets refused by Python only, no files"


def test_modules_beside_the_papers_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("json", "lxml", "tokenizers", "langdetect", "markdown_it"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('the {name} of a stranger')")
    monkeypatch.chdir(tmp_path)
    ((_, answer),) = parse_all([[Job(1, b"# A title\n\nA sentence of text.", "a.md", False)]], Limits(), workers=1)
    assert isinstance(answer, Document)


def test_a_parser_is_told_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("FORGE_DATABASE_URL", "postgresql://user:word@host/db")
    told = workers._environment("/tmp/own")
    assert told["HOME"] == told["TMPDIR"] == "/tmp/own"
    assert not any(name.startswith(("AWS", "FORGE", "HF_")) for name in told)


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/forge-evil",)


@pytest.mark.parametrize(
    "data",
    [
        pickle.dumps(_Evil()),
        pickle.dumps((DocumentProblem("broken", "x"), os.getcwd)),
        b"\x80\x04\x95no pickle",
        pickle.dumps(io.BytesIO),
        b"",
    ],
)
def test_a_parser_cannot_send_more_than_documents(data: bytes) -> None:
    with pytest.raises(EOFError):
        read_answer(io.BytesIO(struct.pack("<Q", len(data)) + data))
    assert not Path("/tmp/forge-evil").exists()


def test_a_frame_without_end_is_refused() -> None:
    with pytest.raises(EOFError, match="a frame of"):
        read_answer(io.BytesIO(struct.pack("<Q", MAX_FRAME + 1) + b"x" * 100))


def test_what_a_parser_started_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "GRACE_S", 0.5)
    plan = (
        "import subprocess\nfrom forge_assets.corpus import parse\ndef stuck(*_): subprocess.run(['sleep', '61.6'])\nparse.parse = stuck\n"
    )
    (tmp_path / "sitecustomize.py").write_text(plan)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ((_, answer),) = parse_all([[Job(1, b"text", "a.txt", False)]], Limits(timeout_s=3), workers=1)
    assert isinstance(answer, DocumentProblem) and answer.code == "timeout"
    assert subprocess.run(["pgrep", "-f", "^sleep 61.6"], capture_output=True, check=False).stdout == b""
