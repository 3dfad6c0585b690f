from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np
import onnx
import pytest

from models.errors import RecipeMismatch
from models.onnx_graph import serialise
from models.quantise import quantise
from models.quantise.qdq import write_qdq
from models.quantise.recipe import Activation, Stream, pack
from tests.models.tiny_graph import pixels, recipe, residual, run, two_convolutions

# Scales that are powers of two: everything below can be computed exactly.
IMAGE, CLIPPED, LAST = Activation(0.0625, 128), Activation(0.0234375, 0), Activation(0.125, 100)
NODES = ["t1_pre", "t1", "t2"]
RANGES = {"image": IMAGE, "t1": CLIPPED, "t2": LAST}


def kinds(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def test_the_clip_is_left_out_and_each_tensor_is_rounded_once() -> None:
    model = two_convolutions()
    written = write_qdq(model, recipe(model, NODES, RANGES))
    onnx.checker.check_model(written, full_check=True)
    # Three tensors are rounded; three activations, two weights and two biases are read back.
    assert kinds(written) == {"Conv": 2, "QuantizeLinear": 3, "DequantizeLinear": 7, "Identity": 1}


@pytest.mark.parametrize(
    ("pixel", "expected"),
    [
        ((1.0, 1.0), 0.5),  # 3 x 1 - (2 + 1) + 0.5
        ((2.0, 0.0), 5.5),
        ((7.0, -2.0), 18.5),  # clipped on both sides: 3 x 6 - 0 + 0.5, and 6 is rounded to 255 steps
        ((-1.0, 3.0), -5.5),  # 3 x 0 - 6 + 0.5
    ],
)
def test_values_computed_by_hand(pixel: tuple[float, float], expected: float) -> None:
    model = two_convolutions()
    assert run(model, pixels(*pixel))[0, 0, 0, 0] == pytest.approx(expected)
    written = write_qdq(model, recipe(model, NODES, RANGES))
    # Half a step of each of the tensors on the way: 3 and 1 steps of the clipped one, one of the last.
    bound = (3 + 1) * 0.5 * CLIPPED.scale + 0.5 * LAST.scale + 0.05
    assert run(written, pixels(*pixel))[0, 0, 0, 0] == pytest.approx(expected, abs=bound)
    assert run(written, pixels(*pixel))[0, 0, 0, 0] % LAST.scale == 0


def test_a_value_beyond_the_range_saturates() -> None:
    model = two_convolutions()
    narrow = recipe(model, NODES, RANGES | {"t2": Activation(0.0625, 100)})
    assert run(write_qdq(model, narrow), pixels(7, -2))[0, 0, 0, 0] == (255 - 100) * 0.0625


def test_a_float_node_reads_the_exact_values_of_a_float_node() -> None:
    model = residual()
    # t2 is INT8 and reads t1 rounded in steps of 16; the addition is float and reads t1 as it is.
    coarse = recipe(model, ["t2"], {"t1": Activation(16, 0), "t2": Activation(1, 0)})
    written = write_qdq(model, coarse)
    added = next(node for node in written.graph.node if node.name == "t3")
    assert list(added.input) == ["t1", "t2_dq"]
    assert run(written, pixels(3, 1))[0, 0, 0, 0] == pytest.approx(3 + 1 + 0.01 * 100, abs=0.2)


def test_factors_and_biases_are_applied_before_rounding() -> None:
    model = residual()
    stream = Stream(["t1", "t2", "t3"], pack([1, 100]))
    plain = recipe(model, [], {})
    changed = msgspec.structs.replace(plain, streams=[stream], biases={"t4": pack([10, 20])})
    before, after = run(model, pixels(3, 1)), run(write_qdq(model, changed), pixels(3, 1))
    assert (after - before)[0, :, 0, 0] == pytest.approx([10, 20], abs=1e-4)
    written = {tensor.name: tensor for tensor in write_qdq(model, changed).graph.initializer}
    assert onnx.numpy_helper.to_array(written["t1_w"])[:, :, 0, 0].tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("nodes", "ranges", "what"),
    [
        (NODES, {"image": IMAGE, "t1": CLIPPED}, "t2"),
        ([*NODES, "t99"], RANGES, "t99"),
        (NODES, RANGES | {"t1": Activation(0.03125, 0)}, "t1"),  # reaches 8, the Clip ends at 6
        (NODES, RANGES | {"t1": Activation(0.0078125, 128)}, "t1"),  # reaches -1, the Clip starts at 0
    ],
    ids=["no range", "no such node", "above the clip", "below the clip"],
)
def test_a_recipe_that_does_not_fit_is_refused(
    nodes: list[str], ranges: dict[str, Activation], what: str
) -> None:
    model = two_convolutions()
    with pytest.raises(RecipeMismatch, match=what):
        write_qdq(model, recipe(model, nodes, ranges))


def test_a_recipe_for_another_file_is_refused() -> None:
    model = two_convolutions()
    with pytest.raises(RecipeMismatch, match="another build"):
        quantise(serialise(residual()), recipe(model, NODES, RANGES))


def test_the_same_recipe_gives_the_same_bytes() -> None:
    model = two_convolutions()
    fits = recipe(model, NODES, RANGES)
    assert quantise(serialise(model), fits) == quantise(serialise(model), fits)
    finer = recipe(
        model, NODES, RANGES | {"t2": Activation(np.nextafter(np.float32(0.125), np.float32(1)).item(), 100)}
    )
    assert quantise(serialise(model), finer) != quantise(serialise(model), fits)
