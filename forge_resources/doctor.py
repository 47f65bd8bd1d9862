"""What `forge doctor` prints: every setting with its value and origin, and what is reachable or wrong.

In: the environment, `.env` and the machine. Out: a list of findings; nothing is made that does not exist yet, nothing raises.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import ValidationError

from forge_resources.database_address import parse
from forge_resources.errors import SettingError
from forge_resources.examinations import EXAMINATIONS, Finding, Source, found
from forge_resources.settings import Settings, unreadable_dotenv, wrong_settings

PREFIX = "FORGE_"
READ_ELSEWHERE = ("FORGE_OVERRIDES",)  # by later stages, not by Settings
SECRET = ("KEY", "SECRET", "PASSWORD", "TOKEN")
NO_SECRET = ("FORGE_LLM_BUDGET_TOKENS",)
MASK = "***"


def examine(given: Settings | None = None) -> list[Finding]:
    """All findings, settings first. What depends on a wrong setting is not examined: its value would not be the one in force."""
    environment = {name.upper(): value for name, value in os.environ.items() if value}  # empty means unset
    try:
        file = _dotenv()
    except (UnicodeDecodeError, OSError) as error:  # any setting may stand in it
        return found(".env", "not readable", unreadable_dotenv(error), "error")
    chosen, wrong = (given, {}) if given is not None else _chosen()
    findings = [_setting(field, chosen, wrong.get(field), environment, file) for field in Settings.model_fields]
    findings += _other_variables(environment, "environment") + _other_variables(file, ".env") + _credentials_in(file, environment)
    for examination, fields in EXAMINATIONS.items():
        if not wrong.keys() & set(fields):
            findings += examination(chosen)
    return findings


def _chosen() -> tuple[Settings, dict[str, str]]:
    """The settings in force, with the default where one is wrong; and what is wrong, by field."""
    try:
        return Settings(), {}
    except ValidationError as error:
        wrong = {field: why for field, _, why in wrong_settings(error)}
    defaults = {field: Settings.model_fields[field].get_default(call_default_factory=True) for field in wrong}
    return Settings(**defaults), wrong


def _dotenv() -> dict[str, str]:
    name = Settings.model_config.get("env_file")
    if not isinstance(name, (str, Path)) or not Path(name).is_file():
        return {}
    return {key.upper(): value for key, value in dotenv_values(name).items() if value}


def _setting(field: str, chosen: Settings, wrong: str | None, environment: Mapping[str, str], file: Mapping[str, str]) -> Finding:
    variable = PREFIX + field.upper()
    source: Source = "environment" if variable in environment else ".env" if variable in file else "default"
    description = Settings.model_fields[field].description or ""
    if wrong is not None:
        return Finding(
            variable, shown(variable, environment.get(variable) or file.get(variable, "")), source, "error", f"{wrong}; {description}"
        )
    value = getattr(chosen, field)
    return Finding(variable, shown(variable, str(value)) if value is not None else "(unset)", source, "ok", description)


def _other_variables(variables: Mapping[str, str], source: Source) -> list[Finding]:
    known = [PREFIX + field.upper() for field in Settings.model_fields] + list(READ_ELSEWHERE)
    findings = []
    for name in sorted(set(variables) - set(known)):
        if name.startswith(PREFIX):
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
            advice = f"did you mean {near[0]}?" if near else "Forge reads no setting of this name"
            findings.append(Finding(name, shown(name, variables[name]), source, "warning", f"unknown setting: {advice}"))
    return findings


def _credentials_in(file: Mapping[str, str], environment: Mapping[str, str]) -> list[Finding]:
    return [
        Finding(
            name, MASK, ".env", "warning", "only FORGE_ settings are read from .env; export this one, or write it to ~/.aws/credentials"
        )
        for name in sorted(file)
        if name.startswith("AWS_") and name not in environment
    ]


def shown(variable: str, value: str) -> str:
    """The value without its secrets."""
    if variable not in NO_SECRET and any(word in variable.upper().removeprefix(PREFIX) for word in SECRET):
        return MASK
    if variable == "FORGE_DATABASE_URL":
        try:
            return parse(value).url.render_as_string(hide_password=True)
        except SettingError:
            return MASK
    if "@" in value and "://" in value:
        parts = urlsplit(value)
        return value.replace(parts.netloc, f"{MASK}@{parts.netloc.rpartition('@')[2]}")
    return value


def worst(findings: list[Finding]) -> str:
    """'ok', 'warning' or 'error'."""
    order = ("ok", "warning", "error")
    return max((finding.status for finding in findings), key=order.index, default="ok")


def as_json(findings: list[Finding]) -> str:
    return json.dumps([asdict(finding) for finding in findings], indent=2)


def as_text(findings: list[Finding]) -> str:
    """One line per finding; what is wrong is marked in the first column."""
    marks = {"ok": " ", "warning": "!", "error": "X"}
    width = max((len(finding.name) for finding in findings), default=0)
    lines = []
    for finding in findings:
        origin = "" if finding.source in ("default", "machine") else f" ({finding.source})"
        why = f"  - {finding.message}" if finding.status != "ok" or finding.source == "machine" else ""
        lines.append(f"{marks[finding.status]} {finding.name:<{width}}  {finding.value}{origin}{why if finding.message else ''}")
    return "\n".join(lines)
