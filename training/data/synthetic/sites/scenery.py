"""Meshes of what stands out of doors: metres, on the ground around x = y = 0, the front towards -y."""

import numpy as np

from ..deeds.props import cuboid, join, tube
from .furniture import Draw, Mesh, bar, blades, block, bumpy, cushion, lathe, leafy, moved, strip_faces


def tree(h: float, rng: Draw, *, near: bool = True) -> tuple[Mesh, Mesh]:
    """Trunk with boughs, and a crown of uneven balls; fewer triangles where it is not near."""
    r = 0.035 * h
    fork = h * rng.uniform(0.36, 0.48)
    spread = h * rng.uniform(0.2, 0.3)
    trunk = [lathe([(r * 1.5, 0), (r, 0.3), (r * 0.75, fork), (r * 0.4, h * 0.7)], 7)]
    balls = []
    for k in range(int(rng.integers(5, 8)) if near else 4):
        a = 2.4 * k + rng.uniform(0, 0.6)
        out = spread * (0.25 if k == 0 else rng.uniform(0.6, 1.0) if near else rng.uniform(0.5, 0.8))
        z = h * (0.86 if k == 0 else rng.uniform(0.62, 0.82))
        c = (out * np.cos(a), out * np.sin(a), z)
        size = spread * (rng.uniform(0.55, 0.85) if near else 0.85)
        balls.append(bumpy((size, size, size * 0.8), c, rng, *((5, 9) if near else (4, 7)), 0.2))
        if near:
            balls.append(leafy((size, size, size * 0.8), c, rng, count=14, size=0.3))
        if k:
            trunk.append(bar((0, 0, fork * 0.9), c, r * 0.3, 4))
    return join(*trunk), join(*balls)


def conifer(h: float, rng: Draw, *, near: bool = True) -> tuple[Mesh, Mesh]:
    """Trunk and a cone of ragged tiers."""
    tiers = []
    n = 6 if near else 4
    for k in range(n):
        z, r = h * (0.16 + 0.8 * k / n), h * 0.2 * (1 - 0.85 * k / n)
        points, faces = lathe([(r, z), (r * 0.35, z + h * 0.14), (0.02, z + h * 0.24)], 10)
        points[:10] *= 1 + 0.16 * rng.uniform(-1, 1, (10, 1)).astype(np.float32) * (1, 1, 0.1)
        tiers.append((points.astype(np.float32), faces))
    return tube(0.02 * h, h * 0.3, (0, 0, 0), 6), join(*tiers)


def palm(h: float, rng: Draw, *, near: bool = True) -> tuple[Mesh, Mesh]:
    """Leaning trunk and fronds."""
    x = rng.uniform(-0.8, 0.8)
    trunk = join(bar((0, 0, 0), (x * 0.4, 0, h * 0.55), 0.17, 7), bar((x * 0.4, 0, h * 0.55), (x, 0, h), 0.14, 7))
    points, faces = blades(16 if near else 10, 2.1, 0.7, 0.5, rng)
    points[:, 2] -= 0.22 * (points[:, 0] ** 2 + points[:, 1] ** 2)
    return trunk, moved((points, faces), (x, 0, h))


def hedge(w: float, d: float, h: float, rng: Draw) -> Mesh:
    """A clipped hedge with an uneven skin."""
    x = np.linspace(-w / 2, w / 2, min(max(int(w / 0.35), 2), 36) + 1)
    ring = np.array([(-d / 2, 0), (-d / 2, h * 0.5), (-d / 2, h), (0, h * 1.02), (d / 2, h), (d / 2, 0)])
    p = np.concatenate([np.repeat(x, len(ring))[:, None], np.tile(ring, (len(x), 1))], 1)
    p += rng.uniform(-0.06, 0.06, p.shape) * (1, 1, 1) * (p[:, 2:] > 0.01)
    ends = [cuboid((0.05, d, h * 0.98), (s * w / 2, 0, h * 0.49)) for s in (1, -1)]
    ends.append(leafy((w * 0.52, d * 0.6, h * 0.2), (0, 0, h * 0.92), rng, count=min(int(w * 16), 90), size=0.1))
    return join((p.astype(np.float32), strip_faces(len(x), len(ring), False)), *ends)


