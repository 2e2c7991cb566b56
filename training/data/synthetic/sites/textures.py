"""Materials by formula: one kernel paints all pixels of a place, with dark corners, contact shadows and pools of light.

Colours are linear. Surfaces mix two colours by a pattern in world metres; panels (windows, doors, pictures, shelves)
draw a small picture in their own rectangle.
"""

import numpy as np
from numba import njit

SURFACES = (
    "plain", "plaster", "wallpaper", "stripes", "bars", "checks", "tiles", "bricks", "planks", "parquet", "wood",
    "carpet", "concrete", "asphalt", "cobbles", "grass", "sand", "gravel", "leaves", "water", "fabric", "metal",
    "glass", "litter", "dots", "blotches", "corrugated",
)  # fmt: skip
PANELS = (
    "window", "door", "picture", "poster", "screen", "board", "books", "goods", "bottles", "cupboards", "shopfront",
    "rug", "notices", "blinds", "sign",
)  # fmt: skip
CODES = {name: code for code, name in enumerate(SURFACES + PANELS)}
(
    PLAIN, PLASTER, WALLPAPER, STRIPES, BARS, CHECKS, TILES, BRICKS, PLANKS, PARQUET, WOOD,
    CARPET, CONCRETE, ASPHALT, COBBLES, GRASS, SAND, GRAVEL, LEAVES, WATER, FABRIC, METAL,
    GLASS, LITTER, DOTS, BLOTCHES, CORRUGATED,
    WINDOW, DOOR, PICTURE, POSTER, SCREEN, BOARD, BOOKS, GOODS, BOTTLES, CUPBOARDS, SHOPFRONT,
    RUG, NOTICES, BLINDS, SIGN,
) = range(len(CODES))  # fmt: skip
PIXEL = 0.0035  # metres a pixel covers per metre of distance: finer patterns fade
BRIGHTEST = 1.2
PRINTS = np.array([
    (0.45, 0.05, 0.04), (0.2, 0.03, 0.04), (0.05, 0.1, 0.3), (0.02, 0.03, 0.1), (0.05, 0.2, 0.09), (0.55, 0.5, 0.4),
    (0.6, 0.42, 0.08), (0.15, 0.08, 0.04), (0.03, 0.03, 0.03), (0.3, 0.3, 0.3), (0.62, 0.6, 0.58), (0.5, 0.2, 0.05),
    (0.1, 0.3, 0.45), (0.4, 0.28, 0.18), (0.28, 0.08, 0.2), (0.1, 0.22, 0.2),
])  # fmt: skip


# ---- patterns: all take the noise table t, metres u and v, and f, the metres a pixel covers ------------------------
@njit(cache=True)
def _hash(t: np.ndarray, i: float, j: float, seed: float) -> float:
    """A random number in [0, 1] for a cell of a grid."""
    k = int(seed * 37.0)
    return t[(int(i) + k) & 255, (int(j) + 7 * k) & 255]


@njit(cache=True)
def _noise(t: np.ndarray, u: float, v: float, seed: float) -> float:
    """Smooth value noise in [0, 1]."""
    i, j = np.floor(u), np.floor(v)
    a, b = u - i, v - j
    a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
    k = int(seed * 37.0)
    i0, j0 = (int(i) + k) & 255, (int(j) + 7 * k) & 255
    i1, j1 = (i0 + 1) & 255, (j0 + 1) & 255
    return (t[i0, j0] * (1 - a) + t[i1, j0] * a) * (1 - b) + (t[i0, j1] * (1 - a) + t[i1, j1] * a) * b


@njit(cache=True)
def _fine(t: np.ndarray, u: float, v: float, cell: float, f: float, seed: float) -> float:
    """Noise of a cell size around 0.5, faded where a pixel covers more than a cell."""
    fade = cell / (cell + 1.5 * f)
    return 0.5 + (_noise(t, u / cell, v / cell, seed) - 0.5) * fade * fade


@njit(cache=True)
def _joint(x: float, width: float, f: float) -> float:
    """Share of a pixel in the joint around whole numbers; x, width and f in cells."""
    if f > 0.6:
        return width
    d = abs(x - np.floor(x + 0.5))
    f = max(f, 1e-3)
    return min(max((width / 2 + f / 2 - d) / f, 0.0), 1.0) * min(1.0, width / f)


