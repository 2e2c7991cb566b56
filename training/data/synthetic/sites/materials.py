"""Materials of a place, what shades them besides sun and ambient light, and how they are painted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from ..facts import COLOURS
from ..people.wardrobe import shade
from .textures import CODES, paint_directions, paint_pixels

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


@lru_cache(8)
def _table(seed: int) -> np.ndarray:
    return np.random.default_rng((seed, 77)).random((256, 256), dtype=np.float32)


def paint(
    materials: list[Material],
    ids: np.ndarray,
    points: np.ndarray,
    normals: np.ndarray,
    *,
    shading: Shading | None = None,
    texture_seed: int = 0,
) -> np.ndarray:
    """Linear colours of surfaces before light falls on them.

    Args:
        materials: One per object id.
        ids: Objects (N,).
        points: World points (N, 3) in metres.
        normals: Unit normals (N, 3), either sign.
        shading: Corners, contact shadows and lamps of the place.
        texture_seed: Another seed gives other textures.

    Returns:
        Albedo (N, 3) float32 in [0, 1.2].
    """
    shading = shading or Shading()
    codes = np.array([CODES[m.kind] for m in materials], np.int32)
    numbers = np.array([(m.scale, m.seed, *m.at, *m.size) for m in materials], np.float64).reshape(-1, 7)
    colours = np.array([(m.one, m.two) for m in materials], np.float64).reshape(-1, 2, 3)
    out = np.empty((len(ids), 3), np.float32)
    paint_pixels(
        codes, numbers, colours, _table(texture_seed),
        np.ascontiguousarray(ids, np.int32), np.ascontiguousarray(points, np.float32),
        np.ascontiguousarray(normals, np.float32), np.array(shading.room, np.float64),
        np.array(shading.stains, np.float64).reshape(-1, 4), np.array(shading.pools, np.float64).reshape(-1, 7), out,
    )  # fmt: skip
    return out


def paint_sky(
    directions: np.ndarray, sky: tuple[np.ndarray, np.ndarray], *, clouds: float = 0.5, texture_seed: int = 0
) -> np.ndarray:
    """Linear colours (N, 3) of the sky along unit directions (N, 3): from horizon to zenith, with clouds in [0, 1]."""
    out = np.empty((len(directions), 3), np.float32)
    low, high = np.asarray(sky[0], np.float64), np.asarray(sky[1], np.float64)
    paint_directions(np.ascontiguousarray(directions, np.float32), low, high, float(clouds), _table(texture_seed), out)
    return out
