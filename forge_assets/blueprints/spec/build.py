"""The spec of a stored blueprint: solved stack -> spec -> Postgres and files of the object store; made once per stack."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from forge_assets.blueprints.spec import files, hugging_face, ml_bom, trainers
from forge_assets.blueprints.spec.make import Source, make_spec
from forge_assets.blueprints.spec.model import Spec
from forge_assets.blueprints.spec.stated import known_of
from forge_assets.compatibility.stack import store
from forge_assets.compatibility.stack.request import Request
from forge_assets.compatibility.stack.result import Stack
from forge_assets.components.ontology import load_ontology
from forge_resources.database import Database
from forge_resources.errors import BlueprintError
from forge_resources.object_store import ObjectStore

SPEC_CODE = "4"
"""Raised whenever the same stack gives another spec."""
LOCK = "forge.spec."


@dataclass(frozen=True, slots=True)
class SpecReport:
    """`made` in this run; how many `values` it has, how many of them `stated` by works."""

    made: bool
    values: int
    stated: int


@dataclass(frozen=True, slots=True)
class MadeSpec:
    spec: Spec
    digest: str
    made: bool

    @property
    def report(self) -> SpecReport:
        found = [value for _, value in files.leaves(self.spec)]
        return SpecReport(self.made, len(found), sum(value.origin == "stated" for value in found))


def solved(db: Database, name: str) -> tuple[Stack, Request]:
    """Raises BlueprintError where the blueprint is unknown or not solved."""
    request, stack = store.find(db, name), store.stack(db, name)
    if stack is None:
        raise BlueprintError(f"{name} is not solved yet; `forge stack solve {name}` solves it")
    return stack, request


def spec_of(db: Database, name: str, overrides: Path | None = None, price: float | None = None) -> MadeSpec:
    """The spec of a blueprint; made where its stack has none yet, else as it was made."""
    with db.advisory_lock(LOCK + name):
        stack, request = solved(db, name)
        kept = _kept(db, name, stack.digest)
        if kept is not None:
            return MadeSpec(kept, _digest(files.as_json(kept)), made=False)
        ontology = load_ontology(overrides)
        known = known_of(db, [one for one in stack.slots.values() if one])
        spec = make_spec(Source(stack, request, ontology, known, price))
        text = files.as_json(spec)
        _keep(db, name, stack.digest, text)
        return MadeSpec(spec, _digest(text), made=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _kept(db: Database, name: str, digest: str) -> Spec | None:
    with db.begin() as connection:
        statement = "SELECT spec FROM tech_spec WHERE name = :name AND stack = :stack AND version = :version"
        text = connection.execute(sa.text(statement), {"name": name, "stack": digest, "version": SPEC_CODE}).scalar()
    return None if text is None else files.read_text(text, f"the spec of {name}")


def _keep(db: Database, name: str, digest: str, text: str) -> None:
    values = {"name": name, "stack": digest, "version": SPEC_CODE, "spec": text, "digest": _digest(text)}
    with db.begin() as connection:
        connection.execute(
            sa.text("""INSERT INTO tech_spec (name, stack, version, spec, digest) VALUES (:name, :stack, :version, :spec, :digest)
                ON CONFLICT (name) DO UPDATE SET stack = excluded.stack, version = excluded.version, spec = excluded.spec,
                digest = excluded.digest, made_at = now()"""),
            values,
        )


def spec_files(spec: Spec) -> dict[str, str]:
    """File name -> text. A projection that the spec's components do not fit is told in a file of its own instead."""
    made = {
        "spec.json": files.as_json(spec),
        "spec.yaml": files.as_yaml(spec),
        "spec.md": files.as_markdown(spec),
        "spec.schema.json": json.dumps(files.schema(), indent=2) + "\n",
        "model_card.md": hugging_face.card(spec),
        "ml-bom.cdx.json": ml_bom.ml_bom(spec),
    }
    projections = {"config.json": hugging_face.config_text, "torchtitan.toml": trainers.torchtitan, "nanotron.yaml": trainers.nanotron}
    for file, projected in projections.items():
        try:
            made[file] = projected(spec)
        except BlueprintError as error:
            made[f"{file}.missing.txt"] = f"{error}\n"
    return made


def publish(objects: ObjectStore, name: str, kind: str, made: Mapping[str, str | bytes]) -> int:
    """Puts files under blueprints/<name>/<kind>/ and takes away what an earlier version had more. Returns how many there are."""
    prefix = f"blueprints/{name}/{kind}/"
    for file, content in made.items():
        objects.put(prefix + file, content.encode() if isinstance(content, str) else content)
    for info in list(objects.list(prefix)):
        if info.key.removeprefix(prefix) not in made:
            objects.delete(info.key)
    return len(made)
