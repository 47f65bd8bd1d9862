"""Prints PyTorch: fragments as nn.Modules, models as nn.Modules whose state_dict has the names of the text, optimizers as
torch.optim.Optimizers."""

from __future__ import annotations

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.arrays import ATOM, Code, Expressions, View, folded, safe, shape_text
from forge_assets.blueprints.fdl.backends.stages import class_name
from forge_assets.blueprints.fdl.backends.torch_model import model_class, nameable, sizes_class
from forge_assets.blueprints.fdl.backends.torch_rules import rule_text
from forge_assets.blueprints.fdl.lowering.low import Low
from forge_assets.blueprints.fdl.lowering.lower import Line

TAKEN = frozenset(
    {"torch", "nn", "F", "math", "self", "size", "past", "cache", "state", "steps", "keep", "place", "Sizes", "layer", "dataclass"}
)
HEAD = '''"""{title}

Printed from FDL by forge; change the text, not this file. Parameters have the names and shapes of the checkpoint.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
'''
PLACE = '''

def place(module: nn.Module, name: str, tensor: torch.Tensor) -> None:
    """Registers a parameter under a dotted name."""
    *path, last = name.split(".")
    for part in path:
        if not hasattr(module, part):
            module.add_module(part, nn.Module())
        module = getattr(module, part)
    if not hasattr(module, last):
        module.register_parameter(last, nn.Parameter(tensor))
'''
KEEP = '''

def keep(cache: dict | None, name: str, new: torch.Tensor, dim: int) -> torch.Tensor:
    """All entries so far: those kept from earlier steps, and the new ones."""
    if cache is None:
        return new
    cache[name] = new if name not in cache else torch.cat((cache[name], new), dim)
    return cache[name]
'''
HIDDEN = '''

def later_hidden(past: int, new: int, device: torch.device) -> torch.Tensor | None:
    """Which keys each new position sees; None where `is_causal` says it, or where there is nothing to hide."""
    if past == 0 or new == 1:
        return None
    return torch.ones(new, past + new, dtype=torch.bool, device=device).tril(past)
'''
FUNCTIONS = {
    "stop": "{0}.detach()",
    "float": "{0}.float()",
    "int": "{0}.long()",
    "relu": "F.relu({0})",
    "silu": "F.silu({0})",
    "softplus": "F.softplus({0})",
}


def print_torch(program: ir.Program) -> dict[str, str]:
    """module_torch.py: the whole program as one module that needs torch alone."""
    view = View.of(program)
    bodies: list[str] = []
    inside = {step.unit for model in program.models.values() for one in ir.repeats(model.stages) for step in ir.steps(one.stages)}
    rooted = {step.unit for model in program.models.values() for step in ir.steps(model.stages)} - inside
    for unit in program.units.values():
        if unit.kind != "fragment":
            bodies.append(rule_text(view, unit))
        elif unit.name not in rooted:
            bodies.append(unit_class(view, unit))
    bodies += [model_class(view, model) for model in program.models.values()]
    text = "".join(bodies)
    head = HEAD.format(title=", ".join([*program.models] or [*program.units]))
    sizes = sizes_class(view) if view.static else ""
    helpers = [part for part, call in ((PLACE, "place("), (KEEP, "keep("), (HIDDEN, "later_hidden(")) if call in text]
    head = head if "math." in text else head.replace("import math\n", "")
    if not sizes:
        head = head.replace("from dataclasses import dataclass\n", "").replace("\n\n\nimport torch", "\n\nimport torch")
    if "F." not in text:
        head = head.replace("import torch.nn.functional as F\n", "")
    if "nn." not in text + "".join(helpers):
        head = head.replace("from torch import nn\n", "")
    return {"module_torch.py": head + sizes + "".join(helpers) + text}


