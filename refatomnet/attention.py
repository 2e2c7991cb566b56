"""The attention of both methods: agent attention (RefAtomNet) and semantic-aligned cross-attention (RefAtomNet++)."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class CrossAttention(nn.Module):
    """Queries read a context: multi-head attention and a GELU feed-forward (x4), each with residual and post-norm.

    The block of RefAtomNet++'s cross-attention; other readers here use it too.

    Args:
        width: Width D of queries and context; a multiple of ``heads``.
        heads: Of the attention.
        dropout: Share dropped of the attention weights and of what is added to the queries.
    """

    def __init__(self, width: int, *, heads: int, dropout: float) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.norm1 = nn.LayerNorm(width)
        self.ff = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.norm2 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, query: Tensor, context: Tensor, *, context_mask: Tensor | None = None) -> Tensor:
        """Let queries (B, Q, D) read a context (B, K, D); same shape as the queries out.

        ``context_mask`` (B, K) is true where the context is real; every row needs at least one such entry.
        """
        ignore = None if context_mask is None else ~context_mask
        read, _ = self.attn(query, context, context, key_padding_mask=ignore, need_weights=False)
        return self._add(query, read)

    def read_from(self, query: Tensor, context: Tensor, places: Tensor, *, context_mask: Tensor) -> Tensor:
        """The same, where each query sees the context from a place of its own.

        Args:
            query: (S, Q, D), S = B · R: the first R rows are about the first of B scenes, and so on.
            context: (S, K, D). context_mask: true where it is real, for all queries (S, 1, K) or each (S, Q, K).
            places: What is added to the context as each query sees it, the same in all R rows of a scene (B, Q, K, D).
        """
        heads, scenes = self.attn.num_heads, len(places)
        (to_query, *to_others), (shift, *shifts) = (
            part.chunk(3) for part in (self.attn.in_proj_weight, self.attn.in_proj_bias)
        )
        asked = functional.linear(query, to_query, shift).unflatten(-1, (heads, -1)).transpose(1, 2)
        (key, near_key), (value, near_value) = (
            (  # of the context (S, heads, K, d), and of places, worked out once a scene (B, heads, Q, K, d)
                functional.linear(context, weight, bias).unflatten(-1, (heads, -1)).transpose(1, 2),
                functional.linear(places, weight).unflatten(-1, (heads, -1)).permute(0, 3, 1, 2, 4),
            )
            for weight, bias in zip(to_others, shifts, strict=True)
        )

        def by_scene(rows: Tensor) -> Tensor:
            """(S, heads, Q, n) as (B, heads, Q, R, n): in all rows of a scene a query has the same place."""
            return rows.unflatten(0, (scenes, -1)).movedim(1, 3)

        def by_row(scene: Tensor) -> Tensor:
            return scene.movedim(3, 1).flatten(0, 1)

        # The context as every query sees it, (S, Q, K, D), is never there: most of the time would go into it.
        likeness = asked @ key.mT + by_row(by_scene(asked) @ near_key.mT)
        likeness = (likeness * asked.shape[-1] ** -0.5).masked_fill(~context_mask.unsqueeze(1), -torch.inf)
        weight = functional.dropout(likeness.softmax(-1), self.attn.dropout, self.training)
        read = weight @ value + by_row(by_scene(weight) @ near_value)
        return self._add(query, self.attn.out_proj(read.transpose(1, 2).flatten(2)))

    def _add(self, query: Tensor, read: Tensor) -> Tensor:
        """What was read, and what the feed-forward makes of it, each added."""
        x: Tensor = self.norm1(query + self.dropout(read))
        added: Tensor = self.norm2(x + self.dropout(self.ff(x)))
        return added


class AlignedCrossAttention(nn.Module):
    """One branch of the multi-hierarchical semantic-aligned cross-attention (RefAtomNet++).

    Visual queries read the scene, keyword and sentence level, each in a block of its own; what they read is added up.
    The paper averages over the queries first and adds then; the sum is the same.

    Args:
        width: Width D of queries and levels.
        levels: Which of "scene", "keyword" and "sentence" to read.
        heads: Of each block's attention; 8 in the release.
        dropout: As of :class:`CrossAttention`.
    """

    def __init__(self, width: int, *, levels: tuple[str, ...], heads: int, dropout: float) -> None:
        super().__init__()
        self.blocks = nn.ModuleDict({level: CrossAttention(width, heads=heads, dropout=dropout) for level in levels})

    def forward(self, query: Tensor, levels: dict[str, tuple[Tensor, Tensor | None]]) -> Tensor:
        """Read every level.

        Args:
            query: Visual tokens, averaged over space or over frames (B, Q, D).
            levels: For each of this branch's: tokens (B, K, D), and a mask (B, K) true where real, or None.

        Returns:
            The queries after reading, summed over the levels (B, Q, D); the branch's feature is their mean.
        """
        read = query.new_zeros(query.shape)
        for name, block in self.blocks.items():
            context, mask = levels[name]
            read = read + block(query, context, context_mask=mask)
        return read


class AgentAttention(nn.Module):
    """The two halves of agent attention (RefAtomNet, after Han et al., 2023): softmax(QAᵀ) and softmax(AKᵀ)V.

    A few learned agent tokens A stand between queries and keys. The halves are returned apart, since RefAtomNet fuses
    its streams between them.

    Args:
        width: Width D of the tokens; a multiple of ``heads``.
        agents: How many agent tokens; 4 in the release.
        heads: Each attends within its share of the width.
    """

    def __init__(self, width: int, *, agents: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.agents = nn.Parameter(torch.randn(agents, width) * 0.02)
        self.to_query, self.to_key, self.to_value = (nn.Linear(width, width) for _ in range(3))
        self.to_agent = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Attention of tokens (B, N, D) to the agents, and what the agents gathered from the tokens.

        Returns:
            Map (B, heads, N, agents), each row a soft-max over the agents; agent tokens (B, heads, agents, D / heads).
        """
        query, key, value = (self._split(layer(x)) for layer in (self.to_query, self.to_key, self.to_value))
        agents = self._split(self.to_agent(self.agents).expand(len(x), -1, -1))
        scale = query.shape[-1] ** -0.5
        to_agents = (query @ agents.transpose(2, 3) * scale).softmax(dim=-1)
        gathered = (agents @ key.transpose(2, 3) * scale).softmax(dim=-1) @ value
        return to_agents, gathered

    def spread(self, to_agents: Tensor, gathered: Tensor) -> Tensor:
        """Give every token what its agents gathered (B, N, D), from the halves of :meth:`forward` or fused."""
        return self.out((to_agents @ gathered).transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
