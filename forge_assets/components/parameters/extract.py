"""A reading -> its parameter values: tables, code, lines and sentences, each by its own reader, then subjects and conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from forge_assets.components.parameters import choices, code, configs, front_matter, lines, moments, prose, tables
from forge_assets.components.parameters.statements import Sentence
from forge_assets.components.parameters.subjects import Belongings, Mentioned, belong
from forge_assets.components.parameters.themes import Theme
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Vocabulary, default_vocabulary
from forge_assets.corpus.model import Block

Span = tuple[int, int]

if TYPE_CHECKING:
    from forge_assets.components.ontology.model import Ontology
    from forge_assets.components.text import Reading

_DIGIT = re.compile(r"\d")
_WORDY = re.compile(
    r"ptimi[sz]|chedul|anneal|ctivation|linearit|GPU|TPU|[Pp]recision|earning[- ]rate|\b(?:million|billion|thousand)\b"
    r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve)\b[\s-](?:\w+[\s-]){0,2}(?:layer|head|epoch|expert|block|day|hour|week|iteration)"
)
_ENTRIES = re.compile(r"\w=|--\w|[\"']\s?:")
_LINES = frozenset({"list_item", "paragraph"})
_LONGEST_LINE = 240
_SILENT = frozenset({"reference", "heading", "formula"})


def values(
    reading: Reading, mentions: Sequence[Mentioned], vocabulary: Vocabulary | None = None, belongings: Belongings | None = None
) -> list[ParameterValue]:
    """The parameter values that a document states, in order of start; text[start:end] is each value as written.

    Values outside the plausible range of their parameter are left out, and so are numbers in references, formulas and headings.
    `mentions` are the components found in the document, in any order. `vocabulary` and `belongings` default to those of Forge's ontology.
    """
    vocabulary = vocabulary or default_vocabulary()
    belongings = belongings or default_belongings()
    ordered = sorted(mentions, key=lambda mention: mention.start)
    theme = Theme(reading.text)
    out: list[ParameterValue] = []
    for block, heading in _with_headings(reading):
        for span, found in _of_block(reading, theme, block, heading, vocabulary):
            out += belong(found, span, reading, ordered, belongings, heading)
    return _distinct(out, reading)


def belongings_of(ontology: Ontology) -> Belongings:
    """Which components of the ontology own which parameter, and which are whole models."""
    owners: dict[str, set[str]] = {}
    for component in ontology.components.values():
        for use in component.parameters:
            owners.setdefault(use.id, set()).add(component.id)
    models = frozenset(component.id for component in ontology.components.values() if component.slot == "architecture")
    return Belongings({parameter: frozenset(ids) for parameter, ids in owners.items()}, models)


@lru_cache(maxsize=1)
def default_belongings() -> Belongings:
    """Those of the ontology that comes with Forge. Raises ForgeError where its files are faulty."""
    from forge_assets.components.ontology import load_ontology

    return belongings_of(load_ontology())


def _with_headings(reading: Reading) -> Iterator[tuple[Block, str]]:
    """Each block that may state values, with the heading above it; a text without blocks is one paragraph."""
    heading = ""
    text = reading.text
    for block in reading.blocks or (Block("paragraph", 0, len(text)),):
        if block.kind in ("heading", "title"):
            heading = text[block.start : block.end]
        if block.kind not in _SILENT and (
            _DIGIT.search(text, block.start, block.end)
            or _WORDY.search(text, block.start, block.end)
            or block.kind in ("list_item", "code")
        ):
            yield block, heading


def _of_block(
    reading: Reading, theme: Theme, block: Block, heading: str, vocabulary: Vocabulary
) -> Iterator[tuple[Span, list[ParameterValue]]]:
    """What each reader finds, with the stretch (block or sentence) in which its values look for their subjects."""
    text, span = reading.text, (block.start, block.end)
    if block.kind == "table":
        yield span, tables.read(text, *span, vocabulary)
    elif block.kind == "code" and block is front_matter.block_of(text, reading.blocks, reading.media_type):
        yield span, front_matter.read(text, block, vocabulary)
    elif block.kind == "code":
        yield span, code.read(text, *span, vocabulary)
    else:
        if block.kind in _LINES:
            yield span, list(_of_lines(text, block, vocabulary))
        about = "" if block.kind == "title" else heading
        for start, end in _sentences(reading, block):
            found = prose.read(Sentence(text, start, end, about, theme), vocabulary)
            found += choices.read(text, start, end, vocabulary, theme)
            found += moments.betas(text, start, end, vocabulary, "config" if block.kind == "list_item" else "prose")
            yield (start, end), found


def _of_lines(text: str, block: Block, vocabulary: Vocabulary) -> Iterator[ParameterValue]:
    """Lines "key: value" and entries of configurations ("--lr 1e-4", "{'lr': 1e-4}") that stand outside of code."""
    position = block.start
    while position < block.end:
        end = text.find("\n", position, block.end)
        end = block.end if end < 0 else end
        if end - position <= _LONGEST_LINE:
            yield from lines.read(text, position, end, vocabulary)
        position = end + 1
    if _ENTRIES.search(text, block.start, block.end):
        yield from configs.read_inline(text, block.start, block.end, vocabulary)


def _sentences(reading: Reading, block: Block) -> Iterator[tuple[int, int]]:
    """The sentences of a block, cut at its ends."""
    if not reading.sentences:
        yield block.start, block.end
        return
    for number in range(reading.sentence_at(block.start), len(reading.sentences)):
        start, end = reading.sentences[number]
        if start >= block.end:
            return
        if end > block.start:
            yield max(start, block.start), min(end, block.end)


def _distinct(found: list[ParameterValue], reading: Reading) -> list[ParameterValue]:
    """One value per place and parameter, the first found; none inside a web address."""
    kept: list[ParameterValue] = []
    taken: dict[tuple[int, str], bool] = {}
    spans: set[tuple[int, int]] = set()
    for value in found:
        if (value.start, value.parameter) in taken or (value.start, value.end) in spans or reading.in_address(value.start, value.end):
            continue
        taken[value.start, value.parameter] = True
        spans.add((value.start, value.end))
        kept.append(value)
    return sorted(kept, key=lambda value: (value.start, value.end, value.parameter))
