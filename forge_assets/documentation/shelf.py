"""The volumes as they stand in the object store, and what is made of them: the site under FORGE_HOME, books beside their volumes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa
from pydantic import ValidationError

from forge_assets.documentation.build import key_of
from forge_assets.documentation.site.build import SiteReport, build_site
from forge_assets.documentation.volume import Volume
from forge_resources.database import Database
from forge_resources.errors import QueryError
from forge_resources.object_store import ObjectStore

IDS = "SELECT volume FROM doc_volume ORDER BY CASE kind WHEN 'overview' THEN 0 WHEN 'slot' THEN 1 ELSE 2 END, volume"


def ids(db: Database) -> list[str]:
    with db.begin() as connection:
        return list(connection.execute(sa.text(IDS)).scalars())


def read(data: bytes, where: str) -> Volume:
    """A volume out of its file. Raises QueryError with the first thing that is wrong, for a file may have been edited by hand."""
    try:
        return Volume.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise QueryError(f"{where} is no volume: {place}: {first['msg']} ({error.error_count()} such faults)") from None


def volume(objects: ObjectStore, id_: str) -> Volume:
    if objects.stat(key_of(id_)) is None:
        raise QueryError(f"there is no volume {id_!r}; `forge docs list` names those that are, `forge docs build` makes them")
    return read(objects.get(key_of(id_)), f"volume {id_}")


def volumes(db: Database, objects: ObjectStore) -> Iterator[Volume]:
    """One after the other, the overview first: a large one takes some hundred megabytes of memory."""
    for id_ in ids(db):
        if objects.stat(key_of(id_)) is not None:
            yield volume(objects, id_)


def make_site(db: Database, objects: ObjectStore, home: Path, say: Callable[[str], None] = lambda text: None) -> SiteReport:
    """Brings the site up to the volumes; those that are unchanged cost a look."""
    with db.advisory_lock("forge.doc_site"):
        with db.begin() as connection:
            known = set(connection.execute(sa.text("SELECT page FROM doc_page")).scalars())
        return build_site(volumes(db, objects), site_folder(home), known, say)


def site_folder(home: Path) -> Path:
    return home / "site"


def pdf_key(id_: str) -> str:
    return f"volumes/{id_}/{id_}.pdf"


def make_pdf(objects: ObjectStore, id_: str) -> bytes:
    """The book of a volume, out of the store where it is of this very volume."""
    from forge_assets.documentation.print.build import PRINT_VERSION, pdf

    state_key = f"volumes/{id_}/pdf.state"
    data = objects.get(key_of(id_)) if objects.stat(key_of(id_)) is not None else b""
    made = volume(objects, id_)
    state = hashlib.sha256(PRINT_VERSION.encode() + data).hexdigest().encode()
    if objects.stat(state_key) is not None and objects.get(state_key) == state and objects.stat(pdf_key(id_)) is not None:
        return objects.get(pdf_key(id_))
    book = pdf(made)
    objects.put(pdf_key(id_), book, media_type="application/pdf")
    objects.put(state_key, state, media_type="text/plain")
    return book


def mkdocs(title: str, pages: list[Volume]) -> str:
    """mkdocs.yml for the Markdown tree: all volumes with their pages, by any of MkDocs' themes."""
    import yaml  # type: ignore[import-untyped]

    nav = [{one.title: [{"Contents": f"{one.id}/markdown/index.md"}, *(
        {page.title: f"{one.id}/markdown/{page.id.split('/', 1)[1]}.md"} for page in one.pages)]} for one in pages]  # fmt: skip
    settings = {"site_name": title, "docs_dir": "volumes", "use_directory_urls": False, "theme": {"name": "material", "font": False},
                "plugins": ["search"], "markdown_extensions": ["footnotes", "tables", "fenced_code"], "nav": nav}  # fmt: skip
    return str(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True, width=140))
