"""A described person seen in a mirror: left and right change places in the picture, the box and the sentence alike."""

import re
from dataclasses import replace

import numpy as np

from refatomnet.records import Record

Box = tuple[float, float, float, float]

_SIDES = {"left": "right", "right": "left"}
_ENDINGS = "|most|wards?|hand|handed|hander|side"
_WORD = re.compile(rf"(?<![A-Za-z])(left|right)({_ENDINGS})(?![A-Za-z])", re.IGNORECASE)
# A side, whatever follows: "the left", "his right", "at right" …
_SURELY = set("the a an his its their our my your at on from far farther farthest further furthest extreme".split())
# … a side, unless one of ``_OPEN`` follows: "to right", "facing left", "top-right"; but "looking right at us" …
_LIKELY = set(
    """to her facing faces faced looking looks turned turning turns leaning leans oriented pointing points
    heading heads headed moving moves walking going towards toward top bottom upper lower front back rear centre center
    middle mid first second third fourth fifth sixth seventh eighth ninth tenth outermost slightly way stage camera
    screen image picture frame photo""".split()
)
# … or a side because of what follows: "left of the lamp", "right side", "left-hand".
_PARTS = set(
    """of side sides hand hands handed hander half part portion third edge edges border corner end area section region
    most arm arms leg legs foot feet eye ear knee shoulder wrist elbow cheek sleeve glove shoe profile facing""".split()
)
# After "right" that means just or quite: "right behind him", "right in front", "right now".
_JUST = set(
    """behind in next beside by near nearest here there now before after above below under underneath beneath over at up
    down across between through outside inside against alongside opposite around where beyond on to""".split()
)
_OPEN = _JUST | set("the a an his her their its alone".split())  # the latter after "left" that is a verb
_BEING = {"he's", "she's", "it's", "who's", "that's", "there's", "here's", "what's"}
_HANDED = re.compile(r"(?<![a-z])(anti-?|counter-?)?clockwise(?![a-z])|[\"“”]", re.IGNORECASE)


def mirror_sentence(sentence: str) -> str | None:
    """The sentence as it holds of the mirrored picture: left and right swapped wherever they mean a side.

    Swapped are places ("first on the right", "left of the lamp"), extremes ("right-most"), directions ("facing
    leftward") and sides of the body ("his left hand", "left-handed"); capitals are kept. "Right" that means just or
    quite ("right behind the lamp") stays as it is.

    Refused, with None, is a sentence whose mirror image is not sure: where the word may be no side at all ("left the
    room", "the only one left", "sits right", "all right"), one that quotes writing, which nobody reads in a mirror,
    and one that says clockwise. Mirroring twice gives the sentence back.
    """
    if _HANDED.search(sentence):
        return None
    parts, done = [], 0
    for found in _WORD.finditer(sentence):
        means = _meaning(sentence, found)
        if means is None:
            return None
        word = found[1]
        parts += [sentence[done : found.start()], _like(word, _SIDES[word.lower()]) if means == "side" else word]
        done = found.end(1)
    return "".join([*parts, sentence[done:]])


def _meaning(sentence: str, found: re.Match[str]) -> str | None:
    """What the word means: "side", "just", or None where it is neither for sure."""
    if found[2]:
        return "side"
    before = re.search(r"([A-Za-z'’]+)[\s-]+$", sentence[: found.start()])
    after = re.match(r"[\s-]+([A-Za-z'’]+)", sentence[found.end() :])
    first, then = (match[1].lower().replace("’", "'") if match else "" for match in (before, after))
    if then in ("angle", "angled"):
        return None
    owned = first.endswith("'s") and first not in _BEING
    if then in _PARTS or first in _SURELY or owned or (first in _LIKELY and then not in _OPEN):
        return "side"
    may_be_side = first in _LIKELY or not first
    return "just" if found[1].lower() == "right" and then in _JUST and not may_be_side else None


def _like(pattern: str, word: str) -> str:
    """The word in the capitals of another."""
    return word.upper() if pattern.isupper() else word.capitalize() if pattern[0].isupper() else word


def mirror_box(box_xyxy: Box) -> Box:
    """Corners in fractions of the frame, of the same place in the mirrored frame."""
    x1, y1, x2, y2 = box_xyxy
    return 1 - x2, y1, 1 - x1, y2


def mirror_record(record: Record) -> Record | None:
    """The record as it holds of the mirrored clip; None where its sentence is refused."""
    sentence = mirror_sentence(record.sentence)
    if sentence is None:
        return None
    box = record.box_xyxy and mirror_box(record.box_xyxy)
    return replace(record, sentence=sentence, box_xyxy=box)


def mirror_image(image: np.ndarray) -> np.ndarray:
    """A frame [H, W, C] left to right."""
    return np.ascontiguousarray(image[:, ::-1])
