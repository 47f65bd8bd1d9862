"""Labels and the mapping to slots and tasks, from titles."""

from __future__ import annotations

from forge_assets.components.ontology import Alias, Component, Ontology, Slot
from forge_assets.topics import labels, mapping
from forge_assets.topics.phrases import key_of, phrases


def words(*titles: str) -> labels.Words:
    made = labels.Words()
    for title in titles:
        made.add(title)
    return made


def test_phrases_stand_between_stop_words_and_keep_no_boilerplate_at_their_ends() -> None:
    found = {key for key, _ in phrases("A Novel Approach to Graph Neural Networks: Towards Better Drug Discovery")}
    assert "graph neural network" in found and "drug discovery" not in found or "drug" in found
    assert not any(key.split()[0] in ("novel", "approach", "better") for key in found)
    assert key_of("Graph-Neural Networks") == "graph neural network"


def test_a_topic_is_called_by_what_sets_it_apart() -> None:
    graphs = words(
        *(f"Graph neural networks for molecule {n}" for n in "abcdefgh"), "Deep learning on molecules", "Deep learning with graphs"
    )
    speech = words(*(f"Deep learning for speech recognition {n}" for n in "abcdefgh"), "Speech recognition with LSTM", "Whisper and LSTM")
    first, second = labels.ranked([graphs.pruned(), speech.pruned()])
    assert first[0][0] == "graph neural networks" and first[0][1] == 0.8
    assert second[0][0] == "speech recognition"
    assert labels.label(first).startswith("Graph neural networks")


def test_no_two_phrases_of_a_label_share_a_word() -> None:
    topic = words(*(f"Machine translation of {n} with translated corpora and corpus translations" for n in "abcdefghijkl"))
    found = [phrase for phrase, _ in labels.ranked([topic.pruned(), words("Other things")])[0]]
    assert sum("transl" in phrase for phrase in found) == 1


def test_names_keep_their_capitals_and_titles_lose_them() -> None:
    topic = words(*(f"Fine-Tuning BERT on ImageNet {n}" for n in "abcdefghijkl"))
    assert "BERT" in labels.label(labels.ranked([topic.pruned()])[0]) and "Tuning" not in labels.label(labels.ranked([topic.pruned()])[0])


def test_marks_of_a_classification_are_no_keywords() -> None:
    topic = labels.Words()
    for n in range(12):
        topic.add(f"Pruning of networks {n}", ["cs.LG", "stat.ML", "area:Vision", "Pruning"])
    assert set(topic.pruned().counts) == {"pruning"} | {key for key in topic.counts if "network" in key and topic.counts[key] > 1}


def test_a_topic_without_words_has_no_label() -> None:
    assert labels.label(labels.ranked([labels.Words()])[0]) is None


def ontology() -> Ontology:
    slots = {
        s: Slot(s, title, task, "", (), (), False)
        for s, title, task in (("optimizer", "Optimizers", "optimization"), ("tokenizer", "Tokenizers", "tokenization"))
    }

    def component(name: str, slot: str, *aliases: Alias) -> Component:
        return Component(name.lower(), name, slot, aliases, None, (), (), (), (), "described", "")

    components = [
        component("Adam", "optimizer", Alias("Adam", "exact", ("optimizer", "gradient"))),
        component("Byte pair encoding", "tokenizer", Alias("BPE")),
    ]
    return Ontology({}, {}, slots, {}, {c.id: c for c in components})


def test_slots_are_found_by_name_alias_case_and_context() -> None:
    known = mapping.Vocabulary(ontology())
    assert known.slots_of("Byte-Pair Encodings revisited") == {"tokenizer"}
    assert known.slots_of("On BPE and adam") == {"tokenizer"} and known.slots_of("on bpe") == set()
    assert known.slots_of("Better optimizers") == {"optimizer"}


def test_a_slot_belongs_to_a_topic_that_names_it_more_than_others_do() -> None:
    topic, rest = mapping.Slots(100), mapping.Slots(10_000)
    topic.counts.update({"optimizer": 20, "tokenizer": 3})
    rest.counts.update({"optimizer": 200, "tokenizer": 300})
    assert mapping.chosen(topic, rest) == [("optimizer", 0.2)]
    assert mapping.Vocabulary(ontology()).tasks_of(["optimizer", "tokenizer"]) == ["optimization", "tokenization"]
    assert 0.13 < mapping.wilson_low(20, 100) < 0.14
