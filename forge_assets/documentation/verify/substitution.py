"""Whether words were exchanged: one for its opposite or a rival in its place, two for each other, a number for that of another thing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from forge_assets.documentation.verify.stems import stem
from forge_assets.documentation.verify.tokens import Token
from forge_assets.documentation.verify.wording import wording

_NOT = re.compile(r"(?:un|in|im|ir|il|non-?|dis|anti-?|de|mis|a(?=sym|syn|typ|per|soc))(?=[a-z]{4})")
_PAIRED = [pair.split("/") for pair in (
    "under/over multi/single multi/uni multi/mono under/out pre/post up/down intra/inter homo/hetero macro/micro open/closed online/offline"
).split()]  # fmt: skip
_COMPOUND = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)+")
_WHEN = frozenset("before after during until".split())
_DENIALS = frozenset("not no without never neither nor cannot hardly barely free lack fail".split())


def substituted(rewrite: Sequence[Token], sources: Sequence[Token], text: str, quotes: Sequence[str]) -> str:
    """What was exchanged, as a sentence; empty where nothing."""
    return (
        _opposite(rewrite, sources)
        or _compound(text, quotes, sources)
        or _slot(rewrite, sources)
        or _slot_after(rewrite, sources)
        or _exchanged(rewrite, sources)
        or _strange_number(rewrite, sources)
    )


def _opposite(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    """A word that no source has, whose opposite the sources have and the rewrite has lost; denied on either side it may be right."""
    known, said = {token.stem for token in sources}, {token.stem for token in rewrite}
    for index, token in enumerate(rewrite):
        if token.stem in known or token.value is not None or _points(token):
            continue
        for at, other in enumerate(sources):
            if other.stem in said or not _opposed(token, other):
                continue
            if not _denied(rewrite, index) and not _denied(sources, at):
                return f"{token.text!r} stands where the source says {other.text!r}"
    return ""


def _points(token: Token) -> bool:
    """Up or down, better or worse: told with the directions."""
    return any(axis != "place" for axis, _ in wording().pointers.get(token.stem, ()))


def _denied(tokens: Sequence[Token], index: int) -> bool:
    return any(token.text.lower() in _DENIALS or token.text.lower().endswith("n't") for token in tokens[max(0, index - 4) : index])


def _opposed(token: Token, other: Token) -> bool:
    words = wording()
    mine = {token.stem, *words.derived.get(token.stem, ())}
    theirs = {other.stem, *words.derived.get(other.stem, ())}
    if any(words.opposites.get(word, frozenset()) & theirs for word in mine):
        return not words.same(token.stem, other.stem)
    a, b = token.text.lower(), other.text.lower()
    for long, short in ((a, b), (b, a)):
        if (cut := _NOT.match(long)) and stem(long[cut.end() :]) == stem(short):
            return True
    for one, two in _PAIRED:
        for x, y in ((one, two), (two, one)):
            if a.startswith(x) and b.startswith(y) and stem(a[len(x) :].strip("-")) == stem(b[len(y) :].strip("-")):
                return bool(a[len(x) :]) or "out" not in (x, y)
    return False


def _compound(text: str, quotes: Sequence[str], sources: Sequence[Token]) -> str:
    """model-specific for model-agnostic, image-to-text for text-to-image: a compound that shares a part with one of the sources."""
    theirs = [_parts(found) for quote in quotes for found in _COMPOUND.findall(quote)]
    stems = [token.stem for token in sources]
    for found in _COMPOUND.findall(text):
        mine = _parts(found)
        if mine in theirs or len(mine) < 2:
            continue
        if any(sorted(mine) == sorted(other) and mine != other for other in theirs):
            return f"{found!r} stands the other way round in the source"
        a, b = mine[0], mine[-1]
        near = any(a in stems[max(0, at - 4) : at + 5] for at, word in enumerate(stems) if word == b)
        rival = any(
            len(other) == len(mine) and (other[0] == a) != (other[-1] == b) and not set(other) <= set(_stems(text)) for other in theirs
        )
        if rival and not near:
            return f"{found!r} stands in no source"
    return ""


def _parts(compound: str) -> tuple[str, ...]:
    return tuple(stem(part) for part in compound.split("-"))


def _stems(text: str) -> set[str]:
    return {stem(word) for word in re.findall(r"[A-Za-z]+", text)}


def _slot(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    """A word that no source has, right before the word that another stands before there, which is gone."""
    words = wording()
    known, said = {token.stem for token in sources}, {token.stem for token in rewrite}
    before: dict[str, list[Token]] = {}
    kept = {(first.stem, second.stem) for first, second in _neighbours(rewrite)}
    there = {(first.stem, second.stem) for first, second in _neighbours(sources)}
    for first, second in _neighbours(sources):
        if (first.stem, second.stem) not in kept:
            before.setdefault(second.stem, []).append(first)
    for first, second in _neighbours(rewrite):
        if first.name or first.text.lower() in wording().closed or _points(first) or (first.stem, second.stem) in there:
            continue
        rivals = [other for other in before.get(second.stem, ()) if other.text.lower() not in wording().closed]
        if not rivals or any(other.stem in said for other in rivals):
            continue
        if first.stem in known or words.says_nothing(first) and first.text.lower() not in _WHEN:
            exchanged = any(_opposed(first, other) for other in rivals)
        else:
            exchanged = all(_rivals(first, other) and not words.close(first.stem, [other.stem]) for other in rivals)
        if exchanged:
            return f"{first.text!r} stands where the source says {rivals[0].text!r}"
    return ""


def _slot_after(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    """The same behind a word: infer the prior, where the source infers the posterior."""
    words = wording()
    known, said = {token.stem for token in sources}, {token.stem for token in rewrite}
    there = _content_pairs(sources)
    kept = {(a.stem, b.stem) for a, b in _content_pairs(rewrite)}
    after: dict[str, list[Token]] = {}
    for first, second in there:
        if (first.stem, second.stem) not in kept:
            after.setdefault(first.stem, []).append(second)
    pairs = {(a.stem, b.stem) for a, b in there}
    for first, second in _content_pairs(rewrite):
        rivals = after.get(first.stem, [])
        if (
            not rivals
            or (first.stem, second.stem) in pairs
            or second.name
            or _points(second)
            or any(other.stem in said for other in rivals)
        ):
            continue
        if any(_opposed(second, other) for other in rivals) or (
            second.stem not in known and not any(other.name or words.close(second.stem, [other.stem]) for other in rivals)
        ):
            return f"{second.text!r} stands where the source says {rivals[0].text!r}"
    return ""


def _content_pairs(tokens: Sequence[Token]) -> list[tuple[Token, Token]]:
    return [(a, b) for a, b in _neighbours(tokens) if a.value is None and not wording().says_nothing(a)]


def _rivals(first: Token, other: Token) -> bool:
    """Whether one of the two says something: of two words without content each may stand for the other, but not before for after."""
    words = wording()
    if first.text.lower() in _WHEN or other.text.lower() in _WHEN:
        return first.text.lower() in _WHEN and other.text.lower() in _WHEN
    return first.value is None and other.value is None and not words.says_nothing(other) and not other.name


def _neighbours(tokens: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    """Each word with content and the word before it in its clause; articles between do not count."""
    for index, token in enumerate(tokens):
        if token.value is not None or wording().says_nothing(token):
            continue
        at = index - 1
        while at >= 0 and tokens[at].text.lower() in ("a", "an", "the"):
            at -= 1
        if at >= 0 and tokens[at].clause == token.clause:
            yield tokens[at], token


def _exchanged(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    """Two that changed places: what stood nearer to the one in the source stands nearer to the other, and the reverse."""
    mine, theirs = _unique(rewrite), _unique(sources)
    shared = [word for word in mine if word in theirs]
    for a, b in combinations(shared, 2):
        if not _alike(sources, theirs[a][1], theirs[b][1]) or abs(theirs[a][0] - theirs[b][0]) == 1 == abs(mine[a][0] - mine[b][0]):
            continue
        votes = [(_nearer(theirs, c, a, b), _nearer(mine, c, a, b)) for c in shared if c not in (a, b) and c not in wording().pointers]
        crossed = [there for there, here in votes if there and here and there != here]
        straight = sum(1 for there, here in votes if there and there == here)
        if len(set(crossed)) == 2 and len(crossed) > straight:
            return f"{rewrite[mine[a][1]].text!r} and {rewrite[mine[b][1]].text!r} have changed places"
    return ""


def _unique(tokens: Sequence[Token]) -> dict[str, tuple[int, int, int]]:
    """The words that stand there once: the place among the words with content, the place among all, the clause."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    count = 0
    for index, token in enumerate(tokens):
        if token.value is not None or not wording().says_nothing(token) or token.text.lower() in _PLACES:
            found.setdefault(token.stem, []).append((count, index, token.clause))
            count += 1
    return {word: places[0] for word, places in found.items() if len(places) == 1}


