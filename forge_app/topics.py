"""`forge topics`: what the corpus is about, one topic in detail, what became of topics over time, and their map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from forge_app.output import as_json, table


def _database() -> Any:
    from forge_resources.database import Database

    return Database.open()


@click.group()
def topics() -> None:
    """What the corpus is about: topics of two levels whose ids persist."""


@topics.command("list")
@click.option("--level", type=click.IntRange(1, 2), help="1: topics, 2: groups of topics; default: both")
@click.option("--task", help="only topics that serve this task of the ontology, e.g. optimization")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def list_(level: int | None, task: str | None, json_: bool) -> None:
    """The topics by group and size, with the tasks and slots they speak of."""
    from forge_assets.topics import catalogue
    from forge_assets.topics.store import counts

    with _database() as db:
        rows, found = catalogue.topics(db, level, task), counts(db)
    if json_:
        as_json(rows)
    elif not rows:
        click.echo("no topics" if found.works else "no topics yet: `forge run topic_clusters` makes them")
    else:
        head = ["id", "works", "topic", "tasks", "slots"]
        table(head, [[r["topic_id"], r["works"], _name(r), ", ".join(r["tasks"]), ", ".join(s for s, _ in r["slots"])] for r in rows])
        click.echo(f"{found.works:,} works, {found.unassigned:,} of them unassigned")


@topics.command("show")
@click.argument("topic_id", metavar="ID", type=int)
@click.option("--works", default=10, show_default=True, type=click.IntRange(0), help="how many works to list, the most typical first")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def show(topic_id: int, works: int, json_: bool) -> None:
    """One topic: its phrases, slots, most typical works, works per year, and its history."""
    from forge_assets.topics import catalogue

    with _database() as db:
        told = catalogue.topic(db, topic_id, works)
    if json_:
        as_json(told)
        return
    ended = f", ended {told['ended_at']:%Y-%m-%d}" if told["ended_at"] else ""
    click.echo(f"{told['label'] or 'no label yet'}\n{told['works']:,} works, since {told['born_at']:%Y-%m-%d}{ended}")
    for name, pairs in (("phrases", told["phrases"]), ("slots", told["slots"])):
        if pairs:
            click.echo(f"{name}: " + ", ".join(f"{word} {100 * share:.0f}%" for word, share in pairs))
    if told["tasks"]:
        click.echo(f"tasks: {', '.join(told['tasks'])}")
    if told["years"]:
        click.echo("years: " + ", ".join(f"{year} {count}" for year, count in told["years"].items()))
    if told["topics"]:
        table(["id", "works", "topic"], [[t["topic_id"], t["works"], t["label"] or ""] for t in told["topics"]])
    if told["nearest"]:
        table(
            ["cosine", "year", "work"], [[f"{w['similarity']:.2f}", str(w["year"] or ""), w["title"] or w["uri"]] for w in told["nearest"]]
        )
    for event in told["events"]:
        click.echo(_told(event))


@topics.command("log")
@click.option("--last", default=50, show_default=True, type=click.IntRange(1), help="how many events")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def log(last: int, json_: bool) -> None:
    """Fits, births, deaths, splits and merges, the latest first."""
    from forge_assets.topics import catalogue

    with _database() as db:
        rows = catalogue.events(db, last=last)
    if json_:
        as_json(rows)
    elif not rows:
        click.echo("nothing has happened yet: `forge run topic_clusters` makes topics")
    for row in [] if json_ else rows:
        click.echo(_told(row))


@topics.command("map")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="write the interactive page here")
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="write the picture here")
@click.option("--json", "json_", is_flag=True, help="print JSON")
def map_(html: Path | None, png: Path | None, json_: bool) -> None:
    """The map of all works, as `topic_map` drew it last: where it lies in the object store, and copies of it."""
    from forge_assets.topics.map.publish import drawn
    from forge_resources.errors import ObjectStoreError
    from forge_resources.object_store import open_store

    with _database() as db:
        found = drawn(db)
    store = open_store()
    for file, key in ((html, found.page_key), (png, found.image_key)):
        if file:
            try:
                file.write_bytes(store.get(key))
            except OSError as error:
                raise ObjectStoreError(f"{file} cannot be written: {error.strerror}") from None
    if json_:
        as_json({"page": found.page_key, "picture": found.image_key, "store": store.address} | found.figures)
        return
    click.echo(f"{found.figures['works']:,} works in {found.figures['topics']:,} topics")
    click.echo(f"page     {html or f'{store.address}/{found.page_key}'} ({found.figures['page_bytes'] / 1e6:.1f} MB)")
    click.echo(f"picture  {png or f'{store.address}/{found.image_key}'} ({found.figures['image_bytes'] / 1e6:.1f} MB)")


def _name(row: dict[str, Any]) -> str:
    return f"{'  ' if row['level'] == 1 and row['parent'] else ''}{row['label'] or ''}"


def _told(event: dict[str, Any]) -> str:
    when, topic = f"{event['at']:%Y-%m-%d %H:%M}", f"topic {event['topic_id']} ({event['label'] or 'no label'})"
    others, works = " and ".join(f"topic {other}" for other in event["others"]), f"{event['works']:,} works"
    sentence = {
        "fit": f"fit ({event['reason']}) over {works}",
        "refit": f"refit ({event['reason']}) over {works}",
        "birth": f"{topic} was born of {works}",
        "death": f"{topic} ended; it had {works}",
        "split": f"{topic} was split from {others} with {works}",
        "merge": f"{topic} was merged into {others} with {works}",
    }
    return f"{when}  {sentence[event['kind']]}"
