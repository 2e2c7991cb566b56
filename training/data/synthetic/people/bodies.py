"""A bank of human bodies at rest, and the skin that follows their skeleton.

Shapes come from anny (NAVER, Apache 2.0), thinned out to some 3,300 of its vertices; its 163 bones are merged into the
20 joints below. Metres, z up, a body faces -y, its left is +x.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from ..facts import JOINTS
from .decimate import decimate
from .fitting import Tube, fit, make_tubes, neighbours
from .hands import CURLS, curl

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
BANK = {"train": (320, 11), "val": (60, 222), "test": (60, 3333)}  # bodies, seed
TOPOLOGY = "notoes"
FORMAT = 4  # of the banks; part of the cache's name
WAIST = slice(12, 16)  # levels of the trunk's tube whose girth tells the build
SLIM, HEAVY = 0.076, 0.09  # girths
UNIT = 1 / 16000  # metres; points are kept as whole numbers of it
AVERAGE = {"gender": 0.5, "age": 0.67, "muscle": 0.5, "weight": 0.5, "height": 0.5, "proportions": 0.5}


@dataclass(frozen=True)
class Rig:
    """What all bodies share: triangles, weights (V, 20), and an average adult's coordinates, on which clothes go.

    hands: indices of the hands' vertices (H,). tubes: where cloth goes. starts, near: each vertex's neighbours.
    """

    faces: np.ndarray
    weights: np.ndarray
    canon: np.ndarray
    canon_joints: np.ndarray
    hands: np.ndarray
    tubes: dict[str, Tube]
    starts: np.ndarray
    near: np.ndarray


@dataclass(frozen=True)
class Body:
    """One shape at rest: vertices (V, 3), joints and marks (27, 3), and how it is described.

    hands: displacements (3, H, 3) of the hands' vertices in each of ``hands.CURLS``.
    years: anny's age in [0, 1]; girth: mean radius of the waist over height. Age and build are told from them.
    """

    rest: np.ndarray
    joints: np.ndarray
    sex: str
    age: str
    height: float
    build: str
    hands: np.ndarray
    years: float
    girth: float


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
    spread = {"muscle": (0.25, 0.75), "proportions": (0.35, 0.9)}
    height = np.where(kind == 0, rng.uniform(0.15, 0.5, count), rng.uniform(0.25, 0.55, count))
    weight = np.where(rng.random(count) < 0.3, rng.uniform(0.9, 1.0, count), rng.uniform(0.05, 0.75, count))
    drawn = {"gender": gender, "age": age, "weight": weight, "height": height}
    return {**drawn, **{k: rng.uniform(*v, count) for k, v in spread.items()}}


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
    """Shape ``count`` bodies and, last, the average one; takes about a minute once anny's own cache stands."""
    import torch

    model, rng = _anny(), np.random.default_rng(seed)
    labels = list(model.bone_labels)
    index, weight = model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy()
    phenotypes = _phenotypes(count, rng)
    shapes = {k: torch.tensor(np.append(v, AVERAGE[k])) for k, v in phenotypes.items()}
    with torch.no_grad():
        average = model(phenotype_kwargs={k: v[-1:] for k, v in shapes.items()})["rest_vertices"][0].numpy()
    fingers = np.isin(index, [i for i, name in enumerate(labels) if name.startswith("finger")])
    in_hand = (weight * fingers).sum(1) > 1e-4
    kept, faces = decimate(average, model.faces.numpy(), _edge_lengths(average, in_hand))
    hands = np.flatnonzero(in_hand[kept])
    near_hands = kept[hands]
    merged = _merge(labels, [int(p) for p in model.bone_parents])
    rows = [labels.index(name) for name in JOINTS + MARKS]
    rests, heads, curls = [], [], []
    with torch.no_grad():
        for start in range(0, count + 1, 16):
            out = model(phenotype_kwargs={k: v[start : start + 16] for k, v in shapes.items()})
            rest, bones = out["rest_vertices"].numpy(), out["rest_bone_heads"].numpy()
            rests.append(rest[:, kept])
            heads.append(bones[:, rows])
            bend = [curl(rest[:, near_hands], bones, labels, index[near_hands], weight[near_hands], s) for s in CURLS]
            curls.append(np.stack(bend, 1))
    rest, joints = np.concatenate(rests), np.concatenate(heads)
    low = rest[:, :, 2].min(1)[:, None]
    rest[:, :, 2] -= low
    joints[:, :, 2] -= low
    bones4, shares4 = _four(merged[index[kept]], weight[kept])
    dense = np.zeros((len(kept), len(JOINTS)))
    np.put_along_axis(dense, bones4.astype(int), shares4, 1)
    trunk = make_tubes(rest[-1], joints[-1], dense)["trunk"]
    girth = [
        fit(trunk, r, j, joints[-1]).radius[WAIST].mean() / r[:, 2].max() for r, j in zip(rest, joints, strict=True)
    ]
    return {
        "faces": faces.astype(np.uint16),
        "bones": bones4,
        "shares": shares4.astype(np.float16),
        "hands": hands.astype(np.uint16),
        "rest": np.rint(rest / UNIT).astype(np.int16),
        "joints": joints.astype(np.float32),
        "curls": np.rint(np.concatenate(curls) / UNIT).astype(np.int16),
        "gender": phenotypes["gender"].astype(np.float32),
        "age": phenotypes["age"].astype(np.float32),
        "girth": np.array(girth[:-1], np.float32),
    }


