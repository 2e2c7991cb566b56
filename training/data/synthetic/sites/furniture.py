"""Meshes of furniture: metres, on the floor around x = y = 0, the front towards -y. Parts of other materials apart."""

from functools import lru_cache

import numpy as np

from ..deeds.props import cuboid, grid_faces, join, tube

Mesh = tuple[np.ndarray, np.ndarray]
Point = tuple[float, float, float]
Draw = np.random.Generator


# ---- building blocks ----------------------------------------------------------------------------------------------
def moved(mesh: Mesh, at: tuple[float, ...], turn: float = 0.0) -> Mesh:
    """The mesh turned about z, then shifted to (x, y) or (x, y, z)."""
    c, s = np.cos(turn), np.sin(turn)
    shift = np.array([at[0], at[1], at[2] if len(at) > 2 else 0.0])
    return (mesh[0] @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + shift).astype(np.float32), mesh[1]


def block(x0: float, x1: float, y0: float, y1: float, z0: float, z1: float) -> Mesh:
    """A box from corner to corner."""
    return cuboid((x1 - x0, y1 - y0, z1 - z0), ((x0 + x1) / 2, (y0 + y1) / 2, (z0 + z1) / 2))


def panes(at: list[Point], w: float, h: float) -> Mesh:
    """Upright rectangles that face along y, by their middles."""
    corners = np.array([(-w / 2, 0, -h / 2), (w / 2, 0, -h / 2), (-w / 2, 0, h / 2), (w / 2, 0, h / 2)])
    points = (np.array(at, float)[:, None] + corners).reshape(-1, 3)
    faces = np.array([[0, 1, 2], [1, 3, 2]], np.int32) + 4 * np.arange(len(at), dtype=np.int32)[:, None, None]
    return points.astype(np.float32), faces.reshape(-1, 3)


@lru_cache(32)
def strip_faces(rows: int, columns: int, closed: bool) -> np.ndarray:
    """Triangles of a grid of points, made once."""
    return grid_faces(rows, columns, closed=closed)


def lathe(profile: list[tuple[float, float]], columns: int = 12, at: Point = (0, 0, 0)) -> Mesh:
    """A profile of (radius, height) turned about z."""
    h = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    r, z = np.maximum(np.array(profile).T, [[1e-3], [-9.0]])
    points = np.stack([r[:, None] * np.cos(h), r[:, None] * np.sin(h), np.repeat(z[:, None], columns, 1)], -1)
    return (points.reshape(-1, 3) + np.array(at)).astype(np.float32), strip_faces(len(profile), columns, True)


def cushion(size: Point, centre: Point, tilt: float = 0.0, *, square: float = 0.45, columns: int = 8) -> Mesh:
    """A rounded box, tilted about x; ``square`` 1 is an ellipsoid, 0 a box."""
    rows = columns // 2
    v, h = np.meshgrid(np.linspace(0, np.pi, rows), (np.arange(columns) + 0.5) * 2 * np.pi / columns, indexing="ij")
    soft = lambda w: np.sign(w) * np.abs(w) ** square  # noqa: E731
    ring = soft(np.sin(v))
    p = np.stack([ring * soft(np.cos(h)), ring * soft(np.sin(h)), soft(np.cos(v))], -1).reshape(-1, 3)
    p *= np.array(size) / 2
    c, s = np.cos(tilt), np.sin(tilt)
    p = p @ np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    return (p + np.array(centre)).astype(np.float32), strip_faces(rows, columns, True)


def bar(a: Point, b: Point, radius: float, columns: int = 5) -> Mesh:
    """A round bar between two points, without ends."""
    p, q = np.array(a, float), np.array(b, float)
    d = (q - p) / max(float(np.linalg.norm(q - p)), 1e-9)
    e = np.cross(d, [1.0, 0, 0] if abs(d[0]) < 0.8 else [0, 1.0, 0])
    e /= np.linalg.norm(e)
    f = np.cross(d, e)
    h = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    ring = radius * (np.cos(h)[:, None] * e + np.sin(h)[:, None] * f)
    return np.concatenate([p + ring, q + ring]).astype(np.float32), strip_faces(2, columns, True)


