"""Prints JAX: each fragment and model a pure function of a flat dict of parameters, which jit and grad take as it is."""

from __future__ import annotations

from collections.abc import Iterator

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.arrays import Code, Expressions, View, folded, safe, shape_text
from forge_assets.blueprints.fdl.backends.jax_rules import rule_text
from forge_assets.blueprints.fdl.backends.stages import Run, runs, sized, snake
from forge_assets.blueprints.fdl.lowering.low import Low
from forge_assets.blueprints.fdl.lowering.lower import Line
from forge_assets.blueprints.fdl.sizes import Size

TAKEN = frozenset(
    {"jax", "jnp", "math", "params", "size", "layer", "prefix", "past", "cache", "kept", "state", "now", "step", "split", "merge", "append",
     "attention", "rms_norm", "layer_norm", "causal", "Sizes", "NamedTuple"}
)  # fmt: skip
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
FUNCTIONS = {
    "rsqrt": "1.0 / jnp.sqrt({0})", "erf": "jax.scipy.special.erf({0})", "sigmoid": "jax.nn.sigmoid({0})", "silu": "jax.nn.silu({0})",
    "softplus": "jax.nn.softplus({0})", "relu": "jax.nn.relu({0})", "stop": "jax.lax.stop_gradient({0})", "max": "jnp.maximum({0}, {1})",
    "min": "jnp.minimum({0}, {1})", "float": "jnp.asarray({0}, jnp.float32)", "int": "jnp.asarray({0}, jnp.int32)",
}  # fmt: skip


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


class JaxExpressions(Expressions):
    """Operations of lowering/low.py in JAX."""

    def layer(self) -> str:
        return "layer"

    def op_param(self, node: Low) -> Code:
        self.used_parameters[node.attr.name] = node.attr
        name = self.name(node.attr.name)
        if all(len(group) == 1 for group in node.attr.groups):
            return Code(name)
        return Code(f"{name}.reshape({', '.join(self.size(self.unit.size(axis)).text for axis in node.attr.axes)})")

    def op_count(self, node: Low) -> Code:
        name, dim, axis = node.attr
        return Code(f"jnp.arange({self.length(name, dim, axis)})")

    def op_index(self, node: Low) -> Code:
        inside = self.selectors(node.attr)
        return Code(f"{self.atom(node.inputs[0])}[{inside}]") if inside else self.code(node.inputs[0])

    def op_permute(self, node: Low) -> Code:
        inner = self.atom(node.inputs[0])
        return Code(f"{inner}.T") if len(node.attr) == 2 else Code(f"{inner}.transpose({', '.join(map(str, node.attr))})")

    def op_split(self, node: Low) -> Code:
        dim, axes = node.attr
        return Code(f"_split({self.text(node.inputs[0])}, {dim}, ({', '.join(map(self.axis_size, axes))}))")

    def op_merge(self, node: Low) -> Code:
        first, last = node.attr
        return Code(f"_merge({self.text(node.inputs[0])}, {first}, {last})")

    def op_expand(self, node: Low) -> Code:
        time = self.plan.time if self.plan else None
        whole = any(axis != time and self.unit.root(axis) == time for axis in node.axes if axis and "*" not in axis)
        sizes = [self.axis_size(axis, whole and axis != time) for axis in node.axes if axis is not None]
        return Code(f"jnp.broadcast_to({self.text(node.inputs[0])}, ({', '.join(sizes)}{',' * (len(sizes) == 1)}))")

    def op_like(self, node: Low) -> Code:
        root = self.floating_root(node.inputs[1])
        return self.code(node.inputs[0]) if root is None else Code(f"{self.atom(node.inputs[0])}.astype({root}.dtype)")

    def op_reduce(self, node: Low) -> Code:
        function, dims = node.attr
        told = str(dims[0]) if len(dims) == 1 else str(tuple(dims))
        given = node.inputs[0]
        if function == "rank":
            return Code(f"jnp.argsort(jnp.argsort({self.text(given)}, {told}, stable=True, descending=True), {told})")
        if function in ("softmax", "logsumexp"):
            return Code(f"jax.nn.{function}({self.text(given)}, {told})")
        return Code(f"{self.atom(given)}.{function}({told})")

    def op_einsum(self, node: Low) -> Code:
        return Code(f'jnp.einsum("{node.attr}", {", ".join(map(self.text, node.inputs))})')

    def op_linear(self, node: Low) -> Code:
        x, matrix = node.inputs
        turned = self.atom(matrix.inputs[0]) if matrix.op == "permute" else f"{self.atom(matrix)}.T"
        return Code(f"{self.code(x).at(6)} @ {turned}", 5)

    def op_gather(self, node: Low) -> Code:
        base, *arrays = node.inputs
        told = [one if one == ":" else str(one[1]) if one[0] == "fixed" else self.text(arrays[one[1]]) for one in node.attr]
        while told and told[-1] == ":":
            told.pop()
        return Code(f"{self.atom(base)}[{', '.join(told)}]")

    def op_clip(self, node: Low) -> Code:
        return Code(f"jnp.clip({self.text(node.inputs[0])}, 0, {self.length(node.inputs[1], *node.attr)} - 1)")

    def op_within(self, node: Low) -> Code:
        index, length = self.code(node.inputs[0]), self.length(node.inputs[1], *node.attr)
        return Code(f"({index.at(4)} >= 0) & ({index.at(4)} < {length})", 3)

    def op_embedding(self, node: Low) -> Code:
        return Code(f"{self.atom(node.inputs[1])}[{self.text(node.inputs[0])}]")

    def op_stack(self, node: Low) -> Code:
        return Code(f"jnp.stack(({', '.join(map(self.text, node.inputs))}), {node.attr})")

    def op_cat(self, node: Low) -> Code:
        return Code(f"jnp.concatenate(({', '.join(map(self.text, node.inputs))}), {node.attr})")

    def op_rms_norm(self, node: Low) -> Code:
        over, eps, (weighted, _) = node.attr
        weight = self.text(node.inputs[1]) if weighted else "None"
        return Code(f"_rms_norm({self.text(node.inputs[0])}, {weight}, {self.number(eps).text}, {len(over)})")

    def op_layer_norm(self, node: Low) -> Code:
        over, eps, (weighted, biased) = node.attr
        x, *rest = map(self.text, node.inputs)
        weight = rest.pop(0) if weighted else "None"
        bias = rest.pop(0) if biased else "None"
        return Code(f"_layer_norm({x}, {weight}, {bias}, {self.number(eps).text}, {len(over)})")

    def op_silu(self, node: Low) -> Code:
        return Code(f"jax.nn.silu({self.text(node.inputs[0])})")

    def op_gelu(self, node: Low) -> Code:
        return Code(f"jax.nn.gelu({self.text(node.inputs[0])}, approximate=False)")

    def op_gelu_tanh(self, node: Low) -> Code:
        return Code(f"jax.nn.gelu({self.text(node.inputs[0])}, approximate=True)")

    def op_attention(self, node: Low) -> Code:
        query, key, value, *mask = map(self.text, node.inputs)
        given = [query, key, value, self.scale(node.attr).text, *mask]
        if node.attr.causal:
            past = "past" if self.plan is not None else "0"
            given.append(f"_causal({past}, {query_length(self)})")
        return Code(f"_attention({', '.join(given)})")

    def function(self, name: str, given: list[str], inputs: tuple[Low, ...]) -> str:
        text = FUNCTIONS.get(name)
        if text is None:
            return f"jnp.{name}({', '.join(given)})"
        made = text.format(*given)
        return f"({made})" if name == "rsqrt" else made


