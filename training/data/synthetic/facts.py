"""What is true of a rendered clip: looks, places and deeds.

The renderer states it; sentences and records are made from it.
"""

from dataclasses import dataclass, field

import numpy as np

COLOURS = (
    "white",
    "black",
    "grey",
    "red",
    "orange",
    "yellow",
    "green",
    "blue",
    "navy",
    "purple",
    "pink",
    "brown",
    "beige",
)
TOPS = ("t-shirt", "shirt", "sweater", "hoodie", "jacket", "coat", "tank top", "dress")
SLEEVES = ("none", "short", "long")
PATTERNS = ("plain", "striped", "checked", "dotted")
BOTTOMS = ("trousers", "shorts", "skirt")
HAIR_COLOURS = ("black", "brown", "blonde", "red", "grey", "white")
HAIR_LENGTHS = ("bald", "short", "long")
HAIR_STYLES = ("loose", "ponytail", "bun")
HATS = ("cap", "hat", "beanie")
GLASSES = ("glasses", "sunglasses")
BUILDS = ("slim", "average", "heavy")
FACINGS = ("camera", "away", "left", "right")
JOINTS = (
    "root", "spine05", "spine04", "spine03", "spine02", "spine01", "neck01", "head",
    "upperarm01.L", "lowerarm01.L", "wrist.L", "upperarm01.R", "lowerarm01.R", "wrist.R",
    "upperleg01.L", "lowerleg01.L", "foot.L", "upperleg01.R", "lowerleg01.R", "foot.R",
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """How one person looks; stays the same through the clip. Colours are members of ``COLOURS``.

    height is in metres, as rendered. sex is told of children too (the "man" of them is a boy). sleeves are the top's;
    an open jacket, coat, hoodie or shirt shows ``inner``. hair_style is of long hair only. skin ("light", "medium",
    "dark") is kept for statistics; no sentence speaks of it.
    """

    sex: str  # "man" | "woman"
    age: str  # "child" | "adult" | "old"
    height: float
    build: str  # BUILDS
    hair_colour: str  # HAIR_COLOURS
    hair_length: str  # HAIR_LENGTHS
    beard: bool
    glasses: str | None  # GLASSES
    hat: str | None  # colour
    top: str  # TOPS
    top_colour: str
    bottom: str | None  # BOTTOMS; None under a dress
    bottom_colour: str | None
    shoes: str  # colour
    hat_kind: str | None = None  # HATS; None where hat is None
    hair_style: str | None = None  # HAIR_STYLES
    sleeves: str = "long"  # SLEEVES
    pattern: str = "plain"  # PATTERNS, of the top
    pattern_colour: str | None = None  # of stripes, checks or dots; None where plain
    inner: str | None = None  # colour of the shirt under an open top; None where closed
    scarf: str | None = None  # colour
    tie: str | None = None  # colour
    carried: str | None = None  # "backpack" | "bag" (from the shoulder): worn throughout and visible
    skin: str = "medium"


@dataclass(frozen=True)
class Person:
    """One person of a clip, in T frames. Boxes are fractions of the frame, xyxy; NaN rows where out of view.

    boxes_xyxy: tight on the *visible* body, without what is held, [T, 4].
    full_boxes_xyxy: the whole body, hidden parts too, clamped to the frame, [T, 4].
    visible: visible share of the body's pixels (of what it would cover alone, parts out of the frame counted), [T].
    joints_xy: 2-D joints, fractions of the frame, not clamped, [T, J, 2]; NaN behind the camera.
    joints_seen: whether each joint lies in the frame with nothing in front of it, [T, J].
    hidden_by: share of the body's pixels in the frame that each person of the clip hides, and, in the last column,
        things and furniture, [T, P + 1].
    depth: metres from the camera at the key frame.
    facing: one of ``FACINGS``: where the body points at the key frame, in the picture.
    actions: AVA ids, sorted; only what can be seen. posture: "standing", "sitting", …, at the key frame.
    holding: object in the hand at the key frame ("phone", "book", "cup", …) if it is seen.
    """

    look: Look
    boxes_xyxy: np.ndarray
    full_boxes_xyxy: np.ndarray
    visible: np.ndarray
    depth: float
    facing: str
    actions: tuple[int, ...]
    posture: str
    holding: str | None = None
    joints_xy: np.ndarray | None = None
    joints_seen: np.ndarray | None = None
    hidden_by: np.ndarray | None = None


@dataclass(frozen=True)
class Thing:
    """A labelled object: name, colour if it has one, box per frame in fractions [T, 4] (NaN where unseen).

    depth: metres from the camera, of its middle, at the key frame; None where it is not known.
    """

    name: str
    colour: str | None
    boxes_xyxy: np.ndarray
    depth: float | None = None


@dataclass(frozen=True)
class Scene:
    """A rendered clip: RGB frames uint8 [T, H, W, 3], its rate, its key frame, everyone and every labelled object."""

    frames: np.ndarray
    fps: float
    key_frame: int
    people: tuple[Person, ...]
    things: tuple[Thing, ...] = ()
    place: str = ""
    tags: tuple[str, ...] = field(default_factory=tuple)
