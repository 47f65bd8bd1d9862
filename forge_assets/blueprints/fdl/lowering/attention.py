"""Softmax attention told from its lines: scores, mask, softmax, mix become one operation.

`o = sum[s](p * u)` with `p = softmax[s](where(mask, sum(q * k) * scale + bias, -1e30))`; the scores may be a sum of several products
(partial RoPE, MLA), which
are then joined along their features. What does not have this form, such as soft caps and sinks, stays as it is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.cache import MASKED
from forge_assets.blueprints.fdl.lowering.low import Attention, Low, full, low, merged, split
from forge_assets.blueprints.fdl.lowering.patterns import value_of
from forge_assets.blueprints.fdl.lowering.products import Term, factors, rescaled, terms

if TYPE_CHECKING:
    from forge_assets.blueprints.fdl.lowering.lower import Lowering


@dataclass(frozen=True, slots=True)
class _Heads:
    """How the axes of the scores lie: batch, those of the keys too, those of the query alone, query, key."""

    batch: str
    shared: tuple[str, ...]
    own: tuple[str, ...]
    query: str
    key: str


def attention(node: ir.Reduce, hint: Sequence[str], at: Lowering) -> Low | None:
    """None where the sum is no softmax attention."""
    inner = factors(node.body)
    if len(inner) != 2 or len(node.over) != 1 or any(one.below for one in inner):
        return None
    key = node.over[0]
    for weights, values in ((inner[0].value, inner[1].value), (inner[1].value, inner[0].value)):
        softmax = at.look_once(weights)
        if isinstance(softmax, ir.Reduce) and softmax.function == "softmax" and softmax.over == (key,):
            return _attention(softmax.body, values, key, hint, at)
    return None


def _attention(scores: ir.Expression, values: ir.Expression, key: str, hint: Sequence[str], at: Lowering) -> Low | None:
    scores = at.look_once(scores)
    mask, low_value = None, ir.Number(0.0)
    if isinstance(scores, ir.Apply) and scores.function == "where":
        condition, inside, otherwise = scores.arguments
        number = value_of(otherwise)
        if number is None or number > MASKED:
            return None
        mask, scores, low_value = at.look(condition), at.look_once(inside), ir.Number(number)
    products: list[tuple[Term, tuple[ir.Expression, ir.Expression] | None]] = []
    bias: list[tuple[Term, None]] = []
    for term in terms(scores, at.look_once):
        parted = _product(term.value, key)
        if parted:
            products.append((term, parted))
        else:
            bias.append((term, None))
    if not products or any(one.scale != products[0][0].scale for one, _ in products):
        return None
    features = {axis for term, _ in products if isinstance(term.value, ir.Reduce) for axis in term.value.over}
    heads = _heads([parted for _, parted in products if parted], features, values, key, hint, at)
    if heads is None:
        return None
    query, keys = _features([(parted, term.value) for term, parted in products if parted and isinstance(term.value, ir.Reduce)], heads, at)
    own = tuple(axis for axis in values.axes if axis not in (heads.batch, *heads.shared, key))
    value = _flat(at.value(values, (heads.batch, *heads.shared, key, *own)), (heads.batch, *heads.shared), key, own)
    shift, causal = _shift(mask, [rescaled(one) for one, _ in bias], low_value, heads, at)
    made = low(
        "attention", (query, keys, value, *shift), (heads.batch, "heads", heads.query, "*".join(own)),
        Attention(products[0][0].scale, causal, bool(heads.own)),
    )  # fmt: skip
    made = split(split(made, 3, own), 1, (*heads.shared, *heads.own) or ("heads",))
    if not heads.shared and not heads.own:
        made = low("index", (made,), tuple(axis for axis in made.axes if axis != "heads"), (":", 0, ":", *(":" for _ in own)))
    return made


def _product(node: ir.Expression, key: str) -> tuple[ir.Expression, ir.Expression] | None:
    """Query side and key side of a product of the two."""
    if not isinstance(node, ir.Reduce) or node.function != "sum" or key in node.over:
        return None
    inner = factors(node.body)
    if len(inner) != 2 or any(one.below for one in inner):
        return None
    sides = sorted((one.value for one in inner), key=lambda one: key in one.axes)
    over = set(node.over)
    fits = key not in sides[0].axes and key in sides[1].axes and over <= set(sides[0].axes) and over <= set(sides[1].axes)
    return (sides[0], sides[1]) if fits else None


def _heads(
    products: list[tuple[ir.Expression, ir.Expression]],
    features: set[str],
    values: ir.Expression,
    key: str,
    hint: Sequence[str],
    at: Lowering,
) -> _Heads | None:
    query_axes = list(dict.fromkeys(axis for query, _ in products for axis in query.axes))
    key_axes = list(dict.fromkeys(axis for _, keys in products for axis in keys.axes if axis != key))
    result = [axis for axis in hint if axis in query_axes and axis not in features]
    times = [axis for axis in query_axes if at.unit.root(axis) == at.unit.root(key)]
    if len(times) != 1:
        return None
    query_heads = [axis for axis in query_axes if axis not in features and axis != times[0]]
    key_heads = {axis for axis in key_axes if axis not in features}
    value_heads = {axis for axis in values.axes if axis != key and axis in query_heads}
    shared = [axis for axis in result if axis in key_heads and axis in query_heads]
    if set(shared) != key_heads or value_heads != key_heads or not shared:
        return None
    own = tuple(axis for axis in result if axis in query_heads and axis not in shared)
    return _Heads(shared[0], tuple(shared[1:]), own, times[0], key)


def _features(products: list[tuple[tuple[ir.Expression, ir.Expression], ir.Reduce]], heads: _Heads, at: Lowering) -> tuple[Low, Low]:
    """Queries and keys as four dimensions, several products joined along the last."""
    queries, keys = [], []
    for (query, key), over in products:
        features = over.over
        order = (heads.batch, *heads.shared, *heads.own)
        queries.append(_flat(at.value(query, (*order, heads.query, *features)), order, heads.query, features))
        order = (heads.batch, *heads.shared)
        keys.append(_flat(at.value(key, (*order, heads.key, *features)), order, heads.key, features))
    if len(queries) == 1:
        return queries[0], keys[0]
    return tuple(low("cat", some, (*some[0].axes[:3], "features"), 3) for some in (queries, keys))  # type: ignore[return-value]


def _flat(node: Low, order: tuple[str, ...], along: str, features: tuple[str, ...]) -> Low:
    """(batch, heads, positions, features)"""
    target = (*order, along, *features)
    node = full(node, target)
    count = len(order) - 1
    node = merged(node, len(order) + 1, len(target) - 1)
    if count == 0:
        return low("index", (node,), (order[0], None, *node.axes[1:]), (":", None, ":", ":"))
    return merged(node, 1, count)


def _shift(
    mask: ir.Expression | None, bias: list[ir.Expression], masked: ir.Expression, heads: _Heads, at: Lowering
) -> tuple[list[Low], bool]:
    """What is added to the scores, if anything, and whether it is just that later keys are hidden."""
    if mask is not None and not bias and _is_causal(mask, heads):
        return [], True
    if mask is None and not bias:
        return [], False
    if not bias:
        assert mask is not None
        node = mask
    else:
        node = bias[0]
        for one in bias[1:]:
            node = ir.Apply("add", (node, one), tuple(dict.fromkeys((*node.axes, *one.axes))), "f32")
        if mask is not None:
            node = ir.Apply("where", (mask, node, masked), tuple(dict.fromkeys((*mask.axes, *node.axes))), "f32")
    some = (*heads.shared, *heads.own)
    axes = (heads.batch, *some, heads.query, heads.key)
    wanted = [axis for axis in axes if axis in node.axes or axis in (heads.query, heads.key)]
    given = at.value(node, axes)
    if any(axis in node.axes for axis in some):
        wanted = [axis for axis in axes if axis in wanted or axis in some]
        made = full(given, wanted)
        first = wanted.index(some[0])
        made = merged(made, first, first + len(some) - 1)
    else:
        made = full(given, wanted)
        if heads.batch in node.axes:
            made = low("index", (made,), (made.axes[0], None, *made.axes[1:]), (":", None, ":", ":"))
    return [made], False


def _is_causal(mask: ir.Expression, heads: _Heads) -> bool:
    if not isinstance(mask, ir.Apply) or mask.function not in ("le", "ge"):
        return False
    left, right = mask.arguments if mask.function == "le" else mask.arguments[::-1]
    return left == ir.Position(heads.key) and right == ir.Position(heads.query)
