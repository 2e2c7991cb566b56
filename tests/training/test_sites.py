"""Places: every kind builds within its budget, leaves people's ground free, and is painted within range."""

import numpy as np
import pytest

from training.data.synthetic.sites.materials import Material, Shading, paint, paint_sky
from training.data.synthetic.sites.places import FLOOR, KINDS, Place, build_place
from training.data.synthetic.sites.textures import BRIGHTEST, CODES

TRIANGLES = 6000


def build(kind: str, seed: int, texture_seed: int = 0) -> Place:
    """A place with random people in it, as the studio asks for it."""
    rng = np.random.default_rng((seed, 5))
    half_width, near = rng.uniform(0.3, 0.8), rng.uniform(1.3, 6)
    people = []
    for _ in range(rng.integers(1, 6)):
        y = near * rng.uniform(1, 1.8)
        people.append((float(rng.uniform(-0.9, 0.9) * half_width * y), float(y), float(rng.uniform(0.25, 0.9))))
    return build_place(
        kind,
        rng,
        far=max(y + r for _, y, r in people),
        half_width=float(half_width),
        camera_height=float(rng.uniform(0.5, 2.7)),
        taken=[(0.0, 0.0, 0.8), *people],
        texture_seed=texture_seed,
    )


@pytest.fixture(scope="module")
def places() -> list[Place]:
    return [build(kind, seed) for kind in KINDS for seed in range(6)]


def surface(place: Place, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random ids, points and normals on a place's surfaces."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, len(place.meshes), count).astype(np.int32)
    triangles = np.stack([place.meshes[i][0][place.meshes[i][1][rng.integers(len(place.meshes[i][1]))]] for i in ids])
    weights = rng.dirichlet((1, 1, 1), count)
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-12
    points = np.einsum("nk,nkc->nc", weights, triangles)
    return ids, points.astype(np.float32), normals.astype(np.float32)


def test_there_are_many_kinds() -> None:
    assert len(KINDS) >= 16 and len(set(KINDS)) == len(KINDS)


def test_meshes_are_sound_and_few(places: list[Place]) -> None:
    for place in places:
        assert len(place.meshes) == len(place.materials) == len(place.emission)
        for vertices, faces in place.meshes:
            assert vertices.dtype == np.float32 and faces.dtype == np.int32
            assert np.isfinite(vertices).all()
            assert faces.min() >= 0 and faces.max() < len(vertices)
        assert sum(len(faces) for _, faces in place.meshes) <= TRIANGLES, place.kind
        assert abs(place.meshes[FLOOR][0][:, 2].max()) < 1e-6


def test_light_is_sound(places: list[Place]) -> None:
    for place in places:
        assert np.isclose(np.linalg.norm(place.light), 1)
        assert place.light[2] > 0
        assert (0.5 * place.sun + place.ambient).mean() > 0.25  # people stay visible
        assert (place.sun >= 0).all() and (place.ambient > 0).all()


def test_nothing_stands_where_people_do(places: list[Place]) -> None:
    """Between ankle and crown; what hangs from ceilings may hang above."""
    for place in places:
        for i, (vertices, faces) in enumerate(place.meshes):
            t = vertices[faces]
            samples = np.concatenate([t.reshape(-1, 3), t.mean(1), t[:, [0, 1]].mean(1), t[:, [1, 2]].mean(1)])
            samples = samples[(samples[:, 2] > 0.08) & (samples[:, 2] < 1.7)]
            for x, y, r in place.people:
                gap = np.hypot(samples[:, 0] - x, samples[:, 1] - y)
                assert not (gap < 0.85 * r).any(), (place.kind, i, place.named.get(i))


def test_named_things_exist_and_are_ahead(places: list[Place]) -> None:
    assert sum(len(place.named) for place in places) > 3 * len(places)
    for place in places:
        for i, (name, _) in place.named.items():
            assert 0 < i < len(place.meshes)
            assert name and place.meshes[i][0][:, 1].max() > 0.3


def test_inside_is_told(places: list[Place]) -> None:
    told = {place.kind: place.inside for place in places}
    assert told["kitchen"] and told["studio"] and not told["street"] and not told["beach"]


def test_same_seed_same_place() -> None:
    for kind in KINDS[::6]:
        one, other = build(kind, 3), build(kind, 3)
        assert one.named == other.named
        for (a, f), (b, g) in zip(one.meshes, other.meshes, strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(f, g)
        np.testing.assert_array_equal(one.paint(*surface(one, 300)), other.paint(*surface(other, 300)))


def test_paint_is_within_range(places: list[Place]) -> None:
    for place in places:
        albedo = place.paint(*surface(place, 400))
        assert albedo.shape == (400, 3) and albedo.dtype == np.float32
        assert np.isfinite(albedo).all()
        assert albedo.min() >= 0 and albedo.max() <= BRIGHTEST


def test_every_material_paints_and_varies() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 1, (2000, 3)).astype(np.float32) + np.array([0, 1, 0], np.float32)
    normals = np.tile(np.array([0, -1, 0], np.float32), (2000, 1))
    ids = np.zeros(2000, np.int32)
    for kind in CODES:
        m = Material(kind, np.array([0.6, 0.3, 0.2]), np.array([0.1, 0.2, 0.5]), 0.2, 4.0)
        albedo = paint([m], ids, points, normals)
        assert np.isfinite(albedo).all() and albedo.max() <= BRIGHTEST
        assert albedo.std() > 1e-3, kind


def test_textures_differ_between_splits() -> None:
    for kind in KINDS[::5]:
        place, same, other = build(kind, 1), build(kind, 1), build(kind, 1, texture_seed=2)
        at = surface(place, 500)
        np.testing.assert_array_equal(place.paint(*at), same.paint(*at))
        changed = np.abs(place.paint(*at) - other.paint(*at)).max(1) > 1e-4
        assert changed.mean() > 0.4, kind


def test_corners_and_feet_are_darker_and_lamps_lighter() -> None:
    m = Material("plain", np.full(3, 0.5), np.full(3, 0.5))
    points = np.array([[0, 3, 0], [1.98, 3, 0], [0.5, 3, 0]], np.float32)
    up, ids = np.tile(np.array([0, 0, 1], np.float32), (3, 1)), np.zeros(3, np.int32)
    plain = paint([m], ids, points, up)[:, 0]
    shaded = paint([m], ids, points, up, shading=Shading((-2, 2, 6, 3), [(0.5, 3, 0.2, 0.2)], []))[:, 0]
    lit = paint([m], ids, points, up, shading=Shading(pools=[(0, 3, 0.5, 0.5, 1, 1, 1)]))[:, 0]
    assert shaded[1] < 0.8 * plain[1] and shaded[2] < 0.8 * plain[2] and shaded[0] > 0.95 * plain[0]
    assert lit[0] > 1.1 * plain[0]


def test_sky_is_bright_below_and_within_range() -> None:
    rng = np.random.default_rng(1)
    d = rng.normal(size=(500, 3)).astype(np.float32)
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    sky = paint_sky(d, (np.array([0.8, 0.8, 0.8]), np.array([0.1, 0.3, 0.7])), clouds=0.3)
    assert np.isfinite(sky).all() and sky.min() >= 0 and sky.max() <= BRIGHTEST
    assert sky[d[:, 2] < 0, 0].mean() > sky[d[:, 2] > 0.6, 0].mean()
