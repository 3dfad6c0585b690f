"""Pure functions: keypoints in, measurements with a grade out. No input or output, no clock."""
