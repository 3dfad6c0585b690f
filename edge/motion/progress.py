"""Where somebody goes, and how far ahead of the body each point is: what gait is read from.

Seen from the side the picture itself says it. From other sides space does, in which the body's own turn gives the
direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from edge.motion.body import INDEX
from edge.motion.sideplane import EAR_HEIGHT, level, side_plane
from edge.motion.smooth import smooth

if TYPE_CHECKING:
    from edge.motion.lens import Lens
    from edge.motion.track import Track

Array = npt.NDArray[np.float64]

SIDE_VIEW = 45.0
"""Degrees from a straight side view up to which the picture is asked."""
_TRAVELS = 0.25
"""Body lengths a second from which somebody goes somewhere and does not walk on a treadmill."""
_ANCHORS = {"human": ("pelvis",), "dog": ("withers", "tail_base")}
"""What the feet are ahead of: their mean."""


@dataclass(frozen=True)
class Progress:
    """The course of a body in the direction in which it faces, in body lengths: heights of people, trunks of dogs."""

    times: Array
    """float64[T], seconds."""
    plane: Literal["image", "space"]
    turn: float
    """Degrees between the direction of travel and the picture's plane, 0-90; NaN where unknown."""
    points: Array
    """float64[T, P], forwards against the anchor; NaN where unseen."""
    visibility: Array
    """float64[T, P], 0-1."""
    travel: float
    """Speed of the body itself across the picture, body lengths a second; 0 on a treadmill."""
    to_right: float = 1.0
    """1 where forwards is to the right in the picture, -1 where it is to the left."""

    def ahead(self, point: str) -> Array:
        """float64[T]: how far a point is ahead of the body."""
        return np.asarray(self.points[:, INDEX[point]])

    def weight(self, point: str) -> Array:
        """float64[T]: visibility of a point, 0-1."""
        return np.asarray(self.visibility[:, INDEX[point]])


def progress(track: Track, species: str, lens: Lens) -> Progress | None:
    """The course of a track that was cleaned; None where no direction or no length can be told."""
    if len(track) < 5:
        return None
    return _of_dog(track) if species == "dog" else _of_person(track, lens)


def _of_person(track: Track, lens: Lens) -> Progress | None:
    plane = side_plane(track, lens)
    space = level(track.space, lens.tilt or 0.0)
    forwards = _facing(space)
    anchor = plane.across[:, INDEX["pelvis"]]
    path = smooth(track.times, (anchor * plane.distance)[:, None], half_width_s=0.25).speed[:, 0]
    path = path[np.isfinite(path)]
    if not len(path):
        return None
    travel = float(np.median(path))
    turn = float("nan") if forwards is None else float(np.degrees(np.arctan2(-forwards[2], forwards[0])))
    if abs(travel) > _TRAVELS and np.isfinite(plane.distance).all():
        # Somebody who goes somewhere shows the direction better than the model's depth does.
        away = float(np.polyfit(track.times, plane.distance, 1)[0])
        turn = float(np.degrees(np.arctan2(away, travel)))
    across = (turn + 90) % 180 - 90  # of the line, whichever way it is walked
    if not np.isfinite(across) or abs(across) <= SIDE_VIEW:
        sign = _sign(track, travel, forwards)
        heading = np.radians(0.0 if not np.isfinite(across) else across) + (0.0 if sign > 0 else np.pi)
        right = _to_the_right(space, forwards)
        c, s = np.cos(heading), np.sin(heading)
        # Where the ray of a point meets the line on which it moves, parallel to the body's path.
        ahead = (
            plane.across * (plane.distance[:, None] - right * c)
            - (anchor * plane.distance)[:, None]
            - right * s
        )
        ahead = ahead / (c - plane.across * s)
        return Progress(track.times, "image", abs(across), ahead, track.visibility, sign * travel, sign)
    if forwards is None:
        return None
    ahead = (space - space[:, INDEX["pelvis"], None]) @ forwards / _height(space)
    return Progress(track.times, "space", abs(across), ahead, track.visibility, 0.0)


