"""The methods of Papers with Code (gold set pwc_methods), the slots of their collections, and when something of ours is one of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from forge_assets.components.candidates.names import key_of
from forge_assets.components.folding import fold
from forge_assets.components.lexicon import WORD, Lexicon
from forge_resources.errors import SettingError
from forge_resources.settings import PROJECT
from forge_resources.strict_yaml import parse

GOLD = PROJECT.parent / "shared" / "gold" / "pwc_methods" / "methods.jsonl"
ARTICLES = PROJECT.parent / "shared" / "corpus" / "articles"
MAPPING = Path(__file__).resolve().parent / "pwc_collections.yaml"
ALIKE = 0.5
"""Long forms are of one thing where they share this of the words of the shorter one: people write "self-attention GAN" both ways."""
_BRACKET = re.compile(r"\s*\([^()]*\)\s*$")
_SMALL = frozenset("of the for and in with on to a an by from via".split())

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Method:
    """`name` and `full_name` (the same where it has no other), the slots its collections map to, and its paper's id in the corpus."""

    name: str
    full_name: str
    slots: frozenset[str]
    paper: str | None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.name, self.full_name)))


def read_methods(gold: Path | None = None, mapping: Path = MAPPING) -> list[Method]:
    """The dev part: methods whose paper is kept back are not measured here. Raises SettingError where the file is missing."""
    path = gold or GOLD
    if not path.is_file():
        raise SettingError(f"gold data {path} is not there; name the file methods.jsonl of the set pwc_methods by --gold")
    slots: dict[str, list[str]] = parse(mapping.read_text(encoding="utf-8"))
    made = []
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        if row.get("doc_in_holdout"):
            continue
        name, full = _plain(row["name"]), _plain(row.get("full_name") or row["name"])
        own = frozenset(slot for _, collection in row.get("collections") or () for slot in slots.get(collection, ()))
        made.append(Method(name, full, own, row.get("doc_id")))
    return made


def components_of(method: Method, lexicon: Lexicon) -> frozenset[str]:
    """Ids of the components that the ontology calls so."""
    return frozenset().union(*(lexicon.components_of(name) for name in method.names))


def is_same(method: Method, names: Iterable[str], long_form: str | None) -> bool:
    """Whether something of these names, and of this long form if it has one, is the method.

    A full name of several words decides. A short name counts unless the long forms of both are known and not alike.
    """
    keys = {key_of(name) for name in names}
    if len(WORD.findall(method.full_name)) > 1 and key_of(method.full_name) in keys:
        return True
    if key_of(method.name) not in keys:
        return False
    return long_form is None or method.full_name == method.name or alike(method.full_name, long_form)


class Called(Generic[T]):
    """Things by all their names, so that the few that may be a method are found at once."""

    def __init__(self, things: Iterable[tuple[T, Sequence[str], str | None]]) -> None:
        """`things`: (what it is, its names, its long form if it has one)."""
        self._by_key: dict[str, list[tuple[T, Sequence[str], str | None]]] = {}
        for thing in things:
            for key in {key_of(name) for name in (*thing[1], thing[2] or "")} - {""}:
                self._by_key.setdefault(key, []).append(thing)

    def which(self, method: Method) -> list[T]:
        """Those that are the method, in the order in which they were given for each of its names."""
        found = (thing for name in method.names for thing in self._by_key.get(key_of(name), ()))
        return [what for what, names, long_form in found if is_same(method, [*names, long_form or ""], long_form)]


def alike(one: str, other: str) -> bool:
    """Whether two long forms mean the same, by the beginnings of their words."""
    few, many = sorted((_stems(one), _stems(other)), key=len)
    return bool(few) and len(few & many) >= ALIKE * len(few)


def _stems(name: str) -> frozenset[str]:
    return frozenset(fold(word)[:5] for word in WORD.findall(name) if word.lower() not in _SMALL)


def _plain(name: str) -> str:
    """Without an addition in brackets: "Accuracy-Robustness Area (ARA)"."""
    return _BRACKET.sub("", name).strip() or name
