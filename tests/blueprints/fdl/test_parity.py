"""FDL texts of architectures against tiny transformers models, with their weights loaded by reshape alone."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.blueprints.fdl.architectures import CASES
from tests.blueprints.fdl.parity import compared, relative, torch_model

EXACT, LIMIT = 1e-5, 1e-4
QUICK = ("llama", "gpt_neox", "deepseek_v3")
TIED = {"qwen2", "qwen3", "smollm3", "gemma2", "gemma3", "gpt2", "mpt", "bloom"}
MUTANTS = [
    ("llama", "pos(s) <= pos(t)", "pos(s) < pos(t)"),
    ("llama", "-x[b,t,..,1,j], x[b,t,..,0,j]", "x[b,t,..,1,j], -x[b,t,..,0,j]"),
    ("llama", "pos(j) / size(j)", "(pos(j) + 1.0) / size(j)"),
    ("llama", "sqrt(2.0 * size(j))", "sqrt(size(j))"),
    ("llama", "gate[b,t,f] * sigmoid(gate[b,t,f])", "up[b,t,f] * sigmoid(gate[b,t,f])"),
    ("llama", "theta = 10000.0)", "theta = 9000.0)"),
    ("llama", "eps = 1e-5", "eps = 1e-2"),
    ("llama", "a[b,t,d] = x[b,t,d] + attention", "a[b,t,d] = attention"),
    ("llama_3", "const low = 1.0", "const low = 3.0"),
    ("qwen2", " + Bv[g,c,j]", ""),
    ("qwen3", "rope(kn[b,s,g,c,j]", "rope(k[b,s,g,c,j]"),
    ("mistral", "< window", "<= window"),
    ("mixtral", "< top", "<= top"),
    ("mixtral", "m[b,t,e] / n[b,t]", "m[b,t,e]"),
    ("mixtral", "up[b,t,e,0,f] * sigmoid(up[b,t,e,0,f]) * up[b,t,e,1,f]", "up[b,t,e,1,f] * sigmoid(up[b,t,e,1,f]) * up[b,t,e,0,f]"),
    ("smollm3", "(layer + 1) % 4", "layer % 4"),
    ("olmo2", "x[b,t,d] + rmsnorm(h[b,t,d]", "h[b,t,d] + rmsnorm(x[b,t,d]"),
    ("gemma2", "(1.0 + w[d])", "w[d]"),
    ("gemma2", "layer % 2 == 1", "layer % 2 == 0"),
    ("gemma2", "const cap = 30.0", "const cap = 29.0"),
    ("gemma2", " * sqrt(size(d))", ""),
    ("gemma2", "gate[b,t,f] ** 3", "gate[b,t,f] ** 2"),
    ("gemma3", "theta = 1000000.0", "theta = 10000.0"),
    ("gemma3", "(Local * 5 ; Global) * N", "(Local * 4 ; Global ; Local) * N"),
    ("gpt2", "P[pos(t),d]", "P[pos(t) + 1,d]"),
    ("gpt2", "y[b,s,2,h,k]", "y[b,s,1,h,k]"),
    ("gpt_neox", "layernorm(x[b,t,d], prefix \"post", "layernorm(a[b,t,d], prefix \"post"),
    ("gpt_neox", "c * size(j) + j", "j * size(c) + c"),
    ("gpt_neox", "sqrt(size(k))", "sqrt(size(m))"),
    ("stablelm", " + o[d]", ""),
    ("mpt", "(pos(h) + 1.0)", "pos(h)"),
    ("mpt", "(pos(t) - pos(s))", "(pos(s) - pos(t))"),
    ("bloom", "return x", "return e"),
    ("deepseek_v3", "score[b,t,e,m] + stop(B[e,m])", "score[b,t,e,m] + 0.0 * B[e,m]"),
    ("deepseek_v3", "< groups", "<= groups"),
    ("deepseek_v3", "const scale = 2.5", "const scale = 2.4"),
    ("deepseek_v3", "(0.1 * log(factor) + 1.0) ** 2", "(0.1 * log(factor) + 1.0)"),
    ("deepseek_v3", "const slow = 1.0", "const slow = 4.0"),
]  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.trial) for name in CASES])
def test_equals_transformers(name: str) -> None:
    found = compared(CASES[name])
    assert found.torch <= EXACT and found.jax <= EXACT
    assert found.gradients <= LIMIT, "gradients of torch and JAX"
    assert found.torch_steps <= EXACT and found.jax_steps <= EXACT, "decoding step by step and the full forward"
    assert found.unused == (("lm_head.weight",) if name in TIED else ()), (
        "every tensor of the checkpoint is used; a tied head is the embedding"
    )


@cache
def _reference(name: str) -> tuple[Any, Any, Any]:
    import torch

    model = CASES[name].make()
    ids = torch.from_numpy(np.random.default_rng(3).integers(0, CASES[name].sizes["v"], (2, 13)))
    with torch.no_grad():
        return model.state_dict(), ids, model(ids).logits.numpy()


SOON = ("mixtral", "gpt2", *QUICK)


def _mutants() -> list[Any]:
    return [
        pytest.param(*one, id=f"{one[0]}: {one[1]}", marks=() if one[0] in SOON and number % 2 == 0 else pytest.mark.trial)
        for number, one in enumerate(MUTANTS)
    ]


@pytest.mark.parametrize(("name", "right", "wrong"), _mutants())
def test_a_mutant_of_the_meaning_is_detected(name: str, right: str, wrong: str) -> None:
    import torch

    case = CASES[name]
    weights, ids, wanted = _reference(name)
    assert right in case.text
    with torch.no_grad():
        difference = relative(torch_model(case, weights, case.text.replace(right, wrong)).forward(ids), wanted)
    assert difference > LIMIT
