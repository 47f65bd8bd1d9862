"""Hands fragments out: to a folder, a git repository (a commit each) or an object store (its sums last). What is there already is left."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from forge_assets.fragments.chain import SUMS
from forge_assets.fragments.folder import building, check_sums, fragments_in, made_aside, named, sums_of
from forge_resources.errors import FragmentError, ObjectMissing
from forge_resources.object_store import open_store
from forge_resources.object_store.interface import ObjectStore

REMOTE_GIT = re.compile(r"[a-z+]+://|[^/]+@[^/]+:")
HELPER = re.compile(r"[A-Za-z0-9]+::")
"""How git is told to run a program for a transport (`ext::COMMAND`)."""
ELSEWHERE = frozenset(
    "GIT_DIR GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR "
    "GIT_NAMESPACE GIT_PREFIX GIT_SHALLOW_FILE GIT_GRAFT_FILE".split()
)
"""Variables that a hook sets and that would make git act on its repository and not on the one that is named."""


@dataclass(frozen=True, slots=True)
class Target:
    """`kind`: folder, git or store. `remote`: beyond this machine, which asks for confirmation."""

    kind: str
    address: str
    remote: bool


def target(told: str) -> Target:
    """DIR, git:PATH, git:URL, s3://bucket/prefix or file://folder. Raises FragmentError for anything else."""
    if told.startswith("git:"):
        address = told.removeprefix("git:")
        if not address:
            raise FragmentError("--to git: names no repository; expected git:PATH or git:URL")
        if HELPER.match(address):
            raise FragmentError(f"--to {told}: runs a program as a transport, which is not done; expected git:PATH or git:URL")
        return Target("git", address, bool(REMOTE_GIT.match(address)))
    if told.startswith("s3://"):
        return Target("store", told, remote=True)
    if "://" in told and not told.startswith("file://"):
        raise FragmentError(f"--to {told}: expected a folder, git:PATH, git:URL or s3://bucket/prefix")
    return Target("folder", told.removeprefix("file://"), remote=False)


def push(root: Path, to: Target) -> Iterator[tuple[str, bool]]:
    """Each fragment as it is done, and whether it was new there. Each is checked against its sums first."""
    found = fragments_in(root)
    if not found:
        raise FragmentError(f"{root} holds no fragment; `forge fragments build` makes them")
    if to.kind == "store":
        store = open_store(to.address)
        for name, folder in found.items():
            check_sums(folder)
            yield name, put_fragment(store, "", folder)
    elif to.kind == "folder":
        yield from _into_folder(found, Path(to.address).expanduser())
    else:
        with _repository(to) as (repository, cloned):
            for name, folder in found.items():
                yield name, _commit(repository, name, folder, cloned)


def _into_folder(found: dict[str, Path], place: Path) -> Iterator[tuple[str, bool]]:
    with building(place):
        for name, folder in found.items():
            yield name, copy_fragment(folder, place, name)


def copy_fragment(folder: Path, place: Path, name: str) -> bool:
    check_sums(folder)
    if (place / name / SUMS).is_file() and sums_of(place / name) == sums_of(folder):
        return False
    with made_aside(place, name) as aside:
        for relative, path in named(folder).items():
            (aside / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, aside / relative)
    return True


def put_fragment(store: ObjectStore, prefix: str, folder: Path) -> bool:
    """An object a file; the sums go first and come last, so that they never name files that are not there."""
    where = f"{prefix}{folder.resolve().name}/"
    try:
        if store.get(where + SUMS) == (folder / SUMS).read_bytes():
            return False
        store.delete(where + SUMS)
    except ObjectMissing:
        pass
    present = named(folder)
    for name, path in present.items():
        store.put(where + name, path)
    for info in list(store.list(where)):
        if info.key.removeprefix(where) not in present:
            store.delete(info.key)
    store.put(where + SUMS, folder / SUMS)
    return True


@contextmanager
def _repository(to: Target) -> Iterator[tuple[Path, bool]]:
    """A work tree: the repository's own, made where there is none, or a clone of one that is remote or bare; and whether it is a clone."""
    place = Path(to.address).expanduser()
    if not (to.remote or _is_bare(place)):
        if not (place / ".git").exists():
            place.mkdir(parents=True, exist_ok=True)
            _git(place, "init", "--quiet")
        yield place, False
        return
    with tempfile.TemporaryDirectory(prefix="forge-push-") as made:
        address = to.address if to.remote else str(place.absolute())
        _git(Path(made), "clone", "--quiet", *(["--depth", "1"] if to.remote else []), "--", address, "repository")
        yield Path(made) / "repository", True


def _is_bare(place: Path) -> bool:
    return (place / "HEAD").is_file() and (place / "objects").is_dir() and (place / "refs").is_dir()


def _commit(repository: Path, name: str, folder: Path, cloned: bool) -> bool:
    """Commits the fragment alone, whatever else is staged there; a clone hands it on to where it came from."""
    copied = copy_fragment(folder, repository, name)
    _git(repository, "add", "--all", "--force", "--", name)
    changed = bool(_git(repository, "status", "--porcelain", "--", name))
    if changed:
        _git(repository, "commit", "--quiet", "--message", f"{name}: {sums_of(folder)[:16]}", "--", name)
    if changed and cloned:
        _git(repository, "push", "--quiet", "origin", "HEAD")
    return copied or changed


def _git(place: Path, *arguments: str) -> str:
    try:
        own = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
        made = subprocess.run(["git", *arguments], cwd=place, env=own, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise FragmentError("git is not installed; install it (Debian: apt-get install git), or push to a folder") from None
    if made.returncode:
        said = (made.stderr.strip() or made.stdout.strip()).splitlines()
        raise FragmentError(
            f"git {arguments[0]} in {place} failed: {said[-1] if said else made.returncode}; mend the repository and push again"
        )
    return made.stdout
