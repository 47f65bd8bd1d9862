"""Slots -> tokenizer.yaml, model.yaml, training_loop.md, data_pipeline.txt, ...: options, quartiles of stated values, sources.

No blueprint is needed.
YAML files keep to hierarchy.schema.json, which lies beside them. The same tables give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import yaml  # type: ignore[import-untyped]

from forge_assets.documentation.citing import Found, Place
from forge_assets.documentation.drafts import counted, number, trend
from forge_assets.documentation.facts import Entry, SlotFacts, Typical
from forge_assets.documentation.hierarchy.schema import SCHEMA
from forge_assets.documentation.subjects import CANDIDATE

FORMAT = "forge-hierarchy/1"
OPTIONS, PARAMETERS = 15, 12
"""The most components of a slot, and parameters of a component."""
SCHEMA_FILE = "hierarchy.schema.json"
PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "tokenizer.yaml": ("Tokenizer", ("tokenizer",)),
    "data_pipeline.txt": ("Data pipeline", ("data_pipeline", "dedup", "batching")),
    "model.yaml": (
        "Model",
        (
            "architecture", "embedding", "position_encoding", "attention", "attention_kernel", "qk_norm", "sequence_mixer", "norm",
            "norm_placement", "residual", "activation", "ffn", "moe_router", "output_head", "modality_encoder", "initialization",
        ),
    ),
    "objective.yaml": ("Objective", ("objective",)),
    "optimizer.yaml": ("Optimizer", ("optimizer", "schedule", "regularization")),
    "training_loop.md": ("Training loop", ("batching", "precision", "objective", "optimizer", "schedule", "parallelism", "comm_overlap",
                                           "activation_memory", "fault_tolerance")),
    "distributed.yaml": ("Distributed training", ("parallelism", "comm_overlap", "fault_tolerance")),
    "memory.yaml": ("Memory and numbers", ("precision", "activation_memory")),
    "fine_tuning.yaml": ("Fine-tuning and alignment", ("adapter", "alignment")),
    "compression.yaml": ("Compression", ("quantization", "compression")),
    "inference.yaml": ("Inference", ("decoding", "kv_cache", "serving")),
    "evaluation.md": ("Evaluation", ("eval",)),
    "hardware.yaml": ("Hardware", ("hardware",)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """What the files are made of: the facts of each slot, and what stands at the places they name."""

    slots: Mapping[str, SlotFacts]
    titles: Mapping[UUID, Found]
    places: Mapping[Place, Found]


def files(known: Known) -> dict[str, str]:
    """Name -> text, the schema among them."""
    made = {SCHEMA_FILE: json.dumps(SCHEMA, indent=2) + "\n"}
    for name, (title, slots) in PARTS.items():
        there = [slot for slot in slots if slot in known.slots]
        part = {"format": FORMAT, "part": name.rpartition(".")[0], "title": title,
                "slots": {slot: slot_part(known, slot) for slot in there}}  # fmt: skip
        if name.endswith(".yaml"):
            made[name] = f"# yaml-language-server: $schema={SCHEMA_FILE}\n" + yaml.safe_dump(
                part, sort_keys=False, allow_unicode=True, width=130
            )
        else:
            made[name] = _markdown(part) if name.endswith(".md") else _plain(part)
    return made


def slot_part(known: Known, slot: str) -> dict[str, Any]:
    facts = known.slots[slot]
    one = facts.ontology.slots[slot]
    entries = [entry for id_, entry in facts.entries.items() if not id_.startswith(CANDIDATE)]
    entries.sort(key=lambda entry: (-(entry.used or 0), -entry.works, entry.subject))
    return {
        "title": one.title,
        "purpose": one.description,
        "required": one.core,
        "takes": list(one.inputs),
        "gives": list(one.outputs),
        "options": [_option(known, facts, entry) for entry in entries[:OPTIONS]],
        "further_options": max(0, len(entries) - OPTIONS),
    }


def _option(known: Known, facts: SlotFacts, entry: Entry) -> dict[str, Any]:
    made: dict[str, Any] = {"component": entry.subject, "name": entry.name, "named_by_works": entry.works, "used_by_works": entry.used or 0}
    if entry.trend is not None:
        made["trend"] = trend(entry.trend)
    component = facts.components[entry.subject]
    if component.introduced:
        made["introduced"] = {"title": component.introduced.title, "year": component.introduced.year}
    if entry.introducing is not None and entry.introducing in known.titles:
        made["introducing_document"] = _source(known.titles[entry.introducing])
    stated = [value for one in facts.typical.get(entry.subject, ())[:PARAMETERS] if (value := _value(known, one))]
    if stated:
        made["parameters"] = stated
    return made


def _value(known: Known, one: Typical) -> dict[str, Any] | None:
    there = [(known.places[place], value) for document, start, end, value in one.sources
             if (place := (document, start, end)) in known.places]  # fmt: skip
    if not there:
        return None
    made: dict[str, Any] = {"parameter": one.parameter, "works": one.works}
    if one.unit:
        made["unit"] = one.unit
    if one.quartiles:
        made["quartiles"] = dict(zip(("least", "lower", "median", "upper", "greatest"), (float(q) for q in one.quartiles), strict=True))
    else:
        made["words"] = {str(word): int(count) for word, count in one.words}
    if len({str(value) for _, value in there}) > 1:
        made["sources_disagree"] = True
    made["sources"] = [_source(found) for found, _ in there]
    return made


def _source(found: Found) -> dict[str, Any]:
    document, start, end = found.place
    return {"document": str(document), "start": start, "end": end, "quote": found.text, "quote_sha256": found.citation.quote_sha256}


def wanted(slots: Iterable[SlotFacts]) -> tuple[set[UUID], set[Place]]:
    """Documents whose titles, and places whose texts, the files tell."""
    documents: set[UUID] = set()
    found: set[Place] = set()
    for facts in slots:
        documents |= {entry.introducing for entry in facts.entries.values() if entry.introducing}
        found |= {
            (document, start, end)
            for some in facts.typical.values()
            for one in some[:PARAMETERS]
            for document, start, end, _ in one.sources
        }
    return documents, found


def _told(value: Mapping[str, Any]) -> str:
    unit = f" {value['unit']}" if value.get("unit") else ""
    if "quartiles" in value:
        q = value["quartiles"]
        told = f"{number(q['median'])}{unit}" + (
            f" (quartiles {number(q['lower'])} and {number(q['upper'])})" if value["works"] > 2 else ""
        )
    else:
        told = ", ".join(f"{word} ({count})" for word, count in value["words"].items())
    disagree = "; sources disagree" if value.get("sources_disagree") else ""
    return f"{value['parameter']}: {told}; {counted(value['works'])}{disagree}; {_cited(value['sources'])}"


def _cited(sources: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{one['document']}:{one['start']}-{one['end']}" for one in sources[:5])


def _lines(part: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    yield from part["slots"].items()


def _markdown(part: Mapping[str, Any]) -> str:
    lines = [f"# {part['title']}", "", "What works of the corpus use, by slot; a source is document:first-last character.", ""]
    for step, (slot, one) in enumerate(_lines(part), 1):
        lines += [f"## {step}. {one['title']}", "",
                  f"`{slot}`{', required' if one['required'] else ''}: takes {', '.join(one['takes']) or 'nothing'}, "
                  f"gives {', '.join(one['gives']) or 'nothing'}. {one['purpose']}", ""]  # fmt: skip
        for option in one["options"]:
            lines.append(f"- **{option['name']}** (`{option['component']}`): used by {counted(option['used_by_works'])}, "
                         f"named by {option['named_by_works']:,}{', ' + option['trend'] if 'trend' in option else ''}")  # fmt: skip
            lines += [f"  - {_told(value)}" for value in option.get("parameters", ())]
        if one["further_options"]:
            lines.append(f"- and {one['further_options']:,} more")
        lines.append("")
    return "\n".join(lines)


def _plain(part: Mapping[str, Any]) -> str:
    lines = [part["title"].upper(), "", "What works of the corpus use, stage by stage; a source is document:first-last character.", ""]
    for step, (slot, one) in enumerate(_lines(part), 1):
        lines += [f"{step}. {one['title']} ({slot})",
                  f"   {', '.join(one['takes']) or 'nothing'} -> {', '.join(one['gives']) or 'nothing'}",
                  f"   {one['purpose']}"]  # fmt: skip
        for option in one["options"]:
            lines.append(f"   * {option['name']} [{option['component']}], used by {counted(option['used_by_works'])}")
            lines += [f"     - {_told(value)}" for value in option.get("parameters", ())]
        if one["further_options"]:
            lines.append(f"   * and {one['further_options']:,} more")
        lines.append("")
    return "\n".join(lines)
