"""Joints in pictures against their labels: figures whose answer is known, and real pictures where there are any."""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli import app
from edge.errors import ConfigError
from edge.evaluate.lsp import JOINTS, Labelled, from_skeleton, read_labels
from edge.evaluate.pck import THRESHOLD, accuracy, distances
from edge.evaluate.stills import evaluate_stills, score
from edge.motion.skeletons import SKELETONS
from edge.vision.still import StillReader

if TYPE_CHECKING:
    from pathlib import Path

TORSO = 100.0
PICTURES = 6


def figure() -> np.ndarray:
    """14 joints whose torso, from the right shoulder to the left hip, measures 100 px."""
    joints = np.arange(28, dtype=float).reshape(14, 2)
    joints[JOINTS.index("shoulder_right")] = (200, 200)
    joints[JOINTS.index("hip_left")] = (260, 280)
    return joints


def moved(joint: str, torsos: float) -> np.ndarray:
    said = figure()
    said[JOINTS.index(joint), 0] += torsos * TORSO
    return said


def write(folder: Path, labels: object, *, pictures: tuple[str, ...] = ("a.png",)) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "joints.json").write_text(json.dumps(labels))
    for name in pictures:
        cv2.imwrite(str(folder / name), np.full((64, 64, 3), 128, np.uint8))
    return folder


@pytest.mark.parametrize(("off", "right"), [(THRESHOLD - 0.001, True), (THRESHOLD + 0.001, False)])
def test_a_joint_is_right_within_a_fifth_of_the_torso(off: float, right: bool) -> None:
    result = accuracy("one", [distances(moved("knee_left", off), figure())])
    assert result.pck == {
        part: (100 if right else 50) if part == "knee" else 100
        for part in ("head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    }
    assert result.mean.value == pytest.approx(100 if right else 1300 / 14)


def test_the_area_under_the_curve_counts_how_near_it_is() -> None:
    near, far = (
        accuracy("one", [distances(figure() + np.array([off * TORSO, 0]), figure())]).auc
        for off in (0.0, 0.099)
    )
    assert near == pytest.approx(100)
    assert far == pytest.approx(50, abs=3)


def test_who_is_not_found_has_no_joint_right() -> None:
    result = accuracy("one", [distances(None, figure()), distances(figure(), figure())])
    assert (result.found, result.pictures, result.mean.value) == (1, 2, 50)


def test_a_joint_without_a_label_counts_for_nobody() -> None:
    true = figure()
    true[JOINTS.index("ankle_left")] = math.nan
    off = [distances(moved("ankle_left", 5), true), distances(figure(), figure())]
    assert accuracy("one", off).mean.value == 100


def test_a_joint_without_any_label_is_left_out() -> None:
    true = figure()
    true[JOINTS.index("ankle_left")] = true[JOINTS.index("ankle_right")] = math.nan
    result = accuracy("one", [distances(figure(), true)])
    assert result.mean.value == 100
    assert math.isnan(result.pck["ankle"])


@pytest.mark.parametrize("joint", ["shoulder_right", "hip_left"])
def test_a_picture_without_a_torso_is_left_out(joint: str) -> None:
    true = figure()
    true[JOINTS.index(joint)] = math.nan
    assert accuracy("one", [distances(None, true), distances(figure(), figure())]).pictures == 1


def test_labels_without_any_torso_are_refused() -> None:
    with pytest.raises(ConfigError, match="right shoulder and left hip"):
        accuracy("one", [np.full(len(JOINTS), math.nan)])


def test_a_pair_of_pipelines_is_compared_picture_by_picture() -> None:
    """Pictures differ a lot, the two pipelines by one joint in each: the gap is sure, the means are not."""
    better = [distances(figure() if n % 2 else None, figure()) for n in range(40)]
    worse = [distances(moved("neck", 1) if n % 2 else None, figure()) for n in range(40)]
    result = accuracy("better", better, {"worse": worse})
    gap = result.above["worse"]
    assert gap.value == pytest.approx(50 / 14)
    assert 0 < gap.low < gap.value < gap.high
    assert gap.high - gap.low < (result.mean.high - result.mean.low) / 5


def test_neck_and_head_top_are_derived_alike_from_both_skeletons() -> None:
    for skeleton in SKELETONS:
        row = SKELETONS[skeleton]
        if "ear_left" not in row.joints or row.joints.get("withers") is not None:
            continue  # no person's
        points = np.zeros((len(row.names), 3))
        for side, x in (("left", 10.0), ("right", -10.0)):
            points[row.joints[f"shoulder_{side}"]] = (x, 100, 1)
            points[row.joints[f"ear_{side}"]] = (x / 4, 80, 1)
        joints = from_skeleton(skeleton, points)
        assert joints[JOINTS.index("neck")] == pytest.approx((0, 100))
        assert joints[JOINTS.index("head_top")] == pytest.approx((0, 68))


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ({}, "no labels"),
        ([], "Expected `object`"),
        ({"a.png": [[1, 2, 1]] * 13}, "length >= 14"),
        ({"a.png": [[1, 2]] * 14}, "length 3"),
        ({"a.png": [["x", 2, 1]] * 14}, "Expected `float`"),
        ({"b.png": [[1, 2, 1]] * 14}, "no picture b.png"),
        ({"../secret.png": [[1, 2, 1]] * 14}, "no picture"),
    ],
)
def test_labels_that_are_none_are_refused(tmp_path: Path, labels: object, why: str) -> None:
    cv2.imwrite(str(tmp_path / "secret.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(ConfigError, match=why):
        read_labels(write(tmp_path / "set", labels))


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path, {"a.png": [[1, 2, 1]] * 14})
    (folder / "a.png").write_bytes(b"no picture")
    with pytest.raises(ConfigError, match=r"a\.png is no picture"):
        score(lambda label: label.picture().astype(float), read_labels(folder))


def test_an_empty_picture_has_nobody(models: Path) -> None:
    assert models.is_dir()
    assert StillReader().read(np.full((90, 60, 3), 90, np.uint8)) is None


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["models", "eval", "--pck", str(tmp_path)])
    assert isinstance(result.exception, ConfigError)
    assert "joints.json" in str(result.exception)


