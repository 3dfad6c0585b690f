"""The cloud's end of the broker, by mutual TLS: acknowledges what it took down, a line of JSON a message.

`python -m tests.ansible.consumer HOST CA CERTIFICATE FILE`, until it is killed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.uplink.broker import Ledger
from wire.messages import SessionChange, Window, decode, encode
from wire.topics import everyone, parse


def main(host: str, authority: str, certificate: str, path: str) -> None:
    ledgers: dict[str, Ledger] = {}
    with open(path, "a", buffering=1, encoding="utf-8") as file:  # noqa: PTH123

        def take(client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
            where = parse(message.topic)
            assert where is not None
            address, kind = where
            if kind not in ("window", "session"):
                return
            row = decode(message.payload)
            assert isinstance(row, Window | SessionChange)
            told = {"device": row.device, "boot": row.boot, "seq": row.seq, "floor": row.floor, "kind": kind}
            file.write(json.dumps(told) + "\n")
            ledger = ledgers.setdefault(row.device, Ledger())
            client.publish(address.topic("ack"), encode(ledger.commit(row)), 1)

        def subscribe(client: mqtt.Client, *_: Any) -> None:
            for kind in ("window", "session"):
                client.subscribe(everyone(kind), 1)
            file.write("{}\n")

        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.tls_set(authority, certificate, certificate)
        client.on_connect = subscribe
        client.on_message = take
        client.connect_async(host, 8883)
        client.loop_forever(retry_first_connection=True)  # the broker starts at the same time


if __name__ == "__main__":
    main(*sys.argv[1:])
