"""Small plans of fragments, a small corpus, and a build of them that a test can start in a process of its own.

`python -m tests.fragments.plans NAME FOLDER [STEPS]` builds the fragments of a plan up to 10-trained.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from forge_assets.blueprints.fdl.library.composing import model_text
from forge_assets.compatibility.arithmetic.shape import Latent, ModelShape, Moe
from forge_assets.fragments.build import Built, build
from forge_assets.fragments.chain import CHAIN, EXPORT, TRAINED
from forge_assets.fragments.plan import Cited, Plan
from forge_assets.fragments.tokenizer import Text

ROPE = {"position_encoding": "rope"}
GQA = {"attention": "gqa", **ROPE}
PLAIN = {"norm": "layer-norm", "activation": "gelu", "ffn": "feed-forward-network"}
SPARSE = {"ffn": "sparse-moe", "moe_router": "top-k-routing"}
EXPERTS = Moe(2, 4, 2, 24)


def _shape(ffn: int = 48, kv_heads: int = 2, *, tied: bool = True, gated: bool = True, moe: Moe | None = None,
           latent: Latent | None = None) -> ModelShape:  # fmt: skip
    width = 0 if moe else ffn
    return ModelShape("llama", 2, 32, 4, kv_heads, 8, width, 300, gated=gated, tied=tied, context=64, moe=moe, latent=latent)


STACKS = {
    "llama": (GQA, _shape()),
    "qwen3": (GQA | {"qk_norm": "qk-norm"}, _shape(tied=False)),
    "mixtral": (ROPE | SPARSE, _shape(tied=False, moe=EXPERTS)),
    "qwen3moe": (ROPE | SPARSE | {"qk_norm": "qk-norm"}, _shape(moe=EXPERTS)),
    "alibi": (PLAIN | {"position_encoding": "alibi", "attention": "mha"}, _shape(kv_heads=4, gated=False)),
    "latent": (ROPE | SPARSE | {"attention": "mla"}, _shape(kv_heads=4, moe=EXPERTS, latent=Latent(16, 16, 8, 8, 8))),
}
CLASSES = {"llama": "LlamaForCausalLM", "qwen3": "Qwen3ForCausalLM", "mixtral": "MixtralForCausalLM", "qwen3moe": "Qwen3MoeForCausalLM",
           "alibi": "ForgeForCausalLM", "latent": "ForgeForCausalLM"}  # fmt: skip
SENTENCES = ("Attention weighs the values of a sequence by how well its keys fit the queries. ", "Norms keep the scale of a layer. ",
             "Rotary embeddings turn queries and keys by their position; das gilt für jede Länge. ",
             "def norm(x): return x / x.std()\n")  # fmt: skip


def plan(name: str, seed: int = 0, tokenizer: str = "byte-level-bpe") -> Plan:
    slots, shape = STACKS[name]
    made = model_text(slots, shape)
    cited = Cited(slots.get("attention", "mha"), "https://example.org/a", "On *attention*")
    return Plan(
        name, made.text, dict(made.sizes), {**made.files, "tokenizer": tokenizer}, 64, 300, ("<s>", "</s>", "<pad>"),
        seed=seed, spec="5" * 64, snapshot="6" * 64, sources=(cited,),
    )  # fmt: skip


LEARNING = {"steps": 6, "warmup": 1, "context": 32, "micro": 2, "sequences": 4, "evaluate": 3, "checkpoint": 2, "validation": 256,
            "precision": "fp32", "compile": False, "threads": 1, "learning_rate": 1e-2}  # fmt: skip
TO_TRAINED = tuple(name for name in CHAIN if name <= TRAINED)
CHOICES = {TRAINED: {"settings": LEARNING}}


def documents(held_out: bool | None = None) -> Iterator[Text]:
    for number in range(32):
        if held_out is not None and held_out != (number % 16 == 15):
            continue
        words = "".join(SENTENCES[(number + step) % 4] * (1 + step % 3) for step in range(6))
        yield Text(f"{number:02x}", f"file:///{number}.txt", words, number % 16 == 15)


def made(name: str, root: Path, names: Sequence[str] = TO_TRAINED, seed: int = 0, **settings: Any) -> Iterator[Built]:
    """Builds fragments of a plan, all up to 10-trained by default; `settings`: others for its training."""
    choices = {**CHOICES, TRAINED: {"settings": {**LEARNING, **settings}}}
    yield from build(plan(name, seed), root, documents, names, choices=choices)


def exported(name: str, root: Path) -> Iterator[Built]:
    """Builds 12-export of what lies there, measured on little."""
    yield from build(plan(name), root, documents, [EXPORT], choices={EXPORT: {"measured": 512, "steps": 16}})


def tree(root: Path) -> str:
    """One hash of all names and bytes of fragments; what begins with a dot beside them is none."""
    found = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file() and not path.relative_to(root).parts[0].startswith(".")):
        found.update(f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()


if __name__ == "__main__":
    from tests.fragments.kills import dies_where_told

    dies_where_told()
    for one in made(sys.argv[1], Path(sys.argv[2]), **({"steps": int(sys.argv[3])} if sys.argv[3:] else {})):
        print(one.name, one.made, flush=True)
