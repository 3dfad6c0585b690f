"""Whether a release is better: candidates against the other boxes, each against its own time before.

The difference of these differences is what the release does, whatever the season, the hour or the site do to all.
A pure function of the figures. Numbers of looks are few and errors are shared out among them (Bonferroni), so the
chance to promote what is no better, or to roll back what is no worse, holds for a rollout as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec
import numpy as np
from scipy import special, stats

from cloud.fleet.measures import measures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

State = Literal["candidate", "promoted", "rolled_back", "cancelled"]
Finding = Literal[
    "vanished", "worse", "health_worse", "better", "not_applied", "no_gain", "waiting", "applying"
]

LOOKS = 4
"""Promotion is considered when min_hours have been measured, and twice, three and four times that."""
PROMOTE_ERROR = 0.05
"""Chance to promote a release that is not `min_gain` better, over all looks."""
HARM_ERROR = 0.05
"""Chance to call a harmless release worse in some measure, over all measures and looks."""
HARM_LOOKS = 16
"""Harm is looked for after 1, 2, 4, 8, … hours, and whenever promotion is considered."""
VANISH_ERROR = 0.001
TOO_MANY = 0.75
"""So many more of the candidates gone or worse than of the others is too much, however few boxes there are."""
TOO_MANY_AFTER_H = 6
CLIP = 3.0
"""Tolerances beyond which it no longer matters how much worse a box is: one link that was down for days would hide
how all others are."""
APPLIED_SHARE = 0.8
"""Of the candidates that are there, so many must run the release before it is measured."""
SMALLEST_ARM = 2
"""Candidates, and others: of one box nobody knows how much chance there is in it."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed on."""

    metric: str
    min_gain: float
    """Of the metric before, such as 0.05."""
    min_hours: int
    """Of measuring before promotion is considered."""
    max_hours: int
    """Since the rollout began, the time until the boxes run the release included."""


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """One box of a rollout; means by measure, without those that could not be measured."""

    candidate: bool
    present: bool = True
    applied: bool = False
    before: dict[str, float] = {}
    after: dict[str, float] = {}


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What the release does to one measure. `effect` and its bounds: more is better, whatever the measure."""

    candidates: int
    others: int
    candidates_before: float
    candidates_after: float
    others_before: float
    others_after: float
    effect: float
    at_least: float
    at_most: float
    """Bounds of `effect` (Welch), each with the error of one promotion look."""
    gain: float | None
    """`effect` and its lower bound, as shares of the mean before."""
    gain_at_least: float | None
    worse_candidates: int
    """Boxes that got worse than the others usually did, by more than the tolerance."""
    worse_others: int
    worse_p: float
    """How likely so many of them are candidates by chance."""
    no_worse_than: float
    """Lower bound of the effect where boxes count as `CLIP` tolerances at most."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """All that a decision rests on."""

    candidates: int
    others: int
    candidates_present: int
    others_present: int
    applied: int
    hours: float
    """Since the rollout began."""
    measured_hours: int
    """Whole hours in which enough candidates ran the release."""
    vanished_p: float
    effects: dict[str, Effect]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of a rollout, and why."""

    state: State
    finding: Finding
    about: str | None
    """The measure that it is about."""
    figures: Figures


class _Case(NamedTuple):
    plan: Plan
    figures: Figures

    seen_hours: int
    """Measured hours when it was decided last: looks that were missed since are made up for."""

    @property
    def is_look(self) -> bool:
        return self.is_turn or self.figures.measured_hours.bit_length() > self.seen_hours.bit_length()

    @property
    def is_turn(self) -> bool:
        turn = self.plan.min_hours
        return self.figures.measured_hours // turn > self.seen_hours // turn

    @property
    def is_over(self) -> bool:
        measured = self.figures.measured_hours >= LOOKS * self.plan.min_hours
        return measured or self.figures.hours >= self.plan.max_hours

    @property
    def is_applied(self) -> bool:
        return self.figures.applied >= APPLIED_SHARE * max(self.figures.candidates_present, 1)


def _vanished(case: _Case) -> str | None:
    f = case.figures
    gone, others_gone = f.candidates - f.candidates_present, f.others - f.others_present
    many = (
        f.hours >= TOO_MANY_AFTER_H
        and f.candidates >= SMALLEST_ARM
        and _excess(gone, f.candidates, others_gone, f.others) >= TOO_MANY
    )
    return "" if many or f.vanished_p < VANISH_ERROR else None


def _worse(case: _Case) -> str | None:
    found = case.figures.effects.get(case.plan.metric)
    if found is None:
        return None
    return case.plan.metric if (case.is_turn and found.at_most < 0) or _harmed(case, found) else None


def _health_worse(case: _Case) -> str | None:
    return next((key for key, found in case.figures.effects.items() if _harmed(case, found)), None)


def _harmed(case: _Case, found: Effect) -> bool:
    excess = _excess(found.worse_candidates, found.candidates, found.worse_others, found.others)
    many = case.figures.measured_hours >= TOO_MANY_AFTER_H and excess >= TOO_MANY
    return case.is_look and (many or found.worse_p < HARM_ERROR / (HARM_LOOKS * len(measures())))


