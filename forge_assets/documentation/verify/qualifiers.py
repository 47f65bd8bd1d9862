"""Whether a rewrite keeps what limits a claim: maybe, mostly, some of, only; and claims nothing of all where its sources do not."""

from __future__ import annotations

from collections.abc import Sequence

from forge_assets.documentation.verify.stems import stem
from forge_assets.documentation.verify.tokens import Token
from forge_assets.documentation.verify.wording import wording

_SCOPE = 5
"""Words with content after a qualifier that are taken for what it limits."""
_OPEN = frozenset("can could possible possibility question whether if according".split())
"""Who says these asserts as little as who says maybe."""


def wrong_qualifier(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    """What a rewrite leaves out or makes absolute; empty where nothing."""
    return _universal(rewrite, sources) or _dropped(rewrite, sources)


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
        following = next((other for other in rewrite[index + 1 : index + 4] if _weighs(other)), None)
        limited = _limited(sources, following.stem) if following is not None else False
        if limited:
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
    """A qualifier whose scope stays while no word of its kind does."""
    words = wording()
    said = {token.stem for token in rewrite}
    written = {token.text.lower() for token in rewrite}
    stems = [token.stem for token in sources]
    for index, token in enumerate(sources):
        lower = token.text.lower()
        for kind in _LIKE:
            if lower not in words.qualifiers[kind] or _is_idle(sources, index) or any(written & words.qualifiers[other] for other in _LIKE[kind]):
                continue
            if kind == "only" and written & words.qualifiers["limit"] or kind == "maybe" and written & _OPEN:
                continue
            scope = _scope(sources, index)
            kept = [word for word in scope if word in said or words.close(word, said)]
            again = all(stems.count(word) > 1 for word in kept)
            if scope and len(kept) * 3 > len(scope) * 2 and not again:
                return f"it leaves out {token.text!r}"
    return ""


_LIKE = {"maybe": ("maybe", "mostly"), "mostly": ("mostly", "maybe", "some"), "some": ("some", "mostly"), "only": ("only",)}


def _is_idle(tokens: Sequence[Token], index: int) -> bool:
    """Not only, only 5, most beautiful, by majority vote: words that limit nothing here."""
    before = tokens[index - 1].text.lower() if index else ""
    following = [token.text.lower() for token in tokens[index + 1 : index + 2]]
    match tokens[index].text.lower():
        case "only" | "just" | "merely":
            return before == "not" or following[:1] in (["a"], ["an"], ["from"], ["the"]) or any(t.value is not None for t in tokens[index + 1 : index + 4])
        case "most":
            return following[:1] != ["of"] and not following[0].endswith("s") if following else True
        case "majority" | "part" | "portion":
            return following[:1] != ["of"]
        case "certain" | "few":
            return before in ("a", "to")
        case "expected":
            return following[:1] != ["to"]
        case "seem" | "seems" | "appear" | "appears" | "appeared":
            return following[:1] in (["in"], ["at"], ["on"])
    return False


def _scope(tokens: Sequence[Token], index: int) -> list[str]:
    """What follows the qualifier, and the word before it."""
    found: list[str] = []
    for token in tokens[index + 1 :]:
        if token.clause != tokens[index].clause and found or len(found) == _SCOPE:
            break
        if _weighs(token):
            found.append(token.stem)
    return found


def _weighs(token: Token) -> bool:
    return token.value is not None or not wording().says_nothing(token)
