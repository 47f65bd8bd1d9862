"""Words of a rewrite that stand in no source and yet claim nothing new: other forms of what is there, and small change of prose."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from forge_assets.documentation.verify.stems import stem
from forge_assets.documentation.verify.tokens import Token, without_denial
from forge_assets.documentation.verify.units import COUNTED, UNITS
from forge_assets.documentation.verify.wording import wording

_PARAMETER = stem("parameter")
_PREFIXES = frozenset("inter intra multi cross sub co re pre post meta auto over self single bi".split())
_SHELLS = frozenset(
    "task problem something anything thing fact affair endeavor undertaking subject team sign picture mind sight latter former "
    "apart forward forth aside away".split()
)
"""Nouns that stand for what is said beside them, and what belongs to a verb: put forward, tell apart, with this in mind."""
_THEN = frozenset("then afterwards second next finally lastly subsequently thereafter later".split())
_OF_A_PLACE = frozenset(("n", "an", "ian", "ese", "ish", "i"))
_DENIALS = frozenset(
    "not no without against never lack lacks prevent prevents preventing cannot avoid avoids eliminating eliminates".split()
)
_SEVERAL = frozenset(stem(word) for word in ("several", "multiple", "many", "various", "numerous"))


def otherwise_said(rewrite: Sequence[Token], index: int, sources: Sequence[Token], known: Collection[str]) -> bool:
    """Whether the sources say in another form what this word says, or it says nothing here; `known`: their stems."""
    return (
        _people(rewrite[index], sources, known)
        or _light(rewrite, index, known)
        or _unit(rewrite, index)
        or _parameters(rewrite, index, sources)
        or _denied_word(rewrite, index, sources)
    )


def _people(token: Token, sources: Sequence[Token], known: Collection[str]) -> bool:
    """Italy for Italian, and who does something for what is done: raters for ratings, an optimizer for optimization."""
    if token.name and token.text.istitle() and len(token.text) >= 4:
        root = re.sub(r"(?:y|a|e)\Z", "", token.text)
        return any(other.text.startswith(root) and other.text.removeprefix(root) in _OF_A_PLACE for other in sources)
    doer = re.fullmatch(r"([a-z]{2,}[^aeiou])[eo]rs?", token.text)
    return doer is not None and not {stem(doer[1]), stem(doer[1] + "e")}.isdisjoint(known)


def _light(rewrite: Sequence[Token], index: int, known: Collection[str]) -> bool:
    """Words that claim nothing where they stand: the task of X; first this and then that; more than one for several; far less often."""
    token = rewrite[index].text.lower()
    before = [one.text.lower() for one in rewrite[max(0, index - 2) : index]]
    following = rewrite[index + 1].text.lower() if index + 1 < len(rewrite) else ""
    match token:
        case "first":
            return any(one.text.lower() in _THEN for one in rewrite[index + 1 :])
        case "one" | "1":
            return before == ["more", "than"] and not _SEVERAL.isdisjoint(known)
        case "far":
            return following in ("more", "less", "better", "fewer", "from", "beyond") or before[-1:] in (["how"], ["so"], ["by"])
    return token in _SHELLS


def _denied_word(rewrite: Sequence[Token], index: int, sources: Sequence[Token]) -> bool:
    """Without supervision for unsupervised, not labelled for unlabelled, against X for anti-X."""
    near = {token.text.lower() for token in rewrite[max(0, index - 4) : index]}
    plain = without_denial(rewrite[index])  # insufficient for not sufficient
    if plain and any(token.text.lower() in _DENIALS for token in sources) and wording().close(plain, {token.stem for token in sources}):
        return True
    bare = {without for token in sources if (without := without_denial(token))}
    return bool(near & _DENIALS or {"other", "than"} <= near) and bool(
        {rewrite[index].stem, *wording().derived.get(rewrite[index].stem, ())} & bare
    )


def behind_prefix(token: Token) -> list[str]:
    """The word behind a prefix that denies nothing: class of inter-class."""
    prefix, _, word = token.text.lower().partition("-")
    return [word] if prefix in _PREFIXES and word.isalpha() else []


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
