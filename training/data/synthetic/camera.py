"""A camera that only turns.

The place is traced once in a wider view and warped to each frame, which is exact for turns.
"""

from dataclasses import dataclass

import numpy as np

from .motions import Draw


@dataclass
class Camera:
    """A camera at (0, 0, height) in a world of x right, y forward, z up; pixels are of the supersampled frame."""

    width: int
    height_px: int
    focal: float
    height: float
    turns: np.ndarray  # (T, 3, 3), camera (x right, y down, z forward) to world

    @property
    def centre(self) -> np.ndarray:
        return np.array([0, 0, self.height], np.float32)

    def project(self, points: np.ndarray, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (..., 2) and depth (...) of world points; depth is kept above 5 cm."""
        p = (points - self.centre) @ self.turns[frame]
        z = np.maximum(p[..., 2], 0.05)
        return p[..., :2] / z[..., None] * self.focal + np.array([self.width / 2, self.height_px / 2]), p[..., 2]

    def rays(self, x: np.ndarray, y: np.ndarray, frame: int) -> np.ndarray:
        """Unit world directions through pixel centres."""
        d = np.stack(
            [
                (x + 0.5 - self.width / 2) / self.focal,
                (y + 0.5 - self.height_px / 2) / self.focal,
                np.ones_like(x, float),
            ],
            -1,
        )
        d = d @ self.turns[frame].T
        return (d / np.linalg.norm(d, axis=-1, keepdims=True)).astype(np.float32)


def orientation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Camera-to-world rotation; yaw turns right, pitch up, roll clockwise."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    forward = np.array([sy * cp, cy * cp, sp])
    right = np.array([cy, -sy, 0.0])
    down = np.cross(forward, right)
    return np.stack([cr * right + sr * down, cr * down - sr * right, forward], 1)


def move(t: np.ndarray, rng: Draw) -> np.ndarray:
    """Small turns over time (T, 3) in radians, zero at the key frame: none, a slow pan, or a hand's shake."""
    kind = rng.choice(["still", "pan", "shake"], p=(0.5, 0.2, 0.3))
    out = np.zeros((len(t), 3))
    if kind == "pan":
        f = rng.uniform(0.06, 0.16)
        out[:, 0] = np.radians(rng.uniform(1.5, 5)) * rng.choice([-1, 1]) * np.sin(2 * np.pi * f * t)
        out[:, 1] = np.radians(rng.uniform(0, 1)) * np.sin(2 * np.pi * f * 0.7 * t)
    elif kind == "shake":
        for axis, size in enumerate((0.7, 0.6, 0.3)):
            for f in rng.uniform(0.3, 2.2, 2):
                out[:, axis] += np.radians(rng.uniform(0.1, size)) * np.sin(2 * np.pi * f * t)
    return out


def aim_camera(
    t: np.ndarray,
    rng: Draw,
    *,
    size: tuple[int, int],
    half_width: float,
    depth: float,
    top: float,
    close: bool,
    heads: list[tuple[float, float]],
) -> Camera:
    """Frame the first person: heads stay in the picture; in close shots it shows the upper body.

    Args:
        heads: (distance, height) of everybody; most shots keep all of them in the picture.
    """
    width, height_px = size
    focal = width / 2 / half_width
    half = depth * height_px / 2 / focal
    height = float(
        np.clip(top * rng.uniform(0.7, 1.1), 0.5, 2.2)
        if close
        else rng.choice([rng.uniform(0.5, 1.2), rng.uniform(1.1, 1.9), rng.uniform(1.8, 2.7)], p=(0.2, 0.55, 0.25))
    )
    if 2 * half > 1.1 * top:
        aim = rng.uniform(
            max(top + 0.06 * half - half, half * 0.75 if rng.random() < 0.5 else -9),
            max(half * 0.95, top - half + 0.1 * half),
        )
    else:
        aim = top + rng.uniform(0.05, 0.22) * half - half
    pitch, roll = np.arctan2(aim - height, depth), rng.normal(0, 0.02)
    if rng.random() < 0.8:
        opening = np.arctan(height_px / 2 / focal)
        pitch = max(
            pitch,
            min(
                max(np.arctan2(z - height, d) for d, z in heads) - 0.92 * opening,
                np.arctan2(0.5 * top - height, depth) + 0.75 * opening,
            ),
        )
    turns = np.stack([orientation(a, pitch + b, roll + c) for a, b, c in move(t, rng)])
    return Camera(width, height_px, focal, height, turns)


def widened(camera: Camera, scale: float) -> tuple[Camera, np.ndarray]:
    """A camera that sees all frames' views at once, and the homographies (T, 3, 3) from frame pixels to its pixels.

    Args:
        camera: The camera of the frames.
        scale: Pixels of the wide view per pixel of the frame.
    """
    mean = camera.turns[len(camera.turns) // 2]
    w, h = camera.width, camera.height_px
    inverse = np.array(
        [[1 / camera.focal, 0, -w / 2 / camera.focal], [0, 1 / camera.focal, -h / 2 / camera.focal], [0, 0, 1]]
    )
    relative = mean.T @ camera.turns @ inverse
    corners = np.array([[0, 0, 1], [w, 0, 1], [0, h, 1], [w, h, 1]], float)
    seen = np.einsum("tab,cb->tca", relative, corners)
    seen = seen[..., :2] / seen[..., 2:] * camera.focal * scale
    half = np.ceil(np.abs(seen).max((0, 1))).astype(int) + 2
    wide = Camera(int(2 * half[0]), int(2 * half[1]), camera.focal * scale, camera.height, mean[None])
    intrinsic = np.array([[camera.focal * scale, 0, half[0]], [0, camera.focal * scale, half[1]], [0, 0, 1]])
    return wide, intrinsic @ relative
