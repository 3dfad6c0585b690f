"""The household's own broker: Home Assistant finds the box there by itself."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from edge.errors import StoreError
from edge.uplink.connection import Connection, Retained
from edge.uplink.home_assistant import State, available_topic, discovery, state, state_topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.store import Store
    from edge.uplink.condition import Condition
    from edge.uplink.settings import HomeAssistantSettings

log = logging.getLogger(__name__)

UPDATE_S = 15.0


class Household:
    """Announces the box at each connection and whenever Home Assistant starts, and tells what has changed."""

    def __init__(
        self,
        settings: HomeAssistantSettings,
        device: str,
        store: Store,
        condition: Callable[[], Condition],
        update_s: float = UPDATE_S,
    ) -> None:
        """Nothing happens before `start`. Raises `ConfigError`."""
        self._settings = settings
        self._device = device
        self._store = store
        self._condition = condition
        self._update_s = update_s
        self._told: State | None = None
        self._wake = threading.Event()
        self._stopping = False
        self.connection = Connection(
            settings,
            client_id=f"kinebox-{device}-home",
            available=Retained(available_topic(device), left="offline"),  # Home Assistant knows no third word
            subscriptions=(f"{settings.prefix}/status",),
            on_up=self._announce,
            on_message=self._home_assistant_says,
        )
        self._thread = threading.Thread(target=self._run, name="household", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self.connection.start()
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        self.connection.stop()

    def _announce(self, connection: Connection) -> None:
        settings = self._settings
        announcements = discovery(
            self._device, prefix=settings.prefix, name=settings.name, language=settings.language
        )
        for topic, payload in announcements.items():
            connection.publish(topic, payload, retain=True)
        self._told = None
        self._wake.set()

    def _home_assistant_says(self, _topic: str, payload: bytes) -> None:
        if payload == b"online":
            self._announce(self.connection)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(self._update_s)
            self._wake.clear()
            if not self.connection.up:
                continue
            try:
                now = state(self._store, self._condition(), datetime.now().astimezone())
            except StoreError as error:
                log.warning("%s", error)
                continue
            topic = state_topic(self._device)
            if now != self._told and self.connection.publish(topic, msgspec.json.encode(now), retain=True):
                self._told = now
