"""What a language model claims of a passage -> what the passage carries: every entry is checked against the text, and against nothing else.

An entry is kept where its ids are of the closed lists, its quote stands in the passage (white space apart), and the names and values it
speaks of stand inside the quote. Everything else is rejected, with a reason of `REASONS`.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from forge_assets.components.lexicon import words_of
from forge_assets.components.ontology.model import Ontology
from forge_assets.components.possible_names import Named
from forge_assets.components.prompt import Material, item_schema
from forge_assets.corpus import sentences
from forge_resources.language_model import Answer, read_json

Span = tuple[int, int]

REASONS = {
    "refused": "the model, or its server, gives no answer to this passage",
    "cut off": "the answer ends before its JSON does",
    "no json": "the answer holds no JSON object of lists",
    "malformed": "an entry lacks a field, or one is of the wrong type",
    "unknown id": "an id is not of the closed list",
    "too many": "more entries than a passage can carry",
    "quote not found": "the quote does not stand in the passage",
    "quote too long": "the quote is longer than two sentences",
    "name missing": "a component or parameter is not named in the quote",
    "value missing": "the value does not stand in the quote as a number or word of its own",
    "value not plausible": "the value is outside the parameter's range, or none of its choices",
    "unit missing": "the unit does not stand in the quote",
    "with itself": "subject and object are the same, or named by the same words",
    "known": "the rules have read it already",
}
MOST_ENTRIES = 24
MOST_SENTENCES = 2
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry that the passage carries. start, end: the sentences of its quote, in the passage; spans in `payload` too."""

    kind: str
    payload: Mapping[str, Any]
    start: int
    end: int


@dataclass(slots=True)
class Judgement:
    kept: list[Kept] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)


class _Rejected(Exception):
    """Carries a word of `REASONS`."""


def judge(answer: Answer, schema: Mapping[str, Any], material: Material, ontology: Ontology) -> Judgement:
    """All entries of an answer to a question of this schema, each on its own: a bad one takes none of its neighbours along."""
    judgement = Judgement()
    if answer.text is None:
        judgement.rejected["refused"] += 1
        return judgement
    try:
        claims = read_json(answer.text)
    except ValueError:
        judgement.rejected["cut off" if answer.finish == "length" else "no json"] += 1
        return judgement
    checks = {"mentions": _mention, "parameters": _parameter, "relations": _relation}
    for kind, check in checks.items():
        entries = claims.get(kind, [])
        if kind not in schema["properties"]:
            judgement.rejected["unknown id"] += len(entries) if isinstance(entries, list) else 1
            continue
        if not isinstance(entries, list):
            judgement.rejected["no json"] += 1
            continue
        judgement.rejected["too many"] += len(entries[MOST_ENTRIES:])
        valid = _validator(item_schema(schema, kind))
        for entry in entries[:MOST_ENTRIES]:
            try:
                valid(entry)
                kept = check(entry, *_quoted(entry["quote"], material.text), material, ontology)
                if kept not in judgement.kept:
                    judgement.kept.append(kept)
            except _Rejected as why:
                judgement.rejected[str(why)] += 1
    if not claims.keys() & checks.keys():
        judgement.rejected["no json"] += 1
    judgement.rejected = +judgement.rejected
    return judgement


def find_quote(text: str, quote: str) -> Span | None:
    """Where a quote stands in a text, first place of several; any run of white space equals any other, every other letter is itself."""
    wanted = _SPACE.sub(" ", quote.strip())
    if not wanted:
        return None
    flat, places = _flattened(text)
    at = flat.find(wanted)
    return None if at < 0 else (places[at], places[at + len(wanted) - 1] + 1)


def _flattened(text: str) -> tuple[str, list[int]]:
    """The text with single blanks, and the index of each of its letters in the original."""
    letters: list[str] = []
    places: list[int] = []
    for index, letter in enumerate(text):
        if letter.isspace():
            if letters and letters[-1] == " ":
                continue
            letter = " "
        letters.append(letter)
        places.append(index)
    return "".join(letters), places


def _validator(schema: Any) -> Any:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    validator = Draft202012Validator(schema)

    def valid(entry: object) -> None:
        errors = list(validator.iter_errors(entry))
        if errors:
            closed = all(error.validator == "enum" or (error.validator == "anyOf" and isinstance(error.instance, str)) for error in errors)
            raise _Rejected("unknown id" if closed else "malformed")

    return valid