def bumpy(radii: Point, centre: Point, rng: Draw, rows: int = 6, columns: int = 10, rough: float = 0.16) -> Mesh:
    """An uneven ball, for leaves, stones and sacks."""
    v, h = np.meshgrid(np.linspace(0, np.pi, rows + 1), np.arange(columns) * 2 * np.pi / columns, indexing="ij")
    h = h + np.arange(rows + 1)[:, None] * np.pi / columns
    p = np.stack([np.sin(v) * np.cos(h), np.sin(v) * np.sin(h), np.cos(v)], -1)
    p *= 1 + rough * rng.uniform(-1, 1, (rows + 1, columns, 1))
    return (p.reshape(-1, 3) * np.array(radii) + np.array(centre)).astype(np.float32), strip_faces(
        rows + 1, columns, True
    )


def leafy(radii: Point, centre: Point, rng: Draw, *, count: int, size: float) -> Mesh:
    """Loose leaves around an ellipsoid, which give it a ragged outline."""
    d = rng.normal(size=(count, 3))
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    a, b = rng.normal(size=(2, count, 3)) * size * 0.6
    p = d * np.array(radii) * rng.uniform(0.9, 1.15, (count, 1)) + np.array(centre)
    points = np.stack([p - a, p + b * 0.6, p + a, p - b * 0.6], 1).reshape(-1, 3)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)[None] + 4 * np.arange(count, dtype=np.int32)[:, None, None]
    return points.astype(np.float32), faces.reshape(-1, 3)


def blades(count: int, reach: float, height: float, width: float, rng: Draw, z: float = 0.0) -> Mesh:
    """Long leaves that rise from (0, 0, z) and bend outwards."""
    turn = rng.uniform(0, 2 * np.pi, count)
    out, up = reach * rng.uniform(0.3, 1, count), height * rng.uniform(0.5, 1, count)
    t = np.array([0, 0.4, 0.75, 1.0])
    r = out[:, None] * t**1.5
    rise = up[:, None] * (1.5 * t - 0.55 * t**3)
    w = width * np.array([0.35, 1.0, 0.8, 0.05]) / 2
    side = np.stack([-np.sin(turn), np.cos(turn), np.zeros(count)], -1)
    spine = np.stack([r * np.cos(turn)[:, None], r * np.sin(turn)[:, None], z + rise], -1)
    edge = side[:, None] * w[:, None]
    points = np.stack([spine - edge, spine + edge], 2).reshape(-1, 3)
    faces = (strip_faces(4, 2, False)[None] + 8 * np.arange(count)[:, None, None]).reshape(-1, 3)
    return points.astype(np.float32), faces.astype(np.int32)


def curtain(width: float, height: float, folds: int, deep: float = 0.06, z: float = 0.0) -> Mesh:
    """Hanging cloth in folds."""
    x = np.linspace(0, 1, folds * 4 + 1)
    y = deep * np.sin(x * folds * 2 * np.pi)
    column = np.stack([(x - 0.5) * width, y], -1)
    points = [np.column_stack([column, np.full(len(x), h)]) for h in (z, z + height)]
    return np.concatenate(points).astype(np.float32), strip_faces(2, len(x), False)


def legs(w: float, d: float, height: float, thick: float = 0.05) -> list[Mesh]:
    return [
        cuboid((thick, thick, height), (x, y, height / 2))
        for x in (-w / 2 + thick, w / 2 - thick)
        for y in (-d / 2 + thick, d / 2 - thick)
    ]


