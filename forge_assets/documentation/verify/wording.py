"""The lists of wording.yaml and wordnet.txt, by stems: which words say the same, which claim nothing, which point where."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from forge_assets.documentation.verify.stems import IRREGULAR, stem
from forge_assets.documentation.verify.tokens import Token

_VERBS = frozenset(("apply", "rely", "supply", "imply", "comply"))
Pointer = tuple[str, str]
"""An axis and a direction on it, such as ("amount", "-")."""


@dataclass(frozen=True, slots=True)
class Wording:
    """`groups`: numbers of the groups a stem belongs to; `pointers`: where a stem points."""

    groups: dict[str, frozenset[int]]
    neutral: frozenset[str]
    plain: frozenset[str]
    """Adverbs without a claim, as written: approximately claims nothing, an approximation does."""
    pointers: dict[str, frozenset[Pointer]]
    synonyms: dict[str, frozenset[int]]
    """As `groups`, of WordNet: wide, and good for words that carry no denial."""
    derived: dict[str, frozenset[str]]
    wider: dict[str, frozenset[str]]
    """Verbs by what they are one way of: who interleaves alternates."""
    opposites: dict[str, frozenset[str]]
    verbs: frozenset[str]
    """Verbs of everyday prose, as written, that turn nothing round."""
    qualifiers: dict[str, frozenset[str]]
    """What limits a claim, as written, by kind."""
    universal: frozenset[str]
    like_universal: frozenset[str]
    closed: frozenset[str]
    """Function words, as written."""
    literal: frozenset[str]
    turning: frozenset[str]

    def says_nothing(self, token: Token) -> bool:
        return token.stem in self.neutral or token.text.lower() in self.plain

    def same(self, a: str, b: str) -> bool:
        return a == b or bool(self.groups.get(a, frozenset()) & self.groups.get(b, frozenset()))

    def close(self, mine: str, theirs: Collection[str]) -> bool:
        """Whether a word says what one of theirs says, or less: a synonym, another form, what it is a way of."""
        if mine in self.literal:
            return bool(self.groups.get(mine)) and any(self.same(mine, other) for other in theirs)
        family = {mine, *self.derived.get(mine, ())}
        ids = self._ids(family)
        for other in theirs:
            kin = {other, *self.derived.get(other, ())}
            if family & kin or ids & self._ids(kin) or mine in self.wider.get(other, ()):
                return True
        return False

    def _ids(self, words: Collection[str]) -> set[int]:
        return {number for word in words for number in (*self.groups.get(word, ()), *self.synonyms.get(word, ()))}


@cache
def wording() -> Wording:
    from forge_resources.strict_yaml import parse

    read = parse((files(__package__) / "wording.yaml").read_text("utf-8"))
    groups: dict[str, set[int]] = {}
    for number, line in enumerate(read["same"]):
        for word in line.split():
            groups.setdefault(stem(word), set()).add(number)
    pointers: dict[str, set[Pointer]] = {}
    for name, words in read["axes"].items():
        axis, direction = name.split()
        for word in words.split():
            pointers.setdefault(stem(word), set()).add((axis, direction))
    neutral = read["neutral"].split()
    net = _wordnet(len(read["same"]))
    for number, line in enumerate((files(__package__) / "paraphrases.txt").read_text("utf-8").splitlines(), 1):
        for word in line.split() if line[:1] != "#" else ():
            net[0][stem(word)] = net[0].get(stem(word), frozenset()) | {-number}
    turning = {stem(word) for word in read["turning"].split()}
    opposites = {word: set(found) for word, found in net[3].items()}
    for line in read["opposites"]:
        sides = [{stem(word) for word in side.split()} for side in line.split("/")]
        for mine, theirs in (sides, sides[::-1]):
            for word in mine:
                opposites.setdefault(word, set()).update(theirs)
    return Wording(
        {word: frozenset(numbers) for word, numbers in groups.items()},
        frozenset(stem(word) for word in neutral if not word.endswith("ly") or word in _VERBS),
        frozenset(word for word in neutral if word.endswith("ly")),
        {word: frozenset(found) for word, found in pointers.items()},
        *net[:3],
        {word: frozenset(found) for word, found in opposites.items()},
        frozenset(verb for verb in (*net[4], *_forms(read["everyday"].split())) if stem(verb) not in turning),
        {kind: frozenset(words.split()) for kind, words in read["qualifiers"].items()},
        frozenset(read["universal"].split()),
        frozenset(read["like_universal"].split()),
        frozenset(read["closed"].split()),
        frozenset(stem(word) for word in read["literal"].split()),
        frozenset(turning),
    )


def _forms(verbs: Collection[str]) -> list[str]:
    """The regular forms of verbs, and the irregular ones that stems.py knows."""
    found = [form for form, base in IRREGULAR.items() if base in verbs]
    for verb in verbs:
        bare = verb.removesuffix("e")
        found += [verb, f"{bare}ing", f"{verb}es" if verb.endswith(("s", "sh", "ch", "x")) else f"{verb}s", f"{bare}ed"]
        if verb.endswith("y") and verb[-2] not in "aeou":
            found += [f"{verb[:-1]}ies", f"{verb[:-1]}ied"]
    return found


Pairs = dict[str, frozenset[str]]


def _wordnet(first: int) -> tuple[dict[str, frozenset[int]], Pairs, Pairs, Pairs, list[str]]:
    """Synonyms as numbers of groups from `first` on, derivations, wider verbs, opposites, verbs."""
    synonyms: dict[str, set[int]] = {}
    pairs: dict[str, dict[str, set[str]]] = {"+": {}, "<": {}, "!": {}}
    verbs: list[str] = []
    for number, line in enumerate((files(__package__) / "wordnet.txt").read_text("utf-8").splitlines(), first):
        sign, _, written = line.partition(" ")
        if sign == "v":
            verbs.append(written)
        if sign not in "=+<!":
            continue
        stems = [stem(word) for word in written.split()]
        if sign == "=":
            for one in stems:
                synonyms.setdefault(one, set()).add(number)
        elif stems[0] != stems[1]:
            pairs[sign].setdefault(stems[0], set()).add(stems[1])
            if sign != "<":
                pairs[sign].setdefault(stems[1], set()).add(stems[0])
    sets = [{word: frozenset(found) for word, found in pairs[sign].items()} for sign in "+<!"]
    return {word: frozenset(found) for word, found in synonyms.items()}, sets[0], sets[1], sets[2], verbs
