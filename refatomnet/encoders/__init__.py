"""Frozen visual encoders behind one interface: pictures in, features out, of frames and of clips."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from refatomnet.config import ModelConfig
from refatomnet.errors import CheckpointError
from refatomnet.preprocess import Letterbox, to_pixels

Kind = TypeVar("Kind", bound="Features")


@dataclass(frozen=True)
class Features:
    """Tensors about frames or clips that are moved and stacked together; leading axes are whatever was given.

    every_frame: Which of a clip's are of every frame; the others are of the key frame or of the clip, and known once.
    """

    every_frame: ClassVar[tuple[str, ...]]

    def map(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The same with every tensor changed."""
        return type(self)(*(change(getattr(self, f.name)) for f in fields(self)))

    def to(self, device: torch.device | str) -> Self:
        """The same on another device."""
        return self.map(lambda part: part.to(device))

    @staticmethod
    def stack(parts: "list[Kind]") -> "Kind":
        """Features of several frames or clips along a new first axis."""
        kind = type(parts[0])
        return kind(*(torch.stack([getattr(p, f.name) for p in parts]) for f in fields(kind)))

    @property
    def frames(self) -> int:
        """How many frames T a clip has, of features (B, T, …) of clips."""
        return int(getattr(self, self.every_frame[0]).shape[1])

    def around(self, key: int) -> "Features":
        """What the model reads of clips (B, T, …) about the frame with index ``key``."""
        return self

    def kept(self, key: int) -> dict[str, Tensor]:
        """Of one clip (T, …), what a cache keeps."""
        raise NotImplementedError


@dataclass(frozen=True)
class FrameFeatures(Features):
    """Features of frames; the leading axes are M frames, or B clips by T frames.

    fine: Stride 8 (..., channels, H/8, W/8).
    middle: Stride 16 (..., channels, H/16, W/16).
    deep: Stride 32 (..., channels, H/32, W/32).
    picture: The normalised pixels themselves (..., 3, H, W); of a clip's frames, the key frame's alone will do.
    grey: Their mean over the colours (..., H, W).
    """

    every_frame = ("fine", "middle", "deep", "grey")

    fine: Tensor
    middle: Tensor
    deep: Tensor
    picture: Tensor
    grey: Tensor

    def kept(self, key: int) -> dict[str, Tensor]:
        """Of one clip (T, …), what a cache keeps: the pixels of the key frame alone."""
        every = {name: getattr(self, name) for name in self.every_frame}
        return every | {"picture": self.picture[key : key + 1]}


class Channels(NamedTuple):
    """Channels of the features at each stride."""

    fine: int
    middle: int
    deep: int


class VisualEncoder(nn.Module):
    """What every visual encoder is: frozen, and the same in training and evaluation mode."""

    def prepare(self, images: list[np.ndarray], letterbox: Letterbox) -> Tensor:
        """RGB frames, uint8 [H, W, 3], as the encoder takes them (M, 3, canvas height, canvas width)."""
        return to_pixels(images, letterbox)

    def forward(self, pixels: Tensor, *, key: int | None = None) -> Any:
        """Features of M prepared frames; with ``key``, of a clip that will be read about that frame alone."""
        raise NotImplementedError


class PublicEncoder(VisualEncoder):
    """A visual encoder of public models, which are fetched when first used and are no part of the module.

    stands_on: By part ("visual", "detector", "text"), the ``name`` of the weights and their ``sha256``, None as long as
        it is unknown: of a checkpoint or a cache, those that it was made with. Weights with another hash are refused.
    """

    stands_on: dict[str, dict[str, str | None]]

    def load(self, **download: Any) -> None:
        """Have everything at hand, fetched if need be.

        Args:
            download: How it is fetched: token, cache_dir, local_files_only.

        Raises:
            CheckpointError: If weights are missing, damaged, of other sizes, or others than what this stands on.
        """
        raise NotImplementedError

    def count(self) -> int:
        """How many numbers the public models carry."""
        raise NotImplementedError


def check_weights(expected: dict[str, Any], found: dict[str, Any]) -> None:
    """Refuse weights whose hash is another than the one expected, where both are known; by part, name and hash.

    Raises:
        CheckpointError: If some are.
    """
    for part in (part for part in expected if part in found):
        (wanted, name), (here, now) = ((own[part].get("sha256"), own[part].get("name")) for own in (expected, found))
        if wanted and here and wanted != here:
            told = f"({name!r}, sha256 {wanted[:12]}…, here {here[:12]}…)"
            raise CheckpointError(
                f"the {part} weights {now!r} are not those it was made with {told}; fetch those, or make it anew"
            )


def stored_features(config: ModelConfig) -> type[Features]:
    """The class of features of a clip that a config's model reads, as a cache keeps them."""
    if config.encoder == "blip2":
        from refatomnet.encoders.pretrained import ClipFeatures

        return ClipFeatures
    return FrameFeatures


def build_encoder(config: ModelConfig) -> VisualEncoder:
    """The visual encoder a config names, without its weights."""
    if config.encoder == "blip2":
        from refatomnet.encoders.pretrained import Blip2Encoder

        return Blip2Encoder(config)
    from refatomnet.encoders.compact import CompactEncoder

    return CompactEncoder()
