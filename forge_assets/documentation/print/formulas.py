"""Formulas of documents as trees that the Typst template sets: TeX -> MathML -> nested lists of plain text. Nothing of it is run."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from forge_assets.documentation.site.inline import formula, formulas

Tree = Any
"""["text", "x"], ["row", tree, ...], ["frac", a, b], ["attach", base, below or None, above or None], ["root", a] or ["root", a, index]."""
_XML = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


def runs(text: str) -> list[Tree]:
    """A text as runs: ["text", ...], ["code", ...] and ["math", tree]."""
    made: list[Tree] = []
    for piece, tex in formulas(" ".join(text.split())):
        if tex is None:
            made += [["code" if at % 2 else "text", part] for at, part in enumerate(re.split(r"`([^`]+)`", piece)) if part]
        else:
            tree = _tree_of(tex)
            made.append(["math", tree] if tree is not None else ["code", tex])
    return made


@lru_cache(maxsize=1 << 14)
def _tree_of(tex: str) -> Tree | None:
    made = formula(tex)
    if not made.startswith("<math"):
        return None
    try:
        return _tree(etree.fromstring(made.replace("&nbsp;", "\u00a0"), _XML))
    except etree.XMLSyntaxError:
        return None


def _tree(element: Any) -> Tree:
    name = element.tag.rsplit("}", 1)[-1]
    children = [_tree(child) for child in element]
    match name, children:
        case (("mi" | "mn" | "mo" | "mtext"), _):
            return ["text", element.text or "", name]
        case "mfrac", [over, under]:
            return ["frac", over, under]
        case (("msup" | "mover"), [base, above]):
            return ["attach", base, None, above]
        case (("msub" | "munder"), [base, below]):
            return ["attach", base, below, None]
        case (("msubsup" | "munderover"), [base, below, above]):
            return ["attach", base, below, above]
        case "msqrt", _:
            return ["root", ["row", *children]]
        case "mroot", [inside, index]:
            return ["root", inside, index]
    return ["row", *children]