class TorchExpressions(Expressions):
    """Operations of lowering/low.py in PyTorch."""

    device = "cpu"

    def op_param(self, node: Low) -> Code:
        self.used_parameters[node.attr.name] = node.attr
        name = self.name(node.attr.name)
        if all(len(group) == 1 for group in node.attr.groups):
            return Code(name)
        return Code(f"{name}.view({', '.join(self.size(self.unit.size(axis)).text for axis in node.attr.axes)})")

    def op_count(self, node: Low) -> Code:
        name, dim, axis = node.attr
        return Code(f"torch.arange({self.length(name, dim, axis)}, device={self.device})")

    def op_index(self, node: Low) -> Code:
        inside = self.selectors(node.attr)
        return Code(f"{self.atom(node.inputs[0])}[{inside}]") if inside else self.code(node.inputs[0])

    def op_permute(self, node: Low) -> Code:
        order, inner = node.attr, self.atom(node.inputs[0])
        moved = [number for number, one in enumerate(order) if number != one]
        if len(order) == 2:
            return Code(f"{inner}.T")
        if len(moved) == 2:
            return Code(f"{inner}.transpose({moved[0]}, {moved[1]})")
        return Code(f"{inner}.permute({', '.join(map(str, order))})")

    def op_split(self, node: Low) -> Code:
        dim, axes = node.attr
        sizes = [self.axis_size(axis) for axis in axes]
        at = dim if dim < len(node.inputs[0].axes) - 1 else -1
        return Code(f"{self.atom(node.inputs[0])}.unflatten({at}, ({', '.join(sizes)}))")

    def op_merge(self, node: Low) -> Code:
        first, last = node.attr
        ends = last == len(node.inputs[0].axes) - 1
        return Code(f"{self.atom(node.inputs[0])}.flatten({first}{'' if ends else f', {last}'})")

    def op_expand(self, node: Low) -> Code:
        whole = self.plan is not None and any(
            self.unit.root(axis) == self.plan.time and axis != self.plan.time for axis in node.axes if axis and "*" not in axis
        )
        sizes = [self.axis_size(axis, whole and axis != getattr(self.plan, "time", "")) for axis in node.axes if axis is not None]
        inner = node.inputs[0]
        if inner.op == "host":
            return Code(f"torch.full(({', '.join(sizes)}{',' * (len(sizes) == 1)}), {self.text(inner)}, device={self.device})")
        return Code(f"{self.atom(inner)}.expand({', '.join(sizes)})")

    def op_like(self, node: Low) -> Code:
        root = self.floating_root(node.inputs[1])
        return self.code(node.inputs[0]) if root is None else Code(f"{self.atom(node.inputs[0])}.to({root}.dtype)")

    def op_reduce(self, node: Low) -> Code:
        function, dims = node.attr
        given = self.atom(node.inputs[0])
        told = str(dims[0]) if len(dims) == 1 else str(tuple(dims))
        if function == "rank":
            return Code(f"{given}.argsort(stable=True, dim={told}, descending=True).argsort({told})")
        name = {"max": "amax", "min": "amin"}.get(function, function)
        return Code(f"{given}.{name}({told})")

    def op_einsum(self, node: Low) -> Code:
        return Code(f'torch.einsum("{node.attr}", {", ".join(map(self.text, node.inputs))})')

    def op_linear(self, node: Low) -> Code:
        x, matrix = node.inputs
        if matrix.op == "permute":
            return Code(f"{self.code(x).at(6)} @ {self.atom(matrix.inputs[0])}", 5)
        return Code(f"F.linear({self.text(x)}, {self.text(matrix)})")

    def op_gather(self, node: Low) -> Code:
        base, *arrays = node.inputs
        told = [one if one == ":" else str(one[1]) if one[0] == "fixed" else self.text(arrays[one[1]]) for one in node.attr]
        while told and told[-1] == ":":
            told.pop()
        return Code(f"{self.atom(base)}[{', '.join(told)}]")

    def op_clip(self, node: Low) -> Code:
        return Code(f"{self.atom(node.inputs[0])}.clamp(0, {self.length(node.inputs[1], *node.attr)} - 1)")

    def op_within(self, node: Low) -> Code:
        index, length = self.code(node.inputs[0]), self.length(node.inputs[1], *node.attr)
        return Code(f"({index.at(2)} >= 0) & ({index.at(2)} < {length})", 3)

    def op_embedding(self, node: Low) -> Code:
        return Code(f"F.embedding({self.text(node.inputs[0])}, {self.text(node.inputs[1])})")

    def op_stack(self, node: Low) -> Code:
        dim = node.attr
        return Code(f"torch.stack(({', '.join(map(self.text, node.inputs))}), {dim})")

    def op_cat(self, node: Low) -> Code:
        return Code(f"torch.cat(({', '.join(map(self.text, node.inputs))}), {node.attr})")

    def op_rms_norm(self, node: Low) -> Code:
        over, eps, (weighted, _) = node.attr
        x = self.text(node.inputs[0])
        weight = f", {self.text(node.inputs[1])}" if weighted else ", None"
        return Code(f"F.rms_norm({x}, ({', '.join(map(self.axis_size, over))},){weight}, {self.number(eps).text})")

    def op_layer_norm(self, node: Low) -> Code:
        over, eps, (weighted, biased) = node.attr
        x, *rest = map(self.text, node.inputs)
        weight = rest.pop(0) if weighted else "None"
        bias = rest.pop(0) if biased else "None"
        return Code(f"F.layer_norm({x}, ({', '.join(map(self.axis_size, over))},), {weight}, {bias}, {self.number(eps).text})")

    def op_silu(self, node: Low) -> Code:
        return Code(f"F.silu({self.text(node.inputs[0])})")

    def op_gelu(self, node: Low) -> Code:
        return Code(f"F.gelu({self.text(node.inputs[0])})")

    def op_gelu_tanh(self, node: Low) -> Code:
        return Code(f'F.gelu({self.text(node.inputs[0])}, approximate="tanh")')

    def op_attention(self, node: Low) -> Code:
        query, key, value, *mask = map(self.text, node.inputs)
        how = [f"scale={self.scale(node.attr).text}"]
        if mask:
            how.append(f"attn_mask={mask[0]}")
        if node.attr.causal and self.plan is not None:
            length = self.size(self.unit.size(self.plan.time)).text
            how += [f"attn_mask=later_hidden(past, {length}, {self.device})", "is_causal=past == 0"]
        elif node.attr.causal:
            how.append("is_causal=True")
        if node.attr.grouped:
            how.append("enable_gqa=True")
        return Code(f"F.scaled_dot_product_attention({', '.join([query, key, value, *how])})")

    def function(self, name: str, given: list[str], inputs: tuple[Low, ...]) -> str:
        if name in ("max", "min"):
            if any(one.op == "host" for one in inputs):
                array, number = given if inputs[1].op == "host" else given[::-1]
                bound = "min" if name == "max" else "max"
                return f"{Code(array, ATOM if array.isidentifier() else 0).at(ATOM)}.clamp({bound}={number})"
            return f"torch.{name}imum({', '.join(given)})"
        if name in FUNCTIONS:
            wrapped = given[0] if FUNCTIONS[name].startswith("F.") or given[0].isidentifier() else f"({given[0]})"
            return FUNCTIONS[name].format(wrapped)
        return f"torch.{name}({', '.join(given)})"


