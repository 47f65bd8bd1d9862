"""What is tampered with, cut off, missing or swapped is named with what was expected; code in it never runs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from forge_assets.fragments import pickles
from forge_assets.fragments.build import build
from forge_assets.fragments.verify import verify
from forge_resources.errors import FragmentError
from tests.fragments.damage import DAMAGED, DAMAGES
from tests.fragments.plans import documents, plan


def test_there_are_fifty_ways_to_be_damaged() -> None:
    assert len(DAMAGES) >= 50


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_damaged_is_refused_and_nothing_of_it_runs(name: str, copied: Path) -> None:
    damage, message = DAMAGES[name]
    damage(copied)
    with pytest.raises(FragmentError) as error:
        verify(copied, DAMAGED)
    assert re.search(message, str(error.value)), str(error.value)
    assert len(str(error.value)) < 1200 and not (copied / "ran").exists()


def test_pieces_of_two_models_are_told_apart(llama: Path, copied: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    list(build(plan("llama", seed=1), other, documents, ["01-tokenizer", "02-embedding", "03-position"]))
    shutil.rmtree(copied / "03-position")
    shutil.copytree(other / "03-position", copied / "03-position")
    with pytest.raises(
        FragmentError, match="03-position and 01-tokenizer are of different models: seed is 1 in the one and 0 in the other"
    ):
        verify(copied)


def test_a_piece_of_an_older_build_is_told_by_its_parents(copied: Path) -> None:
    from tests.fragments.damage import signed

    card = copied / "03-position" / "README.md"
    card.write_text(card.read_text() + "\nEdited.\n")
    signed(copied / "03-position")
    with pytest.raises(FragmentError, match=r"04-attention was made from another 03-position: expected [0-9a-f]{16}\.\.\., found"):
        verify(copied)


def test_an_honest_dict_of_tensors_is_read(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "model.pt"
    pickles.write(path, {"b": torch.ones(2, 3)[:, :1], "a": torch.zeros(0, 4)})
    found = pickles.load(path)
    assert list(found) == ["a", "b"] and torch.equal(found["b"], torch.ones(2, 1))
    torch.save({"a": [1]}, path)
    with pytest.raises(FragmentError, match="refused"):
        pickles.load(path)
