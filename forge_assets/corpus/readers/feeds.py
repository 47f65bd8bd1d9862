"""Files that hold many records without being named as dumps: an Atom feed of arXiv entries, a JSON array of records, JSON lines.

`looks_like_records` tells one by its first bytes; `iter_container` gives the records of any of them, and of a dump.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from forge_assets.corpus.problems import problem
from forge_assets.corpus.readers.dumps import is_dump, iter_records
from forge_resources.errors import DocumentProblem

HEAD = 4096
"""Bytes that suffice to tell, unless the first line is an object that goes on."""
WIDE_HEAD = 1 << 20
MAX_BYTES = 64 << 20
_ATOM = "{http://www.w3.org/2005/Atom}"
_FEED = re.compile(rb"<feed[^>]+http://www\.w3\.org/2005/Atom")
_ARRAY = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*\[\s*\{\s*\"")
_RECORD_KEYS = re.compile(rb'"(doc_id|arxiv_id|paper_id|abstract|summary)"\s*:')
_LINE_KEYS = re.compile(rb'"(doc_id|arxiv_id|paper_id|title|abstract|text|summary)"\s*:')
_ARXIV = re.compile(r"arxiv\.org/abs/(.+?)(?:v\d+)?$")


def may_hold_records(name: str) -> bool:
    """Whether the name is one that is worth a look at its first bytes."""
    return name.lower().endswith((".atom", ".xml", ".json"))


def looks_like_records(head: bytes) -> bool:
    """True for an Atom feed, and for a JSON array or JSON lines whose first objects have the keys of article records."""
    return bool(_FEED.search(head)) or bool(_ARRAY.match(head) and _RECORD_KEYS.search(head)) or _is_lines(head)


def read_head(stream: BinaryIO) -> bytes:
    """The first bytes, as many as it takes to tell what they begin."""
    head = stream.read(HEAD)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and head.count(b"\n") < 2 and len(head) == HEAD:
        head += stream.read(WIDE_HEAD - HEAD)  # JSON lines may be long
    return head


def _is_lines(head: bytes) -> bool:
    """Whether the first line is a whole record and the next one begins like another."""
    lines = [line for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()][:2]
    if len(lines) < 2 or not lines[1].lstrip().startswith(b"{") or not _LINE_KEYS.search(lines[0]):
        return False
    try:
        return isinstance(json.loads(lines[0]), dict)
    except (ValueError, RecursionError):
        return False


class _Rejoined:
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._rest.read(size)
        if size < 0:
            head, self._head = self._head, b""
            return head + self._rest.read()
        head, self._head = self._head[:size], self._head[size:]
        return head


def iter_container(stream: BinaryIO, name: str, *, lines: bool = False) -> Iterator[tuple[int, bytes, dict[str, Any] | DocumentProblem]]:
    """(number from 1, the record's bytes, record or its problem) of a dump, a feed or an array; with `lines`, it is told to be a dump
    whatever its name (an array is still known by its first bytes)."""
    if is_dump(name) or (lines and name.lower().endswith((".gz", ".zst"))):
        yield from iter_records(stream, name)
        return
    head = read_head(stream)
    joined = cast(BinaryIO, _Rejoined(head, stream))
    is_lines = not _ARRAY.match(head) if lines else _is_lines(head)
    yield from iter_records(joined, name) if is_lines else iter_feed(joined, name)


def iter_feed(stream: BinaryIO, name: str) -> Iterator[tuple[int, bytes, dict[str, Any] | DocumentProblem]]:
    """(number from 1, the record's bytes, record or its problem). An entry of a feed is its XML, its record holds the id only."""
    data = _at_most(stream, MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        yield 1, b"", problem("too_large", f"{name} has more than {MAX_BYTES >> 20} MB; store it as JSON lines, which are read one by one")
        return
    yield from _entries(data, name) if _FEED.search(data[:HEAD]) else _objects(data, name)


def _at_most(stream: BinaryIO, size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (part := stream.read(size - len(data))):
        data += part
    return bytes(data)


def _objects(data: bytes, name: str) -> Iterator[tuple[int, bytes, dict[str, Any] | DocumentProblem]]:
    try:
        records = json.loads(data)
    except (ValueError, RecursionError) as error:
        yield 1, b"", problem("broken", f"{name} is no sound JSON: {str(error)[:200]}")
        return
    for number, record in enumerate(records, 1):
        line = json.dumps(record).encode()
        if isinstance(record, dict):
            yield number, line, record
        else:
            yield number, line, problem("bad_record", f"{name}, record {number}: a JSON {type(record).__name__}, expected an object")


def _entries(data: bytes, name: str) -> Iterator[tuple[int, bytes, dict[str, Any] | DocumentProblem]]:
    from lxml import etree  # type: ignore[import-untyped]

    if b"<!ENTITY" in data:
        yield 1, b"", problem("unsafe", f"{name} defines XML entities, which are not expanded")
        return
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        yield 1, b"", problem("broken", f"{name} is damaged XML: {error}")
        return
    for number, entry in enumerate(root.iterfind(f"{_ATOM}entry"), 1):
        address = (entry.findtext(f"{_ATOM}id") or "").strip()
        arxiv = _ARXIV.search(address)
        identity = f"arxiv:{arxiv.group(1)}" if arxiv else address
        yield number, etree.tostring(entry, encoding="utf-8"), {"id": identity} if identity else {}
