"""Words of place, order, depth, height and relation, read from a sentence and resolved by geometry.

Models of pictures and sentences hardly know left from right or second from third; boxes do. English only, and only the
constructions below; whatever is not understood stays in the sentence.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from refatomnet.text import STOP_WORDS

WORST = -6.0  # natural logarithm of how well a rule fits, at the least
A_PLACE_OFF = -3.0  # for standing one place beside the one in order that is meant
UNSEEN = -1.5  # for everyone where the thing that is spoken of is not detected
EDGE = 0.03  # heights of the picture within which two people count as level
STEEP = 10.0  # how fast left becomes right about the middle, a width of the picture

# Which of four kinds of people a noun means; nouns that mean any are with all.
KINDS = ("man", "woman", "boy", "girl")
_NOUNS = {
    "man guy gentleman male bloke father dad fellow": (0,),
    "woman lady female mother mum mom": (1,),
    "boy lad": (2,),
    "girl": (3,),
    "child kid toddler": (2, 3),
    "adult grown-up": (0, 1),
    "person one somebody someone individual human figure": (0, 1, 2, 3),
}
NOUNS = {noun: kinds for nouns, kinds in _NOUNS.items() for noun in nouns.split()}
_ANYBODY = {noun for noun, kinds in NOUNS.items() if len(kinds) == len(KINDS)}
# Words that say nothing of a person's looks once the words of place are gone.
_FILLERS = _ANYBODY | set(
    "seen placed positioned located found visible shown there here over out whoever all of in on at to".split()
)
# What people call COCO's things.
_THINGS = {
    "sofa settee": "couch", "bike": "bicycle", "motorbike": "motorcycle", "plane": "airplane", "telly television": "tv",
    "phone cellphone mobile": "cell phone", "table": "dining table", "plant": "potted plant", "fridge": "refrigerator",
    "purse": "handbag", "ball": "sports ball", "puppy": "dog", "kitten": "cat", "rucksack": "backpack",
    "lorry": "truck", "hob cooker": "oven", "mug": "cup",
}  # fmt: skip
THINGS = {word: name for words, name in _THINGS.items() for word in words.split()}
_PLURALS = {"men": "man", "women": "woman", "children": "child", "people": "person"}
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()


class Scene(NamedTuple):
    """Who and what is on a picture. Boxes are xyxy in heights of the picture.

    people: (P, 4). aspect: width of the picture. fits: how well each person fits the sentence's noun, 0 to 1 (P);
    order is counted among those. things: by COCO's name, boxes (M, 4) and scores (M). matches: by phrase, logits of
    each person being who it describes (P).
    """

    people: np.ndarray
    aspect: float
    fits: np.ndarray
    things: Mapping[str, tuple[np.ndarray, np.ndarray]]
    matches: dict[str, np.ndarray]


@dataclass(frozen=True)
class Side:
    """Towards one end (-1, 1) or in the middle (0) of "across", "down" or "near"."""

    measure: str
    end: int

    def fit(self, scene: Scene) -> np.ndarray:
        """By where they are in the picture and by where the others are, half each; of depth by the others alone."""
        value = _MEASURES[self.measure](scene)
        others = scene.fits.sum() - scene.fits
        after = (_beyond(value) * scene.fits).sum(1) / np.maximum(others, 1e-9)  # share of the others farther on
        size = {"across": scene.aspect, "down": 1.0}.get(self.measure)
        alone = value / size if size else np.full(len(value), (1 + self.end) / 2)
        if self.end:
            among = after if self.end < 0 else 1 - after
            placed = _sigmoid(STEEP * self.end * (alone - 0.5))
        else:
            among = 1 - np.abs(2 * after - 1)
            placed = np.exp(-(((alone - 0.5) / 0.15) ** 2) / 2)
        # A middle needs people on both sides; with fewer the picture alone decides.
        weight = np.where(others > (0.5 if self.end else 1.5), 0.5 if size else 1.0, 0.0)
        return _log((1 - weight) * placed + weight * among)


@dataclass(frozen=True)
class Order:
    """The n-th in order of a measure, counted from its low end (``end`` -1) or its high one (1)."""

    measure: str
    end: int
    number: int = 1

    def fit(self, scene: Scene) -> np.ndarray:
        """A fixed price for every place off, two at most."""
        value = -self.end * _MEASURES[self.measure](scene)
        before = (_beyond(-value) * scene.fits).sum(1)
        return A_PLACE_OFF * np.minimum(np.abs(1 + before - self.number), 2.0)


@dataclass(frozen=True)
class Relation:
    """Left or right of, next to, behind, in front of or between others: things by name, or people by description."""

    how: str
    things: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()

    def fit(self, scene: Scene) -> np.ndarray:
        """The best that fits with any of those it could be about, by how likely these are what is spoken of."""
        boxes, chances, owners = self._anchors(scene)
        if not len(boxes):
            return np.full(len(scene.people), UNSEEN)
        fits = np.full((len(scene.people), len(boxes)), WORST)
        for i, person in enumerate(scene.people):
            for j, anchor in enumerate(boxes):
                if owners[j] != i:
                    fits[i, j] = max(WORST, _RELATIONS[self.how](person, anchor) + chances[j])
        if self.how != "between":
            return np.asarray(fits.max(1))
        return np.array([self._between(i, scene.people, boxes, chances, owners) for i in range(len(scene.people))])

    def _anchors(self, scene: Scene) -> tuple[list[np.ndarray], list[float], list[int]]:
        """Boxes that may be meant, the logarithm of how likely, and which person each is, -1 for things."""
        boxes: list[np.ndarray] = []
        chances: list[float] = []
        owners: list[int] = []
        for name in dict.fromkeys(self.things):
            for box, score in zip(*scene.things.get(name, ((), ())), strict=True):
                boxes.append(box)
                chances.append(float(_log(np.array(score))))
                owners.append(-1)
        for phrase in self.phrases:
            match = _log(_sigmoid(scene.matches[phrase] - scene.matches[phrase].max(initial=-np.inf)) * 2)
            boxes += list(scene.people)
            chances += match.tolist()
            owners += list(range(len(scene.people)))
        return boxes, chances, owners

    @staticmethod
    def _between(i: int, people: np.ndarray, boxes: list[np.ndarray], chances: list[float], owners: list[int]) -> float:
        here = (people[i, 0] + people[i, 2]) / 2
        best = WORST
        for j, one in enumerate(boxes):
            for k, other in enumerate(boxes):
                if (one[0] + one[2]) < (other[0] + other[2]) and owners[j] != i != owners[k]:
                    left, right = (one[0] + one[2]) / 2, (other[0] + other[2]) / 2
                    inside = _sigmoid(STEEP * (here - left)) * _sigmoid(STEEP * (right - here))
                    best = max(best, float(_log(inside)) + chances[j] + chances[k])
        return best


Rule = Side | Order | Relation


@dataclass(frozen=True)
class Reading:
    """A sentence taken apart.

    looks: What is left for a model of pictures and sentences to judge, None if nothing is but "the person". rules: what
    geometry judges. kinds: which of KINDS the sentence's noun means.
    """

    looks: str | None
    rules: tuple[Rule, ...]
    kinds: tuple[int, ...]

    @property
    def phrases(self) -> tuple[str, ...]:
        """Descriptions of the other people that the sentence speaks of."""
        return tuple(phrase for rule in self.rules if isinstance(rule, Relation) for phrase in rule.phrases)

    def fit(self, scene: Scene) -> np.ndarray:
        """Logarithm of how well each person fits all rules, and the noun that order is counted among (P); 0 at most."""
        total = _log(scene.fits) if self.rules else np.zeros(len(scene.people))
        for rule in self.rules:
            total += np.clip(rule.fit(scene), WORST, 0)
        return total


def read_places(sentence: str, things: Sequence[str]) -> Reading:
    """Take the words of place and order out of a sentence.

    Args:
        sentence: Describes one person.
        things: Names of what can be detected, in COCO's spelling.
    """
    text = re.sub(r"\s+", " ", sentence.lower()).strip(" .!?")
    text = re.sub(r"^(?:of|among) (?:all )?(?:the )?people(?: here)?,? ", "", text)
    text = _ONE_OF.sub(lambda match: f"{match['which']} {_singular(match['those'])}", text)
    kinds = next((NOUNS[word] for word in re.findall(r"[\w-]+", text) if word in NOUNS), tuple(range(len(KINDS))))
    rules: list[Rule] = []
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match.group())
        return f"\0{len(kept) - 1}\0"

    text = _NO_PLACE.sub(keep, text)
    for pattern, make in _patterns(frozenset(things)):

        def take(match: re.Match[str], make: _Make = make) -> str:
            made = make(match, things)
            if made is None:
                return match.group()
            rule, instead = made
            rules.append(rule)
            return instead

        text = pattern.sub(take, text)
    text = re.sub("\0(\\d+)\0", lambda match: kept[int(match.group(1))], text)
    text = re.sub(r"\s*,(?:\s*,)+", ",", re.sub(r"\s+", " ", text)).replace(" ,", ",").strip(" ,")
    if rules:
        text = _NO_MORE_CLAUSE.sub("", text)
    if not rules:
        return Reading(sentence.strip(), (), kinds)
    telling = [word for word in re.findall(r"[\w'-]+", text) if word not in STOP_WORDS and word not in _FILLERS]
    return Reading(text if telling else None, tuple(rules), kinds)


_Make = Callable[[re.Match[str], Sequence[str]], tuple[Rule, str] | None]
_NOUN = rf"(?:{'|'.join(sorted(NOUNS, key=len, reverse=True))})"
_PICTURE = r"(?:picture|frame|image|screen|video|photo|scene|shot|view|clip|group|row|line)"
_OF_PICTURE = rf"(?: of (?:the |this )?{_PICTURE}\b)?"
_BODY = r"(?:hand|arm|leg|foot|shoulder|eye|ear|wrist|knee|sleeve)"
# Ways to look or go, parts of the body and lengths of clothes and hair are no places.
_NO_PLACE = re.compile(
    r"\b(?:facing|looking|turned|turning|walking|running|moving|heading|going|coming|pointing|leaning|gazing"
    r"|faces|looks|walks|runs|moves|heads|goes|points|leans)"
    r"(?: over)?(?: to| toward| towards| from)?(?: the| his| her| their)? (?:left|right|camera|front|back|viewer|us)\b"
    rf"|\b(?:left|right) {_BODY}s?\b"
    r"|\b(?:shorter|longer|shortest|longest)[- ](?:hair|haired|skirt|sleeves?|dress|beard|coat|jacket|trousers|pants)\b"
)
_PLURAL = rf"(?:{'|'.join([*_PLURALS, *(f'{noun}s' for noun in NOUNS)])})"
_NUMBER = r"(?:two|three|four|five|six|seven|eight|nine|ten|\d+)"
# The leftmost of the three women is the leftmost woman.
_ONE_OF = re.compile(
    r"\b(?P<which>(?:left|right)[- ]?most|tallest|taller|shortest|shorter|nearest|nearer|closest|closer"
    rf"|farthest|farther|furthest|further) of (?:all )?(?:the |these |those )?(?:{_NUMBER} )?(?P<those>{_PLURAL})\b"
)
_NO_MORE_CLAUSE = re.compile(r",? (?:who|that|which) (?:is|are)(?=,|$)")  # "who is", once "on the left" is taken out
_CAMERA = r"(?:the )?(?:camera|us|viewer|lens)\b"
_ENDS = {"left": -1, "right": 1, "top": -1, "upper": -1, "bottom": 1, "lower": 1}


def _order(match: re.Match[str], things: Sequence[str]) -> tuple[Rule, str]:
    told = match["number"]
    number = int(re.sub(r"\D", "", told)) if told[0].isdigit() else _ORDINALS.index(told) + 1
    return Order("across", _ENDS[match["side"]], number), f" {match['noun'] or ''} "


def _end(match: re.Match[str], things: Sequence[str]) -> tuple[Rule, str]:
    return Order("across", _ENDS[match["side"]]), " "


def _side(match: re.Match[str], things: Sequence[str]) -> tuple[Rule, str]:
    side = match["side"]
    return Side("across" if side in ("left", "right") else "down", _ENDS[side]), " "


def _corner(match: re.Match[str], things: Sequence[str]) -> tuple[Rule, str]:
    """The height at once, the side by the pattern after."""
    return Side("down", _ENDS[match["height"]]), f" on the {match['side']} "


def _deep_corner(match: re.Match[str], things: Sequence[str]) -> tuple[Rule, str]:
    return Side("near", 1 if match["depth"] == "front" else -1), f" on the {match['side']} "


def _plain(rule: Rule) -> _Make:
    return lambda match, things: (rule, " ")


def _relation(how: str) -> _Make:
    def make(match: re.Match[str], things: Sequence[str]) -> tuple[Rule, str] | None:
        return _read_relation(how, match["rest"], things)

    return make


def _with_thing(match: re.Match[str], things: Sequence[str]) -> tuple[Rule, str] | None:
    """On a bench, at a table, with a dog: near it, and a look of the person too."""
    names = _thing(match["rest"], things)
    return (Relation("next", (names[0],)), match.group()) if names else None


def _read_relation(how: str, rest: str, things: Sequence[str]) -> tuple[Rule, str] | None:
    """Who or what a relation is to, from the words after it, and what of these is about the person again."""
    if how == "between":
        two = re.match(r"(?P<one>.+?) and (?P<other>[^,]+)(?P<after>.*)", rest)
        parts = [two["one"], two["other"]] if two else [_one_of(rest)]
        found = [_anchor(part, things) for part in parts]
        if None in found:
            return None
        names = tuple(one[0] for one in found if one and one[0])
        phrases = tuple(one[1] for one in found if one and one[1])
        after = two["after"] if two else found[0][2] if found[0] else ""
        return Relation(how, names, phrases), f" {after} "
    one = _anchor(rest, things)
    if one is None:
        return None
    name, phrase, after = one
    return Relation(how, (name,) if name else (), (phrase,) if phrase else ()), f" {after} "


def _one_of(several: str) -> str:
    """One of several people: of "two men in black", "man in black"."""
    first, _, more = re.sub(r"^(?:the )?(?:two|both) ", "", several).partition(" ")
    return f"{_singular(first)} {more}".strip()


def _singular(noun: str) -> str:
    return _PLURALS.get(noun, noun.removesuffix("s"))


def _anchor(rest: str, things: Sequence[str]) -> tuple[str, str, str] | None:
    """The thing's name or else the description of a person that words begin with, and the words after."""
    start = re.match(r"(?:(?:the|a|an|that|this|another|his|her|their|some) )?", rest)
    noun = re.match(rf"(?:[\w'-]+ ){{0,3}}?{_NOUN}\b", rest[start.end() if start else 0 :])
    thing = _thing(rest, things)
    if noun and not (thing and thing[1] < (start.end() if start else 0) + noun.end()):
        # Words up to a comma or to a clause of the sentence's own person describe the other person.
        end = re.search(r",| who | whose | that is | and is ", rest)
        stop = end.start() if end else len(rest)
        return "", rest[:stop], rest[stop:]
    if thing:
        return thing[0], "", rest[thing[1] :]
    return None


