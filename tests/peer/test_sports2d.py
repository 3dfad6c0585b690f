"""Our angles beside those that Sports2D (BSD-3) makes of the very same keypoints, on real clips.

Sports2D reads our `.trc` in pixels with its own reader, in an environment of its own: KINEBOX_SPORTS2D names its
Python (docs/exports.md says how to make it). It measures in the picture and knows no perspective. So two things
are compared: its angles with ours in the picture alone, which must be the same; and with what we report where the
joint's plane is turned by no more than IN_PLANE degrees out of the picture's.

The sign that Sports2D gives depends on where it thinks the feet point; sizes of angles are compared.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from edge.analyze import analyze
from edge.link import PoseFrame
from edge.motion.angles import JOINT_ANGLES, ROW, joint_angles
from edge.motion.body import Body
from edge.motion.lens import Lens
from edge.vision.trace import read_trace

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

CLIPS = ("exercise/squat_01", "exercise/curl_01", "gait/gait_normal_01", "gait/sports2d_demo")
JOINTS = {
    "knee": "knee_flexion",
    "hip": "hip_flexion",
    "ankle": "ankle_dorsiflexion",
    "elbow": "elbow_flexion",
    "shoulder": "shoulder_elevation",
}
PAIRS = {
    f"{side} {joint}": f"{key}_{side}" for joint, key in JOINTS.items() for side in ("left", "right")
} | {"trunk": "trunk_lean"}
"""Sports2D's angle -> ours."""
IN_PLANE = 10.0
"""Up to here a foreshortened right angle is off by less than 1 degree."""
ENOUGH = 20
"""Pictures in plane from which a mean says something."""


class Course(NamedTuple):
    """One angle of one clip: float64[T] each, sizes in degrees, NaN where not measured."""

    theirs: Array
    picture: Array
    """Ours in the picture alone."""
    reported: Array
    tilt: Array
    """Of the joint's plane out of the picture's."""


def size(name: str, theirs: Array) -> Array:
    """Sports2D's angles as sizes of the angle between the two segments, as ours are."""
    if name == "trunk":
        turned = 90 - theirs  # the segment against the horizontal
    elif name.endswith("ankle"):
        turned = 90 - theirs  # 0 at a right angle
    else:
        turned = theirs
    return np.abs((turned + 180) % 360 - 180)


def ours(key: str, values: Array) -> Array:
    return np.abs(90 - values if key.startswith("ankle") else values)


def peer_python() -> str:
    python = os.environ.get("KINEBOX_SPORTS2D")
    if not python:
        pytest.skip("missing: Sports2D (KINEBOX_SPORTS2D names no Python that has it)")
    return python


