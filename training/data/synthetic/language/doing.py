"""What somebody is doing, as a few sentences of training say: slot m, "waving", "seated".

Nobody is called not to be doing something unless enough of them is seen to tell. Actions that look alike at this size,
or of which one goes with another, are never told apart.
"""

from dataclasses import dataclass
from functools import partial

from .facets import Draw, Facet, pick
from .truths import Truth, View

CLEAR, TALL_ENOUGH = 0.7, 0.3  # visible share, and height in the frame, from which what is not done can be told


@dataclass(frozen=True)
class Doing:
    """Something done: the AVA ids of which any one shows it, how it is said, and the ids that may be taken for it.

    postures: Where given, those of ``Person.posture`` that it needs besides; others in ``unsure`` may be taken for it.
    """

    ids: frozenset[int]
    said: tuple[str, ...]
    alike: frozenset[int] = frozenset()
    posture: str = ""
    unsure: tuple[str, ...] = ()


def _doing(ids: str, said: str, alike: str = "", posture: str = "", unsure: str = "") -> Doing:
    numbers = [frozenset(int(n) for n in text.split()) for text in (ids, alike)]
    return Doing(numbers[0], tuple(said.split("/")), numbers[1], posture, tuple(unsure.split("/")))


DOINGS = (
    _doing("12", "standing/standing/standing still", "1 3 4 5 6 7 9 10 14 20 64 71", "standing",
           "bending/dancing/fighting/getting up/jumping/falling/walking/running"),
    _doing("11", "sitting/seated/sitting down", "3 5 6 8 49", "sitting", "crouching/getting up/crawling/falling"),
    _doing("14", "walking/strolling/on foot", "4 10 9 64", "walking", "running/dancing/fighting/getting up"),
    _doing("10", "running/jogging", "4 7 9 14 35 64", "running", "walking/jumping/dancing/fighting"),
    _doing("8", "lying/lying down/lying flat", "2 5 6", "lying", "falling/fallen/crawling/getting up/swimming"),
    _doing("3", "crouching/crouching down", "1 2 5 6 11 75", "crouching",
           "bending/sitting/crawling/getting up/falling"),
    _doing("4", "dancing", "7 9 10 14 64 67 69"),
    _doing("7", "jumping/leaping", "4 5 6 9 10 20 35 71"),
    _doing("69", "waving/waving a hand", "4 18 34 43 58 67 74 79 77 65"),
    _doing("67", "clapping/applauding", "4 69 74 77 68"),
    _doing("15", "on the phone/talking on the phone/making a phone call", "57 56 37 79"),
    _doing("57", "texting/using a phone/busy with a phone", "15 48 56 63 62 37"),
    _doing("48", "reading", "57 62 63 40 38"),
    _doing("63", "writing", "48 57 62 39 40"),
    _doing("29", "eating", "16 27 54 23 77"),
    _doing("27", "drinking", "16 29 54 77"),
    _doing("54", "smoking", "16 27 29 15"),
    _doing("16", "brushing {poss} teeth", "27 29 54"),
    _doing("25 53", "digging/digging with a shovel", "1 34 36 46 58"),
    _doing("77", "singing", "79 27 29"),
    _doing("41", "playing music/playing an instrument", "33 77"),
    _doing("56", "taking a photo/taking a picture/photographing", "15 57"),
    _doing("43", "pointing/pointing at something", "65 69 78 58 46 59 34"),
    _doing("39", "painting/painting a wall", "59 63 60"),
    _doing("33", "fishing", "41 45 58"),
    _doing("20", "climbing", "7 12 14"),
    _doing("62", "working on a computer/using a laptop/typing", "48 57 63 41"),
    _doing("23 55", "cooking/stirring a pot", "19 24 29"),
    _doing("24 19", "cutting/chopping", "23 55 34"),
    _doing("70", "hugging/hugging someone", "66 72 73"),
)  # fmt: skip


def is_doing(what: Doing, view: View, i: int) -> Truth:
    """Whether somebody is doing it: True by a label, which is of what can be seen; False only of the plainly seen."""
    person = view.people[i]
    mine = set(person.actions)
    clear = view.size(i) >= TALL_ENOUGH
    if mine & what.ids and (not what.posture or person.posture == what.posture):
        return True if clear else None
    if mine & (what.ids | what.alike) or (what.posture and person.posture in (what.posture, *what.unsure)):
        return None
    return False if clear and view.visible[i] >= CLEAR and mine else None


def doing_facet(what: Doing, rng: Draw) -> Facet:
    def changed(rng: Draw) -> Facet:
        return doing_facet(pick(rng, [d for d in DOINGS if not d.ids & what.ids]), rng)

    return Facet(pick(rng, what.said), partial(is_doing, what), "action", None, changed)


def doing(view: View, me: int | None, rng: Draw) -> Facet | None:
    """Something that ``me`` is doing, postures half as often as the rest; anything, where nobody is spoken of."""
    options = [d for d in DOINGS if me is None or is_doing(d, view, me) is True]
    options += [d for d in options if not d.posture]
    return doing_facet(pick(rng, options), rng) if options else None
