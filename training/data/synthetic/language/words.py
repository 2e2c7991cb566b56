"""The words of sentences about people, and which of them may be confused. Words given twice are said more often."""

from dataclasses import dataclass, field

Table = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Words:
    """One vocabulary: for each key of a table the ways to say it; a key that a table lacks is said as it is.

    suffixes: endings of a one-word colour before a garment ("red-coloured"). garments: a key may name a colour or sex
    too ("blue trousers", "woman shirt"). tones, pairs: how often a colour is called dark, light or bright, and trousers
    or shoes "a pair".
    """

    nouns: Table
    old: tuple[str, ...]
    small: tuple[str, ...]
    colours: Table
    suffixes: tuple[str, ...]
    hair_colours: Table
    lengths: Table
    garments: Table
    patterns: Table
    sleeves: Table
    undone: Table
    features: Table
    adjectives: Table
    places: Table
    extremes: Table
    relations: Table
    facings: Table
    orders: Table
    statures: Table
    plurals: Table = field(default_factory=dict)
    tones: float = 0.0
    pairs: float = 0.0


COMMON = Words(
    nouns={
        "man": ("man", "man", "man", "man", "guy", "gentleman"),
        "woman": ("woman", "woman", "woman", "lady"),
        "child": ("child", "kid"),
        "adult": ("adult", "grown-up"),
    },
    old=("old", "elderly", "older"),
    small=("little", "small", "young"),
    colours={
        "grey": ("grey", "gray"),
        "navy": ("navy", "navy blue", "dark blue"),
        "purple": ("purple", "purple", "violet"),
        "beige": ("beige", "tan", "cream"),
    },
    suffixes=("",),
    hair_colours={
        "grey": ("grey", "gray"),
        "blonde": ("blonde", "blond"),
        "red": ("red", "ginger"),
        "dark": ("dark",),
    },
    lengths={},
    garments={
        "t-shirt": ("t-shirt", "t-shirt", "t-shirt", "tee"),
        "sweater": ("sweater", "jumper", "pullover", "sweatshirt"),
        "hoodie": ("hoodie", "hoodie", "hooded sweatshirt"),
        "tank top": ("tank top", "sleeveless top", "tank top"),
        "trousers": ("trousers", "pants"),
        "sport shoes": ("trainers", "sneakers", "shoes", "shoes"),
        "beanie": ("beanie", "woolly hat", "knit hat"),
        "cap": ("cap", "cap", "baseball cap"),
    },
    patterns={
        "striped": ("striped", "striped", "stripy"),
        "checked": ("checked", "plaid", "chequered", "checkered"),
        "dotted": ("dotted", "polka-dot", "spotted"),
    },
    sleeves={
        "none": ("sleeveless",),
        "short": ("short-sleeved", "short-sleeve"),
        "long": ("long-sleeved", "long-sleeve"),
    },
    undone={"shirt": ("unbuttoned",), "coat": ("unbuttoned",), "jacket": ("unzipped",)},
    features={
        "beard": ("a beard",),
        "glasses": ("glasses",),
        "sunglasses": ("sunglasses",),
        "bald": ("a bald head",),
        "ponytail": ("a {c} ponytail", "{c} hair in a ponytail"),
        "bun": ("{c} hair in a bun", "{c} hair tied in a bun"),
        "ponytail alone": ("a ponytail", "hair in a ponytail"),
        "bun alone": ("a bun", "hair in a bun"),
        "backpack": ("a backpack", "a rucksack"),
        "bag": ("a bag", "a shoulder bag", "a bag on {poss} shoulder"),
        "handbag": ("a handbag", "a shoulder bag", "a bag"),
    },
    adjectives={
        "slim": ("slim", "slender", "thin"),
        "heavy": ("heavyset", "stout", "heavy-set"),
        "bald": ("bald", "bald-headed"),
        "beard": ("bearded",),
    },
    places={
        "left": (
            "on the left", "on the left", "on the left", "on the left side", "to the left", "at left",
        ),
        "left part": (
            "on the left of the picture", "on the left side of the frame", "in the left part of the image",
        ),
        "right": (
            "on the right", "on the right", "on the right", "on the right side", "to the right", "at right",
        ),
        "right part": (
            "on the right of the picture", "on the right side of the frame", "in the right part of the image",
        ),
        "middle": (
            "in the middle", "in the middle", "in the centre", "in the center", "in the middle of the picture",
            "in the centre of the frame", "in the center of the image",
        ),
        "far left": ("on the far left", "at the far left"),
        "left edge": ("at the left edge", "by the left edge of the frame"),
        "far right": ("on the far right", "at the far right"),
        "right edge": ("at the right edge", "by the right edge of the frame"),
        "near": ("closest to the camera", "nearest to us", "nearest to the camera"),
        "foreground": ("in the foreground", "in the foreground", "at the front"),
        "far": ("farthest from the camera", "furthest from the camera", "farthest away"),
        "background": ("in the background", "in the background", "at the back"),
    },
    extremes={
        "left": ("leftmost",),
        "right": ("rightmost",),
        "near": ("nearest", "closest"),
        "far": ("farthest", "furthest", "most distant"),
    },
    relations={
        "left": ("to the left of", "left of", "on the left of"),
        "right": ("to the right of", "right of", "on the right of"),
        "beside": ("next to", "beside"),
        "behind": ("behind",),
        "before": ("in front of",),
        "between": ("between {a} and {b}",),
    },
    facings={
        "away": (
            "facing away from the camera", "facing away from us", "facing away", "with {poss} back to us",
            "with {poss} back to the camera", "seen from behind",
        ),
        "camera": ("facing the camera", "facing us", "facing towards us", "seen from the front"),
        "left": ("facing left", "facing to the left", "facing the left side"),
        "right": ("facing right", "facing to the right", "facing the right side"),
    },
    orders={"first": ("first from the {side}", "first on the {side}"), "": ("{nth} from the {side}",)},
    statures={
        "taller": ("taller",), "tallest": ("tallest",), "shorter": ("shorter",), "shortest": ("shortest",),
        "nearer": ("nearer",), "farther": ("farther", "more distant"),
    },
    plurals={
        "man": ("men",), "woman": ("women",), "boy": ("boys",), "girl": ("girls",), "child": ("children", "kids"),
        "person": ("people",), "adult": ("adults",),
    },
)  # fmt: skip

