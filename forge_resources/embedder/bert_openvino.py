"""The BERT-type encoder as an OpenVINO graph (extra `fast`), from the same weights as the torch one; bf16 where the CPU has it.

In: a Batch of word pieces. Out: pooled rows, float32 [rows, hidden], not normalised.
The graph is written in OpenVINO's own operators: its converter for torch modules reports to a telemetry server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forge_resources.embedder.bert_torch import load_weights
from forge_resources.embedder.layout import BertLayout
from forge_resources.embedder.models import ModelFiles
from forge_resources.embedder.pieces import Batch
from forge_resources.embedder.transfers import Pooled
from forge_resources.errors import EmbedderError

BATCH_TOKENS = 4096
Node = Any
Weights = dict[str, NDArray[np.float32]]


class OpenVinoEncoder:
    def __init__(self, files: ModelFiles, layout: BertLayout, *, bf16: bool, threads: int) -> None:
        try:
            import openvino  # type: ignore[import-untyped]
        except ImportError:
            raise EmbedderError(
                "FORGE_EMBEDDER_BACKEND=openvino, but openvino is not installed: install Forge's extra 'fast', or use 'auto'"
            ) from None
        weights: Weights = {name: w.float().numpy() for name, w in load_weights(files, layout).items()}
        precision = "bf16" if bf16 else "f32"
        options = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": str(threads),
            "NUM_STREAMS": "1",
            "ENABLE_CPU_PINNING": "NO",
        }
        self._run = openvino.compile_model(graph(weights, layout), "CPU", options)
        self.dims = layout.hidden
        self.batch_tokens = BATCH_TOKENS
        self.multiple = 1
        self.backend = f"openvino-{precision}"

    def submit(self, batch: Batch) -> Callable[[], Pooled]:
        real = np.arange(batch.ids.shape[1])[None, :] < batch.lengths[:, None]
        pooled: Pooled = np.array(self._run([batch.ids, real])[0], dtype=np.float32)
        return lambda: pooled


def graph(weights: Weights, layout: BertLayout) -> Any:
    """openvino.Model of `bert_torch.forward` and `pool`: ids int64 [rows, width], real bool [rows, width] -> float32 [rows, hidden]."""
    import openvino
    from openvino import opset13 as ops

    def number(value: Any, kind: type = np.int64) -> Node:
        return ops.constant(np.array(value, dtype=kind))

    def norm(x: Node, name: str) -> Node:
        centred = ops.mvn(x, number([-1]), True, layout.epsilon, "inside_sqrt")
        return ops.add(ops.multiply(centred, ops.constant(weights[f"{name}.w"])), ops.constant(weights[f"{name}.b"]))

    def linear(x: Node, name: str) -> Node:
        return ops.add(ops.matmul(x, ops.constant(weights[f"{name}.w"]), False, True), ops.constant(weights[f"{name}.b"]))

    def activate(x: Node) -> Node:
        return ops.gelu(x, "erf") if layout.activation == "gelu" else ops.relu(x)

    ids = ops.parameter([-1, -1], np.int64, name="ids")
    real = ops.parameter([-1, -1], np.bool_, name="real")
    mask = ops.unsqueeze(real, number([1, 2]))
    width = ops.gather(ops.shape_of(ids), number(1), number(0))
    positions = ops.slice(
        ops.constant(weights["positions"][layout.first_position :]), number([0]), ops.unsqueeze(width, number(0)), number([1]), number([0])
    )
    words = ops.gather(ops.constant(weights["words"]), ids, number(0))
    x = norm(ops.add(ops.add(words, positions), ops.constant(weights["kinds"][0])), "norm")
    for i in range(layout.layers):
        heads = ops.reshape(linear(x, f"{i}.qkv"), number([0, 0, 3, layout.heads, layout.hidden // layout.heads]), True)
        three = ops.split(ops.transpose(heads, number([2, 0, 3, 1, 4])), number(0), 3)
        query, key, value = (ops.squeeze(three.output(j), number([0])) for j in range(3))
        seen = ops.scaled_dot_product_attention(query, key, value, mask)
        merged = ops.reshape(ops.transpose(seen, number([0, 2, 1, 3])), number([0, 0, layout.hidden]), True)
        x = norm(ops.add(x, linear(merged, f"{i}.attended")), f"{i}.attended_norm")
        x = norm(ops.add(x, linear(activate(linear(x, f"{i}.inner")), f"{i}.outer")), f"{i}.outer_norm")
    if layout.pooling == "cls":
        pooled = ops.gather(x, number(0), number(1))
    else:
        ones = ops.unsqueeze(ops.convert(real, "f32"), number([2]))
        pooled = ops.divide(ops.reduce_sum(ops.multiply(x, ones), number([1])), ops.reduce_sum(ones, number([1])))
    return openvino.Model([pooled], [ids, real], "bert")
