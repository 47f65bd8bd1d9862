"""What models are made of beyond the architectures: sinks, recurrences, convolutions, losses; at once and by steps."""

from __future__ import annotations

import numpy as np
import pytest

from forge_assets.blueprints.fdl import trial
from forge_assets.blueprints.fdl.backends.torch_running import run_torch
from forge_assets.blueprints.fdl.check import compiled
from tests.blueprints.fdl.oracle import Oracle
from tests.blueprints.fdl.parity import module

EMBED = """fragment Embed(ids: i64[b,t]) -> f32[b,t,d]:
  param E: f32[v,d] from "embed.weight"
  x[b,t,d] = E[ids[b,t],d]
  return x
"""
HEAD = """fragment Head(x: f32[b,t,d]) -> f32[b,t,v]:
  param E: f32[v,d] from "embed.weight"
  y[b,t,v] = sum[d](x[b,t,d] * E[v,d])
  return y
"""
BLOCKS = {
    "attention with sinks and one key head": """fragment Block(x: f32[b,t,d]) -> f32[b,t,d]:
  const window = 3
  param Wq: f32[(h k),d] from "q.weight"
  param Wk: f32[k,d] from "k.weight"
  param Wv: f32[k,d] from "v.weight"
  param Wo: f32[d,(h k)] from "o.weight"
  param sink: f32[h] from "sinks"
  q[b,t,h,k] = sum[d](x[b,t,d] * Wq[h,k,d])
  e[b,s,k] = sum[d](x[b,s,d] * Wk[k,d])
  u[b,s,k] = sum[d](x[b,s,d] * Wv[k,d])
  z[b,h,t,s] = where(pos(s) <= pos(t) and pos(t) - pos(s) < window, sum[k](q[b,t,h,k] * e[b,s,k]) / sqrt(size(k)), -1e30)
  m[b,h,t] = max(max[s](z[b,h,t,s]), sink[h])
  w[b,h,t,s] = exp(z[b,h,t,s] - m[b,h,t])
  n[b,h,t] = sum[s](w[b,h,t,s]) + exp(sink[h] - m[b,h,t])
  o[b,t,h,k] = sum[s](w[b,h,t,s] * u[b,s,k]) / n[b,h,t]
  y[b,t,d] = x[b,t,d] + sum[h,k](o[b,t,h,k] * Wo[d,h,k])
  return y
""",
    "multi-query attention": """fragment Block(x: f32[b,t,d]) -> f32[b,t,d]:
  param Wq: f32[(h k),d] from "q.weight"
  param Wk: f32[k,d] from "k.weight"
  param Wv: f32[m,d] from "v.weight"
  param Wo: f32[d,(h m)] from "o.weight"
  q[b,t,h,k] = sum[d](x[b,t,d] * Wq[h,k,d])
  e[b,s,k] = sum[d](x[b,s,d] * Wk[k,d])
  u[b,s,m] = sum[d](x[b,s,d] * Wv[m,d])
  p[b,h,t,s] = softmax[s](where(pos(s) <= pos(t), sum[k](q[b,t,h,k] * e[b,s,k]) / sqrt(size(k)), -1e30))
  o[b,t,h,m] = sum[s](p[b,h,t,s] * u[b,s,m])
  y[b,t,d] = x[b,t,d] + sum[h,m](o[b,t,h,m] * Wo[d,h,m])
  return y
""",
    "gated linear attention": """fragment Block(x: f32[b,t,d]) -> f32[b,t,d]:
  param Wq: f32[(h k),d] from "q.weight"
  param Wk: f32[(h k),d] from "k.weight"
  param Wv: f32[(h m),d] from "v.weight"
  param Wg: f32[(h k),d] from "g.weight"
  param Wo: f32[d,(h m)] from "o.weight"
  q[b,t,h,k] = sum[d](x[b,t,d] * Wq[h,k,d])
  e[b,t,h,k] = sum[d](x[b,t,d] * Wk[h,k,d])
  u[b,t,h,m] = sum[d](x[b,t,d] * Wv[h,m,d])
  g[b,t,h,k] = sigmoid(sum[d](x[b,t,d] * Wg[h,k,d]))
  S[b,t,h,k,m] = scan[t](g[b,t,h,k] * S[b,t - 1,h,k,m] + e[b,t,h,k] * u[b,t,h,m])
  o[b,t,h,m] = sum[k](q[b,t,h,k] * S[b,t,h,k,m])
  y[b,t,d] = x[b,t,d] + sum[h,m](o[b,t,h,m] * Wo[d,h,m])
  return y
""",
    "selective state space with a causal convolution": """fragment Block(x: f32[b,t,d]) -> f32[b,t,d]:
  param C: f32[d,w] from "conv.weight"
  param A: f32[d,n] from "A_log"
  param Wd: f32[d] from "dt.weight"
  param Wb: f32[n,d] from "B.weight"
  param Wc: f32[n,d] from "C.weight"
  u[b,t,d] = silu(sum[w](x[b,t - w,d] * C[d,w]))
  r[b,t,d] = softplus(u[b,t,d] * Wd[d])
  B[b,t,n] = sum[d](u[b,t,d] * Wb[n,d])
  Q[b,t,n] = sum[d](u[b,t,d] * Wc[n,d])
  H[b,t,d,n] = scan[t](exp(-r[b,t,d] * exp(A[d,n])) * H[b,t - 1,d,n] + r[b,t,d] * B[b,t,n] * u[b,t,d])
  y[b,t,d] = x[b,t,d] + sum[n](H[b,t,d,n] * Q[b,t,n])
  return y
""",
    "squared ReLU, by the number of the layer": """fragment Block(x: f32[b,t,d]) -> f32[b,t,d]:
  param Wu: f32[f,d] from "up.weight"
  param Wd: f32[d,f] from "down.weight"
  u[b,t,f] = relu(sum[d](x[b,t,d] * Wu[f,d])) ** 2
  y[b,t,d] = x[b,t,d] * where(layer % 2 == 0, 1.0, 0.5) + sum[f](u[b,t,f] * Wd[d,f]) / (layer + 1)
  return y
""",
}


