"""The text of a model, taken apart: for each fragment the part of the text that it holds, as a text that checks and runs alone.

`(text of a composed model) -> {fragment: its text}`, and back: `joined(parts)` is the model again. Fragments of layers keep the layers'
prefixes, so that a tensor has one name in every piece and in the assembled model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from forge_assets.blueprints.fdl import syntax as s
from forge_assets.blueprints.fdl.format import expression, formatted
from forge_assets.blueprints.fdl.parse import parse
from forge_resources.errors import FragmentError

POSITIONS = ("rotated", "biased", "placed")
MODEL = re.compile(r"model LM = Embed ; (?P<blocks>.*\bBlock\b.*) ; Head")
HIDDEN = "x: f32[b,t,d]"
PORTS = {"rotated": ("x", "b,t,g,r,c,j"), "biased": ("z", "b,g,r,t,s"), "placed": ("x", "b,t,d")}
WITHOUT = "# The stack has no position encoding: what comes in goes out."
TOTAL = "total"
"""What the layers of a piece add up in: each layer reads the same x, so that no value grows or dies through many of them."""


@dataclass(frozen=True, slots=True)
class Source:
    """A text by its units: name -> its tree, and its lines with the comments right above; axes the same."""

    units: Mapping[str, s.Unit]
    told: Mapping[str, str]
    axes: Mapping[str, s.Axis]
    axis_lines: Mapping[str, str]
    models: tuple[str, ...]


def read(text: str) -> Source:
    """Raises FdlError for a text that the grammar refuses."""
    tree = parse(text)
    lines = text.split("\n")
    starts = [_above(lines, item.place.line - 1) for item in tree.items] + [len(lines)]
    told = {id(item): "\n".join(lines[starts[number] : starts[number + 1]]).strip("\n") for number, item in enumerate(tree.items)}
    units = {one.name: one for one in tree.items if isinstance(one, s.Unit)}
    axes = {one.name: one for one in tree.items if isinstance(one, s.Axis)}
    models = tuple(lines[one.place.line - 1].strip() for one in tree.items if isinstance(one, s.Model))
    return Source(
        units,
        {name: told[id(one)] for name, one in units.items()},
        axes,
        {name: lines[one.place.line - 1] for name, one in axes.items()},
        models,
    )


@lru_cache(maxsize=8)
def parts_of(text: str) -> Mapping[str, str]:
    """Fragment -> its text, for those from 02 to 09. Kept, for a build asks for each fragment."""
    source = read(text)
    blocks = _blocks(source)
    made = {
        "02-embedding": _text(source, [], ["Embed"], "Embedding", "Embed"),
        "03-position": _position(source, blocks),
        "04-attention": _layers(source, blocks, "attention", "Attention", "Attentions"),
        "05-ffn": _layers(source, blocks, "ffn", "FeedForward", "FeedForwards"),
        "06-norm": _norms(source, blocks),
        "07-block": _text(source, [], ["Block"], "Blocks", blocks),
        "08-head": _text(source, [], ["Head"], "Output", "Head"),
    }
    return MappingProxyType(made | {"09-assembled": formatted(text)})


def joined(parts: Mapping[str, str]) -> str:
    """The model's text from those of embedding, block and head. Raises FragmentError where two of them say a piece differently."""
    texts = {name: read(parts[name]) for name in ("02-embedding", "07-block", "08-head")}
    axes: dict[str, str] = {}
    units: dict[str, str] = {}
    for fragment, source in texts.items():
        for kind, told, known in (("axis", source.axis_lines, axes), ("piece", source.told, units)):
            for name, line in told.items():
                if known.setdefault(name, line) != line:
                    raise FragmentError(
                        f"{fragment} has another {kind} {name} than the fragments before it; expected pieces of one blueprint"
                    )
    (blocks,) = (line.partition(" = ")[2] for line in texts["07-block"].models)
    order = sorted(axes, key=lambda name: _depth(name, texts))
    pieces = [one for name, one in units.items() if name not in ("Embed", "Block", "Head")]
    body = [*pieces, units["Embed"], units["Block"], units["Head"]]
    return formatted("\n".join(axes[name] for name in order) + "\n\n" + "\n\n".join(body) + f"\n\nmodel LM = Embed ; {blocks} ; Head\n")


def _depth(name: str, texts: Mapping[str, Source]) -> int:
    """Derived axes stand below those they are made of."""
    axis = next(source.axes[name] for source in texts.values() if name in source.axes)
    return 0 if axis.size is None else 1


def _blocks(source: Source) -> str:
    found = [match for line in source.models if (match := MODEL.fullmatch(line))]
    if len(found) != 1 or not {"Embed", "Block", "Head"} <= source.units.keys():
        raise FragmentError(
            "fragments are taken from a text with `model LM = Embed ; Block * L prefix ... ; Head`; this one has another form"
        )
    return found[0]["blocks"]


