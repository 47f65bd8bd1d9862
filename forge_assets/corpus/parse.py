"""Bytes or a record -> Document: read, compose, cut. PARSER_VERSION goes into every row's stage_version: raise it with every
change of output."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from forge_assets.corpus.canonical import compose
from forge_assets.corpus.language import detect_language
from forge_assets.corpus.model import Block, Document, Parsed, Passage
from forge_assets.corpus.passages import MAX_TOKENS, cut
from forge_assets.corpus.problems import problem
from forge_assets.corpus.readers import read
from forge_assets.corpus.readers.limits import Limits
from forge_assets.corpus.readers.records import read_record
from forge_resources.errors import DocumentProblem

PARSER_VERSION = "2"
LONGEST_FACET = 200
"""Characters that a licence or a language may have."""


def parse(data: bytes, name: str, limits: Limits | None = None) -> Document:
    """The document of a file's bytes. Raises DocumentProblem with a code of `problems.PROBLEMS`."""
    return finish(read(data, name, limits or Limits()), name)


def parse_record(record: dict[str, Any], name: str) -> Document:
    """The document of one record of a dump. Raises DocumentProblem."""
    return finish(read_record(record, name), name)


def parse_records(records: Iterable[tuple[dict[str, Any], str]]) -> list[Document | DocumentProblem]:
    """Documents (or their problems) of many (record, name), in order; the tokenizer runs over all of them at once."""
    composed: list[tuple[Parsed, str, list[Block]] | DocumentProblem] = []
    for record, name in records:
        try:
            composed.append(_composed(read_record(record, name), name))
        except DocumentProblem as trouble:
            composed.append(trouble)
    return _cut_all(composed)


def finish(parsed: Parsed, name: str) -> Document:
    """Canonical text and passages of what a reader returned."""
    parsed, text, blocks = _composed(parsed, name)
    return Document(parsed, text, blocks, cut(text, blocks))


def _composed(parsed: Parsed, name: str) -> tuple[Parsed, str, list[Block]]:
    text, blocks = compose(parsed)
    if not text:
        raise problem("no_text", f"{name} holds no text")
    if parsed.language is None:
        parsed.language = detect_language(_prose(text, blocks))
    # both stand in an index of the database, whose rows are bounded; a longer one is no licence and no language
    parsed.license, parsed.language = parsed.license and parsed.license[:LONGEST_FACET], parsed.language and parsed.language[:LONGEST_FACET]
    return parsed, text, blocks


def _prose(text: str, blocks: Sequence[Block]) -> str:
    """What the language is told by: the first few thousand characters of prose, without code, tables and references."""
    if len(blocks) <= 2:
        return text
    parts, length = [], 0
    for block in blocks:
        if block.kind not in ("code", "table", "formula", "reference"):
            parts.append(text[block.start : block.end])
            length += block.end - block.start
            if length > 4_000:
                break
    return "\n".join(parts)


def _cut_all(composed: Sequence[tuple[Parsed, str, list[Block]] | DocumentProblem]) -> list[Document | DocumentProblem]:
    """Most records are one short passage, whose word pieces need only be counted; what only the tokenizer can read it reads at once."""
    from forge_assets.corpus.tokenizer import count_pieces, tokenizer

    counts = [None if isinstance(item, DocumentProblem) else count_pieces(item[1]) for item in composed]
    hard = [item[1] for item, count in zip(composed, counts, strict=True) if count is None and not isinstance(item, DocumentProblem)]
    encodings = iter(tokenizer().encode_batch(hard, add_special_tokens=False))
    out: list[Document | DocumentProblem] = []
    for item, count in zip(composed, counts, strict=True):
        if isinstance(item, DocumentProblem):
            out.append(item)
            continue
        parsed, text, blocks = item
        if count is None:
            encoding = next(encodings)
            pieces = len(encoding)
        else:
            encoding, pieces = None, count
        if pieces <= MAX_TOKENS - 2 and all(block.kind in ("title", "paragraph") for block in blocks):
            passages = [Passage(0, len(text), "text", (), None, pieces)]
        else:
            passages = cut(text, blocks, encoding=encoding)
        out.append(Document(parsed, text, blocks, passages))
    return out
