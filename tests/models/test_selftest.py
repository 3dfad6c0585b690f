from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from models.errors import SelfTestFailed
from models.figure import JOINTS, draw
from models.load import model_bytes
from models.selftest import self_test
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from models.catalogue import Precision
    from models.load import Stage

EVERY = [(stage, precision) for stage in ("detector", "landmark") for precision in ("fp32", "int8")]


def test_the_figure_has_joints_where_they_are_said_to_be() -> None:
    picture = draw(256)
    assert picture.shape == (256, 256, 3)
    for joint in ("left_knee", "right_knee"):
        x, y = JOINTS[joint]
        red, _, blue = picture[int(y * 256), int(x * 256)]
        assert blue > red, joint  # trousers
    assert JOINTS["left_wrist"][0] > JOINTS["right_wrist"][0]  # it faces the camera


@pytest.mark.parametrize(("stage", "precision"), EVERY)
def test_what_was_built_passes(stage: Stage, precision: Precision, built: Path) -> None:
    self_test({(stage, precision): model_bytes(stage, precision)})


def scaled(data: bytes, kind: type, factor: float) -> bytes:
    """The model with every large constant of one type scaled, as a wrong kernel or a saturating sum would do."""
    model = onnx.load_from_string(data)
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype == kind and value.size > 300:
            tensor.raw_data = (value * factor).astype(kind).tobytes()
    return model.SerializeToString()


@pytest.mark.parametrize(("stage", "precision"), EVERY)
@pytest.mark.parametrize("factor", [0.0, 0.7])
def test_wrong_sums_are_noticed(stage: Stage, precision: Precision, factor: float, built: Path) -> None:
    kind = np.float32 if precision == "fp32" else np.int8
    wrong = scaled(model_bytes(stage, precision), kind, factor)
    with pytest.raises(SelfTestFailed, match=f"the {precision} {stage} model") as caught:
        self_test({(stage, precision): wrong})
    assert ("fp32" in caught.value.remedy) == (precision == "int8")


def test_values_that_are_no_numbers_are_noticed(built: Path) -> None:
    wrong = scaled(model_bytes("landmark", "fp32"), np.float32, np.nan)
    with pytest.raises(SelfTestFailed, match="nan"):
        self_test({("landmark", "fp32"): wrong})


def test_both_landmark_models_must_agree(built: Path) -> None:
    # All biases a tenth too small: joints are near enough to the drawing, but not where the float model sees them.
    fp32, int8 = model_bytes("landmark", "fp32"), model_bytes("landmark", "int8")
    off = scaled(int8, np.int32, 0.9)
    self_test({("landmark", "fp32"): fp32, ("landmark", "int8"): int8})
    self_test({("landmark", "int8"): off})
    with pytest.raises(SelfTestFailed, match="differs from the float model"):
        self_test({("landmark", "fp32"): fp32, ("landmark", "int8"): off})


# A processor with AVX2 and without VNNI, where sums of two products saturate at 16 bits.
OLD_PROCESSOR = ["qemu-x86_64", "-cpu", "Haswell", sys.executable, "-c"]
TRY = """
from models.load import model_bytes
from models.selftest import self_test
self_test({("landmark", precision): model_bytes("landmark", precision) for precision in ("fp32", "int8")})
print("right")
"""


@pytest.mark.skipif(
    platform.machine() != "x86_64" or shutil.which("qemu-x86_64") is None,
    reason="needs qemu-x86_64 (qemu-user) to stand in for an older processor",
)
def test_an_older_processor_computes_the_same(built: Path) -> None:
    done = subprocess.run([*OLD_PROCESSOR, TRY], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "right\n", done.stderr
