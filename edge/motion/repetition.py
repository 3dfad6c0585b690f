"""One repetition in numbers, from the course of the angle that leads it.

The way out and the way back begin and end where a movement of least jerk (Flash and Hogan, J Neurosci 5:1688, 1985)
through the moments at 10 and at 90 % of its range would, but not beyond the course's own turning points: thresholds
of speed, the usual way, drown in the noise of keypoints. Speeds are slopes of the smoothed course
(edge.motion.smooth).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.grades import Grade, Measure, Reason, graded, view_reasons
from edge.motion.smooth import smooth, without_outliers

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = npt.NDArray[np.float64]
Way = Literal["eccentric", "concentric"]

_EDGE = 0.1
"""Share of the range at either end in which a moment of the movement is hard to tell from rest."""
_EDGE_TIME = 0.24662
"""Share of the time in which a movement of least jerk covers the first tenth: 10 u^3 - 15 u^4 + 6 u^5 = 0.1."""
_BEFORE_S = 0.5
"""Seconds before the estimated beginning in which the start position is sought."""
_WIDTH_SHARE = 0.2
"""Half width of the smoothing, as a share of the shorter way."""
_WIDTHS_S = (0.06, 0.4)
_OUTLIER_DEG = 8.0
_LEAST_DEG = 10.0
"""A movement smaller than this has no parts that could be told apart."""
_LEAST_MOMENTS = 5
_FASTEST = 90
"""Percentile of the speed between the edges that stands for its greatest: a twentieth of the movement is as fast, and
single misread pictures are no peak."""
_TURNED = 0.15
"""Share of the greatest speed below which the way back has come to its end."""
_GAPS: tuple[tuple[float, Grade], ...] = ((0.5, "none"), (0.2, "C"))
"""Nothing known for so much of the shorter way costs so much: the far end may have been in it."""
_RATES: tuple[tuple[float, Grade], ...] = ((10.0, "none"), (15.0, "C"), (20.0, "B"))
"""Below so many pictures a second, speeds and times are known this well at best."""
_QUICK: tuple[tuple[float, Grade], ...] = ((3.0, "none"), (5.0, "C"), (8.0, "B"))
"""So for ways that last fewer pictures."""
_PATTERN_HZ, _LEVEL, _PADDING = 10.0, 0.05, 4
"""Of the spectral arc length: highest frequency, least amplitude, and powers of two that are added."""
_RESAMPLED_HZ = 100.0


class Course(NamedTuple):
    """An angle over time; all float64[T]."""

    times: Array
    """Seconds, rising."""
    value: Array
    """Degrees; NaN where it is unknown."""
    visibility: Array
    """0-1."""
    tilt: Array
    """Degrees by which the angle's plane is turned out of the picture's; NaN: unknown."""


class Moments(NamedTuple):
    """About when a repetition began, was at its far end, and ended, in seconds."""

    began: float
    peaked: float
    ended: float
    not_before: float = float("-inf")
    """The far end of the repetition before."""


class Stroke(NamedTuple):
    """The way out, or the way back."""

    start: float
    end: float
    """Seconds."""
    size: float
    """Degrees."""
    peak_speed: float
    """Degrees a second."""
    smoothness: float

    @property
    def time(self) -> float:
        """Seconds."""
        return self.end - self.start


class Repeated(NamedTuple):
    """One repetition of one limb."""

    out: Stroke
    back: Stroke
    peak: float
    """The angle at the far end, degrees."""
    settled: bool
    """Whether the way back has come to its end."""
    gap: float
    """Longest time without a known value, as a share of the shorter way."""
    visibility: float
    tilt: float
    rate: float
    """Pictures a second."""


def read_repetition(course: Course, moments: Moments, sign: float = 1.0) -> Repeated | None:
    """The parts of one repetition in `course`, which may go on before and after it; None where it is not seen.

    `sign`: -1 where the angle falls on the way out.
    """
    near = (course.times >= max(moments.began - _BEFORE_S, moments.not_before)) & np.isfinite(course.times)
    part = Course(*(column[near] for column in course))
    if len(part.times) < _LEAST_MOMENTS:
        return None
    value = without_outliers(sign * part.value[:, None], _OUTLIER_DEG)
    part = part._replace(value=value[:, 0])
    rough = _ways(part, moments, min(moments.peaked - moments.began, moments.ended - moments.peaked))
    if rough is None:
        return None
    # How sharply the course may bend is known from the movement itself.
    fine = _ways(part, moments, min(rough.out.time, rough.back.time)) or rough
    return _repeated(part, fine, sign)


class _Way(NamedTuple):
    """From a start position to the last moment of a course."""

    start: float
    end: float
    size: float
    low: float
    high: float
    """When the course leaves the lowest tenth of its range for good, and when it comes to the highest."""

    @property
    def time(self) -> float:
        return self.end - self.start


class _Ways(NamedTuple):
    """The smoothed course where it is known, and the ways out and back."""

    t: Array
    value: Array
    speed: Array
    top: int
    """Index of the far end."""
    out: _Way
    back: _Way
    """In a mirror, at times below 0: there it is a way out."""


def _ways(course: Course, moments: Moments, shorter_s: float) -> _Ways | None:
    """With smoothing for a movement whose shorter way takes `shorter_s` seconds."""
    width = min(max(_WIDTH_SHARE * shorter_s, _WIDTHS_S[0]), _WIDTHS_S[1])
    clean = smooth(course.times, course.value[:, None], course.visibility[:, None], width)
    known = np.isfinite(clean.value[:, 0])
    t, v, speed = course.times[known], clean.value[known, 0], clean.speed[known, 0]
    within = (t >= moments.began) & (t <= moments.ended)
    if known.sum() < _LEAST_MOMENTS or not within.any():
        return None
    top = int(np.flatnonzero(within)[v[within].argmax()])
    out, back = _way(t[: top + 1], v[: top + 1]), _way(-t[top:][::-1], v[top:][::-1])
    return None if out is None or back is None else _Ways(t, v, speed, top, out, back)


def _way(t: Array, v: Array) -> _Way | None:
    """From a start position up to the course's last value; None where there is no such movement."""
    if len(t) < 3:
        return None
    bottom = int(v.argmin())
    low, high = float(v[bottom]), float(v[-1])
    size = high - low
    if size < _LEAST_DEG:
        return None
    last_low = int(np.flatnonzero(v <= low + _EDGE * size)[-1])
    first_high = last_low + int(np.flatnonzero(v[last_low:] >= high - _EDGE * size)[0])
    t_low = _passing(t, v, last_low, low + _EDGE * size)
    t_high = _passing(t, v, first_high - 1, high - _EDGE * size)
    time = (t_high - t_low) / (1 - 2 * _EDGE_TIME)
    if not time > 0:
        return None
    start, end = max(t_low - _EDGE_TIME * time, float(t[bottom])), t_high + _EDGE_TIME * time
    end = min(end, float(t[-1]))
    return _Way(start, end, size, t_low, t_high) if end > start else None


