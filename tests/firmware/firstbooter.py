"""A program that starts a box for the first time: `python -m tests.firmware.firstbooter ROOT`."""

from __future__ import annotations

import sys
from pathlib import Path

from edge.device.firstboot import first_boot


def main() -> None:
    print("BEGIN", flush=True)
    first_boot(Path(sys.argv[1]))
    for _ in range(20):  # cuts when all is done: nothing may have relied on being written later
        print("runs", flush=True)


if __name__ == "__main__":
    main()
