"""MediaPipe's own solution over single pictures, in its own environment: a path a line in, a JSON text a line out.

An answer is 33 x [x, y] in pixels, or null where nobody was found.
"""

from __future__ import annotations

import json
import os
import sys

import cv2
import numpy as np


def main() -> None:
    """Serve until standard input closes."""
    # What a library prints must not end up between our answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    import mediapipe as mp  # type: ignore[import-not-found]  # noqa: PLC0415 - only here

    pose = mp.solutions.pose.Pose(model_complexity=1, static_image_mode=True)
    for line in sys.stdin:
        picture = cv2.imread(line.rstrip("\n"), cv2.IMREAD_COLOR)
        if picture is None:
            sys.exit(f"cannot read {line.rstrip()}")
        height, width = picture.shape[:2]
        found = pose.process(np.ascontiguousarray(picture[:, :, ::-1])).pose_landmarks
        points = found and [[point.x * width, point.y * height] for point in found.landmark]
        print(json.dumps(points), file=answers)


if __name__ == "__main__":
    main()
