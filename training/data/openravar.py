"""Training examples from a generated data set: a clip's cached features, everyone in it, and sentences about it."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from refatomnet.actions import NUM_ACTIONS
from refatomnet.config import ModelConfig
from refatomnet.encoders import FrameFeatures
from refatomnet.preprocess import Letterbox
from refatomnet.text import TextTokens
from training.cache import FeatureCache
from training.data.clips import clip_size, model_frames
from training.data.mirror import mirror_record
from training.data.records import Record, read_records, scene_lines, scenes_path
from training.data.statistics import in_view
from training.data.synthetic.facts import BOTTOMS, COLOURS, FACINGS, HAIR_COLOURS, HAIR_LENGTHS, PATTERNS, SLEEVES, TOPS

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

ATTRIBUTES: dict[str, tuple[str, ...]] = {
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
}


@dataclass(frozen=True)
class Batch:
    """B clips with P people (padded), and Q sentences a clip. Boxes are xyxy in fractions of the canvas.

    features: Of every frame, or of the key frame alone (T = 1). people_xyxy: (B, P, T, 4); NaN where unseen.
    people_real: seen well enough at the key frame (B, P).
    things_xyxy: Labelled objects at the key frame (B, O, 4); NaN where there is none. things_kind: category (B, O).
    actions: (B, P, 80), 0 or 1. attributes: class of each of ``ATTRIBUTES``, −1 where none (B, P, len(ATTRIBUTES)).
    key: Index of the key frame among the T. text: The sentences.
    person: Which person each describes, -1 for nobody (B · Q).
    """

    features: FrameFeatures
    people_xyxy: Tensor
    people_real: Tensor
    things_xyxy: Tensor
    things_kind: Tensor
    actions: Tensor
    attributes: Tensor
    text: TextTokens
    person: Tensor
    key: int

    def to(self, device: torch.device | str) -> "Batch":
        """The same on another device."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Batch(**{name: value.to(device) if name != "key" else value for name, value in values.items()})

    @property
    def key_boxes(self) -> Tensor:
        """True boxes at the key frame (B, P, 4), xyxy; NaN where unseen."""
        return self.people_xyxy[:, :, self.key]


def letterbox_of(data: Path, scene: dict[str, Any], config: ModelConfig) -> Letterbox:
    """How a clip's frames lie on the model's canvas; scenes of older data do not tell their size, so the file does."""
    width, height = scene.get("size") or clip_size(data / scene["clip"])
    return Letterbox.fit(width, height, canvas_width=config.image_width, canvas_height=config.image_height)


