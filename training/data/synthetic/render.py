"""The studio: one seed, one clip of rendered people in a rendered place, with everything that is true of it.

To look at some clips:

    python -m training.data.synthetic.render --split train --seed 0 --clips 12 --out sheet.png
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from . import places
from .bodies import load_bank
from .camera import Camera, aim_camera, widened
from .casting import cast
from .facts import Person, Scene, Thing
from .places import FLOOR, KINDS, Place, build_place, chair
from .props import cuboid, laptop
from .stage import Actor, act, arrange, seat_of
from .tracing import floor_shadows, paint, prop_colours, trace_people, trace_place
from .wardrobe import PROP, canon_attributes, shade

SEEDS = {"train": 1, "val": 2, "test": 3, "samples": 4}
OBJECT_ACTIONS = {"phone": {15, 57}, "book": {48}, "cup": {27}, "box": {17, 36}, "bag": {17}, "ball": {17, 58, 35}}
SUPERSAMPLE = 1.35
CHUNK = 8  # frames traced together


class Studio:
    """Renders clips with one split's bodies and places.

    Args:
        split: "train", "val", "test" or "samples"; bodies and places differ between them.
        cache_dir: Where the bank of bodies is kept.
        bodies: Use only so many bodies, for tests.
    """

    def __init__(self, split: str, *, cache_dir: Path | None = None, bodies: int | None = None) -> None:
        cv2.setNumThreads(1)
        self.split = split
        self.rig, self.bodies = load_bank(split, cache_dir=cache_dir, count=bodies)
        self.attributes = canon_attributes(self.rig)

    def shoot(
        self, seed: int, *, size: tuple[int, int] = (320, 180), frames: int = 8, fps: float = 3.0, key_frame: int = 4
    ) -> Scene:
        """Render one clip; the same (split, seed) gives the same clip.

        Args:
            seed: Any non-negative number.
            size: Width and height in pixels.
            frames: Frames of the clip; motions are functions of seconds from the key frame, so any number will do.
            fps: Frames a second.
            key_frame: Index of the frame at which what is told is true.
        """
        for attempt in range(6):
            rng = np.random.default_rng((SEEDS[self.split], seed, attempt))
            scene = self._try(rng, size, frames, fps, key_frame)
            if any(p.visible[key_frame] > 0.4 and _area(p.boxes_xyxy[key_frame]) > 0.006 for p in scene.people):
                break
        return scene

    def _try(self, rng: np.random.Generator, size: tuple[int, int], frames: int, fps: float, key_frame: int) -> Scene:
        t = (np.arange(frames) - key_frame) / fps
        work = (round(size[0] * SUPERSAMPLE), round(size[1] * SUPERSAMPLE))
        units = cast(self.rig, self.bodies, self.attributes, t, rng)
        framing = str(rng.choice(["wide", "medium", "close"], p=(0.42, 0.32, 0.26)))
        half_width = float(np.tan(np.radians(rng.uniform(35, 78)) / 2))
        tall = {"wide": rng.uniform(0.34, 0.68), "medium": rng.uniform(0.6, 1.05), "close": rng.uniform(1.2, 2.1)}[
            framing
        ]
        first = max(a.top for a in units[0])
        depth = max(max(first, 1.2) / tall * work[0] / work[1] / (2 * half_width), 1.35)
        actors = arrange(units, rng, depth=depth, half_width=half_width)
        for actor in actors:
            if actor.deed.seat == "bed":
                actor.raised = float(rng.uniform(0.3, 0.6))
            act(actor)
        camera = aim_camera(
            t,
            rng,
            size=work,
            half_width=half_width,
            depth=depth,
            top=first,
            close=framing == "close",
            heads=[(a.at[1], a.top) for a in actors],
        )
        place = self._furnish(actors, camera, half_width, rng)
        frames_rgb, facts = film(actors, place, camera, size, key_frame, rng)
        people = tuple(_person(a, actors, facts, k, key_frame, camera) for k, a in enumerate(actors))
        return Scene(frames_rgb, fps, key_frame, people, facts["things"], place.kind, (framing,))

    def _furnish(self, actors: list[Actor], camera: Camera, half_width: float, rng: np.random.Generator) -> Place:
        """The place around the actors, with what they sit, lie and work on."""
        far = max(float(a.vertices[:, :, 1].max()) for a in actors)
        taken = [(0.0, 0.0, 0.8)]
        for a in actors:
            low, high = a.vertices[..., :2].min((0, 1)), a.vertices[..., :2].max((0, 1))
            steps = max(int(np.abs(high - low).max() / 0.8), 1)
            path = a.vertices[:: max(len(a.vertices) // (4 * steps), 1), :, :2]
            taken += [(*p.mean(0), float(np.abs(p - p.mean(0)).max())) for p in path]
        place = build_place(
            str(rng.choice(KINDS)), rng, far=far, half_width=half_width, camera_height=camera.height, taken=taken
        )
        for a in actors:
            self._support(a, place, rng)
        return place

    def _support(self, actor: Actor, place: Place, rng: np.random.Generator) -> None:
        material, colour = places._dyed(rng) if rng.random() < 0.5 else (places._pick(rng, "plain", "wood"), None)
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
            if actor.deed.table:
                self._desk(actor, at, height, place, rng)
        elif actor.deed.seat == "bed":
            low, high = actor.joints[0, :, :2].min(0), actor.joints[0, :, :2].max(0)
            mesh, faces = cuboid(
                (1.0, actor.figure.body.height * 1.12, actor.raised), (0, 0, actor.raised / 2), actor.heading
            )
            place.add((mesh + np.append((low + high) / 2, 0).astype(np.float32), faces), material, "bed", colour)

    def _desk(self, actor: Actor, at: np.ndarray, seat: float, place: Place, rng: np.random.Generator) -> None:
        forward = np.array([np.sin(actor.heading), -np.cos(actor.heading)])
        hands = actor.joints[0, (10, 13)].mean(0)
        top = float(hands[2] - 0.075)
        near = at + forward * (np.dot(hands[:2] - at, forward) + 0.1)
        desk, faces = cuboid((1.1, 0.6, 0.04), (0, 0, top - 0.02), actor.heading)
        legs = [cuboid((0.05, 0.5, top - 0.04), (x, 0, (top - 0.04) / 2)) for x in (-0.5, 0.5)]
        c, s = np.cos(actor.heading), np.sin(actor.heading)
        spin = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
        where = np.append(near, 0)
        place.add((desk + where.astype(np.float32), faces), places._pick(rng, "wood", "plain"), "desk")
        for points, leg in legs:
            place.add(((points @ spin + where).astype(np.float32), leg), places._pick(rng, "plain"))
        item = laptop("free", rng)
        spot = np.append(at + forward * (np.dot(hands[:2] - at, forward) + 0.08), top + 0.015)
        paint_ = shade(item.colour, rng)
        place.add(
            ((item.vertices @ spin + spot).astype(np.float32), item.faces),
            places.Material("plain", paint_, paint_),
            "laptop",
            item.colour,
        )


def _area(box: np.ndarray) -> float:
    return 0.0 if np.isnan(box).any() else float((box[2] - box[0]) * (box[3] - box[1]))


def _seen_through(picture: np.ndarray, camera: Camera, homography: np.ndarray, how: int) -> np.ndarray:
    """What a frame shows of a picture of the wide view."""
    size = (camera.width, camera.height_px)
    return cv2.warpPerspective(
        picture, homography, size, flags=how | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )


def film(
    actors: list[Actor], place: Place, camera: Camera, size: tuple[int, int], key_frame: int, rng: np.random.Generator
) -> tuple[np.ndarray, dict]:
    """Render all frames; returns RGB (T, H, W, 3) and what was seen: boxes, visible shares, pixels of props, things."""
    wide, homographies = widened(camera, 0.85)
    still, distance, ids = trace_place(place, wide)
    colours = [prop_colours(a, rng) for a in actors]
    grade = Grade(rng, size)
    count = len(camera.turns)
    facts: dict[str, Any] = {
        "box": np.full((len(actors), count, 4), np.nan),
        "full": np.full((len(actors), count, 4), np.nan),
        "visible": np.zeros((len(actors), count)),
    }
    facts["props"] = [np.zeros((count, len(a.deed.pose.props))) for a in actors]
    moving = [(k, j, p) for k, a in enumerate(actors) for j, p in enumerate(a.deed.pose.props)]
    boxes: dict[Any, np.ndarray] = {
        **{i: np.full((count, 4), np.nan) for i in place.named},
        **{(k, j): np.full((count, 4), np.nan) for k, j, _ in moving},
    }
    out = np.empty((count, size[1], size[0], 3), np.uint8)
    for start in range(0, count, CHUNK):
        frames = list(range(start, min(start + CHUNK, count)))
        records = trace_people(actors, camera, frames)
        for frame in frames:
            image, depth, objects = (
                _seen_through(picture, camera, homographies[frame], how)
                for picture, how in (
                    (still, cv2.INTER_LINEAR),
                    (distance, cv2.INTER_NEAREST),
                    (ids.astype(np.float32), cv2.INTER_NEAREST),
                )
            )
            dark = floor_shadows(actors, camera, place.light, frame) * (objects == FLOOR)
            image *= (1 - 0.75 * dark)[..., None]
            _compose(
                [r for r in records if r["frame"] == frame], actors, place, colours, image, depth, objects, facts, boxes
            )
            out[frame] = grade(image, frame)
    names: dict[Any, tuple[str, str | None]] = {**place.named, **{(k, j): (p.name, p.colour) for k, j, p in moving}}
    facts["things"] = tuple(
        Thing(*names[i], b)
        for i, b in boxes.items()
        if not np.isnan(b[key_frame]).any() and _area(b[key_frame]) > 0.0004
    )
    return out, facts


def _compose(
    records: list[dict],
    actors: list[Actor],
    place: Place,
    colours: list,
    image: np.ndarray,
    depth: np.ndarray,
    objects: np.ndarray,
    facts: dict,
    boxes: dict,
) -> None:
    """Put a frame's people into the picture by distance; write who is seen where."""
    height, width = depth.shape
    scale = np.array([width, height, width, height])
    owner = np.full(depth.shape, -1)
    for k, r in enumerate(records):
        if "t" not in r:
            continue
        nearer = r["t"] < depth[r["y"], r["x"]]
        y, x = r["y"][nearer], r["x"][nearer]
        depth[y, x], owner[y, x] = r["t"][nearer], k
    for k, r in enumerate(records):
        if "t" not in r or not len(r["t"]):
            continue
        actor, who, frame = actors[r["who"]], r["who"], r["frame"]
        seen = owner[r["y"], r["x"]] == k
        part = actor.parts[r["face"]]
        own = part < PROP
        facts["full"][who, frame] = r["box"] / scale
        shown = seen & own
        if own.any():
            facts["visible"][who, frame] = shown.sum() / own.sum() * r["inside"]
        if shown.sum() >= 12:
            facts["box"][who, frame] = _tight(r["x"][shown], r["y"][shown]) / scale
        for j in range(len(colours[who])):
            on = seen & (part == PROP + j)
            facts["props"][who][frame, j] = on.sum()
            if on.sum() >= 6:
                boxes[who, j][frame] = _tight(r["x"][on], r["y"][on]) / scale
        if seen.any():
            image[r["y"][seen], r["x"][seen]] = paint(actor, r, seen, place, colours[who])
    objects = np.where(owner >= 0, -1, objects)[::2, ::2]
    frame = records[0]["frame"] if records else 0
    for i in place.named:
        y, x = np.nonzero(objects == i)
        if len(x) >= 6:
            boxes[i][frame] = _tight(x, y) * 2 / scale


