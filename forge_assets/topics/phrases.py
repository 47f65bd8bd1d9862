"""Titles -> the phrases they hold: runs of up to four words between stop words and punctuation, which is where noun phrases stand (Rose et
al. 2010, RAKE). A phrase is compared by its key: lower case, no hyphens, the last word in the singular.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

WORD = re.compile(r"[^\W_]+(?:['’.+-][^\W_]+)*\+*|[^\s\w]", re.UNICODE)
YEAR = re.compile(r"(?:19|20)\d\d$")
LONGEST = 4

FUNCTION = """a about above across after again against all along also always am among an and another any are around as at away be because
been before behind being below between beyond both but by can cannot could did do does doing done down due during each
either else enough ever every few for from further get gets getting give given gives go goes going good had has have having
he her here hers him his how i if in into is it its itself just less let lets like made make makes making many may me might
more most much must my near need needs neither never no nor not now of off on once one ones only or other others our out
over own per rather really same say says see seen she should since so some still such take takes taking than that the their
them themselves then there these they this those three through thus to together too toward towards two under until up upon
us use used useful uses using very via was way ways we well were what when where whether which while who whom whose why will
with within without would yes yet you your vs versus et al non der die das und für von im des les une un de la le el los las
del en du pour dans sur par avec aux au para una por con mit zur zum auf ein eine einer eines"""
RESEARCH = """able accurate achieve achieving adapt address advance advanced advances advancing aid aided analyse analyses analysis
analyze analyzing apply applied applying application applications approach approaches article aspect aspects assess
assessing assessment author authors aware base based basic benefit best better beat beats beating big boost boosting bridge
bridging bring bringing build building call case cases challenge challenges challenging change combine combined combining
common compare compared comparing comparative comparison comprehensive conference consider considerations consistent
construct constructing contribution contributions current cutting deal dealing demonstrate design designing detailed develop
developing development different difficult directions discover discovering discuss discussion driven early easy edition
editor effect effective effectively effectiveness effects efficient efficiently elegant emerging employ enable enabled
enabling encourage end enhance enhanced enhancement enhancing ensure establishing estimate evaluate evaluating evidence
evolving examination examine examining example examples exist existing experiment experimental experiments exploit
exploiting exploration explore exploring extend extended extending extension fast faster find finding findings first
flexible focus formal framework frameworks full future fundamental generic get going great guide guided guiding handling
harness harnessing help helps high highly identify identifying idea ideas impact implement implementation implementing
implication implications important improve improved improvement improvements improves improving increase increasing initial
innovative insight insights integrate integrated integrating integration interesting introduce introducing introduction
investigate investigating investigation issue issues key know last latest lead leading lessons leverage leveraging
lightweight limit limitations limits little looking low main matter matters mean means measure measuring method methodology
methods mitigate mitigating model-agnostic modern multi new note notes novel number obtain obstacle only open opportunities
opportunity outline overcome overcoming overview paper papers part perform performance performing perspective
perspectives pilot position possible potential powerful practical practice preliminary present presenting principle
principles problem problems proceedings produce proposal propose proposed prospects provide provides providing pushing
quality realistic really recent reduce reducing regarding related reliable remarks report research rethinking review reviews
revisit revisited revisiting right rise road robust role scalable scale show shows simple simplify simplified solution
solutions solve solving special specific state-of-the-art strategies strategy strong studies study studying success
successful summary survey surveys system systems tackle tackling task tasks technique techniques technology technologies
testing think thing things third tool tools toolkit topic toward trend trends try turn tutorial ultimate understand
understanding unified unify unifying unlock unlocking usage utilizing utility various view views want what-if what's wide
work working works workshop workshops world year years abstract appendix chapter volume preface editorial foreword erratum
corrigendum keynote invited talk poster demo welcome shared submission competition participation symposium annual
international january february march april may june july august september october november december"""
BROKEN_AT = frozenset(FUNCTION.split())
WEAK = frozenset(RESEARCH.split())
"""Words that tell nothing of a topic: no phrase begins or ends with one, and none stands alone."""


def words(text: str) -> list[str]:
    """Words and punctuation marks as they are written."""
    return WORD.findall(text)


def singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def key_of(phrase: str) -> str:
    """The phrase as it is compared with others."""
    parts = phrase.lower().replace("-", " ").replace("’", "'").split()
    return " ".join([*parts[:-1], singular(parts[-1])]) if parts else ""


def phrases(title: str, longest: int = LONGEST) -> Iterator[tuple[str, str]]:
    """(key, phrase as written) of each candidate, once per place."""
    run: list[str] = []
    for word in [*words(title), "."]:
        if _carries(word):
            run.append(word)
        else:
            yield from _of_run(run, longest)
            run = []


def _carries(word: str) -> bool:
    return word[0].isalnum() and word.lower() not in BROKEN_AT


def _of_run(run: list[str], longest: int) -> Iterator[tuple[str, str]]:
    weak = [word.lower() in WEAK or not any(c.isalpha() for c in word) or len(word) < 2 or bool(YEAR.search(word)) for word in run]
    for begin in range(len(run)):
        if weak[begin]:
            continue
        for end in range(begin + 1, min(begin + longest, len(run)) + 1):
            if weak[end - 1]:
                continue
            phrase = " ".join(run[begin:end])
            yield key_of(phrase), phrase


def casing(title: str) -> Iterator[tuple[str, bool]]:
    """(word in lower case, whether it has a capital) of the words after the first, of a title that writes common words small."""
    said = [word for word in words(title)[1:] if word[0].isalpha() and len(word) > 3]
    if len(said) >= 3 and sum(word[0].islower() for word in said) >= 0.6 * len(said):
        yield from ((word.lower(), word[0].isupper()) for word in said)
