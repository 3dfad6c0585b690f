"""Everyone in view: a coach and a summary for each subject, fed with the frames of one camera."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from edge.coach.coach import Coach
from edge.coach.repetitions import Repetitions
from edge.coach.spot import Spot
from edge.coach.summary import Summary
from edge.coach.walks import Walks
from edge.motion.body import Body
from edge.motion.lens import Lens
from edge.motion.measure import measure_body
from edge.motion.signals import Signals
from edge.motion.symmetry import measure_symmetry
from edge.motion.trembling import Speeds

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.coach.form import Strictness
    from edge.coach.records import CoachEvent, CoachState
    from edge.link import PoseFrame, Subject
    from edge.motion.grades import Measure

LEFT_AFTER_S = 10.0
"""Seconds out of sight after which someone has left."""
_RATE_MEMORY = 0.1
"""Weight of the newest interval in the frame rate."""


class Person:
    """One subject (a person; dogs follow) from the first to the last frame."""

    def __init__(self, subject: Subject, t: float, coach: Coach, height_m: float | None) -> None:
        self.id = subject.id
        self.species: Literal["human", "dog"] = subject.species
        self.first_seen = self.last_seen = t
        self.frames = 0
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
        self._lens: Lens | None = None
        self._interval: float | None = None
        """Seconds between two frames, lately."""
        self._last: float | None = None

    @property
    def rate(self) -> float:
        """Frames a second, lately; 0 before the second frame."""
        return 1 / self._interval if self._interval else 0.0

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
        """What is to be said of everyone in `frame`."""
        t = frame.monotonic_ns / 1e9
        self._clock(t)
        lens = self.lens(frame.width, frame.height)
        observations = []
        for subject in frame.subjects:
            person = self.people.get(subject.id)
            if person is None:
                person = self.people[subject.id] = Person(subject, t, self._coach(), self.height_m)
            body = Body.of(subject.skeleton, subject.points(), subject.world_points(), lens)
            now = Signals(body)
            measures = measure_body(now, self.rate or math.inf, person.speeds.update(t, body))
            state, events = person.coach.update(now, t)
            person.last_seen = t
            person.frames += 1
            person.events += events
            person.events += person.repetitions.update(now, t, events)
            person.summary.add(measures)
            person.spot.add(t, body)
            person.walks.add(t, body, now.angles.value)
            observations.append(Observation(person, subject, state, measures, person.events))
            person.events = []
        for person in self.people.values():
            if person.last_seen != t:
                person.events += person.coach.update(None, t)[1]
        return observations

    def absent(self, t: float) -> list[Person]:
        """Those who have left by `t`: their sets are ended, and they are forgotten here."""
        gone = [person for person in self.people.values() if t - person.last_seen > LEFT_AFTER_S]
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

    def _clock(self, t: float) -> None:
        if self._last is not None and t > self._last:
            interval = t - self._last
            known = self._interval
            self._interval = interval if known is None else known + (interval - known) * _RATE_MEMORY
        self._last = t
