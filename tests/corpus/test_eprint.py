"""E-prints: whatever arXiv gives out as source is read, and what is made to harm is not."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from forge_assets.corpus.model import Parsed
from forge_assets.corpus.parse import parse
from forge_assets.corpus.problems import PROBLEMS
from forge_assets.corpus.readers import eprint_inline, eprint_members, read
from forge_assets.corpus.readers.eprint import main_file
from forge_assets.corpus.readers.limits import Limits
from forge_assets.corpus.readers.sniff import sniff
from forge_resources.errors import DocumentProblem
from tests.corpus.pdf_making import lines_at, pdf_of

NAME = "arxiv:2501.00001#latex"
SHARED = Path("../shared/corpus/formats/tex/docling-project__docling/tests/data/latex/sources")
MAIN = r"""\documentclass{article}
\title{On the sum of two numbers}
\author{Ada Lovelace}
\begin{document}
\maketitle
\begin{abstract}We add two numbers and find their sum.\end{abstract}
% \input{unwanted}
\input{sections/method}
\include{results}
\bibliography{refs}
\end{document}
"""
FILES = {
    "main.tex": MAIN,
    "sections/method.tex": "\\section{Method}\nThe method takes the first number.\n\\input sections/detail\n",
    "sections/detail.tex": "It then adds the second number to it.\\endinput This is never read.",
    "results.tex": "\\section{Results}\nThe sum was found to be right.",
    "unwanted.tex": "This was commented out.",
    "main.bbl": "\\begin{thebibliography}{1}\\bibitem{a} C. Babbage. On engines. 1837.\\end{thebibliography}",
    "fig.png": "not a picture",
}


WHOLE = "\\documentclass{a}\\begin{document}"


def tar_of(files: dict[str, str | bytes], **links: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for name, target in links.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return out.getvalue()


def said(parsed: Parsed) -> str:
    return "\n".join(element.text for element in parsed.elements)


def problem_of(data: bytes, name: str = NAME, limits: Limits | None = None) -> str:
    with pytest.raises(DocumentProblem) as caught:
        read(data, name, limits)
    assert caught.value.code in PROBLEMS and name in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
@pytest.mark.parametrize("name", [NAME, "folder/2501.00001v2.tar.gz", "paper.tar"])
def test_an_archive_of_tex_is_read_as_one_document(pack: Callable[[bytes], bytes], name: str) -> None:
    parsed = read(pack(tar_of(dict(FILES))), name)
    text = said(parsed)
    assert parsed.title == "On the sum of two numbers" and parsed.authors == ["Ada Lovelace"]
    places = [
        text.index(part) for part in ("We add two", "Method", "takes the first", "adds the second", "Results", "was found", "Babbage")
    ]
    assert places == sorted(places)
    assert "never read" not in text and "commented out" not in text
    assert parsed.media_type == "application/x-tex" and parsed.metadata["main_file"] == "main.tex"
    assert parsed.identifiers.get("arxiv") == ("2501.00001" if "2501" in name else None)
    assert any(element.kind == "reference" for element in parsed.elements)


@pytest.mark.parametrize("text", [MAIN, "%plain\n\\input harvmac\n\\magnification=1200\nWe add two numbers and find their sum.\n\\bye"])
@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_one_file_of_tex_is_read_packed_or_not(text: str, pack: Callable[[bytes], bytes]) -> None:
    assert "We add two numbers and find their sum." in said(read(pack(text.encode()), NAME))


def test_a_tex_file_packed_in_a_folder_is_read_and_other_archives_have_no_reader_as_before() -> None:
    assert "two numbers" in said(read(gzip.compress(MAIN.encode()), "sum.tex.gz"))
    assert problem_of(gzip.compress(b"x" * 100, mtime=0), "archive.md") == "no_reader"
    assert problem_of(gzip.compress(tar_of({"setup.py": "import os", "data.csv": "1,2"})), "package.tar.gz") == "no_reader"


@pytest.mark.parametrize("identity", ["2501.00001", "math/0309136", "hep-th/9901001", "math.GT/0309136"])
def test_the_name_gives_the_identifier_to_latex_and_pdf(identity: str) -> None:
    pdf = pdf_of([lines_at([(72.0, 700.0 - 14 * n, "This line cites arXiv:1706.03762 in its text.") for n in range(20)])])
    assert read(gzip.compress(MAIN.encode()), f"arxiv:{identity}#latex").identifiers["arxiv"] == identity
    assert read(pdf, f"arxiv:{identity}#pdf").identifiers["arxiv"] == identity
    assert read(pdf, f"arxiv:{identity}#latex").media_type == "application/pdf"
    assert read(gzip.compress(pdf), f"arxiv:{identity}#latex").media_type == "application/pdf"
    assert read(tar_of({"paper.pdf": pdf, "anc/a.txt": "x"}), f"arxiv:{identity}#latex").media_type == "application/pdf"


@pytest.mark.parametrize(
    ("texts", "main"),
    [
        ({"a.tex": "\\documentclass{article}\\begin{document}x", "b.tex": "\\section{b}"}, "a.tex"),
        ({"main.tex": "\\documentclass[tikz]{standalone}\\begin{document}x", "z.tex": WHOLE}, "z.tex"),
        ({"main.tex": "\\documentclass[p.tex]{subfiles}\\begin{document}", "p.tex": WHOLE}, "p.tex"),
        ({"x.tex": WHOLE, "y.tex": WHOLE, "x.bbl": "b"}, "x.tex"),
        ({"x.tex": WHOLE, "y.tex": WHOLE, "00README.XXX": "x.tex toplevelfile"},
         "x.tex"),
        ({"main.tex": WHOLE, "y.tex": WHOLE, "00README.XXX": "main.tex ignore"},
         "y.tex"),
        ({"x.tex": WHOLE, "y.tex": WHOLE,
          "00README.json": '{"sources": [{"filename": "x.tex", "usage": "toplevel"}, {"filename": "y.tex", "usage": "ignore"}]}'}, "x.tex"),
        ({"x.tex": WHOLE, "y.tex": WHOLE,
          "00README.yaml": "sources:\n- usage: toplevel\n  filename: x.tex\n"}, "x.tex"),
        ({"wrapper.tex": "\\documentclass{a}\\input{y}", "y.tex": WHOLE}, "wrapper.tex"),
        ({"old.tex": "\\documentstyle[12pt]{article}\\begin{document}", "macros.tex": "\\def\\a{b}"}, "old.tex"),
        ({"plain.tex": "\\input harvmac\n words \\bye", "harvmac.tex": "\\def\\a{b}" * 99}, "plain.tex"),
        ({"supplement.tex": WHOLE + "x" * 99, "ours.tex": WHOLE}, "ours.tex"),
        ({"notes.txt": "no TeX at all"}, None),
    ],
)  # fmt: skip
def test_the_main_file_is_found(texts: dict[str, str], main: str | None) -> None:
    assert main_file(texts) == main


def test_imports_are_sought_where_tex_seeks_them() -> None:
    files = {
        "src/paper.tex": WHOLE + "\\import{parts/}{one}\\subfile{parts/three}\\input{Upper}\\end{document}",
        "src/parts/one.tex": "First part of it. \\input{two} \\input{../../etc/passwd}",
        "src/parts/two.tex": "Second part of it.",
        "src/parts/three.tex": "\\documentclass[../paper]{subfiles}\\begin{document}Third part of it.\\end{document}",
        "src/upper.TEX": "Fourth part of it.",
    }
    text = said(read(tar_of(dict(files)), NAME))
    assert all(f"{part} part of it." in text for part in ("First", "Second", "Third", "Fourth")) and "subfiles" not in text


def test_inputs_within_verbatim_text_and_bibliographies_of_their_own_are_left_alone() -> None:
    files = {"a.tex": "\\documentclass{article}\\begin{document}Words of this.\\begin{verbatim}\\input{b}\\end{verbatim}"
             "\\begin{thebibliography}{1}\\bibitem{x} The own list.\\end{thebibliography}\\end{document}",
             "b.tex": "SECRET", "a.bbl": "\\begin{thebibliography}{1}\\bibitem{x} Another list.\\end{thebibliography}"}  # fmt: skip
    text = said(read(tar_of(dict(files)), NAME))
    assert "SECRET" not in text and "Another list" not in text


def test_inputs_in_a_circle_and_without_end_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    circle = {
        "main.tex": "\\documentclass{article}\\begin{document}Words of it.\\input{b}\\end{document}",
        "b.tex": "More words.\\input{main}\\input{b}",
    }
    assert said(read(tar_of(dict(circle)), NAME)).count("Words of it.") == 1
    bomb: dict[str, str | bytes] = {"main.tex": "\\documentclass{article}\\begin{document}\\input{f0}\\end{document}"}
    bomb |= {f"f{n}.tex": f"\\input{{f{n + 1}}}" * 10 for n in range(14)} | {"f14.tex": "lol " * 100}
    assert problem_of(tar_of(bomb)) == "unsafe"
    monkeypatch.setattr(eprint_inline, "MAX_CHARACTERS", 2_000)
    assert problem_of(tar_of({"main.tex": "\\documentclass{article}\\input{x}\\input{x}", "x.tex": "lol " * 400})) == "unsafe"


def test_names_that_lead_outside_and_links_are_passed_over(tmp_path: Path) -> None:
    secret = tmp_path / "secret.tex"
    secret.write_text("SECRET")
    files = {"main.tex": f"{WHOLE}Words of it.\\input{{{secret}}}\\input{{link}}\\input{{../up}}",
             "../up.tex": "SECRET", str(secret): "SECRET", "C:\\up.tex": "SECRET"}  # fmt: skip
    text = said(read(tar_of(dict(files), **{"link.tex": str(secret)}), NAME))
    assert "Words of it." in text and "SECRET" not in text
    assert problem_of(tar_of({"../up.tex": MAIN}, link="/etc/passwd")) == "unsafe"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.tex"]


def test_what_unfolds_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Limits(max_unfolded_bytes=2 << 20)
    assert problem_of(gzip.compress(b"\\documentclass{a}" + b" " * (5 << 20)), limits=small) == "too_large"
    assert problem_of(gzip.compress(tar_of({**FILES, "big.dat": b"\x00" * (5 << 20)})), limits=small) == "too_large"
    many = gzip.compress(tar_of(dict(FILES))) * 2000
    assert said(read(many[: 1 << 20], NAME, small))  # what stands behind the end of a tar is not read
    monkeypatch.setattr(eprint_members, "MAX_MEMBERS", 5)
    assert problem_of(tar_of(dict(FILES))) == "unsafe"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (gzip.compress(b""), "empty"),
        (gzip.compress(b" \n\n"), "empty"),
        (gzip.compress(b"%auto-ignore\nThis paper has been withdrawn by the authors because of an error in Lemma 3.\n"), "no_text"),
        (b"%auto-ignore\nThis paper has been withdrawn.", "no_text"),
        (gzip.compress(b"%!PS-Adobe-2.0\n%%Creator: dvips\nshowpage"), "no_reader"),
        (tar_of({"paper.ps": "%!PS-Adobe", "fig.eps": "%!PS-Adobe"}), "no_reader"),
        (gzip.compress(tar_of({"a.png": "x"})), "no_reader"),
        (gzip.compress(tar_of(dict(FILES)))[:300], "broken"),
        (gzip.compress(MAIN.encode())[:-12], "broken"),
        (gzip.compress(MAIN.encode())[:-8] + b"\x00" * 8, "broken"),
        (tar_of(dict(FILES))[:700], "broken"),
    ],
    ids=lambda value: f"{len(value)}-bytes" if isinstance(value, bytes) else value,  # gzip writes the time of day into its bytes
)
def test_what_holds_no_paper_says_why(data: bytes, code: str) -> None:
    assert problem_of(data) == code


def test_a_text_that_mentions_a_withdrawal_is_no_withdrawn_paper() -> None:
    assert "withdrawn" in said(read(gzip.compress(MAIN.replace("their sum", "the withdrawn sum").encode()), NAME))


def test_members_of_another_encoding_are_read() -> None:
    text = MAIN.replace("Ada Lovelace", "Renée Müller").replace("their sum", "die Länge über größeren Flächen").encode("latin-1")
    assert "die Länge über größeren Flächen" in said(read(tar_of({"main.tex": text}), NAME))


@pytest.mark.trial
def test_the_real_sources_are_read_as_they_are_in_a_folder() -> None:
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/corpus/formats/tex")
    for folder in sorted(path for path in SHARED.iterdir() if path.is_dir()):
        files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
        document = parse(gzip.compress(tar_of(dict(files))), NAME)
        alone = max(
            (parse(data, name) for name, data in files.items() if name.endswith(".tex") and b"\\document" in data),
            key=lambda d: len(d.text),
        )
        assert document.parsed.title == alone.parsed.title and len(document.text) >= 0.99 * len(alone.text), folder.name


def test_the_kind_is_told_by_the_bytes() -> None:
    assert sniff(gzip.compress(tar_of(dict(FILES))), "x.bin").reader == "eprint"
    assert sniff(tar_of(dict(FILES)), "x").reader == "eprint"
    assert sniff(MAIN.encode(), "paper.tex").reader == "latex"
    assert sniff(MAIN.encode(), NAME).reader == "eprint"
