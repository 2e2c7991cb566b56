"""A bank of human bodies at rest, and the skin that follows their skeleton.

Shapes come from anny (NAVER, Apache 2.0) at 1,229 vertices; its 163 bones are merged into the 20 joints below.
Metres, z up, a body faces -y, its left is +x.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

JOINTS = (
    "root", "spine05", "spine04", "spine03", "spine02", "spine01", "neck01", "head",
    "upperarm01.L", "lowerarm01.L", "wrist.L", "upperarm01.R", "lowerarm01.R", "wrist.R",
    "upperleg01.L", "lowerleg01.L", "foot.L", "upperleg01.R", "lowerleg01.R", "foot.R",
)  # fmt: skip
PARENTS = (-1, 0, 1, 2, 3, 4, 5, 6, 5, 8, 9, 5, 11, 12, 0, 14, 15, 0, 17, 18)
MARKS = (
    "finger3-1.L",
    "finger3-1.R",
    "toe3-1.L",
    "toe3-1.R",
    "eye.L",
    "eye.R",
    "oris01",
)  # points kept beside the joints
ROOT, CHEST, NECK, HEAD = 0, 5, 6, 7
ARM = {1: (8, 9, 10), -1: (11, 12, 13)}  # side +1 is the body's left: upper arm, forearm, hand
LEG = {1: (14, 15, 16), -1: (17, 18, 19)}
GRIP = {1: 20, -1: 21}  # rows of ``joints`` after the 20 joints
TOE = {1: 22, -1: 23}
BANK = {"train": (320, 11), "val": (60, 222), "test": (60, 3333), "samples": (60, 44444)}  # bodies, seed
TOPOLOGY = "notoes_collapse10pc"


@dataclass(frozen=True)
class Rig:
    """What all bodies share: triangles, weights (V, 20), and an average adult's coordinates, on which clothes go."""

    faces: np.ndarray
    weights: np.ndarray
    canon: np.ndarray
    canon_joints: np.ndarray


@dataclass(frozen=True)
class Body:
    """One shape at rest: vertices (V, 3), joints and marks (27, 3), and how it is described."""

    rest: np.ndarray
    joints: np.ndarray
    sex: str
    age: str
    height: float
    build: str


def _anny():
    """The anny model, built on one thread."""
    import warnings

    import torch

    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import anny

        return anny.create_fullbody_model(topology=TOPOLOGY, triangulate_faces=True)


