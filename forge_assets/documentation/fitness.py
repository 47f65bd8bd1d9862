"""Whether a sentence can stand on a page by itself, torn out of its document: 0 (never) to 1.

Never: half sentences, debris of LaTeX, HTML and extraction, headings, references. Less: sentences that lean on what stood before them
("This", "However", "the former"), on figures, or on the paper they come from ("in this paper we").
"""

from __future__ import annotations

import re

SHORTEST, LONGEST = 45, 420
FEWEST_WORDS, MOST_WORDS = 7, 62
LONGEST_WORD = 28
LETTERS = 0.72
"""Least share of letters among what is no white space."""

_END = re.compile(r"[.!?。！？][\"'”’)\]]*\Z")
_START = re.compile(r"[\"“‘'(]?[^\W_]")
_DEBRIS = re.compile(
    r"[\\${}^~|<>�\x00-\x08\x0b-\x1f]|\w_\w*[{(]|https?:|www\.|\S@\S+\.\w|&[a-z]+;|&#|Ã|â€|Â\s|\(\s*\)|\[\s*\]|\s[,.;:)](?:\s|\Z)|\n\s*\n|-\n"
    r"|\(\s|\s\)|\.\.\s?\.?|,,|\?\?|``|''|\u00ad|_{2,}|={2,}|\*{1,}|#{1,}|[•◦▪●■□►]|\bet al\.?\s*,?\s*(?:\d|\(\s*\))"
)
_GLUED = re.compile(
    r"[a-z]{2}[.?!][A-Z][a-z]|[a-z]{2},[a-zA-Z]{2}|\b[a-z]{2,}\d+\.\d|\d%[a-z]|[a-z]\([A-Z]?[a-z]{3,}|\)[a-z]{2,}|[a-z]:[A-Za-z]{2}|;[a-z]"
)
_CITATION = re.compile(r"\[\d+(?:\s*[,–-]\s*\d+)*\]|\b[A-Z][a-z]+ (?:et al\.|and [A-Z][a-z]+),? \(?(?:19|20)\d\d|\((?:19|20)\d\d[a-z]?\)")
_HEADING = re.compile(
    r"(?:Abstract|Introduction|Background|Conclusions?|Results?|Methods?|Objectives?|Purpose|Motivation|Findings|Keywords?|Index Terms"
    r"|Summary|Contributions?|Discussion|Materials and methods|Design/methodology/approach|Originality/value|Aims?|Context|Problem|Approach"
    r"|Availability|Availability and implementation|Related work|References|Note|Code|Data|Dataset|License|Usage|Setting|Significance"
    r"|Main results|Clinical relevance|Impact statement|Research limitations/implications|Practical implications)\s*[:.—–-]",
    re.I,
)
_LEANING = re.compile(
    r"\((?:\d|[ivx]{1,3}|[a-d])\)|(?:This|These|Those|That|It|Its|They|Their|Them|He|She|Such|Here|There(?:fore|by)?|However|Moreover|Furthermore|Thus|Hence|Additionally"
    r"|Also|But|And|Or|So|Then|Finally|First(?:ly)?|Second(?:ly)?|Third(?:ly)?|Next|Last(?:ly)?|Specifically|Particularly|Notably|Importantly"
    r"|Interestingly|Surprisingly|Consequently|Accordingly|Nevertheless|Nonetheless|Meanwhile|Instead|Otherwise|Similarly|Likewise|Conversely"
    r"|Indeed|Yet|Still|Besides|Overall|Further|Concretely|Crucially|Intuitively|Unfortunately|Fortunately|Alternatively|Subsequently"
    r"|Fourth(?:ly)?|Fifth|From there|Oftentimes|In light of"
    r"|Another|Others?|Both|Each|Neither|Either|Same|Later|Again|Below|Above|Ours?|My|Now|Once|Rather|Afterwards?|Empirically|Theoretically"
    r"|Experimentally|Ultimately|Additional|Subsequent|Briefly|Simultaneously|Together|Technically|Formally|Critically|Practically)\b"
    r"|(?:In|For|To|As|At|By|On|With|From|Under|Through|Despite|Due to|Based on|Because of|Given|Unlike|Beyond|Using|Among"
    r"|Towards?|Inspired by"
    r"|Motivated by|Building on|Besides|After|Compared (?:to|with)|Over|Between|Within)\s+(?:this|these|those|that|such"
    r"|its?|their|our|them|both"
    r"|particular|addition|contrast|example|instance|the same|turn|fact|short|summary|conclusion|result|an? (?:result"
    r"|consequence|comparison)"
    r"|end|other hand|hand|one hand|the (?:one|other|first|second|other|latter|former|above|contrary|proposed|present"
    r"|following)|each|general,"
    r"|more detail|detail|all cases|most cases|other words|total|both cases)\b"
    r"|(?:On the (?:one|other) hand|As such|More (?:specifically|precisely|importantly|generally)|Most (?:importantly"
    r"|notably)|At the same time"
    r"|That is|The (?:latter|former|above|proposed|resulting|present|following|second|third|other|latter|same|key idea|main"
    r"|paper|article|study"
    r"|work|authors?|results?|experiment\w*|goal|aim|code|source code|project page|method|approach|framework|system"
    r"|algorithm|model|latter|obtained"
    r"|analysis|evaluation|comparison|findings|outcome|whole|rest|first|second|new|final|current|idea|issue|problem|reason|technique|dataset|task|architecture|network|tool)\b"
    r"|Along with|What is more|Not only|If so|Even so|Like (?:this|these)|Extensive|Experiments?|Experimental results?|Results|Evaluations?"
    r"|Comprehensive|Numerical|Simulations?|Analysis|Code|Source code|Preliminary|Findings|A subsequent|Theoretical analysis|Ablations?"
    r"|Empirical (?:results?|evidence|evaluations?|stud(?:y|ies))|Evidence)\b",
)
_OWN = re.compile(
    r"\b(?:(?:in|of) this (?:paper|work|article|study|report|thesis|letter|chapter|survey|review)|this (?:paper|work"
    r"|article|study|thesis|letter"
    r"|chapter|survey|review|tutorial|research|manuscript|dissertation)|we (?:propose|present|introduce|develop|design"
    r"|describe|consider|study"
    r"|investigate|explore|address|aim|describe|discuss|review|report|conduct|formulate|devise|build|construct|create|release|then|also|further"
    r"|first|next|call|name|term|dub|perform|provide|evaluate|apply|use|adopt|employ|leverage|extend|train|test|make|outline|summari[sz]e|have|used|utili[sz]e|incorporate|integrate|combine|add|choose|select|fine-?tune|implement|collect|run|compute|obtain|rely)\b"
    r"|here we|our\b"
    r"|the proposed|proposed (?:method|approach|model|framework|algorithm)|the authors?|is (?:proposed|presented|introduced|developed)"
    r"|are (?:proposed|presented|introduced|developed)|paper (?:proposes|presents|introduces|describes|investigates|studies)|and ours)",
    re.I,
)
_POINTING = re.compile(
    r"\b(?:(?:mentioned|described|discussed|defined) above"
    r"|Fig(?:ure|s?\.)|Tab(?:le|\.)\s*\d|Section|Sec\.|Eq(?:uation|n?\.)|Algorithm \d|Appendix|Theorem|Lemma|Corollary"
    r"|Ref\.|Chapter \d)"
    r"|\b(?:the (?:latter|former|above|aforementioned|said|same)|aforementioned|above-mentioned|abovementioned|these "
    r"(?:methods|models|approaches"
    r"|techniques|issues|problems|challenges|two|three|limitations|features|results|tasks)|such (?:methods|models"
    r"|approaches|techniques|systems"
    r"|an approach|a method)|this (?:method|approach|model|technique|problem|issue|framework|task|algorithm|end|way"
    r"|challenge|limitation|property"
    r"|setting|process|assumption|phenomenon|gap)|as follows|the following|respectively|aforesaid|herein|hereby|as shown|see below)\b"
)
_PRONOUN_FIRST = re.compile(r"\b(?:it|they|them|he|she|this|these|those)\b", re.I)
_LISTED = re.compile(r"\((?:i{1,3}|iv|v|[a-d]|[1-6])\)|(?:\A|\s)[1-6]\)|\s[1-6]\.\s")
_ACCLAIM = re.compile(
    r"\b(?:gain|gaining|gained|gains|attract|attracting|attracted|attracts|receiv\w+|garner\w*|draw\w*|enjoy\w*)"
    r" (?:\w+ ){0,3}(?:attention|popularity|interest|traction)\b"
    r"|\b(?:become|becoming|became|been) (?:increasingly |very |extremely |more (?:and more )?)?"
    r"(?:a (?:hot )?(?:trend|topic)|popular|ubiquitous)\b"
    r"|\b(?:ha(?:s|ve) (?:recently )?(?:shown|demonstrated|achieved|made|seen|witnessed)|with) (?:\w+ ){0,2}"
    r"(?:remarkable|impressive|tremendous|great|promising|significant|unprecedented|outstanding)"
    r" (?:success|progress|performance|results|potential|promise|capabilities|advances?|ability)\b"
    r"|\bpushed the (?:frontier|boundaries)\b|\bperforms? remarkably\b|\brapid (?:development|advances?|progress|growth)\b",
    re.I,
)
"""What praises a subject and tells nothing of it; any abstract opens with it."""
_REPORTING = re.compile(r"\b(?:we|I)\b", re.I)


