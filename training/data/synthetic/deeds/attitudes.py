"""How people stand, sit and kneel in company, where they look, and what hands do while they talk or sing."""

import numpy as np

from ..people.bodies import ARM, CHEST, HEAD, Body
from . import props
from .contact import MOUTH, across, bow, bow_needed, bring, depth_of, face, settle
from .motions import Deed, Draw, local_time, smooth, wave
from .poses import SIDES, Pose, constant, reach, upright

Bodies = tuple[Body, Body]
Duet = tuple[float, Deed, Deed]
ADULT = 1.7  # metres; lengths given for somebody so tall are scaled by the height
WRIST, ELBOW, FOOT = {1: 10, -1: 13}, {1: 9, -1: 12}, {1: 16, -1: 19}


def window(t: np.ndarray, start: float, rise: float, end: float, fall: float, period: float = 5.5) -> np.ndarray:
    """0, up to 1 from ``start`` in ``rise`` seconds, down to 0 from ``end`` in ``fall`` seconds, once a period."""
    local = local_time(t, period)
    return smooth((local - start) / rise) * (1 - smooth((local - end) / fall))


def stance(body: Body, t: np.ndarray, rng: Draw, *, arms: str = "hang") -> Pose:
    """Standing at ease; arms "hang", or "any": at the hips, crossed, before the belly or hanging."""
    pose = upright(t, apart=rng.uniform(0.03, 0.15))
    sway = wave(t, rng.uniform(0.1, 0.3), rng.random())
    pose.add(side=rng.uniform(0.01, 0.03) * sway, pitch=rng.uniform(-0.03, 0.08))
    if rng.random() < 0.35:  # weight on one leg
        g = rng.choice(SIDES)
        pose.thigh[g], pose.shin[g] = constant(t, 0.13 * g, -0.22, -1), constant(t, 0.08 * g, 0.18, -1)
    for g in SIDES:
        pose.upper[g] = constant(t, rng.uniform(0.16, 0.28) * g, rng.uniform(-0.05, 0.1), -1)
        pose.fore[g] = constant(t, rng.uniform(0.0, 0.12) * g, rng.uniform(-0.4, -0.1) + 0.03 * sway, -1)
    if arms == "any":
        ease_arms(pose, body, str(rng.choice(["hang", "hip", "hips", "cross", "front"], p=(0.4, 0.15, 0.1, 0.2, 0.15))))
    return pose


def ease_arms(pose: Pose, body: Body, kind: str) -> None:
    t, wide, s = pose.t, body.joints[8, 0], body.height / ADULT
    belly = depth_of(body, 0.5, 0.62)[0]
    for g in SIDES if kind != "hip" else (1,):
        if kind in ("hip", "hips"):
            reach(
                pose,
                body,
                g,
                constant(t, 1.1 * wide * g, -0.05 * s, body.joints[14, 2] + 0.08 * s),
                elbow=(1, 0.5, -0.2),
            )
        elif kind == "cross":
            chest = body.joints[CHEST, 2]
            at = constant(t, -0.4 * wide * g, -belly - 0.06 * s - 0.02 * g, chest - (0.07 - 0.03 * g) * s)
            reach(pose, body, g, at, elbow=(1, -0.2, -1))
        elif kind == "front":
            reach(pose, body, g, constant(t, 0.03 * g, -belly - 0.05 * s, body.joints[14, 2]), elbow=(1, 0.2, -0.5))


def seated(body: Body, t: np.ndarray, rng: Draw) -> Pose:
    """On a chair, hands on the thighs."""
    pose = upright(t)
    for g in SIDES:
        pose.thigh[g] = constant(t, rng.uniform(0.05, 0.25) * g, -1, rng.uniform(-0.12, 0.0))
        pose.shin[g] = constant(t, 0.03 * g, rng.uniform(-0.2, 0.2), -1)
    pose.add(pitch=rng.uniform(-0.1, 0.2) + 0.02 * wave(t, rng.uniform(0.1, 0.3), rng.random()), tilt=-0.08)
    pose.anchor = "hips"
    knee = 0.7 * np.linalg.norm(body.joints[15] - body.joints[14])
    for g in SIDES:
        at = constant(t, 0.11 * g, -knee * rng.uniform(0.6, 1.0), body.joints[14, 2] + 0.12 * body.height / ADULT)
        reach(pose, body, g, at, elbow=(1, 0.5, -0.3))
    return pose


