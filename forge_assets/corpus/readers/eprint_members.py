"""The files of an e-print (a tar, packed by gzip or not, or one file packed by gzip), unpacked in memory within limits.

Nothing is written to disk. Links, devices, absolute names and names that climb out are passed over.
"""

from __future__ import annotations

import io
import posixpath
import tarfile
import zlib

from forge_assets.corpus.problems import problem
from forge_assets.corpus.readers.limits import MEGABYTE, Limits
from forge_resources.errors import DocumentProblem

MAX_MEMBERS = 5_000
MAX_TEXT = 20 * MEGABYTE
"""Bytes that a text among the members may have; a longer one is data."""
MAX_TEXTS = 60 * MEGABYTE
_TEXTS = tuple(".tex .ltx .latex .bbl .txt .tikz .pgf .pdf_tex .pdf_t .pstex_t .eepic .inc .def .json .yaml .yml .xxx".split())
_HEAD = 65_536
GZIP = b"\x1f\x8b"
_TEX = (b"\\documentclass", b"\\documentstyle", b"\\begin{document}", b"\\magnification", b"\\input", b"\\bye", b"%auto-ignore")


def named_eprint(name: str) -> bool:
    """Whether the name is that under which the arXiv connector keeps an e-print."""
    return name.startswith("arxiv:") and name.endswith("#latex")


def looks_like_eprint(data: bytes) -> bool:
    """By the first bytes: a tar, or gzip of a tar, of TeX, PDF, PostScript or nothing. Whether the tar holds TeX, only the reader knows."""
    if not data.startswith(GZIP):
        return is_tar(data)
    try:
        head = zlib.decompressobj(31).decompress(data, _HEAD)
    except zlib.error:
        return False
    return not head or is_tar(head) or head.startswith((b"%PDF-", b"%!PS")) or (b"\x00" not in head and any(mark in head for mark in _TEX))


def is_tar(data: bytes) -> bool:
    """Whether the first block is the head of a tar member: by its sum, since old tars have no signature."""
    if len(data) < 512 or not data[0]:
        return False
    try:
        told = int(data[148:156].strip(b" \x00") or b"x", 8)
    except ValueError:
        return False
    return told == sum(data[:148]) + 8 * 32 + sum(data[156:512])


class _Unpacked(io.RawIOBase):
    """The bytes within gzip, or as they are, never more than a limit. Raises DocumentProblem: broken, too_large."""

    def __init__(self, data: bytes, name: str, limits: Limits) -> None:
        self._rest, self._name, self._limit = data, name, limits.max_unfolded_bytes
        self._inflater = zlib.decompressobj(31) if data.startswith(GZIP) else None
        self._given = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        out = self._some(size if size >= 0 else self._limit + 1)
        self._given += len(out)
        if self._given > self._limit:
            raise problem("too_large", f"{self._name} unfolds to more than {self._limit / MEGABYTE:.0f} MB")
        return out

    def _some(self, size: int) -> bytes:
        if self._inflater is None:
            out, self._rest = self._rest[:size], self._rest[size:]
            return out
        parts: list[bytes] = []
        while size > 0:
            if self._inflater.eof:
                if not self._rest.startswith(GZIP):
                    break  # the end, or what some servers put behind it
                self._inflater = zlib.decompressobj(31)
            try:
                out = self._inflater.decompress(self._rest, size)
            except zlib.error as error:
                raise problem("broken", f"{self._name} is damaged gzip: {error}") from None
            self._rest = self._inflater.unused_data if self._inflater.eof else self._inflater.unconsumed_tail
            parts.append(out)
            size -= len(out)
            if not out and not self._rest and not self._inflater.eof:
                raise problem("broken", f"{self._name} is gzip that breaks off")
        return b"".join(parts)


def unpack(data: bytes, name: str, limits: Limits) -> bytes | dict[str, bytes]:
    """The one file there is, or the members of a tar by name: texts with their bytes, PDFs too, all other files as b"".

    Raises DocumentProblem: broken, too_large, unsafe.
    """
    if data.startswith(GZIP):
        head = _Unpacked(data, name, limits).read(512)
        if not is_tar(head):
            return _Unpacked(data, name, limits).read()
    elif not is_tar(data):
        return data
    try:
        with tarfile.open(fileobj=_Unpacked(data, name, limits), mode="r|", errorlevel=0) as tar:
            return _members(tar, name)
    except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError) as error:
        raise problem("broken", f"{name} is a damaged tar: {error}") from None


def _members(tar: tarfile.TarFile, name: str) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    refused = texts = 0
    for count, member in enumerate(tar, 1):
        if count > MAX_MEMBERS:
            raise problem("unsafe", f"{name} is a tar of more than {MAX_MEMBERS} members")
        if member.isdir():
            continue
        path = posixpath.normpath(member.name.replace("\\", "/"))
        if not member.isreg() or member.issparse() or path.startswith(("/", "../")) or path in ("..", ".") or path[1:2] == ":":
            refused += 1
            continue
        members[path] = b""
        is_text = path.lower().endswith(_TEXTS) or "." not in posixpath.basename(path)
        if is_text and member.size <= MAX_TEXT or path.lower().endswith(".pdf"):
            stream = tar.extractfile(member)
            members[path] = stream.read() if stream else b""
            texts += len(members[path]) if is_text else 0
            if texts > MAX_TEXTS:
                raise problem("too_large", f"{name} holds more than {MAX_TEXTS // MEGABYTE} MB of text")
    if not members and refused:
        raise _unsafe(name, refused)
    return members


def _unsafe(name: str, refused: int) -> DocumentProblem:
    return problem("unsafe", f"{name} is a tar of nothing but links, devices or names that lead outside ({refused})")
