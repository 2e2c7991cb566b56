"""Meshes of the things people hold: boxes and spheres in metres, a little larger than life so that they can be seen."""

import numpy as np

from .poses import Prop

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


def phone(hold: str, rng: np.random.Generator) -> Prop:
    return Prop(
        "phone",
        *cuboid((0.085, 0.025, 0.18), (0, -0.02, 0.02)),
        str(rng.choice(["black", "black", "white", "grey"])),
        hold,
    )


def book(hold: str, rng: np.random.Generator) -> Prop:
    left, right = cuboid((0.2, 0.02, 0.28), (-0.095, 0, 0), -0.3), cuboid((0.2, 0.02, 0.28), (0.095, 0, 0), 0.3)
    return Prop("book", *join(left, right), str(rng.choice(["white", "red", "blue", "green", "beige"])), hold)


def cup(hold: str, rng: np.random.Generator) -> Prop:
    return Prop(
        "cup",
        *tube(0.045, 0.13, (0, -0.02, -0.05), top=0.055),
        str(rng.choice(["white", "red", "blue", "yellow", "green"])),
        hold,
    )


def ball(hold: str, rng: np.random.Generator) -> Prop:
    r = rng.uniform(0.1, 0.14)
    return Prop(
        "ball", *spheroid((r, r, r)), str(rng.choice(["white", "red", "orange", "yellow", "blue", "green"])), hold
    )


def box(hold: str, rng: np.random.Generator) -> Prop:
    size = rng.uniform(0.28, 0.42), rng.uniform(0.22, 0.34), rng.uniform(0.2, 0.34)
    return Prop("box", *cuboid(size), str(rng.choice(["brown", "beige", "white", "blue", "red"])), hold)


def laptop(hold: str, rng: np.random.Generator) -> Prop:
    return Prop(
        "laptop",
        *join(cuboid((0.36, 0.26, 0.025)), cuboid((0.36, 0.02, 0.25), (0, -0.16, 0.11), 0.3, 0)),
        str(rng.choice(["grey", "black"])),
        hold,
    )


def handbag(hold: str, rng: np.random.Generator) -> Prop:
    bag = cuboid((0.12, 0.34, 0.26), (0, 0, -0.3))
    return Prop(
        "bag",
        *join(bag, cuboid((0.015, 0.02, 0.2), (0, 0.09, -0.08)), cuboid((0.015, 0.02, 0.2), (0, -0.09, -0.08))),
        str(rng.choice(["black", "brown", "red", "blue", "beige", "white"])),
        hold,
    )


def backpack(rng: np.random.Generator, body_height: float) -> Prop:
    s = body_height / 1.7
    bag = spheroid((0.17 * s, 0.12 * s, 0.25 * s), (0, 0.2 * s, 0.0), 6, 8)
    return Prop(
        "backpack", *bag, str(rng.choice(["black", "blue", "red", "green", "grey", "orange", "purple"])), "back"
    )
