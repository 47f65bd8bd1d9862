"""What the tests of the stack share: inputs without a corpus, random requests, and the whole of a small problem tried out."""

from __future__ import annotations

import functools
import random
from itertools import product
from typing import Any

from forge_assets.compatibility.constraints.base import load_constraints
from forge_assets.compatibility.constraints.facts import frameworks
from forge_assets.compatibility.stack.build import Inputs, eligible
from forge_assets.compatibility.stack.evidence import Evidence
from forge_assets.compatibility.stack.problem import Problem
from forge_assets.compatibility.stack.profile import load_profile
from forge_assets.compatibility.stack.request import Request, Wished, read_request
from forge_assets.components.ontology import load_ontology


@functools.cache
def inputs() -> Inputs:
    """Ontology, profile and constraints as they are shipped, and no evidence."""
    ontology = load_ontology()
    return Inputs(ontology, load_profile(ontology), load_constraints(ontology), Evidence())


def asks(**changed: Any) -> Request:
    return read_request({"name": "base", "params": "1.5e9", "context": 4096, "gpu_memory": "80GiB", "gpus": 8} | changed)


def random_request(seed: int) -> Request:
    """Any size that people ask for, with up to three pins, two bans and a framework every second time."""
    drawn = random.Random(seed)
    base = asks(
        params=int(10 ** drawn.uniform(7.5, 10.5)),
        context=drawn.choice([512, 2048, 4096, 8192, 32768]),
        gpu_memory=f"{drawn.choice([24, 48, 80, 96, 141])}GiB",
        gpus=drawn.choice([1, 2, 4, 8, 16, 64]),
        goal=drawn.choice(["quality", "speed", "memory", "simplicity"]),
        precision=drawn.choice(["bf16", "bf16", "fp16", "fp8"]),
        framework=drawn.choice([None, *(one.name for one in frameworks().values())]),
        research=drawn.random() < 0.2,
        seed=seed,
    )
    slots = drawn.sample(
        [slot for slot, rule in inputs().profile.slots.items() if rule.role != "asked" and slot not in ("hardware", "precision")], 5
    )
    wished = [Wished(what=slot, value=drawn.choice(eligible(base, inputs(), slot))) for slot in slots]
    pins = drawn.randint(0, 3)
    return base.model_copy(update={"pins": tuple(wished[:pins]), "bans": tuple(wished[3 : 3 + drawn.randint(0, 2)])})


def every_choice(problem: Problem) -> list[dict[str, int]]:
    groups = list(problem.groups.values())
    return [dict(zip(problem.groups, rows, strict=True)) for rows in product(*(range(len(group.rows)) for group in groups))]
