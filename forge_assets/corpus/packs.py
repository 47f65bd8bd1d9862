"""Many small documents in one object: the concatenation of their bytes, compressed by zstd, under raw/<sha256 of the pack>.

A row says where in the uncompressed pack its document lies.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

import zstandard

from forge_resources.object_store import raw_key

T = TypeVar("T")

PACK_BYTES = 1_000_000
"""A pack with this many bytes is full."""


@dataclass(slots=True)
class Pack(Generic[T]):
    """Rows that wait to be stored together, and their bytes."""

    data: bytearray = field(default_factory=bytearray)
    rows: list[T] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return len(self.data) >= PACK_BYTES

    def add(self, row: T, data: bytes) -> None:
        self.data += data
        self.rows.append(row)

    def packed(self) -> tuple[str, bytes]:
        """The key and the bytes of the pack. The same documents in the same order make the same."""
        data = zstandard.compress(bytes(self.data), 3)
        return raw_key(data), data
