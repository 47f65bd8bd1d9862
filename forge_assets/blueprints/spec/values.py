"""A value of a spec and where it comes from: a passage, a formula, a published default, the request, or the solved stack."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

Origin = Literal["evidence", "computed", "default", "request", "stack"]
T = TypeVar("T")


class Strict(BaseModel):
    """Frozen; unknown fields are refused, numbers are not made of texts, and neither infinity nor NaN is a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Passage(Strict):
    """A span of a document's text, by string indices; `quote_hash`: SHA-256 of what stands there."""

    document: str = Field(description="id of the document", min_length=36, max_length=36)
    title: str | None = None
    uri: str | None = None
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    quote_hash: str = Field(pattern="^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _in_order(self) -> Passage:
        if self.end <= self.start:
            raise ValueError(f"a passage ends at {self.end}, not after its start {self.start}; expected some text")
        return self


class Formula(Strict):
    """How a number was computed, and who says that it is computed so."""

    formula: str = Field(min_length=1)
    source: str = Field(min_length=1)


class Typical(Strict):
    """What the corpus says of a value, by works: how many give one, the middle half of them, and passages to look at."""

    works: int = Field(ge=1)
    low: float
    median: float
    high: float
    passages: tuple[Passage, ...] = ()


class Value(Strict, Generic[T]):
    """`source`: a passage for `evidence`, a formula for `computed`, else a sentence: the publication of a default, a field of the request,
    the slot of the stack. `corpus`: what works say of this value, whatever was chosen."""

    value: T
    unit: str | None = None
    origin: Origin
    source: Passage | Formula | str
    corpus: Typical | None = None

    @model_validator(mode="after")
    def _has_its_source(self) -> Value[T]:
        wanted = {"evidence": Passage, "computed": Formula}.get(self.origin, str)
        if not isinstance(self.source, wanted):
            raise ValueError(f"a value of origin {self.origin} needs {wanted.__name__} as its source, found {type(self.source).__name__}")
        if self.source == "":
            raise ValueError(f"a value of origin {self.origin} has an empty source; say where it comes from")
        return self


class Choice(Strict):
    """The component of a slot. `works`: that name it; `passages`: where it is introduced or used."""

    value: str
    name: str
    origin: Origin
    source: str = Field(min_length=1)
    works: int | None = Field(default=None, ge=0)
    passages: tuple[Passage, ...] = ()
