"""The studio: one seed, one clip of rendered people in a rendered place, with everything that is true of it."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from .camera import FARTHEST, FRAMINGS, TALL, TRAINED, Camera, aim_camera
from .casting import INDOORS, cast
from .deeds.poses import turn
from .deeds.props import cuboid
from .facts import Person, Scene, Thing
from .film import Facts, film
from .labels import FIXTURE, MIN_PROP, NEAR, seen_actions, with_shared
from .people.bodies import CHEST, HEAD, ROOT, load_bank
from .people.wardrobe import canon_attributes, shade
from .sites.places import KINDS, PLANS, Material, Place, build_place, chair, dyed_material, random_material
from .stage import Actor, act, arrange, seat_of

SEEDS = {"train": 1, "val": 2, "test": 3}
MIN_PEOPLE = 2  # in view at the key frame
SUPERSAMPLE = 1.35


class Studio:
    """Renders clips with one split's bodies and places.

    Args:
        split: "train", "val" or "test"; bodies and places differ between them.
        cache_dir: Where the bank of bodies is kept.
        bodies: Use only so many bodies, for tests.
    """

    def __init__(self, split: str, *, cache_dir: Path | None = None, bodies: int | None = None) -> None:
        cv2.setNumThreads(1)
        self.split = split
        self.rig, self.bodies = load_bank(split, cache_dir=cache_dir, count=bodies)
        self.attributes = canon_attributes(self.rig)

    def shoot(
        self,
        seed: int,
        *,
        size: tuple[int, int] = (320, 240),
        frames: int = 18,
        fps: float = 6.0,
        key_frame: int = 9,
        labels: str = "balanced",
    ) -> Scene:
        """Render one clip; the same (split, seed) gives the same clip.

        Args:
            seed: Any non-negative number.
            size: Width and height in pixels.
            frames: Frames of the clip; motions are functions of seconds from the key frame, so any number will do.
            fps: Frames a second.
            key_frame: Index of the frame at which what is told is true.
            labels: "balanced" flattens how often actions come; "natural" resembles AVA.
        """
        for attempt in range(6):
            rng = np.random.default_rng((SEEDS[self.split], seed, attempt))
            scene = self._try(rng, size, frames, fps, key_frame, labels)
            clear = [p for p in scene.people if p.visible[key_frame] > 0.3 and _area(p.boxes_xyxy[key_frame]) > 0.004]
            if len(clear) >= MIN_PEOPLE and any(p.actions for p in clear):
                break
        return scene

    def _try(
        self, rng: np.random.Generator, size: tuple[int, int], frames: int, fps: float, key_frame: int, labels: str
    ) -> Scene:
        t = (np.arange(frames) - key_frame) / fps
        work = (round(size[0] * SUPERSAMPLE), round(size[1] * SUPERSAMPLE))
        inside = bool(rng.random() < INDOORS)
        for _ in range(12):
            actors, camera, half_width, framing = self._set_up(t, rng, work, labels, inside=inside)
            if sum(_in_view(a, camera, key_frame) for a in actors) >= MIN_PEOPLE:
                break
        place, fitted = self._furnish(actors, camera, half_width, rng, inside=inside)
        frames_rgb, facts = film(actors, place, camera, size, rng)
        people = [_person(actors, k, facts, fitted[k], key_frame, t, camera) for k in range(len(actors))]
        people = [with_shared(people, k, actors[k], np.abs(t) <= NEAR) for k in range(len(people))]
        return Scene(
            frames_rgb,
            fps,
            key_frame,
            tuple(people),
            _things(actors, place, facts, key_frame, camera),
            place.kind,
            (framing,),
        )

    def _set_up(
        self, t: np.ndarray, rng: np.random.Generator, work: tuple[int, int], labels: str, *, inside: bool
    ) -> tuple[list[Actor], Camera, float, str]:
        """People in action before a camera, the tangent of half its horizontal angle, and how it frames them."""
        units = cast(self.rig, self.bodies, self.attributes, t, rng, labels=labels, inside=inside)
        framings = TRAINED if self.split == "train" else FRAMINGS
        framing = str(rng.choice(list(framings), p=list(framings.values())))
        half_width = float(np.tan(np.radians(rng.uniform(32, 76)) / 2))
        first = max(a.top for a in units[0])
        height = max(first, 1.2) / rng.uniform(*TALL[framing])  # metres that the picture shows at their distance
        half_width = max(half_width, height * work[0] / work[1] / 2 / FARTHEST[inside])
        if framing == "tight":  # from no nearer than people come to a camera, so through a longer lens
            half_width = height * work[0] / work[1] / 2 / rng.uniform(1.3, 2.4)
        depth = max(height * work[0] / work[1] / (2 * half_width), 1.1)
        actors = arrange(units, rng, depth=depth, half_width=half_width, cut=framing == "tight")
        for actor in actors:
            if actor.deed.seat == "bed":
                actor.raised = float(rng.uniform(0.3, 0.6))
            act(actor)
        near = np.abs(t) <= NEAR
        camera = aim_camera(
            t,
            rng,
            size=work,
            half_width=half_width,
            framing=framing,
            subject=(float(actors[0].at[0]), depth, first),
            spans=[_span(a, near) for a in actors],
            framed=len(units[0]),
        )
        return actors, camera, half_width, framing

    def _furnish(
        self, actors: list[Actor], camera: Camera, half_width: float, rng: np.random.Generator, *, inside: bool
    ) -> tuple[Place, list[dict[str, list[int]]]]:
        """The place around the actors, with what they sit, lie and work on; by actor and name, meshes of the last."""
        far = max(float(a.vertices[:, :, 1].max()) for a in actors)
        taken = [(0.0, 0.0, 0.8)]
        for a in actors:
            low, high = a.vertices[..., :2].min((0, 1)), a.vertices[..., :2].max((0, 1))
            steps = max(int(np.abs(high - low).max() / 0.8), 1)
            path = a.vertices[:: max(len(a.vertices) // (4 * steps), 1), :, :2]
            taken += [(*p.mean(0), float(np.abs(p - p.mean(0)).max())) for p in path]
            for thing in a.deed.fixtures:
                floor = a.world(np.stack([thing.vertices[:, :2].min(0), thing.vertices[:, :2].max(0)]))
                taken.append((*floor.mean(0), float(np.linalg.norm(floor[1] - floor[0]) / 2)))
        kinds = [k for k in KINDS if (PLANS[k].high is not None) == inside]
        place = build_place(
            kinds[rng.integers(len(kinds))],
            rng,
            far=far,
            half_width=half_width,
            camera_height=camera.height,
            taken=taken,
            texture_seed=SEEDS[self.split],
        )
        for a in actors:
            self._support(a, place, rng)
        return place, [self._fit(a, place, rng) for a in actors]

    def _support(self, actor: Actor, place: Place, rng: np.random.Generator) -> None:
        material, colour = dyed_material(rng) if rng.random() < 0.5 else (random_material(rng, "plain", "wood"), None)
        if actor.deed.seat == "chair":
            at, height = seat_of(actor, self.rig)
            kind = rng.random()
            back = kind < 0.65 and actor.figure.look.carried is None
            place.add(
                chair(at, actor.heading, height, rng, back=back, wide=1.4 if kind > 0.8 else 0.48),
                material,
                "chair" if back else "bench",
                colour,
            )
        elif actor.deed.seat == "bed":
            low, high = actor.joints[0, :, :2].min(0), actor.joints[0, :, :2].max(0)
            mesh, faces = cuboid(
                (1.0, actor.figure.body.height * 1.12, actor.raised), (0, 0, actor.raised / 2), actor.heading
            )
            place.add((mesh + np.append((low + high) / 2, 0).astype(np.float32), faces), material, "bed", colour)

    def _fit(self, actor: Actor, place: Place, rng: np.random.Generator) -> dict[str, list[int]]:
        """Put the still things of a deed before its actor; the part of the first colour may be spoken of."""
        meshes: dict[str, list[int]] = {}
        outer = turn(2, np.array([actor.heading]))[0].T
        for thing in actor.deed.fixtures:
            points = (thing.vertices @ outer + np.append(actor.at, 0)).astype(np.float32)
            colours = thing.colours or (thing.colour or "brown",)
            which = np.zeros(len(thing.faces), int) if thing.face_colour is None else thing.face_colour
            for k, colour in enumerate(colours):
                tint = shade(colour, rng)
                name = thing.name if k == 0 and thing.named else None
                index = place.add((points, thing.faces[which == k]), Material("plain", tint, tint), name, thing.colour)
                meshes.setdefault(thing.name, []).append(index)
        return meshes


def _area(box: np.ndarray) -> float:
    return 0.0 if np.isnan(box).any() else float((box[2] - box[0]) * (box[3] - box[1]))


def _span(actor: Actor, near: np.ndarray) -> tuple[float, float, float]:
    """Distance, and heights of the lowest and the highest point, over the frames ``near`` the key frame (T,)."""
    joints = actor.joints[near]
    high = joints[:, HEAD, 2].max() + 0.13 * actor.figure.body.height
    return max(float(joints[:, ROOT, 1].min()), 0.5), max(float(joints[..., 2].min()) - 0.08, 0.0), float(high)


def _in_view(actor: Actor, camera: Camera, frame: int) -> bool:
    """Whether most of an actor is in the picture, whatever stands before."""
    at = camera.project(actor.joints[frame], frame)
    inside = (
        (at[:, 2] > 0.1) & (at[:, :2] > 0).all(1) & (at[:, :2] < at[:, 2:] * (camera.width, camera.height_px)).all(1)
    )
    return bool(inside.mean() > 0.4)


def _facing(actor: Actor, key: int) -> str:
    """Where the chest points at the key frame, in the picture."""
    d, c = actor.front[key, :2], actor.joints[key, 0, :2]
    angle = (np.arctan2(-c[1], -c[0]) - np.arctan2(d[1], d[0]) + np.pi) % (2 * np.pi) - np.pi
    if abs(angle) < np.radians(50):
        return "camera"
    if abs(angle) > np.radians(130):
        return "away"
    return "left" if angle > 0 else "right"


def _things(actors: list[Actor], place: Place, facts: Facts, key: int, camera: Camera) -> tuple[Thing, ...]:
    """What has a name and is seen at the key frame: of the place, and in hands."""
    out = []
    for which, boxes in facts.things.items():
        if isinstance(which, tuple):
            prop = actors[which[0]].deed.pose.props[which[1]]
            told: tuple[str, str | None] = (prop.name, prop.colour)
            at = actors[which[0]].joints[key, ROOT]
        else:
            told, at = place.named[which], place.meshes[which][0].mean(0)
        if _area(boxes[key]) > 0.0004:
            out.append(Thing(*told, boxes, _depth(at, camera, key)))
    return tuple(out)


def _depth(at: np.ndarray, camera: Camera, frame: int) -> float:
    """Metres from the camera's plane of a point (3,)."""
    return float(((at - camera.centre) @ camera.turns[frame])[2])


