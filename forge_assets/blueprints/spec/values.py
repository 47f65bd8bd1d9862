"""A value of a spec and where it comes from: asked for, chosen by the solver, stated by works, computed by a formula, or a default.

Documents read specs from files, hence pydantic; what no field names is refused.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

T = TypeVar("T")
Origin = Literal["asked", "chosen", "stated", "computed", "default"]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Evidence(Strict):
    """A place in a document: text[start:end] is what was read there, `quote_hash` the SHA-256 of it."""

    document: str = Field(min_length=1, description="address of the document")
    title: str | None = None
    start: int = Field(ge=0)
    end: int = Field(ge=1)
    quote_hash: Hash

    @model_validator(mode="after")
    def _spans(self) -> Evidence:
        if self.end <= self.start:
            raise ValueError(f"a span ends after it starts; found {self.start} to {self.end}")
        return self


class Value(Strict, Generic[T]):
    """`reason` is the formula of what is computed, the source of a default, and else says how the value was found."""

    value: T
    origin: Origin
    reason: str = Field(min_length=1)
    unit: str | None = None
    evidence: tuple[Evidence, ...] = ()

    @model_validator(mode="after")
    def _grounded(self) -> Value[T]:
        if self.origin == "stated" and not self.evidence:
            raise ValueError("a value stated by works names at least one place in a document; or its origin is 'default'")
        numbers = self.value.values() if isinstance(self.value, dict) else [self.value]
        for number in numbers:
            if isinstance(number, int | float) and number < 0:
                raise ValueError(f"no number of a spec is below 0, found {number}")
        if self.origin in ("default", "computed", "asked") and self.evidence:
            raise ValueError(f"a value whose origin is {self.origin!r} has no evidence in documents; or its origin is 'stated'")
        return self

    @property
    def source(self) -> str:
        """One line for people."""
        return {"stated": f"stated: {self.reason}", "computed": f"computed: {self.reason}"}.get(
            self.origin, f"{self.origin}: {self.reason}"
        )


Text = Value[str]
Count = Value[int]
Number = Value[float]
Flag = Value[bool]


def computed(value: T, formula: str, unit: str | None = None) -> Value[T]:
    return Value(value=value, origin="computed", reason=formula, unit=unit)


def default(value: T, source: str, unit: str | None = None) -> Value[T]:
    return Value(value=value, origin="default", reason=source, unit=unit)


def asked(value: T, field: str, unit: str | None = None) -> Value[T]:
    return Value(value=value, origin="asked", reason=f"the request's {field}", unit=unit)


def chosen(value: T, why: str, unit: str | None = None, evidence: tuple[Evidence, ...] = ()) -> Value[T]:
    return Value(value=value, origin="chosen", reason=why, unit=unit, evidence=evidence)
