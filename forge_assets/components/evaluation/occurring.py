"""Where names of methods stand in texts, told without our matching: plain words by regular expressions, for the denominators of recall.

A method occurs where one of these stands as whole words, neither inside a longer hyphenated name nor followed by a number of its own:
- its full name of two words or more, in any case, with spaces or hyphens, singular or plural;
- its name as it is written, if that is distinctive: a capital or a digit inside and a small letter ("CycleGAN"), or, where the set knows no
  longer name, four capitals ("BERT"), or two and a digit ("GPT-2"). A name whose letters stand more often in small ("ALIGN") is none.
A name that stands only inside longer names that are known ("adaptive instance normalization") does not occur.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from forge_assets.components.evaluation.pwc_methods import Method

_WORD = re.compile(r"[^\W_]+")
_BEFORE, _AFTER = r"(?<![\w\\-])", r"(?![\w+]|-[A-Z0-9]|\.\d|\s\d)"
FEWEST_CAPITALS = 4


class Occurring:
    """The methods to look for, by place. `known`: names of other things, which may hold the name of a method."""

    def __init__(self, methods: Sequence[Method], known: Iterable[str] = ()) -> None:
        self._by_word: dict[str, list[tuple[re.Pattern[str], int, str | None]]] = {}
        self._longer = _longer(methods, {*known, *(name for method in methods for name in method.names)})
        for place, method in enumerate(methods):
            for pattern, first, written in _patterns(method):
                self._by_word.setdefault(first, []).append((pattern, place, written))
        self._words = frozenset(self._by_word)
        self.exact: Counter[str] = Counter()
        self.small: Counter[str] = Counter()
        self._names = frozenset(written for found in self._by_word.values() for _, _, written in found if written)
        self._small = {name.lower(): name for name in self._names}

    def in_text(self, text: str) -> set[tuple[int, str | None]]:
        """(place of a method, its distinctive name or None where the full name told) of all that occur."""
        words = _WORD.findall(text)
        there = {word.lower() for word in words}
        for name in {self._small[word] for word in set(words) & self._small.keys()}:
            self.small[name] += 1
        found = set()
        for word in self._words & there:
            for pattern, place, written in self._by_word[word]:
                if self._alone(place, pattern, text):
                    found.add((place, written))
        self.exact.update({written for _, written in found if written})
        return found

    def _alone(self, place: int, pattern: re.Pattern[str], text: str) -> bool:
        """Whether it stands somewhere outside of every longer name."""
        spans = [match.span() for match in pattern.finditer(text)]
        if not spans or place not in self._longer:
            return bool(spans)
        around = [match.span() for match in self._longer[place].finditer(text)]
        return any(not any(start <= first and last <= end for start, end in around) for first, last in spans)

    def is_word(self, name: str) -> bool:
        """Whether the letters of a distinctive name stand more often in small: an ordinary word, after all texts have been seen."""
        return self.small[name] > self.exact[name]


def _longer(methods: Sequence[Method], known: Iterable[str]) -> dict[int, re.Pattern[str]]:
    """Of each method the names of two words or more that hold one of its names, as one pattern, the longest first."""
    keyed = {name: f" {' '.join(_WORD.findall(name.lower()))} " for name in known}
    of_word: dict[str, list[str]] = {}
    for name, key in keyed.items():
        if key.count(" ") > 2:
            for word in set(key.split()):
                of_word.setdefault(word, []).append(name)
    longer: dict[int, re.Pattern[str]] = {}
    for place, method in enumerate(methods):
        own = {f" {' '.join(_WORD.findall(name.lower()))} " for name in method.names} - {"  "}
        holding = {
            name for key in own for name in of_word.get(key.split()[0], ()) if key in keyed[name] and keyed[name] not in own
        }  # fmt: skip
        if holding:
            bodies = (r"[\s-]+".join(map(re.escape, _WORD.findall(name))) for name in sorted(holding, key=lambda name: (-len(name), name)))
            longer[place] = re.compile(rf"(?<!\w)(?:{'|'.join(bodies)})(?:e?s)?(?!\w)", re.I)
    return longer


def _patterns(method: Method) -> Iterator[tuple[re.Pattern[str], str, str | None]]:
    full = _WORD.findall(method.full_name)
    if len(full) > 1:
        body = r"[\s-]+".join(map(re.escape, full))
        last = r"(?:e?s)?" if full[-1][-1] != "s" else "?"
        yield re.compile(f"{_BEFORE}{body}{last}{_AFTER}", re.I), full[0].lower(), None
    name = method.name
    words = _WORD.findall(name)
    if words and is_distinctive(method):
        yield re.compile(f"{_BEFORE}{re.escape(name)}s?{_AFTER}"), words[0].lower(), name


def is_distinctive(method: Method) -> bool:
    """Whether the name by itself tells the method."""
    name = method.name
    if " " in name:
        return False
    inner = any(letter.isupper() or letter.isdigit() for letter in name[1:])
    if inner and any(letter.islower() for letter in name):
        return True
    capitals, digits = sum(letter.isupper() for letter in name), sum(letter.isdigit() for letter in name)
    return method.full_name == name and name.upper() == name and (capitals >= FEWEST_CAPITALS or capitals > 1 and digits > 0)


def kept(found: Iterable[tuple[int, str | None]], occurring: Occurring) -> set[int]:
    """Places of the methods that occur, once it is known which names are ordinary words."""
    return {place for place, written in found if written is None or not occurring.is_word(written)}
