"""What people do to things with their whole bodies: lifting, pushing, pulling, riding, kicking, throwing."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..people.bodies import CHEST, HEAD, Body
from . import fixtures, props
from .gestures import side_name, some_side
from .motions import (
    FOOT,
    HAND,
    KNEE,
    Deed,
    Draw,
    belly,
    course,
    event,
    gait,
    local_time,
    on_feet,
    smooth,
    spread,
    stand,
    wave,
)
from .poses import SIDES, Fixture, Hand, Pose, constant, leg_length, stoop_to, turn

TWO = (HAND[1], HAND[-1])


def feet_and_hips(pose: Pose) -> tuple[dict[int, np.ndarray], np.ndarray]:
    assert pose.feet is not None and pose.hips is not None
    return pose.feet, pose.hips


def handled(
    name: str, pose: Pose, posture: int, *more: int, what: str | None = None, hands: tuple[int, ...] = TWO, **rest: Any
) -> Deed:
    """A deed of one posture (by its id) whose other labels need the thing ``what`` and these hands to be seen."""
    said = {1: "bending", 10: "running", 11: "sitting", 12: "standing", 14: "walking"}[posture]
    shapes = {g: "grip" for g in SIDES if HAND[g] in hands}
    return Deed(
        name, pose, (posture, *more), said, steady_head=True, shows={a: hands for a in more},
        needs={a: what for a in more if what}, **{"hands": shapes, **rest},
    )  # fmt: skip


def key(t: np.ndarray) -> int:
    return int(np.argmin(np.abs(t)))


# --- up and down ----------------------------------------------------------------------------------------------------


def _stoop(body: Body, t: np.ndarray, rng: Draw, low: np.ndarray) -> Pose:
    """From standing (``low`` 0) down to the floor (1): more from the knees or more from the waist."""
    s, squat = body.height / 1.7, spread(rng, 0.15, 0.5)
    pose = on_feet(body, t, apart=spread(rng, 0.12, 0.2), split=spread(rng, -0.05, 0.05))
    _feet, hips = feet_and_hips(pose)
    hips[:, 1] += (0.1 + 0.14 * (1 - squat)) * s * low
    hips[:, 2] -= (0.1 + squat * 0.9) * leg_length(body) * low
    pose.knees = {g: (0.25, -1, 0.1) for g in SIDES}
    pose.add(tilt=(0.85 - 0.4 * squat) * low, pitch=(0.75 - 0.2 * squat) * low + 0.03, nod=0.1 + 0.0 * low)
    return pose


def _raise(name: str, action: int, body: Body, t: np.ndarray, rng: Draw, low: np.ndarray, held: np.ndarray) -> Deed:
    """Something between the floor or a table (``low`` 1) and the body (0); while not ``held`` it lies there."""
    s, kind = body.height / 1.7, str(rng.choice(["box", "ball", "bag", "table"], p=(0.4, 0.15, 0.15, 0.3)))
    g, front, chest = some_side(rng), belly(body), body.joints[CHEST, 2]
    still: tuple[Fixture, ...] = ()
    if kind == "table":
        top, edge = 0.5 * body.height, -front + 0.12 * s
        pose = on_feet(body, t, apart=0.11, split=0.04)
        pose.add(pitch=0.1 + 0.25 * low, tilt=0.12 * low, nod=0.25)
        item = props.box("hands", rng, 0.85 * min(s, 1)) if rng.random() < 0.6 else props.bottle(side_name(g), rng)
        still = (fixtures.table(rng, edge=edge, top=top),)
        down = np.array([0, -edge - 0.2 * s, top - float(item.vertices[:, 2].min())])
    else:
        pose = _stoop(body, t, rng, low)
        item = props.handbag(side_name(g), rng) if kind == "bag" else getattr(props, kind)("hands", rng)
        if kind == "box":
            item.vertices = item.vertices * np.float32(min(s, 1))
        if kind == "bag":
            item.vertices = item.vertices * np.float32(np.clip(s, 0.65, 1))
        down = np.array(
            [
                0.1 * g * (kind == "bag"),
                -0.32 * s - np.abs(item.vertices[:, 1]).max() * 0.6,
                -float(item.vertices[:, 2].min()),
            ]
        )
    half, deep = float(np.abs(item.vertices[:, 0]).max()) - 0.01, float(np.abs(item.vertices[:, 1]).max())
    two = item.hold == "hands"
    up = (
        np.array([0, front - deep - 0.05 * s, chest - 0.16 * s])
        if two
        else np.array([0.2 * g * s, front - 0.14 * s, chest - 0.25 * s])
    )
    if kind == "bag":
        up = np.array([0.26 * g * s, -0.06 * s, body.joints[14, 2] - 0.06 * s])
    way = up + (down - up) * low[:, None]
    way[:, 1] -= 0.12 * s * np.sin(np.pi * low) * (kind != "table")  # past the knees
    for h in SIDES if two else (g,):
        at = way + np.array([half * h if two else 0.0, 0, 0])
        pose.hands[h] = Hand(at, "floor", _near(held, t), elbow=(0.8, 0.4, -0.6))
        pose.upper[h], pose.fore[h] = constant(t, 0.2 * h, -0.35 * low, -1), constant(t, 0.05 * h, -0.5 * low - 0.1, -1)
    if kind != "table":
        stoop_to(pose, body)
    item.frame = "place"
    item.path, item.held = np.broadcast_to(down, (len(t), 3)), held
    pose.props.append(item)
    return handled(
        name,
        pose,
        1 if kind != "table" and low[key(t)] > 0.45 else 12,  # bent or standing
        action,
        what=item.name,
        hands=TWO if two else (HAND[g],),
        holding=item.name if held[key(t)] else None,
        fixtures=still,
        space=0.6,
        top=1.0,
    )


def _near(held: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Weight of the hands on a thing: full while it is held, less the longer before or after (T,)."""
    gap = np.abs(t[:, None] - t[held][None]).min(1) if held.any() else np.full(len(t), 9.0)
    return 1 - smooth(gap / 0.5)


