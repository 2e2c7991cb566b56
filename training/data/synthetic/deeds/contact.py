"""What people who touch need: points of a posed body, hands at points of the world, and who runs into whom.

Everything is in the frame of one actor at the origin who faces -y; ``across`` goes to the one who stands opposite.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..people.bodies import ARM, CHEST, GRIP, HEAD, LEG, TOE, Body
from .poses import SIDES, Pose, constant, reach, solve

EYES, MOUTH = (24, 25), 26  # rows of ``Body.joints``


@dataclass(frozen=True)
class Posed:
    """Joint rotations (T, 20, 3, 3), positions (T, 20, 3) and upright frame (T, 3, 3) of a body on the floor."""

    body: Body
    rotations: np.ndarray
    positions: np.ndarray
    upright: np.ndarray

    def point(self, joint: int, rest: np.ndarray) -> np.ndarray:
        """Where a point of the body at rest (3,) that moves with a joint is (T, 3)."""
        return self.positions[:, joint] + self.rotations[:, joint] @ (rest - self.body.joints[joint])

    def grip(self, side: int) -> np.ndarray:
        return self.point(ARM[side][2], self.body.joints[GRIP[side]])

    def mark(self, row: int) -> np.ndarray:
        """A mark of the face."""
        return self.point(HEAD, self.body.joints[row])

    @property
    def face(self) -> np.ndarray:
        """Between the eyes."""
        return self.point(HEAD, self.body.joints[list(EYES)].mean(0))

    @property
    def gaze(self) -> np.ndarray:
        """Unit direction (T, 3) in which the face points."""
        return self.rotations[:, HEAD] @ np.array([0, -1.0, 0])

    @property
    def front(self) -> np.ndarray:
        """Unit direction (T, 3) in which the chest points."""
        return self.rotations[:, CHEST] @ np.array([0, -1.0, 0])


def settle(pose: Pose, body: Body) -> Posed:
    """Solve a pose and stand it on its soles or knees."""
    rotations, positions, heading = solve(pose, body)
    low = []
    for g in SIDES:
        _hip, knee, foot = LEG[g]
        ankle, toe = body.joints[foot], body.joints[TOE[g]]
        for sole in (toe * (1, 1, 0), ankle * (1, 1, 0) + np.array([0, 0.05 * body.height / 1.7, 0])):
            low.append((positions[:, foot] + rotations[:, foot] @ (sole - ankle))[:, 2])
        low.append(positions[:, knee, 2] - 0.055 * body.height / 1.7)
    positions[..., 2] += (pose.angle("lift") - np.min(low, 0))[:, None]
    return Posed(body, rotations, positions, heading)


def across(points: np.ndarray, apart: float) -> np.ndarray:
    """Points (..., 3) of one actor's frame in that of the actor who faces them, ``apart`` metres away; and back."""
    return points * (-1, -1, 1) - np.array([0, apart, 0])


def bring(
    pose: Pose,
    body: Body,
    side: int,
    target: np.ndarray,
    weight: np.ndarray | float = 1.0,
    *,
    elbow: tuple[float, float, float] = (0.5, 0.3, -1),
) -> None:
    """Move a hand from where the pose has it to a point of the world (T, 3), as far as ``weight`` (T,) and arms go."""
    posed = settle(pose, body)
    start = posed.grip(side)
    goal = start + (target - start) * np.broadcast_to(weight, pose.t.shape)[:, None]
    local = np.einsum("tba,tb->ta", posed.rotations[:, CHEST], goal - posed.positions[:, CHEST])
    reach(pose, body, side, local + body.joints[CHEST], elbow=elbow)


def face(pose: Pose, body: Body, point: np.ndarray, weight: np.ndarray | float = 1.0) -> None:
    """Turn the head to a point of the world (T, 3), as far as a neck turns; ``weight`` 0 leaves it straight ahead."""
    posed = settle(_straight(pose), body)
    line = np.einsum("tba,tb->ta", posed.rotations[:, CHEST], point - posed.face)
    line /= np.linalg.norm(line, axis=-1, keepdims=True) + 1e-9
    pose.angles["look"] = np.clip(np.arctan2(line[:, 0], -line[:, 1]), -1.35, 1.35) * weight
    pose.angles["nod"] = np.clip(-np.arcsin(np.clip(line[:, 2], -1, 1)), -0.7, 0.8) * weight


def _straight(pose: Pose) -> Pose:
    return replace(pose, angles={k: v for k, v in pose.angles.items() if k not in ("look", "nod")})


def bow(pose: Pose, amount: np.ndarray | float) -> None:
    """Lean forward and bend the knees, 0 not at all to 1 as far as one does to reach a small child."""
    amount = np.broadcast_to(amount, pose.t.shape)
    pose.add(pitch=0.6 * amount, tilt=0.5 * amount)
    for g in SIDES:
        knee = constant(pose.t, 0, -0.75 * amount, 0)
        pose.thigh[g] = pose.thigh[g] + knee
        pose.shin[g] = pose.shin[g] - 0.8 * knee


