"""Writing a file so that after a power cut there is the old one or the new one, never half of one."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

from models.errors import WriteFailed

if TYPE_CHECKING:
    from pathlib import Path

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to `path` through a temporary file beside it; raises WriteFailed, leaving no trace."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise write_failed(path.parent, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105 - the temporary name is text
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise write_failed(path.parent, error) from error


def write_failed(folder: Path, error: OSError) -> WriteFailed:
    """Return the error of a failed write, with the remedy for its cause."""
    reason = error.strerror or str(error)
    if error.errno in _NO_ROOM:
        remedy = "Free some space (the models need 40 MB, fetching them 150 MB more), then run it again."
    else:
        remedy = (
            "Give this user write access to the folder, or choose another: KINEBOX_MODELS for the models, "
        )
        remedy += "XDG_CACHE_HOME for the cache."
    return WriteFailed(f"cannot write to {folder}: {reason}", remedy)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