@njit(cache=True)
def _surface(
    t: np.ndarray, kind: int, u: float, v: float, z: float, f: float, s: float, seed: float
) -> tuple[float, float]:
    """How much of the second colour, and a factor of brightness."""
    a, b, fc = u / s, v / s, f / s
    rough = 0.94 + 0.12 * _fine(t, u, v, 0.4, f, seed)
    if kind in (PLASTER, PLAIN):
        return 0.25 * _noise(t, u * 0.9, v * 0.9, seed), rough + 0.1 * (_fine(t, u, v, 0.03, f, seed + 1) - 0.5)
    if kind == WALLPAPER:
        row = np.floor(b)
        x = a + 0.5 * (row % 2)
        p, q = x - np.floor(x) - 0.5, b - row - 0.5
        motif = abs(p) * 1.4 + abs(q) < 0.33 + 0.1 * np.cos(12 * np.arctan2(q, p))
        return (0.75 if motif else 0.1) if fc < 0.5 else 0.35, rough
    if kind in (STRIPES, BARS):
        x = a if kind == STRIPES else b
        return (1.0 if x - np.floor(x) < 0.5 else 0.0) if fc < 0.4 else 0.5, rough
    if kind == CHECKS:
        return (np.floor(a) + np.floor(b)) % 2 if fc < 0.5 else 0.5, rough
    if kind == TILES:
        cell = _hash(t, np.floor(a + 0.5), np.floor(b + 0.5), seed)
        gap = max(_joint(a + 0.5 - 0.5, 0.035, fc), _joint(b, 0.035, fc))
        return gap * 0.9, (0.92 + 0.12 * cell) * rough
    if kind == BRICKS:
        row = np.floor(v / 0.075)
        x = u / 0.22 + 0.5 * (row % 2)
        cell = _hash(t, np.floor(x + 0.5), row, seed)
        gap = max(_joint(x, 0.055, f / 0.22), _joint(v / 0.075, 0.16, f / 0.075))
        fade = 0.22 / (0.22 + 1.5 * f)
        return gap * 0.85, (1 + 0.4 * (cell - 0.5) * fade) * (0.85 + 0.3 * _fine(t, u, v, 0.9, f, seed + 2))
    if kind == PLANKS:
        row = np.floor(v / s)
        x = u / (9 * s) + _hash(t, row, 3.0, seed) * 5
        tone = _hash(t, row, np.floor(x + 0.5), seed + 1)
        grain = _fine(t, u * 0.12 + row * 3, v, 0.018, f * 0.5, seed)
        gap = max(_joint(b, 0.05, fc), _joint(x, 0.005, fc / 9))
        return 0.3 * tone + 0.5 * (grain - 0.3), (0.86 + 0.24 * tone) * (1 - 0.6 * gap)
    if kind == PARQUET:
        i, j = np.floor(a), np.floor(b)
        p, q = a - i, b - j
        if (i + j) % 2 == 1:
            p, q = q, p
        strip = np.floor(q * 4)
        tone = _hash(t, i * 5 + strip, j, seed)
        gap = max(_joint(q * 4, 0.09, fc * 4), _joint(p, 0.02, fc))
        grain = _fine(t, p * s * 0.2 + strip, q * s, 0.012, f, seed + i + 3 * j)
        return 0.55 * tone + 0.2 * grain, (0.82 + 0.3 * tone) * (1 - 0.5 * gap)
    if kind == WOOD:
        grain = _fine(t, u + 0.3 * v, v * 9 + 0.8 * _noise(t, u * 3, v * 3, seed), 0.12, f, seed)
        return min(max(1.4 * grain - 0.2, 0.0), 1.0), 0.92 + 0.16 * _fine(t, u * 0.3, v * 2, 0.02, f, seed + 1)
    if kind == CARPET:
        return 0.3 * _noise(t, u * 2, v * 2, seed), 0.75 + 0.5 * _fine(t, u, v, 0.012, f, seed + 1)
    if kind in (CONCRETE, ASPHALT):
        big = 0.6 * _noise(t, u * 0.5, v * 0.5, seed) + 0.4 * _noise(t, u * 2.3, v * 2.3, seed + 1)
        speck = _fine(t, u, v, 0.02, f, seed + 2) - 0.5
        crack = _joint(v / s + 0.02 * _noise(t, u * 2, v, seed), 0.012, fc) if kind == CONCRETE else 0.0
        return big, (0.93 + (0.25 if kind == CONCRETE else 0.55) * speck + 0.08 * big) * (1 - 0.4 * crack)
    if kind == COBBLES:
        row = np.floor(b)
        x = a + 0.5 * (row % 2) + 0.2 * _hash(t, row, 1.0, seed)
        cell = _hash(t, np.floor(x), row, seed)
        p, q = abs(x - np.floor(x) - 0.5) * 2, abs(b - row - 0.5) * 2
        dome = max(1 - p**4 - q**4, 0.0) * max(1 - fc * 1.5, 0.0) + 0.6 * min(fc * 1.5, 1.0)
        return 0.6 * cell, (0.45 + 0.6 * dome) * (0.85 + 0.3 * cell)
    if kind == GRASS:
        patch = 0.6 * _noise(t, u * 0.35, v * 0.35, seed) + 0.4 * _noise(t, u * 1.7, v * 1.7, seed + 1)
        blade = _fine(t, u, v * 0.5, 0.035, f, seed + 2)
        return min(max(patch * 1.3 - 0.15, 0.0), 1.0), 0.62 + 0.75 * blade
    if kind in (SAND, GRAVEL):
        cell = 0.15 if kind == SAND else 0.035
        lump = _fine(t, u, v * 1.4, cell, f, seed)
        return (
            0.6 * _noise(t, u * 0.6, v * 0.6, seed + 1) + 0.4 * (lump > 0.72),
            (0.88 + 0.2 * lump) if kind == SAND else (0.6 + 0.8 * lump),
        )
    if kind == LEAVES:
        big = _fine(t, u + 0.6 * z, v * 1.1, 0.3, f, seed)
        leaf = _fine(t, u + 0.37 * z, v + 0.21 * u, 0.06, f * 0.6, seed + 1)
        gap = _fine(t, u - 0.4 * v, v + 0.5 * u, 0.11, f * 0.6, seed + 2)
        return min(max(2.6 * (0.62 - leaf) + 1.6 * (0.45 - gap) + 0.3, 0.0), 1.0), 0.45 + 0.6 * big + 0.5 * leaf
    if kind == WATER:
        wave = _fine(t, u * 0.25, v, 0.35, f * 0.3, seed) + 0.5 * _fine(t, u * 0.2, v, 1.4, f * 0.3, seed + 1)
        return min(max(2.2 * wave - 1.2, 0.0), 1.0), 0.9 + 0.2 * _noise(t, u * 0.05, v * 0.05, seed)
    if kind == FABRIC:
        weave = _fine(t, u, v, 0.008, f, seed) - 0.5
        return 0.35 * _noise(t, u * 3, v * 3, seed), 0.97 + 0.25 * weave + 0.1 * (_noise(t, u * 8, v * 8, seed) - 0.5)
    if kind == METAL:
        return _fine(t, u * 0.05, v, 0.02, f, seed) * 0.6, 0.9 + 0.3 * _noise(t, u * 0.8, v * 1.5, seed)
    if kind == GLASS:
        ramp = _noise(t, u * 0.35 + 0.25 * v, 0.5 * v, seed)
        return min(max(1.8 * ramp - 0.3, 0.0), 1.0), 1.0
    if kind == LITTER:
        leaf = _fine(t, u + 0.3 * v, v, 0.055, f, seed)
        return min(max(2.2 * leaf - 0.6, 0.0), 1.0), 0.6 + 0.7 * _noise(t, u * 0.7, v * 0.7, seed + 1)
    if kind == DOTS:
        p, q = a - np.floor(a) - 0.5, b - np.floor(b) - 0.5
        return (1.0 if p * p + q * q < 0.07 else 0.0) if fc < 0.4 else 0.22, rough
    if kind == CORRUGATED:
        return 0.2 * _noise(t, u, v, seed), 0.85 + 0.2 * np.cos(2 * np.pi * u / 0.16) * max(1 - f / 0.08, 0.0)
    return 0.7 * _noise(t, a, b, seed) + 0.3 * _noise(t, a * 3.3, b * 3.3, seed + 2), rough


