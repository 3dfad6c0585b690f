"""Our own networks: a verified file, and its outputs in the order asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from edge.vision.providers import open_session
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
        self._session: Any = open_session(model_bytes(self._stage, precision), threads)

    def run(self, image: Tensor) -> list[Tensor]:
        """The outputs, in the order asked for, of `image` float32[1, 3, N, N]."""
        result: list[Tensor] = self._session.run(self._outputs, {"image": image})
        return result
