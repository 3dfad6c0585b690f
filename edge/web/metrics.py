"""Figures for Prometheus, in a registry of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from edge import __version__
from edge.trouble import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from edge.store import Store
    from edge.web.broadcast import Broadcaster
    from edge.web.records import ModelInfo

STAGE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.033, 0.05, 0.067, 0.1, 0.2, 0.5, 1.0)
"""Bucket edges; 0.033 and 0.067 are one frame at 30 and 15 frames a second."""


PICTURE = ("brightness", "contrast", "sharpness", "noise", "fps")
"""Fields of `CameraView` that are told."""


class HubMetrics:
    """What is counted while frames and events pass."""

    def __init__(self, clients: Broadcaster) -> None:
        """Register every figure; `clients` is read whenever the figures are asked for."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.info = Info("kinebox", "Software and model in use", registry=self.registry)
        self.frames = Counter("kinebox_frames", "Frames that reached the hub", registry=self.registry)
        self.frames_dropped = Counter(
            "kinebox_frames_dropped", "Frames the hub was too slow for", registry=self.registry
        )
        self.frame_seconds = Histogram(
            "kinebox_frame_seconds",
            "Time spent on a frame, by stage",
            ["stage"],
            buckets=STAGE_SECONDS,
            registry=self.registry,
        )
        self.repetitions = Counter(
            "kinebox_repetitions",
            "Repetitions, by exercise and by kind (rep, partial_rep)",
            ["exercise", "kind"],
            registry=self.registry,
        )
        self.subjects = Gauge(
            "kinebox_subjects", "People and dogs in the newest frame", registry=self.registry
        )
        self.waiting = Gauge(
            "kinebox_waiting",
            "Known people who were not read in the newest frame, because they take turns",
            registry=self.registry,
        )
        self.troubles = Counter(
            "kinebox_troubles",
            "How often something began to be wrong with the box, by kind",
            ["kind"],
            registry=self.registry,
        )
        self.trouble = Gauge(
            "kinebox_trouble", "1 while this is wrong with the box", ["kind"], registry=self.registry
        )
        for kind in KINDS:
            self.troubles.labels(kind.code)
            self.trouble.labels(kind.code)
        self.picture = Gauge(
            "kinebox_picture",
            "How the camera's pictures are: brightness, contrast and noise (0-255), sharpness, fps",
            ["of"],
            registry=self.registry,
        )
        self.camera_up = Gauge("kinebox_camera_up", "1 while the camera is live", registry=self.registry)
        self.registry.register(_ClientCollector(clients))

    def tell(self, model: ModelInfo) -> None:
        """This model is in use."""
        self.info.info({"version": __version__, "model": model.name, "precision": model.precision})

    def watch_store(self, store: Store) -> None:
        """Add the store's figures, read from it whenever they are asked for."""
        self.registry.register(_StoreCollector(store))

    def text(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self.registry)


class _ClientCollector(Collector):
    def __init__(self, clients: Broadcaster) -> None:
        self._clients = clients

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "kinebox_websocket_clients", "Browsers that watch live", value=len(self._clients)
        )
        yield CounterMetricFamily(
            "kinebox_websocket_frames_dropped",
            "Frames that browsers were too slow for",
            value=self._clients.dropped,
        )


class _StoreCollector(Collector):
    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        store = self._store
        yield GaugeMetricFamily(
            "kinebox_store_up", "1 unless the last write to the database failed", value=store.problem is None
        )
        yield GaugeMetricFamily(
            "kinebox_store_pending_events", "Events that are not yet on the disk", value=store.pending
        )
        yield GaugeMetricFamily(
            "kinebox_store_bytes", "Size of the database file", value=store.path.stat().st_size
        )
        yield CounterMetricFamily(
            "kinebox_store_commits", "Groups of events written to the database", value=store.commits
        )
        yield CounterMetricFamily(
            "kinebox_store_lost_samples",
            "Samples given up because the disk stayed full",
            value=store.lost_samples,
        )
