"""What open ground is made of: houses and shops, cars, trees, lamp posts, a horizon, street furniture."""

from collections.abc import Callable

import numpy as np

from ..deeds.props import cuboid, join, spheroid
from . import furniture as f
from . import scenery as s
from .fittings import DARK, STEEL, WHITE, cabinet, glowing, solid, wood
from .materials import Draw, Material, dyed_material, random_material
from .setting import Place

STONES = ((0.34, 0.14, 0.09), (0.5, 0.4, 0.28), (0.55, 0.53, 0.48), (0.3, 0.3, 0.31), (0.5, 0.28, 0.2), (0.6, 0.5, 0.4))


def green(rng: Draw, kind: str = "grass") -> Material:
    c = np.array([0.11, 0.22, 0.045]) * rng.uniform(0.7, 1.4) * rng.uniform(0.85, 1.15, 3)
    two = c * 0.45 if kind == "leaves" else c * rng.uniform(0.5, 0.8) + (0.05, 0.04, 0.0)
    return Material(kind, c, two, 0.5, rng.uniform(0, 99))


def base(place: Place, material: Material) -> None:
    place.add(cuboid((240, 240, 0.2), (0, 60, -0.1)), material)
    place.grounds.append(0)


def paving(rng: Draw) -> Material:
    m = random_material(rng, "tiles", "tiles", "concrete", "cobbles", bright=(0.22, 0.45), colourful=0.05)
    m.scale = rng.uniform(0.1, 0.16) if m.kind == "cobbles" else rng.uniform(0.35, 0.9)
    if m.kind == "tiles":
        m.two = m.one * 0.5
    return m


def asphalt(rng: Draw) -> Material:
    c = np.full(3, rng.uniform(0.06, 0.14)) * rng.uniform(0.95, 1.05, 3)
    return Material("asphalt", c, c * 1.5, 0.5, rng.uniform(0, 99))


def span(place: Place) -> tuple[float, float]:
    """Least and largest x of people's ground."""
    x = [(a - r, a + r) for a, _, r in place.people] or [(-1.0, 1.0)]
    return min(a for a, _ in x), max(b for _, b in x)


def facade(
    place: Place, rng: Draw, at: tuple[float, float], turn: float, w: float, h: float, *, shop: bool = False
) -> None:
    """A house whose front stands at ``at``: walls, windows with frames, a door or a shop, a cornice."""
    c = np.array(STONES[rng.integers(len(STONES))]) * rng.uniform(0.7, 1.2)
    wall = Material(
        str(rng.choice(["bricks", "plaster", "bricks", "concrete"])), c, c * 0.5 + 0.15, 3.0, rng.uniform(0, 99)
    )
    parts = [f.block(-w / 2, w / 2, 0, 6, 0, h), f.block(-w / 2 - 0.1, w / 2 + 0.1, -0.25, 0.5, h - 0.35, h)]
    trim = solid(WHITE if rng.random() < 0.6 else DARK * 3, rng)
    low = 3.4 if shop else 0.0
    step, storey = rng.uniform(1.6, 2.4), rng.uniform(2.9, 3.4)
    wide, tall = step * rng.uniform(0.42, 0.6), rng.uniform(1.3, 1.8)
    xs = np.arange(step / 2, w - 0.6, step) - w / 2 + (w % step) / 2
    zs = [z for z in np.arange(low + 0.9, h - tall - 0.3, storey)][:4]
    reach = place.view.half_width * (at[1] + (w / 2 if turn else 0.0)) * 1.1 + (0.0 if turn else w / 2)
    near, seen = at[1] < place.view.far + 10 and place.triangles < 1800, abs(at[0]) < reach
    dark: list[f.Point] = []
    lit: list[f.Point] = []
    entry = rng.integers(len(xs)) if len(xs) else -1
    for j, z in enumerate(zs):
        for i, x in enumerate(xs):
            if seen and (shop or j or i != entry):
                middle = (float(x), -0.012, float(z) + tall / 2)
                (lit if rng.random() < (0.4 if place.night else 0.12) else dark).append(middle)
    place.put(join(*parts), wall, at, turn)
    if dark:
        sheen = np.clip(place.sky[0] * 0.45, 0, 0.5)
        pane = Material("glass", np.array([0.05, 0.06, 0.08]), sheen, 1, rng.uniform(0, 99))
        place.put(f.panes(dark, wide, tall), pane, at, turn)
    if lit:
        warm = glowing((0.85, 0.62, 0.32), 0.9) if place.night else solid(np.array([0.35, 0.33, 0.3]), rng)
        place.put(f.panes(lit, wide, tall), warm, at, turn)
    if near and (dark or lit):
        bars = f.panes([(x, -0.02, z) for x, _, z in dark + lit], 0.06, tall)
        across = f.panes([(x, -0.02, z + 0.1) for x, _, z in dark + lit], wide, 0.05)
        sills = [cuboid((wide + 0.24, 0.12, 0.08), (x, -0.06, z - tall / 2 - 0.04)) for x, _, z in dark + lit]
        place.put(join(bars, across, *sills), trim, at, turn)
    if shop:
        _shop(place, rng, at, turn, w)
    elif len(xs):
        x = float(xs[entry])
        m, _ = dyed_material(rng, ("door",))
        m.two = WHITE
        c_, s_ = np.cos(turn), np.sin(turn)
        cabinet(place, m, (at[0] + x * c_ + 0.03 * s_, at[1] + x * s_ - 0.03 * c_), turn, (1.1, 0.06, 0, 2.3), "door")
        place.put(cuboid((1.4, 0.5, 0.12), (x, -0.2, 0.06)), solid(STEEL, rng), at, turn)


