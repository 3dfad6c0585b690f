"""Pose models: the catalogue, and everything that turns published weights into verified ONNX files."""