def _position(source: Source, blocks: str) -> str:
    role = next((one for one in POSITIONS if one in source.units), None)
    if role is None:
        unit = f"{WITHOUT}\nfragment Position({HIDDEN}) -> f32[b,t,d]:\n  y[b,t,d] = x[b,t,d]\n  return y"
        return _text(source, [unit], [], "Positions", "Position")
    name, axes = PORTS[role]
    caller = source.units["Embed" if role == "placed" else "attention"]
    call = next(_calls(caller, role))
    unit = f"fragment Position({name}: f32[{axes}]) -> f32[{axes}]:\n  y[{axes}] = {_called(call, name, axes)}\n  return y"
    layered = role != "placed" and _per_layer(source, role)
    above = next((one.prefix or "" for one in _calls(source.units["Block"], "attention")), "")
    model = _prefixed(blocks, above).replace("Block", "Position") if layered else "Position"
    return _text(source, [unit], [], "Positions", model)


def _per_layer(source: Source, role: str) -> bool:
    """Whether each layer has its own: parameters, or another meaning by its number."""
    parts = [source.units[name] for name in _needed(source, [role])]
    return any(isinstance(line, s.Parameter) for one in parts for line in one.body) or any("layer" in _names(one) for one in parts)


def _prefixed(blocks: str, inner: str) -> str:
    return re.sub(r'prefix "([^"]*)"', lambda found: f'prefix "{found[1]}{inner}"', blocks)


def _layers(source: Source, blocks: str, role: str, unit: str, model: str) -> str:
    calls = list(_calls(source.units["Block"], role))
    if not calls:
        raise FragmentError(f"the blocks of this stack call no {role}, so there is no such fragment; choose a stack with one")
    lines, before = [], TOTAL
    for number, call in enumerate(calls):
        lines.append(f"  y{number}[b,t,d] = {before}[b,t,d] + {_called(call, 'x', 'b,t,d')}")
        before = f"y{number}"
    text = f"fragment {unit}({TOTAL}: f32[b,t,d], {HIDDEN}) -> f32[b,t,d]:\n" + "\n".join(lines) + f"\n  return {before}"
    return _text(source, [text], [], model, re.sub(r"\bBlock\b", unit, blocks))


def _norms(source: Source, blocks: str) -> str:
    units, model = [], []
    for name, inside in (("BlockNorms", "Block"), ("FinalNorm", "Head")):
        lines, before = [], "x"
        for number, call in enumerate(_calls(source.units[inside], "norm")):
            lines.append(f"  y{number}[b,t,d] = {_called(call, before, 'b,t,d')}")
            before = f"y{number}"
        if lines:
            units.append(f"fragment {name}({HIDDEN}) -> f32[b,t,d]:\n" + "\n".join(lines) + f"\n  return {before}")
            model.append(re.sub(r"\bBlock\b", name, blocks) if inside == "Block" else name)
    if not units:
        raise FragmentError("neither block nor head of this stack calls a norm, so there is no such fragment; choose a stack with one")
    return _text(source, units, [], "Norms", " ; ".join(model))


def _called(call: s.Function, name: str, axes: str) -> str:
    """The call as the block makes it, on another tensor."""
    given = s.Access(name, tuple(s.Name(axis, call.place) for axis in axes.split(",")), call.place)
    return expression(replace(call, arguments=(given,)))


def _text(source: Source, made: list[str], taken: list[str], model: str, stages: str) -> str:
    """Axes, pieces and units that are needed, and the model line."""
    tops = list(parse("\n\n".join(made)).items) if made else []
    roots = [*(name for one in tops for name in _functions(one)), *taken]
    names = _needed(source, [name for name in roots if name in source.units])
    nodes = [*tops, *(source.units[name] for name in names)]
    used = {name for one in nodes for name in _names(one)}
    while more := {name for axis in used & source.axes.keys() for name in _names(source.axes[axis].size)} - used:
        used |= more
    axes = [line for name, line in source.axis_lines.items() if name in used]
    units = [source.told[name] for name in source.units if name in names]
    return formatted("\n".join(axes) + "\n\n" + "\n\n".join([*units, *made]) + f"\n\nmodel {model} = {stages}\n")


def _needed(source: Source, names: list[str]) -> list[str]:
    """These units and all that they call."""
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            waiting += [one for one in _functions(source.units[name]) if one in source.units]
    return found


def _walk(node: Any) -> Iterator[Any]:
    if isinstance(node, tuple):
        for one in node:
            yield from _walk(one)
    elif is_dataclass(node) and not isinstance(node, type):
        yield node
        for field in fields(node):
            yield from _walk(getattr(node, field.name))


def _calls(unit: s.Unit, role: str) -> Iterator[s.Function]:
    return (node for node in _walk(unit) if isinstance(node, s.Function) and node.name == role)


def _functions(node: Any) -> list[str]:
    return [one.name for one in _walk(node) if isinstance(one, s.Function)]


def _names(node: Any) -> set[str]:
    return {one.name for one in _walk(node) if isinstance(one, s.Name | s.Function)}


def _above(lines: list[str], start: int) -> int:
    """The first of the comment lines right above a line."""
    while start and lines[start - 1].startswith("#") and not lines[start - 1].startswith("# Composed of"):
        start -= 1
    return start
