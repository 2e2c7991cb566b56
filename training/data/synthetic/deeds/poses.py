"""A pose through time, and the skeleton that takes it: limbs are aimed at directions, hands and feet at points."""

from dataclasses import dataclass, field

import numpy as np

from ..facts import JOINTS
from ..people.bodies import ARM, CHEST, GRIP, HEAD, LEG, NECK, PARENTS, ROOT, TOE, Body

SIDES = (1, -1)


@dataclass
class Prop:
    """An object that moves with a person: a mesh in metres about its own origin, where it is held, and its free flight.

    hold: "left", "right" (in the fist), "hands" (between them), "head" or "chest" (at a point ``path`` (3,) of the
        body at rest), "back" (worn behind the chest), "along" (at ``path`` before somebody who may walk) or "free"
        (``path``, fixed to the place).
    held: in which frames it is held; ``path`` (T, 3) holds in the others, and is fixed to the place.
    frame: what turns it: "chest", "upright", "head", "fore" (its -y is the forearm's direction), "line" (its x runs
        from the right hand to the left), "place"; turn: its own rotation (3, 3) or (T, 3, 3) in that frame.
    colour: the one spoken of; colours and face_colour (F,): colours of the faces where there are several.
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    colour: str
    hold: str = "free"
    path: np.ndarray | None = None
    held: np.ndarray | None = None
    frame: str = "chest"
    turn: np.ndarray | None = None
    colours: tuple[str, ...] = ()
    face_colour: np.ndarray | None = None


@dataclass
class Fixture:
    """A still thing before a person, in the upright frame about the floor point they act at (they face -y).

    colour: the one spoken of; None: the place may choose. named: whether it may be spoken of. colours and face_colour
    as in ``Prop``.
    """

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    colour: str | None
    named: bool = True
    colours: tuple[str, ...] = ()
    face_colour: np.ndarray | None = None


@dataclass
class Hand:
    """Where a hand is to be.

    at: (T, 3), a point of the body at rest that moves with a joint (frame "chest", "head" or "root"), or in the
        upright frame that moves with a walker (frame "floor"). weight: (T,), 0 leaves the arm as the pose has it.
    elbow: where it bends to, in the chest's frame; x is outward.
    """

    at: np.ndarray
    frame: str = "chest"
    weight: np.ndarray | float = 1.0
    elbow: tuple[float, float, float] = (0.5, 0.3, -1)


@dataclass
class Pose:
    """Angles in radians (T,), directions and points (T, 3).

    Arms are aimed in the chest's frame (``arms_down``: in the upright frame), legs in the upright frame (``whole``: in
    the root's). With ``feet``, ankles are put at points instead: x, y in the upright frame and z above a flat foot's;
    ``hips``, the middle of the hip joints, is then lowered as far as the legs ask. toes: how far a foot points down.
    keys: poses that follow one another, weighed by ``mix`` (K - 1, T); only hands, lift and props are then taken from
    the pose itself. angles: of yaw, tilt, spin, roll, pitch, twist, side, nod, look, lift and foot.
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
    feet: dict[int, np.ndarray] | None = None
    hips: np.ndarray | None = None
    toes: dict[int, np.ndarray] = field(default_factory=dict)
    knees: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    hands: dict[int, Hand] = field(default_factory=dict)
    keys: tuple["Pose", ...] = ()
    mix: np.ndarray | None = None

    def angle(self, name: str) -> np.ndarray:
        return self.angles.get(name, np.zeros(len(self.t)))

    def add(self, **angles: np.ndarray | float) -> "Pose":
        """Add to angles, in place."""
        for name, value in angles.items():
            self.angles[name] = self.angle(name) + value
        return self

    def put(self, **angles: np.ndarray | float) -> "Pose":
        """Set angles, in place."""
        for name, value in angles.items():
            self.angles[name] = np.zeros(len(self.t)) + value
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


def sequence(keys: tuple[Pose, ...], mix: np.ndarray) -> Pose:
    """From each pose to the next; row k of ``mix`` (K - 1, T) rises from 0 to 1 on the way from key k to key k + 1."""
    first = keys[0]
    return Pose(first.t, first.upper, first.fore, first.thigh, first.shin, keys=keys, mix=mix)


def leg_length(body: Body) -> float:
    """From hip joint to ankle, stretched."""
    hip, knee, ankle = body.joints[list(LEG[1])]
    return float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee))


