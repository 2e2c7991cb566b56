"""The selective state-space layer against an independent one, and its hand-written gradient."""

import pytest
import torch

from refatomnet.mamba import Mamba, selective_scan


@pytest.fixture(autouse=True)
def settled() -> None:
    """The same numbers each time; one thread, as on tiny work more only wait for each other."""
    torch.set_num_threads(1)
    torch.manual_seed(0)


def test_parameters_are_those_of_mamba_ssm() -> None:
    layer = Mamba(40, d_state=5, d_conv=3, expand=2)
    assert {name: tuple(value.shape) for name, value in layer.state_dict().items()} == {
        "A_log": (80, 5),
        "D": (80,),
        "in_proj.weight": (160, 40),
        "conv1d.weight": (80, 1, 3),
        "conv1d.bias": (80,),
        "x_proj.weight": (3 + 2 * 5, 80),  # the rank of the steps is ceil(40 / 16)
        "dt_proj.weight": (80, 3),
        "dt_proj.bias": (80,),
        "out_proj.weight": (40, 80),
    }
    steps = torch.nn.functional.softplus(layer.dt_proj.bias)
    assert (steps > 0.0009).all() and (steps < 0.11).all()
    torch.testing.assert_close(layer.A_log.exp(), torch.arange(1.0, 6.0).expand(80, 5))


@pytest.mark.parametrize("expand", [1, 2])
def test_it_equals_the_mixer_of_transformers(expand: int) -> None:
    from transformers import MambaConfig
    from transformers.models.mamba.modeling_mamba import MambaMixer

    torch.manual_seed(0)
    ours = Mamba(24, d_state=4, expand=expand)
    sizes = {"hidden_size": 24, "state_size": 4, "conv_kernel": 4, "expand": expand, "time_step_rank": 2}
    theirs = MambaMixer(MambaConfig(**sizes, num_hidden_layers=1, use_mambapy=False), layer_idx=0)
    with torch.no_grad():
        ours.dt_proj.bias += 3  # larger steps, so that states matter
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(3, 7, 24, requires_grad=True)
    other = x.detach().clone().requires_grad_()
    weight = torch.randn(3, 7, 24)
    mixed, expected = ours(x), theirs(other)
    torch.testing.assert_close(mixed, expected, atol=1e-5, rtol=1e-5)
    (mixed * weight).sum().backward()
    (expected * weight).sum().backward()
    torch.testing.assert_close(x.grad, other.grad, atol=1e-5, rtol=1e-5)
    wanted = dict(theirs.named_parameters())
    for name, value in ours.named_parameters():
        assert value.grad.abs().max() > 0, name
        torch.testing.assert_close(value.grad, wanted[name].grad, atol=1e-5, rtol=1e-4, msg=name)


def test_the_scan_by_hand() -> None:
    def row(*values: float) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32).view(1, -1, 1)

    half = torch.tensor([[-0.6931472]])  # decays to a half each unit of time
    out = selective_scan(row(1, 2, 3), row(1, 1, 2), half, row(1, 1, 1), row(1, 10, 1), torch.tensor([100.0]))
    # states: 1; 1/2 + 2 = 2.5; 2.5/4 + 6 = 6.625
    torch.testing.assert_close(out, row(101, 225, 306.625), atol=1e-4, rtol=1e-5)


def test_nothing_looks_ahead() -> None:
    layer, x = Mamba(16, d_state=3), torch.randn(2, 9, 16)
    later = x.clone()
    later[:, 5:] = torch.randn(2, 4, 16)
    before, after = layer(x), layer(later)
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert ((before[:, 5:] - after[:, 5:]).abs() > 1e-4).any()
    torch.testing.assert_close(layer(x[:1]), before[:1])  # sequences of a batch do not meet


@pytest.mark.parametrize("length", [1, 2, 6])
def test_the_gradient_of_the_scan(length: int) -> None:
    torch.manual_seed(length)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, dtype=torch.float64)

    arguments = (
        draw(2, length, 3),
        draw(2, length, 3).exp(),
        -draw(3, 2).exp(),
        draw(2, length, 2),
        draw(2, length, 2),
        draw(3),
    )
    assert torch.autograd.gradcheck(selective_scan, tuple(a.requires_grad_() for a in arguments))
