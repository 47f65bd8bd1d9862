"""Prints a model in JAX: a function that makes its parameters, and one that runs its fragments in sequence, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.arrays import View, safe, shape_text
from forge_assets.blueprints.fdl.backends.jax_expressions import TAKEN
from forge_assets.blueprints.fdl.backends.stages import Run, runs, sized, snake
from forge_assets.blueprints.fdl.sizes import Size

RESERVED = TAKEN | {"x", "blocks", "block"}


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
        stored = one.stored.replace("{", "{{").replace("}", "}}") if opening.startswith("f") else one.stored
        lines.append(f'{indent}kinds[{opening}{stored}"] = (({shape}{"," * (len(one.groups) == 1)}), "{made[0]}", {made[1]!r})')
    return lines


def _loop(run: Run, start: Size) -> str:
    if len(run.prefixes) == 1:
        span = sized(run.count) if start == Size.of(0) else f"{sized(start)}, {sized(start + run.count)}"
        return f"    for layer in range({span}):"
    return f"    for layer, kind in enumerate({_names(run)}{'' if start == Size.of(0) else f', {sized(start)}'}):"


def _names(run: Run) -> str:
    """The kinds of a run's layers as a list of function names in quotes."""
    return run.kinds_text(lambda unit: f'["{snake(unit)}"]')


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
