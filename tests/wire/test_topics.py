"""Topics: one address each, and nothing that could be another box's or everyone's."""

from __future__ import annotations

import pytest

from wire.columns import columns
from wire.metrics import metrics
from wire.topics import Address, everyone, parse

HERE = Address("acme", "gym-1", "box-7")


def test_there_and_back() -> None:
    assert HERE.topic("window") == "kinebox/v1/acme/gym-1/box-7/window"
    assert parse(HERE.topic("ack")) == (HERE, "ack")
    assert everyone("session") == "kinebox/v1/+/+/+/session"


@pytest.mark.parametrize("segment", ["", "+", "#", "a/b", "Acme", "a b", "a\n", "가", "x" * 64, "$SYS"])
def test_no_segment(segment: str) -> None:
    with pytest.raises(ValueError, match="no segment"):
        Address("acme", segment, "box-7")


@pytest.mark.parametrize(
    "topic",
    [
        "", "kinebox/v1/acme/gym-1/box-7", "kinebox/v1/acme/gym-1/box-7/picture",
        "kinebox/v2/acme/gym-1/box-7/window",
        "kinebox/v1/acme/gym-1/box-7/window/x", "x/kinebox/v1/acme/gym-1/box-7/window",
        "kinebox/v1/acme/gym-1/box-7/window\n", "kinebox/v1//gym-1/box-7/window", "kinebox/v1/+/+/+/window",
    ],
)  # fmt: skip
def test_no_topic_of_ours(topic: str) -> None:
    assert parse(topic) is None


def test_a_column_for_each_metric() -> None:
    assert list(columns()) == list(metrics())
    assert set(columns().values()) == {"real"}
