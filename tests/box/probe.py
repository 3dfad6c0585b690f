"""Runs inside a box, in the sandbox of a service: tries what it is told and says how that ended, as JSON.

Given: {"what": [function, arguments...]}; answered: {"what": "ok ..." or the name of an errno}.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def open_socket(family: int, kind: int) -> str:
    socket.socket(family, kind).close()
    return "ok"


def connect_unix(path: str, kind: int) -> str:
    """`path`: with @ in front an abstract name."""
    with contextlib.closing(socket.socket(socket.AF_UNIX, kind)) as one:
        one.connect("\0" + path[1:] if path.startswith("@") else path)
    return "ok"


def connect_tcp(host: str, port: int) -> str:
    with contextlib.closing(socket.create_connection((host, port), timeout=1)):
        return "ok"


def write(folder: str) -> str:
    path = Path(folder, f"probe-{os.getpid()}")
    path.write_text("#!/bin/sh\n")
    path.unlink()
    return "ok"


def run_written(folder: str) -> str:
    path = Path(folder, f"probe-{os.getpid()}")
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    try:
        subprocess.run([path], check=True)
    finally:
        path.unlink()
    return "ok"


def look(path: str) -> str:
    place = Path(path)
    if place.is_dir():
        return f"ok {sorted(one.name for one in place.iterdir())}"
    return f"ok {place.read_text()!r}"


def open_device(path: str) -> str:
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    return "ok"


def system_call(name: str, *arguments: int) -> str:
    """Of the C library, or of the kernel by its number."""
    libc = ctypes.CDLL(None, use_errno=True)
    answer = libc.syscall(int(name), *arguments) if name.isdigit() else getattr(libc, name)(*arguments)
    if answer < 0:
        raise OSError(ctypes.get_errno(), "")
    return "ok"


def ask_the_clock() -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.adjtimex(ctypes.create_string_buffer(512)) < 0:
        raise OSError(ctypes.get_errno(), "")
    return "ok"


def send_signal(process: int) -> str:
    os.kill(process, signal.SIGCONT)
    return "ok"


def processes() -> str:
    return f"ok {sum(one.name.isdigit() for one in Path('/proc').iterdir())}"


def write_and_execute() -> str:
    """Memory that is writable and executable: what injected code needs."""
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
    return "ok"


def clock_is_right() -> str:
    """As Kinebox sees it."""
    sys.path.insert(0, "/opt/kinebox/current/lib")
    from edge.clock import synchronised

    return f"ok {synchronised()}"


FUNCTIONS: dict[str, Callable[..., str]] = {name: one for name, one in globals().items() if callable(one)}


def attempt(function: str, *arguments: object) -> str:
    try:
        return FUNCTIONS[function](*arguments)
    except TimeoutError:
        return "TIMEOUT"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))


if __name__ == "__main__":
    asked = json.loads(Path(sys.argv[1]).read_text())
    print(json.dumps({what: attempt(*how) for what, how in asked.items()}))
