"""When a sentence that matches a pattern states nothing: questions, plans, hedges, attributions, and names that are parts of others."""

from __future__ import annotations

import re

from forge_assets.components.relations.skeleton import NAME

_HEDGE = re.compile(
    r"\b(?:may|might|could|would|should|will|whether|if|unless|ought|let us|imagine|suppos\w+|assum\w+"
    r"|hypothesi[sz]\w*|conjectur\w+|expect(?:ed|s|ing)?|hop(?:e|es|ing)|aim(?:s|ed|ing)?|plan(?:s|ned|ning)?|goal|intend\w*|future"
    r"|attempt(?:s|ed|ing)?|try|tries|tried|trying|wish\w*|want\w*|seem\w*|appears? to|tends? to|tendency|suggest\w*|potential(?:ly)?"
    r"|possib\w+|perhaps|likely|sometimes|occasionally|in theory|questions?|unclear|unknown|no evidence|contrary|belief|believed?|myth"
    r"|misconception|refute\w*|disprove\w*|doubt\w*|claim(?:s|ed|ing)?|allege\w*|once thought|(?:thought|said|reported) to|challenge"
    r"|challenging)\b"
)
_CAN = re.compile(r"\b(?:can|able to|capable of|capability|ability)\b")
_SOME = r"(?:some|certain|few|rare|several|specific|particular)"
_LIMITED = re.compile(
    rf"^[^.;]{{0,70}}?\b(?:in {_SOME} (?:cases|settings|scenarios|situations|conditions|regimes|tasks)|under {_SOME} |(?:on|for) {_SOME} "
    r"|only (?:fully |really )?(?:manifest(?:ed|s) )?(?:if|when|in|on|for|under|by)|sometimes)"
)
_UNEASY = re.compile(
    r"^[^.;]{0,60}?\b(?:is|are|was|remains?|proves?) (?:\w+ly )?(?:not|un\w+able|un(?:der)?\w+ed|difficult|challenging|non-?trivial"
    r"|hard|sub-?optimal|in\w+ible|impossible|in\w+ient|no easy|problematic|unclear)\b"
)
_USUALLY = re.compile(
    r"\b(?:often|usually|typically|commonly|generally|frequently|mainly|primarily|mostly|traditionally|conventionally|historically|normally)\b"
)
_SLIGHT = re.compile(r"\b(?:no|little|minimal|negligible|limited) (?:[a-z]+ )?(?:improvements?|gains?|advantages?|benefits?)\b")
_NEGATION = re.compile(
    r"\b(?:(?:do|does|did|could|can) not|don't|didn't|doesn't|cannot|fail(?:s|ed)? to|neither|nor|not|never|no|rarely|hardly|few)\b"
)
_BORDERS = frozenset(
    "that while whereas where but because since although though how show shows showed find finds found observe observes demonstrate "
    "demonstrates reveal reveals confirm confirms indicate indicates then however moreover furthermore here overall so thus therefore "
    "hence".split()
)
"""Words behind which a clause may begin."""
_PREMODIFIERS = frozenset(
    "the a an our proposed new novel this these both method model algorithm optimizer approach framework methods models standard vanilla "
    "simple plain original popular well-known existing recent state-of-the-art classical traditional conventional basic called technique "
    "network architecture module system named dubbed newly resulting efficient powerful common widely used regular ordinary typical usual "
    "even modern introduced presented developed only two three".split()
)
"""Words between the beginning of a clause and its subject that change nothing of what the name means."""
_QUOTES = " \"'`*_{("
_ENDS_IN_NAME = re.compile(rf"{NAME}\S*(?: [a-z]+)?,$")
_OTHERS = rf"[^{NAME[1:-1]}]*?"
_OF_A_KIND = re.compile(
    rf"{NAME}{_OTHERS} (?:methods|approaches|techniques|baselines|schemes|strategies|variants|frameworks|systems|counterparts)\b"
)
_MANY = re.compile(
    rf"{NAME}{_OTHERS} (?:models|algorithms|networks|architectures|optimi[sz]ers|losses|modules|mechanisms|objectives|policies|encoders"
    r"|decoders|embeddings|functions|tokeni[sz]ers|backbones|estimators|classifiers|detectors|kernels)\b"
)
_EXISTING = re.compile(
    r"\b(?:existing|other|previous|prior|recent|current|several|various|many|most|all|state-of-the-art|sota|leading|popular|advanced"
    r"|competing|published|mainstream|modern|latest|common|strong|competitive|representative|contemporary)\b"
)
_OTHER = re.compile(rf"\bother [^,]*{NAME}")
_BASED = re.compile(rf"(?:, {NAME}){{0,4}},?(?: and| or)? (?:{NAME}|[\w-]+?)[- ](?:based|style|like|inspired)\b")
_PRESENTED = re.compile(
    r"\b(?:our|new|novel|proposed|resulting|presented|introduced|developed) (?:(?:model|method|algorithm|approach|network|framework) )?\Z"
)
_A_NOVEL = re.compile(r"\ban? (?:[\w-]+,? )?(?:new|novel|improved|modified|extended|enhanced) (?:[\w-]+ )?\Z")
_A = re.compile(r"\b(?:a|an) (?:[\w-]+ )?\Z")
_RELATIVE = re.compile(r"(?: [\w-]+)?,? (?:which|that)\b")
_EXAMPLES = re.compile(r"\b(?:such as|like|including|namely|e\.g|i\.e|called)|: $")


