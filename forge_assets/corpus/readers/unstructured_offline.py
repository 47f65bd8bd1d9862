"""`unstructured` without network, telemetry and spaCy: the only door through which Forge uses it.

Its `nlp.tokenize` downloads a spaCy model at the first text. Three small functions stand in its place (words, sentences, a rule
tagger that knows verbs by closed lists and endings), so no path to the network is left; importing spaCy (and with it torch) falls away.
Tables that it makes when it is imported and that few documents need are made when one needs them: every parser process imports it.
"""

from __future__ import annotations

import importlib
import io
import os
import re
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from forge_assets.corpus import lexicon

if TYPE_CHECKING:
    from unstructured.documents.elements import Element as Partitioned

_OPT_OUTS = {"SCARF_NO_ANALYTICS": "true", "DO_NOT_TRACK": "true", "UNSTRUCTURED_DISABLE_NOTICE": "1"}
_SAMPLE = 2_000
"""Characters the classifiers look at: whether a text is prose shows in its first lines."""

_WORDS = re.compile(r"\w+(?:['’\-]\w+)*|[^\w\s]")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9À-Þ])")
_VERBS = frozenset(
    "am is are was were be been being has have had having do does did done can could will would shall should may might must "
    "use used uses make makes made take takes took give gives gave get gets got go goes went see sees saw know knows say says "
    "said show shows "
    "shown let run runs need needs want wants find finds found keep keeps kept become becomes became begin begins set sets put puts "
    "provide provides require requires allow allows contain contains include includes write writes read reads call calls try tries".split()
)
_VERB_ENDINGS = (
    ("ing", "VBG"),
    ("ed", "VBD"),
    ("ize", "VB"),
    ("ise", "VB"),
    ("ify", "VB"),
    ("izes", "VBZ"),
    ("ises", "VBZ"),
    ("ifies", "VBZ"),
)


def word_tokenize(text: str) -> list[str]:
    return _WORDS.findall(text[:_SAMPLE])


def sent_tokenize(text: str) -> list[str]:
    return [part for part in _SENTENCE_END.split(text[:_SAMPLE]) if part.strip()]


def pos_tag(text: str) -> list[tuple[str, str]]:
    """(word, Penn tag); only verbs matter to `unstructured`, everything else is called a noun."""
    return [(word, _tag(word.lower())) for word in word_tokenize(text)]


def _tag(word: str) -> str:
    if word in _VERBS:
        return "VB"
    return next((tag for ending, tag in _VERB_ENDINGS if len(word) > len(ending) + 2 and word.endswith(ending)), "NN")


@lru_cache(maxsize=1)
def _prepare() -> None:
    """Puts our tokenizer in the place of theirs before anything of `unstructured` is imported, or after."""
    os.environ.update({name: value for name, value in _OPT_OUTS.items() if not os.environ.get(name)})
    stand_in = types.ModuleType("unstructured.nlp.tokenize", __doc__)
    functions = {"word_tokenize": word_tokenize, "sent_tokenize": sent_tokenize, "pos_tag": pos_tag}
    for name, function in functions.items():
        setattr(stand_in, name, function)
    sys.modules["unstructured.nlp.tokenize"] = stand_in
    words = types.ModuleType("unstructured.nlp.english_words")
    words.ENGLISH_WORDS = _Words()  # type: ignore[attr-defined]
    sys.modules.setdefault("unstructured.nlp.english_words", words)
    sys.modules.setdefault("iso639", _Later("iso639"))  # 8,000 names of languages, none of which is asked for here
    import unstructured.nlp

    unstructured.nlp.tokenize = stand_in
    with _short_range_of_characters():
        import unstructured.cleaners.core
    from unstructured.partition import text_type

    for name, function in functions.items():
        setattr(text_type, name, function)


class _Words:
    """Their 400,000 English words, read at the first question."""

    def __contains__(self, word: object) -> bool:
        return word in lexicon.all_words()


class _Later(types.ModuleType):
    """A module whose code runs when something of it is first used (importlib's LazyLoader runs it at the second `import`, until 3.12)."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


PAST_PUNCTUATION = 0x20000
"""No punctuation stands in Unicode's planes from the second on; a test looks."""


@contextmanager
def _short_range_of_characters() -> Iterator[None]:
    """Their table of punctuation asks all 1.1 million code points up to sys.maxunicode, eight of nine of them for nothing."""
    import numpy  # noqa: F401 - what they import besides is loaded before

    whole = sys.maxunicode
    sys.maxunicode = PAST_PUNCTUATION
    try:
        yield
    finally:
        sys.maxunicode = whole


def partition_html(html: str) -> list[Partitioned]:
    """The elements of an HTML text; no language is guessed here."""
    _prepare()
    from unstructured.partition.html import partition_html as partition

    return _partition(partition, text=html)


def partition_text(text: str) -> list[Partitioned]:
    """The elements of a plain text whose paragraphs stand on one line each."""
    _prepare()
    from unstructured.partition.text import partition_text as partition

    return _partition(partition, text=text, paragraph_grouper=False)


def partition_docx(data: bytes) -> list[Partitioned]:
    """The elements of a Word document."""
    _prepare()
    from unstructured.partition.docx import partition_docx as partition

    return _partition(partition, file=io.BytesIO(data), include_page_breaks=False)


def _partition(partition: Any, **arguments: Any) -> list[Partitioned]:
    elements: list[Partitioned] = partition(languages=[""], unique_element_ids=True, **arguments)
    return elements
