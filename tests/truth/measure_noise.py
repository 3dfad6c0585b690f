"""Measures the noise of keypoints on real footage: `python -m tests.truth.measure_noise TRACE... > new.toml`.

(Not straight into `noise.toml`: the present table is read on the way.)
Traces come from `kinebox analyze --out`. A quadratic is fitted to each coordinate over nine pictures; what the middle
one is off by is the residual. Residuals grow with the joint's speed (the filter in vision follows a fast joint with
less calm), so they are sorted by it. How a movement itself departs from a quadratic is taken from generated motion
without noise, by the same steps, and subtracted.

The quadratic follows slow noise, so a residual is smaller than the noise. How much smaller is said by how residuals
of neighbouring pictures correlate: positively (0.07), which no noise of first order does (there it is below -0.1 for
every time constant), but one of second order with the correlation (1 + t/T) exp(-t/T) does. T is fitted to it.
Errors that last longer than the nine pictures, such as a hip that is seen too high all the time, stay unknown.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.link import PoseFrame
from edge.vision.trace import read_trace
from tests.truth.camera import Camera
from tests.truth.exercises import arm_raise, curl, squat
from tests.truth.jumping import jump
from tests.truth.person import NAMES
from tests.truth.walking import run, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Array = npt.NDArray[np.float64]

GROUPS = {
    "head": ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "mouth_left", "mouth_right"),
    **{
        joint: (f"left_{joint}", f"right_{joint}")
        for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "heel", "foot_index")
    },
}
HALF = 4
SPEEDS = (0.0, 0.15, 0.5, 1.0, 2.0, 4.0)
"""Bounds of the classes of speed, trunk lengths a second."""
WELL_SEEN = 0.8
OUTLIER = 0.1
"""Trunk lengths from which a residual is an outlier."""
VIEWS = ((0.0, 0.5), (0.5, 0.87), (0.87, 1.01))
"""Classes of view by the sine of the turn from the camera: to 30, to 60 and to 90 degrees."""
CALM = 1.0
"""Speed below which outliers are counted: above, a residual may be the movement's."""
_TERMS = np.vander(np.arange(-HALF, HALF + 1.0), 3, increasing=True)
_FIT = _TERMS @ np.linalg.pinv(_TERMS)
_MIDDLE = np.eye(2 * HALF + 1)[HALF] - _FIT[HALF]
"""What takes the residual of the middle out of nine values."""


class Clip(NamedTuple):
    """One subject, in trunk lengths; NaN where it was not found."""

    times: Array
    image: Array
    world: Array
    visibility: Array
    inside: npt.NDArray[np.bool_]
    """bool[T, K]: within the picture."""


class Residuals(NamedTuple):
    """Of one group of joints, all clips together, one row a joint and picture."""

    image: Array
    """float64[N, 2]: x, y."""
    world: Array
    """float64[N, 3]: x, y, z."""
    speed: Array
    visibility: Array
    next_image: Array
    """As `image`, one picture later."""


def clip(frames: Sequence[PoseFrame]) -> Clip:
    """The first subject of each frame."""
    count, none = len(NAMES), np.full((len(NAMES), 3), np.nan)
    points = np.stack([f.subjects[0].points() if f.subjects else none for f in frames]).astype(float)
    world = np.stack([f.subjects[0].world_points() if f.subjects else none for f in frames]).astype(float)
    assert points.shape[1] == count
    size = np.array([frames[0].width, frames[0].height])
    with np.errstate(invalid="ignore"):
        inside = ((points[..., :2] >= 0) & (points[..., :2] < size)).all(axis=-1)
    return Clip(
        np.array([f.monotonic_ns / 1e9 for f in frames]),
        points[..., :2] / _trunk(points[..., :2]),
        world / _trunk(world),
        points[..., 2],
        inside,
    )


def _trunk(points: Array) -> float:
    middles = [
        points[:, [NAMES.index(f"{side}_{joint}") for side in ("left", "right")]].mean(axis=1)
        for joint in ("shoulder", "hip")
    ]
    return float(np.nanmedian(np.linalg.norm(middles[0] - middles[1], axis=1)))


def residuals(clips: Sequence[Clip], joints: Sequence[str]) -> Residuals:
    """Of these joints in all clips."""
    rows = [_of_joint(one, NAMES.index(joint)) for one in clips for joint in joints]
    return Residuals(*(np.concatenate(part) for part in zip(*rows, strict=True)))


