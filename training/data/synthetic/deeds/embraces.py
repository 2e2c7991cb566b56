"""Two people close to each other: a hug, a kiss on the cheek, a child lifted up; see ``duets``."""

import numpy as np

from ..people.bodies import ARM, CHEST, HEAD
from .attitudes import (
    ADULT,
    Bodies,
    Duet,
    deed,
    key_of,
    kneel,
    meet_eyes,
    share,
    shoulder_height,
    stance,
    window,
)
from .contact import MOUTH, across, bow, bow_needed, bring, capsules, depth_of, frozen, gaps, opposite, settle
from .motions import Draw, wave
from .poses import SIDES, Pose, constant


def _press(poses: list[Pose], bodies: Bodies, apart: float, gap: float = 0.005) -> float:
    """The distance at which trunks and heads just touch at the key frame."""
    frame = key_of(poses[0].t)
    one, other = (
        tuple(v[frame : frame + 1] if v.ndim == 3 else v for v in capsules(settle(p, b)))
        for p, b in zip(poses, bodies, strict=True)
    )
    for _ in range(3):
        apart -= (
            float(
                gaps(
                    tuple(v[..., :3, :] if v.ndim == 3 else v[:3] for v in one),
                    opposite(tuple(v[..., :3, :] if v.ndim == 3 else v[:3] for v in other), apart),
                ).min()
            )
            - gap
        )
    return apart


def hug(bodies: Bodies, t: np.ndarray, rng: Draw) -> Duet:
    """Chest to chest, arms round each other; a tall one kneels or bows to a small one."""
    tall = int(bodies[1].height > bodies[0].height)
    ratio = bodies[1 - tall].height / bodies[tall].height
    poses = [stance(b, t, rng) for b in bodies]
    kneels = ratio < 0.8
    if kneels:
        kneel(poses[tall], both=True, low=float(np.clip((0.78 - ratio) / 0.2, 0, 1)))
    else:
        bow(poses[tall], np.clip((0.98 - ratio) * 1.6, 0, 0.5))
    sway = 0.03 * wave(t, rng.uniform(0.2, 0.4), rng.random())
    aside = float(rng.choice(SIDES)) * 0.3
    for pose in poses:
        pose.add(side=sway, pitch=0.07)
        pose.angles["look"], pose.angles["nod"] = aside + 0 * t, 0.12 + 0 * t
        pose.add(side=0.12 * np.sign(aside))  # heads pass on the same side of each
    apart = _press(poses, bodies, 0.4, -0.015)
    posed = [settle(p, b) for p, b in zip(poses, bodies, strict=True)]
    for k in (0, 1):
        body, other, them = bodies[k], bodies[1 - k], posed[1 - k]
        back = depth_of(other, 0.6, 0.75)[1] + 0.03
        over = k == tall
        pat = 0.02 * wave(t, rng.uniform(0.5, 1.0), rng.random())
        for g in SIDES:
            high = other.joints[CHEST, 2] + (0.03 if over else -0.09 - 0.05 * g) * other.height / ADULT
            rest = np.array([-0.05 * g * other.height / ADULT, back, high])
            at = across(them.point(CHEST, rest), apart) + constant(t, 0, 0, pat)
            bring(poses[k], body, g, at, elbow=(1, -0.1, 0.1 if over else -0.6))
    deeds = []
    for k, pose in enumerate(poses):
        low = kneels and k == tall
        more = {"posture": "crouching"} if low else {}
        deeds.append(
            deed("hug", pose, 3 if low else 12, 70, shows={70: (HEAD,)}, hands={1: "open", -1: "open"}, **more)
        )
    return apart, deeds[0], deeds[1]