LATER = ("attention with sinks and one key head",)


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.trial if name in LATER else ()) for name in BLOCKS])
def test_a_block_means_the_same_everywhere_and_decodes(name: str) -> None:
    text = EMBED + BLOCKS[name] + HEAD + 'model LM = Embed ; Block * L prefix "layers.{i}." ; Head\n'
    (compared,) = trial.compare(compiled(text), backends=("torch", "jax"))
    assert compared.worst < 1e-5, compared
    stepped = [what for what in compared.differences if "step by step" in what]
    assert len(stepped) == (0 if name.startswith("squared") else 2), "what keeps nothing needs no steps"
    program = compiled(BLOCKS[name])
    (case,) = trial.cases(program)
    unit = program.units["Block"]
    (wanted,) = Oracle(unit, case.sizes, case.inputs | {one.name: case.weights[one.stored] for one in unit.parameters}).results()
    assert np.abs(run_torch(program, case).results[0] - wanted).max() < 1e-5 * np.abs(wanted).max()


LOSS = """fragment Loss(logits: f32[b,t,v], labels: i64[b,t]) -> f32[]:
  n[b,t] = logsumexp[v](logits[b,t,v]) - logits[b,t,labels[b,t + 1]]
  loss = sum[b,t](where(pos(t) + 1 < size(t), n[b,t], 0.0)) / (size(b) * (size(t) - 1))
  return loss
"""


def test_a_causal_loss_is_transformers_and_its_model_has_no_cache() -> None:
    import torch

    text = EMBED + BLOCKS["multi-query attention"] + HEAD + LOSS
    text += 'model LM = Embed ; Block * L prefix "layers.{i}." ; Head\nmodel Train = LM ; Loss\n'
    program = compiled(text)
    compared = trial.compare(program, backends=("torch", "jax"))
    assert [one.name for one in compared] == ["LM", "Train"] and all(one.worst < 1e-5 for one in compared)
    made = module("torch", program)
    size = made.Sizes(**{name: value for name, value in trial.small_sizes(program, 0).items() if name in made.Sizes.__dataclass_fields__})
    train, model = made.Train(size), made.LM(size)
    model.load_state_dict(train.state_dict())
    ids = torch.randint(0, size.v, (2, 9))
    logits = model(ids)
    wanted = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
    assert abs(float((train(ids, ids) - wanted).detach())) < 1e-5
    with pytest.raises(TypeError):
        train(ids, ids, cache={})


def test_values_skip_layers_by_name_and_layers_of_two_kinds_have_paths_of_their_own() -> None:
    text = """fragment Embed(ids: i64[b,t]) -> (x: f32[b,t,d], first: f32[b,t,d]):
  param E: f32[v,d] from "embed.weight"
  x[b,t,d] = E[ids[b,t],d]
  y[b,t,d] = 0.5 * x[b,t,d]
  return x, y
fragment Even(x: f32[b,t,d], first: f32[b,t,d]) -> f32[b,t,d]:
  param w: f32[d] from "scale.weight"
  y[b,t,d] = tanh(x[b,t,d] * w[d]) + first[b,t,d]
  return y
fragment Odd(x: f32[b,t,d]) -> f32[b,t,d]:
  param W: f32[d2,d] from "mix.weight"
  y[b,t,d2] = sum[d](x[b,t,d] * W[d2,d])
  z[b,t,d] = y[b,t,pos(d)]
  return z
model M = Embed ; (Even prefix "even.{i}." ; Odd prefix "odd.{i}.") * L
"""
    text = "axis d2 = d\n" + text
    program = compiled(text)
    (compared,) = trial.compare(program, backends=("torch", "jax"))
    assert compared.worst < 1e-5
    made = module("torch", program)
    names = set(made.M(made.Sizes(**dict.fromkeys(made.Sizes.__dataclass_fields__, 3) | {"L": 2})).state_dict())
    assert names == {"embed.weight", "even.0.scale.weight", "odd.1.mix.weight", "even.2.scale.weight", "odd.3.mix.weight"}


@pytest.mark.trial
def test_printed_torch_compiles_to_a_graph() -> None:
    import torch

    text = EMBED + BLOCKS["multi-query attention"] + HEAD + 'model LM = Embed ; Block * L prefix "layers.{i}." ; Head\n'
    made = module("torch", compiled(text))
    model = made.LM(made.Sizes(v=11, d=8, h=2, k=4, m=4, L=2))
    ids = torch.randint(0, 11, (2, 6))
    whole = torch.compile(model, fullgraph=True, backend="aot_eager")
    assert torch.allclose(whole(ids), model(ids), atol=1e-6)


ODD = {
    "every second entry, of an axis that no input has alone": "axis k = 2*j\nfragment F(x: f32[b,k]) -> f32[b,j]:\n"
    "  y[b,j] = x[b,2*j] - x[b,2*j + 1]\n  return y\n",
    "a diagonal": "axis e = d\nfragment F(x: f32[b,d,e]) -> f32[b,d]:\n  y[b,d] = x[b,d,d]\n  return y\n",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_reads_mean_the_same(name: str) -> None:
    (compared,) = trial.compare(compiled(ODD[name]), backends=("torch", "jax"))
    assert compared.worst < 1e-6