def _of_joint(one: Clip, joint: int) -> Residuals:
    image, world = (_residual(points[:, joint]) for points in (one.image, one.world))
    span = one.times[2 * HALF :] - one.times[: -2 * HALF]
    way = np.linalg.norm(one.image[2 * HALF :, joint] - one.image[: -2 * HALF, joint], axis=1)
    speed = way / span
    keep = slice(0, -1)
    seen = one.visibility[HALF:-HALF, joint]
    parts = (image[keep], world[keep], speed[keep], seen[keep], image[1:])
    known = np.isfinite(parts[0]).all(axis=1) & np.isfinite(parts[4]).all(axis=1)
    return Residuals(*(part[known] for part in parts))


def _residual(course: Array) -> Array:
    windows = np.lib.stride_tricks.sliding_window_view(course, 2 * HALF + 1, axis=0)
    return np.asarray(windows @ _MIDDLE / np.linalg.norm(_MIDDLE))


def spread(values: Array) -> float:
    """Standard deviation from the median absolute deviation."""
    return float(1.4826 * np.median(np.abs(values))) if values.size else float("nan")


def shrink(step: float) -> tuple[float, float]:
    """Variance of the residuals of noise of variance 1, and their correlation from picture to picture.

    `step`: time between pictures, in the noise's time constants.
    """
    size = 2 * HALF + 2
    lags = step * np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    covariance = (1 + lags) * np.exp(-lags)
    first, second = np.append(_MIDDLE, 0), np.insert(_MIDDLE, 0, 0)
    variance = first @ covariance @ first
    return float(variance / (_MIDDLE @ _MIDDLE)), float(first @ covariance @ second / variance)


def step_of(correlation: float) -> float:
    """Time between pictures in time constants at which neighbouring residuals correlate so."""
    table = np.linspace(0.1, 5, 491)
    return float(table[np.argmin([abs(shrink(step)[1] - correlation) for step in table])])


def _classes(rows: Residuals, seen: bool) -> Iterator[tuple[float, Residuals]]:
    """Middle speed and rows of each class of speed."""
    for low, high in pairwise(SPEEDS):
        inside = (rows.speed >= low) & (rows.speed < high) & ((rows.visibility >= WELL_SEEN) == seen)
        yield (
            float(np.median(rows.speed[inside])) if inside.any() else (low + high) / 2,
            Residuals(*(part[inside] for part in rows)),
        )


def fit(rows: Residuals, clean: Residuals, step: float) -> dict[str, float | list[float]]:
    """The noise of one group, by class of speed; `step` as for `shrink`."""
    seen, own, unseen = (
        list(_classes(part, seen=s)) for part, s in ((rows, True), (clean, True), (rows, False))
    )
    whole = np.sqrt(shrink(step)[0])
    found: dict[str, float | list[float]] = {"speeds": [speed for speed, _ in seen]}
    for name, pick in (
        ("image", lambda part: part.image),
        ("world", lambda part: part.world[:, :2]),
        ("depth", lambda part: part.world[:, 2]),
    ):
        raw = [spread(pick(part)) for _, part in seen]
        bare = [spread(pick(part)) if len(part.speed) else 0.0 for _, part in own]
        noise = np.sqrt(np.maximum(np.square(raw) - np.square(bare), 0))
        found[f"{name}_residuals"] = raw
        found[name] = (noise / whole).tolist()
    both = [
        (spread(b.image), spread(a.image))
        for (_, a), (_, b) in zip(seen, unseen, strict=True)
        if len(b.speed) > 99
    ]
    found["hidden_factor"] = float(np.mean([b / a for b, a in both])) if both else 1.0
    calm = np.abs(rows.image[(rows.speed < CALM) & (rows.visibility >= WELL_SEEN)]).max(axis=1)
    found["outlier_share"] = float((calm > OUTLIER).mean())
    found["outlier_size"] = float(np.median(calm[calm > OUTLIER])) if (calm > OUTLIER).any() else OUTLIER
    found["unseen_share"] = float((rows.visibility < 0.5).mean())
    found["rows"] = len(rows.speed)
    return found


def _between(rows: Residuals, low: float, high: float) -> Residuals:
    inside = (rows.speed >= low) & (rows.speed < high)
    return Residuals(*(part[inside] for part in rows))


