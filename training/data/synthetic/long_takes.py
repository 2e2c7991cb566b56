"""Twenty seconds of people who come, go, cross and are seen from elsewhere, to measure how one of them is followed.

Three kinds: people who walk in and out of view; people dressed alike who cross; camera cuts. Bodies, clothes, places,
rendering and lenses are those of ``render.Studio``; only who walks where, and when the camera changes, is decided here.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from .camera import Camera, move, orientation
from .casting import _equip, _somebody
from .deeds import gestures, menu, motions
from .deeds.motions import Deed, Draw
from .deeds.strolls import Stroll
from .facts import COLOURS, Look, Person, Scene
from .film import Facts, film
from .labels import MIN_PROP
from .language.drafting import SLOT, compose
from .language.facets import pick
from .language.templates import TEMPLATES
from .language.truths import View, same_colour
from .people.bodies import ROOT, Body, blend_bodies
from .people.wardrobe import CLASHES, Figure, draw_look, dress, shape_hands
from .render import SEEDS, SUPERSAMPLE, Studio, _facing
from .sites.places import KINDS as PLACES
from .sites.places import PLANS, Place, build_place
from .stage import Actor, act

KINDS = ("in and out", "look-alikes", "cuts")
SECONDS, FPS = 20.0, 25.0
NARROW = ("corridor",)  # places too narrow to walk about in
APART, SEAT_APART = 0.72, 0.95  # metres between the middles of two people; where one sits
BESIDE = 0.75  # metres out of the picture's side that hide somebody
VISIBLE = 0.3  # share of a body from which it counts as seen
TOLD = frozenset(("n", "an", "a", "b", "d", "t", "u", "v", "c", "x", "k", "w", "h", "g", "j"))
"""Slots of templates that hold for as long as clothes are worn: no places, orders, heights or ways to face."""
LARGE = frozenset(("top", "bottom"))  # topics of what can be seen from afar
EMPTY = 0.1  # share of a clip in which nobody may be in view
TRIES = 14


@dataclass(frozen=True)
class Field:
    """Where people walk: distances from the camera, and the tangent of half its horizontal angle."""

    near: float
    far: float
    half_width: float

    def draw(self, rng: Draw, *, edge: float = 0.78) -> np.ndarray:
        """A floor point in view."""
        y = rng.uniform(self.near, self.far)
        return np.array([rng.uniform(-1, 1) * edge * self.half_width * y, y])

    def outside(self, side: int, rng: Draw) -> np.ndarray:
        """A floor point out of view, to the left (-1) or right (1)."""
        y = rng.uniform(self.near, self.far)
        return np.array([side * (self.half_width * y + BESIDE + rng.uniform(0.1, 0.5)), y])


@dataclass(frozen=True)
class Part:
    """One person of a clip: body, dress, what the hands do on top of walking, and the seed of how they move."""

    figure: Figure
    on_top: Callable[..., Deed] | None
    seed: int

    @property
    def body(self) -> Body:
        return self.figure.body


@dataclass
class Stand:
    """Somebody who stays: a deed at a place."""

    deed: Deed
    at: np.ndarray
    heading: float


Way = Stroll | Stand


@dataclass(frozen=True)
class Take:
    """Frames from ``first`` up to ``after`` filmed by one camera in one place; set: index of the place."""

    first: int
    after: int
    set: int
    view: int


@dataclass(frozen=True)
class LongClip:
    """A filmed clip: RGB frames uint8 (T, H, W, 3), and what is true of every frame.

    cuts: first frames of new takes. people: everybody, boxes as in ``facts.Person``, NaN where out of view.
    sentences: by index of the person, a description that fits them alone for the whole clip.
    """

    frames: np.ndarray
    fps: float
    kind: str
    cuts: tuple[int, ...]
    places: tuple[str, ...]
    people: tuple[Person, ...]
    sentences: dict[int, str]
    alike: tuple[int, ...] = ()


# --- ways -------------------------------------------------------------------------------------------------------------
def wander(stroll: Stroll, ground: Field, until: float, rng: Draw) -> None:
    """From place to place in view, with stops."""
    while stroll.now < until - 2.5:
        goal = ground.draw(rng)
        if np.linalg.norm(goal - stroll.place) < 1.0:
            stroll.wait(0.1)
            continue
        stroll.walk_to(goal, rng.normal(0, 0.08))
        if rng.random() < 0.65:
            stroll.wait(rng.uniform(0.3, 2.2))


def leave(stroll: Stroll, ground: Field, side: int, rng: Draw) -> None:
    stroll.walk_to(ground.outside(side, rng), rng.normal(0, 0.04))


def returning(body: Body, ground: Field, rng: Draw) -> Stroll:
    """In view at first; leaves, stays away for some seconds, and comes back by the same side."""
    stroll = Stroll.start(body, ground.draw(rng), rng.uniform(-1.2, 1.2), 0.0, rng)
    stroll.wait(rng.uniform(0.0, 1.0))
    wander(stroll, ground, rng.uniform(2.5, 6.5), rng)
    side = 1 if stroll.place[0] > 0 else -1
    leave(stroll, ground, side, rng)
    stroll.wait(rng.uniform(0.3, 3.0))
    wander(stroll, ground, SECONDS, rng)
    return stroll


def late(body: Body, ground: Field, rng: Draw) -> Stroll:
    """Not there at first."""
    side = int(rng.choice((-1, 1)))
    stroll = Stroll.start(body, ground.outside(side, rng), -side * np.pi / 2, 0.0, rng)
    stroll.wait(rng.uniform(2.0, 8.0))
    wander(stroll, ground, SECONDS, rng)
    return stroll


def early(body: Body, ground: Field, rng: Draw) -> Stroll:
    """Leaves for good."""
    stroll = Stroll.start(body, ground.draw(rng), rng.uniform(-1.5, 1.5), 0.0, rng)
    stroll.wait(rng.uniform(0.0, 2.0))
    wander(stroll, ground, rng.uniform(7.0, 13.0), rng)
    leave(stroll, ground, int(rng.choice((-1, 1))), rng)
    return stroll


def through(body: Body, ground: Field, rng: Draw) -> Stroll:
    """Comes in on one side and goes out on the other, perhaps back again."""
    side = int(rng.choice((-1, 1)))
    stroll = Stroll.start(body, ground.outside(side, rng), -side * np.pi / 2, 0.0, rng)
    stroll.wait(rng.uniform(0.5, 5.0))
    while stroll.now < SECONDS - 5:
        if rng.random() < 0.5:
            stroll.walk_to(ground.draw(rng, edge=0.5), rng.normal(0, 0.06))
            stroll.wait(rng.uniform(0.0, 1.5))
        side = -side
        leave(stroll, ground, side, rng)
        stroll.wait(rng.uniform(0.5, 3.0))
    return stroll


def about(body: Body, ground: Field, rng: Draw) -> Stroll:
    """In view all the time, walking and stopping."""
    stroll = Stroll.start(body, ground.draw(rng), rng.uniform(-np.pi, np.pi), 0.0, rng)
    stroll.wait(rng.uniform(0.0, 1.5))
    wander(stroll, ground, SECONDS, rng)
    return stroll


def pacing(body: Body, ground: Field, rng: Draw, lane: float, side: int) -> Stroll:
    """To and fro across the picture at about one distance, from one side."""

    def end() -> np.ndarray:
        return np.array([rng.uniform(0.42, 0.8) * side * ground.half_width * lane, lane + rng.uniform(-0.05, 0.05)])

    stroll = Stroll.start(body, end(), -side * rng.uniform(0.6, 1.6), 0.0, rng)
    stroll.wait(rng.uniform(0.2, 1.2))
    while stroll.now < SECONDS - 2:
        side = -side
        stroll.walk_to(end(), 0.0)
        if rng.random() < 0.4:
            stroll.turn_to(rng.normal(0, 0.5))
        stroll.wait(rng.uniform(0.2, 1.4))
    return stroll


def track_of(way: Way, t: np.ndarray) -> np.ndarray:
    """Floor points (T, 2)."""
    return way.track(t)[0] if isinstance(way, Stroll) else np.repeat(way.at[None], len(t), 0)


def room_for(way: Way, others: list[Way], t: np.ndarray) -> bool:
    """Whether somebody comes near nobody."""
    mine = track_of(way, t)
    for other in others:
        seated = any(isinstance(w, Stand) and w.deed.seat for w in (way, other))
        if np.linalg.norm(mine - track_of(other, t), axis=1).min() < (SEAT_APART if seated else APART):
            return False
    return True


def place_one(
    make: Callable[[], Way], others: list[Way], t: np.ndarray, fits: Callable[[Way], bool] = lambda way: True
) -> Way | None:
    """A way that fits and keeps clear of the others; None where none is found."""
    for _ in range(120):
        way = make()
        if fits(way) and room_for(way, others, t):
            return way
    return None


def in_sight(way: Way, ground: Field, t: np.ndarray) -> np.ndarray:
    """Whether somebody stands between the picture's sides (T,)."""
    x, y = track_of(way, t).T
    return np.abs(x) < ground.half_width * y - 0.1


