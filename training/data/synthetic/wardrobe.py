"""Clothes, hair and faces, drawn at random as a ``Look``.

They are cut out per pixel on the coordinates of an average body, so that hems are sharp on a coarse mesh.
"""

from dataclasses import dataclass

import numpy as np

from .bodies import CHEST, HEAD, Body, Rig, vertex_normals
from .facts import COLOURS, Look
from .props import grid_faces

RGB = {
    "white": (238, 237, 233), "black": (20, 20, 22), "grey": (122, 123, 126), "red": (188, 22, 28),
    "orange": (238, 118, 18), "yellow": (242, 206, 40), "green": (34, 132, 52), "blue": (42, 104, 212),
    "navy": (20, 30, 84), "purple": (108, 42, 146), "pink": (242, 128, 172), "brown": (102, 62, 34),
    "beige": (216, 190, 150),
}  # fmt: skip
HAIR_RGB = {
    "black": (18, 15, 14),
    "brown": (70, 44, 26),
    "blonde": (206, 164, 92),
    "red": (150, 62, 22),
    "grey": (140, 138, 136),
    "white": (226, 224, 220),
}
SKIN_RGB = np.array(
    [(246, 212, 186), (232, 184, 152), (208, 152, 114), (164, 108, 74), (116, 74, 50), (76, 50, 36)], np.float32
)
BODY, SKIRT, HAIR, BRIM, PROP = 0, 1, 2, 3, 4  # parts of a figure's mesh; props count up from PROP
SLEEVE = {"t-shirt": 0.36, "shirt": 0.96, "sweater": 1.0, "jacket": 1.0, "coat": 1.02, "tank top": -0.02, "dress": 0.22}
THICK = {
    "t-shirt": 0.008,
    "shirt": 0.01,
    "sweater": 0.018,
    "jacket": 0.022,
    "coat": 0.026,
    "tank top": 0.006,
    "dress": 0.007,
}


def linear(rgb: np.ndarray | tuple[int, int, int]) -> np.ndarray:
    """sRGB 0-255 to linear light 0-1 (gamma 2.2)."""
    return (np.asarray(rgb, np.float32) / 255) ** 2.2


def shade(name: str, rng: np.random.Generator) -> np.ndarray:
    """A linear colour that still deserves its name: a little lighter, darker, duller, warmer."""
    base = np.array(RGB[name], np.float32)
    dull = (
        rng.uniform(0.0, 0.22)
        if name not in ("white", "black", "grey", "brown", "beige", "navy")
        else rng.uniform(0, 0.06)
    )
    value = rng.uniform(0.84, 1.06) if name not in ("white", "black") else rng.uniform(0.92, 1.04)
    out = base * (1 - dull) + base.mean() * dull
    return linear(np.clip(out * value + rng.normal(0, 4, 3), 4, 250))


