"""A release brought from the owner's server to the disk, by a process that may do nothing else.

What is fetched is not believed: who installs it checks its signature. Here its sha256 is compared with the one that
the cloud has signed, so that nothing else costs room.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any

from edge.device.disk import LEAST_BYTES
from edge.device.durable import sync
from edge.errors import ConfigError, UpdateError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge.device.wanted import Source, Wanted

log = logging.getLogger(__name__)

MAX_BYTES = 2**30
"""A release that is larger is none."""
TIMEOUT_S = 30.0
"""Without a byte; what is there by then is kept."""
ATTEMPTS = 3
"""In a row that bring nothing: then the next run goes on where this one ended."""
PAUSE_S = 2.0
_CHUNK = 2**18
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


def ready(one: Wanted, folder: Path) -> Path:
    """Where a release lies once it is fetched."""
    return folder / f"{one.sha256}.release"


def forget_others(wanted: Sequence[Wanted], folder: Path) -> None:
    """Remove what was fetched, wholly or in part, of releases that are not wanted any more."""
    kept = {one.sha256 for one in wanted}
    for path in folder.glob("*.*"):
        if path.stem not in kept:
            path.unlink()


def fetch(one: Wanted, source: Source, folder: Path) -> Path:
    """Bring a release to `folder`; what an earlier run has brought of it is not fetched again.

    Raises UpdateError where it is not to be had, or is not what is wanted.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target, partial = ready(one, folder), folder / f"{one.sha256}.partial"
    if target.exists():
        return target
    url = source.place(one)
    opener = _opener(source)
    failures, had = 0, _size(partial)
    while True:
        try:
            _more(opener, url, partial)
            break
        except urllib.error.HTTPError as error:
            partial.unlink(missing_ok=True)
            raise UpdateError(
                f"{url} cannot be fetched: the server answers {error.code}", "Put it there, or see [updates]"
            ) from error
        except (OSError, http.client.HTTPException) as error:
            now = _size(partial)
            failures, had = (0, now) if now > had else (failures + 1, had)
            if failures >= ATTEMPTS:
                reason = getattr(error, "reason", error)
                raise UpdateError(
                    f"{url} cannot be fetched: {reason} ({now >> 20} MB are here)", "It is tried again later"
                ) from error
            time.sleep(PAUSE_S)
    with partial.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != one.sha256:
            partial.unlink()
            raise UpdateError(f"{url} is not what the cloud named", "Put the file there that was named")
    sync(partial)
    partial.rename(target)
    sync(folder)
    return target


def _more(opener: urllib.request.OpenerDirector, url: str, partial: Path) -> None:
    """Fetch what is missing. Raises OSError or HTTPException where the connection ends before."""
    had = _size(partial)
    request = urllib.request.Request(url, headers={"range": f"bytes={had}-"} if had else {})  # noqa: S310 - https
    try:
        answer = opener.open(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if not had or error.code != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return  # all of it is here, or another file is there now: its hash tells
    with answer:
        begin, total = _extent(answer)
        if begin not in (0, had) or not 0 < total <= MAX_BYTES:
            raise UpdateError(
                f"{url} is no release: {total} bytes from {begin} on", "Put the file there that was named"
            )
        room = shutil.disk_usage(partial.parent).free - LEAST_BYTES
        if total - begin > room:
            raise UpdateError(
                f"{url} has {total >> 20} MB, and there is room for {max(room, 0) >> 20}", "Free some space"
            )
        with partial.open("r+b" if begin else "wb") as file:
            file.seek(begin)
            _copy(answer, file, total - begin)


def _copy(answer: IO[bytes], file: IO[bytes], left: int) -> None:
    while left:
        chunk = answer.read(min(left, _CHUNK))
        if not chunk:
            raise ConnectionError("the connection has ended too early")
        file.write(chunk)
        left -= len(chunk)


def _extent(answer: Any) -> tuple[int, int]:
    """The first byte that is sent, and how many there are in all; 0 where the server does not say."""
    if answer.status == HTTPStatus.PARTIAL_CONTENT:
        found = _RANGE.fullmatch(answer.headers.get("content-range", ""))
        return (int(found[1]), int(found[2])) if found else (0, 0)
    length = answer.headers.get("content-length", "")
    return 0, int(length) if length.isascii() and length.isdigit() else 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _opener(source: Source) -> urllib.request.OpenerDirector:
    try:
        context = ssl.create_default_context(cafile=None if source.ca is None else os.fspath(source.ca))
    except OSError as error:
        raise ConfigError(
            f"The authority {source.ca} cannot be used: {error}", "See `ca` in [updates]"
        ) from error
    return urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _Encrypted())


class _Encrypted(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> urllib.request.Request | None:
        """Follow to encrypted places only."""
        if not str(arguments[-1]).startswith("https://"):
            raise urllib.error.URLError(f"it leads to {arguments[-1]}, which is not encrypted")
        return super().redirect_request(*arguments)