def crossings(a: Way, b: Way, ground: Field, t: np.ndarray) -> int:
    """How often two people, both in view, pass each other as the camera sees them."""
    p, q = track_of(a, t), track_of(b, t)
    left = p[:, 0] / p[:, 1] < q[:, 0] / q[:, 1]
    both = in_sight(a, ground, t) & in_sight(b, ground, t)
    return int(((left[1:] != left[:-1]) & both[1:]).sum())


# --- looks ------------------------------------------------------------------------------------------------------------
MARKS = ("hat", "backpack", "bottom", "hair", "scarf", "held")


def dressed_alike(bodies: list[Body], rng: Draw) -> tuple[list[Look], list[Callable[..., Deed] | None]]:
    """Looks of people in the same clothes of whom each but the last has a mark of their own, and what they hold."""
    first = draw_look(bodies[0], rng)
    plain = {"hat": None, "hat_kind": None, "scarf": None, "tie": None, "carried": None, "glasses": None}
    same = ("top", "top_colour", "bottom", "bottom_colour", "shoes", "sleeves", "pattern", "pattern_colour", "inner")
    shared = {name: getattr(first, name) for name in same} | plain
    hair = {name: getattr(first, name) for name in ("hair_colour", "hair_length", "hair_style", "skin", "beard")}
    looks = [replace(draw_look(b, rng), **shared, **hair) for b in bodies]
    held: list[Callable[..., Deed] | None] = [None] * len(bodies)
    marks = [m for m in MARKS if not (m == "bottom" and first.bottom is None)]
    chosen = [str(m) for m in rng.permutation(marks)[: len(bodies) - 1]]
    for k, mark in enumerate(chosen):
        look = looks[k]
        if mark == "hat":
            colour = unlike(rng, look.top_colour)
            looks[k] = replace(look, hat=colour, hat_kind=str(rng.choice(("cap", "hat", "beanie"))))
        elif mark == "backpack":
            looks[k] = replace(look, carried="backpack")
        elif mark == "bottom":
            looks[k] = replace(look, bottom_colour=unlike(rng, look.top_colour, look.bottom_colour))
        elif mark == "scarf":
            looks[k] = replace(look, scarf=unlike(rng, look.top_colour, look.inner))
        elif mark == "hair":
            dark = look.hair_colour in ("black", "brown", "red")
            looks[k] = replace(look, hair_colour=str(rng.choice(("blonde", "white"))) if dark else "black")
            if look.hair_length == "bald":
                looks[k] = replace(looks[k], hair_length="short")
        else:
            held[k] = gestures.carry
    return looks, held


