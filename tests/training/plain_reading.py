"""A plain reading of sentences about people, sharing nothing with the program that writes them."""

import re

from training.data.synthetic.facts import Look, Person

COLOUR = {
    "gray": "grey", "navy blue": "navy", "dark blue": "navy", "violet": "purple", "tan": "beige", "cream": "beige",
    "deep blue": "navy", "midnight blue": "navy", "sand": "beige", "sandy": "beige", "snow-white": "white",
    "jet-black": "black", "purplish": "purple", "chocolate-brown": "brown",
    "bright white": "white", "pure white": "white", "plain white": "white", "off-white": "white",
    "plain black": "black",
    "pitch-black": "black", "solid black": "black", "medium grey": "grey", "ash grey": "grey", "plain grey": "grey",
    "plain gray": "grey", "bright red": "red", "crimson": "red", "scarlet": "red", "vivid red": "red",
    "cherry red": "red",
    "bright orange": "orange", "tangerine": "orange", "vivid orange": "orange", "bright yellow": "yellow",
    "sunny yellow": "yellow", "vivid yellow": "yellow", "forest green": "green", "grass green": "green",
    "emerald": "green", "leaf green": "green", "bright blue": "blue", "royal blue": "blue", "cobalt blue": "blue",
    "vivid blue": "blue", "dark navy": "navy", "marine blue": "navy", "navy-blue": "navy", "dark purple": "purple",
    "plum": "purple", "rose": "pink", "bright pink": "pink", "rose pink": "pink", "dark brown": "brown",
    "coffee brown": "brown", "light tan": "beige", "light brown": "beige", "khaki": "beige", "camel": "beige",
    "chalk-white": "white", "milk-white": "white", "whitish": "white", "coal-black": "black", "ebony": "black",
    "blackish": "black", "steel grey": "grey", "greyish": "grey", "ruby red": "red", "tomato red": "red",
    "blood red": "red", "reddish": "red", "pumpkin orange": "orange", "carrot orange": "orange",
    "lemon yellow": "yellow", "yellowish": "yellow", "emerald green": "green", "greenish": "green",
    "sapphire blue": "blue", "electric blue": "blue", "bluish": "blue", "ink blue": "navy", "grape": "purple",
    "violet-purple": "purple", "bubblegum pink": "pink", "flamingo pink": "pink", "pinkish": "pink",
    "cocoa brown": "brown", "walnut brown": "brown", "brownish": "brown", "oatmeal": "beige", "fawn": "beige",
    "dark": "dark", "light": "light", "pale": "light", "bright": "bright",
}  # fmt: skip
TONE = {"dark": {"black", "navy"}, "light": {"white", "beige"}, "bright": {"red", "orange", "yellow"}}
GARMENT = {
    "tee": "t-shirt", "jumper": "sweater", "pullover": "sweater", "sweatshirt": "sweater", "pants": "trousers",
    "hooded sweatshirt": "hoodie", "sleeveless top": "tank top", "sneakers": "shoes", "trainers": "shoes",
    "jersey": "sweater", "knitted top": "sweater", "hooded top": "hoodie", "hooded jersey": "hoodie",
    "overcoat": "coat", "singlet": "tank top", "vest top": "tank top", "frock": "dress", "slacks": "trousers",
    "short pants": "shorts", "footwear": "shoes", "gym shoes": "shoes", "woolly hat": "beanie", "knit hat": "beanie",
    "baseball cap": "cap", "knitted cap": "beanie", "stocking cap": "beanie", "peaked cap": "cap", "ball cap": "cap",
    "tee-shirt": "t-shirt", "tshirt": "t-shirt", "button-down shirt": "shirt", "collared shirt": "shirt",
    "blouse": "shirt", "knit sweater": "sweater", "woolly jumper": "sweater", "knit jumper": "sweater",
    "hoody": "hoodie",
    "hooded sweater": "hoodie", "hooded jumper": "hoodie", "zip jacket": "jacket", "winter coat": "coat",
    "warm coat": "coat", "tank": "tank top", "sleeveless shirt": "tank top", "sleeveless tee": "tank top",
    "gown": "dress", "long pants": "trousers", "long trousers": "trousers", "jeans": "trousers", "denims": "trousers",
    "chinos": "trousers", "running shoes": "shoes", "wool hat": "beanie", "winter hat": "beanie",
    "knit beanie": "beanie",
    "baseball hat": "cap", "shawl": "scarf", "long-sleeved top": "sweater",
    "tee shirt": "t-shirt", "buttoned shirt": "shirt", "button-through shirt": "shirt", "woollen pullover": "sweater",
    "crewneck sweater": "sweater", "hooded pullover": "hoodie", "sweatshirt with a hood": "hoodie",
    "zip-through jacket": "jacket", "long coat": "coat", "outdoor coat": "coat", "muscle shirt": "tank top",
    "undershirt": "tank top", "one-piece dress": "dress", "full-length trousers": "trousers", "pantaloons": "trousers",
    "bermudas": "shorts", "bermuda shorts": "shorts", "knee-length shorts": "shorts", "short trousers": "shorts",
    "kicks": "shoes", "athletic shoes": "shoes", "tennis shoes": "shoes", "sports shoes": "shoes", "toque": "beanie",
    "woollen skullcap": "beanie", "visored cap": "cap", "sports cap": "cap", "headpiece": "hat",
    "neckerchief": "scarf", "wrap": "scarf", "upper garment": "top",
    "headgear": "hat", "neck scarf": "scarf", "muffler": "scarf", "necktie": "tie",
}  # fmt: skip
PATTERN = {
    "striped": "striped", "stripy": "striped", "stripe-patterned": "striped", "checked": "checked",
    "plaid": "checked",
    "chequered": "checked", "checkered": "checked", "check-patterned": "checked", "dotted": "dotted",
    "stripey": "striped", "tartan": "checked", "polka-dotted": "dotted", "spotty": "dotted", "polka-dot": "dotted",
    "spotted": "dotted", "dot-patterned": "dotted", "banded": "striped", "multi-striped": "striped",
    "gingham": "checked", "checkerboard": "checked", "dotty": "dotted", "speckled": "dotted",
}  # fmt: skip
SLEEVE = {
    "sleeveless": "none", "short-sleeved": "short", "short-sleeve": "short", "long-sleeved": "long",
    "long-sleeve": "long", "bare-armed": "none", "half-sleeved": "short", "full-sleeved": "long",
}  # fmt: skip


