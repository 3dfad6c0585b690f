"""The vision process: camera and model on one side, the link on the other, and nothing else.

Started by `kinebox run` or systemd as `python -m edge.vision.service`. It never opens a network socket; where the
kernel allows it, it also moves into an empty network namespace before the first picture is read.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import KineboxError
from edge.journal import log_to_stderr
from edge.notify import Manager
from edge.vision.isolation import leave_network
from edge.vision.stop import SLICE_S, Stop

if TYPE_CHECKING:
    from types import FrameType

    from edge.link import Publisher
    from edge.vision.source import Source

log = logging.getLogger("edge.vision")

_READER_S = 15.0
"""How long a recording waits for the hub before it plays."""


def main(arguments: list[str] | None = None) -> int:
    """Run until the source ends or a signal comes; the exit code is the error's."""
    parser = argparse.ArgumentParser(prog="kinebox-vision", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="where the hub connects")
    parser.add_argument("--camera", required=True, help="device number or path, video file, or trace")
    parser.add_argument("--precision", choices=["int8", "fp32"], default="int8")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--loop", action="store_true", help="play a file again and again")
    options = parser.parse_args(arguments)
    log_to_stderr()
    if not leave_network():
        log.warning(
            "the kernel refuses a network namespace: vision relies on the service manager to have no network"
        )
    # Only now: these load libraries that start threads, and a thread keeps the network it was born with.
    from edge.link import Publisher  # noqa: PLC0415
    from edge.vision.source import open_source  # noqa: PLC0415

    try:
        source = open_source(
            options.camera,
            precision=options.precision,
            threads=options.threads,
            paced=True,
            loop=options.loop,
            marker=True,
        )
        manager = Manager()
        publisher = Publisher(options.socket, source.hello)
        try:
            _serve(source, publisher, manager)
        finally:
            publisher.close()
            manager.close()
    except KineboxError as error:
        log.error("%s. %s", error, error.remedy)
        return error.exit_code
    return 0


def _serve(source: Source, publisher: Publisher, manager: Manager) -> None:
    """Publish what the source yields until it ends or a signal comes."""
    from edge.vision.pulse import Pulse  # noqa: PLC0415

    stop = Stop()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.ask()
        source.close()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    pulse = Pulse(manager)
    if source.recorded:
        deadline = time.monotonic() + _READER_S
        while not (stop or publisher.wait_for_reader(SLICE_S) or time.monotonic() > deadline):
            pulse.wait()
    for record in source.stream():
        publisher.publish(record)
        pulse.beat(record)


if __name__ == "__main__":
    sys.exit(main())
