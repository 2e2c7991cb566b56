"""Place, order, relation, stature and facing as sentences speak of them."""

from functools import partial

from ..facts import FACINGS, Thing
from . import layout
from .clothing import clothes
from .facets import Draw, Facet, noun, noun_fits, noun_key, pick, say, unsure
from .layout import Fits
from .truths import View, every
from .words import NUMBERS, ORDINALS, Words

PLACED = "peorsyzf"  # slots that are filled from the view; see ``templates.py``
SIDES = ("left", "right")
Claim = tuple[str, Fits, str, Fits | None]  # key, truth, topic, truth under any reading


def places(view: View) -> list[Claim]:
    """Slot p: "on the left"."""
    out: list[Claim] = [("middle", layout.in_middle, "middle", layout.off_middle)]
    for side in SIDES:
        half = partial(layout.on_half, side=side)
        out.append((side, partial(layout.on_side, side=side), side, half))
        out.append((f"{side} part", partial(layout.in_part, side=side), side, half))
        out.append((f"far {side}", partial(layout.outermost, side=side, gap=0.1, within=0.3), side, half))
        out.append((f"{side} edge", partial(layout.outermost, side=side, gap=0.1, within=0.18), side, half))
    for key, near, ratio in (
        ("near", True, 0.8), ("foreground", True, 0.7), ("far", False, 0.8), ("background", False, 0.7),
    ):  # fmt: skip
        out.append((key, partial(layout.extreme_depth, near=near, ratio=ratio), "depth", unsure))
    return out


def extremes(view: View) -> list[Claim]:
    """Slot e: "leftmost"."""
    out: list[Claim] = [(side, partial(layout.outermost, side=side, gap=0.07), side, unsure) for side in SIDES]
    return out + [(key, partial(layout.extreme_depth, near=key == "near"), "depth", unsure) for key in ("near", "far")]


def orders(view: View) -> list[Claim]:
    """Slot o: "second from the left", of three people or more."""
    count = min(len(view.ids), len(ORDINALS)) if len(view.ids) > 2 else 0
    return [
        (f"{n} {side}", partial(layout.nth, n=n, side=side), side, unsure)
        for n in range(1, count + 1)
        for side in SIDES
    ]


def facings(view: View) -> list[Claim]:
    """Slot f: "facing left"."""
    return [(way, partial(layout.faces, way=way), "facing", None) for way in FACINGS]


def statures(view: View, who: Facet) -> list[Claim]:
    """Slot s: "taller"."""
    pair = layout.crowd(view, who.holds) == 2
    words = ("taller", "shorter") if pair else ("tallest", "shortest")
    return [
        (word, partial(layout.stature, who=who.holds, sign=sign), "height", unsure)
        for word, sign in zip(words, (1, -1), strict=True)
    ]


def ordinal_words(key: str, words: Words, rng: Draw) -> str:
    number, side = key.split()
    n = int(number) - 1
    pattern = say(rng, words.orders, "first") if n == 0 and "first" in words.orders else pick(rng, words.orders[""])
    return pattern.replace("{side}", side).replace("{nth}", ORDINALS[n]).replace("{number}", NUMBERS[n])


def placed(
    view: View, slot: str, words: Words, rng: Draw, who: Facet | None, me: int | None, want: bool = True
) -> Facet | None:
    """A filling of slot p, e, o, f or s: one that is true of ``me`` (not true, where ``want`` is False), or any."""
    if slot == "s":
        claims = statures(view, who) if who is not None else []
    else:
        claims = {"p": places, "e": extremes, "o": orders, "f": facings}[slot](view)
    if me is not None:
        claims = [c for c in claims if (c[1](view, me) is True) is want]
    if not claims:
        return None
    key, holds, topic, alone = pick(rng, claims)
    table = {"p": words.places, "e": words.extremes, "f": words.facings, "s": words.statures}.get(slot)
    return Facet(ordinal_words(key, words, rng) if table is None else say(rng, table, key), holds, topic, alone)


