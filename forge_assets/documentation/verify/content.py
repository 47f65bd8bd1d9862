"""Whether all that a rewrite speaks of is spoken of by its sources: every word, name and abbreviation of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from forge_assets.documentation.verify.stems import stem
from forge_assets.documentation.verify.tokens import Token, without_denial
from forge_assets.documentation.verify.units import COUNTED, UNITS
from forge_assets.documentation.verify.wording import wording

Names = Callable[[str], frozenset[str]]
"""Ids of the components that a text is a name of."""
_PARAMETER = stem("parameter")
_WORDS_PER_NEW_ONE = 8
"""A rewrite may bring along one verb of everyday prose for so many words: bad faith exchanges names, nouns and adjectives."""
_SMALL_WORDS = frozenset("of and for the a an in on to with by per".split())


def uncarried(rewrite: Sequence[Token], sources: Sequence[Token], names: Names | None = None) -> list[Token]:
    """Words of the rewrite that no source carries. Numbers and words that point somewhere are judged elsewhere."""
    known = {token.stem for token in sources}
    words = wording()
    joined = {a.stem + b.stem for a, b in pairwise(sources)}
    joined |= {f"{a.stem}-{_digits(b)}" for a, b in pairwise(sources) if b.value is not None}
    short = _spelt_out(rewrite, sources)
    missing: list[int] = []
    for index, token in enumerate(rewrite):
        if token.value is not None or token.stem in known or token.stem in joined or index in short:
            continue
        if not token.name and (words.says_nothing(token) or token.stem in words.pointers or words.close(token.stem, known)):
            continue
        following = rewrite[index + 1] if index + 1 < len(rewrite) else None
        if following is not None and (f"{token.stem}-{_digits(following)}" in known or token.stem + following.stem in known):
            continue
        if index and rewrite[index - 1].stem + token.stem in known or token.stem.removesuffix("s") in known:
            continue
        if _unit(rewrite, index) or _parameters(rewrite, index, sources) or _denied_word(rewrite, index, sources):
            continue
        missing.append(index)
    named = _other_names(rewrite, sources, names) if missing and names is not None else set[int]()
    left = [rewrite[index] for index in missing if index not in named]
    plain = [token for token in left if _everyday(token)]
    return left if len(plain) < len(left) or len(left) * _WORDS_PER_NEW_ONE > len(rewrite) else []


def _everyday(token: Token) -> bool:
    """A verb of everyday prose; what turns something round is none."""
    lower = token.text.lower()
    return not token.name and lower in wording().verbs and not lower.endswith("ing")


def _denied_word(rewrite: Sequence[Token], index: int, sources: Sequence[Token]) -> bool:
    """Without supervision for unsupervised, not labelled for unlabelled, against X for anti-X."""
    near = {token.text.lower() for token in rewrite[max(0, index - 4) : index]}
    bare = {without for token in sources if (without := without_denial(token))}
    return bool(near & {"not", "no", "without", "against", "never", "lack", "lacks"}) and bool(
        {rewrite[index].stem, *wording().derived.get(rewrite[index].stem, ())} & bare
    )


def _digits(token: Token) -> str:
    return token.text.lower()


def _unit(tokens: Sequence[Token], index: int) -> bool:
    """A unit of physics that its number has taken up, or what tells a factor: 8-fold, 3 times."""
    before, token = tokens[index - 1] if index else None, tokens[index]
    taken_up = token.text in UNITS or token.text.lower() in UNITS or token.stem in ("x", "fold", "time", "percentag", "point")
    return taken_up and before is not None and (before.value is not None and bool(before.unit) or before.stem == "percentag")


def _parameters(rewrite: Sequence[Token], index: int, sources: Sequence[Token]) -> bool:
    """A proxy of 40M parameters for a 40M proxy."""
    value = rewrite[index - 1].value if index and rewrite[index].stem == _PARAMETER else None
    return (
        value is not None
        and value >= 1e6
        and any(
            token.value == value and (at + 1 == len(sources) or sources[at + 1].stem not in COUNTED) for at, token in enumerate(sources)
        )
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
