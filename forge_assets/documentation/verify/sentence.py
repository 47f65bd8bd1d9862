"""A rewritten sentence and the quotes it cites -> the reason why they do not carry it, or none.

Words and names, figures and units, denials and directions, comparisons and clauses are looked at one after the other; all by rules, so that
a volume can be checked anywhere, at any time, with the same answer. A language model may only add to the reasons, never take one away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from forge_assets.documentation.verify import content, figures, order, polarity, qualifiers, substitution, tokens
from forge_assets.documentation.verify.content import Names

LONGEST = 600
"""Characters of a sentence; a rewrite that is longer is no sentence."""
LEAST_WORDS = 3


def why_not(text: str, quotes: Sequence[str], names: Names | None = None) -> str:
    """Why these quotes do not carry this sentence; empty where they do. `names` tells the components that a text names."""
    if not quotes:
        return "it cites nothing"
    if shape := _misshapen(text):
        return shape
    if text in quotes:
        return ""
    rewrite, sources = tokens.read(text), _joined(quotes)
    if sum(token.stem.isalpha() for token in rewrite) < LEAST_WORDS:
        return "it is no sentence"
    missing = content.uncarried(rewrite, sources, names)
    if missing:
        return f"{missing[0].text!r} stands in no source"
    if wrong := figures.wrong_figure(rewrite, sources):
        return wrong
    if wrong := polarity.wrong_polarity(rewrite, sources):
        return wrong
    if wrong := qualifiers.wrong_qualifier(rewrite, sources, quotes):
        return wrong
    if wrong := substitution.substituted(rewrite, sources, text, quotes):
        return wrong
    return "what is said of one is said of another in the source" if order.crossed_clauses(rewrite, sources) else ""


def _misshapen(text: str) -> str:
    if len(text) > LONGEST:
        return f"it has more than {LONGEST} characters"
    if text != " ".join(text.split()) or not text or not text.isprintable():
        return "it holds line breaks, runs of blanks or signs that cannot be shown"
    return "" if text[-1] in ".!?)。！？" else "it has no end"


def _joined(quotes: Sequence[str]) -> tuple[tokens.Token, ...]:
    """The tokens of all quotes, their clauses numbered on."""
    found: list[tokens.Token] = []
    for quote in quotes:
        base = found[-1].clause + 1 if found else 0
        found += [replace(token, clause=token.clause + base) for token in tokens.read(quote)]
    return tuple(found)
