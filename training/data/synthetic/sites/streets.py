"""Built-up places under the sky."""

import numpy as np

from ..deeds.props import cuboid, join, tube
from . import furniture as f
from . import scenery as s
from .fittings import DARK, STEEL, WHITE, solid, wood
from .grounds import (
    STONES,
    asphalt,
    base,
    horizon,
    lamp_posts,
    parked,
    paving,
    plant_tree,
    put_about,
    row,
    span,
)
from .materials import Draw, Material, dyed_material
from .setting import Place


def marks(place: Place, spans: list[tuple[float, float, float, float]], material: Material) -> None:
    """Painted lines on the ground, one object: x0, x1, y0, y1 of each."""
    place.grounds.append(place.add(join(*(f.block(*span, 0.005, 0.016) for span in spans)), material))


def street(place: Place, rng: Draw) -> None:
    """A street that runs away from the camera or across the picture."""
    base(place, asphalt(rng))
    x0, x1 = span(place)
    far, half = place.view.far, place.view.half_width
    stripe = solid(WHITE, rng)
    if rng.random() < 0.6:
        left, right = min(x0 - rng.uniform(0.8, 2.0), -1.6), max(x1 + rng.uniform(0.8, 2.0), 1.6)
        side = 1 if rng.random() < 0.5 else -1
        kerb = right if side > 0 else left
        pave = paving(rng)
        place.ground(min(left, kerb - 0.01), max(right, kerb + 0.01), -4, 90, pave)
        place.add(cuboid((0.15, 94, 0.05), (kerb, 43, 0.025)), solid(np.array([0.5, 0.5, 0.48]), rng, "concrete"))
        other = kerb + side * 7.5
        place.ground(min(other, other + side * 3), max(other, other + side * 3), -4, 90, pave)
        c = kerb + side * 3.8
        marks(place, [(c - 0.07, c + 0.07, 1 + 4 * k, 3 + 4 * k) for k in range(16)], stripe)
        house = (left if side > 0 else right) - side * 0.4
        row(place, rng, along="y", at=house, start=0.5, end=min(far + 30, 45), shops=0.5)
        row(place, rng, along="y", at=other + side * 3.2, start=3, end=min(far + 30, 45), shops=0.4)
        row(place, rng, along="x", at=max(far + 30, 45), start=-14, end=14, shops=0.2)
        for k in range(4):
            if rng.random() < 0.75:
                parked(place, rng, kerb + side * 1.15, max(far * 0.8, 3) + 5.2 * k + rng.uniform(0, 0.6), np.pi / 2)
            if rng.random() < 0.5:
                parked(place, rng, other - side * 1.1, 6 + 5.5 * k, np.pi / 2)
        lamp_posts(place, rng, kerb - side * 0.45, [far * 0.7 + 1, far + 7, far + 15])
        if rng.random() < 0.6:
            for k in range(3):
                plant_tree(place, rng, kerb - side * 0.7, far + 3.5 + 7 * k, rng.uniform(5, 7))
    else:
        road = far + rng.uniform(1.2, 3)
        place.ground(-90, 90, -4, road, paving(rng))
        place.add(cuboid((180, 0.16, 0.06), (0, road, 0.03)), solid(np.array([0.5, 0.5, 0.48]), rng, "concrete"))
        place.ground(-90, 90, road + 7, road + 10, paving(rng))
        marks(place, [(-28 + 4 * k, -26 + 4 * k, road + 3.5, road + 3.64) for k in range(14)], stripe)
        reach = half * (road + 10) * 1.25 + 4
        row(place, rng, along="x", at=road + 10, start=-reach, end=reach, shops=0.45)
        for k in range(4):
            x = (k - 1.5) * 5.2 + rng.uniform(-0.5, 0.5)
            if rng.random() < 0.55:
                parked(place, rng, x, road + (1.1 if rng.random() < 0.5 else 5.9), 0.0)
        for x in rng.uniform(-0.9, 0.9, 3) * reach * 0.7:
            if rng.random() < 0.5:
                plant_tree(place, rng, float(x), road + 8, rng.uniform(5, 7))
            else:
                lamp_posts(place, rng, float(x), [road - 0.5])
    put_about(place, rng, ("bin", "post", "sign", "bench", "pot", "case"), int(rng.integers(2, 6)), y1=far + 5)


