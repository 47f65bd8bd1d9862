"""Sizes of data sets in running text: a number and the items it counts ("40K dental images") where the sentence speaks of data.

An item that hardly counts anything but data (images, sentence pairs) needs a word about data in its sentence, or a verb of collecting,
training or measuring before the number; one that counts other things too (subjects, tokens, cases) needs the data set right before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forge_assets.components.parameters.numbers import Quantity

_I = re.IGNORECASE
_STOP = (
    r"(?:more|fewer|less|times|different|other|of|and|or|to|in|for|the|with|on|an?|per|each|is|are|was|were|we|by|from|that|which|at|as"
    r"|than"
    r"|top|first|last|nearest|million|billion|out|percent|vs|new|adversarial|out-of-distribution|hours?|days?|weeks?|months?|years?"
    r"|minutes?"
    r"|seconds?|carry|carries|exhibits?|contains?|covers?|shows?|have|has|GPUs?|layers?|epochs?|steps|iterations|classes|categories|types"
    r"|kinds|domains|languages|tasks|models|methods|parameters"
    r"|bits?)"
)
_KIND = rf"(?:(?!{_STOP}\b)(?:[A-Za-z]|\d[A-Z]\b|\d-)[\w'’/.-]*(?:,(?=\s\w+-\w+))?[\s-]|\([^()\d]{{1,30}}\)\s){{0,5}}?"
_CERTAIN = (
    r"images|photos|photographs|pictures|videos|video[- ]clips|clips|samples|examples|instances|data[- ]?points|sentences|pairs|documents"
    r"|utterances|dialogues|dialogs|conversations|questions|captions|articles|tweets|posts|reviews|queries|records|scans|recordings"
    r"|trajectories|demonstrations|prompts|triplets|triples|passages|paragraphs|abstracts|papers|radiographs|X-rays|molecules|point clouds"
    r"|audio clips|annotations|QAs|snippets|tables|charts|sketches|headlines|lyrics|poems|recipes|screenshots|episodes|narratives|stories"
    r"|diagrams|test cases|mammograms|faces|outliers"
)
_LOOSE = (
    r"subjects|patients|cases|frames|sequences|tokens|words|scenes|shapes|texts|reports|problems|entries|transactions|objects|slides|graphs"
    r"|speakers|characters|items|comments|messages|rows|interactions|functions|files|books|pages|responses|instructions"
    r"|identities|segments|volumes|meshes|nodes|songs|tracks|labels|entities|views"
)
_ITEMS = re.compile(
    rf"\+?[\s~](?P<kind>{_KIND})(?:(?P<certain>{_CERTAIN})|(?P<loose>{_LOOSE}))\b(?!\s?(?:per\b|/|each\b|long\b|apart))", _I
)
_HOURS = re.compile(
    r"\+?[\s-](?P<kind>)(?P<loose>hours)\sof\s(?:[\w-]+\s){0,3}?(?:speech|audio|recordings?|videos?|footage|data|music|conversations?"
    r"|dialogues?"
    r"|demonstrations?|broadcasts?|driving)\b",
    _I,
)
_ABOUT = (
    r"(?:(?:over|about|more than|approximately|around|nearly|almost|a total of|roughly|some|up to|only|just|merely|at least|as many as"
    r"|as few as|~|∼|≈|\\sim|\$|additional|another|further|the|an?|its|our|these|all|of|exceeding|well|totall?ing|fewer than|less than"
    r"|as little"
    r" as)[\s\\]*)*\Z"
)
_DATA = (
    r"(?:data ?sets?|corpus|corpora|benchmarks?|databases?|treebanks?|collections?"
    r"|(?:training|test|validation|dev(?:elopment)?|eval(?:uation)?) (?:set|data|split)s?)"
)
_HELD = re.compile(
    rf"\b{_DATA}\s\({_ABOUT}|\b(?:{_DATA}|data|set|it)\b(?:\s\([^()]{{1,40}}\)|\s(?!and\b)[\w-]+,?|,){{0,5}}?,?\s(?:of|with|containing"
    rf"|contains?|composed of"
    rf"|comprised of|consisting(?: of)?|consists of|comprising|comprises|includes?|including|has|have|totall?ing|totals|spanning|spans"
    rf"|covering|covers|across|holds"
    rf"|offers|provides|features|featuring|having|encompassing|encompasses|amounting to)\s(?:(?:over|about|more than|up to"
    rf"|~)?\s?\d[^.;]{{0,50}}?(?:,"
    rf"|\band)\s)?{_ABOUT}",
    _I,
)
_BRACKETED = re.compile(r"(?:[A-Z][\w-]*|detection|segmentation|classification|recognition)\s\((?:over |about |approximately |[~∼≈])?\Z")
"""What stands in brackets behind a name is the size of what bears it: "KITTI (7K images)"."""
_USED = re.compile(
    r"\b(?:(?:pre-?|re)?train|fine-?tun|evaluat|test|validat|experiment|measur|benchmark|assess|calibrat|adapt|learn|instruction-tun)\w*\b"
    rf"[^.;]{{0,40}}?\s(?:on|with|using|over|from|across)\s{_ABOUT}",
    _I,
)
_MADE = re.compile(
    r"\b(?:using|leverag|utili[sz]|collect|annotat|curat|construct|contain|compris|consist|includ|gather|compil|creat|buil[dt]|releas"
    r"|introduc|present|label"
    r"|synthesi"
    r"|crawl|scrap|filter|assembl|acquir|captur|extract|expand|augment|resulting|yielding|totall?ing|encompass|amass|aggregat|record"
    r"|transcrib)"
    rf"\w*\b(?:\s(?!and\b)[\w-]+){{0,2}}?(?:\s(?:of|in|to|with|up|from|together|into))?\s{_ABOUT}",
    _I,
)
_THEME = re.compile(
    rf"\b(?:{_DATA}|ground[- ]truth|annotat\w+|labell?ed|unlabell?ed|training|pre-?training|hand-labell?ed|test set|held-out|supervision"
    rf"|crowd-?sourc\w+)\b",
    _I,
)
_SPLIT = re.compile(
    r"(?:train(?:ing)?|test(?:ing)?|valid(?:ation)?|dev(?:elopment)?|evaluation|(?:un)?labell?ed|annotated|held-out|calibration)\b", _I
)
_NOT_DATA = re.compile(
    r"\b(?:per|every|each|top|first|last|nearest|within|after|than|every other|than the|minibatch|batch(?:es)?(?: sizes?)?(?: of)?)\s?\Z",
    _I,
)
_AVERAGE = re.compile(r"\b(?:averag\w+|mean|median)\b[^.;]{0,40}\Z", _I)
_RESOLUTION = re.compile(r"[248]K\Z")
_YEAR = re.compile(r"(?:19[5-9]\d|20(?!00)[0-3]\d)\Z")
_DATED = re.compile(r"(?:\b[A-Z][A-Za-z]*|\b(?:in|since|from|until|between))\s\Z|[-–]\Z")
_ALLOWED_THAN = re.compile(r"\b(?:more|fewer|less) than\s?\Z", _I)
_RATE = re.compile(r"\s(?:per|/|a)\s?(?:second|minute|hour|day|class|image|category|prompt|person|s\b)|\s(?:times|/s)\b", _I)
_LISTED = re.compile(r"(?:\s[a-z-]*[a-rt-z]){0,2}?\s?(?:,|and|or|to|–|-{1,2})\s?")
_SEEN = re.compile(r"images|videos|photos|resolution")
_ALL_AROUND = 360.0
_REACH = 90
_LEAST = 20.0


@dataclass(frozen=True, slots=True)
class Counted:
    """A number of items of a data set; `unit` is what is counted, a plural in lower case."""

    quantity: Quantity
    unit: str


def read(text: str, start: int, end: int, quantities: Sequence[Quantity]) -> Iterator[Counted]:
    """The numbers of text[start:end], a sentence, that say how large a data set is."""
    theme: bool | None = None
    counted = False
    for number, quantity in enumerate(quantities):
        items = _items(text, end, quantity)
        if items is None:
            continue
        previous = quantities[number - 1] if number and _LISTED.fullmatch(text, quantities[number - 1].end, quantity.start) else None
        begin = (previous or quantity).start
        before = text[max(start, begin - _REACH) : begin]
        if (_NOT_DATA.search(before) and not _ALLOWED_THAN.search(before)) or _AVERAGE.search(before):
            continue
        theme = _THEME.search(text, start, end) is not None if theme is None else theme
        if (counted and theme) or _is_data(quantity, items, before, theme):
            counted = True
            unit = (items.groupdict().get("certain") or items["loose"]).lower()
            yield Counted(quantity, unit)
            if previous is not None and not previous.percent:
                yield Counted(previous, unit)


def _items(text: str, end: int, quantity: Quantity) -> re.Match[str] | None:
    """What the number counts, None where it is no whole number or no item of data: a rate, a year, an angle of view, a resolution."""
    if quantity.percent or quantity.sides or quantity.value != int(quantity.value) or quantity.value == _ALL_AROUND:
        return None
    written = text[quantity.start : quantity.end]
    if (_YEAR.match(written) and _DATED.search(text[max(0, quantity.start - 20) : quantity.start])) or (
        _RESOLUTION.match(written) and _SEEN.match(text, quantity.end + 1)
    ):
        return None
    found = _ITEMS.match(text, quantity.end, end) or _HOURS.match(text, quantity.end, end)
    return None if found is None or _RATE.match(text, found.end(), end) else found


def _is_data(quantity: Quantity, items: re.Match[str], before: str, theme: bool) -> bool:
    held = _HELD.search(before) is not None
    if items.groupdict().get("certain") is None:
        return items.re is _HOURS or held or (theme and (_USED.search(before) or _MADE.search(before)) is not None)
    if held or _BRACKETED.search(before):
        return True
    if quantity.value < _LEAST:
        return False
    return theme or _SPLIT.search(items["kind"]) is not None or (_USED.search(before) or _MADE.search(before)) is not None
