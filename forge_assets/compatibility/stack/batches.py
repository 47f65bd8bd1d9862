"""How the tokens of a step are cut: so many a step for a model of that size, as many sequences at once as the memory left over holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from forge_assets.compatibility.arithmetic.items import Estimate
from forge_assets.compatibility.arithmetic.plan import Split
from forge_assets.compatibility.stack.request import Request

STEP_TOKENS = ((1e7, 2**15), (5e7, 2**17), (1.2e8, 2**18), (1e9, 2**19), (5e9, 2**20), (2e10, 2**21), (float("inf"), 2**22))
STEP_SOURCE = (
    "tokens a step by size, in powers of two: Brown et al. 2020 (GPT-3, arXiv 2005.14165, table 2.1), from 2e10 on Touvron et al. 2023 "
    "(LLaMA, arXiv 2302.13971, table 2); below 1.2e8 what DeepSeek-AI fitted to compute (arXiv 2401.02954, section 3.1), at 20 tokens "
    "a parameter"
)
MICRO_SOURCE = "the largest power of two whose step stays under 80% of the card (arithmetic/training.py)"
MOST_MICRO = 64
BATCH = ("micro_batch", "gradient_accumulation", "global_batch")


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences: `micro` at once on a data-parallel device, `passes` times a step, `whole` in all."""

    micro: int
    passes: int
    whole: int

    @property
    def told(self) -> str:
        return f"micro batch {self.micro}, {self.passes} passes"


def step_tokens(parameters: int) -> int:
    return next(tokens for most, tokens in STEP_TOKENS if parameters <= most)


def first(request: Request, split: Split, pins: Mapping[str, object]) -> Batch:
    """One sequence at a time, and no fewer passes than there are stages; what is pinned stands, as far as it divides."""
    pinned = {name: value for name in BATCH if isinstance(value := pins.get(name), int) and value > 0}
    micro = pinned.get("micro_batch", 1)
    rows = _power(step_tokens(request.params) / (request.context * split.data))
    passes = pinned.get("gradient_accumulation") or max(1, split.pipeline, rows // micro)
    whole = pinned.get("global_batch")
    if whole and "gradient_accumulation" not in pinned and whole % (micro * split.data) == 0:
        passes = whole // (micro * split.data)
    return Batch(micro, passes, micro * passes * split.data)


def filled(batch: Batch, split: Split, capacity: int | None, memory: Callable[[Batch], Estimate]) -> Batch:
    """The same step in fewer passes, as many sequences at once as fit; every stage of a pipeline keeps a pass of its own."""
    while capacity and batch.passes % 2 == 0 and batch.passes // 2 >= split.pipeline and 2 * batch.micro <= MOST_MICRO:
        wider = Batch(2 * batch.micro, batch.passes // 2, batch.whole)
        if not memory(wider).fits(capacity):
            break
        batch = wider
    return batch


def _power(rows: float) -> int:
    """The nearest power of two from below, at least 1."""
    found = 1
    while 2 * found <= rows:
        found *= 2
    return found
