"""Named signals: the scalar courses in which a movement shows, each for the left, the right, or the whole body.

Joint angles are in degrees; distances are in trunk lengths (middle of the shoulders to middle of the hips), so that
neither the person's size nor the distance of the camera matters.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.angles import IN_PLANE, OUT_OF_PLANE, ROW, Angles, joint_angles
from edge.motion.body import INDEX, Body

if TYPE_CHECKING:
    from collections.abc import Callable

Array = npt.NDArray[np.float64]
Unit = Literal["deg", "trunk", "place"]
"""`place`: a height in the picture, in pixels above its lower edge: only differences mean something, once they are
divided by the trunk's length in the picture."""


class Signal(NamedTuple):
    """One row: what a body can do, and how well it is seen."""

    name: str
    sided: bool
    unit: Unit
    least: float
    most: float
    """Between these lies what bodies do."""
    soft: float
    """How far a good pose model may be off."""
    usual: tuple[float, float]
    """Where it is most of a person's time, who stands or walks about."""


SIGNALS: tuple[Signal, ...] = (
    Signal("knee_flexion", True, "deg", 0, 150, 12, (0, 30)),
    Signal("hip_flexion", True, "deg", -20, 130, 15, (-10, 35)),
    Signal("ankle_dorsiflexion", True, "deg", -45, 35, 10, (-15, 20)),
    Signal("elbow_flexion", True, "deg", 0, 150, 15, (0, 100)),
    Signal("wrist_flexion", True, "deg", 0, 80, 20, (0, 40)),
    Signal("shoulder_elevation", True, "deg", 0, 180, 15, (0, 60)),
    Signal("shoulder_flexion", True, "deg", -50, 180, 20, (-20, 60)),
    Signal("shoulder_abduction", True, "deg", -20, 180, 20, (0, 50)),
    Signal("wrist_rise", True, "trunk", -1.2, 1.2, 0.15, (-1.2, -0.2)),
    Signal("knee_ahead", True, "trunk", -0.6, 0.6, 0.1, (-0.4, 0.1)),
    Signal("hand_rise", True, "trunk", -0.4, 3.2, 0.25, (0.8, 1.8)),
    Signal("wrist_place", True, "place", 0, 3, 0.08, (0, 0.4)),
    Signal("foot_place", True, "place", 0, 1.5, 0.04, (0, 0.2)),
    Signal("trunk_lean", False, "deg", 0, 120, 12, (0, 30)),
    Signal("neck_flexion", False, "deg", -40, 80, 15, (-10, 30)),
    Signal("spine_side_lean", False, "deg", -40, 40, 8, (-12, 12)),
    Signal("belly_up", False, "deg", -90, 90, 20, (-30, 20)),
    Signal("hinge", False, "deg", -80, 120, 10, (-20, 20)),
    Signal("knee_apart", False, "deg", 0, 140, 15, (0, 25)),
    Signal("hip_split", False, "deg", 0, 110, 12, (0, 30)),
    Signal("wrist_gap", False, "trunk", 0, 3, 0.25, (0.3, 1.6)),
    Signal("stance_width", False, "trunk", 0, 2.5, 0.2, (0.2, 0.9)),
    Signal("knee_gap", False, "trunk", 0, 2, 0.15, (0.2, 0.8)),
    Signal("hip_rise", False, "trunk", -0.2, 1.9, 0.1, (1.3, 1.9)),
    Signal("hip_line", False, "trunk", -0.5, 0.8, 0.08, (-0.15, 0.15)),
    Signal("leg_length", False, "trunk", 0.6, 2.2, 0.1, (1.35, 1.75)),
    Signal("hip_place", False, "place", 0, 2, 0.05, (0, 0.3)),
)
"""`wrist_rise`: of the wrist above the shoulder. `knee_ahead`: of the knee before the toes, the way the body
faces. `belly_up`: 90 for somebody on the back, -90 face down, 0 upright. `hinge`: lean of the trunk less half
of the knees' flexion: who picks something up bends the one, who squats the other. `knee_apart`: between both
knees' flexion, whichever is larger. `hip_split`: between the thighs, seen from the side. `stance_width`,
`knee_gap`: of ankles and of knees, to the sides of the body. `hip_rise`, `hand_rise`: of the hips and of the
wrist above the lower ankle. `hip_line`: of the hips above the line from shoulders to ankles (a pike), negative
below it (a sag). `leg_length`: from hip to ankle, mean of both: what a model for people makes of a dog has
short legs."""

