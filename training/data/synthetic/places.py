"""Places: floors, walls, furniture and clutter that is not a person, textured by formula and lit by one sun or lamp."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from .facts import COLOURS
from .props import cuboid, join, spheroid, tube
from .wardrobe import shade

KINDS = ("room", "office", "street", "park", "gym", "backdrop", "cafe", "beach")
FLOOR, SKY = 0, -1  # object ids
Draw = np.random.Generator


@dataclass
class Material:
    """kind: see ``texture``; colours linear; scale in metres."""

    kind: str
    one: np.ndarray
    two: np.ndarray
    scale: float = 0.3
    seed: float = 0.0


@dataclass
class Place:
    """Meshes with materials; object 0 is the floor.

    named: object id -> (name, colour) of clutter that may be spoken of.
    """

    kind: str
    light: np.ndarray
    sun: np.ndarray
    ambient: np.ndarray
    sky: tuple[np.ndarray, np.ndarray]
    meshes: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    materials: list[Material] = field(default_factory=list)
    named: dict[int, tuple[str, str | None]] = field(default_factory=dict)
    taken: list[tuple[float, float, float]] = field(default_factory=list)

    def add(
        self,
        mesh: tuple[np.ndarray, np.ndarray],
        material: Material,
        name: str | None = None,
        colour: str | None = None,
    ) -> int:
        self.meshes.append(mesh)
        self.materials.append(material)
        if name:
            self.named[len(self.meshes) - 1] = (name, colour)
        return len(self.meshes) - 1

    def paint(self, ids, points, normals):
        albedo = np.zeros((len(points), 3), np.float32)
        for i in np.unique(ids):
            on = ids == i
            albedo[on] = texture(self.materials[i], points[on], normals[on])
        return albedo, np.zeros(len(points), np.float32)

    def free(self, x: float, y: float, r: float) -> bool:
        return all((x - a) ** 2 + (y - b) ** 2 > (r + c) ** 2 for a, b, c in self.taken)


@lru_cache(1)
def _table() -> np.ndarray:
    return np.random.default_rng(0).random((256, 256), dtype=np.float32)


def _hash(u: np.ndarray, v: np.ndarray, seed: float) -> np.ndarray:
    """A random number in [0, 1] for each cell of a grid."""
    k = int(seed * 37.0)
    return _table()[(u.astype(np.int32) + k) & 255, (v.astype(np.int32) + 7 * k) & 255]


def noise(u: np.ndarray, v: np.ndarray, seed: float) -> np.ndarray:
    """Smooth value noise in [0, 1]."""
    i, j = np.floor(u), np.floor(v)
    a, b = u - i, v - j
    a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
    low = _hash(i, j, seed) * (1 - a) + _hash(i + 1, j, seed) * a
    high = _hash(i, j + 1, seed) * (1 - a) + _hash(i + 1, j + 1, seed) * a
    return low * (1 - b) + high * b


def texture(m: Material, at: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Linear colours (N, 3) at points (N, 3) of a surface."""
    flat = np.abs(normal[:, 2]) > 0.7
    u = np.where(flat, at[:, 0], np.where(np.abs(normal[:, 0]) > np.abs(normal[:, 1]), at[:, 1], at[:, 0]))
    v = np.where(flat, at[:, 1], at[:, 2])
    a, b = u / m.scale, v / m.scale
    rough = 0.9 + 0.2 * noise(u * 3.1, v * 3.1, m.seed)
    if m.kind == "stripes":
        w = ((a % 1) < 0.5).astype(float)
    elif m.kind == "bars":
        w = ((b % 1) < 0.5).astype(float)
    elif m.kind == "checks":
        w = (np.floor(a) + np.floor(b)) % 2
    elif m.kind == "tiles":
        w = ((a % 1 < 0.05) | (b % 1 < 0.05)) * 0.8 + 0.25 * _hash(np.floor(a), np.floor(b), m.seed)
    elif m.kind == "bricks":
        a = a + 0.5 * (np.floor(b * 2.5) % 2)
        w = ((a % 1 < 0.06) | (b * 2.5 % 1 < 0.14)) * 0.7 + 0.3 * _hash(np.floor(a), np.floor(b * 2.5), m.seed)
    elif m.kind == "wood":
        row = np.floor(b * 2)
        w = (
            0.6 * noise(a * 0.7 + row * 7, b * 14, m.seed)
            + 0.35 * _hash(row, np.floor(a / 4 + row * 0.37), m.seed)
            + 0.4 * (b * 2 % 1 < 0.06)
        )
    elif m.kind == "grass":
        w = 0.5 * noise(u * 1.3, v * 1.3, m.seed) + 0.5 * noise(u * 17, v * 17, m.seed + 1)
    elif m.kind == "leaves":
        w = (noise(at[:, 0] * 6 + at[:, 1] * 4.3, at[:, 2] * 7 + at[:, 1] * 3.1, m.seed) > 0.5) * 0.6 + 0.4 * noise(
            at[:, 0] * 19 + at[:, 1] * 11, at[:, 2] * 17, m.seed
        )
    elif m.kind == "windows":
        p, q = a % 1, (b * 0.8) % 1
        w = ((p > 0.25) & (p < 0.75) & (q > 0.25) & (q < 0.8)) * (
            0.65 + 0.35 * _hash(np.floor(a), np.floor(b * 0.8), m.seed)
        )
    elif m.kind == "books":
        r = [_hash(np.floor(u / 0.045), np.floor(v / 0.33), m.seed + k) for k in range(3)]
        out = np.stack(r, -1) ** 2.2 * 0.7 + 0.02
        out[(v % 0.33) < 0.03] = m.one
        return out.astype(np.float32)
    elif m.kind == "screen":
        w = 0.6 * noise(u * 4, v * 4, m.seed) + 0.4 * (_hash(np.floor(u / 0.06), np.floor(v / 0.03), m.seed) > 0.6)
    elif m.kind == "blotches":
        w = noise(a, b, m.seed) * 0.7 + noise(a * 3.3, b * 3.3, m.seed + 2) * 0.3
    else:
        w = 0.3 * noise(a, b, m.seed)
    w = np.clip(w, 0, 1)[:, None]
    return ((m.one * (1 - w) + m.two * w) * rough[:, None]).astype(np.float32)


