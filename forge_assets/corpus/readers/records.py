"""One record of a dump (a JSON object) -> Parsed: article records, the arXiv metadata snapshot, arXiv API entries, model cards,
or anything with a title and a text. Fast: an abstract goes through no partitioner, a model card's text through the markdown reader."""

from __future__ import annotations

import re
from typing import Any

from forge_assets.corpus.cleaning import clean_record
from forge_assets.corpus.metadata import doi_of, identifiers_of, iso_date, jsonable, names_of
from forge_assets.corpus.model import Element, Parsed
from forge_assets.corpus.problems import problem

MEDIA_TYPE = "application/json"
_TEXTS = ("abstract", "text", "body", "content", "summary", "description", "paperAbstract")
_IDS = ("doc_id", "id", "paper_id", "uid", "_id", "arxiv_id", "paperId")
_KNOWN = frozenset(
    (
        *_TEXTS,
        *_IDS,
        "title",
        "display_name",
        "abstract_inverted_index",
        "authorships",
        "container-title",
        "issued",
        "publication_year",
        "publication_date",
        "DOI",
        "URL",
        "authors",
        "author",
        "year",
        "month",
        "date",
        "published",
        "update_date",
        "venue",
        "journal",
        "license",
        "url",
        "link",
        "language",
    )
)
_ARXIV_ID = re.compile(r"(?:arxiv:)?(\d{4}\.\d{4,5}|[a-z\-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?", re.I)
_LICENCES = {"http://arxiv.org/licenses/nonexclusive-distrib/1.0/": "arXiv nonexclusive-distrib 1.0"}
_CREATIVE_COMMONS = re.compile(r"https?://creativecommons\.org/(?:licenses/([a-z\-]+)/([\d.]+)|publicdomain/(zero)/([\d.]+))")
_JATS_TAG = re.compile(r"</?jats:(\w+)[^>]*>")
_PLACEHOLDERS = frozenset("none null n/a na nan - . abstract".split())


def read_record(record: dict[str, Any], name: str) -> Parsed:
    """Raises DocumentProblem 'bad_record' for a record that has neither title nor text."""
    if not isinstance(record, dict):
        raise problem("bad_record", f"{name} is no JSON object")
    record = jsonable(record)
    if "front_matter" in record or "modelId" in record or isinstance(record.get("infos"), dict) or isinstance(record.get("cardData"), dict):
        from forge_assets.corpus.readers.cards import read_card

        return read_card(record, name)
    title = next((found for key in ("title", "display_name", "name") if (found := _title(record.get(key)))), None)
    text = next((value for key in _TEXTS if (value := _prose(record.get(key)))), "") or _uninverted(record.get("abstract_inverted_index"))
    elements = [Element("paragraph", part) for part in _paragraphs(text)]
    if not title and not elements:
        raise problem("bad_record", f"{name} has neither a title nor a text")
    return Parsed(
        MEDIA_TYPE,
        elements,
        title=title,
        authors=_authors(record),
        published=_published(record),
        license=licence(record.get("license")),
        venue=_first(record, "venue", "journal", "journal-ref", "container-title"),
        url=_first(record, "url", "link", "URL") or _arxiv_url(record),
        identifiers=_identifiers(record),
        metadata={key: value for key, value in record.items() if key not in _KNOWN and value not in (None, "", [], {})},
    )


def _title(value: object) -> str | None:
    if isinstance(value, list):  # Crossref
        return next((title for item in value if (title := _title(item))), None)
    if isinstance(value, dict):  # OpenReview
        value = value.get("value")
    if not isinstance(value, str):
        return None
    title = clean_record(value).replace("\n", " ")
    if "{" in title:
        title = re.sub(r"\{([^{}]*)\}", r"\1", title)
    return title or None


def _prose(value: object) -> str:
    """The text of a field that holds a string, a list of paragraphs, or one of them under "value" or "text"."""
    if isinstance(value, dict):
        value = value.get("value") or value.get("text")
    if isinstance(value, list):
        value = "\n\n".join(item for item in value if isinstance(item, str))
    if not isinstance(value, str):
        return ""
    return (
        _JATS_TAG.sub(lambda tag: "\n\n" if tag[1] in ("p", "title", "sec") else "", value).strip() if "<jats:" in value else value.strip()
    )


def _uninverted(index: object) -> str:
    """OpenAlex gives an abstract as {word: [places]}."""
    if not isinstance(index, dict):
        return ""
    placed = [
        (place, word) for word, places in index.items() if isinstance(places, list) for place in places if isinstance(place, int | float)
    ]
    return " ".join(word for _, word in sorted(placed))


