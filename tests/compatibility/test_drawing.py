"""Pictures open in the tools they are for, with every name as it was, whatever signs are in it."""

from __future__ import annotations

import html
import re
from collections import Counter
from xml.etree import ElementTree

import pytest

from forge_assets.compatibility.graph.drawing import Box, Frame, Link, Picture, dot, drawio, mermaid, plain
from tests.compatibility.graphs import HOSTILE
from tests.compatibility.readers import by_graphviz, by_node

PICTURE = Picture(
    HOSTILE,
    (Box("a", HOSTILE, "f", "#ffeecc"), Box('b"\\ <x>', "plain", "f"), Box("c", "C"), Box("end", "")),
    (
        Link("a", 'b"\\ <x>', HOSTILE, colour="#c5221f"),
        Link("a", "c", "both ways", arrow=False, line="dashed"),
        Link("c", "end", line="dotted"),
    ),
    (Frame("f", HOSTILE),),
)  # fmt: skip


def test_a_picture_names_only_what_is_there() -> None:
    with pytest.raises(ValueError, match="nothing has the id 'z'"):
        Picture("x", (Box("a", "A"),), (Link("a", "z"),))
    with pytest.raises(ValueError, match="nothing has the id 'g'"):
        Picture("x", (Box("a", "A", "g"),))
    with pytest.raises(ValueError, match="same id"):
        Picture("x", (Box("a", "A"), Box("a", "B")))


def test_what_is_no_character_is_replaced() -> None:
    assert plain("a\x00b\x1bc\ud800d\r\ne\rf\tg") == "a\ufffdb\ufffdc\ufffdd\ne\nf\tg"


def test_graphviz_draws_the_names_as_they_are() -> None:
    boxes, links, clusters = by_graphviz(dot(PICTURE))
    assert boxes == {"a": squeezed(HOSTILE), 'b"\\\\ <x>': "plain", "c": "C", "end": ""}
    assert clusters == [squeezed(HOSTILE)]
    assert links == [('a->b"\\\\ <x>', squeezed(HOSTILE)), ("a->c", "both ways"), ("c->end", "")]


def squeezed(text: str) -> str:
    return re.sub(" +", " ", text)


@pytest.mark.timeout(700)
def test_mermaids_parser_reads_the_names_as_they_are() -> None:
    found = by_node("flowchart.mjs", mermaid(PICTURE))
    assert {id_: decoded(text) for id_, text in found["nodes"].items()} == {"n0": HOSTILE, "n1": "plain", "n2": "C", "n3": ""}
    assert [(a, b, decoded(text), type_, stroke) for a, b, text, type_, stroke in found["links"]] == [
        ("n0", "n1", HOSTILE, "arrow_point", "normal"), ("n0", "n2", "both ways", "arrow_open", "dotted"),
        ("n2", "n3", "", "arrow_point", "dotted"),
    ]  # fmt: skip
    ((title, members),) = found["groups"].values()
    assert decoded(title) == HOSTILE and sorted(members) == ["n0", "n1"]


def decoded(text: str) -> str:
    """Labels as Mermaid keeps them until it draws: it writes `#name;` as `ﬂ°name¶ß` and `#12;` as `ﬂ°°12¶ß`."""
    return html.unescape(text.replace("ﬂ°°", "&#").replace("ﬂ°", "&").replace("¶ß", ";").replace("<br>", "\n")).strip(" ")


@pytest.mark.timeout(700)
def test_the_library_of_drawio_reads_boxes_frames_and_links() -> None:
    cells = {cell["id"]: cell for cell in by_node("mxgraph.mjs", drawio(PICTURE))}
    assert {shown(cells[id_]["value"]) for id_ in ("b0", "f0", "l0")} == {HOSTILE}
    assert [(cells[id_]["vertex"], cells[id_]["parent"]) for id_ in ("f0", "b0", "b1", "b2", "b3")] == [
        (True, "1"), (True, "f0"), (True, "f0"), (True, "1"), (True, "1"),
    ]  # fmt: skip
    assert [(cells[id_]["edge"], cells[id_]["source"], cells[id_]["target"]) for id_ in ("l0", "l1", "l2")] == [
        (True, "b0", "b1"), (True, "b0", "b2"), (True, "b2", "b3"),
    ]  # fmt: skip
    assert set(cells) == {"0", "1", "f0", "b0", "b1", "b2", "b3", "l0", "l1", "l2"}


def shown(value: str) -> str:
    return html.unescape(value.replace("<br>", "\n"))


def test_a_drawio_file_keeps_the_rules_of_its_format() -> None:
    """The rules as draw.io's published schema and reference state them, written down here, since that schema does not come with Forge:
    mxfile > diagram > mxGraphModel > root > mxCell; cells 0 and 1 come first; ids are unique and parents, sources, targets exist;
    a cell is a vertex or an edge; each has a geometry, an edge's is relative; styles are `key=value;` or names."""
    file = ElementTree.fromstring(drawio(PICTURE))
    assert file.tag == "mxfile" and [child.tag for child in file] == ["diagram"]
    assert [child.tag for child in file[0]] == ["mxGraphModel"] and [child.tag for child in file[0][0]] == ["root"]
    cells = list(file[0][0][0])
    assert {cell.tag for cell in cells} == {"mxCell"} and [dict(cell.attrib) for cell in cells[:2]] == [
        {"id": "0"},
        {"id": "1", "parent": "0"},
    ]
    ids = [cell.attrib["id"] for cell in cells]
    assert max(Counter(ids).values()) == 1
    for cell in cells[2:]:
        given = cell.attrib
        assert set(given) <= {"id", "value", "style", "vertex", "edge", "parent", "source", "target"}
        assert (given.get("vertex"), given.get("edge")) in (("1", None), (None, "1"))
        assert {given[name] for name in ("parent", "source", "target") if name in given} <= set(ids)
        assert re.fullmatch(r"([\w-]+(=[^;=]*)?;)*", given["style"])
        (geometry,) = cell
        assert geometry.tag == "mxGeometry" and geometry.attrib["as"] == "geometry"
        if "edge" in given:
            assert geometry.attrib["relative"] == "1"
        else:
            assert all(float(geometry.attrib[name]) >= 0 for name in ("x", "y", "width", "height"))


def test_boxes_do_not_lie_on_each_other() -> None:
    boxes = tuple(Box(f"b{n}", str(n), "one" if n % 3 else None) for n in range(60))
    root = ElementTree.fromstring(drawio(Picture("many", boxes, (), (Frame("one", "1"), Frame("empty", "2")))))[0][0][0]
    places = [(cell.get("parent"), cell[0].get("x"), cell[0].get("y")) for cell in root if cell.get("id", "").startswith("b")]
    assert len(set(places)) == 60
