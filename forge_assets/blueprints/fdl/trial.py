"""`forge fdl test`: every numeric back-end runs what it printed, on small seeded sizes and numbers, and the results are held against each
other.

In: a checked program. Out: `Comparison`s, one a model (or a unit that no model has). A back-end takes part by a function
`run_<name>(program, case) -> Ran`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import BACKENDS, Backend
from forge_assets.blueprints.fdl.backends.arrays import View
from forge_assets.blueprints.fdl.expressions import near
from forge_resources.errors import FdlError

LENGTH = 7
TABLE = 11  # entries of an axis that is looked up in: vocabularies, learned positions
CUTS = ((0, 4), (4, 5), (5, 7))
TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True)
class Case:
    """What to run: `name` is a model or unit; `weights` by full names and in stored shapes; `cuts` are the steps of decoding, if it
    decodes."""

    name: str
    kind: str  # model, fragment, optimizer or schedule
    sizes: dict[str, int]
    weights: dict[str, np.ndarray[Any, Any]]
    inputs: dict[str, np.ndarray[Any, Any]]
    cuts: tuple[tuple[int, int], ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Ran:
    """Results in order; the same step by step with a cache; slopes of the first result's sum weighted by `weighting`, where the back-end
    has them."""

    results: list[np.ndarray[Any, Any]]
    stepped: list[np.ndarray[Any, Any]] | None = None
    slopes: dict[str, np.ndarray[Any, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Largest differences relative to scale, by what was compared."""

    name: str
    differences: dict[str, float] = field(default_factory=dict)

    @property
    def worst(self) -> float:
        return max(self.differences.values(), default=0.0)

    @property
    def equal(self) -> bool:
        return self.worst <= TOLERANCE


def weighting(shape: tuple[int, ...], seed: int) -> np.ndarray[Any, Any]:
    return np.asarray(np.random.default_rng(seed + 1).standard_normal(shape), np.float32)


def present(backends: tuple[str, ...] = ()) -> tuple[list[Backend], dict[str, str]]:
    """The numeric back-ends that can run here, of all or of those named, and of each other one the reason why it cannot.

    Raises FdlError for a name that no numeric back-end has, and where fewer than two can run.
    """
    numeric = {one.name: one for one in BACKENDS.values() if one.runner}
    for name in backends:
        if name not in numeric:
            raise FdlError(f"there is no numeric back-end {name}{near(name, numeric)}; there are {', '.join(numeric)}")
    reasons = {name: one.absent for name, one in numeric.items() if not backends or name in backends}
    absent = {name: reason for name, reason in reasons.items() if reason}
    here = [numeric[name] for name in reasons if name not in absent]
    if len(here) < 2:
        told = "; ".join(f"{name} is left out: {reason}" for name, reason in absent.items())
        there = f"only {here[0].name} is there" if here else "none is there"
        raise FdlError(f"two numeric back-ends are needed to compare, {there}; {told or 'name another by --backend, or none for all'}")
    return here, absent


def compare(program: ir.Program, seed: int = 0, backends: tuple[str, ...] = ()) -> list[Comparison]:
    """All numeric back-ends that can run here, or those of the named that can, on every model and every unit that no model has."""
    chosen, _ = present(backends)
    compared = []
    for case in cases(program, seed):
        ran = {one.name: _run(one, program, case) for one in chosen}
        compared.append(Comparison(case.name, dict(_differences(ran))))
    return compared


