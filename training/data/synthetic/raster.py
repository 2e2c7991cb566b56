"""A z-buffer: triangles to pixels, in perspective for the camera and in parallel for the light; all in plain loops.

Vertices come in projected: (x w, y w, w) in pixels, w the depth; pixel (0, 0) has its centre at (0.5, 0.5).
"""

import numpy as np
from numba import njit

NEAR = 0.06  # metres
FAR = np.float32(1e3)


class Buffer:
    """What is nearest in each pixel (H, W): triangle (-1: none), 1 / depth, and barycentric weights of corners 1, 2."""

    def __init__(self, width: int, height: int) -> None:
        self.face = np.full((height, width), -1, np.int32)
        self.inverse = np.zeros((height, width), np.float32)
        self.u = np.zeros((height, width), np.float32)
        self.v = np.zeros((height, width), np.float32)

    def draw(self, points: np.ndarray, faces: np.ndarray) -> None:
        """Draw projected triangles into the emptied buffer; points (V, 3) float64, faces (F, 3) int32."""
        self.face.fill(-1)
        self.inverse.fill(0)
        _draw(points, faces, self.face, self.inverse, self.u, self.v)

    def hits(self, focal: float) -> "Hits":
        """The covered pixels."""
        return Hits(*_hits(self.face, self.inverse, self.u, self.v, focal))


class Hits:
    """N covered pixels: ``x``, ``y``, ``face``, weights ``u``, ``v`` of corners 1 and 2, ``distance`` from the eye."""

    def __init__(self, x, y, face, u, v, distance) -> None:
        self.x, self.y, self.face, self.u, self.v, self.distance = x, y, face, u, v, distance

    def __len__(self) -> int:
        return len(self.x)

    def take(self, chosen: np.ndarray) -> "Hits":
        """Some of them."""
        return Hits(*(a[chosen] for a in (self.x, self.y, self.face, self.u, self.v, self.distance)))


@njit(cache=True)
def _draw(points, faces, ids, inverse, bu, bv):
    height, width = ids.shape
    for f in range(len(faces)):
        a, b, c = points[faces[f, 0]], points[faces[f, 1]], points[faces[f, 2]]
        if a[2] < NEAR and b[2] < NEAR and c[2] < NEAR:
            continue
        x0, y0, x1, y1 = 0, 0, width, height
        if a[2] > NEAR and b[2] > NEAR and c[2] > NEAR:
            xa, xb, xc = a[0] / a[2], b[0] / b[2], c[0] / c[2]
            ya, yb, yc = a[1] / a[2], b[1] / b[2], c[1] / c[2]
            low, high = min(xa, xb, xc), max(xa, xb, xc)
            if high < 0 or low > width:
                continue
            x0, x1 = max(int(np.ceil(low - 0.5)), 0), min(int(np.floor(high - 0.5)) + 1, width)
            low, high = min(ya, yb, yc), max(ya, yb, yc)
            if high < 0 or low > height:
                continue
            y0, y1 = max(int(np.ceil(low - 0.5)), 0), min(int(np.floor(high - 0.5)) + 1, height)
            if x0 >= x1 or y0 >= y1:
                continue
        # rows of the inverse of (a b c): each is 1 at its own corner over w, 0 on the opposite edge
        r00, r01, r02 = b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]
        det = a[0] * r00 + a[1] * r01 + a[2] * r02
        if abs(det) < 1e-12:
            continue
        r10, r11, r12 = c[1] * a[2] - c[2] * a[1], c[2] * a[0] - c[0] * a[2], c[0] * a[1] - c[1] * a[0]
        r20, r21, r22 = a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
        d = 1.0 / det
        for y in range(y0, y1):
            py, px = y + 0.5, x0 + 0.5
            e0 = (r00 * px + r01 * py + r02) * d
            e1 = (r10 * px + r11 * py + r12) * d
            e2 = (r20 * px + r21 * py + r22) * d
            for x in range(x0, x1):
                if e0 >= -1e-9 and e1 >= -1e-9 and e2 >= -1e-9:
                    near = e0 + e1 + e2
                    if near > inverse[y, x] and near < 1 / NEAR:
                        inverse[y, x] = near
                        ids[y, x] = f
                        bu[y, x] = e1 / near
                        bv[y, x] = e2 / near
                e0 += r00 * d
                e1 += r10 * d
                e2 += r20 * d


