"""`forge blueprint`: what is asked for. `forge stack`: what was found for it, and why."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from forge_app.output import as_json, table

PARTITIONS = "blueprint"
JSON = click.option("--json", "json_", is_flag=True, help="print JSON")


@click.group()
def blueprint() -> None:
    """Models that are asked for: size, GPUs, goal, pins and bans."""


@blueprint.command("create")
@click.argument("name")
@click.option("--params", required=True, metavar="N", help="parameters, such as 1.5e9 or 1.5B")
@click.option("--context", default="4096", show_default=True, metavar="TOKENS", help="tokens of a sequence, such as 4096 or 32k")
@click.option("--gpu", metavar="NAME", help="a card of the ontology's slot hardware, such as H100")
@click.option("--gpu-memory", metavar="SIZE", help="memory of one GPU, such as 80GiB; without it no budget of memory is kept")
@click.option("--gpus", default=1, show_default=True, type=int, help="how many of them")
@click.option("--precision", default="bf16", show_default=True, help="bf16, fp16, fp32 or fp8")
@click.option("--goal", default="quality", show_default=True, help="quality, speed, memory or simplicity")
@click.option(
    "--pin",
    "pins",
    multiple=True,
    metavar="SLOT=COMPONENT",
    help="this and nothing else; also NUMBER=VALUE, and OPTION=VALUE of the framework",
)
@click.option("--ban", "bans", multiple=True, metavar="SLOT=COMPONENT", help="anything but this")
@click.option("--framework", metavar="NAME", help="a target framework; its settings are chosen too, and break none of its rules")
@click.option("--fill", "optional", multiple=True, metavar="SLOT", help="a slot that must not stay empty, such as adapter")
@click.option("--research", is_flag=True, help="also components that Forge can describe but not build")
@click.option("--seed", default=0, show_default=True, type=int, help="of the solver")
def create(name: str, pins: tuple[str, ...], bans: tuple[str, ...], **asked: Any) -> None:
    """Asks for a model under a NAME; `forge stack solve NAME` finds its stack."""
    from forge_assets.compatibility.stack import store
    from forge_assets.compatibility.stack.blueprints import check
    from forge_assets.compatibility.stack.request import read_request, wished
    from forge_resources.database import Database
    from forge_resources.settings import settings

    told = {key: value for key, value in asked.items() if value is not None}
    request = read_request({"name": name, **told, "pins": tuple(map(wished, pins)), "bans": tuple(map(wished, bans))})
    check(request, settings().overrides_file)
    with Database.open() as db:
        store.create(db, request)
    with _dagster() as home:
        home.add_dynamic_partitions(PARTITIONS, [name])
    click.echo(f"{name} is a blueprint now; `forge stack solve {name}` finds its stack")


@blueprint.command("list")
@JSON
def list_(json_: bool) -> None:
    """All blueprints, and whether they are solved."""
    from forge_assets.compatibility.stack import store
    from forge_resources.database import Database

    with Database.open() as db:
        rows = store.listed(db)
    if json_:
        as_json(rows)
    elif not rows:
        click.echo("no blueprints; `forge blueprint create NAME --params 1.5e9` makes one")
    else:
        head = ["blueprint", "parameters", "context", "GPUs", "goal", "framework", "stack"]
        table(head, [_row(row) for row in rows])


def _row(row: dict[str, Any]) -> list[Any]:
    asked = row["request"]
    memory = f" of {asked['gpu_memory'] / 2**30:g} GiB" if asked["gpu_memory"] else ""
    solved = "not solved" if row["objective"] is None else f"{row['objective']:,} points{', optimal' if row['optimal'] else ''}"
    return [row["name"], asked["params"], asked["context"], f"{asked['gpus']}{memory}", asked["goal"], asked["framework"] or "", solved]


@blueprint.command("show")
@click.argument("name")
@JSON
def show(name: str, json_: bool) -> None:
    """What a blueprint asks for, and its stack where it is solved."""
    from forge_assets.compatibility.stack import store
    from forge_resources.database import Database

    with Database.open() as db:
        request, solved = store.find(db, name), store.stack(db, name)
    if json_:
        as_json({"request": request.model_dump(), "stack": None if solved is None else asdict(solved)})
        return
    for key, value in request.model_dump().items():
        if value not in (None, (), False, []):
            click.echo(f"{key.replace('_', ' ') + ':':<12}{_asked(value)}")
    click.echo()
    if solved is None:
        click.echo(f"not solved yet; `forge stack solve {name}`")
    else:
        _print(solved)


def _asked(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(f"{one['what']}={one['value']}" if isinstance(one, dict) else str(one) for one in value)
    return f"{value:,}" if isinstance(value, int) else str(value)


@blueprint.command("delete")
@click.argument("name")
def delete(name: str) -> None:
    """Forgets a blueprint and its stack."""
    from forge_assets.compatibility.stack import store
    from forge_resources.database import Database

    with Database.open() as db:
        store.delete(db, name)
    with _dagster() as home:
        home.delete_dynamic_partition(PARTITIONS, name)
    click.echo(f"{name} is gone")


@blueprint.command("refresh")
@click.argument("name")
@JSON
def refresh(name: str, json_: bool) -> None:
    """Solves a blueprint again with what is known now, and shows what changed; nights never do that."""
    solved = _solve(name, refresh=True)
    changes = _differences(solved)
    if json_:
        as_json({"changes": changes, "stack": asdict(solved.stack)})
        return
    for slot, before, after in changes:
        click.echo(f"{slot}: {before or 'nothing'} -> {after or 'nothing'}")
    click.echo(f"{len(changes)} slots changed; {_worth(solved.stack)}")


@blueprint.command("outlook")
@click.argument("name", required=False)
@JSON
def outlook(name: str | None, json_: bool) -> None:
    """Whether a better stack exists by now, of NAME or of all solved blueprints; changes nothing. Each night tells it too."""
    from forge_assets.compatibility.stack.outlook import outlooks
    from forge_resources.database import Database
    from forge_resources.settings import settings

    with Database.open() as db:
        found = outlooks(db, settings().overrides_file, None if name is None else [name])
    if json_:
        as_json([asdict(one) for one in found])
    elif not found:
        click.echo("no blueprint is solved" if name is None else f"{name} is not solved yet; `forge stack solve {name}` solves it")
    for one in [] if json_ else found:
        click.echo(one.told)


def _differences(solved: Any) -> list[tuple[str, str | None, str | None]]:
    before = solved.before.slots if solved.before else {}
    return [(slot, before.get(slot), one) for slot, one in solved.stack.slots.items() if before.get(slot) != one]


@click.group()
def stack() -> None:
    """The best compatible stack of a blueprint: one component per slot, with reasons."""


@stack.command("solve")
@click.argument("name")
@JSON
def solve(name: str, json_: bool) -> None:
    """Finds the stack of a blueprint, or shows the one that was found; `forge blueprint refresh` finds it anew."""
    solved = _solve(name)
    if json_:
        as_json(asdict(solved.stack) | {"gap": solved.stack.gap, "made": solved.made})
    else:
        _print(solved.stack)


@stack.command("explain")
@click.argument("name")
@click.option("--why", "why_", metavar="COMPONENT", help="why is it in the stack")
@click.option("--why-not", metavar="COMPONENT", help="why is it not")
@JSON
def explain(name: str, why_: str | None, why_not: str | None, json_: bool) -> None:
    """Reasons, each with its source: for the whole stack, for a component in it, or against one that is not."""
    from forge_assets.compatibility.stack.questions import answer
    from forge_resources.database import Database
    from forge_resources.settings import settings

    if why_ and why_not:
        raise click.UsageError("--why and --why-not exclude each other")
    with Database.open() as db:
        answers, changed = answer(db, name, settings().overrides_file, why_, why_not)
    if json_:
        as_json({"answers": [asdict(one) for one in answers], "changed_since": changed})
        return
    for one in answers:
        click.echo(click.style(one.verdict, bold=True))
        for reason in one.reasons:
            click.echo(f"  {reason.statement}\n      {click.style(reason.source, dim=True)}")
        for change in one.changes:
            click.echo(f"  then also {change}")
    if changed:
        click.echo(
            f"{', '.join(changed)} changed since it was solved; `forge blueprint refresh {name}` solves it with what is known now", err=True
        )


@stack.command("alternatives")
@click.argument("name")
@click.option("--top", default=3, show_default=True, type=click.IntRange(1, 20), help="how many")
@click.option("--distance", default=3, show_default=True, type=click.IntRange(1, 20), help="slots in which each differs from all before")
@JSON
def alternatives(name: str, top: int, distance: int, json_: bool) -> None:
    """The next best stacks that really differ."""
    from forge_assets.compatibility.stack.questions import others
    from forge_resources.database import Database
    from forge_resources.settings import settings

    with Database.open() as db:
        found = others(db, name, settings().overrides_file, top, distance)
    if json_:
        as_json([{"loss": one.loss, "optimal": one.solution.optimal, "changes": one.changes} for one in found])
        return
    for number, one in enumerate(found, 1):
        proof = "" if one.solution.optimal else f" (at most {one.solution.gap:.1%} better ones exist)"
        click.echo(click.style(f"{number}. {one.loss:,} points less{proof}", bold=True))
        for slot, (before, after) in one.changes.items():
            click.echo(f"   {slot}: {before} -> {after}")
    if not found:
        click.echo(f"no other stack differs in {distance} slots or more")


def _solve(name: str, *, refresh: bool = False) -> Any:
    from forge_assets.compatibility.stack.blueprints import solve_blueprint
    from forge_resources.database import Database
    from forge_resources.settings import settings

    with Database.open() as db:
        solved = solve_blueprint(db, name, settings().overrides_file, refresh=refresh, say=lambda text: click.echo(text, err=True))
    if solved.made:
        _tell_dagster(solved.stack)
    return solved


def _dagster() -> Any:
    from forge_app.instance import instance
    from forge_resources.settings import settings

    return instance(settings())


def _tell_dagster(solved: Any) -> None:
    """The asset's partition is fresh: what was solved here is what its run would have made."""
    import dagster as dg

    from forge_assets.compatibility.stack.problem import SOLVER_VERSION
    from forge_assets.compatibility.stack.told import metadata_of

    with _dagster() as home:
        home.add_dynamic_partitions(PARTITIONS, [solved.name])
        home.report_runless_asset_event(
            dg.AssetMaterialization(
                "technique_stack",
                partition=solved.name,
                metadata=metadata_of(solved),
                tags={"dagster/data_version": f"{SOLVER_VERSION}:{solved.digest}", "dagster/code_version": SOLVER_VERSION},
            )
        )


