"""A plain reading of sentences about people, sharing nothing with the program that writes them."""

import re

from training.data.synthetic.facts import Look, Person

COLOUR = {
    "gray": "grey", "navy blue": "navy", "dark blue": "navy", "violet": "purple", "tan": "beige", "cream": "beige",
    "deep blue": "navy", "midnight blue": "navy", "sand": "beige", "sandy": "beige", "snow-white": "white",
    "jet-black": "black", "purplish": "purple", "chocolate-brown": "brown",
}  # fmt: skip
GARMENT = {
    "tee": "t-shirt", "jumper": "sweater", "pullover": "sweater", "sweatshirt": "sweater", "pants": "trousers",
    "hooded sweatshirt": "hoodie", "sleeveless top": "tank top", "sneakers": "shoes", "trainers": "shoes",
    "jersey": "sweater", "knitted top": "sweater", "hooded top": "hoodie", "hooded jersey": "hoodie",
    "overcoat": "coat", "singlet": "tank top", "vest top": "tank top", "frock": "dress", "slacks": "trousers",
    "short pants": "shorts", "footwear": "shoes", "gym shoes": "shoes", "woolly hat": "beanie", "knit hat": "beanie",
    "baseball cap": "cap", "knitted cap": "beanie", "stocking cap": "beanie", "peaked cap": "cap", "ball cap": "cap",
    "headgear": "hat", "neck scarf": "scarf", "muffler": "scarf", "necktie": "tie",
}  # fmt: skip
PATTERN = {
    "striped": "striped", "stripy": "striped", "stripe-patterned": "striped", "checked": "checked", "plaid": "checked",
    "chequered": "checked", "checkered": "checked", "check-patterned": "checked", "dotted": "dotted",
    "polka-dot": "dotted", "spotted": "dotted", "dot-patterned": "dotted",
}  # fmt: skip
SLEEVE = {
    "sleeveless": "none", "short-sleeved": "short", "short-sleeve": "short", "long-sleeved": "long",
    "long-sleeve": "long", "bare-armed": "none", "half-sleeved": "short", "full-sleeved": "long",
}  # fmt: skip


def alternatives(words) -> str:
    return "(" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"


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
    rf"{GARMENT_RE}(?![\w-])(?: over an? {COLOUR_RE} )?"
)
NOUNS = {
    "man": lambda k: k.sex == "man" and k.age != "child",
    "woman": lambda k: k.sex == "woman" and k.age != "child",
    "boy": lambda k: k.sex == "man" and k.age == "child",
    "girl": lambda k: k.sex == "woman" and k.age == "child",
    "child": lambda k: k.age == "child",
    "adult": lambda k: k.age != "child",
    "person": lambda k: True,
}
SAME_NOUN = {
    "guy": "man", "gentleman": "man", "lady": "woman", "kid": "child", "grown-up": "adult", "chap": "man",
    "fellow": "man", "bloke": "man", "dude": "man", "male": "man", "gal": "woman", "female": "woman", "lad": "boy",
    "laddie": "boy", "lass": "girl", "lassie": "girl", "youngster": "child", "kiddo": "child", "individual": "person",
    "grown individual": "adult", "grown individuals": "adult",
    "men": "man", "women": "woman", "boys": "boy", "girls": "girl", "children": "child", "kids": "child",
    "people": "person", "adults": "adult", "blokes": "man", "males": "man", "females": "woman", "gals": "woman",
    "lads": "boy", "lasses": "girl", "youngsters": "child", "individuals": "person",
}  # fmt: skip
NOUN_RE = alternatives([*NOUNS, *SAME_NOUN])
RELATIONS = re.compile(
    r"(?<![\w-])(?:(?:to|on|over to) the |immediately )?"
    r"(left of|right of|left-hand side of|right-hand side of|leftward of|rightward of|left from|right from|next to"
    r"|beside|alongside|adjacent to|by the side of|behind|to the rear of|in back of|in front of|ahead of"
    r"|on the near side of|between|flanked by|in the gap)(?! the (?:picture|frame|image))\b"
    r".*?(?=, in |, attired | there is |$)"
)
NTH = "(first|second|third|fourth|fifth)"


