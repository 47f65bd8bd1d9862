"""Instructions without a database: sentences, claims, values and entries made up about real components of the ontology.

`python -m tests.fragments.lora_examples NAME FOLDER` builds a stack up to 11-lora.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forge_assets.components.ontology import load_ontology
from forge_assets.fragments.build import build
from forge_assets.fragments.chain import LORA, TRAINED
from forge_assets.fragments.lora.examples import Example
from forge_assets.fragments.lora.instructions import examples as made_of
from forge_assets.fragments.lora.material import Claim, Introducing, Material, Set
from forge_assets.fragments.lora.quotes import Place, Said, Stated
from tests.fragments.plans import CHOICES, TO_TRAINED, documents, plan

NAMES = ("rope", "alibi", "gqa", "mha", "mla", "rms-norm", "layer-norm", "swiglu", "adamw", "muon", "lora", "qlora", "dora", "yarn",
         "flash-attention", "top-k-routing", "sparse-moe", "qk-norm", "relu", "gelu", "bert", "gpt-3", "t5", "kivi")  # fmt: skip


def place(key: str, quote: str, work: str = "") -> Place:
    return Place(f"file:///{key}.txt", f"On {key}", work or f"work-{key}", 10, 10 + len(quote), quote)


def material() -> Material:
    known = load_ontology().components
    said, stated, entries = [], [], []
    for number, id_ in enumerate(NAMES):
        name = known[id_].name
        for aspect, words in (("definition", "is a part"), ("benefit", "reduces the loss"), ("mechanism", "uses numbers")):
            for copy in range(2):
                quote = f"{name} {words} of step {copy}."
                said.append(Said(id_, aspect, name, False, copy == 0, place(f"{id_}-{aspect}-{copy}", quote)))
        stated.append(Stated(id_, "learning_rate", f"0.{number + 1}", place(f"{id_}-value", f"{name} has a rate of 0.{number + 1}.")))
        entries.append(Introducing(id_, place(f"{id_}-first", f"The first {name}"), 2000 + number))
    claims = [
        Claim(one, "improves_on", other, place(f"{one}-{other}", f"{known[one].name} improves on {known[other].name}."))
        for one, other in itertools.pairwise(NAMES)
    ]
    chosen = Set("tiny", "attention", "gqa", "works combine it with RoPE", (place("spec", "GQA goes well with RoPE."),))
    return Material(said, claims, stated, entries, [chosen])


def examples() -> list[Example]:
    return made_of(material(), load_ontology())


def base(built: Path, place: Path) -> Path:
    """A copy of a small 10-trained whose context is told to be long enough for instructions, as a model from elsewhere has it."""
    folder = place / "base"
    folder.mkdir(parents=True)
    for path in (built / TRAINED).iterdir():
        if path.suffix in (".safetensors", ".jinja", ".json") and path.name != "run.json":
            shutil.copyfile(path, folder / path.name)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 400}))
    return folder


def adapted(model: Path, root: Path, chosen: Mapping[str, Any], name: str = "llama") -> Path:
    """11-lora of a plan, on a model from elsewhere."""
    (made,) = build(plan(name), root, documents, [LORA], choices={LORA: {"base": str(model), **chosen}}, examples=examples)
    return made.folder


LEARNING = {"steps": 30, "batch": 4, "rank": 4, "alpha": 8, "checkpoint": 3}


def chain(name: str, root: Path) -> Path:
    """01 to 11 of a stack with room for the instructions in its context; 11-lora is returned."""
    whole = dataclasses.replace(plan(name), context=400)
    choices = {**CHOICES, LORA: LEARNING}
    return list(build(whole, root, documents, (*TO_TRAINED, LORA), choices=choices, examples=examples))[-1].folder


if __name__ == "__main__":
    chain(sys.argv[1], Path(sys.argv[2]))