def _of_dog(track: Track) -> Progress | None:
    """In the picture: a dog's model gives no space, so the view must be from the side."""
    ends = [INDEX[name] for name in _ANCHORS["dog"]]
    anchor = track.image[:, ends].mean(axis=1)
    length = np.linalg.norm(track.image[:, ends[0]] - track.image[:, ends[1]], axis=1)
    length = length[np.isfinite(length)]
    trunk = float(np.median(length)) if len(length) >= 5 else 0.0
    if not trunk > 0:
        return None
    speeds = smooth(track.times, anchor, half_width_s=0.25).speed[:, 0]
    speeds = speeds[np.isfinite(speeds)]
    travel = float(np.median(speeds)) / trunk if len(speeds) else 0.0
    heads = track.image[:, ends[0], 0] - track.image[:, ends[1], 0]
    sign = 1.0 if np.nanmedian(heads) >= 0 else -1.0
    ahead = sign * (track.image[:, :, 0] - anchor[:, None, 0]) / trunk
    return Progress(track.times, "image", float("nan"), ahead, track.visibility, sign * travel, sign)


def _facing(space: Array) -> Array | None:
    """The direction in which the body faces, level: float64[3] of length 1; None without space."""
    across = (
        space[:, INDEX["hip_left"]] - space[:, INDEX["hip_right"]]
        + space[:, INDEX["shoulder_left"]] - space[:, INDEX["shoulder_right"]]
    )  # fmt: skip
    across = across[np.isfinite(across).all(axis=1)]
    if not len(across):
        return None
    x, _, z = np.median(across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9), axis=0)
    length = float(np.hypot(x, z))
    return np.array([-z, 0.0, x]) / length if length > 1e-6 else None


def _to_the_right(space: Array, forwards: Array | None) -> Array:
    """float64[P]: how far to the right of the body's middle each point is, usually, in body heights."""
    if forwards is None:
        return np.zeros(space.shape[1])
    right = np.array([-forwards[2], 0.0, forwards[0]])
    offset = (space - space[:, INDEX["pelvis"], None]) @ right / _height(space)
    known = np.isfinite(offset).any(axis=0)
    return np.where(known, np.nanmedian(np.where(known, offset, 0.0), axis=0), 0.0)


def _height(space: Array) -> float:
    """Body height in the unit of space: the parts of the body line, upright, end at the ear."""

    def usual(a: str, b: str) -> float:
        lengths = np.linalg.norm(space[:, INDEX[a]] - space[:, INDEX[b]], axis=1)
        lengths = lengths[np.isfinite(lengths)]
        return float(np.median(lengths)) if len(lengths) else float("nan")

    sides = ("left", "right")
    leg = (
        sum(
            usual(f"hip_{s}", f"knee_{s}")
            + usual(f"knee_{s}", f"ankle_{s}")
            + usual(f"ankle_{s}", f"heel_{s}")
            for s in sides
        )
        / 2
    )
    return (leg + usual("pelvis", "neck") + usual("neck", "head")) / EAR_HEIGHT


def _sign(track: Track, travel: float, forwards: Array | None) -> float:
    """Which way in the picture is forwards: where the toes point, else where the body goes, else where it faces."""
    toes = np.concatenate(
        [
            track.image[:, INDEX[f"toe_{side}"], 0] - track.image[:, INDEX[f"heel_{side}"], 0]
            for side in ("left", "right")
        ]
    )
    toes = toes[np.isfinite(toes)]
    if len(toes) >= len(track) and abs(float(np.median(toes))) > 0.05 * track.trunk_px:
        return float(np.sign(np.median(toes)))
    if abs(travel) > _TRAVELS or forwards is None:
        return 1.0 if travel >= 0 else -1.0
    return 1.0 if forwards[0] >= 0 else -1.0
