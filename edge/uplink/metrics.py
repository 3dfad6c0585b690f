"""The uplink's figures for Prometheus, read whenever they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from edge.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from edge.uplink.uplink import Uplink


class UplinkCollector(Collector):
    """How much waits for the cloud, and how it goes."""

    def __init__(self, uplink: Uplink) -> None:
        self._uplink = uplink

    def collect(self) -> Iterator[Metric]:
        """The figures of this moment."""
        up = self._uplink
        yield GaugeMetricFamily(
            "kinebox_uplink_connected", "1 while the broker knows us", value=up.connection.up
        )
        yield CounterMetricFamily("kinebox_uplink_sent", "Messages sent", value=up.sender.sent)
        yield CounterMetricFamily(
            "kinebox_uplink_resent", "Of these, messages sent again", value=up.sender.resent
        )
        yield CounterMetricFamily(
            "kinebox_uplink_refused", "Messages that the broker refused", value=up.connection.refused
        )
        yield CounterMetricFamily(
            "kinebox_uplink_strange_acks",
            "Acknowledgements that were not for this box",
            value=up.strange_acks,
        )
        if up.desired is not None:
            yield GaugeMetricFamily(
                "kinebox_uplink_desired_serial",
                "Serial of the desired state, 0 without one",
                value=up.desired.serial,
            )
            yield CounterMetricFamily(
                "kinebox_uplink_desired_refused",
                "Desired states that were refused",
                value=up.desired.refused.total(),
            )
        yield GaugeMetricFamily(
            "kinebox_outbox_up",
            "1 unless the outbox could not be written or an earlier one was damaged",
            value=up.outbox.problem is None and up.outbox.damaged is None,
        )
        try:
            level = up.outbox.level()
        except StoreError:
            return
        yield GaugeMetricFamily("kinebox_outbox_rows", "Messages that wait for the cloud", value=level.rows)
        yield GaugeMetricFamily("kinebox_outbox_bytes", "Their size", value=level.bytes)
        yield GaugeMetricFamily(
            "kinebox_outbox_hours", "Age of the oldest message that waits", value=up.hours_waiting(level)
        )
        yield GaugeMetricFamily(
            "kinebox_outbox_hours_left",
            "Hours of recording until the oldest windows are given up; NaN while nothing is recorded",
            value=float("nan") if (left := up.hours_left(level)) is None else left,
        )
        yield CounterMetricFamily("kinebox_outbox_given_up", "Messages given up unsent", value=level.given_up)
