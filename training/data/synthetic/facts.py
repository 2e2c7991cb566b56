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
TOPS = ("t-shirt", "shirt", "sweater", "jacket", "coat", "vest", "dress")
BOTTOMS = ("trousers", "shorts", "skirt")
HAIR_COLOURS = ("black", "brown", "blonde", "red", "grey", "white")
HAIR_LENGTHS = ("bald", "short", "long")
BUILDS = ("slim", "average", "heavy")


@dataclass(frozen=True)
class Look:
    """How one person looks; stays the same through the clip. Colours are members of ``COLOURS``."""

    sex: str  # "man" | "woman", of children too ("man" is a boy)
    age: str  # "child" | "adult" | "old"
    height: float  # metres, as rendered
    build: str  # BUILDS
    hair_colour: str  # HAIR_COLOURS
    hair_length: str  # HAIR_LENGTHS
    beard: bool
    glasses: bool
    hat: str | None  # colour
    top: str  # TOPS
    top_colour: str
    striped: bool  # the top has stripes or checks
    bottom: str | None  # BOTTOMS; None under a dress
    bottom_colour: str | None
    shoes: str  # colour
    carried: str | None = None  # "bag", "backpack", "umbrella", …: carried throughout and visible


@dataclass(frozen=True)
class Person:
    """One person of a clip.

    boxes_xyxy: tight on the *visible* body, fractions of the frame, [T, 4]; NaN rows where out of view.
    full_boxes_xyxy: the whole body, occluded parts too, clamped to the frame, [T, 4].
    visible: visible fraction of the body's pixels (over what it would cover alone, out-of-frame parts counted), [T].
    """

    look: Look
    boxes_xyxy: np.ndarray
    full_boxes_xyxy: np.ndarray
    visible: np.ndarray
    depth: float  # metres from the camera at the key frame
    facing: str  # "camera" | "away" | "left" | "right": where the body points at the key frame, in the picture
    actions: tuple[int, ...]  # AVA ids, sorted
    posture: str  # "standing" | "sitting" | "lying" | "crouching" …: at the key frame
    holding: str | None = (
        None  # object in the hand at the key frame ("phone", "book", "cup", "ball", "box"), if visible
    )


@dataclass(frozen=True)
class Thing:
    """A labelled object: name, colour if it has one, box per frame in fractions [T, 4] (NaN where unseen)."""

    name: str
    colour: str | None
    boxes_xyxy: np.ndarray


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