def draw_look(body: Body, rng: np.random.Generator, *, top_colour: str | None = None) -> Look:
    """Dress a body at random; ``top_colour`` when the colour must be that one."""
    woman, child, old = body.sex == "woman", body.age == "child", body.age == "old"
    tops = {
        "t-shirt": 0.26,
        "shirt": 0.16,
        "sweater": 0.17,
        "jacket": 0.15,
        "coat": 0.09 * (not child),
        "tank top": 0.06,
        "dress": 0.24 * woman,
    }
    names = list(tops)
    p = np.array(list(tops.values()))
    top = str(rng.choice(names, p=p / p.sum()))
    common = np.array([1.4, 1.3, 1.1, 1.3, 0.8, 0.9, 1.1, 1.2, 0.8, 0.8, 0.9, 0.8, 0.9])
    colour = top_colour or str(rng.choice(COLOURS, p=common / common.sum()))
    bottom = (
        None
        if top == "dress"
        else str(rng.choice(["trousers", "shorts", "skirt"], p=(0.55, 0.2, 0.25) if woman else (0.76, 0.24, 0)))
    )
    cool = np.array([0.6, 1.6, 1.1, 0.35, 0.15, 0.25, 0.5, 1.3, 1.4, 0.25, 0.3, 0.9, 0.8])
    bottoms = str(rng.choice(COLOURS, p=cool / cool.sum())) if bottom else None
    if bottoms == colour and rng.random() < 0.7:
        bottoms = "navy" if colour in ("black", "white", "grey") else "black"
    hair_p = (0.1, 0.1, 0.02, 0.02, 0.42, 0.34) if old else (0.34, 0.34, 0.2, 0.1, 0.02, 0.0)
    hair = str(rng.choice(list(HAIR_RGB), p=hair_p))
    lengths = (
        (0.0, 0.3, 0.7) if woman else (0.3, 0.68, 0.02) if old else (0.02, 0.9, 0.08) if child else (0.13, 0.79, 0.08)
    )
    return Look(
        body.sex,
        body.age,
        round(body.height, 2),
        body.build,
        hair,
        str(rng.choice(["bald", "short", "long"], p=lengths)),
        beard=not woman and not child and rng.random() < 0.3,
        glasses="glasses" if rng.random() < (0.3 if old else 0.15) else None,
        hat=str(rng.choice(COLOURS)) if rng.random() < 0.1 else None,
        top=top,
        top_colour=colour,
        pattern="striped" if rng.random() < 0.12 else "plain",
        bottom=bottom,
        bottom_colour=bottoms,
        shoes=str(
            rng.choice(["black", "white", "brown", "grey", "red", "blue"], p=(0.35, 0.25, 0.15, 0.1, 0.08, 0.07))
        ),
        carried="backpack" if rng.random() < 0.1 else None,
    )


def canon_attributes(rig: Rig) -> np.ndarray:
    """What clothes are cut on, per vertex (V, 6).

    Average x, y, z; weight of the arms; place along the arm (0 shoulder, 1 wrist); weight of the head.
    """
    j, xyz = rig.canon_joints, rig.canon
    arm = rig.weights[:, 8:14].sum(1)
    along = np.zeros(len(xyz), np.float32)
    for upper, fore, hand in ((8, 9, 10), (11, 12, 13)):
        mine = np.sign(j[upper, 0]) * xyz[:, 0] > 0
        a, b = j[fore] - j[upper], j[hand] - j[fore]
        first, second = (xyz - j[upper]) @ a / (a @ a), (xyz - j[fore]) @ b / (b @ b)
        along[mine] = np.where(second > 0, 0.5 + 0.5 * second, np.minimum(0.5 * first, 0.5))[mine]
    return np.concatenate([xyz, arm[:, None], along[:, None], rig.weights[:, HEAD : HEAD + 1]], 1).astype(np.float32)


