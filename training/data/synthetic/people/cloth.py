"""What a dressed figure's surface looks like: cloth, skin, face and hair, decided per point on an average body.

Cutting clothes per point keeps hems sharp on a coarse mesh. A point knows, interpolated from its triangle: the average
body's x, y, z; the arm's share; the place along the arm (0 shoulder, 1 wrist); the head's share; how open it lies to
the light; and on the body its distance behind the hairline (metres), on tubes the angle from the front (radians).
"""

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from ..facts import Look
from .bodies import Body, Rig
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
    "gap",
)  # fmt: skip
(
    KIND, PATTERN, PERIOD, DUTY, HEM, NECK, VEE, SLEEVE, LOWER, LEG_END, SHOE, TIGHTS, OPEN, PRINT, FOLD, HAIRY, FRINGE,
    BEARD, TUCKED, SKIRT_HEM, BUTTONS, KNIT, BARE, DENIM, BAG, GAP,
) = range(len(CUTS))  # fmt: skip
WAIST = 1.035  # height of a waistband on the average body
INNER_HEM = 0.92  # where the shirt under an open top ends


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
            _hair(a, c, colours)
        elif part == HAT:
            _put(c, colours, HAT_C, 0.94 + 0.06 * np.sin(a[0] * 260 + a[1] * 200))
        elif part == SCARF:
            _put(c, colours, SCARF_C, 0.86 + 0.14 * np.sin(a[2] * 150 + a[0] * 60))
        elif part == TIE:
            _put(c, colours, TIE_C, 0.85 if ((a[2] + 0.7 * a[0]) / 0.035) % 1 < 0.3 else 1.0)
        elif part == FRAME:
            _put(c, colours, FRAME_C, 1.0)
        elif part == LENS:
            _put(c, colours, LENS_C, 1.0)
        else:
            _put(c, colours, COLLAR_C, 0.93 + 0.07 * np.sin(a[7] * 9))
        for q in range(3):
            out[n, q] = c[q] * a[6]
    return out


@njit(cache=True)
def _put(c: np.ndarray, colours: np.ndarray, k: int, light: float) -> None:
    """Make ``c`` colour ``k``, lit."""
    for q in range(3):
        c[q] = colours[k, q] * light


@njit(cache=True)
def _mix(c: np.ndarray, colours: np.ndarray, k: int, share: float) -> None:
    """Take ``c`` towards colour ``k``."""
    for q in range(3):
        c[q] += share * (colours[k, q] - c[q])


@njit(cache=True)
def _grey(c: np.ndarray, value: float) -> None:
    for q in range(3):
        c[q] = value


@njit(cache=True)
def _dim(c: np.ndarray, light: float) -> None:
    for q in range(3):
        c[q] *= light


@njit(cache=True)
def _near(value: float, centre: float, width: float) -> float:
    """A soft bump: 1 at the centre, 0 beyond twice the width."""
    d = (value - centre) / (2 * width)
    return max(1 - d * d, 0.0) ** 2


@njit(cache=True)
def _trunk(a: np.ndarray, c: np.ndarray, colours: np.ndarray, cut: np.ndarray) -> None:
    """Neck, trunk, arms and legs of the body itself."""
    x, y, z = abs(a[0]), a[1], a[2]
    if a[3] > 0.5:
        if a[4] < cut[SLEEVE]:
            _top(a, c, colours, cut, False)
        else:
            _put(c, colours, SKIN_C, 1.0)
    elif z < cut[SHOE]:
        _shoe(a, c, colours)
    elif z > 1.3 and _bare_chest(x, y, z, cut):
        _put(c, colours, SKIN_C, 0.86 if y < -0.03 and 1.53 < z < 1.6 else 1.0)  # the chin throws a shadow
    elif z > cut[HEM]:
        if cut[OPEN] > 0 and z < INNER_HEM:
            _bottom(a, c, colours, cut, False)
        elif cut[OPEN] > 0 and y < 0.02 and (z < 1.35 or x < _opening(z, cut)):
            _put(c, colours, INNER_C, _folds(a, cut) * (0.7 if x < 0.0035 else 1.0))
        else:
            _top(a, c, colours, cut, False)
    elif z > 0.5 and cut[SKIRT_HEM] > 0 and z > cut[SKIRT_HEM] + 0.03:
        _put(c, colours, BOTTOM_C, 0.7)  # thighs that push through a skirt look like its lining
    else:
        _bottom(a, c, colours, cut, False)