def unlike(rng: Draw, *colours: str | None) -> str:
    """A colour that nobody takes for any of these."""
    taken = {c for name in colours if name for c in (name, *CLASHES[name])}
    free = [c for c in COLOURS if c not in taken and all(same_colour(c, n) is False for n in colours if n)]
    return pick(rng, free or [c for c in COLOURS if c not in taken])


# --- the studio -------------------------------------------------------------------------------------------------------
class LongStudio(Studio):
    """Films long clips with one split's bodies and places."""

    def shoot_long(
        self, seed: int, *, kind: str, size: tuple[int, int] = (424, 240), frames: int = round(SECONDS * FPS)
    ) -> LongClip:
        """Film one clip; the same (split, seed, kind) gives the same clip.

        Args:
            seed: Any non-negative number.
            kind: One of ``KINDS``.
            size: Width and height in pixels.
            frames: Fewer for tests; what is promised of a kind holds of all ``SECONDS``.

        Raises:
            ValueError: If the kind is unknown, or no attempt made a clip of it.
        """
        if kind not in KINDS:
            raise ValueError(f"no kind {kind!r} of long clips; there are {', '.join(KINDS)}")
        for attempt in range(TRIES):
            rng = np.random.default_rng((SEEDS[self.split], seed, KINDS.index(kind), attempt))
            clip = self._attempt(rng, kind, size, frames)
            if clip is not None:
                return clip
        raise ValueError(f"seed {seed} made no clip of kind {kind!r} in {TRIES} attempts")

    def _attempt(self, rng: Draw, kind: str, size: tuple[int, int], frames: int) -> LongClip | None:
        t = np.arange(round(SECONDS * FPS)) / FPS
        parts, alike = self._cast(rng, kind)
        takes = _takes(kind, rng, len(t))
        sets = 1 + max(take.set for take in takes)
        absent = _absent(kind, len(parts), sets, rng)
        filmed: list[tuple[Take, np.ndarray, Facts, list[int], list[Actor], Camera]] = []
        places = []
        plans = []
        for index in range(sets):
            who = [k for k in range(len(parts)) if (index, k) not in absent]
            plan = self._plan(parts, who, kind, alike, size, rng, t)
            if plan is None:
                return None
            plans.append(plan)
        for index, (who, ways, ground, inside, cameras) in enumerate(plans):
            actors = [self._actor(parts[k], way, t, rng) for k, way in zip(who, ways, strict=True)]
            place = self._furnish_long(actors, cameras, ground, rng, inside=inside)
            places.append(place.kind)
            look = int(rng.integers(2**31))
            for take in (take for take in takes if take.set == index and take.first < frames):
                shown = slice(take.first, min(take.after, frames))
                camera = cameras[take.view](shown, size)
                cut = [_during(a, shown) for a in actors]
                images, facts = film(cut, place, camera, size, np.random.default_rng((look, take.view)))
                filmed.append((take, images, facts, who, cut, camera))
        filmed.sort(key=lambda entry: entry[0].first)
        people = _people(parts, filmed, frames)
        clip = LongClip(
            np.concatenate([entry[1] for entry in filmed]), FPS, kind,
            tuple(entry[0].first for entry in filmed[1:]), tuple(places), people, {}, alike,
        )  # fmt: skip
        if not _keeps_promise(clip) and frames == len(t):
            return None
        sentences = _sentences(clip, filmed, rng)
        return replace(clip, sentences=sentences) if sentences else None

    def _cast(self, rng: Draw, kind: str) -> tuple[list[Part], tuple[int, ...]]:
        """Two to five people; of the second kind the first two or three are dressed alike."""
        count = int(rng.choice((2, 3, 4, 5), p=(0.25, 0.35, 0.25, 0.15)))
        bodies = [_somebody(self.bodies, rng, child=bool(rng.random() < 0.15)) for _ in range(count)]
        on_top: list[Callable[..., Deed] | None] = [
            pick(rng, menu.WALKING[:3]) if rng.random() < 0.2 else None for _ in bodies
        ]
        looks, alike = [draw_look(b, rng) for b in bodies], 0
        if kind == "look-alikes":
            alike = min(int(rng.choice((2, 3), p=(0.6, 0.4))), count)
            first = bodies[0]
            bodies[1:alike] = [blend_bodies(self.bodies, rng, sex=first.sex, age=first.age) for _ in range(1, alike)]
            looks[:alike], on_top[:alike] = dressed_alike(bodies[:alike], rng)
        parts = []
        for body, look, hold in zip(bodies, looks, on_top, strict=True):
            figure = dress(self.rig, body, look, self.attributes, rng)
            parts.append(Part(figure, hold, int(rng.integers(2**31))))
        return parts, tuple(range(alike))

    def _plan(
        self,
        parts: list[Part],
        who: list[int],
        kind: str,
        alike: tuple[int, ...],
        size: tuple[int, int],
        rng: Draw,
        t: np.ndarray,
    ) -> tuple[list[int], list[Way], Field, bool, list[Callable[[slice, tuple[int, int]], Camera]]] | None:
        """Who walks where before which cameras, in one place; None where they find no room."""
        inside = bool(rng.random() < 0.55)
        middle = rng.uniform(4.0, 5.6) if inside else rng.uniform(4.4, 7.5)
        shown = rng.uniform(2.3, 3.4)  # metres of height in the picture
        half_width = float(np.clip(shown * size[0] / size[1] / 2 / middle, 0.36, 0.85))
        ground = Field(max(2.3, 0.72 * middle), 1.4 * middle, half_width)
        sparse = t[::3]
        ways: list[Way] = []
        roles = _roles(kind, who, alike, rng)
        lanes = list(rng.permutation(3))
        side = int(rng.choice((-1, 1)))
        for k, role in zip(who, roles, strict=True):
            body = parts[k].body
            make: Callable[[], Way]
            if role == "pacing":
                lane = ground.near + 0.3 + (ground.far - ground.near - 0.5) * lanes[who.index(k)] / 2.6
                make = partial(pacing, body, ground, rng, lane, side * (-1) ** who.index(k))
            elif role == "stands":
                make = partial(_standing, parts[k], ground, rng, t)
            else:
                make = partial(ROLES[role], body, ground, rng)
            way = place_one(make, ways, sparse, partial(_fits, role=role, ground=ground, t=sparse))
            if way is None:
                return None
            ways.append(way)
        pairs = [(ways[who.index(a)], ways[who.index(b)]) for a in alike for b in alike if a < b]
        if pairs and sum(crossings(a, b, ground, sparse) for a, b in pairs) < 2:
            return None
        steady = min(half_width * 2, 1.0)
        top = max(parts[k].body.height for k in who)
        views = [_camera_maker(ground, middle, top, steady, v, kind, rng) for v in range(3)]
        return who, ways, ground, inside, views

    def _actor(self, part: Part, way: Way, t: np.ndarray, rng: Draw) -> Actor:
        """Somebody on their way, in the world for every moment of the clip."""
        own = np.random.default_rng(part.seed)
        figure = copy.copy(part.figure)
        figure.rest = figure.rest.copy()
        if isinstance(way, Stroll):
            deed = way.deed(t, own)
            if part.on_top is not None:
                deed = part.on_top(deed, part.body, own)
            actor = Actor(figure, deed)
        else:
            actor = Actor(figure, way.deed, at=way.at, heading=way.heading)
        _equip(actor, own)
        hands = actor.deed.hands
        shape_hands(actor.figure, hands.get(1, "relaxed"), hands.get(-1, "relaxed"))
        act(actor)
        return actor

    def _furnish_long(
        self, actors: list[Actor], cameras: list[Any], ground: Field, rng: Draw, *, inside: bool
    ) -> Place:
        """A place that leaves everybody's way free, and room about every camera."""
        taken = [(0.0, 0.0, 0.8)]
        probe = [make(slice(0, 1), (424, 240)) for make in cameras]
        taken += [(*camera.at, 0.8) for camera in probe]
        for a in actors:
            at = a.joints[:, ROOT, :2]
            kept = at[0]
            taken.append((*kept, 0.5))
            for point in at:
                if np.linalg.norm(point - kept) > 0.3:
                    kept = point
                    taken.append((*point, 0.48))
        far = max(float(a.vertices[:, :, 1].max()) for a in actors)
        kinds = [k for k in PLACES if (PLANS[k].high is not None) == inside and k not in NARROW]
        place = build_place(
            kinds[rng.integers(len(kinds))],
            rng,
            far=max(far, ground.far),
            half_width=ground.half_width,
            camera_height=max(camera.height for camera in probe),
            taken=taken,
            texture_seed=SEEDS[self.split],
        )
        for a in actors:
            self._support(a, place, rng)
        return place


