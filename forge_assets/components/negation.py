"""Whether a name is negated or ruled out: "without dropout", "does not use LSTMs", "GELU instead of ReLU", "attention-free".

Looks back from the name, word by word, to a cue; ends at the border of the clause or at a word behind which a cue reaches no further.
"""

from __future__ import annotations

import re

from forge_assets.components.text import Reading

REACH = 10
"""Words that a cue may stand before the name."""

_CUES = frozenset(
    "without unlike lacking lacks lack omitting omits omit omitted discarding discards discard eliminating eliminates "
    "eliminate removing removes remove "
    "removed avoiding avoids avoid forgoing forgoes forgo excluding excludes bypassing bypasses bypass replacing replaces "
    "replace replaced nor neither "
    "dispensing dispense dispenses abandoning abandons abandon disabling disable disabled".split()
)
_OF_CUES = frozenset(("instead", "lieu", "place", "independent", "devoid"))
_NOT = frozenset(("not", "never", "cannot", "t"))
_USING = frozenset(
    "use uses used using usage require requires required requiring need needs needed needing rely relies relied relying "
    "employ employs employed employing "
    "include includes included including involve involves involving depend depends depending apply applies applied applying "
    "have has having contain "
    "contains adopt adopts adopted utilize utilizes utilise resort resorting assume assumes leverage leverages exploit "
    "incorporate incorporates "
    "introduce add adding support supports supported based need trained equipped".split()
)
_DETERMINERS = frozenset(
    "a an the any some such just only standard explicit explicitly additional further extra full of or and its their our all".split()
)
_STOPS = frozenset(
    "but while whereas however although though which who whose we it they this these that by via through is are was were be "
    "been can could may "
    "will would should must shall do does did then because since if when where so as for in at from into between during after before "
    "loss degradation degrading sacrificing sacrifice changing changes modifying modification altering hurting compromising "
    "affecting losing harming harm "
    "retraining outperforms outperform significantly accuracy performance better than with to on of".split()
)
# A preposition through which the scope of a cue reaches, by the word before it.
_THROUGH = {
    "of": frozenset("use usage application instead lieu place need independent devoid presence form kind type help aid".split()),
    "on": frozenset("rely relies relying relied depend depends depending based dependence reliance".split()),
    "to": frozenset("resort resorting need needs having have has recourse opposed".split()),
    "for": frozenset(("need", "needs", "necessity")),
    "with": frozenset(("dispense", "dispenses", "dispensing", "trained", "equipped", "away")),
    "from": frozenset(("suffer", "away")),
    "than": frozenset(("rather",)),
    "in": frozenset(("resulting",)),
}
_AFTER = re.compile(
    r"(?:s\b)?(?:[\s-]+(?!is|are|was|were|not|and|or|but)[a-z]+){0,2}?\s+"
    r"(?:is|are|was|were|be|been|being|has been|have been|can be|could be)\s+"
    r"(?:completely |entirely |simply |thus |therefore |also |then |fully )?"
    r"(?:(?:not|never|no longer)\s+(?:\w+ly\s+)?"
    r"(?:used|required|needed|applied|necessary|included|employed|adopted|present|considered|supported|available|enabled)"
    r"|removed|omitted|replaced|disabled|unnecessary|dropped|eliminated|discarded|avoided|absent|excluded"
    r"|turned off|switched off|abandoned)\b",
)
_BORDER = re.compile(r"[;:!?()\[\]—\n]|--|\.\s|\s–\s")
_FREE = re.compile(r"[-\s]?(?:free|less)\b(?!\s+of)")
_OR_AHEAD = re.compile(r"[^.;:()]{0,60}?,?\s(?:or|nor)\s")


def is_negated(reading: Reading, start: int, end: int) -> bool:
    """Whether the name at text[start:end] is negated or ruled out by its clause."""
    text = reading.text
    if _FREE.match(text, end) and text[end : end + 1] == "-":
        return True
    first, last = reading.sentence_span(start)
    tail = text[end : min(last, end + 120)]
    if (" not " in tail or "n't" in tail or "ed" in tail or "un" in tail or "ab" in tail) and _AFTER.match(tail):
        return True
    return _cue_before(reading, first, start, end)


def _cue_before(reading: Reading, first: int, start: int, end: int) -> bool:
    text, lower, words = reading.text, reading.lower, reading.words
    before = reading.word_range(first, start)
    edge = start
    passed: list[str] = []
    for index in reversed(before[-REACH:]):
        gap = text[words[index][1] : edge]
        if _BORDER.search(gap) or "," in gap and not _in_list(text, gap, passed, start, end):
            return False
        word = lower[index]
        previous = lower[index - 1] if index > before.start else ""
        verdict = _judge(word, previous, passed, gap)
        if verdict is not None:
            return verdict
        passed.append(word)
        edge = words[index][0]
    return False


def _judge(word: str, previous: str, passed: list[str], gap: str) -> bool | None:
    """True: a cue. False: the scope ends here. None: look further back. `passed`: the words from here to the name, last first."""
    if word in _CUES:
        return not (word == "without" and passed and passed[-1].endswith("ing") and passed[-1] not in _USING and len(passed) > 1)
    if word == "of" and previous in _OF_CUES or word == "than" and previous == "rather" or word == "to" and previous == "opposed":
        return True
    if word == "no":
        if gap.startswith("-") or passed and passed[-1] in ("longer", "less", "loss", "more", "only", "significant"):
            return False
        return len(passed) <= 4
    if word in _NOT and (word != "t" or gap != ""):
        return _negates(passed)
    through = _THROUGH.get(word)
    if through is not None:
        return None if previous in through else False
    return False if word in _STOPS else None


def _negates(passed: list[str]) -> bool:
    """Whether "not" rules out what follows: "not use X", "not X", but neither "not only X" nor "not improve X"."""
    if passed and passed[-1] in ("only", "just", "merely", "limited", "necessarily"):
        return False
    leading = [word for word in reversed(passed) if word in _USING or not word.endswith("ly")]
    return not leading or leading[0] in _USING or all(word in _DETERMINERS for word in leading)


def _in_list(text: str, gap: str, passed: list[str], start: int, end: int) -> bool:
    """Whether a comma on the way back separates things ruled out together: "without A, B, or X", "without A, X, or B"."""
    nearest = passed[-1] if passed else ""
    if nearest in ("or", "nor"):
        return True
    return (
        len(passed) <= 2 and not gap.strip(" ,") and (_OR_AHEAD.match(text, end) is not None or bool(passed) and passed[0] in ("or", "nor"))
    )