def alternatives(words) -> str:
    return "(" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"


HAIR = {
    "ginger": "red", "gray": "grey", "blond": "blonde", "fair": "blonde", "golden": "blonde", "chestnut": "brown",
    "raven": "black", "ebony": "black", "coal": "black", "coal-black": "black", "brunette": "brown", "hazel": "brown",
    "mousy": "brown", "mousy brown": "brown", "straw": "blonde", "straw-blond": "blonde", "flaxen": "blonde",
    "auburn": "red", "reddish": "red", "rust": "red", "rust-red": "red", "greyish": "grey", "greying": "grey",
    "ashen": "grey", "steel": "grey", "steel-grey": "grey", "pure": "white", "pure white": "white", "whitish": "white",
}  # fmt: skip
HAIR_RE = alternatives([*HAIR, *"black brown blonde red grey white dark".split()])
HAIR_LENGTH = {"flowing": "long", "lengthy": "long", "cropped": "short", "trimmed": "short", "close-cut": "short",
               "clipped": "short"}  # fmt: skip
HAIR_LENGTH_RE = alternatives([*HAIR_LENGTH, "long", "short"])
NAMES = "white black grey red orange yellow green blue navy purple pink brown beige".split()
COLOUR_RE = alternatives([*COLOUR, *NAMES])
GARMENT_RE = alternatives([
    *GARMENT, *"t-shirt shirt sweater hoodie jacket coat dress top trousers shorts skirt shoes hat cap beanie".split(),
    "scarf", "tie", "tank top",
])  # fmt: skip
PATTERN_RE, SLEEVE_RE = alternatives(PATTERN), alternatives(SLEEVE)
PIECE = re.compile(
    rf"(?<![\w-])(?:{SLEEVE_RE} )?"
    rf"(?:(?:{COLOUR_RE}(?: and {COLOUR_RE})?(?: {PATTERN_RE})?)|(?:{PATTERN_RE} {COLOUR_RE})) "
    rf"{GARMENT_RE}(?![\w-])(?: over an? {COLOUR_RE} (?:shirt|t-shirt|top))?"
)
NOUNS = {
    "he": lambda k: k.sex == "man",
    "she": lambda k: k.sex == "woman",
    "man": lambda k: k.sex == "man" and k.age != "child",
    "woman": lambda k: k.sex == "woman" and k.age != "child",
    "boy": lambda k: k.sex == "man" and k.age == "child",
    "girl": lambda k: k.sex == "woman" and k.age == "child",
    "child": lambda k: k.age == "child",
    "adult": lambda k: k.age != "child",
    "person": lambda k: True,
}
SAME_NOUN = {
    "gent": "man", "fella": "man", "adult man": "man", "adult woman": "woman", "schoolboy": "boy",
    "schoolgirl": "girl",
    "schoolchild": "child", "schoolkid": "child", "grownup": "adult", "guys": "man", "gentlemen": "man",
    "ladies": "woman", "grown-ups": "adult",
    "guy": "man", "gentleman": "man", "lady": "woman", "kid": "child", "grown-up": "adult", "chap": "man",
    "fellow": "man", "bloke": "man", "dude": "man", "male": "man", "gal": "woman", "female": "woman", "lad": "boy",
    "laddie": "boy", "lass": "girl", "lassie": "girl", "youngster": "child", "kiddo": "child", "individual": "person",
    "grown individual": "adult", "grown individuals": "adult",
    "men": "man", "women": "woman", "boys": "boy", "girls": "girl", "children": "child", "kids": "child",
    "people": "person", "adults": "adult", "blokes": "man", "males": "man", "females": "woman", "gals": "woman",
    "lads": "boy", "lasses": "girl", "youngsters": "child", "individuals": "person",
    "mister": "man", "buddy": "man", "fellas": "man", "madam": "woman", "dame": "woman", "little one": "child",
    "juvenile": "child", "schoolchildren": "child", "character": "person", "characters": "person", "subject": "person",
    "persons": "person", "adult person": "adult",
}  # fmt: skip
NOUN_RE = alternatives([*NOUNS, *SAME_NOUN])
RELATIONS = re.compile(
    r"(?<![\w-])(?:(?:to|on|over to) the |immediately |right |just |close |farther |(?:more|further) to the |in )?"
    r"(?<!farthest )(?<!outermost )(left (?:side )?of|right (?:side )?of|left than|right than"
    r"|by the(?! \w+ edge)|close to the(?! \w+ edge)"
    r"|left-hand side of|right-hand side of|leftward of|rightward of|left from|right from|next to"
    r"|beside|alongside|adjacent to|by the side of|behind|to the rear of|in back of|in (?:the )?front of|before the"
    r"|ahead of|near to the|side by side with|neighbouring|enclosed by|with (?=.* on one side)"
    r"|on the near side of|(?:in the middle )?between|in the middle of the two|flanked by|in the gap)"
    r"(?! the (?:picture|frame|image|video|screen))\b"
    r".*?(?=, in |, attired | there is |$)"
)
NTH = "(first|second|third|fourth|fifth)"


