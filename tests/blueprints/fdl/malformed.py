"""Texts that are wrong, made from right ones: one token left out, doubled, exchanged or misspelt."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from tests.blueprints.fdl.architectures import FOLDER

TOKENS = re.compile(r'"[^"\n]*"|[A-Za-z_][A-Za-z0-9_]*|\d+\.?\d*(?:[eE][+-]?\d+)?|\*\*|//|<=|>=|==|!=|->|\.\.|[^\sA-Za-z0-9_]')
STRANGE = [
    "@",
    "?",
    '"',
    "é",
    "$",
    "((",
    "]]",
    "\t",
    "..",
    "->",
    "=",
    "==",
    "0x1",
    "1e",
    "and",
    "param",
    "prefix",
    "return",
    "[",
    ")",
    ",",
    ":",
    "12",
    "Q",
]


def corrupted(seed: int) -> tuple[str, int]:
    """A text with one token changed, and the line it was changed in."""
    random_ = random.Random(seed)
    texts = sorted(FOLDER.glob("*.fdl"))
    text = texts[seed % len(texts)].read_text(encoding="utf-8")
    places = [one for one in TOKENS.finditer(text) if not text[text.rfind("\n", 0, one.start()) + 1 : one.start()].count("#")]
    one, other = random_.choice(places), random_.choice(places)
    how = random_.choice(("left out", "doubled", "exchanged", "misspelt", "strange", "dedented"))
    line = text.count("\n", 0, one.start()) + 1
    before, token, after = text[: one.start()], one.group(), text[one.end() :]
    changed = {
        "left out": "",
        "doubled": f"{token} {token}",
        "exchanged": other.group(),
        "misspelt": token[:-1] + "q" if token[-1:].isalpha() else token + "q",
        "strange": random_.choice(STRANGE),
    }
    if how == "dedented":
        start = text.rfind("\n", 0, one.start()) + 1
        return text[:start] + random_.choice(("", " ", "    ")) + text[start:].lstrip(" "), line
    return before + changed[how] + after, line


def wrong_texts(count: int, start: int = 0) -> Iterator[tuple[int, str, int]]:
    """Corruptions that change the meaning so that no right text is left: (seed, text, changed line)."""
    from forge_assets.blueprints.fdl.check import compiled
    from forge_resources.errors import FdlError

    seed = start
    while count:
        text, line = corrupted(seed)
        try:
            compiled(text)
        except FdlError:
            yield seed, text, line
            count -= 1
        seed += 1
