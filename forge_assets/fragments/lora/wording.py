"""How questions and answers are worded: a handful of plain forms, chosen by the hash of what is asked about, so that they vary and stay."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

QUESTIONS: Mapping[str, Mapping[bool, Sequence[str]]] = {
    "definition": {
        False: ("What is {name}?", "Explain {name} in a sentence or two.", "What is meant by {name}?"),
        True: ("What are {name}?", "Explain {name} in a sentence or two.", "What is meant by {name}?"),
    },
    "mechanism": {
        False: ("How does {name} work?", "What does {name} do?"),
        True: ("How do {name} work?", "What do {name} do?"),
    },
    "benefit": {
        False: ("What is {name} good for?", "What is gained with {name}?"),
        True: ("What are {name} good for?", "What is gained with {name}?"),
    },
    "limitation": {
        False: ("What has to be kept in mind with {name}?", "Which needs and limits does {name} have?"),
        True: ("What has to be kept in mind with {name}?", "Which needs and limits do {name} have?"),
    },
}
"""Aspect -> plural or not -> forms."""
RELATIONS: Mapping[str, Sequence[str]] = {
    "improves_on": ("How does {subject} compare with {object}?", "Is {subject} better than {object}?"),
    "supersedes": ("Does {subject} take the place of {object}?",),
    "requires": ("What does {subject} need?", "Does {subject} depend on {object}?"),
    "conflicts_with": ("Can {subject} be combined with {object}?",),
    "composes_with": ("How are {subject} and {object} used together?", "Can {subject} be combined with {object}?"),
    "alternative_to": ("What can be used in place of {object}?", "Is {subject} an alternative to {object}?"),
}
VALUES_ASKED = ("Which value of “{title}” do works state for {name}?", "What do works say about the {title} of {name}?")
VALUES_ASKED_ALONE = ("Which {title} do works state?", "What do works set as {title}?")
CARD_ASKED = {
    False: ("What kind of component is {name}?", "Describe {name} in one line."),
    True: ("What is {name}, and which work introduced it?", "Which work introduced {name}, and what is it?"),
}
"""Whether the introducing work is known -> forms."""
SPEC_ASKED = ("Which {title} does the spec of {name} set?", "What does the spec of {name} take as {title}, and what is said of it?")
UNANSWERED = ("What is {name}?", "How does {name} work?", "What is {name} good for?")
UNANSWERED_ANSWER = "The sources given say nothing of {name}."


COUNTED = frozenset(
    "accelerator adapter agent algorithm array autoencoder benchmark block bound cache chip classifier compiler corpus "
    "decoder detector discriminator encoder estimator field filter framework function gate generator graph head index "
    "kernel layer library loss machine mask memory model module network objective optimizer penalty pipeline policy prior "
    "process processor router rate sampler schedule scheduler score simulator strategy system term token tokenizer tracker "
    "transformer tree unit".split()
)
"""Last words of names that want an article."""


def spoken(name: str, aliases: Collection[str]) -> str:
    """A name inside a sentence: small where the ontology has it so among its spellings, then with an article where it wants one."""
    small = name[:1].lower() + name[1:]
    if small == name or small not in aliases:
        return name
    if small.split()[-1] not in COUNTED:
        return small
    return f"{'an' if small[0] in 'aeiou' else 'a'} {small}"


def small(title: str) -> str:
    """As in the middle of a sentence: "Learning rate" becomes small, "LoRA rank" stays."""
    return title if any(letter.isupper() for letter in title.split()[0][1:]) else title[:1].lower() + title[1:]


def form(forms: Sequence[str], key: str) -> str:
    """One of the forms, by the hash of a key."""
    return forms[number(key) % len(forms)]


def number(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")


def cited(quote: str, numbers: Sequence[int]) -> str:
    """The sentence with its citations before the full stop."""
    marks = "".join(f"[{one}]" for one in numbers)
    return f"{quote[:-1]} {marks}." if quote.endswith(".") else f"{quote} {marks}"


def listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
