"""The cards of the export and of the model in `hf/`: from the plan, its sources, the training record and what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from forge_assets.blueprints.fdl.check import compiled
from forge_assets.fragments.assembled import decodes
from forge_assets.fragments.card import MOST_SOURCES
from forge_assets.fragments.chain import EXPORT
from forge_assets.fragments.export.formats import GGUF, GGUF_FILES, HUB, ONNX, ONNX_FILES
from forge_assets.fragments.plan import Plan

Record = Mapping[str, Any]
SAFE = ":/?#[]@!$&'()*+,;=%~"
"""Stays as it is in an address (RFC 3986, section 2.2)."""
TRANSFORMERS = """from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{folder}")
model = AutoModelForCausalLM.from_pretrained("{folder}"{trust})
ids = tokenizer("{prompt}", return_tensors="pt")
print(tokenizer.decode(model.generate(**ids, max_new_tokens=32)[0]))"""
LLAMA_CPP = 'llama-completion -m {file} -p "{prompt}" -n 32 --temp 0 -no-cnv      # the same as transformers to 1e-3 with -ctk f32 -ctv f32'
RUNTIME = """import numpy as np, onnxruntime

session = onnxruntime.InferenceSession("{file}")
(logits,) = session.run(["logits"], {{"input_ids": np.array([[1, 2, 3]])}})  # any batch, any length up to the context"""


def fragment_card(plan: Plan, parents: Mapping[str, str], record: Record) -> str:
    """README.md of 12-export."""
    lines = ["---", f"license: {plan.licence.lower()}", "library_name: transformers", "tags: [forge, fragment]", "---", "",
             f"# Export of {plan.blueprint}", "",
             f"Fragment `{EXPORT}` of a model planned by Forge: the same weights for three programs, each file held against transformers "
             f"by the program that it is for. The model card is `{HUB}/README.md`, all numbers are in `export.json`.", "",
             *_checked(record), "", *_files(record), "", "## Use", "", *_use(plan, record, ""), "",
             "`forge fragments verify .` makes every file anew of the weights and compares; it runs nothing of this.", ""]  # fmt: skip
    lines += [f"Made from {name} `{digest}`." for name, digest in parents.items()]
    return "\n".join(lines) + "\n"


def model_card(plan: Plan, parameters: int, training: Mapping[str, str], record: Record) -> str:
    """README.md of `hf/`. `training`: rows of the training record, none where the weights are first values."""
    held = {slot: name for slot, name in sorted(plan.slots.items()) if name}
    tags = ", ".join(["forge", *sorted({name for slot, name in held.items() if slot != "tokenizer"})])
    lines = ["---", f"license: {plan.licence.lower()}", "library_name: transformers", "pipeline_tag: text-generation", f"tags: [{tags}]",
             "---", "", f"# {plan.blueprint}", "",
             f"A language model of {parameters:,} parameters, {plan.sizes['L']} layers, width {plan.sizes['d']}, vocabulary "
             f"{plan.vocabulary:,} and context {plan.context:,}, planned by Forge from a corpus of articles and "
             f"{'trained on it' if training else 'not trained: its weights are first values'}.", "",
             "## Parts", "", "| slot | component |", "|---|---|", *(f"| {slot} | {name} |" for slot, name in held.items()), "",
             "## Training", "", *_training(training), "", "## Numbers", "", *_checked(record), "", *_files(record), "",
             "## Use", "", *_use(plan, record, "../"), "", "## Limits", "", *_limits(plan, training, record), "",
             "## Sources", "", *_sources(plan), "", "## Where it comes from", "",
             "| | |", "|---|---|", f"| spec, SHA-256 | `{plan.spec or 'none'}` |",
             f"| corpus, pinned state | `{plan.snapshot or 'none'}` |",
             f"| training run, SHA-256 | `{plan.run or 'none'}` |", f"| seed | {plan.seed} |"]  # fmt: skip
    return "\n".join(lines) + "\n"


