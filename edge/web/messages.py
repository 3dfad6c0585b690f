"""What the browser gets over the WebSocket: JSON, one struct a message, `type` tells which."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from edge.coach.records import Cue, Phase, RepetitionMeasure, SetSummary, Side
from edge.store.records import Grade, Species
from edge.store.turns import Turn

CameraState = Literal["starting", "live", "lost", "ended", "black"]
NetworkUse = Annotated[
    Literal["none", "camera", "open"],
    Meta(
        description="What the part that sees pictures has of the network: nothing, what a camera with an address "
        "needs, or more than it should"
    ),
]
EventKind = Literal[
    "rep",
    "partial_rep",
    "rejected_rep",
    "rep_measured",
    "cue",
    "set_start",
    "set_renamed",
    "set_end",
    "set_summary",
    "session_start",
    "session_end",
]
Milliseconds = Annotated[float, Meta(description="UTC, milliseconds since 1970")]


class Hello(msgspec.Struct, tag="hello", frozen=True, kw_only=True):
    """The first message: which version speaks, and what its clock shows."""

    version: str
    clock_ms: Milliseconds


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One live metric with how far it can be trusted."""

    value: float | None
    grade: Grade
    reasons: Annotated[tuple[str, ...], Meta(description="Reason codes, such as joint_hidden")] = ()
    turn: Annotated[
        Turn | UnsetType,
        Meta(description="There where it is rough (C) or missing, and would be better after this turn"),
    ] = UNSET


class Coaching(msgspec.Struct, frozen=True, kw_only=True):
    """What the coach makes of one person at this moment."""

    exercise: Annotated[str | None, Meta(description="null where none is recognised")]
    given: Annotated[bool, Meta(description="True where the user chose the exercise")]
    phase: Phase | None
    reps: int
    partial_reps: int
    hold_s: float
    tempo_s: Annotated[float | None, Meta(description="Duration of the last repetition")]
    progress: Annotated[float | None, Meta(description="0 at the start position, 1 at the far end")]
    set: int
    set_reps: int
    measures: Annotated[dict[str, Measure], Meta(description="By metric key")]
    turn: Annotated[
        Turn | None, Meta(description="What would help what is done now; null where a turn would not")
    ] = None
    cut_off: Annotated[bool, Meta(description="Some part of the body is outside the picture")] = False
    set_partial_reps: int = 0
    set_hold_s: float = 0.0
    rejected_reps: Annotated[
        int, Meta(description="Movements of the set as large as a repetition, and none of the exercise")
    ] = 0
    left: Annotated[int, Meta(description="Full repetitions of this limb alone, in the set")] = 0
    right: int = 0
    set_s: Annotated[float | None, Meta(description="Seconds since the latest set began")] = None
    rest_s: Annotated[
        float | None, Meta(description="Seconds since the latest repetition was over, or a hold was held")
    ] = None
    cue: Annotated[Cue | None, Meta(description="What is to be shown now, for a few seconds")] = None
    cue_weight: Annotated[
        float | None, Meta(description="3: may hurt, 2: costs the exercise its purpose, 1: could be better")
    ] = None


class SubjectFrame(msgspec.Struct, frozen=True, kw_only=True):
    """One person or dog in one frame."""

    id: int
    species: Species
    skeleton: str
    score: float
    keypoints: Annotated[
        list[list[float]], Meta(description="Per joint x, y (pixels, origin top left) and visibility 0 to 1")
    ]
    depth: Annotated[
        bool, Meta(description="The model tells positions in space, by which exercises are recognised")
    ] = True
    coach: Annotated[
        Coaching | None, Meta(description="null: outside of the station, and so neither counted nor kept")
    ] = None


class Frame(msgspec.Struct, tag="frame", kw_only=True):
    """One frame of one camera."""

    camera: str
    frame: int
    capture_ms: Milliseconds
    sent_ms: Annotated[Milliseconds, Meta(description="Set when it is sent")] = 0.0
    width: int
    height: int
    fps: float
    dropped: Annotated[int, Meta(description="Frames the hub was too slow for, since vision started")]
    timings: Annotated[dict[str, float], Meta(description="Milliseconds by stage: read, detect, …, total")]
    subjects: list[SubjectFrame]
    main: Annotated[
        int | None,
        Meta(description="Id of who has the station, else of the nearest; may be out of this picture"),
    ] = None
    waiting: Annotated[
        int, Meta(description="Known people who were not read in this picture: they take turns")
    ] = 0


class Camera(msgspec.Struct, tag="camera", frozen=True, kw_only=True):
    """The camera's state changed."""

    camera: str
    state: CameraState
    detail: Annotated[str, Meta(description="A code that says why; empty where there is nothing to say")] = ""
    network: NetworkUse = "none"


class Event(msgspec.Struct, tag="event", frozen=True, kw_only=True):
    """Something that is counted or kept has happened."""

    subject: int
    kind: EventKind
    t: Annotated[float, Meta(description="Seconds since the session began")]
    exercise: Annotated[
        str | None, Meta(description="With set_renamed: what the set was of from its start on")
    ] = None
    side: Annotated[Side | None, Meta(description="Of a repetition: the limb that moved")] = None
    reason: Annotated[
        str | None,
        Meta(
            description="With rejected_rep: the signal that was not as the exercise has it, or joint_hidden"
        ),
    ] = None
    cue: Annotated[Cue | None, Meta(description="With cue: what to say")] = None
    summary: Annotated[
        SetSummary | None, Meta(description="With set_summary: what was good, and what to work on")
    ] = None
    measures: Annotated[
        dict[str, RepetitionMeasure],
        Meta(description="With rep_measured: the numbers of the repetition that was counted at `t`"),
    ] = {}


class Ping(msgspec.Struct, tag="ping", frozen=True, kw_only=True):
    """From the browser: what does your clock show?"""

    t: Annotated[float, Meta(description="The browser's clock; sent back as it is")]


class Pong(msgspec.Struct, tag="pong", frozen=True, kw_only=True):
    """The answer to a ping: together they give the browser the offset of the clocks."""

    t: float
    server_ms: Milliseconds


ServerMessage = Hello | Frame | Camera | Event | Pong