def _edge_lengths(average: np.ndarray, in_hand: np.ndarray) -> np.ndarray:
    """How long edges should be at each vertex, metres: short on faces and fingers."""
    x, y, z = average.T - np.array([[0], [0], [average[:, 2].min()]])
    size = np.where(z < 0.1, 0.016, 0.027)
    head = (z > 1.57) & (np.abs(x) < 0.12)
    size[head] = np.where(y[head] < -0.06, 0.0085, 0.016)
    size[in_hand] = 0.0085
    return size


def _four(joints: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The four strongest of ``JOINTS`` at each vertex and their shares, both (V, 4)."""
    dense = np.zeros((len(joints), len(JOINTS)))
    np.add.at(dense, (np.arange(len(joints))[:, None], joints), weight)
    order = np.argsort(-dense, 1, kind="stable")[:, :4]
    shares = np.take_along_axis(dense, order, 1)
    return order.astype(np.uint8), shares / shares.sum(1, keepdims=True)


def load_bank(split: str, *, cache_dir: Path | None = None, count: int | None = None) -> tuple[Rig, list[Body]]:
    """The bodies of ``split``, made once and cached; two processes may call this at the same time.

    Args:
        split: One of ``BANK``; each has its own bodies.
        cache_dir: Where the bank lies; ``~/.cache/refatomnet/bodies-4`` by default.
        count: Fewer bodies than usual, for tests.
    """
    if split not in BANK:
        raise ValueError(f"unknown split {split!r}; expected one of {sorted(BANK)}")
    usual, seed = BANK[split]
    count = count or usual
    folder = Path(cache_dir) if cache_dir else Path.home() / ".cache" / "refatomnet" / f"bodies-{FORMAT}"
    path = folder / f"{split}-{count}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        bank: dict[str, Any] = make_bank(count, seed)
        handle, name = tempfile.mkstemp(suffix=".npz", dir=folder)
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, **bank)
        os.replace(name, path)
    with np.load(path) as file:
        bank = dict(file)
    bank["rest"], bank["curls"] = (bank[k].astype(np.float32) * np.float32(UNIT) for k in ("rest", "curls"))
    shares = bank["shares"].astype(np.float32)
    weights = np.zeros((len(shares), len(JOINTS)), np.float32)
    np.put_along_axis(weights, bank["bones"].astype(int), shares, 1)
    weights /= weights.sum(1, keepdims=True)
    hands = bank["hands"].astype(np.int64)
    faces, canon, joints = bank["faces"].astype(np.int32), bank["rest"][-1], bank["joints"][-1]
    rig = Rig(
        faces, weights, canon, joints, hands, make_tubes(canon, joints, weights), *neighbours(faces, len(weights))
    )
    return rig, [_body(bank, i) for i in range(count)]


def _body(bank: dict[str, np.ndarray], i: int) -> Body:
    """Row ``i`` of a bank with its description."""
    sex = "woman" if bank["gender"][i] > 0.5 else "man"
    years, girth = float(bank["age"][i]), float(bank["girth"][i])
    return _describe(bank["rest"][i], bank["joints"][i], bank["curls"][i], sex, years, girth)


def _describe(rest: np.ndarray, joints: np.ndarray, hands: np.ndarray, sex: str, years: float, girth: float) -> Body:
    age = "child" if years < 0.45 else "adult" if years < 0.82 else "old"
    build = "slim" if girth < SLIM else "average" if girth < HEAVY else "heavy"
    return Body(rest, joints, sex, age, float(rest[:, 2].max()), build, hands, years, girth)


def blend_bodies(
    bodies: list[Body], rng: np.random.Generator, *, sex: str | None = None, age: str | None = None
) -> Body:
    """Somebody new: a mixture of two bodies of the same sex and age, a little larger or smaller.

    Args:
        bodies: The bank of one split.
        rng: Where chance comes from.
        sex: "man" or "woman"; either by default.
        age: "child", "adult" or "old"; any by default.

    Raises:
        ValueError: If the bank has nobody of that sex and age.
    """
    able = [b for b in bodies if sex in (None, b.sex) and age in (None, b.age)]
    if not able:
        raise ValueError(f"no body of sex {sex!r} and age {age!r} among {len(bodies)}")
    first = able[rng.integers(len(able))]
    kin = [b for b in able if b is not first and (b.sex, b.age) == (first.sex, first.age)] or [first]
    others = [b for b in kin if b.build == first.build] or kin
    second = others[rng.integers(len(others))]
    w, scale = np.float32(rng.uniform(0.25, 0.75)), np.float32(rng.uniform(0.975, 1.025))
    mix = lambda a, b: a * w + b * (1 - w)  # noqa: E731
    rest, joints = scale * mix(first.rest, second.rest), scale * mix(first.joints, second.joints)
    hands = scale * mix(first.hands, second.hands)
    return _describe(
        rest, joints, hands, first.sex, float(mix(first.years, second.years)), float(mix(first.girth, second.girth))
    )


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Smooth unit normals of meshes (..., V, 3), float32."""
    flat = np.ascontiguousarray(vertices, np.float32).reshape(-1, vertices.shape[-2], 3)
    return _normals(flat, np.ascontiguousarray(faces, np.int32)).reshape(vertices.shape)


@njit(cache=True)
def _normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    out = np.zeros(vertices.shape, np.float32)
    for t in range(len(vertices)):
        p, n = vertices[t], out[t]
        for k in range(len(faces)):
            i, j, m = faces[k, 0], faces[k, 1], faces[k, 2]
            ax, ay, az = p[j, 0] - p[i, 0], p[j, 1] - p[i, 1], p[j, 2] - p[i, 2]
            bx, by, bz = p[m, 0] - p[i, 0], p[m, 1] - p[i, 1], p[m, 2] - p[i, 2]
            x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
            for v in (i, j, m):
                n[v, 0] += x
                n[v, 1] += y
                n[v, 2] += z
        for v in range(n.shape[0]):
            length = np.sqrt(n[v, 0] ** 2 + n[v, 1] ** 2 + n[v, 2] ** 2) + np.float32(1e-12)
            for axis in range(3):
                n[v, axis] /= length
    return out


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
    offset = positions - np.einsum("tjab,jb->tja", rotations, joints)
    affine = np.ascontiguousarray(np.concatenate([rotations, offset[..., None]], -1), np.float32)
    return _skin(np.ascontiguousarray(points, np.float32), np.ascontiguousarray(weights, np.float32), affine)


@njit(cache=True)
def _skin(points: np.ndarray, weights: np.ndarray, affine: np.ndarray) -> np.ndarray:
    frames, joints = affine.shape[:2]
    out = np.empty((frames, len(points), 3), np.float32)
    mine, share = np.empty(joints, np.int64), np.empty(joints, np.float32)
    for v in range(len(points)):
        count = 0
        for j in range(joints):
            if weights[v, j] > 0:
                mine[count], share[count] = j, weights[v, j]
                count += 1
        x, y, z = points[v, 0], points[v, 1], points[v, 2]
        for t in range(frames):
            for a in range(3):
                total = np.float32(0)
                for k in range(count):
                    m = affine[t, mine[k], a]
                    total += share[k] * (m[0] * x + m[1] * y + m[2] * z + m[3])
                out[t, v, a] = total
    return out
