"""A real broker and the cloud's side for each test, and recordings for the camera."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from edge.link import Hello
from edge.vision.trace import TraceWriter, read_trace
from tests.running import record_squats
from tests.uplink.broker import Cloud, Mosquitto, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHORT_S = 5.0
"""Long enough for a session."""


@pytest.fixture(scope="session")
def squats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a whole window and a part of the next."""
    path = tmp_path_factory.mktemp("trace") / "squats.trace"
    record_squats(path)
    return path


@pytest.fixture(scope="session")
def short(squats: Path) -> Path:
    """The beginning of it, for tests that have to wait until it has been played."""
    path = squats.with_name("short.trace")
    hello, *records = read_trace(squats)
    assert isinstance(hello, Hello)
    with closing(TraceWriter(path, hello)) as writer:
        for record in records:
            if not isinstance(record, Hello) and record.monotonic_ns < SHORT_S * 1e9:
                writer.write(record)
    return path


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with running(tmp_path) as broker:
        yield broker


@pytest.fixture
def cloud(broker: Mosquitto) -> Iterator[Cloud]:
    cloud = Cloud(broker.port)
    yield cloud
    cloud.close()