SIDED = tuple(signal.name for signal in SIGNALS if signal.sided)
"""Signals that exist for each side of the body."""
_SIDES = ("left", "right")
COLUMNS: tuple[str, ...] = tuple(
    name
    for signal in SIGNALS
    for name in ([f"{signal.name}_{side}" for side in _SIDES] if signal.sided else [signal.name])
)
"""Every single course, in the order of the arrays of `Signals`."""
COLUMN = {name: index for index, name in enumerate(COLUMNS)}
NAMES = frozenset(COLUMNS)
"""Every name that `Signals` knows."""
SIGNAL_OF: tuple[Signal, ...] = tuple(signal for signal in SIGNALS for _ in range(2 if signal.sided else 1))
"""The row of each column."""


class Value(NamedTuple):
    """One signal at one moment."""

    value: float
    visibility: float
    """Of the least visible joint behind it, 0-1; 0 when it cannot be computed."""


class Signals:
    """Every signal of one body, computed when they are asked for."""

    def __init__(self, body: Body) -> None:
        self.body = body

    @cached_property
    def angles(self) -> Angles:
        """Every joint angle."""
        return joint_angles(self.body)

    @cached_property
    def arrays(self) -> tuple[Array, Array]:
        """Value and visibility of every column, float64[C] each; what is not known is NaN and 0."""
        value, visibility = np.empty(len(COLUMNS)), np.empty(len(COLUMNS))
        angles = self.angles
        value[_ANGLES], visibility[_ANGLES] = angles.value.take(_ROWS), angles.visibility.take(_ROWS)
        value[_OTHERS] = self._plain.distances()
        visibility[_OTHERS] = np.minimum.reduce(self.body.visibility.take(_BEHIND))
        (one, other, lean), seen = value.take(_LEANING).tolist(), visibility.take(_LEANING).tolist()
        value[_APART], visibility[_APART] = abs(one - other), min(seen[:2])
        value[_HINGE], visibility[_HINGE] = lean - (one + other) / 4, min(seen)
        unknown = ~np.isfinite(value)
        value[unknown], visibility[unknown] = np.nan, 0.0
        return value, visibility

    @cached_property
    def doubt(self) -> Array:
        """By how much more than usual each column may be off, float64[C]: 1 for what is seen in its plane."""
        doubt = np.ones(len(COLUMNS))
        in_plane = (OUT_OF_PLANE - self.angles.tilt.take(_ROWS)) / (OUT_OF_PLANE - IN_PLANE)
        doubt[_ANGLES] += _DOUBT * (1 - np.fmin(np.fmax(in_plane, 0.0), 1.0))
        doubt[_APART] = doubt[_HINGE] = doubt.take(_KNEES).max()
        out_of_side_view = self._plain.out_of_side_view()
        doubt[_SAGITTAL] += _DOUBT * _turned(out_of_side_view)
        doubt[_FRONTAL] += _DOUBT * _turned(90 - out_of_side_view)
        return doubt

    def __getitem__(self, name: str) -> Value:
        """The signal `name` (`knee_flexion_left`, `trunk_lean`, ...); KeyError for a name that is none."""
        value, visibility = self.arrays
        return Value(float(value[COLUMN[name]]), float(visibility[COLUMN[name]]))

    @cached_property
    def trunk_px(self) -> float:
        """Length of the trunk as it would be in the picture if it lay in its plane; NaN without space."""
        return self._plain.scale * self._plain.trunk

    @cached_property
    def _plain(self) -> _Frame:
        return _Frame.of(self.body)


_DOUBT = 1.0
"""Angles known from depth alone are off by so much more."""
_ANGLES = np.array([index for index, name in enumerate(COLUMNS) if name in ROW])
_ROWS = np.array([ROW[name] for name in COLUMNS if name in ROW])
_APART, _HINGE, _LEAN = COLUMN["knee_apart"], COLUMN["hinge"], COLUMN["trunk_lean"]
_KNEES = [COLUMN["knee_flexion_left"], COLUMN["knee_flexion_right"]]
_LEANING = [*_KNEES, _LEAN]
_SAGITTAL = np.flatnonzero([signal.name in ("knee_ahead", "hip_line") for signal in SIGNAL_OF])
"""Distances that only somebody beside the body sees."""
_FRONTAL = COLUMN["knee_gap"]
"""One that only somebody before or behind it sees."""
_OTHERS = np.array(
    [index for index, name in enumerate(COLUMNS) if name not in ROW and index not in (_APART, _HINGE)]
)

