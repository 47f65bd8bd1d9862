"""The graph in the formats of other tools: GraphML, DOT, Mermaid, draw.io, JSON-LD, UVL and JSON. Names survive in all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from forge_assets.compatibility.graph import drawing
from forge_assets.compatibility.graph.lookup import as_dict, place_of, sentence_of, source_of
from forge_assets.compatibility.graph.model import Edge, Evidence
from forge_assets.compatibility.graph.uvl import uvl
from forge_assets.compatibility.graph.view import View, picture, strongest
from forge_assets.components.ontology.model import Component, Ontology

WORDS = "https://schema.org/"
CONTEXT: Mapping[str, Any] = {
    "@vocab": "urn:forge:words:",
    "name": f"{WORDS}name",
    "description": f"{WORDS}description",
    "citation": f"{WORDS}citation",
    "text": f"{WORDS}text",
    "subject": {"@type": "@id"},
    "object": {"@type": "@id"},
    "parent": {"@type": "@id"},
    "evidence": {"@container": "@set"},
}


def graphml(shown: View) -> str:
    """For networkx, Gephi, yEd: a directed multigraph, the figures as attributes."""
    import networkx as nx  # type: ignore[import-untyped]

    graph = nx.MultiDiGraph()
    for one in shown.components.values():
        graph.add_node(drawing.plain(one.id), **{name: drawing.plain(value) for name, value in _told(one).items()})
    for edge in shown.edges:
        graph.add_edge(drawing.plain(edge.key.subject), drawing.plain(edge.key.object), key=edge.key.id, **_figures(edge))
    return "\n".join(nx.generate_graphml(graph, named_key_ids=True)) + "\n"


def as_json(shown: View) -> str:
    """Everything: components, edges, evidence with its passages."""
    content = {
        "components": [asdict(one) for one in shown.components.values()],
        "edges": [as_dict(edge, shown.passages) for edge in shown.edges],
    }
    return json.dumps(content, ensure_ascii=False, indent=1, default=str) + "\n"


def jsonld(shown: View) -> str:
    """Linked data: each edge is a node of its own, so that its evidence can hang on it."""
    nodes: list[dict[str, Any]] = [
        {"@id": _iri(one.id), "@type": "Component", **_told(one), **({"parent": _iri(one.parent)} if one.parent else {})}
        for one in shown.components.values()
    ]
    for edge in shown.edges:
        ends = {"subject": _iri(edge.key.subject), "object": _iri(edge.key.object)}
        evidence = [_linked(one, place, edge, shown) for place, one in enumerate(edge.evidence)]
        nodes.append({"@id": f"urn:forge:edge:{edge.key.id}", "@type": "Edge", **ends, **_figures(edge), "evidence": evidence})
    return json.dumps({"@context": CONTEXT, "@graph": nodes}, ensure_ascii=False, indent=1, default=str) + "\n"


def _linked(one: Evidence, place: int, edge: Edge, shown: View) -> dict[str, Any]:
    made = {
        "@id": f"urn:forge:edge:{edge.key.id}:evidence:{place}", "@type": "Evidence", "supports": one.supports, "origin": one.origin,
        "weight": one.weight, "citation": source_of(one, shown.passages), "text": sentence_of(one, shown.passages),
    }  # fmt: skip
    if place_of(one) is not None:
        made |= {"document": f"urn:uuid:{one.document}", "start": one.start, "end": one.end, "quoteHash": one.quote_hash}
    return {name: value for name, value in made.items() if value is not None}


def _told(one: Component) -> dict[str, str]:
    return {"name": one.name, "slot": one.slot, "build": one.build, "description": one.description}


def _figures(edge: Edge) -> dict[str, Any]:
    return {
        "relation": edge.key.relation, "scope": edge.key.scope, "confidence": edge.confidence, "supporting": edge.supporting,
        "contradicting": edge.contradicting, "supporting_works": edge.supporting_works, "contradicting_works": edge.contradicting_works,
        "origins": " ".join(edge.origins),
    }  # fmt: skip


def _iri(component: str) -> str:
    return f"urn:forge:component:{quote(component, safe='-._~')}"


FORMATS: Mapping[str, Callable[[View], str]] = {
    "graphml": graphml,
    "dot": lambda shown: drawing.dot(picture(shown)),
    "mermaid": lambda shown: drawing.mermaid(picture(shown)),
    "drawio": lambda shown: drawing.drawio(picture(shown)),
    "jsonld": jsonld,
    "uvl": uvl,
    "json": as_json,
}


def export(format_: str, shown: View, ontology: Ontology) -> tuple[str, int]:
    """The text, and how many of the weakest edges had to stay out of it because the format's own tool would refuse more."""
    text = FORMATS[format_](shown)
    kept = len(shown.edges)
    while format_ == "mermaid" and kept and (kept > drawing.MOST_LINKS or len(text) > drawing.MOST_CHARACTERS):
        kept = min(kept - 1, drawing.MOST_LINKS, int(kept * 0.98 * drawing.MOST_CHARACTERS / len(text)))
        text = FORMATS[format_](strongest(shown, kept, ontology))
    return text, len(shown.edges) - kept
