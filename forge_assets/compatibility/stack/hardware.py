"""Which card the request means: by name, or by the memory it has."""

from __future__ import annotations

from forge_assets.compatibility.stack.request import Request
from forge_assets.components.ontology import Ontology
from forge_assets.components.ontology.naming import find_one
from forge_resources.errors import QueryError


def cards_of(request: Request, ontology: Ontology) -> list[str]:
    """The component of the slot hardware that the request names; none where it tells only the memory."""
    if request.gpu is None:
        return []
    try:
        found = find_one(ontology, request.gpu)
    except QueryError:
        return []
    return [found.id] if found.slot == "hardware" else []