@njit(cache=True)
def _hits(ids, inverse, bu, bv, focal):
    height, width = ids.shape
    count = 0
    for y in range(height):
        for x in range(width):
            count += ids[y, x] >= 0
    xs, ys, face = np.empty(count, np.int32), np.empty(count, np.int32), np.empty(count, np.int32)
    u, v, distance = np.empty(count, np.float32), np.empty(count, np.float32), np.empty(count, np.float32)
    n = 0
    for y in range(height):
        for x in range(width):
            if ids[y, x] >= 0:
                xs[n], ys[n], face[n], u[n], v[n] = x, y, ids[y, x], bu[y, x], bv[y, x]
                a, b = (x + 0.5 - width / 2) / focal, (y + 0.5 - height / 2) / focal
                distance[n] = np.sqrt(a * a + b * b + 1) / inverse[y, x]
                n += 1
    return xs, ys, face, u, v, distance


@njit(cache=True)
def extent(points, faces, width, height):
    """Box of the projected mesh clamped to the frame (x1, y1, x2, y2; NaN where it is outside).

    And the share of its projected area that lies inside.
    """
    box = np.array([1e9, 1e9, -1e9, -1e9])
    for i in range(len(points)):
        if points[i, 2] > NEAR:
            x, y = points[i, 0] / points[i, 2], points[i, 1] / points[i, 2]
            box[0], box[1], box[2], box[3] = min(box[0], x), min(box[1], y), max(box[2], x), max(box[3], y)
    box[0], box[2] = min(max(box[0], 0), width), min(max(box[2], 0), width)
    box[1], box[3] = min(max(box[1], 0), height), min(max(box[3], 0), height)
    if box[2] - box[0] < 0.5 or box[3] - box[1] < 0.5:
        return np.full(4, np.nan), 0.0
    total, inside = 0.0, 0.0
    for f in range(len(faces)):
        a, b, c = points[faces[f, 0]], points[faces[f, 1]], points[faces[f, 2]]
        if a[2] < NEAR or b[2] < NEAR or c[2] < NEAR:
            continue
        xa, ya, xb, yb = a[0] / a[2], a[1] / a[2], b[0] / b[2], b[1] / b[2]
        xc, yc = c[0] / c[2], c[1] / c[2]
        area = abs((xb - xa) * (yc - ya) - (yb - ya) * (xc - xa))
        x, y = (xa + xb + xc) / 3, (ya + yb + yc) / 3
        total += area
        if x > 0 and x < width and y > 0 and y < height:
            inside += area
    return box, inside / max(total, 1e-6)


