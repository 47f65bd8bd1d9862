"""Values made fit for Postgres, whatever a document brought: no reader and no record can end a run by what it says."""

from __future__ import annotations

import math
import re
from typing import Any
from uuid import UUID

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def storable(value: Any) -> Any:
    """The value without what Postgres cannot hold: NUL, lone surrogates, NaN, foreign types.

    A text keeps its length, so offsets stay true.
    """
    if isinstance(value, str):
        return value if value.isascii() and "\x00" not in value else _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {storable(str(key)): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [storable(item) for item in value]
    if value is None or isinstance(value, bool | int | UUID) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return storable(str(value))


def fitted(kind: str, value: Any) -> Any:
    """A storable value of the column type `kind`; what does not fit becomes text, or nothing."""
    value = storable(value)
    if kind == "text":
        return value if value is None or isinstance(value, str) else str(value)
    if kind == "text[]":
        return [item if isinstance(item, str) else str(item) for item in value] if isinstance(value, list) else []
    return value
