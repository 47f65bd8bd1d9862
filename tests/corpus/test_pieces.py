"""Word pieces counted without the tokenizer are the tokenizer's own, for every text it is trusted with."""

from __future__ import annotations

import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from forge_assets.corpus.tokenizer import count_pieces, piece_starts, tokenizer

WORDS = st.sampled_from(
    ["RoPE", "self-attention", "3e-4", "don't", "x" * 120, "fp16", "[SEP]", "[sep]", "–", "…", "\n\n", "a_b", "naïve", "C++", "", "»"]
)


def told(text: str) -> list[int]:
    return [start for start, end in tokenizer().encode(text, add_special_tokens=False).offsets if end > start]


def agree(text: str) -> bool:
    starts = piece_starts(text)
    assert count_pieces(text) == (None if starts is None else len(starts))
    assert starts is None or starts == told(text)
    return starts is not None


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.characters(max_codepoint=0x2060), max_size=80) | st.lists(WORDS, max_size=20).map(" ".join) | st.lists(WORDS).map("".join)
)
@example("[CLS] and [MASK]")
@example("tab\there")
def test_pieces_are_counted_as_the_tokenizer_counts_them(text: str) -> None:
    agree(text)


def test_random_words_are_read_without_the_tokenizer() -> None:
    letters = random.Random(5)
    text = " ".join("".join(letters.choices("abcdefgXYZ019-'“”", k=letters.randint(1, 14))) for _ in range(3_000))
    assert agree(text)


def test_what_only_the_tokenizer_can_read_is_left_to_it() -> None:
    assert [agree(text) for text in ("naïve", "注意力", "a [SEP] b", "bell \x07", "tab\there", "× 3")] == [False] * 6
