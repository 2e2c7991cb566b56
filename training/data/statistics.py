"""What a data set holds, in numbers: from records, and from scenes where there are any."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from refatomnet.actions import ACTIONS, GROUPS, action
from refatomnet.records import Record

BIG_ENOUGH, SEEN_ENOUGH = 0.003, 0.15  # smallest box (share of the frame) and visible share of somebody in view


@dataclass
class Statistics:
    """Counts of one split. Boxes are of the described people at the key frame, each person once.

    sources: What its clips are called. labels: People by action id. labels_each: People by number of labels.
    people_each: Clips by number of people in view, of whom hardly visible ones do not count. kinds, words: Of
    sentences. lengths: Words of every sentence. looks: Counts by attribute, of everyone in view. things: Clips by the
    objects in view. boxes: xyxy [n, 4]. visible: Share of the described people that is seen [n].
    """

    sources: set[str] = field(default_factory=set)
    sentences: int = 0
    absent: int = 0
    hard: int = 0
    distinct: int = 0
    people: int = 0
    labels: Counter[int] = field(default_factory=Counter)
    labels_each: Counter[int] = field(default_factory=Counter)
    people_each: Counter[int] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    lengths: list[int] = field(default_factory=list)
    sizes: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    looks: dict[str, Counter[str]] = field(default_factory=dict)
    things: Counter[str] = field(default_factory=Counter)
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))
    visible: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def clips(self) -> int:
        return len(self.sources)


def in_view(person: dict[str, Any], key_frame: int) -> bool:
    """Whether a scene's person is seen well enough at the key frame to be one to choose from."""
    box = person["boxes_xyxy"][key_frame]
    if box is None:
        return False
    area = (box[2] - box[0]) * (box[3] - box[1])
    return bool(area >= BIG_ENOUGH and person["visible"][key_frame] >= SEEN_ENOUGH)


def gather(records: Sequence[Record], scenes: Iterable[dict[str, Any]] = ()) -> Statistics:
    """Count a split; scenes of clips without a record count too, for people and objects."""
    found = Statistics(sentences=len(records), distinct=len({r.sentence for r in records}))
    described: dict[tuple[str, str], Record] = {}
    for record in records:
        words = record.sentence.lower().replace(",", " ").split()
        found.words.update(words)
        found.lengths.append(len(words))
        found.kinds[str(record.extra.get("kind", "unknown"))] += 1
        found.hard += bool(record.extra.get("hard"))
        if record.box_xyxy is None:
            found.absent += 1
        else:
            described[record.source, record.person_id] = record
    found.people = len(described)
    for record in described.values():
        found.labels.update(record.actions)
        found.labels_each[len(record.actions)] += 1
    found.boxes = np.array([r.box_xyxy for r in described.values()], dtype=float).reshape(-1, 4)
    visible = []
    for scene in scenes:
        found.sources.add(scene["clip"])
        key = scene["key_frame"]
        there = [person for person in scene["people"] if in_view(person, key)]
        found.people_each[len(there)] += 1
        found.places[scene.get("place", "")] += 1
        if "size" in scene:
            found.sizes["x".join(map(str, scene["size"]))] += 1
        found.things.update(sorted({thing["name"] for thing in scene.get("things", ()) if thing["boxes_xyxy"][key]}))
        for person in there:
            shown = {**person.get("look", {}), "facing": person.get("facing"), "posture": person.get("posture")}
            for name, value in shown.items():
                if isinstance(value, str):
                    found.looks.setdefault(name, Counter())[value] += 1
        visible += [p["visible"][key] for p in scene["people"] if (scene["clip"], p["person_id"]) in described]
    found.sources = found.sources or {r.source for r in records}
    found.visible = np.array(visible)
    return found


def group_shares(labels: Counter[int]) -> dict[str, float]:
    """Share of the labels in each of AVA's three groups."""
    total = max(1, sum(labels.values()))
    return {group: sum(n for i, n in labels.items() if action(i).group == group) / total for group in GROUPS}


def quantiles(values: np.ndarray, digits: int = 2) -> str:
    """5 %, 25 %, median, 75 % and 95 %, as text."""
    if not len(values):
        return "–"
    return " / ".join(f"{v:.{digits}f}" for v in np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]))


def box_numbers(boxes: np.ndarray) -> dict[str, np.ndarray]:
    """Height, area, width over height (of the fractions), and the centre, of boxes xyxy [n, 4]."""
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    return {
        "height": height,
        "area": width * height,
        "width / height": width / np.maximum(height, 1e-6),
        "centre x": (boxes[:, 0] + boxes[:, 2]) / 2,
        "centre y": (boxes[:, 1] + boxes[:, 3]) / 2,
    }


def label_names(labels: Counter[int]) -> list[tuple[str, int]]:
    """Names and counts of the actions that occur, most frequent first."""
    return [
        (f"{a.id} {a.name}", labels[a.id]) for a in sorted(ACTIONS, key=lambda a: (-labels[a.id], a.id)) if labels[a.id]
    ]
