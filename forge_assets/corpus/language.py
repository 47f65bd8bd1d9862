"""The language of a text as an ISO 639-1 code, or None where the text is too short or mixed to tell.

English (nearly all of a technical corpus) is told by its function words; everything else by langdetect with a fixed seed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_SAMPLE = 3_000
_WORDS = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset(
    "the of and to in is that for with on as are by be this from we an it can which at have our not or has these their was were its used "
    "using you your if will how when what all more such than also but one each there between into".split()
)
# Function words that also stand in other languages are no proof: "in", "is", "an", "on", "was", "as", "to".
_OTHER = frozenset(
    "der die und das ist nicht ein eine mit den von zu im für auf les des est une dans pour que qui sur avec los las una del "
    "para por con como "
    "della che di il per non sono een het van dat voor och att som det på av är jest nie się na do że или не что на по и в с ve "
    "bir için dan yang".split()
)
_MIN_LETTERS = 60
_CERTAIN = 0.90


def detect_language(text: str) -> str | None:
    """Deterministic. None for texts with fewer than 60 letters (20 of CJK) and where no language reaches 90%."""
    sample = text[:_SAMPLE]
    words = _WORDS.findall(sample.lower())
    letters = sum(map(len, words))
    if letters < _MIN_LETTERS:
        return _detect(sample) if letters >= 20 and _cjk_share(sample) > 0.5 else None
    english = sum(map(_ENGLISH.__contains__, words))
    other = sum(map(_OTHER.__contains__, words))
    if english >= 4 and english * 6 >= len(words) and other * 5 < english:
        return "en"
    return _detect(sample)


def _cjk_share(text: str) -> float:
    return sum("\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in text) / max(1, len(text))


@lru_cache(maxsize=1)
def _factory() -> Any:
    from langdetect import DetectorFactory, detector_factory  # type: ignore[import-untyped]

    DetectorFactory.seed = 0
    detector_factory.init_factory()
    return detector_factory._factory


def _detect(sample: str) -> str | None:
    from langdetect.lang_detect_exception import LangDetectException  # type: ignore[import-untyped]

    detector = _factory().create()
    detector.append(sample)
    try:
        best = detector.get_probabilities()
    except LangDetectException:
        return None
    if not best or best[0].prob < _CERTAIN:
        return None
    return str(best[0].lang).split("-")[0]
