"""Names that a document gives to something of its own, though the ontology knows another thing by them: RoPE, robust posterior estimation.

Where a later work than the introducing one calls its own thing by the name, in the title ("RoPE: ...") or where it proposes it ("we
introduce RoPE, a framework ..."), the name means that in the whole document.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from forge_assets.components.text import Reading
from forge_assets.documentation.subjects import Name

GRACE = 1
"""Years after the introducing work in which a paper may still be a version of it."""
_PROPOSED = re.compile(
    r"\b(?:we|paper|work|article|study)\b[^.;]{0,60}\b(?:propos|introduc|present|develop|releas|call|nam|dub|term)\w*"
    r"(?:\s+(?:it|this (?:method|model|approach|framework)|our (?:method|model|approach|framework)))?\s+[\"“']?\Z"
)
_EXPLAINED = re.compile(r"[\"”']?(?:\s*\([^()]{3,80}\))?(?:,\s+(?:an?|the|which)\b|:\s)|[\"”']?\s*\((?!\d)[^()]{8,80}\)")


def own_names(reading: Reading, names: Sequence[Name], introduced: Mapping[str, int]) -> Collection[str]:
    """The components whose names mean something else in this document. `introduced`: component -> year of the work it comes from."""
    found = set[str]()
    title = reading.title_span
    for name in names:
        year = introduced.get(name.subject)
        if year is None or not reading.year or reading.year <= year + GRACE or name.subject in found:
            continue
        surface = reading.text[name.start : name.end]
        if _plain(surface) != _plain(name.subject) or not any(sign.isupper() for sign in surface):
            continue  # an entry for a whole family has members of other names
        behind = reading.text[name.end : name.end + 100]
        entitled = title is not None and name.start == title[0] and behind.startswith(":")
        if entitled or _EXPLAINED.match(behind) and _PROPOSED.search(reading.text[max(0, name.start - 110) : name.start]):
            found.add(name.subject)
    return found


def in_own_name(title: str, text: str, subject: str) -> bool:
    """Whether the component's name stands in the sentence as part of what the document calls its own: CLIP in "CLIP-Actor: ..."."""
    own, colon, _ = title.partition(":")
    own = own.strip()
    if not colon or " " in own or "-" not in own or own not in text:
        return False
    return _plain(subject) in {_plain(part) for part in own.split("-")}


def _plain(word: str) -> str:
    return "".join(sign for sign in word.lower() if sign.isalnum())
