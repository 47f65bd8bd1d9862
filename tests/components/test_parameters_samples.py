"""Sizes of data sets: items that are counted in a sentence about data, and what only looks like that."""

from __future__ import annotations

import pytest

from tests.components.parameter_texts import read

SIZES = [
    ("The dataset contains 40K dental images.", [("40K", 40e3, "images")]),
    ("We fine-tune the network on only 2,500 hand-labelled tweets.", [("2,500", 2500.0, "tweets")]),
    ("We collected more than 3,000 photos to train a CNN.", [("3,000", 3000.0, "photos")]),
    (
        "The corpus has 12k training images, 3k validation images and 900 test images for a neural detector.",
        [("12k", 12e3, "images"), ("3k", 3e3, "images"), ("900", 900.0, "images")],
    ),
    ("A benchmark of 534 multi-step questions for language models.", [("534", 534.0, "questions")]),
    ("Our dataset, built for deep models, covers 1.2 million question-answer pairs.", [("1.2 million", 1.2e6, "pairs")]),
    ("A neural recogniser trained on 960 hours of read speech.", [("960", 960.0, "hours")]),
    ("An LLM was trained on a corpus of 15 billion tokens.", [("15 billion", 15e9, "tokens")]),
    ("The network is evaluated on 500 to 10,000 sentences.", [("500", 500.0, "sentences"), ("10,000", 10e3, "sentences")]),
    ("For a convolutional network the cohort is a dataset of 256 subjects.", [("256", 256.0, "subjects")]),
    ("The treebank for neural parsing holds 1,980 documents and 57,109 sentences.",
     [("1,980", 1980.0, "documents"), ("57,109", 57109.0, "sentences")]),
    ("A dataset of 110 thousands images for a diffusion model", [("110 thousands", 110e3, "images")]),
    ("The deep model was evaluated on a set of 2000 images.", [("2000", 2000.0, "images")]),
    ("The network detects cracks on KITTI (7K images).", [("7K", 7e3, "images")]),
    ("A transformer learns from a cleaned corpus (~41B words).", [("41B", 41e9, "words")]),
    ("Leveraging over 10 million abstracts, an LLM builds a graph.", [("10 million", 10e6, "abstracts")]),
    ("A dataset of 53k synthetic and 3.6k real images trains the network.", [("53k", 53e3, "images"), ("3.6k", 3600.0, "images")]),
    ("Ten thousand cell images were annotated for our deep classifier.", [("Ten thousand", 10e3, "images")]),
    ("A dataset of 129,484 carefully picked 4K images for neural restoration.", [("129,484", 129484.0, "images")]),
]  # fmt: skip
NONE = [
    "The neural detector reads 30 images per second from the dataset.",
    "The network sees 5 images of each scene.",
    "A transformer estimates depth from 360 images of the benchmark.",
    "An omnidirectional dataset for neural networks was published in 2018 papers.",
    "The benchmark asks a language model questions over documents with an average of 47 pages and 21,214 words.",
    "A network reads 64-beam point clouds of the dataset.",
    "Annotated by 40 participants, the dataset trains a CNN.",
    "We evaluate 9 language understanding tasks with a neural model.",
    "The decision tree was validated on a database of 152 images.",
]


@pytest.mark.parametrize(("text", "expected"), SIZES)
def test_what_is_counted_in_a_sentence_about_data_is_its_size(text: str, expected: list[tuple[str, float, str]]) -> None:
    found = [v for v in read(text) if v.parameter == "dataset_size"]
    assert [(text[v.start : v.end], v.value, v.unit) for v in found] == expected


@pytest.mark.parametrize("text", NONE)
def test_other_counts_are_no_size_of_data(text: str) -> None:
    assert [v for v in read(text) if v.parameter == "dataset_size"] == []


def test_a_text_about_other_methods_states_no_data_of_models() -> None:
    assert read("A dataset of 300 images is sorted by a support vector machine.") == []
    assert [v.value for v in read("A dataset of 300 images is sorted by a neural network.")] == [300.0]
