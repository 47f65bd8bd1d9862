"""Runs printed JAX for `forge fdl test`."""

from __future__ import annotations

from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.backends.arrays import View
from forge_assets.blueprints.fdl.backends.running import imported
from forge_assets.blueprints.fdl.backends.stages import snake
from forge_assets.blueprints.fdl.trial import Case, Ran, weighting


def absent_jax() -> str:
    try:
        import jax  # noqa: F401
    except ImportError:
        return "JAX is not installed; pip install 'forge-ai[models]' brings it"
    return ""


def run_jax(program: ir.Program, case: Case) -> Ran:
    import jax
    import jax.numpy as jnp

    made = imported("jax", BACKENDS["jax"].print(program)["module_jax.py"])
    function = getattr(made, snake(case.name))
    inputs = [jnp.asarray(one) for one in case.inputs.values()]
    if case.kind in ("optimizer", "schedule"):
        return Ran([np.asarray(one, np.float32) for one in _several(jax.jit(function)(*inputs))])
    view = View.of(program)
    size = [made.Sizes(**{name: case.sizes[name] for name in view.static})] if view.static else []
    params = {name: jnp.asarray(one) for name, one in case.weights.items()}
    count = len((program.models.get(case.name) or program.units[case.name]).results)

    def run(given: Any) -> list[Any]:
        return _several(function(given, *inputs, *size))[:count]

    def scalar(given: Any) -> Any:
        results = run(given)
        return (results[0] * weighting(results[0].shape, case.seed)).sum(), results

    first = jax.eval_shape(run, params)[0]
    if params and jnp.issubdtype(first.dtype, jnp.floating):
        slopes, results = jax.jit(jax.grad(scalar, has_aux=True))(params)
    else:
        slopes, results = {}, jax.jit(run)(params)
    stepped = _stepped(function, params, inputs, size, case, count) if case.cuts else None
    return Ran([np.asarray(one) for one in results], stepped, {name: np.asarray(one) for name, one in slopes.items()})


def _several(results: Any) -> list[Any]:
    return list(results) if isinstance(results, tuple) else [results]


def _stepped(function: Any, params: Any, inputs: list[Any], size: list[Any], case: Case, count: int) -> list[np.ndarray[Any, Any]]:
    import jax

    cache: dict[Any, Any] = {}
    parts = []
    for low, high in case.cuts:  # one compilation a step is quicker than one for each operation of it; the length is static
        run = jax.jit(lambda given, some, kept, past=low: function(given, *some, *size, cache=kept | {"length": past}))
        *results, cache = run(params, [one[:, low:high] for one in inputs], {key: kept for key, kept in cache.items() if key != "length"})
        parts.append(results[:count])
    return [np.concatenate(some, 1) for some in zip(*parts, strict=True)]
