"""Selective state-space layer (Gu and Dao, 2023) in plain PyTorch; RefAtomNet++ section "multi-trajectory Mamba".

Parameter names and shapes are those of ``mamba_ssm.Mamba``, so that a state dict moves both ways.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional


class _SelectiveScan(torch.autograd.Function):
    """The recurrence step by step, forwards and, for the gradient, backwards.

    Nothing of shape (batch, length, inner, state) is made but the states; the rest is made anew at each step, small
    enough to stay in a CPU's cache.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
        batch, length, inner = u.shape
        states = u.new_empty(length, batch, inner, A.shape[1])
        out = torch.empty_like(u)
        driven = delta * u
        for t in range(length):
            torch.mul(driven[:, t].unsqueeze(-1), B[:, t].unsqueeze(1), out=states[t])
            if t:
                states[t].addcmul_(torch.exp(delta[:, t].unsqueeze(-1) * A), states[t - 1])
            out[:, t] = torch.bmm(states[t], C[:, t].unsqueeze(-1)).squeeze(-1)
        ctx.save_for_backward(u, delta, A, B, C, states)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        u, delta, A, B, C, states = ctx.saved_tensors
        grad_u, grad_delta = torch.empty_like(u), torch.empty_like(delta)
        grad_A, grad_B, grad_C = torch.zeros_like(A), torch.empty_like(B), torch.empty_like(C)
        flow = torch.zeros_like(states[0])  # gradient of the state, from all later steps
        for t in range(u.shape[1] - 1, -1, -1):
            flow.addcmul_(grad[:, t].unsqueeze(-1), C[:, t].unsqueeze(1))
            grad_C[:, t] = torch.bmm(grad[:, t].unsqueeze(1), states[t]).squeeze(1)
            step, value = delta[:, t], u[:, t]
            grad_B[:, t] = torch.bmm((step * value).unsqueeze(1), flow).squeeze(1)
            into = torch.bmm(flow, B[:, t].unsqueeze(-1)).squeeze(-1)
            grad_u[:, t] = into * step
            grad_delta[:, t] = into * value
            if t:
                flow *= torch.exp(step.unsqueeze(-1) * A)
                rate = flow * states[t - 1]
                grad_delta[:, t] += (rate * A).sum(-1)
                grad_A += (rate * step.unsqueeze(-1)).sum(0)
        return grad_u, grad_delta, grad_A, grad_B, grad_C


def selective_scan(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
    """Run the selective state-space recurrence over a sequence, from a state of zero.

    Args:
        u: Input (batch, length, inner).
        delta: Step sizes (batch, length, inner), positive.
        A: State decay rates (inner, state), negative.
        B: Input gates (batch, length, state).
        C: Output gates (batch, length, state).
        D: Skip weights (inner).

    Returns:
        Output (batch, length, inner).
    """
    return _SelectiveScan.apply(u, delta, A, B, C) + u * D


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
