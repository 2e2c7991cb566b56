"""What people do to things with their whole bodies: lifting, pushing, throwing, digging, cooking, riding."""

from dataclasses import replace
from typing import Any

import numpy as np

from . import fixtures, props, tools
from .bodies import CHEST, HEAD, Body
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
from .poses import SIDES, Fixture, Hand, Pose, Prop, arm_length, constant, leg_length, turn

TWO = (HAND[1], HAND[-1])


def _points(pose: Pose) -> tuple[dict[int, np.ndarray], np.ndarray]:
    assert pose.feet is not None and pose.hips is not None
    return pose.feet, pose.hips


def _deed(
    name: str, pose: Pose, posture: int, *more: int, what: str | None = None, hands: tuple[int, ...] = TWO, **rest: Any
) -> Deed:
    """A deed of one posture (by its id) whose other labels need the thing ``what`` and these hands to be seen."""
    said = {1: "bending", 10: "running", 11: "sitting", 12: "standing", 14: "walking"}[posture]
    shapes = {g: "grip" for g in SIDES if HAND[g] in hands}
    return Deed(
        name, pose, (posture, *more), said, steady_head=True, shows={a: hands for a in more},
        needs={a: what for a in more if what}, **{"hands": shapes, **rest},
    )  # fmt: skip


def _key(t: np.ndarray) -> int:
    return int(np.argmin(np.abs(t)))


# --- up and down ----------------------------------------------------------------------------------------------------


def _stoop(body: Body, t: np.ndarray, rng: Draw, low: np.ndarray) -> Pose:
    """From standing (``low`` 0) down to the floor (1): more from the knees or more from the waist."""
    s, squat = body.height / 1.7, spread(rng, 0.15, 0.5)
    pose = on_feet(body, t, apart=spread(rng, 0.12, 0.2), split=spread(rng, -0.05, 0.05))
    _feet, hips = _points(pose)
    hips[:, 1] += (0.1 + 0.14 * (1 - squat)) * s * low
    hips[:, 2] -= (0.1 + squat * 0.9) * leg_length(body) * low
    pose.knees = {g: (0.25, -1, 0.1) for g in SIDES}
    pose.add(tilt=(0.85 - 0.4 * squat) * low, pitch=(0.75 - 0.2 * squat) * low + 0.03, nod=0.1 + 0.0 * low)
    return pose


def _raise(
    body: Body, t: np.ndarray, rng: Draw, low: np.ndarray, held: np.ndarray
) -> tuple[Pose, Prop, tuple[Fixture, ...], str]:
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
    item.frame = "place"
    item.path, item.held = np.broadcast_to(down, (len(t), 3)), held
    pose.props.append(item)
    return pose, item, still, "table" if kind == "table" else "floor"


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
    pose, item, still, where = _raise(body, t, rng, low, held)
    bent = where == "floor" and low[_key(t)] > 0.45
    hands = TWO if item.hold == "hands" else (HAND[1 if item.hold == "left" else -1],)
    holding = item.name if held[_key(t)] else None
    return _deed(
        "pick up",
        pose,
        1 if bent else 12,
        36,
        what=item.name,
        hands=hands,
        holding=holding,
        fixtures=still,
        space=0.6,
        top=1.0,
    )


