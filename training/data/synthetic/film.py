"""Filming: from people and a place to frames, and what is seen in them."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from . import raster
from .camera import Camera, widened
from .facts import JOINTS
from .people.bodies import vertex_normals
from .people.wardrobe import PROP, shade
from .raster import Buffer, Hits, Lamp
from .sites.places import SKY, Place
from .stage import Actor

MIN_PIXELS = 12  # of a body in the working frame, to have a box
MIN_THING = 8  # of a thing
DEEP = np.full(len(JOINTS), 0.2)  # how far under the skin a joint may lie, metres
DEEP[[10, 13, 12, 15, 9]] = 0.13


@dataclass
class Facts:
    """What is seen of P people and their props, and of things, in T frames; boxes are fractions of the frame.

    box, full: (P, T, 4), visible and full. visible: share (P, T). joints: (P, T, J, 2), fractions; joints_seen.
    hidden_by: (P, T, P + 1), the last for things. props: pixels of each person's props, (T, props) each.
    things: by id, boxes (T, 4): of named meshes of the place, and of (person, prop). areas: pixels of meshes (M, T).
    """

    box: np.ndarray
    full: np.ndarray
    visible: np.ndarray
    joints: np.ndarray
    joints_seen: np.ndarray
    hidden_by: np.ndarray
    props: list[np.ndarray]
    areas: np.ndarray
    things: dict = field(default_factory=dict)

    @classmethod
    def empty(cls, actors: list[Actor], meshes: int, frames: int) -> "Facts":
        count, joints = len(actors), len(JOINTS)
        return cls(
            np.full((count, frames, 4), np.nan),
            np.full((count, frames, 4), np.nan),
            np.zeros((count, frames)),
            np.full((count, frames, joints, 2), np.nan),
            np.zeros((count, frames, joints), bool),
            np.zeros((count, frames, count + 1)),
            [np.zeros((frames, len(a.deed.pose.props)), int) for a in actors],
            np.zeros((meshes, frames), int),
        )


@dataclass
class Still:
    """The empty place in a wide view: linear colours and, in a fourth channel, the share of light without the lamp.

    picture: (H, W, 4). distance: (H, W), metres. ids: (H, W), index of the mesh or ``SKY``, float32 for warping.
    """

    picture: np.ndarray
    distance: np.ndarray
    ids: np.ndarray
    homographies: np.ndarray

    def seen(self, camera: Camera, frame: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What a frame shows: colours (H, W, 3), ratio, distance and ids (H, W), all fresh arrays."""
        size, h = (camera.width, camera.height_px), self.homographies[frame]
        warp = lambda a, how: cv2.warpPerspective(  # noqa: E731
            a, h, size, flags=how | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
        picture = warp(self.picture, cv2.INTER_LINEAR)
        return (
            np.ascontiguousarray(picture[..., :3]),
            np.ascontiguousarray(picture[..., 3]),
            warp(self.distance, cv2.INTER_NEAREST),
            warp(self.ids, cv2.INTER_NEAREST).astype(np.int32),
        )


def draw_place(place: Place, camera: Camera) -> Still:
    """Draw the place without people, as seen by the widened camera."""
    wide, homographies = widened(camera, 1.0)
    shape = wide.height_px, wide.width
    vertices = np.concatenate([v for v, _ in place.meshes]).astype(np.float32)
    start = np.cumsum([0] + [len(v) for v, _ in place.meshes])
    faces = np.concatenate([f + s for (_, f), s in zip(place.meshes, start, strict=False)]).astype(np.int32)
    owner = np.concatenate([np.full(len(f), i, np.int32) for i, (_, f) in enumerate(place.meshes)])
    buffer = Buffer(wide.width, wide.height_px)
    buffer.draw(wide.project(vertices, 0), faces)
    hits = buffer.hits(wide.focals[0])
    flat = np.zeros(len(faces), bool)
    points, normals = raster.surface(
        hits.face, hits.u, hits.v, faces, vertices, vertices, flat, wide.centre.astype(np.float64)
    )
    kinds = owner[hits.face]
    albedo = place.paint(kinds, points, normals)
    low, high = np.array([-12.0, 0.5, 0.0]), np.array([12.0, 24.0, 3.0])
    lamp = Lamp(place.light, low, high, 1024)
    lamp.cast([m for m in place.meshes if (np.ptp(m[0], 0) < 7).all() and m[0][:, 2].min() < 2.2])
    kept = raster.shadow(points + normals * 0.02, lamp.map, lamp.matrix, lamp.shift, 0.0)
    light = raster.lit(normals, place.light, place.sun, place.ambient, kept)
    dark = raster.lit(normals, place.light, 0 * place.sun, place.ambient, kept)
    picture = np.ones((*shape, 4), np.float32)
    rays = wide.rays(0).reshape(-1, 3) @ wide.turns[0].T.astype(np.float32)
    picture[..., :3] = place.paint_sky(rays).reshape(*shape, 3)
    glow = place.emission[kinds, None]
    picture[hits.y, hits.x, :3] = albedo * (light + glow)
    picture[hits.y, hits.x, 3] = (dark + glow).sum(1) / np.maximum((light + glow).sum(1), 1e-6)
    distance, ids = np.full(shape, raster.FAR, np.float32), np.full(shape, SKY, np.float32)
    distance[hits.y, hits.x], ids[hits.y, hits.x] = hits.distance, kinds
    return Still(picture, distance, ids, homographies)


def film(
    actors: list[Actor], place: Place, camera: Camera, size: tuple[int, int], rng: np.random.Generator
) -> tuple[np.ndarray, Facts]:
    """Render all frames; returns RGB (T, H, W, 3) uint8 and what was seen."""
    still, grade, frames = draw_place(place, camera), Grade(rng, size), len(camera.turns)
    facts = Facts.empty(actors, len(place.meshes), frames)
    every = np.concatenate([a.vertices.reshape(-1, 3) for a in actors])
    low, high = every.min(0) - 0.1, every.max(0) + 0.1
    low[2] = 0
    lamp = Lamp(place.light, low, high, 384)
    floor = Ground(low[:2] - 0.5, high[:2] + 0.5)
    colours = [prop_colours(a, rng) for a in actors]
    buffer = Buffer(camera.width, camera.height_px)
    out = np.empty((frames, size[1], size[0], 3), np.uint8)
    for frame in range(frames):
        image, ratio, depth, objects = still.seen(camera, frame)
        lamp.cast([(a.vertices[frame], a.faces) for a in actors])
        floor.press([a.joints[frame] for a in actors])
        raster.darken(
            image, ratio, depth, camera.focals[frame], camera.centre.astype(np.float64), camera.turns[frame],
            lamp.map, lamp.matrix, lamp.shift, floor.near, floor.corner, floor.cell,
        )  # fmt: skip
        owner = np.full(depth.shape, -1, np.int32)
        hits: list[Hits] = []
        for k, actor in enumerate(actors):
            points = camera.project(actor.vertices[frame], frame)
            buffer.draw(points, actor.faces)
            hits.append(buffer.hits(camera.focals[frame]))
            body = len(actor.figure.rest)
            box, inside = raster.extent(points[:body], actor.figure.faces, camera.width, camera.height_px)
            facts.full[k, frame] = box / (camera.width, camera.height_px, camera.width, camera.height_px)
            facts.visible[k, frame] = inside  # of the body; what hides it comes below
            raster.compose(hits[k].x, hits[k].y, hits[k].distance, k, depth, owner)
        for k, actor in enumerate(actors):
            _paint(actor, frame, hits[k].take(owner[hits[k].y, hits[k].x] == k), place, lamp, camera, colours[k], image)
        _measure(actors, frame, hits, depth, owner, objects, place, camera, facts)
        out[frame] = grade(image, frame)
    return out, facts


class Ground:
    """How close bodies are over the floor, on a grid (G, G) of square cells."""

    def __init__(self, low: np.ndarray, high: np.ndarray, grid: int = 160) -> None:
        self.corner, self.cell, self.grid = low.astype(np.float64), float((high - low).max() / grid), grid
        self.near = np.zeros((grid, grid), np.float32)

    def press(self, bodies: list[np.ndarray]) -> None:
        """Note where joints (J, 3) of each body are low."""
        self.near.fill(0)
        for joints in bodies:
            for x, y, z in joints:
                if z < 0.5:
                    at = ((x - self.corner[0]) / self.cell, (y - self.corner[1]) / self.cell)
                    mark = np.zeros_like(self.near)
                    centre = (round(float(at[0])), round(float(at[1])))
                    cv2.circle(mark, centre, max(round(0.13 / self.cell), 1), 1 - float(z) / 0.5, -1)
                    np.maximum(self.near, mark, out=self.near)
        self.near[:] = cv2.GaussianBlur(self.near, (0, 0), max(0.07 / self.cell, 0.6))


def _paint(
    actor: Actor,
    frame: int,
    seen: Hits,
    place: Place,
    lamp: Lamp,
    camera: Camera,
    colours: np.ndarray,
    image: np.ndarray,
) -> None:
    """Paint an actor's visible pixels into the image."""
    if not len(seen):
        return
    part = actor.parts[seen.face]
    own = part < PROP
    vertices = actor.vertices[frame]
    points, normals = raster.surface(
        seen.face, seen.u, seen.v, actor.faces, vertices, vertex_normals(vertices, actor.faces), actor.parts < PROP,
        camera.centre.astype(np.float64),
    )  # fmt: skip
    albedo = colours[seen.face]
    albedo[own] = actor.figure.paint(seen.face[own], seen.u[own], seen.v[own])
    kept = raster.shadow(points + normals * 0.03, lamp.map, lamp.matrix, lamp.shift, -0.03)
    image[seen.y, seen.x] = albedo * raster.lit(normals, place.light, place.sun, place.ambient, kept)


def _measure(
    actors: list[Actor],
    frame: int,
    hits: list[Hits],
    depth: np.ndarray,
    owner: np.ndarray,
    objects: np.ndarray,
    place: Place,
    camera: Camera,
    facts: Facts,
) -> None:
    """Write down a frame's boxes, visible shares, hiders and joints."""
    scale = np.array([camera.width, camera.height_px] * 2, float)
    count = len(actors)
    labels = np.full(depth.shape, -1, np.int32)  # body pixels by person, then props
    first = count
    for k, (actor, hit) in enumerate(zip(actors, hits, strict=True)):
        part = actor.parts[hit.face]
        mine, own = owner[hit.y, hit.x] == k, part < PROP
        body = hit.take(own)
        owners = owner[body.y, body.x]
        hiders = np.bincount(np.where(owners < 0, count, owners), minlength=count + 1)
        hiders[k] = 0
        facts.visible[k, frame] *= 1 - hiders.sum() / max(len(body), 1)
        facts.hidden_by[k, frame] = hiders / max(len(body), 1)
        labels[hit.y[mine], hit.x[mine]] = np.where(own[mine], k, first + part[mine] - PROP)
        first += len(actor.deed.pose.props)
        _joints(actor, k, frame, depth, owner, camera, facts)
    boxes, area = _boxes(labels, first)
    for k in range(count):
        if area[k] >= MIN_PIXELS:
            facts.box[k, frame] = boxes[k] / scale
    first = count
    for k, actor in enumerate(actors):
        for j in range(len(actor.deed.pose.props)):
            facts.props[k][frame, j] = area[first + j]
            _note(facts, (k, j), frame, boxes[first + j] / scale, area[first + j])
        first += len(actor.deed.pose.props)
    objects = np.where(owner >= 0, -1, objects)
    boxes, area = _boxes(objects, len(place.meshes))
    facts.areas[:, frame] = area
    for i in place.named:
        _note(facts, i, frame, boxes[i] / scale, area[i])


def _note(facts: Facts, thing: object, frame: int, box: np.ndarray, area: int) -> None:
    if area >= MIN_THING:
        facts.things.setdefault(thing, np.full((facts.box.shape[1], 4), np.nan))[frame] = box


def _boxes(labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Tight boxes (count, 4) in pixels and areas (count,) of labelled pixels."""
    boxes, area = np.tile(np.array([1e6, 1e6, 0, 0]), (count, 1)), np.zeros(count, np.int64)
    raster.bounds(labels, boxes, area)
    return boxes, area


def _joints(
    actor: Actor, k: int, frame: int, depth: np.ndarray, owner: np.ndarray, camera: Camera, facts: Facts
) -> None:
    """Where joints are in the picture, and whether anything stands before them."""
    at = camera.project(actor.joints[frame].astype(np.float32), frame)
    front = at[:, 2] > raster.NEAR
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = at[:, :2] / at[:, 2:]
    pixels[~front] = np.nan
    facts.joints[k, frame] = pixels / (camera.width, camera.height_px)
    inside = front & (np.nan_to_num(pixels, nan=-1) >= 0).all(1)
    inside &= (np.nan_to_num(pixels) < (camera.width, camera.height_px)).all(1)
    x, y = (np.nan_to_num(pixels[:, i] * inside).astype(int) for i in (0, 1))
    distance = np.linalg.norm(actor.joints[frame] - camera.centre, axis=-1)
    facts.joints_seen[k, frame] = inside & ((owner[y, x] == k) | (owner[y, x] < 0)) & (distance - depth[y, x] < DEEP)


class Grade:
    """What lens, sensor and codec do: exposure, cast, vignette, blur, noise, JPEG; the same for the whole clip."""

    def __init__(self, rng: np.random.Generator, size: tuple[int, int]) -> None:
        self.rng, self.size = rng, size
        self.gain = (rng.uniform(0.85, 1.25) * (1 + rng.normal(0, 0.035, 3))).astype(np.float32)
        y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
        self.vignette = (1 - rng.uniform(0, 0.25) * (x**2 + y**2) / 2)[..., None].astype(np.float32)
        self.blur, self.noise = rng.uniform(0, 0.9), min(rng.gamma(1.5, 1.8), 9.0)
        self.quality = int(rng.integers(45, 97)) if rng.random() < 0.5 else None
        self.contrast, self.black = rng.uniform(0.85, 1.15), rng.uniform(-4, 10)
        self.grain = rng.standard_normal((size[1] + 64, size[0] + 64, 3), dtype=np.float32) * self.noise
        saturation = rng.uniform(0.8, 1.12)
        self.mix = (saturation * np.eye(3) + (1 - saturation) / 3).astype(np.float32)
        light = np.linspace(0, 2, 4096)
        light = np.where(light > 0.8, 0.8 + 0.2 * np.tanh((light - 0.8) / 0.4), light)
        self.curve = ((light ** (1 / 2.2) * 255 - 118) * self.contrast + 118 + self.black).astype(np.float32)

    def __call__(self, image: np.ndarray, frame: int) -> np.ndarray:
        small = cv2.resize(image, self.size, interpolation=cv2.INTER_AREA) * (self.gain * self.vignette)
        out = self.curve[np.clip(small * 2047, 0, 4095).astype(np.int16)]
        out = np.asarray(cv2.transform(out, self.mix), np.float32)
        if self.blur > 0.35:
            out = np.asarray(cv2.GaussianBlur(out, (0, 0), self.blur), np.float32)
        dy, dx = self.rng.integers(0, 64, 2)
        out += self.grain[dy : dy + out.shape[0], dx : dx + out.shape[1]]
        out = np.clip(out, 0, 255).astype(np.uint8)
        if self.quality is None:
            return out
        coded = cv2.imencode(".jpg", out[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1]
        decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        assert decoded is not None  # we have just coded it
        return decoded[..., ::-1]


def prop_colours(actor: Actor, rng: np.random.Generator) -> np.ndarray:
    """Linear colours (F, 3) of the faces of props; black where a face is of the body."""
    out = np.zeros((len(actor.faces), 3), np.float32)
    for k, prop in enumerate(actor.deed.pose.props):
        tints = np.stack([shade(c, rng) for c in prop.colours or (prop.colour,)])
        out[actor.parts == PROP + k] = tints[0 if prop.face_colour is None else prop.face_colour]
    return out
