"""The resources as Dagster sees them: thin, configurable from the UI, opened when an asset first needs them."""

from __future__ import annotations

from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from forge_resources.database import Database
from forge_resources.embedder import Embedder, later_embedder
from forge_resources.language_model import LanguageModel, load_language_model
from forge_resources.object_store import ObjectStore, open_store
from forge_resources.settings import settings


class DatabaseResource(dg.ConfigurableResource[Any]):
    """Postgres with pgvector: the one of FORGE_DATABASE_URL, or the embedded one, started on first use."""

    _open: Database | None = PrivateAttr(default=None)

    def connect(self) -> Database:
        if self._open is None:
            self._open = Database.open(settings())
        return self._open

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


class ObjectStoreResource(dg.ConfigurableResource[Any]):
    """The folder or bucket of FORGE_OBJECT_STORE_URL."""

    def connect(self) -> ObjectStore:
        config = settings()
        return open_store(config.objects_url, config)


class EmbedderResource(dg.ConfigurableResource[Any]):
    """The embedding model of FORGE_EMBEDDER on the best device there is; loaded once per process, at the first text."""

    _loaded: Any = PrivateAttr(default=None)

    def load(self) -> Embedder:
        if self._loaded is None:
            self._loaded = later_embedder(settings())
        loaded: Embedder = self._loaded
        return loaded


class LanguageModelResource(dg.ConfigurableResource[Any]):
    """The language model of FORGE_LLM_BASE_URL, or None where none is configured; its budget counts from one execution to the next."""

    _loaded: LanguageModel | None = PrivateAttr(default=None)

    def load(self, database: Database) -> LanguageModel | None:
        """With a cache in this database."""
        if self._loaded is None:
            self._loaded = load_language_model(settings(), database)
        return self._loaded

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if self._loaded is not None:
            self._loaded.close()
            self._loaded = None
