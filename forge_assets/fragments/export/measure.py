"""What a client is measured by: held-out text as tokens, beginnings to go on with, and how far two clients are apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from forge_assets.fragments.export.llama_architectures import Array
from forge_assets.fragments.tokenizer import GOLDEN, Text, Texts, roles
from forge_resources.errors import FragmentError

PROMPTS = 3
BEGINNING = 80
"""Characters of a beginning, at most."""
TEXTS = 32
"""Documents whose tokens are compared, up to CHARACTERS of each."""
CHARACTERS = 2_000


class Measured(Protocol):
    def logits(self, ids: Array, /) -> Array: ...


class Encoder(Protocol):
    def encode(self, text: str, /) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class Material:
    """`held_out`: whether the texts were kept out of training. `texts`: to compare tokens on, with the tokenizer's golden ones. `tokens`:
    each document with its end, in one row."""

    held_out: bool
    texts: list[str]
    prompts: list[str]
    tokens: Array


def material(texts: Texts, encoder: Encoder, special: Sequence[str], wanted: int, context: int) -> Material:
    """Up to `wanted` tokens. Raises FragmentError where there is too little text for one window."""
    for held_out in (True, False):
        made = _read(texts(held_out=held_out), encoder, special, wanted, context, held_out)
        if made.prompts and len(made.tokens) > 1:
            return made
    raise FragmentError("the corpus has no text to measure the exported files on; add a source (`forge source add FOLDER`) and `forge run`")


def _read(texts: Iterable[Text], encoder: Encoder, special: Sequence[str], wanted: int, context: int, held_out: bool) -> Material:
    end = encoder.encode(roles(special).get("eos_token", ""))
    tokens: list[int] = []
    read: list[str] = []
    for one in texts:
        if one.content.strip():
            read.append(one.content[:CHARACTERS])
            tokens += [*encoder.encode(one.content[: 16 * wanted]), *end]
        if len(tokens) >= wanted:
            break
    prompts = [prompt for text in read if (prompt := _beginning(text, encoder, context // 2))]
    return Material(held_out, [*GOLDEN, *read[:TEXTS]], list(dict.fromkeys(prompts))[:PROMPTS], np.array(tokens[:wanted], np.int64))


def _beginning(text: str, encoder: Encoder, most: int) -> str:
    """Whole words."""
    words = text[:BEGINNING].rpartition(" ")[0].strip()
    while len(encoder.encode(words)) > most:
        words = words.rpartition(" ")[0]
    return words


def windows(tokens: Array, context: int) -> Iterator[Array]:
    """Rows [1, <= context] one after the other; a last one of a single token tells nothing."""
    for start in range(0, len(tokens), context):
        if len(tokens) - start > 1:
            yield tokens[None, start : start + context]


def perplexity(client: Measured, tokens: Array, context: int) -> float:
    """Exponential of the mean negative log-likelihood in nats over all tokens of all windows but the first of each."""
    total, count = 0.0, 0
    for ids in windows(tokens, context):
        logs = log_probabilities(client.logits(ids)[0, :-1])
        total -= float(logs[np.arange(len(logs)), ids[0, 1:]].sum(dtype=np.float64))
        count += len(logs)
    return math.exp(total / count)


def log_probabilities(logits: Array) -> Array:
    """[.., v] -> [.., v], in double precision."""
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    made: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return made


def same_tokens(found: Sequence[int], wanted: Sequence[int], logits: Array, allowed: float) -> bool:
    """Whether two greedy continuations are one, or part where the two tokens are equally likely within `allowed`. `logits` [steps, v]:
    those of `wanted`."""
    for step, (one, other) in enumerate(zip(found, wanted, strict=False)):
        if one != other:
            return bool(abs(logits[step, one] - logits[step, other]) <= allowed)
    return len(found) == len(wanted)
