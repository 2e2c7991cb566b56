"""Green and sandy places under the sky."""

import numpy as np

from ..deeds.props import join
from . import furniture as f
from . import scenery as s
from .fittings import DARK, WHITE, solid, wood
from .grounds import (
    base,
    facade,
    green,
    horizon,
    lamp_posts,
    paving,
    plant_tree,
    put_about,
    span,
)
from .materials import Draw, Material, dyed_material, random_material
from .setting import Place


def park(place: Place, rng: Draw) -> None:
    base(place, green(rng))
    far, half = place.view.far, place.view.half_width
    track = random_material(rng, "gravel", "asphalt", bright=(0.25, 0.45), colourful=0.15)
    if rng.random() < 0.6:
        a = far * rng.uniform(0.6, 1.1)
        place.ground(-70, 70, a, a + rng.uniform(1.5, 3), track)
    else:
        x = rng.uniform(-1, 1)
        place.ground(x - 1.2, x + 1.2, -4, 90, track)
    for _ in range(int(rng.integers(7, 13))):
        y = far + rng.uniform(1.5, 24)
        kind = str(rng.choice(["tree", "tree", "conifer"]))
        plant_tree(place, rng, rng.uniform(-1.1, 1.1) * half * y, y, rng.uniform(4.5, 8.5), kind)
    horizon(place, rng, far + 32, water=rng.random() < 0.3)
    lamp_posts(place, rng, rng.uniform(-0.7, 0.7) * half * far, [far + 2.5])
    kinds = ("bench", "bin", "bush", "bush", "bench", "ball", "rock", "post")
    put_about(place, rng, kinds, int(rng.integers(3, 8)), y1=far + 7)


def playground(place: Place, rng: Draw) -> None:
    base(place, green(rng))
    far, half = place.view.far, place.view.half_width
    soft = random_material(rng, "sand", "gravel", bright=(0.25, 0.45), colourful=0.15)
    place.ground(-half * far - 3, half * far + 3, place.view.near * 0.6, far + 6, soft)
    makes = {"swings": (3.2, 1.7), "slide": (4.1, 1.3), "climb": (3.0, 3.0), "house": (1.6, 1.4), "box": (2.2, 2.0)}
    for what in rng.permutation(list(makes)):
        w, d = makes[str(what)]
        at = place.spot(w, d, 1.2, rng, y0=far * 0.85, y1=far + 5)
        if at is None:
            continue
        m, colour = dyed_material(rng, ("plain",))
        n, _ = dyed_material(rng, ("plain",))
        if what == "swings":
            frame, seats = s.swings()
            place.put(frame, m, at, 0, "swing", colour)
            place.put(seats, n, at)
        elif what == "slide":
            chute, frame, roof = s.slide()
            turn = float(rng.choice([0.0, np.pi]))
            spot = (at[0] - 0.4 * np.cos(turn), at[1])
            place.put(chute, m, spot, turn, "slide", colour)
            place.put(frame, wood(rng), spot, turn)
            place.put(roof, n, spot, turn)
        elif what == "climb":
            place.put(s.climbing_frame(), m, at, 0, "climbing frame", colour)
        elif what == "house":
            gable = f.lathe([(1.15, 1.1), (0.001, 1.8)], 4)
            place.put(f.block(-0.65, 0.65, -0.6, 0.6, 0, 1.15), m, at, 0, "playhouse", colour)
            place.put(f.block(-0.2, 0.2, -0.62, -0.55, 0, 0.8), solid(DARK, rng), at)
            place.put(gable, n, at, np.pi / 4)
        else:
            edge = [f.block(-1, 1, y, y + 0.12, 0, 0.22) for y in (-0.9, 0.78)]
            edge += [f.block(x, x + 0.12, -0.9, 0.9, 0, 0.22) for x in (-1, 0.88)]
            place.put(join(*edge), wood(rng), at)
    mesh = s.fence(min(half * (far + 8) * 2.6, 14), 0.9, rng)
    place.put(mesh, dyed_material(rng, ("plain",))[0] if rng.random() < 0.5 else wood(rng), (0, far + 8), 0, "fence")
    for _ in range(6):
        y = far + rng.uniform(9, 20)
        plant_tree(place, rng, rng.uniform(-1.1, 1.1) * half * y, y, rng.uniform(5, 8))
    horizon(place, rng, far + 28)
    put_about(place, rng, ("bench", "ball", "bin", "ball", "bush"), int(rng.integers(2, 5)), y1=far + 5)


