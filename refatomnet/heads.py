"""Heads: detection (scene attributes), tokens of the detected, and the box, action, choice and place heads.

Of the papers are the scene attributes (boxes and categories of what is detected) and the heads of the branches, which
regress one box from pooled features. The heads that choose among people, find a place, say "nobody" and box every frame
go beyond them, since a regressed box cannot be turned down; each is a switch of the config.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from refatomnet.actions import NUM_ACTIONS
from refatomnet.attention import CrossAttention
from refatomnet.boxes import cxcywh_to_xyxy, pairwise_iou
from refatomnet.encoders.compact import mobilenet_layers

LOOK_GRID = (6, 4)  # sample points inside a detection's box on the key frame, down and across
TUBE_GRID = (4, 2)  # the same on every frame, on the coarse token map
LIMB_GRID = (6, 4)  # and on the fine map: hands, feet and what they hold


def mlp(*widths: int, activation: type[nn.Module] = nn.GELU) -> nn.Sequential:
    """Linear layers of these widths with an activation between them."""
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(itertools.pairwise(widths)):
        layers += ([activation()] if i else []) + [nn.Linear(before, after)]
    return nn.Sequential(*layers)


def silent(layers: nn.Sequential) -> nn.Sequential:
    """The same layers, which give zero until they have learnt: weights that did without them begin as they were."""
    for parameter in layers[-1].parameters():
        nn.init.zeros_(parameter)
    return layers


class SeparableBlock(nn.Module):
    """Residual depthwise 5x5 + pointwise block on a feature map (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spread = nn.Conv2d(channels, channels, 5, padding=2, groups=channels)
        self.norm = nn.GroupNorm(1, channels)
        self.mix = nn.Sequential(nn.Conv2d(channels, 2 * channels, 1), nn.GELU(), nn.Conv2d(2 * channels, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(self.norm(self.spread(x)))


@dataclass(frozen=True)
class DenseDetections:
    """One prediction a cell of the key frame's fine map.

    logits: Score of each category before the sigmoid, the person first (B, cells, categories).
    boxes_cxcywh: Fractions of the canvas (B, cells, 4).
    centres: Cell centres, x and y in fractions of the canvas (cells, 2).
    """

    logits: Tensor
    boxes_cxcywh: Tensor
    centres: Tensor


@dataclass(frozen=True)
class Detections:
    """The scene attributes kept: people first, then things.

    boxes_cxcywh: (B, M, 4), fractions of the canvas. scores: Probabilities (B, M). category: index, 0 is the person
    (B, M). mask: True where real (B, M); the rest is padding.
    """

    boxes_cxcywh: Tensor
    scores: Tensor
    category: Tensor
    mask: Tensor

    def mirrored(self) -> "Detections":
        """The same as they lie in the mirror image."""
        x, rest = self.boxes_cxcywh.tensor_split([1], dim=-1)
        return replace(self, boxes_cxcywh=torch.cat([1 - x, rest], dim=-1))


class DetectionHead(nn.Module):
    """Anchor-free detection: every cell predicts category scores and the box around its own object (as FCOS does).

    RefAtomNet and RefAtomNet++ take a frozen DETR's 100 queries; this head is learnt on features that are there anyway.
    """

    def __init__(self, channels: int, *, categories: int) -> None:
        super().__init__()
        self.tower = nn.Sequential(SeparableBlock(channels), nn.GroupNorm(1, channels), nn.GELU())
        self.category = nn.Conv2d(channels, categories, 1)
        self.box = nn.Conv2d(channels, 4, 1)
        assert self.category.bias is not None and self.box.bias is not None
        nn.init.constant_(self.category.bias, -4.6)  # prior probability 0.01, so that the many empty cells start quiet
        nn.init.constant_(self.box.bias, -2.0)

    def forward(self, fine: Tensor) -> DenseDetections:
        """Predict from the fine map (B, channels, h, w), cells row after row."""
        features = self.tower(fine)
        rows, columns = fine.shape[-2:]
        centres = cell_centres(rows, columns, fine.device)
        shift, size = self.box(features).flatten(2).transpose(1, 2).split(2, dim=-1)
        size = size.clamp(max=1).exp()
        centre = centres + 0.5 * torch.tanh(shift + 2.0) * size
        boxes = torch.cat([centre, size.clamp(max=1.5)], dim=-1)
        return DenseDetections(self.category(features).flatten(2).transpose(1, 2), boxes, centres)


@torch.no_grad()
def keep_best(dense: DenseDetections, *, people: int, things: int, overlap: float = 0.45) -> Detections:
    """Keep the best people and things by non-maximum suppression; always the same number, padded by the mask.

    Args:
        dense: Predictions of every cell.
        people: How many people to keep.
        things: How many of all other categories together.
        overlap: Intersection over union from which the lower-scored of two is dropped.

    Returns:
        Detections (B, people + things), the best first among people and among things. The best of either counts as real
        however low its score, so that there is always a candidate.
    """
    scores = dense.logits.sigmoid()
    person, thing = scores[..., :1], scores[..., 1:]
    kept = [_suppress(dense.boxes_cxcywh, person.squeeze(-1), count=people, overlap=overlap)]
    category = torch.zeros_like(kept[0][1], dtype=torch.long)
    best, which = thing.max(dim=-1)
    kept.append(_suppress(dense.boxes_cxcywh, best, count=things, overlap=overlap))
    boxes = torch.cat([boxes for boxes, _, _, _ in kept], dim=1)
    category = torch.cat([category, 1 + which.gather(1, kept[1][3])], dim=1)
    return Detections(boxes, torch.cat([k[1] for k in kept], 1), category, torch.cat([k[2] for k in kept], 1))


def _suppress(
    boxes_cxcywh: Tensor, scores: Tensor, *, count: int, overlap: float, floor: float = 0.02
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Greedy non-maximum suppression of (B, cells): boxes, scores, mask and cell index of the best ``count``."""
    top, cell = scores.topk(min(16 * count, scores.shape[1]), dim=1)
    candidates = boxes_cxcywh.gather(1, cell.unsqueeze(-1).expand(-1, -1, 4))
    corners = cxcywh_to_xyxy(candidates)
    near = pairwise_iou(corners, corners) > overlap
    alive = top.clone()
    picks = []
    for _ in range(count):
        best = alive.argmax(dim=1, keepdim=True)
        picks.append(best)
        gone = near.gather(1, best.unsqueeze(-1).expand(-1, -1, near.shape[2])).squeeze(1)
        alive = alive.masked_fill(gone, -1.0).scatter(1, best, -1.0)
    pick = torch.cat(picks, dim=1)
    score = top.gather(1, pick)
    # Once everything is suppressed, arg-max repeats; a repeated pick is not real.
    repeated = (pick.unsqueeze(2) == pick.unsqueeze(1)).tril(-1).any(dim=2)
    chosen = candidates.gather(1, pick.unsqueeze(-1).expand(-1, -1, 4))
    mask = (score > floor) & ~repeated
    mask[:, 0] = True
    return chosen, score, mask, cell.gather(1, pick)


def sample_inside(features: Tensor, boxes_cxcywh: Tensor, grid: tuple[int, int]) -> Tensor:
    """Bilinear samples of features (B, c, h, w) on a grid (rows, columns) inside each box (B, M, 4).

    Boxes are in fractions of the map. Flattened to (B, M, rows · columns · c), point after point; zero outside the map.
    """
    y, x = ((torch.arange(n, device=features.device) + 0.5) / n - 0.5 for n in grid)
    offsets = torch.cartesian_prod(y, x).flip(-1)
    points = boxes_cxcywh[..., None, :2] + boxes_cxcywh[..., None, 2:] * offsets
    sampled = functional.grid_sample(features, 2 * points - 1, align_corners=False)
    return sampled.permute(0, 2, 3, 1).flatten(2)


class TubeTokens(nn.Module):
    """One token a detection and frame: what lies inside the detection's box there, somewhat widened.

    Not in the papers. A retrieved token is one cell; limbs that wave or kick lie beside it, and are smaller than it.
    """

    WIDEN = 1.25
    LIMB_CHANNELS = 32

    def __init__(self, width: int, fine_channels: int) -> None:
        super().__init__()
        limbs = self.LIMB_CHANNELS
        self.squeeze = nn.Sequential(nn.Conv2d(fine_channels, limbs, 1), nn.GroupNorm(1, limbs))
        self.body = nn.Linear(width * math.prod(TUBE_GRID), width)
        self.limbs = nn.Sequential(nn.Linear(limbs * math.prod(LIMB_GRID), width), nn.GELU(), nn.Linear(width, width))
        self.norm = nn.LayerNorm(width)

    def forward(self, maps: Tensor, fine: Tensor, boxes_cxcywh: Tensor) -> Tensor:
        """Tokens (B, M, T, D) of boxes (B, M, 4) on token maps (B, T, D, h, w) and fine maps (B, T, C, 2h, 2w)."""
        clips, frames = maps.shape[:2]
        boxes = torch.cat([boxes_cxcywh[..., :2], boxes_cxcywh[..., 2:] * self.WIDEN], dim=-1)
        boxes = boxes.repeat_interleave(frames, 0)
        body = self.body(sample_inside(maps.flatten(0, 1), boxes, TUBE_GRID))
        limbs = self.limbs(sample_inside(self.squeeze(fine.flatten(0, 1)), boxes, LIMB_GRID))
        return self.norm(body + limbs).unflatten(0, (clips, frames)).transpose(1, 2)


class Surroundings(nn.Module):
    """What is around each person: they look at everyone and everything detected, by where it lies from them.

    Not in the papers: what makes an action "talk to" or "ride" is somebody or something else.
    """

    def __init__(self, width: int, *, heads: int, dropout: float) -> None:
        super().__init__()
        self.lies = mlp(5, width, width)
        self.look = CrossAttention(width, heads=heads, dropout=dropout)

    def forward(self, people: Tensor, around: Tensor, boxes_cxcywh: Tensor, mask: Tensor) -> Tensor:
        """Tokens (B, P, D) of people (B, P, D), the first P of the detections ``around`` (B, M, D) in boxes (B, M, 4).

        ``mask`` (B, M) is true where a detection is real. A person is among what they look at, so nobody sees nothing.
        """
        count = people.shape[1]
        lies = self.lies(self.describe(boxes_cxcywh[:, :count], boxes_cxcywh))
        itself = torch.eye(count, around.shape[1], dtype=torch.bool, device=mask.device)
        return self.look.read_from(people, around, lies, context_mask=mask.unsqueeze(1) | itself)

    @staticmethod
    def describe(people_cxcywh: Tensor, boxes_cxcywh: Tensor) -> Tensor:
        """Five numbers a person (B, P, 4) and box (B, M, 4): how far across and down in heights of the person, how
        much larger, and their overlap (B, P, M, 5).
        """
        person, other = people_cxcywh.unsqueeze(2), boxes_cxcywh.unsqueeze(1)
        height = person[..., 3:].clamp(min=1e-3)
        away = ((other[..., :2] - person[..., :2]) / height).clamp(-4, 4)
        larger = (other[..., 2:].clamp(min=1e-3) / height).log()
        overlap = pairwise_iou(cxcywh_to_xyxy(people_cxcywh), cxcywh_to_xyxy(boxes_cxcywh))
        return torch.cat([away, larger, overlap.unsqueeze(-1)], dim=-1)


class RegionTokens(nn.Module):
    """Turns each detection into one token: features inside its box, its geometry and its category.

    The papers' scene attributes are box and category alone; looks are added, since sentences speak of clothes.
    """

    def __init__(self, channels: int, width: int, *, categories: int, dropout: float) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(nn.Conv2d(channels, 64, 1), nn.GroupNorm(1, 64))
        self.look = nn.Sequential(nn.Dropout(dropout), nn.Linear(64 * math.prod(LOOK_GRID), width), nn.GELU())
        self.look_proj = nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width))
        self.geometry = nn.Sequential(mlp(12, width, width), nn.LayerNorm(width))
        self.category = nn.Embedding(categories, width)
        nn.init.normal_(self.category.weight, std=0.1)  # smaller than looks and geometry, or it would drown them
        self.norm = nn.LayerNorm(width)

    def forward(self, squeezed: Tensor, boxes_cxcywh: Tensor, category: Tensor) -> Tensor:
        """What there is to say of detections (B, M, D), for :meth:`told`.

        Args:
            squeezed: What ``squeeze`` makes of the fine map (B, 64, h, w).
            boxes_cxcywh: (B, M, 4). category: index (B, M).
        """
        look = self.look(sample_inside(squeezed, boxes_cxcywh, LOOK_GRID))
        return self.look_proj(look) + self.geometry(self.describe(boxes_cxcywh)) + self.category(category)

    def told(self, said: Tensor, looks: Tensor | None = None) -> Tensor:
        """Tokens (B, M, D) of that, and of what :class:`LookEncoder` saw of the first P of them (B, P, D), if any."""
        if looks is not None:
            said = said + functional.pad(looks, (0, 0, 0, said.shape[1] - looks.shape[1]))
        token: Tensor = self.norm(said)
        return token

    @staticmethod
    def describe(boxes_cxcywh: Tensor) -> Tensor:
        """Twelve numbers a box (B, M, 12): centre, size, its logarithm, corners, root of the area, shape."""
        corners = cxcywh_to_xyxy(boxes_cxcywh)
        size = boxes_cxcywh[..., 2:].clamp(min=1e-3)
        area = size.prod(-1, keepdim=True)
        shape = (size[..., 1:] / size[..., :1]).log()
        return torch.cat([4 * boxes_cxcywh - 2, size.log(), 4 * corners - 2, area.sqrt(), shape], dim=-1)


class FoundTokens(nn.Module):
    """Turns each detection of a frozen detector into tokens: one of what it is, and one a frame of what is seen of it.

    The papers' scene attributes are box and embedding of the category's name; what the ViT saw in the box is added,
    since sentences speak of clothes.

    Args:
        channels: Of what was seen in a box. width: Of the tokens. names: Width of the names' embeddings.
        dropout: Of what was seen.
    """

    def __init__(self, channels: int, width: int, *, names: int, dropout: float) -> None:
        super().__init__()
        self.look = nn.Sequential(nn.LayerNorm(channels), nn.Dropout(dropout), nn.Linear(channels, width))
        self.geometry = nn.Sequential(mlp(12, width, width), nn.LayerNorm(width))
        self.name = nn.Linear(names, width)
        self.norm = nn.LayerNorm(width)
        self.body = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, width), nn.LayerNorm(width))

    def forward(self, seen: Tensor, boxes_cxcywh: Tensor, names: Tensor) -> Tensor:
        """Tokens (B, M, D) of what was seen (B, M, V) in boxes (B, M, 4) with named categories (B, M, E)."""
        return self.norm(self.look(seen) + self.geometry(RegionTokens.describe(boxes_cxcywh)) + self.name(names))

    def inside(self, seen: Tensor) -> Tensor:
        """Tokens (B, M, T, D) of what was seen in each box in every frame (B, T, M, V)."""
        return self.body(seen).transpose(1, 2)


class Looks(NamedTuple):
    """What pixels show of people.

    token: One each (..., D). seen: All that was read of them (..., ``LookEncoder.WIDTH``).
    actions: What that adds to their action logits (..., 80).
    """

    token: Tensor
    seen: Tensor
    actions: Tensor

    def of(self, people: Tensor) -> "Looks":
        """The same of those people alone for whom this is true (...)."""
        return Looks(self.token[people], self.seen[people], self.actions[people])


class LookEncoder(nn.Module):
    """Looks at each detected person in the pixels: MobileNetV2's first layers on a crop of the key frame of their own,
    and a few more layers on what changes at the same place from frame to frame.

    The frozen encoder sees the whole picture, was taught to tell things apart whatever their colour, and keeps no more
    than a cell every eight pixels; clothes, hair, faces and hands are smaller. These layers are trained on; those of
    the crop should begin with the encoder's weights, see :meth:`begin_with`. Differences of frames for motion are from
    temporal segment networks (Wang et al., 2016).

    Args:
        width: D, of the tokens. frames: Of a clip, T.
    """

    CROP = (96, 48)  # pixels down and across
    WIDEN = 1.1
    LAYERS, CHANNELS, STRIDE = 14, 96, 16
    WIDTH = 512  # numbers that all looks, actions and poses of a person are read from

    def __init__(self, width: int, *, frames: int, dropout: float) -> None:
        super().__init__()
        self.frames = frames
        self.features = nn.Sequential(*mobilenet_layers(self.LAYERS))
        steps = (1 + frames, 32, 32, 64, self.CHANNELS)
        self.changes = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(before, after, 3, 2, 1), nn.ReLU())
                for before, after in itertools.pairwise(steps)
            )
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):  # without batch norms, smaller weights would let everything fade away
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        cells = math.prod(side // self.STRIDE for side in self.CROP)
        self.out = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * self.CHANNELS * cells, self.WIDTH), nn.GELU())
        self.seen_norm = nn.LayerNorm(self.WIDTH)
        self.token = nn.Linear(self.WIDTH, width)
        self.norm = nn.LayerNorm(width)
        self.actions = silent(mlp(self.WIDTH, NUM_ACTIONS))

    def begin_with(self, encoder: nn.Module) -> None:
        """Take the weights of a :class:`~refatomnet.encoders.compact.CompactEncoder` to go on from."""
        given = encoder.get_submodule("features").state_dict()
        self.features.load_state_dict({name: given[name] for name in self.features.state_dict()})

    def forward(self, picture: Tensor, grey: Tensor, key: int, boxes_cxcywh: Tensor, mask: Tensor) -> Looks:
        """What is seen (B, P, …) of people in boxes (B, P, 4).

        In training, crops differ in light and tint, and only those of real people, by the ``mask`` (B, P), are looked
        at.

        Args:
            picture: The key frame (B, 3, H, W).
            grey: Lightness of every frame (B, T, H, W), or of the key frame alone (B, 1, H, W), where nothing changes.
            key: Index of the key frame among those.
            boxes_cxcywh: Where people are in it. mask: True where they are real.
        """
        own = grey[:, key : key + 1]
        boxes = torch.cat([boxes_cxcywh[..., :2], boxes_cxcywh[..., 2:] * self.WIDEN], dim=-1)
        shown = torch.cat([picture, own, (grey - own).expand(-1, self.frames, -1, -1)], dim=1)
        crops = sample_inside(shown, boxes, self.CROP).unflatten(2, (*self.CROP, shown.shape[1])).movedim(4, 2)
        if not self.training:
            return self._told(self.look(crops.flatten(0, 1)).unflatten(0, mask.shape))
        real = crops[mask]
        draw = {"device": real.device, "dtype": real.dtype}
        light, tint = torch.randn(2, len(real), 1, 1, 1, **draw) * 0.1, torch.randn(len(real), 3, 1, 1, **draw) * 0.05
        lit = torch.cat([light[1] + tint, light[1], torch.zeros_like(real[:, 4:, :1, :1])], dim=1)
        seen = self.look(real * (1 + light[0]) + lit)
        return self._told(seen.new_zeros(*mask.shape, seen.shape[-1]).masked_scatter(mask.unsqueeze(-1), seen))

    def look(self, crops: Tensor) -> Tensor:
        """What is read (N, ``WIDTH``) of crops (N, 4 + T, 96, 48): colours and lightness at the key frame, and how much
        lighter it is in every frame.
        """
        colours, changes = (
            part.contiguous(memory_format=torch.channels_last) for part in crops.tensor_split([3], dim=1)
        )
        read: Tensor = self.out(torch.cat([self.features(colours).flatten(1), self.changes(changes).flatten(1)], dim=1))
        return read

    def _told(self, read: Tensor) -> Looks:
        seen = self.seen_norm(read)
        return Looks(self.norm(self.token(read)), seen, self.actions(seen))


class FrameBoxes(nn.Module):
    """Where each person is in every frame: attention around where they are at the key frame, then a correction.

    Not in the papers, which box the key frame alone.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cue, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.log_sharpness = nn.Parameter(torch.tensor(5.0).log())
        self.log_reach = nn.Parameter(torch.zeros(()))  # how far from the key frame's box to look, in sizes of it
        self.shift = mlp(2 * width + 2, width, 5)

    def forward(self, cues: Tensor, moving: Tensor, maps: Tensor, boxes_cxcywh: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes cxcywh (B, P, T, 4), and logits that the person is in view (B, P, T).

        Args:
            cues: One token a person (B, P, D).
            moving: What they did, frame by frame (B, P, T, D).
            maps: Visual tokens on their grid (B, T, D, h, w).
            boxes_cxcywh: Where they are at the key frame (B, P, 4).
        """
        rows, columns = maps.shape[-2:]
        tokens = maps.flatten(3).transpose(2, 3)
        query, key = (functional.normalize(layer(x), dim=-1) for layer, x in ((self.cue, cues), (self.key, tokens)))
        likeness = torch.einsum("bpd,btnd->bptn", query, key) * self.log_sharpness.exp().clamp(max=100)
        centre, size = boxes_cxcywh[..., :2], boxes_cxcywh[..., 2:].clamp(min=1e-3)
        places = cell_centres(rows, columns, maps.device)
        away = (places - centre.unsqueeze(2)) / size.unsqueeze(2)  # (B, P, N, 2), in sizes of the box
        near = -0.5 * (away / self.log_reach.exp()).square().sum(-1)
        weight = (likeness + near.unsqueeze(2)).softmax(dim=-1)
        found = torch.einsum("bptn,btnd->bptd", weight, tokens)
        place = torch.einsum("bptn,nc->bptc", weight, places)
        moved = (place - centre.unsqueeze(2)) / size.unsqueeze(2)
        delta, seen = self.shift(torch.cat([moving, found, moved], dim=-1)).split([4, 1], dim=-1)
        here = torch.cat([place, boxes_cxcywh[..., 2:].unsqueeze(2).expand_as(place)], dim=-1)
        return shift_boxes(here, delta), seen.squeeze(-1)


class Layout(NamedTuple):
    """Where people and things of B clips are; boxes cxcywh in fractions of the canvas.

    boxes_cxcywh: Of people (B, P, 4). real: logits that each is a person, and boxed once (B, P).
    things, things_cxcywh, things_mask: Tokens (B, K, D) and boxes (B, K, 4); True where real (B, K).
    """

    boxes_cxcywh: Tensor
    real: Tensor
    things: Tensor
    things_cxcywh: Tensor
    things_mask: Tensor


class Counting(nn.Module):
    """How many people are on each side of each person: of everybody, and of kinds that people's tokens tell.

    Those who have read a sentence can tell of which kinds it speaks. Not in the papers. "Second from the left" and "the
    taller of the two women" are counts, which the averages of an attention lose.
    """

    KINDS = ("male", "female", "child", "adult", "man", "woman", "boy", "girl")  # what training says they tell
    MOST = 4  # from so many people on, numbers are not told apart
    STEPS = (0.015, 0.03, 0.08)  # differences of centre, lower edge and log height that put one clearly before another

    def __init__(self, width: int) -> None:
        super().__init__()
        self.kinds = nn.Linear(width, len(self.KINDS))
        ways = 2 * len(self.STEPS)
        self.tell = silent(mlp((1 + len(self.KINDS)) * (ways * (self.MOST + 1) + 1), width, width))

    def forward(self, people: Tensor, boxes_cxcywh: Tensor, real: Tensor) -> Tensor:
        """What to add to people (S, P, D) in boxes (S, P, 4), each real with a probability (S, P)."""
        real = real.unsqueeze(-1)
        kinds = torch.cat([real, self.kinds(people).sigmoid() * real], dim=-1)
        counts = torch.einsum("spqw,sqk->spwk", self.sides(boxes_cxcywh), kinds).clamp(max=self.MOST)
        numbers = torch.arange(self.MOST + 1, device=counts.device)
        near = (1 - (counts.unsqueeze(-1) - numbers).abs()).clamp(min=0)  # 1.3 is mostly one, and somewhat two
        return self.tell(torch.cat([near.flatten(2), kinds], dim=-1))

    def sides(self, boxes_cxcywh: Tensor) -> Tensor:
        """How surely the second of two people is left of, right of, below, above, taller and shorter than the first, by
        their boxes in the picture (S, P, P, 6); nobody is on a side of themselves.
        """
        x, y, _, height = boxes_cxcywh.unbind(-1)
        place = torch.stack([-x, y + height / 2, height.clamp(min=1e-3).log()], dim=-1)
        apart = (place.unsqueeze(1) - place.unsqueeze(2)) / place.new_tensor(self.STEPS)
        other = ~torch.eye(x.shape[1], dtype=torch.bool, device=x.device).unsqueeze(-1)
        return torch.stack([apart.sigmoid(), (-apart).sigmoid()], dim=-1).flatten(-2) * other


class PhraseMatch(nn.Module):
    """How surely people fit every part of a sentence; whoever fails one is out, however well they fit the others.

    Not in the papers. Each part has a gate, which picks what the words say of it; what that asks for is worked out of
    all the gate picked at once: "third" and "left" ask for somebody whom neither asks for alone. Of which topic each
    part is, and whom it is true of, training tells where it is known.
    """

    PARTS = (
        "noun", "top", "bottom", "worn", "hair", "side", "depth", "height", "relation", "facing", "action",
    )  # fmt: skip

    def __init__(self, width: int) -> None:
        super().__init__()
        self.read = nn.Sequential(mlp(width, 2 * width, width), nn.LayerNorm(width))
        self.gate = mlp(width, width, len(self.PARTS))
        self.name = nn.Parameter(torch.randn(len(self.PARTS), width) * 0.02)
        self.wanted = mlp(width, 2 * width, width + 1)
        nn.init.xavier_uniform_(cast("nn.Linear", self.wanted[-1]).weight)  # begun from nothing it learns far later
        self.shown = mlp(width, 2 * width, width)
        self.shown_compared = nn.Linear(width, width)

    def forward(
        self, people: Tensor, compared: Tensor, sentence: Tensor, mask: Tensor, looks: Tensor | None = None
    ) -> Tensor:
        """Logits that people fit each part of what words ask for (S, parts, P); a part they do not ask for fits all.

        Args:
            people: What each person shows (S, P, D). compared: What they found as they compared themselves (S, P, D).
            sentence: Words (S, L, D). mask: True where real (S, L).
            looks: What people's pixels add to what they show (S, P, D), where they are looked at.
        """
        words = self.read(sentence)
        weight = self.gate(words).masked_fill(~mask.unsqueeze(-1), -torch.inf).softmax(dim=1)
        phrases = torch.einsum("slk,sld->skd", weight, words) + self.name
        wanted, unasked = self.wanted(phrases).split([people.shape[-1], 1], dim=-1)
        shown = self.shown(people) + self.shown_compared(compared)
        if looks is not None:
            shown = shown + looks
        fits: Tensor = torch.einsum("skd,spd->skp", wanted, shown) / people.shape[-1] ** 0.5 + unasked
        return fits

    @staticmethod
    def score(fits: Tensor) -> Tensor:
        """Sum of the log-probabilities to fit every part (S, P); above one half each is above zero."""
        return (functional.logsigmoid(fits) + math.log(2)).sum(dim=1)


class PersonChoice(nn.Module):
    """Scores every detected person, and "nobody", against the sentence: they read it, its context and each other.

    Not in the papers, which regress a box: here runners-up are known, and "nobody" is an answer.

    Args:
        width: Of the tokens. layers: Rounds of reading. heads, dropout: Of every attention.
        context: Whether a fusion gives people something to read.
        relations: Whether people count who is on which side of them, see where others and things are from there, and
            must fit every part of it.
    """

    def __init__(
        self, width: int, *, layers: int, heads: int, dropout: float, context: bool, relations: bool = False
    ) -> None:
        super().__init__()

        def attention() -> CrossAttention:
            return CrossAttention(width, heads=heads, dropout=dropout)

        self.nobody = nn.Parameter(torch.randn(width) * 0.02)
        self.among = nn.ModuleList([attention() for _ in range(layers)])
        self.reading = nn.ModuleList([attention() for _ in range(layers)])
        if relations:
            self.ranking = Counting(width)
            self.counting = nn.ModuleList([Counting(width) for _ in range(layers)])
            self.lies = silent(mlp(5, width, width))
            self.match_compared = silent(mlp(width, width))
            self.phrases = PhraseMatch(width)
        if context:
            self.follow = attention()
        self.score = mlp(width, width, 1)
        self.match_person = nn.Linear(width, width)
        self.match_word = nn.Linear(width, width)
        self.match_gate = nn.Linear(width, 1)

    def forward(
        self,
        people: Tensor,
        people_mask: Tensor,
        sentence: Tensor,
        sentence_mask: Tensor,
        context: Tensor | None,
        layout: Layout | None = None,
        looks: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Scores of every person, then of "nobody" (S, P + 1); minus infinity where there is no person. And what
        :class:`PhraseMatch` says, if built with relations.

        Args:
            people: One token a person (S, P, D). people_mask: True where real (S, P).
            sentence: Words and sentence (S, L, D). sentence_mask: True where real (S, L).
            context: What a fusion gives people to read (S, K, D), or None if built without, or not to be read.
            layout: Where everyone and everything is, S = B · R, the first R sentences about the first clip; None if
                built without relations.
            looks: What people's pixels add for :class:`PhraseMatch` (S, P, D), where they are looked at.
        """
        mask = functional.pad(people_mask, (0, 1), value=True)
        compare = None
        if layout is not None:  # who is second from the left can be told before any sentence is read
            each = len(people) // len(layout.real)
            real = layout.real.sigmoid() * people_mask[::each]
            people = people + self.ranking(people[::each], layout.boxes_cxcywh, real).repeat_interleave(each, 0)
            compare = self._comparing(layout, real, mask)
        queries = torch.cat([people, self.nobody.expand(people.shape[0], 1, -1)], dim=1)
        for i, (among, reading) in enumerate(zip(self.among, self.reading, strict=True)):
            queries = reading(queries, sentence, context_mask=sentence_mask)
            queries = compare(i, queries) if compare else among(queries, queries, context_mask=mask)
        if context is not None:
            queries = self.follow(queries, context)
        scores = self.score(queries).squeeze(-1)
        person, compared, fits = self.match_person(people), queries[:, :-1], None
        if layout is not None:
            person = person + self.match_compared(compared)
        match = self._match(person, sentence, sentence_mask)
        if layout is not None:
            fits = self.phrases(people, compared, sentence, sentence_mask, looks)
            fits = fits.masked_fill(~people_mask.unsqueeze(1), 0.0)
            match = match + self.phrases.score(fits)
        scores = scores + functional.pad(match, (0, 1))
        return scores.masked_fill(~mask, -torch.inf), fits

    def _comparing(self, layout: Layout, real: Tensor, mask: Tensor) -> Callable[[int, Tensor], Tensor]:
        """The comparison of a round, of people and nobody (S, P + 1, D), in this layout, each real as likely (B, P)."""
        boxes = torch.cat([layout.boxes_cxcywh, layout.things_cxcywh], dim=1)
        lies = self.lies(Surroundings.describe(layout.boxes_cxcywh, boxes))
        lies = functional.pad(lies, (0, 0, 0, 1, 0, 1))  # nobody is nowhere
        people_cxcywh, real, things, there = (
            part.repeat_interleave(len(mask) // len(part), 0)
            for part in (layout.boxes_cxcywh, real, layout.things, layout.things_mask)
        )
        seen = torch.cat([mask[:, :-1], there, mask[:, -1:]], dim=1).unsqueeze(1)

        def compare(i: int, queries: Tensor) -> Tensor:
            people, nobody = queries[:, :-1], queries[:, -1:]
            people = people + self.counting[i](people, people_cxcywh, real)
            around = torch.cat([people, things, nobody], dim=1)
            among = cast("CrossAttention", self.among[i])
            return among.read_from(torch.cat([people, nobody], dim=1), around, lies, context_mask=seen)

        return compare

    def _match(self, person: Tensor, sentence: Tensor, mask: Tensor) -> Tensor:
        """How well what each person shows (S, P, D) goes with the words (S, L, D) that matter, summed (S, P).

        A product of the two learns "this colour, that colour" far sooner than a network of their sum.
        """
        weight = self.match_gate(sentence).squeeze(-1).masked_fill(~mask, -torch.inf).softmax(dim=1)
        wanted = torch.einsum("sl,sld->sd", weight, self.match_word(sentence))
        return torch.einsum("spd,sd->sp", person, wanted) / person.shape[-1] ** 0.5


class PlaceHead(nn.Module):
    """Finds the described person by place: is their middle in this cell of the picture, and what box is around it.

    Not in the papers. A person whom the detector missed can still be found.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.middle = mlp(width, width, 1)
        self.box = mlp(width, width, 4)

    def forward(self, cells: Tensor, rows: int, columns: int) -> tuple[Tensor, Tensor]:
        """Logit (S, C) and box cxcywh (S, C, 4) of every cell (S, C, D), C = rows · columns, row after row."""
        size = 0.3 * torch.ones(2, device=cells.device)  # about a person's, to begin with
        centres = cell_centres(rows, columns, cells.device)
        around = torch.cat([centres, size.expand_as(centres)], dim=-1).to(cells.dtype).expand(len(cells), -1, -1)
        return self.middle(cells).squeeze(-1), shift_boxes(around, self.box(cells))


class BranchHeads(nn.Module):
    """A box and an action head a branch, as both papers have them; their answers are averaged over the branches.

    The papers' widths but for the first: RefAtomNet++'s 256-128-4 and 256-128-80, and from more than 512 RefAtomNet's
    768-512-128-4 and 768-512-256-80; with GELU where the release has ReLU. Boxes are given one by one, as each is
    trained by itself.
    """

    def __init__(self, width: int, *, branches: int) -> None:
        super().__init__()
        box, action = ((512, 128), (512, 256)) if width > 512 else ((128,), (128,))
        self.box = nn.ModuleList([mlp(width, *box, 4) for _ in range(branches)])
        self.action = nn.ModuleList([mlp(width, *action, NUM_ACTIONS) for _ in range(branches)])

    def forward(self, branches: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """Boxes cxcywh of every branch (S, R, 4), and the mean of their action logits (S, 80)."""
        boxes = [head(feature).sigmoid() for head, feature in zip(self.box, branches, strict=True)]
        actions = [head(feature) for head, feature in zip(self.action, branches, strict=True)]
        return torch.stack(boxes, dim=1), torch.stack(actions).mean(0)


def cell_centres(rows: int, columns: int, device: torch.device) -> Tensor:
    """Centres of a grid's cells, x and y in fractions of the canvas (rows · columns, 2), row after row."""
    y, x = ((torch.arange(n, device=device) + 0.5) / n for n in (rows, columns))
    return torch.cartesian_prod(y, x).flip(-1)


def shift_boxes(boxes_cxcywh: Tensor, delta: Tensor) -> Tensor:
    """Move boxes (..., 4) by deltas (..., 4) in units of their size, and scale them by exponents (as R-CNN does).

    No step is longer than half a size, and no side grows or shrinks by more than a factor of e, so that a poor delta
    cannot throw a box out of the picture.
    """
    centre = boxes_cxcywh[..., :2] + 0.5 * torch.tanh(delta[..., :2]) * boxes_cxcywh[..., 2:]
    return torch.cat([centre, boxes_cxcywh[..., 2:] * torch.tanh(delta[..., 2:]).exp()], dim=-1)