def plainly_fits(text: str, people: list[tuple[Person, float]], me: int) -> bool:
    """Whether each clause that a simple reader understands is true of person ``me``; people: all in view, centre x."""
    who, x = people[me]
    text = re.sub(r"(left|right) of centre", r"on the \1", text)
    look, xs = who.look, [c for _, c in people]
    relation = RELATIONS.search(text)
    if relation:  # the other person's description is not about this one
        end = min(xs) if relation[1].startswith("right") else max(xs) if relation[1].startswith("left") else None
        if x == end and "lamp" not in text:
            return False
        text = RELATIONS.sub("", text)
    nouns = [SAME_NOUN.get(w, w) for w in re.findall(rf"\b{NOUN_RE}\b", text)]
    if not all(NOUNS[n](look) for n in nouns):
        return False
    return (
        clothes_fit(text, look)
        and looks_fit(text, who)
        and facing_fits(text, who)
        and place_fits(text, people, me, nouns)
    )


def has_colour(said: str, actual: str | None) -> bool:
    return actual == said or actual in TONE.get(said, ())


def clothes_fit(text: str, look: Look) -> bool:
    text = re.sub(r"hair is \w+( and \w+)?", "", text)
    text = re.sub(r"-(?=(?:shirt|jacket|sweater)ed)", " ", text).replace("navy-blue", "navy blue")
    text = re.sub(r"-(colou?red|toned|hued)", "", text.replace("dark-blue", "dark blue"))
    text = re.sub(r"\b(shirt|jacket|sweater)ed\b", r"\1", text)
    text = re.sub(rf"\b{GARMENT_RE} (?:is|are) {COLOUR_RE}", r"\2 \1", text)
    for sleeve, first, other, late, early, second, garment, inner in PIECE.findall(text):
        colour, pattern = COLOUR.get(first or second, first or second), PATTERN.get(late or early)
        garment = GARMENT.get(garment, garment)
        if garment in ("shoes", "hat", "scarf", "tie", "cap", "beanie"):
            ok = getattr(look, "hat" if garment in ("cap", "beanie") else garment)
            ok = has_colour(colour, ok)
            ok = ok and (garment not in ("cap", "beanie") or look.hat_kind == garment)
        elif garment in ("trousers", "shorts", "skirt"):
            ok = look.bottom == garment and has_colour(colour, look.bottom_colour)
        else:
            ok = (
                look.top == garment
                or (garment, look.top) == ("shirt", "t-shirt")
                or (garment == "top" and look.top not in ("dress", "coat", "jacket"))
            )
            second, given = COLOUR.get(other, other), [look.top_colour, look.pattern_colour]
            ok = ok and (sorted(given, key=str) == sorted([colour, second]) if other else has_colour(colour, given[0]))
            ok = ok and pattern in (None, look.pattern) and SLEEVE.get(sleeve, look.sleeves) == look.sleeves
            ok = ok and (not inner or COLOUR.get(inner, inner) == look.inner)
        if not ok:
            return False
    for word in re.findall(rf"(?<![\w-]){GARMENT_RE}(?![\w-])", PIECE.sub("", text)):  # no colour said
        garment = GARMENT.get(word, word)
        worn = {look.top, look.bottom, "shoes", look.hat and look.hat_kind, look.hat and "hat"}
        worn |= {look.scarf and "scarf", look.tie and "tie"}
        if garment not in worn and garment != "top" and (garment, look.top) != ("shirt", "t-shirt"):
            return False
    alone = re.search(rf"(?:\bin|is|,) {COLOUR_RE}(?=$|,| {{0,1}}(?:with|on|at|in|to|being|who|that)\b)", text)
    if alone and not has_colour(COLOUR.get(alone[1], alone[1]), look.top_colour):
        return False
    every_garment = re.search(rf"(?:all|entirely) in {COLOUR_RE}", text)
    return not every_garment or look.bottom is None or look.bottom_colour == look.top_colour


