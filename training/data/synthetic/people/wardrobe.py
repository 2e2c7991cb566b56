"""What people wear: a ``Look`` drawn at random, and the dressed figure that shows it."""

import numpy as np

from ..facts import COLOURS as NAMES
from ..facts import Look
from .bodies import Body, Rig, vertex_normals
from .cloth import BODY, CHANNELS, COLOURS, CUTS, PROP, Figure, shape_hands
from .fitting import canon_attributes as _attributes
from .garments import LOOSE, THICK, Fit, Piece, Tailor
from .hair import behind_hairline, head_pieces
from .hands import shaped
from .palette import HAIR_RGB, linear, shade, skin_colour

__all__ = ["PROP", "Figure", "canon_attributes", "draw_look", "dress", "linear", "shade", "shape_hands"]

KINDS = ("tank top", "shirt", "t-shirt", "hoodie", "jacket", "coat", "sweater", "dress")  # as ``cloth`` counts them
WORN = {"t-shirt": 0.24, "shirt": 0.17, "sweater": 0.14, "hoodie": 0.08, "jacket": 0.15, "coat": 0.1, "tank top": 0.06}
WAISTLINE = 1.015  # where tucked tops end, on the average body
DRESS = 0.2  # share of dresses, to be added for women
SLEEVES = {
    "t-shirt": (0.0, 1.0, 0.0), "shirt": (0.0, 0.2, 0.8), "sweater": (0.0, 0.0, 1.0), "hoodie": (0.0, 0.0, 1.0),
    "jacket": (0.0, 0.0, 1.0), "coat": (0.0, 0.0, 1.0), "tank top": (1.0, 0.0, 0.0), "dress": (0.35, 0.4, 0.25),
}  # fmt: skip
PATTERNED = {"t-shirt": 0.3, "shirt": 0.32, "sweater": 0.25, "dress": 0.3, "tank top": 0.2}
OPENED = {"jacket": 0.6, "coat": 0.55, "hoodie": 0.3, "shirt": 0.12}
TOP_SHARES = np.array([1.4, 1.3, 1.1, 1.3, 0.8, 0.9, 1.1, 1.2, 0.8, 0.8, 0.9, 0.8, 0.9])
BOTTOM_SHARES = np.array([0.6, 1.6, 1.1, 0.35, 0.15, 0.25, 0.5, 1.3, 1.4, 0.25, 0.3, 0.9, 0.8])
CLASHES = {
    "white": ("beige", "grey"), "black": ("navy", "grey", "brown"), "grey": ("white", "black", "beige"),
    "navy": ("black", "blue", "purple"), "blue": ("navy", "purple"), "brown": ("black", "red", "beige", "orange"),
    "red": ("orange", "pink", "brown"), "orange": ("red", "yellow", "brown"), "yellow": ("beige", "orange", "white"),
    "pink": ("red", "beige", "purple", "white"), "purple": ("navy", "blue", "pink"), "green": (),
    "beige": ("white", "yellow", "pink", "grey", "brown"),
}  # fmt: skip


def canon_attributes(rig: Rig) -> np.ndarray:
    """What clothes are cut on, per vertex of a body (V, 6); see ``cloth``."""
    return _attributes(rig.canon, rig.canon_joints, rig.weights)


def _pick(rng: np.random.Generator, options: tuple | list, shares: tuple | list | np.ndarray) -> str:
    p = np.asarray(shares, float)
    return str(rng.choice(options, p=p / p.sum()))


def _colour(rng: np.random.Generator, *, unlike: tuple[str | None, ...], among: tuple[str, ...] = NAMES) -> str:
    """A colour that nobody takes for one of ``unlike``."""
    taken = {c for name in unlike if name for c in (name, *CLASHES[name])}
    free = [c for c in among if c not in taken] or [c for c in NAMES if c not in taken]
    return str(rng.choice(free))