def pavement(place: Place, rng: Draw) -> None:
    """Shops close behind the people."""
    base(place, paving(rng))
    y = place.shading.room[2]
    reach = place.view.half_width * y * 1.2 + 3
    row(place, rng, along="x", at=y, start=-reach - rng.uniform(0, 5), end=reach, shops=0.85)
    place.shading.room = (-np.inf, np.inf, y, np.inf)
    lamp_posts(place, rng, rng.uniform(-0.6, 0.6) * place.view.half_width * y, [y - 0.9])
    if rng.random() < 0.5:
        plant_tree(place, rng, rng.uniform(-0.8, 0.8) * place.view.half_width * y, y - 1.0, rng.uniform(5, 6.5))
    kinds = ("table", "sign", "bin", "pot", "bench", "post", "box", "table", "case")
    put_about(place, rng, kinds, int(rng.integers(3, 8)), y1=y - 0.7)


def plaza(place: Place, rng: Draw) -> None:
    base(place, paving(rng))
    far, half = place.view.far, place.view.half_width
    y = far + rng.uniform(9, 18)
    reach = half * y * 1.2 + 4
    row(place, rng, along="x", at=y, start=-reach, end=reach, shops=0.6)
    x0, x1 = span(place)
    for side, x in ((-1, min(x0 - 3, -half * far - 1)), (1, max(x1 + 3, half * far + 1))):
        if rng.random() < 0.7:
            row(place, rng, along="y", at=x if x * side > 0 else side * 3.0, start=far * 0.6, end=y, shops=0.6)
    cx, cy = rng.uniform(-0.5, 0.5) * half * y * 0.7, far + rng.uniform(3, 6)
    stone = solid(np.array(STONES[2]), rng, "concrete")
    if rng.random() < 0.6 and place.fits(cx, cy, 3.2, 3.2, 1.5):  # a fountain
        place.claim(cx, cy, 3.2, 3.2)
        bowl = f.lathe([(1.6, 0), (1.6, 0.5), (1.4, 0.5), (1.4, 0.35)], 20)
        column = f.lathe([(0.3, 0.3), (0.15, 0.5), (0.15, 1.1), (0.6, 1.25), (0.6, 1.32), (0.1, 1.3), (0.07, 1.7)], 14)
        place.put(join(bowl, column), stone, (cx, cy), 0, "fountain")
        water = Material("water", np.array([0.15, 0.28, 0.32]), np.array([0.5, 0.6, 0.65]), 1, 1.0)
        place.put(f.lathe([(1.42, 0.4), (0.001, 0.4)], 20), water, (cx, cy))
    elif place.fits(cx, cy, 1.6, 1.6, 1.5):  # a monument
        place.claim(cx, cy, 1.6, 1.6)
        steps = [cuboid((1.8 - 0.4 * k, 1.8 - 0.4 * k, 0.25), (0, 0, 0.125 + 0.25 * k)) for k in range(3)]
        place.put(join(*steps, f.lathe([(0.35, 0.7), (0.25, 4.2), (0.001, 4.8)], 4)), stone, (cx, cy), 0, "monument")
    for k in range(4):
        plant_tree(place, rng, (k - 1.5) * half * y * 0.55, y - 2.5, rng.uniform(5, 6.5))
    lamp_posts(place, rng, rng.uniform(-0.8, 0.8) * half * far, [far + 1.5, far + 6])
    kinds = ("bench", "bin", "table", "pot", "post", "sign", "bench", "case")
    put_about(place, rng, kinds, int(rng.integers(3, 8)), y1=far + 6)


def car_park(place: Place, rng: Draw) -> None:
    base(place, asphalt(rng))
    far, half = place.view.far, place.view.half_width
    y = far + rng.uniform(3.2, 5.5)
    x0, stripe = rng.uniform(-1.2, 1.2), solid(WHITE, rng)
    n, near = min(int(half * y / 2.6) + 1, 6), place.view.near
    lines: list[tuple[float, float, float, float]] = []
    for k in range(-n, n + 1):
        x = x0 + 2.6 * k
        lines += [(x - 0.05, x + 0.05, y - 2.4, y + 2.4), (x - 0.05, x + 0.05, 0.5 * near, 0.5 * near + 2.6)]
        if k < n and rng.random() < 0.6 and len(place.meshes) < 90:
            parked(place, rng, x + 1.3, y, np.pi / 2 * float(rng.choice([-1, 1])) + rng.normal(0, 0.03))
    marks(place, lines, stripe)
    if rng.random() < 0.6:
        w = max(half * (y + 9) * 1.6, 12)
        shed = Material("corrugated", np.array(STONES[rng.integers(6)]), WHITE, 1, 1.0)
        place.add(f.block(-w, w, y + 8, y + 16, 0, rng.uniform(5, 8)), shed)
        front = Material("glass", np.array([0.06, 0.07, 0.09]), place.sky[0] * 0.45, 1, 4.0)
        place.add(f.block(-w * 0.4, w * 0.4, y + 7.9, y + 8.1, 0.2, 2.6), front)
        m, _ = dyed_material(rng, ("plain",))
        place.add(f.block(-w * 0.42, w * 0.42, y + 7.7, y + 8.1, 2.8, 3.8), m)
    else:
        reach = half * (y + 9) * 1.3 + 4
        row(place, rng, along="x", at=y + 8, start=-reach, end=reach, shops=0.2)
    lamp_posts(place, rng, x0 + 2.6 * float(rng.integers(-2, 2)), [y + 2.8, far + 0.8])
    for _ in range(3):
        plant_tree(place, rng, rng.uniform(-1, 1) * half * (y + 5), y + 5, rng.uniform(5, 6.5))
    put_about(place, rng, ("cone", "post", "bin", "case", "box", "cone"), int(rng.integers(2, 6)), y1=y - 2.6)


