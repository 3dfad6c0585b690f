"""Sway: how much somebody who stands still moves, from ten seconds and more of it.

The body's middle is that between the hip joints, about where its centre of mass is. Root mean square about the mean
and length of the path as usual in stabilometry (Prieto et al., IEEE Trans Biomed Eng 43:956, 1996). One camera sees
one direction, across its picture: from the front it is the sideways one, from the side that forwards and back. The
other lies in the model's depth, whose noise is as large as the sway itself, so it is not told, and nor is the area
of an ellipse, which would need both. With measured noise on generated standing the root mean square is right within
0.2 mm, and a path of a very still person (2 mm) is up to a fifth too long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.body import INDEX
from edge.motion.grades import Grade, Measure, Reason, graded, view_reasons
from edge.motion.sideplane import EAR_HEIGHT
from edge.motion.smooth import smooth

if TYPE_CHECKING:
    from edge.motion.track import Track

Array = npt.NDArray[np.float64]

LEAST_S = 10.0
"""Seconds of standing that are needed (less says little of the slow parts: Carpenter et al., 2001)."""
_PATH_S = 10.0
"""Seconds to which the path's length is told."""
_HALF_WIDTH_S = 0.35
"""Of the smoothing: sway is below 1 Hz, the model's trembling above."""
_FEET_STILL, _HIPS_STILL = 0.12, 0.25
"""Trunk lengths that feet and hips may move (all but the outer twentieths of the moments)."""
_UPRIGHT_DEG = 20.0
_LEGS_LONG = 1.3
"""Least height of the hips over the ankles in trunk lengths: standing 1.7, sitting 0.9."""
_STRAIGHT_DEG = 25.0
"""Turn from the front or the side up to which the picture shows one direction of the body."""
_KNOWN = 0.8
_LEAST_RATE = 8.0
_FEET = tuple(f"{part}_{side}" for part in ("heel", "toe") for side in ("left", "right"))


class Sway(NamedTuple):
    """Of one stretch of standing; lengths in thousandths of the body height."""

    rms: float
    path: float
    """In ten seconds."""
    turn: float
    """Degrees from the camera, -180 to 180; NaN: unknown."""
    visibility: float
    tilt_known: bool
    rate: float


def read_sway(track: Track, *, tilt_known: bool) -> Sway | None:
    """Sway in `track`; None where it is shorter than ten seconds, or anything but standing still."""
    times = track.times
    if len(track) < 3 or times[-1] - times[0] < LEAST_S - 2 / max(track.rate, 1e-9):
        return None
    if track.rate < _LEAST_RATE or not _stands(track):
        return None
    pelvis = track.image[:, INDEX["pelvis"], 0]
    height = _height_px(track)
    if not height > 0:
        return None
    course = smooth(times, pelvis[:, None], half_width_s=_HALF_WIDTH_S).value[:, 0] / height * 1000
    known = np.isfinite(course)
    if known.mean() < _KNOWN:
        return None
    steps = np.abs(np.diff(course))
    steps = steps[np.isfinite(steps)]
    # Gaps are filled with the usual speed.
    path = float(steps.mean()) * (len(course) - 1) * _PATH_S / float(times[-1] - times[0])
    return Sway(
        float(course[known].std()),
        path,
        _turn(track.space),
        float(track.visibility[:, INDEX["pelvis"]].mean()),
        tilt_known,
        track.rate,
    )


def _spread(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.subtract(*np.percentile(known, [95, 5]))) if len(known) else float("inf")


def _stands(track: Track) -> bool:
    trunk = track.trunk_px
    if not trunk > 0:
        return False
    for names, most in ((_FEET, _FEET_STILL), (("pelvis",), _HIPS_STILL)):
        for name in names:
            for axis in (0, 1):
                if _spread(track.image[:, INDEX[name], axis]) > most * trunk:
                    return False
    back = track.image[:, INDEX["neck"]] - track.image[:, INDEX["pelvis"]]
    ankles = track.image[:, [INDEX["ankle_left"], INDEX["ankle_right"]], 1].mean(axis=1)
    legs = track.image[:, INDEX["pelvis"], 1] - ankles
    lean = np.degrees(np.arctan2(np.abs(back[:, 0]), back[:, 1]))
    lean, legs = lean[np.isfinite(lean)], legs[np.isfinite(legs)]
    return bool(
        len(lean) and len(legs) and np.median(lean) < _UPRIGHT_DEG and np.median(legs) > _LEGS_LONG * trunk
    )


def _height_px(track: Track) -> float:
    """Body height in the picture: the ear is at 0.925 of it."""
    heels = track.image[:, [INDEX["heel_left"], INDEX["heel_right"]], 1].mean(axis=1)
    span = track.image[:, INDEX["head"], 1] - heels
    span = span[np.isfinite(span)]
    return float(np.median(span)) / EAR_HEIGHT if len(span) else float("nan")


def _turn(space: Array) -> float:
    across = (
        space[:, INDEX["shoulder_left"]] - space[:, INDEX["shoulder_right"]]
        + space[:, INDEX["hip_left"]] - space[:, INDEX["hip_right"]]
    )  # fmt: skip
    across = across[np.isfinite(across).all(axis=1)]
    if not len(across):
        return float("nan")
    x, _, z = across.mean(axis=0)
    return float(np.degrees(np.arctan2(-z, x)))


def measure_sway(sway: Sway, height_m: float | None) -> dict[str, Measure]:
    """The rows of one stretch: thousandths of the body height, and millimetres where that is known (`height_m`)."""
    reasons: dict[Reason, Grade] = view_reasons(sway.visibility, 0.0)
    if not sway.tilt_known:
        reasons["tilt_unknown"] = "B"
    folded = abs(sway.turn) if abs(sway.turn) <= 90 else 180 - abs(sway.turn)
    hidden: dict[Reason, Grade] = {"out_of_plane": "none"}
    slanted: dict[Reason, Grade] = {"oblique_view": "none"}
    seen = {
        "sway_sideways": reasons
        if folded <= _STRAIGHT_DEG
        else hidden
        if folded >= 90 - _STRAIGHT_DEG
        else slanted,
        "sway_forwards": reasons
        if folded >= 90 - _STRAIGHT_DEG
        else hidden
        if folded <= _STRAIGHT_DEG
        else slanted,
        "sway_path": slanted if _STRAIGHT_DEG < folded < 90 - _STRAIGHT_DEG else reasons,
    }
    measures = {}
    for key, why in seen.items():
        value = sway.path if key == "sway_path" else sway.rms
        measures[f"{key}_relative"] = graded(value, why)
        measures[key] = (
            Measure(None, "none", ("not_calibrated",)) if height_m is None else graded(value * height_m, why)
        )
    return measures
