"""How people type: capitals, full stops, words left out, figures for words, now and then a slip of the finger."""

import re

from .facets import Draw, pick

SHORT, SHOUTED, SLIPPED = 0.13, 0.02, 0.05  # shares of sentences
CAPITAL, STOPPED, NO_COMMAS = 0.35, 0.2, 0.2
FIGURES = {"first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th"}
SPELT = {
    r"\bt-shirt": ("T-shirt", "tshirt", "t shirt", "T-Shirt"),
    r"\bwho's\b": ("whos", "who is"),
    r"\btwo\b": ("2",),
    r"\bgrey\b": ("gray",),
}
SIDES = re.compile("left|right", re.IGNORECASE)  # a slip in these would not be mirrored


def shortened(text: str, rng: Draw) -> str:
    """As in a telegram: no articles, "w/" for with, "&" for and."""
    text = re.sub(r"\b(the|an?) (?!few|pair)", "", text)
    for word, signs in (("with", ("w/", "with", "with")), ("and", ("&", "+", "and", "and"))):
        text = re.sub(rf"\b{word}\b", pick(rng, signs), text)
    if rng.random() < 0.3:
        text = re.sub(r",? on (left|right)$", r", \1", text)
    return re.sub(r"^(who|that) (is|has|wears) ", "", text)


def slipped(word: str, rng: Draw) -> str:
    """A word with two neighbours swapped, a letter left out or doubled; its first stays."""
    at = int(rng.integers(1, len(word) - 1))
    return pick(
        rng,
        (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[: at + 1] + word[at:],
        ),
    )


def typed(text: str, rng: Draw) -> str:
    """The sentence as somebody might type it; the same words, and what it means, but for at most one slip."""
    chance = rng.random(6)
    if chance[0] < SHORT:
        text = shortened(text, rng)
    for pattern, ways in SPELT.items():
        if re.search(pattern, text) and rng.random() < 0.25:
            text = re.sub(pattern, pick(rng, ways), text)
    if rng.random() < 0.3:
        text = re.sub("|".join(rf"\b{word}\b" for word in FIGURES), lambda m: FIGURES[m[0]], text)
    if chance[1] < NO_COMMAS:
        text = text.replace(",", "")
    if chance[2] < SLIPPED:
        words = text.split(" ")
        able = [k for k, w in enumerate(words) if len(w) > 4 and w.isalpha() and not SIDES.search(w)]
        if able:
            k = pick(rng, able)
            words[k] = slipped(words[k], rng)
            text = " ".join(words)
    if chance[3] < STOPPED and text[-1] not in "?!.":
        text += "."
    elif text[-1] == "?" and rng.random() < 0.4:
        text = text[:-1]
    if chance[4] < CAPITAL:
        text = text[0].upper() + text[1:]
    return text.upper() if chance[5] < SHOUTED else text
