"""What rooms are fitted with: shells of floor, walls and ceiling, windows, pictures, lamps, seats, things about."""

import numpy as np

from ..deeds.props import cuboid, join, spheroid
from . import furniture as f
from .materials import Draw, Material, dyed_material, random_material
from .setting import Place, Wall, on_wall

WOODS = ((0.42, 0.26, 0.13), (0.2, 0.1, 0.045), (0.52, 0.36, 0.2), (0.09, 0.05, 0.03), (0.33, 0.17, 0.08))
PAINTS = (
    (0.72, 0.69, 0.62), (0.78, 0.78, 0.76), (0.62, 0.54, 0.4), (0.4, 0.46, 0.36), (0.42, 0.52, 0.58), (0.5, 0.5, 0.5),
    (0.5, 0.24, 0.15), (0.6, 0.44, 0.15), (0.58, 0.38, 0.36), (0.08, 0.18, 0.2), (0.12, 0.18, 0.12), (0.3, 0.22, 0.3),
)  # fmt: skip
WHITE = np.array([0.75, 0.75, 0.73])
DARK = np.array([0.025, 0.025, 0.028])
STEEL = np.array([0.42, 0.43, 0.45])


def wood(rng: Draw, kind: str = "wood", scale: float = 0.13) -> Material:
    """Timber of one of five trees."""
    c = np.array(WOODS[rng.integers(len(WOODS))]) * rng.uniform(0.8, 1.2)
    return Material(kind, c, c * 0.5, scale, rng.uniform(0, 99))


def solid(colour: np.ndarray, rng: Draw, kind: str = "plain") -> Material:
    c = np.asarray(colour) * rng.uniform(0.85, 1.1)
    return Material(kind, c, c * 0.8, 0.5, rng.uniform(0, 99))


def glowing(colour: tuple[float, float, float], emission: float) -> Material:
    return Material("plain", np.array(colour), np.array(colour), emission=emission)


def wall_paint(rng: Draw, kinds: tuple[str, ...] = ("plaster",), choices: int = len(PAINTS)) -> Material:
    c = np.array(PAINTS[rng.integers(choices)]) * rng.uniform(0.8, 1.1)
    kind = str(rng.choice(kinds))
    if kind == "bricks":
        c = np.array([0.36, 0.15, 0.09]) * rng.uniform(0.6, 1.4)
        return Material(kind, c, np.full(3, rng.uniform(0.3, 0.6)), 0.22, rng.uniform(0, 99))
    two = np.clip(c * rng.uniform(0.7, 1.25), 0, 0.85) if kind != "tiles" else np.full(3, rng.uniform(0.2, 0.6))
    return Material(kind, c, two, rng.uniform(0.12, 0.3), rng.uniform(0, 99))


# ---- shell --------------------------------------------------------------------------------------------------------
def shell(place: Place, rng: Draw, floor: Material, wall: Material, *, ceiling: Material | None = None) -> list[Wall]:
    """Floor, three walls with skirting, and ceiling; returns the walls: back, left and right."""
    x0, x1, back, high = place.shading.room
    place.add(cuboid((180, 180, 0.2), (0, 0, -0.1)), floor)
    place.grounds.append(0)
    place.add(f.block(x0, x1, back, back + 0.2, 0, high), wall)
    place.add(join(f.block(x0 - 0.2, x0, -6, back, 0, high), f.block(x1, x1 + 0.2, -6, back, 0, high)), wall)
    ceiling = ceiling or solid(WHITE, rng, "plaster")
    ceiling.emission = 0.28 * float(place.ambient.mean())  # light that floor and walls throw up
    place.add(f.block(x0, x1, -6, back, high, high + 0.2), ceiling)
    h = rng.uniform(0.07, 0.14)
    edge = solid(WHITE, rng) if rng.random() < 0.6 else wood(rng)
    boards = [f.block(x0, x1, back - 0.02, back, 0, h)]
    boards += [f.block(x, x + 0.02, -6, back, 0, h) for x in (x0, x1 - 0.02)]
    place.add(join(*boards), edge)
    w = place.view.half_width
    walls = [Wall("back", back, max(x0, -w * back), min(x1, w * back), x0, x1)]
    for side, x in (("left", x0), ("right", x1)):
        walls.append(Wall(side, x, min(abs(x) / w + 0.1, back - 0.3), back, -6.0, back))
    return walls


def ceiling_lights(place: Place) -> None:
    """Bright panels in rows."""
    x0, x1, back, high = place.shading.room
    xs = np.arange(x0 + 0.9, x1 - 0.5, 2.4)
    quads = [cuboid((0.6, 1.2, 0.02), (float(x), float(y), high - 0.01)) for x in xs for y in np.arange(1.5, back, 2.6)]
    if quads:
        place.add(join(*quads[:40]), glowing((1.0, 1.0, 1.0), 1.2))


