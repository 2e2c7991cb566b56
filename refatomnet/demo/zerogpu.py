"""The GPU of a ZeroGPU Space, which is lent by the call: the network alone runs there, all else stays where it is.

A call runs in a process forked from ours, and what goes in and out is pickled. So one call takes the pictures of a
minute of video, as bytes of the size the model sees, and returns who is on them and the tokens of its windows.
Decoding, answering sentences (some milliseconds a key frame) and drawing stay on the CPU, where the model is too.

Imported on such a Space only, and after ``spaces``, which must come before PyTorch.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, fields
from typing import Any

import numpy as np
import torch

from refatomnet.checkpoint import load_checkpoint
from refatomnet.fusion import ClipTokens
from refatomnet.model import People, RavarModel
from refatomnet.predictor import Predictor
from refatomnet.preprocess import Letterbox
from refatomnet.sight import Sight

PICTURES_A_CALL = 512  # a minute at the usual stride; at most 94 MB
START_S, PICTURE_S, MOST_S = 10.0, 0.04, 60  # to fork and move the model over; a picture, generously; a call at most


class Borrower:
    """Loads predictors that look at videos on the borrowed GPU. To be made before the page is launched.

    Args:
        lend: ``spaces.GPU``, or what takes a duration and decorates a function as it does.
    """

    def __init__(self, lend: Callable[..., Any]) -> None:
        self._models: dict[str, RavarModel] = {}  # a forked process finds here what was loaded before it began
        self._home = os.getpid()
        self.borrowed = lend(duration=seconds_for)(self._look)

    def load(self, checkpoint: str) -> Predictor:
        """A predictor that answers on the CPU and looks at videos on the GPU."""
        predictor = Predictor.from_pretrained(checkpoint, device="cpu")
        if not isinstance(predictor.model, RavarModel):  # the other tier is not lent a GPU by the call
            return predictor
        self._models[checkpoint] = predictor.model
        predictor.sight = lambda model, box, device: FarSight(model, box, device, self.borrowed, checkpoint)
        return predictor

    def _look(
        self, checkpoint: str, pictures: np.ndarray, windows: np.ndarray, box: tuple[int, ...]
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """In the process that has the GPU: look at pictures uint8 (M, h, w, 3) and windows of their indices (K, T)."""
        away = os.getpid() != self._home
        if away:
            torch.set_num_threads(1)  # a forked process would wait for threads that it did not inherit
        device = "cuda" if away and torch.cuda.is_available() else "cpu"
        if checkpoint not in self._models:  # the process was forked before this checkpoint was loaded
            self._models[checkpoint] = load_checkpoint(checkpoint)[0]
        sight = Sight(self._models[checkpoint].to(device), Letterbox(*box), device)
        people, tokens = sight.look(dict(enumerate(pictures)), windows.tolist())
        return [part.numpy() for part in people], {} if tokens is None else _pack(tokens)


class FarSight(Sight):
    """Keeps pictures, and lets a function on the borrowed GPU look at them."""

    pictures_at_once = PICTURES_A_CALL

    def __init__(
        self, model: RavarModel, letterbox: Letterbox, device: str, borrowed: Callable[..., Any], checkpoint: str
    ) -> None:
        super().__init__(model, letterbox, device)
        self._borrowed, self._checkpoint = borrowed, checkpoint
        self._pictures: dict[float, np.ndarray] = {}

    def look(
        self, pictures: Mapping[float, np.ndarray], windows: Sequence[Sequence[float]]
    ) -> tuple[People, ClipTokens | None]:
        """As of Sight, in one call."""
        self._pictures |= pictures
        moments = sorted({moment for window in windows for moment in window} | pictures.keys())
        number = {moment: i for i, moment in enumerate(moments)}
        rows = np.array([[number[moment] for moment in window] for window in windows], dtype=np.int64)
        stack = np.stack([self._pictures[moment] for moment in moments])
        people, tokens = self._borrowed(self._checkpoint, stack, rows, astuple(self.letterbox))
        fresh = [number[moment] for moment in pictures]
        told = {name: torch.from_numpy(values) for name, values in tokens.items()}
        return People(*(torch.from_numpy(part[fresh]) for part in people)), ClipTokens(**told) if told else None

    def forget(self, before: float) -> None:
        """As of Sight."""
        self._pictures = {moment: picture for moment, picture in self._pictures.items() if moment >= before}


def seconds_for(checkpoint: str, pictures: np.ndarray, *rest: Any) -> int:
    """How long a call may take, by the length of video it is about."""
    return min(MOST_S, round(START_S + PICTURE_S * len(pictures)))


def _pack(tokens: ClipTokens) -> dict[str, np.ndarray]:
    """Arrays of the tokens, the large ones in half precision, as they will be kept."""
    parts = {field.name: getattr(tokens, field.name) for field in fields(ClipTokens)}
    return {name: (part.half() if name == "tokens" else part).cpu().numpy() for name, part in parts.items()}
