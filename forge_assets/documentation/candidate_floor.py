"""Which candidates are named components, and not words of general use: what a page of theirs needs beside the number of works.

A name may be brought up by works and still be common language ("lower bound"), a task, or the own name of many different things. A
candidate is taken for a component where works say of it what they say of components, "X is a method ...", and write it as one writes
names. Judged on the sentences that can be quoted, in whatever field they stand; nothing is said of a single name here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.components.candidates.occurrences import is_made_up
from forge_assets.components.folding import singular
from forge_assets.components.terms import TASK_HEADS
from forge_assets.documentation.slot_speech import Likeness, SlotSpeech, told
from forge_assets.documentation.subjects import CANDIDATE
from forge_resources.database import Database

DEFINED_SHARE, OFTEN = 0.5, 2
"""Least share of the works that define it whose definition calls it a component of some kind; so many of them make up for small letters."""
SLOT_SHARE, SPOKEN_SHARE = 0.5, 0.3
"""Least share of the evidence that points at its slot, in whose volume it would only be in the way otherwise; and the least where works
speak of it plainly as they do of the slot's components."""
PLAINLY = 0.05
"""Nats a word, with no slot that is likelier. Three quarters of the ontology's own components have so much, half with no slot likelier."""
LIKELIER = 1
"""Slots that may be likelier by what is said of it: neighbours such as optimizer and schedule share their words."""
NAME_SHARE = 0.5
"""Least share of the places inside sentences where it is written as a name is; words of general use are written small."""
ABBREVIATED, ABBREVIATED_SHARE = 5, 0.1
"""A name that so many works, and so large a share of them, define an abbreviation for is a name however it is written."""
OWN, OWN_SHARE = 4, 0.25
"""Where so many works, and so large a share of those that name it, introduce it as their own, it names as many different things."""
KINDS = frozenset(
    "method technique algorithm approach framework model network net architecture layer mechanism loss function metric measure score "
    "index scheme procedure strategy policy scheduler schedule kernel dataset database benchmark corpus suite testbed collection "
    "challenge tokenizer activation objective criterion module operator operation block regularizer regularization optimizer optimiser "
    "estimator sampler encoder decoder autoencoder transformer embedding classifier detector generator library toolkit package platform "
    "engine solver variant extension generalization generalisation version pipeline protocol format heuristic environment simulator "
    "processor accelerator gpu tool learner transform distance divergence baseline llm vlm agent planner predictor filter average "
    "machine tree forest regression sampling search decomposition approximation process rule walk chain prior projection program paradigm "
    "strategy interface language toolbox plugin codec controller router cache index descriptor feature representation".split()
)
"""What a definition calls a component."""
_IS = re.compile(
    r"\b(?:is|are|was|were|has become|have become|has emerged as|have emerged as)\s+"
    r"(?:(?:\w+ly|considered|regarded as|known as|also|one of)\s+)*(?:an?|the|some of the|one of the)?\s*"
    r"(?:(?:\w+ly|most|well|often)[ -](?:used|known|adopted|applied|studied|proposed|introduced|developed)\s+)?"
)
_PHRASE_ENDS = re.compile(r"[,.;:(—–]|\s(?:that|which|who|where|for|of|to|in|on|with|by|from|used|using|based|designed|proposed|aimed|"
                          r"introduced|developed|capable|able|and|as|whose|when|can|has|have|is|are|trained|built)\b")  # fmt: skip
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
QUOTED = """SELECT s.subject, s.slot, s.role, coalesce(w.work_id, s.document_id) AS work,
    substr(d.text, s.start + 1, s."end" - s.start) AS text
    FROM doc_sentence s JOIN document d USING (document_id) LEFT JOIN work_document w USING (document_id)
    ORDER BY s.subject, s.document_id, s.start"""
CANDIDATES = "SELECT candidate, name, long_form, aliases, works, signs, slot, slot_share FROM candidate WHERE candidate = ANY(:ids)"


@dataclass(frozen=True, slots=True)
class Known:
    """A candidate of the queue. `signs`: sign -> works that give it."""

    name: str
    long_form: str | None
    ways: tuple[str, ...]
    works: int
    signs: Mapping[str, int]
    slot: str = ""
    slot_share: float = 1.0


