"""The machines of running text ("8x NVIDIA A100-80GB"): types without the maker, how many there are, their memory where it is said."""

from __future__ import annotations

import re

from forge_assets.components.parameters import numbers
from forge_assets.components.parameters.value import ParameterValue

_MAKERS = (
    r"(?:(?:NVIDIA|Nvidia|nVidia|AMD|Google|Google Cloud|[Cc]loud|Intel|Huawei|Tesla|GeForce|Geforce|Quadro|Ascend|Habana|Instinct|AWS"
    r"|DGX|HGX|Graphcore"
    r"|Cerebras)\s+)*"
)
_MEMORY = r"(?:[- ]?\(?\d{2,3}\s?G(?:i?B)?\)?)?"
_MACHINE = (
    r"(?:(?:A(?:2|10G?|16|30|40|100X?|800|[456][05]00)|B[123]00|G[BH][23]00|H(?:20|100|200|800)|L(?:4|20|40S?)|P(?:4|6|40|100)|T4G?"
    r"|[Vv]100S?)(?=s?\b)"
    r"(?:[- ]?(?:SXM\d?|PCIe|NVL)\b)?"
    r"|RTX\s?(?:A?\d{3,4})(?:\s?Ti\b|\s?Ada\b|\s?SUPER\b)?|GTX\s?\d{3,4}(?:\s?Ti\b)?|(?:[2345]0[6-9]0|10[678]0)(?:\s?[Tt]i\b"
    r"|(?:\s?[Tt]i)?(?=\sGPUs?\b))"
    r"|TITAN\s?(?:Xp|X|V|RTX)\b|Titan\s?(?:Xp|X|V|RTX)\b|K[248]0[mc]?\b|MI\d{3}[AX]?\b|Gaudi\s?\d?\b|910[BC]\b|Trainium\s?\d?\b"
    r"|TPUs?[- ]?[vV]\d[ep]?\b(?:-\d+)?|TPUs?\b|v[2-6][ep]?[- ](?:\d+ )?TPUs?\b|Jetson\s(?:AGX\s)?(?:Orin|Xavier|Nano|TX\d)(?:\s(?:Nano|NX"
    r"|AGX))?\b)"
)
_ACCELERATORS = re.compile(
    rf"(?<![\w.])(?:(?P<count>\d{{1,3}}(?:,\d{{3}})*|\d+[kK]?|[Oo]ne|[Tt]wo|[Tt]hree|[Ff]our|[Ff]ive|[Ss]ix|[Ss]even|[Ee]ight"
    rf"|[Ss]ixteen)\s?(?:x|X|×|\\times|\*"
    rf"|-)?[\s$]*)?(?:nodes? of )?(?:(?P<early>GPUs?)\s)?(?P<maker>{_MAKERS})(?P<kind>{_MACHINE}){_MEMORY}"
    rf"(?P<noun>[\s-]?(?:Tensor Core |\(?\d+\s?GB\)?\s)?(?:GPUs?|TPUs?|graphics cards?|accelerators?|chips?|cores?"
    rf"|cards?|nodes?|machines?|pods?|NPUs?|VMs?)\b)?(?:\s?[x×*]\s?(?P<behind>\d{{1,4}})(?![\w.]))?"
)
_MERE_COUNT = re.compile(
    r"(?<![\w.,-])(?<!RTX )(?<!GTX )(?<!NVIDIA )(?<!Nvidia )(?<!GeForce )(?:(?P<first>\d+)\s(?:or|and|to)\s)?(?P<count>\d{1,3}(?:,\d{3})*"
    r"|\d+|one|two|three|four|five|six|seven|eight"
    r"|sixteen)(?:\s(?:[*x×] \d+\s?GB? |parallel |cloud |Cloud |NVIDIA |Nvidia |consumer |identical |physical )?(?:GPUs|GPUS|(?<=one )GPU"
    r"|TPUs|TPU cores|TPU chips|NPUs|accelerators)"
    r"|[- ]GPU(?=[ -](?:[a-z]|NVIDIA|Nvidia|[AHVB]\d{2,3}\b)))\b(?!\s?-?(?:hours?|days?|weeks?|cards? from|memory))"
)
_NUMBER = {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0, "sixteen": 16.0}
_COUNTED = re.compile(r"\b(?:an?|single|one|\d+x?)[\s×]\Z")
_HAS_MEMORY = re.compile(
    r"\s(?:with|having|equipped with|of)\s(?:a\s)?(?P<size>\d{1,3})\s?(?P<unit>GB|GiB|G)\s(?:of\s)?(?:memory|VRAM|GPU memory|RAM|HBM"
    r"|video memory|on-board memory|each)\b"
)
_LASTING = re.compile(r"[\s-]?(?:hours?|days?|years?)\b")
_GENERIC = re.compile(r"(?:(?:Google|Cloud)\s)*TPUs?")
_CERTAIN = re.compile(
    r"(?:A100|H[12]00|H800|[Vv]100"
    r"|P100|B200|GB200|L40|A800|A6000|RTX|GTX|TITAN|Titan|MI\d{3}|TPU|Gaudi|v\d[- ]TPU|\d{4}|Jetson)"
)
_WHOLE_NODES = re.compile(r"node|machine|pod|VM")
_THEME = re.compile(
    r"GPU|TPU|NVIDIA|Nvidia|Tesla|[AHVv][12]00|Jetson|Titan|TITAN|\b(?:[Tt]rain|[Ii]nference|[Mm]achine|[Hh]ardware|[Hh]ours|[Mm]emory"
    r"|[Aa]ccelerat|[Nn]ode|[Ff]ine-?tun)"
)


