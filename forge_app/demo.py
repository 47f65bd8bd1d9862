"""`forge demo`: the whole road on the sample corpus (or a folder of yours), and tables of what was made and where it lies.

`corpus -> indexed -> one question answered -> a stack for a small model -> its pieces -> trained -> files for three programs`. The
commands are those that a person types; what is there from an earlier call is not made again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from forge_app.output import table
from forge_resources.errors import SourceError
from forge_resources.settings import PROJECT, Settings

SAMPLE = PROJECT / "examples" / "corpus"
QUESTION = "Who introduced rotary position embeddings, and what base do LLaMA models use?"

MODEL = "demo"
ASKED = {"params": "3e6", "context": "256", "goal": "simplicity", "pin": "tokenizer=byte-level-bpe"}
"""Of the model; llama.cpp has no other tokenizer that can be trained here."""
TRAINED = ("tiny-cpu", ("steps=300", "warmup=30", "sequences=8", "micro=8"))
"""A quarter of the tokens of the preset: the sample corpus is small."""
ADAPTED = {"11-lora": {"steps": 60}}
"""A fifth of the steps that an adapter has by default."""


@click.command()
@click.option(
    "--corpus",
    "folder",
    type=click.Path(path_type=Path),
    default=SAMPLE,
    help="folder of articles; default: the sample corpus of the checkout",
)
@click.pass_context
def demo(context: click.Context, folder: Path) -> None:
    """Take in a corpus, parse, embed and index it, ask it a question, and build, train and export a small model from it."""
    from forge_app.run import materialize
    from forge_assets.corpus.sources import add_source, list_sources, normalise
    from forge_resources.database import Database
    from forge_resources.settings import settings

    started = time.monotonic()
    chosen = settings()
    if not folder.exists():
        raise SourceError(f"{folder} does not exist; the sample corpus comes with a checkout of Forge, or name a folder by --corpus")
    with Database.open(chosen) as db:
        if normalise(str(folder)) not in {row["address"] for row in list_sources(db)}:
            add_source(db, chosen, str(folder))
        made = materialize()
        _show(db, chosen, made, time.monotonic() - started)
        _answer(db, chosen)
    _model(context, chosen)
    minutes = (time.monotonic() - started) / 60
    click.echo(f"\nAll of this took {minutes:.1f} minutes. Next: `forge search QUERY`, `forge up` for the Dagster UI, docs/tutorial.")


def _show(db: Any, settings: Settings, made: dict[str, dict[str, Any]], seconds: float) -> None:
    from forge_assets.corpus.catalogue import problem_counts

    scan = made["source_inventory"]
    parsed = made["parsed_papers"]
    where = {
        "source_inventory": f"{settings.objects_url}/raw",
        "lexical_index": str(settings.home / "lexical"),
    }
    rows = [
        [name, m["dagster/row_count"], f"{m.get('seconds', 0):.1f} s", where.get(name, f"Postgres: {m.get('dagster/table_name')}")]
        for name, m in made.items()
        if "dagster/row_count" in m
    ]
    table(["asset", "rows", "time", "where it lies"], rows, title="What was made")
    changes = f"{scan['new']} new, {scan['changed']} changed, {scan['removed']} removed"
    outcome = f"{parsed['parsed']} parsed, {parsed['quarantined']} quarantined, in {seconds:.1f} s"
    click.echo(f"{scan['new'] + scan['changed']} documents changed ({changes}), {outcome}")
    if counts := problem_counts(db):
        click.echo(f"in quarantine: {', '.join(f'{number} {code}' for code, number in counts.items())}; see `forge corpus problems`")
    click.echo(f"all state lies in {settings.home}; delete that folder to forget everything")


def _answer(db: Any, settings: Settings) -> None:
    from forge_app.search import show_answer
    from forge_assets.embeddings.ask import ask

    click.echo(f"\n$ forge ask {QUESTION!r}")
    show_answer(ask(db, settings, QUESTION))


def _model(context: click.Context, settings: Settings) -> None:
    """A blueprint, its stack, and all its fragments, by the commands that make them."""
    from forge_app.blueprint import create, solve
    from forge_app.fragments import build
    from forge_assets.compatibility.stack import store
    from forge_assets.fragments.build import root_of
    from forge_assets.fragments.choices import kept
    from forge_resources.database import Database

    with Database.open(settings) as db:
        known = {row["name"] for row in store.listed(db)}
    if MODEL not in known:
        _typed("blueprint create", ASKED)
        context.invoke(create, name=MODEL, pins=(ASKED["pin"],), **{name: value for name, value in ASKED.items() if name != "pin"})
    _typed("stack solve", {})
    context.invoke(solve, name=MODEL)
    root = root_of(settings.home, MODEL)
    kept(root, ADAPTED)
    preset, given = TRAINED
    _typed("fragments build", {"preset": preset, "set": given})
    context.invoke(build, name=MODEL, preset=preset, given=given)
    _exported(root / "12-export")


def _typed(command: str, options: Mapping[str, str | tuple[str, ...]]) -> None:
    words = [f"--{name} {value}" for name, held in options.items() for value in ((held,) if isinstance(held, str) else held)]
    click.echo(f"\n$ forge {command} {MODEL} {' '.join(words)}".rstrip())


def _exported(folder: Path) -> None:
    """What transformers, llama.cpp and onnxruntime read, how far they are apart, and what they write."""
    record = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    rows = []
    for name in ("hf", "gguf", "onnx"):
        one = record["formats"][name]
        apart = one.get("logits_apart", one.get("log_probabilities_apart"))
        for number, file in enumerate(one.get("files", ())):  # the first holds the weights as they are, further ones are quantised
            told = "quantised" if number else f"{apart:.1e}"
            rows.append([file["file"], f"{file['bytes']:,}", f"{file['perplexity']:.2f}", one["client"], told])
        rows += [[name, "", "", "", one["refused"]]] if "refused" in one else []
    click.echo()
    table(["file", "bytes", "perplexity", "read by", "logits apart"], rows, title=f"The model {MODEL}, in {folder}")
    for one in record["greedy"][:1]:
        click.echo(f"what is not quantised goes on alike: {one['prompt']!r} -> {one['text']!r}")
