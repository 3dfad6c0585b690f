"""One way to open ONNX Runtime sessions in this room."""

from __future__ import annotations

import onnxruntime

# Processors with AVX2 but without VNNI add products of uint8 and int8 in 16 bits, which overflow: the landmarks
# drifted by 0.16 torso lengths instead of 0.007 and people vanished. This setting makes them add exactly, and
# changes nothing on other processors.
EXACT_SUMS = ("session.x64quantprecision", "1")


def session(model: bytes, threads: int = 2) -> onnxruntime.InferenceSession:
    """Return a session on the processor for an ONNX file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry(*EXACT_SUMS)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
