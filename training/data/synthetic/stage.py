"""Casting: who is in a clip, what they do, where they stand; and their posed meshes in the world.

The camera stands at x = y = 0 and looks along +y; the floor is z = 0. A heading of 0 faces the camera, +pi/2 faces
right in the picture.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from . import gestures, menu, motions
from .bodies import CHEST, LEG, Body, Rig, skin
from .facts import COLOURS
from .motions import Deed, Draw
from .poses import held_points, solve, turn
from .props import backpack
from .wardrobe import PROP, Figure, draw_look, dress

POSTURES = {
    "stand": 0.22, "idle": 0.05, "walk": 0.14, "run": 0.05, "sit": 0.19, "sit_floor": 0.04, "crouch": 0.045,
    "bend": 0.03, "crawl": 0.02, "lie": 0.05, "jump": 0.04, "dance": 0.05, "fall": 0.04, "get_up": 0.04,
    "martial": 0.03, "handling": 0.2,
}  # fmt: skip


@dataclass(eq=False)
class Actor:
    """A figure with a deed at a place; ``vertices`` (T, V, 3) and friends are filled by ``act``."""

    figure: Figure
    deed: Deed
    at: np.ndarray = field(default_factory=lambda: np.zeros(2))
    heading: float = 0.0
    raised: float = 0.0
    pair: int | None = None
    apart: float = 0.0
    vertices: np.ndarray = field(init=False, repr=False)
    faces: np.ndarray = field(init=False, repr=False)
    parts: np.ndarray = field(init=False, repr=False)
    joints: np.ndarray = field(init=False, repr=False)
    front: np.ndarray = field(init=False, repr=False)  # (T, 3) where the chest points

    @property
    def top(self) -> float:
        return self.figure.body.height * self.deed.top + self.raised

    @property
    def space(self) -> float:
        return self.deed.space


def solo_deed(body: Body, t: np.ndarray, rng: Draw) -> Deed:
    """A posture, often with a gesture on top, or a deed of the whole body with a thing."""
    kind = str(rng.choice(list(POSTURES), p=np.array(list(POSTURES.values())) / sum(POSTURES.values())))
    if kind == "handling":
        return menu.HANDLING[rng.integers(len(menu.HANDLING))](body, t, rng)
    make = {f.__name__: f for f in menu.POSTURES}[{"idle": "stand"}.get(kind, kind)]
    deed = make(body, t, rng)
    choices, chance = menu.ON_TOP.get(make, ()), {"stand": 1.0, "sit": 0.88, "sit_floor": 0.7, "walk": 0.55}
    if choices and kind != "idle" and rng.random() < chance[kind]:
        return choices[rng.integers(len(choices))](deed, body, rng)
    return replace(deed, name="idle") if make is motions.stand else deed


def cast(rig: Rig, bodies: list[Body], attributes: np.ndarray, t: np.ndarray, rng: Draw) -> list[list[Actor]]:
    """Units of one actor, or of two who act together."""
    count = int(rng.choice([1, 2, 3, 4, 5], p=(0.06, 0.36, 0.34, 0.18, 0.06)))
    chosen = [bodies[i] for i in _choose(bodies, count, rng)]
    colours: list[str | None] = [None] * count
    if count > 1 and rng.random() < 0.13:
        colours[0] = colours[1] = str(rng.choice(COLOURS))
    colours = [colours[i] for i in rng.permutation(count)]
    figures = [
        dress(rig, b, draw_look(b, rng, top_colour=c), attributes, rng) for b, c in zip(chosen, colours, strict=True)
    ]
    units: list[list[Actor]] = []
    while figures:
        if len(figures) > 1 and rng.random() < 0.12:
            pair = figures.pop(), figures.pop()
            kind = gestures.PAIRS[rng.choice(4, p=(0.22, 0.18, 0.18, 0.42))]
            apart, a, b = kind((pair[0].body, pair[1].body), t, rng)
            units.append([Actor(pair[0], a, np.array([apart, 0.0])), Actor(pair[1], b, np.array([apart, 0.0]))])
        else:
            figure = figures.pop()
            units.append([Actor(figure, solo_deed(figure.body, t, rng))])
    for unit in units:
        for actor in unit:
            _equip(actor, rng)
    return units


def _choose(bodies: list[Body], count: int, rng: Draw) -> list[int]:
    """Bodies of a clip: a child in about four clips of ten."""
    children = [i for i, b in enumerate(bodies) if b.age == "child"]
    grown = [i for i, b in enumerate(bodies) if b.age != "child"]
    with_child = rng.random() < 0.42
    out = []
    for k in range(count):
        young = with_child and (k == 0 or rng.random() < 0.3)
        pool = children if young and children else grown or children
        free = [i for i in pool if i not in out] or pool
        out.append(int(rng.choice(free)))
    return [out[i] for i in rng.permutation(count)]


def _equip(actor: Actor, rng: Draw) -> None:
    """A backpack for those who carry one, unless they lie or sit."""
    look, deed = actor.figure.look, actor.deed
    if look.carried and deed.name in ("lie", "fall", "sit"):
        actor.figure.look = replace(look, carried=None)
    elif look.carried:
        deed.pose.props.append(backpack(rng, actor.figure.body.height))


def arrange(units: list[list[Actor]], rng: Draw, *, depth: float, half_width: float) -> list[Actor]:
    """Give everyone a place and a heading so that nobody touches anybody who is not meant to.

    Args:
        depth: Metres from the camera to the first unit.
        half_width: Tangent of half the horizontal field of view.
    """
    placed: list[Actor] = []
    used: list[float] = []
    for index, unit in enumerate(units):
        for attempt in range(40):
            d = depth if index == 0 else max(depth * np.exp(rng.normal(0.15, 0.35)), 1.3)
            u = rng.uniform(-0.55, 0.55) if index == 0 else rng.uniform(-0.92, 0.92)
            if any(abs(u - v) < 0.24 for v in used) and attempt < 30 and rng.random() < 0.85:
                continue
            _place(unit, np.array([u * half_width * d, d]), rng)
            if all(_clear(a, b) for a in unit for b in placed) and all((_path(a)[:, 1] > 1.0).all() for a in unit):
                placed += unit
                used.append(u)
                if len(unit) == 2:
                    unit[0].pair, unit[1].pair = len(placed) - 1, len(placed) - 2
                break
    _watch(placed, rng)
    return placed


def _place(unit: list[Actor], at: np.ndarray, rng: Draw) -> None:
    if len(unit) == 2:
        if not unit[0].apart:
            unit[0].apart = float(unit[0].at[0])
        axis = rng.uniform(-0.8, 0.8) + (np.pi if rng.random() < 0.5 else 0)
        along = np.array([np.cos(axis), np.sin(axis)])
        for actor, sign in zip(unit, (1, -1), strict=True):
            actor.at = at + sign * along * unit[0].apart / 2
            actor.heading = float(np.arctan2(-sign * along[0], sign * along[1]))
        return
    actor = unit[0]
    actor.at = at
    if actor.deed.name in ("walk", "run"):
        actor.heading = (
            rng.choice([-1, 1]) * rng.uniform(0.8, 2.2)
            if rng.random() < 0.65
            else rng.normal(0, 0.5) + np.pi * (rng.random() < 0.35)
        )
    elif actor.deed.name == "lie":
        actor.heading = rng.choice([-1, 1]) * rng.normal(np.pi / 2, 0.5)
    elif actor.deed.headings != (0.0, 3.14):
        actor.heading = rng.choice([-1, 1]) * rng.uniform(*actor.deed.headings)
    else:
        actor.heading = float(rng.choice([rng.normal(0, 0.5), rng.uniform(-np.pi, np.pi)], p=(0.52, 0.48)))


def _path(actor: Actor) -> np.ndarray:
    shift = actor.deed.pose.shift
    if shift is None:
        return actor.at[None]
    c, s = np.cos(actor.heading), np.sin(actor.heading)
    return actor.at + shift @ np.array([[c, s], [-s, c]])


def _clear(a: Actor, b: Actor) -> bool:
    p, q = _path(a), _path(b)
    if len(p) == 1 or len(q) == 1:
        gap = np.linalg.norm(p - q, axis=-1).min()
    else:
        gap = np.linalg.norm(p - q, axis=-1).min()
    return bool(gap > (a.space + b.space) * 0.95 + 0.1)


def _watch(placed: list[Actor], rng: Draw) -> None:
    """People with idle heads look at somebody, and are labelled so."""
    for i, actor in enumerate(placed):
        others = [b for j, b in enumerate(placed) if j != i and j != actor.pair]
        if (
            actor.deed.steady_head
            or actor.pair is not None
            or not others
            or actor.deed.name not in ("idle", "sit", "crouch", "walk", "carry")
        ):
            continue
        if rng.random() > 0.65 or (actor.deed.name == "walk" and rng.random() < 0.7):
            continue
        other = min(others, key=lambda b: np.linalg.norm(b.at - actor.at))
        to = other.at - actor.at
        wanted = float(np.arctan2(to[0], -to[1]))
        if actor.deed.name in ("idle", "sit", "crouch"):
            actor.heading = wanted + rng.normal(0, 0.45)
        rest = (wanted - actor.heading + np.pi) % (2 * np.pi) - np.pi
        if abs(rest) > 1.3:
            continue
        pose = actor.deed.pose
        pose.angles["look"], pose.angles["twist"] = 0.75 * rest + 0 * pose.t, 0.25 * rest + 0 * pose.t
        actor.deed = replace(actor.deed, actions=tuple(sorted({*actor.deed.actions, 80})))


def act(actor: Actor) -> None:
    """Pose the figure over all frames: skinned clothes and props in the world, feet on the ground."""
    figure, pose, body = actor.figure, actor.deed.pose, actor.figure.body
    rotations, positions, upright = solve(pose, body)
    vertices = skin(figure.rest, figure.weights, body.joints[:20], rotations, positions)
    ground = vertices[:, : len(body.rest), 2].min(1)
    rise = pose.angle("lift") + actor.raised - ground
    vertices[..., 2] += rise[:, None]
    positions[..., 2] += rise[:, None]
    faces, parts = [figure.faces], [figure.parts]
    for k, prop in enumerate(pose.props):
        points = held_points(prop, pose, body, rotations, positions, upright).astype(np.float32)
        faces.append(prop.faces + vertices.shape[1])
        parts.append(np.full(len(prop.faces), PROP + k, np.int32))
        vertices = np.concatenate([vertices, points], 1)
    outer = turn(2, np.array([actor.heading]))[0]
    shift = np.append(actor.at, 0)
    actor.vertices = (vertices @ outer.T.astype(np.float32) + shift.astype(np.float32)).astype(np.float32)
    actor.joints = positions @ outer.T + shift
    actor.front = (rotations[:, CHEST] @ np.array([0, -1.0, 0])) @ outer.T
    actor.faces, actor.parts = np.concatenate(faces).astype(np.int32), np.concatenate(parts)


def seat_of(actor: Actor, rig: Rig) -> tuple[np.ndarray, float]:
    """Where hips rest: floor point and height, at the frame in which they are lowest."""
    frame = int(np.argmin(actor.joints[:, 0, 2]))
    near = (rig.weights[:, [0, LEG[1][0], LEG[-1][0]]].sum(1) > 0.6) & (rig.canon[:, 2] > 0.75)
    points = actor.vertices[frame, : len(rig.canon)][near]
    return actor.joints[frame, (14, 17), :2].mean(0), float(np.percentile(points[:, 2], 8))