@njit(cache=True)
def _print(t: np.ndarray, i: float, j: float, seed: float) -> tuple[float, float, float]:
    """A random colour of print or cloth for a cell."""
    c = PRINTS[int(_hash(t, i, j, seed) * 15.99)]
    k = 0.6 + 0.7 * _hash(t, i, j, seed + 5)
    return c[0] * k, c[1] * k, c[2] * k


@njit(cache=True)
def _panel(
    t: np.ndarray, kind: int, u: float, v: float, w: float, h: float, seed: float, one: np.ndarray, two: np.ndarray
) -> tuple[float, float, float]:
    """The colour at metres (u, v) from the lower corner of a panel w wide and h high."""
    p, q = min(max(u / w, 0.0), 1.0), min(max(v / h, 0.0), 1.0)
    rim = min(min(u, w - u), min(v, h - v))
    luck = _hash(t, 5.0, 9.0, seed)
    k, mix, extra = 1.0, 0.0, 0.0  # brightness, share of the second colour, white added
    if kind == WINDOW:
        if rim < 0.05 or (w > 0.7 and abs(p - 0.5) * w < 0.025) or (h > 0.9 and abs(q - 0.66) * h < 0.02):
            return one[0], one[1], one[2]
        line = 0.25 + 0.2 * luck + 0.16 * _noise(t, u * 2.2, 3.0, seed)
        if luck > 0.35 and q < 0.85 and _hash(t, np.floor(u / 0.45 + luck * 9), 6.0, seed) > q:  # houses
            x, y = u / 0.13 - np.floor(u / 0.13), v / 0.17 - np.floor(v / 0.17)
            k = 0.62 + 0.25 * _hash(t, np.floor(u / 0.45 + luck * 9), 8.0, seed)
            k = 0.3 if 0.3 < x < 0.7 and 0.3 < y < 0.75 else k
            return two[0] * k + 0.06, two[1] * k * 0.92 + 0.04, two[2] * k * 0.8 + 0.02
        if luck < 0.65 and q < line:
            leaf = 0.5 + 0.8 * _noise(t, u * 9, v * 9, seed + 1)
            return two[0] * 0.32 * leaf, two[1] * 0.5 * leaf, two[2] * 0.2 * leaf
        k = 1.2 - 0.3 * q
        return two[0] * k, two[1] * k, two[2] * k
    if kind == BLINDS:
        x = v / 0.06 - np.floor(v / 0.06)
        k = 0.55 if rim < 0.03 else (1.0 - 0.35 * x)
        return one[0] * k, one[1] * k, one[2] * k
    if kind == DOOR:
        if rim < 0.05 and v > 0.05:
            return two[0], two[1], two[2]
        if abs(p - 0.87) * w < 0.03 and abs(v - 1.02) < 0.05:
            return 0.5, 0.45, 0.35
        if luck < 0.65:
            x, y = abs(abs(p - 0.5) * 2 - 0.45) * w / 2, abs(abs(q - 0.52) * 2 - 0.5) * h / 2
            edge = max(x - 0.14 * w, y - 0.19 * h)
            k = 0.62 if abs(edge) < 0.018 else (0.93 if edge < 0 else 1.0)
        elif luck < 0.85 and 0.3 < p < 0.7 and 0.5 < q < 0.9:
            return 0.35, 0.4, 0.42
    elif kind == PICTURE:
        if rim < 0.035:
            return one[0], one[1], one[2]
        if rim < 0.09 and luck < 0.6:
            return 0.7, 0.69, 0.65
        if luck < 0.5:
            ground = 0.35 + 0.25 * _noise(t, u * 4, 2.0, seed)
            r, g, b = _print(t, 1.0 if q < ground else (2.0 if q < ground + 0.15 else 3.0), 4.0, seed)
            k = 0.7 + 0.6 * _noise(t, u * 14, v * 20, seed)
            return r * k, g * k, b * k
        level = np.floor(4 * _noise(t, u * 4.5, v * 4.5, seed))
        return _print(t, level, 7.0, seed)
    elif kind == POSTER:
        x, y = (p - 0.5) * w, (q - 0.6) * h
        r2 = (x * x + y * y) / (w * w)
        if luck < 0.35:
            figure = r2 < 0.1 or (q < 0.5 and np.floor(q * 22) % 2 == 0 and q > 0.25)
        elif luck < 0.7:
            figure = (p + 0.7 * q > 0.95) != (r2 < 0.05)
        else:
            figure = r2 < 0.12 * (0.6 + 0.8 * _noise(t, u * 7, v * 7, seed))
        bar = 0.1 < p < 0.9 and 0.1 < q < 0.2
        mix = 1.0 if figure or bar else 0.0
    elif kind == SCREEN:
        if rim < 0.025:
            return 0.01, 0.01, 0.012
        if luck < 0.5:
            line = np.floor(v / 0.035)
            text = p > 0.24 and v / 0.035 - line > 0.45 and _hash(t, np.floor(u / 0.018), line, seed) > 0.3
            text = text and p < 0.4 + 0.55 * _hash(t, 3.0, line, seed)
            mix, k = (1.0 if text else 0.15), 1.0 + 0.8 * (p < 0.2) + 1.6 * (q > 0.9)
        else:
            r, g, b = _print(t, np.floor(3.5 * _noise(t, u * 3.5, v * 5, seed)), 2.0, seed)
            return r * 0.8, g * 0.8, b * 0.8
    elif kind == BOARD:
        if rim < 0.05:
            return 0.3, 0.22, 0.13
        line = np.floor(v / 0.14)
        ink = _noise(t, u * 34 + 9 * line, v * 30, seed) > 0.62 and 0.25 < v / 0.14 - line < 0.75
        ink = ink and 0.06 < p < 0.25 + 0.6 * _hash(t, 1.0, line, seed) and _hash(t, 2.0, line, seed) > 0.3
        mix, k = (1.0 if ink else 0.06 * _noise(t, u * 3, v * 5, seed)), 1.0
    elif kind == BOOKS:
        row = np.floor(v / 0.34)
        y = v - row * 0.34
        if y < 0.03 or rim < 0.03:
            return one[0], one[1], one[2]
        i = np.floor(u / 0.042 + 0.8 * _hash(t, np.floor(u / 0.21), row, seed))
        tall = 0.19 + 0.1 * _hash(t, i, row, seed + 3)
        if y > 0.03 + tall or _hash(t, np.floor(u / 0.3), row, seed + 8) > 0.9:
            return one[0] * 0.25, one[1] * 0.25, one[2] * 0.25
        r, g, b = _print(t, i, row, seed)
        x = u / 0.042 + 0.8 * _hash(t, np.floor(u / 0.21), row, seed)
        k = 0.45 if x - np.floor(x) < 0.12 else 0.95
        extra = 0.25 if 0.6 < y / tall < 0.72 and _hash(t, i, row, seed + 4) > 0.4 else 0.0
        return r * k + extra, g * k + extra, b * k + extra * 0.8
    elif kind == GOODS:
        row = np.floor(v / 0.4)
        y = v - row * 0.4
        if y < 0.05:
            tag = _hash(t, np.floor(u / 0.12), row, seed) > 0.5 and 0.01 < y < 0.04
            return (0.8, 0.75, 0.2) if tag else (one[0], one[1], one[2])
        run = np.floor(u / 0.45 + _hash(t, 1.0, row, seed))
        wide = 0.07 + 0.1 * _hash(t, run, row, seed + 1)
        tall = 0.16 + 0.16 * _hash(t, run, row, seed + 2)
        x = u / wide - np.floor(u / wide)
        if y > 0.05 + tall or x < 0.08:
            return 0.03, 0.03, 0.03
        r, g, b = _print(t, run, row, seed + 3)
        extra = 0.4 if 0.2 < x < 0.88 and 0.45 < (y - 0.05) / tall < 0.7 else 0.0
        return r + extra, g + extra, b + extra
    elif kind == BOTTLES:
        row = np.floor(v / 0.42)
        y = (v - row * 0.42) / 0.42
        if y < 0.07:
            return one[0], one[1], one[2]
        i = np.floor(u / 0.1)
        x, tall = abs(u / 0.1 - i - 0.5), 0.55 + 0.3 * _hash(t, i, row, seed)
        body = (y < 0.07 + tall * 0.62 and x < 0.36) or (y < 0.07 + tall and x < 0.12)
        if not body or _hash(t, i, row, seed + 2) > 0.92:
            return two[0], two[1], two[2]
        kind_ = np.floor(4 * _hash(t, i, row, seed + 1))
        k = 1.5 if x < 0.1 else 0.9
        if 0.25 < y < 0.25 + 0.15 * tall:
            return 0.6, 0.55, 0.42
        if kind_ == 0:
            return 0.3 * k, 0.1 * k, 0.02 * k
        if kind_ == 1:
            return 0.03 * k, 0.16 * k, 0.05 * k
        return (0.35 * k, 0.4 * k, 0.4 * k) if kind_ == 2 else (0.12 * k, 0.03 * k, 0.03 * k)
    elif kind == CUPBOARDS:
        cells = max(np.floor(w / 0.5 + 0.5), 1.0)
        x = p * cells - np.floor(p * cells)
        rows = max(np.floor(h / 0.85 + 0.5), 1.0)
        y = q * rows - np.floor(q * rows)
        k = 0.45 if x < 0.025 or x > 0.975 or y < 0.02 else 1.0
        if 0.82 < x < 0.87 and 0.62 < y < 0.85:
            return 0.55, 0.55, 0.53
        if y > 0.8 and luck > 0.5 and y < 0.82:
            k = 0.45
    elif kind == SHOPFRONT:
        if q > 0.8:
            i = np.floor(u / 0.28)
            stroke = _noise(t, u * 16, v * 9, seed) > 0.5 and 0.12 < u / 0.28 - i < 0.88
            letter = stroke and 0.86 < q < 0.95 and 0.18 < p < 0.82 and _hash(t, i, 1.0, seed) > 0.12
            mix = 1.0 if letter else 0.0
        elif q < 0.14 or rim < 0.06 or abs(p - 0.3) * w < 0.04 or abs(p - 0.7) * w < 0.03:
            k = 0.6
        elif p < 0.3 and luck < 0.9:
            door = abs(p - 0.26) * w < 0.03 and 0.3 < q < 0.45
            k = 0.3
            return (0.6, 0.55, 0.4) if door else (0.06, 0.07, 0.08)
        else:
            r, g, b = _print(t, np.floor(u / 0.35), np.floor(v / 0.55), seed + 2)
            good = q < 0.2 + 0.35 * _hash(t, np.floor(u / 0.35), 3.0, seed) and _noise(t, u * 9, v * 7, seed) > 0.3
            k = 0.85 if good else 0.0
            back = 0.12 + 0.3 * _noise(t, u * 1.5 + v, v, seed + 4)
            return r * k + back * 0.6, g * k + back * 0.6, b * k + back * 0.55
    elif kind == RUG:
        band = rim < 0.1 or 0.16 < rim < 0.2
        motif = (np.floor(u / 0.22 + v / 0.22) + np.floor(u / 0.22 - v / 0.22)) % 2 == 0
        mix = 0.9 if band else (0.4 if motif and luck < 0.6 else 0.0)
        k = 0.85 + 0.3 * _noise(t, u * 60, v * 60, seed)
    elif kind == SIGN:
        i = np.floor(u / (0.45 * h))
        ink = _noise(t, u / h * 7, v / h * 5, seed) > 0.5 and 0.15 < u / (0.45 * h) - i < 0.85
        mix = 1.0 if (ink and 0.32 < q < 0.7 and 0.1 < p < 0.9) or rim < 0.03 * h else 0.0
    else:  # NOTICES
        if rim < 0.04:
            return 0.35, 0.25, 0.15
        i, j = np.floor(u / 0.3), np.floor(v / 0.36)
        x, y = u / 0.3 - i, v / 0.36 - j
        if _hash(t, i, j, seed) > 0.25 and 0.1 < x < 0.8 and 0.08 < y < 0.88:
            r, g, b = _print(t, i, j, seed + 6)
            k = 0.5 if y < 0.7 and (y * 12) % 1.0 < 0.4 and x < 0.7 else 1.0
            return (0.75 + 0.2 * r) * k, (0.75 + 0.2 * g) * k, (0.7 + 0.2 * b) * k
    return (
        (one[0] * (1 - mix) + two[0] * mix) * k,
        (one[1] * (1 - mix) + two[1] * mix) * k,
        (one[2] * (1 - mix) + two[2] * mix) * k,
    )


