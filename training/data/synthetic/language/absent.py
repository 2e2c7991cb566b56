"""Descriptions of nobody: close misses, true of somebody but for one thing, and strangers."""

from ..facts import (
    BOTTOMS,
    COLOURS,
    HAIR_COLOURS,
    HATS,
    PATTERNS,
    TOPS,
    Look,
    Scene,
)
from .drafting import Draft, assemble, compose, construction, fill
from .facets import Draw, pick
from .placing import PLACED
from .truths import View

TRIES = 60


def random_look(rng: Draw) -> Look:
    """A look drawn without regard to bodies or fashion, only to what goes together."""
    top = pick(rng, TOPS)
    bottom = None if top == "dress" else pick(rng, BOTTOMS)
    skirted = top == "dress" or bottom == "skirt"
    sex = "woman" if skirted else pick(rng, ("man", "man", "woman"))
    age = pick(rng, ("adult", "adult", "child", "old"))
    length = pick(rng, ("short", "long", "long") if sex == "woman" else ("short", "short", "short", "long", "bald"))
    pattern = pick(rng, PATTERNS) if rng.random() < 0.3 else "plain"
    hat = pick(rng, COLOURS) if rng.random() < 0.15 else None
    colour = pick(rng, COLOURS)
    openable = top in ("jacket", "coat", "hoodie", "shirt") and rng.random() < 0.4
    short = ("none",) if top == "tank top" else ("none", "short", "long") if top == "dress" else ("short", "long")
    return Look(
        sex,
        age,
        1.2 if age == "child" else float(round(rng.uniform(1.55, 1.9), 2)),
        pick(rng, ("slim", "average", "average", "heavy")),
        pick(rng, ("grey", "white") if age == "old" else HAIR_COLOURS),
        length,
        beard=bool(sex == "man" and age != "child" and rng.random() < 0.3),
        glasses=pick(rng, ("glasses", "glasses", "sunglasses")) if rng.random() < 0.25 else None,
        hat=hat,
        top=top,
        top_colour=colour,
        bottom=bottom,
        bottom_colour=None if bottom is None else pick(rng, COLOURS),
        shoes=pick(rng, COLOURS),
        hat_kind=pick(rng, HATS) if hat else None,
        hair_style=pick(rng, ("loose", "loose", "ponytail", "bun")) if length == "long" else None,
        sleeves=pick(rng, short) if top in ("t-shirt", "shirt", "tank top", "dress") else "long",
        pattern=pattern,
        pattern_colour=None if pattern == "plain" else pick(rng, [c for c in COLOURS if c != colour]),
        inner=pick(rng, [c for c in COLOURS if c != colour]) if openable else None,
        scarf=pick(rng, COLOURS) if rng.random() < 0.07 else None,
        tie=pick(rng, COLOURS) if top in ("shirt", "jacket") and sex == "man" and rng.random() < 0.2 else None,
        carried=pick(rng, ("backpack", "bag")) if rng.random() < 0.15 else None,
    )


def near_miss(view: View, split: str, rng: Draw) -> Draft | None:
    """A true description of somebody with one thing said otherwise."""
    i = pick(rng, view.ids)
    family = pick(rng, ("clothes", "clothes", "place", "mixed"))
    draft = compose(construction(split, family, rng), view, view.people[i].look, i, split, rng)
    if draft is None or not set(draft.names).isdisjoint("syz") or draft.holds(view, i) is not True:
        return None
    k = int(rng.integers(len(draft.names)))
    slot, facets = draft.names[k], list(draft.facets)
    if slot in PLACED:
        facet = fill(slot, view, view.people[i].look, i, split, rng, want=False)
    else:
        change = facets[k].changed
        facet = None if change is None else change(rng)
    if facet is None:
        return None
    facets[k] = facet
    return assemble(draft.template, facets, split)


def stranger(view: View, split: str, rng: Draw) -> Draft | None:
    """A description of a random person who is not there."""
    template = construction(split, pick(rng, ("clothes", "clothes", "mixed")), rng)
    return compose(template, view, random_look(rng), None, split, rng)


def absent_sentence(scene: Scene, split: str, near: bool, rng: Draw) -> Draft | None:
    """A sentence that fits nobody, whether people of whom hardly anything shows are counted or not."""
    view = View(scene)
    if not view.ids:
        return None
    for _ in range(TRIES):
        draft = near_miss(view, split, rng) if near else stranger(view, split, rng)
        if (
            draft
            and all(draft.excludes(view, j) for j in view.ids)
            and all(draft.holds(v, j) is False for v in view.readings for j in v.ids)
        ):
            return draft
    return None
