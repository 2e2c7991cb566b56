"""Furniture and machines that a deed needs, built before a person who stands at the origin and faces -y."""

import numpy as np

from .poses import Fixture, Prop
from .props import BRIGHT, Draw, Mesh, cuboid, painted, pick, ring, rod, spheroid, tube


def _fixture(name: str, colours: tuple[str, ...], *parts: tuple[Mesh, int], named: bool = True) -> Fixture:
    points, faces, which = painted(*parts)
    return Fixture(name, points, faces, colours[0], named, colours, which)


def _moving(name: str, colours: tuple[str, ...], *parts: tuple[Mesh, int], hold: str = "along") -> Prop:
    points, faces, which = painted(*parts)
    return Prop(name, points, faces, colours[0], hold, frame="upright", colours=colours, face_colour=which)


def table(rng: Draw, *, edge: float, top: float, name: str = "table", wide: float = 1.1, deep: float = 0.6) -> Fixture:
    """Its near edge at y = -``edge``, its surface at ``top``."""
    y, colour = -edge - deep / 2, str(rng.choice(["brown", "beige", "white", "grey", "black"]))
    legs = [
        (cuboid((0.05, 0.05, top - 0.04), (x, y + b, (top - 0.04) / 2)), 0)
        for x in (-wide / 2 + 0.04, wide / 2 - 0.04)
        for b in (-deep / 2 + 0.04, deep / 2 - 0.04)
    ]
    return _fixture(name, (colour,), (cuboid((wide, deep, 0.04), (0, y, top - 0.02)), 0), *legs)


def counter(rng: Draw, *, edge: float, top: float, name: str = "counter") -> Fixture:
    """A kitchen counter with a worktop and doors."""
    y, front = -edge - 0.3, str(rng.choice(["white", "grey", "beige", "blue", "green", "brown"]))
    body, slab = (
        cuboid((1.2, 0.55, top - 0.04), (0, y, (top - 0.04) / 2)),
        cuboid((1.26, 0.62, 0.04), (0, y, top - 0.02)),
    )
    gaps = [(cuboid((0.012, 0.56, top - 0.15), (x, y, top / 2)), 1) for x in (-0.2, 0.2)]
    return _fixture(name, (front, "black" if front != "grey" else "white"), (body, 0), (slab, 1), *gaps)


def stove(rng: Draw, *, edge: float, top: float) -> Fixture:
    y, colour = -edge - 0.3, str(rng.choice(["white", "black", "grey"]))
    body, oven = cuboid((0.62, 0.6, top), (0, y, top / 2)), cuboid((0.46, 0.61, 0.3), (0, y, top * 0.45))
    rings = [(tube(0.09, 0.008, (x, y + b, top)), 1) for x in (-0.15, 0.15) for b in (-0.14, 0.14)]
    knobs = [(rod((x, y + 0.3, top - 0.07), (x, y + 0.33, top - 0.07), 0.025), 1) for x in (-0.2, -0.07, 0.07, 0.2)]
    return _fixture("stove", (colour, "black" if colour != "black" else "grey"), (body, 0), (oven, 1), *rings, *knobs)


def pot(rng: Draw, x: float, y: float, top: float) -> Fixture:
    colour = str(rng.choice(["grey", "red", "blue", "black"]))
    body, inside = tube(0.13, 0.15, (x, y, top)), tube(0.12, 0.004, (x, y, top + 0.15))
    ears = [(cuboid((0.05, 0.07, 0.02), (x + b, y, top + 0.12)), 1) for b in (-0.15, 0.15)]
    return _fixture("pot", (colour, "black", "orange"), (body, 0), (inside, 2), *ears)