def _phenotypes(count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Shape parameters of ``count`` bodies: a third children, a fifth old, sexes balanced."""
    kind = rng.choice(3, count, p=(0.34, 0.46, 0.20))  # child, adult, old
    age = np.where(
        kind == 0,
        rng.uniform(0.19, 0.36, count),
        np.where(kind == 1, rng.uniform(0.58, 0.76, count), rng.uniform(0.88, 1.0, count)),
    )
    gender = (np.arange(count) % 2).astype(float)
    spread = {"muscle": (0.3, 0.75), "weight": (0.15, 0.95), "height": (0.12, 0.62), "proportions": (0.35, 0.9)}
    return {"gender": gender, "age": age, **{k: rng.uniform(*v, count) for k, v in spread.items()}}


def _merge(labels: list[str], parents: list[int]) -> np.ndarray:
    """For each anny bone the index of the nearest ancestor among ``JOINTS``."""
    out = np.zeros(len(labels), int)
    for i in range(len(labels)):
        j = i
        while labels[j] not in JOINTS:
            j = parents[j]
        out[i] = JOINTS.index(labels[j])
    return out


def make_bank(count: int, seed: int) -> dict[str, np.ndarray]:
    """Shape ``count`` bodies; takes under a minute once anny's own cache stands."""
    import torch

    model, rng = _anny(), np.random.default_rng(seed)
    labels = list(model.bone_labels)
    merged = _merge(labels, [int(p) for p in model.bone_parents])
    index, weight = model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy()
    dense = np.zeros((len(index), len(JOINTS)))
    np.add.at(dense, (np.arange(len(index))[:, None], merged[index]), weight)
    rows = [labels.index(name) for name in JOINTS + MARKS]
    phenotypes = _phenotypes(count, rng)
    average = {"gender": 0.5, "age": 0.67, "muscle": 0.5, "weight": 0.5, "height": 0.5, "proportions": 0.5}
    shapes = {k: torch.tensor(np.append(v, average[k])) for k, v in phenotypes.items()}
    rests, heads = [], []
    with torch.no_grad():
        for start in range(0, count + 1, 32):
            out = model(phenotype_kwargs={k: v[start : start + 32] for k, v in shapes.items()})
            rests.append(out["rest_vertices"].numpy())
            heads.append(out["rest_bone_heads"].numpy()[:, rows])
    rest, joints = np.concatenate(rests), np.concatenate(heads)
    low = rest[:, :, 2].min(1)[:, None]
    rest[:, :, 2] -= low
    joints[:, :, 2] -= low
    return {
        "faces": model.faces.numpy().astype(np.int32),
        "weights": (dense / dense.sum(1, keepdims=True)).astype(np.float32),
        "rest": rest.astype(np.float32),
        "joints": joints.astype(np.float32),
        **{k: v.astype(np.float32) for k, v in phenotypes.items()},
    }


def load_bank(split: str, *, cache_dir: Path | None = None, count: int | None = None) -> tuple[Rig, list[Body]]:
    """The bodies of ``split``, made once and cached; two processes may call this at the same time.

    Args:
        split: One of ``BANK``; each has its own bodies.
        cache_dir: Where the bank lies; ``~/.cache/refatomnet/bodies`` by default.
        count: Fewer bodies than usual, for tests.
    """
    if split not in BANK:
        raise ValueError(f"unknown split {split!r}; expected one of {sorted(BANK)}")
    usual, seed = BANK[split]
    count = count or usual
    folder = Path(cache_dir) if cache_dir else Path.home() / ".cache" / "refatomnet" / "bodies"
    path = folder / f"{split}-{count}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        bank: dict[str, Any] = make_bank(count, seed)
        handle, name = tempfile.mkstemp(suffix=".npz", dir=folder)
        with os.fdopen(handle, "wb") as file:
            np.savez(file, **bank)
        os.replace(name, path)
    with np.load(path) as file:
        bank = dict(file)
    rig = Rig(bank["faces"], bank["weights"], bank["rest"][-1], bank["joints"][-1])
    return rig, [_body(bank, i) for i in range(count)]


def _body(bank: dict[str, np.ndarray], i: int) -> Body:
    """Row ``i`` of a bank with its description."""
    age = "child" if bank["age"][i] < 0.45 else "adult" if bank["age"][i] < 0.82 else "old"
    build = "slim" if bank["weight"][i] < 0.38 else "average" if bank["weight"][i] < 0.72 else "heavy"
    rest = bank["rest"][i]
    return Body(
        rest, bank["joints"][i], "woman" if bank["gender"][i] > 0.5 else "man", age, float(rest[:, 2].max()), build
    )


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Smooth unit normals of meshes (..., V, 3)."""
    a, b, c = (vertices[..., faces[:, k], :] for k in range(3))
    face = np.cross(b - a, c - a)
    count = vertices.shape[-2]
    flat_face, flat = (
        face.reshape(-1, len(faces), 3),
        np.empty((int(np.prod(vertices.shape[:-2])), count, 3), np.float32),
    )
    for i, one in enumerate(flat_face):
        for axis in range(3):
            flat[i, :, axis] = np.bincount(faces.ravel(), np.repeat(one[:, axis], 3), count)
    flat /= np.linalg.norm(flat, axis=-1, keepdims=True) + 1e-12
    return flat.reshape(vertices.shape)


def skin(
    points: np.ndarray, weights: np.ndarray, joints: np.ndarray, rotations: np.ndarray, positions: np.ndarray
) -> np.ndarray:
    """Linear blend skinning over all frames.

    Args:
        points: Rest points (V, 3).
        weights: (V, 20), rows sum to one.
        joints: Rest joints (20, 3).
        rotations: World rotation of each joint from rest (T, 20, 3, 3).
        positions: World position of each joint (T, 20, 3).

    Returns:
        Points in the world (T, V, 3), float32.
    """
    frames = len(rotations)
    offset = positions - np.einsum("tjab,jb->tja", rotations, joints)
    affine = np.concatenate([rotations, offset[..., None]], -1).transpose(1, 0, 2, 3).reshape(20, -1).astype(np.float32)
    blended = (weights @ affine).reshape(len(points), frames, 3, 4)
    return (np.einsum("vtab,vb->tva", blended[..., :3], points) + blended[..., 3].transpose(1, 0, 2)).astype(np.float32)