def _thing(rest: str, things: Sequence[str]) -> tuple[str, int] | None:
    """The detectable thing named within the first four words, and where its name ends."""
    words = list(re.finditer(r"[\w'-]+", rest))[:5]
    for i, word in enumerate(words):
        if word.group() in NOUNS or (i and "," in rest[words[i - 1].end() : word.start()]):
            return None
        for last in (words[i + 1], word) if i + 1 < len(words) else (word,):
            said = rest[word.start() : last.end()]
            name = next((n for n in (said, said.removesuffix("s"), THINGS.get(said, "")) if n in things), None)
            if name:
                return name, last.end()
    return None


def _patterns(things: frozenset[str]) -> list[tuple[re.Pattern[str], _Make]]:
    """What is looked for, in this order, and what it makes.

    Relations first: what is said after one, up to a comma, is about the other person.
    """
    rest = r" (?P<rest>[^\0].*)"
    here = rf"(?! (?:the |this )?(?:{_PICTURE}|centre|center|middle)\b)"
    no_other = r"(?! of\b)"
    side = r"(?P<side>left|right)"
    numbers = rf"(?P<number>{'|'.join(_ORDINALS)}|\d+(?:st|nd|rd|th))"
    camera = rf"(?: (?:to |from )?{_CAMERA})"
    told: list[tuple[str, _Make]] = [
        (rf"(?:\b(?:to|on|at) the )?\bleft(?:[- ]hand)?(?: side)? of{here}{rest}", _relation("left")),
        (rf"(?:\b(?:to|on|at) the )?\bright(?:[- ]hand)?(?: side)? of{here}{rest}", _relation("right")),
        (rf"\b(?:next to|beside|alongside|adjacent to|close to|near to|near|by){here}"
         rf"(?! (?:the )?(?:camera|us|viewer|lens)\b){rest}", _relation("next")),
        (rf"\bbehind{rest}", _relation("behind")),
        (rf"\bin front of(?! (?:the )?(?:camera|us)\b){rest}", _relation("front")),
        (rf"\b(?:in )?between{rest}", _relation("between")),
        (rf"\b(?:nearest|closest|nearer|closer)(?: to|(?= the\b))(?! {_CAMERA}){rest}", _relation("next")),
        (rf"\b{numbers}(?: (?P<noun>{_NOUN}))?(?: in line| in the row)?[- ](?:from|on|at|to)(?:[- ]the)?"
         rf"(?: far)?[- ]{side}\b(?: side)?{_OF_PICTURE}", _order),
        (rf"(?:\b(?:on|at|to|in) )?(?:\bthe )?\b(?:far|very|extreme)[- ]{side}\b(?: side| end| edge)?{_OF_PICTURE}"
         rf"{no_other}", _end),
        (rf"\b(?:farthest|furthest)(?: to)?(?: the)? {side}\b{_OF_PICTURE}", _end),
        (rf"\b{side}[- ]?most\b", _end),
        (rf"\b(?:on|at|with|in){rest}", _with_thing),
        (rf"\b(?:nearest|closest|nearer|closer)\b(?:{camera}|(?! (?:to|the)\b))", _plain(Order("near", 1))),
        (rf"\b(?:farthest|furthest|farther|further)(?: away| back)?\b(?:{camera}|(?! (?:from|the)\b))",
         _plain(Order("near", -1))),
        (rf"(?:\b(?:on|at|in|to)(?: the)? )?\b(?P<depth>front|back|rear)[- ]{side}\b(?: corner| part)?"
         rf"{_OF_PICTURE}", _deep_corner),
        (rf"\bfront (?={_NOUN}\b)", _plain(Side("near", 1))),
        (rf"\b(?:back|rear) (?={_NOUN}\b)", _plain(Side("near", -1))),
        (rf"\b(?:in|at) (?:the )?(?:foreground|front)\b(?: row\b)?{no_other}{_OF_PICTURE}", _plain(Side("near", 1))),
        (rf"\b(?:in|at) (?:the )?(?:background|back|distance|rear)\b(?: row\b)?{no_other}{_OF_PICTURE}",
         _plain(Side("near", -1))),
        (r"\b(?:close|near|next) to (?:the )?(?:camera|us|viewer|lens)\b|\bin front of (?:the )?(?:camera|us)\b",
         _plain(Side("near", 1))),
        (r"\b(?:far away|far from (?:the )?(?:camera|us))\b", _plain(Side("near", -1))),
        (r"\b(?:tallest|taller)\b", _plain(Order("height", 1))),
        (r"\b(?:shortest|shorter)\b", _plain(Order("height", -1))),
        (rf"(?:\b(?:on|at|in|to)(?: the)? )?\b(?P<height>top|upper|bottom|lower)[- ]{side}\b(?: corner| part)?"
         rf"{_OF_PICTURE}", _corner),
        (rf"\b(?:on|at|in|to|from|near|toward|towards)(?: the| our| your| (?:the )?(?:viewer|camera)'s)? {side}\b"
         rf"(?:[- ]hand)?(?: (?:side|half|part|edge|end|corner|third))?{_OF_PICTURE}{no_other}", _side),
        (rf"\b{side} of (?:the )?(?:centre|center|middle)\b{_OF_PICTURE}", _side),
        (rf"\b{side}(?:[- ]hand)? (?={_NOUN}\b)", _side),
        (rf"\b(?:on|at|in)(?: the)? (?P<side>top|bottom)\b(?: half| part)?{_OF_PICTURE}{no_other}", _side),
        (rf"\b(?:in|at|near|toward|towards)(?: the)? (?:very )?(?:middle|centre|center)\b(?! distance)(?: part)?"
         rf"{_OF_PICTURE}{no_other}", _plain(Side("across", 0))),
        (r"\bin between(?=,|$)", _plain(Side("across", 0))),
        (rf"\b(?:middle|central|centre|center) (?={_NOUN}\b)", _plain(Side("across", 0))),
    ]  # fmt: skip
    return [(re.compile(pattern), make) for pattern, make in told]