def read(text: str, start: int, end: int) -> list[ParameterValue]:
    """The types and numbers of accelerators in text[start:end], a sentence."""
    if not _THEME.search(text, start, end):
        return []
    out: list[ParameterValue] = []
    for match in _ACCELERATORS.finditer(text, start, end):
        if _is_machine(match, start):
            out += _of_type(match, end)
            out += _counted(match)
    taken = {value.start for value in out}
    for match in _MERE_COUNT.finditer(text, start, end):
        if match.start("count") not in taken:
            out += [_count(match, group) for group in ("first", "count") if match[group]]
    return [value for value in out if value.value]


def _is_machine(match: re.Match[str], start: int) -> bool:
    """Whether it is not only a word like T4 or P100: its maker, a noun ("T4 GPUs"), an article or a number stands beside it."""
    if match["maker"] or match["noun"] or match["early"] or _CERTAIN.match(match["kind"]):
        return True
    at = match.start("kind")
    return _COUNTED.search(match.string, max(start, at - 8), at) is not None


def _of_type(match: re.Match[str], end: int) -> list[ParameterValue]:
    if _GENERIC.fullmatch(match["kind"]):
        return []
    out = [ParameterValue("accelerator_type", *match.span("kind"), " ".join(match["kind"].split()), None, "prose")]
    if memory := _HAS_MEMORY.match(match.string, match.end(), end):
        size = float(memory["size"]) * 1e9
        out.append(ParameterValue("memory", memory.start("size"), memory.end("unit"), size, "bytes", "prose"))
    return out


def _counted(match: re.Match[str]) -> list[ParameterValue]:
    group = "behind" if match["behind"] else "count"
    if not match[group] or (match["noun"] and _WHOLE_NODES.search(match["noun"])) or _LASTING.match(match.string, match.end()):
        return []
    return [_count(match, group)]


def _count(match: re.Match[str], group: str) -> ParameterValue:
    written = match[group].lower()
    value = _NUMBER.get(written) or numbers.number(written) or 0.0
    return ParameterValue("accelerators", *match.span(group), value, None, "prose")
