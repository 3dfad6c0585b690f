"""Walking and running: prescribed foot placements, so that every contact, length, time and share is exact.

A foot rolls without slipping: from the strike over the heel until it is flat, then still, then over the toe until
it leaves. The heel stands from the strike to heel-off, the toe from foot-flat to toe-off. Between, the toe follows a
curve that joins on smoothly where it leaves; the heel arrives with some speed and stops at the strike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tests.truth.curves import bump, hermite, through
from tests.truth.motion import SIDES, Contact, Motion
from tests.truth.person import NAMES, OUT, Arm, Build, Foot, Pose, ankle_of, draw, hips

Array = npt.NDArray[np.float64]
Sides = tuple[float, float]
_MARGIN = 4
"""Steps before and after the time that is asked for."""
_GRID = 1 / 250
"""Seconds between the moments at which the height of the hips is checked against the legs."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How somebody walks or runs; degrees and metres. Pairs are (left, right)."""

    strike: float
    """Pitch of the foot when it meets the floor, toes up."""
    leave: float
    """Pitch of the foot when it leaves, heel up."""
    flat: float
    """Share of the stance after which the foot is flat."""
    rise: float
    """Share of the stance after which the heel rises."""
    reach: float
    """How far the heel strikes ahead of the hips, as a share of the way in stance."""
    lift: float
    """Height of the toe's curve in swing, in body heights."""
    bounce: float
    """Half the rise and fall of the hips, in body heights."""
    straightest: float
    """Least knee flexion: what sets the height of the hips."""
    arm_swing: Sides
    elbow: float
    lean: float
    neck: float = 0.0
    width: float = 0.06
    """Distance of the feet's lines, in body heights."""
    sway: float = 0.008
    """Half the way of the hips to the sides, in body heights."""
    turn: float = 4.0
    """Of the pelvis about the vertical, each way."""
    drop: float = 3.0
    """Of the pelvis on the side of the swinging leg."""


WALK = Style(
    strike=22, leave=45, flat=0.15, rise=0.5, reach=0.31, lift=0.008, bounce=0.008, straightest=4,
    arm_swing=(20, 20), elbow=20, lean=3,
)  # fmt: skip
RUN = Style(
    strike=8, leave=55, flat=0.2, rise=0.5, reach=0.33, lift=0.09, bounce=0.012, straightest=6,
    arm_swing=(35, 35), elbow=90, lean=8,
)  # fmt: skip


class Step(NamedTuple):
    """One stance of a foot and the swing after it."""

    strike: float
    off: float
    next_strike: float
    heel: float
    """Metres along the path."""
    next_heel: float


def walk(
    height_m: float = 1.75,
    speed: float = 1.3,
    cadence: float = 110.0,
    stance: float | Sides = 0.62,
    duration_s: float = 10.0,
    *,
    asymmetry: float = 0.0,
    length_asymmetry: float | None = None,
    limp: float = 0.0,
    cv: float = 0.0,
    arm_swing: float | Sides = 20.0,
    lean: float = 3.0,
    neck: float = 0.0,
    treadmill: bool = False,
    style: Style = WALK,
    seed: int = 0,
) -> Motion:
    """Somebody walks straight on.

    `speed` m/s, `cadence` steps a minute, `stance` share of the stride for both feet or (left, right).
    `asymmetry`: (left - right) / (left + right) of the step times; `length_asymmetry`: the same of the step lengths
    (None: as they follow from the times at constant speed). A left step ends with the left foot's strike.
    `limp`: what the right foot's stance is short of the left's; the next left step comes earlier by that share.
    `cv`: coefficient of variation of the stride time. `treadmill`: the floor moves, the walker stays.
    ValueError for a walk that is a run, or that the legs are too short for.
    """
    left, right = _pair(stance)
    return _gait(
        Build(height_m), replace(style, arm_swing=_pair(arm_swing), lean=lean, neck=neck), runs=False,
        speed=speed, cadence=cadence, stance=(left, right - limp), asymmetry=asymmetry - limp,
        length_asymmetry=length_asymmetry, cv=cv, duration_s=duration_s, treadmill=treadmill, seed=seed,
    )  # fmt: skip


