"""Rooms where people shop, read, are nursed, perform; and the photographer's backdrop."""

import numpy as np

from ..deeds.props import cuboid, join, spheroid, tube
from . import furniture as f
from .fittings import (
    DARK,
    STEEL,
    WHITE,
    cabinet,
    ceiling_lights,
    door,
    lamp,
    picture,
    seat,
    shell,
    solid,
    table_with_chairs,
    tiled_ceiling,
    wall_paint,
    window,
    wood,
)  # fmt: skip
from .materials import Draw, Material, dyed_material, random_material
from .setting import Place, Wall, on_wall


def shop(place: Place, rng: Draw) -> None:
    floor = random_material(rng, "tiles", bright=(0.4, 0.7), colourful=0.03, scale=(0.4, 0.6))
    back, left, right = shell(place, rng, floor, wall_paint(rng, choices=6), ceiling=tiled_ceiling(rng))
    x0, x1, y, _ = place.shading.room
    ceiling_lights(place)
    frame = solid(WHITE if rng.random() < 0.5 else STEEL, rng).one
    high = 0.4 * int(rng.integers(4, 6))
    for wall, stretch in ((left, (1.0, y - 0.3)), (right, (1.0, y - 0.3)), (back, (x0, x1))):
        w, c = stretch[1] - stretch[0], (stretch[0] + stretch[1]) / 2
        px, py, turn = on_wall(wall, c, 0.22)
        size = (w, 0.42) if wall is back else (0.42, w)
        if not place.fits(px, py, *size, 0.5):
            continue
        place.claim(px, py, *size)
        shelf = Material("goods", frame, frame, 1, rng.uniform(0, 99))
        cabinet(place, shelf, (px, py), turn, (w, 0.42, 0, high + 0.03), "shelf")
    for k in range(int(rng.integers(1, 4))):
        m, colour = dyed_material(rng, ("plain",))
        x, z = rng.uniform(-0.8, 0.8) * min(place.view.half_width * y, x1), rng.uniform(2.2, 2.5)
        sign = Material("sign", m.one, WHITE, 1, rng.uniform(0, 99), (x - 0.5, 0, z), (1.0, 0.45))
        place.put(cuboid((1.0, 0.03, 0.45), (0, 0, z + 0.22)), sign, (x, y - 0.6 - 0.9 * k), 0, "sign", colour)
    for _ in range(int(rng.integers(1, 4))):
        if at := place.spot(0.9, 0.6, 1.0, rng, y0=place.view.near * 0.75, y1=y - 0.9):
            if rng.random() < 0.5:  # a bin of goods
                m, colour = dyed_material(rng, ("plain",))
                place.put(f.block(-0.45, 0.45, -0.3, 0.3, 0, 0.7), m, at, 0, "crate", colour)
                spots = [(rng.uniform(-0.36, 0.36), rng.uniform(-0.22, 0.22), 0.72) for _ in range(14)]
                heap = [spheroid((0.09, 0.09, 0.09), p, 4, 7) for p in spots]
                place.put(join(*heap), dyed_material(rng, ("plain",))[0], at)
            else:
                goods = Material("goods", frame, frame, 1, rng.uniform(0, 99))
                cabinet(place, goods, at, 0, (0.85, 0.5, 0, 0.83), "shelf")


def library(place: Place, rng: Draw) -> None:
    carpet = random_material(rng, "carpet", bright=(0.08, 0.3), colourful=0.2)
    floor = wood(rng, "parquet", 0.3) if rng.random() < 0.5 else carpet
    walls = shell(place, rng, floor, wall_paint(rng, choices=7))
    back = walls[0]
    y, m = place.shading.room[2], wood(rng)
    h = rng.uniform(2.0, 2.4)
    gap = back.reserve(1.4, rng, low=False, high=True) if rng.random() < 0.6 else None
    if gap is not None:
        pane = Material("window", WHITE, np.clip(place.sky[1] * 1.1 + 0.1, 0, 1.1), 1, rng.uniform(0, 99), emission=0.7)
        place.panel(back, pane, gap, 1.2, 0.9, 2.3, deep=0.05, name="window")
    for wall in walls:
        for _ in range(5):
            w = rng.uniform(0.9, 1.3)
            if spot := place.against(wall, w, 0.34, h, rng):
                sides = [cuboid((0.04, 0.36, h + 0.06), (s * w / 2, 0, h / 2)) for s in (-1, 1)]
                place.put(join(*sides, cuboid((w + 0.06, 0.38, 0.08), (0, 0, h + 0.04))), m, *spot)
                shelf = Material("books", m.one, m.two, 1, rng.uniform(0, 99))
                cabinet(place, shelf, *spot, (w - 0.02, 0.3, 0, h), "bookcase")
    if at := place.spot(1.5, 0.8, 1.0, rng, y0=place.view.near * 0.75, y1=y - 0.9):
        table_with_chairs(place, rng, at, round_=False, chairs=int(rng.integers(1, 4)), wide=1.4)
        lamp(place, rng, (at[0] + rng.uniform(-0.4, 0.4), at[1], 0.74), table=True)
    if at := place.spot(0.7, 0.5, 1.1, rng, y0=place.view.near * 0.75, y1=y - 0.6):  # a trolley
        place.put(join(cuboid((0.7, 0.4, 0.03), (0, 0, 0.3)), *f.legs(0.7, 0.4, 0.95)), solid(STEEL, rng), at)
        cabinet(place, Material("books", STEEL, STEEL, 1, rng.uniform(0, 99)), at, 0, (0.66, 0.3, 0.32, 1.0))
    seat(place, rng, f.chair(np.zeros(2), 0, 0.45, rng), at, rng.uniform(-2, 2)) if (
        at := place.spot(0.55, 0.55, 0.95, rng, y0=place.view.near, y1=y - 0.5)
    ) else None


