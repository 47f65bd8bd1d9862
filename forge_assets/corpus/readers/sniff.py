"""What a document truly is: its bytes first (signature, zip members, text cues), its name second.

`sniff(data, name)` returns a Kind: the key of the reader, a media type, and for text the decoded string.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath

from forge_assets.corpus.problems import problem
from forge_assets.corpus.readers.decoding import decode
from forge_assets.corpus.readers.eprint_members import looks_like_eprint, named_eprint

MEDIA_TYPES: dict[str, str] = {
    "pdf": "application/pdf",
    "image": "image/*",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "odt": "application/vnd.oasis.opendocument.text",
    "epub": "application/epub+zip",
    "rtf": "application/rtf",
    "ipynb": "application/x-ipynb+json",
    "atom": "application/atom+xml",
    "json": "application/json",
    "jats": "application/jats+xml",
    "docbook": "application/docbook+xml",
    "html": "text/html",
    "markdown": "text/markdown",
    "mdx": "text/mdx",
    "rst": "text/x-rst",
    "latex": "application/x-tex",
    "eprint": "application/x-eprint",
    "bbl": "application/x-bbl",
    "typst": "text/x-typst",
    "org": "text/x-org",
    "asciidoc": "text/asciidoc",
    "mediawiki": "text/x-wiki",
    "textile": "text/x-textile",
    "subtitles": "application/x-subrip",
    "txt": "text/plain",
}

_EXTENSIONS: dict[str, str] = {
    "md": "markdown", "markdown": "markdown", "mdown": "markdown", "mkd": "markdown", "qmd": "markdown", "rmd": "markdown",
    "mdx": "mdx", "rst": "rst", "rest": "rst", "tex": "latex", "ltx": "latex", "latex": "latex", "bbl": "bbl", "typ": "typst",
    "org": "org", "adoc": "asciidoc", "asciidoc": "asciidoc", "asc": "asciidoc", "wiki": "mediawiki", "mediawiki": "mediawiki",
    "textile": "textile", "srt": "subtitles", "vtt": "subtitles", "txt": "txt", "text": "txt", "html": "html", "htm": "html",
    "xhtml": "html", "ipynb": "ipynb", "json": "json",
    "atom": "atom", "nxml": "jats", "rtf": "rtf", "docx": "docx", "odt": "odt", "epub": "epub",
    "pdf": "pdf",
}  # fmt: skip

# Formats that are recognised and have no reader: what the user is told they are.
_UNREAD_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"PAR1", "a Parquet file"),
    (b"%!PS", "a PostScript file"),
    (b"ID3", "an audio file"),
    (b"OggS", "an audio file"),
    (b"fLaC", "an audio file"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"AT&TFORM", "a DjVu file"),
)
_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\x00", b"MM\x00*", b"BM")
_UNREAD_EXTENSIONS = {
    "csv": "a table of comma-separated values", "tsv": "a table of tab-separated values", "xls": "a spreadsheet", "xlsx": "a spreadsheet",
    "ppt": "a presentation", "pptx": "a presentation", "doc": "a Word 97-2003 document", "svg": "a drawing", "yaml": "a settings file",
    "yml": "a settings file", "toml": "a settings file", "bib": "a BibTeX database", "xml": "an XML document of a kind without reader",
    "css": "a style sheet", "js": "a program", "py": "a program", "cpp": "a program", "c": "a program", "sh": "a program",
    "jsonl": "a dump of records",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """What a document is: the reader's key and, for text formats, the decoded text ("" for binary ones)."""

    reader: str
    text: str = ""

    @property
    def media_type(self) -> str:
        return MEDIA_TYPES[self.reader]


def extension(name: str) -> str:
    """The lower-case extension of a file name or address, without query and fragment; "" where there is none."""
    path = re.split(r"[?#]", name, maxsplit=1)[0] if "://" in name else name
    return PurePosixPath(path.replace("\\", "/")).suffix[1:].lower()


