"""One place that opens ONNX sessions, so that every model runs under the same limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from models.load import model_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

Stage = Literal["detector", "landmark"]
Precision = Literal["int8", "fp32"]
Tensor = npt.NDArray[np.float32]


class Network:
    """A verified model, ready to run."""

    def __init__(self, stage: Stage, precision: Precision, threads: int, outputs: Sequence[str]) -> None:
        """Load `stage`; ModelError when its file is missing or damaged."""
        self._stage: Stage = stage
        self._outputs = list(outputs)
        self.load(precision, threads)

    def load(self, precision: Precision, threads: int) -> None:
        """Compute in this way from now on; ModelError, and as before, when its file is missing or damaged."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning workers would burn a core between frames: the camera, not the model, sets the pace.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session: Any = ort.InferenceSession(
            model_bytes(self._stage, precision), options, providers=["CPUExecutionProvider"]
        )

    def run(self, image: Tensor) -> list[Tensor]:
        """The outputs, in the order asked for, of `image` float32[1, 3, N, N]."""
        result: list[Tensor] = self._session.run(self._outputs, {"image": image})
        return result