def _better(case: _Case) -> str | None:
    effects = case.figures.effects
    found = effects.get(case.plan.metric)
    if not (case.is_turn and case.is_applied) or found is None or found.gain_at_least is None:
        return None
    harmless = all(row.no_worse_than > -measures()[key].tolerance for key, row in effects.items())
    return case.plan.metric if harmless and found.gain_at_least >= case.plan.min_gain else None


def _not_applied(case: _Case) -> str | None:
    return "" if case.is_over and not case.is_applied else None


def _no_gain(case: _Case) -> str | None:
    return case.plan.metric if case.is_over else None


RULES: tuple[tuple[Callable[[_Case], str | None], Finding, State], ...] = (
    (_vanished, "vanished", "rolled_back"),
    (_worse, "worse", "rolled_back"),
    (_health_worse, "health_worse", "rolled_back"),
    (_better, "better", "promoted"),
    (_not_applied, "not_applied", "rolled_back"),
    (_no_gain, "no_gain", "rolled_back"),
    (lambda case: None if case.is_applied else "", "applying", "candidate"),
    (lambda _: "", "waiting", "candidate"),
)
"""The first that applies decides: what it looks for (the measure it is about, None where it is not so), what was
found, and what becomes of the rollout."""


def decide(
    plan: Plan, boxes: Sequence[Box], *, hours: float, measured_hours: int, seen_hours: int
) -> Verdict:
    """What is to become of a rollout that began `hours` ago and was measured for `measured_hours`.

    seen_hours: the measured hours when it was decided last, 0 the first time.
    """
    figures = _figures(boxes, hours, measured_hours)
    case = _Case(plan, figures, seen_hours)
    for rule, finding, state in RULES:
        about = rule(case)
        if about is not None:
            return Verdict(state=state, finding=finding, about=about or None, figures=figures)
    raise AssertionError("the last rule always applies")


def _figures(boxes: Sequence[Box], hours: float, measured_hours: int) -> Figures:
    ours = [box for box in boxes if box.candidate]
    others = [box for box in boxes if not box.candidate]
    here, there = sum(box.present for box in ours), sum(box.present for box in others)
    gone = len(boxes) - here - there
    effects = {}
    for key in measures():
        effect = _effect(key, ours, others)
        if effect is not None:
            effects[key] = effect
    return Figures(
        candidates=len(ours),
        others=len(others),
        candidates_present=here,
        others_present=there,
        applied=sum(box.present and box.applied for box in ours),
        hours=hours,
        measured_hours=measured_hours,
        vanished_p=_chance(len(ours) - here, len(ours), gone - len(ours) + here, len(others)),
        effects=effects,
    )


def _effect(key: str, ours: Sequence[Box], others: Sequence[Box]) -> Effect | None:
    """None where there are too few boxes with both times."""
    row = measures()[key]
    arms = [
        np.array([(box.before[key], box.after[key]) for box in arm if key in box.before and key in box.after])
        for arm in (ours, others)
    ]
    n, m = len(arms[0]), len(arms[1])
    if min(n, m) < SMALLEST_ARM:
        return None
    x, y = (row.sign * (arm[:, 1] - arm[:, 0]) for arm in arms)
    effect, margin = _welch(x, y)
    usual = np.median(y)  # what season and hour did to all
    x, y, most = x - usual, y - usual, CLIP * row.tolerance
    clipped, clipped_margin = _welch(np.clip(x, -most, most), np.clip(y, -most, most))
    worse, others_worse = int((x < -row.tolerance).sum()), int((y < -row.tolerance).sum())
    before = float(np.concatenate(arms)[:, 0].mean())
    return Effect(
        candidates=n,
        others=m,
        candidates_before=float(arms[0][:, 0].mean()),
        candidates_after=float(arms[0][:, 1].mean()),
        others_before=float(arms[1][:, 0].mean()),
        others_after=float(arms[1][:, 1].mean()),
        effect=effect,
        at_least=effect - margin,
        at_most=effect + margin,
        gain=effect / before if before > 0 else None,
        gain_at_least=(effect - margin) / before if before > 0 else None,
        worse_candidates=worse,
        worse_others=others_worse,
        worse_p=_chance(worse, n, others_worse, m),
        no_worse_than=clipped - clipped_margin,
    )


def _welch(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float]:
    """The difference of the means, and how far beside it the truth may be on either side (Welch 1947)."""
    v, w = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
    freedom = (v + w) ** 2 / (v**2 / (len(x) - 1) + w**2 / (len(y) - 1)) if v + w > 0 else 1.0
    margin = special.stdtrit(freedom, 1 - PROMOTE_ERROR / LOOKS) * np.sqrt(v + w)
    return float(x.mean() - y.mean()), float(margin)


def _chance(some: int, n: int, others: int, m: int) -> float:
    """How likely chance picks as many or more for the `n` from all that were hit (Fisher's exact test)."""
    return float(stats.hypergeom.sf(some - 1, n + m, some + others, n)) if some else 1.0


def _excess(some: int, n: int, others: int, m: int) -> float:
    """How much larger the share of `some` in `n` is."""
    return some / max(n, 1) - others / max(m, 1)
