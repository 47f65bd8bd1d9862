"""Values in code: entries of configurations, then what only code has: assignments of several names, calls of layers and optimizers,
types of numbers, comments, and lines "key: value" of its output."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forge_assets.components.parameters import configs, lines, numbers, prose
from forge_assets.components.parameters.literals import literal
from forge_assets.components.parameters.statements import Sentence
from forge_assets.components.parameters.surroundings import Beside
from forge_assets.components.parameters.value import ParameterValue
from forge_assets.components.parameters.vocabulary import Vocabulary

_TUPLE = re.compile(r"(?m)^[ \t]*(?P<names>[A-Za-z_]\w*(?:,[ \t]*[A-Za-z_]\w*)+)[ \t]*=(?!=)[ \t]*(?P<values>[^\n#]+?)[ \t]*(?:#[^\n]*)?$")
_PARTS = re.compile(r"\s*(?P<part>(?:[^,()\[\]{}]|\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\})+)(?:,|\Z)")
_OPTIMIZER = re.compile(
    r"\b(?:(?:torch\.)?optim|(?:tf\.)?(?:keras\.)?optimizers(?:\.legacy)?|optax|mx\.optimizer|bnb\.optim)\.(?P<name>[A-Za-z]\w+)\("
)
_DROPOUT = re.compile(r"\b(?:nn|layers|tf|keras|F)\.(?:[Dd]ropout|Dropout[123]d|AlphaDropout)\((?:p=|rate=)?(?P<value>0?\.\d+)\s*[,)]")
_TYPE = re.compile(r"\b(?:torch|jnp|mx|ml_dtypes)\.(?P<name>float16|bfloat16|half|float8_e4m3fn|float8_e5m2)\b")
_COLUMNS = re.compile(r"(?m)^[ \t]*(?P<key>[A-Za-z]\w*_\w+)[ \t]+(?P<value>[\d.][\w.+-]*)[ \t]*$")
_COMMENT = re.compile(r"(?m)(?:^|[ \t])(?:#|//)+[ \t]?(?P<said>[^\n]{4,200})$")
_SAID = re.compile(
    r"(?m)^[ \t]*(?:[-*•#]+[ \t]*)?(?=[A-Za-z#])[^:=\n|\"'(){}\[\]]{0,50}[A-Za-z][ \t]+(?=[A-Za-z(])[^:=\n|\"'(){}\[\]]{0,50}"
    r"(?:\([^()\n]{0,50}\)[ \t]*)?[:=][ \t]*[\d~$]"
)


def read(text: str, start: int, end: int, vocabulary: Vocabulary) -> list[ParameterValue]:
    """The values of the block of code text[start:end]."""
    out = configs.read(text, start, end, vocabulary)
    out += _assigned(text, start, end, vocabulary)
    out += _called(text, start, end, vocabulary)
    for match in _COLUMNS.finditer(text, start, end):
        parameter = vocabulary.key(match["key"])
        if parameter is not None and (made := literal(parameter, match["key"], match.span("value"), text, vocabulary)):
            out.append(made)
    for match in _COMMENT.finditer(text, start, end):
        out += prose.read(Sentence(text, match.start("said"), match.end("said")), vocabulary)
    for match in _SAID.finditer(text, start, end):
        line_end = text.find("\n", match.end(), end)
        out += lines.read(text, match.start(), line_end if line_end >= 0 else end, vocabulary)
    return out


def _assigned(text: str, start: int, end: int, vocabulary: Vocabulary) -> Iterator[ParameterValue]:
    """Each literal of "batch_size, lr = 32, 1e-3"."""
    beside = Beside(text[start:end])
    for match in _TUPLE.finditer(text, start, end):
        names = [name.strip() for name in match["names"].split(",")]
        parts = list(_PARTS.finditer(text, match.start("values"), match.end("values")))
        if len(parts) != len(names) or parts[-1].end() != match.end("values"):
            continue
        for name, part in zip(names, parts, strict=True):
            parameter = vocabulary.key(name)
            if parameter is not None and not beside.misses(name.lower(), match[0]):
                written = part["part"].rstrip()
                at = part.start("part")
                made = literal(parameter, name, (at, at + len(written)), text, vocabulary)
                if made is not None:
                    yield made


def _called(text: str, start: int, end: int, vocabulary: Vocabulary) -> Iterator[ParameterValue]:
    for parameter, pattern in (("optimizer", _OPTIMIZER), ("precision", _TYPE)):
        for match in pattern.finditer(text, start, end):
            name = "fp16" if match["name"] == "half" else match["name"]
            if value := vocabulary.choice(parameter, name) or vocabulary.choice(parameter, name.split("_")[0]):
                yield ParameterValue(parameter, match.start("name"), match.end("name"), value, None, "config")
    for match in _DROPOUT.finditer(text, start, end):
        share = numbers.number(match["value"])
        if share is not None and share < 1:
            yield ParameterValue("dropout", match.start("value"), match.end("value"), share, None, "config")
