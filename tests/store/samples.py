"""Small data for the store's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge.coach.records import Repetition

if TYPE_CHECKING:
    from edge.store import Store


def begin(store: Store, **changes: Any) -> str:
    fields: dict[str, Any] = {
        "subject": 1,
        "species": "human",
        "camera": "cam0",
        "model": "blazepose-int8",
        "monotonic_ns": 1_000_000_000,
        "utc": 1_800_000_000.0,
    }
    return store.begin_session(**fields | changes)


def repetition(t: float, **changes: Any) -> Repetition:
    fields: dict[str, Any] = {
        "t": t,
        "kind": "rep",
        "side": "both",
        "duration_s": 2.0,
        "eccentric_s": 1.2,
        "concentric_s": 0.8,
        "range_deg": 90.0,
        "peak_deg": 95.5,
    }
    return Repetition(**fields | changes)
