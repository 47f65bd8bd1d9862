"""A configuration file of a framework, or an assignment, -> the values to be judged.

YAML and JSON mappings are read as they are, nested ones also by dotted names; any other text as the words of a command line, such as the
arguments of Megatron-LM. A mapping whose keys are all variables (slot:, number:, option:) is an assignment already.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forge_assets.compatibility.constraints.base import ConstraintBase
from forge_assets.compatibility.constraints.dialects import Dialect
from forge_assets.compatibility.constraints.facts import compact, framework_named, frameworks
from forge_assets.compatibility.constraints.links import ideas_of
from forge_assets.compatibility.constraints.model import Value, number
from forge_assets.compatibility.constraints.numbers import numbers
from forge_resources.errors import ConstraintError
from forge_resources.strict_yaml import near, parse

VARIABLES = ("slot:", "number:", "option:")
Values = dict[str, Value | tuple[Value, ...]]
LARGEST = 4 * 2**20
_NUMBER = re.compile(r"[+-]?(\d+|\d*\.\d+|\d+\.\d*)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_GIVEN = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_]\w*)=(?:(?P<value>[\w.+-]+)|\"(?P<quoted>[^\"$]*)\")\s*(?:#.*)?", re.ASCII)
_NAMED = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)


@dataclass(frozen=True, slots=True)
class Configuration:
    """`framework`: its id, None for an assignment. `settings`: its options as variables; `ideas`: slots and numbers that follow from them.
    `unwritten`: options and numbers that the file does not speak of and whose default is off or nothing."""

    framework: str | None
    settings: Mapping[str, Value | tuple[Value, ...]]
    ideas: Mapping[str, Value | tuple[Value, ...]]
    unwritten: frozenset[str] = field(default_factory=frozenset)


def read_configuration(file: Path, base: ConstraintBase, framework: str | None = None, more: Iterable[str] = ()) -> Configuration:
    """The values of a file, and `more` of them as NAME=VALUE, which go before.

    Raises ConstraintError: not readable, of no known framework, or of several equally.
    """
    written = _read(file)
    added = dict(_assigned(one) for one in more)
    if written and all(key.startswith(VARIABLES) for key in written):
        return _assignment(file, written | added)
    known = framework_named(framework).id if framework else _guessed(file, written, base)
    dialect = base.dialects.get(known, Dialect(known))
    return _configuration(dialect, written, added, base)


def _configuration(dialect: Dialect, written: Mapping[str, Any], added: Mapping[str, Any], base: ConstraintBase) -> Configuration:
    told = {name: value for name, value in added.items() if name not in numbers()}
    settings: Values = {}
    for param, value in _flat(_unfolded(dialect, {**written, **told})):
        settings[dialect.option(param)] = value
        if isinstance(value, tuple):
            settings[dialect.option(f"len:{param}")] = len(value)
    ideas = ideas_of(dialect, settings)
    ideas |= {number(name): value for name, value in added.items() if name in numbers()}
    asked = {condition.variable for one in base.in_scope(dialect.framework) for condition in one.written}
    silent = base.run_values(dialect.framework) | {dialect.option(param) for param in dialect.on_by_default}
    unwritten = (asked - silent - settings.keys()) | ({number(name) for name in numbers()} - ideas.keys())
    return Configuration(dialect.framework, settings, ideas, frozenset(unwritten))


def _assignment(file: Path, written: Mapping[str, Any]) -> Configuration:
    values: Values = {}
    for key, value in written.items():
        variable = number(key) if key in numbers() else key
        if not variable.startswith(VARIABLES):
            raise ConstraintError(
                f"{key!r} is no variable{near(key, numbers())}; in {file.name}, an assignment, say slot:, number: or option:"
            )
        values[variable] = _value(value)
    return Configuration(None, {k: v for k, v in values.items() if k.startswith("option:")}, values)


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > LARGEST:
            raise ConstraintError(f"{file} has {file.stat().st_size:,} bytes, expected a configuration of at most {LARGEST:,}")
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConstraintError(f"{file} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConstraintError(f"{file} is no text in UTF-8") from None
    if re.search(r"(?:^|\s)--[a-z]", text) and file.suffix not in (".yaml", ".yml", ".json"):
        return dict(_words(text))
    try:
        content = parse(text) if file.suffix != ".json" else json.loads(text)
    except ValueError as error:
        raise ConstraintError(f"{file}, {error}") from None
    if not isinstance(content, dict) or not content:
        raise ConstraintError(f"{file} holds no settings: expected a YAML or JSON mapping, or the words of a command line such as --bf16")
    return content


def _words(text: str) -> Iterator[tuple[str, Any]]:
    """`--name value`, `--name=value`, `--name a b` and `--flag`, each with its values on one line; other words are passed over.

    `$NAME` is what a line `NAME=value` before gave it; an option whose value nothing here tells is left out.
    """
    known: dict[str, str] = {}
    for line in text.splitlines():
        if given := _GIVEN.fullmatch(line):
            known[given["name"]] = given["value"] or given["quoted"]
        for name, values in _options(line):
            told = [_NAMED.sub(lambda found: known.get(found[1] or found[2], found[0]), value) for value in values]
            if not any("$" in value for value in told):
                yield name.replace("-", "_"), (True if not told else told[0] if len(told) == 1 else told)


def _options(line: str) -> Iterator[tuple[str, list[str]]]:
    """The options of a line with their words; a word in quotes may be an option with its value."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # a quote that another line closes
        words = line.split()
    name, values = "", list[str]()
    for word in [*(part for one in words for part in (one.split() if one.startswith("--") else [one])), "--"]:
        if not word.startswith("--"):
            values += [word] if word not in ("\\", ")", "(") else []
            continue
        if name:
            yield name, values
        name, equals, value = word[2:].partition("=")
        values = [value] if equals else []


