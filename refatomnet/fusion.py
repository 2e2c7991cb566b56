"""Fusion of what is seen with what is said: RefAtomNet++ (arXiv 2510.16444), and what any fusion takes and gives.

Departures from the paper, and why: trajectories are scanned each alone, so that no cue leaks into the next; to a
detection's retrieved token is added what lies in its box, as one cell misses limbs; all visual tokens are scanned
pooled 2x2, for speed on a CPU, where they have a place; the sentence level is words and sentence, as the text encoder
has no query tokens. Where the width narrows, as in the paper from 768 to 256, the people go on with the wider scans.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from refatomnet.attention import AlignedCrossAttention
from refatomnet.config import ModelConfig
from refatomnet.encoders import Features
from refatomnet.trajectories import SemanticRetrieval, Trajectories, TrajectoryScan, masked_mean


class Seen(NamedTuple):
    """The half of a fusion that no sentence changes.

    moving: What each detection did, frame by frame (B, M, T, D); M detections, people first.
    temporal: Visual tokens averaged over space (B, T, D). spatial: averaged over frames (B, C, D), C places.
    scene: Tokens of the scene level (B, K, D). scene_mask: True where they are real (B, K).
    lengths: How long every visual token is where words search (B, T, N); empty where the fusion follows no words.
    paths: What the detections followed, where the fusion follows them.
    """

    moving: Tensor
    temporal: Tensor
    spatial: Tensor
    scene: Tensor
    scene_mask: Tensor
    lengths: Tensor
    paths: Trajectories | None


@dataclass(frozen=True)
class ClipTokens:
    """Everything about a clip that no sentence changes; computed once, asked many times.

    tokens: Visual tokens (B, T, N, D).
    temporal, spatial, scene, scene_mask, lengths: As of :class:`Seen`.
    people: One token a detected person, what was seen of them and how they moved (B, P, D).
    people_mask: True where a person is real (B, P).
    person_boxes: Refined boxes at the key frame, cxcywh in fractions of the canvas (B, P, 4).
    person_actions: Action logits of every person (B, P, 80).
    frame_boxes: Boxes of every person in every frame (B, P, T, 4).
    frame_seen: Logits that the person is in view in that frame (B, P, T).
    person_real: Logits that each is a person, and boxed once (B, P); zero where the model has no use for them.
    things, things_mask, thing_boxes: One token a detected thing (B, K, D), True where it is real (B, K), and its box
        at the key frame (B, K, 4).
    looks: What people's pixels say to the parts of a sentence (B, P, D); zero where the model does not look at them.
    """

    tokens: Tensor
    temporal: Tensor
    spatial: Tensor
    scene: Tensor
    scene_mask: Tensor
    lengths: Tensor
    people: Tensor
    people_mask: Tensor
    person_boxes: Tensor
    person_actions: Tensor
    frame_boxes: Tensor
    frame_seen: Tensor
    person_real: Tensor
    things: Tensor
    things_mask: Tensor
    thing_boxes: Tensor
    looks: Tensor

    def select(self, index: Tensor) -> "ClipTokens":
        """The clips with these indices, in that order; an index may come several times."""
        return ClipTokens(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    @property
    def candidates(self) -> "Candidates":
        """Those of the tensors that are enough to choose among people by."""
        return Candidates(**{f.name: getattr(self, f.name) for f in fields(Candidates)})

    def without_tokens(self) -> "ClipTokens":
        """The same without the large tensor that only word retrieval reads."""
        return replace(self, tokens=self.tokens[:, :0])

    def repeat(self, times: int) -> "ClipTokens":
        """Every clip so many times, side by side."""
        return ClipTokens(**{f.name: getattr(self, f.name).repeat_interleave(times, 0) for f in fields(self)})


@dataclass(frozen=True)
class Candidates(Features):
    """Whom there is to choose among in clips, and what is around them; all as of :class:`ClipTokens`."""

    every_frame = ()

    people: Tensor
    people_mask: Tensor
    person_boxes: Tensor
    person_real: Tensor
    things: Tensor
    things_mask: Tensor
    thing_boxes: Tensor
    looks: Tensor


class Fused(NamedTuple):
    """What a fusion makes of S sentences about their clips.

    branches: One feature a branch (S, D) each; a box and an action head read each.
    cells: A feature a place of the picture (S, C, D), in the order of ``ClipTokens.spatial``.
    context: Tokens that the detected people read (S, K, D), none of them padding; None where there are none.
    words: What each word followed, where the fusion follows words.
    """

    branches: tuple[Tensor, ...]
    cells: Tensor
    context: Tensor | None
    words: Trajectories | None


class Sentence(NamedTuple):
    """Sentences in the model's width, padded to the longest; padding is not zero here, so the masks count.

    words: (S, L, D). keywords: True for the content words to follow (S, L).
    tokens: The words and, last, the sentence as a whole (S, L + 1, D). mask: True where they are real (S, L + 1).
    """

    words: Tensor
    keywords: Tensor
    tokens: Tensor
    mask: Tensor


class Fusion(nn.Module):
    """What every fusion is: a half without and a half with a sentence."""

    branches: int  # how many features it gives
    gives_context = True  # whether it gives the detected people tokens to read

    def see(self, maps: Tensor, cues: Tensor, inside: Tensor, mask: Tensor) -> Seen:
        """Look at clips before any sentence.

        Args:
            maps: Visual tokens on their grid (B, T, D, h, w).
            cues: One token a detection (B, M, D).
            inside: What lies in each detection's box, frame by frame (B, M, T, D); zero where masked.
            mask: True where a detection is real (B, M).

        Returns:
            What was seen; all of it but ``paths`` becomes part of :class:`ClipTokens`, ``moving`` by way of the people.
        """
        raise NotImplementedError

    def forward(self, tokens: Tensor, clip: ClipTokens, sentence: Sentence) -> Fused:
        """Fuse B clips with S = B · Q sentences, the first Q about the first clip and so on.

        Args:
            tokens: Visual tokens of the clips (B, T, N, D), the one large part, which is not repeated.
            clip: The rest, once for every sentence: S rows, without tokens.
            sentence: The sentences.
        """
        raise NotImplementedError


class RefAtomNetPP(Fusion):
    """Semantic-retrieval trajectories, multi-trajectory Mamba, and aligned cross-attention in two branches.

    Those are the paper's sections. Of its three levels, the scene is here (B, T, D), the keywords (S, T, D) and the
    sentence (S, L + 1, D); queries are (B, T, D) in the temporal and (B, C, D) in the spatial branch.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, levels = config.width, config.levels
        self.branches = len(config.branches)
        self.gives_context = "keyword" in levels

        def retrieval() -> SemanticRetrieval:
            return SemanticRetrieval(width, pick=config.retrieval)

        def scan() -> TrajectoryScan:
            return TrajectoryScan(width, state_size=config.state_size, kind=config.scan)

        if "scene" in levels:
            self.scene_retrieval, self.scan_scene = retrieval(), scan()
        if "keyword" in levels:
            self.word_retrieval, self.scan_words = retrieval(), scan()
        self.levels = levels
        fused = config.features_width
        self.scan_visual = TrajectoryScan(fused, state_size=config.state_size, kind=config.scan)
        attend: dict[str, Any] = {"levels": levels, "heads": config.heads, "dropout": config.dropout}
        self.aligned = nn.ModuleDict({branch: AlignedCrossAttention(fused, **attend) for branch in config.branches})
        if config.fused_width is not None:
            self.narrow = nn.ModuleDict({what: nn.Linear(width, fused) for what in ("visual", *levels)})

    def see(self, maps: Tensor, cues: Tensor, inside: Tensor, mask: Tensor) -> Seen:
        """Follow the detections through the frames and scan their trajectories and all visual tokens."""
        moving, scene, paths = inside, inside[:, 0], None
        tokens = maps.flatten(3).transpose(2, 3)
        lengths = self.word_retrieval.lengths(tokens) if "keyword" in self.levels else maps.new_zeros(len(maps), 0, 0)
        if "scene" in self.levels:
            paths = self.scene_retrieval(cues, tokens, self.scene_retrieval.lengths(tokens), cue_mask=mask)
            moving = self.scan_scene(paths.tokens + inside)
            scene = self._narrowed("scene", masked_mean(moving, mask, dim=1))
        temporal, spatial = self._scan_visual(maps)
        return Seen(moving, temporal, spatial, scene, mask.new_ones(scene.shape[:2]), lengths, paths)

    def _narrowed(self, what: str, tokens: Tensor) -> Tensor:
        """Tokens (..., D) of a level, or the visual ones, in the width of the fusion."""
        return self.narrow[what](tokens) if hasattr(self, "narrow") and what in self.narrow else tokens

    def _scan_visual(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Scan all visual tokens, frame after frame; average over space and over frames.

        The release views [frames, tokens] as [tokens, frames] here; the axes below are what their names say.
        """
        pooled = self._narrowed("visual", pool_maps(maps))
        scanned = self.scan_visual(pooled.flatten(1, 2))
        visual = scanned.unflatten(1, pooled.shape[1:3])
        return visual.mean(dim=2), visual.mean(dim=1)

    def forward(self, tokens: Tensor, clip: ClipTokens, sentence: Sentence) -> Fused:
        """Follow the content words, scan them, and let both branches read all levels."""
        words, keyword = None, None
        if "keyword" in self.levels:
            words = self._follow_words(tokens, clip.lengths, sentence)
            keyword = masked_mean(self.scan_words(words.tokens), sentence.keywords, dim=1)
        levels = {
            "scene": (clip.scene, clip.scene_mask),
            "keyword": (None if keyword is None else self._narrowed("keyword", keyword), None),
            "sentence": (self._narrowed("sentence", sentence.tokens), sentence.mask),
        }
        visual = {"temporal": clip.temporal, "spatial": clip.spatial}
        read = {branch: block(visual[branch], levels) for branch, block in self.aligned.items()}
        features = tuple(after.mean(dim=1) for after in read.values())
        # Without a spatial branch the places have read nothing; they learn of the sentence from the other branch.
        cells = read["spatial"] if "spatial" in read else clip.spatial + features[0].unsqueeze(1)
        return Fused(features, cells, keyword, words)

    def _follow_words(self, tokens: Tensor, lengths: Tensor, sentence: Sentence) -> Trajectories:
        """Trajectories of the words of all sentences, the sentences of one clip side by side."""
        clips, (count, length) = len(tokens), sentence.keywords.shape
        cues = sentence.words.reshape(clips, -1, sentence.words.shape[-1])
        own = lengths[:: count // clips].to(tokens.dtype)
        paths = self.word_retrieval(cues, tokens, own, cue_mask=sentence.keywords.reshape(clips, -1))
        return Trajectories(*(part.reshape(count, length, *part.shape[2:]) for part in paths))


def pool_maps(maps: Tensor) -> Tensor:
    """Visual tokens (B, T, C, D) of maps (B, T, D, h, w), every 2x2 averaged to one, row after row; h and w even.

    Tokens without a place, in one row, stay as they are.
    """
    clips, frames = maps.shape[:2]
    if maps.shape[3] == 1:
        return maps.flatten(3).transpose(2, 3)
    pooled = functional.avg_pool2d(maps.flatten(0, 1), 2).flatten(2).transpose(1, 2)
    return pooled.unflatten(0, (clips, frames))


def sentence_tokens(words: Tensor, whole: Tensor, mask: Tensor, keywords: Tensor) -> Sentence:
    """Words (S, L, D) and sentences as a whole (S, D), put side by side; masks (S, L) as of ``TextTokens``."""
    tokens = torch.cat([words, whole.unsqueeze(1)], dim=1)
    return Sentence(words, keywords, tokens, functional.pad(mask, (0, 1), value=True))
