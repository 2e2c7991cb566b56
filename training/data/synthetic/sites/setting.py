"""A place while it is furnished: what stands where, along which wall, and whether it leaves people to be seen."""

from dataclasses import dataclass, field

import numpy as np

from ..deeds.props import cuboid
from .furniture import Mesh, moved
from .materials import Draw, Material, Shading, paint, paint_sky

Disc = tuple[float, float, float]


@dataclass(frozen=True)
class View:
    """What the camera sees: tangent of half the horizontal angle, height, and how far away people stand, in metres."""

    half_width: float
    height: float
    near: float
    far: float


@dataclass
class Wall:
    """A wall as it is furnished. side: "back", "left" or "right"; at: its y or x; start, end: the part in view.

    first, last: where the wall itself begins and ends.
    """

    side: str
    at: float
    start: float
    end: float
    first: float
    last: float
    low: list[tuple[float, float]] = field(default_factory=list)
    high: list[tuple[float, float]] = field(default_factory=list)

    def reserve(self, width: float, rng: Draw, *, low: bool, high: bool, margin: float = 0.12) -> float | None:
        """The middle of a free stretch of wall, now taken; None where none was found."""
        a = max(self.start + 0.3 * width, self.first + width / 2 + 0.05)
        b = min(self.end - 0.3 * width, self.last - width / 2 - 0.05)
        if a > b:
            return None
        used = (self.low if low else []) + (self.high if high else [])
        for _ in range(10):
            c = rng.uniform(a, b)
            if all(c + width / 2 + margin < a or c - width / 2 - margin > b for a, b in used):
                for spans, wanted in ((self.low, low), (self.high, high)):
                    if wanted:
                        spans.append((c - width / 2, c + width / 2))
                return float(c)
        return None


