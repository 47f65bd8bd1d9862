"""YAML files -> entries -> accepted candidates added -> checked -> `Ontology`. All faults are found at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol, TypeVar

from forge_assets.components.ontology import entries, faults, kept
from forge_assets.components.ontology.accepted import add_accepted
from forge_assets.components.ontology.model import Component, Ontology
from forge_resources.decisions import Decision, append_decision, read_decisions
from forge_resources.errors import ForgeError, OntologyError
from forge_resources.settings import settings
from forge_resources.strict_yaml import Fields, parse

FOLDER = Path(__file__).resolve().parent
NO_SLOTS = ("tasks", "ports", "slots", "parameters")
"""Files of the folder that hold no components."""
TOLD = 5
MOST_KEPT = 4
_KEPT: dict[Hashable, Ontology] = {}


class _Entry(Protocol):
    @property
    def id(self) -> str: ...


Entry = TypeVar("Entry", bound=_Entry)


def load_ontology(overrides: Path | None = None, *, folder: Path = FOLDER, today: date | None = None) -> Ontology:
    """The ontology, with what people accepted in the log `overrides` (settings().overrides_file) and what of it holds `today`.

    Raises OntologyError with the faults, each naming file, entry and what is wrong; DecisionError when the log itself is broken.
    """
    return _sound(folder, read_decisions(overrides) if overrides else [], today or date.today())


def decide(overrides: Path, decision: Decision, *, folder: Path = FOLDER) -> Ontology:
    """Appends a decision on a component to the log and returns the ontology under it.

    Raises OntologyError, and writes nothing, where the ontology would not load with it: an alias that is taken, an unknown slot or parent.
    """
    ontology = _sound(folder, [*read_decisions(overrides), decision], date.today())
    append_decision(overrides, decision)
    return ontology


def check(folder: Path, decisions: Sequence[Decision] = (), today: date | None = None) -> tuple[Ontology, list[str]]:
    """The ontology as far as it can be read, and everything that is wrong with it, one sentence each."""
    found: list[str] = []
    tasks = _by_id(folder, "tasks", entries.task, found)
    ports = _by_id(folder, "ports", entries.port, found)
    slots = _by_id(folder, "slots", entries.slot, found)
    slots = dict(sorted(slots.items(), key=lambda slot: list(tasks).index(slot[1].task) if slot[1].task in tasks else len(tasks)))
    parameters = _by_id(folder, "parameters", entries.parameter, found)
    components: dict[str, Component] = {}
    where: dict[str, str] = {}
    parts = _parts(folder, slots, found)
    for slot_id in slots:
        for name in parts.get(slot_id, [slot_id]):
            read = (entries.component(fields, slots, slot_id) for fields in _entries(folder, name, found))
            _join(((f"{name}.yaml", made) for made in read), components, where, found)
    add_accepted(decisions, today or date.today(), slots, components, where, found)
    ontology = Ontology(tasks, ports, slots, parameters, components)
    found += faults.between_slots(ontology)
    found += faults.between_parameters(ontology)
    found += faults.between_components(ontology, where)
    found += faults.claimed_twice(components.values(), where)
    return ontology, found


def _parts(folder: Path, slots: Collection[str], found: list[str]) -> dict[str, list[str]]:
    """The files of each slot by their names without `.yaml`: `norm`, or `architecture.vision` and others where one would be too long."""
    parts: dict[str, list[str]] = {}
    for file in sorted(folder.glob("*.yaml")):
        slot_id = file.stem.partition(".")[0]
        if slot_id in slots:
            parts.setdefault(slot_id, []).append(file.stem)
        elif file.stem not in NO_SLOTS:
            found.append(f"{file.name}: slots.yaml has no slot {slot_id!r}")
    return parts


def _sound(folder: Path, decisions: Sequence[Decision], today: date) -> Ontology:
    """Read anew only where a file, the log or the day is another than before, in this process or another one."""
    key = (folder, tuple((file.name, *_stamp(file)) for file in sorted(folder.glob("*.yaml"))), repr(decisions), today)
    if key not in _KEPT:
        made = _from_disk(folder, decisions, today) if folder == FOLDER else _checked(folder, decisions, today)
        while len(_KEPT) >= MOST_KEPT:
            del _KEPT[next(iter(_KEPT))]
        _KEPT[key] = made
    return _KEPT[key]


def _from_disk(folder: Path, decisions: Sequence[Decision], today: date) -> Ontology:
    """As another process found it, kept under FORGE_HOME; the day counts only where decisions may end."""
    try:
        file = settings().home / "cache" / "ontology.json"
    except ForgeError:  # which whoever needs that setting tells
        return _checked(folder, decisions, today)
    key = kept.key_of(folder, decisions, today if decisions else None)
    found = kept.taken(file, key)
    if found is None:
        found = _checked(folder, decisions, today)
        kept.keep(file, key, found)
    return found


def _stamp(file: Path) -> tuple[int, int, int]:
    told = file.stat()
    return told.st_mtime_ns, told.st_size, told.st_ino


def _checked(folder: Path, decisions: Sequence[Decision], today: date) -> Ontology:
    ontology, found = check(folder, decisions, today)
    if found:
        more = f"; and {len(found) - TOLD} more" if len(found) > TOLD else ""
        raise OntologyError(f"the ontology does not hold together: {'; '.join(found[:TOLD])}{more}")
    return ontology


def _by_id(folder: Path, name: str, read: Callable[[Fields], Entry], found: list[str]) -> dict[str, Entry]:
    made: dict[str, Entry] = {}
    _join(((f"{name}.yaml", read_entry) for read_entry in map(read, _entries(folder, name, found))), made, {}, found)
    return made


def _join(made: Iterable[tuple[str, Entry]], into: dict[str, Entry], where: dict[str, str], found: list[str]) -> None:
    for file, entry in made:
        if entry.id in into:
            found.append(f"{file}, {entry.id}: the id is taken already{' by ' + where[entry.id] if entry.id in where else ''}")
        elif entry.id:
            into[entry.id] = entry
            where[entry.id] = f"{file}, {entry.id}"


def _entries(folder: Path, name: str, found: list[str]) -> Iterable[Fields]:
    """The entries of a file, each asked for its unknown keys after it was read."""
    file = folder / f"{name}.yaml"
    try:
        content = parse(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        found.append(f"{file.name} is missing in {folder}")
        return
    except (OSError, ValueError) as error:
        found.append(f"{file.name}: {error}")
        return
    if not isinstance(content, list):
        found.append(f"{file.name}: expected a list of entries, each beginning with '- id:'")
        return
    for number, entry in enumerate(content, 1):
        name_of = entry.get("id") if isinstance(entry, dict) else None
        fields = Fields(f"{file.name}, {name_of or f'entry {number}'}", entry, found)
        yield fields
        fields.done()
