"""`forge source` and `forge corpus`: where documents come from, what came of them, what could not be read."""

from __future__ import annotations

import json
from typing import Any

import click

from forge_app.output import as_json, table


def _database() -> Any:
    from forge_resources.database import Database

    return Database.open()


def _known(code: str | None) -> None:
    """Raises QueryError for a code that no problem can have."""
    from forge_assets.corpus.problems import PROBLEMS
    from forge_resources.errors import QueryError

    if code is not None and code not in PROBLEMS:
        raise QueryError(f"no problem has the code {code!r}; the codes are: {', '.join(PROBLEMS)}")


@click.group()
def source() -> None:
    """Where documents come from: folders, files, buckets, dumps, arXiv, the Hugging Face Hub, lists of URLs."""


@source.command("add")
@click.argument("place")
@click.option("--name", help="short name of the source; default: the last part of its address")
@click.option("--from", "from_", metavar="DATE", help="arxiv, hf: only what was changed on this day or later, e.g. 2026-01-01")
@click.option("--until", metavar="DATE", help="arxiv, hf: only what was changed on this day or before")
@click.option("--with", "with_", metavar="latex,pdf", help="arxiv: besides the abstracts fetch LaTeX sources, PDFs, or both")
@click.option(
    "--field", "fields", multiple=True, metavar="OURS=THEIRS", help="jsonl: where a field lies, e.g. text=content.body; repeatable"
)
@click.option("--endpoint", metavar="URL", help="arxiv, hf: another server that speaks the same protocol")
@click.option("--per-run", type=click.IntRange(1), help="arxiv, hf, urls: documents fetched per run; default: FORGE_FETCHES_PER_RUN")
@click.option("--snapshot", metavar="FILE", help="arxiv: take old records from the metadata snapshot (JSON lines), newer ones from arXiv")
def add(place: str, name: str | None, from_: str | None, until: str | None, with_: str | None, fields: tuple[str, ...],
        endpoint: str | None, per_run: int | None, snapshot: str | None) -> None:  # fmt: skip
    """Add PLACE: a folder, a file (a .jsonl, .jsonl.zst or .jsonl.gz dump counts as many documents), s3://bucket/prefix, jsonl:PATH,
    arxiv:cs.LG, hf:models?pipeline_tag=text-generation, hf:papers, or urls:PATH (a file with one address per line)."""
    from forge_assets.corpus.sources import add_source
    from forge_assets.corpus.sources.places import parse_fields
    from forge_resources.settings import settings

    options = {
        "from": from_,
        "until": until,
        "with": [part.strip() for part in with_.split(",") if part.strip()] if with_ is not None else None,
        "fields": parse_fields(fields),
        "endpoint": endpoint,
        "per_run": per_run,
        "snapshot": snapshot,
    }
    with _database() as db:
        click.echo(f"added source {add_source(db, settings(), place, name, options)}; `forge run` takes it in")


@source.command("list")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def list_(json_: bool) -> None:
    """The sources with their options, the number of documents listed, parsed and quarantined; for feeds the last harvest, the number of
    documents still to be fetched, and what went wrong."""
    from forge_assets.corpus.sources import list_sources
    from forge_assets.corpus.sources.places import options_in_short

    with _database() as db:
        rows = list_sources(db)
    if json_:
        as_json(rows)
        return
    if not rows:
        click.echo("no sources yet: forge source add FOLDER")
        return
    feeds = any(row["pending"] is not None for row in rows)
    cells = [
        [r["name"], f"{r['address']} {options_in_short(r['options'])}".strip(), r["listed"], r["parsed"], r["quarantined"]] for r in rows
    ]
    if feeds:
        for cell, row in zip(cells, rows, strict=True):
            is_feed = row["pending"] is not None
            last = f"{row['harvested_at']:%Y-%m-%d %H:%M}" if row["harvested_at"] else "not yet" if is_feed else ""
            cell += [last, row["pending"] if is_feed else "", row["failure"] or ""]
    table(["source", "address", "listed", "parsed", "quarantined", *(["last harvest", "pending", "failure"] if feeds else [])], cells)


