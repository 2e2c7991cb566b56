"""What hands do on top of a posture, with what they hold; each states the AVA actions it adds.

Every function takes the deed of a posture, whose arms it takes over, the body and a generator.
"""

from typing import Any

import numpy as np

from ..people.bodies import CHEST, Body
from . import props, tools
from .motions import EYE, MOUTH, Deed, Draw, also, belly, event, smooth, spread, wave
from .poses import SIDES, Hand, Pose, arm_length, constant, reach, turn


def some_side(rng: Draw) -> int:
    """The hand that does it: mostly the right one."""
    return 1 if rng.random() < 0.3 else -1


def side_name(g: int) -> str:
    return "left" if g > 0 else "right"


FRONT = (0.0, 2.3)  # headings at which hands before the chest or the face are seen


def ear(body: Body) -> np.ndarray:
    """The left ear of the body at rest (3,)."""
    eye = body.joints[EYE]
    near = (np.abs(body.rest[:, 2] - eye[2]) < 0.03) & (np.abs(body.rest[:, 0]) < 0.14)
    skull = body.rest[near]
    return np.array([skull[:, 0].max(), skull[:, 1].mean() + 0.01, 0.5 * (eye[2] + body.joints[MOUTH, 2])])


def _mix(low: np.ndarray, high: np.ndarray, w: np.ndarray) -> np.ndarray:
    return low + (high - low) * w[:, None]


def _calm(pose: Pose, *, look: float = 0.2, nod: float = 0.3) -> None:
    """A head that keeps to what is done."""
    pose.angles["look"], pose.angles["nod"] = pose.angle("look") * look, pose.angle("nod") * nod


# --- phones, reading, writing ---------------------------------------------------------------------------------------


