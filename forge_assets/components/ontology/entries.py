"""One entry of a YAML file -> its object; what is wrong with it alone becomes sentences (between entries: `faults`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast, get_args

from forge_assets.components.ontology.model import (
    Alias,
    Build,
    Case,
    Component,
    Introduced,
    Kind,
    Parameter,
    ParameterUse,
    Port,
    Scalar,
    Slot,
    Task,
)
from forge_resources.strict_yaml import Fields, kind_of

LONGEST_DESCRIPTION = 160
EARLIEST_YEAR, LATEST_YEAR = 1600, 2100
COMPONENT_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
NAME_ID = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*", re.ASCII)
_ARXIV = re.compile(r"\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7}", re.ASCII)
_DOI = re.compile(r"10\.\d{4,9}/\S+", re.ASCII)


def task(fields: Fields) -> Task:
    return Task(_id(fields, NAME_ID), fields.text("title"), _description(fields))


def port(fields: Fields) -> Port:
    shape = fields.texts("shape") if fields.has("shape") else fields.raw("shape")
    return Port(
        _id(fields, NAME_ID), fields.text("type"), shape, fields.text("meaning"), fields.flag("given", False), fields.texts("from", ())
    )


def slot(fields: Fields) -> Slot:
    return Slot(
        _id(fields, NAME_ID),
        fields.text("title"),
        fields.text("task"),
        _description(fields),
        fields.texts("in"),
        fields.texts("out"),
        fields.flag("core"),
        fields.texts("inside", ()),
    )


def parameter(fields: Fields) -> Parameter:
    made = Parameter(
        _id(fields, NAME_ID),
        fields.text("title"),
        cast(Kind, fields.choice("kind", get_args(Kind))),
        fields.text_or_none("unit"),
        fields.number("low"),
        fields.number("high"),
        fields.texts("aliases", ()),
        fields.texts("keys", ()),
        _choices(fields),
    )
    _range(fields, made.low, made.high)
    if made.kind not in ("number", "integer") and (made.low, made.high) != (None, None):
        fields.fault(f"a parameter of kind {made.kind} has no range")
    return made


def component(fields: Fields, slots: Mapping[str, Slot], slot_id: str) -> Component:
    """A component of the slot; ports and tasks it does not name are the slot's."""
    own = slots.get(slot_id)
    made = Component(
        id=_id(fields, COMPONENT_ID),
        name=fields.text("name"),
        slot=slot_id,
        aliases=_aliases(fields),
        introduced=_introduced(fields),
        parameters=_parameter_uses(fields),
        inputs=fields.texts("in", own.inputs if own else ()),
        outputs=fields.texts("out", own.outputs if own else ()),
        tasks=fields.texts("tasks", (own.task,) if own else ()),
        build=cast(Build, fields.choice("build", get_args(Build))),
        description=_description(fields),
        parent=fields.text_or_none("parent"),
        also_slots=fields.texts("also_slots", ()),
        broad=fields.flag("broad", False),
        outside=fields.flag("outside", False),
        inside=fields.texts("inside", own.inside if own else ()),
    )
    if not made.tasks:
        fields.fault("tasks is empty, expected at least one")
    return made


def _id(fields: Fields, pattern: re.Pattern[str]) -> str:
    found = fields.text("id")
    if found and not pattern.fullmatch(found):
        words = "lower-case words joined by -" if pattern is COMPONENT_ID else "lower-case words joined by _"
        fields.fault(f"id is {found!r}, expected {words}")
    return found


def _description(fields: Fields) -> str:
    text = fields.text("description")
    if len(text) > LONGEST_DESCRIPTION:
        fields.fault(f"description has {len(text)} characters, expected at most {LONGEST_DESCRIPTION}")
    return text


def _range(fields: Fields, low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        fields.fault(f"the range is upside down: low {low:g} is above high {high:g}")


def _choices(fields: Fields) -> dict[str, tuple[str, ...]]:
    content = fields.raw("choices")
    if content is None:
        return {}
    inner = Fields(f"{fields.where}, choices", content, fields.faults)
    return {value: inner.texts(value) for value in (content if isinstance(content, dict) else ())}


def _aliases(fields: Fields) -> tuple[Alias, ...]:
    items = fields.raw("aliases")
    if not isinstance(items, list) or not items:
        fields.fault(f"aliases is {kind_of(items)}, expected a list with at least one alias")
        return ()
    made: list[Alias] = []
    for number, item in enumerate(items, 1):
        inner = Fields(f"{fields.where}, alias {number}", item if isinstance(item, dict) else {"text": item}, fields.faults)
        alias = Alias(
            inner.text("text"),
            cast(Case, inner.choice("case", get_args(Case), "auto")),
            inner.texts("context", ()),
            inner.texts("unless", ()),
        )
        inner.done()
        for word in (*alias.context, *alias.unless):
            if word != word.lower():
                inner.fault(f"{word!r} is not lower-case, as context and unless have to be")
        if len(alias.text) == 1 and not alias.context:
            inner.fault(f"{alias.text!r} is one character; it needs a context")
        if alias.text in (other.text for other in made):
            inner.fault(f"{alias.text!r} is listed twice")
        made.append(alias)
    return tuple(made)


def _introduced(fields: Fields) -> Introduced | None:
    content = fields.raw("introduced")
    if content is None:
        return None
    inner = Fields(f"{fields.where}, introduced", content, fields.faults)
    year = inner.number("year")
    made = Introduced(
        inner.text("title"), int(year or 0), inner.text_or_none("arxiv"), inner.text_or_none("doi"), inner.text_or_none("url")
    )
    inner.done()
    if year is None or not EARLIEST_YEAR <= year <= LATEST_YEAR or year != int(year):
        inner.fault(f"year is {kind_of(year)}, expected one from {EARLIEST_YEAR} to {LATEST_YEAR}")
    if made.arxiv and not _ARXIV.fullmatch(made.arxiv):
        inner.fault(f"arxiv is {made.arxiv!r}, expected a number such as 2104.09864 or cs/0703041, without a version")
    if made.doi and not _DOI.fullmatch(made.doi):
        inner.fault(f"doi is {made.doi!r}, expected one that begins with 10.")
    if made.url and not made.url.startswith(("https://", "http://")):
        inner.fault(f"url is {made.url!r}, expected one that begins with https://")
    return made


def _parameter_uses(fields: Fields) -> tuple[ParameterUse, ...]:
    items = fields.raw("parameters")
    if items is None:
        return ()
    if not isinstance(items, list):
        fields.fault(f"parameters is {kind_of(items)}, expected a list")
        return ()
    made: list[ParameterUse] = []
    for number, item in enumerate(items, 1):
        inner = Fields(f"{fields.where}, parameter {number}", {"id": item} if isinstance(item, str) else item, fields.faults)
        default = inner.raw("default")
        if default is not None and not isinstance(default, get_args(Scalar)):
            inner.fault(f"default is {kind_of(default)}, expected a number, true, false or text")
        use = ParameterUse(inner.text("id"), default, inner.number("low"), inner.number("high"), inner.text_or_none("note"))
        inner.done()
        _range(inner, use.low, use.high)
        if use.id in (other.id for other in made):
            inner.fault(f"{use.id} is listed twice")
        made.append(use)
    return tuple(made)
