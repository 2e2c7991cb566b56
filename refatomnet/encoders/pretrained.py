"""The encoders of the papers, as public models: BLIP-2 for pictures and sentences, and a detector on the key frame.

They are fetched from the hub when first asked for, or read from folders. Both papers take 32 Q-Former tokens a frame
(RefAtomNet and RefAtomNet++, "visual stream"), a detector's boxes with the embeddings of their category names, and the
sentence from the Q-Former's text side. RefAtomNet++'s code takes keywords from OPT-2.7B; by default ours come from the
text side too: it is loaded anyway, was taught together with the tokens that words are to be found among, and spares
11 GB of weights. A language model can be had in its place (``ModelConfig.keywords``).

Q-Former tokens have no place in the picture. To be able to say who is meant, and where, each detection is given what
the ViT saw inside its box in every frame; so the answer may be one of the detected people, as in the compact model, and
not only a box regressed from pooled features, as in the papers, which leaves no runner-up and no "nobody".
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from refatomnet.boxes import xyxy_to_cxcywh
from refatomnet.config import ModelConfig
from refatomnet.detectors import THRESHOLD, Detector, Objects
from refatomnet.downloads import PUBLIC, weights_sha256
from refatomnet.encoders import Features, PublicEncoder, check_weights
from refatomnet.errors import CheckpointError
from refatomnet.heads import sample_inside
from refatomnet.preprocess import Letterbox, resize
from refatomnet.public import PublicModel
from refatomnet.text import TextEncoder

_LOG = logging.getLogger(__name__)
REGION_GRID = (6, 4)  # sample points inside a detection's box, down and across
_LEAST = 0.05  # score below which nothing is taken for a candidate, not even for want of a better one
_AT_ONCE = 8  # pictures a pass
_FOLDERS: dict[str, Path] = {}  # of public models, by hub id or path


@dataclass(frozen=True)
class ClipFeatures(Features):
    """What the model reads of clips of T frames.

    tokens: Visual tokens of every frame (..., T, N, C): the Q-Former's, or the ViT's patches row after row.
    regions: What the ViT saw inside the box of each of the key frame's detections, frame by frame (..., T, M, V).
    boxes_cxcywh: Those boxes in fractions of the picture (..., M, 4), people first, the surest first.
    scores: Of the detections, probabilities (..., M); −1 where there is none.
    names: Embeddings of the names of their categories (..., M, E).
    """

    every_frame = ("tokens", "regions")

    tokens: Tensor
    regions: Tensor
    boxes_cxcywh: Tensor
    scores: Tensor
    names: Tensor


@dataclass(frozen=True)
class PictureFeatures(Features):
    """What is known of frames before it is known which is a clip's key frame.

    tokens, boxes_cxcywh, scores, names: As of :class:`ClipFeatures`, all of every frame. patches: What the ViT says of
    each patch (..., V, rows, columns).
    """

    every_frame = ("tokens", "patches", "boxes_cxcywh", "scores", "names")

    tokens: Tensor
    patches: Tensor
    boxes_cxcywh: Tensor
    scores: Tensor
    names: Tensor

    def around(self, key: int) -> ClipFeatures:
        """Of clips (B, T, …), with the detections of the frame with this index."""
        boxes = self.boxes_cxcywh[:, key]
        clips, frames = self.patches.shape[:2]
        points = sample_inside(self.patches.flatten(0, 1), boxes.repeat_interleave(frames, 0), REGION_GRID)
        regions = points.unflatten(2, (-1, self.patches.shape[2])).mean(dim=2).unflatten(0, (clips, frames))
        return ClipFeatures(self.tokens, regions, boxes, self.scores[:, key], self.names[:, key])

    def kept(self, key: int) -> dict[str, Tensor]:
        """Of one clip (T, …), what a cache keeps."""
        clip = self.map(lambda part: part.unsqueeze(0)).around(key)
        return {f.name: getattr(clip, f.name)[0] for f in fields(clip)}


class Blip2:
    """BLIP-2 for image-text retrieval: ViT, Q-Former and the Q-Former's text side, frozen.

    On a GPU the ViT works in bfloat16; the Q-Former stays in float32, as transformers keeps it.
    """

    def __init__(self, source: str) -> None:
        wanted = public_model("BLIP-2", source)
        folder = folder_of(wanted)
        self._prepare = wanted.load_processor("AutoImageProcessor", folder)
        self._tokenizer = wanted.load_processor("AutoTokenizer", folder)
        self.model: Any = wanted.load("Blip2ForImageTextRetrieval", folder)

    @property
    def device(self) -> torch.device:
        """Where it is."""
        found: torch.device = self.model.query_tokens.device
        return found

    def to(self, device: torch.device) -> None:
        """Move it."""
        if device != self.device:
            self.model.to(device)
            self.model.vision_model.to(torch.bfloat16 if device.type == "cuda" else torch.float32)

    @torch.no_grad()
    def see(self, pictures: list[np.ndarray]) -> tuple[Tensor, Tensor]:
        """Q-Former tokens (M, N, C), and the ViT's patches (M, rows · columns, V), of RGB uint8 pictures [H, W, 3]."""
        network = self.model
        pixels = self._prepare(images=pictures, return_tensors="pt", input_data_format="channels_last").pixel_values
        own = next(network.vision_model.parameters())
        seen = network.vision_model(pixel_values=pixels.to(own)).last_hidden_state
        queries = network.query_tokens.expand(len(seen), -1, -1)
        tokens = network.qformer(query_embeds=queries, encoder_hidden_states=seen).last_hidden_state
        return tokens.float(), seen[:, 1:].float()

    @torch.no_grad()
    def read(self, texts: Sequence[str]) -> tuple[Tensor, Tensor, Any]:
        """States of the pieces of each text (S, L, E), unit embeddings of the whole (S, E), what the tokenizer said.

        The whole is the state of the first piece, which BLIP-2 compares with pictures.
        """
        batch = self._tokenizer(list(texts), padding=True, return_offsets_mapping=True, return_tensors="pt")
        embedded = self.model.embeddings(input_ids=batch["input_ids"].to(self.device))
        mask = batch["attention_mask"].to(self.device)
        states = self.model.qformer(query_embeds=embedded, query_length=0, attention_mask=mask).last_hidden_state
        states = states.float().cpu()
        return states, functional.normalize(states[:, 0], dim=-1), batch


