"""Long and odd texts are read in time that grows with their length: books, theses, one sentence without end, a list of numbers."""

from __future__ import annotations

import random
import time

import pytest

from forge_assets.components.extraction import Extractor
from forge_assets.components.text import LONGEST_SENTENCE, Cover, Reading
from forge_assets.corpus.model import Block
from tests.components.readings import SAYINGS, ontology

EXTRACTOR = Extractor(ontology())
PAGE = 3000  # characters
GROWN = 4
NOISE = 2.0
"""How much more than four times as long a text of four times the length may take on a busy machine; a square would be sixteen."""


def book(pages: int) -> Reading:
    """Chapters with paragraphs, code, tables, lists, addresses, and abbreviations that are defined again and again."""
    chance, parts, blocks, at = random.Random(pages), [], [], 0

    def add(kind: str, text: str, level: int = 0) -> None:
        nonlocal at
        blocks.append(Block(kind, at, at + len(text), level))  # type: ignore[arg-type]
        parts.append(text)
        at += len(text) + 2

    number = 0
    while at < pages * PAGE:
        number += 1
        if number % 7 == 1:
            add("heading", f"{number} Experiments with part {number}", 1 + number % 3)
        name = f"Zork{number % 50}Net"
        said = [*chance.choices(SAYINGS, k=6), f"We propose {name}, a network.", f"{name} outperforms LSTM.",
                f"The low-rank adaptation method number {number} (LRAM{number % 40}) is at https://example.org/{number}."]  # fmt: skip
        add("paragraph", " ".join(said))
        if number % 5 == 0:
            add("list_item", f"learning_rate: {1 + number % 9}e-4")
        if number % 9 == 0:
            add("code", "learning_rate = 3e-4\nbatch_size: 128\nr = 8\nlora_alpha = 16\n")
        if number % 11 == 0:
            add("table", "| Model | Layers |\n|---|---|\n" + "".join(f"| M{n} | {n + 4} |\n" for n in range(8)))
    return Reading("book", "\n\n".join(parts), blocks, "A book", 2024)


def seconds(reading: Reading) -> float:
    """CPU time of a reading."""
    started = time.process_time()
    EXTRACTOR.read(Reading(reading.document_id, reading.text, reading.blocks, reading.title, reading.year))
    return time.process_time() - started


@pytest.mark.timeout(900)
@pytest.mark.parametrize("pages", [240, pytest.param(800, marks=pytest.mark.trial)])
def test_a_book_is_read_in_time_that_grows_with_its_length(pages: int) -> None:
    EXTRACTOR.read(book(5))  # compiles
    short, long = book(pages // GROWN), book(pages)
    assert len(long.text) > pages * PAGE
    found = EXTRACTOR.read(short)
    least = pages // GROWN
    assert (
        len(found.mentions) > 10 * least and len(found.names) > 50 and len(found.values) > 5 * least and len(found.relations) > 2.5 * least
    )
    assert seconds(long) < NOISE * GROWN * min(seconds(short) for _ in range(2))


ODD = {
    "numbers": "12 0.5 3e-4 1,024 ",
    "one word": "a",
    "one sentence": "we use Adam, and then ",
    "capitals": "ABC DEF ",
    "definitions": "deep learning (DL) ",
    "values": "learning rate of 0.1, ",
    "counts": "12 layers with 8 heads and ",
    "machines": "8 NVIDIA A100 GPUs and ",
    "formulas": "\\textbf{x_{1}} $y^{2}$ ",
    "cells": "| a | 1 ",
    "keys": '"dim": 512, "heads": 8, "r": 4, ',
    "quotes": '"x ',
    "proposals": "we propose a ",
    "addresses": "http://a.b/c ",
    "hyphens": "pre-trained-",
    "letters of other alphabets": "é β₂ 模型 ",
}


@pytest.mark.parametrize("kind", ["paragraph", "code", "table"])
@pytest.mark.parametrize("name", ODD)
def test_odd_texts_take_no_square_of_their_length(name: str, kind: str) -> None:
    def odd(length: int) -> Reading:
        text = (ODD[name] * (length // len(ODD[name]) + 1))[:length]
        return Reading("odd", text, [Block(kind, 0, length)])  # type: ignore[arg-type]

    EXTRACTOR.read(odd(500))
    assert seconds(odd(40_000)) < 0.1 + NOISE * GROWN * seconds(odd(40_000 // GROWN))


def test_a_sentence_without_end_is_cut_between_words() -> None:
    text = ("Some words without any full stop " * 500).strip()
    spans = Reading("d", text).sentences
    assert max(end - start for start, end in spans) <= LONGEST_SENTENCE
    assert " ".join(text[start:end] for start, end in spans) == text
    assert all(text[start:end].strip() == text[start:end] for start, end in spans)
    unbroken = "x" * (3 * LONGEST_SENTENCE + 5)
    assert "".join(unbroken[start:end] for start, end in Reading("d", unbroken).sentences) == unbroken


def test_a_cover_tells_what_lies_inside_any_of_its_spans() -> None:
    chance = random.Random(4)
    for _ in range(300):
        spans = [(start, start + chance.randrange(1, 12)) for start in chance.choices(range(60), k=chance.randrange(6))]
        cover = Cover(spans)
        for start in range(64):
            for end in range(start + 1, start + 8):
                assert cover.holds(start, end) == any(low <= start and end <= high for low, high in spans)
