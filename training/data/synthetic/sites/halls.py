"""Rooms where people work, learn, eat, drink and train."""

from itertools import pairwise

import numpy as np

from ..deeds.props import cuboid, join, spheroid, tube
from . import furniture as f
from .fittings import (
    DARK,
    PAINTS,
    STEEL,
    WHITE,
    bookcase,
    cabinet,
    ceiling_lights,
    door,
    glowing,
    hang_lamps,
    picture,
    plant,
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

GREEN_BOARD = (0.035, 0.1, 0.06)


def _board(place: Place, wall: Wall, rng: Draw, *, white: bool, name: str = "board") -> None:
    w = min(rng.uniform(1.6, 3.2), (wall.end - wall.start) * 0.8)
    c = wall.reserve(w, rng, low=False, high=True)
    if c is not None:
        ground, ink = (WHITE, np.array([0.05, 0.08, 0.3])) if white else (np.array(GREEN_BOARD), WHITE)
        place.panel(wall, Material("board", ground, ink, 1, rng.uniform(0, 99)), c, w, 0.85, 2.0, name=name)


def _notices(place: Place, wall: Wall, rng: Draw) -> None:
    c = wall.reserve(1.2, rng, low=False, high=True)
    if c is not None:
        m = Material("notices", np.array([0.4, 0.26, 0.13]), WHITE, 1, rng.uniform(0, 99))
        place.panel(wall, m, c, rng.uniform(0.9, 1.25), 1.05, 1.95)


def _desk(place: Place, rng: Draw, at: tuple[float, ...], turn: float, *, chair: bool = True) -> None:
    """A desk with a monitor that faces whoever sits behind it, and an office chair."""
    place.put(f.table(1.3, 0.65, 0.73, rng), wood(rng) if rng.random() < 0.5 else solid(WHITE, rng), at, turn)
    stand, screen = f.monitor(0.73)
    place.put(stand, solid(DARK, rng), at, turn)
    glow = Material("screen", np.array([0.05, 0.08, 0.12]), WHITE, 1, rng.uniform(0, 99), emission=0.5)
    glow.at, glow.size = (at[0] - 0.26, at[1] - 0.26, 0.83), (0.52, 0.32)
    place.put(screen, glow, at, turn, "computer")
    things = [cuboid((0.22, 0.3, 0.05), (0.48, -0.1, 0.755)), tube(0.04, 0.1, (-0.5, -0.1, 0.73), 8)]
    place.put(join(*things), dyed_material(rng, ("plain",))[0], at, turn)
    if chair:
        m, colour = dyed_material(rng, ("plain", "fabric"))
        x, y = at[0] + 0.62 * np.sin(turn), at[1] - 0.62 * np.cos(turn)
        if place.fits(x, y, 0.5, 0.5, 0.9):
            place.put(f.office_chair(), m, (x, y), turn + np.pi + rng.normal(0, 0.4), "chair", colour)
            place.claim(x, y, 0.5, 0.5)


def office(place: Place, rng: Draw) -> None:
    floor = random_material(rng, "carpet", "carpet", "tiles", bright=(0.08, 0.35), colourful=0.1, scale=(0.5, 0.6))
    back, left, right = walls = shell(place, rng, floor, wall_paint(rng, choices=6), ceiling=tiled_ceiling(rng))
    ceiling_lights(place)
    for wall in (left, right, back):
        for _ in range(2):
            window(place, wall, rng, curtains=0.0, blinds=0.5)
    if rng.random() < 0.7:
        _board(place, back, rng, white=True, name="whiteboard")
    _notices(place, walls[rng.integers(3)], rng)
    for wall in (back, left, right):
        if spot := place.against(wall, 1.35, 0.7, 1.1, rng):
            _desk(place, rng, *spot)
        if rng.random() < 0.5:
            bookcase(place, wall, rng, "books", "shelf")
        if spot := place.against(wall, 0.5, 0.5, 1.0 + 0.4 * rng.random(), rng):
            m = Material("cupboards", STEEL if rng.random() < 0.6 else WHITE, STEEL, 1, 1.0)
            cabinet(place, m, *spot, (0.48, 0.48, 0, 1.15), "cabinet", cell=(0.48, 0.4))
    for _ in range(int(rng.integers(1, 4))):
        if at := place.spot(1.4, 0.75, 1.1, rng, y0=place.view.near * 0.7, y1=place.shading.room[2] - 0.8):
            _desk(place, rng, at, float(rng.choice([0.0, np.pi])))
    if at := place.spot(0.5, 0.5, 1.3, rng, y0=place.view.far, y1=place.shading.room[2] - 0.3):
        plant(place, rng, at, rng.uniform(0.9, 1.6))
    door(place, walls[rng.integers(3)], rng)


def classroom(place: Place, rng: Draw) -> None:
    floor = random_material(rng, "tiles", "planks", "parquet", bright=(0.2, 0.5), colourful=0.07, scale=(0.25, 0.4))
    back, left, right = walls = shell(place, rng, floor, wall_paint(rng, choices=8), ceiling=tiled_ceiling(rng))
    ceiling_lights(place)
    _board(place, back, rng, white=rng.random() < 0.25, name="blackboard")
    if (c := back.reserve(0.35, rng, low=False, high=True)) is not None:
        clock = tube(0.17, 0.04, columns=16)
        points = np.stack([clock[0][:, 0], -clock[0][:, 2], clock[0][:, 1]], -1)
        place.put((points, clock[1]), solid(WHITE, rng), (c, back.at, 2.15), 0, "clock")
    for wall in walls:
        for _ in range(2):
            picture(place, wall, rng, "poster")
    _notices(place, walls[rng.integers(3)], rng)
    lit = left if place.light[0] < 0 else right
    for _ in range(3):
        window(place, lit, rng, curtains=0.2)
    for wall in (back, left, right):
        if rng.random() < 0.5:
            bookcase(place, wall, rng, "books", "shelf")
    door(place, back if rng.random() < 0.5 else left, rng)
    m = wood(rng)
    frame, (paint_, colour) = solid(STEEL, rng, "metal"), dyed_material(rng, ("plain",))
    for _ in range(int(rng.integers(4, 10))):
        if at := place.spot(0.75, 1.05, 0.85, rng, y0=place.view.near * 0.6, y1=place.shading.room[2] - 1.0):
            top = join(cuboid((0.7, 0.5, 0.03), (0, 0, 0.72)), cuboid((0.6, 0.4, 0.1), (0, 0, 0.62)))
            place.put(top, m, (at[0], at[1] + 0.2), 0, "desk")
            place.put(join(*f.legs(0.7, 0.5, 0.7, 0.03)), frame, (at[0], at[1] + 0.2))
            turn = np.pi + rng.normal(0, 0.15)
            place.put(f.chair(np.zeros(2), 0, 0.44, rng), paint_, (at[0], at[1] - 0.3), turn, "chair", colour)
            if rng.random() < 0.6:
                pile = cuboid((0.24, 0.3, 0.05), (0.1, 0.2, 0.76), rng.normal(0, 0.3))
                place.put(pile, dyed_material(rng)[0], at)


def corridor(place: Place, rng: Draw) -> None:
    floor = random_material(rng, "tiles", "planks", "carpet", bright=(0.15, 0.5), colourful=0.07, scale=(0.3, 0.6))
    back, left, right = walls = shell(place, rng, floor, wall_paint(rng, ("plaster", "plaster", "tiles", "bricks")))
    x0, x1, y1, high = place.shading.room
    if rng.random() < 0.6:  # the lower part of the walls in another colour
        dado = wall_paint(rng)
        strips = [f.block(x, x + 0.012, -4, y1, 0.1, 1.1) for x in (x0, x1 - 0.012)]
        place.add(join(*strips, f.block(x0, x1, y1 - 0.012, y1, 0.1, 1.1)), dado)
    n = int(min(y1 / 2.2, 12))
    lights = [cuboid((0.3, 1.1, 0.03), ((x0 + x1) / 2, 1.0 + 2.2 * k, high - 0.015)) for k in range(n)]
    place.add(join(*lights), glowing((1.0, 0.98, 0.92), 1.2))
    place.shading.pools += [((x0 + x1) / 2, 1.0 + 2.2 * k, high - 0.3, 1.0, 0.5, 0.48, 0.44) for k in range(0, n, 2)]
    if rng.random() < 0.5:
        window(place, back, rng, curtains=0.1)
    door(place, back, rng)
    for wall in (left, right):
        for _ in range(int(rng.integers(2, 5))):
            door(place, wall, rng)
        for _ in range(2):
            picture(place, wall, rng, "poster" if rng.random() < 0.5 else "picture")
        if rng.random() < 0.5 and (spot := place.against(wall, 1.8, 0.4, 1.8, rng)):
            m, colour = dyed_material(rng, ("cupboards",))
            cabinet(place, m, *spot, (1.8, 0.38, 0, 1.8), "locker", colour, cell=(3.0, 0.95))
        if rng.random() < 0.5 and (spot := place.against(wall, 1.3, 0.42, 0.5, rng)):
            place.put(
                join(cuboid((1.3, 0.36, 0.05), (0, 0, 0.43)), *f.legs(1.3, 0.36, 0.42)), wood(rng), *spot, "bench"
            )
        _notices(place, walls[rng.integers(3)], rng)


def cafe(place: Place, rng: Draw) -> None:
    floor = random_material(rng, "tiles", "checks", bright=(0.15, 0.5), colourful=0.1, scale=(0.25, 0.45))
    floor = wood(rng, "planks") if rng.random() < 0.5 else floor
    back, left, right = walls = shell(place, rng, floor, wall_paint(rng, ("plaster", "bricks", "tiles", "plaster")))
    y = place.shading.room[2]
    bar_counter(place, back, rng, stools=False)
    _board(place, back, rng, white=False, name="menu board")
    for k in range(2):
        if (c := back.reserve(1.0, rng, low=False, high=True)) is not None:
            goods = Material("goods" if k else "bottles", wood(rng).one, DARK * 2, 1, rng.uniform(0, 99))
            place.panel(back, goods, c, 1.0, 1.2, 2.04, deep=0.22, name="shelf")
    for wall in (left, right):
        for _ in range(2):
            window(place, wall, rng, curtains=0.1)
        picture(place, wall, rng)
    hang_lamps(place, rng, int(rng.integers(2, 5)), y=y - 1.2)
    for _ in range(int(rng.integers(2, 5))):
        if at := place.spot(1.3, 1.3, 0.9, rng, y0=place.view.near * 0.7, y1=y - 1.9):
            table_with_chairs(place, rng, at, round_=rng.random() < 0.65, chairs=int(rng.integers(2, 5)), wide=0.75)
    if at := place.spot(0.5, 0.5, 1.3, rng, y0=place.view.far, y1=y - 1.2):
        plant(place, rng, at, rng.uniform(0.8, 1.6))
    door(place, walls[rng.integers(3)], rng)


def bar_counter(place: Place, back: Wall, rng: Draw, *, stools: bool) -> None:
    """A counter before the back wall with room for whoever serves."""
    w = min(rng.uniform(2.2, 4.5), back.end - back.start)
    c = back.reserve(w, rng, low=True, high=False)
    y = back.at - 1.05
    if c is None or not place.fits(c, y, w, 0.6, 1.08):
        return
    place.claim(c, y, w, 0.6)
    front = wood(rng, "planks") if rng.random() < 0.6 else wall_paint(rng, ("tiles", "plain"))
    place.put(f.block(-w / 2, w / 2, -0.27, 0.27, 0, 1.04), front, (c, y), 0, "counter")
    place.put(f.block(-w / 2 - 0.05, w / 2 + 0.05, -0.36, 0.34, 1.04, 1.09), wood(rng), (c, y))
    place.put(f.crockery(rng, int(4 + w), w, 0.4, 1.09), solid(WHITE, rng), (c, y))
    machine = join(cuboid((0.6, 0.4, 0.42), (0, 0, 1.32)), cuboid((0.5, 0.1, 0.12), (0, -0.22, 1.4)))
    place.put(machine, solid(STEEL, rng, "metal"), (c + rng.uniform(-0.3, 0.3) * w, y))
    if stools:
        m, colour = dyed_material(rng, ("plain",))
        for k in range(int(w / 0.65)):
            x = c - w / 2 + 0.4 + 0.65 * k
            if place.fits(x, y - 0.65, 0.4, 0.4, 0.78):
                place.put(f.stool(0.76), m, (x, y - 0.65), 0, "stool", colour)
                place.claim(x, y - 0.65, 0.38, 0.38)


def pub(place: Place, rng: Draw) -> None:
    dark = Material("planks", np.array([0.16, 0.08, 0.04]), np.array([0.07, 0.04, 0.02]), 0.12, rng.uniform(0, 99))
    walls = back, left, right = shell(
        place, rng, dark, wall_paint(rng, ("bricks", "plaster", "wallpaper")), ceiling=wood(rng)
    )
    x0, x1, y, _ = place.shading.room
    w = min(rng.uniform(2.4, 4.0), (back.end - back.start) * 0.8)
    if (c := back.reserve(w, rng, low=False, high=True)) is not None:
        m = Material(
            "bottles", np.array([0.2, 0.1, 0.05]), np.array([0.75, 0.48, 0.2]), 1, rng.uniform(0, 99), emission=0.45
        )
        place.panel(back, m, c, w, 0.85, 2.11, deep=0.2, name="shelf")
        place.shading.pools.append((c, y - 0.5, 1.5, 0.9, 0.7, 0.45, 0.2))
    bar_counter(place, back, rng, stools=True)
    if (c := left.reserve(1.2, rng, low=False, high=True)) is not None:  # a neon sign
        x, yy, turn = on_wall(left, c, 0.04)
        dots = [(0.4 * np.cos(a), 0.0, 0.25 * np.sin(a)) for a in np.arange(14) / 2]
        ring = [f.bar(p, q, 0.02) for p, q in pairwise(dots)]
        neon = np.array([(1, 0.15, 0.4), (0.2, 0.6, 1.0), (0.3, 1, 0.4)][rng.integers(3)])
        place.put(join(*ring), Material("plain", neon, neon, emission=1.5), (x, yy, 1.9), turn)
        place.shading.pools.append((x, yy, 1.9, 0.7, *(neon * 1.2)))
    hang_lamps(place, rng, int(rng.integers(2, 5)), y=y - 1.1)
    wainscot = [f.block(x, x + 0.015, -4, y, 0.1, 1.0) for x in (x0, x1 - 0.015)]
    place.add(join(*wainscot, f.block(x0, x1, y - 0.015, y, 0.1, 1.0)), wood(rng, "stripes"))
    for wall in (left, right):
        picture(place, wall, rng)
        picture(place, wall, rng, "poster")
        if rng.random() < 0.5:
            window(place, wall, rng, curtains=0.3)
    for _ in range(int(rng.integers(1, 4))):
        if at := place.spot(1.2, 1.2, 0.9, rng, y0=place.view.near * 0.7, y1=y - 2.0):
            table_with_chairs(place, rng, at, round_=rng.random() < 0.6, chairs=int(rng.integers(2, 4)), wide=0.8)
    door(place, walls[rng.integers(3)], rng)


def gym(place: Place, rng: Draw) -> None:
    sport = rng.random() < 0.4
    rubber = Material("gravel", np.array([0.05, 0.05, 0.055]), np.array([0.11, 0.11, 0.12]), 0.3, rng.uniform(0, 99))
    floor = wood(rng, "planks", 0.09) if sport else rubber
    back, left, right = walls = shell(place, rng, floor, wall_paint(rng, ("plaster", "bricks", "plaster")))
    x0, x1, y, _ = place.shading.room
    ceiling_lights(place)
    if sport:
        line = (
            solid(np.array(PAINTS[1]), rng),
            solid(np.array([0.5, 0.06, 0.04]), rng),
            solid(np.array([0.05, 0.1, 0.4]), rng),
        )
        for k in range(4):
            a = rng.uniform(0.3, y - 0.4)
            place.ground(x0, x1, a, a + 0.06, line[k % 3])
        bars = [cuboid((2.2, 0.05, 0.04), (0, 0, z)) for z in np.arange(0.25, 2.5, 0.16)]
        posts = [cuboid((0.06, 0.1, 2.55), (s * 1.1, 0.02, 1.27)) for s in (-1, 0, 1)]
        for _ in range(2):
            if spot := place.against(back, 2.3, 0.15, 2.5, rng):
                place.put(join(*bars, *posts), wood(rng), *spot)
        hoop = rng.uniform(back.start, back.end) * 0.5
        place.put(f.block(-0.9, 0.9, -0.04, 0, 2.7, 3.75), solid(WHITE, rng), (hoop, y - 0.3), 0, "basketball hoop")
        frame = [f.block(x, x + 0.05, -0.05, 0, 2.95, 3.4) for x in (-0.3, 0.25)]
        frame += [f.block(-0.3, 0.3, -0.05, 0, z, z + 0.05) for z in (2.95, 3.35)]
        ring = f.lathe([(0.22, 3.02), (0.26, 3.02), (0.26, 3.06), (0.22, 3.06)], 14, (0, -0.32, 0))
        place.put(join(*frame, ring), solid(np.array([0.6, 0.12, 0.02]), rng), (hoop, y - 0.3))
        net = f.lathe([(0.14, 2.65), (0.23, 3.03)], 10, (0, -0.32, 0))
        place.put(net, Material("checks", WHITE, WHITE * 0.4, 0.05), (hoop, y - 0.3))
    elif (c := back.reserve(min(3.5, back.end - back.start), rng, low=False, high=True)) is not None:
        glass = Material("glass", np.array([0.35, 0.38, 0.4]), np.array([0.6, 0.63, 0.65]), 1, rng.uniform(0, 99))
        place.panel(back, glass, c, min(3.5, back.end - back.start), 0.5, 2.2, deep=0.03, name="mirror")
    for wall in (left, right):
        window(place, wall, rng, curtains=0)
        picture(place, wall, rng, "poster")
    for what in rng.permutation(["treadmill", "rack", "bench", "bag", "ball", "mat", "treadmill", "ball", "mat"])[:7]:
        _equipment(place, back, str(what), rng)
    door(place, walls[rng.integers(3)], rng)


def _equipment(place: Place, back: Wall, what: str, rng: Draw) -> None:
    """Something to train with."""
    y0, y1 = place.view.near * 0.75, place.shading.room[2]
    m, colour = dyed_material(rng, ("plain",))
    if what == "rack":
        if spot := place.against(back, 1.6, 0.45, 1.0, rng):
            rack, weights = f.dumbbell_rack(1.5)
            place.put(rack, solid(STEEL, rng), *spot)
            place.put(weights, solid(DARK, rng), *spot, "weights")
        return
    if what == "mat":
        y = rng.uniform(y0, max(y1 - 1.8, y0))
        x = rng.uniform(-0.6, 0.6) * place.view.half_width * y
        place.ground(x - 0.35, x + 0.35, y, y + 1.7, m, 0.016)
        return
    sizes = {"treadmill": (0.9, 2.0, 1.4), "bench": (2.2, 1.3, 1.3), "bag": (0.5, 0.5, 2.0)}
    w, d, h = sizes.get(what, (0.7, 0.7, 0.6))
    at = place.spot(w, d, h, rng, y0=place.view.far * 0.85 if what == "bag" else y0, y1=y1 - d / 2)
    if at is None:
        return
    if what == "treadmill":
        frame, belt = f.treadmill()
        turn = np.pi * (rng.random() < 0.3)
        place.put(frame, solid(DARK * 3, rng), at, turn, "treadmill")
        place.put(belt, solid(DARK, rng), at, turn)
    elif what == "bench":
        pad, frame = f.weight_bench()
        place.put(frame, solid(DARK * 2, rng), at)
        place.put(pad, m, at, 0, "bench", colour)
    elif what == "bag":
        place.put(tube(0.18, 1.1, (0, 0, 0.75), 12), m, at, 0, "punching bag", colour)
        place.put(f.bar((0, 0, 1.85), (0, 0, place.shading.room[3]), 0.015, 4), solid(STEEL, rng), at)
    else:
        r = rng.uniform(0.2, 0.34)
        place.put(spheroid((r, r, r), (0, 0, r), 8, 14), m, at, 0, "ball", colour)
