"""Semantic retrieval: follow a word or a detection through the frames (RefAtomNet++, multi-trajectory retrieval)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from refatomnet.mamba import Mamba


class Trajectories(NamedTuple):
    """What each cue followed.

    tokens: Picked visual tokens (B, K, T, D); zero for masked cues.
    index: Which token of each frame was picked (B, K, T).
    similarity: Scaled cosine of every cue with every token (B, K, T, N).
    """

    tokens: Tensor
    index: Tensor  # type: ignore[assignment]  # hides the tuple's own method, which nobody needs here
    similarity: Tensor


class SemanticRetrieval(nn.Module):
    """Picks, in every frame, the visual token nearest to each cue in a learned shared space.

    The pick is hard in the forward pass; its gradient is that of the soft-max over the frame's tokens
    (straight-through), so the projections learn. The released code gives them none.

    Args:
        width: Width D of cues and tokens.
        sharpness: Start value of the learned factor on the cosine.
    """

    def __init__(self, width: int, *, sharpness: float = 10.0) -> None:
        super().__init__()
        self.cue_proj: nn.Module = nn.Linear(width, width)
        self.token_proj: nn.Module = nn.Linear(width, width)
        self.log_sharpness = nn.Parameter(torch.tensor(float(sharpness)).log())

    def keys(self, tokens: Tensor) -> Tensor:
        """Unit vectors (..., D) of tokens in the shared space; the same for every sentence about a clip."""
        return functional.normalize(self.token_proj(tokens), dim=-1)

    def forward(self, cues: Tensor, tokens: Tensor, keys: Tensor, *, cue_mask: Tensor) -> Trajectories:
        """Follow each cue through the frames.

        Args:
            cues: Words or detections (B, K, D).
            tokens: Visual tokens (B, T, N, D).
            keys: ``self.keys`` of the tokens to search (B, T, N, D).
            cue_mask: True where a cue is real (B, K).

        Returns:
            The trajectories; rows of masked cues are zero.

        Raises:
            ValueError: If batch or width of cues and tokens differ.
        """
        if cues.shape[0] != tokens.shape[0] or cues.shape[-1] != tokens.shape[-1]:
            raise ValueError(f"cues {tuple(cues.shape)} do not go with tokens {tuple(tokens.shape)}")
        queries = functional.normalize(self.cue_proj(cues), dim=-1)
        cosine = torch.einsum("bkd,btnd->bktn", queries, keys)
        similarity = cosine * self.log_sharpness.exp().clamp(max=100)
        weights = similarity.softmax(dim=-1)
        index = similarity.argmax(dim=-1)
        hard = torch.zeros_like(weights).scatter_(-1, index.unsqueeze(-1), 1.0)
        weights = hard + weights - weights.detach()
        weights = weights * cue_mask[:, :, None, None]
        return Trajectories(torch.einsum("bktn,btnd->bktd", weights, tokens), index, similarity)


class TrajectoryMamba(nn.Module):
    """Scans each cue's trajectory along time with a selective state-space layer, pre-normed, with a residual.

    The release joins the cues end to end and scans once, so cues leak into later ones; here each is scanned alone.
    """

    def __init__(self, width: int, *, state_size: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mamba = Mamba(width, d_state=state_size, expand=1)

    def forward(self, sequence: Tensor) -> Tensor:
        """Scan along the last but one axis (..., T, D); same shape out."""
        flat = sequence.reshape(-1, *sequence.shape[-2:])
        return (flat + self.mamba(self.norm(flat))).reshape(sequence.shape)


def masked_mean(values: Tensor, mask: Tensor, dim: int) -> Tensor:
    """Mean of values along ``dim`` over entries where mask is true; zero where none is.

    ``mask`` has the leading shape of ``values`` up to and including ``dim``.
    """
    weight = mask.to(values.dtype).reshape(*mask.shape, *[1] * (values.ndim - mask.ndim))
    return (values * weight).sum(dim) / weight.sum(dim).clamp(min=1)
