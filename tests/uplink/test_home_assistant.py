"""Home Assistant finds the box: the whole table of entities, the day's numbers, and the real broker."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.store import Store
from edge.uplink.condition import Condition
from edge.uplink.home_assistant import Entity, State, discovery, entities, state
from edge.uplink.household import Household
from edge.uplink.settings import HomeAssistantSettings
from tests.store.samples import begin, repetition
from tests.uplink.broker import running, until
from tests.uplink.samples import ME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEOUL = timezone(timedelta(hours=9))
NOW = datetime(2027, 1, 15, 17, 0, tzinfo=SEOUL)
LIVE = Condition("live", 29.97, 0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "kinebox.db") as store:
        yield store


def record(store: Store, began: datetime | None, reps: int, seconds: float) -> None:
    stay = begin(store, utc=None if began is None else began.timestamp())
    squats = store.begin_set(stay, exercise="squat", t=10.0)
    for n in range(reps):
        store.add_repetition(squats, repetition(10.0 + n))
    store.end_set(squats, t=10.0 + seconds)
    store.end_session(stay, t=100.0 + seconds, reason="left")
    store.flush()


@pytest.mark.parametrize("row", entities(), ids=lambda row: row.key)
def test_the_table(row: Entity) -> None:
    assert row.key in State.__struct_fields__
    assert row.name.keys() == {"en", "ko"}
    assert re.search("[가-힣]", row.name["ko"])


def test_every_field_has_its_row_and_no_key_is_there_twice() -> None:
    assert [row.key for row in entities()] == list(State.__struct_fields__)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_announcements(language: str) -> None:
    announced = {
        topic: json.loads(payload)
        for topic, payload in discovery(ME, prefix="homeassistant", name="Gym", language=language).items()
    }
    assert len(announced) == len(entities())
    assert len({row["unique_id"] for row in announced.values()}) == len(entities())
    for topic, row in announced.items():
        # What Home Assistant's documentation asks of a topic: its parts are letters, digits, _ and -.
        assert re.fullmatch(r"homeassistant/(binary_)?sensor/[\w-]+/[\w-]+/config", topic)
        assert None not in row.values()
        assert row["device"]["identifiers"] == [f"kinebox_{ME}"]
        field = re.fullmatch(r"\{\{ value_json\.(\w+) \}\}", row["value_template"])
        assert field is not None
        assert field[1] in State.__struct_fields__


def test_the_day_begins_at_local_midnight(store: Store) -> None:
    record(store, NOW.replace(hour=0, minute=1), 5, 60.0)
    record(store, NOW - timedelta(hours=1), 7, 90.0)
    record(store, NOW.replace(hour=0) - timedelta(minutes=1), 100, 600.0)
    record(store, None, 1000, 600.0)
    now = state(store, LIVE, NOW)
    assert (now.repetitions_today, now.active_minutes_today, now.camera, now.frame_rate) == (
        12,
        2.5,
        "ON",
        30.0,
    )
    tomorrow = state(store, Condition("lost", 0.0, 0), NOW + timedelta(hours=7, minutes=1))
    assert (tomorrow.repetitions_today, tomorrow.active_minutes_today, tomorrow.camera) == (0, 0.0, "OFF")


def test_a_household_with_a_broker(tmp_path: Path, store: Store) -> None:
    heard: dict[str, Any] = {}
    count = 0

    def take(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        nonlocal count
        count += message.topic.endswith("/config")
        heard[message.topic] = message.payload.decode()

    with running(tmp_path) as broker:
        home = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="home-assistant")
        home.on_message = take
        home.connect("127.0.0.1", broker.port)
        home.subscribe("#", 1)
        home.loop_start()
        settings = HomeAssistantSettings(url=f"mqtt://127.0.0.1:{broker.port}", name="Gym")
        condition = [LIVE]
        box = Household(settings, ME, store, lambda: condition[0], update_s=0.1)
        box.start()
        here = f"kinebox/{ME}"
        assert until(lambda: count == len(entities()) and f"{here}/state" in heard)
        assert heard[f"{here}/available"] == "online"
        assert msgspec.json.decode(heard[f"{here}/state"], type=State).camera == "ON"
        condition[0] = Condition("lost", 0.0, 0)
        record(store, datetime.now().astimezone() - timedelta(seconds=1), 3, 1.0)
        assert until(lambda: msgspec.json.decode(heard[f"{here}/state"], type=State).camera == "OFF")
        assert until(lambda: msgspec.json.decode(heard[f"{here}/state"], type=State).repetitions_today == 3)
        home.publish("homeassistant/status", "online", 1)  # Home Assistant was started again
        assert until(lambda: count == 2 * len(entities()))
        box.stop()
        assert until(lambda: heard[f"{here}/available"] == "offline")
        home.disconnect()
        home.loop_stop()
