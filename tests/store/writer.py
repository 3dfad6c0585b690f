"""A program that records until it is killed, and says what is safe.

Run as `python -m tests.store.writer DATABASE`. It prints `SESSION id` once, then after each flush the number of
repetitions that are on the disk.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edge.store import Store
from tests.store.samples import begin, repetition


def main() -> None:
    store = Store(Path(sys.argv[1]))
    store.recover(None)
    session_id = begin(store)
    number = store.begin_set(session_id, exercise="squat", t=0.0)
    store.flush()
    print("SESSION", session_id, flush=True)
    count = 0
    while True:
        for _ in range(7):
            count += 1
            store.add_repetition(number, repetition(float(count)))
            store.add_sample(session_id, float(count), {"trunk_lean": 1.0})
        store.flush()
        print(count, flush=True)


if __name__ == "__main__":
    main()