def laptop(rng: Draw, *, y: float, top: float) -> Fixture:
    """Open on a table, the screen towards the person."""
    colour = str(rng.choice(["grey", "black"]))
    base, keys = (
        cuboid((0.38, 0.27, 0.022), (0, y, top + 0.011)),
        cuboid((0.32, 0.15, 0.004), (0, y - 0.02, top + 0.024)),
    )
    lid, screen = (
        cuboid((0.38, 0.016, 0.27), (0, y - 0.17, top + 0.145), 0.3, 0),
        cuboid((0.35, 0.004, 0.235), (0, y - 0.16, top + 0.15), 0.3, 0),
    )
    return _fixture(
        "laptop", (colour, "black" if colour == "grey" else "grey", "blue"), (base, 0), (keys, 1), (lid, 0), (screen, 2)
    )


def monitor(rng: Draw, *, y: float, top: float) -> Fixture:
    """A screen on a foot, with a keyboard before it."""
    stand, back = (
        cuboid((0.05, 0.04, 0.16), (0, y - 0.3, top + 0.08)),
        cuboid((0.58, 0.03, 0.36), (0, y - 0.3, top + 0.32)),
    )
    screen, keys = (
        cuboid((0.54, 0.004, 0.32), (0, y - 0.283, top + 0.32)),
        cuboid((0.42, 0.14, 0.02), (0, y, top + 0.01)),
    )
    foot = cuboid((0.24, 0.18, 0.014), (0, y - 0.3, top + 0.007))
    return _fixture("screen", ("black", "blue", "grey"), (stand, 0), (back, 0), (foot, 0), (screen, 1), (keys, 2))


def paper(rng: Draw, *, x: float, y: float, top: float) -> Fixture:
    sheet = cuboid((0.24, 0.32, 0.008), (x, y, top + 0.004), 0.12)
    lines = [(cuboid((0.17, 0.012, 0.003), (x, y - 0.12 + 0.035 * k, top + 0.01), 0.12), 1) for k in range(4)]
    return _fixture("paper", ("white", "grey"), (sheet, 0), *lines)


def chopping(rng: Draw, *, y: float, top: float) -> Fixture:
    """A board with vegetables."""
    board = cuboid((0.42, 0.28, 0.025), (0, y, top + 0.012))
    long = rod((0.17, y + 0.02, top + 0.05), (-0.02, y + 0.02, top + 0.05), 0.028, 8)
    slices = [
        (rod((-0.06 - 0.04 * k, y + 0.02, top + 0.05), (-0.072 - 0.04 * k, y + 0.02, top + 0.05), 0.028, 8), 1)
        for k in range(3)
    ]
    green = spheroid((0.06, 0.06, 0.05), (0.12, y - 0.08, top + 0.06))
    return _fixture(
        "cutting board",
        ("beige", str(rng.choice(["orange", "green", "red"])), "green"),
        (board, 0),
        (long, 1),
        *slices,
        (green, 2),
    )


def chess(rng: Draw, *, y: float, top: float) -> Fixture:
    """A board of squares with two colours of men on a table."""
    side, parts = 0.055, [(cuboid((0.48, 0.48, 0.02), (0, y, top + 0.01)), 0)]
    at = [(x, b) for x in range(8) for b in range(8)]
    spot = lambda x, b: ((x - 3.5) * side, y + (b - 3.5) * side)  # noqa: E731
    parts += [(cuboid((side, side, 0.004), (*spot(x, b), top + 0.021)), 1) for x, b in at if (x + b) % 2]
    men = [at[i] for i in rng.choice(64, 14, replace=False)]
    parts += [(tube(0.02, 0.075, (*spot(x, b), top + 0.02), 6, top=0.011), 2 + k % 2) for k, (x, b) in enumerate(men)]
    return _fixture("chessboard", ("brown", "beige", "black", "white"), *parts)


def board(rng: Draw, *, y: float, middle: float) -> Fixture:
    """A whiteboard on two legs, written on; ``middle`` is its height."""
    frame, face = cuboid((1.5, 0.04, 1.05), (0, y - 0.025, middle)), cuboid((1.42, 0.01, 0.97), (0, y, middle))
    legs = [(cuboid((0.05, 0.05, middle), (x, y - 0.03, middle / 2)), 0) for x in (-0.7, 0.7)]
    feet = [(cuboid((0.05, 0.5, 0.04), (x, y - 0.03, 0.02)), 0) for x in (-0.7, 0.7)]
    marks = [
        (cuboid((spread, 0.006, 0.02), (rng.uniform(-0.4, 0.1), y + 0.008, middle + 0.4 - 0.09 * k)), 2)
        for k, spread in enumerate(rng.uniform(0.2, 0.5, 4))
    ]
    return _fixture("whiteboard", ("grey", "white", "blue"), (frame, 0), (face, 1), *legs, *feet, *marks)