def draw_look(body: Body, rng: np.random.Generator, *, top_colour: str | None = None) -> Look:
    """Dress a body at random; ``top_colour`` when the colour must be that one."""
    woman, child, old = body.sex == "woman", body.age == "child", body.age == "old"
    shares = {**WORN, "dress": DRESS * woman}
    if child:
        shares["coat"] = 0.03
    top = _pick(rng, list(shares), list(shares.values()))
    colour = top_colour or _pick(rng, NAMES, TOP_SHARES)
    bottom = None
    if top != "dress":
        bottom = _pick(rng, ["trousers", "shorts", "skirt"], (0.56, 0.2, 0.24) if woman else (0.76, 0.24, 0.0))
        if top == "coat" and bottom == "shorts":
            bottom = "trousers"
    bottoms = _pick(rng, NAMES, BOTTOM_SHARES) if bottom else None
    if bottoms and (bottoms == colour or bottoms in CLASHES[colour]) and rng.random() < 0.88:
        bottoms = _colour(rng, unlike=(colour,), among=("black", "grey", "blue", "navy", "beige", "brown", "white"))
    pattern = "plain"
    if rng.random() < PATTERNED.get(top, 0.0):
        pattern = _pick(rng, ["striped", "checked", "dotted"], (0.5, 0.5, 0.0) if top == "shirt" else (0.6, 0.15, 0.25))
    second = (
        _colour(rng, unlike=(colour,), among=("white", "navy", "black", "red", "grey")) if pattern != "plain" else None
    )
    inner = None
    if rng.random() < OPENED.get(top, 0.0):
        inner = _colour(rng, unlike=(colour, bottoms), among=("white", "grey", "black", "blue", "navy", "beige", "red"))
    sleeves = _pick(rng, ["none", "short", "long"], SLEEVES[top])
    formal = top == "shirt" and inner is None and sleeves == "long"
    tie = None
    if not woman and not child and (formal or (top == "jacket" and inner)) and rng.random() < 0.22:
        tie = _colour(rng, unlike=(inner or colour,), among=("red", "navy", "black", "blue", "green", "purple"))
    warm = top in ("coat", "jacket", "sweater")
    scarf = _colour(rng, unlike=(colour, inner)) if warm and tie is None and rng.random() < 0.18 else None
    skin = _skin(rng, {colour, bottoms, inner} - {None})
    length, style = _hair_length(body, rng)
    hat = str(rng.choice(NAMES)) if rng.random() < 0.15 else None
    glasses = rng.random()
    return Look(
        body.sex,
        body.age,
        round(body.height, 2),
        body.build,
        _hair_colour(rng, skin, age=body.age),
        length,
        beard=not woman and not child and rng.random() < 0.3,
        glasses="sunglasses" if glasses < 0.05 else "glasses" if glasses < (0.35 if old else 0.2) else None,
        hat=hat,
        top=top,
        top_colour=colour,
        bottom=bottom,
        bottom_colour=bottoms,
        shoes=_pick(rng, ["black", "white", "brown", "grey", "red", "blue"], (0.35, 0.25, 0.15, 0.1, 0.08, 0.07)),
        hat_kind=_pick(rng, ["cap", "hat", "beanie"], (0.45, 0.25, 0.3)) if hat else None,
        hair_style=style,
        sleeves=sleeves,
        pattern=pattern,
        pattern_colour=second,
        inner=inner,
        scarf=scarf,
        tie=tie,
        carried="backpack" if rng.random() < 0.1 else None,
        skin=skin,
    )


def _skin(rng: np.random.Generator, cloth: set[str | None]) -> str:
    """A tone from which the cloth can be told."""
    free = {"light", "medium", "dark"}
    for name, alike in (
        ("beige", {"light", "medium"}),
        ("pink", {"light"}),
        ("orange", {"medium"}),
        ("brown", {"dark"}),
    ):
        if name in cloth and free - alike:
            free -= alike
    return _pick(rng, sorted(free), [{"light": 0.45, "medium": 0.3, "dark": 0.25}[f] for f in sorted(free)])


def _hair_colour(rng: np.random.Generator, skin: str, *, age: str) -> str:
    shares = np.array((0.08, 0.1, 0.02, 0.02, 0.42, 0.36) if age == "old" else (0.3, 0.34, 0.22, 0.1, 0.03, 0.01))
    if skin != "light":
        shares = shares * ((2.0, 1.0, 0.15, 0.1, 1, 1) if skin == "medium" else (3.0, 0.5, 0.04, 0.02, 1, 1))
    colour = _pick(rng, list(HAIR_RGB), shares)
    if age == "child" and colour in ("grey", "white"):
        return "blonde" if skin == "light" else "black"
    return colour


def _hair_length(body: Body, rng: np.random.Generator) -> tuple[str, str | None]:
    if body.sex == "woman":
        shares = (0.0, 0.35, 0.65) if body.age == "old" else (0.0, 0.15, 0.85)
    else:
        shares = {"child": (0.01, 0.96, 0.03), "adult": (0.14, 0.82, 0.04), "old": (0.33, 0.65, 0.02)}[body.age]
    length = _pick(rng, ["bald", "short", "long"], shares)
    style = None
    if length == "long":
        style = _pick(rng, ["loose", "ponytail", "bun"], (0.55, 0.27, 0.18) if body.sex == "woman" else (0.5, 0.3, 0.2))
    return length, style


