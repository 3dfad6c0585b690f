"""The whole table of skeletons."""

from __future__ import annotations

import pytest

from edge.motion.skeletons import JOINTS, SKELETONS


@pytest.mark.parametrize("name", SKELETONS)
def test_row_is_consistent(name: str) -> None:
    row = SKELETONS[name]
    count = len(row.names)
    assert len(set(row.names)) == count
    assert all(0 <= a < count and 0 <= b < count and a != b for a, b in row.edges)
    assert set(row.joints) <= set(JOINTS)
    assert all("left" in row.names[a] and "right" in row.names[b] for a, b in row.pairs)
    for joint, index in row.joints.items():
        side = joint.rpartition("_")[2]
        assert side not in {"left", "right"} or side in row.names[index]


def test_blazepose_numbers_as_mediapipe_does() -> None:
    names = SKELETONS["blazepose33"].names
    assert [names[i] for i in (0, 11, 12, 23, 28, 31, 32)] == [
        "nose",
        "left_shoulder",
        "right_shoulder",
        "left_hip",
        "right_ankle",
        "left_foot_index",
        "right_foot_index",
    ]
