"""Tubes about trunk, limbs and neck: where cloth lies on any body, without the body's own detail.

A tube has L levels of A directions. Its section at a level is the convex outline of the body there, so that it bridges
hollows as cloth does. Levels run from the top down, or from the shoulder out; direction 0 is the front.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

SPACING = 0.035  # metres between levels of trunk and legs on the average body
WINDOW = 0.8  # levels that a vertex counts for, each way
THIGH, SHIN = {1: 14, -1: 17}, {1: 15, -1: 18}


@dataclass(frozen=True)
class Tube:
    """A tube on the average body: levels (L,), the members' vertices (M,), their places among the levels (M,).

    canon: points (L, A, 3); weights: (L, A, 20); kind: "trunk", "leg", "arm" or "neck".
    """

    kind: str
    side: int
    levels: np.ndarray
    members: np.ndarray
    rows: np.ndarray
    canon: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Fitted:
    """A tube on one body: centres (L, 3), outward unit directions (L, A, 3), radii (L, A), metres."""

    tube: Tube
    centre: np.ndarray
    outward: np.ndarray
    radius: np.ndarray


def canon_attributes(canon: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """What clothes are cut on, per vertex (V, 6).

    Average x, y, z; weight of the arms; place along the arm (0 shoulder, 1 wrist); weight of the head.
    """
    arm = weights[:, 8:14].sum(1)
    along = np.zeros(len(canon), np.float32)
    for upper, fore, hand in ((8, 9, 10), (11, 12, 13)):
        mine = np.sign(joints[upper, 0]) * canon[:, 0] > 0
        a, b = joints[fore] - joints[upper], joints[hand] - joints[fore]
        first, second = (canon - joints[upper]) @ a / (a @ a), (canon - joints[fore]) @ b / (b @ b)
        along[mine] = np.where(second > 0, 0.5 + 0.5 * second, np.minimum(0.5 * first, 0.5))[mine]
    return np.concatenate([canon, arm[:, None], along[:, None], weights[:, 7:8]], 1).astype(np.float32)


def make_tubes(canon: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> dict[str, Tube]:
    """The tubes of the average body: "trunk", "leg+1", "leg-1", "arm+1", "arm-1", "neck"."""
    attributes = canon_attributes(canon, joints, weights)
    x, y, z, arm, along, head = attributes.T
    down = np.arange(1.52, 0.05, -SPACING)
    out = {}
    leg = weights[:, 14:20].sum(1)
    sides = {"trunk": (arm < 0.35) & (head < 0.4) & (z < 1.53)}
    chosen = {"trunk": ("trunk", 0, sides["trunk"], down, (1.52 - z) / SPACING, 20)}
    for g in (1, -1):
        legs = (leg > 0.25) & (g * x > 0) & (z > 0.06) & ((z > 0.1) | (np.abs(y) < 0.06))
        chosen[f"leg{g:+d}"] = ("leg", g, legs, np.arange(1.0, 0.06, -SPACING), (1.0 - z) / SPACING, 14)
        chosen[f"arm{g:+d}"] = ("arm", g, (arm > 0.3) & (g * x > 0), np.linspace(0, 1, 19), along * 18, 12)
    lean = z - 0.35 * y
    near = (np.hypot(x, y - 0.0) < 0.105) & (lean > 1.47) & (lean < 1.66) & (z < 1.64)
    chosen["neck"] = ("neck", 0, near, np.linspace(1.64, 1.50, 5), (1.64 - lean) / 0.035, 16)
    for name, (kind, side, mask, levels, rows, count) in chosen.items():
        members = np.flatnonzero(mask)
        blank = Tube(kind, side, levels, members, rows[members], np.zeros((len(levels), count, 3)), np.empty(0))
        fitted = fit(blank, canon, joints, joints)
        points = surface(fitted)
        share = _nearest(points.reshape(-1, 3), canon[members], weights[members]).reshape(*points.shape[:2], -1)
        if kind == "trunk":
            share = _hang(points, share)
        out[name] = Tube(kind, side, levels, members, rows[members], points.astype(np.float32), share)
    return out


def _nearest(points: np.ndarray, vertices: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Skinning weights of points: those of the five nearest vertices, averaged."""
    distance = np.linalg.norm(points[:, None] - vertices[None], axis=-1)
    order = np.argsort(distance, 1, kind="stable")[:, :5]
    near = 1 / (np.take_along_axis(distance, order, 1) + 0.02)
    return ((near / near.sum(1, keepdims=True))[..., None] * weights[order]).sum(1).astype(np.float32)


