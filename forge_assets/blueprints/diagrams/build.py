"""Diagrams and pseudocode of a stored blueprint: its stack and the model text of its spec -> files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from forge_assets.blueprints.composed import composed, rules
from forge_assets.blueprints.diagrams.files import diagram_files
from forge_assets.blueprints.diagrams.pipeline import pipeline_picture
from forge_assets.blueprints.diagrams.rendering import can_draw
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.blueprints.fdl.format import formatted
from forge_assets.blueprints.spec.build import MadeSpec, publish, solved, spec_of
from forge_assets.blueprints.spec.model import Spec
from forge_assets.compatibility.stack.result import Stack
from forge_assets.components.ontology import Ontology, load_ontology
from forge_resources.database import Database
from forge_resources.errors import BlueprintError
from forge_resources.object_store import ObjectStore

DIAGRAMS_CODE = "2"
"""Raised whenever the same model text gives other files."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a blueprint's pictures and pseudocode are made from: `text` is its model in FDL, `rules` are optimizer and schedule."""

    name: str
    stack: Stack
    spec: MadeSpec
    ontology: Ontology
    text: str
    rules: str
    no_rules: str  # why there are none

    @property
    def drawn(self) -> str:
        return "SVG and PNG by Graphviz" if can_draw() else "no SVG and PNG: Graphviz is not installed"

    def publish_diagrams(self, objects: ObjectStore) -> int:
        """Below blueprints/<name>/diagrams/; returns how many files."""
        return publish(objects, self.name, "diagrams", blueprint_diagrams(self.name, self.stack, self.spec.spec, self.ontology, self.text))

    def publish_pseudocode(self, objects: ObjectStore) -> int:
        """Below blueprints/<name>/pseudocode/; returns how many files."""
        return publish(objects, self.name, "pseudocode", blueprint_pseudocode(self.text, self.rules))


def described(db: Database, name: str, overrides: Path | None = None, price: float | None = None) -> Described:
    """Raises BlueprintError where the blueprint is not solved, or the library has no piece for a component."""
    stack, _ = solved(db, name)
    spec = spec_of(db, name, overrides, price)
    found, none = update_rules(spec.spec)
    return Described(name, stack, spec, load_ontology(overrides), composed(spec.spec).text, found, none)


def update_rules(spec: Spec) -> tuple[str, str]:
    """Optimizer and schedule in FDL, or nothing and the sentence why: the library may lack them (`--research`)."""
    try:
        return formatted(rules(spec)), ""
    except BlueprintError as error:
        return "", str(error)


def blueprint_diagrams(name: str, stack: Stack, spec: Spec, ontology: Ontology, text: str) -> dict[str, bytes]:
    """The pipeline of the whole infrastructure, and the model `text` (FDL) at three depths. By file name."""
    components = ontology.components
    chosen = {slot: components[one].name if one in components else one for slot, one in stack.slots.items() if one}
    sizes = {
        "head": f"{_told(spec.model_size.parameters.value)} parameters",
        "documents": f"{_told(spec.data.tokens.value)} tokens",
        "batches": f"{spec.batching.tokens_per_step.value:,} tokens a step",
    }
    return diagram_files(name, compiled(text), pipeline_picture(f"{name}: the training infrastructure", chosen, sizes))


def _told(number: float) -> str:
    """With three digits: 1.51B, 60M."""
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.0f}"


def blueprint_pseudocode(text: str, update: str) -> dict[str, str]:
    """The model, and optimizer and schedule where there are some, as FDL, as Markdown and as a LaTeX document. By file name."""
    files: dict[str, str] = {}
    for name, one in (("model", text), ("rules", update)):
        if one:
            program = compiled(one)
            (page,), (document,) = (BACKENDS[language].print(program).values() for language in ("markdown", "latex"))
            files |= {f"{name}.fdl": one, f"{name}.md": page, f"{name}.tex": document}
    return files
