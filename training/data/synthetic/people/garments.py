"""The shape of clothes: the body's mesh draped where cloth lies on it, and tubes where cloth hangs free of it."""

from dataclasses import dataclass, replace

import numpy as np

from ..deeds.props import grid_faces
from ..facts import Look
from .bodies import CHEST, NECK, Body, Rig, vertex_normals
from .cloth import BOTTOM, CHANNELS, COLLAR, SCARF, TIE, TOP
from .fitting import Fitted, fit, smoothed

THICK = {
    "t-shirt": 0.009, "shirt": 0.011, "sweater": 0.018, "hoodie": 0.022, "jacket": 0.024, "coat": 0.03,
    "tank top": 0.006, "dress": 0.007,
}  # fmt: skip
LOOSE = {
    "t-shirt": 0.985, "shirt": 0.985, "sweater": 0.99, "hoodie": 0.993, "jacket": 0.992, "coat": 0.995,
    "tank top": 0.96, "dress": 0.955,
}  # fmt: skip
DRAPED_FROM = 1.36  # height from which a top hangs freely


@dataclass
class Piece:
    """A mesh to be added to a figure: rest points (n, 3), weights (n, 20), triangles, attributes (n, 8), its part."""

    points: np.ndarray
    weights: np.ndarray
    faces: np.ndarray
    attributes: np.ndarray
    part: int


@dataclass
class Fit:
    """How one look's clothes sit, drawn at random. Heights are of the average body; 0 where there is no such thing.

    out_*: metres outside the body. loose: share of its width that cloth keeps from one level to the next below.
    """

    thick: float
    loose: float
    hem: float
    sleeve: float
    leg_end: float = 0.0
    leg_loose: float = 0.99
    leg_out: float = 0.01
    skirt_hem: float = 0.0
    flare: float = 0.0
    pleats: int = 0
    open: float = 0.0
    tucked: bool = False
    collar: str = ""  # "shirt", "high", "hood"

    @property
    def gap(self) -> float:
        """Half angle of an open front."""
        return float(np.arctan2(0.03 + 0.05 * self.open, 0.115)) if self.open else 0.0


def _level(fitted: Fitted, value: np.ndarray | float) -> np.ndarray:
    """Fractional row of a height or a place along the arm."""
    levels = fitted.tube.levels
    return np.interp(value, levels[:: np.sign(levels[1] - levels[0]).astype(int)], _rows(levels))


def _rows(levels: np.ndarray) -> np.ndarray:
    rows = np.arange(len(levels), dtype=float)
    return rows if levels[1] > levels[0] else rows[::-1]


def draped(fitted: Fitted, start: float, loose: float) -> Fitted:
    """Let cloth hang: below ``start`` no level is narrower than ``loose`` times the one above."""
    radius = fitted.radius.copy()
    for row in range(int(np.ceil(_level(fitted, start))) + 1, len(radius)):
        radius[row] = np.maximum(radius[row], radius[row - 1] * loose)
    return replace(fitted, radius=radius)


