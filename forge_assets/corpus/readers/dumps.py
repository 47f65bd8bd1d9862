"""Dumps of records (.jsonl, .jsonl.gz, .jsonl.zst) -> their lines one by one, in constant memory; a bad line harms only itself."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO, cast

from forge_assets.corpus.problems import problem
from forge_resources.errors import DocumentProblem

MAX_LINE = 32 << 20
"""Bytes a line may have; the rest of a longer one is passed over."""
MAX_RATIO = 200
"""Times its packed size that a dump may have, beyond FREE bytes: JSON packs to a tenth, a bomb to a thousandth."""
FREE = 100 << 20
_CHUNK = 1 << 20
_SLICE = 1 << 10
_ZSTD_WINDOW = 1 << 27
SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".ndjson.gz", ".ndjson.zst")


def is_dump(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def iter_records(stream: BinaryIO, name: str, *, max_line: int = MAX_LINE) -> Iterator[tuple[int, bytes, dict[str, Any] | DocumentProblem]]:
    """(line number from 1, the line's bytes, record or its problem) for every line that is not blank.

    A stream that breaks off yields its good records first, then one problem 'broken' with the number of the line it broke in.
    """
    number = 0
    lines = _lines(_chunks(stream, name), max_line)
    while True:
        try:
            line, over = next(lines)
        except StopIteration:
            return
        except (OSError, EOFError, zlib.error, _zstd_error()) as error:
            code = "too_large" if isinstance(error, Unfolds) else "broken"
            yield number + 1, b"", problem(code, f"{name} breaks off after line {number}: {error}")
            return
        number += 1
        if over:
            yield number, line, problem("bad_record", f"{name}, line {number}: longer than {max_line >> 20} MB")
        elif line.strip():
            yield number, line, _record(line, f"{name}, line {number}")


def iter_lines(stream: BinaryIO, name: str, *, max_line: int = MAX_LINE) -> Iterator[tuple[bytes, bool]]:
    """(line, whether it was cut for length) for every line. Raises OSError or EOFError where the stream breaks off."""
    try:
        yield from _lines(_chunks(stream, name), max_line)
    except (zlib.error, _zstd_error()) as error:
        raise EOFError(str(error)) from None


def _zstd_error() -> type[Exception]:
    import zstandard

    return zstandard.ZstdError


class Unfolds(EOFError):
    """A packed dump that is a bomb."""


class _Counted:
    """A stream that counts what is read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.count = stream, 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.count += len(data)
        return data


def _chunks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """The unpacked bytes in bounded pieces. Raises EOFError where a compressed stream is cut off, Unfolds for a bomb."""
    lower, given = name.lower(), 0
    if not lower.endswith((".zst", ".gz")):
        while chunk := stream.read(_CHUNK):
            yield chunk
        return
    packed = _Counted(stream)
    source = cast(BinaryIO, packed)
    for chunk in _unzstd(source) if lower.endswith(".zst") else iter(partial(gzip.GzipFile(fileobj=source).read, _CHUNK), b""):
        given += len(chunk)
        if given > FREE and given > MAX_RATIO * packed.count:
            raise Unfolds(f"it unfolds to more than {MAX_RATIO} times its packed size")
        yield chunk


def _unzstd(stream: BinaryIO) -> Iterator[bytes]:
    """Frames of zstd, fed in slices so small that even a bomb unfolds to some megabytes at a time; the library's own stream reader
    takes a cut-off stream for a whole one."""
    import zstandard

    context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    frame = context.decompressobj()
    open_frame = False
    while chunk := stream.read(_CHUNK):
        for start in range(0, len(chunk), _SLICE):
            rest = chunk[start : start + _SLICE]
            while rest:
                if out := frame.decompress(rest):
                    yield out
                open_frame, rest = not frame.eof, frame.unused_data
                if frame.eof:
                    frame = context.decompressobj()
    if open_frame:
        raise EOFError("the compressed stream ends in the middle of a frame")


def _lines(chunks: Iterator[bytes], max_line: int) -> Iterator[tuple[bytes, bool]]:
    """(line without its end, whether it was cut for length); never holds more than a line and a chunk."""
    parts: list[bytes] = []
    length, skipping = 0, False
    for chunk in chunks:
        pieces = chunk.split(b"\n")
        for piece in pieces[:-1]:
            if not skipping:
                line = b"".join([*parts, piece])
                yield line[:max_line], len(line) > max_line
            parts, length, skipping = [], 0, False
        if not skipping and pieces[-1]:
            parts.append(pieces[-1])
            length += len(pieces[-1])
        if length > max_line:
            yield b"".join(parts)[:max_line], True
            parts, length, skipping = [], 0, True
    if parts:
        yield b"".join(parts), False


def _record(line: bytes, where: str) -> dict[str, Any] | DocumentProblem:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return problem("bad_record", f"{where}: no sound JSON: {str(error)[:200]}")
    if not isinstance(record, dict):
        return problem("bad_record", f"{where}: a JSON {type(record).__name__}, expected an object")
    return record