def arm_length(body: Body) -> float:
    """From shoulder to grip, stretched."""
    shoulder, elbow = body.joints[ARM[1][0]], body.joints[ARM[1][1]]
    return float(np.linalg.norm(elbow - shoulder) + np.linalg.norm(body.joints[GRIP[1]] - elbow))


def standing_height(body: Body) -> float:
    """Height of the hip joints over the floor when the legs are all but straight."""
    return float(body.joints[LEG[1][2], 2] + 0.992 * leg_length(body))


def reach(
    pose: Pose, body: Body, side: int, target: np.ndarray, *, elbow: tuple[float, float, float] = (0.5, 0.3, -1)
) -> None:
    """Bring one hand to a point of the body's rest space (T, 3), the elbow bent towards ``elbow`` (x is outward)."""
    shoulder, joint = body.joints[ARM[side][0]], body.joints[ARM[side][1]]
    grip = body.joints[GRIP[side]]
    first, second = np.linalg.norm(joint - shoulder), np.linalg.norm(grip - joint)
    pole = np.array(elbow) * (side, 1, 1)
    pose.hands.pop(side, None)
    pose.upper[side], pose.fore[side] = _two_bones(target - shoulder, float(first), float(second), pole)


def _two_bones(line: np.ndarray, first: float, second: float, pole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both bones (T, 3) of a limb that ends at ``line`` (T, 3) from its root, bent towards ``pole``."""
    distance = np.clip(
        np.linalg.norm(line, axis=-1, keepdims=True), abs(first - second) + 0.02, (first + second) * 0.998
    )
    line, pole = _unit(line), _unit(np.broadcast_to(pole, line.shape))
    pole = _unit(pole - line * (line * pole).sum(-1, keepdims=True))
    along = (distance**2 + first**2 - second**2) / (2 * distance)
    bend_at = line * along + pole * np.sqrt(np.maximum(first**2 - along**2, 0))
    return bend_at, line * distance - bend_at


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

    About the origin of the floor. Where feet are put at points heights are right to a centimetre, else not yet settled.
    """
    if pose.keys:
        rotations, positions, heading = _in_turn(pose, body)
    else:
        rotations, positions, heading = _posed(pose, body)
    for g, hand in pose.hands.items():
        _bring(hand, g, pose, body, rotations, positions, heading)
    return rotations, positions, heading


def _posed(pose: Pose, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    start = joints[0] * (0, 0, 1) + np.zeros((frames, 3))
    thigh, shin = dict(pose.thigh), dict(pose.shin)
    if pose.feet is not None and pose.hips is not None:
        start = _stand_on_feet(pose, body, rotations[:, ROOT], heading, thigh, shin)
    for g in SIDES:
        upper, fore, _hand = ARM[g]
        rest = [joints[fore] - joints[upper], joints[GRIP[g]] - joints[fore]]
        _limb(
            rotations, ARM[g], heading if pose.arms_down else rotations[:, CHEST], rest, [pose.upper[g], pose.fore[g]]
        )
        hip, knee, foot = LEG[g]
        rest = [joints[knee] - joints[hip], joints[foot] - joints[knee]]
        _limb(rotations, LEG[g], level, rest, [thigh[g], shin[g]])
        toe = joints[TOE[g]] - joints[foot]
        follow = pose.angle("foot")[:, None]
        flat = level @ turn(0, pose.toes[g] + np.zeros(frames)) @ toe if g in pose.toes else level @ toe
        wanted = _unit(rotations[:, knee] @ toe) * follow + _unit(flat) * (1 - follow)
        rotations[:, foot] = aim(rotations[:, knee] @ toe, wanted) @ rotations[:, knee]
    positions = _chain(rotations, start, body)
    if pose.feet is None and pose.anchor == "feet":
        positions[..., :2] -= positions[:, (LEG[1][2], LEG[-1][2])].mean(1)[:, None, :2]
    if pose.shift is not None:
        positions[..., :2] += pose.shift[:, None]
    return rotations, positions, heading


def _chain(rotations: np.ndarray, start: np.ndarray, body: Body) -> np.ndarray:
    """Positions (T, 20, 3) of the joints, the root being at ``start`` (T, 3)."""
    positions = np.zeros((len(rotations), len(JOINTS), 3))
    positions[:, 0] = start
    for j in range(1, len(JOINTS)):
        p = PARENTS[j]
        positions[:, j] = positions[:, p] + rotations[:, p] @ (body.joints[j] - body.joints[p])
    return positions


def _stand_on_feet(
    pose: Pose, body: Body, root: np.ndarray, heading: np.ndarray, thigh: dict, shin: dict
) -> np.ndarray:
    """Aim both legs at the feet's points, in the upright frame; returns where the root then is (T, 3)."""
    assert pose.feet is not None and pose.hips is not None
    joints = body.joints
    middle = (joints[LEG[1][0]] + joints[LEG[-1][0]]) / 2
    local = np.swapaxes(heading, 1, 2) @ root  # the root's rotation in the upright frame
    hips = pose.hips.astype(float).copy()
    for g in SIDES:
        ankle = pose.feet[g] + joints[LEG[g][2]] * (0, 0, 1)
        offset = local @ (joints[LEG[g][0]] - middle)
        aside = np.linalg.norm((hips + offset - ankle)[:, :2], axis=-1)
        longest = 0.995 * leg_length(body)
        highest = ankle[:, 2] + np.sqrt(np.maximum(longest**2 - aside**2, 0.01)) - offset[:, 2]
        hips[:, 2] = np.where(pose.feet[g][:, 2] < 0.06, np.minimum(hips[:, 2], highest), hips[:, 2])
    for g in SIDES:
        hip, knee, foot = LEG[g]
        ankle = pose.feet[g] + joints[foot] * (0, 0, 1)
        at = hips + local @ (joints[hip] - middle)
        first, second = np.linalg.norm(joints[knee] - joints[hip]), np.linalg.norm(joints[foot] - joints[knee])
        pole = np.array(pose.knees.get(g, (0.12, -1, 0.05))) * (g, 1, 1)
        thigh[g], shin[g] = _two_bones(ankle - at, float(first), float(second), pole)
    return np.einsum("tab,tb->ta", heading, hips) + np.einsum("tab,b->ta", root, joints[0] - middle)


def _in_turn(pose: Pose, body: Body) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Blend the solved keys joint by joint; each key stands on its own lowest joint."""
    assert pose.mix is not None
    rotations, positions, heading = _posed(pose.keys[0], body)
    local, start = _relative(rotations), positions[:, 0] - _floor_under(positions)
    for key, w in zip(pose.keys[1:], pose.mix, strict=True):
        turned, placed, heading = _posed(key, body)
        other = _relative(turned)
        local = local @ _power(np.swapaxes(local, -1, -2) @ other, w[:, None])
        start = start + (placed[:, 0] - _floor_under(placed) - start) * w[:, None]
    for j in range(1, len(JOINTS)):
        local[:, j] = local[:, PARENTS[j]] @ local[:, j]
    return local, _chain(local, start, body), heading


def _floor_under(positions: np.ndarray) -> np.ndarray:
    return np.stack([0 * positions[:, 0, 2], 0 * positions[:, 0, 2], positions[..., 2].min(1)], -1)


def _relative(rotations: np.ndarray) -> np.ndarray:
    """Rotation of every joint against its parent; the root's own stays."""
    local = rotations.copy()
    for j in range(1, len(JOINTS)):
        local[:, j] = np.swapaxes(rotations[:, PARENTS[j]], -1, -2) @ rotations[:, j]
    return local


def _power(rotation: np.ndarray, w: np.ndarray) -> np.ndarray:
    """A part ``w`` (...) of rotations (..., 3, 3) by less than half a turn."""
    cos = np.clip((np.trace(rotation, axis1=-2, axis2=-1) - 1) / 2, -1, 1)
    skew = (rotation - np.swapaxes(rotation, -1, -2)) / 2
    sin = np.sqrt(np.maximum((skew**2).sum((-1, -2)) / 2, 1e-16))
    k = skew / sin[..., None, None]
    angle = np.arctan2(sin, cos) * w
    return np.eye(3) + np.sin(angle)[..., None, None] * k + (1 - np.cos(angle))[..., None, None] * (k @ k)


def _bring(
    hand: Hand, g: int, pose: Pose, body: Body, rotations: np.ndarray, positions: np.ndarray, heading: np.ndarray
) -> None:
    """Bend one arm so that its grip comes to the wanted point."""
    upper, fore, wrist = ARM[g]
    joints, chest = body.joints, rotations[:, CHEST]
    if hand.frame == "floor":
        goal = np.einsum("tab,tb->ta", heading, hand.at)
        if pose.shift is not None:
            goal[:, :2] += pose.shift
    else:
        j = {"chest": CHEST, "head": HEAD, "root": ROOT}[hand.frame]
        goal = positions[:, j] + np.einsum("tab,tb->ta", rotations[:, j], hand.at - joints[j])
    line = np.einsum("tba,tb->ta", chest, goal - positions[:, upper])
    rest = [joints[fore] - joints[upper], joints[GRIP[g]] - joints[fore]]
    first, second = (float(np.linalg.norm(r)) for r in rest)
    wanted = _two_bones(line, first, second, np.array(hand.elbow) * (g, 1, 1))
    w = (np.zeros(len(line)) + hand.weight)[:, None]
    now = [np.swapaxes(chest, 1, 2) @ rotations[:, j] @ r for j, r in zip((upper, fore), rest, strict=True)]
    _limb(
        rotations,
        ARM[g],
        chest,
        rest,
        [_unit(_unit(a) * w + _unit(b) * (1 - w)) for a, b in zip(wanted, now, strict=True)],
    )
    for j, p in ((fore, upper), (wrist, fore)):
        positions[:, j] = positions[:, p] + rotations[:, p] @ (joints[j] - joints[p])


def stoop_to(pose: Pose, body: Body, *, squat: float = 0.7) -> None:
    """Lower and bend somebody who stands on their feet, frame by frame, until the hands come to their points.

    squat: metres the hips go down for every metre the hands miss; the trunk does the rest.
    """
    assert pose.hips is not None
    for _ in range(4):
        _rotations, positions, heading = solve(pose, body)
        miss = np.zeros(len(pose.t))
        for g, hand in pose.hands.items():
            goal = np.einsum("tab,tb->ta", heading, hand.at)
            far = np.linalg.norm(goal - positions[:, ARM[g][0]], axis=-1) - 0.99 * arm_length(body)
            miss = np.maximum(miss, far * np.clip(2 * np.asarray(hand.weight) - 1, 0, 1))
        pose.hips[:, 2] -= squat * miss
        pose.add(tilt=(1.4 - squat) * miss)


# --- things in hands ------------------------------------------------------------------------------------------------


def grip_at(body: Body, g: int, rotations: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Where a fist holds (T, 3)."""
    hand = ARM[g][2]
    return positions[:, hand] + rotations[:, hand] @ (body.joints[GRIP[g]] - body.joints[hand])


def held_points(
    prop: Prop, pose: Pose, body: Body, rotations: np.ndarray, positions: np.ndarray, heading: np.ndarray
) -> np.ndarray:
    """World points (T, n, 3) of a prop of a solved pose, before the actor's own heading and place."""
    frames = len(positions)
    grips = {g: grip_at(body, g, rotations, positions) for g in SIDES}
    shift = np.zeros((frames, 3))
    if pose.shift is not None:
        shift[:, :2] = pose.shift
    path = np.zeros((frames, 3)) if prop.path is None else np.broadcast_to(prop.path, (frames, 3))
    if prop.hold in ("left", "right"):
        at = grips[1 if prop.hold == "left" else -1]
    elif prop.hold == "hands":
        at = (grips[1] + grips[-1]) / 2
    elif prop.hold in ("head", "chest", "back"):
        j = HEAD if prop.hold == "head" else CHEST
        offset = path - body.joints[j] if prop.path is not None else path
        at = positions[:, j] + np.einsum("tab,tb->ta", rotations[:, j], offset)
    else:
        at = path if prop.hold == "free" else shift + np.einsum("tab,tb->ta", heading, path)
    if prop.held is not None:
        at = np.where(prop.held[:, None], at, path)
    frame = _frame_of(prop, rotations, positions, heading, grips)
    if prop.turn is not None:
        frame = frame @ prop.turn
    return at[:, None] + np.einsum("tab,nb->tna", frame, prop.vertices)


def _frame_of(
    prop: Prop, rotations: np.ndarray, positions: np.ndarray, heading: np.ndarray, grips: dict[int, np.ndarray]
) -> np.ndarray:
    """The rotation (T, 3, 3) that a prop follows."""
    if prop.frame in ("chest", "head"):
        return rotations[:, CHEST if prop.frame == "chest" else HEAD]
    if prop.frame == "place":
        return np.broadcast_to(np.eye(3), heading.shape)
    if prop.frame == "upright":
        return heading
    up = heading @ np.array([0, -0.5, 0.85])
    if prop.frame == "line":
        x = _unit(grips[1] - grips[-1])
        y = _unit(np.cross(up, x))
        return np.stack([x, y, np.cross(x, y)], -1)
    g = 1 if prop.hold == "left" else -1
    y = -_unit(grips[g] - positions[:, ARM[g][1]])
    x = _unit(np.cross(y, up))
    return np.stack([x, y, np.cross(x, y)], -1)
