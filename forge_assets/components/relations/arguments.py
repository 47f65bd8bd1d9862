"""What a relation can hold between: mentions of components, every occurrence of the names that the document brings up, and "our method"
where the document introduces exactly one thing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from forge_assets.components.folding import fold, singular
from forge_assets.components.lexicon import WORD, Mention
from forge_assets.components.new_names import NewName
from forge_assets.components.noun_phrases import proper
from forge_assets.components.terms import TASK_HEADS
from forge_assets.components.text import Reading

_NO_METHODS = frozenset(
    "dataset benchmark corpus survey review library toolkit tool package challenge task competition study collection database suite "
    "repository platform testbed leaderboard metric score test analysis simulator environment treebank".split()
)
"""Heads of names that "our method" does not mean."""
_ADJECTIVES = frozenset("enhanced based guided driven aware augmented assisted inspired powered free style like".split())
_FIELDS = frozenset(
    "LLM LLMs VLM VLMs MLLM MLLMs LVLM LMM LM PLM SLM LRM DNN NN ANN ML DL RL DRL MARL NLP NLU NLG CV AI AGI XAI SSL FL MTL TL ICL NAS "
    "UDA SSDA DA OOD RS IR ASR MT NMT SMT QA VQA NER TTS GenAI AutoML IoT UAV API GPU CPU FPGA HPC EHR MRI EEG".split()
)
"""Fields, tasks and families too broad to be a technique, which documents like to abbreviate."""


@dataclass(frozen=True, slots=True)
class Argument:
    """text[start:end] names `identity`: a component's id or a new name.

    `own`: the document introduces it. `known`: it is a component or the document's own.
    """

    start: int
    end: int
    identity: str
    known: bool = True
    own: bool = False


def arguments(reading: Reading, mentions: Sequence[Mention], names: Sequence[NewName]) -> list[Argument]:
    """All of them in order; where two overlap, the longer one stays, a component before a name."""
    ours = {mention.component for mention in mentions if mention.stance == "introduced"}
    found = [
        Argument(item.start, item.end, item.component, own=item.component in ours)
        for item in mentions
        if names_it(item.surface, item.component)
    ]
    taken = {(item.start, item.end) for item in mentions}
    own = {name.name.lower() for name in names if name.kind != "abbreviation"}
    shorts = {name.long_form.lower(): name.name for name in names if name.long_form}
    for name in names:
        if not _technique(name) or name.name.lower() in shorts:
            continue
        for surface in (name.name, name.long_form):
            if surface:
                is_own = name.kind != "abbreviation" or (name.long_form or "").lower() in own
                found.extend(Argument(*span, name.name, is_own, is_own) for span in _places(reading.text, surface) if span not in taken)
    chosen: list[Argument] = []
    last = 0
    for item in sorted(found, key=lambda item: (item.start, -item.end)):
        if item.start >= last:
            chosen.append(item)
            last = item.end
    return chosen


_EDITIONS = frozenset("flash pro mini turbo instruct chat max lite base large small tiny preview".split())
_BROAD = frozenset(
    "video image language model network learning medical speech vision visual multi deep neural diffusion text audio graph encoder "
    "embedding training attention agent data generator loss layer based module block function method large small encoding head".split()
)


@lru_cache(maxsize=1 << 14)
def names_it(surface: str, component: str) -> bool:
    """Whether what is written names the component itself: by a telling word, or by letters in order (NAS, vision transformer of vit).

    A family carries the names of its members among its aliases ("Rad-DINO" of medical-image-encoder); what is said of one member is no
    claim about the family.
    """
    written, known = _words(surface), _words(component)
    letters, id_letters = "".join(written), "".join(known)
    if not letters or not id_letters or "variant" in known:
        return False
    if letters in ("".join(known[first:last]) for first in range(len(known)) for last in range(first + 1, len(known) + 1)):
        return True
    if any(len(part) > 1 and fold(part) not in (*known, *_EDITIONS) and part not in id_letters for part in _parts(surface)):
        return False
    if id_letters in letters:
        # "Sparse DETR" is another thing than DETR, "LoRA adapter" is none
        return len(written) == 1 or len(known) > 1 or written[-1] != id_letters or written[0] in _BROAD
    shared = [one for one in written for other in known if len(one) > 1 and (one == other or len(one) > 4 and one[:6] == other[:6])]
    if not _BROAD.issuperset(shared) and _has_head(written, known):
        return True
    initials, id_initials = ("".join(word[0] for word in words) for words in (written, known))
    if id_initials in written or len(initials) > 1 and any(word.startswith(initials) for word in known):
        return True
    return letters[0] == id_letters[0] and (
        _in_order(id_letters, letters) or len(written) == 1 and len(letters) <= 5 and _in_order(letters, id_letters)
    )


def _has_head(written: Sequence[str], known: Sequence[str]) -> bool:
    """Whether the last word of `known` is written, or too broad to be, and no other modifier stands before it ("residual flow")."""
    head = known[-1]
    if head in _BROAD:
        return True
    if not any(head[:4] == word[:4] for word in written):
        return False
    return len(known) == 1 or any(one[:4] == other[:4] for one in written for other in known[:-1]) or written[0][:4] == head[:4]


def _parts(surface: str) -> list[str]:
    """The parts of a hyphenated made-up name, which make it another one: Long, CLIP; none of "self-attention"."""
    parts = [part.lower() for part in surface.split("-") if part.isalpha()]
    return parts if len(parts) > 1 and " " not in surface and any(part.isupper() for part in surface.split("-")) else []


def _words(name: str) -> list[str]:
    """Folded words, without digits: versions do not tell families apart here."""
    words = ("".join(letter for letter in fold(word) if letter.isalpha()) for word in WORD.findall(name))
    return [word for word in words if word]


def _in_order(letters: str, word: str) -> bool:
    """Whether all of `letters` occur in `word` in their order."""
    rest = iter(word)
    return all(letter in rest for letter in letters)


def introduced(reading: Reading, mentions: Sequence[Mention], names: Sequence[NewName]) -> str | None:
    """The identity of the one method that the document introduces; None where there is none, several, or something else than a method.

    "We propose A (...) and B (...)" introduces two, whether or not both are told to be proposed.
    """
    found: dict[str, NewName | None] = {}
    for name in names:
        if name.kind != "abbreviation":
            found[_key(name.name)] = name
    for mention in mentions:
        if mention.stance == "introduced":
            found[mention.component] = None
    long_forms = {_key(name.long_form) for name in names if name.long_form}
    left = [(key, name) for key, name in found.items() if key not in long_forms]
    if len(left) != 1:
        return None
    key, only = left[0]
    if only is None:
        return key
    if only.kind == "proposed" and any(_beside(reading, only, name) for name in names):
        return None
    words = only.name.split()
    short = len(words) <= 2 and any(proper(word) for word in words)
    return only.name if short and _technique(only) else None


def _beside(reading: Reading, one: NewName, other: NewName) -> bool:
    """Whether another abbreviation is defined in the sentence that proposes a name, and is neither its own nor a field's."""
    same = reading.sentence_at(one.start) == reading.sentence_at(other.start)
    return same and other.name != one.name and other.long_form is not None and other.long_form != one.name and _technique(other)


