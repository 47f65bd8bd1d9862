"""The lists of wording.yaml, by stems: which words say the same, which claim nothing, which point where."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from forge_assets.documentation.verify.stems import stem
from forge_assets.documentation.verify.tokens import Token

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

    def says_nothing(self, token: Token) -> bool:
        return token.stem in self.neutral or token.text.lower() in self.plain

    def same(self, a: str, b: str) -> bool:
        return a == b or bool(self.groups.get(a, frozenset()) & self.groups.get(b, frozenset()))


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
    return Wording(
        {word: frozenset(numbers) for word, numbers in groups.items()},
        frozenset(stem(word) for word in neutral if not word.endswith("ly")),
        frozenset(word for word in neutral if word.endswith("ly")),
        {word: frozenset(found) for word, found in pointers.items()},
    )
