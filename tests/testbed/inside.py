"""What is done inside a box or a machine, whichever way a command gets there."""

from __future__ import annotations

import abc
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence


class Inside(abc.ABC):
    """Files, units and the journal, by commands of root's."""

    @abc.abstractmethod
    def run(
        self,
        command: str | Sequence[str],
        *,
        check: bool = True,
        timeout: float = 60,
        stdin: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command (a list), or a line of shell (a string), as root.

        TestbedError with what it wrote when it fails, unless `check` is False.
        """

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file of root's, with the folders that lead to it."""
        folder = shlex.quote(str(Path(path).parent))
        self.run(
            f"mkdir -p {folder} && cat > {shlex.quote(path)} && chmod {mode:o} {shlex.quote(path)}",
            stdin=text,
        )

    def read(self, path: str) -> str:
        """A file's text."""
        return self.run(["cat", path]).stdout

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Properties of a unit as systemd sees them."""
        lines = self.run(
            ["systemctl", "show", unit, f"--property={','.join(properties)}"]
        ).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines)

    def journal(self, unit: str, *options: str) -> list[dict[str, str]]:
        """What a unit has logged, entry by entry with all of its fields."""
        lines = self.run(
            ["journalctl", f"--unit={unit}", "--output=json", "--all", *options]
        ).stdout.splitlines()
        return [json.loads(line) for line in lines]
