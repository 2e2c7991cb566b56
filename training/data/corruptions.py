"""Seven ways a clip can be spoilt, at five levels each: to measure how well a model bears what it was not trained on.

Strengths are those of ImageNet-C (Hendrycks and Dietterich, 2019) for the six it has; the rain is our own. They were
made for pictures of 224 pixels, so lengths here grow with the frame's shorter side. A clip is spoilt as a whole: it
keeps one field of fog, one direction of blur, and one rain that falls on from frame to frame; noise is fresh in every
frame. All of it follows from the clip's name. Frames are RGB uint8 [H, W, 3], in and out.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from zlib import crc32

import cv2
import numpy as np

from refatomnet.errors import OptionError
from refatomnet.records import Record
from training.data.clips import Change

LEVELS = (1, 2, 3, 4, 5)
SIDE = 224  # shorter side, in pixels, of the pictures the strengths were made for

PHOTONS = (60, 25, 12, 5, 3)  # of a white pixel
FOG = ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))  # thickness; how much each finer octave is weaker
BRIGHTER = (0.1, 0.2, 0.3, 0.4, 0.5)  # added to the value of HSV
BLUR = ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15))  # half the length and deviation, in pixels
CONTRAST = (0.4, 0.3, 0.2, 0.1, 0.05)  # what is left of it
SATURATION = ((0.3, 0.0), (0.1, 0.0), (2.0, 0.0), (5.0, 0.1), (20.0, 0.2))  # factor and summand: first pale, then gaudy
RAIN = ((180, 0.4, 0.06), (350, 0.47, 0.12), (600, 0.54, 0.18), (950, 0.61, 0.24), (1400, 0.68, 0.3))
# Streaks in a picture of SIDE by SIDE, how opaque the nearest are, and how much grey the air between adds.
SHEETS = ((0.15, 26, 1.0, 2.6), (0.3, 15, 0.7, 1.8), (0.55, 8, 0.45, 1.2))
# Of rain, near to far: share of the streaks, their length in pixels, opacity, and frame heights they fall in a second.
WIND = math.radians(14)  # most that streaks lean
WATER = 0.85  # lightness of a streak


@dataclass(frozen=True)
class Corruption:
    """One of ``CORRUPTIONS`` at a level from 1 to 5; of saturation, levels 1 and 2 take colour away, the rest add.

    Raises:
        OptionError: If there is no such corruption or level.
    """

    name: str
    level: int

    def __post_init__(self) -> None:
        if self.name not in CORRUPTIONS:
            raise OptionError(f"there is no corruption {self.name!r}; choose from {', '.join(CORRUPTIONS)}")
        if self.level not in LEVELS:
            raise OptionError(f"the level of a corruption goes from 1 to 5, got {self.level}")

    @classmethod
    def parse(cls, text: str) -> "Corruption":
        """From "fog:3".

        Raises:
            OptionError: If it is not of that form, or there is no such corruption or level.
        """
        name, colon, level = text.partition(":")
        if not colon or not level.isdecimal():
            raise OptionError(f"a corruption is given as NAME:LEVEL, as in fog:3, got {text!r}")
        return cls(name, int(level))

    def of(self, record: Record) -> Change:
        """What it does to the frames of a record's clip."""
        return self.on(record.source, record.fps)

    def on(self, clip: str, fps: float) -> Change:
        """What it does to the frames of the clip of this name, of so many frames a second."""
        return CORRUPTIONS[self.name](self.level - 1, crc32(f"{self.name} {clip}".encode()), fps)


