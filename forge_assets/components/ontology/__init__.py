"""The ontology: slots, typed ports, parameters and components, written by us in the YAML files of this folder, plus what people accepted.

`load_ontology` reads and checks all of it; `tree` and `tree_picture` draw it.
"""

from __future__ import annotations

from forge_assets.components.ontology.load import load_ontology
from forge_assets.components.ontology.model import (
    Alias,
    Component,
    Introduced,
    Ontology,
    Parameter,
    ParameterUse,
    Port,
    Slot,
    Task,
)

__all__ = ["Alias", "Component", "Introduced", "Ontology", "Parameter", "ParameterUse", "Port", "Slot", "Task", "load_ontology"]
