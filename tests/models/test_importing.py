"""Models that are brought: kept, listed, verified, used in what precision there is, removed; and INT8's gate."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest

from models import imported
from models.cli import _rows as listed
from models.errors import ImportRefused, ModelDamaged, ModelMissing, WriteFailed
from models.examine import judge
from models.families import family
from models.gate import check
from models.imported import Imported, check_name
from models.importing import MOST_BYTES, import_model, read
from models.static import quantise_static
from tests.models.brought import file, kept, movenet_single, yolo_grid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def models_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def brought(name: str = "mine") -> Imported:
    return kept("yolo-pose", yolo_grid(), name)


def pictures() -> Iterator[np.ndarray]:
    for seed in range(4):
        yield np.random.default_rng(seed).random((1, 3, 64, 64), np.float32)


def test_kept_listed_loaded_and_removed(models_here: Path) -> None:
    model = brought()
    assert imported.load("mine") == model
    assert imported.model_bytes(model, "fp32") == judge(file(yolo_grid()), family("yolo-pose")).data
    (row,) = [row for row in listed() if row.model == "mine"]
    assert (row.stage, row.precision, row.state) == ("pose", "fp32", "ok")
    assert row.path == str(models_here / "imported" / "mine.fp32.onnx")
    imported.remove("mine")
    assert imported.names() == []
    assert list((models_here / "imported").iterdir()) == []
    with pytest.raises(ModelMissing, match="no model named 'mine'") as caught:
        imported.remove("mine")
    assert "blazepose" in caught.value.remedy


def test_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEBOX_IMPORTED", str(tmp_path / "own"))
    brought()
    assert sorted(path.name for path in (tmp_path / "own").iterdir()) == ["mine.fp32.onnx", "mine.json"]


def test_a_changed_or_missing_file_is_noticed(models_here: Path) -> None:
    model = brought()
    path = models_here / "imported" / "mine.fp32.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelDamaged, match=r"mine\.fp32\.onnx is damaged"):
        imported.model_bytes(model, "fp32")
    assert [row.state for row in imported.rows()] == ["damaged"]
    path.unlink()
    with pytest.raises(ModelMissing):
        imported.model_bytes(model, "fp32")
    assert [row.state for row in imported.rows()] == ["missing"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"family": "nobody's"},
        {"form": "end"},
        {"order": [3]},
        {"order": []},
        {"files": {}},
        {"width": "wide"},
        {"surprise": 1},
    ],
)
def test_a_description_that_was_changed_is_noticed(change: dict[str, object], models_here: Path) -> None:
    brought()
    path = models_here / "imported" / "mine.json"
    path.write_bytes(msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | change))
    with pytest.raises(ModelDamaged, match=r"mine\.json is damaged"):
        imported.load("mine")
    assert [row.state for row in imported.rows()] == ["damaged"]


@pytest.mark.parametrize("name", ["", "../mine", "Mine", "a" * 41, "-a", "a.b", "blazepose", "a/b", "ä"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ImportRefused):
        check_name(name)
    if name != "blazepose":
        with pytest.raises(ModelMissing):
            imported.load(name)


def test_without_a_form_in_int8_the_float_one_is_used() -> None:
    model = brought()
    assert model.best("int8") == "fp32"
    both = msgspec.structs.replace(model, files=model.files | {"int8": model.files["fp32"]})
    assert (both.best("int8"), both.best("fp32")) == ("int8", "fp32")


def test_a_whole_import_with_int8(tmp_path: Path) -> None:
    path = tmp_path / "gym.onnx"
    path.write_bytes(file(yolo_grid(stem=True)))
    scored: list[int] = []
    steps: list[str] = []

    def score(model: Imported, data: bytes) -> float:
        scored.append(len(data))
        return 80 - 0.5 * len(scored)

    model, verdict = import_model(
        path,
        family="yolo-pose",
        name="gym",
        inputs=lambda _: pictures(),
        score=score,
        pictures=7,
        step=steps.append,
    )
    assert steps == ["examine", "quantise", "measure fp32", "measure int8", "keep"]
    assert imported.load("gym") == model
    assert model.accuracy is not None
    assert (model.accuracy.pck, model.accuracy.pictures) == ({"fp32": 79.5, "int8": 79.0}, 7)
    assert scored == [model.files["fp32"].size, model.files["int8"].size]
    assert verdict.people == 1
    kinds = {node.op_type for node in onnx.load_from_string(imported.model_bytes(model, "int8")).graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    assert [row.state for row in imported.rows()] == ["ok", "ok"]


def test_only_what_lies_between_the_first_and_the_last_convolution_is_rounded() -> None:
    made = onnx.load_from_string(quantise_static(file(yolo_grid(stem=True)), pictures()))
    convolutions = [node for node in made.graph.node if node.op_type == "Conv"]
    rounded = {name for node in made.graph.node if node.op_type == "DequantizeLinear" for name in node.output}
    assert [node.input[1] in rounded for node in convolutions] == [False, True, False]


def test_int8_finds_the_same_person_where_rounding_does_no_harm() -> None:
    model = file(yolo_grid(stem=True))
    image = np.zeros((1, 3, 64, 64), np.float32)
    image[:, :, 40, 25] = 1
    results = []
    for data in (model, quantise_static(model, iter([image, image / 2]))):
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        results.append(session.run(None, {"image": image})[0])
    assert results[1] == pytest.approx(results[0])


@pytest.mark.parametrize(
    ("data", "inputs", "reason"),
    [
        (yolo_grid(), pictures, "no convolutions between"),
        (yolo_grid(stem=True), lambda: iter(()), "no pictures of people"),
        (movenet_single(), pictures, "no convolutions between"),
    ],
)
def test_what_cannot_be_quantised(data: onnx.ModelProto, inputs: object, reason: str) -> None:
    with pytest.raises(ImportRefused, match=reason):
        quantise_static(file(data), inputs())  # type: ignore[operator]


def test_an_old_opset_cannot_be_quantised() -> None:
    model = yolo_grid(stem=True)
    model.opset_import[0].version = 11
    with pytest.raises(ImportRefused, match="opset 11 is too old"):
        quantise_static(file(model), pictures())


@pytest.mark.parametrize("int8", [80.0, 79.0, 95.0])
def test_a_point_may_be_lost(int8: float) -> None:
    check({"fp32": 80.0, "int8": int8})
    check({"int8": int8})


@pytest.mark.parametrize("int8", [78.9, 0.0, float("nan")])
def test_more_may_not(int8: float) -> None:
    with pytest.raises(ImportRefused, match="more than 1 point is lost"):
        check({"fp32": 80.0, "int8": int8})


def test_a_refused_import_leaves_nothing(tmp_path: Path, models_here: Path) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(b"bad")
    with pytest.raises(ImportRefused, match="no ONNX model"):
        import_model(path, family="movenet", name="bad")
    assert not models_here.exists()


def test_files_that_are_not_read(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="No such file"):
        read(tmp_path / "nothing.onnx")
    with pytest.raises(ImportRefused, match="is no file"):
        read(tmp_path)
    (tmp_path / "empty.onnx").touch()
    with pytest.raises(ImportRefused, match=r"has 0\.0 MB"):
        read(tmp_path / "empty.onnx")
    with (tmp_path / "large.onnx").open("wb") as large:
        large.truncate(MOST_BYTES + 1)
    with pytest.raises(ImportRefused, match="up to 268"):
        read(tmp_path / "large.onnx")
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(ImportRefused, match="is no file"):
        read(tmp_path / "pipe.onnx")


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEBOX_MODELS", "/proc/kinebox")
    with pytest.raises(WriteFailed, match="cannot write to /proc/kinebox"):
        brought()
