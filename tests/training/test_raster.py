"""The z-buffer: equal to casting a ray at every triangle, right at the near plane; shadows fall where they should."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from training.data.synthetic import raster
from training.data.synthetic.camera import Camera, orientation, widened
from training.data.synthetic.raster import Buffer, Lamp

FOCAL = 40.0


def camera(turns: np.ndarray | None = None, focals: np.ndarray | None = None) -> Camera:
    turns = np.stack([orientation(0.1, -0.1, 0.05)]) if turns is None else turns
    return Camera(48, 36, np.full(len(turns), FOCAL) if focals is None else focals, 1.5, turns)


def cast(
    triangles: np.ndarray, eye: np.ndarray, ray: np.ndarray, forward: np.ndarray
) -> tuple[int, float, float, float]:
    """The nearest triangle (F, 3, 3) along a ray, beyond the near plane: index, distance, u, v; -1 if there is none."""
    best = (-1, np.inf, 0.0, 0.0)
    for i, (a, b, c) in enumerate(triangles):
        system = np.stack([b - a, c - a, -ray], 1)
        if abs(np.linalg.det(system)) < 1e-9:
            continue
        u, v, t = np.linalg.solve(system, eye - a)
        if u >= 0 and v >= 0 and u + v <= 1 and t * (ray @ forward) > raster.NEAR and t < best[1]:
            best = (i, t, u, v)
    return best


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**9))
@example(seed=7472)  # a triangle across the near plane
def test_equal_to_casting_rays(seed):
    rng = np.random.default_rng(seed)
    vertices = (rng.normal(0, 2.5, (18, 3)) + np.array([0, 4, 1.5])).astype(np.float32)  # some behind the camera
    faces = np.arange(18, dtype=np.int32).reshape(6, 3)
    eye = camera()
    buffer = Buffer(eye.width, eye.height_px)
    buffer.draw(eye.project(vertices, 0), faces)
    hits = buffer.hits(FOCAL)
    drawn = {(int(x), int(y)): i for i, (x, y) in enumerate(zip(hits.x, hits.y, strict=True))}
    rays = eye.rays(0).astype(float) @ eye.turns[0].T
    wrong = 0
    for x in range(0, eye.width, 5):
        for y in range(0, eye.height_px, 5):
            face, distance, u, v = cast(
                vertices[faces].astype(float), eye.centre.astype(float), rays[y, x], eye.turns[0][:, 2]
            )
            i = drawn.get((x, y))
            found = -1 if i is None else int(hits.face[i])
            if found != face:
                wrong += 1  # an edge through the pixel's centre, or two surfaces that cross there
            elif i is not None:
                np.testing.assert_allclose([hits.distance[i], hits.u[i], hits.v[i]], [distance, u, v], atol=2e-3)
    assert wrong <= 1


def test_extent_counts_what_the_frame_cuts_off():
    eye = camera(np.stack([orientation(0, 0, 0)]))
    plate = np.array([[-1, 4, 1], [1, 4, 1], [1, 4, 2], [-1, 4, 2]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]] * 1, np.int32)
    box, inside = raster.extent(eye.project(plate, 0), faces, eye.width, eye.height_px)
    np.testing.assert_allclose(box, [14, 13, 34, 23], atol=1e-3)
    assert inside == 1
    box, inside = raster.extent(eye.project(plate + np.float32([9, 0, 0]), 0), faces, eye.width, eye.height_px)
    assert np.isnan(box).all() and inside == 0


def test_a_plate_keeps_the_light_off_the_floor_below_it_alone():
    toward = np.array([0.6, 0.0, 0.8])
    lamp = Lamp(toward, np.array([-3.0, -3, 0]), np.array([3.0, 3, 2]), 256)
    plate = np.array([[-0.5, -0.5, 1], [0.5, -0.5, 1], [0.5, 0.5, 1], [-0.5, 0.5, 1]], np.float32)
    lamp.cast([(plate, np.array([[0, 1, 2], [0, 2, 3]], np.int32))])
    points = np.array([[-0.75, 0, 0], [0, 0, 0], [-1.4, 0, 0], [-0.75, 0.7, 0], [0, 0, 1.5]], np.float32)
    kept = raster.shadow(points, lamp.map, lamp.matrix, lamp.shift, 0.02)
    np.testing.assert_allclose(kept, [1, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_array_equal(raster.shadow(points, lamp.map, lamp.matrix, lamp.shift, 2.0), 0)


def test_what_is_seen_from_behind_turns_its_normal():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 1]], np.float32)
    faces, one = np.array([[0, 1, 2]], np.int32), np.full(1, 0.25, np.float32)
    for y in (-3.0, 3.0):
        points, normals = raster.surface(
            np.zeros(1, np.int32), one, one, faces, vertices, vertices, np.zeros(1, bool), np.array([0.0, y, 0.0])
        )
        np.testing.assert_allclose(points, [[0.25, 0, 0.25]], atol=1e-6)
        np.testing.assert_allclose(normals, [[0, np.sign(y), 0]], atol=1e-6)


def test_the_wide_view_holds_every_frame():
    turns = np.stack([orientation(a, b, 0.02) for a, b in ((-0.1, 0.05), (0, 0), (0.15, -0.1))])
    eye = camera(turns, np.array([FOCAL, FOCAL * 1.5, FOCAL]))
    wide, homographies = widened(eye, 1.0)
    point = np.array([[0.4, 5, 1.4]], np.float32)
    x, y, w = wide.project(point, 0)[0]
    for frame in range(3):
        a, b, c = eye.project(point, frame)[0]
        mapped = homographies[frame] @ (a / c - 0.5, b / c - 0.5, 1)
        np.testing.assert_allclose(mapped[:2] / mapped[2] + 0.5, (x / w, y / w), atol=1e-6)
        corners = (
            np.array([[x, y, 1] for x in (0, eye.width - 1) for y in (0, eye.height_px - 1)]) @ homographies[frame].T
        )
        corners = corners[:, :2] / corners[:, 2:]
        assert (corners >= 0).all() and (corners < (wide.width, wide.height_px)).all()