PARAPHRASE = Words(
    nouns={
        "man": ("chap", "fellow", "bloke", "dude", "male"),
        "woman": ("gal", "female"),
        "boy": ("lad", "laddie"),
        "girl": ("lass", "lassie"),
        "child": ("youngster", "kiddo"),
        "person": ("individual", "figure", "human being"),
        "adult": ("grown individual",),
    },
    old=("aged", "senior"),
    small=("tiny", "wee"),
    colours={
        "navy": ("deep blue", "midnight blue", "navy"),
        "beige": ("sand-coloured", "beige", "sandy"),
        "white": ("snow-white", "white", "white"),
        "black": ("jet-black", "black", "black"),
        "purple": ("purplish", "purple"),
        "brown": ("chocolate-brown", "brown", "brown"),
    },
    suffixes=("", "-coloured", "-colored"),
    hair_colours={
        "black": ("jet-black", "black"),
        "brown": ("chestnut", "brown"),
        "blonde": ("fair", "golden"),
        "red": ("coppery", "red"),
        "grey": ("silvery", "grey"),
        "white": ("snowy", "white"),
        "dark": ("darkish",),
    },
    lengths={"long": ("flowing",), "short": ("cropped", "trimmed")},
    garments={
        "sweater": ("jersey", "knitted top"),
        "hoodie": ("hooded top", "hooded jersey"),
        "coat": ("overcoat", "coat"),
        "tank top": ("singlet", "vest top"),
        "dress": ("frock", "dress"),
        "trousers": ("slacks", "trousers"),
        "shorts": ("short pants", "shorts"),
        "shoes": ("footwear",),
        "sport shoes": ("footwear", "gym shoes"),
        "beanie": ("knitted cap", "stocking cap"),
        "cap": ("peaked cap", "ball cap"),
        "hat": ("headgear",),
        "scarf": ("neck scarf", "muffler"),
        "tie": ("necktie",),
    },
    patterns={"striped": ("stripe-patterned",), "checked": ("check-patterned",), "dotted": ("dot-patterned",)},
    sleeves={
        "none": ("bare-armed",),
        "short": ("half-sleeved",),
        "long": ("full-sleeved",),
    },
    undone={"shirt": ("undone",), "coat": ("undone",), "jacket": ("undone",)},
    features={
        "beard": ("facial hair", "whiskers"),
        "glasses": ("spectacles", "eyeglasses", "specs"),
        "sunglasses": ("shades", "dark lenses"),
        "bald": ("no hair", "a hairless scalp"),
        "ponytail": ("{c} hair drawn back in a tail",),
        "bun": ("{c} hair pinned up in a knot",),
        "ponytail alone": ("hair drawn back in a tail",),
        "bun alone": ("hair pinned up in a knot",),
        "backpack": ("a knapsack",),
        "bag": ("a bag slung over the shoulder", "a satchel"),
        "handbag": ("a purse", "a bag slung over the shoulder"),
    },
    adjectives={
        "slim": ("skinny", "lean"),
        "heavy": ("burly", "bulky", "portly"),
        "bald": ("hairless",),
        "beard": ("whiskered",),
    },
    places={
        "left": (
            "over on the left-hand side", "off to the left",
        ),
        "left part": ("toward the left-hand border", "within the left portion of the scene"),
        "left edge": ("hard by the left border of the shot", "over by the left-hand border"),
        "right": (
            "over on the right-hand side", "off to the right",
        ),
        "right part": ("toward the right-hand border", "within the right portion of the scene"),
        "right edge": ("hard by the right border of the shot", "over by the right-hand border"),
        "middle": ("around the midpoint of the scene", "centrally placed", "mid-frame", "at the heart of the shot"),
        "far left": ("at the extreme left", "all the way over to the left"),
        "far right": ("at the extreme right", "all the way over to the right"),
        "near": ("at the least distance from the lens", "nearest the viewer"),
        "foreground": ("at the very front", "up front"),
        "far": ("at the greatest distance from the lens", "remotest from the viewer"),
        "background": ("toward the rear", "at the very back"),
    },
    extremes={
        "left": ("furthest-left", "far-left"),
        "right": ("furthest-right", "far-right"),
        "near": ("frontmost", "foremost"),
        "far": ("rearmost", "hindmost"),
    },
    relations={
        "left": ("on the left-hand side of", "immediately leftward of", "over to the left from"),
        "right": ("on the right-hand side of", "immediately rightward of", "over to the right from"),
        "beside": ("alongside", "adjacent to", "by the side of"),
        "behind": ("to the rear of", "in back of"),
        "before": ("ahead of", "on the near side of"),
        "between": ("flanked by {a} and {b}", "in the gap separating {a} from {b}"),
    },
    facings={
        "away": ("viewed from the rear", "showing us {poss} back", "whose back is toward us"),
        "camera": ("viewed head-on", "whose front is toward us", "oriented toward the lens"),
        "left": ("oriented leftward", "viewed from the side, facing leftward"),
        "right": ("oriented rightward", "viewed from the side, facing rightward"),
    },
    orders={"": ("number {number} counting from the {side}", "in {nth} place counted from the {side}")},
    statures={
        "taller": ("loftier",), "tallest": ("loftiest",), "shorter": ("less tall",), "shortest": ("least tall",),
        "nearer": ("frontmost",), "farther": ("rearmost",),
    },
    plurals={
        "man": ("blokes", "males"), "woman": ("females", "gals"), "boy": ("lads",), "girl": ("lasses",),
        "child": ("youngsters",), "person": ("individuals",), "adult": ("grown individuals",),
    },
)  # fmt: skip

