"""main.cpp: a program that reads weights and inputs, runs a model or a fragment, and writes what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.cpp.names import TYPES, array_type, quoted, safe
from forge_assets.blueprints.fdl.backends.cpp.unit import has_cache
from forge_assets.blueprints.fdl.cache import Plan

HEAD = """// {title} as a program: MODEL.safetensors and token ids in, logits out.
// Printed from FDL by forge; change the text, not this file.
//   g++ -O3 -march=native -o model main.cpp
//   ./model MODEL.safetensors --sizes {sizes} --ids 1,5,7
#include "fdl_program.hpp"
#include "module.hpp"

namespace fdl::model {{

"""
TAIL = """
}}  // namespace fdl::model

int main(int count, char** words) {{
  using namespace fdl;
  return program<model::Sizes>(count, words, [](const Task& task, const model::Sizes& sizes) {{
    const std::string& name = task.options.name;
{dispatch}
    else fail("there is no model or fragment " + name);
  }});
}}
"""


def main_text(program: ir.Program, plans: dict[str, Plan]) -> str:
    names = [*program.models][::-1] + [name for name in program.units if name not in program.models]
    given = ",".join(f"{name}=N" for name in program.free_sizes)
    head = HEAD.format(title=", ".join([*program.models] or [*program.units]), sizes=given)
    runners = "\n".join("\n".join(_runner(program, name, plans)) for name in names)
    dispatch = "\n".join(
        f"    {'else ' * (number > 0)}if (name == {quoted(name)}{' || name.empty()' * (number == 0)}) model::run_{name}(task, sizes);"
        for number, name in enumerate(names)
    )
    return head + runners + TAIL.format(dispatch=dispatch)


def _runner(program: ir.Program, name: str, plans: dict[str, Plan]) -> Iterator[str]:
    model = program.models.get(name)
    unit = None if model else program.units[name]
    inputs: Sequence[ir.Tensor] = model.inputs if model else (*unit.inputs, *unit.states)  # type: ignore[union-attr]
    results = model.results if model else unit.results  # type: ignore[union-attr]
    units = [program.units[step.unit] for step in ir.steps(model.stages)] if model else [unit]
    known = [plans[one.name] for one in units if one is not None and one.name in plans]
    stepped = len(known) == len(units) and (bool(model) or (unit is not None and has_cache(unit, known[0])))
    time = known[0].time if stepped else ""
    yield f"inline void run_{name}(const Task& task, [[maybe_unused]] Sizes sizes) {{"
    for one in inputs:
        kind = f"const auto {safe(one.name)} = task.input<{TYPES[one.dtype]}, {len(one.axes)}>({quoted(one.name)})"
        yield f"  {kind}{'' if one.axes else '.data[0]'};"
    if unit is not None:
        yield from _unit_sizes(unit, inputs)
    built = f"{safe(name)} unit(task.weights, sizes);" if model or unit.parameters else f"{safe(name)} unit;"  # type: ignore[union-attr]
    yield f"  const {built}" if model or unit.parameters else f"  const {safe(name)} unit{{}};"  # type: ignore[union-attr]
    given = [safe(one.name) for one in inputs]
    first = [] if model else ["at"]
    last = ["0"] if unit is not None and unit.uses_layer else []
    if unit is not None:
        yield "  Sizes at = sizes;"
    yield "  if (task.options.steps.empty()) {"
    yield f"    const auto out = timed(task.options, [&] {{ return unit.forward({', '.join([*first, *given, *last])}); }});"
    for result in results:
        yield f"    task.results.add({quoted(result.name)}, {'out' if len(results) == 1 else f'out.{safe(result.name)}'});"
    yield "    return;"
    yield "  }"
    if not stepped:
        yield f'  fail("{name} cannot be computed step by step");'
    else:
        yield from _stepwise(program, name, inputs, results, time, (first, last), model is None)
    yield "}\n"


def _unit_sizes(unit: ir.Unit, inputs: Sequence[ir.Tensor]) -> Iterator[str]:
    done: set[str] = set()
    for one in inputs:
        for number, axis in enumerate(one.axes):
            if unit.size(axis).names == (axis,) and axis not in done:
                done.add(axis)
                yield f"  sizes.{safe(axis)} = {safe(one.name)}.size({number});"


def _stepwise(program: ir.Program, name: str, inputs: Sequence[ir.Tensor], results: Sequence[ir.Result], time: str,
              around: tuple[list[str], list[str]], is_unit: bool) -> Iterator[str]:  # fmt: skip
    """In pieces along the time axis, with a cache; the pieces' results joined."""

    def along(one: ir.Tensor | ir.Result) -> int | None:
        return one.axes.index(time) if time in one.axes else None

    clock = next(one for one in inputs if along(one) is not None)
    yield "  const auto out = timed(task.options, [&] {"
    yield f"    {safe(name)}::Cache cache;"
    for one in results:
        kind = array_type(one.dtype, len(one.axes))
        yield f"    {f'std::vector<{kind}>' if one.axes else kind} all_{one.name};"
    yield "    i64 start = 0;"
    yield f"    for (const i64 many : task.steps({safe(clock.name)}.size({along(clock)}))) {{"
    if is_unit:
        yield f"      at.{safe(time)} = many;"
    given = [f"slice({safe(one.name)}, {along(one)}, start, many)" if along(one) is not None else safe(one.name) for one in inputs]
    first, last = around
    yield f"      const auto part = unit.forward({', '.join([*first, *given, *last, '&cache'])});"
    for one in results:
        value = "part" if len(results) == 1 else f"part.{safe(one.name)}"
        yield f"      all_{one.name}.push_back({value});" if one.axes else f"      all_{one.name} = {value};"
    yield "      start += many;"
    yield "    }"
    whole = []
    for one in results:
        axis = along(one)
        whole.append(f"all_{one.name}" if not one.axes else f"all_{one.name}.back()" if axis is None else f"joined(all_{one.name}, {axis})")
    yield f"    return std::make_tuple({', '.join(whole)});"
    yield "  });"
    for number, one in enumerate(results):
        yield f"  task.results.add({quoted(one.name)}, std::get<{number}>(out));"
