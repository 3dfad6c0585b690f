"""Commands in a machine, by QEMU's guest agent: they get there whatever network, firewall and ssh do."""

from __future__ import annotations

import base64
import json
import random
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any, Final

from tests.testbed.rootfs import TestbedError

if TYPE_CHECKING:
    from pathlib import Path

_ENVIRONMENT: Final = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root"]
_ANSWER_S: Final = 30.0
_LOOK_S: Final = (0.1, 1.0)
"""How long to wait before looking again: at first, and at most."""


class Agent:
    """One conversation with a machine's agent; it has to be begun anew after each start of the machine."""

    def __init__(self, path: Path) -> None:
        """`path`: QEMU's socket. TestbedError where the agent does not answer yet."""
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_ANSWER_S)
        self._lines = self._socket.makefile("rb")
        try:
            self._socket.connect(str(path))
            self._ask("guest-sync", id=random.randrange(1 << 31))  # noqa: S311 - no secret
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def execute(self, command: list[str], given: str, timeout: float) -> subprocess.CompletedProcess[str]:
        """Run `command` with `given` as standard input; TimeoutExpired after `timeout` seconds."""
        process = self._ask(
            "guest-exec",
            **{
                "path": command[0],
                "arg": command[1:],
                "env": _ENVIRONMENT,
                "capture-output": True,
                "input-data": base64.b64encode(given.encode()).decode(),
            },
        )["pid"]
        deadline = time.monotonic() + timeout
        pause, longest = _LOOK_S
        while not (state := self._ask("guest-exec-status", pid=process))["exited"]:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(command, timeout)
            time.sleep(pause)
            pause = min(pause * 1.5, longest)
        said = [
            base64.b64decode(state.get(key, "")).decode(errors="replace") for key in ("out-data", "err-data")
        ]
        return subprocess.CompletedProcess(command, state.get("exitcode", -state.get("signal", 0)), *said)

    def tell(self, what: str, **arguments: Any) -> None:
        """Ask for something that is not answered, such as a shutdown."""
        self._socket.sendall(json.dumps({"execute": what, "arguments": arguments}).encode() + b"\n")

    def _ask(self, what: str, **arguments: Any) -> Any:
        self.tell(what, **arguments)
        while True:
            try:
                line = self._lines.readline()
            except TimeoutError as error:
                raise TestbedError(f"the machine's agent does not answer to {what}") from error
            if not line:
                raise TestbedError(f"the machine's agent is gone ({what})")
            answer = json.loads(line)
            if "error" in answer:
                raise TestbedError(f"the machine's agent refuses {what}: {answer['error']}")
            # An earlier conversation's last words may come first.
            if what != "guest-sync" or answer["return"] == arguments["id"]:
                return answer["return"]
