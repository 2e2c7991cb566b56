"""Sentences about one person of a rendered scene, each checked to fit exactly that person, or nobody.

A sentence is a template whose slots are filled with *facets*: words with a truth function over the people in view
(``facets.py``). It is used only if every facet is True of its person and some facet is False of everyone else in view.
Sentences say nothing of what a person does. Templates belong to one split each; words are shared.
"""

import re
from dataclasses import dataclass, replace

import numpy as np

from training.data.synthetic.facets import (
    Facet,
    Truth,
    View,
    adjective,
    article,
    clothes,
    every,
    feature,
    noun,
    pick,
    placed,
)
from training.data.synthetic.facts import BOTTOMS, COLOURS, HAIR_COLOURS, TOPS, Look, Scene

MIN_WORDS, MAX_WORDS = 4, 14
ABSENT_SHARE = 0.15
FAMILIES, FAMILY_SHARES = ("place", "clothes", "mixed"), (0.35, 0.35, 0.30)

# Slots: n noun, an noun with article; a, b clothes with a/an; d so, but no shoes or hat; t clothes with the; c colour
# of the top; k "red-shirted"; w "jacket is red"; h what comes after "with"; j adjective; p place; e extreme
# ("leftmost"); o order; r relation; s stature ("taller"); f facing.
# fmt: off
TEMPLATES: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "place": (
            "the {n} {p}", "the {n} {p}", "{n} {p}", "the {n} who is {p}", "{p}, the {n}", "the {e} {n} in the picture",
            "the {e} {n} in view", "{e} {n} in the image", "the {n} {o}", "the {n} who is {o}", "{o}, the {n}",
            "the {n} {r}", "the {n} who is {r}", "{an} {r}", "the {s} {n} in the picture", "the {s} {n} in view",
        ),
        "clothes": (
            "the {n} in {a}", "the {n} in {a}", "{an} wearing {a}", "the {n} wearing {t}", "the {n} in {c}",
            "{n} in {a}", "the {n} dressed in {c}", "the {n} with {t}", "the {k} {n} in view", "someone wearing {a}",
            "the one in {a}", "the {n} in {a} and {b}", "{an} in {a} and {b}",
        ),
        "mixed": (
            "the {n} in {a} {p}", "the {n} in {c} {p}", "{p}, the {n} in {a}", "{p}, the {n} wearing {a}",
            "the {n} {p} in {a}", "the {n} {p} wearing {t}", "the {e} {n} in {a}", "the {e} {n} with {h}",
            "the {k} {n} {p}", "the {n} in {a} {r}", "the {n} with {h}", "{an} with {h}", "the {n} with {h} {p}",
            "the {j} {n} {p}", "the {j} {n} in {a}", "the {n} with {h} in {a}", "{an} with {h} wearing {a}",
            "the {n} in {a} with {h}", "the {n} {f}", "the {n} in {a}, {f}", "the {n} {p} {f}", "the {j} {n} {f}",
            "the {n} who has {h}",
        ),
    },
    "val": {
        "place": (
            "{an} {p}", "the {n} located {p}", "the one {p}", "{p} is the {n}", "the {e} {n} of the group", "{n} {o}",
            "the one {o}", "the {n} located {r}", "the one {r}", "the {s} {n} of the group",
        ),
        "clothes": (
            "{an} dressed in {d}", "the {n} who wears {a}", "the {n} with {t} on", "{an} in {t}",
            "one {n} wearing {a} with {b}", "the {n} clothed in {c}", "the {n} wearing {a}",
        ),
        "mixed": (
            "{an} in {a}, {p}", "the {n} who wears {a}, {p}", "{an} {p} with {h}", "the {n} that has {h}",
            "the {j} {n} dressed in {d}", "{an} {f}", "the {n} dressed in {d} {r}", "{p}, {an} with {h}",
            "the {e} {n} wearing {a}", "the {j} one {p}", "{p}, the {n} {f}",
        ),
    },
    "test": {
        "place": (
            "that {n} {p}", "the {n} that is {p}", "the {n} seen {p}", "{p}, {an}", "of the people here, the {e} {n}",
            "that {e} {n} over there", "that {n} {o}", "the {n} that is {o}", "the {n} seen {r}", "that {n} {r}",
            "of the people here, the {s} {n}", "the {n} positioned {p}",
        ),
        "clothes": (
            "the {n} who is wearing {a}", "the {n} whose {w}", "that {n} in {t}", "the {n} clad in {c}",
            "that {k} {n} over there", "the {n} who has {a} on", "the {n} dressed in {d} and {b}",
            "the {n} who is in {t}", "the person whose {w}",
        ),
        "mixed": (
            "the {n} whose {w}, {p}", "that {n} in {a} {p}", "{p}, {an} who is wearing {a}", "the {n} {p}, in {a}",
            "that {n} with {h}", "the {n} who has {h} and wears {a}", "that {j} {n} {p}", "the {j} {n} wearing {a}",
            "the {n} seen {r}, in {a}", "that {n} {f}", "the {n} clad in {c}, {f}", "that {e} {n}, the one in {a}",
            "the {n} {p}, the one with {h}",
        ),
    },
}
# fmt: on
TEMPLATES["paraphrase"] = TEMPLATES["test"]
TEMPLATES["samples"] = TEMPLATES["test"]  # shown, never trained on


