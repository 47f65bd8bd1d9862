"""`forge`: the command line. Each command imports what it needs when it runs, so that `forge search` starts fast.

A ForgeError is one sentence on standard error and exit code 2; anything else is a bug and shows its traceback.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from typing import Any

import click

from forge_app.output import printable
from forge_resources.errors import ForgeError

COMMANDS = {
    "demo": ("forge_app.demo", "The main job on the sample corpus: everything is made once, a table shows where it lies."),
    "doctor": ("forge_app.doctor", "All settings, where they come from, what is reachable and what is wrong."),
    "source": ("forge_app.corpus", "Where documents come from: add, list, remove."),
    "corpus": ("forge_app.corpus", "What is in the corpus, and what could not be read."),
    "run": ("forge_app.run", "Materialize assets in this process, with progress bars."),
    "up": ("forge_app.up", "Start database, Dagster UI and daemon on loopback; Ctrl-C stops all of it."),
    "components": ("forge_app.components", "The tree of components: what can fill which place of a training infrastructure."),
    "graph": ("forge_app.graph", "Which components go together, which do not, and the sentences that say so."),
    "review": ("forge_app.review", "What waits for a person: proposed components and edges, and the log of all decisions."),
    "constraints": ("forge_app.constraints", "Rules that stacks and configurations must keep, with their sources; check a file."),
    "topics": ("forge_app.topics", "What the corpus is about: topics whose ids persist, and what became of them."),
    "search": ("forge_app.search", "Find passages by words and by meaning."),
    "ask": ("forge_app.search", "An answer of verbatim sentences, each with its citation."),
    "blueprint": ("forge_app.blueprint", "Models that are asked for: size, GPUs, goal, pins and bans."),
    "stack": ("forge_app.blueprint", "The best compatible stack of a blueprint: one component per slot, with reasons."),
    "spec": ("forge_app.spec", "The technical spec of a blueprint: every number with where it comes from."),
    "scaffold": ("forge_app.scaffold", "The project of a blueprint: code, configurations, tests, texts for people and agents."),
    "docs": ("forge_app.docs", "Volumes of documentation, each sentence with its source."),
    "fdl": ("forge_app.fdl", "Models as texts: check, format, print as PyTorch, JAX, C++ and more, test them against each other."),
    "fragments": ("forge_app.fragments", "Pieces of a model as folders: build, verify, assemble, push."),
    "fit": ("forge_app.fit", "Memory, time and cost of training or serving a model on given GPUs."),
    "eval": ("forge_app.evaluate", "Measure quality against gold data."),
}


class Lazy(click.Group):
    """Loads the module of a command only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(COMMANDS[name][0]), name.replace("eval", "evaluate"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="forge-ai", prog_name="forge")
def forge() -> None:
    """Forge reads a growing corpus of AI articles and builds from it a complete training infrastructure for models."""


def main(arguments: list[str] | None = None) -> Any:
    """Entry point of the console script."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        forge.main(args=[_text(argument) for argument in given], prog_name="forge", standalone_mode=False)
    except ForgeError as error:
        click.echo(f"forge: {printable(str(error))}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Abort:
        click.echo("forge: stopped; what was finished is kept, and the next run goes on from there", err=True)
        sys.exit(130)
    except BrokenPipeError:  # `forge search ... | head`
        sys.stderr.close()
        sys.exit(141)


def _text(argument: str) -> str:
    """An argument with U+FFFD for each byte that is no UTF-8, which no database takes; a file may have such a name, and keeps it."""
    return argument if os.path.lexists(argument) else re.sub("[\ud800-\udfff]", "\ufffd", argument)
