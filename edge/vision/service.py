"""The vision process: camera and model on one side, the link on the other, and nothing else.

Started by `kinebox run` or systemd as `python -m edge.vision.service`. It never opens a network socket; where the
kernel allows it, it also moves into an empty network namespace before the first picture is read. Only for a camera
with an address it stays in the network, and says so.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import KineboxError
from edge.journal import log_to_stderr
from edge.notify import Manager
from edge.vision.address import is_address
from edge.vision.isolation import has_network, leave_network
from edge.vision.stop import SLICE_S, Stop

if TYPE_CHECKING:
    from types import FrameType

    from edge.link import NetworkUse
    from edge.link_socket import Publisher
    from edge.vision.source import Source
    from edge.vision.tuned import TunedSource

log = logging.getLogger("edge.vision")

_READER_S = 15.0
"""How long a recording waits for the hub before it plays."""
_MOST_FPS, _MOST_THREADS = 240, 64


def main(arguments: list[str] | None = None) -> int:
    """Run until the source ends or a signal comes; the exit code is the error's."""
    parser = argparse.ArgumentParser(prog="kinebox-vision", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="where the hub connects")
    parser.add_argument(
        "--camera",
        help="device number or path, csi[:N], rtsp://…, video file, or trace; else KINEBOX_CAMERA says it",
    )
    parser.add_argument("--precision", choices=["auto", "int8", "fp32"], default="auto")
    parser.add_argument(
        "--threads", type=_threads, default="auto", help="of the models; auto: as is best here"
    )
    parser.add_argument(
        "--fps",
        type=float,
        default=os.environ.get("KINEBOX_FPS") or "30",
        help="pictures a second that are wanted; else KINEBOX_FPS says it",
    )
    parser.add_argument(
        "--model",
        default=os.environ.get("KINEBOX_MODEL") or "blazepose",
        help="pose model: blazepose, or the name of an imported one; else KINEBOX_MODEL says it",
    )
    parser.add_argument("--loop", action="store_true", help="play a file again and again")
    options = parser.parse_args(arguments)
    log_to_stderr()
    camera = options.camera or os.environ.get("KINEBOX_CAMERA") or parser.error("no camera: give --camera")
    network = _leave(camera)
    # Only now: these load libraries that start threads, and a thread keeps the network it was born with.
    from msgspec.structs import replace  # noqa: PLC0415

    from edge.link_socket import Publisher  # noqa: PLC0415
    from edge.vision import tuning_file  # noqa: PLC0415
    from edge.vision.source import PixelSource, open_source  # noqa: PLC0415
    from edge.vision.tuned import TunedSource, Tuner, sizes_of  # noqa: PLC0415
    from edge.vision.tuned_imported import ImportedTuner  # noqa: PLC0415
    from edge.vision.tuning import Given  # noqa: PLC0415
    from models.load import DEFAULT_MODEL  # noqa: PLC0415

    if not 1 <= options.fps <= _MOST_FPS:
        parser.error(f"--fps is from 1 to {_MOST_FPS}")
    given = Given(
        precision=None if options.precision == "auto" else options.precision,
        threads=options.threads,
        fps=options.fps,
        sizes=sizes_of(camera),
    )
    try:
        tuner = (
            Tuner(given, tuning_file.folder())
            if options.model == DEFAULT_MODEL
            else ImportedTuner(options.model, given, tuning_file.cores())
        )
        source = open_source(
            camera,
            precision=tuner.plan.precision,
            threads=tuner.plan.threads,
            paced=True,
            loop=options.loop,
            marker=True,
            model=options.model,
        )
        served = TunedSource(source, tuner) if isinstance(source, PixelSource) else source
        manager = Manager()
        publisher = Publisher(options.socket, replace(source.hello, network=network))
        try:
            _serve(served, publisher, manager)
        finally:
            publisher.close()
            manager.close()
    except KineboxError as error:
        log.error("%s. %s", error, error.remedy)
        return error.exit_code
    return 0


def _threads(text: str) -> int | None:
    """So many; None: to be chosen."""
    if text == "auto":
        return None
    if not 1 <= int(text) <= _MOST_THREADS:
        raise ValueError(text)
    return int(text)


def _leave(camera: str) -> NetworkUse:
    """Leave the network if the camera allows it; what of it is left."""
    if is_address(camera):
        if has_network():
            log.info("the camera has an address: vision stays in the network")
        else:
            log.warning("the camera has an address, and vision no network: see docs/cameras.md")
        return "camera"
    left = leave_network()
    if not has_network():
        return "none"
    if not left:
        log.warning(
            "the kernel refuses a network namespace, and the service manager has made none: see docs/cameras.md"
        )
    return "open"


def _serve(source: Source | TunedSource, publisher: Publisher, manager: Manager) -> None:
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
        for wish in publisher.wishes():
            source.watch(wish)


if __name__ == "__main__":
    sys.exit(main())
