"""`forge fragments`: the pieces of a model as folders: build, list, show, verify, assemble, push. All but build work without a database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forge_app.adapters import lora
from forge_app.output import as_json, printable, table

if TYPE_CHECKING:
    from forge_assets.fragments.build import Built

WHERE = click.argument("where", metavar="DIR")
JSON = click.option("--json", "json_", is_flag=True, help="print JSON")


@click.group()
def fragments() -> None:
    """Pieces of a model. DIR is a folder with fragments, one fragment, or the name of a blueprint whose fragments are built here."""


PRESET = click.option("--preset", metavar="NAME", help="settings of the training: tiny-cpu, small-gpu or 1b-8gpu; none: those of the spec")
SET = click.option("--set", "given", multiple=True, metavar="SETTING=VALUE", help="one setting of the training, e.g. steps=200")


@fragments.command("build")
@click.argument("name")
@click.option("--until", metavar="FRAGMENT", help="stop after this one, e.g. 04-attention or 09")
@PRESET
@SET
def build(name: str, until: str | None, preset: str | None, given: tuple[str, ...]) -> None:
    """Builds the fragments of blueprint NAME in order; what is there and unchanged stays. Preset and settings of the training are
    kept for later builds."""
    from forge_assets.fragments.build import build_blueprint, root_of
    from forge_assets.fragments.chain import CHAIN, fragment
    from forge_resources.database import Database
    from forge_resources.settings import settings

    order = list(CHAIN)
    wanted = order[: order.index(fragment(until).name) + 1] if until else order
    with Database.open() as db:
        build_blueprint(db, settings(), name, wanted, _told, _chosen(preset, given), click.echo)
    click.echo(f"the fragments of {name} lie in {root_of(settings().home, name)}")


def _chosen(preset: str | None, given: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """What the options choose for the training; `--preset none` takes an earlier choice back."""
    from forge_assets.fragments.chain import TRAINED
    from forge_assets.fragments.train.settings import checked, preset_of
    from forge_resources.errors import FragmentError
    from forge_resources.strict_yaml import parse

    made: dict[str, Any] = {}
    if preset:
        made |= {"preset": None if preset == "none" else preset_of(preset).name, "settings": None}
    if given:
        if wrong := next((one for one in given if "=" not in one), None):
            raise FragmentError(f"--set {wrong}: expected SETTING=VALUE, e.g. steps=200")
        try:
            made["settings"] = checked({name: parse(value) for name, _, value in (one.partition("=") for one in given)})
        except ValueError as error:
            raise FragmentError(f"--set: {error}") from None
    return {TRAINED: made} if made else {}


def _told(one: Built) -> None:
    click.echo(f"{one.name}: {'built' if one.made else 'unchanged'}")


@fragments.command("training")
@click.argument("name")
@PRESET
@SET
def training(name: str, preset: str | None, given: tuple[str, ...]) -> None:
    """What the training of blueprint NAME would need and cost; nothing is built."""
    from forge_assets.fragments.build import planned_training
    from forge_resources.database import Database
    from forge_resources.settings import settings

    with Database.open() as db:
        rows = planned_training(db, settings(), name, _chosen(preset, given))
    table(["of the training", ""], [[one.what, one.value] for one in rows])


@fragments.command("list")
@WHERE
@JSON
def list_(where: str, json_: bool) -> None:
    """The fragments in DIR: what each is of, how large it is, and which are missing."""
    from forge_assets.fragments.chain import CHAIN
    from forge_assets.fragments.folder import fragments_in

    found = {name: _summary(name, folder) for name, folder in _with_trained(fragments_in(_folder(where))).items()}
    missing = [name for name in CHAIN if name not in found]
    if json_:
        as_json({"fragments": list(found.values()), "missing": missing})
        return
    if found:
        head = ["fragment", "blueprint", "seed", "files", "bytes", "sums"]
        table(head, [[*(one[key] for key in head[:-1]), one["sums"][:16]] for one in found.values()])
    click.echo(f"missing: {', '.join(missing)}" if missing else f"all fragments from 01 to {list(CHAIN)[-1][:2]} are here")


def _with_trained(found: dict[str, Path]) -> dict[str, Path]:
    """And the trained pieces that lie in 10-trained."""
    from forge_assets.fragments.chain import PIECES, TRAINED

    inside = found[TRAINED] / "pieces" if TRAINED in found else Path()
    return found | {f"{TRAINED}/{name}": inside / name for name in PIECES if TRAINED in found and (inside / name).is_dir()}


def _summary(name: str, folder: Path) -> dict[str, Any]:
    from forge_assets.fragments.folder import files, sums_of
    from forge_assets.fragments.reading import read_config

    config = read_config(folder)
    present = files(folder)
    return {"fragment": name, "blueprint": config["blueprint"], "seed": config["seed"], "files": len(present),
            "bytes": sum(path.stat().st_size for path in present), "sums": sums_of(folder), "folder": str(folder)}  # fmt: skip


@fragments.command("show")
@WHERE
@click.argument("fragment", required=False)
@JSON
def show(where: str, fragment: str | None, json_: bool) -> None:
    """The card of a FRAGMENT, such as 04-attention or 10-trained/04-attention, or its resolved configuration as JSON."""
    from forge_assets.fragments.chain import fragment as named
    from forge_assets.fragments.folder import fragments_in
    from forge_assets.fragments.reading import read_card, read_config
    from forge_resources.errors import FragmentError

    found = fragments_in(_folder(where))
    name = next(iter(found)) if len(found) == 1 else None
    if fragment:
        whole, _, piece = fragment.partition("/")
        name = named(whole).name + (f"/{named(piece).name}" if piece else "")
        found = _with_trained(found) if piece else found
    if name not in found:
        told = f"{name} is not among them" if name else "say which one to show"
        raise FragmentError(f"{where} holds {', '.join(found) or 'no fragment'}; {told}")
    config = read_config(found[name])
    if json_:
        as_json(config)
    else:
        click.echo(printable(read_card(found[name])), nl=False)


@fragments.command("verify")
@WHERE
def verify(where: str) -> None:
    """Checks every byte and number of the fragments in DIR, and that they are of one model; runs nothing of theirs."""
    from forge_assets.fragments.verify import verify

    for one in verify(_folder(where)):
        click.echo(f"{one.name}: {click.style('holds', fg='green')}, {one.sums[:16]}")
        for note in one.notes:
            click.echo(f"  {note}")
        for piece in one.pieces:
            click.echo(f"  {one.name}/{piece.name}: {click.style('holds', fg='green')}, {piece.sums[:16]}")


@fragments.command("assemble")
@WHERE
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="where 09-assembled goes; default: DIR")
def assemble(where: str, output: Path | None) -> None:
    """Verifies pieces 01 to 08 in DIR and makes 09-assembled of them, which transformers loads; no database is needed."""
    from forge_assets.fragments.build import assemble

    root = _folder(where)
    checked, built = assemble(root, output or root)
    click.echo(f"{len(checked)} pieces hold; {built.folder} {'is made of them' if built.made else 'was made of them before'}")


@fragments.command("push")
@WHERE
@click.option("--to", "told", required=True, metavar="TARGET", help="a folder, git:PATH, git:URL, or s3://bucket/prefix")
@click.option("--yes", is_flag=True, help="do not ask before a target beyond this machine")
def push(where: str, told: str, yes: bool) -> None:
    """Hands the fragments in DIR out: one commit or put for each; what is there already is left."""
    from forge_assets.fragments.folder import fragments_in
    from forge_assets.fragments.push import push, target

    to, root = target(told), _folder(where)
    if to.remote and not yes:
        click.confirm(f"push {len(fragments_in(root))} fragments of {root} to {to.address}?", abort=True)
    for name, new in push(root, to):
        click.echo(f"{name}: {'pushed' if new else 'there already'}")


def _folder(where: str) -> Path:
    """A folder as it is given, else the fragments of a blueprint of that name."""
    from forge_assets.fragments.build import root_of
    from forge_resources.errors import FragmentError
    from forge_resources.settings import settings

    given = Path(where).expanduser()
    if given.is_dir():
        return given
    built = root_of(settings().home, where)
    if "/" not in where and where not in (".", "..") and built.is_dir():
        return built
    raise FragmentError(f"there is no folder {where}, and no blueprint of that name has fragments; `forge fragments build NAME` makes them")


fragments.add_command(lora)
