"""A solved stack -> the FDL text of its model, with the sizes of its shape: files of the library, joined where their ports meet.

`(slots, shape) -> Composed(text, sizes)`. What the library does not have is refused with the component, and what would work in its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from forge_assets.blueprints.fdl.library.joining import AXIS, biased, in_order, reduced, used_axes
from forge_assets.blueprints.fdl.library.pieces import Entry, covered, entries
from forge_assets.compatibility.arithmetic.shape import ModelShape
from forge_resources.errors import BlueprintError

SLOTS = (
    "embedding",
    "position_encoding",
    "norm",
    "qk_norm",
    "attention",
    "activation",
    "moe_router",
    "ffn",
    "residual",
    "norm_placement",
    "output_head",
)
"""In the order of the text; each piece stands above those that call it."""
PLAIN = {"embedding": "token-embedding", "position_encoding": "nope", "norm": "rms-norm", "attention": "mha", "activation": "silu",
         "ffn": "swiglu", "residual": "residual-connection", "norm_placement": "pre-norm", "output_head": "lm-head"}  # fmt: skip
"""What stands in a slot that the stack leaves empty, where a model cannot do without."""
ARCHITECTURES = ("decoder-only", "transformer", "autoregressive-model")
TABLE = 'param E: f32[v,d] from "model.embed_tokens.weight"'
MIXER = "sequence_mixer"
BOTH_SIDES = {"bidirectional-attention": "attention"}
"""Components that see later tokens: nothing for models that predict what follows."""
LEFT_TO_RIGHT = ("causal-lm", "fill-in-the-middle", "multi-token-prediction")
MODEL = 'model LM = Embed ; Block * L prefix "model.layers.{i}." ; Head\n'
AXES = """axis b "batch"
axis t "position"
axis d "model"
axis g "group of query heads, one key head each"
axis r "query heads in a group"
axis c = 2 "half of a head"
axis j "frequency"
axis f "feed-forward"
axis v "vocabulary"
"""


@dataclass(frozen=True, slots=True)
class Composed:
    """`sizes` of the axes that are left to the caller, batch and positions aside; `files`: slot -> the component whose text was taken."""

    text: str
    sizes: Mapping[str, int]
    files: Mapping[str, str]


def model_text(slots: Mapping[str, str | None], shape: ModelShape, constants: Mapping[str, float] | None = None) -> Composed:
    """`constants`: values for `const` lines of the pieces, such as eps or theta; those that the shape knows are set from it.

    Raises BlueprintError for a component that the library does not have, or that does not fit the others."""
    chosen = _chosen(slots)
    _causal(slots)
    _fit(chosen, slots, shape)
    numbers = _constants(shape) | dict(constants or {})
    played = {role: slot for slot, one in chosen.items() for role in one.plays}
    parts = [biased(reduced(chosen[slot], played, numbers), slot, shape) for slot in (*SLOTS, MIXER) if slot in chosen]
    axes, units = "", []
    for part in parts:
        axes += "".join(line.group() for line in AXIS.finditer(part) if f"axis {line[1]} " not in AXES + axes)
        units.append(AXIS.sub("", part).strip("\n"))
    body = in_order("\n\n".join(units))
    if shape.tied and TABLE in chosen["embedding"].text:
        body = body.replace('"lm_head.weight"', '"model.embed_tokens.weight"')
    text = _title(chosen, slots) + used_axes(AXES + axes, body) + "\n" + body + "\n\n" + MODEL
    return Composed(text, _sizes(shape, text), {slot: slots.get(slot) or PLAIN.get(slot, "") for slot in chosen})


def _chosen(slots: Mapping[str, str | None]) -> dict[str, Entry]:
    architecture = slots.get("architecture")
    if architecture and architecture not in ARCHITECTURES:
        raise missing("architecture", architecture, ARCHITECTURES)
    found: dict[str, Entry] = {}
    for slot in (*SLOTS, MIXER):
        component = slots.get(slot) or PLAIN.get(slot)
        if component is None:
            continue
        entry = entries().get((slot, component))
        if entry is None:
            raise missing(slot, component, covered(slot))
        found[slot] = entry
    return found


def missing(slot: str, component: str, known: tuple[str, ...]) -> BlueprintError:
    return BlueprintError(
        f"FDL has no text for {component} in the slot {slot}; it has {', '.join(known)}: pin one of them (--pin {slot}={known[0]}), "
        f"or write {component} by hand below fdl/library/{slot}"
    )


def _causal(slots: Mapping[str, str | None]) -> None:
    for component, slot in BOTH_SIDES.items():
        if slots.get(slot) == component and slots.get("objective") in LEFT_TO_RIGHT:
            raise BlueprintError(f"{component} sees the tokens that {slots['objective']} has to predict; pin another {slot}, such as mha")


def _fit(chosen: dict[str, Entry], slots: Mapping[str, str | None], shape: ModelShape) -> None:
    """Two may play one role only where one replaces the other: a mixer attention, a residual with a block of its own the plain block."""
    if MIXER in chosen:
        if shape.attention_layers and slots.get("attention") and "attention" in chosen[MIXER].plays:
            chosen.pop("attention")
        for slot in ("position_encoding", "qk_norm"):
            if slot in chosen and not chosen[slot].plays & {"placed"}:
                chosen.pop(slot)
    if "Block" in chosen["residual"].plays:
        if (slots.get("norm_placement") or "pre-norm") != "pre-norm":
            raise BlueprintError(
                f"{slots['residual']} has a block of its own, in which {slots['norm_placement']} has no place; pin norm_placement=pre-norm"
            )
        chosen.pop("norm_placement")
    if TABLE in chosen["output_head"].text and TABLE not in chosen["embedding"].text:
        told = f"{slots['output_head']} uses the table of the embedding, which {slots['embedding']} has in another width"
        raise BlueprintError(f"{told}; pin output_head=lm-head")
    if "routed" in chosen["ffn"].calls and "moe_router" not in chosen:
        raise BlueprintError(f"{slots['ffn']} needs a router; fill the slot moe_router with one of {', '.join(covered('moe_router'))}")
    if "routed" not in chosen["ffn"].calls and "moe_router" in chosen:
        raise BlueprintError(f"{slots['moe_router']} routes to experts, but {slots['ffn']} has none; pin ffn=sparse-moe")
    if "routed" in chosen["ffn"].calls and shape.moe is None:
        raise BlueprintError(f"{slots['ffn']} has experts, but the shape has none; pin num_experts")
    _reach(chosen, slots)


def _reach(chosen: dict[str, Entry], slots: Mapping[str, str | None]) -> None:
    """What nothing calls would be lost without a word: positions on scores need an attention that has scores."""
    called = {role for one in chosen.values() for role in one.calls} | {"Embed", "Block", "Head"}
    for slot, one in list(chosen.items()):
        lost = one.plays - called
        if not lost or lost != one.plays - {"embedding_norm"}:
            continue
        if slot == "activation":
            chosen.pop(slot)  # a bilinear layer has none
            continue
        where = slots.get("attention") or slots.get("ffn")
        raise BlueprintError(
            f"{slots.get(slot)} acts on {' and '.join(sorted(lost))}, which {where} does not have; choose another {slot}, or attention=mha"
        )


def _constants(shape: ModelShape) -> dict[str, float]:
    made: dict[str, float] = {"scale": (2 * shape.layers) ** -0.5, "alpha": (2 * shape.layers) ** 0.25}
    if shape.window:
        made["window"] = shape.window
    if shape.moe:
        made["top"] = shape.moe.top_k
    return made


def _title(chosen: Mapping[str, Entry], slots: Mapping[str, str | None]) -> str:
    return f"# Composed of {', '.join(slots.get(slot) or PLAIN[slot] for slot in chosen)}.\n"


def _sizes(shape: ModelShape, text: str) -> dict[str, int]:
    """Sizes of base axes; those that the text does not have are left out."""
    latent, moe = shape.latent, shape.moe
    groups, each = (shape.heads, 1) if latent else (shape.kv_heads, shape.heads // max(1, shape.kv_heads))
    made = {"v": shape.vocab, "d": shape.hidden, "g": groups, "r": each, "j": (latent.rope_dim if latent else shape.head_dim) // 2,
            "f": moe.width if moe else shape.ffn, "L": shape.layers, "m": shape.positions, "k": shape.hidden // 4}  # fmt: skip
    if moe:
        made |= {"e": moe.experts, "h": moe.shared_width}
    if latent:
        made |= {"a": latent.query_rank, "l": latent.kv_rank, "n": latent.nope_dim, "k": latent.value_dim}
    free = {line[1] for line in AXIS.finditer(text) if "=" not in re.sub(r'"[^"]*"', "", line.group())} | {"L"}
    return {name: size for name, size in made.items() if name in free}