def _pick(
    rng: Draw,
    *kinds: str,
    bright: tuple[float, float] = (0.15, 0.75),
    colourful: float = 0.3,
    scale: tuple[float, float] = (0.2, 0.8),
) -> Material:
    """A random material among kinds."""
    base = rng.uniform(*bright) * (1 + colourful * rng.uniform(-1, 1, 3))
    other = np.clip(base * rng.uniform(0.45, 1.3) + rng.normal(0, 0.04 * colourful, 3), 0.01, 0.9)
    return Material(str(rng.choice(kinds)), np.clip(base, 0.01, 0.9), other, rng.uniform(*scale), rng.uniform(0, 99))


def _dyed(rng: Draw, kinds: tuple[str, ...] = ("plain", "plain", "plain", "stripes", "checks")) -> tuple[Material, str]:
    """Cloth or paint in one of the clothing colours."""
    name = str(rng.choice(COLOURS))
    return Material(
        str(rng.choice(kinds)),
        shade(name, rng),
        shade(name, rng) * 0.6 + 0.2 * rng.random(),
        rng.uniform(0.06, 0.2),
        rng.uniform(0, 99),
    ), name


def build_place(
    kind: str,
    rng: Draw,
    *,
    far: float,
    half_width: float,
    camera_height: float,
    taken: list[tuple[float, float, float]],
) -> Place:
    """A place around people who stand up to ``far`` metres away; none of it stands on the discs ``taken`` (x, y, r)."""
    inside = kind in ("room", "office", "gym", "cafe", "backdrop")
    azimuth, height = rng.uniform(-2.6, 2.6), rng.uniform(0.6, 1.3) if inside else rng.uniform(0.35, 1.2)
    light = np.array([np.sin(azimuth) * np.cos(height), -np.cos(azimuth) * np.cos(height), np.sin(height)])
    warm = 1 + rng.normal(0, 0.06, 3) * (1, 0.3, -1)
    strength = rng.uniform(0.45, 0.9) if inside else rng.uniform(0.3, 1.3)
    ambient = rng.uniform(0.35, 0.6) if inside else rng.uniform(0.35, 0.55)
    blue = rng.uniform(0, 1)
    sky = (
        np.array([0.75, 0.8, 0.85]) * rng.uniform(0.7, 1.1),
        np.array([0.55 - 0.4 * blue, 0.62 - 0.25 * blue, 0.7 + 0.1 * blue]),
    )
    place = Place(kind, light, strength * warm, ambient * (1 + rng.normal(0, 0.04, 3)), sky, taken=list(taken))
    side = half_width * far * rng.uniform(1.0, 1.5) + rng.uniform(0.8, 2.5)
    back = far + (rng.uniform(0.9, 4.5) if inside else rng.uniform(6, 25))
    (_indoors if inside else _outdoors)(place, rng, side=side, back=back, camera_height=camera_height)
    _clutter(place, rng, half_width=half_width, far=far, back=back, side=side, inside=inside)
    return place


