"""A fragment's folder: made aside under its final file names, committed by one rename; SHA256SUMS, written last, is the commit mark."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from forge_assets.fragments.chain import CHAIN, SUMS
from forge_resources.errors import FragmentError
from forge_resources.object_store.interface import digest

ASIDE = ".making-"
LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*)")
LARGEST_SUMS, LARGEST_TEXT = 1 << 20, 16 << 20
"""Bytes. A file with a hole of 200 GB takes no room on disk and minutes to hash."""
TEXTS = (".json", ".md", ".py", ".fdl", ".hpp", ".cpp", ".jinja")
LEFT_BY_RUNS = frozenset({"__pycache__", ".pytest_cache"})
"""What a run of the fragment's own test leaves beside it; no part of the fragment."""


@contextmanager
def building(root: Path) -> Iterator[None]:
    """Holds the root, so that a second run waits; takes away what a killed run left half made."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for left in root.glob(f"{ASIDE}*"):
            shutil.rmtree(left)
        yield


@contextmanager
def made_aside(root: Path, name: str) -> Iterator[Path]:
    """A folder to write the fragment into; committed when the block ends, gone when it raises."""
    aside = root / f"{ASIDE}{name}"
    aside.mkdir(parents=True)
    try:
        yield aside
        commit(aside, root / name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def commit(aside: Path, final: Path) -> None:
    """Writes the sums of all files, brings everything to the disk, and renames. What stood there before goes."""
    seal(aside)
    present = files(aside)
    for path in (*present, aside / SUMS, *sorted({path.parent for path in present}, reverse=True)):
        _to_disk(path)
    if final.exists():
        old = final.parent / f"{ASIDE}old-{final.name}"
        final.rename(old)
        aside.rename(final)
        shutil.rmtree(old)
    else:
        aside.rename(final)
    _to_disk(final.parent)


def seal(folder: Path) -> None:
    """Writes the sums of all files."""
    lines = [f"{digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in files(folder)]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def files(folder: Path) -> list[Path]:
    """All but its own sums, in the order of their paths, those of folders in it too. What is no plain file is among them, and an empty
    folder stands for itself; nothing is looked for behind a link."""
    return sorted(path for path in _below(folder) if path != folder / SUMS)


def named(folder: Path) -> dict[str, Path]:
    """The same by the names that the sums have for them."""
    return {path.relative_to(folder).as_posix(): path for path in files(folder)}


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in LEFT_BY_RUNS:
            continue
        if path.is_dir() and not path.is_symlink() and any(path.iterdir()):
            yield from _below(path)
        else:
            yield path


def sums_of(folder: Path) -> str:
    """SHA-256 of the sums: it names the fragment and every byte in it. Raises FragmentError where there is no commit mark."""
    path = folder / SUMS
    if not path.is_file():
        raise FragmentError(f"{folder} has no {SUMS}: it is no fragment, or was not finished; build or fetch it again")
    bounded(path, LARGEST_SUMS)
    return digest(path)


def bounded(path: Path, most: int) -> None:
    """Raises FragmentError for a file of more bytes."""
    if (size := path.stat().st_size) > most:
        raise FragmentError(f"{path} has {size:,} bytes; expected at most {most:,}: fetch the fragment again")


def listed(folder: Path) -> Mapping[str, str]:
    """File name -> SHA-256, as the sums say."""
    sums_of(folder)
    found: dict[str, str] = {}
    for line in (folder / SUMS).read_bytes().decode(errors="replace").splitlines():
        match = LINE.fullmatch(line)
        if match is None or match[2] in found or match[2] == SUMS or not {".", ".."}.isdisjoint(match[2].split("/")):
            raise FragmentError(f"{folder / SUMS} is damaged: the line {line[:80]!r} is no sum of a file of its own; fetch it again")
        found[match[2]] = match[1]
    return found


def check_sums(folder: Path) -> None:
    """Every file as its sum says, and none that the sums do not name. Raises FragmentError for the first that is not."""
    wanted = listed(folder)
    present = named(folder)
    for name, path in present.items():
        if path.is_symlink() or not path.is_file():
            raise FragmentError(f"{path} is no plain file; a fragment holds nothing else: take it out")
        if name not in wanted:
            raise FragmentError(f"{path} is not named in {SUMS}; expected {len(wanted)} files: take it out, or fetch the fragment again")
    for name, expected in wanted.items():
        if name not in present:
            raise FragmentError(f"{folder / name} is missing; {SUMS} names it: fetch the fragment again")
        if name.endswith(TEXTS):
            bounded(present[name], LARGEST_TEXT)
        found = digest(present[name])
        if found != expected:
            raise FragmentError(
                f"{folder / name} was changed or cut off: expected SHA-256 {expected[:16]}..., found {found[:16]}...; fetch it again"
            )


def intact(folder: Path) -> bool:
    """Whether it is a committed fragment whose bytes are those of its sums."""
    try:
        check_sums(folder)
    except (FragmentError, OSError):
        return False
    return True


def fragments_in(root: Path) -> dict[str, Path]:
    """The fragments of a folder by name, in the order of the chain: those below it, or it itself."""
    if (root / SUMS).is_file():
        return {root.resolve().name: root}
    if not root.is_dir():
        raise FragmentError(f"there is no folder {root}; expected one with fragments such as {next(iter(CHAIN))} in it")
    return {name: root / name for name in CHAIN if (root / name).is_dir()}


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
