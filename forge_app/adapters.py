"""`forge fragments lora`: an adapter on the blueprint's trained model, or on any causal model of Hugging Face."""

from __future__ import annotations

from typing import Any

import click


@click.command("lora")
@click.argument("name")
@click.option(
    "--base", metavar="PATH|NAME", help="folder or Hugging Face name of a chat model, e.g. Qwen/Qwen3-8B; own: 10-trained  [default]"
)
@click.option("--revision", metavar="COMMIT", help="branch, tag or commit of a base that is given by name  [default: main]")
@click.option("--rank", type=int, help="of the adapter's matrices  [default: 16]")
@click.option("--alpha", type=int, help="the adapter counts alpha/rank times  [default: 32]")
@click.option("--steps", type=int, help="of training  [default: 300]")
@click.option("--batch", type=int, help="examples of a step  [default: 8]")
@click.option("--learning-rate", type=float, help="its peak  [default: 2e-4 on a given base, 2e-3 on 10-trained]")
@click.option("--most-tokens", type=int, help="of an example; longer ones are left out  [default: 1024, or the base's context]")
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), help="of the base; auto: bf16 on a GPU, else fp32")
@click.option("--4bit/--no-4bit", "quantised", default=None, help="the base in 4 bits, on a GPU with bitsandbytes")
def lora(name: str, base: str | None, quantised: bool | None, **chosen: Any) -> None:
    """Trains the LoRA adapter of blueprint NAME on questions and cited answers from the corpus. What is chosen is kept for later builds."""
    from forge_assets.fragments.build import build_blueprint
    from forge_assets.fragments.chain import LORA
    from forge_assets.fragments.lora.base import fingerprint
    from forge_assets.fragments.lora.settings import resolved
    from forge_resources.database import Database
    from forge_resources.settings import settings

    made = {key: value for key, value in chosen.items() if value is not None}
    if base is not None:
        made["base"] = None if base == "own" else base
    if quantised is not None:
        made["quantised"] = quantised
    given = {key: value for key, value in made.items() if value is not None}
    resolved(given, 0, fingerprint(given["base"]) if "base" in given else "")  # what is wrong is told before it is kept
    with Database.open() as db:
        (built,) = build_blueprint(db, settings(), name, [LORA], choices={LORA: made} if made else {}, say=click.echo)
    click.echo(f"{built.folder} {'is made' if built.made else 'is unchanged'}")
