"""The tree of components as one HTML file that asks for nothing outside: it folds, is searched, and is readable without scripts too."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from pathlib import Path

from forge_assets.components.ontology.model import Component, Ontology
from forge_assets.components.ontology.tree import Branch, grow, growth

PAGE = Path(__file__).resolve().parent / "tree_page.html"
_BUILD = {
    "fdl": ("formula", "can be written as a formula over tensors, and built from it"),
    "library": ("library", "an existing library supplies it"),
    "described": ("described", "described in words only"),
}


def draw(
    ontology: Ontology,
    *,
    slot: str | None = None,
    works: Mapping[str, int] | None = None,
    trends: Mapping[str, float | None] | None = None,
) -> str:
    """The page as text, UTF-8 meant. `works`: component id -> works that name it, drawn as bars on a logarithmic scale; `trends`: id ->
    yearly growth of their share."""
    branches = grow(ontology, slot=slot, works=works, trends=trends)
    most = max((works or {}).values(), default=0)
    components = sum(branch.size for branch in branches)
    slots = sum(len(branch.children) for branch in branches)
    counted = (
        f"{components:,} components in {slots} slot{'' if slots == 1 else 's'} for {len(branches)} task{'' if len(branches) == 1 else 's'}"
    )
    parts = {
        "COUNTED": escape(counted),
        "COUNTS": "counted" if works is not None else "plain",
        "VERSION": ontology.version[:12],
        "TASKS": "\n".join(
            f'<li><a href="#{escape(one.id)}">{escape(one.title)} <span class="n">{one.size:,}</span></a></li>' for one in branches
        ),
        "TREE": "\n".join(_task(branch, ontology, most) for branch in branches),
    }
    page = PAGE.read_text(encoding="utf-8")
    head, *pieces = page.split("<!--=")
    return head + "".join(parts[name] + rest for name, rest in (piece.split("=-->", 1) for piece in pieces))


def _task(branch: Branch, ontology: Ontology, most: int) -> str:
    about = escape(ontology.tasks[branch.id].description)
    slots = "\n".join(_slot(child, ontology, most) for child in branch.children)
    return (
        f'<section id="{escape(branch.id)}"><h2>{escape(branch.title)} <span class="n">{branch.size:,}</span></h2>'
        f'<p class="about">{about}</p><ul class="slots">{slots}</ul></section>'
    )


def _slot(branch: Branch, ontology: Ontology, most: int) -> str:
    about = escape(ontology.slots[branch.id].description)
    core = (
        '<span class="core" title="a trainable language model needs something in this slot">core</span>'
        if ontology.slots[branch.id].core
        else ""
    )
    return (
        f'<li class="slot" data-id="{escape(branch.id)}"><details><summary><span class="title">{escape(branch.title)}</span>'
        f'<span class="n">{branch.size:,}</span>{core}<span class="about">{about}</span></summary>'
        f"{_components(branch, most)}</details></li>"
    )


def _components(branch: Branch, most: int) -> str:
    return f"<ul>{''.join(_component(child, most) for child in branch.children)}</ul>" if branch.children else ""


def _component(branch: Branch, most: int) -> str:
    component = branch.component
    assert component is not None
    row = f'<span class="title">{escape(component.name)}</span>{_facts(component)}{_bar(branch, most)}'
    row += f'<span class="about">{escape(component.description)}</span>{_aliases(component)}'
    if branch.children:
        row = f"<details open><summary>{row}</summary>{_components(branch, most)}</details>"
    else:
        row = f'<div class="leaf">{row}</div>'
    return f'<li class="component" data-id="{escape(component.id)}">{row}</li>'


def _facts(component: Component) -> str:
    introduced = component.introduced
    year = ""
    if introduced:
        address = _address(component)
        shown = f'<span class="year" title="{escape(introduced.title)}">{introduced.year}</span>'
        year = f'<a href="{escape(address)}" rel="noreferrer" target="_blank">{shown}</a>' if address else shown
    build, meaning = _BUILD[component.build]
    mark = f'<span class="build {component.build}" title="{escape(meaning)}">{build}</span>'
    return f"{year}{mark}<code>{escape(component.id)}</code>"


def _aliases(component: Component) -> str:
    name = component.name.casefold()
    aliases = dict.fromkeys(alias.text for alias in component.aliases if alias.text.casefold() != name)
    return f'<span class="aliases">{escape(" · ".join(aliases))}</span>' if aliases else ""


def _address(component: Component) -> str | None:
    introduced = component.introduced
    if introduced is None:
        return None
    if introduced.arxiv:
        return f"https://arxiv.org/abs/{introduced.arxiv}"
    return f"https://doi.org/{introduced.doi}" if introduced.doi else introduced.url


def _bar(branch: Branch, most: int) -> str:
    works = branch.works
    if works is None:
        return ""
    share = math.log1p(works) / math.log1p(most) if most else 0.0
    trend = "" if branch.trend is None else f'<span class="trend" title="its share of all works, by year">{growth(branch.trend)}</span>'
    counted = f"{works:,} work{'' if works == 1 else 's'}"
    return f'<span class="works">{trend}<span class="bar" style="width:{4 * share:.2f}rem"></span>{counted}</span>'
