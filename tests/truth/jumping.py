"""Counter-movement jumps: free fall between take-off and landing, so that flight time and height are exact."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tests.truth.curves import ease, quintic
from tests.truth.motion import SIDES, Contact, Motion
from tests.truth.person import NAMES, OUT, Build, Foot, Pose, arms, draw

Array = npt.NDArray[np.float64]
GRAVITY = 9.81
_POINTED = -45.0
"""Pitch of the feet in flight, degrees."""
_STANDING, _LEAVING = 4.0, 6.0
"""Knee flexion standing, and when the toes leave or meet the floor, degrees."""
_STILL = 1.0


def jump(height_m: float = 1.75, jump_m: float = 0.30, depth: float = 0.16, jumps: int = 1) -> Motion:
    """`jumps` jumps of `jump_m` metres (rise of the hips in flight), each from a dip of `depth` body heights.

    Flight time is the square root of 8 times the height over gravity. A strike here is the toe's.
    """
    build = Build(height_m)
    speed = float(np.sqrt(2 * GRAVITY * jump_m))
    flight = 2 * speed / GRAVITY
    high, low = _hips(build, _STANDING, 0.0), _hips(build, _STANDING, 0.0) - build.share(depth)
    leave = _hips(build, _LEAVING, _POINTED)
    # With twice the mean speed at one end, the hips neither turn back nor jerk.
    push = 2 * (leave - low) / speed
    parts = np.cumsum([0, _STILL, 0.6, push, flight, push, 0.6])
    period = float(parts[-1])

    def height(t: Array) -> Array:
        u = t % period
        share = (u[:, None] - parts[:-1]) / np.diff(parts)
        fall = u - parts[3]
        courses = [
            np.full_like(u, high),
            quintic(share[:, 1], high, low, 0, 0),
            quintic(share[:, 2], low, leave, 0, speed * push),
            leave + speed * fall - GRAVITY * fall**2 / 2,
            quintic(share[:, 4], leave, low, -speed * push, 0),
            quintic(share[:, 5], low, high, 0, 0),
        ]
        part = np.clip(np.searchsorted(parts, u, side="right") - 1, 0, 5)
        return np.asarray(np.choose(part, courses))

    def pose(t: Array) -> Pose:
        u = t % period
        up = ease((u - parts[2] - 0.5 * push) / (0.5 * push)) - ease((u - parts[4]) / (0.5 * push))
        pitch = _POINTED * up
        hip = height(t)
        off = np.where((u > parts[3]) & (u < parts[4]), hip - leave, 0.0)
        toe = np.column_stack([0 * t + build.foot - build.ankle_ahead, np.maximum(off, 0), 0 * t])
        sole = np.column_stack([np.cos(np.radians(pitch)), np.sin(np.radians(pitch)), 0 * t])
        heel = toe - build.foot * sole
        feet = {
            side: Foot(heel=heel + np.array([0, 0, OUT[side] * build.hip_half]), pitch=pitch)
            for side in SIDES
        }
        sunk = np.clip((high - hip) / (high - low), 0, 1)
        pelvis = np.column_stack([_ahead(build, pitch) - build.share(0.06) * sunk, hip, 0 * t])
        return Pose(pelvis=pelvis, feet=feet, arms=arms(len(t)), lean=2 + 30 * sunk)

    contacts = []
    for number in range(jumps):
        start = number * period
        for side in SIDES:
            x = build.foot - build.ankle_ahead
            contacts.append(Contact(start + float(parts[3]), side, "off", x))
            contacts.append(Contact(start + float(parts[4]), side, "strike", x))
    return Motion(
        species="human",
        skeleton="blazepose33",
        names=NAMES,
        duration_s=jumps * period + _STILL,
        contacts=tuple(sorted(contacts)),
        truth={
            "height": height_m,
            "reps": float(jumps),
            "flight_time": flight,
            "jump_height": jump_m,
            "takeoff_speed": speed,
        },
        figure=lambda times: draw(build, pose(times)),
    )


def _ankle(build: Build, pitch: Array | float) -> tuple[Array, Array]:
    """Forwards and up, of the ankle of a foot on its toes (or flat), from where it is in a flat foot."""
    angle = np.radians(pitch)
    behind = build.ankle_ahead - build.foot
    x = build.foot + np.cos(angle) * behind - np.sin(angle) * build.ankle_height - build.ankle_ahead
    return np.asarray(x), np.asarray(np.sin(angle) * behind + np.cos(angle) * build.ankle_height)


def _ahead(build: Build, pitch: Array) -> Array:
    """The hips stay over the ankles."""
    return _ankle(build, pitch)[0]


def _hips(build: Build, knee: float, pitch: float) -> float:
    """Height of the hips over ankles right below, metres."""
    square = build.thigh**2 + build.shank**2 + 2 * build.thigh * build.shank * np.cos(np.radians(knee))
    return float(np.sqrt(square) + _ankle(build, pitch)[1])