def platform(place: Place, rng: Draw) -> None:
    """A station: tracks behind the people, a train or the other platform, a roof on posts."""
    base(place, Material("gravel", np.array([0.2, 0.18, 0.16]), np.array([0.1, 0.09, 0.08]), 0.3, rng.uniform(0, 99)))
    far, half = place.view.far, place.view.half_width
    edge = far + rng.uniform(0.9, 2.2)
    place.ground(-60, 60, -5, edge, paving(rng))
    place.ground(-60, 60, edge - 0.65, edge - 0.5, solid(np.array([0.75, 0.55, 0.04]), rng), 0.016)
    pit, steel = (
        Material("gravel", np.array([0.09, 0.08, 0.075]), np.array([0.03, 0.03, 0.03]), 0.3, 5.0),
        solid(STEEL, rng, "metal"),
    )
    place.ground(-60, 60, edge, edge + 3.2, pit, 0.03)
    for y in (edge + 0.8, edge + 2.25):
        place.add(cuboid((120, 0.09, 0.06), (0, y, 0.06)), steel)
    if rng.random() < 0.6:
        coat, colour = dyed_material(rng, ("plain",))
        while colour in ("black", "brown"):
            coat, colour = dyed_material(rng, ("plain",))
        y = edge + 0.25
        x0 = rng.uniform(-14, -6)
        for k in range(2):
            a = x0 + 16.2 * k
            place.add(f.block(a, a + 16, y, y + 2.7, 0.35, 3.4), coat, "train", colour)
            place.add(f.block(a, a + 16, y - 0.01, y + 2.7, 0.95, 1.15), solid(WHITE, rng))
            place.add(f.block(a + 0.2, a + 15.8, y + 0.2, y + 2.5, 3.4, 3.65), solid(STEEL, rng))
            glass = Material(
                "glass", np.array([0.04, 0.05, 0.06]), place.sky[0] * 0.4, 1, 7.0, emission=0.3 * place.night
            )
            panes = [f.block(a + b, a + b + 1.5, y - 0.02, y, 1.55, 2.6) for b in (0.6, 2.4, 6.0, 7.8, 11.4, 13.2)]
            place.add(join(*panes), glass)
            doors = [f.block(a + b, a + b + 1.3, y - 0.025, y, 0.45, 2.75) for b in (4.3, 9.7)]
            place.add(join(*doors), solid(STEEL, rng), "train door")
            place.add(join(*(f.block(a + b + 0.2, a + b + 1.1, y - 0.03, y, 1.5, 2.5) for b in (4.3, 9.7))), glass)
    else:
        place.ground(-60, 60, edge + 3.2, edge + 8, paving(rng), 0.05)
        place.add(f.block(-60, 60, edge + 3.15, edge + 3.3, 0, 0.5), solid(STEEL, rng, "concrete"))
        place.put(s.fence(16, 1.4, rng), solid(DARK * 3, rng), (0, edge + 7.5))
        horizon(place, rng, edge + 14)
    roof = solid(np.array([0.3, 0.32, 0.33]), rng, "corrugated")
    place.add(f.block(-40, 40, place.view.near * 0.4, edge - 0.2, 3.6, 3.8), roof)
    post, pc = dyed_material(rng, ("plain",))
    step = rng.uniform(3.2, 4.5)
    for k in range(-3, 4):
        x, y = k * step + rng.uniform(-0.2, 0.2), edge - 1.3
        if place.fits(x, y, 0.24, 0.24, 0.1):
            place.claim(x, y, 0.22, 0.22)
            place.put(join(tube(0.1, 3.6, (0, 0, 0), 8), tube(0.16, 0.25, (0, 0, 0), 8)), post, (x, y), 0, "post", pc)
    x = rng.uniform(-0.5, 0.5) * half * edge
    blue = np.array([0.03, 0.06, 0.3])
    sign = Material("sign", blue, WHITE, 1, rng.uniform(0, 99), (x - 0.9, 0, 2.5), (1.8, 0.5), emission=0.4)
    place.put(cuboid((1.8, 0.1, 0.5), (0, 0, 2.75)), sign, (x, edge - 1.0), 0, "sign", "blue")
    put_about(place, rng, ("bench", "bin", "case", "case", "bench", "sign"), int(rng.integers(3, 7)), y1=edge - 0.9)


