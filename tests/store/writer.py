"""A program that records until it is cut off, and says what is safe.

Run as `python -m tests.store.writer DATABASE [GROUPS]`. It prints `SESSION id` once, then after each flush the
number of repetitions that are on the disk. After GROUPS flushes it ends without closing anything.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from edge.store import Store
from tests.store.samples import begin, repetition

PER_GROUP = 7


def main() -> None:
    store = Store(Path(sys.argv[1]))
    store.recover(None)
    session_id = begin(store)
    number = store.begin_set(session_id, exercise="squat", t=0.0)
    store.flush()
    print("SESSION", session_id, flush=True)
    count = 0
    groups = int(sys.argv[2]) if len(sys.argv) > 2 else sys.maxsize
    while count < groups * PER_GROUP:
        for _ in range(PER_GROUP):
            count += 1
            store.add_repetition(number, repetition(float(count)))
            store.add_sample(session_id, float(count), {"trunk_lean": 1.0})
        store.flush()
        print(count, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
