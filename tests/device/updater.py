"""A program that updates a box: `python -m tests.device.updater ROOT TRUSTED RELEASE good|bad`.

It prints BEGIN, and at the end the release that is used. With `bad` the box does not answer after the switch.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from edge.device.hub import Look
from edge.device.update import Machine, apply
from edge.errors import UpdateError
from tests.device.releases import HEALTHY, PATIENT, QUICK, StillHub, Units, software


def main() -> None:
    root, trusted, release = map(Path, sys.argv[1:4])
    good = sys.argv[4] == "good"
    hub = StillHub(HEALTHY if good else Look("the hub does not answer"))
    box = Machine(root, trusted, Units(running=True), hub, PATIENT if good else QUICK)
    print("BEGIN", flush=True)
    with suppress(UpdateError):
        apply(box, release)
    print(software(root).version(root / "current"), flush=True)


if __name__ == "__main__":
    main()
