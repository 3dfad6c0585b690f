"""Progress of many movements at once: how far each limb is on each row's way at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.motion.signals import COLUMN, SIDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.coach.exercise import Part
    from edge.coach.records import Side

Array = npt.NDArray[np.float64]

GUESSED = 0.05
"""Visibility below which a limb's signal is left out: the model guesses it from the rest of the body."""
CLEARER = 0.35
"""A limb seen this much worse than the other is left out, too: it is hidden behind the body and guessed."""


class Lane(NamedTuple):
    """A movement of one limb, of both together, or (None) of a body that has no sides."""

    parts: tuple[Part, ...]
    side: Side | None


def columns(signal: str, side: Side | None) -> tuple[int, ...]:
    """Where `signal` stands in the arrays of signals, for that side or for both."""
    if signal not in SIDED:
        return (COLUMN[signal],)
    sides = ("left", "right") if side in ("both", None) else (side,)
    return tuple(COLUMN[f"{signal}_{limb}"] for limb in sides)


class Lanes:
    """Reads the progress of all its lanes from the signals of a moment."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        """At least one."""
        limbs: list[tuple[tuple[Part, ...], Side | None]] = []
        pairs: list[tuple[int, int]] = []
        for lane in lanes:
            sides: tuple[Side | None, ...] = ("left", "right") if lane.side == "both" else (lane.side,)
            pairs.append((len(limbs), len(limbs) + len(sides) - 1))
            limbs += [(lane.parts, side) for side in sides]
        parts = [(part, side) for limb, side in limbs for part in limb]
        self._column = np.array([columns(part.signal, side)[0] for part, side in parts])
        self._rest = np.array([part.rest for part, _ in parts])
        self._scale = 1 / np.array([part.full - part.rest for part, _ in parts])
        counts = np.array([len(limb) for limb, _ in limbs])
        self._first = np.concatenate([[0], np.cumsum(counts)[:-1]])
        self._counts = counts.astype(float)
        self._pair = np.array(pairs).T

    def progress(self, values: Array, visibility: Array) -> Array:
        """From float64[C] each: progress float64[L], 0 at rest and 1 at the far end; NaN where unseen.

        With both limbs together their mean by visibility, so that a misread limb costs half: one that moves alone
        makes half a repetition at most.
        """
        weight = visibility.take(self._column)
        weight *= weight >= GUESSED
        way = weight * (values.take(self._column) - self._rest) * self._scale
        way[weight == 0] = 0.0
        # Of each limb: how well it is seen, and that times its progress.
        seen = np.add.reduceat(weight, self._first) / self._counts
        gone = np.add.reduceat(way, self._first) / self._counts
        pair = seen.take(self._pair)
        clear = pair >= CLEARER * pair.max(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((clear * gone.take(self._pair)).sum(axis=0) / (clear * pair).sum(axis=0))
