"""The graph as one HTML file that asks nothing of any network: components, edges and sentences stand in it deflated, as base64.

Names, titles and sentences come from anybody. They reach the page as data only and the screen as text only; a policy in the page allows its
own script and style, by hash, and nothing else; an address becomes a link only where it is http or https.
"""

from __future__ import annotations

import json
from typing import Any

from forge_assets.compatibility.graph.colours import LINES, pair
from forge_assets.compatibility.graph.drawing import plain
from forge_assets.compatibility.graph.lookup import address_of, sentence_of, source_of
from forge_assets.compatibility.graph.model import RELATIONS, TITLES, Edge, Evidence, told
from forge_assets.compatibility.graph.view import View
from forge_assets.components.relations.claim import SYMMETRIC
from forge_assets.single_page import assemble, packed

SCRIPTS = ("data.js", "layout.js", "view.js", "panel.js", "main.js")
EVIDENCE = 12
"""Pieces shown per edge, the strongest; the page says how many more there are."""
DASHES = {"solid": "", "dashed": "7 4", "dotted": "2 4"}


def page(shown: View) -> str:
    """The same view gives the same page."""
    content = json.dumps(_content(shown), ensure_ascii=False, separators=(",", ":")).encode()
    return assemble("forge_assets.compatibility.graph", SCRIPTS, {"content": packed(content)})


def _content(shown: View) -> dict[str, Any]:
    """Lists of lists, in the order in which data.js takes them apart."""
    slots = list(shown.slots)
    places = {id_: number for number, id_ in enumerate(shown.components)}
    return {
        "slots": [[slot.title, *pair(shown.order, id_)] for id_, slot in shown.slots.items()],
        "relations": [[TITLES[one], *LINES[one][:2], DASHES[LINES[one][2]], one in SYMMETRIC] for one in RELATIONS],
        "nodes": [[plain(one.id), plain(one.name), slots.index(one.slot), plain(one.description)] for one in shown.components.values()],
        "edges": [_edge(edge, places, shown) for edge in shown.edges],
    }


def _edge(edge: Edge, places: dict[str, int], shown: View) -> list[Any]:
    ends = [places[edge.key.subject], places[edge.key.object]]
    evidence = [_evidence(one, shown) for one in edge.evidence[:EVIDENCE]]
    return [*ends, RELATIONS.index(edge.key.relation), round(edge.confidence, 4), plain(told(edge)), evidence, len(edge.evidence)]


def _evidence(one: Evidence, shown: View) -> list[Any]:
    said = sentence_of(one, shown.passages)
    address = address_of(one, shown.passages)
    return [
        int(one.supports),
        one.origin,
        None if said is None else " ".join(plain(said).split()),
        plain(source_of(one, shown.passages)),
        address,
    ]
