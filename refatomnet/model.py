"""The whole model: frozen encoders, what is detected, a fusion with the sentence, and the heads that answer.

RefAtomNet++ is one of its fusions (:mod:`refatomnet.fusion`); the baselines (:mod:`refatomnet.baselines`) share all of
the rest. Beyond the papers, the detected people are scored against the sentence, so that the box is that of a detected
person, runners-up are known and "nobody" is an answer; their action logits are what they did on their own plus the mean
of the branches. With ``answer="branches"`` box and actions are the branches' means, as in the papers.
"""

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from refatomnet.actions import NUM_ACTIONS
from refatomnet.baselines import PlainFusion, RefAtomNet
from refatomnet.config import ModelConfig
from refatomnet.encoders import Features, FrameFeatures, build_encoder
from refatomnet.encoders.compact import CHANNELS
from refatomnet.fusion import Candidates, ClipTokens, Fused, RefAtomNetPP, Sentence, sentence_tokens
from refatomnet.heads import (
    BranchHeads,
    DenseDetections,
    DetectionHead,
    Detections,
    FoundTokens,
    FrameBoxes,
    Layout,
    LookEncoder,
    Looks,
    PersonChoice,
    PlaceHead,
    RegionTokens,
    SeparableBlock,
    Surroundings,
    TubeTokens,
    keep_best,
    mlp,
    shift_boxes,
    silent,
)
from refatomnet.hub import HubModel
from refatomnet.text import TextTokens
from refatomnet.trajectories import Trajectories

if TYPE_CHECKING:
    from collections.abc import Callable

    from refatomnet.encoders.pretrained import ClipFeatures

    Choose = Callable[[DenseDetections], Detections] | Detections  # by training, or as another view has them

FUSIONS = {"refatomnetpp": RefAtomNetPP, "refatomnet": RefAtomNet, "plain": PlainFusion}


@dataclass(frozen=True)
class SceneReading:
    """What training needs of the sentence-free part beside the clip tokens.

    ``dense`` and ``coarse``, the people's boxes after the first of two refinements (B, P, 4), where the detector is
    ours to train and has just been asked. ``paths`` where detections are followed. ``kinds`` where people count each
    other: logits that each is of the kinds counted (B, P, kinds), see :class:`Counting`. ``looks`` where people are
    looked at in the pixels.
    """

    dense: DenseDetections | None
    coarse: Tensor | None
    detections: Detections
    paths: Trajectories | None
    kinds: Tensor | None
    looks: Looks | None


class _Detected(NamedTuple):
    """Token maps of all frames (B, T, D, h, w); of the key frame what is detected, a token each (B, M, D), the people's
    refined boxes (B, P, 4), what their pixels show, and what only training looks at.
    """

    maps: Tensor
    found: Detections
    cues: Tensor
    boxes: Tensor
    looks: Looks | None = None
    dense: DenseDetections | None = None
    coarse: Tensor | None = None


class People(NamedTuple):
    """Who is on M pictures: refined boxes cxcywh in fractions of the canvas (M, P, 4), scores of the detections and
    True where they are real (M, P), and unit vectors of what they look like (M, P, D).
    """

    boxes_cxcywh: Tensor
    scores: Tensor
    mask: Tensor
    looks: Tensor


@dataclass(frozen=True)
class Glance(Features):
    """What the network makes of pictures whatever clips they will be in, so that it looks at each but once.

    The leading axes are M pictures, or B clips by T frames.

    maps: Visual tokens on their grid, as if of a key frame (..., D, H/16, W/16). fine: as of ``FrameFeatures``.
    boxes_cxcywh, scores, category, mask: Of what is detected, as of ``Detections`` (..., M, 4) and (..., M).
    said: What there is to say of each (..., M, D). people_cxcywh: Refined boxes of the people (..., P, 4).
    picture, grey: As of ``FrameFeatures``, for looking at people closely in key frames (..., 3, H, W), (..., H, W).
    """

    every_frame = ("maps", "fine", "grey")

    maps: Tensor
    fine: Tensor
    boxes_cxcywh: Tensor
    scores: Tensor
    category: Tensor
    mask: Tensor
    said: Tensor
    people_cxcywh: Tensor
    picture: Tensor
    grey: Tensor

    def around(self, key: int) -> "Glance":
        """Of clips (B, T, …), with what is detected in the frame with this index."""
        every = {name: getattr(self, name) for name in self.every_frame}
        return Glance(**every, **{f.name: getattr(self, f.name)[:, key] for f in fields(self) if f.name not in every})


