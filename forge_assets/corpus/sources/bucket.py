"""All objects under an s3:// prefix as a source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from forge_assets.corpus.sources.folder import IGNORED_NAME, is_container
from forge_assets.corpus.sources.interface import Listed
from forge_resources.errors import ObjectMissing, ObjectStoreError, SourceError
from forge_resources.object_store import ObjectStore, open_store
from forge_resources.settings import Settings


@dataclass(frozen=True, slots=True)
class BucketSource:
    """All objects under an s3:// prefix; the etag is the mark of change."""

    name: str
    address: str
    settings: Settings
    _store: ObjectStore = field(init=False)

    def __post_init__(self) -> None:
        with self._named():
            object.__setattr__(self, "_store", open_store(self.address, self.settings))

    @contextmanager
    def _named(self) -> Iterator[None]:
        """What the store complains of, as a complaint about this source: the store's advice is for Forge's own bucket."""
        try:
            yield
        except ObjectStoreError as error:
            said = str(error).replace("FORGE_OBJECT_STORE_URL", "the address of the source")
            raise SourceError(f"source {self.name} ({self.address}): {said}") from None

    def check(self) -> None:
        with self._named():
            next(iter(self._store.list("")), None)

    def list(self) -> Iterator[Listed]:
        with self._named():
            for info in self._store.list(""):
                if info.key.endswith("/") or any(IGNORED_NAME.match(part) for part in info.key.split("/")):
                    continue
                try:
                    holds_records = is_container(info.key, partial(self._store.open, info.key))
                except ObjectMissing:
                    continue  # deleted while we list
                uri = f"{self.address.rstrip('/')}/{info.key}"
                yield Listed(uri, info.key, info.etag or str(info.size), info.size, None, holds_records)

    def open(self, uri: str) -> BinaryIO:
        return self._store.open(uri.removeprefix(f"{self.address.rstrip('/')}/"))
