"""`python -m edge.device.bootfiles FILE...`: exit 0 if nothing is wrong, 1 if something is, 6 if there is no file."""

from __future__ import annotations

import sys
from pathlib import Path

from edge.device.bootfiles import check
from edge.errors import KineboxError


def main(arguments: list[str]) -> int:
    """Print a line a fault: file, line, what it is, what to do."""
    if not arguments:
        print("usage: python -m edge.device.bootfiles FILE...", file=sys.stderr)
        return 2
    found = False
    for path in map(Path, arguments):
        for fault in check(path):
            print(
                f"{path}:{fault.line}: {fault.what}. {fault.remedy}"
                + ("" if fault.remedy.endswith("?") else ".")
            )
            found = True
    return 1 if found else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KineboxError as error:
        print(f"bootfiles: {error}. {error.remedy}.", file=sys.stderr)
        sys.exit(error.exit_code)