@njit(cache=True)
def _bare_chest(x: float, y: float, z: float, cut: np.ndarray) -> bool:
    """Whether a point above the chest lies outside the neckline or, without sleeves, the armholes."""
    if z - 0.6 * y > 1.585:
        return True
    if z > (1.4 if y < 0 else 1.54 if cut[NECK] > 0.06 else 1.57) and _from_neck(x, y) < cut[NECK]:
        return True
    if y < -0.02 and cut[VEE] > 0 and x < (z - (1.5 - cut[VEE])) * 0.5:
        return True
    return cut[BARE] > 0 and z > 1.31 and x > 0.148 + 0.12 * max(1.40 - z, 0.0) - 0.09 * max(z - 1.42, 0.0)


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
    x, y, z, phase = a[0], a[1], a[2], cut[FOLD]
    value = 1 + 0.07 * np.sin(21 * x + 27 * z + phase) * np.sin(15 * z - 26 * x + 11 * y + 2 * phase)
    if a[3] > 0.5:
        bend = _near(a[4], 0.5, 0.1)
        value += (0.03 + 0.09 * bend) * np.sin(a[4] * 75 + 14 * y + phase) * np.sin(40 * x - 31 * y)
    elif z < 0.95:
        knee = _near(z, 0.52, 0.06) + _near(z, 0.1, 0.06)
        if knee > 0:
            value += 0.08 * knee * np.sin(z * 130 + 22 * x + phase)
        crotch = _near(z, 0.86, 0.06) * _near(x, 0.0, 0.12)
        if crotch > 0:
            value += 0.05 * crotch * np.sin(70 * abs(x) + 55 * z)
    else:
        waist = _near(z, 1.1, 0.07)
        if waist > 0:
            value += 0.05 * waist * np.sin(62 * z + 720 * x * x + phase)
    return value


@njit(cache=True)
def _patterned(a: np.ndarray, c: np.ndarray, colours: np.ndarray, cut: np.ndarray) -> None:
    """Stripes, checks or dots on ``c``."""
    p, kind = cut[PERIOD], cut[PATTERN]
    down = (a[4] * 0.58 if a[3] > 0.5 else a[2]) / p
    across = ((a[1] if a[3] > 0.5 else a[0]) + 10.0) / p
    level, upright = down % 1 < cut[DUTY], across % 1 < cut[DUTY]
    if (kind == 1 and level) or (kind == 2 and upright) or (kind == 3 and level and upright):
        _put(c, colours, SECOND_C, 1.0)
    elif kind == 3 and (level or upright):
        _mix(c, colours, SECOND_C, 0.5)
    elif kind == 4:
        row = np.floor(down)
        dy, dx = down - row - 0.5, (across + 0.5 * (row % 2)) % 1 - 0.5
        if dx * dx + dy * dy < 0.075:
            _put(c, colours, SECOND_C, 1.0)


@njit(cache=True)
def _top(a: np.ndarray, c: np.ndarray, colours: np.ndarray, cut: np.ndarray, tube: bool) -> None:
    """Cloth of the top, on the body or on its own tubes."""
    x, y, z, along, kind, knit = abs(a[0]), a[1], a[2], a[4], cut[KIND], cut[KNIT] > 0
    _put(c, colours, TOP_C, 1.0)
    if cut[PATTERN] > 0:
        _patterned(a, c, colours, cut)
    light = _folds(a, cut)
    if a[3] > 0.5:
        if along > cut[SLEEVE] - (0.07 if knit else 0.022):
            light *= 0.84 + (0.1 * np.sin(x * 900) if knit else 0.0)
        if along > cut[SLEEVE] - 0.007 and cut[SLEEVE] < 0.9:
            light *= 0.75
        _dim(c, light)
        return
    if tube and z < (cut[HEM] - 0.05 if kind < 7 else cut[SKIRT_HEM]) + (0.05 if knit else 0.018):
        light *= 0.86 + (0.1 * np.sin(a[0] * 420) if knit else 0.0)
    if tube and cut[OPEN] > 0 and a[7] < 1.4:
        lapel = cut[GAP] + 0.03 + 0.4 * min(max((z - 1.1) / 0.3, 0.0), 1.0) * (kind != 3)
        if abs(a[7] - lapel) < 0.03:
            light *= 0.6
    if kind == 4 and z < cut[HEM] and tube:
        light *= 0.78  # a jacket's waistband
    if y < 0:
        if cut[BUTTONS] > 0 and z < 1.5:
            light *= _closure(x, z, c, cut)
        if (kind == 4 or kind == 5) and abs(z - 1.075 + 0.25 * (x - 0.12)) < 0.006 and 0.07 < x < 0.15:
            light *= 0.6  # pockets
        if kind == 4 and cut[OPEN] == 0 and 0.055 < x < 0.135 and (abs(z - 1.285) < 0.005 or abs(z - 1.255) < 0.003):
            light *= 0.66  # breast pockets with flaps
        if kind == 3 and 1.0 < z < 1.17 and abs(x - 0.135 + 0.35 * max(z - 1.06, 0.0)) < 0.006:
            light *= 0.66  # the pouch of a hoodie
        if kind == 1 and 0.055 < a[0] < 0.13 and 1.24 < z < 1.35 and (z > 1.342 or x < 0.06 or x > 0.125):
            light *= 0.82  # a breast pocket
        if (
            cut[PRINT] > 0
            and x < 0.085
            and abs(z - 1.31) < 0.055
            and np.sin(a[0] * 75 * cut[PRINT]) * np.sin(z * 90 + cut[FOLD]) > -0.45
        ):
            _put(c, colours, PRINT_C, 1.0)
        if cut[BAG] > 0 and abs(x - 0.105) < 0.022 and z > 1.12:
            _grey(c, 0.012)
    if z > (1.4 if y < 0 else 1.525) and cut[OPEN] == 0 and cut[BARE] == 0 and _from_neck(x, y) < cut[NECK] + 0.014:
        light *= 0.8  # the neckband
    arch = 0.03 + 0.03 * min(max((1.4 - z) / 0.1, 0.0), 1.0)
    light *= 1 - 0.25 * _near(x, 0.175, arch) * _near(z, 1.33, 0.07)  # armpits lie dark
    _dim(c, light)