def run(
    height_m: float = 1.75,
    speed: float = 3.0,
    cadence: float = 165.0,
    stance: float | Sides = 0.35,
    duration_s: float = 10.0,
    *,
    asymmetry: float = 0.0,
    length_asymmetry: float | None = None,
    cv: float = 0.0,
    arm_swing: float | Sides = 35.0,
    lean: float = 8.0,
    treadmill: bool = False,
    style: Style = RUN,
    seed: int = 0,
) -> Motion:
    """As `walk`, with both feet off the floor between steps; ValueError where they would not be."""
    return _gait(
        Build(height_m), replace(style, arm_swing=_pair(arm_swing), lean=lean), runs=True,
        speed=speed, cadence=cadence, stance=_pair(stance), asymmetry=asymmetry,
        length_asymmetry=length_asymmetry, cv=cv, duration_s=duration_s, treadmill=treadmill, seed=seed,
    )  # fmt: skip


def _pair(value: float | Sides) -> Sides:
    return value if isinstance(value, tuple) else (value, value)


def _gait(
    build: Build, style: Style, *, runs: bool, speed: float, cadence: float, stance: Sides, asymmetry: float,
    length_asymmetry: float | None, cv: float, duration_s: float, treadmill: bool, seed: int,
) -> Motion:  # fmt: skip
    strikes = _strikes(60 / cadence, asymmetry, cv, duration_s, np.random.default_rng(seed))
    step = speed * 60 / cadence
    shift = 0.0 if length_asymmetry is None else step * (length_asymmetry - asymmetry) / 2
    reach = style.reach * speed * sum(stance) / 2 * 2 * 60 / cadence
    heels = speed * strikes + reach + shift * np.where(np.arange(len(strikes)) % 2 == 0, 1, -1)
    steps: dict[str, list[Step]] = {}
    for first, side in enumerate(SIDES):
        t, x = strikes[first::2], heels[first::2]
        offs = t[:-1] + stance[first] * np.diff(t)
        steps[side] = [Step(*row) for row in zip(t, offs, t[1:], x, x[1:], strict=False)]
    _check_kind(steps, runs)
    frame = _Frame(build, style, speed, steps, strikes, runs=runs)
    contacts = _contacts(build, steps, duration_s)

    def figure(times: Array) -> tuple[Array, dict[str, Array]]:
        points, angles = draw(build, frame.pose(times))
        if treadmill:
            points[:, :, 0] -= speed * times[:, None]
        return points, angles

    return Motion(
        species="human", skeleton="blazepose33", names=NAMES, duration_s=duration_s, contacts=contacts,
        truth={"height": build.height_m, "speed": speed, "running": float(runs)} | summary(contacts, SIDES),
        figure=figure,
    )  # fmt: skip


def _strikes(step: float, asymmetry: float, cv: float, duration_s: float, rng: np.random.Generator) -> Array:
    """Times of the strikes, left and right by turns, from before 0 until after the end."""
    count = int(duration_s / step / (1 - abs(asymmetry))) + 2 * _MARGIN
    count += count % 2
    lengths = step * np.where(np.arange(count) % 2 == 0, 1 - asymmetry, 1 + asymmetry)
    # Two independent steps make a stride, so each varies by more than the stride does.
    lengths *= 1 + cv * np.sqrt(2) * np.clip(rng.standard_normal(count), -2.5, 2.5)
    times = np.concatenate([[0.0], np.cumsum(lengths)])
    return np.asarray(times - times[_MARGIN] + 0.3 * step)


