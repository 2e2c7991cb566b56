"""Frozen visual encoders behind one interface: normalised frames in, features at three strides out."""

from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class FrameFeatures:
    """Features of frames; the leading axes are whatever was given (M frames, or B clips by T frames).

    fine: Stride 8 (..., channels, H/8, W/8).
    middle: Stride 16 (..., channels, H/16, W/16).
    deep: Stride 32 (..., channels, H/32, W/32).
    picture: The normalised pixels themselves (..., 3, H, W); of a clip's frames, the key frame's alone will do.
    """

    fine: Tensor
    middle: Tensor
    deep: Tensor
    picture: Tensor

    def to(self, device: torch.device | str) -> "FrameFeatures":
        """The same on another device."""
        return FrameFeatures(*(getattr(self, f.name).to(device) for f in fields(self)))

    @staticmethod
    def stack(parts: "list[FrameFeatures]") -> "FrameFeatures":
        """Features of several frames or clips along a new first axis."""
        return FrameFeatures(*(torch.stack([getattr(p, f.name) for p in parts]) for f in fields(FrameFeatures)))


class Channels(NamedTuple):
    """Channels of the features at each stride."""

    fine: int
    middle: int
    deep: int


class VisualEncoder(nn.Module):
    """What every visual encoder is: frozen, and the same in training and evaluation mode.

    channels: Of what it returns.
    """

    channels: Channels

    def forward(self, pixels: Tensor) -> FrameFeatures:
        """Encode normalised RGB frames (M, 3, H, W), H and W multiples of 32."""
        raise NotImplementedError


def build_encoder(name: str) -> VisualEncoder:
    """The visual encoder a config names, without its weights.

    Raises:
        ValueError: If the name is unknown.
    """
    if name == "compact":
        from refatomnet.encoders.compact import CompactEncoder

        return CompactEncoder()
    raise ValueError(f"unknown visual encoder {name!r}, expected 'compact'")
