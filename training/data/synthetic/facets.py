"""Pieces of sentences about a person, each with its truth for everyone in view: nouns, hair, clothes, place, relation.

Truth has three values: True, False and None, "a reader might disagree" (navy or black, nearly level, out of sight).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.data.synthetic.facts import BOTTOMS, Look, Scene
from training.data.synthetic.words import (
    ALIKE,
    COLOUR_WORDS,
    CONFUSED,
    EXTREME_WORDS,
    FACING_WORDS,
    GARMENT_WORDS,
    HAIR_CONFUSED,
    ORDINALS,
    PLACE_WORDS,
    PLURAL,
    RELATION_WORDS,
)

Truth = bool | None
IN_VIEW, DESCRIBED, MIN_AREA = 0.08, 0.3, 0.004  # visible share to count, to be described; share of the frame
# postures in which "up" in the picture is not towards the head
FLAT = ("lying", "falling", "fallen", "crawling", "getting up", "swimming")
TALL = ("standing", "walking", "running")  # in which heights can be compared


@dataclass(frozen=True)
class Facet:
    """A filled slot: its words, its truth for person i of a view, and a topic no second facet may repeat."""

    text: str
    holds: Callable[["View", int], Truth]
    topic: str
    alone: Callable[["View", int], Truth] | None = None  # truth read without comparing people, for "nobody fits"


def every(values) -> Truth:
    """Three-valued "and": False if any is False, else None if any is None, else True."""
    values = [v if v is None else bool(v) for v in values]
    return False if any(v is False for v in values) else None if any(v is None for v in values) else True


class View:
    """Who is in view at the key frame, and where. Boxes are fractions of the frame, xyxy; depths are metres."""

    def __init__(self, scene: Scene, floor: float = IN_VIEW):
        k = scene.key_frame
        self.people = scene.people
        self.ids = [
            i for i, p in enumerate(scene.people) if np.isfinite(p.boxes_xyxy[k]).all() and p.visible[k] >= floor
        ]
        self.box = {i: scene.people[i].boxes_xyxy[k] for i in self.ids}
        self.full = {
            i: np.where(np.isfinite(p.full_boxes_xyxy[k]), p.full_boxes_xyxy[k], p.boxes_xyxy[k])
            for i, p in enumerate(scene.people)
            if i in self.box
        }
        self.visible = {i: float(scene.people[i].visible[k]) for i in self.ids}
        self.x = {i: float(self.box[i][0] + self.box[i][2]) / 2 for i in self.ids}
        self.depth = {i: float(scene.people[i].depth) for i in self.ids}
        self.order = sorted(self.ids, key=self.x.__getitem__)

    def described(self) -> list[int]:
        """People clear enough for a sentence of their own."""
        area = {i: (b[2] - b[0]) * (b[3] - b[1]) for i, b in self.box.items()}
        return [i for i in self.ids if self.visible[i] >= DESCRIBED and area[i] >= MIN_AREA]

    def seen(self, i: int, part: str) -> bool:
        """Whether a part of person i can be made out: top, bottom, shoes, hair, face or profile."""
        box, full, person = self.box[i], self.full[i], self.people[i]
        height, tall = full[3] - full[1], box[3] - box[1]
        upright = person.posture not in FLAT
        # a coat covers what the frame leaves of the legs
        cut = full[3] >= 0.985 and (self.visible[i] < 0.85 or person.look.top == "coat")
        if part == "top" and full[1] <= 0.005 and self.visible[i] < 0.45:
            return False  # cut by the frame's upper edge, perhaps down to the legs
        if part == "top":
            return not upright or (box[1] <= full[1] + 0.3 * height and box[3] >= full[1] + 0.3 * height)
        if part == "bottom":
            return not cut and (box[3] >= full[1] + 0.8 * height if upright else self.visible[i] > 0.75)
        if part == "shoes":
            inside = full[3] < 0.985 and full[0] > 0.005 and full[2] < 0.995
            return inside and self.visible[i] > 0.6 and tall > 0.4 and upright and box[3] >= full[3] - 0.04 * height
        head = box[1] <= full[1] + 0.06 * height and full[1] > 0.005 and upright
        if part == "hair":
            return head and tall > 0.3
        return (
            head and tall > 0.45 and person.facing in (("camera",) if part == "face" else ("camera", "left", "right"))
        )


def article(text: str) -> str:
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"


def pick(rng: np.random.Generator, options):
    return options[int(rng.integers(len(options)))]


# ---- who: nouns and adjectives ------------------------------------------------------------------------------------
def noun(look: Look, rng: np.random.Generator) -> Facet:
    """A noun that is true of a look, "person" one time in four."""
    male = look.sex == "man"
    if rng.random() < 0.25:
        return Facet("person", lambda v, i: True, "noun")
    if look.age == "child":
        if rng.random() < 0.35:
            return Facet(pick(rng, ("child", "kid")), lambda v, i: v.people[i].look.age == "child", "noun")
        return Facet(
            "boy" if male else "girl",
            lambda v, i: v.people[i].look.age == "child" and v.people[i].look.sex == look.sex,
            "noun",
        )
    grown = lambda v, i: v.people[i].look.age != "child" and v.people[i].look.sex == look.sex  # noqa: E731
    word = pick(rng, ("man", "man", "man", "guy", "gentleman") if male else ("woman", "woman", "lady"))
    if look.age != "old" or rng.random() < 0.5:
        return Facet(word, grown, "noun")
    name = f"{pick(rng, ('old', 'elderly'))} {'man' if male else word}"
    # nobody is called absent for being less old than said: age is hard to see
    return Facet(
        name,
        lambda v, i: every((v.people[i].look.sex == look.sex, is_old(v.people[i].look))),
        "noun",
        lambda v, i: False if not grown(v, i) else None,
    )


def is_old(look: Look) -> Truth:
    return (
        True if look.age == "old" else None if look.age == "adult" and look.hair_colour in ("grey", "white") else False
    )


def hair(view: View, i: int, colour: str | None, length: str | None) -> Truth:
    look = view.people[i].look
    values: list[Truth] = []
    if colour is not None:
        alike = frozenset((colour, look.hair_colour)) in HAIR_CONFUSED
        values.append(
            False if look.hair_length == "bald" else True if colour == look.hair_colour else None if alike else False
        )
    if length is not None:
        values.append(look.hair_length == length)
    truth = every(values)
    sure = view.seen(i, "hair") and (look.hat is None or (look.hair_length == "long" and length != "bald"))
    return None if truth is True and not sure else truth


def shown(part: str, test: Callable[[Look], Truth]) -> Callable[[View, int], Truth]:
    """The test on a look, unsure where it is true but out of sight."""

    def holds(view: View, i: int) -> Truth:
        truth = every([test(view.people[i].look)])
        return None if truth is True and not view.seen(i, part) else truth

    return holds


def feature(look: Look, rng: np.random.Generator) -> Facet | None:
    """What comes after "with": hair, beard, glasses, hat or something carried on the body."""
    colour, length = look.hair_colour, look.hair_length
    options = []
    if length != "bald":
        options += [
            Facet(f"{colour} hair", lambda v, i: hair(v, i, colour, None), "hair"),
            Facet(f"{length} {colour} hair", lambda v, i: hair(v, i, colour, length), "hair"),
            Facet(f"{length} hair", lambda v, i: hair(v, i, None, length), "hair"),
        ]
    if look.beard:
        options += [Facet("a beard", shown("profile", lambda other: other.beard), "beard")] * 2
    if look.glasses:
        options += [Facet("glasses", shown("face", lambda other: other.glasses is not None), "glasses")] * 2
    if look.hat is not None:
        options += [Facet("a hat", shown("hair", lambda other: other.hat is not None), "hat")]
    if look.carried in ("bag", "backpack"):
        options += [
            Facet(
                f"a {look.carried}",
                lambda v, i: (
                    True
                    if v.people[i].look.carried == look.carried
                    else None
                    if v.people[i].look.carried in ("bag", "backpack")
                    else False
                ),
                "carried",
            )
        ] * 2
    return pick(rng, options) if options else None


def adjective(look: Look, rng: np.random.Generator) -> Facet | None:
    colour, length = look.hair_colour, look.hair_length
    options = []
    if length == "bald":
        options += [Facet("bald", lambda v, i: hair(v, i, None, "bald"), "hair")] * 2
    else:
        options += [
            Facet(
                "blonde" if colour == "blonde" else f"{colour}-haired", lambda v, i: hair(v, i, colour, None), "hair"
            ),
            Facet(f"{length}-haired", lambda v, i: hair(v, i, None, length), "hair"),
        ]
    if look.beard:
        options.append(Facet("bearded", shown("profile", lambda other: other.beard), "beard"))
    if look.build != "average" and look.age != "child":
        other = {"slim": "heavy", "heavy": "slim"}[look.build]
        word = pick(rng, {"slim": ("slim", "slender"), "heavy": ("heavyset", "stout")}[look.build])
        options.append(
            Facet(
                word,
                lambda v, i: (
                    True if v.people[i].look.build == look.build else False if v.people[i].look.build == other else None
                ),
                "build",
            )
        )
    return pick(rng, options) if options else None


# ---- clothes ------------------------------------------------------------------------------------------------------
def same_colour(asked: str | None, actual: str | None, striped: bool = False) -> Truth:
    if asked == actual or actual is None:
        return asked == actual
    return (
        None
        if frozenset((asked, actual)) in CONFUSED or (striped and asked in ("white", "black", "grey", "navy"))
        else False
    )


def same_garment(asked: str, look: Look) -> Truth:
    actual = look.bottom if asked in BOTTOMS else look.top
    if asked == actual:
        return True
    if (asked == "skirt" and look.top == "dress") or (asked == "dress" and look.bottom == "skirt"):
        return None
    return None if frozenset((asked, actual)) in ALIKE else False


def top_colour(look: Look, colour: str | None) -> Truth:
    """Whether "in red" fits: by the top; unsure if only another big piece has that colour."""
    truth = same_colour(colour, look.top_colour, (look.pattern == "striped"))
    return None if truth is False and colour in (look.bottom_colour, look.hat) else truth


def worn(look: Look, rng: np.random.Generator) -> tuple[str, str | None, bool, str]:
    """A piece of clothing to speak of: garment, colour (None: unsaid), striped said, topic."""
    topic = pick(rng, ("top",) * 11 + ("bottom",) * 5 + ("shoes", "hat", "hat"))
    plain = rng.random() < 0.12
    if topic == "hat" and look.hat is not None:
        return "hat", look.hat, False, "hat"
    if topic == "shoes":
        return "shoes", look.shoes, False, "shoes"
    if topic == "bottom" and look.bottom is not None:
        return look.bottom, None if plain and look.bottom != "trousers" else look.bottom_colour, False, "bottom"
    said = (look.pattern == "striped") and rng.random() < 0.6
    return look.top, None if plain and (said or look.top in ("coat", "dress", "vest")) else look.top_colour, said, "top"


def clothes(look: Look, rng: np.random.Generator, form: str) -> Facet:
    """A piece of clothing.

    Form: "a" with a/an, "d" so but no shoes or hat, "t" with the, "k" "red-shirted", "w" "jacket is red", "c" the
    colour alone.
    """
    garment, colour, striped, topic = worn(look, rng)
    while form == "d" and topic in ("shoes", "hat"):
        garment, colour, striped, topic = worn(look, rng)
    if form in "ck" or (form == "w" and topic in ("shoes", "hat")):
        garment, colour, striped, topic = look.top, look.top_colour, False, "top"
    elif form == "w":
        striped, colour = False, colour or (look.top_colour if topic == "top" else look.bottom_colour)
    colour_word = pick(rng, COLOUR_WORDS.get(colour, (colour,))) if colour else ""
    word = pick(rng, GARMENT_WORDS.get(garment, (garment,)))
    if form == "c":
        return Facet(colour_word, shown("top", lambda other: top_colour(other, colour)), "top")

    def test(other: Look) -> Truth:
        if topic in ("hat", "shoes"):
            return same_colour(colour, getattr(other, topic))
        actual = other.top_colour if topic == "top" else other.bottom_colour
        stripes = (other.pattern == "striped") and topic == "top"
        values = [same_garment(garment, other), not striped or (other.pattern == "striped")]
        if colour is not None:  # a dress or long coat may read as a skirt and the reverse, in its own colour
            values.append(same_colour(colour, actual or other.top_colour, stripes))
        return every(values)

    part = {"top": "top", "bottom": "bottom", "shoes": "shoes", "hat": "hair"}[topic]
    name = " ".join(filter(None, ("striped" if striped else "", colour_word, word)))
    if form == "k":
        name = f"{colour_word.replace(' ', '-')}-{'-'.join(word.split())}{'ed' if not word.endswith('e') else 'd'}"
        word = {"dress": None, "vest": None, "tee": None}.get(garment, word)
        return (
            Facet(name, shown(part, test), topic)
            if word and garment in ("shirt", "jacket", "coat")
            else Facet("", lambda v, i: None, topic)
        )
    if form == "w":
        name = f"{word} {'are' if word in PLURAL else 'is'} {colour_word}"
    elif form == "t":
        name = f"the {name}"
    elif word not in PLURAL:
        name = article(name)
    return Facet(name, shown(part, test), topic)


# ---- where --------------------------------------------------------------------------------------------------------
def on_side(view: View, i: int, side: str) -> Truth:
    """On the left (right): of two, the outer one; else by thirds of the frame, a clear outermost person counting."""
    x = {j: c if side == "left" else 1 - c for j, c in view.x.items()}
    outer = sorted(x.values())
    if len(outer) == 2:
        return (x[i] == outer[0]) if outer[1] - outer[0] > 0.08 else None
    if x[i] < 0.36:
        return True
    if len(outer) > 2 and x[i] == outer[0] and outer[1] - outer[0] > 0.1 and x[i] < 0.5:
        return True
    return None if x[i] < 0.47 else False


def on_half(view: View, i: int, side: str) -> Truth:
    """Whether person i could be said to be on a side: False only well on the other with someone further out."""
    x = {j: c if side == "left" else 1 - c for j, c in view.x.items()}
    others = [x[j] for j in x if j != i and view.visible[j] >= IN_VIEW]
    return False if x[i] > 0.6 and (not others or x[i] > min(others)) else None


def in_middle(view: View, i: int) -> Truth:
    off = abs(view.x[i] - 0.5)
    if off > 0.2:
        return False
    inner = len(view.ids) == 1 or (len(view.ids) > 2 and i not in (view.order[0], view.order[-1]))
    return True if off < 0.09 and inner else None


def outermost(view: View, i: int, side: str, gap: float, within: float = 1.0) -> Truth:
    """The leftmost (rightmost) person, by at least gap of the frame width and no further in than within."""
    if len(view.ids) < 2:
        return on_half(view, i, side)
    x = {j: c if side == "left" else 1 - c for j, c in view.x.items()}
    first, second = sorted(x.values())[:2]
    return (x[i] == first) if second - first > gap and first < within else (None if x[i] - first < 0.3 else False)


def extreme_depth(view: View, i: int, near: bool) -> Truth:
    """The nearest (farthest) person, by a fifth of the distance."""
    if len(view.ids) < 2:
        return None
    d = {j: z if near else 1 / max(z, 1e-6) for j, z in view.depth.items()}
    first, second = sorted(d.values())[:2]
    return (d[i] == first) if first < 0.8 * second else (None if first > 0.7 * d[i] else False)


def nth(view: View, i: int, n: int, side: str) -> Truth:
    """The n-th from a side, counting everyone in view; unsure for all where two people are nearly level."""
    xs = [view.x[j] for j in view.order]
    if len(xs) < 3 or min(np.diff(xs)) < 0.06:
        return None
    order = view.order if side == "left" else view.order[::-1]
    return n <= len(order) and order[n - 1] == i


def related(view: View, i: int, anchor: int, relation: str) -> Truth:
    if i == anchor:
        return False
    dx, ratio = view.x[anchor] - view.x[i], view.depth[i] / max(view.depth[anchor], 1e-6)
    if relation in ("left", "right"):
        dx = dx if relation == "left" else -dx
        return True if dx > 0.08 else False if dx < -0.01 else None
    if relation == "beside":
        return (
            True
            if 0.06 < abs(dx) < 0.28 and 0.75 < ratio < 1.33
            else False
            if abs(dx) > 0.42 or not 0.5 < ratio < 2
            else None
        )
    ratio = ratio if relation == "behind" else 1 / max(ratio, 1e-6)
    return True if ratio > 1.25 and abs(dx) < 0.15 else False if ratio < 1.0 or abs(dx) > 0.35 else None


def stature(view: View, i: int, who: Facet, sign: int) -> Truth:
    """The taller (taller of two) or tallest among those the noun fits; all upright and 8 cm apart, or unsure."""
    truth = {j: who.holds(view, j) for j in view.ids}
    group = [j for j in view.ids if truth[j]]
    if i not in group or None in truth.values() or len(group) < 2:
        return False if truth[i] is False else None
    if any(view.people[j].posture not in TALL for j in group):
        return None
    heights = {j: sign * float(view.people[j].look.height) for j in group}
    best, second = sorted(heights.values(), reverse=True)[:2]
    return (heights[i] == best) if best - second >= 0.08 else (None if best - heights[i] < 0.08 else False)


def faces(view: View, i: int, way: str) -> Truth:
    return None if view.people[i].posture in FLAT else view.people[i].facing == way


def placed(
    view: View, slot: str, rng: np.random.Generator, who: Facet | None = None, me: int | None = None
) -> list[Facet]:
    """Every filling of a place, extreme, order, stature, relation or facing slot, true of anyone or not."""
    out: list[Facet] = []

    def add(words, holds, topic, alone=None):
        out.append(Facet(pick(rng, words), holds, topic, alone))

    def unsure(v, i):
        return None

    if slot == "p":
        for side in ("left", "right"):
            add(PLACE_WORDS[side], lambda v, i, s=side: on_side(v, i, s), side, lambda v, i, s=side: on_half(v, i, s))
            add(
                PLACE_WORDS[f"far {side}"],
                lambda v, i, s=side: outermost(v, i, s, 0.1, 0.3),
                side,
                lambda v, i, s=side: on_half(v, i, s),
            )
        add(PLACE_WORDS["middle"], in_middle, "middle")
        for word in ("near", "far"):
            add(PLACE_WORDS[word], lambda v, i, w=word: extreme_depth(v, i, w == "near"), word, unsure)
    elif slot == "e":
        for side in ("left", "right"):
            add(EXTREME_WORDS[f"{side}most"], lambda v, i, s=side: outermost(v, i, s, 0.07), side, unsure)
        for word in ("near", "far"):
            add(EXTREME_WORDS[word], lambda v, i, w=word: extreme_depth(v, i, w == "near"), word, unsure)
    elif slot == "o":
        for n in range(1, min(len(view.ids), 5) + 1):
            for side in ("left", "right"):
                add(
                    (f"{ORDINALS[n - 1]} {'from' if n > 1 else 'on'} the {side}",),
                    lambda v, i, n=n, s=side: nth(v, i, n, s),
                    side,
                    unsure,
                )
    elif slot == "f":
        for way, words in FACING_WORDS.items():
            add(words, lambda v, i, w=way: faces(v, i, w), "facing")
    elif slot == "s" and who is not None:
        two = sum(who.holds(view, j) is not False for j in view.ids) == 2
        for sign, words in ((1, ("taller", "tallest")), (-1, ("shorter", "shortest"))):
            add((words[0 if two else 1],), lambda v, i, s=sign: stature(v, i, who, s), "height")
    elif slot == "r":
        for anchor in view.described():
            name = name_of(view, anchor, rng) if anchor != me else None
            for relation, words in RELATION_WORDS.items() if name else ():
                add([f"{w} {name}" for w in words], lambda v, i, a=anchor, r=relation: related(v, i, a, r), "relation")
    return out


def name_of(view: View, i: int, rng: np.random.Generator) -> str | None:
    """A short description that fits person i alone, to stand inside another's; None if a few tries find none."""
    look = view.people[i].look
    for attempt in range(6):
        who = noun(look, rng)
        dress = None if attempt % 3 == 0 else clothes(look, rng, "c" if attempt % 3 == 1 else "t")
        facets = [who] if dress is None else [who, dress]
        if all(every(f.holds(view, j) for f in facets) is (j == i) for j in view.ids):
            return f"the {who.text}" + (f" in {dress.text}" if dress else "")
    return None
