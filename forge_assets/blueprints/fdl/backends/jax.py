"""Prints JAX: each fragment and model a pure function of a flat dict of parameters, which jit and grad take as it is."""

from __future__ import annotations

from collections.abc import Iterator

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.arrays import View, folded
from forge_assets.blueprints.fdl.backends.jax_expressions import TAKEN, JaxExpressions
from forge_assets.blueprints.fdl.backends.jax_model import model_text
from forge_assets.blueprints.fdl.backends.jax_rules import rule_text
from forge_assets.blueprints.fdl.backends.stages import snake
from forge_assets.blueprints.fdl.lowering.lower import Line

HEAD = '''"""{title}

Printed from FDL by forge; change the text, not this file.
`params` is a flat dict with the names and shapes of the checkpoint; `size` is static for jit.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
'''
HELPERS = {
    "_split(": '''

def _split(x, dim, sizes):
    """One dimension as several."""
    return x.reshape(*x.shape[:dim], *sizes, *x.shape[dim + 1 :])
''',
    "_merge(": '''

def _merge(x, first, last):
    """Several dimensions as one."""
    return x.reshape(*x.shape[:first], -1, *x.shape[last + 1 :])
''',
    "_rms_norm(": '''

def _rms_norm(x, weight, eps, dims):
    """Root mean square layer normalisation over the last `dims` dimensions."""
    y = x / jnp.sqrt(jnp.square(x).mean(tuple(range(-dims, 0)), keepdims=True) + eps)
    return y if weight is None else y * weight
''',
    "_layer_norm(": '''

def _layer_norm(x, weight, bias, eps, dims):
    """Layer normalisation over the last `dims` dimensions."""
    over = tuple(range(-dims, 0))
    x = x - x.mean(over, keepdims=True)
    y = x / jnp.sqrt(jnp.square(x).mean(over, keepdims=True) + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias
''',
    "_attention(": '''

def _attention(q, k, v, scale, mask=None):
    """q (batch, heads, new, e), k and v (batch, key heads, all, e); a mask of conditions hides, one of numbers is added."""
    k, v = (jnp.repeat(one, q.shape[1] // one.shape[1], 1) for one in (k, v))
    scores = jnp.einsum("bhte,bhse->bhts", q, k) * scale
    if mask is not None:
        scores = jnp.where(mask, scores, -jnp.inf) if mask.dtype == bool else scores + mask
    return jnp.einsum("bhts,bhse->bhte", jax.nn.softmax(scores, -1), v)
''',
    "_causal(": '''

def _causal(past, new):
    """Which keys each new position sees."""
    return jnp.tril(jnp.ones((new, past + new), bool), past)
''',
    "_append(": '''

def _append(cache, name, new, dim):
    """All entries so far: those kept from earlier steps, and the new ones."""
    return new if not cache or name not in cache else jnp.concatenate((cache[name], new), dim)
''',
}


def print_jax(program: ir.Program) -> dict[str, str]:
    """module_jax.py: the whole program as one module that needs jax alone."""
    view = View.of(program)
    bodies = [unit_function(view, one) if one.kind == "fragment" else rule_text(view, one) for one in program.units.values()]
    bodies += [model_text(view, model) for model in program.models.values()]
    text = "".join(bodies)
    helpers = "".join(said for call, said in HELPERS.items() if f"{call}" in text)
    head = HEAD.format(title=", ".join([*program.models] or [*program.units]))
    if "math." not in text:
        head = head.replace("import math\n", "")
    if not view.static:
        head = head.replace("from typing import NamedTuple\n", "").replace('"""\n\n\nimport', '"""\n\nimport')
    return {"module_jax.py": head + _sizes(view) + helpers + text}


def _sizes(view: View) -> str:
    if not view.static:
        return ""
    axes = view.program.axes
    said = {name: axes[name].description for name in view.static if name in axes and axes[name].description}
    return "\n\nclass Sizes(NamedTuple):\n" + "".join(
        f"    {name}: int{f'  # {said[name]}' if name in said else ''}\n" for name in view.static
    )


