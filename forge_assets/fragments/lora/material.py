"""What instructions are derived from, read from Postgres: sentences about components, claims, stated values, the catalogue, the spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from forge_assets.blueprints.spec.model import Spec
from forge_assets.blueprints.spec.values import Evidence, Value
from forge_assets.components.catalogue import lookup
from forge_assets.components.ontology.model import Ontology
from forge_assets.fragments.lora.quotes import (
    LONGEST,
    WINDOW,
    Place,
    Said,
    Stated,
    any_verb,
    around,
    even,
    fit,
    place_of,
    said_in,
    stated_in,
)
from forge_resources.database import Database

ENGLISH = "coalesce(d.language, 'en') LIKE 'en%'"
SENTENCES = rf"""SELECT m.component, d.uri, d.title, coalesce(w.work_id, d.document_id)::text AS work, m.start, m."end", m.stance,
        substr(d.text, greatest(m.start - 8, 0) + 1, least(m.start, 8)) AS before, substr(d.text, m.start + 1, {WINDOW}) AS after
    FROM mention m JOIN document d USING (document_id) LEFT JOIN work_document w USING (document_id)
    WHERE NOT m.negated AND {ENGLISH}
        AND substr(d.text, greatest(m.start - 8, 0) + 1, least(m.start, 8)) ~ '(^|[.!?]["”)]? +|\n\s*)(The |An? )?$'
        AND substr(d.text, m."end" + 1, 60) ~ :verbs
    ORDER BY d.uri, m.start, m.component"""
CLAIMS = f"""SELECT r.subject, r.relation, r.object, d.uri, d.title, coalesce(w.work_id, d.document_id)::text AS work, r.start, r."end",
        substr(d.text, r.start + 1, r."end" - r.start) AS quote
    FROM relation r JOIN document d USING (document_id) LEFT JOIN work_document w USING (document_id)
    WHERE r.polarity AND {ENGLISH} ORDER BY d.uri, r.start, r.subject, r.relation, r.object"""
VALUES = f"""SELECT t.component, t.parameter, d.uri, d.title, coalesce(w.work_id, d.document_id)::text AS work, (s->>1)::int AS start,
        (s->>2)::int AS "end", substr(d.text, greatest((s->>1)::int - {WINDOW}, 0) + 1, least((s->>1)::int, {WINDOW})) AS before,
        substr(d.text, (s->>1)::int + 1, {WINDOW}) AS after
    FROM typical_value t, jsonb_array_elements(t.sources) AS s
    JOIN document d ON d.document_id = (s->>0)::uuid LEFT JOIN work_document w USING (document_id)
    WHERE {ENGLISH} AND NOT EXISTS (SELECT FROM parameter_value o WHERE o.document_id = d.document_id AND o.parameter = t.parameter
        AND o.start <> (s->>1)::int AND abs(o.start - (s->>1)::int) < {LONGEST})
    ORDER BY t.component, t.parameter, t.unit, d.uri, (s->>1)::int"""
"""Where no other value of the parameter stands near: two in one sentence may belong to two things."""
PLACES = f"""SELECT d.uri, d.title, x.start, x."end", coalesce(w.work_id, d.document_id)::text AS work,
        substr(d.text, greatest(x.start - {WINDOW}, 0) + 1, least(x.start, {WINDOW})) AS before,
        substr(d.text, x.start + 1, {WINDOW}) AS after
    FROM unnest(CAST(:uris AS text[]), CAST(:starts AS int[]), CAST(:ends AS int[])) AS x(uri, start, "end")
    JOIN document d ON d.uri = x.uri LEFT JOIN work_document w USING (document_id)"""
WORKS = """SELECT d.document_id::text AS id, coalesce(w.work_id, d.document_id)::text AS work FROM document d
    LEFT JOIN work_document w USING (document_id) WHERE d.document_id = ANY(CAST(:ids AS uuid[]))"""
NAMED = frozenset({"arxiv", "doi", "title"})
"""Why the catalogue takes a document for the introducing one: the ontology names it. The earliest that says so is too often another."""


@dataclass(frozen=True, slots=True)
class Claim:
    subject: str
    relation: str
    object: str
    place: Place


@dataclass(frozen=True, slots=True)
class Set:
    """A value of the spec that rests on documents. `reason` in the spec's words; of a component there is none."""

    blueprint: str
    title: str
    value: str
    reason: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Introducing:
    """Of a component the catalogue has: the work of the corpus that introduced it, where it is known, and its year."""

    component: str
    place: Place | None
    year: int | None


