"""Selective state-space layer (Gu and Dao, 2023) in PyTorch; RefAtomNet++ section "multi-trajectory Mamba".

Parameter names and shapes are those of ``mamba_ssm.Mamba``, so that a state dict moves both ways.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_TOGETHER = 2**19  # states of a sequence worked on at once: few enough for a CPU's cache, many enough to be few calls
_KERNEL_STATES = 256  # the most a channel may have in mamba_ssm's kernel


def selective_scan(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
    """Run the selective state-space recurrence over a sequence, from a state of zero (Gu and Dao, 2023, section 3.2).

    It computes in float32, or in float64 where any of its inputs is, whatever autocast is on. The kernel of mamba_ssm
    does it where there is one and the tensors are on a CUDA device.

    Args:
        u: Input (batch, length, inner).
        delta: Step sizes (batch, length, inner), positive.
        A: State decay rates (inner, state), negative.
        B: Input gates (batch, length, state).
        C: Output gates (batch, length, state).
        D: Skip weights (inner).

    Returns:
        Output (batch, length, inner), of the dtype of ``u``.
    """
    wide = torch.float64 if torch.float64 in {x.dtype for x in (u, delta, A, B, C, D)} else torch.float32
    if _kernel_takes(u, A, wide):
        return _kernel_scan(u, delta, A, B, C, D)
    given = [x.to(wide).contiguous() for x in (u, delta, A, B, C)]
    return torch.addcmul(_scan(*given)[0], given[0], D.to(wide)).to(u.dtype)


def _kernel_takes(u: Tensor, A: Tensor, dtype: torch.dtype) -> bool:
    """Whether mamba_ssm can do it; an exported graph must run where mamba_ssm is not."""
    fits = dtype == torch.float32 and A.shape[1] <= _KERNEL_STATES and _on_cuda(u)
    return fits and not torch.compiler.is_exporting() and _kernel_installed()


def _on_cuda(x: Tensor) -> bool:
    return x.is_cuda


@torch.compiler.assume_constant_result
def _kernel_installed() -> bool:
    return _kernel() is not None


@cache
def _kernel() -> Callable[..., Tensor] | None:
    try:
        from mamba_ssm.ops.selective_scan_interface import selective_scan_fn
    except ImportError:
        return None
    return selective_scan_fn


@torch.compiler.disable
def _kernel_scan(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
    """``selective_scan`` by mamba_ssm, which wants (batch, channel, length) and one dtype of all."""
    kernel = _kernel()
    assert kernel is not None
    wide, delta, B, C = (x.transpose(1, 2).float() for x in (u, delta, B, C))
    return kernel(wide, delta, A.float(), B, C, D=D.float()).transpose(1, 2).to(u.dtype)


# The scan is an operator of its own, so that torch.compile and torch.export see one step and not thousands. It goes
# through the sequence in stretches, one call for all steps of a stretch but for the recurrence itself. For the gradient
# only the state each stretch starts from is kept, the others are made anew.


@torch.library.custom_op("refatomnet::selective_scan", mutates_args=())
def _scan(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> tuple[Tensor, Tensor]:
    """The recurrence without the skip; as ``selective_scan``, all contiguous and of one dtype.

    Returns:
        Output (batch, length, inner), and the states (stretches + 1, batch, state, inner) before and after stretches.
    """
    out, bounds = torch.empty_like(u), u.new_zeros(_bounds_shape(u, A))
    parts = zip(*_stretches(A, u, delta, B, C), _views(A, out), bounds[:-1], bounds[1:], strict=True)
    rates = A.t().contiguous()
    with torch.autocast(u.device.type, enabled=False):
        for u_, delta_, B_, C_, out_, start, end in parts:
            _, states = _states(u_, delta_, rates, B_, start)
            out_.copy_(_over_states(C_, states[1:]))
            end.copy_(states[-1])
    return out, bounds


@torch.library.custom_op("refatomnet::selective_scan_backward", mutates_args=())
def _scan_backward(
    grad: Tensor, u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, bounds: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Gradients of u, delta, A, B and C from that of the output (batch, length, inner)."""
    grads = [torch.empty_like(x) for x in (u, delta, B, C)]
    inputs, outputs = _stretches(A, grad, u, delta, B, C), [_views(A, x) for x in grads]
    rates, later = A.t().contiguous(), torch.zeros_like(bounds[0])
    grad_rates = torch.zeros_like(rates)
    with torch.autocast(u.device.type, enabled=False):
        for parts in reversed(list(zip(*inputs, *outputs, bounds[:-1], strict=True))):
            grad_, u_, delta_, B_, C_, grad_u, grad_delta, grad_B, grad_C, start = parts
            decay, states = _states(u_, delta_, rates, B_, start)
            flow = grad_.unsqueeze(2) * C_.unsqueeze(3)  # becomes the gradient of each state, from all later steps
            flow[-1] += later
            decays, flows = decay.unbind(), flow.unbind()
            for t in range(len(flows) - 1, 0, -1):
                flows[t - 1].addcmul_(decays[t], flows[t])
            into = _over_states(B_, flow)
            grad_u.copy_(into * delta_)
            grad_B.copy_(_over_inner(flow, delta_ * u_))
            grad_C.copy_(_over_inner(states[1:], grad_))
            flow *= decay
            later = flow[0].clone()
            flow *= states[:-1]
            grad_delta.copy_(torch.mul(flow, rates, out=decay).sum(2).addcmul_(into, u_))
            grad_rates += flow.mul_(delta_.unsqueeze(2)).sum((0, 1))
    return grads[0], grads[1], grad_rates.t().contiguous(), grads[2], grads[3]


