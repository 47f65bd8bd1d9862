"""Models of the class that a model brings where no stock class covers its stack, and what holds of each."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.backends.running import imported
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.blueprints.fdl.library.composing import model_text
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_assets.fragments.assembled import AUTO_MAP, decodes, modeling
from forge_assets.fragments.golden import static_sizes
from tests.fragments.plans import EXPERTS, PLAIN, ROPE, SPARSE, STACKS, _shape

SHAPE = _shape()
CAUSAL = {
    "gqa": STACKS["llama"],
    "latent": STACKS["latent"],
    "alibi": STACKS["alibi"],
    "window": (ROPE | {"attention": "sliding-window-attention"}, replace(SHAPE, window=3)),
    "ssm": ({"sequence_mixer": "ssm"}, SHAPE),
    "linear": (ROPE | {"attention": "linear-attention"}, SHAPE),
    "learned": (PLAIN | {"position_encoding": "learned-position"}, replace(SHAPE, kv_heads=4, positions=64, gated=False)),
    "experts": (ROPE | SPARSE, _shape(moe=EXPERTS)),
}
AHEAD = {"capacity": (ROPE | SPARSE | {"moe_router": "capacity-factor"}, _shape(moe=EXPERTS))}
"""Its experts' room hangs on how long the row is: no cache."""
CLOSE = 1e-5
PROMPTS = ([5, 9, 11, 7, 2, 33, 8], [17, 3], [21, 4, 90, 41])


@lru_cache(maxsize=32)
def loaded(name: str) -> Any:
    """A model by the name of its stack; not to be changed."""
    return of_stack(*{**CAUSAL, **AHEAD}[name])


def of_stack(slots: Mapping[str, str], shape: ModelShape) -> Any:
    """A model as transformers loads it. Its weights are larger than first values are, so that each token and each place tells in the
    logits."""
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM

    composed = model_text(slots, shape)
    program = compiled(composed.text)
    printed = BACKENDS["torch"].print(program)["module_torch.py"]
    static = static_sizes(program, composed.sizes)
    module = imported("torch", printed)
    draw = torch.Generator().manual_seed(1)
    weights = {
        key: torch.randn(one.shape, generator=draw) * 0.3 + (1.0 if key.endswith("norm.weight") else 0.0)
        for key, one in module.LM(module.Sizes(**static)).state_dict().items()
    }
    config = {"architectures": ["ForgeForCausalLM"], "model_type": "forge", "auto_map": AUTO_MAP, "tie_word_embeddings": False,
              "vocab_size": shape.vocab, "dtype": "float32", "use_cache": decodes(program), "pad_token_id": 0, "eos_token_id": 299,
              "forge": {"static": static}}  # fmt: skip
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / f"own_class_{hashlib.sha256(printed.encode()).hexdigest()[:8]}"  # transformers keeps its code by this name
        folder.mkdir()
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "module_torch.py").write_text(printed)
        (folder / "modeling_forge.py").write_text(modeling())
        return AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True, local_files_only=True).eval()


def padded(rows: tuple[list[int], ...], side: str) -> tuple[torch.Tensor, torch.Tensor]:
    """ids and mask [b, t]; padding is a token like others, so that a class that reads it gives other logits."""
    longest = max(map(len, rows))
    ids, mask = [], []
    for one in rows:
        gap = longest - len(one)
        before = {"left": gap, "right": 0, "both": gap // 2}[side]
        ids.append([6] * before + one + [6] * (gap - before))
        mask.append([0] * before + [1] * len(one) + [0] * (gap - before))
    return torch.tensor(ids), torch.tensor(mask)


def apart(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """Largest difference in the scale of the largest number."""
    return float((found - wanted).detach().abs().max() / wanted.detach().abs().max())


def cached_as_whole(model: Any) -> None:
    """A cache gives the logits and the greedy text of whole rows."""
    ids = torch.tensor([[5, 9, 11, 7, 2, 33, 8, 4, 61], [1, 2, 3, 4, 5, 6, 7, 8, 9]])
    with torch.no_grad():
        whole = model(ids, use_cache=False).logits
        cache, parts = None, []
        for start, end in ((0, 4), (4, 5), (5, 6), (6, 9)):
            made = model(ids[:, start:end], past_key_values=cache, use_cache=True)
            cache = made.past_key_values
            parts.append(made.logits)
    assert cache is not None and cache.get_seq_length() == 9
    assert apart(torch.cat(parts, 1), whole) < CLOSE
    told = model.generate(ids, max_new_tokens=8, do_sample=False)
    assert told.equal(model.generate(ids, max_new_tokens=8, do_sample=False, use_cache=False)) and told.shape[1] > 12


def padded_as_alone(model: Any, side: str, *, causal: bool) -> None:
    """Logits of a row among others, with padding, are those that it gives alone."""
    ids, mask = padded(PROMPTS, side)
    with torch.no_grad():
        alone = [model(torch.tensor([row]), use_cache=False).logits[0] for row in PROMPTS]
        for use_cache in (False, True):
            made = model(ids, attention_mask=mask, use_cache=use_cache)
            assert (made.past_key_values is not None) == (use_cache and causal)
            for wanted, real, logits in zip(alone, mask.bool(), made.logits, strict=True):
                assert apart(logits[real], wanted) < CLOSE
                assert not logits[~real].any()


def written_as_alone(model: Any, beams: int) -> None:
    """A padded batch goes on as each prompt does alone without a cache."""
    ids, mask = padded(PROMPTS, "left")
    told = {"max_new_tokens": 5, "do_sample": False, "num_beams": beams}
    made = model.generate(ids, attention_mask=mask, **told)
    for row, found in zip(PROMPTS, made, strict=True):
        one = torch.tensor([row])
        alone = model.generate(one, attention_mask=torch.ones_like(one), **told, use_cache=False)[0, len(row) :]
        assert found[ids.shape[1] :][: len(alone)].equal(alone)