# A handful of points: plain numbers are several times faster here than small arrays.
_Point = list[float]
_Points = list[_Point]
_AT = INDEX
_HIPS = (_AT["hip_left"], _AT["hip_right"])
_ACROSS = [(_AT[f"{joint}_left"], _AT[f"{joint}_right"]) for joint in ("hip", "shoulder")]


class _Frame(NamedTuple):
    """A body in plain numbers, and its own directions."""

    space: _Points
    image: _Points
    trunk: float
    """Its length in metres."""
    left: _Point
    """From the right hip to the left one, of length 1."""
    forwards: _Point
    """The way the belly faces, of length 1."""
    scale: float
    """Pixels a metre, of the trunk."""

    @classmethod
    def of(cls, body: Body) -> _Frame:
        space = body.space.tolist()
        up = _minus(space[_AT["neck"]], space[_AT["pelvis"]])
        left = _minus(space[_HIPS[0]], space[_HIPS[1]])
        across = max(_length(left), 1e-6)
        left = [part / across for part in left]
        forwards = _cross(left, up)
        ahead = max(_length(forwards), 1e-6)
        image = body.image.tolist()
        return cls(
            space=space,
            image=image,
            trunk=max(_length(up), 1e-6),
            left=left,
            forwards=[part / ahead for part in forwards],
            scale=math.dist(image[_AT["neck"]], image[_AT["pelvis"]]) / max(math.hypot(up[0], up[1]), 1e-6),
        )

    def distances(self) -> list[float]:
        """Of the columns that are no joint angles, in their order; NaN where unknown."""
        return [compute(self) for compute in _COMPUTED]

    def out_of_side_view(self) -> float:
        """Degrees by which the body is turned out of a view from its side, 0-90; 90 without space."""
        across = [
            sum([self.space[left][axis] - self.space[right][axis] for left, right in _ACROSS])
            for axis in range(3)
        ]
        facing = abs(across[2]) / max(_length(across), 1e-6)
        return math.degrees(math.acos(min(facing, 1.0))) if math.isfinite(facing) else 90.0


def _minus(a: _Point, b: _Point) -> _Point:
    return [a[0] - b[0], a[1] - b[1], a[2] - b[2]]


def _dot(a: _Point, b: _Point) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _length(a: _Point) -> float:
    return math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2])


def _cross(a: _Point, b: _Point) -> _Point:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def _wrist_rise(side: str) -> Callable[[_Frame], float]:
    wrist, shoulder = _AT[f"wrist_{side}"], _AT[f"shoulder_{side}"]
    return lambda f: (f.space[wrist][1] - f.space[shoulder][1]) / f.trunk


_FLAT = 1e-6


def _knee_ahead(side: str) -> Callable[[_Frame], float]:
    knee, toe = _AT[f"knee_{side}"], _AT[f"toe_{side}"]

    def ahead(f: _Frame) -> float:
        """As angles are: the more from the picture, the less the way forwards leads out of it."""
        level = math.hypot(f.forwards[0], f.forwards[2])
        if not level > _FLAT:  # the way forwards is up or down, or there is none
            return math.nan
        x, z = f.forwards[0] / level, f.forwards[2] / level
        way = _minus(f.space[knee], f.space[toe])
        deep = (way[0] * x + way[2] * z) / f.trunk
        weight = _turned(math.degrees(math.asin(min(abs(z), 1.0))))
        weight *= weight * (3 - 2 * weight)
        if not weight < 1 or not f.scale > 0:
            return deep
        flat = (f.image[knee][0] - f.image[toe][0]) / x / f.scale / f.trunk
        return (1 - weight) * flat + weight * deep

    return ahead


def _hand_rise(side: str) -> Callable[[_Frame], float]:
    wrist = _AT[f"wrist_{side}"]
    return lambda f: (f.space[wrist][1] - _floor(f)) / f.trunk


def _place(point: str) -> Callable[[_Frame], float]:
    at = _AT[point]
    return lambda f: f.image[at][1]