def bush(r: float, rng: Draw) -> Mesh:
    parts = []
    for _ in range(2):
        c, size = (rng.normal(0, 0.35) * r, rng.normal(0, 0.2) * r, r * 0.45), (r * 0.76, r * 0.6, r * 0.62)
        parts += [bumpy(size, c, rng, 5, 10, 0.14), leafy(size, c, rng, count=30, size=0.13)]
    return join(*parts)


def flowers(w: float, d: float, count: int, rng: Draw, z: float = 0.0) -> tuple[Mesh, Mesh]:
    """Green tufts and blossoms over a bed."""
    at = [(rng.uniform(-w, w) / 2, rng.uniform(-d, d) / 2) for _ in range(count)]
    green = [moved(blades(3, 0.16, 0.3, 0.05, rng), (*p, z)) for p in at]
    heads = [(*p, z + rng.uniform(0.24, 0.38)) for p in at]
    bloom = [lathe([(0.001, 0), (0.06, 0.05), (0.001, 0.09)], 6, p) for p in heads]
    return join(*green), join(*bloom)


def hills(y: float, half: float, height: float, rng: Draw) -> Mesh:
    """A ridge across the horizon."""
    x = np.linspace(-half, half, 33)
    top = height * (0.55 + 0.45 * np.interp(x, np.linspace(-half, half, 9), rng.uniform(-0.6, 1, 9)))
    low = np.stack([x, np.full_like(x, y), np.zeros_like(x)], -1)
    high = np.stack([x, np.full_like(x, y + 6), np.maximum(top, 0.3)], -1)
    return np.concatenate([low, high]).astype(np.float32), strip_faces(2, len(x), False)


def _extrude(outline: list[tuple[float, float]], half: float, taper: float = 1.0) -> Mesh:
    """A side view of (x, z) made ``2 * half`` deep in y; convex outlines only. taper: depth of the upper points."""
    p = np.array(outline)
    deep = np.where(p[:, 1] > p[:, 1].mean(), half * taper, half)
    n = len(p)
    points = np.concatenate(
        [np.stack([p[:, 0], s * deep, p[:, 1]], -1) for s in (-1, 1)]
        + [np.array([[p[:, 0].mean(), s * deep.mean(), p[:, 1].mean()] for s in (-1, 1)])]
    )
    i, j = np.arange(n), (np.arange(n) + 1) % n
    faces = np.concatenate(
        [
            np.stack([i, j, i + n], -1),
            np.stack([j, j + n, i + n], -1),
            np.stack([i, j, np.full(n, 2 * n)], -1),
            np.stack([i + n, j + n, np.full(n, 2 * n + 1)], -1),
        ]
    )
    return points.astype(np.float32), faces.astype(np.int32)


def _wheel(x: float, y: float, r: float, columns: int = 12) -> Mesh:
    p, f = lathe([(0.001, -0.1), (r, -0.1), (r, 0.1), (0.001, 0.1)], columns)
    return np.stack([p[:, 0] + x, p[:, 2] + y, p[:, 1] + 0.33], -1).astype(np.float32), f


