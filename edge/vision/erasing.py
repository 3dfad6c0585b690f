"""Whoever stands beside or before somebody is painted over with the empty room before that somebody is read.

The landmark network reads one person, and of two in its square it reads one or a mixture of both.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edge.vision import crossing
from edge.vision.landmarks import JOINTS, SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge.vision.roi import Roi
    from edge.vision.track import Track

_TORSO = (11, 12, 24, 23)
_EARS = (7, 8)
_LIMBS = (
    *((11, 13), (13, 15), (15, 19), (12, 14), (14, 16), (16, 20)),
    *((23, 25), (25, 27), (27, 31), (29, 31), (24, 26), (26, 28), (28, 32), (30, 32)),
    *((11, 23), (12, 24), (11, 12), (23, 24)),
)
_LIMB, _HEAD = 0.075, 0.075
"""Width of a limb with its clothes, and radius of a head, in sides of the region."""
_FRESH_S = 0.3
"""Seconds for which it is known well enough where a body is."""
_REACH = 0.6
"""Distance of two middles, in sides of both regions together, from which bodies do not touch."""
_BEFORE = 0.02
"""By how much lower somebody's feet must be, in sides of the region, to stand before another."""
_ONE = 0.12
"""Median distance of joints, in sides of the region, below which it may be the same person twice."""
_SOFT = (5, 5)

Picture = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]


class Body(NamedTuple):
    """Where somebody's body is."""

    points: Array
    """float64[33, 2] in the picture's pixels."""
    side: float
    """Of their region, in pixels."""


class Company(NamedTuple):
    """Who is in the way of reading somebody."""

    behind: list[Body]
    """Others, as far as the person covers them."""
    own: Body | None
    """The person; None where it is not known well enough where they are."""
    before: list[Body]
    """Others who cover the person: their feet are lower in the picture of a camera above the floor."""


def company(track: Track, roi: Roi, tracks: Iterable[Track], t: float) -> Company | None:
    """Who may be seen in the region `roi` of `track`; None when nobody else is near."""
    near = [
        other
        for other in tracks
        if other is not track
        and other.state == "followed"
        and math.hypot(roi.x - other.roi.x, roi.y - other.roi.y) <= _REACH * (roi.side + other.roi.side)
    ]
    # Of whom the last reading was refused it is not known where they are: nothing is kept from being painted over,
    # unless nobody can stand before them.
    in_front = all(crossing.is_before(track, other) for other in near)
    own = _body(track, t) if in_front or not track.strays else None
    lowest = own.points[:, 1].max() if own is not None else roi.y + 0.4 * roi.side
    behind: list[Body] = []
    before: list[Body] = []
    for other in near:
        there = _body(other, t)
        perhaps_one = own is not None and crossing.is_one(track, other, _ONE)
        if there is None or (perhaps_one and not crossing.are_two(track, other)):
            continue
        is_before = there.points[:, 1].max() > lowest + _BEFORE * roi.side
        (before if is_before else behind).append(there)
    return Company(behind, own, before) if behind or before else None


def everyone(tracks: Iterable[Track], roi: Roi, t: float) -> Company | None:
    """All who are followed and may be seen in the region `roi`; None when there is nobody."""
    reach = [
        track
        for track in tracks
        if math.hypot(roi.x - track.roi.x, roi.y - track.roi.y) < roi.side + track.roi.side
    ]
    there = [_body(track, t) for track in reach if track.state == "followed"]
    bodies = [body for body in there if body is not None]
    return Company(bodies, None, []) if bodies else None


def erase(crop: Picture, roi: Roi, others: Company, empty: Picture) -> Picture:
    """`crop` uint8[256, 256, 3] of `roi` with `others` painted over by `empty` (`Room.under`)."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    for body in others.behind:
        _draw(mask, body, roi, 255)
    if others.own is not None:
        _draw(mask, others.own, roi, 0)
    for body in others.before:
        _draw(mask, body, roi, 255)
    if not mask.any():
        return crop
    gone = cv2.blur(mask, _SOFT).astype(np.float32) / 255
    return np.asarray(cv2.blendLinear(empty, crop, gone, 1 - gone), np.uint8)


def _body(track: Track, t: float) -> Body | None:
    since = t - track.seen_at
    if track.last is None or since > _FRESH_S:
        return None
    return Body(track.last.points[:JOINTS] + track.velocity * since, track.roi.side)


def _draw(mask: Picture, body: Body, roi: Roi, value: int) -> None:
    inverse = cv2.invertAffineTransform(roi.matrix(SIZE))
    far = 8 * SIZE
    xy = np.clip(body.points @ inverse[:, :2].T + inverse[:, 2], -far, far)
    scale = body.side * SIZE / roi.side
    joints: list[Sequence[int]] = np.round(xy).astype(int).tolist()
    cv2.fillConvexPoly(mask, cv2.convexHull(np.array([joints[joint] for joint in _TORSO], np.int32)), value)
    for one, next_one in _LIMBS:
        cv2.line(mask, joints[one], joints[next_one], value, min(max(round(_LIMB * scale), 1), SIZE))
    x, y = xy[list(_EARS)].mean(axis=0)
    cv2.circle(mask, (round(x), round(y)), min(max(round(_HEAD * scale), 1), SIZE), value, -1)
