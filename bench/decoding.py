"""Greedy text by the class that a model brings (modeling_forge.py), with and without its cache and padding, beside the stock class of the
same shape: least processor times, and their ratios.

`.venv/bin/python bench/decoding.py [--threads 1] [--rows 8] [--new 64]`: GQA with RoPE, 6 layers of width 256, prompts of up to 128 tokens.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from forge_assets.compatibility.arithmetic.shape import ModelShape
from tests.fragments.own_class import of_stack, padded

SHAPE = ModelShape("llama", 6, 256, 8, 4, 32, 1024, 2000, tied=True, context=512)
LONGEST, TURNS = 128, 3


def stock() -> Any:
    config = LlamaConfig(
        vocab_size=SHAPE.vocab, hidden_size=SHAPE.hidden, intermediate_size=SHAPE.ffn, num_hidden_layers=SHAPE.layers,
        num_attention_heads=SHAPE.heads, num_key_value_heads=SHAPE.kv_heads, head_dim=SHAPE.head_dim, tie_word_embeddings=True,
        pad_token_id=0,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def prompts(lengths: Sequence[int], side: str) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    return padded(tuple(torch.randint(7, SHAPE.vocab, (length,), generator=draw).tolist() for length in lengths), side)


def seconds(work: Callable[[], Any]) -> float:
    """Least processor time of a few turns."""
    found = []
    for _ in range(TURNS):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--threads", type=int, default=1)
    asked.add_argument("--rows", type=int, default=8)
    asked.add_argument("--new", type=int, default=64)
    told = asked.parse_args()
    torch.set_num_threads(told.threads)
    own, llama = of_stack({"attention": "gqa", "position_encoding": "rope"}, SHAPE), stock()
    for model in (own, llama):
        model.generation_config.eos_token_id = None
    same, unlike = [LONGEST] * told.rows, [LONGEST - 4 * row for row in range(told.rows)]
    for name, lengths in (("1 prompt", [LONGEST]), (f"{told.rows} of one length", same), (f"{told.rows} of {told.rows} lengths", unlike)):
        ids, mask = prompts(lengths, "left")

        def writes(model: Any, use_cache: bool = True, ids: torch.Tensor = ids, mask: torch.Tensor = mask) -> float:
            more = {"max_new_tokens": told.new, "do_sample": False, "use_cache": use_cache}
            return seconds(lambda: model.generate(ids, attention_mask=mask, **more))

        kept, whole, usual = writes(own), writes(own, use_cache=False), writes(llama)
        print(f"{name}: {kept:.2f} s, without cache {whole / kept:.1f} x that, stock {usual / kept:.2f} x")
    ids, mask = prompts(unlike, "right")
    with torch.no_grad():
        for name, model in (("own class", own), ("stock", llama)):
            plain = seconds(lambda model=model: model(ids, use_cache=False))
            cost = seconds(lambda model=model: model(ids, attention_mask=mask, use_cache=False)) / plain
            print(f"{name}, one call without cache: {plain:.3f} s, with padding {cost:.2f} x")


if __name__ == "__main__":
    main()