_PLACES = frozenset("from into onto to before after".split())


def _alike(tokens: Sequence[Token], a: int, b: int) -> bool:
    """Numbers, opposites, or two before the same word; others change places in any sentence that is turned."""
    one, two = tokens[a], tokens[b]
    if one.value is not None or two.value is not None:
        return one.value is not None and two.value is not None and one.unit == two.unit
    following = [tokens[at + 1].stem if at + 1 < len(tokens) else "" for at in (a, b)]
    return _opposed(one, two) or following[0] == following[1] and following[0] not in wording().closed


def _nearer(places: dict[str, tuple[int, int, int]], word: str, a: str, b: str) -> int:
    """-1 where a word stands in the clause of a, at most 4 words away and nearer to it than to b; 1 the other way round; else 0."""
    first, second = (_distance(places, word, one) for one in (a, b))
    owner = a if first < second else b
    if first == second or min(first, second) > 4 or places[word][2] != places[owner][2]:
        return 0
    return -1 if first < second else 1


def _distance(places: dict[str, tuple[int, int, int]], word: str, one: str) -> int:
    """From, to, before and the like belong to what follows."""
    far = places[one][1] - places[word][1]
    return abs(far) if far > 0 or word not in _PLACES else 99


def _strange_number(rewrite: Sequence[Token], sources: Sequence[Token]) -> str:
    """A number that is said of what the source says another number of: 8.9 in one setting and 5.5 in the other."""
    numbers = {token.stem for token in rewrite if token.value is not None}
    said = {token.stem for token in rewrite}
    owned = [(at, owner) for at, token in enumerate(sources) if (owner := _owner(sources, at))]
    for a, m in owned:
        if sources[a].stem not in said or m in numbers:
            continue
        for b, n in owned:
            if n in numbers and sources[b].stem not in said and n != m and _parallel(sources, a, b):
                number = next(token.text for token in rewrite if token.stem == n)
                return f"{number} is said of {sources[b].text!r} in the source, not of {sources[a].text!r}"
    return ""


def _owner(tokens: Sequence[Token], index: int) -> str:
    """The number next to a word that stands there once, at most 6 words away."""
    token = tokens[index]
    if token.value is not None or wording().says_nothing(token) or sum(other.stem == token.stem for other in tokens) > 1:
        return ""
    near = [(abs(at - index), other.stem) for at, other in enumerate(tokens) if other.value is not None and abs(at - index) <= 6]
    return min(near)[1] if near else ""


def _parallel(tokens: Sequence[Token], a: int, b: int) -> bool:
    """Two names, or two before the same word."""
    if tokens[a].name and tokens[b].name:
        return True
    following = [tokens[at + 1].stem if at + 1 < len(tokens) else "" for at in (a, b)]
    return bool(following[0]) and following[0] == following[1] and following[0] not in wording().closed