def painted_wall(rng: Draw, *, y: float, colour: str) -> Fixture:
    """A piece of wall, the upper part of it freshly painted."""
    ground = "grey" if colour in ("white", "beige") else "white"
    wall_, fresh = cuboid((1.8, 0.12, 2.4), (0, y - 0.06, 1.2)), cuboid((1.0, 0.01, 0.95), (0, y + 0.001, 1.5))
    edge = cuboid((0.3, 0.01, 0.5), (0.55, y + 0.001, 1.7))
    return _fixture("wall", (ground, colour), (wall_, 0), (fresh, 1), (edge, 1))


def wall(rng: Draw, *, y: float, high: float = 2.3) -> Fixture:
    """A free piece of wall or partition."""
    colour = str(rng.choice(["white", "beige", "grey", "blue", "green"]))
    return _fixture(
        "wall",
        (colour, "grey"),
        (cuboid((1.7, 0.12, high), (0, y - 0.06, high / 2)), 0),
        (cuboid((1.72, 0.14, 0.1), (0, y - 0.06, 0.05)), 1),
    )


def ladder(rng: Draw, *, y: float, rung: float, high: float) -> Fixture:
    """Upright before a wall; rungs ``rung`` apart from the floor on."""
    colour = pick(rng, "grey", "yellow", "brown")
    wall_ = (cuboid((1.3, 0.12, high), (0, y - 0.25, high / 2)), 1)
    rails = [(cuboid((0.04, 0.06, high), (x, y, high / 2)), 0) for x in (-0.21, 0.21)]
    steps = np.arange(1, int(high / rung) + 1) * rung
    rungs = [(rod((-0.21, y, z), (0.21, y, z), 0.018), 0) for z in steps if z < high]
    return _fixture("ladder", (colour, pick(rng, "white", "beige", "red")), *rails, *rungs, wall_)


def valve(rng: Draw, *, y: float, z: float, r: float) -> tuple[Fixture, Prop]:
    """A column, and a hand wheel on its front that turns about the line to the person."""
    column = (tube(0.13, z + 0.25, (0, y - 0.28, 0)), 0), (rod((0, y - 0.2, z), (0, y, z), 0.035), 1)
    colour = pick(rng, "red", "blue", "yellow", "green")
    spokes = [(rod((0, 0, 0), (r * np.cos(a), 0, r * np.sin(a)), 0.016), 1) for a in np.arange(5) * 2 * np.pi / 5]
    wheel = _moving("wheel", (colour, "grey"), (ring(r, 0.024, (0, 0, 0), axis=1), 0), *spokes, hold="free")
    wheel.frame, wheel.path = "place", np.array([0, y, z])
    return _fixture("column", (pick(rng, "grey", "green", "beige"), "black"), *column), wheel


def post(rng: Draw, *, y: float) -> Fixture:
    r = 0.11
    colour = str(rng.choice(["grey", "brown", "white", "green"]))
    return _fixture("post", (colour,), (tube(r, 2.4, (0, y - r, 0)), 0), (tube(r * 1.4, 0.1, (0, y - r, 0)), 0))


def punch_bag(rng: Draw, *, y: float, height: float) -> Fixture:
    """On a foot."""
    colour, h = str(rng.choice(["red", "black", "blue", "brown"])), height
    bag, rim = tube(0.17, 0.62 * h, (0, y - 0.17, 0.4 * h)), tube(0.175, 0.06, (0, y - 0.17, 0.78 * h))
    foot, pole = tube(0.28, 0.14, (0, y - 0.17, 0), top=0.2), tube(0.05, 0.4 * h, (0, y - 0.17, 0))
    return _fixture(
        "punching bag", (colour, "black" if colour != "black" else "white"), (bag, 0), (rim, 1), (foot, 1), (pole, 1)
    )


