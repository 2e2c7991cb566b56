"""Referring atomic video action recognition: what is the described person in this video doing?

Axis letters used throughout: B batch, T frames, N tokens a frame, K cues (words or detections), M detections, P people,
S sentences, L words, C places (tokens pooled 2x2), R branches, D width, A actions (80), H W pixels.
"""

from typing import TYPE_CHECKING, Any

from refatomnet.errors import RefAtomNetError
from refatomnet.types import Result

if TYPE_CHECKING:
    from refatomnet.predictor import Predictor

__version__ = "0.3.0"
__all__ = ["Predictor", "RefAtomNetError", "Result", "__version__"]


def __getattr__(name: str) -> Any:
    """Load the predictor, and PyTorch with it, only when it is asked for."""
    if name == "Predictor":
        from refatomnet.predictor import Predictor

        return Predictor
    raise AttributeError(f"module 'refatomnet' has no attribute {name!r}")