def clinic(place: Place, rng: Draw) -> None:
    floor = random_material(rng, "plain", "tiles", bright=(0.3, 0.6), colourful=0.05, scale=(0.4, 0.6))
    c = np.array([(0.66, 0.7, 0.68), (0.6, 0.68, 0.72), (0.72, 0.7, 0.64)][rng.integers(3)])
    walls = back, left, right = shell(place, rng, floor, solid(c, rng, "plaster"), ceiling=tiled_ceiling(rng))
    ceiling_lights(place)
    cloth = Material(
        "fabric", np.array([(0.2, 0.48, 0.45), (0.25, 0.4, 0.6), (0.6, 0.62, 0.4)][rng.integers(3)]), WHITE, 0.3, 3.0
    )
    for _ in range(2):
        _sickbed(place, back, cloth, rng)
    for wall in walls:
        window(place, wall, rng, curtains=0.1, blinds=0.8)
        picture(place, wall, rng, "poster" if rng.random() < 0.5 else "picture")
        if rng.random() < 0.6 and (spot := place.against(wall, 1.2, 0.5, 0.95, rng)):
            cabinet(place, Material("cupboards", WHITE, WHITE, 1, 1.0), *spot, (1.2, 0.48, 0.08, 0.9), "cabinet")
            place.put(f.crockery(rng, 4, 1.1, 0.3, 0.9), solid(STEEL, rng), *spot)
    door(place, left if rng.random() < 0.5 else right, rng)
    if at := place.spot(0.6, 0.6, 0.95, rng, y0=place.view.near * 0.8, y1=place.shading.room[2] - 0.6):
        seat(place, rng, f.chair(np.zeros(2), 0, 0.45, rng), at, rng.uniform(-1, 1))


def _sickbed(place: Place, back: Wall, cloth: Material, rng: Draw) -> None:
    """A bed, head to the wall or along it, with a drip, a monitor and a curtain."""
    across = rng.random() < 0.55
    spot = place.against(back, *((2.25, 1.15) if across else (1.15, 2.15)), 0.8, rng)
    if spot is None:
        return
    (x, y), _ = spot
    turn = float(rng.choice([-1, 1])) * np.pi / 2 if across else 0.0
    frame, linen = f.hospital_bed()
    place.put(frame, solid(STEEL, rng, "metal"), (x, y), turn)
    place.put(linen, solid(WHITE if rng.random() < 0.5 else cloth.one, rng, "fabric"), (x, y), turn, "bed")
    side = -np.sign(turn) if across else float(rng.choice([-1, 1]))  # where the head is, or either side
    out = 1.45 if across else 0.85
    hang = f.moved(f.curtain(1.1, 1.75, 8, 0.05, 0.3), (0, 0), np.pi / 2)
    place.put(hang, cloth, (x - side * out, back.at - 0.8), 0, "curtain")
    place.put(cuboid((0.03, 2.2, 0.03), (0, 0, 2.06)), solid(STEEL, rng), (x - side * out, back.at - 1.1))
    if place.fits(x + side * (out - 0.1), back.at - 0.4, 0.4, 0.4, 0.5):
        pole, bag = f.drip_stand()
        place.put(pole, solid(STEEL, rng, "metal"), (x + side * (out - 0.1), back.at - 0.4))
        place.put(bag, solid(np.array([0.7, 0.75, 0.78]), rng), (x + side * (out - 0.1), back.at - 0.4))
        place.claim(x + side * (out - 0.1), back.at - 0.4, 0.3, 0.3)
    glow = Material("board", DARK, np.array([0.1, 0.9, 0.35]), 1, rng.uniform(0, 99), emission=0.8)
    place.panel(back, glow, x, 0.44, 1.4, 1.7, deep=0.12, name="monitor")