class Blip2Text(TextEncoder):
    """BLIP-2's text side; words from a language model in its place where the config names one."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self._config = config

    def parameters(self) -> int:
        """How many numbers the encoder carries; the text side counts as part of the visual encoder."""
        name = self._config.keywords
        return sum(p.numel() for p in load_language_model(name)[1].parameters()) if name else 0

    @torch.inference_mode()
    def encode_words(self, sentences: Sequence[tuple[str, ...]]) -> list[tuple[Tensor, Tensor]]:
        """Word states (L, D) and unit sentence embedding (E) of each sentence, given as words, in one batch."""
        texts = [" ".join(words) for words in sentences]
        blip2 = load_blip2(self._config.blip2)
        states, whole, batch = blip2.read(texts)
        if self._config.keywords is not None:
            states, batch = read_by_language_model(self._config.keywords, texts, blip2.device)
        if states.shape[-1] != self._config.word_width:
            told = f"words have {states.shape[-1]} numbers each, the config's word_width is {self._config.word_width}"
            raise CheckpointError(f"{told}; make them the same")
        means = [mean_of_pieces(states[i], batch["offset_mapping"][i], words) for i, words in enumerate(sentences)]
        return [(mean, sentence.clone()) for mean, sentence in zip(means, whole, strict=True)]


class Blip2Encoder(PublicEncoder):
    """BLIP-2 and the detector.

    Args:
        config: The model's.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.stands_on = {part: {"name": str(w.source), "sha256": None} for part, w in _parts(config).items()}
        self._loaded: tuple[Blip2, Detector, Tensor] | None = None

    def prepare(self, images: list[np.ndarray], letterbox: Letterbox) -> Tensor:
        """RGB frames, uint8 (M, 3, H, W): the public models' own files say how they are prepared further."""
        return torch.from_numpy(np.stack([resize(image, letterbox) for image in images])).permute(0, 3, 1, 2)

    def load(self, **download: Any) -> None:
        """Have everything at hand, fetched if need be; see :class:`PublicEncoder`."""
        if self._loaded is None:
            found = frozen_weights(self.config, **download)
            check_weights(self.stands_on, found)
            self.stands_on = found
            blip2 = load_blip2(self.config.blip2)
            _check_sizes(blip2.model.config, self.config)
            detector = load_detector(self.config.detector)
            self._loaded = blip2, detector, blip2.read([name or "thing" for name in detector.names])[1]

    def count(self) -> int:
        """How many numbers the public models carry."""
        self.load()
        assert self._loaded is not None
        blip2, detector, _ = self._loaded
        return sum(p.numel() for network in (blip2.model, detector.model) for p in network.parameters())

    @torch.no_grad()
    def forward(self, pixels: Tensor, *, key: int | None = None) -> PictureFeatures:
        """Encode RGB frames uint8 (M, 3, H, W), where they are; see :class:`PictureFeatures`.

        With ``key``, only that frame is searched for people and things; the detections of the others mean nothing.
        """
        self.load()
        assert self._loaded is not None
        blip2, detector, table = self._loaded
        if pixels.device.type == "cpu":
            _warn_of_time()
        blip2.to(pixels.device)
        detector.model.to(pixels.device)
        pictures = list(pixels.permute(0, 2, 3, 1).cpu().numpy())
        seen = [blip2.see(pictures[i : i + _AT_ONCE]) for i in range(0, len(pictures), _AT_ONCE)]
        tokens, patches = (torch.cat(parts) for parts in zip(*seen, strict=True))
        searched = pictures if key is None else pictures[key : key + 1]
        found = [self._slots(objects, detector, table, pixels) for objects in detector(searched, threshold=_LEAST)]
        found = found if key is None else found * len(pictures)
        boxes, scores, names = (torch.stack(parts).to(pixels.device) for parts in zip(*found, strict=True))
        side = self.config.patches
        given = tokens if self.config.tokens == "qformer" else patches
        return PictureFeatures(given, patches.transpose(1, 2).unflatten(2, (side, side)), boxes, scores, names)

    def _slots(self, objects: Objects, detector: Detector, table: Tensor, pixels: Tensor) -> tuple[Tensor, ...]:
        """Boxes cxcywh (M, 4), scores (M) and names (M, E) of one picture's detections, people first, then things.

        There is always a candidate: for want of anybody sure, the likeliest, or the whole picture.
        """
        config = self.config
        sure, person = objects.scores >= THRESHOLD, objects.labels == detector.person
        people = np.flatnonzero(person & sure)[: config.people]
        people = people if len(people) else np.flatnonzero(person)[:1]
        things = np.flatnonzero(~person & sure)[: config.things]
        boxes = torch.tensor([0.5, 0.5, 1.0, 1.0]).repeat(config.people + config.things, 1)
        scores = torch.full((len(boxes),), -1.0)
        scores[0] = 0.0
        names = torch.zeros(len(boxes), table.shape[1])
        names[0] = table[detector.person]
        size = torch.tensor(pixels.shape[:1:-1] * 2)
        for begin, kept in ((0, people), (config.people, things)):
            rows = slice(begin, begin + len(kept))
            boxes[rows] = xyxy_to_cxcywh(torch.from_numpy(objects.boxes_xyxy[kept]).float() / size)
            scores[rows] = torch.from_numpy(objects.scores[kept]).float()
            names[rows] = table[torch.from_numpy(objects.labels[kept])]
        return boxes, scores, names


