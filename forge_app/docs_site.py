"""`forge docs verify|site|serve|open|pdf|export`: what is made of volumes, and whether they say what their sources say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from forge_app.output import as_json

JSON = click.option("--json", "json_", is_flag=True, help="print JSON")
MOST_TOLD = 20


def _opened() -> tuple[Any, Any, Any]:
    from forge_resources.database import Database
    from forge_resources.object_store import open_store
    from forge_resources.settings import settings

    chosen = settings()
    return chosen, Database.open(chosen), open_store()


@click.command("verify")
@click.argument("volume", required=False)
@JSON
@click.pass_context
def verify(ctx: click.Context, volume: str | None, json_: bool) -> None:
    """Checks a VOLUME, or a volume.json edited by hand: every sentence cites, every quote stands in its document and carries what is said.

    Without VOLUME all volumes are checked. Exit code 1 where a sentence does not hold.
    """
    from dataclasses import asdict

    from forge_assets.components.ontology import load_ontology
    from forge_assets.documentation import shelf
    from forge_assets.documentation.verify.names import names_of
    from forge_assets.documentation.verify.volume_check import check_volume, texts_of

    chosen, opened, objects = _opened()
    with opened as db:
        names = names_of(load_ontology(chosen.overrides_file))
        if volume is None:
            given = shelf.volumes(db, objects)
        elif (file := Path(volume)).is_file():
            given = iter([shelf.read(file.read_bytes(), str(file))])
        else:
            given = iter([shelf.volume(objects, volume)])
        told = [{"volume": one.id, **asdict(check_volume(one, texts_of(db), names))} for one in given]
    faults = [(one["volume"], fault) for one in told for fault in one["faults"]]
    if json_:
        as_json(told)
    else:
        for _, fault in faults[:MOST_TOLD]:
            click.echo(f"{fault['page']}: {fault['why']}\n    {' '.join(fault['said'].split())[:160]}")
        total = {key: sum(one[key] for one in told) for key in ("sentences", "cells", "quotes", "rewritten")}
        edited = sum(len(one["edited"]) for one in told)
        click.echo(
            f"{len(told):,} volumes, {total['sentences']:,} sentences ({total['rewritten']:,} rewritten), {total['cells']:,} cells,"
            f" {total['quotes']:,} quotes, {edited:,} pages edited: {len(faults):,} faults"
        )
    ctx.exit(1 if faults else 0)


@click.command("site")
@JSON
def site(json_: bool) -> None:
    """Brings the HTML site up to the volumes; it lies under FORGE_HOME/site."""
    from dataclasses import asdict

    report = _made()
    if json_:
        as_json(asdict(report))
    else:
        click.echo(f"{report.pages:,} pages in {report.volumes:,} volumes, {report.written:,} pages written anew: {report.folder}")


def _made() -> Any:
    from forge_assets.documentation import shelf
    from forge_resources.errors import QueryError

    chosen, opened, objects = _opened()
    with opened as db:
        report = shelf.make_site(db, objects, chosen.home, lambda text: click.echo(text, err=True))
    if not report.volumes:
        raise QueryError("there are no volumes to show; `forge docs build` makes them")
    return report


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="address to listen on")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="port; 0 takes a free one")
def serve(host: str, port: int) -> None:
    """Serves the site until Ctrl-C, after bringing it up to the volumes."""
    _serve(host, port, None)


@click.command("open")
@click.argument("page", required=False)
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="port; a free one by default")
def open_(page: str | None, port: int) -> None:
    """Opens the site, a volume or a PAGE such as optimizer/adamw in the browser, and serves it until Ctrl-C."""
    _serve("127.0.0.1", port, page or "")


def _serve(host: str, port: int, page: str | None) -> None:
    from forge_assets.documentation.site import addresses
    from forge_assets.documentation.site.server import server
    from forge_resources.errors import QueryError

    folder = Path(_made().folder)
    path = ""
    if page:
        volume, _, slug = page.partition("/")
        path = f"{addresses.safe(volume)}/" + (addresses.file_of(page) if slug else "index.html")
        if not (folder / path).is_file():
            raise QueryError(f"there is no page {page!r}; `forge docs list` names volumes, `forge docs list VOLUME` their pages")
    with server(folder, host, port) as serving:
        url = f"http://{host if ':' not in host else f'[{host}]'}:{serving.server_port}/{path}"
        click.echo(f"the documentation is at {url} until Ctrl-C")
        if page is not None:
            click.launch(url)
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


@click.command("pdf")
@click.argument("volume")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="the file; VOLUME.pdf by default")
def pdf(volume: str, output: Path | None) -> None:
    """Prints a VOLUME, or a volume.json, as a book."""
    from forge_assets.documentation import shelf
    from forge_assets.documentation.print.build import pdf as printed
    from forge_resources.errors import QueryError
    from forge_resources.object_store import open_store

    file = Path(volume)
    if file.is_file():
        one = shelf.read(file.read_bytes(), volume)
        data, name = printed(one), one.id
    else:
        data, name = shelf.make_pdf(open_store(), volume), volume
    target = output or Path(f"{name}.pdf")
    try:
        target.write_bytes(data)
    except OSError as error:
        raise QueryError(f"{target} cannot be written: {error.strerror or error}") from None
    click.echo(f"wrote {target}, {len(data) / 1e6:.1f} MB")


@click.command("markdown")
@click.option("--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="the folder to write into")
def markdown(folder: Path) -> None:
    """All volumes as Markdown with a mkdocs.yml beside them, for MkDocs and its themes."""
    from forge_assets.documentation import markdown as written
    from forge_assets.documentation import shelf
    from forge_resources.errors import QueryError

    _, opened, objects = _opened()
    with opened as db:
        volumes = list(shelf.volumes(db, objects))
    try:
        for volume in volumes:
            for name, text in written.files(volume):
                file = folder / "volumes" / volume.id / "markdown" / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        lines = "".join(f"- [{volume.title}]({volume.id}/markdown/index.md)\n" for volume in volumes)
        folder.joinpath("volumes").mkdir(parents=True, exist_ok=True)
        (folder / "volumes" / "index.md").write_text(f"# Forge documentation\n\n{lines}", encoding="utf-8")
        (folder / "mkdocs.yml").write_text(shelf.mkdocs("Forge documentation", volumes), encoding="utf-8")
    except OSError as error:
        raise QueryError(f"--to {folder} cannot be written: {error.strerror or error}") from None
    click.echo(f"{len(volumes):,} volumes in {folder}; mkdocs.yml lies there too")


@click.command("rewrite")
@click.argument("volumes", nargs=-1)
@click.option("--estimate", "only_estimate", is_flag=True, help="tell what it may cost, and ask nothing")
@click.option("--votes/--no-votes", default=True, show_default=True, help="ask the model once more whether each sentence is carried")
@JSON
def rewrite(volumes: tuple[str, ...], only_estimate: bool, votes: bool, json_: bool) -> None:
    """Lets the language model (FORGE_LLM_*) write sections of VOLUMES as prose; all by default. A sentence that its sources do not carry
    is not taken, and the quoted ones stay in its place. What was answered is kept: a run that is stopped goes on where it was."""
    rewrite_volumes(volumes, only_estimate, votes, json_)


def rewrite_volumes(volumes: tuple[str, ...], only_estimate: bool, votes: bool, json_: bool, aside: bool = False) -> None:
    from dataclasses import asdict

    from forge_assets.components.ontology import load_ontology
    from forge_assets.documentation import shelf
    from forge_assets.documentation.rewrite.run import Estimate, estimate
    from forge_assets.documentation.rewrite.run import rewrite_volumes as rewrite_all
    from forge_assets.documentation.verify.names import names_of
    from forge_resources.errors import SettingError
    from forge_resources.language_model import load_language_model

    chosen, opened, objects = _opened()
    with opened as db:
        ids = volumes or tuple(shelf.ids(db))
        told = [estimate(shelf.volume(objects, id_), chosen.llm_parallel) for id_ in ids]
        total = Estimate(*(sum(getattr(one, key) for one in told) for key in ("sections", "questions", "tokens", "minutes")))
        click.echo(
            f"{total.sections:,} sections in {len(ids):,} volumes: {total.questions:,} questions, at most {total.tokens:,} tokens"
            f"{' and about half of that for votes' if votes else ''} (FORGE_LLM_BUDGET_TOKENS is {chosen.llm_budget_tokens:,}),"
            f" about {total.minutes:,.0f} minutes",
            err=True,
        )
        if only_estimate:
            if json_:
                as_json(asdict(total))
            return
        model = load_language_model(chosen, db)
        if model is None:
            raise SettingError("rewriting needs a language model; set FORGE_LLM_BASE_URL and FORGE_LLM_MODEL")
        with model:
            names = names_of(load_ontology(chosen.overrides_file))
            report = rewrite_all(db, objects, model, names, ids, votes=votes, say=lambda text: click.echo(text, err=True))
    if json_:
        as_json(asdict(report))
        return
    why = ", ".join(f"{reason} {count:,}" for reason, count in report.rejected.most_common())
    click.echo(
        f"{report.written:,} sentences written on {report.pages:,} pages; not taken: {why or 'none'}; {report.usage.tokens:,} tokens in"
        f" {report.usage.asked:,} questions, {report.usage.cached:,} known from before",
        err=aside,
    )
    if report.stopped:
        click.echo(f"stopped: {report.stopped}", err=True)


COMMANDS = (verify, site, serve, open_, pdf, markdown, rewrite)
