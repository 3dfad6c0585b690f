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


class Cue(msgspec.Struct, frozen=True, kw_only=True):
    """A correction, to be spoken and shown."""

    t: float
    """Seconds on the clock of the frames."""
    exercise: str
    rule: str
    """Id of the rule in the exercise's row."""
    text: dict[str, str]
    """By language."""


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of one rule when a set is over."""

    rule: str
    text: dict[str, str]
    """By language."""
    share: float
    """Of the repetitions (of a hold: of the seconds) that showed it, those of which the text is true."""


class SetSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A set in numbers and in words: what was good first."""

    exercise: str
    praise: tuple[Remark, ...] = ()
    improve: tuple[Remark, ...] = ()
    reps: int = 0
    partial_reps: int = 0
    rejected_reps: int = 0
    left: int = 0
    """Full repetitions of this limb alone."""
    right: int = 0
    hold_s: float = 0.0
    tempo_s: float | None = None
    """Mean duration of the full repetitions."""
    tempo_spread: float | None = None
    """Their standard deviation over the mean; None for fewer than two."""
    range_deg: float | None = None
    """Mean range of the leading angle; None where it is no angle."""
    range_spread: float | None = None


class CoachEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened once and is kept."""

    t: float
    """Seconds on the clock of the frames."""
    kind: Literal[
        "set_start",
        "rep",
        "partial_rep",
        "rejected_rep",
        "rep_measured",
        "cue",
        "set_renamed",
        "set_end",
        "set_summary",
    ]
    """`rejected_rep`: a movement as large as a repetition that the exercise does not look like, see `reason`.
    `rep_measured`: the numbers of a repetition that was told of before, its `repetition.t` is the same.
    `set_renamed`: the set in progress was of this exercise from its start on.
    `set_summary`: right after its `set_end`."""
    exercise: str
    repetition: Repetition | None = None
    hold_s: float = 0.0
    """With `set_end`: seconds in position, for a hold."""
    reason: str | None = None
    """With `rejected_rep`: the signal that was not as the exercise has it, or `joint_hidden`."""
    cue: Cue | None = None
    summary: SetSummary | None = None


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
    rejected_reps: int = 0
    """Movements in the present set that were as large as a repetition and none of this exercise."""
    set_partial_reps: int = 0
    left: int = 0
    """Full repetitions of this limb alone, in the present set."""
    right: int = 0
    set_s: float | None = None
    """Seconds since the latest set began; None before the first."""
    rest_s: float | None = None
    """Seconds since the latest repetition was over, of a hold since it was held; None before the first."""
    cue: Cue | None = None
    """What is to be shown now: the latest correction, for a few seconds."""
