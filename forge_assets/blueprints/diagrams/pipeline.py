"""The whole training infrastructure of a stack: data, tokenizer, model, trainer, evaluation and serving.

In: the chosen component's name by slot (ontology/slots.yaml). A place that the stack leaves empty is left out; what every training
has (documents, shards of tokens, checkpoints, logs) is always there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forge_assets.compatibility.graph.drawing import Box, Frame, Link, Picture


@dataclass(frozen=True, slots=True)
class Place:
    """A box: its title, the frame it stands in, and the slots whose components it names. `always`: there even where they are empty."""

    id: str
    title: str
    frame: str
    slots: tuple[str, ...] = ()
    always: bool = False


FRAMES = {
    "data": ("Data", "#e6f1fb"),
    "model": ("Model", "#ece6fb"),
    "trainer": ("Trainer", "#fdf1dc"),
    "evaluation": ("Evaluation", "#fde4e4"),
    "serving": ("Serving", "#e1f4e3"),
}
PLACES = (
    Place("documents", "Documents", "data", ("data_pipeline",), True),
    Place("dedup", "Deduplication", "data", ("dedup",)),
    Place("tokenizer", "Tokenizer", "data", ("tokenizer",), True),
    Place("shards", "Shards of tokens", "data", (), True),
    Place("batches", "Batches", "data", ("batching",), True),
    Place("embedding", "Embedding and positions", "model", ("embedding", "modality_encoder", "position_encoding"), True),
    Place("norm", "Norm and residual", "model", ("norm", "norm_placement", "residual")),
    Place("mixer", "Mixing along the sequence", "model", ("attention", "qk_norm", "attention_kernel", "sequence_mixer"), True),
    Place("ffn", "Feed-forward", "model", ("ffn", "activation", "moe_router"), True),
    Place("head", "Output head", "model", ("output_head",), True),
    Place("hardware", "Hardware", "trainer", ("hardware",)),
    Place("parallel", "Parallelism", "trainer", ("parallelism", "comm_overlap")),
    Place("precision", "Precision and memory", "trainer", ("precision", "activation_memory")),
    Place("objective", "Objective", "trainer", ("objective", "regularization"), True),
    Place("optimizer", "Optimizer and schedule", "trainer", ("optimizer", "schedule", "initialization"), True),
    Place("checkpoints", "Checkpoints", "trainer", ("fault_tolerance",), True),
    Place("evaluation", "Benchmarks", "evaluation", ("eval",), True),
    Place("alignment", "Fine-tuning and alignment", "serving", ("adapter", "alignment")),
    Place("export", "Export", "serving", ("quantization", "compression"), True),
    Place("server", "Server", "serving", ("serving", "kv_cache", "decoding"), True),
)
FLOW = (
    ("documents", "dedup", "text"), ("dedup", "tokenizer", "kept text"), ("tokenizer", "shards", "token ids"), ("shards", "batches", ""),
    ("batches", "embedding", "token ids"), ("embedding", "norm", "hidden"), ("norm", "mixer", "each layer"), ("mixer", "ffn", "each layer"),
    ("ffn", "head", "hidden"), ("head", "objective", "logits"), ("objective", "optimizer", "gradients"),
    ("optimizer", "checkpoints", "weights, states"), ("checkpoints", "evaluation", "weights"), ("checkpoints", "alignment", "weights"),
    ("alignment", "export", "weights"), ("export", "server", "artifacts"),
)  # fmt: skip
"""A place that is left out is skipped: what leads to it goes on to where it leads."""
HELP = (("parallel", "optimizer"), ("precision", "optimizer"), ("hardware", "parallel"))
"""What a step rests on, dashed."""


def pipeline_picture(title: str, chosen: Mapping[str, str | None], numbers: Mapping[str, str] | None = None) -> Picture:
    """`numbers`: a further line by place, such as the model's size below "head"."""
    there = {one.id: one for one in PLACES if one.always or any(chosen.get(slot) for slot in one.slots)}
    boxes = [Box(one.id, _label(one, chosen, numbers or {}), one.frame, FRAMES[one.frame][1]) for one in there.values()]
    links = [Link(a, b, told) for a, b, told in _flow(set(there))]
    links += [Link(a, b, line="dashed", colour="#9aa0a6") for a, b in HELP if a in there and b in there]
    frames = tuple(Frame(id_, label) for id_, (label, _) in FRAMES.items() if any(one.frame == id_ for one in there.values()))
    return Picture(title, tuple(boxes), tuple(links), frames, "TB")


def _label(place: Place, chosen: Mapping[str, str | None], numbers: Mapping[str, str]) -> str:
    told = [place.title, *(str(chosen[slot]) for slot in place.slots if chosen.get(slot))]
    return "\n".join([*told, numbers[place.id]] if place.id in numbers else told)


def _flow(there: set[str]) -> list[tuple[str, str, str]]:
    onward = {a: (b, told) for a, b, told in FLOW if a not in there}
    found = []
    for a, b, told in FLOW:
        if a not in there:
            continue
        while b not in there:
            b, _ = onward[b]
        found.append((a, b, told))
    return found