def _is_method(name: NewName) -> bool:
    return name.head is None or _NO_METHODS.isdisjoint(singular(word) for word in name.head.split())


def _technique(name: NewName) -> bool:
    """Whether a name can be told from ordinary words wherever it stands, and names neither a field, a task nor a benchmark."""
    if (
        len(name.name) < 3
        or not (name.name[-1].isalnum() or name.name[-1] in "+*")
        or " and " in name.name
        or name.name.endswith(("'s", "’s"))
        or name.name in _FIELDS
        or not (" " in name.name or any(proper(word) for word in name.name.split()))
    ):
        return False
    last = (name.long_form or name.name).lower().split()[-1]
    if not _is_method(name) or last.rsplit("-", maxsplit=1)[-1] in _ADJECTIVES:
        return False
    return not (singular(last) in TASK_HEADS and (name.kind == "abbreviation" or name.long_form is None)) and not last.endswith("methods")


def _key(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _places(text: str, surface: str) -> Iterator[tuple[int, int]]:
    at = text.find(surface)
    while at >= 0:
        end = at + len(surface)
        if not (at and text[at - 1].isalnum()) and not text[end : end + 1].isalnum():
            yield at, end
        at = text.find(surface, end)


SELF = re.compile(
    r"\b(?:(?:[Oo]ur|[Tt]he (?:newly |here )?(?:proposed|presented|introduced|resulting))"
    r"(?: (?:own|new|novel|simple|full|final|best|overall|entire|end-to-end|unified|general|proposed|single|small|large|base))* "
    r"(?:methods?|models?|approach|algorithm|techniques?|optimi[sz]er|networks?|architecture|scheme|strategy|system|framework|module|loss"
    r"|tokeni[sz]er|attention)|[Tt]his (?:method|approach|algorithm|technique|optimi[sz]er|scheme|strategy)"
    r"|[Ww]e(?= (?:[a-z]+ly |also |even )*(?:outperform|surpass|beat|exceed|improve)))(?= [a-z(]|[,.;:)])"
)
"""How a document speaks of what it introduces."""