@dataclass(frozen=True, slots=True)
class Material:
    said: Sequence[Said] = ()
    claims: Sequence[Claim] = ()
    stated: Sequence[Stated] = ()
    entries: Sequence[Introducing] = ()
    settings: Sequence[Set] = ()


def material(db: Database, ontology: Ontology, spec: Spec) -> Material:
    """Everything, in an order that the same corpus gives again."""
    known = {one.id for one in ontology.components.values() if not one.broad and not one.outside and not set(":(") & set(one.name)}
    with db.begin() as connection:
        rows = connection.execute(sa.text(SENTENCES), {"verbs": rf"^[^.]{{0,24}}\y({any_verb()})\y".replace("(?:", "(")})
        said = [one for row in rows if row.component in known and (one := said_in(row))]
        claims = [
            Claim(row.subject, row.relation, row.object, place_of(row, row.start, row.end, row.quote))
            for row in connection.execute(sa.text(CLAIMS))
            if row.subject in known and row.object in known and fit(even(row.quote), most=320)
        ]
        stated = [held for row in connection.execute(sa.text(VALUES)) if row.component in known and (held := stated_in(row))]
    return Material(said, claims, stated, _entries(db, known), list(_settings(db, ontology, spec)))


def _entries(db: Database, known: Iterable[str]) -> list[Introducing]:
    entries = lookup.entries(db)
    wanted = [id_ for id_ in sorted(known) if id_ in entries]
    documents = lookup.documents(db, [entries[id_]["introducing_document"] for id_ in wanted])
    with db.begin() as connection:
        works = {row.id: row.work for row in connection.execute(sa.text(WORKS), {"ids": list(documents)})}
    found = []
    for id_ in wanted:
        one = documents.get(str(entries[id_]["introducing_document"]))
        place = None
        if one and one["title"] and entries[id_]["introducing_reason"] in NAMED:
            title = even(one["title"])
            place = Place(one["uri"], title, works[str(one["document_id"])], None, None, title)
        found.append(Introducing(id_, place, one["year"] if one else None))
    return found


def _settings(db: Database, ontology: Ontology, spec: Spec) -> Iterator[Set]:
    """Values with evidence, in the order of the spec: components by their names and slots, others by their fields."""
    grounded = list(_grounded(spec, ()))
    places = quotes_of(db, [one for _, value in grounded for one in value.evidence])
    for path, value in grounded:
        held = tuple(dict.fromkeys(places[key] for one in value.evidence if (key := (one.document, one.start, one.end)) in places))
        if held and (component := ontology.components.get(str(value.value))):
            yield Set(spec.identity.name, ontology.slots[component.slot].title, component.name, "", held[:2])
        elif held:
            unit = f" {value.unit}" if value.unit else ""
            yield Set(spec.identity.name, path[-1].replace("_", " "), f"{value.value}{unit}", value.reason, held[:2])


def _grounded(thing: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Value[Any]]]:
    if isinstance(thing, Value):
        if thing.evidence:
            yield path, thing
    elif isinstance(thing, Mapping):
        for key, one in thing.items():
            yield from _grounded(one, (*path, str(key)))
    elif hasattr(type(thing), "model_fields"):
        for key in type(thing).model_fields:
            yield from _grounded(getattr(thing, key), (*path, key))


def quotes_of(db: Database, evidence: Sequence[Evidence]) -> dict[tuple[str, int, int], Place]:
    """Place -> the sentence around it, where what stands there is still what the spec was made from and the sentence can be read."""
    import hashlib

    wanted = {(one.document, one.start, one.end): one for one in evidence}
    columns: dict[str, list[Any]] = {
        "uris": [key[0] for key in wanted], "starts": [key[1] for key in wanted], "ends": [key[2] for key in wanted]
    }  # fmt: skip
    found = {}
    with db.begin() as connection:
        for row in connection.execute(sa.text(PLACES), columns):
            one = wanted[row.uri, row.start, row.end]
            same = hashlib.sha256(row.after[: row.end - row.start].encode()).hexdigest() == one.quote_hash
            if same and (place := around(row)):
                found[row.uri, row.start, row.end] = place
    return found