class OpenRavar:
    """The clips of one split that have features and at least one sentence.

    Sentences about somebody beyond the first ``MAX_PEOPLE`` of a scene are left out: they do not fit nobody.

    Args:
        data: Data set folder.
        split: "train", "val" or "test".
        cache: Its features.
        config: The model's; says how frames lie on the canvas.
        mirror: Share of clips to see mirrored: all frames alike, with their boxes, and left and right exchanged in the
            sentences. A sentence that cannot be mirrored is not drawn then.
        limit: Use only the first so many clips.
    """

    def __init__(
        self,
        data: Path,
        split: str,
        cache: FeatureCache,
        config: ModelConfig,
        *,
        mirror: float = 0.0,
        limit: int | None = None,
    ) -> None:
        self._cache = cache
        self._mirror = mirror
        self._data, self._config = data, config
        records: dict[str, list[Record]] = {}
        for record in read_records(data / f"{split}.jsonl"):
            records.setdefault(str(record.clip), []).append(record)
        scenes: dict[str, dict[str, Any]] = {}
        self._records: dict[str, list[Record]] = {}
        for scene in scene_lines(scenes_path(data, split)):
            clip, there = scene["clip"], {person["person_id"] for person in scene["people"][:MAX_PEOPLE]}
            known = [r for r in records.get(clip, ()) if r.box_xyxy is None or r.person_id in there]
            if known and clip in cache:
                scenes[clip], self._records[clip] = scene, known
        self.clips = sorted(scenes)[:limit]
        self._scenes = {clip: self._truth(scenes[clip]) for clip in self.clips}

    def __len__(self) -> int:
        return len(self.clips)

    def batch(self, indices: list[int], sentences: int, rng: np.random.Generator, *, still: bool = False) -> Batch:
        """A batch of these clips, or of their key frames alone, with so many sentences each, drawn at random."""
        clips = [self.clips[i] for i in indices]
        chosen, mirrored = [], []
        for clip in clips:
            records = self._records[clip]
            turned = [r for r in map(mirror_record, records) if r is not None] if rng.random() < self._mirror else []
            mirrored.append(bool(turned))
            chosen.append(self._draw(turned or records, sentences, rng))
        return self._collate(clips, chosen, mirrored, still=still)

    def _draw(self, records: list[Record], count: int, rng: np.random.Generator) -> list[Record]:
        """Sentences of one clip: without repetition while they last."""
        order = [int(i) for _ in range(-(-count // len(records))) for i in rng.permutation(len(records))]
        return [records[i] for i in order[:count]]

    def _collate(self, clips: list[str], chosen: list[list[Record]], mirrored: list[bool], *, still: bool) -> Batch:
        key = self._config.key_frame
        frames = slice(key, key + 1) if still else slice(None)
        seen = list(zip(clips, mirrored, strict=True))
        features = [FrameFeatures(**self._cache.frames(clip, frames, mirrored=turned)) for clip, turned in seen]
        truth = [_mirrored(self._scenes[clip]) if turned else self._scenes[clip] for clip, turned in seen]
        people = {row: {name: i for i, name in enumerate(t["ids"])} for row, t in enumerate(truth)}
        flat = [(row, record) for row, records in enumerate(chosen) for record in records]
        person = [people[row][record.person_id] if record.box_xyxy else -1 for row, record in flat]
        return Batch(
            features=FrameFeatures.stack(features),
            people_xyxy=torch.stack([t["people_xyxy"][:, frames] for t in truth]),
            people_real=torch.stack([t["people_real"] for t in truth]),
            things_xyxy=torch.stack([t["things_xyxy"] for t in truth]),
            things_kind=torch.stack([t["things_kind"] for t in truth]),
            actions=torch.stack([t["actions"] for t in truth]),
            attributes=torch.stack([t["attributes"] for t in truth]),
            text=self._cache.text([record.sentence for _, record in flat]),
            person=torch.tensor(person),
            key=0 if still else key,
        )

    def _truth(self, scene: dict[str, Any]) -> dict[str, Any]:
        config, there = self._config, scene["key_frame"]
        box = letterbox_of(self._data, scene, config)
        people = torch.full((MAX_PEOPLE, config.frames, 4), torch.nan)
        real = torch.zeros(MAX_PEOPLE, dtype=torch.bool)
        things = torch.full((MAX_THINGS, 4), torch.nan)
        kinds = torch.zeros(MAX_THINGS, dtype=torch.long)
        actions = torch.zeros(MAX_PEOPLE, NUM_ACTIONS)
        attributes = torch.full((MAX_PEOPLE, len(ATTRIBUTES)), -1)
        for row, entry in enumerate(scene["people"][:MAX_PEOPLE]):
            boxes = entry["boxes_xyxy"]
            places = model_frames(scene["fps"], there, len(boxes), config)
            people[row] = box.to_canvas(_floats([boxes[i] for i in places]))
            real[row] = in_view(entry, there)
            actions[row, torch.tensor(entry["actions"], dtype=torch.long) - 1] = 1
            look = {**entry["look"], "facing": entry["facing"]}
            for column, (name, classes) in enumerate(ATTRIBUTES.items()):
                if look.get(name) in classes:
                    attributes[row, column] = classes.index(look[name])
        for row, entry in enumerate(scene["things"][:MAX_THINGS]):
            things[row] = box.to_canvas(_floats([entry["boxes_xyxy"][there]]))[0]
            kinds[row] = self._kind(entry["name"])
        ids = [str(entry["person_id"]) for entry in scene["people"][:MAX_PEOPLE]]
        return {
            "people_xyxy": people,
            "people_real": real,
            "things_xyxy": things,
            "things_kind": kinds,
            "actions": actions,
            "attributes": attributes,
            "ids": ids,
            "middle": (box.left + box.width / 2) / box.canvas_width,
        }

    def _kind(self, name: str) -> int:
        known = self._config.categories
        broad = BROADER.get(name, name)
        return known.index(broad if broad in known else "thing")


def _mirrored(truth: dict[str, Any]) -> dict[str, Any]:
    """The same clip in a mirror; a person turned left is turned right then."""
    turned = dict(truth)
    for name in ("people_xyxy", "things_xyxy"):
        x1, y1, x2, y2 = truth[name].unbind(-1)
        across = 2 * truth["middle"]  # the picture's own: it may lie a pixel off the canvas's
        turned[name] = torch.stack([across - x2, y1, across - x1, y2], dim=-1)
    facing = truth["attributes"].clone()
    column = list(ATTRIBUTES).index("facing")
    left, right = FACINGS.index("left"), FACINGS.index("right")
    known = truth["attributes"][:, column]
    facing[known == left, column], facing[known == right, column] = right, left
    turned["attributes"] = facing
    return turned


def _floats(boxes: list[list[float] | None]) -> Tensor:
    return torch.tensor([box or [float("nan")] * 4 for box in boxes], dtype=torch.float32)
