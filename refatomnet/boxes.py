"""Box conversions and overlaps; the only place where box formats change.

Two formats exist: ``cxcywh`` (centre x, centre y, width, height) inside the model and ``xyxy`` (left, top, right,
bottom) at its edges. Both are in fractions of the frame unless a name says ``_px``.
"""

import torch
from torch import Tensor


def cxcywh_to_xyxy(box_cxcywh: Tensor) -> Tensor:
    """Centres and sizes (..., 4) to corners (..., 4), same unit."""
    cx, cy, width, height = box_cxcywh.unbind(-1)
    return torch.stack([cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2], dim=-1)


def xyxy_to_cxcywh(box_xyxy: Tensor) -> Tensor:
    """Corners (..., 4) to centres and sizes (..., 4), same unit."""
    x1, y1, x2, y2 = box_xyxy.unbind(-1)
    return torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], dim=-1)


def fraction_to_px(box_xyxy: Tensor, *, width: int, height: int) -> Tensor:
    """Corners in fractions of the frame (..., 4) to pixels, clamped to the frame."""
    scale = box_xyxy.new_tensor([width, height, width, height])
    return box_xyxy.clamp(0, 1) * scale


def area(box_xyxy: Tensor) -> Tensor:
    """Areas (...) of corner boxes (..., 4); inverted boxes have area 0."""
    size = (box_xyxy[..., 2:] - box_xyxy[..., :2]).clamp(min=0)
    return size[..., 0] * size[..., 1]


def iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """Intersection over union (...) of boxes that correspond one to one, or broadcast (..., 4)."""
    top_left = torch.maximum(a_xyxy[..., :2], b_xyxy[..., :2])
    bottom_right = torch.minimum(a_xyxy[..., 2:], b_xyxy[..., 2:])
    intersection = area(torch.cat([top_left, bottom_right], dim=-1))
    union = area(a_xyxy) + area(b_xyxy) - intersection
    return intersection / union.clamp(min=1e-9)


def pairwise_iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """Intersection over union (..., P, Q) of every box in (..., P, 4) with every box in (..., Q, 4)."""
    return iou(a_xyxy.unsqueeze(-2), b_xyxy.unsqueeze(-3))


def giou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """Generalised IoU (...) in [-1, 1] of corresponding boxes (..., 4) (Rezatofighi et al., 2019)."""
    top_left = torch.minimum(a_xyxy[..., :2], b_xyxy[..., :2])
    bottom_right = torch.maximum(a_xyxy[..., 2:], b_xyxy[..., 2:])
    hull = area(torch.cat([top_left, bottom_right], dim=-1)).clamp(min=1e-9)
    overlap = iou(a_xyxy, b_xyxy)
    union = (area(a_xyxy) + area(b_xyxy)) / (1 + overlap)
    return overlap - (hull - union) / hull