ROLES: dict[str, Callable[[Body, Field, Draw], Stroll]] = {
    "returning": returning, "late": late, "early": early, "through": through, "about": about,
}  # fmt: skip


def _roles(kind: str, who: list[int], alike: tuple[int, ...], rng: Draw) -> list[str]:
    """What each of those present does."""
    if kind == "in and out":
        rest = [str(r) for r in rng.choice(("late", "early", "through", "returning", "about", "stands"), len(who))]
        return ["returning", *rest[1:]]
    if kind == "look-alikes":
        return ["pacing" if k in alike else str(rng.choice(("about", "stands", "through"))) for k in who]
    return [str(rng.choice(("about", "about", "stands"))) if i else "about" for i in range(len(who))]


def _fits(way: Way, role: str, ground: Field, t: np.ndarray) -> bool:
    """Whether a way does what its role says, with time enough in view."""
    seen = in_sight(way, ground, t)
    if isinstance(way, Stand):
        return bool(seen.all())
    y = way.track(t)[0][:, 1]
    if y.min() < ground.near - 0.4 or y.max() > ground.far + 0.4:
        return False
    if role == "returning":
        gone = np.flatnonzero(~seen)
        after = seen[gone[-1] :].sum() if len(gone) else 0
        return bool(seen[0] and len(gone) * 0.12 > 2.2 and after * 0.12 > 3.5 and seen[: gone[0]].sum() * 0.12 > 2.5)
    return bool(seen.mean() > (0.25 if role in ("late", "early", "through") else 0.9))


