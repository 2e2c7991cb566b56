"""What a checkpoint's config says of it, for people: in sections, and those as Markdown for the model card.

The config's words and numbers are another's: whatever lacks or has an unknown form is left out.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

from refatomnet.actions import ACTIONS

PICTURE = "misses.webp"  # of the worst misses, beside the card
AFTER = ", after "  # in ``trained_on``, between what a checkpoint was trained on and what before
MEASURES = {
    "acc_iou50": "Acc@IoU 0.5",
    "miou": "mIoU",
    "map_macro": "mAP, macro",
    "map_weighted": "mAP, support-weighted",
    "auroc_macro": "AUROC, macro",
    "auroc_weighted": "AUROC, support-weighted",
    "presence_auroc": "AUROC of presence",
    "frame_map50": "AVA's frame-mAP at IoU 0.5",
    "ece": "calibration error of the actions",
}
SPLITS = {"val": "val", "test": "test", "test_paraphrase": "in unseen words"}
CONTROLS = {
    "shuffled_sentence": "shuffled sentences",
    "wrong_person": "another person's sentence",
    "prior_only": "prior only",
}
SETTINGS = {
    "began_with": "begins with",
    "averaged": "checkpoints averaged to begin with",
    "stills": "stills",
    "look_epochs": "passes over everybody alone",
    "still_epochs": "passes over key frames",
    "clips": "clips",
    "epochs": "passes over whole clips",
    "choice_epochs": "passes of choosing alone",
    "steps": "steps to the best look at val",
    "batch_clips": "clips a step",
    "sentences": "sentences a clip",
    "more_sentences": "sentences that only choose",
    "learning_rate": "highest learning rate",
    "weight_decay": "weight decay",
    "ema": "decay of averaged weights",
    "mirror": "share mirrored",
    "seed": "seed",
    "hours": "hours",
    "threads": "CPU threads",
}
LOOSE = ("ci95", "controls", "per_class", "by_kind")  # of scores told without a split
WORST_PAIRS = 10
ENOUGH = 20  # records of an action from which it is named among the best or worst


@dataclass(frozen=True)
class Table:
    """Rows of cells under a head, the first of each naming it; folded under its title where it has one."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Commands:
    """Command lines that make the figures before them."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """The picture beside the card; ``text`` says what it shows."""

    text: str


Part = str | Table | Commands | Bullets | Picture


class Section(NamedTuple):
    """A heading and what stands under it."""

    title: str
    parts: list[Part]


USES = [
    Section(
        "Meant for",
        [
            "Research on referring expressions and actions, comparison of methods, and describing what people do in "
            "footage that one may analyse. Expect worse scores on footage unlike the data above."
        ],
    ),
    Section(
        "Not meant for",
        [
            Bullets(
                (
                    "Telling who somebody is: sentences are about clothes, looks and place. It must not be used to "
                    "identify persons.",
                    "Surveillance, or any decision about a person, such as on work, credit, entry, guilt or treatment.",
                    "Anything where a wrong box or a wrong action does harm.",
                )
            )
        ],
    ),
]


def sections(card: Mapping[str, Any], *, picture: bool) -> list[Section]:
    """All that is known, from the data to the failures, then what the model is and is not meant for.

    Args:
        card: A checkpoint's config.
        picture: Whether the picture of the worst misses is at hand.
    """
    known = learnt_from(card)
    trained = f"Trained on {known}." if known else "The checkpoint does not say what it was trained on."
    made = [
        Section("Data", [trained]),
        Section("Recipe", recipe(card)),
        Section("Scores", scores(card) or ["The checkpoint carries no measured scores."]),
        Section("Action by action", actions(card)),
        Section("Actions taken for each other", _look_alikes(card)),
        Section("Failures", _misses(card, picture)),
        Section("Spoilt clips", robustness(card)),
        Section("Followed through twenty seconds", following(card)),
        Section("Real clips", references(card)),
    ]
    return [section for section in made if section.parts] + USES


# ---- sections -----------------------------------------------------------------------------------------------------
def learnt_from(card: Mapping[str, Any]) -> str:
    """What it was trained on; of a long row of sets the last, and how many there were before. Empty if not told."""
    last, *before = str(card.get("trained_on") or "").split(AFTER)
    return AFTER.join([last, *before] if len(before) < 3 else [last, f"{len(before)} other sets or parts of them"])


def recipe(card: Mapping[str, Any]) -> list[Part]:
    """How it was trained, run by run."""
    training = _mapping(card.get("training"))
    runs = [_mapping(run) for run in _list(training.get("runs"))] or ([training] if training else [])
    shown = {key: label for key, label in SETTINGS.items() if any(key in run for run in runs)}
    if not shown:
        return []
    head = ("setting", *(f"run {i}" if len(runs) > 1 else "value" for i in range(1, len(runs) + 1)))
    rows = tuple((label, *(_setting(run.get(key)) for run in runs)) for key, label in shown.items())
    averaged = " Which weights to average was chosen by val too." if any(run.get("averaged") for run in runs) else ""
    chosen = (
        f"Only val chose: a run's weights are those of the best look at it, and calibration was fitted on it.{averaged}"
    )
    commands = _commands(training)
    then = "Its data, by the generator as it was before each run; a later one makes other clips of the same seed:"
    return [*([chosen] if training.get("runs") else []), Table(head, rows), *([then] if commands else []), *commands]


def scores(card: Mapping[str, Any], splits: Iterable[str] | None = None) -> list[Part]:
    """The scores of these splits, by default all, beside the controls of test."""
    known = by_split(card)
    columns = {SPLITS.get(name, name): known[name] for name in splits or known if name in known}
    test = known.get("test", {})
    controls = _mapping(test.get("controls"))
    columns |= {label: _mapping(controls[name]) for name, label in CONTROLS.items() if name in controls}
    labels = {"records": "sentences", **MEASURES}
    names = [name for name in labels if any(_is_number(column.get(name)) for column in columns.values())]
    if not names:
        return []
    rows = tuple((labels[name], *(_score(column, name) for column in columns.values())) for name in names)
    told = ["Fractions from 0 to 1, measured on held-out data."]
    if any(isinstance(column.get("ci95"), Mapping) for column in columns.values()):
        told.append(
            "In brackets: 95 % bootstrap intervals over clips; that of the macro mAP may lie above its value, as a "
            "rare action is easier where its clips are drawn twice."
        )
    if _is_number(test.get("present")):
        told.append(f"Of the test sentences {test['present']:,} are about somebody in view, the others fit nobody.")
    if "test_paraphrase" in known:
        told.append("In unseen words are the people of test in words and forms that training never saw.")
    if controls:
        told.append(
            "The last columns are of test: asked with other clips' sentences, with those of another person in view, "
            "and knowing nothing but how frequent actions are."
        )
    parts: list[Part] = [" ".join(told), Table(("measure", *columns), rows)]
    kinds = {str(name): _mapping(entry).get("acc_iou50") for name, entry in _mapping(test.get("by_kind")).items()}
    ordered = sorted(((value, name) for name, value in kinds.items() if _is_number(value)), reverse=True)
    if ordered:
        listed = ", ".join(f"{name} {value:.2f}" for value, name in ordered)
        parts.append(f"Acc@IoU 0.5 by what the sentence speaks of: {listed}.")
    lines = [line for column in columns.values() for part in _commands(column) for line in part.lines]
    return [*parts, *([Commands(tuple(dict.fromkeys(lines)))] if lines else [])]


def best_and_worst(card: Mapping[str, Any], each: int = 6) -> list[Part]:
    """The actions that are known best and worst, of those with enough records."""
    known = {name: entry for name, entry in _classes(card).items() if _number(entry, "support") >= ENOUGH}
    ranked = sorted(
        (name for name, entry in known.items() if _is_number(entry.get("ap"))), key=lambda n: known[n]["ap"]
    )
    if len(ranked) < 2 * each:
        return []
    said = [", ".join(f"{n} {known[n]['ap']:.2f}" for n in part) for part in (ranked[::-1][:each], ranked[:each])]
    return [f"Best actions by average precision, of those with {ENOUGH} records: {said[0]}; worst: {said[1]}."]


def actions(card: Mapping[str, Any]) -> list[Part]:
    """The scores of each action, of the last split that has any."""
    columns = {"ap": "AP", "auroc": "AUROC", "support": "sentences"}
    known = _classes(card)
    shown = [name for name in columns if any(_is_number(entry.get(name)) for entry in known.values())]
    if not shown:
        return []
    rows = tuple((name, *(_score(entry, column) for column in shown)) for name, entry in known.items())
    return [*best_and_worst(card), Table(("action", *(columns[n] for n in shown)), rows, "Scores of every action")]


def _look_alikes(card: Mapping[str, Any]) -> list[Part]:
    pairs = [_mapping(pair) for pair in _list(card.get("look_alikes"))]
    rows = []
    for pair in pairs[:WORST_PAIRS]:
        names, counts = _list(pair.get("names")), _list(pair.get("records"))
        if len(names) == len(counts) == 2 and _is_number(pair.get("told_apart")):
            both = " and ".join(map(str, names))
            rows.append((both, f"{pair['told_apart']:.2f}", " and ".join(map(str, counts))))
    if not rows:
        return []
    told = (
        "The pairs told apart worst on test: the chance that somebody who does the first and not the second leads by "
        "the first's score over the second's more than somebody who does the second and not the first. 0.5 is "
        f"guessing. Of people boxed right, and pairs with {ENOUGH} sentences on both sides."
    )
    return [told, Table(("actions", "told apart", "sentences"), tuple(rows))]


def _misses(card: Mapping[str, Any], picture: bool) -> list[Part]:
    rows = tuple(
        (f"{i}. {miss.get('sentence', '')}", _score(miss, "presence"), _score(miss, "iou"))
        for i, miss in enumerate(map(_mapping, _list(card.get("misses"))), start=1)
    )
    if not rows:
        return []
    told = (
        "The wrong boxes of test that were given with the most certainty (presence × (1 − IoU)), one a clip: whom the "
        "sentence means in white, whom the model boxed in orange."
    )
    shown = (
        [Picture(f"Key frames of the {len(rows)} worst misses, with both boxes and the sentence")] if picture else []
    )
    return [told, *shown, Table(("sentence", "presence", "IoU"), rows, "The same in words")]


def robustness(card: Mapping[str, Any]) -> list[Part]:
    """What is left on spoilt, mirrored and paraphrased clips."""
    told = _mapping(card.get("robustness"))
    keys = ("acc_iou50", "miou", "map_macro", "presence_auroc")
    rows = []
    for row in map(_mapping, _list(told.get("rows"))):
        low, high = (*_list(row.get("drop_ci95")), None, None)[:2]
        lost = f"{0.0 - high:+.3f} to {0.0 - low:+.3f}" if _is_number(low) and _is_number(high) else "–"
        rows.append((str(row.get("name", "")), *(_score(row, key) for key in keys), lost))
    if not rows:
        return []
    head = ("clips", *(MEASURES[key] for key in keys), "change of Acc@IoU 0.5, 95 %")
    count = f" on {told['clips']:,} clips of test" if _is_number(told.get("clips")) else ""
    return [
        f"The scores that are left{count}, by corruption and level of 5.",
        Table(head, tuple(rows)),
        *_commands(told),
    ]


def following(card: Mapping[str, Any]) -> list[Part]:
    """How well people are followed through long clips."""
    told = _mapping(card.get("following"))
    asked, given = _mapping(told.get("asked")), _mapping(told.get("given"))
    if not _is_number(asked.get("iou")) or not _is_number(given.get("iou")):
        return []
    said = (
        f"On {asked.get('clips', 0)} clips of people who come, go and cross, with cuts, the track of the answer has an "
        f"IoU of {_score(asked, 'iou')} with the truth, and changes to another person in {_score(asked, 'switched')} "
        f"of the clips. Were the right person chosen at every key frame, it would be {_score(given, 'iou')} and "
        f"{_score(given, 'switched')}."
    )
    return [said, *_commands(told)]


def references(card: Mapping[str, Any]) -> list[Part]:
    """What it answers about the few real clips."""
    told = _mapping(card.get("references"))
    names = ("right", "in_view", "silent", "absent", "clips")
    if not all(_is_number(told.get(name)) for name in names):
        return []
    right, in_view, silent, absent, clips = (told[name] for name in names)
    found = f" ({told['announced']} of these people are found)" if _is_number(told.get("announced")) else ""
    said = (
        f"On {in_view + absent} references over {clips} real clips, boxes drawn by eye (far too few to rank anything): "
        f"{right} of {in_view} boxes of people in view reach IoU 0.5{found}, and {silent} of {absent} absent "
        "people are not found."
    )
    return [said, *_commands(told)]


# ---- Markdown -----------------------------------------------------------------------------------------------------
def markdown(made: Iterable[Section]) -> str:
    """Sections under headings of the second level."""
    return "\n\n".join(f"## {section.title}\n{parts_markdown(section.parts)}" for section in made)


def parts_markdown(parts: Iterable[Part]) -> str:
    """Paragraphs, tables, lists, commands and the picture, an empty line between."""
    return "\n\n".join(map(_part_markdown, parts))


def _part_markdown(part: Part) -> str:
    if isinstance(part, Table):
        head, *rows = (f"{''.join(f'| {one_line(cell)} ' for cell in row)}|" for row in (part.head, *part.rows))
        table = "\n".join([head, f"|---|{'---:|' * (len(part.head) - 1)}", *rows])
        folded = f"<details><summary>{one_line(part.title)}</summary>\n\n{table}\n</details>"
        return folded if part.title else table
    if isinstance(part, Commands):
        return "\n".join(["```", *part.lines, "```"])
    if isinstance(part, Bullets):
        return "\n".join(f"- {one_line(item)}" for item in part.items)
    if isinstance(part, Picture):
        return f"![{one_line(part.text)}]({PICTURE})"
    return one_line(part)


def one_line(value: Any) -> str:
    """A value from a card as plain text of one line in Markdown."""
    return re.sub(r"([\\`*_\[\]|<>#])", r"\\\1", " ".join(str(value).split()))


# ---- values -------------------------------------------------------------------------------------------------------
def by_split(card: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Scores by split, those known first and in their order; of a card that tells them without one, under "value"."""
    told = _mapping(card.get("scores"))
    splits = {str(name): entry for name, entry in told.items() if isinstance(entry, Mapping) and name not in LOOSE}
    if not splits and told:
        return {"value": told}
    return {name: splits[name] for name in sorted(splits, key=lambda n: [*SPLITS, n].index(n))}


def _classes(card: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What is told of every action, by its name, of the last split that tells any."""
    tables = [_mapping(column.get("per_class")) for column in by_split(card).values()]
    table: Mapping[str, Any] = next((table for table in reversed(tables) if table), {})
    ids = sorted(int(i) for i in table if str(i).isdecimal() and 1 <= int(i) <= len(ACTIONS))
    return {ACTIONS[i - 1].name: _mapping(table.get(str(i))) for i in ids}


def _commands(told: Mapping[str, Any]) -> list[Commands]:
    lines = tuple(str(line) for line in _list(told.get("commands")))
    return [Commands(lines)] if lines else []


def _score(column: Mapping[str, Any], name: str) -> str:
    value, interval = column.get(name), _list(_mapping(column.get("ci95")).get(name))
    if not _is_number(value):
        return "–"
    if isinstance(value, int) and name in ("records", "support"):
        return f"{value:,}"
    if len(interval) == 2 and all(map(_is_number, interval)):
        return f"{value:.3f} ({interval[0]:.3f}–{interval[1]:.3f})"
    return f"{value:.3f}"


def _setting(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _number(entry: Mapping[str, Any], name: str) -> float:
    value = entry.get(name)
    return float(value) if _is_number(value) else 0.0


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
