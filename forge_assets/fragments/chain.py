"""The fragments in the order in which they are built, what each is made from, and which slots of the stack it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forge_resources.errors import FragmentError
from forge_resources.strict_yaml import near

FORMAT = "2"
"""Of a fragment's folder; raised with every change that an older reader would not understand."""
SUMS = "SHA256SUMS"
TOKENIZER, ASSEMBLED, TRAINED, LORA, EXPORT = "01-tokenizer", "09-assembled", "10-trained", "11-lora", "12-export"
WHOLE = frozenset({ASSEMBLED, TRAINED})
"""Laid out as transformers wants a model."""
RUN = "training-run"
"""Stands among the parents of a trained piece, for the run that is told in its run.json."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """`parents`: whose sums its header names. `slots`: of the stack, whose sources stand on its card. `model`: in its text."""

    name: str
    title: str
    parents: tuple[str, ...]
    slots: tuple[str, ...]
    model: str = ""


CHAIN: Mapping[str, Fragment] = {
    one.name: one
    for one in (
        Fragment("01-tokenizer", "Tokenizer", (), ("tokenizer",)),
        Fragment("02-embedding", "Embedding", ("01-tokenizer",), ("embedding",), "Embedding"),
        Fragment("03-position", "Positions", ("02-embedding",), ("position_encoding",), "Positions"),
        Fragment("04-attention", "Attention", ("03-position",), ("attention", "qk_norm", "sequence_mixer"), "Attentions"),
        Fragment("05-ffn", "Feed-forward", ("04-attention",), ("ffn", "activation", "moe_router"), "FeedForwards"),
        Fragment("06-norm", "Norms", ("05-ffn",), ("norm",), "Norms"),
        Fragment("07-block", "Blocks", ("04-attention", "05-ffn", "06-norm"), ("residual", "norm_placement"), "Blocks"),
        Fragment("08-head", "Head", ("02-embedding", "06-norm", "07-block"), ("output_head",), "Output"),
        Fragment(
            "09-assembled", "Assembled model",
            ("01-tokenizer", "02-embedding", "03-position", "04-attention", "05-ffn", "06-norm", "07-block", "08-head"),
            ("architecture",), "LM",
        ),
        Fragment("10-trained", "Trained model", ("09-assembled",), ("architecture",), "LM"),
        Fragment("11-lora", "LoRA adapter", ("10-trained",), ()),
        Fragment("12-export", "Export", ("10-trained",), ()),
    )
}  # fmt: skip
PIECES = tuple(name for name in CHAIN if TOKENIZER < name < ASSEMBLED)


def fragment(name: str) -> Fragment:
    """By its name, such as 04-attention, attention or 04. Raises FragmentError with the nearest one."""
    for one in CHAIN.values():
        if name in (one.name, one.name[3:], one.name[:2]):
            return one
    raise FragmentError(f"there is no fragment {name!r}{near(name, CHAIN)}; there are {', '.join(CHAIN)}")
