"""The names of parameters, ready for look-up: phrases of prose by their words, keys of configurations, headers of tables, choices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forge_assets.components.ontology.model import Parameter

Words = tuple[str, ...]

TOKEN = re.compile(r"[^\W\d_]+|[\d₀-₉]+")
_JOIN = re.compile(r"(?:\s|[-‐‑–_/{}\\$])*", re.ASCII)
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_IDENTIFIER = re.compile(r"[\w-]*\Z")
_PREFIX = re.compile(r"^(?:-+|(?:[a-z_]+\.)+)")


@dataclass(frozen=True, slots=True)
class Term:
    """A name of a parameter as it stands in a text; `alias` is its words, joined by spaces, singular and in lower case."""

    start: int
    end: int
    parameter: str
    alias: str


class Vocabulary:
    """Look-up tables made from the parameters of the ontology."""

    def __init__(self, parameters: Mapping[str, Parameter]) -> None:
        self.parameters = parameters
        self._phrases: dict[str, list[tuple[Words, str]]] = {}
        self._whole: dict[Words, str] = {}
        self._keys: dict[str, str] = {}
        self._choices: dict[str, dict[str, str]] = {}
        for parameter in parameters.values():
            for alias in (*parameter.aliases, parameter.id, *parameter.keys):
                for words in {words_of(alias), words_of(alias.replace("warmup", "warm-up"))}:
                    self._whole.setdefault(words, parameter.id)
            for alias in parameter.aliases:
                for words in {words_of(alias), words_of(alias.replace("warmup", "warm-up"))}:
                    self._phrases.setdefault(words[0], []).append((words, parameter.id))
            for key in (*parameter.keys, parameter.id):
                self._keys.setdefault(key, parameter.id)
            self._choices[parameter.id] = {_plain_choice(way): value for value, ways in parameter.choices.items() for way in (value, *ways)}
        for phrases in self._phrases.values():
            phrases.sort(key=lambda entry: -len(entry[0]))

    def terms(self, text: str, start: int, end: int) -> list[Term]:
        """Names of parameters in text[start:end], the longest first where several begin at one word, without overlaps."""
        tokens = [(m.start(), m.end(), _folded(m[0])) for m in TOKEN.finditer(text, start, end)]
        out: list[Term] = []
        position = 0
        while position < len(tokens):
            found = next(
                (
                    (words, parameter)
                    for words, parameter in self._phrases.get(tokens[position][2], ())
                    if _stands(text, tokens, position, words)
                ),
                None,
            )
            if found is None:
                position += 1
                continue
            words, parameter = found
            begin, last = tokens[position][0], tokens[position + len(words) - 1][1]
            if begin == 0 or text[begin - 1] != "_" or self.key(_identifier(text, last)) == parameter:
                out.append(Term(begin, last, parameter, " ".join(words)))
            position += len(words)
        return out

    def key(self, written: str) -> str | None:
        """The parameter of a key of a configuration ("--learning-rate", "training_args.lr", "hidden_size"), else None."""
        key = _PREFIX.sub("", written.strip().strip("\"'`").lower().replace("-", "_").replace(" ", "_").lstrip("_"))
        return self._keys.get(key)

    def header(self, written: str) -> str | None:
        """The parameter that a whole cell of a table names ("# Params", "n_layers", "Batch size"), else None."""
        words = tuple(word for word in words_of(written) if word)
        if not words:
            return None
        return self._whole.get(words) or (self._whole.get(words[1:]) if words[0] in ("n", "num", "number", "no") else None)

    def choice(self, parameter: str, written: str) -> str | None:
        """The value of a parameter of kind choice that `written` is a way to write, else None."""
        known = self._choices[parameter]
        plain = _plain_choice(written)
        return known.get(plain) or known.get(plain.rsplit(".", 1)[-1])


def words_of(written: str) -> Words:
    """The words of a name: lower case, singular, digits apart; everything else parts them."""
    return tuple(_folded(word) for word in TOKEN.findall(written))


def _identifier(text: str, end: int) -> str:
    """The word of letters, digits, hyphens and underscores that ends at `end`."""
    found = _IDENTIFIER.search(text[max(0, end - 60) : end])
    return found[0] if found else ""


def _stands(text: str, tokens: list[tuple[int, int, str]], position: int, words: Words) -> bool:
    if position + len(words) > len(tokens):
        return False
    for step, word in enumerate(words):
        if tokens[position + step][2] != word:
            return False
        if step and not _JOIN.fullmatch(text, tokens[position + step - 1][1], tokens[position + step][0]):
            return False
    return True


@lru_cache(maxsize=50_000)
def _folded(word: str) -> str:
    word = word.lower().translate(_LOWERED)
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "os")) else word


def _plain_choice(written: str) -> str:
    return re.sub(r"\s+", " ", written.strip().strip("\"'`").lower())


@lru_cache(maxsize=1)
def default_vocabulary() -> Vocabulary:
    """The vocabulary of the ontology that comes with Forge. Raises ForgeError where its files are faulty."""
    from forge_assets.components.ontology import load_ontology

    return Vocabulary(load_ontology().parameters)