PLURAL = {
    "trousers", "pants", "shorts", "shoes", "trainers", "sneakers", "slacks", "footwear", "headgear", "gym shoes",
    "short pants", "jeans", "denims", "chinos", "bermudas", "pantaloons", "kicks",
}  # fmt: skip
MALE = {
    "he",
    "mister",
    "buddy",
    "gent",
    "fella",
    "schoolboy",
    "man",
    "guy",
    "gentleman",
    "boy",
    "chap",
    "fellow",
    "bloke",
    "dude",
    "male",
    "lad",
    "laddie",
}
FEMALE = {"she", "madam", "dame", "schoolgirl", "woman", "lady", "girl", "gal", "female", "lass", "lassie"}
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
NUMBERS = ("one", "two", "three", "four", "five", "six")
# things a person may be placed by; seats, beds, desks and what is held would tell what is done with them
LANDMARKS = {
    "sofa", "plant", "lamp", "table", "cabinet", "post", "car", "van", "bus", "tree", "bush", "door", "window",
    "fridge", "bookcase", "shelf", "bin", "lamp post", "statue", "monument", "fountain", "counter", "piano",
    "pillar", "column", "wardrobe", "vending machine", "parasol", "sign", "fence", "hedge", "curtain", "mirror",
    "fireplace", "rack", "rock", "poster", "whiteboard", "blackboard", "menu board", "oven", "scaffold", "playhouse",
    "speaker", "kiosk", "tent", "planter", "barrel",
}  # fmt: skip
# Objects in hand that may be named: each fits several actions. Phones, books, cups and the like would give theirs away.
HELD = ("box", "bag", "umbrella", "suitcase", "tray")
HELD_SHARE = 0.5  # how often a feature of somebody with such a thing in hand names it; .4 % of all sentences


def _pairs(text: str) -> set[frozenset[str]]:
    """Unordered pairs, written "a/b c/d"; "+" stands for a space."""
    return {frozenset(pair.replace("+", " ").split("/")) for pair in text.split()}


CONFUSED = _pairs(
    "navy/black navy/blue grey/white beige/white brown/black orange/red pink/red purple/blue brown/red brown/orange "
    "navy/purple purple/pink orange/yellow beige/yellow beige/brown beige/grey pink/beige grey/black"
)
# said instead of a colour: the colours that surely are, and those that may be
TONES = {
    "dark": ({"black", "navy"}, {"brown", "purple", "grey", "green", "blue"}),
    "light": ({"white", "beige"}, {"grey", "pink", "yellow", "blue"}),
    "bright": ({"red", "orange", "yellow"}, {"pink", "blue", "green", "purple", "white"}),
}
HAIR_CONFUSED = _pairs("black/brown grey/white blonde/white blonde/brown red/brown blonde/grey black/grey red/blonde")
ALIKE = _pairs(
    "t-shirt/shirt t-shirt/sweater t-shirt/tank+top shirt/sweater shirt/tank+top jacket/coat jacket/sweater "
    "jacket/shirt coat/dress skirt/shorts sweater/coat hoodie/sweater hoodie/jacket hoodie/coat hoodie/shirt "
    "hoodie/t-shirt coat/shirt dress/t-shirt dress/shirt dress/tank+top dress/sweater"
)
