"""YAML files that people write for Forge: read without surprises, each entry's keys taken one by one.

`parse` refuses a key said twice; `Fields` collects what is wrong with an entry as sentences, unknown keys included.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Collection, Hashable
from typing import Any

import yaml  # type: ignore[import-untyped]


class _Strict(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    pass


def _mapping(loader: Any, node: Any) -> dict[Hashable, Any]:
    seen: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(
                None, None, f"a key is {key!r}, expected text (write it in quotes)", key_node.start_mark
            )
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice in one entry", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_Strict.add_constructor("tag:yaml.org,2002:map", _mapping)


def parse(text: str) -> Any:
    """What the text holds, an empty one None. Raises ValueError with line and reason in one sentence."""
    try:
        return yaml.load(text, Loader=_Strict)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ValueError(line + (error.problem or "is no YAML")) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(" ".join(str(error).split()) or "is nested too deep") from None


def kind_of(value: object) -> str:
    """`the number 3`, `a list`: how a sentence names what was found."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"{str(value).lower()} (yes, no, on and off mean true or false; for text write it in quotes)"
        case int() | float():
            return f"the number {value}"
        case datetime.date():
            return f"the date {value}"
        case str():
            return repr(value)
        case dict():
            return "a mapping"
    return "a list" if isinstance(value, list) else repr(value)


class Fields:
    """The keys of one entry. Each is taken once; what is wrong is added to `faults` as `WHERE: ...`, and a plain value returned."""

    def __init__(self, where: str, content: object, faults: list[str]) -> None:
        self.where = where
        self.faults = faults
        self._asked: list[str] = []
        if not isinstance(content, dict):
            self.fault(f"expected keys with values, found {kind_of(content)}")
        self._left: dict[str, Any] = dict(content) if isinstance(content, dict) else {}
        self._usable = isinstance(content, dict)

    def fault(self, sentence: str) -> None:
        self.faults.append(f"{self.where}: {sentence}")

    def has(self, key: str) -> bool:
        return self._left.get(key) is not None

    def raw(self, key: str) -> Any:
        """Whatever stands under the key, or None."""
        self._asked.append(key)
        return self._left.pop(key, None)

    def text(self, key: str, default: str | None = None) -> str:
        """Text of one line. Without a default it has to be there."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        return self._text(key, value)

    def text_or_none(self, key: str) -> str | None:
        value = self.raw(key)
        return None if value is None else self._text(key, value)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts, none of them twice."""
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, list):
            self._wrong(key, "a list", value)
            return ()
        texts = tuple(self._text(f"{key}, item {number}", item) for number, item in enumerate(value, 1))
        for text in sorted({text for text in texts if texts.count(text) > 1}):
            self.fault(f"{key} has {text!r} twice")
        return texts

    def number(self, key: str) -> float | None:
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            hint = f" (YAML 1.1 needs a point and a sign: {value.replace('e', '.0e+')})" if _looks_scientific(value) else ""
            self._wrong(key, "a number", value, hint)
            return None
        return value

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        value = self.text(key, default)
        if value and value not in allowed:
            self.fault(f"{key} is {value!r}, expected one of {', '.join(allowed)}{near(value, allowed)}")
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        value = self.raw(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, bool):
            self._wrong(key, "true or false", value)
        return value is True

    def date(self, key: str, *, required: bool = True) -> datetime.date | None:
        value = self.raw(key)
        if isinstance(value, datetime.datetime) or not isinstance(value, datetime.date):
            if required or value is not None:
                self._wrong(key, "a date such as 2026-01-31", value)
            return None
        return value

    def done(self) -> None:
        """Reports the keys that nobody asked for."""
        for key in self._left:
            self.fault(f"unknown key {key!r}{near(key, self._asked) or '; known are ' + ', '.join(self._asked)}")

    def _text(self, key: str, value: object) -> str:
        if isinstance(value, str) and value == value.strip() and value and value.isprintable():
            return value
        if isinstance(value, str) and value.strip():
            self.fault(f"{key} has a line break, or blanks at its ends: {value!r}")
            return " ".join(value.split())
        self._wrong(key, "text", value)
        return ""

    def _wrong(self, key: str, expected: str, value: object, hint: str = "") -> None:
        if self._usable:
            quotes = " (write it in quotes)" if expected == "text" and isinstance(value, int | float | datetime.date) else ""
            found = "is missing" if value is None else f"is {kind_of(value)}"
            self.fault(f"{key} {found}, expected {expected}{'' if value is None else quotes}{hint}")


def near(word: str, known: Collection[str]) -> str:
    """`; did you mean 'attention'?`, or nothing where no known word is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.7)
    return f"; did you mean {found[0]!r}?" if found else ""


def _looks_scientific(value: object) -> bool:
    parts = value.lower().split("e") if isinstance(value, str) else []
    return len(parts) == 2 and parts[0].isdigit() and parts[1].isdigit()
