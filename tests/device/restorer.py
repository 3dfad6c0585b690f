"""A program that restores a backup: `python -m tests.device.restorer FOLDER BACKUP`. It prints BEGIN first."""

from __future__ import annotations

import sys
from pathlib import Path

from edge.device.restore import restore


def main() -> None:
    folder = Path(sys.argv[1])
    print("BEGIN", flush=True)
    restore(
        Path(sys.argv[2]),
        "correct horse battery",
        {"state": folder / "state", "settings": folder / "settings"},
    )


if __name__ == "__main__":
    main()
