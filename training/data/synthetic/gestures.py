"""What hands do on top of a posture, alone or with another person; each states the AVA actions it adds."""

from dataclasses import replace
from typing import Any

import numpy as np

from . import motions, props
from .bodies import CHEST, Body
from .motions import Deed, Draw, event, smooth, wave
from .poses import SIDES, blend, constant, reach, upright

EYE, MOUTH = 24, 26  # rows of ``joints``


def _done(deed: Deed, *actions: int, holding: str | None = None, **more: Any) -> Deed:
    return replace(deed, actions=tuple(sorted({*deed.actions, *actions})), holding=holding or deed.holding, **more)


def phone_ear(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, g = deed.pose, rng.choice(SIDES)
    ear = constant(pose.t, 0.115 * g, body.joints[EYE, 1] + 0.06, body.joints[MOUTH, 2] + 0.01)
    reach(pose, body, g, ear, elbow=(0.9, -0.5, -1))
    pose.props.append(props.phone("right" if g < 0 else "left", rng))
    pose.angles["look"], pose.angles["nod"] = pose.angle("look") * 0.2 + 0.1 * g, pose.angle("nod") * 0.3
    return _done(deed, 15, holding="phone", steady_head=True)


def phone_text(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, chest = deed.pose, body.joints[CHEST, 2]
    both = rng.random() < 0.4
    g = rng.choice(SIDES)
    for s in SIDES if both else (g,):
        at = constant(
            pose.t,
            (0.06 * s if both else 0.08 * s),
            -rng.uniform(0.26, 0.32) * body.height / 1.7,
            chest - 0.06 + 0.012 * wave(pose.t, 1.1, 0.3 * s),
        )
        reach(pose, body, s, at, elbow=(0.5, 0.3, -1))
    pose.props.append(props.phone("hands" if both else "right" if g < 0 else "left", rng))
    pose.angles["nod"], pose.angles["look"] = constant(pose.t, 0.45)[:, 0], 0 * pose.t
    return _done(deed, 57, holding="phone", steady_head=True)


def read(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, s = deed.pose, body.height / 1.7
    for g in SIDES:
        reach(
            pose,
            body,
            g,
            constant(pose.t, 0.15 * g * s, -0.34 * s, body.joints[CHEST, 2] - rng.uniform(0.05, 0.07)),
            elbow=(0.6, 0.3, -1),
        )
    pose.props.append(props.book("hands", rng))
    pose.angles["nod"], pose.angles["look"] = 0.4 + 0 * pose.t, 0.08 * wave(pose.t, 0.4, rng.random())
    return _done(deed, 48, holding="book", steady_head=True)


def drink(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, g = deed.pose, rng.choice(SIDES)
    up = event(pose.t, rng.uniform(-1.3, -0.7), 0.6, period=5, back=0.8) if rng.random() < 0.5 else np.ones_like(pose.t)
    mouth = body.joints[MOUTH]
    x, y, z = 0.03 * g, mouth[1] - 0.07, mouth[2] - 0.01
    low = np.array([0.13 * g, -0.33 * body.height / 1.7, body.joints[CHEST, 2] - 0.1])
    reach(pose, body, g, low + (np.array([x, y, z]) - low) * up[:, None], elbow=(1, -0.1, -0.7))
    pose.props.append(props.cup("right" if g < 0 else "left", rng))
    pose.angles["nod"], pose.angles["look"] = -0.15 * up, pose.angle("look") * 0.2
    return _done(deed, 27, holding="cup", steady_head=True)


def carry(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, s, kind = (
        deed.pose,
        body.height / 1.7,
        str(rng.choice(["box", "cup", "bag", "ball", "book"], p=(0.4, 0.12, 0.3, 0.12, 0.06))),
    )
    g, chest = rng.choice(SIDES), body.joints[CHEST, 2]
    if kind in ("box", "ball"):
        item = getattr(props, kind)("hands", rng)
        half = np.abs(item.vertices[:, 0]).max() + 0.02
        for side in SIDES:
            reach(
                pose,
                body,
                side,
                constant(pose.t, half * side, -0.36 * s, chest - rng.uniform(0.2, 0.22) * s),
                elbow=(0.7, 0.5, -1),
            )
    elif kind == "bag":
        item = props.handbag("right" if g < 0 else "left", rng)
        pose.upper[g], pose.fore[g] = constant(pose.t, 0.24 * g, 0.0, -1), constant(pose.t, 0.12 * g, -0.03, -1)
    else:
        item = getattr(props, kind)("right" if g < 0 else "left", rng)
        reach(pose, body, g, constant(pose.t, 0.2 * g, -0.3 * s, chest - 0.17 * s))
    pose.props.append(item)
    return _done(deed, 17, holding=kind)


def point(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, g = deed.pose, rng.choice(SIDES)
    aside, high = (
        rng.uniform(-0.2, 1.1),
        rng.uniform(-0.15, 0.5) + 0.05 * wave(pose.t, rng.uniform(0.3, 0.9), rng.random()),
    )
    pose.upper[g] = constant(pose.t, aside * g, -1, high)
    pose.fore[g] = constant(pose.t, aside * g, -1, high + 0.06)
    pose.angles["look"] = pose.angle("look") * 0.2 + 0.5 * g * np.arctan(aside)
    return _done(deed, 43, steady_head=True)


def throw(deed: Deed, body: Body, rng: Draw) -> Deed:
    """A ball leaves the hand near the key frame."""
    pose, g, s, t = deed.pose, rng.choice(SIDES), body.height / 1.7, deed.pose.t
    go, period = rng.uniform(-0.3, 0.1), 4.0
    local = (t + period / 2) % period - period / 2
    wind, release = smooth((local - go + 0.7) / 0.4), smooth((local - go + 0.12) / 0.24)
    shoulder = body.joints[8 if g > 0 else 11]
    back, front = np.array([0.18 * g, 0.25 * s, 0.28 * s]), np.array([0.05 * g, -0.55 * s, 0.12 * s])
    rest = np.array([0.1 * g, -0.3 * s, -0.25 * s])
    target = shoulder + rest + (back - rest) * wind[:, None] + (front - back) * release[:, None]
    reach(pose, body, g, target, elbow=(0.9, 0.5, -0.3))
    flight = np.maximum(local - go, 0)
    speed, lob = rng.uniform(3, 6), rng.uniform(0.5, 3)
    start = shoulder + front
    item = props.ball("right" if g < 0 else "left", rng)
    item.path = np.stack(
        [start[0] + 0 * flight, start[1] - speed * flight, np.maximum(start[2] + lob * flight - 4.9 * flight**2, 0.12)],
        -1,
    )
    item.held = flight <= 0
    pose.props.append(item)
    pose.add(twist=g * (0.45 * wind - 0.8 * release), pitch=0.2 * release)
    pose.angles["look"] = 0 * t
    return _done(deed, 58, holding="ball" if item.held[np.argmin(np.abs(t))] else None, steady_head=True)


def clap(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, s = deed.pose, body.height / 1.7
    open_ = 0.02 + rng.uniform(0.12, 0.2) * (0.5 + 0.5 * wave(pose.t, rng.uniform(0.7, 1.6), rng.random()))
    height = body.joints[CHEST, 2] + rng.uniform(-0.1, 0.25) * s
    for g in SIDES:
        reach(pose, body, g, constant(pose.t, open_ * g, -0.33 * s, height), elbow=(1, 0.1, -0.6))
    return _done(deed, 67)


def hand_wave(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, g, s = deed.pose, rng.choice(SIDES), body.height / 1.7
    swing = wave(pose.t, rng.uniform(0.7, 1.5), rng.random())
    shoulder, high = body.joints[8], rng.uniform(0.15, 0.5)
    for side in SIDES if rng.random() < 0.12 else (g,):
        at = constant(pose.t, (shoulder[0] + 0.2 * s + 0.17 * s * swing) * side, -0.22 * s, shoulder[2] + high * s)
        reach(pose, body, side, at, elbow=(0.8, -0.2, -1))
    return _done(deed, 69, steady_head=True)


def gesticulate(deed: Deed, body: Body, rng: Draw) -> Deed:
    """The hands of somebody who talks."""
    pose, s, chest = deed.pose, body.height / 1.7, body.joints[CHEST, 2]
    hertz, both = rng.uniform(0.6, 1.3), rng.random() < 0.65
    for g in SIDES if both else (rng.choice(SIDES),):
        a, b = wave(pose.t, hertz, rng.random()), wave(pose.t, hertz * 0.6, rng.random())
        at = constant(pose.t, (0.2 + 0.09 * a) * g * s, (-0.34 - 0.06 * b) * s, chest - 0.05 * s + 0.13 * s * a)
        reach(pose, body, g, at, elbow=(0.8, 0.3, -1))
    pose.add(nod=0.08 * wave(pose.t, hertz, rng.random()))
    return _done(deed, 79, steady_head=True)


def computer(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, s = deed.pose, body.height / 1.7
    for g in SIDES:
        key = 0.015 * wave(pose.t, rng.uniform(0.8, 1.5), rng.random())
        reach(
            pose,
            body,
            g,
            constant(pose.t, 0.1 * g, -0.42 * s, body.joints[CHEST, 2] - 0.27 * s + key),
            elbow=(0.7, 0.6, -1),
        )
    pose.angles["nod"], pose.angles["look"] = 0.22 + 0 * pose.t, 0.05 * wave(pose.t, 0.3, rng.random())
    return _done(deed, 62, table=True, steady_head=True)


# --- whole-body deeds with an object --------------------------------------------------------------------------------


def pick_up(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """A box raised from the floor: bent at first, upright with the box at the end."""
    up = event(t, rng.uniform(-1.0, -0.3), rng.uniform(1.1, 1.6), period=6, back=1.4)
    low, high = motions.bend(body, t, rng).pose, upright(t)
    squat = rng.uniform(0.2, 0.8)
    for g in SIDES:
        low.thigh[g], low.shin[g] = constant(t, 0.2 * g, -squat, -1), constant(t, 0.1 * g, 0.7 * squat, -1)
        low.upper[g], low.fore[g] = constant(t, 0.05 * g, -0.3, -1), constant(t, -0.1 * g, -0.3, -1)
        high.upper[g], high.fore[g] = constant(t, 0.12 * g, -0.1, -1), constant(t, -0.12 * g, -1, -0.15)
    pose = blend(low, high, up)
    pose.props.append(props.box("hands", rng))
    bent = up[np.argmin(np.abs(t))] < 0.4
    return Deed("pick up", pose, (1, 36) if bent else (12, 36), "bending" if bent else "standing", holding="box")


def kick_ball(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    deed = motions.stand(body, t, rng)
    pose, g, period = deed.pose, rng.choice(SIDES), 4.0
    go = rng.uniform(-0.25, 0.15)
    local = (t + period / 2) % period - period / 2
    back, front = smooth((local - go + 0.75) / 0.45), smooth((local - go + 0.25) / 0.35)
    home = smooth((local - go - 0.4) / 0.5)
    angle = (-0.6 * back + 1.5 * front) * (1 - home)
    knee = 1.0 * back * (1 - front)
    pose.thigh[g], pose.shin[g] = (
        constant(t, 0.08 * g, -np.sin(angle), -np.cos(angle)),
        constant(t, 0.04 * g, np.sin(knee - angle), -np.cos(knee - angle)),
    )
    pose.upper[-g] = constant(t, -0.6 * g, -0.5 * front * (1 - home), -1)
    pose.add(tilt=-0.2 * angle, foot=0.5 + 0 * t)
    pose.thigh[-g], pose.shin[-g] = constant(t, -0.06 * g, -0.05, -1), constant(t, -0.04 * g, 0.08, -1)
    item, flight = props.ball("free", rng), np.maximum(local - go, 0)
    speed, lob = rng.uniform(2.5, 6), rng.uniform(0, 2.5)
    item.path = np.stack(
        [0.1 * g + 0 * t, -0.45 - speed * flight, np.maximum(0.12 + lob * flight - 4.9 * flight**2, 0.12)], -1
    )
    pose.props.append(item)
    return replace(deed, name="kick", actions=(12, 35), steady_head=True)


# --- two people, face to face ---------------------------------------------------------------------------------------


def handshake(bodies: tuple[Body, Body], t: np.ndarray, rng: Draw) -> tuple[float, Deed, Deed]:
    """Right hands meet half way; returns the distance to stand apart."""
    small = min(b.height for b in bodies)
    apart = 0.74 * small / 1.7 + 0.12
    height: Any = 0.57 * np.mean([b.height for b in bodies])
    height = min(height, 0.72 * small)
    shake = 0.04 * wave(t, rng.uniform(0.8, 1.5), rng.random())
    deeds = []
    for body in bodies:
        deed = motions.stand(body, t, rng)
        deed.pose.angles["twist"], deed.pose.angles["pitch"] = 0 * t, 0.08 + 0 * t
        reach(deed.pose, body, -1, constant(t, -0.02, -apart / 2, height + shake), elbow=(0.4, 0.4, -1))
        deeds.append(_done(deed, 68))
    return apart, deeds[0], deeds[1]


def hug(bodies: tuple[Body, Body], t: np.ndarray, rng: Draw) -> tuple[float, Deed, Deed]:
    apart = 0.3 if min(b.age == "child" for b in bodies) == 0 else 0.24
    small = min(b.height for b in bodies)
    deeds = []
    for body, other in (bodies, bodies[::-1]):
        deed = motions.stand(body, t, rng)
        taller = np.clip((body.height - other.height) / 0.5, 0, 1.3)
        deed.pose.add(pitch=0.12 + 0.5 * taller, nod=0.1 * taller)
        for g in SIDES:
            high = min(0.74 * small + 0.1 * (g > 0) + 0.12 * taller, body.joints[8, 2] + 0.05)
            reach(
                deed.pose, body, g, constant(t, 0.1 * g, -apart - 0.16 * body.height / 1.7, high), elbow=(1, -0.3, -0.4)
            )
        deed.pose.angles["look"] = 0.5 * np.ones_like(t)
        deeds.append(_done(deed, 70, steady_head=True))
    return apart, deeds[0], deeds[1]


def fight(bodies: tuple[Body, Body], t: np.ndarray, rng: Draw) -> tuple[float, Deed, Deed]:
    apart, hertz, phase = rng.uniform(0.85, 1.05), rng.uniform(0.6, 1.0), rng.random()
    deeds = []
    for k, body in enumerate(bodies):
        deed, s = motions.stand(body, t, rng), body.height / 1.7
        pose, lead = deed.pose, rng.choice(SIDES)
        for g in SIDES:
            pose.thigh[g], pose.shin[g] = constant(t, 0.18 * g, -0.3 * g * lead, -1), constant(t, 0.12 * g, 0.3, -1)
            blow = np.maximum(wave(t, hertz, phase + 0.5 * k + 0.25 * g), 0) ** 2
            reach(
                pose,
                body,
                g,
                constant(t, 0.1 * g, (-0.26 - 0.42 * blow) * s, body.joints[CHEST, 2] + 0.1 * s),
                elbow=(0.8, 0, -1),
            )
            pose.add(twist=-0.35 * g * blow)
        pose.add(pitch=0.2)
        deeds.append(replace(deed, name="fight", actions=(64,), posture="fighting", steady_head=True))
    return apart, deeds[0], deeds[1]


def converse(bodies: tuple[Body, Body], t: np.ndarray, rng: Draw) -> tuple[float, Deed, Deed]:
    """One talks with the hands, the other looks on and listens."""
    deeds, seated = [], rng.random() < 0.45
    for body in bodies:
        deed = (motions.sit if seated else motions.stand)(body, t, rng)
        deed.pose.angles["look"] = deed.pose.angle("look") * 0.15
        deeds.append(deed)
    a, b = deeds
    return rng.uniform(0.75, 1.3) + 0.5 * seated, gesticulate(a, bodies[0], rng), _done(b, 74, 80, steady_head=True)


SOLO = (phone_ear, phone_text, read, drink, carry, carry, point, throw, throw, clap, hand_wave)
SEATED = (phone_ear, phone_text, read, drink, computer, computer, clap, hand_wave, point)
WALKING = (phone_ear, phone_text, carry, drink, hand_wave)
PAIRS = (handshake, hug, fight, converse)
