"""The box: vision without a network, a hub without a camera, and the one door between them."""

__version__ = "0.1.0"
