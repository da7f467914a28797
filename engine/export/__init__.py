"""A checkpoint as code: one Python file that needs only torch and safetensors, and the weights that it loads."""

from engine.export.archive import bundle
from engine.export.source import script
from engine.export.tensors import weights

__all__ = ["bundle", "script", "weights"]
