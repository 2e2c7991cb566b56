"""What is true of the people in view: looks, clothes, places, relations, facing.

Truth has three values: True, False and None, "a reader might disagree" (navy or black, nearly level, out of sight).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..facts import BOTTOMS, Look, Scene, Thing
from .words import ALIKE, CONFUSED, HAIR_CONFUSED, LANDMARKS, TONES

Truth = bool | None
IN_VIEW, DESCRIBED, MIN_AREA = 0.08, 0.3, 0.004  # visible share to count, to be described; share of the frame
CLOSE_UP, CLOSE_AREA = 0.15, 0.06  # somebody filmed from near may be described although most of the body is cut off
SMALL = 1.4  # metres, between children and adults
TINY = 0.15  # height, as a share of the frame's, below which nobody's sex or age is called sure
# postures in which "up" in the picture is not towards the head
FLAT = ("lying", "falling", "fallen", "crawling", "getting up", "swimming")
TALL = ("standing", "walking", "running")  # in which heights can be compared
# detail: part of the body it is on, least height of the person as a share of the frame, ways to face
ANY, SIDEWAYS, FRONT = (("camera", "away", "left", "right"), ("camera", "left", "right"), ("camera",))
DETAILS = {
    "top": ("trunk", 0.12, ANY),
    "pattern": ("trunk", 0.3, ANY),
    "sleeves": ("trunk", 0.3, ANY),
    "inner": ("trunk", 0.35, FRONT),
    "scarf": ("trunk", 0.3, ANY),
    "tie": ("trunk", 0.5, FRONT),
    "bag": ("trunk", 0.25, ANY),
    "backpack": ("trunk", 0.25, ("away", "left", "right")),
    "build": ("trunk", 0.3, ANY),
    "bottom": ("legs", 0.15, ANY),
    "shoes": ("feet", 0.4, ANY),
    "hair": ("head", 0.3, ANY),
    "tied": ("head", 0.4, ("away", "left", "right")),
    "age": ("head", 0.3, ANY),
    "hat": ("head", 0.25, ANY),
    "beard": ("head", 0.5, SIDEWAYS),
    "glasses": ("head", 0.65, FRONT),
    "sunglasses": ("head", 0.5, FRONT),
}
# rows of joints, as in ``facts.JOINTS`` and the marks after them
HEAD, NECK, CHEST, EYES = 7, 6, 5, (24, 25)
TRUNK, HIPS, KNEES, FEET = (1, 2, 3, 4, 5, 8, 11), (0, 14, 17), (15, 18), (16, 19)
SHOULDERS = (8, 11)  # the body's left and right
SHIRTS = ("t-shirt", "shirt", "sweater", "tank top", "top")  # what an open coat may show


def every(values: Iterable[Truth]) -> Truth:
    """Three-valued "and": False if any is False, else None if any is None, else True."""
    values = [v if v is None else bool(v) for v in values]
    return False if any(v is False for v in values) else None if any(v is None for v in values) else True


def some(values: Iterable[Truth]) -> Truth:
    """Three-valued "or"."""
    negated = every(None if v is None else not v for v in values)
    return None if negated is None else not negated


class View:
    """Who is in view at the key frame, and where. Boxes are fractions of the frame, xyxy; depths are metres.

    everyone: the view in which people also count of whom hardly anything shows. readings: both, where they differ.
    """

    def __init__(self, scene: Scene, floor: float = IN_VIEW):
        k = self.key = scene.key_frame
        self.people = scene.people
        self.aspect = scene.frames.shape[2] / scene.frames.shape[1]
        self.ids = [
            i
            for i, p in enumerate(scene.people)
            if np.isfinite(p.boxes_xyxy[k]).all() and p.visible[k] >= floor and p.visible[k] > 0
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
        self.things = landmarks(scene)
        self.named = [thing.name for thing in scene.things]
        faint = floor > 0 and any(0 < p.visible[k] < floor and np.isfinite(p.boxes_xyxy[k]).all() for p in self.people)
        self.everyone: View = View(scene, 0.0) if faint else self
        self.readings = (self, self.everyone) if faint else (self,)
        self._seen: dict[tuple[int, str], bool] = {}
        self._sizes: dict[int, float] = {}

    def described(self) -> list[int]:
        """People clear enough, and doing enough that is seen, for a sentence of their own."""
        area = {i: (b[2] - b[0]) * (b[3] - b[1]) for i, b in self.box.items()}
        return [
            i
            for i in self.ids
            if area[i] >= MIN_AREA
            and self.people[i].actions
            and (
                self.visible[i] >= DESCRIBED
                or (self.visible[i] >= CLOSE_UP and area[i] >= CLOSE_AREA and bool(self._joint(i, HEAD, CHEST)))
            )
        ]

    def _joint(self, i: int, *rows: int) -> Truth:
        """Whether all these joints are seen; None where it is not known."""
        seen = self.people[i].joints_seen
        return None if seen is None or seen.shape[1] <= max(rows) else bool(seen[self.key, list(rows)].all())

    def _span(self, i: int, a: int, b: int) -> np.ndarray | None:
        """From joint b to joint a in the picture (2,), in heights of the frame; None where it is not known."""
        xy = self.people[i].joints_xy
        if xy is None or xy.shape[1] <= max(a, b):
            return None
        span = (xy[self.key, a] - xy[self.key, b]) * (self.aspect, 1)
        return span if np.isfinite(span).all() else None

    def size(self, i: int) -> float:
        """Height of person i as a share of the frame's, were they upright and all in the frame; a lower bound."""
        if i not in self._sizes:
            trunk = self._span(i, NECK, HIPS[0])
            wide, tall = (float(v) for v in (self.box[i][2:] - self.box[i][:2]) * (self.aspect, 1))
            tall = max(wide, tall) if self.people[i].posture in FLAT else tall
            self._sizes[i] = tall if trunk is None else max(tall, float(np.linalg.norm(trunk)) / 0.34)
        return self._sizes[i]

    def seen(self, i: int, detail: str) -> bool:
        """Whether a detail of person i can be made out; see ``DETAILS``."""
        if (i, detail) not in self._seen:
            part, size, ways = DETAILS[detail]
            person = self.people[i]
            turned = len(ways) == 4 or (person.facing in ways and person.posture not in FLAT)
            self._seen[i, detail] = turned and self.size(i) >= size and self._part(i, part)
        return self._seen[i, detail]

    def _part(self, i: int, part: str) -> bool:
        """Whether trunk, legs, feet or head of person i is in sight: by the joints, else by the boxes."""
        box, full, person = self.box[i], self.full[i], self.people[i]
        height = full[3] - full[1]
        upright = person.posture not in FLAT
        known = self._joint(i, HEAD) is not None
        if part == "trunk":
            if known:
                return sum(bool(self._joint(i, j)) for j in TRUNK) >= 3  # arms and what is held may hide the others
            if full[1] <= 0.005 and self.visible[i] < 0.45:
                return False  # cut by the frame's upper edge, perhaps down to the legs
            return not upright or (box[1] <= full[1] + 0.3 * height and box[3] >= full[1] + 0.3 * height)
        if part == "legs":
            # a coat covers what the frame leaves of the legs
            if full[3] >= 0.985 and (self.visible[i] < 0.85 or person.look.top == "coat"):
                return False
            if known:
                return any(self._joint(i, j) for j in KNEES) and any(self._joint(i, j) for j in HIPS)
            return bool(box[3] >= full[1] + 0.8 * height if upright else self.visible[i] > 0.75)
        if part == "feet":
            inside = full[3] < 0.985 and full[0] > 0.005 and full[2] < 0.995 and self.visible[i] > 0.6
            if known:
                return inside and any(self._joint(i, j) for j in FEET)
            return bool(inside and upright and box[3] >= full[3] - 0.04 * height)
        if known:
            return bool(full[1] > 0.005 and self._joint(i, HEAD) and self._joint(i, *EYES) is not False)
        return bool(box[1] <= full[1] + 0.06 * height and full[1] > 0.005 and upright)

    def frontal(self, i: int) -> float | None:
        """Width of the shoulders in the picture over the trunk's length: about .58 from the front, -.58 from behind."""
        wide, trunk = self._span(i, *SHOULDERS), self._span(i, NECK, HIPS[0])
        return None if wide is None or trunk is None else float(wide[0] / max(np.linalg.norm(trunk), 1e-6))


