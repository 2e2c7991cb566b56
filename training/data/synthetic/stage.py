"""Where the people of a clip stand, whom they look at, and their posed meshes in the world.

The camera stands at x = y = 0 and looks along +y; the floor is z = 0. A heading of 0 faces the camera, +pi/2 faces
right in the picture.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from .deeds.contact import Posed, face, settle
from .deeds.motions import Deed, Draw
from .deeds.poses import held_points, solve, turn
from .people.bodies import CHEST, HEAD, LEG, Rig, skin
from .people.wardrobe import PROP, Figure

OUTLINE = (0, 5, 7, 9, 12, 10, 13, 15, 18, 16, 19)  # joints that keep clear of other people's
CLEAR, SEAT_CLEAR = 0.36, 0.5  # metres between joints of people of different units; of them and one who sits
EYE_LEVEL = 1.4  # a camera's height, for guessing who hides whom
HIDDEN_MOST = 0.66  # share of a person that others may hide


@dataclass(eq=False)
class Actor:
    """A figure with a deed at a place; ``vertices`` (T, V, 3) and friends are filled by ``act``.

    at, heading: when cast, in the unit's own frame, about its middle. pair: index of one of the same unit.
    partners: indices of those it acts with, or looks at.
    """

    figure: Figure
    deed: Deed
    at: np.ndarray = field(default_factory=lambda: np.zeros(2))
    heading: float = 0.0
    raised: float = 0.0
    pair: int | None = None
    partners: tuple[int, ...] = ()
    vertices: np.ndarray = field(init=False, repr=False)
    faces: np.ndarray = field(init=False, repr=False)
    parts: np.ndarray = field(init=False, repr=False)
    joints: np.ndarray = field(init=False, repr=False)
    front: np.ndarray = field(init=False, repr=False)  # (T, 3) where the chest points

    @cached_property
    def posed(self) -> Posed:
        """The skeleton about the origin, before heads are turned to each other."""
        return settle(self.deed.pose, self.figure.body)

    @property
    def top(self) -> float:
        """Height in metres that the head reaches."""
        return float(self.posed.positions[:, HEAD, 2].max()) + 0.14 * self.figure.body.height + self.raised

    @cached_property
    def outline(self) -> np.ndarray:
        """Floor points (T, n, 2) in the actor's own frame: joints, and corners of furniture and of what is moved."""
        posed, pose = self.posed, self.deed.pose
        corners = [posed.positions[:, OUTLINE, :2]]
        for thing in self.deed.fixtures:
            corners.append(np.broadcast_to(_corners(thing.vertices[None]), (len(pose.t), 8, 2)))
        for prop in pose.props:
            if prop.hold in ("along", "free") or prop.held is not None:
                points = held_points(prop, pose, posed.body, posed.rotations, posed.positions, posed.upright)
                corners.append(_corners(points))
        return np.concatenate(corners, 1)

    def world(self, points: np.ndarray) -> np.ndarray:
        """Floor points (..., 2) of the actor's own frame in the world."""
        c, s = np.cos(self.heading), np.sin(self.heading)
        return self.at + points @ np.array([[c, s], [-s, c]])


Unit = list[Actor]


def _corners(points: np.ndarray) -> np.ndarray:
    """Corners and middles of sides (T, 8, 2) of the floor rectangle round points (T, n, 3)."""
    low, high = points[..., :2].min(1), points[..., :2].max(1)
    shares = np.array([(x, y) for x in (0, 0.5, 1) for y in (0, 0.5, 1) if (x, y) != (0.5, 0.5)])
    return low[:, None] + (high - low)[:, None] * shares


def arrange(units: list[Unit], rng: Draw, *, depth: float, half_width: float, cut: bool = False) -> list[Actor]:
    """Give every unit a place and a heading so that nobody touches anybody who is not meant to.

    Units that find no room are left out.

    Args:
        units: Actors about the middle of their unit, as cast.
        rng: Source of all chance.
        depth: Metres from the camera to the first unit; more where a group would not fit into the picture.
        half_width: Tangent of half the horizontal field of view.
        cut: Whether the picture's sides may always cut people, not only now and then.

    Returns:
        The actors placed, unit by unit.
    """
    placed: list[Actor] = []
    crowded, cut = rng.random() < 0.6, rng.random() < 0.12 or cut
    for index, unit in enumerate(units):
        homes = [(a.at, a.heading) for a in unit]
        for attempt in range(70):
            d, u = _draw_place(index, placed if crowded else [], depth, half_width, attempt, rng)
            _move(unit, homes, np.array([u * half_width * d, d]), _draw_turn(unit, rng))
            if not cut and attempt < 60 and not _in_view(unit, half_width * (0.95 if index == 0 else 1.0)):
                continue
            own = _hidden(unit).max()
            most = max(HIDDEN_MOST if crowded else 0.4, own + 0.01)
            if (own < 0.5 or attempt > 40) and _room(unit, placed) and _hidden([*placed, *unit]).max() < most:
                for actor in unit[1:]:
                    actor.pair = len(placed)
                if len(unit) > 1:
                    unit[0].pair = len(placed) + 1
                for k, actor in enumerate(unit):
                    actor.partners = tuple(len(placed) + j for j in range(len(unit)) if j != k)
                placed += unit
                break
    _watch(placed, rng)
    return placed