def _stretch(A: Tensor) -> int:
    """Steps of a stretch; not a matter of the batch, so that shapes are plain to torch.export."""
    return max(1, _TOGETHER // A.numel())


def _bounds_shape(u: Tensor, A: Tensor) -> tuple[int, ...]:
    return 1 + -(-u.shape[1] // _stretch(A)), u.shape[0], A.shape[1], A.shape[0]


def _views(A: Tensor, x: Tensor) -> tuple[Tensor, ...]:
    """Stretches (steps, batch, …) of a sequence (batch, length, …), to be written to."""
    return x.transpose(0, 1).split(_stretch(A))


def _stretches(A: Tensor, *sequences: Tensor) -> list[tuple[Tensor, ...]]:
    """Stretches (steps, batch, …) of each sequence, to be read: a step's values lie side by side."""
    return [x.transpose(0, 1).contiguous().split(_stretch(A)) for x in sequences]


def _states(u: Tensor, delta: Tensor, rates: Tensor, B: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Decays (steps, batch, state, inner) of each step, and the states before the first and after each.

    Inner comes last, as the longest axis, so that broadcasts run along it; ``rates`` is A as (state, inner).
    """
    decay = (delta.unsqueeze(2) * rates).exp_()
    states = start.new_empty(len(u) + 1, *start.shape)
    states[0] = start
    torch.mul((delta * u).unsqueeze(2), B.unsqueeze(3), out=states[1:])
    rows = states.unbind()
    for t, each in enumerate(decay.unbind()):
        rows[t + 1].addcmul_(each, rows[t])
    return decay, states


def _over_states(gates: Tensor, states: Tensor) -> Tensor:
    """Sum of states (steps, batch, state, inner) times gates (steps, batch, state) over the states."""
    return torch.matmul(gates.unsqueeze(2), states).squeeze(2)


def _over_inner(states: Tensor, values: Tensor) -> Tensor:
    """Sum of states (steps, batch, state, inner) times values (steps, batch, inner) over the channels."""
    return torch.matmul(states, values.unsqueeze(3)).squeeze(3)


@_scan.register_fake
def _(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> tuple[Tensor, Tensor]:
    return torch.empty_like(u), u.new_empty(_bounds_shape(u, A))


@_scan_backward.register_fake
def _(
    grad: Tensor, u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, bounds: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    return torch.empty_like(u), torch.empty_like(delta), torch.empty_like(A), torch.empty_like(B), torch.empty_like(C)


def _save(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs, output[1])


def _differentiate(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor, ...]:
    return _scan_backward(grad.contiguous(), *ctx.saved_tensors)


_scan.register_autograd(_differentiate, setup_context=_save)


class Mamba(nn.Module):
    """One selective state-space layer.

    Args:
        d_model: Width in and out.
        d_state: States kept for each inner channel.
        d_conv: Taps of the causal depthwise convolution.
        expand: Inner width over ``d_model``.
    """

    def __init__(self, d_model: int, d_state: int = 16, d_conv: int = 4, expand: int = 2) -> None:
        super().__init__()
        inner, rank = expand * d_model, math.ceil(d_model / 16)
        self.in_proj = nn.Linear(d_model, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, d_conv, groups=inner, padding=d_conv - 1)
        self.x_proj = nn.Linear(inner, rank + 2 * d_state, bias=False)
        self.dt_proj = nn.Linear(rank, inner)
        self.A_log = nn.Parameter(torch.log(torch.arange(1, d_state + 1, dtype=torch.float32)).repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, d_model, bias=False)
        self._init_steps(inner, rank)

    def _init_steps(self, inner: int, rank: int) -> None:
        """Start with step sizes spread log-uniformly over [0.001, 0.1], as the Mamba paper does."""
        nn.init.uniform_(self.dt_proj.weight, -(rank**-0.5), rank**-0.5)
        steps = torch.exp(torch.rand(inner) * (math.log(0.1) - math.log(0.001)) + math.log(0.001)).clamp(min=1e-4)
        with torch.no_grad():
            self.dt_proj.bias.copy_(steps + torch.log(-torch.expm1(-steps)))

    def forward(self, x: Tensor) -> Tensor:
        """Mix a sequence (batch, length, d_model) causally along its length; same shape out."""
        length, state = x.shape[1], self.A_log.shape[1]
        rank = self.dt_proj.in_features
        inner, gate = self.in_proj(x).chunk(2, dim=-1)
        inner = self.conv1d(inner.transpose(1, 2))[..., :length].transpose(1, 2)
        inner = functional.silu(inner)
        step, B, C = self.x_proj(inner).split([rank, state, state], dim=-1)
        delta = functional.softplus(self.dt_proj(step))
        mixed = selective_scan(inner, delta, -torch.exp(self.A_log), B, C, self.D)
        return self.out_proj(mixed * functional.silu(gate))
