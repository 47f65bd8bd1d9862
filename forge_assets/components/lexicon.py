"""The ontology's aliases as a trie over folded words, with the rules that decide whether a way of writing counts.

A trie over words instead of letters: words are folded first (case, plural, spelling), so that each alias is one path, and a text of 250
words costs 250 look-ups.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from forge_assets.components.folding import fold
from forge_assets.components.ontology.model import Alias, Component, Ontology
from forge_assets.components.text import Reading

Stance = Literal["introduced", "used", "named"]
Role = Literal["background", "method", "result", "limitation", "other"]
Via = Literal["alias", "abbreviation", "model"]

WORD = re.compile(r"[^\W_]+(?:(?<=[0-9])\.[0-9]+)*")
JOINING_SIGN = re.compile(r"(?<=\w)(?:[@/]|\.(?=\w))")
_CAMEL = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]+)+\Z")
_CAMEL_PART = re.compile(r"[A-Z][a-z]+")
_LETTERS_DIGITS = re.compile(r"([A-Za-z]{3,})(\d+(?:\.\d+)?)\Z")
_JOINED_PREFIXES = frozenset(
    "pre post fine multi sub non co re self mini semi over under drop auto cross meta hyper inter intra un bi".split()
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A component named in a text: text[start:end] is `surface`."""

    start: int
    end: int
    component: str
    surface: str
    role: Role
    negated: bool
    stance: Stance
    via: Via


