"""Training of a recipe: the quantised graph under gradients, its loss, its lessons and the command.

PyTorch is no dependency of Kinebox, so what needs it is skipped where it is not installed, in CI too.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import cv2
import msgspec
import numpy as np
import onnx
import pytest

from models.calibrate.distil import Rates, main, train
from models.calibrate.footage import pictures
from models.calibrate.lessons import Lessons, crops, split
from models.calibrate.samples import Cutter
from models.calibrate.statistics import probe
from models.load import model_bytes
from models.onnx_graph import serialise
from models.onnx_read import GraphReader
from models.quantise import quantise
from models.quantise.qdq import write_qdq
from models.quantise.recipe import RECIPES, Activation, Recipe, Stream, dump, load, pack, unpack
from models.regions import landmark_input, refined
from models.runtime import session
from tests.models.tiny_graph import SIDE, pixels, recipe, residual, run, two_convolutions

if TYPE_CHECKING:
    from pathlib import Path

INSTALLED = RECIPES / "blazepose-landmark.json"
OUTPUTS = ["landmarks", "presence", "heatmap", "world"]
# Scales that are powers of two: what the tiny network computes is exact.
RANGES = {"image": Activation(0.0625, 128), "t1": Activation(0.0234375, 0), "t2": Activation(0.125, 100)}
NODES = ["t1_pre", "t1", "t2"]


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="missing: PyTorch, which Kinebox does not depend on")


@pytest.fixture(scope="module")
def still(data_dir: Path) -> Path:
    """A picture in which somebody is found."""
    return sorted((data_dir / "lspet" / "calib" / "images").iterdir())[0]


def test_without_pytorch_it_is_said_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    output = tmp_path / "recipe.json"
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path), "--output", str(output)])
    assert stopped.value.code == 6
    told = capsys.readouterr().err
    assert "PyTorch" in told
    assert "pip install torch" in told
    assert not output.exists()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["nowhere"], "no such file"),
        ([".", "--steps", "0"], "--steps"),
        ([".", "--stills", "-1"], "--stills"),
    ],
)
def test_wrong_arguments_are_told(
    arguments: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert what in capsys.readouterr().err


def numbered(*numbers: int) -> list[np.ndarray]:
    """Crops told apart by their colour."""
    return [np.full((256, 256, 3), number, np.uint8) for number in numbers]


def test_crops_to_judge_by_are_not_trained_on() -> None:
    found = split(numbered(*range(17)), numbered(*range(100, 113)))
    assert [int(crop[0, 0, 0]) for crop in found.judged] == [0, 8, 16, 100, 106, 112]
    trained = {int(crop[0, 0, 0]) for crop in found.stills + found.clips}
    assert len(found.stills) == 14
    assert trained == {*range(17), *range(100, 113)} - {0, 8, 16, 100, 106, 112}


def test_a_course_can_be_repeated_and_takes_half_of_each_kind(built: Path) -> None:
    fp32 = model_bytes("landmark", "fp32")
    # Tints make no dark crop a bright one, so that the kinds can be told apart.
    groups = (numbered(20, 30), numbered(240, 250))
    inputs, wanted = Lessons(fp32, groups, size=4).batch()
    assert inputs.shape == (4, 3, 256, 256)
    assert [bool(one.mean() > 0.4) for one in inputs] == [False, False, True, True]
    again, answers = Lessons(fp32, groups, size=4).batch()
    assert (again == inputs).all()
    alone = session(fp32).run(OUTPUTS, {"image": inputs[2:3]})
    for name, expected in zip(OUTPUTS, alone, strict=True):
        assert (answers[name] == wanted[name]).all()
        assert wanted[name][2:3] == pytest.approx(expected, abs=1e-3)
    only, _ = Lessons(fp32, (groups[1], []), size=2).batch()
    assert (only.mean(axis=(1, 2, 3)) > 0.4).all()


def test_crops_are_those_of_the_calibration(built: Path, still: Path, tmp_path: Path) -> None:
    picture = cv2.imread(str(still))
    clip = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, picture.shape[1::-1])
    for _ in range(2):
        clip.write(picture)
    clip.release()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / still.name).write_bytes(still.read_bytes())
    cutter = Cutter(model_bytes("detector", "fp32"), model_bytes("landmark", "fp32"))
    found = crops(cutter, [tmp_path])
    # As they come from one call over the still and the two frames, stills first; one of each kind is to judge by.
    frame = cv2.VideoCapture(str(tmp_path / "a.avi")).read()[1]
    whole = cutter.cut([p[:, :, ::-1] for p in (picture, frame, frame)], copies=1).landmark
    assert len(whole) == 6
    expected = split(whole[:2], whole[2:])
    for kind, wanted in zip(found, expected, strict=True):
        assert np.array_equal(kind, wanted)
    assert [len(kind) for kind in crops(cutter, [tmp_path], 4)] == [3, 1, 2]


def answers(seed: int) -> dict[str, np.ndarray]:
    """What the network might say of two pictures, with a peak in most heatmaps."""
    rng = np.random.default_rng(seed)
    landmarks = np.concatenate([rng.uniform(40, 216, (2, 39, 2)), rng.normal(0, 3, (2, 39, 3))], axis=2)
    heatmap = rng.normal(-6, 1, (2, 39, 64, 64))
    for picture, points in enumerate(landmarks):
        for point, (x, y) in enumerate(points[:30, :2] // 4):
            heatmap[picture, point, int(y) - 1 : int(y) + 1, int(x) : int(x) + 2] = 3
    found = {
        "landmarks": landmarks.reshape(2, 195),
        "presence": np.ones((2, 1)),
        "heatmap": heatmap,
        "world": rng.normal(0, 0.4, (2, 117)),
    }
    return {name: value.astype(np.float32) for name, value in found.items()}


def tensors(torch: Any, values: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: torch.tensor(value) for name, value in values.items()}


def test_the_loss_measures_what_users_get(torch: Any) -> None:
    from models.calibrate.distance import distance, parts

    wanted = answers(1)
    nothing = parts(tensors(torch, wanted), tensors(torch, wanted))
    assert all(float(part) < 0.001 for part in nothing.values())
    blurred = wanted | {"heatmap": wanted["heatmap"] + np.random.default_rng(2).normal(0, 1, (2, 39, 64, 64))}
    blurred["heatmap"] = blurred["heatmap"].astype(np.float32)
    expected = []
    for i in range(2):
        true, seen = (
            refined(said["landmarks"][i], said["heatmap"][i : i + 1])[:33] for said in (wanted, blurred)
        )
        torso = np.linalg.norm(true[[11, 12]].mean(axis=0) - true[[23, 24]].mean(axis=0))
        expected.append(np.linalg.norm(seen - true, axis=1).mean() / max(torso, 20))
    found = parts(tensors(torch, blurred), tensors(torch, wanted))
    assert float(found["refined"]) == pytest.approx(np.mean(expected), rel=0.02)
    assert float(found["refined"]) > 10 * float(nothing["refined"])
    assert float(found["raw"]) < 0.001
    assert distance(tensors(torch, blurred), tensors(torch, wanted)) > sum(nothing.values())


def test_nobody_is_worth_no_landmarks(torch: Any) -> None:
    from models.calibrate.distance import parts

    empty = answers(1) | {"presence": np.full((2, 1), 0.25, np.float32)}
    found = parts(tensors(torch, answers(2)), tensors(torch, empty))
    assert {name for name, part in found.items() if part > 0} == {"presence"}
    assert float(found["presence"]) == 0.75


def student(model: onnx.ModelProto, made: Recipe) -> Any:
    from models.calibrate.differentiable import Student

    return Student(model, made)


@pytest.mark.parametrize("pixel", [(1.0, 1.0), (7.0, -2.0), (-1.03, 3.04), (0.31, 2.77), (12.0, 9.0)])
def test_a_tiny_network_computes_what_its_file_computes(torch: Any, pixel: tuple[float, float]) -> None:
    model, made = two_convolutions(), recipe(two_convolutions(), NODES, RANGES)
    found = student(model, made)(torch.tensor(pixels(*pixel)))["result"]
    assert found.detach().numpy() == pytest.approx(run(write_qdq(model, made), pixels(*pixel)), abs=1e-5)


def test_factors_biases_and_float_nodes_are_those_of_the_file(torch: Any) -> None:
    model = residual()
    made = msgspec.structs.replace(
        recipe(model, ["t2"], {"t1": Activation(0.5, 100), "t2": Activation(0.125, 0)}),
        streams=[Stream(["t1", "t2", "t3"], pack([1, 100]))],
        biases={"t2": pack([0.5, -0.25]), "t4": pack([10, 20])},
    )
    found = student(model, made)(torch.tensor(pixels(3.2, 1.7)))["result"]
    assert found.detach().numpy() == pytest.approx(run(write_qdq(model, made), pixels(3.2, 1.7)), rel=1e-5)


@pytest.fixture(scope="module")
def crop(built: Path, still: Path) -> np.ndarray:
    """The network's input f32[1, 3, 256, 256] for the person in a picture."""
    cutter = Cutter(model_bytes("detector", "fp32"), model_bytes("landmark", "fp32"))
    return landmark_input(cutter.cut(pictures([still], 1), copies=0).landmark[0])