def unit_class(view: View, unit: ir.Unit) -> str:
    """A fragment as a class."""
    told = ", ".join(f"{one.name} {one.dtype}[{','.join(one.axes)}]" for one in unit.inputs)
    gives = ", ".join(f"{one.name} {one.dtype}[{','.join(one.axes)}]" for one in unit.results)
    lines = ["", "", f"class {class_name(unit.name)}(nn.Module):", f'    """{told} -> {gives}"""', ""]
    size = "size: Sizes" if view.static else ""
    layer = "layer: int = 0"
    lines.append(f"    def __init__({', '.join(filter(None, ['self', size, layer]))}) -> None:")
    lines.append("        super().__init__()")
    if view.static:
        lines.append("        self.sizes = size")
    lines.append("        self.layer_number = layer")
    lines += [f"        {one}" for one in placements(view, unit, "")]
    lines += ["", *method(view, unit, "forward", "")]
    return "\n".join(lines) + "\n"


def placements(view: View, unit: ir.Unit, prefix: str) -> list[str]:
    """Lines that make the parameters, as they are stored."""
    lines = []
    for one in unit.parameters:
        nameable(prefix + one.stored, unit)
        shape = ", ".join(shape_text(one, unit, {name: f"size.{name}" for name in view.static}))
        kind, value = one.init
        given = shape or "()"  # a single number
        made = {"normal": f"torch.randn({given}) * {value!r}", "zeros": f"torch.zeros({given})", "ones": f"torch.ones({given})"}
        full = f"torch.full(({shape},), {value!r})" if shape else f"torch.full((), {value!r})"
        lines.append(f'place(self, "{prefix}{one.stored}", {made.get(kind, full)})')
    return lines


def attribute(path: str) -> str:
    """`self.` and the dotted name, by getattr where a part is no name of Python."""
    text = "self"
    for part in path.split("."):
        text = (
            f"{text}.{part}"
            if part.isidentifier() and safe(part) in (part, part + "_") and not _is_word(part)
            else f'getattr({text}, "{part}")'
        )
    return text


