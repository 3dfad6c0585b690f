"""What the service counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
MESSAGES = Counter("kinebox_ingest_messages", "Messages that were committed", registry=REGISTRY)
WINDOWS = Counter("kinebox_ingest_windows", "Windows that are new in the database", registry=REGISTRY)
DUPLICATES = Counter("kinebox_ingest_duplicates", "Windows that the database had already", registry=REGISTRY)
DEAD = Counter("kinebox_ingest_dead_letters", "Messages that were refused", ["reason"], registry=REGISTRY)
RETRIES = Counter("kinebox_ingest_retries", "Transactions that failed and are tried again", registry=REGISTRY)
COMMIT = Histogram(
    "kinebox_ingest_commit_seconds", "From taking a batch to its commit", registry=REGISTRY,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
BATCH = Histogram(
    "kinebox_ingest_batch_messages", "Messages of a transaction", registry=REGISTRY,
    buckets=(1, 10, 100, 500, 1000, 2500, 5000, 10000, 15000),
)  # fmt: skip
WAITING = Gauge("kinebox_ingest_waiting_messages", "Messages received and not yet taken", registry=REGISTRY)
CONNECTED = Gauge("kinebox_ingest_connected", "1 while the broker is connected", registry=REGISTRY)
UPKEEP = Gauge(
    "kinebox_ingest_upkeep_timestamp_seconds", "When rollups were last brought up to date", registry=REGISTRY
)
