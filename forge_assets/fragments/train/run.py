"""The run behind 10-trained: prepared in its work folder, run there alone or by torchrun, and told in run.json, a curve and samples."""

from __future__ import annotations

import ctypes
import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.chain import ASSEMBLED, TOKENIZER
from forge_assets.fragments.making import Making
from forge_assets.fragments.plan import toolchain
from forge_assets.fragments.reading import read_config, read_json
from forge_assets.fragments.train.data import Tokens, Windows, prepared, unigram_entropy
from forge_assets.fragments.train.record import RUN_FILE, lines
from forge_assets.fragments.train.settings import Training, as_settings
from forge_resources.errors import FragmentError
from forge_resources.object_store.interface import digest
from forge_resources.settings import PROJECT

LOG, CURVE, SAMPLES, SPEED, RESULT, STARTED = (
    "train.jsonl", "loss.png", "samples.md", "speed.jsonl", "trained.safetensors", "job.json"
)  # fmt: skip
SPEED_KEPT = ".10-trained.speed.jsonl"
"""Beside the fragment, for it is not the same each time: tokens/s and share of the peak."""


def trained(making: Making, training: Training) -> tuple[dict[str, Any], Path]:
    """run.json, and the file with the trained weights; goes on where a killed run was."""
    from forge_assets.fragments.train.feasible import check
    from forge_assets.fragments.train.loop import Job

    work, plan, start = making.work, making.plan, making.root / ASSEMBLED
    if not (work / STARTED).is_file():
        making.say(check(plan.text, plan.sizes, training, making.name))
    wanted = {"train": training.tokens + 1, "validation": training.validation + 1}
    tokens = prepared(making.texts, making.root / TOKENIZER, plan.special, plan.vocabulary, work, wanted, training.context)
    Job(plan.text, plan.sizes, plan.seed, tuple(str(start / name) for name in read_config(start)["weights"]), training).write(work)
    if not (work / RESULT).is_file():
        _run(work, training, making)
    return _record(making, training, tokens), work / RESULT


def _run(work: Path, training: Training, making: Making) -> None:
    if training.processes == 1:
        from forge_assets.fragments.train.loop import Run
        from forge_assets.fragments.train.processes import joined

        with joined(training) as here:
            Run(work, here, making.say).train()
        return
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(training.processes),
               "-m", "forge_assets.fragments.train", str(work)]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": str(training.threads), "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=_ends_with_its_parent
    ) as process:
        said = [""]
        for line in process.stdout or ():
            said = [*said[-20:], line.rstrip()]
            if line.startswith(("step ", "goes on")):
                making.say(line.rstrip())
    if process.returncode:
        told = next((line for line in reversed(said) if line.startswith("forge: ")), " | ".join(said[-3:]))
        raise FragmentError(f"training by {training.processes} processes ended with {process.returncode}: {told[-600:]}")


def _ends_with_its_parent() -> None:
    """On Linux torchrun is told to end, and ends its processes, when the build is killed (prctl PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)


def _record(making: Making, training: Training, tokens: Tokens) -> dict[str, Any]:
    """All that is the same each time: where it started, what it read, how it ended."""
    log = lines(making.work / LOG)
    held = [(line["step"], line["validation"]) for line in log if "validation" in line]
    entropy = unigram_entropy(Windows(making.work, "validation", tokens, training.context).tokens)
    return {
        "blueprint": making.plan.blueprint,
        "parents": dict(making.parents),
        "settings": as_settings(training),
        "seed": making.plan.seed,
        "corpus_snapshot": making.plan.snapshot,
        "data": asdict(tokens),
        "toolchain": toolchain(),
        "loss": [log[1]["loss"], log[-1]["loss"]],
        "validation": [held[0][1], held[-1][1]],
        "perplexity": round(math.exp(held[-1][1]), 4),
        "unigram_entropy": round(entropy, 6),
        "weights": digest(making.work / RESULT),
    }


def rows(record: Mapping[str, Any]) -> dict[str, str]:
    """For the card."""
    settings, parts = record["settings"], record["data"]["parts"]
    seen, train = settings["steps"] * settings["sequences"] * settings["context"], parts["train"]
    where = "works held out of training" if record["data"]["held_out"] else "the end of the training text, for want of held-out works"
    return {
        "trained on": f"{seen:,} tokens in {settings['steps']:,} steps, of {train['taken']:,} documents with {train['tokens']:,} tokens",
        "by": f"{settings['optimizer']}, {settings['schedule']}, peak rate {settings['learning_rate']:g}, {settings['precision']}",
        "validation loss": f"{record['validation'][1]:.4f} nats a token, at first {record['validation'][0]:.4f}",
        "perplexity": f"{record['perplexity']:,.2f}",
        "unigram entropy of the same tokens": f"{record['unigram_entropy']:.4f} nats",
        "validation text": f"{parts['validation']['tokens']:,} tokens of {where}",
    }


def show(making: Making, training: Training, record: Mapping[str, Any], result: Path) -> None:
    """The curve and the samples."""
    import numpy as np
    import torch

    from forge_assets.fragments.train.data import begun
    from forge_assets.fragments.train.picture import draw
    from forge_assets.fragments.train.samples import samples

    log = lines(making.work / LOG)
    losses = [(line["step"], line["loss"]) for line in log if "loss" in line]
    held = [(line["step"], line["validation"]) for line in log if "validation" in line]
    draw(making.folder / CURVE, making.plan.blueprint, losses, held, ("unigram entropy", record["unigram_entropy"]))
    windows = Windows(making.work, "validation", begun(making.work), training.context)
    weights = {name: torch.from_numpy(np.array(one)) for name, one in st.arrays(result)}
    plan = making.plan
    told = samples(plan.text, plan.sizes, weights, making.root / TOKENIZER, windows, training.context, plan.seed)
    (making.folder / SAMPLES).write_text(told, encoding="utf-8")


def keep_speed(making: Making) -> None:
    shutil.copyfile(making.work / SPEED, making.root / SPEED_KEPT)


def speed(root: Path) -> dict[str, float]:
    """Median tokens/s and share of the peak of the run that trained what lies there; nothing where it was fetched."""
    found = lines(root / SPEED_KEPT) if (root / SPEED_KEPT).is_file() else []
    return {name: median(line[name] for line in found) for name in ("tokens_per_second", "mfu")} if found else {}


def measured(folder: Path) -> dict[str, float]:
    """Of a trained fragment: losses in nats a token, perplexity, and the speed of the run where it was here."""
    told = read_json(folder / RUN_FILE)
    return {"validation_loss": told["validation"][1], "perplexity": told["perplexity"], "unigram_entropy": told["unigram_entropy"],
            **speed(folder.parent)}  # fmt: skip