@dataclass
class Place:
    """Meshes with materials; the index of a mesh is its object id, and object 0 is the floor.

    light: unit vector towards the sun or lamp; sun, ambient: its colour and that of the light from everywhere.
    sky: linear colours of horizon and zenith; clouds in [0, 1].
    grounds: ids of what lies flat on the floor, where people's shadows fall too.
    named: object id -> (name, colour) of what may be spoken of.
    taken: discs (x, y, r) on which nothing more may stand; ``people`` are those that were there first.
    """

    kind: str
    light: np.ndarray
    sun: np.ndarray
    ambient: np.ndarray
    sky: tuple[np.ndarray, np.ndarray]
    meshes: list[Mesh] = field(default_factory=list)
    materials: list[Material] = field(default_factory=list)
    named: dict[int, tuple[str, str | None]] = field(default_factory=dict)
    taken: list[Disc] = field(default_factory=list)
    inside: bool = False
    night: bool = False
    clouds: float = 0.5
    texture_seed: int = 0
    view: View = field(default_factory=lambda: View(0.6, 1.5, 3.0, 4.0))
    shading: Shading = field(default_factory=Shading)
    grounds: list[int] = field(default_factory=list)
    people: list[Disc] = field(default_factory=list)

    @property
    def emission(self) -> np.ndarray:
        """Light that objects (M,) give off, times their albedo."""
        return np.array([m.emission for m in self.materials], np.float32)

    @property
    def triangles(self) -> int:
        return sum(len(faces) for _, faces in self.meshes)

    def paint(self, ids: np.ndarray, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Albedo (N, 3) in [0, 1.2] at points (N, 3) of objects ids (N,) with unit normals (N, 3)."""
        return paint(self.materials, ids, points, normals, shading=self.shading, texture_seed=self.texture_seed)

    def paint_sky(self, directions: np.ndarray) -> np.ndarray:
        """Linear colours (N, 3) of the sky along unit directions (N, 3)."""
        return paint_sky(directions, self.sky, clouds=self.clouds, texture_seed=self.texture_seed)

    def add(self, mesh: Mesh, material: Material, name: str | None = None, colour: str | None = None) -> int:
        """Add a mesh that stands in the world; what is too small or out of view gets no name."""
        self.meshes.append((mesh[0], mesh[1].astype(np.int32, copy=False)))
        self.materials.append(material)
        index = len(self.meshes) - 1
        if name and self._shows(mesh[0]):
            self.named[index] = (name, colour)
        return index

    def put(
        self,
        mesh: Mesh,
        material: Material,
        at: tuple[float, ...],
        turn: float = 0.0,
        name: str | None = None,
        colour: str | None = None,
    ) -> int:
        """Add a mesh made around the origin."""
        return self.add(moved(mesh, at, turn), material, name, colour)

    def ground(self, x0: float, x1: float, y0: float, y1: float, material: Material, z: float = 0.012) -> int:
        """Something flat on the floor: a rug, a road, a path."""
        index = self.add(cuboid((x1 - x0, y1 - y0, 0.01), ((x0 + x1) / 2, (y0 + y1) / 2, z - 0.005)), material)
        material.at, material.size = (x0, y0, 0.0), (x1 - x0, y1 - y0)
        self.grounds.append(index)
        return index

    def _shows(self, points: np.ndarray) -> bool:
        """Whether it is large enough, and near enough to the middle, to be spoken of."""
        p = points[points[:, 1] > 0.3]
        if len(p) < len(points):
            return False
        x, z = p[:, 0] / p[:, 1] / self.view.half_width, (p[:, 2] - self.view.height) / p[:, 1] / self.view.half_width
        seen = min(x.max(), 1.0) - max(x.min(), -1.0)
        whole = max(x.max() - x.min(), 1e-6)
        return bool(seen > 0.6 * whole and seen * (z.max() - z.min()) > 0.02 and min(seen, z.max() - z.min()) > 0.06)

    def free(self, x: float, y: float, r: float) -> bool:
        return all((x - a) ** 2 + (y - b) ** 2 > (r + c) ** 2 for a, b, c in self.taken)

    def holds(self, x: float, y: float, margin: float = 0.2) -> bool:
        """Whether (x, y) lies within the walls."""
        x0, x1, back, _ = self.shading.room
        return x0 + margin < x < x1 - margin and y < back - margin

    def fits(self, x: float, y: float, w: float, d: float, h: float) -> bool:
        """Whether a box w by d, h high, at (x, y) stands on nobody's feet and hides nobody's upper half."""
        for a, b, r in self.taken:
            dx, dy = max(abs(x - a) - w / 2, 0.0), max(abs(y - b) - d / 2, 0.0)
            if dx * dx + dy * dy < (r + 0.06) ** 2:
                return False
        return y + d / 2 < 0.3 or not self.hides(x, y, w, h)

    def hides(self, x: float, y: float, w: float, h: float, limit: float = 0.75) -> bool:
        """Whether something h high at (x, y) covers people behind it above ``limit`` metres; narrow things may."""
        if w < 0.16:
            return False
        for a, b, r in self.people:
            if b > y and abs(a / b - x / y) < w / 2 / y + 0.5 * r / b:
                top = self.view.height + (h - self.view.height) * b / y
                if top > limit:
                    return True
        return False

    def claim(self, x: float, y: float, w: float, d: float, *, stain: bool = True) -> None:
        """Take the ground under a box, and darken it."""
        n = max(round(max(w, d) / max(min(w, d), 0.25)), 1)
        for k in range(n):
            s = (k + 0.5) / n - 0.5
            self.taken.append((x + s * w * (w >= d), y + s * d * (d > w), 0.5 * max(min(w, d), max(w, d) / n)))
        if stain:
            self.shading.stains.append((x, y, w / 2, d / 2))

    def spot(self, w: float, d: float, h: float, rng: Draw, *, y0: float, y1: float, edge: float = 1.0) -> Disc | None:
        """Free ground in view for a box between distances y0 and y1, now taken: (x, y, 0); None where none is left."""
        x0, x1, back, _ = self.shading.room
        for _ in range(14):
            y = rng.uniform(y0, max(y1, y0 + 0.1))
            reach = self.view.half_width * y * edge
            x = rng.uniform(max(-reach, x0 + w / 2 + 0.05), max(min(reach, x1 - w / 2 - 0.05), -reach + 0.1))
            if x - w / 2 > x0 and x + w / 2 < x1 and y + d / 2 < back and self.fits(x, y, w, d, h):
                self.claim(x, y, w, d)
                return float(x), float(y), 0.0
        return None

    def against(self, wall: Wall, w: float, d: float, h: float, rng: Draw) -> tuple[tuple[float, float], float] | None:
        """Ground for a box w wide and d deep along a wall, now taken: its middle and the turn that faces the room."""
        for _ in range(3):
            kept = list(wall.low), list(wall.high)
            c = wall.reserve(w, rng, low=True, high=h > 1.15)
            if c is None:
                return None
            x, y, turn = on_wall(wall, c, d / 2)
            size = (w, d) if wall.side == "back" else (d, w)
            if y > 0.5 and self.fits(x, y, *size, h):
                self.claim(x, y, *size)
                return (x, y), turn
            wall.low, wall.high = kept
        return None

    def panel(
        self,
        wall: Wall,
        material: Material,
        centre: float,
        width: float,
        z0: float,
        z1: float,
        *,
        deep: float = 0.04,
        name: str | None = None,
        colour: str | None = None,
    ) -> int:
        """A flat thing on a wall: a window, a door, a picture."""
        x, y, turn = on_wall(wall, centre, deep / 2)
        start = centre - width / 2
        material.at, material.size = (start, start, z0), (width, z1 - z0)
        return self.put(cuboid((width, deep, z1 - z0)), material, (x, y, (z0 + z1) / 2), turn, name, colour)


def on_wall(wall: Wall, centre: float, off: float) -> tuple[float, float, float]:
    """x, y and turn of a thing whose middle stands ``off`` metres before a wall and which faces the room."""
    if wall.side == "back":
        return centre, wall.at - off, 0.0
    return (wall.at + off, centre, np.pi / 2) if wall.side == "left" else (wall.at - off, centre, -np.pi / 2)
