"""Answers by what was asked, in Postgres: what was paid for once is not asked again, by any run of any machine."""

from __future__ import annotations

import re
from dataclasses import replace

import sqlalchemy as sa

from forge_resources.database import Database
from forge_resources.language_model.interface import Answer

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
COLUMNS = "text, finish, form, prompt_tokens, completion_tokens"


class AnswerCache:
    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> Answer | None:
        """The answer, with `cached` set; its tokens are those it took when it was asked."""
        with self._database.begin() as connection:
            row = connection.execute(sa.text(f"SELECT {COLUMNS} FROM language_model_answer WHERE key = :key"), {"key": key}).one_or_none()
        return Answer(row.text, row.finish, row.form, row.prompt_tokens, row.completion_tokens, cached=True) if row else None

    def put(self, key: str, model: str, answer: Answer) -> Answer:
        """Stores it and returns it as it will be read again; an answer that was there first stays."""
        fit = replace(answer, text=None if answer.text is None else _UNSTORABLE.sub("\ufffd", answer.text))
        values = {column: getattr(fit, column) for column in COLUMNS.split(", ")}
        with self._database.begin() as connection:
            connection.execute(
                sa.text(
                    f"INSERT INTO language_model_answer (key, model, {COLUMNS}) VALUES (:key, :model, :text, :finish, :form,"
                    " :prompt_tokens, :completion_tokens) ON CONFLICT (key) DO NOTHING"
                ),
                {"key": key, "model": _UNSTORABLE.sub("\ufffd", model), **values},
            )
        return fit
