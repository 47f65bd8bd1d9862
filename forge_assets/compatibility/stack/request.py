"""What a person asks for: a model of so many parameters, on these GPUs, with these wishes. Outside data, hence pydantic.

`3e9`, `1.5B`, `80GiB`, `32k` are read as people write them. A pin or ban names a slot and a component, a framework's option and a value,
or a number and a value; what they mean is looked up when the problem is made.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from forge_resources.errors import BlueprintError

Goal = Literal["quality", "speed", "memory", "simplicity"]
Precision = Literal["bf16", "fp16", "fp32", "fp8"]
NAME = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9])?")
QUANTITY = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([a-z]*)", re.IGNORECASE)
COUNTS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "g": 10**9, "t": 10**12}
TOKENS = {"": 1, "k": 1024, "m": 1024**2}
BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


def quantity(units: dict[str, int], example: str) -> Any:
    """A validator that reads a number with one of the units."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError(f"expected a number such as {example}")
        match = QUANTITY.fullmatch(str(value).strip())
        if match is None or match[2].lower() not in units:
            known = ", ".join(unit for unit in units if unit)
            raise ValueError(f"expected a number such as {example} (units: {known}), found {value!r}")
        number = float(match[1]) * units[match[2].lower()]
        if not 0 < number < 2**63:
            raise ValueError(f"expected a number above 0 such as {example}, found {value!r}")
        return round(number)

    return read


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError(f"expected up to 64 of a-z, 0-9, '-', '_' and '.', beginning and ending with a letter or digit, found {value!r}")
    return value


class Wished(BaseModel):
    """A pin or a ban: what stands left and right of `=`. `what` is a slot, an option of the framework or a number."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    what: str = Field(min_length=1, max_length=200)
    value: str = Field(min_length=1, max_length=200)

    @property
    def told(self) -> str:
        return f"{self.what}={self.value}"


class Request(BaseModel):
    """A blueprint's request. Memory in bytes per GPU, context in tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Annotated[str, AfterValidator(_name)]
    params: Annotated[int, BeforeValidator(quantity(COUNTS, "1.5e9 or 1.5B")), Field(ge=10**5, le=10**13)]
    context: Annotated[int, BeforeValidator(quantity(TOKENS, "4096 or 4k")), Field(ge=16, le=2**27)] = 4096
    gpu: str | None = Field(default=None, max_length=100)
    gpu_memory: Annotated[int, BeforeValidator(quantity(BYTES, "80GiB")), Field(ge=2**30)] | None = None
    gpus: int = Field(default=1, ge=1, le=100_000)
    precision: Precision = "bf16"
    goal: Goal = "quality"
    pins: tuple[Wished, ...] = ()
    bans: tuple[Wished, ...] = ()
    framework: str | None = Field(default=None, max_length=200)
    optional: tuple[str, ...] = ()
    """Slots beyond the core ones that have to be filled."""
    research: bool = False
    """Components that are only described, and not yet buildable, may be chosen too."""
    seed: int = Field(default=0, ge=0, le=2**31 - 1)

    @property
    def state(self) -> str:
        """Hash of what is asked, the name aside."""
        return hashlib.sha256(json.dumps(self.model_dump(exclude={"name"}), sort_keys=True).encode()).hexdigest()[:16]


def read_request(values: dict[str, Any]) -> Request:
    """Raises BlueprintError with one sentence that names the field, what was expected and what was found."""
    try:
        return Request.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
        reason = str(first["msg"]).removeprefix("Value error, ")
        found = "" if "found" in reason else f", found {first['input']!r}"
        raise BlueprintError(f"the blueprint's {field.replace('_', '-')} cannot be used: {reason}{found}") from None


def wished(text: str) -> Wished:
    """`position_encoding=rope` -> what and value."""
    what, equals, value = text.partition("=")
    if not (equals and what.strip() and value.strip()):
        raise BlueprintError(f"a pin or ban is written SLOT=COMPONENT, for example position_encoding=rope; found {text!r}")
    return Wished(what=what.strip(), value=value.strip())
