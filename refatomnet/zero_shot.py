"""Answers without any training: a public detector finds people, a public model of pictures and sentences tells them.

Beyond the papers. People are detected about three times a second and followed as ever. Each is cut out, and the frame
is also seen whole with all others blurred; both are compared with the sentence, from which words of place and order
were taken and resolved by geometry (:mod:`refatomnet.places`). Actions are told from the mean of a person's cut-outs
over the window, against a prompt a class. Nothing here has been fitted to anything: the constants are chosen, and the
scores are no calibrated probabilities.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import refatomnet
from refatomnet.actions import ACTIONS, MOVEMENT
from refatomnet.boxes import pairwise_iou, xyxy_to_cxcywh
from refatomnet.detectors import DETECTOR, THRESHOLD, Detector, Objects
from refatomnet.matchers import MATCHER, Matcher
from refatomnet.model import People
from refatomnet.places import KINDS, Reading, Scene, read_places
from refatomnet.preprocess import Letterbox
from refatomnet.public import PublicModel
from refatomnet.text import split_words
from refatomnet.tracks import UNSURE, Tracker

ZERO_SHOT = "zero-shot"
NEEDED = (DETECTOR, MATCHER)

PEOPLE, THINGS = 12, 16  # most that are kept a picture
SAME = 0.7  # IoU from which two detections are one person
BLURRED = 24  # pixels down the whole picture that are left of people who are blurred
MARGIN = 0.1  # of a person's size that is cut out around them, on each side
CUT_OUT, WHOLE = 2 / 3, 1 / 3  # shares of the cut-out and of the whole frame in what a sentence is compared with
ABSENT = -20.0  # logit of presence where no people are detected at all
SOMEBODY = 2.0  # logit that a detected person is "the person", where a sentence speaks of nothing but places
EVEN = -6.0  # SigLIP's logit that is taken for even odds: its own are against the thousands of texts it was trained on
HARDLY = 2.0  # logits by which an action must beat "nothing" to be as likely as not; several may hold at once
SENTENCE, ACTION = "a photo of {}", "a photo of a person {}"
ANYBODY = "a person"
NOTHING = ("a photo of a person", "a photo of someone", "a photo of a human being")
# What a person of each class is doing, in the order of ACTIONS.
DOING = (
    "bending down at the waist", "crawling", "crouching or kneeling", "dancing", "falling down", "getting up",
    "jumping", "lying down or sleeping", "doing martial arts", "running", "sitting", "standing", "swimming", "walking",
    "talking on a phone", "brushing their teeth", "carrying something", "catching something", "chopping something",
    "climbing", "clinking glasses", "closing a door", "cooking", "cutting something", "digging", "putting on clothes",
    "drinking", "driving", "eating", "entering a room", "leaving a room", "pulling something out of something",
    "fishing", "hitting something", "kicking something", "picking something up", "listening to music",
    "opening a door or a window", "painting", "playing a board game", "playing a musical instrument",
    "playing with a pet", "pointing at something", "pressing a button", "pulling something", "pushing something",
    "putting something down", "reading", "riding", "rowing a boat", "sailing a boat", "shooting", "shovelling",
    "smoking", "stirring something", "taking a photo", "looking at a cellphone", "throwing something",
    "touching something", "turning a screwdriver", "watching television", "working on a computer", "writing",
    "fighting with another person", "handing something to another person", "grabbing another person",
    "clapping their hands", "shaking hands with another person", "waving a hand", "hugging another person",
    "kicking another person", "kissing another person", "lifting another person", "listening to another person",
    "playing with children", "pushing another person", "singing", "taking something from another person",
    "talking to another person", "watching another person",
)  # fmt: skip
_POSES = np.flatnonzero([action.group == MOVEMENT for action in ACTIONS])


@dataclass(frozen=True)
class Window:
    """What is looked at around a key frame, and how large pictures are: enough to cut people out of."""

    frames: int = 3
    key_frame: int = 1
    frame_rate: float = 3.0
    image_width: int = 960
    image_height: int = 540
    whole_pictures: bool = False


@dataclass(frozen=True)
class SeenTokens:
    """Everything about B key frames that no sentence changes.

    tokens: Unit features of each person: cut out, in the whole frame, and cut out over the window (B, 3, P, D).
    boxes: of people, cxcywh in fractions of the canvas (B, P, 4). mask: True where there is one (B, P).
    people, things: boxes xyxy in heights of the picture (B, P, 4), (B, M, 4). aspect: width of the picture in its
    heights (B). labels: of things, -1 for none (B, M). scores: of their detections (B, M).
    """

    tokens: Tensor
    boxes: Tensor
    mask: Tensor
    people: Tensor
    aspect: Tensor
    things: Tensor
    labels: Tensor
    scores: Tensor

    def select(self, index: Tensor) -> "SeenTokens":
        """Those of the key frames with these indices, in that order."""
        return SeenTokens(*(getattr(self, f.name)[index] for f in fields(self)))


@dataclass(frozen=True)
class ReadSentences:
    """S sentences, and descriptions of the other people they speak of.

    looks: Features of what is left once places are read (S, D). readings: what was read. phrases: for each description,
    its feature (D) and its reading.
    """

    looks: Tensor
    readings: tuple[Reading, ...]
    phrases: Mapping[str, tuple[Tensor, Reading]]

    def select(self, index: Tensor) -> "ReadSentences":
        """The sentences with these indices, in that order."""
        readings = tuple(self.readings[i] for i in index.tolist())
        return ReadSentences(self.looks[index], readings, self.phrases)

    def to(self, device: torch.device | str) -> "ReadSentences":
        """The same on another device."""
        phrases = {phrase: (feature.to(device), read) for phrase, (feature, read) in self.phrases.items()}
        return ReadSentences(self.looks.to(device), self.readings, phrases)


class Answer(NamedTuple):
    """As of :class:`refatomnet.model.Output`: choice (S, P + 1), presence (S), boxes (S, P, 4), everyone (S, P, 80)."""

    choice: Tensor
    presence: Tensor
    boxes: Tensor
    everyone: Tensor
    words: None = None  # no words are followed


class ZeroShot(nn.Module):
    """A detector and a matcher as one model, asked as :class:`refatomnet.model.RavarModel` is.

    Args:
        detector: Finds people and things.
        matcher: Compares pictures with sentences.
    """

    def __init__(self, detector: Detector, matcher: Matcher) -> None:
        super().__init__()
        self.config = Window()
        self.find, self.match = detector, matcher
        self.detector = detector.model  # a part of this one, so that it moves along

    def read(self, sentences: Sequence[str]) -> ReadSentences:
        """Take sentences apart and encode what geometry does not judge.

        Raises:
            SentenceError: If one of them cannot be used.
        """
        for sentence in sentences:
            split_words(sentence)
        readings = [read_places(sentence, self.find.names) for sentence in sentences]
        phrases = list(dict.fromkeys(phrase for reading in readings for phrase in reading.phrases))
        others = [read_places(phrase, self.find.names) for phrase in phrases]
        texts = self.match.texts([SENTENCE.format(one.looks or ANYBODY) for one in (*readings, *others)])
        told = zip(texts[len(readings) :], others, strict=True)
        return ReadSentences(texts[: len(readings)], tuple(readings), dict(zip(phrases, told, strict=True)))

    @torch.inference_mode()
    def forward(self, seen: SeenTokens, text: ReadSentences) -> Answer:
        """Answer S sentences about B key frames, the first S / B about the first one and so on."""
        times = len(text.readings) // len(seen.mask)
        features = seen.tokens.to(text.looks.dtype).repeat_interleave(times, 0)
        mask = seen.mask.repeat_interleave(times, 0)
        logits = self._match(features, text.looks)
        for s, reading in enumerate(text.readings):
            here = mask[s]
            if reading.looks is None:
                logits[s] = SOMEBODY
            if reading.rules and here.any():
                scene = self._scene(seen, s // times, features[s, 0, here], reading)
                for phrase in reading.phrases:
                    scene.matches[phrase] = self._other(features[s, :, here], *text.phrases[phrase], scene)
                logits[s, here] += torch.from_numpy(reading.fit(scene)).to(logits)
        logits = logits.masked_fill(~mask, -torch.inf)
        return Answer(
            choice=torch.cat([logits, torch.zeros_like(logits[:, :1])], dim=-1),
            presence=logits.amax(-1).clamp(min=ABSENT),
            boxes=seen.boxes.repeat_interleave(times, 0),
            everyone=self._actions(seen.tokens[:, 2].to(text.looks.dtype)).repeat_interleave(times, 0),
        )

    def _match(self, features: Tensor, looks: Tensor) -> Tensor:
        """Logits (S, P) that features (S, 3, P, D) are of whom texts (S, D) describe, 0 for as likely as not.

        With SigLIP its own logit of picture and text, against EVEN; with CLIP, which can but compare, the lead over
        texts that fit anybody.
        """
        cosines = torch.einsum("svpd,sd->svp", features[:, :2], looks)
        cosine = CUT_OUT * cosines[:, 0] + WHOLE * cosines[:, 1]
        if self.match.bias is not None:
            return self.match.scale * cosine + self.match.bias - EVEN
        plain = torch.einsum("svpd,nd->svpn", features[:, :2], self._nothing).mean(-1)
        return self.match.scale * (cosine - CUT_OUT * plain[:, 0] - WHOLE * plain[:, 1])

    def _actions(self, features: Tensor) -> Tensor:
        """Logits (B, P, 80) of actions from features of people over the window (B, P, D).

        A person takes one of the poses and movements: a softmax among these. The others are independent, each against
        a person who does nothing.
        """
        logits = self.match.scale * features @ self._doing.T
        poses = torch.from_numpy(_POSES).to(logits.device)
        chances = logits[..., poses].softmax(-1)
        nothing = self.match.scale * (features @ self._nothing.T).mean(-1, keepdim=True)
        told = logits - nothing - HARDLY
        told[..., poses] = torch.logit(chances, eps=1e-6)
        return told

    def _other(self, features: Tensor, text: Tensor, reading: Reading, scene: Scene) -> np.ndarray:
        """Logits (P) that each of a key frame's people (3, P, D) is another one whom the sentence speaks of."""
        logits = torch.full(features.shape[1:2], SOMEBODY)
        if reading.looks:
            logits = self._match(features[None], text[None])[0]
        # Of places only those that speak of nobody else again; order is counted among those whom this noun fits.
        plain = replace(reading, rules=tuple(rule for rule in reading.rules if not getattr(rule, "phrases", ())))
        there = scene._replace(fits=self._noun(features[0], reading))
        return np.asarray(logits.double().cpu().numpy() + plain.fit(there))

    def _noun(self, cut_out: Tensor, reading: Reading) -> np.ndarray:
        """How well the noun of a sentence fits each person, by features of their cut-outs (P, D), 0 to 1."""
        kinds = (self.match.scale * cut_out @ self._kinds.T).softmax(-1)
        return np.asarray(kinds[:, list(reading.kinds)].sum(-1).double().cpu().numpy())

    def _scene(self, seen: SeenTokens, row: int, cut_out: Tensor, reading: Reading) -> Scene:
        """What geometry needs to know of a key frame, but for other people who are spoken of."""
        here = seen.mask[row]
        things: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        labels = seen.labels[row].cpu().numpy()
        boxes, scores = (part[row].double().cpu().numpy() for part in (seen.things, seen.scores))
        for label in set(labels[labels >= 0].tolist()):
            things[self.find.names[label]] = (boxes[labels == label], scores[labels == label])
        return Scene(
            people=seen.people[row, here].double().cpu().numpy(),
            aspect=float(seen.aspect[row]),
            fits=self._noun(cut_out, reading),
            things=things,
            matches={},
        )

    # Prompts are read when first needed, as that takes longer than reading a sentence.
    @cached_property
    def _doing(self) -> Tensor:
        return self.match.read([ACTION.format(doing) for doing in DOING])

    @cached_property
    def _nothing(self) -> Tensor:
        return self.match.read(NOTHING)

    @cached_property
    def _kinds(self) -> Tensor:
        return self.match.read([SENTENCE.format(f"a {kind}") for kind in KINDS])