def _standing(part: Part, ground: Field, rng: Draw, t: np.ndarray) -> Stand:
    """Somebody who stands or sits at one place, doing something or nothing."""
    posture = motions.sit if rng.random() < 0.3 else motions.stand
    own = np.random.default_rng(part.seed + 1)
    deed = posture(part.body, t - SECONDS / 2, own)
    quiet = (gestures.phone_text, gestures.phone_ear, gestures.read, gestures.drink)
    if rng.random() < 0.5:
        deed = pick(rng, quiet)(deed, part.body, own)
    return Stand(deed, ground.draw(rng, edge=0.85), float(rng.normal(0, 0.9)))


def _takes(kind: str, rng: Draw, frames: int) -> list[Take]:
    """The takes of a clip: one, or three or four parted by cuts, each of three seconds and a half at least."""
    if kind != "cuts":
        return [Take(0, frames, 0, 0)]
    count = int(rng.choice((3, 4)))
    least = 3.5 / SECONDS
    shares = least + rng.dirichlet(np.full(count, 2.0)) * (1 - count * least)
    ends = [0, *(round(frames * c) for c in np.cumsum(shares)[:-1]), frames]
    if rng.random() < 0.5:  # one place, from several sides
        views = [0, 1, 0, 2] if rng.random() < 0.5 else [0, 1, 2, 0]
        where = [(0, v) for v in views[:count]]
    else:  # two places in turn
        where = [(0, 0), (1, 0), (0, int(rng.integers(2))), (1, 1)][:count]
    return [Take(a, b, *at) for a, b, at in zip(ends, ends[1:], where, strict=False)]