@njit(cache=True)
def _closure(x: float, z: float, c: np.ndarray, cut: np.ndarray) -> float:
    """Buttons on a placket, or a zip; returns how it shades the cloth."""
    if cut[BUTTONS] == 2:
        if x < 0.005:  # a zip's metal on its dark tape
            for q in range(3):
                c[q] = 0.3 * c[q] + 0.25
            return 1.0
        return 0.45 if x < 0.013 else 1.0
    if (z / 0.095) % 1 < 0.13 and x < 0.0065:
        bright = 0.08 if c[0] + c[1] + c[2] > 0.9 else 0.3
        for q in range(3):
            c[q] = 0.6 * c[q] + bright
    return 0.72 if abs(x - 0.017) < 0.003 else 1.0


@njit(cache=True)
def _bottom(a: np.ndarray, c: np.ndarray, colours: np.ndarray, cut: np.ndarray, tube: bool) -> None:
    """Trousers, shorts, skirt, or bare legs; on the body or on its own tubes."""
    x, y, z, kind = abs(a[0]), a[1], a[2], cut[LOWER]
    if not tube and (kind == 0 or z < cut[LEG_END]):
        _put(c, colours, TIGHTS_C if cut[TIGHTS] > 0 else SKIN_C, 1.0)
        return
    if cut[KIND] == 5 and cut[OPEN] == 0 and z > cut[HEM]:
        _put(c, colours, TOP_C, 0.6)  # the lining of a coat
        return
    _put(c, colours, BOTTOM_C, 1.0)
    light = _folds(a, cut)
    if kind == 3:
        _dim(c, light * (0.84 if z < cut[SKIRT_HEM] + 0.014 or z > WAIST - 0.03 else 1.0))
        return
    if cut[DENIM] > 0:
        light *= 0.9 + 0.25 * _near(z, 0.68, 0.15) * (1.0 if y < 0 else 0.4)  # worn on the thighs
        if tube and abs(a[7] - 1.6) < 0.06:
            light *= 0.8
    if z > 0.86:
        if x < 0.006 and y < 0:
            light *= 0.75  # the fly
        if 0.9 < z < 1.0 and y < 0.02 and abs(x - 0.10 - 0.5 * (1.0 - z)) < 0.006:
            light *= 0.75  # pockets
        if 0.87 < z < 0.97 and y > 0.03 and 0.045 < x < 0.125 and (z > 0.96 or x < 0.052 or x > 0.118 or z < 0.878):
            light *= 0.78
    light *= 1 - 0.22 * _near(x, 0.0, 0.035) * _near(z, 0.79, 0.07)  # between the legs
    if z < cut[LEG_END] + 0.016:
        light *= 0.82
    if z > WAIST - 0.045 and not tube:
        if cut[TUCKED] == 2:
            _put(c, colours, BELT_C, 1.0)
            if y < 0 and x < 0.022:
                _grey(c, 0.5)
        else:
            light *= 0.85
    _dim(c, light)


