"""What INT8 costs in accuracy, on clips that calibration has never seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge.errors import ConfigError
from models.calibrate.drift import detector_drift, landmark_drift
from models.calibrate.footage import pictures
from models.calibrate.measure import main
from models.calibrate.samples import Cutter, Samples
from models.load import model_bytes
from models.regions import LANDMARKS, refined

if TYPE_CHECKING:
    from pathlib import Path

HELD_OUT = [
    *(f"exercise/{name}.mp4" for name in ("squat_05", "jack_05", "pushup_04", "press_02", "lunge_01")),
    *(f"exercise/{name}.mp4" for name in ("climber_01", "situp_01", "highknees_01", "rdl_01")),
    "gait/gait_normal_01.mp4",
    "gait/gait_abnormal_05_limping.mp4",
]


@pytest.fixture(scope="module")
def kept_back(built: Path, data_dir: Path) -> Samples:
    cutter = Cutter(model_bytes("detector", "fp32"), model_bytes("landmark", "fp32"))
    return cutter.cut(pictures([data_dir / name for name in HELD_OUT], 4), copies=0)


def test_landmarks_stay_where_the_float_model_puts_them(kept_back: Samples) -> None:
    drift = landmark_drift(
        model_bytes("landmark", "fp32"), model_bytes("landmark", "int8"), kept_back.landmark
    )
    assert drift.crops >= 40
    # In torso lengths: what INT8 is asked for.
    assert drift.mean <= 0.015
    assert drift.p95 <= 0.05
    assert drift.within_005 >= 0.95
    assert drift.within_02 > 0.99
    assert drift.presence < 0.05
    assert drift.world_mean < 0.025  # metres


def test_people_found_by_the_float_model_are_found(kept_back: Samples) -> None:
    drift = detector_drift(
        model_bytes("detector", "fp32"), model_bytes("detector", "int8"), kept_back.detector
    )
    assert drift.found >= 40
    assert drift.kept == drift.found
    assert drift.new <= 1
    assert drift.centre < 0.03
    assert drift.end < 0.05


def test_a_model_does_not_drift_from_itself(kept_back: Samples) -> None:
    fp32 = model_bytes("landmark", "fp32")
    assert landmark_drift(fp32, fp32, kept_back.landmark[:4]).mean == 0


def test_crops_of_nobody_say_nothing(built: Path) -> None:
    fp32 = model_bytes("landmark", "fp32")
    wall = np.full((256, 256, 3), 128, np.uint8)
    with pytest.raises(ConfigError, match="none of 2 crops"):
        landmark_drift(fp32, fp32, [wall, wall])


def test_drift_and_time_are_printed(built: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(data_dir / HELD_OUT[0]), "--frames", "2", "--turns", "2"])
    figures = json.loads(capsys.readouterr().out)
    assert figures["crops"] == 2
    assert 0 < figures["mean"] <= figures["p95"]
    assert figures["time_ratio"] > 0  # how fast it is depends on the processor


def test_pictures_without_anybody_are_told(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((240, 320, 3), 128, np.uint8))
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path)])
    assert stopped.value.code == 2
    assert "nobody is found" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("peak", "start", "expected"),
    [
        (
            (20, 30),
            (80.0, 120.0),
            (80, 120),
        ),  # already there: column 20 and row 30 of 64 are 80 and 120 of 256
        ((22, 30), (80.0, 120.0), (88, 120)),  # two columns further
        ((40, 30), (80.0, 120.0), (80, 120)),  # out of the window of 7: it stays
    ],
)
def test_a_landmark_moves_to_the_peak_of_its_heatmap(
    peak: tuple[int, int], start: tuple[float, float], expected: tuple[float, float]
) -> None:
    heatmap = np.full((1, LANDMARKS, 64, 64), -50, np.float32)
    heatmap[0, 0, peak[1], peak[0]] = 5
    landmarks = np.full((LANDMARKS, 5), -1, np.float32)
    landmarks[0, :2] = start
    found = refined(landmarks.reshape(1, -1), heatmap)
    assert found[0] == pytest.approx(expected, abs=1e-3)
    assert found[1].tolist() == [-1, -1]  # outside the picture: it stays
