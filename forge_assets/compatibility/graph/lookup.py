"""What `forge graph` shows: edges with the sentences they stand on, and how one component leads to another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote
from uuid import UUID

import sqlalchemy as sa

from forge_assets.compatibility.graph.model import SHORT, Edge, Evidence
from forge_assets.compatibility.graph.scoring import NO_OPINION
from forge_assets.components.rows import quote_hash
from forge_resources.database import Database

Place = tuple[UUID, int, int]
TEXTS = """SELECT d.document_id, x.start, x."end", substr(d.text, x.start + 1, x."end" - x.start) AS text,
        d.uri, d.external_id, d.title, d.year, d.url
    FROM unnest(CAST(:documents AS uuid[]), CAST(:starts AS int[]), CAST(:ends AS int[])) AS x (document_id, start, "end")
    JOIN document d USING (document_id)"""


@dataclass(frozen=True, slots=True)
class Passage:
    """What stands at a place of a document, and whose document it is. `text` is None where it is no longer what was read there."""

    text: str | None
    uri: str
    external_id: str | None
    title: str | None
    year: int | None
    url: str | None

    @property
    def address(self) -> str:
        return self.external_id or self.uri

    @property
    def told(self) -> str:
        """`Attention Is All You Need (arxiv:1706.03762, 2017)`."""
        year = f", {self.year}" if self.year else ""
        return f"{self.title} ({self.address}{year})" if self.title else f"{self.address}{year}"


def passages(db: Database, edges: Iterable[Edge]) -> dict[Place, Passage]:
    """Place -> passage, for all evidence that stands in documents which are still there."""
    wanted = {place_of(one): one.quote_hash for edge in edges for one in edge.evidence if one.document is not None}
    places = [place for place in wanted if place is not None]
    columns = {"documents": [p[0] for p in places], "starts": [p[1] for p in places], "ends": [p[2] for p in places]}
    found: dict[Place, Passage] = {}
    with db.begin() as connection:
        for row in connection.execute(sa.text(TEXTS), columns):
            place = (row.document_id, row.start, row.end)
            text = row.text if quote_hash(row.text, 0, len(row.text)) == wanted[place] else None
            found[place] = Passage(text, row.uri, row.external_id, row.title, row.year, row.url)
    return found


def place_of(evidence: Evidence) -> Place | None:
    if evidence.document is None or evidence.start is None or evidence.end is None:
        return None
    return evidence.document, evidence.start, evidence.end


def source_of(evidence: Evidence, found: Mapping[Place, Passage]) -> str:
    """Where a piece of evidence stands, for people."""
    place = place_of(evidence)
    if place is not None:
        return found[place].told if place in found else f"document {evidence.document}, which is gone"
    detail = evidence.detail
    where = f"{detail['repository']}@{str(detail['commit'])[:SHORT]} " if detail.get("repository") and detail.get("commit") else ""
    return f"{where}{detail.get('place', '')}".strip()


def address_of(evidence: Evidence, found: Mapping[Place, Passage]) -> str | None:
    """Where a browser finds it: the article, or the line of code."""
    place, detail = place_of(evidence), evidence.detail
    if place is not None:
        url = found[place].url if place in found else None
        return url if url and url.startswith(("https://", "http://")) else None
    path, _, line = str(detail.get("place", "")).rpartition(":")
    if not (detail.get("repository") and detail.get("commit") and path and line.isdigit()):
        return None
    return f"https://github.com/{quote(str(detail['repository']))}/blob/{quote(str(detail['commit']))}/{quote(path)}#L{line}"


def sentence_of(evidence: Evidence, found: Mapping[Place, Passage]) -> str | None:
    """The passage, or what a rule or decision states; None for a passage that has changed since it was read."""
    place = place_of(evidence)
    if place is None:
        return str(evidence.detail.get("statement", ""))
    return found[place].text if place in found else None


def as_dict(edge: Edge, found: Mapping[Place, Passage]) -> dict[str, Any]:
    """An edge with its evidence, for JSON."""
    made = {"edge": edge.key.id, **asdict(edge.key), **asdict(edge)}
    del made["key"]
    made["evidence"] = [_evidence(one, found) for one in edge.evidence]
    return made


def _evidence(one: Evidence, found: Mapping[Place, Passage]) -> dict[str, Any]:
    place = place_of(one)
    passage = None if place is None else found.get(place)
    source: dict[str, Any] = (
        {} if passage is None else {"uri": passage.uri, "title": passage.title, "year": passage.year, "url": passage.url}
    )
    return {"text": sentence_of(one, found), "source": source_of(one, found), **source, **asdict(one)}


def path(edges: Sequence[Edge], start: str, end: str) -> list[Edge] | None:
    """The chain of edges from one component to another whose confidences have the greatest product; None where there is none.

    Directions do not matter: each edge says what it says. Edges that are no better than no opinion are not walked.
    """
    import networkx as nx  # type: ignore[import-untyped]

    graph = nx.Graph()
    graph.add_nodes_from((start, end))
    for one in edges:  # the surest first
        a, b = one.key.subject, one.key.object
        if one.confidence > NO_OPINION and not graph.has_edge(a, b):
            graph.add_edge(a, b, length=-math.log(one.confidence) + 1e-9, edge=one)
    try:
        nodes = nx.shortest_path(graph, start, end, weight="length")
    except nx.NetworkXNoPath:
        return None
    return [graph[a][b]["edge"] for a, b in pairwise(nodes)]


def broken(db: Database, edges: Sequence[Edge]) -> Iterator[str]:
    """Edges that nothing stands behind any more: all their passages are gone or say something else."""
    found = passages(db, edges)
    for edge in edges:
        if not any(sentence_of(one, found) for one in edge.evidence):
            yield edge.said
