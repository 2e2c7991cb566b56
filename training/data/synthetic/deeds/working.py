"""What people do on the spot with tools, furniture and machines: digging, hammering, cooking, writing, opening."""

from dataclasses import replace

import numpy as np

from ..people.bodies import CHEST, HEAD, Body
from . import fixtures, props, tools
from .gestures import side_name, some_side
from .handling import TWO, feet_and_hips, handled, key
from .motions import (
    HAND,
    MOUTH,
    Deed,
    Draw,
    also,
    belly,
    event,
    on_feet,
    smooth,
    spread,
    stand,
    wave,
)
from .poses import SIDES, Fixture, Hand, Pose, arm_length, constant, standing_height, stoop_to, turn


def dig(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Driving a shovel into the ground and heaving the earth aside."""
    s, g, hertz = body.height / 1.7, some_side(rng), spread(rng, 0.4, 0.6)
    turn_ = (hertz * t + spread(rng, -0.1, 0.1)) % 1
    dip = smooth(turn_ / 0.3) * (1 - smooth((turn_ - 0.42) / 0.25))
    heave = smooth((turn_ - 0.45) / 0.28) * (1 - smooth((turn_ - 0.8) / 0.2))
    pose = on_feet(body, t, apart=0.15, split=0.15 * g, drop=0.06)
    _feet, hips = feet_and_hips(pose)
    hips[:, 1] += 0.06 * s + 0.05 * s * dip
    hips[:, 2] -= 0.1 * s * dip
    pose.add(tilt=0.3 + 0.22 * dip - 0.1 * heave, pitch=0.4 + 0.2 * dip - 0.15 * heave, twist=0.5 * g * heave, nod=0.1)
    # The low hand near the blade, the high one at the handle; the shaft points down and ahead.
    low = constant(t, 0.1 * g * s, -0.5 * s, 0.54 * s)
    high = constant(t, -0.17 * g * s, -0.17 * s, 0.9 * s)
    low = low + constant(t, 0.22 * g * heave, -0.06 * dip - 0.05 * heave, -0.14 * dip + 0.2 * heave) * s
    high = high + constant(t, 0.05 * g * heave, -0.08 * dip - 0.05 * heave, -0.1 * dip - 0.02 * heave) * s
    pose.hands[g] = Hand(low, "floor", elbow=(0.9, 0.4, -0.6))
    pose.hands[-g] = Hand(high, "floor", elbow=(1, 0.5, -0.2))
    stoop_to(pose, body)
    item = tools.shovel(rng, g)
    item.vertices = item.vertices * np.float32(np.clip(s, 0.6, 1.05))
    pose.props.append(item)
    heap = fixtures.heap(rng, x=0.75 * g * s, y=-0.85 * s)
    lean = pose.angle("tilt") + pose.angle("pitch")
    bent = lean[key(t)] > 0.85
    return handled(
        "dig", pose, 1 if bent else 12, 25, 53, what="shovel", holding="shovel", headings=(0.2, 2.3),
        fixtures=(heap,), space=0.9,
    )  # fmt: skip


def hammer(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Blow after blow on a block."""
    s, g = body.height / 1.7, some_side(rng)
    turn_ = (spread(rng, 0.7, 1.1) * t + spread(rng, 0, 1)) % 1
    up = smooth(turn_ / 0.6) * (1 - smooth((turn_ - 0.72) / 0.18))
    top = 0.42 * body.height
    pose = on_feet(body, t, apart=0.15, split=-0.08 * g, drop=0.03)
    _feet, hips = feet_and_hips(pose)
    hips[:, 1] += 0.05 * s
    pose.add(tilt=0.18 - 0.06 * up, pitch=0.4 - 0.25 * up, twist=0.25 * g * up, nod=0.15)
    y = -0.54 * s
    down, high = (
        np.array([0.02 * g, y + 0.2, top + 0.14]),
        np.array([0.2 * g * s, -0.22 * s, body.joints[HEAD, 2] + 0.06 * s]),
    )
    pose.hands[g] = Hand(down + (high - down) * up[:, None], "floor", elbow=(0.9, 0.3, -0.3))
    pose.hands[-g] = Hand(constant(t, -0.12 * g * s, y + 0.16 * s, top + 0.03), "floor", elbow=(0.9, 0.4, -0.6))
    stoop_to(pose, body)
    pose.props.append(tools.hammer(side_name(g), rng))
    block = fixtures.stump(rng, y=y - 0.02, top=top, work=rng.random() < 0.5)
    return handled(
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
    _feet, hips = feet_and_hips(pose)
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
    return handled("punch", pose, 12, 34, what="punching bag", fixtures=(bag,), headings=(1.0, 2.3), space=0.9)


def touch(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """A hand on a wall, a post or a table, resting or stroking."""
    s, g, kind = body.height / 1.7, some_side(rng), rng.choice(["wall", "post", "table"], p=(0.45, 0.25, 0.3))
    base = stand(body, t, rng)
    pose = base.pose
    pose.hands = {}
    away = 0.72 * arm_length(body)
    stroke = constant(
        t,
        0.1 * s * wave(t, spread(rng, 0.25, 0.5), rng.random()),
        0,
        0.05 * s * wave(t, spread(rng, 0.2, 0.4), rng.random()),
    )
    both = rng.random() < 0.3
    pose.put(twist=0.0)
    if kind == "table":
        top = 0.5 * body.height
        thing: Fixture = fixtures.table(rng, edge=-belly(body) + 0.1 * s, top=top)
        at = np.array([0, belly(body) - 0.22 * s, top + 0.035])
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
    made = handled(
        "touch",
        pose,
        12,
        59,
        what=thing.name,
        hands=hands,
        fixtures=(thing,),
        headings=(0.3 if kind == "table" else 1.7, 2.6),
        space=0.9,
    )
    return replace(made, hands=dict.fromkeys(SIDES if both else (g,), "open"))


def _at_counter(body: Body, t: np.ndarray, rng: Draw) -> tuple[Pose, float, float]:
    """Standing at a worktop: pose, distance of its edge and its height."""
    s = body.height / 1.7
    pose = on_feet(body, t, apart=spread(rng, 0.09, 0.14), split=spread(rng, -0.03, 0.03))
    pose.add(pitch=spread(rng, 0.15, 0.28), tilt=0.08, nod=0.38, side=0.02 * wave(t, 0.3, rng.random()))
    return pose, -belly(body) + 0.09 * s, 0.53 * body.height


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
    return handled(
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
    return handled(
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
    base = stand(body, t, rng)
    pose = base.pose
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
    return handled(
        "paint",
        pose,
        12,
        39,
        what=item.name,
        hands=(HAND[g],),
        holding=item.name,
        fixtures=(wall,),
        headings=(1.75, 2.75),
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
    return handled(
        "write",
        pose,
        12,
        63,
        what="whiteboard",
        hands=(HAND[g],),
        fixtures=(fixtures.board(rng, y=y, middle=high),),
        headings=(1.75, 2.75),
        space=1.0,
    )


def _door(body: Body, t: np.ndarray, rng: Draw, ajar: np.ndarray, label: int) -> Deed:
    """A fridge's or cupboard's door, ``ajar`` from 0 to 1, swung by its knob with the hand on the hinge's side."""
    s, g = body.height / 1.7, some_side(rng)
    high = float(np.clip(0.95 * body.height, 1.0, 1.7))
    y, wide = -0.78 * arm_length(body) - 0.07, 0.54 * min(max(s, 0.65), 1)
    thing, door, knob = fixtures.cabinet(rng, y=y, high=high, side=g, hinge=0.46 * s + 0.08, wide=wide)
    assert door.path is not None
    door.turn = turn(2, -1.45 * g * ajar)
    spot = np.einsum("tab,b->ta", door.turn, knob) + door.path
    pose = stand(body, t, rng).pose
    pose.hands = {g: Hand(spot, "floor", 1 - smooth((ajar - 0.75) / 0.25), elbow=(0.9, 0.4, -0.7))}
    pose.put(twist=0.2 * g * ajar, look=0.2 * g, nod=0.1)
    pose.props.append(door)
    name = "open" if label == 38 else "close"
    return handled(
        name, pose, 12, label, what=thing.name, hands=(HAND[g],), fixtures=(thing,), headings=(1.7, 2.6), space=1.0
    )


def open_door(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Swings a cupboard's or fridge's door open."""
    return _door(body, t, rng, event(t, spread(rng, -0.9, -0.3), spread(rng, 0.8, 1.2), period=6, back=1.3), 38)


def close_door(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Swings it shut."""
    return _door(body, t, rng, 1 - event(t, spread(rng, -0.9, -0.3), spread(rng, 0.8, 1.2), period=6, back=1.3), 22)


def climb(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Up and down a ladder, hand and opposite foot together, each resting on its rung while the body passes."""
    s = body.height / 1.7
    rung, y, pose = 0.27 * s, -0.34 * s, on_feet(body, t, apart=0.1)
    feet, hips = feet_and_hips(pose)
    rate, top = spread(rng, 0.55, 0.85), spread(rng, 1.5, 2.3)  # pairs of rungs a second; highest pair
    done = (rate * t + spread(rng, 0.8, 1.6)) % (2 * top)
    pairs = np.minimum(done, 2 * top - done)

    def step(phase: float) -> tuple[np.ndarray, np.ndarray]:
        whole = np.floor(pairs + phase)
        on = smooth((pairs + phase - whole - 0.5) / 0.5)
        return 2 * rung * (whole + on - phase), np.sin(np.pi * on)

    for g in SIDES:
        first = 0.0 if g > 0 else 0.5
        z, off = step(first)
        feet[g] = constant(t, 0.1 * s * g, y + 0.13 * s + 0.08 * s * off, np.maximum(z + 2 * rung * first, 0) + rung)
        z, off = step(0.5 - first)
        reach_at = 0.98 * body.height // rung * rung + 2 * rung * (0.5 - first) - rung
        pose.hands[g] = Hand(
            constant(t, 0.15 * s * g, y + 0.03 + 0.07 * off, z + reach_at), "floor", elbow=(0.9, 0.4, -0.8)
        )
        pose.knees[g] = (0.5, -1, 0.1)
    rise = 2 * rung * pairs
    hips[:] = constant(t, 0.03 * s * wave(pairs, 1.0, 0.25), y + 0.34 * s, rise + standing_height(body) - 0.1 * s)
    pose.add(tilt=0.05, pitch=0.08, nod=-0.15, lift=np.minimum(feet[1][:, 2], feet[-1][:, 2]))
    tall = 2 * rung * top / body.height
    thing = fixtures.ladder(rng, y=y, rung=rung, high=(1 + tall) * body.height)
    return handled(
        "climb", pose, 12, 20, what="ladder", fixtures=(thing,), headings=(1.6, 2.9), space=0.9, top=1 + tall
    )


def play_keys(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Standing at an electric piano or a drum."""
    s, drums = body.height / 1.7, rng.random() < 0.5
    pose, edge, top = _at_counter(body, t, rng)
    hertz, y = spread(rng, 0.8, 1.5), -edge - 0.12
    thing = fixtures.drum(rng, y=y - 0.1, top=top - 0.06) if drums else fixtures.keyboard(rng, y=y, top=top)
    for g in SIDES:
        beat = 0.5 + 0.5 * wave(t, hertz, 0.5 * (g > 0))
        run = 0.0 if drums else 0.08 * wave(t, spread(rng, 0.15, 0.3), rng.random())
        high = (top - 0.06 + 0.04 + 0.2 * beat) if drums else (top + 0.055 + 0.05 * beat)
        at = constant(t, (0.09 if drums else 0.17) * g * s + run, y - (0.08 if drums else -0.03), high)
        pose.hands[g] = Hand(at, "floor", elbow=(0.9, 0.4, -0.8))
    pose.add(side=0.03 * wave(t, hertz / 2, 0), nod=-0.1)
    made = handled("play", pose, 12, 41, what=thing.name, headings=(0.0, 2.0), fixtures=(thing,), space=0.9)
    return replace(made, hands=dict.fromkeys(SIDES, "open"))


def turn_wheel(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """Both hands turn a wheel to and fro, as of a valve."""
    s, r = body.height / 1.7, 0.23
    y, z = -0.76 * arm_length(body), body.joints[CHEST, 2] + spread(rng, -0.08, 0.08) * s
    pose = on_feet(body, t, apart=0.14, split=spread(rng, -0.1, 0.1), drop=0.04)
    angle = 0.75 * wave(t, spread(rng, 0.35, 0.6), rng.random())
    column, wheel = fixtures.valve(rng, y=y, z=z, r=r * min(s, 1))
    wheel.turn = turn(1, angle)
    for g in SIDES:
        rim = np.einsum("tab,b->ta", wheel.turn, np.array([r * min(s, 1) * g, 0.02, 0.04]))
        pose.hands[g] = Hand(rim + np.array([0, y, z]), "floor", elbow=(0.9, 0.3, -0.7))
    pose.props.append(wheel)
    pose.add(side=0.12 * angle, pitch=0.12, nod=0.1, twist=0.05 * angle)
    return handled("turn", pose, 12, 60, what="wheel", fixtures=(column,), headings=(0.9, 2.6), space=0.8)


# --- seated before something ----------------------------------------------------------------------------------------


def _at_table(deed: Deed, body: Body, rng: Draw) -> tuple[float, float]:
    """Distance of the near edge and height of a table for somebody seated; the trunk is set upright."""
    pose, s = deed.pose, body.height / 1.7
    assert pose.hips is not None
    pose.put(pitch=spread(rng, 0.12, 0.25), twist=0.0, side=0.0)
    return -belly(body) + 0.07 * s, float(pose.hips[0, 2]) + 0.235 * s


def computer(deed: Deed, body: Body, rng: Draw) -> Deed:
    """Typing at a laptop or a screen on a desk."""
    pose, s = deed.pose, body.height / 1.7
    edge, top = _at_table(deed, body, rng)
    y = -edge - 0.2
    machine = fixtures.laptop(rng, y=y, top=top) if rng.random() < 0.65 else fixtures.monitor(rng, y=y, top=top)
    for g in SIDES:
        key = 0.015 * wave(pose.t, spread(rng, 0.8, 1.6), rng.random())
        at = constant(pose.t, (0.09 + 0.5 * key) * g, y + 0.03 * s, top + 0.065 + key)
        pose.hands[g] = Hand(at, "floor", elbow=(0.7, 0.5, -1))
    pose.put(nod=0.2 if machine.name == "laptop" else 0.05, look=0.05 * wave(pose.t, 0.3, rng.random()))
    desk = fixtures.table(rng, edge=edge, top=top, name="desk", deep=0.7)
    return also(
        deed, 62, steady_head=True, fixtures=(desk, machine), needs={62: machine.name}, headings=(0.2, 2.4), space=0.8
    )


def write(deed: Deed, body: Body, rng: Draw) -> Deed:
    """At a table, pen on paper, bent over it."""
    pose, g = deed.pose, some_side(rng)
    edge, top = _at_table(deed, body, rng)
    y = -edge - 0.17
    line = 0.05 * wave(pose.t, spread(rng, 0.25, 0.45), rng.random()) + 0.015 * wave(pose.t, spread(rng, 1.3, 1.9), 0.0)
    pose.hands[g] = Hand(
        constant(pose.t, 0.07 * g + line, y, top + 0.055 + 0.1 * np.abs(line)), "floor", elbow=(0.9, 0.4, -0.8)
    )
    pose.hands[-g] = Hand(constant(pose.t, -0.16 * g, y + 0.03, top + 0.045), "floor", elbow=(0.9, 0.4, -0.8))
    pose.props.append(props.pen(side_name(g), rng))
    pose.add(pitch=0.12)
    pose.put(nod=0.42, look=-0.05 * g)
    desk, paper = fixtures.table(rng, edge=edge, top=top), fixtures.paper(rng, x=0.04 * g, y=y - 0.03, top=top)
    return also(
        deed, 63, side=g, steady_head=True, fixtures=(desk, paper), needs={63: "paper"}, hands={g: "grip"}, space=0.8
    )


def watch_tv(deed: Deed, body: Body, rng: Draw) -> Deed:
    """Facing a television."""
    pose, y = deed.pose, -spread(rng, 1.5, 2.0)
    pose.put(look=0.04 * wave(pose.t, 0.2, rng.random()), nod=0.03, twist=0.0)
    return also(
        deed,
        61,
        steady_head=True,
        fixtures=(fixtures.television(rng, y=y),),
        needs={61: "television"},
        headings=(1.2, 2.7),
        space=1.2,
    )


def board_game(deed: Deed, body: Body, rng: Draw) -> Deed:
    """Men moved on a board, the chin on the other hand or the arm on the table."""
    pose, s, g = deed.pose, body.height / 1.7, some_side(rng)
    edge, top = _at_table(deed, body, rng)
    y, hertz = -edge - 0.26, spread(rng, 0.3, 0.5)
    lift = 0.5 + 0.5 * wave(pose.t, 2 * hertz, rng.random())
    at = constant(pose.t, 0.12 * wave(pose.t, hertz, rng.random()), y + 0.08 * wave(pose.t, hertz / 2, 0.0), top + 0.11)
    pose.hands[g] = Hand(at + constant(pose.t, 0, 0.03, 0.07 * lift), "floor", elbow=(0.9, 0.4, -0.8))
    if rng.random() < 0.5:
        chin = constant(pose.t, -0.03 * g, body.joints[MOUTH, 1] - 0.02, body.joints[MOUTH, 2] - 0.08 * s)
        pose.hands[-g] = Hand(chin, "head", elbow=(0.6, -0.4, -1))
    else:
        pose.hands[-g] = Hand(constant(pose.t, -0.22 * g * s, -edge - 0.08, top + 0.05), "floor", elbow=(1, 0.4, -0.6))
    pose.add(pitch=0.1)
    pose.put(nod=0.35, look=0.0)
    things = (fixtures.table(rng, edge=edge, top=top), fixtures.chess(rng, y=y, top=top))
    return also(
        deed, 40, side=g, steady_head=True, fixtures=things, needs={40: "chessboard"}, hands={g: "grip"},
        headings=(0.0, 1.9), space=0.8,
    )  # fmt: skip
