"""The way out of the network, taken first of all: this module loads nothing but the standard library."""

from __future__ import annotations

import ctypes
from pathlib import Path

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def leave_network() -> bool:
    """Move this process into a network namespace without any interface; False where the kernel refuses.

    Only while the process has a single thread, so before numpy, OpenCV and the inference library are imported: a
    namespace belongs to a thread, later threads inherit it, and with several the kernel refuses an ordinary user.
    systemd does the same with PrivateNetwork=yes; this is for a box or laptop that starts vision by hand.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    return any(libc.unshare(flags) == 0 for flags in (_CLONE_NEWNET, _CLONE_NEWUSER | _CLONE_NEWNET))


def has_network() -> bool:
    """Whether this process sees any interface but the loopback, whoever is or is not responsible for it."""
    try:
        table = Path("/proc/self/net/dev").read_text(encoding="ascii").splitlines()[2:]
    except OSError:
        return True
    return any(line.partition(":")[0].strip() != "lo" for line in table)
