"""The vision process: camera and model on one side, the link on the other, and nothing else.

Started by `kinebox run` or systemd as `python -m edge.vision.service`. It never opens a network socket; where the
kernel allows it, it also moves into an empty network namespace before the first picture is read.
"""

from __future__ import annotations

import argparse
import ctypes
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import KineboxError
from edge.link import Publisher
from edge.vision.source import open_source

if TYPE_CHECKING:
    from types import FrameType

log = logging.getLogger("edge.vision")

_READER_S = 15.0
"""How long a recording waits for the hub before it plays."""

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def leave_network() -> bool:
    """Move this process into a network namespace without any interface; False where the kernel refuses.

    systemd does the same with PrivateNetwork=yes; this is for a box or laptop that starts vision by hand.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    return any(libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET))


def main(arguments: list[str] | None = None) -> int:
    """Run until the source ends or a signal comes; the exit code is the error's."""
    parser = argparse.ArgumentParser(prog="kinebox-vision", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="where the hub connects")
    parser.add_argument("--camera", required=True, help="device number or path, video file, or trace")
    parser.add_argument("--precision", choices=["int8", "fp32"], default="int8")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--loop", action="store_true", help="play a file again and again")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(levelname)s: %(message)s", stream=sys.stderr)
    # Before any library starts a thread: a namespace is a property of each thread.
    if not leave_network():
        log.warning(
            "the kernel refuses a network namespace: vision relies on the service manager to have no network"
        )
    try:
        source = open_source(
            options.camera,
            precision=options.precision,
            threads=options.threads,
            paced=True,
            loop=options.loop,
        )
        publisher = Publisher(options.socket, source.hello)
    except KineboxError as error:
        log.error("%s. %s", error, error.remedy)
        return error.exit_code

    def stop(_signal: int, _frame: FrameType | None) -> None:
        source.close()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        if source.recorded:
            publisher.wait_for_reader(_READER_S)
        for record in source.stream():
            publisher.publish(record)
    except KineboxError as error:
        log.error("%s. %s", error, error.remedy)
        return error.exit_code
    finally:
        publisher.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