def hedged(lead: str, matched: str, tail: str, *, may: bool) -> bool:
    """Whether what stands before a match (from the beginning of its clause), in it or behind it makes it no statement."""
    if _HEDGE.search(lead) or _HEDGE.search(matched) or _LIMITED.match(tail):
        return True
    return not may and (_CAN.search(matched) is not None or _CAN.search(lead) is not None)


def uneasy(tail: str) -> bool:
    """Whether the sentence goes on to say that what it speaks of does not simply work: "combining A with B is no easy feat"."""
    return _UNEASY.match(tail) is not None


def usual(matched: str) -> bool:
    """Whether only a habit is stated: "often relies on"."""
    return _USUALLY.search(matched) is not None


def slight(matched: str) -> bool:
    """Whether an improvement is as good as none: "minimal gains over"."""
    return _SLIGHT.search(matched) is not None


def denied_before(lead: str) -> bool:
    """Whether a negation stands before the match, which reaches it in ways that only a parser could tell."""
    return _NEGATION.search(lead[lead.rfind(", ") + 1 :]) is not None


def of_a_kind(lead: str, named: str) -> bool:
    """Whether the name only tells a kind of things that are meant: "existing LoRA methods", which LoRA may be none of."""
    if _EXAMPLES.search(lead):
        return False
    if lead.endswith("other ") or _OTHER.search(named):
        return True
    return _OF_A_KIND.search(named) is not None or (_MANY.search(named) and _EXISTING.search(lead + named)) is not None


def cut_short(tail: str) -> bool:
    """Whether a list of names goes on to something of theirs: the A of "A, B and C based methods" is none of them."""
    return _BASED.match(tail) is not None


def is_plural_kind(surface: str, lead: str) -> bool:
    """Whether a name as written is a plural that stands for many things of its kind: "state-of-the-art GANs", without naming examples."""
    return surface.endswith("s") and _EXISTING.search(lead) is not None and _EXAMPLES.search(lead) is None


def presented(before: str) -> bool:
    """Whether "our" or "the proposed" stands before a name, which then is a new version of what it names."""
    return _PRESENTED.search(before[-60:]) is not None


def newly_made(before: str, behind: str) -> bool:
    """Whether the name only says what kind of thing is meant: "SoupNet, a novel Transformer which", "a Transformer that"."""
    return _A_NOVEL.search(before[-60:]) is not None or _A.search(before[-30:]) is not None and _RELATIVE.match(behind) is not None


def clause_start(text: str, position: int) -> int:
    """Where the clause of what stands at `position` may begin: behind the last ; or : or ? or "but"."""
    return max(text.rfind(border, 0, position) for border in (";", ": ", "? ", " but ")) + 1


def is_subject(before: str, *, several: bool) -> bool:
    """Whether the name behind `before` is a whole noun phrase that opens a clause; `several`: a list of names stands there."""
    rest, word = _before_modifiers(before[-120:])
    if not rest or rest[-1] in ";.)—–" or rest[-1] == ":" and not several:
        return True
    if rest[-1] == ",":
        # "unlike A, B beats C" has a subject, "a mixture of A, B and C beats D" another one
        return not (several and _ENDS_IN_NAME.search(rest[-60:]))
    if word == "and":
        rest = rest[:-3].rstrip()
        return rest.endswith(",") and not _ENDS_IN_NAME.search(rest[-60:])
    return word in _BORDERS


def _before_modifiers(rest: str) -> tuple[str, str]:
    """What stands before a subject's article and adjectives, and its last word."""
    rest = rest.rstrip(_QUOTES)
    while rest:
        word = rest[rest.rfind(" ") + 1 :]
        if word not in _PREMODIFIERS:
            return rest, word
        rest = rest[: len(rest) - len(word)].rstrip(_QUOTES)
    return "", ""