def fitness(text: str) -> float:
    """0 for what must not be quoted."""
    if not _is_whole(text) or _is_debris(text):
        return 0.0
    fit = 1.0
    if _LEANING.match(text):
        fit -= 0.7
    if found := _OWN.search(text):
        fit -= 0.5 if found.start() < 60 else 0.4
    elif _REPORTING.search(text):
        fit -= 0.22
    if _POINTING.search(text):
        fit -= 0.35
    if _PRONOUN_FIRST.search(text[:40]):
        fit -= 0.15
    if _LISTED.search(text):
        fit -= 0.3
    if _ACCLAIM.search(text):
        fit -= 0.45
    if _CITATION.search(text):
        fit -= 0.1
    if len(text) > 300:
        fit -= 0.12
    if text.endswith("?"):
        fit -= 0.4
    return max(0.0, fit)


def _is_whole(text: str) -> bool:
    """A sentence from its first word to its last sign."""
    if not SHORTEST <= len(text) <= LONGEST or not _END.search(text) or not _START.match(text):
        return False
    words = text.split()
    if not FEWEST_WORDS <= len(words) <= MOST_WORDS or max(map(len, words)) > LONGEST_WORD:
        return False
    first = words[0].lstrip("\"“‘'(")
    return first[:1].isupper() or first[:1].isdigit() or any(letter.isupper() or letter.isdigit() for letter in first)


def _is_debris(text: str) -> bool:
    if _DEBRIS.search(text) or _GLUED.search(text) or _HEADING.match(text):
        return True
    for opening, closing in ("()", "[]", "“”"):
        if text.count(opening) != text.count(closing):
            return True
    if text.count('"') % 2:
        return True
    signs = [sign for sign in text if not sign.isspace()]
    letters = sum(sign.isalpha() for sign in signs)
    capitals = sum(sign.isupper() for sign in signs)
    return letters < LETTERS * len(signs) or capitals > 0.3 * letters or not _speaks(text)


_VERB = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|can|could|may|might|will|would|should|must|does|do|did|[a-z]{3,}(?:s|ed|es)|[a-z]+ify|show|find"
    r"|use|make|give|allow|enable|provide|require|need|lead|work|learn|improve|suffer|rely|achieve|become|remain|tend|perform|reduce)\b"
)
_LATIN = re.compile(r"[A-Za-z]")


def _speaks(text: str) -> bool:
    """Whether there is a verb in it; of a text in other letters this cannot be told."""
    return not _LATIN.search(text) or _VERB.search(text) is not None
