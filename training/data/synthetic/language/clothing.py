"""Clothes as sentences speak of them: which piece, how much of it is said, and the words."""

from dataclasses import replace
from functools import partial

from ..facts import BOTTOMS, COLOURS, TOPS, Look
from .facets import Draw, Facet, article, pick, say, trait
from .truths import (
    Truth,
    View,
    Wear,
    all_in,
    base_colour,
    every,
    in_colour,
    in_sight,
    same_colour,
    same_garment,
    wears,
)
from .words import PLURAL, TONES, Words

SLEEVED = ("t-shirt", "shirt", "dress")  # garments whose sleeves are worth a word
COMPOUNDS = ("shirt", "jacket", "sweater")  # "red-shirted"
SPORT = ("white", "red", "orange", "yellow", "green", "blue", "purple", "pink")  # colours that trainers have


def clothes(look: Look, words: Words, rng: Draw, form: str) -> Facet | None:
    """A piece of clothing of a look.

    Form: "a" with a/an; "d" so, but only top or bottom; "t" with the; "u" without article; "k" "red-shirted"; "w"
    "jacket is red"; "c" the colour of the top alone; "x" the colour of all of it.
    """
    if form in "cx":
        return colour_facet(form, look.top_colour, words, rng)
    if form == "k" and look.top not in COMPOUNDS:
        return None
    wear = draw_wear(look, rng, ("top",) if form == "k" else ("top", "bottom") if form in "dw" else None)
    if form == "k":
        wear = Wear("top", look.top, look.top_colour)
    elif form == "w":
        colour = look.top_colour if wear.topic == "top" else look.bottom_colour
        wear = Wear(wear.topic, wear.garment, colour)
    if words.tones and not (wear.second or wear.pattern) and rng.random() < words.tones:
        tones = [tone for tone, (surely, _) in TONES.items() if wear.colour in surely]
        wear = replace(wear, colour=tones[0] if tones else wear.colour)
    return wear_facet(wear, look, words, rng, form)


def draw_wear(look: Look, rng: Draw, topics: tuple[str, ...] | None = None) -> Wear:
    """A piece to speak of and how much to say of it."""
    options = ["top"] * 11 + ["bottom"] * 5 * (look.bottom is not None) + ["shoes"]
    options += ["hat"] * 3 * (look.hat is not None) + ["scarf"] * 3 * (look.scarf is not None)
    options += ["tie"] * 3 * (look.tie is not None)
    topic = pick(rng, [o for o in options if topics is None or o in topics])
    bare = rng.random() < 0.15
    if topic == "top":
        return draw_top(look, rng, bare)
    if topic == "bottom":
        return Wear(topic, str(look.bottom), None if bare and look.bottom != "trousers" else look.bottom_colour)
    if topic == "shoes":
        return Wear(topic, "shoes", look.shoes)
    garment = (look.hat_kind if rng.random() < 0.7 else None) or "hat" if topic == "hat" else topic
    return Wear(topic, garment, None if rng.random() < 0.3 else getattr(look, topic))


def draw_top(look: Look, rng: Draw, bare: bool) -> Wear:
    wear = Wear("top", look.top, look.top_colour)
    loose = look.top == "t-shirt" and look.sleeves == "long"  # hardly a t-shirt
    if loose or (look.top in ("t-shirt", "tank top", "sweater") and rng.random() < 0.1):
        wear = replace(wear, garment="top")
    chance = rng.random()
    if look.pattern != "plain" and chance < 0.75:
        if chance < 0.35 and look.pattern_colour:
            return replace(wear, pattern=look.pattern, second=look.pattern_colour)
        return replace(wear, pattern=look.pattern, colour=None if chance > 0.6 else wear.colour)
    if look.inner is not None and chance < 0.6:
        return replace(wear, undone=True) if chance < 0.15 else replace(wear, inner=look.inner)
    if look.top in SLEEVED and chance < 0.25:
        shirt = look.top != "dress" and rng.random() < 0.5
        return replace(wear, sleeves=look.sleeves, garment="top" if shirt else look.top)
    return replace(wear, colour=None) if bare and look.top in ("coat", "dress", "tank top", "hoodie") else wear


def wear_facet(wear: Wear, look: Look, words: Words, rng: Draw, form: str) -> Facet:
    """The facet of a piece of clothing in one of the forms of ``clothes``; ``look`` is of the person spoken of."""

    def alone(view: View, i: int) -> Truth:
        return wears(wear, view, i) if in_sight(wear, view, i) else None

    def changed(rng: Draw) -> Facet | None:
        other = altered(wear, look, rng)
        return (
            None
            if other is None or (form == "k" and other.garment not in COMPOUNDS)
            else wear_facet(other, look, words, rng, form)
        )

    return Facet(phrase(wear, look, words, rng, form), partial(wears, wear), wear.topic, alone, changed)


