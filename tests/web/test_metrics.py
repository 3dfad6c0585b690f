"""Figures for Prometheus, read back with its own parser."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from edge import __version__
from edge.web.messages import Camera, Event, SubjectFrame
from tests.web.box import Box, frame, record


def figures(box: Box) -> dict[tuple[str, ...], float]:
    with box.client() as http:
        response = http.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def test_before_anything_has_happened(box: Box) -> None:
    zero = figures(box)
    for name in (
        "kinebox_frames_total",
        "kinebox_frames_dropped_total",
        "kinebox_subjects",
        "kinebox_camera_up",
        "kinebox_websocket_clients",
        "kinebox_websocket_frames_dropped_total",
        "kinebox_store_pending_events",
        "kinebox_store_commits_total",
        "kinebox_store_lost_samples_total",
    ):
        assert zero[(name,)] == 0, name
    assert zero[("kinebox_store_up",)] == 1
    assert zero[("kinebox_store_bytes",)] > 0
    assert zero[("kinebox_info", "model=blazepose", "precision=int8", f"version={__version__}")] == 1
    assert zero[("process_resident_memory_bytes",)] > 0


def test_after_some_frames_and_repetitions(box: Box) -> None:
    person = SubjectFrame(id=1, species="human", skeleton="stick3", score=1.0, keypoints=[])
    box.do(box.state.publish_camera, Camera(camera="cam0", state="live"))
    for number, dropped in enumerate((0, 3, 5, 1)):  # vision was started again before the last one
        box.do(
            box.state.publish_frame,
            frame(number, dropped=dropped, subjects=[person], waiting=2, timings={"total": 12.0}),
        )
    for kind in ("set_start", "rep", "rep", "partial_rep", "set_end"):
        box.do(box.state.publish_event, Event(subject=1, kind=kind, t=1.0, exercise="squat"))
    record(box.store)
    with box.watch() as browser:
        browser.recv(5)
        now = figures(box)
    assert now[("kinebox_frames_total",)] == 4
    assert now[("kinebox_frames_dropped_total",)] == 6
    assert now[("kinebox_frame_seconds_count", "stage=total")] == 4
    assert now[("kinebox_frame_seconds_bucket", "le=0.02", "stage=total")] == 4
    assert now[("kinebox_frame_seconds_bucket", "le=0.01", "stage=total")] == 0
    assert now[("kinebox_repetitions_total", "exercise=squat", "kind=rep")] == 2
    assert now[("kinebox_repetitions_total", "exercise=squat", "kind=partial_rep")] == 1
    assert now[("kinebox_subjects",)] == 1
    assert now[("kinebox_waiting",)] == 2
    assert now[("kinebox_camera_up",)] == 1
    assert now[("kinebox_websocket_clients",)] == 1
    assert now[("kinebox_store_commits_total",)] == 1


def test_two_boxes_in_one_process_count_apart(box: Box, shared_box: Box) -> None:
    box.do(box.state.publish_frame, frame())
    assert figures(shared_box)[("kinebox_frames_total",)] == 0
