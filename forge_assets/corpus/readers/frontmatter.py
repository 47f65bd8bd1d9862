"""YAML (or TOML) front matter of markdown: split off, read without trust, and turned into the fields of a document.

Front matter that is no valid YAML never fails the document: it is kept as text under metadata "front_matter_text" with the fault.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

import yaml  # type: ignore[import-untyped]

from forge_assets.corpus.metadata import identifiers_of, iso_date, jsonable, names_of, strings_of
from forge_assets.corpus.model import Parsed

_FENCED = re.compile(r"\A\s*(?:<!--.*?-->\s*)?(---|\+\+\+)[ \t]*\n(.*?)^\1[ \t]*(?:\n|\Z)", re.S | re.M)
_LIKE_YAML = re.compile(r"^\s*[\w\"'\-]+\s*:|\A(?:- |\[|\{)", re.M)
_DOTTED = re.compile(r"\A\s*(---)[ \t]*\n(.*?)^(?:\.\.\.)[ \t]*(?:\n|\Z)", re.S | re.M)
_MAX_YAML = 200_000
_TITLES = ("title", "pretty_name", "model_name", "name")
_LISTED = (
    "tags",
    "keywords",
    "categories",
    "datasets",
    "metrics",
    "language",
    "base_model",
    "library_name",
    "pipeline_tag",
    "task_categories",
    "topics",
)


# YAML without types: a date or "no" stays as written, no tag makes an object.
_LOADER = yaml.CBaseLoader if hasattr(yaml, "CBaseLoader") else yaml.BaseLoader
_MOST_VALUES = 100_000


def _unfolded(value: Any, known: dict[int, float]) -> float:
    """Number of values that a tree holds when what aliases share is written out; infinite where it holds itself."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = float("inf")
        items = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_unfolded(item, known) for item in items)
    return known[id(value)]


def split(text: str) -> tuple[str, str]:
    """(front matter, body); front matter "" where there is none."""
    found = _FENCED.match(text) or _DOTTED.match(text)
    if not found or found[1] == "---" and not _LIKE_YAML.search(found[2]) and found[2].strip():
        return "", text
    return found[2], text[found.end() :]


def load(front: str) -> tuple[dict[str, Any], str | None]:
    """(fields, fault): fields of valid front matter, or {} and what is wrong with it."""
    if not front.strip():
        return {}, None
    if len(front) > _MAX_YAML:
        return {}, f"front matter of {len(front)} characters is not read"
    try:
        fields = yaml.load(front, Loader=_LOADER)  # noqa: S506 (a loader that makes nothing but text, lists and mappings)
        if _unfolded(fields, {}) > _MOST_VALUES:
            return {}, "its aliases unfold without end"
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        try:
            fields = tomllib.loads(front)
        except (tomllib.TOMLDecodeError, RecursionError):
            return {}, " ".join(str(error).split())[:300]
    if not isinstance(fields, dict):
        return {}, f"front matter is a {type(fields).__name__}, no mapping"
    return fields, None


def apply(parsed: Parsed, front: str) -> None:
    """Puts what front matter says into the document's fields; everything is kept in metadata["front_matter"]."""
    fields, fault = load(front)
    if fault:
        parsed.metadata["front_matter_text"] = front[:10_000]
        parsed.metadata["front_matter_fault"] = fault
        fields = _salvage(front)
    if not fields:
        return
    clean: dict[str, Any] = jsonable(fields)
    parsed.metadata["front_matter"] = clean
    parsed.title = next((t for key in _TITLES if (t := _line(clean.get(key)))), parsed.title)
    parsed.authors = names_of(clean.get("authors") or clean.get("author")) or parsed.authors
    parsed.published = next(
        (when for key in ("date", "published", "publishDate", "pubDate", "created") if (when := iso_date(clean.get(key)))), parsed.published
    )
    parsed.license = _license(clean) or parsed.license
    parsed.language = _language(clean) or parsed.language
    parsed.identifiers.update({k: v for k, v in _identifiers(clean).items() if k not in parsed.identifiers})
    for key in _LISTED:
        if values := strings_of(clean.get(key)):
            parsed.metadata[key] = values
    if tags := parsed.metadata.get("tags"):
        arxiv = [tag.split(":", 1)[1] for tag in tags if tag.startswith("arxiv:")]
        if arxiv:
            parsed.metadata["arxiv_ids"] = arxiv


def _salvage(front: str) -> dict[str, Any]:
    """The plain `key: value` lines of broken front matter."""
    pairs = re.findall(r"^([A-Za-z_][\w\-]*):[ \t]+([^\n\[{|>&*!][^\n]*)$", front, re.M)
    return {key: value.strip().strip("'\"") for key, value in pairs}


def _line(value: object) -> str | None:
    return " ".join(str(value).split()) or None if isinstance(value, str | int | float) else None


def _license(fields: dict[str, Any]) -> str | None:
    value = fields.get("license") or fields.get("licence")
    if isinstance(value, list):
        value = ", ".join(str(item) for item in value)
    if value in ("other", "unknown") and isinstance(fields.get("license_name"), str):
        value = fields["license_name"]
    return _line(value)


def _language(fields: dict[str, Any]) -> str | None:
    """Only a single language of one tag is the document's; a model of many languages has a card in one of them."""
    values = strings_of(fields.get("lang")) if fields.get("lang") and not fields.get("language") else []
    code = values[0].lower().split("-")[0] if len(values) == 1 else ""
    return code if re.fullmatch(r"[a-z]{2}", code) else None


def _identifiers(fields: dict[str, Any]) -> dict[str, str]:
    found = identifiers_of(
        str(fields[key]) for key in ("url", "link", "canonical_url", "paper", "arxiv", "doi") if isinstance(fields.get(key), str)
    )
    doi = fields.get("doi")
    if isinstance(doi, str) and doi.startswith("10."):
        found["doi"] = doi.lower()
    return found