def _unfolded(dialect: Dialect, written: Mapping[str, Any]) -> dict[str, Any]:
    """Flags of the command line as the settings they stand for."""
    made: dict[str, Any] = {}
    for name, value in written.items():
        if value is True and name in dialect.flags:
            made |= dialect.flags[name]
        elif value is True and name.startswith("no_") and not dialect.ideas.get(name):
            made |= {name: True, name.removeprefix("no_"): False}
        else:
            made[name] = value
    return made


def _flat(content: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Value | tuple[Value, ...]]]:
    """Each setting by its dotted name; a mapping itself as its JSON text."""
    for key, value in content.items():
        yield f"{before}{key}", str(value) if key.startswith("version:") else _value(value)
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")


def _value(value: Any) -> Value | tuple[Value, ...]:
    if isinstance(value, list | tuple):
        return tuple(_scalar(one) for one in value)
    return _scalar(value)


def _scalar(value: Any) -> Value:
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.fullmatch(text):
            return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
        return {"true": True, "false": False, "null": None}.get(text.lower(), text)
    return value if value is None or isinstance(value, bool | int | float) else compact(value)


def _assigned(told: str) -> tuple[str, Value]:
    name, equals, value = told.partition("=")
    if not equals or not name.strip():
        raise ConstraintError(f"{told!r} sets nothing: expected NAME=VALUE, such as world_size=16")
    version = ":version:" in name or name.startswith("version:")
    return name.strip().removeprefix("number:"), value.strip() if version else _scalar(value)


def _guessed(file: Path, written: Mapping[str, Any], base: ConstraintBase) -> str:
    """The framework most of whose settings the file speaks of."""
    keys = {key for key, _ in _flat(written)}
    found = {one.id: sum(key in known for key in keys) for one in frameworks().values() for known in [_known(one.id, base)]}
    best = [one for one, count in found.items() if count == max(found.values())]
    if not max(found.values()) or len(best) > 1:
        reason = "no setting that rules are known of" if not max(found.values()) else f"settings of {' and of '.join(best)} alike"
        raise ConstraintError(
            f"{file} has {reason}; say whose it is by --framework ({', '.join(one.name for one in frameworks().values())})"
        )
    return best[0]


def _known(framework: str, base: ConstraintBase) -> set[str]:
    dialect = base.dialects.get(framework, Dialect(framework))
    written = {dialect.param(condition.variable) for one in base.in_scope(framework) for condition in one.written}
    return written | set(dialect.numbers) | set(dialect.flags) | {name for name in dialect.same if not name.endswith(".")}
