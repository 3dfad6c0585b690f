"""What is wrong with the files that a board reads before there is a system: nobody else checks them.

The firmware of a Raspberry Pi ignores what it does not understand without a word; a wrong line in `autoboot.txt` or
`cmdline.txt` is a box that does not start and has to be fetched. `python -m edge.device.bootfiles FILE...` says what
is wrong, where, and what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.device.bootfiles import autoboot_txt, cmdline_txt, config_txt, nvpmodel
from edge.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.device.bootfiles.fault import Fault

CHECKS: dict[str, Callable[[str], list[Fault]]] = {
    "autoboot*.txt": autoboot_txt.check,
    "cmdline*.txt": cmdline_txt.check,
    "config*.txt": config_txt.check,
    "tryboot*.txt": config_txt.check,
    "nvpmodel*.conf": nvpmodel.check,
}
"""By the file's name, as the board goes by it."""


def check(path: Path) -> list[Fault]:
    """The faults of one file, in the order of its lines. ConfigError where it cannot be read or is none of these."""
    found = next((check for pattern, check in CHECKS.items() if path.match(pattern)), None)
    if found is None:
        raise ConfigError(f"{path} is no file that is checked here", f"They are named {', '.join(CHECKS)}")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path} cannot be read: {reason}", "Give a text file that is there") from error
    return sorted(found(text), key=lambda fault: fault.line)