def pick_up(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Hands go to a thing on the floor or a table, and bring it up."""
    start, period = spread(rng, -0.7, -0.1), 6.0
    local = local_time(t, period)
    low = event(t, start - 1.2, 0.8, period=period, back=0.8) * (1 - smooth((local - start) / spread(rng, 0.8, 1.2)))
    held = (local > start) & (local < period / 2 - 0.9)
    return _raise("pick up", 36, body, t, rng, low, held)


def put_down(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """A thing is set on the floor or a table, and let go."""
    start, takes, period = spread(rng, -0.9, -0.35), spread(rng, 0.8, 1.1), 6.0
    local = local_time(t, period)
    low = smooth((local - start) / takes) * (1 - smooth((local - start - takes - 0.35) / 0.9))
    held = local < start + takes + 0.1
    return _raise("put down", 47, body, t, rng, low, held)


# --- along the floor ------------------------------------------------------------------------------------------------


def push(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Walking behind a trolley, a pram or a heavy crate."""
    s, heavy = body.height / 1.7, rng.random() < 0.3
    pose = gait(body, t, rng, pace=spread(rng, 0.55, 0.7) if heavy else spread(rng, 0.75, 0.95))
    high = float(np.clip(0.58 * body.height, 0.6, 1.02))
    lean = spread(rng, 0.4, 0.55) if heavy else spread(rng, 0.08, 0.18)
    ahead = (0.36 + 0.24 * heavy) * s
    pose.put(tilt=lean * 0.8, pitch=lean * 0.5, twist=0.0, nod=-0.5 * lean)
    _feet, hips = feet_and_hips(pose)
    hips[:, 1] += 0.1 * s * heavy
    item = (
        fixtures.crate(rng, reach=ahead, high=high * 1.05) if heavy else fixtures.trolley(rng, reach=ahead, high=high)
    )
    for g in SIDES:
        at = constant(t, 0.19 * g * s, -ahead + (0.0 if not heavy else 0.03), high * (1 if not heavy else 0.95))
        pose.hands[g] = Hand(at, "floor", elbow=(0.7, 0.5, -1))
    pose.props.append(item)
    return handled("push", pose, 14, 46, what=item.name, space=1.1)


def pull(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Walking with a wheeled suitcase or a cart behind."""
    s, g = body.height / 1.7, some_side(rng)
    pose = gait(body, t, rng, pace=spread(rng, 0.75, 1.0))
    high, behind = 0.485 * body.height, 0.13 * s
    pose.hands[g] = Hand(constant(t, 0.24 * g * s, behind, high), "floor", elbow=(0.6, 0.8, -0.5))
    pose.put(twist=-0.12 * g, pitch=0.08)
    if rng.random() < 0.65:
        lean = spread(rng, 0.6, 0.8)
        item = props.wheeled_suitcase(side_name(g), rng, high / np.cos(lean))
        item.turn = turn(0, np.array([lean]))[0]
    else:
        item = fixtures.cart(rng, x=0.24 * g * s, reach=behind, high=high)
    pose.props.append(item)
    return handled("pull", pose, 14, 45, what=item.name, hands=(HAND[g],), space=1.0)


def ride(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """On a bicycle that fits, along the floor."""
    s, leg = body.height / 1.7, leg_length(body)
    crank_z, arm_ = 0.28 * min(s, 1.1) + 0.02, 0.16 * s
    hips = np.array([0.0, crank_z + 0.08 + 0.93 * leg])
    saddle = (0.0, float(hips[1]) - 0.12 * s)
    crank = (-0.2 * s, crank_z)
    bar = (-0.62 * s, saddle[1] + 0.2 * s)
    r = 0.34 * float(np.clip(s, 0.6, 1.05))
    hertz, phase, pose = spread(rng, 0.7, 1.1), rng.random(), on_feet(body, t)
    feet, at = feet_and_hips(pose)
    for g in SIDES:
        turn_ = 2 * np.pi * (hertz * t + phase) + (np.pi if g > 0 else 0)
        feet[g] = constant(t, 0.09 * s * g, crank[0] - arm_ * np.sin(turn_) + 0.05 * s, crank_z - arm_ * np.cos(turn_))
        pose.toes[g] = 0.25 + 0.2 * np.sin(turn_)
        pose.hands[g] = Hand(
            constant(t, 0.23 * g * min(s, 1.1), bar[0] + 0.02, bar[1] + 0.03), "floor", elbow=(0.8, 0.3, -0.6)
        )
        pose.knees[g] = (0.1, -1, 0.5)
    at[:] = constant(t, 0, saddle[0], hips[1])
    pose.add(lift=np.minimum(feet[1][:, 2], feet[-1][:, 2]) - 0.13 * s * np.sin(0.25), tilt=0.25, pitch=0.3, nod=-0.35)
    pose.add(side=0.02 * wave(t, hertz, phase))
    pose.props.append(fixtures.bicycle(rng, saddle=saddle, crank=crank, bar=bar, r=r))
    pose.shift, yaw = course(t, spread(rng, 1.3, 2.0), spread(rng, 3.0, 3.6), rng, bow=(0.9, 1.2))
    pose.add(yaw=yaw)
    return handled("ride", pose, 11, 49, what="bicycle", hands=(KNEE[1], HEAD), space=1.0, top=1.15)


# --- through the air ------------------------------------------------------------------------------------------------


def kick_ball(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    base = stand(body, t, rng)
    s, g, period = body.height / 1.7, some_side(rng), 4.0
    pose = on_feet(body, t, apart=0.09, split=0.05 * -g)
    pose.upper, pose.fore = base.pose.upper, base.pose.fore
    feet, hips = feet_and_hips(pose)
    go = spread(rng, -0.25, 0.15)
    local = local_time(t, period)
    back, front = smooth((local - go + 0.75) / 0.45), smooth((local - go + 0.22) / 0.35)
    home = smooth((local - go - 0.35) / 0.55)
    leg = leg_length(body)
    swing = (-0.42 * back + 1.15 * front) * (1 - home)
    high = (0.25 * back * (1 - front) + spread(rng, 0.22, 0.5) * front * front) * (1 - home)
    feet[g] = feet[g] + constant(t, 0, -swing * leg, high * leg)
    pose.toes[g] = 0.6 * back * (1 - home)
    hips[:, 0] -= 0.06 * s * g * back * (1 - home)
    pose.knees[g] = (0.1, -0.7, 0.7)
    pose.hands = {}
    for h in SIDES:
        out = back * (1 - home)
        pose.upper[h] = constant(t, (0.25 + 0.6 * out) * h, 0.3 * h * g * swing, -1)
        pose.fore[h] = constant(t, (0.1 + 0.4 * out) * h, 0.3 * h * g * swing - 0.2, -1)
    pose.add(tilt=-0.25 * swing, pitch=0.12 + 0.15 * front * (1 - home), twist=0.25 * g * swing, nod=0.25)
    item, flight = props.ball("free", rng), np.maximum(local - go, 0)
    speed, lob, r = spread(rng, 2.5, 6), spread(rng, 0, 2.5), float(np.abs(item.vertices[:, 2]).max())
    z = np.maximum(r + lob * flight - 4.9 * flight**2, r)
    item.path = constant(t, 0.09 * s * g, -0.36 * s - speed * flight, z)
    item.frame = "place"
    item.turn = turn(0, 4 * flight)
    pose.props.append(item)
    made = handled("kick", pose, 12, 35, what="ball", headings=(0.3, 2.2), hands=(FOOT[g],), space=0.7)
    return replace(made, hands={})


def throw(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """A ball leaves one hand over the shoulder or from below, or both hands over the head or from the chest."""
    s, period, kind = body.height / 1.7, 4.0, rng.choice(["over", "under", "head", "chest"], p=(0.4, 0.2, 0.2, 0.2))
    go, g, local = spread(rng, -0.25, 0.15), some_side(rng), local_time(t, period)
    wind, release = smooth((local - go + 0.75) / 0.4), smooth((local - go + 0.14) / 0.26)
    after = smooth((local - go - 0.35) / 0.6)
    pose = on_feet(body, t, apart=0.12, split=-0.14 * g if kind in ("over", "under") else 0.05)
    _feet, hips = feet_and_hips(pose)
    shoulder, chest, front = body.joints[8] * (g, 1, 1), body.joints[CHEST, 2], belly(body)
    two, item = kind in ("head", "chest"), props.ball("hands" if kind in ("head", "chest") else side_name(g), rng)
    rest = np.array([0.04 * g * s, front - 0.2 * s, chest - 0.12 * s])
    back, far = {
        "over": (shoulder + np.array([0.22 * g, 0.24, 0.22]) * s, shoulder + np.array([0, -0.52, 0.2]) * s),
        "under": (shoulder + np.array([0.1 * g, 0.38, -0.4]) * s, shoulder + np.array([0, -0.5, -0.1]) * s),
        "head": (np.array([0, 0.06 * s, body.height]), np.array([0, -0.5 * s, shoulder[2] + 0.3 * s])),
        "chest": (np.array([0, front - 0.1 * s, chest + 0.04 * s]), np.array([0, -0.55 * s, chest + 0.12 * s])),
    }[str(kind)]
    at = rest + (back - rest) * wind[:, None] + (far - back) * release[:, None]
    r = float(np.abs(item.vertices[:, 0]).max())
    out = np.array([0, 0, 0]) if two else np.array([0, -0.5 * r, 0.7 * r])  # of the ball from the grip
    for h in SIDES if two else (g,):
        spot = at + np.array([0.85 * r * h, 0, 0]) * (1 if two else 0)
        pose.hands[h] = Hand(spot, "floor", 1 - after, elbow=(0.9, 0.4, -0.3))
    item.vertices = item.vertices + out.astype(np.float32)
    pose.upper[-g] = constant(t, -g * (0.3 + 0.5 * wind * (1 - after)), -0.5 * wind * (1 - release), -1)
    if not two:
        pose.add(twist=g * (0.5 * wind - 0.9 * release * (1 - after)))
    bow = wind * (-0.12 if kind != "under" else 0.1) + release * (0.35 if kind != "chest" else 0.15) * (1 - 0.7 * after)
    pose.add(pitch=bow, tilt=0.4 * bow)
    hips[:, 1] += 0.06 * s * wind - 0.16 * s * release * (1 - 0.5 * after)
    flight = np.maximum(local - go, 0)
    speed, lob = spread(rng, 3, 5.5), spread(rng, 0.8, 2.8)
    start = back + (far - back) * smooth(np.array(0.14 / 0.26))
    item.path = constant(
        t, start[0], start[1] - speed * flight, np.maximum(start[2] + lob * flight - 4.9 * flight**2, r - out[2])
    )
    item.held, item.frame = flight <= 0, "place"
    item.turn = turn(0, 5 * flight) if two else None
    pose.props.append(item)
    hands = TWO if two else (HAND[g],)
    holding = "ball" if item.held[key(t)] else None
    return handled("throw", pose, 12, 58, what="ball", headings=(0.3, 2.3), hands=hands, holding=holding, space=0.75)


def catch(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """A ball flies in and is caught before the chest, over the head or low."""
    s, period, g = body.height / 1.7, 4.0, some_side(rng)
    come, local = spread(rng, -0.35, 0.3), local_time(t, period)
    ready = smooth((local - come + 1.0) / 0.5) * (1 - smooth((local - 1.5) / 0.4))
    caught = smooth((local - come) / 0.3)
    item = props.ball("hands", rng)
    r = float(np.abs(item.vertices[:, 0]).max())
    high, aside = spread(rng, -0.1, 0.4), spread(rng, -0.12, 0.12)
    chest, front = body.joints[CHEST, 2], belly(body)
    meet = np.array([aside * s, -0.42 * s, chest + high * s])
    home = np.array([0, front - r - 0.03, chest - 0.08 * s])
    at = meet + (home - meet) * caught[:, None]
    pose = on_feet(body, t, apart=0.15, split=0.06 * g, drop=0.03)
    _feet, hips = feet_and_hips(pose)
    hips[:, 2] -= 0.05 * s * ready * (1 - caught)
    for h in SIDES:
        wide = (0.1 * (1 - smooth((local - come + 0.12) / 0.15)) + 0.92 * r) * h
        pose.hands[h] = Hand(at + constant(t, wide, 0, 0), "floor", ready, elbow=(0.9, 0.3, -0.8))
    speed, before = spread(rng, 3, 5.5), np.maximum(come - local, 0)
    rise = spread(rng, 0.5, 2.2)
    z = meet[2] + rise * before - 4.9 * before**2
    item.path = constant(t, meet[0] + 0.15 * before, meet[1] - speed * before, np.maximum(z, r))
    item.held, item.frame = local >= come, "place"
    pose.props.append(item)
    pose.add(pitch=0.12 * ready, nod=0.25 * caught - 0.1 * (1 - caught))
    holding = "ball" if item.held[key(t)] else None
    return replace(
        handled("catch", pose, 12, 18, what="ball", headings=(0.4, 2.3), holding=holding, space=0.7),
        hands=dict.fromkeys(SIDES, "open"),
    )