def _floor(place: Place, material: Material, size: float = 90) -> None:
    place.add(cuboid((2 * size, 2 * size, 0.2), (0, 0, -0.1)), material)


def _indoors(place: Place, rng: Draw, *, side: float, back: float, camera_height: float) -> None:
    gym = place.kind == "gym"
    floor = {"gym": ("wood", "plain", "tiles"), "office": ("tiles", "plain", "blotches"), "backdrop": ("plain",)}.get(
        place.kind, ("wood", "tiles", "blotches", "plain", "checks")
    )
    _floor(place, _pick(rng, *floor, bright=(0.08, 0.5), colourful=0.5))
    wall = _pick(
        rng,
        "plain",
        "plain",
        "plain",
        "stripes",
        "bricks",
        "blotches",
        "bars",
        bright=(0.2, 0.85),
        colourful=0.35,
        scale=(0.12, 0.7),
    )
    if rng.random() < 0.15:
        wall = _dyed(rng)[0]
    if place.kind == "backdrop":
        wall.kind = "plain"
    high = max(rng.uniform(2.5, 3.2) * (2.0 if gym else 1), camera_height + 0.4)
    place.add(cuboid((2 * side + 20, 0.2, high), (0, back + 0.1, high / 2)), wall)
    if place.kind != "backdrop":
        for s in (-1, 1):
            place.add(
                cuboid((0.2, back + 8, high), (s * (side + 0.1), back / 2 - 4, high / 2)),
                wall if rng.random() < 0.6 else _pick(rng, "plain", "stripes", "bricks"),
            )
    place.add(
        cuboid((2 * side + 20, back + 20, 0.2), (0, back / 2, high + 0.1)),
        _pick(rng, "plain", "tiles", bright=(0.5, 0.85), colourful=0.05),
    )
    if place.kind == "backdrop":
        return
    place.add(cuboid((2 * side, 0.03, 0.12), (0, back - 0.02, 0.06)), _pick(rng, "plain"))
    for _ in range(rng.integers(1, 4)):  # windows, pictures, screens, shelves on the back wall
        what, x = rng.choice(["window", "poster", "screen", "shelf", "door", "curtain"]), rng.uniform(-side, side) * 0.9
        w, h, z = rng.uniform(0.6, 1.8), rng.uniform(0.5, 1.3), rng.uniform(1.2, 1.9)
        if what == "window":
            place.add(cuboid((w + 0.12, 0.05, h + 0.12), (x, back - 0.02, z)), _pick(rng, "plain", bright=(0.5, 0.8)))
            place.add(
                cuboid((w, 0.07, h), (x, back - 0.02, z)),
                Material("blotches", place.sky[1] * 1.2, np.array([0.3, 0.45, 0.25]), 0.7, rng.random()),
                "window",
            )
        elif what == "poster":
            m, colour = _dyed(rng, ("plain", "stripes", "checks", "blotches"))
            place.add(cuboid((w * 0.6, 0.04, h * 0.8), (x, back - 0.03, z)), m, "poster", colour)
        elif what == "screen":
            place.add(
                cuboid((w, 0.06, w * 0.58), (x, back - 0.05, z)),
                Material("screen", rng.uniform(0.01, 0.1, 3), rng.uniform(0.1, 0.7, 3), 0.2, rng.random()),
                "screen",
            )
        elif what == "shelf":
            place.add(
                cuboid((w, 0.3, 1.9), (x, back - 0.16, 0.95)),
                Material("books", np.full(3, 0.15), np.full(3, 0.1), 0.3, rng.uniform(0, 99)),
                "shelf",
            )
        elif what == "door":
            place.add(cuboid((0.9, 0.06, 2.05), (x, back - 0.03, 1.02)), _pick(rng, "plain", "wood"), "door")
        else:
            m, colour = _dyed(rng)
            place.add(
                join(
                    *(
                        cuboid((0.12, 0.08 + 0.05 * (k % 2), high * 0.9), (x + 0.12 * k, back - 0.07, high * 0.47))
                        for k in range(4)
                    )
                ),
                m,
                "curtain",
                colour,
            )


