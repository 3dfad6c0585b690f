"""Left and right exchanged: pose models mistake one leg for the other where they cross in a side view.

Of all ways to name the limbs in each picture the one is taken in which they move most evenly: the least sum of
squared accelerations, found by dynamic programming (Viterbi) over pairs of pictures.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge.motion.body import INDEX

Array = npt.NDArray[np.float64]

LEGS = ("knee", "ankle", "heel", "toe")
ARMS = ("elbow", "wrist")
_MARGIN = 0.02
"""A swap must save this many squared trunk lengths: at rest, left is what the model calls left."""


def unswap(times: Array, image: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """`image` float64[T, P, 2] with exchanged limbs put right; in which moments, bool[T], the legs were exchanged.

    Legs and arms are judged apart. Where more than half of a track seems exchanged, the rest is: a model is right
    more often than wrong.
    """
    image = image.copy()
    swapped = np.zeros(len(times), bool)
    if len(times) < 3:
        return image, swapped
    for limbs in (LEGS, ARMS):
        left = [INDEX[f"{joint}_left"] for joint in limbs]
        right = [INDEX[f"{joint}_right"] for joint in limbs]
        wrong = _exchanged(times, image[:, left], image[:, right], _scale(image))
        image[np.ix_(np.flatnonzero(wrong), np.array(left + right))] = image[
            np.ix_(np.flatnonzero(wrong), np.array(right + left))
        ]
        if limbs is LEGS:
            swapped = wrong
    return image, swapped


def _scale(image: Array) -> float:
    trunk = np.linalg.norm(image[:, INDEX["neck"]] - image[:, INDEX["pelvis"]], axis=1)
    known = trunk[np.isfinite(trunk)]
    return float(np.median(known)) if len(known) else float("nan")


def _exchanged(times: Array, left: Array, right: Array, scale: float) -> npt.NDArray[np.bool_]:
    """In which moments the two limbs, float64[T, J, 2] each, are exchanged."""
    count = len(times)
    if not scale > 0:
        return np.zeros(count, bool)
    views = [
        np.concatenate(pair, axis=1).reshape(count, -1) / scale for pair in ((left, right), (right, left))
    ]
    # cost[2 b + c]: of the best naming up to here whose latest two pictures are named b and c.
    cost = [0.0, _MARGIN, _MARGIN, 2 * _MARGIN]
    back: list[list[int]] = []
    for jump in _jumps(times, views).reshape(-1, 8).tolist():
        ways = [(cost[bc >> 1] + jump[bc], cost[2 + (bc >> 1)] + jump[4 + bc]) for bc in range(4)]
        back.append([int(other < same) for same, other in ways])
        cost = [min(way) + _MARGIN * (bc & 1) for bc, way in enumerate(ways)]
    b, c = divmod(cost.index(min(cost)), 2)
    names = [c, b]
    for before in reversed(back):
        b, c = before[2 * b + c], b
        names.append(b)
    exchanged = np.array(names[::-1], bool)
    return ~exchanged if exchanged.mean() > 0.5 else exchanged


def _jumps(times: Array, views: list[Array]) -> Array:
    """float64[T - 2, 2, 2, 2]: squared distance from where steady motion leads, for each naming of three pictures."""
    steps = np.diff(times)
    ratio = (steps[1:] / steps[:-1])[:, None]
    jumps = np.empty((len(times) - 2, 2, 2, 2))
    for b in (0, 1):
        ahead = views[b][1:-1] + ratio * (views[b][1:-1] - views[0][:-2])
        for c in (0, 1):
            # With all three named otherwise the points are the same ones, in another order.
            jumps[:, 0, b, c] = jumps[:, 1, 1 - b, 1 - c] = np.nansum((views[c][2:] - ahead) ** 2, axis=1)
    return jumps
