"""Where pages lie in the site, and which addresses of documents may be linked to."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from urllib.parse import urlsplit

_SAFE = re.compile(r"[a-z0-9][a-z0-9._-]{0,120}\Z", re.I)


def safe(name: str) -> str:
    """A name as a file may be called, the same for the same name."""
    return name if _SAFE.match(name) and not name.endswith(".") else hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:24]


def file_of(page: str) -> str:
    """The file of a page id, below its volume's folder; `index` is the volume's own page."""
    slug = safe(page.split("/", 1)[-1])
    return f"{'page-index' if slug.lower() == 'index' else slug}.html"


def way(here: str, page: str) -> str:
    """The address of a page as seen from a page of the volume `here`."""
    volume = page.split("/", 1)[0]
    return file_of(page) if volume == here else f"../{safe(volume)}/{file_of(page)}"


@lru_cache(maxsize=1 << 14)
def link(url: str | None) -> str | None:
    """The address of a source where a browser may be led there: http and https, with a host."""
    if url is None or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None
