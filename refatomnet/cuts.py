"""Camera cuts, found while a video is decoded."""

import bisect
import math
from collections import deque
from collections.abc import Sequence
from functools import lru_cache

import av
import numpy as np

from refatomnet import video
from refatomnet.pictures import convert, plane_pixels

LEAST_CHANGE = 14.0  # mean change of brightness, of 255, that may be a cut
TIMES_USUAL = 4.0  # and how often the usual change it must be, so that shaking cameras and slow rates cut nothing
LEAST_APART = 1 / 70  # seconds between compared frames: more of them show nothing that these do not
LEAST_KNOWN, USUAL_OVER = 3, 12  # changes that the usual one is the median of
CELLS = (9, 16)  # of the small picture that is compared, down and across
SAMPLES = 4  # pixels a cell and side


class CutFinder:
    """Compares every decoded frame, up to 70 a second, with the one before, on a tiny picture of its brightness.

    A cut is a change that is large and many times the change usual just before. Fades and dissolves are none.
    """

    def __init__(self) -> None:
        self.cuts: list[int] = []  # numbers of the first frames of new shots, ascending
        self._before: np.ndarray | None = None
        self._time = -math.inf  # of that frame
        self._usual: deque[float] = deque(maxlen=USUAL_OVER)

    def watch(self, decoded: video.Decoded) -> None:
        """Look at the next frame."""
        if decoded.time - self._time < LEAST_APART:
            return
        self._time = decoded.time
        here = brightness(decoded.frame)
        if self._before is not None:
            change = float(np.abs(here - self._before).mean())
            known = len(self._usual) >= LEAST_KNOWN
            if known and change > LEAST_CHANGE and change > TIMES_USUAL * float(np.median(self._usual)):
                self.cuts.append(decoded.index)
            self._usual.append(change)
        self._before = here

    def shot(self, frame: int) -> int:
        """The first frame of the shot that a frame belongs to; 0 before any cut."""
        return first_of_shot(frame, self.cuts)


def first_of_shot(frame: int, cuts: Sequence[int]) -> int:
    """The last of ``cuts`` (ascending) that is not after a frame; 0 where there is none."""
    after = bisect.bisect_right(cuts, frame)
    return cuts[after - 1] if after else 0


def brightness(frame: av.VideoFrame) -> np.ndarray:
    """A tiny picture (9, 16) of a frame's brightness, 0 to 255; read from a few pixels, which is nearly free."""
    rows, columns = (cells * SAMPLES for cells in CELLS)
    first = frame.format.components[0]
    if first.bits == 8 and first.is_luma and frame.format.is_planar:
        pixels = plane_pixels(frame.planes[0])[_spread(frame.height, rows), _spread(frame.width, columns).T]
    else:
        pixels = convert(frame, columns, rows, "gray").to_ndarray()
    down, across = _averages()
    return np.asarray(down @ pixels.astype(np.float32) @ across)  # a third of the time that a mean over axes takes


@lru_cache(maxsize=1)
def _averages() -> tuple[np.ndarray, np.ndarray]:
    """What averages the samples of each cell, from the left (9, 36) and from the right (64, 16)."""
    down, across = (
        np.kron(np.eye(cells, dtype=np.float32), np.full(SAMPLES, 1 / SAMPLES, np.float32)) for cells in CELLS
    )
    return down, across.T


@lru_cache(maxsize=32)
def _spread(size: int, count: int) -> np.ndarray:
    """So many indices spread over ``size`` pixels (count, 1)."""
    return np.linspace(0, size - 1, count).astype(int)[:, None]