@njit(cache=True)
def paint_pixels(
    codes: np.ndarray, numbers: np.ndarray, colours: np.ndarray, t: np.ndarray, ids: np.ndarray, points: np.ndarray,
    normals: np.ndarray, room: np.ndarray, stains: np.ndarray, pools: np.ndarray, out: np.ndarray,
) -> None:  # fmt: skip
    for n in range(len(ids)):
        m = ids[n]
        x, y, z = float(points[n, 0]), float(points[n, 1]), float(points[n, 2])
        nx, ny, nz = abs(normals[n, 0]), abs(normals[n, 1]), abs(normals[n, 2])
        scale, seed = numbers[m, 0], numbers[m, 1]
        x0, y0, z0 = numbers[m, 2], numbers[m, 3], numbers[m, 4]
        flat, side = nz > 0.7, nx > ny
        u = (x - x0) if flat or not side else (y - y0)
        v = (y - y0) if flat else (z - z0)
        one, two = colours[m, 0], colours[m, 1]
        if codes[m] >= WINDOW:
            r, g, b = _panel(t, codes[m], u, v, numbers[m, 5], numbers[m, 6], seed, one, two)
            k = 1.0
        else:
            away = np.sqrt(x * x + y * y + (z - 1.4) ** 2)
            facing = abs(normals[n, 0] * x + normals[n, 1] * y + normals[n, 2] * (z - 1.4)) / (away + 1e-6)
            f = PIXEL * away / max(facing, 0.08)
            w, k = _surface(t, codes[m], u, v, z, f, scale, seed)
            r, g, b = one[0] + (two[0] - one[0]) * w, one[1] + (two[1] - one[1]) * w, one[2] + (two[2] - one[2]) * w
        k *= _corners(room, x, y, z, nx, ny, nz)
        if flat and z < 0.06:
            for j in range(len(stains)):
                dx = max(abs(x - stains[j, 0]) - stains[j, 2], 0.0)
                dy = max(abs(y - stains[j, 1]) - stains[j, 3], 0.0)
                d = (dx * dx + dy * dy) / 0.06
                if d < 1:
                    k *= 1 - 0.42 * (1 - d) ** 2
        r, g, b = r * k, g * k, b * k
        for j in range(len(pools)):
            dx, dy, dz = pools[j, 0] - x, pools[j, 1] - y, pools[j, 2] - z
            d = (dx * dx + dy * dy + dz * dz) / (pools[j, 3] * pools[j, 3])
            if d < 9:
                fall = 1 / (1 + 2 * d) - 1 / 19
                r, g, b = r * (1 + pools[j, 4] * fall), g * (1 + pools[j, 5] * fall), b * (1 + pools[j, 6] * fall)
        out[n, 0] = min(max(r, 0.0), BRIGHTEST)
        out[n, 1] = min(max(g, 0.0), BRIGHTEST)
        out[n, 2] = min(max(b, 0.0), BRIGHTEST)