@dataclass(frozen=True)
class Described:
    """A sentence and whom it fits: an index into ``scene.people``, or None for nobody.

    kind: slot groups joined by "+" ("clothes", "place", "order", "relation", "height", "facing", "looks"), or
    "absent-near" / "absent-other". hard: someone else shares the top colour or sex and garment; near misses too.
    """

    person_index: int | None
    sentence: str
    kind: str
    hard: bool


@dataclass(frozen=True)
class Draft:
    """A filled template: slots in order with the seed each was filled from, so that one can be refilled."""

    template: str
    slots: tuple[tuple[str, int, Facet], ...]
    text: str

    def holds(self, view: "View", i: int) -> Truth:
        return every(facet.holds(view, i) for _, _, facet in self.slots)

    def excludes(self, view: "View", i: int) -> bool:
        """Whether it is false of person i under any reading ("the nearest girl" may mean the nearest of the girls)."""
        return any((facet.alone or facet.holds)(view, i) is False for _, _, facet in self.slots)


# ---- sentences ----------------------------------------------------------------------------------------------------
SLOT = re.compile(r"{(\w+)}")
PLACED = "peosrf"
GROUPS = dict.fromkeys("abdtckw", "clothes") | dict.fromkeys("hj", "looks") | dict.fromkeys("pe", "place")
GROUPS |= {"o": "order", "r": "relation", "s": "height", "f": "facing"}


def kind_of(template: str) -> str:
    return "+".join(sorted({GROUPS[s] for s in SLOT.findall(template) if s in GROUPS}))


def fill(
    slot: str, seed: int, view: View, look: Look, me: int | None, who: Facet | None, want: bool = True
) -> Facet | None:
    """One slot's facet. Place words are drawn among those true of ``me`` (not true, where ``want`` is False)."""
    rng = np.random.default_rng(seed)
    if slot in ("n", "an"):
        facet = noun(look, rng)
        return facet if slot == "n" else replace(facet, text=article(facet.text))
    if slot == "h":
        return feature(look, rng)
    if slot == "j":
        return adjective(look, rng)
    if slot in PLACED:
        options = placed(view, slot, rng, who, me)
        if me is not None:
            options = [f for f in options if (f.holds(view, me) is True) is want]
        return pick(rng, options) if options else None
    return clothes(look, rng, "a" if slot == "b" else slot)