def _repeated(course: Course, ways: _Ways, sign: float) -> Repeated:
    t, v, speed, top = ways.t, ways.value, ways.speed, ways.top
    out = _stroke(t[: top + 1], speed[: top + 1], ways.out)
    mirrored = _stroke(-t[top:][::-1], speed[top:][::-1], ways.back)
    back = mirrored._replace(start=-mirrored.end, end=-mirrored.start)
    times, value, visibility, tilt = course
    inside = (times >= out.start) & (times <= back.end)
    tilts = tilt[inside & np.isfinite(tilt) & (value >= v[top] - out.size / 2)]
    return Repeated(
        out=out,
        back=back,
        peak=sign * float(v[top]),
        settled=bool(abs(speed[-1]) < _TURNED * back.peak_speed or v[top:].argmin() < len(v) - top - 1),
        gap=_gap(t, out.start, back.end) / min(out.time, back.time),
        visibility=float(visibility[inside].mean()),
        tilt=float(np.median(tilts)) if len(tilts) else float("nan"),
        rate=float(1 / np.median(np.diff(times))),
    )


def _stroke(t: Array, speed: Array, way: _Way) -> Stroke:
    grid = np.arange(way.low, way.high, 1 / _RESAMPLED_HZ)
    fastest = float(np.percentile(np.abs(np.interp(grid, t, speed)), _FASTEST))
    return Stroke(way.start, way.end, way.size, fastest, _smoothness(t, speed, way.start, way.end))


def _gap(t: Array, start: float, end: float) -> float:
    """The longest time without a moment between `start` and `end`, in seconds."""
    inside = t[(t > start) & (t < end)]
    return float(np.diff(np.concatenate([[start], inside, [end]])).max())


def _passing(t: Array, v: Array, before: int, level: float) -> float:
    """When the course goes through `level` between the moment `before` and the next."""
    a, b = float(v[before]), float(v[before + 1])
    share = (level - a) / (b - a) if b != a else 0.0
    return float(t[before] + min(max(share, 0.0), 1.0) * (t[before + 1] - t[before]))


def _smoothness(t: Array, speed: Array, start: float, end: float) -> float:
    grid = np.arange(start, end, 1 / _RESAMPLED_HZ)
    return spectral_arc_length(np.abs(np.interp(grid, t, speed)), _RESAMPLED_HZ)


