"""What people do with their whole bodies: postures drawn at random, as poses over time, with the AVA actions they show.

Times are seconds from the key frame; repeated motions are periodic, so that a label stays true however long the clip.

Labels follow AVA: exactly one of person movement (1-14) and up to three others. Carry/hold (17) stands beside the
others whenever a load, a container or a reading matter (box, bag, ball, umbrella, cup, bottle, glass, book, newspaper)
is in the hands all clip long; not for what is small and serves one use that has its own label (phone, cigarette,
toothbrush, food, camera, pen, tools, instruments), nor for what is pushed or pulled.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..people.bodies import ARM, CHEST, HEAD, LEG, ROOT, Body
from .poses import (
    SIDES,
    Fixture,
    Hand,
    Pose,
    arm_length,
    constant,
    leg_length,
    reach,
    standing_height,
    stoop_to,
    upright,
)

Draw = np.random.Generator
EYE, MOUTH = 24, 26  # rows of ``joints``
HAND = {g: ARM[g][2] for g in SIDES}
KNEE = {g: LEG[g][1] for g in SIDES}
FOOT = {g: LEG[g][2] for g in SIDES}

# The joints that must all be seen for a label to stand, unless a deed names its own (which hand, which foot).
BOTH_HANDS = (HAND[1], HAND[-1])
SHOWS: dict[int, tuple[int, ...]] = {
    1: (ROOT, CHEST), 2: (ROOT, HEAD, KNEE[1]), 3: (ROOT, KNEE[1]), 4: (ROOT, CHEST, KNEE[1]), 5: (ROOT, CHEST),
    6: (ROOT, CHEST), 7: (ROOT, FOOT[1]), 8: (ROOT, HEAD), 9: (CHEST, *BOTH_HANDS), 10: (ROOT, KNEE[1]),
    11: (ROOT, KNEE[1]), 12: (ROOT, KNEE[1]), 14: (ROOT, KNEE[1]),
    35: (ROOT, FOOT[1]), 37: (HEAD,), 49: (ROOT, KNEE[1]), 61: (HEAD,), 67: BOTH_HANDS,
}  # fmt: skip


@dataclass
class Deed:
    """A motion of one person: its pose, what is labelled, and what it needs of the place.

    actions: AVA ids, sorted. seat: "chair" to sit on, "bed" to lie on, None. fixtures: still things before the person,
        to be put into the place at their floor point and heading.
    shows: action -> rows of ``JOINTS`` that must all be seen for the label to stand; filled from ``SHOWS``.
    needs: action -> name of the prop or fixture whose pixels must be seen. hands: side -> "grip", "point", "open".
    headings: the sizes of heading at which what is done can be seen from the camera (0 faces it, pi is its back).
    space: metres of free floor about the person; top: height of the highest point over the body's.
    """

    name: str
    pose: Pose
    actions: tuple[int, ...]
    posture: str
    holding: str | None = None
    seat: str | None = None
    steady_head: bool = False
    fixtures: tuple[Fixture, ...] = ()
    shows: dict[int, tuple[int, ...]] = field(default_factory=dict)
    needs: dict[int, str] = field(default_factory=dict)
    hands: dict[int, str] = field(default_factory=dict)
    headings: tuple[float, float] = (0.0, 3.14)
    space: float = 0.36
    top: float = 1.03

    def __post_init__(self) -> None:
        self.actions = tuple(sorted(set(self.actions)))
        self.shows = {a: self.shows.get(a) or SHOWS.get(a, (HEAD,)) for a in self.actions}


def also(deed: Deed, *actions: int, side: int = 0, **more: Any) -> Deed:
    """The deed with more actions; ``side``: the hand that must be seen for them (0: both)."""
    seen = (HAND[side],) if side else BOTH_HANDS
    shows = {**deed.shows, **{a: SHOWS.get(a, seen) for a in actions}, **more.pop("shows", {})}
    needs, hands = {**deed.needs, **more.pop("needs", {})}, {**deed.hands, **more.pop("hands", {})}
    return replace(
        deed, actions=tuple(sorted({*deed.actions, *actions})), shows=shows, needs=needs, hands=hands, **more
    )


def smooth(x: np.ndarray) -> np.ndarray:
    """Ease from 0 to 1."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def local_time(t: np.ndarray, period: float) -> np.ndarray:
    """Seconds from the middle of the period, which is the key frame's."""
    return (t + period / 2) % period - period / 2


