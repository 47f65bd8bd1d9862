"""The typed checker: the tree of a text becomes a Program of ir.py, or the first thing that does not fit is told with line, column and
axis.

parse.py -> constants.py -> inline.py (calls of pieces) -> units.py (a unit at a time) -> compose.py (models).
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import replace

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl import syntax as s
from forge_assets.blueprints.fdl.compose import composed
from forge_assets.blueprints.fdl.constants import with_constants
from forge_assets.blueprints.fdl.expressions import fail, polynomial
from forge_assets.blueprints.fdl.inline import inlined
from forge_assets.blueprints.fdl.parse import parse
from forge_assets.blueprints.fdl.sizes import Size
from forge_assets.blueprints.fdl.units import BUILT_IN, checked_unit

DEEPEST = 32  # sizes of sizes that stand below


def compiled(text: str, constants: Mapping[str, float] | None = None) -> ir.Program:
    """The checked program of a text; `constants` gives other values to constants, by name or by unit.name. Raises FdlError."""
    return check(with_constants(parse(text), constants or {}))


def check(text: s.Text) -> ir.Program:
    """Raises FdlError with line, column and a suggestion."""
    names: dict[str, str] = {}
    for item in text.items:
        kind = "axis" if isinstance(item, s.Axis) else item.kind if isinstance(item, s.Unit) else "model"
        spelled = f"axis {item.name}" if kind == "axis" else item.name
        if item.name in BUILT_IN:
            raise fail(f"{item.name} is a function of the language; give the {kind} another name", item.place)
        if spelled in names:
            raise fail(f"{item.name} is defined twice; the {kind} before it has the same name, rename one", item.place)
        names[spelled] = kind
    axes = _axes([one for one in text.items if isinstance(one, s.Axis)])
    pieces = {one.name: one for one in text.items if isinstance(one, s.Unit) and one.kind == "piece"}
    others = {one.name: f"a {one.kind if isinstance(one, s.Unit) else 'model'}" for one in text.items if not isinstance(one, s.Axis)}
    units: dict[str, ir.Unit] = {}
    needs: dict[str, int] = {}
    for unit in (one for one in text.items if isinstance(one, s.Unit)):
        if unit.kind == "piece" and len(unit.results) != 1:
            raise fail(f"piece {unit.name} gives exactly one tensor; write `-> f32[...]` after its arguments", unit.place)
        made = checked_unit(inlined(unit, pieces), axes, pieces, others, needs, _sections(text))
        if unit.kind != "piece":
            own = tuple(line.name for line in unit.body if isinstance(line, s.Constant))
            units[unit.name] = replace(made, own_constants=own)
    known = dict(axes)
    for unit_ in units.values():
        for axis, size in unit_.axis_sizes.items():
            known.setdefault(axis, ir.Axis(axis, size, ""))
    models = composed([one for one in text.items if isinstance(one, s.Model)], units)
    return ir.Program(known, units, models, {axis: need for axis, need in needs.items() if axis in known})


def _axes(lines: list[s.Axis]) -> dict[str, ir.Axis]:
    declared = {one.name: one for one in lines}
    known: dict[str, ir.Axis] = {}
    made: dict[str, Size] = {}

    def size_of(name: str, place: s.Place, above: tuple[str, ...]) -> Size:
        if name in above:
            raise fail(f"the size of axis {name} is made of itself ({' -> '.join((*above, name))})", place)
        line = declared.get(name)
        if line is None or line.size is None:
            return Size.of(name)
        if len(above) > DEEPEST:
            raise fail(f"axes are made of each other more than {DEEPEST} deep here; declare those first that others are made of", place)
        if name not in made:
            made[name] = polynomial(line.size, lambda inner, at: size_of(inner, at, (*above, name)))
        return made[name]

    for line in lines:
        if keyword.iskeyword(line.name):
            raise fail(f"axis {line.name} would be a word of Python in printed code; give it another name", line.place)
        size = size_of(line.name, line.place, ())
        if size.constant is not None and size.constant < 1:
            raise fail(f"axis {line.name} has the size {size.constant}; a size is at least 1", line.place)
        known[line.name] = ir.Axis(line.name, size, line.description)
    return known


def _sections(text: s.Text) -> dict[int, str]:
    """Each line's section: the nearest comment above it that has a line of its own, inside the same unit."""
    starts = {one.place.line for one in text.items}
    alone = {line: said for line, (column, said) in text.comments.items() if column > 1}
    sections, current = {}, ""
    last = max([0, *starts, *alone, *(st.place.line for one in text.items if isinstance(one, s.Unit) for st in one.body)])
    code = {st.place.line for one in text.items if isinstance(one, s.Unit) for st in one.body}
    for line in range(1, last + 1):
        if line in starts:
            current = ""
        if line in alone and line not in code:
            current = alone[line].lstrip("# ").rstrip()
        sections[line] = current
    return sections
