"""What two people do to each other, face to face: ``(bodies, t, rng) -> (metres apart, Deed, Deed)``.

Each stands in a frame of their own, at the origin and facing -y; ``contact.across`` goes from one to the other.
"""

from collections.abc import Callable

import numpy as np

from ..people.bodies import ARM, CHEST
from . import props
from .attitudes import (
    ADULT,
    ELBOW,
    WRIST,
    Bodies,
    Duet,
    bow_to,
    deed,
    gesticulate,
    key_of,
    kneel,
    listener,
    meet_eyes,
    meeting_height,
    seated,
    share,
    stance,
    talker,
    window,
)
from .contact import LEGS, TRUNK, Posed, across, bring, capsules, depth_of, gaps, opposite, settle
from .contests import fight, kick, play, push
from .embraces import hug, kiss, lift
from .motions import Draw, local_time, wave
from .poses import SIDES, constant, reach


def handshake(bodies: Bodies, t: np.ndarray, rng: Draw) -> Duet:
    """Right hands meet and shake."""
    near = share(bodies, rng.uniform(0.21, 0.24))
    apart, height = sum(near), meeting_height(bodies, rng.uniform(0.55, 0.6))
    start = rng.uniform(-1.6, -0.8)
    held = window(t, start, 0.5, start + rng.uniform(2.0, 3.2), 0.6)
    shake = rng.uniform(0.03, 0.06) * wave(t, rng.uniform(1.0, 1.6), rng.random()) * held
    poses = [stance(b, t, rng) for b in bodies]
    for body, pose, y in zip(bodies, poses, near, strict=True):
        target = constant(t, 0, -y, height + shake)
        bow_to(pose, body, {-1: target}, held)
        bring(pose, body, -1, target, held, elbow=(0.5, 0.4, -1))
    meet_eyes(bodies, poses, apart)
    a, b = (deed("handshake", p, 12, 68, 80, shows={68: (WRIST[-1],)}, hands={-1: "grip"}) for p in poses)
    return apart, a, b


def give(bodies: Bodies, t: np.ndarray, rng: Draw) -> Duet:
    """The first hands something to the second near the key frame."""
    go, end = rng.uniform(-0.25, 0.12), 5.5 / 2
    item = str(rng.choice(["book", "cup", "ball", "box", "bag"]))
    two = item in ("ball", "box")
    g = -1 if two else int(rng.choice(SIDES))
    make = {"bag": props.handbag}.get(item) or getattr(props, item)
    prop = make("hands" if two else "right" if g < 0 else "left", rng)
    near = share(bodies, 0.25 if two else 0.225)
    apart, height = sum(near), meeting_height(bodies, rng.uniform(0.56, 0.66))
    s = [b.height / ADULT for b in bodies]
    wide = float(np.abs(prop.vertices[:, 0]).max()) if two else 0.0
    local = local_time(t, 5.5)
    giving = window(t, go - 0.9, 0.7, go + 0.15, 0.7)
    taking = window(t, go - 0.7, 0.6, end - 0.7, 0.6)
    drawing = window(t, go + 0.15, 0.7, end - 0.7, 0.6)  # the taker draws it in
    poses = [stance(b, t, rng) for b in bodies]
    sides = SIDES if two else (g,)
    for k, (body, pose, y) in enumerate(zip(bodies, poses, near, strict=True)):
        belly = depth_of(body, 0.5, 0.7)[0]
        low = body.joints[CHEST, 2] - 0.27 * s[k]
        for side in sides:  # before and after: before the belly
            hold = constant(t, (wide + 0.02) * side if two else 0.1 * s[k] * side, -belly - (wide + 0.12 * s[k]), low)
            if k == 0:
                bring(pose, body, side, hold, 1 - window(t, go + 0.2, 0.7, end - 0.6, 0.5))
        meet = {}
        for side in sides:
            x = (wide + 0.015) * side if two else 0.0
            near_side = 0.02 if two else 0.012  # of the thing, each on their own
            step = (0.05 if two else 0.015) * (1 if k else -1)
            meet[side] = constant(t, x, near_side - y, height + step)
        bow_to(pose, body, meet, giving if k == 0 else taking * (1 - 0.8 * drawing))
        for side in sides:
            bring(pose, body, side, meet[side], giving if k == 0 else taking, elbow=(0.6, 0.4, -1))
            if k == 1:
                hold = constant(
                    t, (wide + 0.02) * side if two else 0.1 * s[k] * side, -belly - (wide + 0.12 * s[k]), low
                )
                bring(pose, body, side, hold, drawing, elbow=(0.6, 0.4, -1))
    posed = [settle(p, b) for p, b in zip(poses, bodies, strict=True)]
    hand = lambda p: np.mean([p.grip(side) for side in sides], 0)  # noqa: E731
    path = across(hand(posed[1]), apart)
    prop.held, prop.path = (local < go) | (local > end - 0.4), path
    poses[0].props.append(prop)
    meet_eyes(bodies, poses, apart, 1 - 0.5 * giving)
    for pose in poses:
        pose.add(nod=0.2 * giving)
    holds = local[key_of(t)] < go
    name, shape = prop.name, {} if two else {g: "grip"}
    giver = deed("give", poses[0], 12, 65, holding=name if holds else None, needs={65: name}, hands=shape)
    taker = deed("take", poses[1], 12, 78, holding=None if holds else name, hands=shape)
    return apart, giver, taker


