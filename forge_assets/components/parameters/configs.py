"""Values in configurations: JSON, YAML, TOML, keyword arguments, assignments and flags in code, and lines "- learning_rate: 2e-05".

Only literal values count: `batch_size = 32 * n` gives nothing. Short keys (`r`, `dim`, `tp`) count only beside what they belong to.
"""

from __future__ import annotations

import re
from dataclasses import replace

from forge_assets.components.parameters import numbers
from forge_assets.components.parameters.rules import UNFIT_UNIT
from forge_assets.components.parameters.value import ParameterValue, Source
from forge_assets.components.parameters.vocabulary import Vocabulary

_ENTRY = re.compile(
    r"""(?<![\w.$/-])(?P<flag>--?)?(?P<quote>["']?)(?P<key>[A-Za-z_][\w.-]*)(?P=quote)
    (?:\s*:\s*(?:Optional\[)?(?:float|int|str|bool)\]?(?=\s*=))?
    (?:[ \t]*(?:=(?!=)|:(?![:/=]))[ \t]*|(?(flag)[ \t]+|(?!)))
    (?P<value>"[^"\n]{0,60}"|'[^'\n]{0,60}'|[-+]?[\w.][\w.+*/-]*)
    (?=(?P<after>[^\n]{0,3}))""",
    re.VERBOSE,
)
_LINE = re.compile(
    r"\s*(?:[-*•+]\s*)?(?:\*\*|__|`)?(?P<key>[#A-Za-zβθαλη][^:=\n|]{0,48}?)(?:\*\*|__|`)?\s*(?:=|:|\s–\s)\s*(?:\*\*"
    r"|__)?\s*(?P<value>[^\n]{1,200})"
)
_PAIR = re.compile(
    r"\bbetas?[\"']?\s*[=:]?\s*[\[({]\s*(?P<first>[\d.]+)\s*,\s*(?P<second>[\d.]+)\s*[\])}]|\(?\s*(?:\\?beta_?1|β_?1"
    r"|β₁)\s*,\s*(?:\\?beta_?2|β_?2|β₂)\s*\)?\s*=\s*\(?\s*(?P<third>[\d.]+\d)\s*,\s*(?P<fourth>[\d.]+\d)",
    re.IGNORECASE,
)
_EPSILON = re.compile(
    r"(?<![\w.])(?P<key>(?:adam_?)?eps(?:ilon)?|\\epsilon|ϵ|ε)[\"']?\s*(?:=|:|of|is)\s*\$?(?P<value>\d[\w.+−-]*(?:\s?(?:×|x"
    r"|\\times)\s?10\^?\{?[-−]?\d+\}?)?)",
    re.IGNORECASE,
)
_OPTIMIZER = re.compile(r"\b(?:adam|rmsprop|adafactor|lamb|optimi[sz]er|betas?)", re.IGNORECASE)
_NEEDS = {
    "r": r"lora|peft",
    "group_size": r"quant|bits|gptq|awq|w_?bit",
    "rank": r"lora|peft|adapter|mergekit",
    "tp": r"parallel|pp\b",
    "pp": r"parallel|tp\b",
    "dp": r"parallel|tp\b",
    "ep": r"parallel|tp\b",
    "nc": r"yolo|names\b|anchors",
    "heads": r"dim|depth|layers|attention",
    "dim": r"heads|n_layers|depth|vocab|rope",
    "depth": r"heads|dim\b|embed",
    "width": r"heads|layers|patch_size",
    "devices": r"trainer|accelerator|strategy|precision",
    "temp": r"top_[pk]|sampl",
    "opt": r"lr|epoch|momentum",
    "beam": r"lm|decode|search|generate|fairseq|remove-bpe",
    "smoothing": r"label",
    "stride": r"conv|kernel|max_seq|doc_stride|tokenizer",
    "activation": r"layer|dense|hidden|model|config|dropout",
    "block_size": r"n_layer|n_embd|token|train|vocab|model",
    "scheduler": r"lr|epoch|warm|optim",
    "max_norm": r"clip|grad",
    "smoothing_factor": r"label",
    "num_steps": r"train|lr|learning|optim",
    "num_samples": r"train|dataset|num_bytes",
    "num_examples": r"train|num_bytes|dataset",
    "random_state": r"train|model|lora|fit",
    "precision": r"train|model|fp16|bf16|16|dtype|devices",
    "maxlen": r"token|model|seq|pad",
    "max_len": r"token|model|seq|pad",
    "max_length": r"token|model|train|config|pad|generate",
    "dtype": r"from_pretrained|LLM\(|vllm|train|config|model_name|max_model_len",
    "top_k": r"generat|sampl|temperature|top_p|decod",
    "num_processes": r"accelerate|distributed|mixed_precision",
    "world_size": r"train|parallel|gpu",
}
_TUPLE = re.compile(r"\s*(?:\w+,\s*)+")
_LONGEST_TUPLE = 400
_NEEDED = {key: re.compile(pattern, re.IGNORECASE) for key, pattern in _NEEDS.items()}
_GENERATING = re.compile(r"generat|do_sample|num_return_sequences|num_beams|top_p", re.IGNORECASE)
_TRUE = frozenset({"true", "True", "1", "yes", "on"})
_FALSE = frozenset({"false", "False", "no", "off"})


