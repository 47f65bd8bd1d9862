"""Words by their stems: good for comparing two words of English, and for nothing else. Both sides are stemmed alike."""

from __future__ import annotations

from functools import lru_cache

from forge_assets.components.folding import fold

_IRREGULAR = """use: used using uses; keep: kept; fall: fell fallen; rise: rose risen rising; run: ran; take: took taken; make: made
show: shown; hold: held; give: gave given; get: got; go: went gone; find: found; lead: led; leave: left leaving
lose: lost losing loses; send: sent
spend: spent; stand: stood; write: wrote written; draw: drew drawn; grow: grew grown; know: knew known; see: saw seen; choose: chose chosen
build: built; begin: began begun; become: became; come: came; bring: brought; think: thought; feed: fed; split: splitting; tie: tied tying
hide: hid hidden; freeze: froze frozen; break: broke broken; win: won; mean: meant; have: has had having; say: said; tell: told
let: letting; be: is are was were been being; do: does did done; shrink: shrank shrunk; speed: sped
learn: learnt; deal: dealt; drive: drove driven
arise: arose arisen; feel: felt; understand: understood; seek: sought; lay: laid; underlie: underlying; overcome: overcame
forget: forgot forgotten; teach: taught; catch: caught; fight: fought; sell: sold; pay: paid; hear: heard; meet: met; sit: sat
strike: struck; spin: spun; swap: swapping; vertex: vertices; matrix: matrices; index: indices; axis: axes; hypothesis: hypotheses
analysis: analyses; criterion: criteria; phenomenon: phenomena; thesis: theses; synthesis: syntheses; corpus: corpora; datum: data
medium: media; optimum: optima; maximum: maxima; minimum: minima; appendix: appendices; basis: bases; crisis: crises; spectrum: spectra
simplex: simplices; mimic: mimicking mimicked; overall: general generally; beat: beaten; outdo: outdid outdone
undergo: underwent undergone; undo: undid undone; bear: bore borne
foresee: foresaw foreseen; withstand: withstood; strive: strove striven; throw: threw thrown; wear: wore worn; steal: stole stolen
lend: lent; bend: bent; swing: swung; spring: sprang sprung; ride: rode ridden; redo: redid redone; rewrite: rewrote rewritten
outgrow: outgrew outgrown; forgo: forwent forgone; weave: wove woven; shake: shook shaken; cling: clung; dig: dug; hang: hung
widespread: prevalent prevalence; vortex: vortices; formula: formulas formulae"""
IRREGULAR = {
    form: entry.split(":")[0].strip() for entry in _IRREGULAR.replace("\n", ";").split(";") for form in entry.split(":")[1].split()
}
_OWN = frozenset(
    """reasoning planning planner plane planes representation representations representational causal causality comment comments currency
station stations tile tiles tiling hop hops hopping theme themes mental sensing sensor news app apps import imports instant impedance quest
numeral numerals security treatment presentation presentations consistency consistent continuous emergent emergence observation observations
operation operations variable variables variance variational valuation meaning rendering execution orientation formal station reference
references referent referents authority authorities actuation actuated employee employees employment ordering routing relational implant
implantation dependency dependencies phrase phrases""".split()
)
"""Words whose stem would be that of another word with another meaning: a plane is no plan. They keep all but a plural s."""
_INSTEAD = {"ization": "is", "ction": "c", "ically": "ic", "ical": "ic", "ally": "al", "ied": "y", "ability": "abl", "ibility": "ibl"}
_ENDINGS = [
    (ending, _INSTEAD.get(ending, ""))
    for ending in (
        "ization ational ically ation ction ional ion ibly ably ously ous ally ly ating ated ate ing ied ed ement ment ness ability ibility"
        " ful ity ance ence ancy ency able ible ant ent ical al e"
    ).split()
]
_LATE = frozenset("ful ance ence ancy ency ant ent al able ible ical ity ating ated ate ation ational".split())
"""Endings that go only where four letters stay."""


@lru_cache(maxsize=1 << 15)
def stem(word: str) -> str:
    """The word in small letters without its endings: partitioning, partitions and partitioned are one."""
    if word.lower() in _OWN:
        return fold(word).removesuffix("s") + "ʼ"
    folded = fold(IRREGULAR.get(word.lower(), word))
    if len(folded) <= 3:
        return folded
    for _ in range(2):  # partitioning, partition, partit
        for ending, instead in _ENDINGS:
            least = 2 if ending == "e" else 4 if ending in _LATE else 3
            if folded.endswith(ending) and len(folded) - len(ending) >= least:
                folded = folded[: -len(ending)] + instead
                break
    if len(folded) > 3 and folded[-1] == folded[-2] and folded[-1] not in "aeious":
        folded = folded[:-1]
    return folded[:-1] + "s" if folded.endswith("iz") else folded
