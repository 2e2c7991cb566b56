"""Rooms of a home."""

import numpy as np

from ..deeds.props import cuboid, join
from . import furniture as f
from .fittings import (
    DARK,
    PAINTS,
    STEEL,
    WHITE,
    bookcase,
    cabinet,
    door,
    hang_lamps,
    lamp,
    picture,
    plant,
    rug,
    seat,
    shell,
    sofa,
    solid,
    table_with_chairs,
    wall_paint,
    window,
    wood,
)  # fmt: skip
from .materials import Draw, Material, dyed_material, random_material
from .setting import Place, Wall, on_wall


def living_room(place: Place, rng: Draw) -> None:
    floor = wood(rng, "planks") if rng.random() < 0.5 else wood(rng, "parquet", 0.32)
    floor = random_material(rng, "carpet", bright=(0.15, 0.5), colourful=0.12) if rng.random() < 0.25 else floor
    walls = shell(place, rng, floor, wall_paint(rng, ("plaster", "plaster", "wallpaper", "stripes")))
    back, left = walls[:2]
    y = place.shading.room[2]
    rug(place, rng)
    width = rng.uniform(1.7, 2.3)
    for wall in walls:
        if spot := place.against(wall, width, 0.9, 0.85, rng):
            sofa(place, rng, *spot, width)
            middle = spot[0][0] if wall is back else spot[0][1]
            side = float(rng.choice([-1, 1]))
            lx, ly, _ = on_wall(wall, middle + side * (width / 2 + 0.3), 0.35)
            if rng.random() < 0.85 and place.fits(lx, ly, 0.35, 0.35, 0.6) and place.holds(lx, ly):
                lamp(place, rng, (lx, ly))
            break
    if rng.random() < 0.5:
        tv(place, back if rng.random() < 0.4 else left, rng)
    for wall in walls:
        if rng.random() < 0.75:
            window(place, wall, rng, curtains=0.85)
        if rng.random() < 0.6:
            bookcase(place, wall, rng)
        for _ in range(2):
            if rng.random() < 0.7:
                picture(place, wall, rng)
    if at := place.spot(0.95, 0.9, 0.85, rng, y0=place.view.near * 0.8, y1=y - 0.6):
        sofa(place, rng, at, rng.uniform(-1.2, 1.2), 0.92)
    if at := place.spot(0.9, 0.55, 0.42, rng, y0=place.view.near * 0.8, y1=y - 0.6):
        place.put(f.table(0.9, 0.5, 0.42, rng), wood(rng), at, 0, "table")
        place.put(f.crockery(rng, 3, 0.8, 0.4, 0.42), dyed_material(rng)[0], at)
    if at := place.spot(0.5, 0.5, 1.3, rng, y0=place.view.far, y1=y - 0.3):
        plant(place, rng, at, rng.uniform(0.9, 1.7))
    door(place, walls[rng.integers(3)], rng)
    if rng.random() < 0.5:
        hang_lamps(place, rng, 1)


def tv(place: Place, wall: Wall, rng: Draw) -> None:
    """A television on a low cupboard."""
    w = rng.uniform(0.95, 1.35)
    if spot := place.against(wall, w + 0.3, 0.42, 1.3, rng):
        place.put(f.block(-w / 2 - 0.15, w / 2 + 0.15, -0.2, 0.2, 0.05, 0.45), wood(rng), *spot)
        screen = Material("screen", DARK, np.array([0.2, 0.3, 0.5]), 1, rng.uniform(0, 99), emission=0.4)
        cabinet(place, screen, *spot, (w, 0.05, 0.55, 0.55 + 0.58 * w), "tv")
        place.put(cuboid((0.3, 0.2, 0.12), (0, 0, 0.5)), solid(DARK, rng), *spot)


def kitchen(place: Place, rng: Draw) -> None:
    floor = random_material(rng, "tiles", "checks", bright=(0.2, 0.6), colourful=0.06, scale=(0.3, 0.5))
    floor = wood(rng, "planks") if rng.random() < 0.3 else floor
    back, left, right = shell(place, rng, floor, wall_paint(rng, choices=9))
    x0, x1, y, _ = place.shading.room
    window(place, back, rng, curtains=0.3)
    cold = back.reserve(0.7, rng, low=True, high=True)
    if cold is not None:
        body, grips = f.fridge(rng.uniform(1.7, 1.95))
        place.put(body, solid(WHITE if rng.random() < 0.5 else STEEL, rng, "metal"), (cold, y - 0.36), 0, "fridge")
        place.put(grips, solid(DARK, rng), (cold, y - 0.36))
    units(place, back, rng, cold)
    back.low.append((x0, x1))
    place.claim((x0 + x1) / 2, y - 0.3, x1 - x0, 0.6)
    for wall in (left, right):
        if rng.random() < 0.5:
            bookcase(place, wall, rng, "goods", "shelf")
        window(place, wall, rng, curtains=0.4)
        door(place, wall, rng)
    if at := place.spot(1.3, 1.3, 0.9, rng, y0=place.view.near * 0.8, y1=y - 1.4):
        table_with_chairs(place, rng, at, round_=rng.random() < 0.4, chairs=int(rng.integers(2, 5)))
        if rng.random() < 0.6:
            hang_lamps(place, rng, 1, y=at[1])