@source.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Forget the source NAME; its documents, passages and vectors go at the next `forge run`."""
    from forge_assets.corpus.sources import remove_source

    with _database() as db:
        remove_source(db, name)
    click.echo(f"removed source {name}; `forge run` removes its documents")


@click.group()
def corpus() -> None:
    """What is in the corpus, and what could not be read."""


@corpus.command("problems")
@click.option("--json", "json_", is_flag=True, help="print JSON")
@click.option("--code", help="only this code, e.g. encrypted")
def problems(json_: bool, code: str | None) -> None:
    """Documents in quarantine, with the reason."""
    from forge_assets.corpus import catalogue

    _known(code)
    with _database() as db:
        rows = [row for row in catalogue.problems(db) if code in (None, row["code"])]
    if json_:
        as_json(rows)
    elif not rows:
        click.echo(f"no problems with code {code}" if code else "no problems: every listed document could be read")
    else:
        table(["code", "document", "reason"], [[row["code"], row["uri"], row["reason"]] for row in rows])
        number = "1 document" if len(rows) == 1 else f"{len(rows)} documents"
        click.echo(
            f"{number} in quarantine; what is there is tried again when it, the parser or a limit changes, or by `forge corpus retry`"
        )


@corpus.command("retry")
@click.option("--code", help="only documents with this code, e.g. timeout")
def retry(code: str | None) -> None:
    """Forget the verdicts on quarantined documents, so that the next `forge run` tries them again."""
    from forge_assets.corpus import catalogue

    _known(code)
    with _database() as db:
        count = catalogue.retry(db, code)
    click.echo(f"{count} {'document' if count == 1 else 'documents'} will be tried again by `forge run`")


@corpus.command("stats")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def stats(json_: bool) -> None:
    """Counts of documents, passages, works and vectors."""
    from forge_assets.corpus import catalogue

    with _database() as db:
        counts = catalogue.corpus_counts(db)
    if json_:
        as_json(counts)
    else:
        table(["what", "count"], [[name, number] for name, number in counts.items()])


@corpus.command("nights")
@click.option("--last", default=7, show_default=True, type=click.IntRange(1), help="how many runs over all shards to list")
@click.option("--json", "json_", is_flag=True, help="print JSON, every stage of every run included")
def nights(last: int, json_: bool) -> None:
    """What the last runs over all shards brought, took and cost; then the report of the latest, stage by stage."""
    from forge_assets.corpus import stage_runs
    from forge_assets.nights import report
    from forge_resources.settings import settings

    with _database() as db:
        told = [report.tell(db, settings(), run) for run in stage_runs.nights(db, last)]
    if json_:
        as_json([report.as_dict(night) for night in told])
    elif not told:
        click.echo("no run over all shards is recorded yet: `forge run` makes one, and so does every night under `forge up`")
    else:
        table(["started (UTC)", "cause", "seconds", "CPU s", *report.COUNTED], [report.row(night) for night in told])
        click.echo(report.told(told[0]))
        table(*report.table(told[0]))


@corpus.command("show")
@click.argument("document")
@click.option("--passages", "with_passages", is_flag=True, help="show where the passages are cut")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def show(document: str, with_passages: bool, json_: bool) -> None:
    """One document as the parser sees it. DOCUMENT is its address, or its source's own id such as arxiv:1706.03762."""
    from forge_assets.corpus import catalogue
    from forge_assets.corpus.sample import as_markdown
    from forge_resources.errors import SourceError

    with _database() as db:
        found = catalogue.find_document(db, document)
        passages = catalogue.passages_of(db, found["document_id"]) if found else []
    if found is None:
        raise SourceError(f"no document has the address or id {document!r}; `forge search` finds documents by what they say")
    if json_:
        as_json(found | {"passages": passages})
        return
    head = {
        k: found[k]
        for k in ("title", "authors", "published", "language", "license", "venue", "url", "media_type", "identifiers")
        if found[k]
    }
    click.echo(
        "\n".join(f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}" for name, value in head.items())
    )
    click.echo()
    if with_passages:
        for p in passages:
            place = [f"characters {p['start']}-{p['end']}", f"page {p['page']}" if p["page"] else "", " > ".join(p["section"])]
            click.echo(f"--- passage {p['ordinal']}: {p['kind']}, {p['tokens']} word pieces, {', '.join(filter(None, place))}")
            click.echo(found["text"][p["start"] : p["end"]] + "\n")
    else:
        click.echo(as_markdown(found, limit=None))
