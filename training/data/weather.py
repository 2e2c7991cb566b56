"""What training does to the pictures of a clip's second copy, so that poor light, haze, grain and blur are no news.

Not the corruptions that robustness is measured with, though of their kinds: strengths go on without steps, and several
meet in one clip, or none.
"""

import math
from collections.abc import Callable
from zlib import crc32

import cv2
import numpy as np

from training.data.clips import Change
from training.data.corruptions import SIDE, line_kernel, to_bytes, to_unit

SHARE = 0.35  # of clips that each of these befalls
GAMMA, GAIN, TINT = 0.3, 0.2, 0.06  # deviation of the logarithms
VEIL = 0.8  # most that haze takes of the picture
GRAIN = 0.16  # most deviation of the noise
SWEEP, SOFT = 24, 3.0  # longest path of a moving camera, and most deviation of a lens out of focus, in pixels of SIDE


def weather(moment: str) -> Change:
    """What befalls a clip of this name: the same in every frame but for the grain; RGB uint8 [H, W, 3], in and out."""
    rng = np.random.default_rng(crc32(f"weather {moment}".encode()))
    seed = int(rng.integers(2**32))
    changes = [make(rng) for make in (_light, _veil, _blur) if rng.random() < SHARE]
    grain = rng.uniform(0, GRAIN) if rng.random() < SHARE else 0.0

    def change(image: np.ndarray, index: int) -> np.ndarray:
        unit = to_unit(image)
        for each in changes:
            unit = each(unit)
        if grain:
            unit = unit + _grain(unit, grain, np.random.default_rng([seed, index]))
        return to_bytes(unit)

    return change


def _light(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """Exposure, curve and tint of another camera."""
    gamma, gain = np.exp(rng.normal(0, (GAMMA, GAIN)))
    tint = np.exp(rng.normal(0, TINT, 3)).astype(np.float32)
    return lambda unit: np.clip(unit**gamma * gain * tint, 0, 1)


def _veil(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """Haze: the picture draws near one colour, here more and there less, and that colour is uneven itself."""
    share, uneven = rng.uniform(0, VEIL), rng.uniform(0, 1)
    grey, own = rng.uniform(0.2, 1), rng.random() < 0.5
    rough = [rng.uniform(0, 1, (2**octave + 1,) * 2).astype(np.float32) for octave in range(1, rng.integers(3, 7))]

    def change(unit: np.ndarray) -> np.ndarray:
        height, width = unit.shape[:2]
        field = sum(cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC) / 1.7**i
                    for i, cells in enumerate(rough))  # fmt: skip
        field = 2 * (field - np.min(field)) / max(float(np.ptp(field)), 1e-6) - 1
        colour = unit.mean((0, 1)) if own else np.float32(grey)
        thick = share * (1 - 0.3 * uneven * (1 - field[..., None]) / 2)
        return (1 - thick) * unit + thick * (colour + 0.5 * uneven * field[..., None])

    return change


def _blur(rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """A camera that moves, or is out of focus."""
    angle, length, soft = rng.uniform(0, math.pi), rng.uniform(2, SWEEP), rng.uniform(0.5, SOFT)
    moves = rng.random() < 0.6

    def change(unit: np.ndarray) -> np.ndarray:
        scale = min(unit.shape[:2]) / SIDE
        if not moves:
            return cv2.GaussianBlur(unit, (0, 0), soft * scale)
        kernel = line_kernel(np.ones(max(2, round(4 * length * scale))), length * scale, angle)
        return cv2.filter2D(unit, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)

    return change


def _grain(unit: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Noise, stronger where there is more light, no finer than a pixel of SIDE."""
    height, width = unit.shape[:2]
    coarse = max(1, round(min(height, width) / SIDE))
    cells = rng.standard_normal((-(-height // coarse), -(-width // coarse), 3), dtype=np.float32)
    noise = cv2.resize(cells, (width, height), interpolation=cv2.INTER_NEAREST)
    return deviation * noise * np.sqrt(0.15 + unit.mean(2, keepdims=True))