# ---- seats and tables ---------------------------------------------------------------------------------------------
def chair(at: np.ndarray, heading: float, seat: float, rng: Draw, *, back: bool = True, wide: float = 0.46) -> Mesh:
    """A chair, stool or bench whose seat is ``seat`` high, for somebody who faces ``heading``."""
    parts = [cushion((wide, 0.46, 0.08), (0, 0.02, seat - 0.04), square=0.3)]
    kind = rng.random()
    if kind < 0.1:
        parts.append(cuboid((wide * 0.96, 0.42, max(seat - 0.07, 0.05)), (0, 0.02, (seat - 0.07) / 2)))
    elif kind < 0.2 and wide < 0.6:
        parts += [tube(0.025, seat - 0.06, (0, 0.02, 0.02), 6)]
        parts += [bar((0, 0.02, 0.08), (0.24 * np.cos(a), 0.02 + 0.24 * np.sin(a), 0.03), 0.02, 4) for a in _FIVE]
    else:
        parts += [moved(leg, (0, 0.02)) for leg in legs(wide, 0.46, seat - 0.05, 0.04)]
    if back:
        style = rng.random()
        if style < 0.4:
            parts.append(cushion((wide, 0.06, 0.46), (0, 0.27, seat + 0.26), -0.12, square=0.35))
        elif style < 0.7:
            parts += [cuboid((0.035, 0.035, 0.5), (x, 0.25, seat + 0.2)) for x in (-wide / 2 + 0.03, wide / 2 - 0.03)]
            parts += [cuboid((wide - 0.04, 0.025, 0.07), (0, 0.25, seat + z)) for z in (0.14, 0.27, 0.42)]
        else:
            parts.append(cuboid((wide, 0.04, 0.3), (0, 0.26, seat + 0.33)))
            parts += [cuboid((0.03, 0.03, 0.3), (x, 0.26, seat + 0.1)) for x in (-wide / 2 + 0.06, wide / 2 - 0.06)]
    return moved(join(*parts), (float(at[0]), float(at[1])), heading)


_FIVE = tuple(np.arange(5) * 2 * np.pi / 5)


def sofa(width: float, rng: Draw) -> Mesh:
    """A sofa, or an armchair where narrow: base, arms, seat and back cushions."""
    arm = rng.uniform(0.14, 0.22)
    inner = width - 2 * arm
    n = max(round(inner / 0.65), 1)
    high = rng.uniform(0.72, 0.9)
    parts = [block(-width / 2, width / 2, -0.38, 0.42, 0.08, 0.3), block(-width / 2, width / 2, 0.3, 0.45, 0.1, high)]
    for s in (-1, 1):
        parts.append(cushion((arm, 0.86, 0.56), (s * (width - arm) / 2, 0.02, 0.34), square=0.3, columns=12))
        parts.append(cuboid((0.06, 0.06, 0.1), (s * (width / 2 - 0.1), -0.32, 0.05)))
    for k in range(n):
        x = -inner / 2 + (k + 0.5) * inner / n
        parts.append(cushion((inner / n - 0.01, 0.66, 0.17), (x, -0.06, 0.37), square=0.35, columns=12))
        parts.append(cushion((inner / n - 0.01, 0.2, 0.46), (x, 0.24, 0.65), -0.2, square=0.4, columns=12))
    return join(*parts)


def table(w: float, d: float, h: float, rng: Draw) -> Mesh:
    """A table: four legs, boards at the ends, or one foot."""
    parts = [cuboid((w, d, 0.04), (0, 0, h - 0.02))]
    kind = rng.random()
    if kind < 0.6:
        parts += legs(w, d, h - 0.04, rng.uniform(0.04, 0.08))
        parts.append(cuboid((w - 0.12, d - 0.12, 0.07), (0, 0, h - 0.075)))
    elif kind < 0.8:
        parts += [cuboid((0.04, d - 0.06, h - 0.04), (x, 0, h / 2 - 0.02)) for x in (-w / 2 + 0.05, w / 2 - 0.05)]
    else:
        parts += [bar((s * w * 0.42, t * d * 0.4, 0), (s * w * 0.3, t * d * 0.3, h), 0.03) for s in _PM for t in _PM]
    return join(*parts)


_PM = (1, -1)


def round_table(radius: float, h: float) -> Mesh:
    foot = [(0.001, 0.03), (radius * 0.55, 0.03), (0.05, 0.07), (0.04, h - 0.04)]
    return lathe([*foot, (radius, h - 0.035), (radius, h), (0.001, h)], 16)