def landmarks(scene: Scene) -> list[Thing]:
    """Things that people may be placed by: large enough, in the frame, the only ones of their name."""
    k, names = scene.key_frame, [t.name for t in scene.things]
    out = []
    for thing in scene.things:
        box = thing.boxes_xyxy[k]
        if thing.name in LANDMARKS and names.count(thing.name) == 1 and np.isfinite(box).all():
            wide, tall = box[2] - box[0], box[3] - box[1]
            if wide * tall > 0.006 and wide < 0.6 and min(wide, tall) > 0.04:
                out.append(thing)
    return out


# ---- looks --------------------------------------------------------------------------------------------------------
def same_colour(asked: str | None, actual: str | None) -> Truth:
    """Whether one colour may be called by the other's name; either may be one of ``TONES``."""
    if asked == actual or actual is None:
        return asked == actual
    for tone, colour in ((asked, actual), (actual, asked)):
        if tone in TONES:
            surely, perhaps = TONES[tone]
            return True if colour in surely else None if colour in perhaps else False
    return None if frozenset((asked, actual)) in CONFUSED else False


def told_sex(look: Look) -> bool:
    """Whether beard, hair or a skirt let a stranger name the sex; where not, no reader is held to it."""
    if look.sex == "man":
        return look.beard or look.hair_length != "long"
    return look.top == "dress" or look.bottom == "skirt" or look.hair_length == "long"


