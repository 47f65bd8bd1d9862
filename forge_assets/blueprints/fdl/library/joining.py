"""Texts of the library made ready for one model: constants set, calls that nothing answers left out, biases added, units put in order.

All of it works line by line on the form that files of the library have; a test composes every one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from forge_assets.blueprints.fdl.library.pieces import OPTIONAL, UNIT, Entry
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_resources.errors import BlueprintError

AXIS = re.compile(r"^axis (\w+).*\n", re.MULTILINE)
CONSTANT = re.compile(r"^(?P<before>  const (?P<name>\w+) = )(?P<value>.*)$", re.MULTILINE)

SHARED = {"scale": "residual", "alpha": "norm_placement"}
"""Constants whose names other slots use for something else: set in this one only."""


def reduced(entry: Entry, played: Mapping[str, str], numbers: Mapping[str, float]) -> str:
    """The text with its constants set, and without calls of optional roles that nothing plays."""

    def number(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in numbers or SHARED.get(name, entry.slot) != entry.slot:
            return match.group()
        value = numbers[name]
        return match["before"] + (repr(int(value)) if "." not in match["value"] and "e" not in match["value"] else repr(float(value)))

    text = CONSTANT.sub(number, entry.text)
    for role in OPTIONAL:
        while role not in played and (call := re.search(rf"^  (\w+)\[.*\] = {role}\((\w+)\[.*\n", text, re.MULTILINE)):
            end = next((unit.start() for unit in UNIT.finditer(text) if unit.start() > call.start()), len(text))
            rest = re.sub(rf"\b{call[1]}(?=\[)|(?<=return ){call[1]}\b", call[2], text[call.end() : end])
            text = text[: call.start()] + rest + text[end:]
    return text


LINEAR = re.compile(r"^  param (W\w*): f32\[(\(.*?\)|\w+),(?:\(.*?\)|\w+)\]( +)from \"(.*)weight\"\n", re.MULTILINE)


def biased(text: str, slot: str, shape: ModelShape) -> str:
    """With a bias behind each linear map, where the shape has them: `B` for `W`, added on the line that uses it; and with that of the layer
    norm left out, where it has not."""
    if slot == "norm" and not shape.norm_bias:
        return re.sub(r"  param b: f32\[d\] from \"bias\"\n((?:.*\n)*?.*) \+ b\[d\]\n", r"\1\n", text)
    inner = dict.fromkeys(("Wg", "Wu", "Wd"), shape.ffn_bias)
    has = {"attention": dict.fromkeys(("Wq", "Wk", "Wv"), shape.qkv_bias) | {"Wo": shape.out_bias}, "ffn": inner}.get(slot, {})
    for param in LINEAR.finditer(text):
        name, out, stored = param[1], param[2], param[4]
        if not has.get(name):
            continue
        use = re.search(rf"^  .* = sum\[[^\]]*\]\(.*\* {name}\[(.*)\]\)$", text, re.MULTILINE)
        if use is None:
            told = f"the text of the slot {slot} has no place for a bias of {stored.rstrip('.')}"
            raise BlueprintError(f"{told}; choose a norm without biases, such as rms-norm")
        axes = ",".join(use[1].split(",")[: len(out.strip("()").split())])
        text = text.replace(use[0], f"{use[0]} + B{name[1:]}[{axes}]")
        text = text.replace(param[0], f'{param[0]}  param B{name[1:]}: f32[{out}] from "{stored}bias"\n')
    return text


def in_order(body: str) -> str:
    """Units, each above those that call it, and the fragments in the order in which they run."""
    starts = [match.start() for match in UNIT.finditer(body)] + [len(body)]
    first = _with_comments(body, starts)
    units = {UNIT.search(unit)["name"]: unit.strip("\n") for unit in first}  # type: ignore[index]
    done: list[str] = []

    def take(name: str) -> None:
        for other in units:
            if other != name and other not in done and re.search(rf"\b{other}\(", units[name].partition(":\n")[2]):
                take(other)
        if name not in done:
            done.append(name)

    for name in ("Embed", "Block", "Head"):
        take(name)
    fragments = ("Embed", "Block", "Head")
    ordered = [*(name for name in done if name not in fragments), *fragments]
    return "\n\n".join(units[name] for name in ordered)


def _with_comments(body: str, starts: list[int]) -> Iterator[str]:
    """Each unit with the comment lines right above it."""
    edges = []
    for start in starts[:-1]:
        above = body[:start]
        while (line := above.rstrip("\n").rpartition("\n")[2]).startswith("#") and above.endswith("\n"):
            above = above[: len(above.rstrip("\n")) - len(line)]
        edges.append(len(above))
    for start, end in zip(edges, [*edges[1:], len(body)], strict=True):
        yield body[start:end]


def used_axes(axes: str, body: str) -> str:
    """The declarations whose axis the text uses, or another used axis is made of."""
    lines = {line[1]: line.group() for line in AXIS.finditer(axes)}
    bare = re.sub(r"#.*|\"[^\"]*\"", "", body)
    kept: set[str] = set()
    wanted = {name for name in lines if re.search(rf"[\[\](, {{:]{name}(?=[\])}}, \]]|$)", bare, re.MULTILINE)}
    while wanted:
        kept |= wanted
        sizes = " ".join(re.sub(r'"[^"]*"', "", lines[name]).partition("=")[2] for name in kept)
        wanted = {name for name in lines if re.search(rf"\b{name}\b", sizes)} - kept
    return "".join(line for name, line in lines.items() if name in kept)
