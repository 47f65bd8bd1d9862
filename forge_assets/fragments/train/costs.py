"""What a training would need and cost, told before anything is built: for the machine of a preset, or for this one."""

from __future__ import annotations

from dataclasses import dataclass

from forge_assets.compatibility.arithmetic.compute import MFU_DENSE, peak
from forge_assets.compatibility.arithmetic.hardware import gpu_of
from forge_assets.fragments.plan import Plan
from forge_assets.fragments.train.feasible import estimate, told
from forge_assets.fragments.train.settings import Training, preset_of


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    value: str


def costs(plan: Plan, training: Training, preset: str | None, price: float | None) -> list[Row]:
    """`price`: of an hour of one card, where one is set."""
    made = estimate(plan.text, plan.sizes, training)
    rows = [
        Row("parameters", f"{made.parameters:,}"),
        Row("tokens", f"{training.tokens:,} in {training.steps:,} steps of {training.sequences:,} x {training.context:,}"),
        Row("FLOPs", f"{made.flops:.2e}, attention counted over the whole context"),
        Row("memory of a device", f"about {made.bytes / 2**30:,.1f} GiB with {training.micro} sequences at once"),
        Row("spread over", f"{training.processes} process{'es' * (training.processes > 1)} ({training.parallel})"),
    ]
    hardware = preset_of(preset) if preset else None
    if hardware and hardware.gpu:
        card = gpu_of(hardware.gpu)
        seconds = made.flops / (hardware.gpus * peak(card, "fp32" if training.precision == "fp32" else "mixed") * MFU_DENSE)
        energy = seconds * hardware.gpus * card.watts / 3.6e6
        rows.append(Row("time", f"about {told(seconds)} on {hardware.gpus} x {card.name} at {MFU_DENSE:.0%} of the peak"))
        rows.append(Row("energy", f"about {energy:,.1f} kWh at board power"))
        hours = seconds / 3600 * hardware.gpus
        rows.append(
            Row(
                "cost",
                f"{hours * price:,.2f} for {hours:,.1f} GPU hours" if price else f"{hours:,.1f} GPU hours (FORGE_GPU_PRICE_PER_HOUR)",
            )
        )
        rows.append(Row("fits", "yes" if made.bytes < card.memory else f"no: {card.name} has {card.memory / 2**30:,.1f} GiB"))
    else:
        from forge_assets.fragments.train.feasible import rate

        rows.append(Row("time", f"about {told(made.flops / rate(training))} on this machine"))
    return rows
