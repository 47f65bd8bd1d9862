"""Values in running text: counts ("32 attention heads"), names with their value ("learning rate of 3e-4"), sizes of data sets.

Rules in order: a number takes part in one value only. Numbers inside names ("Llama-3-8B") give nothing: the size in a name is no statement.
"""

from __future__ import annotations

import re

from forge_assets.components.parameters import naming, numbers, samples
from forge_assets.components.parameters.counting import Count
from forge_assets.components.parameters.lengths import LENGTHS
from forge_assets.components.parameters.numbers import Quantity
from forge_assets.components.parameters.rules import EVERY, MASKED, MASKING, OF_INPUT
from forge_assets.components.parameters.shapes import SHAPES
from forge_assets.components.parameters.statements import Found, Sentence, make
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Vocabulary

_COUNTS = (*SHAPES, *LENGTHS)
_BEFORE = 80
_HINT = re.compile(
    r"\b(?:[Tt](?:wo|hree|en|welve|hirty-two|wenty)|[Ff](?:our|ive)|[Ss](?:ix|even|ixteen|ixty-four)|[Ee](?:ight|leven)|[Nn]ine|[Oo]ne)\b"
)
_DIGIT = re.compile(r"\d")
_TOP_ROUTING = re.compile(r"\b[Tt]op-(?P<k>\d)\s(?:expert |MoE |token-choice )?(?:routing|router|gating|gate|experts?|MoE)\b")
_SQUARE = frozenset({"image_size", "patch_size", "kernel_size"})
_LEAST = {
    "training_tokens": 1000.0,
    "training_steps": 10.0,
    "dataset_size": 10.0,
    "training_samples": 100.0,
    "parameters": 100.0,
    "vocabulary_size": 100.0,
    "context_length": 8.0,
    "hidden_size": 4.0,
}
_SCALED_TOGETHER = frozenset("parameters active_parameters training_tokens context_length training_steps dataset_size".split())
"""Of "7, 13 and 70B parameters" all are billions; of other lists each number stands for itself."""
_FEW_PARAMETERS = 1e5
"""What is called parameters below that, in a document that names no neural model, may be those of a curve or of a cipher."""
_LISTED = re.compile(r"(?:-|\s)?(?:,\s*(?P<last>and|or)?|\s(?:and|or|to|vs\.?|versus)|/|–|-{1,2})\s*[~≈∼]?\$?", re.IGNORECASE)


def read(sentence: Sentence, vocabulary: Vocabulary) -> list[ParameterValue]:
    """The values stated in a sentence, in order."""
    text = sentence.text
    if not _DIGIT.search(text, sentence.start, sentence.end) and not _HINT.search(text, sentence.start, sentence.end):
        return []
    quantities = numbers.find(text, sentence.start, sentence.end)
    found: Found = {}
    for index in range(len(quantities)):
        _count(sentence, quantities, index, vocabulary, found)
    plain = [quantity for quantity in quantities if not quantity.small]
    for quantity in plain:
        if quantity.percent and _masks(sentence, quantity) and (made := make("mask_ratio", quantity, vocabulary, text)):
            found[quantity.start] = made
    _routed(sentence, vocabulary, found)
    if plain:
        naming.read(sentence, plain, vocabulary, found)
    left = [quantity for quantity in plain if quantity.start not in found]
    if left and sentence.learnt:
        for counted in samples.read(text, sentence.start, sentence.end, left):
            if made := make("dataset_size", counted.quantity, vocabulary, text, unit=counted.unit):
                found[counted.quantity.start] = made
    return [found[start] for start in sorted(found)]


def _count(sentence: Sentence, quantities: list[Quantity], index: int, vocabulary: Vocabulary, found: Found) -> None:
    quantity = quantities[index]
    if quantity.percent:
        return
    before = sentence.before(quantity.start, _BEFORE)
    for rule in _COUNTS:
        if not _fits(rule, quantity) or not rule.after.match(sentence.text, quantity.end, sentence.end):
            continue
        if rule.before and not rule.before.search(before):
            continue
        if EVERY.search(before) and not (rule.parameter == "parameters" and before.rstrip()[-1:] in "<>≤≥"):
            return
        if not sentence.speaks_of(rule.parameter):
            continue
        made = make(rule.parameter, quantity, vocabulary, sentence.text, rule.unit, rule.factor)
        if made is not None and _large_enough(sentence, made):
            found[quantity.start] = made
            _counted_list(sentence, quantities, index, rule, vocabulary, found)
        return


def _fits(rule: Count, quantity: Quantity) -> bool:
    """Whether the number is of the kind that the rule is about."""
    if quantity.small and not rule.words:
        return False
    return quantity.sides == (rule.parameter in _SQUARE) and quantity.scale >= rule.scale and not quantity.value < rule.least


def _large_enough(sentence: Sentence, made: ParameterValue) -> bool:
    least = _FEW_PARAMETERS if made.parameter == "parameters" and not sentence.neural else _LEAST.get(made.parameter, 0.0)
    return float(made.value) >= least


def _counted_list(sentence: Sentence, quantities: list[Quantity], index: int, rule: Count, vocabulary: Vocabulary, found: Found) -> None:
    """The numbers before a counted one that share its noun: "8, 16 and 32 layers", "7, 13 and 70B parameters"."""
    following = quantities[index]
    scale = following.scale if rule.parameter in _SCALED_TOGETHER else 1.0
    earlier = [None, *quantities[:index]]
    for before, quantity in zip(reversed(earlier[:-1]), reversed(quantities[:index]), strict=True):
        if quantity.start in found or quantity.percent or quantity.sides != following.sides:
            return
        between = _LISTED.fullmatch(sentence.text, quantity.end, following.start)
        if between is None or (between["last"] and (before is None or not _LISTED.fullmatch(sentence.text, before.end, quantity.start))):
            return
        shared = scale if quantity.scale == 1.0 and quantity.value < 1000 else 1.0
        made = make(rule.parameter, quantity, vocabulary, sentence.text, rule.unit, rule.factor * shared)
        if made is None or not _large_enough(sentence, made):
            return
        found[quantity.start] = made
        following = quantity


def _routed(sentence: Sentence, vocabulary: Vocabulary, found: Found) -> None:
    """The experts of "top-2 routing": there the digit is part of a word, so that it is no number elsewhere."""
    for match in _TOP_ROUTING.finditer(sentence.text, sentence.start, sentence.end):
        if made := make("experts_per_token", Quantity(*match.span("k"), float(match["k"])), vocabulary, ""):
            found[match.start("k")] = made


def _masks(sentence: Sentence, quantity: Quantity) -> bool:
    """Whether a share is said to be masked: "15% of the tokens are masked", "we mask 15% of the words"."""
    text = sentence.text
    if MASKED.match(text, quantity.end, sentence.end):
        return True
    return OF_INPUT.match(text, quantity.end, sentence.end) is not None and MASKING.search(sentence.before(quantity.start, 40)) is not None
