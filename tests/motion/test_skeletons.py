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
    assert all(row.names[a].replace("left", "right") == row.names[b] for a, b in row.pairs)
    assert {name for name in row.names if "left" in name} == {row.names[a] for a, _ in row.pairs}
    assert len(set(row.joints.values())) == len(row.joints)
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


def test_coco_and_lsp_number_as_their_data_sets_do() -> None:
    coco, lsp = SKELETONS["coco17"].names, SKELETONS["lsp14"].names
    assert [coco[i] for i in (0, 5, 10, 11, 16)] == [
        "nose",
        "left_shoulder",
        "right_wrist",
        "left_hip",
        "right_ankle",
    ]
    assert [lsp[i] for i in (0, 5, 6, 11, 12, 13)] == [
        "right_ankle",
        "left_ankle",
        "right_wrist",
        "left_wrist",
        "neck",
        "head_top",
    ]


def test_dog_numbers_as_stanford_extra_does() -> None:
    # keypoint_definitions.csv of github.com/benjiebob/StanfordExtra
    names = SKELETONS["dog24"].names
    assert [names[i] for i in (0, 1, 2, 3, 6, 9, 11)] == [
        "left_front_paw",
        "left_front_middle",
        "left_front_top",
        "left_hind_paw",
        "right_front_paw",
        "right_hind_paw",
        "right_hind_top",
    ]
    assert names[12:] == (
        *("tail_base", "tail_end", "left_ear_base", "right_ear_base", "nose", "chin"),
        *("left_ear_tip", "right_ear_tip", "left_eye", "right_eye", "withers", "throat"),
    )


def test_a_dogs_paws_stand_where_hands_and_feet_do() -> None:
    row = SKELETONS["dog24"]
    assert row.names[row.joints["wrist_left"]] == "left_front_paw"
    assert row.names[row.joints["knee_right"]] == "right_hind_middle"
    assert row.names[row.joints["ankle_right"]] == "right_hind_paw"
