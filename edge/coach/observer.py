"""Everyone in view: a coach and a summary for each subject, fed with the frames of one camera."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from edge.coach.coach import Coach
from edge.coach.foremost import Foremost, length_px
from edge.coach.repetitions import Repetitions
from edge.coach.spot import Spot
from edge.coach.summary import Summary
from edge.coach.walks import Walks
from edge.motion.body import INDEX, Body
from edge.motion.lens import Lens
from edge.motion.measure import measure_body
from edge.motion.signals import Signals
from edge.motion.symmetry import measure_symmetry
from edge.motion.trembling import Speeds

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.coach.form import Strictness
    from edge.coach.records import CoachEvent, CoachState
    from edge.coach.station import Station
    from edge.link import PoseFrame, Subject
    from edge.motion.grades import Measure

LEFT_AFTER_S = 10.0
"""Seconds out of sight after which someone has left."""
_RATE_MEMORY = 0.1
"""Weight of the newest interval in the rate."""
_GAP_S = 1.0
"""A longer interval is time out of sight, unless the next is as long."""
_ANKLES = [INDEX["ankle_left"], INDEX["ankle_right"]]


class _Pace:
    """How often something comes."""

    def __init__(self) -> None:
        self._interval: float | None = None
        """Seconds between two of them, lately."""
        self._last: float | None = None
        self._gap = False
        """The latest interval was one."""

    def tick(self, t: float) -> None:
        """One came at `t` seconds. Time that stands still or goes back tells nothing, nor does a single gap."""
        interval = 0.0 if self._last is None else t - self._last
        self._last = t
        gap, self._gap = self._gap, interval > _GAP_S
        if interval > 0 and (gap or not self._gap):
            known = self._interval
            self._interval = interval if known is None else known + (interval - known) * _RATE_MEMORY

    @property
    def rate(self) -> float:
        """How many a second, lately; 0 before the second."""
        return 1 / self._interval if self._interval else 0.0


class Person:
    """One subject (a person; dogs follow) from the first to the last frame."""

    def __init__(self, subject: Subject, t: float, coach: Coach, height_m: float | None) -> None:
        self.id = subject.id
        self.species: Literal["human", "dog"] = subject.species
        self.first_seen = self.last_seen = t
        self.frames = 0
        self.pace = _Pace()
        """Of the pictures in which it was read: not of all, where people take turns."""
        self.coach = coach
        self.summary = Summary()
        self.repetitions = Repetitions()
        self.spot = Spot(subject.species, height_m)
        self.walks = Walks(subject.species, height_m)
        self.speeds = Speeds()
        self.events: list[CoachEvent] = []
        """What happened since the latest observation of them, times on the clock of the frames.

        An observation takes them along, so only those who have left, or are out of sight, have any.
        """

    def measures(self) -> dict[str, Measure]:
        """Every metric of the session by key; call it when the person has left."""
        measures = self.summary.measures() | self.repetitions.measures()
        measures |= measure_symmetry(measures, from_the_side=self.summary.from_the_side())
        return measures | self.spot.measures() | self.walks.measures()

    def finish_set(self) -> None:
        """Nothing more is counted for now: end the set in progress."""
        self.events += self.repetitions.finish()
        self.events += self.coach.finish(self.last_seen)


class Observation(NamedTuple):
    """One subject in one frame."""

    person: Person
    subject: Subject
    state: CoachState
    measures: dict[str, Measure]
    events: list[CoachEvent]
    """What happened since the observation before, times on the clock of the frames."""


class Observer:
    """Turns frames into observations; times are the frames' own, in seconds."""

    def __init__(
        self, choice: str, height_m: float | None = None, look: Callable[[int, int], Lens] = Lens
    ) -> None:
        """`choice`: the exercise for everyone, or `auto`. ConfigError for an unknown one.

        `height_m`: body height of whoever is seen; None: not known. `look`: the lens for pictures of a size.
        """
        self.strictness: Strictness = "normal"
        self.choice = choice
        self._coach()
        self._look = look
        self.people: dict[int, Person] = {}
        """By id: those in view, and those who went out of it a moment ago."""
        self.height_m = height_m
        """Of whoever is seen for the first time from now on."""
        self.station: Station | None = None
        """Where there is one, only who stands in it is counted."""
        self.main: int | None = None
        """Id of whom to show where nobody has chosen: who has the station, else who is nearest."""
        self.others: list[Subject] = []
        """Those in the newest frame who are not counted, because they are outside of the station."""
        self._lens: Lens | None = None
        self._pace = _Pace()
        self._foremost = Foremost()

    @property
    def rate(self) -> float:
        """Frames a second, lately; 0 before the second frame."""
        return self._pace.rate

    def choose(self, choice: str) -> None:
        """Another exercise from now on; sets in progress end. ConfigError for an unknown id."""
        if choice == self.choice:
            return
        Coach(choice)
        self.choice = choice
        self.begin_anew()

    def begin_anew(self) -> None:
        """There are other exercises than before: sets in progress end."""
        for person in self.people.values():
            person.finish_set()
            person.coach = self._coach()

    def judge(self, strictness: Strictness) -> None:
        """So much of the form is let pass from now on."""
        self.strictness = strictness
        for person in self.people.values():
            person.coach.judge(strictness)

    def _coach(self) -> Coach:
        return Coach(self.choice, strictness=self.strictness)

    def update(self, frame: PoseFrame) -> list[Observation]:
        """What is to be said of everyone in `frame`, or of who has the station."""
        t = frame.monotonic_ns / 1e9
        self._pace.tick(t)
        lens = self.lens(frame.width, frame.height)
        seen = [
            (subject, Body.of(subject.skeleton, subject.points(), subject.world_points(), lens))
            for subject in frame.subjects
        ]
        if self.station is None:
            self.main = self._foremost.update(t, {subject.id: length_px(body) for subject, body in seen})
        else:
            size = frame.width, frame.height
            self.main = self.station.update(
                t, {one.id: feet for one, body in seen if (feet := _feet(body, size))}
            )
        self.others = [subject for subject, _ in seen if not self._counts(subject.id)]
        observations = [self._observe(*one, t) for one in seen if self._counts(one[0].id)]
        for person in self.people.values():
            if person.last_seen != t:
                person.events += person.coach.update(None, t)[1]
        return observations

    def _counts(self, subject_id: int) -> bool:
        return self.station is None or subject_id == self.main

    def _observe(self, subject: Subject, body: Body, t: float) -> Observation:
        person = self.people.get(subject.id)
        if person is None:
            person = self.people[subject.id] = Person(subject, t, self._coach(), self.height_m)
        now = Signals(body)
        person.pace.tick(t)
        measures = measure_body(now, person.pace.rate or math.inf, person.speeds.update(t, body))
        state, events = person.coach.update(now, t)
        person.last_seen = t
        person.frames += 1
        person.events += events
        person.events += person.repetitions.update(now, t, events)
        person.summary.add(measures)
        person.spot.add(t, body)
        person.walks.add(t, body, now.angles.value)
        news, person.events = person.events, []
        return Observation(person, subject, state, measures, news)

    def absent(self, t: float) -> list[Person]:
        """Those who have left by `t`: their sets are ended, and they are forgotten here.

        Whoever takes the station over makes all others leave.
        """
        taken = self.station is not None and self.main is not None
        gone = [
            person
            for person in self.people.values()
            if t - person.last_seen > LEFT_AFTER_S or (taken and person.id != self.main)
        ]
        return [self._leave(person) for person in gone]

    def finish(self) -> list[Person]:
        """Nobody will be seen again: end everything."""
        return [self._leave(person) for person in list(self.people.values())]

    def _leave(self, person: Person) -> Person:
        person.finish_set()
        person.spot.finish()
        person.walks.finish()
        del self.people[person.id]
        return person

    def lens(self, width: int, height: int) -> Lens:
        """The camera's lens, and how it is turned once somebody has shown it."""
        if self._lens is None or (self._lens.width, self._lens.height) != (width, height):
            self._lens = self._look(width, height)
        if self._lens.tilt is None:
            for person in self.people.values():
                shown = person.walks.horizon
                if shown.tilt is not None:
                    self._lens = replace(self._lens, tilt=shown.tilt, roll=shown.roll or 0.0)
                    break
        return self._lens

    def look_again(self) -> None:
        """How the camera stands is known otherwise from now on."""
        self._lens = None


def _feet(body: Body, size: tuple[int, int]) -> tuple[float, float] | None:
    """The middle of the ankles as shares of a picture of this size, from its top left; None: not known."""
    (left_x, left_y), (right_x, right_y) = body.image.take(_ANKLES, axis=0).tolist()
    x, y = (left_x + right_x) / 2 / size[0], -(left_y + right_y) / 2 / size[1]
    return (x, y) if math.isfinite(x + y) else None
