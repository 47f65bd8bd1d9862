"""What a person types as a source -> the address and the options that are stored. Raises SourceError with what was expected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from forge_assets.corpus.addresses import file_path, file_uri
from forge_assets.corpus.sources.fields import RIVALS
from forge_resources.errors import SourceError

FORMS = {
    "folder": "a folder or a file",
    "s3": "s3://bucket/prefix",
    "jsonl": "jsonl:PATH (every file a JSON-lines dump)",
    "arxiv": "arxiv:SET such as arxiv:cs.LG",
    "hf": "hf:models?FILTER, hf:datasets?FILTER or hf:papers",
    "urls": "urls:PATH (a file with one address per line)",
}
OPTIONS = {
    "folder": frozenset[str](),
    "s3": frozenset[str](),
    "jsonl": frozenset({"fields"}),
    "arxiv": frozenset({"from", "until", "with", "endpoint", "per_run", "snapshot"}),
    "hf": frozenset({"from", "until", "endpoint", "per_run"}),
    "urls": frozenset({"per_run"}),
}
"""Options that each kind of source knows."""
FLAGS = {"fields": "--field", "per_run": "--per-run"}
KINDS_OF_FILE = ("latex", "pdf")
EXPECTED = "expected " + ", ".join(list(FORMS.values())[:-1]) + " or " + FORMS["urls"]


@dataclass(frozen=True, slots=True)
class Place:
    """A kind of FORMS, the address that is stored, and the options that go with it."""

    kind: str
    address: str
    options: dict[str, Any]


def parse_place(text: str, options: Mapping[str, Any] | None = None) -> Place:
    """`options`: from, until (ISO dates), with (list), fields (dict), endpoint, per_run, snapshot; those that are None are not set."""
    kind = kind_of(text)
    given = {key: value for key, value in (options or {}).items() if value not in (None, [], {}, ())}
    unknown = [FLAGS.get(key, f"--{key}") for key in given if key not in OPTIONS[kind]]
    if unknown:
        known = ", ".join(sorted(FLAGS.get(key, f"--{key}") for key in OPTIONS[kind])) or "none"
        raise SourceError(f"source {text!r}: {' and '.join(unknown)} is no option of {FORMS[kind]}; it knows: {known}")
    checked = _checked(given)
    if kind == "jsonl":
        checked["format"] = "jsonl"
    return Place(kind, _address(kind, text), checked)


def normalise(place: str) -> str:
    """What a person types -> the address that is stored: for files an absolute one, without a trailing slash."""
    return _address(kind_of(place), place)


def kind_of(text: str) -> str:
    if not text.strip():
        raise SourceError(f"no place is given; {EXPECTED}")
    scheme = re.match(r"([a-z][a-z0-9+.-]+):", text)
    if scheme is None or scheme[1] == "file":
        return "folder"
    if scheme[1] not in FORMS or scheme[1] == "folder":
        raise SourceError(f"source {text!r}: there is no scheme {scheme[1]!r}; {EXPECTED}")
    return scheme[1]


def overlap(one: str, other: str) -> bool:
    """Whether one address holds the other, so that a document would be listed twice."""
    return _holds(one, other) or _holds(other, one)


def _holds(outer: str, inner: str) -> bool:
    if outer == inner:
        return True
    if outer.startswith("arxiv:") and inner.startswith("arxiv:"):
        sets = outer.removeprefix("arxiv:").split(",")
        return any(part == own or part.startswith(f"{own}.") for part in inner.removeprefix("arxiv:").split(",") for own in sets)
    if outer.startswith("hf:"):
        return inner.startswith((f"{outer}&", f"{outer}?")) if "?" in outer else inner.startswith(f"{outer}?")
    return outer.startswith(("file://", "s3://")) and inner.startswith(f"{outer}/")


def _address(kind: str, text: str) -> str:
    rest = text.partition(":")[2]
    if kind == "s3":
        if not text.startswith("s3://") or not urlsplit(text).netloc:
            raise SourceError(f"source {text!r}: expected s3://bucket/prefix, found no bucket")
        return text.rstrip("/")
    if kind in ("arxiv", "hf"):
        if not rest or re.search(r"\s|#", rest):
            raise SourceError(f"source {text!r}: expected {FORMS[kind]}")
        return text
    if kind in ("jsonl", "urls") and not rest.strip():
        raise SourceError(f"source {text!r}: expected {FORMS[kind]}, found no path")
    if kind == "urls":
        path = file_path(f"file://{rest.removeprefix('//')}") if rest.startswith("///") else Path(rest)
        return "urls://" + file_uri(path.expanduser().resolve()).removeprefix("file://")
    if kind == "jsonl":
        if rest.startswith("s3://"):
            return _address("s3", rest)
        text = rest
    path = file_path(text) if text.startswith("file://") else Path(text)
    return file_uri(path.expanduser().resolve())


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    for key in ("from", "until"):
        if key in given:
            _check_date(key, given[key])
    if given.get("from", "") > given.get("until", "9999"):
        raise SourceError(f"--from {given['from']} lies after --until {given['until']}")
    if wrong := [kind for kind in given.get("with", []) if kind not in KINDS_OF_FILE]:
        raise SourceError(f"--with {','.join(wrong)}: expected latex, pdf or latex,pdf")
    if "endpoint" in given and (urlsplit(given["endpoint"]).scheme not in ("http", "https") or not urlsplit(given["endpoint"]).hostname):
        raise SourceError(f"--endpoint {given['endpoint']!r}: expected http://host:port or https://host")
    if "per_run" in given and given["per_run"] < 1:
        raise SourceError(f"--per-run {given['per_run']}: expected 1 or more")
    if "snapshot" in given:
        path = Path(given["snapshot"]).expanduser().resolve()
        if not path.is_file():
            raise SourceError(f"--snapshot {given['snapshot']}: there is no such file")
        given["snapshot"] = str(path)
    return given


def _check_date(key: str, text: str) -> None:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return
    except ValueError:
        pass
    raise SourceError(f"--{key} {text!r}: expected a date such as 2026-01-31")


def parse_fields(pairs: Sequence[str]) -> dict[str, str]:
    """["title=headline", "text=content.body"] -> a field map. Raises SourceError for names that Forge does not have."""
    fields: dict[str, str] = {}
    for pair in pairs:
        ours, equals, theirs = (part.strip() for part in pair.partition("="))
        if not (ours and equals and theirs):
            raise SourceError(f"--field {pair!r}: expected OURS=THEIRS such as title=headline")
        if ours not in RIVALS:
            raise SourceError(f"--field {pair!r}: Forge has no field {ours!r}; it has {', '.join(RIVALS)}")
        if ours in fields:
            raise SourceError(f"--field {pair!r}: {ours} is given twice")
        fields[ours] = theirs
    return fields


def options_in_short(options: Mapping[str, Any]) -> str:
    """Options as a person would type them."""
    parts: list[str] = []
    for key, value in options.items():
        if key == "format":
            continue
        pairs = [f"{ours}={theirs}" for ours, theirs in value.items()] if isinstance(value, dict) else [value]
        parts += [f"{FLAGS.get(key, f'--{key}')} {','.join(pair) if isinstance(pair, list) else pair}" for pair in pairs]
    return " ".join(parts)
