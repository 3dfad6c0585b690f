"""What the coach says: states that change every frame, and events that are kept."""

from __future__ import annotations

from typing import Literal

import msgspec

from edge.motion.grades import Grade

Phase = Literal["ready", "out", "peak", "back", "hold"]
"""`ready`: at the start position; `out`: on the way to the far end; `peak`: there; `back`: returning."""

Side = Literal["left", "right", "both"]


class RepetitionMeasure(msgspec.Struct, frozen=True):
    """One number of a repetition, with how far it can be trusted."""

    value: float | None
    grade: Grade
    reasons: tuple[str, ...] = ()
    """Reason codes, such as joint_hidden."""


class Repetition(msgspec.Struct, frozen=True, kw_only=True):
    """One repetition that was counted in full or in part."""

    t: float
    """Seconds, at the far end of the movement: on the clock of the frames, in a stored session since its start."""
    kind: Literal["rep", "partial"]
    side: Side | None
    """The limb that moved; `both` where they move together, None where the exercise has no sides."""
    duration_s: float
    """From leaving the start position to being back. It is counted before the person is back, so the last part is
    extrapolated: within a tenth for smooth movements."""
    eccentric_s: float
    """The part in which the muscles lengthen: down in a squat, down in a curl."""
    concentric_s: float
    """The part in which they shorten."""
    range_deg: float | None
    """Angle between the two ends of the movement's leading signal; None where that is no angle."""
    peak_deg: float | None
    """The leading angle at the far end."""
    measures: dict[str, RepetitionMeasure] = {}
    """By key of the metric catalogue (statistic `repetition`); known a moment after it was counted."""


class CoachEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened once and is kept."""

    t: float
    """Seconds on the clock of the frames."""
    kind: Literal["set_start", "rep", "partial_rep", "rep_measured", "set_end"]
    """`rep_measured`: the numbers of a repetition that was told of before, its `repetition.t` is the same."""
    exercise: str
    repetition: Repetition | None = None
    hold_s: float = 0.0
    """With `set_end`: seconds in position, for a hold."""


class CoachState(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be said of a subject now."""

    exercise: str | None
    """None: not recognised, or nothing yet."""
    given: bool
    """Whether the exercise was chosen by someone rather than recognised."""
    phase: Phase | None = None
    progress: float | None = None
    """0 at the start position, 1 at the far end; held within 0-1."""
    reps: int = 0
    """Full repetitions of this exercise since the subject was first seen or the exercise was chosen."""
    partial_reps: int = 0
    hold_s: float = 0.0
    tempo_s: float | None = None
    """Duration of the latest repetition."""
    set_number: int = 0
    """Sets so far, the present one included."""
    set_reps: int = 0
    """Full repetitions in the present set."""
    set_hold_s: float = 0.0
    """Seconds held in the present set."""
