"""`python -m edge.tied PID COMMAND...` becomes the command, which is asked to stop when its parent PID is gone.

A program of its own, since this has to be said in the child, and a process with threads (NumPy starts some) can
only fork safely when nothing but an exec follows.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for SIGTERM at the parent's death; an exec keeps that."""
    parent, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == int(parent):  # else it was gone before this could be said
        os.execv(command[0], command)  # noqa: S606 - it is the list that was given


if __name__ == "__main__":
    main()
