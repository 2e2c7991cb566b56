"""Where the tokens of a whole video lie between encoding and asking: in memory, or on disk when they are many."""

import math
import os
import tempfile
from dataclasses import fields, replace

import numpy as np
import torch
from torch import Tensor

from refatomnet.errors import VideoError
from refatomnet.fusion import ClipTokens

MEMORY_LIMIT = 512 * 2**20  # bytes of tokens kept in memory; about seventeen minutes at a key frame a second


class TokenShelf:
    """Room for the tokens of so many key frames; the large visual tokens are kept in half precision.

    Beyond ``MEMORY_LIMIT`` bytes they lie in an unnamed temporary file, reserved at once, that vanishes with the shelf.
    Not in the papers, which read clips of three seconds.

    Args:
        count: Key frames there is to be room for.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._room: ClipTokens | None = None

    def __len__(self) -> int:
        return self.count

    def put(self, begin: int, part: ClipTokens) -> None:
        """Keep the tokens of consecutive key frames, from the one with index ``begin``.

        Raises:
            VideoError: If the disk has no room for them.
        """
        part = replace(part, tokens=part.tokens.half())
        if self._room is None:
            self._room = _make_room(self.count, part)
        for field in fields(ClipTokens):
            values = getattr(part, field.name)
            getattr(self._room, field.name)[begin : begin + len(values)] = values.detach().cpu()

    def select(self, index: Tensor, *, device: str = "cpu") -> ClipTokens:
        """The tokens of these key frames (their indices, all of them put before), in that order, on a device."""
        assert self._room is not None
        part = self._room.select(index)
        return ClipTokens(**{f.name: getattr(part, f.name).to(device) for f in fields(ClipTokens)})


def _make_room(count: int, like: ClipTokens) -> ClipTokens:
    rows = {f.name: getattr(like, f.name)[0] for f in fields(ClipTokens)}
    total = count * sum(row.nbytes for row in rows.values())
    if total <= MEMORY_LIMIT:
        return ClipTokens(**{name: torch.empty(count, *row.shape, dtype=row.dtype) for name, row in rows.items()})
    return ClipTokens(
        **{name: _on_disk((count, *row.shape), row.detach().cpu().numpy().dtype) for name, row in rows.items()}
    )


def _on_disk(shape: tuple[int, ...], kind: np.dtype) -> Tensor:
    size = math.prod(shape) * kind.itemsize
    try:
        with tempfile.TemporaryFile(prefix="refatomnet-") as file:
            if hasattr(os, "posix_fallocate"):  # a full disk shows here, not as a crash when the pages are written
                os.posix_fallocate(file.fileno(), 0, size)
            return torch.from_numpy(np.memmap(file, dtype=kind, mode="w+", shape=shape))
    except OSError as error:
        raise VideoError(
            f"no room for {size / 2**30:.1f} GB of this video's features in {tempfile.gettempdir()} "
            f"({error.strerror}); give a longer stride or a shorter stretch of the video"
        ) from error
