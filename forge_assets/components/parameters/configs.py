"""Values in configurations: JSON, YAML, TOML, keyword arguments, assignments and flags in code.

Only literal values count: `batch_size = 32 * n` gives nothing. Short keys (`r`, `dim`, `tp`) count only beside what they belong to.
"""

from __future__ import annotations

import re

from forge_assets.components.parameters import moments
from forge_assets.components.parameters.literals import literal
from forge_assets.components.parameters.surroundings import Beside, in_tuple, of_output
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
_KEYED = re.compile(r"""(?:--?[A-Za-z][\w-]*[ =]|["']\s?:\s?|\w_\w+\s?[:=]\s?|\w\s?=\s?)["']?\Z""")
_GOES_ON = re.compile(r"\s?(?:[*+/%(\[<>]|-\s|if\b)")


def read(
    text: str, start: int, end: int, vocabulary: Vocabulary, source: Source = "config", block: tuple[int, int] | None = None
) -> list[ParameterValue]:
    """The values of the configuration text[start:end]; `block` is what its short keys may refer to where that is more."""
    out = [*moments.betas(text, start, end, vocabulary, source), *moments.classes(text, start, end, vocabulary, source)]
    beside = Beside(text[slice(*(block or (start, end)))])
    for match in _ENTRY.finditer(text, start, end):
        key = match["key"].lower()
        parameter = vocabulary.key(key)
        if parameter is None or (match["flag"] == "-" and len(key) > 1):
            continue
        short = key.rsplit(".", 1)[-1].replace("-", "_")
        if beside.misses(short, match[0]) or _GOES_ON.match(match["after"]) or in_tuple(text, start, match.start()):
            continue
        if key == "max_length" and of_output(text, start, match.start(), min(end, match.end() + 160)):
            parameter = "max_new_tokens"
        if (made := literal(parameter, short, match.span("value"), text, vocabulary, source, match.start("key"))) is not None:
            out.append(made)
    return _once(out)


def read_inline(text: str, start: int, end: int, vocabulary: Vocabulary, block: tuple[int, int] | None = None) -> list[ParameterValue]:
    """The entries of a configuration within running text: only keys that no prose would write so (flags, quoted, with "_" or "=")."""
    return [
        value
        for value in read(text, start, end, vocabulary, "config", block)
        if _KEYED.search(text, max(start, value.start - 60), value.start)
    ]


def _once(values: list[ParameterValue]) -> list[ParameterValue]:
    kept: dict[tuple[int, str], ParameterValue] = {}
    for value in values:
        kept.setdefault((value.start, value.parameter), value)
    return sorted(kept.values(), key=lambda value: value.start)
