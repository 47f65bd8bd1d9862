"""A parser process: reads tasks from stdin, answers on stdout, and holds nothing but the document in hand.

It has no network, no files but its own folder, no core dumps, and bounds on memory, processor time and file size, which programs that
it starts inherit; `workers.py` starts it, feeds it and buries it.
Frames are 8 bytes of length and a pickle, between two processes of one program; nothing of a document is ever unpickled, and of the
parser's answers only those classes that documents are made of.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

from forge_assets.corpus.model import Document
from forge_assets.corpus.readers.limits import Limits
from forge_resources.errors import DocumentProblem
from forge_resources.sandbox import enter

MEMORY_LIMIT = 1_600_000_000
"""Bytes of private memory a document may need (RLIMIT_DATA)."""
FILE_LIMIT = 400_000_000
"""Bytes of the largest file a parser may write: pandoc's input lies in one (RLIMIT_FSIZE)."""
PROCESSOR_SHARE = 4.0
"""Seconds of processor time per second that a document may take, before the kernel ends a parser whose parent is gone (RLIMIT_CPU)."""
MAX_FRAME = 1 << 32
_PIECE = 1 << 20
_SENT = {
    "forge_assets.corpus.model": {"Document", "Parsed", "Element", "Block", "Passage"},
    "forge_resources.errors": {"DocumentProblem"},
}

Item = tuple[bytes, str, bool]
"""Bytes, name, and whether it is a line of a dump."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


class Writable(Protocol):
    def write(self, data: memoryview, /) -> int | None: ...
    def flush(self) -> None: ...


def write_frame(stream: Writable, value: object) -> None:
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    rest = memoryview(struct.pack("<Q", len(data)) + data)
    while rest:
        rest = rest[cast(int, stream.write(rest)) :]
    stream.flush()


def read_frame(stream: Readable) -> Any:
    """The next value, of a process that is trusted. Raises EOFError when the other side has closed or died."""
    return pickle.loads(_frame(stream))  # noqa: S301 - written by our own process


def read_answer(stream: Readable) -> Any:
    """The next value of a parser. Raises EOFError, also for anything but documents and problems: then the parser is not itself any more."""
    try:
        return _Answers(io.BytesIO(_frame(stream))).load()
    except (pickle.UnpicklingError, AttributeError, ImportError, IndexError, KeyError, TypeError, ValueError, MemoryError) as error:
        raise EOFError(f"an answer that is none: {error}") from None


class _Answers(pickle.Unpickler):
    """Makes documents and problems, no other object: whoever took over a parser must not reach further by what it answers."""

    def find_class(self, module: str, name: str) -> Any:
        if name not in _SENT.get(module, ()):
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def _frame(stream: Readable) -> bytes:
    size = struct.unpack("<Q", _exactly(stream, 8))[0]
    if size > MAX_FRAME:
        raise EOFError(f"a frame of {size} bytes")
    return _exactly(stream, size)


def _exactly(stream: Readable, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = stream.read(min(size - len(data), _PIECE))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def _forbid_network() -> None:
    """Parsing never needs another host; a library that tries gets an error instead of a connection."""

    def refuse(self: socket.socket, address: Any, *_: Any) -> None:
        if self.family != socket.AF_UNIX:
            raise OSError(f"parsing has no network: {address} refused")

    whole = socket.socket.__init__

    def make(self: socket.socket, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        if fileno is None and family != socket.AF_UNIX:
            raise OSError("parsing has no network: no socket is made")
        whole(self, family, type, proto, fileno)

    socket.socket.__init__ = make  # type: ignore[method-assign]
    socket.socket.connect = refuse  # type: ignore[method-assign, assignment]
    socket.socket.connect_ex = refuse  # type: ignore[method-assign, assignment]


def _answers(items: list[Item], limits: Limits) -> Iterator[Document | DocumentProblem]:
    """One answer per item, in order. Records of a dump are parsed together, which is faster; files one by one."""
    from forge_assets.corpus.parse import parse

    if len(items) > 1 and all(is_record for _, _, is_record in items):
        try:
            yield from _parse_lines(items)
            return
        except Exception:  # noqa: S110 - one of them is guilty: below, each is read alone and gets its own answer
            pass
    for item in items:
        data, name, is_record = item
        yield _guarded(partial(_parse_line, item) if is_record else partial(parse, data, name, limits))


def _parse_line(item: Item) -> Document | DocumentProblem:
    return _parse_lines([item])[0]


def _parse_lines(items: list[Item]) -> list[Document | DocumentProblem]:
    from forge_assets.corpus.parse import parse_records

    return parse_records([(json.loads(data), name) for data, name, _ in items])


def _guarded(read: Callable[[], Document | DocumentProblem]) -> Document | DocumentProblem:
    """What `read` returns, or the problem it met; a reader's bug must not take the neighbours down."""
    try:
        return read()
    except DocumentProblem as problem:
        return problem
    except MemoryError:
        return DocumentProblem("too_complex", f"needs more than {MEMORY_LIMIT / 1e9:.1f} GB of memory to read")
    except RecursionError:
        return DocumentProblem("too_complex", "is nested too deeply to read")
    except Exception as error:
        return DocumentProblem("broken", f"the reader failed: {type(error).__name__}: {str(error)[:300]}")


def confine(folder: Path) -> list[str]:
    """Gives up, for good, what parsing never needs; returns the measures of the sandbox that hold here."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))
    if sys.platform == "linux":  # a parser ends with the process that feeds it
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    _forbid_network()
    return enter(folder)


def _allow_processor_time(seconds: float) -> None:
    """A bound from now on; programs that this process starts get it too, each counted by itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(time.process_time() + PROCESSOR_SHARE * seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up among the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    confine(Path(os.environ["TMPDIR"]))
    tasks = sys.stdin.buffer
    try:
        while True:
            items, limits = read_frame(tasks)
            _allow_processor_time(len(items) * limits.timeout_s)
            for answer in _answers(items, limits):
                write_frame(answers, (answer, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))
    except (EOFError, BrokenPipeError):
        os._exit(0)


if __name__ == "__main__":
    main()