class PlaceMap(NamedTuple):
    """The described person by place: logit of every cell (S, C) and the box around it, cxcywh (S, C, 4)."""

    logits: Tensor
    boxes_cxcywh: Tensor


@dataclass(frozen=True)
class Output:
    """Answers to S sentences, about the key frame unless said otherwise. Boxes are cxcywh in fractions of the canvas.

    choice: Score of every candidate, then of "nobody" (S, P + 1); minus infinity where there is no candidate.
    presence: Logit that the described person is in view (S).
    boxes: Of the P candidates: the detected people, the likeliest places, or the one regressed box (S, P, 4).
    everyone: Action logits of the candidates in the light of the sentence (S, P, 80).
    frame_boxes: The best candidate in every frame (S, T, 4). frame_seen: logits that they are in view there (S, T).
    branch_boxes: Boxes regressed by every branch (S, R, 4), as the papers do.
    branch_actions: Mean of the action logits of the branches (S, 80).
    place: Where the config's answer is by place.
    words: What each word followed, where the fusion follows words.
    fits: Logits that each person fits each part of the sentence (S, parts, P), zero for no person, see
        :class:`~refatomnet.heads.PhraseMatch`; where people are chosen among by their relations.
    """

    choice: Tensor
    presence: Tensor
    boxes: Tensor
    everyone: Tensor
    frame_boxes: Tensor
    frame_seen: Tensor
    branch_boxes: Tensor
    branch_actions: Tensor
    place: PlaceMap | None
    words: Trajectories | None
    fits: Tensor | None = None

    @property
    def best(self) -> Tensor:
        """Index of the best-scored candidate (S)."""
        return self.choice[:, :-1].argmax(dim=1)

    @property
    def box_cxcywh(self) -> Tensor:
        """Box of the best-scored candidate (S, 4)."""
        return self.boxes[torch.arange(len(self.boxes)), self.best]

    @property
    def actions(self) -> Tensor:
        """Action logits of the best-scored candidate (S, 80)."""
        return self.everyone[torch.arange(len(self.boxes)), self.best]


class Neck(nn.Module):
    """Frame features to visual tokens (stride 16, every frame) and to the key frame's fine map (stride 8)."""

    def __init__(self, config: ModelConfig, fine_channels: int) -> None:
        super().__init__()
        self.key_frame = config.key_frame
        width = config.width
        self.middle = nn.Conv2d(CHANNELS.middle, width, 1)
        self.deep = nn.Conv2d(CHANNELS.deep, width, 1)
        self.block = nn.Sequential(nn.GroupNorm(1, width), SeparableBlock(width), nn.GroupNorm(1, width))
        self.place = nn.Parameter(torch.randn(width, *config.token_grid) * 0.02)
        self.time = nn.Parameter(torch.randn(config.frames, width, 1, 1) * 0.02)
        self.fine = nn.Conv2d(CHANNELS.fine, fine_channels, 1)
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

    def retime(self, maps: Tensor) -> Tensor:
        """The maps of every frame (B, T, …), of maps that were each made as if of the key frame."""
        return maps + (self.time - self.time[self.key_frame])


class TokenNeck(nn.Module):
    """Tokens of public encoders to visual tokens in the model's width; in one row where they have no place."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.key_frame, self.grid = config.key_frame, config.token_grid
        channels = config.patch_width if config.has_places else config.query_width
        self.proj = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, config.width))
        self.place = nn.Parameter(torch.randn(config.width, *self.grid) * 0.02)
        self.time = nn.Parameter(torch.randn(config.frames, config.width, 1, 1) * 0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T, N, C) of every frame, or of the key frame alone, as maps (B, T, D, rows, columns)."""
        maps = self.proj(tokens).transpose(2, 3).unflatten(3, self.grid)
        return maps + self.place + (self.time if tokens.shape[1] == len(self.time) else self.time[self.key_frame])


