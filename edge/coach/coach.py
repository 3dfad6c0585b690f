"""The coach of one subject: the exercise, its sets and repetitions, from one moment to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from edge.coach.hold import HoldWatch
from edge.coach.library import exercise, exercises
from edge.coach.recognise import Given, Recogniser
from edge.coach.records import CoachEvent, CoachState
from edge.coach.sets import Set
from edge.coach.survey import survey

if TYPE_CHECKING:
    from edge.coach.exercise import Exercise, Species
    from edge.coach.form import Strictness
    from edge.coach.records import Cue
    from edge.coach.watch import Movement
    from edge.motion.signals import Signals

AUTO = "auto"
REST_S = 20.0
"""Seconds without a repetition that end a set."""
SHOWN_S = 4.0
"""Seconds for which a cue is shown."""
JUDGED_S = 1.0
"""Seconds of a hold that are judged as one."""
REFUSED_S = 0.5
"""Seconds after a movement that was refused in which it may still turn out to be the other limb's repetition."""


class Coach:
    """Counts what one subject does; `auto` finds out by itself what that is."""

    def __init__(self, choice: str, species: Species = "human", strictness: Strictness = "normal") -> None:
        """`choice`: id of an exercise, or `auto`: one of the `species`. ConfigError for an unknown id.

        `strictness`: how much of the form is let pass.
        """
        self.choice = choice
        self.given = choice != AUTO
        self._source = (
            Given(exercise(choice))
            if self.given
            else Recogniser([row for row in exercises().values() if row.species == species and row.auto])
        )
        self._totals: dict[str, list[float]] = {}
        """By exercise: full repetitions, partial ones, seconds held."""
        self._strictness: Strictness = strictness
        self._sets = 0
        self._set: Set | None = None
        """The set in progress."""
        self._refused: list[tuple[float, Movement]] = []
        """Movements that were refused lately, and until when that may change."""
        self._latest: Movement | None = None
        """The latest repetition."""
        self._cue: Cue | None = None
        self._hold_before = 0.0
        self._judged_at = 0.0
        self._active_at = 0.0
        self._began: float | None = None
        """When the latest set began."""
        self._tempo: float | None = None

    def update(self, now: Signals | None, t: float) -> tuple[CoachState, list[CoachEvent]]:
        """Feed one moment, at `t` seconds (any steady clock); None while the subject is out of sight."""
        events: list[CoachEvent] = []
        if now is not None:
            choice = self._source.update(now, t)
            if choice.changed:
                self._change(events, t, renamed=choice.renamed)
            for movement in choice.movements:
                self._add(movement, t, events)
            for movement in choice.refused:
                self._refuse(movement, t)
            self._hold(t, events)
        self._reject(t, events)
        if self._set is not None and not self._source.under_way and t - self._active_at > REST_S:
            events += self._end_set(self._set, self._active_at)
        return self._state(t), events

    def finish(self, t: float) -> list[CoachEvent]:
        """The subject left or the session is over at `t`: end the set in progress."""
        return self._end_set(self._set, min(self._active_at, t)) if self._set is not None else []

    def judge(self, strictness: Strictness) -> None:
        """So much of the form is let pass from now on, in the set in progress, too."""
        self._strictness = strictness
        if self._set is not None:
            self._set.judge(strictness)

    def totals(self) -> dict[str, tuple[int, int, float]]:
        """(full repetitions, partial ones, seconds held) by exercise, in the order they were done."""
        return {name: (int(reps), int(partial), held) for name, (reps, partial, held) in self._totals.items()}

    def _change(self, events: list[CoachEvent], t: float, *, renamed: bool) -> None:
        """Another exercise was recognised; `renamed`: the set in progress was that one all along."""
        chosen = self._source.chosen
        assert chosen is not None
        if isinstance(chosen, HoldWatch):
            self._hold_before = chosen.hold_s - chosen.present_s
        self._refused.clear()
        self._cue = None  # it was about the other exercise
        if self._set is None:
            return
        if not renamed or chosen.row.kind == "other":
            events += self._end_set(self._set, self._active_at)
            return
        before = self._set.row.id
        old, new = self._totals[before], self._totals.setdefault(chosen.row.id, [0, 0, 0.0])
        for at, count in enumerate((self._set.reps, self._set.partial)):
            old[at] -= count
            new[at] += count
        if not any(old):
            del self._totals[before]
        self._set.rename(chosen.row)
        events.append(CoachEvent(t=t, kind="set_renamed", exercise=chosen.row.id))

    def _add(self, movement: Movement, t: float, events: list[CoachEvent]) -> None:
        repetition = movement.repetition
        assert self._source.chosen is not None
        row = self._source.chosen.row
        if row.kind == "other":
            return
        out = repetition.eccentric_s if row.out == "eccentric" else repetition.concentric_s
        began = repetition.t - out
        now = self._set or self._start_set(row, began, events)
        self._active_at = began + repetition.duration_s
        full = repetition.kind == "rep"
        self._totals[row.id][0 if full else 1] += 1
        self._tempo = repetition.duration_s
        self._latest = movement
        self._refused = [one for one in self._refused if not one[1].overlaps(repetition)]
        events.append(
            CoachEvent(
                t=repetition.t, kind="rep" if full else "partial_rep", exercise=row.id, repetition=repetition
            )
        )
        self._say(now.add(t, repetition, movement.seen), events)

    def _refuse(self, movement: Movement, t: float) -> None:
        """Remember a movement that is none of the exercise's, unless the other limb has told of it."""
        if self._set is None:
            return
        known = [one for _, one in self._refused] + ([self._latest] if self._latest else [])
        if not any(movement.overlaps(one.repetition) for one in known):
            self._refused.append((t + max(REFUSED_S, movement.repetition.duration_s / 2), movement))

    def _reject(self, t: float, events: list[CoachEvent]) -> None:
        """Tell of the movements that nobody has claimed since they were refused."""
        while self._refused and t >= self._refused[0][0]:
            movement = self._refused.pop(0)[1]
            if self._set is not None and not self._source.claimed(movement):
                self._set.rejected += 1
                events.append(
                    CoachEvent(
                        t=movement.repetition.t,
                        kind="rejected_rep",
                        exercise=self._set.row.id,
                        reason=movement.verdict.missed or "joint_hidden",
                    )
                )

    def _say(self, cue: Cue | None, events: list[CoachEvent]) -> None:
        if cue is not None:
            self._cue = cue
            events.append(CoachEvent(t=cue.t, kind="cue", exercise=cue.exercise, cue=cue))

    def _hold(self, t: float, events: list[CoachEvent]) -> None:
        active = self._source.chosen
        if not isinstance(active, HoldWatch) or active.hold_s <= self._hold_before:
            return
        now = self._set or self._start_set(active.row, t - active.hold_s + self._hold_before, events)
        gained = active.hold_s - self._hold_before
        now.hold_s += gained
        self._totals[active.row.id][2] += gained
        self._hold_before = active.hold_s
        self._active_at = t
        if t - self._judged_at >= JUDGED_S:
            self._judged_at = t
            window = self._source.course.window(t - JUDGED_S, t)
            self._say(now.hold(t, survey(window, np.ones(len(window.times)))), events)

    def _start_set(self, row: Exercise, t: float, events: list[CoachEvent]) -> Set:
        self._sets += 1
        self._began = t
        self._set = Set(row, self._strictness)
        self._totals.setdefault(row.id, [0, 0, 0.0])
        events.append(CoachEvent(t=t, kind="set_start", exercise=row.id))
        return self._set

    def _end_set(self, done: Set, t: float) -> list[CoachEvent]:
        self._set = None
        self._refused.clear()
        name = done.row.id
        return [
            CoachEvent(t=t, kind="set_end", exercise=name, hold_s=done.hold_s),
            CoachEvent(t=t, kind="set_summary", exercise=name, summary=done.summary()),
        ]

    def _state(self, t: float) -> CoachState:
        active = self._source.chosen
        if active is None or active.row.kind == "other":
            return CoachState(exercise=None, given=False)
        reps, partial, held = self._totals.get(active.row.id, (0, 0, 0.0))
        left, right = self._set.limbs if self._set else (0, 0)
        common = CoachState(
            exercise=active.row.id,
            given=self.given,
            reps=int(reps),
            partial_reps=int(partial),
            hold_s=held,
            tempo_s=self._tempo,
            set_number=self._sets,
            set_reps=self._set.reps if self._set else 0,
            set_hold_s=self._set.hold_s if self._set else 0.0,
            rejected_reps=self._set.rejected if self._set else 0,
            set_partial_reps=self._set.partial if self._set else 0,
            left=left,
            right=right,
            set_s=None if self._began is None else max(t - self._began, 0.0),
            rest_s=None if self._began is None else max(t - self._active_at, 0.0),
            cue=self._cue if self._cue is not None and t - self._cue.t < SHOWN_S else None,
        )
        progress, phase = active.state()
        return replace(
            common, phase=phase, progress=None if progress is None else min(max(progress, 0.0), 1.0)
        )