def read(text: str, start: int, end: int, vocabulary: Vocabulary, source: Source = "config") -> list[ParameterValue]:
    """The values of the configuration text[start:end], a block of code."""
    out = betas(text, start, end, vocabulary, source)
    beside = _Beside(text[start:end])
    for match in _ENTRY.finditer(text, start, end):
        key = match["key"].lower()
        parameter = vocabulary.key(key)
        if parameter is None or (match["flag"] == "-" and len(key) > 1):
            continue
        short = key.rsplit(".", 1)[-1].replace("-", "_")
        if short in _NEEDED and not beside.stands(short, match[0]):
            continue
        if key == "max_length" and _GENERATING.search(text, max(start, match.start() - 160), min(end, match.end() + 160)):
            parameter = "max_new_tokens"
        if _continues(match["after"]) or _in_tuple(text, start, match.start()):
            continue
        if (made := _literal(parameter, short, match, vocabulary, source)) is not None:
            out.append(made)
    return _once(out)


class _Beside:
    """Tells for the keys of one block whether what they belong to stands in it, outside of their own entry."""

    def __init__(self, block: str) -> None:
        self._block = block
        self._spans: dict[str, list[tuple[int, int]]] = {}
        self._told: dict[tuple[str, str], bool] = {}

    def stands(self, key: str, entry: str) -> bool:
        if (key, entry) not in self._told:
            self._told[key, entry] = self._look(key, entry)
        return self._told[key, entry]

    def _look(self, key: str, entry: str) -> bool:
        block, size = self._block, len(entry)
        if key not in self._spans:
            self._spans[key] = [found.span() for found in _NEEDED[key].finditer(block)]
        spans = self._spans[key]
        if any(block.find(entry, max(0, low - size + 1), high + size - 1) < 0 for low, high in spans):
            return True
        return bool(spans) and _NEEDED[key].search(block.replace(entry, " ")) is not None


def _in_tuple(text: str, start: int, at: int) -> bool:
    """Whether only names and commas stand before `at` in its line: "a, b, c = 1, 2, 3"."""
    low = max(start, at - _LONGEST_TUPLE)
    line = text.rfind("\n", low, at) + 1 or low
    return (line > low or low == start) and _TUPLE.fullmatch(text, line, at) is not None


def read_line(text: str, start: int, end: int, vocabulary: Vocabulary) -> list[ParameterValue]:
    """The value of a line "key: value", as lists of hyperparameters in cards have them; [] where it is none."""
    out: list[ParameterValue] = []
    match = _LINE.match(text, start, end)
    if match is None:
        return out
    name = re.sub(r"\([^()]*\)|[*`_]{2}", " ", match["key"]).strip()
    parameter = vocabulary.key(name) or vocabulary.header(name)
    if parameter is None or name.lower() in _LOOSE:
        return out
    known = vocabulary.parameters[parameter]
    at = match.start("value")
    if known.kind in ("choice", "bool", "text"):
        made = _worded(parameter, name, text, at, end, vocabulary)
        return _once([made, *out] if made else out)
    quantity = next(iter(numbers.find(text, at, min(end, at + 40))), None)
    if quantity is None or text[at : quantity.start].strip(" `$*~≈\"'") or quantity.small or UNFIT_UNIT.match(text, quantity.end, end):
        return out
    value = quantity.value
    if (
        _LINE_END.match(text, quantity.end, end)
        and _plausible(vocabulary, parameter, value)
        and (not quantity.percent or parameter in _SHARES)
    ):
        unit = _UNIT.match(text, quantity.end, end)
        said = unit[1].lower() if unit and parameter == "batch_size" else known.unit
        out = [ParameterValue(parameter, quantity.start, quantity.end, value, said, "config"), *out]
    return _once(out)


