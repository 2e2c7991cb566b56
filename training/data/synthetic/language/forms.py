"""The constructions of training: facts put together by rule instead of from a list, and what people wrap about them.

A construction is a template as those of ``templates``, with three more slots: m what somebody does, l "hair is brown",
he "she". None of those that belong to another split is ever built.
"""

import re

from .facets import Draw, pick
from .templates import TEMPLATES

LISTED = 0.15  # share of the constructions that are listed in ``TEMPLATES``
ASKED, STATED = 0.25, 0.13  # shares of requests and questions, and of statements; the rest are noun phrases alone
ACTIONS = 0.06  # share of "mixed" constructions, which are 30 % of all, with an action; 0 for none

# What follows the noun, by fact.
ONE = (
    "in {t}", "in {t}", "in {a}", "in {a}", "in {a}", "in {u}", "wearing {a}", "wearing {a}", "wearing {t}",
    "wearing {u}", "dressed in {a}", "with {t}", "with {t} on", "with {a} on", "with {a}", "who is wearing {a}",
    "who's wearing {a}", "who wears {a}", "that wears {t}", "who has {a} on", "who's in {a}", "who is in {t}",
    ", {poss} {w}", "that's wearing {a}", "in {c}", "in {c}", "in {c}", "in {c}", "dressed in {c}", "wearing {c}",
    "who is in {c}", "who's wearing {c}", "decked out in {a}", "kitted out in {t}", "donning {a}", "who got {a} on",
    "equipped with {a}", "rocking {a}", "decked out in {c}", "kitted out in {c}", "with {c} clothes", "in {c} clothes",
)  # fmt: skip
TWO = (
    "in {a} and {b}", "in {a} and {b}", "in {u} and {v}", "wearing {a} and {b}", "wearing {a} with {b}",
    "with {u} and {v}", "in {t} and {v}", "in {a}, {b}", "who is wearing {a} and {b}", "who wears {a} with {b}",
    "in {a} and wearing {b}", "wearing {u} with {v}", "with {a} and {b}", "who's in {u} and {v}",
    "dressed in {a} and {b}", "in {u}, {v}", "wearing both {a} and {b}", ", {poss} {w}, wearing {b}",
    "in {t} and with {b}", "all in {x}", "dressed all in {x}", "in all {x}", "in {x} from head to toe",
    "in {x} clothes", "wearing all {x}", "wearing only {x}", "decked out in {a} and {b}", "in {a} as well as {b}",
    "in {a} together with {b}", "wearing {a} paired with {b}", "donning {a} and {b}", "combining {a} and {b}",
    "dressed completely in {x}", "wholly in {x}", "in {x} throughout",
)  # fmt: skip
HAS = (
    "with {h}", "with {h}", "with {h}", "with {h}", "who has {h}", "that has {h}", "who's got {h}", ", {poss} {l}",
    "bearing {h}", "displaying {h}", "featuring {h}",
)  # fmt: skip
BOTH = (
    "with {h} and {g}",
    "with {h} and with {g}",
    "who has {h} and {g}",
    "with {h}, {g}",
    "with {h} as well as {g}",
    "bearing {h} and {g}",
)
AT = (
    "{p}",
    "{p}",
    "{p}",
    "{p}",
    ", {p}",
    "who is {p}",
    "who's {p}",
    "that is {p}",
    "that's {p}",
    "situated {p}",
    "appearing {p}",
)
BY = ("{r}", "{r}", "{r}", ", {r}", "who is {r}", "who's {r}", "that's {r}")
NTH = ("{o}", "{o}", "{o}", ", {o}", "who is {o}", "who's {o}", "that's {o}")
FACING = ("{f}", "{f}", ", {f}", "who is {f}", "that's {f}")
DOING = ("{m}", "{m}", "{m}", ", {m}", "who is {m}", "who's {m}", "that's {m}", "who is {m} here")
FACTS = {"clothes": ONE, "two": TWO, "has": HAS, "both": BOTH, "at": AT, "by": BY, "nth": NTH, "facing": FACING,
         "doing": DOING}  # fmt: skip