def construction(place: Place, rng: Draw) -> None:
    earth = np.array([0.3, 0.22, 0.14]) * rng.uniform(0.8, 1.2)
    base(place, Material("gravel", earth, earth * 0.6, 0.3, rng.uniform(0, 99)))
    far, half = place.view.far, place.view.half_width
    y = far + rng.uniform(3, 8)
    w, h = max(half * y * 1.5, 7), rng.uniform(7, 10)
    grey = Material("concrete", np.array([0.4, 0.39, 0.37]), np.array([0.28, 0.27, 0.26]), 1.2, rng.uniform(0, 99))
    floors = [cuboid((2 * w, 6, 0.3), (0, y + 4.2, z)) for z in np.arange(3.0, h, 3.0)]
    posts = [cuboid((0.4, 0.4, h), (float(x), y + 1.6, h / 2)) for x in np.arange(-w, w, 3.2)]
    place.add(join(*floors, *posts, f.block(-w, w, y + 6, y + 7, 0, h)), grey)
    if rng.random() < 0.6:
        brick = Material("bricks", np.array(STONES[0]), WHITE * 0.6, 0.2, 1.0)
        place.put(f.block(-w * 0.5, w * 0.1, 0, 0.2, 0, 3), brick, (0, y + 1.4))
    poles, boards = s.scaffold(min(1.6 * w, 14), min(h, 8))
    place.put(poles, solid(STEEL, rng, "metal"), (rng.uniform(-0.3, 0.3) * w, y), 0, "scaffold")
    place.put(boards, wood(rng), (0, y))
    yellow = np.array([0.65, 0.42, 0.03])
    at_crane = (rng.uniform(-1, 1) * w, y + 24)
    place.put(s.crane(rng.uniform(16, 22)), solid(yellow, rng), at_crane, rng.uniform(-0.5, 0.5))
    if (at := place.spot(5.4, 2.2, 1.9, rng, y0=far + 1.3, y1=y - 0.6)) and rng.random() < 0.75:
        body, tracks = s.digger()
        turn = float(rng.choice([0, np.pi]))
        place.put(body, solid(np.array([0.7, 0.42, 0.03]), rng), at, turn, "digger", "yellow")
        place.put(tracks, solid(DARK * 1.5, rng), at, turn)
    heap = earth * 1.15
    for _ in range(2):
        yy = y + rng.uniform(-1.5, 1)
        x = rng.uniform(-1, 1) * half * yy
        if place.fits(x, yy, 2.6, 2.0, 0.8):
            place.put(
                f.bumpy((1.4, 1.1, 0.9), (0, 0, 0), rng, 7, 12, 0.12),
                Material("gravel", heap, heap * 0.6, 0.3, 4.0),
                (x, yy),
            )
    for _ in range(4):
        if at := place.spot(1.5, 0.6, 1.0, rng, y0=place.view.near * 0.8, y1=y):
            if rng.random() < 0.5:
                red = Material("stripes", np.array([0.55, 0.03, 0.02]), WHITE, 0.4, 1.0)
                place.put(s.barrier(1.4), red, at, rng.normal(0, 0.2), "barrier")
            else:
                bricks = Material("bricks", np.array(STONES[0]), WHITE * 0.5, 0.2, rng.uniform(0, 99))
                place.put(f.block(-0.5, 0.5, -0.3, 0.3, 0.1, rng.uniform(0.4, 0.8)), bricks, at, 0, "bricks")
    put_about(place, rng, ("cone", "box", "cone", "bin", "rock"), int(rng.integers(2, 5)), y1=y)