def stool(h: float) -> Mesh:
    profile = [(0.2, 0.0), (0.2, 0.02), (0.03, 0.05), (0.03, h - 0.08), (0.17, h - 0.07), (0.18, h - 0.02), (0.001, h)]
    return lathe(profile, 10)


def bed(w: float, length: float) -> tuple[Mesh, Mesh, Mesh]:
    """Frame, linen and duvet of a bed whose head is at +y."""
    y = length / 2
    frame = join(block(-w / 2, w / 2, -y, y, 0.08, 0.3), block(-w / 2 - 0.03, w / 2 + 0.03, y, y + 0.06, 0, 1.0))
    pillows = [
        cushion((w * 0.42, 0.42, 0.16), (s * w * 0.24, y - 0.3, 0.58), 0.35, square=0.6)
        for s in ((-1, 1) if w > 1.1 else (0,))
    ]
    linen = join(cushion((w - 0.02, length - 0.03, 0.26), (0, 0, 0.4), square=0.15), *pillows)
    return frame, linen, cushion((w + 0.06, length * 0.66, 0.3), (0, -length * 0.17, 0.42), square=0.22, columns=12)


def office_chair() -> Mesh:
    feet = [bar((0, 0, 0.1), (0.28 * np.cos(a), 0.28 * np.sin(a), 0.05), 0.022, 4) for a in _FIVE]
    arms = [cuboid((0.05, 0.26, 0.04), (s * 0.27, 0.02, 0.66)) for s in _PM]
    posts = [cuboid((0.03, 0.03, 0.2), (s * 0.27, 0.06, 0.55)) for s in _PM]
    return join(
        cushion((0.5, 0.48, 0.11), (0, 0, 0.46)),
        cushion((0.46, 0.09, 0.62), (0, 0.26, 0.84), -0.1),
        tube(0.03, 0.36, (0, 0, 0.07), 6),
        *feet,
        *arms,
        *posts,
    )


# ---- lamps, plants and small things -------------------------------------------------------------------------------
def floor_lamp(h: float) -> tuple[Mesh, Mesh]:
    """Stand and shade."""
    stand = lathe([(0.15, 0), (0.15, 0.025), (0.015, 0.04), (0.015, h - 0.1)], 8)
    return stand, lathe([(0.23, h - 0.34), (0.15, h), (0.001, h)], 14)


def table_lamp(z: float) -> tuple[Mesh, Mesh]:
    foot = lathe([(0.07, z), (0.09, z + 0.1), (0.03, z + 0.2), (0.015, z + 0.24)], 8)
    return foot, lathe([(0.17, z + 0.22), (0.1, z + 0.44), (0.001, z + 0.44)], 12)


def pendant(ceiling: float, z: float, radius: float) -> tuple[Mesh, Mesh]:
    """Cord and shade of a hanging lamp whose lower rim is at z."""
    shade = lathe([(radius, z), (radius * 0.75, z + radius * 0.6), (0.04, z + radius * 0.95)], 14)
    return bar((0, 0, z + radius * 0.9), (0, 0, ceiling), 0.008, 4), shade


def potted_plant(h: float, rng: Draw) -> tuple[Mesh, Mesh]:
    """Pot and leaves: long blades, or a little tree."""
    r = 0.1 + 0.1 * min(h, 1.3)
    high = min(0.38, 0.34 * h)
    pot = lathe([(r * 0.7, 0), (r, high), (r * 0.9, high), (0.001, high * 0.9)], 12)
    if rng.random() < 0.65:
        return pot, blades(int(rng.integers(16, 28)), 0.2 + 0.3 * h, h - high, rng.uniform(0.07, 0.14), rng, high * 0.9)
    parts = [tube(0.025, h - high - 0.3, (0, 0, high * 0.9), 5)]
    for _ in range(3):
        c, size = (rng.normal(0, 0.1), rng.normal(0, 0.1), h - 0.25), (0.24, 0.24, 0.2)
        parts += [bumpy(size, c, rng, 5, 8, 0.2), leafy(size, c, rng, count=22, size=0.09)]
    return pot, join(*parts)


