"""Values in running text: counts ("32 attention heads"), names with their value ("learning rate of 3e-4"), coordinated names, lists.

Rules in order: a number takes part in one value only. Numbers inside names ("Llama-3-8B") give nothing: the size in a name is no statement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from forge_assets.components.parameters import numbers
from forge_assets.components.parameters.counts import COUNTS, Count
from forge_assets.components.parameters.numbers import Quantity
from forge_assets.components.parameters.rules import (
    CHAIN,
    CONNECTOR,
    COUNT_NAMES,
    EVERY,
    FREE_END,
    GATES,
    MASKED,
    MASKING,
    NOT_IN_PROSE,
    OF_INPUT,
    PERCENT,
    RATES,
    STRICT,
    SWEEP,
    UNFIT_UNIT,
    VETOES,
)
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Term, Vocabulary

_REACH = 60
_BEFORE = 80
_COORDINATION = re.compile(r"\s*(?:,|,?\s*and|/|,\s*\\?)\s*\\?", re.IGNORECASE)
_PAIR_CONNECTOR = re.compile(
    r"\s*[)}\]]?\$?\s*(?:=|:|(?:are|is|were|was)?\s*(?:both\s)?(?:set|fixed)?\s*(?:to|of|at|as|be)?)\s*(?:be\s)?\$?\s*[({\[]?\s*",
    re.IGNORECASE,
)
_UNIT_AFTER = re.compile(r"\s?-?\$?\s?(tokens?|sequences|samples|images|examples|sentences|pairs)\b", re.IGNORECASE)
_PER_DEVICE = re.compile(r"\s*(?:\w+\s)?(?:per|on each|for each)\s(?:GPU|device|TPU|worker|core|card|accelerator)", re.IGNORECASE)
_OTHER_LENGTH = re.compile(r"\s(?:epochs?|tokens|hours|samples)\b", re.IGNORECASE)
_HINT = re.compile(r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|one|sixteen)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """text[start:end], the sentence at hand; `about` is what else tells its theme: the headings above it."""

    text: str
    start: int
    end: int
    about: str = ""

    @property
    def words(self) -> str:
        """The sentence and its headings, for the rules of context."""
        return f"{self.text[self.start : self.end]} {self.about}"


def read(sentence: Sentence, vocabulary: Vocabulary) -> list[ParameterValue]:
    """The values stated in a sentence, in order."""
    text = sentence.text
    if not _HINT.search(text, sentence.start, sentence.end):
        return []
    quantities = numbers.find(text, sentence.start, sentence.end)
    if not quantities:
        return []
    found: dict[int, ParameterValue] = {}
    for index in range(len(quantities)):
        _count(sentence, quantities, index, vocabulary, found)
    plain = [quantity for quantity in quantities if not quantity.small]
    for quantity in plain:
        if quantity.percent and _masks(sentence, quantity) and (made := _make("mask_ratio", quantity, vocabulary, text=text)):
            found[quantity.start] = made
    if plain:
        terms = [
            term
            for term in vocabulary.terms(text, sentence.start, sentence.end)
            if term.alias not in NOT_IN_PROSE and vocabulary.parameters[term.parameter].kind in ("number", "integer")
        ]
        _coordinated(sentence, terms, plain, vocabulary, found)
        for term in terms:
            _named(sentence, term, plain, vocabulary, found)
        for term in terms:
            _number_first(sentence, term, plain, vocabulary, found)
    return [found[start] for start in sorted(found)]


def _count(sentence: Sentence, quantities: list[Quantity], index: int, vocabulary: Vocabulary, found: dict[int, ParameterValue]) -> None:
    quantity = quantities[index]
    if quantity.percent:
        return
    before = sentence.text[max(sentence.start, quantity.start - _BEFORE) : quantity.start]
    for rule in COUNTS:
        if quantity.small and not rule.words or quantity.sides != (rule.parameter in ("image_size", "patch_size", "kernel_size")):
            continue
        if not rule.after.match(sentence.text, quantity.end, sentence.end) or (rule.before and not rule.before.search(before)):
            continue
        if EVERY.search(before):
            return
        if not _fits(sentence, rule.parameter):
            continue
        made = _make(rule.parameter, quantity, vocabulary, unit=rule.unit, factor=rule.factor, text=sentence.text)
        if made is not None and _large_enough(rule, made):
            found[quantity.start] = made
            _counted_list(sentence, quantities, index, rule, vocabulary, found)
        return


def _masks(sentence: Sentence, quantity: Quantity) -> bool:
    """Whether a share is said to be masked: "15% of the tokens are masked", "we mask 15% of the words"."""
    text = sentence.text
    if MASKED.match(text, quantity.end, sentence.end):
        return True
    return bool(
        OF_INPUT.match(text, quantity.end, sentence.end) and MASKING.search(text[max(sentence.start, quantity.start - 40) : quantity.start])
    )


_LEAST = {
    "training_tokens": 1000.0,
    "training_steps": 10.0,
    "dataset_size": 10.0,
    "training_samples": 100.0,
    "parameters": 1000.0,
    "vocabulary_size": 100.0,
    "context_length": 8.0,
    "hidden_size": 4.0,
}


def _large_enough(rule: Count, made: ParameterValue) -> bool:
    return float(made.value) >= _LEAST.get(rule.parameter, 0.0)


def _counted_list(
    sentence: Sentence, quantities: list[Quantity], index: int, rule: Count, vocabulary: Vocabulary, found: dict[int, ParameterValue]
) -> None:
    """The numbers before a counted one that share its noun: "8, 16 and 32 layers"."""
    following = quantities[index]
    for quantity in reversed(quantities[:index]):
        if quantity.start in found or quantity.percent or quantity.sides != following.sides:
            return
        if not _LISTED.fullmatch(sentence.text, quantity.end, following.start):
            return
        made = _make(rule.parameter, quantity, vocabulary, unit=rule.unit, factor=rule.factor, text=sentence.text)
        if made is None or not _large_enough(rule, made):
            return
        found[quantity.start] = made
        following = quantity


_LISTED = re.compile(r"(?:-|\s)?(?:,\s*(?:and|or)?|\s(?:and|or|to|vs\.?|versus)|/|–|-)\s*\$?", re.IGNORECASE)


def _fits(sentence: Sentence, parameter: str) -> bool:
    gate, veto = GATES.get(parameter), VETOES.get(parameter)
    if gate is None and veto is None:
        return True
    words = sentence.words
    return (gate is None or gate.search(words) is not None) and (veto is None or veto.search(words) is None)


def _coordinated(
    sentence: Sentence, terms: list[Term], quantities: list[Quantity], vocabulary: Vocabulary, found: dict[int, ParameterValue]
) -> None:
    """n names joined by "and" before n numbers joined alike: "(β1, β2) = (0.9, 0.95)"."""
    text, first = sentence.text, 0
    while first < len(terms) - 1:
        last = first
        while last + 1 < len(terms) and _COORDINATION.fullmatch(text, terms[last].end, terms[last + 1].start):
            last += 1
        if last > first:
            values = _run_after(text, terms[last].end, quantities, last - first + 1, found)
            if values:
                for term, quantity in zip(terms[first : last + 1], values, strict=True):
                    made = _make(term.parameter, quantity, vocabulary, text=text) if _fits(sentence, term.parameter) else None
                    if made is not None:
                        found[quantity.start] = made
        first = last + 1


def _run_after(text: str, position: int, quantities: list[Quantity], length: int, found: dict[int, ParameterValue]) -> list[Quantity]:
    begin = next((i for i, q in enumerate(quantities) if q.start >= position), None)
    if begin is None or not _PAIR_CONNECTOR.fullmatch(text, position, quantities[begin].start):
        return []
    run = quantities[begin : begin + length]
    if len(run) < length or any(q.start in found for q in run):
        return []
    joined = all(CHAIN.fullmatch(text, a.end, b.start) for a, b in pairwise(run))
    return run if joined else []


def _named(sentence: Sentence, term: Term, quantities: list[Quantity], vocabulary: Vocabulary, found: dict[int, ParameterValue]) -> None:
    """The name and then its value or values: "learning rate of 3e-4", "batch sizes in {16, 32}"."""
    text = sentence.text
    begin = next((i for i, q in enumerate(quantities) if q.start >= term.end), None)
    if begin is None or quantities[begin].start - term.end > _REACH or quantities[begin].start in found:
        return
    strict = term.parameter in COUNT_NAMES and not term.alias.startswith(("number", "num", "total", "model size"))
    connector = STRICT if strict else CONNECTOR
    if not connector.fullmatch(text, term.end, quantities[begin].start) or not _fits(sentence, term.parameter):
        return
    made = _value_of(term, quantities[begin], text, sentence.end, vocabulary)
    if made is None:
        return
    values = [made]
    previous = quantities[begin]
    for quantity in quantities[begin + 1 :]:
        if (
            quantity.start in found
            or not CHAIN.fullmatch(text, previous.end, quantity.start)
            or not FREE_END.match(text, quantity.end, sentence.end)
        ):
            break
        more = _value_of(term, quantity, text, sentence.end, vocabulary)
        if more is None or (
            _DECAY.search(text, max(sentence.start, term.start - 40), previous.start) and "to" in text[previous.end : quantity.start]
        ):
            break
        values.append(more)
        previous = quantity
    swept = len(values) > 1 or _BRACE.search(text, term.end, values[0].start) is not None
    condition = (
        "sweep" if swept and SWEEP.search(text, max(sentence.start, term.start - 50), min(sentence.end, previous.end + 30)) else None
    )
    for value in values:
        found[value.start] = _with_condition(value, condition)


_DECAY = re.compile(r"\b(?:decay|anneal|reduc|decreas|drop|lower|linear|cosine|warm)", re.IGNORECASE)
_BRACE = re.compile(r"[{\[]")


def _value_of(term: Term, quantity: Quantity, text: str, limit: int, vocabulary: Vocabulary) -> ParameterValue | None:
    if UNFIT_UNIT.match(text, quantity.end, limit):
        return None
    parameter, unit = term.parameter, None
    if parameter == "warmup_steps" and _OTHER_LENGTH.match(text, quantity.end, limit):
        return None
    if parameter in ("batch_size", "micro_batch_size"):
        after = _UNIT_AFTER.match(text, quantity.end, limit)
        unit = after[1].lower().rstrip("s") + "s" if after else None
        if _PER_DEVICE.match(text, quantity.end, limit):
            parameter = "micro_batch_size"
    return _make(parameter, quantity, vocabulary, unit=unit, text=text)


def _number_first(
    sentence: Sentence, term: Term, quantities: list[Quantity], vocabulary: Vocabulary, found: dict[int, ParameterValue]
) -> None:
    """The value and then its name: "0.1 dropout", "a 1e-4 learning rate"."""
    if term.parameter not in RATES or any(
        term.end <= value.start <= term.end + 25 and value.parameter == term.parameter for value in found.values()
    ):
        return
    quantity = next((q for q in quantities if q.end < term.start <= q.end + 2), None)
    if quantity is None or quantity.start in found or not _fits(sentence, term.parameter):
        return
    if sentence.text[quantity.end : term.start].strip(" -~$"):
        return
    made = _make(term.parameter, quantity, vocabulary, text=sentence.text)
    if made is not None:
        found[quantity.start] = made


def _make(
    parameter: str, quantity: Quantity, vocabulary: Vocabulary, *, text: str, unit: str | None = None, factor: float = 1.0
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
    if quantity.start and text[quantity.start - 1] in "-−–" and (quantity.start < 2 or not text[quantity.start - 2].isalnum()):
        return None
    return ParameterValue(parameter, quantity.start, quantity.end, value, unit or known.unit, "prose")


def _with_condition(value: ParameterValue, condition: str | None) -> ParameterValue:
    return replace(value, condition=condition) if condition else value
