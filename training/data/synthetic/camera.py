"""A camera that turns and zooms but stays where it is.

So the place is drawn once, in a wider view, and warped to each frame, which is exact.
"""

from dataclasses import dataclass

import numpy as np

from .deeds.motions import Draw

FRAMINGS = {"long": 0.2, "full": 0.28, "medium": 0.3, "close": 0.22}  # how often; see ``TALL``
TRAINED = {"long": 0.17, "full": 0.25, "medium": 0.27, "close": 0.19, "tight": 0.12}  # the same of the train split
TALL = {"long": (0.26, 0.5), "full": (0.5, 0.9), "medium": (1.0, 1.75), "close": (1.75, 2.7), "tight": (1.75, 3.2)}
"""Height of the framed person over that of the picture: whole people, cut at the waist, cut at the chest, cut by every
edge of the picture."""
FARTHEST = {True: 7.5, False: 14.0}  # metres to the framed person, indoors and out: what is seen small is seen wide


@dataclass
class Camera:
    """A camera at (0, 0, height) in a world of x right, y forward, z up; pixels are of the supersampled frame.

    focals: In pixels, (T,). turns: Camera (x right, y down, z forward) to world, (T, 3, 3). at: Another place on the
    floor, for a second camera.
    """

    width: int
    height_px: int
    focals: np.ndarray
    height: float
    turns: np.ndarray
    at: tuple[float, float] = (0.0, 0.0)

    @property
    def centre(self) -> np.ndarray:
        return np.array([*self.at, self.height], np.float32)

    def project(self, points: np.ndarray, frame: int) -> np.ndarray:
        """World points (V, 3) as (x w, y w, w) (V, 3), float64; w is the depth in metres, x and y are pixels."""
        f = self.focals[frame]
        intrinsic = np.array([[f, 0, self.width / 2], [0, f, self.height_px / 2], [0, 0, 1]])
        return (points - self.centre).astype(np.float64) @ (self.turns[frame] @ intrinsic.T)

    def rays(self, frame: int) -> np.ndarray:
        """Unit directions through the pixels' centres in the camera's own axes (H, W, 3), float32."""
        x = (np.arange(self.width) + 0.5 - self.width / 2) / self.focals[frame]
        y = (np.arange(self.height_px) + 0.5 - self.height_px / 2) / self.focals[frame]
        d = np.empty((self.height_px, self.width, 3), np.float32)
        d[..., 0], d[..., 1], d[..., 2] = x, y[:, None], 1
        return d / np.sqrt((d**2).sum(-1, keepdims=True))


def orientation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Camera-to-world rotation; yaw turns right, pitch up, roll clockwise."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    forward = np.array([sy * cp, cy * cp, sp])
    right = np.array([cy, -sy, 0.0])
    down = np.cross(forward, right)
    return np.stack([cr * right + sr * down, cr * down - sr * right, forward], 1)


def move(t: np.ndarray, rng: Draw, steady: float) -> np.ndarray:
    """Small turns over time (T, 3) in radians, zero at the key frame: none, a slow pan, or a hand's shake.

    Args:
        t: Seconds from the key frame.
        rng: Source of chance.
        steady: Scale of the motion; a long lens shows every tremor.
    """
    kind = rng.choice(["still", "pan", "shake"], p=(0.42, 0.24, 0.34))
    out = np.zeros((len(t), 3))
    if kind == "pan":
        f = rng.uniform(0.06, 0.16)
        out[:, 0] = np.radians(rng.uniform(2, 8)) * rng.choice([-1, 1]) * np.sin(2 * np.pi * f * t)
        out[:, 1] = np.radians(rng.uniform(0, 1)) * np.sin(2 * np.pi * f * 0.7 * t)
    elif kind == "shake":
        for axis, size in enumerate((0.8, 0.7, 0.4)):
            for f in rng.uniform(0.3, 2.2, 2):
                out[:, axis] += np.radians(rng.uniform(0.1, size)) * np.sin(2 * np.pi * f * t)
    return out * steady


def zoom(t: np.ndarray, rng: Draw) -> tuple[np.ndarray, np.ndarray]:
    """Factors of the focal length over time (T,), one at the key frame, and how far the camera has turned to it (T,).

    Seldom a slow zoom; seldom a cut to a closer or wider shot from the same place.
    """
    kind = rng.choice(["none", "slow", "cut"], p=(0.82, 0.1, 0.08))
    if kind == "slow":
        return np.exp(rng.choice([-1, 1]) * rng.uniform(0.05, 0.12) * np.clip(t, -3, 3)), np.ones(len(t))
    if kind == "cut":
        at, factor = rng.uniform(0.45, 1.0) * rng.choice([-1, 1]), rng.uniform(1.35, 1.9)
        other = t >= at if at > 0 else t < at
        return np.where(other, factor, 1.0), np.where(other, 0.3, 1.0)
    return np.ones(len(t)), np.ones(len(t))


