"""Whether all that a rewrite speaks of is spoken of by its sources: every word, name and abbreviation of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from forge_assets.documentation.verify.other_forms import behind_prefix, otherwise_said
from forge_assets.documentation.verify.stems import stem
from forge_assets.documentation.verify.tokens import Token
from forge_assets.documentation.verify.wording import wording

Names = Callable[[str], frozenset[str]]
"""Ids of the components that a text is a name of."""
_WORDS_PER_NEW_ONE = 8
"""A rewrite may bring along one verb of everyday prose for so many words: bad faith exchanges names, nouns and adjectives."""
_BEFORE_NOUNS = frozenset("the a an of in on for with by from its their this that these those each every no".split())
_SMALL_WORDS = frozenset("of and for the a an in on to with by per".split())


def uncarried(rewrite: Sequence[Token], sources: Sequence[Token], names: Names | None = None) -> list[Token]:
    """Words of the rewrite that no source carries. Numbers and words that point somewhere are judged elsewhere."""
    read = _Sources.of(sources)
    short = _spelt_out(rewrite, sources)
    missing = [
        index
        for index, token in enumerate(rewrite)
        if token.value is None
        and index not in short
        and not _carried(rewrite, index, read)
        and not otherwise_said(rewrite, index, sources, read.known)
    ]
    named = _other_names(rewrite, sources, names) if missing and names is not None else set[int]()
    left = [rewrite[index] for index in missing if index not in named]
    plain = [index for index in missing if index not in named and _everyday(rewrite, index)]
    return left if len(plain) < len(left) or len(left) * _WORDS_PER_NEW_ONE > len(rewrite) else []


@dataclass(frozen=True, slots=True)
class _Sources:
    """Stems of the sources' words (`known`), and of two that stand side by side taken as one (`joined`)."""

    known: frozenset[str]
    joined: frozenset[str]

    @staticmethod
    def of(sources: Sequence[Token]) -> _Sources:
        known = {token.stem for token in sources} | {stem(part) for token in sources for part in behind_prefix(token)}
        joined = {stem(f"{a.text}{b.text}") for a, b in pairwise(sources)} | {a.stem + b.stem for a, b in pairwise(sources)}
        joined |= {f"{a.stem}-{b.text.lower()}" for a, b in pairwise(sources) if b.value is not None}
        return _Sources(frozenset(known), frozenset(joined))


def _carried(rewrite: Sequence[Token], index: int, sources: _Sources) -> bool:
    """Whether a word stands in the sources: itself, a synonym, or together with a neighbour as one word."""
    token, words = rewrite[index], wording()
    if token.stem in sources.known | sources.joined or token.stem.removesuffix("s") in sources.known:
        return True
    if not token.name and (words.says_nothing(token) or token.stem in words.pointers or words.close(token.stem, sources.known)):
        return True
    with_next = rewrite[index : index + 2]
    together = [f"{token.stem}-{with_next[1].text.lower()}"] if len(with_next) == 2 else []
    for pair in (with_next, rewrite[max(0, index - 1) : index + 1]):
        if len(pair) == 2:
            together += [pair[0].stem + pair[1].stem, stem(pair[0].text + pair[1].text)]
    return not sources.known.isdisjoint(together)


def _everyday(rewrite: Sequence[Token], index: int) -> bool:
    """A verb of everyday prose, where no noun is due; what turns something round is none."""
    token = rewrite[index]
    lower = re.sub(r"is(?=(?:e|es|ed)\Z)", "iz", token.text.lower())
    noun = index > 0 and rewrite[index - 1].text.lower() in _BEFORE_NOUNS and not lower.endswith("ed")
    return (
        not token.name
        and not noun
        and lower in wording().verbs
        and (not lower.endswith("ing") or index == 0 or rewrite[index - 1].clause != token.clause)
    )


def _spelt_out(rewrite: Sequence[Token], sources: Sequence[Token]) -> set[int]:
    """Abbreviations of the rewrite that the sources spell out, and words of the rewrite that spell out one of theirs."""
    found = {index for index, token in enumerate(rewrite) if _abbreviates(token, sources)}
    for token in sources:
        letters = _letters(token)
        if len(letters) >= 2:
            found |= set(_initials_at(letters, rewrite))
    return found


def _letters(token: Token) -> str:
    """The capitals of what may be an abbreviation: GQA, MoE, GATs."""
    bare = re.sub(r"s\Z", "", token.text) if token.text[:-1].isupper() else token.text
    letters = "".join(letter for letter in bare if letter.isupper())
    return letters.lower() if len(letters) >= 2 and len(letters) * 2 >= len(bare) and bare.isalpha() else ""


def _abbreviates(token: Token, sources: Sequence[Token]) -> bool:
    letters = _letters(token)
    return len(letters) >= 2 and bool(_initials_at(letters, sources))


def _initials_at(letters: str, tokens: Sequence[Token]) -> list[int]:
    """Where words stand one after the other whose initials are these letters; small words between them may count or not."""
    for first in range(len(tokens)):
        at, taken = 0, []
        for index in range(first, min(first + 2 * len(letters) + 2, len(tokens))):
            initial = tokens[index].text[:1].lower()
            if at < len(letters) and initial == letters[at]:
                taken.append(index)
                at += 1
                if at == len(letters):
                    return taken if len({tokens[i].text for i in taken}) == len(taken) else []
            elif tokens[index].stem not in _SMALL_WORDS:
                break
    return []


def _other_names(rewrite: Sequence[Token], sources: Sequence[Token], names: Names) -> set[int]:
    """Words of the rewrite that name a component by its long form where the sources have a short one, or the other way round.

    Two short names of one component may be its variants, as OPT-30B and OPT-66B are, and so may any that hold digits.
    """
    known = {id_: length for length in range(1, 6) for id_ in _named(sources, length, names)}
    found: set[int] = set()
    for length in range(1, 6):
        for id_, places in _named(rewrite, length, names).items():
            if id_ in known and (length == 1) != (known[id_] == 1):
                found |= {at for first in places for at in range(first, first + length)}
    return found


def _named(tokens: Sequence[Token], length: int, names: Names) -> dict[str, list[int]]:
    """Components by the places where so many words are a name of theirs."""
    found: dict[str, list[int]] = {}
    for first in range(len(tokens) - length + 1):
        written = " ".join(token.text for token in tokens[first : first + length])
        if not any(letter.isdigit() for letter in written):
            for id_ in names(written):
                found.setdefault(id_, []).append(first)
    return found
