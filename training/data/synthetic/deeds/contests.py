"""Two people against each other, and at play with a ball; see ``duets``."""

import numpy as np

from ..people.bodies import CHEST, HEAD, LEG, Body
from . import props
from .attitudes import (
    ADULT,
    FOOT,
    Bodies,
    Duet,
    bow_to,
    deed,
    key_of,
    kneel,
    meet_eyes,
    shoulder_height,
    stance,
    window,
)
from .contact import MOUTH, across, bring, depth_of, face, settle
from .motions import Draw, local_time, smooth, wave
from .poses import SIDES, Pose, constant, reach


def _recoil(pose: Pose, blow: np.ndarray, back: float) -> None:
    pose.add(pitch=-back * blow, nod=0.3 * blow)


def fight(bodies: Bodies, t: np.ndarray, rng: Draw) -> Duet:
    """Blows to face or chest in turn, from a guard."""
    hertz, phase = rng.uniform(0.55, 0.85), rng.uniform(-0.08, 0.08)
    reachable = [0.375 * b.height for b in bodies]
    apart = float(np.mean(reachable)) + 0.27
    poses = []
    blows = [[np.maximum(wave(t, hertz, phase + 0.25 + 0.5 * k + 0.12 * n), 0) ** 3 for n in (0, 1)] for k in (0, 1)]
    for k, body in enumerate(bodies):
        pose, s, lead = stance(body, t, rng), body.height / ADULT, int(rng.choice(SIDES))
        for g in SIDES:
            pose.thigh[g], pose.shin[g] = (
                constant(t, 0.2 * g, -0.32 * g * lead - 0.12, -1),
                constant(t, 0.1 * g, 0.3, -1),
            )
            guard = constant(t, 0.1 * g * s, -0.23 * s, body.joints[CHEST, 2] + (0.12 + 0.03 * g) * s)
            reach(pose, body, g, guard, elbow=(0.5, 0.2, -1))
        strike = np.maximum(*blows[k])
        pose.shift = np.stack([0 * t, -0.08 * strike], -1)
        pose.add(pitch=0.1 + 0.18 * strike)
        _recoil(pose, np.maximum(*blows[1 - k]), 0.22)
        poses.append(pose)
    posed = [settle(p, b) for p, b in zip(poses, bodies, strict=True)]
    shown = []
    for k, body in enumerate(bodies):
        them, other = posed[1 - k], bodies[1 - k]
        high = 0.97 * other.height if other.height < 1.15 * body.height else 0.0
        chin = (
            them.mark(MOUTH) if high else them.point(CHEST, other.joints[CHEST] - [0, depth_of(other, 0.6, 0.75)[0], 0])
        )
        at = across(chin, apart) + constant(t, 0, 0.03, 0.0)
        for n, g in enumerate(SIDES if rng.random() < 0.5 else SIDES[::-1]):
            poses[k].add(twist=-0.3 * g * blows[k][n])
            bring(poses[k], body, g, at, blows[k][n] ** 0.5, elbow=(0.8, 0, -0.6))
        face(poses[k], body, across(them.face, apart), 1 - 0.5 * np.maximum(*blows[1 - k]))
        shown.append(
            deed(
                "fight",
                poses[k],
                12,
                64,
                posture="fighting",
                shows={64: (HEAD,)},
                hands={1: "grip", -1: "grip"},
            )
        )
    return apart, shown[0], shown[1]


