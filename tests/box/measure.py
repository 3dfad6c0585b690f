"""`python -m tests.box.measure [RUNS]`: how long a box takes to mend itself, in seconds: median and longest of RUNS.

As root, with the test bed built (scripts/testbed build) and the pose models. The camera is real footage.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from edge.footage import demo_video
from tests.box import recovery
from tests.box.recovery import HUB, VISION, WATCHDOG_S
from tests.testbed.box import boot, why_not
from tests.testbed.software import installed

GOALS = {
    "start of the services to first picture": 5.0,
    "power on to first picture": None,
    "vision killed to next picture": 3.0,
    "hub killed to next picture": 3.0,
    "vision hangs to next picture": WATCHDOG_S + 5.0,
    "hub hangs to next picture": WATCHDOG_S + 5.0,
    "camera back after vision gave up": None,
    "bad release to the one before working": 60.0,
}


def main(runs: int) -> int:
    """Exit status: 0 measured, 1 not possible here."""
    if (absent := why_not()) is not None:
        print(f"missing: {absent}", file=sys.stderr)
        return 1
    # The boxes' work goes before whatever else this machine does, which is not to be measured.
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    taken: dict[str, list[float]] = {what: [] for what in GOALS}
    with tempfile.TemporaryDirectory() as folder:
        camera = recovery.layer(Path(folder) / "camera", demo_video())
        with boot("measured", camera, *installed()) as box:
            for run in range(runs):
                taken["start of the services to first picture"].append(recovery.service_start(box))
                taken["vision killed to next picture"].append(recovery.killed(box, VISION))
                taken["hub killed to next picture"].append(recovery.killed(box, HUB))
                hung = recovery.both_stalled(box)
                taken["vision hangs to next picture"].append(hung[VISION])
                taken["hub hangs to next picture"].append(hung[HUB])
                taken["power on to first picture"].append(recovery.power_cut(box))
                taken["camera back after vision gave up"].append(recovery.given_up(box))
                taken["bad release to the one before working"].append(recovery.bad_release(box))
                print(f"run {run + 1} of {runs}", file=sys.stderr)
    print(f"{'seconds':44}{'median':>8}{'longest':>9}{'goal':>7}")
    for what, seconds in taken.items():
        goal = "" if GOALS[what] is None else f"{GOALS[what]:.0f}"
        print(f"{what:44}{statistics.median(seconds):8.1f}{max(seconds):9.1f}{goal:>7}")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