def _absent(kind: str, people: int, sets: int, rng: Draw) -> set[tuple[int, int]]:
    """Who is not there in which place: (place, person). The first person mostly misses the second place."""
    if sets < 2:
        return set()
    gone = {(1, k) for k in range(1, people) if rng.random() < 0.25}
    if rng.random() < 0.7:
        gone.add((1, 0))
    if len(gone) == people:
        gone.discard((1, people - 1))
    return gone


def _camera_maker(
    ground: Field, middle: float, top: float, steady: float, view: int, kind: str, rng: Draw
) -> Callable[[slice, tuple[int, int]], Camera]:
    """A camera as a function of the frames it films: the first at the origin, the others aside or closer."""
    height = float(rng.choice([rng.uniform(1.0, 1.6), rng.uniform(1.6, 2.5)]))
    roll, wide, at, yaw = rng.normal(0, 0.012), ground.half_width, (0.0, 0.0), 0.0
    if view:
        side = int(rng.choice((-1, 1)))
        x = side * rng.uniform(0.9, 0.9 + 0.22 * middle)
        at = (float(x), float(rng.uniform(-0.8, 0.3)))
        yaw = float(np.arctan2(-x, middle - at[1]) + rng.normal(0, 0.03))
        wide = float(np.clip(ground.half_width * rng.uniform(0.8, 1.25), 0.33, 0.9))
    far = middle - at[1]
    pitch = float(np.arctan2(0.5 * top - height + rng.uniform(-0.08, 0.12), far))
    moves = move(np.arange(round(SECONDS * FPS)) / FPS - SECONDS / 2, rng, steady * 0.7)

    def make(shown: slice, size: tuple[int, int]) -> Camera:
        width, tall = round(size[0] * SUPERSAMPLE), round(size[1] * SUPERSAMPLE)
        turns = np.stack([orientation(yaw + a, pitch + b, roll + c) for a, b, c in moves[shown]])
        return Camera(width, tall, np.full(len(turns), width / 2 / wide), height, turns, at)

    return make


