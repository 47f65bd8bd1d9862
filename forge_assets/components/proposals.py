"""passages with mentions -> language model -> checked entries -> `proposal`, the queue that people decide on.

A passage is asked about once per model, prompt and ontology; answers come from the cache where the same was asked before. Batches are
committed one by one, so a run that is killed, or that uses up its budget, keeps what it has; the next one goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from forge_assets.components.ontology.model import Ontology
from forge_assets.components.possible_names import Named
from forge_assets.components.prompt import PROMPT_VERSION, Material, Prompt
from forge_assets.components.verify import Judgement, Kept, canonical, judge, shifted
from forge_assets.corpus.locks import shard_locks
from forge_resources.database import Database
from forge_resources.errors import LanguageModelError, NoAnswer
from forge_resources.language_model import Answer, LanguageModel, Question, Usage

log = logging.getLogger(__name__)
Progress = Callable[[int, int | None], None]
BATCH = 64  # passages per transaction

WORTH = """SELECT p.passage_id FROM passage p JOIN mention m ON m.document_id = p.document_id AND m.start >= p.start AND m."end" <= p."end"
    WHERE p.shard = ANY(:shards) AND p.kind <> 'code'
      AND NOT EXISTS (SELECT FROM passage_asked a WHERE a.passage_id = p.passage_id AND a.asker = :asker)
    GROUP BY p.passage_id ORDER BY count(DISTINCT m.component) DESC, p.passage_id"""
PASSAGES = """SELECT p.passage_id, p.document_id, p.start, substr(d.text, p.start + 1, p."end" - p.start) AS text,
      (SELECT json_agg(json_build_array(m.component, m.start - p.start, m."end" - p.start)) FROM mention m
       WHERE m.document_id = p.document_id AND m.start >= p.start AND m."end" <= p."end") AS mentions,
      (SELECT json_agg(json_build_array(r.subject, r.relation, r.object)) FROM relation r
       WHERE r.document_id = p.document_id AND r.start < p."end" AND p.start < r."end") AS relations,
      (SELECT json_agg(json_build_array(v.parameter, v.start, v."end")) FROM parameter_value v
       WHERE v.document_id = p.document_id AND v.start >= p.start AND v."end" <= p."end") AS parameters
    FROM passage p JOIN document d USING (document_id) WHERE p.passage_id = ANY(:passages)"""
STALE = """DELETE FROM proposal r USING document d WHERE d.document_id = r.document_id AND d.shard = ANY(:shards) AND r.state = 'open'
    AND encode(sha256(convert_to(substr(d.text, r.start + 1, r."end" - r.start), 'UTF8')), 'hex') <> r.quote_hash"""
KEEP = """INSERT INTO proposal (proposal_id, kind, payload, document_id, start, "end", quote_hash, extractor, version)
    VALUES (:proposal_id, :kind, CAST(:payload AS jsonb), :document_id, :start, :end, :quote_hash, :extractor, :version)
    ON CONFLICT (proposal_id) DO NOTHING"""
ASKED = """INSERT INTO passage_asked (passage_id, asker, proposed, rejected)
    VALUES (:passage_id, :asker, :proposed, CAST(:rejected AS jsonb))
    ON CONFLICT (passage_id, asker) DO NOTHING"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A passage to be asked about, and what the rules read in it."""

    passage_id: UUID
    document_id: UUID
    start: int
    material: Material
    relations: frozenset[tuple[str, str, str]]
    parameters: frozenset[tuple[str, int, int]]


@dataclass(slots=True)
class ProposalReport:
    """`asked` passages were put to the model, `plain` ones left nothing to ask; `proposed` entries were carried by their passage, `new` of
    them were not in the queue yet; `rejected` counts the others by reason; `withdrawn` stood on text that changed; `unanswered` passages
    are asked about again. `stopped` says why the run broke off."""

    waiting: int = 0
    asked: int = 0
    plain: int = 0
    proposed: int = 0
    new: int = 0
    withdrawn: int = 0
    unanswered: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    usage: Usage = field(default_factory=Usage)
    stopped: str | None = None


def asker_of(model_name: str, ontology_version: str) -> str:
    """Which model, prompt and ontology a passage was asked about by: the same asker does not ask twice."""
    return hashlib.sha256(f"{model_name}\n{PROMPT_VERSION}\n{ontology_version}".encode()).hexdigest()[:32]


def propose(
    database: Database,
    model: LanguageModel,
    shards: Sequence[int],
    limit: int | None = None,
    progress: Progress | None = None,
    *,
    ontology: Ontology,
) -> ProposalReport:
    """Asks about at most `limit` passages of these shards, those with most components first. Needs the mentions of `component_mentions`.

    Never raises for the model's sake: an endpoint that is away and a budget that is used up are told in `stopped`.
    """
    report = ProposalReport()
    prompt, asker = Prompt(ontology), asker_of(model.name, ontology.version)
    with shard_locks(database, "propose", shards):
        with database.begin() as connection:
            report.withdrawn = connection.execute(sa.text(STALE), {"shards": list(shards)}).rowcount
            waiting = connection.execute(sa.text(WORTH), {"shards": list(shards), "asker": asker}).scalars().all()
        report.waiting = len(waiting)
        passages = iter(waiting)
        while report.stopped is None and (batch := list(islice(passages, _room(report, limit)))):
            _ask(database, model, prompt, asker, batch, report)
            if progress is not None:
                progress(len(batch), len(waiting))
    report.usage = model.usage
    if report.stopped:
        log.warning("the language model is asked no more: %s", report.stopped)
    return report


