"""Whether a rewrite denies what its sources deny, and points where they point: more or less, faster or slower, before or after."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from forge_assets.documentation.verify.order import References, swapped_reference
from forge_assets.documentation.verify.stems import stem
from forge_assets.documentation.verify.tokens import Token, without_denial
from forge_assets.documentation.verify.wording import Pointer, wording

_DENYING = (
    "not no never neither nor without cannot none nothing nobody unable lack fail except unless prevent avoid omit other from drop off free"
)
_CUES = frozenset(stem(word) for word in _DENYING.split())
_EXACT = frozenset("not no nor off other from".split())
"""Words that deny as they are written: neither notably nor trade-offs do."""
_REMOVED = frozenset(stem(word) for word in ("remove", "discard"))
_LIKE_CUES = (
    _CUES | _REMOVED | {stem(word) for word in "unchanged unsuccessful instead hinder preclude prohibit forbid impede inhibit".split()}
)
_ONLY = frozenset(("only", "just", "solely", "exclusively", "merely"))
_LIKE_ONLY = _ONLY | {"alone", "restricted", "exclusive", "once", "single", "sole", "except", "unless", "limited"}
_AFTER_FREE = frozenset(stem(word) for word in "form space text energy will flow fall lunch parameter".split())
_BEFORE_OFF = frozenset(stem(word) for word in ("trade", "set", "pay", "kick"))
_STACKS = frozenset((stem("encoder"), stem("decoder")))
_REASONS = frozenset("because since when if so that".split())
_AFTER, _BEFORE = 5, 4


@dataclass(frozen=True, slots=True)
class Cue:
    """A word that denies, and the stems of what it may deny: after it, and before it in its clause; `follows`: right after it."""

    word: str
    after: frozenset[str]
    before: frozenset[str]
    follows: str = ""


def wrong_polarity(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    """What a rewrite denies, asserts or turns round against its sources; empty where nothing."""
    return _denials(rewrite, sources) or _exclusion(rewrite, sources) or _directions(rewrite, sources)


def _cues(tokens: Sequence[Token], words: frozenset[str]) -> list[Cue]:
    found = []
    for index, token in enumerate(tokens):
        lower = token.text.lower()
        by_stem = token.stem in words and (token.stem not in _EXACT or lower == token.stem)
        if (by_stem or lower in words or lower.endswith("n't")) and _denies(tokens, index):
            free_of = lower == "free" and index + 1 < len(tokens) and tokens[index + 1].text in ("of", "from")
            after = _content(tokens[index + 1 :], token.clause, 2 if free_of else 0 if lower == "free" else _AFTER)
            before = _content(tokens[:index][::-1], token.clause, 0 if free_of else {"free": 1, "instead": 0}.get(lower, _BEFORE))
            found.append(Cue(lower, after, before, tokens[index + 1].stem if index + 1 < len(tokens) else ""))
    return found


def _denies(tokens: Sequence[Token], index: int) -> bool:
    """Whether the word denies here: no more than 5, not only, and from, other and drop mostly do not."""
    following = tokens[index + 1].stem if index + 1 < len(tokens) else ""
    match tokens[index].text.lower():
        case "no":
            return following not in ("more", "les")
        case "not":
            return following != "only"
        case "other":
            return following == "than"
        case "nothing":
            return following != "but"
        case "from":
            return any(token.stem == "keep" for token in tokens[max(0, index - 3) : index])
        case "free":
            return following not in _AFTER_FREE and (
                "-" in tokens[index].text or index > 0 and tokens[index - 1].clause == tokens[index].clause
            )
        case "off":
            return index == 0 or tokens[index - 1].stem not in _BEFORE_OFF
        case "drop" | "drops" | "dropped" | "dropping":
            return following in ("the", "it", "all", "a")
    return True


def _content(tokens: Sequence[Token], clause: int, most: int) -> frozenset[str]:
    found: list[str] = []
    for token in tokens:
        if token.clause != clause or len(found) == most or token.text.lower() in _REASONS:
            break
        if not wording().says_nothing(token) or wording().groups.get(token.stem):
            found.append(token.stem)
    return frozenset(found)


def _touch(a: Cue, b: Cue) -> bool:
    words = wording()
    mine, theirs = a.after | a.before, b.after | b.before
    if stem(a.word) == stem(b.word) and not (mine and theirs) or a.follows in b.after or b.follows in a.after:
        return True
    return any(words.same(x, y) for x in mine for y in theirs)


def _denials(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    mine, theirs = _cues(rewrite, _CUES), _cues(sources, _LIKE_CUES)
    theirs += _prefixed(sources, {token.stem for token in rewrite})
    for cue in mine:
        if (cue.after or cue.before or not theirs) and not any(_touch(cue, other) for other in theirs):
            return "it denies what the source does not deny"
    if sum(cue.word != "nor" for cue in mine) > sum(stem(cue.word) not in _REMOVED for cue in theirs) + (not mine):
        return "it denies once more than the source"
    loose = _cues(rewrite, _LIKE_CUES) + _prefixed(rewrite, {token.stem for token in sources})
    if mine and len(loose) > len(theirs) + len(mine) - 1 and len(loose) > len(mine):
        return "it denies once more than the source"
    said, denials = {token.stem for token in rewrite}, 0
    for cue in _cues(sources, _CUES | _REMOVED):
        meant = [word for word in cue.after or cue.before if word not in wording().neutral] or list(cue.after or cue.before)
        denied = [word for word in meant if any(wording().same(word, one) for one in said)]
        if len(denied) * 2 > len(meant):
            denials += cue.word not in ("nor", "neither")
            if not any(_touch(cue, other) for other in loose):
                return "it asserts what the source denies"
    return "it denies less than the source" if loose and denials > len(loose) else ""


def _prefixed(tokens: Sequence[Token], others: Collection[str]) -> list[Cue]:
    """Words that deny by a prefix what the other side says without it: unsupervised, where that says without supervision."""
    known = {word for other in others for word in (other, *wording().derived.get(other, ()))}
    bare = [(token.text.lower(), without_denial(token)) for token in tokens if token.stem not in others]
    return [
        Cue(text, frozenset((stem_,)), frozenset())
        for text, stem_ in bare
        if stem_ and ({stem_, *wording().derived.get(stem_, ())} & known or any(wording().same(stem_, word) for word in known))
    ]


def _exclusion(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    """A new "only" makes a stronger claim."""
    there = [index for index, token in enumerate(sources) if token.text.lower() in _LIKE_ONLY]
    for index, token in enumerate(rewrite):
        following = rewrite[index + 1] if index + 1 < len(rewrite) else None
        if following is not None and following.text.lower() in ("as", "once", "like"):
            continue
        compound = index > 0 and rewrite[index - 1].stem in _STACKS
        if (
            token.text.lower() not in _ONLY
            or compound
            or following is not None
            and (following.stem in ("a", "an", "one") or following.value is not None)
        ):
            continue
        if not there:
            return "it says 'only' where the source does not"
        if any(other.text.lower() in _LIKE_ONLY & {sources[at].text.lower() for at in there} for other in rewrite[index + 1 : index + 4]):
            continue
        mine = _content(rewrite[index + 1 :], token.clause, 1)
        after = (_content(sources[at + 1 :], sources[at].clause, 5) for at in there)
        theirs = frozenset[str]().union(*after, *(_content(sources[:at][::-1], sources[at].clause, 1) for at in there))
        if mine and theirs and not any(wording().same(x, y) for x in mine for y in theirs):
            return "it says 'only' of something else than the source"
    return ""


def _only_a(following: Token | None) -> bool:
    """Only a small loss is a small loss."""
    return following is not None and (following.stem in ("a", "an") or following.value is not None)


def pointers(tokens: Sequence[Token]) -> list[tuple[int, frozenset[Pointer]]]:
    """Where words point somewhere; 'more than 5' and 'no more than' are bounds, and told with the figures."""
    found = []
    for index, token in enumerate(tokens):
        where = wording().pointers.get(token.stem)
        following = tokens[index + 1 : index + 3]
        bound = (
            len(following) == 2
            and following[0].stem == "than"
            and following[1].value is not None
            or (
                token.text.lower() in ("above", "below")
                and bool(following)
                and following[0].value is not None
                or token.text.lower() in ("fall", "falls", "fell")
                and bool(following)
                and following[0].stem in ("below", "behind", "within")
            )
        )
        if token.text.lower() in ("more", "less") and following and following[0].text.lower().endswith("ly"):
            continue
        if token.stem == "cut" and any(other.text.lower() == "into" for other in tokens[index + 1 : index + 5]):
            continue
        no_longer = token.text.lower() == "longer" and index > 0 and tokens[index - 1].stem == "no"
        if where and not bound and not no_longer:
            found.append((index, where))
    return found


def _directions(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    theirs = pointers(sources)
    there = {pointer for _, where in theirs for pointer in where}
    known = {token.stem for token in sources}
    mine, other = References.of(rewrite), References.of(sources)
    for index, where in pointers(rewrite):
        token = rewrite[index]
        if where & there or token.stem in known:
            continue
        opposite = {(axis, "+-"[sign == "+"] if sign in "+-" else ("after" if sign == "before" else "before")) for axis, sign in where}
        if opposite & there and mine.compares and other.compares and swapped_reference(mine, other):
            return "" if not _denied_later(rewrite, index) else "it turns a comparison round"
        if opposite & there or not _like(token, sources) and all(one[0] != "place" and one != ("hold", "+") for one in where):
            return f"{token.text!r} points where no source points"
    return "it turns a comparison round" if _turned(rewrite, sources) else _misdirected(rewrite, sources)


def _misdirected(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    """Whether what goes up in the source goes down in the rewrite, by the words beside each pointer."""
    if swapped_reference(References.of(rewrite), References.of(sources)):
        return ""
    signs: dict[str, set[str]] = {}
    for index, where in pointers(sources):
        for word in _beside(sources, index):
            signs.setdefault(word, set()).update(sign for _, sign in where if sign in "+-")
    for index, where in pointers(rewrite):
        mine = {sign for _, sign in where if sign in "+-"}
        known = {word for word, found in signs.items() if len(found) == 1}
        clause = rewrite[index].clause
        near = _content(rewrite[index + 1 :], clause, 2) & known
        beside = [signs[word] for word in near if word not in wording().pointers]
        against = sum(not sign & mine for sign in beside)
        if mine and against > len(beside) - against:
            return f"{rewrite[index].text!r} is said of something else in the source"
    return ""


def _beside(tokens: Sequence[Token], index: int) -> frozenset[str]:
    clause = tokens[index].clause
    around = _content(tokens[index + 1 :], clause, 2) | _content(tokens[:index][::-1], clause, 2)
    return frozenset(word for word in around if not word.startswith("#") and word not in wording().pointers)


def _denied_later(rewrite: Sequence[Token], index: int) -> bool:
    return any(token.stem == "not" for token in rewrite[:index])


def _like(token: Token, sources: Sequence[Token]) -> bool:
    return any(wording().same(token.stem, other.stem) for other in sources)


def _turned(rewrite: Sequence[Token], sources: Sequence[Token]) -> bool:
    """Whether what is compared has changed places, without the comparison being turned too."""
    mine, theirs = References.of(rewrite), References.of(sources)
    if not swapped_reference(mine, theirs):
        return False
    return not (mine.sign and theirs.sign and mine.sign != theirs.sign)
