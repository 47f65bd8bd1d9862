"""What tests of the graph share: a view with hostile names, and a small corpus whose documents claim things of one another's components."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from forge_assets.compatibility.graph.lookup import Passage
from forge_assets.compatibility.graph.model import Edge, Evidence, key
from forge_assets.compatibility.graph.view import View, of
from forge_assets.components.ontology.model import Component, Ontology
from forge_assets.components.rows import quote_hash
from tests.components.catalogue_corpus import ontology as small

HOSTILE = (
    'He said "x" <b>&amp;</b> it\'s\nnew ünï 日本 \\N \\" 100% of; #1 `code` ]]> --> {a} | [b] end '
    '</script><script>document.title="broken"</script><img src="http://127.0.0.1:9/x" onerror="document.title=1">'
)
DOCUMENT = UUID(int=7)


def component(id_: str, slot: str, name: str | None = None) -> Component:
    return Component(id_, name or id_.upper(), slot, (), None, (), (), (), (), "fdl", f"What {id_} does.")


def ontology() -> Ontology:
    """The small ontology; Adam has a hostile name."""
    made = small()
    adam = replace(made.components["adam"], name=HOSTILE, description=HOSTILE)
    return replace(made, components=dict(made.components) | {"adam": adam})


def passage(text: str, start: int = 0, supports: bool = True) -> Evidence:
    hashed = quote_hash(text, 0, len(text))
    return Evidence(supports, "claim", 0.9, UUID(int=8), DOCUMENT, start, start + len(text), hashed, {"pattern": "X outperforms Y"})


def edge(subject: str, relation: str, object_: str, confidence: float, *evidence: Evidence, scope: str = "idea") -> Edge:
    made = key(subject, relation, object_, scope)  # type: ignore[arg-type]
    origins = tuple(dict.fromkeys(one.origin for one in evidence))
    return Edge(made, confidence, 1.0, 0.0, 1, 0, 2020, 2024, origins, None, None, evidence)


def rule(statement: str) -> Evidence:
    return Evidence(
        True, "fact", 1.0, detail={"statement": statement, "place": "a/b.py:12", "repository": "x/y", "commit": "0123456789abcdef"}
    )


SCOPE = "implementation: x/y@0123456789abcdef"


def hostile_view() -> View:
    """Four edges of every kind of line; sentence, title and name are hostile."""
    against = passage("GELU is no better.", 900, supports=False)
    edges = (
        edge("adam", "composes_with", "gelu", 0.9, passage(HOSTILE), against),
        edge("adam", "conflicts_with", "dropout", 0.8, rule("y refuses dropout with adam"), scope=SCOPE),
        edge("gelu", "improves_on", "relu", 0.7, passage("GELU outperforms ReLU.", 500)),
        edge("lora", "requires", "transformer", 0.6, passage("LoRA requires a Transformer.", 600)),
    )
    found = {
        (DOCUMENT, one.start, one.end): Passage(text, "test:x", None, HOSTILE, 2020, "javascript:document.title='broken'")
        for text, one in ((HOSTILE, edges[0].evidence[0]), ("GELU is no better.", against),
                          ("GELU outperforms ReLU.", edges[2].evidence[0]), ("LoRA requires a Transformer.", edges[3].evidence[0]))
        if one.start is not None and one.end is not None
    }  # fmt: skip
    return of(edges, ontology(), found)
