"""Following words and detections through the frames."""

import pytest
import torch
from torch.nn import functional

from refatomnet.trajectories import SemanticRetrieval, TrajectoryScan, masked_mean


@pytest.fixture(autouse=True)
def settled() -> None:
    """The same numbers each time; one thread, as on tiny work more only wait for each other."""
    torch.set_num_threads(1)
    torch.manual_seed(0)


def identity(width: int) -> SemanticRetrieval:
    """Retrieval whose learned space is that of cues and tokens themselves."""
    retrieval = SemanticRetrieval(width)
    with torch.no_grad():
        for layer in (retrieval.cue_proj, retrieval.token_proj):
            layer.weight.copy_(torch.eye(width))
            layer.bias.zero_()
    return retrieval


def follow(retrieval: SemanticRetrieval, cues: torch.Tensor, tokens: torch.Tensor, mask: torch.Tensor | None = None):
    mask = torch.ones(cues.shape[:2], dtype=torch.bool) if mask is None else mask
    return retrieval(cues, tokens, retrieval.lengths(tokens), cue_mask=mask)


def test_the_nearest_token_of_every_frame_is_picked() -> None:
    torch.manual_seed(0)
    batch, frames, count, width = 2, 3, 5, 4
    tokens = torch.randn(batch, frames, count, width)
    where = torch.randint(count, (batch, 2, frames))
    cues = torch.tensor([[[1.0, 0, 0, 0], [0, 0, 1.0, 0]]]).expand(batch, 2, width)
    tokens[..., 0] = tokens[..., 2] = 0
    for b in range(batch):
        for cue, axis in ((0, 0), (1, 2)):
            for t in range(frames):
                tokens[b, t, where[b, cue, t], axis] = 9.0
    found = follow(identity(width), cues, tokens)
    assert found.tokens.shape == (batch, 2, frames, width) and found.similarity.shape == (batch, 2, frames, count)
    # Two cues may share a token; then it is still the nearest to each or a near tie, so judge by cosine.
    best = functional.cosine_similarity(cues[:, :, None, None], tokens[:, None], dim=-1).argmax(-1)
    assert torch.equal(found.index, best)
    for b in range(batch):
        for cue in range(2):
            for t in range(frames):
                torch.testing.assert_close(found.tokens[b, cue, t], tokens[b, t, best[b, cue, t]])
    alone = where[:, 0] != where[:, 1]
    assert torch.equal(found.index[:, 0][alone], where[:, 0][alone])


def test_tokens_say_their_own_frame_and_place() -> None:
    frames, count = 4, 6
    frame = torch.arange(frames).view(1, -1, 1).expand(1, frames, count)
    place = torch.arange(count).view(1, 1, -1).expand(1, frames, count)
    tokens = torch.stack([frame, place], dim=-1).float()
    retrieval = SemanticRetrieval(2)
    found = follow(retrieval, torch.randn(1, 7, 2), tokens)
    torch.testing.assert_close(found.tokens[..., 0], torch.arange(4.0).expand(1, 7, 4))
    torch.testing.assert_close(found.tokens[..., 1], found.index.float())


def test_both_projections_learn_from_what_was_picked() -> None:
    torch.manual_seed(0)
    retrieval = SemanticRetrieval(8)
    tokens, cues = torch.randn(2, 3, 6, 8), torch.randn(2, 4, 8)
    # Nothing but the picked tokens reaches the loss, as in the fusion; similarities are left alone.
    (follow(retrieval, cues, tokens).tokens * torch.randn(2, 4, 3, 8)).sum().backward()
    for name, value in retrieval.named_parameters():
        assert value.grad is not None and value.grad.abs().max() > 1e-4, name


def test_learning_finds_the_right_token() -> None:
    torch.manual_seed(0)
    retrieval = SemanticRetrieval(6)
    tokens = torch.randn(1, 8, 5, 6)
    tokens[:, :, 3] = torch.tensor([1.0, -1, 1, -1, 1, -1]) + 0.1 * torch.randn(1, 8, 6)
    cues = torch.randn(1, 1, 6)
    optimiser = torch.optim.Adam(retrieval.parameters(), lr=0.05)
    for _ in range(40):
        loss = (follow(retrieval, cues, tokens).tokens - tokens[:, None, :, 3]).square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert (follow(retrieval, cues, tokens).index == 3).all()


def test_masked_cues_leave_no_trace() -> None:
    torch.manual_seed(0)
    retrieval, scan = SemanticRetrieval(8), TrajectoryScan(8, state_size=2)
    tokens, cues = torch.randn(2, 3, 6, 8), torch.randn(2, 5, 8)
    mask = torch.tensor([[True, True, False, False, False], [True, False, False, False, False]])
    found = follow(retrieval, cues, tokens, mask)
    assert (found.tokens[~mask] == 0).all() and (found.tokens[mask] != 0).any()
    mean = masked_mean(scan(found.tokens), mask, dim=1)
    torch.testing.assert_close(mean[1], scan(found.tokens[1, :1])[0])
    few = follow(retrieval, cues[:1, :2], tokens[:1])
    torch.testing.assert_close(mean[:1], scan(few.tokens).mean(1))
    other = cues.masked_fill(~mask.unsqueeze(-1), 1e3)
    torch.testing.assert_close(follow(retrieval, other, tokens, mask).tokens, found.tokens)