@njit(cache=True)
def _shoe(a: np.ndarray, c: np.ndarray, colours: np.ndarray) -> None:
    x, y, z = abs(a[0]), a[1], a[2]
    if z < 0.024:
        _put(c, colours, SOLE_C, 1.0)
        return
    _put(c, colours, SHOES_C, 1.0)
    if -0.13 < y < -0.02 and abs(x - 0.2) < 0.028 and z > 0.04 and (y / 0.02) % 1 < 0.35:
        _mix(c, colours, SOLE_C, 0.5)  # laces


@njit(cache=True)
def _hair(a: np.ndarray, c: np.ndarray, colours: np.ndarray) -> None:
    """Strands run down from the crown, in locks, lighter where they catch the light."""
    angle = np.arctan2(a[0], a[1] + 0.05)
    lock = np.sin(angle * 23 + 3 * np.sin(a[2] * 31)) * 0.5 + np.sin(angle * 61 + 9 * a[2]) * 0.3
    fine = np.sin(angle * 170 + 60 * a[2])
    shine = _near(a[2], 1.79 + 0.01 * np.sin(angle * 9), 0.015)
    light = 0.86 + 0.24 * lock + 0.1 * fine + 0.35 * shine
    for q in range(3):
        c[q] = colours[HAIR_C, q] * light + 0.008 * shine


@njit(cache=True)
def _head(a: np.ndarray, c: np.ndarray, colours: np.ndarray, cut: np.ndarray) -> None:
    """Face, ears and scalp."""
    x, y, z, behind = abs(a[0]), a[1], a[2], a[7]
    _put(c, colours, SKIN_C, 1.0)
    if y < -0.075 and z < 1.77:
        _face(x, z, c, colours)
    if cut[BEARD] > 0 and 1.575 < z < 1.69 and y < -0.045:
        mouth = abs(z - 1.648) < 0.0085 and x < 0.022
        moustache = 1.656 < z < 1.667 and x < 0.034 and y < -0.075
        if not mouth and (moustache or z < 1.64 + 0.9 * max(x - 0.02, 0.0)):
            _put(c, colours, BEARD_C, 0.85 + 0.25 * np.sin(a[0] * 420) * np.sin(z * 350))
    if behind < -0.01:
        return
    ragged = 0.004 * np.sin(a[0] * 190 + z * 60) + 0.003 * np.sin(y * 310 + z * 170)
    if behind + ragged > 0:
        if cut[HAIRY] > 0 or (cut[FRINGE] == 1 and z < 1.745 + ragged):
            _hair(a, c, colours)
            _dim(c, 0.8 + 0.2 * min(max(behind / 0.012, 0.0), 1.0))
        elif cut[FRINGE] == 2:
            _mix(c, colours, HAIR_C, 0.2)  # shaven


@njit(cache=True)
def _face(x: float, z: float, c: np.ndarray, colours: np.ndarray) -> None:
    """Cheeks, mouth, eyes and brows."""
    warm = _near(x, 0.045, 0.02) * _near(z, 1.685, 0.018)
    c[0] *= 1 + 0.05 * warm
    c[1] *= 1 - 0.10 * warm
    c[2] *= 1 - 0.10 * warm
    if x < 0.014 and 1.667 < z < 1.672:
        _dim(c, 0.75)  # under the nose
    lip = abs(z - 1.6475 - 6 * x * x)
    if lip < 0.0092 - 0.2 * x and x < 0.027:
        _put(c, colours, LIPS_C, 0.55 if lip < 0.0014 else 1.0)
    if z < 1.69:
        return
    ex, ez = (x - 0.0318) / 0.0135, (z - 1.7185) / 0.0062
    _dim(c, 1 - 0.18 * _near(x, 0.031, 0.02) * _near(z, 1.725, 0.012))
    if ex * ex + ez * ez < 1:
        if abs(x - 0.0318) < 0.0064 and z < 1.7225:
            _put(c, colours, EYE_C, 1.0)
        else:
            _grey(c, 0.12 + 0.25 * colours[SKIN_C, 0])
    elif ex * ex + (ez - 0.35) ** 2 < 1.25 and z > 1.7205:
        _put(c, colours, BROW_C, 0.6)  # lashes
    if abs(z - 1.7395 - 0.03 * x + 2.2 * (x - 0.032) ** 2) < 0.0042 and 0.012 < x < 0.053:
        _mix(c, colours, BROW_C, 0.75)
