"""Home Assistant's MQTT discovery: the rows of `home_assistant.toml` as the messages that announce them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from edge import __version__

if TYPE_CHECKING:
    from edge.store import Store
    from edge.uplink.condition import Condition

_PAGE = 500


class Entity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that Home Assistant shows."""

    key: str
    component: Literal["sensor", "binary_sensor"]
    name: dict[str, str]
    device_class: str | None = None
    state_class: str | None = None
    unit: str | None = None
    icon: str | None = None
    category: Literal["diagnostic"] | None = None


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    entity: tuple[Entity, ...]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the entities show now: one field a row of the table."""

    repetitions_today: int
    active_minutes_today: float
    camera: Literal["ON", "OFF"]
    frame_rate: float


@cache
def entities() -> tuple[Entity, ...]:
    """Every row of the table."""
    text = resources.files("edge.uplink").joinpath("home_assistant.toml").read_bytes()
    return msgspec.toml.decode(text, type=_Table).entity


def state_topic(device: str) -> str:
    """Where the state of all entities is told."""
    return f"kinebox/{device}/state"


def available_topic(device: str) -> str:
    """Where it is told whether the box is there."""
    return f"kinebox/{device}/available"


def discovery(device: str, *, prefix: str, name: str, language: str) -> dict[str, bytes]:
    """The announcements by topic."""
    return {
        f"{prefix}/{row.component}/kinebox_{device}/{row.key}/config": msgspec.json.encode(
            _announcement(row, device, name, language)
        )
        for row in entities()
    }


def _announcement(row: Entity, device: str, name: str, language: str) -> dict[str, Any]:
    optional = {
        "device_class": row.device_class,
        "state_class": row.state_class,
        "unit_of_measurement": row.unit,
        "icon": row.icon,
        "entity_category": row.category,
    }
    return {
        "name": row.name[language],
        "unique_id": f"kinebox_{device}_{row.key}",
        "state_topic": state_topic(device),
        "value_template": f"{{{{ value_json.{row.key} }}}}",
        "availability_topic": available_topic(device),
        "payload_available": "online",
        "payload_not_available": "offline",
        "device": {
            "identifiers": [f"kinebox_{device}"],
            "name": name,
            "manufacturer": "Kinebox",
            "sw_version": __version__,
        },
        "origin": {"name": "Kinebox", "sw_version": __version__},
        **{key: value for key, value in optional.items() if value is not None},
    }


def state(store: Store, condition: Condition, now: datetime) -> State:
    """The state at `now`, which has a time zone: the day begins at its midnight. Raises `StoreError`."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    repetitions, active = 0, timedelta()
    for summary in store.sessions(_PAGE):
        if summary.started is None or summary.started < midnight:
            continue
        repetitions += sum(exercise.reps for exercise in summary.exercises)
        for one in store.session(summary.id).sets:
            end = summary.duration_s if one.end_s is None else one.end_s
            active += timedelta(seconds=max(end - one.start_s, 0.0))
    return State(
        repetitions_today=repetitions,
        active_minutes_today=round(active.total_seconds() / 60, 1),
        camera="ON" if condition.camera == "live" else "OFF",
        frame_rate=round(condition.fps, 1),
    )
