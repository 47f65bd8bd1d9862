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
simplex: simplices; vortex: vortices; formula: formulas formulae"""
_LEMMAS = {form: entry.split(":")[0].strip() for entry in _IRREGULAR.replace("\n", ";").split(";") for form in entry.split(":")[1].split()}
_INSTEAD = {"ization": "is", "ction": "c", "ically": "ic", "ical": "ic", "ally": "al", "ied": "y", "ability": "abl", "ibility": "ibl"}
_ENDINGS = [
    (ending, _INSTEAD.get(ending, ""))
    for ending in (
        "ization ational ically ation ction ional ion ibly ably ously ous ally ly ating ated ate ing ied ed ement ment ness ability ibility"
        " ity ance ence ancy ency able ible ant ent ical al e"
    ).split()
]
_LATE = frozenset("ance ence ancy ency ant ent al able ible ical ity ating ated ate ation ational".split())
"""Endings that go only where four letters stay."""


@lru_cache(maxsize=1 << 15)
def stem(word: str) -> str:
    """The word in small letters without its endings: partitioning, partitions and partitioned are one."""
    folded = fold(_LEMMAS.get(word.lower(), word))
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
