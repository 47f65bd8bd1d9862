"""Values that are words: precision, optimizer, schedule, activation; and the machines of the same sentence."""

from __future__ import annotations

import re

from forge_assets.components.parameters import machines
from forge_assets.components.parameters.themes import Theme
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Vocabulary

_PRECISION = re.compile(
    r"(?<![\w.-])(?<!\w/)(?P<value>bf-?16|bfloat16|fp-?64|float64|fp-?32|float32|tf-?32|fp-?16|float16|half[- ]precision|fp-?8|float8"
    r"|fp-?6|fp-?4|nvfp4|mxfp4|mxfp8|nf4|int-?8|int-?[2346]|int16)(?![\w=]|\.\w|-\d|/[a-z]|_)",
    re.IGNORECASE,
)
_MIXED = re.compile(
    r"(?<!\d[ -])(?P<value>mixed[- ]precision)\b(?=[- ](?:train|fine-?tun|pre-?train|comput|mode\b|recipe|support|to\b|for\b|on\b|\())"
    r"|(?<=with )(?P<with>mixed[- ]precision)\b",
    re.IGNORECASE,
)
_SCHEDULE = re.compile(
    r"\b(?P<value>cosine|linear|constant|polynomial|inverse[- ]square[- ]root|exponential|step|one[- ]?cycle|multi-?step|WSD"
    r"|warmup-stable-decay)"
    r"(?:[- ](?:annealing|decay))?\s(?:LR |lr |learning[- ]rates? )(?:decay |annealing )?(?:schedul\w+|decay|annealing|policy)"
    r"|\b(?P<second>cosine|inverse[- ]square[- ]root|WSD|polynomial)[- ](?:(?:decay|annealing)[- ])?(?:schedulers?|schedules?|annealing)"
    r"|\b(?P<fifth>cosine|linear|exponential|polynomial)(?:ly)? (?:decay|anneal)\w*(?: of| in)? (?:the )?(?:LR|learning[- ]rate)"
    r"|learning[- ]rate (?:schedul\w+|decay)?\s?(?:is|was|:|=|with|of|using)?\s?(?:an? )?(?P<third>cosine|linear decay"
    r"|polynomial|inverse[- ]square[- ]root)\b",
    re.IGNORECASE,
)
_ACTIVATION = re.compile(
    r"(?<![\w-])(?<!\bof )(?<!of the )(?<!of an )(?P<value>GELU|GeLU|ReLU|SiLU|Swish|Mish|SELU|ELU|PReLU|Leaky[- ]?ReLU|SwiGLU|GEGLU"
    r"|ReGLU|tanh|sigmoid|Softplus)s?"
    r"(?=\s(?:activations?|non-?linearit(?:y|ies))\b)",
    re.IGNORECASE,
)
_OPTIMIZER_NAMES = (
    r"AdamW|Adam|SGD|AdaFactor|Adafactor|AdaGrad|Adagrad|Adadelta|AdaDelta|Adamax|AdaMax|RMSProp|RMSprop|LAMB"
    r"|LARS|Lion|Sophia|Shampoo|SOAP|Muon|Nadam|RAdam|L-BFGS|Prodigy"
)
_OPTIMIZER = re.compile(
    rf"\b(?:us(?:e|es|ed|ing)|with|by|via|employ\w*|adopt\w*|cho[so]\w*|appl\w+)\s(?:(?:the|an?|standard|default|popular|vanilla|common"
    rf"|fused|paged|8-bit)\s)*"
    rf"(?P<value>{_OPTIMIZER_NAMES})(?:\s?\[[\d, ]+\]|\s\([^()]{{1,40}}\))?\s(?:as (?:the|our) )?optimi[sz]er\b"
    rf"|\boptimi[sz](?:er|ed|e)\b(?:\s(?:the|our|all|it|them|model|models|parameters|network|used|is|was|:|,))*\s?(?:=|with|by|using"
    rf"|via|is|was|:|to be)\s(?:the )?(?P<second>{_OPTIMIZER_NAMES})\b"
    rf"|\b(?:train\w*|fine-?tun\w*)\b[^.;,]{{0,40}}\b(?:with|using|by) (?:the )?(?P<third>{_OPTIMIZER_NAMES})\b"
    rf"|(?<![\w-])(?P<fourth>{_OPTIMIZER_NAMES})\s(?:optimi[sz]er\s)?with (?:an? )?(?:(?:initial |peak |constant )?learning rate"
    rf"|weight decay|momentum|β|betas?\b|lr\b)"
)

_FORMAT = re.compile(r"[pPtTfF]-?\d")
"""The end of fp16, int8, bf16, tf32: what to look for before the dear patterns."""
_SPEAKS_OF_PRECISION = re.compile(
    r"\b(?:train|precision|inference|weight|quanti|format|load|model|kernel|comput|accura|activation|GEMM|mixed|dtype|throughput|optimi)",
    re.IGNORECASE,
)


def read(text: str, start: int, end: int, vocabulary: Vocabulary, theme: Theme | None = None) -> list[ParameterValue]:
    """The word values stated in text[start:end], a sentence; formats of numbers only in documents that speak of neural models."""
    out = machines.read(text, start, end)
    sentence = text[start:end]
    if ("recision" in sentence or _FORMAT.search(sentence)) and _SPEAKS_OF_PRECISION.search(sentence) and (theme is None or theme.neural):
        out += _precisions(text, start, end, vocabulary)
    if "chedul" in sentence or "earning" in sentence or "anneal" in sentence:
        out += _words(text, start, end, "schedule", _SCHEDULE, vocabulary)
    if "ptimi" in sentence or "rain" in sentence or "tun" in sentence:
        out += _words(text, start, end, "optimizer", _OPTIMIZER, vocabulary)
    if "ctivation" in sentence or "linearit" in sentence:
        out += _words(text, start, end, "activation", _ACTIVATION, vocabulary)
    return out


def _words(text: str, start: int, end: int, parameter: str, pattern: re.Pattern[str], vocabulary: Vocabulary) -> list[ParameterValue]:
    out = []
    for match in pattern.finditer(text, start, end):
        group = next(name for name, written in match.groupdict().items() if written is not None)
        ways = (match[group], match[group].replace("-", " "), match[group].replace("-", ""))
        value = next((value for way in ways if (value := vocabulary.choice(parameter, way))), None)
        if value is not None:
            out.append(ParameterValue(parameter, match.start(group), match.end(group), value, None, "prose"))
    return out


def _precisions(text: str, start: int, end: int, vocabulary: Vocabulary) -> list[ParameterValue]:
    """Formats of numbers by name, and "mixed precision" where one trains or computes in it."""
    found = _words(text, start, end, "precision", _PRECISION, vocabulary)
    for match in _MIXED.finditer(text, start, end):
        found.append(ParameterValue("precision", *match.span(match.lastgroup or 0), "mixed", None, "prose"))
    return found