def _training(rows: Mapping[str, str]) -> Iterator[str]:
    if not rows:
        yield "None."
        return
    yield from ("| | |", "|---|---|")
    yield from (f"| {name} | {value} |" for name, value in rows.items())


def _checked(record: Record) -> Iterator[str]:
    """A row per format: its client, and how far that is from what it is held against."""
    yield from ("| format | read by | apart | greedy text |", "|---|---|---|---|")
    told = len(record["greedy"])
    for name, one in record["formats"].items():
        if "refused" in one:
            yield f"| {name} | not made: {one['refused']} | | |"
        elif "logits_apart" in one:
            apart = f"logits {one['logits_apart']:.1e} of their scale from the fragments'"
            yield f"| {name} | {one['client']} | {apart} | the same for {told} beginnings |"
        else:
            apart = f"log-probabilities {one['log_probabilities_apart']:.1e} nats from transformers'"
            yield f"| {name}, {one['architecture']} | {one['client']} | {apart} | the same for {told} beginnings |"


def _files(record: Record) -> Iterator[str]:
    measured = record["measured"]
    where = "held-out text" if measured["held_out"] else "text that it was trained on, for want of held-out text"
    yield f"Perplexity on {measured['tokens']:,} tokens of {where}, in windows of {measured['context']:,}, each file by its own client:"
    yield from ("", "| file | bytes | perplexity | cost |", "|---|---|---|---|")
    found = [file for one in record["formats"].values() for file in one.get("files", ())]
    for file in found:
        cost = file["perplexity"] / found[0]["perplexity"] - 1
        yield f"| {file['file']} | {file['bytes']:,} | {file['perplexity']:.4f} | {100 * cost:+.2f} % |"


def _use(plan: Plan, record: Record, up: str) -> Iterator[str]:
    prompt = record["greedy"][0]["prompt"].translate({ord(letter): " " for letter in '"\\\n\r'})
    trust = ", trust_remote_code=True" if record["formats"][HUB]["class"] == "ForgeForCausalLM" else ""
    yield from ("```python", TRANSFORMERS.format(folder="." if up else HUB, trust=trust, prompt=prompt), "```")
    if "refused" not in record["formats"][GGUF]:
        yield from ("", "```", LLAMA_CPP.format(file=up + GGUF_FILES["f32"], prompt=prompt), "```")
    if "refused" not in record["formats"][ONNX]:
        yield from ("", "```python", RUNTIME.format(file=up + ONNX_FILES["f32"]), "```")


def _limits(plan: Plan, training: Mapping[str, str], record: Record) -> Iterator[str]:
    yield f"- It reads {plan.context:,} tokens at most, and knows the language and the subjects of its corpus only."
    yield "- It goes on with text. It was not taught to follow instructions, and what it writes is not checked by anything."
    if not training:
        yield "- It is not trained; what it writes is noise."
    if record["formats"][HUB]["class"] == "ForgeForCausalLM":
        yield from _own_class(plan)


def _own_class(plan: Plan) -> Iterator[str]:
    start = "- Its class, in modeling_forge.py, takes padding on any side, on the left to generate. "
    if decodes(compiled(plan.text)):
        yield start + "A batch generates fastest where its prompts have one length: rows with a cache run in groups of one length."
    else:
        yield start + "It has no cache, for a token's result hangs on the whole row: rows run in groups of one length."


def _sources(plan: Plan) -> Iterator[str]:
    documents = list(dict.fromkeys((one.document, one.title) for one in plan.sources))
    if not documents:
        yield "No document of the corpus is named for its parts."
    for document, title in documents[:MOST_SOURCES]:
        link = f"<{quote(document, safe=SAFE)}>"
        yield f"- {_plain(title)}: {link}" if title else f"- {link}"
    if len(documents) > MOST_SOURCES:
        yield f"- and {len(documents) - MOST_SOURCES:,} more in the header of the weights"


def _plain(text: str) -> str:
    """One line that Markdown takes as words."""
    return "".join("\\" + letter if letter in "\\`*_[]<>|#" else letter for letter in " ".join(text.split()))
