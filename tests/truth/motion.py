"""Motion with known truth: where every point is at any time, the true angles, contacts and lengths.

Nothing here, nor in the other modules of this folder, uses a formula of `edge.motion`: it is what that is measured
against. Floor coordinates are in metres and right-handed: x forwards (the way the subject faces and walks), y up from
the floor, z to the subject's right. Rotations about z are positive from x to y.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Array = npt.NDArray[np.float64]
Species = Literal["human", "dog"]
SIDES = ("left", "right")


class Contact(NamedTuple):
    """A foot meets or leaves the floor."""

    t: float
    foot: str
    """left, right; of a dog front_left, front_right, hind_left, hind_right."""
    kind: Literal["strike", "off"]
    x: float
    """Metres along the path of the point that touches: the heel at a strike, the toe when it leaves; a dog's paw."""


class Sample(NamedTuple):
    """A motion at chosen times."""

    times: Array
    """float64[T], seconds."""
    points: Array
    """float64[T, K, 3], metres on the floor, in the order of the motion's names."""
    angles: dict[str, Array]
    """Degrees float64[T] by key; flexion positive, 0 in the anatomical position."""


@dataclass(frozen=True, kw_only=True)
class Motion:
    """A movement from 0 to `duration_s` seconds."""

    species: Species
    skeleton: str
    names: tuple[str, ...]
    duration_s: float
    contacts: tuple[Contact, ...]
    """In the order of time, all inside the duration."""
    truth: Mapping[str, float]
    """True lengths (metres), times (seconds), shares (0-1) and counts of the whole movement, by name."""
    figure: Callable[[Array], tuple[Array, dict[str, Array]]]
    """Times to points and angles."""

    def at(self, times: npt.ArrayLike) -> Sample:
        """The motion at `times` (seconds from 0 to `duration_s`); ValueError outside of it."""
        when = np.atleast_1d(np.asarray(times, float))
        if len(when) and not (when.min() >= 0 and when.max() <= self.duration_s):
            raise ValueError(f"the motion lasts from 0 to {self.duration_s} s")
        points, angles = self.figure(when)
        return Sample(when, points, angles)

    def strikes(self, foot: str) -> list[float]:
        """When `foot` meets the floor."""
        return [c.t for c in self.contacts if c.foot == foot and c.kind == "strike"]

    def offs(self, foot: str) -> list[float]:
        """When `foot` leaves the floor."""
        return [c.t for c in self.contacts if c.foot == foot and c.kind == "off"]
