"""A model as one nn.Module: stages that stand alone are its methods, repeated ones its layers."""

from __future__ import annotations

from dataclasses import dataclass

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.arrays import View, safe
from forge_assets.blueprints.fdl.sizes import Size


def sizes_class(view: View) -> str:
    lines = ["", "", "@dataclass(frozen=True)", "class Sizes:"]
    for name in view.static:
        axis = view.program.axes.get(name)
        said = axis.description if axis else ""
        lines.append(f"    {name}: int" + (f"  # {said}" if said else ""))
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Run:
    """A step by itself, or layers from `start` on, `count` of them, kinds as a Python expression."""

    step: ir.Step | None
    kinds: str
    start: Size
    count: Size
    units: tuple[str, ...]
    prefix: str


def runs(model: ir.Model) -> list[Run]:
    """The model's stages in order; repeats that follow each other under one prefix are one run."""
    found: list[Run] = []
    start = Size.of(0)
    for stage in model.stages:
        if isinstance(stage, ir.Step):
            found.append(Run(stage, "", start, Size.of(0), (stage.unit,), stage.prefix))
            continue
        units = tuple(dict.fromkeys(step.unit for step in ir.steps((stage,))))
        prefixes = {step.prefix for step in ir.steps((stage,))}
        count = steps_in(stage)
        last = found[-1] if found else None
        if last is not None and last.step is None and {last.prefix} == prefixes:
            found[-1] = Run(None, f"{last.kinds} + {kinds_text(stage)}", last.start, last.count + count, (*last.units, *units), last.prefix)
        else:
            found.append(Run(None, kinds_text(stage), start, count, units, prefixes.pop() if len(prefixes) == 1 else ""))
        start = start + count
    return found


def steps_in(stage: ir.Stage) -> Size:
    if isinstance(stage, ir.Step):
        return Size.of(1)
    total = Size.of(0)
    for one in stage.stages:
        total += steps_in(one)
    return total * stage.count


def kinds_text(stage: ir.Stage) -> str:
    """`([Local] * 5 + [Global]) * size.N`"""
    if isinstance(stage, ir.Step):
        return f"[{safe(stage.unit)}]"
    spelled = {name: f"size.{name}" for name in stage.count.names}
    inner = " + ".join(map(kinds_text, stage.stages))
    count = stage.count.text(spelled)
    return f"{inner if len(stage.stages) == 1 and '*' not in inner else f'({inner})'} * {count if len(stage.count.terms) < 2 else f'({count})'}"


def model_class(view: View, model: ir.Model) -> str:
    from forge_assets.blueprints.fdl.backends.torch import method, placements

    parts = runs(model)
    alone = [one.step for one in parts if one.step is not None]
    names = method_names(alone)
    told = ", ".join(f"{one.name} {one.dtype}[{','.join(one.axes)}]" for one in model.inputs)
    gives = ", ".join(f"{one.name} {one.dtype}[{','.join(one.axes)}]" for one in model.results)
    lines = ["", "", f"class {safe(model.name)}(nn.Module):", f'    """{told} -> {gives}"""', ""]
    lines += [f"    def __init__(self{', size: Sizes' if view.static else ''}) -> None:", "        super().__init__()"]
    if view.static:
        lines.append("        self.size = size")
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


def method_names(alone: list[ir.Step]) -> list[str]:
    """`Embed` is the method embed; a unit that stands in a model twice gets a number."""
    names: list[str] = []
    for step in alone:
        base = "".join(("_" if letter.isupper() and number else "") + letter.lower() for number, letter in enumerate(step.unit))
        name = safe(base, frozenset({"forward", "train", "eval", "to", "half", "float", "apply", "size", "new_cache"}))
        number = 2
        while name in names:
            name, number = f"{base}{number}", number + 1
        names.append(name)
    return names


def _list_path(prefix: str) -> str | None:
    """The path of a ModuleList for a prefix such as "model.layers.{i}."."""
    return prefix[: -len(".{i}.")] if prefix.endswith(".{i}.") and "{i}" not in prefix[:-5] else None


