"""`kinebox models import`, and what it brings at work: from a file to repetitions in a clip."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import cv2
import msgspec
import numpy as np
import pytest

from edge.cli import main
from edge.link import PoseFrame
from edge.vision.trace import TraceSource
from tests.models.brought import BODY, file, kept, labelled, movenet_single, picture, yolo_grid

if TYPE_CHECKING:
    from pathlib import Path


class Done(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Kinebox = Callable[..., Done]


@pytest.fixture
def kinebox(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Kinebox:
    """The command, in this process."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["kinebox", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture(autouse=True)
def models_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEBOX_MODELS", str(tmp_path / "models"))


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return labelled(tmp_path / "labelled")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A spot that goes to the right for a second."""
    path = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, (160, 120))
    for number in range(30):
        writer.write(picture(160, 120, 60 + number, 60))
    writer.release()
    return path


def brought(path: Path, model: object) -> Path:
    path.write_bytes(file(model))  # type: ignore[arg-type]
    return path


def test_from_a_file_to_joints_in_a_clip(tmp_path: Path, labels: Path, clip: Path, kinebox: Kinebox) -> None:
    model = brought(tmp_path / "gym.onnx", yolo_grid(stem=True))
    done = kinebox(
        *("models", "import", model, "--family", "yolo-pose", "--name", "gym", "--json"),
        *("--quantise", "--calibrate", labels / "images", "--eval", labels),
    )
    assert done.returncode == 0, done.stderr
    told = msgspec.json.decode(done.stdout)
    assert (told["form"], told["width"], told["height"]) == ("grid", 64, 64)
    assert told["accuracy"] == {"pck": {"fp32": 100.0, "int8": 100.0}, "pictures": 6}
    assert "AGPL" in told["licence"]
    assert told["files"].keys() == {"fp32", "int8"}

    done = kinebox("analyze", clip, "--model", "gym", "--out", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert "Name the exercise with --exercise" in done.stderr
    assert msgspec.json.decode(done.stdout)["warnings"] == ["no_depth"]
    assert kinebox("analyze", clip, "--model", "gym").stderr.count("depth") == 1
    (subject,) = msgspec.json.decode(done.stdout)["subjects"]
    assert subject["last_s"] > 0.9
    assert subject["metrics"]["elbow_flexion_left_peak"]["value"] is not None
    # What the skeleton lacks, feet and depth, is not measured, and the answer says so.
    ankle = subject["metrics"]["ankle_dorsiflexion_left_peak"]
    assert (ankle["value"], ankle["grade"]) == (None, "none")
    assert ankle["reasons"]
    source = TraceSource(tmp_path / "out" / "clip.mp4.trace")
    assert (source.hello.model, source.hello.precision) == ("gym", "int8")
    frames = [record for record in source.stream() if isinstance(record, PoseFrame) and record.subjects]
    assert len(frames) > 25
    (last,) = frames[-1].subjects
    assert last.skeleton == "coco17"
    assert last.world is None
    assert np.abs(last.points()[:, :2] - (BODY * 2.5 + (89, 60))).max() < 6

    settings = tmp_path / "config.toml"
    settings.write_text("[camera]\nzones = [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]]\n")
    done = kinebox("analyze", clip, "--model", "gym", "--camera-settings", settings, "--json")
    assert msgspec.json.decode(done.stdout)["subjects"] == []

    assert kinebox("models", "remove", "gym").returncode == 0
    gone = kinebox("analyze", clip, "--model", "gym")
    assert gone.returncode == 4
    assert "no model named 'gym'" in gone.stderr


def test_what_cannot_be_evaluated_is_told_before_anything_runs(
    tmp_path: Path, labels: Path, kinebox: Kinebox
) -> None:
    kept("yolo-pose", yolo_grid(), "gym")
    unknown = kinebox("models", "eval", "--pck", labels, "--model", "gmy")
    assert unknown.returncode == 4
    assert "There are: blazepose, gym." in unknown.stderr
    (tmp_path / "models" / "imported" / "gym.fp32.onnx").write_bytes(b"")
    damaged = kinebox("models", "eval", "--pck", labels, "--model", "gym")
    assert damaged.returncode == 4
    assert "gym.fp32.onnx" in damaged.stderr
    alone = kinebox("models", "eval", "--reps", labels, "--model", "gym")
    assert alone.returncode == 6
    assert "--model is for --pck alone" in alone.stderr


def test_int8_that_loses_the_joints_is_refused_and_nothing_is_kept(
    tmp_path: Path, labels: Path, kinebox: Kinebox
) -> None:
    model = brought(tmp_path / "coarse.onnx", yolo_grid(stem=True, slip=1000))
    done = kinebox(
        *("models", "import", model, "--family", "yolo-pose", "--name", "coarse"),
        *("--quantise", "--calibrate", labels / "images", "--eval", labels),
    )
    assert done.returncode == 4
    assert "more than 1 point is lost" in done.stderr
    assert not (tmp_path / "models").exists()


def test_told_in_words_and_what_is_missing(tmp_path: Path, kinebox: Kinebox) -> None:
    model = brought(tmp_path / "lightning.onnx", movenet_single())
    done = kinebox("models", "import", model, "--family", "movenet", "--name", "light")
    assert done.returncode == 0, done.stderr
    assert "MoveNet Lightning, Thunder and MultiPose, single, 64 x 64, fp32" in done.stderr
    assert "Apache-2.0" in done.stderr
    kept = tmp_path / "models" / "imported" / "light.fp32.onnx"
    kept.write_bytes(kept.read_bytes() + b"more")
    damaged = kinebox("models", "verify")
    assert damaged.returncode == 4
    assert f"damaged: {kept}" in damaged.stderr
    assert "Import light again." in damaged.stderr
    wrong = kinebox("models", "import", model, "--family", "rtmpose", "--name", "light")
    assert wrong.returncode == 4
    assert "takes int32; RTMPose (SimCC) takes float32" in wrong.stderr
    assert "Traceback" not in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--family", "openpose", "--name", "a"), "no family of models named 'openpose'"),
        (("--family", "movenet", "--name", "a", "--quantise"), "--quantise needs pictures"),
        (("--family", "movenet", "--name", "a", "--calibrate", "."), "for --quantise alone"),
        (("--family", "movenet", "--name", "a", "--quantise", "--calibrate", "."), "labelled pictures"),
    ],
)
def test_what_does_not_go_together(arguments: tuple[str, ...], reason: str, kinebox: Kinebox) -> None:
    done = kinebox("models", "import", "x.onnx", *arguments)
    assert done.returncode == 6
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) >= 2  # and what to do