def _quoted(quote: str, text: str) -> tuple[Span, Span]:
    """The span of a quote, and that of the whole sentences it lies in: a quote must not cut off a 'not'."""
    span = find_quote(text, quote)
    if span is None:
        raise _Rejected("quote not found")
    touched = [place for place in sentences.split(text) if place[0] < span[1] and span[0] < place[1]]
    if len(touched) > MOST_SENTENCES:
        raise _Rejected("quote too long")
    whole = (min(span[0], touched[0][0]), max(span[1], touched[-1][1])) if touched else span
    return span, whole


def _places(names: tuple[Named, ...], id_: str, quote: Span) -> list[Span]:
    """Where it is named inside the quote."""
    found = [(named.start, named.end) for named in names if named.id == id_ and quote[0] <= named.start and named.end <= quote[1]]
    if not found:
        raise _Rejected("name missing")
    return found


def _mention(entry: dict[str, Any], quote: Span, whole: Span, material: Material, _: Ontology) -> Kept:
    start, end = _places(material.components, entry["component"], quote)[0]
    return Kept("mention", {"component": entry["component"], "stance": entry["stance"], "start": start, "end": end}, *whole)


def _relation(entry: dict[str, Any], quote: Span, whole: Span, material: Material, _: Ontology) -> Kept:
    if entry["subject"] == entry["object"]:
        raise _Rejected("with itself")
    subjects = _places(material.components, entry["subject"], quote)
    objects = _places(material.components, entry["object"], quote)
    apart = [(s, o) for s, o in product(subjects, objects) if s[1] <= o[0] or o[1] <= s[0]]
    if not apart:
        raise _Rejected("with itself")
    subject, object_ = apart[0]
    payload = {"subject": entry["subject"], "relation": entry["relation"], "object": entry["object"], "polarity": not entry["denied"]}
    return Kept("relation", payload | {"subject_span": list(subject), "object_span": list(object_)}, *whole)


def _parameter(entry: dict[str, Any], quote: Span, whole: Span, material: Material, ontology: Ontology) -> Kept:
    parameter = ontology.parameters[entry["parameter"]]
    named = _places(material.parameters, parameter.id, quote)
    if entry["component"] is not None:
        _places(material.components, entry["component"], quote)
    number, word, (start, end) = _value(entry["value"], quote, material, parameter.choices if parameter.kind == "choice" else None)
    if all(place[0] < end and start < place[1] for place in named):
        raise _Rejected("value missing")  # what was given is the parameter's own name
    if number is not None and not (_at_least(number, parameter.low) and (parameter.high is None or number <= parameter.high)):
        raise _Rejected("value not plausible")
    unit = entry["unit"]
    if unit and find_quote(material.text[quote[0] : quote[1]], unit) is None:
        raise _Rejected("unit missing")
    payload = {"parameter": parameter.id, "number": number, "word": word, "unit": unit or None, "component": entry["component"]}
    return Kept("parameter", payload | {"start": start, "end": end}, *whole)


def _at_least(number: float, low: float | None) -> bool:
    return math.isfinite(number) and (low is None or low <= number)


def _value(
    written: str, quote: Span, material: Material, choices: Mapping[str, tuple[str, ...]] | None
) -> tuple[float | None, str | None, Span]:
    """The value as number or as word, and its span in the passage."""
    inside = material.text[quote[0] : quote[1]]
    found = find_quote(inside, written)
    if found is None:
        raise _Rejected("value missing")
    if choices is None:
        wanted = _SPACE.sub("", written)
        for quantity in material.quantities:
            as_written = _SPACE.sub("", material.text[quantity.start : quantity.end])
            if quote[0] <= quantity.start and quantity.end <= quote[1] and as_written == wanted:
                return quantity.value, None, (quantity.start, quantity.end)
        raise _Rejected("value missing")
    start, end = found[0] + quote[0], found[1] + quote[0]
    if _inside_a_word(material.text, start) or _inside_a_word(material.text, end):
        raise _Rejected("value missing")
    for choice, ways in choices.items():
        if any(words_of(way) == words_of(written) for way in (choice, *ways)):
            return None, choice, (start, end)
    raise _Rejected("value not plausible")


def _inside_a_word(text: str, place: int) -> bool:
    """Whether a cut at `place` goes through a word."""
    return 0 < place < len(text) and text[place - 1].isalnum() and text[place].isalnum()


def shifted(payload: Mapping[str, Any], by: int) -> dict[str, Any]:
    """A payload whose spans index the document, `by` characters before the passage."""
    moved = {key: value + by if key in ("start", "end") else value for key, value in payload.items()}
    return {key: [place + by for place in value] if key.endswith("_span") else value for key, value in moved.items()}


def canonical(payload: Mapping[str, Any]) -> str:
    """One text for one payload."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
