"""Training examples: a clip's cached features, everyone in it, and sentences about it.

A generated data set has scenes, which tell of everyone in every frame, their looks and the things around them. Of other
data the records alone are known: people with a sentence, boxed at the key frame. What is not known is not learnt from.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from refatomnet.actions import NUM_ACTIONS
from refatomnet.config import ModelConfig
from refatomnet.encoders import Features
from refatomnet.heads import PhraseMatch
from refatomnet.preprocess import Letterbox
from refatomnet.records import Record, read_records
from refatomnet.text import TextTokens
from training.data.clips import model_frames
from training.data.mirror import mirror_record
from training.data.records import scene_lines, scenes_path
from training.data.statistics import in_view
from training.data.synthetic.facts import (
    BOTTOMS,
    COLOURS,
    FACINGS,
    GLASSES,
    HAIR_COLOURS,
    HAIR_LENGTHS,
    HAIR_STYLES,
    HATS,
    JOINTS,
    PATTERNS,
    SLEEVES,
    TOPS,
)

if TYPE_CHECKING:
    from training.cache import FeatureCache

MAX_PEOPLE, MAX_THINGS = 8, 16

# Objects that go by a broader name in the detection head; names it does not know are "thing".
_GROUPS = {
    "chair": "armchair stool",
    "table": "desk counter",
    "sofa": "couch",
    "bed": "sunbed",
    "ball": "football basketball",
    "phone": "telephone smartphone",
    "cup": "mug glass bottle bottles",
    "book": "books newspaper magazine notepad paper",
    "box": "boxes crate",
    "laptop": "computer keyboard tablet",
    "bag": "backpack handbag suitcase",
    "cloth": "coat coats cushion pillow blanket towel rug carpet mat",
    "plant": "bush tree conifer palm hedge flower flowers",
    "lamp": "lantern lamppost streetlight",
    "bin": "litter bucket",
    "cabinet": "shelf bookshelf bookcase case rack door cupboard cupboards wardrobe fridge oven stove locker",
    "curtain": "blinds",
    "sign": "poster picture screen tv television monitor board whiteboard blackboard notices",
    "car": "van bus truck",
}
BROADER = {name: broad for broad, names in _GROUPS.items() for name in names.split()}

ATTRIBUTES: dict[str, tuple[str | bool | None, ...]] = {
    "sex": ("man", "woman"),
    "age": ("child", "adult", "old"),
    "top": TOPS,
    "top_colour": COLOURS,
    "bottom": BOTTOMS,
    "bottom_colour": COLOURS,
    "hair_colour": HAIR_COLOURS,
    "hair_length": HAIR_LENGTHS,
    "facing": FACINGS,
    "sleeves": SLEEVES,
    "pattern": PATTERNS,
    "pattern_colour": COLOURS,
    "hat_kind": (None, *HATS),
    "hat": COLOURS,
    "shoes": COLOURS,
    "scarf": (None, *COLOURS),
    "hair_style": HAIR_STYLES,
    "beard": (False, True),
    "glasses": (None, *GLASSES),
    "carried": (None, "backpack", "bag"),
}


# Of which part of a sentence, as the model knows them, the topics are that sentences of training speak of.
_TOPICS = {
    "worn": "shoes hat scarf tie carried glasses",
    "hair": "hair beard build",
    "side": "left right middle",
}
PART_OF = {name: name for name in PhraseMatch.PARTS} | {
    topic: part for part, topics in _TOPICS.items() for topic in topics.split()
}


@dataclass(frozen=True)
class Batch:
    """B clips with P people (padded), and Q sentences a clip. Boxes are xyxy in fractions of the canvas.

    features: Of every frame, or of the key frame alone (T = 1); or candidates.
    people_xyxy: (B, P, T, 4); NaN where unseen.
    people_real: seen well enough at the key frame (B, P).
    frames_known: Whether boxes are known in every frame, so that NaN means unseen, or at the key frame alone (B).
    things_xyxy: Labelled objects at the key frame (B, O, 4); NaN where there is none. things_kind: category (B, O).
    things_known: Whether objects are labelled at all (B).
    joints: Where each of ``JOINTS`` is seen at the key frame, x and y (B, P, J, 2); NaN where it is not, or not known.
    actions: (B, P, 80), 0 or 1. attributes: class of each of ``ATTRIBUTES``, −1 where none (B, P, len(ATTRIBUTES)).
    key: Index of the key frame among the T. text: The sentences.
    person: Which person each describes, -1 for nobody (B · Q).
    parts: Whether each part of a sentence, of ``PhraseMatch.PARTS``, is true of each person, 1 or 0, and 1 where it
        asks for nothing; −1 where that is not known (B · Q, parts, P).
    """

    features: Features
    people_xyxy: Tensor
    people_real: Tensor
    frames_known: Tensor
    things_xyxy: Tensor
    things_kind: Tensor
    things_known: Tensor
    joints: Tensor
    actions: Tensor
    attributes: Tensor
    text: TextTokens
    person: Tensor
    parts: Tensor
    key: int

    def to(self, device: torch.device | str) -> "Batch":
        """The same on another device."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Batch(**{name: value.to(device) if name != "key" else value for name, value in values.items()})

    def parted(self, count: int) -> "tuple[Batch, Batch | None]":
        """The same clips with the first so many sentences of each, and with the rest, if there are any."""
        clips, sentences = len(self.actions), len(self.person)
        places = torch.arange(sentences, device=self.person.device).view(clips, -1)
        first, rest = (
            replace(self, text=self.text.select(rows), person=self.person[rows], parts=self.parts[rows])
            for rows in (places[:, :count].flatten(), places[:, count:].flatten())
        )
        return first, rest if len(rest.person) else None

    @property
    def key_boxes(self) -> Tensor:
        """True boxes at the key frame (B, P, 4), xyxy; NaN where unseen."""
        return self.people_xyxy[:, :, self.key]