def looks_fit(text: str, who: Person) -> bool:
    look = who.look
    hair = re.search(
        rf"(?:\b{HAIR_LENGTH_RE} )?"
        rf"(?:\b{HAIR_RE} )?(?:hair|ponytail)\b"
        r"|\b(?:hair is (\w+))",
        text,
    )
    if hair:
        length = HAIR_LENGTH.get(hair[1], hair[1])
        colour = HAIR.get(hair[2] or hair[3], hair[2] or hair[3])
        if length not in (None, look.hair_length):
            return False
        dark = colour == "dark" and look.hair_colour in ("black", "brown")
        if colour in ("long", "short", "lengthy", "close", "clipped"):
            colour = None
        if not dark and colour not in (None, look.hair_colour) and not re.search("jet-black|hair (drawn|pinned)", text):
            return False
        if re.search("no hair|hairless", text) is None and look.hair_length == "bald":
            return False
    for word, true in (
        (r"(?<!dark )(?<!sun )(?<!tinted )\bglasses|spectacles|eyeglasses|specs", look.glasses == "glasses"),
        (r"sunglasses|dark glasses|sun glasses|tinted glasses|\bshades|dark lenses", look.glasses == "sunglasses"),
        ("beard|whisker|facial hair", look.beard),
        (r"\bbald|no hair|hairless", look.hair_length == "bald"),
        ("ponytail|in a tail", look.hair_style == "ponytail"),
        (r"\bbun\b|in a knot", look.hair_style == "bun"),
        ("backpack|rucksack|knapsack|bag on (his|her|their) back", look.carried == "backpack"),
        (
            r"\ba (shoulder )?bag(?! on (his|her|their) back)|handbag|purse|satchel",
            look.carried == "bag" or who.holding == "bag",
        ),
        (r"\ba box", who.holding == "box"),
        ("unzipped|unbuttoned|undone", look.inner is not None),
        (PATTERN_RE, look.pattern != "plain"),
        (r"\bhat\b|\bcap\b|beanie|headgear", look.hat is not None),
        ("scarf|muffler", look.scarf is not None),
        (r"\b(neck)?tie\b", look.tie is not None),
        (r"slim|slender|\bthin|skinny|\blean", look.build == "slim"),
        (r"heavy-?set|stout|burly|bulky|portly", look.build == "heavy"),
        (r"\bold\b|elderly|older|ageing|retired|\baged|senior", look.age == "old"),
    ):
        if re.search(word, text) and not true:
            return False
    return True


