"""Hair, hats and glasses: pieces about the head, built on the average head and fitted to each."""

import numpy as np

from ..deeds.props import grid_faces, spheroid
from ..facts import Look
from .bodies import CHEST, HEAD, Body, Rig
from .cloth import CHANNELS, FRAME, HAIR, HAT, LENS
from .garments import Piece


def behind_hairline(canon: np.ndarray, nape: float) -> np.ndarray:
    """How far points of the average head lie behind the hairline (V,), metres; negative on the face."""
    y, z = canon[:, 1], canon[:, 2]
    line = np.interp(
        z,
        [1.60, 1.67, 1.68, 1.725, 1.732, 1.76, 1.785, 1.80, 1.815],
        [0.0, -0.005, -0.028, -0.032, -0.066, -0.074, -0.112, -0.135, -0.2],
    )
    return np.clip(np.minimum(y - line, z - nape + 0.25 * np.clip(0.02 - y, 0, 0.1)), -0.05, 0.05)


class Head:
    """Takes points from the average head to a body's."""

    def __init__(self, rig: Rig, body: Body) -> None:
        head = rig.weights[:, HEAD] > 0.6
        mine, theirs = body.rest[head], rig.canon[head]
        self.scale = np.ptp(mine, 0) / np.ptp(theirs, 0)
        self.shift = mine.min(0) - theirs.min(0) * self.scale

    def piece(
        self,
        points: np.ndarray,
        faces: np.ndarray,
        part: int,
        *,
        chest: np.ndarray | float = 0.0,
        out: np.ndarray | float = 1.0,
    ) -> Piece:
        """A piece of the average head's points (n, 3); ``chest`` is the share (n,) that follows the chest."""
        weights = np.zeros((len(points), 20), np.float32)
        weights[:, CHEST] = chest
        weights[:, HEAD] = 1 - weights[:, CHEST]
        attributes = np.zeros((len(points), CHANNELS), np.float32)
        attributes[:, :3], attributes[:, 5], attributes[:, 6] = points, 1, out
        return Piece(points * self.scale + self.shift, weights, faces, attributes, part)


def head_pieces(rig: Rig, body: Body, look: Look, rng: np.random.Generator) -> list[Piece]:
    """All that is worn or grows on a head but short hair."""
    head, out = Head(rig, body), []
    if look.hair_length == "long":
        collar = 0.045 if look.scarf else 0.035 if look.top in ("coat", "jacket", "hoodie") else 0.01
        style = look.hair_style or "loose"
        out += {"loose": _loose, "ponytail": _ponytail, "bun": _bun}[style](head, collar, rng)
    if look.hat:
        out += _hat(head, look.hat_kind or "cap", rng)
    if look.glasses:
        out += _glasses(head, dark=look.glasses == "sunglasses")
    return out


def _loose(head: Head, collar: float, rng: np.random.Generator) -> list[Piece]:
    """A curtain about the back and sides of the head, its ends uneven, behind a collar so many metres thick."""
    rows, columns = 10, 25
    drop, wide, wave = rng.uniform(1.36, 1.56), rng.uniform(1.75, 2.05), rng.uniform(0.0, 0.012)
    h = np.linspace(-wide, wide, columns)
    t = np.linspace(0, 1, rows)[:, None]
    ends = drop + 0.02 * np.abs(h) / wide + rng.normal(0, 0.012, columns)
    z = 1.805 + (ends - 1.805) * t**0.9
    crown = np.where(
        z > 1.72, np.sqrt(np.clip(1 - ((z - 1.72) / 0.13) ** 2, 0.12, 1)), 1 + 0.3 * np.clip(1.72 - z, 0, 0.2)
    )
    locks = 1 + 0.035 * np.sin(h * 9 + 3 * t) * t + wave / 0.1 * np.sin(12 * t + 3 * h)
    x = 0.098 * crown * locks * np.sin(h)
    y = -0.038 + 0.118 * crown * locks * np.cos(h) + (0.02 + collar) * np.clip((1.64 - z) / 0.1, 0, 1) * np.cos(h / 2)
    points = np.stack([x, y, z], -1).reshape(-1, 3)
    chest = 0.6 * np.clip((1.62 - points[:, 2]) / 0.15, 0, 1)
    shade = (0.75 + 0.3 * (np.sin(h * 7) > -0.3) * np.ones_like(t)).ravel()
    return [head.piece(points, grid_faces(rows, columns, closed=False), HAIR, chest=chest, out=np.clip(shade, 0, 1))]