def car(rng: Draw, *, near: bool = True) -> dict[str, Mesh]:
    """A car along x, 4.2 m long: "body", "glass", "tyres", "hubs" and "lights"."""
    van = rng.random() < 0.2
    lower = [(-2.08, 0.32), (2.08, 0.32), (2.12, 0.62), (1.98, 0.84), (1.0, 0.95), (-1.9, 0.98), (-2.1, 0.75)]
    roof = 1.85 if van else rng.uniform(1.38, 1.5)
    back = -1.98 if van or rng.random() < 0.5 else -1.65
    cabin = [(back, 0.94), (1.12, 0.9), (0.42, roof - 0.07), (0.1, roof), (-1.2, roof), (back + 0.35, roof - 0.08)]
    glass = [(x * 0.96 - 0.02, 0.97 + (z - 0.93) * 0.84) for x, z in cabin]
    pillars = [block(x - 0.05, x + 0.05, -0.79, 0.79, 0.95, roof - 0.08) for x in (-0.35, -1.3)]
    wheels = [(x, y) for x in (-1.3, 1.32) for y in (-0.78, 0.78)]
    lights = [cuboid((0.12, 0.34, 0.13), (x, s * 0.6, 0.72)) for x in (-2.04, 2.02) for s in (1, -1)]
    doors = [cuboid((0.16, 0.02, 0.025), (x, s * 0.865, 0.82)) for x in (-1.1, -0.2) for s in (1, -1) if near]
    return {
        "body": join(_extrude(lower, 0.86, 0.97), _extrude(cabin, 0.76, 0.8), *pillars),
        "glass": join(
            _extrude(glass, 0.785, 0.82), _extrude([(x * 0.9 + 0.18, z - 0.01) for x, z in glass], 0.62, 0.8)
        ),
        "tyres": join(*(_wheel(x, y, 0.33, 12 if near else 7) for x, y in wheels)),
        "hubs": join(*(_wheel(x, y * 1.02, 0.19, 8 if near else 4) for x, y in wheels), *doors),
        "lights": join(*lights),
    }


def bench(w: float) -> tuple[Mesh, Mesh]:
    """Slats, and legs of iron."""
    slats = [cuboid((w, 0.1, 0.03), (0, y, 0.45)) for y in (-0.2, -0.06, 0.08)]
    slats += [cuboid((w, 0.03, 0.1), (0, 0.2 + 0.05 * k, 0.58 + 0.14 * k)) for k in range(2)]
    iron = [cuboid((0.05, 0.42, 0.04), (x, 0, 0.42)) for x in (-w * 0.42, w * 0.42)]
    iron += [cuboid((0.05, 0.05, 0.44), (x, y, 0.22)) for x in (-w * 0.42, w * 0.42) for y in (-0.2, 0.16)]
    iron += [bar((x, 0.16, 0.42), (x, 0.3, 0.84), 0.025, 4) for x in (-w * 0.42, w * 0.42)]
    return join(*slats), join(*iron)


def litter_bin() -> Mesh:
    return lathe([(0.21, 0), (0.25, 0.75), (0.28, 0.78), (0.28, 0.84), (0.2, 0.86), (0.12, 0.8), (0.001, 0.7)], 12)


def wheelie_bin() -> Mesh:
    return join(
        cuboid((0.52, 0.56, 0.85), (0, 0, 0.5)), cuboid((0.58, 0.64, 0.09), (0, -0.02, 0.98)), _wheel(-0.2, 0.3, 0.1)
    )


def lamp_post(h: float, rng: Draw) -> tuple[Mesh, Mesh, float]:
    """Post, lamp, and how far the lamp hangs out along x."""
    if rng.random() < 0.5:
        post = lathe([(0.12, 0), (0.12, 0.6), (0.05, 0.7), (0.04, h)], 8)
        return post, lathe([(0.1, h), (0.2, h + 0.32), (0.06, h + 0.45), (0.001, h + 0.5)], 8), 0.0
    s = float(rng.choice([-1, 1]))
    post = join(lathe([(0.09, 0), (0.05, h)], 8), bar((0, 0, h), (s * 0.9, 0, h + 0.2), 0.035))
    return post, cuboid((0.5, 0.2, 0.1), (s * 1.0, 0, h + 0.18)), s


def fence(w: float, h: float, rng: Draw) -> Mesh:
    """Wooden pickets, boards, or iron railings along x."""
    rails = [cuboid((w, 0.03, 0.06), (0, 0.03, z)) for z in (h * 0.25, h * 0.8)]
    gap, wide = [(0.14, 0.09), (0.16, 0.15), (0.13, 0.025)][rng.integers(3)]
    n = min(int(w / gap), 110)
    x = (np.arange(n) - (n - 1) / 2) * (w / n)
    corners = np.array([(-wide / 2, 0, 0), (wide / 2, 0, 0), (-wide / 2, 0, h), (wide / 2, 0, h)])
    pickets = (corners[None] + np.stack([x, 0 * x, 0 * x], -1)[:, None]).reshape(-1, 3).astype(np.float32)
    faces = np.array([[0, 1, 2], [1, 3, 2]], np.int32)[None] + 4 * np.arange(n, dtype=np.int32)[:, None, None]
    return join(*rails, (pickets, faces.reshape(-1, 3)))