def _cut(look: Look, rng: np.random.Generator) -> tuple[Fit, dict[str, float]]:
    """How the clothes of a look sit, and where they end."""
    top, opened = look.top, look.inner is not None
    sleeve = {"none": -1.0, "short": rng.uniform(0.3, 0.45), "long": rng.uniform(0.95, 1.0)}[look.sleeves]
    hem = {"coat": rng.uniform(0.54, 0.66), "jacket": rng.uniform(0.86, 0.93), "dress": WAISTLINE}.get(
        top, rng.uniform(0.94, 0.965) if look.bottom == "skirt" else rng.uniform(0.865, 0.925)
    )
    tucked = top not in ("coat", "jacket", "dress", "hoodie", "sweater") and not opened
    tucked = tucked and (look.tie is not None or rng.random() < (0.7 if look.bottom == "skirt" else 0.35))
    if tucked:
        hem = WAISTLINE
    fit = Fit(THICK[top], LOOSE[top], hem, sleeve, tucked=tucked, open=rng.uniform(0.5, 1.6) if opened else 0.0)
    if look.tie and opened:
        fit.open = 1.2
    if look.bottom == "trousers":
        style = int(rng.choice(3, p=(0.3, 0.5, 0.2) if look.sex == "woman" else (0.12, 0.63, 0.25)))
        fit.leg_end = rng.uniform(0.035, 0.06)
        fit.leg_loose, fit.leg_out = ((0.956, 0.006), (0.97, 0.009), (0.984, 0.014))[style]
    elif look.bottom == "shorts":
        fit.leg_end, fit.leg_loose, fit.leg_out = rng.uniform(0.53, 0.7), 0.998, rng.uniform(0.014, 0.03)
    elif look.bottom == "skirt" or top == "dress":
        fit.skirt_hem = rng.uniform(0.24, 0.36) if rng.random() < 0.25 else rng.uniform(0.46, 0.68)
        fit.flare, fit.pleats = rng.uniform(0.02, 0.16), int(rng.choice([0, 5, 7]))
    fit.collar = {
        "shirt": "shirt",
        "coat": "high",
        "jacket": "high",
        "hoodie": "hood",
    }.get(top, "")
    loose_knit = top in ("sweater", "hoodie")
    stripes = 1.0 if rng.random() < 0.8 else 2.0  # level or upright
    vee = rng.uniform(0.05, 0.13) * (top == "dress" or (top in ("sweater", "t-shirt") and rng.random() < 0.2))
    printed = look.pattern == "plain" and not opened and top in ("t-shirt", "sweater") and rng.random() < 0.25
    zipped = 2.0 * (rng.random() < 0.5)
    jeans = look.bottom in ("trousers", "shorts") and look.bottom_colour in ("blue", "navy", "black", "grey")
    boots = look.bottom != "trousers" and look.sex == "woman" and rng.random() < 0.2
    cut = {name: 0.0 for name in CUTS} | {
        "kind": float(KINDS.index(top)),
        "pattern": {"plain": 0.0, "striped": stripes, "checked": 3.0, "dotted": 4.0}[look.pattern],
        "period": rng.uniform(0.065, 0.1),
        "duty": rng.uniform(0.35, 0.5),
        "hem": 0.95 if top == "dress" else hem + 0.05 * (not tucked),
        "neck": rng.uniform(0.07, 0.085) + 0.02 * (look.sleeves == "none"),
        "vee": vee,
        "sleeve": sleeve,
        "bottom": {"trousers": 1.0, "shorts": 2.0, "skirt": 3.0}.get(look.bottom or "", 0.0),
        "leg_end": fit.leg_end or (0.9 if look.bottom == "skirt" else 0.0),
        "shoe": 0.26 if boots else 0.09,
        "tights": float(bool(fit.skirt_hem) and rng.random() < 0.3),
        "open": fit.open,
        "gap": fit.gap,
        "print": rng.uniform(0.6, 1.5) * printed,
        "fold": rng.uniform(0, 6),
        "hairy": float(look.hair_length != "bald"),
        "fringe": float(rng.integers(1, 3)) if look.hair_length == "bald" else 0.0,
        "beard": float(look.beard),
        "tucked": (1.0 + (look.bottom != "skirt" and rng.random() < 0.7)) * tucked,
        "skirt_hem": fit.skirt_hem,
        "buttons": {"shirt": 1.0, "coat": 1.0, "jacket": 1.0 + (stripes > 1 or zipped > 0), "hoodie": zipped}.get(
            top, 0.0
        )
        * (not opened),
        "knit": float(loose_knit),
        "bare": float(look.sleeves == "none"),
        "denim": float(jeans and rng.random() < 0.6),
    }
    if fit.collar in ("high", "shirt"):
        cut["neck"] = 0.058
        cut["vee"] = 0.03 * (fit.collar == "shirt" and look.tie is None)
    return fit, cut