def frozen_weights(config: ModelConfig, **download: Any) -> dict[str, dict[str, str | None]]:
    """Name and hash, by part, of the public weights that a config speaks of; they are fetched if need be.

    Args:
        config: The model's.
        download: How they are fetched, as of :meth:`PublicModel.fetch`.

    Raises:
        CheckpointError: If they cannot be had.
    """
    return {
        part: {"name": str(wanted.source), "sha256": weights_sha256(folder_of(wanted, **download))}
        for part, wanted in _parts(config).items()
    }


def public_model(what: str, source: str) -> PublicModel:
    """A hub id, with what is known of it, or a folder."""
    return PublicModel(what, source, *PUBLIC.get(source, (None, None)))


def folder_of(wanted: PublicModel, **download: Any) -> Path:
    """Where a public model lies, as of :meth:`PublicModel.fetch`; asked once a process, the way it is first asked for.

    So what encodes sentences finds what was fetched for pictures, in whichever cache it was put.
    """
    source = str(wanted.source)
    if source not in _FOLDERS:
        _FOLDERS[source] = wanted.fetch(**download)
    return _FOLDERS[source]


def _parts(config: ModelConfig) -> dict[str, PublicModel]:
    """The public models that a config speaks of; BLIP-2's text side comes with its visual one."""
    parts = {"visual": ("BLIP-2", config.blip2), "detector": ("detector", config.detector)}
    parts["text"] = ("language model", config.keywords) if config.keywords else parts["visual"]
    return {part: public_model(what, source) for part, (what, source) in parts.items()}


