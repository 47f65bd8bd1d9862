"""Documents leave their works without leaving torn ones behind: in the same transaction a work without members goes, and one that lost
its main document names its fullest member instead. What else the change means for works, the next joining finds out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

EMPTY = """DELETE FROM work w WHERE w.work_id = ANY(:works)
    AND NOT EXISTS (SELECT FROM work_document m WHERE m.work_id = w.work_id)"""
HEADLESS = """UPDATE work w SET main_document = best.document_id, title = best.title
    FROM (SELECT DISTINCT ON (m.work_id) m.work_id, d.document_id, d.title FROM work_document m JOIN document d USING (document_id)
          WHERE m.work_id = ANY(:works) ORDER BY m.work_id, length(d.text) DESC, d.document_id) AS best
    WHERE w.work_id = best.work_id
      AND NOT EXISTS (SELECT FROM work_document m WHERE m.work_id = w.work_id AND m.document_id = w.main_document)"""


@contextmanager
def whole_works(connection: sa.Connection, condition: str, values: dict[str, Any]) -> Iterator[None]:
    """The block deletes the documents `d` that meet the condition; at its end their works are whole again.

    A joining that runs is waited for, before the documents are touched, so that the two cannot block each other.
    """
    works: list[Any] = []
    if connection.execute(sa.text(f"SELECT EXISTS (SELECT FROM document d WHERE {condition})"), values).scalar_one():
        connection.execute(sa.text("LOCK TABLE work IN ROW EXCLUSIVE MODE"))
        statement = f"SELECT DISTINCT work_id FROM work_document JOIN document d USING (document_id) WHERE {condition}"
        works = list(connection.execute(sa.text(statement), values).scalars())
    yield
    if works:
        for statement in (EMPTY, HEADLESS):
            connection.execute(sa.text(statement), {"works": works})