def stump(rng: Draw, *, y: float, top: float, work: bool) -> Fixture:
    """A block to hammer at, with a peg in it, or a workbench's end."""
    block = tube(0.2, top, (0, y, 0), top=0.18) if not work else cuboid((0.6, 0.4, top), (0, y, top / 2))
    peg = rod((0, y, top), (0, y, top + 0.09), 0.02)
    return _fixture("block", ("brown", "beige"), (block, 0), (peg, 1))


def heap(rng: Draw, *, x: float, y: float) -> Fixture:
    """Dug earth, with the hole beside it."""
    parts = [
        (spheroid((0.3, 0.26, 0.18), (x, y, 0.0), 6, 10), 0),
        (spheroid((0.18, 0.2, 0.14), (x + 0.2, y + 0.1, 0.0), 6, 10), 0),
    ]
    return _fixture("heap", ("brown",), *parts)


def television(rng: Draw, *, y: float) -> Fixture:
    """On a low cabinet, the screen towards the person."""
    cabinet, body = cuboid((1.2, 0.4, 0.45), (0, y - 0.2, 0.225)), cuboid((1.1, 0.06, 0.64), (0, y - 0.2, 0.83))
    screen = cuboid((1.04, 0.01, 0.58), (0, y - 0.168, 0.83))
    sky, man = cuboid((1.0, 0.012, 0.2), (0, y - 0.166, 0.98)), spheroid((0.09, 0.01, 0.16), (0.15, y - 0.162, 0.78))
    colour = str(rng.choice(["brown", "white", "beige", "black"]))
    return _fixture(
        "television",
        ("black", "blue", "white", "orange", colour),
        (cabinet, 4),
        (body, 0),
        (screen, 1),
        (sky, 2),
        (man, 3),
    )


def cabinet(
    rng: Draw, *, y: float, high: float, side: int, hinge: float, wide: float
) -> tuple[Fixture, Prop, np.ndarray]:
    """A fridge or cupboard without its door, the door, and where its knob is from the hinge (3,).

    Args:
        rng: Draws kind, colours and contents.
        y: Where the front is.
        high: Its height.
        side: +1: the hinge is on the person's left, at x = ``hinge``.
        hinge: Metres from the middle of the person.
        wide: The door's width.
    """
    name = pick(rng, "fridge", "cupboard")
    colour = pick(rng, "white", "grey", "red") if name == "fridge" else pick(rng, "brown", "white", "blue", "beige")
    w, d, second = wide, 0.5, "grey" if colour != "grey" else "black"
    x = side * (hinge - w / 2)
    shell = [(cuboid((0.03, d, high), (x + e, y - d / 2, high / 2)), 0) for e in (-w / 2, w / 2)]
    shell += [(cuboid((w, d, 0.03), (x, y - d / 2, z)), 0) for z in (0.05, high)]
    shell.append((cuboid((w, 0.03, high), (x, y - d, high / 2)), 1))
    shelves = [(cuboid((w - 0.04, d - 0.06, 0.02), (x, y - d / 2 - 0.03, high * k)), 1) for k in (0.28, 0.52, 0.76)]
    things = [
        (tube(0.045, 0.16, (x + rng.uniform(-0.3, 0.3) * w, y - 0.2, high * k + 0.01)), int(rng.integers(2, 4)))
        for k in (0.28, 0.52, 0.76)
        for _ in range(2)
    ]
    leaf = (cuboid((w, 0.04, high), (-side * w / 2, 0.02, high / 2)), 0)
    knob = np.array([-side * (w - 0.06), 0.07, high * 0.72])
    handle = (cuboid((0.03, 0.05, 0.3), (knob[0], 0.06, knob[2])), 1)
    still = _fixture(name, (colour, second, "red", "green"), *shell, *shelves, *things)
    door = _moving("door", (colour, second), leaf, handle, hold="free")
    door.frame, door.path = "place", np.array([side * hinge, y, 0.0])
    return still, door, knob