def bollard(h: float) -> Mesh:
    return lathe([(0.09, 0), (0.09, h * 0.85), (0.11, h * 0.87), (0.08, h), (0.001, h)], 9)


def cone(h: float = 0.7) -> Mesh:
    return join(cuboid((0.38, 0.38, 0.04), (0, 0, 0.02)), lathe([(0.15, 0.03), (0.03, h), (0.001, h)], 10))


def barrier(w: float) -> Mesh:
    boards = [cuboid((w, 0.04, 0.2), (0, 0, z)) for z in (0.9, 0.5)]
    return join(*boards, *(cuboid((0.06, 0.5, 0.05), (x, 0, 0.03)) for x in (-w * 0.4, w * 0.4)), *(
        cuboid((0.05, 0.05, 1.0), (x, 0.04, 0.5)) for x in (-w * 0.4, w * 0.4)))  # fmt: skip


def parasol(rng: Draw) -> tuple[Mesh, Mesh]:
    """Pole and canopy."""
    r = rng.uniform(1.0, 1.5)
    return tube(0.025, 2.3, (0, 0, 0), 6), lathe([(r, 1.9), (r * 0.6, 2.18), (0.001, 2.38)], 10)


def sunbed() -> tuple[Mesh, Mesh]:
    """Frame and cloth, head at +y."""
    points, faces = cushion((0.6, 1.3, 0.07), (0, -0.3, 0.36), square=0.2)
    head = cushion((0.6, 0.7, 0.07), (0, 0.6, 0.58), 0.7, square=0.2)
    return join(*legs_of(0.6, 1.6, 0.33), block(-0.3, 0.3, -0.9, 0.3, 0.28, 0.33)), join((points, faces), head)


def legs_of(w: float, d: float, h: float) -> list[Mesh]:
    return [tube(0.025, h, (x, y, 0), 5) for x in (-w / 2, w / 2) for y in (-d / 2, d / 2)]


def swings(w: float = 3.0) -> tuple[Mesh, Mesh]:
    """Frame with chains, and seats."""
    frame = [bar((s * w / 2, y, 0), (s * w / 2, 0, 2.3), 0.05) for s in (1, -1) for y in (-0.8, 0.8)]
    frame.append(bar((-w / 2, 0, 2.3), (w / 2, 0, 2.3), 0.05))
    chains = [bar((x + s * 0.22, 0, 0.5), (x + s * 0.22, 0, 2.3), 0.012, 4) for x in (-0.7, 0.7) for s in (1, -1)]
    return join(*frame, *chains), join(*(cuboid((0.5, 0.2, 0.04), (x, 0, 0.5)) for x in (-0.7, 0.7)))


def slide() -> tuple[Mesh, Mesh, Mesh]:
    """Chute, frame with ladder, and roof."""
    p = np.array([(-0.3, 1.55), (0.3, 1.5), (1.6, 0.5), (2.3, 0.3)])
    strips = []
    for y0, z0, y1, z1 in ((-0.3, 0.0, 0.3, 0.0), (-0.3, 0.0, -0.34, 0.22), (0.3, 0.0, 0.34, 0.22)):
        points = np.concatenate(
            [np.column_stack([p[:, 0], np.full(4, y), p[:, 1] + z]) for y, z in ((y0, z0), (y1, z1))]
        )
        strips.append((points.astype(np.float32), strip_faces(2, 4, False)))
    posts = [cuboid((0.09, 0.09, 2.5), (x, y, 1.25)) for x in (-0.95, -0.2) for y in (-0.42, 0.42)]
    steps = [(-1.05 - 0.12 * (4 - k), 0.3 * k + 0.2) for k in range(5)]
    rungs = [bar((x, -0.3, z), (x, 0.3, z), 0.03) for x, z in steps]
    roof, faces = lathe([(0.85, 2.35), (0.001, 2.95)], 4)
    return (
        join(*strips),
        join(*posts, *rungs, cuboid((0.85, 0.9, 0.06), (-0.58, 0, 1.5))),
        moved((roof, faces), (-0.58, 0), np.pi / 4),
    )


