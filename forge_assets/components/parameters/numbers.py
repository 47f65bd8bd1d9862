"""Numbers as texts write them -> values with spans: 3e-4, 3 x 10^{-4}, 10⁻⁴, 1/16, 2^{17}, 128k, 1.5 billion, 1,024, 15%, 224x224, twelve,
two million.

Digits that belong to a name (GPT-2, CIFAR-10, 3D, v2, 80GB) are no numbers here. "Thousands of" and "half" are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SCALES = {
    "k": 1e3, "thousand": 1e3, "hundred thousand": 1e5, "m": 1e6, "million": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9,
    "t": 1e12, "trillion": 1e12,
}  # fmt: skip
_WORDS = {
    word: float(number)
    for number, word in enumerate(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split(), start=1
    )
} | {"twenty": 20.0, "thirty-two": 32.0, "sixty-four": 64.0, "hundred": 100.0}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺−–‐‑", "0123456789-+----")
_TIMES = r"(?:x|×|✕|⋅|·|∗|\*|\\times|\\cdot|\\ast)"
_PLAIN = r"(?:\d{1,3}(?:(?:,|\{,\}|['’](?=\d{3}(?!\d)))\d{3})+(?:\.\d+)?|\d+(?:_\d{3})+|\d+(?:\.\d+)?|\.\d+)"
_EXPONENT = r"(?:(?:\^|\*\*)\s?(?:\{\s?[-−–+]?\s?\d{1,3}\s?\}|\(?[-−–+]?\d{1,3}\)?)|[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3})"
_NUMBER = re.compile(
    rf"""(?<![\w.\\^#@&])(?<!\)[-‐‑_/])(?<![\d)]\^\{{)
    (?:
      (?P<mantissa>{_PLAIN})\s?{_TIMES}\s?(?:10\s?(?P<power>{_EXPONENT})|10\s?(?P<flat>[-−–]\s?\d{{1,2}}(?![\d.])))
    | (?P<base>10|2)\s?(?P<raised>{_EXPONENT})
    | (?P<exponential>{_PLAIN})
        (?:[eE]|\\(?:mathrm|text|rm)\{{e\}}|\\text\{{e-\}}(?=\d)|\\mathrm\{{e-\}}(?=\d))(?:\{{(?P<braced>[-−–+]?\d{{1,3}})\}}|(?P<e>[-−–+]?\d{{1,3}}))
    | (?<!\d/)(?P<over>1(?=/)|\d{{1,3}}(?=/\d{{3}}))/(?P<under>\d{{1,5}})(?![/\d.])
    | (?P<side>\d{{1,5}})\s?(?:\$?\s?(?:x|×|\\times)\s?\$?)\s?(?P<other>\d{{1,5}})(?![\d.])
    | (?P<plain>{_PLAIN})
        (?:(?:\s|-|\\,|~)?(?P<scale>thousand|million|billion|trillion|bn|mn)s?\b
        |(?P<letter>[kKMBTmb])(?![\w])|\s(?P<apart>[kKMBT])(?=\s[a-z]|-[a-z]))?
    )
    (?P<percent>\s?(?:%|\\%|percent\b|per\scent\b))?
    (?:(?<=[}}%])|(?![\w]|\.\d))
    """,
    re.VERBOSE,
)
_RUN = re.compile(r"[\w./+‐‑-]*[-‐‑/]\Z")
_WORD = re.compile(
    rf"(?<![\w-])(?P<word>{'|'.join(sorted(_WORDS, key=len, reverse=True))})(?:[\s-](?P<scale>hundred thousand|thousand|million|billion"
    rf"|trillion))?\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text: text[start:end] is how it is written, with its scale or per cent sign.

    `value` is a ratio where `percent`; of `sides` (224x224) it is the side, nan where the two differ. `small` is a number word,
    `scale` what a letter or word multiplied by (1e9 in 7B and in 7 billion), `scaled` whether such or a power of ten is written.
    """

    start: int
    end: int
    value: float
    percent: bool = False
    sides: bool = False
    small: bool = False
    scaled: bool = False
    scale: float = 1.0