def _check_kind(steps: dict[str, list[Step]], runs: bool) -> None:
    for side, other in (SIDES, SIDES[::-1]):
        for one in steps[side]:
            both = [two for two in steps[other] if one.strike < two.strike < one.next_strike]
            if any(
                (two.strike < one.off) == runs or two.off > one.next_strike + one.off - one.strike
                for two in both
            ):
                raise ValueError("these shares of stance make no " + ("run" if runs else "walk"))


def _contacts(build: Build, steps: dict[str, list[Step]], duration_s: float) -> tuple[Contact, ...]:
    found = []
    for side, rows in steps.items():
        for row in rows:
            found.append(Contact(float(row.strike), side, "strike", float(row.heel)))
            found.append(Contact(float(row.off), side, "off", float(row.heel + build.foot)))
    return tuple(sorted(c for c in found if 0 <= c.t <= duration_s))


def summary(contacts: tuple[Contact, ...], feet: tuple[str, str]) -> dict[str, float]:
    """What the contacts of a left and a right foot say: means over all whole strides and steps inside."""
    truth: dict[str, float] = {}
    strikes = {foot: [(c.t, c.x) for c in contacts if c.foot == foot and c.kind == "strike"] for foot in feet}
    offs = {foot: [c.t for c in contacts if c.foot == foot and c.kind == "off"] for foot in feet}
    for side, foot, other in zip(SIDES, feet, feet[::-1], strict=True):
        t, x = np.array(strikes[foot]).T
        left_at = np.array([min(off for off in offs[foot] if off > at) for at in t[:-1]])
        truth[f"stride_time_{side}"] = float(np.diff(t).mean())
        truth[f"stride_time_cv_{side}"] = (
            float(np.diff(t).std(ddof=1) / np.diff(t).mean()) if len(t) > 2 else 0.0
        )
        truth[f"stride_length_{side}"] = float(np.diff(x).mean())
        truth[f"stance_{side}"] = float(((left_at - t[:-1]) / np.diff(t)).mean())
        truth[f"swing_{side}"] = 1 - truth[f"stance_{side}"]
        steps = [
            np.subtract(b, max(a for a in strikes[other] if a < b))
            for b in strikes[foot]
            if b > strikes[other][0]
        ]
        truth[f"step_time_{side}"], truth[f"step_length_{side}"] = map(float, np.mean(steps, axis=0))
    both = sorted(t for foot in feet for t, _ in strikes[foot])
    truth["steps"] = float(len(both))
    truth["cadence"] = 60 * (len(both) - 1) / (both[-1] - both[0])
    # By the stances: what they have in common with the other foot's stance, as a share of the stride.
    shared = truth["stance_left"] + truth["stance_right"] - 1
    truth["double_support"] = max(shared, 0.0)
    truth["flight"] = max(-shared, 0.0)
    return truth


