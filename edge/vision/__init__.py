"""Sees pixels and has no network: cameras, pose models, people with stable ids."""

import os

# Before anything here loads OpenCV, which reads these when it is loaded and when it opens its first video. A playlist
# posing as a video could name addresses: FFmpeg may open files and nothing else.
os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "protocol_whitelist;file"
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
