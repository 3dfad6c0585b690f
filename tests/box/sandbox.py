"""Runs the probe in the sandbox of a unit: the unit's own file and drop-ins, its program replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.testbed.box import Box

_UNITS = "/etc/systemd/system"
_INSIDE = "/usr/local/lib/probe"
"""Where every sandbox can read."""
_PROGRAM = """\
[Service]
Type=oneshot
WatchdogSec=0
Restart=no
ExecStart=
ExecStart=/usr/bin/python3 -I {inside}/probe.py {inside}/asked.json
StandardOutput=truncate:/root/answered.json
"""


def attempts(box: Box, unit: str, asked: dict[str, list[object]]) -> dict[str, str]:
    """How each attempt ended in the sandbox of `unit` (`kinebox-hub.service`); see `probe`."""
    name = f"probe-{unit}"
    place = f"{_UNITS}/{name}"
    if box.run(["test", "-e", place], check=False).returncode:
        box.run(
            f"mkdir -p {place}.d && cp -L {_UNITS}/{unit} {place} && "
            f"if [ -d {_UNITS}/{unit}.d ]; then cp {_UNITS}/{unit}.d/*.conf {place}.d/; fi"
        )
        box.write(f"{place}.d/99-probe.conf", _PROGRAM.format(inside=_INSIDE))
        box.write(f"{_INSIDE}/probe.py", Path(__file__).with_name("probe.py").read_text())
        box.run("systemctl daemon-reload")
    box.write(f"{_INSIDE}/asked.json", json.dumps(asked))
    box.run(["systemctl", "start", name])
    answered: dict[str, str] = json.loads(box.read("/root/answered.json"))
    return answered
