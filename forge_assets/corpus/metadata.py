"""What documents say of themselves, in one form: dates as ISO prefixes, identifiers by scheme, lists of names, licences."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

_ARXIV_NEW = r"\d{4}\.\d{4,5}"
_ARXIV_OLD = r"[a-z\-]+(?:\.[A-Z]{2})?/\d{7}"
ARXIV = re.compile(rf"(?:arxiv(?:\.org)?[:/\s]\s*(?:abs/|pdf/|html/)?|huggingface\.co/papers/)({_ARXIV_NEW}|{_ARXIV_OLD})(?:v\d+)?", re.I)
_ARXIV_NAME = re.compile(rf"(?<![\d.])({_ARXIV_NEW})(?:v\d+)?(?!\d)")
DOI = re.compile(r"(?:doi\.org/|doi:\s*|\bDOI\s+)?\b(10\.\d{4,9}/[^\s\"'<>{}|\\^\[\]]+)", re.I)
_ACL = re.compile(r"aclanthology\.org/([A-Z]\d{2}-\d{4}|\d{4}\.[a-z0-9\-]+\.\d+)")
_ISO = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?![\d])")
_MONTHS = {m: i for i, m in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_WORDY = re.compile(
    r"(?<!\w)(?:(\d{1,2})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?)?([A-Za-z]{3,9})\.?,?\s+(?:(\d{1,2})(?:st|nd|rd|th)?,?\s+)?(\d{4})(?!\d)"
)


def iso_date(value: object) -> str | None:
    """ "2021", "2021-06" or "2021-06-30" from what a document calls its date; None where it is none."""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 1000 <= value <= 2999 else None
    if not isinstance(value, str):
        return None
    text = value.strip()
    if re.fullmatch(r"\d{8}", text):
        packed = _date(int(text[:4]), int(text[4:6]), int(text[6:]))
        return packed if packed and len(packed) == 10 else None
    if found := _ISO.match(text):
        return _date(int(found[1]), int(found[2] or 0), int(found[3] or 0))
    if (found := _WORDY.search(text)) and (month := _MONTHS.get(found[2][:3].lower())):
        return _date(int(found[4]), month, int(found[1] or found[3] or 0))
    return None


def _date(year: int, month: int, day: int) -> str | None:
    if not 1000 <= year <= 2999:
        return None
    if not 1 <= month <= 12:
        return f"{year}"
    return f"{year}-{month:02}-{day:02}" if 1 <= day <= monthrange(year, month)[1] else f"{year}-{month:02}"


def file_date(created: object, first_lines: Iterable[str]) -> str | None:
    """When a file was made, unless its first lines state another year: then it tells when the text was typed, not when it came out."""
    made = iso_date(created)
    years = set(re.findall(r"(?<![\d.,/:])(?:19|20)\d\d(?![\d.]\d|\d|/)", " ".join(line[:200] for line in first_lines)))
    return None if made is None or years and made[:4] not in years else made


def arxiv_of_name(name: str) -> str | None:
    """The arXiv id in a file's name or folder ("1706.03762v5.pdf", "2305.03393/main.tex", "arxiv:math/0309136#pdf")."""
    if name.startswith("arxiv:"):
        return own[1] if (own := ARXIV.match(name)) else None
    for part in reversed(re.split(r"[/\\]", name)[-2:]):
        found = _ARXIV_NAME.search(part)
        if found and 1 <= int(found[1][2:4]) <= 12 and "." not in part[: found.start()]:
            return found[1]
    return None


def doi_of(text: str) -> str | None:
    found = DOI.search(text)
    return found[1].rstrip(".,;:)").lower() if found else None


def identifiers_of(addresses: Iterable[str]) -> dict[str, str]:
    """Identifiers that addresses (URLs, meta tags) of the document itself carry."""
    found: dict[str, str] = {}
    for address in addresses:
        if hit := ARXIV.search(address):
            found.setdefault("arxiv", hit[1])
        if doi := doi_of(address):
            found.setdefault("doi", doi)
        if hit := _ACL.search(address):
            found.setdefault("acl", hit[1])
        if hit := re.match(
            r"https?://huggingface\.co/((?!papers/|docs/|blog/|spaces/|datasets/|tasks/|learn/)[\w.\-]+/[\w.\-]+)/?$", address
        ):
            found.setdefault("hf", hit[1])
    return found


