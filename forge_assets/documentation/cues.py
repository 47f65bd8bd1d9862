"""What a sentence says about its subject, by cues: a definition, a mechanism, a parameter, a result, a comparison or a limitation.

A cue counts where it stands in relation to the subject: "LoRA is a ..." defines LoRA, "... is a variant of LoRA" does not.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from forge_assets.documentation.volume import Role

_LEAD = re.compile(
    r"\A(?:(?:The|A|An|Recently,|Typically,|Generally,|In practice,|Traditionally,|In machine learning,|In deep learning,)\s+)?\Z"
)
_AFTER_NAME = r"(?:\s*\([^()]{1,60}\))?(?:\s+(?:method|algorithm|model|technique|approach|framework|optimi[sz]er|architecture|network|layer|mechanism|loss|function|metric|scheme|procedure|strategy|system|scheduler|schedule|kernel|dataset|benchmark|corpus|tokenizer|activation|activation function)s?)?"
_ADVERBS = r"(?:\s+(?:essentially|basically|simply|typically|usually|commonly|generally|often|widely|also|now|currently|arguably|traditionally|mainly|primarily|frequently))?"
_IS = re.compile(
    rf"{_AFTER_NAME}{_ADVERBS}\s+(?:is|are|was|were)(?:{_ADVERBS})\s+(?:an?|the|one of the|among the|defined as|known as|a kind of|techniques?"
    rf"|methods?|models?|[a-z-]+ (?:methods?|techniques?|models?|algorithms?|networks?|approach(?:es)?)|(?:widely|commonly|often)[\w -]{{0,20}} used)\b"
)
_REFERS = re.compile(
    rf"{_AFTER_NAME}{_ADVERBS}\s+(?:refers? to|denotes?|stands? for|describes? the|represents? an?|constitutes? an?|consists? of|comprises?"
    rf"|provides? an?|belongs? to|aims? (?:to|at)|seeks? to|deals? with|is concerned with|are concerned with|involves?)\b"
)
_APPOSED = re.compile(r"(?:\s*\([^()]{1,60}\))?,\s+(?:an?|the|one of the|which (?:is|are))\s+[\w-]+")
_NOT_DEFINING = re.compile(
    r"\b(?:is|are|was|were)\s+an?\s+(?:[\w-]+\s+){0,2}(?:challeng\w+|problem|issue|bottleneck|key|crucial|important|major|necessary|essential|promising"
    r"|difficult|critical|long-standing|longstanding|open|hot|active|natural|good|better|great|popular topic|concern|need|must|case|consequence|fact)\b|"
    r"\b(?:is|are|was|were)\s+(?:the|one of the)\s+(?:[\w-]+\s+){0,3}(?:challeng\w+|problems?|issues?|bottlenecks?|reasons?|causes?|topics?|keys?|goals?|concerns?)\b"
)
_ACTS = re.compile(
    rf"{_AFTER_NAME}(?:,[^,]{{1,80}},)?{_ADVERBS}\s+(?:works? by|operates?|uses?|employs?|applies|apply|adds?|computes?|calculates?|estimates?|replaces?"
    r"|encodes?|learns?|maps?|splits?|divides?|combines?|integrates?|normali[sz]es?|updates?|stores?|keeps?|samples?|selects?|predicts?|generates?|masks?"
    r"|minimi[sz]es?|maximi[sz]es?|adjusts?|adapts?|scales?|rescales?|approximates?|decomposes?|factori[sz]es?|quanti[sz]es?|prunes?|freezes?|injects?|inserts?"
    r"|introduces?|relies|rely|assigns?|aggregates?|transforms?|converts?|projects?|extracts?|attends?|captures?|exploits?|leverages?|utili[sz]es?|trains?"
    r"|optimi[sz]es?|updates?|averages?|reuses?|shares?|partitions?|distributes?|synchroni[sz]es?|accumulates?|clips?|penali[sz]es?|regulari[sz]es?|smooths?"
    r"|builds?|constructs?|iterates?|merges?|tokeni[sz]es?|segments?|models?|represents?|imposes?|enforces?|allows?|enables?|treats?|performs?|processes"
    r"|avoids?|eliminates?|reduces?|removes?|restricts?|limits?|drops?|skips?|routes?|activates?|gates?|balances?|translates?|aligns?|distills?|transfers?"
    r"|is (?:computed|applied|based|trained|obtained|built|used to|used for|designed to|implemented|added|composed|made up|calculated|formulated)"
    r"|are (?:computed|applied|based|trained|obtained|built|used to|used for|designed to|implemented|added|composed|made up|calculated|formulated))\b"
)
_USED = re.compile(
    rf"{_AFTER_NAME}\s+(?:is|are|has been|have been)\s+(?:\w+ly\s+)?(?:used|applied|adopted|employed|utili[sz]ed|exploited)\s+(?:to|for|in|as)\b"
)
_BY = re.compile(
    r"\bby\s+(?:\w+ly\s+)?[a-z]{3,}ing\b|\bin which\b|\bso that\b|\bwhere (?:the|each)\b|\binstead of\b|\bsuch that\b|\bthereby\b"
)
_LIMITS = re.compile(
    r"\b(?:suffers?|suffering|limited (?:by|to)|limits|limitations?|fails? to|failure|cannot|can not|drawbacks?|shortcomings?|expensive|prohibitive(?:ly)?|costly"
    r"|struggles?|lacks?|prone to|sensitive to|sensitivity to|at the cost of|at the expense of|overhead|bottlenecks?|vulnerable|susceptible|unstable|instability|instabilities"
    r"|diverges?|degrad\w+|deteriorat\w+|hinder\w*|impractical|infeasible|intractable|unable to|insufficient|ineffective|inefficient|suboptimal|sub-optimal"
    r"|overfit\w*|collapses?|poor(?:ly)?|does not|do not|is not|are not|not guaranteed|no guarantee|requires? (?:a )?(?:large|huge|significant|substantial|careful|expensive|considerable|extensive)"
    r"|memory-intensive|computationally (?:expensive|demanding|intensive|heavy)|slow(?:ly)? converge\w*|vanishing|exploding|hard to (?:tune|train)|difficult to (?:tune|train|optimi[sz]e|interpret|scale)"
    r"|high (?:memory|computational|communication) (?:cost|costs|overhead|demands?)|quadratic(?:ally)?|hallucinat\w+|biased|weakness\w*|challenging|trade-?offs?)\b",
    re.I,
)
_RESULT = re.compile(
    r"\b(?:outperform\w*|surpass\w*|achiev\w+|attain\w*|improv\w+|reduc(?:es|ed|ing|tion) \w+|(?:we|they) (?:show|find|found|observe|demonstrate|prove|report|establish|verify|reveal)"
    r"|(?:results?|experiments?|evaluations?|analys[ie]s|findings|evidence|study|studies) (?:\w+ )?(?:show|shows|showed|demonstrate|demonstrates|suggest|suggests|indicate|indicates|reveal|reveals|confirm|confirms)"
    r"|state-of-the-art|accuracy of|score of|speed-?ups?|faster|\d+(?:\.\d+)?\s?(?:%|x\b|×|times\b|points?\b|percent)|converges? (?:to|at|faster|with)|yields?|gains?"
    r"|leads? to (?:better|improved|higher|lower|faster|significant)|performs? (?:well|better|best|comparably|worse|poorly)|competitive|comparable)\b",
    re.I,
)
_COMPARES = re.compile(
    r"\b(?:outperform\w*|surpass\w*|exceed\w*|than|compared (?:to|with)|comparison (?:to|with|of|between)|versus|vs\.?|whereas|unlike|in contrast to|as opposed to|rather than|instead of"
    r"|alternatives? to|superior to|inferior to|better|worse|on par with|comparable (?:to|with)|similar to|competitive with|differs? from|differences? between|over (?:standard|vanilla|conventional)"
    r"|between|both|while|generali[sz]es|extends|variants? of|replac\w+)\b",
    re.I,
)
_STRONG = re.compile(
    r"\b(?:outperform\w*|surpass\w*|exceed\w*|than|compared (?:to|with)|versus|vs\.?|unlike|alternatives? to|superior to|inferior to|on par with|comparable (?:to|with)"
    r"|competitive with|differs? from|differences? between|whereas)\b",
    re.I,
)
_OPEN = re.compile(
    r"\b(?:open (?:problem|question|challenge|issue|research)s?|remains? (?:an? |largely |poorly |still |relatively |highly |mostly )?(?:\w+ )?(?:open|unclear|unknown|challenging|unexplored|elusive|underexplored|unsolved|unresolved|limited|difficult|understudied|challenge)"
    r"|poorly understood|not (?:yet |well |fully |been )+(?:understood|explored|studied|clear|solved|known|investigated|addressed)|little is known|under-?explored|under-?studied|unexplored|less explored|largely ignored|overlooked|future (?:work|research|directions?)"
    r"|unsolved|unresolved|yet to be|is lacking|no (?:principled|theoretical|systematic|unified|clear|comprehensive) \w+|lack of (?:theoretical|principled|systematic|understanding|a |large|standard\w*|consensus)|still (?:an )?(?:open|lacking|lacks?|challenging|unclear|limited|poorly|far))\b",
    re.I,
)
_ADVICE = re.compile(
    r"\b(?:recommend\w*|should (?:be|use|not|also|consider)|best practices?|guidelines?|it is (?:important|essential|crucial|necessary|advisable|better|best|sufficient|beneficial|possible) to|in practice|practitioners?|rule of thumb|need to be|needs to be|must be|is (?:crucial|essential|necessary|critical|important|key) (?:for|to|in)"
    r"|are (?:crucial|essential|necessary|critical|important) (?:for|to|in)|careful(?:ly)? (?:tun|choos|select|design|choice|hyper)\w*|choice of|trade-?off between|proper(?:ly)? (?:tun|choos|chosen|select)\w*|plays? an? (?:\w+ )?(?:role|part) in|depends? on|requires? careful|effective (?:way|when|if|for)|works? (?:best|well) (?:when|with|for|if)|suffices?|default choice|de facto|standard practice|typically (?:set|chosen|used|trained|requires?))\b",
    re.I,
)


class Said(NamedTuple):
    """The role of a sentence for its subject, how strongly (0 to 1), and whether it names something unsolved, or something to do."""

    role: Role | None
    strength: float
    open: bool
    advice: bool


def said(text: str, start: int, end: int, others: int, has_value: bool) -> Said:
    """`text[start:end]` is the subject's name in the sentence; `others`: further components that are named; `has_value`: a setting is."""
    unsolved, advice = _OPEN.search(text) is not None, _ADVICE.search(text) is not None
    role, strength = _role(text, start, end, others, has_value)
    if unsolved and role not in ("definition", "comparison"):
        role, strength = "limitation", max(strength, 0.7)
    return Said(role, strength, unsolved, advice)


def _role(text: str, start: int, end: int, others: int, has_value: bool) -> tuple[Role | None, float]:
    first = _LEAD.match(text[:start]) is not None
    if first and not _NOT_DEFINING.search(text[end : end + 90]):
        if _IS.match(text, end) or _REFERS.match(text, end):
            return "definition", 1.0
        if _APPOSED.match(text, end):
            return "definition", 0.75
    if others and _STRONG.search(text):
        return "comparison", 0.9 if first else 0.7
    if _LIMITS.search(text):
        return "limitation", 0.9 if first else 0.55
    if first and (_ACTS.match(text, end) or _USED.match(text, end)):
        return "mechanism", 0.95 if _BY.search(text, end) else 0.85
    if has_value:
        return "parameter", 0.7
    if _RESULT.search(text):
        return "result", 0.8 if first else 0.5
    if others and _COMPARES.search(text):
        return "comparison", 0.5
    if _BY.search(text) and start < len(text) / 2:
        return "mechanism", 0.55
    return None, 0.0
