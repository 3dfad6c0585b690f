"""Keypoints and angles over time as files of other programs: OpenSim, Sports2D, C3D readers, spreadsheets."""

from edge.export.formats import FORMATS, check_formats, export_motion, parse_formats
from edge.export.mot import mot
from edge.export.motion import Motion, Recording

__all__ = ["FORMATS", "Motion", "Recording", "check_formats", "export_motion", "mot", "parse_formats"]