def tiled_ceiling(rng: Draw) -> Material:
    return Material("tiles", WHITE, WHITE * 0.6, 0.6, rng.uniform(0, 99))


def window(place: Place, wall: Wall, rng: Draw, *, curtains: float = 0.5, blinds: float = 0.0) -> None:
    """A window with its sill, and curtains or blinds with these probabilities."""
    high = place.shading.room[3]
    w = rng.uniform(0.9, 2.0)
    c = wall.reserve(w + 0.5, rng, low=rng.random() < 0.3, high=True)
    if c is None:
        return
    z0, z1 = rng.uniform(0.75, 1.05), min(rng.uniform(1.95, 2.3), high - 0.15)
    frame = solid(WHITE, rng).one if rng.random() < 0.7 else np.array(WOODS[1])
    view = np.array([0.02, 0.03, 0.07]) if place.night else np.clip(place.sky[1] * 1.1 + 0.1, 0, 1.1)
    pane = Material("window", frame, view, 1.0, rng.uniform(0, 99), emission=0.1 if place.night else 0.75)
    place.panel(wall, pane, c, w, z0, z1, deep=0.05, name="window")
    x, y, turn = on_wall(wall, c, 0.09)
    place.put(cuboid((w + 0.16, 0.18, 0.04)), solid(WHITE, rng), (x, y, z0 - 0.02), turn)
    if rng.random() < curtains:
        cloth, colour = dyed_material(rng, ("fabric", "fabric", "stripes", "plain"))
        drop = 0.05 if rng.random() < 0.6 else z0 - 0.15
        for s in (-1, 1):
            x, y, turn = on_wall(wall, c + s * (w / 2 + 0.05), 0.12)
            place.put(f.curtain(0.42, z1 + 0.12 - drop, 4, 0.04, drop), cloth, (x, y), turn, "curtain", colour)
        x, y, turn = on_wall(wall, c, 0.12)
        place.put(cuboid((w + 0.6, 0.03, 0.03)), solid(DARK, rng), (x, y, z1 + 0.13), turn)
    elif rng.random() < blinds:
        slats = Material("blinds", WHITE, WHITE, 1.0, 1.0, emission=0.3)
        place.panel(wall, slats, c, w + 0.04, z0 + rng.uniform(0, 0.7), z1 + 0.03, deep=0.09)


def door(place: Place, wall: Wall, rng: Draw) -> None:
    c = wall.reserve(1.0, rng, low=True, high=True)
    if c is not None:
        leaf = wood(rng).one if rng.random() < 0.5 else np.array(PAINTS[rng.integers(len(PAINTS))])
        m = Material("door", leaf, WHITE if rng.random() < 0.6 else leaf * 0.7, 1, rng.uniform(0, 99))
        place.panel(wall, m, c, 0.98, 0, 2.08, deep=0.07, name="door")


def picture(place: Place, wall: Wall, rng: Draw, kind: str = "picture") -> None:
    """A framed picture, or a poster."""
    w, h = rng.uniform(0.4, 1.0), rng.uniform(0.4, 0.8)
    c, z = wall.reserve(w, rng, low=False, high=True), rng.uniform(1.5, 1.75)
    if c is None:
        return
    if kind == "poster":
        m, colour = dyed_material(rng, ("poster",))
        place.panel(wall, m, c, w * 0.8, z - h * 0.6, z + h * 0.6, deep=0.015, name="poster", colour=colour)
    else:
        frame = np.array(WOODS[rng.integers(5)]) if rng.random() < 0.6 else DARK
        m = Material(kind, frame, WHITE, 1, rng.uniform(0, 99))
        place.panel(wall, m, c, w, z - h / 2, z + h / 2, name="picture")


def cabinet(
    place: Place, material: Material, at: tuple[float, ...], turn: float, size: tuple[float, float, float, float],
    name: str | None = None, colour: str | None = None, *, cell: tuple[float, float] | None = None,
) -> int:  # fmt: skip
    """A box whose front is painted with a panel. size: width, depth, lower and upper z; cell: the panel's own size."""
    w, d, z0, z1 = size
    start = (at[1] if abs(np.sin(turn)) > 0.5 else at[0]) - w / 2
    material.at, material.size = (start, start, z0), cell or (w, z1 - z0)
    return place.put(f.block(-w / 2, w / 2, -d / 2, d / 2, z0, z1), material, at, turn, name, colour)


