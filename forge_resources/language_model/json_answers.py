"""JSON in the answers of language models: alone, in a fence, after thoughts, between sentences."""

from __future__ import annotations

import json
import re

_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
LONGEST = 200_000  # characters


def read_json(text: str) -> dict[str, object]:
    """The first JSON object of an answer. Raises ValueError where there is none, or none that ends.

    NaN and Infinity are no JSON. Lone surrogates become U+FFFD, so that what is read can be stored.
    """
    if len(text) > LONGEST:
        raise ValueError(f"the answer has {len(text)} characters, more than {LONGEST}")
    rest = _THOUGHTS.sub("", text)
    start = rest.find("{")
    if start < 0:
        raise ValueError("the answer holds no JSON object")
    try:
        value, _ = json.JSONDecoder(parse_constant=_no_constant).raw_decode(rest, start)
    except RecursionError:
        raise ValueError("the answer's JSON is nested too deeply") from None
    assert isinstance(value, dict)  # it began with a brace
    clean: dict[str, object] = _storable(value)
    return clean


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _storable(value: object) -> dict[str, object]:
    written = json.dumps(value, ensure_ascii=False)
    read: dict[str, object] = json.loads(written.encode("utf-8", "replace").decode())
    return read
