"""What the HTTP API answers. Sessions and samples are the store's own records."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from edge.box_records import CameraView, Tuning
from edge.calibration import CalibrationStatus
from edge.coach.exercise import Camera, Muscles
from edge.coach.faults import Fault
from edge.coach_setup import Origin
from edge.store.records import SessionSummary, Species
from edge.web.messages import CameraState, NetworkUse
from edge.zones import Zone, Zones

AUTO = "auto"
"""In place of an exercise: let the coach recognise it."""
StoreState = Literal["ok", "failing"]


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The pose model in use."""

    name: str
    precision: str


class CameraStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The camera as it is now."""

    id: str
    state: CameraState
    detail: str
    fps: float
    width: int
    height: int


class LinkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The socket between vision and hub."""

    frames: Annotated[int, Meta(description="Frames that arrived")]
    dropped: Annotated[int, Meta(description="Frames the hub was too slow for")]


class UplinkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for the cloud."""

    connected: bool
    rows: Annotated[int, Meta(description="Messages that are not acknowledged")]
    bytes: int
    hours: Annotated[float, Meta(description="Age of the oldest of them")]
    hours_left: Annotated[
        float | None,
        Meta(description="Room at the present rate of recording; null while nothing is recorded"),
    ]
    given_up: Annotated[int, Meta(description="Windows that were given up unsent")]


class TroubleNow(msgspec.Struct, frozen=True, kw_only=True):
    """Something is wrong with the box."""

    kind: Annotated[str, Meta(description="A code such as slow, throttled or no_pictures")]
    value: Annotated[float, Meta(description="The number that it is judged by")]
    detail: Annotated[str, Meta(description="What more is known, as codes; often empty")]
    seconds: Annotated[float, Meta(description="Since when")]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The box as it is now."""

    version: str
    model: ModelInfo
    camera: CameraStatus
    link: LinkStatus
    uptime_s: float
    exercise: Annotated[str, Meta(description="auto, or the exercise the user chose")]
    uplink: Annotated[UplinkStatus | None, Meta(description="null where no cloud is configured")] = None
    store: Annotated[StoreState, Meta(description="failing: the database cannot be written")] = "ok"
    troubles: Annotated[list[TroubleNow], Meta(description="What is wrong with the box now")] = []
    tuning: Annotated[
        Tuning | None, Meta(description="How pictures are dealt with, and why; null before that is known")
    ] = None
    view: Annotated[
        CameraView | None,
        Meta(description="How the newest pictures are, in numbers; null while there are none"),
    ] = None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the box measures and keeps what it measures."""

    status: Literal["ok", "degraded"]
    version: str
    camera: CameraState
    network: NetworkUse
    frame_age_s: Annotated[float | None, Meta(description="Age of the newest frame; null before the first")]
    store: Annotated[StoreState, Meta(description="failing: the database cannot be written")]


class ExerciseInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One exercise the coach knows."""

    id: str
    name: Annotated[dict[str, str], Meta(description="By language: en, ko")]
    view: Literal["front", "side", "any"]
    kind: Annotated[
        Literal["reps", "hold", "rhythm", "other"],
        Meta(description="rhythm: counted by its rhythm alone; other: known, and not counted"),
    ]
    species: Species = "human"
    camera: Annotated[
        Camera, Meta(description="Where the camera serves it; low: at the height of somebody who lies")
    ] = "side"
    sides: Annotated[
        Literal["together", "each", "whole"], Meta(description="each: every limb counts by itself")
    ] = "together"
    auto: Annotated[bool, Meta(description="False: it is counted only where it was chosen")] = True
    muscles: Annotated[Muscles, Meta(description="Codes of muscles")] = Muscles()
    origin: Annotated[
        Origin, Meta(description="box: comes with it; added: in the dashboard; file: from another folder")
    ] = "box"
    out: Annotated[
        Literal["eccentric", "concentric"],
        Meta(description="What the muscles do on the way out from the start position"),
    ] = "eccentric"


class ExerciseChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which exercise is counted."""

    exercise: Annotated[str, Meta(description="An exercise's id, or auto")]


class CameraChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the owner says of the camera and of whoever is before it."""

    height_m: Annotated[
        Annotated[float, Meta(ge=0.3, le=2.6)] | None,
        Meta(description="Body height in metres of whoever is measured; null: not known"),
    ]
    field: Annotated[
        float, Meta(ge=20, le=140, description="Degrees that the camera sees across the width of its picture")
    ]


DrawnZones = Annotated[
    Zones, Meta(description="Parts of the picture in which nobody is followed, such as a mirror; at most 16")
]
"""Corners as shares of the picture's width and height, from its top left."""
DrawnStation = Annotated[
    Zone | None,
    Meta(
        description="Floor of the one place that is counted: who stands in it, and nobody else; null: all are"
    ),
]


class ZoneChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where nobody is followed, and the one place that is counted. 3 to 32 corners each, shares of the picture."""

    zones: DrawnZones
    station: DrawnStation


class CameraStand(msgspec.Struct, frozen=True, kw_only=True):
    """How the camera stands, and what its owner said."""

    camera: Annotated[str, Meta(description="Its id; empty before there is one")]
    height_m: Annotated[float | None, Meta(description="Body height of whoever is measured; null: not known")]
    field: Annotated[float, Meta(description="Degrees across the width of its picture")]
    zones: DrawnZones
    station: DrawnStation
    calibration: CalibrationStatus


class Skeleton(msgspec.Struct, frozen=True, kw_only=True):
    """How the keypoints of a model are named and joined. Numbers are indices into `names`."""

    names: list[str]
    edges: list[tuple[int, int]]
    pairs: Annotated[list[tuple[int, int]], Meta(description="Left and right of the same joint")]


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of sessions, the newest first."""

    sessions: list[SessionSummary]
    next: Annotated[str | None, Meta(description="Value of `before` for the next page; null on the last")]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error, as application/problem+json (RFC 9457)."""

    title: str
    status: int
    code: Annotated[str, Meta(description="What happened, for programs and translations")]
    detail: str = ""
    type: str = "about:blank"
    line: Annotated[
        int | UnsetType, Meta(description="Of the text that was sent, from 1; 0 where it is not about a line")
    ] = UNSET
    fault: Annotated[
        Fault | UnsetType, Meta(description="With exercise_invalid: what is wrong in that line")
    ] = UNSET
