"""OAI-PMH 2.0, the harvesting protocol of repositories: requests, answers page by page, errors by their code.

XML is parsed without DTD, entities or network; what is no sound answer is a transient FetchError, so a harvest goes on from its cursor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from forge_resources.errors import DocumentProblem, FetchError

if TYPE_CHECKING:
    from forge_resources.http_client import HttpClient

NAMESPACE = "{http://www.openarchives.org/OAI/2.0/}"
PAGE_BYTES = 100_000_000
ASKS = 3
"""Times a page is asked for when what comes back is no XML; HTTP failures are repeated by the client itself."""
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#(?:0*(?:[0-8]|1[124-9]|2\d|3[01])|x0*(?:[0-8bcef]|1[0-9a-f]));", re.I)
"""What XML 1.0 forbids and abstracts typed long ago hold nevertheless."""


class OaiFault(Exception):
    """An error condition of the protocol; `code` is badResumptionToken, noRecordsMatch, badArgument, ..."""

    def __init__(self, code: str, message: str, response_date: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.response_date = response_date


@dataclass(frozen=True, slots=True)
class OaiRecord:
    """`metadata` is the lxml element within <metadata>, None where the record is deleted."""

    identifier: str
    datestamp: str
    deleted: bool
    metadata: Any


@dataclass(frozen=True, slots=True)
class OaiPage:
    """One answer of ListRecords; `token` is None on the last page, `size` the length of the whole list where the server tells it."""

    response_date: str
    records: Sequence[OaiRecord]
    token: str | None
    size: int | None


def list_records(client: HttpClient, endpoint: str, arguments: Mapping[str, str]) -> OaiPage:
    """A page of records; `arguments` are {"resumptionToken": ...} alone, or metadataPrefix, set, from, until.

    Raises OaiFault for an error condition, FetchError for everything else.
    """
    for ask in range(1, ASKS + 1):
        try:
            answer = client.get(endpoint, params={"verb": "ListRecords", **arguments}, limit=PAGE_BYTES)
        except DocumentProblem as problem:
            raise FetchError(f"{endpoint}: a page of records is too large: {problem}", transient=False) from None
        try:
            return parse(answer.data, endpoint)
        except FetchError as error:
            if not error.transient or ask == ASKS:
                raise
    raise AssertionError("unreachable")


def parse(data: bytes, endpoint: str) -> OaiPage:
    """Raises OaiFault, or a transient FetchError where the bytes are no whole answer of the protocol."""
    from lxml import etree  # type: ignore[import-untyped]

    safe = {"resolve_entities": False, "no_network": True, "huge_tree": False, "load_dtd": False}
    parser = etree.XMLParser(**safe, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(_CONTROLS.sub(b"", data), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _garbage(endpoint, f"no whole XML ({str(error)[:200]})") from None
    if root.getroottree().docinfo.doctype:
        raise _garbage(endpoint, "XML with a document type, which the protocol does not have")
    if root.tag != f"{NAMESPACE}OAI-PMH":
        raise _garbage(endpoint, f"XML with the root {str(root.tag)[:100]}, expected OAI-PMH")
    fault, response_date = root.find(f"{NAMESPACE}error"), text_of(root, "responseDate")
    if fault is not None:
        raise OaiFault(fault.get("code", ""), " ".join((fault.text or "").split()), response_date)
    listed = root.find(f"{NAMESPACE}ListRecords")
    if listed is None or not is_date(response_date[:10]):
        raise _garbage(endpoint, "an answer without ListRecords or without the date of the response")
    token = listed.find(f"{NAMESPACE}resumptionToken")
    size = (token.get("completeListSize") or "") if token is not None else ""
    return OaiPage(
        response_date,
        [_record(element, endpoint) for element in listed.findall(f"{NAMESPACE}record")],
        ((token.text or "").strip() or None) if token is not None else None,
        int(size) if size.isdecimal() else None,
    )


def _record(element: Any, endpoint: str) -> OaiRecord:
    header = element.find(f"{NAMESPACE}header")
    identifier, datestamp = (text_of(header, name) for name in ("identifier", "datestamp")) if header is not None else ("", "")
    if not identifier or not is_date(datestamp[:10]):
        raise _garbage(endpoint, "a record without identifier or date")
    metadata = element.find(f"{NAMESPACE}metadata")
    inside = next(iter(metadata), None) if metadata is not None else None
    deleted = header.get("status") == "deleted"
    if inside is None and not deleted:
        raise _garbage(endpoint, f"the record {identifier} without metadata")
    return OaiRecord(identifier, datestamp, deleted, None if deleted else inside)


def text_of(element: Any, name: str, namespace: str = NAMESPACE) -> str:
    """The text of a child with all that stands in it, "" where there is none."""
    child = element.find(f"{namespace}{name}")
    return "".join(child.itertext()).strip() if child is not None else ""


def is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def day_before(day: str) -> str:
    """'2026-01-01T10:00:00Z' or '2026-01-01' -> '2025-12-31'."""
    return (date.fromisoformat(day[:10]) - timedelta(days=1)).isoformat()


def _garbage(endpoint: str, what: str) -> FetchError:
    return FetchError(f"{endpoint} answered with {what}; what came before is kept, a later run asks again", transient=True)
