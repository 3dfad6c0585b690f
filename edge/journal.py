"""Logging of the services: lines with their priority for systemd's journal, plain ones for everybody else."""

from __future__ import annotations

import faulthandler
import logging
import os
import sys

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""Of syslog(3), for everything from a level on; below that 7."""


def is_journal() -> bool:
    """Whether what this process writes to stderr goes to the journal, where others may read it later."""
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def log_to_stderr() -> None:
    """Set up logging, and a last word of every thread when the watchdog ends the process."""
    handler = logging.StreamHandler()
    text = "%(name)s: %(message)s" if is_journal() else "%(name)s: %(levelname)s: %(message)s"
    handler.setFormatter(_Journal(text) if is_journal() else logging.Formatter(text))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    faulthandler.enable()


class _Journal(logging.Formatter):
    """Puts the priority before each line, as sd-daemon(3) says."""

    def format(self, record: logging.LogRecord) -> str:
        number = next((number for level, number in _PRIORITIES if record.levelno >= level), 7)
        return "\n".join(f"<{number}>{line}" for line in super().format(record).splitlines())