class _Frame:
    """The pose at any time."""

    def __init__(
        self,
        build: Build,
        style: Style,
        speed: float,
        steps: dict[str, list[Step]],
        strikes: Array,
        *,
        runs: bool,
    ) -> None:
        self._build, self._style, self._speed, self._steps = build, style, speed, steps
        self._strikes = strikes
        # The hips are lowest in the middle of double support in a walk, in the middle of stance in a run.
        if runs:
            low = sorted((row.strike + row.off) / 2 for rows in steps.values() for row in rows)
        else:
            offs = sorted(row.off for rows in steps.values() for row in rows)
            low = [(strike + off) / 2 for strike, off in zip(strikes[1:], offs, strict=False)]
        self._low = np.array(low)
        self._height = 0.0
        self._height = self._highest()

    def pose(self, t: Array) -> Pose:
        style, build = self._style, self._build
        turns = np.pi * through(t, self._strikes, np.arange(len(self._strikes), dtype=float))
        low = 2 * np.pi * through(t, self._low, np.arange(len(self._low), dtype=float))
        sideways = np.sin(turns)  # 1 when the left foot stands alone
        pelvis = np.stack(
            [
                self._speed * t,
                self._height - build.share(style.bounce) * np.cos(low),
                -build.share(style.sway) * sideways,
            ],
            axis=1,
        )
        feet = {side: self._foot(t, side) for side in SIDES}
        arms = {}
        for side, way, swing in zip(SIDES, (-1, 1), style.arm_swing, strict=True):
            course = way * np.cos(turns)
            elbow = style.elbow + 0.3 * swing * (1 + course)
            arms[side] = Arm(flexion=swing * course, abduction=np.full(len(t), 8.0), elbow=elbow)
        return Pose(
            pelvis=pelvis,
            feet=feet,
            arms=arms,
            lean=np.full(len(t), style.lean),
            turn=style.turn * np.cos(turns),
            obliquity=-style.drop * sideways,
            twist=-style.turn * np.cos(turns),
            neck=style.neck,
        )

    def _foot(self, t: Array, side: str) -> Foot:
        rows, style, build = self._steps[side], self._style, self._build
        at = np.searchsorted([row.strike for row in rows], t, side="right") - 1
        strike, off, again, heel_x, next_x = np.array(rows)[at].T
        length = build.foot
        u = (t - strike) / (off - strike)
        landing = np.clip(1 - u / style.flat, 0, 1)
        leaving = np.clip((u - style.rise) / (1 - style.rise), 0, 1)
        pitch = style.strike * landing**2 - style.leave * leaving**2
        toe = np.stack([heel_x + length, 0 * t], axis=1)
        over_toe = toe - length * _direction(pitch)
        over_heel = np.stack([heel_x, 0 * t], axis=1)
        heel = np.where((u > style.rise)[:, None], over_toe, over_heel)

        w = np.clip((t - off) / (again - off), 0, 1)
        swing = again - off
        spin = -2 * style.leave / ((1 - style.rise) * (off - strike))
        flying = hermite(w, np.full_like(t, -style.leave), np.full_like(t, style.strike), spin * swing, 0 * t)
        arrive = _direction(np.full_like(t, style.strike)) * length
        x = hermite(w, heel_x + length, next_x + arrive[:, 0], 0 * t, 0.3 * self._speed * swing)
        y = hermite(w, 0 * t, arrive[:, 1], 0 * t, -0.1 * self._speed * swing)
        y = y + build.share(style.lift) * bump(w)
        swung = np.stack([x, y], axis=1) - length * _direction(flying)
        inside = (t < off)[:, None]
        plane = np.where(inside, heel, swung)
        z = np.full_like(t, OUT[side] * build.share(style.width) / 2)
        return Foot(heel=np.column_stack([plane, z]), pitch=np.where(inside[:, 0], pitch, flying))

    def _highest(self) -> float:
        """Height of the hips, in the middle of their bounce, at which no knee is straighter than it may be."""
        build = self._build
        bent = np.radians(self._style.straightest)
        longest = np.sqrt(build.thigh**2 + build.shank**2 + 2 * build.thigh * build.shank * np.cos(bent))
        start = max(self._low[0], *(rows[0].strike for rows in self._steps.values()))
        end = min(self._low[-1], *(rows[-1].next_strike for rows in self._steps.values()))
        pose = self.pose(np.arange(start, end, _GRID))
        highest = build.hip_height
        for side, hip in hips(build, pose).items():
            gap = ankle_of(build, pose.feet[side]) - hip
            flat = np.hypot(gap[:, 0], gap[:, 2])
            if flat.max() >= longest:
                raise ValueError("the steps are too long for the legs")
            highest = min(highest, float((gap[:, 1] + np.sqrt(longest**2 - flat**2)).min()))
        return highest


def _direction(pitch: Array) -> Array:
    """Heel to toe, float64[T, 2] of length 1."""
    return np.stack([np.cos(np.radians(pitch)), np.sin(np.radians(pitch))], axis=1)
