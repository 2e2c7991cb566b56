"""Filled templates: slots become facets, facets a sentence."""

import re
from dataclasses import dataclass

from ..facts import Look
from .clothing import clothes
from .doing import doing
from .facets import Draw, Facet, adjective, article, feature, hair_is, noun, pick, pronoun
from .forms import form
from .placing import PLACED, among, placed, relation
from .templates import TEMPLATES, words_of
from .truths import Truth, View, every
from .words import FEMALE, MALE

MIN_WORDS, MAX_WORDS = 4, 16
TRAIN_WORDS = 2, 26  # least and most of training
SLOT = re.compile(r"{(\w\w?)}")  # {poss} is none
NOUNS = ("n", "an", "he")
GROUPS = dict.fromkeys("abdtuvckwx", "clothes") | dict.fromkeys("hgjl", "looks") | dict.fromkeys("pe", "place")
GROUPS |= {"o": "order", "z": "order", "y": "order", "r": "relation", "s": "height", "f": "facing", "m": "action"}


@dataclass(frozen=True)
class Draft:
    """A filled template: its slots' names and facets in the order of the words."""

    template: str
    names: tuple[str, ...]
    facets: tuple[Facet, ...]
    text: str

    @property
    def kind(self) -> str:
        """What the sentence speaks of: slot groups joined by "+"."""
        return "+".join(sorted({GROUPS[name] for name in self.names if name in GROUPS}))

    def holds(self, view: View, i: int) -> Truth:
        return every(facet.holds(view, i) for facet in self.facets)

    def excludes(self, view: View, i: int) -> bool:
        """Whether it is false of person i under any reading ("the nearest girl" may mean the nearest of the girls)."""
        return any((facet.alone or facet.holds)(view, i) is False for facet in self.facets)

    def fits_only(self, view: View, i: int) -> bool:
        return self.holds(view, i) is True and all(self.holds(view, j) is False for j in view.ids if j != i)


def fill(
    slot: str,
    view: View,
    look: Look,
    me: int | None,
    split: str,
    rng: Draw,
    who: Facet | None = None,
    want: bool = True,
) -> Facet | None:
    """One slot's facet, of a look. Place words are drawn among those true of ``me`` (not true, where not ``want``)."""
    words = words_of(split)
    if slot == "he":
        return pronoun(look, words, rng)
    if slot == "l":
        return hair_is(look, words, rng)
    if slot == "m":
        return doing(view, me, rng)
    if slot in NOUNS:
        return noun(look, words, rng)
    if slot in "hg":
        return feature(look, words, rng, None if me is None else view.people[me].holding)
    if slot == "j":
        return adjective(look, words, rng)
    if slot in "yz":
        return among(view, slot, words, rng, me)
    if slot == "r":
        return relation(view, words, rng, me, want)
    if slot in PLACED:
        return placed(view, slot, words, rng, who, me, want)
    return clothes(look, words, rng, {"b": "a", "v": "u"}.get(slot, slot))


def construction(split: str, family: str, rng: Draw) -> str:
    """A template of a split and family."""
    return form(family, rng) if split == "train" else pick(rng, TEMPLATES[split][family])


def assemble(template: str, facets: list[Facet], split: str) -> Draft | None:
    """Put facets into a template; None if a topic or a word comes twice, or the length is out of bounds."""
    topics = [f.topic for f in facets]
    if len(set(topics)) < len(topics):
        return None
    names = tuple(SLOT.findall(template))
    given = iter(zip(names, facets, strict=True))

    def worded(_: re.Match) -> str:
        name, facet = next(given)
        return article(facet.text) if name == "an" else facet.text

    text = SLOT.sub(worded, template)
    noun_said = {f.text.split()[-1] for f in facets if f.topic == "noun"}
    text = text.replace("{poss}", "his" if noun_said & MALE else "her" if noun_said & FEMALE else "their")
    text = re.sub(r"\ba (?=[aeiou])", "an ", text)
    if re.search(r"\b(\w+) \1\b", text):  # "has a coat on on the left"
        return None
    least, most = TRAIN_WORDS if split == "train" else (MIN_WORDS, MAX_WORDS)
    return Draft(template, names, tuple(facets), text) if least <= len(text.split()) <= most else None


def compose(template: str, view: View, look: Look, me: int | None, split: str, rng: Draw) -> Draft | None:
    """Fill a template about person ``me`` of the view, or, with ``me`` None, about a look that need not be there."""
    names = SLOT.findall(template)
    if me is None and not set(names).isdisjoint("rsyz"):
        return None
    facets: dict[str, Facet] = {}
    who = None
    for name in sorted(names, key=lambda name: name not in NOUNS):  # the noun first: stature needs it
        facet = fill(name, view, look, me, split, rng, who)
        if facet is None:
            return None
        who = facet if name in NOUNS else who
        facets[name] = facet
    return assemble(template, [facets[name] for name in names], split)