# What is told together, in any order, and how often (what is hard to learn, more often than people would say it); words
# before the noun come last.
PLANS: dict[str, tuple[tuple[int, str], ...]] = {
    "place": (
        (7, "at"), (6, "nth"), (7, "by"), (1, "at by"), (1, "nth by"), (2, "by e"), (3, "e"), (5, "s"), (1, "at s"),
        (1, "by s"), (3, "z"), (5, "y"), (1, "by z"), (1, "at nth"),
    ),
    "clothes": ((11, "clothes"), (8, "two"), (2, "k")),
    "mixed": (
        (9, "clothes at"), (3, "two at"), (5, "clothes by"), (3, "clothes nth"), (4, "has"), (3, "has at"),
        (2, "has by"), (1, "has nth"), (2, "both"), (5, "clothes has"), (2, "clothes has at"), (3, "clothes j"),
        (2, "at j"), (1, "by j"), (1, "nth j"), (1, "has j"), (5, "facing"), (5, "clothes facing"), (2, "at facing"),
        (2, "facing j"), (2, "has facing"), (2, "clothes e"), (1, "has e"), (4, "clothes s"), (1, "has s"),
        (1, "k at"), (1, "clothes at j"), (1, "clothes at by"), (1, "two has"), (2, "clothes at facing"),
        (1, "two by"), (1, "clothes j s"), (1, "clothes y"), (1, "clothes z"), (1, "has y"),
    ),
    "action": (
        (5, "doing"), (4, "doing clothes"), (3, "doing at"), (2, "doing by"), (1, "doing has"), (1, "doing j"),
        (1, "doing nth"), (1, "doing clothes at"), (1, "doing e"), (1, "doing two"),
    ),
}  # fmt: skip
SHOWN_IN = ("in the picture", "in view", "in the image", "on screen", "in the video", "", "")
WHERE = {"e": (*SHOWN_IN, "of all"), "s": (*SHOWN_IN, "of all"), "y": SHOWN_IN, "z": SHOWN_IN}
ASKING = (
    "where is {}?", "where's {}?", "where is {} now?", "which one is {}?", "who is {}?", "who's {}?", "which is {}?",
    "what is {} doing?", "what's {} doing?", "what does {} do?", "what is {} doing here?", "what is {} busy with?",
    "can you see {}?", "can you show me {}?", "could you track {}?", "can you spot {}?", "is {} in the video?",
    "show me {}", "show {}", "show us {}", "track {}", "follow {}", "highlight {}", "mark {}", "select {}",
    "pick out {}", "pick {}", "locate {}", "detect {}", "search for {}", "spot {}", "zoom in on {}", "focus on {}",
    "get {}", "tell me what {} is doing", "tell me where {} is", "describe {}", "draw a frame on {}",
    "recognise what {} is doing", "tell us what {} does", "what action does {} do?", "keep an eye on {}",
    "identify {}", "I need {}", "give me {}", "let me see {}", "we are interested in {}", "I am looking for {}",
    "go to {}", "choose {}", "take {}", "watch {}",
)  # fmt: skip
SHOWN = (
    "it's {}", "this is {}", "here is {}", "here's {}", "we see {}", "you can see {}", "we want {}",
    "the person is {}", "the person to follow is {}", "the one to track is {}", "in the video is {}",
    "in view is {}", "target: {}", "looking for {}", "only {}", "just {}", "the target is {}", "concerning {}",
)  # fmt: skip
PREDICATES = {
    "clothes": (
        "is wearing {a}", "wears {a}", "is in {a}", "has {a} on", "is dressed in {a}", "is dressed in {c}",
        "is in {c}", "is decked out in {a}", "dons {a}",
        "is wearing {t}", "has on {a}",
    ),
    "two": (
        "is wearing {a} and {b}", "wears {a} with {b}", "wears {a} and {b}", "is in {a} and {b}", "has {a} and {b} on",
        "is all in {x}",
    ),
    "has": ("has {h}", "has {h}", "has got {h}", "displays {h}"),
    "both": ("has {h} and {g}",),
    "at": ("is {p}", "is {p}", "is situated {p}"),
    "by": ("is {r}",),
    "nth": ("is {o}",),
    "facing": ("is {f}",),
    "doing": ("is {m}",),
    "e": ("is the {e} one",),
}  # fmt: skip
SUBJECTS = ("the {n}", "the {n}", "{an}", "{he}", "{he}", "this {n}", "the {n} we want")
HEADLESS = ("someone", "the one", "the one", "one", "anyone", "anybody", "a person", "the person")


