"""How vision works on this machine: what each way costs is measured, and the best that fits is chosen, with reasons.

First precision and threads: the way that is cheapest for one person. Then a ladder is gone down until a rung fits:
fewer people in one picture, then fewer pictures a second, then smaller pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from msgspec import Meta

from edge.box_records import Tuning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.box_records import Basis
    from edge.vision.inference import Precision

Size = tuple[int, int]
"""Width and height in pixels."""

SIZES: tuple[Size, ...] = ((1280, 720), (640, 360))
"""What may be asked of a camera, best first. All of one shape, so that a calibration stays valid."""
MOST = 4
"""People read in one picture where there is time for them."""
TARGET_FPS = 30.0
CADENCES = (1.0, 2 / 3, 1 / 2, 1 / 3)
"""Shares of the wanted frame rate that are tried."""
STAY, RISE = 0.8, 0.65
"""Shares of the time that may be used: to stay where one is, and to go up. Between them nothing changes."""
_FP32_FASTER = 0.9
"""int8 stays unless fp32 takes less than this share of its time."""
_THREADS_PAY = 0.8
"""More threads must take less than this share of the time that fewer take."""

_LOOKS = 0.5
"""Share of the pictures that are searched for people, as far as it is reckoned with: known people need none."""

Ms = Annotated[float, Meta(gt=0, lt=1e5)]


class Way(NamedTuple):
    """How the networks run."""

    precision: Precision
    threads: int


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, in milliseconds."""

    person: dict[str, Ms]
    """Of one person in one picture, by way (`int8 x1`)."""
    detect: dict[str, Ms]
    """Of one look for people in a picture, by precision, with one thread."""
    decode: dict[str, Ms]
    """Of unpacking a picture of the camera, by size (`1280x720`)."""
    cores: Annotated[int, Meta(ge=1, le=4096)]


class Given(NamedTuple):
    """What the owner has said; None: to be chosen."""

    precision: Precision | None = None
    threads: int | None = None
    most: int | None = None
    fps: float = TARGET_FPS
    """Wanted pictures a second."""
    sizes: tuple[Size, ...] = ()
    """What may be asked of the camera; none: its pictures are as they are."""


class Plan(NamedTuple):
    """A choice."""

    precision: Precision
    threads: int
    size: Size | None
    fps: float
    most: int
    reasons: tuple[tuple[str, str], ...] = ()
    """What was chosen, and the code of why (`edge.box_records.REASONS`)."""

    @property
    def rung(self) -> tuple[Size | None, float, int]:
        """Where on the ladder it stands."""
        return self.size, self.fps, self.most

    def record(self, basis: Basis, target: float, person_ms: float = 0.0, detect_ms: float = 0.0) -> Tuning:
        """For the hub: with the pictures a second that were wanted, and what was measured (0: nothing)."""
        width, height = self.size or (0, 0)
        return Tuning(
            basis=basis,
            precision=self.precision,
            threads=self.threads,
            width=width,
            height=height,
            fps=self.fps,
            most=self.most,
            target=target,
            person_ms=round(person_ms, 2),
            detect_ms=round(detect_ms, 2),
            reasons=dict(self.reasons),
        )


def name(way: Way) -> str:
    """As in `Costs.person`."""
    return f"{way.precision} x{way.threads}"


def size_name(size: Size) -> str:
    """As in `Costs.decode`."""
    return f"{size[0]}x{size[1]}"


def safe(given: Given) -> Plan:
    """What any machine can do, until more is known."""
    chosen = {"precision": given.precision, "threads": given.threads, "most": given.most}
    reasons = {key: "not_measured" if value is None else "given" for key, value in chosen.items()}
    reasons |= {"size": "not_measured" if given.sizes else "fixed", "fps": "wanted"}
    return Plan(
        precision=given.precision or "int8",
        threads=given.threads or 1,
        size=given.sizes[0] if given.sizes else None,
        fps=given.fps,
        most=given.most or MOST,
        reasons=tuple(reasons.items()),
    )


def ladder(given: Given) -> Iterator[tuple[Size | None, float, int]]:
    """Every rung, the best first."""
    for size in given.sizes or (None,):
        for share in CADENCES:
            for most in range(given.most or MOST, (given.most or 1) - 1, -1):
                yield size, round(given.fps * share, 1), most


def choose(costs: Costs, given: Given, now: Plan | None = None) -> Plan:
    """The best plan that fits what was measured; what is better than `now` must fit with room to spare."""
    way, reasons = _way(costs, given)
    rungs = list(ladder(given))
    standing = rungs.index(now.rung) if now is not None and now.rung in rungs else 0
    rung = next(
        (
            rung
            for place, rung in enumerate(rungs)
            if _load(costs, way, rung, given) <= (RISE if place < standing else STAY)
        ),
        rungs[-1],
    )
    size, fps, most = rung
    fits = _load(costs, way, rung, given) <= STAY
    reasons["size"] = "fixed" if not given.sizes else "full" if size == given.sizes[0] else "small"
    reasons["fps"] = "wanted" if fits and fps == rungs[0][1] else "too_slow"
    reasons["most"] = "given" if given.most is not None else "all" if most == MOST else "time"
    return Plan(way.precision, way.threads, size, fps, most, tuple(reasons.items()))


def _way(costs: Costs, given: Given) -> tuple[Way, dict[str, str]]:
    """Precision and threads, and why."""
    ways = [way for way in ways_to_try(costs.cores, given) if name(way) in costs.person]

    def cost(way: Way) -> float:
        return costs.person[name(way)]

    single = min(way.threads for way in ways)
    kinds = {way.precision: way for way in ways if way.threads == single}
    precision: Precision = next(iter(kinds))
    reasons = {"precision": "given"}
    if len(kinds) == 2:
        precision = "fp32" if cost(kinds["fp32"]) < _FP32_FASTER * cost(kinds["int8"]) else "int8"
        clear = precision == "fp32" or cost(kinds["int8"]) < _FP32_FASTER * cost(kinds["fp32"])
        reasons["precision"] = "faster" if clear else "usual"
    mine = sorted(way for way in ways if way.precision == precision)
    best = mine[0]
    reasons["threads"] = "given" if given.threads is not None else "enough"
    wanted = (given.sizes[0] if given.sizes else None, given.fps, given.most or MOST)
    for way in mine[1:]:
        if _load(costs, best, wanted, given) <= STAY:
            break
        pays = cost(way) < _THREADS_PAY * cost(best)
        reasons["threads"] = "more_threads" if pays else reasons["threads"].replace("enough", "no_gain")
        best = way if pays else best
    return best, reasons


def ways_to_try(cores: int, given: Given) -> list[Way]:
    """What is worth measuring on so many cores."""
    threads = [given.threads] if given.threads is not None else [n for n in (1, 2, 4) if n <= cores]
    kinds: list[Precision] = [given.precision] if given.precision is not None else ["int8", "fp32"]
    return [Way(kind, count) for kind in kinds for count in threads]


def _load(costs: Costs, way: Way, rung: tuple[Size | None, float, int], given: Given) -> float:
    """Share of the time that a rung takes: of a picture's time, or of all cores' where that is more.

    Pictures are unpacked in a thread of their own, all that the camera delivers.
    """
    size, fps, most = rung
    work = _LOOKS * costs.detect[way.precision] + most * costs.person[name(way)]
    unpack = costs.decode.get(size_name(size), 0.0) if size is not None else 0.0
    cores = way.threads if way.threads <= costs.cores else costs.cores
    everything = work * cores * fps + unpack * given.fps
    return max(work * fps / 1e3, everything / 1e3 / costs.cores)
