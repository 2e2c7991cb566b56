"""A pose through time, and the skeleton that takes it: limbs are aimed at directions, hands at points."""

from dataclasses import dataclass, field, replace

import numpy as np

from .bodies import ARM, CHEST, GRIP, HEAD, JOINTS, LEG, NECK, PARENTS, ROOT, TOE, Body

SIDES = (1, -1)


@dataclass
class Prop:
    """An object that moves with a person: a mesh in metres about its own origin, where it is held, and its free flight.

    hold: "left", "right" (in the fist), "hands" (between them), "back" (behind the chest) or "free" (``path`` alone,
    relative to the person). held: in which frames it is held; ``path`` holds in the others.
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    colour: str
    hold: str
    path: np.ndarray | None = None
    held: np.ndarray | None = None


@dataclass
class Pose:
    """Angles in radians (T,), directions (T, 3).

    Arms are aimed in the chest's frame (``arms_down``: in the upright frame), legs in the upright frame (``whole``: in
    the root's). angles: of yaw, tilt, spin, roll, pitch, twist, side, nod, look, lift and foot.
    """

    t: np.ndarray
    upper: dict[int, np.ndarray]
    fore: dict[int, np.ndarray]
    thigh: dict[int, np.ndarray]
    shin: dict[int, np.ndarray]
    angles: dict[str, np.ndarray] = field(default_factory=dict)
    shift: np.ndarray | None = None  # (T, 2) on the floor, in the upright frame of yaw 0
    whole: bool = False
    arms_down: bool = False
    anchor: str = "feet"
    props: list[Prop] = field(default_factory=list)

    def angle(self, name: str) -> np.ndarray:
        return self.angles.get(name, np.zeros(len(self.t)))

    def add(self, **angles: np.ndarray | float) -> "Pose":
        """Add to angles, in place."""
        for name, value in angles.items():
            self.angles[name] = self.angle(name) + value
        return self


def constant(t: np.ndarray, *xyz: float | np.floating | np.ndarray) -> np.ndarray:
    """A direction or point for every frame (T, 3); each coordinate may vary."""
    return np.stack([np.broadcast_to(np.asarray(v, float), t.shape) for v in xyz], -1)


def upright(t: np.ndarray, *, apart: float = 0.08) -> Pose:
    """Standing with hanging arms."""
    return Pose(
        t,
        {g: constant(t, 0.2 * g, 0.05, -1) for g in SIDES},
        {g: constant(t, 0.1 * g, -0.2, -1) for g in SIDES},
        {g: constant(t, apart * g, -0.03, -1) for g in SIDES},
        {g: constant(t, apart * 0.6 * g, 0.04, -1) for g in SIDES},
    )


def blend(a: Pose, b: Pose, w: np.ndarray) -> Pose:
    """From ``a`` (w 0) to ``b`` (w 1); flags are those of ``a``."""
    mix = lambda x, y: {g: _unit(_unit(x[g]) * (1 - w)[:, None] + _unit(y[g]) * w[:, None]) for g in SIDES}  # noqa: E731
    names = set(a.angles) | set(b.angles)
    angles = {n: a.angle(n) * (1 - w) + b.angle(n) * w for n in names}
    return replace(
        a,
        upper=mix(a.upper, b.upper),
        fore=mix(a.fore, b.fore),
        thigh=mix(a.thigh, b.thigh),
        shin=mix(a.shin, b.shin),
        angles=angles,
    )


def reach(
    pose: Pose, body: Body, side: int, target: np.ndarray, *, elbow: tuple[float, float, float] = (0.5, 0.3, -1)
) -> None:
    """Bring one hand to a point of the body's rest space (T, 3), the elbow bent towards ``elbow`` (x is outward)."""
    shoulder, joint = body.joints[ARM[side][0]], body.joints[ARM[side][1]]
    grip = body.joints[GRIP[side]]
    first, second = np.linalg.norm(joint - shoulder), np.linalg.norm(grip - joint)
    line = target - shoulder
    distance = np.clip(
        np.linalg.norm(line, axis=-1, keepdims=True), abs(first - second) + 0.02, (first + second) * 0.995
    )
    line = _unit(line)
    pole = _unit(np.array(elbow) * (side, 1, 1))
    pole = _unit(pole - line * (line @ pole)[:, None])
    along = (distance**2 + first**2 - second**2) / (2 * distance)
    elbow_at = line * along + pole * np.sqrt(np.maximum(first**2 - along**2, 0))
    pose.upper[side] = elbow_at
    pose.fore[side] = line * distance - elbow_at


