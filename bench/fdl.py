"""Training steps of PyTorch printed from FDL beside the stock transformers class of the same shape and weights, in turns in one run.

`.venv/bin/python bench/fdl.py [--architecture llama] [--device cuda] [--steps 20] [--threads 1]` prints ratios of times, and the losses.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

import forge_assets.blueprints.fdl as fdl
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.backends.running import imported
from forge_assets.blueprints.fdl.check import compiled

VOCABULARY, WIDTH, HIDDEN, LAYERS, LENGTH, BATCH = 4096, 384, 1024, 2, 128, 2


def stock(name: str) -> tuple[Any, dict[str, int]]:
    """The transformers model and the sizes of the FDL text."""
    import transformers

    shared = {
        "vocab_size": VOCABULARY,
        "hidden_size": WIDTH,
        "intermediate_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "head_dim": 64,
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": None,
    }
    sizes = {"v": VOCABULARY, "d": WIDTH, "f": HIDDEN, "L": LAYERS, "g": 2, "r": 3, "j": 32}
    if name == "llama":
        return transformers.LlamaForCausalLM(transformers.LlamaConfig(**shared, rms_norm_eps=1e-5)), sizes
    if name == "qwen3":
        return transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**shared, tie_word_embeddings=True, rope_theta=1000000.0)), sizes
    config = transformers.GPT2Config(vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=LAYERS, n_head=6, n_positions=LENGTH, resid_pdrop=0.0,
                                     embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=None, eos_token_id=None)  # fmt: skip
    return transformers.GPT2LMHeadModel(config), {"v": VOCABULARY, "d": WIDTH, "h": 6, "k": 64, "f": 4 * WIDTH, "m": LENGTH, "L": LAYERS}


def printed(name: str, sizes: dict[str, int], weights: dict[str, Any]) -> Any:
    text = (Path(fdl.__file__).parent / "architectures" / f"{name}.fdl").read_text(encoding="utf-8")
    made = imported("torch", BACKENDS["torch"].print(compiled(text))["module_torch.py"])
    model = made.LM(made.Sizes(**sizes))
    model.load_state_dict({key: weights[key] for key in model.state_dict()})
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", choices=["llama", "qwen3", "gpt2"], default="llama")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    reference, sizes = stock(chosen.architecture)
    own = printed(chosen.architecture, sizes, reference.state_dict())
    models = {"transformers": reference.train().to(chosen.device), "printed from FDL": own.train().to(chosen.device)}
    optimizers = {name: torch.optim.AdamW(model.parameters(), lr=3e-4) for name, model in models.items()}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    spent: dict[str, list[float]] = {name: [] for name in models}
    losses: dict[str, float] = {}
    for step in range(chosen.steps + 2):
        ids = torch.randint(0, VOCABULARY, (BATCH, LENGTH), generator=torch.Generator().manual_seed(step)).to(chosen.device)
        for name in list(models)[:: 1 if step % 2 else -1]:  # each goes first every second time
            started, cpu = time.perf_counter(), time.process_time()
            if name == "transformers":
                loss = models[name](ids, labels=ids).loss
            else:
                loss = torch.nn.functional.cross_entropy(models[name](ids)[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
            loss.backward()
            optimizers[name].step()
            optimizers[name].zero_grad()
            if chosen.device == "cuda":
                torch.cuda.synchronize()
            losses[name] = float(loss.detach())
            if step > 1:
                seconds[name].append(time.perf_counter() - started)
                spent[name].append(time.process_time() - cpu)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    used = {name: min(times) for name, times in spent.items()}  # of the best step: what runs beside disturbs it least
    for name, median in medians.items():
        print(f"{name:18} {1000 * median:8.1f} ms a step, {1000 * used[name]:8.1f} ms of processor in the best   loss {losses[name]:.4f}")
    theirs, mine = models
    speed, saved = medians[theirs] / medians[mine], used[theirs] / used[mine]
    print(f"{chosen.architecture} on {chosen.device}: {speed:.2f} x the speed of transformers, {saved:.2f} x by processor time")


if __name__ == "__main__":
    main()
