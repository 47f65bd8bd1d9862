"""Which page of a volume may quote which sentence: each belongs to one page, so that no two pages say the same.

Sentences that compare several components of the slot go to the comparison; the best advice of each component, and a setting and a
limitation where it has several, to the guide; its best open problem to the open problems; those of components without a page of their own
to the survey; all others to the page of their component.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from forge_assets.documentation.quotes import Quote
from forge_assets.documentation.subjects import CANDIDATE

FEWEST_RIVALS = 2
"""Further components of the slot in a sentence of the comparison."""
ADVICE = 2
"""Sentences of a component that the guide may quote."""
SEVERAL = 4
"""Sentences of a role that a component has before the guide takes one."""
GOOD, SURELY = 0.5, 0.74
"""Least score of what goes to the guide or the open problems; of a setting or a limitation, which a cue must tell."""


@dataclass(slots=True)
class Shares:
    components: dict[str, list[Quote]] = field(default_factory=dict)
    comparison: list[Quote] = field(default_factory=list)
    guide: list[Quote] = field(default_factory=list)
    settings: list[Quote] = field(default_factory=list)
    pitfalls: list[Quote] = field(default_factory=list)
    problems: list[Quote] = field(default_factory=list)
    survey: list[Quote] = field(default_factory=list)


def share(quotes: Mapping[str, Sequence[Quote]], pages: Collection[str], slot: Collection[str]) -> Shares:
    """`quotes` by subject, the best of each role first; `pages`: subjects with a page; `slot`: all components of the slot."""
    made = Shares()
    rivals = set(slot)
    for subject, some in quotes.items():
        own = made.components.setdefault(subject, []) if subject in pages else made.survey
        if subject.startswith(CANDIDATE):  # whether it belongs to the slot at all, nobody has decided
            own += some if subject in pages else []
            continue
        advice, unsolved = _best(some, "advice", ADVICE), _best(some, "open", 1)
        told = [one for one in some if one not in advice and one not in unsolved]
        settings, pitfalls = _spare(told, "parameter"), _spare(told, "limitation")
        for one in some:
            if one.role == "comparison" and len(rivals.intersection(one.others)) >= FEWEST_RIVALS:
                made.comparison.append(one)
            elif one in unsolved:
                made.problems.append(one)
            elif one in advice:
                made.guide.append(one)
            elif one in settings:
                made.settings.append(one)
            elif one in pitfalls:
                made.pitfalls.append(one)
            else:
                own.append(one)
    return made


def _best(some: Sequence[Quote], flag: str, most: int) -> list[Quote]:
    able = [one for one in some if getattr(one, flag) and one.role not in ("definition", "comparison") and one.score >= GOOD]
    return sorted(able, key=lambda one: (-one.score, one.text))[:most]


def _spare(some: Sequence[Quote], role: str) -> list[Quote]:
    """The best sentence of a role, where the component has several."""
    able = [one for one in some if one.role == role]
    good = [one for one in able if one.score >= SURELY]
    return sorted(good, key=lambda one: (-one.score, one.text))[:1] if len(able) >= SEVERAL else []
