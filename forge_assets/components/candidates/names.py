"""One key for the ways a name is written, an id made from it, and what is no name of a component whatever brings it up."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from forge_assets.components.folding import fold
from forge_assets.components.lexicon import WORD
from forge_assets.components.noun_phrases import GENERIC, VAGUE_HEADS, ordinary, proper

LONGEST = 60
MOST_WORDS = 8
_SIGNS = {"+": "plus", "*": "star", "#": "sharp"}
_TAIL = re.compile(r"[+*#]{1,3}\Z")
_EDGES = " \t\n\"'`“”‘’*_{}()[]$,.;:"
_UNFIT = re.compile(r"[\\^_{}<>=|@~$\[\]]|https?:|www\.")
_ADJECTIVE = re.compile(
    r"-(?:based|specific|aware|agnostic|driven|guided|free|like|style|level|wise|only|oriented|independent|dependent|related|inspired|"
    r"enhanced|augmented|trained|tuned|powered|enabled|generated|assisted)\Z", re.I
)  # fmt: skip


def tidied(name: str) -> str:
    """A name without quotes and markup around it, without an article, and without "model" or "framework" behind a made-up word."""
    tail = _TAIL.search(name.rstrip(_EDGES.replace("*", "")))
    words = name.strip(_EDGES + "+#").split()
    while len(words) > 1 and words[0].lower() in ("the", "a", "an", "our"):
        words = words[1:]
    if len(words) == 2 and proper(words[0]) and words[1].lower() in VAGUE_HEADS:
        words = words[:1]
        tail = None
    return " ".join(words) + (tail[0] if tail and words and name.rstrip().endswith(tail[0]) and "*" not in tail[0] else "")


@lru_cache(maxsize=1 << 17)
def key_of(name: str) -> str:
    """Equal for spellings of one name: case, plural, hyphens and spaces do not count. Empty for a name without letters and digits."""
    return "".join(fold(word) for word in _words(name)).replace(".", "")


def id_of(name: str) -> str:
    """The id that a component of this name gets: its words in small letters, joined by hyphens."""
    return "-".join(part for word in _words(name) for part in word.split(".") if part)


def is_fit(name: str) -> bool:
    """Whether a name can be a component's at all: letters, no markup, no adjective such as "graph-based", no sentence."""
    words = name.split()
    if not 2 <= len(name) <= LONGEST or not 1 <= len(words) <= MOST_WORDS or not any(letter.isalpha() for letter in name):
        return False
    if _UNFIT.search(name) or _ADJECTIVE.search(name) or not key_of(name):
        return False
    if len(words) == 1 and "-" not in name and not proper(name) and ordinary(name):
        return False
    return not all(word.lower() in GENERIC or word.lower() in VAGUE_HEADS for word in words)


def _words(name: str) -> list[str]:
    """Its words in small letters, of ASCII letters and digits only: Greek letters by their names, accents off, + as plus."""
    tail = _TAIL.search(name)
    words = [word for found in WORD.findall(name) if (word := _ascii(found.lower()))]
    return [*words, *(_SIGNS[sign] for sign in tail[0])] if tail and words else words


def _ascii(word: str) -> str:
    if word.isascii():
        return word
    letters = (_letter(letter) for letter in unicodedata.normalize("NFKD", word))
    return "".join(letter for letter in letters if letter.isascii() and (letter.isalnum() or letter == "."))


def _letter(letter: str) -> str:
    named = unicodedata.name(letter, "")
    return named.rpartition(" ")[2].lower() if named.startswith("GREEK SMALL LETTER") else letter
