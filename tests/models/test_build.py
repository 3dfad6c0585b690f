from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import onnx
import onnxruntime
import pytest

from models.build import build, steps
from models.errors import ModelDamaged
from models.load import checked_bytes
from models.quantise.recipe import RECIPES, load
from models.status import rows

if TYPE_CHECKING:
    from pathlib import Path

    from models.catalogue import Model


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def fresh(row: Model, tflite_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the models have been built by this test run."""
    folder = tmp_path_factory.mktemp("built") / "not" / "there" / "yet"
    taken: list[str] = []
    assert build(row, folder, step=taken.append)
    assert len(taken) == steps(row)
    return folder


def test_every_build_gives_the_bytes_of_the_catalogue(fresh: Path, row: Model, tmp_path: Path) -> None:
    build(row, tmp_path, step=lambda _: None)
    expected = {
        row.file_name(name, precision): file.sha256
        for name, stage in row.stages.items()
        for precision, file in stage.files.items()
    }
    assert len(expected) == 4
    assert hashes(fresh) == hashes(tmp_path) == expected
    assert [row.state for row in rows(row, fresh)] == ["ok"] * 4
    assert [(fresh / name).stat().st_size for name in expected] == [row.size for row in rows(row, fresh)]


def test_a_second_build_writes_nothing(fresh: Path, row: Model) -> None:
    before = {path: path.stat().st_mtime_ns for path in fresh.iterdir()}
    taken: list[str] = []
    assert not build(row, fresh, step=taken.append)
    assert taken == ["self-test"]
    assert {path: path.stat().st_mtime_ns for path in fresh.iterdir()} == before


@pytest.mark.parametrize("damage", ["one bit", "cut off", "empty"])
def test_a_damaged_file_is_noticed_and_built_again(damage: str, fresh: Path, row: Model) -> None:
    path = fresh / row.file_name("landmark", "int8")
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(
        {
            "one bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "cut off": whole[:middle],
            "empty": b"",
        }[damage]
    )
    with pytest.raises(ModelDamaged, match=r"landmark\.int8") as caught:
        checked_bytes(fresh, row, "landmark", "int8")
    assert "kinebox models build" in caught.value.remedy
    assert [r.state for r in rows(row, fresh)] == ["ok", "ok", "ok", "damaged"]
    assert build(row, fresh, step=lambda _: None)
    assert path.read_bytes() == whole


CONTRACT = {
    "detector": ([1, 3, 224, 224], {"boxes": [1, 2254, 12], "scores": [1, 2254, 1]}),
    "landmark": (
        [1, 3, 256, 256],
        {"landmarks": [1, 195], "presence": [1, 1], "heatmap": [1, 39, 64, 64], "world": [1, 117]},
    ),
}


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("stage", CONTRACT)
def test_inputs_and_outputs_are_as_agreed(stage: str, precision: str, fresh: Path, row: Model) -> None:
    data = checked_bytes(fresh, row, stage, precision)  # type: ignore[arg-type]
    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (image,) = session.get_inputs()
    assert (image.name, image.type) == ("image", "tensor(float)")
    assert (image.shape, {output.name: output.shape for output in session.get_outputs()}) == CONTRACT[stage]


@pytest.mark.parametrize("stage", CONTRACT)
def test_every_rounded_layer_becomes_an_integer_kernel(
    stage: str, fresh: Path, row: Model, tmp_path: Path
) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3
    data = checked_bytes(fresh, row, stage, "int8")
    onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    kernels = [node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node]
    quantised = set(load(RECIPES / f"blazepose-{stage}.json").nodes)
    nodes = [
        node for node in onnx.load(fresh / row.file_name(stage, "fp32")).graph.node if node.name in quantised
    ]
    assert kernels.count("QLinearConv") == sum(node.op_type == "Conv" for node in nodes) > 45
    assert kernels.count("QLinearAdd") == sum(node.op_type == "Add" for node in nodes) > 5
