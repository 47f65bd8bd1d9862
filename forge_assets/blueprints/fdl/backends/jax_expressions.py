"""Operations of lowering/low.py as expressions in JAX; jax.py prints the functions around them."""

from __future__ import annotations

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends.arrays import Code, Expressions
from forge_assets.blueprints.fdl.lowering.low import Low
from forge_assets.blueprints.fdl.sizes import LARGEST
from forge_resources.errors import FdlError

TAKEN = frozenset(
    {"jax", "jnp", "math", "params", "size", "layer", "prefix", "past", "cache", "kept", "state", "now", "step", "split", "merge", "append",
     "attention", "rms_norm", "layer_norm", "causal", "Sizes", "NamedTuple"}
)  # fmt: skip
FUNCTIONS = {
    "rsqrt": "1.0 / jnp.sqrt({0})", "erf": "jax.scipy.special.erf({0})", "sigmoid": "jax.nn.sigmoid({0})", "silu": "jax.nn.silu({0})",
    "softplus": "jax.nn.softplus({0})", "relu": "jax.nn.relu({0})", "stop": "jax.lax.stop_gradient({0})", "max": "jnp.maximum({0}, {1})",
    "min": "jnp.minimum({0}, {1})", "float": "jnp.asarray({0}, jnp.float32)", "int": "jnp.asarray({0}, jnp.int32)",
}  # fmt: skip


