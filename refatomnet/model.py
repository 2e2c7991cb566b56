"""RefAtomNet++ at compact size (arXiv 2510.16444, with the departures named below).

Three semantic levels (content words, detections, the sentence) retrieve trajectories of visual tokens, a selective
state-space layer scans each, and a temporal and a spatial branch of visual queries read them by cross-attention.
Beyond the paper, a third branch takes the detected people as queries: it scores every one of them against the
sentence, so the box is that of a detected person, runners-up are known and "nobody" is an answer.
"""

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from refatomnet.actions import NUM_ACTIONS
from refatomnet.attention import AlignedCrossAttention, CrossAttention
from refatomnet.config import ModelConfig
from refatomnet.encoders.compact import DEEP_CHANNELS, FINE_CHANNELS, MIDDLE_CHANNELS, CompactEncoder, FrameFeatures
from refatomnet.heads import (
    DenseDetections,
    DetectionHead,
    Detections,
    RegionTokens,
    SeparableBlock,
    Surroundings,
    TubeTokens,
    keep_best,
    mlp,
)
from refatomnet.text import TextTokens
from refatomnet.trajectories import SemanticRetrieval, Trajectories, TrajectoryMamba, masked_mean

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class ClipTokens:
    """Everything about a clip that no sentence changes; computed once, asked many times.

    tokens: Visual tokens (B, T, N, D).
    temporal: Scanned visual tokens averaged over space (B, T, D). spatial: averaged over frames (B, S, D).
    scene: Scene level, trajectories averaged over the detections (B, T, D).
    people: One token a detected person, what was seen of them and how they moved (B, P, D).
    people_mask: True where a person is real (B, P).
    person_boxes: Refined boxes, cxcywh in fractions of the canvas (B, P, 4).
    person_actions: Action logits of every person (B, P, 80).
    """

    tokens: Tensor
    temporal: Tensor
    spatial: Tensor
    scene: Tensor
    people: Tensor
    people_mask: Tensor
    person_boxes: Tensor
    person_actions: Tensor

    def select(self, index: Tensor) -> "ClipTokens":
        """The clips with these indices, in that order; an index may come several times."""
        return ClipTokens(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def without_tokens(self) -> "ClipTokens":
        """The same without the large tensor that only word retrieval reads."""
        return replace(self, tokens=self.tokens[:, :0])

    def repeat(self, times: int) -> "ClipTokens":
        """Every clip so many times, side by side."""
        return ClipTokens(**{f.name: getattr(self, f.name).repeat_interleave(times, 0) for f in fields(self)})


@dataclass(frozen=True)
class SceneReading:
    """What training needs of the sentence-free part beside the clip tokens."""

    dense: DenseDetections
    detections: Detections
    trajectories: Trajectories


@dataclass(frozen=True)
class Output:
    """Answers to one sentence a clip; all about the key frame.

    choice: Score of every person, then of "nobody" (B, P + 1); minus infinity where there is no person.
    presence: Logit that the described person is in view (B).
    box_cxcywh: Box of the best-scored person, fractions of the canvas (B, 4).
    actions: Action logits of that person in the light of the sentence (B, 80).
    branch_boxes: Boxes regressed by the temporal and the spatial branch (B, 2, 4), as the paper does.
    branch_actions: Mean of the action logits of those two branches (B, 80).
    words: What each word followed.
    """

    choice: Tensor
    presence: Tensor
    box_cxcywh: Tensor
    actions: Tensor
    branch_boxes: Tensor
    branch_actions: Tensor
    words: Trajectories


class Neck(nn.Module):
    """Frame features to visual tokens (stride 16, every frame) and to the key frame's fine map (stride 8)."""

    def __init__(self, config: ModelConfig, fine_channels: int) -> None:
        super().__init__()
        self.key_frame = config.key_frame
        width, rows, columns = config.width, config.image_height // 16, config.image_width // 16
        self.middle = nn.Conv2d(MIDDLE_CHANNELS, width, 1)
        self.deep = nn.Conv2d(DEEP_CHANNELS, width, 1)
        self.block = nn.Sequential(nn.GroupNorm(1, width), SeparableBlock(width), nn.GroupNorm(1, width))
        self.place = nn.Parameter(torch.randn(width, rows, columns) * 0.02)
        self.time = nn.Parameter(torch.randn(config.frames, width, 1, 1) * 0.02)
        self.fine = nn.Conv2d(FINE_CHANNELS, fine_channels, 1)
        self.lift = nn.Conv2d(width, fine_channels, 1)
        self.fine_norm = nn.GroupNorm(1, fine_channels)
        self.refine = nn.Sequential(SeparableBlock(fine_channels), SeparableBlock(fine_channels))

    def forward(self, features: FrameFeatures, key: int) -> tuple[Tensor, Tensor]:
        """Tokens map (B, T, D, H/16, W/16) and fine map of the key frame (B, C, H/8, W/8).

        The features are of every frame (B, T, …), or of the key frame alone (B, 1, …) for a still picture; ``key`` is
        where among them the key frame is.
        """
        clips, frames = features.middle.shape[:2]
        deep = self.deep(features.deep.flatten(0, 1))
        middle = self.middle(features.middle.flatten(0, 1))
        maps = self.block(middle + functional.interpolate(deep, scale_factor=2.0, mode="nearest"))
        time = self.time if frames == len(self.time) else self.time[self.key_frame]
        maps = maps.unflatten(0, (clips, frames)) + self.place + time
        lifted = functional.interpolate(self.lift(maps[:, key]), scale_factor=2.0, mode="bilinear")
        return maps, self.refine(functional.gelu(self.fine_norm(self.fine(features.fine[:, key]) + lifted)))


class RefAtomNetPP(nn.Module):
    """The compact RefAtomNet++ over a frozen MobileNetV2 and frozen MiniLM word states."""

    FINE_CHANNELS = 96

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width, fine, kinds = config.width, self.FINE_CHANNELS, len(config.categories)
        attend: dict[str, Any] = {"heads": config.heads, "dropout": config.dropout}
        self.encoder = CompactEncoder()
        self.neck = Neck(config, fine)
        self.detector = DetectionHead(fine, categories=kinds)
        self.regions = RegionTokens(fine + FINE_CHANNELS, width, categories=kinds, dropout=config.dropout)
        self.tubes = TubeTokens(width, FINE_CHANNELS)
        self.surroundings = Surroundings(width, **attend)
        self.scene_retrieval = SemanticRetrieval(width)
        self.word_retrieval = SemanticRetrieval(width)
        self.scan_scene = TrajectoryMamba(width, state_size=config.state_size)
        self.scan_words = TrajectoryMamba(width, state_size=config.state_size)
        self.scan_visual = TrajectoryMamba(width, state_size=config.state_size)
        self.word_proj = nn.Sequential(nn.LayerNorm(config.word_width), nn.Linear(config.word_width, width))
        self.sentence_proj = nn.Linear(config.word_width, width)
        self.temporal = AlignedCrossAttention(width, **attend)
        self.spatial = AlignedCrossAttention(width, **attend)
        self.branch_box = nn.ModuleList([mlp(width, 128, 4), mlp(width, 128, 4)])
        self.branch_action = nn.ModuleList([mlp(width, 128, NUM_ACTIONS), mlp(width, 128, NUM_ACTIONS)])
        self.person_norm = nn.LayerNorm(width)
        self.moved_norm = nn.LayerNorm(2 * width)
        self.person_action = mlp(4 * width, 2 * width, NUM_ACTIONS)
        self.person_box = mlp(width, width, 4)
        self.nobody = nn.Parameter(torch.randn(width) * 0.02)
        self.among = nn.ModuleList([CrossAttention(width, **attend) for _ in range(config.layers)])
        self.reading = nn.ModuleList([CrossAttention(width, **attend) for _ in range(config.layers)])
        self.follow = CrossAttention(width, **attend)
        self.score = mlp(width, width, 1)
        self.match_person = nn.Linear(width, width)
        self.match_word = nn.Linear(width, width)
        self.match_gate = nn.Linear(width, 1)

    def encode_frames(self, pixels: Tensor) -> FrameFeatures:
        """Frozen features of normalised frames (M, 3, H, W)."""
        return self.encoder(pixels)

    def encode_clips(
        self, features: FrameFeatures, *, choose: "Callable[[DenseDetections], Detections] | None" = None
    ) -> tuple[ClipTokens, SceneReading]:
        """Everything sentence-free about clips: visual tokens, detections, their trajectories, people.

        Args:
            features: Of every frame (B, T, …), or of the key frame alone (B, 1, …), as training on still pictures
                does.
            choose: How to pick detections, for training; by default the best after suppression.
        """
        config = self.config
        key = config.key_frame if features.fine.shape[1] == config.frames else 0
        maps, fine = self.neck(features, key)
        dense = self.detector(fine)
        found = choose(dense) if choose else keep_best(dense, people=config.people, things=config.things)
        cues = self.regions(torch.cat([fine, features.fine[:, key]], dim=1), found.boxes_cxcywh, found.category)
        tokens = maps.flatten(3).transpose(2, 3)
        paths = self.scene_retrieval(cues, tokens, self.scene_retrieval.keys(tokens), cue_mask=found.mask)
        inside = self.tubes(maps, features.fine, found.boxes_cxcywh) * found.mask[:, :, None, None]
        moving = self.scan_scene(paths.tokens + inside)
        temporal, spatial = self._scan_visual(maps)
        people = config.people
        cue, moved = cues[:, :people], moving[:, :people]
        motion = self.moved_norm(torch.cat([moved.mean(2), moved.amax(2)], dim=-1))
        acting = self.person_norm(cues + moving.mean(2))
        around = self.surroundings(acting[:, :people], acting, found.boxes_cxcywh, found.mask)
        clip = ClipTokens(
            tokens=tokens,
            temporal=temporal,
            spatial=spatial,
            scene=masked_mean(moving, found.mask, dim=1),
            people=acting[:, :people],
            people_mask=found.mask[:, :people],
            person_boxes=_shift(found.boxes_cxcywh[:, :people], self.person_box(cue)),
            person_actions=self.person_action(torch.cat([cue, motion, around], dim=-1)),
        )
        return clip, SceneReading(dense, found, paths)

    def _scan_visual(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Scan all visual tokens, pooled 2x2, frame after frame; average over space and over frames.

        The release views [frames, tokens] as [tokens, frames] here; the axes below are what their names say.
        """
        clips, frames = maps.shape[:2]
        pooled = functional.avg_pool2d(maps.flatten(0, 1), 2).flatten(2).transpose(1, 2)
        scanned = self.scan_visual(pooled.reshape(clips, -1, pooled.shape[-1]))
        visual = scanned.unflatten(1, (frames, -1))
        return visual.mean(dim=2), visual.mean(dim=1)

    def forward(self, clip: ClipTokens, text: TextTokens) -> Output:
        """Answer sentences about clips.

        Args:
            clip: B clips.
            text: B · Q sentences, the first Q about the first clip and so on.

        Raises:
            ValueError: If the sentences are no multiple of the clips.
        """
        clips, sentences = clip.tokens.shape[0], text.states.shape[0]
        if sentences == 0 or sentences % clips:
            raise ValueError(f"{sentences} sentences are no multiple of {clips} clips")
        clip = replace(clip, tokens=clip.tokens.to(text.states.dtype))
        words = self.word_proj(text.states)
        sentence = torch.cat([words, self.sentence_proj(text.sentence).unsqueeze(1)], dim=1)
        sentence_mask = functional.pad(text.mask, (0, 1), value=True)
        paths = self._follow_words(clip, words, text.keywords)
        keyword = masked_mean(self.scan_words(paths.tokens), text.keywords, dim=1)
        clip = clip.without_tokens().repeat(sentences // clips)
        levels = {"scene": (clip.scene, None), "keyword": (keyword, None), "sentence": (sentence, sentence_mask)}
        branches = [self.temporal(clip.temporal, levels), self.spatial(clip.spatial, levels)]
        boxes = [head(feature).sigmoid() for head, feature in zip(self.branch_box, branches, strict=True)]
        actions = [head(feature) for head, feature in zip(self.branch_action, branches, strict=True)]
        choice = self._choose(clip, sentence, sentence_mask, keyword)
        best = choice[:, :-1].argmax(dim=1)
        row = torch.arange(len(best), device=best.device)
        branch_actions = torch.stack(actions).mean(0)
        return Output(
            choice=choice,
            presence=choice[:, :-1].logsumexp(dim=1) - choice[:, -1],
            box_cxcywh=clip.person_boxes[row, best],
            actions=clip.person_actions[row, best] + branch_actions,
            branch_boxes=torch.stack(boxes, dim=1),
            branch_actions=branch_actions,
            words=paths,
        )

    def _match(self, people: Tensor, sentence: Tensor, mask: Tensor) -> Tensor:
        """How well each person (S, P, D) goes with the words (S, L, D) that matter, summed (S, P).

        A product of the two learns "this colour, that colour" far sooner than a network of their sum.
        """
        weight = self.match_gate(sentence).squeeze(-1).masked_fill(~mask, -torch.inf).softmax(dim=1)
        wanted = torch.einsum("sl,sld->sd", weight, self.match_word(sentence))
        return torch.einsum("spd,sd->sp", self.match_person(people), wanted) / people.shape[-1] ** 0.5

    def _follow_words(self, clip: ClipTokens, words: Tensor, keywords: Tensor) -> Trajectories:
        """Trajectories of the words (S, L, D) of all sentences, the sentences of one clip side by side."""
        clips, (count, length) = clip.tokens.shape[0], keywords.shape
        cues, mask = words.reshape(clips, -1, words.shape[-1]), keywords.reshape(clips, -1)
        keys = self.word_retrieval.keys(clip.tokens)
        paths = self.word_retrieval(cues, clip.tokens, keys, cue_mask=mask)
        return Trajectories(*(part.reshape(count, length, *part.shape[2:]) for part in paths))

    def _choose(self, clip: ClipTokens, sentence: Tensor, sentence_mask: Tensor, keyword: Tensor) -> Tensor:
        """Score every person and "nobody" (B, P + 1); they read the sentence, its trajectories and each other."""
        queries = torch.cat([clip.people, self.nobody.expand(clip.people.shape[0], 1, -1)], dim=1)
        mask = functional.pad(clip.people_mask, (0, 1), value=True)
        for among, reading in zip(self.among, self.reading, strict=True):
            queries = reading(queries, sentence, context_mask=sentence_mask)
            queries = among(queries, queries, context_mask=mask)
        scores = self.score(self.follow(queries, keyword)).squeeze(-1)
        scores = scores + functional.pad(self._match(clip.people, sentence, sentence_mask), (0, 1))
        return scores.masked_fill(~mask, -torch.inf)


def _shift(boxes_cxcywh: Tensor, delta: Tensor) -> Tensor:
    """Move boxes by deltas in units of their size, and scale them by exponents (as R-CNN's regression does)."""
    centre = boxes_cxcywh[..., :2] + 0.5 * torch.tanh(delta[..., :2]) * boxes_cxcywh[..., 2:]
    return torch.cat([centre, boxes_cxcywh[..., 2:] * torch.tanh(delta[..., 2:]).exp()], dim=-1)


def build_model(config: ModelConfig) -> RefAtomNetPP:
    """The model this configuration names, with fresh weights.

    Raises:
        ValueError: If the architecture is unknown.
    """
    if config.architecture != "refatomnetpp":
        raise ValueError(f"unknown architecture {config.architecture!r}, expected 'refatomnetpp'")
    return RefAtomNetPP(config)