def query_length(spell: Expressions) -> str:
    time = spell.plan.time if spell.plan else "t"
    return spell.size(spell.unit.size(time)).text


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


def model_text(view: View, model: ir.Model) -> str:
    return _initial(view, model) + _forward(view, model)


def _initial(view: View, model: ir.Model) -> str:
    """A function that makes the parameters."""
    name = snake(model.name)
    size = ", size" if view.static else ""
    lines = [
        "",
        "",
        f"def {name}_parameters(key{size}):",
        '    """New parameters: a flat dict by the names of the checkpoint."""',
        "    kinds = {}",
    ]
    units = view.program.units
    start = Size.of(0)
    for run in runs(model):
        if run.step is not None:
            lines += _kinds(view, units[run.step.unit], f'"{run.prefix}', "    ")
            continue
        lines.append(_loop(run, start))
        for unit, prefix in run.prefixes.items():
            body = _kinds(view, units[unit], f'f"{prefix.replace("{i}", "{layer}")}', " " * (8 if len(run.prefixes) == 1 else 12))
            if len(run.prefixes) > 1:
                lines.append(f'        if kind == "{snake(unit)}":')
            lines += body or ["            pass"]
        start = start + run.count
    lines += [
        "    draw = {\"normal\": lambda key, shape, value: value * jax.random.normal(key, shape)}",
        "    keys = jax.random.split(key, len(kinds))",
        "    return {",
        "        name: draw[kind](key, shape, value) if kind in draw else jnp.full(shape, value)",
        "        for key, (name, (shape, kind, value)) in zip(keys, kinds.items(), strict=True)",
        "    }",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _kinds(view: View, unit: ir.Unit, opening: str, indent: str) -> list[str]:
    lines = []
    for one in unit.parameters:
        shape = ", ".join(shape_text(one, unit, {name: f"size.{name}" for name in view.static}))
        kind, value = one.init
        made = {"zeros": ("full", 0.0), "ones": ("full", 1.0), "constant": ("full", value)}.get(kind, (kind, value))
        lines.append(f'{indent}kinds[{opening}{one.stored}"] = (({shape}{"," * (len(one.groups) == 1)}), "{made[0]}", {made[1]!r})')
    return lines


def _loop(run: Run, start: Size) -> str:
    if len(run.prefixes) == 1:
        span = sized(run.count) if start == Size.of(0) else f"{sized(start)}, {sized(start + run.count)}"
        return f"    for layer in range({span}):"
    return f"    for layer, kind in enumerate({_names(run)}{'' if start == Size.of(0) else f', {sized(start)}'}):"


def _names(run: Run) -> str:
    """The kinds of a run's layers as a list of function names in quotes."""
    return run.kinds_text(lambda unit: f'["{snake(unit)}"]')


RESERVED = TAKEN | {"x", "blocks", "block"}


def _forward(view: View, model: ir.Model) -> str:
    decodes = view.decodes(model)
    name = snake(model.name)
    inputs = [safe(one.name, RESERVED) for one in model.inputs]
    arguments = ["params", *inputs, *(["size"] if view.static else []), *(["cache=None"] * decodes)]
    told = ", ".join(f"{one.name} {one.dtype}[{','.join(one.axes)}]" for one in model.inputs)
    gives = ", ".join(f"{one.name} {one.dtype}[{','.join(one.axes)}]" for one in model.results)
    said = "; with a cache ({} at first) also the cache for the next positions" if decodes else ""
    lines = ["", "", f"def {name}({', '.join(arguments)}):", f'    """{told} -> {gives}{said}"""']
    if decodes:
        lines += ['    past = cache.get("length", 0) if cache else 0', f'    kept = {{"length": past + {inputs[0]}.shape[-1]}}']
    else:
        reason = next((view.refusals[step.unit] for step in ir.steps(model.stages) if step.unit in view.refusals), "")
        lines[-1] = lines[-1][:-3] + (f'\n\n    {reason}\n    """' if reason else '"""')
    wanted = {one.name for step in ir.steps(model.stages) for one in view.program.units[step.unit].inputs[1:]}
    start, stream = Size.of(0), ""
    for run in runs(model):
        lines += _run(view, run, start, stream, wanted, decodes)
        start, stream = start + run.count, "x"
    results = ["x", *(safe(one.name, RESERVED) for one in model.results[1:])]
    if decodes:
        lines += ["    if cache is None:", f"        return {', '.join(results)}", f"    return {', '.join([*results, 'kept'])}"]
    else:
        lines.append(f"    return {', '.join(results)}")
    return "\n".join(lines) + "\n"


def _run(view: View, run: Run, start: Size, stream: str, wanted: set[str], decodes: bool) -> Iterator[str]:
    units = [view.program.units[name] for name in run.prefixes]
    unit = units[0]
    size = ["size"] if view.static else []
    first = stream or safe(unit.inputs[0].name, RESERVED)
    results = ["x", *(safe(one.name, RESERVED) for one in unit.results[1:])]
    if run.step is not None:
        yield from _call(view, unit, first, results, [*size, f'prefix="{run.prefix}"'], f'"{run.step.unit}"', decodes, "    ")
    else:
        if first != "x":
            yield f"    x = {first}"
        yield _loop(run, start)
        for number, one in enumerate(units):
            prefix = run.prefixes[one.name].replace("{i}", "{layer}")
            indent = "        "
            if len(units) > 1:
                yield f'        {"if" if number == 0 else "elif"} kind == "{snake(one.name)}":'
                indent = "            "
            named = ["x", *(safe(result.name, RESERVED) for result in one.results[1:])]
            yield from _call(view, one, "x", named, [*size, "layer", f'f"{prefix}"'], "str(layer)", decodes, indent)
    again = unit.results[0].name
    if again in wanted and again != "x":
        yield f"    {safe(again, RESERVED)} = x"


def _call(
    view: View, unit: ir.Unit, first: str, results: list[str], rest: list[str], key: str, decodes: bool, indent: str
) -> Iterator[str]:
    given = ["params", first, *(safe(one.name, RESERVED) for one in unit.inputs[1:]), *rest]
    keeps = view.keeps(unit)
    if decodes:
        given.append("past=past")
    if keeps and decodes:
        given.append(f"cache=cache.get({key}) if cache else None")
    targets = [*results, *([f"kept[{key}]" if decodes else "_"] if keeps else [])]
    yield f"{indent}{', '.join(targets)} = {snake(unit.name)}({', '.join(given)})"