def aim_camera(
    t: np.ndarray,
    rng: Draw,
    *,
    size: tuple[int, int],
    half_width: float,
    framing: str,
    subject: tuple[float, float, float],
    spans: list[tuple[float, float, float]],
    framed: int,
) -> Camera:
    """Frame the first people: all of them, or in closer shots from the heads down; others' heads where it can be.

    The tightest shots may cut heads, too.

    Args:
        t: Seconds from the key frame (T,).
        rng: Source of chance.
        size: Width and height of the supersampled frame, pixels.
        half_width: Tangent of half the horizontal field of view.
        framing: One of ``TALL``.
        subject: Place to the right, distance, and height of the top of the first person, metres; what a cut turns to.
        spans: Distance, and heights of the lowest and the highest point, of everybody.
        framed: How many of them, from the first, are the shot's own.
    """
    width, height_px = size
    focal = width / 2 / half_width
    aside, depth, top = subject
    close = framing in ("medium", "close", "tight")
    height = float(
        np.clip(top * rng.uniform(0.72, 1.1), 0.5, 2.2)
        if close
        else rng.choice([rng.uniform(0.5, 1.2), rng.uniform(1.1, 1.9), rng.uniform(1.8, 2.7)], p=(0.2, 0.55, 0.25))
    )
    half = height_px / 2 / focal
    angles = np.array([((low - height) / d, (high - height) / d) for d, low, high in spans])
    low, high = angles[:framed, 0].min(), angles[:framed, 1].max()
    heads = angles[:, 1].max() - 0.93 * half  # the lowest aim that shows every head
    if framing == "tight":
        aim = high - rng.uniform(0.8, 1.35) * half
    elif close or high - low > 1.8 * half:
        aim = high - rng.uniform(0.72, 0.9) * half
        aim = min(max(aim, heads), aim + 0.35 * half)
    else:
        least, most = high - 0.9 * half, low + 0.9 * half
        aim = rng.uniform(least + 0.1 * (most - least), most - 0.2 * (most - least))
        aim = max(aim, min(heads, most + 0.4 * half))  # rather without feet than without heads
    pitch, roll = np.arctan(aim), rng.normal(0, 0.02)
    factors, kept = zoom(t, rng)
    to = np.arctan2(aside, depth), np.arctan2(0.82 * top - height, depth)
    moves = move(t, rng, min(2 * half_width, 1.0))
    turns = np.stack(
        [
            orientation(to[0] * (1 - k) + a, pitch * k + to[1] * (1 - k) + b, roll + c)
            for (a, b, c), k in zip(moves, kept, strict=True)
        ]
    )
    return Camera(width, height_px, focal * factors, height, turns)


def widened(camera: Camera, scale: float) -> tuple[Camera, np.ndarray]:
    """A camera that sees all frames' views at once, and the homographies (T, 3, 3) from frame pixels to its pixels.

    Args:
        camera: The camera of the frames.
        scale: Pixels of the wide view per pixel of the widest frame.
    """
    mean = camera.turns[len(camera.turns) // 2]
    w, h, focal = camera.width, camera.height_px, float(camera.focals.min()) * scale
    inverse = np.zeros((len(camera.turns), 3, 3))
    inverse[:, 0, 0] = inverse[:, 1, 1] = 1 / camera.focals
    inverse[:, 0, 2], inverse[:, 1, 2], inverse[:, 2, 2] = -w / 2 / camera.focals, -h / 2 / camera.focals, 1
    relative = mean.T @ camera.turns @ inverse
    corners = np.array([[0, 0, 1], [w, 0, 1], [0, h, 1], [w, h, 1]], float)
    seen = np.einsum("tab,cb->tca", relative, corners)
    seen = seen[..., :2] / seen[..., 2:] * focal
    half = np.ceil(np.abs(seen).max((0, 1))).astype(int) + 2
    wide = Camera(int(2 * half[0]), int(2 * half[1]), np.array([focal]), camera.height, mean[None], camera.at)
    # whole pixels of frames and of the wide view have their centres at halves
    intrinsic = np.array([[focal, 0, half[0] - 0.5], [0, focal, half[1] - 0.5], [0, 0, 1]])
    centre = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return wide, intrinsic @ relative @ centre
