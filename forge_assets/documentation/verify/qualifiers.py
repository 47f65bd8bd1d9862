"""Whether a rewrite keeps what limits a claim: maybe, mostly, some of, only; and claims nothing of all where its sources do not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from forge_assets.documentation.verify.tokens import Token, read
from forge_assets.documentation.verify.wording import wording

_SCOPE = 5
"""Words with content after a qualifier that are taken for what it limits."""
_OPEN = frozenset("can could possible possibility question whether if according".split())
"""Who says these asserts as little as who says maybe."""


def wrong_qualifier(rewrite: Sequence[Token], sources: Sequence[Token], quotes: Sequence[str]) -> str:
    """What a rewrite leaves out or makes absolute; empty where nothing."""
    return _universal(rewrite, sources) or _dropped(rewrite, sources) or _unconditional(rewrite, quotes)


def _universal(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    """A new "all", "always" or "any": the same words in the sources, or ones that reach as far, must stand before the same thing."""
    words = wording()
    theirs = {token.text.lower() for token in sources}
    for index, token in enumerate(rewrite):
        lower = token.text.lower()
        if lower not in words.universal:
            continue
        if not theirs & words.universal and not theirs & words.like_universal:
            return f"it says {lower!r} where the source does not"
        if any(_limited(sources, other.stem) for other in rewrite[index + 1 : index + 6] if other.stem.isalpha() and len(other.stem) > 3):
            return f"it says {lower!r} of what the source limits"
    return ""


def _limited(sources: Sequence[Token], word: str) -> bool:
    """Whether each time a word stands in the sources, right before it stands that only a part of it is meant."""
    found = []
    for index, token in enumerate(sources):
        if token.stem == word:
            before = {other.text.lower() for other in sources[max(0, index - 3) : index]}
            found.append(bool(before & wording().qualifiers["many"]) and not before & wording().universal)
    return bool(found) and all(found)


def _dropped(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    """A qualifier whose scope stays while fewer of its kind do."""
    for family in _FAMILIES:
        mine = _qualifying(rewrite, family, _ALSO if "mostly" in family else frozenset())
        theirs = [at for at in _qualifying(sources, family) if _stays(at, sources, rewrite)]
        open_ = sum(token.text.lower() in _OPEN for token in rewrite) - sum(token.text.lower() in _OPEN for token in sources)
        if len(theirs) > len(mine) + (max(open_, 0) if "maybe" in family else 0):
            there = {rewrite[at].text.lower() for at in mine}
            lost = [sources[at].text for at in theirs if sources[at].text.lower() not in there] or [sources[theirs[-1]].text]
            return f"it leaves out {lost[0]!r}"
    return ""


def _unconditional(rewrite: Sequence[Token], quotes: Sequence[str]) -> str:
    """What opens a quote and says when or for which it holds, where the rest of it stays without any of that."""
    said = {token.stem for token in rewrite}
    for quote in quotes:
        if found := _OPENING.match(quote):
            opening, rest = (_weighty(found[name]) for name in ("opening", "rest"))
            kept = [word for word in rest[:10] if word in said or wording().close(word, said)]
            if opening and len(kept) * 5 >= len(rest[:10]) * 3 and not any(word in said or wording().close(word, said) for word in opening):
                return f"it leaves out {found['opening']!r}"
    return ""


def _weighty(text: str) -> list[str]:
    return [token.stem for token in read(text) if _weighs(token)]


_SOME = (
    "some|certain|few|initial|preliminary|limited|small|particular|specific|simulated|simulations?|special|cases?|scenes?|settings?|\\d+"
)
_OPENING = re.compile(
    r"(?P<opening>(?:(?:When|If|Unless|Where|Until|Once|As long as|Provided)\b"
    rf"|(?:In|For|On|At|Under|With|Within|Among|During)\b(?=[^,]*\b(?:{_SOME})\b))[^,]{{5,120}}),"
    r" (?:such as [^,]*, |e\.g\., [^,]*, )?(?P<rest>.+)"
)


_FAMILIES = (("maybe", "mostly"), ("some", "mostly"), ("only",), ("nearly",))
"""Kinds that stand for each other: what is mostly so may be so."""


_ALSO = frozenset("promising promise frequent usual typical common customary occasional prevalent habitual".split())
"""A rewrite may say with these what a source says with an adverb; a source may have them for other ends."""


def _qualifying(tokens: Sequence[Token], family: tuple[str, ...], also: frozenset[str] = frozenset()) -> list[int]:
    """Where qualifiers stand; of several that belong together, as in may potentially, the first."""
    members = also.union(*(wording().qualifiers[kind] for kind in family))
    found: list[int] = []
    for index, token in enumerate(tokens):
        if token.text.lower() in members and not _is_idle(tokens, index) and (not found or index - found[-1] > 2):
            found.append(index)
    return found


def _stays(index: int, sources: Sequence[Token], rewrite: Sequence[Token]) -> bool:
    """Whether the rewrite says what this qualifier limits; what the sources say twice may be said without it."""
    said = {token.stem for token in rewrite}
    stems = [token.stem for token in sources]
    scope = _scope(sources, index)
    kept = [word for word in scope if word in said or wording().close(word, said)]
    return bool(scope) and len(kept) * 3 >= len(scope) * 2 and not all(stems.count(word) > 1 for word in kept)


def _is_idle(tokens: Sequence[Token], index: int) -> bool:
    """Not only, only 5, most beautiful, by majority vote: words that limit nothing here."""
    before = tokens[index - 1].text.lower() if index else ""
    following = [token.text.lower() for token in tokens[index + 1 : index + 2]]
    match tokens[index].text.lower():
        case "only" | "just" | "merely":
            return (
                before == "not"
                or following[:1] in (["a"], ["an"], ["from"])
                or any(t.value is not None for t in tokens[index + 1 : index + 4])
            )
        case "approximately" | "roughly" | "nearly" | "almost" | "about":
            return any(token.value is not None or token.text.lower() in ("all", "every", "half") for token in tokens[index + 1 : index + 3])
        case "most":
            return following[:1] != ["of"] and not following[0].endswith("s") if following else True
        case "majority" | "part" | "portion":
            return following[:1] != ["of"]
        case "certain" | "few":
            return before in ("a", "to")
        case "expected":
            return following[:1] != ["to"]
        case "limited" | "restricted":
            return following[:1] == ["by"]
        case "whether":
            return any(token.text.lower() == "or" for token in tokens[index + 1 : index + 16])
        case "seem" | "seems" | "appear" | "appears" | "appeared":
            return following[:1] in (["in"], ["at"], ["on"])
    return False


def _scope(tokens: Sequence[Token], index: int) -> list[str]:
    """The words with content that follow a qualifier in its clause, or in the next where none follows there."""
    following = tokens[index + 1 :]
    clause = following[0].clause if following else 0
    return [token.stem for token in following if token.clause == clause and _weighs(token)][:_SCOPE]


def _weighs(token: Token) -> bool:
    return token.value is not None or not wording().says_nothing(token)