# ---- light --------------------------------------------------------------------------------------------------------
def _shot_noise(level: int, seed: int, fps: float) -> Change:
    """Few photons reach each pixel, so their number is uneven; a large frame gets its grain as if it were small."""

    def change(image: np.ndarray, index: int) -> np.ndarray:
        height, width = image.shape[:2]
        grain = max(1, round(min(height, width) / SIDE))
        small = to_unit(cv2.resize(image, (width // grain, height // grain), interpolation=cv2.INTER_AREA))
        caught = np.random.default_rng([seed, index]).poisson(small * PHOTONS[level]) / PHOTONS[level]
        noise = (np.minimum(caught, 1) - small).astype(np.float32)
        return to_bytes(to_unit(image) + cv2.resize(noise, (width, height), interpolation=cv2.INTER_NEAREST))

    return change


def _brightness(level: int, seed: int, fps: float) -> Change:
    return lambda image, index: _in_hsv(image, 2, 1, BRIGHTER[level])


def _saturation(level: int, seed: int, fps: float) -> Change:
    return lambda image, index: _in_hsv(image, 1, *SATURATION[level])


def _in_hsv(image: np.ndarray, channel: int, factor: float, summand: float) -> np.ndarray:
    """Scale and shift saturation (1) or value (2)."""
    hsv = cv2.cvtColor(to_unit(image), cv2.COLOR_RGB2HSV)
    hsv[..., channel] = np.clip(hsv[..., channel] * factor + summand, 0, 1)
    return to_bytes(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def _contrast(level: int, seed: int, fps: float) -> Change:
    """Colours draw near the frame's mean."""

    def change(image: np.ndarray, index: int) -> np.ndarray:
        unit = to_unit(image)
        mean = unit.mean((0, 1))
        return to_bytes((unit - mean) * CONTRAST[level] + mean)

    return change


# ---- air and water ------------------------------------------------------------------------------------------------
def _fog(level: int, seed: int, fps: float) -> Change:
    thickness, decay = FOG[level]
    field = cache(partial(fog_field, decay=decay, seed=seed))

    def change(image: np.ndarray, index: int) -> np.ndarray:
        unit = to_unit(image)
        lightest = unit.max()
        fogged = unit + thickness * field(*image.shape[:2])[..., None]
        return to_bytes(fogged * lightest / (lightest + thickness))

    return change


def fog_field(height: int, width: int, *, decay: float, seed: int) -> np.ndarray:
    """Thickness of fog in [0, 1], float32 [H, W]: octaves of smooth noise, each half as wide and weaker by decay."""
    rng = np.random.default_rng(seed)
    octaves = int(math.log2(SIDE))
    longer = max(height, width)
    field = np.zeros((longer, longer), np.float32)
    for octave in range(octaves):
        cells = 2**octave + 1
        rough = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
        field += cv2.resize(rough, (longer, longer), interpolation=cv2.INTER_CUBIC) / np.float32(decay**octave)
    field = field[:height, :width]
    return (field - field.min()) / max(float(np.ptp(field)), 1e-6)


def _rain(level: int, seed: int, fps: float) -> Change:
    streaks, opacity, veil = RAIN[level]
    lean = np.random.default_rng(seed).uniform(-WIND, WIND)
    sheets = cache(partial(rain_sheets, streaks=streaks, lean=lean, seed=seed))

    def change(image: np.ndarray, index: int) -> np.ndarray:
        height, width = image.shape[:2]
        unit = to_unit(image)
        unit += veil * (unit.mean() * 0.5 + 0.35 - unit)
        for sheet, (_, _, strength, speed) in zip(sheets(height, width), SHEETS, strict=True):
            fallen = speed * height * index / fps
            shift = round(fallen), round(fallen * math.tan(lean))
            unit += opacity * strength * np.roll(sheet, shift, (0, 1))[..., None] * (WATER - unit)
        return to_bytes(unit)

    return change


def rain_sheets(height: int, width: int, *, streaks: float, lean: float, seed: int) -> list[np.ndarray]:
    """Streaks in [0, 1], float32 [H, W], near to far; left and right ends fit, and so do top and bottom."""
    rng = np.random.default_rng([seed, 1])
    scale = min(height, width) / SIDE
    sheets = []
    for share, length, _, _ in SHEETS:
        count = round(share * streaks * height * width / (scale * SIDE) ** 2)
        drops = np.zeros((height, width), np.float32)
        drops[rng.integers(height, size=count), rng.integers(width, size=count)] = rng.uniform(0.5, 1, count)
        along = np.sin(np.linspace(0, np.pi, max(3, round(4 * length * scale))))  # fades in and out
        kernel = line_kernel(along, length * scale, math.pi / 2 - lean)
        kernel = cv2.GaussianBlur(kernel, (0, 0), 0.45 * scale)
        kernel = kernel / kernel.max()
        rim = kernel.shape[0] // 2
        streaked = cv2.filter2D(np.pad(drops, rim, mode="wrap"), -1, kernel[::-1, ::-1])
        sheets.append(np.minimum(streaked[rim : rim + height, rim : rim + width], 1))
    return sheets


# ---- camera -------------------------------------------------------------------------------------------------------
def _motion_blur(level: int, seed: int, fps: float) -> Change:
    """A sweep that starts sharp and fades, its centre kept in place so that boxes stay true."""
    angle = np.random.default_rng(seed).uniform(-math.pi / 4, math.pi / 4)
    half, deviation = BLUR[level]

    def change(image: np.ndarray, index: int) -> np.ndarray:
        scale = min(image.shape[:2]) / SIDE
        length = (2 * half + 1) * scale
        along = np.exp(-0.5 * (np.linspace(0, length, round(4 * length)) / (deviation * scale)) ** 2)
        kernel = line_kernel(along, length, angle)
        return cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)

    return change


def line_kernel(weights: np.ndarray, length: float, angle: float) -> np.ndarray:
    """A line of so many pixels, weighted along its length, centred on its mass; float32 of odd sides, unscaled.

    Args:
        weights: Of points evenly along the line [n].
        length: In pixels.
        angle: From the x axis towards the y axis, downwards, in radians.
    """
    at = np.linspace(0, length, len(weights))
    at -= (at * weights).sum() / weights.sum()
    rim = math.ceil(np.abs(at).max()) + 1
    kernel = np.zeros((2 * rim + 1, 2 * rim + 1), np.float32)
    x, y = rim + at * math.cos(angle), rim + at * math.sin(angle)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for dy, share_y in ((0, top + 1 - y), (1, y - top)):
        for dx, share_x in ((0, left + 1 - x), (1, x - left)):
            np.add.at(kernel, (top + dy, left + dx), weights * share_x * share_y)
    return kernel


# ---- both ---------------------------------------------------------------------------------------------------------
def to_unit(image: np.ndarray) -> np.ndarray:
    """From bytes to [0, 1]."""
    return image.astype(np.float32) / np.float32(255)


def to_bytes(unit: np.ndarray) -> np.ndarray:
    """The inverse of :func:`to_unit`, clamped."""
    return (np.clip(unit, 0, 1) * 255 + 0.5).astype(np.uint8)


CORRUPTIONS: dict[str, Callable[[int, int, float], Change]] = {
    "shot_noise": _shot_noise,
    "rain": _rain,
    "fog": _fog,
    "brightness": _brightness,
    "motion_blur": _motion_blur,
    "contrast": _contrast,
    "saturation": _saturation,
}