@dataclass
class Figure:
    """A dressed body: rest mesh with clothes' thickness, skirt, hair and brim added; ``paint`` colours its points."""

    body: Body
    look: Look
    rest: np.ndarray
    weights: np.ndarray
    faces: np.ndarray
    parts: np.ndarray  # per face
    attributes: np.ndarray
    colours: dict[str, np.ndarray]
    cut: dict[str, float]

    def paint(self, face, u, v):
        c = self.faces[face]
        a = self.attributes
        u, v = u[:, None], v[:, None]
        return self.old_paint(a[c[:, 0]] * (1 - u - v) + a[c[:, 1]] * u + a[c[:, 2]] * v, self.parts[face])

    def old_paint(self, a: np.ndarray, part: np.ndarray) -> np.ndarray:
        """Linear colours (N, 3) of points with interpolated attributes (N, 6) on parts (N,) below ``PROP``."""
        out = np.empty((len(a), 3), np.float32)
        on = part == BODY
        out[on] = self._body(a[on])
        for kind, name in ((SKIRT, "skirt"), (HAIR, "hair"), (BRIM, "hat")):
            on = part == kind
            if on.any():
                out[on] = self.colours[name]
        on = part == SKIRT
        if on.any() and self.look.pattern != "plain" and self.look.top in ("dress", "coat"):
            out[on] = self._pattern(a[on], out[on])
        strands = 0.85 + 0.3 * np.sin(a[:, 0] * 400 + a[:, 1] * 300) ** 2
        out[part == HAIR] *= strands[part == HAIR, None]
        return out

    def _body(self, a: np.ndarray) -> np.ndarray:
        look, cut, c = self.look, self.cut, self.colours
        x, y, z, arm, along, head = a.T
        is_arm = arm > 0.5
        out = np.broadcast_to(c["skin"], (len(a), 3)).copy()
        low = ~is_arm & (z < 1.1)
        if look.bottom == "trousers":
            out[low & (z > 0.075)] = c["bottom"]
        elif look.bottom == "shorts":
            out[low & (z > cut["shorts"])] = c["bottom"]
        elif cut["tights"]:
            out[low] = c["tights"]
        if cut["ring"]:  # thighs that push through a skirt look like the skirt
            out[low & (z > cut["ring"] + 0.03)] = c["skirt"]
        out[(z < cut["shoe"]) & ~is_arm] = c["shoes"]
        neck = (z - 0.6 * y > cut["neck"]) & (np.abs(x) < 0.12) & ~is_arm
        top = np.where(is_arm, along < SLEEVE[look.top], (z > cut["hem"]) & ~neck) & (head < 0.6)
        if look.top == "tank top":
            top &= ~((np.abs(x) > 0.155) & (z > 1.3))
        cloth = np.broadcast_to(c["top"], (int(top.sum()), 3)).copy()
        if look.pattern != "plain":
            cloth = self._pattern(a[top], cloth)
        xt, yt, zt = x[top], y[top], z[top]
        front = (yt < -0.02) & ~is_arm[top]
        if look.top == "jacket":
            cloth[front & (np.abs(xt) < 0.028 + 0.05 * np.clip((zt - 1.05) / 0.45, 0, 1))] = c["inner"]
        elif look.top in ("shirt", "coat"):
            cloth[front & (np.abs(xt) < 0.004)] *= 0.45
            cloth[
                front
                & (zt > 1.46)
                & (np.abs(xt) > 0.02)
                & (np.abs(xt) < 0.07)
                & (np.abs(np.abs(xt) - (zt - 1.44) * 0.7) < 0.008)
            ] *= 0.6
        elif cut["print"] and look.top in ("t-shirt", "sweater"):
            cloth[front & (np.abs(xt) < 0.07) & (np.abs(zt - 1.33) < 0.05)] = c["print"]
        folds = 1 + 0.07 * np.sin(23 * xt + 31 * zt + cut["fold"]) * np.sin(17 * zt - 29 * xt + 11 * yt)
        out[top] = cloth * folds[:, None]
        face = head > 0.6
        if face.any():
            out[face] = self._head(a[face], out[face])
        return out

    def _head(self, a: np.ndarray, out: np.ndarray) -> np.ndarray:
        look, c = self.look, self.colours
        x, y, z = np.abs(a[:, 0]), a[:, 1], a[:, 2]
        front = y < -0.085
        out[front & (np.abs(z - 1.631) < 0.008) & (x < 0.027)] = c["lips"]
        if look.beard:
            out[(y < -0.045) & (z < 1.665) & ~((np.abs(z - 1.633) < 0.009) & (x < 0.024)) & (z > 1.56)] = c["beard"]
        out[front & (np.abs(z - 1.742 - 0.1 * x) < 0.0055) & (x > 0.013) & (x < 0.052)] = c["brow"]
        eye = np.hypot((x - 0.032) / 1.6, z - 1.72)
        out[front & (eye < 0.0095)] = (0.75, 0.75, 0.75)
        out[front & (np.hypot(x - 0.032, z - 1.72) < 0.0075)] = c["eye"]
        if look.glasses:
            ring = np.hypot((x - 0.034) / 1.25, z - 1.718)
            frame = front & (
                (ring < 0.025) & (ring > (0.0 if self.cut["sunglasses"] else 0.0195))
                | (x < 0.012) & (np.abs(z - 1.722) < 0.004)
            )
            out[frame | (~front & (y < -0.01) & (np.abs(z - 1.725) < 0.004))] = c["frame"]
        line = -0.062 - 0.075 * np.clip((z - 1.752) / 0.03, 0, 1) - 0.015 * (z < 1.70)
        nape = 1.545 if look.hair_length == "long" else 1.615
        hairy = (y > line) & (z > nape) & ~((y < -0.03) & (z < 1.69)) | (z > 1.793)
        if look.hair_length == "bald":
            hairy &= (z < 1.735) & (z > 1.64) & bool(self.cut["fringe"])
        strands = 0.8 + 0.4 * np.sin(a[:, 0] * 500 + a[:, 2] * 130) ** 2
        out[hairy] = c["hair"] * strands[hairy, None]
        if look.hat:
            out[z > 1.772 + 0.1 * (y + 0.05)] = c["hat"]
        return out

    def _pattern(self, a: np.ndarray, cloth: np.ndarray) -> np.ndarray:
        period, duty = self.cut["period"], self.cut["duty"]
        across = np.where(a[:, 3] > 0.5, a[:, 4] * 0.6, a[:, 2])
        level, upright = (across / period) % 1 < duty, (a[:, 0] / period) % 1 < duty
        kind = int(self.cut["pattern"])
        on = level if kind == 0 else upright if kind == 1 else level | upright
        cloth[on] = self.colours["second"] if kind < 2 else 0.45 * cloth[on] + 0.55 * self.colours["second"]
        return cloth


