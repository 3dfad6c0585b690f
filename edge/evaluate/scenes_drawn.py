"""Scenes drawn by chance: more of the same kind as the rows, to see whether these were only learnt by heart."""

from __future__ import annotations

import numpy as np

from edge.evaluate.scenes import HEIGHT, WIDTH, Person, Scene

_ROOMS = (
    "gait/gait_abnormal_08_no_arm_swing.mp4",
    "exercise/sidelunge_01.mp4",
    "exercise/squat_01.mp4",
    "gait/sports2d_demo.mp4",
)
_PEOPLE = (
    (("exercise/squat_01.mp4", 0.0), ("exercise/lunge_01.mp4", 0.0), ("exercise/climber_01.mp4", 0.0)),
    (("exercise/sidelunge_01.mp4", 0.0), ("exercise/pushup_01.mp4", 0.0)),
    (("exercise/jack_03a.mp4", 0.0),),
    (("exercise/overheadclap_01.mp4", 4.0), ("exercise/overheadclap_01.mp4", 12.0)),
    (("exercise/jack_01a.mp4", 0.0),),
)
"""One line a person: clips and where they start. Nobody is twice in a scene."""
_WALKERS = (
    (("exercise/walk_01.mp4", (0.7, 2.9), False), ("exercise/walk_01.mp4", (7.81, 9.68), False)),
    (("gait/gait_normal_01.mp4", (1.07, 3.37), True),),
    (("gait/gait_abnormal_05_limping.mp4", (2.58, 5.0), False),),
)
"""One line a person: clips, whole strides, and whether they go to the right."""
_SECONDS = 11.0
_PACE = 0.75
"""Heights a second."""


def draw(seed: int) -> Scene:
    """A scene of one to three people who exercise and one to three who walk past them; the same for the same seed."""
    random = np.random.default_rng(1000 + seed)
    stand, walk = int(random.integers(1, 4)), int(random.integers(1, 4))
    people: list[Person] = []
    for place, line in enumerate(random.permutation(len(_PEOPLE))[:stand]):
        clip, start = _PEOPLE[line][int(random.integers(len(_PEOPLE[line])))]
        height = float(random.uniform(0.22, 0.45))
        x = (place + float(random.uniform(0.35, 0.65))) / stand
        foot = _foot(height, random)
        path = ((0.0, x, foot, height), (_SECONDS, x, foot, height))
        people.append(Person(who=clip, clip=clip, start=start, path=path))
    for line in random.permutation(len(_WALKERS))[:walk]:
        clip, loop, right = _WALKERS[line][int(random.integers(len(_WALKERS[line])))]
        height = float(random.uniform(0.25, 0.48))
        turned = bool(random.integers(2))
        begin = float(random.uniform(0.0, 4.0))
        ends = (-0.05, 1.05) if right != turned else (1.05, -0.05)
        lasts = 1.1 * WIDTH / (_PACE * height * HEIGHT)
        foot = _foot(height, random)
        path = ((begin, ends[0], foot, height), (begin + lasts, ends[1], foot, height))
        people.append(
            Person(who=clip, clip=clip, start=loop[0], loop=loop, flip=turned, walks=True, path=path)
        )
    room = _ROOMS[int(random.integers(len(_ROOMS)))]
    return Scene(name=f"drawn {seed}", room=room, seconds=_SECONDS, people=tuple(people), seed=seed)


def _foot(height: float, random: np.random.Generator) -> float:
    """Who is larger stands nearer, as a share of the picture's height."""
    return 0.55 + height + float(random.uniform(-0.03, 0.03)) - max(height - 0.42, 0.0)