def _lag(rows: Residuals) -> float:
    """Correlation from picture to picture, without the largest tenth."""
    size = np.abs(rows.image).max(axis=1)
    kept = size < np.quantile(size, 0.9)
    a, b = (
        rows.image[kept].ravel(),
        np.clip(rows.next_image[kept].ravel(), -size[kept].max(), size[kept].max()),
    )
    return float((a * b).mean() / (a * a).mean())


def swaps(one: Clip) -> tuple[int, int, int]:
    """How often left and right legs change places, pictures in which they could be told apart, all pictures.

    A change of places: the legs' joints are nearer to where the other leg was a picture before, by twice or more.
    """
    legs = [
        [NAMES.index(f"{side}_{joint}") for joint in ("knee", "ankle", "heel", "foot_index")]
        for side in ("left", "right")
    ]
    left, right = (one.image[:, leg] for leg in legs)
    apart = np.linalg.norm(left - right, axis=-1).mean(axis=1)
    same = sum(np.linalg.norm(np.diff(leg, axis=0), axis=-1).mean(axis=1) for leg in (left, right))
    crossed = sum(
        np.linalg.norm(a[1:] - b[:-1], axis=-1).mean(axis=1) for a, b in ((left, right), (right, left))
    )
    told = apart[:-1] > 0.2
    return int((told & (crossed < same / 2)).sum()), int(told.sum()), len(told)


def gaps(one: Clip) -> tuple[int, int, int]:
    """Gaps between the first and the last picture with a subject, pictures in them, pictures in all."""
    present = np.isfinite(one.image[:, 0, 0])
    if not present.any():
        return 0, 0, 0
    first, last = np.flatnonzero(present)[[0, -1]]
    inside = present[first : last + 1]
    return int((np.diff(inside.astype(int)) == -1).sum()), int((~inside).sum()), len(inside)


class Visibility(NamedTuple):
    """Of one group of joints of upright people, inside the picture."""

    near: list[float]
    """Medians of the side turned to the camera, by class of view."""
    far: list[float]
    outside: float
    """Median beyond the picture's edge."""
    spread: float
    """Of the logarithms of the odds, within a clip."""
    lag: float
    """Correlation of these from picture to picture."""


def visibility(clips: Sequence[Clip], joints: Sequence[str]) -> Visibility:
    """How visible a group's joints are said to be, by how far the body is turned from the camera."""
    near: list[list[Array]] = [[] for _ in VIEWS]
    far: list[list[Array]] = [[] for _ in VIEWS]
    beyond, spreads, lags = [np.zeros(0)], [], []
    for one in clips:
        turned, upright = _view(one)
        for joint in joints:
            at = NAMES.index(joint)
            seen, odds = one.visibility[:, at], _odds(one.visibility[:, at])
            toward = turned if "right" in joint else -turned
            beyond.append(seen[upright & ~one.inside[:, at]])
            for number, (low, high) in enumerate(VIEWS):
                inside = upright & one.inside[:, at] & (np.abs(turned) >= low) & (np.abs(turned) < high)
                near[number].append(seen[inside & (toward > 0)])
                far[number].append(seen[inside & (toward <= 0)])
                both = inside[1:] & inside[:-1]
                if both.sum() > 30 and odds[inside].std() > 0:
                    course = odds - odds[inside].mean()
                    spreads.append(spread(course[inside]))
                    lags.append(float((course[1:] * course[:-1])[both].mean() / (course[inside] ** 2).mean()))

    def medians(parts: list[list[Array]]) -> list[float]:
        return [float(np.median(np.concatenate(part))) for part in parts]

    outside = np.concatenate(beyond)
    return Visibility(
        medians(near), medians(far), float(np.median(outside)) if len(outside) > 99 else float("nan"),
        float(np.median(spreads)), float(np.median(lags)),
    )  # fmt: skip


