from __future__ import annotations

import hashlib

import numpy as np
import onnx
import pytest

from models.onnx_graph import GraphWriter, serialise
from models.onnx_read import GraphReader, attributes


def tiny() -> onnx.ModelProto:
    writer = GraphWriter()
    two = writer.constant("two", np.array([2], np.float32))
    writer.node("Mul", ["image", two], "doubled")
    writer.node("MaxPool", ["doubled"], "result", strides=[2, 2], kernel_shape=[2, 2], pads=[0, 0, 0, 0])
    return writer.model({"image": [1, 1, 4, 4]}, {"result": [1, 1, 2, 2]})


def test_the_bytes_are_known() -> None:
    # Not a value to update lightly: when it changes, so does every model file.
    assert hashlib.sha256(serialise(tiny())).hexdigest() == (
        "543855846dcd69182d14865558e62b8cbb527fabca5242d0efaab7038cad9b5e"
    )


def test_the_graph_is_valid_and_reads_back() -> None:
    model = onnx.load_from_string(serialise(tiny()))
    onnx.checker.check_model(model, full_check=True)
    source = GraphReader(model)
    assert source.inputs == {"image": [1, 1, 4, 4]}
    assert source.outputs == {"result": [1, 1, 2, 2]}
    assert source.constants["two"].tolist() == [2]
    assert attributes(source.producers["result"]) == {
        "kernel_shape": [2, 2],
        "pads": [0, 0, 0, 0],
        "strides": [2, 2],
    }
    assert source.behind(["doubled"]) == {"doubled"}


def test_a_constant_has_one_value() -> None:
    writer = GraphWriter()
    writer.constant("zero", np.array(0, np.float32))
    writer.constant("zero", np.array(0, np.float32))
    with pytest.raises(ValueError, match="zero"):
        writer.constant("zero", np.array(1, np.float32))
