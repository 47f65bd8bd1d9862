"""How names are listed, led up to and followed in a sentence's skeleton; `compiled` turns a pattern's template into a regular expression.

{X} and {Y} are a name or a list of names; {Y} also what leads up to it ("strong baselines such as") and what may follow it. The words
themselves stand in patterns.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from forge_assets.components.relations.skeleton import NAME

_PARTS = {
    "NAME": NAME,
    "BRACKETS": r"(?: ?\([^()]{1,60}\)| ?\[[^\[\]]{1,40}\])?",
    "ITEM": r"{NAME}{BRACKETS}(?: {HEADS}\b)?{BRACKETS}",
    "THE": r"(?:{DETERMINERS},? )*",
    "AND": r"(?:,? and |,? or |,? as well as | ?& ?| ?/ ?)",
    "LIST": r"{ITEM}(?:(?:, {THE}{ITEM})*{AND}{THE}{ITEM})?",
    # of two or more; the last may be none of ours: "networks A, B, and attention"
    "PAIR": r"(?:{ITEM}(?:, {THE}{ITEM})*{AND}{THE}{ITEM}|{ITEM}(?:, {THE}{ITEM})+(?=, (?:and )?[a-z]))",
    "PLAIN": r"(?:(?!{PREPOSITIONS}\b|[a-z-]+ing\b)[a-z-]+ ){0,4}?",
    # "adaptive optimizers such as", "the state-of-the-art method": no preposition stands between
    "SUCH_AS": r"(?:{PLAIN}{KINDS}(?:{EXAMPLES} (?:[a-z-]+(?: [a-z-]+){0,2}, (?:and )?){0,4}|: |, | ))?",
    "LEAD": r"(?P<lead>{THE}{SUCH_AS}{THE})",
    "FOLLOWS": r"(?=[.,;:!?)\]\"]|$| {FOLLOWING}\b| with {AMPLE}\b(?! (?:[^ ]+ ){0,3}[^ ]*{NAME})| and {GOES_ON}\b)",
    "ASIDE": r"{BRACKETS}(?:, {OPENERS}\b[^,;:\ue000-\uf8ff]{1,90},)?(?:,? (?:which|that))?",
    "ADV": r"(?:(?!{DOUBTING}\b)(?:[a-z]+ly|{EMPHASIS}),? (?:and )?)*",
    "BE": r"(?:is|are|was|were|be|being|become|becomes|became|remains?|(?:has|have) been)",
    "NOT": r"(?P<not>(?:does|do|did|is|are|was|were|can|could)(?: not|n't) |cannot |can't |never |no longer |fail(?:s|ed)? to )?",
    "NEVER": r"(?P<not>not |no longer |never )?",
    "SHOWN": r"(?:(?:(?:has|have|had|is|are|was|were|been) )*(?:shown|found|demonstrated|proven|proved|observed|known|seen) to (?:be )?)?",
    "NUMBER": r"[+~≈]?\d[\d.,]*",
    "TIMES": r"\\?%?\$?\\?(?:[x×]|\\times\$?| times?|-fold| points?| percentage points?| percent| orders? of magnitude)?",
    "AMOUNT": r"(?:\(?(?:{ABOUT} )? ?\$?{NUMBER} ?{TIMES}\)? )?",
    "WORDS": r"(?:(?:(?!(?:than|and|or|but|while|to|which|that|is|are)\b)[a-z@\d%-]+|{NAME}) ){0,4}?",
    "X": r"(?P<X>{LIST})",
    "X_ONE": r"(?P<X>{ITEM})",
    "X_PAIR": r"(?P<X>{PAIR})",
    "NAMED": r"{THE}(?P<X>{LIST})",
    "Y": r"{LEAD}(?P<Y>{LIST}){FOLLOWS}",
    "Y_": r"{LEAD}(?P<Y>{LIST})",
}
_PART = re.compile(r"\{([A-Z_]+)\}")


def compiled(template: str, words: Mapping[str, str]) -> re.Pattern[str]:
    """The regular expression of a template; raises KeyError for a part that is neither here nor in `words`."""
    known = {**words, **_PARTS}
    while _PART.search(template):
        template = _PART.sub(lambda part: known[part[1]], template)
    return re.compile(template)


NAMES = re.compile(NAME)