class RavarModel(HubModel):
    """A model of referring atomic video action recognition, as its config says."""

    FINE_CHANNELS = 96

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.card = {}
        width, fine, kinds = config.width, self.FINE_CHANNELS, len(config.categories)
        attend: dict[str, Any] = {"heads": config.heads, "dropout": config.dropout}
        self.encoder = build_encoder(config)
        if config.encoder == "compact":
            self.neck: nn.Module = Neck(config, fine)
            self.detector = DetectionHead(fine, categories=kinds)
            self.regions = RegionTokens(fine + CHANNELS.fine, width, categories=kinds, dropout=config.dropout)
            self.tubes = TubeTokens(width, CHANNELS.fine)
        else:
            self.neck = TokenNeck(config)
            self.found = FoundTokens(config.patch_width, width, names=config.query_width, dropout=config.dropout)
        self.surroundings = Surroundings(width, **attend)
        self.person_norm = nn.LayerNorm(width)
        self.moved_norm = nn.LayerNorm(2 * width)
        self.person_action = mlp(4 * width, 2 * width, NUM_ACTIONS)
        self.person_box = silent(mlp(width, width, 4))
        self.word_proj = nn.Sequential(nn.LayerNorm(config.word_width), nn.Linear(config.word_width, width))
        self.sentence_proj = nn.Linear(config.sentence_width, width)
        self.forget = nn.Dropout(config.dropout)  # of what words mean: others may mean nearly the same
        self.fusion = FUSIONS[config.architecture](config)
        self.branch = BranchHeads(config.features_width, branches=self.fusion.branches)
        if config.looks:
            self.looks = LookEncoder(width, frames=config.frames, dropout=config.dropout)
        if config.frame_boxes:
            self.frame_boxes = FrameBoxes(width)
        if config.answer == "people":
            context, relations = self.fusion.gives_context, config.relations
            self.choice = PersonChoice(width, layers=config.layers, context=context, relations=relations, **attend)
            if relations:
                self.person_real = nn.Linear(2 * width, 1)
                if config.looks:
                    self.look_shown = silent(mlp(LookEncoder.WIDTH, width))
        elif config.presence:
            self.presence = mlp(config.features_width, config.features_width, 1)
        if config.answer == "place":
            self.place = PlaceHead(config.features_width)

    def train(self, mode: bool = True) -> "RavarModel":
        """Set the training mode of all but the frozen encoder, which stays in evaluation mode."""
        super().train(mode)
        self.encoder.eval()
        return self

    def encode_frames(self, pixels: Tensor, *, key: int | None = None) -> Any:
        """Frozen features of M frames as :meth:`VisualEncoder.prepare` gives them; ``key`` as of its ``forward``."""
        return self.encoder(pixels, key=key)

    def encode_views(self, pixels: Tensor, *, key: int | None = None) -> tuple[Any, ...]:
        """The same, and with the compact encoder that of the frames seen in a mirror: what :meth:`encode` takes."""
        views = (pixels, pixels.flip(-1)) if self.config.encoder == "compact" else (pixels,)
        return tuple(self.encode_frames(view, key=key) for view in views)

    def encode(self, features: Features, mirrored: Features | None = None) -> ClipTokens:
        """Clips ready for any sentence: as of :meth:`encode_clips`, everybody's actions averaged over both views.

        Args:
            features: As of :meth:`encode_clips`.
            mirrored: The same of the frames seen in a mirror; without it, one view will do. Where :meth:`glance` has
                made them, both are of one call.
        """
        clip, reading = self.encode_clips(features)
        if mirrored is None:
            return clip
        turned, _ = self.encode_clips(mirrored, choose=reading.detections.mirrored())
        return replace(clip, person_actions=(clip.person_actions + turned.person_actions) / 2)

    def encode_clips(self, features: Features, *, choose: "Choose | None" = None) -> tuple[ClipTokens, SceneReading]:
        """Everything sentence-free about clips: visual tokens, detections, their trajectories, people.

        Args:
            features: Of every frame (B, T, …), or of the key frame alone (B, 1, …), as training on still pictures
                does; or what :meth:`glance` keeps of every frame.
            choose: How to pick detections, for training; by default the best after suppression. Or detections to take
                as they are, of another view of the same frames. Those of a frozen detector, or of
                :meth:`glance`, are picked before.

        Returns:
            The clip tokens, ready for any sentence; and what only training looks at.

        Raises:
            ValueError: If there are neither ``config.frames`` frames nor one.
        """
        config, frames = self.config, features.frames
        if frames not in (1, config.frames):
            raise ValueError(f"a clip has {frames} frames; expected {config.frames}, or the key frame alone")
        key = config.key_frame if frames == config.frames else 0
        features = features.around(key)
        detected = self._recall(features, key) if isinstance(features, Glance) else self._detect(features, key, choose)
        maps, found, cues, boxes, looks, dense, coarse = detected
        inside = self._inside(features, maps, found) * found.mask[:, :, None, None]
        seen = self.fusion.see(maps, cues, inside, found.mask)
        people = config.people
        cue, moved = cues[:, :people], seen.moving[:, :people]
        motion = self.moved_norm(torch.cat([moved.mean(2), moved.amax(2)], dim=-1))
        acting = self.person_norm(cues + seen.moving.mean(2))
        around = self.surroundings(acting[:, :people], acting, found.boxes_cxcywh, found.mask)
        actions = self.person_action(torch.cat([cue, motion, around], dim=-1))
        if looks is not None:
            actions = actions + looks.actions
        frame_boxes, frame_seen = self._box_frames(cue, moved, maps, boxes, key)
        clip = ClipTokens(
            tokens=maps.flatten(3).transpose(2, 3),
            temporal=seen.temporal,
            spatial=seen.spatial,
            scene=seen.scene,
            scene_mask=seen.scene_mask,
            lengths=seen.lengths,
            people=acting[:, :people],
            people_mask=found.mask[:, :people],
            person_boxes=boxes,
            person_actions=actions,
            frame_boxes=frame_boxes,
            frame_seen=frame_seen,
            person_real=self._real(acting[:, :people], around),
            things=acting[:, people:],
            things_mask=found.mask[:, people:],
            thing_boxes=found.boxes_cxcywh[:, people:],
            looks=self._shown(looks, acting[:, :people]),
        )
        counts = config.answer == "people" and config.relations
        kinds = self.choice.ranking.kinds(clip.people) if counts else None
        return clip, SceneReading(dense, coarse, found, seen.paths, kinds, looks)

    def glance(self, features: Features, mirrored: Features | None = None) -> tuple[People, tuple[Features, ...]]:
        """Who is on single pictures, for following them from one to the next, and what to keep of each.

        Args:
            features: Of every picture (M, …). mirrored: The same of what is seen of them in a mirror, if that is.

        Returns:
            The people; and, of each view, what windows of these pictures are put together from for :meth:`encode`,
            (M, …) too, which for public encoders is the features themselves.
        """
        if not isinstance(features, FrameFeatures):
            alone: Any = features.map(lambda part: part.unsqueeze(1)).around(0)
            detected = self._take_detected(alone, 0)
            return self._people(detected.found, detected.cues, detected.boxes), (features,)
        kept, found, tokens = self._glance(features, None)
        people = self._people(found, tokens, kept.people_cxcywh)
        if mirrored is None:
            return people, (kept,)
        return people, (kept, self._glance(mirrored, found.mirrored())[0])

    def _glance(self, features: Any, given: Detections | None) -> tuple[Glance, Detections, Tensor]:
        """What to keep of one view of pictures (M, …), what is detected there unless that is given, and its tokens."""
        alone = features.map(lambda part: part.unsqueeze(1)).around(0)
        maps, _, _, found, said = self._find(alone, 0, given)
        plain = self.regions.told(said)
        kept = Glance(
            maps[:, 0],
            features.fine,
            **vars(found),
            said=said,
            people_cxcywh=self._refine(found, plain),
            picture=features.picture,
            grey=features.grey,
        )
        return kept, found, plain

    def _people(self, found: Detections, tokens: Tensor, boxes: Tensor) -> People:
        count = self.config.people
        looks = functional.normalize(tokens[:, :count], dim=-1)
        return People(boxes, found.scores[:, :count], found.mask[:, :count], looks)

    def _recall(self, glance: Glance, key: int) -> _Detected:
        """As :meth:`_detect`, of clips whose pictures have been looked at one by one."""
        found = Detections(glance.boxes_cxcywh, glance.scores, glance.category, glance.mask)
        looks = self._look(glance.picture, glance.grey, key, found)
        neck: Any = self.neck
        cues = self._cues(glance.said, looks)
        return _Detected(neck.retime(glance.maps), found, cues, glance.people_cxcywh, looks)

    def _detect(self, features: Any, key: int, choose: "Choose | None") -> _Detected:
        if self.config.encoder != "compact":
            return self._take_detected(features, key)
        maps, dense, coarse, found, said = self._find(features, key, choose)
        boxes = self._refine(found, self.regions.told(said))  # as on pictures that nobody is looked at closely in
        picture = features.picture[:, key if features.picture.shape[1] > 1 else 0]
        looks = self._look(picture, features.grey, key, found)
        return _Detected(maps, found, self._cues(said, looks), boxes, looks, dense, coarse)

    def _find(
        self, features: FrameFeatures, key: int, choose: "Choose | None"
    ) -> tuple[Tensor, DenseDetections | None, Tensor | None, Detections, Tensor]:
        """Token maps of all frames; of the key frame every cell's detection, the people's boxes refined once, all that
        was kept, people in those boxes, and what to say of it. Where detections are given, they stay as they are.
        """
        config, dense, coarse = self.config, None, None
        maps, fine = self.neck(features, key)
        squeezed = self.regions.squeeze(torch.cat([fine, features.fine[:, key]], dim=1))
        if isinstance(choose, Detections):
            found = choose
        else:
            dense = self.detector(fine)
            found = choose(dense) if choose else keep_best(dense, people=config.people, things=config.things)
            coarse = self._refine(found, self.regions.told(self.regions(squeezed, found.boxes_cxcywh, found.category)))
            found = replace(
                found, boxes_cxcywh=torch.cat([coarse.detach(), found.boxes_cxcywh[:, config.people :]], dim=1)
            )
        return maps, dense, coarse, found, self.regions(squeezed, found.boxes_cxcywh, found.category)

    def _take_detected(self, features: "ClipFeatures", key: int) -> _Detected:
        """As :meth:`_detect`, of what a frozen detector has found."""
        thing = torch.arange(features.scores.shape[1], device=features.scores.device) >= self.config.people
        category = thing.long().expand(features.scores.shape)
        mask = features.scores >= 0
        found = Detections(features.boxes_cxcywh, features.scores.clamp(min=0), category, mask)
        cues = self.found(features.regions[:, key], found.boxes_cxcywh, features.names)
        return _Detected(self.neck(features.tokens), found, cues, self._refine(found, cues))

    def _real(self, people: Tensor, around: Tensor) -> Tensor:
        """Logits that each candidate is a person, and no other's twin (B, P), by what they and all around them are."""
        if not hasattr(self, "person_real"):
            return people.new_zeros(people.shape[:2])
        real: Tensor = self.person_real(torch.cat([people, around], dim=-1)).squeeze(-1)
        return real

    def _refine(self, found: Detections, cues: Tensor) -> Tensor:
        """Boxes of the people (B, P, 4), moved as their tokens say."""
        people = self.config.people
        return shift_boxes(found.boxes_cxcywh[:, :people], self.person_box(cues[:, :people]))

    def _inside(self, features: Any, maps: Tensor, found: Detections) -> Tensor:
        """What lies in each detection's box, frame by frame (B, M, T, D)."""
        if self.config.encoder != "compact":
            return self.found.inside(features.regions)
        return self.tubes(maps, features.fine, found.boxes_cxcywh)

    def _look(self, picture: Tensor, grey: Tensor, key: int, found: Detections) -> Looks | None:
        """What the key frame's pixels (B, 3, H, W), and every frame's lightness (B, T, H, W), show of each person, if
        the model has looks.
        """
        people = self.config.people
        where = found.boxes_cxcywh[:, :people], found.mask[:, :people]
        return self.looks(picture, grey, key, *where) if self.config.looks else None

    def _cues(self, said: Tensor, looks: Looks | None) -> Tensor:
        return self.regions.told(said, None if looks is None else looks.token)

    def _shown(self, looks: Looks | None, people: Tensor) -> Tensor:
        """What pixels say to the parts of a sentence (B, P, D), of people (B, P, D)."""
        return self.look_shown(looks.seen) if looks is not None and hasattr(self, "look_shown") else people * 0

    def _box_frames(self, cue: Tensor, moved: Tensor, maps: Tensor, boxes: Tensor, key: int) -> tuple[Tensor, Tensor]:
        """Boxes of every person in every frame (B, P, T, 4), at the key frame their own, and whether they are there."""
        still = boxes.unsqueeze(2).expand(-1, -1, maps.shape[1], -1)
        if not self.config.frame_boxes:
            return still, boxes.new_zeros(still.shape[:3])
        every, seen = self.frame_boxes(cue, moved, maps, boxes)
        here = torch.arange(maps.shape[1], device=maps.device).view(-1, 1) == key
        return torch.where(here, still, every), seen

    def forward(self, clip: ClipTokens, text: TextTokens) -> Output:
        """Answer sentences about clips.

        Args:
            clip: B clips.
            text: S = B · Q sentences, the first Q about the first clip and so on.

        Returns:
            The answers; boxes in fractions of the canvas, scores as logits, uncalibrated.

        Raises:
            ValueError: If the sentences are no multiple of the clips.
        """
        clips, sentences = clip.tokens.shape[0], text.states.shape[0]
        if sentences == 0 or sentences % clips:
            raise ValueError(f"{sentences} sentences are no multiple of {clips} clips")
        sentence, layout = self._read(text), self._layout(clip)
        tokens, clip = clip.tokens.to(text.states.dtype), clip.without_tokens().repeat(sentences // clips)
        fused = self.fusion(tokens, clip, sentence)
        branch_boxes, branch_actions = self.branch(fused.branches)
        return self._answer(clip, layout, sentence, fused, branch_boxes, branch_actions)

    def choose(self, clip: Candidates, text: TextTokens) -> tuple[Tensor, Tensor | None]:
        """``choice`` and ``fits`` of :class:`Output` without the fusion, which is most of the work: for training.

        Only where the answer is among people; arguments as of :meth:`forward`, but of a clip its candidates alone.
        """
        sentence, times = self._read(text), len(text.states) // len(clip.people)
        people, mask, looks = (part.repeat_interleave(times, 0) for part in (clip.people, clip.people_mask, clip.looks))
        choice, fits = self.choice(people, mask, sentence.tokens, sentence.mask, None, self._layout(clip), looks)
        return self._nobody(choice), fits

    def _read(self, text: TextTokens) -> Sentence:
        words, whole = self.word_proj(self.forget(text.states)), self.sentence_proj(self.forget(text.sentence))
        return sentence_tokens(words, whole, text.mask, text.keywords)

    def _layout(self, clip: ClipTokens | Candidates) -> Layout | None:
        if not self.config.relations:
            return None
        return Layout(clip.person_boxes, clip.person_real, clip.things, clip.thing_boxes, clip.things_mask)

    def _nobody(self, choice: Tensor) -> Tensor:
        """The same scores; without presence, "nobody" always has none."""
        return choice if self.config.presence else torch.cat([choice[:, :-1], choice.new_zeros(len(choice), 1)], dim=1)

    def _answer(
        self,
        clip: ClipTokens,
        layout: Layout | None,
        sentence: Sentence,
        fused: Fused,
        branch_boxes: Tensor,
        branch_actions: Tensor,
    ) -> Output:
        place, fits, everyone = None, None, branch_actions.unsqueeze(1)
        if self.config.answer == "people":
            boxes, everyone = clip.person_boxes, clip.person_actions + everyone
            read = sentence.tokens, sentence.mask, fused.context
            choice, fits = self.choice(clip.people, clip.people_mask, *read, layout, clip.looks)
        else:
            feature = torch.stack(fused.branches).mean(0)
            here = self.presence(feature) if self.config.presence else feature.new_zeros(len(feature), 1)
            if self.config.answer == "place":
                rows, columns = self.config.token_grid
                place = PlaceMap(*self.place(fused.cells, rows // 2, columns // 2))
                share, cell = place.logits.log_softmax(dim=1).topk(min(self.config.people, fused.cells.shape[1]), dim=1)
                boxes = place.boxes_cxcywh.gather(1, cell.unsqueeze(-1).expand(-1, -1, 4))
                choice = torch.cat([share + here, here.new_zeros(len(here), 1)], dim=1)
            else:
                boxes = branch_boxes.mean(dim=1, keepdim=True)
                choice = torch.cat([here, torch.zeros_like(here)], dim=1)
            everyone = everyone.expand(-1, boxes.shape[1], -1)
        choice = self._nobody(choice)
        frame_boxes, frame_seen = self._frames_of(clip, boxes, choice)
        return Output(
            choice=choice,
            presence=choice[:, :-1].logsumexp(dim=1) - choice[:, -1],
            boxes=boxes,
            everyone=everyone,
            frame_boxes=frame_boxes,
            frame_seen=frame_seen,
            branch_boxes=branch_boxes,
            branch_actions=branch_actions,
            place=place,
            words=fused.words,
            fits=fits,
        )

    def _frames_of(self, clip: ClipTokens, boxes: Tensor, choice: Tensor) -> tuple[Tensor, Tensor]:
        """The best candidate's boxes in every frame; a candidate that is no detected person stands still."""
        best, row = choice[:, :-1].argmax(dim=1), torch.arange(len(boxes), device=boxes.device)
        if self.config.answer == "people":
            return clip.frame_boxes[row, best], clip.frame_seen[row, best]
        frames = clip.frame_boxes.shape[2]
        return boxes[row, best].unsqueeze(1).expand(-1, frames, -1), boxes.new_zeros(len(boxes), frames)