def _across(scene: Scene) -> np.ndarray:
    return np.asarray((scene.people[:, 0] + scene.people[:, 2]) / 2)


def _down(scene: Scene) -> np.ndarray:
    return np.asarray((scene.people[:, 1] + scene.people[:, 3]) / 2)


def _height(scene: Scene) -> np.ndarray:
    """In the picture: who is nearer looks taller."""
    return np.asarray(scene.people[:, 3] - scene.people[:, 1])


def _near(scene: Scene) -> np.ndarray:
    """Who is nearer stands lower in the picture and is larger; both, as feet may be cut off."""
    return np.asarray(scene.people[:, 3] + _height(scene))


_MEASURES: dict[str, Callable[[Scene], np.ndarray]] = {
    "across": _across, "down": _down, "height": _height, "near": _near,
}  # fmt: skip


def _apart(person: np.ndarray, other: np.ndarray) -> float:
    """The gap between two boxes across the picture, in heights of the person; 0 where they overlap."""
    gap = max(person[0] - other[2], other[0] - person[2], 0.0)
    return float(gap / max(person[3] - person[1], 1e-6))


def _beside(sign: int) -> Callable[[np.ndarray, np.ndarray], float]:
    def fit(person: np.ndarray, other: np.ndarray) -> float:
        ahead = (other[0] + other[2] - person[0] - person[2]) / 2
        return float(_log(_sigmoid(2 * STEEP * sign * ahead))) - 0.5 * _apart(person, other)

    return fit


def _next(person: np.ndarray, other: np.ndarray) -> float:
    return -2.0 * _apart(person, other)


def _deeper(sign: int) -> Callable[[np.ndarray, np.ndarray], float]:
    def fit(person: np.ndarray, other: np.ndarray) -> float:
        lower = other[3] - person[3]
        return float(_log(_sigmoid(3 * STEEP * sign * lower))) - 2.0 * _apart(person, other)

    return fit


_RELATIONS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "left": _beside(1), "right": _beside(-1), "next": _next, "behind": _deeper(1), "front": _deeper(-1),
    "between": _next,
}  # fmt: skip


def _beyond(value: np.ndarray) -> np.ndarray:
    """By person and other (P, P), how surely the other has more of it; 0 for themselves."""
    more = _sigmoid((value[None] - value[:, None]) / EDGE)
    np.fill_diagonal(more, 0.0)
    return more


def _sigmoid(value: np.ndarray | float) -> np.ndarray:
    return np.asarray(0.5 * (1 + np.tanh(np.asarray(value, dtype=float) / 2)))


def _log(value: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(np.maximum(value, np.exp(WORST))))
