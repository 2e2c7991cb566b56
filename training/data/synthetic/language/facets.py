"""Pieces of sentences about a person, each with its truth for everyone in view: nouns, hair and what is on the body."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np

from ..facts import HAIR_COLOURS, Look
from .layout import Fits
from .truths import (
    TINY,
    Truth,
    View,
    covered,
    every,
    hair,
    is_child,
    is_old,
    is_sex,
    shows_age,
    told_sex,
)
from .words import HAIR_CONFUSED, HELD, HELD_SHARE, Table, Words

T = TypeVar("T")
Draw = np.random.Generator


@dataclass(frozen=True)
class Facet:
    """A filled slot: its words, its truth for person i of a view, and a topic no second facet may repeat.

    alone: truth under any reading and only of what is in sight, for "nobody fits"; None: as ``holds``. changed: the
    same piece with one thing said otherwise, or None where that cannot be.
    """

    text: str
    holds: Fits
    topic: str
    alone: Fits | None = None
    changed: "Callable[[Draw], Facet | None] | None" = None


def pick(rng: Draw, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]


def say(rng: Draw, table: Table, key: str) -> str:
    return pick(rng, table.get(key, (key,)))


def article(text: str) -> str:
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"


def unsure(view: View, i: int) -> Truth:
    return None


# ---- who: nouns ---------------------------------------------------------------------------------------------------
def noun_fits(key: str, view: View, i: int) -> Truth:
    look = view.people[i].look
    if key in ("he", "she"):
        truth = (look.sex == ("man" if key == "he" else "woman")) if told_sex(look) else None
        return None if truth is True and view.size(i) < TINY else truth
    if key in ("child", "adult"):
        young = is_child(look)
        return None if young is None else young == (key == "child")
    sex = {"man": "man", "boy": "man", "woman": "woman", "girl": "woman"}.get(key)
    truth = True if sex is None else is_sex(look, sex, key in ("boy", "girl"))
    return None if truth is True and sex and view.size(i) < TINY else truth


def noun_key(look: Look, rng: Draw) -> str:
    """What to call somebody: "person" one time in five; by sex only where that can be told."""
    chance, male = rng.random(), look.sex == "man"
    if chance < 0.2 or is_child(look) is None:
        return "person"
    if look.age == "child":
        return "child" if chance < 0.4 or not told_sex(look) else "boy" if male else "girl"
    if not told_sex(look):
        return "adult" if chance < 0.4 else "person"
    return "adult" if chance < 0.24 else "man" if male else "woman"


def noun(look: Look, words: Words, rng: Draw, key: str | None = None) -> Facet:
    """A noun that is true of a look, at times with its age."""
    key = key or noun_key(look, rng)
    name = say(rng, words.nouns, key)
    changed = partial(other_noun, look, words) if key not in ("person", "he", "she") else None
    if look.age == "child" and key not in ("person", "he", "she") and rng.random() < 0.15:
        name = f"{pick(rng, words.small)} {name}"
    if look.age == "old" and key in ("man", "woman") and rng.random() < 0.5:

        def old(view: View, i: int) -> Truth:
            truth = every((noun_fits(key, view, i), is_old(view.people[i].look)))
            return None if truth is True and not (view.seen(i, "age") and shows_age(view.people[i].look)) else truth

        # nobody is called absent for being less old than said: age is hard to see
        young = lambda v, i: False if noun_fits(key, v, i) is False else None  # noqa: E731
        return Facet(f"{pick(rng, words.old)} {name}", old, "noun", young, changed)
    return Facet(name, partial(noun_fits, key), "noun", None, changed)


def other_noun(look: Look, words: Words, rng: Draw) -> Facet | None:
    """Somebody of the other sex, or of another age where the look would be odd on them."""
    if look.beard:
        return None
    if look.top == "dress" or look.bottom == "skirt" or rng.random() < 0.25:
        new = replace(look, age="adult" if look.age == "child" else "child", top="dress")
    else:
        new = replace(look, sex="woman" if look.sex == "man" else "man")
    key = {"man": "boy", "woman": "girl"}[new.sex] if new.age == "child" else new.sex
    return noun(new, words, rng, key)


# ---- looks: what comes after "with", and adjectives ---------------------------------------------------------------
def trait(
    text: str,
    test: Callable[[Look], Truth],
    detail: str,
    topic: str,
    changed: Callable[[Draw], Facet | None] | None = None,
    hidden: Callable[[Look], bool] = lambda look: False,
) -> Facet:
    """A facet of looks alone: unsure where it is true but out of sight."""

    def sight(view: View, i: int) -> bool:
        return view.seen(i, detail) and not hidden(view.people[i].look)

    def holds(view: View, i: int) -> Truth:
        truth = every([test(view.people[i].look)])
        return None if truth is True and not sight(view, i) else truth

    def alone(view: View, i: int) -> Truth:
        return holds(view, i) if sight(view, i) else None

    return Facet(text, holds, topic, alone, changed)


def hair_facet(form: str, colour: str | None, length: str | None, words: Words, rng: Draw) -> Facet:
    """Hair as "long brown hair" (form "with"), "hair is brown" ("is") or "brown-haired" ("adjective")."""
    shade = None if colour is None else say(rng, words.hair_colours, colour)
    long = None if length is None else say(rng, words.lengths, length)
    said = " ".join(filter(None, (long, shade)))
    if form == "with":
        text = f"{said} hair"
    elif form == "is":
        text = f"hair is {f'{long} and {shade}' if long and shade else said}"
    else:
        text = shade if shade in ("blonde", "blond") and not long else f"{said.replace(' ', '-')}-haired"

    def other(rng: Draw) -> Facet:
        if colour is None or (length is not None and rng.random() < 0.3):
            return hair_facet(form, colour, "short" if length == "long" else "long", words, rng)
        old = colour if colour != "dark" else "black"
        rest = [c for c in HAIR_COLOURS if c != old and frozenset((c, old)) not in HAIR_CONFUSED]
        return hair_facet(form, pick(rng, rest), length, words, rng)

    return trait(
        str(text), lambda look: hair(look, colour, length), "hair", "hair", other, lambda look: covered(look, length)
    )


def tied_facet(style: str, colour: str | None, words: Words, rng: Draw) -> Facet:
    """A ponytail or a bun; from the front it may be out of sight."""

    def test(look: Look) -> Truth:
        if look.hair_length != "long":
            return False
        style_fits = True if look.hair_style == style else None if look.hair_style in ("ponytail", "bun") else False
        return every((style_fits, colour is None or hair(look, colour, None)))

    if colour is None:
        return trait(say(rng, words.features, f"{style} alone"), test, "tied", "hair")
    text = say(rng, words.features, style).replace("{c}", say(rng, words.hair_colours, colour))
    rest = [c for c in HAIR_COLOURS if c != colour and frozenset((c, colour)) not in HAIR_CONFUSED]
    other = lambda rng: tied_facet(style, pick(rng, rest), words, rng)  # noqa: E731
    return trait(text, test, "tied", "hair", other)


def worn_facet(thing: str, look: Look, words: Words, rng: Draw, adjective: bool = False) -> Facet:
    """A beard, glasses, a bald head, a backpack or a bag; ``look`` is the one spoken of."""
    name = "handbag" if thing == "bag" and look.sex == "woman" else thing
    text = say(rng, words.adjectives if adjective else words.features, name)
    other = partial(lacking, look, words)
    if thing == "bald":
        return trait(text, lambda o: hair(o, None, "bald"), "hair", "hair", None, lambda o: covered(o, "bald"))
    if thing == "beard":
        return trait(text, lambda o: o.beard, "beard", "beard", other)
    if thing in ("glasses", "sunglasses"):
        return trait(
            text, lambda o: True if o.glasses == thing else None if o.glasses else False, thing, "glasses", other
        )
    return trait(text, lambda o: True if o.carried == thing else None if o.carried else False, thing, "carried", other)


def lacking(look: Look, words: Words, rng: Draw) -> Facet:
    """Something that the look does not have."""
    options = [t for t, has in (("glasses", look.glasses), ("backpack", look.carried)) if not has]
    if look.sex == "man" and look.age != "child" and not look.beard:
        options += ["beard"]
    return worn_facet(pick(rng, options or ["beard"]), look, words, rng)


def held_facet(name: str) -> Facet:
    """Something in the hand; where one more of its kind is about, it tells nobody apart."""

    def holds(view: View, i: int) -> Truth:
        if view.named.count(name) > sum(p.holding == name for p in view.people):
            return None
        mine = view.people[i].holding
        return True if mine == name else None if mine in HELD or view.people[i].look.carried else False

    return Facet(article(name), holds, "carried", unsure)


def feature(look: Look, words: Words, rng: Draw, holding: str | None = None) -> Facet | None:
    """What comes after "with": hair, beard, glasses or something carried."""
    if holding in HELD and rng.random() < HELD_SHARE:
        return held_facet(str(holding))
    options = ["hair"] * 3 if look.hair_length != "bald" else ["bald"]
    options += ["tied"] * 3 if look.hair_length == "long" and look.hair_style in ("ponytail", "bun") else []
    options += ["beard"] * 3 if look.beard else []
    options += [look.glasses] * 4 if look.glasses else []
    options += [look.carried] * 4 if look.carried else []
    kind = pick(rng, options)
    if kind == "hair":
        return hair_facet("with", *hair_said(look, rng), words, rng)
    if kind == "tied":
        return tied_facet(str(look.hair_style), look.hair_colour if rng.random() < 0.5 else None, words, rng)
    return worn_facet(kind, look, words, rng)


def hair_said(look: Look, rng: Draw) -> tuple[str | None, str | None]:
    """Colour and length of hair to speak of; not both unsaid."""
    dark = look.hair_colour in ("black", "brown") and rng.random() < 0.3
    colour, length = "dark" if dark else look.hair_colour, look.hair_length
    return pick(rng, ((colour, None), (colour, None), (None, length), (colour, length)))


def pronoun(look: Look, words: Words, rng: Draw) -> Facet | None:
    """The noun "he" or "she", where a stranger could tell."""
    key = "he" if look.sex == "man" else "she"
    return noun(look, words, rng, key) if told_sex(look) else None


def hair_is(look: Look, words: Words, rng: Draw) -> Facet | None:
    """What comes after "whose": "hair is long and brown"."""
    return None if look.hair_length == "bald" else hair_facet("is", *hair_said(look, rng), words, rng)


def adjective(look: Look, words: Words, rng: Draw) -> Facet:
    """What may precede the noun: hair, beard, build."""
    options = ["bald"] * 2 if look.hair_length == "bald" else ["hair"] * 2
    options += ["beard"] * 2 if look.beard else []
    options += ["build"] if look.build != "average" and look.age != "child" else []
    kind = pick(rng, options)
    if kind == "hair":
        colour, length = hair_said(look, rng)
        if colour and length:
            length = None
        return hair_facet("adjective", colour, length, words, rng)
    if kind == "build":
        return build_facet(look.build, words, rng)
    return worn_facet(kind, look, words, rng, adjective=True)


def build_facet(build: str, words: Words, rng: Draw) -> Facet:
    other = {"slim": "heavy", "heavy": "slim"}[build]
    return trait(
        say(rng, words.adjectives, build),
        lambda look: True if look.build == build else False if look.build == other else None,
        "build",
        "build",
        lambda rng: build_facet(other, words, rng),
    )
