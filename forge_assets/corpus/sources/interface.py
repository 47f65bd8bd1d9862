"""What every source of documents is: a Listing, which can always say all that it holds, or a Feed, which tells what changed.

A Listing (folder, bucket) is compared with the inventory as a whole. A Feed (arXiv, Hugging Face, a list of URLs) is asked for what is
new since a cursor, page by page; what it tells is kept in the table `harvested`, from which the inventory is brought up to date.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

IGNORED = r"^(\.|~\$|Thumbs\.db$|__pycache__$|node_modules$)"
"""Names that are no articles: hidden files, locks of editors, caches."""

Cursor = dict[str, Any]
"""Where a feed goes on: JSON that only its own connector understands."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as its source lists it; `token` changes whenever its bytes may have."""

    uri: str
    name: str
    token: str
    size: int
    problem: str | None = None
    is_container: bool = False


class Source(Protocol):
    """One place that holds documents. `check` raises SourceError when it cannot be reached, or when its address makes no sense."""

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str: ...

    def check(self) -> None: ...


class Listing(Source, Protocol):
    """A source that lists all it holds each time."""

    def list(self) -> Iterator[Listed]: ...

    def open(self, uri: str) -> BinaryIO: ...


@dataclass(frozen=True, slots=True)
class Found:
    """What a feed tells of one document.

    `external_id` is unique within the source and makes the document's address (`<source address>#<external_id>`); `token` changes
    whenever the document may have. `data` are its bytes where the feed's answer held them; otherwise `location` says where they
    are to be fetched (for `Feed.fetch`). `deleted`: the feed says that it is gone. `problem`: '<code>: <sentence>', it cannot be had.
    """

    external_id: str
    token: str
    data: bytes | None = None
    location: str | None = None
    deleted: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a feed. It is committed together with `cursor`, so a killed harvest goes on after its last whole page.

    `sweep` is the number of a full listing this page is part of, None for a page of changes. With `ends_sweep`, documents that no
    page of this sweep has named are gone from the source.
    """

    found: Sequence[Found]
    cursor: Cursor
    sweep: int | None = None
    ends_sweep: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """The bytes behind a location. `validator` (an ETag, a date) lets the next fetch ask whether they have changed; `data` is None
    where they have not. `gone`: the place says that the document exists no more (404, 410)."""

    data: bytes | None
    validator: str | None = None
    gone: bool = False


class Feed(Source, Protocol):
    """A source that tells what changed since `cursor` (None the first time: everything it is asked to hold).

    Both methods raise FetchError (`transient` says whether another night may help), `fetch` also DocumentProblem for a document that
    can never be had. They wait as long as politeness demands, and ask again where the server says when.
    """

    @property
    def fetches_per_run(self) -> int: ...

    def changes(self, cursor: Cursor | None) -> Iterator[Page]: ...

    def fetch(self, external_id: str, location: str, validator: str | None) -> Fetched: ...