def _outdoors(place: Place, rng: Draw, *, side: float, back: float, camera_height: float) -> None:
    if place.kind == "street":
        _floor(place, _pick(rng, "plain", "tiles", "blotches", bright=(0.08, 0.35), colourful=0.1, scale=(0.4, 1.2)))
        x = -side - 25.0
        while x < side + 25:
            w, h = rng.uniform(4, 10), rng.uniform(5, 14)
            m = _pick(rng, "windows", "windows", "bricks", "plain", bright=(0.15, 0.6), colourful=0.5, scale=(1.4, 2.6))
            if m.kind == "windows":
                m.two = rng.uniform(0.02, 0.35, 3)
            if m.kind == "bricks":
                m.scale = 0.3
            place.add(cuboid((w, 6, h), (x + w / 2, back + 3 + rng.uniform(0, 1), h / 2)), m)
            if rng.random() < 0.6:
                place.add(cuboid((1.1, 0.1, 2.2), (x + w / 2, back - 0.03, 1.1)), _dyed(rng, ("plain",))[0])
            if rng.random() < 0.4:
                place.add(
                    cuboid((w * 0.8, 1.0, 0.25), (x + w / 2, back - 0.4, 2.7)), _dyed(rng, ("plain", "stripes"))[0]
                )
            x += w + rng.choice([0, 0, 1.5])
        place.add(
            cuboid((160, 3.5, 0.02), (0, back - 3.2, 0.01)), _pick(rng, "blotches", bright=(0.03, 0.1), colourful=0.05)
        )
        for _ in range(rng.integers(0, 3)):  # parked cars
            cx, (coat, colour) = rng.uniform(-side, side) * 1.3, _dyed(rng, ("plain",))
            mesh = join(cuboid((4.0, 1.6, 0.7), (cx, back - 3, 0.6)), cuboid((2.2, 1.4, 0.6), (cx, back - 3, 1.2)))
            place.add(mesh, coat, "car", colour)
    elif place.kind == "park":
        green = np.array([0.12, 0.28, 0.05]) * rng.uniform(0.5, 1.3)
        _floor(place, Material("grass", green, green * rng.uniform(0.4, 0.8) + 0.03, 0.5, rng.uniform(0, 99)))
        for _ in range(rng.integers(4, 12)):
            y = back + rng.uniform(-4, 12)
            x = rng.uniform(-1.6, 1.6) * (side + 0.4 * y)
            h, r = rng.uniform(3, 7), rng.uniform(1.2, 2.6)
            place.add(
                tube(0.16, h, (x, y, 0), 7),
                Material("plain", np.array([0.09, 0.06, 0.04]), np.array([0.14, 0.1, 0.07]), 0.1),
            )
            blobs = [
                spheroid(
                    (r, r, r * 0.8), (x + rng.normal(0, 0.6), y + rng.normal(0, 0.5), h + rng.normal(0.3, 0.5)), 7, 12
                )
                for _ in range(3)
            ]
            leaf = np.array([0.06, 0.2, 0.03]) * rng.uniform(0.6, 1.8, 3)
            place.add(join(*blobs), Material("leaves", leaf, leaf * 0.25, 0.3, rng.uniform(0, 99)))
        place.add(
            cuboid((200, 2, rng.uniform(2, 5)), (0, back + 16, 1.2)),
            Material("leaves", green * 0.7, green * 0.2, 0.5, 3.0),
        )
        if rng.random() < 0.5:
            place.add(
                cuboid((160, rng.uniform(1, 3), 0.02), (0, back * rng.uniform(0.4, 0.9), 0.01)),
                _pick(rng, "blotches", bright=(0.25, 0.5)),
            )
    else:
        sand = np.array([0.62, 0.5, 0.33]) * rng.uniform(0.6, 1.1)
        _floor(place, Material("grass", sand, sand * 0.8, 0.5, rng.uniform(0, 99)))
        sea = np.array([0.05, 0.2, 0.3]) * rng.uniform(0.6, 2)
        place.add(cuboid((300, 80, 0.02), (0, back + 42, 0.012)), Material("bars", sea, sea * 1.2, 1.1, 1.0))
        for _ in range(rng.integers(0, 3)):  # parasols
            x, y = rng.uniform(-side, side), back - rng.uniform(1, 4)
            m, colour = _dyed(rng, ("plain", "stripes"))
            place.add(join(tube(0.03, 2.1, (x, y, 0), 6), tube(1.1, 0.45, (x, y, 1.8), 12, 0.05)), m, "parasol", colour)


