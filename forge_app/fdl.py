"""`forge fdl`: check, format, print and test texts of FDL, the index notation in which models are written."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge_assets.blueprints.fdl.ir import Program

MOST_LETTERS = 400_000  # checked within seconds
FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
FILES = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
SET = click.option(
    "--set", "constants", metavar="NAME=VALUE", multiple=True, help="another value for a const line, e.g. theta=500000 or Block.eps=1e-6"
)


@click.group()
def fdl() -> None:
    """The language of build plans: one text, printed as PyTorch, JAX, C++ and other languages (docs/explanation/fdl.md)."""


@fdl.command("check")
@FILES
def check(files: tuple[Path, ...]) -> None:
    """Types, axes and sizes of each FILE; the first thing that does not fit is told with its line and column."""
    for file in files:
        program = _program(file, ())
        told = [_counted(len(program.units), "unit"), _counted(len(program.models), "model")]
        click.echo(f"{file}: {', '.join(told)}, sizes to give: {', '.join(program.free_sizes)}")


@fdl.command("fmt")
@FILES
@click.option("--check", "only_check", is_flag=True, help="write nothing; exit code 2 where a file would change")
def fmt(files: tuple[Path, ...], only_check: bool) -> None:
    """Writes each FILE in the one way FDL is written; `-` formats standard input to standard output."""
    from forge_assets.blueprints.fdl.format import formatted
    from forge_resources.errors import FdlError

    for file in files:
        text = _text(file)
        with _named(file):
            made = formatted(text)
        if str(file) == "-":
            sys.stdout.write(made)
        elif made != text:
            if only_check:
                raise FdlError(f"{file} is not formatted; `forge fdl fmt {file}` writes it")
            _write(file, made)
            click.echo(f"formatted {file}", err=True)


@fdl.command("compile")
@FILE
@click.option("--to", "language", required=True, metavar="LANGUAGE", help="torch, jax, cpp, latex, markdown, ...")
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="a folder; without it a single file goes to standard output"
)
@SET
def compile_(file: Path, language: str, output: Path | None, constants: tuple[str, ...]) -> None:
    """Prints FILE in another language. What is printed needs no Forge."""
    from forge_assets.blueprints.fdl.backends import BACKENDS
    from forge_assets.blueprints.fdl.expressions import near
    from forge_resources.errors import FdlError

    if language not in BACKENDS:
        raise FdlError(f"there is no back-end {language}{near(language, BACKENDS)}; there are {', '.join(BACKENDS)}")
    program = _program(file, constants)
    with _named(file):
        files = BACKENDS[language].print(program)
    if output is None:
        if len(files) > 1:
            raise FdlError(f"{language} is printed as {len(files)} files ({', '.join(files)}); give a folder by --output")
        sys.stdout.write(next(iter(files.values())))
        return
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FdlError(f"--output {output} cannot be made: {error.strerror or error}") from None
    for name, text in files.items():
        _write(output / name, text)
        click.echo(f"wrote {output / name}", err=True)


@fdl.command("compose")
@click.argument("name")
@click.option("--rules", "rules_", is_flag=True, help="optimizer and schedule instead of the model")
@click.option("--sizes", "sizes_", is_flag=True, help="the size of each axis as JSON, instead of the text")
def compose(name: str, rules_: bool, sizes_: bool) -> None:
    """The model text of the solved blueprint NAME, composed of the library's pieces; with --rules its optimizer and its schedule."""
    from forge_app.output import as_json
    from forge_assets.blueprints.composed import composed, rules
    from forge_assets.blueprints.fdl.format import formatted
    from forge_assets.blueprints.spec.build import spec_of
    from forge_resources.database import Database
    from forge_resources.settings import settings

    if rules_ and sizes_:
        raise click.UsageError("--rules and --sizes exclude each other")
    chosen = settings()
    with Database.open(chosen) as db:
        spec = spec_of(db, name, chosen.overrides_file, chosen.gpu_price_per_hour).spec
    if sizes_:
        as_json(dict(composed(spec).sizes))
    else:
        sys.stdout.write(formatted(rules(spec) if rules_ else composed(spec).text))