def coat_stand() -> Mesh:
    arms = [bar((0, 0, 1.6), (0.17 * np.cos(a), 0.17 * np.sin(a), 1.74), 0.015, 4) for a in _FIVE]
    feet = [bar((0, 0, 0.2), (0.26 * np.cos(a), 0.26 * np.sin(a), 0.0), 0.018, 4) for a in _FIVE]
    return join(tube(0.022, 1.78, (0, 0, 0.05), 6), *arms, *feet)


def hung_coat(length: float, rng: Draw) -> Mesh:
    """A coat on a hook: shoulders at z = 0, hanging down."""
    profile = [(0.2, -length), (0.17, -length * 0.5), (0.15, -0.16), (0.05, 0.0)]
    points, faces = lathe(profile, 12)
    return (points * np.array([1, 0.5, 1]) * (1 + 0.08 * rng.uniform(-1, 1, (len(points), 1)))).astype(
        np.float32
    ), faces


def monitor(z: float, w: float = 0.52) -> tuple[Mesh, Mesh]:
    """Stand and case, and the screen (w, 0.6 w) whose lower corner is at (-w / 2, ., z + 0.1)."""
    case = cuboid((w + 0.03, 0.035, 0.6 * w + 0.03), (0, 0, z + 0.1 + 0.3 * w))
    stand = join(
        case, cuboid((0.05, 0.04, 0.16), (0, 0.02, z + 0.08)), cuboid((0.22, 0.18, 0.015), (0, 0.02, z + 0.01))
    )
    return stand, cuboid((w, 0.01, 0.6 * w), (0, -0.022, z + 0.1 + 0.3 * w))


def boxes(count: int, rng: Draw) -> Mesh:
    """A stack of cardboard boxes."""
    return join(
        *(
            cuboid(
                (rng.uniform(0.35, 0.5), 0.36, 0.31), (rng.normal(0, 0.04), 0, 0.155 + 0.31 * k), rng.normal(0, 0.15)
            )
            for k in range(count)
        )
    )


def suitcase() -> Mesh:
    body = cushion((0.44, 0.26, 0.64), (0, 0, 0.38), square=0.25)
    grip = [bar((s * 0.1, 0.05, 0.68), (s * 0.1, 0.05, 0.98), 0.012, 4) for s in _PM]
    return join(body, *grip, bar((-0.1, 0.05, 0.98), (0.1, 0.05, 0.98), 0.018, 4))


def crockery(rng: Draw, count: int, w: float, d: float, z: float) -> Mesh:
    """Cups, plates, bottles and bowls on a surface."""
    kinds = (
        [(0.04, 0), (0.045, 0.09), (0.001, 0.09)],
        [(0.06, 0), (0.12, 0.02), (0.001, 0.02)],
        [(0.038, 0), (0.038, 0.18), (0.014, 0.23), (0.014, 0.29), (0.001, 0.29)],
        [(0.05, 0), (0.11, 0.08), (0.001, 0.08)],
    )
    return join(
        *(
            lathe(kinds[rng.integers(4)], 8, (rng.uniform(-w, w) * 0.42, rng.uniform(-d, d) * 0.36, z))
            for _ in range(count)
        )
    )


# ---- larger equipment ---------------------------------------------------------------------------------------------
def fridge(h: float = 1.8) -> tuple[Mesh, Mesh]:
    """Body, and seam with handles."""
    body = join(block(-0.32, 0.32, -0.3, 0.32, 0.03, h * 0.36), block(-0.32, 0.32, -0.3, 0.32, h * 0.37, h))
    grips = [cuboid((0.025, 0.05, 0.3), (0.25, -0.33, z)) for z in (h * 0.26, h * 0.55)]
    return body, join(block(-0.31, 0.31, -0.28, 0.3, 0, h * 0.99), *grips)


def treadmill() -> tuple[Mesh, Mesh]:
    """Frame and belt; the walker faces +y."""
    rails = [bar((s * 0.36, 0.55, 0.1), (s * 0.36, 0.75, 1.15), 0.035) for s in _PM]
    grips = [bar((s * 0.36, 0.72, 1.0), (s * 0.36, 0.1, 0.95), 0.025) for s in _PM]
    top = cushion((0.72, 0.1, 0.34), (0, 0.78, 1.2), 0.6, square=0.3)
    return join(top, *rails, *grips, block(-0.42, 0.42, 0.5, 0.95, 0.02, 0.24)), block(
        -0.36, 0.36, -0.9, 0.7, 0.02, 0.16
    )


