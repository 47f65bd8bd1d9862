"""Which ways of writing count as a mention of a component, and which do not."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_assets.components.lexicon import Lexicon, Mention
from forge_assets.components.ontology.model import Alias, Component, Ontology
from forge_assets.components.text import Reading
from forge_assets.corpus.model import Block
from tests.components.small_ontology import LEXICON, small_ontology


def found(text: str, **more: object) -> list[Mention]:
    return LEXICON.find(Reading("d", text, **more))  # type: ignore[arg-type]


def names(text: str) -> list[tuple[str, str]]:
    return [(mention.component, mention.surface) for mention in found(text)]


@pytest.mark.parametrize(
    ("text", "component", "surface"),
    [
        ("It needs layer-normalisation here.", "layer-norm", "layer-normalisation"),
        ("Stacked Layer Normalizations help.", "layer-norm", "Layer Normalizations"),
        ("LAYER NORMALIZATION", "layer-norm", "LAYER NORMALIZATION"),
        ("a layernorm", "layer-norm", "layernorm"),
        ("with Layer-Norm", "layer-norm", "Layer-Norm"),
        ("layer\nnormalization", "layer-norm", "layer\nnormalization"),
        ("BERT's layers", "bert", "BERT"),
        ("BERT-base is small", "bert", "BERT"),
        ("BERT$_{base}$ is small", "bert", "BERT"),
        ("BERT_LARGE is big", "bert", "BERT"),
        ("a BERT-based tagger", "bert", "BERT"),
        ("bert-base-uncased was tuned", "bert", "bert"),
        ("T5-small and others", "t5", "T5"),
        ("Llama 2 7B is open", "llama-2", "Llama 2"),
        ("Llama-2-7b-hf is open", "llama-2", "Llama-2"),
        ("Llama2 is open", "llama-2", "Llama2"),
        ("GPT-3.5 answers", "gpt-3.5", "GPT-3.5"),
        ("GPT3.5 answers", "gpt-3.5", "GPT3.5"),
        ("GPT-3.5B is small", "gpt", "GPT"),
        (r"trained by \textsc{Adam} alone", "adam", "Adam"),
        (r"the {\sc Bert} model", "bert", "Bert"),
        ("$k$-means finds them", "k-means", "k$-means"),
        ("K-Means finds them", "k-means", "K-Means"),
        ("multihead attention", "mha", "multihead attention"),
        ("pretraining is long", "pretraining", "pretraining"),
        ("LSTMs forget", "lstm", "LSTMs"),
        ("Flash-Attention is fast", "flash", "Flash-Attention"),
        ("(RoPE)", "rope", "RoPE"),
        ("“Adam”", "adam", "Adam"),
        ("𝔸 text, then Adam.", "adam", "Adam"),
    ],
)
def test_a_way_to_write_is_found(text: str, component: str, surface: str) -> None:
    assert names(text) == [(component, surface)]


@pytest.mark.parametrize(
    "text",
    [
        "RoBERTa is none",
        "BERTScore is a metric",
        "BERT-Score is a metric",
        r"\textsc{Bert}Score",
        r"\textsc{Ro}BERTa",
        "Adam-mini saves memory",
        "LoRA-FA freezes",
        "LoRA+ has two rates",
        "QLoRA, Q-LoRA",
        "GPT-4 and GPT 4 are others",
        "Llama2.5 and Llama-2.5 are later ones",
        "DistilBERT, Sci-BERT",
        "Adam D. Smith and Adam et al. disagree",
        "Dr. Adam wrote",
        "the Adams family",
        "a bert without capitals",
        "the rope broke",
        "lion and Lion and LION",
        "https://example.org/LSTM/Adam",
        "mail BERT@example.org",
        "layer. Normalization",
        "flash attention of the press",
        "layer_BERT",
        "PubMed-BERT reads",
        "- Transformers 4.17.0.dev0",
        "Usage (HuggingFace Transformers)",
        "from transformers import AutoModel",
        "the Transformers library",
    ],
)
def test_another_name_is_no_mention(text: str) -> None:
    assert names(text) == []


def test_context_makes_an_ambiguous_name_count() -> None:
    assert names("The optimizer Lion keeps signs.") == [("lion", "Lion")]
    assert names("The optimizers were tuned. " + "word " * 100 + "Lion won.") == [("lion", "Lion")]
    assert names("The optimizer. " + "word " * 400 + "Lion won.") == []
    assert names("The optimizer Lion is no sea lion.") == []


def test_the_longest_match_wins_and_combinations_hold_both() -> None:
    assert names("GPT-3.5 and GPT") == [("gpt-3.5", "GPT-3.5"), ("gpt", "GPT")]
    assert names("a CNN-LSTM") == [("cnn", "CNN"), ("lstm", "LSTM")]
    assert names("BERT+LSTM") == [("bert", "BERT"), ("lstm", "LSTM")]


def test_code_holds_names_but_no_words_of_the_language_and_formulas_hold_none() -> None:
    text = "Uses Adam.\n\noptim.Adam(p, dropout=0.1); dropout(x)\n\nAdam + Adam"
    blocks = [Block("paragraph", 0, 10), Block("code", 12, 50), Block("formula", 52, 63)]
    assert [text[m.start : m.end] for m in found(text, blocks=blocks)] == ["Adam", "Adam"]
    assert names("It is dropout.") == [("dropout", "dropout")]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("It holds a Register BERT and more.", True),
        ("We call it the BERT Filter of names.", True),
        ("It is the Entity-aware BERT of names.", True),
        ("It uses the Google BERT of names.", False),
        ("It uses the BERT Encoder of names.", False),
        ("With BERT it works.", False),
        ("It ends. Register BERT now.", False),
        ("It is a LSTM-based BERT of names.", False),
        ("It needs the Huge Layer Normalization.", True),
        ("It needs the Huge layer normalization.", False),
    ],
)
def test_a_capitalised_stranger_makes_another_thing_of_a_name(text: str, whole: bool) -> None:
    assert len([name for name, _ in names(text) if name in ("bert", "layer-norm")]) == (0 if whole else 1)


def test_in_titles_and_headings_a_capital_says_nothing() -> None:
    assert [m.component for m in found("A Register BERT\n\nIt works.", title="A Register BERT")] == ["bert"]
    blocks = [Block("heading", 0, 15), Block("paragraph", 17, 26)]
    assert [m.component for m in found("A Register BERT\n\nIt works.", blocks=blocks)] == ["bert"]
    assert names("A Register BERT. It works.") == []


def test_a_name_does_not_go_on_over_a_paragraph_or_inside_the_id_of_a_model() -> None:
    assert names("about layer\n\nNormalization is old") == []
    assert names("bert-base-uncased-lstm, x__LSTM, acme/lstm-x") == []
    assert [m.component for m in found("the LSTM/BERT pair")] == ["lstm", "bert"]
    assert [m.component for m in found("a T5-LSTM")] == ["t5", "lstm"]


def test_abbreviations_that_end_in_s_or_in_a_vowel_have_plurals_too() -> None:
    lexicon = Lexicon(_one("gru", [Alias("GRU", "exact"), Alias("LoRA", "exact")]))
    text = "GRUs and LoRAs, no GRUSs"
    assert [m.surface for m in lexicon.find(Reading("d", text))] == ["GRUs", "LoRAs"]


def test_what_is_outside_is_known_and_not_looked_for() -> None:
    inside, outside = _one("sim", [Alias("CarSim")]), _one("sim", [Alias("CarSim")], outside=True)
    assert [m.component for m in Lexicon(inside).find(Reading("d", "in CarSim"))] == ["sim"]
    assert Lexicon(outside).find(Reading("d", "in CarSim")) == []
    assert inside.hashes() != outside.hashes()


def _one(id_: str, aliases: list[Alias], *, outside: bool = False) -> Ontology:
    one = Component(id_, id_, "eval", tuple(aliases), None, (), (), (), (), "described", "", outside=outside)
    return Ontology({}, {}, {}, {}, {id_: one})


def test_an_abbreviation_of_the_document_vetoes_and_adds() -> None:
    other = "Bilevel perturbed estimation (BPE) is new. BPE works."
    assert names(other) == []
    assert [m.component for m in found("Byte-pair encoding (BPE) is old. BPE works.")] == ["bpe"] * 3
    local = found("Layer normalization (LN) is used. LN helps.")
    assert [(m.surface, m.via) for m in local] == [("Layer normalization", "alias"), ("LN", "abbreviation"), ("LN", "abbreviation")]
    assert names("Linear noise (LN) is used. LN helps.") == []
    assert [m.component for m in found("A Generative Pre-trained Transformer (GPT) writes.")][-1] == "gpt"


def test_mentions_tell_role_negation_and_stance() -> None:
    text = "Recently LSTMs became popular. We propose RoPE, an embedding. We train it with Adam and without dropout. It outperforms BERT."
    told = {m.surface: (m.role, m.negated, m.stance) for m in found(text)}
    assert told == {
        "LSTMs": ("background", False, "named"),
        "RoPE": ("method", False, "introduced"),
        "Adam": ("method", False, "used"),
        "dropout": ("method", True, "named"),
        "BERT": ("result", False, "named"),
    }


def test_two_components_of_one_name_are_told_apart_by_context() -> None:
    def component(identity: str, context: str) -> Component:
        return Component(identity, identity, "x", (Alias("Swish", "exact", (context,)),), None, (), (), (), (), "described", "")

    both = {"a": component("a", "activation"), "b": component("b", "sound")}
    lexicon = Lexicon(Ontology({}, {}, {}, {}, both))
    assert [m.component for m in lexicon.find(Reading("d", "The sound Swish."))] == ["b"]
    assert [m.component for m in lexicon.find(Reading("d", "The activation Swish."))] == ["a"]


_PIECES = st.sampled_from(
    ["Adam", "BERT", "GPT", "-", " ", "3.5", "(", ")", "layer", "normalization", "LSTM", "(LN)", "without", "we", "propose", "use",
     ". ", "\n\n", ",",
     "\\textsc{",
     "}", "é", "𝔸", "+", "k", "means", "$", "_", "mini", "Llama", "2", "7B", "://", "instead", "of", ":", "not"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(_PIECES, max_size=40).map("".join) | st.text(max_size=80), st.booleans())
def test_spans_give_back_the_surface_do_not_overlap_and_are_the_same_each_time(text: str, spaced: bool) -> None:
    text = " ".join(text.split("-")) if spaced else text
    mentions = found(text, title=text[:20])
    assert all(text[m.start : m.end] == m.surface and m.surface for m in mentions)
    assert all(one.end <= other.start for one, other in pairwise(mentions))
    assert mentions == Lexicon(small_ontology()).find(Reading("d", text, title=text[:20]))


def test_six_hundred_components_are_read_fast() -> None:
    syllables = ["ka", "lo", "mi", "ru", "te", "so", "va", "ne", "po", "di"]
    words = [a + b + c for a in syllables for b in syllables for c in syllables]
    components = {}
    for at in range(600):
        aliases = tuple(Alias(f"{words[at]} {words[(at * step + 7) % 1000]} norm") for step in (3, 7, 11, 13, 17))
        components[f"c{at}"] = Component(f"c{at}", words[at], "norm", aliases, None, (), (), (), (), "described", "")
    began = time.process_time()
    lexicon = Lexicon(Ontology({}, {}, {}, {}, components))
    assert time.process_time() - began < 2.0
    text = " ".join(f"We use {words[at]} {words[(at * 3 + 7) % 1000]} norm with a network (CN)." for at in range(30))[:1500]
    began = time.process_time()
    for _ in range(20):
        lexicon.find(Reading("d", text))
    assert (time.process_time() - began) / 20 < 0.02


@pytest.mark.parametrize(
    ("text", "surfaces"),
    [
        ("pass@k and pass @ $k$ of llama.cpp", ["pass@k", "pass @ $k", "llama.cpp"]),
        ("mAP@0.5 and mAP@0.75", ["mAP@0.5", "mAP"]),
        ("CNN/DailyMail, CNN-DailyMail, CNN / DailyMail", ["CNN/DailyMail", "CNN-DailyMail", "CNN / DailyMail"]),
        ("Human3.6M and Human 3.6M", ["Human3.6M", "Human 3.6M"]),
        ("pass k. A llama. Cpp, llama cpp, CNN. DailyMail", []),
        ("write to map@metrics.org", []),
    ],
)
def test_signs_inside_a_name_are_part_of_it(text: str, surfaces: list[str]) -> None:
    written = ("pass@k", "llama.cpp", "mAP", "mAP@0.5", "CNN/DailyMail", "Human3.6M")
    components = {name: Component(name, name, "eval", (Alias(name),), None, (), (), (), (), "described", "") for name in written}
    lexicon = Lexicon(Ontology({}, {}, {}, {}, components))
    assert [mention.surface for mention in lexicon.find(Reading("d", text))] == surfaces


def test_a_checkpoint_that_goes_on_behind_a_size_is_another_model() -> None:
    assert names("We start from bert-base-uncased and BERT-large-cased.") == [("bert", "bert"), ("bert", "BERT")]
    assert names("We start from bert-base-squad2 and bert-base-uncased__sst2.") == []