@pytest.fixture(scope="module")
def exports(data_dir: Path, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    peer_python()
    folder = tmp_path_factory.mktemp("exports")
    for clip in CLIPS:
        path = data_dir / f"{clip}.mp4"
        analyze(path, exercise="auto", threads=2, out=folder, formats=("trc", "mot", "json"))
    return folder


@pytest.fixture(scope="module")
def courses(exports: Path) -> dict[str, dict[str, Course]]:
    """By clip and Sports2D's name of the angle."""
    script = Path(__file__).with_name("angles_by_sports2d.py")
    files = {clip: str(exports / f"{Path(clip).name}.mp4.subject1_px.trc") for clip in CLIPS}
    done = subprocess.run(
        [peer_python(), str(script), *files.values()],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    return {clip: _courses(exports / f"{Path(clip).name}.mp4", theirs[file]) for clip, file in files.items()}


def _courses(stem: Path, theirs: dict[str, list[float | None]]) -> dict[str, Course]:
    subject = json.loads(Path(f"{stem}.motion.json").read_bytes())["subjects"][0]
    picture = np.full((len(subject["frame"]), len(JOINT_ANGLES)), np.nan)
    tilt = picture.copy()
    at = {frame: row for row, frame in enumerate(subject["frame"])}
    frames = (record for record in read_trace(Path(f"{stem}.trace")) if isinstance(record, PoseFrame))
    for number, frame in enumerate(frames, 1):
        for one in frame.subjects:
            if one.id == subject["id"] and number in at:
                flat = Body.of(one.skeleton, one.points(), None)
                deep = Body.of(
                    one.skeleton, one.points(), one.world_points(), Lens(frame.width, frame.height)
                )
                picture[at[number]] = joint_angles(flat).value
                tilt[at[number]] = joint_angles(deep).tilt
    result = {}
    for name, key in PAIRS.items():
        reported = np.array(subject["angles"][key]["values"], float)
        seen = np.where(np.isnan(reported), np.nan, picture[:, ROW[key]])
        result[name] = Course(
            size(name, np.array(theirs[name], float)),
            ours(key, seen),
            ours(key, reported),
            tilt[:, ROW[key]],
        )
    return result


def summary(difference: Array) -> str:
    known = np.abs(difference[np.isfinite(difference)])
    return f"{known.mean():.2f}, {np.percentile(known, 95):.2f} ({len(known)})" if len(known) else "none (0)"


def test_in_the_picture_they_are_the_same(courses: dict[str, dict[str, Course]]) -> None:
    """Same joints, same angles, our files read as they are meant: what is left is the rounding of the files."""
    compared = 0
    for clip, angles in courses.items():
        for name, one in angles.items():
            difference = one.theirs - one.picture
            known = np.isfinite(difference)
            assert np.isnan(one.theirs[np.isnan(one.picture)]).all() or known.any()
            assert (np.abs(difference[known]) <= 0.05).all(), (clip, name, np.nanmax(np.abs(difference)))
            compared += known.sum()
    assert compared > 5000


def test_in_the_plane_of_the_picture_what_is_reported_is_the_same(
    courses: dict[str, dict[str, Course]],
) -> None:
    """Within 1 degree on average, wherever the joint is seen in its plane."""
    judged = 0
    for clip, angles in courses.items():
        print(f"\n{clip}: mean, 95th percentile (pictures)")
        for name, one in angles.items():
            difference = one.reported - one.theirs
            plane = np.where(one.tilt <= IN_PLANE, difference, np.nan)
            picture = one.picture - one.theirs
            print(f"| {name} | {summary(picture)} | {summary(plane)} | {summary(difference)} |")
            if np.isfinite(plane).sum() >= ENOUGH:
                judged += 1
                assert np.nanmean(np.abs(plane)) <= 1, (clip, name)
    assert judged >= 2


def test_opensim_reads_the_files(exports: Path) -> None:
    """OpenSim itself comes with Sports2D."""
    script = """
import json, sys, opensim
found = {}
for path in sys.argv[1:]:
    table = (opensim.TimeSeriesTable if path.endswith(".mot") else opensim.TimeSeriesTableVec3)(path)
    meta = [table.getTableMetaDataAsString(key) for key in (("inDegrees",) if path.endswith(".mot") else ("Units",))]
    found[path] = [table.getNumRows(), list(table.getColumnLabels()), *meta]
print("found:" + json.dumps(found))
"""
    files = [
        exports / f"{Path(clip).name}.mp4.subject1{ending}"
        for clip in CLIPS
        for ending in (".trc", "_px.trc", ".mot")
    ]
    done = subprocess.run(
        [peer_python(), "-c", script, *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.split("found:")[1])
    for file in files:
        stem = file.name.split(".subject1")[0]
        subject = json.loads((exports / f"{stem}.motion.json").read_bytes())["subjects"][0]
        columns = list(subject["angles"]) if file.suffix == ".mot" else subject["markers"]
        unit = "yes" if file.suffix == ".mot" else "px" if "_px" in file.name else "m"
        assert found[str(file)] == [len(subject["frame"]), columns, unit]
