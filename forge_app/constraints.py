"""`forge constraints`: the rules that stacks and configurations must keep, with their sources, and what a file breaks."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from forge_app.output import as_json, table


def _base() -> Any:
    from forge_assets.compatibility.constraints.base import load_constraints
    from forge_assets.components.ontology import load_ontology
    from forge_resources.settings import settings

    overrides = settings().overrides_file
    return load_constraints(load_ontology(overrides), overrides)


@click.group()
def constraints() -> None:
    """Rules that stacks and configurations must keep: derived from ports, read in code, of arithmetic, or set by people."""


@constraints.command("list")
@click.option("--origin", type=click.Choice(["port", "fact", "arithmetic", "override"]), help="only those of one origin")
@click.option("--framework", metavar="NAME", help="only those of one framework's code, e.g. megatron-lm or axolotl")
@click.option("--about", metavar="VARIABLE", help="only those that speak of it, e.g. slot:norm, number:num_heads, normalization")
@click.option("--severity", type=click.Choice(["hard", "soft"]), help="hard: refused; soft: warned of")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def list_(origin: str | None, framework: str | None, about: str | None, severity: str | None, json_: bool) -> None:
    """The rules in force, and those that people waived."""
    from forge_assets.compatibility.constraints.facts import framework_named
    from forge_assets.compatibility.constraints.telling import name_of

    base = _base()
    only = framework_named(framework).id if framework else None
    found = [
        one
        for one in base.constraints
        if (origin in (None, one.origin))
        and (only in (None, one.framework))
        and (severity in (None, one.severity))
        and (about is None or any(about in (variable, name_of(variable)) for variable in _variables(one)))
    ]
    if json_:
        as_json({"constraints": [_told(one) for one in found], "waived": [_told(one.constraint) | _decision(one) for one in base.waived]})
        return
    if found:
        table(["id", "severity", "rule", "source"], [[one.id, one.severity, _short(one.statement), one.source.told] for one in found])
    click.echo(f"{len(found):,} of {len(base.constraints):,} rules in force")
    for one in base.waived:
        click.echo(one.told)


@constraints.command("show")
@click.argument("identity", metavar="ID")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def show(identity: str, json_: bool) -> None:
    """One rule: what it forbids, in ideas and as the framework writes it, and where it stands."""
    from forge_assets.compatibility.constraints.overrides import by_subject
    from forge_assets.compatibility.constraints.telling import told_condition

    base = _base()
    one = base.find(identity)
    waived = by_subject(base.waived).get(identity)
    if json_:
        as_json(_told(one) | (_decision(waived) if waived else {}))
        return
    source = one.source
    told = [("rule", one.statement), ("severity", one.severity), ("origin", one.origin), ("scope", one.scope), ("source", source.place)]
    if source.repository:
        told += [
            ("repository", f"{source.repository}, commit {source.commit}"),
            ("licence", source.licence or ""),
            ("class", one.category or ""),
        ]
    told += [("forbidden", f"{condition.variable}: {told_condition(condition)}") for condition in one.forbidden]
    told += [
        ("as written", told_condition(written))
        for written, resolved in zip(one.written, one.forbidden, strict=False)
        if written != resolved
    ]
    if waived:
        told.append(("waived", waived.told))
    for label, said in told:
        click.echo(f"{label:<11} {said}")


@constraints.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--framework", metavar="NAME", help="whose configuration it is; by default told by its settings")
@click.option(
    "--set", "more", metavar="NAME=VALUE", multiple=True, help="a value that the file lacks, e.g. world_size=16 or version:torch=2.6.0"
)
@click.option("--json", "json_", is_flag=True, help="print JSON")
def check(file: Path, framework: str | None, more: tuple[str, ...], json_: bool) -> None:
    """Which rules a configuration breaks, each with the file and line of the code that refuses it.

    FILE is a YAML or JSON configuration, a text with command-line arguments such as Megatron-LM's, or an assignment of variables. What
    it does not write counts as off or unset where that is known to be the default. The exit code is 1 when a hard rule is broken.
    """
    from forge_assets.compatibility.constraints.checking import judge
    from forge_assets.compatibility.constraints.configs import read_configuration

    base = _base()
    read = read_configuration(file, base, framework, more)
    judged = judge(read, base)
    if json_:
        as_json(
            {
                "framework": read.framework,
                "rules": judged.rules,
                "broken": [_violation(one) for one in judged.broken],
                "waived": [_violation(found) | _decision(waived) for waived, found in judged.waived],
            }
        )
    else:
        _print_judged(file, read, judged)
    sys.exit(1 if judged.hard else 0)


def _print_judged(file: Path, read: Any, judged: Any) -> None:
    from forge_assets.compatibility.constraints.facts import frameworks
    from forge_assets.compatibility.constraints.telling import name_of, told_value

    what = f"a configuration of {frameworks()[read.framework].name}" if read.framework else "an assignment"
    soft = len(judged.broken) - len(judged.hard)
    click.echo(f"{file}, {what}: {len(judged.hard)} hard and {soft} soft of {judged.rules:,} rules are broken")
    for one in judged.broken:
        click.echo(f"\n{one.constraint.severity}  {one.constraint.id}: {one.constraint.statement}")
        for variable, value in one.found.items():
            click.echo(f"      {name_of(variable)} is {told_value(value)}")
        for variable in one.assumed:
            click.echo(f"      {name_of(variable)} is not written")
        click.echo(f"      {one.constraint.source.told}")
    for waived, _ in judged.waived:
        click.echo(f"\n{waived.told}")


@constraints.command("waive")
@click.argument("identity", metavar="ID")
@click.option("--reason", required=True, help="why it does not hold here")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="the last day on which that counts")
def waive(identity: str, reason: str, until: Any) -> None:
    """Take a rule out of force; it is still told wherever it would have acted. `restore` puts it back."""
    _decide("reject", identity, reason, until.date() if until else None)
    click.echo(f"{identity} is waived")


@constraints.command("restore")
@click.argument("identity", metavar="ID")
@click.option("--reason", required=True, help="why it holds again")
def restore(identity: str, reason: str) -> None:
    """Put a waived rule back in force."""
    _decide("accept", identity, reason, None)
    click.echo(f"{identity} is in force")


def _decide(verdict: Any, identity: str, reason: str, until: date | None) -> None:
    from forge_app.candidates import author
    from forge_assets.compatibility.constraints.base import own_constraints
    from forge_assets.compatibility.constraints.overrides import KIND, decide
    from forge_assets.components.ontology import load_ontology
    from forge_resources.decisions import Decision
    from forge_resources.settings import settings

    overrides = settings().overrides_file
    ontology = load_ontology(overrides)
    decision = Decision(verdict, KIND, identity, reason, author(), date.today(), until)
    decide(overrides, decision, own_constraints(ontology), ontology)


def _told(one: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(one) | {"framework": one.framework, "source": asdict(one.source) | {"told": one.source.told}}


def _decision(waived: Any) -> dict[str, Any]:
    return {
        "waived": {
            "by": waived.decision.author,
            "on": waived.decision.date,
            "reason": waived.decision.reason,
            "until": waived.decision.expires,
        }
    }


def _violation(one: Any) -> dict[str, Any]:
    return {
        "id": one.constraint.id,
        "severity": one.constraint.severity,
        "statement": one.constraint.statement,
        "found": dict(one.found),
        "not_written": list(one.assumed),
        "source": _told(one.constraint)["source"],
    }


def _variables(one: Any) -> set[str]:
    return {*one.variables, *(condition.variable for condition in one.written)}


def _short(text: str, length: int = 110) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