class Lamp:
    """A light from one direction, and what it meets first: a picture from the light's side, ``size`` texels square.

    Args:
        toward: Unit vector to the light (3,).
        low: Corner of the world's part to be shadowed (3,).
        high: The opposite corner (3,).
        size: Texels along one side.
    """

    def __init__(self, toward: np.ndarray, low: np.ndarray, high: np.ndarray, size: int) -> None:
        right = np.cross([0.0, 0.0, 1.0], toward)
        right /= np.linalg.norm(right) + 1e-9
        axes = np.stack([right, np.cross(toward, right), toward])  # rows: texel x, texel y, height towards the light
        corners = np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
        seen = corners @ axes.T
        a, b = seen[:, :2].min(0), seen[:, :2].max(0)
        scale = size / np.maximum(b - a, 0.5)
        self.matrix = np.concatenate([axes[:2] * scale[:, None], axes[2:]]).astype(np.float64)
        self.shift = np.append(-a * scale, 0.0)
        self.size = size
        self.map = np.empty((size, size), np.float32)

    def cast(self, meshes: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Draw what keeps the light off: meshes of (V, 3), (F, 3)."""
        self.map.fill(-FAR)
        for vertices, faces in meshes:
            _cast(vertices @ self.matrix.T + self.shift, faces, self.map)


@njit(cache=True)
def _cast(points, faces, nearest):
    size = len(nearest)
    for f in range(len(faces)):
        a, b, c = points[faces[f, 0]], points[faces[f, 1]], points[faces[f, 2]]
        x0, x1 = max(int(np.ceil(min(a[0], b[0], c[0]) - 0.5)), 0), min(int(max(a[0], b[0], c[0]) + 0.5), size)
        y0, y1 = max(int(np.ceil(min(a[1], b[1], c[1]) - 0.5)), 0), min(int(max(a[1], b[1], c[1]) + 0.5), size)
        if x0 >= x1 or y0 >= y1:
            continue
        det = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        if abs(det) < 1e-9:
            continue
        for y in range(y0, y1):
            for x in range(x0, x1):
                px, py = x + 0.5 - a[0], y + 0.5 - a[1]
                u = (px * (c[1] - a[1]) - (c[0] - a[0]) * py) / det
                v = ((b[0] - a[0]) * py - px * (b[1] - a[1])) / det
                if u >= -1e-9 and v >= -1e-9 and u + v <= 1 + 1e-9:
                    h = a[2] + u * (b[2] - a[2]) + v * (c[2] - a[2])
                    if h > nearest[y, x]:
                        nearest[y, x] = h


@njit(cache=True)
def shadow(points, nearest, matrix, shift, bias):
    """How much of the light is kept from points (N, 3): in [0, 1], soft over two texels."""
    size = len(nearest)
    out = np.zeros(len(points), np.float32)
    for i in range(len(points)):
        p = points[i]
        x = matrix[0, 0] * p[0] + matrix[0, 1] * p[1] + matrix[0, 2] * p[2] + shift[0] - 0.5
        y = matrix[1, 0] * p[0] + matrix[1, 1] * p[1] + matrix[1, 2] * p[2] + shift[1] - 0.5
        h = matrix[2, 0] * p[0] + matrix[2, 1] * p[1] + matrix[2, 2] * p[2] + bias
        if x < 0 or y < 0 or x >= size - 1 or y >= size - 1:
            continue
        j, k = int(y), int(x)
        a, b = np.float32(x - k), np.float32(y - j)
        top = (nearest[j, k] > h) * (1 - a) + (nearest[j, k + 1] > h) * a
        low = (nearest[j + 1, k] > h) * (1 - a) + (nearest[j + 1, k + 1] > h) * a
        out[i] = top * (1 - b) + low * b
    return out


@njit(cache=True)
def lit(normals, toward, sun, ambient, kept):
    """Light (N, 3) on surfaces: soft Lambert from one side, more sky than ground; ``kept`` (N,) is in the shadow."""
    out = np.empty((len(normals), 3), np.float32)
    for i in range(len(normals)):
        n = normals[i]
        direct = (n[0] * toward[0] + n[1] * toward[1] + n[2] * toward[2] + 0.15) / 1.15
        direct = max(direct, 0.0) * (1 - 0.85 * kept[i])
        sky = 0.72 + 0.28 * n[2]
        for c in range(3):
            out[i, c] = direct * sun[c] + sky * ambient[c]
    return out


@njit(cache=True)
def surface(face, u, v, faces, vertices, normals, smooth, eye):
    """World points and normals (N, 3), turned to the eye; faces that are not ``smooth`` (F,) keep their flat normal."""
    count = len(face)
    points, out = np.empty((count, 3), np.float32), np.empty((count, 3), np.float32)
    for i in range(count):
        a, b, c = faces[face[i], 0], faces[face[i], 1], faces[face[i], 2]
        wa, wb, wc = 1 - u[i] - v[i], u[i], v[i]
        for k in range(3):
            points[i, k] = wa * vertices[a, k] + wb * vertices[b, k] + wc * vertices[c, k]
        if smooth[face[i]]:
            for k in range(3):
                out[i, k] = wa * normals[a, k] + wb * normals[b, k] + wc * normals[c, k]
        else:
            p, q, r = vertices[a], vertices[b], vertices[c]
            out[i, 0] = (q[1] - p[1]) * (r[2] - p[2]) - (q[2] - p[2]) * (r[1] - p[1])
            out[i, 1] = (q[2] - p[2]) * (r[0] - p[0]) - (q[0] - p[0]) * (r[2] - p[2])
            out[i, 2] = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
        length, toward = 0.0, 0.0
        for k in range(3):
            length += out[i, k] * out[i, k]
            toward += out[i, k] * (eye[k] - points[i, k])
        length = np.sqrt(length) + 1e-12
        # a smooth normal may look a little away at the rim; only one that looks back is turned
        limit = (
            -0.3
            * length
            * np.sqrt((eye[0] - points[i, 0]) ** 2 + (eye[1] - points[i, 1]) ** 2 + (eye[2] - points[i, 2]) ** 2)
        )
        sign = -1.0 if toward < (limit if smooth[face[i]] else 0.0) else 1.0
        for k in range(3):
            out[i, k] = sign * out[i, k] / length
    return points, out


@njit(cache=True)
def compose(x, y, distance, who, depth, owner):
    """Put one person's pixels (N,) into a frame's distances and owners (H, W) where they are nearest."""
    for i in range(len(x)):
        if distance[i] < depth[y[i], x[i]]:
            depth[y[i], x[i]] = distance[i]
            owner[y[i], x[i]] = who


@njit(cache=True)
def bounds(labels, boxes, area):
    """Boxes (n, 4) and areas (n,) of the pixels (H, W) labelled 0 … n - 1, in place; x2 and y2 are exclusive."""
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            k = labels[y, x]
            if k >= 0 and k < len(area):
                area[k] += 1
                boxes[k, 0], boxes[k, 1] = min(boxes[k, 0], x), min(boxes[k, 1], y)
                boxes[k, 2], boxes[k, 3] = max(boxes[k, 2], x + 1), max(boxes[k, 3], y + 1)


@njit(cache=True)
def darken(image, ratio, depth, focal, eye, turn, nearest, matrix, shift, ground, corner, cell):
    """Shadows of people on the still place, in place: off the lamp, and close over the floor under bodies.

    Args:
        image: Linear colours (H, W, 3).
        ratio: What is left of each pixel's light without the lamp (H, W).
        depth: Distances (H, W).
        focal: Of the camera, pixels.
        eye: Of the camera (3,).
        turn: Camera to world (3, 3).
        nearest: Of a ``Lamp`` that people are cast on; with its ``matrix`` and ``shift``.
        ground: How close bodies are over the floor (G, G), 0 far to 1 touching; ``corner`` (2,), ``cell`` metres.
    """
    height, width = depth.shape
    size, grid = len(nearest), len(ground)
    for row in range(height):
        for column in range(width):
            far = depth[row, column]
            if far > 60:
                continue
            u, v = (column + 0.5 - width / 2) / focal, (row + 0.5 - height / 2) / focal
            far /= np.sqrt(u * u + v * v + 1)
            px = eye[0] + far * (turn[0, 0] * u + turn[0, 1] * v + turn[0, 2])
            py = eye[1] + far * (turn[1, 0] * u + turn[1, 1] * v + turn[1, 2])
            pz = eye[2] + far * (turn[2, 0] * u + turn[2, 1] * v + turn[2, 2])
            x = matrix[0, 0] * px + matrix[0, 1] * py + matrix[0, 2] * pz + shift[0] - 0.5
            y = matrix[1, 0] * px + matrix[1, 1] * py + matrix[1, 2] * pz + shift[1] - 0.5
            h = matrix[2, 0] * px + matrix[2, 1] * py + matrix[2, 2] * pz + 0.04
            keep = 1.0
            if x >= 0 and y >= 0 and x < size - 1 and y < size - 1:
                j, k = int(y), int(x)
                a, b = x - k, y - j
                top = (nearest[j, k] > h) * (1 - a) + (nearest[j, k + 1] > h) * a
                low = (nearest[j + 1, k] > h) * (1 - a) + (nearest[j + 1, k + 1] > h) * a
                keep = 1 - (top * (1 - b) + low * b) * (1 - ratio[row, column])
            if pz < 0.06:
                gx, gy = (px - corner[0]) / cell - 0.5, (py - corner[1]) / cell - 0.5
                if gx >= 0 and gy >= 0 and gx < grid - 1 and gy < grid - 1:
                    j, k = int(gy), int(gx)
                    a, b = gx - k, gy - j
                    near = (ground[j, k] * (1 - a) + ground[j, k + 1] * a) * (1 - b)
                    near += (ground[j + 1, k] * (1 - a) + ground[j + 1, k + 1] * a) * b
                    keep *= 1 - 0.6 * near
            for c in range(3):
                image[row, column, c] *= keep
