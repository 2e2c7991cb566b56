"""RefAtomNet and the plain fusion, written out by hand."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from test_model import TINY, few_people, numbered_maps, random_features, random_text, tiny_model
from torch import Tensor

from refatomnet.baselines import PlainFusion, RefAtomNet, gate
from refatomnet.fusion import ClipTokens, Fused, Fusion, Sentence, sentence_tokens
from refatomnet.model import RavarModel


@pytest.fixture(autouse=True)
def settled() -> None:
    """The same numbers each time; one thread, as on tiny work more only wait for each other."""
    torch.set_num_threads(1)
    torch.manual_seed(0)


def asked(architecture: str, *, people: int = 3) -> tuple[RavarModel, ClipTokens, Sentence]:
    """A model of that architecture, two clips, and two sentences about each in the model's width."""
    model = tiny_model(architecture=architecture)
    clip, _ = model.encode_clips(random_features(2), choose=few_people(2, people=people))
    text = random_text(4)
    return (
        model,
        clip,
        sentence_tokens(model.word_proj(text.states), model.sentence_proj(text.sentence), text.mask, text.keywords),
    )


# ---- the gate -----------------------------------------------------------------------------------------------------
def test_the_gate_by_hand() -> None:
    """Two tokens of three channels, so that neither axis can stand for the other."""
    own = torch.tensor([[1.0, 2, 3], [4, 5, 6]])
    others = torch.tensor([[0.0, math.log(2), math.log(5)], [math.log(3), math.log(2), 0]])
    channels = torch.tensor([[1 / 8, 2 / 8, 5 / 8], [3 / 6, 2 / 6, 1 / 6]])  # each row shared out
    tokens = torch.tensor([[1 / 4, 2 / 4, 5 / 6], [3 / 4, 2 / 4, 1 / 6]])  # each column shared out
    expected = (own + own * channels + own * tokens) / 3
    torch.testing.assert_close(gate(own, others), expected)
    torch.testing.assert_close(gate(own.expand(2, 4, 2, 3), others.expand(2, 4, 2, 3)), expected.expand(2, 4, 2, 3))


def test_indifferent_streams_gate_evenly() -> None:
    own = torch.randn(2, 5, 3)
    torch.testing.assert_close(gate(own, torch.zeros(2, 5, 3)), own * (1 + 1 / 3 + 1 / 5) / 3)