def _ring(
    rig: Rig, body: Body, rng: np.random.Generator, top: float, hem: float, thick: float, flare: float
) -> tuple[np.ndarray, ...]:
    """A skirt: a ring of quads from canonical height ``top`` to ``hem``, weighted from the hips to the thighs."""
    rows, columns = 7, 20
    trunk = rig.weights[:, 8:14].sum(1) < 0.3
    levels = np.linspace(top, hem, rows)
    canon_z, rest = rig.canon[:, 2], body.rest
    h = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    points, weights, attributes = [], [], []
    widest = np.zeros(2)
    for level in levels:
        near = trunk & (np.abs(canon_z - level) < 0.05)
        z = np.interp(
            level,
            [0, 0.079, 0.53, 0.975, 1.376, 1.83],
            [0, *body.joints[[16, 15, 14, CHEST], 2], body.rest[:, 2].max()],
        )
        size = np.array([np.abs(rest[near, 0]).max(), np.ptp(rest[near, 1]) / 2]) + thick
        if level > 0.88:
            centre = 0.5 * (rest[near, 1].max() + rest[near, 1].min())
            widest = np.maximum(widest, size * (1 if level < 1.0 else 0))
            radius = size
        else:
            radius = widest * (1 + flare * (0.88 - level)) + 0.01
        points.append(np.stack([radius[0] * np.sin(h), centre - radius[1] * np.cos(h), np.full_like(h, z)], -1))
        share, left = np.clip((1.0 - level) / 0.3, 0, 0.92), np.clip(0.5 + np.sin(h) * 0.9, 0, 1)
        w = np.zeros((columns, 20))
        w[:, 0], w[:, 14], w[:, 17] = 1 - share, share * left, share * (1 - left)
        weights.append(w)
        attributes.append(
            np.stack([0.18 * np.sin(h), -0.13 * np.cos(h), np.full_like(h, level), 0 * h, 0 * h, 0 * h], -1)
        )
    return (
        np.concatenate(points),
        np.concatenate(weights),
        grid_faces(rows, columns, closed=True),
        np.concatenate(attributes),
    )


