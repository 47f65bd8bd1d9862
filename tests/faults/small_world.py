"""A corpus of a dozen files and two dumps, yesterday and today; every way of the incremental stages is in the difference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.corpus.pdf_making import pdf_of

WORDS = "attention rotary embeddings optimizer warmup pruning distillation tokenizer quantization sparsity momentum dropout".split()
SOURCES = {"articles": "articles", "dumps": "dumps"}


def write_yesterday(root: Path) -> None:
    """root/articles and root/dumps."""
    articles, dumps = root / "articles", root / "dumps"
    (articles / "deep" / "er").mkdir(parents=True)
    dumps.mkdir()
    for number in range(4):
        (articles / f"note{number}.md").write_text(note(number))
    (articles / "plain.txt").write_text(prose(20, 6))
    (articles / "deep" / "latin.txt").write_bytes(("Überblick über das Verfahren. " * 12).encode("latin-1"))
    (articles / "page.html").write_text(
        f"<html><head><title>A page on pruning</title></head><body><h1>Pruning</h1><p>{prose(21, 8)}</p></body>"
    )
    (articles / "deep" / "er" / "book.ipynb").write_text(json.dumps(notebook()))
    (articles / "paper.pdf").write_bytes(pdf_of([f"BT /F1 12 Tf 72 720 Td ({prose(22, 2)[:80]}) Tj ET"]))
    (articles / "broken.pdf").write_bytes(b"%PDF-1.7\nthis is no portable document\n")
    (articles / "empty.txt").write_bytes(b"")
    (articles / "twin.md").write_text(note(0))  # the bytes of note0.md: one raw object for two documents
    (dumps / "a.jsonl").write_text(lines([record(n) for n in range(44)] + [record(3), "{ this is no record", {"doc_id": "none:1"}]))
    (dumps / "b.jsonl").write_text(lines([record(n) for n in range(40, 60)]))


def write_today(root: Path) -> None:
    """Over yesterday's: edited, removed, new, moved, mended and newly broken."""
    articles, dumps = root / "articles", root / "dumps"
    (articles / "note1.md").write_text(note(1) + "\n## Later\n\n" + prose(31, 5) + "\n")
    (articles / "note2.md").unlink()
    (articles / "empty.txt").write_text(prose(32, 3))  # leaves quarantine
    (articles / "plain.txt").write_bytes(b"  \n")  # enters it
    (articles / "new.md").write_text(note(9))
    (articles / "deep" / "latin.txt").rename(articles / "latin.txt")
    edited = [record(n) | ({"abstract": prose(n + 100, 4)} if n in (5, 6, 50) else {}) for n in range(64) if n not in (7, 8)]
    (dumps / "a.jsonl").write_text(lines([*edited[:40], "{ this is no record", record(3)]))
    (dumps / "b.jsonl").write_text(lines(edited[36:]))


def note(number: int) -> str:
    parts = [f"# {WORDS[number].title()} in the training of language models\n"]
    parts += [f"## Part {part}\n\n{prose(number * 10 + part, 5)}\n" for part in range(3)]
    return "\n".join(parts)


def prose(seed: int, sentences: int) -> str:
    made = []
    for n in range(sentences):
        a, b, c = (WORDS[(seed * 7 + n * k) % len(WORDS)] for k in (1, 3, 5))
        made.append(f"In experiment {seed}-{n} the effect of {a} on {b} is larger than that of {c}.")
    return " ".join(made)


def record(number: int) -> dict[str, Any]:
    made = {
        "doc_id": f"arxiv:2101.{number:05}",
        "title": f"On the {WORDS[number % 12]} of model number {number}",
        "abstract": prose(number, 3),
    }
    if number % 9 == 4:  # the same work once more, under another id
        made |= {"doc_id": f"acl:{number}", "title": f"On the {WORDS[(number - 1) % 12]} of model number {number - 1}"}
    return made | {"year": 2000 + number % 25}


def notebook() -> dict[str, Any]:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": f"# A notebook on momentum\n\n{prose(23, 4)}"},
        {"cell_type": "code", "metadata": {}, "source": "print(momentum)", "outputs": [], "execution_count": 1},
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def lines(records: list[Any]) -> str:
    return "".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in records)