_LOOSE = frozenset(
    {
        "l",
        "model size",
        "size",
        "weights",
        "resolution",
        "context",
        "blocks",
        "classes",
        "categories",
        "hardware",
        "memory",
        "momentum note",
    }
)
_SHARES = frozenset({"dropout", "warmup_ratio", "mask_ratio", "label_smoothing", "rotary_fraction"})
_LINE_END = re.compile(
    r"\s*(?:\Z|\n|[.,;()*`$\]/\"'|–-]|\([^)]*\)|tokens?\b|steps?\b|sequences|samples|epochs?\b|layers?\b|heads?\b|hours?\b"
    r"|GPUs?\b|parameters|per\b|with\b|for\b|and\b|on\b|x\b|images|pixels|dim|experts|bits?\b|B\b)"
)
_UNIT = re.compile(r"\s*(tokens|sequences|samples|images)\b", re.IGNORECASE)


def betas(text: str, start: int, end: int, vocabulary: Vocabulary, source: Source) -> list[ParameterValue]:
    """Both moment decays of "betas=(0.9, 0.999)", and the epsilon of an optimizer that the same lines name."""
    out: list[ParameterValue] = []
    for match in _PAIR.finditer(text, start, end):
        groups = ("first", "second") if match["first"] else ("third", "fourth")
        for parameter, group in zip(("beta1", "beta2"), groups, strict=True):
            value = numbers.number(match[group])
            if value is not None and _plausible(vocabulary, parameter, value):
                out.append(ParameterValue(parameter, match.start(group), match.end(group), value, None, source))
    for match in _EPSILON.finditer(text, start, end):
        near = text[max(start, match.start() - 120) : match.start()].rsplit("\n\n", 1)[-1]
        written = match["value"].rstrip(".,-")
        value = numbers.number(written)
        if value is not None and value < 0.01 and _OPTIMIZER.search(near) and _plausible(vocabulary, "epsilon", value):
            out.append(ParameterValue("epsilon", match.start("value"), match.start("value") + len(written), value, None, source))
    return out


def _literal(parameter: str, key: str, match: re.Match[str], vocabulary: Vocabulary, source: Source) -> ParameterValue | None:
    written = match["value"]
    quoted = written[0] in "\"'"
    at = match.start("value") + quoted
    bare = written[1:-1] if quoted else written.rstrip(".")
    kind = vocabulary.parameters[parameter].kind
    if kind == "bool":
        return ParameterValue(parameter, at, at + len(bare), bare in _TRUE, None, source) if bare in _TRUE | _FALSE else None
    if kind == "text":
        return None
    if kind == "choice":
        return _chosen(parameter, key, bare, at, match.start("key"), vocabulary, source)
    value = numbers.number(bare)
    if value is None or not _plausible(vocabulary, parameter, value) or "%" in bare:
        return None
    return ParameterValue(parameter, at, at + len(bare), value, vocabulary.parameters[parameter].unit, source)


def _chosen(parameter: str, key: str, bare: str, at: int, key_at: int, vocabulary: Vocabulary, source: Source) -> ParameterValue | None:
    """A word of the vocabulary; of `fp16: True` the value is the key."""
    if parameter == "precision" and bare in _TRUE and (value := vocabulary.choice(parameter, key)):
        return ParameterValue(parameter, key_at, key_at + len(key), value, None, source)
    found = vocabulary.choice(parameter, bare)
    return None if found is None else ParameterValue(parameter, at, at + len(bare), found, None, source)


def _worded(parameter: str, name: str, text: str, at: int, end: int, vocabulary: Vocabulary) -> ParameterValue | None:
    value = text[at:end].split("\n", 1)[0]
    word = re.match(r"[\s`*\"']*([\w./-]+(?:\s(?:AMP|precision)\b)?)", value)
    if word is None:
        return None
    bare, begin = word[1].rstrip("."), at + word.start(1)
    kind = vocabulary.parameters[parameter].kind
    if kind == "bool":
        return ParameterValue(parameter, begin, begin + len(bare), bare in _TRUE, None, "config") if bare in _TRUE | _FALSE else None
    if kind == "text":
        return None
    key = name.lower().replace(" ", "_")
    key_at = text.rfind(name, 0, at)
    return _chosen(parameter, key, bare, begin, key_at, vocabulary, "config") if key_at >= 0 else None


def _continues(after: str) -> bool:
    """Whether an expression goes on after the literal: then the literal is not the value."""
    return re.match(r"\s?(?:[*+/%(\[<>]|-\s|if\b|or\b|and\b)", after) is not None and not re.match(r"\s?(?:and\b|or\b)", after)


def _plausible(vocabulary: Vocabulary, parameter: str, value: float) -> bool:
    known = vocabulary.parameters[parameter]
    if known.kind == "integer" and value != int(value):
        return False
    return (known.low is None or value >= known.low) and (known.high is None or value <= known.high)


def _once(values: list[ParameterValue]) -> list[ParameterValue]:
    kept: dict[tuple[int, str], ParameterValue] = {}
    for value in values:
        kept.setdefault((value.start, value.parameter), replace(value))
    return sorted(kept.values(), key=lambda value: value.start)
