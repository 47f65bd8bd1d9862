"""LaTeX, Markdown, Mermaid, DOT and draw.io of a program: each is read by the tool it is for, whatever the text says."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from forge_assets.blueprints.diagrams.files import diagram_files
from forge_assets.blueprints.diagrams.pictures import pictures
from forge_assets.blueprints.diagrams.pipeline import pipeline_picture
from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.backends.latex import symbol
from forge_assets.blueprints.fdl.check import compiled
from forge_assets.compatibility.graph.drawing import Picture, layered
from tests.blueprints.fdl.architectures import CASES
from tests.compatibility.readers import by_graphviz, by_node

AT_ONCE = ("llama", "gemma3", "deepseek_v3")
ARCHITECTURES = [pytest.param(name, marks=() if name in AT_ONCE else pytest.mark.trial) for name in CASES]
HOSTILE = """axis d "50% of \\x & #1_a $ {b} ~ ^ | < > ` é 中 \\end{document}"
fragment F(x: f32[b,t,d], theta2: f32[]) -> (x: f32[b,t,d], w: f32[b]):
  const eps_1 = 1.5e-7
  param W_q_2: f32[(h k),d] from "a_b.{c}#%&$^~|<x>"
  # section: 100% of _this_ & that; `code` | <b> \\alpha é
  q[b,t,h,k] = sum[d](x[b,t,d] * W_q_2[h,k,d])
  y[b,t,d] = -(x[b,t,d] - theta2) ** 2 / (eps_1 + 1.0) - (x[b,t,d] - (theta2 - -1.0)) * (sum[h,k](q[b,t,h,k]) + 1.0)
  S[b,t] = scan[t](0.5 * S[b,t - 1] + mean[d](where(y[b,t,d] >= 0.0 and not (pos(t) == 0), y[b,t,d], 0.0)))
  z[b] = sum[t](S[b,t])
  return y, z

