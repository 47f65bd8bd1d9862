"""What sentences say of two components: the relation, its direction, whom it concerns, and when nothing is said."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_assets.components.new_names import new_names
from forge_assets.components.relations import PATTERNS, Relation, relations
from forge_assets.components.relations.arguments import names_it
from forge_assets.components.text import Reading
from forge_assets.corpus.model import Block
from tests.components.small_ontology import LEXICON


def claims(text: str, title: str | None = None, blocks: tuple[Block, ...] = ()) -> list[Relation]:
    reading = Reading("d", text, blocks, title)
    mentions = LEXICON.find(reading)
    return relations(reading, mentions, new_names(reading, mentions))


def said(text: str, title: str | None = None) -> list[tuple[str, str, str]]:
    return [(claim.subject, claim.relation, claim.object) for claim in claims(text, title)]


@pytest.mark.parametrize(
    ("text", "subject", "relation", "other"),
    [
        ("We show that T5 clearly outperforms BERT on soups.", "t5", "improves_on", "bert"),
        ("T5, a larger model, surpasses BERT.", "t5", "improves_on", "bert"),
        ("T5 reads more soup and stirs it twice, outperforming BERT by far.", "t5", "improves_on", "bert"),
        ("BERT was outperformed by T5 in every kitchen.", "t5", "improves_on", "bert"),
        ("T5 achieves higher accuracy than BERT.", "t5", "improves_on", "bert"),
        ("T5 is superior to BERT.", "t5", "improves_on", "bert"),
        ("BERT performs worse than T5 here.", "t5", "improves_on", "bert"),
        ("BERT lags behind T5 on soups.", "t5", "improves_on", "bert"),
        ("T5 improves over BERT on soups.", "t5", "improves_on", "bert"),
        ("T5 yields a clear improvement over BERT.", "t5", "improves_on", "bert"),
        ("We note the superiority of T5 over BERT.", "t5", "improves_on", "bert"),
        ("Compared to BERT, T5 achieves better results.", "t5", "improves_on", "bert"),
        ("T5 is an improved version of BERT.", "t5", "improves_on", "bert"),
        ("Lion is a lean alternative to Adam, an optimizer.", "lion", "alternative_to", "adam"),
        ("We train with Lion instead of Adam, unlike AdamW.", "lion", "alternative_to", "adam"),
        ("We replace layer normalization with dropout.", "dropout", "alternative_to", "layer-norm"),
        ("LSTMs have been superseded by the Transformer.", "transformer", "supersedes", "lstm"),
        ("Llama 2 is the successor of GPT.", "llama-2", "supersedes", "gpt"),
        ("RoPE requires multi-head attention.", "rope", "requires", "mha"),
        ("Batch normalization is essential for CNNs.", "cnn", "requires", "batch-norm"),
        ("Dropout is incompatible with batch normalization.", "dropout", "conflicts_with", "batch-norm"),
        ("There is a conflict between dropout and batch normalization.", "dropout", "conflicts_with", "batch-norm"),
        ("We combine BERT with LoRA.", "bert", "composes_with", "lora"),
        ("The strengths of both: combining BERT and LSTMs, it cooks.", "bert", "composes_with", "lstm"),
        ("A combination of CNNs and LSTMs is used.", "cnn", "composes_with", "lstm"),
        ("We fine-tune BERT with LoRA.", "bert", "composes_with", "lora"),
        ("BERT is trained with Adam.", "bert", "composes_with", "adam"),
        ("We add dropout to BERT.", "dropout", "composes_with", "bert"),
        ("LoRA can be applied to BERT.", "lora", "composes_with", "bert"),
        ("FlashAttention is compatible with RoPE.", "flash", "composes_with", "rope"),
        ("BERT uses layer normalization.", "bert", "composes_with", "layer-norm"),
        ("Here the LSTM is fully replaced by the Transformer.", "transformer", "alternative_to", "lstm"),
        ("We discuss the incompatibility of dropout with batch normalization.", "dropout", "conflicts_with", "batch-norm"),
    ],
)
def test_a_sentence_states_a_relation(text: str, subject: str, relation: str, other: str) -> None:
    assert said(text) == [(subject, relation, other)]


@pytest.mark.parametrize(
    "text",
    [
        "Does T5 outperform BERT?",
        "T5 may outperform BERT.",
        "We ask whether T5 outperforms BERT.",
        "We hope that T5 outperforms BERT.",
        "If T5 outperforms BERT, we stop.",
        "T5 could be better than BERT.",
        "In future work we will combine BERT with LoRA.",
        "There is no evidence that T5 outperforms BERT.",
        "We did not find that T5 outperforms BERT.",
        "T5 seems to outperform BERT.",
        "T5 can outperform BERT.",
        "T5 outperforms BERT only when the soup is hot.",
        "T5 outperforms BERT in some cases.",
        "T5 sometimes outperforms BERT.",
        "It is a myth that RoPE requires multi-head attention.",
    ],
)
def test_questions_plans_and_hedges_state_nothing(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "A mixture of LSTMs and T5 outperforms BERT.",
        "A variant of T5 outperforms BERT.",
        "Soup cooked with T5 outperforms BERT.",
        "Sparse T5 outperforms BERT.",
        "T5-based cooks outperform BERT.",
        "T5 outperforms BERT-based cooks.",
        "T5 outperforms BERT with an added LSTM.",
        "T5 outperforms existing BERT methods.",
        "T5 outperforms UNet-based and other BERT models.",
        "T5's cook outperforms BERT.",
        "T5 outperforms itself.",
        "T5 outperforms T5-large.",
        "T5 outperforms cooks. BERT sleeps.",
    ],
)
def test_a_name_that_is_only_a_part_of_what_is_meant_takes_no_part(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    ("surface", "component", "same"),
    [
        ("BERT", "bert", True),
        ("vision transformers", "vit", True),
        ("NAS", "neural-architecture-search", True),
        ("layer normalization", "layer-norm", True),
        ("maximum mean discrepancy", "mmd-loss", True),
        ("Qwen2.5", "qwen2-5", True),
        ("Bi-LSTM", "bilstm", True),
        ("Rad-DINO", "medical-image-encoder", False),
        ("Video-R1", "video-llm", False),
        ("FixMatch", "pseudo-labeling", False),
        ("Long-CLIP", "clip", False),
        ("Sparse DETR", "detr", False),
        ("AudioGen", "audio-generator", False),
        ("residual flows", "normalizing-flow", False),
        ("o3-mini", "openai-o1", False),
        ("k-mixup", "mixup-variants", False),
    ],
)
def test_a_member_filed_under_its_family_is_not_the_family(surface: str, component: str, same: bool) -> None:
    assert names_it(surface, component) is same


@pytest.mark.parametrize(
    "text",
    [
        "We propose SoupNet, a novel Transformer which outperforms BERT.",
        "We cook a T5 that outperforms BERT.",
        "Our T5 outperforms BERT.",
        "T5 achieves results comparable to or exceeding BERT.",
        "T5 often outperforms BERT.",
        "We add it into T5 instead of BERT.",
        "T5 replaces BERT with something else.",
        "Combining T5 with BERT is no easy feat.",
        "T5 outperforms two state-of-the-art BERT algorithms.",
        "T5 outperforms BERT, LSTM and CNN based cooks.",
        "We integrate LoRA and dropout into Bismarck.",
        "T5 achieves minimal improvements over BERT.",
        "They ask: does T5 outperform BERT? T5 sleeps.",
        "A slow stew cooking (BERT) baseline is beaten. T5 outperforms the Transformer (BERT) baseline.",
    ],
)
def test_what_only_resembles_a_statement_states_nothing(text: str) -> None:
    assert said(text) == []


def test_each_name_of_a_list_takes_part() -> None:
    assert said("T5 outperforms BERT, GPT, and LSTMs on soups.") == [("t5", "improves_on", other) for other in ("bert", "gpt", "lstm")]
    assert said("Both T5 and GPT outperform BERT.") == [("t5", "improves_on", "bert"), ("gpt", "improves_on", "bert")]
    assert said("T5 beats many strong cooks, including soup kitchens, BERT and FooNet.") == []
    assert said("T5 beats many strong models, including soup kitchens, BERT and FooNet.") == [("t5", "improves_on", "bert")]
    assert said("A combination of BERT, LoRA and dropout is used.") == [
        ("bert", "composes_with", "lora"),
        ("bert", "composes_with", "dropout"),
        ("lora", "composes_with", "dropout"),
    ]
    assert said("T5 outperforms BERT, and GPT outperforms LSTMs.") == [("t5", "improves_on", "bert"), ("gpt", "improves_on", "lstm")]


def test_the_place_of_the_comparison_is_no_part_of_it() -> None:
    assert said("Unlike GPT, T5 outperforms BERT.") == [("t5", "improves_on", "bert")]
    assert said("With the help of Adam, T5 outperforms BERT when LSTMs stir.") == [("t5", "improves_on", "bert")]


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("T5 does not outperform BERT.", "improves_on"),
        ("T5 fails to outperform BERT.", "improves_on"),
        ("RoPE does not require multi-head attention.", "requires"),
        ("RoPE requires no multi-head attention.", "requires"),
        ("RoPE eliminates the need for multi-head attention.", "requires"),
        ("RoPE is not compatible with multi-head attention.", "conflicts_with"),
    ],
)
def test_what_is_denied_has_the_polarity_false(text: str, relation: str) -> None:
    (claim,) = claims(text)
    assert claim.relation == relation
    assert claim.polarity is (relation == "conflicts_with")


@pytest.mark.parametrize(
    ("text", "metric", "delta", "unit"),
    [
        ("T5 outperforms BERT by 2.1 BLEU on soups.", "BLEU", 2.1, "points"),
        ("T5 outperforms BERT by 2.1% in accuracy.", "accuracy", 2.1, "%"),
        ("T5 outperforms BERT by 3 percentage points.", None, 3.0, "points"),
        ("T5 outperforms BERT in terms of perplexity.", "perplexity", None, None),
        ("T5 outperforms BERT by a factor of 2.", None, 2.0, "x"),
        ("T5 is 2.5x faster than BERT.", "speed", 2.5, "x"),
        ("T5 achieves a 1.5 point F1 improvement over BERT.", "F1", 1.5, "points"),
        ("T5 achieves higher accuracy than BERT.", "accuracy", None, None),
        ("T5 outperforms BERT by up to 9%.", None, None, None),
        ("T5 outperforms BERT by 2-9%.", None, None, None),
        ("T5 outperforms BERT by 2 and 3 BLEU.", None, None, None),
        ("T5 outperforms BERT and GPT by 2 and 3 points, respectively.", None, None, None),
        ("T5 reaches an accuracy of 90.1%, outperforming BERT.", "accuracy", None, None),
        ("T5 outperforms BERT.", None, None, None),
    ],
)
def test_metric_and_difference_where_they_are_stated(text: str, metric: str | None, delta: float | None, unit: str | None) -> None:
    claim = claims(text)[0]
    assert (claim.metric, claim.delta, claim.unit) == (metric, delta, unit)


def test_names_the_document_brings_up_take_part() -> None:
    assert said("We propose SoupNet, a cook. SoupNet outperforms BERT.") == [("SoupNet", "improves_on", "bert")]
    assert said("We propose SoupNet. It keeps BERT's heat.") == []


def test_our_method_is_the_one_thing_that_the_document_introduces() -> None:
    start = "We propose SoupNet, a cook. "
    for subject in ("Our method", "The proposed model", "It", "We", "This approach"):
        assert said(f"{start}{subject} outperforms BERT.".replace("We outperforms", "We outperform")) == [
            ("SoupNet", "improves_on", "bert")
        ]
    assert said("Our method outperforms BERT.") == []
    assert said("We propose SoupNet. We propose StewNet. Our method outperforms BERT.") == []
    assert said("We propose SoupNet and the bowl shape unit (BSU). Our method outperforms BERT.") == []
    assert said("SoupBench: A benchmark of soups\n\nOur method outperforms BERT.", "SoupBench: A benchmark of soups") == []


def test_it_is_what_the_sentence_before_speaks_of() -> None:
    assert said("We propose SoupNet. LSTMs are slow. It outperforms BERT.") == []


def test_two_abbreviations_that_are_no_components_are_no_claim() -> None:
    text = "The slow cooker network (SCN) meets the cold bowl network (CBN). SCN outperforms CBN. SCN outperforms BERT."
    assert said(text) == [("SCN", "improves_on", "bert")]


def test_a_claim_carries_its_sentence() -> None:
    text = "Soups are old. T5 outperforms BERT. Stews are new."
    (claim,) = claims(text)
    assert text[claim.start : claim.end] == "T5 outperforms BERT."
    assert claim.quote_hash == hashlib.sha256(b"T5 outperforms BERT.").hexdigest()
    assert claim.pattern == "X outperforms Y"


def test_a_symmetric_relation_is_said_once_in_a_sentence() -> None:
    assert said("We combine BERT with LoRA, a combination of LoRA and BERT.") == [("bert", "composes_with", "lora")]


def test_code_and_tables_say_nothing() -> None:
    text = "T5 outperforms BERT."
    assert claims(text, blocks=(Block("code", 0, len(text)),)) == []
    assert claims(text, blocks=(Block("table", 0, len(text)),)) == []


def test_names_of_patterns_are_unique_and_every_template_compiles() -> None:
    assert len({pattern.name for pattern in PATTERNS}) == len(PATTERNS)
    for pattern in PATTERNS:
        assert {"X"} <= set(pattern.expression.groupindex)
        assert pattern.among or "Y" in pattern.expression.groupindex


PIECES = (
    "T5",
    "BERT",
    "LoRA",
    "outperforms",
    "combine",
    "with",
    "and",
    ",",
    ". ",
    "not",
    "İ",
    "𝔸",
    "by 2",
    "%",
    "our method",
    "(",
    ")",
    "It",
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_claims_lie_inside_the_text_and_do_not_depend_on_chance(pieces: list[str]) -> None:
    text = " ".join(pieces)
    found = claims(text)
    assert found == claims(text)
    for claim in found:
        assert 0 <= claim.start < claim.end <= len(text)
        assert claim.subject != claim.object
        assert claim.quote_hash == hashlib.sha256(text[claim.start : claim.end].encode()).hexdigest()