def plainly_fits(text: str, people: list[tuple[Person, float]], me: int) -> bool:
    """Whether each clause that a simple reader understands is true of person ``me``; people: all in view, centre x."""
    who, x = people[me]
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


def clothes_fit(text: str, look: Look) -> bool:
    text = re.sub(r"-(?=(?:shirt|jacket|sweater)ed)", " ", text).replace("navy-blue", "navy blue")
    text = re.sub(r"-colou?red", "", text.replace("dark-blue", "dark blue"))
    text = re.sub(r"\b(shirt|jacket|sweater)ed\b", r"\1", text)
    text = re.sub(rf"\b{GARMENT_RE} (?:is|are) {COLOUR_RE}", r"\2 \1", text)
    for sleeve, first, other, late, early, second, garment, inner in PIECE.findall(text):
        colour, pattern = COLOUR.get(first or second, first or second), PATTERN.get(late or early)
        garment = GARMENT.get(garment, garment)
        if garment in ("shoes", "hat", "scarf", "tie", "cap", "beanie"):
            ok = getattr(look, "hat" if garment in ("cap", "beanie") else garment) == colour
            ok = ok and (garment not in ("cap", "beanie") or look.hat_kind == garment)
        elif garment in ("trousers", "shorts", "skirt"):
            ok = (look.bottom, look.bottom_colour) == (garment, colour)
        else:
            ok = look.top == garment or (garment == "top" and look.top not in ("dress", "coat", "jacket"))
            given = [look.top_colour, look.pattern_colour] if other else [look.top_colour]
            ok = ok and sorted(given, key=str) == sorted([colour] + [COLOUR.get(other, other)] * bool(other), key=str)
            ok = ok and pattern in (None, look.pattern) and SLEEVE.get(sleeve, look.sleeves) == look.sleeves
            ok = ok and (not inner or COLOUR.get(inner, inner) == look.inner)
        if not ok:
            return False
    alone = re.search(rf"(?:\bin|is|,) {COLOUR_RE}(?=$|,| {{0,1}}(?:with|on|at|in|to|being|who|that)\b)", text)
    if alone and look.top_colour != COLOUR.get(alone[1], alone[1]):
        return False
    every_garment = re.search(rf"(?:all|entirely) in {COLOUR_RE}", text)
    return not every_garment or look.bottom is None or look.bottom_colour == look.top_colour


def looks_fit(text: str, who: Person) -> bool:
    look = who.look
    hair = re.search(
        r"(?:\b(long|short|flowing|cropped|trimmed) )?"
        r"(?:\b(black|brown|blonde?|red|ginger|gr[ea]y|white|dark|fair|golden|chestnut) )?(?:hair|ponytail)\b"
        r"|\b(?:hair is (\w+))",
        text,
    )
    names = {
        "ginger": "red",
        "gray": "grey",
        "blond": "blonde",
        "fair": "blonde",
        "golden": "blonde",
        "chestnut": "brown",
    }
    if hair:
        length = {"flowing": "long", "cropped": "short", "trimmed": "short"}.get(hair[1], hair[1])
        colour = names.get(hair[2] or hair[3], hair[2] or hair[3])
        if length not in (None, look.hair_length):
            return False
        dark = colour == "dark" and look.hair_colour in ("black", "brown")
        if colour in ("long", "short"):
            colour = None
        if not dark and colour not in (None, look.hair_colour) and not re.search("jet-black|hair (drawn|pinned)", text):
            return False
        if re.search("no hair|hairless", text) is None and look.hair_length == "bald":
            return False
    for word, true in (
        (r"\bglasses|spectacles|eyeglasses|specs", look.glasses == "glasses"),
        (r"sunglasses|\bshades|dark lenses", look.glasses == "sunglasses"),
        ("beard|whisker|facial hair", look.beard),
        (r"\bbald|no hair|hairless", look.hair_length == "bald"),
        ("ponytail|in a tail", look.hair_style == "ponytail"),
        (r"\bbun\b|in a knot", look.hair_style == "bun"),
        ("backpack|rucksack|knapsack", look.carried == "backpack"),
        (r"\ba (shoulder )?bag|handbag|purse|satchel", look.carried == "bag" or who.holding == "bag"),
        (r"\ba box", who.holding == "box"),
        ("unzipped|unbuttoned|undone", look.inner is not None),
        (PATTERN_RE, look.pattern != "plain"),
        (r"\bhat\b|\bcap\b|beanie|headgear", look.hat is not None),
        ("scarf|muffler", look.scarf is not None),
        (r"\b(neck)?tie\b", look.tie is not None),
        (r"slim|slender|\bthin|skinny|\blean", look.build == "slim"),
        (r"heavy-?set|stout|burly|bulky|portly", look.build == "heavy"),
        (r"\bold\b|elderly|older|\baged|senior", look.age == "old"),
    ):
        if re.search(word, text) and not true:
            return False
    return True


