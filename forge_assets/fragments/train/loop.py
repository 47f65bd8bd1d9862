"""A training run in its work folder: `job.json, tokens -> the newest checkpoint, if any -> steps -> trained.safetensors`.

`train.jsonl` tells of each step what is the same each time: losses, rate, norm of the gradients. `speed.jsonl` tells what is not: tokens/s
and the share of the peak. The same job, settings and number of threads give the same bytes on a CPU, however often the run was killed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.train import checkpoints
from forge_assets.fragments.train.data import Order, Windows, begun
from forge_assets.fragments.train.learner import Learner, flops_per_token, model_of
from forge_assets.fragments.train.peaks import device_peak
from forge_assets.fragments.train.processes import Processes, gathering, spread
from forge_assets.fragments.train.rules import optimizers_of, schedule_of
from forge_assets.fragments.train.settings import Training

JOB, LOG, SPEED, CHECKPOINTS, RESULT = "job.json", "train.jsonl", "speed.jsonl", "checkpoints", "trained.safetensors"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Job:
    """`text`: the model's, in FDL; `sizes`: of its axes. `weights`: files that it starts from. `seed`: of the order of the data."""

    text: str
    sizes: Mapping[str, int]
    seed: int
    weights: tuple[str, ...]
    training: Training

    def write(self, work: Path) -> None:
        aside = work / f"{JOB}.new"
        aside.write_text(json.dumps(asdict(self), indent=2) + "\n")
        aside.replace(work / JOB)

    @staticmethod
    def read(work: Path) -> Job:
        held = json.loads((work / JOB).read_text())
        return Job(held["text"], held["sizes"], held["seed"], tuple(held["weights"]), Training(**held["training"]))


