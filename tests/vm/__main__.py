"""scripts/vm: the machine by hand."""

from __future__ import annotations

import shlex
import shutil

from tests.testbed import by_hand
from tests.vm.image import TOOLS, prepared
from tests.vm.machine import running


def main(arguments: list[str]) -> int:
    """Exit status: 0 done, 1 not possible, 2 usage."""
    match arguments:
        case ["missing"]:
            for tool, package in TOOLS.items():
                if shutil.which(tool) is None:
                    print(package)
        case ["prepare"]:
            print(prepared().folder)
        case ["run"]:
            with running(prepared(), disks=(64 << 20,), tpm=True) as machine:
                options = shlex.join(machine.ssh_options())
                print(f"ssh {options} -p {machine.ssh_port} kinebox-admin@127.0.0.1")
                input("Enter pulls the plug and forgets what was written. ")
        case _:
            return by_hand.wrong("scripts/vm prepare | run | test")
    return 0


if __name__ == "__main__":
    by_hand.run("vm", main)
