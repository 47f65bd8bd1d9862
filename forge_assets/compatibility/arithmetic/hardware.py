"""Accelerators with memory, peak speed, bandwidth and power, each with the page of its maker that says so."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from forge_resources.errors import ShapeError

FILE = Path(__file__).with_name("hardware.yaml")
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(GiB|GB|TiB|TB|MiB|MB)?", re.ASCII | re.IGNORECASE)
UNITS = {"gib": 2**30, "gb": 10**9, "tib": 2**40, "tb": 10**12, "mib": 2**20, "mb": 10**6, "": 1}


@dataclass(frozen=True, slots=True)
class Gpu:
    """`memory` in bytes; `bf16`, `fp8` FLOP/s without sparsity (fp8 None: the card has none); `bandwidth`, `link` bytes/s."""

    id: str
    name: str
    component: str
    memory: int
    bf16: float
    fp8: float | None
    bandwidth: float
    link: float
    watts: float
    source: str


@cache
def gpus() -> dict[str, Gpu]:
    import yaml  # type: ignore[import-untyped, unused-ignore]

    rows = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {row["id"]: _gpu(row) for row in rows}


def _gpu(row: dict[str, str]) -> Gpu:
    numbers = {name: float(row[name]) for name in ("bf16", "bandwidth", "link", "watts")}
    fp8 = None if row["fp8"] is None else float(row["fp8"])
    return Gpu(row["id"], row["name"], row["component"], int(float(row["memory"])), fp8=fp8, source=row["source"], **numbers)


def gpu_of(name: str) -> Gpu:
    """By id (`h100-80gb`), by the id without its memory (`h100`), or by a beginning that only one card has. Raises ShapeError otherwise."""
    wanted = name.strip().lower().replace("_", "-").replace(" ", "-")
    found = [one for key, one in gpus().items() if key == wanted] or [one for key, one in gpus().items() if key.startswith(wanted)]
    if found and len({one.id.rpartition("-")[0] for one in found if one.id.rpartition("-")[0] == wanted}) == 1:
        found = [one for one in found if one.id.rpartition("-")[0] == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        raise ShapeError(f"GPU {name!r} may be {' or '.join(one.id for one in found)}; say which")
    near = difflib.get_close_matches(wanted, gpus(), 3, 0.4) or list(gpus())
    raise ShapeError(f"GPU {name!r} is not in the list; did you mean {' or '.join(near)}?")


def smallest_with(memory: int) -> Gpu:
    """The card with the least memory of at least so many bytes; within 8%, so that 80 GiB finds a card of 80 GB."""
    fit = [one for one in gpus().values() if one.memory * 1.08 >= memory]
    if not fit:
        most = max(gpus().values(), key=lambda one: one.memory)
        raise ShapeError(f"no known GPU has {memory / 1e9:,.0f} GB; {most.name} has the most, {most.memory / 1e9:,.0f} GB")
    return min(fit, key=lambda one: (one.memory, -one.bf16))


def size_of(text: str) -> int:
    """Bytes of `80GiB`, `80 GB`, `1TB`. Raises ShapeError with what is expected."""
    match = SIZE.fullmatch(text.strip())
    if match is None or not 0 < (size := float(match[1]) * UNITS[(match[2] or "").lower()]) < 2**60:
        raise ShapeError(f"memory {text!r} is no size; expected a number with GB or GiB, such as 80GB")
    return int(size)
