"""Builds the fragments of a blueprint in the order of the chain; what is there unchanged stays, so a killed run goes on.

`solved blueprint -> plan -> one folder after the other under FORGE_HOME/fragments/<blueprint>`. A folder counts as built when its sums
hold and its data version is the one that this plan and its parents give.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forge_assets.blueprints.composed import composed
from forge_assets.blueprints.spec.build import spec_of
from forge_assets.blueprints.spec.model import Spec
from forge_assets.fragments import corpus_text
from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.assembled import text_of, write_assembled
from forge_assets.fragments.chain import ASSEMBLED, CHAIN, LORA, PIECES, SUMS, TOKENIZER, TRAINED
from forge_assets.fragments.choices import Choices, kept
from forge_assets.fragments.folder import building, files, intact, made_aside, sums_of
from forge_assets.fragments.kinds import KINDS
from forge_assets.fragments.lora.examples import Example
from forge_assets.fragments.lora.instructions import collected
from forge_assets.fragments.making import Making
from forge_assets.fragments.piece import write_piece
from forge_assets.fragments.plan import Cited, Plan, data_version
from forge_assets.fragments.reading import plan_of, read_config
from forge_assets.fragments.space import check_room
from forge_assets.fragments.tokenizer import Texts, write_tokenizer
from forge_assets.fragments.train.costs import Row, costs
from forge_assets.fragments.train.settings import preset_of, resolved
from forge_assets.fragments.train.stated import machine, stated
from forge_assets.fragments.verify import Checked, verify
from forge_resources.database import Database
from forge_resources.errors import FragmentError
from forge_resources.object_store.interface import ObjectStore
from forge_resources.settings import Settings

Progress = Callable[["Built"], None]
Say = Callable[[str], None]
Examples = Callable[[], Sequence[Example]]
WORK = ".work-"
"""Of a fragment that takes long: what is kept of it when a run is killed."""


@dataclass(frozen=True, slots=True)
class Built:
    """A fragment that is there now; `made` in this run, or before."""

    name: str
    folder: Path
    version: str
    made: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one fragment: whether this run made it, its files and their bytes."""

    made: bool
    files: int
    bytes: int


def figures(one: Built) -> Figures:
    found = [path.stat().st_size for path in files(one.folder)]
    return Figures(one.made, len(found), sum(found))


def root_of(home: Path, blueprint: str) -> Path:
    return home / "fragments" / blueprint


def build_blueprint(
    db: Database, chosen: Settings, blueprint: str, names: Sequence[str] = tuple(CHAIN), told: Progress | None = None,
    choices: Choices | None = None, say: Say | None = None,
) -> list[Built]:  # fmt: skip
    """The fragments named, of a solved blueprint. `choices`: what people chose for a fragment; it is kept, so that later builds and nights
    stand by it. Raises BlueprintError or FragmentError."""
    made = spec_of(db, blueprint, chosen.overrides_file, chosen.gpu_price_per_hour)
    root = root_of(chosen.home, blueprint)
    stack = made.spec.identity.pins.stack
    plan = plan_from(made.spec, made.digest, corpus_text.pinned(db, blueprint, stack, move=False))
    if TOKENIZER in names and not is_built(root / TOKENIZER, data_version(plan, TOKENIZER, {})):
        plan = replace(plan, snapshot=corpus_text.pinned(db, blueprint, stack, move=True))
    held = kept(root, choices or {})
    if TRAINED in names:
        if "machine" not in held.get(TRAINED, {}):
            held = kept(root, {TRAINED: {"machine": machine()}})
        held[TRAINED]["stated"] = stated(made.spec)
    return list(build(plan, root, corpus_text.of(db), names, told, held, say, lambda: collected(db, made.spec, chosen.overrides_file)))


def planned_training(db: Database, chosen: Settings, blueprint: str, choices: Choices) -> list[Row]:
    """What the training of a blueprint would need and cost, with these choices; nothing is built or kept."""
    made = spec_of(db, blueprint, chosen.overrides_file, chosen.gpu_price_per_hour)
    plan = plan_from(made.spec, made.digest, "")
    held: dict[str, Any] = {"machine": machine(), **kept(root_of(chosen.home, blueprint), {}).get(TRAINED, {}), **choices.get(TRAINED, {})}
    preset = held.get("preset")
    if preset and preset_of(preset).gpu:
        del held["machine"]  # of the machine that the preset is for
    return costs(plan, resolved({"stated": stated(made.spec), **held}, plan.context), preset, chosen.gpu_price_per_hour)


def plan_from(spec: Spec, digest: str, snapshot: str) -> Plan:
    """Raises BlueprintError for a component that no back-end covers, with what would work in its place."""
    model = composed(spec)
    held = {**spec.architecture.components, "tokenizer": spec.tokenizer.component}
    sources = dict.fromkeys(Cited(one.value, place.document, place.title) for one in held.values() for place in one.evidence)
    return Plan(
        spec.identity.name, model.text, dict(model.sizes), {slot: one.value for slot, one in held.items()}, spec.architecture.context.value,
        spec.tokenizer.vocab_size.value, tuple(spec.tokenizer.special_tokens.value), spec=digest, snapshot=snapshot,
        licence=spec.identity.licence.value, sources=tuple(sources),
    )  # fmt: skip