def band(
    fitted: Fitted,
    high: float,
    low: float,
    rows: int,
    out: np.ndarray | float,
    part: int,
    *,
    gap: float = 0.0,
    columns: int = 0,
) -> Piece:
    """Cloth about a tube from level ``high`` to ``low``.

    Args:
        fitted: The tube on a body.
        high: Height (or place along the arm) of the first row.
        low: Of the last.
        rows: How many.
        out: Metres outside the body, (rows,) or (rows, columns).
        part: The part that it is painted as.
        gap: Half angle left open at the front, radians.
        columns: How many directions; the tube's own by default.
    """
    tube, count = fitted.tube, fitted.radius.shape[1]
    at = np.linspace(_level(fitted, high), _level(fitted, low), rows)
    if gap:
        columns = columns or count + 1
        angle = np.linspace(gap, 2 * np.pi - gap, columns)
    else:
        columns = columns or count
        angle = 2 * np.pi * np.arange(columns) / columns
    turn = angle / (2 * np.pi) * count
    i, j = np.clip(at.astype(int), 0, len(tube.levels) - 2), turn.astype(int) % count
    s, t = (at - i)[:, None, None], (turn - turn.astype(int))[None, :, None]

    def sample(grid: np.ndarray) -> np.ndarray:
        upper = grid[i][:, j] * (1 - t) + grid[i][:, (j + 1) % count] * t
        lower = grid[i + 1][:, j] * (1 - t) + grid[i + 1][:, (j + 1) % count] * t
        return upper * (1 - s) + lower * s

    push = np.asarray(out, float)
    push = (push[:, None] if push.ndim == 1 else push) * np.ones((rows, columns))
    centre = fitted.centre[i] * (1 - s[:, 0]) + fitted.centre[i + 1] * s[:, 0]
    points = centre[:, None] + sample(fitted.outward) * (sample(fitted.radius[..., None]) + push[..., None])
    attributes = np.zeros((rows, columns, CHANNELS), np.float32)
    attributes[..., :3] = sample(tube.canon)
    if tube.kind == "arm":
        attributes[..., 3], attributes[..., 4] = 1, np.interp(at, np.arange(len(tube.levels)), tube.levels)[:, None]
    else:
        attributes[..., 2] = np.interp(at, np.arange(len(tube.levels)), tube.levels)[:, None]
    attributes[..., 6], attributes[..., 7] = 1, np.minimum(angle, 2 * np.pi - angle)
    return Piece(
        points.reshape(-1, 3),
        sample(tube.weights).reshape(-1, 20),
        grid_faces(rows, columns, closed=not gap),
        attributes.reshape(-1, CHANNELS),
        part,
    )


def ramp(rows: int, start: float, end: float, power: float = 1.0) -> np.ndarray:
    return start + (end - start) * np.linspace(0, 1, rows) ** power


def lined(piece: Piece) -> list[Piece]:
    """Cloth and its dark inside, which shows when one sits or a coat flies open."""
    inward = vertex_normals(piece.points, piece.faces) * -0.005
    attributes = piece.attributes.copy()
    attributes[:, 6] *= 0.22
    return [piece, Piece(piece.points + inward, piece.weights, piece.faces[:, ::-1].copy(), attributes, piece.part)]