def is_child(look: Look) -> Truth:
    """Whether "child" fits; unsure of children as tall as small adults, and of those adults."""
    child = look.age == "child"
    return None if child == (look.height > SMALL) else child


def is_sex(look: Look, sex: str, child: bool) -> Truth:
    """Whether "man", "woman", "boy" or "girl" fits."""
    young = is_child(look)
    return every((None if young is None else young == child, look.sex == sex if told_sex(look) else None))


def is_old(look: Look) -> Truth:
    grey = look.age == "adult" and (look.hair_colour in ("grey", "white") or look.hair_length == "bald")
    return True if look.age == "old" else None if grey else False


def shows_age(look: Look) -> bool:
    """Whether somebody's hair tells that they are old; wrinkles are too fine for the picture."""
    return look.hair_colour in ("grey", "white") and (look.beard or (look.hair_length != "bald" and not covered(look)))


def hair(look: Look, colour: str | None, length: str | None) -> Truth:
    """Whether hair of a colour ("dark" for black or brown) and a length fits."""
    values: list[Truth] = []
    if look.hair_length == "bald":
        values.append(length == "bald")
    elif colour == "dark":
        sure = look.hair_colour in ("black", "brown")
        values.append(True if sure else None if look.hair_colour in ("red", "grey") else False)
    elif colour is not None:
        alike = frozenset((colour, look.hair_colour)) in HAIR_CONFUSED
        values.append(True if colour == look.hair_colour else None if alike else False)
    if length is not None:
        tied = look.hair_length == "long" and look.hair_style in ("ponytail", "bun")
        short = look.hair_length == "short"
        values.append(
            None if tied and length != "bald" else None if short and length == "bald" else look.hair_length == length
        )
    return every(values)


def covered(look: Look, length: str | None = None) -> bool:
    """Whether a hat hides what would tell the hair."""
    return look.hat is not None and (look.hair_length != "long" or length == "bald")


# ---- clothes ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Wear:
    """A piece of clothing as spoken of; None is unsaid.

    topic: "top", "bottom", "shoes", "hat", "scarf" or "tie". garment "top" is any shirt. second: the colour of stripes,
    checks or dots. inner: colour of the shirt under an open top. undone: said to be open.
    """

    topic: str
    garment: str
    colour: str | None = None
    pattern: str | None = None
    second: str | None = None
    sleeves: str | None = None
    inner: str | None = None
    undone: bool = False


def same_garment(asked: str, look: Look) -> Truth:
    actual = look.bottom if asked in BOTTOMS else look.top
    if asked == "top":
        return None if look.top in ("jacket", "coat", "dress") else True
    if asked == actual:
        return None if asked == "t-shirt" and look.sleeves == "long" else True
    if look.inner is not None and asked in SHIRTS:
        return None
    if (asked == "skirt" and look.top in ("dress", "coat")) or (asked == "dress" and look.bottom == "skirt"):
        return None
    return None if frozenset((asked, actual)) in ALIKE else False