def colour_facet(form: str, colour: str, words: Words, rng: Draw) -> Facet:
    """The colour of "in red" (form "c") or "all in red" ("x")."""

    def changed(rng: Draw) -> Facet:
        return colour_facet(form, pick(rng, other_colours(colour)), words, rng)

    upper = trait(say(rng, words.colours, colour), lambda look: in_colour(look, colour), "top", "top", changed)
    if form == "c":
        return upper
    lower = trait("", lambda look: all_in(look, colour), "bottom", "top")
    top = Wear("top", "top", colour)

    def alone(view: View, i: int) -> Truth:
        above = base_colour(view.people[i].look, colour) if in_sight(top, view, i) else None
        return False if above is False else lower.alone(view, i) if lower.alone else None

    return replace(upper, holds=lambda view, i: every((view.seen(i, "top") or None, lower.holds(view, i))), alone=alone)


def other_colours(*colours: str | None) -> list[str]:
    """Colours that nobody takes for any of these."""
    return [c for c in COLOURS if all(o is None or same_colour(c, o) is False for o in colours)]


def altered(wear: Wear, look: Look, rng: Draw) -> Wear | None:
    """The same clothing with one thing said otherwise: mostly the colour, else sleeves or garment."""
    if wear.colour is not None and rng.random() < 0.7:
        return replace(wear, colour=pick(rng, other_colours(wear.colour, wear.second)))
    if wear.inner is not None:
        return replace(wear, inner=pick(rng, other_colours(wear.inner, wear.colour)))
    if wear.sleeves in ("short", "long") and rng.random() < 0.5:
        return replace(wear, sleeves="long" if wear.sleeves == "short" else "short")
    if wear.topic not in ("top", "bottom") or wear.sleeves or wear.undone or wear.garment == "top":
        return None
    skirts = look.sex == "woman" and look.age != "child"
    pool = [g for g in (TOPS if wear.topic == "top" else BOTTOMS) if skirts or g not in ("dress", "skirt")]
    rest = [g for g in pool if same_garment(g, look) is False and g != wear.garment]
    return replace(wear, garment=pick(rng, rest)) if rest else None


def phrase(wear: Wear, look: Look, words: Words, rng: Draw, form: str) -> str:
    """The words of a piece of clothing in a form of ``clothes``."""
    colour = "" if wear.colour is None else say(rng, words.colours, wear.colour)
    special = (f"{wear.colour} {wear.garment}", f"{look.sex} {wear.garment}")
    garment = next((key for key in special if key in words.garments), wear.garment)
    if form in "kw":
        word = say(rng, words.garments, garment) if form == "w" else wear.garment
        if form == "k":
            return f"{colour.replace(' ', '-')}-{word}ed"
        return f"{word} {'are' if word in PLURAL else 'is'} {colour}"
    suffix = pick(rng, words.suffixes)
    if suffix and colour == wear.colour and not (wear.second or wear.pattern):
        colour += suffix
    pattern = "" if wear.pattern is None else say(rng, words.patterns, wear.pattern)
    if wear.second:
        pair = [colour, say(rng, words.colours, wear.second)]
        colour = " and ".join(pair if rng.random() < 0.7 else pair[::-1])
    sleeves = "" if wear.sleeves is None else say(rng, words.sleeves, wear.sleeves)
    undone = say(rng, words.undone, wear.garment if wear.garment in words.undone else "jacket") if wear.undone else ""
    key = "sport shoes" if wear.garment == "shoes" and wear.colour in SPORT else garment
    parts = [undone, sleeves, colour, pattern, say(rng, words.garments, key)]
    if pattern and colour and not wear.second and rng.random() < 0.4:
        parts[2], parts[3] = pattern, colour
    text = " ".join(filter(None, parts))
    if wear.inner:
        text += f" over {article(say(rng, words.colours, wear.inner))} {pick(rng, ('shirt', 't-shirt', 'top'))}"
    if form == "u":
        return text
    paired = form != "t" and words.pairs > 0 and wear.topic in ("bottom", "shoes") and plural(text, wear)
    if paired and rng.random() < words.pairs:
        return f"a pair of {text}"
    return f"the {text}" if form == "t" else text if plural(text, wear) else article(text)


def plural(text: str, wear: Wear) -> bool:
    return wear.topic in ("bottom", "shoes", "hat") and any(text.endswith(word) for word in PLURAL)
