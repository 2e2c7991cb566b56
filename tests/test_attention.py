"""Attention written out with plain products of matrices."""

import pytest
import torch
from torch import Tensor

from refatomnet.attention import AgentAttention, AlignedCrossAttention, CrossAttention


@pytest.fixture(autouse=True)
def settled() -> None:
    """The same numbers each time; one thread, as on tiny work more only wait for each other."""
    torch.set_num_threads(1)
    torch.manual_seed(0)


def agent_attention(tokens: int = 7, *, heads: int = 2) -> tuple[AgentAttention, Tensor]:
    """Agent attention with agents that differ, and tokens (3, N, 6) to give it."""
    layer = AgentAttention(6, agents=4, heads=heads).eval()
    torch.nn.init.normal_(layer.agents)
    return layer, torch.randn(3, tokens, 6)


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_agent_attention_by_hand(heads: int) -> None:
    layer, x = agent_attention(heads=heads)
    to_agents, gathered = layer(x)
    size = 6 // heads
    assert to_agents.shape == (3, heads, 7, 4) and gathered.shape == (3, heads, 4, size)
    parts = []
    for clip in range(3):
        query, key, value = (x[clip] @ f.weight.T + f.bias for f in (layer.to_query, layer.to_key, layer.to_value))
        agent = layer.agents @ layer.to_agent.weight.T + layer.to_agent.bias
        rows = []
        for head in range(heads):
            q, k, v, a = (y[:, head * size : (head + 1) * size] for y in (query, key, value, agent))
            near = torch.softmax(q @ a.T / size**0.5, dim=1)  # every token's shares among the agents
            far = torch.softmax(a @ k.T / size**0.5, dim=1) @ v  # every agent's among the tokens
            torch.testing.assert_close(to_agents[clip, head], near)
            torch.testing.assert_close(gathered[clip, head], far)
            rows.append(near @ far)
        parts.append(torch.cat(rows, dim=1) @ layer.out.weight.T + layer.out.bias)
    torch.testing.assert_close(layer.spread(to_agents, gathered), torch.stack(parts))


def test_every_token_shares_itself_out_among_the_agents() -> None:
    layer, x = agent_attention()
    to_agents, _ = layer(x)
    torch.testing.assert_close(to_agents.sum(-1), torch.ones(3, 2, 7))
    assert (to_agents.sum(-2) - 1).abs().max() > 0.1


def test_tokens_in_another_order_gather_the_same() -> None:
    layer, x = agent_attention()
    order = torch.randperm(7)
    to_agents, gathered = layer(x)
    turned, same = layer(x[:, order])
    torch.testing.assert_close(same, gathered)
    torch.testing.assert_close(turned, to_agents[:, :, order])
    torch.testing.assert_close(layer.spread(turned, same), layer.spread(to_agents, gathered)[:, order])


def test_agents_and_all_projections_learn() -> None:
    layer, x = agent_attention()
    (layer.spread(*layer(x)) * torch.randn(3, 7, 6)).sum().backward()
    for name, value in layer.named_parameters():
        if name != "to_key.bias":  # it moves all tokens alike, of which a soft-max takes no notice
            assert value.grad is not None and value.grad.abs().max() > 1e-6, name


def test_cross_attention_by_hand() -> None:
    layer = CrossAttention(6, heads=2, dropout=0.5).eval()
    query, context = torch.randn(3, 5, 6), torch.randn(3, 4, 6)
    mask = torch.tensor([[True] * 4, [True, False, True, False], [False, False, False, True]])
    into, bias = layer.attn.in_proj_weight, layer.attn.in_proj_bias
    rows = []
    for clip in range(3):
        q = query[clip] @ into[:6].T + bias[:6]
        k, v = (context[clip][mask[clip]] @ into[i : i + 6].T + bias[i : i + 6] for i in (6, 12))
        read = [torch.softmax(q[:, s] @ k[:, s].T / 3**0.5, dim=1) @ v[:, s] for s in (slice(0, 3), slice(3, 6))]
        rows.append(torch.cat(read, dim=1) @ layer.attn.out_proj.weight.T + layer.attn.out_proj.bias)
    x = layer.norm1(query + torch.stack(rows))
    expected = layer.norm2(x + layer.ff(x))
    torch.testing.assert_close(layer(query, context, context_mask=mask), expected, atol=1e-5, rtol=0)
    assert layer.ff[0].out_features == 24  # four times the width


def test_what_is_masked_is_not_read() -> None:
    layer = CrossAttention(6, heads=2, dropout=0.0).eval()
    query, context = torch.randn(2, 5, 6), torch.randn(2, 4, 6)
    mask = torch.tensor([[True, True, False, False], [True, False, False, False]])
    other = context.masked_fill(~mask.unsqueeze(-1), 1e3)
    expected = layer(query, context, context_mask=mask)
    torch.testing.assert_close(layer(query, other, context_mask=mask), expected)
    torch.testing.assert_close(layer(query[:1], context[:1, :2]), expected[:1])


def test_levels_are_read_in_blocks_of_their_own_and_added_up() -> None:
    names = ("scene", "keyword", "sentence")
    branch = AlignedCrossAttention(6, levels=names, heads=2, dropout=0.0).eval()
    query = torch.randn(2, 5, 6)
    mask = torch.tensor([[True, True, False], [True, False, False]])
    levels = {"scene": (torch.randn(2, 4, 6), None), "keyword": (torch.randn(2, 8, 6), None)}
    levels["sentence"] = (torch.randn(2, 3, 6), mask)
    each = [branch.blocks[n](query, levels[n][0], context_mask=levels[n][1]) for n in names]
    torch.testing.assert_close(branch(query, levels), each[0] + each[1] + each[2])
    one = AlignedCrossAttention(6, levels=("sentence",), heads=2, dropout=0.0).eval()
    one.blocks["sentence"].load_state_dict(branch.blocks["sentence"].state_dict())
    torch.testing.assert_close(one(query, levels), each[2])


def test_a_query_reads_the_context_from_its_own_place() -> None:
    block = CrossAttention(8, heads=2, dropout=0.0).eval()
    query, context, places = torch.randn(6, 3, 8), torch.randn(6, 5, 8), torch.randn(2, 3, 5, 8)
    mask = torch.rand(6, 5) > 0.3
    mask[:, 0] = True
    read = block.read_from(query, context, places, context_mask=mask.unsqueeze(1))
    for row in range(6):
        for i in range(3):
            seen = context[row] + places[row // 3, i]
            alone = block(query[row : row + 1, i : i + 1], seen.unsqueeze(0), context_mask=mask[row : row + 1])
            torch.testing.assert_close(read[row, i], alone[0, 0], atol=1e-5, rtol=1e-5)