def _person(
    actors: list[Actor], k: int, facts: Facts, fitted: dict[str, list[int]], key: int, t: np.ndarray, camera: Camera
) -> Person:
    """What is true of one actor, as far as it is seen."""
    actor, near = actors[k], np.abs(t) <= NEAR
    look, deed = actor.figure.look, actor.deed
    pixels = {name: facts.areas[meshes].sum(0) // FIXTURE for name, meshes in fitted.items()}
    for j, prop in enumerate(deed.pose.props):
        pixels[prop.name] = pixels.get(prop.name, 0) + facts.props[k][:, j]
        if prop.hold == "back" and facts.props[k][key, j] < 4 * MIN_PROP:
            look = replace(look, carried=None)
    for j in actor.partners:  # what passes from hand to hand is one's first
        for i, prop in enumerate(actors[j].deed.pose.props):
            if prop.hold != "back":
                pixels.setdefault(prop.name, facts.props[j][:, i])
    way = camera.centre - actor.joints[:, CHEST]
    turned = (way[:, :2] * actor.front[:, :2]).sum(1) / np.maximum(
        np.linalg.norm(way[:, :2], axis=1) * np.linalg.norm(actor.front[:, :2], axis=1), 1e-6
    )
    company = max((float((facts.visible[j][near] > 0.2).mean()) for j in actor.partners), default=None)
    holding = deed.holding if deed.holding in pixels and pixels[deed.holding][key] >= MIN_PROP else None
    if holding == "bag":
        look = replace(look, carried=look.carried or "bag")
    return Person(
        look,
        facts.box[k],
        facts.full[k],
        facts.visible[k],
        _depth(actor.joints[key, ROOT], camera, key),
        _facing(actor, key),
        tuple(sorted(seen_actions(deed, pixels, facts.joints_seen[k], near, company=company, turned=turned))),
        deed.posture,
        holding,
        facts.joints[k],
        facts.joints_seen[k],
        facts.hidden_by[k],
    )
