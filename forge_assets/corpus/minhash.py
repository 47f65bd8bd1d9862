"""Texts -> hashed word triples -> minima -> bands: documents that share a band are worth comparing.

The probability that the minimum of a random hash over two sets is the same is their resemblance (Jaccard)
r(A, B) = |A ∩ B| / |A ∪ B|  (A. Broder, On the resemblance and containment of documents, 1997).
With b bands of r minima each, two texts of resemblance s share a band with probability 1 - (1 - s^r)^b.
All of it is numpy over a batch of texts at once; a word is a run of letters and digits, a CJK or Thai character is a word of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

BANDS = 16
ROWS = 3
TRIPLE = 3
FEWEST_TRIPLES = 12
"""Texts with fewer say too little to be told apart by."""

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
Bands = npt.NDArray[np.uint32]

_UNSPACED = re.compile("([\u0e00-\u0e7f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")
_NOT_WORD = re.compile(r"[\W_]+")
_WORD_BYTE = np.zeros(256, dtype=bool)
_WORD_BYTE[[*range(48, 58), *range(97, 123), *range(128, 256)]] = True
_BASE, _SECOND, _THIRD = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))


def folded(text: str) -> str:
    """Lower case, without accents; whatever is neither letter nor digit may be any character but one of these."""
    if text.isascii():
        return text.lower()
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
    return _UNSPACED.sub(r" \1 ", _NOT_WORD.sub(" ", plain))


def triples(texts: Sequence[str]) -> tuple[Hashes, Places]:
    """The hashes of all runs of three words of each text, repeats included: hashes[places[i]:places[i + 1]] are those of texts[i]."""
    raw = [folded(text).encode("utf-8", "replace") for text in texts]
    data = np.frombuffer(b" ".join([b"", *raw, b""]), dtype=np.uint8)
    starts_of_texts = np.cumsum([0] + [len(item) + 1 for item in raw])
    word = _WORD_BYTE[data]
    edges = np.flatnonzero(word[1:] != word[:-1]) + 1
    starts, ends = edges[0::2], edges[1::2]
    power, inverse = _powers(1 << max(16, len(data).bit_length()))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum((data.astype(np.uint64) + np.uint64(1)) * power[: len(data)])])
    words = _mixed((sums[ends] - sums[starts]) * inverse[starts])
    first = np.searchsorted(starts, starts_of_texts)  # the first word of each text, and the number of all
    counts = np.maximum(np.diff(first) - (TRIPLE - 1), 0)
    places = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    at = np.arange(places[-1]) + np.repeat(first[:-1] - places[:-1], counts)
    return _mixed(words[at] + words[at + 1] * _SECOND + words[at + 2] * _THIRD), places


def bands(hashes: Hashes, places: Places) -> Bands:
    """(texts, BANDS) hashes of bands, 0 where a text has fewer than FEWEST_TRIPLES triples."""
    out = np.zeros((len(places) - 1, BANDS), dtype=np.uint32)
    enough = np.flatnonzero(np.diff(places) >= FEWEST_TRIPLES)
    if not len(enough):
        return out
    # only the texts with enough triples are reduced; what lies between them belongs to nobody, so it is cut out
    if len(enough) < len(places) - 1:
        hashes = np.concatenate([hashes[places[i] : places[i + 1]] for i in enough])
    starts = np.concatenate([[0], np.cumsum(np.diff(places)[enough])])[:-1]
    factors, offsets = _permutations()
    product = np.empty_like(hashes)
    for band in range(BANDS):
        joint = np.zeros(len(enough), dtype=np.uint64)
        for row in range(ROWS):
            np.multiply(hashes, factors[band * ROWS + row], out=product)
            product += offsets[band * ROWS + row]
            joint = _mixed(joint + np.minimum.reduceat(product, starts))
        out[enough, band] = np.maximum(joint >> np.uint64(32), np.uint64(1)).astype(np.uint32)
    return out


def _mixed(values: Hashes) -> Hashes:
    """Every bit depends on every other (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@lru_cache(maxsize=1)
def _permutations() -> tuple[Hashes, Hashes]:
    """Odd factors and offsets, the same for ever: h -> factor h + offset (mod 2^64) is a permutation of the 64-bit numbers."""
    seeds = np.arange(1, 2 * BANDS * ROWS + 1, dtype=np.uint64) * _BASE
    return _mixed(seeds[0::2]) | np.uint64(1), _mixed(seeds[1::2])


@lru_cache(maxsize=2)
def _powers(count: int) -> tuple[Hashes, Hashes]:
    """base^i and base^-i (mod 2^64)."""
    inverse = pow(int(_BASE), -1, 1 << 64)
    out = []
    for base in (int(_BASE), inverse):
        factors = np.full(count, base, dtype=np.uint64)
        factors[0] = 1
        out.append(np.cumprod(factors))
    return out[0], out[1]
