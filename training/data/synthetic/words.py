"""The words of sentences about people, and which of them may be confused. Words given twice are said more often."""

COLOUR_WORDS = {
    "grey": ("grey", "gray"),
    "navy": ("navy", "navy blue", "dark blue"),
    "purple": ("purple", "violet"),
    "beige": ("beige", "tan", "cream"),
}
GARMENT_WORDS = {
    "t-shirt": ("t-shirt", "tee", "t-shirt"),
    "sweater": ("sweater", "jumper", "pullover"),
    "trousers": ("trousers", "pants"),
}
PLURAL = {"trousers", "pants", "shorts", "shoes"}


def _pairs(text: str) -> set[frozenset[str]]:
    """Unordered pairs, written "a/b c/d"."""
    return {frozenset(pair.split("/")) for pair in text.split()}


CONFUSED = _pairs(
    "navy/black navy/blue grey/white beige/white brown/black orange/red pink/red purple/blue brown/red brown/orange "
    "navy/purple purple/pink orange/yellow beige/yellow beige/brown beige/grey pink/beige grey/black"
)
HAIR_CONFUSED = _pairs("black/brown grey/white blonde/white blonde/brown red/brown blonde/grey black/grey red/blonde")
ALIKE = _pairs(
    "t-shirt/shirt t-shirt/sweater t-shirt/vest shirt/sweater shirt/vest sweater/vest jacket/coat jacket/sweater "
    "jacket/shirt jacket/vest coat/dress skirt/shorts sweater/coat"
)
PLACE_WORDS = {
    "left": ("on the left", "on the left", "on the left side", "to the left"),
    "right": ("on the right", "on the right", "on the right side", "to the right"),
    "middle": ("in the middle", "in the centre", "in the center"),
    "far left": ("on the far left", "at the far left"),
    "far right": ("on the far right", "at the far right"),
    "near": ("in the foreground", "closest to the camera", "nearest to us"),
    "far": ("in the background", "at the back", "farthest from the camera"),
}
EXTREME_WORDS = {
    "leftmost": ("leftmost",),
    "rightmost": ("rightmost",),
    "near": ("nearest", "closest"),
    "far": ("farthest", "most distant"),
}
RELATION_WORDS = {
    "left": ("to the left of", "left of"),
    "right": ("to the right of", "right of"),
    "beside": ("next to", "beside"),
    "behind": ("behind",),
    "before": ("in front of",),
}
FACING_WORDS = {
    "away": (
        "facing away from the camera",
        "facing away from us",
        "with {poss} back to us",
        "with {poss} back to the camera",
    ),
    "camera": ("facing the camera", "facing us"),
    "left": ("facing left", "facing to the left"),
    "right": ("facing right", "facing to the right"),
}
ORDINALS = ("first", "second", "third", "fourth", "fifth")
