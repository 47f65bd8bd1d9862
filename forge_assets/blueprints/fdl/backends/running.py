"""Imports printed Python without writing it to a file."""

from __future__ import annotations

import hashlib
import linecache
import sys
import types
from typing import Any


def imported(kind: str, text: str) -> Any:
    """The text as a module of its own; tracebacks show its lines."""
    name = f"fdl_printed_{kind}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    made = types.ModuleType(name)
    made.__file__ = f"<{name}>"
    linecache.cache[made.__file__] = (len(text), None, text.splitlines(keepends=True), made.__file__)
    sys.modules[name] = made  # dataclasses look their module up
    exec(compile(text, made.__file__, "exec"), made.__dict__)  # noqa: S102 (our own printed code)
    return made
