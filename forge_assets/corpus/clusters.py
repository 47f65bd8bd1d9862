"""Shared identifiers and links of pairs -> works. A function of its arguments alone, whatever their order.

Identifiers join transitively. Links do not: a chain of near copies may end far from where it began, so a work is a star: one document
(with those that share its identifiers) in the middle, and the documents that are linked to it directly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from forge_assets.corpus.work_keys import reason_of

Link = tuple[UUID, UUID, str, float]


def works_of(
    lengths: Mapping[UUID, int], keyed: Iterable[tuple[str, Sequence[UUID]]], links: Iterable[Link]
) -> dict[UUID, tuple[UUID, str]]:
    """Document -> (work id, reason) for the documents of works with several; `keyed` are identifiers with the documents that bear them.

    `lengths` holds the characters of every document named. A work's id is its least document's.
    The middle of a star is who has most neighbours; of several, the longest, then the least.
    """
    parent: dict[UUID, UUID] = {}
    reasons: dict[UUID, str] = {}
    for key, documents in keyed:
        for document in documents:
            reasons[document] = min(reasons.get(document, "~"), reason_of(key))
            _union(parent, documents[0], document)
    groups: dict[UUID, list[UUID]] = defaultdict(list)
    for document in lengths:
        groups[_root(parent, document)].append(document)
    best: dict[tuple[UUID, UUID], tuple[float, str]] = {}
    neighbours: dict[UUID, set[UUID]] = defaultdict(set)
    for a, b, reason, similarity in links:
        one, other = _root(parent, a), _root(parent, b)
        if one == other:
            continue
        neighbours[one].add(other)
        neighbours[other].add(one)
        for pair in ((a, other), (b, one)):
            best[pair] = max(best.get(pair, (-1.0, "")), (similarity, reason))
    return _stars(lengths, groups, neighbours, best, reasons)


def _stars(lengths: Mapping[UUID, int], groups: Mapping[UUID, list[UUID]], neighbours: Mapping[UUID, set[UUID]],
           best: Mapping[tuple[UUID, UUID], tuple[float, str]], reasons: Mapping[UUID, str]) -> dict[UUID, tuple[UUID, str]]:  # fmt: skip
    nobody: set[UUID] = set()
    order = sorted(groups, key=lambda g: (-len(neighbours.get(g, nobody)), -max(lengths[d] for d in groups[g]), min(groups[g])))
    taken: set[UUID] = set()
    out: dict[UUID, tuple[UUID, str]] = {}
    for middle in order:
        if middle in taken:
            continue
        around = sorted(neighbours.get(middle, nobody) - taken)
        taken.update((middle, *around))
        members = [document for group in (middle, *around) for document in groups[group]]
        if len(members) < 2:
            continue
        work = min(members)
        for group in (middle, *around):
            towards = [middle] if group != middle else around
            for document in groups[group]:
                linked = max((best[document, other] for other in towards if (document, other) in best), default=(0.0, "only"))
                out[document] = (work, reasons.get(document, linked[1]))
    return out


def _root(parent: dict[UUID, UUID], item: UUID) -> UUID:
    while (above := parent.get(item, item)) != item:
        parent[item] = parent.get(above, above)
        item = above
    return item


def _union(parent: dict[UUID, UUID], a: UUID, b: UUID) -> None:
    """The lesser root becomes the root of both, so that roots do not depend on the order."""
    low, high = sorted((_root(parent, a), _root(parent, b)))
    parent[high] = low