def event(t: np.ndarray, start: float, duration: float, *, period: float = 5.0, back: float = 1.0) -> np.ndarray:
    """0 before ``start``, 1 after ``duration`` more, back to 0 over the last ``back`` seconds of each period.

    Periods are centred on the key frame.
    """
    local = local_time(t, period)
    return smooth((local - start) / duration) * (1 - smooth((local - (period / 2 - back)) / back))


def wave(t: np.ndarray, hertz: float, phase: float) -> np.ndarray:
    return np.sin(2 * np.pi * (hertz * t + phase))


def spread(rng: Draw, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def belly(body: Body) -> float:
    """The foremost y of the trunk at rest."""
    trunk = (np.abs(body.rest[:, 0]) < 0.14) & (body.rest[:, 2] > body.joints[LEG[1][0], 2])
    return float(body.rest[trunk & (body.rest[:, 2] < body.joints[CHEST, 2]), 1].min())


# --- postures: legs, trunk and resting arms -------------------------------------------------------------------------


def rest_arms(pose: Pose, body: Body, rng: Draw) -> None:
    """Arms of somebody who does nothing with them: hanging, akimbo, crossed, clasped, behind the back, in pockets."""
    kinds = ["hang", "hip", "both", "cross", "front", "behind", "pockets"]
    kind = rng.choice(kinds, p=(0.42, 0.1, 0.1, 0.14, 0.07, 0.07, 0.1))
    hips, chest, t = body.joints[14, 2], body.joints[CHEST], pose.t
    wide, front = body.joints[8, 0], belly(body)
    for g in SIDES:
        sway = 0.04 * wave(t, spread(rng, 0.1, 0.3), rng.random())
        pose.upper[g] = constant(t, spread(rng, 0.14, 0.28) * g, spread(rng, -0.05, 0.1) + sway, -1)
        pose.fore[g] = constant(t, spread(rng, 0.0, 0.15) * g, spread(rng, -0.4, -0.05) + sway, -1)
    if kind == "both" or kind == "hip":
        for g in SIDES if kind == "both" else (rng.choice(SIDES),):
            reach(pose, body, g, constant(t, 1.08 * wide * g, -0.05, hips + 0.08), elbow=(1, 0.5, -0.2))
    elif kind == "cross":
        for g in SIDES:
            at = constant(t, -0.45 * wide * g, front - 0.07 - 0.025 * (g > 0), chest[2] - 0.06 + 0.03 * g)
            reach(pose, body, g, at, elbow=(1, -0.1, -1))
    elif kind == "front":
        for g in SIDES:
            reach(pose, body, g, constant(t, 0.03 * g, front - 0.08, hips - 0.02), elbow=(1, 0.2, -0.5))
    elif kind == "pockets":
        for g in SIDES:
            reach(pose, body, g, constant(t, 0.92 * wide * g, -0.09, hips - 0.03), elbow=(1, 0.8, -0.2))
    elif kind == "behind":
        for g in SIDES:
            reach(pose, body, g, constant(t, 0.05 * g, 0.22 + 0.02 * g, hips + 0.04), elbow=(1, 0.5, -0.2))


def on_feet(
    body: Body, t: np.ndarray, *, apart: float = 0.09, split: float = 0.0, drop: np.ndarray | float = 0.0
) -> Pose:
    """Standing on fixed feet.

    Args:
        body: Who stands.
        t: Seconds (T,).
        apart: Half the distance between the ankles, at a height of 1.7 m.
        split: How far the left foot stands before the right one, over two, likewise.
        drop: Share of the leg's length by which the hips are lowered.
    """
    s, pose = body.height / 1.7, upright(t)
    pose.feet = {g: constant(t, apart * s * g, -split * s * g, 0) for g in SIDES}
    pose.hips = constant(t, 0, 0.02 * s, standing_height(body) - drop * leg_length(body))
    return pose


def stand(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Feet fixed; the weight sways, or rests on one leg."""
    s, sway = body.height / 1.7, wave(t, spread(rng, 0.1, 0.35), rng.random())
    pose = on_feet(body, t, apart=spread(rng, 0.07, 0.17), split=rng.normal(0, 0.04))
    assert pose.feet is not None and pose.hips is not None
    pose.hips[:, 0] += 0.02 * s * sway
    pose.add(side=spread(rng, 0.01, 0.04) * sway, pitch=spread(rng, -0.05, 0.1), twist=0.03 * sway)
    pose.add(twist=rng.normal(0, 0.08), nod=rng.normal(0.03, 0.1))
    pose.add(look=rng.normal(0, 0.2) + spread(rng, 0, 0.3) * wave(t, spread(rng, 0.1, 0.3), rng.random()))
    if rng.random() < 0.4:  # weight on one leg
        g = int(rng.choice(SIDES))
        pose.hips[:, 0] -= 0.07 * s * g
        pose.feet[g] = pose.feet[g] + constant(t, 0.04 * s * g, -0.1 * s, 0)
        pose.add(roll=0.05 * g, side=-0.06 * g)
    rest_arms(pose, body, rng)
    return Deed("stand", pose, (12,), "standing")


def course(
    t: np.ndarray, speed: float, half: float, rng: Draw, *, bow: tuple[float, float] = (0.3, 0.5)
) -> tuple[np.ndarray, np.ndarray]:
    """There and back on a track with round ends: place (T, 2) and yaw (T,); straight ahead at the key frame."""
    r, side = spread(rng, *bow), int(rng.choice(SIDES))
    turning = np.pi * r
    s = (speed * t + half) % (4 * half + 2 * turning)
    a, b = np.clip((s - 2 * half) / r, 0, np.pi), np.clip((s - 4 * half - turning) / r, 0, np.pi)
    back = np.clip(s - 2 * half - turning, 0, 2 * half)
    x = np.where(s < 2 * half + turning, r - r * np.cos(a), r + r * np.cos(b))
    ahead = np.where(s < 2 * half, s - half, half + r * np.sin(a) - back - r * np.sin(b))
    return np.stack([side * x, -ahead], -1), side * (a + b)


def gait(body: Body, t: np.ndarray, rng: Draw, *, run: bool = False, pace: float = 1.0) -> Pose:
    """Walking or running: each foot stays where it is put while it bears, so the speed is that of the steps."""
    s, hertz, phase = body.height / 1.7, spread(rng, 1.2, 1.5) if run else spread(rng, 0.75, 1.0), rng.random()
    hertz *= pace**0.5 / s**0.5
    bears = 0.36 if run else 0.6
    stride = leg_length(body) * pace * (spread(rng, 0.75, 1.0) if run else spread(rng, 0.72, 1.0))
    pose, lift = upright(t), []
    pose.feet = {}
    for g in SIDES:
        u = (hertz * t + phase + (0.5 if g > 0 else 0)) % 1
        v = np.clip((u - bears) / (1 - bears), 0, 1)
        ahead = np.where(u < bears, 0.5 - u / bears, -0.5 + smooth(v)) * stride
        off = smooth((u - 0.55 * bears) / (0.45 * bears)) * (1 - smooth(v * 1.7)) * (0.9 if run else 0.55)
        strike = 0.3 * (smooth((v - 0.6) / 0.4) * (u >= bears) + (1 - smooth(u / 0.12)) * (u < bears)) * (not run)
        high = (0.3 if run else 0.05) * s * np.sin(np.pi * v) ** 1.2 + 0.13 * s * np.sin(off)
        pose.feet[g] = constant(t, (0.04 if run else 0.065) * s * g, -ahead, high)
        pose.toes[g] = off - strike
        lift.append(high - 0.13 * s * np.sin(off))
        arm = -(0.75 if run else 0.42) * spread(rng, 0.7, 1.2) * np.cos(2 * np.pi * (u + 0.25 - bears / 2))
        pose.upper[g] = constant(t, 0.2 * g, -np.sin(arm), -np.cos(arm))
        elbow = spread(rng, 1.3, 1.7) if run else spread(rng, 0.15, 0.5)
        pose.fore[g] = constant(t, -0.1 * g, -np.sin(arm + elbow), -np.cos(arm + elbow))
    low = 0.05 if run else (1 - np.sqrt(1 - (stride / 2 / leg_length(body)) ** 2)) * 0.5 + 0.005
    bob = 0.02 * s * np.sin(4 * np.pi * (hertz * t + phase) + (2.5 if run else 0.5))
    pose.hips = constant(t, 0.02 * s * wave(t, hertz, phase), 0.0, standing_height(body) - low * leg_length(body) + bob)
    pose.add(lift=np.minimum(*lift), pitch=spread(rng, 0.15, 0.3) if run else spread(rng, 0, 0.1))
    pose.add(twist=0.13 * wave(t, hertz, phase + 0.25), look=rng.normal(0, 0.1))
    half = spread(rng, 2.4, 3.4) if run else spread(rng, 1.7, 2.7)
    speed = stride * hertz / bears
    pose.shift, yaw = course(t, speed, half, rng)
    pose.add(yaw=yaw)
    return pose


def walk(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Strolling to brisk, the old slower and more bent."""
    old = body.age == "old"
    pose = gait(body, t, rng, pace=spread(rng, 0.6, 0.95) if old else spread(rng, 0.75, 1.15))
    return Deed("walk", pose.add(pitch=spread(rng, 0.0, 0.15) if old else 0.0), (14,), "walking")


def run(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Jogging to running fast."""
    return Deed("run", gait(body, t, rng, run=True, pace=spread(rng, 0.75, 1.3)), (10,), "running")


def seated(body: Body, t: np.ndarray, rng: Draw, *, table: bool = False) -> Pose:
    """On a seat as high as the shins: feet on the floor, together, apart, drawn in, stretched or crossed."""
    s, pose = body.height / 1.7, upright(t)
    thigh, shin = (float(np.linalg.norm(body.joints[a] - body.joints[b])) for a, b in ((14, 15), (15, 16)))
    kind = rng.choice(["plain", "wide", "in", "out", "crossed"], p=(0.4, 0.2, 0.15, 0.1, 0.15))
    wide = spread(rng, 0.16, 0.24) if kind == "wide" and not table else spread(rng, 0.06, 0.13)
    ahead = thigh * 0.96 + {"in": -0.16, "out": 0.2}.get(str(kind), spread(rng, -0.06, 0.08)) * s
    pose.feet = {g: constant(t, wide * s * g, -ahead + 0.02 * rng.normal(), 0) for g in SIDES}
    if kind == "crossed":
        g = int(rng.choice(SIDES))
        pose.feet = {h: constant(t, -0.04 * s * h, -ahead - 0.1 * s * (h == g), 0.0) for h in SIDES}
    if kind == "in":
        pose.toes = {g: 0.35 + 0 * t for g in SIDES}
        for g in SIDES:
            pose.feet[g][:, 2] += 0.045 * s
    pose.knees = {g: (0.25 if kind == "wide" else 0.08, -1, 0.9) for g in SIDES}
    height = body.joints[16, 2] + shin * spread(rng, 0.96, 1.08) * (0.9 if kind == "out" else 1.0)
    pose.hips = constant(t, 0, 0, height)
    pose.add(pitch=spread(rng, -0.1, 0.25) + 0.02 * wave(t, spread(rng, 0.1, 0.4), rng.random()), tilt=-0.1)
    pose.add(look=rng.normal(0, 0.25) + 0.15 * wave(t, 0.2, rng.random()), nod=rng.normal(0.05, 0.12))
    return pose


def lap_hands(pose: Pose, body: Body, rng: Draw) -> None:
    """Hands on the thighs of somebody who sits."""
    assert pose.hips is not None
    thigh = float(np.linalg.norm(body.joints[15] - body.joints[14]))
    for g in SIDES:
        at = constant(pose.t, spread(rng, 0.06, 0.14) * g, -thigh * spread(rng, 0.5, 0.85), pose.hips[:, 2] + 0.13)
        pose.hands[g] = Hand(at, "floor", elbow=(1, 0.5, -0.3))


def sit(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    pose = seated(body, t, rng)
    lap_hands(pose, body, rng)
    return Deed("sit", pose, (11,), "sitting", seat="chair", space=0.5, top=0.78)


def sit_floor(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """On the floor: cross-legged, legs stretched with the hands behind, or knees drawn up."""
    s, pose = body.height / 1.7, upright(t)
    kind = rng.choice(["crossed", "stretched", "knees"], p=(0.5, 0.25, 0.25))
    pose.anchor = "hips"
    pose.add(look=rng.normal(0, 0.25) + 0.15 * wave(t, 0.2, rng.random()), nod=rng.normal(0.05, 0.12), foot=1.0)
    breathe = 0.02 * wave(t, spread(rng, 0.15, 0.4), rng.random())
    hips, knee = body.joints[14], float(np.linalg.norm(body.joints[15] - body.joints[14]))
    for g in SIDES:
        if kind == "crossed":
            pose.thigh[g] = constant(t, 0.75 * g, -0.75, spread(rng, 0.0, 0.22))
            pose.shin[g] = constant(t, -0.95 * g, -0.12 - 0.18 * (g > 0), -0.14)
            at = constant(t, 0.62 * knee * g, -0.68 * knee, hips[2] + 0.12)
            reach(pose, body, g, at, elbow=(1, 0.5, -0.3))
        elif kind == "stretched":
            pose.thigh[g] = constant(t, spread(rng, 0.08, 0.25) * g, -1, spread(rng, 0, 0.25))
            pose.shin[g] = constant(t, 0.1 * g, -1, spread(rng, -0.3, -0.12))
            pose.upper[g] = constant(t, 0.3 * g, 0.55, -1)
            pose.fore[g] = constant(t, 0.15 * g, 0.5, -1)
        else:
            pose.thigh[g], pose.shin[g] = constant(t, 0.12 * g, -0.75, 0.7), constant(t, -0.02 * g, -0.42, -0.9)
            at = constant(t, 0.06 * g * s, -0.98 * knee, hips[2] + 0.62 * knee)
            reach(pose, body, g, at, elbow=(1, 0.1, -0.4))
    pose.add(pitch={"crossed": 0.25, "stretched": 0.0, "knees": 0.35}[str(kind)] + breathe)
    pose.add(tilt={"crossed": -0.1, "stretched": -0.22, "knees": -0.2}[str(kind)])
    return Deed("sit floor", pose, (11,), "sitting", space=0.6, top=0.55)


def crouch(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Squatting on both feet, or on one knee, both knees or the heels."""
    kind = rng.choice(["squat", "one knee", "knees", "heels"], p=(0.45, 0.25, 0.15, 0.15))
    s, pose, leg = body.height / 1.7, upright(t), leg_length(body)
    thigh, shin = (float(np.linalg.norm(body.joints[a] - body.joints[b])) for a, b in ((14, 15), (15, 16)))
    sway, g = wave(t, spread(rng, 0.1, 0.4), rng.random()), int(rng.choice(SIDES))
    pose.add(side=0.03 * sway, look=rng.normal(0, 0.2), nod=rng.normal(0.05, 0.15))
    pad, down = 0.05 * s, 2.5
    if kind == "squat":
        heels = spread(rng, 0.0, 0.7)
        wide = spread(rng, 0.08, 0.16) * s
        pose.feet = {h: constant(t, wide * h, -0.04 * s * h * g, 0.13 * s * np.sin(heels)) for h in SIDES}
        pose.toes = {h: heels + 0 * t for h in SIDES}
        pose.knees = {h: (spread(rng, 0.25, 0.6), -1, 0.1) for h in SIDES}
        pose.hips = constant(t, 0.01 * sway, (0.17 - 0.06 * heels) * s, spread(rng, 0.36, 0.5) * leg + 0.05 * s)
        pose.add(pitch=spread(rng, 0.25, 0.6), tilt=spread(rng, 0.15, 0.35))
    else:
        pose.feet = {h: constant(t, 0.1 * s * h, shin * 0.95, -0.01 * s) for h in SIDES}
        pose.toes = {h: down + 0 * t for h in SIDES}
        pose.knees = {h: (0.15, -1, -0.4) for h in SIDES}
        pose.hips = constant(t, 0, 0.0, thigh * 0.985 + pad)
        if kind == "one knee":
            pose.feet[g], pose.toes[g] = constant(t, 0.13 * s * g, -thigh * 0.85, 0), 0 * t
            pose.hips[:, 1] += 0.04 * s
        elif kind == "heels":
            pose.hips = constant(t, 0, shin * 0.72, 0.22 * s)
            pose.knees = {h: (0.3, -1, 0.6) for h in SIDES}
        pose.add(pitch=spread(rng, 0.05, 0.4))
    assert pose.hips is not None
    lean, knee_z = pose.angle("pitch")[0], float(pose.hips[0, 2]) + (0.1 if kind in ("squat", "one knee") else 0.0) * s
    for h in SIDES:
        if (kind == "one knee" and h == g) or kind == "heels" or (kind == "squat" and rng.random() < 0.5):
            ahead = {"one knee": -0.8 * thigh, "heels": 0.15 * shin, "squat": -0.2 * s}[str(kind)]
            pose.hands[h] = Hand(constant(t, 0.15 * s * h, ahead, knee_z + 0.08 * s), "floor", elbow=(1, 0.4, -0.3))
        else:
            pose.upper[h] = constant(t, 0.25 * h, -0.7 - 0.4 * lean, -1)
            pose.fore[h] = constant(t, -0.15 * h, -0.6 + 0.1 * wave(t, spread(rng, 0.1, 0.6), rng.random()), -0.7)
    return Deed("crouch", pose, (3,), "crouching", space=0.45, top=0.72)


def bend(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """At the waist: hands to the floor, to the shins, on the knees, or a bow."""
    s, kind = body.height / 1.7, rng.choice(["floor", "knees", "bow", "hang"], p=(0.35, 0.25, 0.2, 0.2))
    drop = spread(rng, 0.04, 0.14) if kind == "floor" else spread(rng, 0.02, 0.1) if kind == "knees" else 0.01
    pose = on_feet(body, t, apart=spread(rng, 0.08, 0.2), split=rng.normal(0, 0.05), drop=drop)
    assert pose.hips is not None
    slow = wave(t, spread(rng, 0.15, 0.5), rng.random())
    deep = {"floor": 1.25, "knees": 0.75, "bow": 0.8, "hang": 1.0}[str(kind)] * spread(rng, 0.92, 1.08) + 0.08 * slow
    pose.hips[:, 1] += 0.16 * s * deep
    pose.add(tilt=0.72 * deep, pitch=0.72 * deep, nod=-0.2 if kind == "knees" else rng.normal(0, 0.15))
    pose.arms_down = True
    for g in SIDES:
        pose.upper[g] = constant(t, 0.15 * g, spread(rng, -0.35, 0.0), -1)
        pose.fore[g] = constant(t, 0.0, spread(rng, -0.35, 0.0), -1)
        if kind == "floor":
            stir = 0.06 * s * wave(t, spread(rng, 0.3, 0.7), rng.random())
            at = constant(t, spread(rng, 0.05, 0.2) * s * g, -0.3 * s + stir, spread(rng, 0.08, 0.3) * s)
            pose.hands[g] = Hand(at, "floor", elbow=(1, 0.2, -0.2))
        elif kind == "knees":
            pose.hands[g] = Hand(
                constant(t, 0.12 * s * g, -0.12 * s, 0.62 * leg_length(body)), "floor", elbow=(1, 0.3, 0.3)
            )
        elif kind == "bow":
            pose.upper[g], pose.fore[g] = constant(t, 0.12 * g, 0.45, -0.9), constant(t, 0.05 * g, 0.4, -0.9)
    stoop_to(pose, body, squat=0.2)
    return Deed("bend", pose, (1,), "bending", space=0.5, top=0.8)


def crawl(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """On hands and knees, hand and opposite knee together."""
    s, hertz, phase = body.height / 1.7, spread(rng, 0.6, 0.95), rng.random()
    thigh, shin = (float(np.linalg.norm(body.joints[a] - body.joints[b])) for a, b in ((14, 15), (15, 16)))
    pose, stride, bears = upright(t), spread(rng, 0.3, 0.45) * s, 0.6
    torso = float(np.linalg.norm(body.joints[8] - body.joints[14]))
    shoulder = 0.88 * arm_length(body)
    hips = thigh * 0.99 + 0.055 * s
    pose.feet = {}
    for g in SIDES:
        u = (hertz * t + phase + (0.5 if g > 0 else 0)) % 1
        v = np.clip((u - bears) / (1 - bears), 0, 1)
        ahead = np.where(u < bears, 0.5 - u / bears, -0.5 + smooth(v)) * stride
        pose.feet[g] = constant(t, 0.1 * s * g, shin * 0.96 - ahead, 0.03 * s * np.sin(np.pi * v) - 0.01 * s)
        pose.toes[g], pose.knees[g] = 2.5 + 0 * t, (0.1, -1, -0.6)
        u = (u + 0.45) % 1
        v = np.clip((u - bears) / (1 - bears), 0, 1)
        hand = np.where(u < bears, 0.5 - u / bears, -0.5 + smooth(v)) * stride
        at = constant(t, 0.17 * s * g, -0.78 * torso - hand, 0.06 * s + 0.07 * s * np.sin(np.pi * v))
        pose.hands[g] = Hand(at, "floor", elbow=(0.8, 0.3, 0.6))
    pose.hips = constant(t, 0, 0.02, hips)
    pose.add(
        tilt=np.pi / 2 - np.arcsin(np.clip((shoulder - hips) / torso, -0.3, 0.6)), nod=-0.55, look=rng.normal(0, 0.15)
    )
    pose.add(side=0.08 * wave(t, hertz, phase), pitch=-0.1)
    pose.shift, yaw = course(t, stride * hertz / bears, spread(rng, 0.9, 1.5), rng)
    pose.add(yaw=yaw)
    return Deed("crawl", pose, (2,), "crawling", space=0.7, top=0.5)


def lie(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """On the back, the front or a side, still or stirring."""
    pose, kind = upright(t, apart=spread(rng, 0.02, 0.2)), rng.choice(["back", "front", "side"], p=(0.5, 0.15, 0.35))
    g = int(rng.choice(SIDES))
    pose.whole, pose.anchor = True, "hips"
    pose.add(tilt=(np.pi / 2 - 0.04) * (1 if kind == "front" else -1), foot=1.0, look=rng.normal(0, 0.4))
    for s in SIDES:
        pose.upper[s] = constant(t, spread(rng, 0.15, 0.5) * s, 0.05, -1)
        pose.fore[s] = constant(t, spread(rng, -0.2, 0.2) * s, -0.15, -1)
    if kind == "side":
        pose.add(spin=g * (np.pi / 2 - 0.2), pitch=0.35, nod=0.15)
        for s in SIDES:
            pose.thigh[s] = constant(t, 0.0, spread(rng, -0.9, -0.3), -1)
            pose.shin[s] = constant(t, 0, spread(rng, 0.1, 0.7), -1)
            pose.upper[s] = constant(t, 0.1 * s, spread(rng, -1, -0.4), -0.6)
            pose.fore[s] = constant(t, -0.2 * s, -0.6, spread(rng, -0.3, 0.8))
    elif kind == "back" and rng.random() < 0.45:
        pose.thigh[g], pose.shin[g] = constant(t, 0.1 * g, -0.75, -0.7), constant(t, 0, 0.65, -0.75)
    if kind == "back" and rng.random() < 0.5:
        if rng.random() < 0.5:  # a hand on the belly
            at = constant(t, 0.02, belly(body) - 0.05, body.joints[CHEST, 2] - 0.22)
            reach(pose, body, g, at, elbow=(1, 0, -0.5))
        else:  # hands under the head
            for s in SIDES:
                at = constant(t, 0.07 * s, body.joints[HEAD, 1] + 0.12, body.joints[EYE, 2] - 0.02)
                reach(pose, body, s, at, elbow=(1, 0, 0.2))
    elif kind == "front":
        for s in SIDES:
            pose.upper[s], pose.fore[s] = constant(t, 0.9 * s, -0.15, 0.5), constant(t, -0.6 * s, -0.15, 0.8)
    pose.add(pitch=0.02 * wave(t, 0.3, rng.random()))
    return Deed("lie", pose, (8,), "lying", seat="bed" if rng.random() < 0.45 else None, space=0.95, top=0.3)
