"""Places: rooms and open ground around people, lit and furnished, with clutter that is not a person.

Kinds are built in ``homes``, ``halls``, ``venues``, ``streets`` and ``greens``; this file chooses size and light, and
what stands in front.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..deeds.props import cuboid, join
from . import furniture as f
from . import greens, halls, homes, scenery, streets, venues
from .fittings import DARK, WHITE, plant, sofa, solid, stand_about, wall_paint, wood
from .furniture import chair
from .grounds import green, parked
from .materials import Draw, Material, dyed_material, paint, random_material
from .setting import Place, View

__all__ = [
    "FLOOR",
    "KINDS",
    "SKY",
    "Material",
    "Place",
    "build_place",
    "chair",
    "dyed_material",
    "paint",
    "random_material",
]

FLOOR, SKY = 0, -1  # object ids


@dataclass(frozen=True)
class Plan:
    """How a kind is built: metres behind and beside the people, height of the ceiling, extra clutter."""

    build: Callable[[Place, Draw], None]
    deep: tuple[float, float]
    high: tuple[float, float] | None = None  # None: under the sky
    beside: tuple[float, float] = (0.8, 3.0)
    clutter: tuple[int, int] = (0, 3)


ROOM, HALL = (2.4, 3.0), (2.7, 3.6)
PLANS = {
    "living room": Plan(homes.living_room, (1.3, 3.2), ROOM),
    "kitchen": Plan(homes.kitchen, (1.0, 2.4), ROOM, clutter=(0, 1)),
    "bedroom": Plan(homes.bedroom, (2.3, 3.4), ROOM),
    "office": Plan(halls.office, (1.6, 4.5), (2.5, 3.2)),
    "classroom": Plan(halls.classroom, (1.4, 4.0), HALL, clutter=(0, 2)),
    "corridor": Plan(halls.corridor, (5.0, 14.0), (2.4, 3.0), (0.3, 0.8), (0, 2)),
    "cafe": Plan(halls.cafe, (2.2, 4.5), HALL),
    "bar": Plan(halls.pub, (2.2, 4.0), HALL, clutter=(0, 2)),
    "gym": Plan(halls.gym, (2.0, 6.0), (3.2, 5.5), clutter=(0, 2)),
    "shop": Plan(venues.shop, (2.0, 7.0), (2.8, 3.6), (0.8, 1.5), (0, 2)),
    "library": Plan(venues.library, (1.2, 4.5), HALL, clutter=(0, 2)),
    "hospital": Plan(venues.clinic, (2.5, 4.0), (2.5, 3.0), clutter=(0, 1)),
    "stage": Plan(venues.stage, (1.8, 4.5), (4.0, 5.5), (1.5, 3.5), (0, 2)),
    "studio": Plan(venues.backdrop, (1.2, 4.0), (3.0, 4.0), clutter=(0, 3)),
    "street": Plan(streets.street, (8.0, 15.0)),
    "pavement": Plan(streets.pavement, (1.1, 3.2)),
    "park": Plan(greens.park, (8.0, 20.0)),
    "playground": Plan(greens.playground, (6.0, 9.0)),
    "beach": Plan(greens.beach, (4.0, 9.0)),
    "garden": Plan(greens.garden, (2.0, 6.0)),
    "car park": Plan(streets.car_park, (5.0, 9.0)),
    "train platform": Plan(streets.platform, (2.0, 4.0)),
    "forest": Plan(greens.forest, (8.0, 20.0)),
    "plaza": Plan(streets.plaza, (9.0, 18.0)),
    "building site": Plan(streets.construction, (5.0, 9.0)),
}
KINDS = tuple(PLANS)
DIM = {"bar": 0.65, "stage": 0.6, "cafe": 0.9}  # less light from everywhere
BY_NIGHT = ("street", "pavement", "car park", "train platform", "plaza")


def build_place(
    kind: str,
    rng: Draw,
    *,
    far: float,
    half_width: float,
    camera_height: float,
    taken: list[tuple[float, float, float]],
    texture_seed: int = 0,
) -> Place:
    """A place around people who stand up to ``far`` metres away.

    Args:
        kind: One of ``KINDS``.
        rng: All chance comes from here.
        far: Distance of the farthest person in metres.
        half_width: Tangent of half the horizontal field of view.
        camera_height: Metres; the camera stands at x = y = 0 and looks along +y.
        taken: Discs (x, y, r) on which nothing may stand; people are those in front of the camera.
        texture_seed: Another seed gives other patterns.
    """
    plan = PLANS[kind]
    people = [d for d in taken if d[1] > 0.5]
    near = min((y - r for _, y, r in people), default=far)
    place = _light(kind, rng, inside=plan.high is not None)
    place.texture_seed, place.taken, place.people = texture_seed, list(taken), people
    place.view = View(half_width, camera_height, max(near, 0.8), far)
    back = far + rng.uniform(*plan.deep)
    if plan.high:
        left = min([x - r for x, _, r in people] + [-0.4]) - rng.uniform(*plan.beside)
        right = max([x + r for x, _, r in people] + [0.4]) + rng.uniform(*plan.beside)
        high = max(rng.uniform(*plan.high), camera_height + 0.4)
        place.shading.room = (min(left, -1.0), max(right, 1.0), back, high)
    else:
        place.shading.room = (-np.inf, np.inf, back if kind in ("pavement", "garden") else np.inf, np.inf)
    plan.build(place, rng)
    if plan.high:
        stand_about(place, rng, int(rng.integers(*plan.clutter, endpoint=True)))
    if rng.random() < 0.4:
        _occlude(place, rng)
    return place


def _light(kind: str, rng: Draw, *, inside: bool) -> Place:
    """An empty place under one of several lights: lamps, windows, noon, cloud, evening, night."""
    night = kind in BY_NIGHT and rng.random() < 0.25
    warm, cool = np.array([1.0, 0.86, 0.66]), np.array([0.86, 0.95, 1.08])
    clouds = rng.uniform(0, 0.7)
    sky = np.array([0.72, 0.8, 0.88]) * rng.uniform(0.8, 1.1), np.array([0.17, 0.36, 0.72]) * rng.uniform(0.7, 1.2)
    azimuth, height = rng.uniform(-1.9, 1.9), rng.uniform(0.5, 1.2)
    if inside:
        kind_of = rng.choice(3, p=(0.4, 0.4, 0.2))  # lamps, daylight from one side, lamps from above
        sun = (warm, cool, np.array([1.0, 1.0, 0.94]))[kind_of] * rng.uniform(0.4, 0.75)
        ambient = (warm, cool, np.ones(3))[kind_of] ** 0.5 * rng.uniform(0.38, 0.6) * DIM.get(kind, 1.0)
        height = (rng.uniform(0.7, 1.2), rng.uniform(0.4, 0.8), rng.uniform(1.1, 1.4))[kind_of]
        if kind_of == 1:
            azimuth = rng.choice([-1, 1]) * rng.uniform(1.0, 2.0)
        night = kind_of == 0 and rng.random() < 0.4
    elif night:
        sky = np.array([0.035, 0.045, 0.08]), np.array([0.006, 0.009, 0.022])
        sun, ambient = (
            np.array([1.0, 0.8, 0.52]) * rng.uniform(0.35, 0.6),
            np.array([0.2, 0.24, 0.32]) * rng.uniform(0.9, 1.4),
        )
        height, clouds = rng.uniform(0.8, 1.2), 0.0
    else:
        kind_of = rng.choice(4, p=(0.38, 0.27, 0.22, 0.13))  # clear, overcast, evening, against the light
        if kind_of == 1:
            grey = np.full(3, rng.uniform(0.6, 0.85))
            sky, clouds = (grey, grey * rng.uniform(0.75, 0.95)), 0.9
            sun, ambient = cool * rng.uniform(0.1, 0.3), cool * rng.uniform(0.6, 0.8)
        elif kind_of == 2:
            sky = np.array([0.95, 0.68, 0.42]) * rng.uniform(0.75, 1.05), np.array([0.25, 0.32, 0.52])
            sun, ambient = np.array([1.15, 0.72, 0.4]) * rng.uniform(0.7, 1.0), np.array([0.36, 0.38, 0.46])
            height = rng.uniform(0.2, 0.45)
        else:
            sun = np.array([1.0, 0.95, 0.84]) * rng.uniform(0.7, 1.1)
            ambient = np.array([0.36, 0.4, 0.46]) * rng.uniform(0.85, 1.2)
        if kind_of == 3:
            azimuth, height = rng.choice([-1, 1]) * rng.uniform(2.2, 2.8), rng.uniform(0.4, 0.8)
            ambient = ambient * 1.25
    light = np.array([np.sin(azimuth) * np.cos(height), -np.cos(azimuth) * np.cos(height), np.sin(height)])
    tint = 1 + rng.normal(0, 0.03, 3)
    return Place(kind, light, sun * tint, ambient * tint, sky, inside=inside, night=night, clouds=clouds)


def _occlude(place: Place, rng: Draw) -> None:
    """Something low or narrow between the camera and the people, so that it hides parts of them."""
    view = place.view
    if view.near < 1.5:
        return
    for _ in range(12):
        y = rng.uniform(max(0.5 * view.near, 1.2), 0.85 * view.near)
        x = float(rng.choice([-1, 1])) * rng.uniform(0.1, 0.95) * view.half_width * y
        h = view.height + (rng.uniform(0.3, 0.7) - view.height) * y / view.near
        what = str(rng.choice(_FRONT.get(place.kind, _FRONT_INSIDE if place.inside else _FRONT_OUTSIDE)))
        w, d, low, high = _FRONT_SIZES.get(what, (0.45, 0.45, 0.28, 1.2))
        slim = w < 1.1 * view.half_width * y  # half of the picture at most
        if slim and low <= h <= high and place.fits(x, y, w, d, 0.0):
            break
    else:
        return
    place.claim(x, y, w, d)
    m, colour = dyed_material(rng, ("plain",))
    if what == "sofa":
        sofa(place, rng, (x, y), np.pi + rng.normal(0, 0.2), 1.7)
    elif what == "counter":
        place.put(f.block(-w / 2, w / 2, -d / 2, d / 2, 0, h - 0.04), wood(rng, "planks"), (x, y), 0, "counter")
        place.put(f.block(-w / 2 - 0.04, w / 2 + 0.04, -d / 2 - 0.04, d / 2 + 0.04, h - 0.04, h), wood(rng), (x, y))
    elif what == "table":
        place.put(f.table(w, d, h, rng), wood(rng), (x, y), 0, "table")
    elif what == "chair":
        place.put(f.chair(np.zeros(2), 0, max(h - 0.45, 0.25), rng), m, (x, y), rng.uniform(-3, 3), "chair", colour)
    elif what == "plant":
        plant(place, rng, (x, y), max(h + 0.25, 0.4))
    elif what == "boxes":
        brown = solid(np.array([0.42, 0.28, 0.15]), rng)
        n = max(round(h / 0.35), 1)
        stack = [cuboid((0.45, 0.4, h / n), (0, 0, (k + 0.5) * h / n), rng.normal(0, 0.25)) for k in range(n)]
        place.put(join(*stack), brown, (x, y), 0, "box", "brown")
    elif what == "hedge":
        place.put(scenery.hedge(w, d, h, rng), green(rng, "leaves"), (x, y), 0, "hedge")
    elif what == "bush":
        place.put(scenery.bush(h * 0.9, rng), green(rng, "leaves"), (x, y), 0, "bush")
    elif what == "bench":
        slats, iron = scenery.bench(w)
        place.put(slats, wood(rng), (x, y), np.pi, "bench")
        place.put(iron, solid(DARK, rng), (x, y), np.pi)
    elif what == "fence":
        place.put(scenery.fence(w, h, rng), wood(rng) if rng.random() < 0.6 else solid(WHITE, rng), (x, y))
    elif what == "bin":
        points, faces = scenery.litter_bin()
        place.put((points * np.array([1, 1, h / 0.86], np.float32), faces), m, (x, y), 0, "bin", colour)
    elif what == "trunk":
        bark = np.array([0.14, 0.1, 0.07]) * rng.uniform(0.5, 1.6)
        mesh = f.lathe([(0.24, 0), (0.16, 0.4), (0.13, 9)], 9)
        place.put(mesh, Material("wood", bark, bark * 0.4, 0.08, rng.uniform(0, 99)), (x, y), 0, "tree")
    elif what == "lamp post":
        place.put(scenery.lamp_post(3.6, rng)[0], solid(DARK, rng), (x, y))
    elif what == "post":
        pillar = wall_paint(rng) if place.inside and rng.random() < 0.7 else m
        place.put(f.block(-0.08, 0.08, -0.08, 0.08, 0, 5.0 if place.inside else 1.2), pillar, (x, y), 0, "post")
    else:
        place.taken.pop()
        parked(place, rng, x, y, 0.0)


_FRONT_SIZES = {
    "sofa": (1.7, 0.9, 0.7, 1.0), "counter": (1.3, 0.5, 0.28, 1.2), "table": (1.1, 0.7, 0.35, 1.0),
    "hedge": (1.6, 0.6, 0.28, 1.2), "bush": (1.8, 1.5, 0.28, 0.8), "bench": (1.5, 0.6, 0.5, 1.0),
    "car": (4.3, 1.8, 1.0, 2.0), "fence": (1.8, 0.2, 0.28, 1.2),
    "post": (0.2, 0.2, -9, 9),
    "lamp post": (0.25, 0.25, -9, 9), "trunk": (0.4, 0.4, -9, 9),
}  # fmt: skip
_FRONT_INSIDE = ("sofa", "counter", "table", "chair", "plant", "boxes", "post", "chair", "plant")
_FRONT_OUTSIDE = ("hedge", "bush", "bench", "fence", "bin", "lamp post", "plant", "bush")
_STREET = ("bench", "bin", "lamp post", "post", "car", "plant", "fence", "hedge")
_FRONT = {
    "beach": ("boxes", "plant", "post"), "street": _STREET, "pavement": _STREET, "forest": ("bush", "trunk"),
    "car park": ("car", "bin", "post", "car", "hedge"), "train platform": ("bench", "bin", "post", "boxes"),
    "building site": ("boxes", "fence", "post", "boxes"), "gym": ("boxes", "post", "plant", "chair"),
    "garden": ("hedge", "bush", "bench", "plant", "fence"), "studio": ("chair", "boxes", "plant", "table"),
}  # fmt: skip
