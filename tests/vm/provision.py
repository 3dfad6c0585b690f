"""Ansible, as an operator runs it, against a machine."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.conftest import ROOT

if TYPE_CHECKING:
    from tests.vm.machine import Machine

PROGRAM: Final = Path(sys.executable).with_name("ansible-playbook")
HERE: Final = Path(__file__).parent
_CHANGED: Final = re.compile(r"^machine\s+: ok=\d+\s+changed=(\d+)", re.MULTILINE)
_LIMIT_S: Final = 1800


@dataclass(frozen=True)
class Played:
    """How a playbook went."""

    status: int
    output: str

    @property
    def changed(self) -> int:
        """Tasks that changed something."""
        return int(_CHANGED.findall(self.output)[-1])


def play(machine: Machine, playbook: str, **variables: object) -> Played:
    """Run a playbook of this folder with the real roles."""
    (machine.folder / "hosts").write_text(
        f"[kinebox]\nmachine ansible_host=127.0.0.1 ansible_port={machine.ssh_port} ansible_user=kinebox-admin\n"
    )
    done = subprocess.run(
        [str(PROGRAM), "--inventory", str(machine.folder / "hosts"), "--timeout", "120",
         f"--ssh-common-args={shlex.join(machine.ssh_options())}", str(HERE / playbook),
         "--extra-vars", json.dumps(variables)],
        cwd=ROOT / "ansible", capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env=os.environ | {"ANSIBLE_HOME": str(machine.folder / "ansible"), "ANSIBLE_NOCOLOR": "1"},
        timeout=_LIMIT_S,
    )  # fmt: skip
    return Played(done.returncode, done.stdout + done.stderr)