def find(text: str, start: int = 0, end: int | None = None) -> list[Quantity]:
    """The numbers of text[start:end] in order."""
    end = len(text) if end is None else end
    found = [quantity for match in _NUMBER.finditer(text, start, end) if (quantity := _quantity(match)) is not None]
    words = [_word(match) for match in _WORD.finditer(text, start, end)]
    if not words:
        return found
    taken = [(q.start, q.end) for q in found]
    words = [w for w in words if not any(first < w.end and w.start < last for first, last in taken)]
    return sorted(found + words, key=lambda q: q.start)


def number(written: str) -> float | None:
    """The value of a text that is one number and nothing else ("3e-4", "$10^{-4}$", "128k"), else None."""
    bare = written.strip().strip("$`'\"").strip()
    sign = -1.0 if bare[:1] in ("-", "−") else 1.0
    bare = bare.lstrip("+-−")
    match = _NUMBER.fullmatch(bare)
    quantity = _quantity(match) if match else None
    return None if quantity is None or quantity.sides else sign * quantity.value


def _word(match: re.Match[str]) -> Quantity:
    value = _WORDS[match["word"].lower()]
    if match["scale"] is None:
        return Quantity(match.start(), match.end(), value, small=True)
    scale = _SCALES[match["scale"].lower()]
    return Quantity(match.start(), match.end(), value * scale, scaled=True, scale=scale)


def _quantity(match: re.Match[str]) -> Quantity | None:
    if match.start() and match.string[match.start() - 1] in "-‐‑/" and _in_name(match.string, match.start()):
        return None
    percent = match["percent"] is not None
    value, sides, scaled = _value(match)
    if value is None or abs(value) == float("inf"):
        return None
    scale = match["scale"] or match["letter"] or match["apart"]
    factor = _SCALES[scale.lower()] if scale else 1.0
    return Quantity(match.start(), match.end(), value / 100 if percent else value, percent, sides, False, scaled, factor)


def _in_name(text: str, start: int) -> bool:
    """Whether what a hyphen or slash joins to the digits at `start` is no number ("Qwen2.5-7B"), so that they are part of a name."""
    before = _RUN.search(text[max(0, start - 40) : start])
    joined = before[0].rstrip("-‐‑/") if before else ""
    return bool(joined) and number(joined.rsplit("/", 1)[-1]) is None


def _value(match: re.Match[str]) -> tuple[float | None, bool, bool]:
    """(value, whether it is a pair of sides, whether it has a scale)."""
    if match["mantissa"]:
        return _shifted(_plain(match["mantissa"]), _exponent(match["power"] or match["flat"])), False, True
    if match["base"]:
        exponent = _exponent(match["raised"])
        value = _shifted(1.0, exponent) if match["base"] == "10" else (2.0**exponent if abs(exponent) < 400 else None)
        return value, False, True
    if match["exponential"]:
        exponent = _exponent(match["e"] or match["braced"])
        negative = match[0][len(match["exponential"]) :].find("{e-}") >= 0
        return _shifted(_plain(match["exponential"]), -exponent if negative else exponent), False, True
    if match["over"]:
        return (float(match["over"]) / float(match["under"]) if float(match["under"]) else None), False, False
    if match["side"]:
        return (float(match["side"]) if match["side"] == match["other"] else float("nan")), True, False
    scale = match["scale"] or match["letter"] or match["apart"]
    value = _plain(match["plain"])
    if scale is None:
        return value, False, False
    return (
        float(f"{value!r}e{len(str(int(_SCALES[scale.lower()]))) - 1}") if "e" not in repr(value) else value * _SCALES[scale.lower()],
        False,
        True,
    )


def _plain(written: str) -> float:
    return float(re.sub(r"\{,\}|[,_'’]", "", written))


def _exponent(written: str) -> int:
    digits = re.sub(r"[^\d+-]", "", written.translate(_RAISED))
    return int(digits)


def _shifted(mantissa: float, exponent: int) -> float | None:
    """mantissa x 10^exponent, rounded as the decimal would be; None where it is no finite number."""
    if abs(exponent) > 300:
        return None
    return float(f"{mantissa!r}e{exponent}") if "e" not in repr(mantissa) else mantissa * 10.0**exponent
