"""Prints dependency-free C++17: a module to include, a program to run, and the headers they need.

`print_cpp` prints `module.hpp`, `main.cpp` and the headers; running.py compiles and runs them.
"""

from __future__ import annotations

from importlib import resources

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.cpp.model import ModelPrinter, plans, sizes_text
from forge_assets.blueprints.fdl.backends.cpp.program import main_text
from forge_assets.blueprints.fdl.backends.cpp.unit import unit_text

HEADERS = ("fdl_arrays.hpp", "fdl_matmul.hpp", "fdl_safetensors.hpp", "fdl_program.hpp")
HEAD = """// {title} in C++17, with the standard library alone. Printed from FDL by forge; change the text, not this file.
// Above each loop stands the line of the text it computes.
#pragma once

#include "fdl_arrays.hpp"
#include "fdl_matmul.hpp"
#include "fdl_safetensors.hpp"

namespace fdl::model {{

"""


def print_cpp(program: ir.Program) -> dict[str, str]:
    """module.hpp, main.cpp and their headers; `g++ -O3 -march=native -o model main.cpp` builds the program."""
    found = plans(program)
    parts = [sizes_text(program)]
    parts += [unit_text(unit, found.get(unit.name)) for unit in program.units.values()]
    parts += [ModelPrinter(program, model, found).text() for model in program.models.values()]
    head = HEAD.format(title=", ".join([*program.models] or [*program.units]))
    files = {"module.hpp": head + "\n".join(parts) + "\n}  // namespace fdl::model\n", "main.cpp": main_text(program, found)}
    folder = resources.files(__package__)
    return files | {name: (folder / name).read_text(encoding="utf-8") for name in HEADERS}