class ZeroSight:
    """Looks at the pictures of one video, as :class:`refatomnet.sight.Sight` does.

    Args:
        model: The model, on its device.
        letterbox: Where pictures lie on its canvas.
        device: Where the model runs.
    """

    pictures_at_once = 8

    def __init__(self, model: ZeroShot, letterbox: Letterbox, device: str) -> None:
        self.model = model
        self.letterbox = letterbox
        self._seen: dict[float, _Picture] = {}

    @torch.inference_mode()
    def look(
        self, pictures: Mapping[float, np.ndarray], windows: Sequence[Sequence[float]]
    ) -> tuple[People, SeenTokens | None]:
        """Take in the next pictures, and all windows that are complete with them; as of Sight."""
        found = self.model.find(list(pictures.values()), threshold=UNSURE)
        for (moment, picture), objects in zip(pictures.items(), found, strict=True):
            persons, things = self._sort(objects)
            looks = self.model.match.pictures([cut_out(picture, box) for box in persons.boxes_xyxy]).cpu()
            self._seen[moment] = _Picture(picture, persons, things, looks)
        here = [self._seen[moment] for moment in pictures]
        rows = [
            (self._canvas(one.people.boxes_xyxy), torch.from_numpy(one.people.scores).float(),
             torch.ones(len(one.looks), dtype=torch.bool), one.looks)
            for one in here
        ]  # fmt: skip
        people = People(*(torch.stack([_filled(part, PEOPLE) for part in parts]) for parts in zip(*rows, strict=True)))
        if not windows:
            return people, None
        key = self.model.config.key_frame
        told = [self._window(window, key) for window in windows]
        return people, SeenTokens(*(torch.stack(parts) for parts in zip(*told, strict=True)))

    def forget(self, before: float) -> None:
        """No window will ask for what came before this moment."""
        self._seen = {moment: seen for moment, seen in self._seen.items() if moment >= before}

    def _sort(self, objects: Objects) -> tuple[Objects, Objects]:
        """The people, each once, and the things, the surest of both."""
        is_person = objects.labels == self.model.find.person
        people = objects.only(is_person)
        overlap = pairwise_iou(torch.from_numpy(people.boxes_xyxy), torch.from_numpy(people.boxes_xyxy)).numpy()
        kept: list[int] = []
        for i in range(len(people.scores)):
            if len(kept) < PEOPLE and all(overlap[i, j] < SAME for j in kept):
                kept.append(i)
        things = np.flatnonzero(~is_person & (objects.scores > THRESHOLD))[:THINGS]
        return people.only(np.array(kept, dtype=int)), objects.only(things)

    def _window(self, window: Sequence[float], key: int) -> tuple[Tensor, ...]:
        """One row of SeenTokens, in its order."""
        picture, people, things, cuts = self._seen[window[key]]
        sure = people.scores > THRESHOLD
        sure[:1] = True  # at least one, if anybody
        boxes = people.boxes_xyxy[sure]
        whole = self.model.match.pictures([others_blurred(picture, boxes, i) for i in range(len(boxes))]).cpu()
        deeds = self._over_time(window, key)[sure]
        height, width = picture.shape[:2]
        features = torch.stack([_filled(part, PEOPLE) for part in (cuts[sure], whole, deeds)])
        return (
            features,
            _filled(self._canvas(boxes), PEOPLE),
            _filled(torch.ones(len(boxes), dtype=torch.bool), PEOPLE),
            _filled(torch.from_numpy(boxes / height).float(), PEOPLE),
            torch.tensor(width / height),
            _filled(torch.from_numpy(things.boxes_xyxy / height).float(), THINGS),
            _filled(torch.from_numpy(things.labels).long(), THINGS, -1),
            _filled(torch.from_numpy(things.scores).float(), THINGS),
        )

    def _over_time(self, window: Sequence[float], key: int) -> Tensor:
        """Unit mean of each person's cut-outs over the window (P, D), of the key frame's people."""
        tracker, numbers = Tracker(), {}
        for i, moment in enumerate(dict.fromkeys(window)):  # beyond a cut a picture stands still
            one = self._seen[moment]
            numbers[moment] = tracker.step(
                i, moment, one.people.boxes_xyxy, one.people.scores, one.looks.numpy(), shot=0
            )
        seen = self._seen[window[key]]
        sums = seen.looks.clone()
        for p, number in enumerate(numbers[window[key]]):
            for moment, others in numbers.items():
                if moment != window[key] and number >= 0 and number in others:
                    sums[p] += self._seen[moment].looks[others.index(number)]
        return functional.normalize(sums, dim=-1)

    def _canvas(self, boxes_xyxy: np.ndarray) -> Tensor:
        """Boxes in pixels of a picture as cxcywh in fractions of the canvas."""
        box = self.letterbox
        fractions = torch.from_numpy(boxes_xyxy / [box.width, box.height, box.width, box.height]).float()
        return xyxy_to_cxcywh(box.to_canvas(fractions))


