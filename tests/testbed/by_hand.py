"""What the programs beside the tests have in common, each with its script in `scripts`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from tests.testbed.rootfs import TestbedError

if TYPE_CHECKING:
    from collections.abc import Callable


def wrong(usage: str) -> int:
    """Tell how it is called; the exit status of that."""
    print(f"usage: {usage}", file=sys.stderr)
    return 2


def run(name: str, main: Callable[[list[str]], int]) -> NoReturn:
    """End with `main`'s exit status for the command line, or with 1 and what is not possible."""
    try:
        sys.exit(main(sys.argv[1:]))
    except TestbedError as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(1)
