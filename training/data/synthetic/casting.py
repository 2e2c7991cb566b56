"""Casting: who is in a clip, how they look, and what they do alone, in pairs or in groups."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from .deeds import duets, groups, menu
from .deeds.groups import Spot, opposite_spots
from .deeds.motions import Draw
from .deeds.props import backpack
from .facts import Look
from .people.bodies import Body, Rig, blend_bodies
from .people.wardrobe import Figure, draw_look, dress, shape_hands
from .stage import Actor

PEOPLE = {2: 0.3, 3: 0.33, 4: 0.2, 5: 0.1, 6: 0.07}  # how many to a clip
ALIKE = 0.3  # share of clips in which two people look alike
WITH_CHILD = 0.5
OLD = 0.25  # of grown people
INDOORS = 0.55  # of clips
# Labels of each class, ids 1 to 80, in RefAVA's training set as published.
NATURAL = (
    694, 2, 267, 111, 16, 64, 15, 395, 221, 185, 6061, 11264, 8, 2600, 97, 0, 5214, 1, 1, 5, 4, 39, 0, 14, 1, 12, 267,
    1, 394, 6, 5, 0, 4, 11, 0, 32, 67, 67, 0, 7, 153, 4, 4, 5, 15, 16, 38, 215, 196, 2, 8, 0, 0, 136, 7, 28, 14, 23,
    1495, 21, 198, 4, 33, 242, 80, 224, 29, 64, 25, 45, 6, 52, 10, 7978, 3, 31, 90, 45, 7132, 12130,
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """Something ``least`` to ``most`` people do together: labels each may get, and how it is made.

    labels: for each of ``least`` people how often each AVA action is seen. inside: done only indoors (or outdoors).
    """

    name: str
    least: int
    most: int
    labels: dict[int, float]
    make: Callable[[list[Body], np.ndarray, Draw], list[Spot]]
    fits: Callable[[list[Body]], bool] = lambda bodies: True
    inside: bool | None = None


# --- alone ------------------------------------------------------------------------------------------------------------
def _counts(*ids: int) -> dict[int, float]:
    """How often each of the ids is seen that one person may get: one posture, most of the others."""
    postures = [a for a in ids if a < 15]
    return {a: 1 / len(postures) if a < 15 else 1 / (len(ids) - len(postures)) ** 0.5 for a in ids}


def _alone(whole: menu.Whole, on_top: menu.OnTop | None = None) -> Recipe:
    def make(bodies: list[Body], t: np.ndarray, rng: Draw) -> list[Spot]:
        deed = whole(bodies[0], t, rng)
        return [Spot(on_top(deed, bodies[0], rng) if on_top else deed, np.zeros(2), 0.0)]

    labels = _counts(*menu.GIVES[whole], *(menu.GIVES[on_top] if on_top else ()))
    name = f"{whole.__name__}+{on_top.__name__}" if on_top else whole.__name__
    parts = {whole, on_top}
    grown = bool(parts & set(menu.GROWN_UP))
    inside = True if parts & set(menu.INSIDE) else False if parts & set(menu.OUTSIDE) else None
    return Recipe(name, 1, 1, labels, make, lambda bodies: not grown or bodies[0].age != "child", inside)


# --- together ---------------------------------------------------------------------------------------------------------
def _pair(name: str) -> Recipe:
    labels: dict[int, float] = {}
    for one in duets.GIVES[name]:
        labels = {a: labels.get(a, 0) + _counts(*one).get(a, 0) for a in {**labels, **dict.fromkeys(one)}}

    def make(bodies: list[Body], t: np.ndarray, rng: Draw) -> list[Spot]:
        return opposite_spots(duets.perform(name, (bodies[0], bodies[1]), t, rng))

    return Recipe(name, 2, 2, labels, make, lambda bodies: duets.fits(name, (bodies[0], bodies[1])))


def _alike_in_height(bodies: list[Body]) -> bool:
    return min(b.height for b in bodies) > 0.85 * max(b.height for b in bodies)


def _sit_alike(bodies: list[Body]) -> bool:
    return _alike_in_height(bodies) and all(b.age != "child" for b in bodies)


TOGETHER = (
    Recipe("circle", 2, 4, {11: 0.7, 12: 1.3, 79: 1, 74: 1.2, 80: 1.2}, groups.circle),
    Recipe("sing", 2, 5, {12: 1.7, 11: 0.4, 77: 1, 74: 1, 80: 1.2, 67: 0.5}, groups.singing),
    Recipe("dance show", 2, 5, {4: 1, 12: 0.7, 11: 0.4, 80: 1.2, 67: 0.9}, groups.dancing),
    Recipe("speech", 2, 5, {12: 1.7, 11: 0.4, 79: 1, 74: 1, 80: 1.2, 67: 0.5}, groups.speaking),
    Recipe("table", 2, 4, {11: 2, 79: 0.75, 74: 0.4, 80: 0.5, 29: 0.4, 27: 0.4, 17: 0.4}, groups.at_table, _sit_alike),
    Recipe("stroll", 2, 3, {14: 2.2, 79: 0.85, 74: 1, 80: 1}, groups.side_by_side, _alike_in_height),
    Recipe("queue", 2, 4, {12: 2.6}, groups.queue),
)


@lru_cache(1)
def recipes() -> tuple[Recipe, ...]:
    alone = [_alone(p, g) for p in menu.POSTURES for g in (None, *menu.ON_TOP.get(p, ()))]
    alone += [_alone(p) for p in menu.HANDLING]
    return (*alone, *(_pair(name) for name in duets.DUETS), *TOGETHER)


@lru_cache(2)
def weights(labels: str) -> np.ndarray:
    """How often each recipe is drawn, so that labels come near the wanted frequencies.

    Maximises the log-likelihood of the wanted label frequencies under the mixture of recipes, by
    expectation-maximisation: ``balanced`` wants all labels alike, ``natural`` as AVA has them.

    Raises:
        ValueError: If ``labels`` is neither.
    """
    if labels not in ("balanced", "natural"):
        raise ValueError(f'unknown labels {labels!r}; expected "balanced" or "natural"')
    book = recipes()
    seen = sorted({a for r in book for a in r.labels})
    given = np.array([[r.labels.get(a, 0.0) for a in seen] for r in book])
    people = np.array([r.least for r in book])
    wanted = np.array([max(NATURAL[a - 1], 0.5) if labels == "natural" else 1.0 for a in seen], float)
    wanted /= wanted.sum()
    w = np.full(len(book), 1 / len(book))
    for _ in range(300):
        w = w * ((given / people[:, None]) @ (wanted / (w @ (given / people[:, None]))))
        w /= w.sum()
    w = w / people * np.where(people > 1, 2.4 if labels == "balanced" else 1.1, 1.0)  # one left over acts alone
    w = w * [1.0 if r.inside is None else 1 / INDOORS if r.inside else 1 / (1 - INDOORS) for r in book]
    w = 0.97 * w / w.sum() + 0.03 / len(w)
    return w / w.sum()


# --- a whole clip -----------------------------------------------------------------------------------------------------
def cast(
    rig: Rig,
    bodies: list[Body],
    attributes: np.ndarray,
    t: np.ndarray,
    rng: Draw,
    *,
    labels: str = "balanced",
    inside: bool | None = None,
) -> list[list[Actor]]:
    """Units of people who act alone or together, placed about the middle of their unit.

    Args:
        rig: What all bodies share.
        bodies: The bank.
        attributes: See ``wardrobe.canon_attributes``.
        t: Seconds from the key frame (T,).
        rng: Source of all chance.
        labels: "balanced" flattens the frequencies of labels; "natural" resembles AVA's.
        inside: Whether the place is indoors; drawn where None.
    """
    troupe = plan(bodies, t, rng, labels=labels, inside=inside)
    people = [body for unit in troupe for body, _spot in unit]
    figures = iter(_dress_all(rig, people, attributes, rng))
    units = [
        [Actor(next(figures), spot.deed, at=spot.at, heading=spot.heading) for _body, spot in unit] for unit in troupe
    ]
    for unit in units:
        for actor in unit:
            _equip(actor, rng)
            hands = actor.deed.hands
            shape_hands(actor.figure, hands.get(1, "relaxed"), hands.get(-1, "relaxed"))
    return units


def plan(
    bodies: list[Body], t: np.ndarray, rng: Draw, *, labels: str = "balanced", inside: bool | None = None
) -> list[list[tuple[Body, Spot]]]:
    """Who does what with whom, before anybody is dressed."""
    inside = bool(rng.random() < INDOORS) if inside is None else inside
    left = int(rng.choice(list(PEOPLE), p=list(PEOPLE.values())))
    child_about = rng.random() < WITH_CHILD
    book, chance = recipes(), weights(labels)
    units: list[list[tuple[Body, Spot]]] = []
    while left:
        may = np.array([r.least <= left and r.inside in (None, inside) for r in book]) * chance
        recipe = book[rng.choice(len(book), p=may / may.sum())]
        size = int(rng.integers(recipe.least, min(recipe.most, left) + 1))
        for _ in range(60):
            chosen = [_somebody(bodies, rng, child=child_about and rng.random() < 0.4) for _ in range(size)]
            if recipe.fits(chosen):
                break
            child_about = child_about or rng.random() < 0.2
        else:
            continue
        left -= size
        units.append(list(zip(chosen, recipe.make(chosen, t, rng), strict=True)))
    order = rng.permutation(len(units)).tolist()
    if rng.random() < 0.6:  # the camera frames the first: mostly a group, where there is one
        order = sorted(order, key=lambda i: -len(units[i]))
    return [units[i] for i in order]


def _somebody(bodies: list[Body], rng: Draw, *, child: bool) -> Body:
    """Somebody new, of the bank's kind."""
    wanted = "child" if child else "old" if rng.random() < OLD else "adult"
    return blend_bodies(bodies, rng, age=wanted if any(b.age == wanted for b in bodies) else None)


