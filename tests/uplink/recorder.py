"""A box's uplink without a camera, until it is killed: `python -m tests.uplink.recorder FOLDER PORT [drain]`.

It prints `BOOT uuid`, then how many windows are on the disk; with `drain` it records nothing and ends with `EMPTY`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from edge.uplink.condition import Condition
from edge.uplink.settings import UplinkSettings
from edge.uplink.uplink import Uplink
from tests.uplink.samples import ME, window


def main() -> None:
    settings = UplinkSettings(
        url=f"mqtt://127.0.0.1:{sys.argv[2]}",
        tenant="acme",
        site="gym-1",
        unknown_subjects="anonymous",
        resend_after_s=1,
        replay_per_s=5000,
        clock_wait_s=0,
    )
    uplink = Uplink(settings, ME, Path(sys.argv[1]), lambda: Condition("live", 30.0, 0))
    uplink.start()
    print("BOOT", uplink.outbox.boot, flush=True)
    if sys.argv[3:] == ["drain"]:
        while uplink.outbox.level().rows:
            time.sleep(0.1)
        uplink.stop()
        print("EMPTY")
        return
    count = 0
    while True:
        for _ in range(5):
            count += 1
            uplink.outbox.add(window(reps=count, at=time.time()), time.monotonic_ns())
        uplink.outbox.flush()
        print(count, flush=True)
        time.sleep(0.02)


if __name__ == "__main__":
    main()