def facing_fits(text: str, who: Person) -> bool:
    for way in ("left", "right"):
        if re.search(rf"(?:facing|turned) (?:to(?:wards)? )?(?:the )?{way}|oriented {way}|facing {way}ward", text):
            return who.facing == way
    if re.search(
        "facing away|turned away|back turned|from the back|back towards|"
        "back to us|back to the|from behind|from the rear|showing us|whose back|back facing us|"
        "face away|away from the camera",
        text,
    ):
        return who.facing == "away"
    front = "(?:facing|turned to(?:wards)?) (?:the camera|us)|facing forward|facing to the front|"
    front += (
        "facing us|towards us|from the front|head-on|whose front is|oriented toward the lens|front-facing|to face us"
    )
    return who.facing == "camera" or not re.search(front, text)


def place_fits(text: str, people: list[tuple[Person, float]], me: int, nouns: list[str]) -> bool:
    who, x = people[me]
    text = re.sub(
        r"(facing|turned|turned sideways|body|profile) (to(wards)? )?(the )?(left|right)( side)?"
        r"|(viewed|seen) from the \w+",
        "",
        text,
    )
    pair = re.search(rf"(\S+) of the (two|three) {NOUN_RE}", text)
    among = re.search(rf"{NTH} {NOUN_RE} from the (left|right)", text)
    if pair or among:
        noun = NOUNS[SAME_NOUN.get((pair[3] if pair else among[2]), (pair[3] if pair else among[2]))]
        people = [p for p in people if noun(p[0].look)]
    xs, depths = [c for _, c in people], [p.depth for p, _ in people]
    order = among or re.search(
        rf"{NTH} (?:(?:in line |starting |as you go |in the row |going |position |spot )?from(?: the)?|on the"
        r"|place counted from the) (left|right)",
        text,
    )
    number = re.search(
        r"(?:number|position|person) (one|two|three|four|five|six) (?:counting )?from the (left|right)", text
    )
    if order or number:
        said = number or order
        numbers = (
            ["one", "two", "three", "four", "five", "six"]
            if number
            else ["first", "second", "third", "fourth", "fifth"]
        )
        n, ranked = numbers.index(said[1]), sorted(xs, reverse=said[said.lastindex] == "right")
        return n < len(ranked) and x == ranked[n]
    alone = len(xs) == 1
    far = "{0}most|far {0}|furthest-{0}|far-{0}|extreme {0}|{0} end|farthest to the {0}|way over to the {0}"
    if re.search(far.format("left"), text):
        return x == min(xs) and (not alone or x < 0.5)
    if re.search(far.format("right"), text):
        return x == max(xs) and (not alone or x > 0.5)
    if re.search(r"\bleft\b", text):
        return x == min(xs) or x < 0.4
    if re.search(r"\bright\b", text):
        return x == max(xs) or x > 0.6
    if re.search(r"middle|cent(re|er)\b|midpoint|centrally|mid-frame|heart", text):
        return 0.35 < x < 0.65
    if re.search(
        r"foreground|near(est|er)|closest|closer|at the front|least dist|very front|up front|(front|fore)most", text
    ):
        return who.depth == min(depths)
    if re.search(
        r"background|the (very )?back$|farthe|furthe|distant|greatest dist|remotest|the rear$|(rear|hind)most", text
    ):
        return who.depth == max(depths)
    if re.search(r"\b(tall|short)(er|est)\b|loftie|(less|least) tall", text):
        old = re.search(r"\bold\b|elderly|older|ageing|retired|\baged|senior", text)
        people = [p for p in people if all(NOUNS[n](p[0].look) for n in nouns) and (not old or p[0].look.age == "old")]
        heights = [p.look.height for p, _ in people]
        return who.look.height == (min if re.search(r"\bshorte|\bless|\bleast", text) else max)(heights)
    return True


# what the plain reader does not judge as finely as the program
ROUGH = re.compile(
    r"left|right|short|tall|loft|beside|next|front|behind|back|middle|cent|mid|heart|near|far|rear|fore|old|elder|aged|ageing|retired|"
    r"senior|slim|slender|thin|stout|heavy|skinny|lean|burly|bulky|portly|hat|cap|beanie|headgear|bag|box|-haired|blond|"
    r"camera|us|lens|over|sleeve|armed|un\w+ed|undone|remote|distan|between|along|ahead|adjacent|flank|gap|\btops?\b|jersey"
)