def _layers(view: View, parts: list[Run]) -> list[str]:
    """Lines that make the layers of all repeats, where their prefixes say."""
    repeated = [one for one in parts if one.step is None]
    if not repeated:
        return []
    kinds = " + ".join(one.kinds for one in repeated)
    prefixes = {one.prefix for one in repeated}
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
    paths = [f'["{one.prefix.rstrip(".")}"] * {_bracketed(one.count)}' for one in repeated]
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


def _bracketed(size: Size) -> str:
    text = size.text({name: f"size.{name}" for name in size.names})
    return text if len(size.terms) < 2 else f"({text})"


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
    if (
        any("size." in f"{one.kinds}{_bracketed(one.start)}" for one in parts if one.step is None)
        and len([one for one in parts if one.step is None]) > 1
    ):
        lines.append("        size = self.size")
    wanted = {one.name for step in ir.steps(model.stages) for one in view.program.units[step.unit].inputs[1:]}
    method = iter(names)
    stream = ""
    for part in parts:
        stream = _run(view, model, part, parts, method, stream, wanted, decodes, lines)
    if decodes:
        lines += ["        if cache is not None:", f'            cache["length"] = past + {safe(model.inputs[0].name, RESERVED)}.shape[-1]']
    result = ["x", *(safe(one.name, RESERVED) for one in model.results[1:])]
    return [*lines, f"        return {', '.join(result)}"]


RESERVED = frozenset({"self", "cache", "past", "layer", "kept", "x", "size", "torch", "nn", "F", "math"})


def _run(
    view: View, model: ir.Model, part: Run, parts: list[Run], method: object, stream: str, wanted: set[str], decodes: bool, lines: list[str]
) -> str:
    units = [view.program.units[name] for name in part.units]
    unit = units[0]
    for one in units[1:]:
        if [i.name for i in one.inputs[1:]] != [i.name for i in unit.inputs[1:]] or len(one.results) != len(unit.results):
            raise NotImplementedError
    arguments = [stream or safe(unit.inputs[0].name, RESERVED), *(safe(one.name, RESERVED) for one in unit.inputs[1:])]
    results = ["x", *(safe(one.name, RESERVED) for one in unit.results[1:])]
    again = unit.results[0].name
    if part.step is not None:
        plan = view.plans.get(unit.name) is not None
        passed = (
            []
            if not plan
            else ["past", f'None if cache is None else cache.setdefault("{part.step.unit}", {{}})']
            if decodes and not view.plans[unit.name].empty
            else ["past"]
            if decodes
            else []
        )  # type: ignore[union-attr]
        lines.append(f"        {', '.join(results)} = self.{next(method)}({', '.join([*arguments, *passed])})")  # type: ignore[call-overload]
    else:
        repeated = [one for one in parts if one.step is None]
        path = _list_path(part.prefix) if len({one.prefix for one in repeated}) == 1 else None
        layers = f"self.{path}" if path is not None else "[self.get_submodule(path) for path in self.paths]"
        if len(repeated) > 1:
            layers += f"[{_bracketed(part.start)}:{_bracketed(part.start + part.count)}]"
        start = "" if part.start == Size.of(0) else f", {_bracketed(part.start)}"
        if decodes:
            lines.append(f"        for layer, block in enumerate({layers}{start}):")
            lines.append("            kept = None if cache is None else cache.setdefault(layer, {})")
            lines.append(f"            {', '.join(results)} = block({', '.join(arguments)}, past, kept)")
        else:
            lines += [f"        for block in {layers}:", f"            {', '.join(results)} = block({', '.join(arguments)})"]
        if arguments[0] != "x":
            lines[-1 if not decodes else -1] = lines[-1].replace(f"block({arguments[0]}", "block(x", 1)
            lines.insert(len(lines) - (3 if decodes else 2), f"        x = {arguments[0]}")
    if again in wanted and again != "x":
        lines.append(f"        {safe(again, RESERVED)} = x")
    return "x"
