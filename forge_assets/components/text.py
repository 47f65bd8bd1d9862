"""A document as the extractors see it: its text, where its blocks, sentences and words stand. Pure; all offsets index `Reading.text`."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from forge_assets.corpus import sentences
from forge_assets.corpus.model import Block

Span = tuple[int, int]

# Commands of TeX that only change the face of what they hold; they stand between letters as white space would.
_TEX_FACE = r"\\(?:text(?:sc|bf|it|tt|sf|rm|normal|sl)|math(?:rm|bf|it|cal|sf|tt)|emph|sc|bf|it|tt|em|xspace)\b\*?"
_WORD = re.compile(rf"{_TEX_FACE}|[^\W_]+(?:(?<=[0-9])\.[0-9]+)*")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s)\]>}\"']+|[\w.+-]+@[\w-]+\.[\w.]*[^\W\d]")


@dataclass(frozen=True)
class Reading:
    """A document ready for extraction. `blocks` are in order; `title` may or may not stand in `text` too; `year` of publication."""

    document_id: str
    text: str
    blocks: Sequence[Block] = field(default=())
    title: str | None = None
    year: int | None = None
    media_type: str = "text/plain"

    @cached_property
    def sentences(self) -> list[Span]:
        """Spans of the sentences, in order."""
        return sentences.split(self.text)

    @cached_property
    def words(self) -> list[Span]:
        """Spans of the words: runs of letters and digits, numbers with their points (Qwen2.5 is one); TeX's font commands are none."""
        return [found.span() for found in _WORD.finditer(self.text) if found[0][0] != "\\"]

    @cached_property
    def lower(self) -> list[str]:
        """The words in small letters."""
        text = self.text
        return [text[start:end].lower() for start, end in self.words]

    @cached_property
    def addresses(self) -> list[Span]:
        """Spans of web and mail addresses, in which no name counts as mentioned."""
        text = self.text
        if "://" not in text and "www." not in text and "@" not in text:
            return []
        return [found.span() for found in _ADDRESS.finditer(text)]

    @cached_property
    def title_span(self) -> Span | None:
        """Where the title stands in the text: its block, or the beginning of a text that begins with it; None where it does not."""
        for block in self.blocks:
            if block.kind == "title":
                return block.start, block.end
        if self.title and self.text.startswith(self.title):
            return 0, len(self.title)
        return None

    @cached_property
    def _sentence_starts(self) -> list[int]:
        return [start for start, _ in self.sentences]

    @cached_property
    def _word_starts(self) -> list[int]:
        return [start for start, _ in self.words]

    def word_range(self, start: int, end: int) -> range:
        """Indices of the words that begin in text[start:end]."""
        starts = self._word_starts
        return range(bisect_left(starts, start), bisect_left(starts, end))

    def sentence_at(self, position: int) -> int:
        """Index of the sentence that holds `position`; of the one before it where it lies between two; 0 before the first."""
        return max(0, bisect_right(self._sentence_starts, position) - 1)

    def sentence_span(self, position: int) -> Span:
        """Span of the sentence that holds `position`; the whole text where there is no sentence."""
        return self.sentences[self.sentence_at(position)] if self.sentences else (0, len(self.text))

    def in_address(self, start: int, end: int) -> bool:
        """Whether text[start:end] lies inside a web or mail address."""
        return any(first <= start and end <= last for first, last in self.addresses)
