"""One MQTT 5 connection that comes back by itself, with jitter, and says when it is gone for good or by accident."""

from __future__ import annotations

import logging
import random
import ssl
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import tenacity
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from edge.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from edge.uplink.settings import Broker

log = logging.getLogger(__name__)

KEEPALIVE_S = 30
CONNECT_S = 5.0
LONGEST_PAUSE_S = 60.0
"""Between two attempts; each pause is random, so that a thousand boxes do not come back at once."""
IN_FLIGHT = 20
QUEUED = 100
"""Messages handed over and not yet taken by the broker, those in flight included."""
_GOODBYE_S = 2.0


class Retained(NamedTuple):
    """What a topic says while we are connected, after we left, and (the Will) when we vanish."""

    topic: str
    present: str = "online"
    left: str = "stopped"
    lost: str = "offline"


class Connection:
    """Its thread connects, waits, and connects again. The callbacks come from threads of its own."""

    def __init__(
        self,
        broker: Broker,
        *,
        client_id: str,
        available: Retained,
        subscriptions: tuple[str, ...],
        on_up: Callable[[Connection], None],
        on_message: Callable[[str, bytes], None],
    ) -> None:
        """Nothing happens before `start`. `on_up` is called after each connection, and may publish.

        Raises `ConfigError` where a certificate or the password cannot be read.
        """
        self.broker = broker
        self.connects = 0
        """Connections made."""
        self.refused = 0
        """Messages that the broker did not take, such as for want of permission."""
        self._client_id = client_id
        self._available = available
        self._subscriptions = subscriptions
        self._on_up = on_up
        self._on_message = on_message
        self._tls = _tls_context(broker)
        self._password = broker.password()
        self._stopping = threading.Event()
        self._answered = threading.Event()
        self._down = threading.Event()
        self._answer: ReasonCode | None = None
        self._client: mqtt.Client | None = None
        self._lock = threading.Lock()
        self._handed = self._taken = 0
        self._thread = threading.Thread(target=self._run, name=f"mqtt {broker.host}", daemon=True)

    def start(self) -> None:
        """Connect, and stay connected."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye and disconnect; waits three seconds at most."""
        self._stopping.set()
        self._down.set()
        self._answered.set()
        self._thread.join(timeout=_GOODBYE_S + 1)  # one that is still connecting has nothing to say

    @property
    def up(self) -> bool:
        """Whether the broker knows us now."""
        return self._client is not None

    @property
    def room(self) -> int:
        """How many more messages may be handed over now."""
        return max(QUEUED - (self._handed - self._taken), 0) if self.up else 0

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Hand over a message with QoS 1; False where there is no connection."""
        client = self._client
        if client is None:
            return False
        with self._lock:  # not held while publishing: paho's thread waits for it inside of paho's own lock
            self._handed += 1
        return client.publish(topic, payload, qos=1, retain=retain).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def _run(self) -> None:
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(OSError),
            wait=tenacity.wait_random_exponential(multiplier=1, max=LONGEST_PAUSE_S),
            sleep=tenacity.sleep_using_event(self._stopping),
            stop=tenacity.stop_when_event_set(self._stopping),
            before_sleep=self._tell,
        )
        while not self._stopping.is_set():
            try:
                client = attempts(self._connect)
            except tenacity.RetryError:
                return
            self._serve(client)
            # A broker that takes us and drops us at once must not be asked without a pause.
            self._stopping.wait(random.uniform(0.2, 2.0))  # noqa: S311

    def _tell(self, state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        level = logging.WARNING if state.attempt_number == 1 else logging.DEBUG
        log.log(level, "no connection to %s:%d: %s", self.broker.host, self.broker.port, error)

    def _connect(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(IN_FLIGHT)
        client.max_queued_messages_set(0)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        if self.broker.username is not None:
            client.username_pw_set(self.broker.username, self._password)
        client.will_set(self._available.topic, self._available.lost, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = lambda _client, _data, message: self._on_message(
            message.topic, bytes(message.payload)
        )
        self._answered.clear()
        self._down.clear()
        self._answer = None
        with self._lock:
            self._handed = self._taken = 0
        client.connect(self.broker.host, self.broker.port, keepalive=KEEPALIVE_S, clean_start=True)
        client.loop_start()
        self._answered.wait(CONNECT_S)
        if self._answer is None or self._answer.is_failure:
            client.disconnect()
            client.loop_stop()
            raise ConnectionRefusedError(str(self._answer or "no answer"))
        return client

    def _serve(self, client: mqtt.Client) -> None:
        log.info("connected to %s:%d", self.broker.host, self.broker.port)
        for topic in self._subscriptions:
            client.subscribe(topic, qos=1)
        self._client = client
        self.connects += 1
        try:
            self.publish(self._available.topic, self._available.present.encode(), retain=True)
            self._on_up(self)
            if not self._stopping.is_set():
                self._down.wait()
            if self._stopping.is_set():
                # What we close without having read makes the closing a reset, which to the broker is an accident:
                # so nothing may be on its way to us then.
                for topic in self._subscriptions:
                    client.unsubscribe(topic)
                last = client.publish(self._available.topic, self._available.left, qos=1, retain=True)
                if last.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                    last.wait_for_publish(_GOODBYE_S)
            else:
                log.warning("the connection to %s:%d is lost", self.broker.host, self.broker.port)
        finally:
            self._client = None
            client.disconnect()
            client.loop_stop()

    def _on_connect(
        self,
        _client: mqtt.Client,
        _data: Any,
        _flags: Any,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._answer = reason
        self._answered.set()

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _data: Any,
        _flags: Any,
        _reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._answered.set()
        self._down.set()

    def _on_publish(
        self, _client: mqtt.Client, _data: Any, _mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        with self._lock:
            self._taken += 1
        if reason.is_failure:
            self.refused += 1
            log.warning("%s does not take a message: %s", self.broker.host, reason)


class _Socket(ssl.SSLSocket):
    """Closed where the handshake fails: paho would leave that to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _tls_context(broker: Broker) -> ssl.SSLContext | None:
    if not broker.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=None if broker.ca is None else str(broker.ca))
        context.sslsocket_class = _Socket
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if broker.certificate is not None and broker.key is not None:
            context.load_cert_chain(broker.certificate, broker.key)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"The certificates for {broker.url} cannot be used: {error}", "See `ca`, `certificate` and `key`"
        ) from error
    return context
