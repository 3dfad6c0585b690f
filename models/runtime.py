"""One way to open ONNX Runtime sessions in this room."""

from __future__ import annotations

import onnxruntime


def session(model: bytes, threads: int = 2) -> onnxruntime.InferenceSession:
    """Return a session on the processor for an ONNX file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
