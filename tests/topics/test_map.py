"""The map on the real database and object store: nights, pictures, what a killed run leaves, and the command."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from forge_app.cli import forge
from forge_assets.topics import nights
from forge_assets.topics.describe import describe
from forge_assets.topics.map import picture, shown, store
from forge_assets.topics.map.follow import Followed, follow
from forge_assets.topics.map.page import page
from forge_assets.topics.map.publish import FOLDER, drawn, latest, publish
from forge_resources.database import Database
from forge_resources.errors import QueryError
from forge_resources.object_store import FolderStore
from tests.embeddings.corpus_builder import remove
from tests.topics.planted import SUBJECTS, around, directions, put_works
from tests.topics.test_labels import ontology

DAY = datetime(2026, 1, 5, 3, tzinfo=UTC)
EACH = 55
HOSTILE = '</script><img src=x onerror="document.title=1"> {{meta}} \u202egnp.exe\u0000 \u2028 <!-- speech'


def night(db: Database, day: int = 0, **options: object) -> Followed:
    at = DAY + timedelta(days=day)
    nights.cluster(db, refit_days=7, now=at, **options)  # type: ignore[arg-type]
    describe(db, ontology())
    return follow(db, at)


def places(db: Database) -> dict[UUID, tuple[int | None, float, float]]:
    """main document -> topic when it was placed, x, y."""
    with db.begin() as connection:
        rows = connection.execute(sa.text("SELECT w.main_document, p.topic_id, p.x, p.y FROM work_place p JOIN work w USING (work_id)"))
        return {row.main_document: (row.topic_id, row.x, row.y) for row in rows}


@pytest.fixture
def corpus(database: Database) -> Database:
    """Four subjects, fitted, described and laid out on day 0."""
    for n in range(4):
        put_works(database, SUBJECTS[n], around(directions(8)[n], EACH, n))
    assert night(database).laid_out == "anew"
    return database


@pytest.fixture
def objects(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


def test_every_work_of_a_topic_or_waiting_for_one_has_a_place(corpus: Database) -> None:
    found = places(corpus)
    assert len(found) == 4 * EACH
    again = night(corpus, 1)
    assert (again.laid_out, again.placed) == (None, 0) and places(corpus) == found


def test_a_night_places_what_is_new_and_moves_nothing_else(corpus: Database) -> None:
    before = places(corpus)
    gone = next(iter(before))
    remove(corpus, gone)
    new = put_works(corpus, SUBJECTS[1], around(directions(8)[1], 5, 99, spread=0.2), first=500)
    report = night(corpus, 1)
    after = places(corpus)
    assert (report.laid_out, report.placed) == (None, 5)
    assert {d: at for d, at in after.items() if d in before} == {d: at for d, at in before.items() if d != gone}
    topic = after[new[0]][0]
    home = np.mean([at[1:] for at in before.values() if at[0] == topic], axis=0)
    others = [np.mean([at[1:] for at in before.values() if at[0] == t], axis=0) for t in {at[0] for at in before.values()} - {topic, None}]
    for document in new:
        here = np.array(after[document][1:])
        assert np.linalg.norm(here - home) < min(np.linalg.norm(here - other) for other in others)


def test_works_of_a_topic_that_is_born_move_to_it_and_no_other_does(corpus: Database) -> None:
    first = put_works(corpus, SUBJECTS[6], around(directions(8)[6], 6, 50, spread=0.3))
    night(corpus, 1)
    before = places(corpus)
    assert {before[d][0] for d in first} == {None}, "they wait"
    second = put_works(corpus, SUBJECTS[6], around(directions(8)[6], 30, 51, spread=0.3), first=100)
    report = night(corpus, 2)
    after = places(corpus)
    assert report.laid_out is None and 30 <= report.placed <= 36
    born = {after[d][0] for d in first + second} - {None}
    assert len(born) == 1 and born.isdisjoint({at[0] for at in before.values()})
    assert {d: at for d, at in after.items() if d not in (*first, *second)} == {d: at for d, at in before.items() if d not in first}


def test_a_refit_keeps_the_map_and_a_corpus_that_doubles_gets_another(corpus: Database) -> None:
    before = places(corpus)
    put_works(corpus, SUBJECTS[1], around(directions(8)[1], 8, 77), first=700)
    report = night(corpus, 9)
    after = places(corpus)
    assert report.laid_out == "moved" and report.placed == 4 * EACH + 8
    steps = [np.hypot(after[d][1] - x, after[d][2] - y) for d, (_, x, y) in before.items()]
    assert report.median_move is not None and np.median(steps) == pytest.approx(report.median_move, abs=1e-4) and np.median(steps) < 0.1
    for n in range(4, 8):
        put_works(corpus, SUBJECTS[n], around(directions(8)[n], EACH + 5, n))
    assert night(corpus, 10).laid_out == "anew"


def test_a_run_killed_between_two_writes_is_finished_by_the_next(corpus: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    put_works(corpus, SUBJECTS[6], around(directions(8)[6], 36, 51, spread=0.3))
    real, calls = store.write_places, []

    def dies(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise Killed
        real(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("forge_assets.topics.map.follow.COMMIT", 10)
        patch.setattr(store, "write_places", dies)
        with pytest.raises(Killed):
            night(corpus, 1)
    assert len(places(corpus)) == 4 * EACH + 10
    assert night(corpus, 1).placed == 26 and len(places(corpus)) == 4 * EACH + 36
    again = follow(corpus, DAY)
    assert (again.laid_out, again.placed) == (None, 0)


def test_another_embedder_waits_for_its_first_fit(corpus: Database) -> None:
    with corpus.begin() as connection:
        connection.execute(sa.text("UPDATE embedder SET name = 'other'"))
    before = places(corpus)
    assert follow(corpus, DAY).placed == 0 and places(corpus) == before
    assert night(corpus, 1).laid_out == "anew"


def test_no_topics_no_map(database: Database, objects: FolderStore) -> None:
    assert follow(database) == Followed() and publish(database, objects) is None
    with pytest.raises(QueryError, match="no map has been drawn yet"):
        drawn(database)


def test_colours_stay_when_topics_come_and_go(corpus: Database) -> None:
    def given() -> dict[int, int]:
        return {head.topic_id: head.colour for head in store.heads(corpus) if head.colour is not None}

    before = given()
    assert len(before) == len(set(before.values())) == 4
    put_works(corpus, SUBJECTS[6], around(directions(8)[6], 36, 51, spread=0.3))
    night(corpus, 1)
    assert before.items() < given().items()


def test_picture_and_page_are_drawn_when_something_changed_and_the_old_ones_deleted(corpus: Database, objects: FolderStore) -> None:
    first = publish(corpus, objects)
    assert first is not None and first.drawn and first.figures["works"] == 4 * EACH
    again = publish(corpus, objects)
    assert again is not None and not again.drawn and again.page_key == first.page_key
    put_works(corpus, SUBJECTS[1], around(directions(8)[1], 2, 99, spread=0.2), first=500)
    night(corpus, 1)
    second = publish(corpus, objects)
    assert second is not None and second.drawn and second.state != first.state
    assert {info.key for info in objects.list(FOLDER)} == {second.page_key, second.image_key}
    with corpus.begin() as connection:
        connection.execute(sa.text("UPDATE work SET title = 'Another title' WHERE work_id = (SELECT work_id FROM work_place LIMIT 1)"))
    third = publish(corpus, objects)
    assert third is not None and third.drawn and third.page_key != second.page_key, "a title is part of what is shown"
    objects.delete(third.page_key)
    fourth = publish(corpus, objects)
    assert fourth is not None and fourth.page_key == third.page_key and objects.exists(third.page_key), "the same map, the same bytes"


def test_what_a_killed_drawing_left_is_deleted(corpus: Database, objects: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    real = objects.put

    def dies(key: str, data: bytes | Path, **options: object) -> object:
        if key.endswith(".png"):
            raise Killed
        return real(key, data, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(objects, "put", dies)
        with pytest.raises(Killed):
            publish(corpus, objects)
    assert latest(corpus) is None
    (left,) = [info.key for info in objects.list(FOLDER)]
    put_works(corpus, SUBJECTS[1], around(directions(8)[1], 2, 99, spread=0.2), first=500)
    night(corpus, 1)
    made = publish(corpus, objects)
    assert made is not None and {info.key for info in objects.list(FOLDER)} == {made.page_key, made.image_key} and made.page_key != left


def test_the_command_copies_page_and_picture(corpus: Database, forge_home: Path, tmp_path: Path) -> None:
    made = publish(corpus, FolderStore(forge_home / "objects"))
    html, png = tmp_path / "map.html", tmp_path / "map.png"
    told = CliRunner().invoke(forge, ["topics", "map", "--html", str(html), "--png", str(png)], catch_exceptions=False)
    assert told.exit_code == 0 and "220 works in 4 topics" in told.output and str(html) in told.output
    assert html.read_bytes().startswith(b"<!DOCTYPE html>") and png.read_bytes().startswith(b"\x89PNG")
    as_json = json.loads(CliRunner().invoke(forge, ["topics", "map", "--json"], catch_exceptions=False).output)
    assert made is not None and as_json["page"] == made.page_key and as_json["works"] == 220


def test_the_page_holds_what_is_shown_and_nothing_hostile_in_clear(corpus: Database) -> None:
    with corpus.begin() as connection:
        connection.execute(
            sa.text("UPDATE work SET title = :title WHERE work_id = (SELECT work_id FROM work_place ORDER BY work_id LIMIT 1)"),
            {"title": HOSTILE.replace("\u0000", "")},
        )
        connection.execute(sa.text("UPDATE topic SET label = :label, phrases = '[[\"</script>\", 1]]'"), {"label": HOSTILE[:40]})
    what = shown.read(corpus)
    html = page(what).decode()
    assert html == page(shown.read(corpus)).decode(), "the same bytes"
    assert "onerror" not in html and html.count("</script>") == 4 and "speech" not in html.partition("<script")[2].partition("</script>")[0]
    assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", html), "nothing is loaded from elsewhere"
    blocks = {name: zlib.decompress(base64.b64decode(text)) for name, text in re.findall(r'id="(meta|places|titles)">([^<]*)<', html)}
    meta, titles = json.loads(blocks["meta"]), blocks["titles"].decode().split("\n")[:-1]
    assert titles == what.titles and sum("onerror" in title for title in titles) == 1
    assert not any(c in title for title in titles for c in "\u202e\u2028\n\r")
    x, y, years = np.frombuffer(blocks["places"], "<u2").reshape(3, -1).astype(float)
    assert len(x) == meta["works"] == sum(count for _, count in meta["runs"]) == 4 * EACH and set(years) == {2020}
    flat = np.stack([x, y], axis=1)
    scale = np.ptp(what.positions, axis=0).max() / 65535
    assert np.allclose(flat * scale - (flat * scale).min(axis=0), what.positions - what.positions.min(axis=0), atol=scale)
    drawn_by = np.repeat([run[0] for run in meta["runs"]], [run[1] for run in meta["runs"]])
    ids = np.array([topic.topic_id for topic in what.topics] + [0])
    assert (ids[drawn_by] == what.topic_of).all()


def test_titles_are_one_line_without_what_cannot_be_seen() -> None:
    assert shown.one_line("a\u0000b\n c\u202e d\ud800 e\u2028f\ufeff") == "a b c d e f"
    assert shown.one_line("ا\u200cب") == "ا\u200cب", "joiners of scripts that need them stay"
    assert len(shown.one_line("x" * 1000)) == shown.LONGEST_TITLE


def test_the_densest_spot_is_where_most_works_lie() -> None:
    rng = np.random.default_rng(1)
    crowd, few = rng.normal(0.5, 0.01, (300, 2)), rng.uniform(-1, 1, (200, 2))
    x, y = shown.densest(np.concatenate([few, crowd]).astype(np.float32), 0.03)
    assert abs(x - 0.5) < 0.01 and abs(y - 0.5) < 0.01


def test_the_picture_shows_every_group_and_no_label_covers_another(corpus: Database) -> None:
    from PIL import Image, ImageDraw

    what = shown.read(corpus)
    made = Image.open(io.BytesIO(picture.picture(what)))
    assert made.size == (picture.SIDE + picture.LEGEND, picture.SIDE)
    pixels = np.asarray(made)[:, : picture.SIDE].reshape(-1, 3)
    for topic in what.topics:
        colour = np.array([int(topic.colour.light[n : n + 2], 16) for n in (1, 3, 5)])
        assert (np.abs(pixels - colour).max(axis=1) < 70).any(), f"no dot in the colour of {topic.label}"
    crowded = [
        shown.Entry(n, f"topic {n}", (f"name of topic {n}", "second line"), 10, None, what.topics[0].colour, x, x)
        for n, x in enumerate(np.linspace(-0.1, 0.1, 40))
    ]
    many = shown.Shown(what.topic_of, what.years, what.positions, what.titles, crowded, [])
    placed = picture.labels(ImageDraw.Draw(Image.new("RGB", (9, 9))), many, np.array([-1.0, -1.0]), 900.0)
    assert 3 < len(placed) < 40 and placed[0].text == "name of topic 0\nsecond line"
    for n, one in enumerate(placed):
        for other in placed[:n]:
            assert one.box[2] <= other.box[0] or other.box[2] <= one.box[0] or one.box[3] <= other.box[1] or other.box[3] <= one.box[1]
