"""What the link and the hub cost a frame."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from edge.link import CameraState, Hello, PoseFrame, Publisher, Subscriber

if TYPE_CHECKING:
    from collections.abc import Sequence


def link_ms(records: Sequence[PoseFrame | CameraState], hello: Hello) -> list[float]:
    """Milliseconds from handing each frame to the link until the other end has it decoded: float[N]."""
    cost = []
    with tempfile.TemporaryDirectory(prefix="kinebox-bench-") as folder:
        publisher = Publisher(Path(folder) / "link", hello)
        subscriber = Subscriber(publisher.path)
        try:
            publisher.flush()
            while subscriber.read() is not None:
                pass
            for record in records:
                start = perf_counter()
                publisher.publish(record)
                subscriber.read()
                if isinstance(record, PoseFrame):
                    cost.append((perf_counter() - start) * 1e3)
        finally:
            subscriber.close()
            publisher.close()
    return cost