def unit_function(view: View, unit: ir.Unit) -> str:
    spell = JaxExpressions(view, unit, TAKEN)
    body: list[str] = []
    kept: list[str] = []
    for one, dim in view.kept_inputs(unit).items():
        body.append(f'    {spell.name(one)}_all = _append(cache, "{one}", {spell.name(one)}, {dim})')
        kept.append(f'"{one}": {spell.name(one)}_all')
    section = ""
    for line in view.lines(unit):
        if line.section and line.section != section:
            body.append(f"    # {line.section}")
        section = line.section
        body += _line(spell, line, kept)
    told = ", ".join(f"{one.name} {one.dtype}[{','.join(one.axes)}]" for one in unit.inputs)
    gives = ", ".join(f"{one.name} {one.dtype}[{','.join(one.axes)}]" for one in unit.results)
    arguments = ["params", *(spell.name(one.name) for one in unit.inputs), *(["size"] if view.static else []), "layer=0", 'prefix=""']
    if spell.plan is not None:
        arguments += ["past=0", "cache=None"]
    results = [spell.name(one.tensor) for one in unit.results]
    if kept:
        results.append("{" + ", ".join(kept) + "}")
    said = "; the last result is what later steps need as `cache`" if kept else ""
    lines = ["", "", f"def {snake(unit.name)}({', '.join(arguments)}):", f'    """{told} -> {gives}{said}"""']
    return "\n".join([*lines, *_preamble(spell), *body, f"    return {', '.join(results)}"]) + "\n"


def _preamble(spell: JaxExpressions) -> Iterator[str]:
    for name, one in spell.used_parameters.items():
        yield f'    {spell.name(name)} = params[prefix + "{one.stored}"]'
    positions = []
    for axis, whole in spell.used_positions:
        length = spell.size(spell.unit.size(axis)).text
        timed = spell.plan is not None and spell.unit.root(axis) == spell.plan.time
        span = f"past + {length}" if timed and whole else f"past, past + {length}" if timed else length
        positions.append(f"    pos_{axis} = jnp.arange({span})")
    for name in spell.used_sizes:
        source, dim = spell.sources[name]
        yield f"    n_{name} = {spell.name(source)}.shape[{dim}]"
    for name, value in spell.used_constants.items():
        yield f"    {spell.name(name)} = {value!r}"
    yield from positions


def _line(spell: JaxExpressions, line: Line, kept: list[str]) -> Iterator[str]:
    name = spell.name(line.name)
    if line.scan is None:
        yield from folded("    ", name, spell.text(line.low))
    else:
        yield from _scan(spell, line, name, kept)
    if line.kept is not None:
        yield f'    {name}_all = _append(cache, "{line.name}", {name}, {line.kept})'
        kept.append(f'"{line.name}": {name}_all')


def _scan(spell: JaxExpressions, line: Line, name: str, kept: list[str]) -> Iterator[str]:
    scan = line.scan
    assert scan is not None
    now = ", ".join(f"{spell.name(one)}_now" for one, _ in scan.inputs)
    yield f"    def {name}_step(state, now):"
    if now:
        yield f"        {now}{',' if len(scan.inputs) == 1 else ''} = now"
    yield from folded("        ", "state", spell.text(line.low))
    yield "        return state, state"
    sizes = "".join(f"{spell.axis_size(axis)}, " for axis in scan.state)
    dtype = f", {spell.name(scan.inputs[0][0])}.dtype" if scan.inputs else ""
    start = f"jnp.zeros(({sizes}){dtype})"
    cached = spell.plan is not None and line.name in spell.plan.scans
    if cached:
        start = f'cache["{line.name}"] if cache else {start}'
    walked = "".join(f"jnp.moveaxis({spell.name(one)}, {dim}, 0), " for one, dim in scan.inputs)
    length = f", {spell.axis_size(scan.axis)}" if not scan.inputs else ""
    last = f"{name}_last" if cached else "_"
    yield from folded("    ", f"{last}, {name}", f"jax.lax.scan({name}_step, {start}, ({walked}){length})")
    yield f"    {name} = jnp.moveaxis({name}, 0, {scan.dim})"
    if cached:
        kept.append(f'"{line.name}": {name}_last')