def _draw_place(
    index: int, placed: list[Actor], depth: float, half_width: float, attempt: int, rng: Draw
) -> tuple[float, float]:
    """Distance from the camera, and place across the picture (-1 to 1); often a little before or behind somebody."""
    if index == 0:
        return depth * 1.025**attempt, rng.uniform(-0.5, 0.5)  # large groups need more room
    if placed and attempt < 50 and rng.random() < 0.7:
        other = placed[rng.integers(len(placed))].at
        d = float(other[1] * (rng.uniform(0.6, 0.85) if rng.random() < 0.35 else rng.uniform(1.15, 1.7)))
        aside = rng.choice((-1, 1)) * rng.uniform(0.1, 0.36) / other[1]
        return max(d, 1.4), float((other[0] / other[1] + aside) / half_width)
    return float(max(depth * np.exp(rng.normal(0.15, 0.35)), 1.4) * 1.012**attempt), rng.uniform(-0.9, 0.9)


def _draw_turn(unit: Unit, rng: Draw) -> float:
    """How a unit is turned about its middle: faces, profiles and backs."""
    actor = unit[0]
    if len(unit) > 1 and actor.deed.posture == "walking":  # side by side, they come or go
        return float(rng.normal(0, 0.6) + np.pi * (rng.random() < 0.4))
    if len(unit) == 2 and rng.random() < 0.7:  # seen from the side
        return float(rng.choice([-1, 1]) * rng.normal(np.pi / 2, 0.5))
    if len(unit) > 1:
        return rng.uniform(-np.pi, np.pi)
    if actor.deed.posture in ("walking", "running"):
        across, along = rng.choice([-1, 1]) * rng.uniform(0.8, 2.2), rng.normal(0, 0.5) + np.pi * (rng.random() < 0.35)
        return float(across if rng.random() < 0.65 else along)
    if actor.deed.posture == "lying":
        return float(rng.choice([-1, 1]) * rng.normal(np.pi / 2, 0.5))
    if actor.deed.headings != (0.0, 3.14):  # seen from some sides only
        return float(rng.choice([-1, 1]) * rng.uniform(*actor.deed.headings))
    return float(rng.normal(0, 0.6) if rng.random() < 0.45 else rng.uniform(-np.pi, np.pi))


def _move(unit: Unit, homes: list[tuple[np.ndarray, float]], to: np.ndarray, angle: float) -> None:
    c, s = np.cos(angle), np.sin(angle)
    for actor, (at, heading) in zip(unit, homes, strict=True):
        actor.at = to + at @ np.array([[c, s], [-s, c]])
        actor.heading = float((heading + angle + np.pi) % (2 * np.pi) - np.pi)


def _in_view(unit: Unit, half_width: float) -> bool:
    """Whether everybody of a unit stands between the picture's sides at the key frame."""
    key = int(np.argmin(np.abs(unit[0].deed.pose.t)))
    spots = np.stack([a.world(a.posed.positions[key, 0, :2]) for a in unit])
    return bool((np.abs(spots[:, 0]) + 0.12 < half_width * spots[:, 1]).all())