def chair(
    at: np.ndarray, heading: float, seat: float, rng: Draw, *, back: bool = True, wide: float = 0.46
) -> tuple[np.ndarray, np.ndarray]:
    """A chair, stool or bench whose seat is ``seat`` high, for somebody who faces ``heading``."""
    parts = [cuboid((wide, 0.46, 0.07), (0, 0.02, seat - 0.035))]
    if rng.random() < 0.5:
        parts.append(cuboid((wide * 0.96, 0.42, max(seat - 0.07, 0.05)), (0, 0.02, (seat - 0.07) / 2)))
    else:
        parts += [
            cuboid((0.045, 0.045, seat), (x, y, seat / 2))
            for x in (-wide / 2 + 0.03, wide / 2 - 0.03)
            for y in (-0.18, 0.22)
        ]
    if back:
        parts.append(cuboid((wide, 0.05, 0.45), (0, 0.27, seat + 0.27)))
    points, faces = join(*parts)
    c, s = np.cos(heading), np.sin(heading)
    return (points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + np.append(at, 0)).astype(np.float32), faces


def _clutter(place: Place, rng: Draw, *, half_width: float, far: float, back: float, side: float, inside: bool) -> None:
    """Things that are not people, many in clothing colours and about as tall."""
    kinds = (
        ("sofa", "chair", "plant", "lamp", "coats", "table", "cabinet", "boxes", "cloth", "post", "ball")
        if inside
        else ("post", "bush", "bench", "bin", "boxes", "sign", "cloth", "ball", "plant")
    )
    for _ in range(rng.integers(1, 4) if place.kind == "backdrop" else rng.integers(3, 9)):
        what = str(rng.choice(kinds))
        for _attempt in range(12):
            front = rng.random() < 0.15
            y = rng.uniform(0.45, 0.8) * far if front else rng.uniform(0.8 * far, max(back - 0.6, far))
            x = rng.uniform(-1.1, 1.1) * min(half_width * y, side - 0.5)
            r = {"sofa": 1.0, "table": 0.7, "bench": 0.9}.get(what, 0.4)
            if place.free(x, y, r + 0.25):
                break
        else:
            continue
        if front and what in ("coats", "lamp", "cabinet", "bush", "sign"):
            continue
        place.taken.append((x, y, r))
        _thing(place, what, np.array([x, y]), rng)


