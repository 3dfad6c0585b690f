"""What both models make of pictures on this processor: `outputs.py PICTURES.npy OUTPUTS.npz PRECISION...`.

Runs natively and emulated, so it stands on what a box has installed, and on no test library.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from edge.vision.detector import Detector
from edge.vision.landmarks import LandmarkModel
from edge.vision.people import People
from models.figure import draw
from models.regions import DETECTOR_SIZE, LANDMARK_SIZE, detector_input, landmark_input

if TYPE_CHECKING:
    from edge.vision.inference import Precision

RATE = 30.0


def main(pictures: str, outputs: str, *precisions: Precision) -> None:
    """Write the networks' raw outputs for a drawn person, and the keypoints of who is followed in the pictures."""
    found = {}
    footage = np.load(pictures)
    for precision in precisions:
        for model, tensor in (
            (Detector(precision, 1), detector_input(draw(DETECTOR_SIZE))),
            (LandmarkModel(precision, 1), landmark_input(draw(LANDMARK_SIZE))),
        ):
            for index, output in enumerate(model.network.run(np.ascontiguousarray(tensor))):
                found[f"{precision} {type(model).__name__} {index}"] = output
        pipeline = People(precision)
        for number, bgr in enumerate(footage):
            for subject in pipeline.process(bgr, number / RATE):
                found[f"{precision} keypoints {number}"] = subject.points()
    np.savez(outputs, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
