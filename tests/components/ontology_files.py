"""A whole ontology of four slots in a folder, small enough to break on purpose."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "tasks": """
- {id: architecture, title: Architecture, description: The parts of a network.}
- {id: optimization, title: Optimization, description: Turning gradients into weights.}
- {id: evaluation, title: Evaluation, description: Benchmarks.}
""",
    "ports": """
- {id: hidden, type: float, shape: [batch, seq, d_model], meaning: One vector per token.}
- {id: loss, type: float, shape: [], meaning: The number made small.}
- {id: weights, type: tree, shape: null, meaning: Parameters by name.}
""",
    "slots": """
- {id: optimizer, title: Optimizer, task: optimization, description: New weights., in: [weights], out: [weights], core: true}
- {id: attention, title: Attention, task: architecture, description: Reads from others., in: [hidden], out: [hidden], core: true}
- {id: norm, title: Normalization, task: architecture, description: Rescales., in: [hidden], out: [hidden], core: true}
- {id: hardware, title: Hardware, task: evaluation, description: Machines., in: [], out: [hidden], core: false}
""",
    "parameters": """
- {id: beta1, title: First decay, kind: number, low: 0, high: 1, aliases: [beta1], keys: [adam_beta1]}
- {id: heads, title: Heads, kind: integer, unit: heads, low: 1, high: 1024, aliases: [heads], keys: [n_head]}
- {id: causal, title: Causal, kind: bool, aliases: [causal], keys: [is_causal]}
""",
    "optimizer": """
- id: sgd
  name: Stochastic gradient descent
  aliases: [SGD]
  introduced: {title: A stochastic approximation method, year: 1951, doi: 10.1214/aoms/1177729586}
  build: fdl
  description: Steps against the gradient.
- id: adam
  name: Adam
  aliases: [{text: Adam, case: exact, unless: [adam smith]}, adaptive moment estimation]
  introduced: {title: "Adam: A Method for Stochastic Optimization", year: 2014, arxiv: "1412.6980"}
  parameters: [{id: beta1, default: 0.9, low: 0.5, high: 0.99}]
  build: fdl
  parent: sgd
  description: Scales <steps> by running moments.
- id: lion
  name: Lion
  aliases: [{text: Lion, case: exact, context: [optimizer, adamw]}]
  build: described
  parent: adam
  also_slots: [norm]
  description: Steps by the sign.
""",
    "attention": """
- id: multi-head-attention
  name: Multi-head attention
  aliases: [MHA]
  parameters: [{id: heads, default: 8}, causal]
  build: fdl
  description: Several heads side by side.
""",
    "norm": """
- id: layer-norm
  name: Layer normalization
  aliases: [LayerNorm]
  introduced: {title: Layer Normalization, year: 2016, arxiv: "1607.06450"}
  build: fdl
  description: Rescales a vector.
""",
    "hardware": """
- {id: h100, name: H100, aliases: [H100], build: described, description: An accelerator.}
""",
}


def lay(folder: Path, **changed: str) -> Path:
    """Writes the files into the folder, those in `changed` with another text; returns the folder."""
    folder.mkdir(exist_ok=True)
    for name, text in (FILES | changed).items():
        (folder / f"{name}.yaml").write_text(text.lstrip("\n"), encoding="utf-8")
    return folder
