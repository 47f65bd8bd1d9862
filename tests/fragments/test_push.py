"""Fragments are handed out one by one: to folders, git and object stores; a second push changes nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from forge_assets.fragments.chain import SUMS
from forge_assets.fragments.push import push, put_fragment, target
from forge_assets.fragments.verify import verify
from forge_resources.errors import FragmentError
from forge_resources.object_store import FolderStore, ObjectInfo
from tests.fragments.plans import TO_TRAINED, tree


def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom git takes for the author, wherever the test runs."""
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "A")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "a@example.org")


def git(place: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=place, capture_output=True, text=True, check=True).stdout


def test_a_folder_gets_the_same_bytes_once(llama: Path, tmp_path: Path) -> None:
    to = target(str(tmp_path / "given"))
    assert not to.remote
    assert dict(push(llama, to)) == dict.fromkeys(TO_TRAINED, True)
    assert tree(tmp_path / "given") == tree(llama)
    assert dict(push(llama, to)) == dict.fromkeys(TO_TRAINED, False)


def test_git_gets_a_commit_a_fragment_and_nothing_else_of_the_repository(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody(monkeypatch)
    repository = tmp_path / "repository"
    to = target(f"git:{repository}")
    assert not to.remote and target("git:git@host:a/b").remote and target("git:https://host/a").remote
    assert all(new for _, new in push(llama, to))

    def log() -> list[str]:
        return git(repository, "log", "--format=%s").splitlines()

    assert [line.partition(":")[0] for line in log()] == list(TO_TRAINED)[::-1]
    (repository / "notes.txt").write_text("staged, and not ours")
    subprocess.run(["git", "add", "notes.txt"], cwd=repository, check=True)
    assert not any(new for _, new in push(llama, to)) and len(log()) == len(TO_TRAINED)
    assert len(verify(repository)) == len(TO_TRAINED)


def test_a_bare_repository_gets_its_commits_through_a_clone(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody(monkeypatch)
    bare = tmp_path / "b a r e.git"
    git(tmp_path, "init", "--quiet", "--bare", str(bare))
    before = {path.name for path in bare.iterdir()}
    assert all(new for _, new in push(llama, target(f"git:{bare}")))
    assert [line.split(" ")[1] for line in git(bare, "log", "--format=%at %s").splitlines()] == [f"{one}:" for one in TO_TRAINED[::-1]]
    assert {path.name for path in bare.iterdir()} == before
    assert not any(new for _, new in push(llama, target(f"git:{bare}")))


def test_what_a_hook_sets_leads_git_to_no_other_repository(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody(monkeypatch)
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert all(new for _, new in push(llama, target(f"git:{tmp_path / 'named'}")))
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert len(git(tmp_path / "named", "log", "--format=%s").splitlines()) == len(TO_TRAINED)
    assert not git(other, "for-each-ref") and not (other / ".git" / "index").exists()


def test_a_store_gets_the_sums_last_and_loses_what_is_no_longer_part(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path / "store")
    store.put("a/03-position/old.txt", b"x")
    puts: list[str] = []
    put = store.put

    def noted(key: str, data: bytes | Path) -> ObjectInfo:
        puts.append(key)
        return put(key, data)

    monkeypatch.setattr(store, "put", noted)
    assert put_fragment(store, "a/", llama / "03-position") and puts[-1] == f"a/03-position/{SUMS}"
    assert store.get(puts[-1]) == (llama / "03-position" / SUMS).read_bytes() and not store.exists("a/03-position/old.txt")
    assert not put_fragment(store, "a/", llama / "03-position")


def test_a_damaged_fragment_is_not_handed_out_and_odd_targets_are_refused(copied: Path, tmp_path: Path) -> None:
    (copied / "02-embedding" / "README.md").write_text("changed")
    with pytest.raises(FragmentError, match="was changed or cut off"):
        list(push(copied, target(str(tmp_path / "given"))))
    assert [path.name for path in sorted((tmp_path / "given").glob("0*"))] == ["01-tokenizer"]
    for wrong in ("git:", "ftp://host/a", f"git:ext::touch {tmp_path}/ran"):
        with pytest.raises(FragmentError, match="expected"):
            target(wrong)
    with pytest.raises(FragmentError, match=r"git clone in .* failed"):
        list(push(copied, target("git:file:///nowhere/at/all")))
    assert target("s3://bucket/prefix").remote
