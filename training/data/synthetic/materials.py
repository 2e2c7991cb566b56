"""Materials of a place, and what darkens and lights its surfaces besides sun and ambient light."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .facts import COLOURS
from .wardrobe import shade

SURFACES = (
    "plain", "plaster", "wallpaper", "stripes", "bars", "checks", "tiles", "bricks", "planks", "parquet", "wood",
    "carpet", "concrete", "asphalt", "cobbles", "grass", "sand", "gravel", "leaves", "water", "fabric", "metal",
    "glass", "litter", "facade", "dots", "blotches", "corrugated",
)  # fmt: skip
PANELS = (
    "window", "door", "picture", "poster", "screen", "board", "books", "goods", "bottles", "cupboards", "shopfront",
    "rug", "notices", "blinds", "sign",
)  # fmt: skip
CODES = {name: code for code, name in enumerate(SURFACES + PANELS)}
Draw = np.random.Generator


@dataclass
class Material:
    """kind: one of ``CODES``; scale in metres; emission: light it gives off, times its own colour.

    at: for panels, the lowest corner (x, y, z) of their rectangle; size: its width and height in metres.
    """

    kind: str
    one: np.ndarray
    two: np.ndarray
    scale: float = 0.3
    seed: float = 0.0
    at: Sequence[float] = (0.0, 0.0, 0.0)
    size: tuple[float, float] = (1.0, 1.0)
    emission: float = 0.0


@dataclass
class Shading:
    """What darkens and lights surfaces besides sun and ambient light.

    room: walls x0, x1, y1 and ceiling z1 whose corners are dark; infinite where there are none.
    stains: (S, 4) x, y and half sizes of what stands on the floor.
    pools: (L, 7) x, y, z, reach in metres and colour of lamps.
    """

    room: tuple[float, float, float, float] = (-np.inf, np.inf, np.inf, np.inf)
    stains: list[tuple[float, float, float, float]] = field(default_factory=list)
    pools: list[tuple[float, ...]] = field(default_factory=list)


def random_material(
    rng: Draw,
    *kinds: str,
    bright: tuple[float, float] = (0.15, 0.75),
    colourful: float = 0.3,
    scale: tuple[float, float] = (0.2, 0.8),
) -> Material:
    """A random material among kinds."""
    base = rng.uniform(*bright) * (1 + colourful * rng.uniform(-1, 1, 3))
    other = np.clip(base * rng.uniform(0.45, 1.3) + rng.normal(0, 0.04 * colourful, 3), 0.01, 0.9)
    return Material(str(rng.choice(kinds)), np.clip(base, 0.01, 0.9), other, rng.uniform(*scale), rng.uniform(0, 99))


def dyed_material(
    rng: Draw, kinds: tuple[str, ...] = ("plain", "plain", "fabric", "stripes", "checks")
) -> tuple[Material, str]:
    """Cloth or paint in one of the clothing colours, and its name."""
    name = str(rng.choice(COLOURS))
    one, kind = shade(name, rng), str(rng.choice(kinds))
    two = shade(name, rng) * 0.6 + 0.2 * rng.random() if kind not in ("plain", "fabric") else one * 0.8
    return Material(kind, one, two, rng.uniform(0.06, 0.2), rng.uniform(0, 99)), name
