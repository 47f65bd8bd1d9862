"""Training tokens/s of Forge's trainer beside transformers' Trainer on LlamaForCausalLM of the same shape and weights, in turns in one run.

`.venv/bin/python bench/train.py [--rounds 5] [--steps 8] [--precision bf16]` builds nothing and needs no database: a Llama of about 3M
parameters (tiny-cpu's shape), random tokens, AdamW, clipped gradients, the same cores. The Trainer is run as it comes, in the same
precision; `--compiled` runs it with torch_compile too. Medians over rounds, and of the ratios within a round; processor seconds beside
them, which what else runs on the machine disturbs least.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from bench.training_job import prepared
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_assets.fragments.train.data import begun
from forge_assets.fragments.train.loop import Run
from forge_assets.fragments.train.processes import joined
from forge_assets.fragments.train.settings import Training
from forge_resources.compute import processor, usable_cores

VOCABULARY, WIDTH, HIDDEN, LAYERS, HEADS, KEYS = 4096, 192, 512, 5, 3, 3
WARM = 3
Turn = Callable[[int], tuple[float, float]]
"""Takes a number of steps; returns wall and processor seconds."""


def ours(run: Run) -> Turn:
    def turn(steps: int) -> tuple[float, float]:
        began, used = time.perf_counter(), time.process_time()
        for _ in range(steps):
            run.stepped()
        return time.perf_counter() - began, time.process_time() - used

    return turn


def theirs(work: Path, training: Training, weights: dict[str, torch.Tensor], compile_: bool) -> Turn:
    from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments

    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        num_key_value_heads=KEYS, head_dim=WIDTH // HEADS, max_position_embeddings=training.context, rms_norm_eps=1e-5,
        tie_word_embeddings=True, use_cache=False, bos_token_id=None, eos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    missing = model.load_state_dict(weights, strict=False).missing_keys
    assert missing in ([], ["lm_head.weight"]), missing
    tokens = np.fromfile(work / "train.bin", begun(work).dtype).astype(np.int64)
    rows = [{"input_ids": (one := torch.from_numpy(tokens[at : at + training.context])), "labels": one}
            for at in range(0, len(tokens) - training.context, training.context)]  # fmt: skip
    marks: list[tuple[float, float]] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            marks.append((time.perf_counter(), time.process_time()))

        def on_train_end(self, *_: Any, **__: Any) -> None:
            marks.append((time.perf_counter(), time.process_time()))

    def trainer(steps: int) -> Any:
        chosen = TrainingArguments(
            output_dir=str(work / "trainer"), max_steps=steps, per_device_train_batch_size=training.micro, use_cpu=True,
            gradient_accumulation_steps=training.passes, learning_rate=training.learning_rate, weight_decay=training.weight_decay,
            adam_beta2=training.beta2, max_grad_norm=training.clip, lr_scheduler_type="cosine", bf16=training.precision == "bf16",
            optim="adamw_torch_fused", logging_steps=1, save_strategy="no", report_to=[], disable_tqdm=True, torch_compile=compile_,
        )  # fmt: skip
        made = Trainer(model=model, args=chosen, train_dataset=rows, callbacks=[Clock()])
        made.remove_callback(next(one for one in made.callback_handler.callbacks if type(one).__name__ == "PrinterCallback"))
        return made

    def turn(steps: int) -> tuple[float, float]:
        marks.clear()
        trainer(steps + 1).train()  # its first step is not counted: setting up is not training
        return marks[-1][0] - marks[1][0], marks[-1][1] - marks[1][1]

    return turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--context", type=int, default=256)
    parser.add_argument("--micro", type=int, default=8)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="bf16")
    parser.add_argument("--eager", action="store_true", help="ours without torch.compile")
    parser.add_argument("--compiled", action="store_true", help="the Trainer with torch_compile as well")
    parser.add_argument("--threads", type=int, default=usable_cores())
    chosen = parser.parse_args()
    training = Training(steps=10**6, context=chosen.context, micro=chosen.micro, sequences=chosen.micro, precision=chosen.precision,
                        compile=not chosen.eager, threads=chosen.threads)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, joined(training) as here:
        work = Path(folder)
        shape = ModelShape(
            "llama", LAYERS, WIDTH, HEADS, KEYS, WIDTH // HEADS, HIDDEN, VOCABULARY, gated=True, tied=True, context=training.context
        )
        run = prepared(work, shape, training, here)
        weights = {name: one.detach().clone() for name, one in run.learner.weights().items()}
        turns = {"forge": ours(run), "Trainer": theirs(work, training, weights, False)}
        if chosen.compiled:
            turns["Trainer, compiled"] = theirs(work, training, weights, True)
        for turn in turns.values():
            turn(WARM)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in turns}
        for number in range(chosen.rounds):
            for name in list(turns)[:: 1 if number % 2 else -1]:
                found[name].append(turns[name](chosen.steps))
    tokens = chosen.steps * chosen.micro * chosen.context
    print(f"{processor()}, {chosen.threads} threads, {chosen.precision}, {chosen.micro} x {chosen.context} tokens a step")
    for name, times in found.items():
        wall, cpu = (statistics.median(one[which] for one in times) for which in (0, 1))
        print(f"{name:18} {tokens / wall:9,.0f} tokens/s   {1e6 * cpu / tokens:7.1f} s of processor a million tokens")
    for name in list(found)[1:]:
        wall, cpu = (statistics.median(b[which] / a[which] for a, b in zip(found["forge"], found[name], strict=True)) for which in (0, 1))
        print(f"forge is {wall:.2f} x {name}, {cpu:.2f} x by processor time")


if __name__ == "__main__":
    main()
