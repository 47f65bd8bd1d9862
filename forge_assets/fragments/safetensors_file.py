"""Safetensors files whose bytes follow from what is in them: a header in sorted order, tensors one after the other.

`safetensors.save_file` with two or more metadata keys writes them in another order in each process (measured), so the writer is ours.
Reading is strict: a header that a lenient reader could take two ways is refused.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forge_resources.errors import FragmentError

KINDS = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}
DTYPES = {name: np.dtype(kind) for name, kind in KINDS.items()}
NAMES = {kind: name for name, kind in DTYPES.items()}
WIDTHS = {name: kind.itemsize for name, kind in DTYPES.items()} | {"BF16": 2}
LONGEST_HEADER = 100 << 20
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor in a file: `start`, `end` count from the first byte after the header."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    metadata: Mapping[str, str]
    tensors: Mapping[str, Entry]
    size: int  # bytes before the first tensor


def write(
    path: Path, shapes: Mapping[str, tuple[str, tuple[int, ...]]], tensor: Callable[[str], Array], metadata: Mapping[str, str]
) -> None:
    """Writes one tensor after the other, so that only one lies in memory. `shapes`: name -> (dtype, shape)."""
    order = sorted(shapes, key=lambda name: (-WIDTHS[shapes[name][0]], name))
    head: dict[str, Any] = {"__metadata__": dict(sorted(metadata.items()))}
    at = 0
    for name in order:
        dtype, shape = shapes[name]
        size = math.prod(shape) * WIDTHS[dtype]
        head[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            dtype, shape = shapes[name]
            made = np.ascontiguousarray(tensor(name), DTYPES[dtype])
            if made.shape != shape:
                raise ValueError(f"{name} has the shape {made.shape}, not {shape}")
            made.tofile(file)
        file.flush()
        os.fsync(file.fileno())


def write_arrays(path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    write(path, {name: (NAMES[one.dtype], one.shape) for name, one in arrays.items()}, arrays.__getitem__, metadata)


def header(path: Path) -> Header:
    """Raises FragmentError for a file that is cut off, or whose header contradicts itself."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, LONGEST_HEADER):
                raise _wrong(path, f"its header should have {length:,} bytes, the file has {size:,}; it is cut off or no safetensors")
            text = file.read(length)
    except OSError as error:
        raise FragmentError(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        found = json.loads(text.decode(), object_pairs_hook=lambda pairs: _once(path, pairs))
    except (ValueError, RecursionError):
        raise _wrong(path, "its header is no JSON") from None
    if not isinstance(found, dict):
        raise _wrong(path, "its header is no JSON object")
    metadata = found.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(one, str) for one in metadata.values()):
        raise _wrong(path, "its metadata is no object of strings")
    tensors = {name: _entry(path, name, one) for name, one in found.items()}
    _contiguous(path, tensors, size - 8 - length)
    return Header(metadata, tensors, 8 + length)


def arrays(path: Path, found: Header | None = None) -> Iterator[tuple[str, Array]]:
    """Each tensor by name, in the file's order, mapped from the file."""
    head = found or header(path)
    for name, one in sorted(head.tensors.items(), key=lambda item: item[1].start):
        if one.dtype not in DTYPES:
            raise _wrong(path, f"{name} is {one.dtype}; expected one of {', '.join(DTYPES)}")
        if one.start == one.end:
            yield name, np.zeros(one.shape, DTYPES[one.dtype])
            continue
        yield name, np.memmap(path, DTYPES[one.dtype], "r", head.size + one.start, one.shape or (1,)).reshape(one.shape)


def _entry(path: Path, name: str, one: Any) -> Entry:
    if not isinstance(one, dict) or set(one) != {"dtype", "shape", "data_offsets"}:
        raise _wrong(path, f"tensor {name!r} has not exactly dtype, shape and data_offsets")
    dtype, shape, offsets = one["dtype"], one["shape"], one["data_offsets"]
    if dtype not in WIDTHS:
        raise _wrong(path, f"tensor {name!r} has the dtype {str(dtype)[:20]!r}; expected one of {', '.join(WIDTHS)}")
    for numbers in (shape, offsets):
        if not isinstance(numbers, list) or not all(type(number) is int and 0 <= number < 1 << 60 for number in numbers):
            raise _wrong(path, f"tensor {name!r} has sizes or offsets that are no whole numbers")
    if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * WIDTHS[dtype]:
        raise _wrong(path, f"tensor {name!r} of shape {shape} does not fill its {offsets}")
    return Entry(dtype, tuple(shape), *offsets)


def _contiguous(path: Path, tensors: Mapping[str, Entry], size: int) -> None:
    at = 0
    for name, one in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].end)):
        if one.start != at:
            raise _wrong(path, f"tensor {name!r} begins at byte {one.start:,}, the one before it ends at {at:,}")
        at = one.end
    if at != size:
        raise _wrong(path, f"its tensors fill {at:,} bytes, the file has {size:,}; it is cut off or has something behind them")


def _once(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _wrong(path, "its header names something twice")
    return made


def _wrong(path: Path, why: str) -> FragmentError:
    return FragmentError(f"{path} is damaged: {why}; fetch it again")
