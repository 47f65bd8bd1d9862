"""A model as one nn.Module: stages that stand alone are its methods, repeated ones its layers."""

from __future__ import annotations

from collections.abc import Iterator

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.arrays import View, safe
from forge_assets.blueprints.fdl.backends.stages import Run, class_name, runs, sized, snake
from forge_assets.blueprints.fdl.sizes import Size
from forge_resources.errors import FdlError


def sizes_class(view: View) -> str:
    lines = ["", "", "@dataclass(frozen=True)", "class Sizes:"]
    for name in view.static:
        axis = view.program.axes.get(name)
        said = axis.description if axis else ""
        lines.append(f"    {name}: int" + (f"  # {said}" if said else ""))
    return "\n".join(lines) + "\n"


def model_class(view: View, model: ir.Model) -> str:
    from forge_assets.blueprints.fdl.backends.torch import method, placements

    parts = runs(model)
    alone = [one.step for one in parts if one.step is not None]
    names = method_names(view, model, alone)
    told = ", ".join(f"{one.name} {one.dtype}[{','.join(one.axes)}]" for one in model.inputs)
    gives = ", ".join(f"{one.name} {one.dtype}[{','.join(one.axes)}]" for one in model.results)
    lines = ["", "", f"class {class_name(model.name)}(nn.Module):", f'    """{told} -> {gives}"""', ""]
    lines += [f"    def __init__(self{', size: Sizes' if view.static else ''}) -> None:", "        super().__init__()"]
    if view.static:
        lines.append("        self.sizes = size")
    seen: set[str] = set()
    for step in alone:
        made = [one for one in placements(view, view.program.units[step.unit], step.prefix) if one.split(",")[1] not in seen]
        seen |= {one.split(",")[1] for one in made}
        lines += [f"        {one}" for one in made]
    lines += _layers(view, parts)
    lines += ["", *_forward(view, model, parts, names)]
    for step, name in zip(alone, names, strict=True):
        lines += ["", *method(view, view.program.units[step.unit], name, step.prefix)]
    return "\n".join(lines) + "\n"


MODULE = frozenset(
    """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval extra_repr float
    forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia named_buffers named_children
    named_modules named_parameters parameters register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
    register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state
    set_submodule share_memory smart_apply state_dict to to_empty train training type xpu zero_grad
    """.split()
)
"""What an nn.Module has already: no method and no parameter may be called so. transformers adds `smart_apply` with its first model."""
OWN = frozenset({"sizes", "layer_number", "paths"})  # what printed modules keep beside their parameters


def nameable(stored: str, unit: ir.Unit) -> None:
    """Raises FdlError for a stored name that no nn.Module can register."""
    first, *rest = stored.split(".")
    for part in (first, *rest):
        if part in MODULE or part.startswith("__") or (part is first and part in OWN):
            told = f'a parameter is stored under "{stored}", but {part} is a member of every module of PyTorch; give it another name'
            raise FdlError(f"{unit.name}: {told}", unit.place.line, unit.place.column)


def method_names(view: View, model: ir.Model, alone: list[ir.Step]) -> list[str]:
    """`Embed` is the method embed, or embed_ where a parameter's name begins so; a unit that stands in a model twice gets a number."""
    roots = {
        (step.prefix + one.stored).split(".")[0] for step in ir.steps(model.stages) for one in view.program.units[step.unit].parameters
    }
    names: list[str] = []
    for step in alone:
        base = safe(snake(step.unit), MODULE | roots)
        name, number = base, 2
        while name in names:
            name, number = f"{base}{number}", number + 1
        names.append(name)
    return names


def _own_prefix(prefix: str) -> str:
    """Where the modules of a repeated stage stand: a stage without parameters may have no {i} in its prefix, but has a module a layer."""
    return prefix if "{i}" in prefix else prefix + "layer_{i}."


def _list_path(prefix: str) -> str | None:
    """The path of a ModuleList for a prefix such as "model.layers.{i}."."""
    return prefix[: -len(".{i}.")] if prefix.endswith(".{i}.") and "{i}" not in prefix[:-5] else None


def _layers(view: View, parts: list[Run]) -> list[str]:
    """Lines that make the layers of all repeats, where their prefixes say."""
    repeated = [one for one in parts if one.step is None]
    if not repeated:
        return []
    kinds = " + ".join(one.kinds_text(lambda unit: f"[{class_name(unit)}]") for one in repeated)
    prefixes = {_own_prefix(one.prefix) for one in repeated}
    size = "size, " if view.static else ""
    path = _list_path(next(iter(prefixes))) if len(prefixes) == 1 else None
    if path is not None:
        made = f"nn.ModuleList(kind({size}layer) for layer, kind in enumerate({kinds}))"
        *above, last = path.split(".")
        lines = []
        at = "self"
        for part in above:
            lines += [f'        if not hasattr({at}, "{part}"):', f"            {at}.{part} = nn.Module()"]
            at = f"{at}.{part}"
        return [*lines, f"        {at}.{last} = {made}"]
    paths = [one.kinds_text(lambda unit, one=one: f'["{_own_prefix(one.prefixes[unit]).rstrip(".")}"]') for one in repeated]  # type: ignore[misc]
    return [
        f"        kinds = {kinds}",
        f"        self.paths = [path.format(i=layer) for layer, path in enumerate({' + '.join(paths)})]",
        "        for layer, (path, kind) in enumerate(zip(self.paths, kinds, strict=True)):",
        "            *above, last = path.split(\".\")",
        "            at = self",
        "            for part in above:",
        "                if not hasattr(at, part):",
        "                    at.add_module(part, nn.Module())",
        "                at = getattr(at, part)",
        f"            at.add_module(last, kind({size}layer))",
    ]  # fmt: skip


