"""`overrides.yaml`: all that people decided, of every room, in one append-only log that belongs into the team's git.

read_decisions -> standing -> the room that knows the kind applies them, last of all. A log is a YAML list:

- {decision: accept, kind: component, subject: muon, reason: named by 40 works, author: jo, date: 2026-01-31, value: {slot: optimizer}}
"""

from __future__ import annotations

import datetime
import fcntl
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from forge_resources.errors import DecisionError
from forge_resources.strict_yaml import Fields, parse

Verdict = Literal["accept", "reject", "pin", "approve"]
KINDS: dict[str, tuple[Verdict, ...]] = {
    "component": ("accept", "reject"),
    "constraint": ("accept", "reject"),
    "edge": ("accept", "reject"),
    "page": ("approve", "reject"),
}
"""What a decision can be about, and which verdicts mean something there. A room that reads decisions adds its kind here."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of the log. `subject`: id of the thing; `value`: what else its room has to know; it holds through the day `expires`."""

    verdict: Verdict
    kind: str
    subject: str
    reason: str
    author: str
    date: datetime.date
    expires: datetime.date | None = None
    value: Mapping[str, Any] = field(default_factory=dict)


def read_decisions(path: Path) -> list[Decision]:
    """All decisions in the order in which they were made; none where there is no file.

    Raises DecisionError with the file, the entry and what is wrong with it.
    """
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)  # an append is seen whole or not at all
            return _decisions(path, _read(path))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DecisionError(f"{path} cannot be read: {error.strerror or error}") from None


def append_decision(path: Path, decision: Decision) -> None:
    """Adds the decision at the end of the log, makes file and folder where missing, and returns when it is on disk.

    Two processes append one after the other. What cannot be written whole is taken back. Raises DecisionError, also for a log that
    is broken already or laid out so that nothing can be added at its end.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            before = _read(path)
            entry = ("\n" if before and not before.endswith("\n") else "") + _written(decision)
            known = _decisions(path, before)
            try:
                fits = _decisions(path, before + entry) == [*known, decision]
            except DecisionError as error:
                raise DecisionError(f"the decision on {decision.subject!r} cannot be added: {error}") from None
            if not fits:
                raise DecisionError(f"the decision on {decision.subject!r} cannot be added to {path}: it would not be read back as it is")
            _append(file.fileno(), entry.encode())
        _sync_folder(path.parent)
    except OSError as error:
        raise DecisionError(f"{path} cannot be written: {error.strerror or error}") from None


def standing(decisions: Iterable[Decision], today: datetime.date) -> dict[tuple[str, str], Decision]:
    """(kind, subject) -> the decision in force: the last not expired before `today`; an expired one gives way to the one before it."""
    return {
        (decision.kind, decision.subject): decision
        for decision in decisions
        if decision.expires is None or decision.expires >= today
    }  # fmt: skip


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise DecisionError(f"{path} is not UTF-8 (byte {error.start}: {error.reason}); save it as UTF-8") from None


def _decisions(path: Path, text: str) -> list[Decision]:
    try:
        content = parse(text)
    except ValueError as error:
        raise DecisionError(f"{path}, {error}; mend it, or take the file from your git") from None
    if not isinstance(content, list | None):
        raise DecisionError(f"{path}: expected a list of decisions, each beginning with '- '")
    faults: list[str] = []
    made = [_decision(Fields(f"{path}, decision {number}", entry, faults)) for number, entry in enumerate(content or [], 1)]
    if faults:
        raise DecisionError("; ".join(faults[:3]) + (f"; and {len(faults) - 3} more" if len(faults) > 3 else ""))
    return made


def _decision(fields: Fields) -> Decision:
    verdict = cast(Verdict, fields.choice("decision", get_args(Verdict)))
    kind = fields.choice("kind", KINDS)
    if verdict in get_args(Verdict) and kind in KINDS and verdict not in KINDS[kind]:
        fields.fault(f"decision is {verdict!r}; on a {kind} it can be {' or '.join(KINDS[kind])}")
    subject, reason, author = fields.text("subject"), fields.text("reason"), fields.text("author")
    made, expires = fields.date("date"), fields.date("expires", required=False)
    value = fields.raw("value")
    if value is not None and not isinstance(value, dict):
        fields.fault("value is no mapping")
    if made and expires and expires < made:
        fields.fault(f"it expires on {expires}, before its date {made}")
    fields.done()
    return Decision(verdict, kind, subject, reason, author, made or datetime.date.min, expires, value if isinstance(value, dict) else {})


def _written(decision: Decision) -> str:
    import yaml  # type: ignore[import-untyped]

    entry: dict[str, Any] = {"decision": decision.verdict, "kind": decision.kind, "subject": decision.subject}
    if decision.value:
        entry["value"] = dict(decision.value)
    entry |= {"reason": decision.reason, "author": decision.author, "date": decision.date}
    if decision.expires:
        entry["expires"] = decision.expires
    try:
        written: str = yaml.safe_dump([entry], allow_unicode=True, sort_keys=False, width=120)
    except yaml.YAMLError as error:
        raise DecisionError(f"the decision on {decision.subject!r} cannot be written as YAML: {' '.join(str(error).split())}") from None
    return written


def _append(descriptor: int, entry: bytes) -> None:
    size = os.fstat(descriptor).st_size
    try:
        left = entry
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
