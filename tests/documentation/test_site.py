"""The site as files: valid HTML, links and anchors that lead somewhere, nothing that could run, unchanged volumes untouched; the book."""

from __future__ import annotations

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import html5lib
import pytest

from forge_assets.documentation.site import addresses, drawings
from forge_assets.documentation.site.build import build_site
from forge_assets.documentation.site.inline import inline
from forge_assets.documentation.volume import Volume
from tests.documentation.volumes import Library, volume


def known(*volumes: Volume) -> set[str]:
    return {page.id for one in volumes for page in one.pages}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    first, library = volume(pages=5)
    second, _ = volume(pages=4, id_="topic-1", seed=3, library=library)
    build_site([first, second], folder, known(first, second))
    return folder


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            elif name in ("href", "src"):
                self.targets.append(str(value))


def pages(site: Path) -> list[Path]:
    return [file for file in sorted(site.rglob("*.html")) if "pagefind" not in file.parts]


def test_pages_are_valid_html(site: Path) -> None:
    assert len(pages(site)) == 1 + 2 + 9
    for file in pages(site):
        html5lib.HTMLParser(strict=True).parse(file.read_text())
        ids = Links(file.read_text()).ids
        assert len(ids) == len(set(ids)), file


def test_every_link_and_anchor_leads_somewhere_in_the_site(site: Path) -> None:
    found = {file: Links(file.read_text()) for file in pages(site)}
    internal = 0
    for file, links in found.items():
        for target in links.targets:
            path, anchor = urldefrag(target)
            if urlsplit(path).scheme:
                assert path.startswith("https://example.org/paper/"), "only sources are outside"
                continue
            there = (file.parent / unquote(path)).resolve() if path else file
            assert there.is_file(), (file, target)
            assert not anchor or anchor in found[there].ids, (file, target)
            internal += 1
    assert internal > 200


def test_a_page_says_what_its_volume_says(site: Path) -> None:
    text = (site / "optimizer" / "page-0.html").read_text()
    one, _ = volume(pages=5)
    for block in one.pages[0].blocks:
        if block.kind == "paragraph":
            assert all(str(inline(sentence.text)) in text for sentence in block.sentences)
    for part in (
        "sources disagree",
        "tokenizer.yaml",
        "size: 1\n# &lt;b&gt;",
        "Nothing is known of its cost.",
        "A leads to B",
        "One voice per work.",
    ):
        assert part in text
    assert "A page that is not there" in text and "nowhere" not in text, "pages that are not there are not linked"
    assert "Rare thing" in (site / "optimizer" / "index.html").read_text()


def test_an_unchanged_volume_is_left_alone_and_one_that_is_gone_goes(tmp_path: Path) -> None:
    first, library = volume(pages=2)
    second, _ = volume(pages=2, id_="topic-1", seed=3, library=library)
    assert build_site([first, second], tmp_path, known(first, second)).made == 2
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.parent != tmp_path and "assets" not in file.parts}
    again = build_site([first, second], tmp_path, known(first, second))
    assert (again.made, again.pages, again.volumes) == (0, 4, 2)
    assert before == {
        file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.parent != tmp_path and "assets" not in file.parts
    }
    changed = first.model_copy(update={"title": "Other"})
    assert build_site([changed], tmp_path, known(first)).made == 1
    assert not (tmp_path / "topic-1").exists() and "Other" in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/../../b", "con/index", "x/ü ü", "x/.hidden", "x/" + "a" * 300, "x/a\\b", "x/%2e%2e"]
)
def test_no_name_of_a_page_leaves_its_folder(name: str) -> None:
    file = addresses.file_of(name)
    assert "/" not in file and "\\" not in file and not file.startswith(".") and len(file) < 200 and file != "index.html"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil",
        "https://",
        "http://a\nb",
        "file:///etc",
        "",
    ],
)
def test_only_web_addresses_are_linked(url: str) -> None:
    assert addresses.link(url) is None


def test_formulas_become_mathml_and_money_does_not() -> None:
    assert str(inline("at $\\alpha_C = 0.05$ it")).startswith("at <math>") and "<msub>" in inline("$x_1$")
    assert inline("costs $5 and $10 a day") == "costs $5 and $10 a day"
    assert inline("$\\unknowncommand{x}$") == "<code>\\unknowncommand{x}</code>"
    assert inline("a `b<c` d") == "a <code>b&lt;c</code> d" and "<script>" not in inline("$\\text{<script>alert(1)</script>}$")


def test_drawings_keep_shapes_and_nothing_that_runs() -> None:
    hostile = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="alert(1)"><script>alert(2)</script>'
        '<a href="javascript:alert(3)"><rect/></a><foreignObject><p>x</p></foreignObject><image href="http://evil/x"/>'
        '<rect width="5" style="fill:url(http://evil/y)"/><use xlink:href="http://evil/z#a"/><circle r="4" fill="url(#g)"/></svg>'
    )
    made = drawings.cleaned(hostile)
    assert made is not None
    for bad in (b"script", b"alert", b"foreignObject", b"evil", b"onload", b"image"):
        assert bad not in made
    assert b"<circle" in made and b"url(#g)" in made
    assert drawings.cleaned("<p>no</p>") is None and drawings.cleaned("<svg") is None
    entity = '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg"><text>&a;</text></svg>'
    assert b"root:" not in (drawings.cleaned(entity) or b"")


def _has_font(language: str) -> bool:
    found = shutil.which("fc-list") and subprocess.run(["fc-list", f":lang={language}"], capture_output=True, text=True, check=True).stdout
    return bool(found)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs Debian's poppler-utils: run tools/debian.sh as root")
def test_a_book_holds_what_the_volume_says(tmp_path: Path) -> None:
    from forge_assets.documentation.print.build import pdf

    texts = [
        "Träger #strong[x] $\\alpha_C = \\frac{a}{b}$ costs $5 @label <b>.",
        "深層学習は速い。",
        "Ошибка мала: ∑ x ≤ ∞ → ℝ.",
        "*Not* _bold_ = heading // no.",
    ]
    one, _ = volume(pages=2, library=Library(texts + [f"Filler sentence number {n}." for n in range(8)]), per_page=12)
    file = tmp_path / "book.pdf"
    file.write_bytes(pdf(one))
    assert file.read_bytes() == pdf(one), "the same volume, the same bytes"
    told = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True).stdout
    for part in (
        "#strong[x]",
        "@label <b>",
        *(["深層学習"] if _has_font("ja") else []),
        *(["Ошибка мала"] if _has_font("ru") else []),
        "*Not* _bold_ = heading // no.",
        "Contents",
        "Bibliography",
        "Table 1",
        "Figure 1",
    ):
        assert part in told, part
    assert "\ufffd" not in told
