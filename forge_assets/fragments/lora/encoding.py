"""Examples as tokens of the base's chat template, of which only the answer is learnt.

Prompt and answer are tokenised apart, so the border between them is a border of tokens, as it is when the model is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from forge_assets.fragments.lora.examples import Example
from forge_resources.errors import FragmentError

IGNORED = -100
"""The label that torch's cross-entropy passes over."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """`ids` of prompt and answer; the answer begins at `answer`."""

    ids: tuple[int, ...]
    answer: int


def encoded(examples: Sequence[Example], tokenizer: Any, most: int) -> tuple[list[Encoded], int]:
    """Those that fit into `most` tokens, and how many do not. Raises FragmentError where the template cannot be cut before the answer."""
    found, long = [], 0
    for one in examples:
        made = _one(one, tokenizer)
        if len(made.ids) <= most:
            found.append(made)
        else:
            long += 1
    return found, long


def _one(example: Example, tokenizer: Any) -> Encoded:
    question, answer = example.messages()
    # thinking is switched off where a template knows it (Qwen3): an answer from sources is not to be thought aloud
    settings: dict[str, Any] = {"tokenize": False, "enable_thinking": False}
    try:
        prompt = tokenizer.apply_chat_template([question], add_generation_prompt=True, **settings)
        whole = tokenizer.apply_chat_template([question, answer], **settings)
    except Exception as error:  # templates are programs of others and raise what they like
        raise FragmentError(
            f"the chat template of the base cannot be used ({' '.join(str(error).split())[:160]}); give a base with another"
        ) from None
    if not whole.startswith(prompt):
        raise FragmentError("the chat template of the base does not end a question as an answer begins; give a base with another")
    first, rest = (tokenizer(text, add_special_tokens=False, verbose=False).input_ids for text in (prompt, whole[len(prompt) :]))
    return Encoded((*first, *rest), len(first))


def padded(some: Sequence[Encoded], padding: int) -> tuple[Any, Any]:
    """ids and labels, i64[len(some), longest]. Filled up at the right: behind a causal mask nothing before it sees that."""
    import torch

    longest = max(len(one.ids) for one in some)
    ids = torch.full((len(some), longest), padding, dtype=torch.long)
    labels = torch.full((len(some), longest), IGNORED, dtype=torch.long)
    for row, one in enumerate(some):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        labels[row, one.answer : len(one.ids)] = torch.tensor(one.ids[one.answer :])
    return ids, labels
