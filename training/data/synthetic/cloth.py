"""What a dressed figure's surface looks like: cloth, skin, face and hair, decided per point on an average body.

Cutting clothes per point keeps hems sharp on a coarse mesh. A point knows, interpolated from its triangle: the average
body's x, y, z; the arm's share; the place along the arm (0 shoulder, 1 wrist); the head's share; how open it lies to
the light; and on the body its distance behind the hairline (metres), on tubes the angle from the front (radians).
"""

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from .bodies import Body, Rig
from .facts import Look
from .hands import shaped

BODY, TOP, BOTTOM, HAIR, HAT, SCARF, TIE, FRAME, LENS, COLLAR = range(10)  # parts of a figure's mesh
PROP = 16  # props count up from here
CHANNELS = 8

COLOURS = (
    "skin", "hair", "top", "bottom", "shoes", "sole", "lips", "eye", "beard", "brow", "frame", "hat", "second", "inner",
    "print", "tights", "scarf", "tie", "belt", "lens", "collar",
)  # fmt: skip
(
    SKIN_C, HAIR_C, TOP_C, BOTTOM_C, SHOES_C, SOLE_C, LIPS_C, EYE_C, BEARD_C, BROW_C, FRAME_C, HAT_C, SECOND_C, INNER_C,
    PRINT_C, TIGHTS_C, SCARF_C, TIE_C, BELT_C, LENS_C, COLLAR_C,
) = range(len(COLOURS))  # fmt: skip
CUTS = (
    "kind", "pattern", "period", "duty", "hem", "neck", "vee", "sleeve", "bottom", "leg_end", "shoe", "tights", "open",
    "print", "fold", "hairy", "fringe", "beard", "tucked", "skirt_hem", "buttons", "knit", "bare", "denim", "bag",
)  # fmt: skip
(
    KIND, PATTERN, PERIOD, DUTY, HEM, NECK, VEE, SLEEVE, LOWER, LEG_END, SHOE, TIGHTS, OPEN, PRINT, FOLD, HAIRY, FRINGE,
    BEARD, TUCKED, SKIRT_HEM, BUTTONS, KNIT, BARE, DENIM, BAG,
) = range(len(CUTS))  # fmt: skip
WAIST = 1.035  # height of a waistband on the average body
OPENING = 0.06  # half width of an open top's front, radians per unit of ``open``


