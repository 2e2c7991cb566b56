"""The selective state-space layer against an independent one, and its hand-written gradient."""

import sys
from types import ModuleType

import pytest
import torch

from refatomnet import mamba
from refatomnet.mamba import Mamba, selective_scan


@pytest.fixture(autouse=True)
def settled() -> None:
    """The same numbers each time, nothing compiled before; one thread, as more only wait for each other."""
    torch.set_num_threads(1)
    torch.compiler.reset()
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


def mixer_of_transformers(ours: Mamba, width: int) -> torch.nn.Module:
    """The slow path of transformers with the weights of ours."""
    from transformers import MambaConfig
    from transformers.models.mamba.modeling_mamba import MambaMixer

    inner, state = ours.A_log.shape
    sizes = {"hidden_size": width, "state_size": state, "expand": inner // width, "conv_kernel": 4}
    rank = ours.dt_proj.in_features
    theirs = MambaMixer(MambaConfig(**sizes, time_step_rank=rank, num_hidden_layers=1, use_mambapy=False), layer_idx=0)
    theirs.load_state_dict(ours.state_dict())
    return theirs


def assert_near(value: torch.Tensor, wanted: torch.Tensor, name: str) -> None:
    """To 1e-5; of the largest entry where that is above 1, as in gradients summed over a long sequence."""
    size = max(1.0, wanted.abs().max().item())
    torch.testing.assert_close(value, wanted, atol=1e-5 * size, rtol=0, msg=lambda text: f"{name}: {text}")


@pytest.mark.parametrize(
    ("length", "batch", "width", "state", "expand"),
    [
        *((length, batch, 24, 16, 2) for length in (1, 7, 64, 240) for batch in (1, 4)),
        (7, 3, 24, 4, 1),
        (1568, 1, 16, 16, 2),  # the slow path takes minutes at greater widths
        (1568, 4, 8, 4, 2),
    ],
)
def test_it_equals_the_mixer_of_transformers(length: int, batch: int, width: int, state: int, expand: int) -> None:
    ours = Mamba(width, d_state=state, expand=expand)
    with torch.no_grad():
        ours.dt_proj.bias += 3  # larger steps, so that states matter
    theirs = mixer_of_transformers(ours, width)
    x = torch.randn(batch, length, width, requires_grad=True)
    other = x.detach().clone().requires_grad_()
    weight = torch.randn(batch, length, width)
    mixed, expected = ours(x), theirs(other)
    assert_near(mixed, expected, "output")
    (mixed * weight).sum().backward()
    (expected * weight).sum().backward()
    assert_near(x.grad, other.grad, "input")
    wanted = dict(theirs.named_parameters())
    for name, value in ours.named_parameters():
        assert value.grad.abs().max() > 0 or (name == "A_log" and length == 1), name  # nothing decays in one step
        assert_near(value.grad, wanted[name].grad, name)


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


def test_padding_on_the_right_changes_nothing() -> None:
    layer, x, pad = Mamba(16), torch.randn(2, 60, 16), torch.randn(2, 1100, 16)  # into the next stretch
    weight = torch.randn(2, 60, 16)

    def passed(sequence: torch.Tensor) -> list[torch.Tensor]:
        sequence = sequence.clone().requires_grad_()
        layer.zero_grad()
        out = layer(sequence)[:, :60]
        (out * weight).sum().backward()
        return [out.detach(), sequence.grad[:, :60], *(value.grad for value in layer.parameters())]

    for short, long in zip(passed(x), passed(torch.cat([x, pad], dim=1)), strict=True):
        torch.testing.assert_close(long, short, atol=1e-5, rtol=1e-5)


def draw(length: int) -> list[torch.Tensor]:
    """Inputs of a scan in float64: batch 2, 3 channels, 2 states."""

    def values(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, dtype=torch.float64)

    sequence = [values(2, length, 3), values(2, length, 3).exp(), -values(3, 2).exp()]
    return [*sequence, values(2, length, 2), values(2, length, 2), values(3)]


@pytest.mark.parametrize("together", [1, 12, 2**19])  # stretches of 1 step, of 2, of all
@pytest.mark.parametrize("length", [1, 2, 5])
def test_the_gradient_of_the_scan(monkeypatch: pytest.MonkeyPatch, length: int, together: int) -> None:
    monkeypatch.setattr(mamba, "_TOGETHER", together)
    assert torch.autograd.gradcheck(selective_scan, tuple(value.requires_grad_() for value in draw(length)))


def test_the_scan_is_an_operator_that_compilers_understand() -> None:
    arguments = [value.requires_grad_() for value in draw(5)[:-1]]
    torch.library.opcheck(torch.ops.refatomnet.selective_scan.default, arguments)


def test_compiling_sees_one_graph_and_the_same_numbers() -> None:
    layer, x = Mamba(16), torch.randn(2, 9, 16)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True, dynamic=True)
    for sequence in (x, torch.randn(3, 300, 16)):
        ours, other = sequence.clone().requires_grad_(), sequence.clone().requires_grad_()
        mixed, expected = compiled(ours), layer(other)
        torch.testing.assert_close(mixed, expected)
        mixed.square().sum().backward()
        expected.square().sum().backward()
        torch.testing.assert_close(ours.grad, other.grad)


