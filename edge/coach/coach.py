"""The coach of one subject: the exercise, its sets and repetitions, from one moment to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from edge.coach.exercise import exercise, exercises
from edge.coach.recognise import Candidate, Recogniser
from edge.coach.records import CoachEvent, CoachState
from edge.coach.watch import HoldWatch, Watch

if TYPE_CHECKING:
    from edge.coach.records import Repetition
    from edge.motion.signals import Signals

AUTO = "auto"
REST_S = 20.0
"""Seconds without a repetition that end a set."""


class Coach:
    """Counts what one subject does; `auto` finds out by itself what that is."""

    def __init__(self, choice: str) -> None:
        """`choice`: id of an exercise, or `auto`. ConfigError for an unknown id."""
        self.choice = choice
        self.given = choice != AUTO
        self._recogniser: Recogniser | None = None
        self._active: Watch | HoldWatch | None = None
        if self.given:
            row = exercise(choice)
            self._active = HoldWatch(row) if row.kind == "hold" else Watch(row)
        else:
            self._recogniser = Recogniser(list(exercises().values()))
        self._totals: dict[str, list[float]] = {}
        """By exercise: full repetitions, partial ones, seconds held."""
        self._sets = 0
        self._open: str | None = None
        self._set_reps = 0
        self._set_hold = 0.0
        self._hold_before = 0.0
        self._active_at = 0.0
        self._tempo: float | None = None

    def update(self, now: Signals | None, t: float) -> tuple[CoachState, list[CoachEvent]]:
        """Feed one moment, at `t` seconds (any steady clock); None while the subject is out of sight."""
        events: list[CoachEvent] = []
        if now is not None:
            repetitions = self._watch(now, t, events)
            for repetition in repetitions:
                self._add(repetition, events)
            self._hold(t, events)
        resting = not (isinstance(self._active, Watch) and self._active.under_way)
        if self._open is not None and resting and t - self._active_at > REST_S:
            events.append(self._end_set(self._active_at))
        return self._state(), events

    def finish(self, t: float) -> list[CoachEvent]:
        """The subject left or the session is over at `t`: end the set in progress."""
        return [self._end_set(min(self._active_at, t))] if self._open is not None else []

    def totals(self) -> dict[str, tuple[int, int, float]]:
        """(full repetitions, partial ones, seconds held) by exercise, in the order they were done."""
        return {name: (int(reps), int(partial), held) for name, (reps, partial, held) in self._totals.items()}

    def _watch(self, now: Signals, t: float, events: list[CoachEvent]) -> list[Repetition]:
        if self._recogniser is not None:
            repetitions, changed = self._recogniser.update(now, t)
            if changed:
                if self._open is not None:
                    events.append(self._end_set(self._active_at))
                chosen = self._recogniser.chosen
                if isinstance(chosen, Candidate):
                    self._active = chosen.watch
                elif chosen is not None:
                    self._active = chosen
                    self._hold_before = chosen.hold_s - chosen.present_s
            return repetitions
        if isinstance(self._active, HoldWatch):
            self._active.update(now, t)
            return []
        assert self._active is not None
        repetition = self._active.update(now, t)
        return [repetition] if repetition is not None else []

    def _add(self, repetition: Repetition, events: list[CoachEvent]) -> None:
        assert self._active is not None
        row = self._active.row
        name = row.id
        out = repetition.eccentric_s if row.out == "eccentric" else repetition.concentric_s
        began = repetition.t - out
        if self._open is None:
            events.append(self._start_set(name, began))
        self._active_at = began + repetition.duration_s
        full = repetition.kind == "rep"
        self._set_reps += full
        self._totals[name][0 if full else 1] += 1
        self._tempo = repetition.duration_s
        events.append(
            CoachEvent(
                t=repetition.t, kind="rep" if full else "partial_rep", exercise=name, repetition=repetition
            )
        )

    def _hold(self, t: float, events: list[CoachEvent]) -> None:
        active = self._active
        if not isinstance(active, HoldWatch) or active.hold_s <= self._hold_before:
            return
        if self._open is None:
            events.append(self._start_set(active.row.id, t - active.hold_s + self._hold_before))
        gained = active.hold_s - self._hold_before
        self._set_hold += gained
        self._totals[active.row.id][2] += gained
        self._hold_before = active.hold_s
        self._active_at = t

    def _start_set(self, name: str, t: float) -> CoachEvent:
        self._sets += 1
        self._open, self._set_reps, self._set_hold = name, 0, 0.0
        self._totals.setdefault(name, [0, 0, 0.0])
        return CoachEvent(t=t, kind="set_start", exercise=name)

    def _end_set(self, t: float) -> CoachEvent:
        assert self._open is not None
        event = CoachEvent(t=t, kind="set_end", exercise=self._open, hold_s=self._set_hold)
        self._open, self._set_reps = None, 0
        return event

    def _state(self) -> CoachState:
        active = self._active
        if active is None:
            return CoachState(exercise=None, given=False)
        reps, partial, held = self._totals.get(active.row.id, (0, 0, 0.0))
        common = CoachState(
            exercise=active.row.id,
            given=self.given,
            reps=int(reps),
            partial_reps=int(partial),
            hold_s=held,
            tempo_s=self._tempo,
            set_number=self._sets,
            set_reps=self._set_reps,
            set_hold_s=self._set_hold if self._open else 0.0,
        )
        if isinstance(active, HoldWatch):
            return replace(common, phase="hold" if active.holding else "ready")
        progress = None if active.progress is None else min(max(active.progress, 0.0), 1.0)
        return replace(common, phase=active.phase, progress=progress)
