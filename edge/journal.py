"""Logging of the services: lines with their priority for systemd's journal, plain ones for everybody else."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import socket
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


_SOCKET = "/run/systemd/journal/socket"


def tell(logger: logging.Logger, level: int, text: str, **fields: str) -> None:
    """Log `text`, in the journal with these fields (capitals, digits, _), for `journalctl FIELD=value`."""
    if is_journal() and _sent(level, text, logger.name, fields):
        return
    logger.log(level, "%s", text)


def _sent(level: int, text: str, name: str, fields: dict[str, str]) -> bool:
    """Give it to journald in its own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL); False where nobody takes it."""
    priority = next((number for least, number in _PRIORITIES if level >= least), 7)
    given = {
        "MESSAGE": f"{name}: {text}",
        "PRIORITY": str(priority),
        "SYSLOG_IDENTIFIER": _identifier(),
        **fields,
    }
    lines = [f"{field}={' '.join(value.splitlines())}" for field, value in given.items()]
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.setblocking(False)
        one.sendto("\n".join([*lines, ""]).encode(), _SOCKET)
        return True
    return False


def _identifier() -> str:
    return os.path.basename(sys.argv[0]) or "kinebox"  # noqa: PTH119 - a name, no file
