"""The words of training: those of all splits and many more, and none of those kept for the paraphrases.

A word may be no wider than what it stands for: it must be false wherever that is, or "nobody fits" would be a lie.
"Shirt" for a t-shirt will do, as a shirt and a t-shirt are never told apart (``words.ALIKE``); "bottoms" for trousers
will not. A shade holds wherever ``palette.shade`` may draw its colour; so there is no light blue, maroon or olive.
"""

from dataclasses import replace

from .words import COMMON, Table


def widened(table: Table, more: Table) -> Table:
    """A table with more ways to say its keys; a key that was said as it is still is so, among them."""
    return {**table, **{key: (*table.get(key, (key, key)), *said) for key, said in more.items()}}


def sided(more: Table) -> Table:
    """What is said of the left, and the same of the right."""
    return more | {
        key.replace("left", "right"): tuple(text.replace("left", "right") for text in said)
        for key, said in more.items()
    }


TRAIN = replace(
    COMMON,
    tones=0.12,
    pairs=0.15,
    nouns=widened(
        COMMON.nouns,
        {
            "man": ("guy", "guy", "gent", "fella", "adult man"),
            "woman": ("woman", "lady", "lady", "adult woman"),
            "boy": ("boy", "schoolboy"),
            "girl": ("girl", "schoolgirl"),
            "child": ("child", "kid", "schoolchild", "schoolkid"),
            "adult": ("grownup",),
        },
    ),
    old=(*COMMON.old, "elderly", "retired", "ageing"),
    small=(*COMMON.small, "younger", "smallish"),
    colours=widened(
        COMMON.colours,
        {
            "white": ("white", "bright white", "pure white", "plain white", "off-white"),
            "black": ("black", "plain black", "pitch-black", "solid black"),
            "grey": ("grey", "gray", "medium grey", "ash grey", "plain grey", "plain gray"),
            "red": ("red", "bright red", "crimson", "scarlet", "vivid red", "cherry red"),
            "orange": ("orange", "bright orange", "tangerine", "vivid orange"),
            "yellow": ("yellow", "bright yellow", "sunny yellow", "vivid yellow"),
            "green": ("green", "forest green", "grass green", "emerald", "leaf green"),
            "blue": ("blue", "bright blue", "royal blue", "cobalt blue", "vivid blue"),
            "navy": ("navy", "dark navy", "dark blue", "marine blue", "navy-blue"),
            "purple": ("purple", "violet", "dark purple", "plum"),
            "pink": ("pink", "rose", "bright pink", "rose pink"),
            "brown": ("brown", "dark brown", "coffee brown"),
            "beige": ("beige", "tan", "light tan", "light brown", "khaki", "camel"),
        },
    )
    | {"light": ("light", "pale")},
    hair_colours=widened(
        COMMON.hair_colours,
        {
            "black": ("raven",),
            "brown": ("brown", "brunette"),
            "blonde": ("blonde", "blond"),
            "red": ("red", "auburn", "reddish"),
            "grey": ("grey", "greyish", "greying"),
        },
    ),
    lengths=widened(COMMON.lengths, {"long": ("long", "lengthy")}),
    garments=widened(
        COMMON.garments,
        {
            "t-shirt": ("t-shirt", "shirt", "tee-shirt", "tshirt"),
            "shirt": ("shirt", "button-down shirt", "collared shirt"),
            "sweater": ("sweater", "knit sweater", "woolly jumper", "knit jumper", "long-sleeved top"),
            "hoodie": ("hoody", "hooded sweater", "hooded jumper"),
            "jacket": ("jacket", "zip jacket"),
            "coat": ("coat", "winter coat", "warm coat"),
            "tank top": ("tank", "sleeveless shirt", "sleeveless tee"),
            "dress": ("gown",),
            "trousers": ("trousers", "pants", "long pants", "long trousers"),
            "sport shoes": ("trainers", "sneakers", "running shoes"),
            "beanie": ("beanie", "wool hat", "winter hat", "knit beanie", "hat"),
            "cap": ("cap", "baseball hat", "hat"),
            "scarf": ("shawl",),
        },
    )
    | {  # of a colour, of a woman
        "blue trousers": ("trousers", "pants", "jeans", "jeans", "denims"),
        "navy trousers": ("trousers", "pants", "jeans", "jeans", "denims"),
        "beige trousers": ("trousers", "pants", "chinos"),
        "woman shirt": ("shirt", "shirt", "blouse", "blouse", "collared shirt"),
    },
    patterns=widened(
        COMMON.patterns,
        {"striped": ("striped", "stripey"), "checked": ("checked", "tartan"), "dotted": ("polka-dotted", "spotty")},
    ),
    undone=widened(COMMON.undone, dict.fromkeys(("shirt", "coat", "jacket"), ("unfastened",))),
    features=widened(
        COMMON.features,
        {
            "beard": ("a beard", "a bearded face", "a beard on {poss} face"),
            "glasses": ("glasses", "glasses on", "a pair of glasses", "a pair of glasses on"),
            "sunglasses": ("sunglasses on", "a pair of sunglasses", "dark glasses", "sun glasses"),
            "bald": ("a bald head", "a shaved head"),
            "ponytail": ("{c} hair tied back in a ponytail", "a ponytail of {c} hair", "{c} hair tied in a ponytail"),
            "bun": ("{c} hair tied back in a bun", "a bun of {c} hair", "a {c} bun"),
            "ponytail alone": ("a ponytail", "hair tied in a ponytail", "hair tied back"),
            "bun alone": ("a hair bun", "hair tied in a bun", "hair tied back"),
            "backpack": ("a backpack on", "a rucksack on {poss} back", "a bag on {poss} back"),
            "bag": ("a bag over {poss} shoulder", "a messenger bag"),
            "handbag": ("a bag over {poss} shoulder", "a handbag"),
        },
    ),
    adjectives=widened(
        COMMON.adjectives,
        {
            "slim": ("slim", "slight", "slightly built"),
            "heavy": ("heavy", "large", "stocky", "chubby", "overweight", "plump"),
            "bald": ("bald", "balding", "shaven-headed"),
            "beard": ("bearded", "unshaven"),
        },
    ),
    places=widened(
        COMMON.places,
        sided(
            {
                "left": (
                    "on the left", "at the left", "on left", "at the left side", "on left side", "towards the left",
                    "to the left side", "at left",
                ),
                "left part": (
                    "on the left of the frame", "in the left half", "in the left half of the picture",
                    "on the left half of the screen", "on the left side of the video", "left of centre",
                    "on the left side of the screen", "in the left part of the frame", "at the left of the image",
                ),
                "far left": (
                    "on the far left side", "on far left", "at the left end", "farthest to the left",
                    "on the far left of the picture",
                ),
                "left edge": (
                    "at the left edge of the picture", "at the left margin", "close to the left edge",
                    "next to the left edge of the image", "on the left edge",
                ),
            }
        )
        | {
            "middle": (
                "in the middle of the screen", "in the centre of the picture", "at the centre", "in center",
                "in the middle of the image", "in the central part", "in middle", "in the middle of the video",
            ),
            "near": ("closest to us", "closest to camera"),
            "foreground": ("in front", "in the front", "in foreground", "at the front of the picture", "at front"),
            "far": ("farthest from us", "furthest from us", "furthest back", "farthest back"),
            "background": ("in the back", "in background", "at the back of the picture"),
        },
    ),
    extremes=widened(COMMON.extremes, sided({"left": ("left-most",)})),
    relations=widened(
        COMMON.relations,
        sided({"left": ("on the left side of", "to the left side of", "farther left than", "more to the left than")})
        | {
            "beside": ("next to", "right next to", "by", "close to", "just beside"),
            "between": ("in between {a} and {b}", "in the middle between {a} and {b}"),
        },
    )
    | {"between two": ("between {ab}", "between {ab}", "in between {ab}", "in the middle of {ab}")},
    facings=widened(
        COMMON.facings,
        sided(
            {
                "left": (
                    "turned to the left", "turned left", "facing towards the left", "in profile, facing left",
                    "side-on, facing left", "turned towards the left", "from the side, facing left",
                )
            }
        )
        | {
            "away": (
                "turned away", "turned away from us", "turned away from the camera", "with {poss} back turned",
                "with {poss} back turned to us", "with {poss} back towards the camera", "seen from the back",
            ),
            "camera": (
                "turned towards us", "turned to the camera", "facing forwards", "facing forward", "facing to the front",
                "turned towards the camera",
            ),
        },
    ),
    orders={
        "first": ("first from the {side}", "first on the {side}", "first from {side}", "first in line from the {side}"),
        "": (
            "{nth} from the {side}", "{nth} from the {side}", "{nth} from {side}", "{nth} from the {side} side",
            "{nth} in line from the {side}", "{nth} from the {side} end",
        ),
    },
    statures=COMMON.statures | {"nearer": ("nearer", "closer")},
    plurals=widened(
        COMMON.plurals,
        {"man": ("men", "guys", "gentlemen"), "woman": ("women", "ladies"), "adult": ("adults", "grown-ups")},
    ),
)  # fmt: skip
