"""Holds: how long somebody stays in a position."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.coach.judge import LEGS
from edge.coach.lanes import columns
from edge.coach.survey import VISIBLE, survey
from edge.motion.signals import COLUMN, SIGNAL_OF

if TYPE_CHECKING:
    from edge.coach.exercise import Exercise
    from edge.coach.records import Phase
    from edge.motion.course import Course

AFTER_S = 1.0
"""Seconds in position before a hold counts, from its beginning."""
GAP_S = 0.5
"""Seconds out of position that do not end a hold."""
_STILL_S = 1.0
"""Seconds over which a hold's `travel` is meant."""
_LOOK_S = 0.2
"""Seconds between two looks at how still it is."""
_LEGS = COLUMN["leg_length"]
_EDGE, _SLACK = 0.5, 1.0
"""Softnesses beyond its bounds that a hold may begin with, and go on with: nothing flickers at the edge."""


class HoldWatch:
    """Times how long a person stays in the position of a hold."""

    def __init__(self, row: Exercise) -> None:
        self.row = row
        self.hold_s = 0.0
        """All holds so far, in seconds."""
        self.holding = False
        self.present_s = 0.0
        """The present hold, in seconds."""
        self._always = [(columns(name, "both"), low, high) for name, (low, high) in row.always.items()]
        self._travel = [(columns(name, "both"), low, high) for name, (low, high) in row.travel.items()]
        self._looked_at = float("-inf")
        self._since: float | None = None
        self._inside_at = 0.0

    under_way = False

    def state(self) -> tuple[float | None, Phase]:
        """Progress, which a hold has not, and phase."""
        return None, "hold" if self.holding else "ready"

    def update(self, values: list[float], visibility: list[float], course: Course, t: float) -> None:
        """Feed one moment at `t` seconds; the time between two moments far apart is not credited.

        `values`, `visibility`: every signal's, in the order of `signals.COLUMNS`.
        """
        if self._since is not None and t - self._inside_at > GAP_S:
            self._since, self.holding, self.present_s = None, False, 0.0
        edge = _SLACK if self._since is not None else _EDGE
        if self._inside(values, visibility, edge) and self._still(course, t, edge):
            if self._since is None:
                self._since = self._inside_at = t
            gained = t - (self._inside_at if self.holding else self._since)
            self.holding = self.holding or gained >= AFTER_S
            if self.holding:
                self.hold_s += gained
                self.present_s += gained
            self._inside_at = t

    def _inside(self, values: list[float], visibility: list[float], edge: float) -> bool:
        if self.row.species == "human" and visibility[_LEGS] >= VISIBLE and values[_LEGS] < LEGS:
            return False
        for where, low, high in self._always:
            seen = [values[column] for column in where if visibility[column] >= VISIBLE]
            if not seen:
                return False
            value, soft = sum(seen) / len(seen), edge * SIGNAL_OF[where[0]].soft
            if not low - soft <= value <= high + soft:
                return False
        return True

    def _still(self, course: Course, t: float, edge: float) -> bool:
        if not self._travel or t - self._looked_at < _LOOK_S:
            return True
        self._looked_at = t
        window = course.window(t - _STILL_S, t)
        seen = survey(window, np.zeros(len(window.times)))
        for where, low, high in self._travel:
            moved = seen.told("travel", where)
            soft = edge * SIGNAL_OF[where[0]].soft
            if moved is not None and not low - soft <= moved <= high + soft:
                return False
        return True