def bookcase(place: Place, wall: Wall, rng: Draw, kind: str = "books", name: str = "bookcase") -> None:
    """Shelves along a wall, with books or goods."""
    w, h = rng.uniform(0.8, 1.8), rng.uniform(1.3, 2.1)
    if spot := place.against(wall, w, 0.34, h, rng):
        m = wood(rng)
        sides = [cuboid((0.03, 0.34, h), (s * w / 2, 0, h / 2)) for s in (-1, 1)]
        place.put(join(*sides, cuboid((w + 0.05, 0.36, 0.04), (0, 0, h))), m, *spot)
        shelf = Material(kind, m.one, m.two, 0.3, rng.uniform(0, 99))
        cabinet(place, shelf, *spot, (w - 0.02, 0.3, 0, h - 0.02), name)


def plant(place: Place, rng: Draw, at: tuple[float, ...], high: float = 1.2) -> None:
    pot, leaves = f.potted_plant(high, rng)
    clay = solid(np.array([0.4, 0.17, 0.08]), rng)
    place.put(pot, dyed_material(rng, ("plain",))[0] if rng.random() < 0.6 else clay, at)
    green = np.array([0.06, 0.22, 0.04]) * rng.uniform(0.7, 1.7)
    place.put(leaves, Material("leaves", green, green * 0.5, 0.3, rng.uniform(0, 99)), at, 0, "plant")


def lamp(place: Place, rng: Draw, at: tuple[float, ...], *, table: bool = False) -> None:
    """A lamp that shines on what is near."""
    z = at[2] if len(at) > 2 else 0.0
    h = rng.uniform(1.45, 1.75)
    stand, shade = f.table_lamp(0.0) if table else f.floor_lamp(h)
    place.put(stand, solid(DARK if rng.random() < 0.6 else STEEL, rng), at)
    place.put(shade, glowing((0.82, 0.6, 0.34), rng.uniform(0.45, 0.8)), at, 0, "lamp")
    place.shading.pools.append((at[0], at[1], z + (0.35 if table else h), 0.9, 1.1, 0.8, 0.42))


def hang_lamps(place: Place, rng: Draw, count: int, *, y: float | None = None) -> None:
    """Hanging lamps in a row over the middle or the back of the room."""
    x0, x1, back, high = place.shading.room
    m = dyed_material(rng, ("plain",))[0] if rng.random() < 0.5 else solid(DARK, rng)
    y = rng.uniform(place.view.far, back - 0.5) if y is None else y
    reach = min(place.view.half_width * y * 0.8, x1 - 0.3, -x0 - 0.3)
    z, r = rng.uniform(1.95, max(high - 0.6, 2.0)), rng.uniform(0.13, 0.25)
    for k in range(count):
        x = reach * ((2 * k + 1) / count - 1)
        cord, shade = f.pendant(high, z, r)
        place.put(cord, solid(DARK, rng), (x, y))
        place.put(shade, m, (x, y), 0, "lamp")
        bulb = spheroid((r * 0.4, r * 0.4, r * 0.4), (0, 0, z + 0.05), 5, 8)
        place.put(bulb, glowing((1.0, 0.85, 0.6), 1.2), (x, y))
        place.shading.pools.append((x, y, z, 0.8, 0.9, 0.68, 0.4))


def rug(place: Place, rng: Draw) -> None:
    x0, x1, back, _ = place.shading.room
    y0 = place.view.near * rng.uniform(0.75, 1.0)
    y1 = min(y0 + rng.uniform(1.6, 3.0), back - 0.3)
    x = rng.uniform(-0.4, 0.4) * place.view.half_width * y0
    m, other = (random_material(rng, "rug", bright=(0.1, 0.5), colourful=0.5) for _ in range(2))
    m.two = other.one
    if rng.random() < 0.25:
        m.one = dyed_material(rng)[0].one * 0.6
    place.ground(max(x - rng.uniform(0.8, 1.6), x0), min(x + rng.uniform(0.8, 1.6), x1), y0, y1, m)


def seat(place: Place, rng: Draw, mesh: f.Mesh, at: tuple[float, ...], turn: float, name: str = "chair") -> None:
    m, colour = dyed_material(rng, ("plain", "fabric"))
    plain = rng.random() < 0.45
    place.put(mesh, wood(rng) if plain else m, at, turn, name, None if plain else colour)


def sofa(place: Place, rng: Draw, at: tuple[float, ...], turn: float, width: float) -> None:
    """A sofa or armchair with some cushions."""
    m, colour = dyed_material(rng, ("fabric", "fabric", "plain", "stripes"))
    place.put(f.sofa(width, rng), m, at, turn, "sofa" if width > 1.2 else "armchair", colour)
    for _ in range(int(rng.integers(0, 4)) if width > 1.2 else int(rng.random() < 0.4)):
        cloth, name = dyed_material(rng)
        x = rng.uniform(-0.36, 0.36) * width
        pad = f.cushion((0.42, 0.16, 0.4), (x, 0.04, 0.64), -0.35, square=0.6, columns=12)
        place.put(pad, cloth, at, turn, "cushion", name)