class _Picture(NamedTuple):
    """A picture, who and what is on it, and unit features of the people cut out (P, D)."""

    picture: np.ndarray
    people: Objects
    things: Objects
    looks: Tensor


def cut_out(picture: np.ndarray, box_xyxy: np.ndarray) -> np.ndarray:
    """The part of a picture (H, W, 3) in a box, pixels, with MARGIN around it."""
    x1, y1, x2, y2 = box_xyxy
    across, down = MARGIN * (x2 - x1), MARGIN * (y2 - y1)
    left, top = max(int(x1 - across), 0), max(int(y1 - down), 0)
    return picture[top : max(int(np.ceil(y2 + down)), top + 1), left : max(int(np.ceil(x2 + across)), left + 1)]


def others_blurred(picture: np.ndarray, boxes_xyxy: np.ndarray, who: int) -> np.ndarray:
    """A picture (H, W, 3) in which everybody in boxes, pixels (P, 4), but one is blurred beyond recognition."""
    if len(boxes_xyxy) < 2:
        return picture
    height, width = picture.shape[:2]
    few = (max(round(BLURRED * width / height), 1), BLURRED)
    blurred = cv2.resize(cv2.resize(picture, few, interpolation=cv2.INTER_AREA), (width, height))
    alone = picture.copy()
    own = _slices(boxes_xyxy[who])
    for i, box in enumerate(boxes_xyxy):
        if i != who:
            alone[_slices(box)] = blurred[_slices(box)]
    alone[own] = picture[own]
    return alone


