"""The constructions of sentences; each belongs to one split, and so does the vocabulary of the paraphrases.

Slots: n noun, an noun with article; a, b clothes with a/an; d so, but top or bottom only; t clothes with the; u, v
clothes without article; c colour of the top; x colour of all clothes; k "red-shirted"; w "jacket is red"; h, g what
comes after "with"; j adjective; p place; e extreme ("leftmost"); o order; r relation; s stature ("taller"); y "taller
of the two men"; z "second man from the left"; f facing.
"""

from .vocabulary import TRAIN
from .words import COMMON, PARAPHRASE, Words

FAMILIES, FAMILY_SHARES = ("place", "clothes", "mixed"), (0.35, 0.35, 0.30)

# fmt: off
TEMPLATES: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "place": (
            "the {n} {p}", "the {n} {p}", "the {n} {p}", "{n} {p}", "the {n} who is {p}", "{p}, the {n}",
            "the {e} {n} in the picture", "the {e} {n} in view", "{e} {n} in the image", "the {e} {n} of all",
            "the {n} {o}", "the {n} {o}", "the {n} who is {o}", "{o}, the {n}", "{n} {o}", "the {z}",
            "{z} in the picture", "the {n} {r}", "the {n} {r}", "the {n} who is {r}", "{an} {r}", "{n} {r}",
            "the {n} {p}, {r}", "the {s} {n} in the picture", "the {s} {n} in the picture", "the {s} {n} in view",
            "{s} {n} in the image", "the {s} {n} of all", "the {s} {n} {r}", "the {n} {r}", "the {s} {n} {p}",
            "the {y}", "{y} in the picture",
        ),
        "clothes": (
            "the {n} in {t}", "the {n} in {t}", "the {n} in {t}", "the {n} in {a}", "the {n} in {a}", "{an} in {a}",
            "{an} wearing {a}", "the {n} wearing {a}", "the {n} wearing {t}", "the {n} in {c}", "the {n} in {c}",
            "the {n} dressed in {c}", "{n} in {u}", "{n} in {u}", "{n} wearing {u}", "the {n} with {t}",
            "the {k} {n} in view", "someone wearing {a}", "someone in {a}", "the one in {t}",
            "the {n} in {a} and {b}", "the {n} in {a} and {b}", "{an} in {a} and {b}", "{n} in {u} and {v}",
            "the {n} wearing {a} and {b}", "the {n} wearing {a} with {b}", "{n} wearing {u} and {v}",
            "the {n} all in {x}", "the {n} dressed all in {x}", "the {n} in {t} and {v}",
        ),
        "mixed": (
            "the {n} in {a} {p}", "the {n} in {t} {p}", "the {n} in {c} {p}", "{n} in {u} {p}", "{p}, the {n} in {a}",
            "{p}, the {n} wearing {a}", "the {n} {p} in {a}", "the {n} {p} in {t}", "the {n} {p} wearing {t}",
            "the {n} {p} wearing {a}", "the {e} {n} in {a}", "the {e} {n} with {h}", "the {k} {n} {p}",
            "the {n} in {a} {r}", "the {n} in {t} {r}", "the {n} in {c} {r}", "{n} in {u} {r}", "the {n} in {c} {o}",
            "the {n} with {h}", "the {n} with {h}", "{an} with {h}", "{n} with {h}", "the {n} with {h} {p}",
            "{n} with {h} {p}", "the {n} with {h} {r}", "the {n} with {h} and {g}", "{an} with {h} and {g}",
            "the {j} {n} {p}", "the {j} {n} in {a}", "the {j} {n} in {t}", "{j} {n} in {u}", "the {j} {n} {r}",
            "the {j} {n} {o}", "the {j} {n} with {h}", "the {j} {n} in {c}", "the {n} with {h} in {a}",
            "{an} with {h} wearing {a}", "the {n} in {a} with {h}", "the {n} in {c} with {h}", "{n} in {u} with {h}",
            "the {n} {f}", "the {n} in {a}, {f}", "the {n} in {t} {f}", "the {n} {p} {f}", "the {j} {n} {f}",
            "the {n} with {h}, {f}", "{n} in {u} {f}", "the {n} who has {h}", "the {n} in {a} and {b} {p}",
            "the {s} {n} in {a}", "the {s} {n} in {t}", "the {s} {n} with {h}", "the {s} {n} in {c}",
            "the {j} {n} in {a} {p}",
        ),
    },
    "val": {
        "place": (
            "{an} {p}", "the {n} located {p}", "the one {p}", "{p} is the {n}", "the {e} {n} of the group",
            "{an} {o}", "the one {o}", "the {n} located {r}", "the one {r}", "the {s} {n} of the group",
            "{e} {n} of the group", "the {z} here", "the {y} here", "the {n} located {o}", "the one who is {r}",
        ),
        "clothes": (
            "{an} dressed in {d}", "the {n} who wears {a}", "the {n} with {t} on", "{an} in {t}",
            "the one wearing {a}", "one {n} wearing {a} with {b}", "the {n} clothed in {c}", "the {n} dressed in {t}",
            "one {n} in {a}", "the one who wears {a} and {b}", "{an} dressed all in {x}",
            "the {n} who wears {t} with {v}",
        ),
        "mixed": (
            "{an} in {a}, {p}", "the {n} who wears {a}, {p}", "{an} {p} with {h}", "the {n} that has {h}",
            "the {j} {n} dressed in {d}", "{an} {f}", "the {n} dressed in {d} {r}", "{p}, {an} with {h}",
            "the {e} {n} wearing {a}", "the {j} one {p}", "{p}, the {n} {f}", "the one in {a}, {f}",
            "{an} in {t} with {h}", "the one with {h} in {c}", "the {n} who wears {a} and has {h}",
            "the {s} {n} wearing {a}", "the one with {h} {r}",
        ),
    },
    "test": {
        "place": (
            "that {n} {p}", "the {n} that is {p}", "the {n} seen {p}", "{p}, {an}", "of the people here, the {e} {n}",
            "that {e} {n} over there", "that {n} {o}", "the {n} that is {o}", "the {n} seen {r}", "that {n} {r}",
            "of the people here, the {s} {n}", "the {n} positioned {p}", "that {z} over there",
            "the {n} positioned {r}", "that {s} {n} over there", "of the people here, the {y}",
        ),
        "clothes": (
            "the {n} who is wearing {a}", "the {n} whose {w}", "that {n} in {t}", "the {n} clad in {c}",
            "that {k} {n} over there", "the {n} who has {a} on", "the {n} dressed in {d} and {b}",
            "that {n} wearing {a}", "the {n} who is in {t}", "the person whose {w}", "that {n} in {a} and {b}",
            "the {n} who is all in {x}", "the {n} that is wearing {a} and {b}", "that {n} in {t} and {v}",
        ),
        "mixed": (
            "the {n} whose {w}, {p}", "that {n} in {a} {p}", "{p}, {an} who is wearing {a}", "the {n} {p}, in {a}",
            "that {n} with {h}", "the {n} who has {h} and wears {a}", "that {j} {n} {p}", "the {j} {n} wearing {a}",
            "the {n} seen {r}, in {a}", "that {n} {f}", "the {n} clad in {c}, {f}", "that {e} {n}, the one in {a}",
            "the {n} {p}, the one with {h}", "that {n} with {h} and {g}", "that {n} in {c} with {h}",
            "that {n} in {t} {r}", "that {s} {n}, the one in {a}", "the {n} who is in {a}, {f}",
        ),
    },
    "paraphrase": {
        "place": (
            "whoever is {p}: {an}", "please find {an} {p}", "{an} to be found {p}", "{p} there is {an}",
            "I mean the {n} {p}", "the {e} of them, {an}", "{an}, the {e} one", "find the {n} who is {o}",
            "{an} who comes {o}", "{an} to be found {r}", "{r} there is {an}", "I mean the {n} {r}", "I mean the {y}",
            "I mean the {s} {n} of these", "the {n} visible {p}",
        ),
        "clothes": (
            "{an} clothed in {d}", "{an} attired in {d}", "{an} whose attire is {c}", "{an} sporting {a}",
            "whoever is clothed in {d}: {an}", "somebody garbed in {d}", "{an} having {a} on",
            "I mean {an} sporting {a}", "{an} whose outfit comprises {a} plus {b}",
            "{an} sporting {a} along with {b}", "somebody attired in {c}", "{an} garbed entirely in {x}",
            "{an}, {c} being the colour of {poss} clothing",
        ),
        "mixed": (
            "{p}, {an} clothed in {d}", "{an} sporting {a}, {p}", "{an} attired in {c}, {p}", "{an} having {h}",
            "{an} having {h}, {p}", "I mean {an} having {h}", "some {j} {n} clothed in {d}", "one {j} {n}, {p}",
            "{an} {f}, attired in {c}", "I mean the {n} {f}", "somebody attired in {c}, {f}",
            "{an} sporting {a}, {f}", "{an} having {h} plus {g}", "some {j} {n} sporting {a}",
            "{an} garbed in {d}, {r}", "the {e} one, having {h}", "{an} clothed in {d} and having {h}",
            "the {e} one, sporting {a}", "somebody having {h} and sporting {a}",
        ),
    },
}
# fmt: on
TEMPLATES["samples"] = TEMPLATES["test"]  # shown, never trained on


def words_of(split: str) -> Words:
    return {"paraphrase": PARAPHRASE, "train": TRAIN}.get(split, COMMON)
