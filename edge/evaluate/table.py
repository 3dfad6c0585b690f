"""The evaluation as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from edge.evaluate.pck import PARTS
from edge.evaluate.reps import ClipFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.evaluate.form import Judged
    from edge.evaluate.nothing import Found
    from edge.evaluate.pck import Accuracy
    from edge.evaluate.reps import ClipResult, Counted, Score, Totals

_NONE = "-"


def clips_table(results: Sequence[ClipResult | ClipFailed]) -> Table:
    """One row for each clip."""
    table = Table("Clip", "Exercise", "True", "Given", "Auto", "Off, s", "Naive", box=SIMPLE)
    for one in results:
        if isinstance(one, ClipFailed):
            table.add_row(Text(one.file), Text("not evaluated", "red"))
            continue
        true = {"hold": f"{one.duration_s:.1f} s", "nothing": "nothing"}.get(one.kind, str(one.true_reps))
        timed = one.given or one.auto
        table.add_row(
            Text(one.file),
            Text(one.exercise_id),
            true,
            _given(one),
            _auto(one),
            _number(timed.event_offset_s if timed else None, 2),
            _NONE if one.naive is None else _against(one.naive, one.true_reps),
        )
    return table


def totals_table(together: Totals, sources: Mapping[str, Totals]) -> Table:
    """All clips together, each source by itself, and the worst source of each column."""
    table = Table("", "", "Clips", "OBO", "MAE", "Exact", "Named", "Off, s", box=SIMPLE)
    _add_totals(table, "all clips", together)
    if len(sources) > 1:
        for source, figures in sources.items():
            table.add_section()
            _add_totals(table, source or "no source named", figures)
        table.add_section()
        for who in ("given", "auto", "naive"):
            scores = [score for figures in sources.values() if (score := getattr(figures, who)).clips]
            if scores:
                table.add_row(
                    Text("the worst source"),
                    who,
                    "",
                    _number(min(score.obo for score in scores), 2),
                    _number(max(score.mae for score in scores), 2),
                    _number(min(score.exact for score in scores), 2),
                )
    table.caption = f"counted by auto where nothing was to be counted: {together.false_reps}"
    if together.hold_error_s is not None:
        table.caption += f"; holds off by {together.hold_error_s:.2f} s"
    if together.cues:
        table.caption += f"\ncorrected, told the exercise: {_listed(together.cues)}"
    return table


def nothing_table(found: Sequence[Found | ClipFailed]) -> Table:
    """One row for each clip of people and dogs who do not exercise."""
    table = Table("Clip", "Seconds", "Counted", "Partial", "Held", box=SIMPLE)
    for one in found:
        if isinstance(one, ClipFailed):
            table.add_row(Text(one.file), Text("not evaluated", "red"))
            continue
        table.add_row(
            Text(one.file),
            f"{one.duration_s:.1f}",
            Text(_listed(one.reps), "red" if one.reps else ""),
            _listed(one.partial_reps),
            _listed({name: f"{held:.1f} s" for name, held in one.hold_s.items()}),
        )
    done = [one for one in found if not isinstance(one, ClipFailed)]
    reps, partial = (
        sum(sum(getattr(one, kind).values()) for one in done) for kind in ("reps", "partial_reps")
    )
    table.add_section()
    table.add_row(f"{len(done)} clips", f"{sum(one.duration_s for one in done):.1f}", str(reps), str(partial))
    return table


def form_table(results: Sequence[Judged]) -> Table:
    """One row for each question."""
    table = Table("Form", "Pictures", "Accuracy", "By label", "Not judged", "Gentle", "Strict", box=SIMPLE)
    for one in results:
        table.add_row(
            Text(one.title),
            str(one.pictures),
            _number(one.accuracy, 3),
            ", ".join(f"{label} {share:.3f}" for label, share in one.by_label.items()),
            str(one.not_judged),
            _number(one.gentle, 3),
            _number(one.strict, 3),
        )
    table.caption = "single pictures; by label: share of them in which the rules say the same"
    return table


def pck_table(results: Sequence[Accuracy]) -> Table:
    """One row for each pipeline, as results on Leeds Sports Pose are usually given."""
    parts = [part.capitalize() for part in PARTS]
    table = Table("PCK@0.2", "Found", *parts, "Mean", "95 %", "AUC", "Above", box=SIMPLE)
    for one in results:
        table.add_row(
            Text(one.name),
            str(one.found),
            *(f"{one.pck[part]:.1f}" for part in PARTS),
            f"{one.mean.value:.1f}",
            f"{one.mean.low:.1f}-{one.mean.high:.1f}",
            f"{one.auc:.1f}",
            "\n".join(
                f"{gap.value:+.1f} [{gap.low:+.1f}, {gap.high:+.1f}] {other}"
                for other, gap in one.above.items()
            ),
        )
    if results:
        table.caption = (
            f"{results[0].pictures} pictures; torso: right shoulder to left hip; nobody found: no joint right"
        )
    return table


def _listed(counts: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or _NONE


def _given(one: ClipResult) -> Text:
    if one.given is None:
        return Text(_NONE if one.row or one.kind == "nothing" else "no row", "yellow")
    return _count(one, one.given)


def _auto(one: ClipResult) -> Text:
    auto = one.auto
    if auto is None:
        return Text(_NONE)
    right = auto.exercise == one.exercise_id
    name = Text(auto.exercise or "nothing", "" if right or one.kind == "nothing" else "yellow")
    others = f" and {_listed(auto.others)}" if auto.others else ""
    return Text.assemble(name, " ", _count(one, auto), others)


def _count(one: ClipResult, count: Counted) -> Text:
    if one.kind == "hold":
        return Text.assemble(f"{count.hold_s:.1f} s", (f", {count.reps} reps", "red") if count.reps else "")
    partial = f"+{count.partial_reps}" if count.partial_reps else ""
    return Text.assemble(_against(count.reps, one.true_reps or 0), partial)


def _against(count: int, true: int | None) -> Text:
    return Text(str(count), {0: "green", 1: "yellow"}.get(abs(count - (true or 0)), "red"))


def _add_totals(table: Table, title: str, figures: Totals) -> None:
    rows: tuple[tuple[str, Score, float | None, float | None], ...] = (
        ("given", figures.given, None, figures.given_event_offset_s),
        ("auto", figures.auto, figures.named, figures.auto_event_offset_s),
        ("naive", figures.naive, None, None),
        ("given, where naive", figures.given_where_naive, None, None),
    )
    for who, score, named, offset in rows:
        if not score.clips or (who == "given, where naive" and score == figures.given):
            continue
        table.add_row(
            Text(title),
            who,
            str(score.clips),
            _number(score.obo, 3),
            _number(score.mae, 3),
            _number(score.exact, 3),
            _number(named, 3),
            _number(offset, 2),
        )
        title = ""


def _number(value: float | None, digits: int) -> str:
    return _NONE if value is None else f"{value:.{digits}f}"