def _thing(place: Place, what: str, at: np.ndarray, rng: Draw) -> None:
    x, y = at
    m, colour = _dyed(rng)
    if what == "sofa":
        mesh = join(
            cuboid((1.7, 0.8, 0.42), (x, y, 0.21)),
            cuboid((1.7, 0.2, 0.85), (x, y + 0.35, 0.42)),
            cuboid((0.2, 0.8, 0.6), (x - 0.85, y, 0.3)),
            cuboid((0.2, 0.8, 0.6), (x + 0.85, y, 0.3)),
        )
        place.add(mesh, m, "sofa", colour)
        for _ in range(rng.integers(0, 4)):
            cushion, name = _dyed(rng)
            place.add(
                spheroid((0.24, 0.12, 0.2), (x + rng.uniform(-0.6, 0.6), y + 0.15, 0.6)), cushion, "cushion", name
            )
    elif what in ("chair", "bench"):
        place.add(
            chair(at, rng.uniform(-3, 3), 0.46, rng, back=rng.random() < 0.8, wide=1.5 if what == "bench" else 0.46),
            m,
            what,
            colour,
        )
    elif what == "plant":
        place.add(tube(0.16, 0.35, (x, y, 0), 9, 0.2), _pick(rng, "plain"))
        leaf = np.array([0.05, 0.2, 0.04]) * rng.uniform(0.7, 2)
        h = rng.uniform(0.3, 0.65)
        place.add(
            join(
                *(
                    spheroid((0.28, 0.28, h), (x + rng.normal(0, 0.13), y + rng.normal(0, 0.1), 0.35 + h), 5, 7)
                    for _ in range(3)
                )
            ),
            Material("leaves", leaf, leaf * 0.25),
            "plant",
        )
    elif what == "lamp":
        place.add(
            join(tube(0.02, 1.5, (x, y, 0), 6), tube(0.15, 0.03, (x, y, 0), 9)), _pick(rng, "plain", bright=(0.02, 0.2))
        )
        place.add(
            tube(0.22, 0.3, (x, y, 1.42), 10, 0.14), Material("plain", np.array([0.95, 0.85, 0.6]), m.one), "lamp"
        )
    elif what == "coats":
        place.add(tube(0.025, 1.75, (x, y, 0), 6), _pick(rng, "wood", bright=(0.05, 0.2)))
        for k in range(rng.integers(1, 4)):
            cloth, name = _dyed(rng)
            a = 2.1 * k + rng.random()
            centre = (x + 0.14 * np.cos(a), y + 0.14 * np.sin(a), rng.uniform(1.0, 1.2))
            place.add(spheroid((0.17, 0.12, rng.uniform(0.4, 0.55)), centre, 7, 9), cloth, "coat", name)
    elif what == "table":
        place.add(
            join(
                cuboid((1.2, 0.7, 0.05), (x, y, 0.73)),
                *(cuboid((0.06, 0.06, 0.7), (x + a, y + b, 0.35)) for a in (-0.55, 0.55) for b in (-0.3, 0.3)),
            ),
            _pick(rng, "wood", "plain"),
            "table",
        )
        for _ in range(rng.integers(0, 3)):
            item, name = _dyed(rng)
            place.add(cuboid((0.2, 0.2, 0.22), (x + rng.uniform(-0.5, 0.5), y + rng.uniform(-0.2, 0.2), 0.86)), item)
    elif what == "cabinet":
        place.add(
            cuboid((rng.uniform(0.6, 1.2), 0.45, rng.uniform(0.8, 1.9)), (x, y, 0.7)),
            m if rng.random() < 0.4 else _pick(rng, "wood", "plain"),
            "cabinet",
        )
    elif what == "boxes":
        for k in range(rng.integers(1, 4)):
            place.add(
                cuboid((0.4, 0.35, 0.32), (x + rng.normal(0, 0.05), y, 0.16 + 0.32 * k), rng.normal(0, 0.2)),
                _pick(rng, "plain") if rng.random() < 0.5 else _dyed(rng)[0],
            )
    elif what == "cloth":  # cloth over a rail: a patch of clothing colour at a person's height
        z = rng.uniform(0.7, 1.3)
        place.add(
            join(
                cuboid((0.03, 0.03, 1.5), (x - 0.35, y, 0.75)),
                cuboid((0.03, 0.03, 1.5), (x + 0.35, y, 0.75)),
                cuboid((0.75, 0.03, 0.03), (x, y, 1.5)),
            ),
            _pick(rng, "plain"),
        )
        place.add(cuboid((rng.uniform(0.3, 0.6), 0.06, 1.5 - z + 0.3), (x, y, (1.5 + z - 0.3) / 2)), m, "cloth", colour)
    elif what in ("post", "sign"):
        place.add(
            tube(rng.uniform(0.04, 0.14), rng.uniform(1.2, 3.5), (x, y, 0), 8),
            m if rng.random() < 0.5 else _pick(rng, "plain", bright=(0.03, 0.4)),
        )
        if what == "sign":
            place.add(cuboid((0.5, 0.03, 0.5), (x, y - 0.05, 2.0)), _dyed(rng)[0], "sign")
    elif what == "bush":
        leaf = np.array([0.05, 0.17, 0.03]) * rng.uniform(0.7, 2)
        place.add(
            spheroid((0.6, 0.5, rng.uniform(0.5, 0.9)), (x, y, 0.4), 7, 12),
            Material("leaves", leaf, leaf * 0.3),
            "bush",
        )
    elif what == "bin":
        place.add(tube(0.25, 0.85, (x, y, 0), 10, 0.29), m, "bin", colour)
    else:
        r = rng.uniform(0.12, 0.3)
        place.add(spheroid((r, r, r), (x, y, r), 8, 12), m, "ball", colour)
