"""Number words, scales and units of physics; what can be counted, so that 4 million tokens are no 4 million words."""

from __future__ import annotations

SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9, "t": 1e12, "trillion": 1e12}
_SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
WORDS = (
    {word: float(number) for number, word in enumerate(_SMALL.split()) if number != 1}
    | {word: 10.0 * number for number, word in enumerate(_TENS.split(), 2)}
    | {f"{ten}-{one}": 10.0 * t + o for t, ten in enumerate(_TENS.split(), 2) for o, one in enumerate(_SMALL.split()[1:10], 1)}
    | {"hundred": 100.0, "twice": 2.0, "thrice": 3.0, "half": 0.5, "third": 3.0, "dozen": 12.0}
    | {"double": 2.0, "doubles": 2.0, "doubled": 2.0, "doubling": 2.0, "triple": 3.0, "triples": 3.0, "tripled": 3.0, "tripling": 3.0}
    | {"quadruple": 4.0, "quadruples": 4.0, "quadrupled": 4.0, "halve": 0.5, "halves": 0.5, "halved": 0.5, "halving": 0.5}
)
TIMES = frozenset("twice thrice double doubles doubled doubling triple triples tripled tripling quadruple quadruples quadrupled".split())
"""What tells a factor, not a count."""
_FOLDS = {f"{word}fold": value for word, value in WORDS.items() if value >= 2}

_TIME = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0, "day": 86400.0,
         "week": 604800.0, "month": 2.6e6, "year": 3.15e7, "millisecond": 1e-3, "microsecond": 1e-6}  # fmt: skip
_PREFIXES = {"": 1.0, "K": 1e3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}


def _units() -> dict[str, tuple[float, str]]:
    units = {name: (factor, "second") for name, factor in _TIME.items()}
    units |= {f"{name}s": (factor, "second") for name, factor in _TIME.items() if len(name) > 3}
    for prefix, factor in _PREFIXES.items():
        if prefix:
            units |= {
                f"{prefix}B": (factor, "byte"),
                f"{prefix}iB": (factor, "byte"),
                f"{prefix}b": (factor, "bit"),
                f"{prefix}W": (factor, "watt"),
            }
            units |= {
                f"{prefix}B/s": (factor, "byte/second"),
                f"{prefix}b/s": (factor, "bit/second"),
                f"{prefix}bps": (factor, "bit/second"),
            }
        for written in ("FLOP", "FLOPs", "FLOPS", "FLOP/s", "FLOPs/s", "FLOPS/s"):
            if prefix:
                units[f"{prefix}{written}"] = (factor, "flop")
    units |= {
        "W": (1.0, "watt"),
        "mm": (1e-3, "metre"),
        "cm": (1e-2, "metre"),
        "km": (1e3, "metre"),
        "nm": (1e-9, "metre"),
        "Å": (1e-10, "metre"),
    }
    return units


UNITS = _units()
COUNTED = frozenset(
    "token word character byte bit parameter layer head step epoch iteration example sample sentence document page hour minute day second "
    "gpu tpu node device chip image pair question problem language frame point expert dimension channel channels block entry hash gram run "
    "sequence batch query utterance clip game task class label feature neuron unit cell voxel scan patient file line commit issue pixel "
    "worker environment robot user item dataset corpus benchmark model passage article vector matrix round seed fold shot exemplar".split()
)


def of_words(word: str) -> float | None:
    """What a number word counts, alone ("twelve", "tenfold", "doubles"); "one" is a pronoun more often than not."""
    lower = word.lower()
    return WORDS.get(lower, _FOLDS.get(lower))