def _curtain(rig: Rig, body: Body, drop: float) -> tuple[np.ndarray, ...]:
    """Long hair: a curved sheet about the back and sides of the head down to the shoulders."""
    rows, columns = 8, 17
    head = rig.weights[:, HEAD] > 0.6
    mine, theirs = body.rest[head], rig.canon[head]
    scale = np.ptp(mine, 0) / np.ptp(theirs, 0)
    shift = mine.min(0) - theirs.min(0) * scale
    h = np.linspace(-2.0, 2.0, columns)
    points, weights, attributes = [], [], []
    for _k, level in enumerate(np.linspace(1.80, drop, rows)):
        crown = (
            np.sqrt(np.clip(1 - ((level - 1.72) / 0.125) ** 2, 0.1, 1)) if level > 1.72 else 1 + 0.22 * (1.72 - level)
        )
        points.append(
            np.stack(
                [
                    0.099 * crown * np.sin(h),
                    -0.035 + 0.118 * crown * np.cos(h) + 0.02 * (level < 1.6),
                    np.full_like(h, level),
                ],
                -1,
            )
        )
        w = np.zeros((columns, 20))
        chest = 0.5 * np.clip((1.6 - level) / 0.15, 0, 1)
        w[:, HEAD], w[:, CHEST] = 1 - chest, chest
        weights.append(w)
        attributes.append(np.concatenate([points[-1], np.zeros((columns, 3))], 1))
    return (
        np.concatenate(points) * scale + shift,
        np.concatenate(weights),
        grid_faces(rows, columns, closed=False),
        np.concatenate(attributes),
    )


def _brim(rig: Rig, body: Body, *, round_: bool) -> tuple[np.ndarray, ...]:
    """The peak of a cap or the brim of a hat."""
    columns = 21
    head = rig.weights[:, HEAD] > 0.6
    mine, theirs = body.rest[head], rig.canon[head]
    scale = np.ptp(mine, 0) / np.ptp(theirs, 0)
    shift = mine.min(0) - theirs.min(0) * scale
    h = np.linspace(-np.pi, np.pi, columns) if round_ else np.linspace(-1.2, 1.2, columns)
    out = 0.07 if round_ else 0.085 * np.cos(h / 1.2 * np.pi / 2)
    inner = np.stack([0.088 * np.sin(h), -0.04 - 0.112 * np.cos(h), np.full_like(h, 1.775)], -1)
    outer = np.stack([(0.088 + out) * np.sin(h), -0.04 - (0.112 + out) * np.cos(h), np.full_like(h, 1.765)], -1)
    points = np.concatenate([inner, outer])
    w = np.zeros((2 * columns, 20))
    w[:, HEAD] = 1
    return (
        points * scale + shift,
        w,
        grid_faces(2, columns, closed=False),
        np.concatenate([points, np.zeros((len(points), 3))], 1),
    )