def assemble(template: str, slots) -> Draft | None:
    """Put facets into a template; None if one is missing, repeats a topic, or the length is out of bounds."""
    facets = [facet for _, _, facet in slots]
    if any(f is None or not f.text for f in facets):
        return None
    topics = [f.topic for f in facets]
    if len(set(topics)) < len(topics):
        return None
    words = iter(facets)
    text = SLOT.sub(lambda _: next(words).text, template)
    subject = next((f.text.split()[-1] for f in facets if f.topic == "noun"), "person")
    male, female = subject in ("man", "guy", "gentleman", "boy"), subject in ("woman", "lady", "girl")
    text = text.replace("{poss}", "his" if male else "her" if female else "their")
    text = re.sub(r"\bold(?:er)? (old|elderly)\b", r"\1", text)
    return Draft(template, tuple(slots), text) if MIN_WORDS <= len(text.split()) <= MAX_WORDS else None


def compose(template: str, view: View, look: Look, me: int | None, rng: np.random.Generator) -> Draft | None:
    names, slots, who = SLOT.findall(template), [], None
    for slot in sorted(names, key=lambda s: s not in ("n", "an")):  # the noun first: stature needs it
        seed = int(rng.integers(2**32))
        facet = fill(slot, seed, view, look, me, who)
        if facet is None:
            return None
        who = facet if slot in ("n", "an") else who
        slots.append((slot, seed, facet))
    by_name = {s[0]: s for s in slots}
    return assemble(template, [by_name[name] for name in names])


def sentence_about(view: View, i: int, family: str, split: str, rng: np.random.Generator) -> Draft | None:
    """A description that fits person i alone: of up to three that do, the shortest half of the time."""
    found: list[Draft] = []
    for _ in range(40):
        draft = compose(pick(rng, TEMPLATES[split][family]), view, view.people[i].look, i, rng)
        if draft and all(draft.holds(view, j) is (j == i) for j in view.ids):
            found.append(draft)
            if len(found) == 3:
                break
    if not found:
        return None
    return min(found, key=lambda d: len(d.text.split())) if rng.random() < 0.5 else found[0]


def random_look(rng: np.random.Generator) -> Look:
    top = pick(rng, TOPS)
    bottom = None if top == "dress" else pick(rng, BOTTOMS)
    sex = pick(rng, ("man", "woman")) if top != "dress" and bottom != "skirt" else "woman"
    age = pick(rng, ("adult", "adult", "child", "old"))
    return Look(
        sex,
        age,
        1.7,
        pick(rng, ("slim", "average", "heavy")),
        pick(rng, HAIR_COLOURS),
        "long" if sex == "woman" else "short",
        sex == "man" and age != "child" and rng.random() < 0.3,
        "glasses" if rng.random() < 0.3 else None,
        pick(rng, COLOURS) if rng.random() < 0.2 else None,
        top,
        pick(rng, COLOURS),
        bottom,
        None if bottom is None else pick(rng, COLOURS),
        pick(rng, COLOURS),
        pattern="striped" if rng.random() < 0.15 else "plain",
        carried="backpack" if rng.random() < 0.15 else None,
    )


def altered(look: Look, slot: str, rng: np.random.Generator) -> Look:
    """The look with the one thing changed that a slot speaks of: sex, garment, colour or hair."""
    new = random_look(rng)
    if slot in ("n", "an"):
        if look.top == "dress" or look.bottom == "skirt":
            return replace(look, age="adult" if look.age == "child" else "child")
        return replace(look, sex="woman" if look.sex == "man" else "man")
    if slot in ("h", "j"):
        return replace(
            look, hair_colour=new.hair_colour, beard=not look.beard and look.sex == "man", glasses=None if look.glasses else "glasses"
        )
    if rng.random() < 0.65 or slot in "ck" or "dress" in (look.top, new.top):
        return replace(
            look,
            top_colour=new.top_colour,
            hat=look.hat and new.shoes,
            bottom_colour=look.bottom and new.shoes,
            shoes=new.shoes,
        )
    return replace(look, top=new.top, bottom="trousers" if look.sex == "man" and new.bottom == "skirt" else new.bottom)


