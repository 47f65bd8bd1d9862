"""Archives and categories of arXiv: what may be asked for, what the harvesting protocol calls it, and which records belong to it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from forge_resources.errors import SourceError

_PHYSICS = "astro-ph cond-mat gr-qc hep-ex hep-lat hep-ph hep-th math-ph nlin nucl-ex nucl-th physics quant-ph"
GROUPS: dict[str, str] = {
    **{archive: archive for archive in "cs econ eess math q-bio q-fin stat".split()},
    **dict.fromkeys(_PHYSICS.split(), "physics"),
}
"""Archive -> the group it belongs to."""
_UNDIVIDED = frozenset("gr-qc hep-ex hep-lat hep-ph hep-th math-ph nucl-ex nucl-th quant-ph".split())
ENDED: dict[str, str] = {
    "cmp-lg": "cs.CL", "adap-org": "nlin.AO", "comp-gas": "nlin.CG", "chao-dyn": "nlin.CD", "solv-int": "nlin.SI", "patt-sol": "nlin.PS",
    "alg-geom": "math.AG", "dg-ga": "math.DG", "funct-an": "math.FA", "q-alg": "math.QA", "mtrl-th": "cond-mat.mtrl-sci",
    "supr-con": "cond-mat.supr-con", "acc-phys": "physics.acc-ph", "ao-sci": "physics.ao-ph", "atom-ph": "physics.atom-ph",
    "bayes-an": "physics.data-an", "chem-ph": "physics.chem-ph", "plasm-ph": "physics.plasm-ph",
}  # fmt: skip
"""Archives that are closed -> the category their papers are in."""
_CATEGORY = re.compile(r"[A-Z]{2}|[a-z]+(?:-[a-z]+)*")


def sets_of(address: str) -> list[str]:
    """'arxiv:cs.LG,cs.CL' -> ['cs.LG', 'cs.CL']. Raises SourceError for what arXiv does not have."""
    asked = [part.strip() for part in address.removeprefix("arxiv:").split(",") if part.strip()]
    if not asked:
        raise SourceError("arxiv: names no archive; expected for example arxiv:cs.LG, arxiv:cs, or several as arxiv:cs.LG,stat.ML")
    for one in asked:
        archive, dot, category = one.partition(".")
        if archive in ENDED:
            raise SourceError(f"{address}: the archive {archive} is closed; its papers are in {ENDED[archive]}")
        if archive not in GROUPS:
            raise SourceError(f"{address}: arXiv has no archive {archive!r}; its archives are {', '.join(sorted(GROUPS))}")
        if dot and (archive in _UNDIVIDED or not _CATEGORY.fullmatch(category)):
            why = "is not divided into categories" if archive in _UNDIVIDED else f"has no category {category!r}"
            raise SourceError(f"{address}: the archive {archive} {why}; expected {archive}, or for example cs.LG, cond-mat.stat-mech")
    return list(dict.fromkeys(asked))


def set_spec(asked: str) -> str:
    """What the protocol calls it: 'cs.LG' -> 'cs:cs:LG', 'hep-th' -> 'physics:hep-th', 'cs' -> 'cs'."""
    archive, dot, category = asked.partition(".")
    group = GROUPS[archive]
    if dot:
        return f"{group}:{archive}:{category}"
    return archive if archive == group and archive != "physics" else f"{group}:{archive}"


def belongs(categories: str, asked: Sequence[str]) -> bool:
    """Whether a record in these categories ('cs.LG stat.ML') is in one of the sets: as primary category or as one beside it."""
    own = categories.split()
    return any(category == one or ("." not in one and category.startswith(f"{one}.")) for one in asked for category in own)