def kick(bodies: Bodies, t: np.ndarray, rng: Draw) -> Duet:
    """The first kicks the second, who bends over and is driven back."""
    first, second = bodies
    g, go = int(rng.choice(SIDES)), rng.uniform(-0.15, 0.15)
    period = 3.2
    wind, out = window(t, go - 0.7, 0.4, go + 0.35, 0.4, period), window(t, go - 0.28, 0.28, go + 0.08, 0.35, period)
    hit = window(t, go - 0.02, 0.25, go + 0.7, 0.7, period)
    leg = first.joints[LEG[g][0], 2]
    height = min(rng.uniform(0.7, 1.0) * leg, 0.62 * second.height)
    belly = depth_of(second, 0.5, 0.65)[0]
    flat = float(np.sqrt(max((0.97 * leg) ** 2 - (leg - height) ** 2, 0.02)))
    apart = flat + belly + 0.07 * first.height / ADULT
    poses = [stance(b, t, rng) for b in bodies]
    pose, other = poses
    pose.anchor = "hips"
    pose.add(tilt=-0.3 * out, foot=np.maximum(wind, out))
    hip = settle(pose, first).positions[:, LEG[g][0]]
    line = constant(t, 0, -flat - 0.03, height) - hip
    line /= np.linalg.norm(line, axis=-1, keepdims=True)
    chamber, mix = constant(t, 0.1 * g, -0.9, -0.35), np.maximum(wind, out)[:, None]
    down, under = constant(t, 0.06 * g, 0.05, -1), constant(t, 0.04 * g, 0.3, -1)
    pose.thigh[g] = down * (1 - mix) + (chamber * (1 - out[:, None]) + line * out[:, None]) * mix
    pose.shin[g] = under * (1 - mix) + (under * (1 - out[:, None]) + line * out[:, None]) * mix
    pose.thigh[-g], pose.shin[-g] = constant(t, -0.05 * g, -0.15, -1), constant(t, -0.04 * g, 0.2, -1)
    for side in SIDES:
        fist = constant(t, 0.16 * side, -0.25 * first.height / ADULT, first.joints[CHEST, 2] + 0.02)
        reach(pose, first, side, fist, elbow=(0.5, 0.2, -1))
    other.shift = np.stack([0 * t, 0.3 * hit], -1)
    other.add(pitch=0.45 * hit, tilt=0.2 * hit)
    for side in SIDES:
        pelvis = constant(t, 0.06 * side, -belly - 0.06, second.joints[CHEST, 2] - 0.28 * second.height / ADULT)
        guard = constant(t, 0.13 * side, -0.25, second.joints[CHEST, 2] - 0.02)
        reach(other, second, side, guard + (pelvis - guard) * hit[:, None], elbow=(0.5, 0.3, -1))
        other.thigh[side] = constant(t, 0.12 * side, -0.3 * side * hit - 0.15, -1)
        other.shin[side] = constant(t, 0.06 * side, 0.25, -1)
    meet_eyes(bodies, poses, apart, 1 - 0.3 * hit)
    return (
        apart,
        deed("kick", pose, 12, 71, posture="fighting", shows={71: (FOOT[g],)}, hands={1: "grip", -1: "grip"}),
        deed("kicked", other, 12),
    )


def push(bodies: Bodies, t: np.ndarray, rng: Draw) -> Duet:
    """The first shoves the second, who stumbles back."""
    first, second = bodies
    go, far = rng.uniform(-0.2, 0.1), rng.uniform(0.35, 0.6)
    period = 4.4
    local = local_time(t, period)
    apart = 0.27 * first.height + depth_of(second, 0.6, 0.75)[0]
    away = window(t, go, 0.55, period / 2 - 0.7, 0.7, period)
    shock = window(t, go, 0.12, go + 0.2, 0.4, period)
    shove = window(t, go - 0.45, 0.35, go + 0.3, 0.4, period)
    poses = [stance(b, t, rng) for b in bodies]
    pose, other = poses
    lead = int(rng.choice(SIDES))
    step = shove
    for g in SIDES:
        pose.thigh[g] = constant(t, 0.08 * g, -0.45 * g * lead * step - 0.1 * step, -1)
        pose.shin[g] = constant(t, 0.05 * g, (0.1 if g == lead else 0.65) * step, -1)
    pose.add(pitch=0.2 * shove, tilt=0.12 * shove)
    moving = smooth((local - go) / 0.15) * (1 - smooth((local - go - 0.75) / 0.3))
    back = moving + window(t, period / 2 - 0.75, 0.1, period / 2 - 0.1, 0.1, period)
    other.shift = np.stack([0 * t, far * away], -1)
    for g in SIDES:
        stride = wave(local, 1.4, 0.25 + 0.25 * g) * back
        other.thigh[g] = constant(t, 0.1 * g, 0.35 * stride - 0.1 * back, -1)
        other.shin[g] = constant(t, 0.06 * g, 0.3 * back + 0.3 * np.maximum(stride, 0), -1)
        other.upper[g] = other.upper[g] + constant(t, 0.7 * g * shock, -0.8 * shock, 0.7 * shock)
        other.fore[g] = other.fore[g] + constant(t, 0.3 * g * shock, -0.9 * shock, 0.6 * shock)
    other.add(pitch=-0.12 * shock, tilt=-0.22 * shock + 0.1 * (moving - shock) * (moving > shock))
    them = settle(other, second)
    s = second.height / ADULT
    ahead = depth_of(second, 0.65, 0.8)[0]
    for g in SIDES:
        rest = np.array([-0.09 * g * s, -ahead - 0.03, shoulder_height(second) - 0.07 * s])
        target = across(them.point(CHEST, rest), apart)
        if g == SIDES[0]:
            bow_to(pose, first, {g: target}, shove)
        bring(pose, first, g, target, shove, elbow=(0.9, 0.3, -0.6))
    meet_eyes(bodies, poses, apart)
    return (
        apart,
        deed("push", pose, 12, 76, shows={76: (HEAD,)}, hands={1: "open", -1: "open"}),
        deed("pushed", other, 12),
    )


