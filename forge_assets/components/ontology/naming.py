"""What a person calls a component -> the component: by id, name or alias, in any case and spelling; near names where there is none."""

from __future__ import annotations

import difflib
import re

from forge_assets.components.folding import fold
from forge_assets.components.ontology.model import Component, Ontology
from forge_resources.errors import QueryError

_WORD = re.compile(r"[^\W_]+|[+*#]+")
SUGGESTED = 3


def find_one(ontology: Ontology, name: str) -> Component:
    """The component with this id, name or alias; what matches exactly goes before what matches in another case or spelling.

    Raises QueryError with near names for an unknown one, with the ids for one that means several.
    """
    found = called(ontology, name)
    if len(found) == 1:
        return found[0]
    if found:
        raise QueryError(f"{name!r} means several components: {', '.join(component.id for component in found)}; name one by its id")
    near = near_names(ontology, name)
    hint = f"; near are: {', '.join(near)}" if near else "; `forge components list` names all"
    raise QueryError(f"no component is called {name!r}{hint}")


def called(ontology: Ontology, name: str) -> list[Component]:
    """Every component with this id, name or alias: in this spelling, where none is in another case, where none is in any spelling."""
    if name in ontology.components:
        return [ontology.components[name]]
    for key in (str, _folded, _joined):
        found = [component for component in ontology.components.values() if key(name) in map(key, _called(component))]
        if found:
            return found
    return []


def near_names(ontology: Ontology, name: str) -> list[str]:
    """Up to three ids of components called nearly so, the nearest first."""
    called = {_joined(each): component.id for component in ontology.components.values() for each in _called(component)}
    close = difflib.get_close_matches(_joined(name), list(called), n=4 * SUGGESTED, cutoff=0.6)
    return list(dict.fromkeys(called[each] for each in close))[:SUGGESTED]


def _called(component: Component) -> list[str]:
    return [component.id, component.name, *(alias.text for alias in component.aliases)]


def _folded(name: str) -> str:
    return " ".join(fold(word) for word in _WORD.findall(name))


def _joined(name: str) -> str:
    return _folded(name).replace(" ", "")