def beach(place: Place, rng: Draw) -> None:
    sand = np.array([0.56, 0.44, 0.29]) * rng.uniform(0.7, 1.15)
    base(place, Material("sand", sand, sand * 0.75, 0.5, rng.uniform(0, 99)))
    far, half = place.view.far, place.view.half_width
    shore = far + rng.uniform(2, 8)
    wet = sand * 0.5
    place.ground(-90, 90, shore - rng.uniform(0.8, 1.8), shore + 1, Material("sand", wet, wet * 0.9, 0.5, 3.0))
    sea = np.array([0.04, 0.17, 0.24]) * rng.uniform(0.7, 1.8)
    water = Material("water", sea, np.clip(sea * 2.2 + 0.08, 0, 0.9), 1, rng.uniform(0, 99))
    place.ground(-300, 300, shore, shore + 220, water, 0.02)
    for k in range(3):  # foam
        line = shore + (0.05 + 1.8 * k) * rng.uniform(0.8, 1.2)
        xs = np.linspace(-30, 30, 49)
        curve = line + 0.25 * np.sin(xs * 0.7 + k) + rng.uniform(-0.08, 0.08, len(xs))
        rows = [np.column_stack([xs, curve + e, np.full(len(xs), 0.035)]) for e in (0.0, rng.uniform(0.15, 0.5))]
        foam = np.concatenate(rows).astype(np.float32), f.strip_faces(2, len(xs), False)
        place.add(foam, solid(WHITE * 1.1, rng, "blotches"))
    if rng.random() < 0.6:
        blue = np.array([0.2, 0.27, 0.3])
        coast = Material("blotches", blue, np.array([0.13, 0.2, 0.13]), 9.0, 1.0)
        place.add(s.hills(shore + 150, 200, rng.uniform(8, 26), rng), coast)
    for _ in range(int(rng.integers(0, 3))):
        x, y = rng.uniform(-0.9, 0.9) * half * (shore + 25), shore + rng.uniform(15, 40)
        place.put(s.boat(), solid(WHITE, rng), (x, y))
        place.put(s.sail(), solid(WHITE, rng), (x, y), 0, "sailing boat")
    for _ in range(int(rng.integers(1, 4))):
        at = place.spot(0.9, 2.1, 0.75, rng, y0=place.view.near * 0.8, y1=shore - 1.5)
        if at is None:
            continue
        frame, cloth = s.sunbed()
        m, colour = dyed_material(rng, ("stripes", "plain", "fabric"))
        turn = rng.choice([0, np.pi]) + rng.normal(0, 0.15)
        place.put(frame, wood(rng), at, turn)
        place.put(cloth, m, at, turn, "sunbed", colour)
    for _ in range(int(rng.integers(1, 5))):
        if at := place.spot(0.4, 0.4, 0.5, rng, y0=far * 0.9, y1=shore - 0.6):
            pole, top = s.parasol(rng)
            m, colour = dyed_material(rng, ("plain", "stripes"))
            place.put(pole, solid(WHITE, rng), at)
            if not place.hides(at[0], at[1], 2.4, 2.4):
                place.put(top, m, at, 0, "parasol", colour)
    for _ in range(int(rng.integers(0, 4))):
        y = rng.uniform(place.view.near, shore - 1)
        x = rng.uniform(-0.8, 0.8) * half * y
        m, colour = dyed_material(rng, ("rug", "stripes", "plain"))
        place.ground(x - 0.45, x + 0.45, y, y + 1.8, m)
    if rng.random() < 0.5:
        x = float(rng.choice([-1, 1])) * half * far * rng.uniform(0.5, 1.1)
        plant_tree(place, rng, x, far + rng.uniform(0.5, 3), rng.uniform(4, 6), "palm")
    put_about(place, rng, ("ball", "rock", "case", "ball"), int(rng.integers(1, 4)), y1=shore - 0.8)