def test_turned_people_are_found_in_real_pictures(models: Path, data_dir: Path, tmp_path: Path) -> None:
    """The first pictures of the set that nothing is reported on. Upside down they are read as well."""
    assert models.is_dir()
    source = data_dir / "lspet" / "calib"
    chosen = read_labels(source)[:PICTURES]
    labels = {}
    for label in chosen:
        picture = label.picture()
        height, width = picture.shape[:2]
        cv2.imwrite(str(tmp_path / f"{label.path.stem}.png"), picture[::-1, ::-1])
        turned = np.array([width - 1, height - 1]) - label.joints
        labels[f"{label.path.stem}.png"] = [[x, y, 1] for x, y in np.nan_to_num(turned).tolist()]
    (tmp_path / "joints.json").write_text(json.dumps(labels))
    read = StillReader()

    def joints(label: Labelled) -> np.ndarray | None:
        seen = read.read(label.picture())
        return None if seen is None else from_skeleton("blazepose33", seen.points[:33])

    upright, turned_round = score(joints, chosen), score(joints, read_labels(tmp_path))
    assert upright.found >= PICTURES - 1
    assert turned_round.found >= PICTURES - 1
    assert upright.mean.value > 55
    assert turned_round.mean.value > upright.mean.value - 8


def test_every_pipeline_is_measured_on_the_same_pictures(
    models: Path, data_dir: Path, tmp_path: Path
) -> None:
    assert models.is_dir()
    chosen = read_labels(data_dir / "lspet" / "calib")[:2]
    labels = {label.path.name: [[x, y, 1] for x, y in label.joints.tolist()] for label in chosen}
    (tmp_path / "joints.json").write_text(json.dumps(labels))
    for label in chosen:
        (tmp_path / label.path.name).symlink_to(label.path)
    figures, _ = evaluate_stills(tmp_path, parts=False, peer=bool(os.environ.get("KINEBOX_FULL_SIZE")))
    names = [one.name for one in figures]
    assert names[-2:] == ["Kinebox fp32", "Kinebox INT8"]
    assert ("MediaPipe" in names) == ("KINEBOX_FULL_SIZE" in os.environ)
    assert {one.pictures for one in figures} == {2}
    assert set(figures[-1].above) >= {"Kinebox fp32"}