def _during(actor: Actor, shown: slice) -> Actor:
    """An actor in some frames only."""
    part = copy.copy(actor)
    part.vertices, part.joints, part.front = actor.vertices[shown], actor.joints[shown], actor.front[shown]
    return part


# --- what is true of it -----------------------------------------------------------------------------------------------
Filmed = list[tuple[Take, np.ndarray, Facts, list[int], list[Actor], Camera]]


def _people(parts: list[Part], filmed: Filmed, frames: int) -> tuple[Person, ...]:
    """Everybody's boxes and visible shares over all takes; looks lose what is not seen to be carried."""
    people = []
    for k, part in enumerate(parts):
        box, full = np.full((frames, 4), np.nan), np.full((frames, 4), np.nan)
        visible, hidden = np.zeros(frames), np.zeros((frames, len(parts) + 1))
        held, deed = 0, None
        look = part.figure.look
        for take, images, facts, who, actors, _camera in filmed:
            if k not in who:
                continue
            i, there = who.index(k), slice(take.first, take.first + len(images))
            box[there], full[there], visible[there] = facts.box[i], facts.full[i], facts.visible[i]
            hidden[there, [*who, len(parts)]] = facts.hidden_by[i]
            deed, look = actors[i].deed, actors[i].figure.look
            for j, prop in enumerate(deed.pose.props):
                if prop.name == deed.holding:
                    held += int((facts.props[i][:, j] >= MIN_PROP).sum())
        visible[np.isnan(box).any(1)] = 0
        seen = int((visible >= VISIBLE).sum())
        holding = deed.holding if deed is not None and held > 0.6 * max(seen, 1) else None
        people.append(Person(look, box, full, visible, 0.0, "camera", (14,), "walking", holding, hidden_by=hidden))
    return tuple(people)


def _keeps_promise(clip: LongClip) -> bool:
    """Whether what was filmed is of its kind: see the three kinds at the head of this file."""
    seen = np.stack([p.visible >= VISIBLE for p in clip.people])
    second = round(clip.fps)
    ends = (0, *clip.cuts, len(clip.frames))
    if (~seen.any(0)).mean() > EMPTY or any(seen[:, a:b].any(0).mean() < 0.5 for a, b in pairwise(ends)):
        return False
    if clip.kind == "in and out":
        gone = longest_gap(np.nan_to_num(clip.people[0].visible) > 0.02)
        return bool(gone > 1.2 * second and seen[0].sum() > 6 * second)
    if clip.kind == "look-alikes":
        hidden = [clip.people[a].hidden_by[:, b].max() for a in clip.alike for b in clip.alike if a != b]  # type: ignore[index]
        return bool(max(hidden) > 0.3 and min(seen[k].sum() for k in clip.alike) > 12 * second)
    return bool(seen[0].sum() > 5 * second and seen.sum(0).mean() > 1)