class Tailor:
    """Makes the pieces of one look on one body."""

    def __init__(self, rig: Rig, body: Body, look: Look, cut: Fit) -> None:
        self.rig, self.body, self.look, self.cut = rig, body, look, cut
        self.fits = {k: fit(t, body.rest, body.joints, rig.canon_joints) for k, t in rig.tubes.items()}
        self.size = float(body.height / 1.8) ** 0.7  # cloth of children is a little thinner
        trunk = self.fits["trunk"]
        self.shirt = draped(trunk, DRAPED_FROM, LOOSE["shirt"] if cut.open else cut.loose)
        self.cover = draped(trunk, DRAPED_FROM, cut.loose)
        self.hips = draped(trunk, 0.98, 0.995)

    def body_mesh(self, attributes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The body's own vertices (V, 3) under and in clothes, and their attributes (V, 6), slid along with them."""
        rig, cut = self.rig, self.cut
        z, arm, along, head = attributes[:, 2:6].T
        rest = self.body.rest
        clothed = np.where(arm > 0.5, np.clip((cut.sleeve - along) / 0.1, 0, 1), np.clip((1.53 - z) / 0.06, 0, 1))
        clothed *= (head < 0.3) & ((z > 0.09) | (arm > 0.5))
        if not cut.leg_end:
            clothed *= (arm > 0.5) | (z > 0.85)
        foot = np.clip((0.11 - z) / 0.03, 0, 1) * (arm < 0.5)
        firm = np.where(
            arm > 0.5, 1, 0.25 + 0.75 * np.clip((1.44 - z) / 0.08, 0, 1)
        )  # keeps the slope of the shoulders
        amount = np.maximum(clothed * firm, 0.7 * foot).astype(np.float32) * 0.6
        both = smoothed(np.concatenate([rest, attributes], 1), rig.starts, rig.near, amount, 5)
        rest, slid = both[:, :3], both[:, 3:]
        trunk_thick = 0.009 if cut.open else cut.thick
        shoulder = np.clip((z - 1.34) / 0.05, 0, 1)
        push = np.where(arm > 0.5, cut.thick, trunk_thick * (1 - shoulder) + cut.thick * shoulder) * clothed
        push = np.where((arm < 0.5) & (z < 1.0), 0.006 * clothed, push) * self.size + 0.007 * foot
        rest = rest + vertex_normals(rest, rig.faces) * push[:, None].astype(np.float32)
        rest[:, 2] = np.where(foot > 0, np.maximum(rest[:, 2], self.body.rest[:, 2] - 0.004), rest[:, 2])
        over = np.clip((z - max(cut.hem, 0.88) - 0.02) / 0.05, 0, 1)
        mine = (arm < 0.35) & (head < 0.3)
        amount = mine * np.clip((1.45 - z) / 0.08, 0, 1)
        if cut.leg_end or cut.skirt_hem:
            low = amount * np.clip((z - 0.84) / 0.05, 0, 1) * (1 - over)
            rest = self._lay(rest, self.hips, z, low, 0.006 * self.size)
        rest = self._lay(rest, self.shirt, z, amount * over, trunk_thick * self.size)
        return self._hide(rest, attributes), slid

    def _lay(self, rest: np.ndarray, fitted: Fitted, z: np.ndarray, amount: np.ndarray, out: float) -> np.ndarray:
        """Bring trunk vertices onto cloth about it, by ``amount`` (V,)."""
        on = np.flatnonzero(amount > 0)
        count = fitted.radius.shape[1]
        at = np.clip(_level(fitted, z[on]), 0, len(fitted.radius) - 1.001)
        i = at.astype(int)
        s = (at - i)[:, None]
        centre = (fitted.centre[i] * (1 - s) + fitted.centre[i + 1] * s)[:, :2]
        gone = rest[on, :2] - centre
        turn = (np.arctan2(gone[:, 0], -gone[:, 1]) / (2 * np.pi) * count) % count
        j = turn.astype(int) % count
        t = turn - turn.astype(int)
        upper = fitted.radius[i, j] * (1 - t) + fitted.radius[i, (j + 1) % count] * t
        lower = fitted.radius[i + 1, j] * (1 - t) + fitted.radius[i + 1, (j + 1) % count] * t
        wanted = upper * (1 - s[:, 0]) + lower * s[:, 0] + out
        factor = wanted / (np.linalg.norm(gone, axis=1) + 1e-6)
        factor = 1 + (np.clip(factor, 0.6, 2.5) - 1) * amount[on]
        rest = rest.copy()
        rest[on, :2] = centre + gone * factor[:, None]
        return rest

    def _hide(self, rest: np.ndarray, attributes: np.ndarray) -> np.ndarray:
        """Draw limbs in under tubes of cloth, so that they never show through."""
        cut, rest = self.cut, rest.copy()
        z, along = attributes[:, 2], attributes[:, 4]
        for fitted in self.fits.values():
            tube, on = fitted.tube, fitted.tube.members
            if tube.kind == "leg":
                end = cut.leg_end or cut.skirt_hem
                within = np.clip((0.86 - z[on]) / 0.06, 0, 1) * np.clip((z[on] - end - 0.01) / 0.05, 0, 1) * bool(end)
                place = z[on]
            elif tube.kind == "arm":
                within = np.clip((along[on] - 0.24) / 0.1, 0, 1) * np.clip((cut.sleeve - 0.03 - along[on]) / 0.06, 0, 1)
                place = along[on]
            else:
                continue
            at = _level(fitted, place)
            centre = np.stack([np.interp(at, np.arange(len(fitted.centre)), fitted.centre[:, k]) for k in range(3)], -1)
            rest[on] += ((centre - rest[on]) * (0.22 * within)[:, None]).astype(np.float32)
        return rest

    def pieces(self, rng: np.random.Generator) -> list[Piece]:
        """All that hangs free of the body, from the top down."""
        cut, look, out = self.cut, self.look, []
        for g in (1, -1):
            if cut.sleeve > 0.15:
                out.append(self._sleeve(g))
            if cut.leg_end:
                out.append(self._leg(g))
        if look.bottom == "skirt" or look.top == "dress":
            out += lined(self._skirt(rng))
        if look.top in ("jacket", "coat") or cut.open:
            jacket = self._jacket()
            out += lined(jacket) if look.top == "coat" else [jacket]
        elif not cut.tucked and look.top != "dress":
            out.append(self._hem())
        out += self._neckwear(rng)
        return out

    def _sleeve(self, g: int) -> Piece:
        cut = self.cut
        rows = max(int(cut.sleeve * 14), 6)
        arm = draped(self.fits[f"arm{g:+d}"], 0.16, 0.965 if cut.sleeve > 0.6 else 0.995)
        end = cut.thick + (0.012 if cut.sleeve < 0.6 else 0.004)
        along = np.linspace(0.06, cut.sleeve, rows)
        push = np.interp(along, [0.06, min(0.32, cut.sleeve - 0.06), cut.sleeve], [-0.014, cut.thick + 0.002, end])
        return band(arm, 0.06, cut.sleeve, rows, push * self.size, TOP)

    def _leg(self, g: int) -> Piece:
        cut = self.cut
        leg = draped(self.fits[f"leg{g:+d}"], 0.84, cut.leg_loose)
        rows = max(int((0.93 - cut.leg_end) * 14), 5)
        push = ramp(rows, 0.0, cut.leg_out, 0.5)
        if self.look.top == "coat":  # lies under the coat
            push -= 0.03 * np.clip((np.linspace(0.93, cut.leg_end, rows) - cut.hem) / 0.06, 0, 1)
        return band(leg, 0.93, cut.leg_end, rows, push * self.size, BOTTOM)

    def _skirt(self, rng: np.random.Generator) -> Piece:
        cut = self.cut
        rows, columns, top = 10, 28, 1.04
        z = np.linspace(top, cut.skirt_hem, rows)
        below = np.clip(0.95 - z, 0, 1)
        start = -0.001 if self.look.top == "dress" else 0.005 + cut.thick * cut.tucked
        push = start + (0.013 - min(start, 0.005)) * np.clip((top - z) / 0.06, 0, 1) + cut.flare * below
        waves = np.cos(cut.pleats * 2 * np.pi * np.arange(columns) / columns + rng.uniform(0, 6)) if cut.pleats else 0.0
        push = push[:, None] + 0.035 * np.clip(below / 0.4, 0, 1)[:, None] * cut.flare * 2 * waves
        hips, part = draped(self.fits["trunk"], 0.95, 0.982), BOTTOM if self.look.bottom == "skirt" else TOP
        return band(hips, top, cut.skirt_hem, rows, push * np.ones((rows, columns)), part, columns=columns)

    def _jacket(self) -> Piece:
        cut = self.cut
        rows = max(int((1.42 - cut.hem) * 16), 8)
        push = np.full(rows, cut.thick + 0.006) + 0.03 * np.clip(0.9 - np.linspace(1.42, cut.hem, rows), 0, 1)
        push[0] = cut.thick * 0.6
        return band(self.cover, 1.42, cut.hem, rows, push * self.size, TOP, gap=cut.gap, columns=24)

    def _hem(self) -> Piece:
        """The lower edge of a top worn over trousers or a skirt."""
        cut = self.cut
        top, rows = min(cut.hem + 0.14, 1.12), 5
        push = cut.thick + np.array([-0.005, 0.001, 0.004, 0.006, 0.006])
        if self.look.top in ("sweater", "hoodie"):
            push[-1] -= 0.006  # a ribbed hem draws in
        push = push + 0.012 * (cut.skirt_hem > 0)
        return band(draped(self.cover, 1.0, 0.99), top, cut.hem, rows, push * self.size, TOP)

    def _neckwear(self, rng: np.random.Generator) -> list[Piece]:
        cut, look, out = self.cut, self.look, []
        neck = self.fits["neck"]
        if cut.collar == "shirt":
            collar = self._ring(neck, (1.572, 1.568, 1.535, 1.515), (0.004, 0.014, 0.03, 0.04), COLLAR, gap=0.12)
            grid = collar.points.reshape(4, -1, 3)
            points = np.clip(1 - np.arange(17) / 3.0, 0, 1) + np.clip(1 - np.arange(17)[::-1] / 3.0, 0, 1)
            grid[2:, :, 2] -= (0.03 * self.size * points) * np.array([[0.5], [1.0]])  # its two tips
            grid[2:, :, 1] -= (0.018 * self.size * points) * np.array([[0.5], [1.0]])
            collar.attributes.reshape(4, -1, CHANNELS)[3, :, 6] = 0.62  # its edge stands out from the shirt
            out.append(collar)
        elif cut.collar == "high":
            out.append(self._ring(neck, (1.575, 1.565, 1.515), (0.01, 0.02, 0.052), COLLAR, gap=0.3))
        elif cut.collar == "hood":
            angle = np.abs(np.linspace(0.5, 2 * np.pi - 0.5, 17) - np.pi)
            fat = 0.012 + 0.05 * np.clip(1 - angle / 2.6, 0, 1)
            profile = np.array([(0.1, 0.15), (0.4, 0.6), (0.1, 1.0), (-0.5, 0.9), (-0.9, 0.35)])
            piece = self._ring(neck, tuple(1.535 + 0.04 * p for p, _ in profile), (0.01,) * 5, COLLAR, gap=0.5)
            points = piece.points.reshape(5, 17, 3)
            outward = points[0] - points[0].mean(0)
            outward[:, 2] = 0
            outward /= np.linalg.norm(outward, axis=1, keepdims=True)
            points += outward * fat[:, None] * profile[:, 1][:, None, None]
            points[..., 2] += fat * profile[:, 0][:, None]
            out.append(piece)
        if look.scarf:
            heights = ((1.59, 0.01), (1.585, 0.036), (1.555, 0.05), (1.52, 0.042), (1.50, 0.012))
            out.append(self._ring(neck, tuple(z for z, _ in heights), tuple(o for _, o in heights), SCARF))
            x = rng.choice([-1, 1]) * rng.uniform(0.03, 0.06)
            out.append(self._strip(x, 1.50, rng.uniform(1.15, 1.3), 0.055, 0.06, cut.thick + 0.022, SCARF))
        if look.tie:
            out.append(self._strip(0.0, 1.515, 1.07, 0.017, 0.034, 0.022 if not cut.open else 0.016, TIE))
        return out

    def _ring(self, neck: Fitted, heights: tuple, outs: tuple, part: int, gap: float = 0.0) -> Piece:
        """Rows about the neck at given heights and distances, from the top (or the inside) down."""
        rows = [
            band(neck, z, z, 1, np.array([o * self.size]), part, gap=gap, columns=17 if gap else 16)
            for z, o in zip(heights, outs, strict=True)
        ]
        columns = len(rows[0].points)
        weights = np.zeros((columns * len(rows), 20), np.float32)
        weights[:, CHEST], weights[:, NECK] = 0.6, 0.4
        return Piece(
            np.concatenate([r.points for r in rows]),
            weights,
            grid_faces(len(rows), columns, closed=not gap),
            np.concatenate([r.attributes for r in rows]),
            part,
        )

    def _strip(self, x: float, high: float, low: float, wide: float, wider: float, out: float, part: int) -> Piece:
        """Cloth that hangs down the chest: a tie, the end of a scarf."""
        rows = 8
        count = self.shirt.radius.shape[1]
        base = band(
            self.cover if part == SCARF else self.shirt,
            high,
            low,
            rows,
            np.full(rows, out * self.size),
            part,
            columns=count * 4,
        )
        grid, weights = base.points.reshape(rows, -1, 3), base.weights.reshape(rows, -1, 20)
        half = np.linspace(wide, wider, rows)
        if part == TIE:
            half[0], half[-1] = 0.02, 0.012
        points, shares, attributes = [], [], []
        for k in range(rows):
            front = np.roll(grid[k], count, 0)[: 2 * count + 1]  # from the body's right to its left
            for side in (-1, 0, 1):
                at = x + side * half[k] * self.size
                y = np.interp(at, front[:, 0], front[:, 1])
                points.append((at, y - 0.004 * (side == 0), grid[k, 0, 2]))
                shares.append(weights[k, 0])
                attributes.append((at, y, np.linspace(high, low, rows)[k], 0, 0, 0, 1 if side == 0 else 0.85, 0))
        return Piece(
            np.array(points),
            np.array(shares),
            grid_faces(rows, 3, closed=False),
            np.array(attributes, np.float32),
            part,
        )
