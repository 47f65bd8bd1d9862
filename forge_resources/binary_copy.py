"""Rows of fixed width out of Postgres as structured arrays, by binary COPY: no Python object per value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

BATCH = 8192  # rows turned into an array at once
SIGNATURE = b"PGCOPY\n\xff\r\n\0"
HEADER = len(SIGNATURE) + 8
TRAILER = b"\xff\xff"


def whole_numbers(raw: Any, statement: str, names: Sequence[str]) -> dict[str, npt.NDArray[np.int32]]:
    """The columns of a statement whose columns are all of type integer and never null, by `names` in their order; int32 [rows] each.

    `raw`: a psycopg connection.
    """
    row = np.dtype([("fields", ">i2"), *(field for name in names for field in ((f"length of {name}", ">i4"), (name, ">i4")))])
    parts = list(rows(raw, statement, row))
    found = np.concatenate(parts) if parts else np.empty(0, row)
    return {name: found[name].astype(np.int32) for name in names}


def rows(raw: Any, statement: str, row: np.dtype[Any]) -> Iterator[npt.NDArray[Any]]:
    """What a statement gives, a batch at a time. `row`: the field count (>i2), then length (>i4) and value of each column.

    libpq hands out one row at a time; the first comes with the file's header, the last is the trailer of two bytes. Raises ValueError
    where a row has another width, as one with a null has.
    """
    with raw.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT BINARY)") as copy:
        held: list[bytes] = []
        left = b""
        for data in copy:
            held.append(bytes(data))
            if len(held) == BATCH:
                whole, left = _whole(left, held, row)
                held = []
                yield whole
        whole, left = _whole(left, held, row)
    if left not in (b"", TRAILER):
        raise ValueError(f"COPY of {statement[:80]!r} gave rows of another width than {row.itemsize} bytes")
    if len(whole):
        yield whole


def _whole(left: bytes, held: Sequence[bytes], row: np.dtype[Any]) -> tuple[npt.NDArray[Any], bytes]:
    data = b"".join([left, *held])
    if data.startswith(SIGNATURE):
        data = data[HEADER:]
    count = len(data) // row.itemsize
    return np.frombuffer(data, row, count), data[count * row.itemsize :]