def test_the_first_int8_layers_round_as_their_file_does(torch: Any, crop: np.ndarray) -> None:
    whole, made = onnx.load_from_string(model_bytes("landmark", "fp32")), load(INSTALLED)
    tensor = "t212"
    first = onnx.load_from_string(probe(whole, [tensor]))
    nodes = [name for name in made.nodes if name in GraphReader(first).behind([tensor])]
    assert len(nodes) == 6
    part = msgspec.structs.replace(made, nodes=nodes)
    with torch.no_grad():
        found = student(first, part)(torch.tensor(crop))[tensor].numpy()
    (written,) = session(serialise(write_qdq(first, part))).run([tensor], {"image": crop})
    scale, zero = made.activations[tensor].scale, made.activations[tensor].zero_point
    # The file's output is what it would round next.
    apart = np.abs(np.rint(found / scale) - np.clip(np.rint(written / scale), -zero, 255 - zero))
    assert apart.max() <= 1
    assert (apart == 0).mean() > 0.95


def test_the_landmark_network_answers_as_its_file_does(torch: Any, crop: np.ndarray) -> None:
    """A value between two steps falls to either side by its last bits, and 80 layers make much of it.

    ONNX Runtime's own integer and float kernels differ by as much as this from each other.
    """
    fp32, int8 = model_bytes("landmark", "fp32"), model_bytes("landmark", "int8")
    with torch.no_grad():
        found = student(onnx.load_from_string(fp32), load(INSTALLED))(torch.tensor(crop))
    written, exact = (
        dict(zip(OUTPUTS, session(data).run(OUTPUTS, {"image": crop}), strict=True)) for data in (int8, fp32)
    )
    assert {name: value.shape for name, value in found.items()} == {n: v.shape for n, v in exact.items()}
    assert abs(found["presence"].item() - written["presence"].item()) < 0.05
    apart = [
        np.abs(said - written["heatmap"]).mean() for said in (found["heatmap"].numpy(), exact["heatmap"])
    ]
    assert apart[0] < 0.7 * apart[1]