def _apart(joint: str) -> Callable[[_Frame], float]:
    """Distance to the sides of the body: a long stride is no wide stance."""
    left, right = _AT[f"{joint}_left"], _AT[f"{joint}_right"]
    return lambda f: abs(_dot(_minus(f.space[left], f.space[right]), f.left)) / f.trunk


def _wrist_gap(f: _Frame) -> float:
    return _length(_minus(f.space[_AT["wrist_left"]], f.space[_AT["wrist_right"]])) / f.trunk


def _belly_up(f: _Frame) -> float:
    return math.degrees(math.asin(min(max(f.forwards[1], -1.0), 1.0)))


def _hip_split(f: _Frame) -> float:
    thighs = []
    for side in _SIDES:
        thigh = _minus(f.space[_AT[f"knee_{side}"]], f.space[_AT[f"hip_{side}"]])
        out = _dot(thigh, f.left)
        thighs.append([part - out * axis for part, axis in zip(thigh, f.left, strict=True)])
    return math.degrees(math.atan2(_length(_cross(*thighs)), _dot(*thighs)))


def _floor(f: _Frame) -> float:
    """Height of the lower ankle."""
    return min(f.space[_AT["ankle_left"]][1], f.space[_AT["ankle_right"]][1])


def _hip_rise(f: _Frame) -> float:
    return (f.space[_AT["pelvis"]][1] - _floor(f)) / f.trunk


def _leg_length(f: _Frame) -> float:
    chain = [[f.space[_AT[f"{joint}_{side}"]] for joint in ("hip", "knee", "ankle")] for side in _SIDES]
    return sum(_length(_minus(a, b)) + _length(_minus(b, c)) for a, b, c in chain) / 2 / f.trunk


def _hip_line(f: _Frame) -> float:
    """Of the better seen side; up is away from the belly, so that it means the same face up and face down."""
    ankles = [
        (one + other) / 2
        for one, other in zip(f.space[_AT["ankle_left"]], f.space[_AT["ankle_right"]], strict=True)
    ]
    line, hips = _minus(ankles, f.space[_AT["neck"]]), _minus(f.space[_AT["pelvis"]], f.space[_AT["neck"]])
    share = _dot(hips, line) / max(_dot(line, line), 1e-9)
    off = [hip - share * part for hip, part in zip(hips, line, strict=True)]
    return -_dot(off, f.forwards) / f.trunk


def _turned(degrees: float) -> float:
    """0 for what lies in the picture, 1 for what is known from depth alone."""
    return min(max((degrees - IN_PLANE) / (OUT_OF_PLANE - IN_PLANE), 0.0), 1.0)


_FORMULAS: dict[str, tuple[Callable[[_Frame], float], tuple[str, ...]]] = {
    "belly_up": (_belly_up, ("shoulder_left", "shoulder_right", "hip_left", "hip_right")),
    "hip_split": (_hip_split, ("hip_left", "hip_right", "knee_left", "knee_right")),
    "wrist_gap": (_wrist_gap, ("wrist_left", "wrist_right")),
    "stance_width": (_apart("ankle"), ("ankle_left", "ankle_right")),
    "knee_gap": (_apart("knee"), ("knee_left", "knee_right")),
    "hip_rise": (_hip_rise, ("pelvis", "ankle_left", "ankle_right")),
    "hip_line": (_hip_line, ("neck", "pelvis")),
    "leg_length": (_leg_length, ("hip_left", "hip_right", "knee_left", "knee_right")),
    "hip_place": (_place("pelvis"), ("pelvis",)),
} | {
    f"{name}_{side}": (formula(side), tuple(f"{joint}_{side}" for joint in joints))
    for side in _SIDES
    for name, formula, joints in (
        ("wrist_rise", _wrist_rise, ("wrist", "shoulder")),
        ("knee_ahead", _knee_ahead, ("knee", "toe")),
        ("hand_rise", _hand_rise, ("wrist",)),
        ("wrist_place", lambda side: _place(f"wrist_{side}"), ("wrist",)),
        ("foot_place", lambda side: _place(f"ankle_{side}"), ("ankle",)),
    )
}
_OURS = [_FORMULAS[name] for name in COLUMNS if name in _FORMULAS]
_COMPUTED = tuple(formula for formula, _ in _OURS)
_MOST = max(len(joints) for _, joints in _OURS)
_BEHIND = np.array([[_AT[(joints * _MOST)[n]] for _, joints in _OURS] for n in range(_MOST)])
"""int[_, C]: the joints behind each of them, some of them several times."""