# ---- RefAtomNet ---------------------------------------------------------------------------------------------------
def by_hand(fusion: RefAtomNet, clip: ClipTokens, sentence: Sentence, *, row: int) -> Tensor:
    """The fused tokens of one sentence about one clip (B = S = 1), head after head (32, D)."""
    heads, size = TINY.heads, TINY.width // TINY.heads
    given = {
        "visual": clip.spatial[row // 2],
        "text": sentence.tokens[row][sentence.mask[row]],
        "scene": clip.scene[row // 2][clip.scene_mask[row // 2]],
    }
    x, maps, agents = {}, {}, {}
    for name, tokens in given.items():
        x[name] = fusion.read[name](fusion.queries[name].unsqueeze(0), tokens.unsqueeze(0))[0]
        part = fusion.agent[name]
        maps[name], agents[name] = [], []
        for head in range(heads):
            own = slice(head * size, (head + 1) * size)
            q, k, v = (layer(x[name])[:, own] for layer in (part.to_query, part.to_key, part.to_value))
            a = part.to_agent(part.agents)[:, own]
            maps[name].append(torch.softmax(q @ a.T / size**0.5, dim=1))
            agents[name].append(torch.softmax(a @ k.T / size**0.5, dim=1) @ v)
    for parts in (maps, agents):
        for head in range(heads):
            own, others = parts["visual"][head], parts["text"][head] + parts["scene"][head]
            by_channel = torch.exp(others) / torch.exp(others).sum(1, keepdim=True)
            by_token = torch.exp(others) / torch.exp(others).sum(0, keepdim=True)
            parts["visual"][head] = (own + own * by_channel + own * by_token) / 3
    out = []
    for name in given:
        part = fusion.agent[name]
        spread = torch.cat([m @ a for m, a in zip(maps[name], agents[name], strict=True)], dim=1)
        out.append(fusion.norm[name](x[name] + part.out(spread)))
    return (out[0] + out[1] + out[2]) / 3


def fuse(fusion: Fusion, clip: ClipTokens, sentence: Sentence) -> Fused:
    """As the model does: the clips' tokens once, the rest once a sentence."""
    return fusion(clip.tokens, clip.without_tokens().repeat(len(sentence.words) // len(clip.tokens)), sentence)


def test_refatomnet_by_hand() -> None:
    model, clip, sentence = asked("refatomnet")
    for agent in model.fusion.agent.values():
        torch.nn.init.normal_(agent.agents, std=3.0)  # agents that differ, so that every map counts
    fused = fuse(model.fusion, clip, sentence)
    assert len(fused.branches) == 1 and fused.words is None
    for row in range(4):
        expected = by_hand(model.fusion, clip, sentence, row=row)
        torch.testing.assert_close(fused.context[row], expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(fused.branches[0][row], expected.mean(0), atol=1e-5, rtol=0)
        place = clip.spatial[row // 2] + expected.mean(0)
        torch.testing.assert_close(fused.cells[row], place, atol=1e-5, rtol=0)


def test_only_the_visual_stream_is_gated(monkeypatch: pytest.MonkeyPatch) -> None:
    model, clip, sentence = asked("refatomnet")
    fusion, calls = model.fusion, []
    finished = {}

    def watch(own: Tensor, others: Tensor) -> Tensor:
        calls.append((own, others))
        return gate(own, others)

    def finish(name: str, x: Tensor, to_agents: Tensor, gathered: Tensor) -> Tensor:
        finished[name] = (x, to_agents, gathered)
        return RefAtomNet._finish(fusion, name, x, to_agents, gathered)

    monkeypatch.setattr("refatomnet.baselines.gate", watch)
    monkeypatch.setattr(fusion, "_finish", finish)
    fuse(fusion, clip, sentence)
    assert set(finished) == {"visual", "text", "scene"} and len(calls) == 2
    size = TINY.width // TINY.heads
    assert [own.shape for own, _ in calls] == [(4, TINY.heads, 32, 4), (4, TINY.heads, 4, size)]
    alone = {name: fusion.agent[name](x) for name, (x, _, _) in finished.items()}
    for i, (own, others) in enumerate(calls):
        torch.testing.assert_close(own, alone["visual"][i])
        torch.testing.assert_close(others, alone["text"][i] + alone["scene"][i])
        for name in ("text", "scene"):
            torch.testing.assert_close(finished[name][1 + i], alone[name][i])
        torch.testing.assert_close(finished["visual"][1 + i], gate(own, others))


def test_the_sizes_of_refatomnet_are_the_papers() -> None:
    fusion = RefAtomNet(TINY)
    assert {name: tuple(query.shape) for name, query in fusion.queries.items()} == {
        name: (32, TINY.width) for name in ("visual", "text", "scene")
    }
    assert all(agent.agents.shape == (4, TINY.width) for agent in fusion.agent.values())


# ---- plain fusion -------------------------------------------------------------------------------------------------
def test_the_plain_fusion_by_hand() -> None:
    model, clip, sentence = asked("plain")
    fused = fuse(model.fusion, clip, sentence)
    for row in range(4):
        words = sentence.tokens[row][sentence.mask[row]].mean(0)
        found = clip.scene[row // 2][clip.scene_mask[row // 2]].mean(0)
        inputs = torch.cat([clip.spatial[row // 2].mean(0), words, found])
        feature = model.fusion.mix(inputs)
        torch.testing.assert_close(fused.branches[0][row], feature, atol=1e-5, rtol=0)
        torch.testing.assert_close(fused.cells[row], clip.spatial[row // 2] + feature, atol=1e-5, rtol=0)
        torch.testing.assert_close(fused.context[row, 0], feature, atol=1e-5, rtol=0)


# ---- what both see ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", [RefAtomNet, PlainFusion])
def test_baselines_average_over_the_axes_their_names_say_and_follow_nothing(kind: Any) -> None:
    fusion, maps = kind(TINY), numbered_maps(2)
    cues, inside = torch.randn(2, 5, TINY.width), torch.randn(2, 5, TINY.frames, TINY.width)
    mask = torch.tensor([[True, True, False, False, True], [True, False, False, False, False]])
    seen = fusion.see(maps, cues, inside, mask)
    frames, cells = TINY.frames, TINY.image_height * TINY.image_width // 32**2
    torch.testing.assert_close(seen.temporal[1, :, 0], torch.arange(float(frames)))
    torch.testing.assert_close(seen.temporal[1, :, 2], torch.full((frames,), (cells - 1) / 2))
    torch.testing.assert_close(seen.spatial[1, :, 2], torch.arange(float(cells)))
    torch.testing.assert_close(seen.spatial[1, :, 0], torch.full((cells,), (frames - 1) / 2))
    assert torch.equal(seen.moving, inside) and torch.equal(seen.scene, cues) and torch.equal(seen.scene_mask, mask)
    assert seen.paths is None


@pytest.mark.parametrize("architecture", ["refatomnet", "plain"])
def test_a_clip_where_only_one_person_was_found_is_no_trouble(architecture: str) -> None:
    model, clip, sentence = asked(architecture, people=1)
    few = replace(clip, scene_mask=clip.scene_mask & (torch.arange(6) == 0))
    fused = fuse(model.fusion, few, sentence)
    assert torch.isfinite(fused.branches[0]).all() and torch.isfinite(fused.cells).all()
    noise = few.scene.masked_fill(~few.scene_mask.unsqueeze(-1), 99.0)
    torch.testing.assert_close(fuse(model.fusion, replace(few, scene=noise), sentence).branches[0], fused.branches[0])
