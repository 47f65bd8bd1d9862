"""Where methods occur, told by plain words: whole names, and not inside longer ones that are known."""

from __future__ import annotations

from forge_assets.components.evaluation.occurring import Occurring, kept
from forge_assets.components.evaluation.pwc_methods import Method

METHODS = [
    Method("Instance Normalization", "Instance Normalization", frozenset({"norm"}), None),
    Method("CycleGAN", "CycleGAN", frozenset({"architecture"}), None),
    Method("DETR", "DETR", frozenset({"architecture"}), None),
]


def places(text: str, *known: str) -> set[int]:
    occurring = Occurring(METHODS, known)
    return kept(occurring.in_text(text), occurring)


def test_whole_names_occur() -> None:
    assert places("We use instance-normalization and a CycleGAN.") == {0, 1}
    assert places("We use instances of normalization and CycleGAN-2 with RT-DETR.") == set()


def test_a_name_inside_a_longer_known_one_does_not() -> None:
    known = ("adaptive instance normalization", "Deformable DETR", "DETR")
    assert places("With adaptive instance normalizations and a Deformable DETR.", *known) == set()
    assert places("With adaptive instance normalization, not instance normalization.", *known) == {0}
    assert places("With adaptive instance normalization.") == {0}, "nobody knows the longer one"
    assert places("With a deformable detr, then DETR.", *known) == {2}