def _hang(points: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Below the hips cloth about both legs follows the nearer thigh, and below the knees the shins a little."""
    x, z = points[..., 0], points[..., 2]
    left = np.clip(0.5 + x / 0.16, 0, 1)
    left = left * left * (3 - 2 * left)
    legs = np.clip((1.02 - z) / 0.2, 0, 1) * 0.96
    shins = np.clip((0.58 - z) / 0.2, 0, 1) * 0.55
    out = np.zeros_like(weights)
    out[..., 0] = 1 - legs
    for g, share in ((1, left), (-1, 1 - left)):
        out[..., THIGH[g]], out[..., SHIN[g]] = legs * share * (1 - shins), legs * share * shins
    keep = np.clip((z - 0.96) / 0.1, 0, 1)[..., None]
    return (weights * keep + out * (1 - keep)).astype(np.float32)


def fit(tube: Tube, rest: np.ndarray, joints: np.ndarray, canon_joints: np.ndarray) -> Fitted:
    """Lay a tube on a body: ``rest`` (V, 3), ``joints`` and the average body's joints (27, 3)."""
    levels, count = tube.levels, tube.canon.shape[1]
    if tube.kind == "arm":
        upper, fore, hand = joints[[8, 9, 10] if tube.side > 0 else [11, 12, 13]]
        knots = np.array([0, 0.5, 1])
        axis = np.stack([np.interp(levels, knots, [upper[k], fore[k], hand[k]]) for k in range(3)], -1)
        bend = np.clip((levels - 0.42) / 0.16, 0, 1)[:, None]
        down = _unit(_unit(fore - upper) * (1 - bend) + _unit(hand - fore) * bend)
        first = _unit(np.array([0, -1.0, 0]) - down * -down[:, 1:2])
    else:
        z = height_of(levels, joints, canon_joints, float(rest[:, 2].max()))
        axis = np.stack([0 * z, 0 * z, z], -1)
        down = np.tile([0.0, 0, -1], (len(levels), 1))
        if tube.kind == "neck":
            axis[:, 1] = np.interp(z, joints[[6, 7], 2], joints[[6, 7], 1])
            down = np.tile(_unit(np.array([0, 0.35, -1.0])), (len(levels), 1))
        first = _unit(np.array([0, -1.0, 0]) - down * -down[:, 1:2])
    second = np.cross(first, down)
    centre, radius = _outline(
        rest[tube.members].astype(float), tube.rows.astype(float), axis.astype(float), first, second, count, WINDOW
    )
    angle = 2 * np.pi * np.arange(count) / count
    outward = first[:, None] * np.cos(angle)[:, None] + second[:, None] * np.sin(angle)[:, None]
    return Fitted(tube, centre, outward, radius)


def height_of(levels: np.ndarray, joints: np.ndarray, canon_joints: np.ndarray, top: float) -> np.ndarray:
    """Heights on a body of heights on the average one."""
    rows = [16, 15, 14, 5, 8, 6, 7]
    return np.interp(levels, [0, *canon_joints[rows, 2], 1.838], [0, *joints[rows, 2], top])


def _unit(v: np.ndarray) -> np.ndarray:
    return v / (np.linalg.norm(v, axis=-1, keepdims=True) + 1e-12)


def surface(fitted: Fitted, out: float | np.ndarray = 0.0) -> np.ndarray:
    """Points (L, A, 3) of a fitted tube, ``out`` metres (L, A) outside the body."""
    return fitted.centre[:, None] + fitted.outward * (fitted.radius + out)[..., None]


@njit(cache=True)
def _outline(
    points: np.ndarray,
    rows: np.ndarray,
    axis: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    count: int,
    window: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Centres (L, 3) and radii (L, count) of the convex outline of the points at each level."""
    levels = len(axis)
    centre, radius, some = axis.copy(), np.zeros((levels, count)), np.zeros(levels)
    directions = 2 * np.pi * np.arange(count) / count
    for level in range(levels):
        low, high = np.full(2, 1e9), np.full(2, -1e9)
        support = np.full(count, -1e9)
        for turn in range(2):  # first the middle, then the outline about it
            for m in range(len(points)):
                if abs(rows[m] - level) > window:
                    continue
                some[level] += 1
                a, b = 0.0, 0.0
                for k in range(3):
                    a += (points[m, k] - centre[level, k]) * first[level, k]
                    b += (points[m, k] - centre[level, k]) * second[level, k]
                if turn == 0:
                    low[0], low[1] = min(low[0], a), min(low[1], b)
                    high[0], high[1] = max(high[0], a), max(high[1], b)
                else:
                    for d in range(count):
                        support[d] = max(support[d], a * np.cos(directions[d]) + b * np.sin(directions[d]))
            if some[level] == 0:
                break
            if turn == 0:
                for k in range(3):
                    centre[level, k] += (low[0] + high[0]) / 2 * first[level, k]
                    centre[level, k] += (low[1] + high[1]) / 2 * second[level, k]
        for d in range(count):
            best = 1e9
            for e in range(count):
                c = np.cos(directions[d] - directions[e])
                if c > 0.25:
                    best = min(best, support[e] / c)
            radius[level, d] = best
    for level in range(levels):  # levels without vertices take after their neighbours
        if some[level] < 3:
            for step in range(1, levels):
                for other in (level - step, level + step):
                    if 0 <= other < levels and some[other] >= 3 and some[level] < 3:
                        radius[level] = radius[other]
                        centre[level] += centre[other] - axis[other]
                        some[level] = 3
    return centre, radius


@njit(cache=True)
def smoothed(points: np.ndarray, starts: np.ndarray, near: np.ndarray, amount: np.ndarray, rounds: int) -> np.ndarray:
    """Move each vertex towards the mean of its neighbours, by ``amount`` (V,) in [0, 1], some rounds."""
    now = points.copy()
    for _ in range(rounds):
        before = now.copy()
        for v in range(len(points)):
            if amount[v] <= 0 or starts[v + 1] == starts[v]:
                continue
            for k in range(points.shape[1]):
                total = np.float32(0)
                for n in range(starts[v], starts[v + 1]):
                    total += before[near[n], k]
                mean = total / (starts[v + 1] - starts[v])
                now[v, k] = before[v, k] + amount[v] * (mean - before[v, k])
    return now


def neighbours(faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of each vertex: those of vertex v are ``near[starts[v]:starts[v + 1]]``."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    starts = np.concatenate([[0], np.cumsum(np.bincount(edges[:, 0], minlength=count))])
    return starts.astype(np.int64), edges[:, 1].astype(np.int64)