def bow_needed(pose: Pose, body: Body, targets: dict[int, np.ndarray], frame: int) -> float:
    """The least ``bow`` (0 to 1) with which hands come to their targets (3,) in a frame, arms not quite stretched."""
    amounts = np.linspace(0, 1, 9)
    tried = frozen(pose, frame, len(amounts))
    bow(tried, amounts)
    posed = settle(tried, body)
    worst = np.zeros(len(amounts))
    for g, target in targets.items():
        upper, fore, _hand = ARM[g]
        arm = np.linalg.norm(body.joints[fore] - body.joints[upper])
        arm += np.linalg.norm(body.joints[GRIP[g]] - body.joints[fore])
        worst = np.maximum(worst, np.linalg.norm(posed.positions[:, upper] - target, axis=-1) / arm)
    enough = worst < 0.97
    return float(amounts[np.argmax(enough)] if enough.any() else amounts[np.argmin(worst + 0.35 * amounts)])


def frozen(pose: Pose, frame: int, count: int) -> Pose:
    """One frame of a pose, ``count`` times."""
    same = lambda v: np.repeat(v[frame : frame + 1], count, 0)  # noqa: E731
    limb = lambda v: {g: same(x) for g, x in v.items()}  # noqa: E731
    return replace(
        pose,
        t=same(pose.t),
        upper=limb(pose.upper),
        fore=limb(pose.fore),
        thigh=limb(pose.thigh),
        shin=limb(pose.shin),
        angles=limb(pose.angles),
        shift=None if pose.shift is None else same(pose.shift),
    )


# --- who runs into whom -----------------------------------------------------------------------------------------------


def depth_of(body: Body, low: float, high: float) -> tuple[float, float]:
    """How far trunk or head reach to the front and to the back between two shares of the height, in metres."""
    rest = body.rest
    slab = (rest[:, 2] > low * body.height) & (rest[:, 2] < high * body.height)
    slab &= np.abs(rest[:, 0]) < 0.07 * body.height
    return float(-rest[slab, 1].min()), float(rest[slab, 1].max())


def capsules(posed: Posed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Segments' starts and ends (T, 11, 3) and radii (11,): two for the trunk, the head, then arms and legs."""
    body, p = posed.body, posed.positions
    front, back = depth_of(body, 0.6, 0.75)
    trunk, limb = (front + back) / 2, 0.035 * body.height / 1.7
    ahead = (front - back) / 2
    starts, ends, radii = [], [], []
    for g in SIDES:
        hip, shoulder = body.joints[LEG[g][0]], body.joints[ARM[g][0]]
        low = np.array([0.6 * hip[0], hip[1] * 0.5, hip[2]])
        high = np.array([0.45 * shoulder[0], -ahead, shoulder[2] - trunk * 0.8])
        starts.append(posed.point(0, low))
        ends.append(posed.point(CHEST, high))
        radii.append(0.92 * trunk)
    skull = np.append(body.joints[HEAD, :2] - (0, 0.01), (body.joints[HEAD, 2] + body.height) / 2)
    starts.append(posed.point(HEAD, skull - np.array([0, 0, 0.015])))
    ends.append(posed.point(HEAD, skull + np.array([0, 0, 0.015])))
    radii.append(0.075 * (body.height / 1.7) ** 0.5)
    for g in SIDES:
        for a, b, r in ((ARM[g][0], ARM[g][1], 1.1), (LEG[g][0], LEG[g][1], 1.8), (LEG[g][1], LEG[g][2], 1.2)):
            starts.append(p[:, a])
            ends.append(p[:, b])
            radii.append(limb * r)
        starts.append(p[:, ARM[g][1]])
        ends.append(posed.grip(g))
        radii.append(limb * 0.8)
    return np.stack(starts, 1), np.stack(ends, 1), np.array(radii)


TRUNK, LEGS = slice(0, 3), [4, 5, 8, 9]  # of the capsules: trunk with head, thighs and shins


def gaps(a: tuple[np.ndarray, ...], b: tuple[np.ndarray, ...]) -> np.ndarray:
    """Distances (T, n, m) between the surfaces of capsules in one frame; below zero they run into each other."""
    p, u = a[0][:, :, None], (a[1] - a[0])[:, :, None]
    q, v = b[0][:, None], (b[1] - b[0])[:, None]
    w = p - q
    uu, vv, uv = (u * u).sum(-1) + 1e-9, (v * v).sum(-1) + 1e-9, (u * v).sum(-1)
    uw, vw = (u * w).sum(-1), (v * w).sum(-1)
    s = np.clip((uv * vw - vv * uw) / np.maximum(uu * vv - uv * uv, 1e-9), 0, 1)
    r = np.clip((uv * s + vw) / vv, 0, 1)
    s = np.clip((uv * r - uw) / uu, 0, 1)
    between = w + s[..., None] * u - r[..., None] * v
    return np.linalg.norm(between, axis=-1) - a[2][:, None] - b[2]


def opposite(shape: tuple[np.ndarray, ...], apart: float) -> tuple[np.ndarray, ...]:
    """Capsules of the actor opposite."""
    return across(shape[0], apart), across(shape[1], apart), shape[2]
