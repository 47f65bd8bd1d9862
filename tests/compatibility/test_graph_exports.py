"""Every format of `forge graph export` is read by the tool it is for, and says what the graph says."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from forge_assets.compatibility.graph import drawing
from forge_assets.compatibility.graph.exports import FORMATS, export
from forge_assets.compatibility.graph.lookup import address_of
from forge_assets.compatibility.graph.view import View, of, picture
from tests.compatibility.graphs import HOSTILE, SCOPE, edge, hostile_view, ontology, passage
from tests.compatibility.readers import by_graphviz, by_node

VIEW = hostile_view()
ENDS = [("adam", "gelu"), ("adam", "dropout"), ("gelu", "relu"), ("lora", "transformer")]


@pytest.mark.parametrize("format_", FORMATS)
def test_the_same_graph_gives_the_same_text(format_: str) -> None:
    text, left_out = export(format_, VIEW, ontology())
    assert text == export(format_, hostile_view(), ontology())[0] and left_out == 0 and text.endswith("\n")


def test_networkx_reads_graphml() -> None:
    import networkx as nx  # type: ignore[import-untyped]

    graph = nx.read_graphml(io.BytesIO(export("graphml", VIEW, ontology())[0].encode()))
    assert set(graph.nodes) == {end for ends in ENDS for end in ends} and graph.is_directed()
    assert graph.nodes["adam"]["name"] == HOSTILE and graph.nodes["adam"]["slot"] == "optimizer"
    figures = {(a, b): data for a, b, data in graph.edges(data=True)}
    assert set(figures) == set(ENDS) and figures["adam", "dropout"]["scope"] == SCOPE
    assert (figures["gelu", "relu"]["relation"], figures["gelu", "relu"]["confidence"]) == ("improves_on", 0.7)


def test_graphviz_reads_dot() -> None:
    boxes, links, clusters = by_graphviz(export("dot", VIEW, ontology())[0])
    assert boxes["adam"].split() == HOSTILE.split() and set(boxes) == {end for ends in ENDS for end in ends}
    assert {ends for ends, _ in links} == {f"{a}->{b}" for a, b in ENDS} and dict(links)["gelu->relu"] == "improves on 0.70"
    assert clusters == [slot.title for slot in VIEW.slots.values()]


@pytest.mark.timeout(700)
def test_mermaid_reads_its_flowchart() -> None:
    found = by_node("flowchart.mjs", export("mermaid", VIEW, ontology())[0])
    names = {f"n{n}": id_ for n, id_ in enumerate(VIEW.components)}
    assert [(names[a], names[b]) for a, b, *_ in found["links"]] == ENDS and len(found["nodes"]) == 6
    assert len(found["groups"]) == len(VIEW.slots)


@pytest.mark.timeout(700)
def test_drawio_reads_its_file() -> None:
    cells = by_node("mxgraph.mjs", export("drawio", VIEW, ontology())[0])
    names = {f"b{n}": id_ for n, id_ in enumerate(VIEW.components)}
    assert [(names[cell["source"]], names[cell["target"]]) for cell in cells if cell["edge"]] == ENDS


def test_mermaid_leaves_out_the_weakest_edges_where_it_would_refuse_them() -> None:
    ids = list(ontology().components)
    pairs = [(a, b) for a in ids for b in ids if a < b] * 3
    many = of([edge(a, "improves_on", b, 0.9 - n / 1000) for n, (a, b) in enumerate(pairs[:620])], ontology())
    text, left_out = export("mermaid", many, ontology())
    assert text.count("-.->") == 620 - left_out <= drawing.MOST_LINKS and len(text) <= drawing.MOST_CHARACTERS
    assert left_out >= 120 and export("dot", many, ontology())[1] == 0


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # rdflib's own use of it
def test_rdflib_reads_json_ld() -> None:
    from rdflib import RDF, Graph, Literal, URIRef
    from rdflib.namespace import Namespace

    words, schema = Namespace("urn:forge:words:"), Namespace("https://schema.org/")
    graph = Graph().parse(data=export("jsonld", VIEW, ontology())[0], format="json-ld")
    assert len(set(graph.subjects(RDF.type, words.Component))) == 6 and len(set(graph.subjects(RDF.type, words.Edge))) == 4
    assert (URIRef("urn:forge:component:adam"), schema.name, Literal(HOSTILE)) in graph
    (one,) = graph.subjects(words.relation, Literal("composes_with"))
    assert set(graph.objects(one, words.subject)) == {URIRef("urn:forge:component:adam")}
    said = {(str(graph.value(e, schema.text)), graph.value(e, words.supports).toPython()) for e in graph.objects(one, words.evidence)}  # type: ignore[union-attr]
    assert said == {(HOSTILE, True), ("GELU is no better.", False)}


def test_flamapy_reads_uvl(tmp_path: Path) -> None:
    from flamapy.metamodels.fm_metamodel.transformations import UVLReader  # type: ignore[import-untyped]

    doubtful = edge("relu", "requires", "bert", 0.4, passage("x", 990))
    file = tmp_path / "graph.uvl"
    file.write_text(export("uvl", of([*VIEW.edges, doubtful], ontology()), ontology())[0], encoding="utf-8")
    model = UVLReader(str(file)).transform()
    names = {unquote(f.name): {a.name: unquote(str(a.default_value)) for a in f.get_attributes()} for f in model.get_features()}
    assert names["adam"]["name"] == HOSTILE and model.root.name == "stack"
    assert {name for name in names if not name.startswith("slot:")} == {
        "stack",
        "adam",
        "gelu",
        "dropout",
        "relu",
        "lora",
        "transformer",
        "bert",
    }
    stated = sorted(str(one.ast).replace("[]", "") for one in model.get_constraints())
    assert stated == ["IMPLIES[lora][transformer]", "NOT[AND[adam][dropout]]"], (
        "what is no likelier than not is no constraint, what only improves is none either"
    )


def test_json_holds_everything() -> None:
    content = json.loads(export("json", VIEW, ontology())[0])
    assert {one["id"]: one["name"] for one in content["components"]}["adam"] == HOSTILE
    first = content["edges"][0]
    assert [one["text"] for one in first["evidence"]] == [HOSTILE, "GELU is no better."] and first["confidence"] == 0.9
    assert first["evidence"][0]["quote_hash"] and first["evidence"][0]["document"] and content["edges"][1]["scope"] == SCOPE


def test_only_web_addresses_are_addresses() -> None:
    hostile, fact = VIEW.edges[0].evidence[0], VIEW.edges[1].evidence[0]
    assert address_of(hostile, VIEW.passages) is None and address_of(hostile, {}) is None
    assert address_of(fact, {}) == "https://github.com/x/y/blob/0123456789abcdef/a/b.py#L12"
    web = {place: replace(one, url="https://x.y/z") for place, one in VIEW.passages.items()}
    assert address_of(hostile, web) == "https://x.y/z"


def test_a_picture_shows_scope_direction_and_frames() -> None:
    shown: View = VIEW
    drawn = picture(shown)
    links = {(link.source, link.target): link for link in drawn.links}
    assert not links["adam", "gelu"].arrow and links["gelu", "relu"].arrow and "in x/y@0123456789" in links["adam", "dropout"].label
    assert {box.frame for box in drawn.boxes} == set(shown.slots)