@dataclass
class Figure:
    """A dressed body: rest mesh with clothes and hair; ``paint`` colours its points.

    rest: (V, 3); its first vertices are the body's. weights: (V, 20). faces: (F, 3). parts: (F,), below ``PROP``.
    attributes: (V, 8), see the module. colours, cut: what ``paint`` reads, by the names in ``COLOURS`` and ``CUTS``.
    """

    body: Body
    look: Look
    rest: np.ndarray
    weights: np.ndarray
    faces: np.ndarray
    parts: np.ndarray
    attributes: np.ndarray
    colours: dict[str, np.ndarray]
    cut: dict[str, float]
    rig: Rig = field(repr=False)
    hands: np.ndarray = field(repr=False)  # rest points of flat hands (H, 3)

    def paint(self, face: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Linear albedo (N, 3) of points on triangles ``face`` (N,); u weighs vertex 1, v vertex 2 (N,)."""
        colours = np.stack([self.colours[name] for name in COLOURS]).astype(np.float32)
        cut = np.array([self.cut[name] for name in CUTS], np.float32)
        cut[BAG] = self.look.carried == "backpack"
        return _paint(
            np.ascontiguousarray(face, np.int64),
            np.ascontiguousarray(u, np.float32),
            np.ascontiguousarray(v, np.float32),
            self.faces,
            self.parts,
            self.attributes,
            colours,
            cut,
        )


def shape_hands(figure: Figure, left: str, right: str) -> None:
    """Give the hands of a figure shapes of ``hands.SHAPES``, in place."""
    figure.rest[figure.rig.hands] = figure.hands + shaped(figure.rig, figure.body, left, right)


@njit(cache=True)
def _paint(
    face: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    faces: np.ndarray,
    parts: np.ndarray,
    attributes: np.ndarray,
    colours: np.ndarray,
    cut: np.ndarray,
) -> np.ndarray:
    out = np.empty((len(face), 3), np.float32)
    a, c = np.empty(CHANNELS, np.float32), np.empty(3, np.float32)
    for n in range(len(face)):
        i, j, k = faces[face[n], 0], faces[face[n], 1], faces[face[n], 2]
        w = 1 - u[n] - v[n]
        for q in range(CHANNELS):
            a[q] = w * attributes[i, q] + u[n] * attributes[j, q] + v[n] * attributes[k, q]
        part = parts[face[n]]
        if part == BODY:
            if a[5] > 0.55:
                _head(a, c, colours, cut)
            else:
                _trunk(a, c, colours, cut)
        elif part == TOP:
            _top(a, c, colours, cut, True)
        elif part == BOTTOM:
            _bottom(a, c, colours, cut, True)
        elif part == HAIR:
            _hair(a, c, colours[HAIR_C])
        elif part == HAT:
            c[:] = colours[HAT_C] * (0.94 + 0.06 * np.sin(a[0] * 260 + a[1] * 200))
        elif part == SCARF:
            c[:] = colours[SCARF_C] * (0.86 + 0.14 * np.sin(a[2] * 150 + a[0] * 60))
        elif part == TIE:
            c[:] = colours[TIE_C] * (0.85 if ((a[2] + 0.7 * a[0]) / 0.035) % 1 < 0.3 else 1.0)
        elif part == FRAME:
            c[:] = colours[FRAME_C]
        elif part == LENS:
            c[:] = colours[LENS_C]
        else:
            c[:] = colours[COLLAR_C] * (0.93 + 0.07 * np.sin(a[7] * 9))
        out[n] = c * a[6]
    return out


@njit(cache=True)
def _trunk(a: np.ndarray, c: np.ndarray, colours: np.ndarray, cut: np.ndarray) -> None:
    """Neck, trunk, arms and legs of the body itself."""
    x, y, z, along = abs(a[0]), a[1], a[2], a[4]
    arm = a[3] > 0.5
    if arm:
        if along < cut[SLEEVE]:
            _top(a, c, colours, cut, False)
        else:
            c[:] = colours[SKIN_C]
        return
    if z < cut[SHOE]:
        _shoe(a, c, colours)
        return
    neckline = z > (1.4 if y < 0 else 1.54 if cut[NECK] > 0.06 else 1.57) and _from_neck(x, y) < cut[NECK] or z - 0.6 * y > 1.585
    if y < -0.02 and cut[VEE] > 0 and z > 1.3:
        neckline = neckline or x < (z - (1.5 - cut[VEE])) * 0.5
    if cut[BARE] > 0 and z > 1.31:  # armholes
        neckline = neckline or x > 0.148 + 0.12 * max(1.40 - z, 0.0) - 0.09 * max(z - 1.42, 0.0)
    if neckline:
        c[:] = colours[SKIN_C] * (0.86 if y < -0.03 and 1.53 < z < 1.6 else 1.0)  # the chin's shadow
        return
    if z > cut[HEM]:
        if cut[OPEN] > 0 and y < 0.02 and (z < 1.35 or x < _opening(z, cut)):
            c[:] = colours[INNER_C] * _folds(a, cut)
            if x < 0.0035:
                c[:] = c * 0.7
        else:
            _top(a, c, colours, cut, False)
        return
    if z > 0.5 and cut[SKIRT_HEM] > 0 and z > cut[SKIRT_HEM] + 0.03:
        c[:] = colours[BOTTOM_C] * 0.7  # thighs that push through a skirt look like its lining
    else:
        _bottom(a, c, colours, cut, False)


@njit(cache=True)
def _from_neck(x: float, y: float) -> float:
    """Distance from the neck's axis as seen from above, a little less to the front."""
    return np.hypot(x, (y + 0.002) / (1.2 if y < 0 else 1.0))


@njit(cache=True)
def _opening(z: float, cut: np.ndarray) -> float:
    """Half width in x of what an open top shows of the shirt beneath."""
    return 0.035 + cut[OPEN] * 0.05 - 0.12 * max(z - 1.42, 0.0)


@njit(cache=True)
def _folds(a: np.ndarray, cut: np.ndarray) -> float:
    """Light and dark of folds: soft waves on the trunk, rings at elbows and knees."""
    x, y, z = a[0], a[1], a[2]
    wave = np.sin(21 * x + 27 * z + cut[FOLD]) * np.sin(15 * z - 26 * x + 11 * y + 2 * cut[FOLD])
    value = 1 + 0.07 * wave
    if a[3] > 0.5:
        bend = np.exp(-(((a[4] - 0.5) / 0.1) ** 2))
        value += (0.03 + 0.09 * bend) * np.sin(a[4] * 75 + 14 * y + cut[FOLD]) * np.sin(40 * x - 31 * y)
    elif z < 0.95:
        knee, ankle = np.exp(-(((z - 0.52) / 0.06) ** 2)), np.exp(-(((z - 0.1) / 0.06) ** 2))
        crotch = np.exp(-(((z - 0.86) / 0.06) ** 2)) * np.exp(-((x / 0.12) ** 2))
        value += 0.08 * (knee + ankle) * np.sin(z * 130 + 22 * x + cut[FOLD])
        value += 0.05 * crotch * np.sin(70 * abs(x) + 55 * z)
    else:
        value += 0.05 * np.exp(-(((z - 1.1) / 0.07) ** 2)) * np.sin(62 * z + 18 * x * x * 40 + cut[FOLD])
    return value


@njit(cache=True)
def _patterned(a: np.ndarray, c: np.ndarray, second: np.ndarray, cut: np.ndarray) -> None:
    """Stripes, checks or dots on ``c``."""
    down = a[4] * 0.58 if a[3] > 0.5 else a[2]
    across = (a[1] if a[3] > 0.5 else a[0]) + 10.0
    p = cut[PERIOD]
    if cut[PATTERN] == 1:
        if (down / p) % 1 < cut[DUTY]:
            c[:] = second
    elif cut[PATTERN] == 2:
        if (across / p) % 1 < cut[DUTY]:
            c[:] = second
    elif cut[PATTERN] == 3:
        level, upright = (down / p) % 1 < cut[DUTY], (across / p) % 1 < cut[DUTY]
        if level and upright:
            c[:] = second
        elif level or upright:
            c[:] = 0.5 * c + 0.5 * second
    elif cut[PATTERN] == 4:
        row = np.floor(down / p)
        dy, dx = down / p - row - 0.5, (across / p + 0.5 * (row % 2)) % 1 - 0.5
        if dx * dx + dy * dy < 0.075:
            c[:] = second


@njit(cache=True)
def _top(a: np.ndarray, c: np.ndarray, colours: np.ndarray, cut: np.ndarray, tube: bool) -> None:
    """Cloth of the top, on the body or on its own tubes."""
    x, y, z, along = abs(a[0]), a[1], a[2], a[4]
    arm, kind = a[3] > 0.5, cut[KIND]
    c[:] = colours[TOP_C]
    if cut[PATTERN] > 0:
        _patterned(a, c, colours[SECOND_C], cut)
    light = _folds(a, cut)
    if arm:
        if along > cut[SLEEVE] - (0.07 if cut[KNIT] > 0 else 0.022):
            light *= 0.84 + (0.1 * np.sin(x * 900) if cut[KNIT] > 0 else 0.0)
        if along > cut[SLEEVE] - 0.007 and cut[SLEEVE] < 0.9:
            light *= 0.75
    else:
        front = y < 0.0
        edge = cut[HEM] if kind < 7 else cut[SKIRT_HEM]
        if tube and z < edge + (0.05 if cut[KNIT] > 0 else 0.018):
            light *= 0.86 + (0.1 * np.sin(a[0] * 420) if cut[KNIT] > 0 else 0.0)
        if cut[BUTTONS] > 0 and front and z < 1.5:
            if abs(x - 0.017) < 0.003:
                light *= 0.72
            if cut[BUTTONS] == 1 and (a[2] / 0.095) % 1 < 0.13 and x < 0.0065:
                c[:] = 0.6 * c + 0.35 * (0.25 if c[0] + c[1] + c[2] > 0.9 else 0.9)
            if cut[BUTTONS] == 2 and x < 0.006:  # a zip
                light *= 0.5
        if (kind == 4 or kind == 5) and front and abs(z - 1.075 + 0.25 * (x - 0.12)) < 0.006 and 0.07 < x < 0.15:
            light *= 0.6  # pockets
        if kind == 3 and front and 1.0 < z < 1.17 and abs(x - 0.135 + 0.35 * max(z - 1.06, 0.0)) < 0.006:
            light *= 0.66  # the pouch of a hoodie
        if kind == 1 and front and 0.055 < x < 0.13 and 1.24 < z < 1.35 and (z > 1.34 or x < 0.06 or x > 0.125):
            light *= 0.82  # a breast pocket
        if cut[PRINT] > 0 and cut[BUTTONS] == 0 and front and x < 0.085 and abs(z - 1.31) < 0.055 and cut[PATTERN] == 0:
            if np.sin(a[0] * 75 * cut[PRINT]) * np.sin(a[2] * 90 + cut[FOLD]) > -0.45:
                c[:] = colours[PRINT_C]
        arch = 0.03 + 0.03 * min(max((1.4 - z) / 0.1, 0.0), 1.0)
        if cut[OPEN] == 0 and z > (1.4 if y < 0 else 1.525) and _from_neck(x, y) < cut[NECK] + 0.014 and cut[BARE] == 0:
            light *= 0.8  # the neckband
        light *= 1 - 0.25 * np.exp(-(((x - 0.175) / arch) ** 2) - ((z - 1.33) / 0.07) ** 2)  # armpits lie dark
        if cut[BAG] > 0 and front and abs(x - 0.105) < 0.022 and z > 1.12:
            c[:] = 0.012
    c[:] = c * light


@njit(cache=True)
def _bottom(a: np.ndarray, c: np.ndarray, colours: np.ndarray, cut: np.ndarray, tube: bool) -> None:
    """Trousers, shorts, skirt, or bare legs; on the body or on its own tubes."""
    x, y, z = abs(a[0]), a[1], a[2]
    kind = cut[LOWER]
    if not tube and (kind == 0 or z < cut[LEG_END]):
        c[:] = colours[TIGHTS_C if cut[TIGHTS] > 0 else SKIN_C]
        return
    c[:] = colours[BOTTOM_C]
    light = _folds(a, cut)
    if kind < 3:
        if cut[DENIM] > 0:
            light *= 0.9 + 0.25 * np.exp(-(((z - 0.68) / 0.15) ** 2)) * (1 if y < 0 else 0.4)
            if tube and abs(a[7] - 1.6) < 0.06:
                light *= 0.8
        if z > 0.86 and x < 0.006 and y < 0:
            light *= 0.75  # the fly
        if 0.9 < z < 1.0 and y < 0.02 and abs(x - 0.10 - 0.5 * (1.0 - z)) < 0.006:
            light *= 0.75  # pockets
        if 0.87 < z < 0.97 and y > 0.03 and 0.045 < x < 0.125 and (z > 0.96 or x < 0.052 or x > 0.118 or z < 0.878):
            light *= 0.78
        light *= 1 - 0.22 * np.exp(-((x / 0.035) ** 2) - ((z - 0.79) / 0.07) ** 2)  # between the legs
        if z < cut[LEG_END] + 0.016:
            light *= 0.82
        if z > WAIST - 0.045 and not tube:
            if cut[TUCKED] == 2:
                c[:] = colours[BELT_C]
                if y < 0 and x < 0.022:
                    c[:] = 0.5
            else:
                light *= 0.85
    elif z < cut[SKIRT_HEM] + 0.014 or z > WAIST - 0.03:
        light *= 0.84
    c[:] = c * light


@njit(cache=True)
def _shoe(a: np.ndarray, c: np.ndarray, colours: np.ndarray) -> None:
    x, y, z = abs(a[0]), a[1], a[2]
    if z < 0.024:
        c[:] = colours[SOLE_C]
        return
    c[:] = colours[SHOES_C]
    if y < -0.02 and y > -0.13 and abs(x - 0.2) < 0.028 and z > 0.04 and (y / 0.02) % 1 < 0.35:
        c[:] = 0.5 * c + 0.5 * colours[SOLE_C]  # laces


@njit(cache=True)
def _hair(a: np.ndarray, c: np.ndarray, hair: np.ndarray) -> None:
    """Strands run down from the crown, in locks, lighter where they catch the light."""
    angle = np.arctan2(a[0], a[1] + 0.05)
    lock = np.sin(angle * 23 + 3 * np.sin(a[2] * 31)) * 0.5 + np.sin(angle * 61 + 9 * a[2]) * 0.3
    fine = np.sin(angle * 170 + 60 * a[2])
    shine = np.exp(-(((a[2] - 1.79 - 0.01 * np.sin(angle * 9)) / 0.02) ** 2))
    c[:] = hair * (0.86 + 0.24 * lock + 0.1 * fine + 0.35 * shine) + 0.008 * shine


@njit(cache=True)
def _head(a: np.ndarray, c: np.ndarray, colours: np.ndarray, cut: np.ndarray) -> None:
    """Face, ears and scalp."""
    x, y, z, behind = abs(a[0]), a[1], a[2], a[7]
    c[:] = colours[SKIN_C]
    front = y < -0.075
    if front:
        warm = np.exp(-(((x - 0.045) / 0.02) ** 2) - ((z - 1.685) / 0.018) ** 2)
        c[0] *= 1 + 0.05 * warm
        c[1] *= 1 - 0.10 * warm
        c[2] *= 1 - 0.10 * warm
        if x < 0.014 and 1.667 < z < 1.672:
            c[:] = c * 0.75  # under the nose
        lip = abs(z - 1.648 - 2.5 * x * x)
        if lip < 0.0092 - 0.2 * x and x < 0.027:
            c[:] = colours[LIPS_C]
            if lip < 0.0014:
                c[:] = c * 0.55
        ex, ez = (x - 0.0318) / 0.0135, (z - 1.7185) / 0.0062
        socket = np.exp(-(((x - 0.031) / 0.02) ** 2) - ((z - 1.725) / 0.012) ** 2)
        c[:] = c * (1 - 0.18 * socket)
        if ex * ex + ez * ez < 1:
            c[:] = 0.12 + 0.25 * colours[SKIN_C, 0]
            if abs(x - 0.0318) < 0.0064 and z < 1.7225:
                c[:] = colours[EYE_C]
        elif ex * ex + (ez - 0.35) ** 2 < 1.25 and z > 1.7205:
            c[:] = colours[BROW_C] * 0.6  # lashes
        if abs(z - 1.7395 - 0.03 * x + 2.2 * (x - 0.032) ** 2) < 0.0042 and 0.012 < x < 0.053:
            c[:] = 0.75 * colours[BROW_C] + 0.25 * c
    if cut[BEARD] > 0 and z < 1.69 and z > 1.575 and y < -0.045:
        mouth = abs(z - 1.648) < 0.0085 and x < 0.022
        moustache = 1.656 < z < 1.667 and x < 0.034 and front
        if not mouth and (moustache or z < 1.64 + 0.9 * max(x - 0.02, 0.0)):
            c[:] = colours[BEARD_C] * (0.85 + 0.25 * np.sin(a[0] * 420) * np.sin(z * 350))
    ragged = 0.004 * np.sin(a[0] * 190 + z * 60) + 0.003 * np.sin(a[1] * 310 + z * 170)
    if cut[HAIRY] > 0 and behind + ragged > 0:
        if cut[FRINGE] == 0 or (cut[FRINGE] == 1 and z < 1.745 + ragged):
            _hair(a, c, colours[HAIR_C])
            c[:] = c * (0.8 + 0.2 * min(max(behind / 0.012, 0.0), 1.0))
    elif cut[HAIRY] == 0 and behind + ragged > 0 and cut[FRINGE] == 2:
        c[:] = 0.8 * c + 0.2 * colours[HAIR_C]  # shaven