def _is_word(name: str) -> bool:
    import keyword

    return keyword.iskeyword(name)


def method(view: View, unit: ir.Unit, name: str, prefix: str) -> list[str]:
    """The unit's computation as a method; `prefix` stands before its parameters' names."""
    spell = TorchExpressions(view, unit, TAKEN)
    spell.device = f"{spell.name(unit.inputs[0].name)}.device"
    body: list[str] = []
    section = ""
    for line in view.lines(unit):
        if line.section and line.section != section:
            body.append(f"        # {line.section}")
        section = line.section
        body += line_text(spell, line)
    arguments = ["self", *(f"{spell.name(one.name)}: torch.Tensor" for one in unit.inputs)]
    if spell.plan is not None:
        arguments += ["past: int = 0", "cache: dict | None = None"]
    returns = ", ".join(spell.name(one.tensor) for one in unit.results)
    type_ = "torch.Tensor" if len(unit.results) == 1 else "tuple[torch.Tensor, ...]"
    lines = [f"    def {name}({', '.join(arguments)}) -> {type_}:"]
    kept = [
        f'        {spell.name(one)}_all = keep(cache, "{one}", {spell.name(one)}, {dim})' for one, dim in view.kept_inputs(unit).items()
    ]
    return [*lines, *preamble(spell, prefix), *kept, *body, f"        return {returns}"]


def preamble(spell: TorchExpressions, prefix: str) -> list[str]:
    """What the body uses: parameters, sizes, constants, positions."""
    positions = []
    for axis, whole in spell.used_positions:
        length = spell.size(spell.unit.size(axis)).text
        timed = spell.plan is not None and spell.unit.root(axis) == spell.plan.time
        span = f"past + {length}" if timed and whole else f"past, past + {length}" if timed else length
        positions.append(f"        pos_{axis} = torch.arange({span}, device={spell.device})")
    lines = [f"        {spell.name(name)} = {attribute(prefix + one.stored)}" for name, one in spell.used_parameters.items()]
    if spell.uses_static:
        lines.insert(0, "        size = self.sizes")
    lines += [f"        n_{name} = {spell.name(spell.sources[name][0])}.shape[{spell.sources[name][1]}]" for name in spell.used_sizes]
    lines += [f"        {spell.name(name)} = {value!r}" for name, value in spell.used_constants.items()]
    return lines + positions


def line_text(spell: TorchExpressions, line: Line) -> list[str]:
    name = spell.name(line.name)
    lines: list[str] = []
    if line.scan is None:
        lines += folded("        ", name, spell.text(line.low))
    else:
        lines += _scan_text(spell, line, name)
    if line.kept is not None:
        lines.append(f'        {name}_all = keep(cache, "{line.name}", {name}, {line.kept})')
    return lines


def _scan_text(spell: TorchExpressions, line: Line, name: str) -> list[str]:
    scan = line.scan
    assert scan is not None
    sizes = ", ".join(spell.axis_size(axis) for axis in scan.state)
    first = spell.name(scan.inputs[0][0]) if scan.inputs else ""
    dtype = f"dtype={first}.dtype, " if first else ""
    start = f"torch.zeros({sizes}, {dtype}device={spell.device})" if scan.state else f"torch.zeros((), {dtype}device={spell.device})"
    walked = [f"{spell.name(one)}.unbind({dim})" for one, dim in scan.inputs]
    now = [f"{spell.name(one)}_now" for one, _ in scan.inputs]
    cached = spell.plan is not None and line.name in spell.plan.scans
    lines = [
        f'        state = cache["{line.name}"] if cache and "{line.name}" in cache else {start}' if cached else f"        state = {start}",
        "        steps = []",
    ]
    if len(now) == 1:
        lines.append(f"        for {now[0]} in {walked[0]}:")
    elif now:
        lines.append(f"        for {', '.join(now)} in zip({', '.join(walked)}, strict=True):")
    else:
        lines.append(f"        for _ in range({spell.axis_size(scan.axis)}):")
    lines += folded("            ", "state", spell.text(line.low))
    lines += ["            steps.append(state)", f"        {name} = torch.stack(steps, {scan.dim})"]
    if cached:
        lines += ["        if cache is not None:", f'            cache["{line.name}"] = state']
    return lines
