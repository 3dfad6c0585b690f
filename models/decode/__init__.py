"""From a picture to the input of a network that a user brought, and from its outputs to people in the picture."""

from models.decode.people import Poses, decode
from models.decode.picture import Affine, Box, cut, letterbox, tensor

__all__ = ["Affine", "Box", "Poses", "cut", "decode", "letterbox", "tensor"]
