"""A document as the extractors see it: its text, where its blocks, sentences and words stand. Pure; all offsets index `Reading.text`."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from forge_assets.corpus import sentences
from forge_assets.corpus.model import Block

Span = tuple[int, int]
LONGEST_SENTENCE = 2000
"""Characters; what is longer (a list of words, a table without lines) is cut at white space, so that no rule looks at more at once."""

# Commands of TeX that only change the face of what they hold; they stand between letters as white space would.
_TEX_FACE = r"\\(?:text(?:sc|bf|it|tt|sf|rm|normal|sl)|math(?:rm|bf|it|cal|sf|tt)|emph|sc|bf|it|tt|em|xspace)\b\*?"
_WORD = re.compile(rf"{_TEX_FACE}|[^\W_]+(?:(?<=[0-9])\.[0-9]+)*")
_RUN = re.compile(r"[^\W_]+")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s)\]>}\"']+|[\w.+-]+@[\w-]+\.[\w.]*[^\W\d]")


class Cover:
    """Spans asked which of them hold a place, by bisection."""

    def __init__(self, spans: Iterable[Span]) -> None:
        ordered = sorted(spans)
        self._starts = [start for start, _ in ordered]
        self._ends = list(accumulate((end for _, end in ordered), max))

    def holds(self, start: int, end: int) -> bool:
        """Whether some span begins at `start` or before and ends at `end` or behind."""
        before = bisect_right(self._starts, start)
        return before > 0 and self._ends[before - 1] >= end


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
        spans = sentences.split(self.text)
        if max((end - start for start, end in spans), default=0) <= LONGEST_SENTENCE:
            return spans
        return [part for start, end in spans for part in _cut(self.text, start, end)]

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
    def runs(self) -> dict[str, list[int]]:
        """Where each run of letters and digits begins, by the run."""
        found: dict[str, list[int]] = {}
        for run in _RUN.finditer(self.text):
            found.setdefault(run[0], []).append(run.start())
        return found

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

    def in_heading(self, position: int) -> bool:
        """Whether `position` lies in the title or a heading."""
        return self._headings.holds(position, position + 1)

    @cached_property
    def _headings(self) -> Cover:
        title = [self.title_span] if self.title_span else []
        return Cover([*title, *((block.start, block.end) for block in self.blocks if block.kind in ("title", "heading"))])

    @cached_property
    def _in_addresses(self) -> Cover:
        return Cover(self.addresses)

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
        return self._in_addresses.holds(start, end)


def _cut(text: str, start: int, end: int) -> Iterator[Span]:
    """A sentence in parts of at most LONGEST_SENTENCE characters, cut at the last white space where there is any."""
    while end - start > LONGEST_SENTENCE:
        most = start + LONGEST_SENTENCE
        stop = max(text.rfind(mark, start + 1, most) for mark in " \n")
        stop = stop if stop > 0 else most
        yield start, start + len(text[start:stop].rstrip())
        start = end - len(text[stop:end].lstrip())
    yield start, end
