"""A folder, file or bucket whose every file is a JSON-lines dump, whatever its name, with an optional field map."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, BinaryIO

from forge_assets.corpus.readers.feeds import iter_container
from forge_assets.corpus.sources.fields import at_path, mapped
from forge_assets.corpus.sources.interface import Listed, Listing
from forge_resources.errors import SourceError

LOOKED_AT = 1000
"""Records that are read when a source is added, to see whether the field map fits."""


@dataclass(frozen=True, slots=True)
class JsonLinesSource:
    """Lists what `files` lists, each file as a dump; a change of the field map counts as a change of every file."""

    files: Listing
    fields: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.files.name

    @property
    def address(self) -> str:
        return self.files.address

    def check(self) -> None:
        self.files.check()

    def list(self) -> Iterator[Listed]:
        mark = hashlib.sha256(json.dumps(self.fields, sort_keys=True).encode()).hexdigest()[:8]
        for item in self.files.list():
            yield replace(item, is_container=True, token=f"{item.token}:{mark}")

    def open(self, uri: str) -> BinaryIO:
        return self.files.open(uri)

    def record(self, record: dict[str, Any], data: bytes) -> tuple[bytes, dict[str, Any]]:
        """A record of a dump and its bytes, as they go on: with our fields added."""
        if not self.fields:
            return data, record
        made = mapped(record, self.fields)
        return json.dumps(made).encode(), made

    def check_fields(self) -> None:
        """Raises SourceError for a field of the map that none of the first records has."""
        if not self.fields:
            return
        missing, seen, count = dict(self.fields), dict[str, None](), 0
        for record in islice(self._records(), LOOKED_AT):
            count += 1
            seen.update(dict.fromkeys(list(record)[:30]))
            missing = {ours: path for ours, path in missing.items() if at_path(record, path) is None}
            if not missing:
                return
        if count:
            wrong = ", ".join(f"{ours}={path}" for ours, path in missing.items())
            raise SourceError(
                f"--field {wrong}: none of the first {count:,} records of {self.address} has it; "
                f"their fields are: {', '.join(list(seen)[:30])}"
            )

    def _records(self) -> Iterator[dict[str, Any]]:
        for item in self.list():
            if item.problem is None:
                with self.open(item.uri) as stream:
                    found = iter_container(stream, item.name, lines=True)
                    yield from (record for _, _, record in found if isinstance(record, dict))
