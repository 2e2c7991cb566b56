"""What several people do together: ``(bodies, t, rng) -> [Spot]``, one for each body, about the group's own middle."""

from dataclasses import dataclass, replace

import numpy as np

from ..people.bodies import CHEST, HEAD, Body
from . import fixtures, gestures, motions, moves
from .attitudes import ADULT, WRIST, Duet, deed, gesticulate, listener, seated, sing, stance, talker
from .contact import bring, face, settle
from .motions import Deed, Draw, wave
from .poses import SIDES, Hand, Pose, constant, reach


@dataclass
class Spot:
    """What one of a group does, where (x, y) and how turned."""

    deed: Deed
    at: np.ndarray
    heading: float


def opposite_spots(duet: Duet) -> list[Spot]:
    """The two of a duet, face to face."""
    apart, a, b = duet
    return [Spot(a, np.array([0, apart / 2]), 0.0), Spot(b, np.array([0, -apart / 2]), np.pi)]


def heading_to(at: np.ndarray, to: np.ndarray) -> float:
    """The heading of somebody at a floor point who faces another."""
    return float(np.arctan2(to[0] - at[0], at[1] - to[1]))


def seen_from(point: np.ndarray, spot: Spot) -> np.ndarray:
    """World points (..., 3) in the frame of the one at a spot."""
    c, s = np.cos(spot.heading), np.sin(spot.heading)
    flat = (point[..., :2] - spot.at) @ np.array([[c, -s], [s, c]])
    return np.concatenate([flat, point[..., 2:]], -1)


def in_world(points: np.ndarray, spot: Spot) -> np.ndarray:
    """Points (..., 3) of the one at a spot in the world."""
    c, s = np.cos(spot.heading), np.sin(spot.heading)
    return np.concatenate([points[..., :2] @ np.array([[c, s], [-s, c]]) + spot.at, points[..., 2:]], -1)


def look_at(spot: Spot, body: Body, other: Spot, their_body: Body, weight: np.ndarray | float = 1.0) -> None:
    """Turn a head to somebody else's face."""
    theirs = in_world(settle(other.deed.pose, their_body).face, other)
    face(spot.deed.pose, body, seen_from(theirs, spot), weight)


def circle(bodies: list[Body], t: np.ndarray, rng: Draw) -> list[Spot]:
    """Two to four people round nothing: one talks, the others look on and listen."""
    count, sitting = len(bodies), rng.random() < 0.35
    posture = "sitting" if sitting else "standing"
    radius = {2: 0.5, 3: 0.62, 4: 0.78}[count] * rng.uniform(0.95, 1.25) + 0.42 * sitting
    spread = rng.uniform(0.55, 0.8) if count == 2 else 1.0  # two stand open to a side
    angles = rng.uniform(0, 2 * np.pi) + 2 * np.pi * spread * (np.arange(count) / count) + rng.normal(0, 0.08, count)
    spots = []
    for k, (body, angle) in enumerate(zip(bodies, angles, strict=True)):
        pose = seated(body, t, rng) if sitting else stance(body, t, rng, arms="any" if k else "hang")
        at = radius * np.array([np.cos(angle), np.sin(angle)])
        if k == 0:
            gesticulate(pose, body, rng)
        spots.append(Spot((listener if k else talker)(pose, posture), at, heading_to(at, 0 * at)))
    for k, (spot, body) in enumerate(zip(spots, bodies, strict=True)):
        look_at(spot, body, spots[0 if k else 1], bodies[0 if k else 1])
        if k:
            spot.heading += 0.5 * _turn(heading_to(spot.at, spots[0].at) - spot.heading)
            look_at(spot, body, spots[0], bodies[0])
            spot.deed.pose.add(nod=0.07 * np.maximum(wave(t, rng.uniform(0.4, 0.9), rng.random()), 0))
    return spots


def _turn(angle: float) -> float:
    return (angle + np.pi) % (2 * np.pi) - np.pi


def singing(bodies: list[Body], t: np.ndarray, rng: Draw) -> list[Spot]:
    return _show("sing", bodies, t, rng)


def dancing(bodies: list[Body], t: np.ndarray, rng: Draw) -> list[Spot]:
    return _show("dance", bodies, t, rng)


def speaking(bodies: list[Body], t: np.ndarray, rng: Draw) -> list[Spot]:
    return _show("speak", bodies, t, rng)


