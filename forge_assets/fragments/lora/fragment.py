"""11-lora: `examples -> base -> tokens -> training -> adapter -> loaded again and merged -> card`.

The folder is an adapter as peft and vLLM read it, with the instructions it was trained on and measured by, its log, its curve and its card.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.fragments import safetensors_file as st
from forge_assets.fragments.chain import ASSEMBLED, LORA, TRAINED
from forge_assets.fragments.lora import settings as chosen_settings
from forge_assets.fragments.lora.adapter import CONFIG, WEIGHTS, Proof, Targets, config_of, prove, save, targets, tensors_of, wrapped
from forge_assets.fragments.lora.base import Base, fingerprint, load
from forge_assets.fragments.lora.card import card
from forge_assets.fragments.lora.encoding import Encoded, encoded
from forge_assets.fragments.lora.examples import HELD_OUT, SCHEMA, Example, counted, read_examples, write_examples
from forge_assets.fragments.lora.examples import TRAINED as LEARNT
from forge_assets.fragments.lora.served import obstacles
from forge_assets.fragments.lora.settings import Adaptation
from forge_assets.fragments.lora.training import Trained, train
from forge_assets.fragments.making import Making
from forge_assets.fragments.piece import as_json
from forge_assets.fragments.plan import Plan
from forge_assets.fragments.reading import read_json
from forge_assets.fragments.train.picture import draw
from forge_resources.errors import FragmentError

LOG, CURVE, GIVEN = "train.jsonl", "loss.png", "instructions"
INSTRUCTIONS = (LEARNT, HELD_OUT, SCHEMA)
FILES = frozenset({"README.md", "config.json", CONFIG, WEIGHTS, LOG, CURVE, *INSTRUCTIONS})
PROVED = 4
"""Held-out examples whose logits are compared."""
MOST_BYTES = 4 << 30
"""Set aside on the disk: an adapter of rank 512 on a model of 8e9 parameters has less, with the moments of its optimizer."""


def settings(plan: Plan, chosen: Mapping[str, Any]) -> dict[str, Any]:
    base = chosen.get("base") or ""
    return chosen_settings.as_settings(chosen_settings.resolved(chosen, plan.seed, fingerprint(base) if base else ""))


def needed(plan: Plan, settings: Mapping[str, Any]) -> int:
    """Adapter, checkpoint with two moments, and instructions; of a base from elsewhere the size is not known yet."""
    from forge_assets.fragments.space import bytes_of

    return MOST_BYTES if settings["base"] else 4 * bytes_of(plan, ASSEMBLED) + (64 << 20)


def write(making: Making) -> None:
    """Raises FragmentError where there are too few instructions, or the base is not there, not fit, or too big."""
    chosen = chosen_settings.of(making.settings)
    examples = instructions(making)
    base = load(chosen, making.root / TRAINED, own_address=f"../{TRAINED}")
    most = min(chosen.most_tokens, base.context)
    learnt, long = encoded([one for one in examples if not one.held_out], base.tokenizer, most)
    measured, long_held = encoded([one for one in examples if one.held_out], base.tokenizer, most)
    if len(learnt) < chosen.batch or not measured:
        raise FragmentError(
            f"of {len(examples):,} instructions {len(learnt)} to train on and {len(measured)} to measure by fit into the {most} tokens of "
            f"{base.address}; expected {chosen.batch} and 1: take a base with a longer context"
        )
    found = targets(base.model)
    model = wrapped(base, chosen, found)
    making.say(f"{making.name}: {len(learnt):,} instructions, {chosen.steps:,} steps of {chosen.batch} on {base.kind}")
    padding = next((one for one in (base.tokenizer.pad_token_id, base.tokenizer.eos_token_id) if one is not None), 0)
    result = train(model, learnt, measured, padding, chosen, making.work)
    metadata = making.metadata() | {"source_documents": LEARNT, "base": base.address, "base_revision": base.revision}
    save(making.folder, config_of(base, chosen, found), tensors_of(model), metadata)
    making.say(f"{making.name}: held-out answers {result.before:.3f} nats a token before, {result.after:.3f} after")
    proof = prove(making.folder, model, [one.ids for one in measured[:PROVED]])
    for name in INSTRUCTIONS:
        shutil.copyfile(making.work / GIVEN / name, making.folder / name)
    record = _record(base, found, result, proof, examples, (learnt, measured), long + long_held, making.folder)
    _tell(making, chosen, base, examples, record, result)


def instructions(making: Making) -> list[Example]:
    """Derived once and kept in the work folder: a killed run goes on with the same, whatever the corpus has become."""
    place = making.work / GIVEN
    if not place.is_dir():
        if making.examples is None:
            raise FragmentError(
                f"{LORA} is made from the catalogue of a corpus, and none is given; build it by `forge fragments build NAME`"
            )
        aside = making.work / f"{GIVEN}.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        write_examples(aside, list(making.examples()))
        aside.rename(place)
    return read_examples(place)


def _record(base: Base, found: Targets, result: Trained, proof: Proof, examples: list[Example], used: tuple[list[Encoded], list[Encoded]],
            long: int, folder: Path) -> dict[str, Any]:  # fmt: skip
    """`lora` of config.json: what was adapted, learnt and measured."""
    answers = [sum(len(one.ids) - one.answer for one in some) for some in used]
    return {
        "base": {"address": base.address, "revision": base.revision, "class": base.kind, "parameters": base.parameters,
                 "precision": base.precision, "device": base.device},
        "adapted": {"modules": list(found.modules), "parameters": list(found.parameters), "left": list(found.left)},
        "instructions": {kind: {"trained": some[0], "held_out": some[1]} for kind, some in counted(examples).items()},
        "used": {"trained": len(used[0]), "held_out": len(used[1]), "answer_tokens": answers[0], "held_out_answer_tokens": answers[1],
                 "too_long": long},
        "loss": {"before": result.before, "after": result.after, "first_step": result.steps[0].loss, "last_step": result.steps[-1].loss},
        "proof": {"reloaded": proof.reloaded, "merged": proof.merged, "effect": proof.effect},
        "vllm": list(obstacles(folder, base.kind)),
    }  # fmt: skip


def _tell(making: Making, chosen: Adaptation, base: Base, examples: list[Example], record: Mapping[str, Any], result: Trained) -> None:
    rows = (json.dumps({"step": one.step, "loss": one.loss, "learning_rate": one.learning_rate}) + "\n" for one in result.steps)
    (making.folder / LOG).write_text("".join(rows), encoding="utf-8")
    after = [(float(chosen.steps), result.after)]
    draw(making.folder / CURVE, f"{making.name} of {making.plan.blueprint}", [(one.step, one.loss) for one in result.steps], after,
         ("before", result.before))  # fmt: skip
    (making.folder / "config.json").write_text(as_json({"forge": making.config(), "lora": record}), encoding="utf-8")
    (making.folder / "README.md").write_text(card(making.plan, making.parents, chosen, base, record, examples), encoding="utf-8")


def measured(folder: Path) -> dict[str, Any]:
    """Figures for people: how many instructions, and the losses."""
    record = read_json(folder / "config.json")["lora"]
    return {
        "instructions": record["used"]["trained"], "held_out_instructions": record["used"]["held_out"],
        "held_out_loss_before": record["loss"]["before"], "held_out_loss_after": record["loss"]["after"],
        "base": record["base"]["address"], "served_by_vllm": not record["vllm"],
    }  # fmt: skip


def known(config: Mapping[str, Any]) -> frozenset[str]:
    return FILES


def check(folder: Path, config: Mapping[str, Any]) -> tuple[str, ...]:
    """Adapter configuration, tensors and instructions of a folder from anywhere; the base is not looked at and nothing is run."""
    chosen = chosen_settings.of(config["settings"])
    for name in FILES:
        if not (folder / name).is_file():
            raise FragmentError(f"{folder / name} is missing; {LORA} has {', '.join(sorted(FILES))}: fetch it again")
    record = read_json(folder / "config.json").get("lora")
    adapter = read_json(folder / CONFIG)
    adapted = _adapted(folder, record)
    expected = config_of_record(record, chosen, adapted)
    if adapter != expected:
        keys = sorted(adapter.keys() | expected.keys()) if isinstance(adapter, dict) else ["it"]
        wrong = next((key for key in keys if not isinstance(adapter, dict) or adapter.get(key) != expected.get(key)), keys[0])
        raise FragmentError(f"{folder / CONFIG}: {wrong} is not what was trained; expected {str(expected.get(wrong))[:100]}")
    _check_tensors(folder, config, chosen)
    read_examples(folder)
    return tuple(f"vLLM would not serve it: {one}" for one in obstacles(folder, record["base"]["class"]))


def _adapted(folder: Path, record: Any) -> Targets:
    """What config.json says was adapted."""
    try:
        held, base = record["adapted"], record["base"]
        words = [*held["modules"], *held["parameters"], *held["left"], base["address"], base["revision"], base["class"]]
        if all(isinstance(one, str) for one in words):
            return Targets(tuple(held["modules"]), tuple(held["parameters"]), tuple(held["left"]))
    except (TypeError, KeyError):
        pass
    raise FragmentError(f"{folder / 'config.json'}: lora does not say what was adapted; fetch the fragment again")


def config_of_record(record: Mapping[str, Any], chosen: Adaptation, adapted: Targets) -> dict[str, Any]:
    base = record["base"]
    return config_of(Base(None, None, base["address"], base["revision"], base["class"], "", ""), chosen, adapted)


def _check_tensors(folder: Path, config: Mapping[str, Any], chosen: Adaptation) -> None:
    head = st.header(folder / WEIGHTS)
    for key, expected in (
        ("fragment", LORA),
        ("blueprint", config["blueprint"]),
        ("parents", json.dumps(config["parents"], sort_keys=True)),
    ):
        if head.metadata.get(key) != expected:
            raise FragmentError(
                f"{folder / WEIGHTS}: its header says {key} {str(head.metadata.get(key))[:80]!r}; expected {expected[:80]!r}"
            )
    for name, array in st.arrays(folder / WEIGHTS, head):
        rank = array.shape[0] if name.endswith(".lora_A.weight") else array.shape[-1] if name.endswith(".lora_B.weight") else 0
        if array.ndim != 2 or rank != chosen.rank or array.dtype != np.float32:
            raise FragmentError(
                f"{folder / WEIGHTS}: {name} is {array.dtype}{list(array.shape)}; expected A or B of rank {chosen.rank}, float32"
            )
        if not math.isfinite(float(np.abs(array).sum(dtype=np.float64))):
            raise FragmentError(f"{folder / WEIGHTS}: {name} holds numbers that are not finite; train it again")
