"""Named colours in linear light, each a little different every time and still worth its name."""

import numpy as np

RGB = {
    "white": (238, 237, 233), "black": (20, 20, 22), "grey": (122, 123, 126), "red": (188, 22, 28),
    "orange": (238, 118, 18), "yellow": (242, 206, 40), "green": (34, 132, 52), "blue": (42, 104, 212),
    "navy": (20, 30, 84), "purple": (108, 42, 146), "pink": (242, 128, 172), "brown": (102, 62, 34),
    "beige": (212, 186, 142),
}  # fmt: skip
HAIR_RGB = {
    "black": (20, 17, 16), "brown": (74, 46, 27), "blonde": (206, 164, 92), "red": (154, 66, 24),
    "grey": (140, 138, 136), "white": (226, 224, 220),
}  # fmt: skip
SKIN_RGB = np.array(
    [(242, 206, 178), (232, 184, 152), (208, 152, 114), (164, 108, 74), (116, 74, 50), (76, 50, 36)], np.float32
)
SKIN_RANGE = {"light": (0.0, 1.5), "medium": (1.8, 3.0), "dark": (3.6, 5.0)}  # places along ``SKIN_RGB``


def linear(rgb: np.ndarray | tuple[int, int, int]) -> np.ndarray:
    """sRGB 0-255 to linear light 0-1 (gamma 2.2)."""
    return (np.asarray(rgb, np.float32) / 255) ** 2.2


def shade(name: str, rng: np.random.Generator) -> np.ndarray:
    """A linear colour that still deserves its name: a little lighter, darker, duller, warmer."""
    base = np.array(RGB[name], np.float32)
    dull = rng.uniform(0, 0.06 if name in ("white", "black", "grey", "brown", "beige", "navy") else 0.22)
    value = rng.uniform(0.92, 1.04) if name in ("white", "black", "beige") else rng.uniform(0.84, 1.06)
    out = base * (1 - dull) + base.mean() * dull
    cast = rng.normal(0, 2.2 if name in ("black", "grey", "white") else 4, 3)  # greys take a hue easily
    return linear(np.clip(out * value + cast * min(1.0, 0.3 + out.mean() / 120), 4, 250))


def skin_colour(skin: str, rng: np.random.Generator) -> np.ndarray:
    """A linear colour of "light", "medium" or "dark" skin."""
    at = rng.uniform(*SKIN_RANGE[skin])
    k = min(int(at), len(SKIN_RGB) - 2)
    return linear(SKIN_RGB[k] * (k + 1 - at) + SKIN_RGB[k + 1] * (at - k))