def _forward(view: View, model: ir.Model, parts: list[Run], names: list[str]) -> list[str]:
    decodes = view.decodes(model)
    arguments = ["self", *(f"{safe(one.name, RESERVED)}: torch.Tensor" for one in model.inputs)]
    arguments += ["cache: dict | None = None"] * decodes
    type_ = "torch.Tensor" if len(model.results) == 1 else "tuple[torch.Tensor, ...]"
    lines = [f"    def forward({', '.join(arguments)}) -> {type_}:"]
    if decodes:
        lines.append('        """`cache`: an empty dict at first; it keeps what later calls with the next positions need."""')
        lines.append('        past = 0 if cache is None else cache.get("length", 0)')
    else:
        reason = next((view.refusals[step.unit] for step in ir.steps(model.stages) if step.unit in view.refusals), "")
        lines.append(f'        """{reason or "It has no time axis to decode along."}"""')
    repeated = [one for one in parts if one.step is None]
    if len(repeated) > 1 and any(one.count.names for one in repeated):
        lines.append("        size = self.sizes")
    wanted = {one.name for step in ir.steps(model.stages) for one in view.program.units[step.unit].inputs[1:]}
    left, stream = iter(names), ""
    for part in parts:
        lines += _run(view, part, repeated, left, stream, wanted, decodes)
        stream = "x"
    if decodes:
        lines += ["        if cache is not None:", f'            cache["length"] = past + {safe(model.inputs[0].name, RESERVED)}.shape[-1]']
    result = ["x", *(safe(one.name, RESERVED) for one in model.results[1:])]
    return [*lines, f"        return {', '.join(result)}"]


RESERVED = frozenset({"self", "cache", "past", "layer", "kept", "x", "size", "torch", "nn", "F", "math"})


def _run(view: View, part: Run, repeated: list[Run], names: Iterator[str], stream: str, wanted: set[str], decodes: bool) -> Iterator[str]:
    unit = view.program.units[next(iter(part.prefixes))]
    first = stream or safe(unit.inputs[0].name, RESERVED)
    rest = [safe(one.name, RESERVED) for one in unit.inputs[1:]]
    results = ", ".join(["x", *(safe(one.name, RESERVED) for one in unit.results[1:])])
    if part.step is not None:
        plan = view.plans.get(unit.name)
        passed = ["past"] * decodes
        if decodes and plan is not None and not plan.empty:
            passed.append(f'None if cache is None else cache.setdefault("{unit.name}", {{}})')
        yield f"        {results} = self.{next(names)}({', '.join([first, *rest, *passed])})"
    else:
        path = _list_path(_own_prefix(part.prefix)) if len({_own_prefix(one.prefix) for one in repeated}) == 1 else None
        layers = f"self.{path}" if path is not None else "[self.get_submodule(path) for path in self.paths]"
        if len(repeated) > 1:
            layers += f"[{sized(part.start)}:{sized(part.start + part.count)}]"
        if first != "x":
            yield f"        x = {first}"
        if decodes:
            yield f"        for layer, block in enumerate({layers}{'' if part.start == Size.of(0) else f', {sized(part.start)}'}):"
            yield "            kept = None if cache is None else cache.setdefault(layer, {})"
        else:
            yield f"        for block in {layers}:"
        yield from _blocks([view.program.units[name] for name in part.prefixes], decodes)
    again = unit.results[0].name
    if again in wanted and again != "x":
        yield f"        {safe(again, RESERVED)} = x"


def _blocks(units: list[ir.Unit], decodes: bool) -> Iterator[str]:
    """The call of one layer; kinds that take or give other things are told apart."""
    calls = {}
    for unit in units:
        given = ["x", *(safe(one.name, RESERVED) for one in unit.inputs[1:]), *(["past", "kept"] * decodes)]
        results = ["x", *(safe(one.name, RESERVED) for one in unit.results[1:])]
        calls[unit.name] = f"{', '.join(results)} = block({', '.join(given)})"
    if len(set(calls.values())) == 1:
        yield f"            {next(iter(calls.values()))}"
        return
    for number, (name, call) in enumerate(calls.items()):
        yield f"            {'elif' if number else 'if'} isinstance(block, {class_name(name)}):"
        yield f"                {call}"
