"""How the services log: for the journal with priorities, for a person without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import logging, signal, os
from edge.journal import is_journal, log_to_stderr
log_to_stderr()
log = logging.getLogger("edge.test")
log.debug("unheard")
log.info("all is well")
log.warning("two\\nlines")
log.error("bad")
print(is_journal(), flush=True)
os.kill(os.getpid(), signal.SIGABRT)
"""


def said(folder: Path, *, journal: bool) -> tuple[list[str], str]:
    path = folder / "log"
    with path.open("wb") as log:
        status = os.fstat(log.fileno())
        stream = f"{status.st_dev}:{status.st_ino}" if journal else "1:1"
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=log, text=True, check=False,
            env=os.environ | {"JOURNAL_STREAM": stream}, cwd=Path(__file__).resolve().parents[1],
        )  # fmt: skip
    return path.read_text().splitlines(), done.stdout.strip()


def test_the_journal_gets_the_priority_of_each_line(tmp_path: Path) -> None:
    lines, journal = said(tmp_path, journal=True)
    assert journal == "True"
    assert lines[:4] == ["<6>edge.test: all is well", "<4>edge.test: two", "<4>lines", "<3>edge.test: bad"]


def test_others_get_words(tmp_path: Path) -> None:
    lines, journal = said(tmp_path, journal=False)
    assert journal == "False"
    assert lines[:2] == ["edge.test: INFO: all is well", "edge.test: WARNING: two"]


def test_what_the_watchdog_ends_says_where_it_was(tmp_path: Path) -> None:
    lines, _ = said(tmp_path, journal=True)
    assert "Fatal Python error: Aborted" in lines
    assert any('File "<string>", line 11' in line for line in lines)