def _slices(box_xyxy: np.ndarray) -> tuple[slice, slice]:
    x1, y1, x2, y2 = (round(float(value)) for value in box_xyxy)
    return slice(y1, y2), slice(x1, x2)


def _filled(rows: Tensor, count: int, value: float = 0) -> Tensor:
    """Rows (M, ...) made so many by adding a value."""
    full = rows.new_full((count, *rows.shape[1:]), value)
    full[: len(rows)] = rows
    return full


def is_zero_shot(source: str | Path | None) -> TypeGuard[str | Path]:
    """Whether a checkpoint means this: ``"zero-shot"``, or a folder with the folders ``detector`` and ``matcher``."""
    if source is None:
        return False
    folder = Path(source).expanduser()
    return str(source) == ZERO_SHOT or all((folder / part).is_dir() for part in ("detector", "matcher"))


def zero_shot_card(source: str | Path) -> dict[str, Any]:
    """What there is to say of it, in the form of a checkpoint's config."""
    detector, matcher = _wanted(source)
    name = ZERO_SHOT if str(source) == ZERO_SHOT else f"{ZERO_SHOT} ({Path(source).resolve().name})"
    straight = {"scale": 1.0, "bias": 0.0}
    return {
        "name": name,
        "version": refatomnet.__version__,
        "trained_on": f"no clips: {_title(detector)} finds people, {_title(matcher)} compares them with sentences",
        "licence": "that of the two models; nothing of them is part of this package",
        "detector": _title(detector),
        "matcher": _title(matcher),
        "limits": "not calibrated, and its accuracy was not measured",
        "calibration": {"presence": straight, "actions": straight, "threshold": 0.5},
    }


def load_zero_shot(source: str | Path, **download: Any) -> tuple[ZeroShot, dict[str, Any]]:
    """The model, on the CPU, and its card.

    Args:
        source: As for :func:`is_zero_shot`; the hub is asked for what the name stands for, unless it is kept here.
        download: How that is fetched: token, cache_dir, local_files_only.

    Raises:
        CheckpointError: If one of the two models cannot be had or used.
    """
    detector, matcher = _wanted(source)
    model = ZeroShot(Detector(detector, **download), Matcher(matcher, **download))
    return model.eval(), zero_shot_card(source)


def _wanted(source: str | Path) -> tuple[PublicModel, PublicModel]:
    if str(source) == ZERO_SHOT:
        return NEEDED
    folder = Path(source).expanduser()
    return PublicModel("detector", folder / "detector"), PublicModel("matcher", folder / "matcher")


def _title(model: PublicModel) -> str:
    """Its id on the hub; of a folder, the kind of model as its config says it."""
    if not isinstance(model.source, Path):
        return model.source
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads((model.source / "config.json").read_text(encoding="utf-8"))["model_type"])
    return model.source.name