def build(
    plan: Plan, root: Path, texts: Texts, names: Sequence[str] = tuple(CHAIN), told: Progress | None = None,
    choices: Choices | None = None, say: Say | None = None, examples: Examples | None = None,
) -> Iterator[Built]:  # fmt: skip
    """Those of `names`, in the order of the chain; the parents of each must be there, and the disk must have room for all of them.

    Nothing stands on the adapter, so where it cannot be made what comes after it is built first, and then the reason is raised."""
    settings, failed = _settings(plan, names, choices or {})
    names = [name for name in names if name in settings or name not in KINDS]
    with building(root):
        check_room(plan, root, names, settings)
        for name in (name for name in CHAIN if name in names):
            try:
                one = _build_one(plan, root, name, texts, settings.get(name), say or (lambda _: None), examples)
            except FragmentError as error:
                if name != LORA:
                    raise
                failed = error
                continue
            if told:
                told(one)
            yield one
        if failed:
            raise failed


def _settings(plan: Plan, names: Sequence[str], choices: Choices) -> tuple[dict[str, dict[str, Any]], FragmentError | None]:
    """Resolved, and why those of the adapter cannot be: its base may be gone."""
    found: dict[str, dict[str, Any]] = {}
    failed: FragmentError | None = None
    for name in (name for name in names if name in KINDS):
        try:
            found[name] = KINDS[name].settings(plan, choices.get(name, {}))
        except FragmentError as error:
            if name != LORA:
                raise
            failed = error
    return found, failed


def _build_one(plan: Plan, root: Path, name: str, texts: Texts, settings: Mapping[str, Any] | None, say: Say,
               examples: Examples | None) -> Built:  # fmt: skip
    parents = _parents(root, name, settings)
    if name == ASSEMBLED:
        plan = assembled_plan({parent: root / parent for parent in parents})
    elif name in KINDS and parents:
        plan = whole_plan(root / next(iter(parents)))
    version = data_version(plan, name, parents, settings)
    built, work = is_built(root / name, version), root / f"{WORK}{name}-{version[:16]}"
    for left in root.glob(f"{WORK}{name}-*"):
        if built or left != work:
            shutil.rmtree(left)
    if built:
        return Built(name, root / name, version, made=False)
    if name == ASSEMBLED:
        verify(root, list(parents))
    with made_aside(root, name) as folder:
        if name == TOKENIZER:
            write_tokenizer(plan, folder, texts)
        elif name in PIECES:
            write_piece(plan, name, folder, parents)
        elif name == ASSEMBLED:
            write_assembled(plan, folder, parents, {parent: root / parent for parent in parents})
        else:
            work.mkdir(exist_ok=True)
            KINDS[name].write(Making(name, plan, folder, root, parents, settings or {}, version, texts, work, say, examples))
    shutil.rmtree(work, ignore_errors=True)
    return Built(name, root / name, version, made=True)


def _parents(root: Path, name: str, settings: Mapping[str, Any] | None) -> dict[str, str]:
    found = {}
    for parent in () if name == LORA and settings and settings.get("base") else CHAIN[name].parents:
        if not (root / parent / SUMS).is_file():
            raise FragmentError(
                f"{name} is made from {parent}, which is not built; `forge fragments build {root.name}` builds all in order"
            )
        found[parent] = sums_of(root / parent)
    return found


def is_built(folder: Path, version: str) -> bool:
    if not (folder / SUMS).is_file() or not intact(folder):
        return False
    try:
        return bool(read_config(folder).get("data_version") == version)
    except FragmentError:
        return False


def assembled_plan(pieces: Mapping[str, Path]) -> Plan:
    """The plan that the pieces carry, with their joined text and the documents that their headers name."""
    plan = plan_of(read_config(pieces["08-head"]), text_of(pieces))
    return replace(plan, sources=_sources({name: pieces[name] / "model.safetensors" for name in PIECES}))


def whole_plan(folder: Path) -> Plan:
    """The plan that 09-assembled or 10-trained carries."""
    config = read_config(folder)
    plan = plan_of(config, (folder / "fragment.fdl").read_text(encoding="utf-8"))
    return replace(plan, sources=_sources({config["fragment"]: folder / config["weights"][0]}))


def _sources(weights: Mapping[str, Path]) -> tuple[Cited, ...]:
    found: dict[str, Cited] = {}
    for name, path in weights.items():
        for document in json.loads(st.header(path).metadata.get("source_documents", "[]")):
            found.setdefault(str(document), Cited(name, str(document), None))
    return tuple(found.values())


def assemble(root: Path, output: Path) -> tuple[list[Checked], Built]:
    """09-assembled from a folder of pieces 01 to 08, without a database. Raises FragmentError for the first piece that does not hold."""
    parents = CHAIN[ASSEMBLED].parents
    checked = verify(root, parents)
    pieces = {name: root / name for name in parents}
    plan = assembled_plan(pieces)
    sums = {one.name: one.sums for one in checked}
    version = data_version(plan, ASSEMBLED, sums)
    with building(output):
        if is_built(output / ASSEMBLED, version):
            return checked, Built(ASSEMBLED, output / ASSEMBLED, version, made=False)
        with made_aside(output, ASSEMBLED) as folder:
            write_assembled(plan, folder, sums, pieces)
    return checked, Built(ASSEMBLED, output / ASSEMBLED, version, made=True)


def publish(objects: ObjectStore, blueprint: str, folder: Path) -> bool:
    """Puts a fragment under blueprints/<blueprint>/fragments/, its sums last; False where it is there already."""
    from forge_assets.fragments.push import put_fragment

    return put_fragment(objects, f"blueprints/{blueprint}/fragments/", folder)