def _room(report: ProposalReport, limit: int | None) -> int:
    return BATCH if limit is None else max(0, min(BATCH, limit - report.asked - report.unanswered))


def _ask(database: Database, model: LanguageModel, prompt: Prompt, asker: str, batch: Sequence[UUID], report: ProposalReport) -> None:
    """One batch: read, asked, judged, stored in one transaction."""
    subjects = list(_subjects(database, prompt, batch))
    judged: list[tuple[Subject, Judgement]] = []
    asked: list[tuple[Subject, Question]] = []
    for subject in subjects:
        question = prompt.question(subject.material)
        if question is None:
            judged.append((subject, Judgement()))
            report.plain += 1
        else:
            asked.append((subject, question))
    try:
        for number, answer in model.ask_many([question for _, question in asked]):
            judgement = _judged(answer, *asked[number], prompt.ontology)
            if judgement is None:
                report.unanswered += 1
            else:
                report.asked += 1
                judged.append((asked[number][0], judgement))
    except LanguageModelError as error:
        report.stopped = str(error)
    for _, judgement in judged:
        report.proposed += len(judgement.kept)
        report.rejected += judgement.rejected
    report.new += _store(database, judged, asker, f"language-model:{model.name}")


def _judged(answer: Answer | NoAnswer, subject: Subject, question: Question, ontology: Ontology) -> Judgement | None:
    """None where another time may bring an answer."""
    if isinstance(answer, NoAnswer):
        return None if answer.transient else Judgement(rejected=Counter({"refused": 1}))
    assert question.schema is not None
    judgement = judge(answer, question.schema, subject.material, ontology)
    fresh = [kept for kept in judgement.kept if not _known(kept, subject)]
    if len(fresh) < len(judgement.kept):
        judgement.rejected["known"] += len(judgement.kept) - len(fresh)
    judgement.kept = fresh
    return judgement


def _known(kept: Kept, subject: Subject) -> bool:
    payload = kept.payload
    if kept.kind == "relation":
        return (payload["subject"], payload["relation"], payload["object"]) in subject.relations
    if kept.kind == "parameter":
        start, end = payload["start"] + subject.start, payload["end"] + subject.start
        return any(name == payload["parameter"] and s < end and start < e for name, s, e in subject.parameters)
    return False


def _subjects(database: Database, prompt: Prompt, batch: Sequence[UUID]) -> Iterator[Subject]:
    with database.begin() as connection:
        rows = {row.passage_id: row for row in connection.execute(sa.text(PASSAGES), {"passages": list(batch)})}
    for passage in batch:
        row = rows.get(passage)
        if row is None:  # parsed anew meanwhile
            continue
        material = prompt.material(row.text, [Named(*mention) for mention in row.mentions or []])
        relations = frozenset((s, r, o) for s, r, o in row.relations or [])
        parameters = frozenset((p, s, e) for p, s, e in row.parameters or [])
        yield Subject(row.passage_id, row.document_id, row.start, material, relations, parameters)


def _store(database: Database, judged: Iterable[tuple[Subject, Judgement]], asker: str, extractor: str) -> int:
    """Number of proposals that are new. A passage that is gone by now takes its answers along."""
    judged = list(judged)
    new = 0
    with database.begin() as connection:
        statement = sa.text("SELECT passage_id FROM passage WHERE passage_id = ANY(:passages) FOR SHARE")
        there = set(connection.execute(statement, {"passages": [subject.passage_id for subject, _ in judged]}).scalars())
        for subject, judgement in judged:
            if subject.passage_id not in there:
                continue
            for kept in judgement.kept:
                row = _row(subject, kept) | {"extractor": extractor, "version": asker}
                new += connection.execute(sa.text(KEEP), row).rowcount
            told = {"passage_id": subject.passage_id, "asker": asker, "proposed": len(judgement.kept)}
            connection.execute(sa.text(ASKED), told | {"rejected": json.dumps(judgement.rejected)})
    return new


def _row(subject: Subject, kept: Kept) -> dict[str, Any]:
    """A proposal's id is the hash of what it claims and where: whatever model says it again, it is in the queue once."""
    payload = canonical(shifted(kept.payload, subject.start))
    start, end = kept.start + subject.start, kept.end + subject.start
    quote = hashlib.sha256(subject.material.text[kept.start : kept.end].encode()).hexdigest()
    content = "\n".join([kept.kind, payload, subject.document_id.hex, str(start), str(end), quote])
    number = UUID(bytes=hashlib.sha256(content.encode()).digest()[:16])
    return {
        "proposal_id": number, "kind": kept.kind, "payload": payload, "document_id": subject.document_id,
        "start": start, "end": end, "quote_hash": quote,
    }  # fmt: skip
