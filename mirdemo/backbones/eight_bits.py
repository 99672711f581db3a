"""Products of matrices in eight bits, states and weights rounded row by row, in a network that OpenVINO has read.

Ranges that are fixed beforehand from other sounds lose what is quiet. OpenVINO's own rounding while it computes ("dynamic
quantization") keeps it, but adds in groups of 128 numbers, which costs half of what eight bits win. Here a row is divided by its
largest number before it is rounded to a range that is the same for all, and its products are multiplied by that number: the
kernels are those of fixed ranges. MERT-95M's shape, random weights, three test sounds, the lowest cosine of any layer: .9987 with
fixed ranges (convolutions in float32; .955 with theirs, too), .9995 in groups of 128, .9992 here with the convolutions as
products (``backbones.products``). One run each, no interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from openvino import Model, Node, Output

#: Whole numbers from -128 to 127, so that nothing stays nothing.
_LEVELS, _LARGEST = 256, 127
_TINY = float(np.finfo(np.float32).tiny)


def round_rows(model: Model) -> int:
    """Let every product of states with a matrix of weights be computed in eight bits. Returns how many there are."""
    rounded: dict[Any, tuple[Node, Node]] = {}  # what several products read is rounded once
    count = 0
    for node in model.get_ordered_ops():
        if node.get_type_name() != "MatMul" or not node.get_attributes().get("transpose_b"):
            continue
        held = node.input_value(1).get_node()
        if held.get_type_name() != "Constant" or len(held.shape) != 2:
            continue
        states = node.input_value(0)
        key = states.get_node().get_friendly_name(), states.get_index()
        if key not in rounded:
            rounded[key] = _states(states)
        _replace(node, *rounded[key], _weights(np.asarray(held.data, np.float32)))
        count += 1
    return count


def _states(states: Output) -> tuple[Node, Node]:
    """(rows in whole numbers, as OpenVINO writes them; what each is to be multiplied by)."""
    from openvino import opset13 as ops

    def number(value: float) -> Node:
        return ops.constant(np.float32(value))

    largest = ops.reduce_max(ops.abs(states), ops.constant(np.array([-1])), True)
    scale = ops.maximum(largest, number(_TINY))
    low = number(-(_LEVELS - 1 - _LARGEST) / _LARGEST)
    return ops.fake_quantize(ops.divide(states, scale), low, number(1), low, number(1), _LEVELS), scale


def _weights(weights: np.ndarray) -> Node:
    from openvino import opset13 as ops

    scale = np.maximum(np.abs(weights).max(axis=1, keepdims=True) / _LARGEST, _TINY)
    whole = ops.convert(ops.constant(np.rint(weights / scale).astype(np.int8)), "f32")
    return ops.multiply(whole, ops.constant(scale))


def _replace(node: Node, rows: Node, scale: Node, weights: Node) -> None:
    from openvino import opset13 as ops

    read_by = list(node.output(0).get_target_inputs())
    product = ops.multiply(ops.matmul(rows, weights, False, True), scale)
    for one in read_by:
        one.replace_source_output(product.output(0))
