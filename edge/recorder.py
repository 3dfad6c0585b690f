"""From what the coach says to what the store keeps: one session for each stay of a subject in view."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import asdict, replace

from edge.store.records import KeptSummary
from edge.web.messages import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.coach.observer import Observation, Person
    from edge.coach.records import CoachEvent
    from edge.store import EndReason, Store
    from edge.store.records import SessionCalibration

KEEP_AFTER_S = 3.0
"""Seconds in view before a stay becomes a session: those who walk by leave no record."""
SAMPLE_EVERY_S = 0.2
SAMPLE_IN_SET_S = 1 / 15
"""During a set, so that a repetition of a second still has a curve."""
_EARLY_S = 0.01
"""Pictures do not come at the very moments of the samples: one that comes this little before is taken."""


Values = dict[str, float | None]


class _Stay:
    """One subject's stay in view: not yet a session, or one that is being recorded."""

    def __init__(self, start: float) -> None:
        self.session: str | None = None
        self.start = start
        """When the subject was first seen, on the clock of the frames."""
        self.calibration: SessionCalibration | None = None
        self.set: int | None = None
        self.rejected = 0
        """Movements of the set that were none of its exercise."""
        self.cues = Counter[str]()
        """How often each rule was named in the set."""
        self.ended: int | None = None
        """The set that has just ended: its summary comes next."""
        self.repetitions: dict[float, int] = {}
        """Ids of those that are not measured yet, by their times."""
        self.sampled = float("-inf")
        self.early: list[tuple[float, Values]] = []
        """Samples from before it was a session."""
        self.unwritten: list[CoachEvent] = []
        """Events from before it was a session."""


class Recorder:
    """Writes sessions, and answers with the events that browsers are told of."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.camera = ""
        self.model = ""
        self.calibration: Callable[[], SessionCalibration | None] = lambda: None
        """Tells what is known of the camera and of the body now."""
        self._stays: dict[int, _Stay] = {}

    def take(self, one: Observation, t: float, utc_ns: int | None) -> list[Event]:
        """Record one subject in one frame taken at `t` seconds."""
        person = one.person
        stay = self._stays.setdefault(person.id, _Stay(person.first_seen))
        began: list[Event] = []
        if stay.session is None and t - stay.start >= KEEP_AFTER_S:
            stay.session = self._begin(person, t, utc_ns)
            stay.calibration = self.calibration()
            if stay.calibration is not None:
                self.store.calibrated(stay.session, stay.calibration)
            began = [Event(subject=person.id, kind="session_start", t=0.0)]
        self._write(stay, one.events)
        every = SAMPLE_EVERY_S if stay.set is None else SAMPLE_IN_SET_S
        if t - stay.sampled >= every - _EARLY_S:
            stay.sampled = t
            stay.early.append((t - stay.start, {key: measure.value for key, measure in one.measures.items()}))
            if stay.set is not None and one.state.set_hold_s:
                self.store.hold_so_far(stay.set, one.state.set_hold_s)
        if stay.session is not None:
            for at, values in stay.early:
                self.store.add_sample(stay.session, at, values)
            stay.early.clear()
        return began + _told(stay, person, one.events)

    def session(self, person: Person) -> str | None:
        """The id of the person's session; None before it is one."""
        stay = self._stays.get(person.id)
        return None if stay is None else stay.session

    def leave(self, person: Person, reason: EndReason) -> list[Event]:
        """The subject is gone: write the session's measurements and end it."""
        stay = self._stays.pop(person.id, None)
        if stay is None:
            return []
        self._write(stay, person.events)
        news = _told(stay, person, person.events)
        if stay.session is None:
            return news
        for key, measure in person.measures().items():
            self.store.add_measurement(stay.session, key, measure.value, measure.grade, measure.reasons)
        known, tilt = stay.calibration, person.walks.tilt
        if known is not None and known.tilt is None and tilt is not None:
            self.store.calibrated(stay.session, replace(known, source="walks", tilt=tilt))
        end = person.last_seen - stay.start
        self.store.end_session(stay.session, t=end, reason=reason)
        return [*news, Event(subject=person.id, kind="session_end", t=end)]

    def _begin(self, person: Person, t: float, utc_ns: int | None) -> str:
        return self.store.begin_session(
            subject=person.id,
            species=person.species,
            camera=self.camera,
            model=self.model,
            monotonic_ns=round(person.first_seen * 1e9),
            utc=None if utc_ns is None else utc_ns / 1e9 - (t - person.first_seen),
        )

    def _write(self, stay: _Stay, events: list[CoachEvent]) -> None:
        """Write events, once there is a session."""
        stay.unwritten += events
        if stay.session is None:
            return
        for event in stay.unwritten:
            self._write_one(stay, stay.session, event)
        stay.unwritten.clear()

    def _write_one(self, stay: _Stay, session: str, event: CoachEvent) -> None:
        at = max(event.t - stay.start, 0.0)
        if event.kind == "set_start":
            stay.set = self.store.begin_set(session, exercise=event.exercise, t=at)
            stay.rejected = 0
            stay.cues.clear()
        elif event.kind == "rep_measured" and event.repetition is not None:
            if (known := stay.repetitions.pop(event.t, None)) is not None:
                self.store.measure_repetition(known, event.repetition.measures)
        elif event.kind == "set_summary" and event.summary is not None and stay.ended is not None:
            self.store.summarise_set(stay.ended, KeptSummary(**asdict(event.summary), cues=dict(stay.cues)))
            stay.ended = None
        elif stay.set is not None:
            self._write_in_set(stay, stay.set, event, at)

    def _write_in_set(self, stay: _Stay, number: int, event: CoachEvent, at: float) -> None:
        if event.kind == "set_end":
            self.store.end_set(number, t=at, hold_s=event.hold_s)
            stay.set, stay.ended = None, number
            stay.repetitions.clear()
        elif event.kind == "set_renamed":
            self.store.rename_set(number, event.exercise)
            stay.cues.clear()  # said by the rules of the other exercise
        elif event.kind == "rejected_rep":
            stay.rejected += 1
            self.store.rejected_so_far(number, stay.rejected)
        elif event.cue is not None:
            stay.cues[event.cue.rule] += 1
        elif event.repetition is not None:
            stay.repetitions[event.t] = self.store.add_repetition(number, replace(event.repetition, t=at))


def _told(stay: _Stay, person: Person, events: list[CoachEvent]) -> list[Event]:
    """The person's events as browsers are told of them."""
    return [
        Event(
            subject=person.id,
            kind=event.kind,
            t=max(event.t - stay.start, 0.0),
            exercise=event.exercise,
            side=event.repetition.side if event.repetition is not None else None,
            measures=event.repetition.measures if event.repetition is not None else {},
            reason=event.reason,
            cue=event.cue,
            summary=event.summary,
        )
        for event in events
    ]
