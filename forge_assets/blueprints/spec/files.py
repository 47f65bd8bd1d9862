"""A spec as files: YAML and JSON that read back to the same spec, Markdown for people, and the JSON Schema it is checked by."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]
from pydantic import BaseModel, ValidationError

from forge_assets.blueprints.spec.model import Spec
from forge_assets.blueprints.spec.values import Value
from forge_resources.errors import BlueprintError
from forge_resources.strict_yaml import parse

MOST_BYTES, MOST_SAID = 4_000_000, 300


def as_json(spec: Spec) -> str:
    return json.dumps(spec.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def as_yaml(spec: Spec) -> str:
    text: str = yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120)
    return text


def schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of spec.json and spec.yaml."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Spec.model_json_schema(mode="validation")}


def read(path: Path) -> Spec:
    """A spec out of a JSON or YAML file. Raises BlueprintError with the first thing that is wrong in it."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BlueprintError(f"{path} has {path.stat().st_size:,} bytes; a spec has a few thousand, so this is none")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BlueprintError(f"{path} cannot be read: {error.strerror}; expected a spec in YAML or JSON") from None
    except UnicodeDecodeError:
        raise BlueprintError(f"{path} is no text in UTF-8; expected a spec in YAML or JSON") from None
    return read_text(text, str(path))


def read_text(text: str, where: str) -> Spec:
    try:
        content = json.loads(text) if text.lstrip().startswith("{") else parse(text)
    except (ValueError, RecursionError) as error:
        raise BlueprintError(
            f"{where} is neither JSON nor YAML: {str(error).splitlines()[0]}; write it as `forge spec show` does"
        ) from None
    try:
        return Spec.model_validate(content)
    except RecursionError:
        raise BlueprintError(f"{where} is no valid spec: it is nested deeper than any spec") from None
    except ValidationError as error:
        raise BlueprintError(f"{where} is no valid spec: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    one = error.errors()[0]
    field = ".".join(str(part) for part in one["loc"]) or "the whole"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if one["type"] == "extra_forbidden":
        return f"{field} is no field of a spec; take it out, or correct its name{more}"
    found = "" if isinstance(one["input"], dict | BaseModel) else f", found {reprlib.repr(one['input']):.80}"
    said = str(one["msg"]).removeprefix("Value error, ")
    return f"{field}: {said if len(said) <= MOST_SAID else said[:MOST_SAID] + ' ...'}{found}{more}"


def leaves(node: object, path: str = "") -> Iterator[tuple[str, Value[Any]]]:
    """Every value of a spec with its dotted path, in order."""
    if isinstance(node, Value):
        yield path, node
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from leaves(getattr(node, name), f"{path}.{name}".lstrip("."))
    elif isinstance(node, dict):
        for name, one in node.items():
            yield from leaves(one, f"{path}.{name}".lstrip("."))


def told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 1000 and value.is_integer() else f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {told(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(told, value))
    return str(value)


def as_markdown(spec: Spec) -> str:
    """One table per block; evidence as numbered notes at the end."""
    notes: list[str] = []
    lines = [f"# {spec.identity.title}", "", *_pins(spec), ""]
    blocks: dict[str, list[tuple[str, Value[Any]]]] = {}
    for path, value in leaves(spec):
        block, _, field = path.partition(".")
        blocks.setdefault(block, []).append((field or block, value))
    for block, rows in blocks.items():
        lines += [f"## {block.replace('_', ' ').capitalize()}", "", "| what | value | from |", "|---|---|---|"]
        for field, value in rows:
            lines.append(f"| {_cell(field.replace('_', ' '))} | {_cell(_amount(value))} | {_cell(value.source + _marks(value, notes))} |")
        lines.append("")
    lines += ["## Risks and limits", "", *(f"- {_cell(risk.statement)} ({_cell(risk.source)})" for risk in spec.risks), ""]
    if notes:
        lines += ["## Evidence", "", *(f"{number}. {note}" for number, note in enumerate(notes, 1)), ""]
    return "\n".join(lines)


def _pins(spec: Spec) -> list[str]:
    pins = spec.identity.pins
    return [f"Made from stack `{pins.stack}`, evidence `{pins.evidence}`, ontology `{pins.ontology[:16]}`; nights do not change it."]


def _amount(value: Value[Any]) -> str:
    return told(value.value) + (f" {value.unit}" if value.unit else "")


def _marks(value: Value[Any], notes: list[str]) -> str:
    made = ""
    for one in value.evidence:
        notes.append(f"{one.title or one.document}, {one.document}, characters {one.start} to {one.end}, SHA-256 {one.quote_hash}")
        made += f" [{len(notes)}]"
    return made


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def differences(before: Spec, after: Spec) -> list[tuple[str, str, str]]:
    """(path, before, after) of every value that differs; what one of them lacks is `nothing`."""
    old, new = ({path: _amount(value) for path, value in leaves(one)} for one in (before, after))
    return [
        (path, old.get(path, "nothing"), new.get(path, "nothing")) for path in dict.fromkeys([*old, *new]) if old.get(path) != new.get(path)
    ]