def base_colour(look: Look, colour: str | None) -> Truth:
    """Whether a top may be called by this colour, no pattern being mentioned."""
    truth = same_colour(colour, look.top_colour)
    if look.pattern == "plain":
        return truth
    if truth is False:
        return None if same_colour(colour, look.pattern_colour) is not False else False
    return truth if look.pattern == "dotted" else None


def in_colour(look: Look, colour: str | None) -> Truth:
    """Whether "in red" fits: by the top; unsure if only another big piece has about that colour."""
    truth = base_colour(look, colour)
    rest = (look.bottom_colour, look.hat, look.inner, look.scarf, look.tie)
    return None if truth is False and any(c and same_colour(colour, c) is not False for c in rest) else truth


def all_in(look: Look, colour: str | None) -> Truth:
    """Whether "all in black" fits."""
    mixed = look.pattern != "plain" or look.inner is not None
    parts = [base_colour(look, colour)] + ([] if look.bottom is None else [same_colour(colour, look.bottom_colour)])
    truth = every(parts)
    return None if truth is True and mixed else truth


def two_colours(look: Look, one: str | None, two: str | None) -> Truth:
    """Whether a pattern of these two colours, in either order, fits."""
    given = (look.top_colour, look.pattern_colour)
    return some(every(same_colour(a, b) for a, b in zip(pair, given, strict=True)) for pair in ((one, two), (two, one)))


def top_fits(wear: Wear, look: Look) -> Truth:
    values = [same_garment(wear.garment, look)]
    if wear.second is not None:
        values.append(False if look.pattern == "plain" else two_colours(look, wear.colour, wear.second))
    elif wear.colour is not None and wear.pattern is not None:
        pale = look.pattern_colour and same_colour(wear.colour, look.pattern_colour) is not False
        truth = same_colour(wear.colour, look.top_colour)
        values.append(None if truth is False and pale else truth)
    elif wear.colour is not None:
        truth = base_colour(look, wear.colour)
        under = look.inner and wear.garment in SHIRTS and same_colour(wear.colour, look.inner) is not False
        values.append(None if truth is False and under else truth)
    if wear.pattern is not None:
        clear = same_colour(look.top_colour, look.pattern_colour) is False
        values.append(False if look.pattern == "plain" else True if look.pattern == wear.pattern and clear else None)
    if wear.sleeves is not None:
        near = {wear.sleeves, look.sleeves} == {"none", "short"}
        values.append(None if near else wear.sleeves == look.sleeves)
    if wear.inner is not None:
        values.append(False if look.inner is None else same_colour(wear.inner, look.inner))
    if wear.undone:
        values.append(look.inner is not None)
    return every(values)


def piece_fits(wear: Wear, look: Look) -> Truth:
    """Whether trousers, shoes, a hat, a scarf or a tie fit."""
    if wear.topic == "bottom":
        actual = look.bottom_colour or look.top_colour
        colour = True if wear.colour is None else same_colour(wear.colour, actual)
        if wear.garment == "skirt" and look.top == "coat":
            colour = some((colour, None if same_colour(wear.colour, look.top_colour) is not False else False))
        return every((same_garment(wear.garment, look), colour))
    actual = getattr(look, wear.topic)
    if actual is None:
        return False
    values = [True if wear.colour is None else same_colour(wear.colour, actual)]
    if wear.topic == "hat" and wear.garment != "hat":
        values.append(True if wear.garment == look.hat_kind else None)
    return every(values)


def wears(wear: Wear, view: View, i: int) -> Truth:
    """Whether the clothing fits person i, sure only of what is in sight."""
    truth = (top_fits if wear.topic == "top" else piece_fits)(wear, view.people[i].look)
    return None if truth is True and not in_sight(wear, view, i) else truth


def in_sight(wear: Wear, view: View, i: int) -> bool:
    """Whether all that is said of the clothing could be seen on person i."""
    parts = [wear.topic]
    parts += ["pattern"] * (wear.pattern is not None) + ["sleeves"] * (wear.sleeves is not None)
    parts += ["inner"] * (wear.inner is not None or wear.undone) + ["bottom"] * (wear.garment in ("dress", "coat"))
    return all(view.seen(i, part) for part in parts)