def plain(template: str) -> str:
    return re.sub(r"[^\w{} ]", "", template).lower().strip()


OTHERS = frozenset(plain(t) for split in ("val", "test", "paraphrase") for f in TEMPLATES[split].values() for t in f)


def form(family: str, rng: Draw) -> str:
    """A template of training for "place", "clothes" or "mixed"."""
    if rng.random() < LISTED:
        return pick(rng, TEMPLATES["train"][family])
    while True:
        plan = planned("action" if family == "mixed" and rng.random() < ACTIONS else family, rng)
        kind = rng.random()
        if kind < STATED and all(part in PREDICATES for part in plan):
            made = statement(plan, rng)
        elif kind < STATED + ASKED:
            made = pick(rng, ASKING).format(phrase(plan, rng, the=True))
        else:
            made = phrase(plan, rng)
        made = re.sub(r" +,", ",", re.sub(" +", " ", made)).strip(" ,")
        if plain(made) not in OTHERS and len(set(re.findall(r"{\w+}", made))) == len(re.findall(r"{\w+}", made)):
            return made


def planned(family: str, rng: Draw) -> list[str]:
    """What is told of, in the order it is told."""
    plans = PLANS[family]
    at = int(rng.integers(sum(weight for weight, _ in plans)))
    for weight, plan in plans:
        at -= weight
        if at < 0:
            parts = plan.split()
            parts = [str(part) for part in rng.permutation(parts)] if rng.random() < 0.5 else parts
            return sorted(parts, key="by".__eq__)  # last, or the rest would be said of the other person
    raise AssertionError("the weights were counted")


def phrase(plan: list[str], rng: Draw, the: bool = False) -> str:
    """A noun phrase: who, with some words before the noun and the rest after it, or one fact put first."""
    before = [part for part in plan if len(part) == 1]
    after = [part for part in plan if len(part) > 1]
    whole = next((part for part in before if part in "yz"), None)
    chance = rng.random()
    if whole:
        head = f"{{{whole}}}" if chance < 0.2 and not the else f"the {{{whole}}}"
    else:
        words = " ".join(f"{{{part}}}" for part in sorted(before, key="eskj".index))
        extreme = not set(before).isdisjoint("es")
        if not before and after and chance < 0.1:
            head = pick(rng, HEADLESS)
        elif chance < (0.9 if the else 0.6):
            head = f"the {words} {{n}}"
        elif extreme or chance > 0.86:
            head = f"{words} {{n}}"
        elif words:
            head = f"a {words} {{n}}"
        else:
            head = pick(rng, ("{an}", "{an}", "{an}", "this {n}", "that {n}", "one {n}"))
    said = [pick(rng, FACTS[part]) for part in after]
    front = ""
    if said and not the and rng.random() < 0.12 and after[-1] in ("at", "by", "nth"):
        front = said.pop().removeprefix(", ").removeprefix("who is ").removeprefix("who's ").removeprefix("that is ")
        front = front.removeprefix("that's ") + ", "
    if (
        not before
        and not front
        and len(said) > 0
        and not the
        and rng.random() < 0.06
        and after[0] in ("clothes", "two")
    ):
        head, said[0] = "", pick(rng, ("{u}", "{u}, {v}", "{u} and {v}", "{u}"))
    where = pick(rng, WHERE[before[0]]) if before and before[0] in WHERE and not said else ""
    for k in range(1, len(said)):
        if rng.random() < 0.25 and not said[k].startswith(","):
            said[k] = f", {said[k]}"
        elif said[k].startswith("who") and said[k - 1].startswith("who") and rng.random() < 0.8:
            said[k] = "and " + said[k]
    return " ".join(filter(None, [front + re.sub(" +", " ", head), *said, where]))


def statement(plan: list[str], rng: Draw) -> str:
    """A sentence of its own: "the man is wearing a red coat and is on the left"."""
    told = [pick(rng, PREDICATES[part]) for part in plan]
    for k in range(1, len(told)):
        if told[k].startswith("is ") and told[k - 1].startswith("is ") and rng.random() < 0.5:
            told[k] = told[k].removeprefix("is ")
    if rng.random() < 0.35:  # shown instead of said
        return pick(rng, SHOWN).format(phrase(plan, rng, the=rng.random() < 0.4))
    return f"{pick(rng, SUBJECTS)} " + pick(rng, (" and ", " and ", ", and ")).join(told)
