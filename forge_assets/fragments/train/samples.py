"""What a trained model writes: held-out beginnings, gone on with by the likeliest token and by chance. The same model writes the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from forge_assets.fragments.tokenizer import loaded
from forge_assets.fragments.train.data import Array, Windows
from forge_assets.fragments.train.learner import model_of

COUNT, BEGINNING, WRITTEN, TEMPERATURE = 3, 16, 48, 0.8


def samples(text: str, sizes: Mapping[str, int], weights: Mapping[str, torch.Tensor], tokenizer: Path, windows: Windows, context: int,
            seed: int) -> str:  # fmt: skip
    """samples.md, computed in float32 by one thread."""
    encoder, model = loaded(tokenizer), model_of(text, sizes)
    model.load_state_dict(dict(weights))
    beginning = min(BEGINNING, context // 2)
    begun = [windows.batch([number])[0][:beginning] for number in range(min(COUNT, len(windows)))]
    parts = ["# Samples\n", "Held-out beginnings, and how the model goes on: by the likeliest token, then by chance at temperature "
             f"{TEMPERATURE:g}.\n"]  # fmt: skip
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for number, ids in enumerate(begun):
            given = encoder.decode(ids.tolist(), skip_special_tokens=False)
            parts.append(f"## {number + 1}\n\n{_quoted(given)}\n")
            for generator in (None, torch.Generator().manual_seed(seed + number)):
                made = _written(model, ids, min(WRITTEN, context - beginning), generator)
                parts.append(f"{'By the likeliest token' if generator is None else 'By chance'}:\n\n{_quoted(encoder.decode(made))}\n")
    finally:
        torch.set_num_threads(threads)
    return "\n".join(parts)


@torch.no_grad()
def _written(model: nn.Module, beginning: Array, length: int, generator: torch.Generator | None) -> list[int]:
    ids = torch.from_numpy(beginning)[None]
    for _ in range(length):
        scores = model(ids)[0, -1].float()
        if generator is None:
            new = scores.argmax()[None]
        else:
            new = torch.multinomial((scores / TEMPERATURE).softmax(0), 1, generator=generator)
        ids = torch.cat((ids, new[None]), 1)
    return [int(one) for one in ids[0, len(beginning) :]]


def _quoted(text: str) -> str:
    lines = text.replace("```", "'''").splitlines() or [""]
    return "\n".join(["```", *lines, "```"])
