"""Where Forge keeps bytes: a folder (default) or an S3 bucket behind one interface.

In: keys like 'raw/<sha256>' and bytes or files. Out: `ObjectInfo` and verified bytes.
Raises ObjectMissing, ObjectExists, or ObjectStoreError with one sentence without secrets.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from forge_resources.errors import SettingError
from forge_resources.object_store.folder import FolderStore
from forge_resources.object_store.interface import ObjectInfo, ObjectStore, raw_key
from forge_resources.object_store.s3 import S3Store
from forge_resources.settings import Settings, settings

__all__ = ["FolderStore", "ObjectInfo", "ObjectStore", "S3Store", "open_store", "raw_key"]


def open_store(url: str | None = None, given: Settings | None = None) -> ObjectStore:
    """The store at `url`: s3://bucket/prefix, a folder, or file://folder; by default the one of the settings."""
    chosen = given or settings()
    address = url or chosen.objects_url
    parts = urlsplit(address)
    if parts.scheme == "s3":
        if not parts.netloc:
            raise SettingError(f"{address!r} names no bucket; expected s3://bucket or s3://bucket/prefix")
        return S3Store(parts.netloc, address.split("://", 1)[1].partition("/")[2], chosen.s3_endpoint)
    if parts.scheme == "file":
        return FolderStore(Path(parts.path))
    if "://" in address:
        raise SettingError(f"object stores are a folder or s3://bucket/prefix; FORGE_OBJECT_STORE_URL begins with {parts.scheme}://")
    return FolderStore(Path(address).expanduser().absolute())
