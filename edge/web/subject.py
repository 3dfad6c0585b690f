"""What browsers are told of one person or dog in one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from edge.coach.library import exercises
from edge.store.turns import Turns, camera_plane, lead_plane, planes, seen_aslant, turn_for, turns
from edge.web.messages import Coaching, Measure, SubjectFrame

if TYPE_CHECKING:
    from edge.coach.observer import Observation
    from edge.coach.records import Cue
    from edge.link import Subject
    from edge.motion.remedy import Plane
    from edge.store.turns import Turn


def subject_frame(one: Observation, width: int, height: int) -> SubjectFrame:
    """The message's part for `one`, in a picture of this size."""
    state, points = one.state, one.subject.points()
    places = points[:, :2]
    yaw = one.measures.get("view_yaw")
    known = _without_others(
        state.exercise, turns(yaw.value if yaw is not None and one.person.species == "human" else None)
    )
    aslant = {
        key: plane for key, m in one.measures.items() if (plane := seen_aslant(key, m.reasons)) is not None
    }
    return SubjectFrame(
        id=one.person.id,
        species=one.person.species,
        skeleton=one.subject.skeleton,
        score=round(one.subject.score, 3),
        keypoints=points.round(3).tolist(),
        depth=one.subject.world is not None,
        coach=Coaching(
            exercise=state.exercise,
            given=state.given,
            phase=state.phase,
            reps=state.reps,
            partial_reps=state.partial_reps,
            hold_s=state.hold_s,
            tempo_s=state.tempo_s,
            progress=state.progress,
            set=state.set_number,
            set_reps=state.set_reps,
            measures={
                key: Measure(
                    value=None if m.value is None else round(m.value, 1),
                    grade=m.grade,
                    reasons=m.reasons,
                    turn=turn_for(aslant.get(key), m.grade, known) or UNSET,
                )
                for key, m in one.measures.items()
            },
            cut_off=bool(((places < 0) | (places > (width, height))).any()),
            set_partial_reps=state.set_partial_reps,
            set_hold_s=state.set_hold_s,
            rejected_reps=state.rejected_reps,
            left=state.left,
            right=state.right,
            set_s=_tenths(state.set_s),
            rest_s=_tenths(state.rest_s),
            cue=state.cue,
            cue_weight=None if state.cue is None else _weight(state.cue),
            turn=_turn(one.state.exercise, aslant, known),
        ),
    )


def uncounted(subject: Subject) -> SubjectFrame:
    """The message's part for somebody outside of the station."""
    return SubjectFrame(
        id=subject.id,
        species=subject.species,
        skeleton=subject.skeleton,
        score=round(subject.score, 3),
        keypoints=subject.points().round(3).tolist(),
        depth=subject.world is not None,
    )


def _tenths(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _weight(cue: Cue) -> float | None:
    row = exercises().get(cue.exercise)
    return next((rule.weight for rule in row.form if rule.id == cue.rule), None) if row is not None else None


def _without_others(exercise: str | None, known: Turns) -> Turns:
    """Only the turns into the view of the exercise: nobody should turn out of it for some other joint."""
    row = exercises().get(exercise or "")
    if row is None or row.view == "any":
        return known
    plane = lead_plane(row.id)
    return {one: turn if one == plane else None for one, turn in known.items()}


def _turn(exercise: str | None, aslant: dict[str, Plane], known: Turns) -> Turn | None:
    """The turn that helps what is done now; without an exercise the smaller, where neither plane is seen squarely."""
    row = exercises().get(exercise or "")
    if row is None:
        helpful = [turn for plane in set(aslant.values()) if (turn := known[plane])]
        return min(helpful, key=lambda turn: turn.degrees) if all(known.values()) and helpful else None
    if row.view == "any":  # then only its own angles count
        leads = {part.signal for part in row.parts if f"{part.signal}_left" in planes()}
        if leads:
            aslant = {key: plane for key, plane in aslant.items() if leads & {key, key.rpartition("_")[0]}}
    plane = lead_plane(row.id)
    if plane != camera_plane(row):  # its angle would be seen better, the exercise would not
        return None
    return known[plane] if plane is not None and plane in aslant.values() else None