def _room(unit: Unit, placed: list[Actor]) -> bool:
    """Whether a unit stands before the camera, touches nobody, and nobody stands between its people."""
    mine = [a.world(a.outline) for a in unit]
    if any((p[..., 1] < 1.0).any() for p in mine):
        return False
    between = [unit[0].at + w * (a.at - unit[0].at) for a in unit[1:] for w in (0.25, 0.5, 0.75)]
    for other in placed:
        if other in unit:
            continue
        theirs = other.world(other.outline)
        for actor, points in zip(unit, mine, strict=True):
            need = SEAT_CLEAR if actor.deed.seat or other.deed.seat else CLEAR
            if np.abs(actor.at - other.at).max() < 12 and _nearest(points, theirs) < need:
                return False
        if between and _nearest(np.array(between)[None], theirs) < CLEAR:
            return False
    for k, other in enumerate(placed):  # nor between theirs
        if other.pair is None or other.pair > k:
            continue
        start = placed[other.pair].at
        way = np.array([start + w * (other.at - start) for w in (0.25, 0.5, 0.75)])[None]
        if any(_nearest(way, points) < CLEAR for points in mine):
            return False
    return True


def _nearest(p: np.ndarray, q: np.ndarray) -> float:
    """Least distance between points (T or 1, n, 2) and (T or 1, m, 2) of the same frame."""
    return float(np.sqrt(((p[:, :, None] - q[:, None]) ** 2).sum(-1).min()))


def _hidden(people: list[Actor]) -> np.ndarray:
    """About what share of each the others hide at the key frame, by the rectangles they fill in the picture."""
    boxes = []
    for a in people:
        key = int(np.argmin(np.abs(a.deed.pose.t)))
        flat, high = a.world(a.posed.positions[key, :, :2]), a.posed.positions[key, :, 2] + a.raised
        x, z, y = (
            flat[:, 0] / flat[:, 1],
            (high - EYE_LEVEL) / flat[:, 1],
            float(a.world(a.posed.positions[key, 0, :2])[1]),
        )
        boxes.append((x.min() - 0.08 / y, z.min() - 0.08 / y, x.max() + 0.08 / y, z.max() + 0.2 / y, y))
    b = np.array(boxes)
    low, high = np.maximum(b[:, None, :2], b[None, :, :2]), np.minimum(b[:, None, 2:4], b[None, :, 2:4])
    shared = np.maximum(high - low, 0).prod(-1) / (b[:, 2:4] - b[:, :2]).prod(-1)[:, None]
    return 0.8 * (shared * (b[None, :, 4] < b[:, None, 4])).sum(1)


# --- whom they look at ------------------------------------------------------------------------------------------------
IDLE = {3, 8, 11, 12, 14, 17}  # actions that leave the head free


def _watch(placed: list[Actor], rng: Draw) -> None:
    """People with idle heads look at somebody near, and are labelled so."""
    for i, actor in enumerate(placed):
        free = not actor.deed.steady_head and actor.pair is None and set(actor.deed.actions) <= IDLE
        others = [b for j, b in enumerate(placed) if j != i and np.linalg.norm(b.at - actor.at) < 4.5]
        if not free or not others or rng.random() > 0.6:
            continue
        other = min(others, key=lambda b: float(np.linalg.norm(b.at - actor.at)))
        if actor.deed.posture in ("standing", "sitting", "crouching") and actor.deed.pose.shift is None:
            _turn_to(actor, other.at, placed, rng)
        theirs = other.posed.face
        point = np.concatenate([other.world(theirs[:, :2]), theirs[:, 2:] + other.raised], -1)
        if _look(actor, point):
            actor.deed = replace(actor.deed, actions=tuple(sorted({*actor.deed.actions, 80})), steady_head=True)
            actor.deed.shows[80] = (HEAD,)
            actor.partners = (placed.index(other),)


def _turn_to(actor: Actor, to: np.ndarray, placed: list[Actor], rng: Draw) -> None:
    """Turn the body to a floor point, but for some degrees, if there is room to."""
    before, line = actor.heading, to - actor.at
    actor.heading = float(np.arctan2(line[0], -line[1]) + np.clip(rng.normal(0, 0.35), -0.7, 0.7))
    if not _room([actor], placed):
        actor.heading = before


def _look(actor: Actor, point: np.ndarray) -> bool:
    """Turn the head to world points (T, 3) if the neck allows it all the time."""
    c, s = np.cos(actor.heading), np.sin(actor.heading)
    local = np.concatenate([(point[:, :2] - actor.at) @ np.array([[c, -s], [s, c]]), point[:, 2:] - actor.raised], -1)
    pose, body = actor.deed.pose, actor.figure.body
    before = dict(pose.angles)
    face(pose, body, local)
    after = settle(pose, body)
    line = local - after.face
    line /= np.linalg.norm(line, axis=-1, keepdims=True)
    if ((line * after.gaze).sum(-1) > 0.94).all() and np.abs(pose.angle("look")).max() < 1.15:
        return True
    pose.angles = before
    return False


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
