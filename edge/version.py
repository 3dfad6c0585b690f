"""What runs here, as the cloud and updates name it."""

from __future__ import annotations

from pathlib import Path

from edge import __version__
from edge.device.manifest import FILE

_HERE = Path(__file__).resolve()


def running(program: Path = _HERE) -> str:
    """The release that a file of Kinebox belongs to; in a checkout the version of the package."""
    lib = program.parents[1]
    return lib.parent.name if lib.name == "lib" and (lib.parent / FILE).is_file() else __version__