def spectral_arc_length(speed: Array, rate: float) -> float:
    """SPARC of one movement's speed float64[T] at `rate` samples a second: about -1.4 for the smoothest, else less.

    The length of the curve that the normalised amplitude spectrum makes up to 10 Hz, or to where it stays below
    0.05; NaN for no movement. Balasubramanian, Melendez-Calderon, Roby-Brami and Burdet, J NeuroEng Rehabil 12:112,
    2015. What is faster than the smoothing of the course lets through (about 6 Hz) does not show in it.
    """
    if len(speed) < 3 or not np.isfinite(speed).all() or not speed.any():
        return float("nan")
    size = 2 ** (int(np.ceil(np.log2(len(speed)))) + _PADDING)
    spectrum = np.abs(np.fft.rfft(speed, size))
    spectrum = spectrum / spectrum.max()
    frequency = np.arange(len(spectrum)) * rate / size
    spectrum, frequency = spectrum[frequency <= _PATTERN_HZ], frequency[frequency <= _PATTERN_HZ]
    loud = np.flatnonzero(spectrum >= _LEVEL)
    chosen = slice(loud[0], loud[-1] + 1)
    spectrum, frequency = spectrum[chosen], frequency[chosen]
    band = frequency[-1] - frequency[0]
    if len(frequency) < 2 or not band > 0:
        return float("nan")
    return -float(np.hypot(np.diff(frequency) / band, np.diff(spectrum)).sum())


class Parts(NamedTuple):
    """A repetition by what the muscles do."""

    eccentric: Stroke
    concentric: Stroke
    whole: Repeated


Compute = Callable[[Parts], float]


class RepetitionMetric(NamedTuple):
    """One row."""

    key: str
    compute: Compute
    sided: bool = False
    """Also kept for each limb."""
    timed: bool = True
    """Few pictures a second cost the grade."""


REPETITION_METRICS: tuple[RepetitionMetric, ...] = (
    RepetitionMetric("rep_range", lambda p: p.whole.out.size, sided=True, timed=False),
    RepetitionMetric("rep_peak", lambda p: p.whole.peak, sided=True, timed=False),
    RepetitionMetric("rep_peak_velocity_eccentric", lambda p: p.eccentric.peak_speed, sided=True),
    RepetitionMetric("rep_peak_velocity_concentric", lambda p: p.concentric.peak_speed, sided=True),
    RepetitionMetric("rep_mean_velocity_eccentric", lambda p: p.eccentric.size / p.eccentric.time),
    RepetitionMetric("rep_mean_velocity_concentric", lambda p: p.concentric.size / p.concentric.time),
    RepetitionMetric("rep_eccentric_time", lambda p: p.eccentric.time),
    RepetitionMetric("rep_pause_time", lambda p: p.whole.back.start - p.whole.out.end),
    RepetitionMetric("rep_concentric_time", lambda p: p.concentric.time),
    RepetitionMetric(
        "rep_smoothness", lambda p: (p.eccentric.smoothness + p.concentric.smoothness) / 2, sided=True
    ),
)


def measure_repetition(found: Repeated, out: Way) -> dict[str, Measure]:
    """Every row of one limb by key, graded; `out`: whether muscles lengthen or shorten on the way out."""
    parts = Parts(*((found.out, found.back) if out == "eccentric" else (found.back, found.out)), found)
    measures = {}
    for row in REPETITION_METRICS:
        reasons: dict[Reason, Grade] = view_reasons(found.visibility, found.tilt)
        reasons |= next(({"joint_hidden": grade} for share, grade in _GAPS if found.gap > share), {})
        if row.timed:
            reasons |= _rate_reasons(found)
        measures[row.key] = graded(row.compute(parts), reasons)
    return measures


def _rate_reasons(found: Repeated) -> dict[Reason, Grade]:
    pictures = found.rate * min(found.out.time, found.back.time)
    for limits, number in ((_RATES, found.rate), (_QUICK, pictures)):
        for least, grade in limits:
            if number < least:
                return {"low_frame_rate": grade}
    return {}


def both_limbs(limbs: Mapping[str, dict[str, Measure]]) -> dict[str, Measure]:
    """The measures of a repetition: of its better seen limbs together, and of each where a row is `sided`.

    `limbs`: by side (left, right; empty for a movement without sides).
    """
    together = {row.key: mean_of([one[row.key] for one in limbs.values()]) for row in REPETITION_METRICS}
    for side, measures in limbs.items():
        if side:
            together |= {f"{row.key}_{side}": measures[row.key] for row in REPETITION_METRICS if row.sided}
    return together


def mean_of(measures: list[Measure]) -> Measure:
    """The mean of those with the best grade among them."""
    best = min(measure.grade for measure in measures)  # A < B < C < none, also as text
    chosen = [measure for measure in measures if measure.grade == best]
    reasons = tuple(dict.fromkeys(reason for measure in chosen for reason in measure.reasons))
    values = [measure.value for measure in chosen if measure.value is not None]
    return Measure(sum(values) / len(values) if values else None, best, reasons)
