"""Boxes without cameras, each with the real uplink and outbox, in one process that may be killed at any moment.

`python -m tests.cloud.real_boxes FOLDER PORT WINDOWS INTERVAL DEVICE…` records WINDOWS windows a box, one every
INTERVAL seconds, earlier starts counted; SIGINT ends the recording. Each line it prints is the number of messages
sent and of those sent again, since its start. It ends when the cloud has acknowledged everything.

What a box has recorded is what reached its disk: the outbox's own transaction notes it in the table `witness`, which
outlives acknowledgements.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from cloud.fleet_sim.fleet import SITE, TENANT
from edge.uplink.condition import Condition
from edge.uplink.settings import UplinkSettings
from edge.uplink.uplink import Uplink
from tests.uplink.samples import window

WITNESS = """
CREATE TABLE IF NOT EXISTS witness (boot TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (boot, seq));
CREATE TRIGGER IF NOT EXISTS witness_all AFTER INSERT ON messages BEGIN
    INSERT INTO witness SELECT uuid, new.seq FROM boots WHERE id = new.boot;
END
"""


def recorded(outbox: Path) -> set[tuple[str, int]]:
    """(boot, seq) of everything that ever was in an outbox."""
    with closing(sqlite3.connect(outbox)) as db:
        return set(db.execute("SELECT boot, seq FROM witness"))


class RealBox:
    """A box's uplink, and how many windows it has yet to record."""

    def __init__(self, folder: Path, port: int, device: str, windows: int, interval_s: float) -> None:
        settings = UplinkSettings(
            url=f"mqtt://127.0.0.1:{port}",
            tenant=TENANT,
            site=SITE,
            unknown_subjects="anonymous",
            resend_after_s=2,
            replay_per_s=500,
        )
        self.uplink = Uplink(settings, device, folder, lambda: Condition("live", 30.0, 0))
        with closing(sqlite3.connect(self.uplink.outbox.path)) as db:
            db.executescript(WITNESS)
        self._left = windows - len(recorded(self.uplink.outbox.path))
        self._interval_s = interval_s
        self._due = time.monotonic() + random.uniform(0, interval_s)
        self._count = 0
        self.uplink.start()

    def record(self) -> bool:
        """Record what is due; whether there will be more."""
        while self._left > 0 and time.monotonic() >= self._due:
            self._count += 1
            self.uplink.outbox.add(window(reps=self._count, at=time.time()), time.monotonic_ns())
            self._left -= 1
            self._due += self._interval_s
        return self._left > 0


def main() -> None:
    folder, port, windows, interval_s = (
        Path(sys.argv[1]),
        int(sys.argv[2]),
        int(sys.argv[3]),
        float(sys.argv[4]),
    )
    enough = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: enough.set())
    boxes = [RealBox(folder / device, port, device, windows, interval_s) for device in sys.argv[5:]]

    def tell() -> None:
        senders = [box.uplink.sender for box in boxes]
        print(sum(sender.sent for sender in senders), sum(sender.resent for sender in senders), flush=True)

    recording = boxes
    while recording and not enough.is_set():
        recording = [box for box in recording if box.record()]
        tell()
        enough.wait(0.2)
    for box in boxes:
        box.uplink.outbox.flush()
    while any(box.uplink.outbox.level().rows for box in boxes):
        tell()
        time.sleep(0.2)
    tell()
    for box in boxes:
        box.uplink.stop()


if __name__ == "__main__":
    main()
