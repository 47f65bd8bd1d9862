"""Whether what works say of a candidate is what they say of the components of its slot.

Words of a name and company in works point at a slot, but at some slot they always point: "Remote photoplethysmography" stands beside
benchmarks. What is said of it tells more. Of each slot the words of all quotable sentences about its components are counted, and beside
them those of all sentences about candidates, most of which belong to no slot. A candidate's likeness to a slot is the mean, over the
words said of it, of log p(word | slot) - log p(word | candidates), in nats a word: multinomial naive Bayes (McCallum and Nigam 1998)
with the words of all sentences as the prior. Words of its own name say nothing, nor do its own sentences among those of candidates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forge_assets.components.folding import fold
from forge_assets.components.lexicon import WORD, words_of

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

FEWEST_SENTENCES = 5_000
"""Of components; with fewer nobody knows how slots are spoken of."""
RARE = 5
"""A word that is said of fewer subjects is not looked at."""
MOST = 3
"""A word counts so often of one subject: a habit of one work is none of the slot."""
PRIOR = 50_000.0
"""Words of the prior that each class is given, about as many as a slot of medium size has of its own."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How the words of a subject go with slots."""

    own: float
    """With the slot that was asked about, in nats a word; over 0: rather that slot than none."""
    before: tuple[str, ...]
    """The slots that it goes better with, the best first."""


class SlotSpeech:
    """Learnt from sentences: (subject, slot, text) of components and of candidates."""

    def __init__(self, components: Iterable[tuple[str, str, str]], candidates: Iterable[tuple[str, str, str]]) -> None:
        said, others = _said(components), _said(candidates)
        self.sentences = sum(heard.sentences for heard in said.values())
        subjects = Counter(word for heard in (*said.values(), *others.values()) for word in heard.words)
        self._number = {word: number for number, word in enumerate(word for word, count in subjects.items() if count >= RARE)}
        self._slots = sorted({heard.slot for heard in said.values()})
        place = {slot: number for number, slot in enumerate(self._slots)}
        self._counts = np.zeros((len(self._slots) + 1, len(self._number)))
        for number, heard in [*((place[one.slot], one) for one in said.values()), *((len(place), one) for one in others.values())]:
            words, times = self._vector(heard.words)
            self._counts[number, words] += times
        self._sizes: Floats = self._counts.sum(axis=1)
        self._all: Floats = self._counts.sum(axis=0)
        self._said = others

    def likeness(self, subject: str, names: Iterable[str], slot: str) -> Likeness | None:
        """Of a candidate it was given, with all ways to write it. None where too little is said of it, of its slot or of components."""
        heard = self._said.get(subject)
        if self.sentences < FEWEST_SENTENCES or heard is None or slot not in self._slots:
            return None
        own = {word for name in names for word in words_of(name)}
        words, times = self._vector({word: count for word, count in heard.words.items() if word not in own})
        if not len(words):
            return None
        counts, sizes = self._counts[:, words].copy(), self._sizes.copy()
        counts[-1] -= times
        sizes[-1] -= times.sum()
        shares = np.log(counts + PRIOR * self._all[words] / self._all.sum()) - np.log(sizes + PRIOR)[:, None]
        scores = ((shares[:-1] - shares[-1]) * times).sum(axis=1) / times.sum()
        asked = scores[self._slots.index(slot)]
        better = [self._slots[number] for number in np.argsort(-scores, kind="stable") if scores[number] > asked]
        return Likeness(float(asked), tuple(better))

    def _vector(self, words: Mapping[str, int]) -> tuple[Whole, Floats]:
        known = [(self._number[word], min(count, MOST)) for word, count in words.items() if word in self._number]
        return np.array([number for number, _ in known], np.int64), np.array([count for _, count in known], np.float64)


@dataclass(slots=True)
class _Heard:
    slot: str
    sentences: int
    words: Counter[str]
    """Word -> sentences with it. Figures are none."""


def _said(sentences: Iterable[tuple[str, str, str]]) -> dict[str, _Heard]:
    made: dict[str, _Heard] = {}
    folded: dict[str, str] = {}
    for subject, slot, text in sentences:
        heard = made.setdefault(subject, _Heard(slot, 0, Counter()))
        heard.sentences += 1
        words = {folded.get(word) or folded.setdefault(word, fold(word)) for word in WORD.findall(text) if not word.isdigit()}
        heard.words.update(words)
    return made


def told(slots: Sequence[str], most: int = 2) -> str:
    """The slots as words: "moe_router" is written as the volumes are called."""
    return " and ".join(slot.replace("_", " ") for slot in slots[:most])