def among(view: View, slot: str, words: Words, rng: Draw, me: int | None) -> Facet | None:
    """Slot y, "taller of the two men", or z, "second man from the left"; each holds its own noun."""
    if me is None:
        return None
    key = noun_key(view.people[me].look, rng)
    fits = partial(noun_fits, key)
    members = layout.group(view, fits)
    if members is None or me not in members or len(members) < 2:
        return None
    not_even = lambda v, i: False if fits(v, i) is False else None  # noqa: E731
    if slot == "z":
        side = pick(rng, SIDES)
        n = (members if side == "left" else members[::-1]).index(me) + 1
        if n > len(ORDINALS):
            return None
        text = f"{ORDINALS[n - 1]} {say(rng, words.nouns, key)} from the {side}"
        return Facet(text, partial(layout.nth_among, n=n, side=side, who=fits), "noun", not_even)
    if len(members) > 3:
        return None
    pair = len(members) == 2
    claims: list[tuple[str, Fits]] = [
        (say(rng, words.statures if pair and way in ("nearer", "farther") else words.extremes, name), holds)
        for way, name in (("left", "left"), ("right", "right"), ("nearer", "nearer" if pair else "near"),
                          ("farther", "farther" if pair else "far"))
        for holds in [partial(layout.foremost, who=fits, way=way)]
    ]  # fmt: skip
    claims += [
        (say(rng, words.statures, word), partial(layout.stature, who=fits, sign=sign))
        for word, sign in ((("taller", 1), ("shorter", -1)) if pair else (("tallest", 1), ("shortest", -1)))
    ]
    claims = [c for c in claims if c[1](view, me) is True]
    if not claims:
        return None
    word, holds = pick(rng, claims)
    text = f"{word} of the {NUMBERS[len(members) - 1]} {pick(rng, words.plurals[key])}"
    return Facet(text, holds, "noun", not_even)


def relation(view: View, words: Words, rng: Draw, me: int | None, want: bool = True) -> Facet | None:
    """Slot r: "left of the woman in the green coat", "next to the lamp", "between the man and the child"."""
    others = [j for j in view.described() if j != me]
    if len(others) > 1 and rng.random() < 0.15:
        a, b = (int(j) for j in rng.choice(others, 2, replace=False))
        test: Fits = partial(layout.between, a=a, b=b)
        if me is None or (test(view, me) is True) is want:
            if "between two" in words.relations and (both := pair_name(view, a, b, words, rng)):
                return Facet(say(rng, words.relations, "between two").replace("{ab}", both), test, "relation")
            names = [name_of(view, j, words, rng) for j in (a, b)]
            if None not in names:
                text = say(rng, words.relations, "between")
                return Facet(text.replace("{a}", str(names[0])).replace("{b}", str(names[1])), test, "relation")
    options: list[tuple[str, Fits, int | None, str]] = [
        (way, partial(layout.related, anchor=j, relation=way), j, "")
        for j in others
        for way in ("left", "right", "beside", "behind", "before")
    ]
    options += [
        (
            way,
            partial(layout.by_thing, thing=thing, relation=way),
            None,
            thing_name(thing, words, rng),
        )
        for thing in view.things
        for way in ("left", "right", "beside", "behind", "before")
    ]
    if me is not None:
        options = [o for o in options if (o[1](view, me) is True) is want]
    if not options:
        return None
    way, test, anchor, name = pick(rng, options)
    said = name if anchor is None else name_of(view, anchor, words, rng)
    topic = way if way in SIDES else "relation"
    return None if said is None else Facet(f"{say(rng, words.relations, way)} {said}", test, topic)


def pair_name(view: View, a: int, b: int, words: Words, rng: Draw) -> str | None:
    """Words like "the two women", where a noun fits these two and nobody else."""
    key = noun_key(view.people[a].look, rng)
    groups = [layout.group(v, partial(noun_fits, key)) for v in view.readings]
    only = all(group is not None and set(group) == {a, b} for group in groups)
    return f"the two {pick(rng, words.plurals[key])}" if only and key in words.plurals else None


def thing_name(thing: Thing, words: Words, rng: Draw) -> str:
    said = f"{say(rng, words.colours, thing.colour)} " if thing.colour and rng.random() < 0.5 else ""
    return f"the {said}{thing.name}"


def name_of(view: View, i: int, words: Words, rng: Draw) -> str | None:
    """A short description that fits person i alone, to stand inside another's; None if a few tries find none."""
    look = view.people[i].look
    for attempt in range(6):
        who = noun(look, words, rng)
        form = ("", "c", "t", "t")[attempt % 4]
        dress = clothes(look, words, rng, form) if form else None
        facets = [who] if dress is None else [who, dress]
        if len(" ".join(f.text for f in facets).split()) > 6:
            continue
        if all(every(f.holds(v, j) for f in facets) is (j == i) for v in view.readings for j in v.ids):
            return f"the {who.text}" + (f" in {dress.text}" if dress else "")
    return None