def test_training_brings_the_file_nearer_to_its_parent(torch: Any, tmp_path: Path) -> None:
    model = two_convolutions()
    # Both scales and one bias are wrong.
    wrong = msgspec.structs.replace(
        recipe(model, NODES, RANGES | {"t1": Activation(0.016, 0), "t2": Activation(0.2, 100)}),
        biases={"t2": pack([2])},
    )
    rng, parent = np.random.default_rng(1), session(serialise(model))

    def batch() -> tuple[np.ndarray, dict[str, np.ndarray]]:
        image = rng.uniform(-2, 7, (1, 2, SIDE, SIDE)).astype(np.float32)
        return image, {"result": parent.run(["result"], {"image": image})[0]}

    def distance(found: Any, wanted: Any) -> Any:
        return (found["result"] - wanted["result"]).abs().mean()

    trained, losses = student(model, wrong), list[float]()
    train(trained, batch, distance, steps=60, rates=Rates(0.5, 0.02), step=losses.append)
    assert len(losses) == 60
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])
    # What was trained can be written, read and built, and its file is nearer, too.
    (tmp_path / "recipe.json").write_bytes(dump(trained.recipe()))
    after = load(tmp_path / "recipe.json")
    assert (after.nodes, after.streams, after.source_sha256) == (
        wrong.nodes,
        wrong.streams,
        wrong.source_sha256,
    )
    assert after.activations.keys() == wrong.activations.keys()
    assert [a.zero_point for a in after.activations.values()] == [
        a.zero_point for a in wrong.activations.values()
    ]
    assert after.biases.keys() == {"t1_pre", "t2"}
    before_file, after_file = (
        onnx.load_from_string(quantise(serialise(model), made)) for made in (wrong, after)
    )
    image, wanted = batch()
    apart = [np.abs(run(file, image) - wanted["result"]).mean() for file in (before_file, after_file)]
    assert apart[1] < 0.5 * apart[0]


def test_a_scale_never_reaches_beyond_the_clip(torch: Any) -> None:
    model = two_convolutions()
    trained = student(model, recipe(model, NODES, RANGES))
    with torch.no_grad():
        trained.log_scales["t1"] += 1
        trained.shifts["t2"] += 3
    made = trained.recipe()
    assert made.activations["t1"].scale == pytest.approx(6 / 255)
    assert unpack(made.biases["t2"]).tolist() == [3 * 0.125]  # three steps of the tensor it writes
    image = pixels(4, 1)
    assert trained(torch.tensor(image))["result"].detach().numpy() == pytest.approx(
        run(write_qdq(model, made), image), abs=1e-5
    )


def test_the_command_writes_a_recipe_that_builds(
    torch: Any, built: Path, still: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "recipe.json"
    main([str(still), "--steps", "1", "--output", str(output)])
    before, after = load(INSTALLED), load(output)
    assert (after.nodes, after.streams) == (before.nodes, before.streams)
    assert after.activations.keys() == before.activations.keys()
    assert after.biases.keys() > before.biases.keys()  # those of float layers, too
    data = quantise(model_bytes("landmark", "fp32"), after)
    printed = capsys.readouterr().out
    assert f"size = {len(data)}" in printed
    assert printed.count("LandmarkDrift") == 2
