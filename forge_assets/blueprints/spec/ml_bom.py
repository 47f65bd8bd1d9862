"""A spec as a CycloneDX 1.6 bill of materials of a machine-learning model: what it is made of, and the documents its values come from."""

from __future__ import annotations

import json
import uuid
from typing import Any

from forge_assets.blueprints.spec.files import leaves
from forge_assets.blueprints.spec.model import Spec

NAMESPACE = uuid.UUID("6b1d2f7e-6f0c-5c55-9a53-2d0f6b8a4a11")


def ml_bom(spec: Spec) -> str:
    """Without a time stamp, and with a serial number out of the pins, so that the same spec gives the same bytes."""
    held = {**spec.architecture.components, "tokenizer": spec.tokenizer.component, "optimizer": spec.optimizer.component,
            "schedule": spec.schedule.component, "precision": spec.precision.component}  # fmt: skip
    data = {
        "type": "data", "bom-ref": "data-mix", "name": "training data",
        "description": ", ".join(f"{name} {share:.1%}" for name, share in spec.data.mix.value.items()),
    }  # fmt: skip
    bom: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, spec.model_dump_json())}",
        "version": 1,
        "metadata": {"component": _model(spec, held)},
        "components": [data],
        "dependencies": [{"ref": "model", "dependsOn": ["data-mix"]}, {"ref": "data-mix"}],
    }
    return json.dumps(bom, indent=2, ensure_ascii=False) + "\n"


def _model(spec: Spec, held: dict[str, Any]) -> dict[str, Any]:
    properties = [{"name": f"forge:slot:{slot}", "value": one.value} for slot, one in sorted(held.items())]
    properties += [{"name": "forge:parameters", "value": str(spec.model_size.parameters.value)}]
    properties += [{"name": f"forge:pin:{name}", "value": value} for name, value in spec.identity.pins.model_dump().items()]
    if spec.hardware.kilowatt_hours:  # CycloneDX takes energy only with the name of its provider, which is not known
        properties += [{"name": "forge:training-kWh", "value": f"{spec.hardware.kilowatt_hours.value:.6g}"}]
    documents = dict.fromkeys(one.document for _, value in leaves(spec) for one in value.evidence)
    return {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": spec.identity.name,
        "description": spec.identity.title,
        "licenses": [{"license": {"id": spec.identity.licence.value}}],
        "modelCard": {
            "modelParameters": {
                "approach": {"type": "self-supervised"},
                "task": "text-generation",
                "architectureFamily": spec.architecture.components["architecture"].value,
                "datasets": [{"ref": "data-mix"}],
                "inputs": [{"format": "text"}],
                "outputs": [{"format": "text"}],
            },
            "considerations": {"technicalLimitations": [risk.statement for risk in spec.risks]},
        },
        "properties": properties,
        **({"externalReferences": [{"type": "documentation", "url": one} for one in documents]} if documents else {}),
    }