def phone_ear(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, g, at = deed.pose, some_side(rng), ear(body)
    goal = constant(pose.t, (at[0] + 0.036) * g, at[1] - 0.035, at[2] - 0.04)
    pose.hands[g] = Hand(goal, "head", elbow=(0.45, -0.7, -1))
    item = props.phone(side_name(g), rng)
    item.frame, item.turn = "head", turn(2, np.array([g * np.pi / 2]))[0] @ turn(1, np.array([g * 0.35]))[0]
    item.vertices = item.vertices + np.array([0, 0.022, 0.01], np.float32)  # between the fingers and the ear
    pose.props.append(item)
    _calm(pose, look=0.5)
    pose.add(side=0.02 * g, look=0.1 * wave(pose.t, spread(rng, 0.1, 0.4), rng.random()))
    return also(deed, 15, side=g, holding="phone", steady_head=True, needs={15: "phone"}, hands={g: "grip"})


def phone_text(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, chest, g = deed.pose, body.joints[CHEST, 2], some_side(rng)
    both, s, high = rng.random() < 0.5, body.height / 1.7, spread(rng, -0.02, 0.12)
    front = belly(body) - spread(rng, 0.16, 0.22) * s
    for h in SIDES if both else (g,):
        tap = 0.012 * wave(pose.t, spread(rng, 0.9, 1.5), 0.3 * h)
        x = 0.05 * h if both else 0.06 * g
        reach(pose, body, h, constant(pose.t, x, front, chest + high * s + tap), elbow=(0.5, 0.3, -1))
    item = props.phone("hands" if both else side_name(g), rng)
    item.turn = turn(0, np.array([0.75 - high * 2]))[0]
    pose.props.append(item)
    pose.put(nod=0.5 - high, look=0.04 * wave(pose.t, 0.3, rng.random()))
    side = 0 if both else g
    return also(
        deed, 57, side=side, holding="phone", steady_head=True, needs={57: "phone"}, hands={g: "grip"}, headings=FRONT
    )


def read(deed: Deed, body: Body, rng: Draw) -> Deed:
    """A book or a newspaper in both hands."""
    pose, s, paper = deed.pose, body.height / 1.7, rng.random() < 0.35
    item = props.newspaper("hands", rng) if paper else props.book("hands", rng)
    wide, high = (0.24, spread(rng, 0.0, 0.08)) if paper else (0.14, spread(rng, -0.04, 0.08))
    front = belly(body) - (0.24 if paper else spread(rng, 0.16, 0.22)) * s
    item.turn = turn(0, np.array([0.45 if paper else 0.7]))[0]
    item.vertices = item.vertices + np.array([0, -0.02, 0.11 if paper else 0.06], np.float32)
    for g in SIDES:
        stir = 0.01 * wave(pose.t, spread(rng, 0.15, 0.35), rng.random())
        at = constant(pose.t, wide * g * s, front, body.joints[CHEST, 2] - 0.02 + high * s + stir)
        reach(pose, body, g, at, elbow=(0.6, 0.3, -1))
    pose.props.append(item)
    pose.put(nod=0.42 - high, look=0.1 * wave(pose.t, spread(rng, 0.2, 0.4), rng.random()))
    return also(
        deed,
        17,
        48,
        holding=item.name,
        steady_head=True,
        needs={17: item.name, 48: item.name},
        hands=both_hands("grip"),
        headings=FRONT,
    )


def both_hands(shape: str) -> dict[int, str]:
    return {1: shape, -1: shape}


def write_pad(deed: Deed, body: Body, rng: Draw) -> Deed:
    """Writing on a pad that lies on the other forearm."""
    pose, s, g = deed.pose, body.height / 1.7, some_side(rng)
    front, chest = belly(body) - 0.17 * s, body.joints[CHEST, 2]
    reach(pose, body, -g, constant(pose.t, -0.05 * g * s, front, chest - 0.06 * s), elbow=(0.8, 0.3, -1))
    x = 0.045 * wave(pose.t, spread(rng, 0.25, 0.45), rng.random()) + 0.012 * wave(pose.t, spread(rng, 1.4, 2), 0)
    at = constant(pose.t, 0.03 * g * s + x, front - 0.03 * s, chest + 0.01 * s + 0.3 * x)
    reach(pose, body, g, at, elbow=(0.8, 0.2, -1))
    pad, item = props.notepad(side_name(-g), rng), props.pen(side_name(g), rng)
    pad.vertices = pad.vertices + np.array([0.05 * g, -0.03, 0.03], np.float32)
    pad.turn = turn(0, np.array([-0.5]))[0]
    pose.props += [pad, item]
    pose.put(nod=0.5, look=0.03 * wave(pose.t, 0.3, rng.random()))
    return also(
        deed, 63, holding="notepad", steady_head=True, needs={63: "notepad"}, hands=both_hands("grip"), headings=FRONT
    )


# --- mouths ---------------------------------------------------------------------------------------------------------


def drink(deed: Deed, body: Body, rng: Draw) -> Deed:
    """A cup, a bottle or a glass goes to the mouth, tips, and comes down again."""
    pose, g, s = deed.pose, some_side(rng), body.height / 1.7
    build = (props.cup, props.bottle, props.glass)[rng.choice(3, p=(0.45, 0.35, 0.2))]
    item = build(side_name(g), rng)
    period = spread(rng, 3.6, 5.2)
    up = event(pose.t, spread(rng, -1.3, -0.6), 0.6, period=period, back=spread(rng, 0.7, 1.0))
    rim, tip = {"cup": (0.075, 0.75), "bottle": (0.2, 1.75), "glass": (0.085, 0.85)}[item.name]
    tilt, mouth = tip * smooth(up * 1.4 - 0.4), body.joints[MOUTH]
    high = constant(pose.t, 0.0, mouth[1] - 0.005 - rim * np.sin(tilt), mouth[2] - 0.005 - rim * np.cos(tilt))
    if item.name != "bottle":
        high[:, 1] -= 0.035  # the near rim meets the lips
    low = np.array([0.14 * g, belly(body) - 0.2 * s, body.joints[CHEST, 2] - 0.06])
    pose.hands[g] = Hand(_mix(low, high, up), "head", elbow=(0.9, 0.0, -0.9))
    item.frame, item.turn = "head", turn(0, -tilt)
    pose.props.append(item)
    _calm(pose)
    pose.add(nod=-0.22 * smooth(up * 1.4 - 0.4))
    return also(
        deed,
        17,
        27,
        side=g,
        holding=item.name,
        steady_head=True,
        needs={17: item.name, 27: item.name},
        hands={g: "grip"},
        headings=FRONT,
    )


def eat(deed: Deed, body: Body, rng: Draw) -> Deed:
    """Bites from something in the hand, again and again."""
    pose, g, s = deed.pose, some_side(rng), body.height / 1.7
    item, both = props.food(side_name(g), rng), rng.random() < 0.4
    both &= item.name == "sandwich"
    up = smooth(0.5 + 0.75 * wave(pose.t, spread(rng, 0.35, 0.55), rng.normal(0.2, 0.08)))
    mouth, out = body.joints[MOUTH], 0.1 if item.name != "apple" else 0.045
    for h in SIDES if both else (g,):
        x = 0.05 * h if both else 0.0
        low = np.array([x + 0.06 * g, belly(body) - 0.19 * s, body.joints[CHEST, 2] + 0.03 * s])
        high = np.array([x, mouth[1] - out - 0.005, mouth[2] - 0.01])
        pose.hands[h] = Hand(_mix(low, high, up), "head", elbow=(0.8, 0.0, -1))
    item.frame = "head"
    item.hold = "hands" if both else item.hold
    pose.props.append(item)
    _calm(pose)
    pose.add(nod=0.1 * up + 0.04 * wave(pose.t, 1.4, 0) * (1 - up))
    return also(
        deed,
        29,
        side=0 if both else g,
        holding=item.name,
        steady_head=True,
        needs={29: item.name},
        hands={g: "grip"},
        headings=FRONT,
    )


def smoke(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, g, s = deed.pose, some_side(rng), body.height / 1.7
    up = event(pose.t, spread(rng, -1.2, -0.5), 0.6, period=spread(rng, 3.8, 5), back=0.9)
    mouth = body.joints[MOUTH]
    low = np.array([0.3 * g * s, -0.26 * s, body.joints[CHEST, 2] + 0.08 * s])
    high = np.array([0.03 * g, mouth[1] - 0.055, mouth[2] - 0.01])
    pose.hands[g] = Hand(_mix(low, high, up), "head", elbow=(0.9, 0.0, -1))
    item = props.cigarette(side_name(g), rng)
    item.frame, item.vertices = "head", item.vertices + np.array([0.012 * -g, 0, 0.02], np.float32)
    pose.props.append(item)
    _calm(pose, look=0.5)
    return also(
        deed,
        54,
        side=g,
        holding="cigarette",
        steady_head=True,
        needs={54: "cigarette"},
        hands={g: "grip"},
        headings=FRONT,
    )


def brush_teeth(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, g, mouth = deed.pose, some_side(rng), body.joints[MOUTH]
    rub = 0.03 * wave(pose.t, spread(rng, 1.2, 1.8), rng.random())
    at = constant(pose.t, (0.125 + rub) * g, mouth[1] - 0.035, mouth[2] - 0.005 + 0.2 * rub)
    pose.hands[g] = Hand(at, "head", elbow=(1, 0.0, -0.5))
    item = props.toothbrush(side_name(g), rng)
    if g > 0:
        item.vertices = item.vertices * np.array([-1, 1, 1], np.float32)
        item.faces = item.faces[:, ::-1].copy()
    pose.props.append(item)
    _calm(pose)
    pose.add(look=0.04 * wave(pose.t, 1.3, 0), nod=0.05)
    return also(
        deed,
        16,
        side=g,
        holding="toothbrush",
        steady_head=True,
        needs={16: "toothbrush"},
        hands={g: "grip"},
        headings=FRONT,
    )


def sing(deed: Deed, body: Body, rng: Draw) -> Deed:
    """Into a microphone, swaying, the free hand speaking along."""
    pose, g, s, mouth = deed.pose, some_side(rng), body.height / 1.7, body.joints[MOUTH]
    at = constant(pose.t, 0.02 * g, mouth[1] - 0.16, mouth[2] - 0.13)
    pose.hands[g] = Hand(at, "head", elbow=(0.9, 0.1, -0.9))
    item = props.microphone(side_name(g), rng)
    item.frame = "head"
    pose.props.append(item)
    beat = wave(pose.t, spread(rng, 0.35, 0.6), rng.random())
    at = constant(pose.t, -(0.33 + 0.12 * beat) * g * s, -0.33 * s, body.joints[CHEST, 2] + (0.05 + 0.16 * beat) * s)
    if rng.random() < 0.7:
        reach(pose, body, -g, at, elbow=(0.9, 0.3, -1))
    _calm(pose, look=0.4, nod=0)
    pose.add(side=0.06 * beat, nod=-0.12 + 0.08 * beat)
    return also(
        deed,
        77,
        side=g,
        holding="microphone",
        steady_head=True,
        needs={77: "microphone"},
        hands={g: "grip"},
        headings=FRONT,
    )


# --- seeing, hearing, playing ---------------------------------------------------------------------------------------


def photograph(deed: Deed, body: Body, rng: Draw) -> Deed:
    """A camera at the eye or a phone held up, in both hands."""
    pose, s, eye = deed.pose, body.height / 1.7, body.joints[EYE]
    by_phone = rng.random() < 0.4
    item = props.phone("hands", rng) if by_phone else props.camera("hands", rng)
    item.frame = "head"
    if by_phone and rng.random() < 0.6:
        item.turn = turn(1, np.array([np.pi / 2]))[0]
        item.vertices = item.vertices - np.array([0, 0, 0.03], np.float32)
    out, wide = (spread(rng, 0.26, 0.36) * s, 0.09) if by_phone else (0.1, 0.09)
    stir = 0.006 * wave(pose.t, spread(rng, 0.3, 0.8), rng.random())
    for g in SIDES:
        at = constant(pose.t, wide * g, eye[1] - out, eye[2] - 0.02 + stir)
        pose.hands[g] = Hand(at, "head", elbow=(0.7, 0.0, -1))
    pose.props.append(item)
    pose.put(look=spread(rng, 0.05, 0.2) * wave(pose.t, spread(rng, 0.08, 0.2), rng.random()), nod=0.02)
    return also(
        deed, 56, holding=item.name, steady_head=True, needs={56: item.name}, hands=both_hands("grip"), headings=FRONT
    )


def listen_music(deed: Deed, body: Body, rng: Draw) -> Deed:
    """Headphones; the head nods to the beat, now and then with a hand at an ear."""
    pose, at = deed.pose, ear(body)
    top = float(body.rest[:, 2].max() - at[2]) + 0.012
    item = props.headphones(rng, float(at[0]) + 0.012, top)
    item.path = np.array([0, at[1], at[2]])
    pose.props.append(item)
    beat = wave(pose.t, spread(rng, 0.8, 1.3), rng.random())
    _calm(pose, look=0.5)
    pose.add(nod=0.14 * beat, side=0.05 * wave(pose.t, 0.5, rng.random()), twist=0.04 * beat)
    for g in SIDES if rng.random() < 0.35 else (some_side(rng),) if rng.random() < 0.5 else ():
        at_hand = constant(pose.t, (at[0] + 0.06) * g, at[1] - 0.03, at[2])
        pose.hands[g] = Hand(at_hand, "head", elbow=(0.9, -0.3, -0.9))
    return also(deed, 37, steady_head=True, needs={37: "headphones"})


def guitar(deed: Deed, body: Body, rng: Draw) -> Deed:
    """The right hand strums before the belly, the left one moves along the neck."""
    pose, s, chest = deed.pose, body.height / 1.7, body.joints[CHEST, 2]
    strum, shift = wave(pose.t, spread(rng, 1.0, 1.9), rng.random()), wave(pose.t, spread(rng, 0.2, 0.4), rng.random())
    front = belly(body) - 0.09 * s
    low = chest - (0.12 if deed.seat or deed.posture == "sitting" else 0.16) * s
    right = constant(pose.t, -0.1 * s, front - 0.02, low)
    left = constant(pose.t, (0.4 + 0.04 * shift) * s, front - 0.03 * s, low + 0.16 * s)
    pose.hands[1] = Hand(left, "chest", elbow=(0.8, 0.5, -1))
    pose.hands[-1] = Hand(right + constant(pose.t, 0, -0.03, 0.06 * strum) * s, "chest", elbow=(1, 0.4, -0.5))
    item = tools.guitar(rng)
    item.hold, item.frame = "chest", "chest"
    item.vertices = item.vertices * np.float32(np.clip(0.35 + 0.65 * s, 0.6, 1.05))
    item.path = right[0] + np.array([0, 0.03, 0.0])
    item.turn = turn(1, np.array([-0.31]))[0]
    pose.props.append(item)
    _calm(pose, look=0.3)
    pose.add(nod=0.2 + 0.05 * strum, look=0.2, side=0.03 * shift)
    return also(
        deed, 41, holding="guitar", steady_head=True, needs={41: "guitar"}, hands=both_hands("grip"), headings=FRONT
    )


def violin(deed: Deed, body: Body, rng: Draw) -> Deed:
    """On the left shoulder, bowed by the right hand."""
    pose, s, shoulder = deed.pose, body.height / 1.7, body.joints[8]
    chin = np.array([0.45 * shoulder[0], shoulder[1] - 0.1 * s, body.joints[MOUTH, 2] - 0.1 * s])
    item, bow = tools.violin(rng), tools.bow("right")
    scale, aside = np.clip(0.4 + 0.6 * s, 0.65, 1.05), 0.75
    item.vertices = item.vertices * np.float32(scale)
    item.hold, item.path, item.turn = "chest", chin, turn(2, np.array([aside]))[0]
    along = np.array([np.sin(aside), -np.cos(aside), 0])
    pose.hands[1] = Hand(
        constant(pose.t, *(chin + 0.42 * scale * along + (0, 0, -0.03))), "chest", elbow=(0.6, 0.3, -1)
    )
    stroke = wave(pose.t, spread(rng, 0.5, 1.0), rng.random())
    across, bridge = np.array([-np.cos(aside), -np.sin(aside), 0]), chin + 0.2 * scale * along + np.array([0, 0, 0.05])
    at = bridge + across * (0.3 + 0.16 * stroke)[:, None] * scale + np.array([0, 0, -0.03])
    pose.hands[-1] = Hand(at, "chest", elbow=(1, 0.2, -0.3))
    bow.turn = turn(2, np.array([aside]))[0]
    bow.vertices = bow.vertices * np.float32(scale)
    pose.props += [item, bow]
    pose.put(look=0.45, nod=0.15 + 0.04 * stroke)
    pose.add(side=0.03 * stroke)
    return also(
        deed, 41, holding="violin", steady_head=True, needs={41: "violin"}, hands=both_hands("grip"), headings=FRONT
    )


def fish(deed: Deed, body: Body, rng: Draw) -> Deed:
    """A rod held out with both hands, now and then jerked up."""
    pose, s, g = deed.pose, body.height / 1.7, some_side(rng)
    jerk = smooth(2 * wave(pose.t, spread(rng, 0.2, 0.4), rng.random()) - 0.8)
    front, chest = belly(body) - 0.16 * s, body.joints[CHEST, 2]
    lift = 0.1 * s * jerk
    at = constant(pose.t, 0.04 * g, front - 0.05 * s, chest - 0.16 * s + lift)
    pose.hands[g] = Hand(at, "chest", elbow=(0.7, 0.4, -1))
    pose.hands[-g] = Hand(at + np.array([-0.02 * g, 0.13, -0.09]), "chest", elbow=(0.7, 0.5, -1))
    item = tools.fishing_rod(side_name(g))
    item.turn = turn(0, -0.25 * jerk)
    pose.props.append(item)
    _calm(pose)
    pose.add(nod=0.1)
    return also(deed, 33, holding="fishing rod", steady_head=True, needs={33: "fishing rod"}, hands=both_hands("grip"))


# --- carrying and pointing ------------------------------------------------------------------------------------------


def carry(deed: Deed, body: Body, rng: Draw) -> Deed:
    """Something in one hand or both."""
    kinds = ("box", "ball", "tray", "bag", "suitcase", "umbrella", "cup", "book")
    kind = str(rng.choice(kinds, p=(0.22, 0.1, 0.1, 0.2, 0.14, 0.14, 0.06, 0.04)))
    return _carry(deed, body, rng, kind)


def carry_seated(deed: Deed, body: Body, rng: Draw) -> Deed:
    """On the lap, or in a raised hand."""
    return _carry(deed, body, rng, str(rng.choice(["box", "ball", "cup", "umbrella"], p=(0.3, 0.25, 0.3, 0.15))))


def _carry(deed: Deed, body: Body, rng: Draw, kind: str) -> Deed:
    pose, s, g, chest, front = deed.pose, body.height / 1.7, some_side(rng), body.joints[CHEST, 2], belly(body)
    two = kind in ("box", "ball", "tray")
    if two:
        item: Any = props.box("hands", rng, min(s, 1.0)) if kind == "box" else getattr(props, kind)("hands", rng)
        half, deep = np.abs(item.vertices[:, 0]).max() - 0.01, np.abs(item.vertices[:, 1]).max()
        high = spread(rng, 0.0, 0.1) if kind == "tray" else spread(rng, -0.2, -0.08)
        if deed.posture == "sitting" and kind != "tray":
            high = -0.1
        for h in SIDES:
            at = constant(pose.t, half * h, front - deep * (0.9 if kind == "tray" else 1) - 0.03, chest + high * s)
            reach(pose, body, h, at, elbow=(0.8, 0.4, -1))
    else:
        item = getattr(props, {"bag": "handbag", "book": "closed_book"}.get(kind, kind))(side_name(g), rng)
        if kind in ("bag", "suitcase"):
            swing = pose.upper[g][:, 1] * 0.3 if deed.posture == "walking" else 0 * pose.t
            pose.hands.pop(g, None)
            pose.upper[g], pose.fore[g] = (
                constant(pose.t, 0.24 * g, swing, -1),
                constant(pose.t, 0.12 * g, swing - 0.08, -1),
            )
            clear = np.clip(0.4 + 0.35 * body.height, 0.6, 1.0)  # of the floor, for the short
            item.vertices = item.vertices * np.float32(clear)
            pose.add(side=-0.06 * g if kind == "suitcase" else 0.0)
        elif kind == "umbrella":
            at = constant(pose.t, 0.75 * body.joints[8, 0] * g, front - 0.1 * s, chest + 0.1 * s)
            reach(pose, body, g, at, elbow=(0.8, 0.3, -1))
            item.turn = turn(0, np.array([-0.2]))[0] @ turn(1, np.array([-0.12 * g]))[0]
            item.vertices = item.vertices * np.float32(np.clip(s, 0.7, 1))
        elif kind == "book":  # clasped to the chest
            at = constant(pose.t, -0.04 * g, front - 0.05, chest - 0.02 * s)
            reach(pose, body, g, at, elbow=(0.9, 0.3, -0.8))
            item.vertices = item.vertices + np.array([0.03 * g, 0.02, 0.06], np.float32)
        else:
            at = constant(pose.t, 0.14 * g, front - 0.18 * s, chest - 0.08 * s)
            reach(pose, body, g, at, elbow=(0.6, 0.4, -1))
    pose.props.append(item)
    return also(
        deed,
        17,
        side=0 if two else g,
        holding=item.name,
        needs={17: item.name},
        top=1.3 if kind == "umbrella" else deed.top,
        hands=both_hands("grip") if two else {g: "grip"},
    )


def point(deed: Deed, body: Body, rng: Draw) -> Deed:
    """An arm stretched out, the head following it; raised near the key frame or all along."""
    pose, g, t = deed.pose, some_side(rng), deed.pose.t
    aside, level = spread(rng, -0.1, 1.1), spread(rng, -0.15, 0.5)
    high = level + 0.05 * wave(t, spread(rng, 0.3, 0.9), rng.random())
    shoulder = body.joints[8] * (g, 1, 1)
    way = constant(t, aside * g, -1, high)
    way *= 0.97 * arm_length(body) / np.linalg.norm(way, axis=-1, keepdims=True)
    up = event(t, spread(rng, -1.2, -0.5), 0.5, period=5, back=1.0) if rng.random() < 0.6 else 0 * t + 1
    pose.hands[g] = Hand(shoulder + way, "chest", up, elbow=(0.6, 0.3, -1))
    pose.angles["look"] = pose.angle("look") * 0.2 + 0.6 * g * np.arctan(aside) * up
    return also(deed, 43, side=g, steady_head=True, hands={g: "point"})


# --- hands that speak -----------------------------------------------------------------------------------------------


def clap(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, s = deed.pose, body.height / 1.7
    open_ = 0.025 + spread(rng, 0.12, 0.2) * (0.5 + 0.5 * wave(pose.t, spread(rng, 0.8, 1.7), rng.random()))
    height = body.joints[CHEST, 2] + spread(rng, -0.05, 0.25) * s
    for g in SIDES:
        at = constant(pose.t, open_ * g, belly(body) - 0.18 * s, height)
        reach(pose, body, g, at, elbow=(0.6, 0.2, -1))
    _calm(pose, look=0.6)
    return also(deed, 67, hands=both_hands("open"), headings=FRONT)


def hand_wave(deed: Deed, body: Body, rng: Draw) -> Deed:
    pose, g, s = deed.pose, some_side(rng), body.height / 1.7
    swing = wave(pose.t, spread(rng, 0.7, 1.5), rng.random())
    shoulder, high = body.joints[8], spread(rng, 0.15, 0.5)
    both = rng.random() < 0.12
    for h in SIDES if both else (g,):
        at = constant(pose.t, (shoulder[0] + 0.2 * s + 0.17 * s * swing) * h, -0.22 * s, shoulder[2] + high * s)
        reach(pose, body, h, at, elbow=(0.8, -0.2, -1))
    return also(
        deed, 69, side=0 if both else g, steady_head=True, hands=both_hands("open") if both else {g: "open"}, top=1.12
    )


def gesticulate(deed: Deed, body: Body, rng: Draw) -> Deed:
    """The hands of somebody who talks."""
    pose, s, chest = deed.pose, body.height / 1.7, body.joints[CHEST, 2]
    hertz, both, g = spread(rng, 0.6, 1.3), rng.random() < 0.65, some_side(rng)
    for h in SIDES if both else (g,):
        a, b = wave(pose.t, hertz, rng.random()), wave(pose.t, hertz * 0.6, rng.random())
        at = constant(pose.t, (0.2 + 0.09 * a) * h * s, (-0.34 - 0.06 * b) * s, chest - 0.05 * s + 0.13 * s * a)
        reach(pose, body, h, at, elbow=(0.8, 0.3, -1))
    pose.add(nod=0.08 * wave(pose.t, hertz, rng.random()))
    return also(deed, 79, side=0 if both else g, steady_head=True, hands=both_hands("open"), headings=FRONT)
