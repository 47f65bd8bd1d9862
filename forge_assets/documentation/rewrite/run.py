"""Volumes -> sections -> language model -> verifier -> volumes whose sections are prose, as far as the budget reaches.

Answers are kept by what was asked, so a run that is stopped goes on where it was, and a second one asks nothing. Of a page that changes by
the night the sections whose evidence is the same stay as they are (`keep.py`), the others are verbatim until they are rewritten.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

from forge_assets.documentation import shelf
from forge_assets.documentation.build import LOCK, key_of, write_files
from forge_assets.documentation.drafts import digest_of
from forge_assets.documentation.rewrite import section
from forge_assets.documentation.verify.content import Names
from forge_assets.documentation.volume import Block, Page, Paragraph, Volume
from forge_resources.database import Database
from forge_resources.errors import LanguageModelError, NoAnswer
from forge_resources.language_model import Answer, LanguageModel, Question, Usage
from forge_resources.object_store import ObjectStore

TOKENS_PER_SECOND = 40
"""Of one stream, assumed for the estimate: about what a mid-size model on one GPU writes."""


@dataclass(slots=True)
class Estimate:
    """What a rewrite may cost: `questions`, `tokens` at most, `minutes` at an assumed speed. Votes come on top."""

    sections: int = 0
    questions: int = 0
    tokens: int = 0
    minutes: float = 0.0


@dataclass(slots=True)
class RewriteReport:
    """`sections` asked about; `written` sentences now stand for quotes, `rejected` ones did not get in, by reason; `pages` that changed."""

    volumes: int = 0
    pages: int = 0
    sections: int = 0
    written: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    usage: Usage = field(default_factory=Usage)
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Part `part` of the block `block` of a page."""

    page: int
    block: int
    part: int
    text: Paragraph
    question: Question


def estimate(volume: Volume, parallel: int) -> Estimate:
    places = list(_places(volume))
    tokens = sum(place.question.most_tokens() for place in places)
    written = sum(sum(len(one.text) for one in place.text.sentences) // 4 for place in places)
    blocks = {(place.page, place.block) for place in places}
    return Estimate(len(blocks), len(places), tokens, written / TOKENS_PER_SECOND / max(1, parallel) / 60)


def rewrite_volumes(
    db: Database,
    objects: ObjectStore,
    model: LanguageModel,
    names: Names | None,
    only: Collection[str] | None = None,
    *,
    votes: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> RewriteReport:
    """Never raises for the model's sake: why it stopped is told in `stopped`; what was written by then stays."""
    report = RewriteReport()
    with db.advisory_lock(LOCK):
        for id_ in only or shelf.ids(db):
            before = shelf.volume(objects, id_)
            after = rewritten(before, model, names, report, votes=votes)
            report.volumes += 1
            if after is not before:
                _store(db, objects, before, after)
                say(f"{id_}: {sum(a is not b for a, b in zip(after.pages, before.pages, strict=True))} pages rewritten")
            if report.stopped is not None:
                break
    report.usage = model.usage
    return report


def rewritten(volume: Volume, model: LanguageModel, names: Names | None, report: RewriteReport, *, votes: bool) -> Volume:
    """The volume with the sections that were answered; the very same object where nothing changed."""
    places = list(_places(volume))
    report.sections += len(places)
    judged: dict[int, section.Judged] = {}
    for number, answer in _asked(model, [place.question for place in places], report):
        judged[number] = section.judge(answer, places[number].text, names)
    voted = [number for number, one in sorted(judged.items()) if one.written] if votes else []
    for number, answer in _asked(model, [section.vote(judged[at], places[at].text) for at in voted], report):
        judged[voted[number]] = section.against(answer, judged[voted[number]])
    for one in judged.values():
        report.written += len(one.written)
        report.rejected.update(one.rejected)
    return _bound(volume, places, {number: one for number, one in judged.items() if one.written}, report)


def _asked(model: LanguageModel, questions: list[Question], report: RewriteReport) -> Iterator[tuple[int, Answer]]:
    if report.stopped is not None or not questions:
        return
    try:
        for number, answer in model.ask_many(questions):
            if isinstance(answer, NoAnswer):
                report.rejected["no answer"] += 1
            else:
                yield number, answer
    except LanguageModelError as error:
        report.stopped = str(error)


def _places(volume: Volume) -> Iterator[_Place]:
    for at, page in enumerate(volume.pages):
        title = page.title
        for index, block in enumerate(page.blocks):
            if block.kind == "heading":
                title = block.text
            if block.kind == "paragraph" and section.worth_asking(block):
                for number, part in enumerate(section.parts(block)):
                    yield _Place(at, index, number, part, section.question(page.title, title, part))


def _bound(volume: Volume, places: list[_Place], judged: dict[int, section.Judged], report: RewriteReport) -> Volume:
    if not judged:
        return volume
    made: dict[tuple[int, int], list[Paragraph]] = {}
    changed = {(places[number].page, places[number].block) for number in judged}
    for number, place in enumerate(places):
        if (place.page, place.block) in changed:
            part = section.bound(judged[number], place.text) if number in judged else place.text
            made.setdefault((place.page, place.block), []).append(part)
    pages = []
    for at, page in enumerate(volume.pages):
        blocks = [_joined(made.get((at, index)), block) for index, block in enumerate(page.blocks)]
        pages.append(page if all(a is b for a, b in zip(blocks, page.blocks, strict=True)) else _page(page, blocks))
    report.pages += sum(a is not b for a, b in zip(pages, volume.pages, strict=True))
    return volume.model_copy(update={"pages": tuple(pages)})


def _joined(parts: list[Paragraph] | None, block: Block) -> Block:
    return block if parts is None else Paragraph(sentences=tuple(one for part in parts for one in part.sentences))


def _page(page: Page, blocks: list[Block]) -> Page:
    changed = page.model_copy(update={"blocks": tuple(blocks)})
    return changed.model_copy(update={"sha256": digest_of(changed.model_dump(mode="json", exclude={"sha256", "sources"}))})


def _store(db: Database, objects: ObjectStore, before: Volume, after: Volume) -> None:
    write_files(objects, before, after)
    data = after.model_dump_json(indent=1).encode() + b"\n"
    objects.put(key_of(after.id), data, media_type="application/json")
    hashes = [{"page": page.id, "sha256": page.sha256} for page in after.pages]
    with db.begin() as connection:
        connection.execute(
            sa.text("UPDATE doc_page SET sha256 = :sha256, made_at = now() WHERE page = :page AND sha256 <> :sha256"), hashes
        )
        connection.execute(
            sa.text("UPDATE doc_volume SET digest = :digest, made_at = now() WHERE volume = :volume"),
            {"digest": hashlib.sha256(data).hexdigest(), "volume": after.id},
        )
