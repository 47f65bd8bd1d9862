"""English words that tell whether a word torn at a line end belongs together: frequent ones and a long list."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

from forge_assets.corpus.tokenizer import frequent_words

# Before a hyphen these make compounds: "self-attention", "pre-training".
_COMPOUNDING = frozenset(
    "self non pre post multi semi well low high large small one two three fine end real long short top state cross zero few".split()
)


@lru_cache(maxsize=1)
def all_words() -> frozenset[str]:
    """The 400,000 words in the file that comes with `unstructured`; without it the frequent ones."""
    spec = importlib.util.find_spec("unstructured")
    path = Path(spec.origin).parent / "nlp" / "english-words.txt" if spec and spec.origin else None
    return frozenset(path.read_text("utf-8").split("\n")) if path and path.is_file() else frequent_words()


def join_torn(left: str, right: str) -> str:
    """ "trans", "former" -> "transformer"; "self", "attention" -> "self-attention"; "decision", "making" -> "decision-making"."""
    whole, first, second = (left + right).lower(), left.lower(), right.lower()
    if whole in frequent_words():
        return left + right
    words = all_words()
    if first in _COMPOUNDING and second in words:
        return f"{left}-{right}"
    if whole in words:
        return left + right
    return f"{left}-{right}" if first in words and second in words and len(first) > 2 and len(second) > 2 else left + right
