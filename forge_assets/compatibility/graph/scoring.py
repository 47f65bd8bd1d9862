"""How sure an edge is: claims of works on both sides -> independent works on both sides -> confidence.

    confidence = (PRIOR / 2 + supporting) / (PRIOR + supporting + contradicting)

It is the mean of a Beta distribution that begins at Beta(PRIOR / 2, PRIOR / 2), no opinion, and learns from each independent work once
(Gelman et al. 2013, Bayesian Data Analysis, section 2.4): the share of further independent works that is expected to agree.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

from forge_resources.strict_yaml import parse

NO_OPINION = 0.5
PRIOR = 2.0
"""Works that the prior weighs as much as: Beta(1, 1). `forge eval graph` shows how well it fits."""
RULE = 1.0
"""What a rule weighs: one work that is surely read right. A rule that only warns has no other force; a hard one holds by itself."""
_MEASURED = Path(__file__).with_name("patterns.yaml")


def confidence(supporting: float, contradicting: float, prior: float = PRIOR) -> float:
    """0 to 1; 0.5 without evidence."""
    return (prior / 2 + supporting) / (prior + supporting + contradicting)


@cache
def precisions(file: Path = _MEASURED) -> tuple[Mapping[str, float], float]:
    """Pattern -> expected share of right claims, and that of a pattern nobody measured.

    Both are shrunk towards the share over all patterns, which weighs as much as ten claims.
    """
    counts: dict[str, list[int]] = parse(file.read_text(encoding="utf-8"))
    share = sum(right for right, _ in counts.values()) / sum(judged for _, judged in counts.values())
    return {pattern: (right + 10 * share) / (judged + 10) for pattern, (right, judged) in counts.items()}, share


def precision(pattern: str) -> float:
    measured, other = precisions()
    return measured.get(pattern, other)


def independence(authors: Sequence[Collection[str]]) -> list[float]:
    """For each work 1 / (1 + works that share an author with it): their sum is at most the number of works no two of which share one.

    Caro (1979), Wei (1981). A work without known authors shares none.
    """
    of: dict[str, set[int]] = {}
    for work, names in enumerate(authors):
        for name in names:
            of.setdefault(name, set()).add(work)
    return [1 / len({work}.union(*(of[name] for name in names))) for work, names in enumerate(authors)]


def attributable(lift: float, q: float) -> float:
    """What statistics add to `composes_with`: the share of joint works that chance does not explain, 1 - 1/lift, times 1 - q; at most one
    work. Being named together less often than by chance adds nothing to either side."""
    return max(0.0, 1 - 1 / lift) * (1 - q) if lift > 0 else 0.0
