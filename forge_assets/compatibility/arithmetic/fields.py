"""Reads fields of a config that nobody has checked: each is there and of its kind, or a sentence says which is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forge_assets.compatibility.arithmetic.shape import MOST
from forge_resources.errors import ShapeError

MOST_LAYERS = 10_000


class Fields:
    """The fields of one config, of the architecture `kind`. A field that is null counts as left out, but for `maybe`."""

    def __init__(self, kind: str, given: Mapping[str, Any]) -> None:
        self.kind = kind
        self.given = given

    def with_defaults(self, sizes: Mapping[str, Any]) -> Fields:
        return Fields(self.kind, {**sizes, **self.given})

    def size(self, keys: str | tuple[str, ...], default: int | None = None) -> int:
        """A whole number from 0 to MOST, under the first of `keys` that the config has."""
        names = (keys,) if isinstance(keys, str) else keys
        name = next((key for key in names if self.given.get(key) is not None), names[0])
        value = self.given.get(name)
        if value is None and default is not None:
            return default
        if value is None:
            raise ShapeError(f"this {self.kind} config has no {' or '.join(names)}; expected a whole number, as in the model's config.json")
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= (MOST_LAYERS if "layer" in name else MOST):
            raise ShapeError(f"{name} of this {self.kind} config is {value!r:.80}; expected a whole number up to {MOST:,}")
        return value

    def maybe(self, key: str, default: int) -> int:
        """As `size`; but null means that the part is switched off, 0, whatever the family's default is."""
        return 0 if key in self.given and self.given[key] is None else self.size(key, default)

    def flag(self, key: str, default: bool) -> bool:
        value = self.given.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise ShapeError(f"{key} of this {self.kind} config is {value!r}; expected true or false")
        return value

    def words(self, key: str) -> list[str]:
        value = self.given.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ShapeError(f"{key} of this {self.kind} config is {value!r:.80}; expected a list of words, one per layer")
        if len(value) != self.size("num_hidden_layers"):
            raise ShapeError(
                f"{key} of this {self.kind} config names {len(value)} layers, num_hidden_layers is {self.given['num_hidden_layers']}"
            )
        return value

    def numbers(self, key: str) -> list[int]:
        value = self.given.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, int) for one in value):
            raise ShapeError(f"{key} of this {self.kind} config is {value!r:.80}; expected a list of layer numbers")
        return value

    def only(self, key: str, expected: object) -> None:
        value = self.given.get(key)
        if value is not None and value != expected:
            raise ShapeError(f"{key} of this {self.kind} config is {value!r}; only {expected!r} has a parameter formula here")

    def divided(self, hidden: int, heads: int) -> int:
        if not heads or hidden % heads:
            raise ShapeError(f"hidden size {hidden:,} of this {self.kind} config is no multiple of its {heads} heads")
        return hidden // heads