def _show(what: str, bodies: list[Body], t: np.ndarray, rng: Draw) -> list[Spot]:
    """The first sings, dances or speaks; the others watch, listen or clap."""
    first, count = bodies[0], len(bodies) - 1
    if what == "dance":
        spots = [Spot(replace(moves.dance(first, t, rng), steady_head=True), np.zeros(2), 0.0)]
    else:
        pose = stance(first, t, rng)
        spots = [Spot(talker(pose), np.zeros(2), 0.0)]
    clapping, sitting = rng.random() < (0.75 if what == "dance" else 0.45), rng.random() < 0.35
    distance, posture = rng.uniform(1.5, 2.4), "sitting" if sitting else "standing"
    step = (0.75 if sitting else 0.62) / distance
    angles = (np.arange(count) - (count - 1) / 2) * step * rng.uniform(1.0, 1.3) - np.pi / 2 + rng.uniform(-0.35, 0.35)
    for body, angle in zip(bodies[1:], angles, strict=True):
        at = distance * rng.uniform(0.95, 1.1) * np.array([np.cos(angle), np.sin(angle)])
        pose = seated(body, t, rng) if sitting else stance(body, t, rng, arms="any")
        spot = Spot(listener(pose, posture), at, heading_to(at, np.zeros(2)) + rng.normal(0, 0.1))
        look_at(spot, body, spots[0], first)
        actions = {11 if sitting else 12, 80} | ({67} if clapping else set()) | (set() if what == "dance" else {74})
        spot.deed = replace(spot.deed, actions=tuple(sorted(actions)), name="listen" if not clapping else "clap")
        if clapping:
            clap(pose, body, rng)
            spot.deed.shows[67], spot.deed.hands = (WRIST[1], WRIST[-1]), {1: "open", -1: "open"}
        spots.append(spot)
    if what == "dance":
        return spots
    look_at(spots[0], first, spots[1], bodies[1], 0.8)
    if what == "speak":
        gesticulate(spots[0].deed.pose, first, rng)
    else:
        pose = spots[0].deed.pose
        g = sing(pose, first, rng)
        spots[0].deed = deed(
            "sing", pose, 12, 77, holding="microphone", shows={77: (HEAD, WRIST[g])}, needs={77: "microphone"},
            hands={g: "grip", -g: "open"},
        )  # fmt: skip
    return spots


def clap(pose: Pose, body: Body, rng: Draw) -> None:
    """Hands before the chest meet and part."""
    s, t = body.height / ADULT, pose.t
    open_ = 0.015 + rng.uniform(0.12, 0.2) * (0.5 + 0.5 * wave(t, rng.uniform(0.9, 1.6), rng.random()))
    height = rng.uniform(-0.12, 0.08) * s
    posed = settle(pose, body)
    middle = posed.point(CHEST, body.joints[CHEST] + np.array([0, -0.33 * s, height]))
    for g in SIDES:
        bring(pose, body, g, middle + constant(t, open_ * g * s, 0, 0), elbow=(0.9, 0.1, -0.8))


def side_by_side(bodies: list[Body], t: np.ndarray, rng: Draw) -> list[Spot]:
    """Two or three walk beside each other; one talks, the others listen."""
    lead, gap = motions.walk(bodies[0], t, rng), rng.uniform(0.62, 0.8)
    spots = [Spot(replace(lead, steady_head=True), np.zeros(2), 0.0)]
    for k, body in enumerate(bodies[1:], 1):
        walking = motions.walk(body, t, rng)
        pose = walking.pose
        assert pose.feet is not None and pose.shift is not None and lead.pose.shift is not None
        faster = _speed(lead.pose.shift) / _speed(pose.shift)
        for feet in pose.feet.values():  # steps as long as keeping pace asks
            feet[:, 1] *= faster
        pose.shift, pose.angles["yaw"] = lead.pose.shift, lead.pose.angle("yaw")
        spots.append(Spot(replace(walking, steady_head=True), np.array([gap * k, rng.normal(0, 0.06)]), 0.0))
    talks = rng.random() < 0.85
    for k, (spot, body) in enumerate(zip(spots, bodies, strict=True)):
        beside = 1 if k == 0 else -1
        pose = spot.deed.pose
        if talks:
            pose.angles["look"] = (0.75 + 0.1 * wave(t, 0.3, rng.random())) * beside
            pose.add(twist=0.2 * beside)
        if talks and k == 0:
            gesture(pose, body, rng)
        extra = (79,) if talks and k == 0 else (74, 80) if talks else ()
        spot.deed = replace(spot.deed, actions=tuple(sorted({*spot.deed.actions, *extra})))
    return spots