def _paragraphs(text: str) -> list[str]:
    cleaned = clean_record(text)
    if cleaned.casefold() in _PLACEHOLDERS:
        return []
    return [part for part in cleaned.split("\n\n") if part] if "\n" in cleaned else [cleaned] if cleaned else []


def _authors(record: dict[str, Any]) -> list[str]:
    parsed = record.get("authors_parsed")
    if isinstance(parsed, list) and parsed:
        return [
            name
            for entry in parsed
            if isinstance(entry, list)
            and (name := clean_record(" ".join(part for part in (*entry[1:2], *entry[:1], *entry[2:3]) if part and isinstance(part, str))))
        ]
    found = names_of(record.get("authors") or record.get("author") or record.get("authorships"))
    return [name for entry in found if (name := clean_record(entry))]


def _published(record: dict[str, Any]) -> str | None:
    versions = record.get("versions")
    if isinstance(versions, list) and versions and isinstance(versions[0], dict) and (first := iso_date(versions[0].get("created"))):
        return first
    for key in ("published", "date", "publication_date", "issued", "created"):
        if when := _date_of(record.get(key)):
            return when
    year, month = (_number(record.get(key)) for key in ("year", "month"))
    year = year if year is not None else _number(record.get("publication_year"))
    if year is not None and month is not None and 1 <= month <= 12:
        return iso_date(f"{year}-{month:02}")
    return iso_date(year if year is not None else record.get("year")) or iso_date(record.get("update_date"))


def _date_of(value: object) -> str | None:
    """A date, or Crossref's {"date-parts": [[2021, 6, 30]]}."""
    if not isinstance(value, dict):
        return iso_date(value)
    parts = value.get("date-parts")
    first = parts[0] if isinstance(parts, list) and parts else None
    numbers = [_number(part) for part in first[:3]] if isinstance(first, list) else []
    return iso_date("-".join(str(number) for number in numbers)) if numbers and None not in numbers else None


def _number(value: object) -> int | None:
    """A whole number of at most four digits, however it is written."""
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,4}(?:\.0)?\s*", value) or isinstance(value, float) and value.is_integer():
        value = int(float(value))
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10_000 else None


def licence(value: object) -> str | None:
    """A licence as a short name: Creative Commons addresses become SPDX-like ("CC-BY-4.0")."""
    if isinstance(value, list):  # Crossref: [{"URL": ...}]
        return next((name for item in value if (name := licence(item))), None)
    text = _text((value.get("id") or value.get("URL") or value.get("name")) if isinstance(value, dict) else value)
    if text and (found := _CREATIVE_COMMONS.match(text)):
        return f"CC-{(found[1] or 'zero').upper()}-{found[2] or found[4]}".replace("CC-ZERO", "CC0")
    return _LICENCES.get(text, text) if text else None


def _text(value: object) -> str | None:
    return " ".join(value.split()) or None if isinstance(value, str) else None


def _first(record: dict[str, Any], *keys: str) -> str | None:
    """The first of the fields that holds a text, or a list that begins with one."""
    for key in keys:
        value = record.get(key)
        if found := _text(value[0] if isinstance(value, list) and value else value):
            return found
    return None


def _arxiv_url(record: dict[str, Any]) -> str | None:
    found = _arxiv_id(record)
    return f"https://arxiv.org/abs/{found}" if found else None


def _arxiv_id(record: dict[str, Any]) -> str | None:
    for key in ("arxiv_id", "doc_id", "id"):
        value = record.get(key)
        if not isinstance(value, str):
            continue
        if "arxiv.org/" in value:
            return identifiers_of([value]).get("arxiv")
        if (found := _ARXIV_ID.fullmatch(value)) and (key == "arxiv_id" or value.lower().startswith("arxiv:") or "categories" in record):
            return found[1]
    return None


def _identifiers(record: dict[str, Any]) -> dict[str, str]:
    found = identifiers_of(value for key in ("url", "link", "URL", "pdf_url") if isinstance(value := record.get(key), str))
    if arxiv := _arxiv_id(record):
        found["arxiv"] = arxiv
    if doi := doi_of(_first(record, "doi", "DOI") or ""):
        found["doi"] = doi
    own = next((record[key] for key in _IDS if record.get(key) not in (None, "")), None)
    if isinstance(own, str) and ":" in own:
        scheme, _, value = own.partition(":")
        if scheme in ("acl", "hf", "doi", "openreview", "pmid", "s2"):
            found.setdefault(scheme, value)
    return found