def kiss(bodies: Bodies, t: np.ndarray, rng: Draw) -> Duet:
    """The first kisses the second's cheek; a much taller one of the two kneels."""
    first, second = bodies
    ratio, frame = second.height / first.height, key_of(t)
    side = int(rng.choice(SIDES))  # the second's cheek
    near = window(t, -0.9, 0.6, rng.uniform(0.5, 1.0), 0.6)
    poses = [stance(b, t, rng) for b in bodies]
    kneels = [ratio < 0.83, ratio > 1.2]
    for pose, low in zip(poses, kneels, strict=True):
        if low:
            kneel(pose, both=True)
    poses[1].angles["look"], poses[1].angles["nod"] = -0.95 * side * near, 0 * t
    width = 0.075 * (second.height / ADULT) ** 0.5
    cheek = second.joints[MOUTH] * (0, 1, 1) + np.array([(width - 0.012) * side, 0.045, 0.015])

    def heights() -> tuple[np.ndarray, np.ndarray]:
        return settle(poses[0], first).mark(MOUTH)[frame], across(settle(poses[1], second).point(HEAD, cheek), 0.0)[
            frame
        ]

    mouth, goal = heights()
    upper = 0 if mouth[2] > goal[2] else 1
    before, amounts, best = poses[upper], np.linspace(0, 0.9, 12), []
    for q in amounts:  # the higher one bows until mouth and cheek are level
        poses[upper] = frozen(before, frame, 1)
        bow(poses[upper], q)
        poses[upper].add(nod=-0.6 * q)
        mouth = settle(poses[0], first).mark(MOUTH)[frame if upper else 0]
        goal = across(settle(poses[1], second).point(HEAD, cheek), 0.0)[0 if upper else frame]
        best.append(abs(float(mouth[2] - goal[2])))
    q, poses[upper] = float(amounts[np.argmin(best)]), before
    bow(before, q * (0.25 + 0.75 * near))
    before.add(nod=-0.6 * q * near)
    mouth, goal = heights()
    apart = float(goal[1] - mouth[1]) + 0.005
    poses[0].shift = np.stack([goal[0] - mouth[0] + 0 * t, 0.1 * (1 - near)], -1)
    them = settle(poses[1], second)
    for g in SIDES:
        s = second.height / ADULT
        shoulder = them.point(ARM[-g][0], second.joints[ARM[-g][0]] + np.array([0.05 * -g * s, -0.02, 0.03 * s]))
        bring(poses[0], first, g, across(shoulder, apart), 0.2 + 0.8 * near, elbow=(0.8, 0, -1))
    a, b = (
        deed(name, pose, 3 if low else 12, *labels, posture="crouching" if low else "standing", shows=shows)
        for name, pose, low, labels, shows in zip(
            ("kiss", "stand"), poses, kneels, ((72,), ()), ({72: (HEAD,)}, {}), strict=True
        )
    )
    return apart, a, b


def lift(bodies: Bodies, t: np.ndarray, rng: Draw) -> Duet:
    """The first lifts the second, a small child, under the arms."""
    adult, child = bodies
    up = window(t, rng.uniform(-1.1, -0.8), 0.8, rng.uniform(1.1, 1.6), 0.8)
    near = share(bodies, 0.19, 0.06)
    apart = sum(near)
    poses = [stance(b, t, rng) for b in bodies]
    s = child.height / ADULT
    high = rng.uniform(0.0, 0.12) + shoulder_height(adult) - shoulder_height(child)
    small = poses[1]
    small.add(lift=high * up, foot=0.85 * up, pitch=0.05)
    swing = wave(t, rng.uniform(0.6, 1.1), rng.random()) * up
    for g in SIDES:
        small.thigh[g] = constant(t, 0.14 * g, -0.35 * up + 0.12 * g * swing, -1)
        small.shin[g] = constant(t, 0.08 * g, 0.4 * up + 0.15 * g * swing, -1)
        small.upper[g] = constant(t, 0.75 * g, -0.4, -0.5 + 0.5 * up)
        small.fore[g] = constant(t, 0.15 * g, -0.9, -0.3 + 0.2 * up)
    armpit = lambda g: np.array([child.joints[8, 0] * 0.85 * g, -0.01, shoulder_height(child) - 0.14 * s])  # noqa: E731
    lowest = np.zeros(len(t), int) + int(np.argmin(up))
    first = settle(small, child)
    targets = {g: across(first.point(CHEST, armpit(-g)), apart) for g in SIDES}
    low = {g: p[lowest[0]] for g, p in targets.items()}
    bow(poses[0], bow_needed(poses[0], adult, low, int(lowest[0])) * (1 - up) + 0.05 * up)
    for g in SIDES:
        bring(poses[0], adult, g, targets[g], elbow=(0.9, 0.2, -0.7))
    meet_eyes(bodies, poses, apart)
    a = deed("lift", poses[0], 12, 73, shows={73: (HEAD,)}, hands={1: "open", -1: "open"})
    return apart, a, deed("lifted", small, 80)
