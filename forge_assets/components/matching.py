"""Finding components in a text: trie walk -> rules of case, border and context -> abbreviations of the document -> the longest win.

A name inside a longer unknown name is no mention: "Adam-mini", "BERTScore", "RoBERTa", "LoRA+". What may stick to a name is a list of
endings that change no identity ("-base", "-based", "7B"), or another known name ("CNN-LSTM").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from forge_assets.components import abbreviations, roles
from forge_assets.components.folding import fold
from forge_assets.components.found import Found, Kept, longest
from forge_assets.components.lexicon import Lexicon, Mention, Node, Way
from forge_assets.components.longer_names import is_part
from forge_assets.components.negation import is_negated
from forge_assets.components.stance import stance
from forge_assets.components.text import Cover, Reading, Span

WINDOW = 1000
"""Characters before and after a name in which its context has to stand: about a passage."""

_HYPHENS = "-‐‑–_"
_GAP = re.compile(
    r"[ \t\u00a0]+|[ \t]*\n[ \t]*|[-‐‑–_][ \t]?|-\n|(?:[{}$~\s]|\\[a-z]+\s?\{?|[-‐‑–_*`]){1,14}",
)
_SIGN = re.compile(r" ?[@/] ?\$?|\.?")
_WORD_AFTER = re.compile(r"[^\W_]+(?:\.\d+[^\W_]*)?")
_WORD_AFTER_LETTERS = re.compile(r"[^\W_]+")
_WORD_BEFORE = re.compile(r"[^\W_]+\Z")
_SIZES = frozenset(
    "base large small tiny xl xxl medium huge giant mini nano big distil cased uncased chinese multilingual instruct chat hf s "
    "b l h t ti xs xxs".split()
)
_ENDINGS = frozenset(
    "based like alike style type typed only level wise specific aware agnostic driven inspired guided model models encoder "
    "encoders decoder decoders feature "
    "features embedding embeddings representation representations layer layers block blocks network networks module modules "
    "optimizer optimizers "
    "optimiser training pretraining finetuning fine tuning loss losses adapter adapters architecture architectures backbone "
    "backbones variant variants family "
    "class compatible algorithm method methods approach unit units cell cells mechanism function functions operation "
    "objective "
    "weight weights parameter parameters rate rates step steps head heads matrix matrices head policy framework system "
    "systems regularization "
    "regularized".split()
)
_TITLE_ENDINGS = frozenset("based like style type level aware guided driven inspired".split())
_BEFORE = frozenset(
    "pre vanilla standard frozen original plain stacked deep single multi non-linear linear per post in the full the".split()
)
_SIZE_NUMBER = re.compile(r"(?:\d{2,}|\d+(?:\.\d+)?[bmkBMKt])(?:x\d+\w*)?\Z")
_HUB = re.compile(r"-(?:base|large|small|tiny|medium|mini|xl|xxl|uncased|cased|\d+(?:\.\d+)?[bm]|hf|chat|instruct|v\d)\b")
_VERSION_AFTER = re.compile(r"[ ~\u00a0](?:[1-9](?:\.\d+)?(?![\w%.,]|\s*(?:×|x |-|times|layers|billion|B\b|M\b))|[vV]\d)")
_PERSON_AFTER = re.compile(r"\s+(?:et\s+al\b|[A-Z]\.\s)")
_PERSON_BEFORE = re.compile(r"(?:\b[A-Z]\.|\b(?:Mr|Mrs|Ms|Dr|Prof)\.?)\s+\Z")
# A program that bears a technique's name: "Transformers 4.17.0", "Hugging Face Transformers", "from transformers import".
_PROGRAM_AFTER = re.compile(r"[\s`*\]]{1,3}(?:library|package|import\b|v?\d+\.\d+\.\d)|[=>]=\s?\d")
_PROGRAM_BEFORE = re.compile(r"(?:🤗|\bHF\b|\bfork of|[Hh]ugging\s?[Ff]ace(?:'s|’s)?|pip3? install(?: -\S+)?)[\s`*\[]{0,3}\Z")
_OWNER = re.compile(r"/[\w.]+-[\w.-]*\w")  # of a model: the textattack of "textattack/bert-base-uncased"
_SETTING = re.compile(r"\w*[\"']?\s?[=:](?!=)")
_ID_BEFORE = re.compile(r"(?<![A-Za-z\d.])(?:[a-z\d.]*\d[a-z\d.]*|uncased|cased|base|small|large|finetuned|distilled)(?:-[a-z\d.]+)*-\Z")
_ID_AFTER = re.compile(r"(?:-[a-z\d]{2,}){2,}(?![\w-])")
_SMALL_CAPS = re.compile(r"\\(?:textsc\s*\{|sc\s+)\Z")


def find(lexicon: Lexicon, reading: Reading) -> list[Mention]:
    """The mentions of components in a text, in order and without overlap; where two overlap, the longer one stays."""
    found = [item for item in _candidates(lexicon, reading) if _context(reading, item)]
    found = _with_definitions(lexicon, reading, found)
    chosen = [item for item in longest(found) if not is_part(lexicon, reading, item)]
    if not chosen:
        return []
    by_sentence = roles.roles(reading)
    mentions = []
    for item in chosen:
        role = roles.role_at(reading, by_sentence, item.start)
        negated = is_negated(reading, item.start, item.end)
        how = stance(reading, item.start, item.end, role, negated, item.way.proper)
        surface = reading.text[item.start : item.end]
        mentions.append(Mention(item.start, item.end, item.way.component, surface, role, negated, how, item.via))
    return mentions


def _candidates(lexicon: Lexicon, reading: Reading) -> Iterator[Found]:
    """Everything that the trie, case and borders allow; overlapping."""
    text, words = reading.text, reading.words
    folded = [fold(word) for word in reading.lower]
    skipped = Cover((block.start, block.end) for block in reading.blocks if block.kind == "formula")
    code = Cover((block.start, block.end) for block in reading.blocks if block.kind == "code")
    follows = lexicon.root.follows
    for first, key in enumerate(folded):
        node = follows.get(key)
        if node is None:
            continue
        for last, ways in _paths(text, words, folded, first, node):
            start, end = words[first][0], words[last][1]
            if reading.in_address(start, end) or skipped.holds(start, start + 1):
                break
            if _OWNER.match(text, end) and text[start:end].islower():
                continue
            programmed = code.holds(start, start + 1)
            for way in ways:
                if programmed and (not way.proper and text[start:end].isalpha() or _SETTING.match(text, end)):
                    continue  # a word of the language, or the name of an argument
                stop = _fits(lexicon, text, words, first, last, way)
                if stop:
                    yield Found(start, stop, way, "alias")


def _paths(text: str, words: list[Span], folded: list[str], first: int, node: Node) -> Iterator[tuple[int, list[Way]]]:
    last = first
    while True:
        if node.ways:
            yield last, node.ways
        if last + 1 >= len(words):
            return
        following = node.follows.get(folded[last + 1])
        if following is None:
            return
        gap = text[words[last][1] : words[last + 1][0]]
        if "\n\n" in gap or gap != " " and gap != "-" and not _GAP.fullmatch(gap) and not _SIGN.fullmatch(gap):
            return
        node = following
        last += 1


def _fits(lexicon: Lexicon, text: str, words: list[Span], first: int, last: int, way: Way) -> int:
    """Where the mention ends if its letters and borders are right, else 0."""
    start, end = words[first][0], words[last][1]
    if way.tail:
        if not text.startswith(way.tail, end):
            return 0
        end += len(way.tail)
    for offset, exact in enumerate(way.exact):
        low, high = words[first + offset]
        if exact is not None and not _same(text, low, high, exact, way):
            return 0
    if first < last and not _joined_as(text, words, first, last, way.signs):
        return 0
    if way.joiner == "hyphen_or_capitals" and not _joined(text, words, first, last):
        return 0
    if not way.cased and len(way.exact) == 1 and way.proper and _short_plural(text[start:end]):
        return 0
    if way.model and _is_program(text, start, end):
        return 0
    return end if _left(lexicon, text, start, way) and _right(lexicon, text, start, end, way) else 0


def _same(text: str, low: int, high: int, exact: str, way: Way) -> bool:
    surface = text[low:high]
    if surface == exact or surface == exact + "s":
        return True
    if surface.lower() != exact.lower():
        return False
    if _SMALL_CAPS.search(text, max(0, low - 10), low):
        return True
    return way.model and surface.islower() and _HUB.match(text, high) is not None


def _short_plural(surface: str) -> bool:
    """ "Adams" is a person: a short name with one capital takes no plural."""
    return surface.endswith("s") and len(surface) <= 5 and surface[0].isupper()


def _is_program(text: str, start: int, end: int) -> bool:
    if text[start:end].lower() == "transformers" and text.startswith(" pipeline", end):
        return True
    return _PROGRAM_AFTER.match(text, end) is not None or _PROGRAM_BEFORE.search(text, max(0, start - 24), start) is not None


def _joined(text: str, words: list[Span], first: int, last: int) -> bool:
    pairs = range(first, last)
    if all(text[words[at][1] : words[at + 1][0]] in ("-", "‐", "‑") for at in pairs):
        return True
    return all(text[words[at][0]].isupper() for at in range(first, last + 1))


def _joined_as(text: str, words: list[Span], first: int, last: int, signs: str) -> bool:
    """Whether the words are joined by the signs of the alias: "pass@k" is not "pass k", but "RefCOCO/+" may lack its stroke."""
    gaps = (text[words[at][1] : words[at + 1][0]] for at in range(first, last))
    found = "".join(gap.strip(" $") for gap in gaps if gap != " " and gap != "-" and _SIGN.fullmatch(gap))
    return found == signs or not found and not signs.strip("/")


def _left(lexicon: Lexicon, text: str, start: int, way: Way) -> bool:
    """Whether nothing before the name makes it part of a longer one."""
    if start == 0:
        return True
    before = text[start - 1]
    if before in " (\n,":
        return not (before == " " and way.proper and len(way.exact) == 1 and _PERSON_BEFORE.search(text, max(0, start - 6), start))
    beyond = text[start - 2] if start > 1 else " "
    if before == "\\" or before == "_" and (beyond.isalnum() or beyond == "_"):
        return False
    if before == "}" and beyond.isalnum():
        return False
    if before in _HYPHENS and beyond.isalnum():
        if _ID_BEFORE.search(text, max(0, start - 60), start):
            return False
        word = _WORD_BEFORE.search(text, max(0, start - 30), start - 1)
        return word is not None and _prefix(lexicon, word[0], way)
    return True


def _prefix(lexicon: Lexicon, word: str, way: Way) -> bool:
    low = word.lower()
    if low.endswith("ed") and len(low) > 4 and word[1:].islower() or low in _BEFORE:
        return True
    if way.proper:
        return (len(word) > 4 or not word.islower()) and bool(lexicon.components_of(word))
    return len(way.exact) > 1 and word.islower() and len(word) >= 3 and low not in ("non", "anti", "self", "semi")


def _right(lexicon: Lexicon, text: str, start: int, end: int, way: Way) -> bool:
    """Whether nothing after the name makes it part of a longer one."""
    at = end
    while text[at : at + 1] in ("}", "$"):
        at += 1
    after = text[at : at + 1]
    if after.isalnum():
        return False
    if after == "+":
        return text[at + 1 : at + 2].isalpha()
    if after and after in _HYPHENS:
        if way.model and not way.cased and text[end - 1].islower() and "-" in text[start:end] and _ID_AFTER.match(text, end):
            return False
        word = _WORD_AFTER.match(text, at + 1 + (text[at + 1 : at + 2] == "{"))
        return word is None or _suffix(lexicon, word[0], way) and not (way.model and _is_size(word[0]) and _goes_on(text, word.end()))
    if after == "" or not way.proper:
        return True
    if after in " ~\u00a0" and way.model and _VERSION_AFTER.match(text, at) and not text[end - 1].isdigit():
        return False
    return not (len(way.exact) == 1 and after.isspace() and _PERSON_AFTER.match(text, at))


def _suffix(lexicon: Lexicon, word: str, way: Way) -> bool:
    low = word.lower()
    if low in _ENDINGS and (word.islower() or low in _TITLE_ENDINGS) or low in ("free", "less"):
        return True
    if low.endswith("ed") and len(low) > 4 and word[1:].islower():
        return True
    if way.model and _is_size(word):
        return True
    if not word.islower() and lexicon.components_of(word):
        return True
    return not way.proper and len(way.exact) > 1 and word.islower() and len(word) > 2


def _is_size(word: str) -> bool:
    return word.lower() in _SIZES or _SIZE_NUMBER.match(word) is not None


def _goes_on(text: str, at: int) -> bool:
    """Whether a model's name with its size is the beginning of another model's: "roberta-base-squad2", "bert-base-uncased__sst2"."""
    while True:
        begin = at
        while text[at : at + 1] and text[at] in _HYPHENS:
            at += 1
        word = _WORD_AFTER.match(text, at) if at > begin else None
        if word is None:
            return False
        low = word[0].lower()
        if not (_is_size(low) or low in _ENDINGS or low.endswith("ed")):
            return True
        at = word.end()


def _context(reading: Reading, item: Found) -> bool:
    way = item.way
    if way.context is None and way.unless is None:
        return True
    low = max(0, item.start - WINDOW)
    window = reading.text[low : item.end + WINDOW].lower()
    if way.unless is not None and way.unless.search(window):
        return False
    if way.context is None or way.context.search(window):
        return True
    return bool(reading.title and way.context.search(reading.title.lower()))


def _with_definitions(lexicon: Lexicon, reading: Reading, found: list[Found]) -> list[Found]:
    """What the document's own abbreviations change: one that stands for something else vetoes, one of a known long form adds an alias."""
    defined = abbreviations.definitions(reading)
    if not defined:
        return found
    kept = Kept(reading, found)
    applied: dict[tuple[str, frozenset[str]], tuple[int, ...]] = {}
    for definition in defined:
        long_form = [item for item in kept.ending_at(definition.long_end) if item.start <= definition.long_start + 4]
        meant = frozenset(item.way.component for item in long_form if item.start >= definition.long_start)
        meant = meant or lexicon.components_of(definition.long)
        if applied.get((definition.short, meant)) == kept.state(definition.short):
            continue  # defined the same way before, and nothing has changed since
        known = lexicon.components_of(definition.short)
        if meant:
            kept.drop(number for number, component in kept.written(definition.short) if component not in meant)
            if not known & meant or not kept.written(definition.short):
                way = Way(min(meant), (definition.short,), None, None, cased=True, proper=True, model=False)
                kept.extend(_local(lexicon, reading, definition.short, way))
        elif known:
            wrong = {component for component in known if not lexicon.may_mean(component, definition.long)}
            kept.drop(number for number, component in kept.written(definition.short) if component in wrong)
        applied[definition.short, meant] = kept.state(definition.short)
    return kept.items()


def _local(lexicon: Lexicon, reading: Reading, short: str, way: Way) -> Iterator[Found]:
    """Every place where a short form stands alone, with a plural s or without."""
    text = reading.text
    run = _WORD_AFTER_LETTERS.match(short)
    starts = list(reading.runs.get(run[0], ())) if run else []
    if run and run[0] == short:
        starts = sorted([*starts, *reading.runs.get(short + "s", ())])
    for start in starts:
        end = start + len(short)
        end += text[end : end + 1] == "s"
        if not text.startswith(short, start) or text[end : end + 1].isalnum() or reading.in_address(start, end):
            continue
        if _left(lexicon, text, start, way) and _right(lexicon, text, start, end, way):
            yield Found(start, end, way, "abbreviation")