def _dress_all(rig: Rig, people: list[Body], attributes: np.ndarray, rng: Draw) -> list[Figure]:
    """Everybody's clothes; in some clips two wear tops of one colour, or two of one sex wear the same kind of top."""
    looks: list[Look] = [draw_look(b, rng) for b in people]
    if rng.random() < ALIKE:
        i, j = rng.permutation(len(people))[:2]
        same_sex = [(a, b) for a in range(len(people)) for b in range(a) if people[a].sex == people[b].sex]
        if rng.random() < 0.55 or not same_sex:
            looks[j] = draw_look(people[j], rng, top_colour=looks[i].top_colour)
        else:
            i, j = same_sex[rng.integers(len(same_sex))]
            for _ in range(40):
                if looks[i].top == looks[j].top:
                    break
                looks[j] = draw_look(people[j], rng)
    return [dress(rig, b, look, attributes, rng) for b, look in zip(people, looks, strict=True)]


def _equip(actor: Actor, rng: Draw) -> None:
    """A backpack for those who carry one, unless they lie, sit or are held."""
    look, deed = actor.figure.look, actor.deed
    if look.carried and (set(deed.actions) & {5, 6, 8, 11, 70} or deed.name in ("lifted", "lie", "fall", "sit")):
        actor.figure.look = replace(look, carried=None)
    elif look.carried:
        deed.pose.props.append(backpack(rng, actor.figure.body.height))