def longest_gap(there: np.ndarray) -> int:
    """Frames of the longest stretch of absence between two of presence (T,)."""
    at = np.flatnonzero(there)
    return int(np.diff(at).max() - 1) if len(at) > 1 else 0


def _sentences(clip: LongClip, filmed: Filmed, rng: Draw) -> dict[int, str]:
    """A description each of one or two people that fits them alone, whoever else is ever in the clip."""
    order = list(clip.alike) or [0, *rng.permutation(np.arange(1, len(clip.people))).tolist()]
    out: dict[int, str] = {}
    least = 4 * clip.fps if len(clip.people[0].visible) >= SECONDS * clip.fps else 1
    for i in order:
        if (clip.people[i].visible >= VISIBLE).sum() < least or len(out) == 2:
            continue
        text = _sentence(clip, filmed, i, rng)
        if text is None and i == order[0] and not clip.alike:
            return {}  # the first person is the one whose way was planned for
        if text is not None:
            out[i] = text
    return out


def _sentence(clip: LongClip, filmed: Filmed, i: int, rng: Draw) -> str | None:
    templates = [
        template
        for family in ("clothes", "mixed")
        for template in TEMPLATES["test"][family]
        if set(SLOT.findall(template)) <= TOLD
    ]
    for way in ("camera", "away", "left", "right"):
        view = View(_line_up(clip, filmed, i, way))
        if i not in view.ids:
            continue
        found = []
        for _ in range(120):
            draft = compose(pick(rng, templates), view, view.people[i].look, i, "test", rng)
            if draft and draft.fits_only(view, i):
                topics = {facet.topic for facet in draft.facets}
                worth = 0 if topics & LARGE else 2 if "shoes" in topics else 1
                found.append((worth, len(draft.text.split()), draft.text))
                if len(found) == 5:
                    break
        if found:
            return min(found)[2]
    return None


def _line_up(clip: LongClip, filmed: Filmed, me: int, way: str) -> Scene:
    """Everybody at their own best moment, as if in one picture; mine is one at which I face a ``way``, if there is."""
    people = []
    for k, person in enumerate(clip.people):
        best: tuple[float, Any] = (0.0, None)
        for take, images, facts, who, actors, camera in filmed:
            if k not in who:
                continue
            i = who.index(k)
            there = np.arange(take.first, take.first + len(images))
            box = np.nan_to_num(person.boxes_xyxy[there])
            worth = person.visible[there] * np.sqrt((box[:, 2:] - box[:, :2]).prod(1))
            for n in np.argsort(-worth)[:: max(len(images) // 40, 1)]:
                facing = _facing_from(actors[i], int(n), camera)
                value = float(worth[n]) * (3.0 if k == me and facing == way else 1.0)
                if value > best[0]:
                    best = (value, (take, facts, i, int(n), facing))
        if best[1] is None:
            people.append(replace(person, boxes_xyxy=np.full((1, 4), np.nan), visible=np.zeros(1), hidden_by=None))
            continue
        take, facts, i, n, facing = best[1]
        frame = take.first + n
        people.append(
            replace(
                person,
                boxes_xyxy=person.boxes_xyxy[frame][None],
                full_boxes_xyxy=person.full_boxes_xyxy[frame][None],
                visible=person.visible[frame][None],
                facing=facing,
                joints_xy=facts.joints[i, n][None],
                joints_seen=facts.joints_seen[i, n][None],
                hidden_by=None,
            )
        )
    return Scene(np.zeros((1, *clip.frames.shape[1:]), np.uint8), clip.fps, 0, tuple(people))


def _facing_from(actor: Actor, frame: int, camera: Camera) -> str:
    """As ``render._facing``, for a camera anywhere."""
    moved = copy.copy(actor)
    moved.joints = actor.joints[frame : frame + 1] - np.append(camera.at, 0.0)
    moved.front = actor.front[frame : frame + 1]
    return _facing(moved, 0)
