"""The uplink as the hub sees it: started and stopped with the hub, fed with what the coach sees."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from edge.clock import Clock
from edge.errors import StoreError
from edge.uplink.connection import Connection, Retained
from edge.uplink.consent import may_leave
from edge.uplink.journal import Journal
from edge.uplink.outbox import Kind, Outbox
from edge.uplink.sender import Sender
from edge.version import running
from wire.messages import Ack, Birth, ContractError, Health, decode_as, encode
from wire.metrics import metrics
from wire.topics import Address

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.coach.observer import Observation, Person
    from edge.store import Store
    from edge.uplink.condition import Condition
    from edge.uplink.desired import Desired
    from edge.uplink.outbox import Level
    from edge.uplink.settings import UplinkSettings

log = logging.getLogger(__name__)

_STEP_S = 0.25
_MB = 1_000_000
_HOUR_S = 3600.0
_TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")


class Uplink:
    """Windows and sessions to the cloud. `take` and `leave` never wait; threads of its own write and send."""

    def __init__(
        self, settings: UplinkSettings, device: str, folder: Path, condition: Callable[[], Condition]
    ) -> None:
        """`device`: the box's id; `folder`: where the outbox is kept. Raises `ConfigError` and `StoreError`."""
        self.settings = settings
        self.folder = folder
        self.address = Address(settings.tenant, settings.site, device)
        self.clock = Clock(settings.clock_wait_s)
        self._runs_as = ""
        self.desired = self._desired(settings.desired_key)
        """What the cloud wants this box to run; None where no key says whom to believe."""
        self.connection = Connection(
            settings,
            client_id=f"kinebox-{device}",
            available=Retained(self.address.topic("available")),
            subscriptions=(self.address.topic("ack"),)
            + (() if self.desired is None else (self.address.topic("desired"),)),
            on_up=self._introduce,
            on_message=self._received,
        )
        self.outbox = Outbox(
            folder / "outbox.db", max_bytes=settings.max_mb * _MB, max_days=settings.max_days
        )
        for kind in get_args(Kind):  # what waits from a time of more consent does not leave, either
            if not may_leave(kind, settings.unknown_subjects) and (count := self.outbox.withdraw(kind)):
                log.warning(
                    "%d message(s) (%s) are deleted unsent: there is no consent any more", count, kind
                )
        self.journal = Journal(self.outbox, self.clock, device, settings.unknown_subjects)
        self.sender = Sender(
            self.outbox,
            self.address,
            self.connection.publish,
            replay_per_s=settings.replay_per_s,
            resend_after_s=settings.resend_after_s,
        )
        self.strange_acks = 0
        """Messages on our acknowledgement topic that are not acknowledgements for this box."""
        self._condition = condition
        self._started = self.clock.now()
        self._visibility = self._keypoints = 0.0
        self._health_s = float("-inf")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)

    def recover(self, store: Store) -> None:
        """Tell of the sessions that a crash cut off; call it once, after the store's own `recover`."""
        self.journal.recover(store)

    def start(self) -> None:
        """Begin to write and to send."""
        self.connection.start()
        self._thread.start()

    def stop(self) -> None:
        """Write what is pending, say goodbye, and end. Raises `StoreError` where it cannot be written."""
        self._stopping.set()
        try:
            self._thread.join()
            self.outbox.flush()
            if self.connection.up:
                self.sender.step(self.clock.now(), self.connection.room)
            self.connection.stop()
        finally:
            self.outbox.close()

    def introduce(self, camera: str, model: str, runs_as: str = "") -> None:
        """Vision has said which camera and model it uses; `runs_as`: what a desired state calls that model."""
        self.journal.camera, self.journal.model = camera, model
        self._runs_as = runs_as or model
        if self.connection.up:
            self._introduce(self.connection)

    def take(self, one: Observation, t: float, session: str | None) -> None:
        """Take one subject in one frame at `t` seconds; `session` is the store's id once there is one."""
        if may_leave("confidence", self.settings.unknown_subjects):
            visibility = one.subject.points()[:, 2]
            self._visibility += float(visibility.sum())
            self._keypoints += len(visibility)
        self.journal.take(one, t, session)

    def leave(self, person: Person, reason: str) -> None:
        """The subject is gone."""
        self.journal.leave(person, reason)

    def hours_waiting(self, level: Level) -> float:
        """Age of the oldest message in hours; 0 where nothing waits or the time is not known."""
        now = self.clock.now().utc
        return 0.0 if now is None or level.oldest is None else max(now - level.oldest, 0.0) / _HOUR_S

    def hours_left(self, level: Level) -> float | None:
        """Hours of recording at the present rate for which there is room; None while nothing is recorded."""
        hours = (time.monotonic_ns() - self._started.monotonic_ns) / 1e9 / _HOUR_S
        per_hour = self.outbox.recorded_bytes / max(hours, 1 / 60)
        if per_hour == 0:
            return None
        return max(self.settings.max_mb * _MB - level.bytes, 0.0) / per_hour

    def _introduce(self, connection: Connection) -> None:
        """At each connection: say who is there, and begin again with what is not acknowledged."""
        birth = Birth(
            device=self.address.device,
            boot=self.outbox.boot,
            software=running(),
            models={"pose": self._runs_as} if self._runs_as else {},
            metrics=list(metrics()),
            started=self._started.utc,
        )
        connection.publish(self.address.topic("birth"), encode(birth), retain=True)
        self.sender.begin_again()

    def _desired(self, key: Path | None) -> Desired | None:
        if key is None:
            return None
        from edge.uplink.desired import Desired, load_key  # noqa: PLC0415 (boxes without it do not load OpenSSL)

        return Desired(self.folder, self.address.device, load_key(key), self._sure_utc)

    def _sure_utc(self) -> float | None:
        now = self.clock.now()
        return now.utc if now.source == "synchronised" else None

    def _received(self, topic: str, payload: bytes) -> None:
        if self.desired is not None and topic == self.address.topic("desired"):
            self.desired.take(payload)
        else:
            self._acknowledged(payload)

    def _acknowledged(self, payload: bytes) -> None:
        try:
            ack = decode_as(Ack, payload)
        except ContractError as error:
            self.strange_acks += 1
            log.warning("not an acknowledgement: %s", error)
            return
        if ack.device != self.address.device:
            self.strange_acks += 1
            log.warning("an acknowledgement for another box (%s) is ignored", ack.device)
            return
        self.outbox.acknowledged(ack)

    def _run(self) -> None:
        told = False
        while not self._stopping.wait(_STEP_S):
            try:
                self._step()
                told = False
            except StoreError as error:
                if not told:
                    log.error("%s. %s", error, error.remedy)
                told = True
            except Exception:  # a thread that ends would keep everything in memory until the next start
                log.exception("the uplink goes on after an error of its own")

    def _step(self) -> None:
        now = self.clock.now()
        try:
            self.outbox.tick(now)  # on a full disk writing fails, but what was written can still be sent
        finally:
            if self.connection.up:
                self.sender.step(now, self.connection.room)
                self._health(now.monotonic_ns / 1e9)

    def _health(self, seconds: float) -> None:
        if seconds - self._health_s < self.settings.health_every_s:
            return
        self._health_s = seconds
        condition, level, now = self._condition(), self.outbox.level(), self.clock.now()
        health = Health(
            device=self.address.device,
            boot=self.outbox.boot,
            at=now.utc,
            uptime_s=(now.monotonic_ns - self._started.monotonic_ns) / 1e9,
            camera=condition.camera,
            fps=condition.fps,
            dropped=condition.dropped,
            outbox_rows=level.rows,
            outbox_bytes=level.bytes,
            outbox_hours=self.hours_waiting(level),
            outbox_hours_left=self.hours_left(level),
            outbox_given_up=level.given_up,
            disk_free_mb=round(shutil.disk_usage(self.folder).free / _MB, 1),
            cpu_c=_cpu_c(),
            confidence=self._confidence(),
            troubles=list(condition.troubles),
        )
        self.connection.publish(self.address.topic("health"), encode(health))

    def _confidence(self) -> float | None:
        """Mean visibility of the keypoints since the last call."""
        visibility, keypoints = self._visibility, self._keypoints
        self._visibility = self._keypoints = 0.0
        return min(round(visibility / keypoints, 3), 1.0) if keypoints else None


def _cpu_c() -> float | None:
    """The processor's temperature, where the machine tells it."""
    try:
        return int(_TEMPERATURE.read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):
        return None