def garden(place: Place, rng: Draw) -> None:
    base(place, green(rng))
    far, half = place.view.far, place.view.half_width
    y = place.shading.room[2]
    reach = half * y * 1.2 + 1.5
    place.shading.room = (-np.inf, np.inf, np.inf, np.inf)
    style = rng.random()
    if style < 0.45:  # a house with a terrace
        place.ground(-reach, reach, y - 2.2, y, paving(rng))
        facade(place, rng, (rng.uniform(-0.3, 0.3) * reach, y), 0.0, min(max(reach * 1.5, 7), 15), 6.5)
        place.put(s.fence(reach, 1.7, rng), wood(rng), (-reach * 1.1, y), 0)
        place.put(s.fence(reach, 1.7, rng), wood(rng), (reach * 1.1, y), 0)
    elif style < 0.75:
        place.put(s.fence(min(2 * reach, 16), 1.7, rng), wood(rng), (0, y), 0, "fence")
    else:
        place.put(s.hedge(2 * reach, 0.8, rng.uniform(1.5, 2.1), rng), green(rng, "leaves"), (0, y + 0.4), 0, "hedge")
    for sx in (-1, 1):
        if rng.random() < 0.5:
            length = y - 1.0
            x = sx * max(abs(span(place)[0 if sx < 0 else 1]) + 0.8, half * y * 0.75)
            mesh = s.hedge(length, 0.7, rng.uniform(1.2, 1.9), rng)
            place.put(mesh, green(rng, "leaves"), (x, y - length / 2), np.pi / 2)
    for _ in range(3):
        if at := place.spot(1.6, 0.6, 0.45, rng, y0=far * 0.9, y1=y - 0.5):
            stalks, bloom = s.flowers(1.6, 0.6, 14, rng)
            place.put(stalks, green(rng, "leaves"), at)
            place.put(bloom, dyed_material(rng, ("plain",))[0], at, 0, "flowers")
    for _ in range(int(rng.integers(2, 5))):
        yy = y + rng.uniform(2, 12)
        plant_tree(place, rng, rng.uniform(-1, 1) * half * yy, yy + 5 * (style < 0.45), rng.uniform(4.5, 7))
    horizon(place, rng, y + 22)
    if (at := place.spot(1.6, 1.6, 0.8, rng, y0=far * 0.9, y1=y - 0.8)) and rng.random() < 0.7:
        place.put(f.round_table(0.5, 0.73), wood(rng), at, 0, "table")
        pole, top = s.parasol(rng)
        m, colour = dyed_material(rng, ("plain", "stripes"))
        place.put(pole, solid(WHITE, rng), at)
        if not place.hides(at[0], at[1], 2.4, 2.4):
            place.put(top, m, at, 0, "parasol", colour)
    put_about(place, rng, ("bush", "pot", "ball", "bench", "bin", "pot", "rock"), int(rng.integers(2, 6)), y1=y - 0.7)


def forest(place: Place, rng: Draw) -> None:
    base(place, Material("litter", np.array([0.14, 0.1, 0.05]), np.array([0.26, 0.17, 0.07]), 0.3, rng.uniform(0, 99)))
    far, half = place.view.far, place.view.half_width
    x = rng.uniform(-0.4, 0.4)
    earth = np.array([0.27, 0.2, 0.13]) * rng.uniform(0.7, 1.3)
    place.ground(x - 1.0, x + 1.0, -4, 60, Material("gravel", earth, earth * 0.7, 0.3, rng.uniform(0, 99)))
    kind = str(rng.choice(["tall", "conifer", "tree"]))
    bark = np.array([0.14, 0.1, 0.07]) * rng.uniform(0.5, 1.6)
    leaf = green(rng, "leaves")
    trunks: list[f.Mesh] = []
    crowns: list[f.Mesh] = []
    for _ in range(34):
        y = far * 0.75 + rng.uniform(0, 1) ** 1.3 * 26
        tx = rng.uniform(-1.15, 1.15) * half * y
        if (abs(tx - x) < 1.2 and rng.random() < 0.85) or not place.fits(tx, y, 0.5, 0.5, 0.1):
            continue
        place.claim(tx, y, 0.4, 0.4)
        if kind == "tall" or y > far + 9:
            r = rng.uniform(0.12, 0.26)
            trunks.append(f.lathe([(r * 1.5, 0), (r, 0.4), (r * 0.8, 9)], 7, (tx, y, 0)))
            wide = rng.uniform(1.3, 2.2)
            crowns.append(f.bumpy((wide, wide, wide * 0.7), (tx, y, rng.uniform(6, 8.5)), rng, 3, 7))
            if kind == "tall" and rng.random() < 0.4:
                trunks.append(f.bar((tx, y, 2.5), (tx + rng.uniform(-1.2, 1.2), y, 3.4), 0.05, 4))
        else:
            plant_tree(place, rng, tx, y + 0.01, rng.uniform(5, 8), kind)
    if trunks:
        place.add(join(*trunks), Material("wood", bark, bark * 0.4, 0.08, rng.uniform(0, 99)))
    for _ in range(8):
        y = far + rng.uniform(1.5, 16)
        tx = rng.uniform(-1.1, 1.1) * half * y
        if abs(tx - x) > 1.5 and place.fits(tx, y, 1.2, 1.0, 0.9):
            place.put(s.bush(rng.uniform(0.4, 0.9), rng), leaf, (tx, y), 0, "bush")
    if crowns:
        place.add(join(*crowns), leaf)
    place.add(s.hills(far + 27, 60, 13, rng), Material("leaves", leaf.one, leaf.two, 0.5, 9.0))
    put_about(place, rng, ("rock", "bush", "rock", "bench"), int(rng.integers(2, 5)), y1=far + 4)
    if at := place.spot(2.2, 0.5, 0.45, rng, y0=place.view.near * 0.9, y1=far + 4):  # a fallen trunk
        log = f.bar((-1.1, 0, 0.18), (1.1, 0.1, 0.2), 0.2, 9)
        place.put(log, Material("wood", bark, bark * 0.4, 0.08, 1.0), at, 0, "log")
