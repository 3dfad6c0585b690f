"""`python tied.py PARENT CGROUP COMMAND...` becomes the command, in a control group, and is killed with its parent.

A program of its own: a process with threads can only fork safely when nothing but an exec follows.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1

parent, group, *command = sys.argv[1:]
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() == int(parent):
    Path(group, "cgroup.procs").write_text(str(os.getpid()))
    os.execv(command[0], command)  # noqa: S606 - it is the list that was given