def climbing_frame() -> Mesh:
    """A dome of bars."""
    rings = [(1.5, 0.0), (1.35, 0.7), (0.9, 1.25), (0.3, 1.5)]
    a = np.arange(8) * np.pi / 4
    node = [[(r * np.cos(b), r * np.sin(b), z) for b in a] for r, z in rings]
    parts = [bar(node[k][i], node[k + 1][i], 0.025, 4) for k in range(3) for i in range(8)]
    parts += [bar(node[k][i], node[k][(i + 1) % 8], 0.025, 4) for k in (1, 2, 3) for i in range(8)]
    return join(*parts)


def scaffold(w: float, h: float) -> tuple[Mesh, Mesh]:
    """Poles and boards before a facade."""
    xs = np.linspace(-w / 2, w / 2, max(int(w / 2), 1) + 1)
    levels = np.arange(2.0, h, 2.0)
    poles = [bar((float(x), y, 0), (float(x), y, h), 0.03, 4) for x in xs for y in (0, 0.9)]
    poles += [bar((-w / 2, 0, float(z) + 1), (w / 2, 0, float(z) + 1), 0.025, 4) for z in levels]
    return join(*poles), join(*(cuboid((w, 0.8, 0.06), (0, 0.45, float(z))) for z in levels))


def crane(h: float) -> Mesh:
    """A tower crane as it looks from afar: tower, jib, cabin."""
    tower = [bar((x, y, 0), (x, y, h), 0.12, 4) for x in (-0.6, 0.6) for y in (-0.6, 0.6)]
    for k, z in enumerate(np.arange(0, h, 1.6).tolist()):
        x = 0.6 if k % 2 else -0.6
        tower.append(bar((x, -0.6, z), (-x, -0.6, z + 1.6), 0.07, 4))
    jib = [bar((-7, 0, h), (22, 0, h), 0.2, 4), bar((0, 0, h + 3), (16, 0, h), 0.08, 4)]
    jib.append(bar((0, 0, h + 3), (-7, 0, h), 0.08, 4))
    return join(*tower, *jib, cuboid((2.2, 2.2, 2.2), (0, 0, h - 1)), cuboid((2.5, 1.6, 1.6), (-6, 0, h - 1)))


def digger() -> tuple[Mesh, Mesh]:
    """Body with arm, and tracks with the window."""
    arm = [bar((0.9, 0, 1.5), (2.4, 0, 2.9), 0.17, 6), bar((2.4, 0, 2.9), (3.4, 0, 1.2), 0.14, 6)]
    scoop = moved(cuboid((0.7, 0.8, 0.6)), (3.4, 0, 0.9), 0)
    body = [block(-1.5, 0.4, -0.9, 0.9, 0.9, 1.7), block(0.0, 1.1, -0.85, 0.1, 0.9, 1.3)]
    body.append(block(0.0, 1.0, -0.85, 0.1, 2.25, 2.4))
    posts = [cuboid((0.08, 0.08, 1.1), (x, y, 1.8)) for x in (0.04, 0.96) for y in (-0.8, 0.05)]
    tracks = [cushion((3.0, 0.5, 0.75), (0, y, 0.4), square=0.4) for y in (-0.8, 0.8)]
    return join(*arm, scoop, *body, *posts), join(*tracks, block(0.05, 0.95, -0.8, 0.05, 1.3, 2.25))


def boat() -> Mesh:
    hull = _extrude([(-1.5, 0.0), (1.3, 0.0), (2.0, 0.65), (-1.7, 0.55)], 0.55)
    return join(hull, bar((0.2, 0, 0.3), (0.2, 0, 4.2), 0.05))


def sail() -> Mesh:
    points = np.array([[0.3, 0, 0.9], [0.3, 0, 4.1], [-1.5, 0.1, 1.0], [0.1, 0, 1.0], [0.1, 0, 3.6], [1.6, 0.1, 1.0]])
    return points.astype(np.float32), np.array([[0, 1, 2], [3, 4, 5]], np.int32)
