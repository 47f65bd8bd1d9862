"""What a sentence says of how much better: the metric, the difference and its unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

_METRICS: tuple[tuple[str, str], ...] = (
    (r"(?:sacre)?bleu(?:-?\d)?", "BLEU"),
    (r"rouge(?:-?[12l]\b)?", "ROUGE"),
    (r"(?:micro |macro |micro-|macro-)?f-?1|f-?scores?|f-?measures?", "F1"),
    (r"perplexit(?:y|ies)|ppl", "perplexity"),
    (r"mean average precision|map(?:@\d+)?", "mAP"),
    (r"average precision|ap(?:50|75)?", "AP"),
    (r"m?iou", "IoU"),
    (r"word error rates?|wer", "WER"),
    (r"character error rates?|cer", "CER"),
    (r"fr[eé]chet inception distance|fid", "FID"),
    (r"psnr", "PSNR"),
    (r"ssim", "SSIM"),
    (r"auroc|auc(?:-roc)?|roc-auc", "AUC"),
    (r"exact match|em", "exact match"),
    (r"ndcg(?:@\d+)?", "nDCG"),
    (r"mrr(?:@\d+)?", "MRR"),
    (r"las", "LAS"),
    (r"uas", "UAS"),
    (r"meteor", "METEOR"),
    (r"cider", "CIDEr"),
    (r"dice(?: scores?)?", "Dice"),
    (r"r-?mse|root mean squared? error", "RMSE"),
    (r"mse|mean squared? error", "MSE"),
    (r"mae|mean absolute error", "MAE"),
    (r"accurac(?:y|ies)|more accurate(?:ly)?", "accuracy"),
    (r"precision|more precise", "precision"),
    (r"recall(?:@\d+)?", "recall"),
    (r"success rates?", "success rate"),
    (r"win rates?", "win rate"),
    (r"error rates?|errors?", "error"),
    (r"(?:training|inference|running|computation(?:al)?|decoding|wall-?clock|response|processing) times?", "speed"),
    (r"runtime|latency|speed-?ups?|speed|throughput|faster|quicker|more quickly", "speed"),
    (r"memory(?: usage| footprint| consumption)?|more memory[- ]efficient", "memory"),
    (r"parameters", "parameters"),
    (r"flops", "FLOPs"),
    (r"regret", "regret"),
    (r"convergence|converge[sd]?", "convergence"),
    (r"generali[sz]ation|generali[sz]e[sd]?", "generalization"),
    (r"robustness|more robust", "robustness"),
    (r"(?:sample|data)[- ]efficien(?:cy|t)", "sample efficiency"),
    (r"efficiency|more efficient(?:ly)?", "efficiency"),
)
_NAMES = "|".join(rf"(?P<m{index}>(?<![\w-])(?:{words})(?![\w-]))" for index, (words, _) in enumerate(_METRICS))
_METRIC = re.compile(_NAMES, re.IGNORECASE)
_VALUE = (
    r"(?P<bound>up to |at most )?(?:about |around |over |at least |nearly |almost |roughly |approximately |more than |an average of "
    r"|on average |a (?:large |significant |wide |clear )?margin of |~|≈|\+)?"
    r"(?:an? (?:absolute |relative |average |further |additional )*)?"
    r"\$?\+?(?P<number>\d+(?:[.,]\d+)*)\$?\s?(?P<unit>\\?%-?\s?points|\\?%|\\times|×|x(?!\w)|times|-?fold|percentage points?"
    r"|percent|absolute points?|points?|pp\b|orders? of magnitude)?"
)
_BY = re.compile(rf"\s*\(?(?:[a-z]+ly )?(?:in (?:terms of )?[^.;,()]{{1,40}} )?by {_VALUE}", re.IGNORECASE)
_FACTOR = re.compile(r"\s*(?:[a-z]+ly )?by a factor of (?P<number>\d+(?:\.\d+)?)", re.IGNORECASE)
_INSIDE = re.compile(_VALUE, re.IGNORECASE)
_SMALL_WORDS = (
    r"(?:(?:the|both|average|absolute|relative|mean|balanced|classification|top-?\s?[15]|test|overall|recognition|prediction|training"
    r"|inference|computation(?:al)?|running)\s)*"
)
_AT = re.compile(
    rf"\s*(?:\(?(?:absolute|relative|absolutely|(?:on|in) average)\)?\s)?(?:(?:in|of|on)\s)?(?:terms of\s)?{_SMALL_WORDS}", re.IGNORECASE
)
_IN_TERMS = re.compile(
    rf"[^.;,]{{0,40}}?\b(?:in terms of|in|w\.r\.t\.?|with respect to|regarding)\s(?:terms of\s)?{_SMALL_WORDS}", re.IGNORECASE
)
_NUMBER_BEFORE = re.compile(r"\d\s?(?:\\?%|points?)?\s?(?:\w+\s)?\Z")
_NUMBER_AFTER = re.compile(r"\s(?:\([^()]*\)\s)?(?:\w+\s)?of\s\D{0,20}?\d")
_RANGE_BEFORE = re.compile(r"\d\s?\\?%?\s?(?:-{1,2}|–|to|/|and)\s?\$?\+?\Z")
_RANGE_AFTER = re.compile(r"\s*\)?(?:\w+ )?(?:\w+ )?(?:-|–|to|/|and|,)\s?(?:by )?\$?[+~]?\d")
_UNITS = {
    **dict.fromkeys(("\\%", "%", "percent"), "%"),
    **dict.fromkeys(("%point", "% point", "%-point", "percentage point", "absolute point", "point", "pp"), "points"),
    **dict.fromkeys(("\\times", "×", "x", "time", "fold", "-fold"), "x"),
    **dict.fromkeys(("orders of magnitude", "order of magnitude"), "orders of magnitude"),
}


@dataclass(frozen=True, slots=True)
class Measure:
    """How much better, as far as it is said."""

    metric: str | None = None
    delta: float | None = None
    unit: str | None = None


def measure(inside: str, after: str, *, results: bool = False) -> Measure:
    """`inside`: what stands between the two names ("achieves 2.1 BLEU improvement over"), `after`: what follows them in the sentence.

    `results`: numbers inside are results and no differences ("reaches 90.1 F1, outperforming").
    """
    if results:
        inside = _result(inside)
    by_factor, by = _FACTOR.match(after), _BY.match(after)
    if by_factor:
        return Measure(_in_terms(after, by_factor.end()) or _anywhere(inside), float(by_factor["number"]), "x")
    if by:
        before = _anywhere(after[: by.start("number")])
        return _made(by, _at(after, by.end()) or before or _in_terms(after, by.end()) or _anywhere(inside))
    metric = _anywhere(inside) or _in_terms(after, 0)
    for found in _INSIDE.finditer(inside):
        named = _at(inside, found.end())
        if found["unit"] or named:
            return _made(found, named or metric)
    return Measure(metric)


def _result(text: str) -> str:
    """The name of the metric that a number belongs to, without the number: "90.1% F1", "an accuracy of 90.1%"."""
    for found in _METRIC.finditer(text):
        if _NUMBER_BEFORE.search(text, 0, found.start()) or _NUMBER_AFTER.match(text, found.end()):
            return found[0]
    return ""


def _made(found: re.Match[str], metric: str | None) -> Measure:
    """A difference, if it is one number with a unit: no bound ("up to 3%"), no range, no first of several."""
    unit = (found["unit"] or "").lower()
    unit = _UNITS.get(unit) or _UNITS.get(unit.rstrip("s")) or ("points" if metric else "")
    several = _RANGE_BEFORE.search(found.string, 0, found.start("number")) or _RANGE_AFTER.match(found.string, found.end())
    if found["bound"] or several or not unit:
        return Measure(metric)
    return Measure(metric, float(found["number"].replace(",", "")), unit)


def _at(text: str, position: int) -> str | None:
    """The metric whose name begins at `position`, small words aside."""
    lead = _AT.match(text, position)
    return _name(_METRIC.match(text, lead.end() if lead else position))


def _anywhere(text: str) -> str | None:
    return _name(_METRIC.search(text))


def _in_terms(text: str, position: int) -> str | None:
    """The metric of "in terms of accuracy" or "in accuracy" soon after `position`."""
    lead = _IN_TERMS.match(text, position)
    return _name(_METRIC.match(text, lead.end())) if lead else None


def _name(found: re.Match[str] | None) -> str | None:
    return _METRICS[int((found.lastgroup or "m0")[1:])][1] if found else None