def test_masked_mean_by_hand() -> None:
    values = torch.tensor([[[1.0, 2], [3, 6], [100, 100]], [[5, 5], [5, 5], [5, 5]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert masked_mean(values, mask, dim=1).tolist() == [[2, 4], [0, 0]]


def test_a_soft_pick_is_the_mean_of_the_tokens_by_their_likeness() -> None:
    retrieval = identity(3)
    retrieval.pick = "soft"
    tokens = torch.randn(2, 4, 5, 3)
    cues = torch.randn(2, 2, 3)
    mask = torch.tensor([[True, True], [True, False]])
    found = follow(retrieval, cues, tokens, mask)
    for b, k, t in [(0, 0, 1), (0, 1, 3), (1, 0, 2)]:
        cosine = torch.stack([functional.cosine_similarity(cues[b, k], token, dim=0) for token in tokens[b, t]])
        torch.testing.assert_close(found.similarity[b, k, t], 10 * cosine)
        torch.testing.assert_close(found.tokens[b, k, t], torch.softmax(10 * cosine, 0) @ tokens[b, t])
    assert (found.tokens[1, 1] == 0).all()


def test_a_soft_pick_learns() -> None:
    retrieval = SemanticRetrieval(8, pick="soft")
    found = follow(retrieval, torch.randn(2, 4, 8), torch.randn(2, 3, 6, 8))
    (found.tokens * torch.randn(2, 4, 3, 8)).sum().backward()
    for name, value in retrieval.named_parameters():
        assert value.grad is not None and value.grad.abs().max() > 1e-4, name


def test_a_random_space_picks_hard_and_stays_as_it_was_drawn() -> None:
    hard, drawn = SemanticRetrieval(8), SemanticRetrieval(8, pick="random")
    drawn.load_state_dict(hard.state_dict())
    tokens, cues = torch.randn(2, 3, 6, 8, requires_grad=True), torch.randn(2, 4, 8, requires_grad=True)
    found = follow(drawn, cues, tokens)
    torch.testing.assert_close(found.tokens, follow(hard, cues, tokens).tokens)
    found.tokens.sum().backward()
    assert not any(value.requires_grad for value in drawn.parameters())
    assert cues.grad is None or (cues.grad == 0).all()
    picked = torch.zeros(2, 3, 6).scatter_add_(2, found.index.transpose(1, 2), torch.ones(2, 3, 4))
    torch.testing.assert_close(
        tokens.grad, picked.unsqueeze(-1).expand(-1, -1, -1, 8)
    )  # each token, as often as picked


@pytest.mark.parametrize("kind", ["mamba", "lstm", "transformer"])
def test_each_trajectory_is_scanned_alone_and_along_time(kind: str) -> None:
    torch.manual_seed(0)
    scan = TrajectoryScan(8, state_size=2, kind=kind)
    paths = torch.randn(2, 3, 5, 8)
    scanned = scan(paths)
    assert scanned.shape == paths.shape
    torch.testing.assert_close(scan(paths[1, 2]), scanned[1, 2])
    changed = paths.clone()
    changed[0, 1, 3] = torch.randn(8)
    moved = ((scan(changed) - scanned).abs() > 1e-5).any(-1)
    expected = torch.zeros(2, 3, 5, dtype=torch.bool)
    expected[0, 1, 3:] = True  # this trajectory, from that frame on
    assert torch.equal(moved, expected)


@pytest.mark.parametrize("kind", ["mamba", "lstm", "transformer"])
def test_a_scan_knows_the_order_of_the_frames(kind: str) -> None:
    scan = TrajectoryScan(8, state_size=2, kind=kind)
    paths = torch.randn(1, 5, 8)
    turned = scan(paths[:, [1, 0, 2, 3, 4]])
    assert (turned[:, 4] - scan(paths)[:, 4]).abs().max() > 1e-5
    (scan(paths) * torch.randn(1, 5, 8)).sum().backward()
    assert all(value.grad is not None for value in scan.parameters())


def test_no_scan_changes_nothing_and_has_nothing_to_learn() -> None:
    scan, paths = TrajectoryScan(8, state_size=2, kind="none"), torch.randn(2, 3, 5, 8)
    assert torch.equal(scan(paths), paths) and not list(scan.parameters())


def test_what_does_not_fit_is_refused() -> None:
    retrieval = SemanticRetrieval(8)
    tokens = torch.randn(2, 3, 6, 8)
    for cues in (torch.randn(1, 4, 8), torch.randn(2, 4, 7)):
        with pytest.raises(ValueError, match=r"cues .* do not go with tokens"):
            retrieval(cues, tokens, tokens, cue_mask=torch.ones(cues.shape[:2], dtype=torch.bool))