def near_miss(view: View, split: str, rng: np.random.Generator) -> Draft | None:
    """A true description with one attribute changed so that it is false of everyone."""
    i = pick(rng, view.ids)
    look, family = view.people[i].look, pick(rng, ("clothes", "clothes", "place", "mixed"))
    draft = compose(pick(rng, TEMPLATES[split][family]), view, look, i, rng)
    if draft is None or "{s}" in draft.template or draft.holds(view, i) is not True:
        return None
    slots = list(draft.slots)
    changed = int(rng.integers(len(slots)))
    slot, seed, _ = slots[changed]
    facet = fill(slot, seed, view, altered(look, slot, rng), i, None, want=False)
    if facet is None:
        return None
    slots[changed] = (slot, seed, facet)
    return assemble(draft.template, slots)


def stranger(view: View, split: str, rng: np.random.Generator) -> Draft | None:
    """A description of a random person who is not there."""
    family = pick(rng, ("clothes", "clothes", "mixed"))
    template = pick(rng, TEMPLATES[split][family])
    return None if "{s}" in template or "{r}" in template else compose(template, view, random_look(rng), None, rng)


def absent_sentence(scene: Scene, split: str, near: bool, rng: np.random.Generator) -> Draft | None:
    """A sentence that fits nobody, whether people of whom hardly anything shows are counted or not."""
    view, clear = View(scene, floor=0.0), View(scene)
    for _ in range(60):
        draft = near_miss(view, split, rng) if near else stranger(view, split, rng)
        if draft and all(draft.excludes(v, j) and draft.holds(v, j) is False for v in (view, clear) for j in v.ids):
            return draft
    return None


def shares_looks(view: View, i: int) -> bool:
    look = view.people[i].look
    others = [view.people[j].look for j in view.ids if j != i]
    return any(o.top_colour == look.top_colour or (o.sex, o.top) == (look.sex, look.top) for o in others)


def drafts(scene: Scene, rng: np.random.Generator, *, split: str, per_person: int = 2) -> list[tuple[Described, Draft]]:
    """As ``describe``, each with the filled template it came from."""
    if split not in TEMPLATES:
        raise ValueError(f"no sentence templates for split {split!r}; there are {', '.join(TEMPLATES)}")
    view, out, said = View(scene), [], set()
    for i in view.described():
        families = (
            list(rng.choice(FAMILIES, size=min(per_person, 3), replace=False, p=FAMILY_SHARES))
            if per_person > 1
            else [str(rng.choice(FAMILIES, p=FAMILY_SHARES))]
        )
        families += [str(rng.choice(FAMILIES, p=FAMILY_SHARES)) for _ in range(per_person - len(families))]
        for family in families:
            for choice in (family, *rng.permutation([f for f in FAMILIES if f != family])):
                draft = sentence_about(view, i, str(choice), split, rng)
                if draft and draft.text not in said:
                    said.add(draft.text)
                    out.append((Described(i, draft.text, kind_of(draft.template), shares_looks(view, i)), draft))
                    break
    share = len(out) * ABSENT_SHARE / (1 - ABSENT_SHARE)
    for _ in range(int(share) + (rng.random() < share % 1)):
        near = bool(rng.random() < 0.5)
        draft = absent_sentence(scene, split, near, rng)
        if draft is None:
            near = not near
            draft = absent_sentence(scene, split, near, rng)
        if draft and draft.text not in said:
            said.add(draft.text)
            out.append((Described(None, draft.text, "absent-near" if near else "absent-other", near), draft))
    return out


def describe(scene: Scene, rng: np.random.Generator, *, split: str, per_person: int = 2) -> list[Described]:
    """Sentences about the people of a scene, and about 15 % that fit nobody.

    Args:
        scene: A rendered clip with its facts; boxes [T, 4] in fractions of the frame.
        rng: The only source of chance; the same scene and state give the same sentences.
        split: Whose templates to use: "train", "val", "test" or "samples" (as "test").
        per_person: Sentences wanted per person; fewer where no sentence singles the person out.

    Returns:
        Sentences of 4 to 14 words, each true of its person and false of everyone else in view.

    Raises:
        ValueError: If the split is unknown.
    """
    return [described for described, _ in drafts(scene, rng, split=split, per_person=per_person)]
