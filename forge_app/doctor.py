"""`forge doctor`: what is set, where it comes from, what is reachable, what is wrong."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from forge_app.output import Coloured, as_json, table

MARK = {"ok": Coloured("ok", "green"), "warning": Coloured("warning", "yellow"), "error": Coloured("error", "red")}


@click.command()
@click.option("--json", "json_", is_flag=True, help="print JSON")
def doctor(json_: bool) -> None:
    """All settings, where they come from, what is reachable and what is wrong. Exit code 2 when something is."""
    from forge_resources.doctor import examine

    findings = examine()
    if json_:
        as_json([asdict(finding) for finding in findings])
    else:
        table(["name", "value", "from", "", "what it means"], [[f.name, f.value, f.source, MARK[f.status], f.message] for f in findings])
    if any(finding.status == "error" for finding in findings):
        sys.exit(2)