def table_with_chairs(
    place: Place, rng: Draw, at: tuple[float, ...], *, round_: bool, chairs: int, wide: float = 1.2
) -> None:
    """A laid table; chairs where they stand in nobody's way."""
    h = 0.74
    m = wood(rng) if rng.random() < 0.7 else solid(WHITE, rng)
    place.put(f.round_table(wide / 2, h) if round_ else f.table(wide, 0.75, h, rng), m, at, 0, "table")
    place.put(f.crockery(rng, int(rng.integers(2, 5)), wide * 0.7, 0.6, h), solid(WHITE, rng), at)
    m, colour = dyed_material(rng, ("plain", "fabric"))
    if rng.random() < 0.5:
        m, colour = wood(rng), ""
    x0, x1, back, _ = place.shading.room
    for a in rng.permutation([0.0, np.pi, np.pi / 2, -np.pi / 2])[:chairs]:
        out = wide / 2 + 0.12 if round_ or abs(np.sin(a)) > 0.5 else 0.5
        x, y = at[0] - out * np.sin(a), at[1] + out * np.cos(a)
        clear = all((x - p) ** 2 + (y - q) ** 2 > (r + 0.36) ** 2 for p, q, r in (*place.people, (0, 0, 0.8)))
        if clear and x0 + 0.3 < x < x1 - 0.3 and y < back - 0.3 and not place.hides(x, y, 0.5, 0.92):
            place.put(f.chair(np.zeros(2), 0, 0.45, rng), m, (x, y), a + rng.normal(0, 0.15), "chair", colour or None)


def stand_about(place: Place, rng: Draw, count: int) -> None:
    """Things in clothing colours that are not people: coats, boxes, cases, chairs, balls."""
    highs = {"coats": 1.8, "boxes": 0.9, "case": 0.9, "chair": 0.9, "ball": 0.5, "plant": 1.2, "rail": 1.5}
    for _ in range(count):
        what = str(rng.choice(list(highs), p=(0.2, 0.15, 0.14, 0.17, 0.1, 0.16, 0.08)))
        wide = 1.0 if what == "rail" else 0.55
        y1 = place.shading.room[2] - 0.4
        at = place.spot(wide, 0.5, highs[what], rng, y0=place.view.near * 0.8, y1=min(y1, place.view.far + 6))
        if at is None:
            continue
        m, colour = dyed_material(rng)
        if what == "coats":
            place.put(f.coat_stand(), wood(rng), at)
            for k in range(int(rng.integers(1, 4))):
                cloth, colour = dyed_material(rng)
                a = 2.1 * k + rng.random()
                hook = (at[0] + 0.13 * np.cos(a), at[1] + 0.13 * np.sin(a), 1.68)
                place.put(f.hung_coat(rng.uniform(0.7, 1.05), rng), cloth, hook, a, "coat", colour)
        elif what == "boxes":
            brown = rng.random() < 0.6
            m = solid(np.array([0.42, 0.28, 0.15]), rng) if brown else m
            place.put(f.boxes(int(rng.integers(1, 4)), rng), m, at, 0, "box", "brown" if brown else colour)
        elif what == "case":
            place.put(f.suitcase(), m, at, rng.uniform(-0.8, 0.8), "suitcase", colour)
        elif what == "chair":
            seat(place, rng, f.chair(np.zeros(2), 0.0, 0.45, rng), at, rng.uniform(-3, 3))
        elif what == "ball":
            r = rng.uniform(0.12, 0.3)
            place.put(spheroid((r, r, r), (0, 0, r), 8, 12), m, at, 0, "ball", colour)
        elif what == "plant":
            plant(place, rng, at, rng.uniform(0.7, 1.6))
        else:  # clothes on a rail
            rail = join(f.bar((-0.4, 0, 1.5), (0.4, 0, 1.5), 0.015), *f.legs(0.85, 0.3, 1.5, 0.03))
            place.put(rail, solid(STEEL, rng), at)
            for k in range(int(rng.integers(2, 5))):
                cloth, colour = dyed_material(rng)
                mesh = f.moved(f.hung_coat(rng.uniform(0.6, 0.95), rng), (0, 0), np.pi / 2 * (rng.random() < 0.7))
                place.put(mesh, cloth, (at[0] - 0.3 + 0.18 * k, at[1], 1.48), 0, "coat", colour)
