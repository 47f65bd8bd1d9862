"""A changed ontology: only documents that may hold a name of a changed entry are read again, and the outcome is that of reading all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from forge_assets.components import extract, renewal, store
from forge_assets.components.extract import ExtractReport, extract_shards
from forge_assets.components.folding import fold, spellings
from forge_assets.components.ontology import load_ontology
from forge_assets.components.ontology.load import decide
from forge_assets.components.ontology.model import Alias, Component, Ontology, ParameterUse
from forge_assets.components.seen import PARAMETER, changes, entries_of, from_json, stamp_of, to_json
from forge_assets.embeddings.lexical import LexicalIndex
from forge_resources.database import Database
from forge_resources.decisions import Decision
from forge_resources.settings import settings
from tests.components.ontology_files import lay
from tests.components.readings import ALL, component, held, ontology, read_here, records, versions
from tests.embeddings.corpus_builder import put_records, remove

BASE = ontology()


def read(db: Database, by: Ontology) -> ExtractReport:
    return extract_shards(db, by, settings(), ALL)


def index(db: Database) -> None:
    LexicalIndex(settings().home / "lexical").sync(db)


def record(name: str, text: str) -> dict[str, Any]:
    return {"doc_id": f"x:{name}", "title": f"Note {name}", "abstract": text, "year": 2020}


@pytest.fixture
def corpus(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """200 documents and some odd ones, read by BASE and indexed. No processes are needed to tell what is read."""
    monkeypatch.setattr(extract, "read_all", read_here)
    odd = {
        "british": "We compare optimisation by snow-ploughing with a snow plough centre.",
        "plural": "Three Wobblies were used, and wobblies again.",
        "joined": "The CNN-Frob beats it.",
        "defined": "Frobnication networks (FN) are deep. FN helps.",
        "digits": "We fine-tune Frob2 and Frob 2.",
        "lion": "A lion was seen near the optimizer, and Lion too.",
        "batch": "A frobrate of 0.5 and a batch size of 32.",
        "doubt": "Layers of reversed adjusting (LoRA) are slow. LoRA is not what you think.",
        "split": "Frob needs tuning. " + "Filler words stand here in a row. " * 60 + "Tuning of a nation.",
    }
    put_records(database, [*records(200), *(record(name, text) for name, text in odd.items())])
    read(database, BASE)
    index(database)
    return database


def all_read_again(db: Database, by: Ontology) -> dict[str, list[Any]]:
    """What the tables hold when every document is read by this ontology."""
    with db.begin() as connection:
        connection.exec_driver_sql("TRUNCATE extraction CASCADE")
    read(db, by)
    return held(db)


def parameter(name: str, **changed: Any) -> Ontology:
    known = BASE.parameters[name]
    return replace(BASE, parameters={**BASE.parameters, name: replace(known, **changed)})


def use(id_: str, name: str) -> Component:
    return replace(BASE.components[id_], parameters=(ParameterUse(name),))


BERT, LORA = BASE.components["bert"], BASE.components["lora"]
CHANGES: dict[str, tuple[Ontology, int]] = {
    "a component is added": (ontology(component("frob", "Frob")), 3),
    "a component of two words is added": (ontology(component("fn", "frobnication network")), 1),
    "an alias of words that stand apart": (ontology(component("tn", "tuning nation")), 1),
    "a component is added that is written in British": (ontology(component("plow", "snow-ploughing optimization center")), 1),
    "a component whose plural is odd": (ontology(component("wobbly", "wobbly")), 1),
    "a component with a number": (ontology(component("frob2", "Frob2")), 1),
    "a name that no text holds": (ontology(component("none", "unheard-of name")), 0),
    "a component is removed": (ontology(without=["gelu"]), -1),
    "a component loses its rules": (ontology(component("lion", Alias("Lion", "any"))), 1),
    "a component changes its slot": (ontology(replace(BASE.components["cnn"], slot="norm")), 1),
    "a component gets a parameter": (ontology(use("bert", "learning_rate")), -1),
    "a common component gets an alias": (ontology(replace(BERT, aliases=(*BERT.aliases, Alias("Frob")))), 3),
    "a common component loses an alias": (ontology(replace(BERT, aliases=BERT.aliases[:1])), 0),
    "an alias makes an abbreviation plausible": (ontology(replace(LORA, aliases=(*LORA.aliases, Alias("adjusting ranks")))), 1),
    "a parameter gets a name": (parameter("learning_rate", aliases=(*BASE.parameters["learning_rate"].aliases, "frobrate")), 1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_only_documents_that_a_change_may_concern_are_read_again(corpus: Database, change: str) -> None:
    changed, concerned = CHANGES[change]
    before = versions(corpus)
    report = read(corpus, changed)
    assert report.read + report.moved == 209
    assert report.read == concerned if concerned >= 0 else 0 < report.read < 150
    kept = held(corpus)
    assert sum(versions(corpus).get(document) == transaction for document, transaction in before.items()) >= len(before) - report.read
    assert (read(corpus, changed).read, read(corpus, changed).moved) == (0, 0)
    assert all_read_again(corpus, changed) == kept


def test_bounds_of_a_parameter_concern_every_document(corpus: Database) -> None:
    report = read(corpus, parameter("layers", high=12))
    assert (report.read, report.moved) == (209, 0)


def test_what_the_rules_do_not_see_changes_nothing(corpus: Database) -> None:
    described = replace(BASE.components["bert"], description="Another text.", tasks=("pretraining",), build="library")
    assert stamp_of(ontology(described)) == stamp_of(BASE)
    report = read(corpus, ontology(described))
    assert (report.read, report.moved) == (0, 0)


def test_a_change_taken_back_is_like_none(corpus: Database) -> None:
    before = held(corpus)
    read(corpus, ontology(component("frob", "Frob")))
    assert held(corpus) != before
    report = read(corpus, BASE)
    assert (report.read, held(corpus)) == (3, before)


def test_ontologies_that_nobody_was_read_by_are_forgotten(corpus: Database) -> None:
    changed = [ontology(component(name, name)) for name in ("frob", "wobbly", "ploughing")]
    for by in changed:
        with corpus.begin() as connection:
            connection.execute(sa.text("UPDATE ontology_version SET at = at - interval '2 days'"))
        read(corpus, by)
    with corpus.begin() as connection:
        assert connection.execute(sa.text("SELECT ontology FROM ontology_version")).scalars().all() == [stamp_of(changed[-1])]


def test_shards_left_behind_by_two_ontologies_catch_up(corpus: Database) -> None:
    one, two = ontology(component("frob", "Frob")), ontology(component("frob", "Frob"), component("wobbly", "wobbly"))
    for by, shards in ((one, range(20)), (two, range(10))):
        extract_shards(corpus, by, settings(), shards)
    report = read(corpus, two)
    assert 0 < report.read <= 4
    kept = held(corpus)
    assert {row.ontology for row in kept["extraction"]} == {stamp_of(two)}
    assert all_read_again(corpus, two) == kept


def test_without_an_index_every_document_is_read_again(corpus: Database, caplog: pytest.LogCaptureFixture) -> None:
    LexicalIndex(settings().home / "lexical").clear()
    report = read(corpus, ontology(component("frob", "Frob")))
    assert (report.read, report.moved) == (209, 0) and "every document is read again" in caplog.text


def test_what_the_index_has_not_taken_in_is_read_again(corpus: Database) -> None:
    put_records(corpus, [record("late", "Here a Frob stands."), record("lion", "A lion, and nothing else than Frob.")])
    read(corpus, BASE)
    changed = ontology(component("frob", "Frob"))
    report = read(corpus, changed)
    assert report.read == 3 + 2
    kept = held(corpus)
    assert all_read_again(corpus, changed) == kept


def test_a_failed_reading_is_tried_again_under_another_ontology(corpus: Database) -> None:
    with corpus.begin() as connection:
        document = connection.execute(sa.text("SELECT document_id FROM document WHERE external_id = 'x:plural'")).scalar_one()
        connection.execute(sa.text("UPDATE extraction SET problem = 'a rule failed' WHERE document_id = :d"), {"d": document})
    report = read(corpus, ontology(component("frob2", "Frob2")))
    assert (report.read, store.problems(corpus)) == (2, [])


def test_a_run_that_breaks_off_between_moving_and_reading_is_finished_by_the_next(
    corpus: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = ontology(component("frob", "Frob"), component("wobbly", "wobbly"))
    whole: Callable[..., Any] = renewal._move
    left = iter(range(30))

    def breaking(*given: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return whole(*given)

    for module, name, broken in ((renewal, "_move", breaking), (store, "write", breaking)):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, broken)
            with pytest.raises(KeyboardInterrupt):
                read(corpus, changed)
    report = read(corpus, changed)
    assert report.read == 4
    kept = held(corpus)
    assert all_read_again(corpus, changed) == kept


def test_an_accepted_candidate_is_looked_for(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, log = lay(tmp_path / "ontology"), tmp_path / "overrides.yaml"
    documents = put_records(database, [record("one", "Adam beats Zorp."), record("two", "Adam is old."), record("three", "Nothing.")])
    index(database)
    assert read(database, load_ontology(log, folder=folder)).read == 3
    accepted = Decision(
        "accept", "component", "zorp", "named by many", "jo", date(2026, 1, 31), value={"slot": "optimizer", "name": "Zorp"}
    )
    decide(log, accepted, folder=folder)
    report = read(database, load_ontology(log, folder=folder))
    assert (report.read, report.moved) == (1, 2)
    with database.begin() as connection:
        found = connection.execute(sa.text("SELECT document_id FROM mention WHERE component = 'zorp'")).scalars().all()
    assert found == [documents[0]]


def test_documents_that_are_gone_are_not_looked_for(corpus: Database) -> None:
    with corpus.begin() as connection:
        document: UUID = connection.execute(sa.text("SELECT document_id FROM document WHERE external_id = 'x:digits'")).scalar_one()
    remove(corpus, document)
    report = read(corpus, ontology(component("frob", "Frob")))
    assert (report.read, report.moved) == (2, 206)


# -- what is seen of an ontology ------------------------------------------------------------------------------------------


def test_entries_survive_the_database() -> None:
    entries = entries_of(BASE)
    assert from_json(to_json(entries)) == entries
    assert {"bert", PARAMETER + "learning_rate"} <= entries.keys()


def test_a_changed_entry_tells_its_old_and_new_names() -> None:
    changed = ontology(replace(BASE.components["gelu"], slot="norm", aliases=(Alias("Frob unit"),)), without=["t5"])
    found = changes(entries_of(BASE), entries_of(changed))
    assert (found.everything, found.components) == (False, {"gelu", "t5"})
    assert {places("gelu"), places("frob", "unit"), places("t5")} <= found.names


def test_an_alias_that_comes_concerns_those_who_hold_it_and_abbreviations_that_it_may_explain() -> None:
    lora = BASE.components["lora"]
    found = changes(entries_of(BASE), entries_of(ontology(replace(lora, aliases=(*lora.aliases, Alias("slim rank update"))))))
    words = frozenset(["slim", "update"])
    assert found.names == {places("slim", "rank", "update"), (frozenset(["lora"]), words), (frozenset(["loras"]), words)}


def places(*words: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset((word,)) for word in words)


WORDS = st.lists(
    st.sampled_from("norm al is iz ation our or ell el ed er re tre s es ies y ch ss us ise ize a b t colour centre model".split()),
    min_size=1, max_size=5,
).map("".join)  # fmt: skip


@given(WORDS)
@examples(max_examples=1500, deadline=None)
def test_every_word_is_among_the_spellings_of_its_folded_form(word: str) -> None:
    assert word in spellings(fold(word))
