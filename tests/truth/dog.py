"""A dog that walks or trots: prescribed placements of the paws, so that contacts, lengths and shares are exact.

Points are those of StanfordExtra (Biggs et al. 2020): of each leg the paw, the middle (carpus, hock) and the top
(elbow, stifle). Shoulder and hip joints exist here but are not among them. The proportions are ours, of a dog built
like a retriever, in heights of the withers: elbow at a half, carpus at a fifth, as in the data set's samples.

A limb has three links to the paw. The paw's place and the pitch of the last link are prescribed; the two above follow
by inverse kinematics, the elbow bending backwards and the stifle forwards. The scapula turns with the limb.

True angles by key, `_left` or `_right`, degrees, 0 where the two segments are in line (180 less the angle that
veterinarians state): elbow_flexion, carpus_flexion, stifle_flexion, hock_flexion, shoulder_flexion (scapula to
humerus), and hip_flexion: of the femur forwards from the perpendicular of the trunk.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from tests.truth.curves import bump, ease, hermite
from tests.truth.motion import SIDES, Contact, Motion
from tests.truth.person import OUT, knee
from tests.truth.walking import summary

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = npt.NDArray[np.float64]
Paw = Literal["front_left", "front_right", "hind_left", "hind_right"]
PAWS: tuple[Paw, ...] = ("front_left", "front_right", "hind_left", "hind_right")
NAMES = (
    *(f"{s}_{limb}_{at}" for s in SIDES for limb in ("front", "hind") for at in ("paw", "middle", "top")),
    *("tail_base", "tail_end", "left_ear_base", "right_ear_base", "nose", "chin"),
    *("left_ear_tip", "right_ear_tip", "left_eye", "right_eye", "withers", "throat"),
)
"""As keypoint_definitions.csv of github.com/benjiebob/StanfordExtra numbers them."""
_HALF_WIDTH = 0.10
_STRAIGHTEST = 20.0
"""Least flexion of elbow and stifle, degrees: with the stride it sets the height of the trunk."""
_GRID = 1 / 250


@dataclass(frozen=True, kw_only=True)
class Limb:
    """A leg; lengths in heights of the withers, angles in degrees."""

    upper: float
    lower: float
    last: float
    """From the middle joint to the paw."""
    ahead: float
    """Of the paw at mid-stance before the withers (front) or the base of the tail (hind)."""
    bends: float
    """Where the upper of the two free joints goes: 1 forwards, -1 backwards."""
    strike: float
    """Pitch of the last link at the strike: the middle joint ahead of the paw is positive."""
    leave: float
    tuck: float
    """How much further it turns in swing."""
    lift: float


FRONT = Limb(
    upper=0.29, lower=0.31, last=0.20, ahead=0.02, bends=-1, strike=-15, leave=40, tuck=45, lift=0.10
)
HIND = Limb(upper=0.33, lower=0.34, last=0.25, ahead=0.12, bends=1, strike=-25, leave=30, tuck=-20, lift=0.08)
_SCAPULA, _SCAPULA_TILT, _SCAPULA_TURN = 0.28, 28.0, 12.0
_SCAPULA_TOP = (-0.03, -0.06)
"""Ahead of and above the withers."""
_HIP = (0.13, -0.15)
"""Ahead of and above the base of the tail."""
_BACK, _TAIL_BASE_HEIGHT = 1.0, 0.98
"""Withers to tail base along the floor, and its height."""
_HEAD = {"throat": (0.20, 0.02, 0.0), "chin": (0.40, 0.18, 0.0), "nose": (0.46, 0.23, 0.0)}
_HEAD |= {"eye": (0.33, 0.31, 0.05), "ear_base": (0.22, 0.33, 0.07), "ear_tip": (0.20, 0.20, 0.10)}
"""Ahead of, above and beside the withers."""


class Stride(NamedTuple):
    """One stance of a paw and the swing after it."""

    strike: float
    off: float
    next_strike: float
    place: float
    next_place: float


def walk(
    withers_m: float = 0.55,
    speed: float = 1.0,
    stride_time: float = 0.80,
    duty: float | Mapping[Paw, float] = 0.62,
    duration_s: float = 8.0,
    *,
    lame: Paw | None = None,
    severity: float = 0.08,
    nod_m: float = 0.03,
    cv: float = 0.0,
    treadmill: bool = False,
    seed: int = 0,
) -> Motion:
    """Four-beat walk in lateral sequence: left hind, left front, right hind, right front.

    `speed` m/s; `duty`: share of the stride in which a paw stands. `lame`: that paw stands for `severity` less of the
    stride; for a front paw the head rises by `nod_m` metres above its mean while it stands and sinks as much while
    the other does, for a hind paw half of that the other way round. `cv`: coefficient of variation of the strides.
    ValueError for a stride that the legs are too short for.
    """
    phases: dict[Paw, float] = {"hind_left": 0.0, "front_left": 0.25, "hind_right": 0.5, "front_right": 0.75}
    return _gait(
        phases, "walk", withers_m=withers_m, speed=speed, stride_time=stride_time, duty=duty, duration_s=duration_s,
        lame=lame, severity=severity, nod_m=nod_m, cv=cv, treadmill=treadmill, seed=seed,
    )  # fmt: skip


def trot(
    withers_m: float = 0.55,
    speed: float = 2.0,
    stride_time: float = 0.50,
    duty: float | Mapping[Paw, float] = 0.45,
    duration_s: float = 8.0,
    *,
    lame: Paw | None = None,
    severity: float = 0.05,
    nod_m: float = 0.03,
    cv: float = 0.0,
    treadmill: bool = False,
    seed: int = 0,
) -> Motion:
    """Two-beat trot: diagonal paws together. As `walk` otherwise."""
    phases: dict[Paw, float] = {"hind_left": 0.0, "front_right": 0.0, "hind_right": 0.5, "front_left": 0.5}
    return _gait(
        phases, "trot", withers_m=withers_m, speed=speed, stride_time=stride_time, duty=duty, duration_s=duration_s,
        lame=lame, severity=severity, nod_m=nod_m, cv=cv, treadmill=treadmill, seed=seed,
    )  # fmt: skip


def _gait(
    phases: Mapping[Paw, float], kind: str, *, withers_m: float, speed: float, stride_time: float,
    duty: float | Mapping[Paw, float], duration_s: float, lame: Paw | None, severity: float, nod_m: float, cv: float,
    treadmill: bool, seed: int,
) -> Motion:  # fmt: skip
    duties = {
        paw: (duty if isinstance(duty, float) else duty[paw]) - (severity if paw == lame else 0)
        for paw in PAWS
    }
    rng = np.random.default_rng(seed)
    count = int(duration_s / stride_time * 1.2) + 6
    lengths = stride_time * (1 + cv * np.clip(rng.standard_normal(count), -2.5, 2.5))
    beats = np.concatenate([[0.0], np.cumsum(lengths)])
    beats = beats - beats[2] + 0.1 * stride_time
    dog = _Dog(withers=withers_m, speed=speed)
    for paw in PAWS:
        limb = FRONT if paw.startswith("front") else HIND
        strikes = beats[:-1] + phases[paw] * np.diff(beats)
        # Half of the way in stance lies before the place of mid-stance.
        base = (limb.ahead - (0 if limb is FRONT else _BACK)) * withers_m + duties[
            paw
        ] * stride_time * speed / 2
        places = speed * strikes + base
        offs = strikes[:-1] + duties[paw] * np.diff(strikes)
        rows = zip(strikes, offs, strikes[1:], places, places[1:], strict=False)
        dog.strides[paw] = [Stride(*map(float, row)) for row in rows]
    dog = replace(dog, nod=_nod(dog, lame, nod_m))
    dog = replace(dog, lowered=dog.lowering())
    contacts = tuple(
        sorted(
            contact
            for paw, strides in dog.strides.items()
            for row in strides
            for contact in (
                Contact(row.strike, paw, "strike", row.place),
                Contact(row.off, paw, "off", row.place),
            )
            if 0 <= contact.t <= duration_s
        )
    )

    def figure(times: Array) -> tuple[Array, dict[str, Array]]:
        points, angles = dog.draw(times)
        if treadmill:
            points[:, :, 0] -= speed * times[:, None]
        return points, angles

    return Motion(
        species="dog", skeleton="dog24", names=NAMES, duration_s=duration_s, contacts=contacts,
        truth=_truth(dog, contacts, kind, duration_s), figure=figure,
    )  # fmt: skip


def _nod(dog: _Dog, lame: Paw | None, nod_m: float) -> tuple[Array, float] | None:
    """When the head is highest, and by how much."""
    if lame is None:
        return None
    middles = np.array([(row.strike + row.off) / 2 for row in dog.strides[lame]])
    return middles, nod_m if lame.startswith("front") else -nod_m / 2


def _truth(dog: _Dog, contacts: tuple[Contact, ...], kind: str, duration_s: float) -> dict[str, float]:
    truth = {"withers": dog.withers, "speed": dog.speed, "trot": float(kind == "trot")}
    truth["body_length"] = float(np.hypot(_BACK, 1 - _TAIL_BASE_HEIGHT) * dog.withers)
    for limb in ("front", "hind"):
        found = summary(contacts, (f"{limb}_left", f"{limb}_right"))
        truth |= {f"{limb}_{key}": value for key, value in found.items()}
    _, angles = dog.draw(np.arange(0, duration_s, _GRID))
    for key, course in angles.items():
        truth[f"{key}_peak"], truth[f"{key}_range"] = float(course.max()), float(np.ptp(course))
    return truth


@dataclass(frozen=True, kw_only=True)
class _Dog:
    """Where everything is at any time."""

    withers: float
    speed: float
    strides: dict[Paw, list[Stride]] = field(default_factory=dict)
    nod: tuple[Array, float] | None = None
    lowered: float = 0.0
    """Metres by which the trunk is lower than standing, so that the legs reach."""

    def draw(self, t: Array) -> tuple[Array, dict[str, Array]]:
        """Points float64[T, 24, 3] in the order of `NAMES`, and the true angles."""
        w = self.withers
        withers, tail = self._trunk(t)
        points = {"withers": withers, "tail_base": tail, "tail_end": tail + w * np.array([-0.30, -0.15, 0.0])}
        angles: dict[str, Array] = {}
        for paw in PAWS:
            self._limb(t, paw, points, angles)
        for part, (ahead, above, out) in _HEAD.items():
            at = withers + w * np.array([ahead, above, 0.0]) + self._head(t)
            for side in SIDES if out else ("",):
                name = f"{side}_{part}" if side else part
                points[name] = at + np.array([0.0, 0.0, OUT.get(side, 0.0) * out * w])
        return np.stack([points[name] for name in NAMES], axis=1), angles

    def _trunk(self, t: Array) -> tuple[Array, Array]:
        withers = np.column_stack([self.speed * t, 0 * t + self.withers - self.lowered, 0 * t])
        return withers, withers + self.withers * np.array([-_BACK, _TAIL_BASE_HEIGHT - 1, 0.0])

    def _head(self, t: Array) -> Array:
        if self.nod is None:
            return np.zeros((len(t), 3))
        middles, size = self.nod
        up = size * np.cos(2 * np.pi * np.interp(t, middles, np.arange(len(middles))))
        return np.column_stack([0 * t, up, 0 * t])

    def _limb(self, t: Array, paw: Paw, points: dict[str, Array], angles: dict[str, Array]) -> None:
        limb, side, which = self._row(paw)
        foot, middle = self._foot(t, paw)
        hang, scapula = self._hang(t, paw, foot)
        ahead = np.tile([limb.bends, 0.0, 0.0], (len(t), 1))
        top, bend = knee(limb.upper * self.withers, limb.lower * self.withers, hang, middle, ahead)
        points |= {f"{side}_{which}_paw": foot, f"{side}_{which}_middle": middle, f"{side}_{which}_top": top}
        upper_joint, lower_joint = ("elbow", "carpus") if which == "front" else ("stifle", "hock")
        angles[f"{upper_joint}_flexion_{side}"] = bend
        angles[f"{lower_joint}_flexion_{side}"] = _between(middle - top, foot - middle)
        if which == "front":
            angles[f"shoulder_flexion_{side}"] = _between(scapula, top - hang)
        else:
            angles[f"hip_flexion_{side}"] = _forwards(top - hang) - _trunk_tip()

    def _row(self, paw: Paw) -> tuple[Limb, str, str]:
        which, side = paw.split("_")
        return (FRONT if which == "front" else HIND), side, which

    def _hang(self, t: Array, paw: Paw, foot: Array) -> tuple[Array, Array]:
        """The shoulder or hip joint, and (front) the scapula's direction."""
        limb, side, which = self._row(paw)
        w = self.withers
        withers, tail = self._trunk(t)
        beside = np.array([0.0, 0.0, OUT[side] * _HALF_WIDTH * w])
        if which == "hind":
            return tail + w * np.array([*_HIP, 0.0]) + beside, np.zeros((len(t), 3))
        reach = (foot[:, 0] - withers[:, 0] - limb.ahead * w) / (0.5 * w)
        tilt = np.radians(_SCAPULA_TILT + _SCAPULA_TURN * np.tanh(reach))
        scapula = _SCAPULA * w * np.column_stack([np.sin(tilt), -np.cos(tilt), 0 * t])
        return withers + w * np.array([*_SCAPULA_TOP, 0.0]) + scapula + beside, scapula

    def _foot(self, t: Array, paw: Paw) -> tuple[Array, Array]:
        """The paw and the middle joint above it, float64[T, 3] each."""
        limb, side, _ = self._row(paw)
        rows = self.strides[paw]
        at = np.searchsorted([row.strike for row in rows], t, side="right") - 1
        strike, off, again, place, next_place = np.array(rows)[at].T
        u, swing = np.clip((t - strike) / (off - strike), 0, 1), again - off
        v = np.clip((t - off) / swing, 0, 1)
        flying = t > off
        x = hermite(v, place, next_place, 0 * t, 0.2 * self.speed * swing)
        y = hermite(v, 0 * t, 0 * t, 0 * t, -0.1 * self.speed * swing) + limb.lift * self.withers * bump(v)
        stands = limb.strike + (limb.leave - limb.strike) * ease(u)
        swings = limb.leave + (limb.strike - limb.leave) * ease(v) + limb.tuck * bump(v)
        pitch = np.radians(np.where(flying, swings, stands))
        z = np.full_like(t, OUT[side] * _HALF_WIDTH * self.withers)
        foot = np.column_stack([np.where(flying, x, place), np.where(flying, y, 0.0), z])
        last = limb.last * self.withers * np.column_stack([np.sin(pitch), np.cos(pitch), 0 * t])
        return foot, foot + last

    def lowering(self) -> float:
        """How far the trunk must come down for all legs to reach at all times, metres."""
        start = max(rows[0].strike for rows in self.strides.values())
        end = min(rows[-1].next_strike for rows in self.strides.values())
        t = np.arange(start, end, _GRID)
        most = 0.0
        for paw in PAWS:
            limb, _, _ = self._row(paw)
            foot, middle = self._foot(t, paw)
            hang, _ = self._hang(t, paw, foot)
            bent = np.cos(np.radians(_STRAIGHTEST))
            longest = self.withers * np.sqrt(
                limb.upper**2 + limb.lower**2 + 2 * limb.upper * limb.lower * bent
            )
            gap = hang - middle
            if np.abs(gap[:, 0]).max() >= longest:
                raise ValueError("the strides are too long for the legs")
            most = max(most, float((gap[:, 1] - np.sqrt(longest**2 - gap[:, 0] ** 2)).max()))
        return most


def _trunk_tip() -> float:
    """Of the trunk's own perpendicular, degrees forwards from the vertical."""
    return float(-np.degrees(np.arctan2(1 - _TAIL_BASE_HEIGHT, _BACK)))


def _forwards(segment: Array) -> Array:
    """Degrees of a hanging segment forwards from the vertical."""
    return np.degrees(np.arctan2(segment[:, 0], -segment[:, 1]))


def _between(a: Array, b: Array) -> Array:
    dot = (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return np.degrees(np.arccos(np.clip(dot, -1, 1)))
