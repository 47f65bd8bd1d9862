"""ONNX: the printed module as a graph of standard operators, any batch and any length; and its weights in 8 or 4 bits by blocks of 32.

A quantised weight is an integer tensor with a DequantizeLinear behind it (ONNX, opset 21), so that every runtime of that opset reads it.
onnxruntime's own quantisers leave tables that are transposed in the graph (a tied head) and experts as they are.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from forge_assets.blueprints.fdl import ir
from forge_assets.blueprints.fdl.backends import BACKENDS
from forge_assets.blueprints.fdl.backends.running import imported
from forge_assets.fragments.export.llama_architectures import Array
from forge_assets.fragments.golden import static_sizes
from forge_assets.fragments.plan import Plan

OPSET = 21
BITS = {"int8": 8, "int4": 4}
BLOCK = 32
TABLES = ("model.embed_tokens.weight", "lm_head.weight")
"""Stay in 8 bits where the rest has 4: each of their rows is one token's."""
LARGEST_FILE = 1 << 30
"""Bytes of weights up to which they stand in the graph's own file; a protobuf ends at 2 GiB."""
INPUT, OUTPUT = "input_ids", "logits"


def write(
    path: Path, program: ir.Program, sizes: Mapping[str, int], context: int, tensors: Mapping[str, Array], about: Mapping[str, str]
) -> None:
    """`input_ids` i64[batch, sequence] -> `logits` f32[batch, sequence, v]."""
    import torch

    module = imported("torch", BACKENDS["torch"].print(program)["module_torch.py"])
    model = module.LM(module.Sizes(**static_sizes(program, sizes))).eval()
    model.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in tensors.items()})
    axes = {0: torch.export.Dim("batch", min=1, max=1 << 16), 1: torch.export.Dim("sequence", min=1, max=context)}
    example = torch.zeros(2, min(3, context), dtype=torch.int64)
    with _quiet(), torch.no_grad():
        made: Any = torch.onnx.export(
            model, (example,), dynamo=True, opset_version=OPSET, input_names=[INPUT], output_names=[OUTPUT],
            dynamic_shapes={"ids": axes}, verbose=False, custom_translation_table={torch.ops.aten.sort.stable: _sorted_stable},
        )  # fmt: skip
    _bare(made.model, about)
    made.save(path, external_data=sum(one.nbytes for one in tensors.values()) > LARGEST_FILE)


def about(plan: Plan) -> dict[str, str]:
    """What the file says of where it comes from."""
    return {"blueprint": plan.blueprint, "spec": plan.spec, "run": plan.run, "licence": plan.licence}


def _sorted_stable(values: Any, stable: bool = True, dim: int = -1, descending: bool = False) -> Any:
    """A router's ranks, for which the exporter has no operator: TopK puts the lower index first among equals (ONNX, TopK)."""
    from onnxscript import opset21

    op: Any = opset21
    size = op.Reshape(op.Gather(op.Shape(values), dim, axis=0), op.Constant(value_ints=[1]))
    return op.TopK(values, size, axis=dim, largest=int(descending), sorted=1)


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells of packages that nobody here needs."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(before)


def _bare(model: Any, about: Mapping[str, str]) -> None:
    """Without the notes of the exporter, which name paths and lines of this machine."""
    model.metadata_props.clear()
    model.metadata_props.update(dict(sorted(about.items())))
    model.doc_string = model.graph.doc_string = None
    model.graph.metadata_props.clear()
    for node in model.graph.all_nodes():
        node.metadata_props.clear()
        node.doc_string = None
        for value in node.outputs:
            value.metadata_props.clear()
    for value in (*model.graph.inputs, *model.graph.initializers.values()):
        value.metadata_props.clear()


def quantised(source: Path, path: Path, kind: str) -> list[str]:
    """Writes the graph with its weights in int8 or int4 and returns their names. One that no axis cuts into blocks stays in f32."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(source)
    graph = model.graph
    kept, nodes, done = [], [], []
    for one in graph.initializer:
        array = numpy_helper.to_array(one)
        axis = next((axis for axis in reversed(range(array.ndim)) if array.shape[axis] % BLOCK == 0), None)
        if array.ndim < 2 or array.dtype != np.float32 or axis is None:
            kept.append(one)
            continue
        bits = 8 if one.name in TABLES else BITS[kind]
        values, scales = rounded(array, bits, axis)
        name = f"{one.name}.int{bits}"
        kept += [_tensor(name, values, bits), numpy_helper.from_array(scales, f"{one.name}.scale")]
        nodes.append(helper.make_node("DequantizeLinear", [name, f"{one.name}.scale"], [one.name], f"dequantize.{one.name}",
                                      axis=axis, block_size=BLOCK))  # fmt: skip
        done.append(one.name)
    nodes += graph.node
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    large = sum(len(one.raw_data) for one in kept) > LARGEST_FILE
    onnx.save(model, path, save_as_external_data=large, location=f"{path.name}.data")
    return done


def rounded(array: Array, bits: int, axis: int) -> tuple[Array, Array]:
    """-> whole numbers of `bits` bits in the same shape, and the scale of each block along `axis`: the largest value of a block goes onto
    the largest number, in 4 bits with its sign onto -8, so that all 16 are used (as q8_0 and q4_0 of llama.cpp)."""
    blocks = np.moveaxis(array, axis, -1)
    blocks = blocks.reshape(*blocks.shape[:-1], -1, BLOCK)
    far = np.take_along_axis(blocks, np.abs(blocks).argmax(-1, keepdims=True), -1)
    scales = np.abs(far) / np.float32(127) if bits == 8 else far / np.float32(-8)
    scales[scales == 0] = 1
    low, high = (-127, 127) if bits == 8 else (-8, 7)
    values = np.clip(np.rint(blocks / scales), low, high).astype(np.int8).reshape(*blocks.shape[:-2], -1)
    return np.moveaxis(values, -1, axis), np.ascontiguousarray(np.moveaxis(scales[..., 0], -1, axis), np.float32)


def _tensor(name: str, values: Array, bits: int) -> Any:
    """Two numbers of 4 bits share a byte, the first in its lower half (onnx.proto, TensorProto.raw_data)."""
    from onnx import TensorProto, helper

    if bits == 8:
        return helper.make_tensor(name, TensorProto.INT8, values.shape, np.ascontiguousarray(values).tobytes(), raw=True)
    halves = values.reshape(-1).astype(np.uint8) & 0xF
    return helper.make_tensor(name, TensorProto.INT4, values.shape, (halves[::2] | halves[1::2] << 4).tobytes(), raw=True)


class OnnxRuntime:
    """A file run by onnxruntime on the CPU."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        import onnxruntime  # type: ignore[import-untyped, unused-ignore]

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def logits(self, ids: Array) -> Array:
        """`ids` [b, t] -> f32 [b, t, v]."""
        (found,) = self.session.run([OUTPUT], {INPUT: np.asarray(ids, np.int64)})
        made: Array = found
        return made

    def greedy(self, ids: Sequence[int], most: int, ends: Sequence[int]) -> list[int]:
        """The likeliest token again and again, up to and with one that ends a text."""
        made: list[int] = []
        while len(made) < most and not (made and made[-1] in ends):
            made.append(int(self.logits(np.array([[*ids, *made]]))[0, -1].argmax()))
        return made