def _rope(centres: np.ndarray, radii: np.ndarray, columns: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """A thick line through points (n, 3), about vertical; triangles wind outward."""
    h = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    ring = np.stack([np.sin(h), -np.cos(h), 0 * h], -1)
    points = centres[:, None] + radii[:, None, None] * ring
    return points.reshape(-1, 3), grid_faces(len(centres), columns, closed=True)


def _ponytail(head: Head, collar: float, rng: np.random.Generator) -> list[Piece]:
    high, length = rng.uniform(1.73, 1.81), rng.uniform(0.18, 0.36)
    t = np.linspace(0, 1, 8)
    y = 0.055 + 0.055 * np.sin(np.minimum(t * 3, 1.6)) + collar * t + (high < 1.76) * 0.01
    z = high + 0.015 * np.sin(t * 6) * (t < 0.5) - length * t**1.3
    radii = np.interp(t, [0, 0.12, 0.35, 0.8, 1], [0.016, 0.024, 0.036, 0.03, 0.006])
    points, faces = _rope(np.stack([0 * t, y, z], -1), radii)
    return [head.piece(points, faces, HAIR, chest=0.35 * np.clip((1.66 - points[:, 2]) / 0.15, 0, 1))]


def _bun(head: Head, _collar: float, rng: np.random.Generator) -> list[Piece]:
    r = rng.uniform(0.036, 0.05)
    centre = (0.0, 0.062, 1.78) if rng.random() < 0.6 else (0.0, 0.0, 1.85)
    points, faces = spheroid((r * 1.1, r, r), centre, 6, 10)
    return [head.piece(points, faces[:, ::-1].copy(), HAIR)]


def _dome(rows: int, columns: int, top: float, low: float, out: float, *, flat: bool) -> np.ndarray:
    """A grid (rows, columns, 3) over the crown from its top to height ``low`` (at the back a little lower)."""
    h = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    t = np.linspace(0, 1, rows)[:, None]
    rise = np.cos(t * np.pi / 2) ** (0.5 if flat else 1.0)
    round_ = np.sin(np.clip(t * (1.9 if flat else 1.25), 0, 1) * np.pi / 2)
    round_[0] = 0.02
    z = low + (top - low) * rise + (-0.02 * np.cos(h) * -1 - 0.02) * t**2 * 0.8
    x, y = (0.081 + out) * round_ * np.sin(h), -0.038 - (0.105 + out) * round_ * np.cos(h)
    return np.stack([x + 0 * z, y + 0 * z, z], -1)


def _hat(head: Head, kind: str, rng: np.random.Generator) -> list[Piece]:
    rows, columns = 7, 20
    if kind == "beanie":
        dome = _dome(rows, columns, 1.888, 1.752, 0.019, flat=False)
        cuff = np.stack([dome[-1] + (0, 0, 0.045), dome[-1] + (0, 0, 0.0)])
        middle = np.array([0, -0.038, 0])
        cuff[..., :2] = (cuff - middle)[..., :2] * 1.07 + middle[:2]
        cuff[0, :, :2] = (cuff[0] - middle)[:, :2] * 0.985 + middle[:2]
        parts = [(dome, True), (cuff, True)]
    elif kind == "cap":
        dome = _dome(rows, columns, 1.875, 1.766, 0.014, flat=False)
        h = np.linspace(-1.15, 1.15, 13)
        out = np.stack([0 * h, 0.085 * np.cos(h / 1.15 * np.pi / 2) ** 0.6])[..., None]
        peak = np.stack([np.sin(h), -np.cos(h), 0 * h], -1)
        rim = peak * (0.094, 0.118, 1) + (0, -0.038, 1.772)
        parts = [(dome, True), (rim + out * peak * (0.7, 1.0, 1) - out * (0, 0, 0.4), False)]
        if rng.random() < 0.12:  # worn back to front
            parts = [(p * (1, -1, 1) + (0, -0.07, 0), closed) for p, closed in parts]
    else:
        dome = _dome(rows, columns, 1.885, 1.768, 0.012, flat=True)
        h = np.linspace(0, 2 * np.pi, columns, endpoint=False)
        ring = np.stack([np.sin(h), -np.cos(h), 0 * h], -1)
        inner = ring * (0.09, 0.114, 1) + (0, -0.038, 1.775)
        wide = rng.uniform(0.055, 0.095)
        brim = np.stack([inner, inner + ring * wide + (0, 0, -0.008), inner + ring * wide + (0, 0, -0.014)])
        brim[..., 2] += 0.012 * np.abs(brim[..., 0] / 0.15)
        parts = [(dome, True), (brim, True)]
    return [
        head.piece(p.reshape(-1, 3), grid_faces(p.shape[0], p.shape[1], closed=closed), HAT, out=0.8 if k else 1.0)
        for k, (p, closed) in enumerate(parts)
    ]


def _glasses(head: Head, *, dark: bool) -> list[Piece]:
    """Two rims, a bridge and the arms; sunglasses have dark lenses."""
    h = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    out = []
    for g in (1, -1):
        middle = np.array([0.0335 * g, -0.159, 1.7175])
        ring = np.stack(
            [np.cos(h) * 0.026, 0.35 * np.abs(np.cos(h)) * 0.012 * (g * np.cos(h) > 0), np.sin(h) * 0.02], -1
        )
        rim = np.stack([ring * 1.08 + middle, ring * 0.78 + middle])
        out.append(head.piece(rim.reshape(-1, 3), grid_faces(2, 12, closed=True), FRAME))
        if dark:
            lens = np.stack([ring * 0.9 + middle, ring * 0.02 + middle])
            out.append(head.piece(lens.reshape(-1, 3), grid_faces(2, 12, closed=True), LENS))
        arm = np.array([[0.06, -0.152, 1.727], [0.06, -0.152, 1.720], [0.083, -0.035, 1.727], [0.083, -0.035, 1.720]])
        out.append(head.piece(arm * (g, 1, 1), np.array([[0, 1, 2], [2, 1, 3]], np.int32), FRAME))
    bridge = np.array([[-0.01, -0.162, 1.725], [-0.01, -0.162, 1.719], [0.01, -0.162, 1.725], [0.01, -0.162, 1.719]])
    out.append(head.piece(bridge, np.array([[0, 1, 2], [2, 1, 3]], np.int32), FRAME))
    return out
