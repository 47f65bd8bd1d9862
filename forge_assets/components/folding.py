"""One form for the ways a word is written: case, plural, British and American spelling. Both sides of a comparison are folded alike."""

from __future__ import annotations

import re
from functools import lru_cache

_IZE = re.compile(r"is(e|ed|es|er|ers|ing|ation|ations|able)\Z")
_ELL = re.compile(r"ell(ed|er|ers|ing)\Z")
_IZ = re.compile(r"iz(e|ed|es|er|ers|ing|ation|ations|able)\Z")
_EL = re.compile(r"el(ed|er|ers|ing)\Z")
_KEEPS_S = ("ss", "us", "is", "as")


@lru_cache(maxsize=1 << 16)
def fold(word: str) -> str:
    """A word in small letters, singular, with -ize, -or, -er and -el- for -ise, -our, -re and -ell-; a key to compare by, no spelling."""
    folded = word.lower()
    if len(folded) > 5:
        folded = _ELL.sub(r"el\1", _IZE.sub(r"iz\1", folded)).replace("our", "or")
    folded = singular(folded)
    if len(folded) > 4 and folded.endswith("tre"):
        folded = folded[:-2] + "er"
    return folded


def singular(word: str) -> str:
    """`word` (small letters) without the s of a plural; words of three letters and fewer stay."""
    if len(word) <= 3 or word[-1] != "s" or word.endswith(_KEEPS_S):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "shes")) or word.endswith("ches") and not word.endswith("aches"):
        return word[:-2]
    return word[:-1]


def spellings(folded: str) -> set[str]:
    """The ways of writing, in small letters, that fold to it; some that do not are among them."""
    ways = {folded} | ({folded[:-2] + "re"} if folded.endswith("ter") else set())
    ways |= {way + ending for way in ways for ending in ("s", "es")} | {way[:-1] + "ies" for way in ways if way.endswith("y")}
    ways |= {way for one in ways for way in _with_our(one)}
    ways |= {_EL.sub(r"ell\1", way) for way in ways}
    return ways | {_IZ.sub(r"is\1", way) for way in ways}


def _with_our(word: str) -> list[str]:
    """The word with -our- for -or- at every choice of places; of more than six, at all or none."""
    first, *others = word.split("or")
    if len(others) > 6:
        return [word, word.replace("or", "our")]
    ways = [first]
    for part in others:
        ways = [way + joint + part for way in ways for joint in ("or", "our")]
    return ways
