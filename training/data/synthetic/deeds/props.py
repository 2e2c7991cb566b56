"""Meshes of the things people hold: in metres, a little larger than life so that they can be seen.

Each lies about the point at which it is held; -y is away from the holder, z up, unless its builder says otherwise.
"""

from itertools import pairwise

import numpy as np

from .poses import Prop

Mesh = tuple[np.ndarray, np.ndarray]
Draw = np.random.Generator
BRIGHT = ("red", "blue", "green", "yellow", "orange", "white", "purple", "pink")

CUBE = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)], np.float32)
CUBE_FACES = np.array(
    [
        [0, 1, 3],
        [0, 3, 2],
        [4, 6, 7],
        [4, 7, 5],
        [0, 4, 5],
        [0, 5, 1],
        [2, 3, 7],
        [2, 7, 6],
        [0, 2, 6],
        [0, 6, 4],
        [1, 5, 7],
        [1, 7, 3],
    ],
    np.int32,
)


def cuboid(
    size: tuple[float, float, float], centre: tuple[float, float, float] = (0, 0, 0), turn: float = 0.0, axis: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """A box turned about an axis."""
    points = CUBE * np.array(size)
    a, b = (axis + 1) % 3, (axis + 2) % 3
    c, s = np.cos(turn), np.sin(turn)
    points[:, [a, b]] = np.stack([c * points[:, a] - s * points[:, b], s * points[:, a] + c * points[:, b]], 1)
    return (points + np.array(centre)).astype(np.float32), CUBE_FACES


def spheroid(
    radii: tuple[float, float, float], centre: tuple[float, float, float] = (0, 0, 0), rows: int = 6, columns: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """An ellipsoid of triangles, poles on z."""
    v, h = np.meshgrid(
        np.linspace(0, np.pi, rows + 1), np.linspace(0, 2 * np.pi, columns, endpoint=False), indexing="ij"
    )
    points = np.stack([np.sin(v) * np.cos(h), np.sin(v) * np.sin(h), np.cos(v)], -1).reshape(-1, 3)
    return (points * np.array(radii) + np.array(centre)).astype(np.float32), grid_faces(rows + 1, columns, closed=True)


def tube(
    radius: float,
    height: float,
    centre: tuple[float, float, float] = (0, 0, 0),
    columns: int = 10,
    top: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """An upright cylinder or cone frustum with a lid, standing on ``centre``."""
    h = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    ring = lambda r, z: np.stack([r * np.cos(h), r * np.sin(h), np.full_like(h, z)], -1)  # noqa: E731
    top = radius if top is None else top
    points = np.concatenate([ring(radius, 0), ring(top, height), ring(1e-3, height)])
    return (points + np.array(centre)).astype(np.float32), grid_faces(3, columns, closed=True)


def grid_faces(rows: int, columns: int, *, closed: bool) -> np.ndarray:
    """Triangles of a grid of points; ``closed``: the last column meets the first."""
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij")
    a, b = i * columns + j, i * columns + (j + 1) % columns
    return np.concatenate(
        [np.stack([a, a + columns, b], -1).reshape(-1, 3), np.stack([b, a + columns, b + columns], -1).reshape(-1, 3)]
    ).astype(np.int32)


def join(*meshes: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Several meshes as one."""
    start = np.cumsum([0] + [len(v) for v, _ in meshes])
    return np.concatenate([v for v, _ in meshes]), np.concatenate(
        [f + s for (_, f), s in zip(meshes, start, strict=False)]
    )


def painted(*parts: tuple[Mesh, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Several meshes as one, with the colour's number for every face."""
    points, faces = join(*(mesh for mesh, _ in parts))
    return points, faces, np.concatenate([np.full(len(mesh[1]), k, np.int32) for mesh, k in parts])


def rod(start: tuple[float, float, float], end: tuple[float, float, float], radius: float, columns: int = 6) -> Mesh:
    """A round bar between two points."""
    points, faces = tube(radius, 1.0, columns=columns)
    a, b = np.array(start), np.array(end)
    z = (b - a) / np.linalg.norm(b - a)
    x = np.cross(z, (0.0, 0.0, 1.0) if abs(z[2]) < 0.9 else (0.0, 1.0, 0.0))
    x /= np.linalg.norm(x)
    y = np.cross(z, x)
    out = points[:, :1] * x + points[:, 1:2] * y + points[:, 2:] * (b - a) + a
    return out.astype(np.float32), faces


def ring(radius: float, thick: float, centre: tuple[float, float, float], axis: int = 0, columns: int = 20) -> Mesh:
    """A wheel's rim about ``axis``."""
    h = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    out = np.zeros((5, columns, 3))
    a, b = (axis + 1) % 3, (axis + 2) % 3
    for k, (dr, dx) in enumerate(((0, -1), (1, 0), (0, 1), (-1, 0), (0, -1))):
        out[k, :, axis] = dx * thick
        out[k, :, a], out[k, :, b] = (radius + dr * thick) * np.cos(h), (radius + dr * thick) * np.sin(h)
    return (out.reshape(-1, 3) + np.array(centre)).astype(np.float32), grid_faces(5, columns, closed=True)


def turned(mesh: Mesh, axis: int, angle: float, shift: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    """A mesh turned about an axis, then moved."""
    points = mesh[0].astype(float).copy()
    a, b = (axis + 1) % 3, (axis + 2) % 3
    c, s = np.cos(angle), np.sin(angle)
    points[:, [a, b]] = np.stack([c * points[:, a] - s * points[:, b], s * points[:, a] + c * points[:, b]], 1)
    return (points + np.array(shift)).astype(np.float32), mesh[1]


def pick(rng: Draw, *names: str) -> str:
    return str(rng.choice(names))


def prop(name: str, hold: str, colours: tuple[str, ...], *parts: tuple[Mesh, int], frame: str = "chest") -> Prop:
    """A prop of coloured parts; the first colour is the one spoken of."""
    points, faces, which = painted(*parts)
    return Prop(name, points, faces, colours[0], hold, frame=frame, colours=colours, face_colour=which)


# --- small things ---------------------------------------------------------------------------------------------------


def phone(hold: str, rng: Draw) -> Prop:
    """Screen towards the holder (+y)."""
    case = pick(rng, "black", "black", "white", "grey", "red", "blue")
    body, screen = cuboid((0.09, 0.016, 0.18), (0, -0.01, 0.03)), cuboid((0.08, 0.004, 0.16), (0, 0.001, 0.03))
    return prop("phone", hold, (case, "white" if case != "white" else "navy"), (body, 0), (screen, 1))


def book(hold: str, rng: Draw) -> Prop:
    """Open towards the holder."""
    w, h = rng.uniform(0.16, 0.2), rng.uniform(0.24, 0.3)
    parts = []
    for g in (-1, 1):
        parts.append((turned(cuboid((w, 0.012, h), (g * w / 2, 0, 0)), 2, g * 0.3), 0))
        parts.append((turned(cuboid((w * 0.94, 0.02, h * 0.94), (g * w / 2, 0.014, 0)), 2, g * 0.3), 1))
    return prop("book", hold, (pick(rng, "red", "blue", "green", "black", "brown", "yellow"), "white"), *parts)


def closed_book(hold: str, rng: Draw) -> Prop:
    """Its cover to the front."""
    cover, pages = cuboid((0.18, 0.04, 0.25)), cuboid((0.175, 0.03, 0.254), (0.006, 0, 0))
    colours = pick(rng, "red", "blue", "green", "black", "brown", "yellow"), "white"
    return prop("book", hold, colours, (cover, 0), (pages, 1))


def newspaper(hold: str, rng: Draw) -> Prop:
    """Two large pages with columns and a picture on the outside, open towards the holder."""
    w, h = 0.3, 0.42
    parts = []
    for g in (-1, 1):
        page = [(cuboid((w, 0.006, h), (g * w / 2, 0, 0)), 0)]
        for x in (0.08, 0.22):
            page += [(cuboid((0.11, 0.009, 0.012), (g * x, 0, z)), 1) for z in np.linspace(-0.17, 0.08, 8)]
        page.append((cuboid((0.25, 0.009, 0.05), (g * 0.15, 0, 0.16)), 1))
        parts += [(turned(mesh, 2, g * 0.25), k) for mesh, k in page]
    return prop("newspaper", hold, ("white", "grey"), *parts)


def cup(hold: str, rng: Draw) -> Prop:
    colour = pick(rng, "white", "red", "blue", "yellow", "green")
    mug, inside = tube(0.046, 0.125, (0, -0.02, -0.05), top=0.052), tube(0.045, 0.002, (0, -0.02, 0.0745))
    handle = ring(0.032, 0.009, (0, -0.085, 0.01), axis=0, columns=10)
    return prop("cup", hold, (colour, "brown"), (mug, 0), (inside, 1), (handle, 0), frame="upright")


def bottle(hold: str, rng: Draw) -> Prop:
    colour = pick(rng, "green", "blue", "brown", "white", "red")
    body, shoulder = tube(0.042, 0.17, (0, 0, -0.08)), tube(0.042, 0.05, (0, 0, 0.09), top=0.016)
    neck, cap = tube(0.016, 0.05, (0, 0, 0.14)), tube(0.018, 0.02, (0, 0, 0.185))
    label = tube(0.044, 0.07, (0, 0, -0.04))
    other = "white" if colour != "white" else "blue"
    return prop(
        "bottle", hold, (colour, other), (body, 0), (shoulder, 0), (neck, 0), (cap, 1), (label, 1), frame="upright"
    )


def glass(hold: str, rng: Draw) -> Prop:
    """A full tumbler."""
    drink = pick(rng, "orange", "red", "yellow", "brown")
    full, rim, base = (
        tube(0.036, 0.1, (0, 0, -0.045), top=0.042),
        tube(0.043, 0.03, (0, 0, 0.055)),
        tube(0.036, 0.012, (0, 0, -0.057)),
    )
    return prop("glass", hold, (drink, "white"), (full, 0), (rim, 1), (base, 1), frame="upright")


def food(hold: str, rng: Draw) -> Prop:
    """A sandwich, an apple or a banana, bitten at +y."""
    kind = pick(rng, "sandwich", "sandwich", "apple", "banana")
    if kind == "apple":
        return prop(
            kind,
            hold,
            (pick(rng, "red", "green"), "brown"),
            (spheroid((0.047, 0.047, 0.045)), 0),
            (tube(0.005, 0.02, (0, 0, 0.04)), 1),
        )
    if kind == "banana":
        parts = [
            (
                rod(
                    (0, 0.08 - 0.055 * k, 0.012 * (k - 1.5) ** 2), (0, 0.025 - 0.055 * k, 0.012 * (k - 0.5) ** 2), 0.021
                ),
                0,
            )
            for k in range(3)
        ]
        return prop(kind, hold, ("yellow",), *parts)
    bread, filling = (0.12, 0.12, 0.022), (0.125, 0.125, 0.02)
    return prop(
        kind, hold, ("beige", "green"),
        (cuboid(bread, (0, 0.03, 0.022)), 0), (cuboid(filling, (0, 0.03, 0)), 1), (cuboid(bread, (0, 0.03, -0.022)), 0),
    )  # fmt: skip


def cigarette(hold: str, rng: Draw) -> Prop:
    """Lit end away."""
    return prop(
        "cigarette",
        hold,
        ("white", "orange"),
        (rod((0, 0.05, 0), (0, -0.06, 0), 0.009), 0),
        (rod((0, -0.06, 0), (0, -0.085, 0), 0.0105), 1),
    )


def toothbrush(hold: str, rng: Draw) -> Prop:
    """Lies along x; bristles at its +x end."""
    return prop(
        "toothbrush", hold, (pick(rng, "blue", "red", "green", "pink", "orange"), "white"),
        (cuboid((0.19, 0.016, 0.02), (0.04, 0, 0)), 0), (cuboid((0.04, 0.024, 0.02), (0.125, 0.014, 0)), 1),
        frame="head",
    )  # fmt: skip


def camera(hold: str, rng: Draw) -> Prop:
    body, hump = cuboid((0.15, 0.06, 0.1)), cuboid((0.06, 0.06, 0.035), (0, 0, 0.065))
    lens, front = (
        rod((0, -0.03, -0.005), (0, -0.13, -0.005), 0.042, 10),
        rod((0, -0.13, -0.005), (0, -0.135, -0.005), 0.034, 10),
    )
    return prop(
        "camera",
        hold,
        (pick(rng, "black", "black", "grey"), "navy"),
        (body, 0),
        (hump, 0),
        (lens, 0),
        (front, 1),
        frame="head",
    )


def microphone(hold: str, rng: Draw) -> Prop:
    """Its head at +y, over the fist."""
    return prop(
        "microphone",
        hold,
        ("black", "grey"),
        (rod((0, -0.08, -0.08), (0, 0.055, 0.055), 0.019), 0),
        (spheroid((0.036, 0.036, 0.036), (0, 0.075, 0.075)), 1),
    )


def pen(hold: str, rng: Draw) -> Prop:
    return prop(
        "pen",
        hold,
        (pick(rng, "blue", "black", "red"),),
        (rod((0, -0.02, -0.07), (0, 0.04, 0.1), 0.009), 0),
        frame="upright",
    )


def notepad(hold: str, rng: Draw) -> Prop:
    """Lies flat on the palm, tilted to the holder."""
    board, paper = cuboid((0.2, 0.28, 0.016)), cuboid((0.18, 0.25, 0.006), (0, 0, 0.01))
    return prop("notepad", hold, (pick(rng, "brown", "blue", "black", "red"), "white"), (board, 0), (paper, 1))


def headphones(rng: Draw, reach: float, top: float) -> Prop:
    """About the origin between the ears, which are ``reach`` apart over two; the band runs over ``top``."""
    h = np.linspace(0, np.pi, 9)
    arc = [(float(reach * 1.04 * np.cos(a)), 0.0, float(top * np.sin(a))) for a in h]
    band = [(rod(a, b, 0.014), 0) for a, b in pairwise(arc)]
    cups = [(rod((g * (reach - 0.01), 0, 0), (g * (reach + 0.04), 0, 0), 0.05, 10), 1) for g in (-1, 1)]
    colour = pick(rng, "black", "white", "red", "blue")
    return prop("headphones", "head", (colour, colour if rng.random() < 0.5 else "black"), *band, *cups, frame="head")


# --- loads ----------------------------------------------------------------------------------------------------------


def ball(hold: str, rng: Draw) -> Prop:
    r = rng.uniform(0.1, 0.14)
    one = pick(rng, "white", "red", "orange", "yellow", "blue", "green")
    points, faces = spheroid((r, r, r), rows=8, columns=12)
    middle = points[faces].mean(1)
    which = (
        (np.floor(np.arctan2(middle[:, 1], middle[:, 0]) / (np.pi / 3)) + np.floor(middle[:, 2] / (0.6 * r))) % 2
    ).astype(np.int32)
    which *= rng.random() < 0.5
    two = "black" if one == "white" else "white"
    return Prop(
        "ball",
        points,
        faces,
        one,
        hold,
        frame="upright",
        colours=(one, two),
        face_colour=which * (np.abs(middle[:, 2]) < 0.7 * r),
    )


def box(hold: str, rng: Draw, scale: float = 1.0) -> Prop:
    """A carton with a strip of tape, or one with a lid."""
    x, y, z = rng.uniform(0.28, 0.42) * scale, rng.uniform(0.22, 0.34) * scale, rng.uniform(0.2, 0.34) * scale
    colour = pick(rng, "brown", "beige", "white", "blue", "red")
    if rng.random() < 0.6:
        other = "beige" if colour == "brown" else "brown" if colour == "beige" else "black"
        extra = cuboid((0.05, y * 1.01, z * 1.01))
    else:
        other, extra = colour, cuboid((x * 1.04, y * 1.04, 0.05), (0, 0, z / 2))
    return prop("box", hold, (colour, other), (cuboid((x, y, z)), 0), (extra, 1))


def tray(hold: str, rng: Draw) -> Prop:
    board, cup_, bowl = (
        cuboid((0.46, 0.32, 0.02)),
        tube(0.04, 0.1, (-0.12, -0.04, 0.01)),
        tube(0.06, 0.05, (0.1, 0.02, 0.01), top=0.085),
    )
    return prop(
        "tray", hold, (pick(rng, "brown", "black", "red"), "white"), (board, 0), (cup_, 1), (bowl, 1), frame="upright"
    )


def handbag(hold: str, rng: Draw) -> Prop:
    bag, strap = (
        cuboid((0.13, 0.34, 0.26), (0, 0, -0.32)),
        [cuboid((0.018, 0.02, 0.2), (0, y, -0.1), 0.45 * np.sign(y), 0) for y in (0.05, -0.05)],
    )
    colour = pick(rng, "black", "brown", "red", "blue", "beige", "white")
    return prop(
        "bag",
        hold,
        (colour, "grey"),
        (bag, 0),
        *((m, 0) for m in strap),
        (cuboid((0.135, 0.06, 0.04), (0, 0, -0.24)), 1),
        frame="upright",
    )


def suitcase(hold: str, rng: Draw) -> Prop:
    """Carried by its upper handle."""
    body, handle = cuboid((0.2, 0.56, 0.4), (0, 0, -0.24)), cuboid((0.03, 0.18, 0.03))
    bands = [cuboid((0.205, 0.03, 0.405), (0, y, -0.24)) for y in (-0.17, 0.17)]
    return prop(
        "suitcase",
        hold,
        (pick(rng, "brown", "black", "blue", "red", "green"), "grey"),
        (body, 0),
        (handle, 1),
        *((b, 1) for b in bands),
        frame="upright",
    )


def wheeled_suitcase(hold: str, rng: Draw, length: float) -> Prop:
    """Pulled by a pole: the grip at the origin, wheels ``length`` down its -z, the case's front to +y."""
    low = -length + 0.05
    body, poles = (
        cuboid((0.38, 0.22, 0.52), (0, 0.0, low + 0.28)),
        [rod((x, -0.06, low + 0.5), (x, -0.02, 0), 0.012) for x in (-0.1, 0.1)],
    )
    bar, wheels = (
        rod((-0.11, -0.02, 0), (0.11, -0.02, 0), 0.018),
        [rod((x - 0.02, 0.06, low), (x + 0.02, 0.06, low), 0.05, 8) for x in (-0.16, 0.16)],
    )
    bands = [cuboid((0.03, 0.225, 0.525), (x, 0, low + 0.28)) for x in (-0.1, 0.1)]
    return prop(
        "suitcase", hold, (pick(rng, "red", "blue", "black", "green", "purple"), "grey", "black"),
        (body, 0), *((m, 1) for m in poles), (bar, 2), *((m, 2) for m in wheels), *((m, 1) for m in bands),
        frame="upright",
    )  # fmt: skip


def umbrella(hold: str, rng: Draw) -> Prop:
    """Open; the fist at the handle, the canopy over it."""
    n, h = 10, np.linspace(0, 2 * np.pi, 10, endpoint=False)
    levels = [(0.02, 0.78), (0.28, 0.73), (0.48, 0.62), (0.56, 0.53)]
    points = np.concatenate([np.stack([r * np.cos(h), r * np.sin(h), np.full(n, z)], -1) for r, z in levels]).astype(
        np.float32
    )
    canopy = points, grid_faces(len(levels), n, closed=True)
    one = pick(rng, "black", "red", "blue", "yellow", "green", "purple")
    two = one if rng.random() < 0.6 else "white"
    shaft = rod((0, 0, -0.1), (0, 0, 0.83), 0.012)
    open_ = prop("umbrella", hold, (one, "grey", two), (shaft, 1), (canopy, 0), frame="upright")
    assert open_.face_colour is not None
    k = len(open_.face_colour) - len(canopy[1])
    columns = np.tile(np.tile(np.arange(n) % 2, len(levels) - 1), 2)
    open_.face_colour[k:] = np.where(columns == 1, 2, 0)
    return open_


def backpack(rng: Draw, body_height: float) -> Prop:
    s = body_height / 1.7
    bag = spheroid((0.17 * s, 0.12 * s, 0.25 * s), (0, 0.2 * s, -0.08 * s), 6, 8)
    pocket = spheroid((0.12 * s, 0.06 * s, 0.1 * s), (0, 0.3 * s, -0.18 * s), 5, 8)
    colour = pick(rng, "black", "blue", "red", "green", "grey", "orange", "purple")
    return Prop("backpack", *join(bag, pocket), colour, "back")
