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
_TIGHT = re.compile(r"[-_{}\\$]*", re.ASCII)
_JOIN = re.compile(r"(?:\s|[-‐‑–_/{}\\$])*", re.ASCII)
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_REST = re.compile(r"(?:_[A-Za-z]\w*)+")
_IDENTIFIER = re.compile(r"[\w-]*\Z")
_SUFFIX = re.compile(r"_(key_value_heads|kv_heads|dtype|act|activation|dropout)(?:(?<=dropout)_(?:rate|prob))?\Z")
_NUMBERED = re.compile(r"_\d+\Z")
_BY_SUFFIX = {
    "key_value_heads": "kv_heads",
    "kv_heads": "kv_heads",
    "dtype": "precision",
    "act": "activation",
    "activation": "activation",
    "dropout": "dropout",
}
_LAST_TWO = re.compile(r".*?([^.]+)\.([^.]+)\Z")
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
        parameter: str | None
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
            rest = _REST.match(text, last, end)
            if rest or (begin > 0 and text[begin - 1] == "_"):
                last = rest.end() if rest else last
                parameter = self.key(_identifier(text, last))
            if parameter is not None:
                out.append(Term(begin, last, parameter, " ".join(words)))
            position += len(words)
        return out

    def key(self, written: str) -> str | None:
        """The parameter of a key of a configuration ("--learning-rate", "training_args.lr", "hidden_size"), else None."""
        key = written.strip().strip("\"'`").lower()
        joined = self._keys.get(_LAST_TWO.sub(r"\1_\2", key)) if "." in key else None
        if joined is not None:
            return joined
        key = _PREFIX.sub("", key.replace("-", "_").replace(" ", "_")).lstrip("_")
        found = self._keys.get(key) or self._keys.get(_NUMBERED.sub("", key))
        if found is None and (suffix := _SUFFIX.search(key)):
            found = _BY_SUFFIX[suffix[1]]
        return found if found in self.parameters else None

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
        joint = _TIGHT if step == 1 and len(words[0]) == 1 else _JOIN
        if step and not joint.fullmatch(text, tokens[position + step - 1][1], tokens[position + step][0]):
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