def kneel(pose: Pose, *, both: bool, side: int = 1, low: float = 0.0) -> None:
    """On both knees, or on one with the other foot in front; ``low`` 1 sits on the heels."""
    t = pose.t
    for g in SIDES:
        pose.thigh[g] = constant(t, (0.12 + 0.45 * low) * g, -0.12 - 0.4 * low, -1 + 0.4 * low)
        pose.shin[g] = constant(t, (0.02 - 0.25 * low) * g, 1, 0.2)  # toes tucked under
    if not both:
        pose.thigh[side], pose.shin[side] = constant(t, 0.12 * side, -1, -0.1), constant(t, 0.02 * side, 0.05, -1)
    pose.anchor = "hips"
    pose.add(foot=1.0)


def meet_eyes(bodies: Bodies, poses: list[Pose], apart: float, weight: np.ndarray | float = 1.0) -> None:
    """Turn both heads to each other's face."""
    faces = [settle(p, b).face for p, b in zip(poses, bodies, strict=True)]
    for k in (0, 1):
        face(poses[k], bodies[k], across(faces[1 - k], apart), weight)


def gesticulate(pose: Pose, body: Body, rng: Draw, *, raised: float = 0.0) -> None:
    """The hands of somebody who talks, ``raised`` metres higher than usual."""
    s, chest = body.height / ADULT, body.joints[CHEST, 2]
    hertz, both = rng.uniform(0.6, 1.3), rng.random() < 0.7
    for g in SIDES if both else (int(rng.choice(SIDES)),):
        a, b = wave(pose.t, hertz, rng.random()), wave(pose.t, hertz * 0.6, rng.random())
        at = constant(pose.t, (0.2 + 0.1 * a) * g * s, (-0.34 - 0.06 * b) * s, chest + raised + (0.14 * a - 0.04) * s)
        reach(pose, body, g, at, elbow=(0.8, 0.3, -1))
    pose.add(nod=0.09 * wave(pose.t, hertz, rng.random()), pitch=0.03 * wave(pose.t, hertz / 2, rng.random()))


def deed(name: str, pose: Pose, *actions: int, posture: str = "standing", **more) -> Deed:
    return Deed(name, pose, tuple(sorted(actions)), posture, steady_head=True, **more)


def key_of(t: np.ndarray) -> int:
    return int(np.argmin(np.abs(t)))


def bow_to(pose: Pose, body: Body, targets: dict[int, np.ndarray], weight: np.ndarray | float = 1.0) -> None:
    """Bow as far as needed for hands to come to points (T, 3) at the key frame."""
    frame = key_of(pose.t)
    bow(pose, bow_needed(pose, body, {g: p[frame] for g, p in targets.items()}, frame) * weight)


def shoulder_height(body: Body) -> float:
    return float(body.joints[ARM[1][0], 2])


def share(bodies: Bodies, a: float, b: float | None = None) -> tuple[float, float]:
    """Distances of both from where they meet, as shares of their heights."""
    return a * bodies[0].height, (a if b is None else b) * bodies[1].height


def meeting_height(bodies: Bodies, high: float) -> float:
    """Height at which hands of both meet: between what is natural for each, never over the smaller one's shoulders."""
    return min(high * float(np.mean([b.height for b in bodies])), 0.97 * min(shoulder_height(b) for b in bodies))


POSTURES: dict[str, tuple[int, str | None]] = {"standing": (12, None), "sitting": (11, "chair"), "crouching": (3, None)}


def talker(pose: Pose, posture: str = "standing") -> Deed:
    action, seat = POSTURES[posture]
    hands = {1: "open", -1: "open"}
    return deed("talk", pose, action, 79, posture=posture, seat=seat, shows={79: (HEAD,)}, hands=hands)


def listener(pose: Pose, posture: str = "standing") -> Deed:
    action, seat = POSTURES[posture]
    shows = {74: (HEAD,), 80: (HEAD,)}
    return deed("listen", pose, action, 74, 80, posture=posture, seat=seat, shows=shows)


def sing(pose: Pose, body: Body, rng: Draw) -> int:
    """A microphone at the mouth; returns the hand's side."""
    t, g, s = pose.t, int(rng.choice(SIDES)), body.height / ADULT
    beat = rng.uniform(0.5, 0.9)
    pose.add(side=0.06 * wave(t, beat / 2, rng.random()), nod=-0.08 + 0.08 * wave(t, beat, rng.random()))
    mouth = settle(pose, body).mark(MOUTH)
    bring(pose, body, g, mouth + constant(t, 0.02 * g, -0.07, -0.12 * s), elbow=(0.9, -0.2, -1))
    out = constant(t, -0.35 * g * s, -0.3 * s, body.joints[CHEST, 2] + 0.12 * s * wave(t, beat / 2, rng.random()))
    reach(pose, body, -g, out, elbow=(0.8, 0.2, -1))
    pose.props.append(props.microphone("left" if g > 0 else "right", rng))
    return g
