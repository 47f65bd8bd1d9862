"""Bytes -> text: BOM, declared charset, UTF-8, UTF-16/32 without BOM, then a legacy encoding only where it is certain.

Never guesses silently: bytes that are text in no encoding that can be told apart raise DocumentProblem 'unreadable'.
"""

from __future__ import annotations

import codecs
import re

from forge_assets.corpus.cleaning import mend_mojibake
from forge_assets.corpus.problems import problem
from forge_assets.corpus.readers.legacy import guess, is_chinese, wide_guess

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 1 << 16
_HTML = re.compile(rb"<!doctype html|<html[\s>]", re.IGNORECASE)
_DECLARED = re.compile(
    rb"""(?:charset\s*=\s*["']?|<\?xml[^>]{0,80}encoding\s*=\s*["']|coding[:=]\s*|\\usepackage\[)([A-Za-z0-9_:.\-]{2,30})""", re.I
)
_TEX_NAMES = {
    "ansinew": "cp1252",
    "applemac": "mac_roman",
    "utf8x": "utf-8",
    "koi8-r": "koi8_r",
    "t1": "",
    "t2a": "",
    "table": "",
    "dvipsnames": "",
}
_NO_CHARSETS = frozenset(
    "punycode idna unicode-escape unicode_escape raw-unicode-escape raw_unicode_escape undefined mbcs oem utf-7".split()
)
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\x1b\x0b")


def decode(data: bytes, name: str) -> str:
    """The text of `data` with line ends as \\n and without BOM. Raises DocumentProblem 'unreadable'."""
    text = _decode(data, name)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.removeprefix("\ufeff")
    return text if text.isascii() else mend_mojibake(text)


def _decode(data: bytes, name: str) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _strict(data, encoding, name, f"its byte order mark says {encoding}")
    if wide := wide_encoding(data):
        return _strict(data, wide, name, f"its bytes look like {wide}")
    plain = data.replace(b"\x00", b"") if 0 < data.count(b"\x00") * 100 <= len(data) + 99 else data
    if b"\x00" not in plain[:_SAMPLE]:
        try:
            return _without_escapes(plain.decode("utf-8"), plain, name)
        except UnicodeDecodeError as error:
            return _legacy(data, name, error)
    if wide := wide_guess(data):
        return _strict(data, wide, name, f"its bytes look like {wide}")
    raise problem("unreadable", f"{name} holds binary data, no text")


def _without_escapes(text: str, data: bytes, name: str) -> str:
    """ISO-2022 and HZ write Chinese, Japanese and Korean in ASCII bytes between escapes: such text is decoded, or refused."""
    if "\x1b$" in text or "\x1b(" in text and re.search(r"\x1b\([BIJ]", text):
        for encoding in ("iso2022_jp", "iso2022_jp_2", "iso2022_jp_3", "iso2022_kr"):
            try:
                decoded = data.decode(encoding)
            except UnicodeDecodeError:
                continue
            if "\x1b" not in decoded and "\x0e" not in decoded:
                return decoded
        raise problem("unreadable", f"{name} is text in an ISO-2022 encoding that cannot be read")
    if text.isascii() and re.search(r"~\{(?:[!-w][!-~])+~\}", text):
        try:
            return decoded if is_chinese(decoded := data.decode("hz")) else text
        except UnicodeDecodeError:
            return text
    return text


def _strict(data: bytes, encoding: str, name: str, why: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise problem("unreadable", f"{name}: {why}, but byte {error.start} does not fit ({error.reason})") from None


def wide_encoding(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a BOM: told by where the zero bytes of its ASCII characters stand."""
    sample = data[: 4096 - 4096 % 4]
    if b"\x00" not in sample or len(sample) < 4:
        return None
    zeros = [sample[i::4].count(0) / max(1, len(sample[i::4])) for i in range(4)]
    if zeros[1] > 0.9 and zeros[2] > 0.9 and zeros[3] > 0.9 and zeros[0] < 0.1:
        return "utf-32-le"
    if zeros[0] > 0.9 and zeros[1] > 0.9 and zeros[2] > 0.9 and zeros[3] < 0.1:
        return "utf-32-be"
    even, odd = (zeros[0] + zeros[2]) / 2, (zeros[1] + zeros[3]) / 2
    if odd > 0.4 and even < 0.05 and len(data) % 2 == 0:
        return "utf-16-le"
    if even > 0.4 and odd < 0.05 and len(data) % 2 == 0:
        return "utf-16-be"
    return None


def _legacy(data: bytes, name: str, error: UnicodeDecodeError) -> str:
    """Text that is not UTF-8: UTF-16 of other scripts, its declared charset, a few torn bytes in UTF-8, or a legacy encoding if certain."""
    if wide := wide_guess(data):
        return _strict(data, wide, name, f"its bytes look like {wide}")
    if b"\x00" in data or is_binary(data):
        raise problem("unreadable", f"{name} holds binary data, no text")
    if declared := declared_encoding(data):
        try:
            return data.decode(declared)
        except UnicodeDecodeError:
            pass
    if (repaired := _torn_utf8(data)) is not None:
        return repaired
    encoding = guess(data)
    if encoding is None and _HTML.search(data[:2048]):
        encoding = "cp1252"  # what the HTML standard (section 13.2.3.2) takes where nothing tells
    if encoding is None:
        raise problem("unreadable", f"{name} is text in no encoding that could be told (byte {error.start} is not UTF-8)")
    return _strict(data, encoding, name, f"it starts as {encoding}")


def declared_encoding(data: bytes) -> str | None:
    """The charset an HTML, XML or LaTeX head or an editor line names, if Python knows it."""
    found = _DECLARED.search(data[:4096])
    if not found:
        return None
    label = found[1].decode("ascii").lower()
    label = _TEX_NAMES.get(label, label)
    if label in ("iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii"):
        label = "cp1252" if not any(byte in data for byte in (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")) else "latin-1"
    try:
        codec = codecs.lookup(label) if label else None
    except LookupError:
        return None
    # of the codecs of Python, those that unpack archives or read escapes are no charsets
    return codec.name if codec and getattr(codec, "_is_text_encoding", True) and codec.name not in _NO_CHARSETS else None


def _torn_utf8(data: bytes) -> str | None:
    """UTF-8 with a few damaged bytes (a cut at the end, one pasted Latin-1 byte); None where it is not UTF-8 at all."""
    text = data.decode("utf-8", errors="replace")
    wide = sum(1 for character in text if ord(character) > 0x7F)
    torn = text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    return text if wide >= 20 and torn <= max(1, wide // 50) else None


def is_binary(data: bytes) -> bool:
    """True where more than 1 in 100 bytes of the start are control characters no text holds."""
    sample = data[:_SAMPLE]
    controls = sum(1 for byte in sample if byte < 32 and byte not in _TEXT_CONTROLS)
    return controls * 100 > len(sample)
