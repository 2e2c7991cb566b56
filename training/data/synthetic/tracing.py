"""Ray casting with Embree: the still place once, the people frame by frame; light, shadows and who is seen where."""

from typing import Any

import cv2
import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from .bodies import PARENTS, vertex_normals
from .camera import Camera
from .places import SKY, Place
from .stage import Actor
from .wardrobe import PROP, shade

CELL = 50.0  # metres between the copies of people traced together


def _run(triangles: np.ndarray, origins: np.ndarray, directions: np.ndarray) -> dict[str, np.ndarray]:
    scene = EmbreeScene()
    mesh = TriangleMesh(scene, np.ascontiguousarray(triangles, np.float32))
    out = scene.run(np.ascontiguousarray(origins, np.float32), np.ascontiguousarray(directions, np.float32), output=1)
    del mesh
    return out


def trace_place(place: Place, camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The empty place: linear colours (H, W, 3), distances (H, W), object ids (H, W)."""
    h, w = camera.height_px, camera.width
    yy, xx = np.mgrid[:h, :w]
    rays = camera.rays(xx.ravel(), yy.ravel(), 0)
    triangles = np.concatenate([v[f] for v, f in place.meshes])
    owner = np.concatenate([np.full(len(f), i) for i, (_, f) in enumerate(place.meshes)])
    origins = np.broadcast_to(camera.centre, rays.shape)
    hit = _run(triangles, origins, rays)
    prim = hit["primID"]
    seen = prim >= 0
    image = place.paint_sky(rays)
    ids = np.where(seen, owner[np.maximum(prim, 0)], SKY)
    distance = np.where(seen, hit["tfar"], 1e3).astype(np.float32)
    tri = triangles[prim[seen]]
    normal = np.cross(tri[:, 1] - tri[:, 0], tri[:, 2] - tri[:, 0])
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-12
    normal *= -np.sign((normal * rays[seen]).sum(-1, keepdims=True))
    at = origins[seen] + rays[seen] * distance[seen, None]
    albedo = place.paint(ids[seen], at, normal)
    lit = np.ones(len(at), np.float32)
    toward = (normal @ place.light) > 0.02
    start = at[toward] + normal[toward] * 0.01
    blocked = _run(triangles, start, np.broadcast_to(place.light, start.shape))
    far = blocked["tfar"] < (2.5 if place.inside else 1e3)  # walls and ceilings do not darken a lamp-lit room
    lit[toward] = 1 - 0.85 * ((blocked["primID"] >= 0) & far)
    image[seen] = albedo * (light_on(place, normal, lit) + place.emission[ids[seen], None])
    return image.reshape(h, w, 3), distance.reshape(h, w), ids.reshape(h, w).astype(np.int32)


def light_on(place: Place, normal: np.ndarray, lit: np.ndarray | float = 1.0) -> np.ndarray:
    """Light (N, 3) that falls on surfaces: soft Lambert from one side, more sky than ground."""
    lambert = np.clip((normal @ place.light + 0.15) / 1.15, 0, 1) * lit
    hemisphere = 0.72 + 0.28 * normal[:, 2]
    return (lambert[:, None] * place.sun + hemisphere[:, None] * place.ambient).astype(np.float32)


def floor_shadows(actors: list[Actor], camera: Camera, light: np.ndarray, frame: int) -> np.ndarray:
    """How much of the sun people take from the floor (H, W) in [0, 1]: limbs drawn as thick lines along the light."""
    mask = np.zeros((camera.height_px, camera.width), np.float32)
    slope = light[:2] / max(light[2], 0.35)
    blur = 3.0
    for actor in actors:
        joints = actor.joints[frame]
        head = joints[7] + np.array([0, 0, 0.12])
        points = np.concatenate([joints, head[None]])
        ground = points - np.concatenate([slope, [1.0]]) * np.maximum(points[:, 2:], 0)
        pixels, depth = camera.project(ground, frame)
        for j, p in enumerate((*PARENTS, 7)):
            if p < 0 or depth[j] < 0.4 or depth[p] < 0.4:
                continue
            radius = 0.16 if j <= 5 else 0.1 if j == 20 else 0.06
            a, b = (np.clip(pixels[k], -3000, 3000).astype(int) for k in (j, p))
            cv2.line(mask, a.tolist(), b.tolist(), 0.62, max(int(2 * radius * camera.focal / depth[j] * 0.8), 1))
        feet, depth = camera.project(joints[[16, 19]] * (1, 1, 0), frame)
        for k in range(2):
            if depth[k] > 0.4 and joints[(16, 19)[k], 2] < 0.35:
                r = 0.16 * camera.focal / depth[k]
                centre = np.clip(feet[k], -3000, 3000).astype(int).tolist()
                cv2.ellipse(mask, centre, (max(int(r), 1), max(int(r * 0.4), 1)), 0, 0, 360, 0.8, -1)
        blur = max(blur, 0.045 * camera.focal / max(depth.min(), 1.0))
    return cv2.GaussianBlur(mask, (0, 0), min(blur, 9.0) * 0.7)


def trace_people(actors: list[Actor], camera: Camera, frames: list[int]) -> list[dict]:
    """Cast rays at every actor in every frame, each alone.

    Returns:
        One record per (frame, actor) with pixels ``x``, ``y``, distance ``t``, local ``face``, ``u``, ``v``, ``box`` of
        the whole body in pixels, and ``inside``: the share of the body's projected area within the frame.
    """
    records: list[dict[str, Any]] = []
    triangles, origins, directions, starts, counts = [], [], [], [0], []
    for frame in frames:
        for who, actor in enumerate(actors):
            vertices = actor.vertices[frame]
            pixels, depth = camera.project(vertices, frame)
            record: dict[str, Any] = {"frame": frame, "who": who, **_extent(actor, pixels, depth, camera)}
            x0, y0 = np.floor(pixels[depth > 0.06].min(0) if (depth > 0.06).any() else (1e6, 1e6))
            x1, y1 = np.ceil(pixels[depth > 0.06].max(0) if (depth > 0.06).any() else (-1, -1))
            x0, y0, x1, y1 = (
                int(max(x0, 0)),
                int(max(y0, 0)),
                int(min(x1, camera.width)),
                int(min(y1, camera.height_px)),
            )
            yy, xx = np.mgrid[y0 : max(y1, y0), x0 : max(x1, x0)]
            record["x"], record["y"] = xx.ravel(), yy.ravel()
            offset = np.array([0, 0, len(records) * CELL], np.float32)
            triangles.append((vertices + offset)[actor.faces])
            directions.append(camera.rays(record["x"], record["y"], frame))
            origins.append(np.broadcast_to(camera.centre + offset, directions[-1].shape))
            starts.append(starts[-1] + len(actor.faces))
            counts.append(xx.size)
            records.append(record)
    if not sum(counts):
        return []
    hit = _run(np.concatenate(triangles), np.concatenate(origins), np.concatenate(directions))
    bounds = np.cumsum([0, *counts])
    for k, record in enumerate(records):
        part = slice(bounds[k], bounds[k + 1])
        prim = hit["primID"][part]
        keep = (prim >= starts[k]) & (prim < starts[k + 1])
        record |= {
            "t": hit["tfar"][part][keep],
            "face": prim[keep] - starts[k],
            "u": hit["u"][part][keep],
            "v": hit["v"][part][keep],
        }
        record["ray"] = directions[k][keep]
        record["x"], record["y"] = record["x"][keep], record["y"][keep]
    return records


def _extent(actor: Actor, pixels: np.ndarray, depth: np.ndarray, camera: Camera) -> dict:
    """Box of the body without props, clamped to the frame, and the share of its area that lies inside."""
    count = len(actor.figure.rest)
    p, near = pixels[:count], depth[:count] < 0.06
    size = np.array([camera.width, camera.height_px])
    if near.all():
        return {"box": np.full(4, np.nan), "inside": 0.0}
    ok = p[~near]
    low, high = np.clip(ok.min(0), 0, size), np.clip(ok.max(0), 0, size)
    f = actor.figure.faces
    a, b, c = p[f[:, 0]], p[f[:, 1]], p[f[:, 2]]
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    area = np.abs(area) * ~(near[f].any(1))
    middle = (a + b + c) / 3
    within = ((middle > 0) & (middle < size)).all(1)
    box = np.concatenate([low, high]) if (high - low > 0.5).all() else np.full(4, np.nan)
    return {"box": box, "inside": float(area[within].sum() / max(area.sum(), 1e-6))}


def paint(actor: Actor, record: dict, chosen: np.ndarray, place: Place, colours: list[np.ndarray]) -> np.ndarray:
    """Lit linear colours of the chosen hits of a record."""
    face, u, v = record["face"][chosen], record["u"][chosen, None], record["v"][chosen, None]
    corners = actor.faces[face]
    part = actor.parts[face]
    w = 1 - u - v
    mine = part < PROP
    albedo = np.empty((len(face), 3), np.float32)
    figure = actor.figure
    a = figure.attributes
    c = corners[mine]
    albedo[mine] = figure.paint(a[c[:, 0]] * w[mine] + a[c[:, 1]] * u[mine] + a[c[:, 2]] * v[mine], part[mine])
    for k, colour in enumerate(colours):
        albedo[part == PROP + k] = colour
    vertices = actor.vertices[record["frame"]]
    tri = vertices[corners]
    flat = np.cross(tri[:, 1] - tri[:, 0], tri[:, 2] - tri[:, 0])
    smooth = vertex_normals(vertices, actor.faces)
    normal = smooth[corners[:, 0]] * w + smooth[corners[:, 1]] * u + smooth[corners[:, 2]] * v
    normal[~mine] = flat[~mine]
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9
    facing = (normal * record["ray"][chosen]).sum(-1, keepdims=True)
    normal = np.where((facing > 0) & ~mine[:, None] | (facing > 0.3), -normal, normal)
    return albedo * light_on(place, normal)


def prop_colours(actor: Actor, rng: np.random.Generator) -> list[np.ndarray]:
    return [shade(p.colour, rng) for p in actor.deed.pose.props]
