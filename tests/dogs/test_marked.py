"""Gait of two real dogs from points marked by hand, against contacts that were marked by hand apart from them.

Places were marked in every third picture, so contacts are found less sharply than in generated walks: what is asked
here is what was reached, and no claim for a pose model of dogs.
"""

from __future__ import annotations

import numpy as np
import pytest

from edge.coach.walks import Walks
from edge.motion.gait import FEET, Gait, gait
from edge.motion.progress import progress
from edge.motion.signals import Signals
from edge.motion.track import Track
from tests.dogs.marked import Marked

DOGS = {name: Marked.of(name) for name in ("dog_09", "dog_24")}
_END_S = 0.25
"""Contacts so near to the ends of the marks are not asked for: a foot must be seen before and after."""


def found_gait(dog: Marked) -> Gait:
    times, bodies = dog.bodies()
    way = progress(Track.of(times, bodies).cleaned(0.3), "dog", dog.lens)
    assert way is not None
    return gait(way, "dog")


def errors(dog: Marked, kind: str) -> list[float]:
    """Seconds by which contacts are late; NaN for one that was missed."""
    times, _ = dog.bodies()
    contacts = found_gait(dog).contacts
    late = []
    for foot in FEET["dog"]:
        for t in dog.contacts(f"{kind}s", foot.name):
            if times[0] + _END_S < t < times[-1] - _END_S:
                name = "contact" if kind == "strike" else "lift"
                near = [c.t - t for c in contacts if (c.foot, c.kind) == (foot.name, name)]
                best = min(near, key=abs, default=np.nan)
                late.append(best if abs(best) < 0.2 else np.nan)
    return late


@pytest.mark.parametrize("name", DOGS)
@pytest.mark.parametrize("kind", ["strike", "lift"])
def test_contacts(name: str, kind: str) -> None:
    late = errors(DOGS[name], kind)
    assert len(late) >= 6
    assert np.isfinite(late).all()
    assert np.abs(late).mean() < 0.06
    assert np.abs(late).max() < 0.12


@pytest.mark.parametrize("name", DOGS)
def test_kind_and_stride_time(name: str) -> None:
    dog = DOGS[name]
    walks = Walks("dog")
    for t, body in zip(*dog.bodies(), strict=True):
        walks.add(t, body, Signals(body).angles.value)
    walks.finish()
    assert walks.kind == dog.data["kind"]
    assert walks.measures()["stride_time"].value == pytest.approx(dog.stride_time(), rel=0.03)


@pytest.mark.parametrize(("name", "within"), [("dog_09", 11), ("dog_24", 20)])
def test_stances_are_rough_in_so_few_marks(name: str, within: float) -> None:
    """Landings are found late and lifts early, by a picture or two: most stances come out too short."""
    dog = DOGS[name]
    strides = found_gait(dog).strides
    for foot in FEET["dog"]:
        shares = [100 * stride.stance for stride in strides if stride.foot == foot.name]
        assert abs(np.mean(shares) - dog.stance(foot.name)) < within