def _shop(place: Place, rng: Draw, at: tuple[float, float], turn: float, w: float) -> None:
    """A shop window with its sign, now and then under an awning."""
    sign, colour = dyed_material(rng, ("shopfront",))
    sign.two = WHITE if sign.one.mean() < 0.3 else DARK
    sign.emission = 0.6 if place.night else 0.0
    near = (at[0] + 0.08 * np.sin(turn), at[1] - 0.08 * np.cos(turn))
    cabinet(place, sign, near, turn, (w * 0.94, 0.16, 0, 3.1))
    if place.night:
        place.shading.pools.append(
            (near[0] + 0.8 * np.sin(turn), near[1] - 0.8 * np.cos(turn), 1.5, 1.6, 1.2, 1.0, 0.7)
        )
    if rng.random() < 0.5:
        cloth, colour = dyed_material(rng, ("stripes", "plain", "stripes"))
        cloth.two, cloth.scale = WHITE, 0.4
        edge = ((-0.05, 2.9), (-1.1, 2.35), (-1.1, 2.15))
        points = np.array([(side * w * 0.46, y, z) for y, z in edge for side in (-1, 1)])
        place.put((points.astype(np.float32), f.strip_faces(3, 2, False)), cloth, at, turn, "awning", colour)


def row(place: Place, rng: Draw, *, along: str, at: float, start: float, end: float, shops: float = 0.4) -> None:
    """Houses side by side: ``along`` "x" they face the camera at y = at; else they stand at x = at, left or right."""
    turn = 0.0 if along == "x" else (np.pi / 2 if at < 0 else -np.pi / 2)
    p = start
    while p < end - 2:
        w, h = rng.uniform(5, 9), rng.uniform(6.5, 12)
        spot = (p + w / 2, at + rng.uniform(0, 0.3)) if along == "x" else (at, p + w / 2)
        facade(place, rng, spot, turn, w, h, shop=rng.random() < shops)
        p += w + (rng.uniform(1, 2.5) if along == "y" and rng.random() < 0.15 else 0.02)


def parked(place: Place, rng: Draw, x: float, y: float, turn: float) -> bool:
    """A car, where it runs over nobody and hides no heads."""
    if place.triangles > 4000:
        return False
    size = (4.3, 1.8) if abs(np.sin(turn)) < 0.7 else (1.8, 4.3)
    if not place.fits(x, y, *size, 1.45) or place.hides(x, y, size[0], 1.45):
        return False
    place.claim(x, y, *size)
    coat, colour = dyed_material(rng, ("plain",))
    glass = Material("glass", np.array([0.03, 0.035, 0.04]), np.clip(place.sky[0] * 0.5, 0, 0.6), 1, rng.uniform(0, 99))
    looks = {"glass": glass, "tyres": solid(DARK, rng), "hubs": solid(STEEL, rng, "metal")}
    looks["lights"] = glowing((0.85, 0.8, 0.7), 0.4)
    for part, mesh in s.car(rng, near=y < place.view.far + 3).items():
        if part == "body":
            place.put(mesh, coat, (x, y), turn, "car", colour)
        else:
            place.put(mesh, looks[part], (x, y), turn)
    return True


TREES: dict[str, Callable[..., tuple[f.Mesh, f.Mesh]]] = {"tree": s.tree, "conifer": s.conifer, "palm": s.palm}


def plant_tree(place: Place, rng: Draw, x: float, y: float, h: float, kind: str = "tree") -> None:
    if not place.fits(x, y, 0.4, 0.4, 0.1):
        return
    trunk, crown = TREES[kind](h, rng, near=y < place.view.far + 4 and place.triangles < 3800)
    bark = np.array([0.13, 0.09, 0.06]) * rng.uniform(0.6, 1.5)
    place.claim(x, y, 0.3, 0.3)
    place.put(trunk, Material("wood", bark, bark * 0.5, 0.1, rng.uniform(0, 99)), (x, y))
    leaf = green(rng, "leaves")
    if kind == "tree" and rng.random() < 0.15:
        leaf.one, leaf.two = np.array([0.42, 0.2, 0.04]), np.array([0.2, 0.07, 0.02])
    place.put(crown, leaf, (x, y), 0, "tree")


