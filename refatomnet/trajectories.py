"""Semantic retrieval: follow a word or a detection through the frames, and scan what it followed.

RefAtomNet++ (arXiv 2510.16444), "semantic-retrieval trajectories" and "multi-trajectory Mamba". Where we depart is said
with each class.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from refatomnet.mamba import Mamba


class Trajectories(NamedTuple):
    """What each cue followed.

    tokens: Picked visual tokens (B, K, T, D); zero for masked cues.
    index: Which token of each frame was picked (B, K, T).
    similarity: Cosine of every cue with every token, times a learned factor of at most 100 (B, K, T, N).
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
        pick: "hard", as above; "soft", the soft-max's mean in place of a pick; "random", hard in a space that stays as
            it was drawn, which is what the release trains.
        sharpness: Start value of the learned factor on the cosine.
    """

    def __init__(self, width: int, *, pick: str = "hard", sharpness: float = 10.0) -> None:
        super().__init__()
        self.pick = pick
        self.cue_proj: nn.Module = nn.Linear(width, width)
        self.token_proj: nn.Module = nn.Linear(width, width)
        self.log_sharpness = nn.Parameter(torch.tensor(float(sharpness)).log())
        if pick == "random":
            self.requires_grad_(False)

    def lengths(self, tokens: Tensor) -> Tensor:
        """How long each token (..., D) is in the shared space (...); the same for every sentence about a clip."""
        return self.token_proj(tokens).norm(dim=-1).clamp(min=1e-12)

    def forward(self, cues: Tensor, tokens: Tensor, lengths: Tensor, *, cue_mask: Tensor) -> Trajectories:
        """Follow each cue through the frames.

        Args:
            cues: Words or detections (B, K, D).
            tokens: Visual tokens (B, T, N, D).
            lengths: ``self.lengths`` of the tokens (B, T, N).
            cue_mask: True where a cue is real (B, K).

        Returns:
            The trajectories; rows of masked cues are zero.

        Raises:
            ValueError: If batch or width of cues and tokens differ.
        """
        if cues.shape[0] != tokens.shape[0] or cues.shape[-1] != tokens.shape[-1]:
            raise ValueError(f"cues {tuple(cues.shape)} do not go with tokens {tuple(tokens.shape)}")
        queries = functional.normalize(self.cue_proj(cues), dim=-1)
        shift = queries.new_zeros(queries.shape[:-1])
        if isinstance(self.token_proj, nn.Linear):
            # The few cues are brought to the many tokens: q · (W k + b) = (q W) · k + q · b.
            queries, shift = queries @ self.token_proj.weight, queries @ self.token_proj.bias
        cosine = (torch.einsum("bkd,btnd->bktn", queries, tokens) + shift[:, :, None, None]) / lengths.unsqueeze(1)
        similarity = cosine * self.log_sharpness.exp().clamp(max=100)
        index = similarity.argmax(dim=-1)
        weights = similarity.softmax(dim=-1)
        if self.pick != "soft":
            hard = torch.zeros_like(weights).scatter_(-1, index.unsqueeze(-1), 1.0)
            weights = hard if self.pick == "random" else hard + weights - weights.detach()
        weights = weights * cue_mask[:, :, None, None]
        return Trajectories(torch.einsum("bktn,btnd->bktd", weights, tokens), index, similarity)


class TrajectoryScan(nn.Module):
    """Mixes each sequence along time, pre-normed, with a residual; by a selective state-space layer, as the paper does.

    The release joins the trajectories of all cues end to end and scans once, so that cues leak into later ones; here
    each is scanned alone. Norm and residual are ours, so that a scan can be left out.

    Args:
        width: Width D of the sequences.
        state_size: States of the state-space layer.
        kind: "mamba", or in its place, for comparison, "lstm", "transformer" (causal) or "none".
    """

    def __init__(self, width: int, *, state_size: int, kind: str = "mamba") -> None:
        super().__init__()
        self.kind = kind
        if kind != "none":
            self.norm = nn.LayerNorm(width)
            mixers = {"lstm": _LSTM, "transformer": _CausalAttention}
            self.mixer = Mamba(width, d_state=state_size, expand=1) if kind == "mamba" else mixers[kind](width)

    def forward(self, sequence: Tensor) -> Tensor:
        """Scan along the last but one axis (..., T, D); same shape out."""
        if self.kind == "none":
            return sequence
        flat = sequence.reshape(-1, *sequence.shape[-2:])
        return (flat + self.mixer(self.norm(flat))).reshape(sequence.shape)


class _LSTM(nn.Module):
    """An LSTM of one layer (batch, T, D)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, width, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.lstm(x)
        return out


class _CausalAttention(nn.Module):
    """Self-attention (batch, T, D) to the present and the past, with sinusoidal places."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        length, width = x.shape[1:]
        rate = torch.exp(torch.arange(0, width, 2, device=x.device) * (-math.log(10_000.0) / width))
        angle = torch.arange(length, device=x.device).unsqueeze(1) * rate
        x = x + torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :width].to(x.dtype)
        later = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        out, _ = self.attn(x, x, x, attn_mask=later, need_weights=False)
        return out


def masked_mean(values: Tensor, mask: Tensor, dim: int) -> Tensor:
    """Mean of values along ``dim`` over entries where mask is true; zero where none is.

    ``mask`` has the leading shape of ``values`` up to and including ``dim``, which counts from the front.
    """
    weight = mask.to(values.dtype).reshape(*mask.shape, *[1] * (values.ndim - mask.ndim))
    return (values * weight).sum(dim) / weight.sum(dim).clamp(min=1)