model M = F
"""


def program(name: str) -> ir.Program:
    return compiled(HOSTILE if name == "hostile" else CASES[name].text)


@pytest.mark.parametrize("name", ["hostile", *ARCHITECTURES])
def test_latex_compiles_and_nothing_stands_over_the_edge(name: str, tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("needs pdflatex: run tools/debian.sh as root")
    (file, text), = BACKENDS["latex"].print(program(name)).items()  # fmt: skip
    (tmp_path / file).write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", file]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100)
    assert made.returncode == 0, made.stdout[-1500:]
    overfull = [
        float(width) for width in re.findall(r"Overfull \\hbox \(([\d.]+)pt", (tmp_path / "algorithm.log").read_text(errors="replace"))
    ]
    assert max(overfull, default=0.0) < 5, overfull
    assert text.count("\\item $") == sum(len(unit.definitions) for unit in program(name).units.values())


def test_names_of_pieces_stand_above_the_symbol() -> None:
    assert [symbol(name) for name in ("x", "theta", "Wq", "a_qr_theta", "h_2", "x1")] == [
        "x", r"\theta", r"\mathit{Wq}", r"\theta^{\mathrm{a.qr}}", r"h^{\mathrm{2}}", r"x^{\mathrm{1}}"
    ]  # fmt: skip


def test_markdown_reads_as_pseudocode() -> None:
    from markdown_it import MarkdownIt

    (text,) = BACKENDS["markdown"].print(program("llama")).values()
    assert "a_p[b,g,r,t,s] ← softmax[over s]((a_z[b,g,r,t,s] if s ≤ t else −1e+30))" in text
    assert "**LM** takes `ids[b,t]` and gives `logits[b,t,v]`: Embed, then Block L times, then Head." in text
    (text,) = BACKENDS["markdown"].print(program("hostile")).values()
    assert "S[b,t] ← 0.5 · S[b,t - 1] + mean[over d]" in text and "for t = 0, 1, 2, ..." in text
    assert "−(x[b,t,d] − theta2)² / (eps_1 + 1)" in text, "a power binds more than the minus before it"
    assert "(x[b,t,d] − (theta2 − −1)) · (Σ_(h,k) (q[b,t,h,k]) + 1)" in text
    tables = [token for token in MarkdownIt().enable("table").parse(text) if token.type == "td_open"]
    axes, weights = len(program("hostile").axes), 1
    assert len(tables) == 3 * (axes + weights), "a bar in a description ends no cell"


@pytest.mark.parametrize("name", ["hostile", *ARCHITECTURES])
def test_graphviz_draws_every_box_and_link(name: str) -> None:
    made = program(name)
    for file, text in BACKENDS["dot"].print(made).items():
        picture = pictures(made)[file.removesuffix(".dot")]
        boxes, links, frames = by_graphviz(text)
        assert len(boxes) == len(picture.boxes) and len(links) == len(picture.links), file
        assert len(frames) == len([one for one in picture.frames if picture.inside(one.id)])


@pytest.mark.timeout(700)
@pytest.mark.parametrize("name", ["hostile", *(pytest.param(name, marks=pytest.mark.trial) for name in CASES)])
def test_mermaid_reads_its_flowcharts(name: str) -> None:
    made = program(name)
    for file, text in BACKENDS["mermaid"].print(made).items():
        picture = pictures(made)[file.removesuffix(".mmd")]
        found = by_node("flowchart.mjs", text)
        assert len(found["nodes"]) == len(picture.boxes) and len(found["links"]) == len(picture.links), file


@pytest.mark.timeout(700)
def test_the_library_of_drawio_reads_its_files() -> None:
    made = program("hostile")
    for file, text in BACKENDS["drawio"].print(made).items():
        picture = pictures(made)[file.removesuffix(".drawio")]
        cells = by_node("mxgraph.mjs", text)
        assert sum(cell["edge"] for cell in cells) == len(picture.links), file
        assert sum(cell["vertex"] for cell in cells) == len(picture.boxes) + len(picture.frames), file


@pytest.mark.parametrize("name", [*CASES])
def test_no_box_lies_on_another_and_no_link_that_passes_rows_by_crosses_one(name: str) -> None:
    for file, picture in pictures(program(name)).items():
        check_layout(picture, file)


def check_layout(picture: Picture, file: str) -> None:
    layout = layered(picture)
    spots = list(layout.boxes.items())
    for number, (_, one) in enumerate(spots):
        for _, other in spots[:number]:
            beside = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert beside or one.y + one.height <= other.y or other.y + other.height <= one.y, file
    for id_, frame in layout.frames.items():
        members = {box.id for box in picture.inside(id_)}
        for name, one in spots:
            inside = (
                frame.x <= one.x
                and frame.y <= one.y
                and one.x + one.width <= frame.x + frame.width
                and one.y + one.height <= frame.y + frame.height
            )
            outside = one.y + one.height <= frame.y or one.y >= frame.y + frame.height
            assert inside if name in members else outside, (file, name)
    for points in layout.bends.values():
        for (x, y), (x2, y2) in pairwise(points):
            for _, one in spots:
                across = min(x, x2) < one.x + one.width and max(x, x2) > one.x and min(y, y2) < one.y + one.height and max(y, y2) > one.y
                assert not across, (file, points)


def test_the_system_shows_repeats_and_shared_weights() -> None:
    picture = pictures(program("gemma3"))["LM.system"]
    assert [frame.label for frame in picture.frames] == ["N times", "M times"]
    labels = {box.label.split("\n")[0]: box for box in picture.boxes}
    assert labels["Local (5 in a row)"].frame == labels["Global"].frame == "f0" and labels["Local"].frame == "f1"
    assert [(link.label, link.arrow) for link in picture.links if link.line == "dotted"] == [("same weight", False)]


def test_the_blocks_of_a_layer_are_what_it_calls() -> None:
    boxes = [box.label.split("\n")[0] for box in pictures(program("llama"))["Block.block"].boxes]
    assert boxes == ["x[b,t,d]", "rmsnorm", "attention", "attention: add", "rmsnorm", "swiglu", "feed-forward: add", "out[b,t,d]"]


CHOSEN = {
    "tokenizer": "Byte-level BPE", "dedup": None, "data_pipeline": "Filtered web", "attention": "GQA", "optimizer": "AdamW",
    "hardware": "H100", "norm": "RMSNorm", "serving": "vLLM",
}  # fmt: skip


def test_the_pipeline_skips_places_the_stack_leaves_empty() -> None:
    picture = pipeline_picture("base", CHOSEN, {"head": "1.5B parameters"})
    labels = {box.id: box.label for box in picture.boxes}
    assert labels["tokenizer"] == "Tokenizer\nByte-level BPE" and "dedup" not in labels and labels["head"].endswith("1.5B parameters")
    ends = {(link.source, link.target) for link in picture.links}
    assert {("documents", "tokenizer"), ("embedding", "norm"), ("checkpoints", "export"), ("checkpoints", "evaluation")} <= ends
    assert "parallel" not in labels and ("hardware", "parallel") not in ends
    empty = pipeline_picture("empty", {})
    assert ("embedding", "mixer") in {(link.source, link.target) for link in empty.links}
    check_layout(picture, "pipeline")


def test_all_diagrams_of_a_blueprint_as_files() -> None:
    files = diagram_files("base", program("llama"), pipeline_picture("base: the training infrastructure", CHOSEN))
    page = files["README.md"].decode()
    for file in ("pipeline", "LM.system", "Block.block", "Block.tensor"):
        assert {f"{file}.{ending}" for ending in ("dot", "mmd", "drawio")} <= set(files) and f"{file}.drawio" in page
        if shutil.which("dot"):
            ElementTree.fromstring(files[f"{file}.svg"])
            assert files[f"{file}.png"].startswith(b"\x89PNG") and f"]({file}.svg)" in page
    assert files == diagram_files("base", program("llama"), pipeline_picture("base: the training infrastructure", CHOSEN))