def units(place: Place, back: Wall, rng: Draw, gap: float | None) -> None:
    """Kitchen units along the back wall, open where the fridge stands; units hang where there is no window."""
    unit = np.array(PAINTS[rng.integers(len(PAINTS))]) if rng.random() < 0.7 else wood(rng).one
    top = wood(rng) if rng.random() < 0.5 else solid(DARK * 4 if rng.random() < 0.5 else WHITE, rng)
    y, seed = back.at, rng.uniform(0, 99)
    a, b = max(back.start - 0.5, place.shading.room[0]), min(back.end + 0.5, place.shading.room[1])
    spans = [(a, b)] if gap is None else [(a, gap - 0.36), (gap + 0.36, b)]
    splash = Material("tiles", np.array(PAINTS[rng.integers(6)]), WHITE * 0.6, 0.1, seed)
    for a, b in spans:
        w, c = b - a, (a + b) / 2
        if w < 0.4:
            continue
        cabinet(place, Material("cupboards", unit, unit, 1, seed), (c, y - 0.3), 0, (w, 0.58, 0.1, 0.87), "counter")
        worktop = f.block(-w / 2, w / 2, -0.31, 0.3, 0.87, 0.91)
        place.put(join(worktop, f.block(-w / 2, w / 2, -0.22, 0.3, 0, 0.1)), top, (c, y - 0.3))
        place.put(f.block(-w / 2, w / 2, -0.012, 0, 0.91, 1.45), splash, (c, y))
        pots = f.crockery(rng, int(3 + 2 * w), w, 0.25, 0.91)
        place.put(pots, dyed_material(rng, ("plain",))[0], (c, y - 0.2))
        if w > 1.3:
            hob = c + rng.uniform(-0.3, 0.3) * (w - 0.6)
            oven = join(f.block(-0.29, 0.29, -0.02, 0.02, 0.2, 0.8), f.block(-0.29, 0.29, 0.05, 0.5, 0.9, 0.925))
            place.put(oven, solid(DARK, rng, "glass"), (hob, y - 0.6), 0, "oven")
            place.put(cuboid((0.5, 0.03, 0.03), (0, -0.05, 0.72)), solid(STEEL, rng, "metal"), (hob, y - 0.6))
            place.put(f.crockery(rng, 1, 0.2, 0.2, 0.925), solid(np.array([0.5, 0.05, 0.04]), rng), (hob, y - 0.3))
        for p, q in _gaps(a, b, back.high):
            m = Material("cupboards", unit, unit, 1, seed + 1)
            cabinet(place, m, ((p + q) / 2, y - 0.17), 0, (q - p, 0.34, 1.45, 2.15))


def _gaps(a: float, b: float, used: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """What of the stretch from a to b is not used, where half a metre or more."""
    out, start = [], a
    for p, q in sorted(used):
        if p < b and q > a:
            out.append((start, p - 0.05))
            start = max(start, q + 0.05)
    return [(p, q) for p, q in [*out, (start, b)] if q - p > 0.5]


def bedroom(place: Place, rng: Draw) -> None:
    floor = (
        random_material(rng, "carpet", bright=(0.2, 0.55), colourful=0.15)
        if rng.random() < 0.5
        else wood(rng, "planks")
    )
    walls = shell(place, rng, floor, wall_paint(rng, ("plaster", "wallpaper", "stripes")))
    back, left, right = walls
    rug(place, rng)
    for wall in walls:
        if make_bed(place, wall, rng):
            break
    for wall in walls:
        window(place, wall, rng, curtains=0.9)
        picture(place, wall, rng, "poster" if rng.random() < 0.3 else "picture")
    for wall in (left, right, back):
        wide, h = rng.uniform(0.9, 1.6), rng.uniform(1.9, 2.15)
        if rng.random() < 0.6 and (spot := place.against(wall, wide, 0.58, h, rng)):
            m = Material("cupboards", wood(rng).one if rng.random() < 0.6 else WHITE, WHITE, 1, 1.0)
            cabinet(place, m, *spot, (wide, 0.56, 0, h), "wardrobe", cell=(wide, 1.25))
    door(place, left if rng.random() < 0.5 else right, rng)
    if at := place.spot(0.6, 0.6, 0.9, rng, y0=place.view.near * 0.8, y1=place.shading.room[2] - 0.6):
        seat(place, rng, f.chair(np.zeros(2), 0, 0.45, rng), at, rng.uniform(-1.5, 1.5))
        cloth, colour = dyed_material(rng)
        place.put(f.cushion((0.5, 0.12, 0.4), (0, 0.2, 0.75)), cloth, at, 0, "coat", colour)
    if rng.random() < 0.4:
        hang_lamps(place, rng, 1)


def make_bed(place: Place, wall: Wall, rng: Draw) -> bool:
    """A bed with its head to the wall or its side along it, and tables with lamps beside it; whether there was room."""
    w, across = rng.uniform(0.95, 1.7), rng.random() < 0.35
    spot = place.against(wall, *((2.1, w + 0.1) if across else (w + 0.1, 2.05)), 0.7, rng)
    if spot is None:
        return False
    at, turn = spot
    middle = at[0] if wall.side == "back" else at[1]
    if across:
        turn += float(rng.choice([-1, 1])) * np.pi / 2
    frame, linen, duvet = f.bed(w, 1.95)
    place.put(frame, wood(rng), at, turn)
    place.put(linen, solid(WHITE, rng, "fabric"), at, turn)
    m, colour = dyed_material(rng, ("fabric", "stripes", "checks", "dots"))
    place.put(duvet, m, at, turn, "bed", colour)
    for s in (-1, 1):
        x, y, _ = on_wall(wall, middle + s * ((1.05 if across else w / 2) + 0.35), 0.27)
        if place.fits(x, y, 0.4, 0.4, 0.6) and place.holds(x, y):
            place.put(f.block(-0.21, 0.21, -0.19, 0.19, 0, 0.52), wood(rng), (x, y))
            place.claim(x, y, 0.42, 0.4)
            if rng.random() < 0.75:
                lamp(place, rng, (x, y, 0.52), table=True)
    return True