@njit(cache=True)
def _corners(room: np.ndarray, x: float, y: float, z: float, nx: float, ny: float, nz: float) -> float:
    """Dark corners: every plane takes light from what stands across it."""
    k = 1 - 0.3 * (1 - nz) / (1 + (max(z, 0.0) / 0.12) ** 2)
    for d, across in ((x - room[0], nx), (room[1] - x, nx), (room[2] - y, ny), (room[3] - z, nz)):
        d = max(d, 0.0) / 0.35
        if d < 6:
            k *= 1 - 0.34 * (1 - across) / (1 + d * d)
    return k


@njit(cache=True)
def paint_directions(
    directions: np.ndarray, low: np.ndarray, high: np.ndarray, clouds: float, t: np.ndarray, out: np.ndarray
) -> None:
    for n in range(len(directions)):
        x, y, z = directions[n, 0], directions[n, 1], directions[n, 2]
        up = min(max(z * 2.2, 0.0), 1.0)
        s = 1.6 / (abs(z) + 0.18)
        puff = 0.55 * _noise(t, x * s, y * s, 3.0) + 0.3 * _noise(t, x * s * 2.3, y * s * 2.3, 4.0)
        puff += 0.15 * _noise(t, x * s * 5.1, y * s * 5.1, 5.0)
        white = min(max((puff - 0.75 + 0.5 * clouds) * 4, 0.0), 1.0) * min(max(z * 6, 0.0), 1.0) * 0.75
        for c in range(3):
            base = low[c] * (1 - up) + high[c] * up
            out[n, c] = base + (min(low.max() * 1.05, 1.1) - base) * white