def _view(one: Clip) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The sine by which the right side is turned to the camera, and where the trunk is upright; by world points."""
    ends = {
        f"{side}_{joint}": one.world[:, NAMES.index(f"{side}_{joint}")]
        for side in ("left", "right")
        for joint in ("shoulder", "hip")
    }
    across = ends["right_shoulder"] + ends["right_hip"] - ends["left_shoulder"] - ends["left_hip"]
    trunk = ends["left_shoulder"] + ends["right_shoulder"] - ends["left_hip"] - ends["right_hip"]
    with np.errstate(invalid="ignore"):
        upright = trunk[:, 1] > 0.8 * np.linalg.norm(trunk, axis=1)
        return across[:, 2] / np.hypot(across[:, 0], across[:, 2]), upright


def _odds(share: Array) -> Array:
    share = np.clip(share, 0.001, 0.999)
    return np.asarray(np.log(share / (1 - share)))


def without_noise() -> list[Clip]:
    """Generated motion as a perfect model sees it, at the footage's rate."""
    motions = [walk(treadmill=True), run(treadmill=True), squat(), curl(), arm_raise(), jump(jumps=3)]
    clips = [
        clip(Camera(yaw=yaw, distance=4).see(motion, fps=27)) for motion in motions for yaw in (0, 45, 90)
    ]
    return [one._replace(visibility=np.ones_like(one.visibility)) for one in clips]


def main(paths: Sequence[str]) -> None:
    """Print the table."""
    clips = [clip([r for r in read_trace(Path(path)) if isinstance(r, PoseFrame)]) for path in paths]
    clean = without_noise()
    rate = float(np.median([1 / np.median(np.diff(one.times)) for one in clips]))
    groups = {group: residuals(clips, joints) for group, joints in GROUPS.items()}
    lag = float(
        np.mean(
            [_lag(_between(rows, low, high)) for rows in groups.values() for low, high in pairwise(SPEEDS)]
        )
    )
    step = step_of(lag)
    changed, told, _ = np.sum([swaps(one) for one in clips], axis=0)
    number, missing, inside = np.sum([gaps(one) for one in clips], axis=0)
    footage = {
        "clips": len(clips),
        "pictures": sum(len(one.times) for one in clips),
        "pictures_a_second": rate,
        "residual_correlation": lag,
        "time_constant": 1 / rate / step,
        "leg_swaps_a_minute": changed / told * rate * 60,
        "gaps_a_minute": number / inside * rate * 60,
        "gap": missing / number / rate,
    }
    sys.stdout.write(_HEAD + _table("footage", footage))
    for group, joints in GROUPS.items():
        sys.stdout.write("\n" + _table(f"joint.{group}", fit(groups[group], residuals(clean, joints), step)))
    found = {group: visibility(clips, joints) for group, joints in GROUPS.items()}
    general = {
        "outside": float(np.nanmedian([row.outside for row in found.values()])),
        "odds_spread": float(np.median([row.spread for row in found.values()])),
        "time_constant": float(-1 / rate / np.log(np.median([row.lag for row in found.values()]))),
    }
    sys.stdout.write("\n" + _table("visibility", general))
    for group, row in found.items():
        sys.stdout.write("\n" + _table(f"visibility.joint.{group}", {"near": row.near, "far": row.far}))


def _table(name: str, values: Mapping[str, float | list[float]]) -> str:
    def text(value: float | list[float]) -> str:
        if isinstance(value, list):
            return f"[{', '.join(map(text, value))}]"
        return str(value) if isinstance(value, int) else f"{value:.4g}"

    return "\n".join([f"[{name}]", *(f"{key} = {text(value)}" for key, value in values.items()), ""])


_HEAD = """\
# Noise of keypoints as vision delivers them (after its filter, INT8), by tests/truth/measure_noise.py: see there how.
# Our own measurement. Lengths are in trunk lengths (middle of the shoulders to middle of the hips), speeds in trunk
# lengths a second in the picture, times in seconds.
# speeds: median in each class (0-0.15, 0.15-0.5, 0.5-1, 1-2, 2-4), for joints of visibility 0.8 and above.
# image: pixels; world: x and y of the world points; depth: their z. *_residuals: spread of the residuals as measured;
# without the suffix: standard deviation of the noise that it takes. hidden_factor: of that below visibility 0.8.
# The footage is at most 640 pixels wide and a trunk 60 to 180 pixels long: nearer, the noise may be less.
# outlier_share, outlier_size: of pictures with a residual above 0.1 in slow and well seen joints, and its median.
# unseen_share: of pictures with visibility below 0.5.
# visibility: of upright people, medians of the side near to the camera and of the far one, turned from it by up to
# 30, 60 and 90 degrees; outside: beyond the picture's edge. odds_spread: of the logarithm of its odds about the
# median, over time_constant.

"""

if __name__ == "__main__":
    main(sys.argv[1:])
