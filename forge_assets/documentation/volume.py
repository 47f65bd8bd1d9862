"""A volume as data: what `volume.json` holds, and all that the Markdown, the site and the PDF are made of.

volume > pages > blocks > sentences or cells > citations. A citation is an anchor in one document: character offsets into its text
and the SHA-256 of the characters between them, so that whoever has the documents can check it without Forge.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT: Literal["forge-volume/1"] = "forge-volume/1"

PageKind = Literal[
    "component",
    "candidate",
    "comparison",
    "survey",
    "guide",
    "timeline",
    "parameters",
    "problems",
    "glossary",
    "counts",
    "bibliography",
    "overview",
]
Role = Literal["definition", "mechanism", "parameter", "result", "comparison", "limitation"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Citation(_Strict):
    """`text[start:end]` of the document `document_id` is `quote`; offsets are Python string indices."""

    document_id: str
    passage_id: str | None = None
    start: int = Field(ge=0)
    end: int = Field(gt=0)
    quote: str
    quote_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the quote's UTF-8 bytes."""


class Sentence(_Strict):
    """One statement and what it stands on. `verbatim`: the text is the first citation's quote; else a model rewrote it."""

    text: str
    citations: tuple[Citation, ...]
    role: Role | None = None
    origin: Literal["verbatim", "rewritten"] = "verbatim"
    language: str | None = None
    """ISO 639-1 of the document; None: English."""


class Paragraph(_Strict):
    kind: Literal["paragraph"] = "paragraph"
    sentences: tuple[Sentence, ...]


class Heading(_Strict):
    """A section's title inside a page; 2 or 3, the page's own title is 1."""

    kind: Literal["heading"] = "heading"
    level: Literal[2, 3] = 2
    text: str


DISAGREE = "sources disagree: "
"""How the text of a cell begins whose sources give different values; what has a sign of its own for that leaves it out."""


class Cell(_Strict):
    """A table's cell: a value read out of the citations, a link to a page (`page`: its id, of any volume), or a computed figure.

    `disagree`: sources give different values; all of them stand in `text`, each with its citation, and none is averaged.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    page: str | None = None
    disagree: bool = False

    @property
    def values(self) -> str:
        """The text without what says that sources disagree."""
        return self.text.removeprefix(DISAGREE) if self.disagree else self.text


class Table(_Strict):
    """`caption` says what the rows are; `note` how a figure was counted. Every row has as many cells as there are columns."""

    kind: Literal["table"] = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


class Figure(_Strict):
    """A drawing as SVG without scripts; `alt` says in words what it shows, `dot` is the source it was drawn of where there is one."""

    kind: Literal["figure"] = "figure"
    caption: str
    alt: str
    svg: str
    dot: str = ""


class Code(_Strict):
    """Generated text, such as a file of the hierarchy; it makes no claim of its own."""

    kind: Literal["code"] = "code"
    caption: str
    language: str
    text: str


class Note(_Strict):
    """What Forge itself says about the page: what was looked for, what is missing. Never a claim about the subject."""

    kind: Literal["note"] = "note"
    text: str
    tone: Literal["plain", "warning"] = "plain"


class Links(_Strict):
    """Pages that belong to this one: (page id, title)."""

    kind: Literal["links"] = "links"
    title: str
    pages: tuple[tuple[str, str], ...]


Block = Annotated[Paragraph | Heading | Table | Figure | Code | Note | Links, Field(discriminator="kind")]


class Page(_Strict):
    """`id` is `<volume>/<slug>`, stable over nights; `sha256` of everything the page says, which approvals attach to."""

    id: str
    kind: PageKind
    title: str
    summary: str = ""
    """One line for lists and search results, made of counts and names only."""
    sources: int = Field(ge=0)
    """Distinct works cited."""
    blocks: tuple[Block, ...]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Source(_Strict):
    """A document that the volume cites. `url` is where a reader finds it (http or https), None where it has no public address."""

    document_id: str
    work_id: str
    title: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str = ""
    url: str | None = None
    licence: str = ""
    language: str = "en"
    bibtex_key: str


class Missing(_Strict):
    """What would have had a page and does not reach the floor of evidence."""

    name: str
    reason: str


class Volume(_Strict):
    format: Literal["forge-volume/1"] = FORMAT
    id: str
    title: str
    kind: Literal["overview", "slot", "topic"]
    state: str
    """The state of the evidence that it was made of; equal state, equal bytes."""
    pages: tuple[Page, ...]
    sources: tuple[Source, ...]
    missing: tuple[Missing, ...] = ()