def _speed(path: np.ndarray) -> float:
    """Most metres from frame to frame; one frame alone has no speed, and any will do."""
    return float(np.linalg.norm(np.diff(path, axis=0), axis=-1).max()) if len(path) > 1 else 1.0


def gesture(pose: Pose, body: Body, rng: Draw) -> None:
    """One talking hand, the other as it is."""
    s, g, hertz = body.height / ADULT, int(rng.choice(SIDES)), rng.uniform(0.6, 1.1)
    a, b = wave(pose.t, hertz, rng.random()), wave(pose.t, hertz * 0.6, rng.random())
    at = constant(
        pose.t, (0.22 + 0.1 * a) * g * s, (-0.34 - 0.06 * b) * s, body.joints[CHEST, 2] + (0.13 * a - 0.06) * s
    )
    reach(pose, body, g, at, elbow=(0.8, 0.3, -1))


def at_table(bodies: list[Body], t: np.ndarray, rng: Draw) -> list[Spot]:
    """Two to four at both sides of a table: one may talk, the others listen, eat or drink."""
    count, deep = len(bodies), rng.uniform(0.65, 0.8)
    poses = [motions.seated(b, t, rng, table=True) for b in bodies]
    across_x = np.array([0.0, 0.0]) if count == 2 else np.array([-0.36, -0.36, 0.36, 0.36])[:count]
    edge = max(0.07 * b.height / ADULT - motions.belly(b) for b in bodies)
    hips = [p.hips[0, 2] for p in poses if p.hips is not None]
    top = float(np.mean(hips) + 0.235 * np.mean([b.height for b in bodies]) / ADULT)
    talks, spots = rng.random() < 0.75, []
    for k, pose in enumerate(poses):
        pose.put(pitch=rng.uniform(0.1, 0.22), side=0.0, look=0.0, nod=0.05)
        for g in SIDES:
            rest = constant(t, rng.uniform(0.1, 0.17) * g, -edge - rng.uniform(0.08, 0.14), top + 0.05)
            pose.hands[g] = Hand(rest, "floor", elbow=(0.9, 0.4, -0.8))
        sits = Deed("sit", pose, (11,), "sitting", seat="chair", steady_head=True)
        side = 1 - 2 * (k % 2)
        at = np.array([across_x[k] * side, side * (edge + deep / 2)])
        spots.append(Spot(sits, at, 0.0 if side > 0 else np.pi))
    for k, (spot, body) in enumerate(zip(spots, bodies, strict=True)):
        other = 0 if k else 1
        look_at(spot, body, spots[other], bodies[other])
        what = "talk" if talks and k == 0 else str(rng.choice(["listen", "eat", "drink"], p=(0.4, 0.3, 0.3)))
        if what == "talk":
            gesticulate(spot.deed.pose, body, rng, raised=0.11)
            spot.deed = talker(spot.deed.pose, "sitting")
        elif what == "listen":
            spot.deed = listener(spot.deed.pose, "sitting")
            if not talks:
                spot.deed = replace(spot.deed, actions=(11, 80))
        else:
            spot.deed = (gestures.eat if what == "eat" else gestures.drink)(spot.deed, body, rng)
    thing = fixtures.table(rng, edge=edge, top=top, wide=rng.uniform(0.9, 1.2) if count == 2 else 1.55, deep=deep)
    thing.vertices = thing.vertices - np.append(spots[0].at[0], (0, 0)).astype(np.float32)
    spots[0].deed = replace(spots[0].deed, fixtures=(thing,))
    return spots


def queue(bodies: list[Body], t: np.ndarray, rng: Draw) -> list[Spot]:
    """One behind the other; now and then somebody looks past."""
    gap, spots = rng.uniform(0.62, 0.85), []
    for k, body in enumerate(bodies):
        pose = stance(body, t, rng, arms="any")
        glance = rng.normal(0, 0.25) * wave(t, rng.uniform(0.1, 0.25), rng.random())
        pose.angles["look"], pose.angles["nod"] = rng.normal(0, 0.15) + glance, rng.normal(0.08, 0.1) + 0 * t
        spots.append(Spot(deed("queue", pose, 12), np.array([rng.normal(0, 0.05), gap * k]), rng.normal(0, 0.12)))
    return spots
