"""Which slot a candidate may fill, told by the words of its names, by what it is said to be, and by the title of the work it comes from.

Naive Bayes over the ontology's own components: a slot's words are those of the names, aliases, descriptions and introducing titles of its
components, the last word of a name counting apart, since it is the head that tells ("... attention", "...Norm").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from forge_assets.components.lexicon import words_of
from forge_assets.components.ontology.model import Component, Ontology

Floats = npt.NDArray[np.float64]

SMOOTHING = 0.1
SHARPNESS = 0.35
"""What the log-likelihoods are scaled by before they become shares: words are not independent, as the model has it, so unscaled shares
would nearly all be 1. Chosen so that, of components left out of the training, a share is about as large as it is often right."""
NEARNESS, EVENNESS = 0.5, 0.1
"""How much the components beside a candidate tell on its slot: shares are multiplied by (share among them + EVENNESS) ** NEARNESS."""
SHOWN = 5
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class SlotModel:
    """Learnt from an ontology; building it costs some 0.3 s for 3,000 components."""

    def __init__(self, ontology: Ontology, components: Iterable[Component] | None = None) -> None:
        chosen = list(ontology.components.values() if components is None else components)
        self.slots = list(ontology.slots)
        self._vocabulary: dict[str, int] = {}
        place = {slot: number for number, slot in enumerate(self.slots)}
        rows = [(place[one.slot], [self._number(mark) for mark in marks_of_component(one)]) for one in chosen]
        counts = np.zeros((len(self.slots), len(self._vocabulary)))
        for slot, marks in rows:
            np.add.at(counts[slot], marks, 1.0)
        sizes = np.bincount([slot for slot, _ in rows], minlength=len(self.slots))
        total = counts.sum(axis=1, keepdims=True)
        self._words: Floats = np.log(counts + SMOOTHING) - np.log(total + SMOOTHING * counts.shape[1])
        self._prior: Floats = np.log(sizes + 1.0) - np.log(sizes.sum() + len(sizes))

    def shares(self, marks: Sequence[Iterable[str]]) -> Floats:
        """For each candidate's marks the share of each slot, float64 [candidates, slots]; rows sum to 1."""
        scores = np.tile(self._prior, (len(marks), 1))
        for row, own in enumerate(marks):
            known = [number for mark in dict.fromkeys(own) if (number := self._vocabulary.get(mark)) is not None]
            scores[row] += self._words[:, known].sum(axis=1)
        scores *= SHARPNESS
        scores -= scores.max(axis=1, keepdims=True, initial=0.0)
        shares = np.exp(scores)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def beside(self, shares: Floats, near: Counter[str]) -> Floats:
        """A row of `shares` after a look at the slots of the components that stand in the same works, as many as there are of each."""
        total = sum(near.values())
        if not total:
            return shares
        seen = np.array([near[slot] / total for slot in self.slots])
        changed = shares * (seen + EVENNESS) ** NEARNESS
        return np.asarray(changed / changed.sum())

    def likeliest(self, shares: Floats) -> list[tuple[str, float]]:
        """The slots of one row of `shares`, the likeliest first."""
        return [(self.slots[place], float(shares[place])) for place in np.argsort(-shares, kind="stable")[:SHOWN]]

    def _number(self, mark: str) -> int:
        return self._vocabulary.setdefault(mark, len(self._vocabulary))


def marks_of_component(component: Component) -> set[str]:
    names = [component.name, *(alias.text for alias in component.aliases)]
    title = component.introduced.title if component.introduced else ""
    return marks(names, (), title) | set(words_of(component.description))


def marks(names: Iterable[str], heads: Iterable[str], title: str) -> set[str]:
    """What the model looks at. `heads`: what works call it ("adaptive optimizer"); `title`: of the work that introduced it."""
    made: set[str] = set()
    for name in (*names, *heads):
        words = words_of(_CAMEL.sub(" ", name))
        made.update(words)
        if words:
            made.update((f"head {words[-1]}", f"end {words[-1][-4:]}"))
            made.update(f"head {pair[0]} {pair[1]}" for pair in [words[-2:]] if len(pair) == 2)
    of_title = words_of(title)
    made.update(of_title)
    made.update(f"title {word}" for word in of_title)
    return made


def said_of(heads: Iterable[str | None], most: int = 3) -> list[str]:
    """The heads that works give most often."""
    counted: Counter[str] = Counter(head for head in heads if head)
    return [head for head, _ in counted.most_common(most)]
