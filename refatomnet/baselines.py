"""What RefAtomNet++ is compared with: its predecessor RefAtomNet (arXiv 2407.01872) and a plain fusion.

Both see, and are asked, through the interface of :class:`refatomnet.fusion.Fusion`, so that only the fusion differs.
"""

import torch
from torch import Tensor, nn

from refatomnet.attention import AgentAttention, CrossAttention
from refatomnet.config import ModelConfig
from refatomnet.fusion import ClipTokens, Fused, Fusion, Seen, Sentence, pool_maps
from refatomnet.heads import mlp
from refatomnet.trajectories import masked_mean


class _Unfollowed(Fusion):
    """Looks at a clip without following anything: detections are what lies in their boxes."""

    branches = 1

    def see(self, maps: Tensor, cues: Tensor, inside: Tensor, mask: Tensor) -> Seen:
        """Average the visual tokens over space and over frames; the scene level is the detections themselves."""
        pooled = pool_maps(maps)
        return Seen(inside, pooled.mean(dim=2), pooled.mean(dim=1), cues, mask, maps.new_zeros(len(maps), 0, 0), None)


class RefAtomNet(_Unfollowed):
    """Three token streams, agent attention in each, and two fusions across them (arXiv 2407.01872).

    Its sections "agent attention" and "cross-stream fusion", once of attention maps and once of agent tokens; 4 agents,
    as in the release. The visual stream is averaged over frames, as in the paper.

    The paper's streams have 32 tokens each, the Q-Former's; here as many learned queries read each stream, so that
    attention maps of the three can be added. "Agent tokens" are taken as what the agents gathered, softmax(AKᵀ)V: the
    learned agents themselves say nothing about a clip. The paper's deeper heads
    (768-512-128-4 and 768-512-256-80) are those of any fusion as wide, see :class:`~refatomnet.heads.BranchHeads`.
    """

    STREAMS = ("visual", "text", "scene")
    TOKENS, AGENTS = 32, 4

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, heads = config.width, config.heads
        self.queries = nn.ParameterDict({s: nn.Parameter(torch.randn(self.TOKENS, width)) for s in self.STREAMS})
        self.read = nn.ModuleDict({s: CrossAttention(width, heads=heads, dropout=config.dropout) for s in self.STREAMS})
        self.agent = nn.ModuleDict({s: AgentAttention(width, agents=self.AGENTS, heads=heads) for s in self.STREAMS})
        self.norm = nn.ModuleDict({s: nn.LayerNorm(width) for s in self.STREAMS})

    def forward(self, tokens: Tensor, clip: ClipTokens, sentence: Sentence) -> Fused:
        """Mean of the three streams after agent attention, the visual one gated by the other two.

        The one branch is that mean over its 32 tokens; people read the tokens (S, 32, D) themselves.
        """
        given = {
            "visual": (clip.spatial, None),
            "text": (sentence.tokens, sentence.mask),
            "scene": (clip.scene, clip.scene_mask),
        }
        streams, maps, gathered = {}, {}, {}
        for name, (stream, mask) in given.items():
            queries = self.queries[name].expand(len(stream), -1, -1)
            streams[name] = self.read[name](queries, stream, context_mask=mask)
            maps[name], gathered[name] = self.agent[name](streams[name])
        maps["visual"] = gate(maps["visual"], maps["text"] + maps["scene"])
        gathered["visual"] = gate(gathered["visual"], gathered["text"] + gathered["scene"])
        out = [self._finish(name, x, maps[name], gathered[name]) for name, x in streams.items()]
        fused = torch.stack(out).mean(dim=0)
        feature = fused.mean(dim=1)
        return Fused((feature,), clip.spatial + feature.unsqueeze(1), fused, None)

    def _finish(self, stream: str, x: Tensor, to_agents: Tensor, gathered: Tensor) -> Tensor:
        """A stream (S, 32, D) with what its agents gathered for each token added, normalised."""
        agent = self.agent[stream]
        assert isinstance(agent, AgentAttention)
        return self.norm[stream](x + agent.spread(to_agents, gathered))


def gate(own: Tensor, others: Tensor) -> Tensor:
    """RefAtomNet's cross-stream fusion of an attention map or of agent tokens (..., tokens, channels).

    The mean of three versions: itself, gated by a soft-max over the channels of the other two streams' sum, and by one
    over its tokens. ``others`` is that sum, of the same shape.
    """
    return (own + own * others.softmax(dim=-1) + own * others.softmax(dim=-2)) / 3


class PlainFusion(_Unfollowed):
    """The same inputs averaged, put side by side and passed through two layers."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.mix = mlp(3 * config.width, 2 * config.width, config.width)

    def forward(self, tokens: Tensor, clip: ClipTokens, sentence: Sentence) -> Fused:
        """One feature a sentence, of the mean visual token, the mean word and the mean detection."""
        text = masked_mean(sentence.tokens, sentence.mask, dim=1)
        scene = masked_mean(clip.scene, clip.scene_mask, dim=1)
        feature = self.mix(torch.cat([clip.spatial.mean(dim=1), text, scene], dim=-1))
        return Fused((feature,), clip.spatial + feature.unsqueeze(1), feature.unsqueeze(1), None)
