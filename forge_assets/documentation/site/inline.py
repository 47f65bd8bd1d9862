"""Text of documents as HTML: escaped, with `code` by markdown-it and formulas as MathML; what cannot be set as a formula stands as code.

Whatever a document holds stays text: markdown-it makes elements of back-ticks only, and MathML passes a list of allowed elements.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from functools import cache, lru_cache
from html import escape

from markdown_it import MarkdownIt
from markupsafe import Markup

_FORMULA = re.compile(
    r"\$\$(?P<block>[^$]{1,600})\$\$"
    r"|(?<![\\\w$])\$(?P<inline>[^\s$](?:[^$\n]{0,300}?[^\s$\\])?)\$(?![\w$])"
    r"|\\\((?P<round>.{1,300}?)\\\)"
)
_FORMAL = re.compile(r"[\\^_=<>+*/|{}]|^[A-Za-z]\w{0,2}$|^[\d.,]+$")
_MATHML = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "msup", "msub", "msubsup", "munder", "mover", "munderover", "mfrac", "msqrt",
    "mroot", "mtable", "mtr", "mtd", "mstyle", "mpadded", "mphantom", "menclose", "semantics",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"mathvariant", "stretchy", "displaystyle", "fence", "linethickness", "accent", "columnalign", "lspace", "rspace", "width"}
}


def inline(text: str) -> Markup:
    """A sentence, a cell, a caption. White space becomes single blanks."""
    return _inline(" ".join(text.split()))


@lru_cache(maxsize=1 << 14)
def _inline(text: str) -> Markup:
    made = [_plain(piece) if tex is None else formula(tex, block=piece == "block") for piece, tex in formulas(text)]
    return Markup("".join(made))  # noqa: S704 (escaped by _plain, cleaned by formula)


def formulas(text: str) -> Iterator[tuple[str, str | None]]:
    """A text in order as (piece of text, None) and ("block" or "inline", the TeX of a formula); sums of money are no formulas."""
    at = 0
    for found in _FORMULA.finditer(text) if "$" in text or "\\(" in text else ():
        tex = (found["block"] or found["inline"] or found["round"]).strip()
        if not _FORMAL.search(tex):
            continue
        if found.start() > at:
            yield text[at : found.start()], None
        yield "block" if found["block"] else "inline", tex
        at = found.end()
    if at < len(text):
        yield text[at:], None


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("zero", {"html": False}).enable("backticks")


def _plain(text: str) -> str:
    return str(_markdown().renderInline(text)) if "`" in text else escape(text)


@lru_cache(maxsize=1 << 14)
def formula(tex: str, block: bool = False) -> str:
    """MathML of a formula, or the formula as code where it cannot be made or is not understood whole."""
    made = _mathml(tex)
    if made is None:
        return f"<code>{escape(tex)}</code>"
    return made.replace("<math", '<math display="block"', 1) if block else made


def _mathml(tex: str) -> str | None:
    import nh3
    from latex2mathml.converter import convert

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = convert(tex)
    except Exception:  # of a formula that is none it raises whatever comes: IndexError, KeyError, its own errors
        return None
    clean = nh3.clean(made, tags=_MATHML, attributes=_ATTRIBUTES, clean_content_tags={"script", "style"}, link_rel=None)
    return clean if clean.startswith("<math") and "\\" not in clean and clean.count("<math") == 1 else None