def _print(solved: Any) -> None:
    table(["slot", "component"], [[slot, one or "-"] for slot, one in solved.slots.items()])
    click.echo(f"model:   {solved.model}")
    click.echo(f"plan:    {solved.plan}")
    memory = solved.memory
    fits = "" if memory["fits"] is None else f", {'under' if memory['fits'] else 'OVER'} 80% of {memory['capacity'] / 2**30:g} GiB"
    doubt = f"; unvalidated: {memory['unvalidated']}" if memory["unvalidated"] else ""
    click.echo(
        f"memory:  {memory['bytes'] / 2**30:.1f} GiB a GPU ({memory['low'] / 2**30:.1f} to {memory['high'] / 2**30:.1f}){fits}{doubt}"
    )
    for name, value in solved.options.items():
        click.echo(f"setting: {name} = {value}")
    for warning in solved.warnings:
        click.echo(f"warning: {warning}")
    click.echo(f"{_worth(solved)}; {solved.in_play} of {solved.eligible} candidates in play; evidence {solved.pins.evidence[:10]}")


def _worth(solved: Any) -> str:
    proof = "optimal" if solved.optimal else f"at most {solved.gap:.1%} better exists"
    return f"{solved.objective:,} points, {proof}, {solved.seconds:.1f} s"