def lamp_posts(place: Place, rng: Draw, x: float, ys: list[float]) -> None:
    h = rng.uniform(3.2, 4.6)
    post, head, out = s.lamp_post(h, rng)
    for y in ys:
        if place.fits(x, y, 0.3, 0.3, 0.1):
            place.claim(x, y, 0.25, 0.25)
            place.put(post, solid(DARK * 2, rng), (x, y), 0, "lamp post")
            place.put(head, glowing((1.0, 0.9, 0.7), 1.4 if place.night else 0.15), (x, y))
            if place.night:
                place.shading.pools.append((x + out, y, 1.2, 2.2, 1.3, 0.95, 0.5))


def horizon(place: Place, rng: Draw, y: float, *, water: bool = False) -> None:
    """What closes an open view: a belt of trees, hills, now and then a lake."""
    dark = green(rng, "leaves")
    place.add(s.hills(y + 4, 130, rng.uniform(5, 8), rng), dark)
    blue = np.array([0.24, 0.3, 0.34]) * (0.12 if place.night else 1.0)
    if rng.random() < 0.6:
        place.add(s.hills(y + 45, 170, rng.uniform(10, 22), rng), Material("plain", blue, blue))
    if water:
        place.ground(-80, 80, y - 18, y, Material("water", np.array([0.07, 0.13, 0.16]), place.sky[0] * 0.5, 1, 2.0))


_SIZES = {
    "bench": (1.6, 0.7, 0.85), "table": (1.6, 1.6, 0.8), "sign": (0.6, 0.3, 1.0), "bush": (1.3, 1.0, 0.8),
    "rock": (1.0, 0.8, 0.5),
}  # fmt: skip


def put_about(place: Place, rng: Draw, kinds: tuple[str, ...], count: int, *, y1: float) -> None:
    """Street furniture and other loose things among and behind the people."""
    for _ in range(count):
        what = str(rng.choice(kinds))
        w, d, h = _SIZES.get(what, (0.6, 0.6, 0.9))
        at = place.spot(w, d, h, rng, y0=place.view.near * 0.85, y1=y1)
        if at is None or place.triangles > 5400:
            continue
        m, colour = dyed_material(rng, ("plain",))
        if what == "bench":
            slats, iron = s.bench(1.5)
            turn = float(rng.choice([0, 0, 0.4, -0.4]))
            place.put(slats, wood(rng), at, turn, "bench")
            place.put(iron, solid(DARK, rng), at, turn)
        elif what == "bin":
            place.put(s.litter_bin() if rng.random() < 0.6 else s.wheelie_bin(), m, at, 0, "bin", colour)
        elif what == "table":
            place.put(f.round_table(0.36, 0.74), solid(STEEL, rng), at, 0, "table")
            for a in (np.pi / 2, -np.pi / 2):
                x = at[0] - 0.6 * np.sin(a)
                if all((x - p) ** 2 + (at[1] - q) ** 2 > (r + 0.36) ** 2 for p, q, r in (*place.people, (0, 0, 0.8))):
                    place.put(f.chair(np.zeros(2), 0, 0.45, rng), m, (x, at[1]), a, "chair", colour)
        elif what == "sign":  # a board on the pavement
            kind = str(rng.choice(["board", "poster"]))
            board = Material(kind, m.one, WHITE, 1, rng.uniform(0, 99), (at[0] - 0.28, 0, 0.05), (0.56, 0.9))
            place.put(cuboid((0.56, 0.08, 0.9), (0, 0, 0.5), 0.15, 0), board, at, 0, "sign", colour)
        elif what == "pot":
            box, (stalks, bloom) = f.block(-0.3, 0.3, -0.3, 0.3, 0, 0.45), s.flowers(0.5, 0.5, 5, rng, 0.43)
            place.put(box, wood(rng) if rng.random() < 0.5 else solid(STEEL, rng), at)
            place.put(stalks, green(rng, "leaves"), at)
            place.put(bloom, m, at, 0, "flower pot")
        elif what == "bush":
            place.put(s.bush(0.6, rng), green(rng, "leaves"), at, 0, "bush")
        elif what == "rock":
            stone = random_material(rng, "concrete", colourful=0.1)
            place.put(f.bumpy((0.45, 0.35, 0.3), (0, 0, 0.15), rng), stone, at, 0, "rock")
        elif what == "cone":
            place.put(s.cone(), Material("bars", np.array([0.75, 0.16, 0.02]), WHITE, 0.5, 1.0), at, 0, "cone")
        elif what == "ball":
            r = rng.uniform(0.11, 0.3)
            place.put(spheroid((r, r, r), (0, 0, r), 8, 12), m, at, 0, "ball", colour)
        elif what == "post":
            place.put(s.bollard(rng.uniform(0.8, 1.1)), m if rng.random() < 0.4 else solid(DARK, rng), at, 0, "post")
        elif what == "case":
            place.put(f.suitcase(), m, at, rng.uniform(-0.8, 0.8), "suitcase", colour)
        else:
            place.put(f.boxes(int(rng.integers(1, 3)), rng), m, at, 0, "box", colour)
