"""What one vision process says goes to the observer, the recorder, the browsers and the uplink."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from edge.box_records import CameraView, Tuning
from edge.calibration import CameraSettings
from edge.camera_setup import CameraSetup
from edge.caretaker import Caretaker
from edge.coach.coach import AUTO
from edge.coach.observer import Observer
from edge.coach.station import Station
from edge.coach_setup import CoachSetup
from edge.link import CameraState, Hello, MarkerSeen, PoseFrame, Record, Watch
from edge.motion.skeletons import SKELETONS
from edge.recorder import Recorder
from edge.store.paths import written_exercises
from edge.store.records import SessionCalibration
from edge.web.live import LiveState
from edge.web.messages import Camera, Event, Frame
from edge.web.records import ModelInfo, Skeleton
from edge.web.subject import subject_frame, uncounted

if TYPE_CHECKING:
    from edge.coach.observer import Observation, Person
    from edge.link_socket import Subscriber
    from edge.motion.lens import Lens
    from edge.store import EndReason, Store
    from edge.uplink.household import Household
    from edge.uplink.uplink import Uplink


class _Total:
    """Adds up a count that starts again at 0 whenever its process does."""

    def __init__(self) -> None:
        self.value = 0
        self._last = 0

    def add(self, count: int) -> int:
        """The total after the counter has reached `count`."""
        self.value += count - self._last if count >= self._last else count
        self._last = count
        return self.value


class Hub:
    """Feeds observer, recorder and browsers from one vision process."""

    def __init__(self, store: Store, exercise: str, configured: CameraSettings | None = None) -> None:
        """ConfigError when `exercise` is neither a known id nor `auto`.

        `configured`: what the configuration says of the camera. What is known of it lies beside the store's file.
        """
        self.setup = CameraSetup(store.path.parent, configured or CameraSettings())
        self.setup.on_change = self._set_up
        self.keeper = self.setup.keeper
        self.coaching = CoachSetup(store.path.parent, written_exercises())
        self.coaching.on_change = self._judge
        self.coaching.on_exercises = self._exercises
        self.observer = Observer(exercise, self.setup.settings.height_m, self._lens)
        self._judge()
        self._stand()
        self.recorder = Recorder(store)
        self.recorder.calibration = self._calibration
        self.live = LiveState(
            camera="",
            model=ModelInfo(name="", precision=""),
            skeletons={
                name: Skeleton(names=list(row.names), edges=list(row.edges), pairs=list(row.pairs))
                for name, row in SKELETONS.items()
            },
            setup=self.setup,
            coaching=self.coaching,
            on_exercise=self._choose,
        )
        self.live.exercise = exercise
        self.caretaker = Caretaker(store.path.parent, self.live.publish_trouble)
        self.live.caretaker = self.caretaker
        self.link: Subscriber | None = None
        """To vision, while there is one."""
        self.lost = 0
        """Frames lost on the link, over all connections."""
        self.uplink: Uplink | None = None
        self.household: Household | None = None
        self._skipped = _Total()
        self._clock_known = False

    def connect(self, link: Subscriber | None) -> None:
        """Vision is there, and is told what to look at; None: it is gone."""
        self.link = link
        self._wish()

    def _wish(self) -> None:
        """Tell vision what to look at; who cannot hear it now will be told when it is back."""
        if self.link is not None:
            with contextlib.suppress(EOFError):
                self.link.wish(Watch(zones=self.setup.settings.zones))

    def take(self, record: Record) -> None:
        """Handle one record of vision."""
        if isinstance(record, PoseFrame | CameraState | CameraView | Tuning):
            self.caretaker.take(record)
        if isinstance(record, PoseFrame):
            self._frame(record)
        elif isinstance(record, Hello):
            self.recorder.camera, self.recorder.model = record.camera, f"{record.model}-{record.precision}"
            model = ModelInfo(name=record.model, precision=record.precision)
            self.live.introduce(record.camera, model, record.network)
            if self.uplink is not None:
                self.uplink.introduce(self.recorder.camera, self.recorder.model, record.runs_as)
        elif isinstance(record, MarkerSeen):
            if self.keeper.take(record):
                self.observer.look_again()
        elif isinstance(record, CameraView):
            self.live.publish_view(record)
        elif isinstance(record, Tuning):
            self.recorder.model = f"{self.live.model.name}-{record.precision}"
            self.live.publish_tuning(record)
        else:
            self.live.publish_camera(Camera(camera=record.camera, state=record.state, detail=record.detail))
            if record.state in ("ended", "lost"):
                self.end("source_ended")

    def end(self, reason: EndReason) -> None:
        """Nobody can be seen any more: end every session."""
        for person in self.observer.finish():
            self._leave(person, reason)

    def _frame(self, frame: PoseFrame) -> None:
        if frame.utc_ns is not None and not self._clock_known:
            # Sessions that began before the clock was set get their time now.
            self.recorder.store.clock_known(monotonic_ns=frame.monotonic_ns, utc=frame.utc_ns / 1e9)
            self._clock_known = True
        t = frame.monotonic_ns / 1e9
        seen = self.observer.update(frame)
        for one in seen:
            self._publish(self.recorder.take(one, t, frame.utc_ns))
            if self.uplink is not None:
                self.uplink.take(one, t, self.recorder.session(one.person))
        for person in self.observer.absent(t):
            self._leave(person, "left")
        self.live.publish_frame(self._message(frame, seen))

    def _lens(self, width: int, height: int) -> Lens:
        return self.keeper.lens(self.recorder.camera, width, height)

    def _calibration(self) -> SessionCalibration:
        said, stands = self.setup.settings, self.keeper.status()
        return SessionCalibration(
            source=stands.source,
            tilt=stands.tilt,
            roll=stands.roll,
            above=stands.above,
            height_m=said.height_m,
            field=said.field,
        )

    def _set_up(self) -> None:
        """The owner said something else of the camera, or of who is before it."""
        self.observer.height_m = self.setup.settings.height_m
        self.observer.look_again()
        self._stand()
        self._wish()

    def _stand(self) -> None:
        """Count whoever is in the station; the one that is there already goes on."""
        zone, known = self.setup.settings.station, self.observer.station
        if zone != (known and known.zone):
            self.observer.station = None if zone is None else Station(zone)

    def _judge(self) -> None:
        self.observer.judge(self.coaching.settings.strictness)

    def _exercises(self, changed: str) -> None:
        """An exercise was added, changed or taken away."""
        if self.observer.choice == changed and changed not in self.coaching.library.rows:
            self.live.choose(AUTO)
        elif self.observer.choice in (AUTO, changed):
            self.observer.begin_anew()

    def _leave(self, person: Person, reason: EndReason) -> None:
        shown, height_m = person.walks.horizon, self.setup.settings.height_m
        above = None if shown.above is None or height_m is None else shown.above * height_m
        if self.keeper.walked(shown.tilt, shown.roll, above):
            self.observer.look_again()
        self._publish(self.recorder.leave(person, reason))
        if self.uplink is not None:
            self.uplink.leave(person, reason)

    def _message(self, frame: PoseFrame, seen: list[Observation]) -> Frame:
        taken_ns = frame.utc_ns or time.time_ns() - (time.monotonic_ns() - frame.monotonic_ns)
        return Frame(
            camera=frame.camera,
            frame=frame.number,
            capture_ms=taken_ns / 1e6,
            width=frame.width,
            height=frame.height,
            fps=round(self.observer.rate, 1),
            dropped=self.lost + self._skipped.add(frame.skipped),
            timings={stage: round(ms, 2) for stage, ms in frame.timings.items()},
            subjects=[
                *(subject_frame(one, frame.width, frame.height) for one in seen),
                *map(uncounted, self.observer.others),
            ],
            main=self.observer.main,
            waiting=frame.waiting,
        )

    def _choose(self, choice: str | None) -> None:
        self.observer.choose(choice or AUTO)

    def _publish(self, events: list[Event]) -> None:
        for event in events:
            self.live.publish_event(event)