@dataclass(slots=True, unsafe_hash=True)
class Near:
    """A pattern that is compiled at the first question: of some two thousand a text asks few, and to compile all takes a quarter second."""

    pattern: str
    _compiled: re.Pattern[str] | None = field(default=None, compare=False, repr=False)

    def search(self, text: str) -> re.Match[str] | None:
        if self._compiled is None:
            self._compiled = re.compile(self.pattern)
        return self._compiled.search(text)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to write a component: words that must stand as written (None: in any case), and what must or must not stand near.

    `cased`: the letters' case was part of what matched; `proper`: a name and no common noun; `model`: sizes may follow the name;
    `technique`: something that is varied and renamed, where data sets, machines and programs are only used.
    """

    component: str
    exact: tuple[str | None, ...]
    context: Near | None
    unless: Near | None
    cased: bool
    proper: bool
    model: bool
    technique: bool = True
    joiner: Literal["any", "hyphen_or_capitals"] = "any"
    tail: str = ""
    """Signs that follow the last word: the ++ of "PaLM++"."""
    signs: str = ""
    """Signs that join its words: the @ of "pass@k", the point of "llama.cpp"."""


@dataclass(slots=True)
class Node:
    """A place in the trie: the words that may follow, and what is complete here."""

    follows: dict[str, Node] = field(default_factory=dict)
    ways: list[Way] = field(default_factory=list)


_MODEL_SLOTS = frozenset(("architecture", "modality_encoder"))
_USED_SLOTS = frozenset(("eval", "data_pipeline", "hardware", "serving"))


_KEPT: dict[str, Lexicon] = {}
MOST_KEPT = 2


def lexicon_of(ontology: Ontology) -> Lexicon:
    """The lexicon of an ontology, built once in a process: it takes half a second."""
    if ontology.version not in _KEPT:
        while len(_KEPT) >= MOST_KEPT:
            del _KEPT[next(iter(_KEPT))]
        _KEPT[ontology.version] = Lexicon(ontology)
    return _KEPT[ontology.version]


class Lexicon:
    """All aliases of an ontology. Building costs some 50 us an alias; a lexicon is immutable and may be shared."""

    def __init__(self, ontology: Ontology) -> None:
        self.version = ontology.version
        self.root = Node()
        self._names: dict[tuple[str, ...], set[str]] = {}
        self._vocabulary: dict[str, frozenset[str]] = {}
        for component in ontology.components.values():
            aliases = list(written(component))
            self._vocabulary[component.id] = frozenset(word for alias, _ in aliases for word in words_of(alias.text))
            for alias, looked_for in aliases:
                if looked_for:
                    self._add(component, alias)

    def find(self, reading: Reading) -> list[Mention]:
        """The mentions of components in a text, in order and without overlap."""
        from forge_assets.components.matching import find  # imports this module

        return find(self, reading)

    def components_of(self, name: str) -> frozenset[str]:
        """Ids of the components that are written so, whatever the case and without looking at a context."""
        return frozenset(self._names.get(words_of(name), ()))

    def may_mean(self, component: str, long_form: str) -> bool:
        """Whether a long form can stand for a component: its first word and half of all or more occur in the component's names.

        The first word is what tells "bimodal recurrent network" from "bidirectional recurrent network", both BRNN.
        """
        content = [word for word in words_of(long_form) if len(word) > 3]
        known = self._vocabulary.get(component, frozenset())
        return bool(content) and content[0] in known and 2 * sum(word in known for word in content) >= len(content)

    def names(self) -> Iterator[tuple[str, ...]]:
        """The folded words of each way to write a component."""
        return iter(self._names)

    def _add(self, component: Component, alias: Alias) -> None:
        words = WORD.findall(alias.text)
        if not words:
            return
        exact = _case_rule(alias, words)
        tail = alias.text[alias.text.rindex(words[-1]) + len(words[-1]) :].strip()
        way = Way(
            component=component.id,
            exact=exact,
            context=_near(alias.context),
            unless=_near(alias.unless),
            cased=any(exact),
            proper=any(exact) or len(words) == 1 and words[0][:1].isupper(),
            model=component.slot in _MODEL_SLOTS,
            technique=component.slot not in _USED_SLOTS,
            tail=tail if tail and set(tail) <= set("+*#") else "",
            signs="".join(JOINING_SIGN.findall(WORD.sub("a", alias.text))),
        )
        self._put(words, way)
        for other, rule, joiner in _variants(words, exact, alias):
            self._put(other, _with(way, rule, joiner))

    def _put(self, words: list[str], way: Way) -> None:
        node = self.root
        key = tuple(fold(word) for word in words)
        for word in key:
            node = node.follows.setdefault(word, Node())
        if way not in node.ways:
            node.ways.append(way)
        self._names.setdefault(key, set()).add(way.component)


def words_of(name: str) -> tuple[str, ...]:
    """The folded words of a name: the key under which the lexicon knows it."""
    return tuple(fold(word) for word in WORD.findall(name))


def written(component: Component) -> Iterator[tuple[Alias, bool]]:
    """The aliases of a component, its name among them; and whether each is looked for: of a broad component only what is made up, of one
    outside none."""
    name = component.name
    known = any(alias.text == name for alias in component.aliases) or len(WORD.findall(name)) < 2
    for alias in (*component.aliases, *(() if known else (Alias(name),))):
        yield alias, not component.outside and (not component.broad or _is_proper(alias.text))


def _is_proper(text: str) -> bool:
    """Whether one of the words is made up, as in node2vec or TransE; common nouns and short abbreviations such as RL or LLMs are not."""
    words = [word for word in WORD.findall(text) if len(word) > 4]
    return any(
        any(map(str.isdigit, word)) or any(map(str.isupper, word[1:])) and not word[:-1].isupper() or word.isupper() for word in words
    )


def _case_rule(alias: Alias, words: list[str]) -> tuple[str | None, ...]:
    """For each word how it must be written, or None. Under `auto` only words with a capital inside and short all-capitals are strict."""
    if alias.case == "any":
        return (None,) * len(words)
    if alias.case == "exact":
        return tuple(words)
    if len(words) == 1 and _CAMEL.match(words[0]) and len(words[0]) >= 8:
        return (None,)
    return tuple(word if _strict(word, alone=len(words) == 1) else None for word in words)


def _strict(word: str, alone: bool) -> bool:
    letters = [letter for letter in word if letter.isalpha()]
    if not letters or len(word) == 1 and not alone:
        return False
    return any(letter.isupper() for letter in word[1:]) or all(letter.isupper() for letter in letters)


def _variants(
    words: list[str], exact: tuple[str | None, ...], alias: Alias
) -> Iterator[tuple[list[str], tuple[str | None, ...], Literal["any", "hyphen_or_capitals"]]]:
    """Other word boundaries for the same name: Llama2 and Llama 2, pre-training and pretraining, FlashAttention and Flash-Attention."""
    for at, word in enumerate(words):
        rule = exact[at]
        split = _LETTERS_DIGITS.match(word)
        if split:
            parts = [split[1], split[2]]
            yield _swap(words, at, 1, parts), _swap_rule(exact, at, 1, (split[1] if rule else None, None)), "any"
        elif _CAMEL.match(word) and len(word) >= 8 and alias.case != "exact":
            parts = _CAMEL_PART.findall(word)
            yield _swap(words, at, 1, parts), _swap_rule(exact, at, 1, (None,) * len(parts)), "hyphen_or_capitals"
        following = words[at + 1] if at + 1 < len(words) else ""
        if len(words) == 1 and rule and word[-1].isalpha() and fold(word + "s") != fold(word):  # LoRAs, GRUs: no s of a plural to fold
            yield [word + "s"], (word + "s",), "any"
        if following.replace(".", "").isdigit() and len(word) >= 3 and word.isalpha():
            joined = word + following
            yield _swap(words, at, 2, [joined]), _swap_rule(exact, at, 2, (joined if rule else None,)), "any"
        elif word.lower() in _JOINED_PREFIXES and len(following) >= 4 and rule is None and f"{word}-{following}" in alias.text:
            yield _swap(words, at, 2, [word + following]), _swap_rule(exact, at, 2, (None,)), "any"


def _swap(words: list[str], at: int, count: int, parts: list[str]) -> list[str]:
    return [*words[:at], *parts, *words[at + count :]]


def _swap_rule(exact: tuple[str | None, ...], at: int, count: int, parts: tuple[str | None, ...]) -> tuple[str | None, ...]:
    return (*exact[:at], *parts, *exact[at + count :])


def _with(way: Way, exact: tuple[str | None, ...], joiner: Literal["any", "hyphen_or_capitals"]) -> Way:
    return replace(way, exact=exact, cased=any(exact), joiner=joiner)


def _near(phrases: Iterable[str]) -> Near | None:
    """Finds any of `phrases` as whole words, with a plural s and either of space and hyphen, in small letters."""
    written = sorted({r"[\s-]+".join(re.escape(word) for word in re.split(r"[\s-]+", phrase.lower().strip())) for phrase in phrases})
    return Near(rf"(?<![^\W_])(?:{'|'.join(written)})(?:e?s)?(?![^\W_])") if written else None
