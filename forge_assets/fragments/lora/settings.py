"""The settings of an adapter: what a person chose above the defaults, checked, and all that its bytes depend on."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from forge_resources.errors import FragmentError
from forge_resources.strict_yaml import near

PRECISIONS = ("auto", "fp32", "bf16")
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Values of vLLM's --max-lora-rank (vllm/config/lora.py, MaxLoRARanks); the largest is the most that it serves."""


@dataclass(frozen=True, slots=True)
class Adaptation:
    """`base`: a folder or a name of the Hugging Face Hub, empty for the blueprint's own 10-trained; `revision` of the name; `fingerprint`
    of the folder. `alpha`: scale times rank (Hu et al. 2021, section 4.1). `batch`: examples of a step. `most_tokens`: of an example,
    longer ones are left out. `quantised`: the base in 4 bits (NF4, Dettmers et al. 2023), on a GPU. `checkpoint`: every so many steps.
    `threads`: on the CPU, fixed, as sums of floating-point numbers depend on their order. `peft`: its version."""

    base: str = ""
    revision: str = "main"
    fingerprint: str = ""
    rank: int = 16
    alpha: int = 32
    learning_rate: float = 0.0
    steps: int = 300
    batch: int = 8
    most_tokens: int = 1024
    precision: str = "auto"
    quantised: bool = False
    checkpoint: int = 50
    threads: int = 1
    seed: int = 0
    peft: str = ""

    def __post_init__(self) -> None:
        for name, low, high in (("rank", 1, RANKS[-1]), ("alpha", 1, 1 << 20), ("steps", 1, 1 << 30), ("batch", 1, 1 << 16),
                                ("most_tokens", 8, 1 << 20), ("checkpoint", 1, 1 << 30), ("threads", 1, 1 << 12)):  # fmt: skip
            if not low <= getattr(self, name) <= high:
                raise FragmentError(f"11-lora: {name} is {getattr(self, name)}; expected {low} to {high}")
        if not 0 < self.learning_rate < 1:
            raise FragmentError(f"11-lora: learning_rate is {self.learning_rate:g}; expected more than 0 and less than 1")
        if self.precision not in PRECISIONS:
            raise FragmentError(f"11-lora: precision is {self.precision!r}; expected one of {', '.join(PRECISIONS)}")


RATES = {True: 2e-4, False: 2e-3}
"""Peak learning rate for a base from elsewhere (Dettmers et al. 2023, appendix B.2), and for the blueprint's own small model (measured)."""
CHOSEN = ("base", "revision", "rank", "alpha", "learning_rate", "steps", "batch", "most_tokens", "precision", "quantised", "checkpoint")
"""What a person may choose."""


def resolved(chosen: Mapping[str, Any], seed: int, fingerprint: str) -> Adaptation:
    """Raises FragmentError for a setting that is unknown, or out of its range."""
    kinds = {one.name: str(one.type) for one in fields(Adaptation)}
    for name, value in chosen.items():
        if name not in CHOSEN:
            raise FragmentError(f"11-lora: unknown setting {name!r}{near(name, CHOSEN)}; known are {', '.join(CHOSEN)}")
        kind: Any = {"int": int, "float": (int, float), "bool": bool, "str": str}[kinds[name]]
        if not isinstance(value, kind) or isinstance(value, bool) != (kinds[name] == "bool"):
            raise FragmentError(f"11-lora: {name} is {value!r}; expected {kinds[name]}")
    held = {"learning_rate": RATES[bool(chosen.get("base"))], **chosen}
    return Adaptation(**held, fingerprint=fingerprint, seed=seed, peft=importlib.metadata.version("peft"))


def of(settings: Mapping[str, Any]) -> Adaptation:
    """As a config.json carries them. Raises FragmentError for what is none."""
    try:
        return Adaptation(**settings)
    except TypeError:
        raise FragmentError("11-lora: forge.settings is not what an adapter has; fetch the fragment again") from None


def as_settings(adaptation: Adaptation) -> dict[str, Any]:
    return asdict(adaptation)