def put_down(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """A thing is set on the floor or a table, and let go."""
    start, takes, period = spread(rng, -0.9, -0.35), spread(rng, 0.8, 1.1), 6.0
    local = local_time(t, period)
    low = smooth((local - start) / takes) * (1 - smooth((local - start - takes - 0.35) / 0.9))
    held = local < start + takes + 0.1
    pose, item, still, where = _raise(body, t, rng, low, held)
    bent = where == "floor" and low[_key(t)] > 0.45
    hands = TWO if item.hold == "hands" else (HAND[1 if item.hold == "left" else -1],)
    holding = item.name if held[_key(t)] else None
    return _deed(
        "put down",
        pose,
        1 if bent else 12,
        47,
        what=item.name,
        hands=hands,
        holding=holding,
        fixtures=still,
        space=0.6,
        top=1.0,
    )


# --- along the floor ------------------------------------------------------------------------------------------------


def push(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Walking behind a trolley, a pram or a heavy crate."""
    s, heavy = body.height / 1.7, rng.random() < 0.3
    pose = gait(body, t, rng, pace=spread(rng, 0.55, 0.7) if heavy else spread(rng, 0.75, 0.95))
    high = float(np.clip(0.58 * body.height, 0.6, 1.02))
    lean = spread(rng, 0.4, 0.55) if heavy else spread(rng, 0.08, 0.18)
    ahead = (0.4 + 0.25 * heavy) * s
    pose.put(tilt=lean * 0.8, pitch=lean * 0.5, twist=0.0, nod=-0.5 * lean)
    _feet, hips = _points(pose)
    hips[:, 1] += 0.1 * s * heavy
    item = (
        fixtures.crate(rng, reach=ahead, high=high * 1.05) if heavy else fixtures.trolley(rng, reach=ahead, high=high)
    )
    for g in SIDES:
        at = constant(t, 0.19 * g * s, -ahead + (0.0 if not heavy else 0.03), high * (1 if not heavy else 0.95))
        pose.hands[g] = Hand(at, "floor", elbow=(0.7, 0.5, -1))
    pose.props.append(item)
    return _deed("push", pose, 14, 46, what=item.name, space=1.1)


def pull(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Walking with a wheeled suitcase or a cart behind."""
    s, g = body.height / 1.7, some_side(rng)
    pose = gait(body, t, rng, pace=spread(rng, 0.75, 1.0))
    high, behind = 0.44 * body.height, 0.2 * s
    pose.hands[g] = Hand(constant(t, 0.24 * g * s, behind, high), "floor", elbow=(0.6, 0.8, -0.5))
    pose.put(twist=-0.12 * g, pitch=0.08)
    if rng.random() < 0.65:
        lean = spread(rng, 0.6, 0.8)
        item = props.wheeled_suitcase(side_name(g), rng, high / np.cos(lean))
        item.turn = turn(0, np.array([lean]))[0]
    else:
        item = fixtures.cart(rng, x=0.24 * g * s, reach=behind, high=high)
    pose.props.append(item)
    return _deed("pull", pose, 14, 45, what=item.name, hands=(HAND[g],), space=1.0)


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
    feet, at = _points(pose)
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
    return _deed("ride", pose, 11, 49, what="bicycle", hands=(KNEE[1], HEAD), space=1.0, top=1.15)


# --- through the air ------------------------------------------------------------------------------------------------


def kick_ball(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    deed = stand(body, t, rng)
    s, g, period = body.height / 1.7, some_side(rng), 4.0
    pose = on_feet(body, t, apart=0.09, split=0.05 * -g)
    pose.upper, pose.fore = deed.pose.upper, deed.pose.fore
    feet, hips = _points(pose)
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
    pose.knees[g] = (0.1, -1, -0.3)
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
    made = _deed("kick", pose, 12, 35, what="ball", headings=(0.3, 2.2), hands=(FOOT[g],), space=0.7)
    return replace(made, hands={})


def throw(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """A ball leaves one hand over the shoulder or from below, or both hands over the head or from the chest."""
    s, period, kind = body.height / 1.7, 4.0, rng.choice(["over", "under", "head", "chest"], p=(0.4, 0.2, 0.2, 0.2))
    go, g, local = spread(rng, -0.25, 0.15), some_side(rng), local_time(t, period)
    wind, release = smooth((local - go + 0.75) / 0.4), smooth((local - go + 0.14) / 0.26)
    after = smooth((local - go - 0.35) / 0.6)
    pose = on_feet(body, t, apart=0.12, split=-0.14 * g if kind in ("over", "under") else 0.05)
    _feet, hips = _points(pose)
    shoulder, chest, front = body.joints[8] * (g, 1, 1), body.joints[CHEST, 2], belly(body)
    two, item = kind in ("head", "chest"), props.ball("hands" if kind in ("head", "chest") else side_name(g), rng)
    rest = np.array([0.04 * g * s, front - 0.2 * s, chest - 0.12 * s])
    back, far = {
        "over": (shoulder + np.array([0.22 * g, 0.24, 0.22]) * s, shoulder + np.array([0, -0.52, 0.2]) * s),
        "under": (shoulder + np.array([0.1 * g, 0.38, -0.4]) * s, shoulder + np.array([0, -0.5, -0.1]) * s),
        "head": (np.array([0, 0.1 * s, body.height + 0.06 * s]), np.array([0, -0.5 * s, shoulder[2] + 0.3 * s])),
        "chest": (np.array([0, front - 0.1 * s, chest + 0.04 * s]), np.array([0, -0.55 * s, chest + 0.12 * s])),
    }[str(kind)]
    at = rest + (back - rest) * wind[:, None] + (far - back) * release[:, None]
    r = float(np.abs(item.vertices[:, 0]).max())
    for h in SIDES if two else (g,):
        spot = at + np.array([0.85 * r * h, 0, 0]) * (1 if two else 0)
        pose.hands[h] = Hand(spot, "chest", 1 - after, elbow=(0.9, 0.4, -0.3))
    if not two:
        item.vertices = item.vertices + np.array([0, -0.5 * r, 0.7 * r], np.float32)
    pose.upper[-g] = constant(t, -g * (0.3 + 0.5 * wind * (1 - after)), -0.5 * wind * (1 - release), -1)
    if not two:
        pose.add(twist=g * (0.5 * wind - 0.9 * release * (1 - after)))
    bow = wind * (-0.12 if kind != "under" else 0.1) + release * (0.35 if kind != "chest" else 0.15) * (1 - 0.7 * after)
    pose.add(pitch=bow, tilt=0.4 * bow)
    hips[:, 1] += 0.06 * s * wind - 0.16 * s * release * (1 - 0.5 * after)
    flight = np.maximum(local - go, 0)
    speed, lob = spread(rng, 3, 5.5), spread(rng, 0.8, 2.8)
    start = far + np.array([0, -0.12, 0.02]) * s
    item.path = constant(
        t, start[0], start[1] - speed * flight, np.maximum(start[2] + lob * flight - 4.9 * flight**2, r)
    )
    item.held, item.frame = flight <= 0, "place"
    item.turn = turn(0, 5 * flight)
    pose.props.append(item)
    hands = TWO if two else (HAND[g],)
    holding = "ball" if item.held[_key(t)] else None
    return _deed("throw", pose, 12, 58, what="ball", headings=(0.3, 2.3), hands=hands, holding=holding, space=0.75)


def catch(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """A ball flies in and is caught before the chest, over the head or low."""
    s, period, g = body.height / 1.7, 4.0, some_side(rng)
    come, local = spread(rng, -0.35, 0.3), local_time(t, period)
    ready = smooth((local - come + 1.0) / 0.5) * (1 - smooth((local - 1.5) / 0.4))
    caught = smooth((local - come) / 0.3)
    item = props.ball("hands", rng)
    r = float(np.abs(item.vertices[:, 0]).max())
    high, aside = spread(rng, -0.1, 0.5), spread(rng, -0.15, 0.15)
    chest, front = body.joints[CHEST, 2], belly(body)
    meet = np.array([aside * s, -0.5 * s, chest + high * s])
    home = np.array([0, front - r - 0.03, chest - 0.08 * s])
    at = meet + (home - meet) * caught[:, None]
    pose = on_feet(body, t, apart=0.15, split=0.06 * g, drop=0.03)
    _feet, hips = _points(pose)
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
    holding = "ball" if item.held[_key(t)] else None
    return replace(
        _deed("catch", pose, 12, 18, what="ball", headings=(0.4, 2.3), holding=holding, space=0.7),
        hands=dict.fromkeys(SIDES, "open"),
    )


# --- on the spot, with a tool ---------------------------------------------------------------------------------------


def dig(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Driving a shovel into the ground and heaving the earth aside."""
    s, g, hertz = body.height / 1.7, some_side(rng), spread(rng, 0.4, 0.6)
    turn_ = (hertz * t + spread(rng, -0.1, 0.1)) % 1
    dip = smooth(turn_ / 0.3) * (1 - smooth((turn_ - 0.42) / 0.25))
    heave = smooth((turn_ - 0.45) / 0.28) * (1 - smooth((turn_ - 0.8) / 0.2))
    pose = on_feet(body, t, apart=0.15, split=0.15 * g, drop=0.06)
    _feet, hips = _points(pose)
    hips[:, 1] += 0.06 * s + 0.05 * s * dip
    hips[:, 2] -= 0.1 * s * dip
    pose.add(tilt=0.3 + 0.22 * dip - 0.1 * heave, pitch=0.4 + 0.2 * dip - 0.15 * heave, twist=0.5 * g * heave, nod=0.1)
    # The low hand near the blade, the high one at the handle; the shaft points down and ahead.
    low = constant(t, 0.08 * g * s, -0.4 * s, 0.52 * s)
    high = constant(t, -0.08 * g * s, -0.02 * s, 0.86 * s)
    low = low + constant(t, 0.22 * g * heave, -0.06 * dip - 0.05 * heave, -0.14 * dip + 0.2 * heave) * s
    high = high + constant(t, 0.05 * g * heave, -0.08 * dip - 0.05 * heave, -0.1 * dip - 0.02 * heave) * s
    pose.hands[g] = Hand(low, "floor", elbow=(0.9, 0.4, -0.6))
    pose.hands[-g] = Hand(high, "floor", elbow=(1, 0.5, -0.2))
    item = tools.shovel(rng, g)
    item.vertices = item.vertices * np.float32(np.clip(s, 0.6, 1.05))
    pose.props.append(item)
    heap = fixtures.heap(rng, x=0.75 * g * s, y=-0.85 * s)
    return _deed(
        "dig", pose, 12, 25, 53, what="shovel", holding="shovel", headings=(0.2, 2.3), fixtures=(heap,), space=0.9
    )


def hammer(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Blow after blow on a block."""
    s, g = body.height / 1.7, some_side(rng)
    turn_ = (spread(rng, 0.7, 1.1) * t + spread(rng, 0, 1)) % 1
    up = smooth(turn_ / 0.6) * (1 - smooth((turn_ - 0.72) / 0.18))
    top = 0.42 * body.height
    pose = on_feet(body, t, apart=0.15, split=-0.08 * g, drop=0.03)
    _feet, hips = _points(pose)
    hips[:, 1] += 0.05 * s
    pose.add(tilt=0.18 - 0.06 * up, pitch=0.4 - 0.25 * up, twist=0.25 * g * up, nod=0.15)
    y = -0.62 * s
    down, high = (
        np.array([0.02 * g, y + 0.2, top + 0.14]),
        np.array([0.2 * g * s, -0.22 * s, body.joints[HEAD, 2] + 0.06 * s]),
    )
    pose.hands[g] = Hand(down + (high - down) * up[:, None], "floor", elbow=(0.9, 0.3, -0.3))
    pose.hands[-g] = Hand(constant(t, -0.12 * g * s, y + 0.16 * s, top + 0.03), "floor", elbow=(0.9, 0.4, -0.6))
    pose.props.append(tools.hammer(side_name(g), rng))
    block = fixtures.stump(rng, y=y - 0.02, top=top, work=rng.random() < 0.5)
    return _deed(
        "hammer",
        pose,
        12,
        34,
        what="hammer",
        hands=(HAND[g],),
        holding="hammer",
        fixtures=(block,),
        headings=(0.4, 2.4),
        space=0.8,
    )


def punch_bag(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Fists against a standing bag."""
    s, g, hertz = body.height / 1.7, some_side(rng), spread(rng, 0.7, 1.1)
    reach_, chest = 0.9 * arm_length(body), body.joints[CHEST, 2]
    pose = on_feet(body, t, apart=0.14, split=-0.14 * g, drop=0.05)
    _feet, hips = _points(pose)
    y = -reach_ - 0.08 * s
    for h, p in ((g, 0.0), (-g, 0.5)):
        blow = smooth(1.6 * wave(t, hertz, p) - 0.4)
        near, far = (
            np.array([0.12 * h * s, -0.28 * s, chest + 0.05 * s]),
            np.array([0.02 * h, y + 0.05, chest + 0.02 * s]),
        )
        pose.hands[h] = Hand(near + (far - near) * blow[:, None], "floor", elbow=(0.8, 0.2, -0.9))
        pose.add(twist=-0.35 * h * blow)
    hips[:, 0] += 0.02 * s * wave(t, hertz, 0)
    pose.add(pitch=0.15)
    bag = fixtures.punch_bag(rng, y=y, height=body.height)
    return _deed("punch", pose, 12, 34, what="punching bag", fixtures=(bag,), headings=(1.0, 2.3), space=0.9)


def touch(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """A hand on a wall, a post or a table, resting or stroking."""
    s, g, kind = body.height / 1.7, some_side(rng), rng.choice(["wall", "post", "table"], p=(0.45, 0.25, 0.3))
    deed = stand(body, t, rng)
    pose = deed.pose
    pose.hands = {}
    away = 0.8 * arm_length(body)
    stroke = constant(
        t,
        0.1 * s * wave(t, spread(rng, 0.25, 0.5), rng.random()),
        0,
        0.05 * s * wave(t, spread(rng, 0.2, 0.4), rng.random()),
    )
    both = rng.random() < 0.3
    pose.put(twist=0.0)
    if kind == "table":
        top = 0.48 * body.height
        thing: Fixture = fixtures.table(rng, edge=-belly(body) + 0.14 * s, top=top)
        at = np.array([0, belly(body) - 0.32 * s, top + 0.035])
        stroke[:, 2] = 0
        pose.add(pitch=0.2, nod=0.2)
    else:
        y = -away
        thing = fixtures.wall(rng, y=y) if kind == "wall" else fixtures.post(rng, y=y)
        at = np.array([0, y + 0.03, body.joints[8, 2] + spread(rng, -0.1, 0.15) * s])
        stroke[:, 0] *= kind == "wall"
    for h in SIDES if both else (g,):
        x = (0.17 if kind != "post" else 0.04) * h * s
        pose.hands[h] = Hand(at + np.array([x, 0, 0]) + stroke, "floor", elbow=(0.7, 0.3, -0.8))
    pose.angles["look"] *= 0.2
    hands = TWO if both else (HAND[g],)
    made = _deed(
        "touch",
        pose,
        12,
        59,
        what=thing.name,
        hands=hands,
        fixtures=(thing,),
        headings=(0.3 if kind == "table" else 1.2, 2.5),
        space=0.9,
    )
    return replace(made, hands=dict.fromkeys(SIDES if both else (g,), "open"))


def _at_counter(body: Body, t: np.ndarray, rng: Draw) -> tuple[Pose, float, float]:
    """Standing at a worktop: pose, distance of its edge and its height."""
    s = body.height / 1.7
    pose = on_feet(body, t, apart=spread(rng, 0.09, 0.14), split=spread(rng, -0.03, 0.03))
    pose.add(pitch=spread(rng, 0.15, 0.28), tilt=0.08, nod=0.38, side=0.02 * wave(t, 0.3, rng.random()))
    return pose, -belly(body) + 0.13 * s, 0.52 * body.height


def cut(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """A knife on a board: drawn to and fro, or chopping."""
    g = some_side(rng)
    pose, edge, top = _at_counter(body, t, rng)
    chop, y = rng.random() < 0.5, -edge - 0.2
    beat = wave(t, spread(rng, 0.9, 1.8), rng.random())
    fore, up = (0.02 * beat, 0.05 * (1 + beat)) if chop else (0.06 * beat, 0.015 * (1 + beat))
    pose.hands[g] = Hand(constant(t, 0.07 * g, y + 0.16 + fore, top + 0.1 + up), "floor", elbow=(0.9, 0.4, -0.8))
    pose.hands[-g] = Hand(constant(t, -0.14 * g, y + 0.02, top + 0.09), "floor", elbow=(0.9, 0.4, -0.8))
    item = tools.knife(side_name(g))
    if chop:
        item.turn = turn(0, -0.25 * (1 + beat))
    pose.props.append(item)
    kitchen = (
        fixtures.counter(rng, edge=edge, top=top) if rng.random() < 0.6 else fixtures.table(rng, edge=edge, top=top)
    )
    things = (kitchen, fixtures.chopping(rng, y=y, top=top))
    labels = (19, 24) if chop else (24,)
    return _deed(
        "cut",
        pose,
        12,
        *labels,
        what="knife",
        hands=(HAND[g],),
        holding="knife",
        headings=(0.0, 1.9),
        fixtures=things,
        space=0.8,
    )


def cook(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Stirring a pot on a stove."""
    s, g = body.height / 1.7, some_side(rng)
    pose, edge, top = _at_counter(body, t, rng)
    top -= 0.07 * s
    y, way = -edge - 0.22, int(rng.choice(SIDES))
    round_ = 2 * np.pi * spread(rng, 0.5, 0.9) * t * way
    at = constant(t, 0.06 * g + 0.055 * np.cos(round_), y + 0.06 + 0.05 * np.sin(round_), top + 0.32)
    pose.hands[g] = Hand(at, "floor", elbow=(1, 0.3, -0.5))
    if rng.random() < 0.6:
        pose.hands[-g] = Hand(constant(t, -0.13 * g, y + 0.02, top + 0.17), "floor", elbow=(0.9, 0.4, -0.8))
    pose.props.append(tools.spoon(side_name(g)))
    things = (fixtures.stove(rng, edge=edge, top=top), fixtures.pot(rng, 0.05 * g, y, top))
    return _deed(
        "cook",
        pose,
        12,
        23,
        55,
        what="pot",
        hands=(HAND[g],),
        holding="spoon",
        headings=(0.0, 1.9),
        fixtures=things,
        space=0.8,
    )


def paint(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """A roller up and down a wall."""
    s, g = body.height / 1.7, some_side(rng)
    deed = stand(body, t, rng)
    pose = deed.pose
    stroke = wave(t, spread(rng, 0.4, 0.7), rng.random())
    y = -0.92 * arm_length(body)
    at = constant(
        t, (0.12 + 0.1 * wave(t, 0.15, rng.random())) * g * s, y + 0.11, body.joints[8, 2] + (0.02 + 0.26 * stroke) * s
    )
    pose.hands[g] = Hand(at, "floor", elbow=(0.8, 0.4, -0.8))
    item = tools.roller(side_name(g), rng)
    pose.props.append(item)
    pose.put(twist=0.0, look=0.1 * g, nod=-0.1 - 0.15 * stroke)
    wall = fixtures.painted_wall(rng, y=y, colour=item.colour)
    return _deed(
        "paint",
        pose,
        12,
        39,
        what=item.name,
        hands=(HAND[g],),
        holding=item.name,
        fixtures=(wall,),
        headings=(1.3, 2.7),
        space=0.9,
    )


def write_board(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """On a whiteboard."""
    s, g = body.height / 1.7, some_side(rng)
    pose = stand(body, t, rng).pose
    y = -0.78 * arm_length(body)
    line = 0.2 * wave(t, spread(rng, 0.12, 0.25), rng.random()) + 0.03 * wave(t, spread(rng, 1.2, 1.8), 0)
    high = min(body.joints[8, 2] + spread(rng, 0.0, 0.22) * s, 1.75)
    at = constant(t, (0.12 * g + line) * s, y + 0.07, high + 0.03 * s * wave(t, 1.5, 0.3))
    pose.hands[g] = Hand(at, "floor", elbow=(0.8, 0.3, -0.9))
    item = props.pen(side_name(g), rng)
    item.turn = turn(0, np.array([1.3]))[0]
    pose.props.append(item)
    pose.put(twist=0.0, look=0.1 * g, nod=-0.1)
    return _deed(
        "write",
        pose,
        12,
        63,
        what="board",
        hands=(HAND[g],),
        fixtures=(fixtures.board(rng, y=y, middle=high),),
        headings=(1.3, 2.7),
        space=1.0,
    )


def _door(body: Body, t: np.ndarray, rng: Draw, ajar: np.ndarray, *labels: int) -> Deed:
    """A fridge's or cupboard's door, swung by its knob; ``ajar`` from 0 to 1."""
    s, g = body.height / 1.7, -1
    high = float(np.clip(0.95 * body.height, 1.0, 1.7))
    y = -0.72 * arm_length(body) - 0.12
    thing, door, name = fixtures.cabinet(rng, y=y, high=high)
    wide = 0.66
    angle = 1.5 * ajar
    # The hinge is on the person's left (+x); shut, the leaf runs to -x; it swings towards the person.
    x0 = wide / 2 - 0.08
    door.path = np.array([x0, y + 0.01, 0])
    door.turn = turn(2, np.pi - angle)
    knob = np.array([wide - 0.07, -0.1, 0.55 * high])
    spot = np.einsum("tab,b->ta", door.turn, knob) + door.path
    pose = stand(body, t, rng).pose
    feet, hips = _points(pose)
    for h in SIDES:
        feet[h] = feet[h] - np.array([0.1 * s, -0.02, 0])
    hips[:, 0] -= 0.1 * s
    pose.hands = {g: Hand(spot, "floor", elbow=(0.8, 0.4, -0.8))}
    pose.put(twist=-0.25 * ajar, look=0.15, nod=0.1)
    pose.add(tilt=-0.06 * ajar)
    pose.props.append(door)
    moved = replace(thing, vertices=thing.vertices + np.array([-0.08, 0, 0], np.float32))
    name_of = {38: "open", 22: "close"}[labels[0]]
    return _deed(
        name_of, pose, 12, *labels, what=name, hands=(HAND[g],), fixtures=(moved,), headings=(1.2, 2.6), space=1.0
    )


def open_door(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Swings a cupboard's or fridge's door open."""
    return _door(body, t, rng, event(t, spread(rng, -0.9, -0.3), spread(rng, 0.8, 1.2), period=6, back=1.3), 38)


def close_door(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Swings it shut."""
    return _door(body, t, rng, 1 - event(t, spread(rng, -0.9, -0.3), spread(rng, 0.8, 1.2), period=6, back=1.3), 22)


def play_keys(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Standing at an electric piano or a drum."""
    s, drums = body.height / 1.7, rng.random() < 0.5
    pose, edge, top = _at_counter(body, t, rng)
    hertz, y = spread(rng, 0.8, 1.5), -edge - 0.12
    thing = fixtures.drum(rng, y=y - 0.1, top=top - 0.06) if drums else fixtures.keyboard(rng, y=y, top=top)
    for g in SIDES:
        beat = 0.5 + 0.5 * wave(t, hertz, 0.5 * (g > 0))
        run = 0.0 if drums else 0.12 * wave(t, spread(rng, 0.15, 0.3), rng.random())
        high = (top - 0.06 + 0.04 + 0.2 * beat) if drums else (top + 0.055 + 0.05 * beat)
        at = constant(t, (0.09 if drums else 0.2) * g * s + run, y - (0.08 if drums else -0.03), high)
        pose.hands[g] = Hand(at, "floor", elbow=(0.9, 0.4, -0.8))
    pose.add(side=0.03 * wave(t, hertz / 2, 0), nod=-0.1)
    made = _deed("play", pose, 12, 41, what=thing.name, headings=(0.0, 2.0), fixtures=(thing,), space=0.9)
    return replace(made, hands=dict.fromkeys(SIDES, "open"))
