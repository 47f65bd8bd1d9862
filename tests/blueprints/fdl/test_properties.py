"""Valid fragments made at random: all back-ends give what the text means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from forge_assets.blueprints.fdl import trial
from forge_assets.blueprints.fdl.backends.jax_running import run_jax
from forge_assets.blueprints.fdl.backends.torch_running import run_torch
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.blueprints.fdl.format import formatted
from tests.blueprints.fdl.oracle import Oracle

Draw = Callable[[st.SearchStrategy[Any]], Any]
UNARY = ("sin", "cos", "tanh", "sigmoid", "silu", "relu", "abs", "erf", "softplus", "-", "sqrt(1.5 + ", "exp(tanh")
HEAD = """axis c = 2
axis p = c*h
axis w = h + d
fragment F(x: f32[b,t,d], y: f32[b,t,p], ids: i64[b,t]) -> f32[{axes}]:
  const half = 0.5
  param W: f32[h,d] from "W"
  param V: f32[(c h),d] from "V"
  param E: f32[v,d] from "E"
  param u: f32[d] from "u.weight"
"""
Term = tuple[str, tuple[str, ...]]  # an expression and its free axes


class Maker:
    """Draws lines; `tensors` is what a line may read."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.tensors: dict[str, tuple[str, ...]] = {
            "x": ("b", "t", "d"), "y": ("b", "t", "p"), "W": ("h", "d"), "V": ("c", "h", "d"), "u": ("d",)
        }  # fmt: skip

    def one_of(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def expression(self, depth: int) -> Term:
        kinds = (
            ["read", "read", "computed"]
            if depth == 0
            else ["unary", "binary", "binary", "where", "reduce", "contract", "read", "computed", "cat"]
        )
        return getattr(self, self.one_of(*kinds))(depth)

    def read(self, depth: int) -> Term:
        name = self.one_of(*self.tensors)
        axes = self.tensors[name]
        index = [self.one_of("0", "1") if axis == "c" and self.one_of(True, False) else axis for axis in axes]
        return f"{name}[{','.join(index)}]", tuple(axis for axis, one in zip(axes, index, strict=True) if one == axis)

    def computed(self, depth: int) -> Term:
        return self.one_of(
            ("x[b,t - 1,d]", ("b", "t", "d")), ("x[b,t + 2,d]", ("b", "t", "d")), ("y[b,t,c * size(h) + h]", ("b", "t", "c", "h")),
            ("y[b,t,size(h) + h]", ("b", "t", "h")), ("y[b,t,pos(h)]", ("b", "t", "h")), ("E[ids[b,t],d]", ("b", "t", "d")),
            ("x[b,t - h,d]", ("b", "t", "h", "d")), ("pos(t) * half", ("t",)), ("(pos(d) + 1.0) / size(d)", ("d",)), ("0.3", ()),
            ("y[b,t,h * size(c) + c]", ("b", "t", "h", "c")), ("V[c,(h + 1) % size(h),d]", ("c", "h", "d")),
        )  # fmt: skip

    def unary(self, depth: int) -> Term:
        text, axes = self.expression(depth - 1)
        function = self.one_of(*UNARY)
        if function.startswith("sqrt"):
            return f"sqrt(1.5 + abs({text}))", axes
        if function.startswith("exp"):
            return f"exp(tanh({text}))", axes
        return (f"-({text})" if function == "-" else f"{function}({text})"), axes

    def binary(self, depth: int) -> Term:
        (left, first), (right, second) = self.expression(depth - 1), self.expression(depth - 1)
        axes = tuple(dict.fromkeys((*first, *second)))
        if len(axes) > 5:
            return left, first
        form = self.one_of(
            "({} + {})", "({} - {})", "{} * {}", "({}) / (1.5 + sigmoid({}))", "max({}, {})", "min({}, {})", "({}) * sigmoid({})"
        )
        return form.format(left, right), axes

    def where(self, depth: int) -> Term:
        (left, first), (right, second) = self.expression(depth - 1), self.expression(depth - 1)
        axes = tuple(dict.fromkeys((*first, *second)))
        if len(axes) > 5 or "t" not in axes:
            return left, first
        condition = self.one_of("pos(t) > 2", f"{left} < {right}", "pos(t) % 2 == 0 or pos(t) == 3", "not pos(t) <= 1")
        return f"where({condition}, {left}, {right})", axes

    def reduce(self, depth: int) -> Term:
        text, axes = self.expression(depth - 1)
        if not axes:
            return text, axes
        function = self.one_of("sum", "mean", "max", "min", "logsumexp", "softmax", "cumsum", "rank")
        over = [self.one_of(*axes)]
        if len(axes) > 1 and function != "cumsum" and self.one_of(True, False):
            over.append(self.one_of(*(axis for axis in axes if axis not in over)))
        made = f"{function}[{','.join(over)}]({text})"
        if function in ("softmax", "cumsum", "rank"):
            return (f"where({made} < 2, {text}, 0.0)" if function == "rank" else made), axes
        return made, tuple(axis for axis in axes if axis not in over)

    def contract(self, depth: int) -> Term:
        (left, first), (right, second) = self.read(0), self.read(0)
        shared = [axis for axis in first if axis in second]
        axes = tuple(dict.fromkeys((*first, *second)))
        if not shared:
            return left, first
        over = self.one_of(*shared)
        return f"sum[{over}]({left} * {right})", tuple(axis for axis in axes if axis != over)

    def cat(self, depth: int) -> Term:
        return self.one_of(("cat[w: h, d](y[b,t,pos(h)], x[b,t,d])", ("b", "t", "w")), ("cat[p: h, h](W[h,d], sin(W[h,d]))", ("p", "d")))


@st.composite
def fragments(draw: Draw) -> str:
    maker = Maker(draw)
    lines = []
    for name in ("a", "e", "g", "z")[: draw(st.integers(1, 4))]:
        text, axes = maker.expression(draw(st.integers(1, 3)))
        axes = tuple(draw(st.permutations(axes)))
        lines.append(f"  {name}[{','.join(axes)}] = {text}")
        maker.tensors[name] = axes
    last = list(maker.tensors)[-1]
    return HEAD.format(axes=",".join(maker.tensors[last])) + "\n".join(lines) + f"\n  return {last}\n"


def _holds(text: str, jax: bool) -> None:
    assert compiled(formatted(text)).units.keys() == compiled(text).units.keys()
    program = compiled(text)
    (case,) = trial.cases(program, 5)
    unit = program.units["F"]
    tensors = case.inputs | {one.name: case.weights[one.stored] for one in unit.parameters}
    (wanted,) = Oracle(unit, case.sizes, tensors).results()
    scale = max(1.0, float(np.abs(wanted).max()))
    in_torch = run_torch(program, case)
    assert in_torch.results[0].shape == wanted.shape
    assert np.abs(in_torch.results[0] - wanted).max() <= 1e-4 * scale
    if not jax:
        return
    in_jax = run_jax(program, case)
    assert np.abs(in_jax.results[0] - wanted).max() <= 1e-4 * scale
    if in_torch.slopes and in_jax.slopes:
        most = max(1.0, *(float(np.abs(one).max()) for one in in_torch.slopes.values()))
        for name, slope in in_torch.slopes.items():
            assert np.abs(slope - in_jax.slopes[name]).max() <= 1e-3 * most, name


QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None}


@settings(max_examples=60, phases=[Phase.generate], **QUIET)
@given(fragments())
def test_torch_gives_what_the_text_means(text: str) -> None:
    _holds(text, jax=False)


@settings(max_examples=8, phases=[Phase.generate], **QUIET)
@given(fragments())
def test_jax_and_its_gradients_too(text: str) -> None:
    _holds(text, jax=True)


@pytest.mark.trial
@settings(max_examples=300, **QUIET)
@given(fragments())
def test_three_hundred_fragments(text: str) -> None:
    _holds(text, jax=True)