@fdl.command("test")
@FILE
@click.option("--backend", "backends", metavar="NAME", multiple=True, help="only these back-ends, e.g. torch; repeatable")
@click.option("--seed", default=0, show_default=True, help="of sizes, weights and inputs")
@SET
def test(file: Path, backends: tuple[str, ...], seed: int, constants: tuple[str, ...]) -> None:
    """Runs the numeric back-ends that are here against each other on FILE and small sizes: results, gradients, decoding step by step."""
    from forge_assets.blueprints.fdl import trial
    from forge_resources.errors import FdlError

    program = _program(file, constants)
    _, absent = trial.present(backends)
    for name, reason in absent.items():
        click.echo(f"{name} is left out: {reason}", err=True)
    with _named(file):
        compared = trial.compare(program, seed, backends)
    for one in compared:
        click.echo(click.style(one.name, bold=True))
        for what, difference in one.differences.items():
            sign = click.style("equal", fg="green") if difference <= trial.TOLERANCE else click.style("DIFFERENT", fg="red")
            click.echo(f"  {sign}  {difference:.1e}  {what}")
    if wrong := [one.name for one in compared if not one.equal]:
        told = f"back-ends differ by more than {trial.TOLERANCE:g} of the scale in {', '.join(wrong)}"
        raise FdlError(f"{told}; that is a bug of Forge, please report the text")


def _program(file: Path, constants: tuple[str, ...]) -> Program:
    from forge_assets.blueprints.fdl.check import compiled

    text = _text(file)
    with _named(file):
        return compiled(text, _constants(constants))


def _constants(given: tuple[str, ...]) -> dict[str, float]:
    from forge_resources.errors import FdlError

    found: dict[str, float] = {}
    for one in given:
        name, _, value = one.partition("=")
        try:
            found[name.strip()] = int(value) if value.strip().lstrip("-").isdigit() else float(value)
        except ValueError:
            raise FdlError(f"--set {one}: expected NAME=NUMBER, such as theta=500000") from None
    return found


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Errors tell the file too, in the form that editors jump to."""
    from forge_resources.errors import FdlError

    try:
        yield
    except FdlError as error:
        place = f":{error.line}:{error.column}" if error.line else ""
        raise FdlError(f"{file}{place}: {error.message}") from None


def _text(file: Path) -> str:
    from forge_resources.errors import FdlError

    try:
        if str(file) == "-":
            text = sys.stdin.read(MOST_LETTERS + 1)
        else:
            with file.open(encoding="utf-8") as opened:
                text = opened.read(MOST_LETTERS + 1)
    except UnicodeDecodeError:
        raise FdlError(f"{file} is no text in UTF-8; FDL is written in it") from None
    except OSError as error:
        raise FdlError(f"{file} cannot be read: {error.strerror or error}") from None
    if len(text) > MOST_LETTERS:
        raise FdlError(f"{file} has more than {MOST_LETTERS:,} characters; a model's text has some thousand, so this is none")
    return text.removeprefix("\ufeff")  # the byte order mark that some editors write


def _write(file: Path, text: str) -> None:
    """The whole file or nothing of it; where it is a link, what the link leads to."""
    from forge_resources.errors import FdlError

    target = Path(os.path.realpath(file))
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        if target.exists() and not (target.is_file() and os.access(target, os.W_OK)):
            raise FdlError(f"{file} cannot be written: it is no file, or you may not change it; give another name")
        aside.write_text(text, encoding="utf-8")
        if target.exists():
            aside.chmod(target.stat().st_mode)
        aside.replace(target)
    except OSError as error:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise FdlError(f"{file} cannot be written: {error.strerror or error}") from None


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")
