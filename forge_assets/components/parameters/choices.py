"""Values that are words: precision, optimizer, schedule, activation and the machines ("8x NVIDIA A100-80GB") in running text."""

from __future__ import annotations

import re

from forge_assets.components.parameters import numbers
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Vocabulary

_MACHINE = (
    r"(?:(?:NVIDIA|Nvidia|AMD|Google|Google Cloud|Cloud|Intel|Huawei|Tesla|GeForce|Quadro|Ascend|Habana|Instinct)\s+)*"
    r"(?:[ABHLPTV]\d{1,4}(?:[a-rt-z]{0,2}\b|(?=s\b))(?:[- ]?(?:SXM\d?|PCIe|NVL)\b)?(?:[- ]?\(?\d{2,3}\s?GB\)?)?|[GBH]{2}\d{3}\b"
    r"|RTX\s?(?:A?\d{3,4})(?:\s?Ti\b|\s?Ada\b)?|GTX\s?\d{3,4}(?:\s?Ti\b)?"
    r"|TITAN\s?(?:Xp|X|V|RTX)\b|Titan\s?(?:Xp|X|V|RTX)\b|K[248]0\b|MI\d{3}[AX]?\b|Gaudi\s?\d?\b|910[BC]\b|Trainium\s?\d?\b"
    r"|TPUs?[- ]?v\d[ep]?\b|TPUs?\b|v[2-6][ep]?[- ]TPUs?\b)"
)
_ACCELERATORS = re.compile(
    rf"(?<![\w.])(?:(?P<count>\d{{1,3}}(?:,\d{{3}})*|\d+[kK]?|one|two|three|four|eight|sixteen|single)\s?(?:x|X|×|\\times|\*"
    rf"|-)?[\s$]*)?(?:nodes? of )?"
    rf"(?P<kind>{_MACHINE})(?P<noun>[\s-]?(?:\(?\d+\s?GB\)?\s)?(?:GPUs?|TPUs?|graphics cards?|accelerators?|chips?|cores?"
    rf"|cards?|nodes?|machines?|pods?|NPUs?|VMs?)\b)?"
)
_MERE_COUNT = re.compile(
    r"(?<![\w.,-])(?<!RTX )(?<!GTX )(?<!NVIDIA )(?<!Nvidia )(?<!GeForce )(?P<count>\d{1,3}(?:,\d{3})*|\d+|one|two|four|eight"
    r"|sixteen|a single)\s(?:GPUs|(?<=single )GPU|(?<=one )GPU|TPUs|TPU cores|NPUs|accelerators)\b(?!\s?(?:hours?|days?"
    r"|cards? from|memory))"
)
_NUMBER = {"one": 1.0, "single": 1.0, "a single": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "eight": 8.0, "sixteen": 16.0}
_PRECISION = re.compile(
    r"(?<![\w/-])(?P<value>bf16|bfloat16|fp64|float64|fp32|float32|tf32|fp16|float16|half[- ]precision|fp8|fp6|fp4|nvfp4|mxfp4"
    r"|nf4|int8|int4|e4m3|e5m2)(?![\w/])",
    re.IGNORECASE,
)
_SCHEDULE = re.compile(
    r"\b(?P<value>cosine|linear|constant|polynomial|inverse[- ]square[- ]root|exponential|step|one[- ]?cycle|multi-?step|WSD"
    r"|warmup-stable-decay)"
    r"(?:[- ](?:annealing|decay))?\s(?:LR |lr |learning[- ]rates? )(?:decay |annealing )?(?:schedul\w+|decay|annealing|policy)"
    r"|\b(?P<second>cosine|inverse[- ]square[- ]root|WSD|polynomial)[- ](?:(?:decay|annealing)[- ])?(?:schedul\w+|annealing)"
    r"|learning[- ]rate (?:schedul\w+|decay)?\s?(?:is|was|:|=|with|of|using)?\s?(?:an? )?(?P<third>cosine|linear decay"
    r"|polynomial|inverse[- ]square[- ]root)\b",
    re.IGNORECASE,
)
_ACTIVATION = re.compile(
    r"(?<![\w-])(?P<value>GELU|GeLU|ReLU|SiLU|Swish|Mish|SELU|ELU|PReLU|Leaky[- ]?ReLU|SwiGLU|GEGLU|ReGLU|tanh|sigmoid|Softplus)s?"
    r"(?=\s(?:activations?|non-?linearit(?:y|ies))\b)",
    re.IGNORECASE,
)
_OPTIMIZER_NAMES = (
    r"AdamW|Adam|SGD|AdaFactor|Adafactor|AdaGrad|Adagrad|Adadelta|AdaDelta|Adamax|AdaMax|RMSProp|RMSprop|LAMB"
    r"|LARS|Lion|Sophia|Shampoo|SOAP|Muon|Nadam|RAdam|L-BFGS|Prodigy"
)
_OPTIMIZER = re.compile(
    rf"(?<![\w-])(?P<value>{_OPTIMIZER_NAMES})(?:\s?\[[\d, ]+\]|\s\([^()]{{1,40}}\))?\s(?:as (?:the|our) )?optimi[sz]er\b"
    rf"|\boptimi[sz](?:er|ed|e)\b(?:\s(?:the|our|all|it|them|model|models|parameters|network|is|was|:|,))*\s?(?:=|with|by|using"
    rf"|via|is|was|:|to be)\s(?:the )?(?P<second>{_OPTIMIZER_NAMES})\b"
    rf"|\b(?:train\w*|fine-?tun\w*)\b[^.;,]{{0,40}}\b(?:with|using|by) (?:the )?(?P<third>{_OPTIMIZER_NAMES})\b"
)
_SPEAKS_OF_MACHINES = re.compile(
    r"\b(?:GPU|TPU|NVIDIA|Nvidia|train|inference|machine|hardware|hours|memory|accelerat|node|A100|H100|V100|fine-?tun)", re.IGNORECASE
)
_SPEAKS_OF_PRECISION = re.compile(
    r"\b(?:train|precision|inference|weight|quanti|format|load|model|kernel|comput|accura|activation|GEMM|mixed|dtype|throughput|optimi)",
    re.IGNORECASE,
)


