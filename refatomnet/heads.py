"""Detection head (scene attributes) and the box, action and choice heads."""

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from refatomnet.attention import CrossAttention
from refatomnet.boxes import cxcywh_to_xyxy, pairwise_iou

LOOK_GRID = (6, 4)  # sample points inside a detection's box on the key frame, down and across
TUBE_GRID = (4, 2)  # the same on every frame, on the coarse token map
LIMB_GRID = (6, 4)  # and on the fine map: hands, feet and what they hold


def mlp(*widths: int, activation: type[nn.Module] = nn.GELU) -> nn.Sequential:
    """Linear layers of these widths with an activation between them."""
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(itertools.pairwise(widths)):
        layers += ([activation()] if i else []) + [nn.Linear(before, after)]
    return nn.Sequential(*layers)


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

    logits: Score of each category (B, cells, C).
    boxes_cxcywh: Fractions of the canvas (B, cells, 4).
    centres: Cell centres, x and y in fractions of the canvas (cells, 2).
    """

    logits: Tensor
    boxes_cxcywh: Tensor
    centres: Tensor


@dataclass(frozen=True)
class Detections:
    """The scene attributes kept: people first, then things.

    boxes_cxcywh: (B, M, 4), fractions of the canvas. scores: (B, M). category: index (B, M). mask: True where real.
    """

    boxes_cxcywh: Tensor
    scores: Tensor
    category: Tensor
    mask: Tensor


class DetectionHead(nn.Module):
    """Anchor-free detection: every cell predicts category scores and the box around its own object (as FCOS does)."""

    def __init__(self, channels: int, *, categories: int) -> None:
        super().__init__()
        self.tower = nn.Sequential(SeparableBlock(channels), nn.GroupNorm(1, channels), nn.GELU())
        self.category = nn.Conv2d(channels, categories, 1)
        self.box = nn.Conv2d(channels, 4, 1)
        assert self.category.bias is not None and self.box.bias is not None
        nn.init.constant_(self.category.bias, -4.6)  # prior probability 0.01, so that the many empty cells start quiet
        nn.init.constant_(self.box.bias, -2.0)

    def forward(self, fine: Tensor) -> DenseDetections:
        """Predict from the fine map (B, channels, h, w)."""
        features = self.tower(fine)
        height, width = fine.shape[-2:]
        x = (torch.arange(width, device=fine.device) + 0.5) / width
        y = (torch.arange(height, device=fine.device) + 0.5) / height
        centres = torch.cartesian_prod(y, x).flip(-1)
        shift, size = self.box(features).flatten(2).transpose(1, 2).split(2, dim=-1)
        size = size.clamp(max=1).exp()
        centre = centres + 0.5 * torch.tanh(shift + 2.0) * size
        boxes = torch.cat([centre, size.clamp(max=1.5)], dim=-1)
        return DenseDetections(self.category(features).flatten(2).transpose(1, 2), boxes, centres)


@torch.no_grad()
def keep_best(dense: DenseDetections, *, people: int, things: int, overlap: float = 0.55) -> Detections:
    """Keep the best people and things by non-maximum suppression; always the same number, padded by the mask."""
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
    """Bilinear samples on a grid (rows, columns) inside each box (B, M, 4), flattened (B, M, C · rows · columns)."""
    y, x = ((torch.arange(n, device=features.device) + 0.5) / n - 0.5 for n in grid)
    offsets = torch.cartesian_prod(y, x).flip(-1)
    points = boxes_cxcywh[..., None, :2] + boxes_cxcywh[..., None, 2:] * offsets
    sampled = functional.grid_sample(features, 2 * points - 1, align_corners=False)
    return sampled.permute(0, 2, 3, 1).flatten(2)


class TubeTokens(nn.Module):
    """One token a detection and frame: what lies inside the detection's box there, somewhat widened.

    A retrieved token is one cell; limbs that wave or kick lie beside it, and are smaller than a cell.
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
    """What is around each person: they look at everyone and everything detected, by where it lies from them."""

    def __init__(self, width: int, *, heads: int, dropout: float) -> None:
        super().__init__()
        self.lies = mlp(5, width, width)
        self.look = CrossAttention(width, heads=heads, dropout=dropout)

    def forward(self, people: Tensor, around: Tensor, boxes_cxcywh: Tensor, mask: Tensor) -> Tensor:
        """Tokens (B, P, D) of people (B, P, D), the first P of the detections ``around`` (B, M, D) in boxes (B, M, 4).

        ``mask`` (B, M) is true where a detection is real. A person is among what they look at, so nobody sees nothing.
        """
        count = people.shape[1]
        context = around.unsqueeze(1) + self.lies(self.describe(boxes_cxcywh[:, :count], boxes_cxcywh))
        itself = torch.eye(count, around.shape[1], dtype=torch.bool, device=mask.device)
        seen = (mask.unsqueeze(1) | itself).flatten(0, 1)
        looked = self.look(people.reshape(-1, 1, people.shape[2]), context.flatten(0, 1), context_mask=seen)
        return looked.reshape(people.shape)

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
    """Turns each detection into one token: features inside its box, its geometry and its category."""

    def __init__(self, channels: int, width: int, *, categories: int, dropout: float) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(nn.Conv2d(channels, 64, 1), nn.GroupNorm(1, 64))
        self.look = nn.Sequential(nn.Dropout(dropout), nn.Linear(64 * math.prod(LOOK_GRID), width), nn.GELU())
        self.look_proj = nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width))
        self.geometry = nn.Sequential(mlp(12, width, width), nn.LayerNorm(width))
        self.category = nn.Embedding(categories, width)
        nn.init.normal_(self.category.weight, std=0.1)  # smaller than looks and geometry, or it would drown them
        self.norm = nn.LayerNorm(width)

    def forward(self, fine: Tensor, boxes_cxcywh: Tensor, category: Tensor) -> Tensor:
        """Describe boxes (B, M, 4) of categories (B, M) on the fine map (B, channels, h, w) as tokens (B, M, D)."""
        look = self.look(sample_inside(self.squeeze(fine), boxes_cxcywh, LOOK_GRID))
        place = self.geometry(self.describe(boxes_cxcywh))
        return self.norm(self.look_proj(look) + place + self.category(category))

    @staticmethod
    def describe(boxes_cxcywh: Tensor) -> Tensor:
        """Twelve numbers a box (B, M, 12): centre, size, its logarithm, corners, root of the area, shape."""
        corners = cxcywh_to_xyxy(boxes_cxcywh)
        size = boxes_cxcywh[..., 2:].clamp(min=1e-3)
        area = size.prod(-1, keepdim=True)
        shape = (size[..., 1:] / size[..., :1]).log()
        return torch.cat([4 * boxes_cxcywh - 2, size.log(), 4 * corners - 2, area.sqrt(), shape], dim=-1)
