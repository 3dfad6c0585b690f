"""Run by the peer's own Python: Sports2D's angles of marker files in pixels, a JSON object a file.

Its reader, its conventions and its side (from where the feet point), a picture at a time; without its filters and
without unwrapping by half turns, which it does to whole courses afterwards.
"""

import contextlib
import json
import sys

import numpy as np

with contextlib.redirect_stdout(sys.stderr):
    from Pose2Sim.common import add_shoulder_neck_hip_coords, angle_dict, read_trc
    from Sports2D.process import compute_angles_for_person, load_pose_file

FEET = ("LBigToe", "LHeel", "RBigToe", "RHeel")


def angles(path: str) -> dict[str, list[float | None]]:
    coordinates, _, _, markers, _ = read_trc(path)
    points, scores = load_pose_file(coordinates)
    courses: dict[str, list[float | None]] = {name: [] for name in angle_dict}
    feet = [markers.index(name) for name in FEET]
    for (frame,), (score,) in zip(points, scores, strict=True):
        x, y = frame[:, 0], frame[:, 1]
        names, ids = list(markers), list(range(len(markers)))
        for middle in ("Hip", "Neck"):
            x, y, score = add_shoulder_neck_hip_coords(middle, x, y, score, ids, names)  # noqa: PLW2901
            names.append(middle)
            ids.append(len(x) - 1)
        _, found, _ = compute_angles_for_person(
            x, y, "auto", True, ids, names, list(angle_dict), angle_dict, L_R_direction_idx=feet
        )
        for name, value in zip(angle_dict, found, strict=True):
            courses[name].append(float(value) if np.isfinite(value) else None)
    return courses


json.dump({path: angles(path) for path in sys.argv[1:]}, sys.stdout)
