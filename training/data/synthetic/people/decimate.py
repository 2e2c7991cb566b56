"""Fewer triangles for a closed mesh: edges are collapsed onto one of their ends, so that what is left is a subset."""

import heapq

import numpy as np


def decimate(vertices: np.ndarray, faces: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Collapse edges until they are about as long as wanted, flat places first.

    Args:
        vertices: Points (V, 3).
        faces: Triangles (F, 3) of a manifold.
        size: Wanted edge length at each vertex (V,), metres.

    Returns:
        Indices of the kept vertices (K,), ascending, and the triangles (G, 3) among them.
    """
    quadrics = _quadrics(vertices, faces)
    around: list[set[int]] = [set() for _ in vertices]  # triangles at each vertex
    triangles = [tuple(int(i) for i in f) for f in faces]
    for k, triangle in enumerate(triangles):
        for i in triangle:
            around[i].add(k)
    alive, stamp = np.ones(len(vertices), bool), np.zeros(len(vertices), int)

    def cost(keep: int, gone: int) -> float:
        point = np.append(vertices[keep], 1.0)
        bulge = max(point @ (quadrics[gone] + quadrics[keep]) @ point, 0.0) / min(size[gone], size[keep]) ** 4
        length = np.linalg.norm(vertices[keep] - vertices[gone]) / min(size[gone], size[keep])
        return float(length**2 + 4 * bulge)

    heap: list[tuple[float, int, int, int, int]] = []

    def push(a: int, b: int) -> None:
        for keep, gone in ((a, b), (b, a)):
            value = cost(keep, gone)
            if value < 1:
                heapq.heappush(heap, (value, keep, gone, int(stamp[keep]), int(stamp[gone])))

    edges = {tuple(sorted((t[i], t[i - 1]))) for t in triangles for i in range(3)}
    for a, b in sorted(edges):
        push(a, b)
    while heap:
        _, keep, gone, s, t = heapq.heappop(heap)
        if not (alive[keep] and alive[gone]) or stamp[keep] != s or stamp[gone] != t:
            continue
        shared, moved = around[keep] & around[gone], around[gone] - around[keep]
        near = lambda v: {i for k in around[v] for i in triangles[k]} - {v}  # noqa: E731
        if len(shared) != 2 or len(near(keep) & near(gone)) != 2 or _flips(vertices, triangles, moved, gone, keep):
            continue
        for k in shared:
            for i in triangles[k]:
                around[i].discard(k)
        for k in moved:
            triangles[k] = tuple(keep if i == gone else i for i in triangles[k])
            around[keep].add(k)
        alive[gone], quadrics[keep] = False, quadrics[keep] + quadrics[gone]
        stamp[keep] += 1
        for i in sorted(near(keep)):
            push(keep, i)
    left = sorted({k for v in np.flatnonzero(alive) for k in around[v]})
    kept = np.flatnonzero(alive)
    return kept, np.searchsorted(kept, np.array([triangles[k] for k in left])).astype(np.int32)


def _quadrics(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Squared distance to the planes around each vertex, weighted by area, as forms (V, 4, 4)."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1, keepdims=True)
    normal /= area + 1e-12
    plane = np.concatenate([normal, -(normal * a).sum(1, keepdims=True)], 1)
    form = plane[:, :, None] * plane[:, None] * area[:, :, None] / 2
    out = np.zeros((len(vertices), 4, 4))
    for k in range(3):
        np.add.at(out, faces[:, k], form)
    return out


def _flips(vertices: np.ndarray, triangles: list, moved: set[int], gone: int, keep: int) -> bool:
    """Whether a triangle would turn over or become a needle if ``gone`` went to ``keep``."""
    for k in moved:
        old = vertices[list(triangles[k])]
        new = vertices[[keep if i == gone else i for i in triangles[k]]]
        before, after = (np.cross(p[1] - p[0], p[2] - p[0]) for p in (old, new))
        size = np.linalg.norm(after)
        longest = max(((new[i] - new[i - 1]) ** 2).sum() for i in range(3))
        if before @ after < 0.3 * np.linalg.norm(before) * size or size < 0.08 * longest:
            return True
    return False