@cache
def load_blip2(source: str) -> Blip2:
    """BLIP-2, loaded once a process for pictures and sentences."""
    return Blip2(source)


@cache
def load_detector(source: str) -> Detector:
    """A detector, loaded once a process."""
    wanted = public_model("detector", source)
    return Detector(replace(wanted, source=folder_of(wanted)))


@cache
def load_language_model(source: str) -> tuple[Any, Any]:
    """Tokenizer and decoder of a language model, or of the one inside a BLIP-2, such as ``Salesforce/blip2-opt-2.7b``.

    The papers' OPT-2.7B itself has no safetensors on the hub; BLIP-2 carries it unchanged.
    """
    import json

    wanted = public_model("language model", source)
    folder = folder_of(wanted)
    tokenizer = wanted.load_processor("AutoTokenizer", folder)
    if json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type") == "blip-2":
        network: Any = wanted.load("Blip2ForConditionalGeneration", folder)
        return tokenizer, network.language_model.model
    return tokenizer, wanted.load("AutoModel", folder)


@torch.no_grad()
def read_by_language_model(source: str, texts: list[str], device: torch.device) -> tuple[Tensor, Any]:
    """Last hidden states of the pieces of each text (S, L, D), and what the tokenizer said; on a GPU in bfloat16.

    Each text by itself: how a decoder numbers the places of a padded one depends on the side of the padding.
    """
    tokenizer, network = load_language_model(source)
    batches = [tokenizer(text, return_offsets_mapping=True, return_tensors="pt") for text in texts]
    if next(network.parameters()).device != device:
        network.to(device, torch.bfloat16 if device.type == "cuda" else torch.float32)
    rows = [
        network(input_ids=b["input_ids"].to(device), attention_mask=b["attention_mask"].to(device)).last_hidden_state[0]
        for b in batches
    ]
    padded = torch.nn.utils.rnn.pad_sequence([row.float().cpu() for row in rows], batch_first=True)
    return padded, {"offset_mapping": [b["offset_mapping"][0] for b in batches]}


def mean_of_pieces(states: Tensor, offsets: Tensor, words: Sequence[str]) -> Tensor:
    """Mean state (L, D) of the pieces of each of the words of a text that are joined by spaces.

    Args:
        states: Of the pieces (K, D).
        offsets: First character of each piece and the one after its last (K, 2), empty for what is no text.
        words: The words (L).
    """
    ends = np.cumsum([len(word) + 1 for word in words]) - 1
    starts = ends - [len(word) for word in words]
    first, after = offsets[:, 0].unsqueeze(0), offsets[:, 1].unsqueeze(0)
    begin, end = (torch.from_numpy(side).unsqueeze(1) for side in (starts, ends))
    member = ((first < end) & (after > begin) & (after > first)).to(states.dtype)
    return member @ states[: member.shape[1]] / member.sum(1, keepdim=True).clamp(min=1)


def _check_sizes(own: Any, config: ModelConfig) -> None:
    """Refuse a BLIP-2 of other sizes than the config says."""
    found = {
        "queries": own.num_query_tokens,
        "query_width": own.qformer_config.hidden_size,
        "patches": own.vision_config.image_size // own.vision_config.patch_size,
        "patch_width": own.vision_config.hidden_size,
    }
    wrong = {name: value for name, value in found.items() if getattr(config, name) != value}
    if wrong:
        told = ", ".join(f"{name} {value}, not {getattr(config, name)}" for name, value in wrong.items())
        raise CheckpointError(f"the BLIP-2 {config.blip2!r} has {told}; put its sizes into the config's model part")


@cache
def _warn_of_time() -> None:
    told = "BLIP-2 runs on the CPU: expect about 4 s a picture on two cores, and 6 GB of memory; a GPU is far quicker"
    _LOG.warning(told, extra={"at_once": True})
