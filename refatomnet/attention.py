"""Semantic-aligned cross-attention (RefAtomNet++, multi-hierarchical semantic-aligned cross-attention)."""

from torch import Tensor, nn


class CrossAttention(nn.Module):
    """Queries read a context: multi-head attention and a GELU feed-forward (x4), each with residual and post-norm."""

    def __init__(self, width: int, *, heads: int, dropout: float) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.norm1 = nn.LayerNorm(width)
        self.ff = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.norm2 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, query: Tensor, context: Tensor, *, context_mask: Tensor | None = None) -> Tensor:
        """Let queries (B, Q, D) read a context (B, K, D).

        ``context_mask`` (B, K) is true where the context is real; every row needs at least one such entry.
        """
        ignore = None if context_mask is None else ~context_mask
        read, _ = self.attn(query, context, context, key_padding_mask=ignore, need_weights=False)
        x = self.norm1(query + self.dropout(read))
        return self.norm2(x + self.dropout(self.ff(x)))


class AlignedCrossAttention(nn.Module):
    """One branch: its visual queries read the scene, keyword and sentence level, each in a block of its own."""

    LEVELS = ("scene", "keyword", "sentence")

    def __init__(self, width: int, *, heads: int, dropout: float) -> None:
        super().__init__()
        self.blocks = nn.ModuleDict(
            {level: CrossAttention(width, heads=heads, dropout=dropout) for level in self.LEVELS}
        )

    def forward(self, query: Tensor, levels: dict[str, tuple[Tensor, Tensor | None]]) -> Tensor:
        """Read every level, pool over the queries, add up.

        Args:
            query: Visual tokens, averaged over space or over frames (B, Q, D).
            levels: For each of ``LEVELS``: tokens (B, K, D), and a mask (B, K) true where real, or None.

        Returns:
            The branch's feature (B, D).
        """
        feature = query.new_zeros(query.shape[0], query.shape[2])
        for name, block in self.blocks.items():
            context, mask = levels[name]
            feature = feature + block(query, context, context_mask=mask).mean(dim=1)
        return feature
