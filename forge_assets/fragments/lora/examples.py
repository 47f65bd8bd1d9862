"""A question with a cited answer: what it is made of, how a model sees it, and how it stands in instructions.jsonl.

A reader of the files needs nothing of Forge: `instructions.schema.json` lies beside them.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from forge_resources.errors import FragmentError

Kind = Literal["passages", "claims", "values", "card", "spec", "unanswered"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TITLES: Mapping[Kind, str] = {
    "passages": "a question about a component, answered by sentences of the corpus",
    "claims": "how two components stand to each other, answered by the sentence that says so",
    "values": "which values works state for a parameter of a component",
    "card": "what a component is and which work introduced it",
    "spec": "which value the blueprint's spec sets, with the places it rests on",
    "unanswered": "a question that the sources given do not answer",
}
TRAINED, HELD_OUT, SCHEMA = "instructions.jsonl", "held_out.jsonl", "instructions.schema.json"
FEWEST = 8
"""Examples to train on, and one that is held out: with less there is nothing to learn or to measure."""
ASK = "Answer from the sources and cite them as [n]."
_SOURCE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["number", "document", "title", "start", "end", "quote"],
    "properties": {
        "number": {"type": "integer", "minimum": 1},
        "document": {"type": "string", "minLength": 1, "description": "address of the document, or forge:ontology#component"},
        "title": {"type": ["string", "null"]},
        "start": {"type": ["integer", "null"], "minimum": 0, "description": "first character in the document's text"},
        "end": {"type": ["integer", "null"], "minimum": 1, "description": "one past the last character"},
        "quote": {"type": "string", "minLength": 1, "description": "what stands there, white space made even"},
    },
}
JSON_SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A question with a cited answer",
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "kind", "component", "question", "answer", "sources", "origin", "held_out"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
        "kind": {"enum": list(KINDS)},
        "component": {"type": "string", "minLength": 1},
        "question": {"type": "string", "minLength": 1},
        "answer": {"type": "string", "minLength": 1, "description": "cites sources as [n]"},
        "sources": {"type": "array", "minItems": 1, "items": _SOURCE},
        "origin": {"type": "string", "minLength": 1},
        "held_out": {"type": "boolean"},
    },
}


@dataclass(frozen=True, slots=True)
class Source:
    """`quote` is text[start:end] of the document, its white space made even; a whole document, or an entry of the ontology, has no span."""

    number: int
    document: str
    title: str | None
    start: int | None
    end: int | None
    quote: str


@dataclass(frozen=True, slots=True)
class Example:
    """`origin`: what it was derived from. `held_out`: measured by, never trained on; no component, work or sentence is on both sides."""

    kind: Kind
    component: str
    question: str
    answer: str
    sources: tuple[Source, ...]
    origin: str
    held_out: bool

    @property
    def id(self) -> str:
        """16 hex digits of what is asked, given and answered."""
        told = json.dumps([self.question, self.answer, [[one.document, one.quote] for one in self.sources]], ensure_ascii=False)
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def prompt(self) -> str:
        """What a user, or the search before the model, asks: the numbered sources and the question."""
        given = "\n".join(f"[{one.number}] {one.quote}" for one in self.sources)
        return f"{ASK}\n{given}\nQuestion: {self.question}"

    def messages(self) -> list[dict[str, str]]:
        return [{"role": "user", "content": self.prompt}, {"role": "assistant", "content": self.answer}]

    def row(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {"id": self.id, **asdict(self), "sources": [asdict(one) for one in self.sources]}


def write_examples(folder: Path, examples: Sequence[Example]) -> None:
    """instructions.jsonl, held_out.jsonl and their schema. Raises FragmentError where there are too few."""
    sides = {TRAINED: [one for one in examples if not one.held_out], HELD_OUT: [one for one in examples if one.held_out]}
    if len(sides[TRAINED]) < FEWEST or not sides[HELD_OUT]:
        raise FragmentError(
            f"the corpus gives {len(sides[TRAINED])} questions to train on and {len(sides[HELD_OUT])} to measure by; "
            f"expected {FEWEST} and 1: add sources (`forge source add FOLDER`), `forge run component_catalog`, and build again"
        )
    for name, some in sides.items():
        lines = (json.dumps(one.row(), ensure_ascii=False, sort_keys=True) + "\n" for one in some)
        (folder / name).write_text("".join(lines), encoding="utf-8")
    (folder / SCHEMA).write_text(json.dumps(JSON_SCHEMA, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_examples(folder: Path) -> list[Example]:
    """Both files, those to train on first. Raises FragmentError for a line that is not of the schema."""
    return [one for name in (TRAINED, HELD_OUT) for one in _read(folder / name, held_out=name == HELD_OUT)]


def _read(path: Path, *, held_out: bool) -> list[Example]:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    checker = Draft202012Validator(JSON_SCHEMA)
    found: list[Example] = []
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise FragmentError(f"{path} cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise FragmentError(f"{path}, line {number}, is no JSON; fetch the fragment again") from None
        if wrong := next(checker.iter_errors(row), None):
            raise FragmentError(f"{path}, line {number}: {wrong.message[:200]}; expected what {SCHEMA} says")
        one = Example(row["kind"], row["component"], row["question"], row["answer"],
                      tuple(Source(**source) for source in row["sources"]), row["origin"], row["held_out"])  # fmt: skip
        if one.id != row["id"] or one.held_out != held_out:
            raise FragmentError(f"{path}, line {number}: its id or its side is not what it says; fetch the fragment again")
        found.append(one)
    return found


def counted(examples: Iterable[Example]) -> dict[str, tuple[int, int]]:
    """Kind -> how many to train on and how many held out; kinds without any are there too."""
    found = Counter((one.kind, one.held_out) for one in examples)
    return {kind: (found[kind, False], found[kind, True]) for kind in KINDS}


def missing(examples: Iterable[Example]) -> list[str]:
    """A sentence for each kind that the corpus gives nothing for."""
    why = {
        "passages": "no sentence of the corpus begins with a component and says what it is or does",
        "claims": "no claim of one component about another was read",
        "values": "the catalogue has no typical values",
        "card": "the catalogue names no introducing work",
        "spec": "no value of the spec rests on a document",
        "unanswered": "there are too few components to ask about another one's sources",
    }
    return [f"{kind}: {why[kind]}" for kind, sides in counted(examples).items() if not sum(sides)]
