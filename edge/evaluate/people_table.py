"""Several people, as tables for a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from edge.evaluate.people_score import Events, Found
from edge.evaluate.reps import ClipFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from edge.evaluate.people import SceneResult
    from edge.evaluate.people_images import ImageResult

HEIGHTS = ("0.15", "0.2", "0.3", "0.4", "0.5")


def done(results: Sequence[SceneResult | ClipFailed]) -> list[SceneResult]:
    """Those that could be evaluated."""
    return [one for one in results if not isinstance(one, ClipFailed)]


def scenes_table(results: Sequence[SceneResult | ClipFailed]) -> Table:
    """One row for each scene with several people, and all of them together."""
    columns = (
        "Scene",
        "People",
        *HEIGHTS,
        "First, s",
        "Switches",
        "Cross",
        "Hidden",
        "Back",
        "Other",
        "MOTA",
        "IDF1",
    )
    table = Table(*columns, box=SIMPLE)
    shown = [one for one in done(results) if one.people > 1]
    for one in shown:
        mark = one.score
        slowest = max((math.inf if first is None else first for first in mark.first_found_s), default=0.0)
        table.add_row(
            Text(one.name),
            str(one.people),
            *(_found(mark.by_height.get(height)) for height in HEIGHTS),
            "never" if slowest == math.inf else f"{slowest:.1f}",
            str(mark.switches),
            *(_events(events) for events in (mark.crossings, mark.hidings, mark.returns)),
            str(mark.unprovoked),
            f"{mark.mota:.3f}",
            f"{mark.idf1:.3f}",
        )
    table.add_section()
    table.add_row(
        "all",
        "",
        *(_found(_sum(one.score.by_height.get(height) for one in shown)) for height in HEIGHTS),
        "",
        str(sum(one.score.switches for one in shown)),
        *(
            _events(sum((getattr(one.score, kind) for one in shown), Events()))
            for kind in ("crossings", "hidings", "returns")
        ),
        str(sum(one.score.unprovoked for one in shown)),
    )
    table.add_row(
        "once found",
        "",
        *(_acquired(_sum(one.score.by_height.get(height) for one in shown)) for height in HEIGHTS),
    )
    table.caption = (
        "found: percent of the pictures of people at least half to be seen, by body height as a share of the"
        " picture's; first: until the last one was found\n"
        "switches of identity, and in how many crossings, hidings and returns (in brackets: that were not undone)"
    )
    return table


def moments(results: Sequence[SceneResult | ClipFailed]) -> list[str]:
    """One line for each switch of identity."""
    return [f"{one.name}: {moment}" for one in done(results) for moment in one.score.moments]


def counts_table(results: Sequence[SceneResult | ClipFailed]) -> Table:
    """Repetitions of everyone in the scenes who exercises, beside those of the clip alone."""
    table = Table(
        "Scene", "Person", "Exercise", "True", "Alone", "Scene", "Alone, auto", "Scene, auto", box=SIMPLE
    )
    counts = [(one.name, count) for one in done(results) for count in one.counts]
    for name, count in counts:
        table.add_row(
            Text(name),
            Text(count.who),
            count.exercise,
            str(count.true),
            *(
                Text(str(value), {0: "green", 1: "yellow"}.get(abs(value - count.true), "red"))
                for value in (count.alone, count.scene, count.alone_auto, count.scene_auto)
            ),
        )
    table.add_section()
    of = [
        [getattr(count, kind) for _, count in counts]
        for kind in ("true", "alone", "scene", "alone_auto", "scene_auto")
    ]
    table.add_row("all", "", "", *(str(sum(values)) for values in of))
    table.add_row(
        "off by",
        "",
        "",
        "",
        *(str(sum(abs(a - b) for a, b in zip(values, of[0], strict=True))) for values in of[1:]),
    )
    return table


def false_table(results: Sequence[SceneResult | ClipFailed]) -> Table:
    """What was found and is not there: rooms and clips one by one, the scenes together."""
    table = Table("False tracks", "Seconds", "Tracks", "In ten minutes", box=SIMPLE)
    groups = [(one.name, [one]) for one in done(results) if one.people < 2]
    groups.append(("scenes of people", [one for one in done(results) if one.people > 1]))
    for name, group in [*groups, ("all", done(results))]:
        if name == "all":
            table.add_section()
        seconds, tracks = (
            sum(one.score.seconds for one in group),
            sum(one.score.false_tracks for one in group),
        )
        table.add_row(
            Text(name), f"{seconds:.0f}", str(tracks), f"{600 * tracks / seconds:.1f}" if seconds else "-"
        )
    table.caption = "tracks of half a second or more that are nobody's for most of their time"
    return table


def images_table(results: Sequence[ImageResult]) -> Table:
    """People found in annotated pictures."""
    table = Table("Pictures", "Number", *HEIGHTS, "All", "Others", box=SIMPLE)
    for one in results:
        table.add_row(
            one.name,
            str(one.pictures),
            *_row(one.by_height.get(height) for height in HEIGHTS),
            str(one.others),
        )
    table.add_section()
    table.add_row(
        "all",
        str(sum(one.pictures for one in results)),
        *_row(_sum(one.by_height.get(height) for one in results) for height in HEIGHTS),
        str(sum(one.others for one in results)),
    )
    table.caption = (
        "found of annotated people (object keypoint similarity above 0.5), by height of the box as a share of the"
        " picture's; others: not annotated, or not there"
    )
    return table


def _row(by_height: Iterable[Found | None]) -> list[str]:
    found = list(by_height)
    return [f"{one.found}/{one.frames}" if one and one.frames else "-" for one in [*found, _sum(found)]]


def _sum(found: Iterable[Found | None]) -> Found:
    return sum((one for one in found if one is not None), Found())


def _found(one: Found | None) -> str:
    return f"{100 * one.found / one.frames:.1f}" if one and one.frames else "-"


def _acquired(one: Found) -> str:
    return f"{100 * one.acquired_found / one.acquired_frames:.1f}" if one.acquired_frames else "-"


def _events(events: Events) -> str:
    if not events.happened:
        return "-"
    return f"{events.switched}/{events.happened}" + (f" ({events.lasting})" if events.switched else "")
