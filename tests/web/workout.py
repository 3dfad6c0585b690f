"""Somebody who squats before a real hub, as fast as the hub can take it: the clock is the frames' own."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace

from edge.coach.observer import LEFT_AFTER_S
from edge.hub.hub import Hub
from edge.link import CameraState, Hello, PoseFrame
from tests.figure import Figure
from tests.web.box import running
from tests.web.conftest import STATIC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge.link import Subject
    from tests.web.box import Box

RATE = 15
BATCH = 5
"""Frames that are handed over at once."""
REP_S = 2.4


class Workout:
    """Feeds a hub; each call is a piece of a workout."""

    def __init__(self, box: Box, hub: Hub) -> None:
        self.box, self.hub = box, hub
        self.flat = False
        """Seen by a model that knows the picture alone."""
        self._number = 0

    def squats(self, count: float, depth: float, begin: float = 0.0) -> None:
        """`count` squats that bend the knees by `depth` degrees; `begin`: so much of the first is over already."""
        self.move(count * REP_S, lambda t: _squat(depth * _swing(t / REP_S + begin)))

    def curls(self, depth: float = 130) -> None:
        """One curl of each arm, the left one first."""
        for left in (True, False):
            self.move(REP_S, lambda t, left=left: _curl(depth * _swing(t / REP_S), left=left))  # type: ignore[misc]

    def plank(self, seconds: float) -> None:
        """On the forearms."""
        self.move(seconds, lambda _: Figure(lean=80, hip=(5, 5), elbow=(90, 90), yaw=90))

    def stand(self, seconds: float) -> None:
        self.move(seconds, lambda _: _squat(0.0))

    def move(self, seconds: float, posture: Callable[[float], Figure]) -> None:
        """Show `posture` at each moment."""
        self._show([self._frame(posture(n / RATE)) for n in range(round(seconds * RATE))])

    def leave(self) -> None:
        """Out of the picture, for as long as it takes to be believed."""
        self._show([self._frame(None) for _ in range(round((LEFT_AFTER_S + 1) * RATE))])

    def _show(self, frames: list[PoseFrame]) -> None:
        for at in range(0, len(frames), BATCH):
            self.box.do(self._take, frames[at : at + BATCH])

    def _take(self, frames: list[PoseFrame]) -> None:
        for one in frames:
            self.hub.take(one)

    def _frame(self, figure: Figure | None) -> PoseFrame:
        self._number += 1
        return PoseFrame(
            camera="cam0",
            number=self._number,
            monotonic_ns=round(self._number / RATE * 1e9),
            utc_ns=time.time_ns(),
            width=640,
            height=600,
            timings={"total": 1.0},
            subjects=() if figure is None else (self._seen(figure),),
        )

    def _seen(self, figure: Figure) -> Subject:
        subject = figure.subject()
        return replace(subject, world=None) if self.flat else subject


def _swing(turns: float) -> float:
    """0 at the start position, 1 at the far end."""
    return (1 - math.cos(2 * math.pi * turns)) / 2


def _squat(knee: float) -> Figure:
    return Figure(knee=(knee, knee), hip=(1.1 * knee, 1.1 * knee), lean=0.4 * knee, yaw=90)


def _curl(elbow: float, *, left: bool) -> Figure:
    return Figure(elbow=(elbow, 0.0) if left else (0.0, elbow), yaw=30)


@contextmanager
def workout(folder: Path, exercise: str = "auto") -> Iterator[Workout]:
    """A box with the dashboard, and whoever works out before it."""
    hubs: list[Hub] = []

    def live(store: object) -> object:
        hubs.append(Hub(store, exercise))  # type: ignore[arg-type]
        return hubs[0].live

    with running(folder, live, static=STATIC) as box:  # type: ignore[arg-type]
        (hub,) = hubs
        box.do(hub.take, Hello(camera="cam0", source="test", model="generated", precision="fp32"))
        box.do(hub.take, CameraState(camera="cam0", state="live", monotonic_ns=0))
        yield Workout(box, hub)
