"""The switch to another release and back: after a power cut at any moment the box boots one of the two, whole.

`previous` leads to what ran before from before the switch on, and the pending decision is on the disk by then. So
whoever wakes up knows that there is something to decide, and can decide it with the release that is known to work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from edge.device.tree import Pending, State
from edge.errors import UpdateError

if TYPE_CHECKING:
    from edge.device.tree import Before, Tree


def begin(tree: Tree, version: str, before: Before) -> None:
    """Use an installed release, on trial; the first one there is has nothing to go back to."""
    came_from = tree.version(tree.current)
    if came_from is None:
        tree.use(tree.previous, version)
        tree.use(tree.current, version)
        return
    state, older = tree.state(), tree.version(tree.previous)
    pending = Pending(version=version, came_from=came_from, older=older, before=before)
    tree.use(tree.previous, came_from)
    tree.remember(replace(state, pending=pending))
    tree.use(tree.current, version)


def keep(tree: Tree) -> None:
    """The release in use is good: it stays, and nothing older is installed any more."""
    version = tree.version(tree.current)
    if version is None:
        raise UpdateError(f"nothing is installed in {tree.root}", "Install a release first")
    tree.remember(
        State(
            serial=tree.manifest(version).serial,
            manifest=tree.digest(version),
            last=tree.outcome(version, "installed"),
        )
    )
    tree.tidy()


def undo(tree: Tree, reason: str) -> str | None:
    """Go back to what ran before; the release on trial stays beside it until the next update.

    Returns the release that is used again; None where nothing was pending.
    """
    state = tree.state()
    pending = state.pending
    if pending is None:
        return None
    interrupted = (
        tree.version(tree.current) == pending.came_from
    )  # the power went before the switch, or after this
    if not interrupted:
        tree.use(tree.current, pending.came_from)
    last = tree.outcome(pending.version, "interrupted" if interrupted else "rolled_back", reason)
    tree.remember(replace(state, pending=None, last=last))
    if pending.older is not None and tree.release(pending.older).is_dir():
        tree.use(tree.previous, pending.older)
    return pending.came_from


def swap(tree: Tree) -> str:
    """Use the previous release again, because somebody wants it. Returns its name."""
    current, previous = tree.version(tree.current), tree.version(tree.previous)
    if previous is None or previous == current:
        raise UpdateError("there is no earlier release on this box", "Install the one you want")
    tree.use(tree.current, previous)
    return previous
