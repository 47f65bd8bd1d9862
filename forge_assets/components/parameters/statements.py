"""A sentence as the rules of prose see it, and how a number in it becomes a value: only where it is plausible and the theme fits."""

from __future__ import annotations

from dataclasses import dataclass, field

from forge_assets.components.parameters.numbers import Quantity
from forge_assets.components.parameters.rules import GATES, ONLY_NEURAL, PERCENT, VETOES
from forge_assets.components.parameters.themes import Theme
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Vocabulary

Found = dict[int, ParameterValue]
"""The values of a sentence by their start: a number takes part in one value only."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """text[start:end], the sentence at hand; `about` is what else tells what it speaks of: the headings above it. `theme` is
    that of its document, None where it is known to be one of models (code)."""

    text: str
    start: int
    end: int
    about: str = ""
    theme: Theme | None = None
    _spoken: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    @property
    def neural(self) -> bool:
        """Whether the document speaks of neural models."""
        return self.theme is None or self.theme.neural

    @property
    def learnt(self) -> bool:
        """Whether what is counted may be data of models."""
        return self.theme is None or self.theme.learnt

    @property
    def words(self) -> str:
        """The sentence and its headings, for the rules of context."""
        return f"{self.text[self.start : self.end]} {self.about}"

    def before(self, position: int, reach: int) -> str:
        """What stands before a place, within the sentence, at most `reach` characters."""
        return self.text[max(self.start, position - reach) : position]

    def speaks_of(self, parameter: str) -> bool:
        """Whether values of the parameter count here: what they need is spoken of, and nothing that they are mistaken for."""
        if parameter not in self._spoken:
            self._spoken[parameter] = self._fits(parameter)
        return self._spoken[parameter]

    def _fits(self, parameter: str) -> bool:
        if parameter in ONLY_NEURAL and not self.neural:
            return False
        gate, veto = GATES.get(parameter), VETOES.get(parameter)
        if gate is None and veto is None:
            return True
        words = self.words
        return (gate is None or gate.search(words) is not None) and (veto is None or veto.search(words) is None)


def make(
    parameter: str, quantity: Quantity, vocabulary: Vocabulary, text: str, unit: str | None = None, factor: float = 1.0
) -> ParameterValue | None:
    """The value if it is plausible: in the range of the parameter, whole where it counts something, a share only where shares are usual."""
    known = vocabulary.parameters[parameter]
    if quantity.percent:
        if parameter == "warmup_steps":
            parameter, known = "warmup_ratio", vocabulary.parameters["warmup_ratio"]
        if parameter not in PERCENT:
            return None
    value = quantity.value * factor
    low, high = known.low, known.high
    if value != value or (low is not None and value < low) or (high is not None and value > high):
        return None
    if known.kind == "integer" and value != int(value):
        return None
    before = text[max(0, quantity.start - 4) : quantity.start]
    if before.endswith(("-", "−", "–")) and not before.rstrip("-−–")[-1:].isalnum():
        return None
    return ParameterValue(parameter, quantity.start, quantity.end, value, unit or known.unit, "prose")
