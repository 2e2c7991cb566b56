"""What loads the page's predictors, decided when it starts; light, so that the page need not wait for PyTorch."""

import importlib
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from refatomnet.demo.handlers import AnyPredictor

log = logging.getLogger(__name__)

Choose = Callable[[str, str], "AnyPredictor"]


def choose_predictor() -> Choose:
    """What loads a checkpoint on a device: on a ZeroGPU Space by borrowing its GPU, else the ordinary predictor.

    To be called before the page is launched: by then the Space wants to know what will borrow its GPU.
    """
    if os.environ.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):
        return _ordinary
    try:
        spaces = importlib.import_module("spaces")
    except ImportError:
        log.warning("the package spaces is not there, so the GPU of this Space cannot be borrowed; the CPU is used")
        return lambda checkpoint, device: _ordinary(checkpoint, "cpu")
    from refatomnet.demo.zerogpu import Borrower

    borrower = Borrower(spaces.GPU)

    def choose(checkpoint: str, device: str) -> "AnyPredictor":
        if device == "cpu":
            return _ordinary(checkpoint, device)
        return cast("AnyPredictor", borrower.load(checkpoint))

    return choose


def _ordinary(checkpoint: str, device: str) -> "AnyPredictor":
    from refatomnet.predictor import Predictor

    return cast("AnyPredictor", Predictor.from_pretrained(checkpoint, device=device))
