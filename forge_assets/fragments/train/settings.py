"""The settings of a training run: from the blueprint's spec, a preset above it, and what a person gave above both.

`stated by the spec -> preset -> chosen -> Training`. Everything that the bytes of the trained weights depend on is among them, the number
of threads too, for sums of floating-point numbers depend on their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib import resources
from typing import Any

from forge_assets.blueprints.fdl.library.pieces import covered, entries
from forge_resources.compute import usable_cores
from forge_resources.errors import FragmentError
from forge_resources.strict_yaml import Fields, near, parse

PRECISIONS = ("fp32", "bf16")
PARALLEL = ("none", "ddp", "fsdp2")
DEVICES = ("cpu", "cuda")
WHOLE_MATRICES = frozenset({"muon"})
"""Steps look at a matrix as a whole, which FSDP2 has split over devices."""


@dataclass(frozen=True, slots=True)
class Training:
    """`optimizer`, `schedule`: components of the library. `learning_rate`: the peak; `final`: the last rate as a share of it. `context`:
    tokens of a sequence. `micro`: sequences of one pass on one device; `sequences`: of a step, over all. `validation`: tokens that are
    evaluated on. `evaluate`, `checkpoint`: every so many steps; `keep`: checkpoints. `threads`: of each process on the CPU. `hours`: the
    longest run that is begun, by estimate."""

    optimizer: str = "adamw"
    schedule: str = "cosine-decay"
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8
    momentum: float = 0.95
    weight_decay: float = 0.1
    clip: float = 1.0
    final: float = 0.1
    steps: int = 1000
    warmup: int = 20
    context: int = 256
    micro: int = 8
    sequences: int = 32
    precision: str = "fp32"
    compile: bool = False
    recompute: bool = False
    parallel: str = "none"
    processes: int = 1
    threads: int = 1
    device: str = "cpu"
    evaluate: int = 100
    checkpoint: int = 100
    keep: int = 2
    validation: int = 65536
    hours: float = 24.0

    def __post_init__(self) -> None:
        for name, allowed in (("precision", PRECISIONS), ("parallel", PARALLEL), ("device", DEVICES)):
            if getattr(self, name) not in allowed:
                raise FragmentError(f"training: {name} is {getattr(self, name)!r}; expected one of {', '.join(allowed)}")
        for slot in ("optimizer", "schedule"):
            if (slot, getattr(self, slot)) not in entries():
                raise FragmentError(f"training: no {slot} {getattr(self, slot)!r} is in the library; pin one of {', '.join(covered(slot))}")
        for one in fields(self):
            value = getattr(self, one.name)
            lowest = 0 if one.name in NONE_ALLOWED else 1 if one.type == "int" else 1e-300
            if one.type in ("int", "float") and not lowest <= value < 1e18:
                raise FragmentError(f"training: {one.name} is {value:g}; expected {'0 or more' if lowest == 0 else 'more than 0'}")
        if (self.processes > 1) != (self.parallel != "none"):
            raise FragmentError(
                f"training: parallel is {self.parallel} with {self.processes} processes; expected none for one, else ddp or fsdp2"
            )
        if self.parallel == "fsdp2" and self.optimizer in WHOLE_MATRICES:
            raise FragmentError(f"training: {self.optimizer} steps whole matrices, which fsdp2 splits; take parallel: ddp")
        if self.sequences % (self.micro * self.processes):
            raise FragmentError(
                f"training: {self.sequences} sequences a step are no multiple of {self.micro} at once on {self.processes} processes"
            )

    @property
    def passes(self) -> int:
        """Forward and backward passes of one process in a step."""
        return self.sequences // (self.micro * self.processes)

    @property
    def tokens(self) -> int:
        """That the run learns from, those seen twice counted twice."""
        return self.steps * self.sequences * self.context


DEFAULT = "tiny-cpu"
"""The preset where neither a spec nor a person says anything."""
KINDS: Mapping[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}
NONE_ALLOWED = frozenset({"beta1", "beta2", "momentum", "weight_decay", "final", "warmup"})


@dataclass(frozen=True, slots=True)
class Preset:
    """`params`, `vocabulary`... what to ask of `forge blueprint create`; `gpu`, `gpus`: what its costs are told for."""

    name: str
    title: str
    params: float
    context: int
    gpu: str | None
    gpus: int
    settings: Mapping[str, Any]


@cache
def presets() -> Mapping[str, Preset]:
    """Raises FragmentError where the file is not as it should be."""
    faults: list[str] = []
    text = (resources.files(__package__) / "presets.yaml").read_text(encoding="utf-8")
    found = [_preset(number, one, faults) for number, one in enumerate(parse(text), 1)]
    if faults:
        raise FragmentError(f"presets.yaml: {faults[0]}")
    return {one.name: one for one in found}


def _preset(number: int, content: object, faults: list[str]) -> Preset:
    one = Fields(f"preset {number}", content, faults)
    model, hardware = (Fields(f"preset {number}, {part}", one.raw(part), faults) for part in ("model", "hardware"))
    held = one.raw("settings")
    try:
        made = Preset(one.text("name"), one.text("title"), model.number("params") or 0, int(model.number("context") or 0),
                      hardware.text_or_none("gpu"), int(hardware.number("gpus") or 0), checked(held))  # fmt: skip
        Training(**made.settings)
    except FragmentError as error:
        raise FragmentError(f"presets.yaml, preset {number}: {error}") from None
    for part in (one, model, hardware):
        part.done()
    return made


def checked(given: object) -> dict[str, Any]:
    """Settings by the names and kinds of Training. Raises FragmentError for others."""
    kinds = {one.name: one.type for one in fields(Training)}
    if not isinstance(given, Mapping):
        raise FragmentError("training: expected settings with values")
    made = {}
    for name, value in given.items():
        if name not in kinds:
            raise FragmentError(f"training: unknown setting {name!r}{near(name, kinds)}; known are {', '.join(kinds)}")
        kind = KINDS[str(kinds[name])]
        if not isinstance(value, kind) or (isinstance(value, bool) and kinds[name] != "bool"):
            raise FragmentError(f"training: {name} is {value!r}; expected {kinds[name]}")
        made[name] = float(value) if isinstance(value, int) and kinds[name] == "float" else value
    return made


def preset_of(name: str) -> Preset:
    """Raises FragmentError with the nearest one."""
    if name not in presets():
        raise FragmentError(f"there is no preset {name!r}{near(name, presets())}; there are {', '.join(presets())}")
    return presets()[name]


def resolved(chosen: Mapping[str, Any], context: int) -> Training:
    """`chosen`: what is `stated` by the spec, the name of a `preset`, what the `machine` asks for, and `settings` given by hand; the later
    stands above the earlier. `context`: the longest sequence of the model."""
    stated = chosen.get("stated") or {}
    preset = chosen.get("preset") or (None if stated else DEFAULT)
    held = {"threads": usable_cores(), **checked(stated), **(preset_of(preset).settings if preset else {})}
    held |= checked(chosen.get("machine") or {})
    given = checked(chosen.get("settings") or {})
    processes = given.get("processes", held.get("processes", 1))
    held |= {"threads": max(1, held["threads"] // processes)} | given
    held["context"] = min(held.get("context", context), context)
    return Training(**held)


def of(settings: Mapping[str, Any]) -> Training:
    """As `forge` of config.json carries it. Raises FragmentError for what is none."""
    try:
        return Training(**checked(settings))
    except TypeError:
        raise FragmentError("training: a setting is missing; fetch the fragment again") from None


def as_settings(training: Training) -> dict[str, Any]:
    return asdict(training)
