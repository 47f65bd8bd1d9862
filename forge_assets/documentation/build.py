"""evidence -> sentences -> plans of volumes -> pages that are new or changed -> volumes in the object store.

A page is made again only where the state of its evidence is another; else it is taken over from the volume as it stands, byte for byte. A
volume that comes out as it is stays untouched.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from forge_assets.components.ontology import load_ontology
from forge_assets.components.ontology.model import Ontology
from forge_assets.documentation import markdown, paged
from forge_assets.documentation.bibtex import bibtex
from forge_assets.documentation.citing import cited, sources
from forge_assets.documentation.collect import collect
from forge_assets.documentation.drafts import digest_of
from forge_assets.documentation.overview_volume import VOLUME as OVERVIEW
from forge_assets.documentation.overview_volume import OverviewVolume
from forge_assets.documentation.plans import Plan, VolumePlan, volume_of
from forge_assets.documentation.rewrite.keep import is_rewritten, with_rewrites
from forge_assets.documentation.slot_pages import bibliography
from forge_assets.documentation.slot_volume import SlotVolume
from forge_assets.documentation.topic_volume import TopicVolume
from forge_assets.documentation.topic_volume import groups as topics
from forge_assets.documentation.verify.content import Names
from forge_assets.documentation.verify.names import names_of
from forge_assets.documentation.volume import Page, Volume
from forge_resources.database import Database
from forge_resources.errors import QueryError
from forge_resources.object_store import ObjectStore

LOCK = "forge.doc_volumes"
NEAREST = 5


@dataclass(slots=True)
class BuildReport:
    """`volumes` looked at, `written` of them anew; `pages` in them, `made` of those anew; `missing`: what lacks evidence for a page.

    `states` and `counts` (of pages) by volume.
    """

    volumes: int = 0
    written: int = 0
    pages: int = 0
    made: int = 0
    missing: int = 0
    sources: int = 0
    sentences_read: int = 0
    seconds: float = 0.0
    states: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    works: int = 0
    """In the corpus."""
    floor: int = 0
    """Works whose sentences the page of a component needs."""
    components: int = 0
    """Components and candidates that have a page."""
    nearest: list[tuple[str, str]] = field(default_factory=list)
    """Of those without a page the ones with the most evidence, and what they lack."""

    @property
    def state(self) -> str:
        return hashlib.sha256(repr(sorted(self.states.items())).encode()).hexdigest()[:32]


def key_of(volume: str) -> str:
    """Where a volume lies in the object store."""
    return f"volumes/{volume}/volume.json"


def read_volume(objects: ObjectStore, volume: str) -> Volume | None:
    """The volume as it stands; None where there is none, or one that this code cannot read."""
    if objects.stat(key_of(volume)) is None:
        return None
    try:
        return Volume.model_validate_json(objects.get(key_of(volume)))
    except ValueError:
        return None


def build(
    db: Database,
    objects: ObjectStore,
    overrides: Path | None,
    lexical: Path | None = None,
    only: Collection[str] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> BuildReport:
    """Brings the volumes up to the evidence. `only`: ids of volumes; all by default. Raises QueryError for a volume that cannot be."""
    started, report, ontology = time.monotonic(), BuildReport(), load_ontology(overrides)
    names = cache(lambda: names_of(ontology))
    with db.advisory_lock(LOCK):
        report.sentences_read = collect(db, ontology, lexical, say).read
        floors = paged.floors(db)
        known = paged.evidence(db, floors.subject)
        _tell_floor(ontology, floors, known, report)
        for plan in plans(db, ontology, only, floors, known):
            _bind(db, objects, plan, report, names)
            say(f"{plan.id}: {len(plan.pages)} pages, {len(plan.missing)} without enough evidence")
    report.seconds = time.monotonic() - started
    return report


def _tell_floor(ontology: Ontology, floors: paged.Floors, known: Mapping[str, paged.Evidence], report: BuildReport) -> None:
    report.works, report.floor = floors.works, floors.subject
    lacking = [(one, id_, reason) for id_, one in known.items() if (reason := paged.lacks(id_, one, floors.subject))]
    report.components = len(known) - len(lacking)
    best = sorted(lacking, key=lambda row: (-row[0].works, row[1]))[:NEAREST]
    report.nearest = [(ontology.components[id_].name if id_ in ontology.components else id_, reason) for _, id_, reason in best]


def volume_ids(db: Database, ontology: Ontology) -> list[str]:
    """All volumes that can be: a slot each, a coarse topic each, and the overview, which tells of the others and comes last."""
    return [*(volume_of(slot) for slot in ontology.slots), *topics(db), OVERVIEW]


def plans(
    db: Database, ontology: Ontology, only: Collection[str] | None, floors: paged.Floors, known: dict[str, paged.Evidence]
) -> Iterator[VolumePlan]:
    known_ids = volume_ids(db, ontology)
    if unknown := sorted(set(only or ()) - set(known_ids)):
        raise QueryError(f"no volume is called {unknown[0]!r}; the volumes are: {', '.join(known_ids)}")
    pages = paged.pages(known, floors.subject)
    chosen = set(known_ids if only is None else only)
    for slot in ontology.slots:
        if volume_of(slot) in chosen:
            yield SlotVolume(db, ontology, slot, known, pages, floors).plan()
    for volume, (group, label) in topics(db).items():
        if volume in chosen:
            yield TopicVolume(db, ontology, volume, group, label, pages, floors.together).plan()
    if OVERVIEW in chosen:
        yield OverviewVolume(db, ontology, pages, floors).plan()


def _bind(db: Database, objects: ObjectStore, plan: VolumePlan, report: BuildReport, names: Callable[[], Names]) -> None:
    with db.begin() as connection:
        rows = connection.execute(sa.text("SELECT page, state FROM doc_page WHERE volume = :volume"), {"volume": plan.id})
        states = {row.page: row.state for row in rows}
    before = read_volume(objects, plan.id)
    standing = {page.id: page for page in before.pages} if before else {}
    rewritten = {id_ for id_, page in standing.items() if is_rewritten(page)}
    pages: list[Page] = []
    for one in plan.pages:
        if states.get(one.id) == one.state and one.id in standing:
            pages.append(standing[one.id])
        else:
            made = one.make().page()
            pages.append(with_rewrites(made, standing[one.id], names()) if one.id in rewritten else made)
            report.made += 1
    volume = _volume(db, plan, pages, report)
    data = volume.model_dump_json(indent=1).encode() + b"\n"
    if before is None or before.state != volume.state or objects.get(key_of(plan.id)) != data:
        write_files(objects, before, volume)
        objects.put(key_of(plan.id), data, media_type="application/json")  # last: what lies beside it is whole by then
        report.written += 1
    _record(db, plan, volume, hashlib.sha256(data).hexdigest())
    report.volumes += 1
    report.pages += len(pages)
    report.missing += len(plan.missing)
    report.sources += len(volume.sources)
    report.states[plan.id], report.counts[plan.id] = volume.state, len(pages)


def _volume(db: Database, plan: VolumePlan, pages: list[Page], report: BuildReport) -> Volume:
    documents = {one.document_id for page in pages for one in cited(page.blocks)}
    there = tuple(sources(db, documents))
    if there:
        page = bibliography(plan.id, plan.title, there).page()
        plan.pages.append(Plan(page.id, page.sha256[:32], lambda: bibliography(plan.id, plan.title, there)))
        pages.append(page)
    state = digest_of([
        plan.title, [(one.id, one.state) for one in plan.pages], [one.model_dump() for one in plan.missing],
        [one.model_dump() for one in there],
    ])[:32]  # fmt: skip
    return Volume(id=plan.id, title=plan.title, kind=plan.kind, state=state, pages=tuple(pages), sources=there, missing=tuple(plan.missing))


def write_files(objects: ObjectStore, before: Volume | None, volume: Volume) -> None:
    """Markdown and BibTeX, those files that are new or other than before; what the volume has no more goes."""
    now = _files(volume)
    old = _files(before) if before else {}
    for name, text in now.items():
        if old.get(name) != text or objects.stat(f"volumes/{volume.id}/{name}") is None:
            objects.put(f"volumes/{volume.id}/{name}", text.encode(), media_type="text/plain; charset=utf-8")
    for name in old.keys() - now.keys():
        objects.delete(f"volumes/{volume.id}/{name}")


def _files(volume: Volume) -> dict[str, str]:
    return {f"markdown/{name}": text for name, text in markdown.files(volume)} | {"bibliography.bib": bibtex(volume.sources)}


def _record(db: Database, plan: VolumePlan, volume: Volume, digest: str) -> None:
    states = {one.id: one.state for one in plan.pages}
    rows = [
        {"page": page.id, "volume": plan.id, "kind": page.kind, "title": page.title, "state": states[page.id], "sha256": page.sha256,
         "sources": page.sources}
        for page in volume.pages
    ]  # fmt: skip
    with db.begin() as connection:
        connection.execute(
            sa.text("DELETE FROM doc_page WHERE volume = :volume AND page <> ALL(:pages)"),
            {"volume": plan.id, "pages": [row["page"] for row in rows]},
        )
        if rows:
            connection.execute(
                sa.text("""INSERT INTO doc_page (page, volume, kind, title, state, sha256, sources)
                    VALUES (:page, :volume, :kind, :title, :state, :sha256, :sources)
                    ON CONFLICT (page) DO UPDATE SET kind = excluded.kind, title = excluded.title, state = excluded.state,
                        sha256 = excluded.sha256, sources = excluded.sources, made_at = now()
                    WHERE doc_page.state <> excluded.state OR doc_page.sha256 <> excluded.sha256"""),
                rows,
            )
        connection.execute(
            sa.text("""INSERT INTO doc_volume (volume, kind, title, state, digest, pages, sources, missing)
                VALUES (:volume, :kind, :title, :state, :digest, :pages, :sources, :missing)
                ON CONFLICT (volume) DO UPDATE SET kind = excluded.kind, title = excluded.title, state = excluded.state,
                    digest = excluded.digest, pages = excluded.pages, sources = excluded.sources,
                    missing = excluded.missing, made_at = now()
                WHERE doc_volume.digest <> excluded.digest OR doc_volume.state <> excluded.state"""),
            {"volume": plan.id, "kind": plan.kind, "title": plan.title, "state": volume.state, "digest": digest, "pages": len(rows),
             "sources": len(volume.sources), "missing": len(volume.missing)},
        )  # fmt: skip
