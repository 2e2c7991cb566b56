"""Shapes of the hand: how far its vertices move when anny's finger bones curl."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .bodies import Body, Rig

SHAPES = ("open", "relaxed", "grip", "point")  # "open" is the flat hand of the rest pose
CURLS = {
    "relaxed": ((10, 12, 8), (18, 26, 16), (24, 30, 18), (28, 32, 20), (30, 34, 20)),
    "grip": ((32, 30, 34), (52, 66, 40), (56, 68, 42), (60, 68, 42), (62, 66, 42)),
    "point": ((36, 42, 46), (4, 4, 2), (80, 92, 62), (82, 92, 62), (82, 90, 60)),
}  # degrees at the three joints of thumb, index, middle, ring and little finger


def curl(
    vertices: np.ndarray, heads: np.ndarray, labels: list[str], index: np.ndarray, weight: np.ndarray, shape: str
) -> np.ndarray:
    """Bend the fingers of both hands of bodies at rest.

    Args:
        vertices: Rest points (B, V, 3).
        heads: Heads of all bones (B, N, 3), named by ``labels``.
        labels: Names of the bones.
        index: Bones of each vertex (V, K).
        weight: Their shares (V, K).
        shape: One of ``CURLS``.

    Returns:
        Displacements (B, V, 3).
    """
    moved = np.zeros_like(vertices)
    for side in "LR":
        at = lambda name, side=side: heads[:, labels.index(f"{name}.{side}")]  # noqa: E731
        across = at("finger2-1") - at("finger5-1")
        along = at("finger3-1") - at("wrist")
        back = _unit(np.cross(across, along)) * (1 if side == "L" else -1)  # from the palm to the hand's back
        inward = _unit(0.3 * _unit(along) - 0.6 * _unit(across) - back)  # where the thumb closes to
        for finger in range(1, 6):
            names = [f"finger{finger}-{k}.{side}" for k in (1, 2, 3)]
            rotation = np.broadcast_to(np.eye(3), (len(vertices), 3, 3))
            place = at(f"finger{finger}-1")
            for k, name in enumerate(names):
                head = heads[:, labels.index(name)]
                if k:
                    before = heads[:, labels.index(names[k - 1])]
                    place = place + np.einsum("bij,bj->bi", rotation, head - before)
                if k < 2:
                    direction = _unit(heads[:, labels.index(names[k + 1])] - head)
                axis = _unit(np.cross(direction, inward) if finger == 1 else np.cross(back, direction))
                rotation = rotation @ _about(axis, np.radians(CURLS[shape][finger - 1][k]))
                share = (weight * (index == labels.index(name))).sum(1)
                on = share > 0
                turned = np.einsum("bij,bvj->bvi", rotation, vertices[:, on] - head[:, None]) + place[:, None]
                moved[:, on] += share[on, None] * (turned - vertices[:, on])
    return moved


def _unit(v: np.ndarray) -> np.ndarray:
    return v / (np.linalg.norm(v, axis=-1, keepdims=True) + 1e-12)


def _about(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rotations (B, 3, 3) about unit axes (B, 3)."""
    k = np.zeros((len(axis), 3, 3))
    k[:, 0, 1], k[:, 0, 2], k[:, 1, 2] = -axis[:, 2], axis[:, 1], -axis[:, 0]
    k[:, 1, 0], k[:, 2, 0], k[:, 2, 1] = axis[:, 2], -axis[:, 1], axis[:, 0]
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def shaped(rig: "Rig", body: "Body", left: str, right: str) -> np.ndarray:
    """Displacements (H, 3) of the hands' vertices ``rig.hands`` for a shape of each hand."""
    out = np.zeros((len(rig.hands), 3), np.float32)
    lefts = rig.canon[rig.hands, 0] > 0
    for on, shape in ((lefts, left), (~lefts, right)):
        if shape not in SHAPES:
            raise ValueError(f"unknown shape of a hand {shape!r}; expected one of {SHAPES}")
        if shape != "open":
            out[on] = body.hands[SHAPES.index(shape) - 1, on]
    return out