def grab(bodies: Bodies, t: np.ndarray, rng: Draw) -> Duet:
    """The first holds the second by the forearm or the shoulder, and pulls."""
    near = share(bodies, 0.23, 0.22)
    g, forearm_held = int(rng.choice(SIDES)), rng.random() < 0.6
    apart = sum(near) if forearm_held else 0.28 * max(b.height for b in bodies)
    held = window(t, rng.uniform(-1.4, -0.7), 0.45, 2.2, 0.5)
    tug = 0.04 * wave(t, rng.uniform(0.5, 0.9), rng.random()) * held
    poses = [stance(b, t, rng) for b in bodies]
    away = -0.12 * held - tug
    if forearm_held:
        height = meeting_height(bodies, 0.58)
        target = constant(t, 0.04 * g, -near[0] + tug, height)
        bow_to(poses[0], bodies[0], {g: target}, held)
        wrist = across(target, apart)
        beyond = constant(t, 0, -0.1 * bodies[1].height / ADULT, 0.02)
        mine = -g if rng.random() < 0.5 else g
        poses[1].add(tilt=away)
        bring(poses[1], bodies[1], mine, wrist + beyond, held, elbow=(0.7, 0.4, -1))
        forearm = settle(poses[1], bodies[1])
        elbow, grip = forearm.positions[:, ELBOW[mine]], forearm.grip(mine)
        where = across(elbow + 0.62 * (grip - elbow), apart)
    else:
        poses[1].add(tilt=away)
        shoulder = settle(poses[1], bodies[1]).positions[:, ARM[-g][0]]
        s = bodies[1].height / ADULT
        where = across(shoulder, apart) + constant(t, 0.03 * g * s, 0.06 * s, 0.045 * s)
        bow_to(poses[0], bodies[0], {g: where}, held)
    bring(poses[0], bodies[0], g, where, held, elbow=(0.8, 0.2, -0.8))
    meet_eyes(bodies, poses, apart)
    return (
        apart,
        deed("grab", poses[0], 12, 66, shows={66: (WRIST[g],)}, hands={g: "grip"}),
        deed("stand", poses[1], 12, 80),
    )


def wave_hands(bodies: Bodies, t: np.ndarray, rng: Draw) -> Duet:
    """Both wave, some metres apart."""
    apart, deeds = rng.uniform(1.7, 3.6), []
    poses = [stance(b, t, rng) for b in bodies]
    meet_eyes(bodies, poses, apart)
    for body, pose in zip(bodies, poses, strict=True):
        g, s, shoulder = int(rng.choice(SIDES)), body.height / ADULT, body.joints[8]
        swing, high = wave(t, rng.uniform(0.8, 1.5), rng.random()), rng.uniform(0.2, 0.45)
        at = constant(t, (shoulder[0] + 0.18 * s + 0.18 * s * swing) * g, -0.2 * s, shoulder[2] + high * s)
        reach(pose, body, g, at, elbow=(0.8, -0.2, -1))
        deeds.append(deed("wave", pose, 12, 69, 80, shows={69: (WRIST[g],)}, hands={g: "open"}))
    return apart, deeds[0], deeds[1]