def sniff(data: bytes, name: str) -> Kind:
    """The kind of a document. Raises DocumentProblem: empty, no_reader, broken, encrypted, unreadable."""
    if not data.strip(b"\x00 \t\r\n\x0c\xef\xbb\xbf\xff\xfe"):
        raise problem("empty", f"{name} is empty: no bytes, or blanks alone")
    return _binary(data, name) or _textual(decode(data, name), name)


def _binary(data: bytes, name: str) -> Kind | None:
    if b"%PDF-" in data[:1024] and not data[:200].lstrip().lower().startswith((b"<!doctype", b"<html")):
        return Kind("pdf")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(data, name)
    if data.startswith(b"{\\rtf"):
        return Kind("rtf")
    if (
        data.startswith(_IMAGES)
        and not (data.startswith(b"BM") and b"\x00" not in data[:64])
        or data[:4] == b"RIFF"
        and data[8:12] == b"WEBP"
    ):
        return Kind("image")
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise _compound(data, name)
    if named_eprint(name) or looks_like_eprint(data):
        return Kind("eprint")
    for magic, what in _UNREAD_MAGIC:
        if data.startswith(magic) and b"\x00" in data[:4096]:
            raise problem("no_reader", f"{name} is {what}; there is no reader for it")
    return None


def _compound(data: bytes, name: str) -> Exception:
    """OLE2 containers: locked Office files, or Word, Excel and PowerPoint 97-2003."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return problem("encrypted", f"{name} is an Office document locked by a password")
    for stream, what in (("WordDocument", "Word"), ("Workbook", "Excel"), ("PowerPoint Document", "PowerPoint")):
        if stream.encode("utf-16-le") in data:
            return problem("no_reader", f"{name} is a {what} 97-2003 document; there is no reader for it: save it in the format of today")
    return problem("no_reader", f"{name} is an OLE2 container; there is no reader for it")


def _zip(data: bytes, name: str) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = set(archive.namelist())
            if any(item.flag_bits & 1 for item in archive.infolist()):
                raise problem("encrypted", f"{name} is a zip container locked by a password")
            if "word/document.xml" in members or any(m.startswith("word/document") and m.endswith(".xml") for m in members):
                return Kind("docx")
            declared = (
                archive.read("mimetype")[:80].strip() if "mimetype" in members and archive.getinfo("mimetype").file_size < 200 else b""
            )
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise problem("broken", f"{name} is a damaged zip container (docx, odt and epub are such): {error}") from None
    if declared == b"application/epub+zip" or "META-INF/container.xml" in members:
        return Kind("epub")
    if declared.startswith(b"application/vnd.oasis.opendocument.text"):
        return Kind("odt")
    what = "a spreadsheet" if "xl/workbook.xml" in members else "a presentation" if "ppt/presentation.xml" in members else "a zip archive"
    raise problem("no_reader", f"{name} is {what}; there is no reader for it")


_HTML = re.compile(
    r"\A\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.{0,2000}?-->\s*)*(?:<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>])", re.I | re.S
)
_HTML_INSIDE = re.compile(r"<(?:html|head|body|div|table|p|meta|title|h[1-6]|section|article|span)[\s>]", re.I)
_XML_ROOT = re.compile(
    r"\A\s*(?:<\?xml[^>]*\?>\s*)?(?:<\?[^>]*\?>\s*"
    r"|<!--.{0,4000}?-->\s*)*(?:<!DOCTYPE[^\[>]*(?:\[.{0,100000}?\]\s*)?>\s*)?(?:<!--.{0,4000}?-->\s*)*<([A-Za-z_][\w.\-:]*)",
    re.S,
)
_LATEX = re.compile(
    r"\\documentclass|\\begin\{document\}|\\section\*?\{|\\usepackage|\\begin\{(?:abstract|tabular|table|figure|equation|itemize)\*?\}"
)
_BBL = re.compile(r"\\begin\{thebibliography\}|\\entry\{.*\\endentry", re.S)
_SUBTITLES = re.compile(r"\A(?:WEBVTT|\s*\d+\s*\n\d\d:\d\d:\d\d[,.]\d{3}\s*-->)")
_XML_READERS = {
    "feed": "atom",
    "entry": "atom",
    "article": "jats",
    "pmc-articleset": "jats",
    "html": "html",
    "book": "docbook",
    "chapter": "docbook",
}


def _textual(text: str, name: str) -> Kind:
    if not text.strip():
        raise problem("empty", f"{name} holds nothing but white space")
    ext, start = extension(name), text.lstrip()[:1]
    promised = _EXTENSIONS.get(ext)
    if _HTML.match(text):
        # An HTML page under any name but that of a text format that may hold HTML.
        return Kind("html" if promised not in ("markdown", "mdx") or "</body>" in text[-2000:].lower() else promised, text)
    if start == "<" and promised not in ("markdown", "mdx", "html") and (kind := _xml(text, name)):
        return kind
    if start in "{[" and (promised in (None, "json", "ipynb", "txt") or ext == "ipynb") and (kind := _json(text, name, ext)):
        return kind
    if _SUBTITLES.match(text):
        return Kind("subtitles", text)
    if (
        promised in ("latex", "txt", None)
        and _BBL.search(text[:4000])
        and not _LATEX.search(text[:4000].replace("\\begin{thebibliography}", ""))
    ):
        return Kind("bbl", text)
    unproven = promised in (None, "txt", "docx", "odt", "pdf", "rtf", "epub")
    if unproven and (cue := _cue(text)) and (promised != "txt" or cue in ("html", "latex")):
        return Kind(cue, text)
    if promised in ("docx", "odt", "pdf", "rtf", "epub"):
        raise problem("mislabelled", f"{name} is called .{ext}, but its bytes are plain text and no {ext}")
    if promised in ("atom", "jats", "ipynb", "json"):
        raise problem("broken", f"{name} is called .{ext}, but its content is no {'XML' if promised in ('atom', 'jats') else 'JSON'}")
    if promised is None and ext in _UNREAD_EXTENSIONS:
        raise problem("no_reader", f"{name} is {_UNREAD_EXTENSIONS[ext]}; there is no reader for it")
    return Kind(promised or "txt", text)


def _xml(text: str, name: str) -> Kind | None:
    root = _XML_ROOT.match(text)
    if not root:
        return None
    local = root[1].rpartition(":")[2].lower()
    if local in _XML_READERS and (local != "article" or "docbook" not in text[:2000].lower()):
        return Kind(_XML_READERS[local], text)
    if text.lstrip().startswith("<?xml") or extension(name) in ("xml", "nxml", "atom"):
        if "docbook" in text[:2000].lower():
            return Kind("docbook", text)
        raise problem("no_reader", f"{name} is XML with the root <{root[1]}>; there is no reader for it")
    return None


def _json(text: str, name: str, ext: str) -> Kind | None:
    try:
        content = json.loads(text)
    except RecursionError:
        raise problem("unsafe", f"{name} is JSON nested too deep") from None
    except ValueError as error:
        if ext in ("ipynb", "json"):
            raise problem("broken", f"{name} is damaged JSON: {error}") from None
        return None
    if isinstance(content, dict) and "cells" in content or isinstance(content, dict) and "worksheets" in content:
        return Kind("ipynb", text)
    return Kind("json", text) if ext in ("json", "ipynb", "") else None


def _cue(text: str) -> str | None:
    """The format of a text whose name says nothing, by marks that stand at the starts of its lines."""
    head = text[:20_000]
    if len(_HTML_INSIDE.findall(head)) >= 3 and re.search(r"</(?:p|div|table|h[1-6]|body|section)>", head, re.I):
        return "html"
    if len(_LATEX.findall(head)) >= 2 or "\\documentclass" in head:
        return "latex"
    if re.search(r"^\.\. [a-z\-]+::", head, re.M) or re.search(r"^[^\s].{2,80}\n(?:={4,}|~{4,})\s*$", head, re.M) and "::\n" in head:
        return "rst"
    if re.match(r"---\n.*?\n---\n", head, re.S) or len(re.findall(r"^(?:#{1,6} \S|```|[-*] \[[^\]]+\]\()", head, re.M)) >= 2:
        return "markdown"
    if re.search(r"^#\+(?:title|begin_src|author):?", head, re.M | re.I):
        return "org"
    return None
