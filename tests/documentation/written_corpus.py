"""What tests of volumes share: a corpus that says what LoRA is, how it works, what it reaches, and where it fails, in words of its own."""

from __future__ import annotations

from typing import Any

import pytest

from forge_assets.compatibility.graph import build as graph
from forge_assets.components.catalogue import build as catalogue
from forge_assets.components.ontology import load_ontology
from forge_resources.database import Database
from tests.components.catalogue_corpus import paper, put

SAID = (
    "LoRA is a method that adds two small trainable matrices to each frozen weight of a large network.",
    "Low-rank adaptation (LoRA) is a technique for tuning large models by training a product of thin matrices.",
    "LoRA freezes the weights of the network and learns their change by multiplying two thin matrices.",
    "LoRA keeps the original weights in memory and merges the learnt product into them after training.",
    "LoRA reduces the memory of optimizer states by two thirds on models of seven billion parameters.",
    "LoRA improves the accuracy of small classifiers by 2.5 points on five sorting tasks.",
    "LoRA outperforms prefix tuning on long documents and needs fewer steps than adapters.",
    "LoRA suffers from slow convergence when the rank is chosen too small for the task.",
    "LoRA is sensitive to the learning rate and degrades when the rank grows beyond thirty two.",
    "LoRA should be used with a larger learning rate than full fine-tuning on small data sets.",
    "It remains unclear how LoRA changes the singular vectors of the weights during long training.",
    "LoRA adapters are trained with a rank of 16 on four accelerators in our kitchen laboratory.",
    "LoRA allows many tasks to share one network by swapping thin matrices between requests.",
    "LoRA yields models whose answers match those of fully trained networks on most questions.",
)


def papers(said: tuple[str, ...] = SAID, first: int = 1) -> list[dict[str, Any]]:
    return [paper(first + n, f"Cooks of house {first + n} wrote it down. {text}", year=2021 + n % 4) for n, text in enumerate(said)]


def stages(db: Database, records: list[dict[str, Any]]) -> None:
    """Everything that volumes are made from, brought up to these records."""
    ontology = load_ontology()
    put(db, records, ontology)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(catalogue, "read_decisions", lambda path: [])
        catalogue.build(db, ontology)
    graph.build(db, ontology)