# --- what moves with people -----------------------------------------------------------------------------------------


def trolley(rng: Draw, *, reach: float, high: float) -> Prop:
    """A shopping trolley or pram before a walker, its bar ``high`` over the floor at y = -``reach``."""
    if rng.random() < 0.6:
        back, front, top = -reach - 0.06, -reach - 0.8, high - 0.08
        bars = [(rod((x, back, top), (x, front, top - 0.08), 0.014), 0) for x in (-0.25, 0.25)]
        bars += [(rod((x, back + 0.02, 0.3), (x, front, 0.4), 0.014), 0) for x in (-0.2, 0.2)]
        walls = [(cuboid((0.46, 0.012, 0.3), (0, y, top - 0.18)), 2) for y in (back - 0.02, front + 0.03)]
        walls += [(cuboid((0.012, 0.68, 0.3), (x, (back + front) / 2, top - 0.2)), 2) for x in (-0.22, 0.22)]
        posts = [(rod((x, back, top), (x * 0.8, back, 0.1), 0.014), 0) for x in (-0.24, 0.24)]
        goods = [
            (cuboid((0.2, 0.25, 0.24), (-0.08, (back + front) / 2, top - 0.1)), 3),
            (tube(0.06, 0.2, (0.12, front + 0.2, top - 0.15)), 1),
        ]
        wheels = [
            (rod((x - 0.02, y, 0.07), (x + 0.02, y, 0.07), 0.07, 8), 4)
            for x in (-0.2, 0.2)
            for y in (back, front + 0.1)
        ]
        bar = [(rod((-0.27, -reach, high), (0.27, -reach, high), 0.022), 1)]
        stays = [(rod((x, -reach, high), (x, back, top), 0.014), 0) for x in (-0.25, 0.25)]
        return _moving(
            "trolley",
            ("grey", "red", "grey", str(rng.choice(BRIGHT)), "black"),
            *bars,
            *walls,
            *posts,
            *goods,
            *wheels,
            *bar,
            *stays,
        )
    colour, y = str(rng.choice(["navy", "red", "green", "purple", "black"])), -reach - 0.5
    hood = spheroid((0.24, 0.26, 0.24), (0, y + 0.08, 0.78), 6, 10)
    bed, inside = cuboid((0.4, 0.72, 0.26), (0, y, 0.62)), cuboid((0.34, 0.3, 0.03), (0, y - 0.17, 0.76))
    stays = [(rod((x, -reach, high), (x, y - 0.2, 0.3), 0.014), 1) for x in (-0.2, 0.2)]
    stays += [(rod((x, y + 0.25, 0.16), (x, y - 0.1, 0.55), 0.014), 1) for x in (-0.2, 0.2)]
    bar = [(rod((-0.22, -reach, high), (0.22, -reach, high), 0.022), 2)]
    wheels = [
        (rod((x - 0.02, y + b, 0.15), (x + 0.02, y + b, 0.15), 0.15, 12), 2) for x in (-0.2, 0.2) for b in (-0.27, 0.27)
    ]
    return _moving("pram", (colour, "grey", "black", "white"), (hood, 0), (bed, 0), (inside, 3), *stays, *bar, *wheels)


def crate(rng: Draw, *, reach: float, high: float) -> Prop:
    """A big box slid over the floor."""
    colour = str(rng.choice(["brown", "beige", "blue", "green"]))
    y = -reach - 0.3
    parts = [(cuboid((0.75, 0.6, high), (0, y, high / 2)), 0)]
    parts += [(cuboid((0.76, 0.61, 0.06), (0, y, z)), 1) for z in (0.08 * high, 0.5 * high, 0.92 * high)]
    return _moving("crate", (colour, "black" if colour == "brown" else "brown"), *parts)