def stage(place: Place, rng: Draw) -> None:
    boards = Material("planks", np.array([0.14, 0.08, 0.045]), np.array([0.06, 0.035, 0.02]), 0.14, rng.uniform(0, 99))
    black = Material("plain", DARK, DARK)
    shell(place, rng, boards, black, ceiling=black)
    x0, x1, y, high = place.shading.room
    hue = np.array([(0.36, 0.015, 0.02), (0.36, 0.015, 0.02), (0.03, 0.05, 0.25), (0.2, 0.02, 0.16)][rng.integers(4)])
    velvet = Material("fabric", hue, hue * 0.6, 0.3, rng.uniform(0, 99))
    width = 2 * min(place.view.half_width * y, max(x1, -x0)) + 1.5
    place.put(f.curtain(width, high, int(width / 0.32), 0.09, 0.02), velvet, (0, y - 0.15), 0, "curtain")
    for k in range(2):  # legs at both sides
        for x in (x0 + 0.35 + 0.5 * k, x1 - 0.35 - 0.5 * k):
            place.put(f.curtain(0.9, high, 4, 0.08, 0.02), velvet, (x, y - 0.9 - 1.4 * (1 - k)))
    for _ in range(int(rng.integers(2, 5))):
        px, py = rng.uniform(-0.7, 0.7) * place.view.half_width * place.view.near, rng.uniform(place.view.near, y)
        tint = np.array([(1, 0.85, 0.6), (0.5, 0.6, 1.0), (1.0, 0.4, 0.5), (1, 1, 1)][rng.integers(4)])
        place.shading.pools.append((px, py, 0.6, 1.0, *(tint * 1.4)))
        can, faces = tube(0.12, 0.3, (0, 0, 0), 10, 0.16)
        place.put((can, faces), solid(DARK, rng), (px, py + 0.4, high - 0.45))
        lens = spheroid((0.11, 0.11, 0.05), (0, -0.02, 0), 4, 8)
        place.put(lens, Material("plain", tint, tint, emission=1.5), (px, py + 0.4, high - 0.46))
    for what in rng.permutation(["piano", "mic", "speaker", "speaker", "chair", "drums"])[:4]:
        w, d, h = {"piano": (1.6, 0.7, 1.2), "speaker": (0.5, 0.5, 1.0), "drums": (1.5, 1.2, 1.0)}.get(
            what, (0.5, 0.5, 1.0)
        )
        at = place.spot(w, d, h, rng, y0=place.view.near * 0.8, y1=y - 0.8)
        if at is None:
            continue
        if what == "piano":
            case, keys = f.piano()
            place.put(case, solid(DARK, rng) if rng.random() < 0.6 else wood(rng), at, 0, "piano")
            place.put(keys, solid(WHITE, rng), at)
        elif what == "mic":
            place.put(join(tube(0.014, 1.35, (0, 0, 0), 6), tube(0.13, 0.02, (0, 0, 0), 10)), solid(DARK, rng), at)
            place.put(spheroid((0.035, 0.035, 0.05), (0, 0, 1.4), 5, 7), solid(STEEL, rng), at, 0, "microphone")
        elif what == "speaker":
            place.put(f.block(-0.24, 0.24, -0.2, 0.2, 0, 1.0), solid(DARK * 2, rng), at, 0, "speaker")
            rings = [tube(0.17, 0.02, columns=12), tube(0.1, 0.02, columns=10)]
            cones = [
                (np.stack([p[:, 0], -p[:, 2] - 0.2, p[:, 1] + z], -1), t)
                for (p, t), z in zip(rings, (0.32, 0.74), strict=True)
            ]
            place.put(join(*cones), solid(STEEL * 0.5, rng), at)
        elif what == "drums":
            m, colour = dyed_material(rng, ("plain",))
            shells = [tube(0.27, 0.5, (0, 0.1, 0), 12), tube(0.22, 0.3, (0.55, 0.1, 0.3), 10)]
            shells += [tube(0.17, 0.25, (x, -0.15, 0.55), 10) for x in (-0.3, 0.3)]
            place.put(join(*shells), m, at, 0, "drum", colour)
            plates = [f.lathe([(0.22, 0.95), (0.001, 1.0)], 12, (x, 0.1, 0)) for x in (-0.6, 0.6)]
            posts = [tube(0.012, 0.95, (x, 0.1, 0), 5) for x in (-0.6, 0.6)]
            place.put(
                join(*plates, *posts), Material("metal", np.array([0.7, 0.5, 0.15]), np.array([0.5, 0.3, 0.1])), at
            )
        else:
            seat(place, rng, f.chair(np.zeros(2), 0, 0.45, rng), at, rng.uniform(-1, 1))


def backdrop(place: Place, rng: Draw) -> None:
    """A photographer's paper, curved where wall meets floor."""
    y, high = place.shading.room[2:]
    if rng.random() < 0.35:
        m = dyed_material(rng, ("plain",))[0]
    else:
        m = wall_paint(rng)
    m.kind = "plain"
    place.add(cuboid((180, 180, 0.2), (0, 0, -0.1)), m)
    place.grounds.append(0)
    a = np.linspace(0, np.pi / 2, 9)
    r = 0.6
    profile = np.concatenate([np.stack([y - r + r * np.sin(a), r - r * np.cos(a)], -1), [[y, high + 4]]])
    points = np.concatenate([np.column_stack([np.full(len(profile), x), profile]) for x in (-40, 40)])
    place.add((points.astype(np.float32), f.strip_faces(2, len(profile), False)), m)
    place.shading.room = (-np.inf, np.inf, np.inf, np.inf)
