"""The hub process: what vision saw becomes sessions in the store and pages in the browser. It opens no camera.

Started by `kinebox run` or systemd as `python -m edge.hub`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import logging
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edge.box_records import CameraView, Tuning
from edge.calibration import CameraSettings, camera_settings
from edge.camera_setup import CameraSetup
from edge.caretaker import Caretaker
from edge.clock import Clock
from edge.coach.coach import AUTO
from edge.coach.observer import Observer
from edge.coach.station import Station
from edge.coach_setup import CoachSetup
from edge.device import takeover
from edge.device.disk import Housekeeper
from edge.errors import KineboxError, LinkError, StoreError
from edge.journal import is_journal, log_to_stderr
from edge.link import CameraState, Hello, MarkerSeen, PoseFrame, Record, Subscriber, Watch
from edge.motion.skeletons import SKELETONS
from edge.notify import Manager
from edge.recorder import Recorder
from edge.store import Store, database_path
from edge.store.paths import written_exercises
from edge.store.records import SessionCalibration
from edge.uplink.settings import config_file, load_settings
from edge.web.app import create_app
from edge.web.live import LiveState
from edge.web.messages import Camera, Event, Frame
from edge.web.records import ModelInfo, Skeleton, UplinkStatus
from edge.web.server import listen, listen_for_root, serve
from edge.web.settings import WebSettings, is_loopback
from edge.web.subject import subject_frame, uncounted
from edge.web.token import access_token

if TYPE_CHECKING:
    from edge.coach.observer import Observation, Person
    from edge.motion.lens import Lens
    from edge.store import EndReason
    from edge.uplink.household import Household
    from edge.uplink.uplink import Uplink

log = logging.getLogger("edge.hub")

_RETRY_S = 0.2
"""Pause before vision's socket is tried again."""
_LONGEST_RETRY_S = 10.0
"""The pause grows to this while vision says what this hub cannot understand."""
_TICK_S = 0.25


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
                self.uplink.introduce(self.recorder.camera, self.recorder.model)
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


async def follow(path: Path, hub: Hub) -> None:
    """Read vision's records for ever; when vision goes away, wait until it is back."""
    pause, told = _RETRY_S, ""
    while True:
        try:
            link = Subscriber(path)
        except OSError:
            await asyncio.sleep(_RETRY_S)
            continue
        log.info("connected to vision at %s", path)
        try:
            hub.connect(link)
            await _read(link, hub)
            pause, told = _RETRY_S, ""
        except LinkError as error:
            if str(error) != told:
                log.error("%s. %s", error, error.remedy)
            pause, told = min(2 * pause, _LONGEST_RETRY_S), str(error)
        finally:
            hub.connect(None)
            link.close()
        hub.end("source_ended")
        if hub.live.camera.state == "ended":
            log.info("the recording is over")
        else:
            hub.caretaker.gone()
            hub.live.publish_camera(Camera(camera=hub.live.camera.camera, state="lost", detail="vision_gone"))
            log.warning("vision is gone; waiting for it")
        await asyncio.sleep(pause)


async def _read(link: Subscriber, hub: Hub) -> None:
    """Hand records to the hub until vision closes the connection."""
    loop = asyncio.get_running_loop()
    lost = 0
    while True:
        await _readable(loop, link)
        try:
            while (record := link.read()) is not None:
                hub.lost += link.lost - lost
                lost = link.lost
                hub.take(record)
                await asyncio.sleep(0)  # browsers get their turn between frames of a backlog
        except EOFError:
            return


