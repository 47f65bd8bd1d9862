"""Objects as files below a folder. Written to a temporary file, fsynced and renamed, so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from forge_resources.errors import ObjectExists, ObjectMissing, ObjectStoreError
from forge_resources.object_store.interface import BLOCK, RAW_KEY, ObjectInfo, ObjectStore, checked

TEMPORARY = ".tmp"
ABANDONED_AFTER = 24 * 3600  # seconds; a temporary file that old belongs to nobody
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class FolderStore(ObjectStore):
    def __init__(self, root: Path) -> None:
        with self._sentences(root):
            root.mkdir(parents=True, exist_ok=True)
            self._root = root.resolve()
            self._temporary = self._root / TEMPORARY
            self._temporary.mkdir(exist_ok=True)
            self._sweep()

    @property
    def address(self) -> str:
        return str(self._root)

    def put(self, key: str, data: bytes | Path, *, if_absent: bool = False, media_type: str | None = None) -> ObjectInfo:
        final = self._path(key)
        if if_absent and final.exists():
            raise ObjectExists(f"{key} exists already in {self._root}")
        with self._sentences(key):
            descriptor, name = tempfile.mkstemp(dir=self._temporary)
            written = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    sha256 = _fill(file, data)
                    file.flush()
                    os.fsync(file.fileno())
                    os.fchmod(file.fileno(), 0o644 & ~_umask())
                self._make_folders(final.parent)
                self._move(written, final, if_absent, key)
                _sync_folder(final.parent)
            finally:
                written.unlink(missing_ok=True)
            return self._info(key, final.stat(), sha256)

    def _move(self, written: Path, final: Path, if_absent: bool, key: str) -> None:
        if not if_absent:
            written.replace(final)
            return
        try:
            try:
                final.hardlink_to(written)
            except OSError as error:
                if error.errno not in NO_LINKS:
                    raise
                os.close(os.open(final, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))  # claims the name
                written.replace(final)
        except FileExistsError:
            raise ObjectExists(f"{key} exists already in {self._root}") from None

    def _make_folders(self, folder: Path) -> None:
        missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
        for parent in reversed(missing):
            parent.mkdir(exist_ok=True)
            _sync_folder(parent.parent)

    def get(self, key: str) -> bytes:
        with self._sentences(key), self.open(key) as file:
            data = file.read()
        expected = RAW_KEY.match(key)
        if expected and hashlib.sha256(data).hexdigest() != expected[1]:
            raise ObjectStoreError(
                f"{key} in {self._root} is damaged: its bytes have another checksum than its name; delete it and scan its source again"
            )
        return data

    def open(self, key: str) -> BinaryIO:
        path = self._path(key)
        with self._sentences(key):
            try:
                return path.open("rb")
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                raise ObjectMissing(f"{self._root} has no object {key}") from None

    def stat(self, key: str) -> ObjectInfo | None:
        path = self._path(key)
        with self._sentences(key):
            try:
                status = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
        return self._info(key, status) if path.is_file() else None

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        folder, _, name = prefix.rpartition("/")
        start = self._path(folder) if folder else self._root
        with self._sentences(prefix):
            yield from self._walk(start, f"{folder}/" if folder else "", name)

    def _walk(self, folder: Path, above: str, begins_with: str) -> Iterator[ObjectInfo]:
        try:
            entries = [(entry.name + "/" * entry.is_dir(), entry) for entry in os.scandir(folder) if entry.name.startswith(begins_with)]
        except (FileNotFoundError, NotADirectoryError):
            return
        for name, entry in sorted(entries, key=lambda pair: pair[0]):  # a folder's name with its slash: the order of whole keys
            if name.endswith("/"):
                if entry.path != str(self._temporary):
                    yield from self._walk(Path(entry.path), above + name, "")
                continue
            with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                yield self._info(above + name, entry.stat())

    def delete(self, key: str) -> None:
        path = self._path(key)
        with self._sentences(key), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()

    def _path(self, key: str) -> Path:
        path = self._root / checked(key)
        if path.is_relative_to(self._temporary):
            raise ObjectStoreError(f"{key!r} is no key of an object: {TEMPORARY}/ holds what is being written")
        if not path.parent.resolve().is_relative_to(self._root):
            raise ObjectStoreError(f"{key!r} leads out of {self._root} by a symbolic link")
        return path

    def _info(self, key: str, status: os.stat_result, sha256: str | None = None) -> ObjectInfo:
        raw = RAW_KEY.match(key)
        return ObjectInfo(key, status.st_size, sha256 or (raw[1] if raw else None), f"{status.st_mtime_ns:x}-{status.st_size:x}")

    def _sweep(self) -> None:
        for entry in os.scandir(self._temporary):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - entry.stat().st_mtime > ABANDONED_AFTER:
                    Path(entry.path).unlink()

    @contextlib.contextmanager
    def _sentences(self, what: object) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise ObjectStoreError(
                    f"the disk is full: the object store cannot write {what} in {getattr(self, '_root', what)}; "
                    "make room and run again, what is finished is kept"
                ) from error
            raise ObjectStoreError(
                f"the object store cannot use {what}: {reason} ({error.filename or getattr(self, '_root', what)})"
            ) from error


def _fill(file: BinaryIO, data: bytes | Path) -> str:
    """Writes the data and returns its SHA-256."""
    if isinstance(data, bytes):
        file.write(data)
        return hashlib.sha256(data).hexdigest()
    found = hashlib.sha256()
    with data.open("rb") as source:
        while block := source.read(BLOCK):
            file.write(block)
            found.update(block)
    return found.hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current