def names_of(value: object) -> list[str]:
    """A list of people from a list, a dict with a name, or one string with separators."""
    if isinstance(value, str):
        return [person for part in _people(value) if (person := _person(part))]
    if isinstance(value, dict):
        name: Any = value.get("name") or value.get("display_name") or value.get("fullname") or value.get("literal")
        if isinstance(name, dict | list):
            return names_of(name)
        if not isinstance(name, str):
            parts = (next((value[k] for k in keys if isinstance(value.get(k), str) and value[k].strip()), "") for keys in _NAME_PARTS)
            name = " ".join(part for part in parts if part)
        if not name and isinstance(value.get("author"), dict | str):
            return names_of(value["author"])  # OpenAlex: {"author": {"display_name": ...}}
        return [person] if (person := _person(name)) else []
    if isinstance(value, list | tuple):
        one_each = (names_of(item) if not isinstance(item, str) else [_person(item)] for item in value)
        return [name for names in one_each for name in names if name]
    return []


_NAME_PARTS = (
    ("given", "first", "first_name", "firstName", "given_name", "givenName", "forenames", "forename"),
    ("middle", "middle_name", "middleName"),
    ("family", "last", "last_name", "lastName", "family_name", "familyName", "surname", "keyname"),
    ("suffix",),
)
_INITIALS = r"(?:[^\W\d_]\.?[\s\-]?){1,4}"
_FAMILY = r"(?:[^\W\d_][\w'’\-]*\s+){0,2}[^\W\d_][\w'’\-]+"
_GENERATION = re.compile(r",(?=\s*(?:Jr|Sr|II|III|Ph\.?D)\b)")
_INVERTED = re.compile(rf"\s*({_FAMILY}),\s*((?:[^\W\d_][\w'’.\-]*\s*){{1,3}})")
_WITH_INITIALS = re.compile(rf"({_FAMILY}),\s*((?:[^\W\d_]\.[\s\-]?)+|[A-Z]{{1,3}}(?=\s*(?:,|$)))")


def _people(text: str) -> list[str]:
    """One string of authors cut into people: at semicolons, at "and", at commas that part people and not a name from its initials."""
    if ";" in text:
        return [part for piece in re.split(r"\s*;\s*", text) for part in ([piece] if "," in piece else re.split(r"\s+(?:and|&)\s+", piece))]
    parts = [part.strip(" ,") for part in re.split(r"\s*(?:\band\b|&|\n)\s*", text) if part.strip(" ,")]
    if all(_INVERTED.fullmatch(part) and part.count(",") == 1 for part in parts) and (len(parts) > 1 or _is_one(parts)):
        return parts
    people: list[str] = []
    for part in parts:
        found = list(_WITH_INITIALS.finditer(part))
        rest = _WITH_INITIALS.sub("", part).strip(" ,.")
        people += [match[0] for match in found] if found and not rest else re.split(r"\s*,(?!\s*(?:Jr|Sr|II|III|Ph\.?D)\b)\s*", part)
    return people


def _is_one(parts: list[str]) -> bool:
    """Whether "Lovelace, Ada" or "Knuth, D. E." is one person: a single family name, or initials after the comma."""
    family, _, given = parts[0].partition(",") if parts else ("", "", "")
    return " " not in family.strip() and " " not in given.strip() or bool(re.fullmatch(_INITIALS, given.strip()) and "." in given)


def _person(text: str) -> str:
    """A name in the order it is spoken, without marks of footnotes and affiliations."""
    name = re.sub(r"\s*(?:\^\{?[\d,*†‡§a-z ]{1,8}\}?|[*†‡§¶¹²³⁴⁵⁶⁷⁸⁹⁰]+|(?<=[^\W\d_])\d(?:,\d)*$)", "", " ".join(text.split())).strip(" ,")
    if not _GENERATION.search(name) and name.count(",") == 1 and (found := _INVERTED.fullmatch(name)):
        return f"{found[2].strip()} {found[1]}"
    return name


def strings_of(value: object) -> list[str]:
    """A list of words from a list or one comma-separated string."""
    if isinstance(value, str):
        return [part.strip() for part in re.split(r"[,;]", value) if part.strip()]
    return (
        [str(item).strip() for item in value if isinstance(item, str | int | float) and str(item).strip()]
        if isinstance(value, list | tuple)
        else []
    )


def jsonable(value: Any, depth: int = 0) -> Any:
    """The value as JSON can hold it (dates as text, keys as text, nothing deeper than 20 levels, no NaN)."""
    if depth > 20:
        return None
    if isinstance(value, str):
        return value if value.isascii() and "\x00" not in value else value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {str(key): jsonable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [jsonable(item, depth + 1) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int | bool) or value is None else str(value)
