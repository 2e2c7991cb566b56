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
    suffixes=("",) * 14 + ("-toned", "-hued"),
    nouns=widened(
        COMMON.nouns,
        {
            "man": ("guy", "guy", "gent", "fella", "adult man", "mister", "buddy"),
            "woman": ("woman", "lady", "lady", "adult woman", "madam", "dame"),
            "boy": ("boy", "schoolboy"),
            "girl": ("girl", "schoolgirl"),
            "child": ("child", "kid", "schoolchild", "schoolkid", "little one", "juvenile"),
            "person": ("person", "person", "character", "subject"),
            "adult": ("grownup", "adult person"),
        },
    ),
    old=(*COMMON.old, "elderly", "retired", "ageing"),
    small=(*COMMON.small, "younger", "smallish", "youthful"),
    colours=widened(
        COMMON.colours,
        {
            "white": (
                "white", "bright white", "pure white", "plain white", "off-white", "chalk-white", "milk-white",
                "whitish",
            ),
            "black": ("black", "plain black", "pitch-black", "solid black", "coal-black", "ebony", "blackish"),
            "grey": ("grey", "gray", "medium grey", "ash grey", "plain grey", "plain gray", "steel grey", "greyish"),
            "red": (
                "red", "bright red", "crimson", "scarlet", "vivid red", "cherry red", "ruby red", "tomato red",
                "blood red", "reddish",
            ),
            "orange": ("orange", "bright orange", "tangerine", "vivid orange", "pumpkin orange", "carrot orange"),
            "yellow": ("yellow", "bright yellow", "sunny yellow", "vivid yellow", "lemon yellow", "yellowish"),
            "green": ("green", "forest green", "grass green", "emerald", "leaf green", "emerald green", "greenish"),
            "blue": (
                "blue", "bright blue", "royal blue", "cobalt blue", "vivid blue", "sapphire blue", "electric blue",
                "bluish",
            ),
            "navy": ("navy", "dark navy", "dark blue", "marine blue", "navy-blue", "ink blue", "dark-blue"),
            "purple": ("purple", "violet", "dark purple", "plum", "grape", "violet-purple"),
            "pink": ("pink", "rose", "bright pink", "rose pink", "bubblegum pink", "flamingo pink", "pinkish"),
            "brown": ("brown", "dark brown", "coffee brown", "cocoa brown", "walnut brown", "brownish"),
            "beige": ("beige", "tan", "light tan", "light brown", "khaki", "camel", "oatmeal", "fawn"),
        },
    )
    | {"light": ("light", "pale")},
    hair_colours=widened(
        COMMON.hair_colours,
        {
            "black": ("raven", "ebony", "coal-black"),
            "brown": ("brown", "brunette", "hazel", "mousy brown"),
            "blonde": ("blonde", "blond", "flaxen", "straw-blond"),
            "red": ("red", "auburn", "reddish", "rust-red"),
            "grey": ("grey", "greyish", "greying", "ashen", "steel-grey"),
            "white": ("white", "pure white", "whitish"),
        },
    ),
    lengths=widened(COMMON.lengths, {"long": ("long", "lengthy"), "short": ("short", "close-cut", "clipped")}),
    garments=widened(
        COMMON.garments,
        {
            "t-shirt": ("t-shirt", "shirt", "tee-shirt", "tshirt", "tee shirt"),
            "shirt": ("shirt", "button-down shirt", "collared shirt", "buttoned shirt", "button-through shirt"),
            "sweater": (
                "sweater", "knit sweater", "woolly jumper", "knit jumper", "long-sleeved top", "woollen pullover",
                "crewneck sweater",
            ),
            "hoodie": ("hoody", "hooded sweater", "hooded jumper", "hooded pullover", "sweatshirt with a hood"),
            "jacket": ("jacket", "zip jacket", "zip-through jacket"),
            "coat": ("coat", "winter coat", "warm coat", "long coat", "outdoor coat"),
            "tank top": ("tank", "sleeveless shirt", "sleeveless tee", "muscle shirt", "undershirt"),
            "dress": ("gown", "one-piece dress"),
            "trousers": ("trousers", "pants", "long pants", "long trousers", "full-length trousers", "pantaloons"),
            "shorts": ("shorts", "bermudas", "bermuda shorts", "knee-length shorts", "short trousers"),
            "shoes": ("shoes", "shoes", "kicks"),
            "sport shoes": ("trainers", "sneakers", "running shoes", "athletic shoes", "tennis shoes", "sports shoes"),
            "beanie": ("beanie", "wool hat", "winter hat", "knit beanie", "hat", "toque", "woollen skullcap"),
            "cap": ("cap", "baseball hat", "hat", "visored cap", "sports cap"),
            "hat": ("hat", "headpiece"),
            "scarf": ("shawl", "neckerchief", "wrap"),
            "top": ("top", "upper garment"),
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
        {
            "striped": ("striped", "stripey", "banded", "multi-striped"),
            "checked": ("checked", "tartan", "gingham", "checkerboard"),
            "dotted": ("polka-dotted", "spotty", "dotty", "speckled"),
        },
    ),
    undone=widened(COMMON.undone, dict.fromkeys(("shirt", "coat", "jacket"), ("unfastened", "unclosed"))),
    features=widened(
        COMMON.features,
        {
            "beard": ("a beard", "a bearded face", "a beard on {poss} face", "a beard on {poss} chin"),
            "glasses": (
                "glasses", "glasses on", "a pair of glasses", "a pair of glasses on", "eye glasses",
                "reading glasses",
            ),
            "sunglasses": ("sunglasses on", "a pair of sunglasses", "dark glasses", "sun glasses", "tinted glasses"),
            "bald": ("a bald head", "a shaved head", "a bare head", "a smooth head"),
            "ponytail": (
                "{c} hair tied back in a ponytail", "a ponytail of {c} hair", "{c} hair tied in a ponytail",
                "{c} hair gathered in a ponytail", "{c} hair pulled back in a ponytail",
            ),
            "bun": ("{c} hair tied back in a bun", "a bun of {c} hair", "a {c} bun", "{c} hair wound in a bun"),
            "ponytail alone": (
                "a ponytail", "hair tied in a ponytail", "hair tied back", "hair gathered in a ponytail",
            ),
            "bun alone": ("a hair bun", "hair tied in a bun", "hair tied back", "hair wound in a bun"),
            "backpack": (
                "a backpack on", "a rucksack on {poss} back", "a bag on {poss} back", "a daypack",
                "a pack on {poss} back",
            ),
            "bag": (
                "a bag over {poss} shoulder", "a messenger bag", "a crossbody bag",
                "a bag hanging from {poss} shoulder",
            ),
            "handbag": ("a bag over {poss} shoulder", "a handbag", "a bag hanging from {poss} shoulder"),
        },
    ),
    adjectives=widened(
        COMMON.adjectives,
        {
            "slim": ("slim", "slight", "slightly built", "thinnish", "willowy", "wiry"),
            "heavy": ("heavy", "large", "stocky", "chubby", "overweight", "plump", "fat", "hefty", "rotund"),
            "bald": ("bald", "balding", "shaven-headed", "bald-pated"),
            "beard": ("bearded", "unshaven", "beardy"),
        },
    ),
    places=widened(
        COMMON.places,
        sided(
            {
                "left": (
                    "on the left", "at the left", "on left", "at the left side", "on left side", "towards the left",
                    "to the left side", "at left", "over on the left", "somewhere on the left", "on our left",
                    "to our left",
                ),
                "left part": (
                    "on the left of the frame", "in the left half", "in the left half of the picture",
                    "on the left half of the screen", "on the left side of the video", "left of centre",
                    "on the left side of the screen", "in the left part of the frame", "at the left of the image",
                    "in the left area of the picture", "in the left section of the frame",
                    "on the picture's left side", "in the left region",
                ),
                "far left": (
                    "on the far left side", "on far left", "at the left end", "farthest to the left",
                    "on the far left of the picture", "at the leftmost end",
                ),
                "left edge": (
                    "at the left edge of the picture", "at the left margin", "close to the left edge",
                    "next to the left edge of the image", "on the left edge", "near the left edge", "at the left rim",
                    "at the left boundary of the picture",
                ),
            }
        )
        | {
            "middle": (
                "in the middle of the screen", "in the centre of the picture", "at the centre", "in center",
                "in the middle of the image", "in the central part", "in middle", "in the middle of the video",
                "near the centre", "in the core of the picture", "midway across the picture",
                "halfway across the frame", "in mid-picture",
                "in the picture's centre",
            ),
            "near": ("closest to us", "closest to camera", "nearest to the viewpoint", "closest to where we are"),
            "foreground": (
                "in front", "in the front", "in foreground", "at the front of the picture", "at front", "in the fore",
                "towards the front", "in the near part of the picture",
            ),
            "far": (
                "farthest from us", "furthest from us", "furthest back", "farthest back", "deepest in the picture",
                "at the far end",
            ),
            "background": (
                "in the back", "in background", "at the back of the picture", "towards the back", "in the backdrop",
                "far back", "in the far part of the picture",
            ),
        },
    ),
    extremes=widened(
        COMMON.extremes,
        sided({"left": ("left-most", "outermost left", "farthest left")})
        | {"near": ("nearest", "front", "closest", "nearmost"), "far": ("farthest", "backmost", "farthermost", "back")},
    ),
    relations=widened(
        COMMON.relations,
        sided(
            {
                "left": (
                    "on the left side of", "to the left side of", "farther left than", "more to the left than",
                    "further to the left than", "at the left of", "on the left from",
                )
            }
        )
        | {
            "beside": (
                "next to", "right next to", "by", "close to", "just beside", "close by", "near to", "side by side with",
                "directly next to", "neighbouring",
            ),
            "behind": ("directly behind", "in behind", "straight behind"),
            "before": ("directly in front of", "in the front of", "before", "straight in front of"),
            "between": (
                "in between {a} and {b}", "in the middle between {a} and {b}", "sandwiched between {a} and {b}",
                "enclosed by {a} and {b}", "with {a} on one side and {b} on the other",
            ),
        },
    )
    | {
        "between two": (
            "between {ab}", "between {ab}", "in between {ab}", "in the middle of {ab}", "sandwiched between {ab}",
            "enclosed by {ab}",
        )
    },
    facings=widened(
        COMMON.facings,
        sided(
            {
                "left": (
                    "turned to the left", "turned left", "facing towards the left", "in profile, facing left",
                    "side-on, facing left", "turned towards the left", "from the side, facing left",
                    "turned sideways to the left", "with {poss} body to the left", "in profile towards the left",
                )
            }
        )
        | {
            "away": (
                "turned away", "turned away from us", "turned away from the camera", "with {poss} back turned",
                "with {poss} back turned to us", "with {poss} back towards the camera", "seen from the back",
                "with {poss} back facing us", "from behind", "with {poss} face away from us", "away from the camera",
            ),
            "camera": (
                "turned towards us", "turned to the camera", "facing forwards", "facing forward", "facing to the front",
                "turned towards the camera", "front-facing", "from the front", "with {poss} chest to the camera",
                "turned to face us",
            ),
        },
    ),
    orders={
        "first": (
            "first from the {side}", "first on the {side}", "first from {side}", "first in line from the {side}",
            "first starting from the {side}", "first as you go from the {side}",
        ),
        "": (
            "{nth} from the {side}", "{nth} from the {side}", "{nth} from {side}", "{nth} from the {side} side",
            "{nth} in line from the {side}", "{nth} from the {side} end", "{nth} starting from the {side}",
            "{nth} as you go from the {side}", "{nth} in the row from the {side}", "{nth} going from the {side}",
            "in {nth} position from the {side}", "in the {nth} spot from the {side}",
            "in position {number} from the {side}", "person {number} from the {side}",
        ),
    },
    statures=COMMON.statures | {
        "nearer": ("nearer", "closer"), "farther": ("farther", "more distant", "further"),
    },
    plurals=widened(
        COMMON.plurals,
        {
            "man": ("men", "guys", "gentlemen", "fellas"), "woman": ("women", "ladies"),
            "adult": ("adults", "grown-ups"),
            "person": ("people", "persons", "characters"), "child": ("children", "kids", "schoolchildren"),
        },
    ),
)  # fmt: skip