def play(bodies: Bodies, t: np.ndarray, rng: Draw) -> Duet:
    """A ball goes to and fro between somebody and a child."""
    period, flight = rng.uniform(2.4, 3.2), rng.uniform(0.5, 0.65)
    apart, start = rng.uniform(1.5, 2.4), rng.uniform(-0.35, 0.35)
    poses = [stance(b, t, rng) for b in bodies]
    low = bodies[1].height / bodies[0].height < 0.78 and rng.random() < 0.5
    if low:
        kneel(poses[0], both=rng.random() < 0.5, side=int(rng.choice(SIDES)))
    ball = props.ball("hands", rng)
    radius = float(ball.vertices[:, 0].max())
    phases = [(t - start - k * period / 2) % period for k in (0, 1)]  # since this one let go of it
    hands = []
    for body, pose, phase in zip(bodies, poses, phases, strict=True):
        s, chest, belly = body.height / ADULT, body.joints[CHEST, 2], depth_of(body, 0.5, 0.75)[0]
        hold = np.array([-belly - radius - 0.05, chest - 0.16 * s])
        free = np.array([-belly - 0.2 * s, chest - 0.22 * s])
        out = np.array([-0.47 * s, chest + 0.02 * s])
        catch = np.array([-0.42 * s, chest - 0.04 * s])
        arrive = period / 2 + flight
        times = np.array([0, 0.4, arrive - 0.4, arrive - 0.05, arrive + 0.3, period - 0.35, period])
        yz = np.stack(
            [np.interp(phase, times, [p[i] for p in (out, free, free, catch, hold, hold, out)]) for i in (0, 1)]
        )
        apart_hands = radius + 0.01
        for g in SIDES:
            reach(pose, body, g, constant(t, apart_hands * g, yz[0], yz[1]), elbow=(0.8, 0.3, -0.8))
        pose.add(pitch=0.08)
        posed = settle(pose, body)
        hands.append((posed.grip(1) + posed.grip(-1)) / 2)
    theirs = across(hands[1], apart)
    there, back = phases[0] < flight, phases[1] < flight
    fly = np.where(there, phases[0], phases[1])[:, None] / flight
    release = [_at_phase(b, p, k, apart) for k, (b, p) in enumerate(zip(bodies, poses, strict=True))]
    ends = np.where(there[:, None], release[1], release[0]), np.where(there[:, None], release[0], release[1])
    arc = ends[1] + (ends[0] - ends[1]) * fly + np.array([0, 0, 1.0]) * (4 * 0.16 * fly * (1 - fly))
    ball.held = phases[0] >= period / 2 + flight
    ball.path = np.where((there | back)[:, None], arc, theirs)
    poses[0].props.append(ball)
    at = np.where(ball.held[:, None], hands[0], ball.path)
    face(poses[0], bodies[0], at)
    face(poses[1], bodies[1], across(at, apart))
    deeds = []
    for k, pose in enumerate(poses):
        holds = ball.held if k == 0 else ~(ball.held | there | back)
        throws = bool((np.abs(local_time(t - start - k * period / 2, period)) < 0.2).any())
        posture = 3 if low and k == 0 else 12
        actions = {posture, 75} | ({58} if throws else set())
        deeds.append(
            deed(
                "play",
                pose,
                *actions,
                posture="crouching" if posture == 3 else "standing",
                holding="ball" if holds[key_of(t)] else None,
                needs={75: "ball", 58: "ball"} if k == 0 else {},
                shows={75: (HEAD,)},
                hands={1: "open", -1: "open"},
            )
        )
    return apart, deeds[0], deeds[1]


def _at_phase(body: Body, pose: Pose, k: int, apart: float) -> np.ndarray:
    """Where hands throw and catch, in the first one's frame: at arm's length before the chest."""
    s = body.height / ADULT
    posed = settle(pose, body)
    at = posed.point(CHEST, np.array([0, -0.45 * s, body.joints[CHEST, 2]]))[key_of(pose.t)]
    return across(at, apart) if k else at
