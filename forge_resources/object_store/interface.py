"""What both object stores can do, and what a key may look like."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from forge_resources.errors import ObjectExists, ObjectStoreError

LONGEST_KEY = 1024  # bytes, the limit of S3
LONGEST_NAME = 255  # bytes between two slashes, the limit of file systems
RAW_KEY = re.compile(r"^raw/([0-9a-f]{64})$")
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """`sha256` (hex) is None where the store has not recorded it: in listings, and for objects that Forge did not write.
    `etag` changes when the object changes."""

    key: str
    size: int
    sha256: str | None
    etag: str


class ObjectStore(ABC):
    """Objects appear whole or not at all; a put over an existing key replaces it."""

    @abstractmethod
    def put(self, key: str, data: bytes | Path, *, if_absent: bool = False, media_type: str | None = None) -> ObjectInfo:
        """Stores bytes, or the bytes of a file. With `if_absent`, ObjectExists when the key is taken: of two writers one wins."""

    @abstractmethod
    def get(self, key: str) -> bytes:
        """The object's bytes, verified against its SHA-256 where that is known. ObjectMissing when there is none."""

    @abstractmethod
    def open(self, key: str) -> BinaryIO:
        """The object as a seekable file, for what should not lie in memory."""

    @abstractmethod
    def stat(self, key: str) -> ObjectInfo | None: ...

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """All objects whose keys begin with `prefix`, in the order of their keys."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Nothing happens when there is no such object."""

    @property
    @abstractmethod
    def address(self) -> str:
        """For people: the folder or s3://bucket/prefix."""

    def exists(self, key: str) -> bool:
        return self.stat(key) is not None

    def put_raw(self, data: bytes | Path) -> str:
        """Stores under 'raw/<sha256>' unless it is there already; returns the key."""
        key = raw_key(data)
        if not self.exists(key):
            try:
                self.put(key, data, if_absent=True)
            except ObjectExists:
                pass  # another process stored the same bytes at this moment
        return key


def raw_key(data: bytes | Path) -> str:
    """Where `put_raw` stores these bytes."""
    return f"raw/{digest(data)}"


def digest(data: bytes | Path) -> str:
    """SHA-256 in hex."""
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    with data.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked(key: str) -> str:
    """The key, or ObjectStoreError: relative, no '.' or '..', no control character, short enough for both stores."""
    wrong = None
    if not key or key.startswith("/") or key.endswith("/"):
        wrong = "it must not be empty, nor begin or end with a slash"
    elif any(part in ("", ".", "..") for part in key.split("/")):
        wrong = "it must not contain '..', '.' or an empty part"
    elif any(ord(character) < 32 or ord(character) == 127 for character in key) or "\\" in key:
        wrong = "it must not contain control characters or backslashes"
    else:
        try:
            encoded = key.encode()
        except UnicodeEncodeError:
            wrong = "it is no valid text"
        else:
            if len(encoded) > LONGEST_KEY or any(len(part) > LONGEST_NAME for part in encoded.split(b"/")):
                wrong = f"it may have {LONGEST_KEY} bytes, {LONGEST_NAME} between two slashes"
    if wrong:
        raise ObjectStoreError(f"{key[:200]!r} is no key of an object: {wrong}")
    return key