def _unit(v: np.ndarray) -> np.ndarray:
    return v / (np.linalg.norm(v, axis=-1, keepdims=True) + 1e-9)


def turn(axis: int, angle: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) about x, y or z."""
    out = np.zeros((len(angle), 3, 3))
    a, b = (axis + 1) % 3, (axis + 2) % 3
    out[:, axis, axis] = 1
    out[:, a, a] = out[:, b, b] = np.cos(angle)
    out[:, b, a], out[:, a, b] = np.sin(angle), -np.sin(angle)
    return out


def aim(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Smallest rotations (T, 3, 3) that take directions ``start`` to ``end``."""
    start, end = np.broadcast_arrays(_unit(start), _unit(end))
    v, c = np.cross(start, end), (start * end).sum(-1)
    k = np.zeros((len(v), 3, 3))
    k[:, 0, 1], k[:, 0, 2], k[:, 1, 2] = -v[:, 2], v[:, 1], -v[:, 0]
    k[:, 1, 0], k[:, 2, 0], k[:, 2, 1] = v[:, 2], -v[:, 1], v[:, 0]
    return np.eye(3) + k + k @ k / np.maximum(1 + c, 0.03)[:, None, None]


def _limb(
    rotations: np.ndarray, chain: tuple[int, ...], frame: np.ndarray, rest: list[np.ndarray], wanted: list[np.ndarray]
) -> None:
    """Aim the first two joints of an arm or a leg; the second keeps the first's twist, so the hinge stays a hinge."""
    first, second, last = chain
    rotations[:, first] = frame @ aim(rest[0], wanted[0])
    current = rotations[:, first] @ rest[1]
    rotations[:, second] = aim(current, np.einsum("tab,tb->ta", frame, _unit(wanted[1]))) @ rotations[:, first]
    rotations[:, last] = rotations[:, second]


def solve(pose: Pose, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """World rotations (T, 20, 3, 3) and positions (T, 20, 3) of the joints, and the upright frame (T, 3, 3).

    About the origin of the floor; the height is not yet settled.
    """
    frames, joints = len(pose.t), body.joints
    heading = turn(2, pose.angle("yaw"))
    rotations = np.tile(np.eye(3), (frames, len(JOINTS), 1, 1))
    rotations[:, ROOT] = (
        heading @ turn(1, pose.angle("roll")) @ turn(0, pose.angle("tilt")) @ turn(2, pose.angle("spin"))
    )
    step = turn(0, pose.angle("pitch") / 5) @ turn(1, pose.angle("side") / 5) @ turn(2, pose.angle("twist") / 5)
    for j in range(1, 6):
        rotations[:, j] = rotations[:, j - 1] @ step
    half = turn(2, pose.angle("look") / 2) @ turn(0, pose.angle("nod") / 2)
    rotations[:, NECK] = rotations[:, CHEST] @ half
    rotations[:, HEAD] = rotations[:, NECK] @ half
    level = rotations[:, ROOT] if pose.whole else heading
    for g in SIDES:
        upper, fore, _hand = ARM[g]
        rest = [joints[fore] - joints[upper], joints[GRIP[g]] - joints[fore]]
        _limb(
            rotations, ARM[g], heading if pose.arms_down else rotations[:, CHEST], rest, [pose.upper[g], pose.fore[g]]
        )
        thigh, shin, foot = LEG[g]
        rest = [joints[shin] - joints[thigh], joints[foot] - joints[shin]]
        _limb(rotations, LEG[g], level, rest, [pose.thigh[g], pose.shin[g]])
        toe = joints[TOE[g]] - joints[foot]
        follow = pose.angle("foot")[:, None]
        wanted = _unit(rotations[:, shin] @ toe) * follow + _unit(level @ toe) * (1 - follow)
        rotations[:, foot] = aim(rotations[:, shin] @ toe, wanted) @ rotations[:, shin]
    positions = np.zeros((frames, len(JOINTS), 3))
    positions[:, 0] = joints[0] * (0, 0, 1)
    for j in range(1, len(JOINTS)):
        p = PARENTS[j]
        positions[:, j] = positions[:, p] + rotations[:, p] @ (joints[j] - joints[p])
    if pose.anchor == "feet":
        positions[..., :2] -= positions[:, (LEG[1][2], LEG[-1][2])].mean(1)[:, None, :2]
    if pose.shift is not None:
        positions[..., :2] += pose.shift[:, None]
    return rotations, positions, heading
