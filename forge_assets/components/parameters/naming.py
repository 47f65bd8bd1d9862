"""Names of parameters with their values in running text: "learning rate of 3e-4", "(β1, β2) = (0.9, 0.95)", "batch sizes in {16, 32}"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from forge_assets.components.parameters.numbers import Quantity
from forge_assets.components.parameters.rules import CHAIN, CONNECTOR, COUNT_NAMES, FREE_END, NOT_IN_PROSE, RATES, STRICT, SWEEP, UNFIT_UNIT
from forge_assets.components.parameters.statements import Found, Sentence, make
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Term, Vocabulary

_REACH = 60
_COORDINATION = re.compile(r"\s*(?:,|,?\s*and|/|,\s*\\?)\s*\\?", re.IGNORECASE)
_PAIR_CONNECTOR = re.compile(
    r"\s*[)}\]]?\$?\s*(?:=|:|(?:are|is|were|was)?\s*(?:both\s)?(?:set|fixed)?\s*(?:to|of|at|as|be)?)\s*(?:be\s)?\$?\s*[({\[]?\s*",
    re.IGNORECASE,
)
_UNIT_AFTER = re.compile(r"\s?-?\$?\s?(tokens?|sequences|samples|images|examples|sentences|pairs)\b", re.IGNORECASE)
_PER_DEVICE = re.compile(r"\s*(?:\w+\s)?(?:per|on each|for each)\s(?:GPU|device|TPU|worker|core|card|accelerator)", re.IGNORECASE)
_OTHER_LENGTH = re.compile(r"\s(?:epochs?|tokens|hours|samples)\b", re.IGNORECASE)
_NUMBER_OF = re.compile(r"\bnumber of (?:[a-z]+ )?\Z", re.IGNORECASE)
_DECAY = re.compile(r"\b(?:decay|anneal|reduc|decreas|drop|lower|linear|cosine|warm)", re.IGNORECASE)
_DURATION = re.compile(r"\s?-?(?P<unit>hour|hr|h|day|week)s?\b", re.IGNORECASE)
_HOURS = {"hour": 1.0, "hr": 1.0, "h": 1.0, "day": 24.0, "week": 168.0}
_BRACE = re.compile(r"[{\[]")


def read(sentence: Sentence, quantities: Sequence[Quantity], vocabulary: Vocabulary, found: Found) -> None:
    """Adds the values that stand beside a name of their parameter; `quantities` are the numbers of the sentence that are no words."""
    terms = [
        term
        for term in vocabulary.terms(sentence.text, sentence.start, sentence.end)
        if term.alias not in NOT_IN_PROSE and vocabulary.parameters[term.parameter].kind in ("number", "integer")
    ]
    _coordinated(sentence, terms, quantities, vocabulary, found)
    for term in terms:
        _named(sentence, term, quantities, vocabulary, found)
    for term in terms:
        _number_first(sentence, term, quantities, vocabulary, found)


def _coordinated(sentence: Sentence, terms: list[Term], quantities: Sequence[Quantity], vocabulary: Vocabulary, found: Found) -> None:
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
                    made = make(term.parameter, quantity, vocabulary, text) if sentence.speaks_of(term.parameter) else None
                    if made is not None:
                        found[quantity.start] = made
        first = last + 1


def _run_after(text: str, position: int, quantities: Sequence[Quantity], length: int, found: Found) -> Sequence[Quantity]:
    begin = next((i for i, q in enumerate(quantities) if q.start >= position), None)
    if begin is None or not _PAIR_CONNECTOR.fullmatch(text, position, quantities[begin].start):
        return []
    run = quantities[begin : begin + length]
    if len(run) < length or any(q.start in found for q in run):
        return []
    joined = all(CHAIN.fullmatch(text, a.end, b.start) for a, b in pairwise(run))
    return run if joined else []


def _named(sentence: Sentence, term: Term, quantities: Sequence[Quantity], vocabulary: Vocabulary, found: Found) -> None:
    """The name and then its value or values: "learning rate of 3e-4", "batch sizes in {16, 32}"."""
    text = sentence.text
    begin = next((i for i, q in enumerate(quantities) if q.start >= term.end), None)
    if begin is None or quantities[begin].start - term.end > _REACH or quantities[begin].start in found:
        return
    strict = (
        term.parameter in COUNT_NAMES
        and not term.alias.startswith(("number", "num", "total", "model size"))
        and not _is_counted(text, term)
    )
    connector = STRICT if strict else CONNECTOR
    if not connector.fullmatch(text, term.end, quantities[begin].start) or not sentence.speaks_of(term.parameter):
        return
    made = _value_of(sentence, term, quantities[begin], vocabulary)
    if made is None:
        return
    values = [made]
    previous = quantities[begin]
    for quantity in quantities[begin + 1 :]:
        if (
            quantity.start in found
            or not CHAIN.fullmatch(text, previous.end, quantity.start)
            or not (FREE_END.match(text, quantity.end, sentence.end) or _UNIT_AFTER.match(text, quantity.end, sentence.end))
        ):
            break
        more = _value_of(sentence, term, quantity, vocabulary)
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


def _is_counted(text: str, term: Term) -> bool:
    """Whether "number of" stands before the name, or it is the end of an identifier ("num_train_epochs 3")."""
    return text[term.start - 1 : term.start] == "_" or _NUMBER_OF.search(text[max(0, term.start - 30) : term.start]) is not None


def _value_of(sentence: Sentence, term: Term, quantity: Quantity, vocabulary: Vocabulary) -> ParameterValue | None:
    text, limit, parameter, unit = sentence.text, sentence.end, term.parameter, None
    if _numbers_an_item(sentence, quantity):
        return None
    if parameter == "training_time":
        return _duration(quantity, text, limit, vocabulary)
    if UNFIT_UNIT.match(text, quantity.end, limit) or (parameter == "warmup_steps" and _OTHER_LENGTH.match(text, quantity.end, limit)):
        return None
    if parameter in ("batch_size", "micro_batch_size"):
        after = _UNIT_AFTER.match(text, quantity.end, limit)
        unit = after[1].lower().rstrip("s") + "s" if after else None
        if _PER_DEVICE.match(text, quantity.end, limit):
            parameter = "micro_batch_size"
    return make(parameter, quantity, vocabulary, text, unit)


def _numbers_an_item(sentence: Sentence, quantity: Quantity) -> bool:
    """Whether the number only orders a list: "the layers: 1) attention and 2) projection"."""
    text = sentence.text
    return text.startswith(")", quantity.end) and text.count("(", sentence.start, quantity.start) <= text.count(
        ")", sentence.start, quantity.start
    )


def _duration(quantity: Quantity, text: str, limit: int, vocabulary: Vocabulary) -> ParameterValue | None:
    """A time of training in hours; a number without its unit is none."""
    unit = _DURATION.match(text, quantity.end, limit)
    return None if unit is None else make("training_time", quantity, vocabulary, text, factor=_HOURS[unit["unit"].lower()])


def _number_first(sentence: Sentence, term: Term, quantities: Sequence[Quantity], vocabulary: Vocabulary, found: Found) -> None:
    """The value and then its name: "0.1 dropout", "a 1e-4 learning rate"."""
    if term.parameter not in RATES or any(
        term.end <= value.start <= term.end + 25 and value.parameter == term.parameter for value in found.values()
    ):
        return
    quantity = next((q for q in quantities if q.end < term.start <= q.end + 2), None)
    if quantity is None or quantity.start in found or not sentence.speaks_of(term.parameter):
        return
    if sentence.text[quantity.end : term.start].strip(" -~$"):
        return
    made = make(term.parameter, quantity, vocabulary, sentence.text)
    if made is not None:
        found[quantity.start] = made


def _with_condition(value: ParameterValue, condition: str | None) -> ParameterValue:
    return replace(value, condition=condition) if condition else value
