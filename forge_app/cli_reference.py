"""Writes docs/reference/cli.md: the help of every command, as `forge --help` prints it. A test keeps it true.

python -m forge_app.cli_reference > docs/reference/cli.md
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

WIDTH = 100
HELP = ["-h", "--help"]
"""As the outermost command hands it down to all others."""


def pages(command: click.Command, path: tuple[str, ...]) -> Iterator[str]:
    """One markdown section per command, depth first."""
    given: dict[str, Any] = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH, "help_option_names": HELP}
    context = click.Context(command, info_name=" ".join(path), **given)
    yield f"## {' '.join(path)}\n\n```\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from pages(inner, (*path, name))


def reference() -> str:
    from forge_app.cli import forge

    return "# The command line\n\nWritten by `python -m forge_app.cli_reference`; do not edit.\n\n" + "\n".join(pages(forge, ("forge",)))


if __name__ == "__main__":
    click.echo(reference(), nl=False)
