"""1,000 pages with their sources: Forge's site with its search index, beside MkDocs with Material and its search, in one run.

    python bench/site.py [--volumes 30] [--pages 34] [--peer-python F/bin/python]

--peer-python is that of an environment with mkdocs-material (python3 -m venv F; F/bin/pip install mkdocs-material); without it Forge alone
is measured. Both get the same volumes: Forge as data, MkDocs as the Markdown that Forge writes of them with its mkdocs.yml. CPU seconds are
those of the process and all that it starts. Also: a book of some 200 pages by Typst.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import machine, table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from forge_assets.documentation import markdown, shelf
from forge_assets.documentation.print.build import pdf
from forge_assets.documentation.site.build import build_site
from forge_assets.documentation.volume import Volume
from tests.documentation.volumes import Library, sentences, volume

SENTENCES = 24
"""Of one page; pages of real volumes have some twenty."""
BOOK = 98
"""Chapters of a book of 200 pages."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--volumes", type=int, default=30)
    parser.add_argument("--pages", type=int, default=34)
    parser.add_argument("--peer-python", type=Path)
    chosen = parser.parse_args()
    print(machine())
    library = Library(sentences())
    made = [volume(chosen.pages, f"volume-{number}", number, library, SENTENCES)[0] for number in range(chosen.volumes)]
    count = chosen.volumes * chosen.pages
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = _site(made, Path(folder) / "site")
        rows = [["Forge", f"{count:,}", f"{wall:.1f}", f"{cpu:.1f}", "1.0"]]
        if chosen.peer_python:
            other_wall, other_cpu = _mkdocs(made, Path(folder) / "mkdocs", chosen.peer_python)
            rows.append(["MkDocs with Material", f"{count:,}", f"{other_wall:.1f}", f"{other_cpu:.1f}", f"{other_cpu / cpu:.1f}"])
        print(table(["site", "pages", "wall s", "CPU s", "CPU times Forge's"], rows))
    book = volume(BOOK, "book", 1, library, SENTENCES)[0]
    wall, cpu, length = _book(book)
    print(f"a book of {length} pages: {wall:.1f} s, {cpu:.1f} CPU s")


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _site(made: list[Volume], folder: Path) -> tuple[float, float]:
    started, before = time.monotonic(), _cpu()
    build_site(made, folder, {page.id for one in made for page in one.pages})
    return time.monotonic() - started, _cpu() - before


def _mkdocs(made: list[Volume], folder: Path, python: Path) -> tuple[float, float]:
    for one in made:
        for name, text in markdown.files(one):
            file = folder / "volumes" / one.id / "markdown" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    (folder / "volumes" / "index.md").write_text("# Volumes\n", encoding="utf-8")
    (folder / "mkdocs.yml").write_text(shelf.mkdocs("Volumes", made), encoding="utf-8")
    started, before = time.monotonic(), _cpu()
    command = [str(python), "-m", "mkdocs", "build", "-q", "-f", str(folder / "mkdocs.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"bench/site.py: mkdocs failed: {done.stderr.strip()[-500:]}")
    return time.monotonic() - started, _cpu() - before


def _book(one: Volume) -> tuple[float, float, int]:
    import pypdfium2

    started, before = time.monotonic(), _cpu()
    made = pdf(one)
    wall, cpu = time.monotonic() - started, _cpu() - before
    return wall, cpu, len(pypdfium2.PdfDocument(made))


if __name__ == "__main__":
    main()
