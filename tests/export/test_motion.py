"""Keypoints and angles as files, read back by readers of their own."""

from __future__ import annotations

import csv
import importlib.util
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.analyze import analyze
from edge.coach.observer import Observer
from edge.errors import ConfigError
from edge.export import FORMATS, Recording, parse_formats
from edge.export.motion import marker_names
from edge.motion.skeletons import SKELETONS
from tests.export.conftest import FPS, GAP, HIDDEN, LATE, RIGHT_WRIST, rows, write_trace
from tests.export.readers import read_mot, read_trc
from tests.truth.camera import Camera
from tests.truth.exercises import stand

if TYPE_CHECKING:
    from pathlib import Path

    from edge.link import PoseFrame

STEM = "clip.trace.subject1"


def found(frames: list[PoseFrame], index: int) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints and world points in one picture, NaN where nobody is there."""
    if not frames[index].subjects:
        return np.full((33, 3), np.nan), np.full((33, 3), np.nan)
    one = frames[index].subjects[0]
    world = one.world_points()
    assert world is not None
    return one.points().astype(float), world.astype(float)


def test_markers_in_metres(frames: list[PoseFrame], exported: Path) -> None:
    trc = read_trc(exported / f"{STEM}.trc")
    taken = rows(frames)
    assert trc.header == {
        "DataRate": "25.000",
        "CameraRate": "25.000",
        "NumFrames": str(len(taken)),
        "NumMarkers": "33",
        "Units": "m",
        "OrigDataRate": "25.000",
        "OrigDataStartFrame": "1",
        "OrigNumFrames": str(len(taken)),
    }
    assert trc.frames == list(range(1, len(taken) + 1))
    assert trc.times[0] == pytest.approx((LATE - 1) / FPS, abs=1e-6)
    at = {name: index for index, name in enumerate(trc.markers)}
    assert {"Nose", "LMouth", "RHip", "LKnee", "RAnkle", "LHeel", "RBigToe", "LWrist"} <= set(at)
    for row, index in enumerate(taken):
        points, world = found(frames, index)
        world[~(points[:, 2] >= 0.5)] = np.nan
        np.testing.assert_allclose(trc.points[row], world, atol=6e-6)
    # What stands is upright: y is up, and the hips are the origin.
    assert trc.points[0, at["Nose"], 1] > 0.4
    assert trc.points[0, at["LHeel"], 1] < -0.6
    np.testing.assert_allclose(trc.points[0, [at["LHip"], at["RHip"]]].mean(axis=0), 0, atol=1e-5)


def test_what_was_not_seen_has_no_position(frames: list[PoseFrame], exported: Path) -> None:
    for name in (f"{STEM}.trc", f"{STEM}_px.trc"):
        trc = read_trc(exported / name)
        missing = np.isnan(trc.points)
        taken = rows(frames)
        unseen = np.array([~(found(frames, index)[0][:, 2] >= 0.5) for index in taken])
        np.testing.assert_array_equal(missing, np.repeat(unseen[:, :, None], 3, axis=2))
        assert missing[taken.index(HIDDEN - 1), RIGHT_WRIST].all()
        assert not missing[taken.index(HIDDEN), RIGHT_WRIST].any()
        assert missing[[taken.index(number - 1) for number in range(*GAP)]].all()


def test_markers_in_pixels(frames: list[PoseFrame], exported: Path) -> None:
    trc = read_trc(exported / f"{STEM}_px.trc")
    assert trc.header["Units"] == "px"
    for row, index in enumerate(rows(frames)):
        points, _ = found(frames, index)
        seen = points[:, 2] >= 0.5
        np.testing.assert_allclose(trc.points[row][seen][:, :2], points[seen, :2], atol=6e-4)
        assert (trc.points[row][seen][:, 2] == 0).all()


def test_angles(frames: list[PoseFrame], exported: Path) -> None:
    motion = read_mot(exported / f"{STEM}.mot")
    taken = rows(frames)
    assert motion.header == {
        "version": "1",
        "nRows": str(len(taken)),
        "nColumns": str(len(motion.columns)),
        "inDegrees": "yes",
    }
    assert motion.columns[0] == "time"
    observer = Observer("squat")
    seen = [observer.update(frame) for frame in frames]
    for key in ("knee_flexion_left", "trunk_lean", "elbow_flexion_right"):
        expected = [
            np.nan if not one or (value := one[0].measures[key].value) is None else value
            for one in (seen[index] for index in taken)
        ]
        np.testing.assert_allclose(motion[key], expected, atol=6e-4)
    assert np.nanmax(motion["knee_flexion_right"]) > 80
    assert np.isnan(motion["elbow_flexion_right"][taken.index(HIDDEN - 1)])


def test_a_table_and_a_document(frames: list[PoseFrame], exported: Path) -> None:
    trc = read_trc(exported / f"{STEM}.trc")
    with (exported / "clip.trace.keypoints.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    there = [index for index in rows(frames) if frames[index].subjects]
    assert len(table) == 33 * len(there)
    hidden = next(row for row in table if row["frame"] == str(HIDDEN) and row["marker"] == "RWrist")
    assert (hidden["x_px"], hidden["y_m"], hidden["visibility"]) == ("", "", "0.100")
    document = json.loads((exported / "clip.trace.motion.json").read_bytes())
    (subject,) = document["subjects"]
    assert subject["t_s"] == pytest.approx(trc.times.tolist())
    np.testing.assert_allclose(np.array(subject["world_m"], float), trc.points, atol=1e-6)
    knee, motion = subject["angles"]["knee_flexion_left"], read_mot(exported / f"{STEM}.mot")
    assert knee["unit"] == "deg"
    np.testing.assert_allclose(
        np.array(knee["values"], float), motion["knee_flexion_left"], atol=1e-6, equal_nan=True
    )
    assert [grade == "none" for grade in knee["grades"]] == [value is None for value in knee["values"]]


def test_a_tilted_camera_is_levelled() -> None:
    """Somebody upright, seen from above: their ankles are under their shoulders once the tilt is known."""
    recording = Recording()
    for frame in Camera(yaw=0, tilt=25).see(stand(), 10.0, end=1.0):
        recording.picture(frame.monotonic_ns / 1e9)
        (one,) = frame.subjects
        recording.add(one.id, one.species, one.skeleton, one.points(), one.world_points(), {})
    leaning = {}
    for tilt in (None, 25.0):
        motion = recording.motion(1, (), tilt)
        at = {name: index for index, name in enumerate(motion.markers)}
        up = motion.world[0, at["LShoulder"]] - motion.world[0, at["LAnkle"]]
        leaning[tilt] = np.degrees(np.arctan2(up[2], up[1]))
    assert leaning[25.0] == pytest.approx(0, abs=3)
    assert abs(leaning[None] - leaning[25.0]) == pytest.approx(25, abs=0.1)


@pytest.mark.parametrize("skeleton", SKELETONS)
def test_every_marker_has_a_name_of_its_own(skeleton: str) -> None:
    names = marker_names(skeleton)
    assert len(set(names)) == len(SKELETONS[skeleton].names)
    assert all(name.isalnum() and not name[0].islower() for name in names)


def test_c3d(frames: list[PoseFrame], exported: Path, tmp_path: Path) -> None:
    ezc3d = pytest.importorskip("ezc3d", reason="missing: ezc3d (the extra c3d)")
    trace = write_trace(tmp_path / "clip.trace", frames)
    analyze(trace, exercise="squat", out=tmp_path / "out", formats=("c3d",))
    file = ezc3d.c3d(str(tmp_path / "out" / f"{STEM}.c3d"))
    trc = read_trc(exported / f"{STEM}.trc")
    point = file["parameters"]["POINT"]
    assert point["LABELS"]["value"] == trc.markers
    assert (point["UNITS"]["value"], point["RATE"]["value"][0]) == (["mm"], pytest.approx(FPS))
    moments = np.rint((trc.times - trc.times[0]) * FPS).astype(int)
    read = file["data"]["points"][:3].transpose(2, 1, 0)
    # The picture whose time did not rise is a moment without markers.
    assert (len(read), len(moments)) == (moments[-1] + 1, moments[-1])
    np.testing.assert_allclose(read[moments], trc.points * 1000, atol=0.02)
    assert np.isnan(np.delete(read, moments, axis=0)).all()


def test_without_ezc3d_it_is_said_before_any_work(
    frames: list[PoseFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    trace = write_trace(tmp_path / "clip.trace", frames)
    with pytest.raises(ConfigError, match="ezc3d"):
        analyze(trace, exercise="squat", out=tmp_path / "out", formats=("c3d",))
    assert not (tmp_path / "out").exists()


def test_lists_of_formats() -> None:
    assert parse_formats(" TRC,mot,,trc ") == ("trc", "mot")
    assert parse_formats("") == ()
    assert parse_formats(",".join(FORMATS)) == tuple(FORMATS)
    with pytest.raises(ConfigError, match="bvh"):
        parse_formats("trc,bvh")
