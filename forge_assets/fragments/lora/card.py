"""README.md of an adapter: what it is put on, what it learnt from and how well, how it is used and served, and the documents behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from forge_assets.fragments.card import MOST_SOURCES, plain
from forge_assets.fragments.chain import LORA
from forge_assets.fragments.lora.base import Base
from forge_assets.fragments.lora.examples import HELD_OUT, SCHEMA, TITLES, TRAINED, Example, missing
from forge_assets.fragments.lora.served import command
from forge_assets.fragments.lora.settings import Adaptation
from forge_assets.fragments.plan import Plan

USE = """
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = "{base}"
tokenizer = AutoTokenizer.from_pretrained(base)
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base{more}), "."){merge}
"""


def card(
    plan: Plan, parents: Mapping[str, str], chosen: Adaptation, base: Base, record: Mapping[str, Any], examples: Sequence[Example]
) -> str:
    """`record`: `lora` of config.json."""
    rows = {
        "base": f"{base.address}{f' at {base.revision[:12]}' if base.revision else ''}, {base.kind}, {base.parameters:,} parameters",
        "computed in": f"{base.precision} on {base.device}",
        "rank, alpha": f"{chosen.rank}, {chosen.alpha}",
        "on": ", ".join([*record["adapted"]["modules"], *record["adapted"]["parameters"]]),
        "not on": ", ".join(record["adapted"]["left"]) or "nothing else in the layers",
        "steps": f"{chosen.steps:,} of {chosen.batch} examples, peak learning rate {chosen.learning_rate:g}",
        "loss on held-out answers, before": f"{record['loss']['before']:.4f} nats a token",
        "loss on held-out answers, after": f"{record['loss']['after']:.4f} nats a token",
        "loaded again, largest difference of logits": f"{record['proof']['reloaded']:.1e} of their scale",
        "merged into the base, the same": f"{record['proof']['merged']:.1e} of their scale",
        "too long for the context": f"{record['used']['too_long']:,} examples, left out",
        "seed": f"{chosen.seed}",
        "corpus, pinned state": f"`{plan.snapshot or 'none'}`",
        **{f"made from {name}": f"`{digest}`" for name, digest in parents.items()},
    }
    own = base.kind == "ForgeForCausalLM"
    use = USE.format(
        base=base.address, more=", trust_remote_code=True" if own else "",
        merge=".merge_and_unload()  # this class reads its matrices directly: unmerged, the adapter would do nothing" if own else "",
    )  # fmt: skip
    head = {"license": plan.licence.lower(), "library_name": "peft", "base_model": base.address, "tags": "[forge, fragment, lora]"}
    lines = ["---", *(f"{key}: {value}" for key, value in head.items()), "---", "", f"# LoRA adapter of {plan.blueprint}", "",
             f"Fragment `{LORA}`: it teaches its base to answer questions on AI components from numbered sources, and to cite them.", "",
             "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items()),
             "", "## Instructions", "", *_instructions(record, examples),
             "", "## Use", "", "```python", use.strip(), "```", "", *_serving(chosen, base, record),
             "", "`forge fragments verify .` checks every byte without running anything of this folder.",
             "", "## Sources", "", *_sources(examples)]  # fmt: skip
    return "\n".join(lines) + "\n"


def _instructions(record: Mapping[str, Any], examples: Sequence[Example]) -> list[str]:
    counts = record["instructions"]
    rows = [f"| {kind} | {told} | {counts[kind]['trained']:,} | {counts[kind]['held_out']:,} |" for kind, told in TITLES.items()]
    return [
        "| kind | what is asked | trained on | held out |", "|---|---|---|---|", *rows, "",
        f"`{TRAINED}` and `{HELD_OUT}`, described by `{SCHEMA}`. Answers are words of the sources, or a fixed phrase around them; "
        "nothing in them comes from a model. No component, work or sentence of the one file stands in the other.",
        *([""] + [f"- {one}" for one in missing(examples)] if missing(examples) else []),
    ]  # fmt: skip


def _serving(chosen: Adaptation, base: Base, record: Mapping[str, Any]) -> list[str]:
    if record["vllm"]:
        return ["vLLM does not serve it unmerged: " + "; ".join(record["vllm"][:3]) + "."]
    return ["Served by vLLM beside its base:", "", "```", command(base.address, chosen.rank, "."), "```"]


def _sources(examples: Sequence[Example]) -> list[str]:
    """Documents by how many answers rest on them."""
    titles = {one.document: one.title for example in examples for one in example.sources}
    counts = Counter(one.document for example in examples if not example.held_out for one in example.sources)
    shown = sorted(counts, key=lambda document: (-counts[document], document))
    lines = [f"- {plain(titles[one] or one)}: <{plain(one)}> ({counts[one]})" for one in shown[:MOST_SOURCES]]
    return lines + ([f"- and {len(shown) - MOST_SOURCES:,} more in `{TRAINED}`"] if len(shown) > MOST_SOURCES else [])
