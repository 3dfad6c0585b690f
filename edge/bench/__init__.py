"""`kinebox bench`: what a frame costs on this machine, beside MediaPipe's own solution on the same frames."""

from __future__ import annotations

from edge.bench.browser import run_browser
from edge.bench.report import run_bench, run_soak

__all__ = ["run_bench", "run_browser", "run_soak"]
