"""What the files of the hierarchy are made of, read from the database."""

from __future__ import annotations

from forge_assets.components.ontology.model import Ontology
from forge_assets.documentation.citing import places, titles
from forge_assets.documentation.facts import slot_facts
from forge_assets.documentation.hierarchy.files import PARTS, Known, wanted
from forge_resources.database import Database


def known(db: Database, ontology: Ontology) -> Known:
    slots = {slot: slot_facts(db, ontology, slot) for slot in dict.fromkeys(slot for _, some in PARTS.values() for slot in some)}
    documents, found = wanted(slots.values())
    return Known(slots, titles(db, documents), places(db, found))
