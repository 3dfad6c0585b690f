"""A program that records into an outbox until it is cut off, and says what is safe and what it knows the cloud has.

Run as `python -m tests.uplink.writer OUTBOX [GROUPS]`. It prints `BOOT uuid` once, then after each flush
`first last`: the messages up to `last` are on the disk, those before `first` were acknowledged.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from edge.uplink.outbox import Outbox
from tests.uplink.samples import LIMITS, ME, window
from wire.messages import Ack

PER_GROUP = 7
BEHIND = 40
"""The acknowledgement follows so many messages behind."""


def main() -> None:
    outbox = Outbox(Path(sys.argv[1]), **LIMITS)
    print("BOOT", outbox.boot, flush=True)
    groups = int(sys.argv[2]) if len(sys.argv) > 2 else sys.maxsize
    last = 0
    for group in range(groups):
        for _ in range(PER_GROUP):
            last += 1
            outbox.add(window(reps=last), 0)
        acknowledged = max(last - BEHIND, 0)
        if group % 3 == 0:
            outbox.acknowledged(Ack(device=ME, boot=outbox.boot, seq=acknowledged))
        outbox.flush()
        print(acknowledged + 1, last, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
