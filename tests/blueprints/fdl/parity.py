"""Runs printed code beside a transformers model."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.check import compiled
from tests.blueprints.fdl.architectures import Case

CUTS = ((0, 6), (6, 7), (7, 13))


def module(name: str, program: ir.Program) -> Any:
    """The printed module of a back-end, imported."""
    (text,) = BACKENDS[name].print(program).values()
    made = types.ModuleType(f"printed_{name}")
    import sys

    sys.modules[made.__name__] = made
    exec(compile(text, f"<{name}>", "exec"), made.__dict__)
    return made


@dataclass(frozen=True)
class Parity:
    """Largest absolute differences, each relative to the largest value there is."""

    torch: float
    jax: float
    torch_steps: float
    jax_steps: float
    gradients: float
    unused: tuple[str, ...]


def relative(found: Any, wanted: Any) -> float:
    return float(np.abs(np.asarray(found) - np.asarray(wanted)).max() / np.abs(np.asarray(wanted)).max())


def torch_model(case: Case, weights: dict[str, Any], text: str | None = None) -> Any:
    import torch

    made = module("torch", compiled(text or case.text, case.constants))
    model = made.LM(made.Sizes(**case.sizes))
    model.load_state_dict({name: weights[name].reshape(one.shape) for name, one in model.state_dict().items()})
    assert isinstance(model, torch.nn.Module)
    return model


def compared(case: Case) -> Parity:
    """All of it for one architecture."""
    import jax
    import jax.numpy as jnp
    import torch

    reference = case.make()
    weights = reference.state_dict()
    ids = torch.from_numpy(np.random.default_rng(3).integers(0, case.sizes["v"], (2, 13)))
    with torch.no_grad():
        wanted = reference(ids).logits.numpy()
    model = torch_model(case, weights)
    with torch.no_grad():
        given = model(ids).numpy()
        cache: dict[str, Any] = {}
        steps = torch.cat([model(ids[:, low:high], cache) for low, high in CUTS], 1).numpy()
    made = module("jax", compiled(case.text, case.constants))
    size = made.Sizes(**case.sizes)
    shapes = jax.eval_shape(lambda key: made.lm_parameters(key, size), jax.random.key(0))
    params = {name: jnp.asarray(weights[name].numpy().reshape(one.shape)) for name, one in shapes.items()}
    tokens = jnp.asarray(ids.numpy())
    weight = np.random.default_rng(5).standard_normal(wanted.shape).astype(np.float32)

    def scalar(given: Any) -> tuple[Any, Any]:
        logits = made.lm(given, tokens, size)
        return (logits * weight).sum(), logits

    slopes, in_jax = jax.jit(jax.grad(scalar, has_aux=True))(params)
    kept: dict[Any, Any] = {}
    parts = []
    for low, high in CUTS:
        run = jax.jit(lambda given, some, before, past=low: made.lm(given, some, size, before | {"length": past}))
        part, kept = run(params, tokens[:, low:high], {key: one for key, one in kept.items() if key != "length"})
        parts.append(part)
    (model(ids) * torch.from_numpy(weight)).sum().backward()
    gradients = max(
        relative(slopes[name], one.grad) for name, one in model.named_parameters() if one.grad is not None and one.grad.abs().max() > 0
    )
    unused = tuple(name for name in weights if name not in shapes)
    return Parity(
        relative(given, wanted),
        relative(in_jax, wanted),
        relative(steps, given),
        relative(jnp.concatenate(parts, 1), in_jax),
        gradients,
        unused,
    )
