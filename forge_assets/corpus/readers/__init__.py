"""Bytes of a document -> Parsed: tells what it truly is (bytes first, name second) and calls that format's reader.

Every way of failing comes out as DocumentProblem with a code of `problems.PROBLEMS`; no reader touches the network.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from forge_assets.corpus.metadata import arxiv_of_name
from forge_assets.corpus.model import Parsed
from forge_assets.corpus.problems import problem
from forge_assets.corpus.readers.limits import Limits
from forge_assets.corpus.readers.sniff import MEDIA_TYPES, Kind, sniff
from forge_resources.errors import DocumentProblem

Reader = Callable[[bytes, Kind, str, Limits], Parsed]

_MODULES: dict[str, str] = {
    "pdf": "paged:read_pdf",
    "image": "paged:read_image",
    "docx": "word:read_docx",
    "html": "webpage:read_html",
    "markdown": "markdown:read_markdown",
    "mdx": "markdown:read_markdown",
    "ipynb": "notebook:read_notebook",
    "atom": "atom:read_feed",
    "json": "jsondoc:read_json",
    "latex": "latex:read_latex",
    "eprint": "eprint:read_eprint",
    "bbl": "latex:read_bibliography",
    "subtitles": "plain:read_subtitles",
    "txt": "plain:read_plain",
    **dict.fromkeys(
        ("rst", "odt", "epub", "rtf", "jats", "docbook", "typst", "org", "asciidoc", "mediawiki", "textile"), "pandoc:read_pandoc"
    ),
}

READERS: dict[str, str] = {MEDIA_TYPES[key]: key for key in _MODULES}
"""Media type -> key of its reader."""


def read(data: bytes, name: str, limits: Limits | None = None) -> Parsed:
    """What the document says, in elements and metadata. `name` is a file name or address. Raises DocumentProblem."""
    limits = limits or Limits()
    limits.check_size(len(data), name)
    kind = sniff(data, name)
    try:
        parsed = _reader(kind.reader)(data, kind, name, limits)
    except DocumentProblem:
        raise
    except RecursionError:
        raise problem("unsafe", f"{name} is nested too deep to be read") from None
    except MemoryError:
        raise problem("too_large", f"{name} needs more memory than there is") from None
    except Exception as error:
        raise problem("broken", f"{name} cannot be read as {kind.media_type}: {type(error).__name__}: {str(error)[:300]}") from error
    if not any(element.text.strip() for element in parsed.elements):
        raise problem("no_text", f"{name} is sound {kind.media_type}, but holds no text")
    if ("arxiv" not in parsed.identifiers or name.startswith("arxiv:")) and (arxiv := arxiv_of_name(name)):
        parsed.identifiers["arxiv"] = arxiv
    return parsed


def _reader(key: str) -> Reader:
    module, _, function = _MODULES[key].partition(":")
    reader: Reader = getattr(importlib.import_module(f"{__name__}.{module}"), function)
    return reader