def converse(bodies: Bodies, t: np.ndarray, rng: Draw) -> Duet:
    """The first talks with the hands, the second looks on and listens; a tall one may kneel to a small one."""
    sitting = rng.random() < 0.35
    poses = [seated(b, t, rng) if sitting else stance(b, t, rng, arms="any") for b in bodies]
    postures = ["sitting" if sitting else "standing"] * 2
    tall = int(bodies[1].height > bodies[0].height)
    if not sitting and bodies[1 - tall].height < 0.78 * bodies[tall].height and rng.random() < 0.45:
        poses[tall], postures[tall] = stance(bodies[tall], t, rng), "crouching"
        kneel(poses[tall], both=rng.random() < 0.4, side=int(rng.choice(SIDES)))
    apart = rng.uniform(1.35, 1.9) if sitting else rng.uniform(0.8, 1.3)
    gesticulate(poses[0], bodies[0], rng)
    meet_eyes(bodies, poses, apart)
    poses[1].add(nod=0.07 * np.maximum(wave(t, rng.uniform(0.4, 0.9), rng.random()), 0))
    return apart, talker(poses[0], postures[0]), listener(poses[1], postures[1])


DUETS: dict[str, Callable[[Bodies, np.ndarray, Draw], Duet]] = {
    "handshake": handshake, "give": give, "grab": grab, "wave": wave_hands, "hug": hug, "kiss": kiss, "lift": lift,
    "fight": fight, "kick": kick, "push": push, "play": play, "converse": converse,
}  # fmt: skip


GIVES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "handshake": ((12, 68, 80), (12, 68, 80)), "give": ((12, 65), (12, 78)), "grab": ((12, 66), (12, 80)),
    "wave": ((12, 69, 80), (12, 69, 80)), "hug": ((3, 12, 70), (3, 12, 70)), "kiss": ((3, 12, 72), (3, 12)),
    "lift": ((12, 73), (80,)), "fight": ((12, 64), (12, 64)), "kick": ((12, 71), (12,)), "push": ((12, 76), (12,)),
    "play": ((3, 12, 58, 75), (12, 58, 75)), "converse": ((3, 11, 12, 79), (3, 11, 12, 74, 80)),
}  # fmt: skip


def fits(name: str, bodies: Bodies) -> bool:
    """Whether these two, in this order, may do it."""
    first, second = bodies
    ratio = second.height / first.height
    if name == "lift":
        return first.age == "adult" and second.age == "child" and ratio < 0.74
    if name == "play":
        return second.age == "child"
    if name == "kiss":
        return "child" not in (first.age, second.age) and ratio > 0.6
    if name in ("fight", "kick", "push"):
        return (first.age == "child") == (second.age == "child") and 0.75 < ratio < 1.33
    if name == "grab":
        return ratio < 1.15
    return True


TOUCHING = {"hug": 0.06, "kiss": 0.04, "lift": 0.05}  # metres by which trunks and limbs may sink into each other


def collision(name: str, bodies: Bodies, duet: Duet) -> float:
    """By how many metres the two run into each other more than is meant: trunks and heads, or arms into trunks."""
    apart, a, b = duet
    shapes: list[Posed] = [settle(d.pose, body) for d, body in zip((a, b), bodies, strict=True)]
    between = gaps(capsules(shapes[0]), opposite(capsules(shapes[1]), apart))
    trunks = between[:, TRUNK, TRUNK].min() + TOUCHING.get(name, 0.0)
    legs = 0.0 if name == "kick" else min(between[:, LEGS].min(), between[:, :, LEGS].min()) + 0.04
    arms = 0.0 if name in TOUCHING else min(between[:, TRUNK].min(), between[:, :, TRUNK].min()) + 0.03
    return float(-min(trunks, legs, arms, 0.0))


def perform(name: str, bodies: Bodies, t: np.ndarray, rng: Draw) -> Duet:
    """A duet in which the two do not run into each other, or the best of four."""
    best: tuple[float, Duet] | None = None
    for _ in range(4):
        duet = DUETS[name](bodies, t, rng)
        depth = collision(name, bodies, duet)
        if best is None or depth < best[0]:
            best = depth, duet
        if depth < 0.02:
            break
    assert best is not None
    return best[1]