class Examples:
    """The key frames of one split that have features and at least one sentence.

    Sentences about somebody beyond the first ``MAX_PEOPLE`` of a scene, or as many as the model keeps, are left out:
    they do not fit nobody.

    Args:
        data: Data set folder.
        split: "train", "val" or "test".
        cache: Its features.
        config: The model's; says how frames lie on the canvas.
        mirror: Share of clips to see mirrored: all frames alike, with their boxes, and left and right exchanged in the
            sentences. A sentence that cannot be mirrored is not drawn then.
        limit: Use only the first so many key frames.
    """

    def __init__(
        self,
        data: Path,
        split: str,
        cache: "FeatureCache",
        config: ModelConfig,
        *,
        mirror: float = 0.0,
        limit: int | None = None,
    ) -> None:
        self.folder = data
        self._cache, self._config, self._mirror = cache, config, mirror
        self._most = min(MAX_PEOPLE, config.people)  # of a scene: no more can be told apart
        records: dict[str, list[Record]] = {}
        for record in read_records(data / f"{split}.jsonl"):
            if record.moment in cache:
                records.setdefault(record.moment, []).append(record)
        path = scenes_path(data, split)
        scenes = (
            {f"{scene['clip']}#{scene['key_frame']}": scene for scene in scene_lines(path, joints=True)}
            if path.is_file()
            else {}
        )
        self.has_scenes = bool(scenes)
        self._records: dict[str, list[Record]] = {}
        self._truths: dict[str, dict[str, Any]] = {}
        for moment in sorted(records):
            scene = scenes.get(moment)
            truth = self._of_scene(moment, scene) if scene else self._of_records(moment, records[moment])
            known = [r for r in records[moment] if r.box_xyxy is None or r.person_id in truth["ids"]]
            if known and len(self._records) != limit:
                self._records[moment], self._truths[moment] = known, truth
        self.moments = list(self._records)

    def __len__(self) -> int:
        return len(self.moments)

    def batch(
        self,
        indices: list[int],
        sentences: int,
        rng: np.random.Generator,
        *,
        still: bool = False,
        read: Callable[[str, bool], Features] | None = None,
    ) -> Batch:
        """A batch of these clips, or of their key frames alone, with so many sentences each, drawn at random.

        ``read``: What to take in place of the features of a key frame, and whether of its mirror image.
        """
        moments = [self.moments[i] for i in indices]
        chosen, mirrored = [], []
        for moment in moments:
            records = self._records[moment]
            turned = [r for r in map(mirror_record, records) if r is not None] if rng.random() < self._mirror else []
            mirrored.append(bool(turned))
            chosen.append(self._draw(turned or records, sentences, rng))
        return self._collate(moments, chosen, mirrored, still=still, read=read)

    def features(self, moment: str, mirrored: bool, frames: slice = slice(None)) -> Features:
        """Cached features of a key frame's clip, of these frames."""
        return self._cache.features(moment, frames, mirrored=mirrored)

    def _draw(self, records: list[Record], count: int, rng: np.random.Generator) -> list[Record]:
        """Sentences of one clip: without repetition while they last."""
        order = [int(i) for _ in range(-(-count // len(records))) for i in rng.permutation(len(records))]
        return [records[i] for i in order[:count]]

    def _collate(
        self,
        moments: list[str],
        chosen: list[list[Record]],
        mirrored: list[bool],
        *,
        still: bool,
        read: Callable[[str, bool], Features] | None,
    ) -> Batch:
        key = self._config.key_frame
        frames = slice(key, key + 1) if still else slice(None)
        seen = list(zip(moments, mirrored, strict=True))
        features = [read(*which) if read else self.features(*which, frames) for which in seen]
        truth = [_mirrored(self._truths[moment]) if turned else self._truths[moment] for moment, turned in seen]
        flat = [(row, record) for row, records in enumerate(chosen) for record in records]
        person = [truth[row]["ids"].index(record.person_id) if record.box_xyxy else -1 for row, record in flat]
        tensors = [name for name, value in truth[0].items() if isinstance(value, Tensor)]
        stacked = {name: torch.stack([t[name] for t in truth]) for name in tensors}
        return Batch(
            **stacked | {"people_xyxy": stacked["people_xyxy"][:, :, frames]},
            features=Features.stack(features),
            text=self._cache.text([record.sentence for _, record in flat]),
            person=torch.tensor(person),
            parts=torch.stack([parts_known(record) for _, record in flat]),
            key=0 if still else key,
        )

    def _of_scene(self, moment: str, scene: dict[str, Any]) -> dict[str, Any]:
        """What is known of a clip, from its scene line."""
        config, there = self._config, scene["key_frame"]
        box = self._cache.letterbox(moment, config)
        truth = self._nothing(box, known=True)
        for row, entry in enumerate(scene["people"][: self._most]):
            boxes = entry["boxes_xyxy"]
            places = model_frames(scene["fps"], there, len(boxes), config)
            truth["people_xyxy"][row] = box.to_canvas(_floats([boxes[i] for i in places]))
            truth["people_real"][row] = in_view(entry, there)
            truth["actions"][row, torch.tensor(entry["actions"], dtype=torch.long) - 1] = 1
            look = {**entry["look"], "facing": entry["facing"]}
            for column, (name, classes) in enumerate(ATTRIBUTES.items()):
                if name in look and look[name] in classes:
                    truth["attributes"][row, column] = classes.index(look[name])
            truth["joints"][row] = box.to_canvas(_seen_joints(entry, there).repeat(1, 2))[:, :2]
            truth["ids"].append(entry["person_id"])
        for row, entry in enumerate(scene["things"][:MAX_THINGS]):
            truth["things_xyxy"][row] = box.to_canvas(_floats([entry["boxes_xyxy"][there]]))[0]
            truth["things_kind"][row] = self._kind(entry["name"])
        return truth

    def _of_records(self, moment: str, records: list[Record]) -> dict[str, Any]:
        """What is known of a clip that has no scene: the described people at its key frame."""
        box = self._cache.letterbox(moment, self._config)
        truth = self._nothing(box, known=False)
        people = {record.person_id: record for record in records if record.box_xyxy}
        for row, record in enumerate(list(people.values())[: self._most]):
            truth["people_xyxy"][row, self._config.key_frame] = box.to_canvas(torch.tensor(record.box_xyxy))
            truth["people_real"][row] = True
            truth["actions"][row, torch.tensor(record.actions, dtype=torch.long) - 1] = 1
            truth["ids"].append(record.person_id)
        return truth

    def _nothing(self, box: Letterbox, *, known: bool) -> dict[str, Any]:
        """A clip without people and things; ``known``: that there are none, in any frame, is known."""
        return {
            "people_xyxy": torch.full((MAX_PEOPLE, self._config.frames, 4), torch.nan),
            "people_real": torch.zeros(MAX_PEOPLE, dtype=torch.bool),
            "frames_known": torch.tensor(known),
            "things_xyxy": torch.full((MAX_THINGS, 4), torch.nan),
            "things_kind": torch.zeros(MAX_THINGS, dtype=torch.long),
            "things_known": torch.tensor(known),
            "joints": torch.full((MAX_PEOPLE, len(JOINTS), 2), torch.nan),
            "actions": torch.zeros(MAX_PEOPLE, NUM_ACTIONS),
            "attributes": torch.full((MAX_PEOPLE, len(ATTRIBUTES)), -1),
            "ids": [],
            "middle": (box.left + box.width / 2) / box.canvas_width,
        }

    def _kind(self, name: str) -> int:
        known = self._config.categories
        broad = BROADER.get(name, name)
        return known.index(broad if broad in known else "thing")


_OTHER_SIDE = str.maketrans("LR", "RL")  # of a joint's name


def parts_known(record: Record) -> Tensor:
    """Row of ``Batch.parts`` of a sentence (parts, ``MAX_PEOPLE``)."""
    told: dict[str, str] | None = record.extra.get("parts")
    known = [[-1 if told is None else 1] * MAX_PEOPLE for _ in PhraseMatch.PARTS]
    for topic, signs in (told or {}).items():
        row = known[PhraseMatch.PARTS.index(PART_OF[topic])]
        for i, sign in enumerate(signs[:MAX_PEOPLE]):
            if sign != "1" and row[i] != 0:
                row[i] = 0 if sign == "0" else -1
    return torch.tensor(known, dtype=torch.int8)


def _mirrored(truth: dict[str, Any]) -> dict[str, Any]:
    """The same clip in a mirror; a person turned left is turned right then."""
    turned = dict(truth)
    for name in ("people_xyxy", "things_xyxy"):
        x1, y1, x2, y2 = truth[name].unbind(-1)
        across = 2 * truth["middle"]  # the picture's own: it may lie a pixel off the canvas's
        turned[name] = torch.stack([across - x2, y1, across - x1, y2], dim=-1)
    joints = truth["joints"][:, [JOINTS.index(name.translate(_OTHER_SIDE)) for name in JOINTS]].clone()
    joints[..., 0] = 2 * truth["middle"] - joints[..., 0]
    turned["joints"] = joints
    facing = truth["attributes"].clone()
    column = list(ATTRIBUTES).index("facing")
    left, right = FACINGS.index("left"), FACINGS.index("right")
    known = truth["attributes"][:, column]
    facing[known == left, column], facing[known == right, column] = right, left
    turned["attributes"] = facing
    return turned


def _seen_joints(person: dict[str, Any], frame: int) -> Tensor:
    """Joints of a person of a scene in a frame (J, 2), NaN where not seen, or not told."""
    if "joints_xy" not in person or "joints_seen" not in person:
        return torch.full((len(JOINTS), 2), torch.nan)
    told = zip(person["joints_xy"][frame], person["joints_seen"][frame], strict=True)
    return _floats([place if seen else None for place, seen in itertools.islice(told, len(JOINTS))], 2)


def _floats(rows: list[list[float] | None], width: int = 4) -> Tensor:
    """Boxes or points (N, width), NaN where there is none."""
    return torch.tensor([row or [float("nan")] * width for row in rows], dtype=torch.float32)