def test_an_exported_layer_takes_any_batch_and_length(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Mamba(16)
    sizes = {0: torch.export.Dim("batch", max=64), 1: torch.export.Dim("length", max=5000)}
    pretend_kernel(monkeypatch)  # must not get into the graph
    exported = torch.export.export(layer, (torch.randn(2, 9, 16),), dynamic_shapes={"x": sizes})
    monkeypatch.undo()
    assert [node.target for node in exported.graph.nodes].count(torch.ops.refatomnet.selective_scan.default) == 1
    for shape in ((1, 1, 16), (3, 600, 16)):
        x = torch.randn(shape)
        torch.testing.assert_close(exported.module()(x), layer(x))


def test_autocast_leaves_the_scan_in_float32() -> None:
    halves = [value.bfloat16().requires_grad_() for value in draw(40)]
    whole = [value.detach().float().requires_grad_() for value in halves]
    exact = selective_scan(*whole)
    exact.sum().backward()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = selective_scan(*halves)
        out.float().sum().backward()
    torch.testing.assert_close(out, exact.bfloat16(), atol=0, rtol=0)
    for ours, wanted in zip(halves, whole, strict=True):
        torch.testing.assert_close(ours.grad, wanted.grad.bfloat16(), atol=0, rtol=0)

    layer, x = Mamba(16), torch.randn(2, 70, 16, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = layer(x)
        mixed.float().sum().backward()
    assert mixed.dtype == torch.bfloat16 and x.grad.dtype == torch.float32
    torch.testing.assert_close(mixed.float(), layer(x), atol=0.02, rtol=0.05)


def pretend_kernel(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, torch.Tensor]]:
    """Pretend that mamba_ssm is installed and all tensors on a CUDA device; returns what its kernel is called with."""
    calls: list[dict[str, torch.Tensor]] = []

    def selective_scan_fn(u, delta, A, B, C, D=None, z=None, delta_bias=None, delta_softplus=False):
        assert not torch.compiler.is_compiling()  # it is no PyTorch that could be traced
        assert z is None and delta_bias is None and not delta_softplus
        calls.append({"u": u, "delta": delta, "A": A, "B": B, "C": C, "D": D})
        state, out = torch.zeros(len(u), *A.shape), []
        for t in range(u.shape[2]):
            driven = (delta[..., t] * u[..., t]).unsqueeze(-1) * B[:, None, :, t]
            state = torch.exp(delta[..., t].unsqueeze(-1) * A) * state + driven
            out.append((state * C[:, None, :, t]).sum(-1) + D * u[..., t])
        return torch.stack(out, dim=-1)

    interface = ModuleType("mamba_ssm.ops.selective_scan_interface")
    interface.selective_scan_fn = selective_scan_fn
    for name in ("mamba_ssm", "mamba_ssm.ops"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, interface.__name__, interface)
    monkeypatch.setattr(mamba, "_kernel", mamba._kernel.__wrapped__)  # what it found before does not count
    monkeypatch.setattr(mamba, "_on_cuda", lambda x: True)
    return calls


@pytest.mark.parametrize("precision", ["float32", "autocast", "compiled"])
def test_the_kernel_of_mamba_ssm_is_used_on_cuda(monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    layer, x = Mamba(16, d_state=5), torch.randn(2, 9, 16)
    run = torch.compile(layer, backend="aot_eager") if precision == "compiled" else layer
    ours, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "autocast"):
        expected = layer(other)
        calls = pretend_kernel(monkeypatch)
        mixed = run(ours)
    assert [{name: tuple(value.shape) for name, value in call.items()} for call in calls] == [
        {"u": (2, 32, 9), "delta": (2, 32, 9), "A": (32, 5), "B": (2, 5, 9), "C": (2, 5, 9), "D": (32,)}
    ]
    assert {value.dtype for value in calls[0].values()} == {torch.float32} and mixed.dtype == expected.dtype
    torch.testing.assert_close(mixed, expected)
    mixed.float().sum().backward()
    expected.float().sum().backward()
    torch.testing.assert_close(ours.grad, other.grad, atol=1e-5, rtol=1e-2 if precision == "autocast" else 1e-5)


@pytest.mark.parametrize("why", ["float64", "many states", "on the CPU"])
def test_the_kernel_is_not_used_for_what_it_cannot_do(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    calls = pretend_kernel(monkeypatch)
    layer, x = Mamba(16, d_state=257 if why == "many states" else 4), torch.randn(1, 3, 16)
    if why == "float64":
        layer, x = layer.double(), x.double()
    if why == "on the CPU":
        monkeypatch.setattr(mamba, "_on_cuda", lambda x: x.is_cuda)
    assert layer(x).dtype == x.dtype and not calls


def test_mamba_ssm_is_looked_for_only_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr(mamba, "_kernel", lambda: looked.append("here"))
    layer, x = Mamba(16), torch.randn(1, 3, 16)
    layer(x)
    assert not looked
    monkeypatch.setattr(mamba, "_on_cuda", lambda x: True)
    layer(x)
    assert looked


def test_without_mamba_ssm_our_own_scan_runs_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = Mamba(16), torch.randn(1, 3, 16)
    expected = layer(x)
    monkeypatch.setattr(mamba, "_on_cuda", lambda x: True)
    monkeypatch.setattr(mamba, "_kernel", mamba._kernel.__wrapped__)
    monkeypatch.setitem(sys.modules, "mamba_ssm", None)  # its import fails
    torch.testing.assert_close(layer(x), expected)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), expected)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_cuda_device_it_equals_the_cpu() -> None:
    layer, x = Mamba(64), torch.randn(2, 300, 64)
    torch.testing.assert_close(layer.cuda()(x.cuda()).cpu(), layer.cpu()(x), atol=1e-4, rtol=1e-4)
