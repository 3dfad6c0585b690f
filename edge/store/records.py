"""What the store gives back: the records that the web API sends and that an export contains."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.calibration import Source
from edge.coach.records import Repetition, SetSummary
from edge.store.turns import Turn
from wire.metrics import Species

__all__ = [
    "Change",
    "Earlier",
    "EndReason",
    "ExerciseTotal",
    "Grade",
    "KeptSummary",
    "Measurement",
    "RecordedSet",
    "Samples",
    "Session",
    "SessionCalibration",
    "SessionSummary",
    "Species",
]

EndReason = Literal["left", "stopped", "source_ended", "interrupted"]
"""`left`: the person walked away; `stopped`: Kinebox was stopped; `source_ended`: the recording was over;
`interrupted`: power cut or crash, closed at the next start."""

Grade = Literal["A", "B", "C", "none"]
"""How far a number can be trusted; `none` where it could not be measured."""


class ExerciseTotal(msgspec.Struct, frozen=True, kw_only=True):
    """One exercise of a session, its sets added up."""

    exercise: str
    reps: int
    partial_reps: int
    hold_s: float


class SessionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One stay of one person or dog in front of one camera."""

    id: str
    started: Annotated[
        datetime | None, Meta(description="UTC; null where the box has not known the time since it started")
    ]
    ended: Annotated[datetime | None, Meta(description="UTC; null while the session runs, too")]
    end_reason: Annotated[EndReason | None, Meta(description="null while the session runs")]
    duration_s: Annotated[float, Meta(description="Up to now for a session that runs")]
    subject: Annotated[int, Meta(description="The track id the session was recorded from")]
    species: Species
    camera: str
    model: Annotated[str, Meta(description="The pose model the numbers come from")]
    exercises: list[ExerciseTotal]


class KeptSummary(SetSummary, frozen=True, kw_only=True):
    """What was said of a set when it was over, and during it."""

    cues: Annotated[dict[str, int], Meta(description="How often each rule of form was named, by its id")] = (
        msgspec.field(default_factory=dict)
    )


class RecordedSet(msgspec.Struct, frozen=True, kw_only=True):
    """One run of repetitions, or one hold, of one exercise."""

    id: int
    exercise: str
    start_s: Annotated[float, Meta(description="Seconds since the session began")]
    end_s: Annotated[float | None, Meta(description="null while the set runs")]
    reps: int
    partial_reps: int
    hold_s: float
    repetitions: list[Repetition]
    rejected_reps: Annotated[
        int, Meta(description="Movements as large as a repetition that the exercise does not look like")
    ] = 0
    summary: Annotated[
        KeptSummary | None, Meta(description="null while the set runs, and for one that was cut off")
    ] = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of the difference to an earlier session."""

    direction: Annotated[
        Literal["increased", "decreased", "not_detectable"],
        Meta(description="not_detectable: no more than the measurement's own error"),
    ]
    before: float
    difference: Annotated[float, Meta(description="Now less before, in the metric's unit")]
    least: Annotated[
        float,
        Meta(description="Minimal detectable change at 95 %, of these two grades and numbers of repetitions"),
    ]


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """The session before, of the same species and with the same main exercise."""

    id: str
    started: datetime | None


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One number of a whole session, with how far it can be trusted."""

    value: float | None
    unit: str
    grade: Grade
    reasons: Annotated[list[str], Meta(description="Reason codes, such as joint_hidden")]
    turn: Annotated[
        Turn | None,
        Meta(description="With this turn it would have been seen; null where that is not the reason"),
    ] = None
    change: Annotated[
        Change | None,
        Meta(
            description="Against the session `compared_with`; null where either has no value or no known error"
        ),
    ] = None


class SessionCalibration(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of the camera and of the body when a session was measured."""

    source: Annotated[Source, Meta(description="What showed how the camera stands")]
    tilt: Annotated[
        float | None, Meta(description="Degrees by which the camera looked down; null: not known")
    ]
    roll: Annotated[float | None, Meta(description="Degrees by which it was turned; null: not known")]
    above: Annotated[float | None, Meta(description="Metres over the floor; null: not known")]
    height_m: Annotated[float | None, Meta(description="Body height that was set; null: none")]
    field: Annotated[float, Meta(description="Degrees across the width of the picture")]


class Session(SessionSummary, frozen=True, kw_only=True):
    """A session with everything but its samples."""

    sets: list[RecordedSet]
    measurements: Annotated[dict[str, Measurement], Meta(description="By metric key")]
    calibration: Annotated[
        SessionCalibration | None, Meta(description="null for a session of a version that did not keep it")
    ] = None
    compared_with: Annotated[
        Earlier | None,
        Meta(description="The box knows nobody by name: it may have been somebody else. null: there is none"),
    ] = None


class Samples(msgspec.Struct, frozen=True, kw_only=True):
    """Metrics over time, as columns of equal length."""

    t: Annotated[list[float], Meta(description="Seconds since the session began")]
    series: Annotated[dict[str, list[float | None]], Meta(description="By metric key; null: not measurable")]
