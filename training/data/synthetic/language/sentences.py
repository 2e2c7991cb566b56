"""Sentences about one person of a rendered scene, each checked to fit exactly that person, or nobody.

A sentence is a template whose slots are filled with *facets*: words with a truth function over the people in view.
It is used only if every facet is True of its person and some facet is False of everyone else in view.
Sentences say nothing of what a person does, but for a few of training. Templates belong to one split each; words are
shared but for those of the paraphrases, which no other split uses, and many that only training has. Training is also
typed as people type (``slips``).
"""

import math
import re
from dataclasses import dataclass, field

import numpy as np

from ..facts import BOTTOMS, COLOURS, HAIR_COLOURS, TOPS, Scene
from .absent import absent_sentence, random_look
from .drafting import SLOT, Draft, compose, construction, fill
from .facets import Draw
from .slips import typed
from .templates import FAMILIES, FAMILY_SHARES, TEMPLATES, words_of
from .truths import View

ABSENT_SHARE = 0.155  # of all sentences; some scenes allow none
PER_PERSON = {"train": 8}  # sentences about everybody; else two
TRIES = 40
WORDING = 8  # to be counted up whenever the sentences of a scene change, for ``generate --reword``


@dataclass(frozen=True)
class Described:
    """A sentence and whom it fits: an index into ``scene.people``, or None for nobody.

    kind: slot groups joined by "+" ("clothes", "place", "order", "relation", "height", "facing", "looks"), or
    "absent-near" / "absent-other". hard: someone else shares the top colour or sex and garment; near misses too.
    parts: Of training, of every topic that is spoken of, whom that part alone is true of: a sign for each of
    ``scene.people``, "1" true, "0" false, "-" not sure or not in view.
    """

    person_index: int | None
    sentence: str
    kind: str
    hard: bool
    parts: dict[str, str] = field(default_factory=dict)


def sentence_about(view: View, i: int, family: str, split: str, rng: Draw) -> Draft | None:
    """A description that fits person i alone: of up to three that do, the shortest half of the time."""
    found: list[Draft] = []
    for _ in range(TRIES):
        draft = compose(construction(split, family, rng), view, view.people[i].look, i, split, rng)
        if draft and all(draft.fits_only(v, i) for v in view.readings):
            found.append(draft)
            if len(found) == 3:
                break
    if not found:
        return None
    return min(found, key=lambda d: len(d.text.split())) if rng.random() < 0.5 else found[0]


def shares_looks(view: View, i: int) -> bool:
    look = view.people[i].look
    others = [view.people[j].look for j in view.ids if j != i]
    return any(o.top_colour == look.top_colour or (o.sex, o.top) == (look.sex, look.top) for o in others)


def parts_of(view: View, draft: Draft) -> dict[str, str]:
    """Whom each part of a draft is true of, as in :class:`Described`."""
    signs = {True: "1", False: "0", None: "-"}
    return {
        facet.topic: "".join(signs[facet.holds(view, i) if i in view.ids else None] for i in range(len(view.people)))
        for facet in draft.facets
    }


def drafts(scene: Scene, rng: Draw, *, split: str, per_person: int | None = None) -> list[tuple[Described, Draft]]:
    """As ``describe``, each with the filled template it came from."""
    if split not in TEMPLATES:
        raise ValueError(f"no sentence templates for split {split!r}; there are {', '.join(TEMPLATES)}")
    view = View(scene)
    out: list[tuple[Described, Draft]] = []
    said: set[str] = set()
    per_person = per_person or PER_PERSON.get(split, 2)

    def added(i: int | None, draft: Draft | None, kind: str, hard: bool) -> bool:
        """Whether there is such a draft, and it says, as typed too, what nothing has said before."""
        if not draft or draft.text in said:
            return False
        train = split == "train"
        sentence = typed(draft.text, rng) if train else draft.text
        if sentence in said:
            return False
        said.update((draft.text, sentence))
        out.append((Described(i, sentence, kind, hard, parts_of(view, draft) if train else {}), draft))
        return True

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
                if added(i, draft, draft.kind if draft else "", shares_looks(view, i)):
                    break
    share = len(out) * ABSENT_SHARE / (1 - ABSENT_SHARE)
    for _ in range(int(share) + (rng.random() < share % 1)):
        first = bool(rng.random() < 0.5)
        for near in (first, not first):
            draft = absent_sentence(scene, split, near, rng)
            if added(None, draft, "absent-near" if near else "absent-other", near):
                break
    return out


def describe(scene: Scene, rng: Draw, *, split: str, per_person: int | None = None) -> list[Described]:
    """Sentences about the people of a scene, and about 15 % that fit nobody.

    Args:
        scene: A rendered clip with its facts; boxes [T, 4] in fractions of the frame.
        rng: The only source of chance; the same scene and state give the same sentences.
        split: Whose templates to use: "train", "val", "test", "samples" (as "test") or "paraphrase", whose templates
            and many of whose words no other split has.
        per_person: Sentences wanted per person, ``PER_PERSON`` by default; fewer where none singles the person out.

    Returns:
        Sentences of 4 to 16 words (of training, 2 to 26), each true of its person and false of everyone else in view.

    Raises:
        ValueError: If the split is unknown.
    """
    return [described for described, _ in drafts(scene, rng, split=split, per_person=per_person)]


# ---- how many there are -------------------------------------------------------------------------------------------
def shape_of(text: str, split: str) -> str:
    """The words of a facet with every colour and garment made one: "a COLOUR GARMENT"."""
    words = words_of(split)
    tables = (
        ("COLOUR", [*COLOURS, *HAIR_COLOURS, *sum(words.colours.values(), ()), *sum(words.hair_colours.values(), ())]),
        ("GARMENT", [*TOPS, *BOTTOMS, *sum(words.garments.values(), ())]),
    )
    for name, said in tables:
        text = re.sub(rf"\b({'|'.join(sorted(map(re.escape, said), key=len, reverse=True))})\b", name, text)
    return text


def count_shapes(split: str, looks: int = 150, seed: int = 0) -> int:
    """Number of combinations of a template and the shapes of its slots' words, found by filling slots at random.

    Colours and garments count once; a relation counts by its own words, not by the description it holds.
    """
    rng, words = np.random.default_rng(seed), words_of(split)
    nowhere = View(Scene(np.zeros((1, 2, 2, 3), np.uint8), 1.0, 0, ()))
    nouns = {word for said in words.nouns.values() for word in said}
    plurals = {word for said in words.plurals.values() for word in said}
    counts = {slot: len({word for said in table.values() for word in said})
              for slot, table in (("p", words.places), ("e", words.extremes), ("f", words.facings),
                                  ("r", words.relations), ("s", words.statures))}  # fmt: skip
    counts["o"] = 2 * 4 * len(set(words.orders[""]))  # either side, up to the fourth
    counts |= {"z": 2 * 4 * len(nouns), "y": counts["e"] * len(plurals)}
    templates = {t for family in TEMPLATES[split].values() for t in family}
    for slot in {name for t in templates for name in SLOT.findall(t)} - set(counts):
        facets = (fill(slot, nowhere, random_look(rng), None, split, rng) for _ in range(looks))
        counts[slot] = len({shape_of(f.text, split) for f in facets if f is not None})
    return sum(math.prod(counts[name] for name in SLOT.findall(t)) for t in templates)