class JaxExpressions(Expressions):
    """Operations of lowering/low.py in JAX."""

    def layer(self) -> str:
        return "layer"

    def number(self, node: ir.Expression) -> Code:
        """Raises FdlError for a whole number that JAX has not."""
        if isinstance(node, ir.Number | ir.Constant) and isinstance(node.value, int) and abs(node.value) > LARGEST:
            told = f"{node.value} does not fit into int32, in which JAX computes whole numbers; where it meets f32 write {node.value}.0"
            raise FdlError(f"{self.unit.name}: {told}", self.unit.place.line, self.unit.place.column)
        return super().number(node)

    def op_param(self, node: Low) -> Code:
        self.used_parameters[node.attr.name] = node.attr
        name = self.name(node.attr.name)
        if all(len(group) == 1 for group in node.attr.groups):
            return Code(name)
        return Code(f"{name}.reshape({', '.join(self.size(self.unit.size(axis)).text for axis in node.attr.axes)})")

    def op_count(self, node: Low) -> Code:
        name, dim, axis = node.attr
        return Code(f"jnp.arange({self.length(name, dim, axis)})")

    def op_index(self, node: Low) -> Code:
        inside = self.selectors(node.attr)
        return Code(f"{self.atom(node.inputs[0])}[{inside}]") if inside else self.code(node.inputs[0])

    def op_permute(self, node: Low) -> Code:
        inner = self.atom(node.inputs[0])
        return Code(f"{inner}.T") if len(node.attr) == 2 else Code(f"{inner}.transpose({', '.join(map(str, node.attr))})")

    def op_split(self, node: Low) -> Code:
        dim, axes = node.attr
        return Code(f"_split({self.text(node.inputs[0])}, {dim}, ({', '.join(map(self.axis_size, axes))}))")

    def op_merge(self, node: Low) -> Code:
        first, last = node.attr
        return Code(f"_merge({self.text(node.inputs[0])}, {first}, {last})")

    def op_expand(self, node: Low) -> Code:
        time = self.plan.time if self.plan else None
        whole = any(axis != time and self.unit.root(axis) == time for axis in node.axes if axis and "*" not in axis)
        sizes = [self.axis_size(axis, whole and axis != time) for axis in node.axes if axis is not None]
        return Code(f"jnp.broadcast_to({self.text(node.inputs[0])}, ({', '.join(sizes)}{',' * (len(sizes) == 1)}))")

    def op_like(self, node: Low) -> Code:
        root = self.floating_root(node.inputs[1])
        return self.code(node.inputs[0]) if root is None else Code(f"{self.atom(node.inputs[0])}.astype({root}.dtype)")

    def op_reduce(self, node: Low) -> Code:
        function, dims = node.attr
        told = str(dims[0]) if len(dims) == 1 else str(tuple(dims))
        given = node.inputs[0]
        if function == "rank":
            return Code(f"jnp.argsort(jnp.argsort({self.text(given)}, {told}, stable=True, descending=True), {told})")
        if function in ("softmax", "logsumexp"):
            return Code(f"jax.nn.{function}({self.text(given)}, {told})")
        return Code(f"{self.atom(given)}.{function}({told})")

    def op_einsum(self, node: Low) -> Code:
        return Code(f'jnp.einsum("{node.attr}", {", ".join(map(self.text, node.inputs))})')

    def op_linear(self, node: Low) -> Code:
        x, matrix = node.inputs
        turned = self.atom(matrix.inputs[0]) if matrix.op == "permute" else f"{self.atom(matrix)}.T"
        return Code(f"{self.code(x).at(6)} @ {turned}", 5)

    def op_gather(self, node: Low) -> Code:
        base, *arrays = node.inputs
        told = [one if one == ":" else str(one[1]) if one[0] == "fixed" else self.text(arrays[one[1]]) for one in node.attr]
        while told and told[-1] == ":":
            told.pop()
        return Code(f"{self.atom(base)}[{', '.join(told)}]")

    def op_clip(self, node: Low) -> Code:
        return Code(f"jnp.clip({self.text(node.inputs[0])}, 0, {self.length(node.inputs[1], *node.attr)} - 1)")

    def op_within(self, node: Low) -> Code:
        index, length = self.code(node.inputs[0]), self.length(node.inputs[1], *node.attr)
        return Code(f"({index.at(4)} >= 0) & ({index.at(4)} < {length})", 3)

    def op_embedding(self, node: Low) -> Code:
        return Code(f"{self.atom(node.inputs[1])}[{self.text(node.inputs[0])}]")

    def op_stack(self, node: Low) -> Code:
        return Code(f"jnp.stack(({', '.join(map(self.text, node.inputs))}), {node.attr})")

    def op_cat(self, node: Low) -> Code:
        return Code(f"jnp.concatenate(({', '.join(map(self.text, node.inputs))}), {node.attr})")

    def op_rms_norm(self, node: Low) -> Code:
        over, eps, (weighted, _) = node.attr
        weight = self.text(node.inputs[1]) if weighted else "None"
        return Code(f"_rms_norm({self.text(node.inputs[0])}, {weight}, {self.number(eps).text}, {len(over)})")

    def op_layer_norm(self, node: Low) -> Code:
        over, eps, (weighted, biased) = node.attr
        x, *rest = map(self.text, node.inputs)
        weight = rest.pop(0) if weighted else "None"
        bias = rest.pop(0) if biased else "None"
        return Code(f"_layer_norm({x}, {weight}, {bias}, {self.number(eps).text}, {len(over)})")

    def op_silu(self, node: Low) -> Code:
        return Code(f"jax.nn.silu({self.text(node.inputs[0])})")

    def op_gelu(self, node: Low) -> Code:
        return Code(f"jax.nn.gelu({self.text(node.inputs[0])}, approximate=False)")

    def op_gelu_tanh(self, node: Low) -> Code:
        return Code(f"jax.nn.gelu({self.text(node.inputs[0])}, approximate=True)")

    def op_attention(self, node: Low) -> Code:
        query, key, value, *mask = map(self.text, node.inputs)
        given = [query, key, value, self.scale(node.attr).text, *mask]
        if node.attr.causal:
            past = "past" if self.plan is not None else "0"
            given.append(f"_causal({past}, {query_length(self)})")
        return Code(f"_attention({', '.join(given)})")

    def function(self, name: str, given: list[str], inputs: tuple[Low, ...]) -> str:
        text = FUNCTIONS.get(name)
        if text is None:
            return f"jnp.{name}({', '.join(given)})"
        made = text.format(*given)
        return f"({made})" if name == "rsqrt" else made


def query_length(spell: Expressions) -> str:
    time = spell.plan.time if spell.plan else "t"
    return spell.size(spell.unit.size(time)).text