def read(text: str, start: int, end: int, vocabulary: Vocabulary) -> list[ParameterValue]:
    """The word values stated in text[start:end], a sentence."""
    out: list[ParameterValue] = []
    sentence = text[start:end]
    if _SPEAKS_OF_MACHINES.search(sentence):
        out += _machines(text, start, end)
    if _SPEAKS_OF_PRECISION.search(sentence):
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
        value = vocabulary.choice(parameter, match[group]) or vocabulary.choice(parameter, match[group].replace("-", " "))
        if value is not None:
            out.append(ParameterValue(parameter, match.start(group), match.end(group), value, None, "prose"))
    return out


def _precisions(text: str, start: int, end: int, vocabulary: Vocabulary) -> list[ParameterValue]:
    """Formats that something is said to be held or computed in; a list of three or more says which there are, not which is used."""
    found = _words(text, start, end, "precision", _PRECISION, vocabulary)
    if len({value.value for value in found}) > 2:
        return []
    return [v for v in found if _USED_AFTER.match(text, v.end, end) or _USED_BEFORE.search(text, max(start, v.start - 40), v.start)]


_USED_AFTER = re.compile(
    r"\)?[\s-](?:mixed|half|full|precision|training|inference|quanti|weights?|arithmetic|format|comput|activations?|GEMM|master"
    r"|optimi[sz]er|states|param)",
    re.IGNORECASE,
)
_USED_BEFORE = re.compile(
    r"\b(?:in|with|using|use|at|to|by|under|precision|dtype|=)\s?:?\s?(?:(?:full|half|mixed"
    r"|native)[- ]?)?(?:precision )?\(?\Z",
    re.IGNORECASE,
)


def _machines(text: str, start: int, end: int) -> list[ParameterValue]:
    out: list[ParameterValue] = []
    for match in _ACCELERATORS.finditer(text, start, end):
        named = _CERTAIN.match(match["kind"]) is not None
        if not named and match["noun"] is None:
            continue
        if not _GENERIC.fullmatch(match["kind"]):
            out.append(
                ParameterValue("accelerator_type", match.start("kind"), match.end("kind"), " ".join(match["kind"].split()), None, "prose")
            )
        if (
            match["count"]
            and match["noun"]
            and not re.search(r"node|machine|pod|VM", match["noun"])
            or (match["count"] and named and match["noun"] is None)
        ):
            value = _NUMBER.get(match["count"].lower()) or numbers.number(match["count"])
            if value and not _LASTING.match(text, match.end()):
                out.append(ParameterValue("accelerators", match.start("count"), match.end("count"), value, None, "prose"))
    taken = {value.start for value in out}
    for match in _MERE_COUNT.finditer(text, start, end):
        value = _NUMBER.get(match["count"].lower()) or numbers.number(match["count"])
        alone = match["count"] in ("one", "a single")
        if value and match.start("count") not in taken and (not alone or _TRAINS.search(text, start, end)):
            out.append(ParameterValue("accelerators", match.start("count"), match.end("count"), value, None, "prose"))
    return out


_TRAINS = re.compile(r"train|fine-?tun", re.IGNORECASE)
_LASTING = re.compile(r"[\s-]?(?:hours?|days?|years?)\b")
_GENERIC = re.compile(r"(?:(?:Google|Cloud)\s)*TPUs?")
_CERTAIN = re.compile(
    r"(?:(?:NVIDIA|Nvidia|AMD|Google|Tesla|GeForce|Quadro|Cloud|Ascend|Instinct|Huawei|Intel|Habana)\s|A100|H[12]00|H800|V100"
    r"|P100|B200|GB200|L40|A800|A6000|RTX|GTX|TITAN|Titan|MI\d{3}|TPU|T4\b|Gaudi|v\d[- ]TPU)"
)
