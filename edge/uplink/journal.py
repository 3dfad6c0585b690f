"""From what the coach sees to the messages that are kept for the cloud: windows and sessions."""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from edge.store.errors import UnknownSessionError
from edge.uplink.consent import may_leave
from edge.uplink.windows import DIGITS, Windows
from edge.version import running
from wire.messages import SessionChange, Window, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.clock import Clock
    from edge.coach.observer import Observation, Person
    from edge.coach.records import CoachEvent
    from edge.motion.grades import Measure
    from edge.store import Store
    from edge.uplink.consent import Consent
    from edge.uplink.outbox import Outbox
    from edge.uplink.windows import Stretch
    from wire.messages import Clock as ClockSource
    from wire.messages import Grade

log = logging.getLogger(__name__)

_TEXT = 64


class _Stay:
    """One subject from the first to the last frame."""

    def __init__(self, person: Person) -> None:
        self.subject = str(uuid.uuid4())
        self.windows = Windows(person.first_seen)
        self.reps = self.partial_reps = 0
        self.hold_s = 0.0
        self.told: SessionChange | None = None
        """The latest message about the session; None before it is one."""

    def count(self, events: list[CoachEvent]) -> None:
        """Add what happened to the totals."""
        for event in events:
            self.reps += event.kind == "rep"
            self.partial_reps += event.kind == "partial_rep"
            if event.kind == "set_end":
                self.hold_s += event.hold_s


class Journal:
    """Records into the outbox what consent allows. For one thread; it never waits for disk or network."""

    def __init__(self, outbox: Outbox, clock: Clock, device: str, consent: Consent) -> None:
        self.camera = self.model = ""
        self._outbox = outbox
        self._clock = clock
        self._device = device
        self._windows = may_leave("window", consent)
        self._sessions = may_leave("session", consent)
        self._stays: dict[int, _Stay] = {}

    def recover(self, store: Store) -> int:
        """Record the end of the sessions that a crash cut off, once the store has closed them; how many."""
        cut_off = self._outbox.open_sessions()
        now = self._clock.now()
        for told in cut_off:
            end = replace(told, change="end", reason="interrupted")
            try:
                kept = store.session(told.session)
            except UnknownSessionError:
                log.warning("session %s began, but the store does not have it", told.session)
            else:
                end = replace(
                    end,
                    reps=sum(done.reps for done in kept.exercises),
                    partial_reps=sum(done.partial_reps for done in kept.exercises),
                    hold_s=sum(done.hold_s for done in kept.exercises),
                    duration_s=kept.duration_s,
                )
            if end.at is None and now.utc is not None:
                end = replace(end, at=now.utc - end.duration_s, clock="estimated")
            self._outbox.add(end, now.monotonic_ns - round(end.duration_s * 1e9))
        return len(cut_off)

    def take(self, one: Observation, t: float, session: str | None) -> None:
        """Take one subject in one frame at `t` seconds; `session` is the store's id once there is one."""
        if not (self._windows or self._sessions):
            return
        person, exercise = one.person, one.state.exercise
        stay = self._stays.get(person.id)
        if stay is None:
            stay = self._stays[person.id] = _Stay(person)
        stay.count(one.events)
        if session is not None and stay.told is None:
            self._tell(stay, person, session, "start", exercise)
        elif stay.told is not None and exercise not in (None, stay.told.exercise):
            self._tell(stay, person, stay.told.session, "change", exercise)
        complete = stay.windows.take(t, one.measures, one.events, exercise)
        if complete is not None and session is not None:
            self._window(stay, person, session, complete)

    def leave(self, person: Person, reason: str) -> None:
        """The subject is gone. Of those who only walked by there is no record, here as in the store."""
        stay = self._stays.pop(person.id, None)
        if stay is None or stay.told is None:
            return
        stay.count(person.events)
        last = stay.windows.finish(person.events)
        if last is not None:
            self._window(stay, person, stay.told.session, last)
        measured = person.measures()
        self._tell(stay, person, stay.told.session, "end", stay.told.exercise, reason, measured)

    def _tell(
        self,
        stay: _Stay,
        person: Person,
        session: str,
        change: Literal["start", "change", "end"],
        exercise: str | None,
        reason: str | None = None,
        measured: Mapping[str, Measure] | None = None,
    ) -> None:
        at, clock = self._stamp(person.first_seen)
        metrics: dict[str, float] = {}
        grades: dict[str, Grade] = {}
        for key, measure in (measured or {}).items():
            if measure.value is not None and measure.grade != "none":
                metrics[key], grades[key] = round(measure.value, DIGITS), measure.grade
        grade, exceptions = shorten(grades)
        stay.told = SessionChange(
            device=self._device,
            boot=self._outbox.boot,
            seq=1,
            at=at,
            clock=clock,
            session=session,
            change=change,
            subject=stay.subject,
            species=person.species,
            camera=_text(self.camera),
            exercise=exercise,
            reps=stay.reps,
            partial_reps=stay.partial_reps,
            hold_s=round(stay.hold_s, 3),
            duration_s=round(person.last_seen - person.first_seen, 3),
            reason=reason,
            model=_text(self.model),
            software=running(),
            metrics=metrics,
            grade=grade,
            grades=exceptions,
        )
        if self._sessions:
            self._outbox.add(stay.told, round(person.first_seen * 1e9))

    def _window(self, stay: _Stay, person: Person, session: str, stretch: Stretch) -> None:
        if not self._windows:
            return
        at, clock = self._stamp(stretch.begin)
        grade, exceptions = shorten(stretch.grades)
        window = Window(
            device=self._device,
            boot=self._outbox.boot,
            seq=1,
            at=at,
            clock=clock,
            subject=stay.subject,
            species=person.species,
            session=session,
            camera=_text(self.camera),
            duration_s=stretch.duration_s,
            exercise=stretch.exercise,
            reps=stretch.reps,
            partial_reps=stretch.partial_reps,
            metrics=stretch.metrics,
            grade=grade,
            grades=exceptions,
        )
        self._outbox.add(window, round(stretch.begin * 1e9))

    def _stamp(self, monotonic_s: float) -> tuple[float | None, ClockSource]:
        now = self._clock.now()
        at = None if now.utc is None else round(now.utc - (now.monotonic_ns / 1e9 - monotonic_s), 3)
        return at, now.source


def _text(name: str) -> str:
    """A name as the contract takes it: short, and without control characters."""
    return "".join(letter for letter in name if letter.isprintable())[:_TEXT]
