from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import onnxruntime
import pytest
import tflite
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from models.build import float_model
from models.convert import convert
from models.convert.operators import same_padding
from models.errors import UnsupportedModel
from models.onnx_graph import serialise
from tests.models.tiny_tflite import convolution_options, one_operator

if TYPE_CHECKING:
    from pathlib import Path

    from models.catalogue import Model

ONES = np.ones((1, 3, 3, 1), np.float32)
NUMBERS = np.arange(1, 10, dtype=np.float32).reshape(1, 3, 3, 1)


def tiny(**options: object) -> bytes:
    """Sums of 3 x 3 windows over a picture of 3 x 3, minus 20."""
    stride = options.get("stride", 1)
    size = 2 if stride == 2 else 3 if options.get("same", True) else 1
    return one_operator(
        tflite.BuiltinOperator.CONV_2D,
        picture=(1, 3, 3, 1),
        result=(1, size, size, 1),
        weights=ONES,
        bias=np.array([-20], np.float32),
        options=convolution_options(**options),  # type: ignore[arg-type]
        options_type=tflite.BuiltinOptions.Conv2DOptions,
    )


def run(data: bytes, picture: np.ndarray) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": picture}), strict=True))


def reference(data: bytes, picture: np.ndarray) -> dict[str, np.ndarray]:
    """What TFLite's reference kernels compute for a picture with channels last."""
    interpreter = Interpreter(
        model_content=data, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture)
    interpreter.invoke()
    return {
        detail["name"]: interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()
    }


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pads"),
    [
        ((3, 3), (3, 3), (1, 1), [1, 1, 1, 1]),
        ((4, 4), (3, 3), (2, 2), [0, 0, 1, 1]),  # the odd pixel goes below and right
        ((5, 5), (3, 3), (2, 2), [1, 1, 1, 1]),
        ((8, 8), (5, 5), (2, 2), [1, 1, 2, 2]),
        ((4, 4), (1, 1), (2, 2), [0, 0, 0, 0]),
        ((4, 6), (3, 5), (1, 2), [1, 1, 1, 2]),
    ],
)
def test_same_padding(
    size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], pads: list[int]
) -> None:
    assert same_padding(size, kernel, stride) == pads


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[-8, 1, -4], [7, 25, 13], [4, 19, 8]]),
        ({"stride": 2}, [[-8, -4], [4, 8]]),
        ({"same": False}, [[25]]),
        ({"activation": tflite.ActivationFunctionType.RELU}, [[0, 1, 0], [7, 25, 13], [4, 19, 8]]),
        ({"activation": tflite.ActivationFunctionType.RELU6}, [[0, 1, 0], [6, 6, 6], [4, 6, 6]]),
    ],
)
def test_a_convolution_computed_by_hand(options: dict[str, int], expected: list[list[int]]) -> None:
    data = tiny(**options)
    model = serialise(convert(data, input_name="image", outputs={"Identity": "sums"}))
    assert run(model, NUMBERS.transpose(0, 3, 1, 2))["sums"][0, 0].tolist() == expected
    assert reference(data, NUMBERS)["Identity"][0, :, :, 0].tolist() == expected


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "not a .tflite file"),
        (b"PK\x03\x04 this is some other file, long enough to be read as a table", "not a .tflite file"),
        (tiny(dilation=2), "dilated"),
        (tiny(activation=tflite.ActivationFunctionType.TANH), "activation"),
    ],
    ids=["empty", "other", "dilated", "tanh"],
)
def test_what_the_converter_does_not_know_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(UnsupportedModel, match=what):
        convert(data, input_name="image", outputs={"Identity": "sums"})


def test_an_unknown_operator_is_named() -> None:
    data = one_operator(
        tflite.BuiltinOperator.L2_POOL_2D,
        picture=(1, 3, 3, 1),
        result=(1, 3, 3, 1),
        weights=ONES,
        bias=np.zeros(1, np.float32),
        options=convolution_options(),
        options_type=tflite.BuiltinOptions.Conv2DOptions,
    )
    with pytest.raises(UnsupportedModel, match="L2_POOL_2D"):
        convert(data, input_name="image", outputs={"Identity": "sums"})


def test_an_unknown_output_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="Identity_9"):
        convert(tiny(), input_name="image", outputs={"Identity_9": "sums"})


def picture(kind: str, size: int, data_dir: Path) -> np.ndarray:
    """A picture [1, size, size, 3] in 0..1."""
    if kind == "random":
        return np.random.default_rng(0).random((1, size, size, 3), dtype=np.float32)
    files = sorted((data_dir / "lspet" / "calib" / "images").iterdir())
    square = cv2.resize(cv2.imread(str(files[int(kind)])), (size, size))
    return square[None, :, :, ::-1].astype(np.float32) / 255


@pytest.mark.parametrize("kind", ["random", "0", "7"])
@pytest.mark.parametrize(
    ("stage", "size", "tolerance"),
    [
        # Boxes reach +-700 input pixels, scores -550; 0.002 is a few units in the last place.
        ("detector", 224, {"boxes": 2e-3, "scores": 2e-3}),
        ("landmark", 256, {"landmarks": 5e-3, "presence": 1e-5, "heatmap": 1e-3, "world": 1e-4}),
    ],
)
def test_the_float_models_compute_what_tflite_computes(
    stage: str,
    size: int,
    tolerance: dict[str, float],
    kind: str,
    row: Model,
    tflite_files: dict[str, bytes],
    data_dir: Path,
) -> None:
    image = picture(kind, size, data_dir) * (2 if stage == "detector" else 1) - (stage == "detector")
    image = image.astype(np.float32)
    expected = reference(tflite_files[stage], image)
    found = run(
        float_model(tflite_files[stage], row.stages[stage]), np.ascontiguousarray(image.transpose(0, 3, 1, 2))
    )
    assert found.keys() == tolerance.keys()
    for original, name in row.stages[stage].outputs.items():
        value = found[name].transpose(0, 2, 3, 1) if found[name].ndim == 4 else found[name]
        assert np.abs(value - expected[original]).max() <= tolerance[name], name