def no_components(db: Database, subjects: Iterable[str]) -> dict[str, str]:
    """Subject (`candidate:` and id) -> why it is taken for no component; those that are taken for one are left out."""
    given = sorted(subjects)
    if not given:
        return {}
    with db.begin() as connection:
        rows = connection.execute(sa.text(CANDIDATES), {"ids": [one.removeprefix(CANDIDATE) for one in given]}).all()
        sentences = connection.execute(sa.text(QUOTED)).all()
    known = {CANDIDATE + row.candidate: _known(row) for row in rows}
    said: dict[str, list[tuple[str, UUID, str]]] = {one: [] for one in given}
    for row in sentences:
        if row.subject in said:
            said[row.subject].append((row.role, row.work, row.text))
    of_components = [(row.subject, row.slot, row.text) for row in sentences if not row.subject.startswith(CANDIDATE)]
    speech = SlotSpeech(of_components, [(row.subject, row.slot, row.text) for row in sentences if row.subject.startswith(CANDIDATE)])
    judged = {one: why_not(known[one], said[one], speech.likeness(one, known[one].ways, known[one].slot)) for one in given if one in known}
    return {one: reason for one, reason in judged.items() if reason is not None}


def _known(row: Any) -> Known:
    long_form = [row.long_form] if row.long_form else []
    return Known(row.name, row.long_form, (row.name, *row.aliases, *long_form), row.works, row.signs, row.slot, row.slot_share or 0.0)


def why_not(known: Known, said: Sequence[tuple[str, UUID, str]], likeness: Likeness | None = None) -> str | None:
    """`said`: role, work and text of the sentences about it; `likeness`: how they go with its slot, where that can be told. None where it
    is taken for a component."""
    words = _WORD.findall(known.long_form or known.name)
    if words and singular(words[-1].lower()) in TASK_HEADS:
        return "it is called as tasks are"
    plainly = likeness is not None and likeness.own >= PLAINLY and not likeness.before
    needed = SPOKEN_SHARE if plainly else SLOT_SHARE
    if known.slot_share < needed:
        return f"{known.slot_share:.0%} of its evidence points at this slot; a page needs {needed:.0%}"
    if likeness is not None and likeness.own < 0:
        return "works do not speak of it as of the components of this slot"
    if likeness is not None and len(likeness.before) > LIKELIER:
        return f"works speak of it rather as of {told(likeness.before)}"
    own = known.signs.get("title", 0) + known.signs.get("proposed", 0)
    if own >= OWN and own > OWN_SHARE * known.works:
        return f"{own} of {known.works} works introduce it as their own: it names different things"
    kinds = {work: kind for role, work, text in said if role == "definition" and (kind := called(text, known.ways))}
    calling = sum(kind in KINDS for kind in kinds.values())
    if not calling or calling < DEFINED_SHARE * len(kinds):
        return f"{calling} of {len(kinds)} works that say what it is call it a component of some kind"
    abbreviated = known.signs.get("abbreviation", 0)
    if abbreviated >= ABBREVIATED and abbreviated >= ABBREVIATED_SHARE * known.works:
        return None
    named, places = written(known.ways, [text for _, _, text in said])
    if calling < OFTEN and named < NAME_SHARE * max(1, places):
        return f"written as a name in {named} of {places} places: a word of general use"
    return None


def called(text: str, ways: Sequence[str]) -> str | None:
    """The head of what the sentence says the subject is: "X is a simple method for ..." -> "method"; None where it does not say so."""
    low = text.lower()
    ends = [place + len(way) for way in ways if (place := low.find(way.lower())) >= 0]
    found = _IS.search(text, min(ends)) if ends else None
    if found is None:
        return None
    rest = text[found.end() :]
    end = _PHRASE_ENDS.search(rest)
    words = _WORD.findall(rest[: end.start()] if end else rest)
    return singular(words[-1].lower().rsplit("-", 1)[-1]) if words else None


def written(ways: Sequence[str], texts: Iterable[str]) -> tuple[int, int]:
    """(Places where it is written as a name, places): inside sentences, where a capital letter means something."""
    pattern = re.compile("|".join(re.escape(way) for way in sorted(set(ways), key=len, reverse=True)), re.I)
    named = places = 0
    for text in texts:
        for found in pattern.finditer(text):
            if found.start() > 4 and text[found.start() - 2 : found.start()].strip() not in (".", ":", "?", "!"):
                places += 1
                named += is_name(found[0])
    if not places:  # it only ever opens sentences: a made-up word or an abbreviation tells
        return sum(map(is_name_anywhere, ways[:1])), 1
    return named, places


def is_name(surface: str) -> bool:
    """Every longer word of it has a capital or a digit."""
    return (
        all(any(sign.isupper() or sign.isdigit() for sign in word) for word in _WORD.findall(surface) if len(word) > 3)
        and not surface.islower()
    )


def is_name_anywhere(surface: str) -> bool:
    return any(is_made_up(word) or word.isupper() and len(word) > 2 for word in _WORD.findall(surface))
