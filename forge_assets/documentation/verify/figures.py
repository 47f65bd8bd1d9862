"""Whether the numbers of a rewrite are those of its sources: value, unit, what is counted, and whether it is a bound."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from forge_assets.documentation.verify.stems import stem
from forge_assets.documentation.verify.tokens import Token
from forge_assets.documentation.verify.units import COUNTED, TIMES
from forge_assets.documentation.verify.wording import wording

_COUNTED = frozenset(stem(word) for word in COUNTED)
_PARAMETER, _EXCEED = stem("parameter"), stem("exceed")
_LOOSE = frozenset(("", "x"))
_UPPER = (("less", "than"), ("fewer", "than"), ("at", "most"), ("up", "to"), ("no", "more", "than"), ("under",), ("below",), ("within",))
_LOWER = (("more", "than"), ("at", "least"), ("over",), ("above",), ("exceed",), ("no", "less", "than"), ("beyond",), ("from",))
_BETWEEN = frozenset(("a", "the", "by", "fewer", "of", *(stem(word) for word in ("factor", "distance", "length"))))
_STRICT = re.compile(r"(?:up to|at most|at least|(?:less|fewer|more) than)(?: an?(?: total| factor)? of)?\Z", re.I)
"""What makes a bound of the number after it, whatever the sentence."""
_FACTORS = frozenset(stem(word) for word in ("factor", "speedup", "by", "gain"))
_SKIPPED = frozenset("of the a an about only some around roughly nearly approximat almost approximately".split())


def wrong_figure(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    """What is wrong with the first number that the sources do not carry; empty where all are carried."""
    for index, token in enumerate(rewrite):
        if token.value is None:
            continue
        same = [at for at, other in enumerate(sources) if other.value is not None and _same_value(token, other)]
        if not same and _otherwise_told(token, rewrite, sources):
            continue
        if not same and not _in_a_name(rewrite, index, sources):
            return f"{token.text} stands in no source"
        same = [at for at in same if _unit_fits(token, sources[at])]
        if token.text.lower() in TIMES and not any(_multiplies(sources, at) for at in same):
            return f"{token.text} counts no times in the source"
        if token.value % 1 and same and sum(other.stem == token.stem for other in rewrite) > len(same):
            return f"{token.text} is said more often than in the source"
        if not same:
            if _in_a_name(rewrite, index, sources):
                continue
            return f"{token.text} has another unit in the source"
        if token.unit in ("", "x", "%", "pp") and not any(_counts_the_same(rewrite, index, sources, at) for at in same):
            return f"what {token.text} counts is something else in the source"
        if not any(_bound_fits(rewrite, index, sources, at) for at in same):
            return f"{token.text} is no such bound in the source"
        if all(_strict(sources, at) for at in same) and not (_bound(rewrite, index) or _limit(rewrite, index)):
            return f"{token.text} is but a bound in the source"
    ones = [index for index, token in enumerate(rewrite) if token.value is None and token.stem == "one"]
    return "" if all(_one_fits(rewrite, index, sources) for index in ones) else "'one' stands in no source"


def _one_for_another(rewrite: Sequence[Token], sources: Sequence[Token]) -> bool:
    """One, where the source has no one and the rewrite has lost a small number written as a word."""
    said = {other.stem for other in rewrite}
    return all(other.stem not in ("one", "#1") for other in sources) and any(
        other.value is not None and other.text.isalpha() and other.text.islower() and other.value <= 12 and other.stem not in said
        for other in sources
    )


def _otherwise_told(token: Token, rewrite: Sequence[Token], sources: Sequence[Token]) -> bool:
    """Half for 50%, and two of what is named."""
    half = token.text.lower() == "half" and any(other.value == 50 and other.unit == "%" for other in sources)
    return half or _counted_up(token, rewrite, sources)


def _counted_up(token: Token, rewrite: Sequence[Token], sources: Sequence[Token]) -> bool:
    """Two where the source says both, or names this and that; not where a number of the source has gone."""
    words = {other.text.lower() for other in sources}
    if token.text.lower() != "two" or words & {"one", "single", "sole", "any", "every", "each"}:
        return False
    said = {other.stem for other in rewrite}
    gone = any(other.value is not None and other.value <= 12 and other.stem not in said for other in sources)
    return bool(words & {"both", "dual", "pair", "pairs", "twin", "couple"}) or not gone and "and" in words


def _one_fits(rewrite: Sequence[Token], index: int, sources: Sequence[Token]) -> bool:
    """One of what is counted, where the source speaks of one, a single or a."""
    if _one_for_another(rewrite, sources):
        return False
    counted = rewrite[index + 1].stem if index + 1 < len(rewrite) else ""
    if counted not in _COUNTED:
        return True
    places = [at for at, token in enumerate(sources) if token.stem == counted]
    return not places or any({"one", "singl", "a", "an", "each", "every", "per", "#1"} & set(_window(sources, at, 3, -1)) for at in places)


def _bound_fits(rewrite: Sequence[Token], index: int, sources: Sequence[Token], at: int) -> bool:
    mine, theirs = _bound(rewrite, index), _bound(sources, at) or _limit(sources, at)
    plain_over = mine == ">" and not theirs and rewrite[index - 1].stem == "over"  # of a vote over 40 samples it is no bound
    return mine in ("", theirs) or plain_over


def _multiplies(tokens: Sequence[Token], index: int) -> bool:
    """2x, twice, doubled, twofold, a factor of two; two encoders multiply nothing."""
    token = tokens[index]
    before = {other.stem for other in tokens[max(0, index - 3) : index]}
    return token.unit in ("x", "%") or token.text.lower() in TIMES or token.text.lower().endswith("fold") or bool(before & _FACTORS)


def _strict(tokens: Sequence[Token], index: int) -> bool:
    return bool(_STRICT.search(" ".join(token.text for token in tokens[max(0, index - 5) : index])))


def _limit(tokens: Sequence[Token], index: int) -> str:
    """A maximum length of 2,048 is up to 2,048, and what never exceeds 15 W stays below."""
    before = _window(tokens, index, 5, -1)
    if _EXCEED in before and {"never", "not"} & set(before) or {"maximum", "max"} & {word.lower() for word in before}:
        return "<"
    return ">" if {"minimum", "min"} & set(before) else ""


def _equal(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-15)


def _same_value(token: Token, other: Token) -> bool:
    a, b = token.value or 0.0, other.value or 0.0
    binary = (a * 1.024, b) if token.text.endswith(("k", "K")) else (a, b * 1.024)  # 32k tokens are 32,768
    return _equal(a, b) or (token.text[-1:] in "kK" or other.text[-1:] in "kK") and _equal(*binary)


def _unit_fits(token: Token, other: Token) -> bool:
    return token.unit == other.unit or {token.unit, other.unit} <= _LOOSE or not token.unit and other.unit in ("pp", "byte", "second")


def _in_a_name(rewrite: Sequence[Token], index: int, sources: Sequence[Token]) -> bool:
    """Llama 2 for Llama-2."""
    return index > 0 and f"{rewrite[index - 1].stem}-{rewrite[index].text.lower()}" in {other.stem for other in sources}


def _window(tokens: Sequence[Token], index: int, before: int, after: int) -> list[str]:
    return [token.stem for token in tokens[max(0, index - before) : index + after + 1]]


def _counts_the_same(rewrite: Sequence[Token], index: int, sources: Sequence[Token], at: int) -> bool:
    """Whether what follows the number stands beside it in the source; the very next word must not belong to another number there."""
    following, mine = _following(rewrite, index), _following(sources, at)
    near = set(_window(sources, at, 5, 6))
    others: set[str] = set()
    firsts: set[str] = set()
    for other, token in enumerate(sources):
        if token.value is not None and token.stem != rewrite[index].stem and (theirs := _following(sources, other)):
            others |= set(theirs)
            firsts.add(theirs[0])
    for word in following:
        if word == _PARAMETER and (rewrite[index].value or 0.0) >= 1e6 and not _COUNTED & set(mine):
            continue  # a proxy of 40M parameters is a 40M proxy
        if word in _COUNTED and word not in mine and not _beside_other(word, sources, set(mine)) and (word in others or word not in near):
            return False
    return not following or not mine or following[0] in mine or following[0] not in firsts


def _beside_other(word: str, sources: Sequence[Token], near: set[str]) -> bool:
    """A synonym of what is counted stands there."""
    return any(wording().same(word, other) for other in near)


def _following(tokens: Sequence[Token], index: int) -> list[str]:
    """The words right after a number, up to three of its clause, until a word without content or another number."""
    found: list[str] = []
    for token in tokens[index + 1 : index + 5]:
        if token.clause != tokens[index].clause or token.value is not None:
            break
        if token.stem in _SKIPPED and not found:
            continue
        if wording().says_nothing(token) and token.stem not in _COUNTED or token.stem in ("x", "fold"):
            if found or token.stem not in ("x", "fold", "time", "percent"):
                break
            continue
        found.append(token.stem)
        if len(found) == 3:
            break
    return found


def _bound(tokens: Sequence[Token], index: int) -> str:
    """'<', '>' or nothing, by the words right before the number."""
    before = [token.stem for token in tokens[max(0, index - 6) : index] if token.stem not in _BETWEEN]
    written = [token.text.lower() for token in tokens[max(0, index - 4) : index]]
    for words, sign in [*((one, "<") for one in _UPPER), *((one, ">") for one in _LOWER if one != ("from",))]:
        if (
            tuple(before[-len(words) :]) == words
            or tuple(written[-len(words) :]) == words
            or words == ("exceed",)
            and before[-1:] == [_EXCEED]
        ):
            return sign
    return ""
