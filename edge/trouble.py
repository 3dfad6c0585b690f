"""What may be wrong with a running box: one table of kinds, and when each begins and ends.

A kind is judged by one number. It begins once the number has been on the wrong side for long enough, and ends once it
has been on the right side of another bound for longer. What comes and goes is told ever more seldom.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(NamedTuple):
    """One row. Times are seconds."""

    code: str
    begins: float
    """Beyond this number; below it, where `ends` is the larger one."""
    ends: float
    begins_after: float
    ends_after: float
    says: str
    """For logs and `kinebox doctor`; {value} is the number, {detail} what more is known."""
    remedy: str

    def wrong(self, sign: Sign) -> bool:
        """Whether the number is on the wrong side."""
        return sign.value < self.begins if self.ends > self.begins else sign.value > self.begins

    def right(self, sign: Sign) -> bool:
        """Whether the number is well again."""
        return sign.value >= self.ends if self.ends > self.begins else sign.value <= self.ends


class Sign(NamedTuple):
    """A kind's number now, and what more is known."""

    value: float
    detail: str = ""


KINDS: tuple[Kind, ...] = (
    Kind(
        *("slow", 100.0, 80.0, 3.0, 5.0),
        "pictures take {value:.0f} ms (95 of 100 take less), most of it in {detail}",
        "See whether the box is throttled or other programs use the processor (top); fewer people help.",
    ),
    Kind(
        *("no_pictures", 3.0, 1.0, 0.0, 3.0),
        "no picture for {value:.0f} s ({detail})",
        "See to the camera, its cable and its supply; docs/cameras.md says what each code means.",
    ),
    Kind(
        *("throttled", 0.5, 0.5, 5.0, 30.0),
        "the board slows itself down: {detail}",
        "heat: a fan, a larger case, no sun. power: the board's own supply and a short cable (docs/doctor.md).",
    ),
    Kind(
        *("confidence", 0.75, 0.85, 10.0, 10.0),
        "joints are seen less surely than before: {value:.0%} of the usual confidence",
        "See whether something stands before the camera, the lens is dirty, or the light has changed.",
    ),
    Kind(
        *("dark", 45.0, 55.0, 10.0, 10.0),
        "the picture is dark: brightness {value:.0f} of 255",
        "More light, or a lamp that does not shine into the camera.",
    ),
    Kind(
        *("noisy", 8.0, 6.0, 10.0, 20.0),
        "the picture is noisy (deviation {value:.1f} of 255): the camera has too little light",
        "More light; a camera makes up for missing light by noise, long exposures and fewer pictures.",
    ),
    Kind(
        *("blurred", 0.35, 0.5, 120.0, 60.0),
        "the picture is less sharp than it used to be: {value:.0%} of the usual",
        "Clean the lens with a soft cloth; see whether the focus has moved.",
    ),
    Kind(
        *("few_pictures", 0.6, 0.75, 10.0, 10.0),
        "the camera delivers {detail} pictures a second, {value:.0%} of what is wanted",
        "More light, a USB 3 port of its own, a camera that offers MJPG at 1280x720 with 30 pictures a second.",
    ),
    Kind(
        *("wrong_mode", 0.5, 0.5, 5.0, 5.0),
        "the camera is in a poor mode: {detail}",
        "A camera with MJPG at 1280x720, 30 pictures a second; `v4l2-ctl --list-formats-ext` lists what it has.",
    ),
    Kind(
        *("far", 0.2, 0.25, 20.0, 10.0),
        "whoever is seen is small: {value:.0%} of the picture's height",
        "Bring the camera nearer, so that a person fills a third of the picture's height or more.",
    ),
    Kind(
        *("crowded", 0.5, 0.25, 10.0, 10.0),
        "in {value:.0%} of the pictures somebody waited for their turn",
        "Fewer people in the picture, a zone that is left out, or a faster board.",
    ),
)
BY_CODE = {kind.code: kind for kind in KINDS}

_OFTEN_S = 600.0
"""Beginnings within this time count: each doubles the time until the next one is believed."""
_MOST_DOUBLINGS = 5
_LEAST_PATIENCE_S = 1.0


class Change(NamedTuple):
    """A trouble began or ended."""

    kind: Kind
    began: bool
    sign: Sign
    """The number that it began or ended with."""
    lasted: float = 0.0
    """Seconds, with the end."""

    @property
    def text(self) -> str:
        """In words."""
        if not self.began:
            return f"over after {self.lasted:.0f} s: {self.kind.code}"
        return words(self.kind, self.sign)


def words(kind: Kind, sign: Sign) -> str:
    """What a kind says with this number."""
    return kind.says.format(value=sign.value, detail=sign.detail)


class _State:
    """One kind over time."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.since: float | None = None
        """When it began; None while it is not."""
        self.sign = Sign(0.0)
        self._turned: float | None = None
        """Since when the number has been on the other side."""
        self._begun: deque[float] = deque(maxlen=_MOST_DOUBLINGS)

    def update(self, sign: Sign | None, t: float) -> Change | None:
        """Take the number at `t` seconds; None: nothing can be said, which speaks for no trouble."""
        if self.since is None:
            turned = sign is not None and self.kind.wrong(sign)
        else:
            turned = sign is None or self.kind.right(sign)
        if sign is not None and not (self.since is not None and turned):
            self.sign = sign
        if not turned:
            self._turned = None
            return None
        self._turned = t if self._turned is None else self._turned
        if t - self._turned < self._patience(t):
            return None
        self._turned = None
        if self.since is None:
            self.since = t
            self._begun.append(t)
            return Change(self.kind, True, self.sign)
        lasted, self.since = t - self.since, None
        return Change(self.kind, False, sign or self.sign, lasted)

    def _patience(self, t: float) -> float:
        if self.since is not None:
            return self.kind.ends_after
        lately = sum(t - begun < _OFTEN_S for begun in self._begun)
        if not lately:
            return self.kind.begins_after
        return float(max(self.kind.begins_after, _LEAST_PATIENCE_S) * 2**lately)


class Troubles:
    """Every kind, over time."""

    def __init__(self) -> None:
        self._states = [_State(kind) for kind in KINDS]

    def update(self, signs: Mapping[str, Sign], t: float) -> list[Change]:
        """Take the numbers by code at `t` seconds (monotonic); what began or ended."""
        changes = (state.update(signs.get(state.kind.code), t) for state in self._states)
        return [change for change in changes if change is not None]

    def now(self) -> list[tuple[Kind, Sign, float]]:
        """What is wrong now: kind, its newest number, and when it began."""
        return [(state.kind, state.sign, state.since) for state in self._states if state.since is not None]
