"""Meshes of tools and musical instruments; see ``props``."""

import numpy as np

from .poses import Prop
from .props import BRIGHT, Draw, cuboid, pick, prop, rod, spheroid


def guitar(rng: Draw) -> Prop:
    """Between the hands: its neck along +x (to the left hand), its face to -y; the right hand at the sound hole."""
    wood = pick(rng, "brown", "orange", "red", "black", "beige")
    lower, upper = (
        spheroid((0.21, 0.05, 0.19), (-0.2, 0, 0), 6, 14),
        spheroid((0.17, 0.048, 0.145), (0.03, 0, 0), 6, 14),
    )
    hole = rod((-0.03, -0.035, 0), (-0.03, -0.056, 0), 0.045, 10)
    neck, head = cuboid((0.5, 0.03, 0.055), (0.4, -0.03, 0)), cuboid((0.13, 0.03, 0.085), (0.7, -0.02, 0))
    bridge = cuboid((0.03, 0.02, 0.13), (-0.24, -0.05, 0))
    dark = "black" if wood != "black" else "white"
    return prop(
        "guitar",
        "right",
        (wood, dark, "brown" if wood != "brown" else "beige"),
        (lower, 0),
        (upper, 0),
        (hole, 1),
        (neck, 2),
        (head, 1),
        (bridge, 1),
        frame="line",
    )


def violin(rng: Draw) -> Prop:
    """Chin end at the origin, neck along -y."""
    body = [spheroid((0.11, 0.1, 0.03), (0, -0.1, 0), 6, 12), spheroid((0.09, 0.09, 0.03), (0, -0.24, 0), 6, 12)]
    neck, scroll = cuboid((0.03, 0.28, 0.03), (0, -0.42, 0.01)), spheroid((0.025, 0.03, 0.03), (0, -0.56, 0.0))
    return prop(
        "violin", "along", (pick(rng, "brown", "orange"), "black"), *((b, 0) for b in body), (neck, 1), (scroll, 1)
    )


def bow(hold: str) -> Prop:
    return prop(
        "bow",
        hold,
        ("black", "white"),
        (rod((-0.05, 0, 0), (0.66, 0, 0.02), 0.008), 0),
        (rod((-0.03, 0, -0.02), (0.66, 0, 0.0), 0.005), 1),
    )


def shovel(rng: Draw, low: int) -> Prop:
    """Between the hands: the shaft along x, the low hand (side ``low``) at the origin, the blade beyond it."""
    shaft, grip = rod((-0.42, 0, 0), (0.6, 0, 0), 0.018), cuboid((0.03, 0.13, 0.03), (0.6, 0, 0))
    blade = cuboid((0.3, 0.24, 0.02), (-0.53, 0, -0.01))
    lip = [cuboid((0.28, 0.02, 0.05), (-0.53, y, 0.015)) for y in (-0.12, 0.12)]
    colours = "grey", "brown", pick(rng, "red", "black", "blue")
    made = prop(
        "shovel", "left" if low > 0 else "right", colours, (shaft, 1), (grip, 2), (blade, 0), *((m, 0) for m in lip)
    )
    made.frame, made.vertices = "line", made.vertices * np.array([-low, -low, 1], np.float32)
    return made


def hammer(hold: str, rng: Draw) -> Prop:
    """The shaft along z over the fist, the head to -y."""
    shaft, head = rod((0, 0, -0.09), (0, 0, 0.22), 0.016), cuboid((0.05, 0.17, 0.055), (0, -0.02, 0.23))
    return prop("hammer", hold, ("grey", pick(rng, "brown", "red", "yellow")), (shaft, 1), (head, 0), frame="fore")


def knife(hold: str) -> Prop:
    """The blade to -y, edge down."""
    return prop(
        "knife",
        hold,
        ("grey", "black"),
        (cuboid((0.022, 0.12, 0.03)), 1),
        (cuboid((0.006, 0.2, 0.045), (0, -0.16, -0.005)), 0),
        frame="upright",
    )


def spoon(hold: str) -> Prop:
    """Held at its upper end, the bowl down in the pot."""
    return prop(
        "spoon",
        hold,
        ("brown",),
        (rod((0, 0.02, 0.08), (0, -0.06, -0.24), 0.012), 0),
        (spheroid((0.035, 0.03, 0.04), (0, -0.065, -0.26)), 0),
        frame="upright",
    )


def fishing_rod(hold: str) -> Prop:
    return prop(
        "fishing rod",
        hold,
        ("black", "grey", "white"),
        (rod((0, 0.25, -0.12), (0, -0.5, 0.38), 0.012), 0),
        (rod((0, -0.5, 0.38), (0, -1.5, 1.0), 0.007), 0),
        (rod((0, -0.06, -0.04), (0, -0.06, -0.1), 0.045, 8), 1),
        (rod((0, -1.5, 1.0), (0, -1.75, -0.9), 0.004, 4), 2),
        frame="upright",
    )


def roller(hold: str, rng: Draw) -> Prop:
    """A paint roller held upright."""
    colour = pick(rng, *BRIGHT)
    return prop(
        "paint roller",
        hold,
        (colour, "grey"),
        (rod((0, 0.02, -0.1), (0, -0.03, 0.2), 0.015), 1),
        (rod((-0.13, -0.05, 0.24), (0.13, -0.05, 0.24), 0.04, 10), 0),
        frame="upright",
    )
