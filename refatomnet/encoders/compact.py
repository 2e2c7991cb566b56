"""The shipped visual encoder: MobileNetV2 (Sandler et al., 2018), read at four depths, with colours kept beside.

The papers take BLIP-2's ViT and the 32 tokens a frame of its Q-Former; this runs on a CPU, and its features lie on a
grid, so that tokens have a place. Batch norms are folded into the convolutions, which halves the time on a CPU; the
network is frozen anyway.
"""

from dataclasses import fields

import torch
from torch import Tensor, nn
from torch.nn import functional

from refatomnet.encoders import Channels, FrameFeatures, VisualEncoder

# (expansion, channels, repeats, first stride) of each stage; table 2 of the MobileNetV2 paper.
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
_AT_ONCE = 2  # frames a pass on a CPU: more do not fit into its cache and take half as long again
_TAPS = {3: "quarter", 6: "eighth", 13: "sixteenth", 17: "thirtysecond"}

# Fine: two early depths and the colours of 4x4 pixel patches. Middle: one depth and the mean colour. Deep: one depth.
CHANNELS = Channels(fine=24 + 32 + 12, middle=96 + 3, deep=320)


class _Residual(nn.Module):
    """Inverted residual: expand 1x1, depthwise 3x3, project 1x1; the input is added where shapes allow."""

    def __init__(self, channels: int, out: int, *, expansion: int, stride: int) -> None:
        super().__init__()
        inner = channels * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers += [nn.Conv2d(channels, inner, 1), nn.ReLU6(inplace=True)]
        layers += [nn.Conv2d(inner, inner, 3, stride, 1, groups=inner), nn.ReLU6(inplace=True)]
        layers.append(nn.Conv2d(inner, out, 1))
        self.conv = nn.Sequential(*layers)
        self.adds = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.adds else self.conv(x)


def mobilenet_layers(count: int) -> list[nn.Module]:
    """The first layers of MobileNetV2, batch norms folded; 14 of them end in 96 channels at stride 16."""
    layers: list[nn.Module] = [nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU6(inplace=True))]
    channels = 32
    for expansion, out, repeats, first_stride in _STAGES:
        for i in range(repeats):
            stride = first_stride if i == 0 else 1
            layers.append(_Residual(channels, out, expansion=expansion, stride=stride))
            channels = out
    return layers[:count]


class CompactEncoder(VisualEncoder):
    """MobileNetV2 without its classifier, frozen: never given a gradient; it has no mode-dependent parts."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(*mobilenet_layers(1 + sum(repeats for _, _, repeats, _ in _STAGES)))
        self.requires_grad_(False)

    @torch.no_grad()
    def forward(self, pixels: Tensor, *, key: int | None = None) -> FrameFeatures:
        """Encode normalised RGB frames (M, 3, H, W), H and W multiples of 32; channels as of ``CHANNELS``."""
        if pixels.device.type == "cpu" and len(pixels) > _AT_ONCE:
            parts = [self(part) for part in pixels.split(_AT_ONCE)]
            return FrameFeatures(*(torch.cat([getattr(p, f.name) for p in parts]) for f in fields(FrameFeatures)))
        x, taps = pixels.contiguous(memory_format=torch.channels_last), {}
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in _TAPS:
                taps[_TAPS[i]] = x
        colours = functional.pixel_unshuffle(functional.avg_pool2d(pixels, 4), 2)
        fine = torch.cat([functional.avg_pool2d(taps["quarter"], 2), taps["eighth"], colours], dim=1)
        middle = torch.cat([taps["sixteenth"], functional.avg_pool2d(pixels, 16)], dim=1)
        return FrameFeatures(fine, middle, taps["thirtysecond"], pixels, pixels.mean(dim=1))
