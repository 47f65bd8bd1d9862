"""The back-ends: each prints a checked program as files of another language. `forge fdl compile --to` and `forge fdl test` read this table.

A back-end is one function `print_<name>(program: Program) -> dict[file name, text]`. A numeric one also names a function
`run_<name>(program, case: Case) -> Ran` (trial.py) in the module `runner`, by which `forge fdl test` runs what was printed, and
`absent_<name>() -> str`, which tells why it cannot run here; empty where it can.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forge_assets.blueprints.fdl.ir import Program

PACKAGE = "forge_assets.blueprints.fdl.backends"


@dataclass(frozen=True, slots=True)
class Backend:
    name: str
    module: str  # below this package; imported when it is used
    description: str
    numeric: bool
    runner: str = ""  # the module of run_<name>

    @property
    def print(self) -> Callable[[Program], dict[str, str]]:
        function: Callable[[Program], dict[str, str]] = getattr(importlib.import_module(f"{PACKAGE}.{self.module}"), f"print_{self.name}")
        return function

    @property
    def run(self) -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(importlib.import_module(f"{PACKAGE}.{self.runner}"), f"run_{self.name}")
        return function

    @property
    def absent(self) -> str:
        told: str = getattr(importlib.import_module(f"{PACKAGE}.{self.runner}"), f"absent_{self.name}")()
        return told


BACKENDS = {
    one.name: one
    for one in (
        Backend("torch", "torch", "PyTorch: nn.Modules with the parameter names of the text", True, "torch_running"),
        Backend("jax", "jax", "JAX: pure functions of a dict of parameters", True, "jax_running"),
        Backend("cpp", "cpp", "C++17: a header and a program that need the standard library alone", True, "cpp.running"),
        Backend("latex", "latex", "LaTeX: an algorithm with its axes and weights", False),
        Backend("markdown", "markdown", "Markdown: pseudocode", False),
        Backend("mermaid", "diagrams", "Mermaid: diagrams of the system, the blocks and the tensors", False),
        Backend("dot", "diagrams", "Graphviz: the same diagrams as DOT", False),
        Backend("drawio", "diagrams", "draw.io: the same diagrams, laid out", False),
    )
}