def _tight(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.array([x.min(), y.min(), x.max() + 1, y.max() + 1], float)


class Grade:
    """What lens, sensor and codec do: exposure, cast, vignette, blur, noise, JPEG; the same for the whole clip."""

    def __init__(self, rng: np.random.Generator, size: tuple[int, int]) -> None:
        self.rng, self.size = rng, size
        self.gain = (rng.uniform(0.85, 1.3) * (1 + rng.normal(0, 0.035, 3))).astype(np.float32)
        y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
        self.vignette = (1 - rng.uniform(0, 0.22) * (x**2 + y**2) / 2)[..., None].astype(np.float32)
        self.blur, self.noise, self.quality = rng.uniform(0, 0.8), rng.uniform(0, 5), int(rng.integers(45, 96))
        self.contrast = rng.uniform(0.9, 1.12)
        self.grain = rng.standard_normal((size[1] + 64, size[0] + 64, 3), dtype=np.float32) * self.noise
        light = np.linspace(0, 2, 4096)
        light = np.where(light > 0.8, 0.8 + 0.2 * np.tanh((light - 0.8) / 0.4), light)
        self.curve = ((light ** (1 / 2.2) * 255 - 118) * self.contrast + 118).astype(np.float32)

    def __call__(self, image: np.ndarray, frame: int) -> np.ndarray:
        small = cv2.resize(image, self.size, interpolation=cv2.INTER_AREA) * (self.gain * self.vignette)
        out = self.curve[np.clip(small * 2047, 0, 4095).astype(np.int16)]
        if self.blur > 0.3:
            out = cv2.GaussianBlur(out, (0, 0), self.blur)
        dy, dx = self.rng.integers(0, 64, 2)
        out += self.grain[dy : dy + out.shape[0], dx : dx + out.shape[1]]
        out = np.clip(out, 0, 255).astype(np.uint8)
        coded = cv2.imencode(".jpg", out[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1]
        decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        assert decoded is not None  # we have just coded it
        return decoded[..., ::-1]


def _facing(actor: Actor, key: int) -> str:
    """Where the chest points at the key frame, in the picture."""
    d, c = actor.front[key, :2], actor.joints[key, 0, :2]
    angle = (np.arctan2(-c[1], -c[0]) - np.arctan2(d[1], d[0]) + np.pi) % (2 * np.pi) - np.pi
    if abs(angle) < np.radians(50):
        return "camera"
    if abs(angle) > np.radians(130):
        return "away"
    return "left" if angle > 0 else "right"


def _person(actor: Actor, actors: list[Actor], facts: dict, k: int, key: int, camera: Camera) -> Person:
    """What is true of one actor, labels that rest on an unseen object taken away."""
    look, deed = actor.figure.look, actor.deed
    actions, holding = set(deed.actions), deed.holding
    for j, prop in enumerate(deed.pose.props):
        pixels = facts["props"][k][:, j]
        if prop.hold == "back":
            look = look if pixels.max() >= 30 else replace(look, carried=None)
        elif pixels.max() < 6:
            actions -= OBJECT_ACTIONS.get(prop.name, set())
        if prop.name == holding and pixels[key] < 8:
            holding = None
    if holding == "bag":
        look = replace(look, carried=look.carried or "bag")
    depth = float(((actor.joints[key, 0] - camera.centre) @ camera.turns[key])[2])
    return Person(
        look,
        facts["box"][k],
        facts["full"][k],
        facts["visible"][k],
        depth,
        _facing(actor, key),
        tuple(sorted(actions)),
        deed.posture,
        holding,
    )


def contact_sheet(scenes: list[Scene], columns: int = 4) -> np.ndarray:
    """Rows of clips with boxes and labels, RGB."""
    rows = []
    for scene in scenes:
        picks = np.unique(np.linspace(0, len(scene.frames) - 1, columns).round().astype(int))
        picks[np.argmin(np.abs(picks - scene.key_frame))] = scene.key_frame
        row = []
        for f in picks:
            image = cv2.resize(scene.frames[f], None, fx=1.5, fy=1.5).copy()
            h, w = image.shape[:2]
            for n, p in enumerate(scene.people):
                b = p.boxes_xyxy[f]
                if np.isnan(b).any():
                    continue
                x0, y0, x1, y1 = (b * (w, h, w, h)).astype(int).tolist()
                colour = ((255, 60, 60), (60, 255, 60), (80, 120, 255), (255, 255, 0), (255, 0, 255))[n % 5]
                cv2.rectangle(image, (x0, y0), (x1 - 1, y1 - 1), colour, 1)
                if f == scene.key_frame:
                    look, actions = p.look, ",".join(map(str, p.actions))
                    text = f"{look.age[0]}{look.sex[0]} {look.top_colour} {look.top}/{look.bottom_colour or ''} "
                    text += f"{look.bottom or ''} {actions} {p.facing[0]} {p.visible[f]:.1f}"
                    cv2.putText(image, text, (4, h - 5 - 11 * n), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0), 3)
                    cv2.putText(image, text, (4, h - 5 - 11 * n), cv2.FONT_HERSHEY_SIMPLEX, 0.36, colour, 1)
            row.append(image)
        rows.append(np.concatenate(row, 1))
    return np.concatenate(rows, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--out", default="sheet.png")
    args = parser.parse_args()
    studio = Studio(args.split)
    scenes = [studio.shoot(args.seed + k) for k in range(args.clips)]
    cv2.imwrite(args.out, contact_sheet(scenes)[..., ::-1])


if __name__ == "__main__":
    main()
