"""The box as it is now: the hub fills it in, the browsers and the API read it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from edge import __version__
from edge.errors import ConfigError
from edge.web.broadcast import Broadcaster
from edge.web.messages import Camera, Event, EventKind, Frame, Hello, Pong
from edge.web.metrics import PICTURE, HubMetrics
from edge.web.records import (
    AUTO,
    CameraStatus,
    Health,
    LinkStatus,
    ModelInfo,
    Skeleton,
    Status,
    TroubleNow,
    UplinkStatus,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge.box_records import CameraView, Tuning
    from edge.camera_setup import CameraSetup
    from edge.caretaker import Caretaker
    from edge.coach_setup import CoachSetup
    from edge.trouble import Change
    from edge.web.messages import NetworkUse

STALE_S = 5.0
"""A live camera whose newest frame is older than this is not live in truth."""
_COUNTED = ("rep", "partial_rep")
SAID_S, SAID_MOST = 3600.0, 32
"""So long a browser that comes is told what was said of the last sets, and at most so much."""


class LiveState:
    """The newest state of the box, and the browsers that are told of it.

    For the event loop's thread only. Every message is encoded once, however many browsers there are.
    """

    def __init__(
        self,
        *,
        camera: str,
        model: ModelInfo,
        skeletons: Mapping[str, Skeleton],
        setup: CameraSetup,
        coaching: CoachSetup,
        on_exercise: Callable[[str | None], None],
        clock: Callable[[], float] = time.monotonic,
        utc: Callable[[], float] = time.time,
    ) -> None:
        """Begin with the camera `starting`.

        `setup`: how the camera stands. `coaching`: how the coach is to be, and its exercises. `on_exercise` is
        called with an exercise's id, or None for automatic, when the user chooses.
        `clock` is monotonic seconds, `utc` seconds since 1970.
        """
        self.skeletons = dict(skeletons)
        self.setup = setup
        self.coaching = coaching
        self.exercise = AUTO
        self.uplink: Callable[[], UplinkStatus | None] = lambda: None
        """Tells what waits for the cloud; None where there is none."""
        self.caretaker: Caretaker | None = None
        """Knows what is wrong with the box, if anything is."""
        self.clients = Broadcaster()
        self.metrics = HubMetrics(self.clients)
        self.introduce(camera, model)
        self._on_exercise = on_exercise
        self._clock = clock
        self._utc = utc
        self._started = clock()
        self._frames = 0
        self._dropped = 0
        self._last: Frame | None = None
        self._last_at: float | None = None
        self._said: dict[tuple[int, EventKind], tuple[float, Event]] = {}
        """What each one's last set and repetition were like, and since when that is known, for browsers that come
        later."""

    # Filled in by the hub

    def introduce(self, camera: str, model: ModelInfo, network: NetworkUse = "none") -> None:
        """Vision has said which camera and model it uses, and what it has of the network."""
        self.model = model
        self.camera = Camera(camera=camera, state="starting", network=network)
        self.metrics.tell(model)

    def publish_frame(self, frame: Frame) -> None:
        """Take the newest frame and send it to every browser that keeps up. Sets `frame.sent_ms`."""
        self._frames += 1
        # The count starts again with the vision process; ours must not.
        before = self._last.dropped if self._last is not None else 0
        dropped = frame.dropped - before if frame.dropped >= before else frame.dropped
        self._dropped += dropped
        self._last, self._last_at = frame, self._clock()
        self.metrics.frames.inc()
        self.metrics.frames_dropped.inc(dropped)
        self.metrics.subjects.set(len(frame.subjects))
        self.metrics.waiting.set(frame.waiting)
        for stage, milliseconds in frame.timings.items():
            self.metrics.frame_seconds.labels(stage).observe(milliseconds / 1000)
        if self.clients:
            frame.sent_ms = self._utc() * 1000
            self.clients.send_frame(_encode(frame))

    def publish_camera(self, camera: Camera) -> None:
        """Take the camera's new state and tell every browser."""
        camera = replace(camera, network=self.camera.network)
        self.camera = camera
        self.metrics.camera_up.set(camera.state == "live")
        if camera.state != "live":
            self.metrics.subjects.set(0)
            self.metrics.waiting.set(0)
        self.clients.send(_encode(camera))

    def publish_view(self, view: CameraView) -> None:
        """Take how the pictures are."""
        for name in PICTURE:
            self.metrics.picture.labels(name).set(getattr(view, name))

    def publish_tuning(self, tuning: Tuning) -> None:
        """Take how vision works from now on."""
        self.model = replace(self.model, precision=tuning.precision)
        self.metrics.tell(self.model)

    def publish_trouble(self, change: Change) -> None:
        """Something began to be wrong with the box, or is well again."""
        code = change.kind.code
        self.metrics.trouble.labels(code).set(change.began)
        if change.began:
            self.metrics.troubles.labels(code).inc()

    def publish_event(self, event: Event) -> None:
        """Tell every browser that something was counted, began or ended."""
        if event.kind in _COUNTED:
            self.metrics.repetitions.labels(event.exercise or "", event.kind).inc()
        if event.kind in ("set_summary", "rep_measured"):
            self._say(event)
        elif event.kind == "set_start":
            for kind in ("set_summary", "rep_measured"):
                self._said.pop((event.subject, kind), None)
        self.clients.send(_encode(event))

    def _say(self, event: Event) -> None:
        """Remember it for browsers that come later, the newest last."""
        self._said.pop((event.subject, event.kind), None)
        self._said[event.subject, event.kind] = self._clock(), event
        if len(self._said) > SAID_MOST:
            del self._said[next(iter(self._said))]

    # Read by the browsers and the API

    def greeting(self) -> list[str]:
        """What a browser is told when it connects: who speaks, how the camera is, how the last set was."""
        hello = Hello(version=__version__, clock_ms=self._utc() * 1000)
        since = self._clock() - SAID_S
        said = [_encode(event) for at, event in self._said.values() if at > since]
        return [_encode(hello), _encode(self.camera), *said]

    def pong(self, t: float) -> str:
        """The answer to a browser's ping."""
        return _encode(Pong(t=t, server_ms=self._utc() * 1000))

    def choose(self, exercise: str) -> None:
        """Count this exercise from now on, or with `auto` what is recognised.

        Raises `ConfigError` for an exercise that the coach does not know.
        """
        row = self.coaching.library.rows.get(exercise)
        if exercise != AUTO and (row is None or row.kind == "other"):
            raise ConfigError(f"There is no exercise {exercise!r}", "GET /api/v1/exercises lists them")
        self._on_exercise(None if exercise == AUTO else exercise)
        self._said.clear()
        self.exercise = exercise

    def status(self, *, store_ok: bool = True) -> Status:
        """The box as it is now."""
        last = self._last
        return Status(
            version=__version__,
            model=self.model,
            camera=CameraStatus(
                id=self.camera.camera,
                state=self.camera.state,
                detail=self.camera.detail,
                fps=last.fps if last and self._fresh else 0.0,
                width=last.width if last else 0,
                height=last.height if last else 0,
            ),
            link=LinkStatus(frames=self._frames, dropped=self._dropped),
            uptime_s=self._clock() - self._started,
            exercise=self.exercise,
            uplink=self.uplink(),
            store="ok" if store_ok else "failing",
            troubles=self._troubles(),
            tuning=None if self.caretaker is None else self.caretaker.tuning,
            view=None if self.caretaker is None else self.caretaker.view,
        )

    def _troubles(self) -> list[TroubleNow]:
        if self.caretaker is None:
            return []
        now = self._clock()
        return [
            TroubleNow(
                kind=one.kind.code,
                value=round(one.sign.value, 3),
                detail=one.sign.detail,
                seconds=round(max(now - one.since, 0.0), 1),
            )
            for one in self.caretaker.now()
        ]

    def health(self, *, store_ok: bool) -> Health:
        """`ok` while the camera is live, frames arrive and they can be kept."""
        measuring = self.camera.state == "live" and self._fresh
        return Health(
            status="ok" if measuring and store_ok else "degraded",
            version=__version__,
            camera=self.camera.state,
            network=self.camera.network,
            frame_age_s=self._frame_age,
            store="ok" if store_ok else "failing",
        )

    @property
    def _frame_age(self) -> float | None:
        return None if self._last_at is None else self._clock() - self._last_at

    @property
    def _fresh(self) -> bool:
        age = self._frame_age
        return age is not None and age < STALE_S


def _encode(message: Hello | Frame | Camera | Event | Pong) -> str:
    return msgspec.json.encode(message).decode()