def facing_fits(text: str, who: Person) -> bool:
    for way in ("left", "right"):
        if re.search(rf"facing (?:to )?(?:the )?{way}|oriented {way}|facing {way}ward", text):
            return who.facing == way
    if re.search("facing away|back to us|back to the|from behind|from the rear|showing us|whose back", text):
        return who.facing == "away"
    front = "facing the camera|facing us|towards us|from the front|head-on|whose front is|oriented toward the lens"
    return who.facing == "camera" or not re.search(front, text)


def place_fits(text: str, people: list[tuple[Person, float]], me: int, nouns: list[str]) -> bool:
    who, x = people[me]
    text = re.sub(r"facing (to )?(the )?(left|right)( side)?|(viewed|seen) from the \w+", "", text)
    pair = re.search(rf"(\S+) of the (two|three) {NOUN_RE}", text)
    among = re.search(rf"{NTH} {NOUN_RE} from the (left|right)", text)
    if pair or among:
        noun = NOUNS[SAME_NOUN.get((pair[3] if pair else among[2]), (pair[3] if pair else among[2]))]
        people = [p for p in people if noun(p[0].look)]
    xs, depths = [c for _, c in people], [p.depth for p, _ in people]
    order = among or re.search(rf"{NTH} (?:from|on|place counted from) the (left|right)", text)
    number = re.search(r"number (one|two|three|four|five) counting from the (left|right)", text)
    if order or number:
        said = number or order
        numbers = ["one", "two", "three", "four", "five"] if number else ["first", "second", "third", "fourth", "fifth"]
        n, ranked = numbers.index(said[1]), sorted(xs, reverse=said[said.lastindex] == "right")
        return n < len(ranked) and x == ranked[n]
    alone = len(xs) == 1
    if re.search(r"leftmost|far left|furthest-left|far-left|extreme left|way over to the left", text):
        return x == min(xs) and (not alone or x < 0.5)
    if re.search(r"rightmost|far right|furthest-right|far-right|extreme right|way over to the right", text):
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
        old = re.search(r"\bold\b|elderly|older|\baged|senior", text)
        people = [p for p in people if all(NOUNS[n](p[0].look) for n in nouns) and (not old or p[0].look.age == "old")]
        heights = [p.look.height for p, _ in people]
        return who.look.height == (min if re.search("short|less|least", text) else max)(heights)
    return True


# what the plain reader does not judge as finely as the program
ROUGH = re.compile(
    r"left|right|short|tall|loft|beside|next|front|behind|back|middle|cent|mid|heart|near|far|rear|fore|old|elder|aged|"
    r"senior|slim|slender|thin|stout|heavy|skinny|lean|burly|bulky|portly|hat|cap|beanie|headgear|bag|box|-haired|blond|"
    r"camera|us|lens|over|sleeve|armed|un\w+ed|undone|remote|distan|between|along|ahead|adjacent|flank|gap|\btops?\b|jersey"
)