class Run:
    """Of one process: the learner, its optimizers, and the data."""

    def __init__(self, work: Path, here: Processes, say: Say) -> None:
        self.work, self.here, self.say = work, here, say
        self.job = Job.read(work)
        self.training = self.job.training
        self.learner = Learner(model_of(self.job.text, self.job.sizes), self.training).to(here.device)
        self.model: nn.Module = spread(self.learner, self.training, here)
        self.optimizers = optimizers_of(self.learner, self.training)
        tokens = begun(work)
        self.windows = Windows(work, "train", tokens, self.training.context)
        self.held = Windows(work, "validation", tokens, self.training.context)
        self.order = Order(len(self.windows), self.job.seed)
        self.rate = schedule_of(self.training)
        self.step = self._start()

    def _start(self) -> int:
        found = checkpoints.latest(self.work / CHECKPOINTS)
        if found is not None:
            step = checkpoints.restore(found, self.learner, self.optimizers)
            self.say(f"goes on from step {step:,}")
            return step
        values = {name: torch.from_numpy(np.array(one)) for path in self.job.weights for name, one in st.arrays(Path(path))}
        checkpoints.load_weights(self.learner, values)
        return 0

    def train(self) -> None:
        """All steps that are left, then the weights."""
        chosen = self.training
        if self.here.first:
            for file in (LOG, SPEED):
                _cut(self.work / file, self.step)
        if self.step == 0:
            self._tell(LOG, {"step": 0, "validation": self.evaluated()})
        meter = Meter(self.job, self.here)
        self.model.train()
        while self.step < chosen.steps:
            line = self.stepped()
            meter.count(chosen.sequences * chosen.context)
            if self.step % chosen.evaluate == 0 or self.step == chosen.steps:
                self._tell(SPEED, {"step": self.step, **meter.taken()})
                line["validation"] = self.evaluated()
                told = f"loss {line['loss']:.4f}, validation {line['validation']:.4f}, {meter.told}"
                self.say(f"step {self.step:,} of {chosen.steps:,}: {told}")
                meter.begin()
            self._tell(LOG, line)
            if self.step % chosen.checkpoint == 0 and self.step < chosen.steps:
                meter.pause()
                checkpoints.save(self.work / CHECKPOINTS, self.step, self.learner, self.optimizers, chosen.keep, self.here)
                meter.go_on()
        self._finish()

    def stepped(self) -> dict[str, Any]:
        """One step of the optimizer over all sequences of a step."""
        chosen, here = self.training, self.here
        rate, total = self.rate(self.step), torch.zeros((), device=here.device)
        for number in range(chosen.passes):
            first = self.step * chosen.sequences + (number * here.count + here.rank) * chosen.micro
            ids = self._ids(self.windows, [self.order[place] for place in range(first, first + chosen.micro)])
            with gathering(self.model, number == chosen.passes - 1):
                loss = self.model(ids) / chosen.passes
                loss.backward()
            total += loss.detach()
        norm: Any = torch.nn.utils.clip_grad_norm_(self.learner.parameters(), chosen.clip)
        for one in self.optimizers:
            for group in one.param_groups:
                group["lr"] = rate
            one.step()
            one.zero_grad(set_to_none=True)
        self.step += 1
        return {"step": self.step, "loss": here.mean(total), "rate": rate, "norm": float(getattr(norm, "full_tensor", lambda: norm)())}

    def _ids(self, windows: Windows, places: list[int]) -> torch.Tensor:
        ids = torch.from_numpy(windows.batch(places))
        return ids.pin_memory().to(self.here.device, non_blocking=True) if self.here.device.type == "cuda" else ids

    @torch.no_grad()
    def evaluated(self) -> float:
        """Mean loss in nats over the validation windows; each process takes its share."""
        micro, count = self.training.micro, self.here.count
        most = min(len(self.held), max(1, self.training.validation // self.training.context))
        micro = min(micro, max(1, most // count))
        rounds = max(1, most // (micro * count))
        self.model.eval()
        total = torch.zeros((), dtype=torch.float64, device=self.here.device)
        for number in range(rounds):
            first = (number * count + self.here.rank) * micro
            total += self.model(self._ids(self.held, [place % len(self.held) for place in range(first, first + micro)])).double()
        self.model.train()
        return self.here.mean(total / rounds)

    def _finish(self) -> None:
        values = checkpoints.whole_weights(self.learner)
        if self.here.first:
            aside = self.work / f"{RESULT}.new"
            st.write_arrays(aside, {name: one.numpy() for name, one in values.items()}, {})
            aside.replace(self.work / RESULT)
        self.here.wait()

    def _tell(self, file: str, line: Mapping[str, Any]) -> None:
        if self.here.first:
            with (self.work / file).open("a") as opened:
                opened.write(json.dumps(line) + "\n")


class Meter:
    """Tokens/s and the share of the peak (MFU) between two evaluations; neither they nor checkpoints are counted, nor the first step,
    which compiles."""

    def __init__(self, job: Job, here: Processes) -> None:
        self.device = here.device
        self.flops = flops_per_token(job.text, job.sizes, job.training.context)
        self.peak = device_peak(job.training) * here.count
        self.told = ""
        self.tokens, self.seconds, self.since, self.first = 0, 0.0, time.monotonic(), True

    def begin(self) -> None:
        self.tokens, self.seconds, self.since = 0, 0.0, time.monotonic()

    def count(self, tokens: int) -> None:
        if self.first:
            self.first = False
            self.pause()
            self.begin()
        else:
            self.tokens += tokens

    def pause(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        self.seconds += time.monotonic() - self.since

    def go_on(self) -> None:
        self.since = time.monotonic()

    def taken(self) -> dict[str, float]:
        self.pause()
        speed = self.tokens / self.seconds if self.seconds and self.tokens else 0.0
        share = speed * self.flops / self.peak
        self.told = f"{speed:,.0f} tokens/s, {100 * share:.0f}% of the peak"
        return {"tokens_per_second": round(speed, 1), "mfu": round(share, 4)}


def _cut(file: Path, step: int) -> None:
    """Forgets what came after the checkpoint that the run goes on from, and a line that was cut off."""
    if not file.exists():
        return
    kept = []
    for line in file.read_text().splitlines():
        try:
            if json.loads(line)["step"] <= step and step:
                kept.append(line)
        except ValueError:
            break
    file.write_text("".join(f"{line}\n" for line in kept))
