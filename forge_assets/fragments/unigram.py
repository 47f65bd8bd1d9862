"""A Unigram vocabulary (Kudo 2018, arXiv 1804.10959) by hard EM: the same words give the same pieces in every process.

The trainer of `tokenizers` sums in the order of a hash map and gives other bytes each time (measured), so only its BPE trainer,
whose pieces are the seed, and its Viterbi search are used: pieces are counted in the best segmentation of each word, and the rarest are
dropped.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

SEED = 4
"""Times the wanted size, from which the vocabulary shrinks (SentencePiece: from a million)."""
KEPT = 0.75
"""Of the vocabulary after each round (section 3.2 of the article)."""
ROUNDS = 2
"""Of counting between two prunings."""
MOST_WORDS = 500_000
RARE = 0.5
"""Counted for a byte that no segmentation uses, so that every text can be written."""

Pieces = list[tuple[str, float]]


def train_unigram(words: Mapping[str, int], size: int, alphabet: Sequence[str]) -> Pieces:
    """Pieces with their log probabilities, the likeliest first. `words`: byte-level words and how often they occur."""
    common = dict(sorted(words.items(), key=lambda one: (-one[1], one[0]))[:MOST_WORDS])
    pieces = _scored(_seed(common, SEED * size, alphabet), alphabet)
    while True:
        for _ in range(ROUNDS):
            pieces = _scored(_counted(common, pieces), alphabet)
        if len(pieces) <= size:
            return pieces
        keep = max(size, int(len(pieces) * KEPT))
        fixed = set(alphabet)
        room = keep - len(fixed)
        longer = [one for one in pieces if one[0] not in fixed][:room]
        pieces = sorted([*longer, *(one for one in pieces if one[0] in fixed)], key=lambda one: (-one[1], one[0]))


def _seed(words: Mapping[str, int], size: int, alphabet: Sequence[str]) -> Counter[str]:
    """Merges of BPE, each as often as words hold it at the place of its merge; every piece starts from one count at least."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=list(alphabet), show_progress=False)
    made.train_from_iterator((" ".join([word] * min(count, 1000)) for word, count in words.items()), trainer)
    found: Counter[str] = Counter(dict.fromkeys(made.get_vocab(), 1))
    for word, count in words.items():
        for piece in made.encode(word).tokens:
            found[piece] += count
    return found


def _counted(words: Mapping[str, int], pieces: Pieces) -> Counter[str]:
    """How often each piece stands in the best segmentations."""
    from tokenizers import Tokenizer, models

    made = Tokenizer(models.Unigram(pieces, unk_id=None, byte_fallback=False))
    found: Counter[str] = Counter()
    for (_, count), encoded in zip(words.items(), made.encode_batch_fast(list(words)), strict=True):
        for number in encoded.ids:
            found[pieces[number][0]] += count
    return found


def _scored(counts: Mapping[str, float], alphabet: Sequence[str]) -> Pieces:
    """Log shares; bytes always stay."""
    kept = {piece: float(count) for piece, count in counts.items() if count > 0}
    for letter in alphabet:
        kept.setdefault(letter, RARE)
    total = math.fsum(kept.values())
    return sorted(((piece, math.log(count / total)) for piece, count in kept.items()), key=lambda one: (-one[1], one[0]))
