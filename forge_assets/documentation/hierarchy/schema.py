"""The JSON Schema of the hierarchy's YAML files."""

from __future__ import annotations

from typing import Any

_COUNT = {"type": "integer", "minimum": 0}
_WORDS = {"type": "array", "items": {"type": "string"}}


def _object(required: list[str], /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A part of the hierarchy of a training infrastructure",
    **_object(
        ["format", "part", "title", "slots"],
        format={"const": "forge-hierarchy/1"},
        part={"type": "string"},
        title={"type": "string"},
        slots={"type": "object", "additionalProperties": {"$ref": "#/$defs/slot"}},
    ),
    "$defs": {
        "slot": _object(
            ["title", "purpose", "required", "takes", "gives", "options", "further_options"],
            title={"type": "string"},
            purpose={"type": "string"},
            required={"type": "boolean"},
            takes=_WORDS,
            gives=_WORDS,
            options={"type": "array", "items": {"$ref": "#/$defs/option"}},
            further_options=_COUNT,
        ),
        "option": _object(
            ["component", "name", "named_by_works", "used_by_works"],
            component={"type": "string"},
            name={"type": "string"},
            named_by_works=_COUNT,
            used_by_works=_COUNT,
            trend={"type": "string"},
            introduced=_object(["title", "year"], title={"type": "string"}, year={"type": "integer"}),
            introducing_document={"$ref": "#/$defs/source"},
            parameters={"type": "array", "items": {"$ref": "#/$defs/parameter"}},
        ),
        "parameter": {
            **_object(
                ["parameter", "works", "sources"],
                parameter={"type": "string"},
                works={"type": "integer", "minimum": 1},
                unit={"type": "string"},
                quartiles=_object(
                    ["least", "lower", "median", "upper", "greatest"],
                    **{name: {"type": "number"} for name in ("least", "lower", "median", "upper", "greatest")},
                ),
                words={"type": "object", "additionalProperties": _COUNT},
                sources_disagree={"const": True},
                sources={"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/source"}},
            ),
            "oneOf": [{"required": ["quartiles"]}, {"required": ["words"]}],
        },
        "source": _object(
            ["document", "start", "end", "quote", "quote_sha256"],
            document={"type": "string", "format": "uuid"},
            start=_COUNT,
            end={"type": "integer", "minimum": 1},
            quote={"type": "string"},
            quote_sha256={"type": "string", "pattern": "^[0-9a-f]{64}$"},
        ),
    },
}
