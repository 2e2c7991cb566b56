"""Where the tokens of a whole video lie between encoding and asking: in memory, or on disk when they are many."""

import mmap
import os
import tempfile
from dataclasses import fields, replace
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from refatomnet.errors import VideoError
from refatomnet.heap import give_back

MEMORY_LIMIT = 32 * 2**20  # bytes of tokens kept in memory; about a minute at a key frame a second


class Tokens(Protocol):
    """A dataclass of tensors about key frames, a row each; the large ones are ``tokens``."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def tokens(self) -> Tensor: ...

    def select(self, index: Tensor) -> Any:
        """The rows with these indices, in that order."""


class TokenShelf:
    """Room for the tokens of so many key frames; the large visual tokens are kept in half precision.

    Beyond ``MEMORY_LIMIT`` bytes they lie in an unnamed temporary file, reserved at once, that vanishes with the shelf.
    Not in the papers, which read clips of three seconds.

    Args:
        count: Key frames there is to be room for.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._room: Tokens | None = None
        self._files: list[mmap.mmap] = []

    def __len__(self) -> int:
        return self.count

    def put(self, begin: int, part: Tokens) -> None:
        """Keep the tokens of consecutive key frames, from the one with index ``begin``.

        Raises:
            VideoError: If the disk has no room for them.
        """
        part = replace(part, tokens=part.tokens.half())
        if self._room is None:
            self._room = self._make_room(part)
        for field in fields(part):
            values = getattr(part, field.name)
            getattr(self._room, field.name)[begin : begin + len(values)] = values.detach().cpu()
        self._let_go()
        if self._files:  # what little is kept of every key frame lies between large tensors that come and go
            give_back()

    def select(self, index: Tensor, *, device: str = "cpu") -> Tokens:
        """The tokens of these key frames (their indices, all of them put before), in that order, on a device."""
        assert self._room is not None
        part = self._room.select(index)
        self._let_go()
        return type(part)(**{f.name: getattr(part, f.name).to(device) for f in fields(part)})

    def _make_room(self, like: Tokens) -> Tokens:
        rows = {f.name: getattr(like, f.name)[0] for f in fields(like)}
        total = self.count * sum(row.nbytes for row in rows.values())
        if total <= MEMORY_LIMIT:
            return type(like)(
                **{name: torch.empty(self.count, *row.shape, dtype=row.dtype) for name, row in rows.items()}
            )
        return type(like)(**{name: self._on_disk(row.detach().cpu().numpy()) for name, row in rows.items()})

    def _on_disk(self, row: np.ndarray) -> Tensor:
        size = self.count * row.nbytes
        try:
            with tempfile.TemporaryFile(prefix="refatomnet-") as file:
                if hasattr(os, "posix_fallocate"):  # a full disk shows here, not as a crash when the pages are written
                    os.posix_fallocate(file.fileno(), 0, size)
                else:
                    file.truncate(size)
                self._files.append(mmap.mmap(file.fileno(), size))
        except OSError as error:
            raise VideoError(
                f"no room for {size / 2**30:.1f} GB of this video's features in {tempfile.gettempdir()} "
                f"({error.strerror}); give a longer stride or a shorter stretch of the video"
            ) from error
        return torch.from_numpy(np.frombuffer(self._files[-1], row.dtype).reshape(self.count, *row.shape))

    def _let_go(self) -> None:
        """Leave what lies in files to the system's cache, so that long videos take no more than short ones."""
        for file in self._files:
            if hasattr(mmap, "MADV_DONTNEED"):
                file.madvise(mmap.MADV_DONTNEED)
