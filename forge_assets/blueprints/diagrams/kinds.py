"""What a line of a fragment is, told by its expression, and the colour that says so in all diagrams."""

from __future__ import annotations

from collections.abc import Iterable

from forge_assets.blueprints.fdl import ir

COLOURS = {
    "data": "#e8eaed",
    "weight": "#fdf0dc",
    "embedding": "#d9e8fb",
    "norm": "#fdf3c4",
    "position": "#d5f1f3",
    "projection": "#dfe9f5",
    "attention": "#e6defa",
    "recurrence": "#f7dcf2",
    "router": "#fcdede",
    "feed-forward": "#dbf2dd",
    "residual": "#ffffff",
    "function": "#eef0f2",
}
"""Light enough for dark letters."""


def kind_of(unit: ir.Unit, one: ir.Definition) -> str:
    """The kind of one line."""
    nodes = list(ir.walk(one.value))
    reductions = {node.function for node in nodes if isinstance(node, ir.Reduce)}
    functions = {node.function for node in nodes if isinstance(node, ir.Apply)}
    if one.scan is not None:
        return "recurrence"
    if "rank" in reductions:
        return "router"
    if "softmax" in reductions:
        over = {unit.root(axis) for node in nodes if isinstance(node, ir.Reduce) and node.function == "softmax" for axis in node.over}
        return "attention" if any(root in {unit.root(axis) for axis in one.axes if axis not in over} for root in over) else "router"
    if "mean" in reductions or "rsqrt" in functions:
        return "norm"
    if _is_lookup(unit, nodes):
        return "embedding"
    if {"sin", "cos"} & functions or not any(isinstance(node, ir.Read) for node in nodes):
        return "position"
    if "sum" in reductions and any(node.tensor in {p.name for p in unit.parameters} for node in nodes if isinstance(node, ir.Read)):
        return "projection"
    if isinstance(one.value, ir.Apply) and _is_sum_of_streams(one.value):
        return "residual"
    return "function"


def _is_sum_of_streams(node: ir.Expression) -> bool:
    if isinstance(node, ir.Read):
        return True
    return isinstance(node, ir.Apply) and node.function == "add" and all(map(_is_sum_of_streams, node.arguments))


def _is_lookup(unit: ir.Unit, nodes: list[ir.Expression]) -> bool:
    """A weight is read at an index that is data."""
    weights = {one.name for one in unit.parameters}
    computed = (index.value for node in nodes if isinstance(node, ir.Read) and node.tensor in weights
                for index in node.index if isinstance(index, ir.Computed))  # fmt: skip
    return any(any(True for _ in ir.reads(value)) for value in computed)


def kind_of_group(unit: ir.Unit, lines: Iterable[ir.Definition]) -> str:
    """The kind of several lines that belong together: the strongest of theirs."""
    found = [kind_of(unit, one) for one in lines]
    for kind in ("recurrence", "attention", "router", "embedding"):
        if kind in found:
            return kind
    if "projection" in found:
        return "feed-forward" if found.count("projection") > 1 else "projection"
    return next((kind for kind in ("norm", "position", "residual") if kind in found), "function")