def cart(rng: Draw, *, x: float, reach: float, high: float) -> Prop:
    """A low cart behind a walker, its pole's end at (``x``, ``reach``, ``high``)."""
    colour, y = pick(rng, "red", "blue", "green", "yellow"), reach + 1.0
    bed, load = cuboid((0.5, 0.8, 0.16), (x, y, 0.32)), cuboid((0.36, 0.4, 0.28), (x, y + 0.1, 0.52))
    pole = rod((x, reach, high), (x, y - 0.4, 0.3), 0.016)
    wheels = [
        (rod((x + a - 0.03, y + b, 0.13), (x + a + 0.03, y + b, 0.13), 0.13, 10), 1)
        for a in (-0.27, 0.27)
        for b in (-0.27, 0.27)
    ]
    return _moving("cart", (colour, "black", "brown"), (bed, 0), (load, 2), (pole, 1), *wheels)


def bicycle(
    rng: Draw, *, saddle: tuple[float, float], crank: tuple[float, float], bar: tuple[float, float], r: float
) -> Prop:
    """By (y, z) of saddle, crank and handlebar; wheels of radius ``r`` stand on the floor."""
    colour = str(rng.choice(["red", "blue", "green", "black", "yellow", "white"]))
    p = lambda yz, x=0.0: (x, yz[0], yz[1])  # noqa: E731
    rear, front = (crank[0] + 1.15 * r, r), (bar[0] - 0.55 * r, r)
    head = (bar[0] - 0.03, bar[1] - 0.08)
    tubes = [
        (saddle, crank),
        (crank, rear),
        (saddle, rear),
        (crank, head),
        ((saddle[0], saddle[1] - 0.12), head),
        (head, front),
        (head, bar),
    ]
    parts = [(rod(p(a), p(b), 0.02), 0) for a, b in tubes]
    for hub in (rear, front):
        parts += [(ring(r - 0.025, 0.025, p(hub)), 1), (rod(p(hub, -0.03), p(hub, 0.03), 0.03), 2)]
        for a in np.arange(6) * np.pi / 6:
            d = 0.9 * r * np.array([np.cos(a), np.sin(a)])
            parts.append((rod(p((hub[0] - d[0], hub[1] - d[1])), p((hub[0] + d[0], hub[1] + d[1])), 0.004, 4), 2))
    parts += [
        (cuboid((0.13, 0.26, 0.05), p((saddle[0], saddle[1] + 0.02))), 1),
        (rod(p(bar, -0.26), p(bar, 0.26), 0.018), 1),
    ]
    return _moving("bicycle", (colour, "black", "grey"), *parts)


def drum(rng: Draw, *, y: float, top: float) -> Fixture:
    """A drum on three legs."""
    colour = str(rng.choice(["red", "blue", "black", "brown"]))
    shell, skin = tube(0.2, 0.3, (0, y, top - 0.3)), tube(0.205, 0.012, (0, y, top - 0.01))
    legs = [
        (rod((0.16 * np.cos(a), y + 0.16 * np.sin(a), top - 0.2), (0.3 * np.cos(a), y + 0.3 * np.sin(a), 0), 0.015), 2)
        for a in (0.5, 2.6, 4.7)
    ]
    return _fixture("drum", (colour, "white", "grey"), (shell, 0), (skin, 1), *legs)


def keyboard(rng: Draw, *, y: float, top: float) -> Fixture:
    """An electric piano on crossed legs."""
    body, keys = cuboid((1.2, 0.3, 0.09), (0, y - 0.03, top - 0.05)), cuboid((1.1, 0.15, 0.012), (0, y + 0.04, top))
    black = [(cuboid((0.03, 0.09, 0.016), (-0.5 + 0.09 * k, y + 0.01, top + 0.004)), 0) for k in range(12) if k % 4]
    legs = [(rod((-0.45 * g, y - 0.03, 0), (0.45 * g, y - 0.03, top - 0.08), 0.02), 2) for g in (-1, 1)]
    return _fixture("piano", ("black", "white", "grey"), (body, 0), (keys, 1), *black, *legs)
