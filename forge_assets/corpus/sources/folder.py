"""A folder with all its subfolders, or one file, as a source."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from forge_assets.corpus.addresses import file_path, file_uri
from forge_assets.corpus.readers.dumps import is_dump
from forge_assets.corpus.readers.feeds import looks_like_records, may_hold_records, read_head
from forge_assets.corpus.sources.interface import IGNORED, Listed
from forge_resources.errors import SourceError

IGNORED_NAME = re.compile(IGNORED)


def is_container(name: str, opened: Callable[[], BinaryIO]) -> bool:
    """Whether a file holds many records: a dump by its name, a feed or an array of records by its first bytes."""
    if is_dump(name):
        return True
    if not may_hold_records(name):
        return False
    with opened() as stream:
        return looks_like_records(read_head(stream))


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder with all its subfolders, or one file. Hidden files, editor locks and links that lead outside are passed over."""

    name: str
    address: str
    path: Path
    excluded: frozenset[Path] = frozenset()

    def check(self) -> None:
        if not os.path.exists(self.path):  # noqa: PTH110 - Path.exists raises for a path that the system refuses
            raise SourceError(f"source {self.name}: {self.path} does not exist; correct the path or `forge source remove {self.name}`")
        if not (self.path.is_dir() or self.path.is_file()):
            raise SourceError(f"source {self.name}: {self.path} is neither a folder nor a file but a device, a pipe or a socket")
        if not os.access(self.path, os.R_OK):
            raise SourceError(f"source {self.name}: no permission to read {self.path}")

    def list(self) -> Iterator[Listed]:
        self.check()
        if self.path.is_file():
            yield self._listed(self.path)
            return
        root = self.path.resolve()
        for folder, subfolders, files in os.walk(self.path, onerror=self._unreadable):
            subfolders[:] = sorted(d for d in subfolders if not IGNORED_NAME.match(d) and Path(folder, d).resolve() not in self.excluded)
            for name in sorted(files):
                path = Path(folder, name)
                if IGNORED_NAME.match(name):
                    continue
                try:
                    leads_outside = path.is_symlink() and not path.resolve().is_relative_to(root)
                    if not leads_outside and stat.S_ISREG(path.stat().st_mode):
                        yield self._listed(path)
                except (FileNotFoundError, RuntimeError):
                    continue  # removed while we list, a broken link, a link to itself
                except OSError as error:
                    if error.errno != errno.ELOOP:
                        raise

    def open(self, uri: str) -> BinaryIO:
        return file_path(uri).open("rb")

    def _listed(self, path: Path) -> Listed:
        info = path.stat()
        problem = None if os.access(path, os.R_OK) else "unreadable: no permission to read the file"
        relative = path.name if path == self.path else str(path.relative_to(self.path))
        token = f"{info.st_size}:{info.st_mtime_ns}:{info.st_ctime_ns}"
        holds_records = is_dump(relative) or (problem is None and is_container(relative, lambda: path.open("rb")))
        return Listed(file_uri(path), relative, token, info.st_size, problem, holds_records)

    def _unreadable(self, error: OSError) -> None:
        raise SourceError(f"source {self.name}: cannot list {error.filename}: {error.strerror}; nothing was changed")
