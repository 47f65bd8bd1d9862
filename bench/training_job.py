"""A training job on random tokens, for what measures speed: no corpus and no database."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from forge_assets.blueprints.fdl.check import compiled
from forge_assets.blueprints.fdl.library.composing import model_text
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_assets.fragments.safetensors_file import write_arrays
from forge_assets.fragments.train.data import Part, Tokens, tell
from forge_assets.fragments.train.loop import Job, Run
from forge_assets.fragments.train.processes import Processes
from forge_assets.fragments.train.settings import Training
from forge_assets.fragments.weights import first_values, weights_of

SLOTS = {"attention": "gqa", "position_encoding": "rope"}
WINDOWS = 512


def prepared(work: Path, shape: ModelShape, training: Training, here: Processes) -> Run:
    """A Llama of this shape at its first values, ready for `stepped()`."""
    made = model_text(SLOTS, shape)
    weights = weights_of(compiled(made.text), "LM", made.sizes)
    write_arrays(work / "first.safetensors", {name: first_values(name, one, 0) for name, one in weights.items()}, {})
    random = np.random.Generator(np.random.PCG64(0))
    tokens = Tokens("<u2", parts={name: Part(tokens=WINDOWS * training.context + 1) for name in ("validation", "train")})
    for name, part in tokens.parts.items():
        random.integers(0, shape.vocab, part.tokens, np.uint16).tofile(work / f"{name}.bin")
    tell(tokens, work)
    Job(made.text, dict(made.sizes), 0, (str(work / "first.safetensors"),), training).write(work)
    run = Run(work, here, print)
    run.model.train()
    return run