def _run(backend: Backend, program: ir.Program, case: Case) -> Ran:
    try:
        return backend.run(program, case)  # type: ignore[no-any-return]
    except (ArithmeticError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "ZeroDivision" not in str(error):  # torch has no type of its own for it
            raise
        told = f"{backend.name} cannot compute {case.name} on the numbers drawn for it, something is divided by 0 or too large"
        raise FdlError(f"{told} ({error}); keep whole divisors above 0") from error


def _differences(ran: dict[str, Ran]) -> Iterator[tuple[str, float]]:
    base, *others = ran
    for other in others:
        yield f"{base} and {other}", _largest(ran[base].results, ran[other].results)
        first, second = ran[base].slopes, ran[other].slopes
        if first and second:
            yield f"gradients of {base} and {other}", _apart(first, second)
    for name, one in ran.items():
        if one.stepped is not None:
            yield f"{name}, all at once and step by step", _largest(one.results, one.stepped)


def _largest(given: list[np.ndarray[Any, Any]], wanted: list[np.ndarray[Any, Any]]) -> float:
    worst = 0.0
    for one, other in zip(given, wanted, strict=True):
        apart, scale = _distance(one, other)
        worst = max(worst, apart / (scale or 1.0))
    return worst


def _apart(first: dict[str, np.ndarray[Any, Any]], second: dict[str, np.ndarray[Any, Any]]) -> float:
    """Of gradients, relative to the largest of all of them."""
    found = [_distance(second[name], first[name]) for name in first]
    return max(apart for apart, _ in found) / (max(scale for _, scale in found) or 1.0)


def _distance(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> tuple[float, float]:
    """The largest difference, and the largest entry of the second. What is not finite has to be so in both, in the same places."""
    finite = np.isfinite(other)
    if one.shape != other.shape or not np.array_equal(np.isfinite(one), finite):
        return float("inf"), 1.0
    left, right = one[finite].astype(np.float64), other[finite].astype(np.float64)  # conditions, too, are compared as numbers
    return float(np.abs(left - right).max(initial=0.0)), float(np.abs(right).max(initial=0.0))


def cases(program: ir.Program, seed: int = 0) -> Iterator[Case]:
    view = View.of(program)
    sizes = small_sizes(program, seed)
    random = np.random.default_rng(seed)
    inside = {step.unit for model in program.models.values() for step in ir.steps(model.stages)}
    for model in program.models.values():
        weights = {}
        for step, layer in ir.unrolled(model, sizes):
            prefix = step.prefix.replace("{i}", str(layer))
            weights.update({prefix + name: one for name, one in _weights(program.units[step.unit], sizes, random).items()})
        kept = any((plan := view.plans[step.unit]) is not None and not plan.empty for step in ir.steps(model.stages))
        yield Case(
            model.name,
            "model",
            sizes,
            weights,
            _inputs(program, model.inputs, None, sizes, random),
            CUTS if view.decodes(model) and kept else (),
            seed,
        )
    for unit in program.units.values():
        if unit.name not in inside:
            inputs = _inputs(program, unit.inputs, unit, sizes, random)
            inputs |= {
                name: np.abs(one) for name, one in _inputs(program, unit.states, unit, sizes, random).items()
            }  # means of squares are no less
            yield Case(unit.name, unit.kind, sizes, _weights(unit, sizes, random), inputs, (), seed)


def small_sizes(program: ir.Program, seed: int) -> dict[str, int]:
    """Small sizes for which every axis has an entry; two axes seldom have the same."""
    random = np.random.default_rng(seed)
    tables = _tables(program)
    counts = {name for model in program.models.values() for one in ir.repeats(model.stages) for name in one.count.names}
    for _ in range(200):
        sizes = {}
        for name in program.free_sizes:
            least = program.needs.get(name, 1)
            sizes[name] = TABLE if name in tables else int(random.integers(max(least, 2), max(least, 2) + 4))
            if name in counts:
                sizes[name] = int(random.integers(1, 4))
        sizes |= {name: LENGTH for name in ("t",) if name in sizes} | {name: 2 for name in ("b",) if name in sizes}
        whole = all(axis.size.value(sizes) >= max(1, program.needs.get(name, 1)) for name, axis in program.axes.items())
        if whole and all(one.count.value(sizes) >= 0 for model in program.models.values() for one in ir.repeats(model.stages)):
            return sizes
    raise FdlError("no small sizes were found for which every axis has an entry; check the sizes that `axis` lines declare")


def _tables(program: ir.Program) -> set[str]:
    """Base axes of parameters that a computed index looks up in."""
    found: set[str] = set()
    for unit in program.units.values():
        parameters = {one.name: one for one in unit.parameters}
        for node in (node for one in unit.definitions for node in ir.reads(one.value) if node.tensor in parameters):
            for index, axis in zip(node.index, parameters[node.tensor].axes, strict=True):
                if isinstance(index, ir.Computed) and len(unit.size(axis).names) == 1:
                    found.update(unit.size(axis).names)
    return found


def _weights(unit: ir.Unit, sizes: dict[str, int], random: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
    made = {}
    for one in unit.parameters:
        shape = tuple(int(np.prod([unit.size(axis).value(sizes) for axis in group])) for group in one.groups)
        spread = np.asarray(random.standard_normal(shape), np.float32)
        drawn = 1 + 0.2 * spread if one.init[0] == "ones" else spread * np.float32(0.2 if len(shape) < 2 else shape[-1] ** -0.5)
        made[one.stored] = np.asarray(drawn, np.float32)  # of a single number numpy makes a scalar
    return made


def _inputs(
    program: ir.Program, inputs: tuple[ir.Tensor, ...], unit: ir.Unit | None, sizes: dict[str, int], random: np.random.Generator
) -> dict[str, np.ndarray[Any, Any]]:
    made: dict[str, np.ndarray[Any, Any]] = {}
    for one in inputs:
        shape = tuple(_size(program, unit, axis, sizes) for axis in one.axes)
        if one.dtype == "f32":
            made[one.name] = np.asarray(random.standard_normal(shape) if shape else random.uniform(0.01, 0.1), np.float32)
        elif one.dtype == "bool":
            made[one.name] = random.random(shape) < 0.5
        else:
            made[one.name] = np.asarray(random.integers(0 if shape else 1, _bound(program, one.name, sizes), shape), np.int64)
    return made


def _size(program: ir.Program, unit: ir.Unit | None, axis: str, sizes: dict[str, int]) -> int:
    return (unit.size(axis) if unit else program.axes[axis].size).value(sizes)


def _bound(program: ir.Program, name: str, sizes: dict[str, int]) -> int:
    """Values of a whole input are below the size of every axis they look up in."""
    bounds = [TABLE]
    for unit in program.units.values():
        tensors = unit.tensors
        for node in (node for one in unit.definitions for node in ir.reads(one.value)):
            for index, axis in zip(node.index, tensors[node.tensor].axes, strict=True):
                if isinstance(index, ir.Computed) and any(inner.tensor == name for inner in ir.reads(index.value)):
                    bounds.append(unit.size(axis).value(sizes))
    return min(bounds)
