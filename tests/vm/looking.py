"""Looking at a box through its own page."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.box.running import until

if TYPE_CHECKING:
    from tests.testbed.inside import Inside

PATIENCE_S = 900.0
"""For whatever must come at last, on an emulated processor that others use, too."""
_ASK = (
    "python3 -c 'import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=60).read().decode())'"
)


def page(box: Inside, path: str) -> str:
    """What the hub answers; nothing while it does not."""
    return box.run(f"{_ASK} http://127.0.0.1:8080{path}", check=False).stdout


def frames(box: Inside) -> int:
    """Pictures that reached the hub since it started."""
    found = re.search(r"^kinebox_frames_total (\S+)$", page(box, "/metrics"), re.MULTILINE)
    return int(float(found[1])) if found else 0


def camera(box: Inside) -> tuple[str, str]:
    """The state of the camera and why, as the dashboard shows it; two empty texts while the hub does not answer."""
    told = page(box, "/api/v1/status")
    if not told:
        return "", ""
    state = json.loads(told)["camera"]
    return state["state"], state["detail"]


def wait_for(box: Inside, state: str, *details: str) -> None:
    """Wait until the camera is in this state, for one of these reasons if there are any."""
    until(
        lambda: (now := camera(box))[0] == state and (not details or now[1] in details),
        f"camera {state} {' or '.join(details)} (now {' '.join(camera(box))})",
        PATIENCE_S,
    )


def more_frames(box: Inside, count: int = 3) -> None:
    """Wait for so many further pictures."""
    before = frames(box)
    until(lambda: frames(box) >= before + count, f"{count} more pictures than {before}", PATIENCE_S)