def dress(rig: Rig, body: Body, look: Look, attributes: np.ndarray, rng: np.random.Generator) -> Figure:
    """Build the mesh and the colours of a look on a body."""
    skin_at = rng.uniform(0, len(SKIN_RGB) - 1)
    if look.top_colour in ("beige", "brown", "orange", "pink") or look.bottom_colour in ("beige", "brown"):
        # cloth must not look like skin
        dark_cloth = look.top_colour in ("brown", "orange") or look.bottom_colour == "brown"
        skin_at = rng.uniform(0, 0.8) if dark_cloth else rng.uniform(3.0, 5)
    k = min(int(skin_at), len(SKIN_RGB) - 2)
    skin = linear(SKIN_RGB[k] * (k + 1 - skin_at) + SKIN_RGB[k + 1] * (skin_at - k))
    hair = linear(HAIR_RGB[look.hair_colour]) * rng.uniform(0.8, 1.2)
    others = [c for c in ("white", "black", "grey", "navy", "beige") if c != look.top_colour]
    c = {
        "skin": skin,
        "hair": hair,
        "top": shade(look.top_colour, rng),
        "shoes": shade(look.shoes, rng),
        "lips": skin * (0.85, 0.5, 0.5),
        "eye": linear((35, 25, 20)),
        "beard": hair * 0.9 + 0.06 * skin,
        "brow": hair * 0.7,
        "frame": linear((15, 15, 18)),
        "hat": shade(look.hat or "black", rng),
        "second": shade(
            "white"
            if look.top_colour not in ("white", "beige", "yellow", "grey", "pink")
            else "navy"
            if rng.random() < 0.5
            else "black",
            rng,
        ),
        "inner": shade(str(rng.choice(others)), rng),
        "print": shade(str(rng.choice(others)), rng),
        "tights": shade("black", rng),
        "bottom": shade(look.bottom_colour, rng) if look.bottom_colour else skin,
    }
    c["skirt"] = c["bottom"] if look.bottom == "skirt" else c["top"]
    cut = {
        "hem": 1.0 if look.bottom == "skirt" else rng.uniform(0.9, 0.97),
        "neck": rng.uniform(1.535, 1.56) if look.top not in ("sweater", "coat") else 1.585,
        "shorts": rng.uniform(0.5, 0.68),
        "shoe": 0.24 if rng.random() < 0.12 and look.bottom != "trousers" else 0.085,
        "tights": look.bottom != "trousers" and look.sex == "woman" and rng.random() < 0.25,
        "print": rng.random() < 0.25,
        "fold": rng.uniform(0, 6),
        "sunglasses": rng.random() < 0.3,
        "fringe": rng.random() < 0.5,
        "ring": rng.uniform(0.5, 0.62)
        if look.top == "coat"
        else rng.uniform(0.48, 0.74)
        if "skirt" in (look.bottom, "skirt" * (look.top == "dress"))
        else 0.0,
        "period": rng.uniform(0.05, 0.11),
        "duty": rng.uniform(0.25, 0.42),
        "pattern": float(rng.integers(3)),
    }
    _x, y, z, arm, along, head = attributes.T
    push = np.where(
        arm > 0.5,
        (along < SLEEVE[look.top]) * THICK[look.top],
        np.where(z > 0.93, THICK[look.top], 0.009 if look.bottom == "trousers" else 0.0),
    )
    push = np.where(head > 0.6, 0.0, push) + np.where((z < 0.08) & (arm < 0.5), 0.006, 0)
    if look.hair_length != "bald":
        push = push + np.where((head > 0.6) & ((y > -0.06) & (z > 1.63) | (z > 1.785)), rng.uniform(0.01, 0.022), 0)
    if look.hat:
        push = push + np.where((head > 0.6) & (z > 1.77), 0.014, 0)
    rest = body.rest + vertex_normals(body.rest, rig.faces) * push[:, None].astype(np.float32)
    pieces: list[tuple] = [(rest, rig.weights, rig.faces, attributes, BODY)]
    if look.bottom == "skirt" or look.top in ("dress", "coat"):
        hem = cut["ring"]
        flare = rng.uniform(0.0, 0.25) if look.top == "coat" else rng.uniform(0.1, 0.8)
        pieces.append(
            (*_ring(rig, body, rng, 1.03, hem, 0.034 if look.top == "coat" else 0.012 + THICK[look.top], flare), SKIRT)
        )
    if look.hair_length == "long":
        pieces.append((*_curtain(rig, body, rng.uniform(1.40, 1.55)), HAIR))
    if look.hat:
        pieces.append((*_brim(rig, body, round_=rng.random() < 0.35), BRIM))
    return _assemble(body, look, pieces, c, cut)


def _assemble(body: Body, look: Look, pieces: list[tuple], colours: dict, cut: dict) -> Figure:
    start = np.cumsum([0] + [len(p[0]) for p in pieces])
    return Figure(
        body, look,
        np.concatenate([p[0] for p in pieces]).astype(np.float32),
        np.concatenate([p[1] for p in pieces]).astype(np.float32),
        np.concatenate([p[2] + s for p, s in zip(pieces, start, strict=False)]).astype(np.int32),
        np.concatenate([np.full(len(p[2]), p[4]) for p in pieces]).astype(np.int32),
        np.concatenate([p[3] for p in pieces]).astype(np.float32), colours, cut,
    )  # fmt: skip
