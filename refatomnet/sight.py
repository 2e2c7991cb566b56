"""What the network makes of a video's pictures as they come: who is on each, and the tokens of windows of them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import itemgetter

import numpy as np
import torch

from refatomnet.encoders import Features
from refatomnet.fusion import ClipTokens
from refatomnet.model import People, RavarModel
from refatomnet.preprocess import Letterbox

_PICTURES_AT_ONCE, _WINDOWS_AT_ONCE = 8, 16


class Sight:
    """Runs the network over the pictures of one video, in their order.

    A subclass may run it elsewhere: all that goes in and comes out is given to and returned by :meth:`look`.

    Args:
        model: The model, on ``device``.
        letterbox: Where pictures lie on its canvas.
        device: Where the model runs.
    """

    pictures_at_once = _PICTURES_AT_ONCE  # how many a call of look is best given

    def __init__(self, model: RavarModel, letterbox: Letterbox, device: str) -> None:
        self.model = model
        self.letterbox = letterbox
        self.device = device
        self._kept: dict[float, tuple[Features, ...]] = {}  # of each view

    @torch.inference_mode()
    def look(
        self, pictures: Mapping[float, np.ndarray], windows: Sequence[Sequence[float]]
    ) -> tuple[People, ClipTokens | None]:
        """Take in the next pictures, and all windows that are complete with them.

        Args:
            pictures: RGB uint8 (h, w, 3) by their moment in seconds; at least one.
            windows: By window, the moments of its T pictures, given now or before and not forgotten.

        Returns:
            Who is on each of the pictures, on the CPU; the tokens of the windows, None without any.
        """
        moments = list(pictures)
        people = []
        for begin in range(0, len(moments), _PICTURES_AT_ONCE):
            some = moments[begin : begin + _PICTURES_AT_ONCE]
            images = [pictures[moment] for moment in some]
            pixels = self.model.encoder.prepare(images, self.letterbox).to(self.device)
            found, kept = self.model.glance(*self.model.encode_views(pixels))
            people.append(found)
            for i, moment in enumerate(some):
                self._kept[moment] = tuple(view.map(itemgetter(i)) for view in kept)
        tokens = []
        for begin in range(0, len(windows), _WINDOWS_AT_ONCE):
            stacks = [
                [Features.stack(list(view)) for view in zip(*(self._kept[moment] for moment in window), strict=True)]
                for window in windows[begin : begin + _WINDOWS_AT_ONCE]
            ]
            tokens.append(self.model.encode(*(Features.stack(list(view)) for view in zip(*stacks, strict=True))))
        return People(*(torch.cat(parts).cpu() for parts in zip(*people, strict=True))), _joined(tokens)

    def forget(self, before: float) -> None:
        """No window will ask for what came before this moment."""
        self._kept = {moment: kept for moment, kept in self._kept.items() if moment >= before}


def _joined(parts: list[ClipTokens]) -> ClipTokens | None:
    if not parts:
        return None
    return ClipTokens(**{f.name: torch.cat([getattr(part, f.name) for part in parts]) for f in fields(ClipTokens)})
