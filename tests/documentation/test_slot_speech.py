"""Which candidates belong to their slot, by how works speak of them; by their names and definitions: test_named_things.py."""

from __future__ import annotations

from uuid import UUID, uuid5

from forge_assets.documentation.candidate_floor import Known, why_not
from forge_assets.documentation.slot_speech import FEWEST_SENTENCES, Likeness, SlotSpeech

NAMESPACE = UUID(int=0)
BLORP = Known("Blorp", None, ("Blorp",), works=40, signs={}, slot="optimizer", slot_share=0.8)


def said(*texts: str, role: str = "definition") -> list[tuple[str, UUID, str]]:
    return [(role, uuid5(NAMESPACE, text), text) for text in texts]


CALLED = said("Blorp is a first-order method for training deep networks.", "Blorp is an optimizer that needs no tuning.")


def test_how_works_speak_of_it_decides_on_the_slot() -> None:
    assert why_not(BLORP, CALLED, Likeness(0.02, ("schedule",))) is None
    assert why_not(BLORP, CALLED, Likeness(0.02, ("moe_router", "kv_cache"))) == "works speak of it rather as of moe router and kv cache"
    assert why_not(BLORP, CALLED, Likeness(-0.01, ())) == "works do not speak of it as of the components of this slot"
    doubtful = Known("Blorp", None, ("Blorp",), 40, {}, "optimizer", 0.35)
    assert why_not(doubtful, CALLED, Likeness(0.2, ())) is None
    assert "35% of its evidence" in (why_not(doubtful, CALLED, Likeness(0.2, ("schedule",))) or "")
    assert "35% of its evidence" in (why_not(doubtful, CALLED) or "")


SPOKEN = {
    "optimizer": "{} converges with step sizes and momentum on smooth convex objectives number {}",
    "tokenizer": "{} splits words of rare languages into subwords and merges bytes by frequency number {}",
}
ILL = "{} shows the pulse of patients in clinical video recordings of skin and face number {}"


def speech(each: int) -> SlotSpeech:
    """Ten components a slot with so many sentences each, and ten candidates of which nine are of no slot."""
    components = [
        (f"{slot}-{one}", slot, text.format(f"{slot}x{one}", number))
        for slot, text in SPOKEN.items()
        for one in range(10)
        for number in range(each)
    ]
    candidates = [(f"candidate:ill{one}", "optimizer", ILL.format(f"Ill{one}", number)) for one in range(9) for number in range(8)]
    blorp = [("candidate:blorp", "optimizer", SPOKEN["optimizer"].format("Blorp", number)) for number in range(8)]
    return SlotSpeech(components, candidates + blorp)


def test_a_candidate_is_like_the_slot_whose_components_are_spoken_of_so() -> None:
    heard = speech(each=FEWEST_SENTENCES // 20)
    right = heard.likeness("candidate:blorp", ["Blorp"], "optimizer")
    assert right is not None and right.own > 0 and right.before == ()
    wrong = heard.likeness("candidate:blorp", ["Blorp"], "tokenizer")
    assert wrong is not None and wrong.own < 0 and wrong.before == ("optimizer",)
    ill = heard.likeness("candidate:ill0", ["Ill0"], "optimizer")
    assert ill is not None and ill.own < 0


def test_where_little_is_known_nothing_is_said() -> None:
    assert speech(each=FEWEST_SENTENCES // 20 - 1).likeness("candidate:blorp", ["Blorp"], "optimizer") is None
    heard = speech(each=FEWEST_SENTENCES // 20)
    assert heard.likeness("candidate:unheard", ["Unheard"], "optimizer") is None
    assert heard.likeness("candidate:blorp", ["Blorp"], "serving") is None


def test_words_of_its_own_name_say_nothing() -> None:
    heard = speech(each=FEWEST_SENTENCES // 20)
    masked = heard.likeness("candidate:ill0", ["Ill0", ILL.format("shows", "")], "optimizer")
    assert masked is None
