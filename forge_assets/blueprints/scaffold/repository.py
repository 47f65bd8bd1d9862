"""The template of one blueprint as a local git repository, which copier copies from and updates by: a tag for each state it has had.

In: the files of the template. Out: the tag that holds them, v1, v2, ...; files as they were before make no new one. Author and dates are
fixed, so the same history gives the same commits on every machine.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from forge_resources.errors import ForgeError

AUTHOR = {"NAME": "forge", "EMAIL": "forge@localhost", "DATE": "2000-01-01T00:00:00+00:00"}


def publish(folder: Path, files: Mapping[str, bytes]) -> str:
    """Brings the repository up to these files and returns the tag.

    Raises ForgeError where git is missing or the folder cannot be written.
    """
    if shutil.which("git") is None:
        raise ForgeError("git is not installed; a project is generated from a git repository, so that it can be updated: install git")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            if not (folder / ".git").is_dir():
                git(folder, "init", "--quiet", "--initial-branch=main")
            _replace(folder, files)
            git(folder, "add", "--all", "--force")
            if not _tags(folder) or git(folder, "status", "--porcelain"):
                return _commit(folder)
            return _tags(folder)[-1]
    except OSError as error:
        raise ForgeError(f"the template's folder {folder} cannot be written: {error.strerror or error}; check FORGE_HOME") from None


def git(folder: Path, *arguments: str, ok: tuple[int, ...] = (0,)) -> str:
    """Runs git without the settings of user and machine, which could change what it writes. `ok`: exit codes that are no failure."""
    person = {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in AUTHOR.items()}
    plain = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    outside = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(["git", "-C", str(folder), *arguments], env=outside | person | plain, capture_output=True, text=True, check=False)
    if done.returncode not in ok:
        raise ForgeError(f"git {arguments[0]} failed in {folder}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def _replace(folder: Path, files: Mapping[str, bytes]) -> None:
    for old in folder.iterdir():
        if old.name != ".git":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def _commit(folder: Path) -> str:
    tag = f"v{len(_tags(folder)) + 1}"
    git(folder, "commit", "--quiet", "--allow-empty", "-m", tag)
    git(folder, "tag", tag)
    return tag


def _tags(folder: Path) -> list[str]:
    return git(folder, "tag", "--sort=version:refname").splitlines()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with folder.with_name(f".{folder.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def inside_git(folder: Path) -> bool:
    return git(folder, "rev-parse", "--is-inside-work-tree", ok=(0, 128)) == "true"
