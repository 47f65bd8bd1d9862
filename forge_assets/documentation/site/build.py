"""Volumes -> a folder of plain files: a start page, a folder per volume with its pages, drawings and search index.

A volume's folder is made beside its place and moved there whole; its mark tells what it was made of, so that an unchanged volume costs a
look.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from forge_assets.documentation.site import addresses, drawings
from forge_assets.documentation.site.cells import marks, rows
from forge_assets.documentation.site.inline import inline
from forge_assets.documentation.site.pages import KINDS, LANGUAGES, PageView, navigation
from forge_assets.documentation.version import SITE_VERSION
from forge_assets.documentation.volume import Volume
from forge_resources.errors import ForgeError

TITLE = "Forge documentation"
ASSETS = ("site.css", "site.js", "theme.js", "icon.svg")
MARK = ".made.json"
LEFT_OUT = ("pagefind-ui.*", "pagefind-modular-ui.*", "pagefind-component-ui.*", "pagefind-highlight.js")
"""Of what Pagefind writes: user interfaces of its own, which no page uses."""


@dataclass(slots=True)
class SiteReport:
    """`volumes` in the site, `made` of them anew; `pages` in the site, `written` of those anew."""

    volumes: int = 0
    made: int = 0
    pages: int = 0
    written: int = 0
    folder: str = ""
    states: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return hashlib.sha256(repr(sorted(self.states.items())).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Entry:
    """A volume on the start page."""

    path: str
    title: str
    kind: str
    pages: int
    sources: int


def build_site(
    volumes: Iterable[Volume], folder: Path, known: Collection[str], say: Callable[[str], None] = lambda text: None
) -> SiteReport:
    """Brings the site at `folder` up to the volumes; folders of volumes that are no more go. `known`: ids of all their pages."""
    report, entries = SiteReport(folder=str(folder)), []
    folder.mkdir(parents=True, exist_ok=True)
    for volume in volumes:
        path = addresses.safe(volume.id)
        state = _state(volume, known)
        if _made_of(folder / path) != state:
            _make(volume, folder / path, known, state)
            report.made += 1
            report.written += len(volume.pages)
            say(f"{volume.id}: {len(volume.pages)} pages")
        entries.append(Entry(path, volume.title, volume.kind, len(volume.pages), len(volume.sources)))
        report.states[volume.id] = state
        report.pages += len(volume.pages)
    report.volumes = len(entries)
    _start(entries, folder)
    for old in folder.iterdir():
        if old.is_dir() and (old / MARK).exists() and old.name not in {entry.path for entry in entries}:
            shutil.rmtree(old)
    return report


def _state(volume: Volume, known: Collection[str]) -> str:
    """Of everything that the volume's folder is made of; pages of other volumes count where they are linked to."""
    linked = sorted({page for page in _targets(volume) if page in known})
    said = [SITE_VERSION, _looks(), volume.model_dump_json(), linked]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _targets(volume: Volume) -> Iterator[str]:
    for page in volume.pages:
        for block in page.blocks:
            if block.kind == "links":
                yield from (target for target, _ in block.pages)
            elif block.kind == "table":
                yield from (cell.page for row in block.rows for cell in row if cell.page)


@cache
def _looks() -> str:
    parts = sorted((part.name, part.read_bytes()) for part in (files(__package__) / "html").iterdir() if part.is_file())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _made_of(place: Path) -> str | None:
    try:
        state: str = json.loads((place / MARK).read_text())["state"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return state


def _make(volume: Volume, place: Path, known: Collection[str], state: str) -> None:
    fresh = place.with_name(f".{place.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for name, text in _files(volume, known):
        file = fresh / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text)
    index(fresh)
    (fresh / MARK).write_text(json.dumps({"state": state}))
    old = place.with_name(f".{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _files(volume: Volume, known: Collection[str]) -> Iterator[tuple[str, bytes]]:
    shell = {"root": "../", "site_title": TITLE, "volume": volume, "volume_path": addresses.safe(volume.id), "inline": inline,
             "plural": plural, "rows": rows, "marks": marks, "language": lambda code: LANGUAGES.get(code, code)}  # fmt: skip
    view, template = PageView(volume, known), _templates().get_template("page.html")
    drawn: set[str] = set()
    for page in volume.pages:
        shown = view.shown(page)
        text = template.render(shell, title=page.title, page=page, shown=shown, groups=navigation(volume, page), once=Once())
        yield addresses.file_of(page.id), text.encode("utf-8", "replace")
        for figure in shown.figures:
            if (name := drawings.name_of(figure)) not in drawn:
                drawn.add(name)
                yield f"figures/{name}", drawings.cleaned(figure.svg) or drawings.NONE
    every = [{"kind": kind, "title": title, "pages": _listed(volume, kind)} for kind, title in KINDS.items()]
    text = (
        _templates()
        .get_template("volume.html")
        .render(shell, title=volume.title, all=[group for group in every if group["pages"]], groups=navigation(volume, None))
    )
    yield "index.html", text.encode("utf-8", "replace")


def _listed(volume: Volume, kind: str) -> list[tuple[str, str, str, int]]:
    return [(addresses.file_of(page.id), page.title, page.summary, page.sources) for page in volume.pages if page.kind == kind]


class Once:
    """Numbers marks: the first of a source carries its number, so that the list of sources leads back to it."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}

    def __call__(self, number: int) -> str:
        self._seen[number] = self._seen.get(number, 0) + 1
        return str(number) if self._seen[number] == 1 else f"{number}-{self._seen[number]}"


def _start(entries: list[Entry], folder: Path) -> None:
    groups = [(title, [entry for entry in entries if entry.kind == kind]) for kind, title in
              (("overview", "Overview"), ("slot", "Components"), ("topic", "Topics"))]  # fmt: skip
    text = _templates().get_template("start.html").render(
        root="./", site_title=TITLE, title=TITLE, volume_path="", start=True, volumes=entries, groups=groups, plural=plural,
        pages=sum(entry.pages for entry in entries), paths=json.dumps([entry.path for entry in entries]),
    )  # fmt: skip
    (folder / "index.html").write_bytes(text.encode("utf-8", "replace"))
    (folder / "assets").mkdir(exist_ok=True)
    for name in ASSETS:
        (folder / "assets" / name).write_bytes((files(__package__) / "html" / name).read_bytes())


def plural(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


@cache
def _templates() -> Environment:
    where = str(files(__package__) / "html")
    return Environment(loader=FileSystemLoader(where), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _pagefind() -> str:
    """The program itself: its Python front costs more time to start than a volume takes to index."""
    from pagefind.service import get_executable

    found = get_executable()
    if found is None:
        raise ForgeError("Pagefind's program is not there; `pip install 'pagefind[extended]'` brings it")
    return str(found)


def index(folder: Path) -> None:
    """Pagefind's index of a volume's pages, in its folder `pagefind`."""
    done = subprocess.run(
        [_pagefind(), "--site", str(folder), "--force-language", "en", "--quiet"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ForgeError(f"Pagefind could not index {folder} (exit {done.returncode}): {(done.stderr or done.stdout).strip()[-300:]}")
    for pattern in LEFT_OUT:
        for file in (folder / "pagefind").glob(pattern):
            file.unlink()