async def _readable(loop: asyncio.AbstractEventLoop, link: Subscriber) -> None:
    """Wait until there is something to read."""
    ready = asyncio.Event()
    loop.add_reader(link.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(link.fileno())


async def keep(store: Store, manager: Manager, live: LiveState, housekeeper: Housekeeper) -> None:
    """Write what is due, a few times a second, in a thread: a slow disk must not stop the frames.

    Each time the store has answered `manager` hears of it. A full disk is an answer, too: starting anew makes no
    room, and would lose what waits.
    """
    told = ""
    while True:
        await asyncio.sleep(_TICK_S)
        try:
            await asyncio.to_thread(housekeeper.tick, time.monotonic())
            await asyncio.to_thread(store.tick, time.monotonic())
        except StoreError as error:
            if str(error) != told:  # it is tried again every second, perhaps for days
                log.error("%s. %s", error, error.remedy)
            told = str(error)
        if told and store.problem is None:
            log.info("what waited is written; recording goes on")
            told = ""
        manager.progress(_condition(live))


def _condition(live: LiveState) -> str:
    """A line for `systemctl status`."""
    now = live.status()
    camera = f"{now.camera.state} ({now.camera.detail})" if now.camera.detail else now.camera.state
    return f"camera {camera}, {now.link.frames} frames, {now.link.dropped} lost"


def _waiting(uplink: Uplink) -> UplinkStatus | None:
    """What the dashboard says of the uplink; None while the outbox cannot be read."""
    try:
        level = uplink.outbox.level()
    except StoreError:
        return None
    return UplinkStatus(
        connected=uplink.connection.up,
        rows=level.rows,
        bytes=level.bytes,
        hours=uplink.hours_waiting(level),
        hours_left=uplink.hours_left(level),
        given_up=level.given_up,
    )


def open_uplink(hub: Hub, store: Store, folder: Path) -> None:
    """Start to send, if the configuration names a broker; without one nothing of it is even imported.

    Raises ConfigError, and StoreError where the outbox in `folder` cannot be used.
    """
    settings = load_settings()
    if settings.uplink is None and settings.home_assistant is None:
        return
    from edge.uplink.condition import Condition  # noqa: PLC0415
    from edge.uplink.household import Household  # noqa: PLC0415
    from edge.uplink.identity import device_id  # noqa: PLC0415
    from edge.uplink.metrics import UplinkCollector  # noqa: PLC0415
    from edge.uplink.uplink import Uplink  # noqa: PLC0415

    def condition() -> Condition:
        status = hub.live.status()
        troubles = tuple(trouble.kind for trouble in status.troubles)
        return Condition(status.camera.state, status.camera.fps, status.link.dropped, troubles)

    device = (settings.uplink and settings.uplink.device) or device_id(folder)
    if settings.home_assistant is not None:
        hub.household = Household(settings.home_assistant, device, store, condition)
    if settings.uplink is not None:
        hub.uplink = Uplink(settings.uplink, device, folder, condition)
        hub.uplink.recover(store)
        hub.live.metrics.registry.register(UplinkCollector(hub.uplink))
        hub.live.uplink = functools.partial(_waiting, hub.uplink)
    for part in (hub.household, hub.uplink):
        if part is not None:
            part.start()


async def run(socket: Path, database: Path, exercise: str, settings: WebSettings) -> None:
    """Run until cancelled or a signal comes. Raises KineboxError when it cannot start."""
    stop = asyncio.Event()
    manager = Manager()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    listener = listen(settings.host, settings.port)
    with (
        contextlib.closing(manager),
        contextlib.closing(listener),
        listen_for_root() as local,
        Store(database) as store,
    ):
        utc_ns = Clock().utc_ns(time.monotonic_ns())
        closed = store.recover(None if utc_ns is None else utc_ns / 1e9)
        if closed:
            log.warning("%d session(s) of an earlier run were closed as interrupted", closed)
        hub = Hub(store, exercise, camera_settings(config_file()))
        open_uplink(hub, store, database.parent)
        housekeeper = Housekeeper(store, None if hub.uplink is None else hub.uplink.outbox)
        tasks = [
            asyncio.create_task(follow(socket, hub)),
            asyncio.create_task(hub.caretaker.run()),
            asyncio.create_task(keep(store, manager, hub.live, housekeeper)),
            asyncio.create_task(serve(create_app(hub.live, store, settings), listener, *local)),
        ]
        manager.ready(_condition(hub.live))
        url = settings.url(listener.getsockname()[1])
        # The journal is kept, and read by others: the token is not for it.
        print(f"Dashboard: {url.partition('?')[0] if is_journal() else url}", flush=True)
        waiting = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {waiting}:
                task.result()  # a task that ended by itself has failed: say so
        finally:
            for task in (*tasks, waiting):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            hub.end("stopped")
            for part in (hub.household, hub.uplink):
                if part is not None:
                    await asyncio.to_thread(part.stop)


def main(arguments: list[str] | None = None) -> int:
    """Command line of the hub process; the exit code is the error's."""
    parser = argparse.ArgumentParser(prog="kinebox-hub", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="where vision listens")
    parser.add_argument("--database", type=Path, default=None, help="default: the state folder's kinebox.db")
    parser.add_argument("--exercise", default=AUTO, help="id of an exercise, or auto")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args(arguments)
    log_to_stderr()
    try:
        database = options.database or database_path()
        takeover.finish(database.parent)  # a backup that a power cut kept from being restored wholly
        token = None if is_loopback(options.host) else access_token(database.parent)
        settings = WebSettings(host=options.host, port=options.port, token=token)
        asyncio.run(run(options.socket, database, options.exercise, settings))
    except KineboxError as error:
        log.error("%s. %s", error, error.remedy)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