def _dyes(look: Look, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Linear colours by the names in ``cloth.COLOURS``."""
    skin = skin_colour(look.skin, rng)
    hair = linear(HAIR_RGB[look.hair_colour]) * rng.uniform(0.8, 1.2)
    top = shade(look.top_colour, rng)
    sole = "grey" if look.shoes == "white" else "white" if look.shoes != "brown" and rng.random() < 0.5 else "black"
    made_up = look.sex == "woman" and look.age != "child" and rng.random() < 0.4
    eyes = (0.5, 0.3, 0.2) if look.skin == "light" else (1.0, 0.0, 0.0)
    out = {name: skin for name in COLOURS} | {
        "skin": skin,
        "hair": hair,
        "top": top,
        "bottom": shade(look.bottom_colour, rng) if look.bottom_colour else top,
        "shoes": shade(look.shoes, rng),
        "sole": shade(sole, rng),
        "lips": 0.5 * skin + 0.5 * linear((190, 40, 50)) if made_up else skin * (0.85, 0.5, 0.5),
        "eye": linear([(38, 24, 16), (52, 62, 84), (60, 56, 34)][int(rng.choice(3, p=eyes))]),
        "beard": hair * 0.85 + 0.08 * skin,
        "brow": hair * 0.6 + 0.1 * skin,
        "frame": linear((16, 15, 17)) if rng.random() < 0.75 else linear((96, 60, 30)),
        "hat": shade(look.hat or "black", rng),
        "second": shade(look.pattern_colour or "white", rng),
        "inner": shade(look.inner or "white", rng),
        "print": shade(_colour(rng, unlike=(look.top_colour,)), rng),
        "tights": shade("black", rng) + 0.01,
        "scarf": shade(look.scarf or "grey", rng),
        "tie": shade(look.tie or "navy", rng),
        "belt": linear((30, 22, 18)),
        "lens": linear((14, 14, 18)),
        "collar": top * (1.0 if look.top == "shirt" else 0.9),
    }  # fmt: skip
    return {name: np.asarray(value, np.float32) for name, value in out.items()}


def dress(rig: Rig, body: Body, look: Look, attributes: np.ndarray, rng: np.random.Generator) -> Figure:
    """Build the mesh and the colours of a look on a body.

    Args:
        rig: What all bodies share.
        body: Who wears it.
        look: What is worn.
        attributes: ``canon_attributes(rig)``.
        rng: Where chance comes from.
    """
    dyes = _dyes(look, rng)
    fit, cut = _cut(look, rng)
    tailor = Tailor(rig, body, look, fit)
    behind = behind_hairline(rig.canon, 1.585 if look.hair_length == "long" or look.sex == "woman" else 1.615)
    rest, slid = tailor.body_mesh(attributes)
    rest = _grow(rest, rig, look, behind, attributes, rng)
    own = np.concatenate([slid, np.ones((len(rest), 1)), behind[:, None]], 1).astype(np.float32)
    pieces = [Piece(rest, rig.weights, rig.faces, own, BODY), *tailor.pieces(rng), *head_pieces(rig, body, look, rng)]
    start = np.cumsum([0] + [len(p.points) for p in pieces])
    figure = Figure(
        body,
        look,
        np.concatenate([p.points for p in pieces]).astype(np.float32),
        np.concatenate([p.weights for p in pieces]).astype(np.float32),
        np.concatenate([p.faces + s for p, s in zip(pieces, start, strict=False)]).astype(np.int32),
        np.concatenate([np.full(len(p.faces), p.part) for p in pieces]).astype(np.int32),
        np.concatenate([p.attributes for p in pieces]).astype(np.float32),
        dyes,
        cut,
        rig,
        rest[rig.hands].astype(np.float32),
    )
    assert figure.attributes.shape[1] == CHANNELS
    figure.rest[rig.hands] += shaped(rig, body, "relaxed", "relaxed")
    return figure


def _grow(
    rest: np.ndarray, rig: Rig, look: Look, behind: np.ndarray, attributes: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Hair's volume on the scalp, pressed flat under a hat."""
    if look.hair_length == "bald" and not look.hat:
        return rest
    volume = rng.uniform(0.012, 0.026) if look.hair_length == "short" else 0.012
    if look.hair_style in ("ponytail", "bun"):
        volume = 0.008
    x, y, z = rig.canon.T
    fullness = 0.65 + 0.5 * np.clip((z - 1.72) / 0.1, 0, 1) + 0.12 * np.sin(60 * x + 40 * y) * np.sin(50 * z)
    push = volume * np.clip(behind / 0.02, 0, 1) * fullness * (attributes[:, 5] > 0.5)
    if look.hat:
        push = np.where(z > 1.765, -0.01, push)
    return rest + vertex_normals(rest, rig.faces) * push[:, None]
