"""Who is compared with whom, and what belongs to which clause: a rewrite that swaps them uses the same words and says the opposite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from forge_assets.documentation.verify.stems import stem
from forge_assets.documentation.verify.tokens import Token
from forge_assets.documentation.verify.wording import wording

_BEATS = frozenset(stem(word) for word in "outperform surpass beat exceed underperform supersede outdo outstrip outshine overtake".split())
_REPLACES = frozenset((stem("replace"), stem("substitute")))
_IMPROVES = frozenset(stem(word) for word in "improve prefer preferred gain better lose".split())
_PRONOUNS = frozenset(("it", "they", "them"))
_ENDS = frozenset(
    "on in at by with when if since because for but so from under using through than it they in is are was were has have".split()
)
_BE = frozenset("is are was were be been being gets".split())
_PAIRS = "contrast to, relative to, instead of, rather than, place of, compared with, compared to, respect to, lieu of"
_FOLLOWED_BY = {(stem(pair.split()[0]), pair.split()[1]) for pair in _PAIRS.split(", ")}
_MOST = 4


@dataclass(frozen=True, slots=True)
class References:
    """What is compared against (`words`), everything else (`others`); `sign` of the comparative before "than"."""

    words: frozenset[str]
    others: frozenset[str]
    compares: bool
    """Whether anything is compared against at all; `words` may still be empty, where the same words stand on both sides."""
    sign: str

    @staticmethod
    def of(tokens: Sequence[Token]) -> References:
        found: list[int] = []
        sign, compares = "", False
        for index in range(len(tokens)):
            phrase = _phrase(tokens, index)
            if not phrase:
                continue
            found += phrase
            compares = True
            if tokens[index].stem == "than":
                sign = sign or _sign(tokens, index)
        inside = {tokens[at].stem for at in found}
        outside = {token.stem for at, token in enumerate(tokens) if at not in found and _weighs(token)}
        return References(frozenset(inside - outside), frozenset(outside - inside), compares, sign)


def swapped_reference(mine: References, theirs: References) -> bool:
    straight = len(mine.words & theirs.words)
    cross = len(mine.words & theirs.others)
    back = len(mine.others & theirs.words)
    return mine.compares and theirs.compares and (cross > 2 * straight or straight == 0 and back > 0)


def _weighs(token: Token) -> bool:
    return token.value is None and not wording().says_nothing(token) and token.stem not in wording().pointers


def _phrase(tokens: Sequence[Token], index: int) -> list[int]:
    """The words that are compared against, where a comparison stands at `index`."""
    token = tokens[index]
    before = tokens[index - 1].stem if index else ""
    following = tokens[index + 1].stem if index + 1 < len(tokens) else ""
    near = {other.stem for other in tokens[max(0, index - 5) : index]}
    written = {other.text.lower() for other in tokens[max(0, index - 1) : index + 2]}
    passive = following in ("by", "with") and bool(_BE & {other.text.lower() for other in tokens[max(0, index - 3) : index]})
    if token.stem in _BEATS or token.stem in _REPLACES and token.text.lower() != "replaced":
        return _before(tokens, index - 1) if passive else _after(tokens, index + 1)
    if token.text.lower() == "replaced" and following in ("by", "with"):
        return _before(tokens, index - 1)
    if token.stem == "than" and not (index + 1 < len(tokens) and tokens[index + 1].value is not None) and before not in ("other", "rather"):
        return _after(tokens, index + 1)
    if token.stem == "than" and before == "rather" or (before, token.stem) in _FOLLOWED_BY or token.text.lower() == "unlike":
        return _after(tokens, index + 1)
    if token.stem == "as" and ("as" in near or "same" in near) and "well" not in written:
        return _after(tokens, index + 1)
    if token.stem in ("over", "on", "against", "to") and near & _IMPROVES:
        if token.stem in ("on", "to") and before not in _IMPROVES:
            return []
        return _after(tokens, index + 1)
    return []


def _after(tokens: Sequence[Token], index: int) -> list[int]:
    found: list[int] = []
    of_those = index < len(tokens) and tokens[index].text.lower() in ("those", "that")
    for at in range(index, min(index + 9, len(tokens))):
        token = tokens[at]
        if of_those and token.stem in ("with", "by", "from", "us"):  # those trained with uniform sampling: the sampling is compared
            found, of_those = [], False
            continue
        ends = token.stem in _ENDS and (found or at > index + 1)
        if token.clause != tokens[index].clause or ends or token.stem in _PRONOUNS or len(found) == _MOST:
            break
        if _weighs(token):
            found.append(at)
    return found


def _before(tokens: Sequence[Token], index: int) -> list[int]:
    found: list[int] = []
    for at in range(index, max(-1, index - 7), -1):
        token = tokens[at]
        if token.clause != tokens[index].clause or found and token.stem in _ENDS or len(found) == 3:
            break
        if _weighs(token):
            found.append(at)
    return found


def _sign(tokens: Sequence[Token], index: int) -> str:
    for token in reversed(tokens[max(0, index - 5) : index]):
        for _, direction in sorted(wording().pointers.get(token.stem, ())):
            if direction in "+-":
                return direction
    return ""


def crossed_clauses(rewrite: Sequence[Token], sources: Sequence[Token]) -> bool:
    """Whether two things have changed places between clauses: what is said of one in the source is said of the other."""
    return _crossed(_clauses(rewrite, False), _clauses(sources, False), 5, 5.0) or _crossed(
        _clauses(rewrite, True), _clauses(sources, True), 6, 0.0
    )


def _crossed(mine: list[frozenset[str]], theirs: list[frozenset[str]], least: int, times: float) -> bool:
    """`least` words must have gone along, and more than `times` as many as have stayed; with 0.0 none may have stayed."""
    if len(mine) < 2 or len(theirs) < 2:
        return False
    home = {word: [at for at, words in enumerate(theirs) if word in words] for words in theirs for word in words}
    for first, second in combinations(mine, 2):
        for a, m in _at_home(first - second, home):
            for b, n in _at_home(second - first, home):
                if m == n:
                    continue
                here, there = theirs[m] - theirs[n], theirs[n] - theirs[m]
                straight = len((first - {a}) & here) + len((second - {b}) & there)
                cross = len((first - {a}) & there) + len((second - {b}) & here)
                if min(len(here), len(there)) > 1 and cross >= least and (cross > times * straight if times else not straight):
                    return True
    return False


def _at_home(words: frozenset[str], home: dict[str, list[int]]) -> Iterator[tuple[str, int]]:
    """Words that stand in one clause of the sources only, and in which."""
    for word in sorted(words):
        if len(home.get(word, ())) == 1:
            yield word, home[word][0]


def _clauses(tokens: Sequence[Token], at_and: bool) -> list[frozenset[str]]:
    found: dict[tuple[int, int], set[str]] = {}
    joined = 0
    for token in tokens:
        joined += at_and and token.stem == "and"
        if token.value is not None or not wording().says_nothing(token):
            found.setdefault((token.clause, joined), set()).add(token.stem)
    return [frozenset(words) for words in found.values()]