def dumbbell_rack(w: float) -> tuple[Mesh, Mesh]:
    """Rack and weights."""
    shelves = [cuboid((w, 0.3, 0.03), (0, 0, z)) for z in (0.35, 0.75)]
    posts = [cuboid((0.05, 0.34, 0.95), (x, 0, 0.475)) for x in (-w / 2, w / 2)]
    weights = []
    for z in (0.37, 0.77):
        for k in range(int(w / 0.22)):
            x, r = -w / 2 + 0.16 + 0.22 * k, 0.06 + 0.025 * (k % 3)
            weights += [cuboid((0.13, 0.07, 2 * r), (x, y, z + r)) for y in (-0.12, 0.12)]
    return join(*shelves, *posts), join(*weights)


def weight_bench() -> tuple[Mesh, Mesh]:
    """Pad, and frame with a loaded bar."""
    posts = [cuboid((0.05, 0.05, 1.05), (s * 0.55, 0.5, 0.52)) for s in _PM]
    plates = [bar((s * 0.8, 0.45, 1.05), (s * 0.9, 0.45, 1.05), 0.21, 12) for s in _PM]
    discs = [
        moved((np.stack([p[:, 2], p[:, 1], p[:, 0]], -1), f), (s * 0.9, 0.45, 1.05))
        for s in _PM
        for p, f in [lathe([(0.001, 0), (0.21, 0)], 12)]
    ]
    frame = join(*posts, bar((-1.05, 0.45, 1.05), (1.05, 0.45, 1.05), 0.018), *plates, *discs, *legs(0.4, 1.0, 0.38))
    return cushion((0.34, 1.2, 0.1), (0, -0.05, 0.43), square=0.25), frame


def hospital_bed() -> tuple[Mesh, Mesh]:
    """Frame with rails, and linen, head at +y, raised."""
    rails = [bar((s * 0.5, y, 0.75), (s * 0.5, y + 0.7, 0.75), 0.02) for s in _PM for y in (-0.75, 0.1)]
    posts = [cuboid((0.025, 0.025, 0.35), (s * 0.5, y, 0.6)) for s in _PM for y in (-0.7, -0.1, 0.15, 0.75)]
    ends = [cuboid((1.0, 0.04, 0.5), (0, y, 0.65)) for y in (-1.02, 1.02)]
    frame = join(block(-0.46, 0.46, -1.0, 1.0, 0.35, 0.47), *legs(0.8, 1.8, 0.36), *rails, *posts, *ends)
    flat = cushion((0.9, 1.35, 0.16), (0, -0.3, 0.54), square=0.2)
    raised = cushion((0.9, 0.75, 0.14), (0, 0.62, 0.7), 0.5, square=0.2)
    return frame, join(flat, raised, cushion((0.6, 0.36, 0.14), (0, 0.7, 0.86), 0.5, square=0.6))


def drip_stand() -> tuple[Mesh, Mesh]:
    """Stand and bag."""
    feet = [bar((0, 0, 0.08), (0.26 * np.cos(a), 0.26 * np.sin(a), 0.03), 0.016, 4) for a in _FIVE]
    stand = join(tube(0.016, 1.95, (0, 0, 0.05), 6), *feet, bar((-0.15, 0, 1.95), (0.15, 0, 1.95), 0.012))
    return stand, cushion((0.15, 0.06, 0.26), (0.14, 0, 1.8))


def piano() -> tuple[Mesh, Mesh]:
    """Case and keys of an upright piano."""
    case = join(block(-0.75, 0.75, 0.0, 0.3, 0, 1.2), block(-0.75, 0.75, -0.32, 0.02, 0.6, 0.7), *legs(1.4, 0.6, 0.6))
    return case, block(-0.68, 0.68, -0.28, -0.02, 0.7, 0.73)
